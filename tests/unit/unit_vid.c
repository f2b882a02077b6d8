#include "common/vid.h"

#include <string.h>

#include "tests/lib/runner.h"

static struct arena arena;

static const int64_t numbers[] = {
    INT64_MIN, INT64_MIN / 2 - 1, INT64_MIN / 2,     -129,     -1, 0, 1, 63, 64,
    1LL << 53, INT64_MAX / 2,     INT64_MAX / 2 + 1, INT64_MAX};
static const char *const texts[] = {"", "\x01", "a", "ab", "a\x7f", "b", "z\xc3\xa9"};

enum { NUMBERS = sizeof numbers / sizeof numbers[0], TEXTS = sizeof texts / sizeof texts[0] };

/* All of them, in order. */
static struct vid nth(size_t i)
{
    return i < NUMBERS ? vid_num(numbers[i]) : vid_text(slice_text(texts[i - NUMBERS]));
}

START_TEST(encode_decode)
{
    struct bytes out;
    struct reader reader;

    bytes_init(&out, 0);
    for (size_t i = 0; i < NUMBERS + TEXTS; i++) {
        struct vid vid = nth(i);
        vid_encode(&out, &vid);
    }
    reader_init(&reader, bytes_slice(&out));
    for (size_t i = 0; i < NUMBERS + TEXTS; i++) {
        struct vid vid = nth(i);
        struct vid back = vid_decode(&reader);
        ck_assert(vid_equal(&vid, &back));
        ck_assert_uint_eq(vid_hash(&vid), vid_hash(&back));
    }
    ck_assert_int_eq(reader_finish(&reader, "ids", NULL), E_OK);
    bytes_close(&out);
}
END_TEST

START_TEST(keys_order_as_ids)
{
    struct bytes keys[NUMBERS + TEXTS];

    for (size_t i = 0; i < NUMBERS + TEXTS; i++) {
        struct vid vid = nth(i);
        struct vid back;
        bytes_init(&keys[i], 0);
        vid_key(&keys[i], &vid);
        ck_assert(vid_from_key(bytes_slice(&keys[i]), &back));
        ck_assert(vid_equal(&vid, &back));
    }
    for (size_t i = 0; i < NUMBERS + TEXTS; i++) {
        for (size_t j = 0; j < NUMBERS + TEXTS; j++) {
            struct vid a = nth(i);
            struct vid b = nth(j);
            int order = slice_compare(bytes_slice(&keys[i]), bytes_slice(&keys[j]));
            ck_assert_int_eq((order > 0) - (order < 0), (i > j) - (i < j));
            order = vid_order(&a, &b);
            ck_assert_int_eq((order > 0) - (order < 0), (i > j) - (i < j));
            ck_assert_int_eq(vid_equal(&a, &b), i == j);
        }
    }
    for (size_t i = 0; i < NUMBERS + TEXTS; i++) {
        bytes_close(&keys[i]);
    }
}
END_TEST

START_TEST(golden)
{
    struct bytes out;
    struct vid minus_one = vid_num(-1);
    struct vid text = vid_text(SLICE("ab"));

    bytes_init(&out, 0);
    vid_encode(&out, &minus_one);
    vid_encode(&out, &text);
    vid_key(&out, &minus_one);
    vid_key(&out, &text);
    ck_assert(slice_equal(bytes_slice(&out), SLICE("\x02\x05"
                                                   "ab\x01\x7f\xff\xff\xff\xff\xff\xff\xff\x02"
                                                   "ab")));
    bytes_close(&out);
}
END_TEST

static bool is_bad(struct slice input)
{
    struct reader reader;

    reader_init(&reader, input);
    (void)vid_decode(&reader);
    return reader.is_bad;
}

START_TEST(bad_bytes)
{
    struct vid vid;

    ck_assert(is_bad(SLICE("")));
    ck_assert(is_bad(SLICE("\x05"
                           "a")));
    ck_assert(is_bad(SLICE("\x83\x10"))); /* 1,025 bytes of text. */
    ck_assert(
        is_bad(SLICE("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01\x00\x00\x00\x00\x00\x00\x00\x01")));
    ck_assert(!vid_from_key(SLICE(""), &vid));
    ck_assert(!vid_from_key(SLICE("\x03"), &vid));
    ck_assert(!vid_from_key(SLICE("\x01\x00"), &vid));
    ck_assert(vid_from_key(SLICE("\x02"), &vid));
    ck_assert_ptr_nonnull(vid.text.data);
}
END_TEST

static bool accepts(struct value value, struct vid *out)
{
    return vid_from_value(&arena, &value, out);
}

START_TEST(from_values)
{
    static const uint8_t uuid[16] = {0x41, 0xd2, 0xe2, 0x8a, 0x20, 0xa4, 0x4a, 0xb0,
                                     0xb3, 0x79, 0xd8, 0x10, 0xde, 0xde, 0x37, 0x86};
    static char long_text[VID_TEXT_MAX + 1];
    struct vid vid;

    ck_assert(accepts(value_int(7), &vid) && vid.num == 7 && vid.text.data == NULL);
    ck_assert(accepts(value_double(7.0), &vid) && vid.num == 7);
    ck_assert(accepts(value_integer(VALUE_BYTE, -7), &vid) && vid.num == -7);
    ck_assert(!accepts(value_double(7.5), &vid));
    ck_assert(!accepts(value_double(1e30), &vid));
    ck_assert(!accepts(value_null(), &vid));
    ck_assert(!accepts(value_bool(true), &vid));
    ck_assert(accepts(value_cstring("7"), &vid) && slice_equal(vid.text, SLICE("7")));
    ck_assert(accepts((struct value){.kind = VALUE_UUID, .size = 16, .bytes = uuid}, &vid));
    ck_assert(slice_equal(vid.text, SLICE("41d2e28a-20a4-4ab0-b379-d810dede3786")));
    memset(long_text, 'x', sizeof long_text);
    ck_assert(accepts(value_string(slice_of(long_text, VID_TEXT_MAX)), &vid));
    ck_assert(!accepts(value_string(slice_of(long_text, VID_TEXT_MAX + 1)), &vid));
    struct vid copy = vid_copy(&arena, &(struct vid){.text = SLICE("abc")});
    ck_assert(slice_equal(copy.text, SLICE("abc")));
}
END_TEST

/* Stored by nobody, but told to clients, who may keep it: pinned. */
START_TEST(ids_of_properties_stay)
{
    struct vid num = vid_num(1);
    struct vid text = vid_text(SLICE("one"));
    int64_t id = vid_property(&num, SLICE("name"), 0);

    ck_assert_int_eq(id, 2182169060926258);
    ck_assert_int_eq(vid_property(&num, SLICE("name"), 0), id);
    ck_assert_int_ne(vid_property(&num, SLICE("name"), 1), id);
    ck_assert_int_ne(vid_property(&num, SLICE("age"), 0), id);
    ck_assert_int_ne(vid_property(&text, SLICE("name"), 0), id);
}
END_TEST

RUN_SUITE("vid", ids_of_properties_stay, encode_decode, keys_order_as_ids, golden, bad_bytes,
          from_values)
