/*
 * number_exact.h -- BigInteger and BigDecimal while they are computed with: unscaled x 10^-scale.
 *
 * Private to number*.c; the only place that uses GMP. Open an operand, compute into the first one,
 * store.
 *
 * Limits: operands and results of some 120,000 digits, then false.
 */
#ifndef COMMON_NUMBER_EXACT_H
#define COMMON_NUMBER_EXACT_H

#include <gmp.h>

#include "common/value.h"

enum { NUMBER_EXACT_DIGITS_MAX = 100000 };

struct number_exact {
    mpz_t unscaled;
    int64_t scale;
};

/* Of any number that is finite; a float or double as BigDecimal.valueOf(double): by its digits. */
void number_exact_open(struct number_exact *out, const struct value *a);
/* The integral part of a finite double, exactly. */
void number_exact_open_whole(struct number_exact *out, double v);
/* Digits in the base with an optional sign; false (and closed) on bad form. */
bool number_exact_open_text(struct number_exact *out, const char *text, int base);
void number_exact_close(struct number_exact *e);
/* kind: BIGINT (scale 0) or DECIMAL (a scale of 32 bits). */
struct value number_exact_store(struct arena *arena, enum value_kind kind,
                                const struct number_exact *e);

/* Digits left of the decimal point; 0 or less for fractions; 1 for zero. */
int64_t number_exact_top(const struct number_exact *e);
int number_exact_order(struct number_exact *a, struct number_exact *b);
/* Cuts the fraction off: scale 0 afterwards. False if that takes too many digits. */
bool number_exact_truncate(struct number_exact *e, bool *was_integral);
bool number_exact_fits(const struct number_exact *e, int64_t *out);
double number_exact_double(const struct number_exact *e);
void number_exact_print(struct bytes *out, const struct number_exact *e);

/* a = a op b. False: too many digits, or a scale out of 32 bits. */
bool number_exact_add(struct number_exact *a, struct number_exact *b);
bool number_exact_sub(struct number_exact *a, struct number_exact *b);
bool number_exact_mul(struct number_exact *a, struct number_exact *b);
/* b is not zero. The exact quotient if it has an end; else as NumberHelper rounds it. */
bool number_exact_div(struct number_exact *a, struct number_exact *b);
/* Of integers, cut towards zero. */
bool number_exact_div_whole(struct number_exact *a, struct number_exact *b);
bool number_exact_is_zero(const struct number_exact *e);

#endif
