/* HTTP as clients see it, and the front itself. */
#include "common/listener.h"
#include "common/mem.h"
#include "router/front/browser.h"
#include "router/front/front.h"
#include "router/front/front_private.h"
#include "router/front/http.h"
#include "router/front/status.h"
#include "tests/lib/visitor.h"

#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/lib/runner.h"

static void post(const char *path, const char *headers, const char *body)
{
    char text[4096];

    (void)snprintf(text, sizeof text,
                   "POST %s HTTP/1.1\r\nHost: x\r\nContent-Length: %zu\r\n%s\r\n%s", path,
                   strlen(body), headers, body);
    visitor_forget();
    visitor_send_text(text);
}

static void get(const char *path)
{
    char text[256];

    (void)snprintf(text, sizeof text, "GET %s HTTP/1.1\r\nHost: x\r\n\r\n", path);
    visitor_forget();
    visitor_send_text(text);
    visitor_expect("\r\n\r\n");
}

START_TEST(post_with_keep_alive)
{
    visitor_setup();
    visitor_connect();
    for (int i = 0; i < 3; i++) {
        post(i == 1 ? "/" : "/gremlin", "Content-Type: application/x-www-form-urlencoded\r\n",
             "{\"gremlin\":\"g.V()\"}");
        visitor_expect("{\"gremlin\":\"g.V()\"}");
        ck_assert_ptr_nonnull(strstr(visitor.got, "HTTP/1.1 200 OK\r\n"));
        ck_assert_ptr_nonnull(strstr(visitor.got, "content-length: 19\r\n"));
        ck_assert_ptr_nonnull(
            strstr(visitor.got, "content-type: application/vnd.gremlin-v3.0+json\r\n"));
    }
    ck_assert_uint_eq(visitor_router.requests, 3);
    ck_assert_uint_eq(visitor_router.closed, 3);
    visitor_teardown();
}
END_TEST

START_TEST(get_with_a_query)
{
    visitor_setup();
    visitor_connect();
    visitor_send_text(
        "GET /gremlin?gremlin=g.V%28%22a%26b%3dc%22%29+x&x=1%2B1 HTTP/1.1\r\nHost: x\r\n\r\n");
    visitor_expect("\r\n\r\ngremlin=g.V%28%22a%26b%3dc%22%29+x&x=1%2B1");
    visitor_teardown();
}
END_TEST

START_TEST(errors_are_json)
{
    visitor_setup();
    visitor_connect();
    post("/gremlin", "", "!597 no \"such\" step");
    visitor_expect("{\"message\":\"!597 no \\\"such\\\" step\",\"code\":597,\"requestId\":\"");
    ck_assert_ptr_nonnull(strstr(visitor.got, "HTTP/1.1 400 "));
    ck_assert_ptr_nonnull(strstr(visitor.got, "content-type: application/json\r\n"));
    post("/gremlin", "", "!500 broken");
    visitor_expect("\"code\":500,\"requestId\":\"");
    ck_assert_ptr_nonnull(strstr(visitor.got, "HTTP/1.1 500 "));
    post("/gremlin", "", "!407 who");
    visitor_expect("HTTP/1.1 401 ");
    visitor_expect("\"code\":407,\"requestId\":\"");
    post("/gremlin", "", "bad request");
    visitor_expect("{\"message\":\"this is \\\"bad\\\"\",\"code\":498,\"requestId\":\"");
    ck_assert_ptr_nonnull(strstr(visitor.got, "HTTP/1.1 400 "));
    visitor_teardown();
}
END_TEST

START_TEST(h2c_is_not_taken)
{
    visitor_setup();
    visitor_connect();
    post("/gremlin",
         "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n"
         "HTTP2-Settings: AAEAAEAAAAIAAAABAAMAAABkAAQBAAAAAAUAAEAA\r\n",
         "query");
    visitor_expect("query");
    ck_assert_ptr_nonnull(strstr(visitor.got, "HTTP/1.1 200 OK\r\n"));
    ck_assert_ptr_null(strstr(visitor.got, " 101 "));
    visitor_teardown();
}
END_TEST

/* An upgrade to what nobody knows must not be looked into. */
START_TEST(unknown_upgrade)
{
    visitor_setup();
    visitor_connect();
    post("/gremlin", "Connection: Upgrade\r\nUpgrade: nonsense\r\n", "query");
    visitor_run_turns();
    visitor_connect();
    post("/gremlin", "", "after");
    visitor_expect("after");
    visitor_teardown();
}
END_TEST

START_TEST(chunked_bodies_are_taken)
{
    visitor_setup();
    visitor_connect();
    visitor_send_text("POST /gremlin HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
                      "5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n");
    visitor_expect("\r\n\r\nhello world");
    visitor_forget();
    visitor_send_text("POST /gremlin HTTP/1.1\r\nHost: x\r\n\r\n");
    visitor_expect("HTTP/1.1 411 ");
    visitor_expect_closed();
    ck_assert_uint_eq(visitor_router.requests, 1);
    visitor_teardown();
}
END_TEST

START_TEST(expect_100_continue)
{
    visitor_setup();
    visitor_connect();
    visitor_send_text("POST /gremlin HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n"
                      "Expect: 100-continue\r\n\r\n");
    visitor_expect("HTTP/1.1 100 Continue\r\n\r\n");
    visitor_send_text("hello");
    visitor_expect("HTTP/1.1 200 OK\r\n");
    visitor_expect("hello");
    visitor_teardown();
}
END_TEST

START_TEST(long_headers_and_queries)
{
    char *text;

    visitor_setup();
    text = mem_alloc(40000);
    (void)snprintf(text, 40000,
                   "GET /gremlin?gremlin=%012000d HTTP/1.1\r\nHost: x\r\nX-Y: %012000d\r\n\r\n", 7,
                   8);
    visitor_connect();
    visitor_send_text(text);
    visitor_expect("HTTP/1.1 200 OK\r\n");
    visitor_expect("00007");
    mem_free(text);
    visitor_teardown();
}
END_TEST

START_TEST(listens_on_its_address_only)
{
    struct sockaddr_in other = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK + 1)}};
    struct sockaddr_in6 six = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    int fd;

    visitor_setup();
    other.sin_port = htons((uint16_t)front_port(visitor.front));
    six.sin6_port = other.sin_port;
    fd = socket(AF_INET, SOCK_STREAM, 0);
    ck_assert_int_eq(connect(fd, (struct sockaddr *)&other, sizeof other), -1);
    (void)close(fd);
    fd = socket(AF_INET6, SOCK_STREAM, 0);
    if (fd >= 0) {
        ck_assert_int_eq(connect(fd, (struct sockaddr *)&six, sizeof six), -1);
        (void)close(fd);
    }
    visitor_teardown();
}
END_TEST

START_TEST(too_large_post)
{
    visitor_setup();
    visitor_connect();
    visitor_send_text("POST /gremlin HTTP/1.1\r\nHost: x\r\nContent-Length: 10485761\r\n\r\n");
    visitor_expect("HTTP/1.1 413 ");
    visitor_expect_closed();
    visitor_teardown();
}
END_TEST

/* Half of a head holds nobody up. */
START_TEST(many_half_requests)
{
    int half[9];

    visitor_setup();
    for (size_t i = 0; i < 9; i++) {
        visitor_connect();
        visitor_send_text("GET /healthz HTTP/1.1\r\nHo");
        half[i] = visitor.socket;
        visitor.socket = -1;
    }
    visitor_connect();
    get("/healthz");
    visitor_expect("\r\n\r\nok\n");
    for (size_t i = 0; i < 9; i++) {
        (void)close(half[i]);
    }
    visitor_teardown();
}
END_TEST

/* As Graph Explorer and graph-notebook ask. */
START_TEST(queries_that_run)
{
    visitor_setup();
    visitor_connect();
    get("/gremlin/status");
    visitor_expect("\"runningQueryCount\":3,\"queries\":[{\"queryId\":\"id-1\","
                   "\"queryString\":\"g.V(\\\"x\\\")\",\"queryEvalStats\":{\"waited\":0,"
                   "\"elapsed\":5,\"cancelled\":false}}]}\n");
    get("/gremlin/status?queryId=other");
    visitor_expect("\"queries\":[]}\n");
    get("/gremlin/status?cancelQuery=&queryId=id-1");
    visitor_expect("{\"status\":\"200 OK\",\"payload\":true}\n");
    post("/gremlin/status", "", "queryId=id-2&cancelQuery=True");
    visitor_expect("\"message\":\"no such query\"}\n");
    visitor_teardown();
}
END_TEST

START_TEST(large_answer)
{
    visitor_setup();
    visitor_connect();
    post("/gremlin", "", "big:5000000");
    visitor_expect("\r\n\r\n");
    visitor_expect_size((size_t)(strstr(visitor.got, "\r\n\r\n") - visitor.got) + 4 + 5000000);
    post("/gremlin", "", "next");
    visitor_expect("next");
    visitor_teardown();
}
END_TEST

START_TEST(cors)
{
    visitor_setup();
    visitor_connect();
    visitor_send_text("OPTIONS /gremlin HTTP/1.1\r\nHost: x\r\nOrigin: http://b.example\r\n"
                      "Access-Control-Request-Method: POST\r\n"
                      "Access-Control-Request-Headers: content-type\r\n\r\n");
    visitor_expect("\r\n\r\n");
    ck_assert_ptr_nonnull(strstr(visitor.got, "HTTP/1.1 204 "));
    ck_assert_ptr_nonnull(strstr(visitor.got, "access-control-allow-origin: http://b.example\r\n"));
    ck_assert_ptr_nonnull(strstr(visitor.got, "access-control-allow-headers: content-type\r\n"));
    ck_assert_ptr_nonnull(
        strstr(visitor.got, "access-control-allow-methods: GET, POST, OPTIONS\r\n"));
    post("/gremlin", "Origin: http://a.example\r\n", "x");
    visitor_expect("access-control-allow-origin: http://a.example\r\n");
    post("/gremlin", "Origin: http://evil.example\r\n", "done");
    visitor_expect("HTTP/1.1 403 ");
    ck_assert_ptr_null(strstr(visitor.got, "access-control"));
    visitor_teardown();
}
END_TEST

START_TEST(pages)
{
    visitor_setup();
    visitor_connect();
    get("/healthz");
    visitor_expect("HTTP/1.1 200 OK\r\n");
    visitor_expect("\r\n\r\nok\n");
    get("/readyz");
    visitor_expect("\r\n\r\nready\n");
    visitor_router.is_ready = false;
    get("/readyz");
    visitor_expect("HTTP/1.1 503 ");
    visitor_expect("not ready\n");
    get("/status");
    visitor_expect("\"ready\":false,\"clients\":0,\"queries\":3,\"sessions\":0}");
    get("/metrics");
    visitor_expect("\ncardea_http_requests_total 5\n");
    visitor_expect("# TYPE cardea_queries gauge\ncardea_queries 3\n");
    get("/nothing");
    visitor_expect("HTTP/1.1 404 ");
    visitor_forget();
    visitor_send_text("HEAD /healthz HTTP/1.1\r\nHost: x\r\n\r\n");
    visitor_expect("content-length: 3\r\n");
    visitor_run_turns();
    ck_assert_ptr_null(strstr(visitor.got, "\r\n\r\nok"));
    get("/healthz");
    visitor_expect("\r\n\r\nok\n");
    visitor_teardown();
}
END_TEST

START_TEST(status_shows_the_map)
{
    struct shardmap_graph graph = {.name = SLICE("a\"b\n"), .shard_count = 4, .is_ready = true};
    struct shardmap_node nodes[] = {{.node = 1, .address = SLICE("tcp://x:1"), .is_up = true},
                                    {.node = 2}};
    struct shardmap map = {
        .version = 7, .graph_count = 1, .graphs = &graph, .node_count = 2, .nodes = nodes};

    visitor_setup();
    visitor_router.map = &map;
    graph.partitioner = PARTITION_RANGE;
    visitor_connect();
    get("/status");
    visitor_expect("\"map\":7,\"graphs\":[{\"name\":\"a\\\"b\\u000a\",\"partitioner\":\"range\","
                   "\"shards\":4,\"ready\":true}],\"nodes\":[{\"node\":1,\"address\":\"tcp://x:1\","
                   "\"up\":true},{\"node\":2,\"address\":\"\",\"up\":false}]}");
    visitor_teardown();
}
END_TEST

START_TEST(client_leaves_before_the_answer)
{
    visitor_setup();
    visitor_router.holds = true;
    visitor_connect();
    post("/gremlin", "", "query");
    visitor_run_turns();
    ck_assert_uint_eq(visitor_router.requests, 1);
    visitor_disconnect();
    for (int i = 0; i < 200 && visitor_router.closed == 0; i++) {
        visitor_turn();
    }
    ck_assert_uint_eq(visitor_router.closed, 1);
    visitor_router.holds = false;
    visitor_turn();
    visitor_teardown();
}
END_TEST

START_TEST(port_in_use)
{
    struct front_options options = {.address = "127.0.0.1", .router = &visitor_router};
    struct front *second = NULL;
    struct error err = {0};

    visitor_setup();
    options.port = front_port(visitor.front);
    ck_assert_int_eq(front_open(&second, &options, &err), E_IO);
    ck_assert_ptr_nonnull(strstr(err.text, "cannot listen on 127.0.0.1:"));
    ck_assert_ptr_null(second);
    visitor_teardown();
}
END_TEST

START_TEST(watched_descriptor_ends_the_wait)
{
    int fds[2];
    char c;

    visitor_setup();
    ck_assert_int_eq(pipe(fds), 0);
    ck_assert_int_eq(front_watch(visitor.front, fds[0], NULL), E_OK);
    ck_assert_int_eq(write(fds[1], "x", 1), 1);
    front_wait(visitor.front, loop_now_ms() + VISITOR_PATIENCE_MS);
    ck_assert_int_eq(read(fds[0], &c, 1), 1);
    /* And the deadline does, too. */
    front_wait(visitor.front, loop_now_ms() + 1);
    front_wait(visitor.front, 0);
    (void)close(fds[0]);
    (void)close(fds[1]);
    visitor_teardown();
}
END_TEST

/* RFC 9112 6.3: what a proxy may read in another way is refused. */
START_TEST(lengths_that_conflict_are_refused)
{
    static const char *const heads[] = {"Content-Length: 5\r\nContent-Length: 6\r\n",
                                        "Content-Length: 5\r\nContent-Length: 5\r\n",
                                        "Content-Length: 5, 6\r\n",
                                        "Content-Length: +5\r\n",
                                        "Content-Length: 5x\r\n",
                                        "Transfer-Encoding : chunked\r\nContent-Length: 5\r\n",
                                        "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n"};

    visitor_setup();
    for (size_t i = 0; i < sizeof heads / sizeof heads[0]; i++) {
        char text[256];
        (void)snprintf(text, sizeof text, "POST /gremlin HTTP/1.1\r\nHost: x\r\n%s\r\nhello",
                       heads[i]);
        visitor_connect();
        visitor_forget();
        visitor_send_text(text);
        visitor_expect("HTTP/1.1 4");
        visitor_expect_closed();
    }
    ck_assert_uint_eq(visitor_router.requests, 0);
    visitor_teardown();
}
END_TEST

START_TEST(other_websocket_versions_are_refused)
{
    visitor_setup();
    visitor_connect();
    visitor_send_text("GET /gremlin HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\n"
                      "Connection: Upgrade\r\nSec-WebSocket-Version: 8\r\n"
                      "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n");
    visitor_expect(" 400 Bad Request");
    visitor_teardown();
}
END_TEST

/* A page of another site, with the configuration as it comes: no origin is allowed. */
START_TEST(foreign_pages_are_refused_by_default)
{
    static const char *const heads[] = {"POST /gremlin HTTP/1.1\r\nContent-Length: 1\r\n",
                                        "GET /gremlin?gremlin=g.V() HTTP/1.1\r\n",
                                        "GET /gremlin HTTP/1.1\r\nUpgrade: websocket\r\n"
                                        "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                                        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"};

    visitor_setup_default();
    for (size_t i = 0; i < sizeof heads / sizeof heads[0]; i++) {
        for (int is_rebound = 0; is_rebound < 2; is_rebound++) {
            char text[512];
            /* A name of the attacker's that leads to this machine has no Origin in a GET. */
            (void)snprintf(text, sizeof text, "%s%s\r\n%s", heads[i],
                           is_rebound ? "Host: evil.example\r\n"
                                      : "Host: localhost\r\nOrigin: http://evil.example\r\n",
                           i == 0 ? "x" : "");
            visitor_connect();
            visitor_forget();
            visitor_send_text(text);
            visitor_expect(" 403 ");
        }
    }
    ck_assert_uint_eq(visitor_router.requests, 0);
    visitor_connect();
    visitor_forget();
    visitor_send_text(
        "POST /gremlin HTTP/1.1\r\nHost: localhost:8182\r\nContent-Length: 2\r\n\r\nok");
    visitor_expect("HTTP/1.1 200 ");
    visitor_teardown();
}
END_TEST

/* The library that stood here before looked at its buffered input for ever. */
START_TEST(two_posts_in_one_segment_are_answered_twice)
{
    visitor_setup();
    visitor_connect();
    visitor_send_text("POST /gremlin HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nfirst"
                      "POST /gremlin HTTP/1.1\r\nHost: x\r\nContent-Length: 6\r\n\r\nsecond"
                      "GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    visitor_expect("\r\n\r\nfirstHTTP/1.1 200 OK\r\n");
    visitor_expect("\r\n\r\nsecondHTTP/1.1 200 OK\r\n");
    visitor_expect("\r\n\r\nok\n");
    visitor_expect_closed();
    ck_assert_uint_eq(visitor_router.requests, 2);
    ck_assert_uint_eq(visitor_router.closed, 2);
    visitor_teardown();
}
END_TEST

/* One of them is with the router at any time; the rest waits in the client. */
START_TEST(ten_thousand_pipelined_requests_are_bounded)
{
    static const char text[] = "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\nx";
    const size_t size = sizeof text - 1;
    char *all;
    size_t sent = 0;

    visitor_setup();
    all = mem_alloc(10000 * size);
    for (size_t i = 0; i < 10000; i++) {
        memcpy(all + i * size, text, size);
    }
    visitor_connect();
    visitor_router.holds = true;
    for (int i = 0; i < 100; i++) {
        ssize_t count = send(visitor.socket, all + sent, 10000 * size - sent, MSG_NOSIGNAL);
        sent += count > 0 ? (size_t)count : 0;
        visitor_turn();
    }
    ck_assert_uint_eq(visitor_router.requests, 1);
    visitor_router.holds = false;
    visitor_forget();
    while (visitor_router.requests < 10000) {
        ssize_t count = sent == 10000 * size
                            ? 0
                            : send(visitor.socket, all + sent, 10000 * size - sent, MSG_NOSIGNAL);
        sent += count > 0 ? (size_t)count : 0;
        visitor_turn();
        ck_assert_uint_le(visitor_router.count, 1);
        ck_assert(visitor_read_some());
        if (visitor.got_size > VISITOR_ROOM / 2) {
            visitor_forget();
        }
    }
    mem_free(all);
    visitor_teardown();
}
END_TEST

/* A byte now and then keeps no place. */
START_TEST(slow_loris)
{
    uint64_t start = loop_now_ms();

    visitor_setup_times(100, 100000);
    visitor_connect();
    visitor_send_text("GET /healthz HTTP/1.1\r\n");
    for (int i = 0; visitor.stats.values[STATS_CONNECTIONS_TIMED_OUT] == 0; i++) {
        if (i % 20 == 0) {
            (void)send(visitor.socket, "X", 1, MSG_NOSIGNAL);
        }
        visitor_turn();
        (void)visitor_read_some();
        ck_assert_uint_lt(loop_now_ms() - start, VISITOR_PATIENCE_MS);
    }
    visitor_expect("HTTP/1.1 408 Request Timeout\r\n");
    visitor_expect_closed();
    /* Nor does one that says nothing, or half of a body. */
    visitor_connect();
    visitor_expect_closed();
    ck_assert_uint_eq(visitor.got_size, 0);
    visitor_connect();
    visitor_send_text("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nhalf");
    visitor_expect("HTTP/1.1 408 ");
    visitor_expect_closed();
    ck_assert_uint_eq(visitor.stats.values[STATS_CONNECTIONS_TIMED_OUT], 3);
    ck_assert_uint_eq(visitor_router.requests, 0);
    visitor_teardown();
}
END_TEST

/* A query may run for longer than a request may take to come, or a connection be idle. */
START_TEST(idle_connections_end)
{
    visitor_setup_times(50, 100);
    visitor_connect();
    visitor_router.holds = true;
    post("/gremlin", "", "query");
    for (int i = 0; i < 300; i++) {
        visitor_turn();
        ck_assert(visitor_read_some());
    }
    ck_assert_uint_eq(visitor.stats.values[STATS_CONNECTIONS_TIMED_OUT], 0);
    visitor_router.holds = false;
    visitor_expect("\r\n\r\nquery");
    visitor_expect_closed();
    ck_assert_uint_eq(visitor.stats.values[STATS_CONNECTIONS_TIMED_OUT], 1);
    visitor_teardown();
}
END_TEST

/* HTTP connections without a request count, too; the one too many is told. */
START_TEST(one_connection_too_many_is_told_503)
{
    int first;

    visitor_setup_with(1, 1 << 20);
    visitor_connect();
    get("/healthz");
    first = visitor.socket;
    visitor.socket = -1;
    visitor_connect();
    visitor_forget();
    visitor_send_text("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\nx");
    visitor_expect("HTTP/1.1 503 Service Unavailable\r\n");
    visitor_expect("too many connections");
    visitor_expect_closed();
    ck_assert_uint_eq(visitor.stats.values[STATS_CONNECTIONS], 1);
    ck_assert_uint_eq(visitor.stats.values[STATS_CONNECTIONS_REFUSED], 1);
    (void)close(first);
    visitor_connect();
    get("/healthz");
    visitor_expect("HTTP/1.1 200 OK\r\n");
    visitor_teardown();
}
END_TEST

/* Without descriptors the listening socket is left alone for a while: no busy loop. */
START_TEST(no_descriptors_for_more)
{
    struct rlimit limit, low;
    size_t turns = 0;

    visitor_setup();
    visitor_connect();
    get("/healthz");
    int first = visitor.socket;
    visitor.socket = -1;
    ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
    visitor_connect();
    low = limit;
    low.rlim_cur = (rlim_t)visitor.socket + 1; /* Its other end has no number left. */
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &low), 0);
    front_wait(visitor.front, loop_now_ms() + 1000);
    uint64_t end = loop_now_ms() + FRONT_PAUSE_MS / 2;
    while (loop_now_ms() < end) {
        front_wait(visitor.front, end);
        turns++;
    }
    ck_assert_uint_lt(turns, 10);
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
    get("/healthz");
    visitor_expect("HTTP/1.1 200 OK\r\n");
    (void)close(first);
    visitor_teardown();
}
END_TEST

/* Answers without a reader stop the reading; what is read by then has a bound. */
START_TEST(pages_for_one_who_does_not_read)
{
    static const char text[] = "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n";
    size_t blocked = 0;

    visitor_setup_with(10, 65536);
    visitor_connect();
    while (blocked < 1000) {
        ssize_t count = send(visitor.socket, text, sizeof text - 1, MSG_NOSIGNAL);
        blocked = count == (ssize_t)sizeof text - 1 ? 0 : blocked + 1;
        front_deliver(visitor.front, loop_now_ms());
        front_wait(visitor.front, 0);
        if (count > 0 && count < (ssize_t)sizeof text - 1) {
            break;
        }
    }
    ck_assert_uint_gt(visitor.stats.values[STATS_HTTP_REQUESTS], 0);
    visitor_teardown();
}
END_TEST

/* Two clients do not read what they asked for: the one with more of it goes, when it is too much
 * for all together. */
START_TEST(the_client_with_most_unread_answers_is_closed)
{
    int modest;

    visitor_setup_answers(16 << 20);
    visitor_connect();
    post("/gremlin", "", "big:7000000");
    modest = visitor.socket;
    visitor.socket = -1;
    visitor_connect();
    post("/gremlin", "", "big:20000000");
    while (visitor.stats.values[STATS_CONNECTIONS_REFUSED] == 0) {
        visitor_turn();
    }
    visitor_expect_closed();
    ck_assert_uint_lt(visitor.got_size, 20000000);
    (void)close(visitor.socket);
    visitor.socket = modest;
    visitor_forget();
    visitor_expect_size(7000000);
    ck_assert_uint_eq(visitor.stats.values[STATS_CONNECTIONS_REFUSED], 1);
    visitor_teardown();
}
END_TEST

START_TEST(requests_at_fault_are_told_what_is_wrong)
{
    static const char *const rows[][3] = {
        {"GET / HTTP/1.1\r\n\r\n", "HTTP/1.1 400 Bad Request\r\n", "HTTP/1.1 needs a Host"},
        {"\x16\x03\x01", "HTTP/1.1 400 ", "plain HTTP, not TLS"},
        {"BREW / HTTP/1.1\r\nHost: x\r\n\r\n", "HTTP/1.1 405 Method Not Allowed\r\n",
         "allow: GET, HEAD, POST, OPTIONS\r\n"},
        {"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "HTTP/1.1 505 ", "not version 2"},
        {"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding : chunked\r\n\r\n", "HTTP/1.1 400 ",
         "a blank before the colon"},
        {"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip\r\n\r\n",
         "HTTP/1.1 501 Not Implemented\r\n", "only 'chunked'"},
        {"POST / HTTP/1.1\r\nHost: x\r\nExpect: tea\r\n\r\n", "HTTP/1.1 417 ", "100-continue"},
    };

    visitor_setup();
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        visitor_connect();
        visitor_forget();
        visitor_send_text(rows[i][0]);
        visitor_expect(rows[i][1]);
        visitor_expect(rows[i][2]);
        visitor_expect("connection: close\r\n");
        visitor_expect_closed();
    }
    visitor_teardown();
}
END_TEST

/* Closing with unread bytes would reset the connection under the answer. */
START_TEST(a_refusal_reaches_one_who_still_sends)
{
    char *text;

    visitor_setup();
    text = mem_alloc(1 << 20);
    visitor_connect();
    visitor_send_text("POST /nothing HTTP/1.1\r\nHost: x\r\nContent-Length: 10000000\r\n\r\n");
    for (int i = 0; i < 8; i++) {
        visitor_send_bytes(text, 1 << 20);
    }
    visitor_expect("HTTP/1.1 404 Not Found\r\n");
    mem_free(text);
    visitor_teardown();
}
END_TEST

START_TEST(old_clients_keep_their_connection_if_they_ask)
{
    visitor_setup();
    visitor_connect();
    visitor_forget();
    visitor_send_text("GET /healthz HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    visitor_expect("connection: keep-alive\r\n");
    visitor_expect("ok\n");
    visitor_forget();
    visitor_send_text("GET http://localhost/healthz HTTP/1.0\r\n\r\n");
    visitor_expect("connection: close\r\n");
    visitor_expect_closed();
    visitor_teardown();
}
END_TEST

RUN_SUITE("front", two_posts_in_one_segment_are_answered_twice,
          ten_thousand_pipelined_requests_are_bounded, slow_loris, idle_connections_end,
          one_connection_too_many_is_told_503, no_descriptors_for_more,
          pages_for_one_who_does_not_read, the_client_with_most_unread_answers_is_closed,
          requests_at_fault_are_told_what_is_wrong, a_refusal_reaches_one_who_still_sends,
          old_clients_keep_their_connection_if_they_ask, lengths_that_conflict_are_refused,
          other_websocket_versions_are_refused, foreign_pages_are_refused_by_default,
          post_with_keep_alive, get_with_a_query, errors_are_json, h2c_is_not_taken,
          unknown_upgrade, chunked_bodies_are_taken, expect_100_continue, long_headers_and_queries,
          listens_on_its_address_only, too_large_post, many_half_requests, queries_that_run,
          large_answer, cors, pages, status_shows_the_map, client_leaves_before_the_answer,
          port_in_use, watched_descriptor_ends_the_wait)
