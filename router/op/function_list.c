#include "router/op/function.h"

#include "common/map.h"
#include "common/unicode.h"

#include <assert.h>
#include <string.h>

static bool is_iterable(const struct value *value)
{
    return value->kind == VALUE_LIST || value->kind == VALUE_SET || value->kind == VALUE_BULKSET ||
           value->kind == VALUE_PATH;
}

int function_list_items(const struct function_call *call, const struct value *value,
                        struct items *items)
{
    const char *name = function_step_name(call);

    if (value->kind == VALUE_NULL) {
        return error_set(call->err, E_EVALUATION, "Incoming traverser for %s step can't be null",
                         name);
    }
    if (!is_iterable(value)) {
        return error_set(call->err, E_EVALUATION,
                         "%s step can only take an array or an Iterable type for incoming "
                         "traversers, encountered %s",
                         name, function_class_name(value));
    }
    (void)items_of(call->arena, value, items);
    return E_OK;
}

int function_list_flat(const struct function_call *call, const struct items *items,
                       const struct value **flat, uint32_t *count)
{
    int rc = function_room(call, items_total(items));

    if (rc == E_OK) {
        *flat = items_flat(call->arena, items, count);
    }
    return rc;
}

static int argument_items(const struct function_call *call, struct items *items)
{
    const struct value *arg = call->args[0];
    const char *name = function_step_name(call);
    bool is_traversal = call->plan->args[0].child != PLAN_NO_CHILD;

    if (is_iterable(arg)) {
        (void)items_of(call->arena, arg, items);
        return E_OK;
    }
    if (is_traversal) {
        return arg->kind == VALUE_NULL
                   ? error_set(call->err, E_EVALUATION,
                               "traversal argument for %s step must yield an iterable type, not "
                               "null",
                               name)
                   : error_set(call->err, E_EVALUATION,
                               "traversal argument for %s step must yield an iterable type, "
                               "encountered %s",
                               name, function_class_name(arg));
    }
    if (arg->kind == VALUE_NULL) {
        return error_set(call->err, E_EVALUATION, "Argument provided for %s step can't be null",
                         name);
    }
    if (arg->kind == VALUE_MAP) {
        return error_set(call->err, E_EVALUATION,
                         "%s step type mismatch: expected argument to be Iterable but got Map",
                         name);
    }
    return error_set(call->err, E_EVALUATION,
                     "%s step can only take an array or an Iterable as an argument, encountered %s",
                     name, function_class_name(arg));
}

/* ---- a list turned round, a list with numbers ---- */

int function_list_reverse(const struct function_call *call, const struct value *value,
                          struct value *out)
{
    struct items items;
    const struct value *flat;
    struct value *made;
    uint32_t count;
    int rc;

    *out = *value;
    if (value->kind == VALUE_STRING) {
        *out = value_string(unicode_reverse(call->arena, value_slice(value)));
    }
    if (!is_iterable(value)) {
        return E_OK;
    }
    (void)items_of(call->arena, value, &items);
    rc = function_list_flat(call, &items, &flat, &count);
    if (rc != E_OK) {
        return rc;
    }
    made = arena_array(call->arena, (size_t)count + 1, sizeof *made);
    for (uint32_t i = 0; i < count; i++) {
        made[i] = flat[count - 1 - i];
    }
    *out = (struct value){.kind = VALUE_LIST, .size = count, .items = made};
    return E_OK;
}

int function_list_index(const struct function_call *call, const struct value *value,
                        struct value *out)
{
    struct items items = {.count = 1, .values = value};
    const struct value *flat;
    uint32_t count;
    struct value *made;
    int rc;

    if (is_iterable(value)) {
        (void)items_of(call->arena, value, &items);
    }
    rc = function_list_flat(call, &items, &flat, &count);
    if (rc != E_OK) {
        return rc;
    }
    made = arena_array(call->arena, 2 * (size_t)count + 1, sizeof *made);
    for (uint32_t i = 0; i < count; i++) {
        struct value pair[] = {flat[i], value_int((int32_t)i)};
        if (call->plan->is_map) {
            made[2 * i] = pair[1];
            made[2 * i + 1] = pair[0];
        } else {
            made[i] = value_items(call->arena, VALUE_LIST, pair, 2);
        }
    }
    *out = (struct value){
        .kind = call->plan->is_map ? VALUE_MAP : VALUE_LIST, .size = count, .items = made};
    return E_OK;
}

/* ---- two lists ---- */

/* Distinct items in the order in which they came. */
struct members {
    struct value *items;
    uint32_t count;
    struct map_index index;
};

/* Its place, or MAP_NONE. */
static uint32_t place_of(const struct members *members, const struct value *value)
{
    struct map_probe probe = map_index_probe(&members->index, value_hash(value));
    uint32_t place;

    while ((place = map_index_next(&members->index, &probe)) != MAP_NONE) {
        if (value_equivalent(&members->items[place], value)) {
            break;
        }
    }
    return place;
}

/* Gives its place. */
static uint32_t put(struct members *members, const struct value *value)
{
    uint32_t place = place_of(members, value);

    if (place == MAP_NONE) {
        place = members->count++;
        members->items[place] = *value;
        map_index_add(&members->index, value_hash(value), place, place);
    }
    return place;
}

static void members_init(struct members *members, struct arena *arena, size_t room)
{
    *members = (struct members){.items = arena_array(arena, room + 1, sizeof(struct value))};
    map_index_init(&members->index, NULL);
}

static void put_all(struct members *members, const struct items *items)
{
    for (uint32_t i = 0; i < items->count; i++) {
        (void)put(members, &items->values[i]);
    }
}

/* Of `items`: those that are (or are not) in `others`. */
static void put_some(struct members *members, const struct items *items,
                     const struct members *others, bool is_in)
{
    for (uint32_t i = 0; i < items->count; i++) {
        if ((place_of(others, &items->values[i]) != MAP_NONE) == is_in) {
            (void)put(members, &items->values[i]);
        }
    }
}

static struct value set_of(const struct function_call *call, const struct items *a,
                           const struct items *b)
{
    struct members result, left, right;

    members_init(&result, call->arena, (size_t)a->count + b->count);
    members_init(&left, call->arena, a->count);
    members_init(&right, call->arena, b->count);
    put_all(&left, a);
    put_all(&right, b);
    switch ((int)call->plan->step) {
    case STEP_MERGE:
        put_all(&result, a);
        put_all(&result, b);
        break;
    case STEP_DIFFERENCE:
        put_some(&result, a, &right, false);
        break;
    case STEP_INTERSECT:
        put_some(&result, a, &right, true);
        break;
    default:
        assert(call->plan->step == STEP_DISJUNCT);
        put_some(&result, a, &right, false);
        put_some(&result, b, &left, false);
        break;
    }
    map_index_close(&result.index);
    map_index_close(&left.index);
    map_index_close(&right.index);
    return (struct value){.kind = VALUE_SET, .size = result.count, .items = result.items};
}

static int combined(const struct function_call *call, const struct items *a, const struct items *b,
                    struct value *out)
{
    uint32_t a_count, b_count;
    const struct value *left, *right;
    uint64_t total;
    struct value *made;
    int rc = function_list_flat(call, a, &left, &a_count);

    if (rc == E_OK) {
        rc = function_list_flat(call, b, &right, &b_count);
    }
    if (rc != E_OK) {
        return rc;
    }
    total = (uint64_t)a_count + b_count;
    rc = function_room(call, total);
    if (rc != E_OK) {
        return rc;
    }
    made = arena_array(call->arena, (size_t)total + 1, sizeof *made);
    for (uint32_t i = 0; i < total; i++) {
        made[i] = i < a_count ? left[i] : right[i - a_count];
    }
    *out = (struct value){.kind = VALUE_LIST, .size = (uint32_t)total, .items = made};
    return E_OK;
}

static int product(const struct function_call *call, const struct items *a, const struct items *b,
                   struct value *out)
{
    uint32_t a_count, b_count, at = 0;
    const struct value *left, *right;
    uint64_t total;
    struct value *made, *pairs;
    int rc = function_list_flat(call, a, &left, &a_count);

    if (rc == E_OK) {
        rc = function_list_flat(call, b, &right, &b_count);
    }
    if (rc != E_OK) {
        return rc;
    }
    total = (uint64_t)a_count * b_count;
    rc = function_room(call, total);
    if (rc != E_OK) {
        return rc;
    }
    made = arena_array(call->arena, (size_t)total + 1, sizeof *made);
    pairs = arena_array(call->arena, 2 * (size_t)total + 1, sizeof *pairs);
    for (uint32_t i = 0; i < a_count; i++) {
        for (uint32_t j = 0; j < b_count; j++) {
            struct value *pair = &pairs[2 * (size_t)at];
            pair[0] = left[i];
            pair[1] = right[j];
            made[at++] = (struct value){.kind = VALUE_LIST, .size = 2, .items = pair};
        }
    }
    *out = (struct value){.kind = VALUE_LIST, .size = at, .items = made};
    return E_OK;
}

/* merge() of maps: entries of the argument win. */
static int merged_maps(const struct function_call *call, const struct value *value,
                       struct value *out)
{
    const struct value *arg = call->args[0];
    struct members keys;
    struct value *pairs;
    int rc = function_room(call, (uint64_t)value->size + arg->size);

    if (rc != E_OK) {
        return rc;
    }
    if (arg->kind != VALUE_MAP) {
        return error_set(call->err, E_EVALUATION,
                         "merge step expected provided argument to evaluate to a Map, "
                         "encountered %s",
                         function_class_name(arg));
    }
    members_init(&keys, call->arena, (size_t)value->size + arg->size);
    pairs = arena_array(call->arena, 2 * ((size_t)value->size + arg->size) + 1, sizeof *pairs);
    for (uint32_t i = 0; i < value->size + arg->size; i++) {
        const struct value *pair =
            i < value->size ? &value->items[2 * i] : &arg->items[2 * (i - value->size)];
        uint32_t place = put(&keys, &pair[0]);
        pairs[2 * place] = keys.items[place];
        pairs[2 * place + 1] = pair[1];
    }
    *out = (struct value){.kind = VALUE_MAP, .size = keys.count, .items = pairs};
    map_index_close(&keys.index);
    return E_OK;
}

int function_list_with(const struct function_call *call, const struct value *value,
                       struct value *out)
{
    struct items a, b;
    int rc;

    if (call->plan->step == STEP_MERGE && value->kind == VALUE_MAP) {
        return merged_maps(call, value, out);
    }
    rc = function_list_items(call, value, &a);
    if (rc == E_OK) {
        rc = argument_items(call, &b);
    }
    if (rc != E_OK) {
        return rc;
    }
    rc = function_room(call, (uint64_t)a.count + b.count);
    if (rc != E_OK) {
        return rc;
    }
    if (call->plan->step == STEP_COMBINE) {
        return combined(call, &a, &b, out);
    }
    if (call->plan->step == STEP_PRODUCT) {
        return product(call, &a, &b, out);
    }
    *out = set_of(call, &a, &b);
    return E_OK;
}
