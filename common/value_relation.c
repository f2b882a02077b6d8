#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/element.h"
#include "common/extended.h"
#include "common/hash.h"
#include "common/mem.h"
#include "common/number.h"
#include "common/value.h"

/* ---- families: what can be compared with what, in the order of order() ---- */

enum family {
    FAMILY_NULL,
    FAMILY_BOOL,
    FAMILY_NUMBER,
    FAMILY_DATE,
    FAMILY_STRING,
    FAMILY_UUID,
    FAMILY_VERTEX,
    FAMILY_EDGE,
    FAMILY_VPROPERTY,
    FAMILY_PROPERTY,
    FAMILY_PATH,
    FAMILY_SET,
    FAMILY_LIST,
    FAMILY_MAP,
    FAMILY_ENTRY,
    FAMILY_OTHER /* And every kind from here on is a family of its own. */
};

static const uint8_t families[VALUE_KIND_COUNT] = {
    [VALUE_NULL] = FAMILY_NULL,         [VALUE_BOOL] = FAMILY_BOOL,
    [VALUE_BYTE] = FAMILY_NUMBER,       [VALUE_SHORT] = FAMILY_NUMBER,
    [VALUE_INT] = FAMILY_NUMBER,        [VALUE_LONG] = FAMILY_NUMBER,
    [VALUE_BIGINT] = FAMILY_NUMBER,     [VALUE_FLOAT] = FAMILY_NUMBER,
    [VALUE_DOUBLE] = FAMILY_NUMBER,     [VALUE_DECIMAL] = FAMILY_NUMBER,
    [VALUE_DATE] = FAMILY_DATE,         [VALUE_TIMESTAMP] = FAMILY_DATE,
    [VALUE_DATETIME] = FAMILY_DATE,     [VALUE_STRING] = FAMILY_STRING,
    [VALUE_UUID] = FAMILY_UUID,         [VALUE_VERTEX] = FAMILY_VERTEX,
    [VALUE_EDGE] = FAMILY_EDGE,         [VALUE_VPROPERTY] = FAMILY_VPROPERTY,
    [VALUE_PROPERTY] = FAMILY_PROPERTY, [VALUE_PATH] = FAMILY_PATH,
    [VALUE_SET] = FAMILY_SET,           [VALUE_BULKSET] = FAMILY_SET,
    [VALUE_LIST] = FAMILY_LIST,         [VALUE_MAP] = FAMILY_MAP,
    [VALUE_TREE] = FAMILY_MAP,          [VALUE_ENTRY] = FAMILY_ENTRY,
};

static unsigned family_of(const struct value *value)
{
    unsigned family;

    assert(value->kind < VALUE_KIND_COUNT);
    family = families[value->kind];
    if (family == FAMILY_NULL && value->kind != VALUE_NULL) {
        return FAMILY_OTHER + value->kind;
    }
    return family;
}

static int order_sizes(size_t a, size_t b)
{
    return (a > b) - (a < b);
}

/* ---- moments ---- */

static struct value_time moment_of(const struct value *value)
{
    if (value->kind == VALUE_DATETIME || value->kind == VALUE_DURATION) {
        return *value->time;
    }
    int64_t seconds = value->integer / 1000 - (value->integer % 1000 < 0);
    return (struct value_time){.seconds = seconds,
                               .nanos = (int32_t)(value->integer - seconds * 1000) * 1000000};
}

static int order_moments(const struct value *a, const struct value *b)
{
    struct value_time x = moment_of(a);
    struct value_time y = moment_of(b);

    if (x.seconds != y.seconds) {
        return x.seconds > y.seconds ? 1 : -1;
    }
    return (x.nanos > y.nanos) - (x.nanos < y.nanos);
}

/* ---- strings ---- */

/* Bytes of UTF-8 order as code points; of UTF-16, too, but for surrogates (lead bytes F0 and up),
 * which come before U+E000 (lead bytes EE and EF). */
int value_order_text(struct slice a, struct slice b)
{
    size_t size = a.size < b.size ? a.size : b.size;
    size_t at = 0;

    if (size > 0 && memcmp(a.data, b.data, size) != 0) {
        while (a.data[at] == b.data[at]) {
            at++;
        }
        int x = a.data[at];
        int y = b.data[at];
        if (x >= 0xee && y >= 0xee && (x >= 0xf0) != (y >= 0xf0)) {
            return x >= 0xf0 ? -1 : 1;
        }
        return x - y;
    }
    return order_sizes(a.size, b.size);
}

/* As java.util.UUID.compareTo: two signed halves. */
static int order_uuids(const uint8_t *a, const uint8_t *b)
{
    for (int i = 0; i < 16; i++) {
        int flip = i % 8 == 0 ? 0x80 : 0;
        if (a[i] != b[i]) {
            return (a[i] ^ flip) - (b[i] ^ flip);
        }
    }
    return 0;
}

/* ---- sorted views of sets and maps ---- */

/* value_order, and kinds apart where it sees no difference: {1, 1.0} always sorts the same way. */
static int order_strictly(const void *a, const void *b)
{
    const struct value *x = (const struct value *)a;
    const struct value *y = (const struct value *)b;
    int order = value_order(x, y);

    return order != 0 ? order : (x->kind > y->kind) - (x->kind < y->kind);
}

/* How many of `items` stand together: 1, or 2 if they are pairs. */
static size_t stride_of(const struct value *value)
{
    return value->kind == VALUE_LIST || value->kind == VALUE_SET ? 1 : 2;
}

/* Gives the items sorted by their first, on the heap; null if there are none. */
static struct value *sorted(const struct value *value)
{
    size_t size = stride_of(value) * sizeof *value;
    struct value *copy = (struct value *)mem_copy(value->items, value->size * size);

    if (copy != NULL) {
        qsort(copy, value->size, size, order_strictly);
    }
    return copy;
}

/* ---- equality and equivalence ---- */

typedef bool (*same_fn)(const struct value *a, const struct value *b);

static bool same_items(const struct value *a, const struct value *b, size_t count, same_fn same)
{
    for (size_t i = 0; i < count; i++) {
        if (!same(&a[i], &b[i])) {
            return false;
        }
    }
    return true;
}

/* In any order. Mostly the order is the same, so that is tried first. */
static bool same_unordered(const struct value *a, const struct value *b, same_fn same)
{
    size_t count = a->size * stride_of(a);

    if (a->size != b->size) {
        return false;
    }
    if (same_items(a->items, b->items, count, same)) {
        return true;
    }
    struct value *x = sorted(a);
    struct value *y = sorted(b);
    bool is_same = same_items(x, y, count, same);
    mem_free(x);
    mem_free(y);
    return is_same;
}

static bool same_paths(const struct path *a, const struct path *b, same_fn same)
{
    return a->size == b->size && same_items(a->objects, b->objects, a->size, same) &&
           same_items(a->labels, b->labels, a->size, same);
}

/* Kinds are the same, and neither numbers nor dates. */
static bool same_content(const struct value *a, const struct value *b, same_fn same)
{
    switch ((enum value_kind)a->kind) {
    case VALUE_NULL:
        return true;
    case VALUE_BOOL:
        return a->boolean == b->boolean;
    case VALUE_CHAR:
    case VALUE_ENUM:
        return a->integer == b->integer;
    case VALUE_STRING:
    case VALUE_UUID:
    case VALUE_BINARY:
    case VALUE_CLASS:
    case VALUE_GEO:
    case VALUE_LAMBDA:
        return slice_equal(value_slice(a), value_slice(b));
    case VALUE_EXTENDED:
        return a->flag == b->flag && slice_equal(value_slice(a), value_slice(b));
    case VALUE_DURATION:
        return order_moments(a, b) == 0;
    case VALUE_LIST:
        return a->size == b->size && same_items(a->items, b->items, a->size, same);
    case VALUE_SET:
    case VALUE_BULKSET:
    case VALUE_MAP:
    case VALUE_TREE:
        return same_unordered(a, b, same);
    case VALUE_ENTRY:
    case VALUE_TRAVERSER:
    case VALUE_STRATEGY:
    case VALUE_METRICS:
    case VALUE_GRAPH:
        return same_items(a->items, b->items, value_item_count(a), same);
    case VALUE_VERTEX:
        return same(&a->vertex->id, &b->vertex->id);
    case VALUE_EDGE:
        return same(&a->edge->id, &b->edge->id);
    case VALUE_VPROPERTY:
        return same(&a->vproperty->id, &b->vproperty->id);
    case VALUE_PROPERTY:
        return slice_equal(a->property->key, b->property->key) &&
               same(&a->property->value, &b->property->value);
    case VALUE_PATH:
        return same_paths(a->path, b->path, same);
    case VALUE_PREDICATE:
    case VALUE_TRAVERSAL:
        return a->bytes == b->bytes;
    case VALUE_BYTE:
    case VALUE_SHORT:
    case VALUE_INT:
    case VALUE_LONG:
    case VALUE_BIGINT:
    case VALUE_FLOAT:
    case VALUE_DOUBLE:
    case VALUE_DECIMAL:
    case VALUE_DATE:
    case VALUE_TIMESTAMP:
    case VALUE_DATETIME:
    case VALUE_KIND_COUNT:
        break;
    }
    assert(0);
    return false;
}

static bool is_real(const struct value *value)
{
    return value->kind == VALUE_FLOAT || value->kind == VALUE_DOUBLE;
}

static bool is_nan(const struct value *value)
{
    return is_real(value) && isnan(value->real);
}

static bool is_map(const struct value *value)
{
    return value->kind == VALUE_MAP || value->kind == VALUE_TREE;
}

bool value_equal(const struct value *a, const struct value *b)
{
    if (value_is_number(a)) {
        return value_is_number(b) && !is_nan(a) && !is_nan(b) && number_order(a, b) == 0;
    }
    if (families[a->kind] == FAMILY_DATE) {
        return families[b->kind] == FAMILY_DATE && order_moments(a, b) == 0;
    }
    if (is_map(a) && is_map(b)) {
        return same_unordered(a, b, value_equal);
    }
    return a->kind == b->kind && same_content(a, b, value_equal);
}

bool value_equivalent(const struct value *a, const struct value *b)
{
    if (a->kind != b->kind) {
        return is_map(a) && is_map(b) && same_unordered(a, b, value_equivalent);
    }
    if (value_is_number(a)) {
        return number_order(a, b) == 0;
    }
    if (families[a->kind] == FAMILY_DATE) {
        return order_moments(a, b) == 0;
    }
    return same_content(a, b, value_equivalent);
}

/* ---- hash ---- */

static uint64_t hash_items(uint64_t hash, const struct value *items, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        hash = hash_join(hash, value_hash(&items[i]));
    }
    return hash;
}

/* The same in whatever order. */
static uint64_t hash_unordered(uint64_t hash, const struct value *value)
{
    size_t stride = stride_of(value);
    uint64_t sum = 0;

    for (size_t i = 0; i < value->size; i++) {
        sum += hash_items(stride, &value->items[i * stride], stride);
    }
    return hash_join(hash, sum);
}

static uint64_t hash_real(double v)
{
    uint64_t bits;

    if (isnan(v)) {
        return 1;
    }
    v += 0.0; /* -0.0 becomes 0.0. */
    memcpy(&bits, &v, sizeof bits);
    return bits;
}

/* A tree equals a map with the same content, so that they hash alike. */
static uint64_t hash_seed(const struct value *value)
{
    return value->kind == VALUE_TREE ? (uint64_t)VALUE_MAP : value->kind;
}

uint64_t value_hash(const struct value *value)
{
    uint64_t seed = hash_seed(value);

    switch ((enum value_kind)value->kind) {
    case VALUE_BYTE:
    case VALUE_SHORT:
    case VALUE_INT:
    case VALUE_LONG:
    case VALUE_CHAR:
    case VALUE_DATE:
    case VALUE_TIMESTAMP:
    case VALUE_ENUM:
        return hash_join(seed, (uint64_t)value->integer);
    case VALUE_NULL:
        return hash_join(seed, 0);
    case VALUE_BOOL:
        return hash_join(seed, value->boolean);
    case VALUE_FLOAT:
    case VALUE_DOUBLE:
        return hash_join(seed, hash_real(value->real));
    case VALUE_BIGINT:
        return hash_join(seed, hash_bytes(value->big->bytes, value->big->size));
    case VALUE_DECIMAL: /* 1.0 and 1.00 are equal: not by its bytes. */
        return hash_join(seed, hash_real(number_double(value)));
    case VALUE_STRING:
    case VALUE_UUID:
    case VALUE_BINARY:
    case VALUE_EXTENDED:
    case VALUE_CLASS:
    case VALUE_GEO:
    case VALUE_LAMBDA:
        return hash_join(seed + value->flag, hash_bytes(value->bytes, value->size));
    case VALUE_DATETIME:
    case VALUE_DURATION:
        return hash_join(hash_join(seed, (uint64_t)value->time->seconds),
                         (uint64_t)value->time->nanos);
    case VALUE_LIST:
        return hash_items(hash_join(seed, value->size), value->items, value->size);
    case VALUE_ENTRY:
    case VALUE_TRAVERSER:
    case VALUE_STRATEGY:
    case VALUE_METRICS:
    case VALUE_GRAPH:
        return hash_items(seed, value->items, value_item_count(value));
    case VALUE_SET:
    case VALUE_BULKSET:
    case VALUE_MAP:
    case VALUE_TREE:
        return hash_unordered(seed, value);
    case VALUE_VERTEX:
        return hash_join(seed, value_hash(&value->vertex->id));
    case VALUE_EDGE:
        return hash_join(seed, value_hash(&value->edge->id));
    case VALUE_VPROPERTY:
        return hash_join(seed, value_hash(&value->vproperty->id));
    case VALUE_PROPERTY:
        seed = hash_join(seed, hash_bytes(value->property->key.data, value->property->key.size));
        return hash_join(seed, value_hash(&value->property->value));
    case VALUE_PATH:
        return hash_items(seed, value->path->objects, value->path->size);
    case VALUE_PREDICATE:
    case VALUE_TRAVERSAL:
        return hash_join(seed, (uint64_t)(uintptr_t)value->bytes);
    case VALUE_KIND_COUNT:
        break;
    }
    assert(0);
    return 0;
}

/* ---- orderability and comparability ---- */

/* One way of comparing two values: false if they cannot be. */
typedef bool (*order_fn)(const struct value *a, const struct value *b, int *order);

static bool order_items(const struct value *a, const struct value *b, size_t a_count,
                        size_t b_count, order_fn compare, int *order)
{
    size_t count = a_count < b_count ? a_count : b_count;

    for (size_t i = 0; i < count; i++) {
        if (!compare(&a[i], &b[i], order)) {
            return false;
        }
        if (*order != 0) {
            return true;
        }
    }
    *order = order_sizes(a_count, b_count);
    return true;
}

static bool order_unordered(const struct value *a, const struct value *b, order_fn compare,
                            int *order)
{
    struct value *x = sorted(a);
    struct value *y = sorted(b);
    bool is_done =
        order_items(x, y, a->size * stride_of(a), b->size * stride_of(b), compare, order);

    mem_free(x);
    mem_free(y);
    return is_done;
}

static bool order_properties(const struct property *a, const struct property *b, order_fn compare,
                             int *order)
{
    *order = value_order_text(a->key, b->key);
    return *order != 0 || compare(&a->value, &b->value, order);
}

/* What is of one kind outside the families that Gremlin names. */
static int order_others(const struct value *a, const struct value *b)
{
    switch (a->kind) {
    case VALUE_CHAR:
    case VALUE_ENUM:
        return (a->integer > b->integer) - (a->integer < b->integer);
    case VALUE_DURATION:
        return order_moments(a, b);
    case VALUE_EXTENDED:
        return a->flag != b->flag ? a->flag - b->flag
                                  : extended_order(a->flag, value_slice(a), value_slice(b));
    case VALUE_BINARY:
    case VALUE_CLASS:
    case VALUE_GEO:
    case VALUE_LAMBDA:
        return slice_compare(value_slice(a), value_slice(b));
    case VALUE_PREDICATE:
    case VALUE_TRAVERSAL:
        return order_sizes((uintptr_t)a->bytes, (uintptr_t)b->bytes);
    default: {
        int order = 0;
        for (size_t i = 0; i < value_item_count(a) && order == 0; i++) {
            order = value_order(&a->items[i], &b->items[i]);
        }
        return order;
    }
    }
}

/* Both are of one family. */
static bool order_family(unsigned family, const struct value *a, const struct value *b,
                         order_fn compare, int *order)
{
    switch (family) {
    case FAMILY_NULL:
        *order = 0;
        return true;
    case FAMILY_BOOL:
        *order = a->boolean - b->boolean;
        return true;
    case FAMILY_NUMBER:
        *order = number_order(a, b);
        return true;
    case FAMILY_DATE:
        *order = order_moments(a, b);
        return true;
    case FAMILY_STRING:
        *order = value_order_text(value_slice(a), value_slice(b));
        return true;
    case FAMILY_UUID:
        *order = order_uuids(a->bytes, b->bytes);
        return true;
    case FAMILY_VERTEX:
        return compare(&a->vertex->id, &b->vertex->id, order);
    case FAMILY_EDGE:
        return compare(&a->edge->id, &b->edge->id, order);
    case FAMILY_VPROPERTY:
        return compare(&a->vproperty->id, &b->vproperty->id, order);
    case FAMILY_PROPERTY:
        return order_properties(a->property, b->property, compare, order);
    case FAMILY_PATH:
        return order_items(a->path->objects, b->path->objects, a->path->size, b->path->size,
                           compare, order);
    case FAMILY_SET:
        if (a->kind != b->kind) {
            *order = a->kind - b->kind;
            return true;
        }
        return order_unordered(a, b, compare, order);
    case FAMILY_MAP:
        return order_unordered(a, b, compare, order);
    case FAMILY_LIST:
        return order_items(a->items, b->items, a->size, b->size, compare, order);
    case FAMILY_ENTRY:
        return order_items(a->items, b->items, 2, 2, compare, order);
    default:
        *order = order_others(a, b);
        return true;
    }
}

static bool order_all(const struct value *a, const struct value *b, int *order)
{
    unsigned family = family_of(a);
    unsigned other = family_of(b);

    if (family != other) {
        *order = family > other ? 1 : -1;
        return true;
    }
    return order_family(family, a, b, order_all, order);
}

/* T.id and T.label stand among texts by their names: keys of elementMap(). */
static struct value ordered_as(const struct value *value)
{
    bool is_token = value->kind == VALUE_ENUM && value->flag == ENUM_T;

    return is_token ? value_cstring(value_enumerator_name((enum enumerator)value->integer))
                    : *value;
}

int value_order(const struct value *a, const struct value *b)
{
    struct value x = ordered_as(a);
    struct value y = ordered_as(b);
    int order = 0;

    (void)order_all(&x, &y, &order);
    return order;
}

bool value_compare(const struct value *a, const struct value *b, int *order)
{
    unsigned family = family_of(a);

    if (family != family_of(b) || is_nan(a) || is_nan(b)) {
        return false;
    }
    return order_family(family, a, b, value_compare, order);
}
