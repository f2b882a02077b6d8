/*
 * idset.h -- distinct ids of vertices or edges, numbered in the order in which they came.
 *
 * Pure. Ownership: on the heap, close it; texts of ids are borrowed.
 * Limits: 2^31 ids.
 */
#ifndef ROUTER_OP_IDSET_H
#define ROUTER_OP_IDSET_H

#include "common/map.h"
#include "common/vid.h"

struct idset {
    struct map_index index;
    struct vid *ids;
    uint32_t count;
    uint32_t room;
};

void idset_close(struct idset *set);
void idset_clear(struct idset *set);
/* The place of the id, which is added if it was not there. */
uint32_t idset_add(struct idset *set, const struct vid *id);
/* MAP_NONE if it is not there. */
uint32_t idset_find(const struct idset *set, const struct vid *id);

#endif
