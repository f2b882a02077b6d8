/* HTTP as clients see it, and the front itself. */
#include "common/mem.h"
#include "router/front/front.h"
#include "router/front/http.h"
#include "router/front/status.h"
#include "tests/lib/visitor.h"

#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
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
    visitor_expect("gremlin=g.V%28%22a%26b%3Dc%22%29");
    visitor_expect("&x=1%2B1");
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

/* Trap 1. */
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

/* Trap 4. */
START_TEST(chunked_bodies_get_411)
{
    visitor_setup();
    visitor_connect();
    visitor_send_text("POST /gremlin HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
                      "5\r\nhello\r\n0\r\n\r\n");
    visitor_expect("HTTP/1.1 411 ");
    visitor_expect_closed();
    visitor_connect();
    visitor_send_text("POST /gremlin HTTP/1.1\r\nHost: x\r\n\r\n");
    visitor_expect("HTTP/1.1 411 ");
    visitor_expect_closed();
    ck_assert_uint_eq(visitor_router.requests, 0);
    visitor_teardown();
}
END_TEST

/* Trap 5. */
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

/* Trap 6. */
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

/* Trap 7. */
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
RUN_SUITE("front", lengths_that_conflict_are_refused, other_websocket_versions_are_refused,
          foreign_pages_are_refused_by_default, post_with_keep_alive, get_with_a_query,
          errors_are_json, h2c_is_not_taken, unknown_upgrade, chunked_bodies_get_411,
          expect_100_continue, long_headers_and_queries, listens_on_its_address_only,
          too_large_post, many_half_requests, large_answer, cors, pages, status_shows_the_map,
          client_leaves_before_the_answer, port_in_use, watched_descriptor_ends_the_wait)
