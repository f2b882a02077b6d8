/*
 * front.h -- the client port of a router: WebSocket and HTTP on one address.
 *
 *   client --bytes--> stream --> httpparse, wsframe --> http, websocket --> router_request
 *   client <--------- outq <-------------------------- front_deliver <---- router_next_response
 *
 * The host's loop: its own turn, front_deliver, front_wait until its next deadline. One epoll set
 * has the clients, the listening socket and the host's descriptors (ZeroMQ, signals; front_watch).
 * Queries run in the host's turn, in slices, so that pings are answered meanwhile.
 *
 * Shell, one thread. Ownership: keeps what options point to.
 * Limits: connections_max connections, 503 for more; REQUEST_BYTES_MAX a message (close 1009, HTTP
 * 413); a client whose answers wait for more than backlog_bytes is not read from, and closed at
 * FRONT_BACKLOG_FACTOR times that; held_bytes_max of requests that are not whole, of all clients;
 * answers_bytes_max of answers that wait for all of them, then who has most of it is closed.
 */
#ifndef ROUTER_FRONT_FRONT_H
#define ROUTER_FRONT_FRONT_H

#include "common/log.h"
#include "common/stats.h"
#include "router/router.h"

struct conn;
struct front;
struct native;

enum {
    FRONT_BACKLOG_FACTOR = 16,
    FRONT_TAKES_MAX = 256,  /* Requests and messages taken in one turn, of all connections. */
    FRONT_ACCEPTS_MAX = 64, /* New connections before those that are there have a turn. */
    FRONT_PAUSE_MS = 100    /* Without new ones, when the system has no descriptor for them. */
};

struct front_options {
    const char *address; /* "127.0.0.1", "0.0.0.0", "::1". */
    int port;            /* 0: any free one. */
    uint32_t connections_max;
    size_t backlog_bytes;
    size_t held_bytes_max;       /* 0: 256 MiB. */
    size_t answers_bytes_max;    /* 0: 1 GiB. */
    uint64_t request_timeout_ms; /* From the first byte to the last; 0: 20,000. */
    uint64_t idle_timeout_ms;    /* Without any traffic; 0: 1,200,000. */
    size_t cors_count;
    const char *const *cors_origins; /* "*": all. */
    struct router *router;
    struct outbox *out;    /* For messages to shards that requests give rise to. */
    struct native *native; /* May be null: takes the responses of clients that are not ours. */
    struct log *log;       /* May be null. */
    struct stats *stats;
};

/* Returns E_OK, E_IO (address in use or not of this machine). */
int front_open(struct front **front, const struct front_options *options, struct error *err);
void front_close(struct front **front);
/* The port listened on. */
int front_port(const struct front *front);
/* front_wait returns when this descriptor is readable, too; it is never read. Returns E_OK, E_IO.
 */
int front_watch(struct front *front, int fd, struct error *err);
/* Hands what the router has answered to its clients. */
void front_deliver(struct front *front, uint64_t now_ms);
/* Serves clients until something has happened or the deadline (loop_now_ms) is reached. */
void front_wait(struct front *front, uint64_t deadline_ms);

#endif
