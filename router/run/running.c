#include "router/run/running.h"

#include <stdio.h>

#include "router/run/query.h"
#include "router/run/router_session.h"

enum { ID_ROOM = 48 };

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

void running_end(struct query *query)
{
    uint64_t now = now_us(query->router);

    metrics_observe(&query->router->times[kind_of(query)],
                    now > query->began_us ? now - query->began_us : 0);
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
}
