#include "router/plan/rules/rules.h"

static bool may_count(const struct plan_step *step)
{
    if (step->label_count > 0) {
        return false;
    }
    if (step->kind == PLAN_HOP) {
        const struct plan_hop *hop = step->params;
        return hop->emit == READ_ROWS && hop->vertex_filter_count == 0 && hop->limit_each == 0;
    }
    if (step->kind == PLAN_VERTICES || step->kind == PLAN_EDGES) {
        const struct plan_elements *elements = step->params;
        return elements->emit == READ_ROWS && elements->limit == 0;
    }
    return false;
}

static bool is_global_count(const struct plan_step *step)
{
    return step->kind == PLAN_COUNT &&
           ((const struct plan_scope *)step->params)->scope == SCOPE_GLOBAL;
}

/* groupCount().by(label) right behind a bare V() or E(). */
static bool is_label_count(const struct plan_step *step, const struct plan_step *next)
{
    const struct plan_elements *elements = step->params;
    const struct plan_group *group = next->params;

    return (step->kind == PLAN_VERTICES || step->kind == PLAN_EDGES) && next->kind == PLAN_GROUP &&
           elements->is_start && !elements->has_ids && elements->filter_count == 0 &&
           group->is_count && group->side_effect.data == NULL && group->key.kind == BY_TOKEN &&
           group->key.token == T_LABEL;
}

static void count_traversal(struct plan *plan, struct plan_traversal *traversal, void *context)
{
    (void)context;
    for (uint32_t i = 0; i + 1 < traversal->step_count; i++) {
        struct plan_step *step = &traversal->steps[i];
        const struct plan_step *next = &traversal->steps[i + 1];
        if (!may_count(step)) {
            continue;
        }
        if (is_label_count(step, next)) {
            struct plan_elements *elements = rules_params(plan, step, sizeof *elements);
            elements->emit = READ_LABEL_COUNTS;
        } else if (!is_global_count(next)) {
            continue;
        } else if (step->kind == PLAN_HOP) {
            struct plan_hop *hop = rules_params(plan, step, sizeof *hop);
            hop->emit = READ_COUNT;
        } else {
            struct plan_elements *elements = rules_params(plan, step, sizeof *elements);
            elements->emit = READ_COUNT;
        }
        step->labels = next->labels;
        step->label_count = next->label_count;
        step->row_bound = 0;
        rules_remove(traversal, i + 1, 1);
    }
}

void rule_count(struct plan *plan)
{
    rules_walk(plan, plan->root, count_traversal, NULL);
}
