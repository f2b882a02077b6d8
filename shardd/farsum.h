/*
 * farsum.h -- far vertices of a hop, each once, with the sum of bulks.
 *
 * Integers in an open hash table of (id, bulk, label); a bulk of 0 is a free place. Texts in a map.
 *
 * Pure. Ownership: keeps nothing of the caller; close it.
 */
#ifndef SHARDD_FARSUM_H
#define SHARDD_FARSUM_H

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

struct farsum {
    struct merge_entry *table;
    size_t room; /* A power of two, or 0. */
    size_t count;
    struct map_text texts; /* -> place in text_list */
    struct merge_text *text_list;
    size_t text_room;
};

void farsum_init(struct farsum *merge);
void farsum_close(struct farsum *merge);
/* bulk: at least 1. labels null: all have `label`. */
void farsum_add(struct farsum *merge, const int64_t *ids, size_t count, uint64_t bulk,
                uint32_t label);
void farsum_add_one(struct farsum *merge, const struct vid *id, uint64_t bulk, uint32_t label);
static inline size_t farsum_count(const struct farsum *merge)
{
    return merge->count + merge->texts.count;
}
/* Integers in ascending order, compacted into the table itself: nothing may be added afterwards. */
const struct merge_entry *farsum_sorted(struct farsum *merge, size_t *count);

#endif
