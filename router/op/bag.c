#include "router/op/bag.h"

#include "common/bulk.h"
#include "common/mem.h"

#include <assert.h>
#include <string.h>

enum { FIRST_ROOM = 16 };

void bag_init(struct bag *bag, struct arena *arena)
{
    *bag = (struct bag){.arena = arena};
    map_index_init(&bag->index, arena);
}

void bag_close(struct bag *bag)
{
    if (bag->arena == NULL) {
        mem_free(bag->entries);
    }
    map_index_close(&bag->index);
    *bag = (struct bag){0};
}

void bag_clear(struct bag *bag)
{
    map_index_clear(&bag->index);
    bag->count = 0;
}

static void grow(struct bag *bag)
{
    uint32_t room = bag->room == 0 ? FIRST_ROOM : bag->room * 2;

    if (bag->arena == NULL) {
        bag->entries = mem_resize(bag->entries, room * sizeof *bag->entries);
    } else {
        struct bag_entry *entries = arena_array(bag->arena, room, sizeof *entries);
        if (bag->count > 0) {
            memcpy(entries, bag->entries, bag->count * sizeof *entries);
        }
        bag->entries = entries;
    }
    bag->room = room;
}

static uint64_t hash_of(uint32_t tag, const struct value *value)
{
    return hash_join(value_hash(value), tag);
}

static uint32_t find(const struct bag *bag, uint32_t tag, const struct value *value, uint64_t hash)
{
    struct map_probe probe = map_index_probe(&bag->index, hash);
    uint32_t place;

    while ((place = map_index_next(&bag->index, &probe)) != MAP_NONE) {
        const struct bag_entry *entry = &bag->entries[place];
        if (entry->tag == tag && entry->hash == hash && value_equivalent(&entry->value, value)) {
            return place;
        }
    }
    return MAP_NONE;
}

bool bag_has(const struct bag *bag, uint32_t tag, const struct value *value)
{
    return find(bag, tag, value, hash_of(tag, value)) != MAP_NONE;
}

uint32_t bag_at(struct bag *bag, uint32_t tag, const struct value *value, bool *is_new)
{
    uint64_t hash = hash_of(tag, value);
    uint32_t place = find(bag, tag, value, hash);

    *is_new = place == MAP_NONE;
    if (place != MAP_NONE) {
        return place;
    }
    assert(bag->count < UINT32_MAX / 2);
    if (bag->count == bag->room) {
        grow(bag);
    }
    bag->entries[bag->count] = (struct bag_entry){.value = *value, .hash = hash, .tag = tag};
    map_index_add(&bag->index, hash, bag->count, bag->count);
    return bag->count++;
}

void bag_add(struct bag *bag, uint32_t tag, const struct value *value, uint64_t bulk)
{
    bool is_new;
    uint32_t place = bag_at(bag, tag, value, &is_new);

    bag->entries[place].bulk = bulk_add(bag->entries[place].bulk, bulk);
}
