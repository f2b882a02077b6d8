/* The frame that operators stand in: batches, ids, rows, labels, and what ends or delays a run. */
#include "common/mem.h"
#include "router/op/child.h"
#include "router/op/elem.h"
#include "router/op/entry.h"
#include "router/op/exec.h"
#include "router/op/idset.h"
#include "router/op/op.h"
#include "router/op/rowset.h"
#include "tests/lib/fakecheck.h"
#include "tests/lib/runner.h"

#include <stdio.h>
#include <string.h>

START_TEST(batches_grow_and_copy_out_of_themselves)
{
    struct batch batch = {0};
    struct traverser first = {.value = value_long(7), .bulk = 3, .tag = 0};

    batch_push(&batch, &first);
    for (int i = 0; i < 1000; i++) {
        batch_push(&batch, &batch.items[0]);
    }
    ck_assert_uint_eq(batch.count, 1001);
    ck_assert_int_eq(batch.items[1000].value.integer, 7);
    ck_assert_uint_eq(batch.items[1000].bulk, 3);
    ck_assert_uint_eq(batch_add(&batch)->bulk, 1);
    batch_clear(&batch);
    ck_assert_uint_eq(batch.count, 0);
    batch_close(&batch);
    batch_close(&batch);
}
END_TEST

START_TEST(ids_are_numbered_as_they_come)
{
    struct idset set = {0};
    struct vid text = vid_text(SLICE("7"));

    for (int64_t i = 0; i < 1000; i++) {
        struct vid id = vid_num(i * 3);
        ck_assert_uint_eq(idset_add(&set, &id), (uint32_t)i);
        ck_assert_uint_eq(idset_add(&set, &id), (uint32_t)i);
    }
    struct vid id = vid_num(7);
    ck_assert_uint_eq(idset_find(&set, &id), MAP_NONE);
    /* The text "7" is not the number 7. */
    ck_assert_uint_eq(idset_add(&set, &text), 1000);
    ck_assert_uint_eq(idset_find(&set, &id), MAP_NONE);
    idset_clear(&set);
    ck_assert_uint_eq(idset_find(&set, &text), MAP_NONE);
    ck_assert_uint_eq(idset_add(&set, &id), 0);
    idset_close(&set);
}
END_TEST

static void add_row(struct rowset *set, uint32_t ordinal, uint64_t bulk)
{
    if (set->count == set->room) {
        set->room = set->room == 0 ? 4 : 2 * set->room;
        set->rows = mem_resize(set->rows, set->room * sizeof *set->rows);
    }
    set->rows[set->count++] = (struct read_row){.ordinal = ordinal, .bulk = bulk};
}

START_TEST(rows_are_put_in_the_order_of_inputs)
{
    static const uint32_t ordinals[] = {3, 0, 3, 1, 0, 3};
    struct rowset set = {0};

    for (uint32_t i = 0; i < 6; i++) {
        add_row(&set, ordinals[i], i + 1);
    }
    rowset_sort(&set, 5);
    static const uint64_t bulks[] = {2, 5, 4, 1, 3, 6};
    static const uint32_t starts[] = {0, 2, 3, 3, 6, 6};
    for (uint32_t i = 0; i < 6; i++) {
        ck_assert_uint_eq(set.rows[i].bulk, bulks[i]);
        ck_assert_uint_eq(set.starts[i], starts[i]);
    }
    set.count = 0;
    rowset_sort(&set, 1);
    ck_assert_uint_eq(set.starts[1], 0);
    rowset_close(&set);
}
END_TEST

/* ---- runs ---- */

struct run {
    struct fakegraph graph;
    struct plan *plan;
    struct exec exec;
    struct batch batch;
};

static void open_run(struct run *run, const char *text)
{
    struct error err = {0};

    fakegraph_init(&run->graph);
    fakegraph_modern(&run->graph);
    run->plan = fakegraph_plan(text, &err);
    ck_assert_msg(run->plan != NULL, "%s", err.text);
    ck_assert_int_eq(exec_open(&run->exec, run->plan, &run->graph.txn, NULL, &err), E_OK);
}

static void close_run(struct run *run)
{
    batch_close(&run->batch);
    exec_close(&run->exec);
    plan_free(&run->plan);
    fakegraph_close(&run->graph);
}

START_TEST(done_stays_done)
{
    static struct run run;

    open_run(&run, "g.V().count()");
    ck_assert_int_eq(exec_pull(&run.exec, 1, &run.batch), PULL_BATCH);
    ck_assert_uint_eq(run.batch.count, 1);
    for (uint64_t i = 2; i < 5; i++) {
        ck_assert_int_eq(exec_pull(&run.exec, i, &run.batch), PULL_DONE);
    }
    close_run(&run);
}
END_TEST

START_TEST(a_deadline_ends_a_run)
{
    static struct run run;

    open_run(&run, "g.V().repeat(both()).emit(has('x'))");
    run.exec.deadline_ms = 100;
    enum pull rc;
    uint64_t now = 1;
    while ((rc = exec_pull(&run.exec, now, &run.batch)) == PULL_WAIT) {
        now++;
    }
    ck_assert_int_eq(rc, PULL_ERROR);
    ck_assert_int_eq(run.exec.error.code, E_TIMEOUT);
    ck_assert_uint_eq(now, 100);
    ck_assert_int_eq(exec_pull(&run.exec, now, &run.batch), PULL_ERROR);
    close_run(&run);
}
END_TEST

static uint64_t slow_us;

static uint64_t slow_clock(void)
{
    return slow_us += 1000;
}

START_TEST(a_run_yields_when_its_time_is_up_before_its_rows_are)
{
    static struct run run;

    open_run(&run, "g.V().repeat(both()).emit(has('x'))");
    run.exec.micros = slow_clock;
    ck_assert_int_eq(exec_pull(&run.exec, 1, &run.batch), PULL_WAIT);
    ck_assert(run.exec.is_yielding);
    ck_assert(run.exec.has_moved);
    ck_assert_uint_gt(run.exec.budget, 0);
    close_run(&run);
}
END_TEST

START_TEST(a_cancel_ends_a_run)
{
    static struct run run;

    open_run(&run, "g.V().repeat(both()).emit(has('x'))");
    ck_assert_int_eq(exec_pull(&run.exec, 1, &run.batch), PULL_WAIT);
    ck_assert(run.exec.is_yielding);
    run.exec.is_cancelled = true;
    ck_assert_int_eq(exec_pull(&run.exec, 2, &run.batch), PULL_ERROR);
    ck_assert_int_eq(run.exec.error.code, E_CANCELLED);
    close_run(&run);
}
END_TEST

START_TEST(memory_ends_a_run_and_the_limit_is_told)
{
    static struct run run;
    enum pull rc;
    uint64_t now = 1;

    open_run(&run, "g.V().repeat(both()).emit(has('x')).path()");
    run.exec.arena.limit_bytes = 1 << 20;
    while ((rc = exec_pull(&run.exec, now, &run.batch)) == PULL_WAIT) {
        now++;
    }
    ck_assert_int_eq(rc, PULL_ERROR);
    ck_assert_int_eq(run.exec.error.code, E_LIMIT);
    ck_assert_ptr_nonnull(strstr(run.exec.error.text, "1048576 bytes"));
    close_run(&run);
}
END_TEST

START_TEST(what_operators_hold_is_bounded_too)
{
    static struct run run;
    enum pull rc;
    uint64_t now = 1;

    /* No paths: hardly anything in the arena. The child keeps its tags apart, so nothing is
     * merged. */
    open_run(&run, "g.V().local(repeat(both().map(identity())).times(30)).count()");
    run.exec.arena.limit_bytes = 16 << 20;
    while ((rc = exec_pull(&run.exec, now, &run.batch)) == PULL_WAIT) {
        now++;
    }
    ck_assert_int_eq(rc, PULL_ERROR);
    ck_assert_int_eq(run.exec.error.code, E_LIMIT);
    close_run(&run);
}
END_TEST

/* One value of n x m bytes was written whole before anybody looked at the limit: the router ran out
 * of memory and ended. */
START_TEST(a_text_that_one_step_makes_is_bounded)
{
    static const struct {
        const char *query;
        size_t limit_bytes;
        const char *text; /* Of the error: the step itself noticed. */
    } cases[] = {
        {"g.inject('a').repeat(concat(identity())).times(16).replace('a', "
         "'bbbbbbbbbbbbbbbbbbbbbbbb')",
         1 << 20, "replace() would make a text"},
        {"g.inject('a').repeat(concat(identity())).times(16).replace('', "
         "'bbbbbbbbbbbbbbbbbbbbbbbb')",
         1 << 20, "replace() would make a text"},
        {"g.inject('a').repeat(concat(identity())).times(14).split('')"
         ".conjoin('"
         "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb')",
         1 << 20, "conjoin() would make a text"},
        {"g.inject('a').repeat(concat(identity())).times(18).as('x').format('%{x}%{x}%{x}%{x}%{x}'"
         ")",
         1 << 20, "format() would make a text"},
        {"g.inject('a').repeat(concat(identity())).times(21).split('')", 1 << 27,
         "split() would see or make"},
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        static struct run run;
        enum pull rc;
        uint64_t now = 1;
        open_run(&run, cases[i].query);
        run.exec.arena.limit_bytes = cases[i].limit_bytes;
        while ((rc = exec_pull(&run.exec, now, &run.batch)) == PULL_WAIT) {
            now++;
        }
        ck_assert_int_eq(rc, PULL_ERROR);
        ck_assert_int_eq(run.exec.error.code, E_LIMIT);
        ck_assert_msg(strstr(run.exec.error.text, cases[i].text) != NULL, "%s: %s", cases[i].query,
                      run.exec.error.text);
        close_run(&run);
    }
}
END_TEST

/* The limit was looked at once per batch: a thousand rows of a large text each. */
START_TEST(rows_and_items_stop_where_the_memory_ends)
{
    static const char *const tails[] = {".replace('a', 'bbbbbbbbbbbbbbbb')",
                                        ".format('%{_}%{_}%{_}%{_}%{_}%{_}%{_}%{_}')",
                                        ".fold().replace(local, 'a', 'bbbbbbbbbbbbbbbb')"};
    enum { ROWS = 500, LETTERS = 1000, LIMIT = 2 << 20 };
    static char query[ROWS * (LETTERS + 4) + 200];

    for (size_t i = 0; i < sizeof tails / sizeof tails[0]; i++) {
        static struct run run;
        enum pull rc;
        uint64_t now = 1;
        size_t size = (size_t)snprintf(query, sizeof query, "g.inject(");
        for (int row = 0; row < ROWS; row++) {
            query[size++] = '\'';
            memset(query + size, 'a', LETTERS);
            size += LETTERS;
            size += (size_t)snprintf(query + size, sizeof query - size, "'%s",
                                     row + 1 < ROWS ? "," : ")");
        }
        (void)snprintf(query + size, sizeof query - size, "%s", tails[i]);
        open_run(&run, query);
        run.exec.arena.limit_bytes = LIMIT;
        while ((rc = exec_pull(&run.exec, now, &run.batch)) == PULL_WAIT) {
            now++;
        }
        ck_assert_int_eq(rc, PULL_ERROR);
        ck_assert_int_eq(run.exec.error.code, E_LIMIT);
        ck_assert_msg(run.exec.arena.used_bytes < LIMIT + LIMIT / 8, "%zu bytes were taken: %s",
                      run.exec.arena.used_bytes, tails[i]);
        close_run(&run);
    }
}
END_TEST

START_TEST(a_turn_is_bounded_and_goes_on_where_it_was)
{
    static struct run run;
    enum pull rc;
    uint32_t yields = 0;
    uint64_t total = 0;

    open_run(&run, "g.V().repeat(both()).times(8).path().count()");
    while ((rc = exec_pull(&run.exec, 1, &run.batch)) != PULL_DONE) {
        ck_assert(rc == PULL_BATCH || run.exec.is_yielding);
        yields += rc == PULL_WAIT ? 1 : 0;
        total += rc == PULL_BATCH ? (uint64_t)run.batch.items[0].value.integer : 0;
    }
    ck_assert_uint_eq(total, 5910);
    ck_assert_uint_eq(yields, 0);
    close_run(&run);
    open_run(&run, "g.V().repeat(both()).times(12).path().count()");
    while ((rc = exec_pull(&run.exec, 1, &run.batch)) != PULL_DONE) {
        yields += rc == PULL_WAIT ? 1 : 0;
        total = rc == PULL_BATCH ? (uint64_t)run.batch.items[0].value.integer : total;
    }
    ck_assert_uint_eq(total, 200766);
    ck_assert_uint_gt(yields, 3);
    close_run(&run);
}
END_TEST

START_TEST(a_run_that_is_given_up_releases_all)
{
    static const char *const queries[] = {
        "g.V().out().in().path()",
        "g.V().where(out().in()).values('name')",
        "g.V().repeat(both().has('age')).emit().path().by('name')",
        "g.V().coalesce(out('knows'), in()).valueMap().by(unfold())",
        "g.V().union(out().count(), values('name')).fold()",
        "g.V().choose(values('age')).option(29, out()).option(Pick.none, in())",
        "g.V().drop()",
        "g.V().as('a').out().addE('x').to('a')",
        "g.V().mergeV(['name': 'x']).option(Merge.onCreate, constant(['y': 1]))",
        "g.V().addV('x').property('a', out().count())",
    };

    /* LeakSanitizer looks at what is left, whatever the run was doing. */
    for (size_t i = 0; i < sizeof queries / sizeof queries[0]; i++) {
        for (uint64_t pulls = 0; pulls < 12; pulls++) {
            static struct run run;
            open_run(&run, queries[i]);
            run.graph.waits = 1;
            for (uint64_t k = 0; k < pulls; k++) {
                enum pull rc = exec_pull(&run.exec, k + 1, &run.batch);
                ck_assert_int_ne(rc, PULL_ERROR);
            }
            close_run(&run);
        }
    }
}
END_TEST

START_TEST(ids_are_read_as_the_graph_reads_them)
{
    static struct run run;
    struct value text = value_cstring("12");
    struct value name = value_cstring("12a");
    struct value half = value_double(1.5);
    struct vid id;

    open_run(&run, "g.V()");
    ck_assert(elem_vid(&run.exec, &text, &id));
    ck_assert(id.text.data == NULL && id.num == 12);
    ck_assert_int_eq(elem_id(&run.exec, &id).kind, VALUE_INT);
    ck_assert(elem_vid(&run.exec, &name, &id));
    ck_assert(id.text.data != NULL);
    ck_assert(!elem_vid(&run.exec, &half, &id));
    run.graph.graph.ids = IDS_LONG;
    ck_assert(elem_vid(&run.exec, &text, &id));
    ck_assert(id.text.data != NULL);
    id = vid_num(12);
    ck_assert_int_eq(elem_id(&run.exec, &id).kind, VALUE_LONG);
    close_run(&run);
}
END_TEST

static uint64_t requests_of(const struct exec *exec)
{
    uint64_t requests = 0;

    for (const struct op *op = exec->ops; op != NULL; op = op->older) {
        requests += op->stats.requests;
    }
    return requests;
}

START_TEST(profile_counts_requests)
{
    static struct run run;

    open_run(&run, "g.V(1).out('knows').values('name')");
    while (exec_pull(&run.exec, 1, &run.batch) != PULL_DONE) {
    }
    struct value metrics = exec_profile(&run.exec, &run.exec.arena);
    ck_assert_int_eq(metrics.kind, VALUE_METRICS);
    struct slice text = value_text(&run.exec.arena, &metrics.items[0]);
    const char *start =
        arena_format(&run.exec.arena, "%.*s", (int)text.size, (const char *)text.data);
    ck_assert_ptr_nonnull(strstr(start, "name=hop"));
    ck_assert_ptr_nonnull(strstr(start, "requests=1"));
    ck_assert_ptr_nonnull(strstr(start, "traverserCount=2"));
    close_run(&run);
}
END_TEST

/* Each addE() read the labels of its ends anew, with all changes so far: quadratic. */
START_TEST(ends_made_in_this_transaction_are_not_read)
{
    static struct run run;

    open_run(&run, "g.addV('x').as('a').addV('x').as('b').addE('e').from('a').to('b')"
                   ".addE('e').from('b').to('a')");
    while (exec_pull(&run.exec, 1, &run.batch) != PULL_DONE) {
        ck_assert_int_eq(run.exec.error.code, E_OK);
    }
    ck_assert_uint_eq(requests_of(&run.exec), 0);
    close_run(&run);
    /* A client's word about a vertex of before is not taken for its label. */
    open_run(&run, "g.V(1).as('a').addV('x').as('b').addE('e').from('a').to('b')");
    while (exec_pull(&run.exec, 1, &run.batch) != PULL_DONE) {
        ck_assert_int_eq(run.exec.error.code, E_OK);
    }
    ck_assert_uint_gt(requests_of(&run.exec), 0);
    close_run(&run);
}
END_TEST

RUN_SUITE("engine", batches_grow_and_copy_out_of_themselves, ids_are_numbered_as_they_come,
          rows_are_put_in_the_order_of_inputs, done_stays_done, a_deadline_ends_a_run,
          a_run_yields_when_its_time_is_up_before_its_rows_are, a_cancel_ends_a_run,
          memory_ends_a_run_and_the_limit_is_told, what_operators_hold_is_bounded_too,
          a_text_that_one_step_makes_is_bounded, rows_and_items_stop_where_the_memory_ends,
          a_turn_is_bounded_and_goes_on_where_it_was, a_run_that_is_given_up_releases_all,
          ids_are_read_as_the_graph_reads_them, profile_counts_requests,
          ends_made_in_this_transaction_are_not_read)
