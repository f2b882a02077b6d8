#include "tests/lib/visitor.h"

#include "common/mem.h"
#include "router/wire/response.h"

#include <arpa/inet.h>
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* ---- the router ---- */

struct router visitor_router;

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
    ck_assert_uint_lt(of->count, sizeof of->waiting / sizeof of->waiting[0]);
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

void router_front_holds(struct router *of, uint64_t bytes)
{
    of->front_bytes = bytes;
}

size_t router_backlog(const struct router *of, uint64_t client)
{
    (void)of;
    (void)client;
    return 0;
}

const struct metrics_histogram *router_times(const struct router *router, enum router_kind kind)
{
    static const struct metrics_histogram none;

    (void)router;
    (void)kind;
    return &none;
}

struct value router_queries(const struct router *of, struct arena *arena)
{
    struct value query[] = {value_cstring("state"),   value_cstring("running"),
                            value_cstring("request"), value_cstring("id-1"),
                            value_cstring("ms"),      value_long(5),
                            value_cstring("text"),    value_cstring("g.V(\"x\")")};
    struct value one = value_items(arena, VALUE_MAP, query, 4);
    struct value list[] = {value_cstring("queries"), value_items(arena, VALUE_LIST, &one, 1)};

    (void)of;
    return value_items(arena, VALUE_MAP, list, 1);
}

int router_kill(struct router *of, struct slice id, struct error *err)
{
    (void)of;
    return slice_equal(id, SLICE("id-1")) ? E_OK : error_set(err, E_NOT_FOUND, "no such query");
}

void router_counters(const struct router *of, struct router_counters *counters)
{
    *counters = (struct router_counters){.requests = of->requests, .queries = 3};
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

struct visitor visitor;

static const char *const origins[] = {"http://a.example", "http://b.example"};

static void set_up(struct front_options options)
{
    struct error err = {0};

    options.address = "127.0.0.1";
    options.cors_origins = origins;
    options.router = &visitor_router;
    options.out = &visitor.out;
    options.stats = &visitor.stats;
    visitor_router = (struct router){.is_ready = true};
    memset(&visitor, 0, sizeof visitor);
    visitor.socket = -1;
    visitor.got = mem_alloc(VISITOR_ROOM + 1);
    ck_assert_msg(front_open(&visitor.front, &options, &err) == E_OK, "%s", err.text);
    ck_assert_int_gt(front_port(visitor.front), 0);
}

void visitor_setup_with(uint32_t connections_max, size_t backlog_bytes)
{
    set_up((struct front_options){.connections_max = connections_max,
                                  .backlog_bytes = backlog_bytes,
                                  .cors_count = sizeof origins / sizeof origins[0]});
}

void visitor_setup_answers(size_t answers_bytes_max)
{
    set_up((struct front_options){
        .connections_max = 10, .backlog_bytes = 64 << 20, .answers_bytes_max = answers_bytes_max});
}

void visitor_setup_times(uint64_t request_timeout_ms, uint64_t idle_timeout_ms)
{
    set_up((struct front_options){.connections_max = 10,
                                  .backlog_bytes = 1 << 20,
                                  .request_timeout_ms = request_timeout_ms,
                                  .idle_timeout_ms = idle_timeout_ms});
}

void visitor_setup_default(void)
{
    set_up((struct front_options){.connections_max = 1000, .backlog_bytes = 1 << 20});
}

void visitor_setup(void)
{
    visitor_setup_with(10, 1 << 20);
}

void visitor_disconnect(void)
{
    if (visitor.socket >= 0) {
        (void)close(visitor.socket);
    }
    visitor.socket = -1;
    visitor.got_size = 0;
    visitor.got[0] = '\0';
}

void visitor_teardown(void)
{
    visitor_disconnect();
    front_close(&visitor.front);
    while (visitor_router.count > 0) {
        bytes_close(&visitor_router.waiting[--visitor_router.count].body);
    }
    mem_free(visitor.got);
}

void visitor_connect(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)front_port(visitor.front)),
                                  .sin_addr = {htonl(INADDR_LOOPBACK)}};

    visitor_disconnect();
    visitor.socket = socket(AF_INET, SOCK_STREAM, 0);
    ck_assert_int_eq(connect(visitor.socket, (struct sockaddr *)&address, sizeof address), 0);
    ck_assert_int_eq(fcntl(visitor.socket, F_SETFL, O_NONBLOCK), 0);
}

void visitor_turn(void)
{
    front_deliver(visitor.front, loop_now_ms());
    front_wait(visitor.front, loop_now_ms() + 1);
}

/* Reads what is there; false: the server has closed. */
bool visitor_read_some(void)
{
    ssize_t count =
        recv(visitor.socket, visitor.got + visitor.got_size, VISITOR_ROOM - visitor.got_size, 0);

    if (count > 0) {
        visitor.got_size += (size_t)count;
        visitor.got[visitor.got_size] = '\0';
    }
    return count > 0 || (count < 0 && errno == EAGAIN);
}

void visitor_send_bytes(const void *data, size_t size)
{
    const char *at = data;
    uint64_t start = loop_now_ms();

    while (size > 0) {
        ssize_t count = send(visitor.socket, at, size, MSG_NOSIGNAL);
        if (count > 0) {
            at += count;
            size -= (size_t)count;
        } else if (errno != EAGAIN) {
            return; /* The server has closed: what is expected next will tell. */
        }
        visitor_turn();
        ck_assert_uint_lt(loop_now_ms() - start, VISITOR_PATIENCE_MS);
    }
}

void visitor_send_text(const char *text)
{
    visitor_send_bytes(text, strlen(text));
}

void visitor_expect_size(size_t size)
{
    uint64_t start = loop_now_ms();

    while (visitor.got_size < size) {
        visitor_turn();
        ck_assert_msg(visitor_read_some() || visitor.got_size >= size, "closed after %zu bytes: %s",
                      visitor.got_size, visitor.got);
        ck_assert_msg(loop_now_ms() - start < VISITOR_PATIENCE_MS, "got %zu bytes, not %zu",
                      visitor.got_size, size);
    }
}

void visitor_expect(const char *text)
{
    uint64_t start = loop_now_ms();

    while (strstr(visitor.got, text) == NULL) {
        visitor_turn();
        ck_assert_msg(visitor_read_some() || strstr(visitor.got, text) != NULL,
                      "closed; no '%s' in: %s", text, visitor.got);
        ck_assert_msg(loop_now_ms() - start < VISITOR_PATIENCE_MS, "no '%s' in: %s", text,
                      visitor.got);
    }
}

void visitor_expect_closed(void)
{
    uint64_t start = loop_now_ms();

    do {
        visitor_turn();
        ck_assert_uint_lt(loop_now_ms() - start, VISITOR_PATIENCE_MS);
    } while (visitor_read_some());
}

void visitor_forget(void)
{
    visitor.got_size = 0;
    visitor.got[0] = '\0';
}

void visitor_run_turns(void)
{
    for (int i = 0; i < 20; i++) {
        visitor_turn();
        (void)visitor_read_some();
    }
}

/* ---- WebSocket client ---- */

void visitor_upgrade(const char *extra)
{
    char text[1024];

    visitor_connect();
    (void)snprintf(text, sizeof text,
                   "GET /gremlin HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\n"
                   "Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
                   "Sec-WebSocket-Version: 13\r\n%s\r\n",
                   extra);
    visitor_send_text(text);
    visitor_expect("\r\n\r\n");
    ck_assert_ptr_nonnull(strstr(visitor.got, " 101 "));
    ck_assert_ptr_nonnull(strstr(visitor.got, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="));
}

/* One masked frame. */
void visitor_send_frame(int opcode, bool is_final, const void *data, size_t size)
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
    visitor_send_bytes(head, head_size + 4);
    visitor_send_bytes(body, size);
    mem_free(body);
}
