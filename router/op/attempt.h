/*
 * attempt.h -- what coalesce() and optional() have in common: children in turn, each for those of
 * the batch that have no result yet; results in the order of the traversers they come from.
 *
 * Pure. Ownership: on the heap but for the children; close it.
 */
#ifndef ROUTER_OP_ATTEMPT_H
#define ROUTER_OP_ATTEMPT_H

#include "router/op/child.h"

struct attempt {
    struct op op;
    struct child *children;
    struct batch in;
    struct op_gather gather;
    bool *has_result;  /* Of `in`. */
    struct batch open; /* Those of `in` without a result; mark: place in `in`. */
    struct batch pulled;
    struct batch results; /* mark: place in `in`. */
    uint32_t room;
    uint32_t *starts; /* For the order of results. */
    struct traverser *sorted;
    uint32_t sorted_room;
    uint32_t child_at;
    uint32_t open_at;
    bool is_running;
    uint32_t give_at;
    bool is_giving;
};

struct attempt_rule {
    /* The successor of `from` for a child's result. */
    struct traverser (*split)(struct op *op, struct exec *exec, const struct traverser *from,
                              const struct traverser *result);
    bool keeps_fruitless; /* A traverser without any result is given itself. */
};

int attempt_open(struct op *op, struct exec *exec);
enum pull attempt_pull(struct attempt *self, struct exec *exec, const struct attempt_rule *rule,
                       struct batch *out);
void attempt_reset(struct op *op, struct exec *exec);
void attempt_close(struct op *op);

#endif
