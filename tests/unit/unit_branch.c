/* Operators with children: map and the like, branches, loops. */
#include "router/op/attempt.h"
#include "router/op/branches.h"
#include "tests/lib/fakecheck.h"
#include "tests/lib/runner.h"

START_TEST(maps)
{
    static const struct fakecheck cases[] = {
        {"g.V(1, 4).map(out().values('name'))", "lop\nripple\n"},
        {"g.V(1, 2).map(out())", "v[3]\n"},
        {"g.V(1, 4).flatMap(out('created'))", "v[3]\nv[5]\nv[3]\n"},
        {"g.V(1, 4).local(out().limit(1))", "v[3]\nv[5]\n"},
        {"g.V().local(out('created').count())", "1\n0\n0\n2\n0\n1\n"},
        {"g.V(1, 4).local(out().order().by('name').values('name').fold())",
         "[josh, lop, vadas]\n[lop, ripple]\n"},
        {"g.inject(1, 2).map(constant(7).fold().count(local))", "1\n1\n"},
        {"g.V().out().barrier().map(values('name'))", "3 x lop\nvadas\njosh\nripple\n"},
        {"g.V().out().barrier().local(aggregate('x')).cap('x')",
         "{v[3]=3, v[2]=1, v[4]=1, v[5]=1}\n"},
        {"g.V().local(group('a').by('name').by().select('a').count(local))", "1\n2\n3\n4\n5\n6\n"},
        {"g.V(1).sideEffect(out().aggregate('x')).cap('x')", "{v[3]=1, v[2]=1, v[4]=1}\n"},
        {"g.V(1).sideEffect(out().fold())", "v[1]\n"},
    };

    FAKECHECK_ALL(cases);
}
END_TEST

START_TEST(attempts_keep_the_order_of_traversers)
{
    static const struct fakecheck cases[] = {
        {"g.V().coalesce(out('knows').values('name'), values('lang'), constant('x'))",
         "vadas\njosh\nx\njava\nx\njava\nx\n"},
        {"g.V(1).coalesce(out('nothing'), in('nothing'))", ""},
        {"g.V(1).coalesce(out('knows'), out('created')).path()",
         "path[v[1], v[2]]\npath[v[1], v[4]]\n"},
        {"g.V(1, 2).optional(out('knows'))", "v[2]\nv[4]\nv[2]\n"},
        {"g.V(1, 2).optional(out('knows')).path()",
         "path[v[1], v[2]]\npath[v[1], v[4]]\npath[v[2]]\n"},
        {"g.V(1, 2).optional(out('knows').optional(out('created'))).path()",
         "path[v[1], v[2]]\npath[v[1], v[4], v[5]]\npath[v[1], v[4], v[3]]\npath[v[2]]\n"},
    };

    FAKECHECK_ALL(cases);
}
END_TEST

/* All of one branch came before all of the next: an order() in front was lost. */
START_TEST(branches_keep_the_order_of_their_input)
{
    static const struct fakecheck cases[] = {
        {"g.V().order().by('name').union(out('created').values('name'), values('age'), label())",
         "ripple\nlop\n32\nperson\nsoftware\nlop\n29\nperson\nlop\n35\nperson\nsoftware\n27\n"
         "person\n"},
        {"g.inject(1, 2).union(constant('a'), identity(), union(constant('b'), constant('c')))",
         "a\n1\nb\nc\na\n2\nb\nc\n"},
        {"g.V(1, 2).map(union(constant('a'), identity()).fold())", "[a, v[1]]\n[a, v[2]]\n"},
        {"g.inject(2, 1).repeat(union(identity(), constant(0))).times(2)",
         "2\n0\n0\n0\n1\n0\n0\n0\n"},
    };

    FAKECHECK_ALL(cases);
}
END_TEST

START_TEST(branches_are_global)
{
    static const struct fakecheck cases[] = {
        {"g.V(1, 2).union(outE().count(), inE().count(), outE().values('weight').sum())",
         "3\n1\n1.9\n"},
        {"g.V(1, 2).local(union(outE().count(), inE().count()))", "3\n0\n0\n1\n"},
        {"g.V(99).union(count(), constant(1))", ""},
        {"g.union(V(1), V(2))", "v[1]\nv[2]\n"},
        {"g.union(V().count(), E().count())", "6\n6\n"},
        {"g.union(V(1), V(2)).path()", "path[v[1]]\npath[v[2]]\n"},
        {"g.V(1).union(identity(), out('knows'))", "v[1]\nv[2]\nv[4]\n"},
        {"g.V().union(limit(2), limit(1))", "v[1]\nv[2]\nv[1]\n"},
        {"g.V(1).union()", ""},
    };

    FAKECHECK_ALL(cases);
}
END_TEST

START_TEST(choices)
{
    static const struct fakecheck cases[] = {
        {"g.V().choose(hasLabel('person'), values('age'), values('lang'))",
         "29\n27\njava\n32\njava\n35\n"},
        {"g.V(1, 3).choose(hasLabel('person'), values('age'))", "29\nv[3]\n"},
        {"g.V().choose(label()).option('person', count()).option('software', count())", "4\n2\n"},
        {"g.V(1, 2, 3).choose(values('age')).option(29, constant('a')).option(lt(28), "
         "constant('b'))"
         ".option(Pick.none, constant('c')).option(Pick.unproductive, constant('d'))",
         "a\nb\nd\n"},
        {"g.V(1, 2, 3).choose(values('age')).option(29, constant('a'))", "a\nv[2]\nv[3]\n"},
        {"g.V(1, 3).choose(T.label).option('person', values('name'))", "marko\nv[3]\n"},
        {"g.V().order().by('name', desc).choose(hasLabel('person'), values('name'), constant('-'))",
         "vadas\n-\npeter\nmarko\n-\njosh\n"},
        {"g.inject(1, 2).choose(is(1), constant(10).fold(), fold())", "[10]\n[2]\n"},
        {"g.inject(1).choose(is(1), constant(10).fold(), fold())", "[10]\n"},
        {"g.V(1).choose(values('age')).option(29, constant('first')).option(29, "
         "constant('second'))",
         "first\n"},
    };

    FAKECHECK_ALL(cases);
}
END_TEST

START_TEST(loops)
{
    static const struct fakecheck cases[] = {
        {"g.V().repeat(out()).times(2)", "v[5]\nv[3]\n"},
        {"g.V(1).times(2).repeat(out()).values('name')", "ripple\nlop\n"},
        {"g.V(1).repeat(out()).times(0)", "v[3]\nv[2]\nv[4]\n"},
        {"g.V(1).times(0).repeat(out())", "v[1]\n"},
        {"g.V(1).emit().repeat(out()).times(2)", "v[1]\nv[3]\nv[2]\nv[4]\nv[5]\nv[3]\n"},
        {"g.V(1).repeat(out()).emit().times(2)", "v[3]\nv[2]\nv[4]\nv[5]\nv[3]\n"},
        {"g.V(1).repeat(out()).emit()", "v[3]\nv[2]\nv[4]\nv[5]\nv[3]\n"},
        {"g.V(1).repeat(out()).until(outE().count().is(0)).values('name')",
         "lop\nvadas\nripple\nlop\n"},
        {"g.V(1).until(hasLabel('software')).repeat(out())", "v[3]\nv[5]\nv[3]\n"},
        {"g.V(1).emit(hasLabel('person')).repeat(out()).values('name')", "marko\nvadas\njosh\n"},
        {"g.V(1).repeat(out()).until(loops().is(2))", "v[5]\nv[3]\n"},
        {"g.V(1).repeat(groupCount('m').by(loops()).out()).times(3).cap('m')", "{0=1, 1=3, 2=2}\n"},
        {"g.V(1).repeat('a', out('knows').repeat('b', "
         "out('created').filter(loops('a').is(0))).emit())"
         ".emit().values('lang')",
         "java\njava\n"},
        {"g.V(1).repeat(out()).times(2).path()",
         "path[v[1], v[4], v[5]]\npath[v[1], v[4], v[3]]\n"},
        {"g.V(99).repeat(out()).emit()", ""},
        {"g.V().repeat(both()).times(10).count()", "34446\n"},
    };

    FAKECHECK_ALL(cases);
}
END_TEST

START_TEST(state_over_the_rounds_of_a_loop)
{
    static const struct fakecheck cases[] = {
        /* dedup() keeps what it has seen; limit() and count() begin again. */
        {"g.V().repeat(dedup().both()).times(2)", ""},
        {"g.V().emit().repeat(dedup()).times(2).count()", "12\n"},
        {"g.V().repeat(both().limit(1)).times(2).count()", "1\n"},
        {"g.V(5).repeat(limit(1).in()).times(2).values('name')", "marko\n"},
        {"g.V().repeat(count()).times(2)", "1\n"},
        {"g.V().repeat(union(out(), in()).dedup()).times(1).count()", "6\n"},
        {"g.V(1, 2).local(repeat(both().limit(1)).times(2)).count()", "2\n"},
        {"g.V(1, 2).repeat(local(both().limit(1))).times(2)", "v[1]\nv[3]\n"},
    };

    FAKECHECK_ALL(cases);
}
END_TEST

START_TEST(a_limit_behind_ends_a_loop_without_end)
{
    static const struct fakecheck cases[] = {
        {"g.V(1).repeat(both()).emit().limit(5).count()", "5\n"},
        {"g.V().repeat(identity()).emit().limit(3).count()", "3\n"},
    };

    FAKECHECK_ALL(cases);
}
END_TEST

START_TEST(a_round_is_one_fetch)
{
    struct fakegraph graph;

    fakegraph_init(&graph);
    fakegraph_modern(&graph);
    ck_assert_str_eq(fakegraph_query(&graph, "g.V().repeat(both()).times(20).count()", true),
                     "231683790\n");
    ck_assert_uint_le(graph.fetches, 21);
    fakegraph_close(&graph);
}
END_TEST

RUN_SUITE("branch", maps, attempts_keep_the_order_of_traversers,
          branches_keep_the_order_of_their_input, branches_are_global, choices, loops,
          state_over_the_rounds_of_a_loop, a_limit_behind_ends_a_loop_without_end,
          a_round_is_one_fetch)
