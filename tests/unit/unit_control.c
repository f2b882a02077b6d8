#include "common/control.h"

#include "tests/lib/runner.h"

START_TEST(a_registration_comes_back)
{
    struct control_registered in = {.sid = 7, .term = 3, .map = SLICE("map")};
    struct control_registered out;
    struct bytes body;

    bytes_init(&body, 0);
    control_registered_encode(&body, &in);
    ck_assert_int_eq(control_registered_decode(bytes_slice(&body), &out, NULL), E_OK);
    ck_assert_uint_eq(out.sid, 7);
    ck_assert_uint_eq(out.term, 3);
    ck_assert(slice_equal(out.map, SLICE("map")));
    ck_assert_int_eq(control_registered_decode(slice_of(body.data, body.size - 1), &out, NULL),
                     E_MALFORMED);
    bytes_close(&body);
}
END_TEST

START_TEST(a_lease_comes_back)
{
    struct control_lease in = {.graph = 2, .first = 1000, .count = 50};
    struct control_lease out;
    struct bytes body;

    bytes_init(&body, 0);
    control_leased_encode(&body, &in);
    ck_assert_int_eq(control_leased_decode(bytes_slice(&body), &out, NULL), E_OK);
    ck_assert_uint_eq(out.graph, 2);
    ck_assert_uint_eq(out.first, 1000);
    ck_assert_uint_eq(out.count, 50);
    bytes_clear(&body);
    control_lease_encode(&body, 2, 50);
    ck_assert_int_eq(control_lease_decode(bytes_slice(&body), &out, NULL), E_OK);
    ck_assert_uint_eq(out.graph, 2);
    ck_assert_uint_eq(out.count, 50);
    bytes_close(&body);
}
END_TEST

START_TEST(ids_above_the_limit_are_malformed)
{
    struct control_lease in = {.graph = 2, .first = CONTROL_ID_MAX - 1, .count = 2};
    struct control_lease out;
    struct bytes body;

    bytes_init(&body, 0);
    control_leased_encode(&body, &in);
    ck_assert_int_eq(control_leased_decode(bytes_slice(&body), &out, NULL), E_MALFORMED);
    bytes_close(&body);
}
END_TEST

START_TEST(the_leader_is_told_in_the_refusal)
{
    struct error err;

    ck_assert_int_eq(control_not_leader(&err, 12), E_NOT_LEADER);
    ck_assert_uint_eq(control_leader(&err), 12);
    control_not_leader(&err, 0);
    ck_assert_uint_eq(control_leader(&err), 0);
}
END_TEST

RUN_SUITE("control", a_registration_comes_back, a_lease_comes_back,
          ids_above_the_limit_are_malformed, the_leader_is_told_in_the_refusal)
