#include "common/map.h"
#include "common/prng.h"

#include <stdio.h>

#include "tests/lib/runner.h"

START_TEST(zero_is_empty)
{
    struct map map = {0};
    struct map_text text = {0};

    ck_assert_ptr_null(map_get(&map, 7));
    ck_assert(!map_remove(&map, 7));
    ck_assert_ptr_null(map_text_get(&text, SLICE("a")));
    ck_assert(!map_text_remove(&text, SLICE("a")));
    map_close(&map);
    map_text_close(&text);
}
END_TEST

START_TEST(put_get_in_order)
{
    struct map map;

    map_init(&map, NULL);
    for (uint64_t i = 0; i < 10000; i++) {
        ck_assert(map_put(&map, i << 40, i));
    }
    for (uint64_t i = 0; i < 10000; i++) {
        ck_assert_uint_eq(*map_get(&map, i << 40), i);
        ck_assert_uint_eq(map.entries[i].key, i << 40);
    }
    ck_assert(!map_put(&map, 5ULL << 40, 77));
    ck_assert_uint_eq(*map_get(&map, 5ULL << 40), 77);
    ck_assert(!map_has(&map, 3));
    ck_assert_uint_eq(map.count, 10000);
    map_clear(&map);
    ck_assert(!map_has(&map, 0));
    ck_assert(map_put(&map, 0, 1));
    map_close(&map);
    ck_assert_ptr_null(map.entries);
}
END_TEST

/* Against an array: random puts and removals over few keys, so that holes are made and filled. */
START_TEST(model_check)
{
    struct map map;
    struct prng prng;
    uint64_t model[64] = {0};
    size_t count = 0;

    prng_init(&prng, 1);
    map_init(&map, NULL);
    for (int i = 0; i < 100000; i++) {
        uint64_t key = prng_below(&prng, 64);
        if (prng_chance(&prng, 0.5)) {
            uint64_t value = 1 + prng_below(&prng, 1000);
            ck_assert_int_eq(map_put(&map, key, value), model[key] == 0);
            count += model[key] == 0;
            model[key] = value;
        } else {
            ck_assert_int_eq(map_remove(&map, key), model[key] != 0);
            count -= model[key] != 0;
            model[key] = 0;
        }
        ck_assert_uint_eq(map.count, count);
    }
    for (uint64_t key = 0; key < 64; key++) {
        uint64_t *value = map_get(&map, key);
        ck_assert_uint_eq(value == NULL ? 0 : *value, model[key]);
    }
    ck_assert_uint_le(map.index.room, 256);
    map_close(&map);
}
END_TEST

START_TEST(text_keys)
{
    struct map_text map;
    char key[16];

    map_text_init(&map, NULL, false);
    for (int i = 0; i < 1000; i++) {
        (void)snprintf(key, sizeof key, "key-%d", i);
        ck_assert(map_text_put(&map, slice_text(key), (uint64_t)i));
    }
    ck_assert(map_text_put(&map, SLICE(""), 5));
    ck_assert_uint_eq(*map_text_get(&map, SLICE("")), 5);
    for (int i = 0; i < 1000; i += 2) {
        (void)snprintf(key, sizeof key, "key-%d", i);
        ck_assert(map_text_remove(&map, slice_text(key)));
    }
    for (int i = 0; i < 1000; i++) {
        (void)snprintf(key, sizeof key, "key-%d", i);
        uint64_t *value = map_text_get(&map, slice_text(key));
        ck_assert(i % 2 == 0 ? value == NULL : *value == (uint64_t)i);
    }
    map_text_clear(&map);
    ck_assert_ptr_null(map_text_get(&map, SLICE("key-1")));
    map_text_close(&map);
}
END_TEST

START_TEST(in_an_arena)
{
    struct arena arena;
    struct map map;
    struct map_text text;

    arena_init(&arena, 0);
    map_init(&map, &arena);
    map_text_init(&text, &arena, false);
    for (uint64_t i = 0; i < 500; i++) {
        *map_at(&map, i, NULL) += i;
        *map_text_at(&text, slice_of(&i, sizeof i), NULL) += i;
    }
    for (uint64_t i = 0; i < 500; i++) {
        ck_assert_uint_eq(*map_get(&map, i), i);
        ck_assert_uint_eq(*map_text_get(&text, slice_of(&i, sizeof i)), i);
    }
    map_close(&map);
    map_text_close(&text);
    arena_close(&arena);
}
END_TEST

RUN_SUITE("map", zero_is_empty, put_get_in_order, model_check, text_keys, in_an_arena)
