#include "common/datetime.h"

#include <string.h>

#include "common/extended.h"
#include "tests/lib/runner.h"

static struct arena arena;

static const char *finish(struct bytes *out)
{
    const char *text = arena_format(&arena, "%.*s", (int)out->size, (const char *)out->data);

    bytes_close(out);
    return text;
}

static const char *moment(const char *text)
{
    struct value_time time;
    struct bytes out = {0};

    if (!datetime_parse(slice_text(text), &time)) {
        return "refused";
    }
    datetime_print(&out, &time);
    return finish(&out);
}

static const char *span(const char *text)
{
    struct value_time time;
    struct bytes out = {0};

    if (!datetime_parse_span(slice_text(text), &time)) {
        return "refused";
    }
    ck_assert(time.nanos >= 0 && time.nanos < 1000000000);
    datetime_print_span(&out, &time);
    return finish(&out);
}

START_TEST(moments)
{
    static const char *const cases[][2] = {
        {"2023-08", "2023-08-01T00:00Z"},
        {"2023-08-15", "2023-08-15T00:00Z"},
        {"2023-08-15T10:30", "2023-08-15T10:30Z"},
        {"2023-08-15T10:30:15", "2023-08-15T10:30:15Z"},
        {"2023-08-15T10:30:00Z", "2023-08-15T10:30Z"},
        {"2023-08-15T10:30:15.5Z", "2023-08-15T10:30:15.500Z"},
        {"2023-08-15T10:30:15.123456Z", "2023-08-15T10:30:15.123456Z"},
        {"2023-08-15T10:30:15.123456789Z", "2023-08-15T10:30:15.123456789Z"},
        {"2023-08-15T10:30:00+02:00", "2023-08-15T10:30+02:00"},
        {"2023-08-15T10:30:00-0530", "2023-08-15T10:30-05:30"},
        {"2023-08-15T10:30:00+01:02:03", "2023-08-15T10:30+01:02:03"},
        {"2023-08-15T10:30:00+010203", "2023-08-15T10:30+01:02:03"},
        {"2023-08-15T10:30:00+05", "2023-08-15T10:30+05:00"},
        {"2024-02-29", "2024-02-29T00:00Z"},
        {"1969-12-31T23:59:59.999", "1969-12-31T23:59:59.999Z"},
        {"0000-01-01", "0000-01-01T00:00Z"},
        {"-0044-03-15", "-0044-03-15T00:00Z"},
        {"+12345-01-01", "+12345-01-01T00:00Z"},
        {"2023-08-15t10:30:00z", "2023-08-15T10:30Z"},
    };
    static const char *const bad[] = {
        "",
        "2023",
        "2023-13",
        "2023-00",
        "2023-02-29",
        "2023-08-32",
        "2023-8-1",
        "2023-08-15T",
        "2023-08-15T10",
        "2023-08-15T24:00",
        "2023-08-15T10:60",
        "2023-08-15T10:30:60",
        "2023-08-15T10:30:15.",
        "2023-08-15T10:30:15.1234567890",
        "2023-08-15T10:30+19:00",
        "2023-08-15T10:30+1",
        "2023-08-15T10:30+01:6",
        "2023-08-15T10:30+01:60",
        "2023-08-15 10:30",
        "2023-08-15T10:30Zx",
        "2023-08Z",
        "1900-02-29",
        "x",
        "T10:30",
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        ck_assert_str_eq(moment(cases[i][0]), cases[i][1]);
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        ck_assert_msg(strcmp(moment(bad[i]), "refused") == 0, "%s is taken", bad[i]);
    }
}
END_TEST

START_TEST(spans)
{
    static const char *const cases[][2] = {
        {"PT0S", "PT0S"},           {"PT8H6M12.345S", "PT8H6M12.345S"},
        {"P2D", "PT48H"},           {"P1DT2H", "PT26H"},
        {"PT-1.5S", "PT-1.5S"},     {"-PT1.5S", "PT-1.5S"},
        {"-PT-1.5S", "PT1.5S"},     {"PT-0.5S", "PT-0.5S"},
        {"PT90S", "PT1M30S"},       {"PT0.000000001S", "PT0.000000001S"},
        {"PT-1M", "PT-1M"},         {"PT-1M30S", "PT-30S"},
        {"PT-61.5S", "PT-1M-1.5S"}, {"pt1h", "PT1H"},
        {"PT3600S", "PT1H"},        {"P-1D", "PT-24H"},
    };
    static const char *const bad[] = {"",
                                      "P",
                                      "PT",
                                      "P1DT",
                                      "1D",
                                      "PT1",
                                      "PT1D",
                                      "P1H",
                                      "PT1M1H",
                                      "PT1S1S",
                                      "PT1.5M",
                                      "PT.5S",
                                      "P1Y",
                                      "PT1.S",
                                      "PT1SX",
                                      "P1D2H",
                                      "PTS",
                                      "P99999999999999999D",
                                      "PT1.1234567890S"};

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        ck_assert_str_eq(span(cases[i][0]), cases[i][1]);
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        ck_assert_msg(strcmp(span(bad[i]), "refused") == 0, "%s is taken", bad[i]);
    }
}
END_TEST

/* Every day of 800 years, and the ends of what there is. */
START_TEST(calendar)
{
    struct datetime_date expected = {1600, 1, 1};
    static const int month_days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

    ck_assert_int_eq(datetime_days((struct datetime_date){1970, 1, 1}), 0);
    ck_assert_int_eq(datetime_days((struct datetime_date){2000, 3, 1}), 11017);
    for (int64_t day = datetime_days(expected); expected.year < 2400; day++) {
        struct datetime_date date = datetime_date(day);
        ck_assert(date.year == expected.year && date.month == expected.month &&
                  date.day == expected.day);
        ck_assert_int_eq(datetime_days(date), day);
        ck_assert(datetime_date_is_valid(date));
        bool is_leap = date.year % 4 == 0 && (date.year % 100 != 0 || date.year % 400 == 0);
        if (expected.day++ == month_days[date.month - 1] + (date.month == 2 && is_leap)) {
            expected.day = 1;
            expected.year += expected.month == 12;
            expected.month = expected.month % 12 + 1;
        }
    }
    for (int sign = -1; sign <= 1; sign += 2) {
        struct datetime_date end = {sign * DATETIME_YEAR_MAX, 12, 31};
        struct datetime_date back = datetime_date(datetime_days(end));
        ck_assert_int_eq(back.year, end.year);
        ck_assert_int_eq(back.day, 31);
    }
}
END_TEST

START_TEST(arithmetic)
{
    struct datetime_date date = datetime_add_months((struct datetime_date){2024, 1, 31}, 1);
    struct value_time time = {.seconds = -1, .nanos = 999999999};
    struct value_time sum;

    ck_assert(date.year == 2024 && date.month == 2 && date.day == 29);
    date = datetime_add_months(date, -14);
    ck_assert(date.year == 2022 && date.month == 12 && date.day == 29);
    ck_assert(datetime_add(&time, 0, 1, &sum));
    ck_assert(sum.seconds == 0 && sum.nanos == 0);
    ck_assert(datetime_add(&sum, 1, -1, &sum));
    ck_assert(sum.seconds == 0 && sum.nanos == 999999999);
    ck_assert(datetime_add(&sum, 0, -2500000000, &sum));
    ck_assert(sum.seconds == -2 && sum.nanos == 499999999);
    ck_assert(!datetime_add(&sum, INT64_MAX, 0, &sum));
    ck_assert(!datetime_add(&sum, 40000000000000000, 0, &sum));
    ck_assert(!datetime_from_local((struct datetime_date){2023, 2, 29}, 0, 0, &sum));
    ck_assert(!datetime_from_local((struct datetime_date){2023, 2, 28}, -1, 0, &sum));
    ck_assert(!datetime_from_local((struct datetime_date){2023, 2, 28}, 0, 64801, &sum));
}
END_TEST

START_TEST(legacy_forms)
{
    struct bytes out = {0};

    datetime_print_legacy_date(&out, 1481750076295);
    ck_assert_str_eq(finish(&out), "Wed Dec 14 21:14:36 UTC 2016");
    datetime_print_legacy_date(&out, -1);
    ck_assert_str_eq(finish(&out), "Wed Dec 31 23:59:59 UTC 1969");
    datetime_print_timestamp(&out, 1481750076295);
    ck_assert_str_eq(finish(&out), "2016-12-14 21:14:36.295");
    datetime_print_timestamp(&out, 0);
    ck_assert_str_eq(finish(&out), "1970-01-01 00:00:00.0");
    datetime_print_timestamp(&out, -10);
    ck_assert_str_eq(finish(&out), "1969-12-31 23:59:59.99");
    datetime_print_legacy_date(&out, INT64_MIN);
    datetime_print_timestamp(&out, INT64_MAX);
    ck_assert_uint_gt(strlen(finish(&out)), 20);
}
END_TEST

static const char *extended(uint8_t type, const char *bytes, size_t size)
{
    struct reader reader;
    struct bytes out = {0};

    reader_init(&reader, slice_of(bytes, size));
    struct slice body = extended_take(&reader, type);
    if (reader_finish(&reader, "body", NULL) != E_OK) {
        return "refused";
    }
    extended_print(&out, type, body);
    return finish(&out);
}

#define EXTENDED(type, bytes) extended(EXTENDED_##type, bytes, sizeof(bytes) - 1)

START_TEST(extended_types)
{
    ck_assert_str_eq(EXTENDED(LOCAL_DATE, "\0\0\x07\xe0\x01\x02"), "2016-01-02");
    ck_assert_str_eq(EXTENDED(LOCAL_DATE, "\0\0\x07\xe1\x02\x1d"), "refused");
    ck_assert_str_eq(EXTENDED(YEAR, "\xff\xff\xff\xff"), "-1");
    ck_assert_str_eq(EXTENDED(YEAR_MONTH, "\xff\xff\xff\xff\x0c"), "-0001-12");
    ck_assert_str_eq(EXTENDED(YEAR, "\x7f\xff\xff\xff"), "refused");
    ck_assert_str_eq(EXTENDED(MONTH_DAY, "\x0d\x01"), "refused");
    ck_assert_str_eq(EXTENDED(PERIOD, "\0\0\0\0\0\0\0\0\0\0\0\0"), "P0D");
    ck_assert_str_eq(EXTENDED(PERIOD, "\xff\xff\xff\xff\0\0\0\0\0\0\0\x03"), "P-1Y3D");
    ck_assert_str_eq(EXTENDED(ZONE_OFFSET, "\0\0\0\0"), "Z");
    ck_assert_str_eq(EXTENDED(ZONE_OFFSET, "\xff\xff\xf1\xf0"), "-01:00");
    ck_assert_str_eq(EXTENDED(ZONE_OFFSET, "\0\1\0\0"), "refused");
    ck_assert_str_eq(EXTENDED(INSTANT, "\0\0\0\0\0\0\0\0\0\0\0\0"), "1970-01-01T00:00:00Z");
    ck_assert_str_eq(EXTENDED(INSTANT, "\0\0\0\0\0\0\0\x01\x3b\x9a\xca\x00"), "refused");
    ck_assert_str_eq(EXTENDED(INET_ADDRESS, "\0\0\0\x10\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1"),
                     "/0:0:0:0:0:0:0:1");
    ck_assert_str_eq(EXTENDED(INET_ADDRESS, "\0\0\0\x04\x7f\0\0"), "refused");
    ck_assert_str_eq(EXTENDED(INET_ADDRESS, "\xff\xff\xff\xff"), "refused");
    ck_assert_str_eq(EXTENDED(LOCAL_TIME, "\xff\xff\xff\xff\xff\xff\xff\xff"), "refused");
    ck_assert_str_eq(extended_name(EXTENDED_PERIOD), "Period");
    ck_assert(!extended_is_known(0x88) && !extended_is_known(0x81) && !extended_is_known(0x8f));
}
END_TEST

START_TEST(extended_order_is_by_fields)
{
    ck_assert_int_lt(extended_order(EXTENDED_YEAR, SLICE("\xff\xff\xff\xff"), SLICE("\0\0\0\1")),
                     0);
    ck_assert_int_gt(extended_order(EXTENDED_MONTH_DAY, SLICE("\2\1"), SLICE("\1\2")), 0);
    ck_assert_int_eq(extended_order(EXTENDED_MONTH_DAY, SLICE("\2\1"), SLICE("\2\1")), 0);
    ck_assert_int_lt(
        extended_order(EXTENDED_INET_ADDRESS, SLICE("\0\0\0\4\1\1\1\1"), SLICE("\0\0\0\4\1\1\1\2")),
        0);
}
END_TEST

RUN_SUITE("datetime", moments, spans, calendar, arithmetic, legacy_forms, extended_types,
          extended_order_is_by_fields)
