/*
 * coordinator_core.h -- the facade of coordinator as a core that common/host.h and `cardea dev`
 * drive.
 */
#ifndef COORDINATOR_COORDINATOR_CORE_H
#define COORDINATOR_COORDINATOR_CORE_H

#include "common/host.h"
#include "coordinator/coord.h"

/* Keeps the coord. */
struct host_core coordinator_core(struct coord *coord);

#endif
