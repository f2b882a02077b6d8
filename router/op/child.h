/*
 * child.h -- runs a child traversal for a whole batch at once.
 *
 *   child_start(batch of n) -> traverser i enters with tag i -> child_pull ... DONE
 *
 * Results carry the tag of the traverser they come from, so a hop inside where() or by() costs one
 * request a shard for the batch, not for each traverser.
 *
 * Two kinds. Local (child_start): tag = position in the batch, bulk 1, so that what the child
 * counts is that of one object; the caller multiplies. Global (child_enter, child_round): tag and
 * bulk as they are, for the body of repeat() and branches of union().
 *
 * A child that changes the graph (is_write) must see its own changes one traverser after the
 * other: callers give it batches of child_batch_max() traversers.
 */
#ifndef ROUTER_OP_CHILD_H
#define ROUTER_OP_CHILD_H

#include "router/op/op.h"

struct child {
    struct pipeline pipeline;
    struct op *entry; /* op_entry: gives the batch. */
    const struct plan_traversal *plan;
    uint8_t *asked;   /* See op.h; on the heap. */
    bool is_write;    /* Something inside changes the graph. */
    bool is_stateful; /* Something inside (not in local children) keeps state over traversers. */
};

int child_open(struct child *child, struct exec *exec, const struct plan_traversal *traversal);
/* 1 for a child that changes the graph, else UINT32_MAX. */
uint32_t child_batch_max(const struct child *child);
/* Resets the child and enters the traversers (kept until DONE): tag i, bulk 1. */
void child_start(struct child *child, struct exec *exec, const struct traverser *items,
                 uint32_t count);
/* Resets the child and enters the traversers as they are; `tags` is the caller's op->tags. Asked
 * are the tags of the items. */
void child_enter(struct child *child, struct exec *exec, const struct traverser *items,
                 uint32_t count, uint32_t tags);
/* The same for the next round of a loop: operators keep what they keep over rounds. */
void child_round(struct child *child, struct exec *exec, const struct traverser *items,
                 uint32_t count, uint32_t tags);
/* Results in any order; after child_start, tag = position in the batch. */
enum pull child_pull(struct child *child, struct exec *exec, struct batch *out);
void child_close(struct child *child);
/* True for a step with a scope, or aggregate(), that is global. */
bool child_sees_all(const struct plan_step *step);
typedef bool (*child_test_fn)(const struct plan_step *step);
/* True if a step inside, at any depth, satisfies the test. */
bool child_any(const struct plan_traversal *traversal, child_test_fn test);
/* True if something inside, at any depth, changes the graph. */
bool child_is_write(const struct plan_traversal *traversal);
/* True if something inside fills a side effect: aggregate('x'), group('x'). */
bool child_is_collecting(const struct plan_traversal *traversal);
/* True if it may also look at what it fills: one traverser at a time. */
bool child_is_reading(const struct plan_traversal *traversal);

/* ---- properties and labels of elements that were not read yet ---- */

/* What the caller needs of an element. */
enum load_want {
    /* Properties: the projected ones of a rule are enough (the rule knows who needs what). */
    LOAD_SOME,
    LOAD_WHOLE, /* All properties. Always so when deep. */
    LOAD_LABEL  /* Vertices: the label. */
};

struct load_run {
    enum load_want want;
    struct op *op;            /* Whose profile() counts the requests; may be null. */
    struct load_state *state; /* load.c; in the exec's arena. */
};

/* Makes sure that all VERTEX and EDGE values, also those inside lists, maps and paths when `deep`,
 * have what is wanted and is not older than the transaction's changes: replaces values in place.
 * At most one request a shard for the vertices and one for the edges (or as many as READ_IDS_MAX
 * demands). BATCH when done, WAIT (call again with the same arguments), ERROR. Elements that are
 * gone keep what is known. */
enum pull load_values(struct load_run *load, struct exec *exec, struct value *values,
                      uint32_t count, bool deep);
/* The same for the values of traversers. */
enum pull load_elements(struct load_run *load, struct exec *exec, struct traverser *items,
                        uint32_t count, bool deep);
/* Forgets a run that was not finished: from the operator's reset. */
void load_reset(struct load_run *load);
void load_close(struct load_run *load);

/* ---- by(): one value for each traverser of a batch ---- */

struct plan_by;

struct by_run {
    const struct plan_by *plan;
    struct child child; /* For by(traversal). */
    struct batch results;
    struct load_run load; /* For by('key') on elements whose properties are not loaded. */
    bool is_running;
};

int by_open(struct by_run *by, struct exec *exec, const struct plan_by *plan,
            struct plan_traversal *const *children);
/* First result for each traverser (bulk 1): values[i], productive[i]. BATCH when all are there,
 * WAIT, ERROR. Call again with the same arguments after a WAIT. */
enum pull by_values(struct by_run *by, struct exec *exec, const struct traverser *items,
                    uint32_t count, struct value *values, bool *productive);
/* Forgets a run that was not finished: from the operator's reset. */
void by_reset(struct by_run *by);
void by_close(struct by_run *by);
/* For where(), filter() and the like: a by_run over a child. */
int by_open_child(struct by_run *by, struct exec *exec, const struct plan_traversal *traversal);
/* What Column.keys and Column.values give of a map, an entry or a path. False for other kinds. */
bool by_column(struct arena *arena, enum enumerator column, const struct value *of,
               struct value *out);
/* What T.id ... give of an element or property. False for other kinds. */
bool by_token(enum enumerator token, const struct value *of, struct value *out);
/* The first value of a property key: of a vertex, an edge or a vertex property, all loaded. False:
 * none. */
bool by_property(const struct value *element, struct slice key, struct value *out);

#endif
