#include <assert.h>
#include <time.h>

#include "shardd/read/scan.h"
#include "shardd/read/scan_edges.h"
#include "shardd/read/scan_emit.h"
#include "shardd/read/scan_source.h"
#include "shardd/store/store_inner.h"

static uint64_t now_micros(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

static int run_source(struct scan *scan)
{
    switch (scan->request->source) {
    case READ_IDS:
        return scan_source_ids(scan);
    case READ_VERTICES:
        return scan_source_vertices(scan);
    case READ_EDGES:
        return scan_edges_scan(scan);
    case READ_EDGE_IDS:
        return scan_edges_ids(scan);
    }
    return error_set(scan->err, E_MALFORMED, "read: source %d", scan->request->source);
}

static void finish(struct scan *scan, struct store *store, uint64_t start)
{
    const struct read_request *request = scan->request;
    bool is_limited = request->limit > 0 && scan->at.emitted >= request->limit;
    struct read_head head = {
        .read_index = store->state.applied,
        .scanned = scan->scanned,
        .access = scan->access,
    };
    struct bytes cursor;

    bytes_init(&cursor, 0);
    if (scan->is_full && !is_limited) {
        scan_cursor_encode(&cursor, &scan->at);
        head.cursor = bytes_slice(&cursor);
    }
    scan_emit_finish(scan);
    if (!request->skip_readset) {
        scan->slots.first_index = store->state.applied;
    }
    head.readset = scan->slots;
    head.micros = now_micros() - start;
    read_write_finish(&scan->writer, request->emit, &head);
    bytes_close(&cursor);
}

static int read_applied(struct store *store, const struct read_request *request,
                        const struct store_budget *budget, struct bytes *reply, struct error *err)
{
    uint64_t start = now_micros();
    size_t reply_start = reply->size;
    struct scan scan;
    int rc = scan_init(&scan, &store->tables, request, err);

    if (rc == E_OK) {
        scan.reply = reply;
        if (budget != NULL) {
            scan.budget = *budget;
        }
        read_write_init(&scan.writer, reply);
        rc = run_source(&scan);
        store->counters.scanned += scan.scanned;
        if (rc == E_OK) {
            finish(&scan, store, start);
        } else {
            reply->size = reply_start;
        }
        read_write_close(&scan.writer);
    }
    scan_close(&scan);
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
