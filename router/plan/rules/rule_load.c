#include "router/plan/rules/rules.h"

/* Clients get elements with all their properties (materializeProperties: all), wherever these are
 * in the
 * results: the last operator loads what was not read on the way. */
static bool gives_elements(const struct plan_traversal *traversal)
{
    uint32_t at = traversal->step_count;

    while (at > 0 && rules_keeps_values(&traversal->steps[at - 1])) {
        at--;
    }
    if (at == 0) {
        return true;
    }
    switch ((int)traversal->steps[at - 1].kind) {
    case PLAN_COUNT:
    case PLAN_TOKEN:
    case PLAN_PROPERTY_MAP:
    case PLAN_CONSTANT:
    case PLAN_FORMULA:
    case PLAN_NONE:
    case PLAN_DROP:
    case PLAN_LOOPS:
    case PLAN_FAIL:
        return false;
    case PLAN_REDUCE:
        return ((const struct plan_reduce *)traversal->steps[at - 1].params)->which == REDUCE_MIN ||
               ((const struct plan_reduce *)traversal->steps[at - 1].params)->which == REDUCE_MAX;
    case PLAN_PROPERTIES:
        return !((const struct plan_properties *)traversal->steps[at - 1].params)->to_values;
    default: /* Elements, or what may hold some. */
        return true;
    }
}

void rule_load(struct plan *plan)
{
    struct plan_load *load;
    struct plan_step step = {.kind = PLAN_LOAD};

    plan->is_discard = plan->root->step_count > 0 &&
                       plan->root->steps[plan->root->step_count - 1].kind == PLAN_NONE;
    if (plan->tokens_only || plan->root->step_count == 0 || !gives_elements(plan->root)) {
        return;
    }
    load = ARENA_NEW(&plan->arena, struct plan_load);
    load->is_deep = true;
    load->project = READ_ALL;
    step.params = load;
    rules_insert(plan, plan->root, plan->root->step_count, &step);
}
