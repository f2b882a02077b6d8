#include "common/txn.h"

#include "tests/lib/runner.h"

#include <stdio.h>
#include <string.h>

static void check_hex(const struct bytes *bytes, const char *hex)
{
    char text[1024];

    ck_assert_uint_lt(bytes->size * 2, sizeof text);
    for (size_t i = 0; i < bytes->size; i++) {
        snprintf(text + 2 * i, 3, "%02x", bytes->data[i]);
    }
    text[bytes->size * 2] = '\0';
    ck_assert_str_eq(text, hex);
}

static void sum(void *ctx, uint16_t slot)
{
    *(uint64_t *)ctx += slot;
}

START_TEST(readset_is_a_sorted_set)
{
    struct txn_readset set = {0};
    uint64_t total = 0;

    txn_readset_add(&set, 7);
    txn_readset_add(&set, 3);
    txn_readset_add(&set, 65535);
    txn_readset_add(&set, 7);
    txn_readset_add(&set, 0);
    ck_assert_uint_eq(set.slot_count, 4);
    ck_assert_uint_eq(set.slots[0], 0);
    ck_assert_uint_eq(set.slots[3], 65535);
    ck_assert(txn_readset_has(&set, 3));
    ck_assert(!txn_readset_has(&set, 4));
    txn_readset_each(&set, sum, &total);
    ck_assert_uint_eq(total, 7 + 3 + 65535);
    txn_readset_close(&set);
    ck_assert_ptr_null(set.slots);
}
END_TEST

START_TEST(readset_becomes_bits_when_long)
{
    struct txn_readset set = {0};
    struct txn_readset other = {.first_index = 9};
    uint64_t total = 0;

    for (uint32_t i = 0; i < TXN_SLOT_LIST_MAX; i++) {
        txn_readset_add(&set, (uint16_t)(i * 3));
    }
    ck_assert_ptr_null(set.bits);
    txn_readset_add(&set, 1);
    ck_assert_ptr_nonnull(set.bits);
    ck_assert_uint_eq(set.slot_count, TXN_SLOT_LIST_MAX + 1);
    ck_assert(txn_readset_has(&set, 3));
    ck_assert(!txn_readset_has(&set, 2));
    txn_readset_add(&other, 5);
    txn_readset_merge(&other, &set);
    ck_assert_uint_eq(other.slot_count, TXN_SLOT_LIST_MAX + 2);
    ck_assert_uint_eq(other.first_index, 9);
    txn_readset_each(&set, sum, &total);
    ck_assert_uint_eq(total, 3ULL * TXN_SLOT_LIST_MAX * (TXN_SLOT_LIST_MAX - 1) / 2 + 1);
    txn_readset_close(&set);
    txn_readset_close(&other);
}
END_TEST

START_TEST(merge_keeps_the_earliest_read)
{
    struct txn_readset a = {0};
    struct txn_readset b = {.first_index = 12};
    struct txn_readset c = {.first_index = 4};

    txn_readset_merge(&a, &b);
    ck_assert_uint_eq(a.first_index, 12);
    txn_readset_merge(&a, &c);
    ck_assert_uint_eq(a.first_index, 4);
    txn_readset_merge(&a, &b);
    ck_assert_uint_eq(a.first_index, 4);
}
END_TEST

static void round_trip(const struct txn_readset *set)
{
    struct txn_readset back;
    struct bytes bytes;
    struct reader reader;

    bytes_init(&bytes, 0);
    txn_readset_encode(&bytes, set);
    reader_init(&reader, bytes_slice(&bytes));
    txn_readset_decode(&reader, &back);
    ck_assert_int_eq(reader_finish(&reader, "set", NULL), E_OK);
    ck_assert_uint_eq(back.first_index, set->first_index);
    ck_assert_uint_eq(back.slot_count, set->slot_count);
    for (uint32_t slot = 0; slot < TXN_SLOTS; slot++) {
        ck_assert(txn_readset_has(set, (uint16_t)slot) == txn_readset_has(&back, (uint16_t)slot));
    }
    /* Every cut is refused. */
    for (size_t size = 0; size<bytes.size; size += bytes.size> 100 ? 97 : 1) {
        struct txn_readset cut;
        reader_init(&reader, slice_of(bytes.data, size));
        txn_readset_decode(&reader, &cut);
        ck_assert_int_eq(reader_finish(&reader, "set", NULL), E_MALFORMED);
        txn_readset_close(&cut);
    }
    bytes_close(&bytes);
    txn_readset_close(&back);
}

START_TEST(readset_round_trips)
{
    struct txn_readset set = {.first_index = 300};

    round_trip(&set);
    txn_readset_add(&set, 0);
    txn_readset_add(&set, 1);
    txn_readset_add(&set, 65535);
    round_trip(&set);
    for (uint32_t i = 0; i < 5000; i++) {
        txn_readset_add(&set, (uint16_t)(i * 13));
    }
    round_trip(&set);
    txn_readset_close(&set);
}
END_TEST

START_TEST(readset_refuses_bad_form)
{
    static const char *const bad[] = {
        "\x01\x02\x00",             /* Unknown form. */
        "\x01\x00\x02\x05\x00",     /* A slot twice. */
        "\x01\x00\x01\x80\x80\x04", /* Slot 65536. */
        "\x01\x00\x7f\x01",         /* Count beyond the input. */
    };
    static const size_t sizes[] = {3, 5, 6, 4};

    for (size_t i = 0; i < 4; i++) {
        struct txn_readset set;
        struct reader reader;
        reader_init(&reader, slice_of(bad[i], sizes[i]));
        txn_readset_decode(&reader, &set);
        ck_assert(reader.is_bad);
        ck_assert_ptr_null(set.slots);
    }
}
END_TEST

START_TEST(request_golden)
{
    struct txn_part parts[2] = {{.shard = 3, .epoch = 2, .changes = SLICE("\x01x")},
                                {.shard = 300, .epoch = 1}};
    struct txn_request request = {
        .sid = 5, .seq = 6, .low_seq = 4, .term = 7, .part_count = 2, .parts = parts};
    struct txn_request back;
    struct arena arena = {0};
    struct bytes bytes;

    parts[0].readset.first_index = 128;
    txn_readset_add(&parts[0].readset, 10);
    txn_readset_add(&parts[0].readset, 300);
    bytes_init(&bytes, 0);
    txn_request_encode(&bytes, &request);
    check_hex(&bytes, "0506040702"
                      "0302"
                      "8001"
                      "00020aa202"
                      "020178"
                      "ac0201000000"
                      "00");
    ck_assert_int_eq(txn_request_decode(bytes_slice(&bytes), &arena, &back, NULL), E_OK);
    ck_assert_uint_eq(back.part_count, 2);
    ck_assert_uint_eq(back.parts[1].shard, 300);
    ck_assert_uint_eq(back.parts[0].readset.slots[1], 300);
    ck_assert(slice_equal(back.parts[0].changes, SLICE("\x01x")));
    txn_request_close(&back);
    for (size_t size = 0; size < bytes.size; size++) {
        ck_assert_int_eq(txn_request_decode(slice_of(bytes.data, size), &arena, &back, NULL),
                         E_MALFORMED);
    }
    txn_readset_close(&parts[0].readset);
    bytes_close(&bytes);
    arena_close(&arena);
}
END_TEST

START_TEST(prepare_golden)
{
    struct txn_prepare prepare = {.gtid = {3, 9},
                                  .watermark = {3, 4},
                                  .sid = 1,
                                  .seq = 2,
                                  .part = {.shard = 8, .epoch = 1, .changes = SLICE("abc")}};
    struct txn_prepare back;
    struct bytes bytes;

    bytes_init(&bytes, 0);
    txn_prepare_encode(&bytes, &prepare);
    check_hex(&bytes, "03090304"
                      "0102"
                      "0801"
                      "000000"
                      "03616263");
    ck_assert_int_eq(txn_prepare_decode(bytes_slice(&bytes), &back, NULL), E_OK);
    ck_assert_uint_eq(back.gtid.counter, 9);
    ck_assert_uint_eq(back.watermark.counter, 4);
    ck_assert(slice_equal(back.part.changes, SLICE("abc")));
    bytes_u8(&bytes, 0);
    ck_assert_int_eq(txn_prepare_decode(bytes_slice(&bytes), &back, NULL), E_MALFORMED);
    bytes_close(&bytes);
}
END_TEST

START_TEST(reply_golden)
{
    struct txn_reply reply = {.gtid = {1, 2},
                              .sid = 3,
                              .seq = 4,
                              .term = 5,
                              .index = 6,
                              .outcome = TXN_ABORTED,
                              .code = E_CONFLICT,
                              .text = SLICE("no")};
    struct txn_reply back;
    struct bytes bytes;

    bytes_init(&bytes, 0);
    txn_reply_encode(&bytes, &reply);
    check_hex(&bytes, "010203040506020a026e6f");
    ck_assert_int_eq(txn_reply_decode(bytes_slice(&bytes), &back, NULL), E_OK);
    ck_assert_int_eq(back.code, E_CONFLICT);
    ck_assert_int_eq(back.outcome, TXN_ABORTED);
    bytes.data[6] = 9;
    ck_assert_int_eq(txn_reply_decode(bytes_slice(&bytes), &back, NULL), E_MALFORMED);
    bytes.data[6] = 2;
    bytes.data[7] = 0x7f;
    ck_assert_int_eq(txn_reply_decode(bytes_slice(&bytes), &back, NULL), E_MALFORMED);
    bytes_close(&bytes);
}
END_TEST

RUN_SUITE("txn", readset_is_a_sorted_set, readset_becomes_bits_when_long,
          merge_keeps_the_earliest_read, readset_round_trips, readset_refuses_bad_form,
          request_golden, prepare_golden, reply_golden)
