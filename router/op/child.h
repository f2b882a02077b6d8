/*
 * child.h -- runs a child traversal for a whole batch at once.
 *
 *   child_start(batch of n) -> traverser i enters with tag i -> child_pull ... DONE
 *
 * Results carry the tag of the traverser they come from, so a hop inside where() or by() costs one request a
 * shard for the batch, not for each traverser. Bulks enter as they are (local() and the like split first).
 */
#ifndef ROUTER_OP_CHILD_H
#define ROUTER_OP_CHILD_H

#include "router/op/op.h"

struct child {
    struct pipeline pipeline;
    struct op *entry; /* op_entry: gives the batch. */
};

int child_open(struct child *child, struct exec *exec, const struct plan_traversal *traversal);
/* Resets the child and enters the traversers (kept until DONE). */
void child_start(struct child *child, struct exec *exec, const struct traverser *items, uint32_t count);
/* Results in any order; tag = position in the batch given to child_start. */
enum pull child_pull(struct child *child, struct exec *exec, struct batch *out);
void child_close(struct child *child);

/* ---- by(): one value for each traverser of a batch ---- */

struct plan_by;

struct by_run {
    const struct plan_by *plan;
    struct child child;          /* For by(traversal). */
    struct batch results;
    struct fetch *fetch;         /* For by('key') on elements whose properties are not loaded. */
    int state;
};

int by_open(struct by_run *by, struct exec *exec, const struct plan_by *plan,
            struct plan_traversal *const *children);
/* First result for each traverser: values[i], productive[i]. BATCH when all are there, WAIT, ERROR. Call again
 * with the same arguments after a WAIT. */
enum pull by_values(struct by_run *by, struct exec *exec, const struct traverser *items, uint32_t count,
                    struct value *values, bool *productive);
void by_close(struct by_run *by);

/* ---- properties and labels of elements that were not read yet ---- */

struct load_run {
    struct fetch *fetch;
    int state;
};

/* Makes sure that all VERTEX (label, properties) and EDGE values of the batch, also those inside lists, maps
 * and paths when `deep`, have their properties: replaces values in place. At most one request a shard.
 * BATCH when done, WAIT, ERROR. Vertices that are gone keep what is known. */
enum pull load_elements(struct load_run *load, struct exec *exec, struct traverser *items, uint32_t count,
                        bool deep);
/* The same for plain values. */
enum pull load_values(struct load_run *load, struct exec *exec, struct value *values, uint32_t count,
                      bool deep);

#endif
