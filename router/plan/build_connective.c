#include "router/plan/build.h"

#include <assert.h>

static bool is_marker(const struct instruction *step, enum step_id id)
{
    return step->step == id && step->arg_count == 0;
}

/* Steps that the left side of an infix and() does not reach over. From
 * ConnectiveStrategy.legalCurrentStep. */
static bool is_wall(const struct instruction *step)
{
    return step->step == STEP_V || step->step == STEP_E || step->step == STEP_INJECT;
}

bool build_connective_find(const struct bytecode *bytecode, uint32_t from, uint32_t *left)
{
    uint32_t start = from;

    for (uint32_t i = from; i < bytecode->step_count; i++) {
        if (is_wall(&bytecode->steps[i])) {
            start = i + 1;
        }
        if (is_marker(&bytecode->steps[i], STEP_AND) || is_marker(&bytecode->steps[i], STEP_OR)) {
            /* as() right behind V() names it, and is no part of the test. */
            while (start > from && start < i && bytecode->steps[start].step == STEP_AS) {
                start++;
            }
            *left = start;
            return true;
        }
    }
    return false;
}

static bool has_marker(const struct bytecode *bytecode, uint32_t from, enum step_id id)
{
    for (uint32_t i = from; i < bytecode->step_count; i++) {
        if (is_marker(&bytecode->steps[i], id)) {
            return true;
        }
    }
    return false;
}

/* or() binds loosest: `a and b or c` is or(and(a, b), c). Parts with and() become children of
 * their own. */
int build_connective(struct frame *frame, uint32_t left)
{
    struct build *build = frame->build;
    const struct bytecode *bytecode = frame->bytecode;
    enum step_id id = has_marker(bytecode, left, STEP_OR) ? STEP_OR : STEP_AND;
    struct plan_filter *filter = ARENA_NEW(build->arena, struct plan_filter);
    struct plan_step step = {.kind = PLAN_FILTER, .params = filter, .origin = id};
    uint32_t start = left;

    assert(left < bytecode->step_count);
    filter->which = id == STEP_OR ? FILTER_ANY_OF : FILTER_ALL_OF;
    for (uint32_t i = left; i <= bytecode->step_count; i++) {
        struct bytecode part = {.steps = bytecode->steps + start, .step_count = i - start};
        struct plan_traversal *child = NULL;
        int rc;
        if (i < bytecode->step_count && !is_marker(&bytecode->steps[i], id)) {
            continue;
        }
        rc = build_traversal(build, &part, frame->flags & BUILD_WHERE, &child);
        if (rc != E_OK) {
            return rc;
        }
        build_adopt(build, &step, child);
        start = i + 1;
    }
    build_push(frame, &step);
    return E_OK;
}
