/*
 * coord_shards.h -- who holds and leads shards, between messages, failover.h and Raft.
 *
 *   SHARD_ALTER, SHARD_HANDOVER_DONE --> ALTER, HANDOVER --> applied --> NODE_CONFIG or REFUSED
 *   failover_tick --> FAILOVER, REPLICAS | SHARD_HANDOVER to a primary
 *
 * Shell. Part of coord.c's turn.
 */
#ifndef COORDINATOR_COORD_SHARDS_H
#define COORDINATOR_COORD_SHARDS_H

#include "coordinator/coord_inside.h"

/* Returns false if the message is none of these. */
bool coord_shards_message(struct coord *coord, const struct message *message);
void coord_shards_tick(struct coord *coord);
/* Answers a primary whose ALTER or HANDOVER was applied; false: the command is none of these. */
bool coord_shards_applied(struct coord *coord, uint64_t token, const struct state_command *command,
                          const struct state_result *result);

#endif
