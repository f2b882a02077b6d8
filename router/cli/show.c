#include "router/cli/show.h"

#include "common/element.h"
#include "common/number.h"
#include "router/wire/graphson.h"

#include <assert.h>
#include <math.h>
#include <string.h>

enum {
    COLUMNS_MAX = 64,
    CELL_MAX = 60 /* Characters of a table cell on the screen. */
};

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
    show_json(out, value);
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
            show_json(out, &vertex->props[i].value);
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
            show_json(out, &edge->props[i].value);
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
        show_json(out, &items[i]);
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
        show_json(out, &map->items[2 * i + 1]);
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
            show_json(out, &set->items[2 * i]);
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

void show_json(struct bytes *out, const struct value *value)
{
    if (value->kind == VALUE_LIST || value->kind == VALUE_SET) {
        json_items(out, value->items, value->size);
    } else if (value->kind == VALUE_PATH) {
        json_items(out, value->path->objects, value->path->size);
    } else if (value->kind == VALUE_BULKSET) {
        json_bulkset(out, value);
    } else if (value->kind == VALUE_MAP || value->kind == VALUE_TREE) {
        json_map(out, value);
    } else if (value->kind == VALUE_METRICS) {
        show_json(out, value->items);
    } else if (value->kind == VALUE_VERTEX) {
        json_vertex(out, value->vertex);
    } else if (value->kind == VALUE_EDGE) {
        json_edge(out, value->edge);
    } else if (value->kind == VALUE_VPROPERTY) {
        show_json(out, &value->vproperty->value);
    } else if (value->kind == VALUE_PROPERTY) {
        show_json(out, &value->property->value);
    } else {
        json_scalar(out, value);
    }
}

/* ---- tables ---- */

struct table {
    struct value columns[COLUMNS_MAX];
    size_t widths[COLUMNS_MAX];
    size_t count;
};

/* Characters, not bytes; wide ones count once. */
static size_t width_of(struct slice text)
{
    size_t width = 0;

    for (size_t i = 0; i < text.size; i++) {
        width += (text.data[i] & 0xc0) != 0x80;
    }
    return width;
}

static struct slice cell_of(struct arena *arena, const struct value *value)
{
    struct slice text = value ? value_text(arena, value) : SLICE("");
    size_t width = 0, at = 0;

    for (; at < text.size; at++) {
        width += (text.data[at] & 0xc0) != 0x80;
        if (width > CELL_MAX) {
            break;
        }
    }
    if (at < text.size) {
        return slice_text(arena_format(arena, "%.*s...", (int)at, (const char *)text.data));
    }
    return text;
}

static const struct value *cell_value(const struct table *table, const struct value *row, size_t at)
{
    return table->count == 0 ? row : value_get(row, &table->columns[at]);
}

static void find_columns(struct table *table, const struct value *results)
{
    for (uint32_t i = 0; i < results->size; i++) {
        const struct value *row = &results->items[i];
        if (row->kind != VALUE_MAP) {
            table->count = 0;
            return;
        }
        for (uint32_t k = 0; k < row->size; k++) {
            size_t at = 0;
            while (at < table->count && !value_equivalent(&table->columns[at], &row->items[2 * k])) {
                at++;
            }
            if (at == table->count && at < COLUMNS_MAX) {
                table->columns[table->count++] = row->items[2 * k];
            }
        }
    }
}

static void print_cell(FILE *out, struct slice text, size_t width, bool is_last)
{
    fwrite(text.data, 1, text.size, out);
    if (!is_last) {
        fprintf(out, "%*s", (int)(width - width_of(text) + 2), "");
    }
}

static void show_table(FILE *out, const struct value *results, struct arena *arena)
{
    struct table table = {0};
    size_t shown;

    find_columns(&table, results);
    shown = table.count > 0 ? table.count : 1;
    for (size_t c = 0; c < shown; c++) {
        struct slice head = table.count > 0 ? cell_of(arena, &table.columns[c]) : SLICE("result");
        table.widths[c] = width_of(head);
        for (uint32_t i = 0; i < results->size; i++) {
            size_t width = width_of(cell_of(arena, cell_value(&table, &results->items[i], c)));
            table.widths[c] = width > table.widths[c] ? width : table.widths[c];
        }
    }
    for (size_t c = 0; c < shown; c++) {
        struct slice head = table.count > 0 ? cell_of(arena, &table.columns[c]) : SLICE("result");
        print_cell(out, head, table.widths[c], c + 1 == shown);
    }
    fputc('\n', out);
    for (size_t c = 0; c < shown; c++) {
        for (size_t i = 0; i < table.widths[c]; i++) {
            fputc('-', out);
        }
        fputs(c + 1 == shown ? "\n" : "  ", out);
    }
    for (uint32_t i = 0; i < results->size; i++) {
        for (size_t c = 0; c < shown; c++) {
            struct slice cell = cell_of(arena, cell_value(&table, &results->items[i], c));
            print_cell(out, cell, table.widths[c], c + 1 == shown);
        }
        fputc('\n', out);
    }
}

void show_results(FILE *out, enum cli_output output, const struct value *results,
                  struct arena *arena)
{
    struct bytes line = {0};

    assert(results->kind == VALUE_LIST);
    if (output == CLI_OUTPUT_TABLE) {
        show_table(out, results, arena);
        return;
    }
    bytes_init(&line, 0);
    for (uint32_t i = 0; i < results->size; i++) {
        bytes_clear(&line);
        if (output == CLI_OUTPUT_JSON) {
            show_json(&line, &results->items[i]);
        } else if (output == CLI_OUTPUT_GRAPHSON) {
            graphson_write(&line, FORMAT_GRAPHSON3, &results->items[i]);
        } else {
            bytes_append(&line, "==>", 3);
            value_print(&line, &results->items[i]);
        }
        bytes_u8(&line, '\n');
        fwrite(line.data, 1, line.size, out);
    }
    bytes_close(&line);
}
