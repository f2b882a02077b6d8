/* Requests of their own. */
#include "router/router.h"
#include "router/run/footprint.h"
#include "router/run/query.h"

#include "tests/lib/router_rig.h"
#include "tests/lib/runner.h"

#include <stdio.h>
#include <string.h>

START_TEST(a_count_is_answered)
{
    struct rig rig;

    rig_open(&rig);
    rig_ask(&rig, rig_request(1, "g.V().count()"));
    rig_run(&rig, 100);
    ck_assert_str_eq(rig_answers(&rig), "1: 200 [4]\n");
    ck_assert_uint_eq(rig.reads, RIG_SHARDS);
    ck_assert_uint_eq(rig.validates, RIG_SHARDS);
    rig_close(&rig);
}
END_TEST

START_TEST(nothing_found_is_no_content)
{
    struct rig rig;

    rig_open(&rig);
    rig.fan = 0;
    rig_ask(&rig, rig_request(1, "g.V()"));
    rig_run(&rig, 100);
    ck_assert_str_eq(rig_answers(&rig), "1: 204 \n");
    rig_close(&rig);
}
END_TEST

START_TEST(results_come_in_frames_and_the_last_says_so)
{
    struct rig rig;
    struct request request = rig_request(1, "g.V().id()");

    rig_open(&rig);
    request.batch_size = 3;
    rig.fan = 2;
    rig_ask(&rig, request);
    rig_run(&rig, 100);
    ck_assert_str_eq(rig_answers(&rig), "1: 206 [1100, 1101, 1200]\n1: 200 [1201]\n");
    rig_close(&rig);
}
END_TEST

START_TEST(a_read_that_met_a_change_is_run_again)
{
    struct rig rig;

    rig_open(&rig);
    rig.conflicts = 3;
    rig_ask(&rig, rig_request(1, "g.V().count()"));
    rig_run(&rig, 2000);
    ck_assert_str_eq(rig_answers(&rig), "1: 200 [4]\n");
    ck_assert_uint_ge(rig.reads, 2 * RIG_SHARDS);
    rig_close(&rig);
}
END_TEST

START_TEST(a_read_that_met_a_lock_is_run_again)
{
    struct rig rig;

    rig_open(&rig);
    rig.busy_reads = 1;
    rig_ask(&rig, rig_request(1, "g.V().count()"));
    rig_run(&rig, 2000);
    ck_assert_str_eq(rig_answers(&rig), "1: 200 [4]\n");
    rig_close(&rig);
}
END_TEST

START_TEST(conflict_after_conflict_is_596)
{
    struct rig rig;

    rig_open(&rig);
    rig.conflicts = 1000;
    rig_ask(&rig, rig_request(1, "g.V().count()"));
    rig_run(&rig, 5000);
    ck_assert(strncmp(rig_answers(&rig), "1: 596 ", 7) == 0);
    ck_assert_uint_le(rig.validates, 6 * RIG_SHARDS);
    rig_close(&rig);
}
END_TEST

START_TEST(a_write_is_committed_before_it_is_answered)
{
    struct rig rig;

    rig_open(&rig);
    rig.is_mute = true;
    rig_ask(&rig, rig_request(1, "g.addV('person').property('name','x').id()"));
    rig_run(&rig, 400);
    ck_assert_str_eq(rig_answers(&rig), "");
    ck_assert_uint_ge(rig.commits, 1);
    rig.is_mute = false;
    rig_run(&rig, 1000);
    ck_assert_str_eq(rig_answers(&rig), "1: 200 [5000]\n");
    rig_close(&rig);
}
END_TEST

START_TEST(a_commit_without_an_answer_is_unknown_not_failed)
{
    struct rig rig;
    struct request request = rig_request(1, "g.addV('person').iterate()");

    rig_open(&rig);
    rig.is_mute = true;
    request.has_timeout = true;
    request.timeout_ms = 1000;
    rig_ask(&rig, request);
    rig_run(&rig, 20000);
    const char *text = rig_answers(&rig);
    ck_assert_msg(strstr(text, "500 the outcome of the commit is not known") != NULL, "%s", text);
    ck_assert_ptr_nonnull(strstr(text, "77:1"));
    rig_close(&rig);
}
END_TEST

START_TEST(a_refused_commit_is_told)
{
    struct rig rig;

    rig_open(&rig);
    rig.abort_code = E_EXISTS;
    rig_ask(&rig, rig_request(1, "g.addV('person').property(id, 1)"));
    rig_run(&rig, 1000);
    ck_assert(strncmp(rig_answers(&rig), "1: 500 ", 7) == 0);
    ck_assert_uint_eq(rig.commits, 1);
    rig_close(&rig);
}
END_TEST

START_TEST(bad_text_and_unknown_sources_are_refused)
{
    struct rig rig;
    struct request request = rig_request(2, "g.V()");

    rig_open(&rig);
    rig_ask(&rig, rig_request(1, "g.V("));
    rig_run(&rig, 10);
    ck_assert(strncmp(rig_answers(&rig), "1: 597 ", 7) == 0);
    request.source = SLICE("nowhere");
    rig_ask(&rig, request);
    rig_run(&rig, 1000);
    ck_assert_str_eq(rig_answers(&rig),
                     "2: 499 The traversal source [nowhere] for alias [g] is not configured on the "
                     "server.\n");
    rig_close(&rig);
}
END_TEST

START_TEST(unknown_operations_are_malformed)
{
    struct rig rig;
    struct request request = rig_request(1, "");

    rig_open(&rig);
    request.op = REQUEST_UNKNOWN;
    request.op_name = SLICE("gather");
    rig_ask(&rig, request);
    rig_run(&rig, 10);
    ck_assert_str_eq(rig_answers(&rig),
                     "1: 498 Message with op code [gather] is not recognized.\n");
    request = rig_request(2, "g.V()");
    request.processor = SLICE("session");
    rig_ask(&rig, request);
    rig_run(&rig, 10);
    ck_assert(strncmp(rig_answers(&rig), "2: 499 ", 7) == 0);
    rig_close(&rig);
}
END_TEST

START_TEST(a_query_ends_at_its_deadline_and_shards_are_told)
{
    struct rig rig;
    struct request request = rig_request(1, "g.V().count()");

    rig_open(&rig);
    request.has_timeout = true;
    request.timeout_ms = 50;
    rig_ask(&rig, request);
    router_turn(rig.router, rig.now_ms, &rig.out, NULL);
    outbox_clear(&rig.out); /* Lost. */
    rig.now_ms += 50;
    router_turn(rig.router, rig.now_ms, &rig.out, NULL);
    rig_deliver(&rig);
    ck_assert_str_eq(
        rig_answers(&rig),
        "1: 598 Evaluation exceeded the configured 'evaluationTimeout' threshold of 50 "
        "ms or evaluation was otherwise cancelled directly for request "
        "[g.V().count()]\n");
    ck_assert_uint_eq(rig.cancels, RIG_SHARDS);
    rig_close(&rig);
}
END_TEST

START_TEST(a_client_that_goes_cancels_its_queries)
{
    struct rig rig;

    rig_open(&rig);
    rig_ask(&rig, rig_request(1, "g.V().count()"));
    router_turn(rig.router, rig.now_ms, &rig.out, NULL);
    outbox_clear(&rig.out);
    router_client_close(rig.router, rig.now_ms, rig.client, &rig.out);
    rig_run(&rig, 100);
    ck_assert_uint_eq(rig.cancels, RIG_SHARDS);
    ck_assert_str_eq(rig_answers(&rig), "");
    struct router_counters counters;
    router_counters(rig.router, &counters);
    ck_assert_uint_eq(counters.queries, 0);
    rig_close(&rig);
}
END_TEST

START_TEST(texts_are_planned_once)
{
    struct rig rig;
    struct router_counters counters;

    rig_open(&rig);
    for (uint8_t i = 0; i < 3; i++) {
        rig_ask(&rig, rig_request(i, "g.V().count()"));
    }
    rig_ask(&rig, rig_request(9, "g.V().count() "));
    rig_run(&rig, 100);
    router_counters(rig.router, &counters);
    ck_assert_uint_eq(counters.plans_made, 2);
    ck_assert_uint_eq(counters.plans_reused, 2);
    ck_assert_uint_eq(counters.answers, 4);
    rig_close(&rig);
}
END_TEST

START_TEST(endings_of_texts_are_carried_out)
{
    struct rig rig;

    rig_open(&rig);
    rig_ask(&rig, rig_request(1, "g.V().hasNext()"));
    rig_ask(&rig, rig_request(2, "g.V().id().next()"));
    rig_ask(&rig, rig_request(3, "g.V().id().next(3)"));
    rig_ask(&rig, rig_request(4, "g.V().iterate()"));
    rig_ask(&rig, rig_request(5, "g.V().constant(1).toSet()"));
    rig_run(&rig, 1000);
    const char *text = rig_answers(&rig);
    ck_assert_ptr_nonnull(strstr(text, "1: 200 [true]\n"));
    ck_assert_ptr_nonnull(strstr(text, "2: 200 [1100]\n"));
    ck_assert_ptr_nonnull(strstr(text, "3: 200 [1100, 1101, 1200]\n"));
    ck_assert_ptr_nonnull(strstr(text, "4: 204 \n"));
    ck_assert_ptr_nonnull(strstr(text, "5: 200 [[1]]\n"));
    rig_close(&rig);
}
END_TEST

START_TEST(bytecode_gives_traversers)
{
    const struct instruction steps[] = {{.step = STEP_V, .name = SLICE("V")},
                                        {.step = STEP_ID, .name = SLICE("id")}};
    const struct bytecode bytecode = {.step_count = 2, .steps = steps};
    struct rig rig;

    rig_open(&rig);
    rig_ask(&rig, rig_bytecode(1, &bytecode));
    rig_run(&rig, 100);
    ck_assert_str_eq(rig_answers(&rig), "1: 200 [1x 1100, 1x 1101, 1x 1200, 1x 1201]\n");
    rig_close(&rig);
}
END_TEST

START_TEST(http_errors_are_plain_text_and_results_one_frame)
{
    struct rig rig;
    struct request request = rig_request(1, "g.V().id()");

    rig_open(&rig);
    rig.fan = 100;
    request.is_single = true;
    rig_ask(&rig, request);
    rig_run(&rig, 100);
    const char *text = rig_answers(&rig);
    ck_assert_ptr_nonnull(strstr(text, "1: 200 [1100, "));
    ck_assert_ptr_null(strstr(text, "1: 206"));
    request = rig_request(2, "g.V().fail('too bad')");
    request.is_single = true;
    rig_ask(&rig, request);
    rig_run(&rig, 100);
    ck_assert_ptr_nonnull(strstr(rig_answers(&rig), "2: too bad"));
    rig_close(&rig);
}
END_TEST

START_TEST(a_commit_goes_on_when_its_client_has_gone)
{
    struct rig rig;
    struct router_counters counters;

    rig_open(&rig);
    rig.is_mute = true;
    rig_ask(&rig, rig_request(1, "g.addV('a').property(id, 1)"));
    rig_run(&rig, 100);
    ck_assert_uint_eq(rig.commits, 1);
    router_client_close(rig.router, rig.now_ms, rig.client, &rig.out);
    router_counters(rig.router, &counters);
    ck_assert_uint_eq(counters.queries, 1);
    rig.is_mute = false;
    rig_run(&rig, 2000);
    ck_assert_uint_ge(rig.commits, 2); /* Sent again, and answered. */
    router_counters(rig.router, &counters);
    ck_assert_uint_eq(counters.queries, 0);
    ck_assert_str_eq(rig_answers(&rig), "");
    rig_close(&rig);
}
END_TEST

START_TEST(the_backlog_is_what_is_not_taken)
{
    struct rig rig;
    struct router_response response;

    rig_open(&rig);
    rig_ask(&rig, rig_request(1, "g.inject(1)"));
    router_turn(rig.router, rig.now_ms, &rig.out, NULL);
    size_t backlog = router_backlog(rig.router, rig.client);
    ck_assert_uint_gt(backlog, 0);
    ck_assert(router_next_response(rig.router, &response));
    ck_assert_uint_eq(response.body.size, backlog);
    bytes_close(&response.body);
    ck_assert_uint_eq(router_backlog(rig.router, rig.client), 0);
    rig_close(&rig);
}
END_TEST

#define TEXT "0123456789012345678901234567890123456789012345678901234567890123"
#define HEAVY "g.V().constant('" TEXT "')"

/* Thirty queries of one client that each hold some megabytes, beside those of another client that
 * hold little: some of the first end, none of the second. */
START_TEST(many_queries_at_once_are_bounded_together)
{
    struct rig rig;
    struct router_counters counters;
    uint64_t heavy, peak = 0;

    rig_open_with(&rig, 16 << 20);
    heavy = rig.client;
    rig.fan = 10000;
    for (uint8_t i = 0; i < 30; i++) {
        rig_ask(&rig, rig_request(i, HEAVY));
    }
    rig.client = router_client_open(rig.router);
    for (uint8_t i = 100; i < 110; i++) {
        rig_ask(&rig, rig_request(i, "g.V().id().max()"));
    }
    for (int i = 0; i < 2000; i++) {
        router_turn(rig.router, rig.now_ms, &rig.out, NULL);
        router_counters(rig.router, &counters);
        peak = counters.memory > peak ? counters.memory : peak;
        rig_deliver(&rig);
    }
    ck_assert_uint_eq(counters.queries, 0);
    ck_assert_uint_gt(counters.ended_for_memory, 0);
    ck_assert_uint_lt(counters.ended_for_memory, 30);
    ck_assert_uint_eq(counters.failures, counters.ended_for_memory);
    ck_assert_uint_le(peak, 16 << 20);
    ck_assert_uint_gt(peak, 16 * FOOTPRINT_SMALL_BYTES);
    bytes_u8(&rig.answers, 0);
    for (unsigned i = 100; i < 110; i++) {
        char text[32];
        (void)snprintf(text, sizeof text, "%u: 200 [", i);
        ck_assert_ptr_nonnull(strstr((const char *)rig.answers.data, text));
    }
    ck_assert_ptr_nonnull(strstr((const char *)rig.answers.data, "memory_max, 16777216 bytes"));
    ck_assert_ptr_nonnull(strstr((const char *)rig.answers.data, ": 200 [" TEXT));
    router_client_close(rig.router, rig.now_ms, heavy, &rig.out);
    rig_close(&rig);
}
END_TEST

/* Nobody reads the answers: they count, and an answer that was taken does not. */
START_TEST(answers_and_the_front_count_to_the_memory)
{
    struct rig rig;
    struct router_response response;
    struct router_counters counters;

    rig_open(&rig);
    rig_ask(&rig, rig_request(1, "g.inject('0123456789012345678901234567890123456789')"));
    router_turn(rig.router, rig.now_ms, &rig.out, NULL);
    router_counters(rig.router, &counters);
    ck_assert_uint_eq(counters.memory, router_backlog(rig.router, rig.client));
    ck_assert_uint_gt(counters.memory, 40);
    router_front_holds(rig.router, 1000);
    ck_assert(router_next_response(rig.router, &response));
    bytes_close(&response.body);
    router_counters(rig.router, &counters);
    ck_assert_uint_eq(counters.memory, 1000);
    rig_close(&rig);
}
END_TEST

START_TEST(several_statements_are_one_transaction)
{
    struct rig rig;

    rig_open(&rig);
    rig_ask(&rig, rig_request(1, "g.addV('a').property(id, 1).iterate(); "
                                 "g.addV('a').property(id, 2).iterate(); g.inject(7)"));
    rig_run(&rig, 1000);
    ck_assert_str_eq(rig_answers(&rig), "1: 200 [7]\n");
    ck_assert_uint_eq(rig.commits + rig.txns, 1);
    rig_close(&rig);
}
END_TEST

START_TEST(plans_and_texts_are_told_instead_of_results)
{
    struct rig rig;

    rig_open(&rig);
    rig_ask(&rig, rig_request(1, "g.V().count().explain()"));
    rig_ask(&rig, rig_request(2, "g.V().count().toString()"));
    rig_ask(&rig, rig_request(3, "g.V().count().profile()"));
    rig_run(&rig, 1000);
    const char *text = rig_answers(&rig);
    ck_assert_msg(strstr(text, "1: 200 [vertices") != NULL, "%s", text);
    ck_assert_ptr_nonnull(strstr(text, "2: 200 [g.V().count()]"));
    ck_assert_ptr_nonnull(strstr(text, "requests="));
    rig_close(&rig);
}
END_TEST

RUN_SUITE("router", a_count_is_answered, nothing_found_is_no_content,
          results_come_in_frames_and_the_last_says_so, a_read_that_met_a_change_is_run_again,
          a_read_that_met_a_lock_is_run_again, conflict_after_conflict_is_596,
          a_write_is_committed_before_it_is_answered,
          a_commit_without_an_answer_is_unknown_not_failed, a_refused_commit_is_told,
          bad_text_and_unknown_sources_are_refused, unknown_operations_are_malformed,
          a_query_ends_at_its_deadline_and_shards_are_told, a_client_that_goes_cancels_its_queries,
          texts_are_planned_once, endings_of_texts_are_carried_out, bytecode_gives_traversers,
          http_errors_are_plain_text_and_results_one_frame,
          a_commit_goes_on_when_its_client_has_gone, the_backlog_is_what_is_not_taken,
          many_queries_at_once_are_bounded_together, answers_and_the_front_count_to_the_memory,
          several_statements_are_one_transaction, plans_and_texts_are_told_instead_of_results)
