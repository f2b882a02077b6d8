/*
 * bulkset.h -- far vertices of a hop, each once, with the sum of bulks.
 *
 *   few, or far apart    an open hash table of (id, bulk, label); a bulk of 0 is a free place
 *   many, close by       one place for each id of [base, base + span), found without a search
 *   texts                a map
 *
 * Begins with the hash table and goes over when BULKSET_DENSE_MIN ids came (the same ones again
 * included) in a span of at most BULKSET_DENSE_SPARE times as many; what is outside the span stays
 * in the hash table.
 *
 * Pure. Ownership: keeps nothing of the caller; close it.
 */
#ifndef SHARDD_READ_BULKSET_H
#define SHARDD_READ_BULKSET_H

#include "common/map.h"
#include "common/vid.h"

enum { BULKSET_DENSE_MIN = 2048, BULKSET_DENSE_SPARE = 32, BULKSET_SPAN_MAX = 1 << 21 };

struct bulkset_entry {
    int64_t id;
    uint64_t bulk;
    uint32_t label;
};

struct bulkset_sum {
    uint64_t bulk; /* 0: the id did not come yet. */
    uint32_t label;
};

struct bulkset {
    struct bulkset_entry *table;
    size_t room;  /* A power of two, or 0. */
    size_t count; /* In the table. */
    int64_t low;  /* Of the ids that came, until dense. */
    int64_t high;
    uint64_t offered;          /* Ids that came, until dense. */
    struct bulkset_sum *dense; /* Null: not yet. */
    int64_t base;
    uint64_t span;
    size_t dense_count;
    struct map_text texts; /* -> place in text_list */
    struct bulkset_sum *text_list;
    size_t text_room;
};

void bulkset_init(struct bulkset *sum);
void bulkset_close(struct bulkset *sum);
/* bulk: at least 1. */
void bulkset_add(struct bulkset *sum, const int64_t *ids, size_t count, uint64_t bulk,
                 uint32_t label);
void bulkset_add_one(struct bulkset *sum, const struct vid *id, uint64_t bulk, uint32_t label);
static inline size_t bulkset_count(const struct bulkset *sum)
{
    return sum->count + sum->dense_count + sum->texts.count;
}
/* The integers, ascending; nothing may be added afterwards. Valid until close. */
const struct bulkset_entry *bulkset_sorted(struct bulkset *sum, size_t *count);

#endif
