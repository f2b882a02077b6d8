/*
 * upsert.h -- what mergeV() and mergeE() have in common.
 *
 *   for each window of traversers (mergeV): the maps of all, one fetch for what they look for
 *   for each traverser, one after the other (each sees what those before it made):
 *     find the map -> (mergeE: its ends) -> search -> found: onMatch for each
 *                                                  -> else: onCreate, make it
 *
 * The search is a fetch of its own if the window could not be read ahead: maps that are not alike,
 * children that change the graph, onMatch changing what is looked for.
 *
 * Texts of errors and rules are those of MergeStep.java, MergeVertexStep.java and
 * MergeEdgeStep.java of TinkerPop 3.8.
 *
 * Pure. Ownership: values in the exec's arena, the rest on the heap; close it.
 */
#ifndef ROUTER_OP_UPSERT_H
#define ROUTER_OP_UPSERT_H

#include "router/op/ahead.h"
#include "router/op/mutate.h"
#include "router/op/rowset.h"

enum upsert_state {
    UPSERT_GATHER,
    UPSERT_AHEAD,
    UPSERT_MAP,
    UPSERT_SEARCH,
    UPSERT_MATCH,
    UPSERT_CREATE
};

struct upsert;

/* What differs between the two. */
struct upsert_rule {
    const char *name; /* "mergeV". */
    bool is_edge;
    /* The read that finds what the map describes. False: set in the exec. */
    bool (*search)(struct upsert *upsert, struct exec *exec);
    /* Of what was found: does it fit where the read could not tell? */
    bool (*fits)(struct upsert *upsert, struct exec *exec, const struct value *element);
    /* Makes an element of upsert->map. BATCH, WAIT, ERROR. */
    enum pull (*create)(struct upsert *upsert, struct exec *exec, struct value *out);
};

struct upsert {
    struct op op;
    struct exec *exec;
    const struct upsert_rule *rule;
    enum upsert_state state;
    struct mutate_input input;
    uint32_t at;
    bool may_ahead;  /* mergeV, and no child that changes the graph. */
    bool is_ahead;   /* The window's vertices are in `ahead`. */
    bool is_reading; /* They are being read. */
    struct ahead ahead;
    uint32_t window; /* First traverser of the window, and the one behind its last. */
    uint32_t window_end;
    struct value *maps; /* Of the window. */
    struct args map_arg, on_match_arg, on_create_arg, ends_arg;
    struct value map;     /* Of this traverser, ends resolved. */
    struct value created; /* map and onCreate. */
    bool is_create_known;
    struct value ends[2]; /* mergeE: vertices; NULL: not given. */
    int step;             /* Within a state, for `create`. */
    struct load_run load;
    struct read_request spec;
    struct fetch *fetch;
    struct rowset rows;
    uint32_t row_at;
    struct batch matched; /* One: the traverser at the element, for onMatch. */
};

int upsert_open(struct op *op, struct exec *exec, const struct upsert_rule *rule);
enum pull upsert_pull(struct op *op, struct exec *exec, struct batch *out);
void upsert_reset(struct op *op, struct exec *exec);
void upsert_close(struct op *op);

/* The value of T.id, T.label, Direction.OUT ... in a map; null if it is not there. */
const struct value *upsert_get(const struct value *map, enum enumerator key);
/* Filters of a map's string keys (and T.label if with_label) into spec.filters or
 * hop.edge_filters. */
const struct read_filter *upsert_filters(struct exec *exec, const struct value *map,
                                         bool with_label, uint32_t *count);
const struct predicate *upsert_equals(struct exec *exec, const struct value *value);

#endif
