#include <stdio.h>
#include <string.h>

#include "shardd/read/scan_edges.h"
#include "shardd/read/scan_emit.h"
#include "shardd/read/scan_filter.h"
#include "shardd/read/scan_hop.h"
#include "shardd/read/scan_path.h"
#include "shardd/read/scan_source.h"
#include "tests/lib/runner.h"
#include "tests/lib/storefix.h"

/* Access paths, cursors, limits, filters, read sets. */

static void define(struct storefix *fix, const char *name, const char *label, const char *key)
{
    struct bytes body;

    bytes_init(&body, 0);
    bytes_varint(&body, 3);
    bytes_varint(&body, 1);
    bytes_blob(&body, slice_text(name));
    bytes_blob(&body, slice_text(label));
    bytes_blob(&body, slice_text(key));
    storefix_entry(fix, STORE_SCHEMA, bytes_slice(&body));
    bytes_close(&body);
    ck_assert_uint_eq(store_state(fix->store).schema_version, 3);
}

static void build(struct storefix *fix)
{
    while (store_tend(fix->store, 100, &fix->err)) {
    }
}

static void add(struct storefix *fix, int64_t id, const char *label, struct value value)
{
    storefix_vertex_with(fix, vid_num(id), label, "k", value);
}

static const char *where(struct storefix *fix, enum predicate_test test, struct value operand)
{
    struct read_request request = {
        .source = READ_VERTICES,
        .emit = READ_ROWS,
        .filters = storefix_filter(fix, READ_ON_KEY, "k", storefix_test(fix, test, operand)),
        .filter_count = 1};

    return storefix_text(fix, &request);
}

static void on_fault(void *ctx, const char *what)
{
    (void)ctx;
    ck_abort_msg("verify: %s", what);
}

/* The same questions by scan and by index. */
static void ask(struct storefix *fix)
{
    ck_assert_str_eq(where(fix, PREDICATE_EQ, value_int(5)), "v[3]:a v[4]:b v[9]:a");
    ck_assert_str_eq(where(fix, PREDICATE_EQ, value_double(5.0)), "v[3]:a v[4]:b v[9]:a");
    ck_assert_str_eq(where(fix, PREDICATE_LT, value_int(5)), "v[1]:a v[2]:a v[9]:a");
    ck_assert_str_eq(where(fix, PREDICATE_LTE, value_double(5.5)),
                     "v[1]:a v[2]:a v[3]:a v[4]:b v[5]:b v[9]:a");
    ck_assert_str_eq(where(fix, PREDICATE_GT, value_long(5)), "v[5]:b v[9]:a");
    ck_assert_str_eq(where(fix, PREDICATE_STARTING_WITH, value_cstring("ab")), "v[6]:a v[7]:a");
    ck_assert_str_eq(where(fix, PREDICATE_GTE, value_cstring("abc")), "v[7]:a v[8]:a");
    ck_assert_str_eq(where(fix, PREDICATE_EQ, value_bool(true)), "v[10]:a");
    ck_assert_str_eq(where(fix, PREDICATE_NEQ, value_int(5)),
                     "v[10]:a v[1]:a v[2]:a v[5]:b v[6]:a v[7]:a v[8]:a v[9]:a");
}

START_TEST(test_index)
{
    struct storefix fix;
    struct change list = {.kind = CHANGE_VPROP_SET,
                          .vertex = vid_num(9),
                          .key = SLICE("k"),
                          .cardinality = CARDINALITY_LIST - CARDINALITY_SINGLE};

    storefix_open(&fix);
    add(&fix, 1, "a", value_int(-3));
    add(&fix, 2, "a", value_double(4.25));
    add(&fix, 3, "a", value_int(5));
    add(&fix, 4, "b", value_long(5));
    add(&fix, 5, "b", value_double(5.5));
    add(&fix, 6, "a", value_cstring("ab"));
    add(&fix, 7, "a", value_cstring("abc"));
    add(&fix, 8, "a", value_cstring("b"));
    add(&fix, 10, "a", value_bool(true));
    storefix_vertex(&fix, 9, "a");
    for (int i = 4; i < 7; i++) {
        list.value = value_int(i);
        storefix_add(&fix, &list);
    }
    storefix_commit(&fix);
    ask(&fix);
    ck_assert(slice_equal(fix.open.head.access, SLICE("scan")));
    define(&fix, "byK", "", "k");
    ask(&fix);
    ck_assert(slice_equal(fix.open.head.access, SLICE("scan")));
    build(&fix);
    ask(&fix);
    (void)where(&fix, PREDICATE_EQ, value_int(5));
    ck_assert(slice_equal(fix.open.head.access, SLICE("index byK")));
    ck_assert_int_eq(store_verify(fix.store, on_fault, NULL, &fix.err), E_OK);
    storefix_set(&fix, 3, "k", value_int(77));
    storefix_commit(&fix);
    ck_assert_str_eq(where(&fix, PREDICATE_EQ, value_int(5)), "v[4]:b v[9]:a");
    ck_assert_str_eq(where(&fix, PREDICATE_EQ, value_int(77)), "v[3]:a");
    define(&fix, "other", "", "k");
    build(&fix);
    ck_assert_str_eq(where(&fix, PREDICATE_EQ, value_int(77)), "v[3]:a");
    ck_assert(slice_equal(fix.open.head.access, SLICE("index other")));
    storefix_close(&fix);
}
END_TEST

/* An index of one label is used only for that label. */
START_TEST(test_index_of_label)
{
    struct storefix fix;
    struct read_filter filters[2];
    struct read_request request = {
        .source = READ_VERTICES, .emit = READ_ROWS, .filters = filters, .filter_count = 2};

    storefix_open(&fix);
    define(&fix, "aK", "a", "k");
    build(&fix);
    add(&fix, 1, "a", value_int(1));
    add(&fix, 2, "b", value_int(1));
    storefix_commit(&fix);
    ck_assert_str_eq(where(&fix, PREDICATE_EQ, value_int(1)), "v[1]:a v[2]:b");
    ck_assert(slice_equal(fix.open.head.access, SLICE("scan")));
    filters[0] = *storefix_filter(&fix, READ_ON_LABEL, NULL,
                                  storefix_test(&fix, PREDICATE_EQ, value_cstring("a")));
    filters[1] =
        *storefix_filter(&fix, READ_ON_KEY, "k", storefix_test(&fix, PREDICATE_EQ, value_int(1)));
    ck_assert_str_eq(storefix_text(&fix, &request), "v[1]:a");
    ck_assert(slice_equal(fix.open.head.access, SLICE("index aK")));
    filters[0] = *storefix_filter(&fix, READ_ON_LABEL, NULL,
                                  storefix_test(&fix, PREDICATE_EQ, value_cstring("b")));
    ck_assert_str_eq(storefix_text(&fix, &request), "v[2]:b");
    ck_assert(slice_equal(fix.open.head.access, SLICE("label index")));
    storefix_close(&fix);
}
END_TEST

/* ---- cursors ---- */

static void star(struct storefix *fix, int64_t count)
{
    storefix_vertex(fix, 0, "hub");
    for (int64_t i = 1; i <= count; i++) {
        storefix_vertex_with(fix, vid_num(i), i % 2 == 0 ? "even" : "odd", "k", value_long(i % 10));
        storefix_edge(fix, 1000 + i, 0, i, i % 3 == 0 ? "x" : "y");
        storefix_edge(fix, 5000 + i, i, i % 7 + 1, "z");
    }
    storefix_commit(fix);
}

/* Reads with a budget of so many rows a call until the end; counts the calls. */
static uint64_t read_in_pieces(struct storefix *fix, struct read_request request, uint64_t rows,
                               uint64_t *calls)
{
    const struct store_budget budget = {.rows = rows};
    uint64_t sum = 0;

    *calls = 0;
    do {
        struct read_row row;

        bytes_clear(&fix->reply);
        ck_assert_msg(store_read(fix->store, &request, &budget, &fix->reply, &fix->err) == E_OK,
                      "%s", fix->err.text);
        read_reply_close(&fix->open);
        ck_assert_int_eq(
            read_reply_open(bytes_slice(&fix->reply), &fix->arena, false, &fix->open, &fix->err),
            E_OK);
        while (storefix_next(fix, &row)) {
            sum += row.bulk;
        }
        request.cursor = slice_of(
            arena_copy(&fix->arena, fix->open.head.cursor.data, fix->open.head.cursor.size),
            fix->open.head.cursor.size);
        (*calls)++;
        ck_assert_uint_lt(*calls, 100000);
    } while (request.cursor.size > 0);
    return sum;
}

static void check_pieces(struct storefix *fix, const struct read_request *request, uint64_t wanted)
{
    static const uint64_t budgets[] = {1, 2, 3, 7, 50, 1000, 1000000};
    uint64_t calls;

    for (size_t i = 0; i < sizeof budgets / sizeof budgets[0]; i++) {
        ck_assert_uint_eq(read_in_pieces(fix, *request, budgets[i], &calls), wanted);
    }
    ck_assert_uint_eq(calls, 1);
}

START_TEST(test_cursors)
{
    enum { COUNT = 700 };
    int64_t ids[COUNT];
    struct storefix fix;
    struct read_request request = {.source = READ_VERTICES, .emit = READ_ROWS};

    storefix_open(&fix);
    star(&fix, COUNT);
    for (int i = 0; i < COUNT; i++) {
        ids[i] = (i * 37 + 5) % COUNT; /* 0 is the hub. */
    }
    check_pieces(&fix, &request, COUNT + 1);
    request.filters = storefix_filter(&fix, READ_ON_LABEL, NULL,
                                      storefix_test(&fix, PREDICATE_EQ, value_cstring("odd")));
    request.filter_count = 1;
    check_pieces(&fix, &request, COUNT / 2);
    request.hop.direction = DIRECTION_OUT;
    check_pieces(&fix, &request, COUNT / 2);
    request = (struct read_request){
        .source = READ_VERTICES, .emit = READ_ROWS, .hop = {.direction = DIRECTION_BOTH}};
    check_pieces(&fix, &request, 4 * COUNT);
    request.emit = READ_MERGED;
    check_pieces(&fix, &request, 4 * COUNT);
    request = (struct read_request){.source = READ_EDGES, .emit = READ_ROWS};
    check_pieces(&fix, &request, 2 * COUNT);
    request = (struct read_request){.source = READ_IDS,
                                    .emit = READ_ROWS,
                                    .inputs = storefix_ids(&fix, COUNT, ids),
                                    .input_count = COUNT,
                                    .hop = {.direction = DIRECTION_OUT}};
    check_pieces(&fix, &request, COUNT + COUNT - 1);
    request.hop.to_edges = true;
    request.project = READ_ALL;
    check_pieces(&fix, &request, COUNT + COUNT - 1);
    /* A vertex of the cache was passed over if the budget ended before its far ends. */
    request.hop.to_edges = false;
    request.emit = READ_MERGED;
    request.hop.far_filters = storefix_filter(
        &fix, READ_ON_LABEL, NULL, storefix_test(&fix, PREDICATE_EQ, value_cstring("person")));
    request.hop.far_filter_count = 1;
    check_pieces(&fix, &request, COUNT + COUNT - 1);
    request.hop.to_edges = true;
    request.emit = READ_COUNT_EACH;
    request.hop.far_filters = storefix_filter(
        &fix, READ_ON_LABEL, NULL, storefix_test(&fix, PREDICATE_EQ, value_cstring("person")));
    request.hop.far_filter_count = 1;
    check_pieces(&fix, &request, COUNT + COUNT - 1);
    define(&fix, "byK", "", "k");
    build(&fix);
    request = (struct read_request){
        .source = READ_VERTICES,
        .emit = READ_ROWS,
        .filters = storefix_filter(&fix, READ_ON_KEY, "k",
                                   storefix_test(&fix, PREDICATE_LT, value_int(3))),
        .filter_count = 1};
    check_pieces(&fix, &request, 3 * COUNT / 10);
    ck_assert(slice_equal(fix.open.head.access, SLICE("index byK")));
    request.hop.direction = DIRECTION_OUT;
    check_pieces(&fix, &request, 3 * COUNT / 10);
    storefix_close(&fix);
}
END_TEST

START_TEST(test_limits)
{
    const int64_t ids[] = {0, 1, 2};
    struct storefix fix;
    struct read_request request = {.source = READ_IDS,
                                   .emit = READ_ROWS,
                                   .input_count = 3,
                                   .hop = {.direction = DIRECTION_OUT}};
    uint64_t calls;

    storefix_open(&fix);
    star(&fix, 300);
    request.inputs = storefix_ids(&fix, 3, ids);
    request.limit = 250;
    check_pieces(&fix, &request, 250);
    request.limit = 0;
    request.limit_each = 5;
    check_pieces(&fix, &request, 7);
    request.limit = 6;
    check_pieces(&fix, &request, 6);
    request.emit = READ_COUNT;
    ck_assert_uint_eq(storefix_count(&fix, &request), 6);
    request = (struct read_request){.source = READ_VERTICES, .emit = READ_ROWS, .limit = 10};
    check_pieces(&fix, &request, 10);
    ck_assert_uint_eq(read_in_pieces(&fix, request, 0, &calls), 10);
    ck_assert_uint_eq(fix.open.head.cursor.size, 0);
    storefix_close(&fix);
}
END_TEST

START_TEST(test_bulks)
{
    const struct read_input inputs[] = {{vid_num(1), 3}, {vid_num(0), 2}, {vid_num(1), 1}};
    struct storefix fix;
    struct read_request request = {.source = READ_IDS,
                                   .emit = READ_COUNT_EACH,
                                   .inputs = inputs,
                                   .input_count = 3,
                                   .hop = {.direction = DIRECTION_OUT}};

    storefix_open(&fix);
    star(&fix, 10);
    ck_assert_str_eq(storefix_text(&fix, &request), "0:3 1:20 2:1");
    ck_assert_uint_eq(storefix_count(&fix, &request), 24);
    request.emit = READ_MERGED;
    ck_assert_str_eq(storefix_text(&fix, &request),
                     "v[10]:person*2 v[1]:person*2 v[2]:person*6 v[3]:person*2 v[4]:person*2 "
                     "v[5]:person*2 v[6]:person*2 v[7]:person*2 v[8]:person*2 v[9]:person*2");
    storefix_close(&fix);
}
END_TEST

/* From the cache and from runs the answer is the same, before and after a change. */
START_TEST(test_cache)
{
    const int64_t ids[] = {0};
    struct storefix fix;
    struct read_request request = {.source = READ_IDS,
                                   .emit = READ_ROWS,
                                   .input_count = 1,
                                   .hop = {.direction = DIRECTION_OUT}};
    const char *first;

    storefix_open(&fix);
    star(&fix, 400);
    request.inputs = storefix_ids(&fix, 1, ids);
    first = storefix_text(&fix, &request);
    ck_assert_str_eq(storefix_text(&fix, &request), first);
    storefix_drop_edge(&fix, 1001, 0, 1, "y");
    storefix_commit(&fix);
    ck_assert_uint_eq(storefix_count(&fix, &request), 399);
    ck_assert_str_ne(storefix_text(&fix, &request), first);
    storefix_close(&fix);
}
END_TEST

/* ---- read sets ---- */

static bool depends(struct storefix *fix, const struct read_request *request, uint16_t slot)
{
    ck_assert_int_eq(storefix_read(fix, request), E_OK);
    return txn_readset_has(&fix->open.head.readset, slot);
}

START_TEST(test_read_sets)
{
    const int64_t ids[] = {1};
    const struct vid one = vid_num(1);
    const struct slice none = {0};
    const struct value five = value_int(5);
    const struct slice label = SLICE("y");
    struct storefix fix;
    struct read_request request = {.source = READ_IDS, .emit = READ_ROWS, .input_count = 1};

    storefix_open(&fix);
    star(&fix, 10);
    request.inputs = storefix_ids(&fix, 1, ids);
    ck_assert(depends(&fix, &request, item_slot_vertex(ITEM_EXISTS, &one, none)));
    ck_assert(!depends(&fix, &request, item_slot_vertex(ITEM_PROPS, &one, none)));
    ck_assert_uint_eq(fix.open.head.readset.first_index, store_state(fix.store).applied);
    ck_assert_uint_eq(fix.open.head.read_index, store_state(fix.store).applied);
    request.project = READ_ALL;
    ck_assert(depends(&fix, &request, item_slot_vertex(ITEM_PROPS, &one, none)));
    request.project = READ_NOTHING;
    request.hop.direction = DIRECTION_OUT;
    ck_assert(depends(&fix, &request, item_slot_vertex(ITEM_OUT, &one, none)));
    request.hop.labels = &label;
    request.hop.label_count = 1;
    request.hop.direction = DIRECTION_IN;
    ck_assert(depends(&fix, &request, item_slot_vertex(ITEM_IN, &one, label)));
    ck_assert(!depends(&fix, &request, item_slot_vertex(ITEM_OUT, &one, label)));
    request.skip_readset = true;
    ck_assert(!depends(&fix, &request, item_slot_vertex(ITEM_IN, &one, label)));
    request = (struct read_request){
        .source = READ_VERTICES,
        .emit = READ_ROWS,
        .filters = storefix_filter(&fix, READ_ON_KEY, "k", storefix_test(&fix, PREDICATE_EQ, five)),
        .filter_count = 1};
    ck_assert(depends(&fix, &request, item_slot_name(ITEM_VERTICES, none)));
    ck_assert(depends(&fix, &request, item_slot_name(ITEM_KEY, SLICE("k"))));
    define(&fix, "byK", "", "k");
    build(&fix);
    ck_assert(depends(&fix, &request, item_slot_value(SLICE("k"), &five)));
    ck_assert(!depends(&fix, &request, item_slot_name(ITEM_VERTICES, none)));
    request = (struct read_request){.source = READ_EDGES, .emit = READ_COUNT};
    ck_assert(depends(&fix, &request, item_slot_name(ITEM_EDGES, none)));
    storefix_close(&fix);
}
END_TEST

RUN_SUITE("store_read", test_index, test_index_of_label, test_cursors, test_limits, test_bulks,
          test_cache, test_read_sets)
