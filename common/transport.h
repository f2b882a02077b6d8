/*
 * transport.h -- messages between processes over ZeroMQ: who is who, credit, heartbeats, deadlines.
 *
 *      our core                                                      their core
 *   transport_send --> link (DEALER) ---- HELLO, requests ----> (ROUTER) caller --> transport_recv
 *   transport_recv <-- link          <--- WELCOME, replies ---- (ROUTER) caller <-- transport_send
 *
 * One listening socket a plane; one connection a process that we call, opened at the first message
 * to it (its address comes from options.address). Replies go back on the connection of the request.
 * Delivery is at most once and in order between two processes; a request that was certainly not
 * sent comes back as REFUSED (E_UNAVAILABLE, E_TIMEOUT); everything else is repeated by the cores.
 *
 * A turn of the host: transport_tick; transport_recv until false (at most 256); core;
 * transport_send; and before it sleeps on transport_fd until transport_deadline:
 * transport_has_input must be false.
 *
 * With keys all is encrypted and both sides prove their role (keys.h); without, addresses are to be
 * reachable by the cluster's own processes only.
 * After: reference/replication.md section 6.
 * Shell. Ownership: a message received is valid until the next transport_recv.
 * Limits: TRANSPORT_PLANES_MAX listening sockets, TRANSPORT_LINKS_MAX processes called.
 */
#ifndef COMMON_TRANSPORT_H
#define COMMON_TRANSPORT_H

#include "common/outbox.h"

struct log;
struct stats;
struct transport;

enum { TRANSPORT_PLANES_MAX = 4, TRANSPORT_LINKS_MAX = 2048 };

struct transport_plane {
    const char *bind; /* "tcp://127.0.0.1:7200". */
    unsigned roles;   /* CALLER_ROLE (caller.h) of those that may call; 0: all. */
};

struct transport_options {
    enum peer_role role;
    uint32_t node;
    uint64_t boot;
    uint64_t cluster_id; /* 0: any, for tools. */
    size_t plane_count;
    const struct transport_plane *planes;
    /* Where a peer (PEER_NODE) can be called now; null: not known. The text is copied. */
    const char *(*address)(void *ctx, peer_id peer);
    void *ctx;
    const struct keys *keys; /* Null: plain text. Kept. */
    uint32_t ping_ms;        /* 0: 500. */
    uint32_t silence_ms;     /* 0: 3,000: then the connection is opened anew. */
    struct log *log;         /* May be null, as stats. */
    struct stats *stats;
};

/* Returns E_OK, E_IO (address in use), E_LIMIT. */
int transport_open(struct transport **transport, const struct transport_options *options,
                   struct error *err);
void transport_close(struct transport **transport);
/* Sends all of the outbox and clears it. */
void transport_send(struct transport *transport, uint64_t now_ms, struct outbox *outbox);
bool transport_recv(struct transport *transport, uint64_t now_ms, struct message *message);
void transport_tick(struct transport *transport, uint64_t now_ms);
uint64_t transport_deadline(const struct transport *transport, uint64_t now_ms);
/* Readable when something may have come. Never read it. */
int transport_fd(const struct transport *transport);
bool transport_has_input(struct transport *transport);
/* A caller's handle that is no more; 0: none. */
peer_id transport_gone(struct transport *transport);
/* The address that a plane is bound to, with the port if "*" was asked for. Returns E_OK, E_IO. */
int transport_bound(const struct transport *transport, size_t plane, char *buffer, size_t size);
/* The peer has answered our greeting. */
bool transport_is_up(const struct transport *transport, peer_id peer);

#endif
