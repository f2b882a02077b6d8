#include "router/op/effect.h"

#include "router/op/items.h"
#include "router/op/operation.h"

#include <assert.h>

static struct effect_state *state_of(struct exec *exec, struct side_effect *effect)
{
    if (effect->state == NULL) {
        effect->state = ARENA_NEW(&exec->arena, struct effect_state);
    }
    return effect->state;
}

/* withSideEffect('x', [1, 2]) and then aggregate('x'): goes on from there. */
static void take_initial(struct exec *exec, struct side_effect *effect, struct bag *bag)
{
    struct items items;

    if (effect->value.kind == VALUE_MAP || !items_of(&exec->arena, &effect->value, &items)) {
        return;
    }
    for (uint32_t i = 0; i < items.count; i++) {
        bag_add(bag, 0, &items.values[i], items.bulks == NULL ? 1 : items.bulks[i]);
    }
}

int effect_claim(struct exec *exec, struct side_effect *effect, enum effect_kind kind)
{
    struct effect_state *state = state_of(exec, effect);

    if (state->kind == kind || effect->reducer != ENUMERATOR_COUNT) {
        return E_OK;
    }
    if (state->kind != EFFECT_PLAIN) {
        return error_set(&exec->error, E_EVALUATION, "The side effect %.*s is filled in two ways",
                         (int)effect->key.size, (const char *)effect->key.data);
    }
    state->kind = kind;
    if (kind == EFFECT_BAG) {
        bag_init(&state->bag, &exec->arena);
        take_initial(exec, effect, &state->bag);
        state->is_changed = true;
    } else if (effect->value.kind == VALUE_NULL) {
        effect->value = value_items(&exec->arena, VALUE_MAP, NULL, 0);
    }
    return E_OK;
}

int effect_add(struct exec *exec, struct side_effect *effect, const struct value *value,
               uint64_t bulk)
{
    struct effect_state *state = state_of(exec, effect);

    if (effect->reducer == ENUMERATOR_COUNT) {
        assert(state->kind == EFFECT_BAG);
        bag_add(&state->bag, 0, value, bulk);
        state->is_changed = true;
        return E_OK;
    }
    for (uint64_t i = 0; i < bulk; i++) {
        int rc = operation_apply(&exec->arena, effect->reducer, &effect->value, value,
                                 &effect->value, &exec->error);
        if (rc != E_OK) {
            return rc;
        }
    }
    return E_OK;
}

int effect_add_all(struct exec *exec, struct side_effect *effect, const struct value *values,
                   const uint64_t *bulks, uint32_t count)
{
    bool takes_whole = effect->reducer == OPERATOR_ASSIGN || effect->reducer == OPERATOR_ADD_ALL;

    if (takes_whole && count > 0) {
        struct items items = {.count = count, .values = values, .bulks = bulks};
        uint32_t total;
        const struct value *flat = items_flat(&exec->arena, &items, &total);
        struct value list = value_items(&exec->arena, VALUE_LIST, flat, total);
        return effect_add(exec, effect, &list, 1);
    }
    for (uint32_t i = 0; i < count; i++) {
        int rc = effect_add(exec, effect, &values[i], bulks[i]);
        if (rc != E_OK) {
            return rc;
        }
    }
    return E_OK;
}

struct value effect_value(struct exec *exec, struct side_effect *effect)
{
    struct effect_state *state = state_of(exec, effect);

    if (state->kind == EFFECT_BAG && state->is_changed) {
        const struct bag *bag = &state->bag;
        struct value *pairs = arena_array(&exec->arena, 2 * (size_t)bag->count + 1, sizeof *pairs);
        for (uint32_t i = 0; i < bag->count; i++) {
            pairs[2 * i] = bag->entries[i].value;
            pairs[2 * i + 1] = value_long((int64_t)bag->entries[i].bulk);
        }
        effect->value = value_items(&exec->arena, VALUE_BULKSET, pairs, bag->count);
        state->is_changed = false;
    }
    return effect->value;
}
