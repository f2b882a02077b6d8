/* The operators that change the graph. */
#include "router/op/ahead.h"
#include "router/op/args.h"
#include "router/op/mutate.h"
#include "router/op/upsert.h"
#include "tests/lib/fakecheck.h"
#include "tests/lib/runner.h"

/* Queries in turn on one graph; `then` must give `lines`. */
struct story {
    const char *first;
    const char *then;
    const char *lines;
};

static void tell_all(const struct story *stories, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        for (uint32_t waits = 0; waits < FAKECHECK_WAITS; waits++) {
            struct fakegraph graph;
            fakegraph_init(&graph);
            fakegraph_modern(&graph);
            graph.waits = waits;
            const char *lines = fakegraph_query(&graph, stories[i].first, true);
            ck_assert_msg(strstr(lines, "error") == NULL, "%s\ngave %s", stories[i].first, lines);
            lines = fakegraph_query(&graph, stories[i].then, true);
            ck_assert_msg(strcmp(lines, stories[i].lines) == 0,
                          "%s\n%s\n(%u waits) gave:\n%snot:\n%s", stories[i].first, stories[i].then,
                          waits, lines, stories[i].lines);
            fakegraph_close(&graph);
        }
    }
}

#define TELL_ALL(stories) tell_all(stories, sizeof(stories) / sizeof(stories)[0])

START_TEST(vertices_are_added)
{
    static const struct fakecheck cases[] = {
        {"g.addV().label()", "vertex\n"},
        {"g.addV('x').property('a', 1).valueMap(true)", "{id=1000, label=x, a=[1]}\n"},
        {"g.addV('x').property('a', 1).property('a', 2).values('a')", "1\n2\n"},
        {"g.addV('x').property(single, 'a', 1).property(single, 'a', 2).values('a')", "2\n"},
        {"g.addV('x').property(set, 'a', 1).property(set, 'a', 1).values('a')", "1\n"},
        {"g.addV('x').property(list, 'a', 1).property(list, 'a', 1).values('a')", "1\n1\n"},
        {"g.addV('x').property('a', 1, 'm', 2).properties('a').values('m')", "2\n"},
        {"g.V(1).properties().element().values('name')", "marko\nmarko\n"},
        {"g.E(7).properties('weight').element().inV().id()", "2\n"},
        {"g.addV('x').property('a', 1, 'm', 2).properties('a').properties('m').element().value()",
         "1\n"},
        {"g.addV('x').property('a', 1, 'm', 2).properties('a').properties().element().element()"
         ".label()",
         "x\n"},
        {"g.inject(1).element()", "error: element() takes a property, not a int\n"},
        {"g.addV('x').property('a', null).values()", ""},
        {"g.addV('x').property(null).label()", "x\n"},
        {"g.addV().property(T.label, 'y').label()", "y\n"},
        {"g.addV().property(T.id, 77).id()", "77\n"},
        {"g.addV().property(T.id, '77').id()", "77\n"},
        {"g.addV().property(T.id, 'abc').id()", "abc\n"},
        {"g.addV().property(T.id, 1)", "error: vertex exists\n"},
        {"g.V(1, 2).addV('copy').property('name', values('name')).values('name')",
         "marko\nvadas\n"},
        {"g.V(1).addV('x').property(values('name'), label()).valueMap()", "{marko=[person]}\n"},
        {"g.V(1).as('a').addV('x').property('age', select('a').by('age')).values('age')", "29\n"},
        {"g.addV(V(1).properties('name').key()).label()", "name\n"},
        {"g.V().out().barrier().addV('x').count()", "6\n"},
        {"g.V().addV('x').V().count()", "72\n"},
        {"g.V(1).addV('x').path().by(label)", "path[person, x]\n"},
        {"g.addV('x').path().by(label)", "path[x]\n"},
        {"g.addV('~x')", "error: Label can not be a hidden key: ~x\n"},
        {"g.addV(V(1).values('age'))", "error: Label has to be a string, not a int\n"},
        {"g.addV('x').property('a', V(99).id())",
         "error: The provided traverser does not map to a value\n"},
    };

    FAKECHECK_ALL(cases);
}
END_TEST

START_TEST(edges_are_added)
{
    static const struct fakecheck cases[] = {
        {"g.V(1).addE('likes').to(V(2))", "e[1000][1-likes->2]\n"},
        {"g.V(1).addE('likes').from(V(2))", "e[1000][2-likes->1]\n"},
        {"g.addE('likes').from(V(1)).to(V(2)).property('w', 1).elementMap()",
         "{id=1000, label=likes, IN={id=2, label=person}, OUT={id=1, label=person}, w=1}\n"},
        {"g.V(1).as('a').out('knows').addE('back').to('a')",
         "e[1000][2-back->1]\ne[1001][4-back->1]\n"},
        {"g.V(1).as('a').V(3).as('b').addE('x').from('b').to('a').inV().label()", "person\n"},
        {"g.V(1).addE('x').to(V(3)).property(T.id, 70).id()", "70\n"},
        {"g.V(1).addE('x').to(V(3)).property('a', 1).property('a', 2).values('a')", "2\n"},
        {"g.V(1).addE('x').to(V(3)).property('a', null).values()", ""},
        {"g.V(1).addE('self')", "e[1000][1-self->1]\n"},
        {"g.V(1, 4, 6).out('created').dedup().as('s').V(1, 4).addE('x').to('s').count()", "4\n"},
        {"g.addE('x').to(V(1))",
         "error: The value given to addE().from() must resolve to a Vertex or the ID of a Vertex "
         "present in the graph, but null was specified instead\n"},
        {"g.V(1).addE('x').to(V(99))",
         "error: The value given to addE().to() must resolve to a Vertex or the ID of a Vertex "
         "present in the graph, but null was specified instead\n"},
        {"g.V(1).addE('x').to(values('name'))",
         "error: The value given to addE().to() must resolve to a Vertex or the ID of a Vertex "
         "present in the graph. The provided value does not match any vertices in the graph\n"},
        {"g.V(1).addE('x').to(V(2)).property(single, 'a', 1)",
         "error: Property cardinality can only be set for a Vertex but the traversal encountered "
         "Edge for key: a\n"},
        {"g.addV('a').as('a').addV('b').as('b').addE('x').from('a').to('b').inV().label()", "b\n"},
    };

    FAKECHECK_ALL(cases);
}
END_TEST

START_TEST(properties_are_set)
{
    static const struct story stories[] = {
        {"g.V(1).property('age', 30)", "g.V(1).values('age')", "30\n"},
        {"g.V().property('x', values('name'))", "g.V().values('x')",
         "marko\nvadas\nlop\njosh\nripple\npeter\n"},
        {"g.V(1).property(list, 'age', 30)", "g.V(1).values('age')", "29\n30\n"},
        {"g.V(1).property(set, 'age', 29)", "g.V(1).values('age')", "29\n"},
        {"g.V(1).property('age', null)", "g.V(1).values('age')", ""},
        {"g.V(1).property('age', 30, 'since', 2010)", "g.V(1).properties('age').values('since')",
         "2010\n"},
        {"g.V(1).property(['a': 1, 'b': 2])", "g.V(1).valueMap('a', 'b')", "{a=[1], b=[2]}\n"},
        {"g.V(1).property(['age': Cardinality.list(30)])", "g.V(1).values('age')", "29\n30\n"},
        {"g.E(7).property('weight', 9)", "g.E(7).values('weight')", "9\n"},
        {"g.E(7).property('weight', null)", "g.E(7).values()", ""},
        {"g.V().outE().property('weight', null)", "g.E().properties('weight')", ""},
        {"g.V(1).properties('age').property('m', 1)", "g.V(1).properties('age').valueMap()",
         "{m=1}\n"},
    };
    static const struct fakecheck cases[] = {
        {"g.V(1).property('age', 30).values('age')", "30\n"},
        {"g.V(1).property('age', union(values('age'), constant(1)).sum()).values('age')", "30\n"},
        {"g.V(1).properties('age').property('m', 1).values('m')", "1\n"},
        {"g.V(1).as('a').property('age', 30).select('a').values('age')", "30\n"},
        {"g.V(1).property('a', V(2))", "error: Property value is of type vertex, which is not "
                                       "supported\n"},
        {"g.E(7).property(single, 'a', 1)",
         "error: Property cardinality can only be set for a Vertex but the traversal encountered "
         "edge for key: a\n"},
        {"g.inject(1).property('a', 1)", "error: only elements have properties, not a int\n"},
    };

    TELL_ALL(stories);
    FAKECHECK_ALL(cases);
}
END_TEST

START_TEST(things_are_dropped)
{
    static const struct story stories[] = {
        {"g.V().drop()", "g.union(V().count(), E().count())", "0\n0\n"},
        {"g.V(1).drop()", "g.union(V().count(), E().count())", "5\n3\n"},
        {"g.V(1, 1, 2).drop()", "g.V().count()", "4\n"},
        {"g.V(1).bothE().drop()", "g.E().count()", "3\n"},
        {"g.V().bothE().drop()", "g.E().count()", "0\n"},
        {"g.V(1).properties('age').drop()", "g.V(1).valueMap()", "{name=[marko]}\n"},
        {"g.V().properties().drop()", "g.V().properties().count()", "0\n"},
        {"g.E().properties('weight').drop()", "g.E().properties().count()", "0\n"},
        {"g.V(99).drop()", "g.V().count()", "6\n"},
    };
    static const struct fakecheck cases[] = {
        {"g.V(1).drop()", ""},
        {"g.V(1).sideEffect(properties('age').drop()).values()", "marko\n"},
        {"g.V(1).values('name').drop()", "error: The incoming object is not removable: a string\n"},
    };

    TELL_ALL(stories);
    FAKECHECK_ALL(cases);
}
END_TEST

START_TEST(metas_are_dropped)
{
    struct fakegraph graph;

    fakegraph_init(&graph);
    fakegraph_query(&graph, "g.addV('x').property('a', 1, 'm', 2, 'n', 3)", true);
    fakegraph_query(&graph, "g.V().properties('a').properties('m').drop()", true);
    ck_assert_str_eq(fakegraph_query(&graph, "g.V().properties('a').valueMap()", true), "{n=3}\n");
    fakegraph_close(&graph);
}
END_TEST

START_TEST(vertices_are_merged)
{
    static const struct fakecheck cases[] = {
        {"g.mergeV([(T.label): 'person', 'name': 'marko']).id()", "1\n"},
        {"g.mergeV([(T.label): 'person', 'name': 'stephen']).valueMap()", "{name=[stephen]}\n"},
        {"g.mergeV([(T.id): 1]).id()", "1\n"},
        {"g.mergeV([(T.id): 55]).id()", "55\n"},
        {"g.mergeV([:]).count()", "6\n"},
        {"g.mergeV(null).count()", "6\n"},
        {"g.mergeV(['name': 'x']).option(Merge.onCreate, ['age': 19]).valueMap()",
         "{name=[x], age=[19]}\n"},
        {"g.mergeV(['name': 'marko']).option(Merge.onMatch, ['age': 19]).values('age')", "19\n"},
        {"g.mergeV(['name': 'marko']).option(Merge.onMatch, ['age': Cardinality.list(19)])"
         ".values('age')",
         "29\n19\n"},
        {"g.mergeV(['name': 'x']).option(Merge.onCreate, null).values('name')", "x\n"},
        {"g.mergeV(['name': 'marko']).option(Merge.onMatch, ['age': 19], list).values('age')",
         "29\n19\n"},
        {"g.mergeV(['name': 'marko']).option(Merge.onMatch, ['age': 19], single).values('age')",
         "19\n"},
        {"g.mergeV(['name': 'x']).option(Merge.onCreate, ['a': 1], set).values('a')", "1\n"},
        /* Each sees what those before it made. */
        {"g.inject(1, 2, 3).mergeV(['name': 'x']).id().dedup().count()", "1\n"},
        {"g.inject(['name': 'a'], ['name': 'b'], ['name': 'a']).mergeV().values('name')",
         "a\nb\na\n"},
        {"g.inject(['name': 'marko']).mergeV(identity()).id()", "1\n"},
        {"g.V(1).mergeV(['name': 'marko']).option(Merge.onMatch, "
         "sideEffect(properties('age').drop())"
         ".constant(['age': 1])).values('age')",
         "1\n"},
        {"g.mergeV([(T.label): 'a']).option(onCreate, [(T.label): 'b'])",
         "error: option(onCreate) cannot override values from merge() argument: label\n"},
        {"g.mergeV([(T.label): 'a']).option(onCreate, constant([(T.label): 'b']))",
         "error: option(onCreate) cannot override values from merge() argument: label\n"},
        {"g.mergeV(['~id': 1])", "error: Property key can not be a hidden key: ~id\n"},
        {"g.mergeV([(T.label): '~v'])", "error: Label can not be a hidden key: ~v\n"},
        {"g.mergeV([(T.label): null])",
         "error: mergeV() does not allow null Map values - check: label\n"},
        {"g.mergeV([:]).option(Merge.onMatch, ['~label': 'v'])",
         "error: Property key can not be a hidden key: ~label\n"},
        {"g.mergeV([:]).option(Merge.onMatch, [(T.label): 'v'])",
         "error: option(onMatch) expects keys in Map to be of String\n"},
        {"g.mergeV([(Direction.OUT): 1])",
         "error: mergeV() and option(onCreate) args expect keys in Map to be either String or "
         "[T.id, T.label]\n"},
        {"g.inject(1).mergeV()",
         "error: mergeV() and its options must resolve to a Map, not to a int\n"},
    };

    FAKECHECK_ALL(cases);
}
END_TEST

START_TEST(a_window_of_merges_is_read_ahead)
{
    static const struct fakecheck cases[] = {
        {"g.inject(['name': 'marko'], ['name': 'x'], ['name': 'x'], ['name': 'lop']).mergeV()"
         ".values('name')",
         "marko\nx\nx\nlop\n"},
        {"g.inject(['name': 'x'], ['name': 'x']).mergeV().id().dedup().count()", "1\n"},
        {"g.inject(['lang': 'java'], ['lang': 'c']).mergeV().id()", "3\n5\n1000\n"},
        {"g.inject(['age': 29], ['age': 29.0], ['age': 1], ['age': "
         "1.0]).mergeV().id().dedup().count()",
         "2\n"},
        {"g.inject([(T.id): 1], [(T.id): 90], [(T.id): '90'], [(T.id): 2]).mergeV().id()",
         "1\n90\n90\n2\n"},
        {"g.inject([(T.label): 'person', 'name': 'marko'], [(T.label): 'dog', 'name': 'marko'])"
         ".mergeV().label()",
         "person\ndog\n"},
        /* Keys that differ, nothing to look for, lists: one search each, the same results. */
        {"g.inject(['name': 'x'], ['age': 29]).mergeV().values('name')", "x\nmarko\n"},
        {"g.inject([(T.label): 'a'], [(T.label): 'a']).mergeV().id().dedup().count()", "1\n"},
        {"g.inject(['k': [1, 2]], ['k': [1, 2]]).mergeV().id().dedup().count()", "1\n"},
        {"g.inject([:], [:]).mergeV().count()", "12\n"},
        /* What is looked for changes on the way. */
        {"g.inject(1, 2, 3).mergeV(['name': 'marko']).option(Merge.onMatch, ['name': 'x']).id()",
         "1\n1001\n1001\n"},
        {"g.inject(1, 2).mergeV(['name': 'marko']).option(Merge.onMatch, ['age': 1]).values('age')",
         "1\n1\n"},
        {"g.inject(1, 2).mergeV(['name': 'q']).option(Merge.onCreate, ['age': 5]).values('age')",
         "5\n5\n"},
        {"g.inject(['name': 'marko'], 7).mergeV()",
         "error: mergeV() and its options must resolve to a Map, not to a int\n"},
    };
    struct fakegraph graph;

    FAKECHECK_ALL(cases);
    fakegraph_init(&graph);
    fakegraph_modern(&graph);
    graph.fetches = 0;
    fakegraph_query(&graph,
                    "g.inject(['name': 'a'], ['name': 'b'], ['name': 'c']).mergeV().count()", true);
    ck_assert_uint_eq(graph.fetches, 1);
    fakegraph_close(&graph);
}
END_TEST

START_TEST(edges_are_merged)
{
    static const struct fakecheck cases[] = {
        {"g.mergeE([(T.label): 'knows', (OUT): 1, (IN): 2]).id()", "7\n"},
        {"g.mergeE([(T.label): 'knows', (OUT): 1, (IN): 3]).elementMap()",
         "{id=1000, label=knows, IN={id=3, label=software}, OUT={id=1, label=person}}\n"},
        {"g.mergeE([(T.label): 'knows', (OUT): 1, (IN): 2, 'weight': 0.5]).id()", "7\n"},
        {"g.mergeE([(T.label): 'knows', (OUT): 1, (IN): 2, 'weight': 7]).values('weight')", "7\n"},
        {"g.mergeE([(T.label): 'knows', (OUT): 1]).id()", "7\n8\n"},
        {"g.mergeE([(T.label): 'created', (IN): 5]).id()", "10\n"},
        {"g.mergeE([(T.label): 'knows']).id()", "7\n8\n"},
        {"g.mergeE([(T.id): 7]).id()", "7\n"},
        {"g.mergeE([(T.id): 7, (OUT): 1]).id()", "7\n"},
        {"g.mergeE([:]).count()", "6\n"},
        {"g.mergeE([(T.label): 'knows', (OUT): 1, (IN): 2]).option(Merge.onMatch, ['weight': 9])"
         ".values('weight')",
         "9\n"},
        {"g.mergeE([(T.label): 'knows', (OUT): 1, (IN): 2]).option(Merge.onMatch, ['weight': null])"
         ".values('weight')",
         ""},
        {"g.mergeE([(T.label): 'x', (OUT): 1, (IN): 2]).option(Merge.onCreate, ['a': "
         "'Y']).values('a')",
         "Y\n"},
        {"g.mergeE([(T.label): 'x', (OUT): Merge.outV, (IN): Merge.inV])"
         ".option(Merge.outV, [(T.id): 1]).option(Merge.inV, V(2))",
         "e[1000][1-x->2]\n"},
        {"g.V(1, 2).as('v').mergeE([(T.label): 'self', (OUT): Merge.outV, (IN): Merge.inV])"
         ".option(Merge.outV, select('v')).option(Merge.inV, select('v'))",
         "e[1000][1-self->1]\ne[1001][2-self->2]\n"},
        {"g.V(1, 2).mergeE([(T.label): 'knows', (OUT): 1, (IN): 2])"
         ".option(Merge.onMatch, sideEffect(property('weight', 0)).constant([:])).values('weight')",
         "0\n0\n"},
        {"g.mergeE([(T.label): 'x'])",
         "error: Out Vertex not specified - edge cannot be created\n"},
        {"g.mergeE([(T.label): 'x', (OUT): 1])",
         "error: In Vertex not specified - edge cannot be created\n"},
        {"g.mergeE([(T.label): 'x', (OUT): 100, (IN): 101])",
         "error: Vertex id could not be resolved from mergeE: 100\n"},
        {"g.mergeE([(OUT): Merge.outV, (IN): 1])",
         "error: option(outV) must be specified if it is used for OUT\n"},
        {"g.mergeE([(OUT): Merge.inV, (IN): 1])", "error: Only Merge.outV and Merge.inV may stand "
                                                  "for Direction.OUT and Direction.IN, each for "
                                                  "its own\n"},
        {"g.mergeE([(T.label): 'x', (OUT): 1, (IN): 2]).option(onCreate, constant([(OUT): 2]))",
         "error: option(onCreate) cannot override values from merge() argument: OUT\n"},
    };

    FAKECHECK_ALL(cases);
}
END_TEST

START_TEST(children_that_change_the_graph_see_what_was_made_before)
{
    static const struct fakecheck cases[] = {
        {"g.inject(1, 1, 2).coalesce(V().has('k', 'x'), addV('n').property('k', "
         "'x')).id().dedup().count()",
         "1\n"},
        {"g.V().where(addV('x')).count()", "6\n"},
        {"g.inject(1, 2).map(addV('n').V().hasLabel('n').count())", "1\n2\n"},
        {"g.inject(1, 2).union(addV('n'), V().hasLabel('n')).count()", "5\n"},
        {"g.inject(1, 2).local(addV('n').property('a', V().count())).values('a')", "6\n7\n"},
        {"g.V(1).repeat(addV('n')).times(3).V().hasLabel('n').count()", "3\n"},
    };

    FAKECHECK_ALL(cases);
}
END_TEST

RUN_SUITE("mutation", vertices_are_added, edges_are_added, properties_are_set, things_are_dropped,
          metas_are_dropped, vertices_are_merged, a_window_of_merges_is_read_ahead,
          edges_are_merged, children_that_change_the_graph_see_what_was_made_before)
