#include <assert.h>
#include <string.h>

#include "common/datetime.h"
#include "common/element.h"
#include "common/extended.h"
#include "common/number.h"
#include "common/predicate.h"
#include "common/text.h"
#include "common/value.h"

enum {
    ABBREVIATION = 20 /* UTF-16 units, as StringFactory cuts the values of properties. */
};

static void append_slice(struct bytes *out, struct slice text)
{
    bytes_append(out, text.data, text.size);
}

static void append_text(struct bytes *out, const char *text)
{
    bytes_append(out, text, strlen(text));
}

static void print_items(struct bytes *out, const char *open, const struct value *items,
                        size_t count, const char *close)
{
    append_text(out, open);
    for (size_t i = 0; i < count; i++) {
        if (i > 0) {
            append_text(out, ", ");
        }
        value_print(out, &items[i]);
    }
    append_text(out, close);
}

static void print_pairs(struct bytes *out, const struct value *value)
{
    bytes_u8(out, '{');
    for (size_t i = 0; i < value->size; i++) {
        if (i > 0) {
            append_text(out, ", ");
        }
        value_print(out, &value->items[2 * i]);
        bytes_u8(out, '=');
        value_print(out, &value->items[2 * i + 1]);
    }
    bytes_u8(out, '}');
}

static void print_uuid(struct bytes *out, const uint8_t *uuid)
{
    for (int i = 0; i < 16; i++) {
        bytes_format(out, i == 4 || i == 6 || i == 8 || i == 10 ? "-%02x" : "%02x", uuid[i]);
    }
}

static void print_edge(struct bytes *out, const struct edge *edge)
{
    append_text(out, "e[");
    value_print(out, &edge->id);
    append_text(out, "][");
    value_print(out, &edge->out_id);
    bytes_u8(out, '-');
    append_slice(out, edge->label);
    append_text(out, "->");
    value_print(out, &edge->in_id);
    bytes_u8(out, ']');
}

static void print_property(struct bytes *out, const char *open, struct slice key,
                           const struct value *value)
{
    struct bytes text;

    bytes_init(&text, 0);
    value_print(&text, value);
    append_text(out, open);
    append_slice(out, key);
    append_text(out, "->");
    struct slice all = bytes_slice(&text);
    if (text_utf16_length(all) > ABBREVIATION) {
        append_slice(out, slice_of(all.data, text_utf16_offset(all, ABBREVIATION - 3)));
        append_text(out, "...");
    } else {
        append_slice(out, all);
    }
    bytes_u8(out, ']');
    bytes_close(&text);
}

static void print_binary(struct bytes *out, uint32_t size)
{
    bytes_format(out, "java.nio.HeapByteBuffer[pos=0 lim=%u cap=%u]", size, size);
}

static void print_container(struct bytes *out, const struct value *value)
{
    switch (value->kind) {
    case VALUE_LIST:
    case VALUE_SET:
        print_items(out, "[", value->items, value->size, "]");
        break;
    case VALUE_MAP:
    case VALUE_BULKSET:
    case VALUE_TREE:
        print_pairs(out, value);
        break;
    case VALUE_PATH:
        print_items(out, "path[", value->path->objects, value->path->size, "]");
        break;
    case VALUE_ENTRY:
        value_print(out, &value->items[0]);
        bytes_u8(out, '=');
        value_print(out, &value->items[1]);
        break;
    case VALUE_GRAPH:
        bytes_format(out, "tinkergraph[vertices:%u edges:%u]", value->items[0].size,
                     value->items[1].size);
        break;
    default: /* TRAVERSER, STRATEGY, METRICS: by what they are of. */
        value_print(out, &value->items[0]);
        break;
    }
}

static void print_moment(struct bytes *out, const struct value *value)
{
    switch (value->kind) {
    case VALUE_DATE:
        datetime_print_legacy_date(out, value->integer);
        break;
    case VALUE_TIMESTAMP:
        datetime_print_timestamp(out, value->integer);
        break;
    case VALUE_DATETIME:
        datetime_print(out, value->time);
        break;
    default:
        assert(value->kind == VALUE_DURATION);
        datetime_print_span(out, value->time);
        break;
    }
}

static void print_element(struct bytes *out, const struct value *value)
{
    switch (value->kind) {
    case VALUE_VERTEX:
        append_text(out, "v[");
        value_print(out, &value->vertex->id);
        bytes_u8(out, ']');
        break;
    case VALUE_EDGE:
        print_edge(out, value->edge);
        break;
    case VALUE_VPROPERTY:
        print_property(out, "vp[", value->vproperty->key, &value->vproperty->value);
        break;
    default:
        assert(value->kind == VALUE_PROPERTY);
        print_property(out, "p[", value->property->key, &value->property->value);
        break;
    }
}

static void print_small(struct bytes *out, const struct value *value)
{
    switch (value->kind) {
    case VALUE_NULL:
        append_text(out, "null");
        break;
    case VALUE_BOOL:
        append_text(out, value->boolean ? "true" : "false");
        break;
    case VALUE_CLASS:
        append_text(out, "class ");
        append_slice(out, value_slice(value));
        break;
    case VALUE_CHAR:
        text_utf8_put(out, (uint32_t)value->integer);
        break;
    case VALUE_UUID:
        print_uuid(out, value->bytes);
        break;
    case VALUE_BINARY:
        print_binary(out, value->size);
        break;
    case VALUE_EXTENDED:
        extended_print(out, value->flag, value_slice(value));
        break;
    case VALUE_ENUM:
        append_text(out, value_enumerator_name((enum enumerator)value->integer));
        break;
    default: /* STRING, GEO, LAMBDA */
        append_slice(out, value_slice(value));
        break;
    }
}

void value_print(struct bytes *out, const struct value *value)
{
    switch ((enum value_kind)value->kind) {
    case VALUE_BYTE:
    case VALUE_SHORT:
    case VALUE_INT:
    case VALUE_LONG:
    case VALUE_BIGINT:
    case VALUE_FLOAT:
    case VALUE_DOUBLE:
    case VALUE_DECIMAL:
        number_print(out, value);
        break;
    case VALUE_NULL:
    case VALUE_BOOL:
    case VALUE_CLASS:
    case VALUE_STRING:
    case VALUE_GEO:
    case VALUE_LAMBDA:
    case VALUE_CHAR:
    case VALUE_UUID:
    case VALUE_BINARY:
    case VALUE_EXTENDED:
    case VALUE_ENUM:
        print_small(out, value);
        break;
    case VALUE_DATE:
    case VALUE_TIMESTAMP:
    case VALUE_DATETIME:
    case VALUE_DURATION:
        print_moment(out, value);
        break;
    case VALUE_LIST:
    case VALUE_SET:
    case VALUE_MAP:
    case VALUE_BULKSET:
    case VALUE_PATH:
    case VALUE_ENTRY:
    case VALUE_TREE:
    case VALUE_TRAVERSER:
    case VALUE_STRATEGY:
    case VALUE_METRICS:
    case VALUE_GRAPH:
        print_container(out, value);
        break;
    case VALUE_VERTEX:
    case VALUE_EDGE:
    case VALUE_VPROPERTY:
    case VALUE_PROPERTY:
        print_element(out, value);
        break;
    case VALUE_PREDICATE:
        predicate_print(out, value->predicate);
        break;
    case VALUE_TRAVERSAL: /* Its text is the business of router/gremlin, which knows the steps. */
        append_text(out, "traversal");
        break;
    case VALUE_KIND_COUNT:
        assert(0);
    }
}

struct slice value_text(struct arena *arena, const struct value *value)
{
    struct bytes text;
    struct slice copy;

    if (value->kind == VALUE_STRING) {
        return value_slice(value);
    }
    bytes_init(&text, 0);
    value_print(&text, value);
    copy = slice_of(arena_copy(arena, text.data, text.size), text.size);
    bytes_close(&text);
    return copy;
}
