/*
 * map.h -- hash tables that remember the order of insertion.
 *
 *     index: hash -> place          entries, dense, in order of insertion
 *     [ tag|3 ][ - ][ tag|1 ] ...   [ key value ][ key value ][ key value ]
 *
 * map_index is the common half: it finds places by 32 bits of a hash and knows nothing of keys.
 * Tables with keys of their own kind (tuples, values) keep their entries in an array and use
 * map_index too. struct map has 64-bit keys, struct map_text has byte keys. Iterate by `entries[0
 * .. count)`; a removal moves the last entry into the hole, so only then the order changes.
 *
 * Pure. Ownership: all memory comes from the arena given at init (and is left there), or from the
 * heap if that is null (then close). An all-zero table is an empty one on the heap.
 * Limits: 2^31 entries.
 */
#ifndef COMMON_MAP_H
#define COMMON_MAP_H

#include "common/arena.h"
#include "common/bytes.h"
#include "common/hash.h"

#define MAP_NONE UINT32_MAX /* No place. */

/* ---- the index ---- */

struct map_index {
    struct arena *arena; /* Null: heap. */
    uint64_t *slots; /* 0: free. Else tag << 32 | (place + 1); place MAP_NONE - 1: was removed. */
    size_t room;     /* Slots, a power of two or 0. */
    size_t used;     /* Slots that are not free. */
};

struct map_probe {
    uint32_t tag;
    size_t at; /* The next slot to look at. */
};

void map_index_init(struct map_index *index, struct arena *arena);
void map_index_close(struct map_index *index);
void map_index_clear(struct map_index *index);
/* Adds one; that there is no equal key yet is the caller's business. live: places that are in use.
 * */
void map_index_add(struct map_index *index, uint64_t hash, uint32_t place, size_t live);
/* The place must be there under that hash. */
void map_index_remove(struct map_index *index, uint64_t hash, uint32_t place);
/* The entry at place from is at place to now. */
void map_index_move(struct map_index *index, uint64_t hash, uint32_t from, uint32_t to);

static inline struct map_probe map_index_probe(const struct map_index *index, uint64_t hash)
{
    uint32_t tag = (uint32_t)(hash >> 32);

    return (struct map_probe){tag, tag & (index->room - 1)};
}

/* The next place whose hash agrees in 32 bits, or MAP_NONE: the caller compares the keys. */
static inline uint32_t map_index_next(const struct map_index *index, struct map_probe *probe)
{
    if (index->room == 0) {
        return MAP_NONE;
    }
    for (;;) {
        uint64_t slot = index->slots[probe->at];
        if (slot == 0) {
            return MAP_NONE;
        }
        probe->at = (probe->at + 1) & (index->room - 1);
        if ((uint32_t)(slot >> 32) == probe->tag && (uint32_t)slot != MAP_NONE) {
            return (uint32_t)slot - 1;
        }
    }
}

/* ---- 64-bit keys ---- */

struct map_entry {
    uint64_t key;
    uint64_t value;
};

struct map {
    struct map_index index;
    struct map_entry *entries;
    size_t count;
    size_t room; /* Entries allocated. */
};

void map_init(struct map *map, struct arena *arena);
void map_close(struct map *map);
void map_clear(struct map *map);
/* Room for count entries in all, so that no growth follows. */
void map_reserve(struct map *map, size_t count);
/* The value of a key, made 0 if it was not there; is_new (may be null) says so. Valid until the
 * next change of the table. */
uint64_t *map_at(struct map *map, uint64_t key, bool *is_new);
/* Sets; returns true if the key is new. */
bool map_put(struct map *map, uint64_t key, uint64_t value);
bool map_remove(struct map *map, uint64_t key);

/* Null if the key is not there. */
static inline uint64_t *map_get(const struct map *map, uint64_t key)
{
    struct map_probe probe = map_index_probe(&map->index, hash_mix(key));
    uint32_t place;

    while ((place = map_index_next(&map->index, &probe)) != MAP_NONE) {
        if (map->entries[place].key == key) {
            return &map->entries[place].value;
        }
    }
    return NULL;
}

static inline bool map_has(const struct map *map, uint64_t key)
{
    return map_get(map, key) != NULL;
}

/* ---- byte keys ---- */

struct map_text_entry {
    struct slice key;
    uint64_t value;
    uint64_t hash;
};

struct map_text {
    struct map_index index;
    struct map_text_entry *entries;
    size_t count;
    size_t room;
    bool is_borrowing; /* Keys are not copied: they outlive the table. */
};

/* is_borrowing: keeps the keys' memory instead of copying it. */
void map_text_init(struct map_text *map, struct arena *arena, bool is_borrowing);
void map_text_close(struct map_text *map);
void map_text_clear(struct map_text *map);
/* Null if the key is not there. */
uint64_t *map_text_get(const struct map_text *map, struct slice key);
uint64_t *map_text_at(struct map_text *map, struct slice key, bool *is_new);
bool map_text_put(struct map_text *map, struct slice key, uint64_t value);
bool map_text_remove(struct map_text *map, struct slice key);

#endif
