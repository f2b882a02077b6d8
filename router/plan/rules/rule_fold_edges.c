#include "router/plan/rules/rules.h"

static void find_path(struct plan *plan, struct plan_traversal *traversal, void *context)
{
    bool *has_path = context;

    (void)plan;
    for (uint32_t i = 0; i < traversal->step_count; i++) {
        enum plan_kind kind = traversal->steps[i].kind;
        *has_path |= kind == PLAN_PATH || kind == PLAN_SIMPLE_PATH || kind == PLAN_TREE;
    }
}

/* The end of the edge that the hop goes to. */
static bool is_far_end(uint8_t direction, const struct plan_edge_vertex *end)
{
    switch ((int)direction) {
    case DIRECTION_OUT:
        return end->which == EDGE_VERTEX_IN || end->which == EDGE_VERTEX_OTHER;
    case DIRECTION_IN:
        return end->which == EDGE_VERTEX_OUT || end->which == EDGE_VERTEX_OTHER;
    default: /* Both. */
        return end->which == EDGE_VERTEX_OTHER;
    }
}

static void fold_traversal(struct plan *plan, struct plan_traversal *traversal, void *context)
{
    (void)context;
    for (uint32_t i = 0; i + 1 < traversal->step_count; i++) {
        struct plan_step *step = &traversal->steps[i];
        const struct plan_step *next = &traversal->steps[i + 1];
        const struct plan_hop *hop = step->params;
        struct plan_hop *folded;
        if (step->kind != PLAN_HOP || !hop->to_edges || step->label_count > 0 ||
            next->kind != PLAN_EDGE_VERTEX || !is_far_end(hop->direction, next->params)) {
            continue;
        }
        folded = rules_params(plan, step, sizeof *folded);
        folded->to_edges = false;
        step->labels = next->labels;
        step->label_count = next->label_count;
        rules_remove(traversal, i + 1, 1);
    }
}

/* A path has the edges too. */
void rule_fold_edges(struct plan *plan)
{
    bool has_path = (plan->needs & PLAN_NEEDS_PATH) != 0;

    rules_walk(plan, plan->root, find_path, &has_path);
    if (!has_path) {
        rules_walk(plan, plan->root, fold_traversal, NULL);
        rule_push_has(plan); /* Tests behind inV() are behind the hop now. */
    }
}
