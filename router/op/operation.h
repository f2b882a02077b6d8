/*
 * operation.h -- the Operators of the language: sum, minus, addAll ...: for fold(seed, op) and
 * side effects.
 *
 * Pure. After: TinkerPop process/traversal/Operator.java.
 */
#ifndef ROUTER_OP_OPERATION_H
#define ROUTER_OP_OPERATION_H

#include "common/error.h"
#include "common/value.h"

/* Returns E_OK or E_EVALUATION. id is one of OPERATOR_*. */
int operation_apply(struct arena *arena, enum enumerator id, const struct value *a,
                    const struct value *b, struct value *out, struct error *err);

#endif
