#include "common/bytes.h"

#include "common/arena.h"
#include "common/mem.h"
#include "common/reader.h"

#include <math.h>
#include <string.h>

#include "tests/lib/runner.h"

START_TEST(golden)
{
    struct bytes b;
    static const uint8_t expected[] = {1,    0,    2,    0, 0, 0,    3,    0,   0,   0,   0,  0, 0,
                                       0,    4,    0xac, 2, 3, 0x3f, 0xf0, 0,   0,   0,   0,  0, 0,
                                       0x3f, 0x80, 0,    0, 3, 'a',  'b',  'c', 'n', '=', '5'};

    bytes_init(&b, 0);
    bytes_u8(&b, 1);
    bytes_u16(&b, 2);
    bytes_u32(&b, 0);
    bytes_patch_u32(&b, 3, 3);
    bytes_u64(&b, 4);
    bytes_varint(&b, 300);
    bytes_zigzag(&b, -2);
    bytes_double(&b, 1.0);
    bytes_float(&b, 1.0F);
    bytes_blob(&b, SLICE("abc"));
    bytes_format(&b, "n=%d", 5);
    ck_assert(slice_equal(bytes_slice(&b), slice_of(expected, sizeof expected)));
    bytes_close(&b);
}
END_TEST

START_TEST(round_trip)
{
    static const uint64_t numbers[] = {0, 1, 127, 128, 16383, 16384, UINT32_MAX, UINT64_MAX};
    static const int64_t signed_numbers[] = {0, -1, 1, INT64_MIN, INT64_MAX};
    struct bytes b;
    struct reader r;

    bytes_init(&b, 0);
    for (size_t i = 0; i < 8; i++) {
        bytes_varint(&b, numbers[i]);
        bytes_u64(&b, numbers[i]);
    }
    for (size_t i = 0; i < 5; i++) {
        bytes_zigzag(&b, signed_numbers[i]);
    }
    bytes_double(&b, (double)NAN);
    bytes_float(&b, -0.0F);
    bytes_blob(&b, SLICE(""));
    bytes_u8(&b, 255);
    bytes_u16(&b, 65535);
    bytes_u32(&b, UINT32_MAX);
    reader_init(&r, bytes_slice(&b));
    for (size_t i = 0; i < 8; i++) {
        ck_assert_uint_eq(reader_varint(&r), numbers[i]);
        ck_assert_uint_eq(reader_u64(&r), numbers[i]);
    }
    for (size_t i = 0; i < 5; i++) {
        ck_assert_int_eq(reader_zigzag(&r), signed_numbers[i]);
    }
    ck_assert(isnan(reader_double(&r)));
    ck_assert(signbit((double)reader_float(&r)));
    ck_assert_uint_eq(reader_blob(&r).size, 0);
    ck_assert_uint_eq(reader_u8(&r), 255);
    ck_assert_uint_eq(reader_u16(&r), 65535);
    ck_assert_uint_eq(reader_u32(&r), UINT32_MAX);
    ck_assert_int_eq(reader_finish(&r, "test", NULL), E_OK);
    bytes_close(&b);
}
END_TEST

static bool varint_is_bad(const char *text, size_t size)
{
    struct reader r;

    reader_init(&r, slice_of(text, size));
    (void)reader_varint(&r);
    return r.is_bad;
}

START_TEST(bad_varints)
{
    ck_assert(varint_is_bad("", 0));
    ck_assert(varint_is_bad("\x80", 1));
    ck_assert(varint_is_bad("\x80\x00", 2));
    ck_assert(varint_is_bad("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02", 10));
    ck_assert(varint_is_bad("\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 11));
    ck_assert(!varint_is_bad("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 10));
    ck_assert(!varint_is_bad("\x00", 1));
}
END_TEST

START_TEST(reader_is_sticky)
{
    struct reader r;
    struct error err = {0};

    reader_init(&r, SLICE("\x01\x02\x03"));
    ck_assert_uint_eq(reader_u16(&r), 0x0102);
    ck_assert_uint_eq(reader_u16(&r), 0);
    ck_assert_uint_eq(reader_u8(&r), 0);
    ck_assert_ptr_null(reader_take(&r, 1).data);
    ck_assert_int_eq(reader_finish(&r, "thing", &err), E_MALFORMED);
    ck_assert_str_eq(err.text, "thing: bad or cut short at byte 2");
    reader_init(&r, SLICE("\x01\x02\x03"));
    (void)reader_u8(&r);
    ck_assert_int_eq(reader_finish(&r, "thing", &err), E_MALFORMED);
    ck_assert_str_eq(err.text, "thing: 2 bytes too many at byte 1");
    reader_init(&r, (struct slice){0});
    ck_assert_int_eq(reader_finish(&r, "nothing", &err), E_OK);
}
END_TEST

START_TEST(counts_are_bounded)
{
    struct reader r;

    reader_init(&r, SLICE("\x04"
                          "abcdefgh"));
    ck_assert_uint_eq(reader_count(&r, 2), 4);
    reader_init(&r, SLICE("\x05"
                          "abcdefgh"));
    ck_assert_uint_eq(reader_count(&r, 2), 0);
    ck_assert(r.is_bad);
}
END_TEST

START_TEST(overflow_is_sticky)
{
    struct bytes b;

    bytes_init(&b, 5);
    bytes_u32(&b, 1);
    bytes_u16(&b, 1);
    ck_assert(b.is_overflown);
    bytes_u8(&b, 1);
    ck_assert_uint_eq(b.size, 4);
    ck_assert_ptr_null(bytes_extend(&b, 0));
    bytes_clear(&b);
    bytes_u8(&b, 1);
    ck_assert(!b.is_overflown);
    ck_assert_ptr_nonnull(bytes_extend(&b, 0));
    bytes_close(&b);
}
END_TEST

START_TEST(slices)
{
    ck_assert_int_lt(slice_compare(SLICE("a"), SLICE("ab")), 0);
    ck_assert_int_gt(slice_compare(SLICE("b"), SLICE("ab")), 0);
    ck_assert_int_lt(slice_compare(SLICE("a"), SLICE("\x80")), 0);
    ck_assert_int_eq(slice_compare(SLICE(""), (struct slice){0}), 0);
    ck_assert(slice_equal(SLICE(""), (struct slice){0}));
    ck_assert(!slice_equal(SLICE("a"), SLICE("b")));
    ck_assert(slice_equal(slice_text("abc"), SLICE("abc")));
}
END_TEST

START_TEST(long_format)
{
    struct bytes b;

    bytes_init(&b, 0);
    bytes_format(&b, "%0*d", 1000, 7);
    ck_assert_uint_eq(b.size, 1000);
    ck_assert_int_eq(b.data[999], '7');
    bytes_close(&b);
}
END_TEST

START_TEST(arena_aligns_and_limits)
{
    struct arena arena;

    arena_init(&arena, 1000);
    for (size_t i = 0; i < 40; i++) {
        uint8_t *at = (uint8_t *)arena_alloc(&arena, i);
        ck_assert_uint_eq((uintptr_t)at % 16, 0);
        memset(at, 0xff, i);
    }
    ck_assert(arena.is_exceeded);
    arena_reset(&arena);
    ck_assert(!arena.is_exceeded);
    ck_assert_uint_eq(arena.used_bytes, 0);
    ck_assert_uint_eq(arena.limit_bytes, 1000);
    ck_assert_uint_eq(*(uint64_t *)arena_array(&arena, 4, 8), 0);
    ck_assert_str_eq(arena_format(&arena, "%s-%d", "x", 4), "x-4");
    ck_assert_mem_eq(arena_copy(&arena, "abc", 3), "abc", 3);
    arena_close(&arena);
    arena_close(&arena);
    ck_assert_ptr_null(arena.blocks);
}
END_TEST

START_TEST(arena_large)
{
    struct arena arena = {0};
    uint8_t *first = (uint8_t *)arena_alloc(&arena, 3 << 20);
    uint8_t *small = (uint8_t *)arena_alloc(&arena, 100);
    uint8_t *second = (uint8_t *)arena_alloc(&arena, 3 << 20);

    memset(first, 1, 3 << 20);
    memset(small, 2, 100);
    memset(second, 3, 3 << 20);
    for (int i = 0; i < 1000; i++) {
        memset(arena_alloc(&arena, 5000), 4, 5000);
    }
    ck_assert_int_eq(first[(3 << 20) - 1], 1);
    ck_assert_int_eq(small[99], 2);
    arena_reset(&arena);
    ck_assert_uint_le(arena.left_bytes, 1 << 20);
    ck_assert_uint_gt(arena.left_bytes, 0);
    arena_close(&arena);
}
END_TEST

/* Blocks of all sizes and large ones between them: what came before the mark stays. */
START_TEST(an_arena_goes_back_to_a_mark)
{
    struct arena arena = {0};
    struct arena_mark empty = arena_mark(&arena);
    uint8_t *kept[40];

    for (size_t i = 0; i < 40; i++) {
        struct arena_mark mark;
        size_t size = i % 4 == 0 ? (size_t)700 << 10 : 3000 * i;
        kept[i] = (uint8_t *)arena_alloc(&arena, size + 1);
        memset(kept[i], (int)i, size + 1);
        mark = arena_mark(&arena);
        for (size_t k = 0; k < 10 + i; k++) {
            size_t more = k % 3 == 0 ? (size_t)300 << 10 : 5000;
            memset(arena_alloc(&arena, more), 0xee, more);
        }
        arena_release(&arena, &mark);
        ck_assert_uint_eq(arena.used_bytes, mark.used_bytes);
        for (size_t k = 0; k <= i; k++) {
            ck_assert_uint_eq(kept[k][0], k);
            ck_assert_uint_eq(kept[k][k % 4 == 0 ? (size_t)700 << 10 : 3000 * k], k);
        }
    }
    arena_release(&arena, &empty);
    ck_assert_uint_eq(arena.used_bytes, 0);
    ck_assert_ptr_null(arena.blocks);
    memset(arena_alloc(&arena, 100), 1, 100);
    arena_close(&arena);
}
END_TEST

START_TEST(an_arena_that_goes_back_is_below_its_limit_again)
{
    struct arena arena;

    arena_init(&arena, 10000);
    (void)arena_alloc(&arena, 5000);
    struct arena_mark mark = arena_mark(&arena);
    (void)arena_alloc(&arena, 6000);
    ck_assert(arena.is_exceeded);
    arena_release(&arena, &mark);
    ck_assert(!arena.is_exceeded);
    arena_close(&arena);
}
END_TEST

START_TEST(memory)
{
    char *text = mem_text("abc");
    uint32_t *numbers = (uint32_t *)mem_array(4, sizeof *numbers);

    ck_assert_str_eq(text, "abc");
    ck_assert_uint_eq(numbers[3], 0);
    ck_assert_ptr_null(mem_alloc(0));
    ck_assert_ptr_null(mem_copy(NULL, 0));
    numbers = (uint32_t *)mem_resize(numbers, 0);
    ck_assert_ptr_null(numbers);
    mem_free(text);
    mem_free(NULL);
}
END_TEST

RUN_SUITE("bytes", golden, round_trip, bad_varints, reader_is_sticky, counts_are_bounded,
          overflow_is_sticky, slices, long_format, arena_aligns_and_limits, arena_large,
          an_arena_goes_back_to_a_mark, an_arena_that_goes_back_is_below_its_limit_again, memory)
