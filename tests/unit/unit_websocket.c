/* WebSocket as clients see it. */
#include "common/mem.h"
#include "router/front/conn.h"
#include "router/front/outq.h"
#include "router/front/stream.h"
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
    /* In fragments of at most WEBSOCKET_FRAGMENT_MAX, each with a head of 10. */
    visitor_expect_size(SIZE + 10 * (SIZE / WEBSOCKET_FRAGMENT_MAX));
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

static void expect_close(uint32_t code, const char *why)
{
    visitor_expect(why);
    ck_assert_uint_eq((uint8_t)visitor.got[0], 0x88);
    ck_assert_uint_eq((uint32_t)((uint8_t)visitor.got[2] << 8 | (uint8_t)visitor.got[3]), code);
    visitor_expect_closed();
    ck_assert_uint_eq(visitor_router.requests, 0);
}

START_TEST(an_unmasked_frame_is_refused_with_1002)
{
    visitor_setup();
    visitor_upgrade("");
    visitor_forget();
    visitor_send_bytes("\x82\x05hello", 7);
    expect_close(1002, "must be masked");
    visitor_upgrade("");
    visitor_forget();
    visitor_send_frame(PING, false, "", 0);
    expect_close(1002, "a control frame in fragments");
    visitor_teardown();
}
END_TEST

/* The first frame stands in the segment of the handshake. */
START_TEST(a_frame_right_behind_the_handshake)
{
    visitor_setup();
    visitor_connect();
    visitor_send_text("GET /gremlin HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\n"
                      "Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
                      "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: a, gremlin\r\n\r\n"
                      "\x82\x82\x01\x01\x01\x01ij");
    visitor_expect("Sec-WebSocket-Protocol: gremlin\r\n\r\n");
    visitor_expect("\x82\x02hk");
    visitor_teardown();
}
END_TEST

START_TEST(half_of_a_message_for_too_long)
{
    visitor_setup_times(100, 100000);
    visitor_upgrade("");
    visitor_forget();
    visitor_send_frame(BINARY, false, "half", 4);
    expect_close(1008, "a message took too long to come");
    visitor_teardown();
}
END_TEST

/* Asked with a ping first; who answers it stays. */
START_TEST(idle_websockets_end)
{
    visitor_setup_times(100000, 200);
    visitor_upgrade("");
    for (int i = 0; i < 3; i++) {
        visitor_forget();
        visitor_expect_size(2);
        ck_assert_mem_eq(visitor.got, "\x89\x00", 2);
        visitor_send_frame(PONG, true, "", 0);
    }
    visitor_forget();
    visitor_expect_size(23);
    ck_assert_mem_eq(visitor.got, "\x89\x00\x88\x13\x03\xe9idle for too long", 23);
    visitor_expect_closed();
    ck_assert_uint_eq(visitor.stats.values[STATS_CONNECTIONS_TIMED_OUT], 1);
    visitor_teardown();
}
END_TEST

/* More than WEBSOCKET_OPEN_MAX without an answer: the rest waits in the client. */
START_TEST(a_thousand_requests_at_once_are_bounded)
{
    visitor_setup();
    visitor_router.holds = true;
    visitor_upgrade("");
    visitor_forget();
    for (int i = 0; i < 1000; i++) {
        visitor_send_frame(BINARY, true, "x", 1);
    }
    visitor_run_turns();
    ck_assert_uint_eq(visitor_router.requests, WEBSOCKET_OPEN_MAX);
    visitor_router.holds = false;
    visitor_expect_size(3000);
    ck_assert_uint_eq(visitor_router.requests, 1000);
    visitor_teardown();
}
END_TEST

START_TEST(ten_thousand_pings_in_one_go)
{
    char *text = mem_alloc(60000);

    for (size_t i = 0; i < 10000; i++) {
        memcpy(text + i * 6, "\x89\x80\x01\x02\x03\x04", 6);
    }
    visitor_setup_with(10, 65536);
    visitor_upgrade("");
    visitor_forget();
    visitor_send_bytes(text, 60000);
    visitor_expect_size(20000);
    mem_free(text);
    visitor_teardown();
}
END_TEST

START_TEST(the_end_of_the_router_is_told)
{
    visitor_setup();
    visitor_upgrade("");
    visitor_forget();
    front_close(&visitor.front);
    ck_assert(visitor_read_some());
    ck_assert_mem_eq(visitor.got, "\x88\x11\x03\xe9the router ends", 19);
    ck_assert_uint_eq(visitor_router.closed, 1);
    visitor_teardown();
}
END_TEST

/* RFC 6455 4.2.1. */
START_TEST(handshakes_at_fault)
{
    static const char *const fields[] = {
        "Sec-WebSocket-Version: 13\r\n",
        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: short\r\n",
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n",
        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n",
        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
        "Content-Length: 1\r\n",
    };

    visitor_setup();
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
        char text[512];
        (void)snprintf(text, sizeof text,
                       "GET /gremlin HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\n"
                       "Connection: Upgrade\r\n%s\r\n",
                       fields[i]);
        visitor_connect();
        visitor_forget();
        visitor_send_text(text);
        visitor_expect("HTTP/1.1 400 Bad Request\r\n");
        visitor_expect_closed();
    }
    visitor_teardown();
}
END_TEST

RUN_SUITE("websocket", binary_and_text_frames, fragments_are_joined,
          ping_is_answered_while_a_query_runs, close_is_answered, cut_off_message, large_messages,
          too_large_is_closed_with_1009, bad_utf8_is_closed_with_1007,
          malformed_requests_are_answered, deflate_is_not_offered,
          other_paths_and_too_many_connections, slow_reader, subprotocols, pages_of_other_origins,
          an_unmasked_frame_is_refused_with_1002, a_frame_right_behind_the_handshake,
          half_of_a_message_for_too_long, idle_websockets_end,
          a_thousand_requests_at_once_are_bounded, ten_thousand_pings_in_one_go,
          the_end_of_the_router_is_told, handshakes_at_fault)
