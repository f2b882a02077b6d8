#include "router/plan/build.h"

#include "common/number.h"
#include "router/gremlin/step.h"

#include <assert.h>

/* ---- union, coalesce, optional ---- */

/* A branch of g.union() that no source begins sees one traverser, of which it can read nothing but
 * sacks and side effects: g.union(constant(1), cap('x')). */
static uint32_t branch_flags(const struct call *call, const struct value *branch)
{
    const struct bytecode *inner = branch->traversal;
    bool is_source =
        call->is_start && inner->step_count > 0 && step_may_start(inner->steps[0].step);

    return BUILD_GLOBAL | (is_source ? BUILD_SOURCE : 0);
}

int build_branch_children(struct frame *frame, const struct call *call)
{
    const struct instruction *in = call->step;
    struct build *build = frame->build;
    enum step_id id = in->step;
    struct plan_union *params =
        id == STEP_UNION ? ARENA_NEW(build->arena, struct plan_union) : NULL;
    struct plan_step step = build_step(call,
                                       id == STEP_UNION      ? PLAN_UNION
                                       : id == STEP_COALESCE ? PLAN_COALESCE
                                                             : PLAN_OPTIONAL,
                                       params);

    if (params != NULL) {
        params->is_start = call->is_start;
    }
    for (uint32_t i = 0; i < in->arg_count; i++) {
        uint32_t index;
        int rc;
        if (in->args[i].kind != VALUE_TRAVERSAL) {
            return build_arg_wrong(build, call, i, "a traversal");
        }
        rc = build_child(build, &step, &in->args[i],
                         id == STEP_UNION ? branch_flags(call, &in->args[i]) : 0, &index);
        if (rc != E_OK) {
            return rc;
        }
    }
    build_push(frame, &step);
    return E_OK;
}

/* ---- choose ---- */

static int choose_by(struct frame *frame, const struct call *call, struct plan_step *step,
                     struct plan_choose *choose)
{
    const struct value *by = &call->step->args[0];

    choose->chooser = PLAN_NO_CHILD;
    choose->token = ENUMERATOR_COUNT;
    if (by->kind == VALUE_TRAVERSAL) {
        return build_child(frame->build, step, by, 0, &choose->chooser);
    }
    if (by->kind == VALUE_PREDICATE) {
        return build_arg_predicate(frame->build, by, &choose->predicate);
    }
    if (build_arg_is_enum(by, ENUM_T)) {
        choose->token = (enum enumerator)by->integer;
        return E_OK;
    }
    return build_arg_wrong(frame->build, call, 0, "a traversal, P or T");
}

static int choose_test(struct frame *frame, const struct call *call, struct plan_step *step,
                       struct plan_choose *choose)
{
    const struct instruction *in = call->step;
    struct plan_choose_option *options = arena_array(frame->build->arena, 2, sizeof *options);

    choose->is_test = true;
    for (uint32_t i = 0; i < 2; i++) {
        int rc = E_OK;
        options[i].which = CHOOSE_VALUE;
        options[i].value = value_bool(i == 0);
        options[i].child = PLAN_NO_CHILD;
        if (i + 1 < in->arg_count) {
            if (in->args[i + 1].kind != VALUE_TRAVERSAL) {
                return build_arg_wrong(frame->build, call, i + 1, "a traversal");
            }
            rc = build_child(frame->build, step, &in->args[i + 1], BUILD_GLOBAL, &options[i].child);
        }
        if (rc != E_OK) {
            return rc;
        }
    }
    choose->option_count = 2;
    choose->options = options;
    return E_OK;
}

static int choose_option(struct build *build, struct plan_step *step, const struct instruction *in,
                         bool is_branch, struct plan_choose_option *option)
{
    const struct value *token = &in->args[0];
    const struct value *body = &in->args[in->arg_count - 1];

    bool is_any =
        in->arg_count == 1 || (build_arg_is_enum(token, ENUM_PICK) && token->integer == PICK_ANY);

    if (in->arg_count > 2 || body->kind != VALUE_TRAVERSAL) {
        return error_set(build->err, E_INVALID, "option() of %s() takes a value and a traversal",
                         is_branch ? "branch" : "choose");
    }
    if (is_any && is_branch) {
        option->which = CHOOSE_ANY;
        return build_child(build, step, body, BUILD_GLOBAL, &option->child);
    }
    if (is_any) {
        return error_set(build->err, E_INVALID, "Pick.any is not allowed as an option of choose()");
    }
    if (token->kind == VALUE_TRAVERSAL) {
        return error_set(build->err, E_INVALID,
                         "Traversal is not allowed as a Pick token for %s step",
                         is_branch ? "branch" : "choose");
    }
    option->which = CHOOSE_VALUE;
    if (build_arg_is_enum(token, ENUM_PICK)) {
        option->which = token->integer == PICK_NONE ? CHOOSE_NONE : CHOOSE_UNPRODUCTIVE;
    } else if (token->kind == VALUE_PREDICATE) {
        int rc = build_arg_predicate(build, token, &option->predicate);
        option->which = CHOOSE_PREDICATE;
        if (rc != E_OK) {
            return rc;
        }
    } else {
        option->value = build_arg_value(build, token);
    }
    return build_child(build, step, body, BUILD_GLOBAL, &option->child);
}

int build_branch_choose(struct frame *frame, const struct call *call)
{
    struct build *build = frame->build;
    struct plan_choose *choose = ARENA_NEW(build->arena, struct plan_choose);
    struct plan_step step = build_step(call, PLAN_CHOOSE, choose);
    uint32_t count = build_arg_modulators(call, STEP_OPTION);
    struct plan_choose_option *options;
    int rc;

    if (call->step->arg_count == 0) {
        return build_arg_wrong(build, call, 0, "a traversal, P or T");
    }
    choose->is_branch = call->step->step == STEP_BRANCH;
    rc = choose_by(frame, call, &step, choose);
    if (rc == E_OK && call->step->arg_count > 1) {
        rc = count > 0
                 ? error_set(build->err, E_INVALID, "choose(test, then, else) takes no option()")
                 : choose_test(frame, call, &step, choose);
    } else if (rc == E_OK) {
        options = arena_array(build->arena, count == 0 ? 1 : count, sizeof *options);
        choose->option_count = count;
        choose->options = options;
        for (uint32_t i = 0; rc == E_OK && i < count; i++) {
            rc = choose_option(build, &step, build_arg_modulator(call, STEP_OPTION, i),
                               choose->is_branch, &options[i]);
        }
    }
    if (rc == E_OK) {
        build_push(frame, &step);
    }
    return rc;
}

/* ---- repeat ---- */

static int loop_test(struct frame *frame, struct plan_step *step, const struct instruction *in,
                     uint32_t *child, const struct predicate **predicate)
{
    *child = PLAN_NO_CHILD;
    *predicate = NULL;
    if (in->args[0].kind == VALUE_TRAVERSAL) {
        return build_child(frame->build, step, &in->args[0], 0, child);
    }
    if (in->args[0].kind == VALUE_PREDICATE) {
        return build_arg_predicate(frame->build, &in->args[0], predicate);
    }
    return error_set(frame->build->err, E_INVALID, "%.*s() takes a traversal or P",
                     (int)in->name.size, (const char *)in->name.data);
}

static int loop_body(struct frame *frame, struct plan_step *step, const struct instruction *in,
                     struct plan_repeat *repeat)
{
    struct call call = {.step = in};
    uint32_t at = in->arg_count - 1;
    int rc = E_OK;

    if (in->arg_count == 2) {
        rc = build_arg_text(frame->build, &call, 0, &repeat->name);
    }
    if (rc == E_OK && (in->arg_count == 0 || in->args[at].kind != VALUE_TRAVERSAL)) {
        rc = build_arg_wrong(frame->build, &call, at, "a traversal");
    }
    if (rc == E_OK) {
        rc = build_child(frame->build, step, &in->args[at], BUILD_GLOBAL | BUILD_REPEAT,
                         &repeat->body);
    }
    return rc;
}

static int loop_times(struct frame *frame, const struct instruction *in, struct plan_repeat *repeat)
{
    struct call call = {.step = in};
    int64_t times;
    int rc = build_arg_number(frame->build, &call, 0, &times);

    if (rc == E_OK && times < 0) {
        rc = error_set(frame->build->err, E_INVALID, "times() takes a number that is not negative");
    }
    if (rc == E_OK) {
        repeat->times = (uint64_t)times;
        repeat->until = PLAN_NO_CHILD;
        repeat->until_predicate = NULL;
    }
    return rc;
}

/* One of repeat, times, until, emit; before repeat() they test before the body. Of times() and
 * until() the
 * last one counts. */
static int loop_part(struct frame *frame, struct plan_step *step, const struct instruction *in,
                     struct plan_repeat *repeat)
{
    bool is_before = repeat->body == PLAN_NO_CHILD;

    if (in->step == STEP_REPEAT) {
        return loop_body(frame, step, in, repeat);
    }
    if (in->step == STEP_EMIT) {
        repeat->has_emit = true;
        repeat->emit_first = is_before;
        repeat->emit_all = in->arg_count == 0;
        return repeat->emit_all
                   ? E_OK
                   : loop_test(frame, step, in, &repeat->emit, &repeat->emit_predicate);
    }
    if (in->step == STEP_AS) {
        return E_OK;
    }
    repeat->has_until = true;
    repeat->until_first = is_before;
    if (in->step == STEP_TIMES) {
        return loop_times(frame, in, repeat);
    }
    repeat->times = UINT64_MAX;
    if (in->arg_count == 0) {
        struct call call = {.step = in};
        return build_arg_wrong(frame->build, &call, 0, "a traversal or P");
    }
    return loop_test(frame, step, in, &repeat->until, &repeat->until_predicate);
}

int build_branch_repeat(struct frame *frame, const struct call *call)
{
    struct build *build = frame->build;
    struct plan_repeat *repeat = ARENA_NEW(build->arena, struct plan_repeat);
    struct plan_step step = build_step(call, PLAN_REPEAT, repeat);
    int rc;

    step.origin = STEP_REPEAT;
    repeat->body = repeat->until = repeat->emit = PLAN_NO_CHILD;
    repeat->times = UINT64_MAX;
    rc = loop_part(frame, &step, call->step, repeat);
    for (uint32_t i = 0; rc == E_OK && i < call->modulator_count; i++) {
        rc = loop_part(frame, &step, &call->modulators[i], repeat);
    }
    if (rc == E_OK && repeat->body == PLAN_NO_CHILD) {
        rc = error_set(build->err, E_INVALID, "The repeat()-traversal was not defined: %.*s()",
                       (int)call->step->name.size, (const char *)call->step->name.data);
    }
    if (rc == E_OK) {
        build_push(frame, &step);
    }
    return rc;
}

int build_branch_loops(struct frame *frame, const struct call *call)
{
    struct plan_loops *loops = ARENA_NEW(frame->build->arena, struct plan_loops);
    struct plan_step step = build_step(call, PLAN_LOOPS, loops);

    if (call->step->arg_count > 0) {
        int rc = build_arg_text(frame->build, call, 0, &loops->name);
        if (rc != E_OK) {
            return rc;
        }
    }
    build_push(frame, &step);
    return E_OK;
}
