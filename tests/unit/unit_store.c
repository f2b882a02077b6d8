#include <stdio.h>
#include <string.h>

#include "tests/lib/runner.h"
#include "tests/lib/storefix.h"

/* A small graph: 1 -knows-> 2, 1 -knows-> 3, 1 -likes-> 3, 3 -knows-> 1. */
static void fill(struct storefix *fix)
{
    storefix_vertex_with(fix, vid_num(1), "person", "name", value_cstring("marko"));
    storefix_vertex_with(fix, vid_num(2), "person", "name", value_cstring("vadas"));
    storefix_vertex_with(fix, vid_num(3), "software", "lang", value_cstring("java"));
    storefix_edge(fix, 10, 1, 2, "knows");
    storefix_edge(fix, 11, 1, 3, "knows");
    storefix_edge(fix, 12, 1, 3, "likes");
    storefix_edge(fix, 13, 3, 1, "knows");
    storefix_commit(fix);
}

static void check_text(struct storefix *fix, const struct read_request *request, const char *wanted)
{
    ck_assert_str_eq(storefix_text(fix, request), wanted);
}

START_TEST(test_ids)
{
    const int64_t ids[] = {3, 1, 9};
    struct storefix fix;
    struct read_request request = {.source = READ_IDS, .emit = READ_ROWS, .input_count = 3};

    storefix_open(&fix);
    fill(&fix);
    request.inputs = storefix_ids(&fix, 3, ids);
    check_text(&fix, &request, "v[1]:person v[3]:software");
    request.project = READ_ALL;
    check_text(&fix, &request, "v[1]:person,name=marko v[3]:software,lang=java");
    ck_assert_str_eq((const char *)arena_format(&fix.arena, "%.*s", (int)fix.open.head.access.size,
                                                (const char *)fix.open.head.access.data),
                     "ids");
    ck_assert_uint_eq(storefix_count(&fix, &request), 2);
    storefix_reopen(&fix);
    check_text(&fix, &request, "v[1]:person,name=marko v[3]:software,lang=java");
    storefix_close(&fix);
}
END_TEST

START_TEST(test_hop)
{
    const int64_t ids[] = {1, 3};
    const struct slice labels[] = {SLICE("knows"), SLICE("nothing")};
    struct storefix fix;
    struct read_request request = {.source = READ_IDS,
                                   .emit = READ_ROWS,
                                   .input_count = 2,
                                   .hop = {.direction = DIRECTION_OUT}};

    storefix_open(&fix);
    fill(&fix);
    request.inputs = storefix_ids(&fix, 2, ids);
    check_text(&fix, &request, "v[1]:person v[2]:person v[3]:person v[3]:person");
    ck_assert_uint_eq(storefix_count(&fix, &request), 4);
    request.hop.labels = labels;
    request.hop.label_count = 2;
    check_text(&fix, &request, "v[1]:person v[2]:person v[3]:person");
    ck_assert_uint_eq(storefix_count(&fix, &request), 3);
    request.hop.direction = DIRECTION_BOTH;
    check_text(&fix, &request, "v[1]:person v[1]:person v[2]:person v[3]:person v[3]:person");
    request.emit = READ_COUNT_EACH;
    check_text(&fix, &request, "0:3 1:2");
    request.emit = READ_MERGED;
    check_text(&fix, &request, "v[1]:person*2 v[2]:person v[3]:person*2");
    request.emit = READ_ROWS;
    request.hop.to_edges = true;
    request.hop.direction = DIRECTION_IN;
    check_text(&fix, &request, "e[11][1-knows->3] e[13][3-knows->1]");
    storefix_close(&fix);
}
END_TEST

START_TEST(test_scans)
{
    struct storefix fix;
    struct read_request request = {.source = READ_VERTICES, .emit = READ_ROWS};

    storefix_open(&fix);
    fill(&fix);
    check_text(&fix, &request, "v[1]:person v[2]:person v[3]:software");
    request.emit = READ_LABEL_COUNTS;
    check_text(&fix, &request, "person:2 software:1");
    request.emit = READ_ROWS;
    request.filter_count = 1;
    request.filters = storefix_filter(&fix, READ_ON_LABEL, NULL,
                                      storefix_test(&fix, PREDICATE_EQ, value_cstring("person")));
    check_text(&fix, &request, "v[1]:person v[2]:person");
    ck_assert(slice_equal(fix.open.head.access, SLICE("label index")));
    ck_assert_uint_eq(storefix_count(&fix, &request), 2);
    request.filters = storefix_filter(&fix, READ_ON_KEY, "name",
                                      storefix_test(&fix, PREDICATE_EQ, value_cstring("vadas")));
    check_text(&fix, &request, "v[2]:person");
    ck_assert(slice_equal(fix.open.head.access, SLICE("scan")));
    request.filters = storefix_filter(&fix, READ_ON_ABSENT, "name", NULL);
    check_text(&fix, &request, "v[3]:software");
    request = (struct read_request){.source = READ_EDGES, .emit = READ_ROWS};
    check_text(&fix, &request,
               "e[10][1-knows->2] e[11][1-knows->3] e[12][1-likes->3] e[13][3-knows->1]");
    ck_assert_uint_eq(storefix_count(&fix, &request), 4);
    request.emit = READ_LABEL_COUNTS;
    check_text(&fix, &request, "knows:3 likes:1");
    storefix_close(&fix);
}
END_TEST

START_TEST(test_edge_ids)
{
    const int64_t ids[] = {12, 10, 77};
    struct storefix fix;
    struct read_request request = {.source = READ_EDGE_IDS, .emit = READ_ROWS, .input_count = 3};

    storefix_open(&fix);
    fill(&fix);
    request.inputs = storefix_ids(&fix, 3, ids);
    check_text(&fix, &request, "e[10][1-knows->2] e[12][1-likes->3]");
    storefix_drop_edge(&fix, 12, 1, 3, "likes");
    storefix_commit(&fix);
    check_text(&fix, &request, "e[10][1-knows->2]");
    storefix_close(&fix);
}
END_TEST

/* 0 was taken for none: a made id stood in its place, and dropping it dropped all of the key. */
START_TEST(a_property_id_of_zero)
{
    const struct vproperty props[] = {
        {.id = value_long(0), .key = SLICE("k"), .value = value_int(1)},
        {.id = value_long(5), .key = SLICE("k"), .value = value_int(2), .cardinality = 1}};
    const int64_t ids[] = {1};
    struct read_request request = {
        .source = READ_IDS, .emit = READ_ROWS, .project = READ_ALL, .input_count = 1};
    struct storefix fix;

    storefix_open(&fix);
    request.inputs = storefix_ids(&fix, 1, ids);
    storefix_add(&fix, &(struct change){.kind = CHANGE_VERTEX_ADD,
                                        .vertex = vid_num(1),
                                        .label = SLICE("v"),
                                        .vprops = props,
                                        .vprop_count = 2});
    storefix_commit(&fix);
    ck_assert_str_eq(storefix_text(&fix, &request), "v[1]:v,k=1,k=2");
    storefix_add(&fix, &(struct change){.kind = CHANGE_VPROP_DROP,
                                        .vertex = vid_num(1),
                                        .key = SLICE("k"),
                                        .prop_id = CHANGE_PROP_ZERO});
    storefix_commit(&fix);
    ck_assert_str_eq(storefix_text(&fix, &request), "v[1]:v,k=2");
    storefix_close(&fix);
}
END_TEST

RUN_SUITE("store", a_property_id_of_zero, test_ids, test_hop, test_scans, test_edge_ids)
