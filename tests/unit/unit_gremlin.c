#include "common/mem.h"
#include "common/predicate.h"
#include "router/gremlin/bytecode.h"
#include "router/gremlin/gremlin.h"
#include "router/gremlin/step.h"

#include <stdio.h>
#include <string.h>

#include "tests/lib/runner.h"

struct parsed {
    struct arena arena;
    struct gremlin_script script;
    struct error err;
    struct bytes text;
    int rc;
};

static struct value bindings_of(struct arena *arena)
{
    static const int32_t ids[] = {1, 2};
    struct value items[6];
    struct value list[2];

    list[0] = value_int(ids[0]);
    list[1] = value_int(ids[1]);
    items[0] = value_cstring("x");
    items[1] = value_int(42);
    items[2] = value_cstring("ids");
    items[3] = value_items(arena, VALUE_LIST, list, 2);
    items[4] = value_cstring("name");
    items[5] = value_cstring("marko");
    return value_items(arena, VALUE_MAP, items, 3);
}

static void parse(struct parsed *p, const char *text)
{
    struct prng prng;
    struct value bindings;
    struct gremlin_input input = {.text = slice_text(text), .now_ms = 1500};

    *p = (struct parsed){0};
    arena_init(&p->arena, 0);
    bytes_init(&p->text, 0);
    prng_init(&prng, 1);
    bindings = bindings_of(&p->arena);
    input.bindings = &bindings;
    input.prng = &prng;
    p->rc = gremlin_parse(&p->arena, &input, &p->script, &p->err);
}

static void finish(struct parsed *p)
{
    arena_close(&p->arena);
    bytes_close(&p->text);
}

/* What the last query of a text becomes, printed. */
static void check_text(const char *text, const char *expected)
{
    struct parsed p;

    parse(&p, text);
    ck_assert_msg(p.rc == E_OK, "%s: %s", text, p.err.text);
    const struct gremlin_query *last = &p.script.queries[p.script.count - 1];
    bytecode_print(&p.text, last->bytecode, "g");
    bytes_u8(&p.text, 0);
    ck_assert_str_eq((const char *)p.text.data, expected);
    finish(&p);
}

static void check_error(const char *text, int code, const char *part)
{
    struct parsed p;

    parse(&p, text);
    ck_assert_msg(p.rc == code, "%s: %d instead of %d (%s)", text, p.rc, code, p.err.text);
    ck_assert_msg(strstr(p.err.text, part) != NULL, "%s: '%s' has no '%s'", text, p.err.text, part);
    finish(&p);
}

/* ---- the table ---- */

START_TEST(table_is_sorted)
{
    for (size_t i = STEP_UNKNOWN + 1; i < STEP_ID_COUNT; i++) {
        const char *name = step_info((enum step_id)i)->name;
        ck_assert_uint_eq(step_find(slice_text(name)), i);
        if (i > STEP_UNKNOWN + 1) {
            ck_assert_int_lt(strcmp(step_info((enum step_id)(i - 1))->name, name), 0);
        }
    }
    ck_assert_uint_eq(step_find(SLICE("nope")), STEP_UNKNOWN);
    ck_assert_uint_eq(step_find(SLICE("")), STEP_UNKNOWN);
}
END_TEST

START_TEST(table_guesses)
{
    ck_assert_str_eq(step_guess(SLICE("oute")), "outE");
    ck_assert_str_eq(step_guess(SLICE("dedupe")), "dedup");
    ck_assert_str_eq(step_guess(SLICE("haslabel")), "hasLabel");
    ck_assert_str_eq(step_guess(SLICE("grupCount")), "groupCount");
    ck_assert_ptr_null(step_guess(SLICE("xyzzyplugh")));
    ck_assert_ptr_null(step_guess(SLICE("a")));
}
END_TEST

/* ---- what is accepted ---- */

START_TEST(chains)
{
    check_text("g.V()", "g.V()");
    check_text(" g . V ( ) . out ( 'knows' ) // a comment\n .count();",
               "g.V().out(\"knows\").count()");
}
END_TEST

START_TEST(names_and_tokens)
{
    check_text("g.V().has(id, 1).by(T.label)", "g.V().has(T.id,1).by(T.label)");
    check_text("g.V().order(local).by(values, desc)",
               "g.V().order(Scope.local).by(Column.values,Order.desc)");
    check_text("g.V().order().by('n', Order.decr)", "g.V().order().by(\"n\",Order.desc)");
    check_text("g.V().property(set, 'a', 1)", "g.V().property(Cardinality.set,\"a\",1)");
    check_text("g.V().property(VertexProperty.Cardinality.list, 'a', 1)",
               "g.V().property(Cardinality.list,\"a\",1)");
    check_text("g.V().select(first, 'a').select(keys)",
               "g.V().select(Pop.first,\"a\").select(Column.keys)");
    check_text("g.V().to(OUT).toV(from).toE(Direction.to, 'x')",
               "g.V().to(Direction.OUT).toV(Direction.OUT).toE(Direction.IN,\"x\")");
    check_text("g.mergeV([:]).option(onCreate, [a: 1]).option(Merge.onMatch, null)",
               "g.mergeV([:]).option(Merge.onCreate,[\"a\":1]).option(Merge.onMatch,null)");
    check_text("g.V().choose(out()).option(none, in()).option(unproductive, both())",
               "g.V().choose(__.out()).option(Pick.none,__.in())"
               ".option(Pick.unproductive,__.both())");
    check_text("g.V().valueMap().with(WithOptions.tokens, WithOptions.labels)",
               "g.V().valueMap().with(\"~tinkerpop.valueMap.tokens\",2)");
    check_text("g.withSack(1, sum).V().barrier(normSack)",
               "g.withSack(1,Operator.sum).V().barrier(Barrier.normSack)");
    check_text("g.inject(1).is(typeOf(int)).is(P.typeOf(GType.bigDecimal)).is(typeOf('x'))",
               "g.inject(1).is(P.typeOf(GType.INT)).is(P.typeOf(GType.BIGDECIMAL))"
               ".is(P.typeOf(\"x\"))");
}
END_TEST

START_TEST(numbers)
{
    check_text("g.inject(0, -1, +7, 2147483647, 2147483648, 9223372036854775808)",
               "g.inject(0,-1,7,2147483647,2147483648L,9223372036854775808n)");
    check_text("g.inject(1b, 2S, 3i, 4l, 5N, 0x1F, 0x1b, -0x1FL, 017, 00, 1_000)",
               "g.inject(1b,2s,3,4L,5n,31,27,-31L,15,0,1000)");
    check_text("g.inject(-128b, -2147483648, -9223372036854775808)",
               "g.inject(-128b,-2147483648,-9223372036854775808L)");
    check_text("g.inject(1.5, .5, 1e3, 1_2.3_4e1, 1.5f, 2d, 1.50m, 3f)",
               "g.inject(1.5,0.5,1000.0,123.4,1.5f,2.0,1.50m,3.0f)");
    check_text("g.inject(NaN, Infinity, -Infinity, +Infinity)",
               "g.inject(NaN,Infinity,-Infinity,Infinity)");
    check_error("g.inject(128b)", E_SYNTAX, "1:10: 128b does not fit the type byte");
    check_error("g.inject(9999999999i)", E_SYNTAX, "does not fit the type int");
}
END_TEST

START_TEST(strings)
{
    check_text("g.inject('', \"\", 'it\\'s', \"a\\\"b\")",
               "g.inject(\"\",\"\",\"it's\",\"a\\\"b\")");
    check_text("g.inject('\\b\\t\\n\\f\\r\\\\')", "g.inject(\"\\b\\t\\n\\f\\r\\\\\")");
    check_text("g.inject('\\101\\u0042\\uu0043')", "g.inject(\"ABC\")");
    check_text("g.inject('\\7', '\\477')", "g.inject(\"\\u0007\",\"'7\")");
    check_text("g.inject('\\u20ac', '\\uD83D\\uDE00')",
               "g.inject(\"\xe2\x82\xac\",\"\xf0\x9f\x98\x80\")");
    check_text("g.inject('a\\\nb', 'c\nd')", "g.inject(\"ab\",\"c\\nd\")");
    check_error("g.inject('\\uD83D')", E_SYNTAX, "surrogate");
    check_error("g.inject('\\q')", E_SYNTAX, "wrong escape");
    check_error("g.inject('open)", E_SYNTAX, "1:10: the string that starts here has no end");
    check_error("g.inject('\xff')", E_SYNTAX, "UTF-8");
}
END_TEST

START_TEST(containers)
{
    check_text("g.inject([], [1, [2]], {}, {1, 1, 1.0, null, null}, [:])",
               "g.inject([],[1,[2]],{},{1,1.0,null},[:])");
    check_text("g.inject(1..3, 3..1, 'a'..'c', [1..2, 5])",
               "g.inject([1,2,3],[3,2,1],[\"a\",\"b\",\"c\"],[[1,2],5])");
    check_text("g.inject([a: 1, 'b': 2, 3: 3, (T.id): 4, T.label: 5, (from): 6, id: 7, new: 8])",
               "g.inject([\"a\":1,\"b\":2,(3):3,(T.id):4,(T.label):5,(Direction.OUT):6,\"id\":7,"
               "\"new\":8])");
    check_text("g.inject([[1]: [x: {2}], a: 1, a: 2])", "g.inject([([1]):[\"x\":{2}],\"a\":2])");
    check_error("g.inject([Order.asc: 1])", E_SYNTAX, "1:11: this cannot be the key of a map");
    check_error("g.inject([1, a: 1])", E_SYNTAX, "unexpected ':'");
    check_error("g.inject('a'..'zz')", E_SYNTAX, "last character");
    check_error("g.inject(1..9999999)", E_SYNTAX, "at most 1000000");
}
END_TEST

START_TEST(dates_and_uuids)
{
    check_text("g.inject(datetime('2024-01-31'))", "g.inject(datetime(\"2024-01-31T00:00Z\"))");
    check_text("g.inject(DateTime())", "g.inject(datetime(\"1970-01-01T00:00:01.500Z\"))");
    check_text("g.inject(UUID('41d2e28a-20a4-4ab0-b379-d810dede3786'))",
               "g.inject(UUID(\"41d2e28a-20a4-4ab0-b379-d810dede3786\"))");
    check_error("g.inject(UUID('41d2e28a'))", E_SYNTAX, "1:10: '41d2e28a' is not a UUID");
    check_error("g.inject(datetime('soon'))", E_SYNTAX, "is not a date");
}
END_TEST

START_TEST(volatile_texts)
{
    struct parsed p;

    parse(&p, "g.inject(UUID())");
    ck_assert_int_eq(p.rc, E_OK);
    ck_assert(p.script.is_volatile);
    const struct value *uuid = &p.script.queries[0].bytecode->steps[0].args[0];
    ck_assert_uint_eq(uuid->kind, VALUE_UUID);
    ck_assert_uint_eq(uuid->bytes[6] >> 4, 4);
    finish(&p);
    parse(&p, "g.inject(datetime('2020-01-01'))");
    ck_assert(!p.script.is_volatile);
    finish(&p);
}
END_TEST

START_TEST(predicates)
{
    check_text("g.V().has('a', gt(1).and(P.lt(3)).and(neq(2)).or(eq(9)))",
               "g.V().has(\"a\",P.gt(1).and(P.lt(3)).and(P.neq(2)).or(P.eq(9)))");
    check_text("g.V().has('a', within([1, 2])).has('a', within(1, 2)).has('a', without())",
               "g.V().has(\"a\",P.within(1,2)).has(\"a\",P.within(1,2)).has(\"a\",P.without())");
    check_text("g.V().has('a', TextP.startingWith('x')).has('a', regex('^b'))",
               "g.V().has(\"a\",TextP.startingWith(\"x\")).has(\"a\",TextP.regex(\"^b\"))");
    check_text("g.V().not(has('a')).where(not(within('b')))",
               "g.V().not(__.has(\"a\")).where(P.not(P.within(\"b\")))");
    check_text("g.V().is(P.not(P.not(eq(1)))).is(lt(5).negate()).is(between(1, 2))",
               "g.V().is(P.not(P.not(P.eq(1)))).is(P.not(P.lt(5))).is(P.between(1,2))");
    check_error("g.V().has('a', startingWith(1234))", E_SYNTAX, "startingWith() takes a string");
    check_error("g.V().is(between(1))", E_SYNTAX, "two arguments");
    check_error("g.V().is(gt(1).out())", E_SYNTAX, "after a predicate");
    check_error("g.V().is(P.nope(1))", E_SYNTAX, "there is no predicate nope()");
}
END_TEST

START_TEST(nested)
{
    check_text("g.V().repeat(__.out()).until(__.not(out())).emit()",
               "g.V().repeat(__.out()).until(__.not(__.out())).emit()");
    check_text("g.V().union(V(), __.E(), values('a'))",
               "g.V().union(__.V(),__.E(),__.values(\"a\"))");
    check_text("g.V().by(id()).by(values('x')).by(__.key())",
               "g.V().by(__.id()).by(__.values(\"x\")).by(__.key())");
    check_text("g.inject([__.out(), 1])", "g.inject([__.out(),1])");
}
END_TEST

START_TEST(sources)
{
    check_text("g.with('evaluationTimeout', 500).with('x').with('evaluationTimeout', 7).V()",
               "g.withStrategies(OptionsStrategy(x:true,evaluationTimeout:7)).V()");
    check_text("g.withStrategies(ReadOnlyStrategy, new SubgraphStrategy(vertices: "
               "__.hasLabel('x'), checkAdjacentVertices: false)).V()",
               "g.withStrategies(ReadOnlyStrategy,SubgraphStrategy(vertices:__.hasLabel(\"x\"),"
               "checkAdjacentVertices:false)).V()");
    check_text("g.withoutStrategies(CountStrategy, LazyBarrierStrategy).V()",
               "g.withoutStrategies(CountStrategy,LazyBarrierStrategy).V()");
    check_text("g.withSideEffect('a', [1]).withBulk(false).withPath().V()",
               "g.withSideEffect(\"a\",[1]).withBulk(false).withPath().V()");
    check_error("g.V().withPath()", E_SYNTAX, "1:7: withPath() belongs right after g");
}
END_TEST

START_TEST(cardinality_calls)
{
    struct parsed p;

    check_text("g.mergeV([a: single(1), b: Cardinality.set('x')])",
               "g.mergeV([\"a\":Cardinality.single(1),\"b\":Cardinality.set(\"x\")])");
    parse(&p, "g.inject(list(5))");
    ck_assert_int_eq(p.rc, E_OK);
    const struct bytecode *inner = p.script.queries[0].bytecode->steps[0].args[0].traversal;
    ck_assert_uint_eq(inner->source_count, 1);
    ck_assert_uint_eq(inner->step_count, 0);
    ck_assert_uint_eq(inner->sources[0].step, STEP_CARDINALITY_VALUE);
    finish(&p);
}
END_TEST

START_TEST(bindings)
{
    check_text("g.V(ids).has('age', x).has('name', name)",
               "g.V([1,2]).has(\"age\",42).has(\"name\",\"marko\")");
    check_text("g.V().has('name', within(ids)).limit(x)",
               "g.V().has(\"name\",P.within(1,2)).limit(42)");
    check_error("g.V(nope)", E_SYNTAX, "1:5: the name 'nope' is not known");
}
END_TEST

START_TEST(terminals)
{
    static const struct {
        const char *text;
        enum gremlin_terminal terminal;
        uint64_t count;
    } rows[] = {
        {"g.V()", GREMLIN_RESULTS, 0},
        {"g.V().toList()", GREMLIN_RESULTS, 1},
        {"g.V().next()", GREMLIN_NEXT, 1},
        {"g.V().next(5)", GREMLIN_NEXT, 5},
        {"g.V().hasNext()", GREMLIN_HAS_NEXT, 1},
        {"g.V().iterate()", GREMLIN_ITERATE, 1},
        {"g.V().toSet()", GREMLIN_SET, 1},
        {"g.V().toBulkSet()", GREMLIN_BULK_SET, 1},
        {"g.V().explain()", GREMLIN_EXPLAIN, 1},
        {"g.V().tryNext()", GREMLIN_TRY_NEXT, 1},
    };
    struct parsed p;

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        parse(&p, rows[i].text);
        ck_assert_msg(p.rc == E_OK, "%s: %s", rows[i].text, p.err.text);
        ck_assert_uint_eq(p.script.queries[0].terminal, rows[i].terminal);
        ck_assert_uint_eq(p.script.queries[0].count, rows[i].count);
        finish(&p);
    }
    check_text("g.V().iterate()", "g.V().discard()");
    check_error("g.V().iterate().V()", E_SYNTAX, "nothing may follow");
    check_error("g.V().next('x')", E_SYNTAX, "whole number");
    check_error("g.next()", E_SYNTAX, "needs a traversal before it");
    check_error("g.V().repeat(out().next())", E_SYNTAX, "ends a query");
}
END_TEST

START_TEST(scripts)
{
    struct parsed p;

    parse(&p, "g.addV('a').iterate(); g.V().count();");
    ck_assert_int_eq(p.rc, E_OK);
    ck_assert_uint_eq(p.script.count, 2);
    finish(&p);
    parse(&p, "g.V()\ng.E()");
    ck_assert_uint_eq(p.script.count, 2);
    finish(&p);
    parse(&p, "''");
    ck_assert_int_eq(p.rc, E_OK);
    ck_assert_ptr_null(p.script.queries[0].bytecode);
    finish(&p);
    parse(&p, "g.tx().commit()");
    ck_assert_int_eq(p.rc, E_OK);
    ck_assert_int_eq(p.script.queries[0].tx, REQUEST_TX_COMMIT);
    finish(&p);
    parse(&p, "g.V().toString()");
    ck_assert(p.script.queries[0].is_text);
    finish(&p);
    check_error("g.tx().error()", E_SYNTAX, "expected g.tx().begin()");
    check_error("", E_SYNTAX, "unexpected end of the text");
    check_error(";;", E_SYNTAX, "unexpected ';'");
}
END_TEST

/* ---- what is refused, and how ---- */

START_TEST(syntax_errors)
{
    check_error("g.V()\n  .out(", E_SYNTAX, "2:8: unexpected end of the text, expected");
    check_error("g.V().out()]", E_SYNTAX, "1:12: unexpected ']'");
    check_error("g.V().", E_SYNTAX, "expected a name");
    check_error("g.V(1 2)", E_SYNTAX, "1:7: unexpected '2', expected ");
    check_error("g.V().oute()", E_SYNTAX, "1:7: there is no step oute(); did you mean outE()?");
    check_error("g.V().has()", E_SYNTAX, "has() takes at least 1 argument, not 0");
    check_error("g.V().id(1)", E_SYNTAX, "id() takes at most 0 arguments, not 1");
    check_error("g.V().count", E_SYNTAX, "'count' needs parentheses here");
    check_error("g.out()", E_SYNTAX, "out() cannot follow g");
    check_error("h.V()", E_SYNTAX, "a query starts with g");
    check_error("g.V().from(g.V(1))", E_SYNTAX, "a traversal from g cannot be an argument");
    check_error("g.V().repeat(g)", E_SYNTAX, "'g' alone is not a value");
    check_error("g.V(@)", E_SYNTAX, "unexpected '@'");
}
END_TEST

START_TEST(groovy)
{
    check_error("g.V().filter{it.get().value('age') > 30}", E_UNSUPPORTED, "lambdas");
    check_error("g.V().filter({it.get()})", E_UNSUPPORTED, "lambdas");
    check_error("g.V().map(x -> x)", E_UNSUPPORTED, "lambdas");
    check_error("g = graph.traversal(); g.V()", E_UNSUPPORTED, "Groovy scripts");
    check_error("nodes = g.V().toList()", E_UNSUPPORTED, "Groovy scripts");
    check_error("def x = 1", E_UNSUPPORTED, "Groovy scripts");
    check_error("graph.openManagement()", E_UNSUPPORTED, "cardeactl");
    check_error("g.V().has('d', new Date())", E_UNSUPPORTED, "datetime(");
    check_error("g.V().has('k', textContains('x'))", E_UNSUPPORTED, "containing()");
    check_error("g.withComputer().V()", E_UNSUPPORTED, "OLAP");
}
END_TEST

START_TEST(limits)
{
    struct bytes deep;

    bytes_init(&deep, 0);
    bytes_format(&deep, "g.inject(");
    for (int i = 0; i < 63; i++) {
        bytes_u8(&deep, '[');
    }
    bytes_u8(&deep, 0);
    check_error((const char *)deep.data, E_SYNTAX, "unexpected end");
    deep.size--;
    bytes_format(&deep, "[[[");
    bytes_u8(&deep, 0);
    check_error((const char *)deep.data, E_LIMIT, "more than 64 brackets");
    bytes_clear(&deep);
    bytes_format(&deep, "g.V()");
    for (int i = 0; i < BYTECODE_STEPS_MAX; i++) {
        bytes_format(&deep, ".out()");
    }
    bytes_u8(&deep, 0);
    check_error((const char *)deep.data, E_LIMIT, "more than 10000 steps");
    bytes_close(&deep);
}
END_TEST

/* What is printed parses to what prints the same. */
START_TEST(printing_is_stable)
{
    static const char text[] =
        "g.withSack(1.0f,Operator.sum).V(1,2L).has(\"a\",P.within(1,2).or(P.eq(3)))"
        ".repeat(__.out().has(T.label,TextP.regex(\"x\"))).times(2).by(__.id())"
        ".inject([\"a\":[1b,2s],(T.id):{3n}])";

    check_text(text, text);
}
END_TEST

START_TEST(checks)
{
    static const struct {
        const char *text;
        int code;
        const char *part;
    } rows[] = {
        {"g.V().out().count()", E_OK, ""},
        {"g.V().pageRank()", E_UNSUPPORTED, "1:7: the step pageRank() is not supported yet"},
        {"g.V().where(out().io('x'))", E_UNSUPPORTED, "1:19: the step io() is not supported yet"},
    };
    struct parsed p;

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        parse(&p, rows[i].text);
        ck_assert_int_eq(p.rc, E_OK);
        ck_assert_int_eq(bytecode_check(p.script.queries[0].bytecode, &p.err), rows[i].code);
        ck_assert_msg(strstr(p.err.text, rows[i].part) != NULL, "%s", p.err.text);
        finish(&p);
    }
}
END_TEST

/* ---- completion ---- */

/* The words that may end a text, and how many more there are. */
static void check_words(const char *text, const char *expected, size_t begun_size)
{
    struct gremlin_word words[256];
    struct bytes got;
    size_t begun;
    size_t count = gremlin_expected(slice_text(text), words, 256, &begun);

    bytes_init(&got, 0);
    for (size_t i = 0; i < count && i < 4; i++) {
        bytes_format(&got, i == 0 ? "%s" : " %s", words[i].text);
    }
    if (count > 4) {
        bytes_format(&got, " ...");
    }
    bytes_u8(&got, 0);
    ck_assert_msg(strcmp((const char *)got.data, expected) == 0, "%s: %s", text, (char *)got.data);
    ck_assert_uint_eq(begun, begun_size);
    bytes_close(&got);
}

START_TEST(completion)
{
    check_words("", "g", 0);
    check_words("g", "g", 1);
    check_words("g.", "E V addE addV ...", 0);
    check_words("g.withB", "withBulk", 5);
    check_words("g.V().outE", "outE", 4);
    check_words("g.V().ha", "has hasId hasKey hasLabel ...", 2);
    check_words("g.V().hasN", "hasNot hasNext", 4);
    check_words("g.V().has('name', gt", "gt gte", 2);
    check_words("g.V().has('name', gt(1).", "and or negate", 0);
    check_words("g.V().has('name', P.wit", "within without", 3);
    check_words("g.V().where(__.ou", "out outE outV", 2);
    check_words("g.V().where(out().inE().hasN", "hasNot", 4);
    check_words("g.V().order().by('a', Order.", "shuffle asc desc", 0);
    check_words("g.V().order().by('a', des", "desc", 3);
    check_words("g.V().valueMap().with(WithOptions.t", "tokens", 1);
    check_words("g.V().has('na", "", 2);
    check_words("g.V()", "", 0);
    check_words("g.V(); ", "g", 0);
    check_words("g.V().out(]", "", 0);
    check_words("g.V(1", "", 1);
}
END_TEST

RUN_SUITE("gremlin", table_is_sorted, table_guesses, chains, names_and_tokens, numbers, strings,
          containers, dates_and_uuids, volatile_texts, predicates, nested, sources,
          cardinality_calls, bindings, terminals, scripts, syntax_errors, groovy, limits,
          printing_is_stable, checks, completion)
