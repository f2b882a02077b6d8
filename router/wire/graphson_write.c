#include "common/datetime.h"
#include "common/element.h"
#include "common/extended.h"
#include "common/number.h"
#include "common/predicate.h"
#include "common/text.h"
#include "router/gremlin/token.h"
#include "router/wire/base64.h"
#include "router/wire/graphson.h"

#include <assert.h>
#include <math.h>
#include <string.h>

/* misc-no-recursion: values are bounded by VALUE_DEPTH_MAX when they are made. */

struct writer {
    struct bytes *out;
    bool is_typed;
    bool is_v2;
};

static void put_value(const struct writer *w, const struct value *value);

static void put(const struct writer *w, const char *text)
{
    bytes_append(w->out, text, strlen(text));
}

void graphson_put_text(struct bytes *out, struct slice text)
{
    static const char *const escapes[0x20] = {
        ['\b'] = "\\b", ['\t'] = "\\t", ['\n'] = "\\n", ['\f'] = "\\f", ['\r'] = "\\r"};
    size_t from = 0;

    bytes_u8(out, '"');
    for (size_t i = 0; i < text.size; i++) {
        uint8_t c = text.data[i];
        if (c >= 0x20 && c != '"' && c != '\\') {
            continue;
        }
        bytes_append(out, text.data + from, i - from);
        from = i + 1;
        if (c >= 0x20) {
            bytes_format(out, "\\%c", c);
        } else if (escapes[c] != NULL) {
            bytes_append(out, escapes[c], 2);
        } else {
            bytes_format(out, "\\u%04x", c);
        }
    }
    bytes_append(out, text.data + from, text.size - from);
    bytes_u8(out, '"');
}

static void put_text(const struct writer *w, struct slice text)
{
    graphson_put_text(w->out, text);
}

/* {"@type": T, "@value":  ... close_type() */
static void open_type(const struct writer *w, const char *prefix, const char *name)
{
    if (w->is_typed) {
        bytes_format(w->out, "{\"@type\":\"%s%s\",\"@value\":", prefix, name);
    }
}

static void close_type(const struct writer *w)
{
    if (w->is_typed) {
        bytes_u8(w->out, '}');
    }
}

/* What toString() prints, as a string. */
static void put_printed(const struct writer *w, const struct value *value)
{
    struct bytes text;

    bytes_init(&text, 0);
    value_print(&text, value);
    put_text(w, bytes_slice(&text));
    bytes_close(&text);
}

/* ---- scalars ---- */

static void put_number(const struct writer *w, const struct value *value)
{
    static const char *const types[VALUE_KIND_COUNT] = {
        [VALUE_BYTE] = "gx:Byte",    [VALUE_SHORT] = "gx:Int16",        [VALUE_INT] = "g:Int32",
        [VALUE_LONG] = "g:Int64",    [VALUE_BIGINT] = "gx:BigInteger",  [VALUE_FLOAT] = "g:Float",
        [VALUE_DOUBLE] = "g:Double", [VALUE_DECIMAL] = "gx:BigDecimal",
    };
    bool is_real = value->kind == VALUE_FLOAT || value->kind == VALUE_DOUBLE;

    open_type(w, "", types[value->kind]);
    if (is_real && !isfinite(value->real)) {
        put_printed(w, value);
    } else {
        number_print(w->out, value);
    }
    close_type(w);
}

static void put_time(const struct writer *w, const struct value *value)
{
    struct bytes text;

    bytes_init(&text, 0);
    if (value->kind == VALUE_DATETIME) {
        datetime_print(&text, value->time);
    } else {
        datetime_print_span(&text, value->time);
    }
    open_type(w, "gx:", value->kind == VALUE_DATETIME ? "OffsetDateTime" : "Duration");
    put_text(w, bytes_slice(&text));
    close_type(w);
    bytes_close(&text);
}

static void put_binary(const struct writer *w, const struct value *value)
{
    open_type(w, "gx:", "ByteBuffer");
    bytes_u8(w->out, '"');
    base64_encode(w->out, value_slice(value));
    bytes_u8(w->out, '"');
    close_type(w);
}

static void put_char(const struct writer *w, const struct value *value)
{
    struct bytes text;

    bytes_init(&text, 0);
    text_utf8_put(&text, (uint32_t)value->integer);
    open_type(w, "gx:", "Char");
    put_text(w, bytes_slice(&text));
    close_type(w);
    bytes_close(&text);
}

static void put_named(const struct writer *w, const char *prefix, const char *name,
                      struct slice text)
{
    open_type(w, prefix, name);
    put_text(w, text);
    close_type(w);
}

static void put_extended(const struct writer *w, const struct value *value)
{
    struct bytes text;

    bytes_init(&text, 0);
    extended_print(&text, value->flag, value_slice(value));
    struct slice shown = bytes_slice(&text);
    if (value->flag == EXTENDED_INET_ADDRESS) { /* Without toString()'s slash. */
        shown = slice_of(shown.data + 1, shown.size - 1);
    }
    put_named(w, "gx:", extended_name(value->flag), shown);
    bytes_close(&text);
}

static void put_enum(const struct writer *w, const struct value *value)
{
    put_named(w, "g:", token_enum_name((enum value_enum)value->flag),
              slice_text(value_enumerator_name((enum enumerator)value->integer)));
}

static void put_uuid(const struct writer *w, const struct value *value)
{
    open_type(w, "g:", "UUID");
    put_printed(w, value);
    close_type(w);
}

static void put_moment(const struct writer *w, const struct value *value)
{
    if (value->kind == VALUE_DATETIME || value->kind == VALUE_DURATION) {
        put_time(w, value);
        return;
    }
    open_type(w, "g:", value->kind == VALUE_DATE ? "Date" : "Timestamp");
    bytes_format(w->out, "%lld", (long long)value->integer);
    close_type(w);
}

/* ---- containers ---- */

static void put_array(const struct writer *w, const struct value *items, size_t count)
{
    bytes_u8(w->out, '[');
    for (size_t i = 0; i < count; i++) {
        put(w, i == 0 ? "" : ",");
        put_value(w, &items[i]);
    }
    bytes_u8(w->out, ']');
}

/* g:List and the like, which version 2 does not have. */
static void put_collection(const struct writer *w, const char *type, const struct value *items,
                           size_t count)
{
    if (w->is_v2) {
        put_array(w, items, count);
        return;
    }
    open_type(w, "g:", type);
    put_array(w, items, count);
    close_type(w);
}

static void put_key(const struct writer *w, const struct value *key)
{
    if (key->kind == VALUE_STRING) {
        put_text(w, value_slice(key));
    } else {
        put_printed(w, key);
    }
}

static void put_object(const struct writer *w, const struct value *items, size_t pairs)
{
    bytes_u8(w->out, '{');
    for (size_t i = 0; i < pairs; i++) {
        put(w, i == 0 ? "" : ",");
        put_key(w, &items[2 * i]);
        bytes_u8(w->out, ':');
        put_value(w, &items[2 * i + 1]);
    }
    bytes_u8(w->out, '}');
}

static void put_map(const struct writer *w, const struct value *items, size_t pairs)
{
    if (w->is_v2 || !w->is_typed) {
        put_object(w, items, pairs);
    } else {
        put_collection(w, "Map", items, 2 * pairs);
    }
}

static void put_bulkset(const struct writer *w, const struct value *set)
{
    bool is_first = true;

    if (w->is_typed && !w->is_v2) {
        put_collection(w, "BulkSet", set->items, 2 * (size_t)set->size);
        return;
    }
    bytes_u8(w->out, '[');
    for (size_t i = 0; i < set->size; i++) {
        for (int64_t bulk = set->items[2 * i + 1].integer; bulk > 0; bulk--) {
            put(w, is_first ? "" : ",");
            put_value(w, &set->items[2 * i]);
            is_first = false;
        }
    }
    bytes_u8(w->out, ']');
}

static void put_tree(const struct writer *w, const struct value *tree)
{
    open_type(w, "g:", "Tree");
    bytes_u8(w->out, '[');
    for (size_t i = 0; i < tree->size; i++) {
        put(w, i == 0 ? "{\"key\":" : ",{\"key\":");
        put_value(w, &tree->items[2 * i]);
        put(w, ",\"value\":");
        put_value(w, &tree->items[2 * i + 1]);
        bytes_u8(w->out, '}');
    }
    bytes_u8(w->out, ']');
    close_type(w);
}

static void put_traverser(const struct writer *w, const struct value *traverser)
{
    open_type(w, "g:", "Traverser");
    put(w, "{\"bulk\":");
    put_value(w, &traverser->items[1]);
    put(w, ",\"value\":");
    put_value(w, &traverser->items[0]);
    bytes_u8(w->out, '}');
    close_type(w);
}

static void put_graph(const struct writer *w, const struct value *graph)
{
    open_type(w, "tinker:", "graph");
    put(w, "{\"vertices\":");
    put_array(w, graph->items[0].items, graph->items[0].size);
    put(w, ",\"edges\":");
    put_array(w, graph->items[1].items, graph->items[1].size);
    bytes_u8(w->out, '}');
    close_type(w);
}

/* ---- elements ---- */

static void put_property(const struct writer *w, const struct property *property)
{
    open_type(w, "g:", "Property");
    put(w, "{\"key\":");
    put_text(w, property->key);
    put(w, ",\"value\":");
    put_value(w, &property->value);
    bytes_u8(w->out, '}');
    close_type(w);
}

/* is_inside: of a vertex, whose key says the label already. */
static void put_vproperty(const struct writer *w, const struct vproperty *vproperty, bool is_inside)
{
    open_type(w, "g:", "VertexProperty");
    put(w, "{\"id\":");
    put_value(w, &vproperty->id);
    put(w, ",\"value\":");
    put_value(w, &vproperty->value);
    if (w->is_typed || w->is_v2 || !is_inside) {
        put(w, ",\"label\":");
        put_text(w, vproperty->key);
    }
    for (uint32_t i = 0; i < vproperty->meta_count; i++) {
        put(w, i == 0 ? ",\"properties\":{" : ",");
        put_text(w, vproperty->metas[i].key);
        bytes_u8(w->out, ':');
        put_value(w, &vproperty->metas[i].value);
    }
    put(w, vproperty->meta_count > 0 ? "}}" : "}");
    close_type(w);
}

/* All of one key stand together, in the order in which the keys come first. */
static bool is_first_of_key(const struct vertex *vertex, uint32_t at)
{
    for (uint32_t i = 0; i < at; i++) {
        if (slice_equal(vertex->props[i].key, vertex->props[at].key)) {
            return false;
        }
    }
    return true;
}

static void put_vertex_properties(const struct writer *w, const struct vertex *vertex)
{
    bool is_first = true;

    put(w, ",\"properties\":{");
    for (uint32_t i = 0; i < vertex->prop_count; i++) {
        if (!is_first_of_key(vertex, i)) {
            continue;
        }
        put(w, is_first ? "" : ",");
        is_first = false;
        put_text(w, vertex->props[i].key);
        put(w, ":[");
        for (uint32_t j = i; j < vertex->prop_count; j++) {
            if (slice_equal(vertex->props[j].key, vertex->props[i].key)) {
                put(w, j == i ? "" : ",");
                put_vproperty(w, &vertex->props[j], true);
            }
        }
        bytes_u8(w->out, ']');
    }
    bytes_u8(w->out, '}');
}

static void put_vertex(const struct writer *w, const struct vertex *vertex)
{
    open_type(w, "g:", "Vertex");
    put(w, "{\"id\":");
    put_value(w, &vertex->id);
    put(w, ",\"label\":");
    put_text(w, vertex->label);
    if (!w->is_typed && !w->is_v2) {
        put(w, ",\"type\":\"vertex\"");
    }
    if (vertex->has_props) {
        put_vertex_properties(w, vertex);
    }
    bytes_u8(w->out, '}');
    close_type(w);
}

static void put_edge_properties(const struct writer *w, const struct edge *edge)
{
    put(w, ",\"properties\":{");
    for (uint32_t i = 0; i < edge->prop_count; i++) {
        put(w, i == 0 ? "" : ",");
        put_text(w, edge->props[i].key);
        bytes_u8(w->out, ':');
        if (w->is_typed || w->is_v2) {
            put_property(w, &edge->props[i]);
        } else {
            put_value(w, &edge->props[i].value);
        }
    }
    bytes_u8(w->out, '}');
}

static void put_edge(const struct writer *w, const struct edge *edge)
{
    open_type(w, "g:", "Edge");
    put(w, "{\"id\":");
    put_value(w, &edge->id);
    put(w, ",\"label\":");
    put_text(w, edge->label);
    if (!w->is_typed && !w->is_v2) {
        put(w, ",\"type\":\"edge\"");
    }
    put(w, ",\"inVLabel\":");
    put_text(w, edge->in_label);
    put(w, ",\"outVLabel\":");
    put_text(w, edge->out_label);
    put(w, ",\"inV\":");
    put_value(w, &edge->in_id);
    put(w, ",\"outV\":");
    put_value(w, &edge->out_id);
    if (edge->has_props) {
        put_edge_properties(w, edge);
    }
    bytes_u8(w->out, '}');
    close_type(w);
}

static void put_path(const struct writer *w, const struct path *path)
{
    open_type(w, "g:", "Path");
    put(w, "{\"labels\":");
    put_collection(w, "List", path->labels, path->size);
    put(w, ",\"objects\":");
    put_collection(w, "List", path->objects, path->size);
    bytes_u8(w->out, '}');
    close_type(w);
}

/* ---- what only requests carry ---- */

static void put_predicate(const struct writer *w, const struct predicate *predicate)
{
    bool is_list = predicate->test == PREDICATE_WITHIN || predicate->test == PREDICATE_WITHOUT ||
                   predicate->operand_count > 1;

    open_type(w, "g:", predicate_is_text(predicate->test) ? "TextP" : "P");
    bytes_format(w->out, "{\"predicate\":\"%s\",\"value\":", predicate_name(predicate->test));
    if (predicate->child_count > 0) {
        bool is_not = predicate->test == PREDICATE_NOT;
        put(w, is_not ? "" : "[");
        for (uint32_t i = 0; i < predicate->child_count; i++) {
            put(w, i == 0 ? "" : ",");
            put_predicate(w, &predicate->children[i]);
        }
        put(w, is_not ? "" : "]");
    } else if (is_list) {
        put_collection(w, "List", predicate->operands, predicate->operand_count);
    } else {
        put_value(w, &predicate->operands[0]);
    }
    bytes_u8(w->out, '}');
    close_type(w);
}

static void put_instructions(const struct writer *w, const struct instruction *instructions,
                             uint32_t count)
{
    bytes_u8(w->out, '[');
    for (uint32_t i = 0; i < count; i++) {
        put(w, i == 0 ? "[" : ",[");
        put_text(w, instructions[i].name);
        for (uint32_t j = 0; j < instructions[i].arg_count; j++) {
            bytes_u8(w->out, ',');
            put_value(w, &instructions[i].args[j]);
        }
        bytes_u8(w->out, ']');
    }
    bytes_u8(w->out, ']');
}

static void put_bytecode(const struct writer *w, const struct bytecode *bytecode)
{
    open_type(w, "g:", "Bytecode");
    bytes_u8(w->out, '{');
    if (bytecode->source_count > 0) {
        put(w, "\"source\":");
        put_instructions(w, bytecode->sources, bytecode->source_count);
        put(w, bytecode->step_count > 0 ? "," : "");
    }
    if (bytecode->step_count > 0) {
        put(w, "\"step\":");
        put_instructions(w, bytecode->steps, bytecode->step_count);
    }
    bytes_u8(w->out, '}');
    close_type(w);
}

static void put_strategy(const struct writer *w, const struct value *strategy)
{
    const struct value *map = &strategy->items[1];
    struct slice name = value_slice(&strategy->items[0]);

    if (w->is_typed) { /* The name is the client's: any text. */
        struct bytes type;
        bytes_init(&type, 0);
        bytes_append(&type, "g:", 2);
        bytes_append(&type, name.data, name.size);
        put(w, "{\"@type\":");
        put_text(w, bytes_slice(&type));
        put(w, ",\"@value\":");
        bytes_close(&type);
    }
    put(w, "{\"fqcn\":");
    put_text(w, name);
    put(w, ",\"conf\":");
    put_object(w, map->items, map->size);
    bytes_u8(w->out, '}');
    close_type(w);
}

static void put_lambda(const struct writer *w, const struct value *lambda)
{
    open_type(w, "g:", "Lambda");
    put(w, "{\"script\":");
    put_text(w, value_slice(lambda));
    put(w, ",\"language\":\"gremlin-groovy\",\"arguments\":1}");
    close_type(w);
}

/* ---- all ---- */

static void put_other(const struct writer *w, const struct value *value)
{
    switch (value->kind) {
    case VALUE_VERTEX:
        put_vertex(w, value->vertex);
        break;
    case VALUE_EDGE:
        put_edge(w, value->edge);
        break;
    case VALUE_VPROPERTY:
        put_vproperty(w, value->vproperty, false);
        break;
    case VALUE_PROPERTY:
        put_property(w, value->property);
        break;
    case VALUE_PATH:
        put_path(w, value->path);
        break;
    case VALUE_PREDICATE:
        put_predicate(w, value->predicate);
        break;
    case VALUE_TRAVERSAL:
        put_bytecode(w, value->traversal);
        break;
    case VALUE_STRATEGY:
        put_strategy(w, value);
        break;
    default:
        assert(value->kind == VALUE_LAMBDA);
        put_lambda(w, value);
        break;
    }
}

static void put_container(const struct writer *w, const struct value *value)
{
    switch (value->kind) {
    case VALUE_LIST:
        put_collection(w, "List", value->items, value->size);
        break;
    case VALUE_SET:
        put_collection(w, "Set", value->items, value->size);
        break;
    case VALUE_MAP:
        put_map(w, value->items, value->size);
        break;
    case VALUE_ENTRY:
        put_map(w, value->items, 1);
        break;
    case VALUE_BULKSET:
        put_bulkset(w, value);
        break;
    case VALUE_TREE:
        put_tree(w, value);
        break;
    case VALUE_TRAVERSER:
        put_traverser(w, value);
        break;
    case VALUE_GRAPH:
        put_graph(w, value);
        break;
    default:
        assert(value->kind == VALUE_METRICS);
        put_value(w, &value->items[0]);
        break;
    }
}

static void put_value(const struct writer *w, const struct value *value)
{
    switch ((enum value_kind)value->kind) {
    case VALUE_NULL:
        put(w, "null");
        break;
    case VALUE_BOOL:
        put(w, value->boolean ? "true" : "false");
        break;
    case VALUE_BYTE:
    case VALUE_SHORT:
    case VALUE_INT:
    case VALUE_LONG:
    case VALUE_BIGINT:
    case VALUE_FLOAT:
    case VALUE_DOUBLE:
    case VALUE_DECIMAL:
        put_number(w, value);
        break;
    case VALUE_STRING:
    case VALUE_GEO:
        put_text(w, value_slice(value));
        break;
    case VALUE_CHAR:
        put_char(w, value);
        break;
    case VALUE_UUID:
        put_uuid(w, value);
        break;
    case VALUE_DATE:
    case VALUE_TIMESTAMP:
    case VALUE_DATETIME:
    case VALUE_DURATION:
        put_moment(w, value);
        break;
    case VALUE_BINARY:
        put_binary(w, value);
        break;
    case VALUE_EXTENDED:
        put_extended(w, value);
        break;
    case VALUE_CLASS:
        put_named(w, "g:", "Class", value_slice(value));
        break;
    case VALUE_ENUM:
        put_enum(w, value);
        break;
    case VALUE_LIST:
    case VALUE_SET:
    case VALUE_MAP:
    case VALUE_ENTRY:
    case VALUE_BULKSET:
    case VALUE_TREE:
    case VALUE_TRAVERSER:
    case VALUE_METRICS:
    case VALUE_GRAPH:
        put_container(w, value);
        break;
    case VALUE_VERTEX:
    case VALUE_EDGE:
    case VALUE_VPROPERTY:
    case VALUE_PROPERTY:
    case VALUE_PATH:
    case VALUE_PREDICATE:
    case VALUE_TRAVERSAL:
    case VALUE_STRATEGY:
    case VALUE_LAMBDA:
        put_other(w, value);
        break;
    case VALUE_KIND_COUNT:
        assert(0);
    }
}

static struct writer writer_of(struct bytes *out, enum format format)
{
    assert(format != FORMAT_GRAPHBINARY);
    assert(format != FORMAT_GRAPHBINARY_STRING);
    return (struct writer){
        .out = out,
        .is_typed = format == FORMAT_GRAPHSON3 || format == FORMAT_GRAPHSON2,
        .is_v2 = format == FORMAT_GRAPHSON2 || format == FORMAT_GRAPHSON2_UNTYPED,
    };
}

void graphson_write(struct bytes *out, enum format format, const struct value *value)
{
    struct writer w = writer_of(out, format);

    put_value(&w, value);
}

void graphson_open_list(struct bytes *out, enum format format)
{
    struct writer w = writer_of(out, format);

    if (!w.is_v2) {
        open_type(&w, "g:", "List");
    }
    bytes_u8(out, '[');
}

void graphson_close_list(struct bytes *out, enum format format)
{
    struct writer w = writer_of(out, format);

    bytes_u8(out, ']');
    if (!w.is_v2) {
        close_type(&w);
    }
}
