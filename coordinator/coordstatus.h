/*
 * coordstatus.h -- what operators see: nodes, graphs, shards, and first what is wrong with them.
 *
 * Answers are made of values in the coordinator's arena: see coordadmin.h for their shape.
 *
 * Shell; a part of the coordinator.
 */
#ifndef COORDINATOR_COORDSTATUS_H
#define COORDINATOR_COORDSTATUS_H

#include "coordinator/coord_inside.h"

/* The answer to "status". */
struct value coordstatus(struct coord *coord);
/* A LIST of graphs. */
struct value coordstatus_graphs(struct coord *coord);
/* What a node has said of its replica; null: nothing. */
const struct roster_replica *coordstatus_replica(const struct coord *coord, uint32_t node,
                                                 const struct state_shard *shard);
/* "1 3": the nodes of a set. */
struct value coordstatus_set(struct arena *arena, const struct nodeset *set);

#endif
