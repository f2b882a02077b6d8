#include "common/datetime.h"
#include "common/element.h"
#include "common/number.h"
#include "common/text.h"
#include "router/gremlin/builder.h"
#include "router/gremlin/literal.h"
#include "router/gremlin/token.h"
#include "router/wire/base64.h"
#include "router/wire/graphson.h"
#include "router/wire/graphson_extended.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* misc-no-recursion: depth is bounded by VALUE_DEPTH_MAX. */

#define TEXT(json) \
    (json)->text.size > 60 ? 60 : (int)(json)->text.size, (const char *)(json)->text.data

static int read_value(struct graphson *g, const struct json *json, int depth, struct value *out);

static int wrong(struct graphson *g, const char *type)
{
    return error_set(g->err, E_MALFORMED, "GraphSON: bad value of %s", type);
}

/* ---- numbers ---- */

static bool is_whole(struct slice text)
{
    return memchr(text.data, '.', text.size) == NULL && memchr(text.data, 'e', text.size) == NULL &&
           memchr(text.data, 'E', text.size) == NULL;
}

static int bare_number(struct graphson *g, const struct json *json, struct value *out)
{
    int64_t whole;
    double real;

    if (!is_whole(json->text)) {
        if (!text_to_double(json->text, &real)) {
            return wrong(g, "number");
        }
        *out = value_double(real);
    } else if (text_to_i64(json->text, &whole)) {
        bool is_int = whole >= INT32_MIN && whole <= INT32_MAX && !g->has_long_numbers;
        *out = value_integer(is_int ? VALUE_INT : VALUE_LONG, whole);
    } else if (!number_parse_bigint(g->arena, json->text, 10, out)) {
        return wrong(g, "number");
    }
    return E_OK;
}

/* Numbers as texts are accepted too, as Jackson does. */
static bool is_scalar(const struct json *json)
{
    return json->kind == JSON_NUMBER || json->kind == JSON_STRING;
}

static int whole_number(struct graphson *g, const struct json *json, enum value_kind kind,
                        int64_t low, int64_t high, struct value *out)
{
    int64_t v;

    if (!is_scalar(json) || !text_to_i64(json->text, &v) || v < low || v > high) {
        return wrong(g, value_kind_name(kind));
    }
    *out = value_integer(kind, v);
    return E_OK;
}

static int read_byte(struct graphson *g, const struct json *json, int depth, struct value *out)
{
    (void)depth;
    return whole_number(g, json, VALUE_BYTE, INT8_MIN, INT8_MAX, out);
}

static int read_short(struct graphson *g, const struct json *json, int depth, struct value *out)
{
    (void)depth;
    return whole_number(g, json, VALUE_SHORT, INT16_MIN, INT16_MAX, out);
}

static int read_int(struct graphson *g, const struct json *json, int depth, struct value *out)
{
    (void)depth;
    return whole_number(g, json, VALUE_INT, INT32_MIN, INT32_MAX, out);
}

static int read_long(struct graphson *g, const struct json *json, int depth, struct value *out)
{
    (void)depth;
    return whole_number(g, json, VALUE_LONG, INT64_MIN, INT64_MAX, out);
}

static int read_date(struct graphson *g, const struct json *json, int depth, struct value *out)
{
    (void)depth;
    return whole_number(g, json, VALUE_DATE, INT64_MIN, INT64_MAX, out);
}

static int read_timestamp(struct graphson *g, const struct json *json, int depth, struct value *out)
{
    (void)depth;
    return whole_number(g, json, VALUE_TIMESTAMP, INT64_MIN, INT64_MAX, out);
}

static int read_bigint(struct graphson *g, const struct json *json, int depth, struct value *out)
{
    (void)depth;
    return is_scalar(json) && number_parse_bigint(g->arena, json->text, 10, out)
               ? E_OK
               : wrong(g, "gx:BigInteger");
}

static int read_decimal(struct graphson *g, const struct json *json, int depth, struct value *out)
{
    (void)depth;
    return is_scalar(json) && number_parse_decimal(g->arena, json->text, out)
               ? E_OK
               : wrong(g, "gx:BigDecimal");
}

static int read_double(struct graphson *g, const struct json *json, int depth, struct value *out)
{
    double v;

    (void)depth;
    if (!is_scalar(json) || !text_to_double(json->text, &v)) {
        return wrong(g, "g:Double");
    }
    *out = value_double(v);
    return E_OK;
}

static int read_float(struct graphson *g, const struct json *json, int depth, struct value *out)
{
    int rc = read_double(g, json, depth, out);

    if (rc == E_OK) {
        *out = value_float((float)out->real);
    }
    return rc;
}

/* ---- texts ---- */

static int need_text(struct graphson *g, const struct json *json, const char *type)
{
    return json != NULL && json->kind == JSON_STRING ? E_OK : wrong(g, type);
}

static int read_uuid(struct graphson *g, const struct json *json, int depth, struct value *out)
{
    (void)depth;
    return need_text(g, json, "g:UUID") == E_OK &&
                   literal_uuid(g->arena, json->text, out, NULL) == E_OK
               ? E_OK
               : wrong(g, "g:UUID");
}

static int read_class(struct graphson *g, const struct json *json, int depth, struct value *out)
{
    (void)depth;
    int rc = need_text(g, json, "g:Class");

    if (rc == E_OK) {
        *out = value_string(json->text);
        out->kind = VALUE_CLASS;
    }
    return rc;
}

static int read_char(struct graphson *g, const struct json *json, int depth, struct value *out)
{
    size_t at = 0;

    (void)depth;
    if (need_text(g, json, "gx:Char") != E_OK || json->text.size == 0) {
        return wrong(g, "gx:Char");
    }
    uint32_t point = text_utf8_next(json->text, &at);
    *out = value_integer(VALUE_CHAR, point);
    return at == json->text.size ? E_OK : wrong(g, "gx:Char");
}

static int read_binary(struct graphson *g, const struct json *json, int depth, struct value *out)
{
    struct slice bytes;

    (void)depth;
    if (need_text(g, json, "gx:ByteBuffer") != E_OK ||
        !base64_decode(g->arena, json->text, &bytes)) {
        return wrong(g, "gx:ByteBuffer");
    }
    *out = (struct value){.kind = VALUE_BINARY, .size = (uint32_t)bytes.size, .bytes = bytes.data};
    return E_OK;
}

static int read_datetime(struct graphson *g, const struct json *json, int depth, struct value *out)
{
    struct value_time *time = ARENA_NEW(g->arena, struct value_time);

    (void)depth;
    if (need_text(g, json, "gx:OffsetDateTime") != E_OK || !datetime_parse(json->text, time)) {
        return wrong(g, "gx:OffsetDateTime");
    }
    *out = (struct value){.kind = VALUE_DATETIME, .time = time};
    return E_OK;
}

static int read_duration(struct graphson *g, const struct json *json, int depth, struct value *out)
{
    struct value_time *time = ARENA_NEW(g->arena, struct value_time);

    (void)depth;
    if (need_text(g, json, "gx:Duration") != E_OK || !datetime_parse_span(json->text, time)) {
        return wrong(g, "gx:Duration");
    }
    *out = (struct value){.kind = VALUE_DURATION, .time = time};
    return E_OK;
}

/* ---- containers ---- */

static int read_items(struct graphson *g, const struct json *json, int depth, struct value **out)
{
    struct value *items = arena_array(g->arena, json->count, sizeof *items);
    size_t at = 0;

    for (const struct json *child = json->first; child != NULL; child = child->next) {
        int rc = read_value(g, child, depth + 1, &items[at++]);
        if (rc != E_OK) {
            return rc;
        }
    }
    *out = items;
    return E_OK;
}

static int read_sequence(struct graphson *g, const struct json *json, int depth,
                         enum value_kind kind, struct value *out)
{
    struct value *items;

    if (json->kind != JSON_ARRAY) {
        return wrong(g, value_kind_name(kind));
    }
    int rc = read_items(g, json, depth, &items);
    if (rc == E_OK) {
        *out = (struct value){.kind = (uint8_t)kind, .size = json->count, .items = items};
    }
    return rc;
}

static int read_list(struct graphson *g, const struct json *json, int depth, struct value *out)
{
    return read_sequence(g, json, depth, VALUE_LIST, out);
}

static int read_set(struct graphson *g, const struct json *json, int depth, struct value *out)
{
    return read_sequence(g, json, depth, VALUE_SET, out);
}

static int read_pairs(struct graphson *g, const struct json *json, int depth, enum value_kind kind,
                      struct value *out)
{
    int rc = read_sequence(g, json, depth, VALUE_LIST, out);

    if (rc == E_OK && out->size % 2 != 0) {
        return wrong(g, value_kind_name(kind));
    }
    out->kind = (uint8_t)kind;
    out->size /= 2;
    return rc;
}

/* A JSON object: keys are strings. */
static int read_object(struct graphson *g, const struct json *json, int depth, struct value *out)
{
    struct value *items = arena_array(g->arena, 2 * (size_t)json->count, sizeof *items);
    size_t at = 0;

    for (const struct json *child = json->first; child != NULL; child = child->next) {
        items[at] = value_string(child->key);
        int rc = read_value(g, child, depth + 1, &items[at + 1]);
        if (rc != E_OK) {
            return rc;
        }
        at += 2;
    }
    *out = (struct value){.kind = VALUE_MAP, .size = json->count, .items = items};
    return E_OK;
}

static int read_map(struct graphson *g, const struct json *json, int depth, struct value *out)
{
    return json->kind == JSON_OBJECT ? read_object(g, json, depth, out)
                                     : read_pairs(g, json, depth, VALUE_MAP, out);
}

static int read_bulkset(struct graphson *g, const struct json *json, int depth, struct value *out)
{
    int rc = read_pairs(g, json, depth, VALUE_BULKSET, out);

    for (size_t i = 0; rc == E_OK && i < out->size; i++) {
        if (out->items[2 * i + 1].kind != VALUE_LONG) {
            return wrong(g, "g:BulkSet");
        }
    }
    return rc;
}

/* ---- elements ---- */

static int read_member(struct graphson *g, const struct json *json, const char *key, int depth,
                       struct value *out)
{
    const struct json *member = json_get(json, key);

    *out = value_null();
    return member == NULL ? E_OK : read_value(g, member, depth + 1, out);
}

static struct slice label_of(const struct json *json, const char *key)
{
    const struct json *member = json_get(json, key);

    return member != NULL && member->kind == JSON_STRING ? member->text : SLICE("");
}

/* Meta-properties {"k": value} and an edge's {"k": g:Property}, which are the same but for the
 * wrapping. */
static int read_properties(struct graphson *g, const struct json *json, int depth,
                           const struct property **out, uint32_t *count)
{
    struct value value;

    if (json == NULL) {
        return E_OK;
    }
    struct property *props = arena_array(g->arena, json->count, sizeof *props);
    for (const struct json *child = json->first; child != NULL; child = child->next) {
        int rc = read_value(g, child, depth + 1, &value);
        if (rc != E_OK) {
            return rc;
        }
        props[(*count)++] = (struct property){
            .key = child->key,
            .value = value.kind == VALUE_PROPERTY ? value.property->value : value,
        };
    }
    *out = props;
    return E_OK;
}

static int read_property(struct graphson *g, const struct json *json, int depth, struct value *out)
{
    struct property *property = ARENA_NEW(g->arena, struct property);
    int rc = read_member(g, json, "value", depth, &property->value);

    property->key = label_of(json, "key");
    *out = value_property(property);
    return rc;
}

static int read_vproperty(struct graphson *g, const struct json *json, int depth, struct value *out)
{
    struct vproperty *vproperty = ARENA_NEW(g->arena, struct vproperty);
    int rc = read_member(g, json, "id", depth, &vproperty->id);

    if (rc == E_OK) {
        rc = read_member(g, json, "value", depth, &vproperty->value);
    }
    if (rc == E_OK) {
        rc = read_properties(g, json_get(json, "properties"), depth, &vproperty->metas,
                             &vproperty->meta_count);
    }
    vproperty->key = label_of(json, "label");
    *out = value_vproperty(vproperty);
    return rc;
}

static int read_vertex_properties(struct graphson *g, const struct json *json, int depth,
                                  struct vertex *vertex)
{
    size_t count = 0;
    struct value value;

    for (const struct json *key = json->first; key != NULL; key = key->next) {
        count += key->count;
    }
    struct vproperty *props = arena_array(g->arena, count, sizeof *props);
    for (const struct json *key = json->first; key != NULL; key = key->next) {
        for (const struct json *item = key->first; key->kind == JSON_ARRAY && item != NULL;
             item = item->next) {
            int rc = read_value(g, item, depth + 2, &value);
            if (rc != E_OK || value.kind != VALUE_VPROPERTY) {
                return rc != E_OK ? rc : wrong(g, "g:Vertex");
            }
            props[vertex->prop_count] = *value.vproperty;
            props[vertex->prop_count++].key = key->key;
        }
    }
    vertex->props = props;
    vertex->has_props = true;
    return E_OK;
}

static int read_vertex(struct graphson *g, const struct json *json, int depth, struct value *out)
{
    struct vertex *vertex = ARENA_NEW(g->arena, struct vertex);
    const struct json *properties = json_get(json, "properties");
    int rc = read_member(g, json, "id", depth, &vertex->id);

    if (rc == E_OK && properties != NULL) {
        rc = read_vertex_properties(g, properties, depth, vertex);
    }
    vertex->label = label_of(json, "label");
    *out = value_vertex(vertex);
    return rc;
}

static int read_edge(struct graphson *g, const struct json *json, int depth, struct value *out)
{
    struct edge *edge = ARENA_NEW(g->arena, struct edge);
    const struct json *properties = json_get(json, "properties");
    int rc = read_member(g, json, "id", depth, &edge->id);

    if (rc == E_OK) {
        rc = read_member(g, json, "inV", depth, &edge->in_id);
    }
    if (rc == E_OK) {
        rc = read_member(g, json, "outV", depth, &edge->out_id);
    }
    if (rc == E_OK) {
        rc = read_properties(g, properties, depth, &edge->props, &edge->prop_count);
    }
    edge->has_props = properties != NULL;
    edge->label = label_of(json, "label");
    edge->in_label = label_of(json, "inVLabel");
    edge->out_label = label_of(json, "outVLabel");
    *out = value_edge(edge);
    return rc;
}

static int read_path(struct graphson *g, const struct json *json, int depth, struct value *out)
{
    struct path *path = ARENA_NEW(g->arena, struct path);
    struct value labels;
    struct value objects;
    int rc = read_member(g, json, "labels", depth, &labels);

    if (rc == E_OK) {
        rc = read_member(g, json, "objects", depth, &objects);
    }
    if (rc != E_OK) {
        return rc;
    }
    if (labels.kind != VALUE_LIST || objects.kind != VALUE_LIST || labels.size != objects.size) {
        return wrong(g, "g:Path");
    }
    struct value *sets = arena_copy(g->arena, labels.items, labels.size * sizeof *sets);
    for (uint32_t i = 0; i < labels.size; i++) {
        if (sets[i].kind != VALUE_SET && sets[i].kind != VALUE_LIST) {
            return wrong(g, "g:Path");
        }
        sets[i].kind = VALUE_SET;
    }
    *path = (struct path){objects.size, objects.items, sets};
    *out = (struct value){.kind = VALUE_PATH, .path = path};
    return E_OK;
}

static int read_traverser(struct graphson *g, const struct json *json, int depth, struct value *out)
{
    struct value *items = arena_array(g->arena, 2, sizeof *items);
    int rc = read_member(g, json, "value", depth, &items[0]);

    if (rc == E_OK) {
        rc = read_member(g, json, "bulk", depth, &items[1]);
    }
    if (rc == E_OK && items[1].kind != VALUE_LONG) {
        return wrong(g, "g:Traverser");
    }
    *out = (struct value){.kind = VALUE_TRAVERSER, .items = items};
    return rc;
}

/* ---- instructions ---- */

static int read_instruction(struct graphson *g, const struct json *json, int depth,
                            struct builder *builder, bool is_source)
{
    struct value *args = NULL;

    g->instruction_count++;
    if (g->instruction_count > BYTECODE_STEPS_MAX) {
        return error_set(g->err, E_MALFORMED, "more than %d steps", BYTECODE_STEPS_MAX);
    }
    if (json->kind != JSON_ARRAY || json->count == 0 || json->first->kind != JSON_STRING) {
        return wrong(g, "g:Bytecode");
    }
    int rc = read_items(g, json, depth, &args);
    if (rc != E_OK) {
        return rc;
    }
    if (is_source) {
        (void)builder_source(builder, json->first->text, args + 1, json->count - 1);
    } else {
        (void)builder_step(builder, json->first->text, args + 1, json->count - 1);
    }
    return E_OK;
}

static int read_instructions(struct graphson *g, const struct json *list, int depth,
                             struct builder *builder, bool is_source)
{
    int rc = E_OK;

    if (list == NULL) {
        return E_OK;
    }
    if (list->kind != JSON_ARRAY) {
        return wrong(g, "g:Bytecode");
    }
    for (const struct json *child = list->first; rc == E_OK && child != NULL; child = child->next) {
        rc = read_instruction(g, child, depth + 1, builder, is_source);
    }
    return rc;
}

static int read_bytecode(struct graphson *g, const struct json *json, int depth, struct value *out)
{
    const struct json *sources = json_get(json, "source");
    const struct json *steps = json_get(json, "step");
    struct builder builder;

    builder_init(&builder, g->arena, sources == NULL ? 0 : sources->count,
                 steps == NULL ? 0 : steps->count);
    int rc = read_instructions(g, sources, depth, &builder, true);
    if (rc == E_OK) {
        rc = read_instructions(g, steps, depth, &builder, false);
    }
    *out = (struct value){.kind = VALUE_TRAVERSAL, .traversal = builder_finish(&builder)};
    return rc;
}

static int read_predicate(struct graphson *g, const struct json *json, int depth, struct value *out)
{
    const struct json *name = json_get(json, "predicate");
    const struct json *operand = json_get(json, "value");
    struct value *value = ARENA_NEW(g->arena, struct value);

    if (need_text(g, name, "g:P") != E_OK || operand == NULL) {
        return wrong(g, "g:P");
    }
    int rc = read_value(g, operand, depth + 1, value);
    if (rc != E_OK) {
        return rc;
    }
    return builder_named_predicate(g->arena, name->text, value, 1, out) ? E_OK : wrong(g, "g:P");
}

static int read_binding(struct graphson *g, const struct json *json, int depth, struct value *out)
{
    return read_member(g, json, "value", depth, out);
}

static int read_lambda(struct graphson *g, const struct json *json, int depth, struct value *out)
{
    (void)g;
    (void)depth;
    *out = value_string(label_of(json, "script"));
    out->kind = VALUE_LAMBDA;
    return E_OK;
}

/* {"fqcn": .., "conf": {..}}, or the options alone from older drivers. */
static int read_strategy(struct graphson *g, struct slice name, const struct json *json, int depth,
                         struct value *out)
{
    const struct json *conf = json_get(json, "conf");
    struct value map;

    if (json->kind != JSON_OBJECT) {
        return wrong(g, "strategy");
    }
    int rc = conf != NULL && json_get(json, "fqcn") != NULL ? read_value(g, conf, depth + 1, &map)
                                                            : read_object(g, json, depth, &map);
    if (rc == E_OK && map.kind != VALUE_MAP) {
        return wrong(g, "strategy");
    }
    if (rc == E_OK) {
        *out = builder_strategy(g->arena, name, &map);
    }
    return rc;
}

/* ---- types ---- */

typedef int (*read_fn)(struct graphson *g, const struct json *json, int depth, struct value *out);

static const struct {
    const char *type;
    read_fn read;
} readers[] = {
    {"g:Int32", read_int},
    {"g:Int64", read_long},
    {"g:Double", read_double},
    {"g:Float", read_float},
    {"g:List", read_list},
    {"g:Map", read_map},
    {"g:Set", read_set},
    {"g:Bytecode", read_bytecode},
    {"g:P", read_predicate},
    {"g:TextP", read_predicate},
    {"g:UUID", read_uuid},
    {"g:Vertex", read_vertex},
    {"g:Edge", read_edge},
    {"g:VertexProperty", read_vproperty},
    {"g:Property", read_property},
    {"g:Path", read_path},
    {"g:Traverser", read_traverser},
    {"g:Date", read_date},
    {"g:Timestamp", read_timestamp},
    {"g:Class", read_class},
    {"g:BulkSet", read_bulkset},
    {"g:Binding", read_binding},
    {"g:Lambda", read_lambda},
    {"gx:OffsetDateTime", read_datetime},
    {"gx:Duration", read_duration},
    {"gx:BigInteger", read_bigint},
    {"gx:BigDecimal", read_decimal},
    {"gx:Byte", read_byte},
    {"gx:Int16", read_short},
    {"gx:Char", read_char},
    {"gx:ByteBuffer", read_binary},
};

static int read_enum(struct graphson *g, struct slice type, const struct json *json,
                     struct value *out)
{
    enum value_enum which = token_enum(type);
    enum enumerator id =
        json->kind == JSON_STRING ? token_of_enum(which, json->text) : ENUMERATOR_COUNT;

    if (id == ENUMERATOR_COUNT) {
        return error_set(g->err, E_MALFORMED, "GraphSON: '%.*s' is not known", TEXT(json));
    }
    *out = value_enumerator(id);
    return E_OK;
}

static int read_typed(struct graphson *g, const struct json *type, const struct json *json,
                      int depth, struct value *out)
{
    static const struct slice suffix = {(const uint8_t *)"Strategy", 8};
    struct slice name = type->text;

    for (size_t i = 0; i < sizeof readers / sizeof readers[0]; i++) {
        if (slice_equal(name, slice_text(readers[i].type))) {
            return readers[i].read(g, json, depth, out);
        }
    }
    if (name.size > 2 && memcmp(name.data, "g:", 2) == 0) {
        name = slice_of(name.data + 2, name.size - 2);
        if (token_enum(name) != ENUM_COUNT) {
            return read_enum(g, name, json, out);
        }
        if (name.size > suffix.size &&
            slice_equal(slice_of(name.data + name.size - suffix.size, suffix.size), suffix)) {
            return read_strategy(g, name, json, depth, out);
        }
    }
    if (name.size > 3 && memcmp(name.data, "gx:", 3) == 0 && is_scalar(json) &&
        graphson_extended_parse(g->arena, slice_of(name.data + 3, name.size - 3), json->text,
                                out)) {
        return E_OK;
    }
    return error_set(g->err, E_MALFORMED, "GraphSON: the type '%.*s' is not known", TEXT(type));
}

static int read_value(struct graphson *g, const struct json *json, int depth, struct value *out)
{
    const struct json *type = json_get(json, "@type");
    const struct json *value = json_get(json, "@value");

    if (depth > VALUE_DEPTH_MAX) {
        return error_set(g->err, E_MALFORMED, "nested deeper than %d", VALUE_DEPTH_MAX);
    }
    switch (json->kind) {
    case JSON_NULL:
        *out = value_null();
        return E_OK;
    case JSON_BOOL:
        *out = value_bool(json->boolean);
        return E_OK;
    case JSON_STRING:
        *out = value_string(json->text);
        return E_OK;
    case JSON_NUMBER:
        return bare_number(g, json, out);
    case JSON_ARRAY:
        return read_list(g, json, depth, out);
    case JSON_OBJECT:
        break;
    }
    if (type != NULL && type->kind == JSON_STRING && value != NULL) {
        return read_typed(g, type, value, depth, out);
    }
    return read_object(g, json, depth, out);
}

int graphson_read(struct graphson *graphson, const struct json *json, struct value *out)
{
    assert(graphson != NULL);
    assert(json != NULL);
    return read_value(graphson, json, 0, out);
}
