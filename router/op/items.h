/*
 * items.h -- what local steps see in a value: the items of lists, sets, bulk sets, maps and paths.
 *
 * Pure. New memory comes from the arena given.
 */
#ifndef ROUTER_OP_ITEMS_H
#define ROUTER_OP_ITEMS_H

#include "common/value.h"

/* Items one by one, each with how often it is there. */
struct items {
    uint32_t count;
    const struct value *values; /* Map: ENTRYs. */
    const uint64_t *bulks;      /* Null: 1 each. */
};

/* False for a value that has no items: it stands for itself. */
bool items_of(struct arena *arena, const struct value *value, struct items *out);
/* With bulks, that is how many there are in all. */
uint64_t items_total(const struct items *items);
/* A collection of the same kind as `like`, of some of its items: entries for maps. */
struct value items_collect(struct arena *arena, const struct value *like,
                           const struct value *values, uint32_t count);
/* The items one by one, each as often as it is there. */
const struct value *items_flat(struct arena *arena, const struct items *items, uint32_t *count);

#endif
