#include "common/client.h"

#include "common/codec.h"

#include <assert.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    CONNECT_MS = 3000,
    ANSWER_MS = 600000, /* The server has a deadline of its own, long before. */
    OPCODE_TEXT = 1,
    OPCODE_BINARY = 2,
    OPCODE_CLOSE = 8,
    OPCODE_PING = 9,
    OPCODE_PONG = 10,
    READ_SIZE = 1 << 16
};

static const char MIME[] = "application/vnd.graphbinary-v1.0";

int client_address(const char *flag, char *host, char *port, struct error *err)
{
    const char *text = flag ? flag : getenv("CARDEA_ROUTER");
    const char *colon, *end;
    size_t size;

    text = text && *text ? text : "127.0.0.1:8182";
    if (strncmp(text, "ws://", 5) == 0) {
        text += 5;
    }
    end = strchr(text, '/');
    size = end ? (size_t)(end - text) : strlen(text);
    colon = memchr(text, ':', size);
    /* The last colon: IPv6 addresses hold more of them. */
    for (const char *at = colon; at != NULL; at = memchr(at, ':', (size_t)(text + size - at))) {
        colon = at++;
    }
    if (colon == NULL || colon == text || colon + 1 == text + size || size > 250) {
        return error_set(err, E_INVALID, "'%s' is not HOST:PORT", flag ? flag : text);
    }
    if (*text == '[' && colon[-1] == ']') {
        snprintf(host, 256, "%.*s", (int)(colon - text - 2), text + 1);
    } else {
        snprintf(host, 256, "%.*s", (int)(colon - text), text);
    }
    snprintf(port, 256, "%.*s", (int)(text + size - colon - 1), colon + 1);
    return E_OK;
}

static int wait_for(struct client *client, short events, int timeout_ms, struct error *err)
{
    struct pollfd item = {.fd = client->fd, .events = events};
    int left = timeout_ms;

    while (left > 0) {
        int step = left < 100 ? left : 100;
        int rc = poll(&item, 1, step);
        if (client->stop && *client->stop) {
            return error_set(err, E_CANCELLED, "interrupted");
        }
        if (rc > 0) {
            return E_OK;
        }
        if (rc < 0 && errno != EINTR) {
            return error_set(err, E_IO, "poll: %s", strerror(errno));
        }
        left -= step;
    }
    return error_set(err, E_TIMEOUT, "no answer within %d s", timeout_ms / 1000);
}

static int send_all(struct client *client, struct slice data, struct error *err)
{
    size_t sent = 0;

    while (sent < data.size) {
        ssize_t size = send(client->fd, data.data + sent, data.size - sent, MSG_NOSIGNAL);
        if (size > 0) {
            sent += (size_t)size;
        } else if (errno == EAGAIN) {
            int rc = wait_for(client, POLLOUT, ANSWER_MS, err);
            if (rc != E_OK) {
                return rc;
            }
        } else if (errno != EINTR) {
            return error_set(err, E_UNAVAILABLE, "connection lost: %s", strerror(errno));
        }
    }
    return E_OK;
}

/* Makes at least size bytes available from client->used on. */
static int receive(struct client *client, size_t size, struct error *err)
{
    while (client->input.size - client->used < size) {
        uint8_t *room;
        ssize_t got;
        int rc = wait_for(client, POLLIN, ANSWER_MS, err);

        if (rc != E_OK) {
            return rc;
        }
        if (client->used > 0 && client->used == client->input.size) {
            bytes_clear(&client->input);
            client->used = 0;
        }
        room = bytes_extend(&client->input, READ_SIZE);
        got = recv(client->fd, room, READ_SIZE, 0);
        client->input.size -= READ_SIZE - (size_t)(got > 0 ? got : 0);
        if (got == 0) {
            return error_set(err, E_UNAVAILABLE, "the router closed the connection");
        }
        if (got < 0 && errno != EINTR && errno != EAGAIN) {
            return error_set(err, E_UNAVAILABLE, "connection lost: %s", strerror(errno));
        }
    }
    return E_OK;
}

/* The mask only has to be there: it protects proxies from scripts in browsers (RFC 6455 10.3). */
static int send_frame(struct client *client, int opcode, struct slice payload, struct error *err)
{
    static const uint8_t mask[4] = {0x5a, 0xc3, 0x96, 0x3c};
    struct bytes frame = {0};
    uint8_t *body;
    int rc;

    bytes_init(&frame, 0);
    bytes_u8(&frame, (uint8_t)(0x80 | opcode));
    if (payload.size < 126) {
        bytes_u8(&frame, (uint8_t)(0x80 | payload.size));
    } else if (payload.size < 65536) {
        bytes_u8(&frame, 0x80 | 126);
        bytes_u16(&frame, (uint16_t)payload.size);
    } else {
        bytes_u8(&frame, 0x80 | 127);
        bytes_u64(&frame, payload.size);
    }
    bytes_append(&frame, mask, sizeof(mask));
    body = bytes_extend(&frame, payload.size);
    for (size_t i = 0; i < payload.size; i++) {
        body[i] = payload.data[i] ^ mask[i & 3];
    }
    rc = send_all(client, bytes_slice(&frame), err);
    bytes_close(&frame);
    return rc;
}

/* The head of the next frame: its opcode and payload size. */
static int frame_head(struct client *client, uint8_t *first, uint64_t *size, struct error *err)
{
    struct reader reader;
    size_t more;
    int rc = receive(client, 2, err);

    if (rc != E_OK) {
        return rc;
    }
    *first = client->input.data[client->used];
    *size = client->input.data[client->used + 1] & 0x7f;
    client->used += 2;
    more = *size == 126 ? 2 : *size == 127 ? 8 : 0;
    if (more > 0) {
        rc = receive(client, more, err);
        if (rc != E_OK) {
            return rc;
        }
        reader_init(&reader, slice_of(client->input.data + client->used, more));
        *size = more == 2 ? reader_u16(&reader) : reader_u64(&reader);
        client->used += more;
    }
    if (*size > CLIENT_FRAME_MAX) {
        return error_set(err, E_MALFORMED, "frame of %llu bytes", (unsigned long long)*size);
    }
    return E_OK;
}

/* Appends the payload of the next message to out; answers pings on the way. */
static int receive_message(struct client *client, struct bytes *out, struct error *err)
{
    for (;;) {
        uint8_t first = 0;
        uint64_t size = 0;
        struct slice payload;
        int rc = frame_head(client, &first, &size, err);

        if (rc == E_OK) {
            rc = receive(client, size, err);
        }
        if (rc != E_OK) {
            return rc;
        }
        payload = slice_of(client->input.data + client->used, size);
        client->used += size;
        switch (first & 0x0f) {
        case OPCODE_PING:
            rc = send_frame(client, OPCODE_PONG, payload, err);
            if (rc != E_OK) {
                return rc;
            }
            break;
        case OPCODE_PONG:
            break;
        case OPCODE_CLOSE:
            return error_set(err, E_UNAVAILABLE, "the router closed the connection");
        default:
            bytes_append(out, payload.data, payload.size);
            if (first & 0x80) {
                return E_OK;
            }
        }
    }
}

static int shake_hands(struct client *client, const char *host, const char *port, struct error *err)
{
    struct bytes request = {0};
    struct slice head;
    const char *end = NULL;
    int rc;

    bytes_init(&request, 0);
    bytes_format(&request,
                 "GET /gremlin HTTP/1.1\r\nHost: %s:%s\r\nUpgrade: websocket\r\n"
                 "Connection: Upgrade\r\nSec-WebSocket-Key: Y2FyZGVhIGNvbW1hbmQgbA==\r\n"
                 "Sec-WebSocket-Version: 13\r\n\r\n",
                 host, port);
    rc = send_all(client, bytes_slice(&request), err);
    bytes_close(&request);
    while (rc == E_OK && end == NULL) {
        rc = receive(client, client->input.size + 1, err);
        head = bytes_slice(&client->input);
        for (size_t i = 3; rc == E_OK && i < head.size; i++) {
            if (memcmp(head.data + i - 3, "\r\n\r\n", 4) == 0) {
                end = (const char *)head.data + i + 1;
                break;
            }
        }
    }
    if (rc != E_OK) {
        return rc;
    }
    head = slice_of(client->input.data, (size_t)((const uint8_t *)end - client->input.data));
    if (head.size < 12 || memcmp(head.data + 8, " 101", 4) != 0) {
        return error_set(err, E_MALFORMED, "%s:%s is not a Gremlin server (%.*s)", host, port,
                         (int)(head.size < 40 ? head.size : 40), (const char *)head.data);
    }
    client->used = head.size;
    return E_OK;
}

static int connect_to(struct client *client, const struct addrinfo *where, struct error *err)
{
    struct pollfd item;
    int failure = 0, one = 1;
    socklen_t size = sizeof(failure);

    client->fd = socket(where->ai_family, where->ai_socktype | SOCK_NONBLOCK | SOCK_CLOEXEC,
                        where->ai_protocol);
    if (client->fd < 0) {
        return error_set(err, E_IO, "socket: %s", strerror(errno));
    }
    if (connect(client->fd, where->ai_addr, where->ai_addrlen) != 0 && errno != EINPROGRESS) {
        return error_set(err, E_UNAVAILABLE, "%s", strerror(errno));
    }
    item = (struct pollfd){.fd = client->fd, .events = POLLOUT};
    if (poll(&item, 1, CONNECT_MS) <= 0) {
        return error_set(err, E_TIMEOUT, "no connection within %d s", CONNECT_MS / 1000);
    }
    if (getsockopt(client->fd, SOL_SOCKET, SO_ERROR, &failure, &size) != 0 || failure != 0) {
        return error_set(err, E_UNAVAILABLE, "%s", strerror(failure));
    }
    (void)setsockopt(client->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    return E_OK;
}

int client_open(struct client *client, const char *host, const char *port, struct error *err)
{
    struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
    struct addrinfo *found = NULL;
    int rc;

    assert(!client->is_open);
    rc = getaddrinfo(host, port, &hints, &found);
    if (rc != 0) {
        return error_set(err, E_UNAVAILABLE, "%s:%s: %s", host, port, gai_strerror(rc));
    }
    client->fd = -1;
    client->is_open = true;
    bytes_init(&client->input, CLIENT_FRAME_MAX + READ_SIZE);
    for (const struct addrinfo *at = found; at != NULL; at = at->ai_next) {
        if (client->fd >= 0) {
            close(client->fd);
        }
        rc = connect_to(client, at, err);
        if (rc == E_OK) {
            break;
        }
    }
    freeaddrinfo(found);
    if (rc == E_OK) {
        rc = shake_hands(client, host, port, err);
    } else {
        error_prefix(err, "cannot reach a router at %s:%s", host, port);
    }
    if (rc != E_OK) {
        client_close(client);
    }
    return rc;
}

void client_close(struct client *client)
{
    volatile sig_atomic_t *stop = client->stop;

    if (client->is_open && client->fd >= 0) {
        close(client->fd);
    }
    bytes_close(&client->input);
    memset(client, 0, sizeof(*client));
    client->stop = stop;
}

static void write_text(struct bytes *out, const char *text)
{
    bytes_u32(out, (uint32_t)strlen(text));
    bytes_append(out, text, strlen(text));
}

static void write_request(struct client *client, struct bytes *out, const struct client_call *call)
{
    bytes_u8(out, (uint8_t)strlen(MIME));
    bytes_append(out, MIME, strlen(MIME));
    bytes_u8(out, 0x81);
    bytes_u64(out, 0x6361726465610000u);
    bytes_u64(out, ++client->requests);
    write_text(out, call->op);
    write_text(out, call->processor);
    bytes_u32(out, call->arguments.size);
    for (uint32_t i = 0; i < 2 * call->arguments.size; i++) {
        codec_encode(out, NULL, &call->arguments.items[i]);
    }
}

/* One response message: version, nullable id, code, nullable message, attributes, meta, data. */
static int read_response(struct slice frame, struct arena *arena, struct client_answer *answer,
                         struct value *data, struct error *err)
{
    struct reader reader;
    struct value ignored;

    reader_init(&reader, frame);
    if (reader_u8(&reader) != 0x81) {
        reader_spoil(&reader);
    }
    if (reader_u8(&reader) == 0) {
        reader_take(&reader, 16);
    }
    answer->status = (int)reader_u32(&reader);
    if (reader_u8(&reader) == 0) {
        struct slice text = reader_take(&reader, reader_u32(&reader));
        answer->message = slice_of(arena_copy(arena, text.data, text.size), text.size);
    }
    for (int map = 0; map < 2; map++) {
        uint32_t count = reader_u32(&reader);
        for (uint32_t i = 0; i < 2 * count && !reader.is_bad; i++) {
            codec_decode(&reader, arena, NULL, 0, &ignored);
        }
    }
    codec_decode(&reader, arena, NULL, 0, data);
    return reader_finish(&reader, "response", err);
}

int client_send(struct client *client, const struct client_call *call, struct error *err)
{
    struct bytes frame = {0};
    int rc;

    assert(client->is_open);
    assert(call->arguments.kind == VALUE_MAP);
    bytes_init(&frame, 0);
    write_request(client, &frame, call);
    rc = send_frame(client, OPCODE_BINARY, bytes_slice(&frame), err);
    bytes_close(&frame);
    return rc;
}

int client_receive(struct client *client, struct arena *arena, struct client_answer *answer,
                   struct error *err)
{
    struct bytes frame = {0}, items = {0};
    int rc;

    *answer = (struct client_answer){0};
    bytes_init(&frame, 0);
    bytes_init(&items, 0);
    do {
        struct value data = {0};

        bytes_clear(&frame);
        rc = receive_message(client, &frame, err);
        if (rc == E_OK) {
            /* Texts point into the frame: it has to live as long as the results. */
            struct slice kept = bytes_slice(&frame);
            kept.data = arena_copy(arena, kept.data, kept.size);
            rc = read_response(kept, arena, answer, &data, err);
        }
        if (rc == E_OK && data.kind == VALUE_LIST) {
            bytes_append(&items, data.items, data.size * sizeof(struct value));
        }
    } while (rc == E_OK && answer->status == 206);
    if (rc == E_OK) {
        size_t count = items.size / sizeof(struct value);
        answer->results =
            value_items(arena, VALUE_LIST, (const struct value *)(void *)items.data, count);
    }
    bytes_close(&items);
    bytes_close(&frame);
    return rc;
}

int client_request(struct client *client, const struct client_call *call, struct arena *arena,
                   struct client_answer *answer, struct error *err)
{
    int rc = client_send(client, call, err);

    return rc == E_OK ? client_receive(client, arena, answer, err) : rc;
}

int client_eval(struct client *client, const struct client_query *query, struct arena *arena,
                struct client_answer *answer, struct error *err)
{
    struct value alias[2] = {value_cstring("g"), value_cstring(query->source)};
    struct value pairs[10];
    struct client_call call = {.op = "eval", .processor = query->session ? "session" : ""};
    size_t count = 0;

    pairs[count++] = value_cstring("gremlin");
    pairs[count++] = value_string(query->text);
    pairs[count++] = value_cstring("aliases");
    pairs[count++] = value_items(arena, VALUE_MAP, alias, 1);
    if (query->session) {
        pairs[count++] = value_cstring("session");
        pairs[count++] = value_cstring(query->session);
    }
    if (query->timeout_ms > 0) {
        pairs[count++] = value_cstring("evaluationTimeout");
        pairs[count++] = value_long(query->timeout_ms);
    }
    call.arguments = value_items(arena, VALUE_MAP, pairs, count / 2);
    return client_request(client, &call, arena, answer, err);
}
