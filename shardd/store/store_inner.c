#include "shardd/store/store_inner.h"

#include <assert.h>

#include "common/crc.h"

int store_inner_begin(struct store *store, int level, struct error *err)
{
    struct stmt *stmt = &store->tables.stmt;
    int rc = stmt_synchronous(stmt, level, err);

    if (rc != E_OK) {
        return rc;
    }
    stmt_get(stmt, STMT_BEGIN);
    return stmt_run(stmt, STMT_BEGIN, err);
}

int store_inner_begin_read(struct store *store, struct error *err)
{
    stmt_get(&store->tables.stmt, STMT_BEGIN_READ);
    return stmt_run(&store->tables.stmt, STMT_BEGIN_READ, err);
}

int store_inner_commit(struct store *store, struct error *err)
{
    stmt_get(&store->tables.stmt, STMT_COMMIT);
    return stmt_run(&store->tables.stmt, STMT_COMMIT, err);
}

void store_inner_rollback(struct store *store, bool reload)
{
    struct stmt *stmt = &store->tables.stmt;

    for (int i = 0; i < STMT_COUNT; i++) {
        stmt_reset(stmt, (enum stmt_id)i);
    }
    /* SQLite has rolled back by itself after some errors. */
    if (sqlite3_get_autocommit(stmt->db) == 0) {
        stmt_get(stmt, STMT_ROLLBACK);
        (void)stmt_run(stmt, STMT_ROLLBACK, NULL);
    }
    if (reload) {
        (void)tables_reload(&store->tables, NULL);
    }
}

int store_inner_meta_put(struct store *store, const char *key, uint64_t value, struct error *err)
{
    sqlite3_stmt *s = stmt_get(&store->tables.stmt, STMT_META_PUT);

    sqlite3_bind_text(s, 1, key, -1, SQLITE_STATIC);
    sqlite3_bind_int64(s, 2, (sqlite3_int64)value);
    return stmt_run(&store->tables.stmt, STMT_META_PUT, err);
}

bool store_inner_owns(struct store *store, const struct vid *vertex)
{
    struct slice key;

    if (store->has_last_owned && vertex->text.data == NULL &&
        vertex->num == store->last_owned.num) {
        return true;
    }
    bytes_clear(&store->key);
    shardmap_key(store->partitioner, vertex, &store->key);
    key = bytes_slice(&store->key);
    if (slice_compare(key, bytes_slice(&store->lo)) < 0 ||
        (store->hi.size > 0 && slice_compare(key, bytes_slice(&store->hi)) >= 0)) {
        return false;
    }
    if (vertex->text.data == NULL) {
        store->last_owned = *vertex;
        store->has_last_owned = true;
    }
    return true;
}

int store_inner_entry(struct store *store, uint64_t index, struct arena *arena,
                      struct store_entry *out, struct error *err)
{
    struct stmt *stmt = &store->tables.stmt;
    sqlite3_stmt *s = stmt_get(stmt, STMT_JOURNAL_GET);
    struct slice body;
    uint32_t crc;
    int rc;

    sqlite3_bind_int64(s, 1, (sqlite3_int64)index);
    rc = stmt_step(stmt, STMT_JOURNAL_GET, err);
    if (rc == 0) {
        return error_set(err, E_NOT_FOUND, "journal entry %llu", (unsigned long long)index);
    }
    if (rc != 1) {
        return rc;
    }
    body = stmt_column_slice(s, 3);
    *out = (struct store_entry){
        .index = index,
        .epoch = (uint64_t)sqlite3_column_int64(s, 0),
        .kind = (enum store_entry_kind)sqlite3_column_int(s, 1),
        .body = slice_of(arena_copy(arena, body.data, body.size), body.size),
    };
    crc = (uint32_t)sqlite3_column_int64(s, 2);
    stmt_reset(stmt, STMT_JOURNAL_GET);
    if (out->kind < STORE_NOOP || out->kind > STORE_SCHEMA ||
        crc_extend(0, out->body.data, out->body.size) != crc) {
        return error_set(err, E_CORRUPT, "table journal, idx %llu: body does not match its sum",
                         (unsigned long long)index);
    }
    return E_OK;
}
