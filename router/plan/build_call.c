#include "router/gremlin/gremlin.h"
#include "router/plan/build.h"

#include <assert.h>
#include <stdio.h>

/*
 * call(): services. Most are Gremlin texts (service.def), read and built in the place of the step,
 * so that they run, are bounded and are explained as any traversal.
 *
 * Parameters come from a map, from a traversal that gives a map, and from with(), the later over
 * the earlier. They are needed while the plan is built: a traversal there has to be constant(x), or
 * project(keys).by(constant(x)).
 */

enum { NAME_SIZE = 128 };

struct service {
    const char *name;
    bool is_start;
    bool is_listed;
    const char *parameter; /* Empty: none. */
    const char *preset;    /* An enumerator; null: none. */
    const char *text;      /* Empty: an operator of its own. */
    const char *what;      /* Null: a variant of another. */
};

static const struct service SERVICES[] = {
#define SERVICE(name, is_start, is_listed, parameter, preset, text, what) \
    {name, is_start, is_listed, parameter, preset, text, what},
#include "router/plan/service.def"
#undef SERVICE
};

enum { SERVICE_COUNT = sizeof SERVICES / sizeof SERVICES[0] };

/* ---- parameters ---- */

struct parameters {
    struct value *pairs;
    uint32_t count;
};

static void set_parameter(struct build *build, struct parameters *params, struct value key,
                          struct value value)
{
    for (uint32_t i = 0; i < params->count; i++) {
        if (value_equal(&params->pairs[2 * i], &key)) {
            params->pairs[2 * i + 1] = value;
            return;
        }
    }
    params->pairs = build_grow(build, params->pairs, params->count, 1, 2 * sizeof *params->pairs);
    params->pairs[2 * params->count] = key;
    params->pairs[2 * params->count++ + 1] = value;
}

static void set_all(struct build *build, struct parameters *params, const struct value *map)
{
    struct value copy = build_arg_value(build, map);

    for (uint32_t i = 0; i < copy.size; i++) {
        set_parameter(build, params, copy.items[2 * i], copy.items[2 * i + 1]);
    }
}

/* What __.constant(x) gives. */
static bool is_constant(const struct value *value, struct value *out)
{
    const struct bytecode *inner = value->traversal;

    if (value->kind != VALUE_TRAVERSAL || inner->step_count != 1 ||
        inner->steps[0].step != STEP_CONSTANT || inner->steps[0].arg_count != 1) {
        return false;
    }
    *out = inner->steps[0].args[0];
    return true;
}

static int not_constant(struct build *build)
{
    return error_set(build->err, E_UNSUPPORTED,
                     "call() takes parameters that are known before it runs: a value, "
                     "__.constant(x), or __.project('key').by(__.constant(x))");
}

/* __.constant(map), or __.project(keys).by(__.constant(x)) for each of the keys. */
static int set_from_traversal(struct build *build, struct parameters *params,
                              const struct value *traversal)
{
    const struct bytecode *inner = traversal->traversal;
    const struct instruction *project = inner->steps;
    struct value value;

    if (is_constant(traversal, &value) && value.kind == VALUE_MAP) {
        set_all(build, params, &value);
        return E_OK;
    }
    if (inner->step_count == 0 || project->step != STEP_PROJECT ||
        inner->step_count != project->arg_count + 1) {
        return not_constant(build);
    }
    for (uint32_t i = 0; i < project->arg_count; i++) {
        const struct instruction *by = &inner->steps[i + 1];
        if (by->step != STEP_BY || by->arg_count != 1 || !is_constant(&by->args[0], &value)) {
            return not_constant(build);
        }
        set_parameter(build, params, build_arg_value(build, &project->args[i]),
                      build_arg_value(build, &value));
    }
    return E_OK;
}

static int set_from_with(struct build *build, struct parameters *params,
                         const struct instruction *with)
{
    struct value value;

    if (with->arg_count != 2 || with->args[0].kind != VALUE_STRING) {
        return error_set(build->err, E_INVALID, "with() of call() takes a key and a value");
    }
    value = with->args[1];
    if (value.kind == VALUE_TRAVERSAL && !is_constant(&with->args[1], &value)) {
        return not_constant(build);
    }
    set_parameter(build, params, build_arg_value(build, &with->args[0]),
                  build_arg_value(build, &value));
    return E_OK;
}

static int read_parameters(struct build *build, const struct call *call, struct parameters *params)
{
    const struct instruction *in = call->step;
    int rc = E_OK;

    for (uint32_t i = 1; rc == E_OK && i < in->arg_count; i++) {
        if (in->args[i].kind == VALUE_TRAVERSAL) {
            rc = set_from_traversal(build, params, &in->args[i]);
        } else if (in->args[i].kind == VALUE_MAP) {
            set_all(build, params, &in->args[i]);
        } else if (in->args[i].kind != VALUE_NULL) {
            rc = build_arg_wrong(build, call, i, "a map or a traversal");
        }
    }
    for (uint32_t i = 0; rc == E_OK && i < build_arg_modulators(call, STEP_WITH); i++) {
        rc = set_from_with(build, params, build_arg_modulator(call, STEP_WITH, i));
    }
    return rc;
}

static const struct value *get_parameter(const struct parameters *params, const char *key)
{
    for (uint32_t i = 0; i < params->count; i++) {
        if (value_is_text(&params->pairs[2 * i], key)) {
            return &params->pairs[2 * i + 1];
        }
    }
    return NULL;
}

static bool is_set(const struct parameters *params, const char *key)
{
    const struct value *value = get_parameter(params, key);

    return value != NULL && (value->kind != VALUE_BOOL || value->boolean);
}

/* ---- --list ---- */

static struct value describe(struct build *build, const struct service *service)
{
    struct value pairs[] = {
        value_cstring("name"),        value_cstring(service->name),
        value_cstring("type"),        value_cstring(service->is_start ? "Start" : "Streaming"),
        value_cstring("parameter"),   value_cstring(service->parameter),
        value_cstring("description"), value_cstring(service->what)};

    return value_items(build->arena, VALUE_MAP, pairs, sizeof pairs / sizeof pairs[0] / 2);
}

static void push_list(struct frame *frame, const struct call *call, const struct parameters *params)
{
    struct build *build = frame->build;
    struct plan_inject *inject = ARENA_NEW(build->arena, struct plan_inject);
    struct plan_step step = build_step(call, PLAN_INJECT, inject);
    struct value *values = arena_array(build->arena, SERVICE_COUNT, sizeof *values);
    const struct value *wanted = get_parameter(params, "service");
    bool is_verbose = is_set(params, "verbose"), all = is_set(params, "all");

    for (size_t i = 0; i < SERVICE_COUNT; i++) {
        const struct service *service = &SERVICES[i];
        bool is_wanted =
            wanted == NULL ? service->is_listed || all : value_is_text(wanted, service->name);
        if (service->what != NULL && is_wanted) {
            values[inject->value_count++] =
                is_verbose ? describe(build, service) : value_cstring(service->name);
        }
    }
    inject->is_start = true;
    inject->values = values;
    build_push(frame, &step);
}

/* ---- the others ---- */

static const struct service *find_named(struct slice name)
{
    for (size_t i = 0; i < SERVICE_COUNT; i++) {
        if (slice_equal(slice_text(SERVICES[i].name), name)) {
            return &SERVICES[i];
        }
    }
    return NULL;
}

static const struct service *find_service(struct slice name, const struct parameters *params)
{
    const struct value *type = get_parameter(params, "type");
    char variant[NAME_SIZE];

    if (type != NULL && type->kind == VALUE_STRING && name.size + type->size + 2 < NAME_SIZE) {
        (void)snprintf(variant, sizeof variant, "%.*s %.*s", (int)name.size,
                       (const char *)name.data, (int)type->size, type->text);
        const struct service *found = find_named(slice_text(variant));
        if (found != NULL) {
            return found;
        }
    }
    const struct service *found = find_named(name);
    return found != NULL && found->what == NULL ? NULL : found;
}

/* The variables of the service's text. */
static int bind(struct build *build, const struct service *service, const struct parameters *params,
                struct value *bindings)
{
    const struct value *given = get_parameter(params, service->parameter);
    struct value pair[2] = {value_cstring(service->parameter), value_null()};

    *bindings = value_items(build->arena, VALUE_MAP, NULL, 0);
    if (service->parameter[0] == '\0') {
        return E_OK;
    }
    if (given != NULL && given->kind != VALUE_NULL) {
        pair[1] = *given;
    } else if (service->preset != NULL) {
        pair[1] =
            value_enumerator(value_enumerator_find(ENUM_DIRECTION, slice_text(service->preset)));
    } else {
        return error_set(build->err, E_INVALID, "%s needs the parameter %s", service->name,
                         service->parameter);
    }
    *bindings = value_items(build->arena, VALUE_MAP, pair, 1);
    return E_OK;
}

static int push_text(struct frame *frame, const struct service *service,
                     const struct parameters *params)
{
    struct build *build = frame->build;
    struct gremlin_script script = {0};
    struct frame inner = *frame;
    struct bytecode steps;
    struct value bindings;
    int rc = bind(build, service, params, &bindings);

    if (rc == E_OK) {
        struct gremlin_input input = {.text = slice_text(service->text), .bindings = &bindings};
        rc = gremlin_parse(build->arena, &input, &script, build->err);
        if (rc == E_OK) {
            rc = bytecode_check(script.queries[0].bytecode, build->err);
        }
        if (rc != E_OK) {
            return error_set(build->err, E_INVALID,
                             "%s: the parameter %s is of no kind that it takes", service->name,
                             service->parameter);
        }
    }
    if (rc != E_OK) {
        return rc;
    }
    steps = *script.queries[0].bytecode;
    if (!service->is_start) {
        steps.steps++;
        steps.step_count--;
    }
    inner.bytecode = &steps;
    inner.flags = service->is_start ? BUILD_SOURCE : 0;
    inner.outer = frame;
    build->frame = &inner;
    rc = build_steps(&inner);
    build->frame = frame;
    return rc;
}

static int check_place(struct build *build, const struct call *call, const char *name,
                       bool is_start)
{
    if (is_start == call->is_start) {
        return E_OK;
    }
    return error_set(build->err, E_INVALID, "%s %s", name,
                     is_start ? "begins a traversal: g.call()"
                              : "needs what comes before it: g.V().call()");
}

int build_call(struct frame *frame, const struct call *call)
{
    struct build *build = frame->build;
    struct parameters params = {0};
    struct slice name = SLICE("--list");
    const struct service *service;
    int rc = E_OK;

    if (call->step->arg_count > 0) {
        rc = build_arg_text(build, call, 0, &name);
    }
    if (rc == E_OK) {
        rc = read_parameters(build, call, &params);
    }
    if (rc != E_OK) {
        return rc;
    }
    if (slice_equal(name, SLICE("--list"))) {
        rc = check_place(build, call, "--list", true);
        if (rc == E_OK) {
            push_list(frame, call, &params);
        }
        return rc;
    }
    service = find_service(name, &params);
    if (service == NULL) {
        return error_set(build->err, E_INVALID,
                         "Unrecognized service: %.*s; g.call('--list').with('all', true) names all",
                         (int)(name.size < NAME_SIZE ? name.size : NAME_SIZE),
                         (const char *)name.data);
    }
    rc = check_place(build, call, service->name, service->is_start);
    if (rc == E_OK && service->text[0] == '\0') {
        struct plan_step step = build_step(call, PLAN_INDEXES, NULL);
        build_push(frame, &step);
        return E_OK;
    }
    return rc == E_OK ? push_text(frame, service, &params) : rc;
}
