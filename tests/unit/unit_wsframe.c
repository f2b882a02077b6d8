/* Messages of WebSocket out of bytes; each test is named for what has happened to a server. */
#include <stdio.h>
#include <string.h>

#include "common/mem.h"
#include "router/front/wsframe.h"
#include "tests/lib/runner.h"

enum { MESSAGE_MAX = 70000 };

static struct wsframe frame;
static struct bytes in;

/* Appends a masked frame. */
static void put(uint8_t first, const void *data, size_t size)
{
    static const uint8_t mask[4] = {0x37, 0xfa, 0x21, 0x3d};
    uint8_t head[WSFRAME_HEAD_MAX];
    size_t count = wsframe_head(head, WSFRAME_BINARY, true, size);

    head[0] = first;
    head[1] |= 0x80;
    bytes_append(&in, head, count);
    bytes_append(&in, mask, sizeof mask);
    for (size_t i = 0; i < size; i++) {
        bytes_u8(&in, ((const uint8_t *)data)[i] ^ mask[i % 4]);
    }
}

static void put_text(uint8_t first, const char *text)
{
    put(first, text, strlen(text));
}

static void start(void)
{
    wsframe_close(&frame);
    wsframe_init(&frame, MESSAGE_MAX);
    bytes_clear(&in);
}

static void stop(void)
{
    wsframe_close(&frame);
    bytes_close(&in);
}

/* What all that was put gives, at its first event. */
static enum wsframe_event next(void)
{
    struct slice left = bytes_slice(&in);
    enum wsframe_event event = wsframe_next(&frame, &left);

    memmove(in.data, left.data, left.size);
    in.size = left.size;
    return event;
}

static void expect_bad(uint32_t code, const char *why)
{
    ck_assert_int_eq(next(), WSFRAME_IS_BAD);
    ck_assert_msg(frame.code == code && strstr(frame.text, why) != NULL, "%u %s", frame.code,
                  frame.text);
    start();
}

static void expect_message(bool is_text, const char *text)
{
    ck_assert_int_eq(next(), WSFRAME_IS_MESSAGE);
    ck_assert(frame.is_text == is_text);
    ck_assert(slice_equal(bytes_slice(&frame.message), slice_text(text)));
}

START_TEST(messages_and_control_frames)
{
    start();
    put_text(0x81, "hello");
    put_text(0x82, "");
    put_text(0x01, "one ");
    put_text(0x89, "are you there");
    put_text(0x00, "");
    put_text(0x8a, "");
    put_text(0x80, "two");
    ck_assert(wsframe_is_idle(&frame));
    expect_message(true, "hello");
    expect_message(false, "");
    ck_assert_int_eq(next(), WSFRAME_IS_PING);
    ck_assert(slice_equal(wsframe_control(&frame), SLICE("are you there")));
    ck_assert(!wsframe_is_idle(&frame));
    ck_assert_int_eq(next(), WSFRAME_IS_PONG);
    expect_message(true, "one two");
    ck_assert_int_eq(next(), WSFRAME_MORE);
    ck_assert(wsframe_is_idle(&frame));
    stop();
}
END_TEST

START_TEST(sizes_of_two_and_eight_bytes)
{
    char *text = mem_alloc(MESSAGE_MAX + 1);
    static const size_t sizes[] = {125, 126, 65535, 65536, MESSAGE_MAX};

    memset(text, 'x', MESSAGE_MAX);
    start();
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        put(0x82, text, sizes[i]);
        ck_assert_int_eq(next(), WSFRAME_IS_MESSAGE);
        ck_assert_uint_eq(frame.message.size, sizes[i]);
        ck_assert_mem_eq(frame.message.data, text, sizes[i]);
    }
    mem_free(text);
    stop();
}
END_TEST

START_TEST(an_unmasked_frame_is_refused_with_1002)
{
    start();
    bytes_append(&in, "\x82\x05hello", 7);
    expect_bad(1002, "masked");
    bytes_append(&in, "\x89\x00", 2);
    expect_bad(1002, "masked");
    stop();
}
END_TEST

START_TEST(control_frames_in_fragments_or_too_long)
{
    char text[126] = "";

    start();
    put_text(0x09, "ping");
    expect_bad(1002, "fragments");
    put_text(0x08, "");
    expect_bad(1002, "fragments");
    put(0x89, text, 126);
    expect_bad(1002, "125 bytes");
    put(0x89, text, 125);
    ck_assert_int_eq(next(), WSFRAME_IS_PING);
    stop();
}
END_TEST

START_TEST(frames_out_of_order)
{
    start();
    put_text(0x80, "x");
    expect_bad(1002, "without a beginning");
    put_text(0x01, "x");
    put_text(0x81, "y");
    expect_bad(1002, "inside of another");
    for (int opcode = 3; opcode < 16; opcode++) {
        if (opcode < 8 || opcode > 10) {
            put_text((uint8_t)(0x80 | opcode), "x");
            expect_bad(1002, "unknown opcode");
        }
    }
    put_text(0xc1, "compressed");
    expect_bad(1002, "reserved bit");
    stop();
}
END_TEST

START_TEST(a_message_that_is_too_large)
{
    static const uint8_t huge[] = {0x82, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
                                   0xff, 0xff, 0xff, 1,    2,    3,    4};
    char *text = mem_alloc(MESSAGE_MAX);

    start();
    /* Known from the head: its payload need not come. */
    bytes_append(&in, huge, sizeof huge);
    expect_bad(1009, "too large");
    put(0x02, text, MESSAGE_MAX);
    put_text(0x80, "x");
    expect_bad(1009, "too large");
    mem_free(text);
    stop();
}
END_TEST

START_TEST(text_that_is_not_utf8_is_refused_with_1007)
{
    static const char *const texts[] = {
        "\xff",         "\xc0\xaf",         "\xc1\xbf",         "\xe0\x80\xaf",
        "\xed\xa0\x80", "\xf0\x80\x80\xaf", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80",
        "\x80",         "\xe2\x82",         "12345678\xe2\x82x"};

    start();
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        put_text(0x81, texts[i]);
        expect_bad(1007, "not UTF-8");
    }
    /* Cut within a letter, and all the limits. */
    put_text(0x01, "\xf0\x9f");
    put_text(0x00, "\x98");
    put_text(0x80, "\x80");
    expect_message(true, "\xf0\x9f\x98\x80");
    put_text(0x81,
             "\x7f\xc2\x80\xe0\xa0\x80\xed\x9f\xbf\xee\x80\x80\xf0\x90\x80\x80\xf4\x8f\xbf\xbf");
    ck_assert_int_eq(next(), WSFRAME_IS_MESSAGE);
    put_text(0x82, "\xff"); /* Binary may be anything. */
    ck_assert_int_eq(next(), WSFRAME_IS_MESSAGE);
    put_text(0x01, "\xff"); /* Without waiting for the end. */
    expect_bad(1007, "not UTF-8");
    stop();
}
END_TEST

START_TEST(close_codes)
{
    static const uint16_t good[] = {1000, 1001, 1002, 1003, 1007, 1011, 1014, 3000, 4999};
    static const uint16_t wrong[] = {0, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, 65535};
    uint8_t text[] = {0, 0, 'o', 'k'};

    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        start();
        text[0] = (uint8_t)(good[i] >> 8);
        text[1] = (uint8_t)good[i];
        put(0x88, text, i == 0 ? 2 : 4);
        put_text(0x81, "too late");
        ck_assert_int_eq(next(), WSFRAME_IS_CLOSE);
        ck_assert_uint_eq(frame.code, good[i]);
        ck_assert_int_eq(next(), WSFRAME_IS_CLOSE);
    }
    start();
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        text[0] = (uint8_t)(wrong[i] >> 8);
        text[1] = (uint8_t)wrong[i];
        put(0x88, text, 4);
        expect_bad(1002, "not a close code");
    }
    put(0x88, text, 1);
    expect_bad(1002, "half");
    put(0x88, "\x03\xe8\xff", 3);
    expect_bad(1007, "reason");
    put_text(0x88, "");
    ck_assert_int_eq(next(), WSFRAME_IS_CLOSE);
    ck_assert_uint_eq(frame.code, WSFRAME_NO_CODE);
    stop();
}
END_TEST

/* The example of RFC 6455 1.3. */
START_TEST(the_answer_to_a_key)
{
    struct bytes out = {0};

    ck_assert(wsframe_accept(&out, SLICE("dGhlIHNhbXBsZSBub25jZQ==")));
    ck_assert(slice_equal(bytes_slice(&out), SLICE("s3pPLMBiTxaQ9kYGzzhZRbK+xOo=")));
    ck_assert(!wsframe_accept(&out, SLICE("")));
    ck_assert(!wsframe_accept(&out, SLICE("dGhlIHNhbXBsZSBub25jZQ")));
    ck_assert(!wsframe_accept(&out, SLICE("dGhlIHNhbXBsZSBub25jZQ=x")));
    ck_assert(!wsframe_accept(&out, SLICE("dGhlIHNhbXBsZSBub25jZSEhIQ==")));
    bytes_close(&out);
}
END_TEST

RUN_SUITE("wsframe", messages_and_control_frames, sizes_of_two_and_eight_bytes,
          an_unmasked_frame_is_refused_with_1002, control_frames_in_fragments_or_too_long,
          frames_out_of_order, a_message_that_is_too_large,
          text_that_is_not_utf8_is_refused_with_1007, close_codes, the_answer_to_a_key)
