#include "router/run/running.h"

#include <stdio.h>

#include "router/run/query.h"
#include "router/run/router_session.h"

enum { ID_ROOM = 48, OPS_MAX = 64, PLAN_MAX = 4096 };

static uint64_t now_us(const struct router *router)
{
    return router->options.micros != NULL ? router->options.micros() : router->now_ms * 1000;
}

void running_begin(struct query *query)
{
    uint64_t waited_ms = query->router->now_ms - query->arrived_ms;

    query->number = ++query->router->query_last;
    query->began_us = now_us(query->router) - waited_ms * 1000;
}

static enum router_kind kind_of(const struct query *query)
{
    enum router_kind kind = query->request.op == REQUEST_UNKNOWN ? ROUTER_LOAD : ROUTER_READ;

    if (query->is_failed) {
        return ROUTER_FAILED;
    }
    for (uint32_t i = 0; query->entry != NULL && i < query->entry->statement_count; i++) {
        const struct plan *plan = query->entry->statements[i].plan;
        kind = plan != NULL && plan->is_write ? ROUTER_WRITE : kind;
    }
    return kind;
}

/* ---- lists ---- */

static const char *const states[] = {"waiting", "running", "committing", "over"};

static void write_id(const struct query *query, char id[ID_ROOM])
{
    (void)snprintf(id, ID_ROOM, "%u-%llu", query->router->options.node,
                   (unsigned long long)query->number);
}

static void write_request(const struct query *query, char id[ID_ROOM])
{
    size_t at = 0;

    for (size_t i = 0; i < sizeof query->request.id; i++) {
        bool is_dash = i == 4 || i == 6 || i == 8 || i == 10;
        at += (size_t)snprintf(id + at, ID_ROOM - at, "%s%02x", is_dash ? "-" : "",
                               query->request.id[i]);
    }
}

/* Its text, or its bytecode as text; cut between characters. */
static struct slice text_of(const struct query *query, struct arena *arena)
{
    struct bytes text = {0};

    if (query->request.gremlin.size > 0) {
        bytes_append(&text, query->request.gremlin.data, query->request.gremlin.size);
    } else if (query->request.bytecode != NULL) {
        bytecode_print(&text, query->request.bytecode, "g");
    } else {
        bytes_format(&text, query->request.op == REQUEST_UNKNOWN ? "(load)" : "(session)");
    }
    if (text.size > RUNNING_TEXT_MAX) {
        text.size = RUNNING_TEXT_MAX;
        while (text.size > 0 && (text.data[text.size] & 0xc0) == 0x80) {
            text.size--;
        }
    }
    struct slice kept = slice_of(arena_copy(arena, text.data, text.size), text.size);
    bytes_close(&text);
    return kept;
}

static struct value one_of(const struct query *query, struct arena *arena)
{
    char id[ID_ROOM];
    char request[ID_ROOM];

    write_id(query, id);
    write_request(query, request);
    struct value items[] = {
        value_cstring("id"),
        value_cstring(arena_format(arena, "%s", id)),
        value_cstring("state"),
        value_cstring(query->is_killed ? "ending" : states[query->state]),
        value_cstring("ms"),
        value_long((int64_t)(query->router->now_ms - query->arrived_ms)),
        value_cstring("attempts"),
        value_long(query->attempts + 1),
        value_cstring("client"),
        value_long((int64_t)query->client),
        value_cstring("request"),
        value_cstring(arena_format(arena, "%s", request)),
        value_cstring("text"),
        value_string(text_of(query, arena)),
    };
    return value_items(arena, VALUE_MAP, items, sizeof items / sizeof items[0] / 2);
}

struct value running_list(const struct router *router, struct arena *arena)
{
    struct value *list = arena_array(arena, RUNNING_LISTED_MAX, sizeof *list);
    size_t count = 0;

    for (const struct query *query = router->queries; query != NULL && count < RUNNING_LISTED_MAX;
         query = query->next) {
        list[count++] = one_of(query, arena);
    }
    struct value items[] = {
        value_cstring("router"),  value_long(router->options.node),
        value_cstring("waiting"), value_long(router->admission.waiting),
        value_cstring("queries"), value_items(arena, VALUE_LIST, list, count),
    };
    return value_items(arena, VALUE_MAP, items, 3);
}

int running_kill(struct router *router, struct slice id, struct error *err)
{
    char own[ID_ROOM];
    char request[ID_ROOM];

    for (struct query *query = router->queries; query != NULL; query = query->next) {
        write_id(query, own);
        write_request(query, request);
        if (!slice_equal(id, slice_text(own)) && !slice_equal(id, slice_text(request))) {
            continue;
        }
        if (query->state == QUERY_COMMITTING) {
            return error_set(err, E_INVALID, "query %s is committing: that cannot be stopped", own);
        }
        query->is_killed = true;
        return E_OK;
    }
    return error_set(
        err, E_NOT_FOUND, "no query %.*s runs on router %u (an id begins with its router's number)",
        (int)(id.size < ID_ROOM ? id.size : ID_ROOM), (const char *)id.data, router->options.node);
}

void running_dump(const struct router *router, struct bytes *out)
{
    struct arena arena = {0};

    bytes_format(out, "router %u: %u queries, %u waiting, %u sessions, %zu clients\n",
                 router->options.node, router->query_count, router->admission.waiting,
                 router->session_count, router->clients.count);
    for (const struct query *query = router->queries; query != NULL; query = query->next) {
        struct slice text = text_of(query, &arena);
        bytes_format(out, "query %llu of client %llu, %s for %llu ms, attempt %u: %.*s\n",
                     (unsigned long long)query->number, (unsigned long long)query->client,
                     states[query->state], (unsigned long long)(router->now_ms - query->arrived_ms),
                     query->attempts + 1, (int)text.size, (const char *)text.data);
    }
    arena_close(&arena);
    for (size_t i = 0; i < ROUTER_SLOW_MAX; i++) {
        const struct router_slow *slow = &router->slow[i];
        if (slow->head.size > 0) {
            bytes_format(
                out, "\nslow: %.*s\n%.*s\n%.*s%.*s", (int)slow->head.size,
                (const char *)slow->head.data, (int)slow->text.size, (const char *)slow->text.data,
                (int)slow->plan.size, slow->plan.size == 0 ? "" : (const char *)slow->plan.data,
                (int)slow->ops.size, slow->ops.size == 0 ? "" : (const char *)slow->ops.data);
        }
    }
}

/* ---- slow ones ---- */

static bool is_slow(const struct query *query, uint64_t after_ms)
{
    const struct router *router = query->router;

    return router->options.slow_ms != 0 && router->now_ms - query->arrived_ms >= after_ms;
}

void running_watch(struct query *query)
{
    if (is_slow(query, RUNNING_TIMED_MS)) {
        query->exec.is_timed = true;
    }
}

static void write_op(struct bytes *out, const struct op *op)
{
    const struct op_stats *stats = &op->stats;
    uint64_t all = stats->busy_us + stats->wait_us;
    uint64_t inside = op->input == NULL ? 0 : op->input->stats.busy_us + op->input->stats.wait_us;
    uint64_t own = all > inside ? all - inside : 0;

    bytes_format(out, "%*s%s: %llu rows, %llu.%03llu ms", (int)(2 * op->depth), "", op->class->name,
                 (unsigned long long)stats->rows_out, (unsigned long long)(own / 1000),
                 (unsigned long long)(own % 1000));
    if (stats->requests > 0) {
        bytes_format(out, ", %llu requests (", (unsigned long long)stats->requests);
        for (uint32_t i = 0; i < stats->shard_count; i++) {
            bytes_format(out, "%s%u:%u", i == 0 ? "" : " ", stats->shards[i].shard,
                         stats->shards[i].requests);
        }
        bytes_format(out, ")");
    }
    bytes_format(out, "\n");
}

void running_note(struct query *query)
{
    const struct op *ops[OPS_MAX];
    size_t count = 0;

    if (query->exec.plan == NULL || !is_slow(query, query->router->options.slow_ms)) {
        return;
    }
    bytes_clear(&query->slow);
    for (const struct op *op = query->exec.ops; op != NULL && count < OPS_MAX; op = op->older) {
        ops[count++] = op;
    }
    while (count > 0) {
        write_op(&query->slow, ops[--count]);
    }
}

static void write_plan(const struct query *query, struct bytes *out)
{
    for (uint32_t i = 0; query->entry != NULL && i < query->entry->statement_count; i++) {
        if (query->entry->statements[i].plan != NULL) {
            plan_print(out, query->entry->statements[i].plan);
        }
    }
    if (out->size > PLAN_MAX) {
        out->size = PLAN_MAX;
    }
}

static void keep_slow(struct query *query)
{
    static const char *const kinds[ROUTER_KINDS] = {"read", "write", "load", "failed"};
    struct router *router = query->router;
    struct router_slow *slow = &router->slow[router->slow_count++ % ROUTER_SLOW_MAX];
    struct arena arena = {0};
    char id[ID_ROOM];
    char request[ID_ROOM];

    running_slow_close(slow);
    write_id(query, id);
    write_request(query, request);
    bytes_format(&slow->head, "query=%s request=%s ms=%llu attempts=%u kind=%s", id, request,
                 (unsigned long long)(router->now_ms - query->arrived_ms), query->attempts + 1,
                 kinds[kind_of(query)]);
    struct slice text = text_of(query, &arena);
    bytes_append(&slow->text, text.data, text.size);
    arena_close(&arena);
    write_plan(query, &slow->plan);
    slow->ops = query->slow;
    query->slow = (struct bytes){0};
}

void running_slow_close(struct router_slow *slow)
{
    bytes_close(&slow->head);
    bytes_close(&slow->text);
    bytes_close(&slow->plan);
    bytes_close(&slow->ops);
}

void running_end(struct query *query)
{
    uint64_t now = now_us(query->router);

    metrics_observe(&query->router->times[kind_of(query)],
                    now > query->began_us ? now - query->began_us : 0);
    if (is_slow(query, query->router->options.slow_ms)) {
        keep_slow(query);
    }
    bytes_close(&query->slow);
}
