#include "router/op/ahead.h"

#include "common/mem.h"
#include "common/number.h"
#include "router/op/elem.h"
#include "router/op/exec.h"
#include "router/op/mutate.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

static bool is_id(const struct value *key)
{
    return key->kind == VALUE_ENUM && key->integer == T_ID;
}

static bool is_label(const struct value *key)
{
    return key->kind == VALUE_ENUM && key->integer == T_LABEL;
}

/* ---- the read ---- */

static struct value wanted(const struct value *map, const struct value *key)
{
    struct value value = *value_get(map, key);
    enum enumerator cardinality;

    mutate_unwrap(&value, &cardinality);
    return value;
}

/* Of a kind whose equal values have equal hashes. */
static bool is_plain(const struct value *map, const struct value *key)
{
    struct value value = wanted(map, key);

    return value.kind == VALUE_STRING || value.kind == VALUE_BOOL || value.kind == VALUE_UUID ||
           value_is_number(&value);
}

/* All maps have the keys of the first, and there is one to find candidates by. */
static bool are_alike(struct ahead *ahead, const struct value *maps, uint32_t count)
{
    ahead->key = value_null();
    for (uint32_t i = 0; i < maps[0].size; i++) {
        const struct value *key = &maps[0].items[2 * i];
        if (is_id(key) || (key->kind == VALUE_STRING && !is_id(&ahead->key))) {
            ahead->key = *key;
        }
    }
    if (ahead->key.kind == VALUE_NULL) {
        return false;
    }
    for (uint32_t i = 0; i < count; i++) {
        for (uint32_t k = 0; k < maps[0].size; k++) {
            if (maps[i].size != maps[0].size ||
                value_get(&maps[i], &maps[0].items[2 * k]) == NULL) {
                return false;
            }
        }
        if (!is_plain(&maps[i], &ahead->key)) {
            return false;
        }
    }
    return true;
}

static bool add_inputs(struct ahead *ahead, struct exec *exec, const struct value *maps,
                       uint32_t count)
{
    idset_clear(&ahead->ids);
    for (uint32_t i = 0; i < count; i++) {
        struct value value = wanted(&maps[i], &ahead->key);
        struct vid id;
        if (!elem_vid(exec, &value, &id)) {
            return false;
        }
        idset_add(&ahead->ids, &id);
    }
    ahead->inputs = mem_resize(ahead->inputs, ahead->ids.count * sizeof *ahead->inputs);
    for (uint32_t i = 0; i < ahead->ids.count; i++) {
        ahead->inputs[i] = (struct read_input){.id = ahead->ids.ids[i], .bulk = 1};
    }
    ahead->spec.source = READ_IDS;
    ahead->spec.inputs = ahead->inputs;
    ahead->spec.input_count = ahead->ids.count;
    return true;
}

/* key within(the values of all maps). */
static const struct predicate *any_of(struct exec *exec, const struct value *key,
                                      const struct value *maps, uint32_t count)
{
    struct predicate *predicate = ARENA_NEW(&exec->arena, struct predicate);
    struct value *values = arena_array(&exec->arena, count, sizeof *values);

    predicate->test = PREDICATE_WITHIN;
    predicate->operands = values;
    for (uint32_t i = 0; i < count; i++) {
        struct value value = wanted(&maps[i], key);
        bool is_last = predicate->operand_count > 0 &&
                       value_equivalent(&values[predicate->operand_count - 1], &value);
        if (!is_last) {
            values[predicate->operand_count++] = value;
        }
    }
    if (predicate->operand_count == 1) {
        predicate->test = PREDICATE_EQ;
    }
    return predicate;
}

static void add_filters(struct ahead *ahead, struct exec *exec, const struct value *maps,
                        uint32_t count)
{
    struct read_filter *filters = arena_array(&exec->arena, maps[0].size, sizeof *filters);

    for (uint32_t i = 0; i < maps[0].size; i++) {
        const struct value *key = &maps[0].items[2 * i];
        struct read_filter *filter = &filters[ahead->spec.filter_count++];
        filter->on = is_label(key) ? READ_ON_LABEL : READ_ON_KEY;
        filter->key = is_label(key) ? (struct slice){0} : value_slice(key);
        filter->predicate = any_of(exec, key, maps, count);
    }
    ahead->spec.source = READ_VERTICES;
    ahead->spec.filters = filters;
}

bool ahead_start(struct ahead *ahead, struct exec *exec, struct op *op, const struct value *maps,
                 uint32_t count)
{
    ahead_reset(ahead, exec);
    if (count < 2 || maps[0].size > READ_FILTERS_MAX || !are_alike(ahead, maps, count)) {
        return false;
    }
    ahead->spec = (struct read_request){.emit = READ_ROWS, .project = READ_ALL};
    if (!is_id(&ahead->key)) {
        add_filters(ahead, exec, maps, count);
    } else if (!add_inputs(ahead, exec, maps, count)) {
        return false;
    }
    ahead->fetch = fetch_start(exec, op, &ahead->spec);
    return ahead->fetch != NULL;
}

enum pull ahead_read(struct ahead *ahead, struct exec *exec)
{
    enum pull rc = rowset_take(&ahead->rows, ahead->fetch, exec, UINT32_MAX);

    if (rc != PULL_DONE) {
        return rc;
    }
    fetch_close(&ahead->fetch, exec);
    for (uint32_t i = 0; i < ahead->rows.count; i++) {
        ahead_add(ahead, exec, &ahead->rows.rows[i].element);
    }
    return PULL_BATCH;
}

/* ---- matching ---- */

/* Equal values have equal hashes, numbers of different classes too. */
static uint64_t hash_of(const struct value *value)
{
    if (value_is_number(value)) {
        double real = number_double(value) + 0.0;
        uint64_t bits;
        memcpy(&bits, &real, sizeof bits);
        return hash_mix(bits);
    }
    return value_hash(value);
}

static void add_entry(struct ahead *ahead, uint64_t hash, uint32_t candidate)
{
    if (ahead->entry_count == ahead->entry_room) {
        ahead->entry_room = ahead->entry_room == 0 ? 64 : 2 * ahead->entry_room;
        ahead->entries = mem_resize(ahead->entries, ahead->entry_room * sizeof *ahead->entries);
    }
    ahead->entries[ahead->entry_count] = candidate;
    map_index_add(&ahead->index, hash, ahead->entry_count, ahead->entry_count);
    ahead->entry_count++;
}

void ahead_add(struct ahead *ahead, struct exec *exec, const struct value *vertex)
{
    const struct vertex *of = vertex->vertex;
    uint32_t place = ahead->count;
    struct vid id;

    assert(vertex->kind == VALUE_VERTEX);
    if (ahead->count == ahead->room) {
        ahead->room = ahead->room == 0 ? 64 : 2 * ahead->room;
        ahead->candidates = mem_resize(ahead->candidates, ahead->room * sizeof *ahead->candidates);
    }
    ahead->candidates[ahead->count++] = *vertex;
    if (is_id(&ahead->key)) {
        if (elem_vid(exec, &of->id, &id)) {
            add_entry(ahead, vid_hash(&id), place);
        }
        return;
    }
    for (uint32_t i = 0; i < of->prop_count; i++) {
        if (slice_equal(of->props[i].key, value_slice(&ahead->key))) {
            add_entry(ahead, hash_of(&of->props[i].value), place);
        }
    }
}

static bool has_value(const struct vertex *vertex, struct slice key, const struct value *value)
{
    for (uint32_t i = 0; i < vertex->prop_count; i++) {
        if (slice_equal(vertex->props[i].key, key) && value_equal(&vertex->props[i].value, value)) {
            return true;
        }
    }
    return false;
}

static bool matches(struct exec *exec, const struct value *map, const struct vertex *vertex)
{
    for (uint32_t i = 0; i < map->size; i++) {
        const struct value *key = &map->items[2 * i];
        struct value value = wanted(map, key);
        struct value label = value_string(vertex->label);
        struct vid a;
        struct vid b;
        bool is_match;
        if (is_id(key)) {
            is_match =
                elem_vid(exec, &value, &a) && elem_vid(exec, &vertex->id, &b) && vid_equal(&a, &b);
        } else if (is_label(key)) {
            is_match = value_equal(&label, &value);
        } else {
            is_match = has_value(vertex, value_slice(key), &value);
        }
        if (!is_match) {
            return false;
        }
    }
    return true;
}

static void add_match(struct rowset *out, const struct value *vertex)
{
    if (out->count == out->room) {
        out->room = out->room == 0 ? 16 : 2 * out->room;
        out->rows = mem_resize(out->rows, out->room * sizeof *out->rows);
    }
    out->rows[out->count++] = (struct read_row){.bulk = 1, .element = *vertex};
}

static int by_place(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a;
    uint32_t y = *(const uint32_t *)b;

    return (x > y) - (x < y);
}

void ahead_find(struct ahead *ahead, struct exec *exec, const struct value *map, struct rowset *out)
{
    struct value value = wanted(map, &ahead->key);
    struct vid id = vid_num(0);
    bool is_usable = !is_id(&ahead->key) || elem_vid(exec, &value, &id);
    uint64_t hash = is_id(&ahead->key) ? vid_hash(&id) : hash_of(&value);
    struct map_probe probe = map_index_probe(&ahead->index, hash);
    uint32_t count = 0;
    uint32_t entry;

    out->count = 0;
    while (is_usable && (entry = map_index_next(&ahead->index, &probe)) != MAP_NONE) {
        if (count == ahead->place_room) {
            ahead->place_room = count == 0 ? 16 : 2 * count;
            ahead->places = mem_resize(ahead->places, ahead->place_room * sizeof *ahead->places);
        }
        ahead->places[count++] = ahead->entries[entry];
    }
    if (count > 1) {
        qsort(ahead->places, count, sizeof *ahead->places, by_place);
    }
    for (uint32_t i = 0; i < count; i++) {
        const struct value *vertex = &ahead->candidates[ahead->places[i]];
        bool is_again = i > 0 && ahead->places[i] == ahead->places[i - 1];
        if (!is_again && matches(exec, map, vertex->vertex)) {
            add_match(out, vertex);
        }
    }
}

bool ahead_is_touched(const struct value *looked_for, const struct value *changed)
{
    for (uint32_t i = 0; changed->kind == VALUE_MAP && i < changed->size; i++) {
        if (value_get(looked_for, &changed->items[2 * i]) != NULL) {
            return true;
        }
    }
    return false;
}

void ahead_reset(struct ahead *ahead, struct exec *exec)
{
    fetch_close(&ahead->fetch, exec);
    ahead->rows.count = 0;
    ahead->count = 0;
    ahead->entry_count = 0;
    map_index_clear(&ahead->index);
    idset_clear(&ahead->ids);
}

void ahead_close(struct ahead *ahead, struct exec *exec)
{
    fetch_close(&ahead->fetch, exec);
    rowset_close(&ahead->rows);
    idset_close(&ahead->ids);
    map_index_close(&ahead->index);
    mem_free(ahead->inputs);
    mem_free(ahead->candidates);
    mem_free(ahead->entries);
    mem_free(ahead->places);
    *ahead = (struct ahead){0};
}
