#include "router/cli/writer.h"

#include "common/map.h"
#include "common/text.h"
#include "router/wire/graphson.h"

#include <string.h>

/* ---- columns: keys with the type that all their values have ---- */

struct column {
    struct slice key;
    enum value_kind kind; /* VALUE_STRING when values differ. */
    bool is_many;         /* Some vertex has several. */
};

struct columns {
    struct map_text index;
    struct column *items;
    size_t count;
    struct bytes memory;
};

static void add_value(struct columns *columns, struct slice key, const struct value *value,
                      bool is_many)
{
    bool is_new = false;
    uint64_t *at = map_text_at(&columns->index, key, &is_new);

    if (is_new) {
        struct column column = {.key = key, .kind = (enum value_kind)value->kind};
        *at = columns->count++;
        bytes_append(&columns->memory, &column, sizeof(column));
        columns->items = (struct column *)(void *)columns->memory.data;
    }
    columns->items[*at].is_many |= is_many;
    if (columns->items[*at].kind != (enum value_kind)value->kind) {
        columns->items[*at].kind = VALUE_STRING;
    }
}

static void collect(struct columns *columns, const struct value *elements)
{
    bytes_init(&columns->memory, 0);
    map_text_init(&columns->index, NULL, true);
    for (uint32_t i = 0; i < elements->size; i++) {
        const struct value *element = &elements->items[i];
        if (element->kind == VALUE_VERTEX) {
            const struct vertex *vertex = element->vertex;
            for (uint32_t p = 0; p < vertex->prop_count; p++) {
                bool is_many = p > 0 && slice_equal(vertex->props[p].key, vertex->props[p - 1].key);
                add_value(columns, vertex->props[p].key, &vertex->props[p].value, is_many);
            }
        } else {
            for (uint32_t p = 0; p < element->edge->prop_count; p++) {
                add_value(columns, element->edge->props[p].key, &element->edge->props[p].value,
                          false);
            }
        }
    }
}

static void release(struct columns *columns)
{
    map_text_close(&columns->index);
    bytes_close(&columns->memory);
}

static const char *type_name(enum value_kind kind)
{
    static const struct {
        enum value_kind kind;
        const char *name;
    } names[] = {{VALUE_BOOL, "boolean"},  {VALUE_BYTE, "byte"},     {VALUE_SHORT, "short"},
                 {VALUE_INT, "int"},       {VALUE_LONG, "long"},     {VALUE_FLOAT, "float"},
                 {VALUE_DOUBLE, "double"}, {VALUE_UUID, "uuid"},     {VALUE_DATETIME, "datetime"},
                 {VALUE_CHAR, "char"},     {VALUE_BIGINT, "bigint"}, {VALUE_DECIMAL, "bigdecimal"}};

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (names[i].kind == kind) {
            return names[i].name;
        }
    }
    return "string";
}

/* ---- CSV ---- */

static void csv_cell(FILE *file, struct slice text)
{
    bool is_plain = text.size > 0;

    for (size_t i = 0; i < text.size; i++) {
        is_plain &= strchr(",\"\r\n", text.data[i]) == NULL;
    }
    if (is_plain) {
        fwrite(text.data, 1, text.size, file);
        return;
    }
    fputc('"', file);
    for (size_t i = 0; i < text.size; i++) {
        if (text.data[i] == '"') {
            fputc('"', file);
        }
        fputc(text.data[i], file);
    }
    fputc('"', file);
}

static void csv_value(FILE *file, const struct value *value)
{
    struct bytes text = {0};

    bytes_init(&text, 0);
    value_print(&text, value);
    csv_cell(file, bytes_slice(&text));
    bytes_close(&text);
}

static void csv_head(FILE *file, const char *special, const struct columns *columns)
{
    struct bytes text = {0};

    bytes_init(&text, 0);
    fputs(special, file);
    for (size_t c = 0; c < columns->count; c++) {
        const struct column *column = &columns->items[c];
        bytes_clear(&text);
        bytes_format(&text, "%.*s:%s%s", (int)column->key.size, (const char *)column->key.data,
                     type_name(column->kind), column->is_many ? "[]" : "");
        fputc(',', file);
        csv_cell(file, bytes_slice(&text));
    }
    fputc('\n', file);
    bytes_close(&text);
}

/* Values of a key of a vertex; several are apart by ';', which is escaped within. */
static void csv_vertex_cell(FILE *file, const struct vertex *vertex, const struct column *column)
{
    struct bytes cell = {0}, text = {0};
    bool has_any = false;

    bytes_init(&cell, 0);
    bytes_init(&text, 0);
    for (uint32_t p = 0; p < vertex->prop_count; p++) {
        if (!slice_equal(vertex->props[p].key, column->key)) {
            continue;
        }
        bytes_clear(&text);
        value_print(&text, &vertex->props[p].value);
        if (has_any) {
            bytes_u8(&cell, ';');
        }
        has_any = true;
        for (size_t i = 0; i < text.size; i++) {
            if (column->is_many && text.data[i] == ';') {
                bytes_u8(&cell, '\\');
            }
            bytes_u8(&cell, text.data[i]);
        }
    }
    if (has_any) {
        csv_cell(file, bytes_slice(&cell));
    }
    bytes_close(&text);
    bytes_close(&cell);
}

void writer_csv_nodes(const struct writer *writer, FILE *file)
{
    struct columns columns = {0};

    collect(&columns, &writer->vertices);
    csv_head(file, "~id,~label", &columns);
    for (uint32_t i = 0; i < writer->vertices.size; i++) {
        const struct vertex *vertex = writer->vertices.items[i].vertex;
        csv_value(file, &vertex->id);
        fputc(',', file);
        csv_cell(file, vertex->label);
        for (size_t c = 0; c < columns.count; c++) {
            fputc(',', file);
            csv_vertex_cell(file, vertex, &columns.items[c]);
        }
        fputc('\n', file);
    }
    release(&columns);
}

static const struct value *edge_value(const struct edge *edge, struct slice key)
{
    for (uint32_t p = 0; p < edge->prop_count; p++) {
        if (slice_equal(edge->props[p].key, key)) {
            return &edge->props[p].value;
        }
    }
    return NULL;
}

void writer_csv_edges(const struct writer *writer, FILE *file)
{
    struct columns columns = {0};

    collect(&columns, &writer->edges);
    csv_head(file, "~id,~from,~to,~label", &columns);
    for (uint32_t i = 0; i < writer->edges.size; i++) {
        const struct edge *edge = writer->edges.items[i].edge;
        csv_value(file, &edge->id);
        fputc(',', file);
        csv_value(file, &edge->out_id);
        fputc(',', file);
        csv_value(file, &edge->in_id);
        fputc(',', file);
        csv_cell(file, edge->label);
        for (size_t c = 0; c < columns.count; c++) {
            const struct value *value = edge_value(edge, columns.items[c].key);
            fputc(',', file);
            if (value != NULL) {
                csv_value(file, value);
            }
        }
        fputc('\n', file);
    }
    release(&columns);
}

/* ---- GraphML ---- */

static void xml_text(FILE *file, struct slice text)
{
    for (size_t i = 0; i < text.size; i++) {
        uint8_t c = text.data[i];
        if (c == '&') {
            fputs("&amp;", file);
        } else if (c == '<') {
            fputs("&lt;", file);
        } else if (c == '>') {
            fputs("&gt;", file);
        } else if (c == '"') {
            fputs("&quot;", file);
        } else if (c >= 0x20 || c == '\n' || c == '\t') {
            fputc(c, file);
        }
    }
}

static void xml_value(FILE *file, const struct value *value)
{
    struct bytes text = {0};

    bytes_init(&text, 0);
    value_print(&text, value);
    xml_text(file, bytes_slice(&text));
    bytes_close(&text);
}

static void xml_keys(FILE *file, const char *what, const struct columns *columns)
{
    for (size_t c = 0; c < columns->count; c++) {
        fprintf(file, "  <key id=\"%c%zu\" for=\"%s\" attr.name=\"", *what, c, what);
        xml_text(file, columns->items[c].key);
        fprintf(file, "\" attr.type=\"%s\"/>\n", type_name(columns->items[c].kind));
    }
}

static void xml_data(FILE *file, char prefix, const struct columns *columns, struct slice key,
                     const struct value *value)
{
    fprintf(file, "<data key=\"%c%llu\">", prefix,
            (unsigned long long)*map_text_get(&columns->index, key));
    xml_value(file, value);
    fputs("</data>", file);
}

static void xml_label(FILE *file, const char *key, struct slice label)
{
    fprintf(file, "\"><data key=\"%s\">", key);
    xml_text(file, label);
    fputs("</data>", file);
}

static void xml_nodes(const struct writer *writer, const struct columns *columns, FILE *file)
{
    for (uint32_t i = 0; i < writer->vertices.size; i++) {
        const struct vertex *vertex = writer->vertices.items[i].vertex;
        fputs("    <node id=\"", file);
        xml_value(file, &vertex->id);
        xml_label(file, "labelV", vertex->label);
        for (uint32_t p = 0; p < vertex->prop_count; p++) {
            if (p == 0 || !slice_equal(vertex->props[p].key, vertex->props[p - 1].key)) {
                xml_data(file, 'n', columns, vertex->props[p].key, &vertex->props[p].value);
            }
        }
        fputs("</node>\n", file);
    }
}

static void xml_edges(const struct writer *writer, const struct columns *columns, FILE *file)
{
    for (uint32_t i = 0; i < writer->edges.size; i++) {
        const struct edge *edge = writer->edges.items[i].edge;
        fputs("    <edge id=\"", file);
        xml_value(file, &edge->id);
        fputs("\" source=\"", file);
        xml_value(file, &edge->out_id);
        fputs("\" target=\"", file);
        xml_value(file, &edge->in_id);
        xml_label(file, "labelE", edge->label);
        for (uint32_t p = 0; p < edge->prop_count; p++) {
            xml_data(file, 'e', columns, edge->props[p].key, &edge->props[p].value);
        }
        fputs("</edge>\n", file);
    }
}

void writer_graphml(const struct writer *writer, FILE *file)
{
    struct columns nodes = {0}, edges = {0};

    collect(&nodes, &writer->vertices);
    collect(&edges, &writer->edges);
    fputs("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
          "<graphml xmlns=\"http://graphml.graphdrawing.org/xmlns\">\n"
          "  <key id=\"labelV\" for=\"node\" attr.name=\"labelV\" attr.type=\"string\"/>\n"
          "  <key id=\"labelE\" for=\"edge\" attr.name=\"labelE\" attr.type=\"string\"/>\n",
          file);
    xml_keys(file, "node", &nodes);
    xml_keys(file, "edge", &edges);
    fputs("  <graph id=\"G\" edgedefault=\"directed\">\n", file);
    xml_nodes(writer, &nodes, file);
    xml_edges(writer, &edges, file);
    fputs("  </graph>\n</graphml>\n", file);
    release(&edges);
    release(&nodes);
}

/* ---- GraphSON adjacency lines ---- */

/* Edges in the order of one of their ends: edge numbers from first[v] to first[v + 1] are of
   vertex v. */
struct ends {
    uint32_t *first;
    uint32_t *edges;
};

static uint64_t id_key(const struct value *id)
{
    return value_hash(id);
}

/* Places of vertices by the hash of their id; equal hashes of different ids are told apart by
   probing on. */
static uint32_t place_of(const struct map *places, const struct writer *writer,
                         const struct value *id)
{
    for (uint64_t key = id_key(id);; key++) {
        const uint64_t *at = map_get(places, key);
        if (at == NULL) {
            return writer->vertices.size;
        }
        if (value_equivalent(&writer->vertices.items[*at].vertex->id, id)) {
            return (uint32_t)*at;
        }
    }
}

static void find_ends(const struct writer *writer, const struct map *places, bool is_out,
                      struct arena *arena, struct ends *ends)
{
    uint32_t vertices = writer->vertices.size, edges = writer->edges.size;
    uint32_t *at = arena_array(arena, edges, sizeof(*at));

    ends->first = arena_array(arena, (size_t)vertices + 2, sizeof(uint32_t));
    ends->edges = arena_array(arena, edges, sizeof(uint32_t));
    for (uint32_t i = 0; i < edges; i++) {
        const struct edge *edge = writer->edges.items[i].edge;
        at[i] = place_of(places, writer, is_out ? &edge->out_id : &edge->in_id);
        ends->first[at[i] + 1]++;
    }
    for (uint32_t v = 0; v <= vertices; v++) {
        ends->first[v + 1] += ends->first[v];
    }
    for (uint32_t i = edges; i-- > 0;) {
        ends->edges[--ends->first[at[i] + 1]] = i;
    }
    /* Each first[v + 1] now is where v begins: shift back. */
    memmove(ends->first, ends->first + 1, ((size_t)vertices + 1) * sizeof(uint32_t));
}

static void graphson_text(struct bytes *out, struct slice text)
{
    graphson_put_text(out, text);
    bytes_u8(out, ':');
}

static void graphson_edges(struct bytes *out, const struct writer *writer, const struct ends *ends,
                           uint32_t vertex, bool is_out)
{
    uint32_t from = ends->first[vertex], to = ends->first[vertex + 1];

    if (from == to) {
        return;
    }
    bytes_format(out, ",\"%s\":{", is_out ? "outE" : "inE");
    for (uint32_t i = from; i < to; i++) {
        const struct edge *edge = writer->edges.items[ends->edges[i]].edge;
        const struct edge *before = i > from ? writer->edges.items[ends->edges[i - 1]].edge : NULL;
        bool is_same = before != NULL && slice_equal(before->label, edge->label);
        if (!is_same) {
            bytes_append(out, "],", before != NULL ? 2 : 0);
            graphson_text(out, edge->label);
        }
        bytes_append(out, is_same ? ",{\"id\":" : "[{\"id\":", 7);
        graphson_write(out, FORMAT_GRAPHSON3, &edge->id);
        bytes_format(out, ",\"%s\":", is_out ? "inV" : "outV");
        graphson_write(out, FORMAT_GRAPHSON3, is_out ? &edge->in_id : &edge->out_id);
        for (uint32_t p = 0; p < edge->prop_count; p++) {
            bytes_format(out, "%s", p == 0 ? ",\"properties\":{" : ",");
            graphson_text(out, edge->props[p].key);
            graphson_write(out, FORMAT_GRAPHSON3, &edge->props[p].value);
        }
        bytes_append(out, "}}", edge->prop_count > 0 ? 2 : 1);
    }
    bytes_append(out, "]}", 2);
}

static void graphson_properties(struct bytes *out, const struct vertex *vertex)
{
    for (uint32_t p = 0; p < vertex->prop_count; p++) {
        const struct vproperty *prop = &vertex->props[p];
        bool is_same = p > 0 && slice_equal(prop->key, vertex->props[p - 1].key);
        if (!is_same) {
            bytes_format(out, "%s", p == 0 ? ",\"properties\":{" : "],");
            graphson_text(out, prop->key);
        }
        bytes_append(out, is_same ? ",{\"id\":" : "[{\"id\":", 7);
        graphson_write(out, FORMAT_GRAPHSON3, &prop->id);
        bytes_format(out, ",\"value\":");
        graphson_write(out, FORMAT_GRAPHSON3, &prop->value);
        for (uint32_t m = 0; m < prop->meta_count; m++) {
            bytes_format(out, "%s", m == 0 ? ",\"properties\":{" : ",");
            graphson_text(out, prop->metas[m].key);
            graphson_write(out, FORMAT_GRAPHSON3, &prop->metas[m].value);
        }
        bytes_append(out, "}}", prop->meta_count > 0 ? 2 : 1);
    }
    bytes_append(out, "]}", vertex->prop_count > 0 ? 2 : 0);
}

/* Edges of a vertex stand by label: the lists are sorted so. */
static void sort_by_label(const struct writer *writer, struct ends *ends, uint32_t vertex)
{
    uint32_t from = ends->first[vertex], to = ends->first[vertex + 1];

    for (uint32_t i = from + 1; i < to; i++) {
        uint32_t edge = ends->edges[i];
        struct slice label = writer->edges.items[edge].edge->label;
        uint32_t at = i;
        while (at > from &&
               slice_compare(writer->edges.items[ends->edges[at - 1]].edge->label, label) > 0) {
            ends->edges[at] = ends->edges[at - 1];
            at--;
        }
        ends->edges[at] = edge;
    }
}

void writer_graphson(const struct writer *writer, FILE *file)
{
    struct ends out_ends, in_ends;
    struct map places = {0};
    struct arena arena;
    struct bytes line = {0};

    arena_init(&arena, 0);
    map_init(&places, NULL);
    bytes_init(&line, 0);
    for (uint32_t i = 0; i < writer->vertices.size; i++) {
        uint64_t key = id_key(&writer->vertices.items[i].vertex->id);
        while (map_get(&places, key) != NULL) {
            key++;
        }
        map_put(&places, key, i);
    }
    find_ends(writer, &places, true, &arena, &out_ends);
    find_ends(writer, &places, false, &arena, &in_ends);
    for (uint32_t i = 0; i < writer->vertices.size; i++) {
        const struct vertex *vertex = writer->vertices.items[i].vertex;
        sort_by_label(writer, &out_ends, i);
        sort_by_label(writer, &in_ends, i);
        bytes_clear(&line);
        bytes_format(&line, "{\"id\":");
        graphson_write(&line, FORMAT_GRAPHSON3, &vertex->id);
        bytes_format(&line, ",\"label\":");
        graphson_put_text(&line, vertex->label);
        graphson_edges(&line, writer, &in_ends, i, false);
        graphson_edges(&line, writer, &out_ends, i, true);
        graphson_properties(&line, vertex);
        bytes_append(&line, "}\n", 2);
        fwrite(line.data, 1, line.size, file);
    }
    bytes_close(&line);
    map_close(&places);
    arena_close(&arena);
}

/* ---- what is lost ---- */

static bool reads_as_number(const struct value *id)
{
    int64_t number;

    return id->kind == VALUE_STRING && text_to_i64(value_slice(id), &number);
}

static void lose_properties(const struct vertex *vertex, bool is_graphml, struct writer_loss *loss)
{
    for (uint32_t i = 0; i < vertex->prop_count; i++) {
        loss->metas += vertex->props[i].meta_count;
        loss->values +=
            is_graphml && i > 0 && slice_equal(vertex->props[i].key, vertex->props[i - 1].key);
    }
}

struct writer_loss writer_loss(const struct writer *writer, const char *format)
{
    struct writer_loss loss = {0};

    if (strcmp(format, "graphson") == 0) {
        return loss;
    }
    for (uint32_t i = 0; i < writer->vertices.size; i++) {
        const struct vertex *vertex = writer->vertices.items[i].vertex;
        loss.ids += reads_as_number(&vertex->id);
        lose_properties(vertex, strcmp(format, "graphml") == 0, &loss);
    }
    for (uint32_t i = 0; i < writer->edges.size; i++) {
        loss.ids += reads_as_number(&writer->edges.items[i].edge->id);
    }
    return loss;
}
