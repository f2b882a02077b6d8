/*
 * transaction.h -- what one request or session has read and is to write, and its commit.
 *
 *   OPEN -> (reads, changes) -> COMMITTING -> COMMITTED | ABORTED | UNKNOWN
 *
 * Changes are buffered per shard until the commit. Nothing to write: reads of one shard in one request need
 * nothing more; else VALIDATE at each shard after the last read. Writes on one shard (and reads on no other):
 * COMMIT1 to its primary. Else TXN to the coordinator. Rules: reference/replication.md 3.3.
 *
 * Ids of new elements come from blocks leased from the coordinator (remote keeps one block ahead a graph).
 *
 * Pure. Limits: CHANGE_COUNT_MAX changes, MESSAGE_BODY_MAX bytes a shard.
 */
#ifndef ROUTER_REMOTE_TRANSACTION_H
#define ROUTER_REMOTE_TRANSACTION_H

#include "common/change.h"
#include "router/op/op.h"

struct transaction;

/* The graph of the transaction, in the current map; null if it was dropped. */
const struct shardmap_graph *transaction_graph(const struct transaction *txn, const struct exec *exec);

/* Buffers one change for the owner of change->vertex. E_LIMIT if there are too many. Copies what it needs. */
int transaction_change(struct transaction *txn, struct exec *exec, const struct change *change,
                       struct error *err);
/* Number of changes so far: element values read before a change are stale after it (element.h: seen). */
uint32_t transaction_change_count(const struct transaction *txn);

/* A new id for a vertex, or for an edge whose out vertex is `near` (chosen so that the shard of the id is the
 * shard of `near` where the partitioner allows it). BATCH: *id is set; WAIT: a lease is under way; ERROR. */
enum pull transaction_new_id(struct transaction *txn, struct exec *exec, const struct vid *near,
                             int64_t *id);

#endif
