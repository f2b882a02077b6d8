/*
 * serve.h -- a router as a process: its facade, the client port and the message plane in one loop.
 *
 *   host_turn (ZeroMQ: shards, coordinators, native clients) -> front_deliver -> front_wait
 * (WebSocket, HTTP)
 *
 * Shell.
 */
#ifndef ROUTER_FRONT_SERVE_H
#define ROUTER_FRONT_SERVE_H

#include "common/host.h"
#include "router/front/front.h"
#include "router/front/native.h"
#include "router/router_conf.h"

struct serve {
    struct router *router;
    struct native native;
    struct front *front;
    struct log *log;   /* May be null. */
    char address[256]; /* Last one asked for, with its end. */
};

/* The router's options from its configuration. */
struct router_options serve_router_options(const struct router_conf *values);
struct front_options serve_front_options(const struct router_conf *values);
/* The router with its native clients as a core. Keeps serve. */
struct host_core serve_core(struct serve *serve);
/* Keeps values, host. Sets the host's core. Returns E_OK, E_IO. */
int serve_open(struct serve *serve, const struct router_conf *values, struct host *host,
               struct error *err);
/* Where the map says that a shard node can be called; null: it does not. Valid until the next
 * call. */
const char *serve_node_address(struct serve *serve, uint32_t node);
void serve_close(struct serve *serve);
/* Until a signal to end comes. */
int serve_run(struct serve *serve, struct host *host, struct error *err);

#endif
