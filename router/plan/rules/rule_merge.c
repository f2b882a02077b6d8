#include "router/plan/rules/rules.h"

#include <assert.h>

static bool is_global_order(const struct plan_step *step)
{
    return step->kind == PLAN_ORDER &&
           ((const struct plan_order *)step->params)->scope == SCOPE_GLOBAL;
}

/* Behind it the order of before is lost anyway. */
static bool forgets_order(const struct plan_step *step)
{
    switch ((int)step->kind) {
    case PLAN_COUNT:
        return ((const struct plan_scope *)step->params)->scope == SCOPE_GLOBAL;
    case PLAN_REDUCE:
        return ((const struct plan_reduce *)step->params)->scope == SCOPE_GLOBAL;
    case PLAN_GROUP:
        return ((const struct plan_group *)step->params)->side_effect.data == NULL;
    case PLAN_CAP:
        return true;
    default: /* All others keep it. */
        return false;
    }
}

static bool has_order(const struct plan_traversal *traversal, uint32_t depth)
{
    assert(depth <= VALUE_DEPTH_MAX);
    for (uint32_t i = 0; i < traversal->step_count; i++) {
        if (is_global_order(&traversal->steps[i])) {
            return true;
        }
        for (uint32_t j = 0; j < traversal->steps[i].child_count; j++) {
            if (has_order(traversal->steps[i].children[j], depth + 1)) {
                return true;
            }
        }
    }
    return false;
}

/* Whether what comes in next is in an order that someone asked for. A hop that merges would lose
 * it; whether
 * traversers can be told apart the operator sees by itself. */
static bool merge_traversal(struct plan *plan, struct plan_traversal *traversal, bool is_ordered,
                            uint32_t depth)
{
    assert(depth <= VALUE_DEPTH_MAX);
    for (uint32_t i = 0; i < traversal->step_count; i++) {
        struct plan_step *step = &traversal->steps[i];
        const struct plan_hop *hop = step->params;
        bool is_child_ordered = is_ordered;
        for (uint32_t j = 0; j < step->child_count; j++) {
            /* The order that a round of repeat() ends with is that of the next. */
            bool is_round = step->kind == PLAN_REPEAT && has_order(step->children[j], 0);
            is_child_ordered |=
                merge_traversal(plan, step->children[j], is_ordered || is_round, depth + 1);
        }
        is_ordered = is_child_ordered || is_global_order(step);
        if (forgets_order(step)) {
            is_ordered = false;
        }
        if (step->kind == PLAN_HOP && !is_ordered && !hop->to_edges && hop->emit == READ_ROWS &&
            hop->limit_each == 0 && step->row_bound == 0) {
            ((struct plan_hop *)rules_params(plan, step, sizeof *hop))->emit = READ_MERGED;
        }
    }
    return is_ordered;
}

void rule_merge(struct plan *plan)
{
    /* Sacks of merged traversers are merged too, which only a barrier does. */
    if (plan->is_bulked && plan->sack_merge == ENUMERATOR_COUNT) {
        (void)merge_traversal(plan, plan->root, false, 0);
    }
}
