/* The front with a router of our own in place of the real one: it echoes. */
#include "common/loop.h"
#include "common/mem.h"
#include "router/front/conn.h"
#include "router/front/front.h"
#include "router/front/http.h"
#include "router/front/status.h"
#include "router/front/websocket.h"
#include "router/wire/response.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/lib/runner.h"

enum { PATIENCE_MS = 20000, ROOM = 24 << 20 };

/* ---- the router ---- */

struct router {
    const struct shardmap *map;
    uint64_t clients; /* Ever opened. */
    uint64_t closed;  /* Of them. */
    struct router_response waiting[64];
    size_t count;
    size_t requests;
    bool is_ready;
    bool holds; /* Answers nothing for now. */
};

static struct router router;

uint64_t router_client_open(struct router *of)
{
    return ++of->clients;
}

void router_client_close(struct router *of, uint64_t now_ms, uint64_t client, struct outbox *out)
{
    (void)now_ms;
    (void)client;
    (void)out;
    of->closed++;
}

void router_request(struct router *of, uint64_t now_ms, uint64_t client, struct request *request,
                    struct outbox *out)
{
    struct router_response *response = &of->waiting[of->count++];
    unsigned long big = 0;
    char text[64];

    (void)now_ms;
    (void)out;
    ck_assert_uint_lt(of->count, 64);
    of->requests++;
    *response = (struct router_response){
        .client = client, .status = 200, .is_last = true, .is_text = request->is_text_frame};
    (void)snprintf(text, sizeof text, "%.*s",
                   (int)(request->gremlin.size < 60 ? request->gremlin.size : 60),
                   (const char *)request->gremlin.data);
    if (sscanf(text, "big:%lu", &big) == 1) {
        memset(bytes_extend(&response->body, big), 'b', big);
    } else {
        bytes_append(&response->body, request->gremlin.data, request->gremlin.size);
    }
    if (text[0] == '!') {
        (void)sscanf(text, "!%d", &response->status);
    }
    request_close(request);
}

bool router_next_response(struct router *of, struct router_response *response)
{
    if (of->count == 0 || of->holds) {
        return false;
    }
    *response = of->waiting[0];
    of->count--;
    memmove(of->waiting, of->waiting + 1, of->count * sizeof of->waiting[0]);
    return true;
}

size_t router_backlog(const struct router *of, uint64_t client)
{
    (void)of;
    (void)client;
    return 0;
}

bool router_is_ready(const struct router *of)
{
    return of->is_ready;
}

const struct shardmap *router_map(const struct router *of)
{
    return of->map;
}

/* ---- requests and responses as plain text ---- */

static int take_text(struct request *request, struct slice text, struct error *err)
{
    arena_init(&request->arena, 0);
    request->format = FORMAT_GRAPHSON3;
    request->gremlin = slice_of(arena_copy(&request->arena, text.data, text.size), text.size);
    if (text.size > 3 && memcmp(text.data, "bad", 3) == 0) {
        return error_set(err, E_MALFORMED, "this is \"bad\"");
    }
    return E_OK;
}

int request_decode(struct slice frame, bool is_text, struct request *request, struct error *err)
{
    request->is_text_frame = is_text;
    return take_text(request, frame, err);
}

int request_decode_http(const struct request_http *http, struct request *request, struct error *err)
{
    request->is_single = true;
    return take_text(request, http->body.size > 0 ? http->body : http->query, err);
}

void request_close(struct request *request)
{
    arena_close(&request->arena);
}

void response_encode(struct bytes *out, const struct response *response)
{
    bytes_format(out, "status=%d %s", response->status, response->message);
}

const char *response_mime(enum format format)
{
    return format == FORMAT_GRAPHSON3 ? "application/vnd.gremlin-v3.0+json" : "?";
}

/* ---- the fixture ---- */

static struct {
    struct front *front;
    struct outbox out;
    struct stats stats;
    int socket; /* Of the client. */
    char *got;  /* All that has come, with a NUL. */
    size_t got_size;
} f;

static const char *const origins[] = {"http://a.example", "http://b.example"};

static void setup_with(uint32_t connections_max, size_t backlog_bytes)
{
    struct front_options options = {.address = "127.0.0.1",
                                    .port = 0,
                                    .connections_max = connections_max,
                                    .backlog_bytes = backlog_bytes,
                                    .cors_count = 2,
                                    .cors_origins = origins,
                                    .router = &router,
                                    .out = &f.out,
                                    .stats = &f.stats};
    struct error err = {0};

    router = (struct router){.is_ready = true};
    memset(&f, 0, sizeof f);
    f.socket = -1;
    f.got = mem_alloc(ROOM + 1);
    ck_assert_msg(front_open(&f.front, &options, &err) == E_OK, "%s", err.text);
    ck_assert_int_gt(front_port(f.front), 0);
}

static void setup(void)
{
    setup_with(10, 1 << 20);
}

static void disconnect(void)
{
    if (f.socket >= 0) {
        (void)close(f.socket);
    }
    f.socket = -1;
    f.got_size = 0;
    f.got[0] = '\0';
}

static void teardown(void)
{
    disconnect();
    front_close(&f.front);
    while (router.count > 0) {
        bytes_close(&router.waiting[--router.count].body);
    }
    mem_free(f.got);
}

static void connect_client(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)front_port(f.front)),
                                  .sin_addr = {htonl(INADDR_LOOPBACK)}};

    disconnect();
    f.socket = socket(AF_INET, SOCK_STREAM, 0);
    ck_assert_int_eq(connect(f.socket, (struct sockaddr *)&address, sizeof address), 0);
    ck_assert_int_eq(fcntl(f.socket, F_SETFL, O_NONBLOCK), 0);
}

static void turn(void)
{
    front_deliver(f.front, loop_now_ms());
    front_wait(f.front, loop_now_ms() + 1);
}

/* Reads what is there; false: the server has closed. */
static bool read_some(void)
{
    ssize_t count = recv(f.socket, f.got + f.got_size, ROOM - f.got_size, 0);

    if (count > 0) {
        f.got_size += (size_t)count;
        f.got[f.got_size] = '\0';
    }
    return count > 0 || (count < 0 && errno == EAGAIN);
}

static void send_bytes(const void *data, size_t size)
{
    const char *at = data;
    uint64_t start = loop_now_ms();

    while (size > 0) {
        ssize_t count = send(f.socket, at, size, MSG_NOSIGNAL);
        if (count > 0) {
            at += count;
            size -= (size_t)count;
        }
        turn();
        ck_assert_uint_lt(loop_now_ms() - start, PATIENCE_MS);
    }
}

static void send_text(const char *text)
{
    send_bytes(text, strlen(text));
}

static void expect_size(size_t size)
{
    uint64_t start = loop_now_ms();

    while (f.got_size < size) {
        turn();
        ck_assert_msg(read_some() || f.got_size >= size, "closed after %zu bytes: %s", f.got_size,
                      f.got);
        ck_assert_msg(loop_now_ms() - start < PATIENCE_MS, "got %zu bytes, not %zu", f.got_size,
                      size);
    }
}

static void expect(const char *text)
{
    uint64_t start = loop_now_ms();

    while (strstr(f.got, text) == NULL) {
        turn();
        ck_assert_msg(read_some() || strstr(f.got, text) != NULL, "closed; no '%s' in: %s", text,
                      f.got);
        ck_assert_msg(loop_now_ms() - start < PATIENCE_MS, "no '%s' in: %s", text, f.got);
    }
}

static void expect_closed(void)
{
    uint64_t start = loop_now_ms();

    do {
        turn();
        ck_assert_uint_lt(loop_now_ms() - start, PATIENCE_MS);
    } while (read_some());
}

static void forget(void)
{
    f.got_size = 0;
    f.got[0] = '\0';
}

static void run_turns(void)
{
    for (int i = 0; i < 20; i++) {
        turn();
        (void)read_some();
    }
}

/* ---- WebSocket client ---- */

static void upgrade(const char *extra)
{
    char text[1024];

    connect_client();
    (void)snprintf(text, sizeof text,
                   "GET /gremlin HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\n"
                   "Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
                   "Sec-WebSocket-Version: 13\r\n%s\r\n",
                   extra);
    send_text(text);
    expect("\r\n\r\n");
    ck_assert_ptr_nonnull(strstr(f.got, " 101 "));
    ck_assert_ptr_nonnull(strstr(f.got, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="));
}

/* One masked frame. */
static void send_frame(int opcode, bool is_final, const void *data, size_t size)
{
    uint8_t head[14] = {(uint8_t)(opcode | (is_final ? 0x80 : 0))};
    size_t head_size = 2;
    uint8_t *body = mem_alloc(size + 1);

    if (size < 126) {
        head[1] = (uint8_t)(0x80 | size);
    } else {
        head[1] = 0x80 | 127;
        for (size_t i = 0; i < 8; i++) {
            head[2 + i] = (uint8_t)((uint64_t)size >> (56 - 8 * i));
        }
        head_size = 10;
    }
    memcpy(head + head_size, "\x01\x02\x03\x04", 4);
    for (size_t i = 0; i < size; i++) {
        body[i] = ((const uint8_t *)data)[i] ^ (uint8_t)(i % 4 + 1);
    }
    send_bytes(head, head_size + 4);
    send_bytes(body, size);
    mem_free(body);
}

enum { TEXT = 1, BINARY = 2, CLOSE = 8, PING = 9, CONTINUATION = 0 };

START_TEST(binary_and_text_frames)
{
    setup();
    upgrade("");
    forget();
    send_frame(BINARY, true, "hello", 5);
    expect_size(7);
    ck_assert_mem_eq(f.got, "\x82\x05hello", 7);
    forget();
    send_frame(TEXT, true, "{}", 2);
    expect_size(4);
    ck_assert_mem_eq(f.got, "\x81\x02{}", 4);
    ck_assert_uint_eq(f.stats.values[STATS_CLIENTS], 1);
    ck_assert_uint_eq(f.stats.values[STATS_CLIENT_FRAMES_IN], 2);
    disconnect();
    for (int i = 0; i < 200 && router.closed == 0; i++) {
        turn();
    }
    ck_assert_uint_eq(router.closed, 1);
    ck_assert_uint_eq(f.stats.values[STATS_CLIENTS], 0);
    teardown();
}
END_TEST

START_TEST(fragments_are_joined)
{
    setup();
    upgrade("");
    forget();
    send_frame(BINARY, false, "one ", 4);
    send_frame(CONTINUATION, false, "two ", 4);
    send_frame(PING, true, "p", 1);
    expect_size(3);
    ck_assert_mem_eq(f.got, "\x8a\x01p", 3);
    forget();
    send_frame(CONTINUATION, true, "three", 5);
    expect_size(15);
    ck_assert_mem_eq(f.got, "\x82\x0done two three", 15);
    teardown();
}
END_TEST

START_TEST(ping_is_answered_while_a_query_runs)
{
    setup();
    upgrade("");
    forget();
    router.holds = true;
    send_frame(BINARY, true, "query", 5);
    send_frame(PING, true, "", 0);
    expect_size(2);
    ck_assert_mem_eq(f.got, "\x8a\x00", 2);
    ck_assert_uint_eq(router.requests, 1);
    forget();
    router.holds = false;
    expect_size(7);
    teardown();
}
END_TEST

START_TEST(large_messages)
{
    enum { SIZE = REQUEST_BYTES_MAX };
    char *text;

    setup();
    text = mem_alloc(SIZE + 1);
    memset(text, 'x', SIZE + 1);
    upgrade("");
    forget();
    send_frame(BINARY, true, text, SIZE);
    /* In fragments of at most CONN_WRITE_MAX, each with a head of 10. */
    expect_size(SIZE + 10 * (SIZE / CONN_WRITE_MAX));
    ck_assert_uint_eq((uint8_t)f.got[0], 0x02);
    forget();
    send_frame(BINARY, true, "again", 5);
    expect_size(7);
    mem_free(text);
    teardown();
}
END_TEST

START_TEST(too_large_is_closed_with_1009)
{
    enum { SIZE = REQUEST_BYTES_MAX / 2 + 1 };
    char *text;

    setup();
    text = mem_alloc(SIZE);
    memset(text, 'x', SIZE);
    upgrade("");
    forget();
    send_frame(BINARY, false, text, SIZE);
    /* The server may close before it has read all of this. */
    uint8_t head[14] = {0x80, 0x80 | 127, 0, 0, 0, 0, 0, 0x50, 0, 1, 0, 0, 0, 0};
    send_bytes(head, sizeof head);
    for (size_t sent = 0; sent < SIZE && strstr(f.got, "message too large") == NULL;) {
        ssize_t count = send(f.socket, text, SIZE - sent, MSG_NOSIGNAL);
        sent += count > 0 ? (size_t)count : 0;
        turn();
        (void)read_some();
    }
    expect("message too large");
    ck_assert_uint_eq((uint8_t)f.got[0], 0x88);
    ck_assert_uint_eq((uint8_t)f.got[2] << 8 | (uint8_t)f.got[3], 1009);
    ck_assert_uint_eq(router.requests, 0);
    mem_free(text);
    teardown();
}
END_TEST

START_TEST(bad_utf8_is_closed_with_1007)
{
    setup();
    upgrade("");
    forget();
    send_frame(TEXT, true, "\xff\xff", 2);
    expect_size(4);
    ck_assert_uint_eq((uint8_t)f.got[0], 0x88);
    ck_assert_uint_eq((uint8_t)f.got[2] << 8 | (uint8_t)f.got[3], 1007);
    ck_assert_uint_eq(router.requests, 0);
    teardown();
}
END_TEST

START_TEST(malformed_requests_are_answered)
{
    setup();
    upgrade("");
    forget();
    send_frame(BINARY, true, "bad request", 11);
    expect("status=498 this is \"bad\"");
    ck_assert_uint_eq((uint8_t)f.got[0], 0x82);
    forget();
    send_frame(TEXT, true, "bad request", 11);
    expect("status=498");
    ck_assert_uint_eq((uint8_t)f.got[0], 0x81);
    teardown();
}
END_TEST

/* Trap 2. */
START_TEST(deflate_is_not_offered)
{
    setup();
    upgrade("Sec-WebSocket-Extensions: permessage-deflate;client_max_window_bits\r\n");
    ck_assert_ptr_null(strstr(f.got, "permessage-deflate"));
    forget();
    send_frame(BINARY, true, "plain", 5);
    expect_size(7);
    ck_assert_mem_eq(f.got, "\x82\x05plain", 7);
    teardown();
}
END_TEST

START_TEST(other_paths_and_too_many_connections)
{
    int first;

    setup_with(1, 1 << 20);
    connect_client();
    send_text("GET /other HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
              "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n");
    expect_closed();
    ck_assert_ptr_null(strstr(f.got, " 101 "));
    upgrade("");
    first = f.socket;
    f.socket = -1;
    connect_client();
    send_text("GET /gremlin HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
              "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n");
    expect_closed();
    ck_assert_ptr_null(strstr(f.got, " 101 "));
    (void)close(first);
    teardown();
}
END_TEST

/* A client that asks and does not read: it is not read from, and at last closed. */
START_TEST(slow_reader)
{
    size_t before;

    setup_with(10, 65536);
    upgrade("");
    for (int i = 0; i < 40; i++) {
        send_frame(BINARY, true, "big:6000000", 11);
        for (int j = 0; j < 5; j++) {
            turn();
        }
        before = router.requests;
        if (router.closed > 0) {
            break;
        }
    }
    ck_assert_uint_lt(before, 40);
    ck_assert_uint_lt(router.requests, 40);
    teardown();
}
END_TEST

/* ---- HTTP ---- */

static void post(const char *path, const char *headers, const char *body)
{
    char text[4096];

    (void)snprintf(text, sizeof text,
                   "POST %s HTTP/1.1\r\nHost: x\r\nContent-Length: %zu\r\n%s\r\n%s", path,
                   strlen(body), headers, body);
    forget();
    send_text(text);
}

START_TEST(post_with_keep_alive)
{
    setup();
    connect_client();
    for (int i = 0; i < 3; i++) {
        post(i == 1 ? "/" : "/gremlin", "Content-Type: application/x-www-form-urlencoded\r\n",
             "{\"gremlin\":\"g.V()\"}");
        expect("{\"gremlin\":\"g.V()\"}");
        ck_assert_ptr_nonnull(strstr(f.got, "HTTP/1.1 200 OK\r\n"));
        ck_assert_ptr_nonnull(strstr(f.got, "content-length: 19\r\n"));
        ck_assert_ptr_nonnull(strstr(f.got, "content-type: application/vnd.gremlin-v3.0+json\r\n"));
    }
    ck_assert_uint_eq(router.requests, 3);
    ck_assert_uint_eq(router.closed, 3);
    teardown();
}
END_TEST

START_TEST(get_with_a_query)
{
    setup();
    connect_client();
    send_text(
        "GET /gremlin?gremlin=g.V%28%22a%26b%3dc%22%29+x&x=1%2B1 HTTP/1.1\r\nHost: x\r\n\r\n");
    expect("gremlin=g.V%28%22a%26b%3Dc%22%29");
    expect("&x=1%2B1");
    teardown();
}
END_TEST

START_TEST(errors_are_json)
{
    setup();
    connect_client();
    post("/gremlin", "", "!597 no \"such\" step");
    expect("{\"message\":\"!597 no \\\"such\\\" step\",\"code\":597}");
    ck_assert_ptr_nonnull(strstr(f.got, "HTTP/1.1 400 "));
    ck_assert_ptr_nonnull(strstr(f.got, "content-type: application/json\r\n"));
    post("/gremlin", "", "!500 broken");
    expect("\"code\":500}");
    ck_assert_ptr_nonnull(strstr(f.got, "HTTP/1.1 500 "));
    post("/gremlin", "", "!407 who");
    expect("HTTP/1.1 401 ");
    expect("\"code\":407}");
    post("/gremlin", "", "bad request");
    expect("{\"message\":\"this is \\\"bad\\\"\",\"code\":498}");
    ck_assert_ptr_nonnull(strstr(f.got, "HTTP/1.1 400 "));
    teardown();
}
END_TEST

/* Trap 1. */
START_TEST(h2c_is_not_taken)
{
    setup();
    connect_client();
    post("/gremlin",
         "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n"
         "HTTP2-Settings: AAEAAEAAAAIAAAABAAMAAABkAAQBAAAAAAUAAEAA\r\n",
         "query");
    expect("query");
    ck_assert_ptr_nonnull(strstr(f.got, "HTTP/1.1 200 OK\r\n"));
    ck_assert_ptr_null(strstr(f.got, " 101 "));
    teardown();
}
END_TEST

/* An upgrade to what nobody knows must not be looked into. */
START_TEST(unknown_upgrade)
{
    setup();
    connect_client();
    post("/gremlin", "Connection: Upgrade\r\nUpgrade: nonsense\r\n", "query");
    run_turns();
    connect_client();
    post("/gremlin", "", "after");
    expect("after");
    teardown();
}
END_TEST

/* Trap 4. */
START_TEST(chunked_bodies_get_411)
{
    setup();
    connect_client();
    send_text("POST /gremlin HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
              "5\r\nhello\r\n0\r\n\r\n");
    expect("HTTP/1.1 411 ");
    expect_closed();
    connect_client();
    send_text("POST /gremlin HTTP/1.1\r\nHost: x\r\n\r\n");
    expect("HTTP/1.1 411 ");
    expect_closed();
    ck_assert_uint_eq(router.requests, 0);
    teardown();
}
END_TEST

/* Trap 5. */
START_TEST(expect_100_continue)
{
    setup();
    connect_client();
    send_text("POST /gremlin HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n"
              "Expect: 100-continue\r\n\r\n");
    expect("HTTP/1.1 100 Continue\r\n\r\n");
    send_text("hello");
    expect("HTTP/1.1 200 OK\r\n");
    expect("hello");
    teardown();
}
END_TEST

/* Trap 6. */
START_TEST(long_headers_and_queries)
{
    char *text;

    setup();
    text = mem_alloc(40000);
    (void)snprintf(text, 40000,
                   "GET /gremlin?gremlin=%012000d HTTP/1.1\r\nHost: x\r\nX-Y: %012000d\r\n\r\n", 7,
                   8);
    connect_client();
    send_text(text);
    expect("HTTP/1.1 200 OK\r\n");
    expect("00007");
    mem_free(text);
    teardown();
}
END_TEST

/* Trap 7. */
START_TEST(listens_on_its_address_only)
{
    struct sockaddr_in other = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK + 1)}};
    struct sockaddr_in6 six = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    int fd;

    setup();
    other.sin_port = htons((uint16_t)front_port(f.front));
    six.sin6_port = other.sin_port;
    fd = socket(AF_INET, SOCK_STREAM, 0);
    ck_assert_int_eq(connect(fd, (struct sockaddr *)&other, sizeof other), -1);
    (void)close(fd);
    fd = socket(AF_INET6, SOCK_STREAM, 0);
    if (fd >= 0) {
        ck_assert_int_eq(connect(fd, (struct sockaddr *)&six, sizeof six), -1);
        (void)close(fd);
    }
    teardown();
}
END_TEST

START_TEST(too_large_post)
{
    setup();
    connect_client();
    send_text("POST /gremlin HTTP/1.1\r\nHost: x\r\nContent-Length: 10485761\r\n\r\n");
    expect("HTTP/1.1 413 ");
    expect_closed();
    teardown();
}
END_TEST

START_TEST(large_answer)
{
    setup();
    connect_client();
    post("/gremlin", "", "big:5000000");
    expect("\r\n\r\n");
    expect_size((size_t)(strstr(f.got, "\r\n\r\n") - f.got) + 4 + 5000000);
    post("/gremlin", "", "next");
    expect("next");
    teardown();
}
END_TEST

START_TEST(cors)
{
    setup();
    connect_client();
    send_text("OPTIONS /gremlin HTTP/1.1\r\nHost: x\r\nOrigin: http://b.example\r\n"
              "Access-Control-Request-Method: POST\r\n"
              "Access-Control-Request-Headers: content-type\r\n\r\n");
    expect("\r\n\r\n");
    ck_assert_ptr_nonnull(strstr(f.got, "HTTP/1.1 204 "));
    ck_assert_ptr_nonnull(strstr(f.got, "access-control-allow-origin: http://b.example\r\n"));
    ck_assert_ptr_nonnull(strstr(f.got, "access-control-allow-headers: content-type\r\n"));
    ck_assert_ptr_nonnull(strstr(f.got, "access-control-allow-methods: GET, POST, OPTIONS\r\n"));
    post("/gremlin", "Origin: http://a.example\r\n", "x");
    expect("access-control-allow-origin: http://a.example\r\n");
    post("/gremlin", "Origin: http://evil.example\r\n", "done");
    expect("done");
    ck_assert_ptr_null(strstr(f.got, "access-control"));
    teardown();
}
END_TEST

static void get(const char *path)
{
    char text[256];

    (void)snprintf(text, sizeof text, "GET %s HTTP/1.1\r\nHost: x\r\n\r\n", path);
    forget();
    send_text(text);
    expect("\r\n\r\n");
}

START_TEST(pages)
{
    setup();
    connect_client();
    get("/healthz");
    expect("HTTP/1.1 200 OK\r\n");
    expect("\r\n\r\nok\n");
    get("/readyz");
    expect("\r\n\r\nready\n");
    router.is_ready = false;
    get("/readyz");
    expect("HTTP/1.1 503 ");
    expect("not ready\n");
    get("/status");
    expect("\"ready\":false,\"clients\":0}");
    get("/metrics");
    expect("\ncardea_http_requests_total 5\n");
    get("/nothing");
    expect("HTTP/1.1 404 ");
    forget();
    send_text("HEAD /healthz HTTP/1.1\r\nHost: x\r\n\r\n");
    expect("content-length: 3\r\n");
    run_turns();
    ck_assert_ptr_null(strstr(f.got, "\r\n\r\nok"));
    get("/healthz");
    expect("\r\n\r\nok\n");
    teardown();
}
END_TEST

START_TEST(status_shows_the_map)
{
    struct shardmap_graph graph = {.name = SLICE("a\"b\n"), .shard_count = 4, .is_ready = true};
    struct shardmap_node nodes[] = {{.node = 1, .address = SLICE("tcp://x:1"), .is_up = true},
                                    {.node = 2}};
    struct shardmap map = {
        .version = 7, .graph_count = 1, .graphs = &graph, .node_count = 2, .nodes = nodes};

    setup();
    router.map = &map;
    graph.partitioner = PARTITION_RANGE;
    connect_client();
    get("/status");
    expect("\"map\":7,\"graphs\":[{\"name\":\"a\\\"b\\u000a\",\"partitioner\":\"range\","
           "\"shards\":4,\"ready\":true}],\"nodes\":[{\"node\":1,\"address\":\"tcp://x:1\","
           "\"up\":true},{\"node\":2,\"address\":\"\",\"up\":false}]}");
    teardown();
}
END_TEST

START_TEST(client_leaves_before_the_answer)
{
    setup();
    router.holds = true;
    connect_client();
    post("/gremlin", "", "query");
    run_turns();
    ck_assert_uint_eq(router.requests, 1);
    disconnect();
    for (int i = 0; i < 200 && router.closed == 0; i++) {
        turn();
    }
    ck_assert_uint_eq(router.closed, 1);
    router.holds = false;
    turn();
    teardown();
}
END_TEST

START_TEST(port_in_use)
{
    struct front_options options = {.address = "127.0.0.1", .router = &router};
    struct front *second = NULL;
    struct error err = {0};

    setup();
    options.port = front_port(f.front);
    ck_assert_int_eq(front_open(&second, &options, &err), E_IO);
    ck_assert_ptr_nonnull(strstr(err.text, "cannot listen on 127.0.0.1:"));
    ck_assert_ptr_null(second);
    teardown();
}
END_TEST

START_TEST(watched_descriptor_ends_the_wait)
{
    int fds[2];
    char c;

    setup();
    ck_assert_int_eq(pipe(fds), 0);
    ck_assert_int_eq(front_watch(f.front, fds[0], NULL), E_OK);
    ck_assert_int_eq(write(fds[1], "x", 1), 1);
    front_wait(f.front, loop_now_ms() + PATIENCE_MS);
    ck_assert_int_eq(read(fds[0], &c, 1), 1);
    /* And the deadline does, too. */
    front_wait(f.front, loop_now_ms() + 1);
    front_wait(f.front, 0);
    (void)close(fds[0]);
    (void)close(fds[1]);
    teardown();
}
END_TEST

RUN_SUITE("front", binary_and_text_frames, fragments_are_joined,
          ping_is_answered_while_a_query_runs, large_messages, too_large_is_closed_with_1009,
          bad_utf8_is_closed_with_1007, malformed_requests_are_answered, deflate_is_not_offered,
          other_paths_and_too_many_connections, slow_reader, post_with_keep_alive, get_with_a_query,
          errors_are_json, h2c_is_not_taken, unknown_upgrade, chunked_bodies_get_411,
          expect_100_continue, long_headers_and_queries, listens_on_its_address_only,
          too_large_post, large_answer, cors, pages, status_shows_the_map,
          client_leaves_before_the_answer, port_in_use, watched_descriptor_ends_the_wait)
