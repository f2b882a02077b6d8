#include "common/text.h"

#include <math.h>
#include <string.h>

#include "common/unicode.h"
#include "tests/lib/runner.h"

static struct arena arena;

static bool same(double a, double b)
{
    return memcmp(&a, &b, sizeof a) == 0;
}

START_TEST(integers)
{
    int64_t v = 99;
    uint64_t u = 99;

    ck_assert(text_to_i64(SLICE("-9223372036854775808"), &v) && v == INT64_MIN);
    ck_assert(text_to_i64(SLICE("9223372036854775807"), &v) && v == INT64_MAX);
    ck_assert(text_to_i64(SLICE("+7"), &v) && v == 7);
    ck_assert(text_to_u64(SLICE("18446744073709551615"), &u) && u == UINT64_MAX);
    v = 99;
    static const char *const bad[] = {"",
                                      "-",
                                      "+",
                                      " 1",
                                      "1 ",
                                      "1a",
                                      "0x1",
                                      "--1",
                                      "9223372036854775808",
                                      "-9223372036854775809",
                                      "99999999999999999999"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        ck_assert_msg(!text_to_i64(slice_text(bad[i]), &v), "%s", bad[i]);
    }
    ck_assert_int_eq(v, 99);
    ck_assert(!text_to_u64(SLICE("18446744073709551616"), &u));
    ck_assert(!text_to_u64(SLICE("-1"), &u));
}
END_TEST

START_TEST(doubles)
{
    double v = 0;

    ck_assert(text_to_double(SLICE("1.5"), &v));
    ck_assert(same(v, 1.5));
    ck_assert(text_to_double(SLICE("-.5e1"), &v));
    ck_assert(same(v, -5));
    ck_assert(text_to_double(SLICE("1."), &v));
    ck_assert(text_to_double(SLICE("NaN"), &v) && isnan(v));
    ck_assert(text_to_double(SLICE("-Infinity"), &v) && isinf(v) && v < 0);
    ck_assert(text_to_double(SLICE("+Infinity"), &v) && isinf(v) && v > 0);
    ck_assert(text_to_double(SLICE("1e999"), &v) && isinf(v));
    static const char *const bad[] = {"",    ".",     "e1",  "1e", "1e+", "nan",
                                      "inf", "0x1p3", "1,5", " 1", "1f"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        ck_assert_msg(!text_to_double(slice_text(bad[i]), &v), "%s", bad[i]);
    }
}
END_TEST

START_TEST(sizes_and_spans)
{
    uint64_t v = 0;

    ck_assert(text_to_size(SLICE("64MiB"), &v) && v == 64ULL << 20);
    ck_assert(text_to_size(SLICE("5"), &v) && v == 5);
    ck_assert(text_to_size(SLICE("2KB"), &v) && v == 2000);
    ck_assert(text_to_size(SLICE("1TiB"), &v) && v == 1ULL << 40);
    ck_assert(!text_to_size(SLICE("64 MiB"), &v));
    ck_assert(!text_to_size(SLICE("MiB"), &v));
    ck_assert(!text_to_size(SLICE("1MiB2"), &v));
    ck_assert(!text_to_size(SLICE("99999999999TiB"), &v));
    ck_assert(!text_to_size(SLICE("-1"), &v));
    ck_assert(text_to_duration(SLICE("30s"), &v) && v == 30000);
    ck_assert(text_to_duration(SLICE("1h30m"), &v) && v == 5400000);
    ck_assert(text_to_duration(SLICE("250ms"), &v) && v == 250);
    ck_assert(text_to_duration(SLICE("0"), &v) && v == 0);
    ck_assert(!text_to_duration(SLICE("30"), &v));
    ck_assert(!text_to_duration(SLICE("30m1h"), &v));
    ck_assert(!text_to_duration(SLICE("1h1h"), &v));
    ck_assert(!text_to_duration(SLICE(""), &v));
    ck_assert(!text_to_duration(SLICE("999999999999999999d"), &v));
    bool b = false;
    ck_assert(text_to_bool(SLICE("true"), &b) && b);
    ck_assert(text_to_bool(SLICE("false"), &b) && !b);
    ck_assert(!text_to_bool(SLICE("True"), &b));
}
END_TEST

START_TEST(utf8)
{
    static const char *const good[] = {"",
                                       "abcdefghijklmnop",
                                       "\xc2\x80",
                                       "\xe0\xa0\x80",
                                       "\xed\x9f\xbf",
                                       "\xee\x80\x80",
                                       "\xf0\x90\x80\x80",
                                       "\xf4\x8f\xbf\xbf",
                                       "abcdefgh\xc3\xa9ijklmnopqrstu"};
    static const char *const bad[] = {"\x80",
                                      "\xc0\x80",
                                      "\xc1\xbf",
                                      "\xc2",
                                      "\xe0\x9f\xbf",
                                      "\xed\xa0\x80",
                                      "\xf0\x8f\xbf\xbf",
                                      "\xf4\x90\x80\x80",
                                      "\xf5\x80\x80\x80",
                                      "\xe2\x82",
                                      "abcdefgh\xff",
                                      "\xc3\x28",
                                      "\xff"};

    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        ck_assert(text_is_utf8(slice_text(good[i])));
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        ck_assert(!text_is_utf8(slice_text(bad[i])));
    }
}
END_TEST

START_TEST(code_points)
{
    static const uint32_t points[] = {0, 'a', 0x7f, 0x80, 0x7ff, 0x800, 0xffff, 0x10000, 0x10ffff};
    struct bytes out;
    size_t at = 0;

    bytes_init(&out, 0);
    for (size_t i = 0; i < 9; i++) {
        text_utf8_put(&out, points[i]);
    }
    ck_assert(text_is_utf8(bytes_slice(&out)));
    for (size_t i = 0; i < 9; i++) {
        ck_assert_uint_eq(text_utf8_next(bytes_slice(&out), &at), points[i]);
    }
    ck_assert_uint_eq(at, out.size);
    ck_assert_uint_eq(text_utf16_length(bytes_slice(&out)), 11);
    bytes_clear(&out);
    text_utf8_put(&out, 0xd800);
    text_utf8_put(&out, 0x110000);
    ck_assert(slice_equal(bytes_slice(&out), SLICE("\xef\xbf\xbd\xef\xbf\xbd")));
    bytes_close(&out);
    at = 0;
    ck_assert_uint_eq(text_utf8_next(SLICE("\xff"
                                           "a"),
                                     &at),
                      0xfffd);
    ck_assert_uint_eq(at, 1);
}
END_TEST

START_TEST(utf16_places)
{
    struct slice text = SLICE("a\xf0\x9f\x98\x80"
                              "b");

    ck_assert_uint_eq(text_utf16_offset(text, 0), 0);
    ck_assert_uint_eq(text_utf16_offset(text, 1), 1);
    ck_assert_uint_eq(text_utf16_offset(text, 2), 1); /* Never inside a pair. */
    ck_assert_uint_eq(text_utf16_offset(text, 3), 5);
    ck_assert_uint_eq(text_utf16_offset(text, 4), 6);
    ck_assert_uint_eq(text_utf16_offset(text, 99), 6);
}
END_TEST

START_TEST(nearest)
{
    static const char *const steps[] = {"out",      "outE",     "values",
                                        "valueMap", "hasLabel", "groupCount"};
    const size_t count = sizeof steps / sizeof steps[0];

    ck_assert_str_eq(text_nearest(SLICE("valueS"), steps, count), "values");
    ck_assert_str_eq(text_nearest(SLICE("valeus"), steps, count), "values");
    ck_assert_str_eq(text_nearest(SLICE("haslabel"), steps, count), "hasLabel");
    ck_assert_str_eq(text_nearest(SLICE("groupCnt"), steps, count), "groupCount");
    ck_assert_str_eq(text_nearest(SLICE("oute"), steps, count), "outE");
    ck_assert_ptr_null(text_nearest(SLICE("shortestPath"), steps, count));
    ck_assert_ptr_null(text_nearest(SLICE(""), steps, count));
    ck_assert(text_equal_nocase(SLICE("aBc"), SLICE("AbC")));
    ck_assert(!text_equal_nocase(SLICE("aBc"), SLICE("AbD")));
    ck_assert(!text_equal_nocase(SLICE("a"), SLICE("ab")));
}
END_TEST

START_TEST(letter_case)
{
    ck_assert(slice_equal(unicode_upper(&arena, SLICE("hello 1")), SLICE("HELLO 1")));
    ck_assert(slice_equal(unicode_upper(&arena, SLICE("stra\xc3\x9f"
                                                      "e \xef\xac\x81")),
                          SLICE("STRASSE FI")));
    ck_assert(slice_equal(unicode_lower(&arena, SLICE("HeLLo [")), SLICE("hello [")));
    /* Sigma at the end of a word: U+03C2. */
    ck_assert(
        slice_equal(unicode_lower(&arena, SLICE("\xce\x9f\xce\xa3")), SLICE("\xce\xbf\xcf\x82")));
    ck_assert_uint_eq(unicode_upper(&arena, SLICE("")).size, 0);
}
END_TEST

START_TEST(white_space)
{
    ck_assert(slice_equal(unicode_trim_left(SLICE(" \t\n\xe3\x80\x80"
                                                  "abc ")),
                          SLICE("abc ")));
    ck_assert(slice_equal(unicode_trim_right(SLICE(" abc\xe3\x80\x80 \r")), SLICE(" abc")));
    ck_assert_uint_eq(unicode_trim_left(SLICE("  ")).size, 0);
    ck_assert_uint_eq(unicode_trim_left(SLICE("\x1c\x1f\xe2\x80\x83\xe2\x80\xa8\xe1\x9a\x80")).size,
                      0);
    /* Blanks that forbid a break: U+00A0, U+2007, U+202F. */
    ck_assert_uint_eq(unicode_trim_left(SLICE("\xc2\xa0")).size, 2);
    ck_assert_uint_eq(unicode_trim_right(SLICE("\xe2\x80\x87")).size, 3);
    ck_assert_uint_eq(unicode_trim_right(SLICE("\xe2\x80\xaf")).size, 3);
    ck_assert_uint_eq(unicode_trim_right(SLICE("\xe3\x80\x80\xe3\x80\x80")).size, 0);
    ck_assert_uint_eq(unicode_trim_right((struct slice){0}).size, 0);
}
END_TEST

START_TEST(parts)
{
    struct slice text = SLICE("a\xf0\x9f\x98\x80"
                              "b");

    ck_assert(slice_equal(unicode_reverse(&arena, text), SLICE("b\xf0\x9f\x98\x80"
                                                               "a")));
    ck_assert(slice_equal(unicode_substring(text, 1, 3), SLICE("\xf0\x9f\x98\x80")));
    ck_assert(slice_equal(unicode_substring(text, 0, 99), text));
    ck_assert_uint_eq(unicode_substring(text, 3, 3).size, 0);
    ck_assert_uint_eq(unicode_substring(text, 4, 1).size, 0);
}
END_TEST

RUN_SUITE("text", integers, doubles, sizes_and_spans, utf8, code_points, utf16_places, nearest,
          letter_case, white_space, parts)
