#include "common/codec.h"

#include <assert.h>
#include <string.h>

#include "common/codec_type.h"
#include "common/datetime.h"
#include "common/element.h"
#include "common/extended.h"
#include "common/predicate.h"
#include "common/text.h"

static void put_head(struct bytes *out, uint8_t type)
{
    bytes_u8(out, type);
    bytes_u8(out, FLAG_VALUE);
}

static void put_null(struct bytes *out)
{
    bytes_u8(out, TYPE_NULL);
    bytes_u8(out, FLAG_NULL);
}

/* Length in four bytes, then the bytes: strings and binaries. */
static void put_text(struct bytes *out, struct slice text)
{
    bytes_u32(out, (uint32_t)text.size);
    bytes_append(out, text.data, text.size);
}

static void put_custom(struct bytes *out, const char *name, struct slice body)
{
    bytes_u8(out, TYPE_CUSTOM);
    put_text(out, slice_text(name));
    bytes_u8(out, FLAG_VALUE);
    put_text(out, body);
}

static void put_number(struct bytes *out, const struct value *value)
{
    switch (value->kind) {
    case VALUE_BYTE:
        put_head(out, TYPE_BYTE);
        bytes_u8(out, (uint8_t)value->integer);
        break;
    case VALUE_SHORT:
        put_head(out, TYPE_SHORT);
        bytes_u16(out, (uint16_t)value->integer);
        break;
    case VALUE_INT:
        put_head(out, TYPE_INT);
        bytes_u32(out, (uint32_t)value->integer);
        break;
    case VALUE_LONG:
        put_head(out, TYPE_LONG);
        bytes_u64(out, (uint64_t)value->integer);
        break;
    case VALUE_FLOAT:
        put_head(out, TYPE_FLOAT);
        bytes_float(out, (float)value->real);
        break;
    case VALUE_DOUBLE:
        put_head(out, TYPE_DOUBLE);
        bytes_double(out, value->real);
        break;
    case VALUE_DECIMAL:
        put_head(out, TYPE_DECIMAL);
        bytes_u32(out, (uint32_t)value->big->scale);
        put_text(out, slice_of(value->big->bytes, value->big->size));
        break;
    default:
        assert(value->kind == VALUE_BIGINT);
        put_head(out, TYPE_BIGINT);
        put_text(out, slice_of(value->big->bytes, value->big->size));
        break;
    }
}

static void put_datetime(struct bytes *out, const struct value_time *time)
{
    int64_t nano_of_day;
    struct datetime_date date = datetime_local(time, &nano_of_day);

    put_head(out, TYPE_DATETIME);
    bytes_u32(out, (uint32_t)date.year);
    bytes_u8(out, (uint8_t)date.month);
    bytes_u8(out, (uint8_t)date.day);
    bytes_u64(out, (uint64_t)nano_of_day);
    bytes_u32(out, (uint32_t)time->offset);
}

static void put_moment(struct bytes *out, const struct value *value)
{
    switch (value->kind) {
    case VALUE_DATE:
    case VALUE_TIMESTAMP:
        put_head(out, value->kind == VALUE_DATE ? TYPE_DATE : TYPE_TIMESTAMP);
        bytes_u64(out, (uint64_t)value->integer);
        break;
    case VALUE_DATETIME:
        put_datetime(out, value->time);
        break;
    default:
        assert(value->kind == VALUE_DURATION);
        put_head(out, TYPE_DURATION);
        bytes_u64(out, (uint64_t)value->time->seconds);
        bytes_u32(out, (uint32_t)value->time->nanos);
        break;
    }
}

static const uint8_t enum_types[ENUM_COUNT] = {
    [ENUM_BARRIER] = TYPE_BARRIER,
    [ENUM_CARDINALITY] = TYPE_CARDINALITY,
    [ENUM_COLUMN] = TYPE_COLUMN,
    [ENUM_DIRECTION] = TYPE_DIRECTION,
    [ENUM_DT] = TYPE_DT,
    [ENUM_GTYPE] = TYPE_GTYPE,
    [ENUM_MERGE] = TYPE_MERGE,
    [ENUM_OPERATOR] = TYPE_OPERATOR,
    [ENUM_ORDER] = TYPE_ORDER,
    [ENUM_PICK] = TYPE_PICK,
    [ENUM_POP] = TYPE_POP,
    [ENUM_SCOPE] = TYPE_SCOPE,
    [ENUM_T] = TYPE_T,
};

static void put_small(struct bytes *out, const struct value *value)
{
    struct slice text;

    switch (value->kind) {
    case VALUE_NULL:
        put_null(out);
        break;
    case VALUE_BOOL:
        put_head(out, TYPE_BOOL);
        bytes_u8(out, value->boolean);
        break;
    case VALUE_CHAR:
        put_head(out, TYPE_CHAR);
        text_utf8_put(out, (uint32_t)value->integer);
        break;
    case VALUE_UUID:
        put_head(out, TYPE_UUID);
        bytes_append(out, value->bytes, 16);
        break;
    case VALUE_EXTENDED:
        put_head(out, value->flag);
        bytes_append(out, value->bytes, value->size);
        break;
    default:
        assert(value->kind == VALUE_ENUM);
        put_head(out, enum_types[value->flag]);
        put_head(out, TYPE_STRING);
        text = slice_text(value_enumerator_name((enum enumerator)value->integer));
        put_text(out, text);
        break;
    }
}

static void put_items(struct bytes *out, const struct codec *codec, uint8_t type,
                      const struct value *items, size_t count)
{
    put_head(out, type);
    bytes_u32(out, (uint32_t)count);
    for (size_t i = 0; i < count; i++) {
        codec_encode(out, codec, &items[i]);
    }
}

/* The body of a tree: its branches are trees without a head. */
static void put_tree(struct bytes *out, const struct codec *codec, const struct value *tree)
{
    bytes_u32(out, tree->size);
    for (uint32_t i = 0; i < tree->size; i++) {
        codec_encode(out, codec, &tree->items[2 * i]);
        put_tree(out, codec, &tree->items[2 * i + 1]);
    }
}

static void put_bulkset(struct bytes *out, const struct codec *codec, const struct value *set)
{
    put_head(out, TYPE_BULKSET);
    bytes_u32(out, set->size);
    for (uint32_t i = 0; i < set->size; i++) {
        codec_encode(out, codec, &set->items[2 * i]);
        bytes_u64(out, (uint64_t)set->items[2 * i + 1].integer);
    }
}

static void put_graph(struct bytes *out, const struct codec *codec, const struct value *graph);

static void put_container(struct bytes *out, const struct codec *codec, const struct value *value)
{
    switch (value->kind) {
    case VALUE_LIST:
        put_items(out, codec, TYPE_LIST, value->items, value->size);
        break;
    case VALUE_SET:
        put_items(out, codec, TYPE_SET, value->items, value->size);
        break;
    case VALUE_MAP:
        put_head(out, TYPE_MAP);
        bytes_u32(out, value->size);
        for (uint32_t i = 0; i < 2 * value->size; i++) {
            codec_encode(out, codec, &value->items[i]);
        }
        break;
    case VALUE_ENTRY: /* As a map of one, which is how TinkerPop writes Map.Entry. */
        put_head(out, TYPE_MAP);
        bytes_u32(out, 1);
        codec_encode(out, codec, &value->items[0]);
        codec_encode(out, codec, &value->items[1]);
        break;
    case VALUE_BULKSET:
        put_bulkset(out, codec, value);
        break;
    case VALUE_TREE:
        put_head(out, TYPE_TREE);
        put_tree(out, codec, value);
        break;
    case VALUE_TRAVERSER:
        put_head(out, TYPE_TRAVERSER);
        bytes_u64(out, (uint64_t)value->items[1].integer);
        codec_encode(out, codec, &value->items[0]);
        break;
    case VALUE_GRAPH:
        put_graph(out, codec, value);
        break;
    default:
        assert(value->kind == VALUE_METRICS);
        codec_encode(out, codec, &value->items[0]);
        break;
    }
}

static void put_property(struct bytes *out, const struct codec *codec,
                         const struct property *property)
{
    put_head(out, TYPE_PROPERTY);
    put_text(out, property->key);
    codec_encode(out, codec, &property->value);
    put_null(out);
}

static void put_properties(struct bytes *out, const struct codec *codec,
                           const struct property *props, uint32_t count)
{
    put_head(out, TYPE_LIST);
    bytes_u32(out, count);
    for (uint32_t i = 0; i < count; i++) {
        put_property(out, codec, &props[i]);
    }
}

static void put_vproperty(struct bytes *out, const struct codec *codec,
                          const struct vproperty *vproperty)
{
    put_head(out, TYPE_VPROPERTY);
    codec_encode(out, codec, &vproperty->id);
    put_text(out, vproperty->key);
    codec_encode(out, codec, &vproperty->value);
    put_null(out);
    if (vproperty->meta_count == 0) {
        put_null(out);
    } else {
        put_properties(out, codec, vproperty->metas, vproperty->meta_count);
    }
}

static void put_vertex(struct bytes *out, const struct codec *codec, const struct vertex *vertex)
{
    put_head(out, TYPE_VERTEX);
    codec_encode(out, codec, &vertex->id);
    put_text(out, vertex->label);
    if (!vertex->has_props) {
        put_null(out);
        return;
    }
    put_head(out, TYPE_LIST);
    bytes_u32(out, vertex->prop_count);
    for (uint32_t i = 0; i < vertex->prop_count; i++) {
        put_vproperty(out, codec, &vertex->props[i]);
    }
}

static void put_edge(struct bytes *out, const struct codec *codec, const struct edge *edge)
{
    put_head(out, TYPE_EDGE);
    codec_encode(out, codec, &edge->id);
    put_text(out, edge->label);
    codec_encode(out, codec, &edge->in_id);
    put_text(out, edge->in_label);
    codec_encode(out, codec, &edge->out_id);
    put_text(out, edge->out_label);
    put_null(out);
    if (!edge->has_props) {
        put_null(out);
    } else {
        put_properties(out, codec, edge->props, edge->prop_count);
    }
}

/* ---- graphs: elements without heads, as GraphBinary's Graph has them ---- */

/* The items of a list, without a head. */
static void put_bare_properties(struct bytes *out, const struct codec *codec,
                                const struct property *props, uint32_t count)
{
    bytes_u32(out, count);
    for (uint32_t i = 0; i < count; i++) {
        put_property(out, codec, &props[i]);
    }
}

static void put_graph_vertex(struct bytes *out, const struct codec *codec,
                             const struct vertex *vertex)
{
    codec_encode(out, codec, &vertex->id);
    put_text(out, vertex->label);
    bytes_u32(out, vertex->prop_count);
    for (uint32_t i = 0; i < vertex->prop_count; i++) {
        const struct vproperty *property = &vertex->props[i];
        codec_encode(out, codec, &property->id);
        put_text(out, property->key);
        codec_encode(out, codec, &property->value);
        put_null(out);
        put_bare_properties(out, codec, property->metas, property->meta_count);
    }
}

static void put_graph_edge(struct bytes *out, const struct codec *codec, const struct edge *edge)
{
    codec_encode(out, codec, &edge->id);
    put_text(out, edge->label);
    codec_encode(out, codec, &edge->in_id);
    put_null(out);
    codec_encode(out, codec, &edge->out_id);
    put_null(out);
    put_null(out);
    put_bare_properties(out, codec, edge->props, edge->prop_count);
}

static void put_graph(struct bytes *out, const struct codec *codec, const struct value *graph)
{
    const struct value *vertices = &graph->items[0], *edges = &graph->items[1];

    put_head(out, TYPE_GRAPH);
    bytes_u32(out, vertices->size);
    for (uint32_t i = 0; i < vertices->size; i++) {
        assert(vertices->items[i].kind == VALUE_VERTEX);
        put_graph_vertex(out, codec, vertices->items[i].vertex);
    }
    bytes_u32(out, edges->size);
    for (uint32_t i = 0; i < edges->size; i++) {
        assert(edges->items[i].kind == VALUE_EDGE);
        put_graph_edge(out, codec, edges->items[i].edge);
    }
}

static void put_element(struct bytes *out, const struct codec *codec, const struct value *value)
{
    switch (value->kind) {
    case VALUE_VERTEX:
        put_vertex(out, codec, value->vertex);
        break;
    case VALUE_EDGE:
        put_edge(out, codec, value->edge);
        break;
    case VALUE_VPROPERTY:
        put_vproperty(out, codec, value->vproperty);
        break;
    case VALUE_PROPERTY:
        put_property(out, codec, value->property);
        break;
    default:
        assert(value->kind == VALUE_PATH);
        put_head(out, TYPE_PATH);
        put_items(out, codec, TYPE_LIST, value->path->labels, value->path->size);
        put_items(out, codec, TYPE_LIST, value->path->objects, value->path->size);
        break;
    }
}

static void put_predicate(struct bytes *out, const struct predicate *predicate)
{
    struct bytes body;

    bytes_init(&body, 0);
    predicate_encode(&body, predicate);
    put_custom(out, CUSTOM_PREDICATE, bytes_slice(&body));
    bytes_close(&body);
}

void codec_encode(struct bytes *out, const struct codec *codec, const struct value *value)
{
    if (codec != NULL && codec->write != NULL && codec->write(codec->ctx, out, value)) {
        return;
    }
    switch ((enum value_kind)value->kind) {
    case VALUE_BYTE:
    case VALUE_SHORT:
    case VALUE_INT:
    case VALUE_LONG:
    case VALUE_BIGINT:
    case VALUE_FLOAT:
    case VALUE_DOUBLE:
    case VALUE_DECIMAL:
        put_number(out, value);
        break;
    case VALUE_STRING:
        put_head(out, TYPE_STRING);
        put_text(out, value_slice(value));
        break;
    case VALUE_CLASS:
        put_head(out, TYPE_CLASS);
        put_text(out, value_slice(value));
        break;
    case VALUE_BINARY:
        put_head(out, TYPE_BINARY);
        put_text(out, value_slice(value));
        break;
    case VALUE_GEO:
        put_custom(out, CUSTOM_GEO, value_slice(value));
        break;
    case VALUE_NULL:
    case VALUE_BOOL:
    case VALUE_CHAR:
    case VALUE_UUID:
    case VALUE_EXTENDED:
    case VALUE_ENUM:
        put_small(out, value);
        break;
    case VALUE_DATE:
    case VALUE_TIMESTAMP:
    case VALUE_DATETIME:
    case VALUE_DURATION:
        put_moment(out, value);
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
        put_container(out, codec, value);
        break;
    case VALUE_VERTEX:
    case VALUE_EDGE:
    case VALUE_VPROPERTY:
    case VALUE_PROPERTY:
    case VALUE_PATH:
        put_element(out, codec, value);
        break;
    case VALUE_PREDICATE:
        put_predicate(out, value->predicate);
        break;
    case VALUE_TRAVERSAL: /* Only with a hook that knows them. */
    case VALUE_STRATEGY:
    case VALUE_LAMBDA:
    case VALUE_KIND_COUNT:
        assert(0);
    }
}
