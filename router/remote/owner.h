/*
 * owner.h -- which shard owns an id, for tens of thousands of ids at a time.
 *
 * The same answer as shardmap_lookup. Under hash partitioning the bounds of the shards are kept as
 * numbers, so that an id costs one hash and a binary search over integers.
 *
 * Pure. Ownership: keeps the map until owner_close; owns its table.
 */
#ifndef ROUTER_REMOTE_OWNER_H
#define ROUTER_REMOTE_OWNER_H

#include "common/shardmap.h"

struct owner {
    const struct shardmap *map;
    const struct shardmap_graph *graph;
    uint64_t
        *lows; /* First eight bytes of each shard's lo; null: bounds that do not fit, or RANGE. */
};

void owner_init(struct owner *owner, const struct shardmap *map,
                const struct shardmap_graph *graph);
void owner_close(struct owner *owner);
/* Index among the shards of the graph, 0 .. graph->shard_count - 1. */
uint32_t owner_find(const struct owner *owner, const struct vid *id);

#endif
