#include "common/outbox.h"
#include "common/outcome.h"
#include "common/roster.h"

#include "tests/lib/runner.h"

#include <stdio.h>

static void put(struct outcome_table *table, uint64_t sid, uint64_t seq, enum outcome_state state)
{
    outcome_put(table, sid,
                &(struct outcome_entry){.seq = seq, .state = state, .index = seq * 10, .code = -1});
}

START_TEST(outcomes_are_kept_until_answered)
{
    struct outcome_table table;

    outcome_init(&table);
    ck_assert_int_eq(outcome_find(&table, 1, 5).state, OUTCOME_NEW);
    put(&table, 1, 5, OUTCOME_RUNNING);
    put(&table, 1, 3, OUTCOME_COMMITTED);
    put(&table, 1, 4, OUTCOME_REFUSED);
    put(&table, 2, 5, OUTCOME_COMMITTED);
    ck_assert_int_eq(outcome_find(&table, 1, 5).state, OUTCOME_RUNNING);
    put(&table, 1, 5, OUTCOME_COMMITTED);
    ck_assert_uint_eq(outcome_find(&table, 1, 5).index, 50);
    ck_assert_int_eq(outcome_find(&table, 1, 6).state, OUTCOME_NEW);
    outcome_trim(&table, 1, 4);
    ck_assert_int_eq(outcome_find(&table, 1, 3).state, OUTCOME_PAST);
    ck_assert_int_eq(outcome_find(&table, 1, 4).state, OUTCOME_REFUSED);
    outcome_trim(&table, 1, 2); /* Never back. */
    ck_assert_int_eq(outcome_find(&table, 1, 3).state, OUTCOME_PAST);
    put(&table, 1, 3, OUTCOME_COMMITTED);
    ck_assert_int_eq(outcome_find(&table, 1, 3).state, OUTCOME_PAST);
    outcome_forget(&table, 1, 5);
    ck_assert_int_eq(outcome_find(&table, 1, 5).state, OUTCOME_NEW);
    outcome_epoch(&table);
    ck_assert_int_eq(outcome_find(&table, 1, 4).state, OUTCOME_NEW);
    ck_assert_int_eq(outcome_find(&table, 2, 5).state, OUTCOME_COMMITTED);
    outcome_close(&table);
}
END_TEST

START_TEST(many_sessions)
{
    struct outcome_table table;

    outcome_init(&table);
    for (uint64_t sid = 1; sid <= 100; sid++) {
        for (uint64_t seq = 50; seq > 0; seq--) {
            put(&table, sid, seq, seq % 2 == 0 ? OUTCOME_COMMITTED : OUTCOME_REFUSED);
        }
        outcome_trim(&table, sid, sid % 50);
    }
    for (uint64_t sid = 1; sid <= 100; sid++) {
        for (uint64_t seq = 1; seq <= 50; seq++) {
            enum outcome_state want = seq < sid % 50 ? OUTCOME_PAST
                                      : seq % 2 == 0 ? OUTCOME_COMMITTED
                                                     : OUTCOME_REFUSED;
            ck_assert_int_eq(outcome_find(&table, sid, seq).state, want);
        }
    }
    outcome_close(&table);
}
END_TEST

START_TEST(roster_golden)
{
    struct roster_replica replicas[] = {{.shard = 3,
                                         .role = SHARDMAP_LEARNER,
                                         .epoch = 2,
                                         .applied = 300,
                                         .last = 301,
                                         .last_epoch = 2,
                                         .lag_entries = 5,
                                         .lag_bytes = 256,
                                         .schema_version = 1,
                                         .file_bytes = 4096,
                                         .vertices = 10,
                                         .edges = 20,
                                         .suspect = ROSTER_STALE,
                                         .resigned = 2,
                                         .is_partial = true,
                                         .is_full = true}};
    struct roster_status status = {.node = 11,
                                   .boot = 0x0102030405060708,
                                   .incarnation = 0x1112131415161718,
                                   .map_version = 7,
                                   .address = SLICE("tcp://a:1"),
                                   .zone = SLICE("z"),
                                   .weight = 200,
                                   .is_leaving = true,
                                   .replica_count = 1,
                                   .replicas = replicas};
    struct roster_status back;
    struct roster_floor floor = {.shard = 3, .applied = 300};
    struct roster_config config = {.term = 5,
                                   .incarnation = 0x1112131415161718,
                                   .map_version = 9,
                                   .shard_next = 4,
                                   .map = SLICE("map"),
                                   .floor_count = 1,
                                   .floors = &floor};
    struct roster_config config_back;
    struct arena arena = {0};
    struct bytes bytes;
    char hex[256];

    bytes_init(&bytes, 0);
    roster_status_encode(&bytes, &status);
    for (size_t i = 0; i < bytes.size; i++) {
        snprintf(hex + 2 * i, 3, "%02x", bytes.data[i]);
    }
    ck_assert_str_eq(hex, "0b0102030405060708111213141516171807097463703a2f2f613a31017ac80101"
                          "010303"
                          "02ac02ad020205800201"
                          "80200a14030203");
    ck_assert_int_eq(roster_status_decode(bytes_slice(&bytes), &arena, &back, NULL), E_OK);
    ck_assert_uint_eq(back.replicas[0].edges, 20);
    for (size_t size = 0; size < bytes.size; size++) {
        ck_assert_int_eq(roster_status_decode(slice_of(bytes.data, size), &arena, &back, NULL),
                         E_MALFORMED);
    }
    bytes_clear(&bytes);
    roster_config_encode(&bytes, &config);
    ck_assert(
        slice_equal(bytes_slice(&bytes),
                    SLICE("\x05\x11\x12\x13\x14\x15\x16\x17\x18\x09\x04\x03map\x01\x03\xac\x02")));
    ck_assert_int_eq(roster_config_decode(bytes_slice(&bytes), &arena, &config_back, NULL), E_OK);
    ck_assert_uint_eq(config_back.floors[0].applied, 300);
    ck_assert(slice_equal(config_back.map, SLICE("map")));
    bytes_close(&bytes);
    arena_close(&arena);
}
END_TEST

START_TEST(changes_of_who_leads_golden)
{
    struct roster_alter alter = {.shard = 3,
                                 .node = 11,
                                 .boot = 0x0102030405060708,
                                 .epoch = 2,
                                 .cfgver = 300,
                                 .isr = {2, {11, 12}},
                                 .boots = {1, 256}};
    struct roster_handover handover = {.shard = 3,
                                       .node = 11,
                                       .boot = 0x0102030405060708,
                                       .epoch = 2,
                                       .target = 12,
                                       .within_ms = 1000};
    struct roster_alter alter_back;
    struct roster_handover handover_back;
    struct bytes bytes = {0};

    roster_alter_encode(&bytes, &alter);
    ck_assert(
        slice_equal(bytes_slice(&bytes), SLICE("\x03\x0b\1\2\3\4\5\6\7\x08\x02\xac\x02\x02\x0b\x0c"
                                               "\0\0\0\0\0\0\0\1\0\0\0\0\0\0\1\0")));
    for (size_t size = 0; size < bytes.size; size++) {
        ck_assert_int_eq(roster_alter_decode(slice_of(bytes.data, size), &alter_back, NULL),
                         E_MALFORMED);
    }
    ck_assert_int_eq(roster_alter_decode(bytes_slice(&bytes), &alter_back, NULL), E_OK);
    ck_assert_uint_eq(alter_back.cfgver, 300);
    ck_assert(nodeset_equal(&alter_back.isr, &alter.isr));
    ck_assert_uint_eq(alter_back.boots[1], 256);
    bytes_clear(&bytes);
    roster_handover_encode(&bytes, &handover);
    ck_assert(
        slice_equal(bytes_slice(&bytes), SLICE("\x03\x0b\1\2\3\4\5\6\7\x08\x02\x0c\xe8\x07")));
    for (size_t size = 0; size < bytes.size; size++) {
        ck_assert_int_eq(roster_handover_decode(slice_of(bytes.data, size), &handover_back, NULL),
                         E_MALFORMED);
    }
    ck_assert_int_eq(roster_handover_decode(bytes_slice(&bytes), &handover_back, NULL), E_OK);
    ck_assert_uint_eq(handover_back.target, 12);
    ck_assert_uint_eq(handover_back.within_ms, 1000);
    handover.target = 11; /* To itself. */
    bytes_clear(&bytes);
    roster_handover_encode(&bytes, &handover);
    ck_assert_int_eq(roster_handover_decode(bytes_slice(&bytes), &handover_back, NULL),
                     E_MALFORMED);
    bytes_close(&bytes);
}
END_TEST

START_TEST(outbox_keeps_bodies)
{
    struct outbox outbox;
    char body[] = "hello";
    struct message request = {.peer = 9, .req_id = 4, .shard = 2, .epoch = 3};
    struct error err;

    outbox_init(&outbox);
    for (int i = 0; i < 100; i++) {
        outbox_send(&outbox, 7, MESSAGE_PING, slice_of(body, 5))->req_id = (uint64_t)i;
    }
    body[0] = 'j';
    error_set(&err, E_CONFLICT, "no");
    outbox_reply(&outbox, &request, MESSAGE_PONG, SLICE("x"));
    outbox_refuse(&outbox, &request, &err);
    ck_assert_uint_eq(outbox.count, 102);
    ck_assert(slice_equal(outbox.items[99].body, SLICE("hello")));
    ck_assert_uint_eq(outbox.items[99].req_id, 99);
    ck_assert_uint_eq(outbox.items[100].peer, 9);
    ck_assert_uint_eq(outbox.items[100].flags, MESSAGE_LAST);
    ck_assert_int_eq(message_refusal(outbox.items[101].body, &err), E_CONFLICT);
    outbox_clear(&outbox);
    ck_assert_uint_eq(outbox.count, 0);
    outbox_close(&outbox);
}
END_TEST

RUN_SUITE("once", outcomes_are_kept_until_answered, many_sessions, roster_golden,
          changes_of_who_leads_golden, outbox_keeps_bodies)
