#include "router/run/bulk.h"

#include "tests/lib/memory_cluster.h"
#include "tests/lib/runner.h"

#include <string.h>

/* Batches: what is refused before anything is read, and what a whole cluster makes of them. */

static struct exec exec;
static struct bytes batch;
static struct error err;
static struct memory_cluster cluster;

static void setup(void)
{
    memset(&exec, 0, sizeof(exec));
    arena_init(&exec.arena, 0);
    bytes_init(&batch, 0);
}

static void teardown(void)
{
    bytes_close(&batch);
    arena_close(&exec.stream);
    arena_close(&exec.arena);
}

static void add_vertex(int64_t id, const char *label)
{
    struct change vertex = {
        .kind = CHANGE_VERTEX_ADD, .vertex = vid_num(id), .label = slice_text(label)};

    bulk_encode_vertex(&batch, &vertex);
}

/* Labels of ends are left to the router. */
static void add_edge(int64_t from, int64_t to, int64_t id)
{
    struct change edge = {.kind = CHANGE_EDGE_ADD,
                          .direction = DIRECTION_OUT,
                          .vertex = vid_num(from),
                          .far = vid_num(to),
                          .edge = vid_num(id),
                          .label = SLICE("e")};

    bulk_encode_edge(&batch, &edge, SLICE(""), id != 0);
}

static int open_batch(uint32_t *count)
{
    struct bulk *bulk = NULL;
    int rc = bulk_open(&exec, bytes_slice(&batch), &bulk, &err);

    *count = rc == E_OK ? bulk_count(bulk) : 0;
    bulk_close(&bulk, &exec);
    ck_assert_ptr_null(bulk);
    return rc;
}

START_TEST(records_are_counted)
{
    uint32_t count;

    setup();
    ck_assert_int_eq(open_batch(&count), E_OK);
    ck_assert_uint_eq(count, 0);
    for (int i = 0; i < 1500; i++) {
        add_vertex(i, "v");
        add_edge(i, i + 1, i % 2);
    }
    ck_assert_int_eq(open_batch(&count), E_OK);
    ck_assert_uint_eq(count, 3000);
    teardown();
}
END_TEST

START_TEST(bad_form_is_refused)
{
    struct change vertex = {.kind = CHANGE_VERTEX_ADD, .vertex = vid_num(1), .label = SLICE("v")};
    struct change in = {.kind = CHANGE_EDGE_ADD,
                        .direction = DIRECTION_IN,
                        .vertex = vid_num(1),
                        .far = vid_num(2),
                        .edge = vid_num(3),
                        .label = SLICE("e")};
    uint32_t count;

    setup();
    bytes_u8(&batch, 4);
    ck_assert_int_eq(open_batch(&count), E_MALFORMED);
    bytes_clear(&batch);
    add_edge(1, 2, 3);
    batch.size--;
    ck_assert_int_eq(open_batch(&count), E_MALFORMED);
    bytes_clear(&batch);
    bytes_u8(&batch, BULK_VERTEX);
    change_encode(&batch, &in);
    ck_assert_int_eq(open_batch(&count), E_MALFORMED);
    for (int record = BULK_EDGE; record <= BULK_EDGE_NO_ID; record++) {
        bytes_clear(&batch);
        bytes_u8(&batch, (uint8_t)record);
        bytes_blob(&batch, SLICE("v"));
        change_encode(&batch, record == BULK_EDGE ? &vertex : &in);
        ck_assert_int_eq(open_batch(&count), E_MALFORMED);
    }
    teardown();
}
END_TEST

START_TEST(a_batch_too_long_is_refused)
{
    uint32_t count;

    setup();
    for (int i = 0; i <= BULK_ELEMENTS_MAX; i++) {
        add_vertex(i, "v");
    }
    ck_assert_int_eq(open_batch(&count), E_LIMIT);
    teardown();
}
END_TEST

static void loads(const char *answer)
{
    const char *told = memory_cluster_load(&cluster, bytes_slice(&batch));

    ck_assert_msg(strstr(told, answer) != NULL, "'%s' is not in: %s", answer, told);
    bytes_clear(&batch);
}

START_TEST(a_batch_is_all_or_nothing)
{
    setup();
    memory_cluster_open(&cluster, 1, "hash");
    add_vertex(1, "a");
    add_vertex(2, "b");
    loads("204 ");
    add_edge(1, 2, 9);
    add_edge(1, 2, 0);
    loads("204 ");
    ck_assert_str_eq(memory_cluster_query(&cluster, "g.E(9).inV().label()"), "200 [b]");
    ck_assert_str_eq(memory_cluster_query(&cluster, "g.V(2).in('e').label()"), "200 [a, a]");
    add_edge(2, 1, 10);
    add_edge(1, 99, 11);
    loads("there is no vertex 99");
    add_vertex(3, "c");
    add_vertex(1, "a");
    loads("exists already");
    ck_assert_str_eq(memory_cluster_query(&cluster, "g.V().count()"), "200 [2]");
    ck_assert_str_eq(memory_cluster_query(&cluster, "g.E().count()"), "200 [2]");
    memory_cluster_close(&cluster);
    teardown();
}
END_TEST

RUN_SUITE("bulk", records_are_counted, bad_form_is_refused, a_batch_too_long_is_refused,
          a_batch_is_all_or_nothing)
