#include "common/heap.h"

#include "common/prng.h"
#include "tests/lib/runner.h"

START_TEST(sorts)
{
    struct heap heap = {0};
    struct heap_entry entry = {0};
    struct prng prng;
    uint64_t last = 0;

    prng_init(&prng, 7);
    ck_assert(!heap_pop(&heap, &entry));
    ck_assert_ptr_null(heap_top(&heap));
    for (int i = 0; i < 2000; i++) {
        uint64_t key = prng_below(&prng, 500);
        heap_push(&heap, key, key * 3);
    }
    for (int i = 0; i < 2000; i++) {
        ck_assert_uint_eq(heap_top(&heap)->key, heap.entries[0].key);
        ck_assert(heap_pop(&heap, &entry));
        ck_assert_uint_ge(entry.key, last);
        ck_assert_uint_eq(entry.value, entry.key * 3);
        last = entry.key;
    }
    ck_assert_uint_eq(heap.count, 0);
    heap_close(&heap);
}
END_TEST

START_TEST(removes)
{
    struct heap heap = {0};
    struct heap_entry entry;
    uint64_t last = 0;

    for (uint64_t i = 0; i < 100; i++) {
        heap_push(&heap, i * 37 % 101, i);
    }
    for (uint64_t i = 0; i < 100; i += 3) {
        ck_assert(heap_remove(&heap, i));
    }
    ck_assert(!heap_remove(&heap, 0));
    ck_assert_uint_eq(heap.count, 66);
    while (heap_pop(&heap, &entry)) {
        ck_assert_uint_ge(entry.key, last);
        ck_assert_uint_ne(entry.value % 3, 0);
        last = entry.key;
    }
    heap_close(&heap);
    heap_close(&heap);
}
END_TEST

RUN_SUITE("heap", sorts, removes)
