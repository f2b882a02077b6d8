#include "common/jsontext.h"

#include "common/element.h"

#include <math.h>

static void json_text(struct bytes *out, struct slice text)
{
    bytes_u8(out, '"');
    for (size_t i = 0; i < text.size; i++) {
        uint8_t c = text.data[i];
        if (c == '"' || c == '\\') {
            bytes_u8(out, '\\');
            bytes_u8(out, c);
        } else if (c == '\n') {
            bytes_append(out, "\\n", 2);
        } else if (c < 0x20 || c == 0x7f) {
            bytes_format(out, "\\u%04x", c);
        } else {
            bytes_u8(out, c);
        }
    }
    bytes_u8(out, '"');
}

static void json_key(struct bytes *out, const struct value *key)
{
    struct bytes text = {0};

    bytes_init(&text, 0);
    value_print(&text, key);
    json_text(out, bytes_slice(&text));
    bytes_close(&text);
}

static void json_named(struct bytes *out, const char *name, const struct value *value)
{
    bytes_format(out, "\"%s\":", name);
    jsontext_write(out, value);
}

static void json_vertex(struct bytes *out, const struct vertex *vertex)
{
    struct value label = value_string(vertex->label);

    bytes_u8(out, '{');
    json_named(out, "id", &vertex->id);
    bytes_u8(out, ',');
    json_named(out, "label", &label);
    if (vertex->has_props) {
        bytes_append(out, ",\"properties\":{", 15);
        for (uint32_t i = 0; i < vertex->prop_count; i++) {
            /* Several values of one key stand together: they were written that way. */
            bool is_same = i > 0 && slice_equal(vertex->props[i].key, vertex->props[i - 1].key);
            if (!is_same) {
                bytes_append(out, i > 0 ? "]," : "", i > 0 ? 2 : 0);
                json_text(out, vertex->props[i].key);
                bytes_append(out, ":[", 2);
            } else {
                bytes_u8(out, ',');
            }
            jsontext_write(out, &vertex->props[i].value);
        }
        bytes_append(out, vertex->prop_count > 0 ? "]}" : "}", vertex->prop_count > 0 ? 2 : 1);
    }
    bytes_u8(out, '}');
}

static void json_edge(struct bytes *out, const struct edge *edge)
{
    struct value label = value_string(edge->label);

    bytes_u8(out, '{');
    json_named(out, "id", &edge->id);
    bytes_u8(out, ',');
    json_named(out, "label", &label);
    bytes_u8(out, ',');
    json_named(out, "outV", &edge->out_id);
    bytes_u8(out, ',');
    json_named(out, "inV", &edge->in_id);
    if (edge->has_props) {
        bytes_append(out, ",\"properties\":{", 15);
        for (uint32_t i = 0; i < edge->prop_count; i++) {
            bytes_append(out, i > 0 ? "," : "", i > 0 ? 1 : 0);
            json_text(out, edge->props[i].key);
            bytes_u8(out, ':');
            jsontext_write(out, &edge->props[i].value);
        }
        bytes_u8(out, '}');
    }
    bytes_u8(out, '}');
}

static void json_items(struct bytes *out, const struct value *items, uint32_t count)
{
    bytes_u8(out, '[');
    for (uint32_t i = 0; i < count; i++) {
        bytes_append(out, i > 0 ? "," : "", i > 0 ? 1 : 0);
        jsontext_write(out, &items[i]);
    }
    bytes_u8(out, ']');
}

static void json_map(struct bytes *out, const struct value *map)
{
    bytes_u8(out, '{');
    for (uint32_t i = 0; i < map->size; i++) {
        bytes_append(out, i > 0 ? "," : "", i > 0 ? 1 : 0);
        json_key(out, &map->items[2 * i]);
        bytes_u8(out, ':');
        jsontext_write(out, &map->items[2 * i + 1]);
    }
    bytes_u8(out, '}');
}

static void json_bulkset(struct bytes *out, const struct value *set)
{
    bool is_first = true;

    bytes_u8(out, '[');
    for (uint32_t i = 0; i < set->size; i++) {
        for (int64_t n = 0; n < set->items[2 * i + 1].integer; n++) {
            bytes_append(out, is_first ? "" : ",", is_first ? 0 : 1);
            is_first = false;
            jsontext_write(out, &set->items[2 * i]);
        }
    }
    bytes_u8(out, ']');
}

static void json_scalar(struct bytes *out, const struct value *value)
{
    bool is_real = value->kind == VALUE_DOUBLE || value->kind == VALUE_FLOAT;

    if (value->kind == VALUE_NULL) {
        bytes_append(out, "null", 4);
    } else if (value->kind == VALUE_BOOL || (value_is_number(value) && !is_real) ||
               (is_real && isfinite(value->real))) {
        value_print(out, value);
    } else {
        json_key(out, value);
    }
}

void jsontext_write(struct bytes *out, const struct value *value)
{
    if (value->kind == VALUE_LIST || value->kind == VALUE_SET) {
        json_items(out, value->items, value->size);
    } else if (value->kind == VALUE_PATH) {
        json_items(out, value->path->objects, value->path->size);
    } else if (value->kind == VALUE_BULKSET) {
        json_bulkset(out, value);
    } else if (value->kind == VALUE_MAP || value->kind == VALUE_TREE) {
        json_map(out, value);
    } else if (value->kind == VALUE_GRAPH) {
        json_items(out, value->items, 2);
    } else if (value->kind == VALUE_METRICS) {
        jsontext_write(out, value->items);
    } else if (value->kind == VALUE_VERTEX) {
        json_vertex(out, value->vertex);
    } else if (value->kind == VALUE_EDGE) {
        json_edge(out, value->edge);
    } else if (value->kind == VALUE_VPROPERTY) {
        jsontext_write(out, &value->vproperty->value);
    } else if (value->kind == VALUE_PROPERTY) {
        jsontext_write(out, &value->property->value);
    } else {
        json_scalar(out, value);
    }
}
