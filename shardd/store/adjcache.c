#include "shardd/store/adjcache.h"

#include <assert.h>
#include <string.h>

#include "common/hash.h"
#include "common/mem.h"

enum {
    BYTES_A_SET = 4096, /* Expected: decides how many sets there are. */
    EMPTY_BYTES = 16,   /* So that no bytes means no entries. */
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
    cache->tags = mem_array(sets * ADJCACHE_WAYS, sizeof *cache->tags);
}

static size_t size_of(const struct adjcache_entry *entry)
{
    size_t half = sizeof *entry->far;

    if (entry->far_labels != NULL) {
        half += sizeof *entry->far_labels;
    }
    return EMPTY_BYTES + entry->count * half;
}

static void evict(struct adjcache *cache, struct adjcache_entry *entry)
{
    if (entry->is_here) {
        cache->bytes -= size_of(entry);
        cache->tags[entry - cache->entries] = 0;
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
    mem_free(cache->tags);
    *cache = (struct adjcache){0};
}

/* The first entry of the vertex's set. */
static size_t set_of(const struct adjcache *cache, int64_t vertex)
{
    return (hash_mix((uint64_t)vertex) & cache->set_mask) * ADJCACHE_WAYS;
}

/* Tells entries of a set apart, nearly always, with all tags of the set in one cache line. */
static uint32_t tag_of(int64_t vertex, uint8_t direction, uint32_t label)
{
    return (uint32_t)(hash_join((uint64_t)vertex, (uint64_t)label << 1 | direction) >> 32) | 1;
}

void adjcache_hint(const struct adjcache *cache, const struct adjcache_entry *key, int stage)
{
    size_t set = set_of(cache, key->vertex);
    uint32_t tag;

    if (stage == 0) {
        __builtin_prefetch(&cache->tags[set]);
        return;
    }
    tag = tag_of(key->vertex, key->direction, key->label);
    for (size_t i = set; i < set + ADJCACHE_WAYS; i++) {
        if (cache->tags[i] != tag) {
            continue;
        }
        if (stage == 1) {
            __builtin_prefetch(&cache->entries[i]);
        } else {
            __builtin_prefetch(cache->entries[i].far);
        }
        return;
    }
}

const struct adjcache_entry *adjcache_find(struct adjcache *cache, int64_t vertex,
                                           uint8_t direction, uint32_t label)
{
    uint32_t tag;
    size_t set;

    if (cache->bytes_max == 0) {
        return NULL;
    }
    set = set_of(cache, vertex);
    tag = tag_of(vertex, direction, label);
    for (size_t i = set; i < set + ADJCACHE_WAYS; i++) {
        struct adjcache_entry *entry = &cache->entries[i];

        if (cache->tags[i] == tag && entry->vertex == vertex && entry->direction == direction &&
            entry->label == label) {
            entry->is_used = true;
            cache->hits++;
            return entry;
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
    place = make_room(cache, &cache->entries[set_of(cache, entry->vertex)]);
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
    cache->tags[place - cache->entries] = tag_of(entry->vertex, entry->direction, entry->label);
    cache->bytes += bytes;
}

void adjcache_drop(struct adjcache *cache, const struct vid *vertex)
{
    struct adjcache_entry *set;

    if (cache->bytes == 0 || vertex->text.data != NULL) {
        return;
    }
    set = &cache->entries[set_of(cache, vertex->num)];
    for (int i = 0; i < ADJCACHE_WAYS; i++) {
        if (set[i].is_here && set[i].vertex == vertex->num) {
            evict(cache, &set[i]);
        }
    }
}
