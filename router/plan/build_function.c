#include "router/plan/build.h"

#include <assert.h>

/* What a function's arguments may be. */
enum wants {
    WANTS_VALUE = 1,     /* Any constant. */
    WANTS_TRAVERSAL = 2, /* Or a traversal. */
    WANTS_TEXT = 4,      /* A string or null. */
    WANTS_NUMBER = 8,    /* A whole number. */
    WANTS_GTYPE = 16,
    WANTS_DT = 32
};

/* first: of argument 0 behind the Scope; rest: of the others. */
struct form {
    bool is_scoped;
    uint32_t first;
    uint32_t rest;
};

static struct form form_of(enum step_id step)
{
    switch ((int)step) {
    case STEP_AS_STRING:
    case STEP_LENGTH:
    case STEP_TO_UPPER:
    case STEP_TO_LOWER:
    case STEP_TRIM:
    case STEP_L_TRIM:
    case STEP_R_TRIM:
        return (struct form){true, 0, 0};
    case STEP_REPLACE:
        return (struct form){true, WANTS_TEXT, WANTS_TEXT};
    case STEP_SPLIT:
        return (struct form){true, WANTS_TEXT, 0};
    case STEP_SUBSTRING:
        return (struct form){true, WANTS_NUMBER, WANTS_NUMBER};
    case STEP_CONCAT:
        return (struct form){false, WANTS_TEXT | WANTS_TRAVERSAL, WANTS_TEXT | WANTS_TRAVERSAL};
    case STEP_CONJOIN:
        return (struct form){false, WANTS_TEXT, 0};
    case STEP_AS_NUMBER:
        return (struct form){false, WANTS_GTYPE, 0};
    case STEP_DATE_ADD:
        return (struct form){false, WANTS_DT, WANTS_NUMBER};
    case STEP_AS_BOOL:
    case STEP_AS_DATE:
    case STEP_REVERSE:
    case STEP_INDEX:
        return (struct form){false, 0, 0};
    default: /* Lists, dateDiff(). */
        return (struct form){false, WANTS_VALUE | WANTS_TRAVERSAL, 0};
    }
}

static bool is_numeric(enum enumerator type)
{
    return type == GTYPE_BYTE || type == GTYPE_SHORT || type == GTYPE_INT || type == GTYPE_LONG ||
           type == GTYPE_BIGINT || type == GTYPE_FLOAT || type == GTYPE_DOUBLE ||
           type == GTYPE_BIGDECIMAL || type == GTYPE_NUMBER;
}

/* Null if the argument is right, else what it has to be. */
static const char *misfit(uint32_t wants, const struct value *arg)
{
    bool is_whole = arg->kind >= VALUE_BYTE && arg->kind <= VALUE_LONG;

    if (arg->kind == VALUE_TRAVERSAL) {
        return (wants & WANTS_TRAVERSAL) != 0 ? NULL : "a value";
    }
    if ((wants & WANTS_TEXT) != 0) {
        return arg->kind == VALUE_STRING || arg->kind == VALUE_NULL ? NULL : "a string";
    }
    if ((wants & WANTS_NUMBER) != 0) {
        return is_whole ? NULL : "a whole number";
    }
    if ((wants & WANTS_GTYPE) != 0) {
        return build_arg_is_enum(arg, ENUM_GTYPE) ? NULL : "a GType";
    }
    if ((wants & WANTS_DT) != 0) {
        return build_arg_is_enum(arg, ENUM_DT) ? NULL : "a DT";
    }
    return (wants & WANTS_VALUE) != 0 ? NULL : "left out";
}

static int check_number_type(struct build *build, const struct call *call)
{
    const struct value *type = call->step->args;

    if (call->step->step == STEP_AS_NUMBER && call->step->arg_count > 0 &&
        !is_numeric((enum enumerator)type->integer)) {
        return error_set(build->err, E_INVALID, "asNumber() requires a numeric type token, got %s",
                         value_enumerator_name((enum enumerator)type->integer));
    }
    return E_OK;
}

static int add_args(struct build *build, const struct call *call, struct plan_step *step,
                    struct plan_function *function)
{
    const struct instruction *in = call->step;
    struct form form = form_of(in->step);
    struct plan_arg *args;
    uint32_t from = 0;

    function->scope = SCOPE_GLOBAL;
    if (form.is_scoped) {
        function->scope = build_arg_scope(call, &from);
    }
    if (in->arg_count - from > PLAN_ARGS_MAX) {
        return error_set(build->err, E_LIMIT, "%.*s() has more than %d arguments",
                         (int)in->name.size, (const char *)in->name.data, PLAN_ARGS_MAX);
    }
    args = arena_array(build->arena, (size_t)in->arg_count + 1, sizeof *args);
    for (uint32_t i = from; i < in->arg_count; i++) {
        const char *wanted = misfit(i == from ? form.first : form.rest, &in->args[i]);
        int rc = wanted != NULL ? build_arg_wrong(build, call, i, wanted)
                                : build_arg_either(build, step, &in->args[i], 0, &args[i - from]);
        if (rc != E_OK) {
            return rc;
        }
    }
    function->arg_count = in->arg_count - from;
    function->args = args;
    return check_number_type(build, call);
}

/* index().with(WithOptions.indexer, WithOptions.map) */
static int add_option(struct build *build, const struct instruction *with,
                      struct plan_function *function)
{
    if (with->arg_count != 2 || !value_is_text(&with->args[0], "~tinkerpop.index.indexer") ||
        with->args[1].kind < VALUE_BYTE || with->args[1].kind > VALUE_LONG ||
        with->args[1].integer < 0 || with->args[1].integer > 1) {
        return error_set(build->err, E_INVALID,
                         "index() takes with(WithOptions.indexer, WithOptions.list or map)");
    }
    function->is_map = with->args[1].integer == 1;
    return E_OK;
}

/* The least that a function cannot do without, beyond what step.def counts. */
static int check_least(struct build *build, const struct call *call,
                       const struct plan_function *function)
{
    uint32_t least = call->step->step == STEP_REPLACE                                       ? 2
                     : call->step->step == STEP_SPLIT || call->step->step == STEP_SUBSTRING ? 1
                                                                                            : 0;

    return function->arg_count >= least
               ? E_OK
               : build_arg_wrong(build, call, call->step->arg_count, "a value");
}

int build_function(struct frame *frame, const struct call *call)
{
    struct build *build = frame->build;
    struct plan_function *function = ARENA_NEW(build->arena, struct plan_function);
    struct plan_step step = build_step(call, PLAN_FUNCTION, function);
    int rc;

    function->step = call->step->step;
    rc = add_args(build, call, &step, function);
    if (rc == E_OK) {
        rc = check_least(build, call, function);
    }
    for (uint32_t i = 0; rc == E_OK && i < build_arg_modulators(call, STEP_WITH); i++) {
        rc = add_option(build, build_arg_modulator(call, STEP_WITH, i), function);
    }
    if (rc == E_OK) {
        build_push(frame, &step);
    }
    return rc;
}
