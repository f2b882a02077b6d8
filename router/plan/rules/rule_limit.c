#include "router/plan/rules/rules.h"

#include <assert.h>

/* One result for each traverser, so a bound on what comes out is one on what goes in. */
static bool is_one_to_one(const struct plan_step *step)
{
    switch ((int)step->kind) {
    case PLAN_TOKEN:
    case PLAN_ELEMENT:
    case PLAN_CONSTANT:
    case PLAN_FUNCTION:
    case PLAN_LOAD:
    case PLAN_PROPERTY_MAP:
    case PLAN_IDENTITY:
    case PLAN_PROJECT:
    case PLAN_LOOPS:
        return true;
    case PLAN_RANGE:
        return ((const struct plan_range *)step->params)->scope == SCOPE_LOCAL;
    case PLAN_COUNT:
        return ((const struct plan_scope *)step->params)->scope == SCOPE_LOCAL;
    default: /* All others may drop some, or need all. */
        return false;
    }
}

static const struct plan_range *global_range(const struct plan_step *step)
{
    const struct plan_range *range = step->params;

    return step->kind == PLAN_RANGE && range->scope == SCOPE_GLOBAL && range->high != UINT64_MAX
               ? range
               : NULL;
}

static void bound_source(struct plan *plan, struct plan_step *step, uint64_t bound)
{
    if (step->kind == PLAN_ORDER) {
        struct plan_order *order = rules_params(plan, step, sizeof *order);
        if (order->scope == SCOPE_GLOBAL && (order->top == 0 || order->top > bound)) {
            order->top = bound;
        }
        return;
    }
    if (step->kind != PLAN_VERTICES && step->kind != PLAN_EDGES && step->kind != PLAN_HOP) {
        return;
    }
    if (step->row_bound == 0 || step->row_bound > bound) {
        step->row_bound = bound;
    }
}

static void limit_traversal(struct plan *plan, struct plan_traversal *traversal, void *context)
{
    (void)context;
    for (uint32_t i = 1; i < traversal->step_count; i++) {
        const struct plan_range *range = global_range(&traversal->steps[i]);
        uint32_t at = i;
        if (range == NULL || range->high == 0) {
            continue;
        }
        while (at > 1 && is_one_to_one(&traversal->steps[at - 1])) {
            at--;
        }
        bound_source(plan, &traversal->steps[at - 1], range->high);
    }
}

/* ---- children that run for one traverser a tag ---- */

/* The first step of a local child meets one traverser a tag: a limit behind it is one for each
 * input. */
static void limit_each(struct plan *plan, struct plan_traversal *child, uint64_t bound)
{
    const struct plan_hop *hop = child->step_count == 0 ? NULL : child->steps[0].params;

    if (child->is_global || hop == NULL || child->steps[0].kind != PLAN_HOP ||
        hop->vertex_filter_count > 0) {
        return;
    }
    if (hop->limit_each == 0 || hop->limit_each > bound) {
        ((struct plan_hop *)rules_params(plan, &child->steps[0], sizeof *hop))->limit_each = bound;
    }
}

static void limit_children(struct plan *plan, struct plan_traversal *traversal, void *context)
{
    (void)context;
    for (uint32_t i = 0; i < traversal->step_count; i++) {
        struct plan_step *step = &traversal->steps[i];
        for (uint32_t j = 0; j < step->child_count; j++) {
            struct plan_traversal *child = step->children[j];
            const struct plan_range *range =
                child->step_count > 1 ? global_range(&child->steps[1]) : NULL;
            if (step->kind == PLAN_FILTER && child->step_count == 1) {
                limit_each(plan, child, 1);
            } else if (range != NULL && range->high > 0 && step->kind != PLAN_GROUP) {
                limit_each(plan, child, range->high);
            }
        }
    }
}

void rule_limit(struct plan *plan)
{
    rules_walk(plan, plan->root, limit_traversal, NULL);
    rules_walk(plan, plan->root, limit_children, NULL);
}
