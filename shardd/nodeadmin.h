/*
 * nodeadmin.h -- ADMIN at a shard node: what the operator's tool asks of the files themselves.
 *
 * request: a MAP (common/codec.h); reply: ADMIN_REPLY with a MAP, or REFUSED.
 *   {verb: "stats"}                            {node, boot, map, shards: [{shard, graph, epoch,
 *   ...}]}
 *   {verb: "verify", shard}                    {shard, faults: [text ...], fault_count}
 *   {verb: "symmetry", shard}                  {shard, applied, far: [{shard, out_count, in_count,
 *   out_sum, in_sum}]} {verb: "halves", shard, far, direction: "out"|"in", skip}
 *                                              {halves: [edge, hash, vertex, far ...], more}
 * The tool calls with skip 0, then with what it has, until `more` is false. Sums of two shards can
 * be compared only if `applied` of both stood still between two calls.
 *
 * Limits: one request a turn; NODEADMIN_HALVES halves a reply, NODEADMIN_FAULTS texts.
 */
#ifndef SHARDD_NODEADMIN_H
#define SHARDD_NODEADMIN_H

#include "common/outbox.h"

struct node;

enum { NODEADMIN_HALVES = 8192, NODEADMIN_FAULTS = 100, NODEADMIN_WAITING_MAX = 64 };

void nodeadmin_close(struct node *node);
/* Queues a request. */
void nodeadmin_take(struct node *node, const struct message *message, struct outbox *out);
bool nodeadmin_is_due(const struct node *node);
/* Carries out one. Problems are told to the tool; those of the disk are fatal elsewhere. */
void nodeadmin_turn(struct node *node, struct outbox *out);

#endif
