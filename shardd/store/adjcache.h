/*
 * adjcache.h -- hot adjacencies, decoded: far ids and labels of one (vertex, direction, label), as
 * arrays.
 *
 *   hash of vertex -> set of ADJCACHE_WAYS entries     so dropping a vertex looks at one set only
 *
 * Only adjacencies whose vertex and far ids are all integers: the others are read from rows.
 * Bounded in bytes; the clock (second chance) evicts. Applying changes to a vertex drops its
 * entries.
 *
 * Pure. Ownership: entries are copies on the heap; an entry found is valid until the next add or
 * drop.
 */
#ifndef SHARDD_STORE_ADJCACHE_H
#define SHARDD_STORE_ADJCACHE_H

#include "common/vid.h"

enum { ADJCACHE_WAYS = 8 };

struct adjcache_entry {
    int64_t vertex;
    uint32_t label; /* Of the edges. */
    uint8_t direction;
    bool is_here;
    bool is_used; /* Since the hand passed. */
    uint32_t count;
    uint32_t far_label; /* Of all, if far_labels is null. */
    uint32_t *far_labels;
    int64_t *far; /* In the same block as far_labels. */
};

struct adjcache {
    struct adjcache_entry *entries;
    uint32_t *tags;  /* Of each entry: part of its hash; 0: free. */
    size_t set_mask; /* Sets - 1. */
    size_t hand;     /* Of the clock over all entries. */
    uint32_t turn;   /* Of the clock within a full set. */
    size_t bytes;
    size_t bytes_max; /* 0: off. */
    uint64_t hits;
    uint64_t misses;
};

void adjcache_init(struct adjcache *cache, size_t bytes_max);
void adjcache_close(struct adjcache *cache);
void adjcache_clear(struct adjcache *cache);
/* Null if it is not there. */
const struct adjcache_entry *adjcache_find(struct adjcache *cache, int64_t vertex,
                                           uint8_t direction, uint32_t label);
/* Fetches into the processor's caches what a find to come will touch: stage 0 its tags, 1 its
 * entry, 2 its far ids. Each wants the one before done some finds ago. */
void adjcache_hint(const struct adjcache *cache, const struct adjcache_entry *key, int stage);
/* Copies the arrays (far_labels may be null). Too large a one is not kept; an empty one is. */
void adjcache_add(struct adjcache *cache, const struct adjcache_entry *entry);
void adjcache_drop(struct adjcache *cache, const struct vid *vertex);

#endif
