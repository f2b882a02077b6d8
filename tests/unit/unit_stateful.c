/* Operators that keep state, over the modern graph, with and without waiting for shards. */
#include "tests/lib/fakecheck.h"
#include "tests/lib/runner.h"

START_TEST(orders_and_groups)
{
    static const struct fakecheck cases[] = {
        {"g.V().order().by('name').values('name')", "josh\nlop\nmarko\npeter\nripple\nvadas\n"},
        {"g.V().order().by('age', desc).by('name').values('name')", "peter\njosh\nmarko\nvadas\n"},
        {"g.V().order().by(out().count(), desc).by('name').values('name')",
         "marko\njosh\npeter\nlop\nripple\nvadas\n"},
        {"g.V().order().by('name').limit(2).values('name')", "josh\nlop\n"},
        {"g.V().hasLabel('person').order().by(outE('created').values('weight').sum()).values('name'"
         ")",
         "peter\nmarko\njosh\n"},
        {"g.V().group().by(label).by('name')",
         "{person=[marko, vadas, josh, peter], software=[lop, ripple]}\n"},
        {"g.V().group().by(label).by(count())", "{person=4, software=2}\n"},
        {"g.V().group().by(label).by(out().count())", "{person=6, software=0}\n"},
        {"g.V().group().by(label).by(outE().values('weight').sum())", "{person=3.5}\n"},
        {"g.V().group().by('name').by(out().values('name').order().fold())",
         "{marko=[josh, lop, vadas], vadas=[], lop=[], josh=[lop, ripple], ripple=[], "
         "peter=[lop]}\n"},
        {"g.V().group().by(out().count()).by('name')",
         "{3=[marko], 0=[vadas, lop, ripple], 2=[josh], 1=[peter]}\n"},
        {"g.V().groupCount().by(bothE().count())", "{3=3, 1=3}\n"},
        {"g.V().group('m').by(label).by(out().count()).cap('m')", "{person=6, software=0}\n"},
        {"g.V().out().groupCount('m').by('name').out().cap('m')",
         "{lop=3, vadas=1, josh=1, ripple=1}\n"},
    };

    FAKECHECK_ALL(cases);
}
END_TEST

START_TEST(labels_paths_and_maps)
{
    static const struct fakecheck cases[] = {
        {"g.V().as('a').out('created').as('b').select('a', 'b').by('name')",
         "{a=marko, b=lop}\n{a=josh, b=ripple}\n{a=josh, b=lop}\n{a=peter, b=lop}\n"},
        {"g.V().as('a').out('created').as('b').select('a', "
         "'b').by('name').by(in('created').count())",
         "{a=marko, b=3}\n{a=josh, b=1}\n{a=josh, b=3}\n{a=peter, b=3}\n"},
        {"g.V().as('a').out().as('b').where('a', P.lt('b')).by('age').select('a', 'b').by('name')",
         "{a=marko, b=josh}\n"},
        {"g.V().as('a').out('created').in('created').where(neq('a')).dedup().values('name')",
         "josh\npeter\nmarko\n"},
        {"g.V().project('n', 'o').by('name').by(out().values('name').fold())",
         "{n=marko, o=[lop, vadas, josh]}\n{n=vadas, o=[]}\n{n=lop, o=[]}\n{n=josh, o=[ripple, "
         "lop]}\n{n=ripple, o=[]}\n{n=peter, o=[lop]}\n"},
        {"g.V().project('n', 'a').by('name').by('age')",
         "{n=marko, a=29}\n{n=vadas, a=27}\n{n=lop}\n{n=josh, a=32}\n{n=ripple}\n{n=peter, "
         "a=35}\n"},
        {"g.V(1).out().out().path().by('name')",
         "path[marko, josh, ripple]\npath[marko, josh, lop]\n"},
        {"g.V(1).outE().inV().path().by('name').by(label)",
         "path[marko, created, lop]\npath[marko, knows, vadas]\npath[marko, knows, josh]\n"},
        {"g.V().both().dedup().by(label).values('name')", "lop\nvadas\n"},
        {"g.V().both().dedup().count()", "6\n"},
        {"g.V().as('a').both().as('b').dedup('a', 'b').by(label).count()", "3\n"},
        {"g.V().values('age').fold().order(local).by(desc)", "[35, 32, 29, 27]\n"},
        {"g.V().fold().order(local).by('name').unfold().limit(2)", "v[4]\nv[3]\n"},
    };

    FAKECHECK_ALL(cases);
}
END_TEST

START_TEST(side_effects_sacks_and_loops)
{
    static const struct fakecheck cases[] = {
        {"g.V().aggregate('x').by(out().count()).cap('x')", "{3=1, 0=3, 2=1, 1=1}\n"},
        {"g.V().out().aggregate('x').out().where(P.within('x')).values('name')", "ripple\nlop\n"},
        {"g.V(1).repeat(both().where(P.without('x')).aggregate('x')).times(3).cap('x').unfold()."
         "values('name').order()",
         "josh\nlop\n3 x marko\npeter\nripple\nvadas\n"},
        {"g.withSack(0.0).V(1).repeat(outE().sack(sum).by('weight').inV()).times(2).sack()",
         "2.0\n1.4\n"},
        {"g.V(1).repeat(out().simplePath()).emit().path().by('name')",
         "path[marko, lop]\npath[marko, vadas]\npath[marko, josh]\npath[marko, josh, "
         "ripple]\npath[marko, josh, lop]\n"},
        {"g.V(1).both().both().cyclicPath().path().by('name')",
         "path[marko, lop, marko]\npath[marko, vadas, marko]\npath[marko, josh, marko]\n"},
    };

    FAKECHECK_ALL(cases);
}
END_TEST

START_TEST(the_rest_and_what_rules_push)
{
    static const struct fakecheck cases[] = {
        {"g.V().out().tail(2).values('name')", "josh\nripple\n"},
        {"g.V().values('age').mean()", "30.75\n"},
        {"g.V().outE().values('weight').max()", "1.0\n"},
        {"g.V().valueMap('name').select('name').unfold().order()",
         "josh\nlop\nmarko\npeter\nripple\nvadas\n"},
        {"g.V().select(first, 'a')", ""},
        {"g.V().as('a').out().select('a').by(out().count())", "3\n3\n3\n2\n2\n1\n"},
        {"g.V().hasId(1, 2).out().count()", "3\n"},
        {"g.V().where(out().has('lang', 'java')).values('name')", "marko\njosh\npeter\n"},
        {"g.V().outE().has('weight', P.gt(0.5)).inV().values('name')", "josh\nripple\n"},
        {"g.V().out().hasLabel('software').has('name', 'lop').in().values('name')",
         "3 x marko\n3 x josh\n3 x peter\n"},
        {"g.V().local(out().order().by('name').limit(1)).values('name')", "josh\nlop\nlop\n"},
        {"g.V().barrier().out().barrier().in().count()", "12\n"},
        {"g.V().out().count()", "6\n"},
        {"g.V().in('created').count()", "4\n"},
        {"g.V().both().count()", "12\n"},
        {"g.V().outE('knows').has('weight', P.gt(0.5)).count()", "1\n"},
        {"g.V().outE('knows').values('weight').order()", "0.5\n1.0\n"},
        {"g.V().out().hasLabel('software').count()", "4\n"},
        {"g.withStrategies(new SubgraphStrategy(vertices: hasLabel('person'), edges: has('weight', "
         "P.gt(0.6)))).V().out().values('name')",
         "josh\n"},
        {"g.withStrategies(ProductiveByStrategy).V().order().by('age').values('name')",
         "lop\nripple\nvadas\nmarko\njosh\npeter\n"},
    };

    FAKECHECK_ALL(cases);
}
END_TEST

RUN_SUITE("stateful", orders_and_groups, labels_paths_and_maps, side_effects_sacks_and_loops,
          the_rest_and_what_rules_push)
