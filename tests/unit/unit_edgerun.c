#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/packed.h"
#include "common/prng.h"
#include "shardd/store/edgeplace.h"
#include "shardd/store/edgerun.h"
#include "shardd/store/indexkey.h"
#include "shardd/store/pack.h"
#include "shardd/store/vids.h"
#include "tests/lib/runner.h"

/* The packed forms: columns of integers and ids, runs, places, index keys. */

/* ---- pack ---- */

static size_t pack_trip(const int64_t *values, size_t count)
{
    int64_t back[300];
    struct bytes out;
    struct reader reader;
    size_t size;

    bytes_init(&out, 0);
    pack_encode(&out, values, count);
    /* An exact copy on the heap, so that a read past its end is found. */
    struct slice input = slice_of(malloc(out.size + 1), out.size);
    if (out.size > 0) {
        memcpy((void *)(uintptr_t)input.data, out.data, out.size);
    }
    reader_init(&reader, input);
    pack_decode(&reader, back, count);
    ck_assert(!reader.is_bad);
    ck_assert_uint_eq(reader_left(&reader), 0);
    for (size_t i = 0; i < count; i++) {
        ck_assert_int_eq(back[i], values[i]);
    }
    reader_init(&reader, input);
    pack_skip(&reader, count);
    ck_assert(!reader.is_bad);
    ck_assert_uint_eq(reader_left(&reader), 0);
    free((void *)(uintptr_t)input.data);
    size = out.size;
    bytes_close(&out);
    return size;
}

START_TEST(test_pack_edges)
{
    static const int64_t extremes[] = {INT64_MIN, INT64_MAX, 0, -1, 1, INT64_MIN, INT64_MAX};
    int64_t list[200];

    ck_assert_uint_eq(pack_trip(NULL, 0), 0);
    ck_assert_uint_eq(pack_trip((int64_t[]){7}, 1), 2);
    pack_trip(extremes, 7);
    pack_trip(extremes, 2);
    for (int i = 0; i < 200; i++) {
        list[i] = 1000000 + i;
    }
    ck_assert_uint_le(pack_trip(list, 200), 5); /* Consecutive: no bits. */
    for (int i = 0; i < 200; i++) {
        list[i] = -5;
    }
    ck_assert_uint_eq(pack_trip(list, 200), 2);
}
END_TEST

START_TEST(test_pack_random)
{
    struct prng prng;
    int64_t list[300];

    prng_init(&prng, 11);
    for (int round = 0; round < 3000; round++) {
        size_t count = 1 + prng_below(&prng, 299);
        uint64_t bits = prng_below(&prng, 65);
        bool is_sorted = prng_chance(&prng, 0.5);
        uint64_t sum = prng_next(&prng);

        for (size_t i = 0; i < count; i++) {
            uint64_t v = bits == 0 ? 0 : prng_next(&prng) >> (64 - bits);
            sum += v;
            list[i] = (int64_t)(is_sorted ? sum : v);
        }
        pack_trip(list, count);
    }
}
END_TEST

START_TEST(test_pack_damage)
{
    static const uint8_t width[] = {57, 0, 0, 0, 0, 0, 0, 0, 0, 0};
    struct reader reader;
    int64_t back[4];

    reader_init(&reader, slice_of(width, sizeof width));
    pack_decode(&reader, back, 1);
    ck_assert(reader.is_bad);
    reader_init(&reader, slice_of("\x08\x00\x01", 3));
    pack_decode(&reader, back, 4);
    ck_assert(reader.is_bad);
}
END_TEST

/* ---- vids ---- */

START_TEST(test_vids)
{
    struct vid list[] = {vid_num(-7),         vid_text(SLICE("alpha")), vid_text(SLICE("alphabet")),
                         vid_text(SLICE("")), vid_num(INT64_MIN),       vid_text(SLICE("alpine"))};
    struct arena arena = {0};
    struct vids mixed = vids_make(&arena, list, 6);
    struct vids back;
    struct reader reader;
    struct bytes out;

    ck_assert_ptr_null(mixed.nums);
    bytes_init(&out, 0);
    vids_encode(&out, &mixed, 6);
    reader_init(&reader, bytes_slice(&out));
    back = vids_decode(&reader, &arena, false, 6);
    ck_assert(!reader.is_bad);
    for (size_t i = 0; i < 6; i++) {
        struct vid at = vids_at(&back, i);
        ck_assert(vid_equal(&at, &list[i]));
    }
    reader_init(&reader, bytes_slice(&out));
    vids_skip(&reader, false, 6);
    ck_assert_uint_eq(reader_left(&reader), 0);
    /* More shared bytes than the text before has. */
    reader_init(&reader, SLICE("\x05\x03x"));
    (void)vids_decode(&reader, &arena, false, 1);
    ck_assert(reader.is_bad);
    bytes_close(&out);
    arena_close(&arena);
}
END_TEST

/* ---- runs ---- */

static struct slice packed(struct arena *arena, struct value value)
{
    struct bytes out;
    struct slice copy;

    bytes_init(&out, 0);
    packed_encode(&out, &value);
    copy = slice_of(arena_copy(arena, out.data, out.size), out.size);
    bytes_close(&out);
    return copy;
}

static void run_trip(struct arena *arena, const struct edgerun_half *halves, uint32_t count)
{
    struct bytes out;
    struct error err = {0};
    struct edgerun run;
    struct edgerun_half *back;

    bytes_init(&out, 0);
    edgerun_encode(&out, arena, halves, count);
    ck_assert_int_eq(edgerun_decode(bytes_slice(&out), EDGERUN_FAR, arena, &run, &err), E_OK);
    ck_assert_uint_eq(run.count, count);
    ck_assert_int_eq(edgerun_decode(bytes_slice(&out), EDGERUN_ALL, arena, &run, &err), E_OK);
    back = edgerun_halves(&run, arena);
    for (uint32_t i = 0; i < count; i++) {
        ck_assert(vid_equal(&back[i].far, &halves[i].far));
        ck_assert(vid_equal(&back[i].edge, &halves[i].edge));
        ck_assert_uint_eq(back[i].far_label, halves[i].far_label);
        ck_assert_uint_eq(back[i].prop_count, halves[i].prop_count);
        for (uint32_t p = 0; p < back[i].prop_count; p++) {
            bool found = false;
            for (uint32_t q = 0; q < halves[i].prop_count; q++) {
                found |= halves[i].props[q].key == back[i].props[p].key &&
                         slice_equal(halves[i].props[q].packed, back[i].props[p].packed);
            }
            ck_assert(found);
        }
        ck_assert_uint_eq(edgerun_find(&run, &halves[i].far, &halves[i].edge), i);
    }
    /* Cut anywhere, it is damaged or (in front parts) still whole, never read past its end. */
    for (size_t size = 0; size < out.size; size++) {
        ck_assert_int_eq(edgerun_decode(slice_of(out.data, size), EDGERUN_ALL, arena, &run, &err),
                         E_CORRUPT);
    }
    bytes_close(&out);
}

START_TEST(test_run)
{
    struct arena arena = {0};
    struct edgerun_half halves[40] = {0};
    struct edgerun_prop props[40][3];

    for (uint32_t i = 0; i < 40; i++) {
        halves[i].far = vid_num(i / 3 * 17);
        halves[i].edge = vid_num(1000 + i * 3);
        halves[i].far_label = 4;
    }
    run_trip(&arena, halves, 1);
    run_trip(&arena, halves, 15);
    run_trip(&arena, halves, 16);
    run_trip(&arena, halves, 40);
    halves[39].far_label = 5;
    run_trip(&arena, halves, 40);
    for (uint32_t i = 0; i < 40; i++) {
        props[i][0] = (struct edgerun_prop){7, packed(&arena, value_int((int32_t)i * 5))};
        props[i][1] = (struct edgerun_prop){8, packed(&arena, value_long(1LL << 40))};
        props[i][2] = (struct edgerun_prop){
            9, packed(&arena, i % 2 == 0 ? value_cstring("text") : value_null())};
        halves[i].props = props[i];
        halves[i].prop_count = 2;
    }
    run_trip(&arena, halves, 40);
    halves[3].prop_count = 3;
    halves[4].prop_count = 0;
    halves[5].prop_count = 3;
    run_trip(&arena, halves, 40);
    halves[20].far = vid_text(SLICE("between"));
    for (uint32_t i = 20; i < 40; i++) {
        halves[i].far = vid_text(slice_text(arena_format(&arena, "v%02u", i)));
        halves[i].edge = vid_text(slice_text(arena_format(&arena, "e%02u", i)));
    }
    run_trip(&arena, halves, 40);
    arena_close(&arena);
}
END_TEST

/* ---- places ---- */

START_TEST(test_place)
{
    struct arena arena = {0};
    struct edgeplace list[30];
    struct edgeplace_run run;
    struct bytes out;
    struct error err = {0};

    for (uint32_t i = 0; i < 30; i++) {
        list[i] = (struct edgeplace){vid_num(i * 2), vid_num(100 - i), vid_num(i % 3), 6};
    }
    list[29].source = vid_text(SLICE("text"));
    list[28].label = 7;
    bytes_init(&out, 0);
    edgeplace_encode(&out, &arena, list, 30);
    ck_assert_int_eq(edgeplace_decode(bytes_slice(&out), &arena, &run, &err), E_OK);
    ck_assert_uint_eq(run.count, 30);
    for (uint32_t i = 0; i < 30; i++) {
        struct edgeplace at = edgeplace_at(&run, i);
        ck_assert(vid_equal(&at.edge, &list[i].edge));
        ck_assert(vid_equal(&at.source, &list[i].source));
        ck_assert(vid_equal(&at.far, &list[i].far));
        ck_assert_uint_eq(at.label, list[i].label);
    }
    for (size_t size = 0; size < out.size; size++) {
        ck_assert_int_eq(edgeplace_decode(slice_of(out.data, size), &arena, &run, &err), E_CORRUPT);
    }
    bytes_close(&out);
    arena_close(&arena);
}
END_TEST

/* ---- index keys ---- */

static int order(const struct indexkey *a, const struct indexkey *b)
{
    if ((a->kind == INDEXKEY_BLOB) != (b->kind == INDEXKEY_BLOB)) {
        return a->kind == INDEXKEY_BLOB ? 1 : -1;
    }
    if (a->kind == INDEXKEY_BLOB) {
        return slice_compare(slice_of(a->bytes, a->size), slice_of(b->bytes, b->size));
    }
    long double x = a->kind == INDEXKEY_INTEGER ? (long double)a->integer : (long double)a->real;
    long double y = b->kind == INDEXKEY_INTEGER ? (long double)b->integer : (long double)b->real;
    return (x > y) - (x < y);
}

static struct indexkey key_of(struct value value)
{
    struct indexkey key;

    indexkey_make(&value, &key);
    return key;
}

/* Whatever value_compare says of two values, their keys do not say the opposite. */
START_TEST(test_indexkey_order)
{
    static const struct value_time times[] = {{.seconds = -5, .nanos = 7}, {.seconds = 3}};
    const struct value values[] = {
        value_int(-5),
        value_int(0),
        value_long(0),
        value_double(-0.0),
        value_double(0.5),
        value_float(0.5F),
        value_long(9007199254740993),
        value_double(9007199254740992.0),
        value_double(1e300),
        value_double(-1e300),
        value_long(INT64_MAX),
        value_long(INT64_MIN),
        value_cstring(""),
        value_cstring("a"),
        value_cstring("ab"),
        value_cstring("b"),
        value_cstring("\xef\xbf\xbd"),     /* U+FFFD: above surrogates in UTF-16. */
        value_cstring("\xf0\x9f\x98\x80"), /* U+1F600: D83D DE00. */
        value_cstring("\xed\x9f\xbf"),     /* U+D7FF. */
        value_bool(false),
        value_bool(true),
        value_integer(VALUE_DATE, -1),
        value_integer(VALUE_DATE, 5000),
        {.kind = VALUE_DATETIME, .time = &times[0]},
        {.kind = VALUE_DATETIME, .time = &times[1]},
    };
    size_t count = sizeof values / sizeof values[0];

    for (size_t i = 0; i < count; i++) {
        for (size_t k = 0; k < count; k++) {
            struct indexkey a = key_of(values[i]);
            struct indexkey b = key_of(values[k]);
            int wanted;

            if (value_equal(&values[i], &values[k])) {
                ck_assert_msg(indexkey_equal(&a, &b), "%zu %zu", i, k);
                ck_assert_uint_eq(indexkey_hash(&a), indexkey_hash(&b));
            }
            if (value_compare(&values[i], &values[k], &wanted) && wanted < 0) {
                ck_assert_msg(order(&a, &b) <= 0, "%zu is below %zu", i, k);
            }
        }
    }
}
END_TEST

START_TEST(test_indexkey_bounds)
{
    struct indexkey text = key_of(value_cstring("ab"));
    struct indexkey longer = key_of(value_cstring("abzzz\xf0\x9f\x98\x80"));
    struct indexkey other = key_of(value_cstring("ac"));
    struct indexkey number = key_of(value_int(3));
    struct indexkey low, high, end;

    indexkey_prefix_end(&text, &end);
    ck_assert_int_lt(order(&longer, &end), 0);
    ck_assert_int_gt(order(&other, &end), 0);
    indexkey_class_bounds(&text, &low, &high);
    ck_assert_int_lt(order(&low, &text), 0);
    ck_assert_int_gt(order(&high, &longer), 0);
    indexkey_class_bounds(&number, &low, &high);
    ck_assert_int_lt(order(&low, &number), 0);
    ck_assert_int_gt(order(&high, &number), 0);
    ck_assert_int_eq(key_of(value_double(0.0 / 0.0 * -1)).kind, INDEXKEY_NONE);
}
END_TEST

/* Stored, and compared between replicas: these numbers may never change. */
START_TEST(test_indexkey_pinned)
{
    struct indexkey seven = key_of(value_int(7));
    struct indexkey half = key_of(value_double(0.5));
    struct indexkey text = key_of(value_cstring("marko"));

    ck_assert_uint_eq(indexkey_hash(&seven) >> 48, 45460);
    ck_assert_uint_eq(indexkey_hash(&half) >> 48, 4521);
    ck_assert_uint_eq(indexkey_hash(&text) >> 48, 29052);
}
END_TEST

RUN_SUITE("edgerun", test_pack_edges, test_pack_random, test_pack_damage, test_vids, test_run,
          test_place, test_indexkey_order, test_indexkey_bounds, test_indexkey_pinned)
