#include "router/op/items.h"

#include "common/bulk.h"
#include "common/element.h"

#include <assert.h>

static struct value entry_of(const struct value *pair)
{
    return (struct value){.kind = VALUE_ENTRY, .size = 1, .items = pair};
}

bool items_of(struct arena *arena, const struct value *value, struct items *out)
{
    struct value *values;
    uint64_t *bulks;

    *out = (struct items){.count = value->size};
    switch ((int)value->kind) {
    case VALUE_LIST:
    case VALUE_SET:
        out->values = value->items;
        return true;
    case VALUE_PATH:
        out->values = value->path->objects;
        out->count = value->path->size;
        return true;
    case VALUE_MAP:
    case VALUE_TREE:
        values = arena_array(arena, (size_t)value->size + 1, sizeof *values);
        for (uint32_t i = 0; i < value->size; i++) {
            values[i] = entry_of(&value->items[2 * i]);
        }
        out->values = values;
        return true;
    case VALUE_BULKSET:
        values = arena_array(arena, (size_t)value->size + 1, sizeof *values);
        bulks = arena_array(arena, (size_t)value->size + 1, sizeof *bulks);
        for (uint32_t i = 0; i < value->size; i++) {
            values[i] = value->items[2 * i];
            bulks[i] = (uint64_t)value->items[2 * i + 1].integer;
        }
        out->values = values;
        out->bulks = bulks;
        return true;
    default:
        return false;
    }
}

uint64_t items_total(const struct items *items)
{
    uint64_t total = 0;

    if (items->bulks == NULL) {
        return items->count;
    }
    for (uint32_t i = 0; i < items->count; i++) {
        total = bulk_add(total, items->bulks[i]);
    }
    return total;
}

const struct value *items_flat(struct arena *arena, const struct items *items, uint32_t *count)
{
    uint64_t total = items_total(items);
    struct value *flat;
    uint32_t n = 0;

    assert(total < UINT32_MAX);
    *count = (uint32_t)total;
    if (items->bulks == NULL) {
        return items->values;
    }
    flat = arena_array(arena, (size_t)total + 1, sizeof *flat);
    for (uint32_t i = 0; i < items->count; i++) {
        for (uint64_t j = 0; j < items->bulks[i]; j++) {
            flat[n++] = items->values[i];
        }
    }
    return flat;
}

struct value items_collect(struct arena *arena, const struct value *like,
                           const struct value *values, uint32_t count)
{
    if (like->kind == VALUE_MAP) {
        struct value *pairs = arena_array(arena, 2 * (size_t)count + 1, sizeof *pairs);
        for (uint32_t i = 0; i < count; i++) {
            assert(values[i].kind == VALUE_ENTRY);
            pairs[2 * i] = values[i].items[0];
            pairs[2 * i + 1] = values[i].items[1];
        }
        return value_items(arena, VALUE_MAP, pairs, count);
    }
    return value_items(arena, like->kind == VALUE_SET ? VALUE_SET : VALUE_LIST, values, count);
}
