#include "router/op/function.h"

#include "common/datetime.h"
#include "common/number.h"
#include "common/text.h"

#include <assert.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { DIGITS_MAX = 400 }; /* Of a text that is read as a double. */

/* ---- a text as a number ---- */

/* The least kind of whole number that holds it: int, long, BigInteger. */
static struct value narrowed(const struct value *whole)
{
    int64_t small;

    if (!number_int64(whole, &small)) {
        return *whole;
    }
    return small >= INT32_MIN && small <= INT32_MAX ? value_int((int32_t)small) : value_long(small);
}

static bool parse_whole(struct arena *arena, struct slice text, struct value *out)
{
    char digits[DIGITS_MAX];
    size_t sign = text.size > 0 && (text.data[0] == '-' || text.data[0] == '+') ? 1 : 0;
    size_t prefix = 0;
    int base = 10;
    struct value whole;

    if (text.size >= sign + 2 && text.data[sign] == '0' && (text.data[sign + 1] | 0x20) == 'x') {
        base = 16;
        prefix = 2;
    } else if (text.size > sign + 1 && text.data[sign] == '0') {
        base = 8; /* As Java's Integer.decode(). */
        prefix = 1;
    }
    if (text.size - prefix >= sizeof digits || text.size == sign + prefix) {
        return false;
    }
    memcpy(digits, text.data, sign);
    memcpy(digits + sign, text.data + sign + prefix, text.size - sign - prefix);
    if (sign == 1 && digits[0] == '+') {
        digits[0] = '0';
    }
    if (!number_parse_bigint(arena, slice_of(digits, text.size - prefix), base, &whole)) {
        return false;
    }
    *out = narrowed(&whole);
    return true;
}

static bool parse_real(struct arena *arena, struct slice text, struct value *out)
{
    char copy[DIGITS_MAX];
    char *end;
    double real;

    if (text.size == 0 || text.size >= sizeof copy ||
        memchr("+-.0123456789", text.data[0], 13) == NULL) {
        return false; /* Not what strtod alone would take: blanks, inf, nan. */
    }
    for (size_t i = 0; i < text.size; i++) {
        if (memchr("+-.0123456789eE", text.data[i], 15) == NULL) {
            return false;
        }
    }
    memcpy(copy, text.data, text.size);
    copy[text.size] = '\0';
    real = strtod(copy, &end);
    if (end != copy + text.size) {
        return false;
    }
    if (isinf(real)) {
        return number_parse_decimal(arena, text, out);
    }
    *out = value_double(real);
    return true;
}

static int parse(const struct function_call *call, const struct value *value, struct value *out)
{
    struct slice text = value_slice(value);

    if (parse_whole(call->arena, text, out) || parse_real(call->arena, text, out)) {
        return E_OK;
    }
    return error_set(call->err, E_EVALUATION, "Can't parse string '%.*s' as number.",
                     (int)(text.size < 100 ? text.size : 100), (const char *)text.data);
}

/* ---- asNumber() ---- */

static enum value_kind kind_of(enum enumerator type)
{
    switch ((int)type) {
    case GTYPE_BYTE:
        return VALUE_BYTE;
    case GTYPE_SHORT:
        return VALUE_SHORT;
    case GTYPE_INT:
        return VALUE_INT;
    case GTYPE_LONG:
        return VALUE_LONG;
    case GTYPE_BIGINT:
        return VALUE_BIGINT;
    case GTYPE_FLOAT:
        return VALUE_FLOAT;
    case GTYPE_DOUBLE:
        return VALUE_DOUBLE;
    case GTYPE_BIGDECIMAL:
        return VALUE_DECIMAL;
    default:
        return VALUE_NULL; /* NUMBER: as it is. */
    }
}

static bool millis_of(const struct value *value, int64_t *ms)
{
    if (value->kind == VALUE_DATETIME) {
        *ms = value->time->seconds * 1000 + value->time->nanos / 1000000;
    } else if (value->kind == VALUE_DATE || value->kind == VALUE_TIMESTAMP) {
        *ms = value->integer;
    } else {
        return false;
    }
    return true;
}

int function_number_of(const struct function_call *call, const struct value *value,
                       struct value *out)
{
    struct value number = *value;
    enum value_kind kind = VALUE_NULL;
    int64_t ms;
    int rc = E_OK;

    if (value->kind == VALUE_NULL) {
        *out = *value;
        return E_OK;
    }
    if (value->kind == VALUE_STRING) {
        rc = parse(call, value, &number);
    } else if (millis_of(value, &ms)) {
        number = value_long(ms);
    } else if (!value_is_number(value)) {
        return error_set(call->err, E_EVALUATION, "Can't parse type %s as number.",
                         function_class_name(value));
    }
    if (call->plan->arg_count > 0) {
        kind = kind_of((enum enumerator)call->args[0]->integer);
    }
    if (rc == E_OK && kind != VALUE_NULL && number.kind != kind) {
        rc = number_convert(call->arena, kind, &number, &number, call->err);
    }
    *out = number;
    return rc;
}

/* ---- asBool() ---- */

static bool is_word(struct slice text, const char *word)
{
    if (text.size != strlen(word)) {
        return false;
    }
    for (size_t i = 0; i < text.size; i++) {
        if ((text.data[i] | 0x20) != (uint8_t)word[i]) {
            return false;
        }
    }
    return true;
}

int function_number_bool(const struct function_call *call, const struct value *value,
                         struct value *out)
{
    struct slice text;

    if (value->kind == VALUE_BOOL) {
        *out = *value;
        return E_OK;
    }
    if (value_is_number(value)) {
        struct value zero = value_int(0);
        bool is_real = value->kind == VALUE_DOUBLE || value->kind == VALUE_FLOAT;
        *out = value_bool(!(is_real && isnan(value->real)) && number_order(value, &zero) != 0);
        return E_OK;
    }
    if (value->kind == VALUE_STRING &&
        (is_word(value_slice(value), "true") || is_word(value_slice(value), "false"))) {
        *out = value_bool(value->size == 4);
        return E_OK;
    }
    text = value_text(call->arena, value);
    return error_set(call->err, E_EVALUATION, "Can't parse %.*s as Boolean.",
                     (int)(text.size < 100 ? text.size : 100), (const char *)text.data);
}
