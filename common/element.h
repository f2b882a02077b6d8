/*
 * element.h -- vertices, edges, properties and paths as a query carries them.
 *
 * These are results, not rows: immutable, in a query's arena. `props == null && !has_props` means
 * that properties were not read (yet); an element without any has has_props and count 0.
 *
 * Pure.
 */
#ifndef COMMON_ELEMENT_H
#define COMMON_ELEMENT_H

#include "common/value.h"

/* A property of an edge, or of a vertex property (meta-property). */
struct property {
    struct slice key;
    struct value value;
    const struct value *owner; /* The EDGE or VPROPERTY it is of; null when detached. */
};

struct vproperty {
    struct value id; /* A LONG, stable. */
    struct slice key;
    struct value value;
    const struct vertex *owner; /* Null when detached. */
    const struct property *metas;
    uint32_t meta_count;
    uint8_t cardinality; /* enum enumerator CARDINALITY_* minus CARDINALITY_SINGLE. */
};

struct vertex {
    struct value id;    /* INT, LONG or STRING: as the graph's id_type gives it. */
    struct slice label; /* data null: not read. */
    const struct vproperty *props;
    uint32_t prop_count;
    bool has_props; /* props were read, all of them. */
    uint32_t seen;  /* The transaction's change count then: has it grown, props are stale. */
};

struct edge {
    struct value id;
    struct slice label;
    struct value out_id;
    struct value in_id;
    struct slice out_label; /* Always known: stored with the edge. */
    struct slice in_label;
    const struct property *props;
    uint32_t prop_count;
    bool has_props;
    uint32_t seen;
};

struct path {
    uint32_t size;
    const struct value *objects;
    const struct value *labels; /* A SET of strings each. */
};

#endif
