#include "shardd/store/stmt.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "shardd/store/pagesum.h"
#include "shardd/store/upgrade.h"

static const char *const texts[] = {
#define STMT(name, sql) sql,
#include "shardd/store/stmt.def"
#undef STMT
};

static const char *const names[] = {
#define STMT(name, sql) #name,
#include "shardd/store/stmt.def"
#undef STMT
};

static const char tables[] =
    "CREATE TABLE IF NOT EXISTS meta(k TEXT PRIMARY KEY, v) WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS journal(idx INTEGER PRIMARY KEY, epoch INT, kind INT, crc INT,"
    " body BLOB);"
    "CREATE TABLE IF NOT EXISTS symbol(n INTEGER PRIMARY KEY, name BLOB);"
    "CREATE TABLE IF NOT EXISTS counter(is_edge INT, label INT, n INT,"
    " PRIMARY KEY(is_edge, label)) WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS vertex(id PRIMARY KEY, label INT, degrees BLOB, props BLOB)"
    " WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS vertex_label(label INT, id, PRIMARY KEY(label, id)) WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS adjacency(dir INT, vertex, label INT, low, lowe, run BLOB,"
    " PRIMARY KEY(dir, vertex, label, low, lowe)) WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS place(low PRIMARY KEY, run BLOB) WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS idx_def(n INTEGER PRIMARY KEY, name BLOB, label BLOB, key BLOB,"
    " state INT, at);"
    "CREATE TABLE IF NOT EXISTS idx_value(n INT, k, id, PRIMARY KEY(n, k, id)) WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS prepared(term INT, counter INT, idx INT,"
    " PRIMARY KEY(term, counter)) WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS finished(term INT, counter INT, outcome INT,"
    " PRIMARY KEY(term, counter)) WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS session(sid INT, seq INT, idx INT, PRIMARY KEY(sid, seq))"
    " WITHOUT ROWID;";

static int damage(struct stmt *stmt, const char *what, const char *words, struct error *err)
{
    const char *path = stmt->db == NULL ? NULL : sqlite3_db_filename(stmt->db, "main");
    bool is_wal = false;
    uint32_t page = stmt->db == NULL ? 0 : pagesum_fault(stmt->db, &is_wal);
    struct error found = {0};

    path = path == NULL ? "" : path;
    if (page != 0) {
        error_set(&found, E_CORRUPT,
                  "%s%s: %s %u does not match its checksum: stop the node and put a good copy back",
                  path, is_wal ? "-wal" : "", is_wal ? "frame" : "page", page);
    } else {
        error_set(&found, E_CORRUPT, "%s: %s (%s): stop the node and put a good copy back", path,
                  words, what);
    }
    if (stmt->damage.code == E_OK) {
        stmt->damage = found;
    }
    if (err != NULL) {
        *err = found;
    }
    return E_CORRUPT;
}

int stmt_error(struct stmt *stmt, int rc, const char *what, struct error *err)
{
    const char *words = stmt->db == NULL ? sqlite3_errstr(rc) : sqlite3_errmsg(stmt->db);

    if (rc == SQLITE_IOERR_DATA || (rc & 0xff) == SQLITE_CORRUPT || (rc & 0xff) == SQLITE_NOTADB) {
        return damage(stmt, what, words, err);
    }
    return error_set(err, (rc & 0xff) == SQLITE_FULL ? E_LIMIT : E_IO, "%s: %s (SQLite %d)", what,
                     words, rc);
}

int stmt_exec(struct stmt *stmt, const char *sql, struct error *err)
{
    int rc = sqlite3_exec(stmt->db, sql, NULL, NULL, NULL);

    return rc == SQLITE_OK ? E_OK : stmt_error(stmt, rc, sql, err);
}

int stmt_synchronous(struct stmt *stmt, int level, struct error *err)
{
    int rc;

    assert(level == 1 || level == 2);
    if (stmt->synchronous == level) {
        return E_OK;
    }
    rc = stmt_exec(stmt, level == 2 ? "PRAGMA synchronous=FULL" : "PRAGMA synchronous=NORMAL", err);
    stmt->synchronous = rc == E_OK ? level : 0;
    return rc;
}

static int set_up(struct stmt *stmt, size_t cache_bytes, struct error *err)
{
    char cache[64];
    int rc;

    snprintf(cache, sizeof cache, "PRAGMA cache_size=-%zu", cache_bytes / 1024 + 64);
    rc = stmt_exec(stmt,
                   "PRAGMA page_size=4096; PRAGMA locking_mode=EXCLUSIVE;"
                   " PRAGMA journal_mode=WAL; PRAGMA wal_autocheckpoint=0;"
                   " PRAGMA secure_delete=OFF; PRAGMA temp_store=MEMORY;"
                   " PRAGMA journal_size_limit=4194304",
                   err);
    if (rc == E_OK) {
        rc = stmt_exec(stmt, cache, err);
    }
    if (rc == E_OK) {
        rc = stmt_synchronous(stmt, 2, err);
    }
    return rc == E_OK ? stmt_exec(stmt, tables, err) : rc;
}

static int open_file(struct stmt *stmt, const char *path, const char *vfs, struct error *err)
{
    int flags =
        SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
    int rc = sqlite3_open_v2(path, &stmt->db, flags, pagesum_vfs(vfs));

    if (rc == SQLITE_OK) {
        rc = pagesum_reserve(stmt->db);
    }
    return rc == SQLITE_OK ? E_OK : stmt_error(stmt, rc, path, err);
}

int stmt_open(struct stmt *stmt, const char *path, const char *vfs, size_t cache_bytes,
              struct error *err)
{
    int rc;

    *stmt = (struct stmt){0};
    /* One thread: no locks, no statistics. Refused, harmlessly, once SQLite has started. */
    (void)sqlite3_config(SQLITE_CONFIG_SINGLETHREAD);
    (void)sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
    rc = open_file(stmt, path, vfs, err);
    if (rc == E_OK && pagesum_state(stmt->db) == PAGESUM_OFF) {
        (void)sqlite3_close(stmt->db);
        *stmt = (struct stmt){0};
        rc = upgrade_run(path, vfs, err);
        rc = rc == E_OK ? open_file(stmt, path, vfs, err) : rc;
    }
    rc = rc == E_OK ? set_up(stmt, cache_bytes, err) : rc;
    for (int i = 0; i < STMT_COUNT && rc == E_OK; i++) {
        rc = sqlite3_prepare_v3(stmt->db, texts[i], -1, SQLITE_PREPARE_PERSISTENT, &stmt->list[i],
                                NULL);
        if (rc != SQLITE_OK) {
            rc = stmt_error(stmt, rc, names[i], err);
        }
    }
    if (rc != E_OK) {
        stmt_close(stmt);
    }
    return rc;
}

void stmt_close(struct stmt *stmt)
{
    for (int i = 0; i < STMT_COUNT; i++) {
        sqlite3_finalize(stmt->list[i]);
    }
    if (stmt->db != NULL) {
        sqlite3_close(stmt->db);
    }
    *stmt = (struct stmt){0};
}

sqlite3_stmt *stmt_get(struct stmt *stmt, enum stmt_id id)
{
    assert(id < STMT_COUNT);
    stmt->statements++;
    return stmt->list[id];
}

int stmt_step(struct stmt *stmt, enum stmt_id id, struct error *err)
{
    int rc = sqlite3_step(stmt->list[id]);

    if (rc == SQLITE_ROW) {
        stmt->rows++;
        return 1;
    }
    if (rc != SQLITE_DONE) {
        rc = stmt_error(stmt, rc, names[id], err);
    } else {
        rc = E_OK;
    }
    sqlite3_reset(stmt->list[id]);
    return rc;
}

int stmt_run(struct stmt *stmt, enum stmt_id id, struct error *err)
{
    int rc = stmt_step(stmt, id, err);

    assert(rc != 1);
    return rc;
}

void stmt_reset(struct stmt *stmt, enum stmt_id id)
{
    sqlite3_reset(stmt->list[id]);
}

void stmt_bind_vid(sqlite3_stmt *s, int at, const struct vid *vid)
{
    if (vid->text.data == NULL) {
        sqlite3_bind_int64(s, at, vid->num);
    } else {
        stmt_bind_slice(s, at, vid->text);
    }
}

void stmt_bind_slice(sqlite3_stmt *s, int at, struct slice slice)
{
    /* A null pointer would bind NULL: an empty blob is something else. */
    sqlite3_bind_blob64(s, at, slice.size == 0 ? (const void *)"" : slice.data, slice.size,
                        SQLITE_STATIC);
}

bool stmt_column_vid(sqlite3_stmt *s, int at, struct vid *out)
{
    int type = sqlite3_column_type(s, at);

    if (type == SQLITE_INTEGER) {
        *out = vid_num(sqlite3_column_int64(s, at));
        return true;
    }
    if (type == SQLITE_BLOB && sqlite3_column_bytes(s, at) <= VID_TEXT_MAX) {
        *out = vid_text(stmt_column_slice(s, at));
        return true;
    }
    return false;
}

struct slice stmt_column_slice(sqlite3_stmt *s, int at)
{
    const void *data = sqlite3_column_blob(s, at);

    return slice_of(data, (size_t)sqlite3_column_bytes(s, at));
}
