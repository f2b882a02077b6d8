#include "shardd/store/store_inner.h"

#include <assert.h>

enum {
    CHANGES_MAX = 1 << 16 /* So many are gathered before they are written. */
};

struct apply {
    struct store *store;
    struct arena arena; /* Of the batch. */
    struct changeset batch;
    struct txn_gtid watermark; /* The highest that was told. */
    struct error *err;
};

static int flush(struct apply *apply)
{
    int rc = changeset_apply(&apply->batch, &apply->store->tables, apply->err);

    arena_reset(&apply->arena);
    return rc;
}

/* ---- one kind of entry each ---- */

static int put_session(struct store *store, uint64_t sid, uint64_t seq, uint64_t index,
                       struct error *err)
{
    sqlite3_stmt *s = stmt_get(&store->tables.stmt, STMT_SESSION_ADD);

    sqlite3_bind_int64(s, 1, (sqlite3_int64)sid);
    sqlite3_bind_int64(s, 2, (sqlite3_int64)seq);
    sqlite3_bind_int64(s, 3, (sqlite3_int64)index);
    return stmt_run(&store->tables.stmt, STMT_SESSION_ADD, err);
}

static int trim_session(struct store *store, uint64_t sid, uint64_t low_seq, struct error *err)
{
    sqlite3_stmt *s = stmt_get(&store->tables.stmt, STMT_SESSION_TRIM);

    sqlite3_bind_int64(s, 1, (sqlite3_int64)sid);
    sqlite3_bind_int64(s, 2, (sqlite3_int64)low_seq);
    return stmt_run(&store->tables.stmt, STMT_SESSION_TRIM, err);
}

static int on_txn1(struct apply *apply, const struct store_entry *entry)
{
    struct reader reader;
    uint64_t sid, seq, low_seq;
    int rc;

    reader_init(&reader, entry->body);
    sid = reader_varint(&reader);
    seq = reader_varint(&reader);
    low_seq = reader_varint(&reader);
    if (reader.is_bad) {
        return error_set(apply->err, E_CORRUPT, "body is too short");
    }
    rc = changeset_add(&apply->batch, slice_of(reader.at, reader_left(&reader)), apply->err);
    if (rc == E_OK) {
        rc = trim_session(apply->store, sid, low_seq, apply->err);
    }
    return rc == E_OK ? put_session(apply->store, sid, seq, entry->index, apply->err) : rc;
}

static sqlite3_stmt *bind_gtid(struct stmt *stmt, enum stmt_id id, struct txn_gtid gtid)
{
    sqlite3_stmt *s = stmt_get(stmt, id);

    sqlite3_bind_int64(s, 1, (sqlite3_int64)gtid.term);
    sqlite3_bind_int64(s, 2, (sqlite3_int64)gtid.counter);
    return s;
}

static int on_prepare(struct apply *apply, const struct store_entry *entry)
{
    struct stmt *stmt = &apply->store->tables.stmt;
    struct txn_prepare prepare;
    sqlite3_stmt *s;
    int rc = txn_prepare_decode(entry->body, &prepare, apply->err);

    if (rc != E_OK) {
        return rc;
    }
    s = bind_gtid(stmt, STMT_PREPARED_ADD, prepare.gtid);
    sqlite3_bind_int64(s, 3, (sqlite3_int64)entry->index);
    txn_readset_close(&prepare.part.readset);
    return stmt_run(stmt, STMT_PREPARED_ADD, apply->err);
}

/* Adds the changes of a prepared transaction to the batch; one that is not there was finished
 * before. */
static int take_prepared(struct apply *apply, struct txn_gtid gtid)
{
    struct stmt *stmt = &apply->store->tables.stmt;
    struct txn_prepare prepare;
    struct store_entry entry;
    uint64_t index;
    int rc;

    bind_gtid(stmt, STMT_PREPARED_GET, gtid);
    rc = stmt_step(stmt, STMT_PREPARED_GET, apply->err);
    if (rc != 1) {
        return rc;
    }
    index = (uint64_t)sqlite3_column_int64(stmt->list[STMT_PREPARED_GET], 0);
    stmt_reset(stmt, STMT_PREPARED_GET);
    rc = store_inner_entry(apply->store, index, &apply->arena, &entry, apply->err);
    if (rc == E_OK) {
        rc = txn_prepare_decode(entry.body, &prepare, apply->err);
    }
    if (rc != E_OK) {
        return rc;
    }
    rc = changeset_add(&apply->batch, prepare.part.changes, apply->err);
    txn_readset_close(&prepare.part.readset);
    return rc;
}

static int on_decision(struct apply *apply, const struct store_entry *entry)
{
    struct stmt *stmt = &apply->store->tables.stmt;
    bool is_commit = entry->kind == STORE_COMMIT;
    struct txn_gtid gtid, watermark;
    struct reader reader;
    sqlite3_stmt *s;
    int rc;

    reader_init(&reader, entry->body);
    gtid.term = reader_varint(&reader);
    gtid.counter = reader_varint(&reader);
    watermark.term = reader_varint(&reader);
    watermark.counter = reader_varint(&reader);
    rc = reader_finish(&reader, "decision", apply->err);
    if (rc == E_OK && is_commit) {
        rc = take_prepared(apply, gtid);
    }
    if (rc == E_OK) {
        bind_gtid(stmt, STMT_PREPARED_DELETE, gtid);
        rc = stmt_run(stmt, STMT_PREPARED_DELETE, apply->err);
    }
    if (rc == E_OK) {
        s = bind_gtid(stmt, STMT_FINISHED_ADD, gtid);
        sqlite3_bind_int(s, 3, is_commit ? TXN_COMMITTED : TXN_ABORTED);
        rc = stmt_run(stmt, STMT_FINISHED_ADD, apply->err);
    }
    if (rc == E_OK && txn_gtid_order(watermark, apply->watermark) > 0) {
        apply->watermark = watermark;
    }
    return rc;
}

/* What is below it will never be asked about: told once for all entries of this call. */
static int put_watermark(struct apply *apply)
{
    struct store *store = apply->store;
    int rc;

    if (txn_gtid_order(apply->watermark, store->state.watermark) <= 0) {
        return E_OK;
    }
    bind_gtid(&store->tables.stmt, STMT_FINISHED_TRIM, apply->watermark);
    rc = stmt_run(&store->tables.stmt, STMT_FINISHED_TRIM, apply->err);
    if (rc == E_OK) {
        rc = store_inner_meta_put(store, "watermark_term", apply->watermark.term, apply->err);
    }
    return rc == E_OK ? store_inner_meta_put(store, "watermark_counter", apply->watermark.counter,
                                             apply->err)
                      : rc;
}

static int on_schema(struct apply *apply, const struct store_entry *entry)
{
    struct store *store = apply->store;
    struct shardmap_index *indexes;
    struct store_entry again;
    struct reader reader;
    uint64_t version;
    size_t count;
    int rc = flush(apply); /* Rows before it are written under the old indexes. */

    if (rc == E_OK) {
        /* The flush let go of the arena, and of the entry's body with it. */
        rc = store_inner_entry(store, entry->index, &apply->arena, &again, apply->err);
    }
    if (rc != E_OK) {
        return rc;
    }
    reader_init(&reader, again.body);
    version = reader_varint(&reader);
    count = reader_count(&reader, 3);
    indexes = arena_array(&apply->arena, count + 1, sizeof *indexes);
    for (size_t i = 0; i < count; i++) {
        indexes[i].name = reader_blob(&reader);
        indexes[i].label = reader_blob(&reader);
        indexes[i].key = reader_blob(&reader);
    }
    rc = reader_finish(&reader, "schema", apply->err);
    if (rc == E_OK) {
        rc = propindex_define(&store->tables.indexes, &store->tables.stmt, indexes, (uint32_t)count,
                              apply->err);
    }
    if (rc == E_OK) {
        rc = store_inner_meta_put(store, "schema", version, apply->err);
    }
    return rc;
}

static int on_entry(struct apply *apply, const struct store_entry *entry)
{
    int rc = E_OK;

    switch (entry->kind) {
    case STORE_NOOP:
        break;
    case STORE_TXN1:
        rc = on_txn1(apply, entry);
        break;
    case STORE_PREPARE:
        rc = on_prepare(apply, entry);
        break;
    case STORE_COMMIT:
    case STORE_ABORT:
        rc = on_decision(apply, entry);
        break;
    case STORE_SCHEMA:
        rc = on_schema(apply, entry);
        break;
    }
    if (rc != E_OK) {
        error_prefix(apply->err, "journal entry %llu", (unsigned long long)entry->index);
    }
    /* What does not decode here decoded when it was appended. */
    return rc == E_MALFORMED ? E_CORRUPT : rc;
}

static int apply_entries(struct apply *apply, uint64_t index)
{
    struct store *store = apply->store;
    int rc = E_OK;

    for (uint64_t i = store->state.applied + 1; i <= index && rc == E_OK; i++) {
        struct store_entry entry;

        /* The batch's changes point into the entries' bodies: all in the arena. */
        rc = store_inner_entry(store, i, &apply->arena, &entry, apply->err);
        if (rc == E_OK) {
            rc = on_entry(apply, &entry);
        }
        if (rc == E_OK && apply->batch.count >= CHANGES_MAX) {
            rc = flush(apply);
        }
    }
    if (rc == E_OK) {
        rc = flush(apply);
    }
    if (rc == E_OK) {
        rc = put_watermark(apply);
    }
    return rc == E_OK ? store_inner_meta_put(store, "applied", index, apply->err) : rc;
}

/* The schema version that is in force now: read back, since an entry may have changed it. */
static uint64_t schema_version(struct store *store)
{
    struct stmt *stmt = &store->tables.stmt;
    sqlite3_stmt *s = stmt_get(stmt, STMT_META_GET);
    uint64_t version = 0;

    sqlite3_bind_text(s, 1, "schema", -1, SQLITE_STATIC);
    if (stmt_step(stmt, STMT_META_GET, NULL) == 1) {
        version = (uint64_t)sqlite3_column_int64(s, 0);
        stmt_reset(stmt, STMT_META_GET);
    }
    return version;
}

int store_apply(struct store *store, uint64_t index, struct error *err)
{
    struct apply apply = {.store = store, .err = err};
    int rc;

    assert(index <= store->state.last);
    if (index <= store->state.applied) {
        return E_OK;
    }
    rc = store_inner_begin(store, 1, err);
    if (rc != E_OK) {
        return rc;
    }
    arena_init(&apply.arena, 0);
    changeset_init(&apply.batch, &apply.arena);
    rc = apply_entries(&apply, index);
    if (rc == E_OK) {
        rc = store_inner_commit(store, err);
    }
    changeset_close(&apply.batch);
    arena_close(&apply.arena);
    if (rc != E_OK) {
        store_inner_rollback(store, true);
        return rc;
    }
    store->state.applied = index;
    if (txn_gtid_order(apply.watermark, store->state.watermark) > 0) {
        store->state.watermark = apply.watermark;
    }
    store->state.schema_version = schema_version(store);
    return E_OK;
}
