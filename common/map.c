#include "common/map.h"

#include <assert.h>
#include <string.h>

#include "common/mem.h"

enum { ROOM_MIN = 8, COUNT_MAX = INT32_MAX };

static void *resize(struct arena *arena, void *old, size_t old_size, size_t size)
{
    void *memory;

    if (arena == NULL) {
        return mem_resize(old, size);
    }
    memory = arena_alloc(arena, size);
    if (old_size > 0) {
        memcpy(memory, old, old_size);
    }
    return memory;
}

/* ---- the index ---- */

static uint64_t slot_of(uint64_t hash, uint32_t place)
{
    return (hash >> 32) << 32 | (place + 1);
}

static void insert(struct map_index *index, uint64_t slot)
{
    size_t at = (slot >> 32) & (index->room - 1);

    while (index->slots[at] != 0) {
        at = (at + 1) & (index->room - 1);
    }
    index->slots[at] = slot;
    index->used++;
}

static void rebuild(struct map_index *index, size_t room)
{
    struct map_index old = *index;

    assert((room & (room - 1)) == 0);
    index->slots = old.arena == NULL ? (uint64_t *)mem_array(room, sizeof(uint64_t))
                                     : (uint64_t *)arena_array(old.arena, room, sizeof(uint64_t));
    index->room = room;
    index->used = 0;
    for (size_t i = 0; i < old.room; i++) {
        if (old.slots[i] != 0 && (uint32_t)old.slots[i] != MAP_NONE) {
            insert(index, old.slots[i]);
        }
    }
    if (old.arena == NULL) {
        mem_free(old.slots);
    }
}

void map_index_init(struct map_index *index, struct arena *arena)
{
    *index = (struct map_index){.arena = arena};
}

void map_index_close(struct map_index *index)
{
    if (index->arena == NULL) {
        mem_free(index->slots);
    }
    *index = (struct map_index){0};
}

void map_index_clear(struct map_index *index)
{
    if (index->used > 0) {
        memset(index->slots, 0, index->room * sizeof *index->slots);
    }
    index->used = 0;
}

static void reserve(struct map_index *index, size_t live)
{
    size_t room = index->room < ROOM_MIN ? ROOM_MIN : index->room;

    /* At most half full of live ones, three quarters with removed ones. */
    while (room < live * 2) {
        room *= 2;
    }
    if (room != index->room || (index->used + 1) * 4 > room * 3) {
        rebuild(index, room);
    }
}

void map_index_add(struct map_index *index, uint64_t hash, uint32_t place, size_t live)
{
    assert(place < COUNT_MAX);
    reserve(index, live);
    insert(index, slot_of(hash, place));
}

static size_t find(const struct map_index *index, uint64_t hash, uint32_t place)
{
    uint64_t slot = slot_of(hash, place);
    size_t at = (slot >> 32) & (index->room - 1);

    assert(index->room > 0);
    while (index->slots[at] != slot) {
        assert(index->slots[at] != 0);
        at = (at + 1) & (index->room - 1);
    }
    return at;
}

void map_index_remove(struct map_index *index, uint64_t hash, uint32_t place)
{
    size_t at = find(index, hash, place);

    if (index->slots[(at + 1) & (index->room - 1)] == 0) {
        index->slots[at] = 0;
        index->used--;
    } else {
        index->slots[at] = MAP_NONE;
    }
}

void map_index_move(struct map_index *index, uint64_t hash, uint32_t from, uint32_t to)
{
    index->slots[find(index, hash, from)] = slot_of(hash, to);
}

/* ---- 64-bit keys ---- */

void map_init(struct map *map, struct arena *arena)
{
    *map = (struct map){.index.arena = arena};
}

void map_close(struct map *map)
{
    if (map->index.arena == NULL) {
        mem_free(map->entries);
    }
    map_index_close(&map->index);
    *map = (struct map){0};
}

void map_clear(struct map *map)
{
    map_index_clear(&map->index);
    map->count = 0;
}

void map_reserve(struct map *map, size_t count)
{
    size_t room = map->room < ROOM_MIN ? ROOM_MIN : map->room;

    assert(count < COUNT_MAX);
    reserve(&map->index, count);
    while (room < count) {
        room *= 2;
    }
    if (room != map->room) {
        map->entries = (struct map_entry *)resize(map->index.arena, map->entries,
                                                  map->count * sizeof *map->entries,
                                                  room * sizeof *map->entries);
        map->room = room;
    }
}

uint64_t *map_at(struct map *map, uint64_t key, bool *is_new)
{
    uint64_t *value = map_get(map, key);

    if (is_new != NULL) {
        *is_new = value == NULL;
    }
    if (value != NULL) {
        return value;
    }
    map_reserve(map, map->count + 1);
    map_index_add(&map->index, hash_mix(key), (uint32_t)map->count, map->count + 1);
    map->entries[map->count] = (struct map_entry){key, 0};
    return &map->entries[map->count++].value;
}

bool map_put(struct map *map, uint64_t key, uint64_t value)
{
    bool is_new;

    *map_at(map, key, &is_new) = value;
    return is_new;
}

bool map_remove(struct map *map, uint64_t key)
{
    struct map_probe probe = map_index_probe(&map->index, hash_mix(key));
    uint32_t place = map_index_next(&map->index, &probe);

    while (place != MAP_NONE && map->entries[place].key != key) {
        place = map_index_next(&map->index, &probe);
    }
    if (place == MAP_NONE) {
        return false;
    }
    uint32_t last = (uint32_t)map->count - 1;
    map_index_remove(&map->index, hash_mix(key), place);
    if (place != last) {
        map->entries[place] = map->entries[last];
        map_index_move(&map->index, hash_mix(map->entries[place].key), last, place);
    }
    map->count--;
    return true;
}

/* ---- byte keys ---- */

void map_text_init(struct map_text *map, struct arena *arena, bool is_borrowing)
{
    *map = (struct map_text){.index.arena = arena, .is_borrowing = is_borrowing};
}

static void free_key(const struct map_text *map, struct slice key)
{
    if (map->index.arena == NULL && !map->is_borrowing) {
        mem_free((void *)(uintptr_t)key.data);
    }
}

void map_text_clear(struct map_text *map)
{
    for (size_t i = 0; i < map->count; i++) {
        free_key(map, map->entries[i].key);
    }
    map_index_clear(&map->index);
    map->count = 0;
}

void map_text_close(struct map_text *map)
{
    map_text_clear(map);
    if (map->index.arena == NULL) {
        mem_free(map->entries);
    }
    map_index_close(&map->index);
    *map = (struct map_text){0};
}

static uint32_t find_text(const struct map_text *map, struct slice key, uint64_t hash)
{
    struct map_probe probe = map_index_probe(&map->index, hash);
    uint32_t place;

    while ((place = map_index_next(&map->index, &probe)) != MAP_NONE) {
        if (slice_equal(map->entries[place].key, key)) {
            return place;
        }
    }
    return MAP_NONE;
}

uint64_t *map_text_get(const struct map_text *map, struct slice key)
{
    uint32_t place = find_text(map, key, hash_bytes(key.data, key.size));

    return place == MAP_NONE ? NULL : &map->entries[place].value;
}

static struct slice keep_key(const struct map_text *map, struct slice key)
{
    if (map->is_borrowing || key.size == 0) {
        return key.size == 0 ? (struct slice){0} : key;
    }
    if (map->index.arena != NULL) {
        return slice_of(arena_copy(map->index.arena, key.data, key.size), key.size);
    }
    return slice_of(mem_copy(key.data, key.size), key.size);
}

uint64_t *map_text_at(struct map_text *map, struct slice key, bool *is_new)
{
    uint64_t hash = hash_bytes(key.data, key.size);
    uint32_t place = find_text(map, key, hash);

    if (is_new != NULL) {
        *is_new = place == MAP_NONE;
    }
    if (place != MAP_NONE) {
        return &map->entries[place].value;
    }
    assert(map->count < COUNT_MAX);
    if (map->count == map->room) {
        size_t room = map->room == 0 ? ROOM_MIN : map->room * 2;
        map->entries = (struct map_text_entry *)resize(map->index.arena, map->entries,
                                                       map->count * sizeof *map->entries,
                                                       room * sizeof *map->entries);
        map->room = room;
    }
    map_index_add(&map->index, hash, (uint32_t)map->count, map->count + 1);
    map->entries[map->count] = (struct map_text_entry){keep_key(map, key), 0, hash};
    return &map->entries[map->count++].value;
}

bool map_text_put(struct map_text *map, struct slice key, uint64_t value)
{
    bool is_new;

    *map_text_at(map, key, &is_new) = value;
    return is_new;
}

bool map_text_remove(struct map_text *map, struct slice key)
{
    uint64_t hash = hash_bytes(key.data, key.size);
    uint32_t place = find_text(map, key, hash);

    if (place == MAP_NONE) {
        return false;
    }
    uint32_t last = (uint32_t)map->count - 1;
    map_index_remove(&map->index, hash, place);
    free_key(map, map->entries[place].key);
    if (place != last) {
        map->entries[place] = map->entries[last];
        map_index_move(&map->index, map->entries[place].hash, last, place);
    }
    map->count--;
    return true;
}
