/*
 * trail.h -- a traverser's path, oldest place first, or the part of it between two labels.
 */
#ifndef ROUTER_OP_TRAIL_H
#define ROUTER_OP_TRAIL_H

#include "router/op/op.h"

struct trail {
    uint32_t count;
    const struct path_node *const *nodes; /* In the exec's arena. */
};

/* from, to: labels, both ends included; data null: from the start, to the end. A label that is not
 * there is
 * E_EVALUATION. */
int trail_of(struct exec *exec, const struct path_node *path, struct slice from, struct slice to,
             struct trail *out);

#endif
