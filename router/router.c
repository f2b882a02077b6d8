#include "router/router.h"

#include "common/mem.h"
#include "router/core.h"
#include "router/run/admin.h"
#include "router/run/admission.h"
#include "router/run/footprint.h"
#include "router/run/query.h"
#include "router/run/router_session.h"
#include "router/run/running.h"
#include "router/wire/response.h"

#include <assert.h>
#include <string.h>

enum {
    STATUS_FAILED = 400, /* This and above. */
    STATUS_TOO_MANY = 429,
    HEAVY_A_TURN = 4 /* Queries that use up their share; the rest have the next turn. */
};

/* ---- life ---- */

static void set_defaults(struct router_options *options)
{
    options->deadline_ms = options->deadline_ms != 0 ? options->deadline_ms : 30000;
    options->query_memory_max =
        options->query_memory_max != 0 ? options->query_memory_max : (uint64_t)256 << 20;
    options->memory_max = options->memory_max != 0 ? options->memory_max : 2000000000;
    options->turn_budget_us = options->turn_budget_us != 0 ? options->turn_budget_us : 10000;
    options->result_max = options->result_max != 0 ? options->result_max : 10000000;
    options->batch_size = options->batch_size != 0 ? options->batch_size : 64;
    options->sessions_max = options->sessions_max != 0 ? options->sessions_max : 1024;
    options->queries_max = options->queries_max != 0 ? options->queries_max : 256;
    options->client_queries_max =
        options->client_queries_max != 0 ? options->client_queries_max : 64;
    if (options->client_queries_max > options->queries_max) {
        options->client_queries_max = options->queries_max;
    }
    options->retry_max = options->retry_max != 0 ? options->retry_max : 5;
    options->session_idle_ms = options->session_idle_ms != 0 ? options->session_idle_ms : 600000;
}

int router_open(struct router **out, const struct router_options *options, struct error *err)
{
    struct router *router;

    if (options->coordinator_count == 0) {
        return error_set(err, E_CONFIG, "a router needs at least one coordinator");
    }
    router = mem_alloc(sizeof *router);
    router->options = *options;
    set_defaults(&router->options);
    prng_init(&router->prng, options->seed);
    struct remote_options remote = {.coordinator_count = options->coordinator_count,
                                    .coordinators = options->coordinators,
                                    .seed = prng_next(&router->prng)};
    router->remote = remote_new(&remote);
    router->options.coordinators = NULL; /* remote has its own copy. */
    plans_init(&router->plans);
    map_init(&router->clients, NULL);
    outbox_init(&router->idle_out);
    router->next_client = 1;
    *out = router;
    return E_OK;
}

static void enter(struct router *router, uint64_t now_ms, struct outbox *out)
{
    router->now_ms = now_ms;
    remote_enter(router->remote, now_ms, out);
}

void router_close(struct router **at)
{
    struct router *router = *at;

    if (router == NULL) {
        return;
    }
    enter(router, router->now_ms, &router->idle_out);
    admin_close(router);
    while (router->queries != NULL) {
        query_free(router->queries);
    }
    for (struct router_session *session = router->sessions; session != NULL;
         session = session->next) {
        router_session_end(session);
    }
    router_session_sweep(router);
    for (size_t i = 0; i < router->clients.count; i++) {
        struct core_client *client =
            (struct core_client *)(uintptr_t)router->clients.entries[i].value;
        admission_client_close(router, client);
        mem_free(client);
    }
    map_close(&router->clients);
    for (size_t i = router->response_next; i < router->response_count; i++) {
        bytes_close(&router->responses[i].body);
    }
    mem_free(router->responses);
    for (size_t i = 0; i < ROUTER_SLOW_MAX; i++) {
        running_slow_close(&router->slow[i]);
    }
    plans_close(&router->plans);
    remote_free(&router->remote);
    outbox_close(&router->idle_out);
    mem_free(router);
    *at = NULL;
}

bool router_is_ready(const struct router *router)
{
    const struct shardmap *map = remote_map(router->remote);

    for (uint32_t i = 0; map != NULL && i < map->graph_count; i++) {
        if (map->graphs[i].is_ready) {
            return remote_sid(router->remote) != 0;
        }
    }
    return false;
}

const struct shardmap *router_map(const struct router *router)
{
    return remote_map(router->remote);
}

void router_counters(const struct router *router, struct router_counters *counters)
{
    const struct remote_counters *remote = remote_counters(router->remote);

    *counters = router->counters;
    counters->plans_reused = router->plans.hits;
    counters->plans_made = router->plans.misses;
    counters->remote_requests = remote->requests;
    counters->remote_repeats = remote->repeats;
    counters->memory = footprint_total(router);
    counters->queries = router->query_count;
    counters->waiting = router->admission.waiting;
    counters->sessions = router->session_count;
    counters->clients = (uint32_t)router->clients.count;
}

const struct metrics_histogram *router_times(const struct router *router, enum router_kind kind)
{
    assert(kind < ROUTER_KINDS);
    return &router->times[kind];
}

struct value router_queries(const struct router *router, struct arena *arena)
{
    return running_list(router, arena);
}

int router_kill(struct router *router, struct slice id, struct error *err)
{
    return running_kill(router, id, err);
}

void router_dump(const struct router *router, struct bytes *out)
{
    running_dump(router, out);
}

const struct router_slow *router_next_slow(struct router *router)
{
    if (router->slow_count > router->slow_told + ROUTER_SLOW_MAX) {
        router->slow_told = router->slow_count - ROUTER_SLOW_MAX;
    }
    return router->slow_told == router->slow_count
               ? NULL
               : &router->slow[router->slow_told++ % ROUTER_SLOW_MAX];
}

/* ---- messages and turns ---- */

void router_message(struct router *router, uint64_t now_ms, const struct message *message,
                    struct outbox *out)
{
    enter(router, now_ms, out);
    remote_message(router->remote, message);
}

/* The first `next` and those behind it come before the others from now on. */
static void rotate(struct router *router, struct query *next)
{
    struct query *first = router->queries, *last = next->previous;

    if (last == NULL) {
        return;
    }
    router->queries_last->next = first;
    first->previous = router->queries_last;
    router->queries_last = last;
    last->next = NULL;
    router->queries = next;
    next->previous = NULL;
}

static bool is_over(const struct router *router, uint64_t end_us)
{
    return end_us != 0 && router->options.micros() >= end_us;
}

static void advance_queries(struct router *router)
{
    uint64_t (*micros)(void) = router->options.micros;
    uint64_t end_us = micros == NULL ? 0 : micros() + router->options.turn_budget_us;
    struct query *query = router->queries, *next;
    uint32_t left = router->query_count;
    int heavy = 0;

    for (; left > 0 && heavy < HEAVY_A_TURN; left--, query = next) {
        next = query->next;
        query_advance(query);
        if (query->state == QUERY_OVER) {
            query_free(query);
        } else if (query_is_yielding(query)) {
            query_move_last(query);
            heavy++;
        }
        if (left > 1 && next != NULL && is_over(router, end_us)) {
            rotate(router, next);
            return;
        }
    }
}

int router_turn(struct router *router, uint64_t now_ms, struct outbox *out, struct error *err)
{
    (void)err;
    enter(router, now_ms, out);
    remote_turn(router->remote);
    advance_queries(router);
    footprint_bound(router);
    admission_turn(router);
    router_session_sweep(router);
    return E_OK;
}

uint64_t router_deadline(const struct router *router)
{
    uint64_t first = remote_deadline(router->remote);
    uint64_t idle = router_session_deadline(router);
    uint64_t waiting = admission_deadline(router);

    first = idle < first ? idle : first;
    first = waiting < first ? waiting : first;
    for (const struct query *query = router->queries; query != NULL; query = query->next) {
        uint64_t due = query_due(query);
        first = due < first ? due : first;
    }
    return first;
}

/* ---- clients ---- */

static struct core_client *find_client(const struct router *router, uint64_t client)
{
    const uint64_t *at = map_get(&router->clients, client);

    return at == NULL ? NULL : (struct core_client *)(uintptr_t)*at;
}

uint64_t router_client_open(struct router *router)
{
    struct core_client *client = mem_alloc(sizeof *client);

    client->client = router->next_client++;
    map_put(&router->clients, client->client, (uint64_t)(uintptr_t)client);
    return client->client;
}

void router_client_close(struct router *router, uint64_t now_ms, uint64_t client,
                         struct outbox *out)
{
    struct core_client *found = find_client(router, client);

    if (found == NULL) {
        return;
    }
    enter(router, now_ms, out);
    for (struct query *query = router->queries; query != NULL; query = query->next) {
        if (query->client == client) {
            query_abandon(query);
        }
    }
    admission_client_close(router, found);
    admin_end_client(router, client);
    router_session_end_client(router, client);
    for (size_t i = router->response_next; i < router->response_count; i++) {
        if (router->responses[i].client == client) {
            router->backlog_bytes -= router->responses[i].body.size;
            bytes_close(&router->responses[i].body);
            router->responses[i].client = 0;
        }
    }
    map_remove(&router->clients, client);
    mem_free(found);
}

size_t router_backlog(const struct router *router, uint64_t client)
{
    const struct core_client *found = find_client(router, client);

    return found == NULL ? 0 : found->backlog;
}

void router_front_holds(struct router *router, uint64_t bytes)
{
    router->front_bytes = bytes;
}

/* ---- responses ---- */

/* Moves what is not taken yet to the front; grows when that is most of it. */
static void make_room(struct router *router)
{
    size_t left = router->response_count - router->response_next;

    if (router->response_next > 0) {
        memmove(router->responses, router->responses + router->response_next,
                left * sizeof *router->responses);
        router->response_next = 0;
        router->response_count = left;
    }
    if (left * 2 >= router->response_room) {
        router->response_room = router->response_room == 0 ? 64 : router->response_room * 2;
        router->responses =
            mem_resize(router->responses, router->response_room * sizeof *router->responses);
    }
}

void router_respond(struct router *router, const struct request *request, uint64_t client,
                    int status, bool is_last, struct bytes *body)
{
    struct core_client *found = find_client(router, client);

    if (is_last) {
        *(status < STATUS_FAILED ? &router->counters.answers : &router->counters.failures) += 1;
    }
    if (found == NULL) {
        bytes_close(body);
        return;
    }
    if (router->response_count == router->response_room) {
        make_room(router);
    }
    struct router_response *response = &router->responses[router->response_count++];
    *response = (struct router_response){.client = client,
                                         .status = status,
                                         .is_last = is_last,
                                         .is_text = request->is_text_frame,
                                         .body = *body};
    memcpy(response->request_id, request->id, sizeof response->request_id);
    found->backlog += body->size;
    router->backlog_bytes += body->size;
    *body = (struct bytes){0};
}

static struct value attributes(struct arena *arena, const struct error *err, struct slice message)
{
    struct value items[6];
    struct value name = value_cstring(error_name(err->code));
    size_t count = 2;

    items[0] = value_cstring("exceptions");
    items[1] = value_items(arena, VALUE_LIST, &name, 1);
    items[2] = value_cstring("stackTrace");
    items[3] = value_cstring(err->text);
    if (message.data != NULL) {
        items[4] = value_cstring("failStepMessage");
        items[5] = value_string(message);
        count = 3;
    }
    return value_items(arena, VALUE_MAP, items, count);
}

void router_fail(struct router *router, const struct request *request, uint64_t client, int status,
                 const struct error *err, struct slice fail_message)
{
    struct bytes body;
    struct arena arena;

    assert(status >= STATUS_FAILED);
    bytes_init(&body, 0);
    arena_init(&arena, 0);
    if (request->is_single) {
        bytes_append(&body, err->text, strlen(err->text));
    } else {
        struct value map = attributes(&arena, err, fail_message);
        struct response response = {.format = request->format,
                                    .request_id = request->has_id ? request->id : NULL,
                                    .status = status,
                                    .message = err->text,
                                    .attributes = &map};
        response_encode(&body, &response);
    }
    router_respond(router, request, client, status, true, &body);
    arena_close(&arena);
}

bool router_next_response(struct router *router, struct router_response *response)
{
    while (router->response_next < router->response_count) {
        *response = router->responses[router->response_next++];
        if (response->client == 0) {
            continue; /* Of a client that has gone. */
        }
        struct core_client *client = find_client(router, response->client);
        assert(client != NULL && client->backlog >= response->body.size);
        client->backlog -= response->body.size;
        router->backlog_bytes -= response->body.size;
        return true;
    }
    return false;
}

/* ---- requests ---- */

void router_refuse(struct router *router, uint64_t client, struct request *request,
                   const struct error *err)
{
    router->counters.requests++;
    router_fail(router, request, client, error_status(err->code), err, (struct slice){0});
    request_close(request);
}

static bool is_session(const struct request *request)
{
    return slice_equal(request->processor, SLICE("session"));
}

/* Requests of our own tools: "load" (bulk.h) and "admin" (admin.h). */
static bool is_own(const struct request *request, const char *op)
{
    return request->op == REQUEST_UNKNOWN && slice_equal(request->processor, SLICE("cardea")) &&
           slice_equal(request->op_name, slice_text(op)) && request->args.kind == VALUE_MAP;
}

static int check(const struct request *request, struct error *err)
{
    bool is_known = is_own(request, "load") || is_own(request, "admin");

    if ((request->op == REQUEST_UNKNOWN && !is_known) || request->op == REQUEST_AUTHENTICATION ||
        (request->op == REQUEST_CLOSE && !is_session(request))) {
        return error_set(err, E_MALFORMED, "Message with op code [%.*s] is not recognized.",
                         (int)request->op_name.size, (const char *)request->op_name.data);
    }
    if (is_session(request) && request->session.data == NULL) {
        return error_set(err, E_INVALID,
                         "A message with an [%.*s] op code requires a [session] argument",
                         (int)request->op_name.size, (const char *)request->op_name.data);
    }
    return E_OK;
}

/* Takes the request. */
static void refuse(struct router *router, uint64_t client, struct request *request,
                   const struct error *err)
{
    int status = err->code == E_LIMIT ? STATUS_TOO_MANY : error_status(err->code);

    router_fail(router, request, client, status, err, (struct slice){0});
    request_close(request);
}

void router_begin(struct router *router, uint64_t client, struct request *request,
                  uint64_t arrived_ms)
{
    struct router_session *session = NULL;
    struct error err = {0};

    if (is_session(request)) {
        session = router_session_of(router, client, request->session, &err);
        if (session == NULL) {
            refuse(router, client, request, &err);
            return;
        }
    }
    query_start(router, client, request, session, arrived_ms);
}

void router_request(struct router *router, uint64_t now_ms, uint64_t client,
                    struct request *request, struct outbox *out)
{
    struct core_client *found = find_client(router, client);
    struct error err = {0};

    assert(found != NULL);
    enter(router, now_ms, out);
    router->counters.requests++;
    if (check(request, &err) != E_OK) {
        refuse(router, client, request, &err);
    } else if (is_own(request, "admin")) {
        admin_start(router, client, request);
    } else if (admission_request(router, found, request, &err) != E_OK) {
        refuse(router, client, request, &err);
    }
}
