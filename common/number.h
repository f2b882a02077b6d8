/*
 * number.h -- the tower: byte, short, int, long, BigInteger, float, double, BigDecimal.
 *
 * Results take the highest common class; a float makes the result floating; integers promote on
 * overflow (byte to short ... to long; beyond long is an error, as in TinkerPop 3.8 NumberHelper).
 * The only file that uses GMP.
 *
 * After: gremlin-core util/NumberHelper.java. Pure.
 */
#ifndef COMMON_NUMBER_H
#define COMMON_NUMBER_H

#include "common/error.h"
#include "common/value.h"

enum number_op {
    NUMBER_ADD,
    NUMBER_SUB,
    NUMBER_MUL,
    NUMBER_DIV,
    NUMBER_MIN, /* min and max keep the class of the winner, promoted as NumberHelper does. */
    NUMBER_MAX
};

/* Returns E_OK or E_EVALUATION (overflow of long, division by zero of integers). */
int number_apply(struct arena *arena, enum number_op op, const struct value *a,
                 const struct value *b, struct value *out, struct error *err);
/* By value over types. NaN is above +Infinity and equal to itself here; -0.0 equals 0.0. */
int number_order(const struct value *a, const struct value *b);
/* Converts to kind if it fits without loss of the integral value; for asNumber(), ids, coercions.
 * Returns E_OK or E_EVALUATION ("Can't convert number of type Integer to Byte due to overflow.").
 * */
int number_convert(struct arena *arena, enum value_kind kind, const struct value *a,
                   struct value *out, struct error *err);
double number_double(const struct value *a);
/* False if it is not integral or does not fit. */
bool number_int64(const struct value *a, int64_t *out);
/* Decimal text to BIGINT / DECIMAL. False on bad form. Digits are limited to 100,000. */
bool number_parse_bigint(struct arena *arena, struct slice text, int base, struct value *out);
bool number_parse_decimal(struct arena *arena, struct slice text, struct value *out);
/* As Java prints the number. */
void number_print(struct bytes *out, const struct value *a);

#endif
