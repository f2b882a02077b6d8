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
     .index_count = 1,
     .indexes = indexes,
     .shard_first = 0,
     .shard_count = 2},
    {.graph = 2,
     .name = TEXT("r"),
     .partitioner = PARTITION_RANGE,
     .ids = IDS_INT,
     .schema_version = 1,
     .shard_first = 2,
     .shard_count = 2},
};

static struct shardmap_shard shards[] = {
    {.shard = 1,
     .graph = 1,
     .epoch = 3,
     .cfgver = 4,
     .primary = 11,
     .primary_boot = 77,
     .hi = TEXT("\x80\0\0\0\0\0\0\0")},
    {.shard = 2,
     .graph = 1,
     .epoch = 2,
     .cfgver = 2,
     .primary = 12,
     .lo = TEXT("\x80\0\0\0\0\0\0\0")},
    {.shard = 3,
     .graph = 2,
     .epoch = 1,
     .cfgver = 1,
     .primary = 11,
     .primary_boot = 77,
     .hi = TEXT("\x01\x80\0\0\0\0\0\0\x64")},
    {.shard = 5,
     .graph = 2,
     .epoch = 1,
     .cfgver = 1,
     .primary = 12,
     .lo = TEXT("\x01\x80\0\0\0\0\0\0\x64")},
};

static struct shardmap_node nodes[] = {
    {.node = 11, .boot = 77, .address = TEXT("tcp://a:1"), .is_up = true},
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
    ck_assert_str_eq(text, "0107"
                           "0102030405060708"
                           "0402"
                           "010167010101020106"
                           "6279436f6465"
                           "07616972706f7274"
                           "04636f6465"
                           "02"
                           "0103040b000000000000004d00088000000000000000"
                           "0202020c000000000000000008800000000000000000"
                           "02017202020001"
                           "0002"
                           "0301010b000000000000004d0009018000000000000064"
                           "0501010c00000000000000000901800000000000006400"
                           "02"
                           "0b000000000000004d097463703a2f2f613a3101"
                           "0c000000000000004e097463703a2f2f623a3100");
    ck_assert_int_eq(shardmap_decode(bytes_slice(&bytes), &back, NULL), E_OK);
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

RUN_SUITE("shardmap", map_golden, gaps_are_refused, ids_find_their_shard, placement_is_pinned,
          dump_is_for_people)
