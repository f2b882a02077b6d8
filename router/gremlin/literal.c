#include "router/gremlin/literal.h"

#include "common/datetime.h"
#include "common/number.h"

#include <assert.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistr.h>

/* A copy without underscores, NUL terminated. */
static char *plain_digits(struct arena *arena, struct slice text, size_t *size)
{
    char *out = arena_alloc(arena, text.size + 1);
    size_t at = 0;

    for (size_t i = 0; i < text.size; i++) {
        if (text.data[i] != '_') {
            out[at++] = (char)text.data[i];
        }
    }
    out[at] = 0;
    *size = at;
    return out;
}

static bool parse_big(struct arena *arena, const char *digits, int base, bool is_negative,
                      struct value *out)
{
    const char *text = is_negative ? arena_format(arena, "-%s", digits) : digits;

    return number_parse_bigint(arena, slice_text(text), base, out);
}

struct integer_type {
    char suffix;
    enum value_kind kind;
    int64_t low, high;
    const char *name;
};

static const struct integer_type integer_types[] = {
    {'b', VALUE_BYTE, INT8_MIN, INT8_MAX, "byte"},
    {'s', VALUE_SHORT, INT16_MIN, INT16_MAX, "short"},
    {'i', VALUE_INT, INT32_MIN, INT32_MAX, "int"},
    {'l', VALUE_LONG, INT64_MIN, INT64_MAX, "long"},
};

static const struct integer_type *integer_type(char suffix)
{
    for (size_t i = 0; i < sizeof integer_types / sizeof integer_types[0]; i++) {
        if (integer_types[i].suffix == (suffix | 0x20)) {
            return &integer_types[i];
        }
    }
    return NULL;
}

/* False if it does not fit 64 bits. */
static bool parse_int64(const char *digits, int base, bool is_negative, int64_t *out)
{
    char *end;

    errno = 0;
    unsigned long long v = strtoull(digits, &end, base);
    uint64_t limit = is_negative ? (uint64_t)INT64_MAX + 1 : (uint64_t)INT64_MAX;
    if (errno != 0 || *end != 0 || v > limit) {
        return false;
    }
    *out = is_negative ? (int64_t)(0 - (uint64_t)v) : (int64_t)v;
    return true;
}

int literal_integer(struct arena *arena, struct slice text, struct value *out, struct error *err)
{
    size_t size;
    char *digits = plain_digits(arena, text, &size);
    bool is_negative = *digits == '-';
    int base = 10;
    char suffix = 0;
    int64_t v;

    assert(size > 0);
    if (*digits == '-' || *digits == '+') {
        digits++;
        size--;
    }
    if (size > 2 && digits[0] == '0' && (digits[1] | 0x20) == 'x') {
        base = 16;
        digits += 2;
        size -= 2;
    } else if (size > 1 && digits[0] == '0' && digits[1] >= '0' && digits[1] <= '7') {
        base = 8;
    }
    if (strchr(base == 16 ? "sSnNiIlL" : "bBsSnNiIlL", digits[size - 1]) != NULL) {
        suffix = digits[size - 1];
        digits[size - 1] = 0;
    }
    bool fits = parse_int64(digits, base, is_negative, &v);
    if (suffix == 0) {
        suffix = !fits ? 'n' : v >= INT32_MIN && v <= INT32_MAX ? 'i' : 'l';
    }
    const struct integer_type *type = integer_type(suffix);
    if (type == NULL) {
        return parse_big(arena, digits, base, is_negative, out)
                   ? E_OK
                   : error_set(err, E_SYNTAX, "the number has too many digits");
    }
    if (!fits || v < type->low || v > type->high) {
        return error_set(err, E_SYNTAX, "%s does not fit the type %s",
                         arena_format(arena, "%.*s", (int)text.size, (const char *)text.data),
                         type->name);
    }
    *out = value_integer(type->kind, v);
    return E_OK;
}

int literal_float(struct arena *arena, struct slice text, struct value *out, struct error *err)
{
    size_t size;
    char *digits = plain_digits(arena, text, &size);
    char suffix = size > 0 ? (char)(digits[size - 1] | 0x20) : 0;

    if (strcmp(digits, "Infinity") == 0 || strcmp(digits, "+Infinity") == 0) {
        *out = value_double(HUGE_VAL);
        return E_OK;
    }
    if (strcmp(digits, "-Infinity") == 0) {
        *out = value_double(-HUGE_VAL);
        return E_OK;
    }
    if (suffix == 'f' || suffix == 'd' || suffix == 'm') {
        digits[--size] = 0;
    }
    if (suffix == 'm') {
        return number_parse_decimal(arena, slice_of(digits, size), out)
                   ? E_OK
                   : error_set(err, E_SYNTAX, "the number has too many digits");
    }
    *out = suffix == 'f' ? value_float(strtof(digits, NULL)) : value_double(strtod(digits, NULL));
    return E_OK;
}

/* ---- strings ---- */

static unsigned hex_digit(uint8_t c)
{
    return c <= '9' ? (unsigned)c - '0' : (unsigned)(c | 0x20) - 'a' + 10;
}

struct unescape {
    const uint8_t *at;
    const uint8_t *end;
    uint8_t *out;
};

static uint32_t read_unit(struct unescape *u)
{
    uint32_t unit = 0;

    while (*u->at == 'u') {
        u->at++;
    }
    for (int i = 0; i < 4; i++) {
        unit = unit << 4 | hex_digit(*u->at++);
    }
    return unit;
}

static bool put_code_point(struct unescape *u, uint32_t code)
{
    uint8_t buffer[6];
    int size = u8_uctomb(buffer, code, sizeof buffer);

    if (size < 0) {
        return false;
    }
    memcpy(u->out, buffer, (size_t)size);
    u->out += size;
    return true;
}

/* \uD83D\uDE00 is one character. */
static bool put_unicode(struct unescape *u)
{
    uint32_t unit = read_unit(u);

    if (unit >= 0xd800 && unit < 0xdc00 && u->end - u->at >= 6 && u->at[0] == '\\' &&
        u->at[1] == 'u') {
        u->at++;
        uint32_t low = read_unit(u);
        if (low < 0xdc00 || low > 0xdfff) {
            return false;
        }
        unit = 0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00);
    }
    return put_code_point(u, unit);
}

static bool put_octal(struct unescape *u)
{
    uint32_t code = 0;
    int most = *u->at <= '3' ? 3 : 2;

    for (int i = 0; i < most && u->at < u->end && *u->at >= '0' && *u->at <= '7'; i++) {
        code = code * 8 + (uint32_t)(*u->at++ - '0');
    }
    return put_code_point(u, code);
}

/* After a backslash; the lexer has checked the form. */
static bool put_escape(struct unescape *u)
{
    static const char letters[] = "btnfr\"'\\";
    static const char meanings[] = "\b\t\n\f\r\"'\\";
    const char *letter = strchr(letters, *u->at);

    if (letter != NULL) {
        *u->out++ = (uint8_t)meanings[letter - letters];
        u->at++;
        return true;
    }
    switch (*u->at) {
    case 'u':
        return put_unicode(u);
    case '\r':
        u->at += 2;
        return true;
    case '\n':
        u->at++;
        return true;
    default:
        return put_octal(u);
    }
}

int literal_string(struct arena *arena, struct slice quoted, struct value *out, struct error *err)
{
    assert(quoted.size >= 2);
    /* No escape takes fewer bytes than what it stands for. */
    uint8_t *text = arena_alloc(arena, quoted.size);
    struct unescape u = {quoted.data + 1, quoted.data + quoted.size - 1, text};

    while (u.at < u.end) {
        if (*u.at != '\\') {
            *u.out++ = *u.at++;
            continue;
        }
        u.at++;
        if (!put_escape(&u)) {
            return error_set(err, E_SYNTAX, "half of a surrogate pair in a string");
        }
    }
    *out = value_string(slice_of(text, (size_t)(u.out - text)));
    return E_OK;
}

/* ---- dates, UUIDs, ranges ---- */

int literal_date(struct arena *arena, struct slice text, struct value *out, struct error *err)
{
    struct value_time *time = ARENA_NEW(arena, struct value_time);

    if (!datetime_parse(text, time)) {
        return error_set(err, E_SYNTAX, "'%.*s' is not a date such as 2024-01-31T12:00:00Z",
                         text.size > 40 ? 40 : (int)text.size, (const char *)text.data);
    }
    *out = value_null();
    out->kind = VALUE_DATETIME;
    out->time = time;
    return E_OK;
}

static bool is_hex(uint8_t c)
{
    return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'f');
}

int literal_uuid(struct arena *arena, struct slice text, struct value *out, struct error *err)
{
    uint8_t *bytes = arena_array(arena, 16, 1);
    size_t digits = 0;

    for (size_t i = 0; i < text.size && text.size == 36; i++) {
        bool is_dash = i == 8 || i == 13 || i == 18 || i == 23;
        if (is_dash ? text.data[i] != '-' : !is_hex(text.data[i])) {
            break;
        }
        if (!is_dash) {
            bytes[digits / 2] =
                (uint8_t)((unsigned)bytes[digits / 2] << 4 | hex_digit(text.data[i]));
            digits++;
        }
    }
    if (digits != 32) {
        return error_set(err, E_SYNTAX, "'%.*s' is not a UUID",
                         text.size > 40 ? 40 : (int)text.size, (const char *)text.data);
    }
    *out = value_null();
    out->kind = VALUE_UUID;
    out->size = 16;
    out->bytes = bytes;
    return E_OK;
}

static int text_range(struct arena *arena, const struct value *first, const struct value *last,
                      struct value *out, struct error *err)
{
    size_t size = first->size;

    if (size != last->size || size == 0 || memcmp(first->text, last->text, size - 1) != 0 ||
        (first->text[size - 1] & 0x80) != 0 || (last->text[size - 1] & 0x80) != 0) {
        return error_set(err, E_SYNTAX,
                         "the strings of a range may differ in their last character only");
    }
    int step = first->text[size - 1] <= last->text[size - 1] ? 1 : -1;
    size_t count = (size_t)abs(last->text[size - 1] - first->text[size - 1]) + 1;
    struct value *items = arena_array(arena, count, sizeof *items);
    for (size_t i = 0; i < count; i++) {
        char *text = arena_copy(arena, first->text, size);
        text[size - 1] = (char)(first->text[size - 1] + step * (int)i);
        items[i] = value_string(slice_of(text, size));
    }
    *out = value_items(arena, VALUE_LIST, items, count);
    return E_OK;
}

int literal_range(struct arena *arena, const struct value *first, const struct value *last,
                  struct value *out, struct error *err)
{
    if (first->kind == VALUE_STRING && last->kind == VALUE_STRING) {
        return text_range(arena, first, last, out, err);
    }
    if (first->kind == VALUE_BIGINT || last->kind == VALUE_BIGINT || first->integer < INT32_MIN ||
        first->integer > INT32_MAX || last->integer < INT32_MIN || last->integer > INT32_MAX) {
        return error_set(err, E_SYNTAX, "a range goes between numbers of 32 bits");
    }
    int64_t step = first->integer <= last->integer ? 1 : -1;
    int64_t count = (last->integer - first->integer) * step + 1;
    if (count > LITERAL_RANGE_MAX) {
        return error_set(err, E_SYNTAX, "a range of %lld items, at most %d", (long long)count,
                         LITERAL_RANGE_MAX);
    }
    struct value *items = arena_array(arena, (size_t)count, sizeof *items);
    for (int64_t i = 0; i < count; i++) {
        items[i] = value_int((int32_t)(first->integer + i * step));
    }
    *out = value_items(arena, VALUE_LIST, items, (size_t)count);
    return E_OK;
}
