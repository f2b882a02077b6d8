#include "router/wire/graphson_extended.h"

#include "common/datetime.h"
#include "common/extended.h"
#include "common/text.h"

#include <assert.h>
#include <string.h>

enum { BODY_MAX = 20, TEXT_MAX = 64 };

/* A moment's local parts; the texts of all these types are parts of one. */
struct parts {
    struct datetime_date date;
    int64_t nano_of_day;
    struct value_time time;
};

/* before, text, after make a whole moment. */
static bool parse_parts(const char *before, struct slice text, const char *after, struct parts *out)
{
    char whole[2 * TEXT_MAX];
    size_t before_size = strlen(before);
    size_t after_size = strlen(after);

    if (text.size > TEXT_MAX) {
        return false;
    }
    memcpy(whole, before, before_size);
    memcpy(whole + before_size, text.data, text.size);
    memcpy(whole + before_size + text.size, after, after_size);
    size_t size = before_size + text.size + after_size;
    if (!datetime_parse(slice_of(whole, size), &out->time)) {
        return false;
    }
    out->date = datetime_local(&out->time, &out->nano_of_day);
    return true;
}

static void put_date(struct bytes *body, struct datetime_date date)
{
    bytes_u32(body, (uint32_t)date.year);
    bytes_u8(body, (uint8_t)date.month);
    bytes_u8(body, (uint8_t)date.day);
}

/* P1Y6M15D and P2W; numbers may be negative. */
static bool put_period(struct bytes *body, struct slice text)
{
    static const char units[] = "YMWD";
    int64_t fields[3] = {0};
    size_t at = 1;
    size_t from = 0; /* Units come in this order. */

    if (text.size < 3 || text.data[0] != 'P') {
        return false;
    }
    while (at < text.size) {
        size_t start = at;
        int64_t v;
        while (at < text.size && (text.data[at] <= '9' && text.data[at] >= '+')) {
            at++;
        }
        const char *unit = at < text.size ? strchr(units + from, text.data[at]) : NULL;
        if (unit == NULL || *unit == 0 ||
            !text_to_i64(slice_of(text.data + start, at - start), &v) || v > INT32_MAX / 7 ||
            v < INT32_MIN / 7) {
            return false;
        }
        fields[*unit == 'Y' ? 0 : *unit == 'M' ? 1 : 2] += *unit == 'W' ? 7 * v : v;
        from = (size_t)(unit - units) + 1;
        at++;
    }
    for (int i = 0; i < 3; i++) {
        bytes_u32(body, (uint32_t)fields[i]);
    }
    return true;
}

static bool put_address(struct bytes *body, struct slice text)
{
    bytes_u32(body, 4);
    for (int i = 0; i < 4; i++) {
        const uint8_t *dot = i < 3 && text.size > 0 ? memchr(text.data, '.', text.size) : NULL;
        size_t size = dot == NULL ? text.size : (size_t)(dot - text.data);
        uint64_t v;
        if ((i < 3 && dot == NULL) || !text_to_u64(slice_of(text.data, size), &v) || v > 255) {
            return false;
        }
        bytes_u8(body, (uint8_t)v);
        size += dot == NULL ? 0 : 1;
        text = slice_of(text.data + size, text.size - size);
    }
    return true;
}

static bool put_year(struct bytes *body, struct slice text)
{
    int64_t year;

    if (!text_to_i64(text, &year) || year > DATETIME_YEAR_MAX || year < -DATETIME_YEAR_MAX) {
        return false;
    }
    bytes_u32(body, (uint32_t)year);
    return true;
}

static bool put_time(struct bytes *body, uint8_t type, struct slice text)
{
    struct parts p;

    if (!parse_parts("1970-01-01T", text, "", &p)) {
        return false;
    }
    bytes_u64(body, (uint64_t)p.nano_of_day);
    if (type == EXTENDED_OFFSET_TIME) {
        bytes_u32(body, (uint32_t)p.time.offset);
    }
    return true;
}

/* 2016-12-23T12:12:24+02:00[Europe/Paris]: the region is left away, as GraphBinary does. */
static bool put_zoned(struct bytes *body, struct slice text)
{
    const uint8_t *bracket = text.size == 0 ? NULL : memchr(text.data, '[', text.size);
    struct parts p;

    if (bracket != NULL) {
        text.size = (size_t)(bracket - text.data);
    }
    if (!parse_parts("", text, "", &p)) {
        return false;
    }
    put_date(body, p.date);
    bytes_u64(body, (uint64_t)p.nano_of_day);
    bytes_u32(body, (uint32_t)p.time.offset);
    return true;
}

static bool put_date_part(struct bytes *body, uint8_t type, struct slice text)
{
    struct parts p;
    bool is_month_day = type == EXTENDED_MONTH_DAY;

    if (is_month_day && (text.size < 1 || text.data[0] != '-')) {
        return false;
    }
    /* "--02-29" is a day of a leap year. */
    if (!parse_parts(is_month_day ? "2000" : "",
                     is_month_day ? slice_of(text.data + 1, text.size - 1) : text, "", &p)) {
        return false;
    }
    switch (type) {
    case EXTENDED_INSTANT:
        bytes_u64(body, (uint64_t)p.time.seconds);
        bytes_u32(body, (uint32_t)p.time.nanos);
        break;
    case EXTENDED_LOCAL_DATE:
        put_date(body, p.date);
        break;
    case EXTENDED_LOCAL_DATETIME:
        put_date(body, p.date);
        bytes_u64(body, (uint64_t)p.nano_of_day);
        break;
    case EXTENDED_MONTH_DAY:
        bytes_u8(body, (uint8_t)p.date.month);
        bytes_u8(body, (uint8_t)p.date.day);
        break;
    default:
        assert(type == EXTENDED_YEAR_MONTH);
        bytes_u32(body, (uint32_t)p.date.year);
        bytes_u8(body, (uint8_t)p.date.month);
        break;
    }
    return true;
}

static bool put_body(struct bytes *body, uint8_t type, struct slice text)
{
    struct parts p;

    switch (type) {
    case EXTENDED_INET_ADDRESS:
        return put_address(body, text);
    case EXTENDED_LOCAL_TIME:
    case EXTENDED_OFFSET_TIME:
        return put_time(body, type, text);
    case EXTENDED_PERIOD:
        return put_period(body, text);
    case EXTENDED_YEAR:
        return put_year(body, text);
    case EXTENDED_ZONED_DATETIME:
        return put_zoned(body, text);
    case EXTENDED_ZONE_OFFSET:
        if (!parse_parts("1970-01-01T00:00:00", text, "", &p)) {
            return false;
        }
        bytes_u32(body, (uint32_t)p.time.offset);
        return true;
    default:
        return put_date_part(body, type, text);
    }
}

bool graphson_extended_parse(struct arena *arena, struct slice type, struct slice text,
                             struct value *out)
{
    struct bytes body;
    bool is_right = false;

    bytes_init(&body, 0);
    for (int code = EXTENDED_INET_ADDRESS; code <= EXTENDED_ZONE_OFFSET && !is_right; code++) {
        if (extended_is_known((uint8_t)code) &&
            slice_equal(type, slice_text(extended_name((uint8_t)code)))) {
            is_right = put_body(&body, (uint8_t)code, text);
            *out = (struct value){.kind = VALUE_EXTENDED,
                                  .flag = (uint8_t)code,
                                  .size = (uint32_t)body.size,
                                  .bytes = arena_copy(arena, body.data, body.size)};
        }
    }
    bytes_close(&body);
    return is_right;
}
