#include "router/front/http.h"

#include <assert.h>
#include <string.h>

#include "common/loop.h"
#include "router/front/browser.h"
#include "router/front/front_private.h"
#include "router/front/status.h"
#include "router/front/websocket.h"
#include "router/wire/response.h"

enum {
    HEAD_SIZE = 512,
    TOGETHER_MAX = 8192, /* Head and body of up to this size are one piece. */
    ECHO_MAX = 512,      /* Of fields that an answer repeats. */
    GREMLIN_MALFORMED = 498
};

/* ---- the answer ---- */

static void add_field(struct bytes *out, const char *name, struct slice value)
{
    bytes_format(out, "%s: %.*s\r\n", name, (int)value.size, (const char *)value.data);
}

static void add_cors(struct bytes *out, const struct conn *conn)
{
    const struct httpparse *parse = &conn->parse;
    struct slice origin = httpparse_field(parse, "origin");
    struct slice asked = httpparse_field(parse, "access-control-request-headers");

    if (origin.size == 0 || origin.size > ECHO_MAX ||
        !browser_allows(&conn->front->options, origin)) {
        return;
    }
    add_field(out, "access-control-allow-origin", origin);
    add_field(out, "vary", SLICE("origin"));
    if (parse->method == HTTPPARSE_OPTIONS) {
        add_field(out, "access-control-allow-methods", SLICE("GET, POST, OPTIONS"));
        add_field(out, "access-control-max-age", SLICE("3600"));
        if (asked.size > 0 && asked.size <= ECHO_MAX) {
            add_field(out, "access-control-allow-headers", asked);
        }
    }
}

static void add_head(struct bytes *out, const struct conn *conn, int status, const char *mime,
                     size_t size, bool is_last)
{
    bytes_format(out, "HTTP/1.1 %d %s\r\nserver: cardea\r\n", status, httpparse_phrase(status));
    if (mime != NULL) {
        bytes_format(out, "content-type: %s\r\ncontent-length: %zu\r\n", mime, size);
    }
    if (status == 405) {
        add_field(out, "allow", SLICE("GET, HEAD, POST, OPTIONS"));
    }
    if (is_last || conn->parse.minor == 0) {
        add_field(out, "connection", is_last ? SLICE("close") : SLICE("keep-alive"));
    }
    add_cors(out, conn);
    bytes_append(out, "\r\n", 2);
}

/* Takes the body. is_last: the connection ends with it. mime null: without a body. */
static void finish(struct conn *conn, int status, const char *mime, struct bytes *body,
                   bool is_last)
{
    struct stats *stats = conn->front->options.stats;
    struct bytes head = {0};

    assert(conn->state == CONN_HTTP);
    is_last = is_last || conn->parse.is_last || conn->is_ended;
    add_head(&head, conn, status, mime, body->size, is_last);
    stats_add(stats, STATS_HTTP_ERRORS, status >= 400);
    if (conn->parse.method == HTTPPARSE_HEAD_ONLY) {
        bytes_close(body);
    }
    stats_add(stats, STATS_CLIENT_BYTES_OUT, body->size);
    if (body->size <= TOGETHER_MAX) {
        outq_copy(&conn->out, bytes_slice(&head), bytes_slice(body));
        bytes_close(body);
    } else {
        outq_copy(&conn->out, bytes_slice(&head), (struct slice){0});
        outq_take(&conn->out, body, 0);
    }
    bytes_close(&head);
    if (is_last) {
        conn_end(conn);
        return;
    }
    conn_unregister(conn);
    bytes_close(&conn->http.body);
    conn->http = (struct conn_exchange){0};
    conn->begun_ms = 0;
    httpparse_restart(&conn->parse);
    conn_wake(conn);
}

static void answer_text(struct conn *conn, int status, const char *text, bool is_last)
{
    struct bytes body = {0};

    bytes_format(&body, "%s\n", text);
    finish(conn, status, "text/plain; charset=utf-8", &body, is_last);
}

static void write_uuid(struct bytes *out, const uint8_t id[16])
{
    for (size_t i = 0; i < 16; i++) {
        bytes_format(out, "%s%02x", i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "", id[i]);
    }
}

/* The form that clients of Gremlin Server read. */
static void answer_error(struct conn *conn, int status, int code, struct slice message,
                         bool is_last)
{
    struct bytes body = {0};

    bytes_format(&body, "{\"message\":");
    status_json_text(&body, message);
    bytes_format(&body, ",\"code\":%d", code);
    if (conn->http.has_id) {
        bytes_format(&body, ",\"requestId\":\"");
        write_uuid(&body, conn->http.id);
        bytes_format(&body, "\"");
    }
    bytes_format(&body, "}\n");
    finish(conn, status, "application/json", &body, is_last);
}

void http_refuse(struct conn *conn, int status, const char *why)
{
    answer_error(conn, status, GREMLIN_MALFORMED, slice_text(why), true);
}

static int http_status_of(int status)
{
    switch (status) {
    case 200:
    case 204:
    case 206:
        return 200;
    case 401:
    case 407:
        return 401;
    case 403:
    case 429:
        return status;
    case 497:
    case 498:
    case 499:
    case 597:
        return 400;
    default:
        return 500;
    }
}

void http_answer(struct conn *conn, struct router_response *response)
{
    int status = http_status_of(response->status);

    if (conn->state != CONN_HTTP || !conn->http.is_running) {
        bytes_close(&response->body);
    } else if (status != 200) {
        answer_error(conn, status, response->status, bytes_slice(&response->body), false);
        bytes_close(&response->body);
    } else {
        finish(conn, status, response_mime(conn->http.format), &response->body, false);
    }
}

/* ---- the request ---- */

/* Random: version 4. */
static void new_uuid(uint8_t id[16])
{
    uint64_t halves[2] = {loop_random(), loop_random()};

    memcpy(id, halves, 16);
    id[6] = (uint8_t)((id[6] & 0x0f) | 0x40);
    id[8] = (uint8_t)((id[8] & 0x3f) | 0x80);
}

static void run(struct conn *conn)
{
    struct front *front = conn->front;
    const struct httpparse *parse = &conn->parse;
    struct request_http http = {
        .content_type = httpparse_field(parse, "content-type"),
        .accept = httpparse_field(parse, "accept"),
        .body = bytes_slice(&conn->http.body),
        .query = httpparse_text(parse, parse->query),
    };
    struct request request = {0};
    struct error err = {0};
    int rc = request_decode_http(&http, &request, &err);

    if (!request.has_id) {
        new_uuid(request.id);
        request.has_id = true;
    }
    request.is_read_only = parse->method != HTTPPARSE_POST;
    conn->http.format = request.format;
    conn->http.has_id = request.has_id;
    memcpy(conn->http.id, request.id, sizeof conn->http.id);
    if (rc != E_OK) {
        answer_error(conn, 400, error_status(rc), slice_text(err.text), false);
        request_close(&request);
        return;
    }
    bytes_close(&conn->http.body);
    conn->http.is_running = true;
    conn_register(conn);
    router_request(front->options.router, front->now_ms, conn->client, &request,
                   front->options.out);
}

static bool is_path(const struct conn *conn, const char *path)
{
    return slice_equal(httpparse_text(&conn->parse, conn->parse.path), slice_text(path));
}

static bool is_query_path(const struct conn *conn)
{
    return is_path(conn, "/gremlin") || is_path(conn, "/gremlin/") || is_path(conn, "/") ||
           is_path(conn, "");
}

static bool is_status_path(const struct conn *conn)
{
    return is_path(conn, "/gremlin/status") || is_path(conn, "/gremlin/status/");
}

static void answer_queries(struct conn *conn, struct slice parameters)
{
    struct bytes body = {0};
    int status = status_queries(&body, conn->front->options.router, parameters);

    finish(conn, status, "application/json", &body, false);
}

static void answer_page(struct conn *conn)
{
    const struct front *front = conn->front;
    struct bytes body = {0};

    if (is_path(conn, "/healthz")) {
        answer_text(conn, 200, "ok", false);
    } else if (is_path(conn, "/readyz")) {
        bool is_ready = router_is_ready(front->options.router);
        answer_text(conn, is_ready ? 200 : 503, is_ready ? "ready" : "not ready", false);
    } else if (is_path(conn, "/status")) {
        status_page(&body, front);
        finish(conn, 200, "application/json", &body, false);
    } else if (is_path(conn, "/metrics")) {
        status_metrics(&body, front);
        finish(conn, 200, "text/plain; version=0.0.4", &body, false);
    } else {
        answer_text(conn, 404, "not found", false);
    }
}

/* The request is whole. */
static void answer(struct conn *conn)
{
    struct bytes none = {0};

    switch (conn->parse.method) {
    case HTTPPARSE_OPTIONS:
        finish(conn, 204, NULL, &none, false);
        return;
    case HTTPPARSE_POST:
        stats_add(conn->front->options.stats, STATS_CLIENT_BYTES_IN, conn->http.body.size);
        if (is_status_path(conn)) {
            answer_queries(conn, bytes_slice(&conn->http.body));
        } else {
            run(conn);
        }
        return;
    case HTTPPARSE_GET:
    case HTTPPARSE_HEAD_ONLY:
        bytes_close(&conn->http.body); /* It has no meaning (RFC 9110 9.3.1). */
        if (is_query_path(conn)) {
            run(conn);
        } else if (is_status_path(conn)) {
            answer_queries(conn, httpparse_text(&conn->parse, conn->parse.query));
        } else {
            answer_page(conn);
        }
        return;
    case HTTPPARSE_OTHER:
        break;
    }
    assert(false);
}

/* What needs no body to be refused. A preflight is answered: without the headers that allow a
 * page, a browser goes no further. True: the connection has ended. */
static bool refuse(struct conn *conn)
{
    const struct httpparse *parse = &conn->parse;

    if (parse->method == HTTPPARSE_OTHER) {
        answer_text(conn, 405, "method not allowed", true);
        return true;
    }
    if (parse->method != HTTPPARSE_OPTIONS && browser_is_foreign(&conn->front->options, parse)) {
        answer_text(conn, 403, "not for pages of other sites: see cors_origins", true);
        return true;
    }
    if (parse->method == HTTPPARSE_POST && !is_query_path(conn) && !is_status_path(conn)) {
        answer_text(conn, 404, "not found", true);
        return true;
    }
    if (parse->method == HTTPPARSE_POST && !parse->has_length) {
        http_refuse(conn, 411, "a POST needs a Content-Length or chunks");
        return true;
    }
    return false;
}

/* True: the connection is no longer one of HTTP. */
static bool begin(struct conn *conn, bool has_more)
{
    stats_add(conn->front->options.stats, STATS_HTTP_REQUESTS, 1);
    if (refuse(conn)) {
        return true;
    }
    if (websocket_is_asked_for(&conn->parse)) {
        websocket_open(conn);
        return conn->state != CONN_HTTP;
    }
    /* RFC 9110 10.1.1: needless once the body is coming. */
    if (conn->parse.expects_continue && !has_more) {
        outq_copy(&conn->out, SLICE("HTTP/1.1 100 Continue\r\n\r\n"), (struct slice){0});
        conn_wake(conn);
    }
    return false;
}

void http_take(struct conn *conn, struct slice *in)
{
    assert(conn->state == CONN_HTTP && !conn->http.is_running);
    for (;;) {
        struct slice part;
        switch (httpparse_next(&conn->parse, in, &part)) {
        case HTTPPARSE_MORE:
            return;
        case HTTPPARSE_HEAD:
            if (begin(conn, in->size > 0)) {
                return;
            }
            break;
        case HTTPPARSE_BODY:
            bytes_append(&conn->http.body, part.data, part.size);
            break;
        case HTTPPARSE_DONE:
            answer(conn);
            return;
        case HTTPPARSE_BAD:
            http_refuse(conn, conn->parse.status, conn->parse.text);
            return;
        }
    }
}
