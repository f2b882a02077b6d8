#include "router/run/query.h"

#include "common/mem.h"
#include "router/run/router_session.h"
#include "router/run/running.h"

#include <assert.h>

enum {
    PULLS_A_TURN = 4,
    STATEMENTS_A_TURN = 64,
    MAP_WAIT_MS = 300,    /* For a graph that the map does not have (yet). */
    READY_WAIT_MS = 5000, /* For one that is being made, and for the first map. */
    MAP_POLL_MS = 50,
    COMMIT_MS = 5000,  /* A commit gets at least this long, even late in a query's time. */
    OTHER_IDS_MAX = 2, /* Attempts that met an id that was taken. */
    BACKOFF_MS = 4     /* Doubles with each attempt. */
};

/* ---- life ---- */

static uint64_t deadline_of(const struct query *query, bool has_timeout, uint32_t timeout_ms)
{
    uint32_t span =
        has_timeout && timeout_ms != 0 ? timeout_ms : query->router->options.deadline_ms;

    return span == 0 ? 0 : query->arrived_ms + span;
}

static void unlink_query(struct query *query)
{
    struct router *router = query->router;

    *(query->previous == NULL ? &router->queries : &query->previous->next) = query->next;
    *(query->next == NULL ? &router->queries_last : &query->next->previous) = query->previous;
    query->next = NULL;
    router->query_count--;
}

static void link_last(struct router *router, struct query *query)
{
    query->previous = router->queries_last;
    *(router->queries_last == NULL ? &router->queries : &router->queries_last->next) = query;
    router->queries_last = query;
    router->query_count++;
}

void query_start(struct router *router, uint64_t client, struct request *request,
                 struct router_session *session, uint64_t arrived_ms)
{
    struct query *query = mem_alloc(sizeof *query);

    query->router = router;
    query->client = client;
    query->request = *request;
    *request = (struct request){0};
    query->session = session;
    query->arrived_ms = arrived_ms;
    running_begin(query);
    query->deadline_ms = deadline_of(query, query->request.has_timeout, query->request.timeout_ms);
    results_init(&query->results, &query->request);
    query->results.batch_size =
        query->request.batch_size != 0 ? query->request.batch_size : router->options.batch_size;
    query->results.result_max = router->options.result_max;
    query->results.bytes_max = router->options.query_memory_max;
    if (session != NULL) {
        session->waiting++;
    }
    link_last(router, query);
    admission_began(router, client);
}

static void close_exec(struct query *query)
{
    if (query->is_exec_open) {
        running_note(query);
        bulk_close(&query->bulk, &query->exec);
        exec_close(&query->exec);
        batch_close(&query->batch);
        query->is_exec_open = false;
    }
}

static void drop_txn(struct query *query)
{
    close_exec(query);
    if (query->session != NULL) {
        transaction_free(&query->session->txn);
    } else {
        transaction_free(&query->txn);
    }
    query->txn = NULL;
    query->is_marked = false;
}

void query_free(struct query *query)
{
    struct router *router = query->router;

    running_end(query);
    close_exec(query);
    if (query->session == NULL) {
        transaction_free(&query->txn);
    } else {
        query->session->waiting--;
        query->session->used_ms = router->now_ms;
        if (query->session->running == query) {
            query->session->running = NULL;
        }
        if (query->session->is_closed) {
            transaction_free(&query->session->txn);
        }
    }
    results_close(&query->results);
    plans_release(&router->plans, &query->entry);
    request_close(&query->request);
    unlink_query(query);
    admission_ended(router, query->client);
    mem_free(query);
}

bool query_is_yielding(const struct query *query)
{
    return query->state == QUERY_RUNNING && query->is_exec_open && query->exec.is_yielding;
}

void query_move_last(struct query *query)
{
    unlink_query(query);
    link_last(query->router, query);
}

void query_abandon(struct query *query)
{
    query->is_orphan = true;
    query->is_failed = true;
    if (query->state != QUERY_COMMITTING) {
        close_exec(query);
        query->state = QUERY_OVER;
    }
}

/* ---- ends ---- */

static void fail_status(struct query *query, int status, const struct error *err)
{
    struct slice message = {0};

    query->is_failed = true;
    if (query->is_exec_open && err->code == E_FAIL_STEP) {
        message = query->exec.fail_message;
    }
    if (!query->is_orphan) {
        router_fail(query->router, &query->request, query->client, status, err, message);
    }
    /* What this request of a session has buffered must not be committed by a later one. */
    if (query->is_marked && query->txn != NULL && query->txn->state == TRANSACTION_OPEN) {
        close_exec(query);
        transaction_undo(query->txn, &query->mark);
    }
    close_exec(query);
    if (query->owns_txn) {
        drop_txn(query);
    }
    query->state = QUERY_OVER;
}

static void fail_with(struct query *query, const struct error *err)
{
    int status = error_status(err->code);

    if (query->is_exec_open && query->exec.status_hint != 0) {
        status = query->exec.status_hint;
    }
    if (err->code == E_UNKNOWN_OUTCOME) {
        query->router->counters.unknown++;
    }
    fail_status(query, status, err);
}

void query_end(struct query *query, const struct error *err)
{
    assert(query->state == QUERY_WAITING || query->state == QUERY_RUNNING);
    fail_with(query, err);
}

static void fail_late(struct query *query)
{
    struct error err = {0};
    uint64_t span = query->deadline_ms - query->arrived_ms;

    error_set(&err, E_TIMEOUT,
              "Evaluation exceeded the configured 'evaluationTimeout' threshold of %llu ms or "
              "evaluation was otherwise cancelled directly for request [%.*s]",
              (unsigned long long)span,
              (int)(query->request.gremlin.size < 200 ? query->request.gremlin.size : 200),
              query->request.gremlin.size == 0 ? "" : (const char *)query->request.gremlin.data);
    fail_status(query, error_status(E_TIMEOUT), &err);
}

static void send_frames(struct query *query)
{
    struct results *results = &query->results;

    for (uint32_t i = 0; i < results->frame_count && !query->is_orphan; i++) {
        struct results_frame *frame = &results->frames[i];
        router_respond(query->router, &query->request, query->client, frame->status,
                       i + 1 == results->frame_count, &frame->body);
    }
    close_exec(query);
    query->state = QUERY_OVER;
}

/* A conflict: back off and run all of it again, if nobody can have seen anything of it. */
static bool run_again(struct query *query, const struct error *err)
{
    struct router *router = query->router;
    uint64_t span = (uint64_t)BACKOFF_MS << (query->attempts < 8 ? query->attempts : 8);

    if (error_retry(err->code) == ERROR_NEVER) {
        return false;
    }
    router->counters.conflicts++;
    if (query->attempts >= router->options.retry_max) {
        return false;
    }
    query->attempts++;
    close_exec(query);
    results_clear(&query->results);
    if (query->owns_txn) {
        drop_txn(query);
    } else if (query->statement > 0) {
        return false; /* Of a session: a statement before may have committed. */
    } else {
        transaction_undo(query->txn, &query->mark);
    }
    query->statement = 0;
    query->state = QUERY_WAITING;
    query->again_ms = router->now_ms + span / 2 + prng_below(&router->prng, span);
    return true;
}

/* An id of our own making was given to an element by hand before: others are tried, but not for
 * ever, for the element that exists may be another one. */
static bool run_with_other_ids(struct query *query, const struct error *err)
{
    struct error conflict = *err;

    if (err->code != E_EXISTS || !query->txn->has_new_ids || query->attempts >= OTHER_IDS_MAX) {
        return false;
    }
    remote_skip_ids(query->router->remote, query->txn->graph);
    conflict.code = E_CONFLICT;
    return run_again(query, &conflict);
}

/* ---- statements ---- */

static const struct plans_statement *current(const struct query *query)
{
    return &query->entry->statements[query->statement];
}

static bool is_last(const struct query *query)
{
    return query->statement + 1 == query->entry->statement_count;
}

static void set_form(struct query *query)
{
    switch (current(query)->terminal) {
    case GREMLIN_SET:
        query->results.form = RESULTS_SET;
        break;
    case GREMLIN_BULK_SET:
        query->results.form = RESULTS_BULK_SET;
        break;
    case GREMLIN_RESULTS:
    case GREMLIN_NEXT:
    case GREMLIN_TRY_NEXT:
    case GREMLIN_HAS_NEXT:
    case GREMLIN_ITERATE:
    case GREMLIN_EXPLAIN:
        query->results.form = RESULTS_ALL;
        break;
    }
}

static void begin_commit(struct query *query, bool is_explicit)
{
    uint64_t least = query->router->now_ms + COMMIT_MS;

    query->state = QUERY_COMMITTING;
    query->is_explicit = is_explicit;
    transaction_commit(query->txn, query->deadline_ms > least ? query->deadline_ms : least);
}

static void end_statement(struct query *query)
{
    struct error err = {0};

    if (!is_last(query)) {
        close_exec(query);
        results_clear(&query->results);
        query->statement++;
        query->is_between = true;
        query->state = QUERY_RUNNING;
        return;
    }
    struct arena *arena = query->is_exec_open ? &query->exec.arena : &query->request.arena;
    int rc = results_finish(&query->results, arena, &err);
    if (rc != E_OK) {
        fail_with(query, &err);
    } else if (query->txn == NULL ||
               (query->session != NULL && !query->request.manage_transaction)) {
        send_frames(query);
    } else {
        begin_commit(query, false);
    }
}

/* explain() and toString(): a text about the query instead of its results. */
static void give_text(struct query *query)
{
    const struct plans_statement *statement = current(query);
    struct error err = {0};
    struct bytes text;
    struct value value;

    bytes_init(&text, 0);
    if (statement->is_text) {
        bytecode_print(&text, statement->bytecode, "g");
    } else {
        plan_print(&text, statement->plan);
    }
    value =
        value_string(slice_of(arena_copy(&query->request.arena, text.data, text.size), text.size));
    bytes_close(&text);
    if (results_add(&query->results, &query->request.arena, &value, 1, &err) != E_OK) {
        fail_with(query, &err);
        return;
    }
    end_statement(query);
}

static bool ensure_txn(struct query *query, struct error *err)
{
    struct router *router = query->router;
    struct router_session *session = query->session;
    const struct shardmap_graph *graph =
        shardmap_graph(remote_map(router->remote), query->request.source);

    if (query->txn != NULL) {
        return true;
    }
    if (session != NULL && session->txn != NULL) {
        if (graph == NULL || session->graph != graph->graph) {
            error_set(err, E_INVALID, "the session's transaction is on another graph");
            return false;
        }
        query->txn = session->txn;
    } else if (graph == NULL) {
        error_set(err, E_NOT_FOUND, "the graph was dropped");
        return false;
    } else {
        query->txn = transaction_new(router->remote, graph->graph);
        query->owns_txn = session == NULL || query->request.manage_transaction;
        if (session != NULL) {
            session->txn = query->txn;
            session->graph = graph->graph;
        }
    }
    if (session != NULL) {
        transaction_mark(query->txn, &query->request.arena, &query->mark);
        query->is_marked = true;
    }
    return true;
}

static void end_tx(struct query *query)
{
    bool is_session = query->session != NULL && !query->request.manage_transaction;

    if (current(query)->tx == REQUEST_TX_ROLLBACK) {
        drop_txn(query);
    } else if (current(query)->tx == REQUEST_TX_COMMIT && is_session) {
        if (query->session->txn != NULL) {
            query->txn = query->session->txn;
            begin_commit(query, true);
            return;
        }
    }
    end_statement(query);
}

static void begin_statement(struct query *query)
{
    const struct plans_statement *statement = current(query);
    struct router *router = query->router;
    struct error err = {0};

    query->state = QUERY_RUNNING;
    query->is_between = false;
    set_form(query);
    if (statement->tx != REQUEST_TX_NONE) {
        end_tx(query);
        return;
    }
    if (statement->is_text ||
        (statement->plan != NULL &&
         (statement->plan->is_explain || statement->terminal == GREMLIN_EXPLAIN))) {
        give_text(query);
        return;
    }
    if (statement->plan == NULL) {
        end_statement(query);
        return;
    }
    if (query->request.is_read_only && statement->plan->is_write) {
        error_set(&err, E_INVALID, "GET does not change data: send the query by POST");
        fail_with(query, &err);
        return;
    }
    if (!ensure_txn(query, &err)) {
        fail_with(query, &err);
        return;
    }
    query->results.tokens_only = query->request.tokens_only || statement->plan->tokens_only;
    query->is_exec_open = true;
    query->is_fresh = true;
    query->batch = (struct batch){0};
    if (exec_open(&query->exec, statement->plan, query->txn, router->remote, &err) != E_OK) {
        fail_with(query, &err);
        return;
    }
    prng_init(&query->exec.prng, prng_next(&router->prng));
    query->exec.arena.limit_bytes = router->options.query_memory_max;
    query->exec.deadline_ms = query->deadline_ms;
    query->exec.micros = router->options.micros;
    query->exec.turn_us = router->options.turn_budget_us / EXEC_SHARE;
}

/* ---- bulk loads ---- */

static void begin_bulk(struct query *query)
{
    const struct value *batch = value_get_text(&query->request.args, "batch");
    struct error err = {0};

    query->state = QUERY_RUNNING;
    if (batch == NULL || batch->kind != VALUE_BINARY) {
        error_set(&err, E_INVALID, "a load needs 'batch', a binary");
        fail_with(query, &err);
        return;
    }
    if (!ensure_txn(query, &err)) {
        fail_with(query, &err);
        return;
    }
    query->is_exec_open = true;
    query->is_fresh = true;
    query->batch = (struct batch){0};
    query->exec = (struct exec){.txn = query->txn, .remote = query->router->remote};
    arena_init(&query->exec.arena, query->router->options.query_memory_max);
    query->exec.deadline_ms = query->deadline_ms;
    if (bulk_open(&query->exec, value_slice(batch), &query->bulk, &err) != E_OK) {
        fail_with(query, &err);
    }
}

static void run_bulk(struct query *query)
{
    struct error err = {0};
    enum pull pull;

    query->is_fresh = false;
    query->txn->is_woken = false;
    query->exec.now_ms = query->router->now_ms;
    pull = bulk_advance(query->bulk, &query->exec);
    if (pull == PULL_ERROR) {
        err = query->exec.error;
        if (!run_again(query, &err)) {
            fail_with(query, &err);
        }
    } else if (pull == PULL_BATCH) {
        if (results_finish(&query->results, &query->exec.arena, &err) != E_OK) {
            fail_with(query, &err);
            return;
        }
        begin_commit(query, false);
    }
}

/* ---- waiting ---- */

static bool prepare(struct query *query)
{
    struct router *router = query->router;
    struct error err = {0};

    if (query->entry != NULL || query->request.op == REQUEST_UNKNOWN) {
        return true;
    }
    query->entry = plans_get(&router->plans, &query->request,
                             router->now_ms + router->options.wall_ms, &router->prng, &err);
    if (query->entry == NULL) {
        fail_with(query, &err);
        return false;
    }
    const struct plans_options *options = &query->entry->options;
    if (options->has_timeout) {
        query->deadline_ms = deadline_of(query, true, options->timeout_ms);
    }
    if (options->batch_size != 0) {
        query->results.batch_size = options->batch_size;
    }
    return true;
}

static void fail_source(struct query *query)
{
    struct error err = {0};

    error_set(&err, E_INVALID,
              "The traversal source [%.*s] for alias [g] is not configured on the server.",
              (int)query->request.source.size, (const char *)query->request.source.data);
    fail_with(query, &err);
}

static void fail_text(struct query *query, int code, const char *text)
{
    struct error err = {0};

    error_set(&err, code, "%s", text);
    fail_with(query, &err);
}

/* A graph that was just made may not have come with a map yet. */
static bool has_graph(struct query *query)
{
    struct router *router = query->router;
    const struct shardmap *map = remote_map(router->remote);
    const struct shardmap_graph *graph =
        map == NULL ? NULL : shardmap_graph(map, query->request.source);
    uint64_t wait_ms = map != NULL && graph == NULL ? MAP_WAIT_MS : READY_WAIT_MS;

    if (graph != NULL && graph->is_ready) {
        query->map_until_ms = 0;
        return true;
    }
    if (query->map_until_ms == 0) {
        query->map_until_ms = router->now_ms + wait_ms;
        if (map != NULL) {
            remote_refresh(router->remote);
        }
    } else if (router->now_ms >= query->map_until_ms) {
        if (map != NULL && graph == NULL) {
            fail_source(query);
        } else {
            fail_text(query, E_UNAVAILABLE, "the graph is not ready");
        }
        return false;
    }
    query->again_ms = router->now_ms + MAP_POLL_MS;
    return false;
}

static void close_session(struct query *query)
{
    struct error err = {0};

    router_session_end(query->session);
    if (results_finish(&query->results, &query->request.arena, &err) != E_OK) {
        fail_with(query, &err);
    } else {
        send_frames(query);
    }
}

static void start(struct query *query)
{
    struct router_session *session = query->session;

    if (session != NULL && session->running != query) {
        if (session->running != NULL) {
            return;
        }
        session->running = query;
        if (session->is_closed) {
            fail_text(query, E_EVALUATION, "the session was closed");
            return;
        }
    }
    if (query->request.op == REQUEST_CLOSE) {
        close_session(query);
        return;
    }
    if (!prepare(query) || !has_graph(query)) {
        return;
    }
    query->statement = 0;
    if (query->request.op == REQUEST_UNKNOWN) {
        begin_bulk(query);
    } else {
        begin_statement(query);
    }
}

/* ---- running ---- */

/* True: no more is wanted of this statement. */
static bool take_batch(struct query *query, struct error *err)
{
    const struct plans_statement *statement = current(query);
    bool is_wanted = !statement->plan->is_profile && !statement->plan->is_discard;
    struct exec *exec = &query->exec;
    struct arena *arena = exec->is_holding ? &exec->arena : &exec->stream;

    for (uint32_t i = 0; i < query->batch.count && is_wanted; i++) {
        const struct traverser *traverser = &query->batch.items[i];
        uint64_t bulk = traverser->bulk;
        struct value yes = value_bool(true);

        if (statement->terminal == GREMLIN_HAS_NEXT) {
            results_add(&query->results, arena, &yes, 1, err);
            return true;
        }
        if (statement->terminal == GREMLIN_TRY_NEXT) {
            bulk = 1;
        } else if (statement->terminal == GREMLIN_NEXT &&
                   bulk > statement->count - query->results.total) {
            bulk = statement->count - query->results.total;
        }
        if (bulk > 0 &&
            results_add(&query->results, arena, &traverser->value, bulk, err) != E_OK) {
            return false;
        }
        if (statement->terminal == GREMLIN_TRY_NEXT ||
            (statement->terminal == GREMLIN_NEXT && query->results.total >= statement->count)) {
            return true;
        }
    }
    return false;
}

static void end_run(struct query *query)
{
    const struct plans_statement *statement = current(query);
    struct exec *exec = &query->exec;
    struct error err = {0};

    if (statement->plan->is_profile) {
        struct value metrics = exec_profile(exec, &exec->arena);
        results_add(&query->results, &exec->arena, &metrics, 1, &err);
    } else if (statement->terminal == GREMLIN_HAS_NEXT && query->results.total == 0) {
        struct value no = value_bool(false);
        results_add(&query->results, &exec->arena, &no, 1, &err);
    }
    if (err.code != E_OK) {
        fail_with(query, &err);
        return;
    }
    end_statement(query);
}

static void run(struct query *query)
{
    struct exec *exec = &query->exec;
    struct error err = {0};

    query->is_fresh = false;
    query->txn->is_woken = false;
    running_watch(query);
    exec->is_holding = results_is_holding(&query->results);
    for (int pulls = 0; pulls < PULLS_A_TURN; pulls++) {
        enum pull pull = exec_pull(exec, query->router->now_ms, &query->batch);
        if (pull == PULL_WAIT) {
            return;
        }
        if (pull == PULL_ERROR) {
            err = exec->error;
            if (!run_again(query, &err) && !run_with_other_ids(query, &err)) {
                fail_with(query, &err);
            }
            return;
        }
        if (pull == PULL_DONE || take_batch(query, &err)) {
            end_run(query);
            return;
        }
        if (err.code != E_OK) {
            fail_with(query, &err);
            return;
        }
    }
    query->is_fresh = true;
}

/* ---- commit ---- */

static void end_commit(struct query *query)
{
    struct error err = query->txn->error;
    enum transaction_state state = query->txn->state;
    bool is_repeatable = query->owns_txn && !query->is_explicit && !query->is_orphan;

    if (state == TRANSACTION_COMMITTED) {
        drop_txn(query);
        if (query->is_explicit && !query->is_orphan) {
            end_statement(query);
        } else {
            send_frames(query);
        }
        return;
    }
    if (state == TRANSACTION_ABORTED && is_repeatable &&
        (run_again(query, &err) || run_with_other_ids(query, &err))) {
        return;
    }
    drop_txn(query);
    fail_with(query, &err);
}

/* ---- turns ---- */

static bool is_late(const struct query *query)
{
    return query->deadline_ms != 0 && query->router->now_ms >= query->deadline_ms &&
           (query->state == QUERY_WAITING || query->state == QUERY_RUNNING);
}

static void fail_killed(struct query *query)
{
    struct error err = {0};

    (void)error_set(&err, E_TIMEOUT, "the query was cancelled by an operator");
    fail_status(query, error_status(E_TIMEOUT), &err);
}

void query_advance(struct query *query)
{
    uint64_t now_ms = query->router->now_ms;

    if (is_late(query)) {
        fail_late(query);
        return;
    }
    if (query->is_killed && (query->state == QUERY_WAITING || query->state == QUERY_RUNNING)) {
        fail_killed(query);
        return;
    }
    if (query->state == QUERY_WAITING && now_ms >= query->again_ms) {
        start(query);
    }
    /* Those that end at once (g.tx().rollback()) follow each other here: their number is the
     * client's choice. */
    for (int i = 0; query->is_between && query->state != QUERY_OVER && i < STATEMENTS_A_TURN; i++) {
        begin_statement(query);
    }
    if (query->state == QUERY_RUNNING && !query->is_between &&
        (query->is_fresh || query->exec.is_yielding || query->txn->is_woken)) {
        if (query->bulk != NULL) {
            run_bulk(query);
        } else {
            run(query);
        }
    }
    if (query->state == QUERY_COMMITTING && query->txn->state != TRANSACTION_COMMITTING) {
        end_commit(query);
    }
}

uint64_t query_due(const struct query *query)
{
    uint64_t late = query->deadline_ms == 0 ? UINT64_MAX : query->deadline_ms;

    late = query->is_killed ? 0 : late;
    switch (query->state) {
    case QUERY_WAITING:
        if (query->session != NULL && query->session->running != NULL &&
            query->session->running != query) {
            return late;
        }
        return query->again_ms < late ? query->again_ms : late;
    case QUERY_RUNNING:
        return query->is_between || query->is_fresh || query->exec.is_yielding ||
                       query->txn->is_woken
                   ? 0
                   : late;
    case QUERY_COMMITTING:
        return query->txn->state == TRANSACTION_COMMITTING ? UINT64_MAX : 0;
    case QUERY_OVER:
        return 0;
    }
    return 0;
}
