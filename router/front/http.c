#include "router/front/http.h"

#include <assert.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/loop.h"
#include "common/mem.h"
#include "router/front/status.h"
#include "router/wire/response.h"

enum {
    FIELD_MAX = 512,
    HEADERS_MAX = 2048,
    TOGETHER_MAX = 8192, /* Head and body of up to this size go out in one write. */
    PATH_MAX_BYTES = 256
};

enum method { METHOD_GET, METHOD_HEAD, METHOD_POST, METHOD_OPTIONS, METHOD_OTHER };

struct http_exchange {
    enum method method;
    char path[PATH_MAX_BYTES];
    char content_type[FIELD_MAX];
    char accept[FIELD_MAX];
    char origin[FIELD_MAX];
    char cors_headers[FIELD_MAX]; /* Asked for by a preflight. */
    struct bytes query;           /* Encoded again. */
    enum format format;
    uint8_t id[16];
    bool has_id;
    /* The answer. */
    int status;
    const char *mime;
    bool closes; /* The request was not read to its end. */
    bool has_answer;
    bool is_head_sent;
    struct bytes body; /* LWS_PRE bytes of room in front. */
    size_t sent;       /* Of the body. */
};

void http_exchange_free(struct http_exchange **exchange)
{
    if (*exchange == NULL) {
        return;
    }
    bytes_close(&(*exchange)->query);
    bytes_close(&(*exchange)->body);
    mem_free(*exchange);
    *exchange = NULL;
}

/* ---- the answer ---- */

static void start_body(struct http_exchange *exchange)
{
    bytes_clear(&exchange->body);
    memset(bytes_extend(&exchange->body, LWS_PRE), 0, LWS_PRE);
}

static void finish(struct conn *conn, int status, const char *mime)
{
    conn->http->status = status;
    conn->http->mime = mime;
    conn->http->has_answer = true;
    (void)lws_callback_on_writable(conn->wsi);
}

static int answer_text(struct conn *conn, int status, const char *text)
{
    start_body(conn->http);
    bytes_format(&conn->http->body, "%s\n", text);
    finish(conn, status, "text/plain; charset=utf-8");
    return 0;
}

static void write_uuid(struct bytes *out, const uint8_t id[16])
{
    for (size_t i = 0; i < 16; i++) {
        bytes_format(out, "%s%02x", i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "", id[i]);
    }
}

/* The form that clients of Gremlin Server read. */
static void answer_error(struct conn *conn, int status, int code, struct slice message)
{
    struct http_exchange *exchange = conn->http;

    start_body(exchange);
    bytes_format(&exchange->body, "{\"message\":");
    status_json_text(&exchange->body, message);
    bytes_format(&exchange->body, ",\"code\":%d", code);
    if (exchange->has_id) {
        bytes_format(&exchange->body, ",\"requestId\":\"");
        write_uuid(&exchange->body, exchange->id);
        bytes_format(&exchange->body, "\"");
    }
    bytes_format(&exchange->body, "}\n");
    finish(conn, status, "application/json");
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
    struct http_exchange *exchange = conn->http;
    int status = http_status_of(response->status);

    if (exchange == NULL || exchange->has_answer) {
        bytes_close(&response->body);
        return;
    }
    if (status != 200) {
        answer_error(conn, status, response->status, bytes_slice(&response->body));
    } else {
        start_body(exchange);
        bytes_append(&exchange->body, response->body.data, response->body.size);
        finish(conn, status, response_mime(exchange->format));
    }
    bytes_close(&response->body);
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
    struct http_exchange *exchange = conn->http;
    struct request_http http = {
        .content_type = slice_text(exchange->content_type),
        .accept = slice_text(exchange->accept),
        .body = bytes_slice(&conn->input),
        .query = bytes_slice(&exchange->query),
    };
    struct request request = {0};
    struct error err = {0};
    int rc = request_decode_http(&http, &request, &err);

    if (!request.has_id) {
        new_uuid(request.id);
        request.has_id = true;
    }
    request.is_read_only = exchange->method != METHOD_POST;
    exchange->format = request.format;
    exchange->has_id = request.has_id;
    memcpy(exchange->id, request.id, sizeof exchange->id);
    if (rc != E_OK) {
        answer_error(conn, 400, error_status(rc), slice_text(err.text));
        request_close(&request);
        return;
    }
    lws_set_timeout(conn->wsi, NO_PENDING_TIMEOUT, 0);
    conn_register(conn);
    router_request(front->options.router, loop_now_ms(), conn->client, &request,
                   front->options.out);
}

static enum method method_of(struct lws *wsi)
{
    static const struct {
        enum lws_token_indexes token;
        enum method method;
    } methods[] = {{WSI_TOKEN_HEAD_URI, METHOD_HEAD},
                   {WSI_TOKEN_GET_URI, METHOD_GET},
                   {WSI_TOKEN_POST_URI, METHOD_POST},
                   {WSI_TOKEN_OPTIONS_URI, METHOD_OPTIONS}};

    for (size_t i = 0; i < sizeof methods / sizeof methods[0]; i++) {
        if (lws_hdr_total_length(wsi, methods[i].token) > 0) {
            return methods[i].method;
        }
    }
    return METHOD_OTHER;
}

/* One "name=value" that the parser has decoded, encoded again: & and = in it are data. */
static void encode_parameter(struct bytes *out, const char *text, size_t size)
{
    bool is_name = true;

    for (size_t i = 0; i < size; i++) {
        unsigned char c = (unsigned char)text[i];
        if (isalnum(c) || strchr("-_.~", c) != NULL) {
            bytes_u8(out, c);
        } else if (c == '=' && is_name) {
            bytes_u8(out, c);
            is_name = false;
        } else {
            bytes_format(out, "%%%02X", c);
        }
    }
}

static void copy_query(struct lws *wsi, struct bytes *out)
{
    int total = lws_hdr_total_length(wsi, WSI_TOKEN_HTTP_URI_ARGS);
    char *text;
    int size;

    if (total <= 0) {
        return;
    }
    text = mem_alloc((size_t)total + 2);
    for (int i = 0;
         (size = lws_hdr_copy_fragment(wsi, text, total + 1, WSI_TOKEN_HTTP_URI_ARGS, i)) >= 0;
         i++) {
        if (i > 0) {
            bytes_u8(out, '&');
        }
        encode_parameter(out, text, (size_t)size);
    }
    mem_free(text);
}

static void copy_field(struct lws *wsi, enum lws_token_indexes token, char *out)
{
    if (lws_hdr_copy(wsi, out, FIELD_MAX, token) < 0) {
        out[0] = '\0';
    }
}

static void read_head(struct lws *wsi, struct http_exchange *exchange)
{
    exchange->method = method_of(wsi);
    conn_path(wsi, exchange->path, sizeof exchange->path);
    copy_field(wsi, WSI_TOKEN_HTTP_CONTENT_TYPE, exchange->content_type);
    copy_field(wsi, WSI_TOKEN_HTTP_ACCEPT, exchange->accept);
    copy_field(wsi, WSI_TOKEN_ORIGIN, exchange->origin);
    copy_field(wsi, WSI_TOKEN_HTTP_AC_REQUEST_HEADERS, exchange->cors_headers);
    copy_query(wsi, &exchange->query);
}

/* RFC 9112 6.3: one length, of digits, and no transfer coding, however its name is spelt: else a
 * proxy in front of us may see other requests than we do. */
static bool has_clear_length(struct lws *wsi, char *text, int room)
{
    char other[4];
    int size = lws_hdr_copy(wsi, text, room, WSI_TOKEN_HTTP_CONTENT_LENGTH);

    return lws_hdr_total_length(wsi, WSI_TOKEN_HTTP_TRANSFER_ENCODING) <= 0 &&
           lws_hdr_custom_length(wsi, "transfer-encoding :", 19) < 0 &&
           lws_hdr_custom_length(wsi, "content-length :", 16) < 0 && size > 0 &&
           text[strspn(text, "0123456789")] == '\0' &&
           lws_hdr_copy_fragment(wsi, other, sizeof other, WSI_TOKEN_HTTP_CONTENT_LENGTH, 1) == -1;
}

/* Says whether a body follows, or answers. */
static bool expect_body(struct conn *conn)
{
    struct http_exchange *exchange = conn->http;
    char text[32] = "";
    static const char go_on[] = "HTTP/1.1 100 Continue\r\n\r\n";
    unsigned char out[LWS_PRE + sizeof go_on];
    unsigned long long size;

    /* libwebsockets never gives us chunked bodies: the client would wait for ever. */
    if (!has_clear_length(conn->wsi, text, sizeof text)) {
        exchange->closes = true;
        answer_error(conn, 411, 498, SLICE("one Content-Length is needed, without chunks"));
        return false;
    }
    size = strtoull(text, NULL, 10);
    if (size > REQUEST_BYTES_MAX) {
        exchange->closes = true;
        answer_error(conn, 413, 498, SLICE("request of more than 10 MiB"));
        return false;
    }
    if (size > 0 && lws_hdr_total_length(conn->wsi, WSI_TOKEN_HTTP_EXPECT) > 0) {
        memcpy(out + LWS_PRE, go_on, sizeof go_on);
        (void)lws_write(conn->wsi, out + LWS_PRE, sizeof go_on - 1, LWS_WRITE_HTTP_HEADERS);
    }
    return size > 0;
}

static bool is_query_path(const char *path)
{
    return strcmp(path, "/gremlin") == 0 || strcmp(path, "/gremlin/") == 0 ||
           strcmp(path, "/") == 0;
}

static int answer_page(struct conn *conn)
{
    struct http_exchange *exchange = conn->http;
    const struct front *front = conn->front;

    if (strcmp(exchange->path, "/healthz") == 0) {
        return answer_text(conn, 200, "ok");
    }
    if (strcmp(exchange->path, "/readyz") == 0) {
        bool is_ready = router_is_ready(front->options.router);
        return answer_text(conn, is_ready ? 200 : 503, is_ready ? "ready" : "not ready");
    }
    if (strcmp(exchange->path, "/status") == 0) {
        start_body(exchange);
        status_page(&exchange->body, front);
        finish(conn, 200, "application/json");
        return 0;
    }
    if (strcmp(exchange->path, "/metrics") == 0) {
        start_body(exchange);
        status_metrics(&exchange->body, front);
        finish(conn, 200, "text/plain; version=0.0.4");
        return 0;
    }
    return answer_text(conn, 404, "not found");
}

/* Foreign pages, and more than connections_max. A preflight is answered: without the headers that
 * allow a page, a browser goes no further. */
static bool refuse(struct conn *conn)
{
    const struct front *front = conn->front;

    if (front->websocket_count + front->exchange_count > front->options.connections_max) {
        conn->http->closes = true;
        (void)answer_text(conn, 503, "too many connections");
        return true;
    }
    if (conn->http->method != METHOD_OPTIONS && conn_is_foreign(front, conn->wsi)) {
        conn->http->closes = true;
        (void)answer_text(conn, 403, "not for pages of other sites: see cors_origins");
        return true;
    }
    return false;
}

int http_begin(struct front *front, struct lws *wsi, struct conn_slot *slot)
{
    struct conn *conn;

    conn_free(&slot->conn);
    conn = conn_new(front, wsi, CONN_HTTP);
    conn->http = mem_alloc(sizeof *conn->http);
    slot->conn = conn;
    read_head(wsi, conn->http);
    stats_add(front->options.stats, STATS_HTTP_REQUESTS, 1);
    if (refuse(conn)) {
        return 0;
    }
    switch (conn->http->method) {
    case METHOD_OPTIONS:
        start_body(conn->http);
        finish(conn, 204, NULL);
        return 0;
    case METHOD_POST:
        if (!is_query_path(conn->http->path)) {
            conn->http->closes = true;
            return answer_text(conn, 404, "not found");
        }
        if (!expect_body(conn) && !conn->http->has_answer) {
            run(conn);
        }
        return 0;
    case METHOD_GET:
    case METHOD_HEAD:
        if (is_query_path(conn->http->path)) {
            run(conn);
            return 0;
        }
        return answer_page(conn);
    case METHOD_OTHER:
        break;
    }
    conn->http->closes = true;
    return answer_text(conn, 405, "method not allowed");
}

int http_body(struct conn *conn, const void *data, size_t size)
{
    if (!conn->http->has_answer) {
        bytes_append(&conn->input, data, size);
    }
    return conn->input.is_overflown ? -1 : 0;
}

int http_body_done(struct conn *conn)
{
    if (!conn->http->has_answer) {
        stats_add(conn->front->options.stats, STATS_CLIENT_BYTES_IN, conn->input.size);
        run(conn);
    }
    return 0;
}

void http_closed(struct conn_slot *slot)
{
    if (slot->conn != NULL && slot->conn->kind == CONN_HTTP) {
        conn_free(&slot->conn);
    }
}

/* ---- writing ---- */

struct head {
    struct lws *wsi;
    unsigned char *at;
    unsigned char *end;
    int failed;
};

static void add_field(struct head *head, const char *name, const char *value)
{
    head->failed |= lws_add_http_header_by_name(head->wsi, (const unsigned char *)name,
                                                (const unsigned char *)value, (int)strlen(value),
                                                &head->at, head->end);
}

static void add_cors(struct head *head, const struct conn *conn)
{
    const struct http_exchange *exchange = conn->http;

    if (exchange->origin[0] == '\0' || !conn_allows(conn->front, exchange->origin)) {
        return;
    }
    add_field(head, "access-control-allow-origin:", exchange->origin);
    add_field(head, "vary:", "origin");
    if (exchange->method == METHOD_OPTIONS) {
        add_field(head, "access-control-allow-methods:", "GET, POST, OPTIONS");
        add_field(head, "access-control-max-age:", "3600");
        if (exchange->cors_headers[0] != '\0') {
            add_field(head, "access-control-allow-headers:", exchange->cors_headers);
        }
    }
}

static int write_head(struct conn *conn)
{
    struct http_exchange *exchange = conn->http;
    unsigned char room[LWS_PRE + HEADERS_MAX + TOGETHER_MAX];
    unsigned char *start = room + LWS_PRE;
    struct head head = {.wsi = conn->wsi, .at = start, .end = start + HEADERS_MAX};
    size_t size = exchange->body.size - LWS_PRE;
    bool is_together = size <= TOGETHER_MAX && exchange->method != METHOD_HEAD;

    head.failed =
        lws_add_http_header_status(conn->wsi, (unsigned)exchange->status, &head.at, head.end);
    if (exchange->mime != NULL) {
        char text[32];
        add_field(&head, "content-type:", exchange->mime);
        (void)snprintf(text, sizeof text, "%zu", size);
        add_field(&head, "content-length:", text);
    }
    if (exchange->closes) {
        add_field(&head, "connection:", "close");
    }
    add_cors(&head, conn);
    if (head.failed != 0 || lws_finalize_http_header(conn->wsi, &head.at, head.end) != 0) {
        return -1;
    }
    if (is_together) {
        memcpy(head.at, exchange->body.data + LWS_PRE, size);
        head.at += size;
        exchange->sent = size;
    }
    exchange->is_head_sent = true;
    size = (size_t)(head.at - start);
    return lws_write(conn->wsi, start, size,
                     is_together ? LWS_WRITE_HTTP_FINAL : LWS_WRITE_HTTP_HEADERS) < (int)size
               ? -1
               : 0;
}

static int write_body(struct conn *conn)
{
    struct http_exchange *exchange = conn->http;
    size_t total = exchange->body.size - LWS_PRE;

    if (exchange->method == METHOD_HEAD) {
        exchange->sent = total;
    }
    while (exchange->sent < total) {
        size_t left = total - exchange->sent;
        size_t size = left > CONN_WRITE_MAX ? CONN_WRITE_MAX : left;
        if (lws_write(conn->wsi, exchange->body.data + LWS_PRE + exchange->sent, size,
                      size == left ? LWS_WRITE_HTTP_FINAL : LWS_WRITE_HTTP) < (int)size) {
            return -1;
        }
        exchange->sent += size;
        if (exchange->sent < total && lws_send_pipe_choked(conn->wsi) != 0) {
            return lws_callback_on_writable(conn->wsi) < 0 ? -1 : 0;
        }
    }
    return 0;
}

int http_writeable(struct lws *wsi, struct conn_slot *slot)
{
    struct conn *conn = slot->conn;
    struct http_exchange *exchange;
    bool closes;

    if (conn == NULL || conn->kind != CONN_HTTP || !conn->http->has_answer) {
        return 0;
    }
    exchange = conn->http;
    assert(exchange->body.size >= LWS_PRE);
    if ((!exchange->is_head_sent && write_head(conn) != 0) || write_body(conn) != 0) {
        return -1;
    }
    if (exchange->sent + LWS_PRE < exchange->body.size) {
        return 0;
    }
    stats_add(conn->front->options.stats, STATS_CLIENT_BYTES_OUT, exchange->sent);
    stats_add(conn->front->options.stats, STATS_HTTP_ERRORS, exchange->status >= 400);
    closes = exchange->closes;
    conn_free(&slot->conn);
    return lws_http_transaction_completed(wsi) != 0 || closes ? -1 : 0;
}
