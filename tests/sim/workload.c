#include "tests/sim/workload.h"

#include "common/bytes.h"
#include "common/mem.h"

#include <assert.h>
#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LIST_MAX = 4096, ITEMS_A_STEP = 3, TEXT_PART = 96 };

/* ---- texts ---- */

static void name_items(uint32_t mask, char *out, size_t room)
{
    size_t size = 0;

    out[0] = '\0';
    for (uint32_t i = 0; i < WORKLOAD_LISTS; i++) {
        if ((mask >> i & 1) != 0) {
            size += (size_t)snprintf(out + size, room - size, "%s%u", size == 0 ? "" : ",", i + 1);
        }
    }
}

void workload_item_text(uint32_t item, char *out, size_t room)
{
    if (item < WORKLOAD_LISTS) {
        snprintf(out, room, "V(%u).values('l').fold()", item + 1);
    } else if (item == WORKLOAD_OUT) {
        snprintf(out, room, "V(%u).outE('s').id().fold()", WORKLOAD_HUB_ID);
    } else if (item < WORKLOAD_LABEL) {
        snprintf(out, room, "V(%u).inE('s').id().fold()", WORKLOAD_HUB_ID + 1 + item - WORKLOAD_IN);
    } else if (item == WORKLOAD_LABEL) {
        snprintf(out, room, "V().hasLabel('m').id().fold()");
    } else {
        snprintf(out, room, "V().has('m','p',%u).id().fold()", item - WORKLOAD_INDEX);
    }
}

/* A read of one item is one request to one shard, which needs no validation. */
static bool is_one(uint32_t mask)
{
    return (mask & (mask - 1)) == 0;
}

static void write_reads(uint32_t mask, char *out)
{
    char items[TEXT_PART];
    size_t size = 0;

    if (mask >> WORKLOAD_LISTS == 0 && !is_one(mask)) {
        name_items(mask, items, sizeof items);
        snprintf(out, WORKLOAD_TEXT_MAX,
                 "g.V(%s).project('k','l').by(id).by(__.values('l').fold())", items);
        return;
    }
    for (uint32_t i = 0; i < WORKLOAD_ITEMS; i++) {
        if ((mask >> i & 1) != 0 && is_one(mask)) {
            snprintf(out, WORKLOAD_TEXT_MAX, "g.");
            workload_item_text(i, out + 2, WORKLOAD_TEXT_MAX - 2);
            return;
        }
        if ((mask >> i & 1) != 0) {
            workload_item_text(i, items, sizeof items);
            size += (size_t)snprintf(out + size, WORKLOAD_TEXT_MAX - size, "%s__.%s",
                                     size == 0 ? "g.inject(0).union(" : ",", items);
        }
    }
    snprintf(out + size, WORKLOAD_TEXT_MAX - size, ")");
}

/* Each part gives one traverser, but for the last. */
static void write_appends(uint32_t mask, uint32_t value, char *out)
{
    char items[TEXT_PART];
    size_t size = 0;

    out[0] = '\0';
    if ((mask >> WORKLOAD_LABEL & 1) != 0) {
        size += (size_t)snprintf(out + size, WORKLOAD_TEXT_MAX - size,
                                 ".addV('m').property(id,%u).property('p',%u)",
                                 WORKLOAD_SET_ID + value, mask >> WORKLOAD_INDEX & 1 ? 0 : 1);
    }
    if ((mask >> WORKLOAD_OUT & 1) != 0) {
        size += (size_t)snprintf(out + size, WORKLOAD_TEXT_MAX - size,
                                 ".V(%u).addE('s').to(__.V(%u)).property(id,%u)", WORKLOAD_HUB_ID,
                                 WORKLOAD_HUB_ID + (mask >> WORKLOAD_IN & 1 ? 1 : 2),
                                 WORKLOAD_SET_ID + value);
    }
    name_items(mask, items, sizeof items);
    if (items[0] != '\0') {
        snprintf(out + size, WORKLOAD_TEXT_MAX - size, ".V(%s).property(list,'l',%u)", items,
                 value);
    }
}

static void write_list(const struct workload_step *step, uint32_t value, char *out)
{
    char reads[WORKLOAD_TEXT_MAX];
    char appends[WORKLOAD_TEXT_MAX];

    write_reads(step->read_mask, reads);
    write_appends(step->append_mask, value, appends);
    if (step->append_mask == 0) {
        snprintf(out, WORKLOAD_TEXT_MAX, "%s", reads);
    } else if (step->read_mask == 0) {
        snprintf(out, WORKLOAD_TEXT_MAX, "g%s.iterate()", appends);
    } else {
        snprintf(out, WORKLOAD_TEXT_MAX, "%.480s.fold().as('r')%.480s.select('r')", reads, appends);
    }
}

static void write_text(const struct workload *workload, const struct workload_client *client,
                       char *out)
{
    const struct workload_step *step = &client->steps[client->step];

    switch (client->kind) {
    case WORKLOAD_LIST:
        write_list(step, history_value(client->txn), out);
        break;
    case WORKLOAD_SESSION:
        if (step->is_end || client->is_broken) {
            snprintf(out, WORKLOAD_TEXT_MAX, "g.tx().%s()",
                     step->is_commit && !client->is_broken ? "commit" : "rollback");
        } else {
            write_list(step, history_value(client->txn), out);
        }
        break;
    case WORKLOAD_COUNT:
        snprintf(out, WORKLOAD_TEXT_MAX,
                 "g.V(%u).property(single,'n',__.union(__.values('n'),__.constant(1)).sum())."
                 "values('n')",
                 WORKLOAD_COUNTER_ID + client->a);
        break;
    case WORKLOAD_EDGE_ADD:
        snprintf(out, WORKLOAD_TEXT_MAX, "g.V(%u).addE('e').to(__.V(%u)).property(id,%u).id()",
                 WORKLOAD_END_ID + client->a, WORKLOAD_END_ID + client->b, 1000 + client->txn);
        break;
    case WORKLOAD_EDGE_DROP:
        snprintf(out, WORKLOAD_TEXT_MAX, "g.V(%u).outE('e').hasId(%u).drop()",
                 WORKLOAD_END_ID + workload->edges[workload->drops[client->txn].number].a,
                 1000 + workload->drops[client->txn].number);
        break;
    case WORKLOAD_VERTEX_ADD:
        snprintf(out, WORKLOAD_TEXT_MAX, "g.addV('n').property(id,%u).iterate()",
                 WORKLOAD_END_ID + client->a);
        break;
    case WORKLOAD_VERTEX_DROP:
        snprintf(out, WORKLOAD_TEXT_MAX, "g.V(%u).drop()", WORKLOAD_END_ID + client->a);
        break;
    case WORKLOAD_PAIR:
        snprintf(
            out, WORKLOAD_TEXT_MAX,
            "g.inject(0).union(__.V(%u).outE('e').where(__.inV().hasId(%u)).id().order().fold(),"
            "__.V(%u).inE('e').where(__.outV().hasId(%u))"
            ".id().order().fold())",
            WORKLOAD_END_ID + client->a, WORKLOAD_END_ID + client->b, WORKLOAD_END_ID + client->b,
            WORKLOAD_END_ID + client->a);
        break;
    }
}

uint32_t workload_numbers(const char *text, const char *from, uint32_t *out, uint32_t room)
{
    const char *at = strstr(text, from);
    uint32_t count = 0;

    if (at == NULL) {
        return 0;
    }
    at += strlen(from);
    while (*at != '\0' && *at != ']' && count < room) {
        if (isdigit((unsigned char)*at)) {
            char *end;
            out[count++] = (uint32_t)strtoul(at, &end, 10);
            at = end;
        } else {
            at++;
        }
    }
    return count;
}

/* ---- connections ---- */

static void think(struct workload *workload, uint32_t number)
{
    cluster_alarm(workload->cluster,
                  workload->cluster->now_us + net_exponential(&workload->prng, workload->think_us),
                  number);
}

static bool connect(struct workload *workload, struct workload_client *client)
{
    uint32_t first = (uint32_t)prng_below(&workload->prng, CLUSTER_ROUTERS);

    for (uint32_t i = 0; i < CLUSTER_ROUTERS; i++) {
        uint32_t proc = CLUSTER_ROUTER + (first + i) % CLUSTER_ROUTERS;
        struct router *router = cluster_router(workload->cluster, proc);
        if (router != NULL) {
            client->proc = proc;
            client->handle = router_client_open(router);
            client->connections++;
            return true;
        }
    }
    return false;
}

static void ask(struct workload *workload, uint32_t number, const char *text)
{
    struct workload_client *client = &workload->clients[number];
    struct router *router = cluster_router(workload->cluster, client->proc);
    struct request request = {
        .has_id = true, .op = REQUEST_EVAL, .op_name = SLICE("eval"), .source = SLICE("g")};

    arena_init(&request.arena, 0);
    request.gremlin = slice_text(arena_format(&request.arena, "%s", text));
    client->request = ++workload->requests;
    request.id[0] = (uint8_t)number;
    memcpy(request.id + 8, &client->request, sizeof client->request);
    if (client->kind == WORKLOAD_SESSION && !workload->is_asking) {
        request.processor = SLICE("session");
        request.session = slice_text(
            arena_format(&request.arena, "s%" PRIu32 "-%" PRIu32, number, client->connections));
    }
    client->is_waiting = true;
    if (workload->cluster->is_verbose) {
        (void)fprintf(stderr, "%8.3f ms  c%u asks %s\n", (double)workload->cluster->now_us / 1000.0,
                      number, text);
    }
    router_request(router, cluster_ms(workload->cluster, client->proc), client->handle, &request,
                   cluster_out(workload->cluster, client->proc));
    cluster_send(workload->cluster, client->proc);
}

/* ---- what to ask ---- */

static uint32_t pick_lists_of(struct workload *workload)
{
    uint32_t mask = 0;
    uint64_t count = 1 + prng_below(&workload->prng, ITEMS_A_STEP);

    for (uint64_t i = 0; i < count; i++) {
        mask |= 1U << prng_below(&workload->prng, WORKLOAD_LISTS);
    }
    return mask;
}

static uint32_t pick_reads(struct workload *workload)
{
    uint32_t mask = pick_lists_of(workload);

    if (prng_chance(&workload->prng, workload->sets)) {
        mask = prng_chance(&workload->prng, 0.5) ? mask : 0;
        mask |=
            1U << (WORKLOAD_LISTS + prng_below(&workload->prng, WORKLOAD_ITEMS - WORKLOAD_LISTS));
        mask |= 1U << prng_below(&workload->prng, WORKLOAD_ITEMS);
    }
    return mask;
}

/* An element of a set is in two: an edge at both ends, a vertex by label and by property. */
static uint32_t pick_appends(struct workload *workload, uint32_t taken)
{
    uint32_t mask = pick_lists_of(workload) & ~taken;

    if (prng_chance(&workload->prng, workload->sets)) {
        uint32_t pair = (uint32_t)prng_below(&workload->prng, 2);
        mask = prng_chance(&workload->prng, 0.5) ? mask : 0;
        if ((taken >> WORKLOAD_OUT & 1) == 0 && prng_chance(&workload->prng, 0.6)) {
            mask |= 1U << WORKLOAD_OUT | 1U << (WORKLOAD_IN + pair);
        }
        if ((taken >> WORKLOAD_LABEL & 1) == 0 && prng_chance(&workload->prng, 0.6)) {
            mask |= 1U << WORKLOAD_LABEL | 1U << (WORKLOAD_INDEX + pair);
        }
    }
    return mask;
}

static struct workload_step pick_step(struct workload *workload, uint32_t read, uint32_t appended)
{
    struct workload_step step = {0};
    uint64_t kind = prng_below(&workload->prng, 3);

    /* Each item is read and appended to at most once. */
    step.read_mask = kind == 1 ? 0 : pick_reads(workload) & ~read;
    step.append_mask = kind == 0 ? 0 : pick_appends(workload, appended);
    return step;
}

static void note_appends(struct workload *workload, const struct workload_client *client)
{
    uint32_t mask = 0;

    for (uint32_t i = 0; i < client->step_count; i++) {
        mask |= client->steps[i].append_mask;
    }
    for (uint32_t i = 0; i < WORKLOAD_ITEMS; i++) {
        if ((mask >> i & 1) != 0) {
            history_append(&workload->history, client->txn, i);
        }
    }
}

static void pick_lists(struct workload *workload, struct workload_client *client)
{
    client->txn = history_begin(&workload->history, workload->cluster->now_us);
    client->step_count = 1;
    if (client->kind == WORKLOAD_SESSION) {
        client->step_count = 2 + (uint32_t)prng_below(&workload->prng, 2);
    }
    uint32_t read = 0;
    uint32_t appended = 0;
    for (uint32_t i = 0; i < client->step_count; i++) {
        client->steps[i] = pick_step(workload, read, appended);
        read |= client->steps[i].read_mask;
        appended |= client->steps[i].append_mask;
        if ((client->steps[i].read_mask | client->steps[i].append_mask) != 0) {
            continue;
        }
        client->steps[i].read_mask = i == 0; /* One item at least. */
        client->step_count = i == 0 ? 1 : i;
    }
    note_appends(workload, client);
    if (client->kind == WORKLOAD_SESSION) {
        client->steps[client->step_count++] =
            (struct workload_step){.is_end = true, .is_commit = !prng_chance(&workload->prng, 0.1)};
    }
}

static void add_drop(struct workload *workload, struct workload_client *client, bool is_vertex,
                     uint32_t number)
{
    if (workload->drop_count == workload->drop_room) {
        workload->drop_room = workload->drop_room == 0 ? 64 : workload->drop_room * 2;
        workload->drops =
            mem_resize(workload->drops, workload->drop_room * sizeof *workload->drops);
    }
    client->txn = workload->drop_count++;
    workload->drops[client->txn] = (struct workload_drop){
        .is_vertex = is_vertex, .number = number, .asked_us = workload->cluster->now_us};
}

static void add_edge(struct workload *workload, struct workload_client *client)
{
    if (workload->edge_count == workload->edge_room) {
        workload->edge_room = workload->edge_room == 0 ? 64 : workload->edge_room * 2;
        workload->edges =
            mem_resize(workload->edges, workload->edge_room * sizeof *workload->edges);
    }
    client->txn = workload->edge_count++;
    workload->edges[client->txn] = (struct workload_edge){.a = client->a, .b = client->b};
}

static void pick(struct workload *workload, struct workload_client *client)
{
    static const struct {
        enum workload_kind kind;
        uint32_t weight;
    } kinds[] = {{WORKLOAD_LIST, 50},       {WORKLOAD_SESSION, 12},  {WORKLOAD_COUNT, 6},
                 {WORKLOAD_EDGE_ADD, 14},   {WORKLOAD_EDGE_DROP, 6}, {WORKLOAD_PAIR, 6},
                 {WORKLOAD_VERTEX_DROP, 2}, {WORKLOAD_VERTEX_ADD, 4}};
    uint64_t draw = prng_below(&workload->prng, 100);
    size_t i = 0;

    while (draw >= kinds[i].weight) {
        draw -= kinds[i++].weight;
    }
    client->kind = kinds[i].kind;
    client->step = 0;
    client->step_count = 1;
    client->is_broken = false;
    client->asked_us = workload->cluster->now_us;
    client->a = (uint32_t)prng_below(&workload->prng, WORKLOAD_ENDS);
    client->b = (uint32_t)prng_below(&workload->prng, WORKLOAD_ENDS);
    if (client->kind == WORKLOAD_EDGE_DROP && workload->edge_count == 0) {
        client->kind = WORKLOAD_EDGE_ADD;
    }
    if (client->kind == WORKLOAD_LIST || client->kind == WORKLOAD_SESSION) {
        pick_lists(workload, client);
    } else if (client->kind == WORKLOAD_COUNT) {
        client->a = (uint32_t)prng_below(&workload->prng, WORKLOAD_COUNTERS);
    } else if (client->kind == WORKLOAD_EDGE_ADD) {
        add_edge(workload, client);
    } else if (client->kind == WORKLOAD_EDGE_DROP) {
        add_drop(workload, client, false,
                 (uint32_t)prng_below(&workload->prng, workload->edge_count));
    } else if (client->kind == WORKLOAD_VERTEX_DROP) {
        add_drop(workload, client, true, client->a);
    }
}

static void go_on(struct workload *workload, uint32_t number)
{
    struct workload_client *client = &workload->clients[number];
    char text[WORKLOAD_TEXT_MAX];

    write_text(workload, client, text);
    ask(workload, number, text);
}

void workload_next(struct workload *workload, uint32_t number)
{
    struct workload_client *client = &workload->clients[number];

    if (workload->is_over || client->is_waiting) {
        return;
    }
    if (client->proc == 0 && !connect(workload, client)) {
        think(workload, number);
        return;
    }
    pick(workload, client);
    go_on(workload, number);
}

/* ---- what came of it ---- */

static void conclude(struct workload *workload, struct workload_client *client,
                     enum history_outcome outcome)
{
    uint64_t now_us = workload->cluster->now_us;

    workload->commits += outcome == HISTORY_OK;
    workload->aborts += outcome == HISTORY_FAILED;
    workload->unknowns += outcome == HISTORY_UNKNOWN;
    switch (client->kind) {
    case WORKLOAD_SESSION:
        workload->session_commits += outcome == HISTORY_OK;
        history_end(&workload->history, client->txn, outcome, now_us);
        break;
    case WORKLOAD_LIST:
        history_end(&workload->history, client->txn, outcome, now_us);
        break;
    case WORKLOAD_COUNT:
        workload->counted_ok[client->a] += outcome == HISTORY_OK;
        workload->counted_unknown[client->a] += outcome == HISTORY_UNKNOWN;
        break;
    case WORKLOAD_EDGE_ADD:
        workload->edges[client->txn].insert = outcome;
        workload->edges[client->txn].told_us = now_us;
        break;
    case WORKLOAD_EDGE_DROP:
    case WORKLOAD_VERTEX_DROP:
        workload->drops[client->txn].outcome = outcome;
        break;
    case WORKLOAD_VERTEX_ADD:
    case WORKLOAD_PAIR:
        break;
    }
}

static enum history_outcome outcome_of(const char *text)
{
    int status = (int)strtol(text, NULL, 10);

    if (status >= 200 && status < 300) {
        return HISTORY_OK;
    }
    /* Of errors, only one leaves the outcome open. */
    return strstr(text, "not known") != NULL ? HISTORY_UNKNOWN : HISTORY_FAILED;
}

const char *workload_next_list(const char *at, uint32_t *out, uint32_t room, uint32_t *count)
{
    while ((at = strchr(at, '[')) != NULL) {
        at++;
        if (isdigit((unsigned char)*at) || *at == ']') {
            *count = workload_numbers(at - 1, "[", out, room);
            return at;
        }
    }
    return NULL;
}

static bool take_union(struct workload *workload, const struct workload_client *client,
                       const char *at)
{
    static uint32_t list[LIST_MAX];
    uint32_t mask = client->steps[client->step].read_mask;

    for (uint32_t i = 0; i < WORKLOAD_ITEMS; i++) {
        uint32_t count = 0;
        if ((mask >> i & 1) == 0) {
            continue;
        }
        at = workload_next_list(at, list, LIST_MAX, &count);
        if (at == NULL) {
            return false;
        }
        for (uint32_t k = 0; i >= WORKLOAD_LISTS && k < count; k++) {
            list[k] -= WORKLOAD_SET_ID;
        }
        history_read(&workload->history, client->txn, i, list, count);
    }
    return true;
}

static bool take_project(struct workload *workload, const struct workload_client *client,
                         const char *at)
{
    static uint32_t list[LIST_MAX];
    uint32_t left = client->steps[client->step].read_mask;

    while (left != 0 && (at = strstr(at, "{k=")) != NULL) {
        uint32_t item = (uint32_t)strtoul(at + 3, NULL, 10) - 1;
        uint32_t count = workload_numbers(at, "l=[", list, LIST_MAX);
        if (item < WORKLOAD_LISTS && (left >> item & 1) != 0) {
            history_read(&workload->history, client->txn, item, list, count);
            left &= ~(1U << item);
        }
        at += 3;
    }
    return left == 0;
}

static void take_reads(struct workload *workload, const struct workload_client *client,
                       const char *text)
{
    uint32_t mask = client->steps[client->step].read_mask;
    bool is_whole = mask >> WORKLOAD_LISTS != 0 || is_one(mask)
                        ? take_union(workload, client, text)
                        : take_project(workload, client, text);

    if (!is_whole && workload->why.size == 0) {
        bytes_format(&workload->why, "a read lacks an item: %s\n", text);
    }
}

static void take_pair(struct workload *workload, const struct workload_client *client,
                      const char *text)
{
    uint32_t out[256];
    uint32_t in[256];
    const char *second = strchr(text, ']');
    uint32_t out_count = workload_numbers(text, "[[", out, 256);
    uint32_t in_count = second == NULL ? 0 : workload_numbers(second, "[", in, 256);

    if ((out_count != in_count || memcmp(out, in, out_count * sizeof *out) != 0) &&
        workload->why.size == 0) {
        bytes_format(&workload->why, "the two ends of edges %u -> %u disagree: %s\n",
                     WORKLOAD_END_ID + client->a, WORKLOAD_END_ID + client->b, text);
    }
}

static void take_count(struct workload *workload, const struct workload_client *client,
                       const char *text)
{
    uint32_t value = 0;

    if (workload_numbers(text, "[", &value, 1) == 1) {
        bytes_append(&workload->counted[client->a], &value, sizeof value);
    } else if (workload->why.size == 0) {
        bytes_format(&workload->why, "a counter gave %s\n", text);
    }
}

/* One answer of a session; true if it is over. */
static bool take_session(struct workload *workload, struct workload_client *client,
                         const char *text)
{
    const struct workload_step *step = &client->steps[client->step];
    enum history_outcome outcome = outcome_of(text);

    if (client->is_broken) {
        conclude(workload, client, HISTORY_FAILED);
        return true;
    }
    if (step->is_end) {
        conclude(workload, client, step->is_commit ? outcome : HISTORY_FAILED);
        return true;
    }
    if (outcome == HISTORY_OK) {
        take_reads(workload, client, text);
        client->step++;
    } else {
        client->is_broken = true;
    }
    return false;
}

static bool take(struct workload *workload, struct workload_client *client, const char *text)
{
    enum history_outcome outcome = outcome_of(text);

    if (client->kind == WORKLOAD_SESSION) {
        return take_session(workload, client, text);
    }
    if (outcome == HISTORY_OK && client->kind == WORKLOAD_LIST) {
        take_reads(workload, client, text);
    } else if (outcome == HISTORY_OK && client->kind == WORKLOAD_PAIR) {
        take_pair(workload, client, text);
    } else if (outcome == HISTORY_OK && client->kind == WORKLOAD_COUNT) {
        take_count(workload, client, text);
    } else if (client->kind == WORKLOAD_EDGE_ADD && strncmp(text, "204", 3) == 0) {
        outcome = HISTORY_FAILED; /* There was no such vertex. */
    }
    conclude(workload, client, outcome);
    return true;
}

static void take_response(struct workload *workload, uint32_t proc,
                          const struct router_response *response)
{
    uint32_t number = response->request_id[0];
    struct workload_client *client = &workload->clients[number];
    uint64_t request;

    memcpy(&request, response->request_id + 8, sizeof request);
    if (number >= WORKLOAD_CLIENTS || client->proc != proc || client->request != request ||
        !client->is_waiting) {
        return;
    }
    snprintf(workload->answer, sizeof workload->answer, "%.*s", (int)response->body.size,
             (const char *)response->body.data);
    if (workload->cluster->is_verbose) {
        (void)fprintf(stderr, "%8.3f ms  c%u gets %s\n", (double)workload->cluster->now_us / 1000.0,
                      number, workload->answer);
    }
    client->is_waiting = false;
    if (workload->is_asking) {
        workload->has_answer = true;
        workload->is_asking = false;
    } else if (take(workload, client, workload->answer)) {
        think(workload, number);
    } else {
        go_on(workload, number);
    }
}

void workload_answers(struct workload *workload, uint32_t proc)
{
    struct router *router = cluster_router(workload->cluster, proc);
    struct router_response response;

    while (router != NULL && router_next_response(router, &response)) {
        if (response.is_last) {
            take_response(workload, proc, &response);
        } else if (workload->why.size == 0) {
            bytes_format(&workload->why, "an answer in several frames\n");
        }
        bytes_close(&response.body);
    }
}

/* Nobody will answer. A session's changes are lost with it, unless the commit was on its way. */
static void lose(struct workload *workload, uint32_t number)
{
    struct workload_client *client = &workload->clients[number];
    bool is_open = client->kind != WORKLOAD_SESSION ||
                   (client->steps[client->step].is_commit && !client->is_broken);

    client->proc = 0;
    if (!client->is_waiting) {
        return;
    }
    client->is_waiting = false;
    if (workload->is_asking) {
        workload->is_asking = false;
        return;
    }
    conclude(workload, client, is_open ? HISTORY_UNKNOWN : HISTORY_FAILED);
    think(workload, number);
}

void workload_down(struct workload *workload, uint32_t proc)
{
    for (uint32_t i = 0; i < WORKLOAD_CLIENTS; i++) {
        if (workload->clients[i].proc == proc) {
            lose(workload, i);
        }
    }
}

void workload_hang_up(struct workload *workload, uint64_t before_us)
{
    for (uint32_t i = 0; i < WORKLOAD_CLIENTS; i++) {
        struct workload_client *client = &workload->clients[i];
        uint32_t proc = client->proc;
        if (client->is_waiting && client->asked_us < before_us &&
            prng_chance(&workload->prng, 0.5)) {
            router_client_close(cluster_router(workload->cluster, proc),
                                cluster_ms(workload->cluster, proc), client->handle,
                                cluster_out(workload->cluster, proc));
            cluster_send(workload->cluster, proc);
            lose(workload, i);
        }
    }
}

bool workload_is_idle(const struct workload *workload)
{
    for (uint32_t i = 0; i < WORKLOAD_CLIENTS; i++) {
        if (workload->clients[i].is_waiting) {
            return false;
        }
    }
    return true;
}

bool workload_ask(struct workload *workload, const char *text)
{
    struct workload_client *client = &workload->clients[0];

    assert(!client->is_waiting);
    if (client->proc == 0 && !connect(workload, client)) {
        return false;
    }
    workload->is_asking = true;
    workload->has_answer = false;
    ask(workload, 0, text);
    return true;
}

void workload_init(struct workload *workload, struct cluster *cluster)
{
    *workload = (struct workload){.cluster = cluster, .is_over = true};
    prng_init(&workload->prng, cluster->seed + 1000003);
    workload->think_us = 2000 + prng_below(&workload->prng, 40000);
    workload->sets = prng_chance(&workload->prng, 0.6) ? 0.4 : 0.0;
    history_init(&workload->history, WORKLOAD_ITEMS, WORKLOAD_LISTS);
    bytes_init(&workload->why, 0);
    for (uint32_t i = 0; i < WORKLOAD_COUNTERS; i++) {
        bytes_init(&workload->counted[i], 0);
    }
}

void workload_close(struct workload *workload)
{
    history_close(&workload->history);
    mem_free(workload->edges);
    mem_free(workload->drops);
    bytes_close(&workload->why);
    for (uint32_t i = 0; i < WORKLOAD_COUNTERS; i++) {
        bytes_close(&workload->counted[i]);
    }
}
