/* The checkers against hand-made histories, bad ones above all. */
#include "tests/lib/runner.h"
#include "tests/sim/check_list.h"
#include "tests/sim/check_store.h"
#include "tests/sim/check_work.h"

#include <stdarg.h>
#include <string.h>

enum { LISTS = 3, SET = LISTS, ITEMS = 5, LIST_MAX = 8 };

static struct history history;
static struct bytes why;

static void begin(void)
{
    history_init(&history, ITEMS, LISTS);
    bytes_init(&why, 0);
}

static void finish(void)
{
    history_close(&history);
    bytes_close(&why);
}

/* Values until 0. */
static void reads(uint32_t txn, uint32_t item, ...)
{
    uint32_t list[LIST_MAX];
    uint32_t count = 0;
    va_list args;

    va_start(args, item);
    for (uint32_t value = va_arg(args, uint32_t); value != 0; value = va_arg(args, uint32_t)) {
        list[count++] = value;
    }
    va_end(args);
    history_read(&history, txn, item, list, count);
}

static uint32_t start(uint64_t asked_us)
{
    return history_begin(&history, asked_us);
}

static void is_good(void)
{
    bool good = check_list(&history, &why);

    ck_assert_msg(good, "%.*s", (int)why.size, (const char *)why.data);
    finish();
}

static void is_bad(const char *what)
{
    static const uint8_t end = 0;

    ck_assert(!check_list(&history, &why));
    bytes_append(&why, &end, 1);
    ck_assert_msg(strstr((const char *)why.data, what) != NULL, "wanted %s, got %s", what,
                  (const char *)why.data);
    finish();
}

/* T1 [0, 10] appends to item 0, and more. */
static uint32_t append_one(uint32_t item, uint64_t asked_us, uint64_t told_us,
                           enum history_outcome outcome)
{
    uint32_t txn = start(asked_us);

    history_append(&history, txn, item);
    history_end(&history, txn, outcome, told_us);
    return txn;
}

static uint32_t ends_with(uint64_t at_us)
{
    uint32_t txn = start(at_us);

    history_end(&history, txn, HISTORY_OK, at_us + 1);
    return txn;
}

START_TEST(an_empty_history_is_good)
{
    begin();
    is_good();
}
END_TEST

START_TEST(one_after_the_other_is_good)
{
    begin();
    append_one(0, 0, 10, HISTORY_OK);
    append_one(0, 20, 30, HISTORY_OK);
    reads(ends_with(40), 0, 1, 2, 0);
    is_good();
}
END_TEST

START_TEST(who_overlaps_may_come_in_any_order)
{
    begin();
    append_one(0, 0, 30, HISTORY_OK);
    append_one(0, 10, 20, HISTORY_OK);
    reads(ends_with(40), 0, 2, 1, 0);
    is_good();
}
END_TEST

START_TEST(an_unknown_one_may_have_taken_effect_or_not)
{
    begin();
    append_one(0, 0, 10, HISTORY_UNKNOWN);
    append_one(0, 0, 10, HISTORY_UNKNOWN);
    reads(ends_with(40), 0, 2, 0);
    is_good();
}
END_TEST

START_TEST(who_reads_what_it_appended_is_good)
{
    begin();
    append_one(0, 0, 10, HISTORY_OK);
    uint32_t txn = start(20);
    history_append(&history, txn, 0);
    reads(txn, 0, 1, 2, 0);
    history_end(&history, txn, HISTORY_OK, 30);
    reads(ends_with(40), 0, 1, 2, 0);
    is_good();
}
END_TEST

START_TEST(applied_twice)
{
    begin();
    append_one(0, 0, 10, HISTORY_OK);
    reads(ends_with(40), 0, 1, 1, 0);
    is_bad("applied twice");
}
END_TEST

START_TEST(half_applied)
{
    begin();
    uint32_t txn = start(0);
    history_append(&history, txn, 0);
    history_append(&history, txn, 1);
    history_end(&history, txn, HISTORY_UNKNOWN, 10);
    txn = ends_with(40);
    reads(txn, 0, 1, 0);
    reads(txn, 1, 0);
    is_bad("half applied");
}
END_TEST

START_TEST(acknowledged_lost)
{
    begin();
    append_one(0, 0, 10, HISTORY_OK);
    append_one(0, 20, 30, HISTORY_OK);
    reads(ends_with(40), 0, 2, 0);
    is_bad("acknowledged lost");
}
END_TEST

START_TEST(aborted_but_applied)
{
    begin();
    append_one(0, 0, 10, HISTORY_FAILED);
    reads(ends_with(40), 0, 1, 0);
    is_bad("aborted but applied");
}
END_TEST

START_TEST(a_read_of_what_was_aborted)
{
    begin();
    append_one(0, 0, 10, HISTORY_FAILED);
    reads(ends_with(5), 0, 1, 0);
    reads(ends_with(40), 0, 0);
    is_bad("aborted but applied");
}
END_TEST

START_TEST(a_value_from_nowhere)
{
    begin();
    reads(ends_with(40), 0, 77, 0);
    is_bad("nobody wrote");
}
END_TEST

START_TEST(a_value_in_the_wrong_list)
{
    begin();
    append_one(1, 0, 10, HISTORY_OK);
    uint32_t txn = ends_with(40);
    reads(txn, 0, 1, 0);
    reads(txn, 1, 1, 0);
    is_bad("nobody wrote");
}
END_TEST

START_TEST(reads_in_different_orders)
{
    begin();
    append_one(0, 0, 50, HISTORY_OK);
    append_one(0, 0, 50, HISTORY_OK);
    reads(ends_with(20), 0, 2, 0);
    reads(ends_with(60), 0, 1, 2, 0);
    is_bad("different orders");
}
END_TEST

START_TEST(writes_in_a_circle_are_g0)
{
    begin();
    for (int i = 0; i < 2; i++) {
        uint32_t txn = start(0);
        history_append(&history, txn, 0);
        history_append(&history, txn, 1);
        history_end(&history, txn, HISTORY_OK, 10);
    }
    uint32_t txn = ends_with(40);
    reads(txn, 0, 1, 2, 0);
    reads(txn, 1, 2, 1, 0);
    is_bad("G0");
}
END_TEST

START_TEST(each_sees_the_other_is_g1c)
{
    begin();
    for (uint32_t i = 0; i < 2; i++) {
        uint32_t txn = start(0);
        history_append(&history, txn, i);
        reads(txn, 1 - i, 2 - i, 0);
        history_end(&history, txn, HISTORY_OK, 10);
    }
    uint32_t txn = ends_with(40);
    reads(txn, 0, 1, 0);
    reads(txn, 1, 2, 0);
    is_bad("G1c");
}
END_TEST

START_TEST(neither_sees_the_other_is_write_skew)
{
    begin();
    for (uint32_t i = 0; i < 2; i++) {
        uint32_t txn = start(0);
        history_append(&history, txn, i);
        reads(txn, 1 - i, 0);
        history_end(&history, txn, HISTORY_OK, 10);
    }
    uint32_t txn = ends_with(40);
    reads(txn, 0, 1, 0);
    reads(txn, 1, 2, 0);
    is_bad("G2");
}
END_TEST

START_TEST(a_read_between_two_halves_is_read_skew)
{
    begin();
    uint32_t txn = start(0);
    history_append(&history, txn, 0);
    history_append(&history, txn, 1);
    history_end(&history, txn, HISTORY_OK, 100);
    txn = start(0);
    reads(txn, 0, 1, 0);
    reads(txn, 1, 0);
    history_end(&history, txn, HISTORY_OK, 100);
    txn = ends_with(200);
    reads(txn, 0, 1, 0);
    reads(txn, 1, 1, 0);
    is_bad("G-single");
}
END_TEST

START_TEST(two_that_read_the_same_and_append_are_a_lost_update)
{
    begin();
    for (int i = 0; i < 2; i++) {
        uint32_t txn = start(0);
        reads(txn, 0, 0);
        history_append(&history, txn, 0);
        history_end(&history, txn, HISTORY_OK, 10);
    }
    reads(ends_with(40), 0, 1, 2, 0);
    is_bad("lost update");
}
END_TEST

START_TEST(an_old_read_after_an_answer_is_stale)
{
    begin();
    append_one(0, 0, 10, HISTORY_OK);
    reads(ends_with(20), 0, 0);
    reads(ends_with(40), 0, 1, 0);
    is_bad("stale");
}
END_TEST

START_TEST(an_order_against_time_is_stale)
{
    begin();
    append_one(0, 0, 10, HISTORY_OK);
    append_one(0, 20, 30, HISTORY_OK);
    reads(ends_with(40), 0, 2, 1, 0);
    is_bad("stale");
}
END_TEST

/* ---- sets ---- */

START_TEST(sets_are_read_in_any_order)
{
    begin();
    append_one(SET, 0, 10, HISTORY_OK);
    append_one(SET, 20, 30, HISTORY_OK);
    reads(ends_with(32), SET, 1, 2, 0);
    reads(ends_with(40), SET, 2, 1, 0);
    is_good();
}
END_TEST

START_TEST(a_set_that_lacks_an_answered_value_is_stale)
{
    begin();
    append_one(SET, 0, 10, HISTORY_OK);
    reads(ends_with(20), SET, 0);
    reads(ends_with(40), SET, 1, 0);
    is_bad("stale");
}
END_TEST

START_TEST(a_value_of_a_set_must_not_go)
{
    begin();
    append_one(SET, 0, 10, HISTORY_UNKNOWN);
    append_one(SET, 0, 10, HISTORY_OK);
    append_one(SET, 0, 10, HISTORY_OK);
    reads(ends_with(20), SET, 1, 0);
    reads(ends_with(40), SET, 2, 3, 0);
    is_bad("seen and is gone");
}
END_TEST

/* Each reads a set and adds to the other: a phantom for both. */
START_TEST(phantoms_of_two_sets_are_write_skew)
{
    begin();
    for (uint32_t i = 0; i < 2; i++) {
        uint32_t txn = start(0);
        history_append(&history, txn, SET + i);
        reads(txn, SET + 1 - i, 0);
        history_end(&history, txn, HISTORY_OK, 10);
    }
    uint32_t txn = ends_with(40);
    reads(txn, SET, 1, 0);
    reads(txn, SET + 1, 2, 0);
    is_bad("G2");
}
END_TEST

START_TEST(readers_who_see_two_writers_in_turn_are_a_long_fork)
{
    begin();
    append_one(SET, 0, 100, HISTORY_OK);
    append_one(SET, 0, 100, HISTORY_OK);
    for (uint32_t i = 0; i < 2; i++) {
        uint32_t txn = start(0);
        reads(txn, SET, 1 + i, 0);
        history_end(&history, txn, HISTORY_OK, 100);
    }
    reads(ends_with(200), SET, 1, 2, 0);
    is_bad("G2");
}
END_TEST

/* ---- edges and counters ---- */

static void add_half(struct check_store *store, bool is_out, int64_t edge, uint64_t hash)
{
    struct check_store_half half = {
        .edge = edge, .hash = hash, .vertex = is_out ? 201 : 202, .far = is_out ? 202 : 201};

    check_store_add(store, is_out, &half);
}

START_TEST(halves_that_agree_are_good)
{
    struct check_store store = {0};

    begin();
    add_half(&store, true, 1001, 7);
    add_half(&store, true, 1000, 6);
    add_half(&store, false, 1000, 6);
    add_half(&store, false, 1001, 7);
    ck_assert(check_store_edges(&store, &why));
    ck_assert(check_store_has(&store, 1000));
    ck_assert(!check_store_has(&store, 1002));
    check_store_close(&store);
    finish();
}
END_TEST

START_TEST(half_edges_are_found)
{
    struct check_store out_only = {0};
    struct check_store in_only = {0};
    struct check_store different = {0};

    begin();
    add_half(&out_only, true, 1000, 6);
    add_half(&out_only, true, 1001, 6);
    add_half(&out_only, false, 1001, 6);
    ck_assert(!check_store_edges(&out_only, &why));
    add_half(&in_only, false, 1000, 6);
    ck_assert(!check_store_edges(&in_only, &why));
    add_half(&different, true, 1000, 6);
    add_half(&different, false, 1000, 7);
    ck_assert(!check_store_edges(&different, &why));
    check_store_close(&out_only);
    check_store_close(&in_only);
    check_store_close(&different);
    finish();
}
END_TEST

static bool check_one_edge(enum history_outcome insert, bool is_there,
                           const struct workload_drop *drop)
{
    struct workload_edge edge = {.a = 0, .b = 1, .insert = insert, .told_us = 10};
    struct workload_drop copy = drop == NULL ? (struct workload_drop){0} : *drop;
    static struct workload workload;
    struct check_store store = {0};

    workload.edges = &edge;
    workload.edge_count = 1;
    workload.drops = &copy;
    workload.drop_count = drop != NULL;
    bytes_clear(&why);
    if (is_there) {
        add_half(&store, true, 1000, 6);
    }
    bool is_fine = check_work_edges(&workload, &store, &why);
    check_store_close(&store);
    return is_fine;
}

START_TEST(edges_are_there_as_acknowledged)
{
    struct workload_drop after = {.number = 0, .asked_us = 20, .outcome = HISTORY_OK};
    struct workload_drop beside = {.number = 0, .asked_us = 5, .outcome = HISTORY_OK};
    struct workload_drop failed = {.number = 0, .asked_us = 20, .outcome = HISTORY_FAILED};
    struct workload_drop vertex = {
        .is_vertex = true, .number = 1, .asked_us = 20, .outcome = HISTORY_OK};

    begin();
    ck_assert(check_one_edge(HISTORY_OK, true, NULL));
    ck_assert(!check_one_edge(HISTORY_OK, false, NULL));
    ck_assert(!check_one_edge(HISTORY_FAILED, true, NULL));
    ck_assert(check_one_edge(HISTORY_UNKNOWN, true, NULL));
    ck_assert(check_one_edge(HISTORY_UNKNOWN, false, NULL));
    ck_assert(!check_one_edge(HISTORY_OK, true, &after));
    ck_assert(check_one_edge(HISTORY_OK, false, &after));
    ck_assert(check_one_edge(HISTORY_OK, true, &beside));
    ck_assert(!check_one_edge(HISTORY_OK, false, &failed));
    ck_assert(!check_one_edge(HISTORY_OK, true, &vertex));
    finish();
}
END_TEST

START_TEST(an_edge_that_is_there_twice_is_found)
{
    struct workload_edge edge = {.insert = HISTORY_OK};
    static struct workload workload;
    struct check_store store = {0};

    begin();
    workload.edges = &edge;
    workload.edge_count = 1;
    add_half(&store, true, 1000, 6);
    add_half(&store, true, 1000, 6);
    ck_assert(!check_work_edges(&workload, &store, &why));
    check_store_close(&store);
    finish();
}
END_TEST

START_TEST(counters_count_what_was_acknowledged)
{
    static struct workload workload = {.counted_ok = {3}, .counted_unknown = {1}};
    const uint32_t once[] = {1, 2, 4};
    const uint32_t twice[] = {1, 2, 2};

    begin();
    bytes_append(&workload.counted[0], once, sizeof once);
    ck_assert(check_work_counter(&workload, 0, 3, &why));
    ck_assert(check_work_counter(&workload, 0, 4, &why));
    ck_assert(!check_work_counter(&workload, 0, 2, &why));
    ck_assert(!check_work_counter(&workload, 0, 5, &why));
    bytes_clear(&workload.counted[0]);
    bytes_append(&workload.counted[0], twice, sizeof twice);
    ck_assert(!check_work_counter(&workload, 0, 3, &why));
    bytes_close(&workload.counted[0]);
    finish();
}
END_TEST

RUN_SUITE("check", an_empty_history_is_good, one_after_the_other_is_good,
          who_overlaps_may_come_in_any_order, an_unknown_one_may_have_taken_effect_or_not,
          who_reads_what_it_appended_is_good, applied_twice, half_applied, acknowledged_lost,
          aborted_but_applied, a_read_of_what_was_aborted, a_value_from_nowhere,
          a_value_in_the_wrong_list, reads_in_different_orders, writes_in_a_circle_are_g0,
          each_sees_the_other_is_g1c, neither_sees_the_other_is_write_skew,
          a_read_between_two_halves_is_read_skew,
          two_that_read_the_same_and_append_are_a_lost_update, an_old_read_after_an_answer_is_stale,
          an_order_against_time_is_stale, sets_are_read_in_any_order,
          a_set_that_lacks_an_answered_value_is_stale, a_value_of_a_set_must_not_go,
          phantoms_of_two_sets_are_write_skew, readers_who_see_two_writers_in_turn_are_a_long_fork,
          halves_that_agree_are_good, half_edges_are_found, edges_are_there_as_acknowledged,
          an_edge_that_is_there_twice_is_found, counters_count_what_was_acknowledged)
