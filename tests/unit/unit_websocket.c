/* WebSocket as clients see it. */
#include "common/mem.h"
#include "router/front/conn.h"
#include "router/front/websocket.h"
#include "tests/lib/visitor.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/lib/runner.h"

START_TEST(binary_and_text_frames)
{
    visitor_setup();
    visitor_upgrade("");
    visitor_forget();
    visitor_send_frame(BINARY, true, "hello", 5);
    visitor_expect_size(7);
    ck_assert_mem_eq(visitor.got, "\x82\x05hello", 7);
    visitor_forget();
    visitor_send_frame(TEXT, true, "{}", 2);
    visitor_expect_size(4);
    ck_assert_mem_eq(visitor.got, "\x81\x02{}", 4);
    ck_assert_uint_eq(visitor.stats.values[STATS_CLIENTS], 1);
    ck_assert_uint_eq(visitor.stats.values[STATS_CLIENT_FRAMES_IN], 2);
    visitor_disconnect();
    for (int i = 0; i < 200 && visitor_router.closed == 0; i++) {
        visitor_turn();
    }
    ck_assert_uint_eq(visitor_router.closed, 1);
    ck_assert_uint_eq(visitor.stats.values[STATS_CLIENTS], 0);
    visitor_teardown();
}
END_TEST

START_TEST(fragments_are_joined)
{
    visitor_setup();
    visitor_upgrade("");
    visitor_forget();
    visitor_send_frame(BINARY, false, "one ", 4);
    visitor_send_frame(CONTINUATION, false, "two ", 4);
    visitor_send_frame(PING, true, "p", 1);
    visitor_expect_size(3);
    ck_assert_mem_eq(visitor.got, "\x8a\x01p", 3);
    visitor_forget();
    visitor_send_frame(CONTINUATION, true, "three", 5);
    visitor_expect_size(15);
    ck_assert_mem_eq(visitor.got, "\x82\x0done two three", 15);
    visitor_teardown();
}
END_TEST

START_TEST(ping_is_answered_while_a_query_runs)
{
    visitor_setup();
    visitor_upgrade("");
    visitor_forget();
    visitor_router.holds = true;
    visitor_send_frame(BINARY, true, "query", 5);
    visitor_send_frame(PING, true, "", 0);
    visitor_expect_size(2);
    ck_assert_mem_eq(visitor.got, "\x8a\x00", 2);
    ck_assert_uint_eq(visitor_router.requests, 1);
    visitor_forget();
    visitor_router.holds = false;
    visitor_expect_size(7);
    visitor_teardown();
}
END_TEST

START_TEST(close_is_answered)
{
    visitor_setup();
    visitor_upgrade("");
    visitor_forget();
    visitor_send_frame(CLOSE, true, "\x03\xe8", 2);
    visitor_expect_size(4);
    ck_assert_mem_eq(visitor.got, "\x88\x02\x03\xe8", 4);
    visitor_expect_closed();
    ck_assert_uint_eq(visitor_router.closed, 1);
    visitor_teardown();
}
END_TEST

/* A message without its end is never a request. */
START_TEST(cut_off_message)
{
    visitor_setup();
    visitor_upgrade("");
    visitor_send_frame(BINARY, false, "half", 4);
    visitor_disconnect();
    for (int i = 0; i < 200 && visitor_router.closed == 0; i++) {
        visitor_turn();
    }
    ck_assert_uint_eq(visitor_router.closed, 1);
    ck_assert_uint_eq(visitor_router.requests, 0);
    visitor_teardown();
}
END_TEST

START_TEST(large_messages)
{
    enum { SIZE = REQUEST_BYTES_MAX };
    char *text;

    visitor_setup();
    text = mem_alloc(SIZE + 1);
    memset(text, 'x', SIZE + 1);
    visitor_upgrade("");
    visitor_forget();
    visitor_send_frame(BINARY, true, text, SIZE);
    /* In fragments of at most CONN_WRITE_MAX, each with a head of 10. */
    visitor_expect_size(SIZE + 10 * (SIZE / CONN_WRITE_MAX));
    ck_assert_uint_eq((uint8_t)visitor.got[0], 0x02);
    visitor_forget();
    visitor_send_frame(BINARY, true, "again", 5);
    visitor_expect_size(7);
    mem_free(text);
    visitor_teardown();
}
END_TEST

START_TEST(too_large_is_closed_with_1009)
{
    enum { SIZE = REQUEST_BYTES_MAX / 2 + 1 };
    char *text;

    visitor_setup();
    text = mem_alloc(SIZE);
    memset(text, 'x', SIZE);
    visitor_upgrade("");
    visitor_forget();
    visitor_send_frame(BINARY, false, text, SIZE);
    /* The server may close before it has read all of this. */
    uint8_t head[14] = {0x80, 0x80 | 127, 0, 0, 0, 0, 0, 0x50, 0, 1, 0, 0, 0, 0};
    visitor_send_bytes(head, sizeof head);
    for (size_t sent = 0; sent < SIZE && strstr(visitor.got, "message too large") == NULL;) {
        ssize_t count = send(visitor.socket, text, SIZE - sent, MSG_NOSIGNAL);
        sent += count > 0 ? (size_t)count : 0;
        visitor_turn();
        (void)visitor_read_some();
    }
    visitor_expect("message too large");
    ck_assert_uint_eq((uint8_t)visitor.got[0], 0x88);
    ck_assert_uint_eq((uint8_t)visitor.got[2] << 8 | (uint8_t)visitor.got[3], 1009);
    ck_assert_uint_eq(visitor_router.requests, 0);
    mem_free(text);
    visitor_teardown();
}
END_TEST

START_TEST(bad_utf8_is_closed_with_1007)
{
    visitor_setup();
    visitor_upgrade("");
    visitor_forget();
    visitor_send_frame(TEXT, true, "\xff\xff", 2);
    visitor_expect_size(4);
    ck_assert_uint_eq((uint8_t)visitor.got[0], 0x88);
    ck_assert_uint_eq((uint8_t)visitor.got[2] << 8 | (uint8_t)visitor.got[3], 1007);
    ck_assert_uint_eq(visitor_router.requests, 0);
    visitor_teardown();
}
END_TEST

START_TEST(malformed_requests_are_answered)
{
    visitor_setup();
    visitor_upgrade("");
    visitor_forget();
    visitor_send_frame(BINARY, true, "bad request", 11);
    visitor_expect("status=498 this is \"bad\"");
    ck_assert_uint_eq((uint8_t)visitor.got[0], 0x82);
    visitor_forget();
    visitor_send_frame(TEXT, true, "bad request", 11);
    visitor_expect("status=498");
    ck_assert_uint_eq((uint8_t)visitor.got[0], 0x81);
    visitor_teardown();
}
END_TEST

/* Trap 2. */
START_TEST(deflate_is_not_offered)
{
    visitor_setup();
    visitor_upgrade("Sec-WebSocket-Extensions: permessage-deflate;client_max_window_bits\r\n");
    ck_assert_ptr_null(strstr(visitor.got, "permessage-deflate"));
    visitor_forget();
    visitor_send_frame(BINARY, true, "plain", 5);
    visitor_expect_size(7);
    ck_assert_mem_eq(visitor.got, "\x82\x05plain", 7);
    visitor_teardown();
}
END_TEST

START_TEST(other_paths_and_too_many_connections)
{
    int first;

    visitor_setup_with(1, 1 << 20);
    visitor_connect();
    visitor_send_text(
        "GET /other HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n");
    visitor_expect_closed();
    ck_assert_ptr_null(strstr(visitor.got, " 101 "));
    visitor_upgrade("");
    first = visitor.socket;
    visitor.socket = -1;
    visitor_connect();
    visitor_send_text(
        "GET /gremlin HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n");
    visitor_expect_closed();
    ck_assert_ptr_null(strstr(visitor.got, " 101 "));
    (void)close(first);
    visitor_teardown();
}
END_TEST

/* Our own name for watched descriptors is not a subprotocol; those of others are not known. */
START_TEST(subprotocols)
{
    static const char *const names[] = {"watched", "graphql-ws"};

    visitor_setup();
    for (size_t i = 0; i < 2; i++) {
        char text[512];
        (void)snprintf(text, sizeof text,
                       "GET /gremlin HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\n"
                       "Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
                       "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: %s\r\n\r\n",
                       names[i]);
        visitor_connect();
        visitor_send_text(text);
        visitor_expect_closed();
        ck_assert_ptr_null(strstr(visitor.got, " 101 "));
    }
    ck_assert_uint_eq(visitor_router.clients, 0);
    visitor_teardown();
}
END_TEST

START_TEST(pages_of_other_origins)
{
    visitor_setup();
    visitor_upgrade("Origin: http://b.example\r\n");
    visitor_connect();
    visitor_send_text("GET /gremlin HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\n"
                      "Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
                      "Sec-WebSocket-Version: 13\r\nOrigin: http://evil.example\r\n\r\n");
    visitor_expect_closed();
    ck_assert_ptr_null(strstr(visitor.got, " 101 "));
    visitor_teardown();
}
END_TEST

/* A client that asks and does not read: it is not read from, and at last closed. */
START_TEST(slow_reader)
{
    size_t before;

    visitor_setup_with(10, 65536);
    visitor_upgrade("");
    for (int i = 0; i < 40; i++) {
        visitor_send_frame(BINARY, true, "big:6000000", 11);
        for (int j = 0; j < 5; j++) {
            visitor_turn();
        }
        before = visitor_router.requests;
        if (visitor_router.closed > 0) {
            break;
        }
    }
    ck_assert_uint_lt(before, 40);
    ck_assert_uint_lt(visitor_router.requests, 40);
    visitor_teardown();
}
END_TEST
RUN_SUITE("websocket", binary_and_text_frames, fragments_are_joined,
          ping_is_answered_while_a_query_runs, close_is_answered, cut_off_message, large_messages,
          too_large_is_closed_with_1009, bad_utf8_is_closed_with_1007,
          malformed_requests_are_answered, deflate_is_not_offered,
          other_paths_and_too_many_connections, slow_reader, subprotocols, pages_of_other_origins)
