#include "router/remote/ids.h"

#include "common/mem.h"
#include "router/remote/owner.h"

#include <assert.h>

enum {
    LOW_IDS = IDS_BLOCK / 4,
    TRIES_A_SHARD = 16 /* Then any id will do. */
};

void ids_close(struct ids *ids)
{
    mem_free(ids->aside);
    *ids = (struct ids){0};
}

void ids_add(struct ids *ids, uint64_t first, uint64_t count)
{
    assert(count > 0);
    if (ids->next == ids->end) {
        ids->next = first;
        ids->end = first + count;
    } else if (ids->ahead_next == ids->ahead_end) {
        ids->ahead_next = first;
        ids->ahead_end = first + count;
    }
}

void ids_skip(struct ids *ids)
{
    ids->next = ids->end;
    for (uint32_t i = 0; i < ids->shard_count; i++) {
        ids->aside[i].count = 0;
    }
}

bool ids_is_low(const struct ids *ids)
{
    return ids->ahead_next == ids->ahead_end && ids->end - ids->next < LOW_IDS;
}

bool ids_next(struct ids *ids, int64_t *id)
{
    if (ids->next == ids->end) {
        ids->next = ids->ahead_next;
        ids->end = ids->ahead_end;
        ids->ahead_next = ids->ahead_end = 0;
    }
    if (ids->next == ids->end) {
        return false;
    }
    *id = (int64_t)ids->next++;
    return true;
}

/* After a change of the map what was laid aside may fall elsewhere. */
static void follow_map(struct ids *ids, const struct shardmap *map,
                       const struct shardmap_graph *graph)
{
    if (ids->aside != NULL && ids->map_version == map->version) {
        return;
    }
    mem_free(ids->aside);
    ids->aside = mem_array(graph->shard_count, sizeof *ids->aside);
    ids->shard_count = graph->shard_count;
    ids->map_version = map->version;
}

static bool search(struct ids *ids, const struct owner *owner, uint32_t wanted, int64_t *id)
{
    uint32_t tries = TRIES_A_SHARD * ids->shard_count;

    while (ids_next(ids, id)) {
        struct vid vid = vid_num(*id);
        uint32_t found = owner_find(owner, &vid);
        if (found == wanted || --tries == 0) {
            return true;
        }
        if (ids->aside[found].count < IDS_ASIDE) {
            ids->aside[found].ids[ids->aside[found].count++] = *id;
        }
    }
    return false;
}

bool ids_next_near(struct ids *ids, const struct shardmap *map, const struct vid *near, int64_t *id)
{
    const struct shardmap_graph *graph = shardmap_graph_by_id(map, ids->graph);
    struct owner owner;
    bool is_found = true;

    if (graph == NULL || graph->partitioner != PARTITION_HASH) {
        return ids_next(ids, id);
    }
    follow_map(ids, map, graph);
    owner_init(&owner, map, graph);
    uint32_t wanted = owner_find(&owner, near);
    struct ids_aside *aside = &ids->aside[wanted];
    if (aside->count > 0) {
        *id = aside->ids[--aside->count];
    } else {
        is_found = search(ids, &owner, wanted, id);
    }
    owner_close(&owner);
    return is_found;
}
