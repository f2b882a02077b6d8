#include "common/number.h"

#include <float.h>
#include <math.h>
#include <string.h>

#include "common/number_exact.h"
#include "common/number_shortest.h"
#include "tests/lib/runner.h"

static struct arena arena;

static bool same(double a, double b)
{
    return memcmp(&a, &b, sizeof a) == 0;
}

static struct value big(const char *text)
{
    struct value v;

    ck_assert_msg(number_parse_bigint(&arena, slice_text(text), 10, &v), "%s", text);
    return v;
}

static struct value dec(const char *text)
{
    struct value v;

    ck_assert_msg(number_parse_decimal(&arena, slice_text(text), &v), "%s", text);
    return v;
}

static struct value byte(int64_t v)
{
    return value_integer(VALUE_BYTE, v);
}

static struct value sho(int64_t v)
{
    return value_integer(VALUE_SHORT, v);
}

static const char *text_of(struct value v)
{
    struct bytes out;
    const char *text;

    bytes_init(&out, 0);
    number_print(&out, &v);
    text = arena_format(&arena, "%.*s", (int)out.size, (const char *)out.data);
    bytes_close(&out);
    return text;
}

static void expect(struct value v, enum value_kind kind, const char *text)
{
    ck_assert_str_eq(text_of(v), text);
    ck_assert_str_eq(value_kind_name((enum value_kind)v.kind), value_kind_name(kind));
}

static struct value apply(enum number_op op, struct value a, struct value b)
{
    struct value out;
    struct error err = {0};

    ck_assert_msg(number_apply(&arena, op, &a, &b, &out, &err) == E_OK, "%s", err.text);
    return out;
}

static const char *apply_fails(enum number_op op, struct value a, struct value b)
{
    static struct error err;
    struct value out;

    err = (struct error){0};
    ck_assert_int_eq(number_apply(&arena, op, &a, &b, &out, &err), E_EVALUATION);
    return err.text;
}

START_TEST(doubles_print_as_in_java)
{
    static const struct {
        double v;
        const char *text;
    } cases[] = {
        {0, "0.0"},
        {-0.0, "-0.0"},
        {1, "1.0"},
        {-1.5, "-1.5"},
        {0.5, "0.5"},
        {0.1, "0.1"},
        {100, "100.0"},
        {0.001, "0.001"},
        {0.002, "0.002"},
        {0.00099, "9.9E-4"},
        {9999999, "9999999.0"},
        {1e7, "1.0E7"},
        {1.25e7, "1.25E7"},
        {1e10, "1.0E10"},
        {123456.789, "123456.789"},
        {1234567.125, "1234567.125"},
        {12345678.125, "1.2345678125E7"},
        {1.0 / 3, "0.3333333333333333"},
        {2.0 / 3, "0.6666666666666666"},
        {1e21, "1.0E21"},
        {1e23, "1.0E23"},
        {2e23, "2.0E23"},
        {9007199254740993.0, "9.007199254740992E15"},
        {DBL_MAX, "1.7976931348623157E308"},
        {DBL_MIN, "2.2250738585072014E-308"},
        {4.9406564584124654e-324, "4.9E-324"},
        {1e-323, "9.9E-324"},
        {0.1 + 0.2, "0.30000000000000004"},
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        ck_assert_str_eq(text_of(value_double(cases[i].v)), cases[i].text);
    }
    ck_assert_str_eq(text_of(value_double((double)NAN)), "NaN");
    ck_assert_str_eq(text_of(value_double((double)INFINITY)), "Infinity");
    ck_assert_str_eq(text_of(value_double(-(double)INFINITY)), "-Infinity");
}
END_TEST

START_TEST(floats_print_as_in_java)
{
    ck_assert_str_eq(text_of(value_float(0.1F)), "0.1");
    ck_assert_str_eq(text_of(value_float(0.5F)), "0.5");
    ck_assert_str_eq(text_of(value_float(16777216.0F)), "1.6777216E7");
    ck_assert_str_eq(text_of(value_float(3.14159274F)), "3.1415927");
    ck_assert_str_eq(text_of(value_float(1e10F)), "1.0E10");
    ck_assert_str_eq(text_of(value_float(FLT_MAX)), "3.4028235E38");
    ck_assert_str_eq(text_of(value_float(1.4e-45F)), "1.4E-45");
}
END_TEST

START_TEST(decimals_print_as_in_java)
{
    static const char *const pairs[][2] = {
        {"0", "0"},
        {"1.50", "1.50"},
        {"-0.001", "-0.001"},
        {"1e3", "1E+3"},
        {"12e3", "1.2E+4"},
        {"0.000001", "0.000001"},
        {"0.0000001", "1E-7"},
        {"123e-9", "1.23E-7"},
        {"+5", "5"},
        {".5", "0.5"},
        {"5.", "5"},
        {"0.00", "0.00"},
        {"0e-8", "0E-8"},
        {"1E+1000000000", "1E+1000000000"},
    };

    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
        ck_assert_str_eq(text_of(dec(pairs[i][0])), pairs[i][1]);
    }
}
END_TEST

START_TEST(parsing_refuses)
{
    static const char *const bad[] = {"",    "-",     "+",   ".",  "1e",  "1e+",
                                      "e5",  "1.2.3", " 1",  "1 ", "0x1", "1e99999999999",
                                      "--1", "1-",    "NaN", "1_0"};
    struct value v;

    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        ck_assert_msg(!number_parse_decimal(&arena, slice_text(bad[i]), &v), "%s", bad[i]);
        ck_assert_msg(!number_parse_bigint(&arena, slice_text(bad[i]), 10, &v), "%s", bad[i]);
    }
    ck_assert(!number_parse_bigint(&arena, slice_text("8"), 8, &v));
    ck_assert(number_parse_bigint(&arena, slice_text("-fF"), 16, &v));
    expect(v, VALUE_BIGINT, "-255");
    char *huge = (char *)arena_alloc(&arena, 100002);
    memset(huge, '9', 100001);
    huge[100001] = 0;
    ck_assert(!number_parse_bigint(&arena, slice_text(huge), 10, &v));
    ck_assert(!number_parse_decimal(&arena, slice_text(huge), &v));
}
END_TEST

/* The bytes are those of java.math.BigInteger.toByteArray(). */
START_TEST(bigints_have_javas_bytes)
{
    static const struct {
        const char *text;
        const char *bytes;
        size_t size;
    } cases[] = {
        {"0", "\x00", 1},          {"1", "\x01", 1},        {"127", "\x7f", 1},
        {"128", "\x00\x80", 2},    {"255", "\x00\xff", 2},  {"256", "\x01\x00", 2},
        {"-1", "\xff", 1},         {"-128", "\x80", 1},     {"-129", "\xff\x7f", 2},
        {"-255", "\xff\x01", 2},   {"-256", "\xff\x00", 2}, {"-257", "\xfe\xff", 2},
        {"-32768", "\x80\x00", 2},
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct value v = big(cases[i].text);
        ck_assert_uint_eq(v.big->size, cases[i].size);
        ck_assert_mem_eq(v.big->bytes, cases[i].bytes, cases[i].size);
        expect(v, VALUE_BIGINT, cases[i].text);
    }
}
END_TEST

START_TEST(integers_promote)
{
    expect(apply(NUMBER_ADD, byte(1), byte(2)), VALUE_BYTE, "3");
    expect(apply(NUMBER_ADD, byte(127), byte(1)), VALUE_SHORT, "128");
    expect(apply(NUMBER_ADD, byte(-128), byte(-1)), VALUE_SHORT, "-129");
    expect(apply(NUMBER_ADD, sho(32767), sho(1)), VALUE_INT, "32768");
    expect(apply(NUMBER_MUL, byte(127), byte(127)), VALUE_SHORT, "16129");
    expect(apply(NUMBER_MUL, sho(32767), sho(32767)), VALUE_INT, "1073676289");
    expect(apply(NUMBER_ADD, value_int(INT32_MAX), value_int(1)), VALUE_LONG, "2147483648");
    expect(apply(NUMBER_SUB, value_int(INT32_MIN), value_int(1)), VALUE_LONG, "-2147483649");
    expect(apply(NUMBER_DIV, byte(-128), byte(-1)), VALUE_SHORT, "128");
    expect(apply(NUMBER_DIV, value_int(7), value_int(2)), VALUE_INT, "3");
    expect(apply(NUMBER_DIV, value_int(-7), value_int(2)), VALUE_INT, "-3");
    expect(apply(NUMBER_ADD, byte(1), value_long(1)), VALUE_LONG, "2");
    ck_assert_str_eq(apply_fails(NUMBER_ADD, value_long(INT64_MAX), value_int(1)), "long overflow");
    ck_assert_str_eq(apply_fails(NUMBER_DIV, value_long(INT64_MIN), value_long(-1)),
                     "long overflow");
    ck_assert_str_eq(apply_fails(NUMBER_DIV, value_int(1), value_int(0)), "/ by zero");
}
END_TEST

START_TEST(classes_join)
{
    expect(apply(NUMBER_ADD, value_int(1), value_float(0.5F)), VALUE_FLOAT, "1.5");
    expect(apply(NUMBER_ADD, value_long(1), value_float(0.5F)), VALUE_DOUBLE, "1.5");
    expect(apply(NUMBER_ADD, value_int(1), value_double(0.5)), VALUE_DOUBLE, "1.5");
    expect(apply(NUMBER_ADD, big("1"), value_float(0.5F)), VALUE_DECIMAL, "1.5");
    expect(apply(NUMBER_ADD, big("1"), value_int(1)), VALUE_BIGINT, "2");
    expect(apply(NUMBER_ADD, dec("1.10"), value_int(1)), VALUE_DECIMAL, "2.10");
    expect(apply(NUMBER_ADD, value_float(FLT_MAX), value_float(FLT_MAX)), VALUE_DOUBLE,
           "6.805646932770577E38");
    expect(apply(NUMBER_ADD, value_float((float)INFINITY), value_float(1)), VALUE_FLOAT,
           "Infinity");
    expect(apply(NUMBER_MUL, value_double(1e300), value_double(1e300)), VALUE_DOUBLE, "Infinity");
    expect(apply(NUMBER_DIV, value_double(1), value_int(0)), VALUE_DOUBLE, "Infinity");
    expect(apply(NUMBER_ADD, dec("1"), value_double((double)NAN)), VALUE_DOUBLE, "NaN");
    expect(apply(NUMBER_SUB, big("9223372036854775807"), value_int(-1)), VALUE_BIGINT,
           "9223372036854775808");
}
END_TEST

START_TEST(decimals_compute_as_in_java)
{
    expect(apply(NUMBER_SUB, dec("1.00"), dec("0.1")), VALUE_DECIMAL, "0.90");
    expect(apply(NUMBER_MUL, dec("1.10"), dec("2.0")), VALUE_DECIMAL, "2.200");
    expect(apply(NUMBER_DIV, dec("1"), dec("8")), VALUE_DECIMAL, "0.125");
    expect(apply(NUMBER_DIV, dec("1.00"), dec("4")), VALUE_DECIMAL, "0.25");
    expect(apply(NUMBER_DIV, dec("6.000"), dec("3.0")), VALUE_DECIMAL, "2.00");
    expect(apply(NUMBER_DIV, dec("1"), dec("3")), VALUE_DECIMAL, "0.3333333333");
    expect(apply(NUMBER_DIV, dec("2"), dec("3")), VALUE_DECIMAL, "0.6666666667");
    expect(apply(NUMBER_DIV, dec("-2"), dec("3")), VALUE_DECIMAL, "-0.6666666667");
    expect(apply(NUMBER_DIV, dec("100"), dec("7")), VALUE_DECIMAL, "14.2857142857");
    expect(apply(NUMBER_DIV, dec("0"), dec("7")), VALUE_DECIMAL, "0");
    expect(apply(NUMBER_DIV, big("7"), big("-2")), VALUE_BIGINT, "-3");
    expect(apply(NUMBER_MUL, big("123456789012345678901234567890"), big("-10")), VALUE_BIGINT,
           "-1234567890123456789012345678900");
    ck_assert_str_eq(apply_fails(NUMBER_DIV, dec("1"), dec("0.0")), "Division by zero");
    ck_assert_str_eq(apply_fails(NUMBER_DIV, big("1"), big("0")), "Division by zero");
}
END_TEST

/* What would take the memory of the machine is refused. */
START_TEST(bombs)
{
    struct value v;

    apply_fails(NUMBER_ADD, dec("1e1000000000"), dec("1"));
    apply_fails(NUMBER_MUL, dec("1e-2147483647"), dec("1e-2"));
    struct value huge = dec("1e1000000000");
    struct value tiny = dec("1e-1000000000");
    struct value one = value_int(1);
    int64_t fits;
    ck_assert_int_gt(number_order(&huge, &one), 0);
    ck_assert_int_lt(number_order(&tiny, &one), 0);
    ck_assert_int_gt(number_order(&huge, &tiny), 0);
    ck_assert(!number_int64(&huge, &fits));
    ck_assert(!number_int64(&tiny, &fits));
    ck_assert_int_eq(number_convert(&arena, VALUE_BIGINT, &huge, &v, NULL), E_EVALUATION);
    ck_assert_int_eq(number_convert(&arena, VALUE_BIGINT, &tiny, &v, NULL), E_OK);
    expect(v, VALUE_BIGINT, "0");
    ck_assert_int_eq(number_convert(&arena, VALUE_DOUBLE, &huge, &v, NULL), E_EVALUATION);
    v = big("9999999999999999999999999999999999999999999999999999999999999999");
    for (int i = 0; i < 20; i++) {
        struct value square;
        if (number_apply(&arena, NUMBER_MUL, &v, &v, &square, NULL) != E_OK) {
            ck_assert_uint_le(v.big->size, 41525);
            return;
        }
        v = square;
    }
    ck_abort_msg("squares grow for ever");
}
END_TEST

START_TEST(min_and_max)
{
    expect(apply(NUMBER_MIN, value_int(1), value_long(2)), VALUE_LONG, "1");
    expect(apply(NUMBER_MAX, value_int(1), value_double(0.5)), VALUE_DOUBLE, "1.0");
    expect(apply(NUMBER_MAX, value_double((double)NAN), value_double(1)), VALUE_DOUBLE, "1.0");
    expect(apply(NUMBER_MIN, value_double(1), value_double((double)NAN)), VALUE_DOUBLE, "1.0");
    expect(apply(NUMBER_MAX, byte(1), dec("0.5")), VALUE_DECIMAL, "1");
    expect(apply(NUMBER_MAX, value_double((double)INFINITY), dec("5")), VALUE_DOUBLE, "Infinity");
    expect(apply(NUMBER_MIN, big("5"), byte(7)), VALUE_BIGINT, "5");
}
END_TEST

static int order(struct value a, struct value b)
{
    int result = number_order(&a, &b);

    ck_assert_int_eq(number_order(&b, &a), -result);
    return (result > 0) - (result < 0);
}

START_TEST(order_is_by_value)
{
    const double inf = (double)INFINITY;
    const double nan = (double)NAN;

    ck_assert_int_eq(order(value_int(1), value_double(1.0)), 0);
    ck_assert_int_eq(order(byte(1), dec("1.00")), 0);
    ck_assert_int_eq(order(value_float(1), big("1")), 0);
    ck_assert_int_eq(order(value_double(0.1), dec("0.1")), 0);
    ck_assert_int_eq(order(value_float(0.1F), value_double(0.1)), 1);
    ck_assert_int_eq(order(value_double(-0.0), value_double(0.0)), 0);
    ck_assert_int_eq(order(value_double(-0.0), value_int(0)), 0);
    ck_assert_int_eq(order(value_double(nan), value_double(inf)), 1);
    ck_assert_int_eq(order(value_double(nan), value_double(nan)), 0);
    ck_assert_int_eq(order(value_double(nan), big("5")), 1);
    ck_assert_int_eq(order(value_double(nan), value_long(INT64_MAX)), 1);
    ck_assert_int_eq(order(value_double(inf), dec("1e300")), 1);
    ck_assert_int_eq(order(value_double(-inf), dec("-1e300")), -1);
    ck_assert_int_eq(order(value_double(inf), value_long(INT64_MAX)), 1);
    ck_assert_int_eq(order(value_double(-inf), value_long(INT64_MIN)), -1);
    ck_assert_int_eq(order(value_long((1LL << 53) + 1), value_double(0x1p53)), 1);
    ck_assert_int_eq(order(value_long(INT64_MAX), value_double(0x1p63)), -1);
    ck_assert_int_eq(order(value_long(INT64_MIN), value_double(-0x1p63)), 0);
    ck_assert_int_eq(order(value_int(1), value_double(1.5)), -1);
    ck_assert_int_eq(order(value_int(-1), value_double(-1.5)), 1);
    ck_assert_int_eq(order(dec("-1.5"), dec("-1.4")), -1);
    ck_assert_int_eq(order(dec("-15"), dec("-1.4")), -1);
    ck_assert_int_eq(order(dec("1e2"), value_int(100)), 0);
    ck_assert_int_eq(order(dec("0e5"), value_int(0)), 0);
    ck_assert_int_eq(order(big("-5"), value_int(3)), -1);
}
END_TEST

static void converts(struct value from, enum value_kind kind, const char *text)
{
    struct value out;

    ck_assert_int_eq(number_convert(&arena, kind, &from, &out, NULL), E_OK);
    expect(out, kind, text);
}

static const char *refuses(struct value from, enum value_kind kind)
{
    static struct error err;
    struct value out;

    err = (struct error){0};
    ck_assert_int_eq(number_convert(&arena, kind, &from, &out, &err), E_EVALUATION);
    return err.text;
}

START_TEST(conversions)
{
    converts(value_double(5.67), VALUE_INT, "5");
    converts(value_double(-5.67), VALUE_BYTE, "-5");
    converts(value_int(12), VALUE_BYTE, "12");
    converts(value_int(7), VALUE_DOUBLE, "7.0");
    converts(value_int(7), VALUE_DECIMAL, "7");
    converts(value_double(0.1), VALUE_DECIMAL, "0.1");
    converts(value_double(1.0), VALUE_DECIMAL, "1.0");
    converts(value_double(1e10), VALUE_DECIMAL, "1.0E+10");
    converts(value_double(0x1p70), VALUE_BIGINT, "1180591620717411303424");
    converts(dec("12.99"), VALUE_INT, "12");
    converts(dec("12.99"), VALUE_BIGINT, "12");
    converts(dec("12e2"), VALUE_LONG, "1200");
    converts(dec("1e20"), VALUE_DOUBLE, "1.0E20");
    converts(big("9223372036854775807"), VALUE_LONG, "9223372036854775807");
    converts(big("-9223372036854775808"), VALUE_LONG, "-9223372036854775808");
    converts(value_double((double)NAN), VALUE_FLOAT, "NaN");
    converts(value_float(0.5F), VALUE_DOUBLE, "0.5");
    ck_assert_str_eq(refuses(value_int(128), VALUE_BYTE),
                     "Can't convert number of type Integer to Byte due to overflow.");
    ck_assert_str_eq(refuses(value_long(1LL << 40), VALUE_INT),
                     "Can't convert number of type Long to Integer due to overflow.");
    ck_assert_str_eq(refuses(big("9223372036854775808"), VALUE_LONG),
                     "Can't convert number of type BigInteger to Long due to overflow.");
    ck_assert_str_eq(refuses(value_double((double)NAN), VALUE_DECIMAL),
                     "Can't convert number of type Double to BigDecimal due to overflow.");
    refuses(value_double(1e300), VALUE_FLOAT);
    refuses(value_double(1e300), VALUE_LONG);
    refuses(value_double((double)INFINITY), VALUE_BIGINT);
    refuses(value_double((double)NAN), VALUE_INT);
}
END_TEST

START_TEST(whole_numbers)
{
    int64_t v;
    struct value cases[] = {value_double(3.0), dec("3.000"), big("3"), value_float(3),
                            dec("0.3e1")};
    struct value not_whole[] = {value_double(3.5),         dec("3.001"),
                                value_double((double)NAN), dec("0.5"),
                                value_double(0x1p63),      big("9223372036854775808")};

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        ck_assert(number_int64(&cases[i], &v));
        ck_assert_int_eq(v, 3);
    }
    for (size_t i = 0; i < sizeof not_whole / sizeof not_whole[0]; i++) {
        ck_assert(!number_int64(&not_whole[i], &v));
    }
    struct value half = dec("123456789012345678901234567890.5");
    ck_assert(same(number_double(&half), 1.2345678901234568e29));
    half = big("-12");
    ck_assert(same(number_double(&half), -12));
}
END_TEST

START_TEST(shortest_digits)
{
    struct number_shortest s;

    number_shortest_find(1500, false, &s);
    ck_assert_str_eq(s.digits, "15");
    ck_assert_int_eq(s.exponent, 4);
    number_shortest_find((double)0.1F, true, &s);
    ck_assert_str_eq(s.digits, "1");
    ck_assert_int_eq(s.exponent, 0);
}
END_TEST

START_TEST(exact_numbers)
{
    struct number_exact a;
    struct number_exact b;
    bool is_integral;
    int64_t v;

    ck_assert(!number_exact_open_text(&a, "12x", 10));
    ck_assert(number_exact_open_text(&a, "1250", 10));
    a.scale = 2;
    ck_assert_int_eq(number_exact_top(&a), 2);
    ck_assert(number_exact_open_text(&b, "125", 10));
    b.scale = 1;
    ck_assert_int_eq(number_exact_order(&a, &b), 0);
    ck_assert(number_exact_truncate(&a, &is_integral) && !is_integral);
    ck_assert(number_exact_fits(&a, &v) && v == 12);
    ck_assert(!number_exact_is_zero(&a));
    number_exact_close(&a);
    number_exact_close(&b);
}
END_TEST

RUN_SUITE("number", doubles_print_as_in_java, floats_print_as_in_java, decimals_print_as_in_java,
          parsing_refuses, bigints_have_javas_bytes, integers_promote, classes_join,
          decimals_compute_as_in_java, bombs, min_and_max, order_is_by_value, conversions,
          whole_numbers, shortest_digits, exact_numbers)
