/*
 * nodemetrics.h -- what a shard node tells of itself: families for Prometheus, and why it is ready
 * or not.
 *
 * Labels: graph and shard, of the first NODEMETRICS_SHARDS replicas; the others are one, `shard =
 * "others"`, with the sum (of lags: the largest).
 */
#ifndef SHARDD_NODEMETRICS_H
#define SHARDD_NODEMETRICS_H

#include "common/bytes.h"

struct node;

enum { NODEMETRICS_SHARDS = 64 };

/* True: registered, each shard that this node leads is served, each other replica of its own is in
 * sync. So a roll-out that waits for it never takes the second replica of a shard away. */
bool nodemetrics_readiness(const struct node *node, struct bytes *out);
void nodemetrics_write(struct node *node, struct bytes *out);

#endif
