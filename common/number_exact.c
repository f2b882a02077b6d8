#include "common/number_exact.h"

#include <assert.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "common/number_shortest.h"

enum {
    RESULT_BITS_MAX = 332199, /* 41,525 bytes, which the codec still reads. */
    BITS_MAX = 400000,        /* Of both operands together: some 120,000 digits. */
    POWER_MAX = 1 << 20       /* Of ten; follows from BITS_MAX and the digits limit. */
};

/* ---- in and out ---- */

static void load_integer(mpz_t out, int64_t v)
{
    uint64_t size = v < 0 ? 0 - (uint64_t)v : (uint64_t)v;

    mpz_import(out, 1, 1, sizeof size, 0, 0, &size);
    if (v < 0) {
        mpz_neg(out, out);
    }
}

static void load_bytes(mpz_t out, const struct value_big *big)
{
    mpz_import(out, big->size, 1, 1, 1, 0, big->bytes);
    if (big->bytes[0] >= 0x80) {
        mpz_t span;
        mpz_init(span);
        mpz_setbit(span, (mp_bitcnt_t)big->size * 8);
        mpz_sub(out, out, span);
        mpz_clear(span);
    }
}

/* Two's complement in the fewest bytes. */
struct value number_exact_store(struct arena *arena, enum value_kind kind,
                                const struct number_exact *e)
{
    struct value_big *big = ARENA_NEW(arena, struct value_big);
    bool is_negative = mpz_sgn(e->unscaled) < 0;
    size_t written = 0;
    mpz_t shifted;

    assert(kind == VALUE_DECIMAL || (kind == VALUE_BIGINT && e->scale == 0));
    assert(e->scale >= INT32_MIN && e->scale <= INT32_MAX);
    mpz_init_set(shifted, e->unscaled);
    if (is_negative) {
        mpz_com(shifted, shifted); /* ~v is -v - 1: the bytes of v, inverted. */
    }
    size_t bits = mpz_sgn(shifted) == 0 ? 0 : mpz_sizeinbase(shifted, 2);
    size_t size = bits / 8 + 1;
    uint8_t *bytes = (uint8_t *)arena_array(arena, 1, size);
    mpz_export(bytes + size - (bits + 7) / 8, &written, 1, 1, 1, 0, shifted);
    assert(written == (bits + 7) / 8);
    for (size_t i = 0; is_negative && i < size; i++) {
        bytes[i] = (uint8_t)~bytes[i];
    }
    mpz_clear(shifted);
    *big = (struct value_big){(int32_t)e->scale, (uint32_t)size, bytes};
    return (struct value){.kind = (uint8_t)kind, .big = big};
}

static void power_of_ten(mpz_t out, int64_t exponent)
{
    assert(exponent >= 0 && exponent <= POWER_MAX);
    mpz_ui_pow_ui(out, 10, (unsigned long)exponent);
}

static void scale_up(mpz_t v, int64_t digits)
{
    mpz_t factor;

    mpz_init(factor);
    power_of_ten(factor, digits);
    mpz_mul(v, v, factor);
    mpz_clear(factor);
}

/* Decimal digits of |v|; 1 for zero. */
static int64_t digits_of(const mpz_t v)
{
    size_t digits = mpz_sizeinbase(v, 10); /* Exact or one too many. */
    mpz_t bound;
    bool is_less;

    if (digits == 1) {
        return 1;
    }
    mpz_init(bound);
    power_of_ten(bound, (int64_t)digits - 1);
    is_less = mpz_cmpabs(v, bound) < 0;
    mpz_clear(bound);
    return (int64_t)digits - is_less;
}

/* Java's form has at least one digit after the point: 1.0 has scale 1, 1.0E10 scale -9. */
static void load_real(struct number_exact *out, double v)
{
    struct number_shortest s;

    if (!(v < 0 || v > 0)) {
        out->scale = 1;
        return;
    }
    number_shortest_find(fabs(v), false, &s);
    (void)mpz_set_str(out->unscaled, s.digits, 10);
    out->scale = (int64_t)strlen(s.digits) - s.exponent;
    int64_t least = s.exponent < -2 || s.exponent > 7 ? 2 - s.exponent : 1;
    if (out->scale < least) {
        scale_up(out->unscaled, least - out->scale);
        out->scale = least;
    }
    if (v < 0) {
        mpz_neg(out->unscaled, out->unscaled);
    }
}

void number_exact_open(struct number_exact *out, const struct value *a)
{
    mpz_init(out->unscaled);
    out->scale = 0;
    if (a->kind == VALUE_FLOAT || a->kind == VALUE_DOUBLE) {
        assert(isfinite(a->real));
        load_real(out, a->real);
    } else if (a->kind == VALUE_BIGINT || a->kind == VALUE_DECIMAL) {
        load_bytes(out->unscaled, a->big);
        out->scale = a->kind == VALUE_DECIMAL ? a->big->scale : 0;
    } else {
        load_integer(out->unscaled, a->integer);
    }
}

void number_exact_open_whole(struct number_exact *out, double v)
{
    assert(isfinite(v));
    mpz_init_set_d(out->unscaled, v);
    out->scale = 0;
}

bool number_exact_open_text(struct number_exact *out, const char *text, int base)
{
    out->scale = 0;
    if (mpz_init_set_str(out->unscaled, text, base) != 0) {
        mpz_clear(out->unscaled);
        return false;
    }
    return true;
}

void number_exact_close(struct number_exact *e)
{
    mpz_clear(e->unscaled);
}

/* ---- looking ---- */

bool number_exact_is_zero(const struct number_exact *e)
{
    return mpz_sgn(e->unscaled) == 0;
}

int64_t number_exact_top(const struct number_exact *e)
{
    return number_exact_is_zero(e) ? 1 : digits_of(e->unscaled) - e->scale;
}

bool number_exact_fits(const struct number_exact *e, int64_t *out)
{
    assert(e->scale == 0);
    if (mpz_fits_slong_p(e->unscaled) == 0) {
        return false;
    }
    *out = mpz_get_si(e->unscaled);
    return true;
}

double number_exact_double(const struct number_exact *e)
{
    double v;

    if (e->scale == 0 && mpz_sizeinbase(e->unscaled, 2) <= 53) {
        return mpz_get_d(e->unscaled);
    }
    /* Through text: strtod rounds to the nearest, mpz_get_d cuts. */
    size_t size = mpz_sizeinbase(e->unscaled, 10) + 32;
    char *text = (char *)mem_alloc(size);
    (void)mpz_get_str(text, 10, e->unscaled);
    size_t used = strlen(text);
    (void)snprintf(text + used, size - used, "e%" PRId64, -e->scale);
    v = strtod(text, NULL);
    mem_free(text);
    return v;
}

/* As BigDecimal.toString(). */
void number_exact_print(struct bytes *out, const struct number_exact *e)
{
    char *text = (char *)mem_alloc(mpz_sizeinbase(e->unscaled, 10) + 2);
    const char *digits = text;

    (void)mpz_get_str(text, 10, e->unscaled);
    if (*digits == '-') {
        bytes_u8(out, '-');
        digits++;
    }
    int64_t size = (int64_t)strlen(digits);
    int64_t adjusted = size - 1 - e->scale;
    if (e->scale == 0) {
        bytes_append(out, digits, (size_t)size);
    } else if (e->scale < 0 || adjusted < -6) {
        bytes_u8(out, (uint8_t)digits[0]);
        if (size > 1) {
            bytes_format(out, ".%s", digits + 1);
        }
        bytes_format(out, "E%+" PRId64, adjusted);
    } else if (e->scale < size) {
        bytes_append(out, digits, (size_t)(size - e->scale));
        bytes_format(out, ".%s", digits + size - e->scale);
    } else {
        bytes_format(out, "0.%.*s%s", (int)(e->scale - size), "000000", digits);
    }
    mem_free(text);
}

/* ---- computing ---- */

/* Multiplies the one with the smaller scale up; false if that takes too many digits. */
static bool align(struct number_exact *a, struct number_exact *b, int64_t digits_max)
{
    struct number_exact *low = a->scale < b->scale ? a : b;
    struct number_exact *high = low == a ? b : a;
    int64_t gap = high->scale - low->scale;

    if (gap > 0 && !number_exact_is_zero(low)) {
        if (gap > digits_max) {
            return false;
        }
        scale_up(low->unscaled, gap);
    }
    low->scale = high->scale;
    return true;
}

int number_exact_order(struct number_exact *a, struct number_exact *b)
{
    int sign = mpz_sgn(a->unscaled);
    int other = mpz_sgn(b->unscaled);
    int64_t top;
    int64_t other_top;

    if (sign != other || sign == 0) {
        return (sign > other) - (sign < other);
    }
    /* By size first, so that 1E+1000000000 costs nothing; then no more digits are missing than the
     * other one has. */
    top = number_exact_top(a);
    other_top = number_exact_top(b);
    if (top != other_top) {
        return (top > other_top) == (sign > 0) ? 1 : -1;
    }
    bool is_aligned = align(a, b, POWER_MAX);
    assert(is_aligned);
    return mpz_cmp(a->unscaled, b->unscaled);
}

bool number_exact_truncate(struct number_exact *e, bool *was_integral)
{
    int64_t top = number_exact_top(e);
    mpz_t factor;
    mpz_t rest;

    *was_integral = true;
    if (e->scale == 0 || number_exact_is_zero(e)) {
        e->scale = 0;
        return true;
    }
    if (top > NUMBER_EXACT_DIGITS_MAX) {
        return false;
    }
    if (top <= 0) {
        *was_integral = false;
        mpz_set_ui(e->unscaled, 0);
    } else if (e->scale < 0) {
        scale_up(e->unscaled, -e->scale);
    } else {
        mpz_inits(factor, rest, NULL);
        power_of_ten(factor, e->scale);
        mpz_tdiv_qr(e->unscaled, rest, e->unscaled, factor);
        *was_integral = mpz_sgn(rest) == 0;
        mpz_clears(factor, rest, NULL);
    }
    e->scale = 0;
    return true;
}

static bool are_short(const struct number_exact *a, const struct number_exact *b)
{
    return mpz_sizeinbase(a->unscaled, 2) + mpz_sizeinbase(b->unscaled, 2) <= BITS_MAX;
}

static bool is_valid(const struct number_exact *e)
{
    return e->scale >= INT32_MIN && e->scale <= INT32_MAX &&
           mpz_sizeinbase(e->unscaled, 2) <= RESULT_BITS_MAX;
}

bool number_exact_add(struct number_exact *a, struct number_exact *b)
{
    if (!are_short(a, b) || !align(a, b, NUMBER_EXACT_DIGITS_MAX)) {
        return false;
    }
    mpz_add(a->unscaled, a->unscaled, b->unscaled);
    return is_valid(a);
}

bool number_exact_sub(struct number_exact *a, struct number_exact *b)
{
    mpz_neg(b->unscaled, b->unscaled);
    return number_exact_add(a, b);
}

bool number_exact_mul(struct number_exact *a, struct number_exact *b)
{
    if (!are_short(a, b)) {
        return false;
    }
    mpz_mul(a->unscaled, a->unscaled, b->unscaled);
    a->scale += b->scale;
    return is_valid(a);
}

bool number_exact_div_whole(struct number_exact *a, struct number_exact *b)
{
    assert(!number_exact_is_zero(b));
    assert(a->scale == 0 && b->scale == 0);
    mpz_tdiv_q(a->unscaled, a->unscaled, b->unscaled);
    return true;
}

static int64_t larger(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

/* q = n / d, half away from zero. */
static void divide_half_up(mpz_t q, const mpz_t n, const mpz_t d)
{
    int sign = mpz_sgn(n) * mpz_sgn(d);
    mpz_t rest;
    mpz_t by;

    mpz_init(rest);
    mpz_init_set(by, d);
    mpz_tdiv_qr(q, rest, n, by);
    mpz_mul_2exp(rest, rest, 1);
    if (mpz_cmpabs(rest, by) >= 0) {
        if (sign < 0) {
            mpz_sub_ui(q, q, 1);
        } else {
            mpz_add_ui(q, q, 1);
        }
    }
    mpz_clears(rest, by, NULL);
}

/* Rounds to fewer digits after the point. */
static void cut_scale(struct number_exact *e, int64_t scale)
{
    mpz_t factor;

    if (e->scale - scale > digits_of(e->unscaled)) {
        mpz_set_ui(e->unscaled, 0);
    } else {
        mpz_init(factor);
        power_of_ten(factor, e->scale - scale);
        divide_half_up(e->unscaled, e->unscaled, factor);
        mpz_clear(factor);
    }
    e->scale = scale;
}

/* To `precision` digits, then at most max(both scales, 10) after the point: what NumberHelper does
 * when the quotient has no end. */
static void divide_inexact(struct number_exact *a, const struct number_exact *b)
{
    int64_t precision = larger(digits_of(a->unscaled), digits_of(b->unscaled)) + 10;
    int64_t limit = larger(larger(a->scale, b->scale), 10);
    /* So that the quotient has that many digits, or one more. */
    int64_t shift = larger(precision + digits_of(b->unscaled) - digits_of(a->unscaled), 0);
    mpz_t quotient;
    mpz_t divisor;

    mpz_inits(quotient, divisor, NULL);
    scale_up(a->unscaled, shift);
    mpz_tdiv_q(quotient, a->unscaled, b->unscaled);
    int64_t cut = larger(digits_of(quotient) - precision, 0);
    power_of_ten(divisor, cut);
    mpz_mul(divisor, divisor, b->unscaled);
    divide_half_up(a->unscaled, a->unscaled, divisor);
    a->scale += shift - b->scale - cut;
    mpz_clears(quotient, divisor, NULL);
    if (a->scale > limit) {
        cut_scale(a, limit);
    }
}

bool number_exact_div(struct number_exact *a, struct number_exact *b)
{
    mpz_t common;
    mpz_t rest;
    mpz_t prime;

    assert(!number_exact_is_zero(b));
    if (!are_short(a, b)) {
        return false;
    }
    if (number_exact_is_zero(a)) {
        a->scale -= b->scale;
        return is_valid(a);
    }
    /* The quotient has an end if the reduced divisor is made of twos and fives. */
    mpz_inits(common, rest, NULL);
    mpz_gcd(common, a->unscaled, b->unscaled);
    mpz_divexact(rest, b->unscaled, common);
    mpz_init_set_ui(prime, 2);
    int64_t twos = (int64_t)mpz_remove(rest, rest, prime);
    mpz_set_ui(prime, 5);
    int64_t fives = (int64_t)mpz_remove(rest, rest, prime);
    if (mpz_cmpabs_ui(rest, 1) == 0) {
        scale_up(a->unscaled, larger(twos, fives));
        mpz_divexact(a->unscaled, a->unscaled, b->unscaled);
        a->scale += larger(twos, fives) - b->scale;
    } else {
        divide_inexact(a, b);
    }
    mpz_clears(common, rest, prime, NULL);
    return is_valid(a);
}
