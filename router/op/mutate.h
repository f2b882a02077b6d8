/*
 * mutate.h -- what the operators that change the graph have in common.
 *
 * They are eager: all input is gathered before the first change, or a scan above would meet what
 * it made. Changes are buffered in the transaction; reads of the same query see them.
 *
 * Pure. Errors are set in the exec; functions that return bool give false then.
 */
#ifndef ROUTER_OP_MUTATE_H
#define ROUTER_OP_MUTATE_H

#include "common/change.h"
#include "router/op/args.h"

struct mutate_input {
    struct batch all;
    struct batch pulled;
    bool is_done;
};

/* BATCH: all input is in `all`, at least one; DONE: there is none. is_start: one traverser that is
 * nobody. */
enum pull mutate_gather(struct mutate_input *input, struct op *op, struct exec *exec,
                        bool is_start);
void mutate_reset(struct mutate_input *input);
void mutate_close(struct mutate_input *input);

/* ---- properties ---- */

/* Arguments of property entries, in the order key, value, metas of each. */
uint32_t mutate_arg_count(const struct plan_set_property_entry *entries, uint32_t count);
int mutate_add_args(struct args *args, struct exec *exec,
                    const struct plan_set_property_entry *entries, uint32_t count,
                    struct plan_traversal *const *children);
/* A property to set, as the arguments say for one traverser. */
struct mutate_property {
    struct value key;            /* A string or a T. */
    struct value value;          /* NULL: remove. */
    enum enumerator cardinality; /* ENUMERATOR_COUNT: none given. */
    uint32_t meta_count;
    const struct property *metas;
};
/* Reads one entry whose first argument is *arg, and moves *arg on. */
bool mutate_read_entry(const struct args *args, struct exec *exec,
                       const struct plan_set_property_entry *entry, uint32_t row, uint32_t *arg,
                       struct mutate_property *out);
/* Takes single(x), list(x), set(x) apart. */
void mutate_unwrap(struct value *value, enum enumerator *cardinality);
/* Not hidden, not empty. */
bool mutate_check_key(struct exec *exec, const struct value *key);
bool mutate_check_label(struct exec *exec, const struct value *label);
/* Buffers it for the element: a vertex, an edge, a vertex property. */
bool mutate_set(struct exec *exec, const struct value *element,
                const struct mutate_property *property);

/* ---- elements ---- */

bool mutate_change(struct exec *exec, const struct change *change);
/* The out half of a change to an edge, without its kind. */
bool mutate_edge_change(struct exec *exec, const struct edge *edge, struct change *out);
/* Both halves. */
bool mutate_edge(struct exec *exec, const struct edge *edge, const struct change *out);
/* Adds a vertex; gives its value. Properties with NULL are left out; of equal keys without a
 * cardinality all stay, as in TinkerGraph's addVertex(). */
bool mutate_add_vertex(struct exec *exec, const struct vid *id, struct slice label,
                       const struct mutate_property *properties, uint32_t count, struct value *out);
/* A batch of new elements: none is older than the changes that made the others. */
void mutate_refresh(struct exec *exec, struct batch *made);
/* Adds an edge; ends are vertices whose labels are known. */
bool mutate_add_edge(struct exec *exec, const struct edge *edge, struct value *out);

#endif
