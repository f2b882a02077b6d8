#include "router/gremlin/token.h"

#include <assert.h>

static const char *const enum_names[] = {
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

_Static_assert(sizeof enum_names / sizeof enum_names[0] == ENUM_COUNT, "one name an enumeration");

/* Second spellings; from and to as in mergeE(), incr and decr of old. */
static const struct {
    enum value_enum type;
    const char *name;
    enum enumerator id;
} aliases[] = {
    {ENUM_DIRECTION, "from", DIRECTION_OUT},
    {ENUM_DIRECTION, "to", DIRECTION_IN},
    {ENUM_ORDER, "incr", ORDER_ASC},
    {ENUM_ORDER, "decr", ORDER_DESC},
};

static const struct {
    const char *owner;
    const char *name;
    const char *text; /* Null: a number. */
    int number;
} constants[] = {
    {"WithOptions", "tokens", "~tinkerpop.valueMap.tokens", 0},
    {"WithOptions", "none", NULL, 0},
    {"WithOptions", "ids", NULL, 1},
    {"WithOptions", "labels", NULL, 2},
    {"WithOptions", "keys", NULL, 4},
    {"WithOptions", "values", NULL, 8},
    {"WithOptions", "all", NULL, 15},
    {"WithOptions", "indexer", "~tinkerpop.index.indexer", 0},
    {"WithOptions", "list", NULL, 0},
    {"WithOptions", "map", NULL, 1},
    {"IO", "reader", "~tinkerpop.io.reader", 0},
    {"IO", "writer", "~tinkerpop.io.writer", 0},
    {"IO", "registry", "~tinkerpop.io.registry", 0},
    {"IO", "gryo", "gryo", 0},
    {"IO", "graphson", "graphson", 0},
    {"IO", "graphml", "graphml", 0},
    {"PageRank", "edges", "~tinkerpop.pageRank.edges", 0},
    {"PageRank", "times", "~tinkerpop.pageRank.times", 0},
    {"PageRank", "propertyName", "~tinkerpop.pageRank.propertyName", 0},
    {"PeerPressure", "edges", "~tinkerpop.peerPressure.edges", 0},
    {"PeerPressure", "times", "~tinkerpop.peerPressure.times", 0},
    {"PeerPressure", "propertyName", "~tinkerpop.peerPressure.propertyName", 0},
    {"ShortestPath", "target", "~tinkerpop.shortestPath.target", 0},
    {"ShortestPath", "edges", "~tinkerpop.shortestPath.edges", 0},
    {"ShortestPath", "distance", "~tinkerpop.shortestPath.distance", 0},
    {"ShortestPath", "maxDistance", "~tinkerpop.shortestPath.maxDistance", 0},
    {"ShortestPath", "includeEdges", "~tinkerpop.shortestPath.includeEdges", 0},
    {"ConnectedComponent", "component", "gremlin.connectedComponentVertexProgram.component", 0},
    {"ConnectedComponent", "edges", "~tinkerpop.connectedComponent.edges", 0},
    {"ConnectedComponent", "propertyName", "~tinkerpop.connectedComponent.propertyName", 0},
};

enum { CONSTANT_COUNT = sizeof constants / sizeof constants[0] };

enum value_enum token_enum(struct slice name)
{
    for (size_t i = 0; i < ENUM_COUNT; i++) {
        if (slice_equal(name, slice_text(enum_names[i]))) {
            return (enum value_enum)i;
        }
    }
    return ENUM_COUNT;
}

const char *token_enum_name(enum value_enum type)
{
    assert(type < ENUM_COUNT);
    return enum_names[type];
}

enum enumerator token_of_enum(enum value_enum type, struct slice name)
{
    assert(type < ENUM_COUNT);
    for (size_t i = 0; i < sizeof aliases / sizeof aliases[0]; i++) {
        if (aliases[i].type == type && slice_equal(name, slice_text(aliases[i].name))) {
            return aliases[i].id;
        }
    }
    enum enumerator id = value_enumerator_find(type, name);
    /* Only GType may be written in either case. */
    if (id == ENUMERATOR_COUNT || type == ENUM_GTYPE ||
        slice_equal(name, slice_text(value_enumerator_name(id)))) {
        return id;
    }
    return ENUMERATOR_COUNT;
}

enum enumerator token_short(struct slice name)
{
    for (size_t type = 0; type < ENUM_COUNT; type++) {
        enum enumerator id =
            type == ENUM_GTYPE ? ENUMERATOR_COUNT : token_of_enum((enum value_enum)type, name);
        if (id != ENUMERATOR_COUNT) {
            return id;
        }
    }
    return ENUMERATOR_COUNT;
}

bool token_is_group(struct slice owner)
{
    for (size_t i = 0; i < CONSTANT_COUNT; i++) {
        if (slice_equal(owner, slice_text(constants[i].owner))) {
            return true;
        }
    }
    return false;
}

bool token_constant(struct slice owner, struct slice name, struct value *out)
{
    for (size_t i = 0; i < CONSTANT_COUNT; i++) {
        if (slice_equal(owner, slice_text(constants[i].owner)) &&
            slice_equal(name, slice_text(constants[i].name))) {
            *out = constants[i].text != NULL ? value_cstring(constants[i].text)
                                             : value_int(constants[i].number);
            return true;
        }
    }
    return false;
}

const char *token_constant_name(struct slice owner, size_t index)
{
    for (size_t i = 0; i < CONSTANT_COUNT; i++) {
        if (slice_equal(owner, slice_text(constants[i].owner)) && index-- == 0) {
            return constants[i].name;
        }
    }
    return NULL;
}
