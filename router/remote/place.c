#include "router/remote/place.h"

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

void place_init(struct place *place, const struct shardmap *map, const struct shardmap_graph *graph)
{
    assert(map != NULL && graph != NULL && graph->shard_count > 0);
    *place = (struct place){.map = map, .graph = graph};
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
    place->lows = lows;
}

void place_close(struct place *place)
{
    mem_free(place->lows);
    *place = (struct place){0};
}

static uint32_t search(const struct place *place, uint64_t key)
{
    uint32_t low = 0;
    uint32_t high = place->graph->shard_count;

    while (high - low > 1) {
        uint32_t middle = low + (high - low) / 2;
        if (place->lows[middle] <= key) {
            low = middle;
        } else {
            high = middle;
        }
    }
    return low;
}

uint32_t place_find(const struct place *place, const struct vid *id)
{
    uint8_t key[KEY_STACK];
    size_t size = KEY_NUM_SIZE;

    assert(place != NULL && id != NULL);
    if (place->lows == NULL || id->text.size > sizeof key - 1) {
        return shardmap_lookup(place->map, place->graph, id) - place->graph->shard_first;
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
    return search(place, hash_bytes(key, size));
}
