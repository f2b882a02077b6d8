#include "common/crc.h"
#include "common/memory.h"
#include "common/message.h"

#include <string.h>

#include "tests/lib/runner.h"

static struct message sample(void)
{
    return (struct message){.type = MESSAGE_READ,
                            .flags = MESSAGE_LAST,
                            .deadline_ms = 30000,
                            .cluster_id = 0x0102030405060708,
                            .src_boot = 0x1112131415161718,
                            .dst_boot = 0x2122232425262728,
                            .req_id = 0x3132333435363738,
                            .link_seq = 0x4142434445464748,
                            .epoch = 0x5152535455565758,
                            .src_node = 0x61626364,
                            .shard = 0x71727374,
                            .body = SLICE("hello")};
}

START_TEST(crc_vectors)
{
    uint8_t zeros[32] = {0};
    uint8_t bytes[300];

    /* RFC 3720, B.4. */
    ck_assert_uint_eq(crc_extend(0, zeros, sizeof zeros), 0x8a9136aa);
    ck_assert_uint_eq(crc_extend_table(0, zeros, sizeof zeros), 0x8a9136aa);
    ck_assert_uint_eq(crc_extend(0, "123456789", 9), 0xe3069283);
    for (size_t i = 0; i < sizeof bytes; i++) {
        bytes[i] = (uint8_t)(i * 31 + 7);
    }
    for (size_t i = 0; i < 40; i++) {
        uint32_t whole = crc_extend_table(0, bytes + i, sizeof bytes - i);
        ck_assert_uint_eq(crc_extend(0, bytes + i, sizeof bytes - i), whole);
        ck_assert_uint_eq(
            crc_extend(crc_extend(0, bytes + i, 13), bytes + i + 13, sizeof bytes - i - 13), whole);
    }
}
END_TEST

/* These bytes are what processes of different builds send each other. */
START_TEST(golden)
{
    static const uint8_t expected[] = {
        'G',  'R',  'D',  '1',  1,    10,   0,    1,    0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07,
        0x08, 0x61, 0x62, 0x63, 0x64, 0x11, 0x12, 0x13, 0x14, 0x15, 0x16, 0x17, 0x18, 0x21, 0x22,
        0x23, 0x24, 0x25, 0x26, 0x27, 0x28, 0x31, 0x32, 0x33, 0x34, 0x35, 0x36, 0x37, 0x38, 0x41,
        0x42, 0x43, 0x44, 0x45, 0x46, 0x47, 0x48, 0x71, 0x72, 0x73, 0x74, 0x51, 0x52, 0x53, 0x54,
        0x55, 0x56, 0x57, 0x58, 0,    0,    0x75, 0x30, 0,    0,    0,    5,    0x37, 0xf8, 0x52,
        0x38, 0,    0,    0,    0,    'h',  'e',  'l',  'l',  'o'};
    struct message in = sample();
    struct bytes out;

    bytes_init(&out, 0);
    message_encode(&out, &in);
    ck_assert_uint_eq(out.size, sizeof expected);
    ck_assert_mem_eq(out.data, expected, sizeof expected);
    bytes_close(&out);
}
END_TEST

START_TEST(round_trip)
{
    struct message in = sample();
    struct message message;
    struct bytes out;

    bytes_init(&out, 0);
    bytes_append(&out, "before", 6);
    message_encode(&out, &in);
    ck_assert_int_eq(message_decode(slice_of(out.data + 6, out.size - 6), &message, NULL), E_OK);
    ck_assert_int_eq(message.type, in.type);
    ck_assert_uint_eq(message.flags, in.flags);
    ck_assert_uint_eq(message.cluster_id, in.cluster_id);
    ck_assert_uint_eq(message.src_node, in.src_node);
    ck_assert_uint_eq(message.src_boot, in.src_boot);
    ck_assert_uint_eq(message.dst_boot, in.dst_boot);
    ck_assert_uint_eq(message.req_id, in.req_id);
    ck_assert_uint_eq(message.link_seq, in.link_seq);
    ck_assert_uint_eq(message.shard, in.shard);
    ck_assert_uint_eq(message.epoch, in.epoch);
    ck_assert_uint_eq(message.deadline_ms, in.deadline_ms);
    ck_assert(slice_equal(message.body, in.body));
    ck_assert_uint_eq(message.peer, 0);
    bytes_close(&out);
}
END_TEST

START_TEST(every_changed_byte_is_refused)
{
    struct message in = sample();
    struct message message;
    struct bytes out;

    bytes_init(&out, 0);
    message_encode(&out, &in);
    for (size_t i = 0; i < out.size; i++) {
        out.data[i] ^= 0x20;
        ck_assert_int_eq(message_decode(bytes_slice(&out), &message, NULL), E_MALFORMED);
        out.data[i] ^= 0x20;
    }
    for (size_t size = 0; size < out.size; size++) {
        ck_assert_int_eq(message_decode(slice_of(out.data, size), &message, NULL), E_MALFORMED);
    }
    bytes_u8(&out, 0);
    ck_assert_int_eq(message_decode(bytes_slice(&out), &message, NULL), E_MALFORMED);
    bytes_close(&out);
}
END_TEST

/* A message that is whole but foreign: the checksum is right, what it says is not. */
static int decode_changed(size_t at, uint8_t to, struct error *err)
{
    struct message in = sample();
    struct message message;
    struct bytes out;
    int rc;

    bytes_init(&out, 0);
    message_encode(&out, &in);
    out.data[at] = to;
    bytes_patch_u32(&out, 72, 0);
    bytes_patch_u32(&out, 72, crc_extend(0, out.data, out.size));
    rc = message_decode(bytes_slice(&out), &message, err);
    bytes_close(&out);
    return rc;
}

START_TEST(foreign_messages)
{
    struct error err = {0};

    ck_assert_int_eq(decode_changed(4, 2, &err), E_MALFORMED);
    ck_assert_str_eq(err.text, "message of protocol version 2, this is version 1");
    ck_assert_int_eq(decode_changed(5, 255, &err), E_MALFORMED);
    ck_assert_str_eq(err.text, "message of unknown type 255");
    ck_assert_int_eq(decode_changed(5, 11, &err), E_OK);
}
END_TEST

START_TEST(names_and_roles)
{
    ck_assert_str_eq(message_name(MESSAGE_HELLO), "HELLO");
    ck_assert_str_eq(message_name((enum message_type)250), "?");
    ck_assert(message_is_known(71));
    ck_assert(!message_is_known(0));
    ck_assert(message_allows(MESSAGE_HELLO, PEER_TOOL));
    ck_assert(message_allows(MESSAGE_PREPARE, PEER_COORDINATOR));
    ck_assert(!message_allows(MESSAGE_PREPARE, PEER_ROUTER));
    ck_assert(message_allows(MESSAGE_VALIDATE, PEER_ROUTER));
    ck_assert(message_allows(MESSAGE_VALIDATE, PEER_COORDINATOR));
    ck_assert(!message_allows(MESSAGE_READ, PEER_TOOL));
    ck_assert(!message_allows((enum message_type)250, PEER_TOOL));
    ck_assert(!message_allows(MESSAGE_READ, (enum peer_role)9));
}
END_TEST

START_TEST(refusals)
{
    struct error err = {0};
    struct error told = {0};
    struct bytes body;

    bytes_init(&body, 0);
    (void)error_set(&err, E_WRONG_EPOCH, "epoch %d is over", 3);
    message_refuse(&body, &err);
    ck_assert_int_eq(message_refusal(bytes_slice(&body), &told), E_WRONG_EPOCH);
    ck_assert_str_eq(told.text, "epoch 3 is over");
    ck_assert_int_eq(message_refusal(bytes_slice(&body), NULL), E_WRONG_EPOCH);
    ck_assert_int_eq(message_refusal(SLICE(""), &told), E_MALFORMED);
    ck_assert_int_eq(message_refusal(SLICE("\x00\x00"), &told), E_MALFORMED);
    ck_assert_int_eq(message_refusal(SLICE("\x7f\x00"), &told), E_MALFORMED);
    ck_assert_int_eq(message_refusal(SLICE("\x01\x05"), &told), E_MALFORMED);
    bytes_close(&body);
}
END_TEST

START_TEST(dump)
{
    struct message in = sample();
    struct bytes out;

    bytes_init(&out, 0);
    in.peer = PEER_NODE(PEER_SHARDD, 3);
    message_dump(&out, &in);
    bytes_u8(&out, 0);
    ck_assert_str_eq((const char *)out.data,
                     "READ peer=200000003 req=3544952156018063160 shard=1903326068 "
                     "epoch=5859837686836516696 deadline_ms=30000 last body=5");
    bytes_close(&out);
}
END_TEST

START_TEST(memory_calls_and_replies)
{
    struct memory memory;
    struct outbox out;
    struct message message;
    size_t router;
    size_t shardd;

    memory_init(&memory, 77);
    outbox_init(&out);
    router = memory_join(&memory, PEER_ROUTER, 1, 11);
    shardd = memory_join(&memory, PEER_SHARDD, 5, 55);
    outbox_send(&out, PEER_NODE(PEER_SHARDD, 5), MESSAGE_READ, SLICE("one"))->req_id = 9;
    outbox_send(&out, PEER_NODE(PEER_SHARDD, 6), MESSAGE_READ, SLICE("nobody"));
    outbox_send(&out, PEER_NODE(PEER_SHARDD, 5), MESSAGE_READ, SLICE("old"))->dst_boot = 54;
    outbox_send(&out, PEER_CALLER_BIT | 99, MESSAGE_READ, SLICE("gone"));
    outbox_send(&out, PEER_NODE(PEER_SHARDD, 5), MESSAGE_CANCEL, SLICE(""))->dst_boot = 55;
    memory_send(&memory, router, &out);
    ck_assert_uint_eq(out.count, 0);
    ck_assert(memory_has_input(&memory, shardd));
    ck_assert(!memory_has_input(&memory, router));
    ck_assert(memory_recv(&memory, shardd, &message));
    ck_assert_int_eq(message.type, MESSAGE_READ);
    ck_assert(slice_equal(message.body, SLICE("one")));
    ck_assert_uint_eq(message.cluster_id, 77);
    ck_assert_uint_eq(message.src_boot, 11);
    ck_assert_uint_eq(message.src_node, 1);
    ck_assert(message.peer & PEER_CALLER_BIT);
    outbox_reply(&out, &message, MESSAGE_READ_REPLY, SLICE("rows"));
    ck_assert(memory_recv(&memory, shardd, &message));
    ck_assert_int_eq(message.type, MESSAGE_CANCEL);
    ck_assert(!memory_recv(&memory, shardd, &message));
    memory_send(&memory, shardd, &out);
    ck_assert(memory_recv(&memory, router, &message));
    ck_assert_int_eq(message.type, MESSAGE_READ_REPLY);
    ck_assert_uint_eq(message.peer, PEER_NODE(PEER_SHARDD, 5));
    ck_assert_uint_eq(message.req_id, 9);
    ck_assert(slice_equal(message.body, SLICE("rows")));
    ck_assert(!memory_recv(&memory, router, &message));
    outbox_close(&out);
    memory_close(&memory);
}
END_TEST

/* What arrives while an end is being drained comes after, whole. */
START_TEST(memory_keeps_order)
{
    struct memory memory;
    struct outbox out;
    struct message message;
    size_t ends[2];

    memory_init(&memory, 1);
    outbox_init(&out);
    for (size_t i = 0; i < 2; i++) {
        ends[i] = memory_join(&memory, PEER_SHARDD, (uint32_t)i + 1, i + 1);
    }
    for (uint64_t i = 0, got = 0; got < 1000; i++) {
        if (i < 1000) {
            outbox_send(&out, PEER_NODE(PEER_SHARDD, 2), MESSAGE_PING, SLICE("x"))->req_id = i;
            memory_send(&memory, ends[0], &out);
        }
        if (i % 3 != 0 && memory_recv(&memory, ends[1], &message)) {
            ck_assert_uint_eq(message.req_id, got);
            ck_assert_uint_eq(message.body.size, 1);
            ck_assert_int_eq(message.body.data[0], 'x');
            got++;
        }
    }
    outbox_close(&out);
    memory_close(&memory);
}
END_TEST

RUN_SUITE("message", crc_vectors, golden, round_trip, every_changed_byte_is_refused,
          foreign_messages, names_and_roles, refusals, dump, memory_calls_and_replies,
          memory_keeps_order)
