#include "common/value.h"

#include <math.h>
#include <string.h>

#include "common/datetime.h"
#include "common/element.h"
#include "common/number.h"
#include "common/predicate.h"
#include "tests/lib/runner.h"

static struct arena arena;

static struct value str(const char *text)
{
    return value_cstring(text);
}

static struct value moment(const char *text)
{
    struct value_time *time = ARENA_NEW(&arena, struct value_time);

    ck_assert(datetime_parse(slice_text(text), time));
    return (struct value){.kind = VALUE_DATETIME, .time = time};
}

static struct value span(const char *text)
{
    struct value_time *time = ARENA_NEW(&arena, struct value_time);

    ck_assert(datetime_parse_span(slice_text(text), time));
    return (struct value){.kind = VALUE_DURATION, .time = time};
}

static struct value decimal(const char *text)
{
    struct value v;

    ck_assert(number_parse_decimal(&arena, slice_text(text), &v));
    return v;
}

static struct value bigint(const char *text)
{
    struct value v;

    ck_assert(number_parse_bigint(&arena, slice_text(text), 10, &v));
    return v;
}

static struct value uuid(uint8_t first)
{
    uint8_t *bytes = (uint8_t *)arena_array(&arena, 1, 16);

    bytes[0] = first;
    return (struct value){.kind = VALUE_UUID, .size = 16, .bytes = bytes};
}

#define ITEMS(kind, stride, ...)                                   \
    value_items(&arena, kind, (const struct value[]){__VA_ARGS__}, \
                sizeof((const struct value[]){__VA_ARGS__}) / (stride) / sizeof(struct value))
#define LIST(...) ITEMS(VALUE_LIST, 1, __VA_ARGS__)
#define SET(...)  ITEMS(VALUE_SET, 1, __VA_ARGS__)
#define MAP(...)  ITEMS(VALUE_MAP, 2, __VA_ARGS__)

static struct value none(enum value_kind kind)
{
    return value_items(&arena, kind, NULL, 0);
}

static struct value nan_value(void)
{
    return value_double((double)NAN);
}

static bool equal(struct value a, struct value b)
{
    bool result = value_equal(&a, &b);

    ck_assert_int_eq(value_equal(&b, &a), result);
    return result;
}

static bool equivalent(struct value a, struct value b)
{
    bool result = value_equivalent(&a, &b);

    ck_assert_int_eq(value_equivalent(&b, &a), result);
    if (result) {
        ck_assert_uint_eq(value_hash(&a), value_hash(&b));
    }
    return result;
}

static int sign(int v)
{
    return (v > 0) - (v < 0);
}

static int order(struct value a, struct value b)
{
    int result = sign(value_order(&a, &b));

    ck_assert_int_eq(sign(value_order(&b, &a)), -result);
    return result;
}

/* 2: cannot be compared. */
static int compare(struct value a, struct value b)
{
    int ab = 0;
    int ba = 0;
    bool can = value_compare(&a, &b, &ab);

    ck_assert_int_eq(value_compare(&b, &a, &ba), can);
    if (!can) {
        return 2;
    }
    ck_assert_int_eq(sign(ab), -sign(ba));
    return sign(ab);
}

static struct value vertex(struct value id)
{
    struct vertex *v = ARENA_NEW(&arena, struct vertex);

    *v = (struct vertex){.id = id, .label = SLICE("person")};
    return value_vertex(v);
}

static struct value edge(struct value id)
{
    struct edge *e = ARENA_NEW(&arena, struct edge);

    *e = (struct edge){.id = id,
                       .label = SLICE("knows"),
                       .out_id = value_long(1),
                       .in_id = value_long(2),
                       .out_label = SLICE("person"),
                       .in_label = SLICE("person")};
    return value_edge(e);
}

static struct value property(const char *key, struct value value)
{
    struct property *p = ARENA_NEW(&arena, struct property);

    *p = (struct property){.key = slice_text(key), .value = value};
    return value_property(p);
}

static struct value vproperty(int64_t id, const char *key, struct value value)
{
    struct vproperty *p = ARENA_NEW(&arena, struct vproperty);

    *p = (struct vproperty){.id = value_long(id), .key = slice_text(key), .value = value};
    return value_vproperty(p);
}

static struct value path(struct value first, struct value second)
{
    struct path *p = ARENA_NEW(&arena, struct path);
    struct value labels = SET(str("a"));

    *p = (struct path){2, LIST(first, second).items, LIST(labels, labels).items};
    return (struct value){.kind = VALUE_PATH, .path = p};
}

START_TEST(numbers)
{
    ck_assert(equal(value_int(1), value_long(1)));
    ck_assert(equal(value_int(1), value_double(1)));
    ck_assert(equal(decimal("1.0"), bigint("1")));
    ck_assert(equal(value_double(-0.0), value_double(0.0)));
    ck_assert(!equal(nan_value(), nan_value()));
    ck_assert(!equal(nan_value(), value_int(1)));
    ck_assert(!equal(value_int(1), str("1")));
    ck_assert(!equivalent(value_int(1), value_long(1)));
    ck_assert(!equivalent(value_int(1), value_double(1)));
    ck_assert(equivalent(nan_value(), nan_value()));
    ck_assert(equivalent(value_double(-0.0), value_double(0.0)));
    ck_assert(equivalent(decimal("1.0"), decimal("1.00")));
    ck_assert(!equivalent(value_float(1), value_double(1)));
    ck_assert(!equivalent(nan_value(), value_float((float)NAN)));
    ck_assert_int_eq(compare(nan_value(), nan_value()), 2);
    ck_assert_int_eq(compare(value_int(1), nan_value()), 2);
    ck_assert_int_eq(compare(value_int(1), value_double(1.5)), -1);
    ck_assert_int_eq(order(nan_value(), nan_value()), 0);
    ck_assert_int_eq(order(nan_value(), value_double((double)INFINITY)), 1);
}
END_TEST

START_TEST(small_kinds)
{
    ck_assert(equal(value_null(), value_null()));
    ck_assert(!equal(value_null(), value_bool(false)));
    ck_assert_int_eq(compare(value_null(), value_null()), 0);
    ck_assert_int_eq(compare(value_null(), value_int(1)), 2);
    ck_assert_int_eq(compare(value_bool(false), value_bool(true)), -1);
    ck_assert_int_eq(compare(str("a"), str("b")), -1);
    ck_assert_int_eq(compare(str("a"), value_int(1)), 2);
    ck_assert(equal(str("a"), str("a")));
    ck_assert(!equal(str("a"), value_integer(VALUE_CHAR, 'a')));
    ck_assert(equivalent(value_integer(VALUE_CHAR, 'a'), value_integer(VALUE_CHAR, 'a')));
    ck_assert(equivalent(value_enumerator(T_ID), value_enumerator(T_ID)));
    ck_assert(!equal(value_enumerator(T_ID), value_enumerator(T_LABEL)));
    ck_assert(equal(uuid(1), uuid(1)));
    ck_assert(!equal(uuid(1), str("01000000-0000-0000-0000-000000000000")));
    ck_assert_int_eq(compare(uuid(0x51), uuid(0x61)), -1);
    ck_assert_int_eq(compare(uuid(0x80), uuid(0x7f)), -1); /* Java's halves are signed. */
}
END_TEST

START_TEST(moments)
{
    struct value date = value_integer(VALUE_DATE, 1000);
    struct value same = moment("1970-01-01T00:00:01Z");

    ck_assert(equal(date, same));
    ck_assert(!equivalent(date, same));
    ck_assert(equal(moment("2020-01-01T12:00:00+02:00"), moment("2020-01-01T10:00:00Z")));
    ck_assert(equivalent(moment("2020-01-01T12:00:00+02:00"), moment("2020-01-01T10:00:00Z")));
    ck_assert_int_eq(compare(value_integer(VALUE_TIMESTAMP, -1), value_integer(VALUE_DATE, 0)), -1);
    ck_assert_int_eq(compare(moment("2020-01-01"), moment("2020-01-01T00:00:00.000000001")), -1);
    ck_assert_int_eq(compare(span("PT1S"), span("PT1M")), -1);
    ck_assert_int_eq(compare(span("PT1S"), moment("2020-01")), 2);
    ck_assert(equivalent(span("PT60S"), span("PT1M")));
}
END_TEST

START_TEST(containers)
{
    struct value one = value_int(1);
    struct value one_real = value_double(1);
    struct value two = value_int(2);

    ck_assert(equal(LIST(one, two), LIST(one_real, two)));
    ck_assert(!equivalent(LIST(one, two), LIST(one_real, two)));
    ck_assert(equivalent(LIST(one, nan_value()), LIST(one, nan_value())));
    ck_assert(!equal(LIST(one, nan_value()), LIST(one, nan_value())));
    ck_assert(!equal(LIST(one, two), LIST(two, one)));
    ck_assert(!equal(LIST(one), LIST(one, two)));
    ck_assert(equal(SET(one, two), SET(two, one_real)));
    ck_assert(!equivalent(SET(one, two), SET(two, one_real)));
    ck_assert(equivalent(SET(one, one_real), SET(one_real, one)));
    ck_assert(!equal(SET(one), LIST(one)));
    ck_assert(equal(MAP(str("a"), one, str("b"), two), MAP(str("b"), two, str("a"), one_real)));
    ck_assert(equivalent(MAP(str("a"), one, str("b"), two), MAP(str("b"), two, str("a"), one)));
    ck_assert(!equal(MAP(str("a"), one), MAP(str("a"), two)));
    ck_assert(!equal(MAP(str("a"), one), MAP(str("b"), one)));
    ck_assert_int_eq(compare(LIST(one), LIST(one, two)), -1);
    ck_assert_int_eq(compare(LIST(two), LIST(one, two)), 1);
    ck_assert_int_eq(compare(LIST(one), LIST(str("a"))), 2);
    ck_assert_int_eq(order(LIST(one), LIST(str("a"))), -1);
    ck_assert_int_eq(order(SET(two, one), SET(one, two)), 0);
    ck_assert_int_eq(order(SET(one), SET(two)), -1);
    ck_assert_int_eq(order(none(VALUE_LIST), LIST(value_null())), -1);
    struct value tree = MAP(one, none(VALUE_MAP));
    struct value copy = tree;
    copy.kind = VALUE_TREE;
    ck_assert(equal(tree, copy));
    ck_assert(equivalent(tree, copy));
}
END_TEST

START_TEST(elements)
{
    ck_assert(equal(vertex(value_int(1)), vertex(value_long(1))));
    ck_assert(!equal(vertex(value_int(1)), edge(value_int(1))));
    ck_assert(equivalent(edge(str("x")), edge(str("x"))));
    ck_assert(equal(vproperty(1, "a", value_int(1)), vproperty(1, "b", value_int(2))));
    ck_assert(!equal(vproperty(1, "a", value_int(1)), vproperty(2, "a", value_int(1))));
    ck_assert(equal(property("a", value_int(1)), property("a", value_double(1))));
    ck_assert(!equivalent(property("a", value_int(1)), property("a", value_double(1))));
    ck_assert(!equal(property("a", value_int(1)), property("b", value_int(1))));
    ck_assert_int_eq(order(property("a", value_int(9)), property("b", value_int(1))), -1);
    ck_assert_int_eq(order(property("a", value_int(9)), property("a", value_int(1))), 1);
    ck_assert_int_eq(compare(vertex(value_int(1)), vertex(value_int(2))), -1);
    struct value a = vertex(value_int(1));
    struct value b = vertex(value_int(2));
    ck_assert(equal(path(a, b), path(a, b)));
    ck_assert(equivalent(path(a, b), path(a, b)));
    ck_assert(!equal(path(a, b), LIST(a, b)));
    ck_assert_int_eq(order(path(a, a), path(a, b)), -1);
}
END_TEST

/* The order of the language's own scenario, and of kinds that it does not name. */
START_TEST(order_of_everything)
{
    struct value all[] = {
        value_null(),
        value_bool(false),
        value_bool(true),
        value_double(-(double)INFINITY),
        value_int(1),
        value_double(2),
        value_double((double)INFINITY),
        nan_value(),
        moment("2023-01-01T00:00:00Z"),
        moment("2023-08-01T00:00:00Z"),
        str("bar"),
        str("foo"),
        uuid(0x51),
        uuid(0x61),
        vertex(value_int(1)),
        edge(value_int(1)),
        vproperty(1, "a", value_int(1)),
        property("a", value_int(1)),
        path(value_int(1), value_int(1)),
        SET(str("x"), str("y")),
        LIST(str("a"), str("b")),
        LIST(str("a"), str("b"), str("c")),
        MAP(str("a"), str("a"), str("b"), value_bool(false), str("c"), str("c")),
        MAP(str("a"), str("a"), str("b"), str("b")),
        (struct value){.kind = VALUE_ENTRY, .items = LIST(str("a"), str("b")).items},
        value_integer(VALUE_CHAR, 'a'),
        span("PT1S"),
    };
    const int count = (int)(sizeof all / sizeof all[0]);

    for (int i = 0; i < count; i++) {
        for (int j = 0; j < count; j++) {
            ck_assert_msg(sign(value_order(&all[i], &all[j])) == sign(i - j), "%d and %d", i, j);
            ck_assert_int_eq(value_equivalent(&all[i], &all[j]), i == j);
        }
    }
}
END_TEST

/* The keys of elementMap() in order(): T.id and T.label among the names. */
START_TEST(tokens_order_among_texts)
{
    struct value id = value_enumerator(T_ID), label = value_enumerator(T_LABEL);
    struct value before = str("age"), between = str("job"), after = str("name");

    ck_assert_int_lt(value_order(&before, &id), 0);
    ck_assert_int_lt(value_order(&id, &between), 0);
    ck_assert_int_lt(value_order(&between, &label), 0);
    ck_assert_int_lt(value_order(&label, &after), 0);
}
END_TEST

/* U+FFFD is EF BF BD, U+1F600 is F0 9F 98 80: in UTF-16 the latter comes first. */
START_TEST(strings_order_as_in_java)
{
    ck_assert_int_gt(value_order_text(SLICE("\xef\xbf\xbd"), SLICE("\xf0\x9f\x98\x80")), 0);
    ck_assert_int_lt(value_order_text(SLICE("\xed\x9f\xbf"), SLICE("\xf0\x9f\x98\x80")), 0);
    ck_assert_int_lt(value_order_text(SLICE("\xee\x80\x80"), SLICE("\xef\xbf\xbd")), 0);
    ck_assert_int_lt(value_order_text(SLICE("a"), SLICE("aa")), 0);
    ck_assert_int_lt(value_order_text(SLICE(""), SLICE("a")), 0);
    ck_assert_int_lt(value_order_text(SLICE("Z"), SLICE("a")), 0);
    ck_assert_int_eq(value_order_text(SLICE("a"), SLICE("a")), 0);
}
END_TEST

static void prints(struct value value, const char *text)
{
    struct slice printed = value_text(&arena, &value);

    ck_assert_msg(slice_equal(printed, slice_text(text)), "%.*s, not %s", (int)printed.size,
                  (const char *)printed.data, text);
}

START_TEST(printing)
{
    struct value bulk[] = {str("a"), value_long(2)};

    prints(value_null(), "null");
    prints(value_bool(true), "true");
    prints(value_double(1e10), "1.0E10");
    prints(str("a b"), "a b");
    prints(LIST(value_int(1), str("a"), value_null()), "[1, a, null]");
    prints(SET(value_int(1)), "[1]");
    prints(none(VALUE_LIST), "[]");
    prints(MAP(str("a"), value_int(1), value_enumerator(T_ID), LIST(value_double(0.5))),
           "{a=1, id=[0.5]}");
    prints(value_items(&arena, VALUE_BULKSET, bulk, 1), "{a=2}");
    prints(vertex(value_int(1)), "v[1]");
    prints(vertex(str("x")), "v[x]");
    prints(edge(value_int(7)), "e[7][1-knows->2]");
    prints(vproperty(1, "name", str("marko")), "vp[name->marko]");
    prints(vproperty(1, "name", str("12345678901234567890")), "vp[name->12345678901234567890]");
    prints(vproperty(1, "name", str("123456789012345678901")), "vp[name->12345678901234567...]");
    prints(property("since", value_int(2010)), "p[since->2010]");
    prints(property("since", LIST(value_int(123456789), value_int(123456789))),
           "p[since->[123456789, 12345...]");
    prints(path(vertex(value_int(1)), str("a")), "path[v[1], a]");
    prints((struct value){.kind = VALUE_ENTRY, .items = LIST(str("a"), value_int(1)).items}, "a=1");
    prints(value_integer(VALUE_CHAR, 0x20ac), "\xe2\x82\xac");
    prints(moment("2020-02-29T10:00:00.5+01:00"), "2020-02-29T10:00:00.500+01:00");
    prints(span("P1DT1S"), "PT24H1S");
    prints(value_enumerator(DIRECTION_OUT), "OUT");
}
END_TEST

START_TEST(enumerations)
{
    ck_assert_int_eq(value_enumerator_find(ENUM_T, SLICE("id")), T_ID);
    ck_assert_int_eq(value_enumerator_find(ENUM_T, SLICE("ID")), ENUMERATOR_COUNT);
    ck_assert_int_eq(value_enumerator_find(ENUM_DIRECTION, SLICE("from")), DIRECTION_OUT);
    ck_assert_int_eq(value_enumerator_find(ENUM_DIRECTION, SLICE("to")), DIRECTION_IN);
    ck_assert_int_eq(value_enumerator_find(ENUM_DIRECTION, SLICE("BOTH")), DIRECTION_BOTH);
    ck_assert_int_eq(value_enumerator_find(ENUM_ORDER, SLICE("decr")), ORDER_DESC);
    ck_assert_int_eq(value_enumerator_find(ENUM_GTYPE, SLICE("bigDecimal")), GTYPE_BIGDECIMAL);
    ck_assert_int_eq(value_enumerator_find(ENUM_PICK, SLICE("any")), PICK_ANY);
    ck_assert_int_eq(value_enumerator_find(ENUM_POP, SLICE("any")), ENUMERATOR_COUNT);
    for (int i = 0; i < ENUMERATOR_COUNT; i++) {
        enum enumerator id = (enum enumerator)i;
        ck_assert_int_eq(
            value_enumerator_find(value_enum_of(id), slice_text(value_enumerator_name(id))), id);
    }
    ck_assert_str_eq(value_enum_name(ENUM_T), "T");
    ck_assert_str_eq(value_kind_name(VALUE_DECIMAL), "bigdecimal");
}
END_TEST

START_TEST(maps_are_looked_up)
{
    struct value map = MAP(str("a"), value_int(1), value_int(5), value_int(2));
    struct value five = value_int(5);
    struct value long_five = value_long(5);

    ck_assert_int_eq(value_get_text(&map, "a")->integer, 1);
    ck_assert_int_eq(value_get(&map, &five)->integer, 2);
    ck_assert_ptr_null(value_get(&map, &long_five));
    ck_assert_ptr_null(value_get_text(&map, "b"));
    ck_assert(value_is_text(&map.items[0], "a"));
    ck_assert(!value_is_text(&map.items[1], "1"));
    ck_assert(value_is_element(&(struct value){.kind = VALUE_EDGE}));
    ck_assert(!value_is_element(&(struct value){.kind = VALUE_PROPERTY}));
}
END_TEST

/* The copy holds nothing of the original, whose memory is overwritten. */
START_TEST(copies_are_deep)
{
    struct arena other = {0};
    struct value value = LIST(str("text"), MAP(uuid(3), decimal("1.5")), moment("2020-01-01"),
                              vertex(str("id")), edge(str("e")), vproperty(1, "k", str("v")),
                              property("k", str("v")), path(str("p"), SET(str("s"))));
    struct value copy = value_copy(&other, &value);
    struct slice before = value_text(&other, &value);

    before = slice_of(arena_copy(&other, before.data, before.size), before.size);
    for (struct value *p = (struct value *)(uintptr_t)value.items; p < value.items + 8; p++) {
        *p = value_null();
    }
    arena_close(&arena);
    ck_assert(slice_equal(value_text(&other, &copy), before));
    arena_close(&other);
}
END_TEST

RUN_SUITE("value", numbers, small_kinds, moments, containers, elements, order_of_everything,
          tokens_order_among_texts, strings_order_as_in_java, printing, enumerations,
          maps_are_looked_up, copies_are_deep)
