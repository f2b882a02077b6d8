#include "shardd/adjcache.h"

#include <assert.h>
#include <string.h>

#include "common/hash.h"
#include "common/mem.h"

enum {
    BYTES_A_SET = 4096, /* Expected: decides how many sets there are. */
    SHARE_MAX = 4       /* One entry takes at most this part of the whole. */
};

void adjcache_init(struct adjcache *cache, size_t bytes_max)
{
    size_t sets = 16;

    *cache = (struct adjcache){.bytes_max = bytes_max};
    if (bytes_max == 0) {
        return;
    }
    while (sets * BYTES_A_SET < bytes_max) {
        sets *= 2;
    }
    cache->set_mask = sets - 1;
    cache->entries = mem_array(sets * ADJCACHE_WAYS, sizeof *cache->entries);
}

static size_t size_of(const struct adjcache_entry *entry)
{
    return entry->count *
           (sizeof *entry->far + (entry->far_labels == NULL ? 0 : sizeof *entry->far_labels));
}

static void evict(struct adjcache *cache, struct adjcache_entry *entry)
{
    if (entry->is_here) {
        cache->bytes -= size_of(entry);
        mem_free(entry->far);
        *entry = (struct adjcache_entry){0};
    }
}

void adjcache_clear(struct adjcache *cache)
{
    if (cache->bytes_max == 0 || cache->bytes == 0) {
        return;
    }
    for (size_t i = 0; i < (cache->set_mask + 1) * ADJCACHE_WAYS; i++) {
        evict(cache, &cache->entries[i]);
    }
    assert(cache->bytes == 0);
}

void adjcache_close(struct adjcache *cache)
{
    adjcache_clear(cache);
    mem_free(cache->entries);
    *cache = (struct adjcache){0};
}

static struct adjcache_entry *set_of(const struct adjcache *cache, int64_t vertex)
{
    return &cache->entries[(hash_mix((uint64_t)vertex) & cache->set_mask) * ADJCACHE_WAYS];
}

const struct adjcache_entry *adjcache_find(struct adjcache *cache, int64_t vertex,
                                           uint8_t direction, uint32_t label)
{
    struct adjcache_entry *set;

    if (cache->bytes_max == 0) {
        return NULL;
    }
    set = set_of(cache, vertex);
    for (int i = 0; i < ADJCACHE_WAYS; i++) {
        if (set[i].vertex == vertex && set[i].is_here && set[i].direction == direction &&
            set[i].label == label) {
            set[i].is_used = true;
            cache->hits++;
            return &set[i];
        }
    }
    cache->misses++;
    return NULL;
}

/* A free entry of the set, or the next in turn that was not used of late. */
static struct adjcache_entry *make_room(struct adjcache *cache, struct adjcache_entry *set)
{
    struct adjcache_entry *victim = NULL;

    for (int i = 0; i < ADJCACHE_WAYS; i++) {
        if (!set[i].is_here) {
            return &set[i];
        }
    }
    for (int i = 0; i <= ADJCACHE_WAYS && victim == NULL; i++) {
        struct adjcache_entry *entry = &set[cache->turn++ % ADJCACHE_WAYS];

        if (!entry->is_used) {
            victim = entry;
        }
        entry->is_used = false;
    }
    assert(victim != NULL);
    evict(cache, victim);
    return victim;
}

static void shrink(struct adjcache *cache, size_t bytes)
{
    size_t count = (cache->set_mask + 1) * ADJCACHE_WAYS;

    while (cache->bytes + bytes > cache->bytes_max) {
        struct adjcache_entry *entry = &cache->entries[cache->hand];

        if (entry->is_used) {
            entry->is_used = false;
        } else {
            evict(cache, entry);
        }
        cache->hand = cache->hand + 1 == count ? 0 : cache->hand + 1;
    }
}

void adjcache_add(struct adjcache *cache, const struct adjcache_entry *entry)
{
    size_t bytes = size_of(entry);
    struct adjcache_entry *place;

    if (cache->bytes_max == 0 || bytes > cache->bytes_max / SHARE_MAX) {
        return;
    }
    shrink(cache, bytes);
    place = make_room(cache, set_of(cache, entry->vertex));
    *place = *entry;
    place->is_here = true;
    place->is_used = false;
    place->far = mem_alloc(bytes);
    if (entry->count > 0) {
        memcpy(place->far, entry->far, entry->count * sizeof *entry->far);
    }
    if (entry->far_labels != NULL) {
        place->far_labels = (uint32_t *)(place->far + entry->count);
        memcpy(place->far_labels, entry->far_labels, entry->count * sizeof *entry->far_labels);
    }
    cache->bytes += bytes;
}

void adjcache_drop(struct adjcache *cache, const struct vid *vertex)
{
    struct adjcache_entry *set;

    if (cache->bytes == 0 || vertex->text.data != NULL) {
        return;
    }
    set = set_of(cache, vertex->num);
    for (int i = 0; i < ADJCACHE_WAYS; i++) {
        if (set[i].is_here && set[i].vertex == vertex->num) {
            evict(cache, &set[i]);
        }
    }
}
