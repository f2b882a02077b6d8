#include "router/cli/loader.h"

#include "common/element.h"
#include "common/mem.h"

#include <assert.h>
#include <csv.h>
#include <errno.h>
#include <inttypes.h>
#include <string.h>

/*
 * CSV with Neptune's headers: vertices `~id,~label,name:type...`, edges
 * `~id,~from,~to,~label,name:type...`. Types are case-insensitive, `[]` is an array of values
 * apart by `;` (`\;` is a semicolon), `(single)` and `(set)` give the cardinality. Without a
 * type it is text. An empty cell is no property.
 */

enum {
    COLUMNS_MAX = 1024,
    FIELD_MAX = 8 << 20,
    READ_SIZE = 1 << 13,
    VALUES_MAX = 4096 /* Of one cell. */
};

enum column_kind { COLUMN_PROPERTY, COLUMN_ID, COLUMN_LABEL, COLUMN_FROM, COLUMN_TO };

struct column {
    enum column_kind kind;
    struct slice key;
    struct slice type;
    uint8_t cardinality; /* CARDINALITY_* - CARDINALITY_SINGLE. */
    bool is_array;
};

struct file {
    struct loader *loader;
    struct arena head; /* Columns. */
    struct arena row;  /* Of the row being read. */
    struct column columns[COLUMNS_MAX];
    struct slice fields[COLUMNS_MAX]; /* data null: empty. */
    size_t column_count;
    size_t field_count; /* Of the row, also those past COLUMNS_MAX. */
    uint64_t line;      /* Where the row began. */
    uint64_t next_line;
    bool has_head;
    bool after_cr; /* The row before ended in CR: a LF belongs to it. */
    bool is_edges;
    bool only_head;
    int rc;
    struct error *err;
};

static bool same_text(struct slice text, const char *name)
{
    if (text.size != strlen(name)) {
        return false;
    }
    for (size_t i = 0; i < text.size; i++) {
        uint8_t c = text.data[i];
        if ((c >= 'A' && c <= 'Z' ? c + 32 : c) != (uint8_t)name[i]) {
            return false;
        }
    }
    return true;
}

static bool cut_suffix(struct slice *text, const char *suffix)
{
    size_t size = strlen(suffix);

    if (text->size < size || !same_text(slice_of(text->data + text->size - size, size), suffix)) {
        return false;
    }
    text->size -= size;
    return true;
}

static void read_column(struct column *column, struct slice head)
{
    static const struct {
        const char *name;
        enum column_kind kind;
    } special[] = {
        {"~id", COLUMN_ID}, {"~label", COLUMN_LABEL}, {"~from", COLUMN_FROM}, {"~to", COLUMN_TO}};
    const uint8_t *colon;

    for (size_t i = 0; i < sizeof(special) / sizeof(special[0]); i++) {
        if (same_text(head, special[i].name)) {
            column->kind = special[i].kind;
            return;
        }
    }
    column->key = head;
    column->type = SLICE("string");
    column->is_array = cut_suffix(&head, "[]");
    if (cut_suffix(&head, "(single)")) {
        column->cardinality = 0;
    } else if (cut_suffix(&head, "(set)") || column->is_array) {
        column->cardinality = CARDINALITY_SET - CARDINALITY_SINGLE;
    }
    column->is_array |= cut_suffix(&head, "[]");
    colon = NULL;
    for (size_t i = 0; i < head.size; i++) {
        colon = head.data[i] == ':' ? head.data + i : colon;
    }
    if (colon != NULL) {
        column->key = slice_of(head.data, (size_t)(colon - head.data));
        column->type = slice_of(colon + 1, head.size - column->key.size - 1);
    } else {
        column->key = head;
    }
}

static int read_head(struct file *file)
{
    bool has[COLUMN_TO + 1] = {false};

    for (size_t i = 0; i < file->column_count; i++) {
        struct column *column = &file->columns[i];
        struct slice head = file->fields[i];

        read_column(column, slice_of(arena_copy(&file->head, head.data, head.size), head.size));
        has[column->kind] = true;
        if (column->kind == COLUMN_PROPERTY &&
            (column->key.size == 0 || !loader_type_is_known(column->type))) {
            return error_set(file->err, E_MALFORMED,
                             "%s:1: column %zu, '%.*s': a name, then a type such as string, int, "
                             "long, double, boolean, date",
                             file->loader->file, i + 1, (int)head.size, (const char *)head.data);
        }
    }
    file->is_edges = has[COLUMN_FROM] && has[COLUMN_TO];
    if (!has[COLUMN_ID] && !file->is_edges) {
        return error_set(file->err, E_MALFORMED,
                         "%s:1: the header has neither ~id (vertices) nor ~from and ~to (edges)",
                         file->loader->file);
    }
    if (!file->only_head && file->is_edges != file->loader->is_edges) {
        return error_set(
            file->err, E_MALFORMED,
            "%s:1: the header is one of %s now, and was of %s when the load began: the "
            "file was changed",
            file->loader->file, file->is_edges ? "edges" : "vertices",
            file->is_edges ? "vertices" : "edges");
    }
    file->has_head = true;
    return E_OK;
}

static int bad_value(struct file *file, const struct column *column, struct slice text)
{
    return loader_bad(file->loader, file->line, file->err, "%.*s: '%.*s' is no %.*s",
                      (int)column->key.size, (const char *)column->key.data,
                      (int)(text.size < 40 ? text.size : 40), (const char *)text.data,
                      (int)column->type.size, (const char *)column->type.data);
}

/* The next part of an array cell: up to an unescaped semicolon. */
static struct slice next_part(struct arena *arena, struct slice cell, size_t *at)
{
    uint8_t *out = arena_alloc(arena, cell.size - *at + 1);
    size_t size = 0;

    for (; *at < cell.size && cell.data[*at] != ';'; (*at)++) {
        if (cell.data[*at] == '\\' && *at + 1 < cell.size && cell.data[*at + 1] == ';') {
            (*at)++;
        }
        out[size++] = cell.data[*at];
    }
    (*at)++;
    return slice_of(out, size);
}

struct properties {
    struct vproperty *items;
    uint32_t count;
    uint32_t room;
};

static struct vproperty *add_property(struct file *file, struct properties *props,
                                      const struct column *column)
{
    struct vproperty *prop;

    if (props->count == props->room) {
        struct vproperty *more =
            arena_array(&file->row, props->room == 0 ? 16 : 2 * (size_t)props->room, sizeof(*more));
        if (props->count > 0) {
            memcpy(more, props->items, props->count * sizeof(*more));
        }
        props->items = more;
        props->room = props->room == 0 ? 16 : 2 * props->room;
    }
    prop = &props->items[props->count++];
    *prop = (struct vproperty){.key = column->key, .cardinality = column->cardinality};
    return prop;
}

/* Properties of the row. Sets *is_bad when one cannot be read and bad rows are skipped. */
static int read_properties(struct file *file, struct properties *props, bool *is_bad)
{
    for (size_t i = 0; i < file->column_count; i++) {
        const struct column *column = &file->columns[i];
        struct slice cell = file->fields[i];
        size_t at = 0;

        if (column->kind != COLUMN_PROPERTY || cell.data == NULL) {
            continue;
        }
        do {
            struct slice text = column->is_array ? next_part(&file->row, cell, &at) : cell;
            struct value value;

            if (!loader_value(&file->row, column->type, text, &value) ||
                props->count == VALUES_MAX) {
                *is_bad = true;
                return bad_value(file, column, text);
            }
            add_property(file, props, column)->value = value;
        } while (column->is_array && at < cell.size);
    }
    return E_OK;
}

static struct slice special_cell(const struct file *file, enum column_kind kind)
{
    for (size_t i = 0; i < file->column_count; i++) {
        if (file->columns[i].kind == kind) {
            return file->fields[i];
        }
    }
    return (struct slice){0};
}

static int bad_id(struct file *file, const char *column, struct slice id)
{
    return loader_bad(file->loader, file->line, file->err, "%s is %s", column,
                      id.size == 0              ? "empty"
                      : id.size <= VID_TEXT_MAX ? "not UTF-8"
                                                : "longer than 1024 bytes");
}

static int give_vertex(struct file *file, const struct properties *props)
{
    struct slice id = special_cell(file, COLUMN_ID), label = special_cell(file, COLUMN_LABEL);
    struct change vertex = {
        .kind = CHANGE_VERTEX_ADD, .vprops = props->items, .vprop_count = props->count};

    if (!loader_is_id(id)) {
        return bad_id(file, "~id", id);
    }
    vertex.vertex = loader_id(id);
    vertex.label = label.size > 0 ? label : SLICE("vertex");
    return loader_vertex(file->loader, &vertex, file->err);
}

static int give_edge(struct file *file, const struct properties *props)
{
    struct slice id = special_cell(file, COLUMN_ID), label = special_cell(file, COLUMN_LABEL);
    struct slice from = special_cell(file, COLUMN_FROM), to = special_cell(file, COLUMN_TO);
    struct property *list = arena_array(&file->row, props->count, sizeof(*list));
    struct change edge = {.kind = CHANGE_EDGE_ADD, .direction = DIRECTION_OUT};

    if (!loader_is_id(from) || !loader_is_id(to)) {
        bool is_from = !loader_is_id(from);
        return bad_id(file, is_from ? "~from" : "~to", is_from ? from : to);
    }
    if (id.size > 0 && !loader_is_id(id)) {
        return bad_id(file, "~id", id);
    }
    if (label.size == 0) {
        return loader_bad(file->loader, file->line, file->err, "~label is empty");
    }
    for (uint32_t i = 0; i < props->count; i++) {
        list[i] = (struct property){.key = props->items[i].key, .value = props->items[i].value};
    }
    edge.vertex = loader_id(from);
    edge.far = loader_id(to);
    edge.edge = id.size > 0 ? loader_id(id) : vid_num(0);
    edge.label = label;
    edge.props = list;
    edge.prop_count = props->count;
    return loader_edge(file->loader, &edge, id.size > 0, file->err);
}

static int give_row(struct file *file)
{
    struct properties props = {0};
    bool is_bad = false;
    int rc;

    if (file->field_count == 0) {
        return E_OK; /* An empty line. */
    }
    if (file->field_count != file->column_count) {
        return loader_bad(file->loader, file->line, file->err, "%zu fields, the header has %zu",
                          file->field_count, file->column_count);
    }
    rc = read_properties(file, &props, &is_bad);
    if (rc != E_OK || is_bad) {
        return rc;
    }
    return file->is_edges ? give_edge(file, &props) : give_vertex(file, &props);
}

static void on_field(void *data, size_t size, void *ctx)
{
    struct file *file = ctx;

    for (size_t i = 0; data != NULL && i < size; i++) {
        file->next_line += ((const uint8_t *)data)[i] == '\n';
    }
    if (file->field_count < COLUMNS_MAX) {
        file->fields[file->field_count] =
            data != NULL ? slice_of(arena_copy(&file->row, data, size), size) : (struct slice){0};
    }
    file->field_count++;
}

static void on_row(int end, void *ctx)
{
    struct file *file = ctx;

    bool is_rest = file->after_cr && end == '\n' && file->field_count == 0;

    file->after_cr = end == '\r';
    if (is_rest) {
        return;
    }
    if (file->rc == E_OK && !file->has_head && file->field_count > 0) {
        file->column_count = file->field_count < COLUMNS_MAX ? file->field_count : COLUMNS_MAX;
        file->rc = read_head(file);
    } else if (file->rc == E_OK && file->has_head && !file->only_head) {
        file->rc = give_row(file);
    }
    file->next_line++;
    file->line = file->next_line;
    file->field_count = 0;
    arena_reset(&file->row);
}

/* The mark that spreadsheets put before UTF-8. */
static void skip_mark(FILE *input)
{
    char mark[3];

    if (fread(mark, 1, sizeof(mark), input) != sizeof(mark) || memcmp(mark, "\xef\xbb\xbf", 3)) {
        rewind(input);
    }
}

static int parse(struct file *file, FILE *input)
{
    struct csv_parser parser;
    char piece[READ_SIZE];
    size_t size;

    if (csv_init(&parser, CSV_STRICT | CSV_STRICT_FINI | CSV_EMPTY_IS_NULL | CSV_REPALL_NL) != 0) {
        return error_set(file->err, E_LIMIT, "no memory for a CSV parser");
    }
    file->line = file->next_line = 1;
    skip_mark(input);
    while (file->rc == E_OK && !(file->only_head && file->has_head) &&
           (size = fread(piece, 1, sizeof(piece), input)) > 0) {
        if (csv_parse(&parser, piece, size, on_field, on_row, file) != size) {
            file->rc = error_set(file->err, E_MALFORMED, "%s:%" PRIu64 ": not CSV: %s",
                                 file->loader->file, file->line, csv_strerror(csv_error(&parser)));
        }
        if (parser.entry_size > FIELD_MAX) {
            file->rc =
                error_set(file->err, E_LIMIT, "%s:%" PRIu64 ": a field of more than %d bytes",
                          file->loader->file, file->line, FIELD_MAX);
        }
        loader_progress(file->loader, file->only_head ? 0 : size);
    }
    if (file->rc == E_OK && ferror(input)) {
        file->rc =
            error_set(file->err, E_IO, "reading %s: %s", file->loader->file, strerror(errno));
    }
    if (file->rc == E_OK && !file->only_head && csv_fini(&parser, on_field, on_row, file) != 0) {
        file->rc =
            error_set(file->err, E_MALFORMED, "%s: ends within a quoted field", file->loader->file);
    }
    if (file->rc == E_OK && !file->has_head) {
        file->rc = error_set(file->err, E_MALFORMED, "%s: is empty", file->loader->file);
    }
    csv_free(&parser);
    return file->rc;
}

static int run(struct loader *loader, const char *path, bool only_head, bool *is_edges,
               struct error *err)
{
    struct file *file = mem_alloc(sizeof(*file));
    FILE *input = fopen(path, "rb");
    int rc;

    loader->file = path;
    file->loader = loader;
    file->only_head = only_head;
    file->err = err;
    arena_init(&file->head, 0);
    arena_init(&file->row, 0);
    if (input == NULL) {
        rc = error_set(err, E_IO, "cannot open %s: %s", path, strerror(errno));
    } else {
        rc = parse(file, input);
        fclose(input);
    }
    *is_edges = file->is_edges;
    arena_close(&file->row);
    arena_close(&file->head);
    mem_free(file);
    return rc;
}

int csv_kind(const char *path, bool *is_edges, struct error *err)
{
    struct loader *loader = mem_alloc(sizeof(*loader));
    int rc;

    loader->is_quiet = true;
    rc = run(loader, path, true, is_edges, err);
    mem_free(loader);
    return rc;
}

int csv_load(struct loader *loader, const char *path, struct error *err)
{
    bool is_edges = false;

    return run(loader, path, false, &is_edges, err);
}
