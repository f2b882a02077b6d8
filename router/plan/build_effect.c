#include "router/plan/build.h"

#include <assert.h>

/* ---- group ---- */

/* Steps that see all traversers of a group before they give something. From
 * Grouping.determineBarrierStep. */
static bool is_group_barrier(const struct plan_step *step)
{
    switch ((int)step->origin) {
    case STEP_COUNT:
        return ((const struct plan_scope *)step->params)->scope == SCOPE_GLOBAL;
    case STEP_SUM:
    case STEP_MIN:
    case STEP_MAX:
    case STEP_MEAN:
        return ((const struct plan_reduce *)step->params)->scope == SCOPE_GLOBAL;
    case STEP_LIMIT:
    case STEP_SKIP:
    case STEP_RANGE:
        return ((const struct plan_range *)step->params)->scope == SCOPE_GLOBAL;
    case STEP_SAMPLE:
        return ((const struct plan_sample *)step->params)->scope == SCOPE_GLOBAL;
    case STEP_TAIL:
        return ((const struct plan_tail *)step->params)->scope == SCOPE_GLOBAL;
    case STEP_ORDER:
        return ((const struct plan_order *)step->params)->scope == SCOPE_GLOBAL;
    case STEP_DEDUP:
        return ((const struct plan_dedup *)step->params)->scope == SCOPE_GLOBAL;
    case STEP_AGGREGATE:
        return ((const struct plan_aggregate *)step->params)->scope == SCOPE_GLOBAL;
    case STEP_GROUP:
    case STEP_GROUP_COUNT:
        return ((const struct plan_group *)step->params)->side_effect.data == NULL;
    case STEP_TREE:
        return ((const struct plan_tree *)step->params)->side_effect.data == NULL;
    case STEP_FOLD:
    case STEP_CAP:
        return true;
    default: /* All other steps work on one traverser at a time. */
        return false;
    }
}

bool build_effect_has_barrier(const struct plan_traversal *traversal, uint32_t depth)
{
    assert(depth <= VALUE_DEPTH_MAX);
    for (uint32_t i = 0; i < traversal->step_count; i++) {
        const struct plan_step *step = &traversal->steps[i];
        if (step->kind == PLAN_BARRIER || is_group_barrier(step)) {
            return true;
        }
        for (uint32_t k = 0; k < step->child_count; k++) {
            if (step->children[k]->is_global &&
                build_effect_has_barrier(step->children[k], depth + 1)) {
                return true;
            }
        }
    }
    return false;
}

static int group_value(struct build *build, struct plan_step *step, struct plan_group *group,
                       const struct value *traversal)
{
    struct plan_traversal *whole = NULL, *before, *after;
    uint32_t at = 0;
    int rc = build_traversal(build, traversal->traversal, 0, &whole);

    if (rc != E_OK) {
        return rc;
    }
    while (at < whole->step_count && !is_group_barrier(&whole->steps[at])) {
        at++;
    }
    if (whole->step_count == 1 && whole->steps[0].kind == PLAN_IDENTITY) {
        group->value.kind = BY_IDENTITY; /* A list, as ByModulatorOptimizationStrategy makes it. */
        return E_OK;
    }
    if (at == whole->step_count) {
        group->is_only = true;
        group->before = build_adopt(build, step, whole);
        return E_OK;
    }
    before = build_empty(build);
    after = build_empty(build);
    for (uint32_t i = 0; i < whole->step_count; i++) {
        build_append(build, i < at ? before : after, &whole->steps[i]);
    }
    if (at > 0) {
        group->before = build_adopt(build, step, before);
    }
    group->after = build_adopt(build, step, after);
    return E_OK;
}

static int group_bys(struct build *build, struct plan_step *step, const struct call *call,
                     struct plan_group *group)
{
    const struct instruction *key = build_arg_modulator(call, STEP_BY, 0);
    const struct instruction *value = build_arg_modulator(call, STEP_BY, 1);
    uint32_t count = build_arg_modulators(call, STEP_BY);
    int rc;

    if (group->is_count) {
        return build_arg_one_by(build, step, call, "GroupCount", &group->key);
    }
    if (count > 2) {
        return error_set(build->err, E_INVALID,
                         "The key and value traversals for group()-step have already been set");
    }
    group->key = (struct plan_by){.kind = BY_IDENTITY, .order = ORDER_ASC, .child = PLAN_NO_CHILD};
    group->value = group->key;
    rc = key == NULL ? E_OK : build_arg_by(build, step, key, &group->key);
    if (rc != E_OK || value == NULL) {
        return rc;
    }
    if (value->arg_count > 0 && value->args[0].kind == VALUE_TRAVERSAL) {
        group->value.kind = BY_CHILD;
        return group_value(build, step, group, &value->args[0]);
    }
    return build_arg_by(build, step, value, &group->value);
}

int build_effect_group(struct frame *frame, const struct call *call)
{
    struct build *build = frame->build;
    struct plan_group *group = ARENA_NEW(build->arena, struct plan_group);
    struct plan_step step = build_step(call, PLAN_GROUP, group);
    int rc = E_OK;

    group->is_count = call->step->step == STEP_GROUP_COUNT;
    group->before = group->after = PLAN_NO_CHILD;
    if (call->step->arg_count > 0) {
        rc = build_arg_text(build, call, 0, &group->side_effect);
        if (rc == E_OK) {
            build_side_effect(build, group->side_effect);
        }
    }
    if (rc == E_OK) {
        rc = group_bys(build, &step, call, group);
    }
    if (rc == E_OK) {
        build_push(frame, &step);
    }
    return rc;
}

/* ---- aggregate, cap ---- */

int build_effect_aggregate(struct frame *frame, const struct call *call)
{
    struct build *build = frame->build;
    struct plan_aggregate *aggregate = ARENA_NEW(build->arena, struct plan_aggregate);
    struct plan_step step = build_step(call, PLAN_AGGREGATE, aggregate);
    uint32_t at;
    int rc;

    aggregate->scope = build_arg_scope(call, &at);
    if (call->step->step == STEP_STORE) {
        aggregate->scope = SCOPE_LOCAL;
    }
    rc = build_arg_text(build, call, at, &aggregate->key);
    if (rc == E_OK) {
        build_side_effect(build, aggregate->key);
        rc = build_arg_one_by(build, &step, call, "Aggregate", &aggregate->by);
    }
    if (rc == E_OK) {
        build_push(frame, &step);
    }
    return rc;
}

int build_effect_tree(struct frame *frame, const struct call *call)
{
    struct build *build = frame->build;
    struct plan_tree *tree = ARENA_NEW(build->arena, struct plan_tree);
    struct plan_step step = build_step(call, PLAN_TREE, tree);
    int rc = E_OK;

    if (call->step->arg_count > 0) {
        rc = build_arg_text(build, call, 0, &tree->side_effect);
        if (rc == E_OK) {
            build_side_effect(build, tree->side_effect);
        }
    }
    if (rc == E_OK) {
        rc = build_arg_bys(build, &step, call, &tree->by_count, &tree->bys);
    }
    if (rc == E_OK) {
        build_push(frame, &step);
    }
    return rc;
}

int build_effect_subgraph(struct frame *frame, const struct call *call)
{
    struct build *build = frame->build;
    struct plan_subgraph *subgraph = ARENA_NEW(build->arena, struct plan_subgraph);
    struct plan_step step = build_step(call, PLAN_SUBGRAPH, subgraph);
    int rc = build_arg_text(build, call, 0, &subgraph->side_effect);

    if (rc == E_OK) {
        build_side_effect(build, subgraph->side_effect);
        build_push(frame, &step);
    }
    return rc;
}

int build_effect_cap(struct frame *frame, const struct call *call)
{
    struct build *build = frame->build;
    struct plan_cap *cap = ARENA_NEW(build->arena, struct plan_cap);
    struct plan_step step = build_step(call, PLAN_CAP, cap);
    int rc = build_arg_texts(build, call, 0, &cap->key_count, &cap->keys);

    if (rc == E_OK && cap->key_count == 0) {
        rc = build_arg_wrong(build, call, 0, "a side effect's key");
    }
    if (rc == E_OK) {
        build_push(frame, &step);
    }
    return rc;
}

int build_effect_traversal(struct frame *frame, const struct call *call)
{
    const struct instruction *in = call->step;
    struct plan_step step = build_step(call, PLAN_SIDE_EFFECT, NULL);
    uint32_t index;
    int rc;

    if (in->arg_count != 1 || in->args[0].kind != VALUE_TRAVERSAL) {
        return build_arg_wrong(frame->build, call, 0, "a traversal");
    }
    rc = build_child(frame->build, &step, &in->args[0], 0, &index);
    if (rc == E_OK) {
        build_push(frame, &step);
    }
    return rc;
}

int build_effect_sack(struct frame *frame, const struct call *call)
{
    const struct instruction *in = call->step;
    struct build *build = frame->build;
    struct plan_sack *sack = ARENA_NEW(build->arena, struct plan_sack);
    struct plan_step step = build_step(call, PLAN_SACK, sack);
    int rc;

    if (in->arg_count > 0) {
        if (!build_arg_is_enum(&in->args[0], ENUM_OPERATOR)) {
            return build_arg_wrong(build, call, 0, "an Operator");
        }
        sack->is_change = true;
        sack->operation = (enum enumerator)in->args[0].integer;
    }
    rc = build_arg_one_by(build, &step, call, "Sack", &sack->by);
    if (rc == E_OK) {
        build_push(frame, &step);
    }
    return rc;
}

int build_effect_barrier(struct frame *frame, const struct call *call)
{
    const struct instruction *in = call->step;
    struct plan_barrier *barrier = ARENA_NEW(frame->build->arena, struct plan_barrier);
    struct plan_step step = build_step(call, PLAN_BARRIER, barrier);
    int64_t max = 0;

    if (in->arg_count > 0 && build_arg_is_enum(&in->args[0], ENUM_BARRIER)) {
        barrier->is_norm = true;
    } else if (in->arg_count > 0) {
        int rc = build_arg_number(frame->build, call, 0, &max);
        if (rc != E_OK) {
            return rc;
        }
    }
    barrier->max = max < 0 ? 0 : (uint64_t)max;
    build_push(frame, &step);
    return E_OK;
}

int build_effect_fail(struct frame *frame, const struct call *call)
{
    const struct instruction *in = call->step;
    struct plan_fail *fail = ARENA_NEW(frame->build->arena, struct plan_fail);
    struct plan_step step = build_step(call, PLAN_FAIL, fail);
    int rc = E_OK;

    fail->child = PLAN_NO_CHILD;
    if (in->arg_count > 0 && in->args[0].kind == VALUE_TRAVERSAL) {
        rc = build_child(frame->build, &step, &in->args[0], 0, &fail->child);
    } else if (in->arg_count > 0) {
        rc = build_arg_text(frame->build, call, 0, &fail->message);
    }
    if (rc == E_OK) {
        build_push(frame, &step);
    }
    return rc;
}

int build_effect_profile(struct frame *frame, const struct call *call)
{
    bool is_last = call->step + call->modulator_count + 1 ==
                   frame->bytecode->steps + frame->bytecode->step_count;

    if (call->step->arg_count > 0) {
        return error_set(frame->build->err, E_UNSUPPORTED,
                         "The step profile(key) is not supported yet");
    }
    if ((frame->flags & BUILD_SOURCE) == 0 || frame->build->depth != 1 || !is_last) {
        return error_set(frame->build->err, E_INVALID,
                         "profile() has to be the last step of the traversal");
    }
    frame->build->plan->is_profile = true;
    return E_OK;
}
