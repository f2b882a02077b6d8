#include "common/link.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>
#include <zmq.h>

#include "common/log.h"
#include "common/stats.h"

enum { REFUSED_PINGS = 4 };

int link_open(struct link *link, struct wire *wire, uint64_t now_ms, peer_id peer,
              const char *address, struct error *err)
{
    assert(link->state == LINK_CLOSED);
    assert((peer & PEER_CALLER_BIT) == 0);
    if (strlen(address) >= sizeof link->address) {
        return error_set(err, E_INVALID, "address of %zu bytes, at most %d", strlen(address),
                         LINK_ADDRESS_MAX - 1);
    }
    int rc = wire_socket(wire, (enum peer_role)(peer >> 32), address, &link->socket, err);
    if (rc != E_OK) {
        return rc;
    }
    link->peer = peer;
    link->state = LINK_GREETING;
    link->is_hello_sent = false;
    link->heard_ms = now_ms;
    link->pinged_ms = now_ms;
    (void)snprintf(link->address, sizeof link->address, "%s", address);
    return E_OK;
}

static void refuse_queue(struct link *link, struct wire *wire, const struct error *err)
{
    struct sendq_item *item;

    while ((item = sendq_front(&link->queue)) != NULL) {
        wire_refuse_local(wire, &item->message, err);
        sendq_pop(&link->queue);
    }
}

void link_close(struct link *link, struct wire *wire)
{
    struct error err = {0};

    if (link->state != LINK_CLOSED) {
        (void)error_set(&err, E_UNAVAILABLE, "connection to %s was closed", link->address);
        refuse_queue(link, wire, &err);
    }
    sendq_close(&link->queue);
    wire_socket_close(wire, &link->socket);
    *link = (struct link){0};
}

static void move(struct link *link, struct wire *wire, enum link_state state)
{
    if (link->state != state) {
        log_debug(wire->log, "link", "peer=%llx address=%s state=%d was=%d",
                  (unsigned long long)link->peer, link->address, (int)state, (int)link->state);
    }
    link->state = state;
    link->is_hello_sent = false;
}

static int send_now(struct link *link, struct wire *wire, const struct message *message)
{
    struct message numbered = *message;
    int rc;

    numbered.link_seq = wire->link_seq + 1;
    rc = wire_send(wire, link->socket, 0, &numbered);
    if (rc == E_OK) {
        wire->link_seq++;
        link->sent_messages++;
        link->sent_bytes += MESSAGE_HEADER_SIZE + message->body.size;
    }
    return rc;
}

/* HELLO, PING: without a number and without credit. */
static bool send_control(struct link *link, struct wire *wire, enum message_type type,
                         struct slice body)
{
    struct message message = {.type = type, .body = body};

    return wire_send(wire, link->socket, 0, &message) == E_OK;
}

static void greet(struct link *link, struct wire *wire, uint64_t now_ms)
{
    uint8_t room[64];
    struct bytes body = {.data = room, .room = sizeof room, .max = sizeof room};
    bool has_input;
    bool has_room;

    wire_refresh(link->socket, &has_input, &has_room);
    wire_hello_encode(wire, &body, 0, 0);
    if (has_room && send_control(link, wire, MESSAGE_HELLO, bytes_slice(&body))) {
        link->is_hello_sent = true;
        link->pinged_ms = now_ms;
        link->sent_messages = 0;
        link->sent_bytes = 0;
    }
}

static bool has_credit(const struct link *link)
{
    return link->sent_messages < link->messages_max && link->sent_bytes < link->bytes_max;
}

/* A time-out may have come true while the message waited; then it was certainly not sent. */
static void expire(struct link *link, struct wire *wire, uint64_t now_ms)
{
    struct sendq_item *item;

    while ((item = sendq_front(&link->queue)) != NULL && item->expires_ms <= now_ms) {
        struct error err = {0};
        (void)error_set(&err, item->message.deadline_ms == 0 ? E_UNAVAILABLE : E_TIMEOUT,
                        "not sent in time: %s does not answer", link->address);
        wire_refuse_local(wire, &item->message, &err);
        sendq_pop(&link->queue);
    }
}

static void flush(struct link *link, struct wire *wire, uint64_t now_ms)
{
    struct sendq_item *item;

    expire(link, wire, now_ms);
    while (link->state == LINK_UP && has_credit(link) &&
           (item = sendq_front(&link->queue)) != NULL) {
        if (item->message.deadline_ms != 0 && item->expires_ms > now_ms) {
            item->message.deadline_ms = (uint32_t)(item->expires_ms - now_ms);
        }
        if (send_now(link, wire, &item->message) != E_OK) {
            move(link, wire, LINK_GREETING);
            return;
        }
        sendq_pop(&link->queue);
        expire(link, wire, now_ms);
    }
}

void link_send(struct link *link, struct wire *wire, uint64_t now_ms, const struct message *message)
{
    assert(link->state != LINK_CLOSED);
    if (link->state == LINK_REFUSED) {
        wire_refuse_local(wire, message, &link->refusal);
        return;
    }
    if (link->state == LINK_UP && link->queue.count == 0 && has_credit(link)) {
        if (send_now(link, wire, message) == E_OK) {
            return;
        }
        /* Not connected, or a full pipe: greeted anew before the next message, in case that it is
         * another process by then. */
        move(link, wire, LINK_GREETING);
    }
    if (!sendq_push(&link->queue, now_ms, message)) {
        struct error err = {0};
        (void)error_set(&err, E_UNAVAILABLE, "too much waits for %s", link->address);
        wire_refuse_local(wire, message, &err);
    }
}

static void on_refused_greeting(struct link *link, struct wire *wire, const struct error *err)
{
    if (link->state != LINK_REFUSED) {
        log_error(wire->log, "link", "peer=%llx address=%s msg=\"refused\" reason=\"%s\"",
                  (unsigned long long)link->peer, link->address, err->text);
    }
    move(link, wire, LINK_REFUSED);
    link->refusal = *err;
    refuse_queue(link, wire, err);
}

static void on_welcome(struct link *link, struct wire *wire, uint64_t now_ms,
                       const struct message *message)
{
    struct wire_hello hello;
    struct error err = {0};
    peer_id peer;

    if (wire_hello_decode(message->body, &hello, &err) != E_OK) {
        on_refused_greeting(link, wire, &err);
        return;
    }
    if (wire->cluster_id != 0 && message->cluster_id != wire->cluster_id) {
        (void)error_set(&err, E_CONFIG, "%s belongs to another cluster", link->address);
        on_refused_greeting(link, wire, &err);
        return;
    }
    peer = PEER_NODE(hello.role, message->src_node);
    if (peer != link->peer) {
        (void)error_set(&err, E_CONFIG, "%s is node %u of role %d, not node %u of role %d",
                        link->address, message->src_node, (int)hello.role, (uint32_t)link->peer,
                        (int)(link->peer >> 32));
        on_refused_greeting(link, wire, &err);
        return;
    }
    if (link->boot != message->src_boot) {
        link->boot = message->src_boot;
        link->seq_in = 0;
    }
    link->messages_max = hello.messages_max;
    link->bytes_max = hello.bytes_max;
    move(link, wire, LINK_UP);
    flush(link, wire, now_ms);
}

static void on_pong(struct link *link, struct wire *wire, uint64_t now_ms, struct slice body)
{
    struct reader reader;
    uint64_t messages_max;
    uint64_t bytes_max;

    reader_init(&reader, body);
    messages_max = reader_varint(&reader);
    bytes_max = reader_varint(&reader);
    if (link->state == LINK_UP && !reader.is_bad) {
        link->messages_max = messages_max;
        link->bytes_max = bytes_max;
        flush(link, wire, now_ms);
    }
}

/* Refusals without a number come from the other side's transport. Returns whether the core is to
 * know. */
static bool on_refused(struct link *link, struct wire *wire, uint64_t now_ms,
                       const struct message *message)
{
    struct error err = {0};

    if (message_refusal(message->body, &err) == E_CONFIG) {
        on_refused_greeting(link, wire, &err);
        return message->req_id != 0;
    }
    if (link->state == LINK_UP) {
        move(link, wire, LINK_GREETING);
        greet(link, wire, now_ms);
    }
    return message->req_id != 0;
}

static bool is_current(struct link *link, struct wire *wire, const struct message *message)
{
    if (link->boot != message->src_boot || message->link_seq <= link->seq_in) {
        stats_add(wire->stats, STATS_MESSAGES_STALE, 1);
        return false;
    }
    link->seq_in = message->link_seq;
    return true;
}

/* Returns whether the message is for the core. */
static bool take(struct link *link, struct wire *wire, uint64_t now_ms,
                 const struct message *message)
{
    if (message->type == MESSAGE_WELCOME) {
        on_welcome(link, wire, now_ms, message);
        return false;
    }
    if (message->type == MESSAGE_PONG) {
        on_pong(link, wire, now_ms, message->body);
        return false;
    }
    if (message->type == MESSAGE_REFUSED && message->link_seq == 0) {
        return on_refused(link, wire, now_ms, message);
    }
    return is_current(link, wire, message);
}

bool link_recv(struct link *link, struct wire *wire, uint64_t now_ms, struct message *message)
{
    while (link->socket != NULL && wire_recv(wire, link->socket, NULL, message)) {
        link->heard_ms = now_ms;
        message->peer = link->peer;
        if (take(link, wire, now_ms, message)) {
            return true;
        }
    }
    return false;
}

bool link_tick(struct link *link, struct wire *wire, uint64_t now_ms)
{
    uint64_t since = now_ms - link->pinged_ms;

    assert(link->state != LINK_CLOSED);
    if (now_ms - link->heard_ms >= wire->silence_ms) {
        return false;
    }
    if (link->state == LINK_REFUSED && since >= (uint64_t)wire->ping_ms * REFUSED_PINGS) {
        greet(link, wire, now_ms);
        link->pinged_ms = now_ms;
    } else if (link->state == LINK_GREETING && (!link->is_hello_sent || since >= wire->ping_ms)) {
        greet(link, wire, now_ms);
        link->pinged_ms = since >= wire->ping_ms ? now_ms : link->pinged_ms;
    } else if (link->state == LINK_UP && since >= wire->ping_ms) {
        link->pinged_ms = now_ms;
        if (!send_control(link, wire, MESSAGE_PING, SLICE(""))) {
            move(link, wire, LINK_GREETING);
        }
    }
    flush(link, wire, now_ms);
    return true;
}

bool link_has_input(const struct link *link)
{
    bool has_input;
    bool has_room;

    if (link->socket == NULL) {
        return false;
    }
    wire_refresh(link->socket, &has_input, &has_room);
    return has_input || (has_room && link->state == LINK_GREETING && !link->is_hello_sent);
}

uint64_t link_deadline(const struct link *link, const struct wire *wire)
{
    uint64_t at = link->pinged_ms + wire->ping_ms;

    if (link->queue.count > 0 && link->queue.items[link->queue.head].expires_ms < at) {
        at = link->queue.items[link->queue.head].expires_ms;
    }
    return at;
}
