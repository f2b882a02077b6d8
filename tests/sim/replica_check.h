/*
 * replica_check.h -- is what clients were told possible?
 *
 * All writes append to one list, so the order of committed entries is the only order there can be:
 * a history is linearizable if each answer's position in it agrees with real time. A write is at
 * its own position; a read saw all up to its position.
 *
 * Pure.
 */
#ifndef TESTS_SIM_REPLICA_CHECK_H
#define TESTS_SIM_REPLICA_CHECK_H

#include "tests/sim/replica_world.h"

/* Looks at ops that are done; faults go to the world. */
void replica_check_history(struct world *world);
/* After healing: a primary serves, all replicas are in sync and hold what was acknowledged. */
void replica_check_end(struct world *world);

#endif
