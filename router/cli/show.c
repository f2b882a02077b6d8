#include "router/cli/show.h"

#include "common/jsontext.h"
#include "router/wire/graphson.h"

#include <assert.h>
#include <string.h>

enum {
    COLUMNS_MAX = 64,
    CELL_MAX = 60 /* Characters of a table cell on the screen. */
};

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
            while (at < table->count &&
                   !value_equivalent(&table->columns[at], &row->items[2 * k])) {
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
            jsontext_write(&line, &results->items[i]);
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
