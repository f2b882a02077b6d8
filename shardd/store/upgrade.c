#include "shardd/store/upgrade.h"

#include <assert.h>
#include <sqlite3.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "shardd/store/pagesum.h"
#include "shardd/store/storefile.h"

enum { PATH_ROOM = 2048, SQL_ROOM = PATH_ROOM + 64 };

static int open_file(sqlite3 **db, const char *path, struct error *err)
{
    int rc =
        sqlite3_open_v2(path, db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, pagesum_vfs(NULL));

    rc =
        rc == SQLITE_OK ? sqlite3_exec(*db, "PRAGMA locking_mode=EXCLUSIVE", NULL, NULL, NULL) : rc;
    return rc == SQLITE_OK ? E_OK : error_set(err, E_CONFIG, "%s: %s", path, sqlite3_errstr(rc));
}

/* The format as the file has it in meta: 1, or else its pages have lost their sums. */
static int check_format(sqlite3 *db, const char *path, struct error *err)
{
    sqlite3_stmt *s = NULL;
    bool is_first = false;
    int rc = sqlite3_prepare_v2(db, "SELECT v FROM meta WHERE k = 'format'", -1, &s, NULL);

    if (rc == SQLITE_OK && sqlite3_step(s) == SQLITE_ROW) {
        is_first =
            sqlite3_column_bytes(s, 0) == 1 && memcmp(sqlite3_column_blob(s, 0), "1", 1) == 0;
    }
    sqlite3_finalize(s);
    return is_first ? E_OK
                    : error_set(err, E_CORRUPT,
                                "%s: its pages have no checksums, but it is no file of format 1: "
                                "stop the node and put a good copy back",
                                path);
}

static int copy(const char *path, const char *made, struct error *err)
{
    sqlite3 *db = NULL;
    char sql[SQL_ROOM];
    int rc = open_file(&db, path, err);

    if (rc == E_OK) {
        rc = check_format(db, path, err);
    }
    if (rc == E_OK) {
        sqlite3_snprintf(sizeof sql, sql, "VACUUM INTO %Q", made);
        if (pagesum_reserve(db) != SQLITE_OK ||
            sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK) {
            rc = error_set(err, E_CONFIG,
                           "%s: cannot be copied to the new format (it needs as much room again): "
                           "%s",
                           path, sqlite3_errmsg(db));
        }
    }
    (void)sqlite3_close(db); /* The last connection: its -wal goes into the file. */
    return rc;
}

/* The new format is told by the copy itself; FULL: all that was copied is on the disk then. */
static int finish(const char *made, struct error *err)
{
    sqlite3 *db = NULL;
    int rc = open_file(&db, made, err);

    if (rc == E_OK && sqlite3_exec(db,
                                   "PRAGMA synchronous=FULL;"
                                   "UPDATE meta SET v = CAST('2' AS BLOB) WHERE k = 'format'",
                                   NULL, NULL, NULL) != SQLITE_OK) {
        rc = error_set(err, E_CONFIG, "%s: %s", made, sqlite3_errmsg(db));
    }
    if (rc == E_OK && pagesum_state(db) != PAGESUM_ON) {
        rc = error_set(err, E_CONFIG, "%s: this SQLite makes no room for checksums", made);
    }
    (void)sqlite3_close(db);
    return rc;
}

int upgrade_run(const char *path, const char *vfs, struct error *err)
{
    char made[PATH_ROOM];

    assert(path != NULL);
    static_assert(UPGRADE_FORMAT == 2, "finish writes it");
    if (vfs != NULL) {
        return error_set(err, E_CONFIG, "%s: of format 1", path);
    }
    if (snprintf(made, sizeof made, "%s-new", path) >= (int)sizeof made) {
        return error_set(err, E_CONFIG, "%s: path too long", path);
    }
    int rc = storefile_delete(NULL, made, err);
    if (rc == E_OK) {
        rc = copy(path, made, err);
    }
    if (rc == E_OK) {
        rc = finish(made, err);
    }
    if (rc != E_OK) {
        (void)storefile_delete(NULL, made, NULL);
        return rc;
    }
    return storefile_replace(path, made, err);
}
