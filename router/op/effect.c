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

/* Into the bag, and into the list if the value is one. */
static int put(struct exec *exec, struct effect_state *state, const struct value *value,
               uint64_t bulk)
{
    bag_add(&state->bag, 0, value, bulk);
    state->is_changed = true;
    if (!state->is_list) {
        return E_OK;
    }
    if (bulk > EFFECT_LIST_MAX - state->list_count) {
        return error_set(&exec->error, E_LIMIT, "a list of more than %d items in a side effect",
                         EFFECT_LIST_MAX);
    }
    op_charge(exec, bulk);
    if (bulk > state->list_room - state->list_count) {
        uint32_t room = state->list_count + (uint32_t)bulk;
        struct value *wider = arena_array(&exec->arena, 2 * (size_t)room, sizeof *wider);
        for (uint32_t i = 0; i < state->list_count; i++) {
            wider[i] = state->list[i];
        }
        state->list = wider;
        state->list_room = 2 * room;
    }
    for (uint64_t i = 0; i < bulk; i++) {
        state->list[state->list_count++] = *value;
    }
    return E_OK;
}

/* withSideEffect('x', [1, 2]) and then aggregate('x'): goes on from there. */
static int take_initial(struct exec *exec, struct side_effect *effect, struct effect_state *state)
{
    struct items items;
    int rc = E_OK;

    if (!items_of(&exec->arena, &effect->value, &items)) {
        return E_OK;
    }
    state->is_set = effect->value.kind == VALUE_SET;
    state->is_list = effect->value.kind == VALUE_LIST;
    for (uint32_t i = 0; rc == E_OK && i < items.count; i++) {
        rc = put(exec, state, &items.values[i], items.bulks == NULL ? 1 : items.bulks[i]);
    }
    return rc;
}

static bool is_gathered(const struct value *initial)
{
    return initial->kind == VALUE_NULL || initial->kind == VALUE_LIST ||
           initial->kind == VALUE_SET || initial->kind == VALUE_BULKSET;
}

/* addAll to a collection is what a bag does; aggregate() without an Operator means addAll. */
static void settle_reducer(struct side_effect *effect, enum effect_kind kind)
{
    if (kind != EFFECT_BAG) {
        return;
    }
    if (effect->reducer == OPERATOR_ADD_ALL && is_gathered(&effect->value)) {
        effect->reducer = ENUMERATOR_COUNT;
    } else if (effect->reducer == ENUMERATOR_COUNT && !is_gathered(&effect->value)) {
        effect->reducer = OPERATOR_ADD_ALL;
    }
}

int effect_claim(struct exec *exec, struct side_effect *effect, enum effect_kind kind)
{
    struct effect_state *state = state_of(exec, effect);

    if (state->kind == kind) {
        return E_OK;
    }
    if (state->kind == EFFECT_PLAIN) {
        settle_reducer(effect, kind);
    }
    if (effect->reducer != ENUMERATOR_COUNT) {
        return E_OK;
    }
    if (state->kind != EFFECT_PLAIN) {
        return error_set(&exec->error, E_EVALUATION, "The side effect %.*s is filled in two ways",
                         (int)effect->key.size, (const char *)effect->key.data);
    }
    state->kind = kind;
    if (kind == EFFECT_BAG) {
        bag_init(&state->bag, &exec->arena);
        state->is_changed = true;
        return take_initial(exec, effect, state);
    }
    if (effect->value.kind == VALUE_NULL) {
        effect->value = value_items(&exec->arena, VALUE_MAP, NULL, 0);
    }
    return E_OK;
}

int effect_claim_own(struct exec *exec, struct side_effect *effect, enum effect_kind kind,
                     effect_render_fn render)
{
    struct effect_state *state = state_of(exec, effect);

    if (state->kind == kind) {
        return E_OK;
    }
    if (state->kind != EFFECT_PLAIN || effect->value.kind != VALUE_NULL ||
        effect->reducer != ENUMERATOR_COUNT) {
        return error_set(&exec->error, E_EVALUATION,
                         "The side effect %.*s has a value already that %s cannot go on from",
                         (int)effect->key.size, (const char *)effect->key.data,
                         kind == EFFECT_TREE ? "tree()" : "subgraph()");
    }
    state->kind = kind;
    state->render = render;
    state->is_changed = true;
    return E_OK;
}

void effect_touch(struct side_effect *effect)
{
    ((struct effect_state *)effect->state)->is_changed = true;
}

static struct value bulk_set(struct exec *exec, const struct bag *bag)
{
    struct value *pairs = arena_array(&exec->arena, 2 * (size_t)bag->count + 1, sizeof *pairs);

    for (uint32_t i = 0; i < bag->count; i++) {
        pairs[2 * i] = bag->entries[i].value;
        pairs[2 * i + 1] = value_long((int64_t)bag->entries[i].bulk);
    }
    return value_items(&exec->arena, VALUE_BULKSET, pairs, bag->count);
}

/* What TinkerPop's aggregate() gives to a reducer: a BULKSET of what came at once. */
static int apply_whole(struct exec *exec, struct side_effect *effect, const struct value *values,
                       const uint64_t *bulks, uint32_t count)
{
    struct value whole;
    struct bag bag;

    bag_init(&bag, &exec->arena);
    for (uint32_t i = 0; i < count; i++) {
        bag_add(&bag, 0, &values[i], bulks[i]);
    }
    whole = bulk_set(exec, &bag);
    return operation_apply(&exec->arena, effect->reducer, &effect->value, &whole, &effect->value,
                           &exec->error);
}

static bool takes_whole(const struct side_effect *effect)
{
    return effect->reducer == OPERATOR_ASSIGN || effect->reducer == OPERATOR_ADD_ALL;
}

static int add(struct exec *exec, struct side_effect *effect, const struct value *value,
               uint64_t bulk)
{
    struct effect_state *state = state_of(exec, effect);

    if (effect->reducer == ENUMERATOR_COUNT) {
        assert(state->kind == EFFECT_BAG);
        return put(exec, state, value, bulk);
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
    const struct effect_state *state = state_of(exec, effect);
    struct bag bag;
    int rc = E_OK;

    if (takes_whole(effect)) {
        return count == 0 ? E_OK : apply_whole(exec, effect, values, bulks, count);
    }
    bag_init(&bag, &exec->arena);
    if (state->is_list) {
        for (uint32_t i = 0; i < count; i++) {
            bag_add(&bag, 0, &values[i], bulks[i]);
        }
        for (uint32_t i = 0; rc == E_OK && i < bag.count; i++) {
            rc = add(exec, effect, &bag.entries[i].value, bag.entries[i].bulk);
        }
        return rc;
    }
    for (uint32_t i = 0; rc == E_OK && i < count; i++) {
        rc = add(exec, effect, &values[i], bulks[i]);
    }
    return rc;
}

static struct value set_of(struct exec *exec, const struct bag *bag)
{
    struct value *items = arena_array(&exec->arena, (size_t)bag->count + 1, sizeof *items);

    for (uint32_t i = 0; i < bag->count; i++) {
        items[i] = bag->entries[i].value;
    }
    return value_items(&exec->arena, VALUE_SET, items, bag->count);
}

struct value effect_value(struct exec *exec, struct side_effect *effect)
{
    struct effect_state *state = state_of(exec, effect);

    if (state->kind == EFFECT_BAG && state->is_changed) {
        effect->value = state->is_set    ? set_of(exec, &state->bag)
                        : state->is_list ? (struct value){.kind = VALUE_LIST,
                                                          .size = state->list_count,
                                                          .items = state->list}
                                         : bulk_set(exec, &state->bag);
        state->is_changed = false;
    }
    if (state->render != NULL && state->is_changed) {
        effect->value = state->render(exec, state->own);
        state->is_changed = false;
    }
    return effect->value;
}
