/*
 * bag.h -- distinct values with how often each came, in the order of first coming; by tag.
 *
 * Equivalence as dedup() and group() have it: found by hash, decided by value_equivalent.
 *
 * Ownership: entries and index in the arena given at init, or on the heap if that is null (then
 * bag_close).
 */
#ifndef ROUTER_OP_BAG_H
#define ROUTER_OP_BAG_H

#include "common/map.h"
#include "common/value.h"

struct bag_entry {
    struct value value;
    uint64_t bulk;
    uint64_t hash;
    uint32_t tag;
};

struct bag {
    struct arena *arena;
    struct map_index index;
    struct bag_entry *entries;
    uint32_t count;
    uint32_t room;
};

void bag_init(struct bag *bag, struct arena *arena);
void bag_close(struct bag *bag);
void bag_clear(struct bag *bag);
/* Place of the entry, made with bulk 0 if it was not there. */
uint32_t bag_at(struct bag *bag, uint32_t tag, const struct value *value, bool *is_new);
bool bag_has(const struct bag *bag, uint32_t tag, const struct value *value);
void bag_add(struct bag *bag, uint32_t tag, const struct value *value, uint64_t bulk);

#endif
