#include "router/plan/rules/rules.h"

#include <assert.h>

/* Labels that as() gives anywhere in the plan. */
struct labels {
    const struct plan *plan;
    uint32_t needs;
};

static bool is_given_in(const struct plan_traversal *traversal, struct slice label, uint32_t depth)
{
    assert(depth <= VALUE_DEPTH_MAX);
    for (uint32_t i = 0; i < traversal->step_count; i++) {
        const struct plan_step *step = &traversal->steps[i];
        for (uint32_t j = 0; j < step->label_count; j++) {
            if (slice_equal(step->labels[j], label)) {
                return true;
            }
        }
        for (uint32_t j = 0; j < step->child_count; j++) {
            if (is_given_in(step->children[j], label, depth + 1)) {
                return true;
            }
        }
    }
    return false;
}

static bool is_any_given(const struct labels *labels, uint32_t count, const struct slice *names)
{
    for (uint32_t i = 0; i < count; i++) {
        if (is_given_in(labels->plan->root, names[i], 0)) {
            return true;
        }
    }
    return false;
}

static bool predicate_names_given(const struct labels *labels, const struct predicate *predicate)
{
    for (uint32_t i = 0; i < predicate->operand_count; i++) {
        if (predicate->operands[i].kind == VALUE_STRING &&
            is_given_in(labels->plan->root, value_slice(&predicate->operands[i]), 0)) {
            return true;
        }
    }
    for (uint32_t i = 0; i < predicate->child_count; i++) {
        if (predicate_names_given(labels, &predicate->children[i])) {
            return true;
        }
    }
    return false;
}

static bool is_label(const struct plan_arg *arg)
{
    return arg->child == PLAN_NO_CHILD && arg->value.kind == VALUE_STRING;
}

static uint32_t needs_of(const struct labels *labels, const struct plan_step *step)
{
    switch ((int)step->kind) {
    case PLAN_PATH:
    case PLAN_TREE:
    case PLAN_SIMPLE_PATH:
        return PLAN_NEEDS_PATH;
    case PLAN_EDGE_VERTEX:
        return ((const struct plan_edge_vertex *)step->params)->which == EDGE_VERTEX_OTHER
                   ? PLAN_NEEDS_PATH
                   : 0;
    case PLAN_MATCH:
        return PLAN_NEEDS_LABELS;
    case PLAN_LOOPS:
        return PLAN_NEEDS_LOOPS;
    case PLAN_SELECT: {
        const struct plan_select *select = step->params;
        return select->child != PLAN_NO_CHILD ||
                       is_any_given(labels, select->label_count, select->labels)
                   ? PLAN_NEEDS_LABELS
                   : 0;
    }
    case PLAN_FORMULA: {
        const struct plan_formula *formula = step->params;
        uint32_t needs = 0;
        for (uint32_t i = 0; i < formula->variable_count; i++) {
            needs |= is_any_given(labels, 1, &formula->variables[i].name) ? PLAN_NEEDS_LABELS : 0;
        }
        return needs;
    }
    case PLAN_WHERE: {
        const struct plan_where *where = step->params;
        return predicate_names_given(labels, where->predicate) ||
                       is_any_given(labels, 1, &where->start)
                   ? PLAN_NEEDS_LABELS
                   : 0;
    }
    case PLAN_DEDUP:
        return ((const struct plan_dedup *)step->params)->label_count > 0 ? PLAN_NEEDS_LABELS : 0;
    case PLAN_ADD_EDGE: {
        const struct plan_add_edge *add = step->params;
        return (add->has_from && is_label(&add->from)) || (add->has_to && is_label(&add->to))
                   ? PLAN_NEEDS_LABELS
                   : 0;
    }
    default: /* No other step looks back. */
        return 0;
    }
}

static void collect(struct plan *plan, struct plan_traversal *traversal, void *context)
{
    struct labels *labels = context;

    (void)plan;
    for (uint32_t i = 0; i < traversal->step_count; i++) {
        labels->needs |= needs_of(labels, &traversal->steps[i]);
    }
}

void rule_needs(struct plan *plan)
{
    struct labels labels = {.plan = plan};

    rules_walk(plan, plan->root, collect, &labels);
    plan->needs |= labels.needs;
}
