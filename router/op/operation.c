#include "router/op/operation.h"

#include "common/number.h"
#include "router/op/items.h"

#include <assert.h>
#include <string.h>

static int add_maps(struct arena *arena, const struct value *a, const struct value *b,
                    struct value *out)
{
    struct value *pairs = arena_array(arena, 2 * ((size_t)a->size + b->size) + 1, sizeof *pairs);
    uint32_t count = a->size;

    if (a->size > 0) {
        memcpy(pairs, a->items, 2 * (size_t)a->size * sizeof *pairs);
    }
    for (uint32_t i = 0; i < b->size; i++) {
        uint32_t at = 0;
        while (at < count && !value_equivalent(&pairs[2 * at], &b->items[2 * i])) {
            at++;
        }
        pairs[2 * at] = b->items[2 * i];
        pairs[2 * at + 1] = b->items[2 * i + 1];
        count += at == count;
    }
    *out = value_items(arena, VALUE_MAP, pairs, count);
    return E_OK;
}

static bool is_among(const struct value *items, uint32_t count, const struct value *value)
{
    for (uint32_t i = 0; i < count; i++) {
        if (value_equivalent(&items[i], value)) {
            return true;
        }
    }
    return false;
}

/* a's kind stays; a set takes only what it has not. */
static int add_all(struct arena *arena, const struct value *a, const struct value *b,
                   struct value *out, struct error *err)
{
    struct items left, right;
    struct value *all;
    const struct value *flat_left, *flat_right;
    uint32_t left_count, right_count, count = 0;

    if (a->kind == VALUE_NULL || b->kind == VALUE_NULL) {
        *out = a->kind == VALUE_NULL ? *b : *a;
        return E_OK;
    }
    if (a->kind == VALUE_MAP && b->kind == VALUE_MAP) {
        return add_maps(arena, a, b, out);
    }
    if (a->kind == VALUE_MAP || !items_of(arena, a, &left)) {
        return error_set(err, E_EVALUATION, "addAll needs a collection, not a %s",
                         value_kind_name((enum value_kind)a->kind));
    }
    if (b->kind == VALUE_MAP || !items_of(arena, b, &right)) {
        return error_set(err, E_EVALUATION, "addAll needs a collection, not a %s",
                         value_kind_name((enum value_kind)b->kind));
    }
    flat_left = items_flat(arena, &left, &left_count);
    flat_right = items_flat(arena, &right, &right_count);
    all = arena_array(arena, (size_t)left_count + right_count + 1, sizeof *all);
    if (left_count > 0) {
        memcpy(all, flat_left, left_count * sizeof *all);
    }
    count = left_count;
    for (uint32_t i = 0; i < right_count; i++) {
        if (a->kind != VALUE_SET || !is_among(all, count, &flat_right[i])) {
            all[count++] = flat_right[i];
        }
    }
    *out = value_items(arena, a->kind == VALUE_SET ? VALUE_SET : VALUE_LIST, all, count);
    return E_OK;
}

static int logic(enum enumerator id, const struct value *a, const struct value *b,
                 struct value *out, struct error *err)
{
    if (a->kind != VALUE_BOOL || b->kind != VALUE_BOOL) {
        return error_set(err, E_EVALUATION, "%s needs booleans, not a %s and a %s",
                         value_enumerator_name(id), value_kind_name((enum value_kind)a->kind),
                         value_kind_name((enum value_kind)b->kind));
    }
    *out = value_bool(id == OPERATOR_AND ? a->boolean && b->boolean : a->boolean || b->boolean);
    return E_OK;
}

static int arithmetic(struct arena *arena, enum enumerator id, const struct value *a,
                      const struct value *b, struct value *out, struct error *err)
{
    static const enum number_op OPS[] = {
        [OPERATOR_DIV] = NUMBER_DIV,      [OPERATOR_MAX] = NUMBER_MAX,  [OPERATOR_MIN] = NUMBER_MIN,
        [OPERATOR_MINUS] = NUMBER_SUB,    [OPERATOR_MULT] = NUMBER_MUL, [OPERATOR_SUM] = NUMBER_ADD,
        [OPERATOR_SUM_LONG] = NUMBER_ADD,
    };

    if (a->kind == VALUE_NULL || b->kind == VALUE_NULL) {
        /* NumberHelper: min and max take the other one, arithmetic gives the left side. */
        bool takes_other = id == OPERATOR_MIN || id == OPERATOR_MAX;
        *out = a->kind == VALUE_NULL && takes_other ? *b : *a;
        return E_OK;
    }
    if ((id == OPERATOR_MIN || id == OPERATOR_MAX) &&
        (!value_is_number(a) || !value_is_number(b))) {
        bool is_less = value_order(a, b) <= 0;
        *out = is_less == (id == OPERATOR_MIN) ? *a : *b;
        return E_OK;
    }
    if (!value_is_number(a) || !value_is_number(b)) {
        return error_set(err, E_EVALUATION, "%s needs numbers, not a %s and a %s",
                         value_enumerator_name(id), value_kind_name((enum value_kind)a->kind),
                         value_kind_name((enum value_kind)b->kind));
    }
    return number_apply(arena, OPS[id], a, b, out, err);
}

int operation_apply(struct arena *arena, enum enumerator id, const struct value *a,
                    const struct value *b, struct value *out, struct error *err)
{
    switch ((int)id) {
    case OPERATOR_ADD_ALL:
        return add_all(arena, a, b, out, err);
    case OPERATOR_ASSIGN:
        *out = *b;
        return E_OK;
    case OPERATOR_AND:
    case OPERATOR_OR:
        return logic(id, a, b, out, err);
    default:
        assert(value_enum_of(id) == ENUM_OPERATOR);
        return arithmetic(arena, id, a, b, out, err);
    }
}
