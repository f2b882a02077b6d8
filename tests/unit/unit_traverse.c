/* The operators that read: elements, hops, properties, filters, over a graph without shards. */
#include "router/op/elements.h"
#include "tests/lib/fakecheck.h"
#include "tests/lib/runner.h"

START_TEST(elements_by_id_keep_the_order_of_ids)
{
    static const struct fakecheck cases[] = {
        {"g.V(4, 1)", "v[4]\nv[1]\n"},
        {"g.V('4', 1.0)", "v[4]\nv[1]\n"},
        {"g.V(1, 1)", "v[1]\nv[1]\n"},
        {"g.V(99)", ""},
        {"g.V('nobody', 2)", "v[2]\n"},
        {"g.V(null)", ""},
        {"g.V(null, 1)", "v[1]\n"},
        {"g.E(7)", "e[7][1-knows->2]\n"},
        {"g.E(12, 7)", "e[12][6-created->3]\ne[7][1-knows->2]\n"},
        {"g.E(99)", ""},
        {"g.V()", "v[1]\nv[2]\nv[3]\nv[4]\nv[5]\nv[6]\n"},
        {"g.V().limit(2)", "v[1]\nv[2]\n"},
        {"g.V().hasLabel('software')", "v[3]\nv[5]\n"},
        {"g.V().has('person', 'age', gt(30)).values('name')", "josh\npeter\n"},
    };

    FAKECHECK_ALL(cases);
}
END_TEST

START_TEST(in_the_middle_every_traverser_meets_the_elements)
{
    static const struct fakecheck cases[] = {
        {"g.V(1, 2).V(3, 4)", "v[3]\nv[4]\nv[3]\nv[4]\n"},
        {"g.V(1).V().count()", "6\n"},
        {"g.V().V().count()", "36\n"},
        {"g.inject(1).V().hasLabel('software')", "v[3]\nv[5]\n"},
        {"g.inject(1).E(7).values('weight')", "0.5\n"},
        {"g.V(1).as('a').V(2).select('a')", "v[1]\n"},
        {"g.V(1).V(2).path()", "path[v[1], v[2]]\n"},
        {"g.V().where(V(1))", "v[1]\nv[2]\nv[3]\nv[4]\nv[5]\nv[6]\n"},
    };

    FAKECHECK_ALL(cases);
}
END_TEST

START_TEST(counts_are_read_not_enumerated)
{
    static const struct fakecheck cases[] = {
        {"g.V().count()", "6\n"},
        {"g.E().count()", "6\n"},
        {"g.V().hasLabel('person').count()", "4\n"},
        {"g.V().hasLabel('nobody').count()", "0\n"},
        {"g.V().out().count()", "6\n"},
        {"g.V().out().out().count()", "2\n"},
        {"g.V(99).out().count()", "0\n"},
        {"g.V().both().both().count()", "30\n"},
        {"g.V().map(out().count())", "3\n0\n0\n2\n0\n1\n"},
        {"g.V().groupCount().by(label)", "{person=4, software=2}\n"},
    };

    FAKECHECK_ALL(cases);
}
END_TEST

START_TEST(hops_keep_the_order_of_their_frontier)
{
    static const struct fakecheck cases[] = {
        {"g.V(1).out()", "v[3]\nv[2]\nv[4]\n"},
        {"g.V(1).out('knows')", "v[2]\nv[4]\n"},
        {"g.V(1).out('knows', 'created').count()", "3\n"},
        {"g.V(3).in()", "v[1]\nv[4]\nv[6]\n"},
        {"g.V(4).both()", "v[5]\nv[3]\nv[1]\n"},
        {"g.V(4, 1).out().path()", "path[v[4], v[5]]\npath[v[4], v[3]]\npath[v[1], v[3]]\n"
                                   "path[v[1], v[2]]\npath[v[1], v[4]]\n"},
        {"g.V(1).outE().inV()", "v[3]\nv[2]\nv[4]\n"},
        {"g.V(1).outE('knows')", "e[7][1-knows->2]\ne[8][1-knows->4]\n"},
        {"g.V(3).inE().outV()", "v[1]\nv[4]\nv[6]\n"},
        {"g.V(1).outE('knows').bothV()", "v[1]\nv[2]\nv[1]\nv[4]\n"},
        {"g.V(4).bothE().otherV()", "v[5]\nv[3]\nv[1]\n"},
        {"g.V(4).bothE().has('weight', lt(1.0)).otherV()", "v[3]\n"},
        {"g.V(1).outE().has('weight', 1.0).inV().values('name')", "josh\n"},
        {"g.V().out('knows').has('age', gt(30))", "v[4]\n"},
        {"g.V(1).values('name').out()", "error: hop() takes a vertex, not a string\n"},
    };

    FAKECHECK_ALL(cases);
}
END_TEST

START_TEST(equal_traversers_travel_as_one)
{
    static const struct fakecheck cases[] = {
        {"g.V().out().barrier()", "3 x v[3]\nv[2]\nv[4]\nv[5]\n"},
        {"g.V(1, 4, 6).out('created').out().count()", "0\n"},
        {"g.V(1, 4, 6).out('created').in().count()", "10\n"},
        {"g.V().out().barrier().coin(1)", "3 x v[3]\nv[2]\nv[4]\nv[5]\n"},
        {"g.V().out().barrier().coin(0)", ""},
        {"g.withStrategies(new SeedStrategy(seed: 999999)).V().order().by('name').coin(0.5).id()",
         "4\n"},
        {"g.withStrategies(new SeedStrategy(seed: 999999)).inject('a', 'a', 'a', 'a').barrier()"
         ".coin(0.7)",
         "2 x a\n"},
    };

    FAKECHECK_ALL(cases);
}
END_TEST

START_TEST(a_hop_of_a_frontier_is_one_fetch)
{
    struct fakegraph graph;

    fakegraph_init(&graph);
    fakegraph_modern(&graph);
    fakegraph_query(&graph, "g.V().out().out().out().count()", true);
    ck_assert_uint_le(graph.fetches, 4);
    graph.fetches = 0;
    fakegraph_query(&graph, "g.V().where(out('created').count().is(gt(0))).where(in()).count()",
                    true);
    ck_assert_uint_le(graph.fetches, 3);
    graph.fetches = 0;
    fakegraph_query(&graph, "g.V().repeat(both()).times(4).count()", true);
    ck_assert_uint_le(graph.fetches, 5);
    fakegraph_close(&graph);
}
END_TEST

START_TEST(a_long_input_takes_few_fetches)
{
    static const struct {
        const char *query;
        uint32_t fetches;
    } cases[] = {
        {"g.V().where(out()).count()", 4},          {"g.V().out().has('x').count()", 2},
        {"g.V().map(out().count()).sum()", 4},      {"g.V().union(out(), in()).count()", 7},
        {"g.V().coalesce(out(), in()).count()", 7}, {"g.V().where(out()).limit(1)", 4},
    };
    struct fakegraph graph;

    fakegraph_init(&graph);
    for (int64_t i = 0; i < 4000; i++) {
        struct change change = {
            .kind = CHANGE_VERTEX_ADD, .vertex = vid_num(i), .label = SLICE("x")};
        ck_assert_int_eq(transaction_change(&graph.txn, NULL, &change, NULL), E_OK);
    }
    graph.txn.change_count = 0;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        graph.fetches = 0;
        fakegraph_query(&graph, cases[i].query, true);
        ck_assert_msg(graph.fetches <= cases[i].fetches, "%s: %u fetches", cases[i].query,
                      graph.fetches);
    }
    fakegraph_close(&graph);
}
END_TEST

START_TEST(equal_vertices_of_a_frontier_are_asked_for_once)
{
    struct fakegraph graph;

    fakegraph_init(&graph);
    fakegraph_modern(&graph);
    fakegraph_query(&graph, "g.V().both().both().both().path()", true);
    /* Never more than the six vertices there are, though paths keep the traversers apart; and one
     * read of all of them for the client. */
    ck_assert_uint_le(graph.inputs, 4 * 6);
    fakegraph_close(&graph);
}
END_TEST

START_TEST(properties_and_their_maps)
{
    static const struct fakecheck cases[] = {
        {"g.V(1).values()", "marko\n29\n"},
        {"g.V(1).values('age', 'name')", "marko\n29\n"},
        {"g.V().values('lang')", "java\njava\n"},
        {"g.V(1).properties('name')", "vp[name->marko]\n"},
        {"g.V(1).properties().key()", "name\nage\n"},
        {"g.V(1).properties().value()", "marko\n29\n"},
        {"g.E(7).properties()", "p[weight->0.5]\n"},
        {"g.V(1).valueMap()", "{name=[marko], age=[29]}\n"},
        {"g.V(1).valueMap('age')", "{age=[29]}\n"},
        {"g.V(1).valueMap('age').by(unfold())", "{age=29}\n"},
        {"g.V(1).valueMap('age').by(is('x'))", "{}\n"},
        {"g.V(1).valueMap().with(WithOptions.tokens)",
         "{id=1, label=person, name=[marko], age=[29]}\n"},
        {"g.V(1).valueMap().with(WithOptions.tokens, WithOptions.labels)",
         "{label=person, name=[marko], age=[29]}\n"},
        {"g.V(1).elementMap('name')", "{id=1, label=person, name=marko}\n"},
        {"g.E(7).elementMap()",
         "{id=7, label=knows, IN={id=2, label=person}, OUT={id=1, label=person}, weight=0.5}\n"},
        {"g.V(1).properties('age').elementMap()", "{id=1, key=age, value=29}\n"},
        {"g.V(1).propertyMap('name')", "{name=[vp[name->marko]]}\n"},
        {"g.E(7).propertyMap()", "{weight=p[weight->0.5]}\n"},
        {"g.V(1).outE('knows').valueMap()", "{weight=0.5}\n{weight=1.0}\n"},
        {"g.V(1).values('name').values('x')",
         "error: only elements have properties, not a string\n"},
    };

    FAKECHECK_ALL(cases);
}
END_TEST

START_TEST(tokens)
{
    static const struct fakecheck cases[] = {
        {"g.V(1, 3).id()", "1\n3\n"},
        {"g.V(1).out().label()", "software\nperson\nperson\n"},
        {"g.E(7).id()", "7\n"},
        {"g.E(7).inV().label()", "person\n"},
        {"g.V(1).properties('age').id()", "1\n"},
        {"g.V(1).properties('age').label()", "age\n"},
        {"g.inject(1).id()", "error: id() takes an element or a property, not a int\n"},
        {"g.E(7).properties().id()",
         "error: id() takes an element or a property, not a property\n"},
    };

    FAKECHECK_ALL(cases);
}
END_TEST

START_TEST(filters)
{
    static const struct fakecheck cases[] = {
        {"g.V().has('age')", "v[1]\nv[2]\nv[4]\nv[6]\n"},
        {"g.V().hasNot('age')", "v[3]\nv[5]\n"},
        {"g.V().out().has('name', within('lop', 'vadas')).values('name')", "3 x lop\nvadas\n"},
        {"g.V().hasId('1')", "v[1]\n"},
        {"g.V(1).out().hasId('2', '3')", "v[3]\nv[2]\n"},
        {"g.V().hasId(within([]))", ""},
        {"g.V(1).properties().hasKey('age').value()", "29\n"},
        {"g.V().properties().hasValue('josh', 27).key()", "age\nname\n"},
        {"g.E().has('weight', gte(1.0)).id()", "8\n10\n"},
        {"g.V().where(out('created').count().is(gt(1))).values('name')", "josh\n"},
        {"g.V().not(out())", "v[2]\nv[3]\nv[5]\n"},
        {"g.V().and(out('knows'), has('age', 29))", "v[1]\n"},
        {"g.V().or(out('knows'), has('lang')).values('name')", "marko\nlop\nripple\n"},
        {"g.V().filter(values('age').is(gt(30)))", "v[4]\nv[6]\n"},
        {"g.V().where(__.not(out('created')))", "v[2]\nv[3]\nv[5]\n"},
        {"g.inject(1).has('x')", "error: has() takes elements, not a int\n"},
        {"g.V().hasKey('x')", "error: hasKey() and hasValue() takes properties, not a vertex\n"},
    };

    FAKECHECK_ALL(cases);
}
END_TEST

START_TEST(labels_and_paths)
{
    static const struct fakecheck cases[] = {
        {"g.V(1).as('a').out('knows').as('b').select('a', 'b').by('name')",
         "{a=marko, b=vadas}\n{a=marko, b=josh}\n"},
        {"g.V(1).as('a', 'b').select('b')", "v[1]\n"},
        {"g.V(1).as('a').has('age').as('b').select('b')", "v[1]\n"},
        {"g.V(1).as('a').out('knows').as('a').select(all, 'a')", "[v[1], v[2]]\n[v[1], v[4]]\n"},
        {"g.V(1).as('a').identity().as('a').select(all, 'a')", "[v[1]]\n"},
        {"g.V(1).out('knows').path().by('name')", "path[marko, vadas]\npath[marko, josh]\n"},
        {"g.V(1).map(out('knows').out()).path()", "path[v[1], v[5]]\n"},
        {"g.V(1).local(out('knows').out()).path()",
         "path[v[1], v[4], v[5]]\npath[v[1], v[4], v[3]]\n"},
        {"g.V().count().path()", "path[6]\n"},
        {"g.V(1).outE('knows').otherV().path()",
         "path[v[1], e[7][1-knows->2], v[2]]\npath[v[1], e[8][1-knows->4], v[4]]\n"},
    };

    FAKECHECK_ALL(cases);
}
END_TEST

RUN_SUITE("traverse", elements_by_id_keep_the_order_of_ids,
          in_the_middle_every_traverser_meets_the_elements, counts_are_read_not_enumerated,
          hops_keep_the_order_of_their_frontier, equal_traversers_travel_as_one,
          a_hop_of_a_frontier_is_one_fetch, a_long_input_takes_few_fetches,
          equal_vertices_of_a_frontier_are_asked_for_once, properties_and_their_maps, tokens,
          filters, labels_and_paths)
