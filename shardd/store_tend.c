#include "shardd/store_inner.h"

enum {
    CHECKPOINT_FRAMES = 1024, /* 4 MiB of WAL. */
    INDEX_ROWS = 1000,        /* A chunk of building. */
    TRIM_MIN = 256            /* Entries: trimming a few is not worth a transaction. */
};

static int checkpoint(struct store *store, struct error *err)
{
    struct stmt *stmt = &store->tables.stmt;
    int rc;

    if (store->counters.wal_frames < CHECKPOINT_FRAMES) {
        return E_OK;
    }
    rc = sqlite3_wal_checkpoint_v2(stmt->db, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
    if (rc != SQLITE_OK) {
        return stmt_error(stmt, rc, "checkpoint", err);
    }
    store->counters.checkpoints++;
    store->counters.wal_frames = 0;
    return E_OK;
}

static int trim(struct store *store, uint64_t keep, bool *is_wanted, struct error *err)
{
    struct stmt *stmt = &store->tables.stmt;
    uint64_t upto = store->state.applied > keep ? store->state.applied - keep : 0;
    int rc;

    if (upto == store->state.last && upto > 0) {
        upto--; /* The last entry stays: it tells its epoch. */
    }
    *is_wanted = store->state.first > 0 && upto >= store->state.first + TRIM_MIN;
    if (!*is_wanted) {
        return E_OK;
    }
    sqlite3_bind_int64(stmt_get(stmt, STMT_JOURNAL_TRIM), 1, (sqlite3_int64)upto);
    rc = stmt_run(stmt, STMT_JOURNAL_TRIM, err);
    if (rc == E_OK) {
        store->state.first = upto + 1;
    }
    return rc;
}

static bool has_index_work(const struct store *store)
{
    for (uint32_t i = 0; i < store->tables.indexes.count; i++) {
        if (store->tables.indexes.list[i].state != PROPINDEX_READY) {
            return true;
        }
    }
    return false;
}

static int tend_indexes(struct store *store, bool *more, struct error *err)
{
    struct vrow_names names = {&store->tables.symbols, &store->tables.stmt};
    int rc;

    *more = has_index_work(store);
    if (!*more) {
        return E_OK;
    }
    rc = store_inner_begin(store, 1, err);
    if (rc == E_OK) {
        rc = propindex_tend(&store->tables.indexes, &names, INDEX_ROWS, more, err);
    }
    return rc == E_OK ? store_inner_commit(store, err) : rc;
}

bool store_tend(struct store *store, uint64_t keep, struct error *err)
{
    bool has_trimmed = false;
    bool more = false;
    int rc = tend_indexes(store, &more, err);

    if (rc == E_OK && !more) {
        rc = trim(store, keep, &has_trimmed, err);
    }
    if (rc == E_OK) {
        rc = checkpoint(store, err);
    }
    if (rc != E_OK) {
        store_inner_rollback(store, true);
        return false;
    }
    return more;
}
