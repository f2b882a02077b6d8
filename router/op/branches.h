/*
 * branches.h -- what union() and choose() have in common: global children, each of which gets its
 * share of the traversers.
 *
 * If a branch keeps state over traversers, all input is gathered before any branch runs: a count()
 * in a branch counts all. If one changes the graph, traversers go through one after the other. In
 * a loop, the branches see rounds as the loop's body does.
 *
 * Results are in the order of the traversers they come from, and of the branches for each, as if
 * one went through after the other: the branches run side by side, under tags that are places in
 * the batch, and are merged. Not so where a branch keeps state, fills a side effect or has a hop
 * that merges, which forgot the order already.
 *
 * Pure. Ownership: on the heap but for the children; close it.
 */
#ifndef ROUTER_OP_BRANCHES_H
#define ROUTER_OP_BRANCHES_H

#include "router/op/child.h"

struct branch {
    bool is_identity; /* No child: the share passes as it is. */
    struct child child;
    struct batch share;
    bool has_run; /* Since the last reset. */
    /* In order: */
    struct batch ready; /* Of the child, not given yet. */
    uint32_t ready_at;
    bool is_entered, is_done;
};

struct branches {
    struct branch *items;
    uint32_t count;
    bool is_write;
    bool is_stateful;
    bool is_ordered;
    uint32_t *tags; /* In order: of those in `in`; on the heap. */
    uint32_t tag_count, tag_room;
    struct batch in; /* What is to be shared out. */
    struct batch pulled;
    uint32_t pulled_at;
    bool is_input_done;
    size_t since; /* Bytes of the stream when nothing was gathered. */
    uint32_t goal;   /* Traversers wanted at a time; doubles. */
    uint32_t at;     /* Branch that runs. */
    bool is_entered; /* It has its share. */
};

/* A null traversal: identity. */
int branches_open(struct branches *branches, struct exec *exec,
                  struct plan_traversal *const *traversals, uint32_t count);
/* Gathers what is to run together into branches->in: BATCH. DONE, WAIT, ERROR. */
enum pull branches_gather(struct branches *branches, struct exec *exec, struct op *op);
/* Traverser `place` of `in` goes through branch `at` too. */
void branches_share(struct branches *branches, uint32_t at, uint32_t place);
/* The shares are filled. Forgets `in`. */
void branches_begin(struct branches *branches);
/* DONE when all shares have been run. `tags` is the caller's op->tags. */
enum pull branches_pull(struct branches *branches, struct exec *exec, uint32_t tags,
                        struct batch *out);
/* is_round: the next round of a loop. */
void branches_reset(struct branches *branches, bool is_round);
void branches_close(struct branches *branches);

#endif
