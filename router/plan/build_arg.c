#include "router/plan/build.h"

#include "common/number.h"
#include "router/gremlin/place.h"

#include <assert.h>
#include <string.h>

enum { PREDICATES_FIRST = 8 };

bool build_arg_is_enum(const struct value *value, enum value_enum type)
{
    return value->kind == VALUE_ENUM && value->flag == type;
}

enum enumerator build_arg_scope(const struct call *call, uint32_t *next)
{
    *next = 0;
    if (call->step->arg_count > 0 && build_arg_is_enum(&call->step->args[0], ENUM_SCOPE)) {
        *next = 1;
        return (enum enumerator)call->step->args[0].integer;
    }
    return SCOPE_GLOBAL;
}

int build_arg_wrong(struct build *build, const struct call *call, uint32_t index,
                    const char *wanted)
{
    const struct instruction *step = call->step;

    if (index >= step->arg_count) {
        return error_set(build->err, E_INVALID, "%.*s() needs %s as argument %u",
                         (int)step->name.size, (const char *)step->name.data, wanted, index + 1);
    }
    return error_set(build->err, E_INVALID, "Argument %u of %.*s() has to be %s, not a %s",
                     index + 1, (int)step->name.size, (const char *)step->name.data, wanted,
                     value_kind_name((enum value_kind)step->args[index].kind));
}

struct slice build_arg_slice(struct build *build, struct slice text)
{
    /* An empty text is there too: data is never null. */
    return slice_of(arena_copy(build->arena, text.size == 0 ? (const void *)"" : text.data,
                               text.size == 0 ? 1 : text.size),
                    text.size);
}

static void own_traversals(struct arena *arena, struct value *value, int depth);

static const struct instruction *
copy_instructions(struct arena *arena, const struct instruction *from, uint32_t count, int depth)
{
    struct instruction *to = arena_array(arena, count + 1, sizeof *to);

    for (uint32_t i = 0; i < count; i++) {
        struct value *args = arena_array(arena, from[i].arg_count + 1, sizeof *args);
        to[i] = from[i];
        to[i].name =
            slice_of(arena_copy(arena, from[i].name.data, from[i].name.size), from[i].name.size);
        for (uint32_t k = 0; k < from[i].arg_count; k++) {
            args[k] = value_copy(arena, &from[i].args[k]);
            own_traversals(arena, &args[k], depth + 1);
        }
        to[i].args = args;
    }
    return to;
}

/* value_copy() does not know what a traversal holds: single(x) and the like as values of a map. */
static void own_traversals(struct arena *arena, struct value *value, int depth)
{
    bool is_list = value->kind == VALUE_LIST || value->kind == VALUE_SET;
    uint32_t count = value->kind == VALUE_MAP ? 2 * value->size : is_list ? value->size : 0;

    if (depth > VALUE_DEPTH_MAX) {
        return;
    }
    if (value->kind == VALUE_TRAVERSAL) {
        struct bytecode *copy = arena_copy(arena, value->traversal, sizeof *copy);
        copy->sources = copy_instructions(arena, copy->sources, copy->source_count, depth);
        copy->steps = copy_instructions(arena, copy->steps, copy->step_count, depth);
        value->traversal = copy;
    }
    for (uint32_t i = 0; i < count; i++) {
        own_traversals(arena, (struct value *)(uintptr_t)&value->items[i], depth + 1);
    }
}

struct value build_arg_value(struct build *build, const struct value *value)
{
    struct value copy = value_copy(build->arena, value);

    own_traversals(build->arena, &copy, 0);
    return copy;
}

int build_arg_text(struct build *build, const struct call *call, uint32_t index, struct slice *out)
{
    if (index >= call->step->arg_count || call->step->args[index].kind != VALUE_STRING) {
        return build_arg_wrong(build, call, index, "a string");
    }
    *out = build_arg_slice(build, value_slice(&call->step->args[index]));
    return E_OK;
}

static uint32_t flat_count(const struct value *args, uint32_t count)
{
    uint32_t total = 0;

    for (uint32_t i = 0; i < count; i++) {
        total += args[i].kind == VALUE_LIST || args[i].kind == VALUE_SET ? args[i].size : 1;
    }
    return total;
}

int build_arg_texts(struct build *build, const struct call *call, uint32_t from, uint32_t *count,
                    const struct slice **out)
{
    const struct instruction *step = call->step;
    uint32_t rest = step->arg_count > from ? step->arg_count - from : 0;
    struct slice *texts = arena_array(
        build->arena, rest == 0 ? 1 : flat_count(step->args + from, rest), sizeof *texts);
    uint32_t n = 0;

    for (uint32_t i = from; i < step->arg_count; i++) {
        const struct value *arg = &step->args[i];
        bool is_list = arg->kind == VALUE_LIST || arg->kind == VALUE_SET;
        const struct value *items = is_list ? arg->items : arg;
        uint32_t item_count = is_list ? arg->size : 1;
        for (uint32_t j = 0; j < item_count; j++) {
            if (items[j].kind == VALUE_STRING) {
                texts[n++] = build_arg_slice(build, value_slice(&items[j]));
            } else if (items[j].kind != VALUE_NULL) {
                return build_arg_wrong(build, call, i, "a string");
            }
        }
    }
    *count = n;
    *out = texts;
    return E_OK;
}

int build_arg_number(struct build *build, const struct call *call, uint32_t index, int64_t *out)
{
    if (index >= call->step->arg_count || !value_is_number(&call->step->args[index]) ||
        !number_int64(&call->step->args[index], out)) {
        return build_arg_wrong(build, call, index, "a whole number");
    }
    return E_OK;
}

/* ---- predicates ---- */

static void keep_predicate(struct build *build, struct predicate *predicate)
{
    struct plan *plan = build->plan;

    if (plan->predicate_count == plan->predicate_room) {
        uint32_t room = plan->predicate_room == 0 ? PREDICATES_FIRST : plan->predicate_room * 2;
        struct predicate **grown = arena_array(build->arena, room, sizeof(struct predicate *));
        if (plan->predicate_count > 0) {
            memcpy(grown, plan->predicates, plan->predicate_count * sizeof *grown);
        }
        plan->predicates = grown;
        plan->predicate_room = room;
    }
    plan->predicates[plan->predicate_count++] = predicate;
}

int build_arg_predicate(struct build *build, const struct value *value,
                        const struct predicate **out)
{
    struct predicate *predicate;

    if (value->kind == VALUE_LAMBDA) {
        return error_set(build->err, E_UNSUPPORTED,
                         "Lambdas are not supported: use a traversal or P");
    }
    if (value->kind != VALUE_PREDICATE) {
        int rc = place_check(PLACE_PLAIN, value, build->err);
        if (rc != E_OK) {
            return rc;
        }
        struct value *operand = ARENA_NEW(build->arena, struct value);
        predicate = ARENA_NEW(build->arena, struct predicate);
        *operand = build_arg_value(build, value);
        predicate->test = PREDICATE_EQ;
        predicate->operand_count = 1;
        predicate->operands = operand;
        *out = predicate;
        return E_OK;
    }
    predicate = predicate_copy(build->arena, value->predicate);
    /* Kept first: what is compiled when an error comes is released too. */
    keep_predicate(build, predicate);
    *out = predicate;
    return predicate_compile(predicate, build->err);
}

const struct predicate *build_arg_within(struct build *build, const struct value *values,
                                         uint32_t count)
{
    struct predicate *predicate = ARENA_NEW(build->arena, struct predicate);
    struct value *operands = arena_array(build->arena, count == 0 ? 1 : count, sizeof *operands);

    for (uint32_t i = 0; i < count; i++) {
        operands[i] = build_arg_value(build, &values[i]);
    }
    predicate->test = count == 1 ? PREDICATE_EQ : PREDICATE_WITHIN;
    predicate->operand_count = count;
    predicate->operands = operands;
    return predicate;
}

int build_arg_either(struct build *build, struct plan_step *step, const struct value *value,
                     uint32_t flags, struct plan_arg *out)
{
    out->child = PLAN_NO_CHILD;
    if (value->kind == VALUE_TRAVERSAL) {
        return build_child(build, step, value, flags, &out->child);
    }
    if (value->kind == VALUE_LAMBDA) {
        return error_set(build->err, E_UNSUPPORTED, "Lambdas are not supported: use a traversal");
    }
    out->value = build_arg_value(build, value);
    return E_OK;
}

/* ---- modulators ---- */

uint32_t build_arg_modulators(const struct call *call, enum step_id id)
{
    uint32_t count = 0;

    for (uint32_t i = 0; i < call->modulator_count; i++) {
        count += call->modulators[i].step == id;
    }
    return count;
}

const struct instruction *build_arg_modulator(const struct call *call, enum step_id id,
                                              uint32_t nth)
{
    for (uint32_t i = 0; i < call->modulator_count; i++) {
        if (call->modulators[i].step == id && nth-- == 0) {
            return &call->modulators[i];
        }
    }
    return NULL;
}

static bool is_made_productive(const struct build *build, const struct plan_by *by)
{
    struct value key = value_string(by->key);

    if (!build->is_productive || (by->kind != BY_KEY && by->kind != BY_CHILD)) {
        return false;
    }
    if (by->kind == BY_KEY && build->productive_keys.kind != VALUE_NULL) {
        for (uint32_t i = 0; i < build->productive_keys.size; i++) {
            if (value_equal(&build->productive_keys.items[i], &key)) {
                return false;
            }
        }
    }
    return true;
}

/* by('key') where SubgraphStrategy tests vertex properties: by(values('key')). */
static int by_tested_key(struct build *build, struct plan_step *step, const struct value *key,
                         struct plan_by *out)
{
    const struct instruction values = {
        .step = STEP_VALUES, .name = SLICE("values"), .arg_count = 1, .args = key};
    const struct bytecode inner = {.steps = &values, .step_count = 1};
    const struct value traversal = {.kind = VALUE_TRAVERSAL, .traversal = &inner};

    out->kind = BY_CHILD;
    return build_child(build, step, &traversal, 0, &out->child);
}

static int build_by_first(struct build *build, struct plan_step *step, const struct value *arg,
                          struct plan_by *out)
{
    if (arg->kind == VALUE_TRAVERSAL) {
        out->kind = BY_CHILD;
        return build_child(build, step, arg, 0, &out->child);
    }
    if (arg->kind == VALUE_STRING && build->frame != NULL &&
        build_subgraph_tests_properties(build->frame)) {
        return by_tested_key(build, step, arg, out);
    }
    if (arg->kind == VALUE_STRING) {
        out->kind = BY_KEY;
        out->key = build_arg_slice(build, value_slice(arg));
        return E_OK;
    }
    if (build_arg_is_enum(arg, ENUM_T)) {
        out->kind = BY_TOKEN;
        out->token = (enum enumerator)arg->integer;
        return E_OK;
    }
    if (build_arg_is_enum(arg, ENUM_COLUMN)) {
        out->kind = BY_COLUMN;
        out->token = (enum enumerator)arg->integer;
        return E_OK;
    }
    if (build_arg_is_enum(arg, ENUM_ORDER)) {
        out->order = (enum enumerator)arg->integer;
        return E_OK;
    }
    if (arg->kind == VALUE_LAMBDA) {
        return error_set(build->err, E_UNSUPPORTED, "Lambdas are not supported: use by(traversal)");
    }
    return error_set(build->err, E_INVALID, "by() cannot take a %s",
                     value_kind_name((enum value_kind)arg->kind));
}

int build_arg_by(struct build *build, struct plan_step *step, const struct instruction *by,
                 struct plan_by *out)
{
    int rc = E_OK;

    *out = (struct plan_by){.kind = BY_IDENTITY, .order = ORDER_ASC, .child = PLAN_NO_CHILD};
    if (by->arg_count > 0) {
        rc = build_by_first(build, step, &by->args[0], out);
    }
    if (rc == E_OK && by->arg_count > 1) {
        if (!build_arg_is_enum(&by->args[1], ENUM_ORDER)) {
            return error_set(build->err, E_INVALID, "by() takes an Order as second argument");
        }
        out->order = (enum enumerator)by->args[1].integer;
    }
    out->gives_null = is_made_productive(build, out);
    return rc;
}

int build_arg_bys(struct build *build, struct plan_step *step, const struct call *call,
                  uint32_t *count, const struct plan_by **out)
{
    uint32_t n = build_arg_modulators(call, STEP_BY);
    struct plan_by *bys = arena_array(build->arena, n == 0 ? 1 : n, sizeof *bys);

    for (uint32_t i = 0; i < n; i++) {
        int rc = build_arg_by(build, step, build_arg_modulator(call, STEP_BY, i), &bys[i]);
        if (rc != E_OK) {
            return rc;
        }
    }
    *count = n;
    *out = bys;
    return E_OK;
}

int build_arg_one_by(struct build *build, struct plan_step *step, const struct call *call,
                     const char *name, struct plan_by *out)
{
    const struct instruction *by = build_arg_modulator(call, STEP_BY, 0);

    *out = (struct plan_by){.kind = BY_IDENTITY, .order = ORDER_ASC, .child = PLAN_NO_CHILD};
    if (build_arg_modulators(call, STEP_BY) > 1) {
        return error_set(build->err, E_INVALID, "%s step can only have one by modulator", name);
    }
    return by == NULL ? E_OK : build_arg_by(build, step, by, out);
}

int build_arg_from_to(struct build *build, const struct call *call, struct slice *from,
                      struct slice *to)
{
    static const enum step_id IDS[2] = {STEP_FROM, STEP_TO};
    struct slice *targets[2] = {from, to};

    for (uint32_t i = 0; i < 2; i++) {
        const struct instruction *modulator = build_arg_modulator(call, IDS[i], 0);
        struct call inner = {.step = modulator};
        if (modulator != NULL) {
            int rc = build_arg_text(build, &inner, 0, targets[i]);
            if (rc != E_OK) {
                return rc;
            }
        }
    }
    return E_OK;
}
