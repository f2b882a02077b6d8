#include "router/plan/rules/rules.h"

#include <string.h>

static bool is_values_of_one(const struct plan_step *step)
{
    const struct plan_properties *values = step->params;

    return step->kind == PLAN_PROPERTIES && values->to_values && values->key_count == 1 &&
           rules_is_plain(step);
}

/* The tests that a child makes of the traverser's own value, if it does nothing else. */
static bool tests_of(struct plan *plan, const struct plan_traversal *child, struct plan_has *out)
{
    struct read_filter *filters = arena_array(&plan->arena, READ_FILTERS_MAX, sizeof *filters);
    uint32_t at = 0;

    *out = (struct plan_has){.filters = filters};
    if (child->step_count == 2 && is_values_of_one(&child->steps[0]) &&
        child->steps[1].kind == PLAN_IS && rules_is_plain(&child->steps[1])) {
        filters[0].on = READ_ON_KEY;
        filters[0].key = ((const struct plan_properties *)child->steps[0].params)->keys[0];
        filters[0].predicate = ((const struct plan_is *)child->steps[1].params)->predicate;
        out->filter_count = 1;
        return true;
    }
    if (child->step_count == 1 && is_values_of_one(&child->steps[0])) {
        filters[0].on = READ_ON_EXISTS;
        filters[0].key = ((const struct plan_properties *)child->steps[0].params)->keys[0];
        out->filter_count = 1;
        return true;
    }
    for (; at < child->step_count; at++) {
        const struct plan_step *step = &child->steps[at];
        const struct plan_has *has = step->params;
        if (step->kind != PLAN_HAS || !rules_is_plain(step) || has->on_property ||
            out->filter_count + has->filter_count > READ_FILTERS_MAX) {
            return false;
        }
        memcpy(filters + out->filter_count, has->filters, has->filter_count * sizeof *filters);
        out->filter_count += has->filter_count;
    }
    return at > 0;
}

/* A filter whose children are all tests: one HAS, if all have to be true. */
static bool inline_filter(struct plan *plan, struct plan_step *step)
{
    const struct plan_filter *filter = step->params;
    struct plan_has *all = ARENA_NEW(&plan->arena, struct plan_has);
    struct read_filter *filters = arena_array(&plan->arena, READ_FILTERS_MAX, sizeof *filters);
    bool is_conjunction = filter->which == FILTER_ALL_OF ||
                          (filter->which == FILTER_ANY_OF && step->child_count == 1);

    if (!is_conjunction || step->child_count == 0) {
        return false;
    }
    for (uint32_t i = 0; i < step->child_count; i++) {
        struct plan_has tests;
        if (!tests_of(plan, step->children[i], &tests) ||
            all->filter_count + tests.filter_count > READ_FILTERS_MAX) {
            return false;
        }
        memcpy(filters + all->filter_count, tests.filters, tests.filter_count * sizeof *filters);
        all->filter_count += tests.filter_count;
    }
    all->filters = filters;
    step->kind = PLAN_HAS;
    step->params = all;
    step->child_count = 0;
    step->children = NULL;
    return true;
}

/* What a test of an element needs: has() fails on other values, where(values('k')) does too. */
static bool gives_elements(const struct plan_step *step)
{
    return step->kind == PLAN_VERTICES || step->kind == PLAN_EDGES || step->kind == PLAN_HOP ||
           step->kind == PLAN_EDGE_VERTEX || step->kind == PLAN_ADD_VERTEX ||
           step->kind == PLAN_ADD_EDGE || step->kind == PLAN_HAS;
}

static void inline_traversal(struct plan *plan, struct plan_traversal *traversal, void *context)
{
    (void)context;
    for (uint32_t i = 0; i < traversal->step_count;) {
        struct plan_step *step = &traversal->steps[i];
        if (step->kind == PLAN_IDENTITY && step->label_count == 0 && traversal->step_count > 1) {
            rules_remove(traversal, i, 1);
            continue;
        }
        if (step->kind == PLAN_FILTER && i > 0 && gives_elements(&traversal->steps[i - 1])) {
            (void)inline_filter(plan, step);
        }
        i++;
    }
}

void rule_inline(struct plan *plan)
{
    rules_walk(plan, plan->root, inline_traversal, NULL);
}
