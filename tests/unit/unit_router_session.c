#include "router/run/router_session.h"

#include "tests/lib/router_rig.h"
#include "tests/lib/runner.h"

#include <string.h>

START_TEST(a_session_commits_when_told)
{
    struct rig rig;

    rig_open(&rig);
    rig_ask(&rig, rig_session(rig_request(1, "g.addV('a').property(id, 1).id()"), "s"));
    rig_run(&rig, 100);
    ck_assert_str_eq(rig_answers(&rig), "1: 200 [1]\n");
    ck_assert_uint_eq(rig.commits + rig.txns, 0);
    rig_ask(&rig, rig_session(rig_request(2, "g.tx().commit()"), "s"));
    rig_run(&rig, 100);
    ck_assert_str_eq(rig_answers(&rig), "2: 204 \n");
    ck_assert_uint_eq(rig.commits + rig.txns, 1);
    rig_close(&rig);
}
END_TEST

START_TEST(a_session_rolled_back_commits_nothing)
{
    struct rig rig;
    struct request close = rig_request(3, "");

    rig_open(&rig);
    rig_ask(&rig, rig_session(rig_request(1, "g.addV('a').property(id, 1).id()"), "s"));
    rig_ask(&rig, rig_session(rig_request(2, "g.tx().rollback()"), "s"));
    close.op = REQUEST_CLOSE;
    rig_ask(&rig, rig_session(close, "s"));
    rig_run(&rig, 100);
    ck_assert_str_eq(rig_answers(&rig), "1: 200 [1]\n2: 204 \n3: 204 \n");
    ck_assert_uint_eq(rig.commits + rig.txns, 0);
    struct router_counters counters;
    router_counters(rig.router, &counters);
    ck_assert_uint_eq(counters.sessions, 0);
    rig_close(&rig);
}
END_TEST

START_TEST(a_conflict_of_a_session_is_told)
{
    struct rig rig;

    rig_open(&rig);
    rig.conflicts = 1;
    rig_ask(&rig, rig_session(rig_request(1, "g.addV('a').property(id, 1).id()"), "s"));
    rig_ask(&rig, rig_session(rig_request(2, "g.tx().commit()"), "s"));
    rig_run(&rig, 1000);
    const char *text = rig_answers(&rig);
    ck_assert_msg(strncmp(text, "1: 200 [1]\n2: 596 ", 18) == 0, "%s", text);
    rig_close(&rig);
}
END_TEST

START_TEST(a_session_belongs_to_its_connection_and_ends_with_it)
{
    struct rig rig;
    struct router_counters counters;

    rig_open(&rig);
    rig_ask(&rig, rig_session(rig_request(1, "g.addV('a').property(id, 1).id()"), "s"));
    rig_run(&rig, 100);
    rig_answers(&rig);
    uint64_t first = rig.client;
    rig.client = router_client_open(rig.router);
    rig_ask(&rig, rig_session(rig_request(2, "g.V().count()"), "s"));
    rig_run(&rig, 100);
    ck_assert_str_eq(rig_answers(&rig), "2: 500 the session belongs to another connection\n");
    router_client_close(rig.router, rig.now_ms, first, &rig.out);
    rig_run(&rig, 100);
    router_counters(rig.router, &counters);
    ck_assert_uint_eq(counters.sessions, 0);
    ck_assert_uint_eq(rig.commits + rig.txns, 0);
    rig_close(&rig);
}
END_TEST

START_TEST(drivers_commit_and_roll_back_by_bytecode)
{
    struct value verb = value_cstring("commit");
    struct instruction source = {
        .step = STEP_TX, .name = SLICE("tx"), .arg_count = 1, .args = &verb};
    struct bytecode bytecode = {.source_count = 1, .sources = &source};
    struct rig rig;

    rig_open(&rig);
    rig_ask(&rig, rig_session(rig_request(1, "g.addV('a').property(id, 1).id()"), "s"));
    rig_ask(&rig, rig_session(rig_bytecode(2, &bytecode), "s"));
    rig_run(&rig, 100);
    ck_assert_str_eq(rig_answers(&rig), "1: 200 [1]\n2: 204 \n");
    ck_assert_uint_eq(rig.commits, 1);
    verb = value_cstring("rollback");
    rig_ask(&rig, rig_session(rig_request(3, "g.addV('a').property(id, 2).id()"), "s"));
    rig_ask(&rig, rig_session(rig_bytecode(4, &bytecode), "s"));
    rig_run(&rig, 100);
    ck_assert_str_eq(rig_answers(&rig), "3: 200 [2]\n4: 204 \n");
    ck_assert_uint_eq(rig.commits, 1);
    rig_close(&rig);
}
END_TEST

START_TEST(a_managed_session_commits_each_request)
{
    struct rig rig;
    struct request request = rig_session(rig_request(1, "g.addV('a').property(id, 1).id()"), "s");

    rig_open(&rig);
    rig.conflicts = 1;
    request.manage_transaction = true;
    rig_ask(&rig, request);
    rig_run(&rig, 1000);
    ck_assert_str_eq(rig_answers(&rig), "1: 200 [1]\n");
    ck_assert_uint_eq(rig.commits, 2);
    rig_close(&rig);
}
END_TEST

START_TEST(an_idle_session_is_rolled_back)
{
    struct rig rig;
    struct router_counters counters;

    rig_open(&rig);
    rig_ask(&rig, rig_session(rig_request(1, "g.addV('a').property(id, 1).id()"), "s"));
    rig_run(&rig, 1000);
    router_counters(rig.router, &counters);
    ck_assert_uint_eq(counters.sessions, 1);
    rig.now_ms += 600000;
    rig_run(&rig, 10);
    router_counters(rig.router, &counters);
    ck_assert_uint_eq(counters.sessions, 0);
    ck_assert_uint_eq(rig.commits, 0);
    rig_close(&rig);
}
END_TEST

START_TEST(a_failed_request_of_a_session_leaves_no_changes)
{
    struct rig rig;

    rig_open(&rig);
    rig_ask(&rig, rig_session(rig_request(1, "g.addV('a').property(id, 1).fail('no')"), "s"));
    rig_ask(&rig, rig_session(rig_request(2, "g.tx().commit()"), "s"));
    rig_run(&rig, 1000);
    ck_assert_str_eq(rig_answers(&rig), "1: 595 no\n2: 204 \n");
    ck_assert_uint_eq(rig.commits + rig.txns, 0);
    rig_close(&rig);
}
END_TEST

START_TEST(a_read_of_a_session_that_met_a_lock_is_run_again)
{
    struct rig rig;

    rig_open(&rig);
    rig.busy_reads = 1;
    rig_ask(&rig, rig_session(rig_request(1, "g.V().count()"), "s"));
    rig_run(&rig, 1000);
    ck_assert_str_eq(rig_answers(&rig), "1: 200 [4]\n");
    rig_close(&rig);
}
END_TEST

RUN_SUITE("router_session", a_session_commits_when_told, a_session_rolled_back_commits_nothing,
          a_conflict_of_a_session_is_told, a_session_belongs_to_its_connection_and_ends_with_it,
          drivers_commit_and_roll_back_by_bytecode, a_managed_session_commits_each_request,
          an_idle_session_is_rolled_back, a_failed_request_of_a_session_leaves_no_changes,
          a_read_of_a_session_that_met_a_lock_is_run_again)
