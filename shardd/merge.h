/*
 * merge.h -- far vertices of a hop, each once, with the sum of bulks.
 *
 * Integers in an open hash table of (id, bulk, label); a bulk of 0 is a free place. Texts in a map.
 *
 * Pure. Ownership: keeps nothing of the caller; close it.
 */
#ifndef SHARDD_MERGE_H
#define SHARDD_MERGE_H

#include "common/map.h"
#include "common/vid.h"

struct merge_entry {
    int64_t id;
    uint64_t bulk;
    uint32_t label;
};

struct merge_text {
    uint64_t bulk;
    uint32_t label;
};

struct merge {
    struct merge_entry *table;
    size_t room; /* A power of two, or 0. */
    size_t count;
    struct map_text texts; /* -> place in text_list */
    struct merge_text *text_list;
    size_t text_room;
};

void merge_init(struct merge *merge);
void merge_close(struct merge *merge);
/* bulk: at least 1. labels null: all have `label`. */
void merge_add(struct merge *merge, const int64_t *ids, size_t count, uint64_t bulk,
               uint32_t label);
void merge_add_one(struct merge *merge, const struct vid *id, uint64_t bulk, uint32_t label);
static inline size_t merge_count(const struct merge *merge)
{
    return merge->count + merge->texts.count;
}
/* Integers in ascending order, compacted into the table itself: nothing may be added afterwards. */
const struct merge_entry *merge_sorted(struct merge *merge, size_t *count);

#endif
