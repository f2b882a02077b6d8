#include "common/nodeset.h"
#include "common/shardmap.h"

#include "tests/lib/runner.h"

#include <stdio.h>
#include <string.h>

#define TEXT(literal)                                   \
    {                                                   \
        (const uint8_t *)(literal), sizeof(literal) - 1 \
    }

static const struct shardmap_index indexes[] = {
    {TEXT("byCode"), TEXT("airport"), TEXT("code")},
};

static struct shardmap_graph graphs[] = {
    {.graph = 1,
     .name = TEXT("g"),
     .partitioner = PARTITION_HASH,
     .ids = IDS_LONG,
     .is_ready = true,
     .schema_version = 2,
     .replica_count = 2,
     .min_insync = 1,
     .index_count = 1,
     .indexes = indexes,
     .shard_first = 0,
     .shard_count = 2},
    {.graph = 2,
     .name = TEXT("r"),
     .partitioner = PARTITION_RANGE,
     .ids = IDS_INT,
     .schema_version = 1,
     .replica_count = 3,
     .min_insync = 2,
     .shard_first = 2,
     .shard_count = 2},
};

static struct shardmap_shard shards[] = {
    {.shard = 1,
     .graph = 1,
     .epoch = 3,
     .cfgver = 4,
     .primary = 11,
     .replicas = {2, {11, 12}},
     .isr = {2, {11, 12}},
     .primary_boot = 77,
     .hi = TEXT("\x80\0\0\0\0\0\0\0")},
    {.shard = 2,
     .graph = 1,
     .epoch = 2,
     .cfgver = 2,
     .primary = 12,
     .replicas = {2, {11, 12}},
     .isr = {1, {12}},
     .lo = TEXT("\x80\0\0\0\0\0\0\0")},
    {.shard = 3,
     .graph = 2,
     .epoch = 1,
     .cfgver = 1,
     .primary = 11,
     .replicas = {2, {11, 12}},
     .isr = {2, {11, 12}},
     .primary_boot = 77,
     .hi = TEXT("\x01\x80\0\0\0\0\0\0\x64")},
    {.shard = 5,
     .graph = 2,
     .epoch = 1,
     .cfgver = 1,
     .primary = 12,
     .replicas = {2, {11, 12}},
     .isr = {1, {12}},
     .elr = {1, {11}},
     .lo = TEXT("\x01\x80\0\0\0\0\0\0\x64")},
};

static struct shardmap_node nodes[] = {
    {.node = 11, .boot = 77, .address = TEXT("tcp://a:1"), .zone = TEXT("z"), .is_up = true},
    {.node = 12, .boot = 78, .address = TEXT("tcp://b:1")},
};

static struct shardmap sample(void)
{
    return (struct shardmap){.version = 7,
                             .cluster_id = 0x0102030405060708,
                             .graph_count = 2,
                             .shard_count = 4,
                             .node_count = 2,
                             .graphs = graphs,
                             .shards = shards,
                             .nodes = nodes};
}

START_TEST(map_golden)
{
    struct shardmap map = sample();
    struct shardmap back;
    struct bytes bytes;
    struct bytes again;
    char text[1024];

    bytes_init(&bytes, 0);
    bytes_init(&again, 0);
    shardmap_encode(&bytes, &map);
    ck_assert_uint_lt(bytes.size * 2, sizeof text);
    for (size_t i = 0; i < bytes.size; i++) {
        snprintf(text + 2 * i, 3, "%02x", bytes.data[i]);
    }
    ck_assert_str_eq(text, "0207"
                           "0102030405060708"
                           "040201016701010102020101"
                           "066279436f6465"
                           "07616972706f7274"
                           "04636f6465"
                           "020103040b000000000000004d020b0c020b0c0000088000000000000000"
                           "0202020c0000000000000000020b0c010c0008800000000000000000"
                           "0201720202000103020002"
                           "0301010b000000000000004d020b0c020b0c000009018000000000000064"
                           "0501010c0000000000000000020b0c010c010b0901800000000000006400"
                           "020b000000000000004d097463703a2f2f613a31017a01"
                           "0c000000000000004e097463703a2f2f623a310000");
    ck_assert_int_eq(shardmap_decode(bytes_slice(&bytes), &back, NULL), E_OK);
    ck_assert_uint_eq(back.shards[3].min_insync, 2);
    shardmap_encode(&again, &back);
    ck_assert(slice_equal(bytes_slice(&bytes), bytes_slice(&again)));
    for (size_t size = 0; size < bytes.size; size++) {
        struct shardmap cut;
        ck_assert_int_eq(shardmap_decode(slice_of(bytes.data, size), &cut, NULL), E_MALFORMED);
    }
    shardmap_close(&back);
    bytes_close(&bytes);
    bytes_close(&again);
}
END_TEST

START_TEST(gaps_are_refused)
{
    struct shardmap map = sample();
    struct shardmap back;
    struct bytes bytes;
    struct slice saved = shards[1].lo;

    bytes_init(&bytes, 0);
    shards[1].lo = SLICE("\x81\0\0\0\0\0\0\0");
    shardmap_encode(&bytes, &map);
    shards[1].lo = saved;
    ck_assert_int_eq(shardmap_decode(bytes_slice(&bytes), &back, NULL), E_MALFORMED);
    bytes_close(&bytes);
}
END_TEST

/* Encodes the sample with the fourth shard changed, and reads it. */
static int read_changed(const struct shardmap_shard *changed)
{
    struct shardmap map = sample();
    struct shardmap_shard saved = shards[3];
    struct shardmap back;
    struct bytes bytes;

    bytes_init(&bytes, 0);
    shards[3] = *changed;
    shardmap_encode(&bytes, &map);
    shards[3] = saved;
    int rc = shardmap_decode(bytes_slice(&bytes), &back, NULL);
    if (rc == E_OK) {
        shardmap_close(&back);
    }
    bytes_close(&bytes);
    return rc;
}

START_TEST(sets_that_do_not_fit_are_refused)
{
    struct shardmap_shard shard = shards[3];

    ck_assert_int_eq(read_changed(&shard), E_OK);
    shard.primary = 11; /* Not in sync. */
    ck_assert_int_eq(read_changed(&shard), E_MALFORMED);
    shard = shards[3];
    shard.isr = (struct nodeset){2, {12, 13}}; /* 13 is no replica. */
    ck_assert_int_eq(read_changed(&shard), E_MALFORMED);
    shard = shards[3];
    shard.elr = nodeset_of(12); /* In sync, and out of it. */
    ck_assert_int_eq(read_changed(&shard), E_MALFORMED);
    shard = shards[3];
    shard.replicas = (struct nodeset){2, {12, 11}}; /* No order. */
    ck_assert_int_eq(read_changed(&shard), E_MALFORMED);
}
END_TEST

START_TEST(another_format_is_told)
{
    struct shardmap back;
    struct error err;

    ck_assert_int_eq(shardmap_decode(SLICE("\x01\x07"), &back, &err), E_MALFORMED);
    ck_assert_ptr_nonnull(strstr(err.text, "format 1, this process reads 2"));
}
END_TEST

START_TEST(roles)
{
    const struct shardmap_shard *shard = &shards[3];
    struct shardmap map = sample();

    ck_assert_int_eq(shardmap_role(&shards[0], 11, 77), SHARDMAP_PRIMARY);
    ck_assert_int_eq(shardmap_role(&shards[0], 11, 78), SHARDMAP_BACKUP); /* Started again. */
    ck_assert_int_eq(shardmap_role(&shards[0], 12, 78), SHARDMAP_BACKUP);
    ck_assert_int_eq(shardmap_role(shard, 11, 77), SHARDMAP_LEARNER);
    ck_assert_int_eq(shardmap_role(shard, 13, 77), SHARDMAP_STRANGER);
    struct nodeset learners = shardmap_learners(shard);
    struct nodeset want = nodeset_of(11);
    ck_assert(nodeset_equal(&learners, &want));
    ck_assert_uint_eq(shardmap_node(&map, 12)->boot, 78);
    ck_assert_ptr_null(shardmap_node(&map, 13));
}
END_TEST

START_TEST(sets_of_nodes)
{
    struct nodeset set = {0};
    struct nodeset part = {3, {1, 4, 9}};
    struct bytes text = {0};

    for (uint32_t i = NODESET_MAX; i > 0; i--) {
        ck_assert(nodeset_add(&set, 2 * i));
    }
    ck_assert(nodeset_add(&set, 4)); /* There already. */
    ck_assert(!nodeset_add(&set, 5));
    ck_assert(nodeset_has(&set, 14) && !nodeset_has(&set, 15));
    ck_assert(!nodeset_holds(&set, &part));
    struct nodeset rest = nodeset_minus(&part, &set);
    struct nodeset want = {2, {1, 9}};
    ck_assert(nodeset_equal(&rest, &want));
    rest = nodeset_union(&rest, &part);
    ck_assert(nodeset_equal(&rest, &part));
    nodeset_remove(&set, 7);
    ck_assert_uint_eq(set.count, NODESET_MAX);
    for (uint32_t i = 1; i <= NODESET_MAX; i++) {
        nodeset_remove(&set, 2 * i);
    }
    ck_assert_uint_eq(set.count, 0);
    nodeset_dump(&text, &set);
    nodeset_dump(&text, &part);
    ck_assert(slice_equal(bytes_slice(&text), SLICE("-1 4 9")));
    bytes_close(&text);
}
END_TEST

START_TEST(ids_find_their_shard)
{
    struct shardmap map = sample();
    struct vid below = vid_num(-5);
    struct vid edge = vid_num(100);
    struct vid before = vid_num(99);
    struct vid text = vid_text(SLICE("abc"));

    ck_assert_uint_eq(shardmap_lookup(&map, &graphs[1], &below), 2);
    ck_assert_uint_eq(shardmap_lookup(&map, &graphs[1], &before), 2);
    ck_assert_uint_eq(shardmap_lookup(&map, &graphs[1], &edge), 3);
    ck_assert_uint_eq(shardmap_lookup(&map, &graphs[1], &text), 3);
    ck_assert_ptr_eq(shardmap_graph(&map, SLICE("r")), &graphs[1]);
    ck_assert_ptr_null(shardmap_graph(&map, SLICE("x")));
    ck_assert_ptr_eq(shardmap_shard(&map, 5), &shards[3]);
    ck_assert_ptr_eq(shardmap_graph_by_id(&map, 2), &graphs[1]);
}
END_TEST

/* Where a vertex lives is for ever: a change here loses every stored graph. */
START_TEST(placement_is_pinned)
{
    struct shardmap map = sample();
    struct bytes key;
    struct vid one = vid_num(1);
    struct vid text = vid_text(SLICE("a"));
    uint32_t count = 0;

    bytes_init(&key, 0);
    shardmap_key(PARTITION_HASH, &one, &key);
    shardmap_key(PARTITION_HASH, &text, &key);
    ck_assert_uint_eq(key.size, 16);
    char hex[33];
    for (size_t i = 0; i < 16; i++) {
        snprintf(hex + 2 * i, 3, "%02x", key.data[i]);
    }
    ck_assert_str_eq(hex, "d7cc94ee6eaa6c1f9091446d5e370d89");
    for (int64_t i = 0; i < 10000; i++) {
        struct vid id = vid_num(i);
        count += shardmap_lookup(&map, &graphs[0], &id);
    }
    ck_assert_uint_gt(count, 4700);
    ck_assert_uint_lt(count, 5300);
    bytes_close(&key);
}
END_TEST

START_TEST(dump_is_for_people)
{
    struct shardmap map = sample();
    struct bytes out;

    bytes_init(&out, 0);
    shardmap_dump(&out, &map);
    bytes_u8(&out, 0);
    ck_assert_ptr_nonnull(strstr((const char *)out.data, "graph 1 \"g\" hash ids long schema 2\n"
                                                         "  index byCode on 'airport' code\n"
                                                         "  shard 1 [..8000000000000000) epoch 3"));
    bytes_close(&out);
}
END_TEST

RUN_SUITE("shardmap", map_golden, gaps_are_refused, sets_that_do_not_fit_are_refused,
          another_format_is_told, roles, sets_of_nodes, ids_find_their_shard, placement_is_pinned,
          dump_is_for_people)
