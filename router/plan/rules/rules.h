/*
 * rules.h -- what makes a plan cheaper without changing what it gives.
 *
 * One file a rule, rule_<name>.c; rules.def has them in the order in which they run. A rule may
 * change any traversal of the plan; it walks children itself (rules_walk). New memory comes from
 * the plan's arena, and params are replaced, not written to (rules_params gives a copy to write
 * to).
 *
 * Pure.
 */
#ifndef ROUTER_PLAN_RULES_RULES_H
#define ROUTER_PLAN_RULES_RULES_H

#include "router/plan/params.h"

void rules_apply(struct plan *plan);

#define RULE(name, what) void rule_##name(struct plan *plan);
#include "router/plan/rules/rules.def"
#undef RULE

/* ---- what rules share ---- */

typedef void (*rules_fn)(struct plan *plan, struct plan_traversal *traversal, void *context);

/* Calls back for the traversal and all below it, children first. */
void rules_walk(struct plan *plan, struct plan_traversal *traversal, rules_fn fn, void *context);
/* A copy of the step's params that may be written to; it is the step's from now on. */
void *rules_params(struct plan *plan, struct plan_step *step, size_t size);
/* Takes the steps [at, at + count) out. */
void rules_remove(struct plan_traversal *traversal, uint32_t at, uint32_t count);
void rules_insert(struct plan *plan, struct plan_traversal *traversal, uint32_t at,
                  const struct plan_step *step);
/* Neither labels nor children. */
bool rules_is_plain(const struct plan_step *step);
/* A filter, range, order and the like: what comes out is what came in. */
bool rules_keeps_values(const struct plan_step *step);

#endif
