#include "shardd/store/store_inner.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/crc.h"
#include "common/mem.h"
#include "shardd/store/storefile.h"
#include "shardd/store/upgrade.h"

enum {
    VALUE_SIZE_MAX = 1100 /* Of a meta value: range bounds are keys of ids. */
};

/* ---- what identifies a file ---- */

/* One row of meta that is written at creation and must be the same at each open. */
static int check_row(struct store *store, bool is_new, const char *key, struct slice value,
                     struct error *err)
{
    struct stmt *stmt = &store->tables.stmt;
    sqlite3_stmt *s = stmt_get(stmt, is_new ? STMT_META_PUT : STMT_META_GET);
    bool is_same;
    int rc;

    sqlite3_bind_text(s, 1, key, -1, SQLITE_STATIC);
    if (is_new) {
        stmt_bind_slice(s, 2, value);
        return stmt_run(stmt, STMT_META_PUT, err);
    }
    rc = stmt_step(stmt, STMT_META_GET, err);
    if (rc < 0) {
        return rc;
    }
    is_same = rc == 1 && slice_equal(stmt_column_slice(s, 0), value);
    stmt_reset(stmt, STMT_META_GET);
    if (!is_same) {
        return error_set(err, E_CONFIG, "%s: %s is not that of this file", store->path, key);
    }
    return E_OK;
}

static int check_number(struct store *store, bool is_new, const char *key, uint64_t value,
                        struct error *err)
{
    char text[24];
    int size = snprintf(text, sizeof text, "%llu", (unsigned long long)value);

    return check_row(store, is_new, key, slice_of(text, (size_t)size), err);
}

static int check_identity(struct store *store, bool is_new, const struct store_options *options,
                          struct error *err)
{
    int rc = check_number(store, is_new, "format", UPGRADE_FORMAT, err);

    if (rc == E_OK) {
        rc = check_number(store, is_new, "cluster", options->cluster_id, err);
    }
    if (rc == E_OK) {
        rc = check_number(store, is_new, "graph", options->graph, err);
    }
    if (rc == E_OK) {
        rc = check_number(store, is_new, "shard", options->shard, err);
    }
    if (rc == E_OK) {
        rc = check_number(store, is_new, "partitioner", options->partitioner, err);
    }
    if (rc == E_OK) {
        rc = check_number(store, is_new, "ids", options->ids, err);
    }
    if (rc == E_OK) {
        rc = check_row(store, is_new, "lo", options->lo, err);
    }
    return rc == E_OK ? check_row(store, is_new, "hi", options->hi, err) : rc;
}

/* A number of meta, or 0 if it was never written. */
static int get_number(struct store *store, const char *key, uint64_t *value, struct error *err)
{
    struct stmt *stmt = &store->tables.stmt;
    sqlite3_stmt *s = stmt_get(stmt, STMT_META_GET);
    int rc;

    *value = 0;
    sqlite3_bind_text(s, 1, key, -1, SQLITE_STATIC);
    rc = stmt_step(stmt, STMT_META_GET, err);
    if (rc == 1) {
        *value = (uint64_t)sqlite3_column_int64(s, 0);
        stmt_reset(stmt, STMT_META_GET);
        rc = E_OK;
    }
    return rc;
}

static int load_journal_ends(struct store *store, struct error *err)
{
    struct stmt *stmt = &store->tables.stmt;
    sqlite3_stmt *s = stmt_get(stmt, STMT_JOURNAL_ENDS);
    int rc = stmt_step(stmt, STMT_JOURNAL_ENDS, err);

    if (rc != 1) {
        return rc;
    }
    store->state.first = (uint64_t)sqlite3_column_int64(s, 0);
    store->state.last = (uint64_t)sqlite3_column_int64(s, 1);
    store->journal_bytes = (uint64_t)sqlite3_column_int64(s, 2);
    store->state.last_epoch = (uint64_t)sqlite3_column_int64(s, 3);
    stmt_reset(stmt, STMT_JOURNAL_ENDS);
    if (store->state.last == 0) {
        store->state.last = store->state.applied; /* All was trimmed, or taken back. */
        store->state.last_epoch = store->state.base_epoch;
    }
    if (store->state.applied > store->state.last) {
        return error_set(err, E_CORRUPT, "%s: applied %llu, but the journal ends at %llu",
                         store->path, (unsigned long long)store->state.applied,
                         (unsigned long long)store->state.last);
    }
    return E_OK;
}

static int load_state(struct store *store, struct error *err)
{
    uint64_t granted = 0;
    int rc = get_number(store, "promised", &store->state.promised_epoch, err);

    if (rc == E_OK) {
        rc = get_number(store, "applied", &store->state.applied, err);
    }
    if (rc == E_OK) {
        rc = get_number(store, "base_epoch", &store->state.base_epoch, err);
    }
    if (rc == E_OK) {
        rc = get_number(store, "granted", &granted, err);
        store->state.has_granted = granted != 0;
    }
    if (rc == E_OK) {
        rc = get_number(store, "schema", &store->state.schema_version, err);
    }
    if (rc == E_OK) {
        rc = get_number(store, "watermark_term", &store->state.watermark.term, err);
    }
    if (rc == E_OK) {
        rc = get_number(store, "watermark_counter", &store->state.watermark.counter, err);
    }
    return rc == E_OK ? load_journal_ends(store, err) : rc;
}

/* ---- open and close ---- */

static int is_new_file(struct store *store, bool *is_new, struct error *err)
{
    struct stmt *stmt = &store->tables.stmt;
    sqlite3_stmt *s = stmt_get(stmt, STMT_META_GET);
    int rc;

    sqlite3_bind_text(s, 1, "format", -1, SQLITE_STATIC);
    rc = stmt_step(stmt, STMT_META_GET, err);
    if (rc < 0) {
        return rc;
    }
    *is_new = rc == 0;
    stmt_reset(stmt, STMT_META_GET);
    return E_OK;
}

/* A file of before there were incarnations, or a new one, takes the one it is given. */
static int check_incarnation(struct store *store, const struct store_options *options,
                             struct error *err)
{
    uint64_t found;
    int rc = options->incarnation == 0 ? E_OK : get_number(store, "incarnation", &found, err);

    if (rc != E_OK || options->incarnation == 0 || found == options->incarnation) {
        return rc;
    }
    if (found == 0) {
        return store_inner_meta_put(store, "incarnation", options->incarnation, err);
    }
    return error_set(err, E_CONFIG,
                     "%s: of incarnation %016llx of the cluster, the coordinators are of %016llx: "
                     "put the file back where it comes from, and this shard's own here",
                     store->path, (unsigned long long)found,
                     (unsigned long long)options->incarnation);
}

static int identify(struct store *store, const struct store_options *options, struct error *err)
{
    bool is_new;
    int rc = is_new_file(store, &is_new, err);

    if (rc == E_OK && is_new) {
        rc = store_inner_begin(store, 2, err);
        if (rc == E_OK) {
            rc = check_identity(store, true, options, err);
        }
        if (rc == E_OK) {
            rc = check_incarnation(store, options, err);
        }
        if (rc == E_OK) {
            counter_begin_digest(&store->tables.counters, 0);
            rc = counter_flush(&store->tables.counters, &store->tables.stmt, err);
        }
        return rc == E_OK ? store_inner_commit(store, err) : rc;
    }
    if (rc == E_OK) {
        rc = check_identity(store, false, options, err);
    }
    return rc == E_OK ? check_incarnation(store, options, err) : rc;
}

static int on_wal(void *ctx, sqlite3 *db, const char *name, int frames)
{
    struct store *store = ctx;

    (void)db;
    (void)name;
    store->counters.wal_frames = (uint64_t)frames;
    return SQLITE_OK;
}

static int start(struct store *store, const struct store_options *options, struct error *err)
{
    int rc = tables_open(&store->tables, options->path, options->vfs, options->cache_bytes, err);

    if (rc != E_OK) {
        return rc;
    }
    sqlite3_wal_hook(store->tables.stmt.db, on_wal, store);
    adjcache_init(&store->tables.cache, options->adjacency_cache_bytes);
    rc = identify(store, options, err);
    return rc == E_OK ? load_state(store, err) : rc;
}

int store_open(struct store **store, const struct store_options *options, struct error *err)
{
    struct store *made = mem_alloc(sizeof *made);
    int rc;

    assert(options->path != NULL && options->shard > 0);
    made->path = mem_text(options->path);
    made->vfs = options->vfs == NULL ? NULL : mem_text(options->vfs);
    made->shard = options->shard;
    made->partitioner = options->partitioner;
    made->ids = options->ids;
    made->is_sync = options->is_sync;
    bytes_append(&made->lo, options->lo.data, options->lo.size);
    bytes_append(&made->hi, options->hi.data, options->hi.size);
    rc = start(made, options, err);
    if (rc != E_OK) {
        store_close(&made);
    }
    *store = made;
    return rc;
}

void store_close(struct store **store)
{
    struct store *old = *store;

    if (old == NULL) {
        return;
    }
    *store = NULL;
    tables_close(&old->tables);
    bytes_close(&old->lo);
    bytes_close(&old->hi);
    bytes_close(&old->key);
    mem_free(old->path);
    mem_free(old->vfs);
    mem_free(old);
}

int store_destroy(struct store **store, struct error *err)
{
    char *path = mem_text((*store)->path);
    char *vfs = (*store)->vfs == NULL ? NULL : mem_text((*store)->vfs);
    int rc;

    store_close(store);
    rc = storefile_drop(vfs, path, err);
    mem_free(path);
    mem_free(vfs);
    return rc;
}

int store_damage(const struct store *store, struct error *err)
{
    if (store->tables.stmt.damage.code != E_OK && err != NULL) {
        *err = store->tables.stmt.damage;
    }
    return store->tables.stmt.damage.code;
}

struct store_state store_state(const struct store *store)
{
    return store->state;
}

struct store_counters store_counters(const struct store *store)
{
    struct store_counters counters = store->counters;
    int pages = 0;
    int high = 0;

    counters.statements = store->tables.stmt.statements;
    counters.rows = store->tables.stmt.rows;
    sqlite3_db_status(store->tables.stmt.db, SQLITE_DBSTATUS_CACHE_WRITE, &pages, &high, 0);
    counters.pages_written = (uint64_t)pages;
    sqlite3_db_status(store->tables.stmt.db, SQLITE_DBSTATUS_CACHE_HIT, &pages, &high, 0);
    counters.pages_hit = (uint64_t)pages;
    sqlite3_db_status(store->tables.stmt.db, SQLITE_DBSTATUS_CACHE_MISS, &pages, &high, 0);
    counters.pages_missed = (uint64_t)pages;
    counters.adjacency_hit = store->tables.cache.hits;
    counters.adjacency_missed = store->tables.cache.misses;
    return counters;
}

uint64_t store_file_bytes(struct store *store)
{
    sqlite3_file *file = NULL;
    sqlite3_file *wal = NULL;
    sqlite3_int64 size = 0;
    uint64_t sum = 0;
    sqlite3 *db = store->tables.stmt.db;

    sqlite3_file_control(db, "main", SQLITE_FCNTL_FILE_POINTER, &file);
    sqlite3_file_control(db, "main", SQLITE_FCNTL_JOURNAL_POINTER, &wal);
    if (file != NULL && file->pMethods != NULL && file->pMethods->xFileSize(file, &size) == 0) {
        sum += (uint64_t)size;
    }
    if (wal != NULL && wal->pMethods != NULL && wal->pMethods->xFileSize(wal, &size) == 0) {
        sum += (uint64_t)size;
    }
    return sum;
}

void store_limit_pages(struct store *store, uint32_t pages)
{
    char sql[64];

    snprintf(sql, sizeof sql, "PRAGMA max_page_count=%u", pages);
    (void)stmt_exec(&store->tables.stmt, sql, NULL);
}

/* ---- journal ---- */

static int add_entry(struct store *store, const struct store_entry *entry, struct error *err)
{
    sqlite3_stmt *s = stmt_get(&store->tables.stmt, STMT_JOURNAL_ADD);

    sqlite3_bind_int64(s, 1, (sqlite3_int64)entry->index);
    sqlite3_bind_int64(s, 2, (sqlite3_int64)entry->epoch);
    sqlite3_bind_int(s, 3, (int)entry->kind);
    sqlite3_bind_int64(s, 4, crc_extend(0, entry->body.data, entry->body.size));
    stmt_bind_slice(s, 5, entry->body);
    return stmt_run(&store->tables.stmt, STMT_JOURNAL_ADD, err);
}

static int cut(struct store *store, uint64_t from, struct error *err)
{
    struct stmt *stmt = &store->tables.stmt;

    sqlite3_bind_int64(stmt_get(stmt, STMT_JOURNAL_CUT), 1, (sqlite3_int64)from);
    return stmt_run(stmt, STMT_JOURNAL_CUT, err);
}

/* Within the transaction. */
static int append(struct store *store, const struct store_append *what, uint64_t *bytes,
                  struct error *err)
{
    uint64_t last = what->truncate > 0 && what->truncate <= store->state.last ? what->truncate - 1
                                                                              : store->state.last;
    int rc = last < store->state.last ? cut(store, what->truncate, err) : E_OK;

    for (size_t i = 0; i < what->count && rc == E_OK; i++) {
        assert(what->entries[i].index == last + 1 + i);
        *bytes += what->entries[i].body.size;
        rc = add_entry(store, &what->entries[i], err);
    }
    if (rc == E_OK && what->promise > store->state.promised_epoch) {
        rc = store_inner_meta_put(store, "promised", what->promise, err);
    }
    if (rc == E_OK && what->has_granted && !store->state.has_granted) {
        rc = store_inner_meta_put(store, "granted", 1, err);
    }
    return rc;
}

/* What append did is durable. */
static int note(struct store *store, const struct store_append *what, uint64_t bytes,
                struct error *err)
{
    struct store_state *state = &store->state;

    store->counters.journal_bytes += bytes;
    store->counters.syncs += store->is_sync;
    if (what->promise > state->promised_epoch) {
        state->promised_epoch = what->promise;
    }
    state->has_granted = state->has_granted || what->has_granted;
    if (what->truncate > 0 && what->truncate <= state->last) {
        return load_journal_ends(store, err); /* Seldom: a backup that followed another primary. */
    }
    store->journal_bytes += bytes;
    if (what->count > 0) {
        state->last += what->count;
        state->last_epoch = what->entries[what->count - 1].epoch;
        state->first = state->first == 0 ? what->entries[0].index : state->first;
    }
    return E_OK;
}

int store_append(struct store *store, const struct store_append *what, struct error *err)
{
    uint64_t bytes = 0;

    assert(what->truncate == 0 || what->truncate > store->state.applied);
    int rc = store_inner_begin(store, store->is_sync ? 2 : 1, err);
    if (rc == E_OK) {
        rc = append(store, what, &bytes, err);
    }
    if (rc == E_OK) {
        rc = store_inner_commit(store, err);
    }
    if (rc != E_OK) {
        store_inner_rollback(store, false);
        return rc;
    }
    return note(store, what, bytes, err);
}

int store_each_epoch(struct store *store, store_epoch_fn visit, void *ctx, struct error *err)
{
    struct stmt *stmt = &store->tables.stmt;
    uint64_t seen = 0;
    int rc;

    stmt_get(stmt, STMT_JOURNAL_EPOCHS);
    while ((rc = stmt_step(stmt, STMT_JOURNAL_EPOCHS, err)) == 1) {
        sqlite3_stmt *s = stmt->list[STMT_JOURNAL_EPOCHS];
        uint64_t epoch = (uint64_t)sqlite3_column_int64(s, 1);

        if (epoch != seen) {
            visit(ctx, (uint64_t)sqlite3_column_int64(s, 0), epoch);
        }
        seen = epoch;
    }
    return rc;
}

int store_entry(struct store *store, uint64_t index, struct arena *arena, struct store_entry *out,
                struct error *err)
{
    return store_inner_entry(store, index, arena, out, err);
}

/* ---- what a start rebuilds ---- */

int store_each_prepared(struct store *store, store_prepared_fn visit, void *ctx, struct error *err)
{
    struct stmt *stmt = &store->tables.stmt;
    struct arena arena;
    int rc;

    arena_init(&arena, 0);
    stmt_get(stmt, STMT_PREPARED_ALL);
    while ((rc = stmt_step(stmt, STMT_PREPARED_ALL, err)) == 1) {
        uint64_t index = (uint64_t)sqlite3_column_int64(stmt->list[STMT_PREPARED_ALL], 0);
        struct txn_prepare prepare;
        struct store_entry entry;

        rc = store_inner_entry(store, index, &arena, &entry, err);
        if (rc == E_OK) {
            rc = txn_prepare_decode(entry.body, &prepare, err);
        }
        if (rc != E_OK) {
            stmt_reset(stmt, STMT_PREPARED_ALL);
            error_prefix(err, "table prepared");
            rc = E_CORRUPT;
            break;
        }
        visit(ctx, index, &prepare);
        txn_readset_close(&prepare.part.readset);
        arena_reset(&arena);
    }
    arena_close(&arena);
    return rc;
}

int store_each_finished(struct store *store, store_finished_fn visit, void *ctx, struct error *err)
{
    struct stmt *stmt = &store->tables.stmt;
    int rc;

    stmt_get(stmt, STMT_FINISHED_ALL);
    while ((rc = stmt_step(stmt, STMT_FINISHED_ALL, err)) == 1) {
        sqlite3_stmt *s = stmt->list[STMT_FINISHED_ALL];
        struct txn_gtid gtid = {(uint64_t)sqlite3_column_int64(s, 0),
                                (uint64_t)sqlite3_column_int64(s, 1)};

        visit(ctx, gtid, sqlite3_column_int(s, 2) == TXN_COMMITTED);
    }
    return rc;
}

int store_each_session(struct store *store, store_session_fn visit, void *ctx, struct error *err)
{
    struct stmt *stmt = &store->tables.stmt;
    int rc;

    stmt_get(stmt, STMT_SESSION_ALL);
    while ((rc = stmt_step(stmt, STMT_SESSION_ALL, err)) == 1) {
        sqlite3_stmt *s = stmt->list[STMT_SESSION_ALL];

        visit(ctx, (uint64_t)sqlite3_column_int64(s, 0), (uint64_t)sqlite3_column_int64(s, 1),
              (uint64_t)sqlite3_column_int64(s, 2));
    }
    return rc;
}

int store_end_session(struct store *store, uint64_t sid, struct error *err)
{
    sqlite3_stmt *s = stmt_get(&store->tables.stmt, STMT_SESSION_TRIM);

    sqlite3_bind_int64(s, 1, (sqlite3_int64)sid);
    sqlite3_bind_int64(s, 2, INT64_MAX);
    return stmt_run(&store->tables.stmt, STMT_SESSION_TRIM, err);
}

int store_each_count(struct store *store, store_count_fn visit, void *ctx, struct error *err)
{
    const struct tables *tables = &store->tables;

    (void)err;
    for (int is_edge = 0; is_edge < 2; is_edge++) {
        for (uint32_t label = 0; label < tables->counters.room; label++) {
            uint64_t count = counter_get(&tables->counters, is_edge != 0, label);

            if (count > 0) {
                visit(ctx, is_edge != 0, symbol_name(&tables->symbols, label), count);
            }
        }
    }
    return E_OK;
}
