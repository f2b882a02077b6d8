#include "router/op/function.h"

#include "common/datetime.h"
#include "common/number.h"

#include <assert.h>

static struct value moment(struct arena *arena, struct value_time time)
{
    struct value_time *kept = ARENA_NEW(arena, struct value_time);

    *kept = time;
    return (struct value){.kind = VALUE_DATETIME, .time = kept};
}

static struct value_time of_millis(int64_t ms)
{
    int64_t rest = ms % 1000;
    int64_t seconds = ms / 1000 - (rest < 0);

    return (struct value_time){.seconds = seconds,
                               .nanos = (int32_t)(rest < 0 ? rest + 1000 : rest) * 1000000};
}

/* A moment in any of the kinds that are one; false: it is none. */
static bool time_of(const struct value *value, struct value_time *out)
{
    if (value->kind == VALUE_DATETIME) {
        *out = *value->time;
        return true;
    }
    if (value->kind == VALUE_DATE || value->kind == VALUE_TIMESTAMP) {
        *out = of_millis(value->integer);
        return true;
    }
    return false;
}

static int unreadable(const struct function_call *call, const struct value *value)
{
    struct slice text = value_text(call->arena, value);

    return error_set(call->err, E_EVALUATION, "Can't parse %.*s as Date.", (int)text.size,
                     (const char *)text.data);
}

int function_date_of(const struct function_call *call, const struct value *value, struct value *out)
{
    struct value_time time;
    int64_t ms;

    if (time_of(value, &time)) {
        *out = moment(call->arena, time);
        return E_OK;
    }
    if (value->kind == VALUE_STRING) {
        if (!datetime_parse(value_slice(value), &time)) {
            return unreadable(call, value);
        }
        *out = moment(call->arena, time);
        return E_OK;
    }
    if (!(value->kind >= VALUE_BYTE && value->kind <= VALUE_BIGINT) || !number_int64(value, &ms)) {
        return unreadable(call, value);
    }
    *out = moment(call->arena, of_millis(ms));
    return E_OK;
}

int function_date_add(const struct function_call *call, const struct value *value,
                      struct value *out)
{
    static const int64_t seconds[] = {1, 60, 3600, DATETIME_DAY_SECONDS};
    struct value_time time, sum;
    int64_t unit, total;

    if (!time_of(value, &time)) {
        return error_set(call->err, E_EVALUATION,
                         "dateAdd() can only take a date as its input, encountered %s",
                         function_class_name(value));
    }
    assert(call->args[0]->integer >= DT_SECOND && call->args[0]->integer <= DT_DAY);
    unit = seconds[call->args[0]->integer - DT_SECOND];
    if (__builtin_mul_overflow(unit, call->args[1]->integer, &total) ||
        !datetime_add(&time, total, 0, &sum)) {
        return error_set(call->err, E_EVALUATION,
                         "dateAdd() goes beyond the years that a date has");
    }
    *out = moment(call->arena, sum);
    return E_OK;
}

/* The reference counts null as the start of 1970. */
int function_date_diff(const struct function_call *call, const struct value *value,
                       struct value *out)
{
    struct value_time time, other = {0};
    int64_t ms;

    if (!time_of(value, &time) ||
        (call->args[0]->kind != VALUE_NULL && !time_of(call->args[0], &other))) {
        return error_set(call->err, E_EVALUATION,
                         "dateDiff() can only take dates, encountered %s and %s",
                         function_class_name(value), function_class_name(call->args[0]));
    }
    /* Years end at 999,999,999: the difference in milliseconds fits. */
    ms = (time.seconds - other.seconds) * 1000 + (time.nanos / 1000000 - other.nanos / 1000000);
    *out = value_long(ms);
    return E_OK;
}
