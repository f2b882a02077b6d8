/* What gathers or chooses: sample(), tree(), subgraph(), branch(), timeLimit(). */
#include "router/op/chance.h"
#include "router/op/growth.h"
#include "tests/lib/fakecheck.h"
#include "tests/lib/runner.h"

START_TEST(samples_have_their_size)
{
    static const struct fakecheck cases[] = {
        {"g.V().sample(2).count()", "2\n"},
        {"g.V().sample(6).values('name')", "marko\nvadas\nlop\njosh\nripple\npeter\n"},
        {"g.V().sample(0)", ""},
        {"g.V().repeat(sample(2)).times(2).count()", "2\n"},
        {"g.V().local(bothE().sample(1).count())", "1\n1\n1\n1\n1\n1\n"},
        {"g.V().out().barrier().sample(5).count()", "5\n"},
        {"g.V().sample(9).by('age').values('name').order()", "josh\nmarko\npeter\nvadas\n"},
        {"g.V().sample(1).by(constant(0)).count()", "1\n"},
        {"g.inject([1, 2, 3]).sample(Scope.local, 2).count(Scope.local)", "2\n"},
        {"g.inject([1, 2, 3], 7).sample(Scope.local, 3)", "[1, 2, 3]\n7\n"},
    };

    FAKECHECK_ALL(cases);
}
END_TEST

/* The numbers of java.util.Random, as the reference draws them. */
START_TEST(seeds_give_the_sample_of_the_reference)
{
    static const struct fakecheck cases[] = {
        {"g.withStrategies(new SeedStrategy(seed: 999999)).inject(0.2d, 0.4d, 0.4d, 0.5d, 0.5d, "
         "1.0d, 1.0d, 1.0d).sample(2)",
         "0.5\n1.0\n"},
        {"g.withStrategies(new SeedStrategy(seed: 999999)).inject([0.2d, 0.4d, 0.4d, 0.5d, 0.5d, "
         "1.0d, 1.0d, 1.0d]).sample(Scope.local, 5)",
         "[0.5, 1.0, 0.4, 0.2, 1.0]\n"},
    };

    FAKECHECK_ALL(cases);
}
END_TEST

START_TEST(chance_is_that_of_java)
{
    static const uint32_t below_10[] = {0, 3, 8, 4, 0};
    struct plan plan = {.seed = value_int(42)};
    struct exec exec = {.plan = &plan};
    struct chance chance = {0};

    chance_open(&chance, &exec);
    for (size_t i = 0; i < sizeof below_10 / sizeof below_10[0]; i++) {
        ck_assert_uint_eq(chance_below(&chance, &exec, 10), below_10[i]);
    }
    chance_open(&chance, &exec);
    ck_assert_double_eq_tol(chance_real(&chance, &exec), 0.7275636800328681, 1e-16);
}
END_TEST

START_TEST(trees_grow_by_paths)
{
    static const struct fakecheck cases[] = {
        {"g.V(1).out().out().tree().by('name')", "{marko={josh={ripple={}, lop={}}}}\n"},
        {"g.V(1).outE('created').inV().tree()", "{v[1]={e[9][1-created->3]={v[3]={}}}}\n"},
        {"g.V().out('nothing').tree()", "{}\n"},
        {"g.V(1, 4).local(out('created').tree())", "{v[1]={v[3]={}}}\n{v[4]={v[5]={}, v[3]={}}}\n"},
        {"g.V().out().tree('x').limit(1).cap('x').count(Scope.local)", "3\n"},
        {"g.V(1).out().local(tree('a').select('a').unfold().count())", "1\n1\n1\n"},
        {"g.V(1).out().tree().by('age')", "{29={27={}, 32={}}}\n"},
        {"g.V(1).out('created').tree().is(P.typeOf(GType.TREE)).count()", "1\n"},
    };

    FAKECHECK_ALL(cases);
}
END_TEST

START_TEST(edges_make_a_graph)
{
    static const struct fakecheck cases[] = {
        {"g.V(1).outE('knows').subgraph('sg').cap('sg')", "tinkergraph[vertices:3 edges:2]\n"},
        {"g.V().repeat(__.bothE('created').subgraph('sg').outV()).times(5).cap('sg')",
         "tinkergraph[vertices:5 edges:4]\n"},
        {"g.V(1).outE('x').subgraph('sg').cap('sg').is(P.typeOf(GType.GRAPH))",
         "tinkergraph[vertices:0 edges:0]\n"},
    };

    FAKECHECK_ALL(cases);
}
END_TEST

START_TEST(branches_take_all_options_that_match)
{
    static const struct fakecheck cases[] = {
        {"g.V(1, 3).branch(label()).option('person', values('age')).option('person', "
         "values('name')).option(Pick.none, values('lang')).option(Pick.any, id())",
         "29\nmarko\n1\njava\n3\n"},
        {"g.V(1, 2, 3).branch(values('age')).option(P.lt(28), constant('young'))", "young\n"},
        {"g.V().timeLimit(100000).count()", "6\n"},
        {"g.V().timeLimit(0).count()", "0\n"},
    };

    FAKECHECK_ALL(cases);
}
END_TEST

START_TEST(services_run_as_traversals)
{
    static const struct fakecheck cases[] = {
        {"g.call()", "tinker.search\ntinker.degree.centrality\n"},
        {"g.call('--list', [service: 'tinker.search'])", "tinker.search\n"},
        {"g.call('--list').with('all', true).count()", "5\n"},
        {"g.call('tinker.search', [search: 'mar']).element()", "v[1]\n"},
        {"g.call('tinker.search', [search: 'mar']).with('type', 'Edge').element()", ""},
        {"g.V().call('tinker.degree.centrality').with('direction', OUT)", "3\n0\n0\n2\n0\n1\n"},
        {"g.V(3).call('tinker.degree.centrality')", "3\n"},
        {"g.call('cardea.stats').select('vertices')", "6\n"},
        {"g.call('cardea.schema').select('edges')", "{created=[weight], knows=[weight]}\n"},
        {"g.withStrategies(new ElementIdStrategy(idPropertyKey: 'name')).V('lop').id()", "lop\n"},
        {"g.withStrategies(new SubgraphStrategy(vertexProperties: hasKey('lang'))).V(1, "
         "3).values()",
         "java\n"},
    };

    FAKECHECK_ALL(cases);
}
END_TEST

/* Made from the last node to the first, so that depth costs no stack. */
START_TEST(a_tree_may_be_deep)
{
    struct arena arena = {0};
    struct growth growth = {0};
    uint32_t node = 1;
    uint32_t depth = 0;

    growth_init(&growth, NULL, 2);
    for (int32_t i = 0; i < 100000; i++) {
        struct value value = value_int(i);
        node = growth_add(&growth, node, &value);
    }
    const struct value *trees = growth_trees(&growth, &arena);
    ck_assert_uint_eq(trees[0].size, 0);
    for (struct value at = trees[1]; at.size > 0; at = at.items[1]) {
        ck_assert_int_eq(at.items[0].integer, (int64_t)depth++);
    }
    ck_assert_uint_eq(depth, 100000);
    growth_close(&growth);
    arena_close(&arena);
}
END_TEST

RUN_SUITE("gather", samples_have_their_size, seeds_give_the_sample_of_the_reference,
          chance_is_that_of_java, trees_grow_by_paths, edges_make_a_graph,
          branches_take_all_options_that_match, services_run_as_traversals, a_tree_may_be_deep)
