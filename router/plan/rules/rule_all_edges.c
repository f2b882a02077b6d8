#include "router/plan/rules/rules.h"

#include <string.h>

static bool is_every_vertex(const struct plan_step *step)
{
    const struct plan_elements *elements = step->params;

    return step->kind == PLAN_VERTICES && rules_is_plain(step) && elements->is_start &&
           !elements->has_ids && elements->filter_count == 0 && elements->limit == 0 &&
           step->row_bound == 0;
}

/* Every edge has one start and one end, so that all vertices' outgoing edges are all edges.
 * Neighbours are as many, if nothing is asked of them. */
static bool is_every_edge(const struct plan_traversal *traversal, uint32_t at)
{
    const struct plan_step *step = &traversal->steps[at];
    const struct plan_hop *hop = step->params;
    const struct plan_step *next = at + 1 < traversal->step_count ? step + 1 : NULL;
    bool is_counted = next != NULL && next->kind == PLAN_COUNT && step->label_count == 0 &&
                      ((const struct plan_scope *)next->params)->scope == SCOPE_GLOBAL;

    if (step->kind != PLAN_HOP || hop->direction == DIRECTION_BOTH || hop->limit_each != 0) {
        return false;
    }
    if (hop->label_count + 1 + hop->edge_filter_count > READ_FILTERS_MAX) {
        return false;
    }
    return hop->to_edges ||
           (is_counted && hop->far_filter_count == 0 && hop->vertex_filter_count == 0);
}

static void set_filters(struct plan *plan, const struct plan_hop *hop, struct plan_elements *edges)
{
    struct read_filter *filters =
        arena_array(&plan->arena, hop->edge_filter_count + 1u, sizeof *filters);
    struct value *labels = arena_array(&plan->arena, hop->label_count + 1u, sizeof *labels);
    struct predicate *within = ARENA_NEW(&plan->arena, struct predicate);
    uint32_t count = 0;

    for (uint32_t i = 0; i < hop->label_count; i++) {
        labels[i] = value_string(hop->labels[i]);
    }
    if (hop->label_count > 0) {
        *within = (struct predicate){
            .test = hop->label_count == 1 ? PREDICATE_EQ : PREDICATE_WITHIN,
            .operand_count = hop->label_count,
            .operands = labels,
        };
        filters[count++] = (struct read_filter){.on = READ_ON_LABEL, .predicate = within};
    }
    if (hop->edge_filter_count > 0) {
        memcpy(filters + count, hop->edge_filters, hop->edge_filter_count * sizeof *filters);
    }
    edges->filters = filters;
    edges->filter_count = count + hop->edge_filter_count;
}

static void fold_traversal(struct plan *plan, struct plan_traversal *traversal, void *context)
{
    struct plan_elements *edges;
    struct plan_step *step;

    (void)context;
    if (traversal->step_count < 2 || !is_every_vertex(&traversal->steps[0]) ||
        !is_every_edge(traversal, 1)) {
        return;
    }
    step = &traversal->steps[1];
    edges = ARENA_NEW(&plan->arena, struct plan_elements);
    edges->is_start = true;
    edges->emit = READ_ROWS;
    set_filters(plan, step->params, edges);
    step->kind = PLAN_EDGES;
    step->params = edges;
    rules_remove(traversal, 0, 1);
}

void rule_all_edges(struct plan *plan)
{
    if ((plan->needs & PLAN_NEEDS_PATH) == 0) {
        rules_walk(plan, plan->root, fold_traversal, NULL);
    }
}
