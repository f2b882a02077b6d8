#include "router/remote/owner.h"

#include "common/hash.h"
#include "common/mem.h"

#include <assert.h>
#include <string.h>

enum { LOW_BYTES = 8, KEY_NUM_SIZE = 9, KEY_STACK = 256 };

static uint64_t big_endian(const uint8_t *data, size_t size)
{
    uint64_t v = 0;

    for (size_t i = 0; i < LOW_BYTES; i++) {
        v = v << 8 | (i < size ? data[i] : 0);
    }
    return v;
}

void owner_init(struct owner *owner, const struct shardmap *map, const struct shardmap_graph *graph)
{
    assert(map != NULL && graph != NULL && graph->shard_count > 0);
    *owner = (struct owner){.map = map, .graph = graph};
    if (graph->partitioner != PARTITION_HASH) {
        return;
    }
    uint64_t *lows = mem_array(graph->shard_count, sizeof *lows);
    for (uint32_t i = 0; i < graph->shard_count; i++) {
        struct slice lo = map->shards[graph->shard_first + i].lo;
        if (lo.size > LOW_BYTES) {
            mem_free(lows);
            return;
        }
        lows[i] = big_endian(lo.data, lo.size);
    }
    owner->lows = lows;
}

void owner_close(struct owner *owner)
{
    mem_free(owner->lows);
    *owner = (struct owner){0};
}

static uint32_t search(const struct owner *owner, uint64_t key)
{
    uint32_t low = 0;
    uint32_t high = owner->graph->shard_count;

    while (high - low > 1) {
        uint32_t middle = low + (high - low) / 2;
        if (owner->lows[middle] <= key) {
            low = middle;
        } else {
            high = middle;
        }
    }
    return low;
}

uint32_t owner_find(const struct owner *owner, const struct vid *id)
{
    uint8_t key[KEY_STACK];
    size_t size = KEY_NUM_SIZE;

    assert(owner != NULL && id != NULL);
    if (owner->lows == NULL || id->text.size > sizeof key - 1) {
        return shardmap_lookup(owner->map, owner->graph, id) - owner->graph->shard_first;
    }
    /* The key form of vid.h. */
    if (id->text.data == NULL) {
        uint64_t num = (uint64_t)id->num ^ 1ULL << 63;
        key[0] = 1;
        for (int i = 0; i < LOW_BYTES; i++) {
            key[1 + i] = (uint8_t)(num >> (56 - 8 * i));
        }
    } else {
        key[0] = 2;
        memcpy(key + 1, id->text.data, id->text.size);
        size = id->text.size + 1;
    }
    return search(owner, hash_bytes(key, size));
}
