#include <assert.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "common/mem.h"
#include "common/number.h"
#include "common/number_exact.h"
#include "common/number_shortest.h"
#include "common/text.h"

static void print_real(struct bytes *out, double v, bool is_float)
{
    struct number_shortest s;

    if (isnan(v)) {
        bytes_append(out, "NaN", 3);
        return;
    }
    if (signbit(v)) {
        bytes_u8(out, '-');
        v = -v;
    }
    if (isinf(v)) {
        bytes_append(out, "Infinity", 8);
        return;
    }
    if (!(v > 0)) {
        bytes_append(out, "0.0", 3);
        return;
    }
    number_shortest_find(v, is_float, &s);
    int size = (int)strlen(s.digits);
    if (s.exponent < -2 || s.exponent > 7) {
        bytes_format(out, "%c.%sE%d", s.digits[0], size > 1 ? s.digits + 1 : "0", s.exponent - 1);
    } else if (s.exponent <= 0) {
        bytes_format(out, "0.%.*s%s", -s.exponent, "00", s.digits);
    } else if (size <= s.exponent) {
        bytes_format(out, "%s%.*s.0", s.digits, s.exponent - size, "0000000");
    } else {
        bytes_format(out, "%.*s.%s", s.exponent, s.digits, s.digits + s.exponent);
    }
}

void number_print(struct bytes *out, const struct value *a)
{
    assert(value_is_number(a));
    if (a->kind == VALUE_FLOAT || a->kind == VALUE_DOUBLE) {
        print_real(out, a->real, a->kind == VALUE_FLOAT);
    } else if (a->kind == VALUE_BIGINT || a->kind == VALUE_DECIMAL) {
        struct number_exact e;
        number_exact_open(&e, a);
        number_exact_print(out, &e);
        number_exact_close(&e);
    } else {
        bytes_format(out, "%" PRId64, a->integer);
    }
}

static int digit_value(uint8_t c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    c |= 0x20;
    return c >= 'a' && c <= 'z' ? c - 'a' + 10 : 99;
}

/* [+-] digits from *at on; text gets them NUL terminated, without the plus. Returns how many
 * digits. */
static size_t copy_digits(struct slice text, int base, size_t *at, char *out, size_t *out_size)
{
    size_t digits = 0;

    for (; *at < text.size && digit_value(text.data[*at]) < base; (*at)++) {
        out[(*out_size)++] = (char)text.data[*at];
        digits++;
    }
    out[*out_size] = 0;
    return digits;
}

static void copy_sign(struct slice text, size_t *at, char *out, size_t *out_size)
{
    if (text.size > 0 && (text.data[0] == '-' || text.data[0] == '+')) {
        *at = 1;
        if (text.data[0] == '-') {
            out[(*out_size)++] = '-';
        }
    }
}

bool number_parse_bigint(struct arena *arena, struct slice text, int base, struct value *out)
{
    struct number_exact e;
    size_t size = 0;
    size_t at = 0;

    assert(base >= 2 && base <= 36);
    if (text.size > NUMBER_EXACT_DIGITS_MAX) {
        return false;
    }
    char *copy = (char *)mem_alloc(text.size + 1);
    copy_sign(text, &at, copy, &size);
    bool is_valid = copy_digits(text, base, &at, copy, &size) > 0 && at == text.size &&
                    number_exact_open_text(&e, copy, base);
    if (is_valid) {
        *out = number_exact_store(arena, VALUE_BIGINT, &e);
        number_exact_close(&e);
    }
    mem_free(copy);
    return is_valid;
}

/* e and a whole number, at the end of the text; nothing is zero. */
static bool parse_exponent(struct slice text, size_t at, int64_t *out)
{
    *out = 0;
    if (at == text.size) {
        return true;
    }
    return (text.data[at] == 'e' || text.data[at] == 'E') &&
           text_to_i64(slice_of(text.data + at + 1, text.size - at - 1), out);
}

bool number_parse_decimal(struct arena *arena, struct slice text, struct value *out)
{
    struct number_exact e;
    int64_t exponent;
    int64_t scale = 0;
    size_t size = 0;
    size_t at = 0;

    if (text.size > NUMBER_EXACT_DIGITS_MAX) {
        return false;
    }
    char *copy = (char *)mem_alloc(text.size + 1);
    copy_sign(text, &at, copy, &size);
    size_t digits = copy_digits(text, 10, &at, copy, &size);
    if (at < text.size && text.data[at] == '.') {
        at++;
        scale = (int64_t)copy_digits(text, 10, &at, copy, &size);
    }
    bool is_valid = digits + (size_t)scale > 0 && parse_exponent(text, at, &exponent) &&
                    !__builtin_sub_overflow(scale, exponent, &scale) && scale >= INT32_MIN &&
                    scale <= INT32_MAX && number_exact_open_text(&e, copy, 10);
    if (is_valid) {
        e.scale = scale;
        *out = number_exact_store(arena, VALUE_DECIMAL, &e);
        number_exact_close(&e);
    }
    mem_free(copy);
    return is_valid;
}
