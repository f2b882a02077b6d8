/*
 * conn.h -- what front.c, websocket.c and http.c share: the front's state and its connections.
 *
 * A connection of the router's (its `client`) is a WebSocket, or one HTTP exchange.
 * Internal to router/front.
 */
#ifndef ROUTER_FRONT_CONN_H
#define ROUTER_FRONT_CONN_H

#include <libwebsockets.h>

#include "common/map.h"
#include "router/front/front.h"

enum {
    CONN_WRITE_MAX = 1 << 20, /* A longer message goes out in fragments of this size. */
    CONN_NAME_MAX = 512,      /* Of an origin or host. */
    CONN_WRITES_MAX = 32      /* Messages written in one callback. */
};

enum conn_kind { CONN_WEBSOCKET, CONN_HTTP };

/* A message to a client, waiting; data has LWS_PRE bytes of room in front. */
struct conn_frame {
    struct conn_frame *next;
    bool is_text;
    size_t size;
    size_t sent;
    uint8_t *data; /* LWS_PRE + size bytes. */
};

struct conn {
    enum conn_kind kind;
    struct front *front;
    struct lws *wsi;
    uint64_t client; /* The router's; 0: none. */
    /* WebSocket */
    struct bytes input; /* Fragments of the message so far. */
    bool is_text;
    bool is_choked; /* Not read from. */
    bool is_too_slow;
    struct conn_frame *first;
    struct conn_frame *last;
    size_t queued_bytes;
    /* HTTP */
    struct http_exchange *http;
};

struct front {
    struct front_options options;
    struct lws_context *context;
    struct lws_vhost *vhost;
    struct map by_client; /* client -> struct conn *, as a number. */
    uint32_t websocket_count;
    uint32_t exchange_count; /* HTTP. */
    lws_sorted_usec_list_t timer;
};

/* Of lws's per-connection memory. */
struct conn_slot {
    struct conn *conn;
};

struct conn *conn_new(struct front *front, struct lws *wsi, enum conn_kind kind);
/* Cancels what the client asked for. */
void conn_free(struct conn **conn);
/* Asks the router for a client number, once. */
void conn_register(struct conn *conn);
struct conn *conn_find(const struct front *front, uint64_t client);
/* Whether pages of this origin may call: cors_origins. */
bool conn_allows(const struct front *front, const char *origin);
/* Whether a browser may be at work for another page: an Origin that is not allowed, or, on a
 * loopback address, a Host that only foreign name servers can have led here. */
bool conn_is_foreign(const struct front *front, struct lws *wsi);
/* The URI path without the query, as text; "" if there is none. */
void conn_path(struct lws *wsi, char *path, size_t size);

#endif
