#include "router/front/websocket.h"

#include <assert.h>
#include <string.h>

#include "common/loop.h"
#include "common/mem.h"
#include "router/wire/response.h"

int websocket_filter(struct front *front, struct lws *wsi)
{
    char path[64];
    char version[8] = "";

    if (lws_hdr_copy(wsi, version, sizeof version, WSI_TOKEN_VERSION) < 0 ||
        strcmp(version, "13") != 0) {
        (void)lws_return_http_status(wsi, HTTP_STATUS_BAD_REQUEST, "WebSocket version 13");
        return -1;
    }
    /* A page of another site must not query a router on its visitor's machine. */
    if (conn_is_foreign(front, wsi)) {
        (void)lws_return_http_status(wsi, HTTP_STATUS_FORBIDDEN, NULL);
        return -1;
    }
    conn_path(wsi, path, sizeof path);
    if (strcmp(path, "/gremlin") != 0 && strcmp(path, "/gremlin/") != 0 && strcmp(path, "/") != 0) {
        (void)lws_return_http_status(wsi, HTTP_STATUS_NOT_FOUND, NULL);
        return -1;
    }
    if (front->websocket_count + front->exchange_count >= front->options.connections_max) {
        log_warn(front->options.log, "websocket", "connections=%u msg=\"refused: too many\"",
                 front->websocket_count);
        (void)lws_return_http_status(wsi, HTTP_STATUS_SERVICE_UNAVAILABLE, NULL);
        return -1;
    }
    return 0;
}

int websocket_open(struct front *front, struct lws *wsi, struct conn_slot *slot)
{
    /* What the HTTP side of this connection left behind. */
    conn_free(&slot->conn);
    slot->conn = conn_new(front, wsi, CONN_WEBSOCKET);
    conn_register(slot->conn);
    front->websocket_count++;
    stats_add(front->options.stats, STATS_CLIENTS_OPENED, 1);
    stats_set(front->options.stats, STATS_CLIENTS, front->websocket_count);
    return 0;
}

void websocket_closed(struct conn_slot *slot)
{
    struct front *front;

    if (slot->conn == NULL || slot->conn->kind != CONN_WEBSOCKET) {
        return;
    }
    front = slot->conn->front;
    assert(front->websocket_count > 0);
    front->websocket_count--;
    stats_set(front->options.stats, STATS_CLIENTS, front->websocket_count);
    conn_free(&slot->conn);
}

static void append(struct conn *conn, bool is_text, struct slice body)
{
    struct conn_frame *frame = mem_alloc(sizeof *frame);

    frame->is_text = is_text;
    frame->size = body.size;
    frame->data = mem_alloc(LWS_PRE + body.size);
    if (body.size > 0) {
        memcpy(frame->data + LWS_PRE, body.data, body.size);
    }
    if (conn->last == NULL) {
        conn->first = frame;
    } else {
        conn->last->next = frame;
    }
    conn->last = frame;
    conn->queued_bytes += body.size;
    (void)lws_callback_on_writable(conn->wsi);
}

/* A slow reader is not read from until it has caught up; one that keeps asking is closed. */
static void set_flow(struct conn *conn)
{
    size_t limit = conn->front->options.backlog_bytes;
    size_t waiting = conn->queued_bytes + router_backlog(conn->front->options.router, conn->client);

    if (!conn->is_choked && waiting > limit) {
        conn->is_choked = true;
        (void)lws_rx_flow_control(conn->wsi, 0);
    } else if (conn->is_choked && waiting <= limit / 2) {
        conn->is_choked = false;
        (void)lws_rx_flow_control(conn->wsi, 1);
    }
    if (waiting / FRONT_BACKLOG_FACTOR > limit) {
        conn->is_too_slow = true;
        (void)lws_callback_on_writable(conn->wsi);
    }
}

void websocket_send(struct conn *conn, struct router_response *response)
{
    append(conn, response->is_text, bytes_slice(&response->body));
    bytes_close(&response->body);
    set_flow(conn);
}

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
    append(conn, conn->is_text, bytes_slice(&body));
    bytes_close(&body);
}

static void on_message(struct conn *conn)
{
    struct front *front = conn->front;
    struct request request = {0};
    struct error err = {0};

    stats_add(front->options.stats, STATS_CLIENT_FRAMES_IN, 1);
    stats_add(front->options.stats, STATS_CLIENT_BYTES_IN, conn->input.size);
    if (request_decode(bytes_slice(&conn->input), conn->is_text, &request, &err) == E_OK) {
        router_request(front->options.router, loop_now_ms(), conn->client, &request,
                       front->options.out);
    } else {
        answer_malformed(conn, &request, &err);
        request_close(&request);
    }
}

int websocket_receive(struct conn *conn, const void *data, size_t size)
{
    if (lws_is_first_fragment(conn->wsi) != 0) {
        bytes_clear(&conn->input);
        conn->is_text = lws_frame_is_binary(conn->wsi) == 0;
    }
    bytes_append(&conn->input, data, size);
    if (conn->input.is_overflown) {
        static const char reason[] = "message too large";
        unsigned char text[sizeof reason];
        memcpy(text, reason, sizeof reason);
        lws_close_reason(conn->wsi, LWS_CLOSE_STATUS_MESSAGE_TOO_LARGE, text, sizeof reason - 1);
        return -1;
    }
    if (lws_is_final_fragment(conn->wsi) != 0 && lws_remaining_packet_payload(conn->wsi) == 0) {
        on_message(conn);
        /* One large message does not hold its memory for the life of the connection. */
        if (conn->input.room > CONN_WRITE_MAX) {
            bytes_close(&conn->input);
            bytes_init(&conn->input, REQUEST_BYTES_MAX);
        }
        bytes_clear(&conn->input);
    }
    return 0;
}

static int write_fragment(struct conn *conn, struct conn_frame *frame)
{
    size_t left = frame->size - frame->sent;
    size_t size = left > CONN_WRITE_MAX ? CONN_WRITE_MAX : left;
    int flags = frame->is_text ? LWS_WRITE_TEXT : LWS_WRITE_BINARY;

    if (frame->sent > 0) {
        flags = LWS_WRITE_CONTINUATION;
    }
    if (size < left) {
        flags |= LWS_WRITE_NO_FIN;
    }
    /* The bytes before the fragment were sent: they may be overwritten by its header. */
    if (lws_write(conn->wsi, frame->data + LWS_PRE + frame->sent, size,
                  (enum lws_write_protocol)flags) < (int)size) {
        return -1;
    }
    frame->sent += size;
    return 0;
}

static void pop(struct conn *conn)
{
    struct conn_frame *frame = conn->first;

    conn->first = frame->next;
    if (conn->first == NULL) {
        conn->last = NULL;
    }
    conn->queued_bytes -= frame->size;
    stats_add(conn->front->options.stats, STATS_CLIENT_FRAMES_OUT, 1);
    stats_add(conn->front->options.stats, STATS_CLIENT_BYTES_OUT, frame->size);
    mem_free(frame->data);
    mem_free(frame);
}

int websocket_writeable(struct conn *conn)
{
    if (conn->is_too_slow) {
        log_warn(conn->front->options.log, "websocket",
                 "queued_bytes=%zu msg=\"closed: the client does not read\"", conn->queued_bytes);
        return -1;
    }
    for (int i = 0; i < CONN_WRITES_MAX && conn->first != NULL; i++) {
        if (i > 0 && lws_send_pipe_choked(conn->wsi) != 0) {
            break;
        }
        if (write_fragment(conn, conn->first) != 0) {
            return -1;
        }
        if (conn->first->sent == conn->first->size) {
            pop(conn);
        }
    }
    if (conn->first != NULL) {
        (void)lws_callback_on_writable(conn->wsi);
    }
    set_flow(conn);
    return 0;
}
