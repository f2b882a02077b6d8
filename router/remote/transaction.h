/*
 * transaction.h -- what one request or session has read and is to write, and its commit.
 *
 *   OPEN -> (reads, changes) -> COMMITTING -> COMMITTED | ABORTED | UNKNOWN
 *
 * Changes are buffered per shard until the commit. Nothing to write: reads of one shard in one
 * request need nothing more; else VALIDATE at each shard after the last read. Writes on one shard
 * (and reads on no other): COMMIT1 to its primary. Else TXN to the coordinator. Rules:
 * reference/replication.md 3.3.
 *
 * Ids of new elements come from blocks leased from the coordinator (remote keeps one block ahead a
 * graph).
 *
 * Pure. Limits: CHANGE_COUNT_MAX changes, MESSAGE_BODY_MAX bytes in all, TXN_SHARDS_MAX shards.
 */
#ifndef ROUTER_REMOTE_TRANSACTION_H
#define ROUTER_REMOTE_TRANSACTION_H

#include "common/change.h"
#include "common/read.h"
#include "router/op/op.h"
#include "router/remote/remote.h"
#include "router/remote/staging.h"

enum transaction_state {
    TRANSACTION_OPEN,
    TRANSACTION_COMMITTING,
    TRANSACTION_COMMITTED,
    TRANSACTION_ABORTED, /* error: E_CONFLICT (run it again), E_EXISTS, E_NOT_FOUND ... */
    TRANSACTION_UNKNOWN  /* error: E_UNKNOWN_OUTCOME with the id to ask for. */
};

/* What it read from and is to write on one shard. */
struct transaction_part {
    struct transaction *txn;
    uint32_t shard;
    struct staging staging;
    struct txn_readset readset;
    struct remote_request validate;
};

struct transaction {
    struct remote *remote;
    struct transaction *next; /* Of remote's open ones. */
    uint64_t generation;      /* Of maps, when it began. */
    uint32_t graph;
    enum transaction_state state;
    bool is_woken;    /* Something that it waits for has come: pull again. */
    bool has_new_ids; /* Of its own making: they may turn out to be taken. */
    bool is_spread;   /* Its reads are not of one moment at one shard: they must be validated. */
    uint32_t replies; /* READ_REPLYs taken. */
    uint32_t change_count;
    size_t change_bytes;
    struct transaction_part **parts;
    uint32_t part_count, part_room;
    uint32_t validating; /* VALIDATEs without answer. */
    uint64_t sid;        /* Under which it was first sent. */
    uint64_t seq;        /* 0: none. */
    uint64_t sent_term;  /* Of the latest TXN. */
    struct remote_request commit;
    struct error error;
};

/* How far it was: for undoing what one request of a session buffered. */
struct transaction_mark {
    uint32_t part_count;
    uint32_t change_count;
    size_t change_bytes;
    uint32_t *counts; /* Of the parts. */
};

/* ---- for the router ---- */

struct transaction *transaction_new(struct remote *remote, uint32_t graph);
/* Nulls the pointer, accepts null. A commit under way is given up: its outcome stays open. */
void transaction_free(struct transaction **txn);
void transaction_mark(const struct transaction *txn, struct arena *arena,
                      struct transaction_mark *mark);
/* Changes since the mark are forgotten; what was read stays in the read set. */
void transaction_undo(struct transaction *txn, const struct transaction_mark *mark);
/* Starts the commit; the state says what came of it, at once or after a wake. deadline_ms: then
 * UNKNOWN. */
void transaction_commit(struct transaction *txn, uint64_t deadline_ms);

/* ---- for fetches ---- */

/* The changes of a shard so far that the read can see; nothing if there are none. */
void transaction_staged(const struct transaction *txn, uint32_t shard,
                        const struct read_request *read, struct bytes *out);
/* Takes what a reply of the shard says that was read. E_LIMIT: too many shards. */
int transaction_read(struct transaction *txn, uint32_t shard, const struct read_head *head,
                     struct error *err);

/* ---- for operators ---- */

/* The graph of the transaction, in the current map; null if it was dropped. */
const struct shardmap_graph *transaction_graph(const struct transaction *txn,
                                               const struct exec *exec);

/* Buffers one change for the owner of change->vertex. E_LIMIT if there are too many. Copies what it
 * needs. */
int transaction_change(struct transaction *txn, struct exec *exec, const struct change *change,
                       struct error *err);
/* The same when the owner is known. */
int transaction_change_at(struct transaction *txn, uint32_t shard, const struct change *change,
                          struct error *err);
/* Both halves of a change to an edge. `out` is the half of the edge's source: direction OUT, vertex
 * the source, far the destination, far_label that of the destination; out_label: of the source. */
int transaction_edge(struct transaction *txn, struct exec *exec, const struct change *out,
                     struct slice out_label, struct error *err);
/* The claim that goes with the half `out` of an edge that comes or goes, and the index of its shard
 * in the map (change.h). False: none is needed. */
bool transaction_claim(const struct shardmap *map, const struct shardmap_graph *graph,
                       const struct change *out, struct change *claim, uint32_t *shard);
/* Number of changes so far: element values read before a change are stale after it (element.h:
 * seen). */
uint32_t transaction_change_count(const struct transaction *txn);

/* A new id for a vertex, or for an edge whose out vertex is `near` (chosen so that the shard of the
 * id is the shard of `near` where the partitioner allows it). BATCH: *id is set; WAIT: a lease is
 * under way; ERROR. */
enum pull transaction_new_id(struct transaction *txn, struct exec *exec, const struct vid *near,
                             int64_t *id);

#endif
