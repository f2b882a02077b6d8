/*
 * growth.h -- trees of values that grow path by path: tree().
 *
 * A node is known by its parent and its value, so that one table holds all of them, and the trees
 * of many tags. Equal values below one parent are one node.
 *
 * Pure. Ownership: the table is in the arena given at init, or on the heap if that is null (then
 * growth_close).
 */
#ifndef ROUTER_OP_GROWTH_H
#define ROUTER_OP_GROWTH_H

#include "router/op/bag.h"

struct growth {
    struct bag nodes; /* By parent: a root, or `roots` and the place of an entry. */
    uint32_t roots;   /* Trees; a root's number is its own. */
};

void growth_init(struct growth *growth, struct arena *arena, uint32_t roots);
void growth_close(struct growth *growth);
/* Forgets all nodes. */
void growth_clear(struct growth *growth, uint32_t roots);
/* The node of the value below the parent, made if it is not there. */
uint32_t growth_add(struct growth *growth, uint32_t parent, const struct value *value);
/* One TREE for each root. */
struct value *growth_trees(const struct growth *growth, struct arena *arena);

#endif
