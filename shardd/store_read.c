#include <assert.h>
#include <time.h>

#include "shardd/look.h"
#include "shardd/look_edges.h"
#include "shardd/look_emit.h"
#include "shardd/look_source.h"
#include "shardd/store_inner.h"

static uint64_t now_micros(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

static int run_source(struct look *look)
{
    switch (look->request->source) {
    case READ_IDS:
        return look_source_ids(look);
    case READ_VERTICES:
        return look_source_vertices(look);
    case READ_EDGES:
        return look_edges_scan(look);
    case READ_EDGE_IDS:
        return look_edges_ids(look);
    }
    return error_set(look->err, E_MALFORMED, "read: source %d", look->request->source);
}

static void finish(struct look *look, struct store *store, uint64_t start)
{
    const struct read_request *request = look->request;
    bool is_limited = request->limit > 0 && look->at.emitted >= request->limit;
    struct read_head head = {
        .read_index = store->state.applied,
        .scanned = look->scanned,
        .access = look->access,
    };
    struct bytes cursor;

    bytes_init(&cursor, 0);
    if (look->is_full && !is_limited) {
        look_cursor_encode(&cursor, &look->at);
        head.cursor = bytes_slice(&cursor);
    }
    look_emit_finish(look);
    if (!request->skip_readset) {
        look->slots.first_index = store->state.applied;
    }
    head.readset = look->slots;
    head.micros = now_micros() - start;
    read_write_finish(&look->writer, request->emit, &head);
    bytes_close(&cursor);
}

static int read_applied(struct store *store, const struct read_request *request,
                        const struct store_budget *budget, struct bytes *reply, struct error *err)
{
    uint64_t start = now_micros();
    size_t reply_start = reply->size;
    struct look look;
    int rc = look_init(&look, &store->tables, request, err);

    if (rc == E_OK) {
        look.reply = reply;
        if (budget != NULL) {
            look.budget = *budget;
        }
        read_write_init(&look.writer, reply);
        rc = run_source(&look);
        if (rc == E_OK) {
            finish(&look, store, start);
        } else {
            reply->size = reply_start;
        }
        read_write_close(&look.writer);
    }
    look_close(&look);
    return rc;
}

/* ---- staged changes ---- */

static int run_stmt(struct store *store, enum stmt_id id, struct error *err)
{
    stmt_get(&store->tables.stmt, id);
    return stmt_run(&store->tables.stmt, id, err);
}

static int apply_staged(struct store *store, struct slice staged, struct error *err)
{
    struct arena arena;
    struct changeset batch;
    int rc = store_inner_check(store, staged, err);

    if (rc != E_OK) {
        return rc;
    }
    arena_init(&arena, 0);
    changeset_init(&batch, &arena);
    rc = changeset_add(&batch, staged, err);
    if (rc == E_OK) {
        rc = changeset_apply(&batch, &store->tables, err);
    }
    changeset_close(&batch);
    arena_close(&arena);
    return rc;
}

/* Puts back what apply changed in memory. */
static int forget_staged(struct store *store, uint32_t symbols, struct error *err)
{
    adjcache_clear(&store->tables.cache);
    symbol_forget(&store->tables.symbols, symbols);
    return counter_load(&store->tables.counters, &store->tables.stmt, err);
}

static int read_staged(struct store *store, const struct read_request *request,
                       const struct store_budget *budget, struct bytes *reply, struct error *err)
{
    uint32_t symbols = symbol_count(&store->tables.symbols);
    int rc = run_stmt(store, STMT_SAVEPOINT, err);
    int undo;

    if (rc != E_OK) {
        return rc;
    }
    rc = apply_staged(store, request->staged, err);
    if (rc == E_OK) {
        rc = read_applied(store, request, budget, reply, err);
    }
    undo = run_stmt(store, STMT_UNDO, rc == E_OK ? err : NULL);
    if (undo == E_OK) {
        undo = run_stmt(store, STMT_RELEASE, rc == E_OK ? err : NULL);
    }
    if (undo == E_OK) {
        undo = forget_staged(store, symbols, rc == E_OK ? err : NULL);
    }
    if (undo != E_OK) {
        store_inner_rollback(store, true);
    }
    return rc != E_OK ? rc : undo;
}

int store_read(struct store *store, const struct read_request *request,
               const struct store_budget *budget, struct bytes *reply, struct error *err)
{
    int rc;

    if (request->staged.size > 0) {
        return read_staged(store, request, budget, reply, err);
    }
    rc = store_inner_begin_read(store, err);
    if (rc == E_OK) {
        rc = read_applied(store, request, budget, reply, err);
    }
    if (rc == E_OK) {
        rc = store_inner_commit(store, err);
    }
    if (rc != E_OK) {
        store_inner_rollback(store, false);
    }
    return rc;
}
