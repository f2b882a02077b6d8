/*
 * args.h -- arguments of a step that may be constants or traversals: their values for all
 * traversers at once.
 *
 * Pure. Ownership: runs are in the exec's arena, values on the heap; close it.
 */
#ifndef ROUTER_OP_ARGS_H
#define ROUTER_OP_ARGS_H

#include "router/op/child.h"
#include "router/plan/params.h"

struct arg {
    const struct plan_arg *plan;
    struct by_run by;
    struct value *values; /* One a traverser. */
    bool *is_productive;
};

struct args {
    struct arg *items;
    uint32_t count;
    uint32_t room;
    uint32_t rows; /* Traversers. */
    uint32_t row_room;
    uint32_t at; /* Argument that is being found. */
};

/* How many args_add calls follow at most. */
void args_init(struct args *args, struct exec *exec, uint32_t room);
/* Numbers are given in the order of calls, from 0. Returns E_OK, or what child_open says. */
int args_add(struct args *args, struct exec *exec, const struct plan_arg *plan,
             struct plan_traversal *const *children);
/* Finds all values for the traversers. BATCH when they are there, WAIT, ERROR. */
enum pull args_run(struct args *args, struct exec *exec, const struct traverser *items,
                   uint32_t rows);
/* Null: the traversal gave nothing. */
const struct value *args_get(const struct args *args, uint32_t arg, uint32_t row);
/* The same, but nothing is an error of the query, with TinkerPop's text. */
const struct value *args_need(const struct args *args, struct exec *exec, uint32_t arg,
                              uint32_t row);
void args_reset(struct args *args);
void args_close(struct args *args);

#endif
