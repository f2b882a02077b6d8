/*
 * wire.h -- ZeroMQ sockets with our settings, and whole messages over them.
 *
 * Settings and why: reference/replication.md section 6.2. No heartbeats of ZeroMQ's own (a full
 * pipe looks like a dead peer to them), no waiting (LINGER 0), nothing queued for who is not there
 * (IMMEDIATE). All descriptors are in one epoll set, so that any poller needs to watch one
 * descriptor only. ZeroMQ's descriptors tell of edges, which any call may swallow: drain all
 * sockets after sends too.
 *
 * Shell. Limits: WIRE_SOCKETS_MAX sockets, MESSAGE_BODY_MAX a body.
 */
#ifndef COMMON_WIRE_H
#define COMMON_WIRE_H

#include "common/outbox.h"
#include "common/zap.h"

struct log;
struct stats;

enum {
    WIRE_SOCKETS_MAX = 4096,
    WIRE_HWM = 2000, /* Messages a pipe; above the credit window, so that credit decides. */
    WIRE_WINDOW_MESSAGES = 1024, /* What a caller may have on the way to us. */
    WIRE_WINDOW_BYTES = 32 << 20
};

struct wire {
    void *context;
    int epoll_fd;
    enum peer_role role;
    uint32_t node;
    uint64_t boot;
    uint64_t cluster_id;
    uint32_t ping_ms;
    uint32_t silence_ms;
    uint64_t
        link_seq; /* Of the last message sent: one count for all, so that it never starts anew. */
    struct log *log;
    struct stats *stats;
    const struct keys *keys; /* Null: plain text. */
    struct zap zap;
    void *input;         /* zmq_msg_t of the message last given. */
    struct outbox local; /* Messages made here for our own core: what could not be sent. */
    size_t local_taken;
};

/* What HELLO and WELCOME say. */
struct wire_hello {
    uint8_t version_min;
    uint8_t version_max;
    enum peer_role role;
    struct slice program;  /* For people. */
    uint64_t messages_max; /* WELCOME, PONG: the most messages since HELLO, in all. */
    uint64_t bytes_max;
};

int wire_open(struct wire *wire, struct error *err);
void wire_close(struct wire *wire);
/* Listens (server 0) or connects to a process of the role. Gives a socket that is in the epoll
 * set. Returns E_OK, E_IO, E_LIMIT, E_CONFIG (no key of that role). */
int wire_socket(struct wire *wire, enum peer_role server, const char *address, void **socket,
                struct error *err);
void wire_socket_close(struct wire *wire, void **socket);
/* Lets the socket take notice of connections made and lost. */
void wire_refresh(void *socket, bool *has_input, bool *has_room);
/* route 0: a DEALER. Sets cluster_id, src_node, src_boot. Returns E_OK, E_UNAVAILABLE (not now),
 * E_NOT_FOUND (no such route). */
int wire_send(struct wire *wire, void *socket, uint64_t route, const struct message *message);
/* The next message; route is null for a DEALER. Valid until the next call. Malformed ones are
 * counted and skipped. */
bool wire_recv(struct wire *wire, void *socket, uint64_t *route, struct message *message);
/* Tells our own core that its request was not sent. */
/* Whether the message last given came under a key of this role; always, where there are no keys. */
bool wire_is_from(const struct wire *wire, enum peer_role role);
void wire_refuse_local(struct wire *wire, const struct message *request, const struct error *err);

void wire_hello_encode(const struct wire *wire, struct bytes *out, uint64_t messages_max,
                       uint64_t bytes_max);
int wire_hello_decode(struct slice body, struct wire_hello *hello, struct error *err);

#endif
