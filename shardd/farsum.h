/*
 * farsum.h -- far vertices of a hop, each once, with the sum of bulks.
 *
 *   few, or far apart    an open hash table of (id, bulk, label); a bulk of 0 is a free place
 *   many, close by       one place for each id of [base, base + span), found without a search
 *   texts                a map
 *
 * Begins with the hash table and goes over when FARSUM_DENSE_MIN ids came (the same ones again
 * included) in a span of at most FARSUM_DENSE_SPARE times as many; what is outside the span stays
 * in the hash table.
 *
 * Pure. Ownership: keeps nothing of the caller; close it.
 */
#ifndef SHARDD_FARSUM_H
#define SHARDD_FARSUM_H

#include "common/map.h"
#include "common/vid.h"

enum { FARSUM_DENSE_MIN = 2048, FARSUM_DENSE_SPARE = 32, FARSUM_SPAN_MAX = 1 << 21 };

struct farsum_entry {
    int64_t id;
    uint64_t bulk;
    uint32_t label;
};

struct farsum_sum {
    uint64_t bulk; /* 0: the id did not come yet. */
    uint32_t label;
};

struct farsum {
    struct farsum_entry *table;
    size_t room;  /* A power of two, or 0. */
    size_t count; /* In the table. */
    int64_t low;  /* Of the ids that came, until dense. */
    int64_t high;
    uint64_t offered;         /* Ids that came, until dense. */
    struct farsum_sum *dense; /* Null: not yet. */
    int64_t base;
    uint64_t span;
    size_t dense_count;
    struct map_text texts; /* -> place in text_list */
    struct farsum_sum *text_list;
    size_t text_room;
};

void farsum_init(struct farsum *sum);
void farsum_close(struct farsum *sum);
/* bulk: at least 1. */
void farsum_add(struct farsum *sum, const int64_t *ids, size_t count, uint64_t bulk,
                uint32_t label);
void farsum_add_one(struct farsum *sum, const struct vid *id, uint64_t bulk, uint32_t label);
static inline size_t farsum_count(const struct farsum *sum)
{
    return sum->count + sum->dense_count + sum->texts.count;
}
/* The integers, ascending; nothing may be added afterwards. Valid until close. */
const struct farsum_entry *farsum_sorted(struct farsum *sum, size_t *count);

#endif
