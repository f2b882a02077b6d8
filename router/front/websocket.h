/*
 * websocket.h -- Gremlin over WebSocket: frames in, frames out, one connection.
 *
 * Internal to router/front. Each returns what its libwebsockets callback returns: 0, or -1 to
 * close.
 */
#ifndef ROUTER_FRONT_WEBSOCKET_H
#define ROUTER_FRONT_WEBSOCKET_H

#include "router/front/conn.h"

/* May this connection be upgraded? Answers for itself if not. */
int websocket_filter(struct front *front, struct lws *wsi);
int websocket_open(struct front *front, struct lws *wsi, struct conn_slot *slot);
int websocket_receive(struct conn *conn, const void *data, size_t size);
int websocket_writeable(struct conn *conn);
void websocket_closed(struct conn_slot *slot);
/* Queues a response; takes its body. */
void websocket_send(struct conn *conn, struct router_response *response);

#endif
