/*
 * ids.h -- ids of one graph that a coordinator has leased to this router, one block in use, one
 * ahead.
 *
 * An edge's id shall fall into the shard of its out vertex, so that E(id) asks one shard. Ids come
 * in order; those that fall elsewhere are laid aside for the shard that they fall into, a few for
 * each.
 *
 * Pure. Limits: IDS_ASIDE laid aside a shard, what is more is given up (there are 2^53).
 */
#ifndef ROUTER_REMOTE_IDS_H
#define ROUTER_REMOTE_IDS_H

#include "common/shardmap.h"

enum {
    IDS_BLOCK = 1 << 16, /* Ids asked for at a time. */
    IDS_ASIDE = 32
};

struct ids_aside {
    uint32_t count;
    int64_t ids[IDS_ASIDE];
};

struct ids {
    uint32_t graph;
    uint64_t next, end;             /* The block in use. */
    uint64_t ahead_next, ahead_end; /* The one behind it. */
    uint64_t map_version;           /* Of the ranges that `aside` is for. */
    uint32_t shard_count;
    struct ids_aside *aside;
};

void ids_close(struct ids *ids);
/* A block was leased; a third one is given up. */
void ids_add(struct ids *ids, uint64_t first, uint64_t count);
/* The block in use is given up, with what was laid aside of it. */
void ids_skip(struct ids *ids);
/* A block should be asked for. */
bool ids_is_low(const struct ids *ids);
/* False: no id left. */
bool ids_next(struct ids *ids, int64_t *id);
/* The same for an id in the shard of `near`, under HASH. */
bool ids_next_near(struct ids *ids, const struct shardmap *map, const struct vid *near,
                   int64_t *id);

#endif
