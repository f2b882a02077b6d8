#include "router/remote/remote.h"

#include "common/control.h"
#include "router/remote/ids.h"
#include "router/remote/owner.h"
#include "tests/lib/fake_shards.h"
#include "tests/lib/runner.h"

#include <string.h>

static void push_map(struct fake *fake, uint64_t version, uint64_t epoch, uint32_t shards)
{
    struct message message = {.type = MESSAGE_MAP, .peer = PEER_NODE(PEER_COORDINATOR, 1)};
    struct bytes map;

    bytes_init(&map, 0);
    fake_map(&map, version, epoch, shards, PARTITION_HASH);
    message.body = bytes_slice(&map);
    remote_enter(fake->remote, fake->now_ms, &fake->out);
    remote_message(fake->remote, &message);
    bytes_close(&map);
}

START_TEST(registration_goes_over_the_list_until_someone_answers)
{
    const uint32_t coordinators[] = {7, 8, 9};
    struct remote_options options = {.coordinator_count = 3, .coordinators = coordinators};
    struct fake fake = {.now_ms = 100};
    peer_id asked[4];

    outbox_init(&fake.out);
    fake.remote = remote_new(&options);
    fake_wait(&fake, 0);
    for (int i = 0; i < 4; i++) {
        ck_assert_uint_gt(fake.out.count, 0);
        asked[i] = fake.out.items[fake.out.count - 1].peer;
        fake_wait(&fake, 4000);
    }
    ck_assert(asked[0] == PEER_NODE(PEER_COORDINATOR, 7));
    ck_assert(asked[1] == PEER_NODE(PEER_COORDINATOR, 8));
    ck_assert(asked[2] == PEER_NODE(PEER_COORDINATOR, 9));
    ck_assert(asked[3] == PEER_NODE(PEER_COORDINATOR, 7));
    ck_assert_uint_eq(remote_sid(fake.remote), 0);
    ck_assert_ptr_null(remote_map(fake.remote));
    remote_free(&fake.remote);
    outbox_close(&fake.out);
}
END_TEST

START_TEST(a_registration_out_of_form_is_asked_for_again)
{
    const uint32_t coordinators[] = {1};
    struct remote_options options = {.coordinator_count = 1, .coordinators = coordinators};
    struct fake fake = {.now_ms = 100};

    outbox_init(&fake.out);
    fake.remote = remote_new(&options);
    fake_wait(&fake, 0);
    struct message sent = fake.out.items[0];
    fake_answer(&fake, &sent, MESSAGE_ROUTER_REGISTERED, SLICE("nonsense"));
    ck_assert_uint_eq(remote_sid(fake.remote), 0);
    fake_wait(&fake, 500);
    ck_assert_uint_eq(fake_count(&fake, MESSAGE_ROUTER_REGISTER), 2);
    remote_free(&fake.remote);
    outbox_close(&fake.out);
}
END_TEST

START_TEST(only_a_newer_map_is_taken)
{
    struct fake fake;

    fake_open(&fake, 2, PARTITION_HASH);
    push_map(&fake, 5, 9, 3);
    ck_assert_uint_eq(remote_map(fake.remote)->version, 5);
    ck_assert_uint_eq(remote_map(fake.remote)->shard_count, 3);
    push_map(&fake, 4, 1, 2);
    ck_assert_uint_eq(remote_map(fake.remote)->version, 5);
    struct message bad = {.type = MESSAGE_MAP, .body = SLICE("nonsense")};
    remote_message(fake.remote, &bad);
    ck_assert_uint_eq(remote_map(fake.remote)->version, 5);
    fake_close(&fake);
}
END_TEST

START_TEST(a_map_stays_while_a_transaction_may_point_into_it)
{
    struct fake fake;

    fake_open(&fake, 2, PARTITION_HASH);
    const struct shardmap_graph *graph = transaction_graph(fake.exec.txn, &fake.exec);
    push_map(&fake, 5, 9, 3);
    fake_wait(&fake, 1);
    /* The sanitizer sees a use after free here if it was given up. */
    ck_assert_uint_eq(graph->shard_count, 2);
    transaction_free(&fake.exec.txn);
    fake_wait(&fake, 1);
    fake.exec.txn = transaction_new(fake.remote, FAKE_GRAPH);
    ck_assert_uint_eq(transaction_graph(fake.exec.txn, &fake.exec)->shard_count, 3);
    fake_close(&fake);
}
END_TEST

START_TEST(the_map_is_asked_for_now_and_then)
{
    struct fake fake;

    fake_open(&fake, 2, PARTITION_HASH);
    fake_wait(&fake, 5000);
    ck_assert_uint_eq(fake_count(&fake, MESSAGE_MAP_GET), 1);
    struct message sent = fake.out.items[fake.out.count - 1];
    fake_answer(&fake, &sent, MESSAGE_MAP, (struct slice){0});
    ck_assert_uint_eq(remote_map(fake.remote)->version, 1);
    ck_assert_uint_gt(remote_deadline(fake.remote), fake.now_ms);
    fake_close(&fake);
}
END_TEST

START_TEST(numbers_without_an_answer_hold_the_low_one)
{
    struct fake fake;

    fake_open(&fake, 1, PARTITION_HASH);
    uint64_t first = remote_seq(fake.remote);
    uint64_t second = remote_seq(fake.remote);
    uint64_t third = remote_seq(fake.remote);
    ck_assert_uint_eq(remote_low_seq(fake.remote), first);
    remote_answered(fake.remote, second);
    ck_assert_uint_eq(remote_low_seq(fake.remote), first);
    remote_answered(fake.remote, first);
    ck_assert_uint_eq(remote_low_seq(fake.remote), third);
    remote_answered(fake.remote, third);
    ck_assert_uint_eq(remote_low_seq(fake.remote), third + 1);
    fake_close(&fake);
}
END_TEST

START_TEST(owners_agree_with_the_map)
{
    static const enum shardmap_partitioner partitioners[] = {PARTITION_HASH, PARTITION_RANGE};
    char long_text[600];

    memset(long_text, 'x', sizeof long_text);
    for (int p = 0; p < 2; p++) {
        struct fake fake;
        struct owner owner;
        fake_open(&fake, 5, partitioners[p]);
        const struct shardmap *map = remote_map(fake.remote);
        owner_init(&owner, map, map->graphs);
        for (int64_t i = -3000; i < 9000; i += 7) {
            struct vid id = vid_num(i);
            ck_assert_uint_eq(owner_find(&owner, &id), shardmap_lookup(map, map->graphs, &id));
        }
        for (size_t i = 0; i < sizeof long_text; i += 13) {
            struct vid id = vid_text(slice_of(long_text, i));
            ck_assert_uint_eq(owner_find(&owner, &id), shardmap_lookup(map, map->graphs, &id));
        }
        owner_close(&owner);
        fake_close(&fake);
    }
}
END_TEST

START_TEST(ids_come_block_after_block)
{
    struct ids ids = {.graph = 1};
    int64_t id;

    ck_assert(ids_is_low(&ids));
    ck_assert(!ids_next(&ids, &id));
    ids_add(&ids, 10, 2);
    ids_add(&ids, 100, 1);
    ids_add(&ids, 500, 1); /* A third is given up. */
    ck_assert(ids_next(&ids, &id) && id == 10);
    ck_assert(ids_next(&ids, &id) && id == 11);
    ck_assert(ids_next(&ids, &id) && id == 100);
    ck_assert(!ids_next(&ids, &id));
    ids_close(&ids);
}
END_TEST

START_TEST(a_skipped_block_is_not_used_any_more)
{
    struct ids ids = {.graph = 1};
    int64_t id;

    ids_add(&ids, 10, 100);
    ids_add(&ids, 1000, 100);
    ck_assert(ids_next(&ids, &id) && id == 10);
    ids_skip(&ids);
    ck_assert(ids_next(&ids, &id) && id == 1000);
    ids_close(&ids);
}
END_TEST

RUN_SUITE("remote", registration_goes_over_the_list_until_someone_answers,
          a_registration_out_of_form_is_asked_for_again, only_a_newer_map_is_taken,
          a_map_stays_while_a_transaction_may_point_into_it, the_map_is_asked_for_now_and_then,
          numbers_without_an_answer_hold_the_low_one, owners_agree_with_the_map,
          ids_come_block_after_block, a_skipped_block_is_not_used_any_more)
