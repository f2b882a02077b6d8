#include "router/front/websocket.h"

#include <assert.h>
#include <string.h>

#include "router/front/browser.h"
#include "router/front/front_private.h"
#include "router/front/http.h"
#include "router/wire/response.h"

enum { TOGETHER_MAX = 8192 /* A message of up to this size is one piece with its head. */ };

/* ---- the handshake ---- */

bool websocket_is_asked_for(const struct httpparse *parse)
{
    return parse->method == HTTPPARSE_GET && parse->minor > 0 &&
           httpparse_has_token(parse, "upgrade", "websocket") &&
           httpparse_has_token(parse, "connection", "upgrade");
}

static bool is_gremlin(struct slice path)
{
    return slice_equal(path, SLICE("/gremlin")) || slice_equal(path, SLICE("/gremlin/")) ||
           slice_equal(path, SLICE("/"));
}

/* The subprotocol "gremlin" is known; drivers name none. */
static bool has_protocol(const struct httpparse *parse)
{
    return httpparse_has_token(parse, "sec-websocket-protocol", "gremlin");
}

/* RFC 6455 4.2.1 and 4.2.2. Null: it may be upgraded. */
static const char *refusal(const struct conn *conn, struct bytes *accept, int *status)
{
    const struct httpparse *parse = &conn->parse;

    *status = 400;
    if (!is_gremlin(httpparse_text(parse, parse->path))) {
        *status = 404;
        return "not found: WebSocket is at /gremlin";
    }
    if (parse->has_body) {
        return "a WebSocket handshake has no body";
    }
    if (!slice_equal(httpparse_field(parse, "sec-websocket-version"), SLICE("13"))) {
        return "Sec-WebSocket-Version has to be 13";
    }
    if (httpparse_count(parse, "sec-websocket-key") != 1 ||
        !wsframe_accept(accept, httpparse_field(parse, "sec-websocket-key"))) {
        return "Sec-WebSocket-Key is not 16 bytes in base64";
    }
    if (httpparse_count(parse, "sec-websocket-protocol") > 0 && !has_protocol(parse)) {
        return "of subprotocols only 'gremlin' is known, and none need be named";
    }
    return NULL;
}

void websocket_open(struct conn *conn)
{
    struct front *front = conn->front;
    struct bytes accept = {0};
    struct bytes head = {0};
    int status;
    const char *why = refusal(conn, &accept, &status);

    if (why != NULL) {
        http_refuse(conn, status, why);
        bytes_close(&accept);
        return;
    }
    bytes_format(&head,
                 "HTTP/1.1 101 Switching Protocols\r\nUpgrade: WebSocket\r\n"
                 "Connection: Upgrade\r\nSec-WebSocket-Accept: %.*s\r\n%s\r\n",
                 (int)accept.size, (const char *)accept.data,
                 has_protocol(&conn->parse) ? "Sec-WebSocket-Protocol: gremlin\r\n" : "");
    outq_copy(&conn->out, bytes_slice(&head), (struct slice){0});
    bytes_close(&accept);
    bytes_close(&head);
    httpparse_close(&conn->parse);
    wsframe_init(&conn->frame, REQUEST_BYTES_MAX);
    conn->state = CONN_WEBSOCKET;
    conn_register(conn);
    conn_wake(conn);
    front->websocket_count++;
    stats_add(front->options.stats, STATS_CLIENTS_OPENED, 1);
    stats_set(front->options.stats, STATS_CLIENTS, front->websocket_count);
}

/* ---- out ---- */

static void send_frame(struct conn *conn, enum wsframe_opcode opcode, struct slice data)
{
    uint8_t head[WSFRAME_HEAD_MAX];
    size_t size = wsframe_head(head, opcode, true, data.size);

    outq_copy(&conn->out, slice_of(head, size), data);
    conn_wake(conn);
}

/* Takes the message. */
static void send_message(struct conn *conn, bool is_text, struct bytes *message)
{
    struct stats *stats = conn->front->options.stats;
    enum wsframe_opcode opcode = is_text ? WSFRAME_TEXT : WSFRAME_BINARY;
    size_t at = 0;

    stats_add(stats, STATS_CLIENT_FRAMES_OUT, 1);
    stats_add(stats, STATS_CLIENT_BYTES_OUT, message->size);
    if (message->size <= TOGETHER_MAX) {
        send_frame(conn, opcode, bytes_slice(message));
        bytes_close(message);
        return;
    }
    for (;;) {
        size_t left = message->size - at;
        size_t size = left > WEBSOCKET_FRAGMENT_MAX ? WEBSOCKET_FRAGMENT_MAX : left;
        uint8_t head[WSFRAME_HEAD_MAX];
        size_t head_size = wsframe_head(head, opcode, size == left, size);
        outq_copy(&conn->out, slice_of(head, head_size), (struct slice){0});
        if (size == left) {
            break;
        }
        outq_borrow(&conn->out, slice_of(message->data + at, size));
        at += size;
        opcode = WSFRAME_CONTINUATION;
    }
    outq_take(&conn->out, message, at);
    conn_wake(conn);
}

void websocket_send(struct conn *conn, struct router_response *response)
{
    assert(conn->state == CONN_WEBSOCKET);
    send_message(conn, response->is_text, &response->body);
    if (response->is_last && conn->open_count > 0) {
        conn->open_count--;
    }
}

void websocket_ping(struct conn *conn)
{
    send_frame(conn, WSFRAME_PING, (struct slice){0});
}

void websocket_close(struct conn *conn, uint32_t code, const char *why)
{
    uint8_t text[WSFRAME_CONTROL_MAX];
    size_t size = strlen(why);

    assert(size + 2 <= sizeof text);
    text[0] = (uint8_t)(code >> 8);
    text[1] = (uint8_t)code;
    memcpy(text + 2, why, size);
    send_frame(conn, WSFRAME_CLOSE, slice_of(text, code == WSFRAME_NO_CODE ? 0 : size + 2));
    conn_end(conn);
}

void websocket_set_flow(struct conn *conn)
{
    size_t limit = conn->front->options.backlog_bytes;
    size_t waiting = conn_waiting_bytes(conn);

    if (conn->state != CONN_WEBSOCKET) {
        return;
    }
    if (waiting > limit || conn->open_count >= WEBSOCKET_OPEN_MAX) {
        conn->is_choked = true;
    } else if (conn->is_choked && waiting <= limit / 2) {
        conn->is_choked = false;
        conn_wake(conn);
    }
    if (waiting / FRONT_BACKLOG_FACTOR > limit) {
        log_warn(conn->front->options.log, "websocket",
                 "queued_bytes=%zu msg=\"closed: the client does not read\"", waiting);
        conn_drop(conn);
    }
}

/* ---- in ---- */

/* A request that could not be read is answered here, as far as its id is known. */
static void answer_malformed(struct conn *conn, const struct request *request,
                             const struct error *err)
{
    struct bytes body = {0};
    struct response response = {
        .format = request->format,
        .request_id = request->has_id ? request->id : NULL,
        .status = error_status(err->code),
        .message = err->text,
    };

    response_encode(&body, &response);
    send_message(conn, conn->frame.is_text, &body);
}

static void on_message(struct conn *conn)
{
    struct front *front = conn->front;
    struct slice message = bytes_slice(&conn->frame.message);
    struct request request = {0};
    struct error err = {0};

    stats_add(front->options.stats, STATS_CLIENT_FRAMES_IN, 1);
    stats_add(front->options.stats, STATS_CLIENT_BYTES_IN, message.size);
    if (request_decode(message, conn->frame.is_text, &request, &err) == E_OK) {
        conn->open_count++;
        router_request(front->options.router, front->now_ms, conn->client, &request,
                       front->options.out);
    } else {
        answer_malformed(conn, &request, &err);
        request_close(&request);
    }
    wsframe_release(&conn->frame);
}

void websocket_take(struct conn *conn, struct slice *in)
{
    assert(conn->state == CONN_WEBSOCKET);
    switch (wsframe_next(&conn->frame, in)) {
    case WSFRAME_MORE:
    case WSFRAME_IS_PONG:
        return;
    case WSFRAME_IS_MESSAGE:
        on_message(conn);
        break;
    case WSFRAME_IS_PING:
        send_frame(conn, WSFRAME_PONG, wsframe_control(&conn->frame));
        break;
    case WSFRAME_IS_CLOSE:
        websocket_close(conn, conn->frame.code, "");
        return;
    case WSFRAME_IS_BAD:
        log_debug(conn->front->options.log, "websocket", "code=%u msg=\"refused: %s\"",
                  conn->frame.code, conn->frame.text);
        websocket_close(conn, conn->frame.code, conn->frame.text);
        return;
    }
    websocket_set_flow(conn);
}
