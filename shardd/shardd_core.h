/*
 * shardd_core.h -- the facade of shardd as a core that common/host.h and `cardea dev` drive.
 */
#ifndef SHARDD_SHARDD_CORE_H
#define SHARDD_SHARDD_CORE_H

#include "common/host.h"
#include "shardd/shard.h"

/* Keeps the node. */
struct host_core shardd_core(struct node *node);

#endif
