/*
 * store.h -- one replica of a shard in one SQLite file: journal, data, indexes, counters.
 *
 * Two kinds of SQLite transaction (replication.md 2.3): L appends to the journal, synchronous=FULL,
 * one for all that arrived; A applies entries to the tables, synchronous=NORMAL, redone from the
 * journal after a power cut. Reads see what was applied.
 *
 * Durable and committed are two things: an entry is durable when store_append has returned, and
 * committed when the caller knows that no other journal can take its place. Only what is committed
 * is applied (store_apply), so an open applies nothing, and what is durable and not applied can
 * still be taken back (store_append). One connection does everything,
 * checkpoints included (wal_autocheckpoint=0; store_tend runs PASSIVE ones), because of the WAL
 * reset race before 3.51.3.
 *
 * A failed fsync or write of the journal ends the process (E_IO from append is fatal to the
 * caller): pages may be marked clean. A full disk is E_LIMIT: rolled back, nothing appended, try
 * later.
 *
 * Shell: SQLite. One thread.
 */
#ifndef SHARDD_STORE_STORE_H
#define SHARDD_STORE_STORE_H

#include "common/read.h"
#include "common/shardmap.h"
#include "shardd/replica/item.h"

enum store_entry_kind {
    STORE_NOOP = 1,    /* Start of an epoch. */
    STORE_TXN1 = 2,    /* varint sid, seq, low_seq; changes (varint count, change...). */
    STORE_PREPARE = 3, /* As the PREPARE message: txn_prepare_encode, read set included. */
    STORE_COMMIT = 4,  /* gtid: two varints; watermark: two varints. */
    STORE_ABORT = 5,   /* The same. */
    STORE_SCHEMA = 6   /* varint version, count; of each index blobs: name, label, key. */
};

enum { STORE_HOLD_BYTES = 1 << 30, STORE_HOLD_ENTRIES = 1 << 20 };

struct store_entry {
    uint64_t index; /* From 1, without gaps. */
    uint64_t epoch;
    enum store_entry_kind kind;
    struct slice body;
};

struct store_options {
    const char *path;
    const char *vfs; /* SQLite VFS name; null: the default. The simulator gives its fault VFS. */
    uint64_t cluster_id;
    uint64_t incarnation; /* Of the cluster: a file that has none takes it; 0: not asked. */
    uint32_t shard;
    uint32_t graph;
    enum shardmap_partitioner partitioner;
    enum shardmap_ids ids;
    struct slice lo; /* Written at creation, compared at each open. */
    struct slice hi;
    size_t cache_bytes;           /* SQLite's page cache. */
    size_t adjacency_cache_bytes; /* Decoded hot adjacency. */
    bool is_sync;                 /* durability = "sync": L transactions with FULL; else NORMAL. */
};

/* What the participant core needs to know after a start. */
struct store_state {
    uint64_t promised_epoch;
    uint64_t first;      /* Journal: lowest index kept; 0 if empty. */
    uint64_t base_epoch; /* Of the entry before it, which is trimmed; 0: there was none. */
    uint64_t last;       /* Highest durable index. */
    uint64_t last_epoch; /* Its epoch. */
    uint64_t applied;
    bool has_granted; /* A lease was granted by this replica, at some time. */
    uint64_t schema_version;
    struct txn_gtid watermark; /* Transactions below are finished and forgotten. */
};

/* Counters since open, for tests and stats. */
struct store_counters {
    uint64_t statements, rows, pages_written, wal_frames, syncs, journal_bytes, checkpoints;
    uint64_t checkpoint_us; /* Spent in them. */
    uint64_t pages_hit, pages_missed;         /* SQLite's page cache. */
    uint64_t adjacency_hit, adjacency_missed; /* adjcache.h. */
    uint64_t scanned; /* Rows and edges that reads looked at, those in the cache included. */
};

struct store;

/* Opens, creating the file if it is not there.
 * Returns E_CONFIG for a file of another cluster, incarnation, shard or format; E_CORRUPT; E_IO. */
int store_open(struct store **store, const struct store_options *options, struct error *err);
void store_close(struct store **store);
/* Closes, and drops the file with its -wal: storefile_drop. */
int store_destroy(struct store **store, struct error *err);

struct store_state store_state(const struct store *store);
/* E_CORRUPT once a page that was read did not match its checksum, or SQLite found its structure
 * broken: err tells file, page and what to do. No later answer is to be trusted. Else E_OK. */
int store_damage(const struct store *store, struct error *err);

/* ---- L: journal ---- */

/* What one durable commit does to the journal. */
struct store_append {
    uint64_t truncate; /* First takes back the entries from here on, none applied; 0: none. */
    const struct store_entry *entries; /* They continue at the last index + 1. */
    size_t count;
    uint64_t promise; /* Raises the promised epoch; 0, or a lower one: as it was. */
    bool has_granted; /* Remembers that a lease may be out (replica/replication.h). */
};

int store_append(struct store *store, const struct store_append *append, struct error *err);
/* For each run of entries of one epoch in the journal, ascending: its first index. */
typedef void (*store_epoch_fn)(void *ctx, uint64_t first, uint64_t epoch);
int store_each_epoch(struct store *store, store_epoch_fn visit, void *ctx, struct error *err);
/* Gives the entry's body in the arena. E_NOT_FOUND if trimmed. */
int store_entry(struct store *store, uint64_t index, struct arena *arena, struct store_entry *out,
                struct error *err);

/* ---- A: apply ---- */

/* Applies durable entries up to and including index, in one SQLite transaction. They are
 * committed: the caller answers for that. */
int store_apply(struct store *store, uint64_t index, struct error *err);

/* What a start has to rebuild in memory: prepared transactions, finished ones, session outcomes. */
typedef void (*store_prepared_fn)(void *ctx, uint64_t index, const struct txn_prepare *prepare);
typedef void (*store_finished_fn)(void *ctx, struct txn_gtid gtid, bool is_committed);
typedef void (*store_session_fn)(void *ctx, uint64_t sid, uint64_t seq, uint64_t index);
int store_each_prepared(struct store *store, store_prepared_fn visit, void *ctx, struct error *err);
int store_each_finished(struct store *store, store_finished_fn visit, void *ctx, struct error *err);
int store_each_session(struct store *store, store_session_fn visit, void *ctx, struct error *err);
/* Lets go of the outcomes of a session that has ended. */
int store_end_session(struct store *store, uint64_t sid, struct error *err);

/* ---- validation, against what is applied ---- */

/* E_OK if the changes can be applied as they are: existence of vertices and edges, ranges [lo,hi),
 * limits. Else E_EXISTS, E_NOT_FOUND, E_CONFLICT, E_WRONG_EPOCH (key not of this shard) with a
 * text. */
int store_check(struct store *store, struct slice changes, struct error *err);
/* All items that the changes touch, those of replaced values included. Call before they are
 * applied. */
int store_items(struct store *store, struct slice changes, item_visit_fn visit, void *ctx,
                struct error *err);

/* ---- reads ---- */

/* Budget of one call, so that cancels and pings are heard: when it is used up the reply has a
 * cursor. At least one row is looked at. */
struct store_budget {
    uint64_t rows;            /* Rows and edges looked at, at most; 0: no limit. */
    uint64_t bytes;           /* Of reply body, at most. */
    uint64_t (*micros)(void); /* The host's clock; null: none. */
    uint64_t end_us;          /* By `micros`: when the call ends. */
};

/* Writes the body of READ_REPLY. Staged changes are applied and rolled back. */
int store_read(struct store *store, const struct read_request *request,
               const struct store_budget *budget, struct bytes *reply, struct error *err);

/* ---- upkeep ---- */

/* Another replica still needs the journal from this index on; UINT64_MAX: none does. It is kept
 * from there while it is not larger than STORE_HOLD_BYTES and STORE_HOLD_ENTRIES. */
void store_hold(struct store *store, uint64_t index);

/* Called when idle and now and then: passive checkpoints, trims of the journal (keep `keep`
 * entries, and at most 4 MiB, or an eighth of the file if that is more), chunks of index building.
 * Returns true if there is more to do. */
bool store_tend(struct store *store, uint64_t keep, struct error *err);
struct store_counters store_counters(const struct store *store);
/* Vertices and edges by label, exact (each edge counted at its out half). */
typedef void (*store_count_fn)(void *ctx, bool is_edge, struct slice label, uint64_t count);
int store_each_count(struct store *store, store_count_fn visit, void *ctx, struct error *err);
uint64_t store_file_bytes(struct store *store);
/* The file may have at most so many pages; more is E_LIMIT, as on a full disk. */
void store_limit_pages(struct store *store, uint32_t pages);

/* ---- fsck (store_check_*.c) ---- */

typedef void (*store_fault_fn)(void *ctx, const char *what);
/* Reads each page of the file past the cache: E_CORRUPT, after saying each, if one does not match
 * its checksum. Recomputes degrees, counters, indexes, edge places from the adjacency and vertex
 * rows; says each difference. Also gives, for the cross-shard check, one 128-bit sum of hashes of
 * (edge id, label, ends, properties) per shard of the far end: out halves towards it and in halves
 * from it. */
struct store_symmetry {
    uint64_t out_count, in_count;
    uint64_t out_sum[2], in_sum[2];
    /* Claims of edge ids (change.h): those that edges of this shard need at that one, and those
     * that are here for edges of that one. */
    uint64_t needed_count, claim_count;
    uint64_t needed_sum[2], claim_sum[2];
};
int store_verify(struct store *store, store_fault_fn fault, void *ctx, struct error *err);
/* far_shard tells which shard a vertex id belongs to: index below shard_count. */
int store_symmetry(struct store *store, uint32_t (*far_shard)(void *ctx, const struct vid *far),
                   void *ctx, struct store_symmetry *sums, uint32_t shard_count, struct error *err);
/* Lists the halves towards one far shard, for finding which differ when sums do: sorted by edge
 * id. */
typedef void (*store_half_fn)(void *ctx, const struct vid *edge, uint64_t hash,
                              const struct vid *vertex, const struct vid *far);
int store_each_half(struct store *store, uint8_t direction, store_half_fn visit, void *ctx,
                    struct error *err);
/* The claims of edge ids that are here, in order of ids. */
int store_each_claim(struct store *store, store_half_fn visit, void *ctx, struct error *err);
/* What store_each_half and store_each_claim give as hash is not the same: this is that of a claim.
 */
uint64_t store_claim_hash(const struct vid *edge, const struct vid *source, const struct vid *far);

#endif
