/*
 * value.h -- every value that Gremlin knows, in 16 bytes, and how values compare.
 *
 * A value is copied freely; what it points to is immutable and lives in an arena (or in the input
 * it was decoded from). value_copy moves one, deeply, into another arena.
 *
 * kind            payload                                    size
 * NULL            -                                          -
 * BOOL            boolean                                    -
 * BYTE..LONG      integer                                    -
 * BIGINT, DECIMAL big (two's complement, big endian, scale)  -
 * FLOAT, DOUBLE   real                                       -
 * STRING          text (UTF-8, not terminated)               bytes
 * CHAR            integer (a code point)                     -
 * UUID            bytes                                      16
 * DATE, TIMESTAMP integer (milliseconds since 1970)          -
 * DATETIME        time (OffsetDateTime)                      -
 * DURATION        time (seconds, nanos)                      -
 * BINARY          bytes                                      bytes
 * EXTENDED        bytes: GraphBinary body; flag: type code   bytes   (LocalDate, Period, ...)
 * CLASS           text (a class name)                        bytes
 * LIST, SET, PATH see items / path                           items
 * MAP             items: key, value, key, value ...          pairs
 * BULKSET         items: value, LONG bulk, ...               pairs
 * ENUM            integer (enumerator); flag: enum value_enum -
 * VERTEX, EDGE, VPROPERTY, PROPERTY   element.h              -
 * ENTRY           items: key, value                          1
 * TREE            items: key, TREE, ...                      pairs
 * GEO             bytes: WKT text                            bytes
 * PREDICATE       predicate.h                                -
 * TRAVERSAL       a nested traversal (router/gremlin)        -
 * TRAVERSER       items: value; LONG bulk                    -
 * STRATEGY        text name + map: items: name, map          -
 * LAMBDA          text (source)                              bytes
 * METRICS         items: one MAP that profile() prints       -
 * GRAPH           items: LIST of vertices, LIST of edges     -
 *
 * Semantics after TinkerPop 3.8 docs/src/dev/provider/gremlin-semantics.asciidoc; see the four
 * relations below, they differ on purpose.
 *
 * Pure. Limits: nesting depth VALUE_DEPTH_MAX wherever values come from outside.
 */
#ifndef COMMON_VALUE_H
#define COMMON_VALUE_H

#include "common/arena.h"
#include "common/bytes.h"

enum {
    VALUE_DEPTH_MAX = 64,
    VALUE_ITEMS_MAX = 20000000 /* Of one value that a query makes, at all levels. */
};

enum value_kind {
    VALUE_NULL,
    VALUE_BOOL,
    VALUE_BYTE,
    VALUE_SHORT,
    VALUE_INT,
    VALUE_LONG,
    VALUE_BIGINT,
    VALUE_FLOAT,
    VALUE_DOUBLE,
    VALUE_DECIMAL,
    VALUE_STRING,
    VALUE_CHAR,
    VALUE_UUID,
    VALUE_DATE,
    VALUE_TIMESTAMP,
    VALUE_DATETIME,
    VALUE_DURATION,
    VALUE_BINARY,
    VALUE_EXTENDED,
    VALUE_CLASS,
    VALUE_LIST,
    VALUE_SET,
    VALUE_MAP,
    VALUE_BULKSET,
    VALUE_ENUM,
    VALUE_VERTEX,
    VALUE_EDGE,
    VALUE_VPROPERTY,
    VALUE_PROPERTY,
    VALUE_PATH,
    VALUE_ENTRY,
    VALUE_TREE,
    VALUE_GEO,
    VALUE_PREDICATE,
    VALUE_TRAVERSAL,
    VALUE_TRAVERSER,
    VALUE_STRATEGY,
    VALUE_LAMBDA,
    VALUE_METRICS,
    VALUE_GRAPH,
    VALUE_KIND_COUNT
};

/* The enumerations of the language: value.flag of a VALUE_ENUM. Enumerators: value_enum.def. */
enum value_enum {
    ENUM_BARRIER,
    ENUM_CARDINALITY,
    ENUM_COLUMN,
    ENUM_DIRECTION,
    ENUM_DT,
    ENUM_GTYPE,
    ENUM_MERGE,
    ENUM_OPERATOR,
    ENUM_ORDER,
    ENUM_PICK,
    ENUM_POP,
    ENUM_SCOPE,
    ENUM_T,
    ENUM_COUNT
};

/* One enumerator: X(enum, identifier, "name as on the wire"). Numbering: order in value_enum.def,
 * over all enumerations. */
enum enumerator {
#define ENUMERATOR(type, id, name) id,
#include "common/value_enum.def"
#undef ENUMERATOR
    ENUMERATOR_COUNT
};

struct value_big {
    int32_t scale; /* Digits after the point; 0 for BIGINT. */
    uint32_t size; /* Bytes of the unscaled number, at least 1. */
    const uint8_t
        *bytes; /* Two's complement, big endian, shortest form (as java.math.BigInteger). */
};

struct value_time {
    int64_t seconds; /* Since 1970-01-01T00:00Z (DATETIME), or of the span (DURATION). */
    int32_t nanos;   /* 0..999,999,999. */
    int32_t offset;  /* Seconds east of UTC, DATETIME only: kept to give back, not compared. */
};

struct vertex;
struct edge;
struct vproperty;
struct property;
struct path;
struct predicate;
struct bytecode;

struct value {
    uint8_t kind;    /* enum value_kind. */
    uint8_t flag;    /* ENUM: enum value_enum. EXTENDED: GraphBinary type code. Else 0. */
    uint16_t extent; /* Collections and paths: value_extent(); 0: not counted yet. */
    uint32_t size;
    union {
        bool boolean;
        int64_t integer;
        double real;
        const char *text;
        const uint8_t *bytes;
        const struct value_big *big;
        const struct value_time *time;
        const struct value *items;
        const struct vertex *vertex;
        const struct edge *edge;
        const struct vproperty *vproperty;
        const struct property *property;
        const struct path *path;
        const struct predicate *predicate;
        const struct bytecode *traversal;
    };
};

_Static_assert(sizeof(struct value) == 16, "values are copied by the million");

/* ---- makers (no allocation unless an arena is given) ---- */

struct value value_null(void);
struct value value_bool(bool v);
struct value value_int(int32_t v);
struct value value_long(int64_t v);
/* kind is one of BYTE, SHORT, INT, LONG, CHAR, DATE, TIMESTAMP. */
struct value value_integer(enum value_kind kind, int64_t v);
struct value value_double(double v);
struct value value_float(float v);
/* Borrows the text. */
struct value value_string(struct slice text);
struct value value_cstring(const char *text);
struct value value_enumerator(enum enumerator id);
/* Copies the items (not deeply) into the arena. kind: LIST, SET; or MAP, BULKSET, TREE with count
 * pairs. */
struct value value_items(struct arena *arena, enum value_kind kind, const struct value *items,
                         size_t count);
struct value value_vertex(const struct vertex *vertex);
struct value value_edge(const struct edge *edge);
struct value value_vproperty(const struct vproperty *vproperty);
struct value value_property(const struct property *property);

/* Of a LIST of vertices and one of edges, which are copied (not deeply). */
struct value value_graph(struct arena *arena, const struct value *vertices,
                         const struct value *edges);

/* ---- looking ---- */

struct slice value_slice(const struct value *value); /* Text or bytes of a kind that has them. */
/* Values behind `items`; 0 for kinds that have none. */
size_t value_item_count(const struct value *value);
/* How deep and how large a collection or path is: parts may be shared, so that a few bytes can
 * stand for 2^60 items. What has been counted before (value.extent) is not looked into. 0: no
 * collection, or an empty one. The number of items is right to some percent. */
uint16_t value_extent(const struct value *value);
/* Levels: 1 for [1], 2 for [[1]]; at most VALUE_DEPTH_MAX + 1. */
unsigned value_extent_depth(uint16_t extent);
double value_extent_items(uint16_t extent);
bool value_is_number(const struct value *value);
bool value_is_element(const struct value *value);
bool value_is_text(const struct value *value, const char *text);
/* The value of key in a MAP by equivalence, or null. */
const struct value *value_get(const struct value *map, const struct value *key);
const struct value *value_get_text(const struct value *map, const char *key);
/* "Int32"-like names for messages to people: the Gremlin type, such as "int", "list", "vertex". */
const char *value_kind_name(enum value_kind kind);
const char *value_enum_name(enum value_enum type);
const char *value_enumerator_name(enum enumerator id);
enum value_enum value_enum_of(enum enumerator id);
/* ENUMERATOR_COUNT if there is none of that name. Accepts any case the language accepts. */
enum enumerator value_enumerator_find(enum value_enum type, struct slice name);

/* ---- the four relations ---- */

/* eq(): numbers by value over types, NaN equals nothing, elements by kind and id. */
bool value_equal(const struct value *a, const struct value *b);
/* dedup(), group() keys, set members: as equal without promotion of numbers, NaN ~ NaN. */
bool value_equivalent(const struct value *a, const struct value *b);
/* Hash that agrees with value_equivalent. Pinned by nothing: never stored. */
uint64_t value_hash(const struct value *value);
/* lt() and friends: false if the two cannot be compared; else *order is <0, 0, >0. */
bool value_compare(const struct value *a, const struct value *b, int *order);
/* order(): total over everything. Returns <0, 0, >0. */
int value_order(const struct value *a, const struct value *b);

/* Java's String.compareTo: UTF-16 code units. */
int value_order_text(struct slice a, struct slice b);

/* ---- lifetime and text ---- */

struct value value_copy(struct arena *arena, const struct value *value);
/* As Java's toString(): v[1], e[7][1-knows->2], [a, b], {name=[marko]}. */
void value_print(struct bytes *out, const struct value *value);
struct slice value_text(struct arena *arena, const struct value *value);

#endif
