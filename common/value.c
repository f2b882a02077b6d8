#include "common/value.h"

#include <assert.h>
#include <math.h>
#include <stddef.h>
#include <string.h>

#include "common/element.h"
#include "common/predicate.h"
#include "common/text.h"

struct value value_null(void)
{
    return (struct value){.kind = VALUE_NULL};
}

struct value value_bool(bool v)
{
    return (struct value){.kind = VALUE_BOOL, .boolean = v};
}

struct value value_int(int32_t v)
{
    return (struct value){.kind = VALUE_INT, .integer = v};
}

struct value value_long(int64_t v)
{
    return (struct value){.kind = VALUE_LONG, .integer = v};
}

struct value value_integer(enum value_kind kind, int64_t v)
{
    assert((kind >= VALUE_BYTE && kind <= VALUE_LONG) || kind == VALUE_CHAR || kind == VALUE_DATE ||
           kind == VALUE_TIMESTAMP);
    return (struct value){.kind = (uint8_t)kind, .integer = v};
}

struct value value_double(double v)
{
    return (struct value){.kind = VALUE_DOUBLE, .real = v};
}

struct value value_float(float v)
{
    return (struct value){.kind = VALUE_FLOAT, .real = (double)v};
}

struct value value_string(struct slice text)
{
    assert(text.size <= UINT32_MAX);
    return (struct value){
        .kind = VALUE_STRING, .size = (uint32_t)text.size, .text = (const char *)text.data};
}

struct value value_cstring(const char *text)
{
    return value_string(slice_text(text));
}

struct value value_enumerator(enum enumerator id)
{
    return (struct value){
        .kind = VALUE_ENUM, .flag = (uint8_t)value_enum_of(id), .integer = (int64_t)id};
}

static bool has_pairs(enum value_kind kind)
{
    return kind == VALUE_MAP || kind == VALUE_BULKSET || kind == VALUE_TREE;
}

struct value value_items(struct arena *arena, enum value_kind kind, const struct value *items,
                         size_t count)
{
    size_t all = has_pairs(kind) ? count * 2 : count;

    assert(kind == VALUE_LIST || kind == VALUE_SET || has_pairs(kind));
    assert(count <= UINT32_MAX / 2);
    return (struct value){.kind = (uint8_t)kind,
                          .size = (uint32_t)count,
                          .items =
                              (const struct value *)arena_copy(arena, items, all * sizeof *items)};
}

struct value value_vertex(const struct vertex *vertex)
{
    assert(vertex != NULL);
    return (struct value){.kind = VALUE_VERTEX, .vertex = vertex};
}

struct value value_edge(const struct edge *edge)
{
    assert(edge != NULL);
    return (struct value){.kind = VALUE_EDGE, .edge = edge};
}

struct value value_vproperty(const struct vproperty *vproperty)
{
    assert(vproperty != NULL);
    return (struct value){.kind = VALUE_VPROPERTY, .vproperty = vproperty};
}

struct value value_property(const struct property *property)
{
    assert(property != NULL);
    return (struct value){.kind = VALUE_PROPERTY, .property = property};
}

struct value value_graph(struct arena *arena, const struct value *vertices,
                         const struct value *edges)
{
    const struct value items[2] = {*vertices, *edges};

    assert(vertices->kind == VALUE_LIST && edges->kind == VALUE_LIST);
    return (struct value){.kind = VALUE_GRAPH,
                          .size = 1,
                          .items = (const struct value *)arena_copy(arena, items, sizeof items)};
}

/* ---- looking ---- */

struct slice value_slice(const struct value *value)
{
    return slice_of(value->bytes, value->size);
}

bool value_is_number(const struct value *value)
{
    return value->kind >= VALUE_BYTE && value->kind <= VALUE_DECIMAL;
}

bool value_is_element(const struct value *value)
{
    return value->kind == VALUE_VERTEX || value->kind == VALUE_EDGE ||
           value->kind == VALUE_VPROPERTY;
}

bool value_is_text(const struct value *value, const char *text)
{
    return value->kind == VALUE_STRING && slice_equal(value_slice(value), slice_text(text));
}

const struct value *value_get(const struct value *map, const struct value *key)
{
    assert(map->kind == VALUE_MAP || map->kind == VALUE_TREE);
    for (uint32_t i = 0; i < map->size; i++) {
        if (value_equivalent(&map->items[2 * i], key)) {
            return &map->items[2 * i + 1];
        }
    }
    return NULL;
}

const struct value *value_get_text(const struct value *map, const char *key)
{
    struct value text = value_cstring(key);

    return value_get(map, &text);
}

const char *value_kind_name(enum value_kind kind)
{
    static const char *const names[] = {
        [VALUE_NULL] = "null",
        [VALUE_BOOL] = "boolean",
        [VALUE_BYTE] = "byte",
        [VALUE_SHORT] = "short",
        [VALUE_INT] = "int",
        [VALUE_LONG] = "long",
        [VALUE_BIGINT] = "bigint",
        [VALUE_FLOAT] = "float",
        [VALUE_DOUBLE] = "double",
        [VALUE_DECIMAL] = "bigdecimal",
        [VALUE_STRING] = "string",
        [VALUE_CHAR] = "char",
        [VALUE_UUID] = "uuid",
        [VALUE_DATE] = "date",
        [VALUE_TIMESTAMP] = "timestamp",
        [VALUE_DATETIME] = "datetime",
        [VALUE_DURATION] = "duration",
        [VALUE_BINARY] = "binary",
        [VALUE_EXTENDED] = "extended",
        [VALUE_CLASS] = "class",
        [VALUE_LIST] = "list",
        [VALUE_SET] = "set",
        [VALUE_MAP] = "map",
        [VALUE_BULKSET] = "bulkset",
        [VALUE_ENUM] = "enum",
        [VALUE_VERTEX] = "vertex",
        [VALUE_EDGE] = "edge",
        [VALUE_VPROPERTY] = "vertexproperty",
        [VALUE_PROPERTY] = "property",
        [VALUE_PATH] = "path",
        [VALUE_ENTRY] = "entry",
        [VALUE_TREE] = "tree",
        [VALUE_GEO] = "geo",
        [VALUE_PREDICATE] = "predicate",
        [VALUE_TRAVERSAL] = "traversal",
        [VALUE_TRAVERSER] = "traverser",
        [VALUE_STRATEGY] = "strategy",
        [VALUE_LAMBDA] = "lambda",
        [VALUE_METRICS] = "metrics",
        [VALUE_GRAPH] = "graph",
    };

    _Static_assert(sizeof names / sizeof names[0] == VALUE_KIND_COUNT, "every kind has a name");
    assert(kind < VALUE_KIND_COUNT);
    return names[kind];
}

/* ---- enumerations ---- */

static const struct {
    enum value_enum type;
    const char *name;
} enumerators[] = {
#define ENUMERATOR(type, id, name) {type, name},
#include "common/value_enum.def"
#undef ENUMERATOR
};

const char *value_enum_name(enum value_enum type)
{
    static const char *const names[] = {
        [ENUM_BARRIER] = "Barrier",
        [ENUM_CARDINALITY] = "Cardinality",
        [ENUM_COLUMN] = "Column",
        [ENUM_DIRECTION] = "Direction",
        [ENUM_DT] = "DT",
        [ENUM_GTYPE] = "GType",
        [ENUM_MERGE] = "Merge",
        [ENUM_OPERATOR] = "Operator",
        [ENUM_ORDER] = "Order",
        [ENUM_PICK] = "Pick",
        [ENUM_POP] = "Pop",
        [ENUM_SCOPE] = "Scope",
        [ENUM_T] = "T",
    };

    _Static_assert(sizeof names / sizeof names[0] == ENUM_COUNT, "every enumeration has a name");
    assert(type < ENUM_COUNT);
    return names[type];
}

const char *value_enumerator_name(enum enumerator id)
{
    assert(id < ENUMERATOR_COUNT);
    return enumerators[id].name;
}

enum value_enum value_enum_of(enum enumerator id)
{
    assert(id < ENUMERATOR_COUNT);
    return enumerators[id].type;
}

/* Direction.from and Direction.to; the order that drivers before 3.5 call incr and decr. */
static const struct {
    enum enumerator id;
    const char *name;
} aliases[] = {
    {DIRECTION_OUT, "from"},
    {DIRECTION_IN, "to"},
    {ORDER_ASC, "incr"},
    {ORDER_DESC, "decr"},
};

enum enumerator value_enumerator_find(enum value_enum type, struct slice name)
{
    bool ignores_case = type == ENUM_GTYPE || type == ENUM_DIRECTION;

    for (int i = 0; i < ENUMERATOR_COUNT; i++) {
        struct slice known = slice_text(enumerators[i].name);
        if (enumerators[i].type == type &&
            (ignores_case ? text_equal_nocase(known, name) : slice_equal(known, name))) {
            return (enum enumerator)i;
        }
    }
    for (size_t i = 0; i < sizeof aliases / sizeof aliases[0]; i++) {
        if (value_enum_of(aliases[i].id) == type &&
            slice_equal(slice_text(aliases[i].name), name)) {
            return aliases[i].id;
        }
    }
    return ENUMERATOR_COUNT;
}

/* ---- copying ---- */

static struct slice copy_slice(struct arena *arena, struct slice s)
{
    return s.data == NULL ? s : slice_of(arena_copy(arena, s.data, s.size), s.size);
}

static const struct value *copy_items(struct arena *arena, const struct value *items, size_t count)
{
    struct value *copy = (struct value *)arena_array(arena, count, sizeof *copy);

    for (size_t i = 0; i < count; i++) {
        copy[i] = value_copy(arena, &items[i]);
    }
    return copy;
}

static const struct property *copy_properties(struct arena *arena, const struct property *props,
                                              size_t count, const struct value *owner)
{
    struct property *copy = (struct property *)arena_array(arena, count, sizeof *copy);

    for (size_t i = 0; i < count; i++) {
        copy[i].key = copy_slice(arena, props[i].key);
        copy[i].value = value_copy(arena, &props[i].value);
        copy[i].owner = owner;
    }
    return copy;
}

static const struct value *keep(struct arena *arena, struct value value)
{
    return (const struct value *)arena_copy(arena, &value, sizeof value);
}

static void copy_vproperty(struct arena *arena, const struct vproperty *from,
                           const struct vertex *owner, struct vproperty *to)
{
    *to = *from;
    to->id = value_copy(arena, &from->id);
    to->key = copy_slice(arena, from->key);
    to->value = value_copy(arena, &from->value);
    to->owner = owner;
    if (from->meta_count > 0) {
        to->metas =
            copy_properties(arena, from->metas, from->meta_count, keep(arena, value_vproperty(to)));
    }
}

/* with_props false: as an owner, what says where it belongs and no more, so that copying ends. */
static struct vertex *copy_vertex(struct arena *arena, const struct vertex *from, bool with_props)
{
    struct vertex *to = ARENA_NEW(arena, struct vertex);

    to->id = value_copy(arena, &from->id);
    to->label = copy_slice(arena, from->label);
    if (!with_props || !from->has_props) {
        return to;
    }
    struct vproperty *props =
        (struct vproperty *)arena_array(arena, from->prop_count, sizeof *props);
    for (uint32_t i = 0; i < from->prop_count; i++) {
        copy_vproperty(arena, &from->props[i], to, &props[i]);
    }
    to->props = props;
    to->prop_count = from->prop_count;
    to->has_props = true;
    return to;
}

static struct edge *copy_edge(struct arena *arena, const struct edge *from, bool with_props)
{
    struct edge *to = ARENA_NEW(arena, struct edge);

    *to = *from;
    to->id = value_copy(arena, &from->id);
    to->label = copy_slice(arena, from->label);
    to->out_id = value_copy(arena, &from->out_id);
    to->in_id = value_copy(arena, &from->in_id);
    to->out_label = copy_slice(arena, from->out_label);
    to->in_label = copy_slice(arena, from->in_label);
    to->props = NULL;
    if (!with_props || !from->has_props) {
        to->prop_count = 0;
        to->has_props = false;
        return to;
    }
    to->props = copy_properties(arena, from->props, from->prop_count, keep(arena, value_edge(to)));
    return to;
}

static const struct vproperty *copy_detached(struct arena *arena, const struct vproperty *from,
                                             bool with_metas)
{
    struct vproperty *to = ARENA_NEW(arena, struct vproperty);
    struct vproperty bare = *from;
    const struct vertex *owner = from->owner;

    if (!with_metas) {
        bare.metas = NULL;
        bare.meta_count = 0;
    }
    copy_vproperty(arena, &bare, owner == NULL ? NULL : copy_vertex(arena, owner, false), to);
    return to;
}

static const struct value *copy_owner(struct arena *arena, const struct value *owner)
{
    if (owner == NULL) {
        return NULL;
    }
    if (owner->kind == VALUE_EDGE) {
        return keep(arena, value_edge(copy_edge(arena, owner->edge, false)));
    }
    assert(owner->kind == VALUE_VPROPERTY);
    return keep(arena, value_vproperty(copy_detached(arena, owner->vproperty, false)));
}

static const struct path *copy_path(struct arena *arena, const struct path *from)
{
    struct path *to = ARENA_NEW(arena, struct path);

    to->size = from->size;
    to->objects = copy_items(arena, from->objects, from->size);
    to->labels = copy_items(arena, from->labels, from->size);
    return to;
}

static const struct value_big *copy_big(struct arena *arena, const struct value_big *from)
{
    struct value_big *to = (struct value_big *)arena_copy(arena, from, sizeof *from);

    to->bytes = (const uint8_t *)arena_copy(arena, from->bytes, from->size);
    return to;
}

size_t value_item_count(const struct value *value)
{
    switch (value->kind) {
    case VALUE_LIST:
    case VALUE_SET:
        return value->size;
    case VALUE_MAP:
    case VALUE_BULKSET:
    case VALUE_TREE:
        return (size_t)value->size * 2;
    case VALUE_ENTRY:
    case VALUE_TRAVERSER:
    case VALUE_STRATEGY:
    case VALUE_GRAPH:
        return 2;
    case VALUE_METRICS:
        return 1;
    default:
        return 0;
    }
}

struct value value_copy(struct arena *arena, const struct value *value)
{
    struct value copy = *value;

    switch ((enum value_kind)value->kind) {
    case VALUE_NULL:
    case VALUE_BOOL:
    case VALUE_BYTE:
    case VALUE_SHORT:
    case VALUE_INT:
    case VALUE_LONG:
    case VALUE_FLOAT:
    case VALUE_DOUBLE:
    case VALUE_CHAR:
    case VALUE_DATE:
    case VALUE_TIMESTAMP:
    case VALUE_ENUM:
    case VALUE_KIND_COUNT:
        break;
    case VALUE_BIGINT:
    case VALUE_DECIMAL:
        copy.big = copy_big(arena, value->big);
        break;
    case VALUE_STRING:
    case VALUE_UUID:
    case VALUE_BINARY:
    case VALUE_EXTENDED:
    case VALUE_CLASS:
    case VALUE_GEO:
    case VALUE_LAMBDA:
        copy.bytes = (const uint8_t *)arena_copy(arena, value->bytes, value->size);
        break;
    case VALUE_DATETIME:
    case VALUE_DURATION:
        copy.time = (const struct value_time *)arena_copy(arena, value->time, sizeof *value->time);
        break;
    case VALUE_LIST:
    case VALUE_SET:
    case VALUE_MAP:
    case VALUE_BULKSET:
    case VALUE_TREE:
    case VALUE_ENTRY:
    case VALUE_TRAVERSER:
    case VALUE_STRATEGY:
    case VALUE_METRICS:
    case VALUE_GRAPH:
        copy.items = copy_items(arena, value->items, value_item_count(value));
        break;
    case VALUE_VERTEX:
        copy.vertex = copy_vertex(arena, value->vertex, true);
        break;
    case VALUE_EDGE:
        copy.edge = copy_edge(arena, value->edge, true);
        break;
    case VALUE_VPROPERTY:
        copy.vproperty = copy_detached(arena, value->vproperty, true);
        break;
    case VALUE_PROPERTY:
        copy.property =
            copy_properties(arena, value->property, 1, copy_owner(arena, value->property->owner));
        break;
    case VALUE_PATH:
        copy.path = copy_path(arena, value->path);
        break;
    case VALUE_PREDICATE:
        copy.predicate = predicate_copy(arena, value->predicate);
        break;
    case VALUE_TRAVERSAL:
        break; /* Belongs to its request's instructions, which outlive the query. */
    }
    return copy;
}

/* An extent: 7 bits of depth, 9 bits of the logarithm of the number of items. */
enum { EXTENT_DEPTH_BITS = 7, EXTENT_DEPTH_MASK = 127, EXTENT_STEPS = 8, EXTENT_ITEMS_TOP = 511 };

unsigned value_extent_depth(uint16_t extent)
{
    return extent & EXTENT_DEPTH_MASK;
}

double value_extent_items(uint16_t extent)
{
    return extent == 0 ? 1 : exp2((double)(extent >> EXTENT_DEPTH_BITS) / (double)EXTENT_STEPS);
}

static uint16_t extent_of(unsigned depth, double items)
{
    double code = round(log2(items) * (double)EXTENT_STEPS);
    unsigned top = code > (double)EXTENT_ITEMS_TOP ? EXTENT_ITEMS_TOP : (unsigned)code;

    return (uint16_t)(depth | top << EXTENT_DEPTH_BITS);
}

/* misc-no-recursion: stops at VALUE_DEPTH_MAX. */
static uint16_t count_extent(const struct value *value, unsigned room)
{
    const struct value *items = value->kind == VALUE_PATH ? value->path->objects : value->items;
    size_t count = value->kind == VALUE_PATH ? value->path->size : value_item_count(value);
    unsigned deepest = 0;
    double total = 1;

    if (count == 0 || value->extent != 0) {
        return count == 0 ? 0 : value->extent;
    }
    if (room == 0) {
        return extent_of(1, (double)count);
    }
    for (size_t i = 0; i < count; i++) {
        uint16_t extent = count_extent(&items[i], room - 1);
        unsigned depth = value_extent_depth(extent);
        deepest = depth > deepest ? depth : deepest;
        total += value_extent_items(extent);
    }
    deepest = deepest > VALUE_DEPTH_MAX ? VALUE_DEPTH_MAX : deepest;
    return extent_of(deepest + 1, total);
}

uint16_t value_extent(const struct value *value)
{
    assert(value != NULL);
    return count_extent(value, VALUE_DEPTH_MAX);
}
