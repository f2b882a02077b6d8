#include "router/plan/rules/rules.h"

#include <assert.h>
#include <string.h>

enum { IDS_MAX = 1000 /* Compared with each other. */ };

static bool append(struct plan *plan, uint32_t *count, const struct read_filter **filters,
                   const struct read_filter *added, uint32_t added_count)
{
    struct read_filter *all;

    if (*count + added_count > READ_FILTERS_MAX) {
        return false;
    }
    all = arena_array(&plan->arena, *count + added_count, sizeof *all);
    if (*count > 0) {
        memcpy(all, *filters, *count * sizeof *all);
    }
    memcpy(all + *count, added, added_count * sizeof *all);
    *filters = all;
    *count += added_count;
    return true;
}

static bool push_to_hop(struct plan *plan, struct plan_step *step, const struct plan_has *has)
{
    struct plan_hop hop = *(const struct plan_hop *)step->params;
    bool is_pushed = true;

    if (hop.emit != READ_ROWS || hop.limit_each != 0) {
        return false;
    }
    for (uint32_t i = 0; is_pushed && i < has->filter_count; i++) {
        const struct read_filter *filter = &has->filters[i];
        if (hop.to_edges) {
            is_pushed = append(plan, &hop.edge_filter_count, &hop.edge_filters, filter, 1);
        } else if (filter->on == READ_ON_ID || filter->on == READ_ON_LABEL) {
            is_pushed = append(plan, &hop.far_filter_count, &hop.far_filters, filter, 1);
        } else {
            is_pushed = append(plan, &hop.vertex_filter_count, &hop.vertex_filters, filter, 1);
        }
    }
    if (is_pushed) {
        *(struct plan_hop *)rules_params(plan, step, sizeof hop) = hop;
    }
    return is_pushed;
}

static bool push_to_elements(struct plan *plan, struct plan_step *step, const struct plan_has *has)
{
    struct plan_elements elements = *(const struct plan_elements *)step->params;

    if (elements.emit != READ_ROWS || elements.limit != 0 ||
        !append(plan, &elements.filter_count, &elements.filters, has->filters, has->filter_count)) {
        return false;
    }
    *(struct plan_elements *)rules_params(plan, step, sizeof elements) = elements;
    return true;
}

/* as() of the test names the same object. */
static void move_labels(struct plan *plan, struct plan_step *to, const struct plan_step *from)
{
    struct slice *labels;

    if (from->label_count == 0) {
        return;
    }
    labels = arena_array(&plan->arena, (size_t)to->label_count + from->label_count, sizeof *labels);
    if (to->label_count > 0) {
        memcpy(labels, to->labels, to->label_count * sizeof *labels);
    }
    memcpy(labels + to->label_count, from->labels, from->label_count * sizeof *labels);
    to->labels = labels;
    to->label_count += from->label_count;
}

/* ---- hasId() ---- */

/* Beside others, a text that is a number may be the same id once more (op/elem.c), which V() would
 * give twice. */
static bool is_plain_id(const struct value *id, bool is_alone)
{
    struct slice text = value_slice(id);

    if (id->kind == VALUE_STRING) {
        return is_alone || text.size == 0 ||
               (text.data[0] != '-' && (text.data[0] < '0' || text.data[0] > '9'));
    }
    return id->kind == VALUE_INT || id->kind == VALUE_LONG;
}

static bool ids_of(const struct predicate *predicate)
{
    if ((predicate->test != PREDICATE_EQ && predicate->test != PREDICATE_WITHIN) ||
        predicate->operand_count > IDS_MAX) {
        return false;
    }
    for (uint32_t i = 0; i < predicate->operand_count; i++) {
        if (!is_plain_id(&predicate->operands[i], predicate->operand_count == 1)) {
            return false;
        }
        for (uint32_t j = 0; j < i; j++) {
            if (value_equal(&predicate->operands[i], &predicate->operands[j])) {
                return false;
            }
        }
    }
    return true;
}

static void make_ids(struct plan *plan, struct plan_step *step)
{
    const struct plan_elements *elements = step->params;
    struct plan_elements *changed;

    for (uint32_t i = 0; !elements->has_ids && i < elements->filter_count; i++) {
        const struct read_filter *filter = &elements->filters[i];
        struct read_filter *rest;
        if (filter->on != READ_ON_ID || !ids_of(filter->predicate)) {
            continue;
        }
        rest = arena_copy(&plan->arena, elements->filters, elements->filter_count * sizeof *rest);
        memmove(rest + i, rest + i + 1, (elements->filter_count - i - 1) * sizeof *rest);
        changed = rules_params(plan, step, sizeof *changed);
        changed->has_ids = true;
        changed->id_count = filter->predicate->operand_count;
        changed->ids = filter->predicate->operands;
        changed->filters = rest;
        changed->filter_count--;
        return;
    }
}

static void push_traversal(struct plan *plan, struct plan_traversal *traversal, void *context)
{
    (void)context;
    for (uint32_t i = 0; i + 1 < traversal->step_count;) {
        struct plan_step *step = &traversal->steps[i];
        const struct plan_step *next = &traversal->steps[i + 1];
        const struct plan_has *has = next->params;
        bool is_pushed = false;
        if (next->kind == PLAN_HAS && !has->on_property) {
            is_pushed = step->kind == PLAN_HOP ? push_to_hop(plan, step, has)
                        : step->kind == PLAN_VERTICES || step->kind == PLAN_EDGES
                            ? push_to_elements(plan, step, has)
                            : false;
        }
        if (is_pushed) {
            move_labels(plan, step, next);
            rules_remove(traversal, i + 1, 1);
        } else {
            i++;
        }
    }
    for (uint32_t i = 0; i < traversal->step_count; i++) {
        if (traversal->steps[i].kind == PLAN_VERTICES || traversal->steps[i].kind == PLAN_EDGES) {
            make_ids(plan, &traversal->steps[i]);
        }
    }
}

void rule_push_has(struct plan *plan)
{
    rules_walk(plan, plan->root, push_traversal, NULL);
}
