#include "common/text.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static bool is_digit(uint8_t c)
{
    return c >= '0' && c <= '9';
}

static uint8_t lower(uint8_t c)
{
    return c >= 'A' && c <= 'Z' ? (uint8_t)(c + ('a' - 'A')) : c;
}

bool text_to_u64(struct slice text, uint64_t *out)
{
    uint64_t v = 0;

    if (text.size == 0) {
        return false;
    }
    for (size_t i = 0; i < text.size; i++) {
        uint64_t digit = (uint64_t)text.data[i] - '0';
        if (!is_digit(text.data[i]) || v > (UINT64_MAX - digit) / 10) {
            return false;
        }
        v = v * 10 + digit;
    }
    *out = v;
    return true;
}

bool text_to_i64(struct slice text, int64_t *out)
{
    uint64_t v;
    bool is_negative = text.size > 0 && text.data[0] == '-';

    if (text.size > 1 && (is_negative || text.data[0] == '+')) {
        text = slice_of(text.data + 1, text.size - 1);
    } else if (is_negative) {
        return false;
    }
    if (!text_to_u64(text, &v) || v > (uint64_t)INT64_MAX + is_negative) {
        return false;
    }
    *out = is_negative ? (int64_t)(0 - v) : (int64_t)v;
    return true;
}

static bool special_double(struct slice text, double *out)
{
    bool is_negative = text.size > 0 && text.data[0] == '-';

    if (slice_equal(text, SLICE("NaN"))) {
        *out = (double)NAN;
        return true;
    }
    if (is_negative || (text.size > 0 && text.data[0] == '+')) {
        text = slice_of(text.data + 1, text.size - 1);
    }
    if (!slice_equal(text, SLICE("Infinity"))) {
        return false;
    }
    *out = is_negative ? -(double)INFINITY : (double)INFINITY;
    return true;
}

/* [+-] digits [. digits] [e [+-] digits] with a digit before the exponent. */
static bool is_decimal_form(struct slice text)
{
    size_t at = 0;
    size_t digits = 0;

    if (at < text.size && (text.data[at] == '-' || text.data[at] == '+')) {
        at++;
    }
    for (; at < text.size && is_digit(text.data[at]); at++) {
        digits++;
    }
    if (at < text.size && text.data[at] == '.') {
        for (at++; at < text.size && is_digit(text.data[at]); at++) {
            digits++;
        }
    }
    if (digits == 0) {
        return false;
    }
    if (at == text.size) {
        return true;
    }
    if (lower(text.data[at]) != 'e') {
        return false;
    }
    at++;
    if (at < text.size && (text.data[at] == '-' || text.data[at] == '+')) {
        at++;
    }
    if (at == text.size) {
        return false;
    }
    while (at < text.size && is_digit(text.data[at])) {
        at++;
    }
    return at == text.size;
}

bool text_to_double(struct slice text, double *out)
{
    char copy[512];

    if (special_double(text, out)) {
        return true;
    }
    if (text.size >= sizeof copy || !is_decimal_form(text)) {
        return false;
    }
    memcpy(copy, text.data, text.size);
    copy[text.size] = 0;
    *out = strtod(copy, NULL);
    return true;
}

struct unit {
    const char *name;
    uint64_t factor;
};

static const struct unit size_units[] = {
    {"", 1},
    {"B", 1},
    {"KB", 1000},
    {"MB", 1000 * 1000},
    {"GB", 1000 * 1000 * 1000},
    {"TB", 1000ULL * 1000 * 1000 * 1000},
    {"KiB", 1ULL << 10},
    {"MiB", 1ULL << 20},
    {"GiB", 1ULL << 30},
    {"TiB", 1ULL << 40},
};

static const struct unit span_units[] = {
    {"d", 86400000}, {"h", 3600000}, {"m", 60000}, {"s", 1000}, {"ms", 1},
};

/* A number and the letters behind it; *at is moved behind both. */
static bool take_amount(struct slice text, size_t *at, uint64_t *number, struct slice *unit)
{
    size_t start = *at;

    while (*at < text.size && is_digit(text.data[*at])) {
        (*at)++;
    }
    if (!text_to_u64(slice_of(text.data + start, *at - start), number)) {
        return false;
    }
    start = *at;
    while (*at < text.size && !is_digit(text.data[*at])) {
        (*at)++;
    }
    *unit = slice_of(text.data + start, *at - start);
    return true;
}

bool text_to_size(struct slice text, uint64_t *out)
{
    struct slice unit;
    uint64_t number;
    size_t at = 0;

    if (!take_amount(text, &at, &number, &unit) || at != text.size) {
        return false;
    }
    for (size_t i = 0; i < sizeof size_units / sizeof size_units[0]; i++) {
        if (slice_equal(unit, slice_text(size_units[i].name))) {
            if (number > UINT64_MAX / size_units[i].factor) {
                return false;
            }
            *out = number * size_units[i].factor;
            return true;
        }
    }
    return false;
}

bool text_to_duration(struct slice text, uint64_t *out_ms)
{
    const size_t count = sizeof span_units / sizeof span_units[0];
    uint64_t sum = 0;
    size_t next = 0;
    size_t at = 0;

    if (slice_equal(text, SLICE("0"))) {
        *out_ms = 0;
        return true;
    }
    do {
        struct slice unit;
        uint64_t number;
        if (!take_amount(text, &at, &number, &unit)) {
            return false;
        }
        while (next < count && !slice_equal(unit, slice_text(span_units[next].name))) {
            next++;
        }
        if (next == count || number > (UINT64_MAX - sum) / span_units[next].factor) {
            return false;
        }
        sum += number * span_units[next++].factor;
    } while (at < text.size);
    *out_ms = sum;
    return true;
}

bool text_to_bool(struct slice text, bool *out)
{
    bool is_true = slice_equal(text, SLICE("true"));

    if (!is_true && !slice_equal(text, SLICE("false"))) {
        return false;
    }
    *out = is_true;
    return true;
}

/* ---- UTF-8 ---- */

/* Bytes of the well formed sequence at the start, 0 if there is none. */
static size_t sequence_size(const uint8_t *at, size_t left)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    size_t size = at[0] < 0x80 ? 1 : at[0] < 0xc2 ? 0 : at[0] < 0xe0 ? 2 : at[0] < 0xf0 ? 3 : 4;
    uint32_t point;

    if (size == 0 || size > left || at[0] > 0xf4) {
        return 0;
    }
    if (size == 1) {
        return 1;
    }
    point = at[0] & (0x7fU >> size);
    for (size_t i = 1; i < size; i++) {
        if ((at[i] & 0xc0) != 0x80) {
            return 0;
        }
        point = point << 6 | (at[i] & 0x3fU);
    }
    if (point < least[size] || point > 0x10ffff || (point >= 0xd800 && point < 0xe000)) {
        return 0;
    }
    return size;
}

bool text_is_utf8(struct slice text)
{
    size_t at = 0;

    while (at < text.size) {
        uint64_t word;
        if (text.size - at >= sizeof word) {
            memcpy(&word, text.data + at, sizeof word);
            if ((word & 0x8080808080808080ULL) == 0) {
                at += sizeof word;
                continue;
            }
        }
        size_t size = sequence_size(text.data + at, text.size - at);
        if (size == 0) {
            return false;
        }
        at += size;
    }
    return true;
}

uint32_t text_utf8_next(struct slice text, size_t *at)
{
    size_t size;
    uint32_t point;

    assert(*at < text.size);
    size = sequence_size(text.data + *at, text.size - *at);
    if (size <= 1) {
        point = size == 1 ? text.data[*at] : 0xfffd;
        (*at)++;
        return point;
    }
    point = text.data[*at] & (0x7fU >> size);
    for (size_t i = 1; i < size; i++) {
        point = point << 6 | (text.data[*at + i] & 0x3fU);
    }
    *at += size;
    return point;
}

void text_utf8_put(struct bytes *out, uint32_t point)
{
    uint8_t text[4];
    size_t size = 0;

    if (point > 0x10ffff || (point >= 0xd800 && point < 0xe000)) {
        point = 0xfffd;
    }
    if (point < 0x80) {
        text[size++] = (uint8_t)point;
    } else if (point < 0x800) {
        text[size++] = (uint8_t)(0xc0 | point >> 6);
    } else if (point < 0x10000) {
        text[size++] = (uint8_t)(0xe0 | point >> 12);
        text[size++] = (uint8_t)(0x80 | (point >> 6 & 0x3f));
    } else {
        text[size++] = (uint8_t)(0xf0 | point >> 18);
        text[size++] = (uint8_t)(0x80 | (point >> 12 & 0x3f));
        text[size++] = (uint8_t)(0x80 | (point >> 6 & 0x3f));
    }
    if (point >= 0x80) {
        text[size++] = (uint8_t)(0x80 | (point & 0x3f));
    }
    bytes_append(out, text, size);
}

size_t text_utf16_length(struct slice text)
{
    size_t length = 0;

    for (size_t i = 0; i < text.size; i++) {
        length += (text.data[i] & 0xc0) != 0x80;
        length += text.data[i] >= 0xf0;
    }
    return length;
}

size_t text_utf16_offset(struct slice text, size_t index)
{
    size_t units = 0;
    size_t at = 0;

    while (at < text.size) {
        size_t next = at;
        units += text_utf8_next(text, &next) >= 0x10000 ? 2 : 1;
        if (units > index) {
            break;
        }
        at = next;
    }
    return at;
}

/* ---- names ---- */

bool text_equal_nocase(struct slice a, struct slice b)
{
    if (a.size != b.size) {
        return false;
    }
    for (size_t i = 0; i < a.size; i++) {
        if (lower(a.data[i]) != lower(b.data[i])) {
            return false;
        }
    }
    return true;
}

static size_t least_of(size_t a, size_t b, size_t c)
{
    size_t ab = a < b ? a : b;

    return ab < c ? ab : c;
}

/* Edits (insert, delete, replace, swap neighbours) from a to b: the optimal string alignment
 * distance. */
static size_t distance(struct slice a, struct slice b)
{
    size_t rows[3][TEXT_NAME_MAX + 1];
    size_t *before = rows[0];
    size_t *last = rows[1];
    size_t *now = rows[2];

    assert(a.size <= TEXT_NAME_MAX && b.size <= TEXT_NAME_MAX);
    memset(rows, 0, sizeof rows);
    for (size_t j = 0; j <= b.size; j++) {
        last[j] = j;
    }
    for (size_t i = 1; i <= a.size; i++) {
        now[0] = i;
        for (size_t j = 1; j <= b.size; j++) {
            bool differs = lower(a.data[i - 1]) != lower(b.data[j - 1]);
            now[j] = least_of(last[j] + 1, now[j - 1] + 1, last[j - 1] + differs);
            if (i > 1 && j > 1 && lower(a.data[i - 1]) == lower(b.data[j - 2]) &&
                lower(a.data[i - 2]) == lower(b.data[j - 1]) && before[j - 2] + 1 < now[j]) {
                now[j] = before[j - 2] + 1;
            }
        }
        size_t *free = before;
        before = last;
        last = now;
        now = free;
    }
    return last[b.size];
}

const char *text_nearest(struct slice name, const char *const *candidates, size_t count)
{
    const char *nearest = NULL;
    size_t best;

    if (name.size == 0 || name.size > TEXT_NAME_MAX) {
        return NULL;
    }
    best = (name.size + 2) / 3 + 1;
    for (size_t i = 0; i < count; i++) {
        struct slice candidate = slice_text(candidates[i]);
        if (candidate.size > TEXT_NAME_MAX) {
            continue;
        }
        size_t edits = distance(name, candidate);
        if (edits < best) {
            best = edits;
            nearest = candidates[i];
        }
    }
    return nearest;
}
