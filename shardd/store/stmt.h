/*
 * stmt.h -- the SQLite connection of one shard's file and its prepared statements (stmt.def).
 *
 * Ids are stored as they compare: numbers as INTEGER, texts as BLOB; SQLite orders them as
 * vid_order does. Columns have no affinity, so nothing is converted.
 *
 * Shell: SQLite. One connection, one thread.
 */
#ifndef SHARDD_STORE_STMT_H
#define SHARDD_STORE_STMT_H

#include <sqlite3.h>
#include <stdbool.h>

#include "common/error.h"
#include "common/vid.h"

enum stmt_id {
#define STMT(name, sql) STMT_##name,
#include "shardd/store/stmt.def"
#undef STMT
    STMT_COUNT
};

struct stmt {
    sqlite3 *db;
    sqlite3_stmt *list[STMT_COUNT];
    uint64_t statements; /* Run since open. */
    uint64_t rows;       /* Stepped over since open. */
    int synchronous;     /* As set now: 1 NORMAL, 2 FULL; 0 unknown. */
    struct error damage; /* The first thing that SQLite or a checksum found damaged: E_CORRUPT. */
};

/* Opens and, if the file is new, makes the tables. A file of an earlier format is brought up to
 * date: upgrade.h. */
int stmt_open(struct stmt *stmt, const char *path, const char *vfs, size_t cache_bytes,
              struct error *err);
void stmt_close(struct stmt *stmt);
/* A pragma or table definition. */
int stmt_exec(struct stmt *stmt, const char *sql, struct error *err);
/* 1: NORMAL, 2: FULL. Outside transactions. */
int stmt_synchronous(struct stmt *stmt, int level, struct error *err);

/* Ready to bind. Whoever steps it to a row resets it with stmt_reset. */
sqlite3_stmt *stmt_get(struct stmt *stmt, enum stmt_id id);
/* 1: a row; 0: done, and reset; else an error, and reset. */
int stmt_step(struct stmt *stmt, enum stmt_id id, struct error *err);
/* For statements without rows. */
int stmt_run(struct stmt *stmt, enum stmt_id id, struct error *err);
void stmt_reset(struct stmt *stmt, enum stmt_id id);
/* E_IO, E_LIMIT (disk full), or E_CORRUPT: noted in stmt->damage too, with file and page. */
int stmt_error(struct stmt *stmt, int rc, const char *what, struct error *err);

void stmt_bind_vid(sqlite3_stmt *s, int at, const struct vid *vid);
/* Memory stays the caller's until the statement is reset. */
void stmt_bind_slice(sqlite3_stmt *s, int at, struct slice slice);
/* Points into SQLite's memory: valid until the next step or reset. False if it is no id. */
bool stmt_column_vid(sqlite3_stmt *s, int at, struct vid *out);
struct slice stmt_column_slice(sqlite3_stmt *s, int at);

#endif
