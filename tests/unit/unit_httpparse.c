/* Requests of HTTP out of bytes; each test is named for what has happened to a server. */
#include <stdio.h>
#include <string.h>

#include "common/mem.h"
#include "common/httpparse.h"
#include "tests/lib/runner.h"

enum { BODY_MAX = 1000 };

static struct httpparse parse;
static struct bytes body;

static void start(void)
{
    httpparse_close(&parse);
    httpparse_init(&parse, BODY_MAX);
    bytes_clear(&body);
}

static void stop(void)
{
    httpparse_close(&parse);
    bytes_close(&body);
}

/* Until something but a part of a body has happened. */
static enum httpparse_event next(struct slice *in)
{
    enum httpparse_event event;
    struct slice part;

    while ((event = httpparse_next(&parse, in, &part)) == HTTPPARSE_BODY) {
        bytes_append(&body, part.data, part.size);
    }
    return event;
}

static enum httpparse_event take(const char *text)
{
    struct slice in = slice_text(text);

    start();
    return next(&in);
}

static void expect_text(struct slice got, const char *text)
{
    ck_assert_msg(slice_equal(got, slice_text(text)), "'%.*s' is not '%s'", (int)got.size,
                  (const char *)got.data, text);
}

static void expect_bad(const char *text, int status, const char *why)
{
    enum httpparse_event event;
    struct slice in = slice_text(text);

    start();
    while ((event = next(&in)) == HTTPPARSE_HEAD || event == HTTPPARSE_DONE) {
        if (event == HTTPPARSE_DONE) {
            httpparse_restart(&parse);
        }
    }
    ck_assert_msg(event == HTTPPARSE_BAD, "taken: %s", text);
    ck_assert_msg(parse.status == status, "%d %s: %s", parse.status, parse.text, text);
    ck_assert_msg(strstr(parse.text, why) != NULL, "'%s' for: %s", parse.text, text);
    in = SLICE("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    ck_assert_int_eq(next(&in), HTTPPARSE_BAD);
}

START_TEST(a_head_and_its_fields)
{
    ck_assert_int_eq(take("GET /gremlin?gremlin=g.V%28%29&x=? HTTP/1.1\r\nHost: a.example:80\r\n"
                          "ACCEPT:  text/html \t\r\nConnection: keep-alive, Upgrade\r\n"
                          "X-Empty:\r\nconnection: close\r\n\r\n"),
                     HTTPPARSE_HEAD);
    ck_assert_int_eq(parse.method, HTTPPARSE_GET);
    expect_text(httpparse_text(&parse, parse.path), "/gremlin");
    expect_text(httpparse_text(&parse, parse.query), "gremlin=g.V%28%29&x=?");
    expect_text(httpparse_host(&parse), "a.example:80");
    expect_text(httpparse_field(&parse, "accept"), "text/html");
    expect_text(httpparse_field(&parse, "x-empty"), "");
    ck_assert_ptr_null(httpparse_field(&parse, "missing").data);
    ck_assert(httpparse_has_token(&parse, "connection", "upgrade"));
    ck_assert(!httpparse_has_token(&parse, "connection", "up"));
    ck_assert_uint_eq(httpparse_count(&parse, "connection"), 2);
    ck_assert(parse.is_last);
    ck_assert(!parse.has_body);
    stop();
}
END_TEST

START_TEST(two_posts_in_one_segment_are_two_requests)
{
    struct slice in = SLICE("POST /gremlin HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\none"
                            "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\ntwo");

    start();
    ck_assert_int_eq(next(&in), HTTPPARSE_HEAD);
    ck_assert_int_eq(next(&in), HTTPPARSE_DONE);
    expect_text(bytes_slice(&body), "one");
    ck_assert_int_eq(next(&in), HTTPPARSE_DONE); /* Nothing is taken of the next one. */
    httpparse_restart(&parse);
    ck_assert(httpparse_is_idle(&parse));
    bytes_clear(&body);
    ck_assert_int_eq(next(&in), HTTPPARSE_HEAD);
    expect_text(httpparse_text(&parse, parse.path), "/");
    ck_assert_int_eq(next(&in), HTTPPARSE_DONE);
    expect_text(bytes_slice(&body), "two");
    ck_assert_uint_eq(in.size, 0);
    stop();
}
END_TEST

START_TEST(chunks_are_joined)
{
    struct slice in =
        SLICE("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: Chunked\r\n\r\n"
              "5\r\nhello\r\n00a;name=\"v\"\r\n, world...\r\n0\r\nTrailer: x\r\n\r\nGET");

    start();
    ck_assert_int_eq(next(&in), HTTPPARSE_HEAD);
    ck_assert(parse.has_body);
    ck_assert_int_eq(next(&in), HTTPPARSE_DONE);
    expect_text(bytes_slice(&body), "hello, world...");
    ck_assert_uint_eq(in.size, 3);
    stop();
}
END_TEST

#define POST_HEAD "POST / HTTP/1.1\r\nHost: x\r\n"

START_TEST(conflicting_content_lengths_are_refused)
{
    expect_bad(POST_HEAD "Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello", 400,
               "more than one");
    expect_bad(POST_HEAD "Content-Length: 5\r\ncontent-length: 5\r\n\r\nhello", 400,
               "more than one");
    expect_bad(POST_HEAD "Content-Length: 5, 5\r\n\r\nhello", 400, "not a number");
    expect_bad(POST_HEAD "Content-Length: +5\r\n\r\nhello", 400, "not a number");
    expect_bad(POST_HEAD "Content-Length: 5x\r\n\r\nhello", 400, "not a number");
    expect_bad(POST_HEAD "Content-Length: 0x5\r\n\r\nhello", 400, "not a number");
    expect_bad(POST_HEAD "Content-Length: -1\r\n\r\n", 400, "not a number");
    expect_bad(POST_HEAD "Content-Length:\r\n\r\n", 400, "not a number");
    expect_bad(POST_HEAD "Content-Length : 5\r\n\r\nhello", 400, "blank before the colon");
    expect_bad(POST_HEAD "Content-Length: 1001\r\n\r\n", 413, "more than 1000 bytes");
    expect_bad(POST_HEAD "Content-Length: 18446744073709551617\r\n\r\n", 413, "more than 1000");
    ck_assert_int_eq(take(POST_HEAD "Content-Length: 0001000\r\n\r\n"), HTTPPARSE_HEAD);
    ck_assert_uint_eq(parse.body_left, 1000);
    stop();
}
END_TEST

START_TEST(transfer_codings_that_proxies_read_otherwise_are_refused)
{
    expect_bad(POST_HEAD "Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n", 400, "blank before");
    expect_bad(POST_HEAD "Transfer-Encoding\t: chunked\r\n\r\n0\r\n\r\n", 400, "blank before");
    expect_bad(POST_HEAD "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n", 400, "beside");
    expect_bad(POST_HEAD "Content-Length: 5\r\nTransfer-Encoding: identity\r\n\r\n", 400, "beside");
    expect_bad(POST_HEAD "Transfer-Encoding: gzip, chunked\r\n\r\n", 501, "only 'chunked'");
    expect_bad(POST_HEAD "Transfer-Encoding: xchunked\r\n\r\n", 501, "only 'chunked'");
    expect_bad(POST_HEAD "Transfer-Encoding: \vchunked\r\n\r\n", 400, "control character");
    expect_bad(POST_HEAD "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n", 501,
               "only 'chunked'");
    expect_bad(POST_HEAD "X: y\r\n Transfer-Encoding: chunked\r\n\r\n", 400, "folded");
    expect_bad("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", 400, "HTTP/1.0");
    stop();
}
END_TEST

#define CHUNKS "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"

START_TEST(chunks_that_lie_are_refused)
{
    char text[600];

    expect_bad(CHUNKS "\r\n", 400, "its size");
    expect_bad(CHUNKS "g\r\n", 400, "its size");
    expect_bad(CHUNKS "-1\r\n", 400, "its size");
    expect_bad(CHUNKS "0x1\r\nx\r\n", 400, "its size");
    expect_bad(CHUNKS "5 \r\nhello\r\n", 400, "its size");
    expect_bad(CHUNKS "5\nhello\r\n", 400, "CR LF");
    expect_bad(CHUNKS "5\r\nhelloo\r\n", 400, "longer than its size");
    expect_bad(CHUNKS "5\r\nhello\n0\r\n", 400, "CR LF");
    expect_bad(CHUNKS "3e9\r\n", 413, "more than 1000");
    expect_bad(CHUNKS "ffffffffffffffff1\r\n", 413, "more than 1000");
    expect_bad(CHUNKS "3\r\nabc\r\n3e6\r\n", 413, "more than 1000");
    (void)snprintf(text, sizeof text, CHUNKS "1;%0300d\r\nx\r\n", 0);
    expect_bad(text, 400, "a line between chunks of more than");
    stop();
}
END_TEST

START_TEST(a_trailer_without_end_is_refused)
{
    struct slice in = SLICE(CHUNKS "0\r\n");

    start();
    ck_assert_int_eq(next(&in), HTTPPARSE_HEAD);
    ck_assert_int_eq(next(&in), HTTPPARSE_MORE);
    for (int i = 0; i < HTTPPARSE_TRAILER_MAX; i++) {
        in = SLICE("x: 0123456789\r\n");
        if (next(&in) == HTTPPARSE_BAD) {
            break;
        }
    }
    ck_assert_int_eq(parse.status, 431);
    stop();
}
END_TEST

START_TEST(request_lines_that_are_none_are_refused)
{
    expect_bad("\x16\x03\x01\x02", 400, "not TLS");
    expect_bad("{\"gremlin\":1}\r\n", 400, "does not begin");
    expect_bad("\r\n\r\n\r\nGET", 400, "does not begin");
    expect_bad("GET\r\n\r\n", 400, "the request line");
    expect_bad("GET /\r\n\r\n", 400, "does not end with");
    expect_bad("GET / HTTP/1\r\n\r\n", 400, "does not end with");
    expect_bad("GET  / HTTP/1.1\r\n\r\n", 400, "target");
    expect_bad("GET / x HTTP/1.1\r\n\r\n", 400, "target");
    expect_bad("GET /#a HTTP/1.1\r\n\r\n", 400, "target");
    expect_bad("GET gremlin HTTP/1.1\r\n\r\n", 400, "target");
    expect_bad("GET http:///x HTTP/1.1\r\n\r\n", 400, "target");
    expect_bad("GET http://a@b/x HTTP/1.1\r\n\r\n", 400, "target");
    expect_bad("G\x01T / HTTP/1.1\r\n\r\n", 400, "the request line");
    expect_bad("GET / HTTP/1.1\nHost: x\n\n", 400, "CR LF");
    expect_bad("GET / HTTP/1.1\r\r\n", 400, "CR LF");
    expect_bad("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505, "not version 2");
    ck_assert_int_eq(take("\r\nOPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n"), HTTPPARSE_HEAD);
    expect_text(httpparse_text(&parse, parse.path), "*");
    ck_assert_int_eq(take("BREW /pot HTTP/1.1\r\nHost: x\r\n\r\n"), HTTPPARSE_HEAD);
    ck_assert_int_eq(parse.method, HTTPPARSE_OTHER);
    stop();
}
END_TEST

/* RFC 9112 3.2.2: the host of the URL counts, so that a Host field cannot hide it. */
START_TEST(a_whole_url_as_target)
{
    ck_assert_int_eq(take("GET HTTP://b.example:81/p?q HTTP/1.1\r\nHost: localhost\r\n\r\n"),
                     HTTPPARSE_HEAD);
    expect_text(httpparse_host(&parse), "b.example:81");
    expect_text(httpparse_text(&parse, parse.path), "/p");
    expect_text(httpparse_text(&parse, parse.query), "q");
    ck_assert_int_eq(take("GET http://b?q HTTP/1.1\r\nHost: x\r\n\r\n"), HTTPPARSE_HEAD);
    expect_text(httpparse_text(&parse, parse.path), "");
    stop();
}
END_TEST

START_TEST(fields_that_are_none_are_refused)
{
    static const char zero[] = "GET / HTTP/1.1\r\nHost: x\r\nX: a\0b\r\n\r\n";
    struct slice in = slice_of(zero, sizeof zero - 1);

    expect_bad(POST_HEAD "no colon\r\n\r\n", 400, "not 'name: value'");
    expect_bad(POST_HEAD ": x\r\n\r\n", 400, "not 'name: value'");
    expect_bad(POST_HEAD "a b: x\r\n\r\n", 400, "not 'name: value'");
    expect_bad(POST_HEAD "X: a\rb\r\n\r\n", 400, "CR LF");
    expect_bad(POST_HEAD "X: a\n\r\n", 400, "CR LF");
    expect_bad(POST_HEAD "X: a\x7f\r\n\r\n", 400, "control character in the field X");
    expect_bad(POST_HEAD "Host: y\r\n\r\n", 400, "more than one Host");
    expect_bad("GET / HTTP/1.1\r\n\r\n", 400, "needs a Host");
    expect_bad("GET / HTTP/1.1\r\nHost: a b\r\n\r\n", 400, "not a name");
    expect_bad("GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", 400, "not a name");
    expect_bad(POST_HEAD "Expect: tea\r\n\r\n", 417, "100-continue");
    start();
    ck_assert_int_eq(next(&in), HTTPPARSE_BAD);
    ck_assert_int_eq(parse.status, 400);
    stop();
}
END_TEST

START_TEST(over_long_heads_are_refused)
{
    char *text = mem_alloc(HTTPPARSE_HEAD_MAX + 200);
    size_t size;

    memset(text, 'a', HTTPPARSE_HEAD_MAX + 100);
    memcpy(text, "GET /", 5);
    expect_bad(text, 414, "a head of more than 32768 bytes");
    memcpy(text, "GET / HTTP/1.1\r\nHost: x\r\nX: ", 28);
    expect_bad(text, 431, "a head of more than 32768 bytes");
    /* To the byte. */
    memcpy(text + HTTPPARSE_HEAD_MAX - 4, "\r\n\r\n", 5);
    ck_assert_int_eq(take(text), HTTPPARSE_HEAD);
    memcpy(text + HTTPPARSE_HEAD_MAX - 4, "a\r\n\r\n", 6);
    expect_bad(text, 431, "a head of more than 32768 bytes");
    size = (size_t)snprintf(text, 100, "GET / HTTP/1.1\r\nHost: x\r\n");
    for (int i = 0; i < HTTPPARSE_FIELDS_MAX; i++) {
        size += (size_t)snprintf(text + size, 20, "a:b\r\n");
    }
    (void)snprintf(text + size, 20, "\r\n");
    expect_bad(text, 431, "more than 100 fields");
    mem_free(text);
    stop();
}
END_TEST

START_TEST(connections_stay_open_by_version)
{
    ck_assert_int_eq(take("GET / HTTP/1.1\r\nHost: x\r\n\r\n"), HTTPPARSE_HEAD);
    ck_assert(!parse.is_last);
    ck_assert_int_eq(take("GET / HTTP/1.0\r\n\r\n"), HTTPPARSE_HEAD);
    ck_assert(parse.is_last);
    ck_assert_int_eq(take("GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n"), HTTPPARSE_HEAD);
    ck_assert(!parse.is_last);
    ck_assert_int_eq(
        take("POST / HTTP/1.1\r\nHost: x\r\nExpect: 100-Continue\r\nContent-Length: 1\r\n\r\n"),
        HTTPPARSE_HEAD);
    ck_assert(parse.expects_continue);
    ck_assert_int_eq(take("POST / HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\n"),
                     HTTPPARSE_HEAD);
    ck_assert(!parse.expects_continue);
    stop();
}
END_TEST

RUN_SUITE("httpparse", a_head_and_its_fields, two_posts_in_one_segment_are_two_requests,
          chunks_are_joined, conflicting_content_lengths_are_refused,
          transfer_codings_that_proxies_read_otherwise_are_refused, chunks_that_lie_are_refused,
          a_trailer_without_end_is_refused, request_lines_that_are_none_are_refused,
          a_whole_url_as_target, fields_that_are_none_are_refused, over_long_heads_are_refused,
          connections_stay_open_by_version)
