#include "common/number.h"

#include <assert.h>
#include <float.h>
#include <math.h>

#include "common/number_exact.h"

/* Width in bits as NumberHelper counts it, and whether it has a fraction. */
struct class
{
    int bits;
    bool is_real;
};

/* ---- classes ---- */

static struct class class_of(const struct value *a)
{
    switch (a->kind) {
    case VALUE_BYTE:
        return (struct class){8, false};
    case VALUE_SHORT:
        return (struct class){16, false};
    case VALUE_INT:
        return (struct class){32, false};
    case VALUE_LONG:
        return (struct class){64, false};
    case VALUE_BIGINT:
        return (struct class){128, false};
    case VALUE_FLOAT:
        return (struct class){32, true};
    case VALUE_DOUBLE:
        return (struct class){64, true};
    default:
        assert(a->kind == VALUE_DECIMAL);
        return (struct class){128, true};
    }
}

static enum value_kind kind_of(struct class class)
{
    if (class.is_real) {
        return class.bits <= 32 ? VALUE_FLOAT : class.bits == 64 ? VALUE_DOUBLE : VALUE_DECIMAL;
    }
    return class.bits == 8    ? VALUE_BYTE
           : class.bits == 16 ? VALUE_SHORT
           : class.bits == 32 ? VALUE_INT
           : class.bits == 64 ? VALUE_LONG
                              : VALUE_BIGINT;
}

static bool is_real(const struct value *a)
{
    return a->kind == VALUE_FLOAT || a->kind == VALUE_DOUBLE;
}

static bool is_big(const struct value *a)
{
    return a->kind == VALUE_BIGINT || a->kind == VALUE_DECIMAL;
}

/* ---- looking ---- */

static double big_double(const struct value *a)
{
    struct number_exact e;
    double v;

    number_exact_open(&e, a);
    v = number_exact_double(&e);
    number_exact_close(&e);
    return v;
}

double number_double(const struct value *a)
{
    assert(value_is_number(a));
    if (is_real(a)) {
        return a->real;
    }
    return is_big(a) ? big_double(a) : (double)a->integer;
}

static bool real_int64(double v, int64_t *out)
{
    if (!(v >= -0x1p63 && v < 0x1p63)) {
        return false;
    }
    *out = (int64_t)v;
    return true;
}

/* Cut towards zero; false if it does not fit. */
static bool truncated_int64(const struct value *a, int64_t *out, bool *is_integral)
{
    struct number_exact e;
    bool fits;

    *is_integral = true;
    if (is_real(a)) {
        *is_integral = !(trunc(a->real) < a->real || trunc(a->real) > a->real);
        return real_int64(a->real, out);
    }
    if (!is_big(a)) {
        *out = a->integer;
        return true;
    }
    number_exact_open(&e, a);
    fits = number_exact_top(&e) <= 19 && number_exact_truncate(&e, is_integral) &&
           number_exact_fits(&e, out);
    number_exact_close(&e);
    return fits;
}

bool number_int64(const struct value *a, int64_t *out)
{
    bool is_integral;
    int64_t v;

    if (!truncated_int64(a, &v, &is_integral) || !is_integral) {
        return false;
    }
    *out = v;
    return true;
}

static int order_reals(double a, double b)
{
    if (isnan(a) || isnan(b)) {
        return (isnan(a) != 0) - (isnan(b) != 0);
    }
    return (a > b) - (a < b);
}

/* Exact: (double)a would round. */
static int order_integer_real(int64_t a, double b)
{
    int64_t whole;

    if (isnan(b)) {
        return -1;
    }
    if (!real_int64(b, &whole)) {
        return b > 0 ? -1 : 1;
    }
    if (a != whole) {
        return a > whole ? 1 : -1;
    }
    return -order_reals(b, trunc(b));
}

static int order_big(const struct value *a, const struct value *b)
{
    struct number_exact x;
    struct number_exact y;
    int order;

    if (is_real(a) && !isfinite(a->real)) {
        return isnan(a->real) || a->real > 0 ? 1 : -1;
    }
    if (is_real(b) && !isfinite(b->real)) {
        return isnan(b->real) || b->real > 0 ? -1 : 1;
    }
    number_exact_open(&x, a);
    number_exact_open(&y, b);
    order = number_exact_order(&x, &y);
    number_exact_close(&x);
    number_exact_close(&y);
    return order;
}

int number_order(const struct value *a, const struct value *b)
{
    assert(value_is_number(a) && value_is_number(b));
    if (is_big(a) || is_big(b)) {
        return order_big(a, b);
    }
    if (is_real(a)) {
        return is_real(b) ? order_reals(a->real, b->real)
                          : -order_integer_real(b->integer, a->real);
    }
    if (is_real(b)) {
        return order_integer_real(a->integer, b->real);
    }
    return (a->integer > b->integer) - (a->integer < b->integer);
}

/* ---- arithmetic ---- */

static bool apply_int64(enum number_op op, int64_t a, int64_t b, int64_t *out)
{
    switch (op) {
    case NUMBER_ADD:
        return !__builtin_add_overflow(a, b, out);
    case NUMBER_SUB:
        return !__builtin_sub_overflow(a, b, out);
    case NUMBER_MUL:
        return !__builtin_mul_overflow(a, b, out);
    case NUMBER_DIV:
        if (a == INT64_MIN && b == -1) {
            return false;
        }
        *out = a / b;
        return true;
    case NUMBER_MIN:
    case NUMBER_MAX:
        break;
    }
    assert(0);
    return false;
}

static int apply_integers(struct class class, enum number_op op, const struct value *a,
                          const struct value *b, struct value *out, struct error *err)
{
    int64_t v;

    if (op == NUMBER_DIV && b->integer == 0) {
        return error_set(err, E_EVALUATION, "/ by zero");
    }
    if (!apply_int64(op, a->integer, b->integer, &v)) {
        return error_set(err, E_EVALUATION, "long overflow");
    }
    while (class.bits < 64 &&
           v != (int64_t)((uint64_t)v << (64 - class.bits)) >> (64 - class.bits)) {
        class.bits *= 2;
    }
    *out = value_integer(kind_of(class), v);
    return E_OK;
}

static double apply_double(enum number_op op, double a, double b)
{
    return op == NUMBER_ADD ? a + b : op == NUMBER_SUB ? a - b : op == NUMBER_MUL ? a * b : a / b;
}

static void apply_reals(bool is_float, enum number_op op, double a, double b, struct value *out)
{
    double v = apply_double(op, a, b);

    if (is_float && (isinf((float)v) == 0 || isinf(a) || isinf(b) || isinf(v))) {
        *out = value_float((float)v);
    } else {
        *out = value_double(v); /* A float that overflows becomes a double. */
    }
}

static bool apply_exact(enum number_op op, bool is_whole, struct number_exact *a,
                        struct number_exact *b)
{
    switch (op) {
    case NUMBER_ADD:
        return number_exact_add(a, b);
    case NUMBER_SUB:
        return number_exact_sub(a, b);
    case NUMBER_MUL:
        return number_exact_mul(a, b);
    case NUMBER_DIV:
        return is_whole ? number_exact_div_whole(a, b) : number_exact_div(a, b);
    case NUMBER_MIN:
    case NUMBER_MAX:
        break;
    }
    assert(0);
    return false;
}

static int apply_bigs(struct arena *arena, enum number_op op, const struct value *a,
                      const struct value *b, struct value *out, struct error *err)
{
    bool is_whole = !class_of(a).is_real && !class_of(b).is_real;
    struct number_exact x;
    struct number_exact y;
    int rc = E_OK;

    number_exact_open(&x, a);
    number_exact_open(&y, b);
    if (op == NUMBER_DIV && number_exact_is_zero(&y)) {
        rc = error_set(err, E_EVALUATION, "Division by zero");
    } else if (!apply_exact(op, is_whole, &x, &y)) {
        rc = error_set(err, E_EVALUATION, "number of more than %d digits", NUMBER_EXACT_DIGITS_MAX);
    } else {
        *out = number_exact_store(arena, is_whole ? VALUE_BIGINT : VALUE_DECIMAL, &x);
    }
    number_exact_close(&x);
    number_exact_close(&y);
    return rc;
}

static bool is_nan(const struct value *a)
{
    return is_real(a) && isnan(a->real);
}

/* The winner, in the common class; NaN loses against anything. */
static int pick(struct arena *arena, enum value_kind kind, enum number_op op, const struct value *a,
                const struct value *b, struct value *out)
{
    const struct value *winner = a;

    if (is_nan(a)) {
        winner = b;
    } else if (!is_nan(b)) {
        int order = number_order(a, b);
        winner = (op == NUMBER_MIN ? order <= 0 : order >= 0) ? a : b;
    }
    if (kind == VALUE_DECIMAL && is_real(winner) && !isfinite(winner->real)) {
        *out = *winner; /* No BigDecimal is infinite. */
        return E_OK;
    }
    return number_convert(arena, kind, winner, out, NULL);
}

int number_apply(struct arena *arena, enum number_op op, const struct value *a,
                 const struct value *b, struct value *out, struct error *err)
{
    struct class one = class_of(a);
    struct class two = class_of(b);
    struct class common = {one.bits > two.bits ? one.bits : two.bits, one.is_real || two.is_real};

    if (op == NUMBER_MIN || op == NUMBER_MAX) {
        return pick(arena, kind_of(common), op, a, b, out);
    }
    if (common.bits == 128) {
        bool is_finite = (!is_real(a) || isfinite(a->real)) && (!is_real(b) || isfinite(b->real));
        if (is_finite) {
            return apply_bigs(arena, op, a, b, out, err);
        }
        apply_reals(false, op, number_double(a), number_double(b), out);
        return E_OK;
    }
    if (common.is_real) {
        apply_reals(common.bits <= 32, op, number_double(a), number_double(b), out);
        return E_OK;
    }
    return apply_integers(common, op, a, b, out, err);
}

/* ---- conversion ---- */

static const char *java_name(enum value_kind kind)
{
    static const char *const names[] = {
        [VALUE_BYTE] = "Byte",     [VALUE_SHORT] = "Short",        [VALUE_INT] = "Integer",
        [VALUE_LONG] = "Long",     [VALUE_BIGINT] = "BigInteger",  [VALUE_FLOAT] = "Float",
        [VALUE_DOUBLE] = "Double", [VALUE_DECIMAL] = "BigDecimal",
    };

    assert(kind >= VALUE_BYTE && kind <= VALUE_DECIMAL);
    return names[kind];
}

static bool to_bigint(struct arena *arena, const struct value *a, struct value *out)
{
    struct number_exact e;
    bool is_integral;
    bool fits;

    if (is_real(a)) {
        if (!isfinite(a->real)) {
            return false;
        }
        number_exact_open_whole(&e, a->real);
    } else {
        number_exact_open(&e, a);
    }
    fits = number_exact_truncate(&e, &is_integral);
    if (fits) {
        *out = number_exact_store(arena, VALUE_BIGINT, &e);
    }
    number_exact_close(&e);
    return fits;
}

static bool to_decimal(struct arena *arena, const struct value *a, struct value *out)
{
    struct number_exact e;

    if (is_real(a) && !isfinite(a->real)) {
        return false;
    }
    number_exact_open(&e, a);
    *out = number_exact_store(arena, VALUE_DECIMAL, &e);
    number_exact_close(&e);
    return true;
}

static bool to_integer(enum value_kind kind, const struct value *a, struct value *out)
{
    int bits = kind == VALUE_BYTE ? 8 : kind == VALUE_SHORT ? 16 : kind == VALUE_INT ? 32 : 64;
    bool is_integral;
    int64_t v;

    if (!truncated_int64(a, &v, &is_integral) ||
        v != (int64_t)((uint64_t)v << (64 - bits)) >> (64 - bits)) {
        return false;
    }
    *out = value_integer(kind, v);
    return true;
}

static bool to_float(const struct value *a, struct value *out)
{
    double v = number_double(a);

    if (isfinite(v) && fabs(v) > (double)FLT_MAX) {
        return false;
    }
    *out = value_float((float)v);
    return true;
}

static bool to_double(const struct value *a, struct value *out)
{
    double v = number_double(a);

    if (!is_real(a) && isinf(v)) {
        return false;
    }
    *out = value_double(v);
    return true;
}

int number_convert(struct arena *arena, enum value_kind kind, const struct value *a,
                   struct value *out, struct error *err)
{
    bool fits;

    assert(value_is_number(a));
    assert(kind >= VALUE_BYTE && kind <= VALUE_DECIMAL);
    if (a->kind == kind) {
        *out = *a;
        return E_OK;
    }
    if (kind == VALUE_BIGINT) {
        fits = to_bigint(arena, a, out);
    } else if (kind == VALUE_DECIMAL) {
        fits = to_decimal(arena, a, out);
    } else if (kind == VALUE_FLOAT) {
        fits = to_float(a, out);
    } else if (kind == VALUE_DOUBLE) {
        fits = to_double(a, out);
    } else {
        fits = to_integer(kind, a, out);
    }
    if (!fits) {
        return error_set(err, E_EVALUATION,
                         "Can't convert number of type %s to %s due to overflow.",
                         java_name((enum value_kind)a->kind), java_name(kind));
    }
    return E_OK;
}
