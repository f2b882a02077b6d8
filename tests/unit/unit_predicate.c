#include "common/predicate.h"

#include <math.h>

#include "tests/lib/runner.h"

static struct arena arena;

static struct predicate *with(enum predicate_test test, size_t count, const struct value *operands)
{
    struct predicate *p = ARENA_NEW(&arena, struct predicate);

    p->test = test;
    p->operand_count = (uint32_t)count;
    p->operands = (const struct value *)arena_copy(&arena, operands, count * sizeof *operands);
    return p;
}

static struct predicate *one(enum predicate_test test, struct value operand)
{
    return with(test, 1, &operand);
}

static struct predicate *text(enum predicate_test test, const char *operand)
{
    return one(test, value_cstring(operand));
}

static struct predicate *range(enum predicate_test test, int low, int high)
{
    const struct value ends[] = {value_int(low), value_int(high)};

    return with(test, 2, ends);
}

static struct predicate *join(enum predicate_test test, const struct predicate *a,
                              const struct predicate *b)
{
    struct predicate *p = ARENA_NEW(&arena, struct predicate);
    struct predicate *children = (struct predicate *)arena_array(&arena, 2, sizeof *children);

    children[0] = *a;
    children[1] = *b;
    p->test = test;
    p->child_count = test == PREDICATE_NOT ? 1 : 2;
    p->children = children;
    return p;
}

static bool matches(struct predicate *p, struct value value)
{
    struct error err = {0};
    bool result;

    ck_assert_msg(predicate_compile(p, &err) == E_OK, "%s", err.text);
    result = predicate_matches(p, &value);
    predicate_release(p);
    return result;
}

static const char *print(const struct predicate *p)
{
    struct bytes out;

    bytes_init(&out, 0);
    predicate_print(&out, p);
    const char *printed = arena_format(&arena, "%.*s", (int)out.size, (const char *)out.data);
    bytes_close(&out);
    return printed;
}

START_TEST(comparisons)
{
    const struct value five = value_int(5);
    const struct value nan = value_double((double)NAN);

    ck_assert(matches(one(PREDICATE_EQ, five), value_double(5)));
    ck_assert(!matches(one(PREDICATE_NEQ, five), value_double(5)));
    ck_assert(matches(one(PREDICATE_NEQ, nan), nan));
    ck_assert(!matches(one(PREDICATE_EQ, nan), nan));
    ck_assert(!matches(one(PREDICATE_LTE, nan), nan));
    ck_assert(!matches(one(PREDICATE_GTE, value_null()), nan));
    ck_assert(matches(one(PREDICATE_LTE, value_null()), value_null()));
    ck_assert(!matches(one(PREDICATE_LT, value_null()), value_null()));
    ck_assert(matches(one(PREDICATE_LT, five), value_int(4)));
    ck_assert(!matches(one(PREDICATE_LT, five), value_int(5)));
    ck_assert(matches(one(PREDICATE_GTE, five), value_int(5)));
    ck_assert(!matches(one(PREDICATE_GT, five), value_int(5)));
    ck_assert(!matches(one(PREDICATE_GT, five), value_cstring("x")));
    ck_assert(matches(one(PREDICATE_NEQ, five), value_cstring("x")));
}
END_TEST

START_TEST(ranges)
{
    static const struct {
        enum predicate_test test;
        bool matches[5]; /* 0, 1, 2, 3, 4 against 1 and 3. */
    } cases[] = {
        {PREDICATE_INSIDE, {false, false, true, false, false}},
        {PREDICATE_OUTSIDE, {true, false, false, false, true}},
        {PREDICATE_BETWEEN, {false, true, true, false, false}},
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct predicate *p = range(cases[i].test, 1, 3);
        struct predicate *negated = predicate_copy(&arena, predicate_negate(&arena, p));
        for (int v = 0; v < 5; v++) {
            ck_assert_int_eq(matches(p, value_int(v)), cases[i].matches[v]);
            ck_assert_int_eq(matches(negated, value_int(v)), !cases[i].matches[v]);
        }
        ck_assert(!matches(p, value_cstring("2")));
        ck_assert(matches(negated, value_cstring("2")));
    }
}
END_TEST

/* P.gt('x').negate() held nothing back but what is at most 'x': a number passed neither. */
START_TEST(opposites_match_what_cannot_be_compared)
{
    static const enum predicate_test orders[] = {PREDICATE_LT, PREDICATE_LTE, PREDICATE_GT,
                                                 PREDICATE_GTE};

    for (size_t i = 0; i < sizeof orders / sizeof orders[0]; i++) {
        struct predicate *p = one(orders[i], value_cstring("x"));
        struct predicate *negated = predicate_copy(&arena, predicate_negate(&arena, p));
        ck_assert(!matches(p, value_int(1)) && matches(negated, value_int(1)));
        ck_assert(!matches(p, value_null()) && matches(negated, value_null()));
        ck_assert(matches(p, value_cstring("x")) != matches(negated, value_cstring("x")));
        ck_assert_str_eq(print(predicate_negate(&arena, negated)), print(p));
    }
}
END_TEST

START_TEST(membership)
{
    const struct value items[] = {value_int(1), value_cstring("a"), value_null()};

    ck_assert(matches(with(PREDICATE_WITHIN, 3, items), value_long(1)));
    ck_assert(matches(with(PREDICATE_WITHIN, 3, items), value_null()));
    ck_assert(!matches(with(PREDICATE_WITHIN, 3, items), value_cstring("b")));
    ck_assert(matches(with(PREDICATE_WITHOUT, 3, items), value_cstring("b")));
    ck_assert(!matches(with(PREDICATE_WITHIN, 0, NULL), value_int(1)));
    ck_assert(matches(with(PREDICATE_WITHOUT, 0, NULL), value_int(1)));
}
END_TEST

START_TEST(texts)
{
    const struct value marko = value_cstring("marko");

    ck_assert(matches(text(PREDICATE_CONTAINING, "ark"), marko));
    ck_assert(matches(text(PREDICATE_CONTAINING, ""), marko));
    ck_assert(matches(text(PREDICATE_CONTAINING, "aab"), value_cstring("aaab")));
    ck_assert(!matches(text(PREDICATE_CONTAINING, "markos"), marko));
    ck_assert(matches(text(PREDICATE_NOT_CONTAINING, "x"), marko));
    ck_assert(matches(text(PREDICATE_STARTING_WITH, "mar"), marko));
    ck_assert(!matches(text(PREDICATE_STARTING_WITH, "ark"), marko));
    ck_assert(matches(text(PREDICATE_NOT_STARTING_WITH, "markos"), marko));
    ck_assert(matches(text(PREDICATE_ENDING_WITH, "ko"), marko));
    ck_assert(matches(text(PREDICATE_ENDING_WITH, ""), value_cstring("")));
    ck_assert(matches(text(PREDICATE_NOT_ENDING_WITH, "mar"), marko));
    ck_assert(!matches(text(PREDICATE_CONTAINING, "1"), value_int(1)));
    ck_assert(!matches(text(PREDICATE_NOT_CONTAINING, "1"), value_null()));
}
END_TEST

START_TEST(regexes)
{
    struct error err = {0};

    ck_assert(matches(text(PREDICATE_REGEX, "^mar"), value_cstring("marko")));
    ck_assert(matches(text(PREDICATE_REGEX, "r.o"), value_cstring("marko")));
    ck_assert(matches(text(PREDICATE_NOT_REGEX, "^ark"), value_cstring("marko")));
    ck_assert(
        matches(text(PREDICATE_REGEX, "Tinker.*\xc2\xa9"), value_cstring("Tinkerpop\xc2\xa9")));
    ck_assert(matches(text(PREDICATE_REGEX, "^$"), value_cstring("")));
    ck_assert_int_eq(predicate_compile(text(PREDICATE_REGEX, "a("), &err), E_INVALID);
    ck_assert_str_eq(err.text, "bad regular expression at 2: missing closing parenthesis");
    struct predicate *both =
        join(PREDICATE_AND, text(PREDICATE_REGEX, "m"), text(PREDICATE_REGEX, "a("));
    ck_assert_int_eq(predicate_compile(both, NULL), E_INVALID);
    ck_assert_ptr_null(both->children[0].regex);
    /* Backtracking without end is cut off. */
    ck_assert(!matches(text(PREDICATE_REGEX, "^(a+)+$"),
                       value_cstring("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab")));
}
END_TEST

START_TEST(types)
{
    struct error err = {0};

    ck_assert(matches(one(PREDICATE_TYPE_OF, value_enumerator(GTYPE_INT)), value_int(1)));
    ck_assert(!matches(one(PREDICATE_TYPE_OF, value_enumerator(GTYPE_INT)), value_long(1)));
    ck_assert(matches(one(PREDICATE_TYPE_OF, value_enumerator(GTYPE_NUMBER)), value_float(1)));
    ck_assert(matches(one(PREDICATE_TYPE_OF, value_enumerator(GTYPE_NULL)), value_null()));
    ck_assert(!matches(one(PREDICATE_TYPE_OF, value_enumerator(GTYPE_GRAPH)), value_int(1)));
    ck_assert(matches(one(PREDICATE_TYPE_OF, value_enumerator(GTYPE_DATETIME)),
                      value_integer(VALUE_DATE, 1)));
    ck_assert(matches(text(PREDICATE_TYPE_OF, "String"), value_cstring("a")));
    ck_assert(matches(text(PREDICATE_TYPE_OF, "Integer"), value_int(1)));
    ck_assert_int_eq(predicate_compile(text(PREDICATE_TYPE_OF, "nothing"), &err), E_INVALID);
    ck_assert_str_eq(err.text, "nothing is not a registered type");
    ck_assert_int_eq(predicate_compile(one(PREDICATE_TYPE_OF, value_int(1)), &err), E_INVALID);
    ck_assert_int_eq(predicate_compile(one(PREDICATE_CONTAINING, value_int(1)), &err), E_INVALID);
    ck_assert_str_eq(err.text, "containing() takes a string, not int");
}
END_TEST

START_TEST(trees)
{
    struct predicate *gt = one(PREDICATE_GT, value_int(1));
    struct predicate *lt = one(PREDICATE_LT, value_int(3));
    struct predicate *both = join(PREDICATE_AND, gt, lt);
    struct predicate *either = join(PREDICATE_OR, one(PREDICATE_LT, value_int(0)), both);

    ck_assert(matches(both, value_int(2)));
    ck_assert(!matches(both, value_int(3)));
    ck_assert(matches(either, value_int(-1)));
    ck_assert(matches(either, value_int(2)));
    ck_assert(!matches(either, value_int(1)));
    ck_assert(!matches(join(PREDICATE_NOT, both, both), value_int(2)));
    ck_assert_str_eq(print(either), "or(lt(0), and(gt(1), lt(3)))");
    ck_assert_str_eq(print(predicate_negate(&arena, either)),
                     "and(not(lt(0)), or(not(gt(1)), not(lt(3))))");
    ck_assert_str_eq(print(predicate_negate(&arena, predicate_negate(&arena, either))),
                     print(either));
    ck_assert_str_eq(print(predicate_negate(&arena, join(PREDICATE_NOT, gt, gt))), "gt(1)");
}
END_TEST

START_TEST(printing)
{
    const struct value items[] = {value_int(1), value_cstring("a")};

    ck_assert_str_eq(print(with(PREDICATE_WITHIN, 2, items)), "within([1, a])");
    ck_assert_str_eq(print(with(PREDICATE_WITHOUT, 0, NULL)), "without([])");
    ck_assert_str_eq(print(range(PREDICATE_BETWEEN, 1, 3)), "and(gte(1), lt(3))");
    ck_assert_str_eq(print(range(PREDICATE_INSIDE, 1, 3)), "and(gt(1), lt(3))");
    ck_assert_str_eq(print(range(PREDICATE_OUTSIDE, 1, 3)), "or(lt(1), gt(3))");
    ck_assert_str_eq(print(text(PREDICATE_STARTING_WITH, "x")), "startingWith(x)");
    ck_assert_str_eq(print(one(PREDICATE_TYPE_OF, value_enumerator(GTYPE_INT))), "typeOf(INT)");
    ck_assert_str_eq(
        print(predicate_negate(&arena, one(PREDICATE_TYPE_OF, value_enumerator(GTYPE_INT)))),
        "not(typeOf(INT))");
}
END_TEST

START_TEST(names)
{
    for (int i = 0; i < PREDICATE_TEST_COUNT; i++) {
        enum predicate_test test = (enum predicate_test)i;
        ck_assert_int_eq(predicate_find(slice_text(predicate_name(test))), test);
    }
    ck_assert_int_eq(predicate_find(SLICE("like")), PREDICATE_TEST_COUNT);
    ck_assert(predicate_is_text(PREDICATE_REGEX) && !predicate_is_text(PREDICATE_EQ));
}
END_TEST

START_TEST(bytes_round_trip)
{
    const struct value items[] = {value_int(1), value_cstring("a")};
    struct predicate *p =
        join(PREDICATE_AND, with(PREDICATE_WITHIN, 2, items),
             join(PREDICATE_NOT, text(PREDICATE_REGEX, "x"), text(PREDICATE_REGEX, "x")));
    struct bytes out;
    struct reader reader;

    bytes_init(&out, 0);
    predicate_encode(&out, p);
    reader_init(&reader, bytes_slice(&out));
    const struct predicate *back = predicate_decode(&reader, &arena);
    ck_assert_int_eq(reader_finish(&reader, "predicate", NULL), E_OK);
    ck_assert_str_eq(print(back), print(p));
    for (size_t cut = 0; cut < out.size; cut++) {
        reader_init(&reader, slice_of(out.data, cut));
        (void)predicate_decode(&reader, &arena);
        ck_assert(reader.is_bad);
    }
    bytes_close(&out);
}
END_TEST

static bool is_bad(struct slice input)
{
    struct reader reader;

    reader_init(&reader, input);
    (void)predicate_decode(&reader, &arena);
    return reader.is_bad;
}

START_TEST(bad_bytes)
{
    struct bytes out;

    ck_assert(is_bad(SLICE("\x17\x00\x00")));         /* No such test. */
    ck_assert(is_bad(SLICE("\x00\x00\x00")));         /* eq of nothing. */
    ck_assert(is_bad(SLICE("\x06\x01\xfe\x01\x00"))); /* inside of one. */
    ck_assert(is_bad(SLICE("\x14\x00\x00")));         /* and of nothing. */
    ck_assert(is_bad(SLICE("\x09\x7f\xfe\x01\x00"))); /* A count that cannot be. */
    ck_assert(!is_bad(SLICE("\x09\x00\x00")));
    bytes_init(&out, 0);
    for (int i = 0; i < 1000; i++) {
        bytes_append(&out, "\x16\x00\x01", 3); /* not(not(not( ... */
    }
    bytes_append(&out, "\x09\x00\x00", 3);
    ck_assert(is_bad(bytes_slice(&out)));
    bytes_close(&out);
}
END_TEST

RUN_SUITE("predicate", comparisons, ranges, opposites_match_what_cannot_be_compared, membership,
          texts, regexes, types, trees, printing, names, bytes_round_trip, bad_bytes)
