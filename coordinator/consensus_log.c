#include "coordinator/consensus_log.h"

#include <assert.h>
#include <sqlite3.h>
#include <string.h>

enum { FORMAT = 1 };

static int failed(struct consensus_log *log, struct error *err, const char *what)
{
    int code = log->db == NULL ? SQLITE_ERROR : sqlite3_errcode(log->db);
    const char *text = log->db == NULL ? "no memory" : sqlite3_errmsg(log->db);
    int rc = code == SQLITE_CORRUPT || code == SQLITE_NOTADB ? E_CORRUPT
             : (code & 0xff) == SQLITE_FULL                  ? E_LIMIT
                                                             : E_IO;

    return error_set(err, rc, "%s: %s", what, text);
}

static int run(struct consensus_log *log, const char *sql, struct error *err)
{
    return sqlite3_exec(log->db, sql, NULL, NULL, NULL) == SQLITE_OK ? E_OK : failed(log, err, sql);
}

static int prepare(struct consensus_log *log, const char *sql, sqlite3_stmt **statement,
                   struct error *err)
{
    return sqlite3_prepare_v3(log->db, sql, -1, SQLITE_PREPARE_PERSISTENT, statement, NULL) ==
                   SQLITE_OK
               ? E_OK
               : failed(log, err, sql);
}

static int step(struct consensus_log *log, sqlite3_stmt *statement, struct error *err)
{
    int rc = sqlite3_step(statement);

    if (rc != SQLITE_DONE) {
        rc = failed(log, err, "writing the Raft log");
        sqlite3_reset(statement);
        return rc;
    }
    sqlite3_reset(statement);
    sqlite3_clear_bindings(statement);
    return E_OK;
}

/* ---- open ---- */

static int read_meta(struct consensus_log *log, const char *key, uint64_t *value, bool *is_there,
                     struct error *err)
{
    sqlite3_stmt *statement = NULL;
    int rc = prepare(log, "SELECT v FROM raft_meta WHERE k = ?1", &statement, err);

    *is_there = false;
    *value = 0;
    if (rc != E_OK) {
        return rc;
    }
    sqlite3_bind_text(statement, 1, key, -1, SQLITE_STATIC);
    int got = sqlite3_step(statement);
    if (got == SQLITE_ROW) {
        *value = (uint64_t)sqlite3_column_int64(statement, 0);
        *is_there = true;
    } else if (got != SQLITE_DONE) {
        rc = failed(log, err, "reading the Raft log");
    }
    sqlite3_finalize(statement);
    return rc;
}

static int begin(struct consensus_log *log, struct error *err)
{
    if (log->is_open) {
        return E_OK;
    }
    int rc = run(log, "BEGIN IMMEDIATE", err);
    log->is_open = rc == E_OK;
    return rc;
}

static int write_meta(struct consensus_log *log, const char *key, uint64_t value, struct error *err)
{
    int rc = begin(log, err);

    if (rc != E_OK) {
        return rc;
    }
    sqlite3_bind_text(log->set_meta, 1, key, -1, SQLITE_STATIC);
    sqlite3_bind_int64(log->set_meta, 2, (sqlite3_int64)value);
    return step(log, log->set_meta, err);
}

static int check_identity(struct consensus_log *log, uint64_t cluster_id, struct error *err)
{
    uint64_t found;
    bool is_there;

    int rc = read_meta(log, "cluster", &found, &is_there, err);
    if (rc != E_OK) {
        return rc;
    }
    if (!is_there) {
        rc = write_meta(log, "cluster", cluster_id, err);
        rc = rc != E_OK ? rc : write_meta(log, "format", FORMAT, err);
        return rc != E_OK ? rc : consensus_log_commit(log, err);
    }
    if (found != cluster_id) {
        return error_set(err, E_CONFIG,
                         "the coordinator's file belongs to cluster %016llx, not %016llx",
                         (unsigned long long)found, (unsigned long long)cluster_id);
    }
    rc = read_meta(log, "format", &found, &is_there, err);
    if (rc == E_OK && found != FORMAT) {
        return error_set(err, E_CONFIG, "the coordinator's file has format %llu, not %u",
                         (unsigned long long)found, FORMAT);
    }
    return rc;
}

static int prepare_all(struct consensus_log *log, struct error *err)
{
    int rc = prepare(log, "INSERT OR REPLACE INTO raft_meta VALUES(?1, ?2)", &log->set_meta, err);

    rc = rc != E_OK
             ? rc
             : prepare(log, "INSERT INTO raft_log VALUES(?1, ?2, ?3, ?4)", &log->insert, err);
    rc =
        rc != E_OK ? rc : prepare(log, "DELETE FROM raft_log WHERE idx >= ?1", &log->truncate, err);
    rc = rc != E_OK ? rc : prepare(log, "DELETE FROM raft_log WHERE idx <= ?1", &log->trim, err);
    return rc != E_OK ? rc
                      : prepare(log, "INSERT OR REPLACE INTO snap VALUES(1, ?1, ?2, ?3)",
                                &log->snapshot, err);
}

int consensus_log_open(struct consensus_log *log, const char *path, const char *vfs,
                       uint64_t cluster_id, bool is_sync, struct error *err)
{
    static const char schema[] =
        "CREATE TABLE IF NOT EXISTS raft_meta(k TEXT PRIMARY KEY, v INT) WITHOUT ROWID;"
        "CREATE TABLE IF NOT EXISTS raft_log(idx INTEGER PRIMARY KEY, term INT, type INT, data "
        "BLOB);"
        "CREATE TABLE IF NOT EXISTS snap(id INTEGER PRIMARY KEY, idx INT, term INT, data BLOB)";

    assert(log != NULL && path != NULL);
    *log = (struct consensus_log){0};
    if (sqlite3_open_v2(path, &log->db,
                        SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX,
                        vfs) != SQLITE_OK) {
        return failed(log, err, path);
    }
    /* EXCLUSIVE before the first access, so that no shared memory is used. */
    int rc = run(log, "PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL", err);
    rc = rc != E_OK
             ? rc
             : run(log, is_sync ? "PRAGMA synchronous = FULL" : "PRAGMA synchronous = NORMAL", err);
    rc = rc != E_OK ? rc : run(log, schema, err);
    rc = rc != E_OK ? rc : prepare_all(log, err);
    return rc != E_OK ? rc : check_identity(log, cluster_id, err);
}

void consensus_log_close(struct consensus_log *log)
{
    assert(log != NULL);
    sqlite3_finalize(log->set_meta);
    sqlite3_finalize(log->insert);
    sqlite3_finalize(log->truncate);
    sqlite3_finalize(log->trim);
    sqlite3_finalize(log->snapshot);
    sqlite3_close(log->db);
    *log = (struct consensus_log){0};
}

/* ---- reading ---- */

int consensus_log_start(struct consensus_log *log, struct consensus_log_start *start,
                        struct error *err)
{
    sqlite3_stmt *statement = NULL;
    bool is_there;

    *start = (struct consensus_log_start){0};
    int rc = read_meta(log, "term", &start->term, &is_there, err);
    rc = rc != E_OK ? rc : read_meta(log, "vote", &start->vote, &is_there, err);
    rc = rc != E_OK
             ? rc
             : prepare(log, "SELECT max(idx), max(term), (SELECT count(*) FROM raft_log) FROM snap",
                       &statement, err);
    if (rc != E_OK) {
        return rc;
    }
    if (sqlite3_step(statement) != SQLITE_ROW) {
        rc = failed(log, err, "reading the Raft log");
    } else {
        start->snapshot_index = (uint64_t)sqlite3_column_int64(statement, 0);
        start->snapshot_term = (uint64_t)sqlite3_column_int64(statement, 1);
        start->entry_count = (uint64_t)sqlite3_column_int64(statement, 2);
    }
    sqlite3_finalize(statement);
    return rc;
}

int consensus_log_each(struct consensus_log *log, consensus_log_entry_fn visit, void *ctx,
                       struct error *err)
{
    sqlite3_stmt *statement = NULL;
    int rc =
        prepare(log, "SELECT idx, term, type, data FROM raft_log ORDER BY idx", &statement, err);

    if (rc != E_OK) {
        return rc;
    }
    int got;
    while ((got = sqlite3_step(statement)) == SQLITE_ROW) {
        const void *data = sqlite3_column_blob(statement, 3);
        visit(ctx, (uint64_t)sqlite3_column_int64(statement, 0),
              (uint64_t)sqlite3_column_int64(statement, 1), sqlite3_column_int(statement, 2),
              slice_of(data, (size_t)sqlite3_column_bytes(statement, 3)));
    }
    if (got != SQLITE_DONE) {
        rc = failed(log, err, "reading the Raft log");
    }
    sqlite3_finalize(statement);
    return rc;
}

int consensus_log_snapshot(struct consensus_log *log, struct bytes *out, struct error *err)
{
    sqlite3_stmt *statement = NULL;
    int rc = prepare(log, "SELECT data FROM snap WHERE id = 1", &statement, err);

    if (rc != E_OK) {
        return rc;
    }
    if (sqlite3_step(statement) == SQLITE_ROW) {
        const void *data = sqlite3_column_blob(statement, 0);
        bytes_append(out, data, (size_t)sqlite3_column_bytes(statement, 0));
    } else {
        rc = error_set(err, E_CORRUPT, "the snapshot of the coordinator's state is gone");
    }
    sqlite3_finalize(statement);
    return rc;
}

/* ---- writing ---- */

int consensus_log_vote(struct consensus_log *log, uint64_t term, uint64_t vote, struct error *err)
{
    int rc = write_meta(log, "term", term, err);

    return rc != E_OK ? rc : write_meta(log, "vote", vote, err);
}

int consensus_log_truncate(struct consensus_log *log, uint64_t index, struct error *err)
{
    int rc = begin(log, err);

    if (rc != E_OK) {
        return rc;
    }
    sqlite3_bind_int64(log->truncate, 1, (sqlite3_int64)index);
    return step(log, log->truncate, err);
}

int consensus_log_append(struct consensus_log *log, uint64_t index, uint64_t term, int type,
                         struct slice data, struct error *err)
{
    int rc = begin(log, err);

    if (rc != E_OK) {
        return rc;
    }
    sqlite3_bind_int64(log->insert, 1, (sqlite3_int64)index);
    sqlite3_bind_int64(log->insert, 2, (sqlite3_int64)term);
    sqlite3_bind_int(log->insert, 3, type);
    sqlite3_bind_blob(log->insert, 4, data.size == 0 ? (const void *)"" : data.data, (int)data.size,
                      SQLITE_STATIC);
    return step(log, log->insert, err);
}

int consensus_log_save(struct consensus_log *log, uint64_t index, uint64_t term, struct slice data,
                       uint64_t trim, struct error *err)
{
    int rc = begin(log, err);

    if (rc != E_OK) {
        return rc;
    }
    sqlite3_bind_int64(log->snapshot, 1, (sqlite3_int64)index);
    sqlite3_bind_int64(log->snapshot, 2, (sqlite3_int64)term);
    sqlite3_bind_blob(log->snapshot, 3, data.data, (int)data.size, SQLITE_STATIC);
    rc = step(log, log->snapshot, err);
    if (rc == E_OK) {
        sqlite3_bind_int64(log->trim, 1, (sqlite3_int64)trim);
        rc = step(log, log->trim, err);
    }
    return rc;
}

int consensus_log_commit(struct consensus_log *log, struct error *err)
{
    if (!log->is_open) {
        return E_OK;
    }
    log->is_open = false;
    return run(log, "COMMIT", err);
}

void consensus_log_rollback(struct consensus_log *log)
{
    sqlite3_reset(log->set_meta);
    sqlite3_reset(log->insert);
    sqlite3_reset(log->truncate);
    sqlite3_reset(log->trim);
    sqlite3_reset(log->snapshot);
    log->is_open = false;
    /* SQLite has rolled back by itself after some errors. */
    if (sqlite3_get_autocommit(log->db) == 0) {
        (void)run(log, "ROLLBACK", NULL);
    }
}
