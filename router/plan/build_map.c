#include "router/plan/build.h"

#include "common/map.h"

#include <assert.h>

int build_map_inject(struct frame *frame, const struct call *call)
{
    const struct instruction *in = call->step;
    struct build *build = frame->build;
    struct plan_inject *inject = ARENA_NEW(build->arena, struct plan_inject);
    struct plan_step step = build_step(call, PLAN_INJECT, inject);
    struct value *values =
        arena_array(build->arena, in->arg_count == 0 ? 1 : in->arg_count, sizeof *values);

    if ((frame->flags & BUILD_REPEAT) != 0) {
        return error_set(build->err, E_INVALID,
                         "The parent of inject()-step can not be repeat()-step");
    }
    for (uint32_t i = 0; i < in->arg_count; i++) {
        if (in->args[i].kind == VALUE_TRAVERSAL || in->args[i].kind == VALUE_LAMBDA) {
            return build_arg_wrong(build, call, i, "a value");
        }
        values[i] = build_arg_value(build, &in->args[i]);
    }
    inject->is_start = call->is_start;
    inject->is_behind = !call->is_start && frame->traversal->step_count == 0;
    inject->value_count = in->arg_count;
    inject->values = values;
    build_push(frame, &step);
    return E_OK;
}

int build_map_constant(struct frame *frame, const struct call *call)
{
    struct build *build = frame->build;
    struct plan_constant *constant = ARENA_NEW(build->arena, struct plan_constant);
    struct plan_step step = build_step(call, PLAN_CONSTANT, constant);

    if (call->step->arg_count != 1 || call->step->args[0].kind == VALUE_TRAVERSAL) {
        return build_arg_wrong(build, call, 0, "a value");
    }
    constant->value = build_arg_value(build, &call->step->args[0]);
    build_push(frame, &step);
    return E_OK;
}

int build_map_plain(struct frame *frame, const struct call *call)
{
    struct plan_step step =
        build_step(call, call->step->step == STEP_UNFOLD ? PLAN_UNFOLD : PLAN_IDENTITY, NULL);

    build_push(frame, &step);
    return E_OK;
}

int build_map_count(struct frame *frame, const struct call *call)
{
    struct plan_scope *params = ARENA_NEW(frame->build->arena, struct plan_scope);
    struct plan_step step = build_step(call, PLAN_COUNT, params);
    uint32_t next;

    params->scope = build_arg_scope(call, &next);
    if (next < call->step->arg_count) {
        return build_arg_wrong(frame->build, call, next, "a Scope");
    }
    build_push(frame, &step);
    return E_OK;
}

int build_map_reduce(struct frame *frame, const struct call *call)
{
    struct plan_reduce *params = ARENA_NEW(frame->build->arena, struct plan_reduce);
    struct plan_step step = build_step(call, PLAN_REDUCE, params);
    enum step_id id = call->step->step;
    uint32_t next;

    params->scope = build_arg_scope(call, &next);
    if (next < call->step->arg_count) {
        return build_arg_wrong(frame->build, call, next, "a Scope");
    }
    params->which = id == STEP_SUM   ? REDUCE_SUM
                    : id == STEP_MIN ? REDUCE_MIN
                    : id == STEP_MAX ? REDUCE_MAX
                                     : REDUCE_MEAN;
    build_push(frame, &step);
    return E_OK;
}

int build_map_fold(struct frame *frame, const struct call *call)
{
    const struct instruction *in = call->step;
    struct build *build = frame->build;
    struct plan_fold *fold = ARENA_NEW(build->arena, struct plan_fold);
    struct plan_step step = build_step(call, PLAN_FOLD, fold);

    fold->operation = ENUMERATOR_COUNT;
    if (in->arg_count > 0) {
        if (in->arg_count < 2 || !build_arg_is_enum(&in->args[1], ENUM_OPERATOR)) {
            return build_arg_wrong(build, call, 1, "an Operator");
        }
        fold->has_seed = true;
        fold->seed = build_arg_value(build, &in->args[0]);
        fold->operation = (enum enumerator)in->args[1].integer;
    }
    build_push(frame, &step);
    return E_OK;
}

int build_map_order(struct frame *frame, const struct call *call)
{
    struct build *build = frame->build;
    struct plan_order *order = ARENA_NEW(build->arena, struct plan_order);
    struct plan_step step = build_step(call, PLAN_ORDER, order);
    uint32_t next;
    int rc;

    order->scope = build_arg_scope(call, &next);
    if (next < call->step->arg_count) {
        return build_arg_wrong(build, call, next, "a Scope");
    }
    rc = build_arg_bys(build, &step, call, &order->by_count, &order->bys);
    if (rc == E_OK) {
        build_push(frame, &step);
    }
    return rc;
}

int build_map_select(struct frame *frame, const struct call *call)
{
    const struct instruction *in = call->step;
    struct build *build = frame->build;
    struct plan_select *select = ARENA_NEW(build->arena, struct plan_select);
    struct plan_step step = build_step(call, PLAN_SELECT, select);
    uint32_t at = 0;
    int rc = E_OK;

    select->pop = select->column = ENUMERATOR_COUNT;
    select->child = PLAN_NO_CHILD;
    if (in->arg_count > 0 && build_arg_is_enum(&in->args[0], ENUM_POP)) {
        select->pop = (enum enumerator)in->args[0].integer;
        at = 1;
    }
    if (at >= in->arg_count) {
        return build_arg_wrong(build, call, at, "a label");
    }
    if (build_arg_is_enum(&in->args[at], ENUM_COLUMN)) {
        select->column = (enum enumerator)in->args[at].integer;
    } else if (in->args[at].kind == VALUE_TRAVERSAL) {
        rc = build_child(build, &step, &in->args[at], 0, &select->child);
    } else {
        rc = build_arg_texts(build, call, at, &select->label_count, &select->labels);
    }
    if (rc == E_OK) {
        rc = build_arg_bys(build, &step, call, &select->by_count, &select->bys);
    }
    if (rc == E_OK) {
        build_push(frame, &step);
    }
    return rc;
}

static int check_unique(struct build *build, uint32_t count, const struct slice *keys)
{
    struct map_text seen;
    int rc = E_OK;

    map_text_init(&seen, NULL, true);
    for (uint32_t i = 0; rc == E_OK && i < count; i++) {
        if (!map_text_put(&seen, keys[i], 1)) {
            rc = error_set(build->err, E_INVALID, "keys must be unique in ProjectStep");
        }
    }
    map_text_close(&seen);
    return rc;
}

int build_map_project(struct frame *frame, const struct call *call)
{
    struct build *build = frame->build;
    struct plan_project *project = ARENA_NEW(build->arena, struct plan_project);
    struct plan_step step = build_step(call, PLAN_PROJECT, project);
    int rc = build_arg_texts(build, call, 0, &project->key_count, &project->keys);

    if (rc == E_OK) {
        rc = build_arg_bys(build, &step, call, &project->by_count, &project->bys);
    }
    if (rc == E_OK) {
        rc = check_unique(build, project->key_count, project->keys);
    }
    if (rc == E_OK) {
        build_push(frame, &step);
    }
    return rc;
}

int build_map_path(struct frame *frame, const struct call *call)
{
    struct build *build = frame->build;
    struct plan_path *path = ARENA_NEW(build->arena, struct plan_path);
    struct plan_step step = build_step(call, PLAN_PATH, path);
    int rc = build_arg_from_to(build, call, &path->from, &path->to);

    if (rc == E_OK) {
        rc = build_arg_bys(build, &step, call, &path->by_count, &path->bys);
    }
    if (rc == E_OK) {
        build_push(frame, &step);
    }
    return rc;
}

enum { FILLS = 1, READS = 2 };

static uint32_t uses_of(const struct plan_traversal *traversal, uint32_t depth)
{
    uint32_t uses = 0;

    assert(depth <= VALUE_DEPTH_MAX);
    for (uint32_t i = 0; i < traversal->step_count; i++) {
        const struct plan_step *step = &traversal->steps[i];
        if (step->kind == PLAN_AGGREGATE ||
            (step->kind == PLAN_GROUP &&
             ((const struct plan_group *)step->params)->side_effect.data != NULL)) {
            uses |= FILLS;
        }
        if (step->kind == PLAN_SELECT || step->kind == PLAN_WHERE || step->kind == PLAN_CAP) {
            uses |= READS;
        }
        for (uint32_t j = 0; j < step->child_count; j++) {
            uses |= uses_of(step->children[j], depth + 1);
        }
    }
    return uses;
}

/* Then one traverser after the other: each has to see what those before it have left. */
static bool reads_what_it_fills(const struct plan_traversal *child)
{
    return uses_of(child, 0) == (FILLS | READS);
}

int build_map_traversal(struct frame *frame, const struct call *call)
{
    const struct instruction *in = call->step;
    struct build *build = frame->build;
    struct plan_map *map = ARENA_NEW(build->arena, struct plan_map);
    struct plan_step step = build_step(call, PLAN_MAP, map);
    uint32_t index;
    int rc;

    map->which = in->step == STEP_MAP        ? MAP_FIRST
                 : in->step == STEP_FLAT_MAP ? MAP_FLAT
                                             : MAP_LOCAL;
    if (in->arg_count != 1 || in->args[0].kind != VALUE_TRAVERSAL) {
        return build_arg_wrong(build, call, 0, "a traversal");
    }
    rc = build_child(build, &step, &in->args[0], 0, &index);
    if (rc == E_OK) {
        map->is_single = reads_what_it_fills(step.children[index]);
        build_push(frame, &step);
    }
    return rc;
}
