/*
 * item.h -- what transactions depend on and conflict over, as slots (common/txn.h).
 *
 * item           bumped and locked by                          read by
 * X(v)           VERTEX_ADD/DROP (X); any other change of v (S) reads by id
 * P(v)           VPROP_*, META_* (X)                            property reads and filters of v
 * O(v,t) I(v,t)  EDGE_ADD/DROP/EPROP_* of the half (U)          hops over t
 * O(v,*) I(v,*)  the same (U)                                   hops over all labels
 * E(e)           EDGE_*, EPROP_* of edge e (X)                  edges by id
 * N(l) N(*)      VERTEX_ADD/DROP (U)                            scans and counts of vertices
 * M(t) M(*)      EDGE_ADD/DROP, OUT half (U)                    scans and counts of edges
 * K(k) K(*)      VPROP_* of key k (U)                           scans that look at k (or all) of
 * vertices V(k,value)     VERTEX_ADD, VPROP_* with that value, old and new (U)   index equality
 * W(k) W(*)      EPROP_* of key k (U)                           scans of edges that look at k
 *
 * Modes after replication.md 3.2: S-S and U-U are compatible, all else conflicts.
 * Pure.
 */
#ifndef SHARDD_REPLICA_ITEM_H
#define SHARDD_REPLICA_ITEM_H

#include "common/change.h"

enum item_kind {
    ITEM_EXISTS = 1,   /* X */
    ITEM_PROPS = 2,    /* P */
    ITEM_OUT = 3,      /* O; empty label: all */
    ITEM_IN = 4,       /* I */
    ITEM_EDGE = 5,     /* E */
    ITEM_VERTICES = 6, /* N */
    ITEM_EDGES = 7,    /* M */
    ITEM_KEY = 8,      /* K */
    ITEM_VALUE = 9,    /* V */
    ITEM_EDGE_KEY = 10 /* W */
};

enum item_mode {
    ITEM_S = 1, /* Must stay as it is. */
    ITEM_U = 2, /* Commutative update. */
    ITEM_X = 3  /* Exclusive. */
};

uint16_t item_slot_vertex(enum item_kind kind, const struct vid *vertex, struct slice label);
uint16_t item_slot_edge(const struct vid *edge);
/* VERTICES, EDGES (name: label), KEY, EDGE_KEY (name: key); an empty name is the whole. */
uint16_t item_slot_name(enum item_kind kind, struct slice name);
uint16_t item_slot_value(struct slice key, const struct value *value);

typedef void (*item_visit_fn)(void *ctx, uint16_t slot, enum item_mode mode);

/* All items that a change touches, but for those that depend on the old value in the row (the value
 * and label that a VPROP_SET or DROP replaces): the store adds these, see store_items. */
void item_each(const struct change *change, item_visit_fn visit, void *ctx);

#endif
