/* Places for queries: each client has a share, and free ones go round. */
#include "router/run/admission.h"
#include "tests/lib/router_rig.h"
#include "tests/lib/runner.h"

#include <string.h>

enum { PLACES = 256, SHARE = 64 };

static void ask_as(struct rig *rig, uint64_t client, uint8_t id, int count)
{
    uint64_t own = rig->client;

    rig->client = client;
    for (int i = 0; i < count; i++) {
        rig_ask(rig, rig_request(id, "g.V().count()"));
    }
    rig->client = own;
}

static void expect_places(struct rig *rig, uint32_t running, uint32_t waiting)
{
    struct router_counters counters;

    router_counters(rig->router, &counters);
    ck_assert_uint_eq(counters.queries, running);
    ck_assert_uint_eq(counters.waiting, waiting);
}

static void expect_response(struct rig *rig, int status, uint8_t id)
{
    struct router_response response;

    ck_assert(router_next_response(rig->router, &response));
    ck_assert_int_eq(response.status, status);
    ck_assert_uint_eq(response.request_id[15], id);
    bytes_close(&response.body);
}

/* How many answers a request id has, and how many lines there are. */
static size_t answers_of(const struct rig *rig, uint8_t id)
{
    size_t count = 0;
    bool is_start = true;

    for (size_t i = 0; i < rig->answers.size; i++) {
        count += is_start && rig->answers.data[i] == '0' + id;
        is_start = rig->answers.data[i] == '\n';
    }
    return count;
}

START_TEST(one_client_cannot_hold_all_places)
{
    struct rig rig;
    uint64_t other;

    rig_open(&rig);
    other = router_client_open(rig.router);
    ask_as(&rig, rig.client, 1, 100);
    expect_places(&rig, SHARE, 100 - SHARE);
    ask_as(&rig, other, 2, 1);
    expect_places(&rig, SHARE + 1, 100 - SHARE);
    rig_run(&rig, 100);
    expect_places(&rig, 0, 0);
    ck_assert_uint_eq(answers_of(&rig, 1), 100);
    ck_assert_uint_eq(answers_of(&rig, 2), 1);
    rig_close(&rig);
}
END_TEST

/* Places that get free go to one request of each client that waits, then to the next of each. */
START_TEST(free_places_go_round)
{
    struct rig rig;
    uint64_t clients[7];
    char order[31] = "";
    size_t count = 0;
    bool is_start = true;

    rig_open(&rig);
    for (uint8_t i = 0; i < 7; i++) {
        clients[i] = router_client_open(rig.router);
        ask_as(&rig, clients[i], i + 1, i < 4 ? SHARE : 10);
    }
    expect_places(&rig, PLACES, 30);
    router_client_close(rig.router, rig.now_ms, clients[0], &rig.out);
    rig_run(&rig, 100);
    expect_places(&rig, 0, 0);
    for (size_t i = 0; i < rig.answers.size && count < 30; i++) {
        char c = (char)rig.answers.data[i];
        if (is_start && c >= '5') {
            order[count++] = c;
        }
        is_start = c == '\n';
    }
    ck_assert_str_eq(order, "567567567567567567567567567567");
    ck_assert_uint_eq(answers_of(&rig, 1), 0);
    ck_assert_uint_eq(answers_of(&rig, 2), SHARE);
    rig_close(&rig);
}
END_TEST

/* A client that is at its share is passed over, and comes back when it has less. */
START_TEST(one_at_its_share_does_not_hold_up_others)
{
    struct rig rig;
    uint64_t clients[5];

    rig_open(&rig);
    for (uint8_t i = 0; i < 5; i++) {
        clients[i] = router_client_open(rig.router);
        ask_as(&rig, clients[i], i + 1, SHARE + 5);
    }
    expect_places(&rig, PLACES, 5 * 5 + SHARE);
    router_client_close(rig.router, rig.now_ms, clients[1], &rig.out);
    ck_assert_int_eq(router_turn(rig.router, rig.now_ms, &rig.out, NULL), E_OK);
    expect_places(&rig, PLACES, 4 * 5);
    rig_run(&rig, 100);
    expect_places(&rig, 0, 0);
    for (uint8_t i = 0; i < 5; i++) {
        ck_assert_uint_eq(answers_of(&rig, i + 1), i == 1 ? 0 : SHARE + 5);
    }
    rig_close(&rig);
}
END_TEST

START_TEST(too_many_waiting_requests_are_refused)
{
    struct rig rig;

    rig_open(&rig);
    ask_as(&rig, rig.client, 1, SHARE + ADMISSION_WAITING_MAX);
    ask_as(&rig, rig.client, 9, 1);
    expect_places(&rig, SHARE, ADMISSION_WAITING_MAX);
    expect_response(&rig, 429, 9);
    router_client_close(rig.router, rig.now_ms, rig.client, &rig.out);
    expect_places(&rig, SHARE, 0);
    rig_run(&rig, 1);
    expect_places(&rig, 0, 0);
    rig_close(&rig);
}
END_TEST

/* What waits holds its memory: that has a limit for all clients together. */
START_TEST(waiting_requests_that_are_too_large_are_refused)
{
    struct rig rig;
    struct request large = rig_request(9, "g.V().count()");

    rig_open(&rig);
    ask_as(&rig, rig.client, 1, SHARE);
    (void)arena_alloc(&large.arena, (size_t)257 << 20);
    rig_ask(&rig, large);
    expect_response(&rig, 429, 9);
    expect_places(&rig, SHARE, 0);
    rig_close(&rig);
}
END_TEST

/* The shards do not answer: no place gets free, but a deadline is a deadline. */
START_TEST(a_request_without_a_place_times_out)
{
    struct rig rig;
    struct router_response response;
    struct request hurried = rig_request(9, "g.V().count()");

    rig_open(&rig);
    ask_as(&rig, rig.client, 1, SHARE);
    hurried.has_timeout = true;
    hurried.timeout_ms = 50;
    rig_ask(&rig, hurried);
    ask_as(&rig, rig.client, 2, 1);
    expect_places(&rig, SHARE, 2);
    ck_assert_int_eq(router_turn(rig.router, rig.now_ms, &rig.out, NULL), E_OK);
    ck_assert_uint_le(router_deadline(rig.router), rig.now_ms + 50);
    ck_assert_int_eq(router_turn(rig.router, rig.now_ms + 49, &rig.out, NULL), E_OK);
    ck_assert(!router_next_response(rig.router, &response));
    ck_assert_int_eq(router_turn(rig.router, rig.now_ms + 50, &rig.out, NULL), E_OK);
    expect_response(&rig, 598, 9);
    expect_places(&rig, SHARE, 1);
    rig_run(&rig, 100);
    expect_places(&rig, 0, 0);
    ck_assert_uint_eq(answers_of(&rig, 2), 1);
    rig_close(&rig);
}
END_TEST

/* Time that it waited for a place is a part of its time. */
START_TEST(waiting_counts_against_the_deadline)
{
    struct rig rig;
    struct request request = rig_request(9, "g.V().count()");

    rig_open(&rig);
    ask_as(&rig, rig.client, 1, SHARE);
    ck_assert_int_eq(router_turn(rig.router, rig.now_ms, &rig.out, NULL), E_OK);
    request.has_timeout = true;
    request.timeout_ms = 50;
    rig_ask(&rig, request);
    rig.now_ms += 40;
    rig_deliver(&rig);
    ck_assert_int_eq(router_turn(rig.router, rig.now_ms, &rig.out, NULL), E_OK);
    rig_deliver(&rig);
    ck_assert_int_eq(router_turn(rig.router, rig.now_ms, &rig.out, NULL), E_OK);
    expect_places(&rig, 1, 0);
    ck_assert_int_eq(router_turn(rig.router, rig.now_ms + 10, &rig.out, NULL), E_OK);
    rig_deliver(&rig);
    ck_assert_ptr_nonnull(strstr(rig_answers(&rig), "threshold of 50 ms"));
    rig_close(&rig);
}
END_TEST

RUN_SUITE("admission", one_client_cannot_hold_all_places, free_places_go_round,
          one_at_its_share_does_not_hold_up_others, too_many_waiting_requests_are_refused,
          waiting_requests_that_are_too_large_are_refused, a_request_without_a_place_times_out,
          waiting_counts_against_the_deadline)
