/*
 * native.h -- Gremlin over ZeroMQ: QUERY in, QUERY_REPLY out, on the router's own message plane.
 *
 * A QUERY's body is a binary frame as over WebSocket; each QUERY_REPLY carries one response frame,
 * the last with MESSAGE_LAST. A peer is one client of the router's: its sessions end when it is
 * gone.
 *
 * Pure. Limits: REQUEST_BYTES_MAX a request; NATIVE_OPEN_MAX requests of a peer without an answer.
 */
#ifndef ROUTER_FRONT_NATIVE_H
#define ROUTER_FRONT_NATIVE_H

#include "common/map.h"
#include "router/router.h"

enum { NATIVE_OPEN_MAX = 1024 };

struct native_peer;

struct native {
    struct router *router;
    struct map by_peer;   /* peer_id -> place in peers. */
    struct map by_client; /* The router's client -> place in peers. */
    struct native_peer *peers;
    size_t count; /* Places given out; free ones have peer 0. */
    size_t room;
};

void native_init(struct native *native, struct router *router);
void native_close(struct native *native);
void native_query(struct native *native, uint64_t now_ms, const struct message *message,
                  struct outbox *out);
/* Takes the body. Returns false if the client is not one of ours. */
bool native_response(struct native *native, struct router_response *response, struct outbox *out);
void native_gone(struct native *native, uint64_t now_ms, peer_id peer, struct outbox *out);

#endif
