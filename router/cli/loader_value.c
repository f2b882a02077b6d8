#include "router/cli/loader.h"

#include "common/datetime.h"
#include "common/number.h"
#include "common/text.h"

#include <string.h>

static const struct {
    const char *name;
    enum value_kind kind;
} types[] = {
    {"string", VALUE_STRING},
    {"text", VALUE_STRING},
    {"boolean", VALUE_BOOL},
    {"bool", VALUE_BOOL},
    {"byte", VALUE_BYTE},
    {"short", VALUE_SHORT},
    {"int", VALUE_INT},
    {"integer", VALUE_INT},
    {"long", VALUE_LONG},
    {"float", VALUE_FLOAT},
    {"double", VALUE_DOUBLE},
    {"date", VALUE_DATETIME},
    {"datetime", VALUE_DATETIME},
    {"uuid", VALUE_UUID},
    {"char", VALUE_CHAR},
    {"character", VALUE_CHAR},
    {"bigint", VALUE_BIGINT},
    {"biginteger", VALUE_BIGINT},
    {"bigdecimal", VALUE_DECIMAL},
    {"decimal", VALUE_DECIMAL},
};

static enum value_kind kind_of(struct slice type)
{
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        if (text_equal_nocase(type, slice_text(types[i].name))) {
            return types[i].kind;
        }
    }
    return VALUE_NULL;
}

bool loader_type_is_known(struct slice type)
{
    return kind_of(type) != VALUE_NULL;
}

bool loader_is_id(struct slice text)
{
    return text.size > 0 && text.size <= VID_TEXT_MAX && text_is_utf8(text);
}

struct vid loader_id(struct slice text)
{
    int64_t number;
    char back[32];

    if (text.size < sizeof(back) && text_to_i64(text, &number)) {
        snprintf(back, sizeof(back), "%lld", (long long)number);
        if (slice_equal(text, slice_text(back))) {
            return vid_num(number);
        }
    }
    return vid_text(text);
}

static bool integer_value(enum value_kind kind, struct slice text, struct value *out)
{
    static const int64_t lows[] = {[VALUE_BYTE] = INT8_MIN,
                                   [VALUE_SHORT] = INT16_MIN,
                                   [VALUE_INT] = INT32_MIN,
                                   [VALUE_LONG] = INT64_MIN};
    static const int64_t highs[] = {[VALUE_BYTE] = INT8_MAX,
                                    [VALUE_SHORT] = INT16_MAX,
                                    [VALUE_INT] = INT32_MAX,
                                    [VALUE_LONG] = INT64_MAX};
    int64_t number;

    if (!text_to_i64(text, &number) || number < lows[kind] || number > highs[kind]) {
        return false;
    }
    *out = value_integer(kind, number);
    return true;
}

static bool time_value(struct arena *arena, struct slice text, struct value *out)
{
    struct value_time time;
    int64_t ms;

    if (text_to_i64(text, &ms) && text.size > 8) {
        /* Milliseconds since 1970, as LDBC and many exports have it. */
        int64_t rest = ((ms % 1000) + 1000) % 1000;
        time = (struct value_time){.seconds = (ms - rest) / 1000, .nanos = (int32_t)rest * 1000000};
    } else if (!datetime_parse(text, &time)) {
        return false;
    }
    *out = (struct value){.kind = VALUE_DATETIME, .time = arena_copy(arena, &time, sizeof(time))};
    return true;
}

static bool uuid_value(struct arena *arena, struct slice text, struct value *out)
{
    uint8_t *bytes = arena_array(arena, 16, 1);
    size_t digits = 0;

    for (size_t i = 0; i < text.size; i++) {
        int c = text.data[i] | 0x20;
        int digit = c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
        if (text.data[i] == '-') {
            continue;
        }
        if (digit < 0 || digits == 32) {
            return false;
        }
        bytes[digits / 2] = (uint8_t)(bytes[digits / 2] << 4 | digit);
        digits++;
    }
    *out = (struct value){.kind = VALUE_UUID, .size = 16, .bytes = bytes};
    return digits == 32;
}

static bool real_value(enum value_kind kind, struct slice text, struct value *out)
{
    double number;

    if (!text_to_double(text, &number)) {
        return false;
    }
    *out = kind == VALUE_FLOAT ? value_float((float)number) : value_double(number);
    return true;
}

static bool char_value(struct slice text, struct value *out)
{
    size_t at = 0;

    if (text.size == 0 || !text_is_utf8(text)) {
        return false;
    }
    *out = value_integer(VALUE_CHAR, text_utf8_next(text, &at));
    return at == text.size;
}

bool loader_value(struct arena *arena, struct slice type, struct slice text, struct value *out)
{
    enum value_kind kind = kind_of(type);
    bool flag;

    if (kind == VALUE_STRING) {
        *out = value_string(text);
        return text_is_utf8(text);
    }
    if (kind == VALUE_BOOL) {
        bool good = text_to_bool(text, &flag);
        *out = value_bool(good && flag);
        return good;
    }
    if (kind >= VALUE_BYTE && kind <= VALUE_LONG) {
        return integer_value(kind, text, out);
    }
    if (kind == VALUE_FLOAT || kind == VALUE_DOUBLE) {
        return real_value(kind, text, out);
    }
    if (kind == VALUE_DATETIME) {
        return time_value(arena, text, out);
    }
    if (kind == VALUE_UUID) {
        return uuid_value(arena, text, out);
    }
    if (kind == VALUE_CHAR) {
        return char_value(text, out);
    }
    if (kind == VALUE_BIGINT) {
        return number_parse_bigint(arena, text, 10, out);
    }
    return kind == VALUE_DECIMAL && number_parse_decimal(arena, text, out);
}
