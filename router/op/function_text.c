#include "router/op/function.h"

#include "common/text.h"
#include "common/unicode.h"
#include "router/op/items.h"

#include <assert.h>
#include <string.h>

/* E_LIMIT if the text did not fit into what one step may make. */
static int check_whole(const struct function_call *call, const struct bytes *written)
{
    return !written->is_overflown
               ? E_OK
               : error_set(call->err, E_LIMIT, "%s() would make a text of more than %zu bytes",
                           function_step_name(call), function_text_room(call->arena));
}

/* What was written moves to the arena. */
static int keep(const struct function_call *call, struct bytes *written, struct value *out)
{
    int rc = check_whole(call, written);

    if (rc == E_OK) {
        struct slice text = bytes_slice(written);
        *out = value_string(slice_of(arena_copy(call->arena, text.data, text.size), text.size));
    }
    bytes_close(written);
    return rc;
}

static void add(struct bytes *out, struct slice text)
{
    bytes_append(out, text.data, text.size);
}

int function_text_concat(const struct function_call *call, const struct value *value,
                         struct value *out)
{
    struct bytes text;
    bool is_any = false;

    bytes_init(&text, function_text_room(call->arena));
    for (uint32_t i = 0; i <= call->plan->arg_count; i++) {
        const struct value *part = i == 0 ? value : call->args[i - 1];
        if (part->kind == VALUE_NULL) {
            continue;
        }
        if (part->kind != VALUE_STRING) {
            bytes_close(&text);
            return error_set(call->err, E_EVALUATION,
                             "String concat() can only take string as argument, encountered %s",
                             function_class_name(part));
        }
        is_any = true;
        add(&text, value_slice(part));
    }
    *out = value_null();
    return is_any ? keep(call, &text, out) : E_OK;
}

int function_text_conjoin(const struct function_call *call, const struct value *value,
                          struct value *out)
{
    struct bytes text;
    struct items items;
    const struct value *flat;
    uint32_t count;
    bool is_first = true;
    int rc = function_list_items(call, value, &items);

    if (rc != E_OK) {
        return rc;
    }
    if (call->args[0]->kind != VALUE_STRING) {
        return error_set(call->err, E_EVALUATION, "Argument provided for conjoin step can't be %s",
                         function_class_name(call->args[0]));
    }
    rc = function_list_flat(call, &items, &flat, &count);
    if (rc != E_OK) {
        return rc;
    }
    bytes_init(&text, function_text_room(call->arena));
    for (uint32_t i = 0; i < count && !text.is_overflown; i++) {
        if (flat[i].kind == VALUE_NULL) {
            continue;
        }
        if (!is_first) {
            add(&text, value_slice(call->args[0]));
        }
        value_print(&text, &flat[i]);
        is_first = false;
    }
    return keep(call, &text, out);
}

/* ---- for each item of a list, or for the value itself ---- */

typedef int (*one_fn)(const struct function_call *call, const struct value *value,
                      struct value *out);

static bool is_list(const struct value *value)
{
    return value->kind == VALUE_LIST || value->kind == VALUE_SET || value->kind == VALUE_BULKSET ||
           value->kind == VALUE_PATH;
}

static int each(const struct function_call *call, const struct value *value, one_fn one,
                struct value *out)
{
    struct items items;
    const struct value *flat;
    struct value *made;
    uint32_t count;
    int rc;

    (void)items_of(call->arena, value, &items);
    rc = function_list_flat(call, &items, &flat, &count);
    if (rc != E_OK) {
        return rc;
    }
    made = arena_array(call->arena, (size_t)count + 1, sizeof *made);
    for (uint32_t i = 0; i < count; i++) {
        rc = function_room(call, 0);
        if (rc == E_OK) {
            rc = one(call, &flat[i], &made[i]);
        }
        if (rc != E_OK) {
            return rc;
        }
    }
    *out = (struct value){.kind = VALUE_LIST, .size = count, .items = made};
    return E_OK;
}

static int text_of_one(const struct function_call *call, const struct value *value,
                       struct value *out)
{
    if (value->kind == VALUE_NULL) {
        return error_set(call->err, E_EVALUATION, "Can't parse null as String.");
    }
    *out = value_string(value_text(call->arena, value));
    return E_OK;
}

int function_text_of(const struct function_call *call, const struct value *value, struct value *out)
{
    return call->plan->scope == SCOPE_LOCAL && is_list(value) ? each(call, value, text_of_one, out)
                                                              : text_of_one(call, value, out);
}

/* ---- strings to something ---- */

/* UTF-16 code units, as Java counts. */
static size_t units_of(struct slice text)
{
    size_t units = 0;

    for (size_t i = 0; i < text.size; i++) {
        units += (size_t)((text.data[i] & 0xc0) != 0x80) + (size_t)(text.data[i] >= 0xf0);
    }
    return units;
}

/* Where `wanted` begins at or behind `from`; SIZE_MAX: nowhere. */
static size_t find(struct slice text, size_t from, struct slice wanted)
{
    assert(wanted.size > 0);
    for (size_t at = from; at + wanted.size <= text.size; at++) {
        const uint8_t *next =
            memchr(text.data + at, wanted.data[0], text.size - wanted.size + 1 - at);
        if (next == NULL) {
            return SIZE_MAX;
        }
        at = (size_t)(next - text.data);
        if (memcmp(next, wanted.data, wanted.size) == 0) {
            return at;
        }
    }
    return SIZE_MAX;
}

/* String.replace("", to): before each character and at the end. */
static void replace_nothing(struct bytes *out, struct slice text, struct slice to)
{
    for (size_t at = 0; at < text.size && !out->is_overflown;) {
        size_t start = at;
        (void)text_utf8_next(text, &at);
        add(out, to);
        add(out, slice_of(text.data + start, at - start));
    }
    add(out, to);
}

static void replace_all(struct bytes *out, struct slice text, struct slice from, struct slice to)
{
    size_t at = 0, found;

    while (!out->is_overflown && (found = find(text, at, from)) != SIZE_MAX) {
        add(out, slice_of(text.data + at, found - at));
        add(out, to);
        at = found + from.size;
    }
    if (text.size > at) {
        add(out, slice_of(text.data + at, text.size - at));
    }
}

static int replace(const struct function_call *call, struct slice text, struct value *out)
{
    struct slice from = value_slice(call->args[0]), to = value_slice(call->args[1]);
    struct bytes made;

    if (call->args[0]->kind == VALUE_NULL || call->args[1]->kind == VALUE_NULL) {
        *out = value_string(text);
        return E_OK;
    }
    bytes_init(&made, function_text_room(call->arena));
    if (from.size == 0) {
        replace_nothing(&made, text, to);
    } else {
        replace_all(&made, text, from, to);
    }
    return keep(call, &made, out);
}

struct parts {
    struct value *items;
    uint32_t count;
};

static void push(struct parts *parts, struct slice text)
{
    parts->items[parts->count++] = value_string(text);
}

static void split_characters(struct parts *parts, struct slice text)
{
    for (size_t at = 0; at < text.size;) {
        size_t start = at;
        (void)text_utf8_next(text, &at);
        push(parts, slice_of(text.data + start, at - start));
    }
}

static void split_blanks(struct parts *parts, struct slice text)
{
    struct slice rest = unicode_trim_left(text);

    while (rest.size > 0) {
        size_t end = 0, next = 0;
        while (next < rest.size) {
            struct slice from = slice_of(rest.data + next, rest.size - next);
            if (unicode_trim_left(from).size != from.size) {
                break;
            }
            (void)text_utf8_next(rest, &next);
            end = next;
        }
        push(parts, slice_of(rest.data, end));
        rest = unicode_trim_left(slice_of(rest.data + end, rest.size - end));
    }
}

/* As StringUtils.splitByWholeSeparator: separators side by side count once, what is behind the
 * last one is there even if it is empty. */
static void split_separator(struct parts *parts, struct slice text, struct slice separator)
{
    size_t at = 0, found;

    if (text.size == 0) {
        return;
    }
    while ((found = find(text, at, separator)) != SIZE_MAX) {
        if (found > at) {
            push(parts, slice_of(text.data + at, found - at));
        }
        at = found + separator.size;
    }
    push(parts, slice_of(text.data + at, text.size - at));
}

/* At least as many as split() makes. */
static size_t parts_most(struct slice text, const struct value *separator)
{
    size_t count = 1, at = 0;

    if (separator->kind == VALUE_NULL || separator->size == 0) {
        return text.size + 1;
    }
    while ((at = find(text, at, value_slice(separator))) != SIZE_MAX) {
        count++;
        at += separator->size;
    }
    return count;
}

static int split(const struct function_call *call, struct slice text, struct value *out)
{
    size_t most = parts_most(text, call->args[0]);
    struct parts parts = {0};
    int rc = function_room(call, most);

    if (rc != E_OK) {
        return rc;
    }
    parts.items = arena_array(call->arena, most, sizeof *parts.items);
    if (call->args[0]->kind == VALUE_NULL) {
        split_blanks(&parts, text);
    } else if (call->args[0]->size == 0) {
        split_characters(&parts, text);
    } else {
        split_separator(&parts, text, value_slice(call->args[0]));
    }
    assert(parts.count <= most);
    *out = (struct value){.kind = VALUE_LIST, .size = parts.count, .items = parts.items};
    return E_OK;
}

/* A negative place counts from the end. */
static size_t place_of(const struct value *arg, size_t units)
{
    int64_t at = arg->integer < 0 ? arg->integer + (int64_t)units : arg->integer;

    return at < 0 ? 0 : (uint64_t)at > units ? units : (size_t)at;
}

static struct value substring(const struct function_call *call, struct slice text)
{
    size_t units = units_of(text);
    size_t from = place_of(call->args[0], units);
    size_t to = call->plan->arg_count > 1 ? place_of(call->args[1], units) : units;

    return value_string(from < to ? unicode_substring(text, from, to) : SLICE(""));
}

static struct value changed(const struct function_call *call, struct slice text)
{
    switch ((int)call->plan->step) {
    case STEP_LENGTH:
        return value_int((int32_t)units_of(text));
    case STEP_TO_UPPER:
        return value_string(unicode_upper(call->arena, text));
    case STEP_TO_LOWER:
        return value_string(unicode_lower(call->arena, text));
    case STEP_TRIM:
        return value_string(unicode_trim_left(unicode_trim_right(text)));
    case STEP_L_TRIM:
        return value_string(unicode_trim_left(text));
    case STEP_R_TRIM:
        return value_string(unicode_trim_right(text));
    default:
        assert(call->plan->step == STEP_SUBSTRING);
        return substring(call, text);
    }
}

static int change_one(const struct function_call *call, const struct value *value,
                      struct value *out)
{
    if (value->kind == VALUE_NULL) {
        *out = value_null();
        return E_OK;
    }
    if (value->kind != VALUE_STRING) {
        return error_set(call->err, E_EVALUATION,
                         call->plan->scope == SCOPE_LOCAL
                             ? "The %s(local) step can only take string or list of strings, "
                               "encountered %s"
                             : "The %s() step can only take string as argument, encountered %s",
                         function_step_name(call), function_class_name(value));
    }
    if (call->plan->step == STEP_REPLACE) {
        return replace(call, value_slice(value), out);
    }
    if (call->plan->step == STEP_SPLIT) {
        return split(call, value_slice(value), out);
    }
    *out = changed(call, value_slice(value));
    return E_OK;
}

int function_text_change(const struct function_call *call, const struct value *value,
                         struct value *out)
{
    return call->plan->scope == SCOPE_LOCAL && is_list(value) ? each(call, value, change_one, out)
                                                              : change_one(call, value, out);
}
