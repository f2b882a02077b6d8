/*
 * front.h -- the client port of a router: WebSocket and HTTP on one address, by libwebsockets.
 *
 *   client --frame--> websocket.c --+                         +--> router_request
 *   client --POST---> http.c -------+--> request_decode ------+
 *   client <--------- send queue <------ front_deliver <---------- router_next_response
 *
 * The host's loop: its own turn, front_deliver, front_wait until its next deadline. libwebsockets
 * polls; the host's descriptors (ZeroMQ, signals) are watched beside the clients' by front_watch.
 * Queries run in the host's turn, in slices, so that pings are answered meanwhile.
 *
 * Shell, one thread. Ownership: keeps what options point to.
 * Limits: connections_max connections; REQUEST_BYTES_MAX a message (close 1009, HTTP 413); a
 * client whose answers wait for more than backlog_bytes is not read from, and closed at
 * FRONT_BACKLOG_FACTOR times that.
 */
#ifndef ROUTER_FRONT_FRONT_H
#define ROUTER_FRONT_FRONT_H

#include "common/log.h"
#include "common/stats.h"
#include "router/router.h"

struct front;
struct native;

enum { FRONT_BACKLOG_FACTOR = 16 };

struct front_options {
    const char *address; /* "127.0.0.1", "0.0.0.0", "::1". */
    int port;            /* 0: any free one. */
    uint32_t connections_max;
    size_t backlog_bytes;
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
 * */
int front_watch(struct front *front, int fd, struct error *err);
/* Hands what the router has answered to its clients. */
void front_deliver(struct front *front, uint64_t now_ms);
/* Serves clients until something has happened or the deadline (loop_now_ms) is reached. */
void front_wait(struct front *front, uint64_t deadline_ms);

#endif
