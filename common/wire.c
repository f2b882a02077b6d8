#include "common/wire.h"

#include <assert.h>
#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>
#include <zmq.h>

#include "common/log.h"
#include "common/mem.h"
#include "common/stats.h"

enum {
    ROUTE_SIZE = 5,
    SKIP_MAX = 256 /* Malformed messages at a time: who floods us does not stop the turn. */
};

struct setting {
    int option;
    int value;
};

/* reference/replication.md 6.2: the numbers are those of its list. */
static const struct setting settings[] = {
    {ZMQ_LINGER, 0},        /* 10 */
    {ZMQ_IMMEDIATE, 1},     /* 1 */
    {ZMQ_SNDHWM, WIRE_HWM}, /* 5 */
    {ZMQ_RCVHWM, WIRE_HWM}, /* 5 */
    {ZMQ_HEARTBEAT_IVL, 0}, /* 6 */
    {ZMQ_TCP_KEEPALIVE, 1}, /* 6 */
    {ZMQ_TCP_KEEPALIVE_IDLE, 10},
    {ZMQ_TCP_KEEPALIVE_INTVL, 5},
    {ZMQ_TCP_KEEPALIVE_CNT, 3},
    {ZMQ_RECONNECT_IVL, 20}, /* 10 */
    {ZMQ_RECONNECT_IVL_MAX, 1000},
    {ZMQ_HANDSHAKE_IVL, 2000}, /* 10 */
};

static int open_zap(struct wire *wire, struct error *err)
{
    struct epoll_event event = {.events = EPOLLIN};
    size_t size = sizeof event.data.fd;
    int rc;

    if (wire->keys == NULL) {
        return E_OK;
    }
    wire->zap.log = wire->log;
    rc = zap_open(&wire->zap, wire->context, wire->keys, err);
    if (rc != E_OK) {
        return rc;
    }
    if (zmq_getsockopt(wire->zap.socket, ZMQ_FD, &event.data.fd, &size) != 0 ||
        epoll_ctl(wire->epoll_fd, EPOLL_CTL_ADD, event.data.fd, &event) != 0) {
        return error_set(err, E_IO, "watching for handshakes: %s", strerror(errno));
    }
    return E_OK;
}

int wire_open(struct wire *wire, struct error *err)
{
    zmq_msg_t *input;

    wire->context = zmq_ctx_new();
    if (wire->context == NULL) {
        return error_set(err, E_IO, "starting ZeroMQ: %s", zmq_strerror(zmq_errno()));
    }
    (void)zmq_ctx_set(wire->context, ZMQ_MAX_SOCKETS, WIRE_SOCKETS_MAX);
    wire->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    if (wire->epoll_fd < 0) {
        (void)zmq_ctx_term(wire->context);
        wire->context = NULL;
        return error_set(err, E_IO, "opening an epoll descriptor: %s", strerror(errno));
    }
    input = mem_alloc(sizeof *input);
    (void)zmq_msg_init(input);
    wire->input = input;
    outbox_init(&wire->local);
    return open_zap(wire, err);
}

void wire_close(struct wire *wire)
{
    if (wire->context == NULL) {
        return;
    }
    (void)zmq_msg_close((zmq_msg_t *)wire->input);
    mem_free(wire->input);
    outbox_close(&wire->local);
    zap_close(&wire->zap);
    (void)close(wire->epoll_fd);
    (void)zmq_ctx_term(wire->context);
    *wire = (struct wire){0};
}

/* CURVE: who listens proves its own role's key; who calls asks for that of the other side. */
static int apply_keys(const struct wire *wire, void *socket, enum peer_role server)
{
    const struct keys *keys = wire->keys;
    const char *expected;
    int on = 1;
    int rc = zmq_setsockopt(socket, ZMQ_CURVE_SECRETKEY, keys->secret_text, KEYS_TEXT);

    if (server == 0) {
        rc |= zmq_setsockopt(socket, ZMQ_CURVE_SERVER, &on, sizeof on);
        return rc | zmq_setsockopt(socket, ZMQ_ZAP_DOMAIN, "cardea", strlen("cardea"));
    }
    expected = keys_of_role(keys, server);
    if (expected == NULL) {
        errno = ENOKEY;
        return -1;
    }
    rc |= zmq_setsockopt(socket, ZMQ_CURVE_PUBLICKEY, keys->public_text, KEYS_TEXT);
    return rc | zmq_setsockopt(socket, ZMQ_CURVE_SERVERKEY, expected, KEYS_TEXT);
}

static int apply_settings(const struct wire *wire, void *socket, enum peer_role server,
                          const char *address)
{
    int64_t size_max = MESSAGE_HEADER_SIZE + MESSAGE_BODY_MAX;
    int on = 1;
    int rc = 0;

    for (size_t i = 0; i < sizeof settings / sizeof settings[0]; i++) {
        rc |= zmq_setsockopt(socket, settings[i].option, &settings[i].value, sizeof(int));
    }
    rc |= zmq_setsockopt(socket, ZMQ_MAXMSGSIZE, &size_max, sizeof size_max);
    if (server == 0) {
        rc |= zmq_setsockopt(socket, ZMQ_ROUTER_MANDATORY, &on, sizeof on);
    }
    if (strchr(address, '[') != NULL) {
        rc |= zmq_setsockopt(socket, ZMQ_IPV6, &on, sizeof on);
    }
    return wire->keys == NULL || rc != 0 ? rc : apply_keys(wire, socket, server);
}

static int attach(struct wire *wire, void *socket, const char *address, bool is_bind)
{
    struct epoll_event event = {.events = EPOLLIN};
    size_t size = sizeof event.data.fd;

    if ((is_bind ? zmq_bind(socket, address) : zmq_connect(socket, address)) != 0 ||
        zmq_getsockopt(socket, ZMQ_FD, &event.data.fd, &size) != 0) {
        return -1;
    }
    return epoll_ctl(wire->epoll_fd, EPOLL_CTL_ADD, event.data.fd, &event);
}

int wire_socket(struct wire *wire, enum peer_role server, const char *address, void **socket,
                struct error *err)
{
    bool is_bind = server == 0;

    *socket = zmq_socket(wire->context, is_bind ? ZMQ_ROUTER : ZMQ_DEALER);
    if (*socket == NULL) {
        return error_set(err, E_LIMIT, "opening a socket: %s", zmq_strerror(zmq_errno()));
    }
    if (apply_settings(wire, *socket, server, address) != 0 ||
        attach(wire, *socket, address, is_bind) != 0) {
        int code = zmq_errno();
        (void)zmq_close(*socket);
        *socket = NULL;
        if (code == ENOKEY) {
            return error_set(err, E_CONFIG, "cluster.pub lists no key of role %s",
                             keys_role_name(server));
        }
        if (code == EADDRINUSE) {
            return error_set(err, E_IO, "%s is in use by another program", address);
        }
        return error_set(err, E_IO, "%s %s: %s", is_bind ? "listening on" : "connecting to",
                         address, zmq_strerror(code));
    }
    return E_OK;
}

void wire_socket_close(struct wire *wire, void **socket)
{
    int fd;
    size_t size = sizeof fd;

    if (*socket == NULL) {
        return;
    }
    if (zmq_getsockopt(*socket, ZMQ_FD, &fd, &size) == 0) {
        (void)epoll_ctl(wire->epoll_fd, EPOLL_CTL_DEL, fd, NULL);
    }
    (void)zmq_close(*socket);
    *socket = NULL;
}

void wire_refresh(void *socket, bool *has_input, bool *has_room)
{
    int events = 0;
    size_t size = sizeof events;

    (void)zmq_getsockopt(socket, ZMQ_EVENTS, &events, &size);
    *has_input = (events & ZMQ_POLLIN) != 0;
    *has_room = (events & ZMQ_POLLOUT) != 0;
}

static int send_route(void *socket, uint64_t route)
{
    uint8_t id[ROUTE_SIZE];

    for (size_t i = 0; i < ROUTE_SIZE; i++) {
        id[i] = (uint8_t)(route >> 8 * (ROUTE_SIZE - 1 - i));
    }
    return zmq_send(socket, id, sizeof id, ZMQ_DONTWAIT | ZMQ_SNDMORE);
}

int wire_send(struct wire *wire, void *socket, uint64_t route, const struct message *message)
{
    struct message stamped = *message;
    size_t size = MESSAGE_HEADER_SIZE + message->body.size;
    struct bytes out;
    zmq_msg_t frame;

    if (route != 0 && send_route(socket, route) < 0) {
        return zmq_errno() == EAGAIN ? E_UNAVAILABLE : E_NOT_FOUND;
    }
    stamped.cluster_id = wire->cluster_id;
    stamped.src_node = wire->node;
    stamped.src_boot = wire->boot;
    if (zmq_msg_init_size(&frame, size) != 0) {
        return E_UNAVAILABLE;
    }
    out = (struct bytes){.data = zmq_msg_data(&frame), .room = size, .max = size};
    message_encode(&out, &stamped);
    assert(out.size == size && !out.is_overflown);
    if (zmq_msg_send(&frame, socket, ZMQ_DONTWAIT) < 0) {
        (void)zmq_msg_close(&frame);
        return E_UNAVAILABLE;
    }
    stats_add(wire->stats, STATS_MESSAGES_OUT, 1);
    stats_add(wire->stats, STATS_BYTES_OUT, size);
    return E_OK;
}

/* Only ids that our own sockets give: five bytes, the first 0. Returns 0 for others. */
static uint64_t route_of(zmq_msg_t *frame)
{
    const uint8_t *id = zmq_msg_data(frame);
    uint64_t route = 0;

    if (zmq_msg_size(frame) != ROUTE_SIZE || id[0] != 0) {
        return 0;
    }
    for (size_t i = 0; i < ROUTE_SIZE; i++) {
        route = route << 8 | id[i];
    }
    return route;
}

/* Receives all parts of one message, the last into wire->input. Returns how many, 0: nothing
 * there. */
static int recv_parts(struct wire *wire, void *socket, uint64_t *route)
{
    zmq_msg_t *input = wire->input;
    int count = 0;

    do {
        if (zmq_msg_recv(input, socket, ZMQ_DONTWAIT) < 0) {
            return 0;
        }
        if (count == 0 && route != NULL) {
            *route = route_of(input);
        }
        count++;
    } while (zmq_msg_more(input) != 0);
    return count;
}

bool wire_recv(struct wire *wire, void *socket, uint64_t *route, struct message *message)
{
    for (int tries = 0; tries < SKIP_MAX; tries++) {
        int parts = recv_parts(wire, socket, route);
        if (parts == 0) {
            return false;
        }
        struct slice input = slice_of(zmq_msg_data(wire->input), zmq_msg_size(wire->input));
        struct error err = {0};
        if (parts == (route == NULL ? 1 : 2) && (route == NULL || *route != 0) &&
            message_decode(input, message, &err) == E_OK) {
            stats_add(wire->stats, STATS_MESSAGES_IN, 1);
            stats_add(wire->stats, STATS_BYTES_IN, input.size);
            return true;
        }
        stats_add(wire->stats, STATS_MESSAGES_BAD, 1);
        log_warn(wire->log, "transport", "msg=\"message dropped\" reason=\"%s\"",
                 err.code == E_OK ? "wrong framing" : err.text);
    }
    return false;
}

bool wire_is_from(const struct wire *wire, enum peer_role role)
{
    return wire->keys == NULL || zap_role(wire->input) == role;
}

void wire_refuse_local(struct wire *wire, const struct message *request, const struct error *err)
{
    stats_add(wire->stats, STATS_MESSAGES_UNSENT, 1);
    if (request->req_id != 0) {
        outbox_refuse(&wire->local, request, err);
    }
}

void wire_hello_encode(const struct wire *wire, struct bytes *out, uint64_t messages_max,
                       uint64_t bytes_max)
{
    bytes_u8(out, MESSAGE_VERSION);
    bytes_u8(out, MESSAGE_VERSION);
    bytes_u8(out, (uint8_t)wire->role);
    bytes_varint(out, messages_max);
    bytes_varint(out, bytes_max);
    bytes_blob(out, SLICE("cardea"));
}

int wire_hello_decode(struct slice body, struct wire_hello *hello, struct error *err)
{
    struct reader reader;
    uint8_t role;

    reader_init(&reader, body);
    hello->version_min = reader_u8(&reader);
    hello->version_max = reader_u8(&reader);
    role = reader_u8(&reader);
    hello->messages_max = reader_varint(&reader);
    hello->bytes_max = reader_varint(&reader);
    hello->program = reader_blob(&reader);
    if (reader.is_bad || role < PEER_ROUTER || role > PEER_TOOL) {
        return error_set(err, E_MALFORMED, "greeting out of form");
    }
    hello->role = (enum peer_role)role;
    if (hello->version_min > MESSAGE_VERSION || hello->version_max < MESSAGE_VERSION) {
        return error_set(err, E_CONFIG, "protocol versions %u to %u there, %u here",
                         hello->version_min, hello->version_max, MESSAGE_VERSION);
    }
    return E_OK;
}
