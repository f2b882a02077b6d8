/*
 * place.h -- which kinds of value may stand where: the one check of what clients put into steps.
 *
 *   plain values                  anywhere: null, numbers, texts, dates, collections of these,
 *                                 elements, enumerators
 *   traversal, P                  in the arguments of the steps that place.def names
 *   single(x), list(x), set(x)    there too, and as values of a map (mergeV(), option())
 *   strategies                    g.withStrategies(), with traversals in their options
 *   classes                       g.withoutStrategies()
 *   lambdas, traversers, metrics  nowhere
 *
 * Inside collections, elements, and operands of P only plain values. So what reaches an operator,
 * a shard, or an answer has a form there. P.eq(traversal) is refused: where() compares with
 * traversals.
 *
 * Pure. Limits: VALUE_DEPTH_MAX.
 */
#ifndef ROUTER_GREMLIN_PLACE_H
#define ROUTER_GREMLIN_PLACE_H

#include "common/error.h"
#include "router/gremlin/bytecode.h"

enum place_kind {
    PLACE_PLAIN = 0,
    PLACE_TRAVERSAL = 1,
    PLACE_PREDICATE = 2,
    PLACE_CARDINALITY = 4,
    PLACE_STRATEGY = 8,
    PLACE_CLASS = 16
};

/* Kinds (bits) beside plain values that a step takes as arguments. */
unsigned place_of(enum step_id step);
/* Is the value of a kind that may stand here? Nested traversals are not looked into. Returns E_OK,
 * E_INVALID (what stands where), E_UNSUPPORTED (lambdas), E_LIMIT (nesting). */
int place_check(unsigned kinds, const struct value *value, struct error *err);

#endif
