#include "router/plan/build.h"

#include "common/number.h"

#include <assert.h>
#include <math.h>

int build_filter_is(struct frame *frame, const struct call *call)
{
    struct build *build = frame->build;
    struct plan_is *is = ARENA_NEW(build->arena, struct plan_is);
    struct plan_step step = build_step(call, PLAN_IS, is);
    int rc;

    if (call->step->arg_count != 1 || call->step->args[0].kind == VALUE_TRAVERSAL) {
        return build_arg_wrong(build, call, 0, "a value or P");
    }
    rc = build_arg_predicate(build, &call->step->args[0], &is->predicate);
    if (rc == E_OK) {
        build_push(frame, &step);
    }
    return rc;
}

/* ---- where ---- */

/* Operands of where(P) name places: texts all over. */
static bool names_places(const struct predicate *predicate)
{
    for (uint32_t i = 0; i < predicate->operand_count; i++) {
        const struct value *operand = &predicate->operands[i];
        bool is_list = operand->kind == VALUE_LIST || operand->kind == VALUE_SET;
        if (operand->kind != VALUE_STRING && !(is_list && operand->size == 0)) {
            return false;
        }
    }
    for (uint32_t i = 0; i < predicate->child_count; i++) {
        if (!names_places(&predicate->children[i])) {
            return false;
        }
    }
    return true;
}

static int where_predicate(struct frame *frame, const struct call *call)
{
    const struct instruction *in = call->step;
    struct build *build = frame->build;
    struct plan_where *where = ARENA_NEW(build->arena, struct plan_where);
    struct plan_step step = build_step(call, PLAN_WHERE, where);
    uint32_t at = in->arg_count - 1;
    int rc = E_OK;

    if (in->arg_count == 2) {
        rc = build_arg_text(build, call, 0, &where->start);
    }
    if (rc == E_OK && in->args[at].kind != VALUE_PREDICATE) {
        rc = build_arg_wrong(build, call, at, "a P or a traversal");
    }
    if (rc == E_OK) {
        rc = build_arg_predicate(build, &in->args[at], &where->predicate);
    }
    if (rc == E_OK && !names_places(where->predicate)) {
        rc = error_set(build->err, E_INVALID,
                       "The operands of where()'s predicate are labels of as()");
    }
    if (rc == E_OK) {
        rc = build_arg_bys(build, &step, call, &where->by_count, &where->bys);
    }
    if (rc == E_OK) {
        build_push(frame, &step);
    }
    return rc;
}

int build_filter_where(struct frame *frame, const struct call *call)
{
    const struct instruction *in = call->step;
    struct plan_filter *filter;
    struct plan_step step;
    uint32_t index;
    int rc;

    if (in->arg_count != 1 || in->args[0].kind != VALUE_TRAVERSAL) {
        return in->arg_count == 0 ? build_arg_wrong(frame->build, call, 0, "a P or a traversal")
                                  : where_predicate(frame, call);
    }
    filter = ARENA_NEW(frame->build->arena, struct plan_filter);
    step = build_step(call, PLAN_FILTER, filter);
    filter->which = FILTER_ANY_OF;
    rc = build_child(frame->build, &step, &in->args[0], BUILD_WHERE, &index);
    if (rc == E_OK) {
        build_push(frame, &step);
    }
    return rc;
}

/* filter(t), not(t), and(t...), or(t...). Inside where() their children compare with labels too. */
int build_filter_traversal(struct frame *frame, const struct call *call)
{
    const struct instruction *in = call->step;
    struct build *build = frame->build;
    struct plan_filter *filter = ARENA_NEW(build->arena, struct plan_filter);
    struct plan_step step = build_step(call, PLAN_FILTER, filter);
    uint32_t flags = in->step == STEP_FILTER ? 0 : frame->flags & BUILD_WHERE;
    int rc = E_OK;

    if (in->step == STEP_FILTER && in->arg_count == 1 && in->args[0].kind == VALUE_PREDICATE) {
        return build_filter_is(frame, call);
    }
    filter->which = in->step == STEP_NOT   ? FILTER_NONE_OF
                    : in->step == STEP_AND ? FILTER_ALL_OF
                                           : FILTER_ANY_OF;
    for (uint32_t i = 0; rc == E_OK && i < in->arg_count; i++) {
        uint32_t index;
        if (in->args[i].kind != VALUE_TRAVERSAL) {
            return build_arg_wrong(build, call, i, "a traversal");
        }
        rc = build_child(build, &step, &in->args[i], flags, &index);
    }
    if (rc == E_OK) {
        build_push(frame, &step);
    }
    return rc;
}

/* ---- dedup, ranges ---- */

int build_filter_dedup(struct frame *frame, const struct call *call)
{
    struct build *build = frame->build;
    struct plan_dedup *dedup = ARENA_NEW(build->arena, struct plan_dedup);
    struct plan_step step = build_step(call, PLAN_DEDUP, dedup);
    uint32_t from;
    int rc;

    dedup->scope = build_arg_scope(call, &from);
    rc = build_arg_texts(build, call, from, &dedup->label_count, &dedup->labels);
    if (rc == E_OK) {
        rc = build_arg_one_by(build, &step, call, "Dedup", &dedup->by);
    }
    if (rc == E_OK) {
        build_push(frame, &step);
    }
    return rc;
}

int build_filter_range(struct frame *frame, const struct call *call)
{
    struct build *build = frame->build;
    struct plan_range *range = ARENA_NEW(build->arena, struct plan_range);
    struct plan_step step = build_step(call, PLAN_RANGE, range);
    enum step_id id = call->step->step;
    int64_t low = 0, high = -1;
    uint32_t from;
    int rc;

    range->scope = build_arg_scope(call, &from);
    rc = build_arg_number(build, call, from, id == STEP_LIMIT ? &high : &low);
    if (rc == E_OK && id == STEP_RANGE) {
        rc = build_arg_number(build, call, from + 1, &high);
    }
    if (rc != E_OK) {
        return rc;
    }
    if (low != -1 && high != -1 && low > high) {
        return error_set(build->err, E_INVALID, "Not a legal range: [%lld, %lld]", (long long)low,
                         (long long)high);
    }
    range->low = low < 0 ? 0 : (uint64_t)low;
    range->high = high < 0 ? UINT64_MAX : (uint64_t)high;
    build_push(frame, &step);
    return E_OK;
}

int build_filter_tail(struct frame *frame, const struct call *call)
{
    struct build *build = frame->build;
    struct plan_tail *tail = ARENA_NEW(build->arena, struct plan_tail);
    struct plan_step step = build_step(call, PLAN_TAIL, tail);
    int64_t count = 1;
    uint32_t from;
    int rc = E_OK;

    tail->scope = build_arg_scope(call, &from);
    if (from < call->step->arg_count) {
        rc = build_arg_number(build, call, from, &count);
    }
    if (rc != E_OK) {
        return rc;
    }
    tail->count = count < 0 ? UINT64_MAX : (uint64_t)count;
    build_push(frame, &step);
    return E_OK;
}

int build_filter_simple_path(struct frame *frame, const struct call *call)
{
    struct build *build = frame->build;
    struct plan_simple_path *params = ARENA_NEW(build->arena, struct plan_simple_path);
    struct plan_step step = build_step(call, PLAN_SIMPLE_PATH, params);
    int rc = build_arg_from_to(build, call, &params->from, &params->to);

    params->is_simple = call->step->step == STEP_SIMPLE_PATH;
    if (rc == E_OK) {
        rc = build_arg_bys(build, &step, call, &params->by_count, &params->bys);
    }
    if (rc == E_OK) {
        build_push(frame, &step);
    }
    return rc;
}

/* Below 0 none stays, above 1 all do. */
int build_filter_coin(struct frame *frame, const struct call *call)
{
    const struct instruction *in = call->step;
    struct build *build = frame->build;
    struct plan_coin *coin = ARENA_NEW(build->arena, struct plan_coin);
    struct plan_step step = build_step(call, PLAN_COIN, coin);
    double probability;

    if (in->arg_count != 1 || !value_is_number(&in->args[0])) {
        return build_arg_wrong(build, call, 0, "a number");
    }
    probability = number_double(&in->args[0]);
    if (isnan(probability)) {
        return build_arg_wrong(build, call, 0, "a number from 0 to 1");
    }
    coin->probability = probability < 0.0 ? 0.0 : probability > 1.0 ? 1.0 : probability;
    build_push(frame, &step);
    return E_OK;
}

int build_filter_sample(struct frame *frame, const struct call *call)
{
    struct build *build = frame->build;
    struct plan_sample *sample = ARENA_NEW(build->arena, struct plan_sample);
    struct plan_step step = build_step(call, PLAN_SAMPLE, sample);
    int64_t amount;
    uint32_t from;
    int rc;

    sample->scope = build_arg_scope(call, &from);
    rc = build_arg_number(build, call, from, &amount);
    if (rc == E_OK && amount < 0) {
        rc = error_set(build->err, E_INVALID, "sample() takes a number of at least 0, not %lld",
                       (long long)amount);
    }
    if (rc == E_OK) {
        sample->amount = (uint64_t)amount;
        rc = build_arg_one_by(build, &step, call, "Sample", &sample->by);
    }
    if (rc == E_OK) {
        build_push(frame, &step);
    }
    return rc;
}

int build_filter_time_limit(struct frame *frame, const struct call *call)
{
    struct build *build = frame->build;
    struct plan_time_limit *limit = ARENA_NEW(build->arena, struct plan_time_limit);
    struct plan_step step = build_step(call, PLAN_TIME_LIMIT, limit);
    int64_t ms;
    int rc = build_arg_number(build, call, 0, &ms);

    if (rc == E_OK) {
        limit->limit_ms = ms < 0 ? 0 : (uint64_t)ms;
        build_push(frame, &step);
    }
    return rc;
}

int build_filter_list(struct frame *frame, const struct call *call)
{
    const struct instruction *in = call->step;
    struct build *build = frame->build;
    struct plan_list_test *params = ARENA_NEW(build->arena, struct plan_list_test);
    struct plan_step step = build_step(call, PLAN_LIST_TEST, params);
    int rc;

    if (in->arg_count != 1 || in->args[0].kind != VALUE_PREDICATE) {
        return build_arg_wrong(build, call, 0, "a P");
    }
    params->which = in->step == STEP_ANY ? LIST_ANY : in->step == STEP_ALL ? LIST_ALL : LIST_NONE;
    rc = build_arg_predicate(build, &in->args[0], &params->predicate);
    if (rc == E_OK) {
        build_push(frame, &step);
    }
    return rc;
}

/* Drivers up to 3.7 end iterate() with none(); in 3.8 none(P) is a filter of lists. */
int build_filter_discard(struct frame *frame, const struct call *call)
{
    struct plan_step step = build_step(call, PLAN_NONE, NULL);

    if (call->step->arg_count > 0) {
        return build_filter_list(frame, call);
    }
    build_push(frame, &step);
    return E_OK;
}
