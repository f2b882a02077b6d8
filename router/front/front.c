#include "router/front/front.h"

#include <assert.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "common/loop.h"
#include "common/mem.h"
#include "router/front/conn.h"
#include "router/front/http.h"
#include "router/front/native.h"
#include "router/front/websocket.h"

enum {
    SERVICE_BUFFER = 65536, /* Bytes of a message that one callback gets. */
    HEADER_DATA = 32768,    /* Trap 6: 4 KB by default, and more is dropped. */
    HEADER_POOL_MIN = 64,
    KEEPALIVE_S = 60,
    TCP_KEEPALIVE_S = 60,
    WAIT_MAX_MS = 60000
};

/* Trap 1: `Upgrade: h2c` lands in code with known holes. Blanked, the request is plain HTTP/1.1.
 * With other values `in` may dangle: it is not looked at. */
static int refuse_h2c(struct lws *wsi, void *in)
{
    if (lws_hdr_total_length(wsi, WSI_TOKEN_HTTP2_SETTINGS) > 0) {
        *(char *)in = '\0';
    }
    return 0;
}

/* Of both kinds, by what the connection is. */
static void closed(struct conn_slot *slot)
{
    if (slot != NULL) {
        websocket_closed(slot);
        http_closed(slot);
    }
}

/* Trap 3: Gremlin drivers name no subprotocol, so that protocols[0] serves WebSocket and HTTP. */
static int on_event(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in,
                    size_t size)
{
    struct front *front = lws_context_user(lws_get_context(wsi));
    struct conn_slot *slot = user;

    /* NOLINTNEXTLINE: hundreds of reasons, most of them not ours. */
    switch ((int)reason) {
    case LWS_CALLBACK_HTTP_CONFIRM_UPGRADE:
        return refuse_h2c(wsi, in);
    case LWS_CALLBACK_FILTER_PROTOCOL_CONNECTION:
        return websocket_filter(front, wsi);
    case LWS_CALLBACK_ESTABLISHED:
        return websocket_open(front, wsi, slot);
    case LWS_CALLBACK_RECEIVE:
        return websocket_receive(slot->conn, in, size);
    case LWS_CALLBACK_SERVER_WRITEABLE:
        return websocket_writeable(slot->conn);
    case LWS_CALLBACK_HTTP:
        return http_begin(front, wsi, slot);
    case LWS_CALLBACK_HTTP_BODY:
        return http_body(slot->conn, in, size);
    case LWS_CALLBACK_HTTP_BODY_COMPLETION:
        return http_body_done(slot->conn);
    case LWS_CALLBACK_HTTP_WRITEABLE:
        return http_writeable(wsi, slot);
    case LWS_CALLBACK_CLOSED:
    case LWS_CALLBACK_CLOSED_HTTP:
    case LWS_CALLBACK_WSI_DESTROY:
        closed(slot);
        return 0;
    default:
        return 0;
    }
}

/* A watched descriptor is readable: front_wait returns, the host looks. A client that names this
 * as its subprotocol is not let in. */
static int on_watched(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in,
                      size_t size)
{
    (void)wsi;
    (void)user;
    (void)in;
    (void)size;
    return reason == LWS_CALLBACK_FILTER_PROTOCOL_CONNECTION || reason == LWS_CALLBACK_ESTABLISHED
               ? -1
               : 0;
}

static const struct lws_protocols protocols[] = {
    {.name = "gremlin",
     .callback = on_event,
     .per_session_data_size = sizeof(struct conn_slot),
     .rx_buffer_size = SERVICE_BUFFER},
    {.name = "watched", .callback = on_watched},
    {.name = NULL},
};

static void set_options(struct lws_context_creation_info *info, const struct front_options *options)
{
    bool is_ipv6 = strchr(options->address, ':') != NULL;
    bool is_any = strcmp(options->address, "0.0.0.0") == 0 || strcmp(options->address, "::") == 0;

    info->options = LWS_SERVER_OPTION_EXPLICIT_VHOSTS | LWS_SERVER_OPTION_VALIDATE_UTF8 |
                    LWS_SERVER_OPTION_FAIL_UPON_UNABLE_TO_BIND;
    if (!is_ipv6) {
        /* Trap 7: without it an IPv4 address listens on all of IPv6. */
        info->options |= LWS_SERVER_OPTION_DISABLE_IPV6;
    }
    info->port = options->port;
    info->iface = is_any ? NULL : options->address;
    info->protocols = protocols;
    info->extensions = NULL; /* Trap 2: permessage-deflate reads freed memory. */
    info->alpn = "http/1.1"; /* Trap 1, with TLS. */
    info->server_string = "cardea";
    info->max_http_header_data = HEADER_DATA;
    /* One for each connection: one too many is reset. They are allocated when used. */
    info->max_http_header_pool2 =
        options->connections_max < HEADER_POOL_MIN ? HEADER_POOL_MIN : options->connections_max;
    info->pt_serv_buf_size = SERVICE_BUFFER;
    info->keepalive_timeout = KEEPALIVE_S;
    info->ka_time = TCP_KEEPALIVE_S;
    info->ka_interval = 10;
    info->ka_probes = 3;
}

int front_open(struct front **front, const struct front_options *options, struct error *err)
{
    static const lws_retry_bo_t no_hangup = {
        0}; /* Idle drivers are left alone; TCP finds the dead. */
    struct lws_context_creation_info info = {0};
    struct front *opened = mem_alloc(sizeof *opened);

    opened->options = *options;
    lws_set_log_level(0, NULL);
    set_options(&info, options);
    info.user = opened;
    info.retry_and_idle_policy = &no_hangup;
    opened->context = lws_create_context(&info);
    if (opened->context == NULL) {
        front_close(&opened);
        return error_set(err, E_IO, "starting libwebsockets failed");
    }
    opened->vhost = lws_create_vhost(opened->context, &info);
    if (opened->vhost == NULL) {
        front_close(&opened);
        return error_set(err, E_IO,
                         "cannot listen on %s:%d: in use by another program, or not an "
                         "address of this machine",
                         options->address, options->port);
    }
    *front = opened;
    return E_OK;
}

void front_close(struct front **front)
{
    struct front *closing = *front;

    if (closing == NULL) {
        return;
    }
    if (closing->context != NULL) {
        lws_context_destroy(closing->context);
    }
    map_close(&closing->by_client);
    mem_free(closing);
    *front = NULL;
}

int front_port(const struct front *front)
{
    return lws_get_vhost_listen_port(front->vhost);
}

/* libwebsockets closes what it watches: it gets a duplicate. */
int front_watch(struct front *front, int fd, struct error *err)
{
    lws_sock_file_fd_type watched = {.filefd = dup(fd)};

    if (watched.filefd < 0) {
        return error_set(err, E_IO, "duplicating a descriptor: %s", strerror(errno));
    }
    if (lws_adopt_descriptor_vhost(front->vhost, LWS_ADOPT_RAW_FILE_DESC, watched, "watched",
                                   NULL) == NULL) {
        return error_set(err, E_IO, "libwebsockets does not watch a descriptor");
    }
    return E_OK;
}

void front_deliver(struct front *front, uint64_t now_ms)
{
    struct router_response response;

    (void)now_ms;
    while (router_next_response(front->options.router, &response)) {
        struct conn *conn = conn_find(front, response.client);
        if (conn == NULL) {
            if (front->options.native == NULL ||
                !native_response(front->options.native, &response, front->options.out)) {
                bytes_close(&response.body);
            }
        } else if (conn->kind == CONN_WEBSOCKET) {
            websocket_send(conn, &response);
        } else {
            http_answer(conn, &response);
        }
    }
}

/* The host's deadline: that the wait is over is all. */
static void on_timer(lws_sorted_usec_list_t *timer)
{
    (void)timer;
}

void front_wait(struct front *front, uint64_t deadline_ms)
{
    uint64_t now = loop_now_ms();
    uint64_t wait = deadline_ms <= now ? 0 : deadline_ms - now;

    if (wait == 0) {
        (void)lws_service(front->context, -1);
        return;
    }
    wait = wait > WAIT_MAX_MS ? WAIT_MAX_MS : wait;
    lws_sul_schedule(front->context, 0, &front->timer, on_timer, (lws_usec_t)wait * LWS_US_PER_MS);
    (void)lws_service(front->context, 0);
    lws_sul_schedule(front->context, 0, &front->timer, on_timer, LWS_SET_TIMER_USEC_CANCEL);
}
