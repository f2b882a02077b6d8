#include "router/remote/fetch.h"

#include "common/mem.h"
#include "tests/lib/fake_shards.h"
#include "tests/lib/runner.h"

#include <stdio.h>

enum { MANY = 10000, ROWS = 4096 };

static struct read_input *inputs_of(struct fake *fake, uint32_t count)
{
    struct read_input *inputs = arena_array(&fake->arena, count, sizeof *inputs);

    for (uint32_t i = 0; i < count; i++) {
        inputs[i] = (struct read_input){.id = vid_num(i), .bulk = 1};
    }
    return inputs;
}

static struct read_request hop_of(struct fake *fake, uint32_t count, enum read_emit emit)
{
    return (struct read_request){.source = READ_IDS,
                                 .emit = emit,
                                 .input_count = count,
                                 .inputs = inputs_of(fake, count),
                                 .hop.direction = DIRECTION_OUT};
}

static uint32_t answer_all(struct fake *fake, uint32_t fan)
{
    size_t at = 0;
    uint32_t count = 0;
    const struct message *sent;

    while ((sent = fake_sent(fake, &at, MESSAGE_READ)) != NULL) {
        fake_answer_read(fake, sent, fan, (struct slice){0});
        count++;
    }
    return count;
}

/* All rows until there are none now; the sum of bulks. */
static uint64_t drain(struct fetch *fetch, struct exec *exec, enum pull *last, uint32_t *rows)
{
    struct read_row *row = mem_array(ROWS, sizeof *row);
    uint64_t bulk = 0;
    uint32_t count;

    *rows = 0;
    while ((*last = fetch_next(fetch, exec, row, ROWS, &count)) == PULL_BATCH) {
        for (uint32_t i = 0; i < count; i++) {
            bulk += row[i].bulk;
        }
        *rows += count;
    }
    mem_free(row);
    return bulk;
}

START_TEST(a_hop_over_10000_vertices_on_4_shards_is_4_requests)
{
    struct fake fake;
    struct op op = {0};
    enum pull last;
    uint32_t rows;

    fake_open(&fake, 4, PARTITION_HASH);
    struct read_request spec = hop_of(&fake, MANY, READ_ROWS);
    struct fetch *fetch = fetch_start(&fake.exec, &op, &spec);
    ck_assert_uint_eq(fake_count(&fake, MESSAGE_READ), 4);
    ck_assert_uint_eq(fake.exec.waiting, 1);
    ck_assert_uint_eq(drain(fetch, &fake.exec, &last, &rows), 0);
    ck_assert_int_eq(last, PULL_WAIT);
    ck_assert_uint_eq(answer_all(&fake, 2), 4);
    ck_assert(fake.exec.txn->is_woken);
    ck_assert_uint_eq(drain(fetch, &fake.exec, &last, &rows), 2 * MANY);
    ck_assert_int_eq(last, PULL_DONE);
    ck_assert(fetch_is_complete(fetch));
    ck_assert_uint_eq(fake_count(&fake, MESSAGE_READ), 4);
    ck_assert_uint_eq(op.stats.requests, 4);
    ck_assert_uint_eq(op.stats.scanned, 28);
    ck_assert_uint_eq(fake.exec.waiting, 0);
    fetch_close(&fetch, &fake.exec);
    fake_close(&fake);
}
END_TEST

START_TEST(inputs_go_to_their_owners_and_rows_come_back_with_their_ordinals)
{
    struct fake fake;
    struct read_row rows[64];
    uint32_t count, total = 0;

    fake_open(&fake, 4, PARTITION_HASH);
    struct read_request spec = hop_of(&fake, 50, READ_ROWS);
    struct fetch *fetch = fetch_start(&fake.exec, NULL, &spec);
    const struct shardmap *map = remote_map(fake.remote);
    size_t at = 0;
    for (const struct message *sent; (sent = fake_sent(&fake, &at, MESSAGE_READ)) != NULL;) {
        struct read_request read = fake_read(&fake, sent);
        for (uint32_t i = 0; i < read.input_count; i++) {
            uint32_t owner = shardmap_lookup(map, map->graphs, &read.inputs[i].id);
            ck_assert_uint_eq(map->shards[owner].shard, sent->shard);
        }
        ck_assert_uint_eq(sent->epoch, 3);
        ck_assert(sent->peer == PEER_NODE(PEER_SHARDD, sent->shard - FAKE_SHARD + 1));
    }
    answer_all(&fake, 1);
    while (fetch_next(fetch, &fake.exec, rows, 64, &count) == PULL_BATCH) {
        for (uint32_t i = 0; i < count; i++) {
            ck_assert_int_eq(rows[i].element.vertex->id.integer, (int64_t)rows[i].ordinal * 10);
        }
        total += count;
    }
    ck_assert_uint_eq(total, 50);
    fetch_close(&fetch, &fake.exec);
    fake_close(&fake);
}
END_TEST

START_TEST(places_agree_with_the_map)
{
    struct fake fake;
    char text[32];

    fake_open(&fake, 7, PARTITION_HASH);
    const struct shardmap *map = remote_map(fake.remote);
    struct read_input *inputs = arena_array(&fake.arena, 2000, sizeof *inputs);
    for (int i = 0; i < 2000; i++) {
        int size = snprintf(text, sizeof text, "id-%d", i);
        inputs[i].bulk = 1;
        inputs[i].id =
            i % 2 == 0
                ? vid_num(i - 500)
                : vid_text(slice_of(arena_copy(&fake.arena, text, (size_t)size), (size_t)size));
    }
    struct read_request spec = {
        .source = READ_IDS, .emit = READ_COUNT, .input_count = 2000, .inputs = inputs};
    struct fetch *fetch = fetch_start(&fake.exec, NULL, &spec);
    size_t at = 0;
    for (const struct message *sent; (sent = fake_sent(&fake, &at, MESSAGE_READ)) != NULL;) {
        struct read_request read = fake_read(&fake, sent);
        for (uint32_t i = 0; i < read.input_count; i++) {
            uint32_t owner = shardmap_lookup(map, map->graphs, &read.inputs[i].id);
            ck_assert_uint_eq(map->shards[owner].shard, sent->shard);
        }
    }
    fetch_close(&fetch, &fake.exec);
    fake_close(&fake);
}
END_TEST

START_TEST(equal_vertices_of_several_shards_are_merged)
{
    struct fake fake;
    enum pull last;
    uint32_t rows;

    fake_open(&fake, 4, PARTITION_HASH);
    struct read_request spec = hop_of(&fake, 100, READ_MERGED);
    for (uint32_t i = 0; i < 100; i++) {
        /* The far vertices of the fake are id * 10: half of them twice. */
        ((struct read_input *)(uintptr_t)&spec.inputs[i])->bulk = 3;
    }
    struct fetch *fetch = fetch_start(&fake.exec, NULL, &spec);
    size_t at = 0;
    uint32_t asked = 0;
    for (const struct message *sent; (sent = fake_sent(&fake, &at, MESSAGE_READ)) != NULL;) {
        struct message copy = *sent;
        /* Every shard answers for the same two vertices. */
        struct read_request two = {.source = READ_IDS,
                                   .emit = READ_MERGED,
                                   .input_count = 2,
                                   .inputs = spec.inputs,
                                   .hop.direction = DIRECTION_OUT};
        struct bytes body;
        bytes_init(&body, 0);
        read_request_encode(&body, &two);
        copy.body = bytes_slice(&body);
        fake_answer_read(&fake, &copy, 1, (struct slice){0});
        bytes_close(&body);
        asked++;
    }
    ck_assert_uint_eq(drain(fetch, &fake.exec, &last, &rows), 2 * 3 * asked);
    ck_assert_uint_eq(rows, 2);
    ck_assert_int_eq(last, PULL_DONE);
    fetch_close(&fetch, &fake.exec);
    fake_close(&fake);
}
END_TEST

START_TEST(counts_are_summed_to_one_row_even_of_nothing)
{
    struct fake fake;
    enum pull last;
    uint32_t rows;

    fake_open(&fake, 4, PARTITION_HASH);
    struct read_request spec = hop_of(&fake, 100, READ_COUNT);
    struct fetch *fetch = fetch_start(&fake.exec, NULL, &spec);
    answer_all(&fake, 5);
    ck_assert_uint_eq(drain(fetch, &fake.exec, &last, &rows), 500);
    ck_assert_uint_eq(rows, 1);
    fetch_close(&fetch, &fake.exec);
    spec.input_count = 0;
    fetch = fetch_start(&fake.exec, NULL, &spec);
    ck_assert_uint_eq(drain(fetch, &fake.exec, &last, &rows), 0);
    ck_assert_uint_eq(rows, 1);
    ck_assert_int_eq(last, PULL_DONE);
    fetch_close(&fetch, &fake.exec);
    fake_close(&fake);
}
END_TEST

START_TEST(a_cut_answer_is_continued)
{
    struct fake fake;
    enum pull last;
    uint32_t rows;

    fake_open(&fake, 1, PARTITION_HASH);
    struct read_request spec = hop_of(&fake, 10, READ_ROWS);
    struct fetch *fetch = fetch_start(&fake.exec, NULL, &spec);
    size_t at = 0;
    fake_answer_read(&fake, fake_sent(&fake, &at, MESSAGE_READ), 1, SLICE("more"));
    const struct message *second = fake_sent(&fake, &at, MESSAGE_READ);
    ck_assert_ptr_nonnull(second);
    ck_assert(slice_equal(fake_read(&fake, second).cursor, SLICE("more")));
    /* One ahead, no more: the third is asked for when the first is taken. */
    fake_answer_read(&fake, second, 1, SLICE("yet more"));
    ck_assert_ptr_null(fake_sent(&fake, &at, MESSAGE_READ));
    ck_assert_uint_eq(drain(fetch, &fake.exec, &last, &rows), 20);
    ck_assert_int_eq(last, PULL_WAIT);
    const struct message *third = fake_sent(&fake, &at, MESSAGE_READ);
    ck_assert(slice_equal(fake_read(&fake, third).cursor, SLICE("yet more")));
    fake_answer_read(&fake, third, 1, (struct slice){0});
    ck_assert_uint_eq(drain(fetch, &fake.exec, &last, &rows), 10);
    ck_assert_int_eq(last, PULL_DONE);
    ck_assert(fake.exec.txn->is_spread);
    fetch_close(&fetch, &fake.exec);
    fake_close(&fake);
}
END_TEST

START_TEST(a_small_limit_asks_one_shard_after_the_other)
{
    struct fake fake;
    struct read_request spec = {.source = READ_VERTICES, .emit = READ_ROWS, .limit = 5};
    struct read_row rows[8];
    uint32_t count;

    fake_open(&fake, 4, PARTITION_HASH);
    struct fetch *fetch = fetch_start(&fake.exec, NULL, &spec);
    ck_assert_uint_eq(fake_count(&fake, MESSAGE_READ), 1);
    size_t at = 0;
    fake_answer_read(&fake, fake_sent(&fake, &at, MESSAGE_READ), 0, (struct slice){0});
    ck_assert_int_eq(fetch_next(fetch, &fake.exec, rows, 8, &count), PULL_WAIT);
    ck_assert_uint_eq(fake_count(&fake, MESSAGE_READ), 2);
    fetch_close(&fetch, &fake.exec);
    ck_assert_uint_eq(fake_count(&fake, MESSAGE_CANCEL), 1);
    fake_close(&fake);
}
END_TEST

START_TEST(a_limit_ends_the_fetch_and_cancels_the_rest)
{
    struct fake fake;
    struct read_row rows[64];
    uint32_t count;

    fake_open(&fake, 4, PARTITION_HASH);
    struct read_request spec = hop_of(&fake, 100, READ_ROWS);
    spec.limit = 3;
    struct fetch *fetch = fetch_start(&fake.exec, NULL, &spec);
    size_t at = 0;
    fake_answer_read(&fake, fake_sent(&fake, &at, MESSAGE_READ), 2, (struct slice){0});
    ck_assert_int_eq(fetch_next(fetch, &fake.exec, rows, 64, &count), PULL_BATCH);
    ck_assert_uint_eq(count, 3);
    ck_assert_uint_eq(fake_count(&fake, MESSAGE_CANCEL), 3);
    ck_assert_int_eq(fetch_next(fetch, &fake.exec, rows, 64, &count), PULL_DONE);
    fetch_close(&fetch, &fake.exec);
    fake_close(&fake);
}
END_TEST

START_TEST(edges_not_found_where_their_id_leads_are_sought_everywhere)
{
    struct fake fake;
    enum pull last;
    uint32_t rows;

    fake_open(&fake, 4, PARTITION_HASH);
    struct read_request spec = {.source = READ_EDGE_IDS,
                                .emit = READ_ROWS,
                                .input_count = 1,
                                .inputs = inputs_of(&fake, 1)};
    struct fetch *fetch = fetch_start(&fake.exec, NULL, &spec);
    ck_assert_uint_eq(fake_count(&fake, MESSAGE_READ), 1);
    uint32_t home = fake.out.items[0].shard;
    answer_all(&fake, 0);
    fake_clear(&fake);
    drain(fetch, &fake.exec, &last, &rows);
    ck_assert_int_eq(last, PULL_WAIT);
    ck_assert_uint_eq(fake_count(&fake, MESSAGE_READ), 3);
    for (size_t i = 0; i < fake.out.count; i++) {
        ck_assert_uint_ne(fake.out.items[i].shard, home);
    }
    size_t at = 0;
    fake_answer_read(&fake, fake_sent(&fake, &at, MESSAGE_READ), 1, (struct slice){0});
    fake_answer_read(&fake, fake_sent(&fake, &at, MESSAGE_READ), 0, (struct slice){0});
    fake_answer_read(&fake, fake_sent(&fake, &at, MESSAGE_READ), 0, (struct slice){0});
    drain(fetch, &fake.exec, &last, &rows);
    ck_assert_uint_eq(rows, 1);
    ck_assert_int_eq(last, PULL_DONE);
    fetch_close(&fetch, &fake.exec);
    fake_close(&fake);
}
END_TEST

START_TEST(an_edge_found_where_its_id_leads_is_sought_nowhere_else)
{
    struct fake fake;
    enum pull last;
    uint32_t rows;

    fake_open(&fake, 4, PARTITION_HASH);
    struct read_request spec = {.source = READ_EDGE_IDS,
                                .emit = READ_ROWS,
                                .input_count = 1,
                                .inputs = inputs_of(&fake, 1)};
    struct fetch *fetch = fetch_start(&fake.exec, NULL, &spec);
    answer_all(&fake, 1);
    drain(fetch, &fake.exec, &last, &rows);
    ck_assert_uint_eq(rows, 1);
    ck_assert_int_eq(last, PULL_DONE);
    ck_assert_uint_eq(fake_count(&fake, MESSAGE_READ), 1);
    fetch_close(&fetch, &fake.exec);
    fake_close(&fake);
}
END_TEST

START_TEST(a_wrong_epoch_is_sent_again_with_the_new_map)
{
    struct fake fake;
    struct bytes map;
    enum pull last;
    uint32_t rows;

    fake_open(&fake, 2, PARTITION_HASH);
    struct read_request spec = hop_of(&fake, 10, READ_ROWS);
    struct fetch *fetch = fetch_start(&fake.exec, NULL, &spec);
    size_t at = 0;
    struct message first = *fake_sent(&fake, &at, MESSAGE_READ);
    fake_answer_read(&fake, fake_sent(&fake, &at, MESSAGE_READ), 1, (struct slice){0});
    fake_refuse(&fake, &first, E_WRONG_EPOCH);
    at = 0;
    struct message get = *fake_sent(&fake, &at, MESSAGE_MAP_GET);
    ck_assert_uint_eq(fake_count(&fake, MESSAGE_READ), 2);
    bytes_init(&map, 0);
    fake_map(&map, 2, 4, 2, PARTITION_HASH);
    fake_answer(&fake, &get, MESSAGE_MAP, bytes_slice(&map));
    bytes_close(&map);
    ck_assert_uint_eq(fake_count(&fake, MESSAGE_READ), 3);
    const struct message *again = &fake.out.items[fake.out.count - 1];
    ck_assert_uint_eq(again->epoch, 4);
    ck_assert_uint_eq(again->shard, first.shard);
    ck_assert_uint_ne(again->req_id, first.req_id);
    fake_answer_read(&fake, again, 1, (struct slice){0});
    ck_assert_uint_eq(drain(fetch, &fake.exec, &last, &rows), 10);
    ck_assert_int_eq(last, PULL_DONE);
    fetch_close(&fetch, &fake.exec);
    fake_close(&fake);
}
END_TEST

START_TEST(a_new_primary_is_asked_as_soon_as_the_map_names_it)
{
    struct fake fake;
    struct bytes map;
    enum pull last;
    uint32_t rows;

    fake_open(&fake, 1, PARTITION_HASH);
    struct read_request spec = hop_of(&fake, 10, READ_ROWS);
    struct fetch *fetch = fetch_start(&fake.exec, NULL, &spec);
    struct message first = fake.out.items[0];
    struct message push = {.type = MESSAGE_MAP, .peer = PEER_NODE(PEER_COORDINATOR, 1)};
    bytes_init(&map, 0);
    fake_map(&map, 2, 4, 1, PARTITION_HASH);
    push.body = bytes_slice(&map);
    remote_message(fake.remote, &push);
    bytes_close(&map);
    ck_assert_uint_eq(fake_count(&fake, MESSAGE_READ), 2);
    struct message second = fake.out.items[fake.out.count - 1];
    ck_assert_uint_eq(second.epoch, 4);
    fake_answer_read(&fake, &first, 1, (struct slice){0}); /* Nobody waits for it any more. */
    ck_assert_uint_eq(drain(fetch, &fake.exec, &last, &rows), 0);
    fake_answer_read(&fake, &second, 1, (struct slice){0});
    ck_assert_uint_eq(drain(fetch, &fake.exec, &last, &rows), 10);
    fetch_close(&fetch, &fake.exec);
    fake_close(&fake);
}
END_TEST

START_TEST(a_graph_split_meanwhile_is_a_conflict)
{
    struct fake fake;
    struct bytes map;
    struct read_row row;
    uint32_t count;

    fake_open(&fake, 2, PARTITION_HASH);
    struct read_request spec = hop_of(&fake, 10, READ_ROWS);
    struct fetch *fetch = fetch_start(&fake.exec, NULL, &spec);
    size_t at = 0;
    struct message first = *fake_sent(&fake, &at, MESSAGE_READ);
    fake_refuse(&fake, &first, E_WRONG_EPOCH);
    at = 0;
    struct message get = *fake_sent(&fake, &at, MESSAGE_MAP_GET);
    bytes_init(&map, 0);
    fake_map(&map, 2, 4, 3, PARTITION_HASH);
    fake_answer(&fake, &get, MESSAGE_MAP, bytes_slice(&map));
    bytes_close(&map);
    ck_assert_int_eq(fetch_next(fetch, &fake.exec, &row, 1, &count), PULL_ERROR);
    ck_assert_int_eq(fake.exec.error.code, E_CONFLICT);
    fetch_close(&fetch, &fake.exec);
    fake_close(&fake);
}
END_TEST

START_TEST(silence_is_followed_by_the_same_request_and_one_answer_counts)
{
    struct fake fake;
    enum pull last;
    uint32_t rows;

    fake_open(&fake, 1, PARTITION_HASH);
    struct read_request spec = hop_of(&fake, 10, READ_ROWS);
    struct fetch *fetch = fetch_start(&fake.exec, NULL, &spec);
    fake_wait(&fake, 499);
    ck_assert_uint_eq(fake_count(&fake, MESSAGE_READ), 1);
    fake_wait(&fake, 1);
    ck_assert_uint_eq(fake_count(&fake, MESSAGE_READ), 2);
    size_t at = 0;
    struct message first = *fake_sent(&fake, &at, MESSAGE_READ);
    struct message second = *fake_sent(&fake, &at, MESSAGE_READ);
    ck_assert_uint_eq(first.req_id, second.req_id);
    ck_assert(slice_equal(first.body, second.body));
    fake_answer_read(&fake, &first, 1, (struct slice){0});
    fake_answer_read(&fake, &second, 1, (struct slice){0});
    ck_assert_uint_eq(drain(fetch, &fake.exec, &last, &rows), 10);
    ck_assert_int_eq(last, PULL_DONE);
    ck_assert_uint_eq(remote_counters(fake.remote)->late, 1);
    fetch_close(&fetch, &fake.exec);
    fake_close(&fake);
}
END_TEST

START_TEST(a_shard_out_of_reach_is_asked_until_the_deadline)
{
    struct fake fake;
    struct read_row row;
    uint32_t count;

    fake_open(&fake, 1, PARTITION_HASH);
    fake.exec.deadline_ms = fake.now_ms + 3000;
    struct read_request spec = hop_of(&fake, 10, READ_ROWS);
    struct fetch *fetch = fetch_start(&fake.exec, NULL, &spec);
    ck_assert_uint_eq(fake.out.items[0].deadline_ms, 3000);
    fake_wait(&fake, 2999);
    ck_assert_int_eq(fetch_next(fetch, &fake.exec, &row, 1, &count), PULL_WAIT);
    fake_wait(&fake, 1);
    ck_assert_int_eq(fetch_next(fetch, &fake.exec, &row, 1, &count), PULL_ERROR);
    ck_assert_int_eq(fake.exec.error.code, E_TIMEOUT);
    fetch_close(&fetch, &fake.exec);
    fake_close(&fake);
}
END_TEST

START_TEST(a_locked_item_is_a_conflict)
{
    struct fake fake;
    struct read_row row;
    uint32_t count;

    fake_open(&fake, 1, PARTITION_HASH);
    struct read_request spec = hop_of(&fake, 10, READ_ROWS);
    struct fetch *fetch = fetch_start(&fake.exec, NULL, &spec);
    fake_refuse(&fake, &fake.out.items[0], E_CONFLICT);
    ck_assert_int_eq(fetch_next(fetch, &fake.exec, &row, 1, &count), PULL_ERROR);
    ck_assert_int_eq(fake.exec.error.code, E_CONFLICT);
    fetch_close(&fetch, &fake.exec);
    fake_close(&fake);
}
END_TEST

START_TEST(the_transactions_own_changes_travel_with_the_read)
{
    struct fake fake;
    struct change other = {
        .kind = CHANGE_VERTEX_ADD, .vertex = vid_num(99), .label = SLICE("person")};
    struct change change = {
        .kind = CHANGE_VERTEX_ADD, .vertex = vid_num(2), .label = SLICE("person")};
    struct read_row rows[16];
    uint32_t count;

    fake_open(&fake, 1, PARTITION_HASH);
    ck_assert_int_eq(transaction_change(fake.exec.txn, &fake.exec, &other, NULL), E_OK);
    ck_assert_int_eq(transaction_change(fake.exec.txn, &fake.exec, &change, NULL), E_OK);
    struct read_request spec = hop_of(&fake, 3, READ_ROWS);
    struct fetch *fetch = fetch_start(&fake.exec, NULL, &spec);
    struct read_request read = fake_read(&fake, &fake.out.items[0]);
    struct reader reader;
    struct change got;
    reader_init(&reader, read.staged);
    ck_assert_uint_eq(reader_varint(&reader), 1);
    change_decode(&reader, &fake.arena, &got);
    ck_assert_int_eq(reader_finish(&reader, "changes", NULL), E_OK);
    ck_assert(vid_equal(&got.vertex, &change.vertex));
    answer_all(&fake, 1);
    ck_assert_int_eq(fetch_next(fetch, &fake.exec, rows, 16, &count), PULL_BATCH);
    ck_assert_uint_eq(rows[0].element.vertex->seen, 2);
    fetch_close(&fetch, &fake.exec);
    fake_close(&fake);
}
END_TEST

START_TEST(a_row_of_an_input_never_sent_is_malformed)
{
    struct fake fake;
    struct read_row row;
    uint32_t count;

    fake_open(&fake, 1, PARTITION_HASH);
    struct read_request spec = hop_of(&fake, 1, READ_ROWS);
    struct read_request more = hop_of(&fake, 2, READ_ROWS);
    struct fetch *fetch = fetch_start(&fake.exec, NULL, &spec);
    struct message copy = fake.out.items[0];
    struct bytes body;
    bytes_init(&body, 0);
    read_request_encode(&body, &more);
    copy.body = bytes_slice(&body);
    fake_answer_read(&fake, &copy, 1, (struct slice){0});
    bytes_close(&body);
    ck_assert_int_eq(fetch_next(fetch, &fake.exec, &row, 1, &count), PULL_BATCH);
    ck_assert_int_eq(fetch_next(fetch, &fake.exec, &row, 1, &count), PULL_ERROR);
    ck_assert_int_eq(fake.exec.error.code, E_MALFORMED);
    fetch_close(&fetch, &fake.exec);
    fake_close(&fake);
}
END_TEST

RUN_SUITE("fetch", a_hop_over_10000_vertices_on_4_shards_is_4_requests,
          inputs_go_to_their_owners_and_rows_come_back_with_their_ordinals,
          places_agree_with_the_map, equal_vertices_of_several_shards_are_merged,
          counts_are_summed_to_one_row_even_of_nothing, a_cut_answer_is_continued,
          a_small_limit_asks_one_shard_after_the_other, a_limit_ends_the_fetch_and_cancels_the_rest,
          edges_not_found_where_their_id_leads_are_sought_everywhere,
          an_edge_found_where_its_id_leads_is_sought_nowhere_else,
          a_wrong_epoch_is_sent_again_with_the_new_map, a_graph_split_meanwhile_is_a_conflict,
          a_new_primary_is_asked_as_soon_as_the_map_names_it,
          silence_is_followed_by_the_same_request_and_one_answer_counts,
          a_shard_out_of_reach_is_asked_until_the_deadline, a_locked_item_is_a_conflict,
          the_transactions_own_changes_travel_with_the_read,
          a_row_of_an_input_never_sent_is_malformed)
