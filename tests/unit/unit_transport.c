#include "common/caller.h"
#include "common/link.h"
#include "common/loop.h"
#include "common/mem.h"
#include "common/sendq.h"
#include "common/stats.h"
#include "common/transport.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <zmq.h>

#include "tests/lib/runner.h"

enum { ENDS = 3, SERVER = 0, CLIENT = 1, OTHER = 2, CLUSTER = 77, PATIENCE_MS = 20000 };

/* Some processes in one; the clock is the real one plus `skew`. */
struct fixture {
    struct transport *ends[ENDS];
    struct stats stats[ENDS];
    char address[256];
    uint64_t skew;
    uint64_t boot; /* Of the next transport opened. */
    struct outbox out;
    struct message got[ENDS]; /* The last message received; its body is copied to text. */
    char text[ENDS][256];
    size_t got_count[ENDS];
};

static struct fixture f;

static uint64_t now(void)
{
    return loop_now_ms() + f.skew;
}

static const char *address_of(void *ctx, peer_id peer)
{
    (void)ctx;
    return peer == PEER_NODE(PEER_SHARDD, 1) && f.address[0] != '\0' ? f.address : NULL;
}

static void open_server(uint64_t cluster_id, const char *bind)
{
    struct transport_plane plane = {.bind = bind};
    struct transport_options options = {.role = PEER_SHARDD,
                                        .node = 1,
                                        .boot = ++f.boot,
                                        .cluster_id = cluster_id,
                                        .plane_count = 1,
                                        .planes = &plane,
                                        .stats = &f.stats[SERVER]};
    struct error err = {0};

    ck_assert_msg(transport_open(&f.ends[SERVER], &options, &err) == E_OK, "%s", err.text);
    ck_assert_int_eq(transport_bound(f.ends[SERVER], 0, f.address, sizeof f.address), E_OK);
}

static void open_client(size_t end, enum peer_role role, uint64_t cluster_id)
{
    struct transport_options options = {.role = role,
                                        .node = (uint32_t)end,
                                        .boot = ++f.boot,
                                        .cluster_id = cluster_id,
                                        .address = address_of,
                                        .stats = &f.stats[end]};

    ck_assert_int_eq(transport_open(&f.ends[end], &options, NULL), E_OK);
}

static void setup(void)
{
    f = (struct fixture){0};
    outbox_init(&f.out);
    open_server(CLUSTER, "tcp://127.0.0.1:*");
    open_client(CLIENT, PEER_ROUTER, CLUSTER);
}

static void teardown(void)
{
    for (size_t i = 0; i < ENDS; i++) {
        transport_close(&f.ends[i]);
    }
    outbox_close(&f.out);
}

static void keep(size_t end, const struct message *message)
{
    f.got[end] = *message;
    f.got_count[end]++;
    (void)snprintf(f.text[end], sizeof f.text[end], "%.*s",
                   (int)(message->body.size < 200 ? message->body.size : 200),
                   message->body.data == NULL ? "" : (const char *)message->body.data);
}

/* One turn of all; the server answers each READ. */
static void turn(void)
{
    struct message message;

    for (size_t i = 0; i < ENDS; i++) {
        if (f.ends[i] == NULL) {
            continue;
        }
        transport_tick(f.ends[i], now());
        while (transport_recv(f.ends[i], now(), &message)) {
            keep(i, &message);
            if (message.type == MESSAGE_READ) {
                outbox_reply(&f.out, &message, MESSAGE_READ_REPLY, message.body);
            }
        }
        transport_send(f.ends[i], now(), &f.out);
    }
}

static void wait_input(void)
{
    struct pollfd fds[ENDS];
    bool has_input = false;

    for (size_t i = 0; i < ENDS; i++) {
        fds[i] = (struct pollfd){.fd = f.ends[i] == NULL ? -1 : transport_fd(f.ends[i]),
                                 .events = POLLIN};
        has_input |= f.ends[i] != NULL && transport_has_input(f.ends[i]);
    }
    if (!has_input) {
        (void)poll(fds, ENDS, 20);
    }
}

/* Turns until an end has received count messages in all; fails if that never comes. */
static void expect(size_t end, size_t count)
{
    uint64_t start = loop_now_ms();

    while (f.got_count[end] < count) {
        turn();
        if (f.got_count[end] < count) {
            wait_input();
        }
        ck_assert_msg(loop_now_ms() - start < PATIENCE_MS, "end %zu has %zu messages, not %zu", end,
                      f.got_count[end], count);
    }
}

static struct message *call(size_t end, const char *text, uint64_t req_id)
{
    struct message *message =
        outbox_send(&f.out, PEER_NODE(PEER_SHARDD, 1), MESSAGE_READ, slice_text(text));

    message->req_id = req_id;
    message->deadline_ms = 15000;
    (void)end;
    return message;
}

static void send_call(size_t end, const char *text, uint64_t req_id)
{
    (void)call(end, text, req_id);
    transport_send(f.ends[end], now(), &f.out);
}

static void expect_reply(uint64_t req_id)
{
    while (f.got[CLIENT].type != MESSAGE_READ_REPLY || f.got[CLIENT].req_id != req_id) {
        expect(CLIENT, f.got_count[CLIENT] + 1);
    }
}

START_TEST(call_and_reply)
{
    setup();
    send_call(CLIENT, "first", 1);
    expect(CLIENT, 1);
    ck_assert_int_eq(f.got[CLIENT].type, MESSAGE_READ_REPLY);
    ck_assert_str_eq(f.text[CLIENT], "first");
    ck_assert_uint_eq(f.got[CLIENT].req_id, 1);
    ck_assert_uint_eq(f.got[CLIENT].peer, PEER_NODE(PEER_SHARDD, 1));
    ck_assert_uint_eq(f.got[CLIENT].src_node, 1);
    ck_assert_uint_eq(f.got[CLIENT].src_boot, 1);
    ck_assert_uint_eq(f.got[CLIENT].cluster_id, CLUSTER);
    ck_assert(f.got[SERVER].peer & PEER_CALLER_BIT);
    ck_assert_uint_eq(f.got[SERVER].src_node, CLIENT);
    ck_assert_uint_le(f.got[SERVER].deadline_ms, 15000);
    ck_assert_uint_gt(f.got[SERVER].deadline_ms, 0);
    ck_assert(transport_is_up(f.ends[CLIENT], PEER_NODE(PEER_SHARDD, 1)));
    ck_assert(!transport_is_up(f.ends[CLIENT], PEER_NODE(PEER_SHARDD, 2)));
    teardown();
}
END_TEST

/* More than the window: credit is raised as the server takes them, order is kept. */
START_TEST(many_in_order)
{
    enum { COUNT = 3 * WIRE_WINDOW_MESSAGES };
    static char big[20000];

    setup();
    memset(big, 'x', sizeof big - 1);
    big[sizeof big - 1] = '\0';
    for (uint64_t i = 1; i <= COUNT; i++) {
        (void)call(CLIENT, i % 100 == 0 ? big : "small", i);
    }
    transport_send(f.ends[CLIENT], now(), &f.out);
    expect(CLIENT, COUNT);
    ck_assert_uint_eq(f.got[CLIENT].req_id, COUNT);
    ck_assert_uint_eq(f.got_count[SERVER], COUNT);
    ck_assert_uint_eq(f.stats[SERVER].values[STATS_MESSAGES_REFUSED], 0);
    ck_assert_uint_eq(f.stats[CLIENT].values[STATS_MESSAGES_UNSENT], 0);
    teardown();
}
END_TEST

START_TEST(large_body)
{
    struct bytes body;

    setup();
    bytes_init(&body, 0);
    memset(bytes_extend(&body, MESSAGE_BODY_MAX), 'y', MESSAGE_BODY_MAX);
    for (uint64_t i = 1; i <= 4; i++) {
        outbox_send(&f.out, PEER_NODE(PEER_SHARDD, 1), MESSAGE_READ, bytes_slice(&body))->req_id =
            i;
    }
    for (size_t i = 0; i < f.out.count; i++) {
        f.out.items[i].deadline_ms = 15000;
    }
    transport_send(f.ends[CLIENT], now(), &f.out);
    expect(CLIENT, 4);
    ck_assert_uint_eq(f.got[CLIENT].body.size, MESSAGE_BODY_MAX);
    bytes_close(&body);
    teardown();
}
END_TEST

START_TEST(unknown_peer)
{
    struct error err = {0};

    setup();
    outbox_send(&f.out, PEER_NODE(PEER_SHARDD, 9), MESSAGE_READ, SLICE("x"))->req_id = 5;
    outbox_send(&f.out, PEER_CALLER_BIT | 3, MESSAGE_READ_REPLY, SLICE("x"))->req_id = 6;
    transport_send(f.ends[CLIENT], now(), &f.out);
    expect(CLIENT, 1);
    ck_assert_int_eq(f.got[CLIENT].type, MESSAGE_REFUSED);
    ck_assert_uint_eq(f.got[CLIENT].req_id, 5);
    ck_assert_uint_eq(f.got[CLIENT].peer, PEER_NODE(PEER_SHARDD, 9));
    ck_assert_int_eq(message_refusal(slice_of(f.text[CLIENT], f.got[CLIENT].body.size), &err),
                     E_UNAVAILABLE);
    ck_assert_str_eq(err.text, "address of node 9 is not known");
    teardown();
}
END_TEST

/* Nobody listens: the request comes back when its time is over. */
START_TEST(deadline_in_the_queue)
{
    struct error err = {0};

    setup();
    transport_close(&f.ends[SERVER]);
    send_call(CLIENT, "x", 7);
    turn();
    ck_assert_uint_eq(f.got_count[CLIENT], 0);
    f.skew += 14000;
    turn();
    ck_assert_uint_eq(f.got_count[CLIENT], 0);
    f.skew += 2000;
    expect(CLIENT, 1);
    ck_assert_uint_eq(f.got[CLIENT].req_id, 7);
    ck_assert_int_eq(message_refusal(slice_of(f.text[CLIENT], f.got[CLIENT].body.size), &err),
                     E_TIMEOUT);
    teardown();
}
END_TEST

/* The receiver dies and another process takes its address: greeted anew, handles are new. */
START_TEST(restart_of_the_receiver)
{
    char address[256];
    uint64_t old_peer;

    setup();
    send_call(CLIENT, "before", 1);
    expect(CLIENT, 1);
    old_peer = f.got[SERVER].peer;
    transport_close(&f.ends[SERVER]);
    (void)snprintf(address, sizeof address, "%s", f.address);
    turn();
    open_server(CLUSTER, address);
    for (uint64_t i = 2; f.got[CLIENT].type != MESSAGE_READ_REPLY || f.got[CLIENT].req_id == 1;
         i++) {
        /* What was on its way to the old process is lost, or refused: repeated. */
        send_call(CLIENT, "after", i);
        turn();
        wait_input();
        ck_assert_uint_lt(i, 1000);
    }
    ck_assert_str_eq(f.text[CLIENT], "after");
    ck_assert_uint_eq(f.got[CLIENT].src_boot, 3);
    (void)old_peer;
    teardown();
}
END_TEST

/* A frozen receiver: after the silence the connection is opened anew, and works. */
START_TEST(silence_reopens)
{
    setup();
    send_call(CLIENT, "one", 1);
    expect(CLIENT, 1);
    f.skew += 2000;
    transport_tick(f.ends[CLIENT], now());
    ck_assert_uint_eq(f.stats[CLIENT].values[STATS_LINKS_REOPENED], 0);
    f.skew += 2000;
    transport_tick(f.ends[CLIENT], now());
    ck_assert_uint_eq(f.stats[CLIENT].values[STATS_LINKS_REOPENED], 1);
    ck_assert(!transport_is_up(f.ends[CLIENT], PEER_NODE(PEER_SHARDD, 1)));
    send_call(CLIENT, "two", 2);
    expect(CLIENT, 2);
    ck_assert_str_eq(f.text[CLIENT], "two");
    /* The same caller to the core: a boot, not a connection. */
    ck_assert_uint_eq(f.got_count[SERVER], 2);
    teardown();
}
END_TEST

START_TEST(silent_caller_is_forgotten)
{
    peer_id peer;

    setup();
    send_call(CLIENT, "one", 1);
    expect(CLIENT, 1);
    peer = f.got[SERVER].peer;
    ck_assert_uint_eq(transport_gone(f.ends[SERVER]), 0);
    f.skew += CALLER_SILENCE_MS + 1;
    transport_tick(f.ends[SERVER], now());
    ck_assert_uint_eq(transport_gone(f.ends[SERVER]), peer);
    ck_assert_uint_eq(transport_gone(f.ends[SERVER]), 0);
    /* It was only asleep. */
    f.skew = 0;
    for (uint64_t i = 2; f.got[SERVER].peer == peer; i++) {
        send_call(CLIENT, "two", i);
        turn();
        wait_input();
        ck_assert_uint_lt(i, 1000);
    }
    ck_assert(f.got[SERVER].peer & PEER_CALLER_BIT);
    /* Replies to the new handle are not taken for old ones. */
    f.got_count[CLIENT] = 0;
    send_call(CLIENT, "three", 2000);
    expect_reply(2000);
    teardown();
}
END_TEST

/* The address is not known for a while: the same two processes go on where they were. */
START_TEST(address_is_lost_and_found)
{
    char address[256];

    setup();
    for (uint64_t i = 1; i <= 5; i++) {
        send_call(CLIENT, "before", i);
    }
    expect_reply(5);
    (void)snprintf(address, sizeof address, "%s", f.address);
    f.address[0] = '\0';
    f.skew += 4000;
    transport_tick(f.ends[CLIENT], now());
    send_call(CLIENT, "lost", 6);
    expect(CLIENT, 6);
    ck_assert_int_eq(f.got[CLIENT].type, MESSAGE_REFUSED);
    (void)snprintf(f.address, sizeof f.address, "%s", address);
    send_call(CLIENT, "found", 7);
    expect_reply(7);
    ck_assert_str_eq(f.text[CLIENT], "found");
    teardown();
}
END_TEST

START_TEST(wrong_cluster)
{
    struct error err = {0};

    setup();
    open_client(OTHER, PEER_ROUTER, CLUSTER + 1);
    send_call(OTHER, "x", 3);
    expect(OTHER, 1);
    ck_assert_int_eq(f.got[OTHER].type, MESSAGE_REFUSED);
    ck_assert_int_eq(message_refusal(slice_of(f.text[OTHER], f.got[OTHER].body.size), &err),
                     E_CONFIG);
    ck_assert_ptr_nonnull(strstr(err.text, "this is cluster 000000000000004d"));
    /* At once from now on. */
    send_call(OTHER, "x", 4);
    expect(OTHER, 2);
    ck_assert_uint_eq(f.got_count[SERVER], 0);
    teardown();
}
END_TEST

START_TEST(a_tool_may_ask_any_cluster)
{
    setup();
    open_client(OTHER, PEER_TOOL, 0);
    outbox_send(&f.out, PEER_NODE(PEER_SHARDD, 1), MESSAGE_ADMIN, SLICE("status"))->req_id = 1;
    transport_send(f.ends[OTHER], now(), &f.out);
    expect(SERVER, 1);
    ck_assert_str_eq(f.text[SERVER], "status");
    teardown();
}
END_TEST

START_TEST(role_may_not_send)
{
    struct error err = {0};

    setup();
    outbox_send(&f.out, PEER_NODE(PEER_SHARDD, 1), MESSAGE_PREPARE, SLICE("x"))->req_id = 1;
    transport_send(f.ends[CLIENT], now(), &f.out);
    expect(CLIENT, 1);
    ck_assert_int_eq(message_refusal(slice_of(f.text[CLIENT], f.got[CLIENT].body.size), &err),
                     E_FORBIDDEN);
    ck_assert_uint_eq(f.got_count[SERVER], 0);
    teardown();
}
END_TEST

START_TEST(an_earlier_boot_is_meant)
{
    struct error err = {0};

    setup();
    call(CLIENT, "x", 1)->dst_boot = 999;
    transport_send(f.ends[CLIENT], now(), &f.out);
    expect(CLIENT, 1);
    ck_assert_int_eq(message_refusal(slice_of(f.text[CLIENT], f.got[CLIENT].body.size), &err),
                     E_WRONG_EPOCH);
    ck_assert_uint_eq(f.got_count[SERVER], 0);
    teardown();
}
END_TEST

START_TEST(address_in_use)
{
    struct transport_plane plane = {.bind = NULL};
    struct transport_options options = {
        .role = PEER_SHARDD, .node = 2, .boot = 9, .plane_count = 1, .planes = &plane};
    struct error err = {0};
    char text[512];

    setup();
    plane.bind = f.address;
    ck_assert_int_eq(transport_open(&f.ends[OTHER], &options, &err), E_IO);
    (void)snprintf(text, sizeof text, "%s is in use by another program", f.address);
    ck_assert_str_eq(err.text, text);
    plane.bind = "nonsense";
    ck_assert_int_eq(transport_open(&f.ends[OTHER], &options, &err), E_IO);
    ck_assert_ptr_null(f.ends[OTHER]);
    teardown();
}
END_TEST

/* ---- a hand-made client ---- */

struct raw {
    void *context;
    void *socket;
};

static void raw_open(struct raw *raw)
{
    int ms = 100;
    int zero = 0;

    raw->context = zmq_ctx_new();
    raw->socket = zmq_socket(raw->context, ZMQ_DEALER);
    (void)zmq_setsockopt(raw->socket, ZMQ_RCVTIMEO, &ms, sizeof ms);
    (void)zmq_setsockopt(raw->socket, ZMQ_LINGER, &zero, sizeof zero);
    ck_assert_int_eq(zmq_connect(raw->socket, f.address), 0);
}

static void raw_close(struct raw *raw)
{
    (void)zmq_close(raw->socket);
    (void)zmq_ctx_term(raw->context);
}

static void raw_send(const struct raw *raw, enum message_type type, uint64_t link_seq,
                     struct slice body)
{
    struct message message = {.type = type,
                              .cluster_id = CLUSTER,
                              .src_node = 40,
                              .src_boot = 41,
                              .req_id = 42,
                              .link_seq = link_seq,
                              .body = body};
    struct bytes frame = {0};

    message_encode(&frame, &message);
    ck_assert_int_eq(zmq_send(raw->socket, frame.data, frame.size, 0), (int)frame.size);
    bytes_close(&frame);
}

/* The next answer, into buffer; the server turns meanwhile. */
static struct message raw_recv(const struct raw *raw, uint8_t *buffer, size_t size)
{
    uint64_t start = loop_now_ms();
    struct message message;
    int got = -1;

    while (got < 0) {
        turn();
        got = zmq_recv(raw->socket, buffer, size, 0);
        ck_assert_uint_lt(loop_now_ms() - start, PATIENCE_MS);
    }
    ck_assert_int_eq(message_decode(slice_of(buffer, (size_t)got), &message, NULL), E_OK);
    return message;
}

static void raw_hello(const struct raw *raw)
{
    static const uint8_t hello[] = {1, 1, PEER_ROUTER, 0, 0, 0};

    raw_send(raw, MESSAGE_HELLO, 0, slice_of(hello, sizeof hello));
}

START_TEST(before_hello_all_is_refused)
{
    struct raw raw;
    struct message message;
    struct error err = {0};
    uint8_t buffer[1024];

    setup();
    raw_open(&raw);
    raw_send(&raw, MESSAGE_READ, 1, SLICE("x"));
    message = raw_recv(&raw, buffer, sizeof buffer);
    ck_assert_int_eq(message.type, MESSAGE_REFUSED);
    ck_assert_uint_eq(message.req_id, 42);
    ck_assert_uint_eq(message.link_seq, 0);
    ck_assert_int_eq(message_refusal(message.body, &err), E_UNAVAILABLE);
    ck_assert_str_eq(err.text, "HELLO comes first");
    ck_assert_uint_eq(f.got_count[SERVER], 0);
    raw_hello(&raw);
    message = raw_recv(&raw, buffer, sizeof buffer);
    ck_assert_int_eq(message.type, MESSAGE_WELCOME);
    ck_assert_uint_eq(message.src_boot, 1);
    raw_close(&raw);
    teardown();
}
END_TEST

START_TEST(stale_messages_are_dropped)
{
    struct raw raw;
    struct message message;
    uint8_t buffer[1024];

    setup();
    raw_open(&raw);
    raw_hello(&raw);
    ck_assert_int_eq(raw_recv(&raw, buffer, sizeof buffer).type, MESSAGE_WELCOME);
    raw_send(&raw, MESSAGE_READ, 5, SLICE("five"));
    message = raw_recv(&raw, buffer, sizeof buffer);
    ck_assert(slice_equal(message.body, SLICE("five")));
    raw_send(&raw, MESSAGE_READ, 5, SLICE("five again"));
    raw_send(&raw, MESSAGE_READ, 4, SLICE("four"));
    raw_send(&raw, MESSAGE_READ, 6, SLICE("six"));
    message = raw_recv(&raw, buffer, sizeof buffer);
    ck_assert(slice_equal(message.body, SLICE("six")));
    ck_assert_uint_eq(f.stats[SERVER].values[STATS_MESSAGES_STALE], 2);
    /* The numbers belong to the boot, not to the connection. */
    raw_close(&raw);
    raw_open(&raw);
    raw_hello(&raw);
    ck_assert_int_eq(raw_recv(&raw, buffer, sizeof buffer).type, MESSAGE_WELCOME);
    raw_send(&raw, MESSAGE_READ, 6, SLICE("six again"));
    raw_send(&raw, MESSAGE_READ, 7, SLICE("seven"));
    message = raw_recv(&raw, buffer, sizeof buffer);
    ck_assert(slice_equal(message.body, SLICE("seven")));
    ck_assert_uint_eq(f.stats[SERVER].values[STATS_CALLERS], 1);
    raw_close(&raw);
    teardown();
}
END_TEST

START_TEST(rubbish_is_dropped)
{
    struct raw raw;
    uint8_t buffer[1024];

    setup();
    raw_open(&raw);
    ck_assert_int_eq(zmq_send(raw.socket, "rubbish", 7, 0), 7);
    ck_assert_int_eq(zmq_send(raw.socket, "two", 3, ZMQ_SNDMORE), 3);
    ck_assert_int_eq(zmq_send(raw.socket, "parts", 5, 0), 5);
    raw_send(&raw, MESSAGE_HELLO, 0, SLICE(""));
    ck_assert_int_eq(raw_recv(&raw, buffer, sizeof buffer).type, MESSAGE_REFUSED);
    raw_hello(&raw);
    ck_assert_int_eq(raw_recv(&raw, buffer, sizeof buffer).type, MESSAGE_WELCOME);
    ck_assert_uint_eq(f.stats[SERVER].values[STATS_MESSAGES_BAD], 2);
    ck_assert_uint_eq(f.got_count[SERVER], 0);
    raw_close(&raw);
    teardown();
}
END_TEST

START_TEST(queue_keeps_order_and_bodies)
{
    struct sendq queue = {0};
    struct message message = {.type = MESSAGE_READ, .body = SLICE("body")};

    ck_assert_ptr_null(sendq_front(&queue));
    for (uint64_t i = 0, taken = 0; taken < 100; i++) {
        message.req_id = i;
        message.deadline_ms = i % 2 == 0 ? 0 : 50;
        ck_assert(sendq_push(&queue, 1000, &message));
        if (i % 3 == 0) {
            struct sendq_item *item = sendq_front(&queue);
            ck_assert_uint_eq(item->message.req_id, taken);
            ck_assert_uint_eq(item->expires_ms, taken % 2 == 0 ? 1000 + SENDQ_PATIENCE_MS : 1050);
            ck_assert(slice_equal(item->message.body, SLICE("body")));
            ck_assert_ptr_ne(item->message.body.data, message.body.data);
            sendq_pop(&queue);
            taken++;
        }
    }
    ck_assert_uint_eq(queue.size_bytes, queue.count * 4);
    sendq_close(&queue);
    sendq_close(&queue);
}
END_TEST

START_TEST(queue_is_bounded)
{
    struct sendq queue = {0};
    struct message message = {.type = MESSAGE_READ};
    struct bytes body = {0};

    memset(bytes_extend(&body, MESSAGE_BODY_MAX), 'x', MESSAGE_BODY_MAX);
    message.body = bytes_slice(&body);
    for (int i = 0; i < SENDQ_BYTES_MAX / MESSAGE_BODY_MAX; i++) {
        ck_assert(sendq_push(&queue, 0, &message));
    }
    ck_assert(!sendq_push(&queue, 0, &message));
    sendq_close(&queue);
    message.body = (struct slice){0};
    for (int i = 0; i < SENDQ_COUNT_MAX; i++) {
        ck_assert(sendq_push(&queue, 0, &message));
    }
    ck_assert(!sendq_push(&queue, 0, &message));
    sendq_close(&queue);
    bytes_close(&body);
}
END_TEST

START_TEST(link_address_is_bounded)
{
    static char address[LINK_ADDRESS_MAX + 10] = "tcp://127.0.0.1:";
    struct wire wire = {0};
    struct link link = {0};
    struct error err = {0};

    memset(address + 16, '1', sizeof address - 17);
    ck_assert_int_eq(link_open(&link, &wire, 0, PEER_NODE(PEER_SHARDD, 1), address, &err),
                     E_INVALID);
    ck_assert_int_eq(link.state, LINK_CLOSED);
}
END_TEST

RUN_SUITE("transport", queue_keeps_order_and_bodies, queue_is_bounded, link_address_is_bounded,
          call_and_reply, many_in_order, large_body, unknown_peer, deadline_in_the_queue,
          restart_of_the_receiver, silence_reopens, silent_caller_is_forgotten,
          address_is_lost_and_found, wrong_cluster, a_tool_may_ask_any_cluster, role_may_not_send,
          an_earlier_boot_is_meant, address_in_use, before_hello_all_is_refused,
          stale_messages_are_dropped, rubbish_is_dropped)
