/*
 * consensus_log.h -- the Raft log of one coordinator in one SQLite file.
 *
 *   raft_meta(k, v)                 cluster, term, vote, format
 *   raft_log(idx, term, type, data) entries behind the snapshot, and a few before it
 *   snap(idx, term, data)           the newest snapshot of the state
 *
 * All that a turn changes is one transaction: consensus_log_begin ... consensus_log_commit, which
 * has reached the disk when it returns (WAL, synchronous=FULL). A failed commit is fatal: pages may
 * be marked clean.
 *
 * Shell: SQLite, one connection, locking_mode=EXCLUSIVE.
 */
#ifndef COORDINATOR_CONSENSUS_LOG_H
#define COORDINATOR_CONSENSUS_LOG_H

#include "common/bytes.h"
#include "common/error.h"

struct sqlite3;
struct sqlite3_stmt;

struct consensus_log {
    struct sqlite3 *db;
    struct sqlite3_stmt *set_meta;
    struct sqlite3_stmt *insert;
    struct sqlite3_stmt *truncate;
    struct sqlite3_stmt *trim;
    struct sqlite3_stmt *snapshot;
    bool is_open; /* Between begin and commit. */
};

/* What a start finds. */
struct consensus_log_start {
    uint64_t term;
    uint64_t vote;
    uint64_t snapshot_index; /* 0: none. */
    uint64_t snapshot_term;
    uint64_t entry_count;
};

/* is_sync: FULL; else NORMAL. Returns E_OK, E_CONFIG (another cluster, format), E_CORRUPT, E_IO. */
int consensus_log_open(struct consensus_log *log, const char *path, const char *vfs,
                       uint64_t cluster_id, bool is_sync, struct error *err);
void consensus_log_close(struct consensus_log *log);

int consensus_log_start(struct consensus_log *log, struct consensus_log_start *start,
                        struct error *err);
typedef void (*consensus_log_entry_fn)(void *ctx, uint64_t index, uint64_t term, int type,
                                       struct slice data);
/* All entries, ascending. */
int consensus_log_each(struct consensus_log *log, consensus_log_entry_fn visit, void *ctx,
                       struct error *err);
/* The snapshot's bytes are appended to out. */
int consensus_log_snapshot(struct consensus_log *log, struct bytes *out, struct error *err);

/* ---- writing; each begins a transaction if none is open ---- */

int consensus_log_vote(struct consensus_log *log, uint64_t term, uint64_t vote, struct error *err);
/* Deletes the entries from index on. */
int consensus_log_truncate(struct consensus_log *log, uint64_t index, struct error *err);
int consensus_log_append(struct consensus_log *log, uint64_t index, uint64_t term, int type,
                         struct slice data, struct error *err);
/* Replaces the snapshot and deletes the entries up to trim. */
int consensus_log_save(struct consensus_log *log, uint64_t index, uint64_t term, struct slice data,
                       uint64_t trim, struct error *err);
int consensus_log_commit(struct consensus_log *log, struct error *err);
/* Takes back what was written since the last commit: after E_LIMIT, a full disk. The same can be
 * written again later. */
void consensus_log_rollback(struct consensus_log *log);

#endif
