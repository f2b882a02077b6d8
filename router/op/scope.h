/*
 * scope.h -- what a label means for a traverser: an entry of its map, a side effect, or places of
 * its path.
 *
 * After: TinkerPop process/traversal/step/Scoping.java.
 */
#ifndef ROUTER_OP_SCOPE_H
#define ROUTER_OP_SCOPE_H

#include "router/op/op.h"

/* pop: POP_FIRST, POP_LAST, POP_ALL, POP_MIXED; ENUMERATOR_COUNT is last. False: nothing has that
 * name. */
bool scope_get(struct exec *exec, const struct traverser *traverser, struct slice label,
               enum enumerator pop, struct value *out);
/* Only the path. */
bool scope_path(struct exec *exec, const struct path_node *path, struct slice label,
                enum enumerator pop, struct value *out);
bool scope_has_label(const struct path_node *node, struct slice label);

#endif
