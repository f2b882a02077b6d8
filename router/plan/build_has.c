#include "router/plan/build.h"

#include <assert.h>
#include <string.h>

/* ---- filters ---- */

static int push_filter(struct frame *frame, const struct call *call,
                       const struct read_filter *filters, uint32_t count, bool on_property)
{
    struct build *build = frame->build;
    struct plan_has *has = ARENA_NEW(build->arena, struct plan_has);
    struct plan_step step = build_step(call, PLAN_HAS, has);

    assert(count > 0);
    has->filters = arena_copy(build->arena, filters, count * sizeof *filters);
    has->filter_count = count;
    has->on_property = on_property;
    build_push(frame, &step);
    return E_OK;
}

/* ---- the forms ---- */

/* ElementIdStrategy: the id is a property. */
static void set_id_key(const struct build *build, struct read_filter *filter)
{
    if (build->id_key.data != NULL) {
        filter->on = READ_ON_KEY;
        filter->key = build->id_key;
    }
}

static int filter_of_token(struct build *build, enum enumerator token, const struct value *value,
                           struct read_filter *filter, bool *on_property)
{
    int rc = build_arg_predicate(build, value, &filter->predicate);

    *on_property = token == T_KEY || token == T_VALUE;
    filter->on = token == T_ID ? READ_ON_ID : token == T_VALUE ? READ_ON_KEY : READ_ON_LABEL;
    if (token == T_ID) {
        set_id_key(build, filter);
    }
    return rc;
}

/* has('key', traversal): what the property is goes through the traversal. */
static int has_traversal(struct frame *frame, const struct call *call, struct slice key,
                         const struct value *traversal)
{
    struct build *build = frame->build;
    struct plan_filter *filter = ARENA_NEW(build->arena, struct plan_filter);
    struct plan_step step = build_step(call, PLAN_FILTER, filter);
    struct plan_properties *values = ARENA_NEW(build->arena, struct plan_properties);
    struct plan_step first = build_step(call, PLAN_PROPERTIES, values);
    struct plan_traversal *child = NULL, *whole;
    struct slice *keys = ARENA_NEW(build->arena, struct slice);
    int rc = build_traversal(build, traversal->traversal, 0, &child);

    if (rc != E_OK) {
        return rc;
    }
    *keys = build_arg_slice(build, key);
    values->to_values = true;
    values->key_count = 1;
    values->keys = keys;
    whole = build_empty(build);
    build_append(build, whole, &first);
    for (uint32_t i = 0; i < child->step_count; i++) {
        build_append(build, whole, &child->steps[i]);
    }
    filter->which = FILTER_ANY_OF;
    build_adopt(build, &step, whole);
    build_push(frame, &step);
    return E_OK;
}

static int has_key(struct frame *frame, const struct call *call, const struct value *key,
                   const struct value *value, const struct read_filter *label)
{
    struct read_filter filters[2] = {{.on = READ_ON_EXISTS}};
    struct build *build = frame->build;
    uint32_t count = 0;
    bool on_property = false;
    int rc = E_OK;

    if (label != NULL) {
        filters[count++] = *label;
    }
    if (key->kind == VALUE_NULL) {
        /* No property has a null key. */
        filters[count].on = READ_ON_KEY;
        filters[count].key = SLICE("");
        filters[count++].predicate = build_arg_within(build, NULL, 0);
        return push_filter(frame, call, filters, count, false);
    }
    if (build_arg_is_enum(key, ENUM_T)) {
        if (value == NULL) {
            return E_OK;
        }
        rc = filter_of_token(build, (enum enumerator)key->integer, value, &filters[count],
                             &on_property);
        return rc != E_OK ? rc : push_filter(frame, call, filters, count + 1, on_property);
    }
    if (key->kind != VALUE_STRING) {
        return build_arg_wrong(build, call, label == NULL ? 0 : 1, "a string or T");
    }
    if (value != NULL && value->kind == VALUE_TRAVERSAL) {
        if (count > 0) {
            rc = push_filter(frame, call, filters, count, false);
        }
        return rc != E_OK ? rc : has_traversal(frame, call, value_slice(key), value);
    }
    filters[count].key = build_arg_slice(build, value_slice(key));
    filters[count].on = READ_ON_EXISTS;
    if (value != NULL) {
        filters[count].on = READ_ON_KEY;
        rc = build_arg_predicate(build, value, &filters[count].predicate);
    }
    return rc != E_OK ? rc : push_filter(frame, call, filters, count + 1, false);
}

int build_has(struct frame *frame, const struct call *call)
{
    const struct instruction *in = call->step;
    struct read_filter label = {.on = READ_ON_LABEL};
    int rc;

    if (in->arg_count < 3) {
        if (in->arg_count == 0) {
            return build_arg_wrong(frame->build, call, 0, "a property key");
        }
        return has_key(frame, call, &in->args[0], in->arg_count == 2 ? &in->args[1] : NULL, NULL);
    }
    rc = build_arg_predicate(frame->build, &in->args[0], &label.predicate);
    return rc != E_OK ? rc : has_key(frame, call, &in->args[1], &in->args[2], &label);
}

/* One P, or a list of values that lists among them are part of. */
static int predicate_of_all(struct build *build, const struct call *call, bool flattens,
                            const struct predicate **out)
{
    const struct instruction *in = call->step;
    struct value *flat;
    uint32_t count = 0, room = 0;

    if (in->arg_count == 1 && (in->args[0].kind == VALUE_PREDICATE || !flattens)) {
        return build_arg_predicate(build, &in->args[0], out);
    }
    for (uint32_t i = 0; i < in->arg_count; i++) {
        bool is_list = in->args[i].kind == VALUE_LIST || in->args[i].kind == VALUE_SET;
        room += flattens && is_list ? in->args[i].size : 1;
        if (in->args[i].kind == VALUE_PREDICATE || in->args[i].kind == VALUE_TRAVERSAL) {
            return build_arg_wrong(build, call, i, "a value");
        }
    }
    flat = arena_array(build->arena, room == 0 ? 1 : room, sizeof *flat);
    for (uint32_t i = 0; i < in->arg_count; i++) {
        const struct value *arg = &in->args[i];
        bool is_list = flattens && (arg->kind == VALUE_LIST || arg->kind == VALUE_SET);
        for (uint32_t j = 0; j < (is_list ? arg->size : 1); j++) {
            flat[count++] = is_list ? arg->items[j] : *arg;
        }
    }
    *out = build_arg_within(build, flat, count);
    return E_OK;
}

int build_has_id(struct frame *frame, const struct call *call)
{
    struct read_filter filter = {.on = READ_ON_ID};
    /* Beside other ids a list is an id that no element has. */
    bool flattens = call->step->arg_count == 1;
    int rc = predicate_of_all(frame->build, call, flattens, &filter.predicate);

    set_id_key(frame->build, &filter);

    return rc != E_OK ? rc : push_filter(frame, call, &filter, 1, false);
}

int build_has_label(struct frame *frame, const struct call *call)
{
    struct read_filter filter = {.on = READ_ON_LABEL};
    int rc = predicate_of_all(frame->build, call, true, &filter.predicate);

    return rc != E_OK ? rc : push_filter(frame, call, &filter, 1, false);
}

int build_has_key(struct frame *frame, const struct call *call)
{
    bool is_key = call->step->step == STEP_HAS_KEY;
    struct read_filter filter = {.on = is_key ? READ_ON_LABEL : READ_ON_KEY};
    int rc = predicate_of_all(frame->build, call, is_key, &filter.predicate);

    return rc != E_OK ? rc : push_filter(frame, call, &filter, 1, true);
}

int build_has_not(struct frame *frame, const struct call *call)
{
    struct read_filter filter = {.on = READ_ON_ABSENT};
    int rc = build_arg_text(frame->build, call, 0, &filter.key);

    return rc != E_OK ? rc : push_filter(frame, call, &filter, 1, false);
}
