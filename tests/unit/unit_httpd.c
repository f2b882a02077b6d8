#include "common/httpd.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/host.h"
#include "common/hostpage.h"
#include "tests/lib/runner.h"

static struct httpd httpd;
static char answer[1 << 20];

static void page_of(void *ctx, struct slice path, struct httpd_page *page)
{
    (void)ctx;
    if (slice_equal(path, SLICE("/large"))) {
        for (int i = 0; i < 60000; i++) {
            bytes_format(&page->body, "line %6d\n", i);
        }
    } else if (slice_equal(path, SLICE("/page"))) {
        bytes_format(&page->body, "hello\n");
    } else {
        page->status = 404;
    }
}

static void open_httpd(void)
{
    struct error err = {0};

    ck_assert_msg(httpd_open(&httpd, "127.0.0.1:0", page_of, NULL, &err) == E_OK, "%s", err.text);
}

static int dial(void)
{
    struct sockaddr_in at = {.sin_family = AF_INET,
                             .sin_port = htons((uint16_t)httpd_port(&httpd)),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    ck_assert_int_eq(connect(fd, (const struct sockaddr *)(const void *)&at, sizeof at), 0);
    return fd;
}

/* Sends in two pieces, turns until the server has closed; gives the whole answer. */
static const char *ask(const char *request)
{
    int fd = dial();
    size_t size = strlen(request), half = size / 2, got = 0;
    ssize_t part;

    ck_assert_int_eq(send(fd, request, half, MSG_NOSIGNAL), (ssize_t)half);
    httpd_turn(&httpd, 1);
    ck_assert_int_eq(send(fd, request + half, size - half, MSG_NOSIGNAL), (ssize_t)(size - half));
    for (;;) {
        httpd_turn(&httpd, 2);
        part = recv(fd, answer + got, sizeof answer - got - 1, MSG_DONTWAIT);
        if (part == 0) {
            break;
        }
        got += part > 0 ? (size_t)part : 0;
    }
    answer[got] = '\0';
    ck_assert_int_eq(close(fd), 0);
    return answer;
}

START_TEST(pages)
{
    open_httpd();
    ck_assert_ptr_nonnull(
        strstr(ask("GET /page HTTP/1.1\r\nHost: localhost:1\r\n\r\n"), "content-length: 6\r\n"));
    ck_assert_ptr_nonnull(strstr(answer, "\r\n\r\nhello\n"));
    ck_assert_ptr_nonnull(strstr(ask("HEAD /page HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"), "200 OK"));
    ck_assert_ptr_null(strstr(answer, "hello"));
    ask("GET /large HTTP/1.1\r\nHost: x\r\n\r\n");
    ck_assert_ptr_nonnull(strstr(answer, "\nline  59999\n"));
    ck_assert_uint_eq(httpd.requests, 3);
    ck_assert_uint_eq(httpd.count, 0);
    httpd_close(&httpd);
}
END_TEST

START_TEST(refusals)
{
    open_httpd();
    ck_assert_ptr_nonnull(strstr(ask("GET /no HTTP/1.1\r\nHost: x\r\n\r\n"), " 404 "));
    ck_assert_ptr_nonnull(
        strstr(ask("POST /page HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nhi"), " 405 "));
    ck_assert_ptr_nonnull(strstr(ask("GET /page HTTP/1.1\r\nHost: evil.example\r\n\r\n"), " 403 "));
    ck_assert_ptr_nonnull(strstr(
        ask("GET /page HTTP/1.1\r\nHost: localhost\r\nOrigin: http://a.b\r\n\r\n"), " 403 "));
    ck_assert_ptr_nonnull(strstr(ask("GARBAGE\r\n\r\n"), " 400 "));
    httpd_close(&httpd);
}
END_TEST

/* Who says nothing has a place until others need it, or its time is up. */
START_TEST(silent_connections)
{
    int fds[HTTPD_CONNS_MAX + 1];
    char byte;

    open_httpd();
    for (int i = 0; i <= HTTPD_CONNS_MAX; i++) {
        fds[i] = dial();
        httpd_turn(&httpd, 1);
    }
    ck_assert_uint_eq(httpd.count, HTTPD_CONNS_MAX);
    ck_assert_int_eq(recv(fds[0], &byte, 1, 0), 0);
    httpd_turn(&httpd, HTTPD_REQUEST_MS + 1);
    ck_assert_uint_eq(httpd.count, 0);
    ck_assert_int_eq(recv(fds[HTTPD_CONNS_MAX], &byte, 1, 0), 0);
    for (int i = 0; i <= HTTPD_CONNS_MAX; i++) {
        ck_assert_int_eq(close(fds[i]), 0);
    }
    httpd_close(&httpd);
}
END_TEST

START_TEST(addresses)
{
    struct error err = {0};
    static const char *const bad[] = {"7180", "host:", ":1", "h:70000", "h:x", "[]:1"};
    char taken[64];

    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        ck_assert_msg(httpd_open(&httpd, bad[i], page_of, NULL, &err) == E_CONFIG, "%s", bad[i]);
    }
    ck_assert(httpd_is_local("127.0.0.1:1") && httpd_is_local("[::1]:1"));
    ck_assert(!httpd_is_local("0.0.0.0:1") && !httpd_is_local("[::]:1"));
    ck_assert_int_eq(httpd_fd(&(struct httpd){0}), -1);
    ck_assert_int_eq(httpd_port(&(struct httpd){0}), 0);
    open_httpd();
    struct httpd second = {0};
    (void)snprintf(taken, sizeof taken, "127.0.0.1:%d", httpd_port(&httpd));
    ck_assert_int_eq(httpd_open(&second, taken, page_of, NULL, &err), E_IO);
    ck_assert_ptr_nonnull(strstr(err.text, "in use"));
    httpd_close(&httpd);
}
END_TEST

/* ---- the pages of a daemon ---- */

static bool ready_answer;

static bool is_ready(const void *core)
{
    (void)core;
    return ready_answer;
}

static bool readiness(const void *core, struct bytes *out)
{
    (void)core;
    bytes_format(out, "because\n");
    return ready_answer;
}

static void dump(const void *core, struct bytes *out)
{
    (void)core;
    bytes_format(out, "inside\n");
}

static const char *page(struct host *host, const char *path, int status)
{
    struct httpd_page got = {.status = 200, .mime = "text/plain"};

    hostpage_write(host, slice_text(path), &got);
    ck_assert_int_eq(got.status, status);
    ck_assert_uint_lt(got.body.size, sizeof answer);
    memcpy(answer, got.body.data, got.body.size);
    answer[got.body.size] = '\0';
    bytes_close(&got.body);
    return answer;
}

START_TEST(pages_of_a_daemon)
{
    struct host_options options = {
        .program = "test", .role = PEER_SHARDD, .node = 1, .cluster = "unit"};
    struct host *host = NULL;
    struct error err = {0};

    options.http_listen = "0.0.0.0:0";
    ck_assert_int_eq(host_new(&host, &options, &err), E_CONFIG);
    options.http_listen = "127.0.0.1:0";
    ck_assert_msg(host_new(&host, &options, &err) == E_OK, "%s", err.text);
    ck_assert_int_gt(httpd_port(&host->httpd), 0);
    ck_assert_str_eq(page(host, "/readyz", 503), "not ready\n");
    host->core.core = host;
    host->core.is_ready = is_ready;
    ready_answer = true;
    ck_assert_str_eq(page(host, "/readyz", 200), "ready\n");
    host->core.readiness = readiness;
    ready_answer = false;
    ck_assert_str_eq(page(host, "/readyz", 503), "not ready\nbecause\n");
    ck_assert_str_eq(page(host, "/healthz", 200), "ok\n");
    (void)page(host, "/debug/dump", 404);
    host->core.dump = dump;
    ck_assert_str_eq(page(host, "/debug/dump", 200), "inside\n");
    log_debug(&host->log, "test", "msg=\"seen in the ring\"");
    ck_assert_ptr_nonnull(strstr(page(host, "/debug/log", 200), "seen in the ring"));
    ck_assert_ptr_nonnull(strstr(page(host, "/debug/", 200), "/debug/dump"));
    ck_assert_ptr_nonnull(strstr(page(host, "/metrics", 200), "\ncardea_turns_total 0\n"));
    (void)page(host, "/other", 404);
    host_free(&host);
}
END_TEST

RUN_SUITE("httpd", pages, refusals, silent_connections, addresses, pages_of_a_daemon)
