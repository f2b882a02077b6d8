#include "router/plan/rules/rules.h"

#include <assert.h>
#include <string.h>

enum { ROOM_FIRST = 4 };

void rules_apply(struct plan *plan)
{
    assert(plan->root != NULL);
#define RULE(name, what) rule_##name(plan);
#include "router/plan/rules/rules.def"
#undef RULE
}

static void walk(struct plan *plan, struct plan_traversal *traversal, rules_fn fn, void *context,
                 uint32_t depth)
{
    assert(depth <= VALUE_DEPTH_MAX);
    for (uint32_t i = 0; i < traversal->step_count; i++) {
        for (uint32_t j = 0; j < traversal->steps[i].child_count; j++) {
            walk(plan, traversal->steps[i].children[j], fn, context, depth + 1);
        }
    }
    fn(plan, traversal, context);
}

void rules_walk(struct plan *plan, struct plan_traversal *traversal, rules_fn fn, void *context)
{
    walk(plan, traversal, fn, context, 0);
}

void *rules_params(struct plan *plan, struct plan_step *step, size_t size)
{
    void *copy = arena_copy(&plan->arena, step->params, size);

    step->params = copy;
    return copy;
}

void rules_remove(struct plan_traversal *traversal, uint32_t at, uint32_t count)
{
    assert(at + count <= traversal->step_count);
    memmove(&traversal->steps[at], &traversal->steps[at + count],
            (traversal->step_count - at - count) * sizeof traversal->steps[0]);
    traversal->step_count -= count;
}

void rules_insert(struct plan *plan, struct plan_traversal *traversal, uint32_t at,
                  const struct plan_step *step)
{
    assert(at <= traversal->step_count);
    if (traversal->step_count == traversal->step_room) {
        uint32_t room = traversal->step_room == 0 ? ROOM_FIRST : traversal->step_room * 2;
        struct plan_step *steps = arena_array(&plan->arena, room, sizeof *steps);
        if (traversal->step_count > 0) {
            memcpy(steps, traversal->steps, traversal->step_count * sizeof *steps);
        }
        traversal->steps = steps;
        traversal->step_room = room;
    }
    memmove(&traversal->steps[at + 1], &traversal->steps[at],
            (traversal->step_count - at) * sizeof traversal->steps[0]);
    traversal->steps[at] = *step;
    traversal->step_count++;
}

bool rules_is_plain(const struct plan_step *step)
{
    return step->label_count == 0 && step->child_count == 0;
}

bool rules_keeps_values(const struct plan_step *step)
{
    switch ((int)step->kind) {
    case PLAN_HAS:
    case PLAN_IS:
    case PLAN_LIST_TEST:
    case PLAN_FILTER:
    case PLAN_WHERE:
    case PLAN_SIMPLE_PATH:
    case PLAN_IDENTITY:
    case PLAN_SIDE_EFFECT:
    case PLAN_BARRIER:
        return true;
    case PLAN_SACK:
        return ((const struct plan_sack *)step->params)->is_change;
    case PLAN_DEDUP:
        return ((const struct plan_dedup *)step->params)->scope == SCOPE_GLOBAL;
    case PLAN_RANGE:
        return ((const struct plan_range *)step->params)->scope == SCOPE_GLOBAL;
    case PLAN_SAMPLE:
        return ((const struct plan_sample *)step->params)->scope == SCOPE_GLOBAL;
    case PLAN_TAIL:
        return ((const struct plan_tail *)step->params)->scope == SCOPE_GLOBAL;
    case PLAN_ORDER:
        return ((const struct plan_order *)step->params)->scope == SCOPE_GLOBAL;
    case PLAN_AGGREGATE:
    case PLAN_SUBGRAPH:
    case PLAN_TIME_LIMIT:
        return true;
    case PLAN_TREE:
        return ((const struct plan_tree *)step->params)->side_effect.data != NULL;
    default: /* All others make new values. */
        return false;
    }
}
