#include "router/run/admin.h"

#include "router/core.h"
#include "tests/lib/router_rig.h"
#include "tests/lib/runner.h"

#include <string.h>

/* Requests of the tools: where they cannot go, and what is told when nobody answers. */

static struct rig rig;

static struct request admin_request(uint8_t id, const char *key, struct value value)
{
    struct request request = rig_request(id, "");
    struct value pair[2] = {value_cstring(key), value};

    request.op = REQUEST_UNKNOWN;
    request.op_name = SLICE("admin");
    request.processor = SLICE("cardea");
    request.args = value_items(&request.arena, VALUE_MAP, pair, 1);
    return request;
}

static void expect(const char *text)
{
    const char *answers = rig_answers(&rig);

    ck_assert_msg(strstr(answers, text) != NULL, "'%s' is not in:\n%s", text, answers);
}

START_TEST(a_shard_that_is_not_there_is_refused_at_once)
{
    rig_open(&rig);
    rig_ask(&rig, admin_request(1, "shard", value_long(999)));
    rig_run(&rig, 0);
    expect("there is no shard 999");
    rig_close(&rig);
}
END_TEST

START_TEST(places_are_numbers)
{
    rig_open(&rig);
    rig_ask(&rig, admin_request(1, "node", value_cstring("one")));
    rig_run(&rig, 0);
    expect("are numbers");
    rig_close(&rig);
}
END_TEST

static struct request fault_request(int64_t node)
{
    struct request request = admin_request(1, "verb", value_cstring("node.kill"));
    struct value pairs[4] = {value_cstring("verb"), value_cstring("node.kill"),
                             value_cstring("node"), value_long(node)};

    request.args = value_items(&request.arena, VALUE_MAP, pairs, 2);
    return request;
}

static int play_none_but_two(void *ctx, struct slice verb, uint32_t node, struct error *err)
{
    *(uint32_t *)ctx = node;
    ck_assert(slice_equal(verb, SLICE("node.kill")));
    return node == 2 ? E_OK : error_set(err, E_NOT_FOUND, "there is no node %u", node);
}

/* A router of processes of their own does not end any of them. */
START_TEST(faults_are_played_by_the_host_only)
{
    uint32_t played = 0;

    rig_open(&rig);
    rig_ask(&rig, fault_request(2));
    rig_run(&rig, 0);
    expect("'cardea dev' only");
    rig.router->options.play = play_none_but_two;
    rig.router->options.play_ctx = &played;
    rig_ask(&rig, fault_request(0));
    rig_run(&rig, 0);
    expect("'node' is the number of a node");
    ck_assert_uint_eq(played, 0);
    rig_ask(&rig, fault_request(3));
    rig_run(&rig, 0);
    expect("there is no node 3");
    rig_ask(&rig, fault_request(2));
    rig_run(&rig, 0);
    ck_assert_uint_eq(played, 2);
    ck_assert_uint_eq(rig.router->admin_count, 0);
    rig_close(&rig);
}
END_TEST

static struct request query_request(uint8_t id, const char *verb, const char *which)
{
    struct request request = admin_request(id, "verb", value_cstring(verb));
    struct value pairs[4] = {value_cstring("verb"), value_cstring(verb), value_cstring("id"),
                             value_cstring(which)};

    request.args = value_items(&request.arena, VALUE_MAP, pairs, 2);
    return request;
}

/* A query that waits, here after a conflict, is seen, and ends when it is told to. */
START_TEST(a_query_is_listed_and_ended)
{
    rig_open(&rig);
    rig.conflicts = 1000;
    rig_ask(&rig, rig_request(7, "g.V().count()"));
    rig_run(&rig, 0);
    ck_assert_uint_eq(rig.router->query_count, 1);
    rig_ask(&rig, query_request(8, "query.list", ""));
    rig_run(&rig, 0);
    const char *list = rig_answers(&rig);
    ck_assert_msg(strstr(list, "1-1") != NULL && strstr(list, "g.V().count()") != NULL, "%s",
                  list);
    rig_ask(&rig, query_request(9, "query.kill", "1-9"));
    rig_run(&rig, 0);
    expect("no query 1-9 runs on router 1");
    ck_assert_uint_eq(rig.router->query_count, 1);
    rig_ask(&rig, query_request(10, "query.kill", "1-1"));
    rig_run(&rig, 1);
    expect("cancelled by an operator");
    ck_assert_uint_eq(rig.router->query_count, 0);
    ck_assert_uint_eq(router_times(rig.router, ROUTER_FAILED)->count, 1);
    rig_ask(&rig, admin_request(11, "verb", value_cstring("query.kill")));
    rig_run(&rig, 1);
    expect("needs a text 'id'");
    rig_close(&rig);
}
END_TEST

START_TEST(calls_end_at_their_deadline)
{
    rig_open(&rig);
    rig_ask(&rig, admin_request(1, "verb", value_cstring("graph.create")));
    rig_run(&rig, ADMIN_LEADER_DEADLINE_MS / 2);
    ck_assert_uint_eq(rig.router->admin_count, 1);
    ck_assert_str_eq(rig_answers(&rig), "");
    rig_run(&rig, ADMIN_LEADER_DEADLINE_MS);
    ck_assert_uint_eq(rig.router->admin_count, 0);
    expect("no answer from the coordinators");
    /* Status never hangs. */
    rig_ask(&rig, admin_request(2, "verb", value_cstring("status")));
    rig_run(&rig, ADMIN_STATUS_DEADLINE_MS + 1);
    ck_assert_uint_eq(rig.router->admin_count, 0);
    rig_close(&rig);
}
END_TEST

START_TEST(only_so_many_are_under_way)
{
    rig_open(&rig);
    for (int i = 0; i <= ADMIN_CALLS_MAX; i++) {
        rig_ask(&rig, admin_request((uint8_t)(i + 1), "verb", value_cstring("status")));
    }
    rig_run(&rig, 0);
    expect("admin requests are under way");
    ck_assert_uint_eq(rig.router->admin_count, ADMIN_CALLS_MAX);
    rig_close(&rig);
}
END_TEST

START_TEST(calls_of_a_client_that_went_end)
{
    rig_open(&rig);
    rig_ask(&rig, admin_request(1, "verb", value_cstring("status")));
    rig_run(&rig, 0);
    ck_assert_uint_eq(rig.router->admin_count, 1);
    router_client_close(rig.router, rig.now_ms, rig.client, &rig.out);
    ck_assert_uint_eq(rig.router->admin_count, 0);
    rig_close(&rig);
}
END_TEST

START_TEST(a_node_whose_address_is_not_known_yet_is_waited_for)
{
    const char *answers;

    rig_open(&rig);
    rig.answers_admin = true;
    rig.unsent = 5;
    rig_ask(&rig, admin_request(1, "node", value_long(1)));
    rig_run(&rig, ADMIN_PATIENCE_MS / 2);
    ck_assert_uint_eq(rig.unsent, 0);
    ck_assert_uint_eq(rig.router->admin_count, 0);
    answers = rig_answers(&rig);
    ck_assert_ptr_null(strstr(answers, "not known"));
    ck_assert_str_ne(answers, "");
    rig_close(&rig);
}
END_TEST

START_TEST(a_node_that_is_never_known_is_told_in_time)
{
    rig_open(&rig);
    rig.answers_admin = true;
    rig.unsent = UINT32_MAX;
    rig_ask(&rig, admin_request(1, "node", value_long(1)));
    rig_run(&rig, ADMIN_PATIENCE_MS + 1000);
    expect("address of node 1 is not known");
    ck_assert_uint_eq(rig.router->admin_count, 0);
    rig_close(&rig);
}
END_TEST

RUN_SUITE("admin", a_shard_that_is_not_there_is_refused_at_once, places_are_numbers,
          faults_are_played_by_the_host_only, a_query_is_listed_and_ended,
          calls_end_at_their_deadline, only_so_many_are_under_way, calls_of_a_client_that_went_end,
          a_node_whose_address_is_not_known_yet_is_waited_for,
          a_node_that_is_never_known_is_told_in_time)
