/* match(): joins of patterns over the modern graph. */
#include "tests/lib/fakecheck.h"
#include "tests/lib/runner.h"

START_TEST(patterns_lead_from_place_to_place)
{
    static const struct fakecheck cases[] = {
        {"g.V().match(__.as('a').out('knows').as('b'))", "{a=v[1], b=v[2]}\n{a=v[1], b=v[4]}\n"},
        {"g.V().match(__.as('b').out('created').as('c'), __.as('a').out('knows').as('b'))",
         "{b=v[4], c=v[5], a=v[1]}\n{b=v[4], c=v[3], a=v[1]}\n"},
        {"g.V().match(__.as('a').out('knows').count().as('b')).select('b')", "2\n0\n0\n0\n0\n0\n"},
        {"g.V(1).match(__.as('a').outE().order().by('weight').limit(1).inV().as('b'))",
         "{a=v[1], b=v[3]}\n"},
        {"g.V(1).match(__.as('a').out().values('name').as('n'), __.as('a').has('age', 29))"
         ".select('n').order()",
         "josh\nlop\nvadas\n"},
        {"g.V().match(__.as('a').has('name', 'lop')).select('a').values('lang')", "java\n"},
    };

    FAKECHECK_ALL(cases);
}
END_TEST

START_TEST(cycles_keep_what_is_equal)
{
    static const struct fakecheck cases[] = {
        {"g.V().match(__.as('a').out('knows').as('b'), __.as('b').out('created').as('c'), "
         "__.as('a').out('created').as('c'))",
         "{a=v[1], b=v[4], c=v[3]}\n"},
        {"g.V().match(__.as('a').out().as('b'), __.as('b').in().as('a')).count()", "6\n"},
        {"g.V().as('a').out().as('b').match(__.as('a').out().count().as('c'), "
         "__.as('b').in().count().as('c'))",
         "{a=v[1], c=3, b=v[3]}\n"},
    };

    FAKECHECK_ALL(cases);
}
END_TEST

START_TEST(tests_and_connectives_stand_among_patterns)
{
    static const struct fakecheck cases[] = {
        {"g.V().match(__.as('a').out().as('b'), __.not(__.as('a').out('created').as('b')))",
         "{a=v[1], b=v[2]}\n{a=v[1], b=v[4]}\n"},
        {"g.V().match(__.where('a', P.neq('c')), __.as('a').out('created').as('b'), "
         "__.as('b').in('created').as('c')).select('a', 'c').count()",
         "6\n"},
        {"g.V().match(__.and(__.as('a').out('knows').as('b'), __.as('b').out('created').as('c')))"
         ".select('c')",
         "v[5]\nv[3]\n"},
        {"g.V(1, 4).match(__.or(__.as('a').out('knows').as('b'), "
         "__.as('a').in('knows').as('b'))).select('b')",
         "v[2]\nv[4]\nv[1]\n"},
        {"g.V().match(__.as('a').out('knows').as('b'), __.as('b').match("
         "__.as('b').out('created').as('d'), __.as('d').in('created').as('c'))"
         ".select('c').as('c')).select('a', 'b', 'c').count()",
         "4\n"},
        {"g.V().not(match(__.as('a').out().as('b')).select('b')).values('name')",
         "vadas\nlop\nripple\n"},
        {"g.V().where(match(__.as('x').out('knows').as('y'))).values('name')", "marko\n"},
    };

    FAKECHECK_ALL(cases);
}
END_TEST

/* A place that has a name already is gone on from, also inside loops and branches. */
START_TEST(places_that_are_named_stay)
{
    static const struct fakecheck cases[] = {
        {"g.V(1).as('a').out('created').match(__.as('a').out('knows').as('b')).select('b')",
         "v[2]\nv[4]\n"},
        {"g.V(1).match(__.as('a').out('knows').as('b')).select('b')"
         ".match(__.as('b').out('created').as('c')).select('b', 'c')",
         "{b=v[4], c=v[5]}\n{b=v[4], c=v[3]}\n"},
    };

    FAKECHECK_ALL(cases);
}
END_TEST

RUN_SUITE("match", patterns_lead_from_place_to_place, cycles_keep_what_is_equal,
          tests_and_connectives_stand_among_patterns, places_that_are_named_stay)
