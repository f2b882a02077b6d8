/*
 * websocket.h -- Gremlin over WebSocket: messages in, messages out, one connection.
 *
 * Internal to router/front.
 */
#ifndef ROUTER_FRONT_WEBSOCKET_H
#define ROUTER_FRONT_WEBSOCKET_H

#include "router/front/conn.h"

enum {
    WEBSOCKET_FRAGMENT_MAX = 1 << 20, /* A longer message goes out in fragments of this size. */
    WEBSOCKET_OPEN_MAX = 128 /* Requests without an answer: then the client is not read from. */
};

/* RFC 6455 4.2.1: a GET with the fields of an upgrade. */
bool websocket_is_asked_for(const struct httpparse *parse);
/* Upgrades, or refuses and ends the connection. */
void websocket_open(struct conn *conn);
/* Takes bytes off the front of *in: up to the end of one frame. */
void websocket_take(struct conn *conn, struct slice *in);
/* Queues a response; takes its body. */
void websocket_send(struct conn *conn, struct router_response *response);
void websocket_ping(struct conn *conn);
/* Says why, and ends the connection. */
void websocket_close(struct conn *conn, uint32_t code, const char *why);
/* A slow reader is not read from until it has caught up; one that keeps asking is closed. */
void websocket_set_flow(struct conn *conn);

#endif
