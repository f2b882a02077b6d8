/* Queries without a barrier need memory for the batches under way, whatever the number of their
 * results. */
#include "router/op/exec.h"
#include "tests/lib/fakegraph.h"
#include "tests/lib/runner.h"

#include <string.h>

enum { VERTICES = 24, LIMIT_BYTES = 8 << 20 };

static struct fakegraph graph;

/* Every vertex has an edge to every other: 24 * 23 * 23 * 23 walks of three steps. */
static void open_graph(void)
{
    fakegraph_init(&graph);
    for (int i = 0; i < VERTICES; i++) {
        (void)fakegraph_query(&graph, "g.addV('v').property('name', 'somebody')", true);
    }
    (void)fakegraph_query(&graph, "g.V().as('a').V().where(neq('a')).addE('e').from('a')", true);
    ck_assert_uint_eq(fakegraph_live_edges(&graph), VERTICES * (VERTICES - 1));
}

/* What it gives, as one number; peak: the most memory that it held between two pulls. */
static int64_t run(const char *text, size_t *peak)
{
    struct error err = {0};
    struct plan *plan = fakegraph_plan(text, &err);
    struct exec exec;
    struct batch batch = {0};
    int64_t sum = 0;
    enum pull rc;

    ck_assert_msg(plan != NULL, "%s: %s", text, err.text);
    ck_assert_int_eq(exec_open(&exec, plan, &graph.txn, NULL, &err), E_OK);
    prng_init(&exec.prng, 1);
    exec.arena.limit_bytes = LIMIT_BYTES;
    *peak = 0;
    for (uint64_t turn = 1; (rc = exec_pull(&exec, turn, &batch)) != PULL_DONE; turn++) {
        ck_assert_msg(rc != PULL_ERROR, "%s: %s", text, exec.error.text);
        for (uint32_t i = 0; i < batch.count; i++) {
            const struct value *value = &batch.items[i].value;
            sum += value->kind == VALUE_LONG ? value->integer : (int64_t)batch.items[i].bulk;
        }
        *peak = exec_memory(&exec) > *peak ? exec_memory(&exec) : *peak;
    }
    batch_close(&batch);
    exec_close(&exec);
    plan_free(&plan);
    return sum;
}

START_TEST(many_paths_in_little_memory)
{
    static const struct {
        const char *text;
        int64_t sum;
    } rows[] = {
        {"g.V().out().out().out().path().count()", 292008},
        {"g.V().out().out().out().path()", 292008},
        {"g.V().out().out().out().simplePath().count()", 255024},
        {"g.V().as('a').out().as('b').out().out().as('c').where('a', eq('c')).count()", 12144},
        {"g.V().outE().inV().outE().inV().out().path().by('name').by(label).count()", 292008},
        {"g.V().out().out().path().unfold().path().count()", 38088},
        {"g.V().V().V().path().count()", 13824},
        {"g.V().out().out().out().path().count(local).sum()", 1168032},
        {"g.V().out().out().as('a').out().select('a').values('name').as('b').count()", 292008},
        {"g.V().out().out().out().path().as('p').map(select('p').count(local)).sum()", 1168032},
        {"g.V().out().out().out().filter(path().count(local).is(4)).path().count()", 292008},
    };

    open_graph();
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        for (graph.waits = 0; graph.waits < 2; graph.waits++) {
            size_t peak;
            int64_t sum = run(rows[i].text, &peak);
            ck_assert_msg(sum == rows[i].sum, "%s gave %lld", rows[i].text, (long long)sum);
            ck_assert_msg(peak < LIMIT_BYTES, "%s held %zu bytes", rows[i].text, peak);
        }
    }
    fakegraph_close(&graph);
}
END_TEST

/* What outlives its batch is not in memory that was given back. */
START_TEST(what_is_kept_stays)
{
    size_t peak;

    open_graph();
    const char *lines = fakegraph_query(
        &graph, "g.V().limit(3).out().out().as('a').out().values('name').max()", true);
    ck_assert_str_eq(lines, "somebody\n");
    ck_assert_int_eq(run("g.V().limit(5).out().out().path().fold().unfold().count()", &peak), 2645);
    ck_assert_int_eq(run("g.V().limit(5).out().out().path().dedup().count()", &peak), 2645);
    ck_assert_int_eq(
        run("g.V().limit(9).out().out().path().aggregate('x').count(local).sum()", &peak), 14283);
    ck_assert_int_eq(
        run("g.V().limit(9).out().as('a').out().path().groupCount().unfold().count()", &peak),
        4761);
    fakegraph_close(&graph);
}
END_TEST

RUN_SUITE("stream", many_paths_in_little_memory, what_is_kept_stays)
