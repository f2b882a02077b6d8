/*
 * state_configure.h -- the part of state_apply that changes who holds shards: ALTER, FAILOVER,
 * HANDOVER, REPLICAS, GRAPH_SET.
 *
 * Finds what a command speaks of, lets the rules of replicaset.h decide, and raises the map's
 * version if something changed.
 *
 * Pure.
 */
#ifndef COORDINATOR_STATE_CONFIGURE_H
#define COORDINATOR_STATE_CONFIGURE_H

#include "coordinator/state.h"

void state_configure(struct state *state, const struct state_command *command,
                     struct state_result *result);
/* The numbers of a GRAPH_CREATE or GRAPH_SET can be; else the result says what is wrong. */
bool state_configure_are_counts(const struct state_command *command, struct state_result *result);

#endif
