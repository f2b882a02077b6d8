/* Frames are text (fake_wire.c). */
#include "router/run/results.h"

#include "common/element.h"
#include "tests/lib/runner.h"

#include <string.h>

static struct arena arena;
static struct request request;
static struct results results;

static void open_results(enum request_op op)
{
    arena_init(&arena, 0);
    request = (struct request){.op = op, .has_id = true};
    results_init(&results, &request);
    results.result_max = 1000;
    results.batch_size = 3;
}

static void close_results(void)
{
    results_close(&results);
    arena_close(&arena);
}

static int add(int32_t number, uint64_t bulk)
{
    struct value value = value_int(number);

    return results_add(&results, &arena, &value, bulk, NULL);
}

static void frame_is(uint32_t i, int status, const char *text)
{
    ck_assert_uint_lt(i, results.frame_count);
    struct bytes *body = &results.frames[i].body;
    ck_assert_int_eq(results.frames[i].status, status);
    ck_assert_msg(body->size == strlen(text) && memcmp(body->data, text, body->size) == 0,
                  "'%.*s' is not '%s'", (int)body->size, (const char *)body->data, text);
}

START_TEST(a_full_frame_goes_when_there_is_more)
{
    open_results(REQUEST_EVAL);
    for (int i = 0; i < 3; i++) {
        ck_assert_int_eq(add(i, 1), E_OK);
    }
    ck_assert_uint_eq(results.frame_count, 0);
    ck_assert_int_eq(add(3, 1), E_OK);
    ck_assert_int_eq(results_finish(&results, &arena, NULL), E_OK);
    ck_assert_uint_eq(results.frame_count, 2);
    frame_is(0, 206, "206 [0, 1, 2]");
    frame_is(1, 200, "200 [3]");
    close_results();
}
END_TEST

START_TEST(exactly_a_frame_is_one_frame)
{
    open_results(REQUEST_EVAL);
    for (int i = 0; i < 3; i++) {
        add(i, 1);
    }
    results_finish(&results, &arena, NULL);
    ck_assert_uint_eq(results.frame_count, 1);
    frame_is(0, 200, "200 [0, 1, 2]");
    close_results();
}
END_TEST

START_TEST(nothing_is_no_content_but_an_empty_list_over_http)
{
    open_results(REQUEST_EVAL);
    results_finish(&results, &arena, NULL);
    frame_is(0, 204, "204 ");
    results_clear(&results);
    request.is_single = true;
    results_finish(&results, &arena, NULL);
    frame_is(0, 200, "200 []");
    close_results();
}
END_TEST

START_TEST(http_gets_all_in_one)
{
    open_results(REQUEST_EVAL);
    request.is_single = true;
    for (int i = 0; i < 5; i++) {
        add(i, 1);
    }
    results_finish(&results, &arena, NULL);
    ck_assert_uint_eq(results.frame_count, 1);
    frame_is(0, 200, "200 [0, 1, 2, 3, 4]");
    close_results();
}
END_TEST

START_TEST(text_unrolls_bulk_and_bytecode_keeps_it)
{
    open_results(REQUEST_EVAL);
    add(7, 3);
    results_finish(&results, &arena, NULL);
    frame_is(0, 200, "200 [7, 7, 7]");
    close_results();
    open_results(REQUEST_BYTECODE);
    add(7, 3);
    results_finish(&results, &arena, NULL);
    frame_is(0, 200, "200 [3x 7]");
    close_results();
}
END_TEST

START_TEST(sets_and_bulk_sets_are_one_value)
{
    open_results(REQUEST_EVAL);
    results.form = RESULTS_SET;
    add(7, 1000000000);
    add(8, 1);
    add(7, 1);
    results_finish(&results, &arena, NULL);
    ck_assert_uint_eq(results.frame_count, 1);
    frame_is(0, 200, "200 [[7, 8]]");
    results_clear(&results);
    results.form = RESULTS_BULK_SET;
    add(7, 2);
    add(8, 1);
    add(7, 1);
    results_finish(&results, &arena, NULL);
    ck_assert_uint_eq(results.frame_count, 1);
    close_results();
}
END_TEST

START_TEST(tokens_take_the_properties_off_however_deep)
{
    struct vproperty property = {.key = SLICE("name")};
    struct vertex vertex = {
        .id = value_int(1), .props = &property, .prop_count = 1, .has_props = true};
    struct value element = value_vertex(&vertex);
    struct path path = {.size = 1, .objects = &element};
    struct value walk = {.kind = VALUE_PATH, .path = &path};

    open_results(REQUEST_EVAL);
    results.tokens_only = true;
    results.form = RESULTS_SET; /* Keeps its values until the end. */
    struct value list = value_items(&arena, VALUE_LIST, &walk, 1);
    ck_assert_int_eq(results_add(&results, &arena, &list, 1, NULL), E_OK);
    const struct value *got = results.values[0].items[0].path->objects;
    ck_assert(!got->vertex->has_props);
    ck_assert_uint_eq(got->vertex->prop_count, 0);
    ck_assert(vertex.has_props);
    close_results();
}
END_TEST

START_TEST(too_many_results_and_too_many_bytes_are_refused)
{
    open_results(REQUEST_EVAL);
    ck_assert_int_eq(add(7, 1001), E_LIMIT);
    results_clear(&results);
    results.bytes_max = 20;
    int rc = E_OK;
    for (int i = 0; i < 100 && rc == E_OK; i++) {
        rc = add(1000 + i, 1);
    }
    ck_assert_int_eq(rc, E_LIMIT);
    close_results();
}
END_TEST

RUN_SUITE("results", a_full_frame_goes_when_there_is_more, exactly_a_frame_is_one_frame,
          nothing_is_no_content_but_an_empty_list_over_http, http_gets_all_in_one,
          text_unrolls_bulk_and_bytecode_keeps_it, sets_and_bulk_sets_are_one_value,
          tokens_take_the_properties_off_however_deep,
          too_many_results_and_too_many_bytes_are_refused)
