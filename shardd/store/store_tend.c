#include "shardd/store/store_inner.h"

#include <assert.h>
#include <time.h>

enum {
    CHECKPOINT_FRAMES = 1024, /* 4 MiB of WAL. */
    INDEX_ROWS = 1000,        /* A chunk of building. */
    TRIM_MIN = 256,           /* Entries: trimming a few is not worth a transaction. */
    JOURNAL_BYTES = 4 << 20,  /* Kept at most, or that share of the file if it is more. */
    JOURNAL_SHARE = 8
};

static uint64_t now_us(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

static int checkpoint(struct store *store, struct error *err)
{
    struct stmt *stmt = &store->tables.stmt;
    uint64_t start_us = now_us();
    int rc;

    if (store->counters.wal_frames < CHECKPOINT_FRAMES) {
        return E_OK;
    }
    rc = sqlite3_wal_checkpoint_v2(stmt->db, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
    if (rc != SQLITE_OK) {
        return stmt_error(stmt, rc, "checkpoint", err);
    }
    store->counters.checkpoints++;
    store->counters.checkpoint_us += now_us() - start_us;
    store->counters.wal_frames = 0;
    return E_OK;
}

static uint64_t bytes_max(struct store *store)
{
    uint64_t share = store_file_bytes(store) / JOURNAL_SHARE;

    return share > JOURNAL_BYTES ? share : JOURNAL_BYTES;
}

/* The last entry that may go: what is applied, and no prepared transaction has its changes in. */
static int last_done(struct store *store, uint64_t *index, struct error *err)
{
    struct stmt *stmt = &store->tables.stmt;
    sqlite3_stmt *s = stmt_get(stmt, STMT_PREPARED_FIRST);
    int rc = stmt_step(stmt, STMT_PREPARED_FIRST, err);

    *index = store->state.applied;
    if (rc != 1) {
        return rc;
    }
    if (sqlite3_column_type(s, 0) != SQLITE_NULL &&
        (uint64_t)sqlite3_column_int64(s, 0) <= *index) {
        *index = (uint64_t)sqlite3_column_int64(s, 0) - 1;
    }
    stmt_reset(stmt, STMT_PREPARED_FIRST);
    if (store->hold != 0 && store->hold <= *index && store->journal_bytes < STORE_HOLD_BYTES &&
        store->state.last - store->hold < STORE_HOLD_ENTRIES) {
        *index = store->hold - 1;
    }
    return E_OK;
}

void store_hold(struct store *store, uint64_t index)
{
    assert(index != 0);
    store->hold = index;
}

/* Which entries go: those before the last `keep`, and those in front until the rest is small
 * enough; both only of what is done. *bytes: of their bodies. */
static int choose(struct store *store, uint64_t keep, uint64_t *upto, uint64_t *bytes,
                  struct error *err)
{
    struct stmt *stmt = &store->tables.stmt;
    uint64_t old = store->state.applied > keep ? store->state.applied - keep : 0;
    uint64_t most = bytes_max(store);
    bool is_large = store->journal_bytes > most;
    uint64_t done;
    int rc;

    *upto = 0;
    *bytes = 0;
    if (store->state.first == 0 || (old < store->state.first + TRIM_MIN && !is_large)) {
        return E_OK;
    }
    rc = last_done(store, &done, err);
    if (rc != E_OK) {
        return rc;
    }
    sqlite3_bind_int64(stmt_get(stmt, STMT_JOURNAL_SIZES), 1, (sqlite3_int64)done);
    while ((rc = stmt_step(stmt, STMT_JOURNAL_SIZES, err)) == 1) {
        uint64_t index = (uint64_t)sqlite3_column_int64(stmt->list[STMT_JOURNAL_SIZES], 0);

        /* The last entry stays: it tells its epoch. Half goes: not a little each time. */
        if (index == store->state.last ||
            (index > old && (!is_large || store->journal_bytes - *bytes <= most / 2))) {
            stmt_reset(stmt, STMT_JOURNAL_SIZES);
            return E_OK;
        }
        *upto = index;
        *bytes += (uint64_t)sqlite3_column_int64(stmt->list[STMT_JOURNAL_SIZES], 1);
    }
    return rc;
}

/* The epoch of the last entry that goes is kept: a backup is asked whether it agrees up to there.
 */
static int trim_rows(struct store *store, uint64_t upto, uint64_t *base_epoch, struct error *err)
{
    struct stmt *stmt = &store->tables.stmt;
    int rc;

    sqlite3_bind_int64(stmt_get(stmt, STMT_JOURNAL_EPOCH), 1, (sqlite3_int64)upto);
    rc = stmt_step(stmt, STMT_JOURNAL_EPOCH, err);
    if (rc != 1) {
        return rc == 0 ? error_set(err, E_CORRUPT, "journal entry %llu is gone",
                                   (unsigned long long)upto)
                       : rc;
    }
    *base_epoch = (uint64_t)sqlite3_column_int64(stmt->list[STMT_JOURNAL_EPOCH], 0);
    stmt_reset(stmt, STMT_JOURNAL_EPOCH);
    rc = store_inner_begin(store, 1, err);
    if (rc == E_OK) {
        sqlite3_bind_int64(stmt_get(stmt, STMT_JOURNAL_TRIM), 1, (sqlite3_int64)upto);
        rc = stmt_run(stmt, STMT_JOURNAL_TRIM, err);
    }
    if (rc == E_OK) {
        rc = store_inner_meta_put(store, "base_epoch", *base_epoch, err);
    }
    return rc == E_OK ? store_inner_commit(store, err) : rc;
}

static int trim(struct store *store, uint64_t keep, struct error *err)
{
    uint64_t upto, bytes;
    uint64_t base_epoch = 0;
    int rc = choose(store, keep, &upto, &bytes, err);

    if (rc != E_OK || upto == 0) {
        return rc;
    }
    rc = trim_rows(store, upto, &base_epoch, err);
    if (rc == E_OK) {
        store->state.first = upto + 1;
        store->state.base_epoch = base_epoch;
        store->journal_bytes -= bytes;
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
    bool more = false;
    int rc = tend_indexes(store, &more, err);

    if (rc == E_OK && !more) {
        rc = trim(store, keep, err);
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
