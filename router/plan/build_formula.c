#include "router/plan/build.h"

#include "router/plan/formula.h"

#include <assert.h>
#include <string.h>

enum { FORMAT_TEXT_MAX = 65536 };

/* by()s are taken in turn by the variables of math(), by the %{_} of format(). */
static int add_bys(struct build *build, const struct call *call, struct plan_step *step,
                   struct plan_formula *params)
{
    const struct plan_by *given;
    struct plan_by *bys;
    uint32_t count;
    int rc = build_arg_bys(build, step, call, &count, &given);

    if (rc != E_OK) {
        return rc;
    }
    bys = arena_array(build->arena, (size_t)count + 1 + params->variable_count, sizeof *bys);
    memcpy(bys, given, count * sizeof *bys);
    if (count == 0) {
        bys[count++] =
            (struct plan_by){.kind = BY_IDENTITY, .order = ORDER_ASC, .child = PLAN_NO_CHILD};
    }
    params->by_count = count;
    params->bys = bys;
    return E_OK;
}

static int build_math(struct build *build, const struct call *call, struct plan_step *step,
                      struct plan_formula *params)
{
    struct formula *formula = ARENA_NEW(build->arena, struct formula);
    struct plan_variable *variables;
    struct slice text;
    int rc = build_arg_text(build, call, 0, &text);

    if (rc == E_OK) {
        rc = formula_parse(build->arena, build_arg_slice(build, text), formula, build->err);
    }
    if (rc == E_OK) {
        rc = add_bys(build, call, step, params);
    }
    if (rc != E_OK) {
        return rc;
    }
    variables = arena_array(build->arena, (size_t)formula->name_count + 1, sizeof *variables);
    for (uint32_t i = 0; i < formula->name_count; i++) {
        bool is_self = slice_equal(formula->names[i], SLICE("_"));
        variables[i] = (struct plan_variable){.name = is_self ? SLICE("") : formula->names[i],
                                              .by = i % params->by_count,
                                              .key_by = PLAN_NO_CHILD};
    }
    params->formula = formula;
    params->variable_count = formula->name_count;
    params->variables = variables;
    return E_OK;
}

/* The next "%{name}" from `at` on: its start; false: there is none. */
static bool next_variable(struct slice text, size_t at, size_t *start, size_t *end)
{
    for (; at + 2 < text.size; at++) {
        const uint8_t *close;
        if (text.data[at] != '%' || text.data[at + 1] != '{') {
            continue;
        }
        close = memchr(text.data + at, '}', text.size - at);
        if (close == NULL) {
            return false;
        }
        *start = at;
        *end = (size_t)(close - text.data) + 1;
        return true;
    }
    return false;
}

static void split(struct build *build, struct slice text, struct plan_formula *params)
{
    struct plan_variable *variables;
    struct slice *texts;
    size_t at = 0, start = 0, end = 0;
    uint32_t count = 0;

    while (next_variable(text, at, &start, &end)) {
        count++;
        at = end;
    }
    variables = arena_array(build->arena, (size_t)count + 1, sizeof *variables);
    texts = arena_array(build->arena, (size_t)count + 1, sizeof *texts);
    at = 0;
    for (uint32_t i = 0; i < count; i++) {
        (void)next_variable(text, at, &start, &end);
        texts[i] = slice_of(text.data + at, start - at);
        variables[i].name = slice_of(text.data + start + 2, end - start - 3);
        at = end;
    }
    texts[count] = slice_of(text.data + at, text.size - at);
    params->variable_count = count;
    params->variables = variables;
    params->texts = texts;
}

/* Each name gets a by() of its own, that of the property. */
static void bind(struct plan_formula *params)
{
    struct plan_variable *variables = (struct plan_variable *)(uintptr_t)params->variables;
    struct plan_by *bys = (struct plan_by *)(uintptr_t)params->bys;
    uint32_t given = params->by_count, turn = 0;

    for (uint32_t i = 0; i < params->variable_count; i++) {
        struct plan_variable *variable = &variables[i];
        variable->key_by = PLAN_NO_CHILD;
        if (slice_equal(variable->name, SLICE("_"))) {
            variable->name = SLICE("");
            variable->by = turn++ % given;
            continue;
        }
        variable->key_by = params->by_count;
        bys[params->by_count++] = (struct plan_by){
            .kind = BY_KEY, .key = variable->name, .order = ORDER_ASC, .child = PLAN_NO_CHILD};
    }
}

static int build_format(struct build *build, const struct call *call, struct plan_step *step,
                        struct plan_formula *params)
{
    struct slice text;
    int rc = build_arg_text(build, call, 0, &text);

    if (rc == E_OK && text.size > FORMAT_TEXT_MAX) {
        rc = error_set(build->err, E_LIMIT, "format() takes a text of at most %d bytes, not %zu",
                       FORMAT_TEXT_MAX, text.size);
    }
    if (rc == E_OK) {
        split(build, build_arg_slice(build, text), params);
        if (params->variable_count > PLAN_ARGS_MAX) {
            return error_set(build->err, E_LIMIT, "format() has more than %d variables",
                             PLAN_ARGS_MAX);
        }
        rc = add_bys(build, call, step, params);
    }
    if (rc == E_OK) {
        bind(params);
    }
    return rc;
}

int build_formula(struct frame *frame, const struct call *call)
{
    struct build *build = frame->build;
    struct plan_formula *params = ARENA_NEW(build->arena, struct plan_formula);
    struct plan_step step = build_step(call, PLAN_FORMULA, params);
    int rc = call->step->step == STEP_MATH ? build_math(build, call, &step, params)
                                           : build_format(build, call, &step, params);

    if (rc == E_OK) {
        build_push(frame, &step);
    }
    return rc;
}
