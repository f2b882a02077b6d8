/*
 * conn.h -- one connection of a client: its socket, what has come and what waits to go out.
 *
 *            upgrade
 *   HTTP ---------------> WEBSOCKET
 *    |                        |
 *    +----> ENDING <----------+     what waits still goes out
 *             |
 *             v                     shut for writing; what comes is dropped, for closing with
 *          LINGERING --> DEAD       unread bytes would take the answer from the client
 *
 * A connection is read from while it may ask: not while an HTTP exchange is answered, nor while
 * answers for more than backlog_bytes wait. What was read and cannot be taken yet is `pending`, at
 * most CONN_READ_MAX; the rest waits in the client. Each time a connection has its turn at most
 * CONN_TAKES_MAX requests are taken and CONN_WRITES_BYTES written, then others have theirs.
 *
 * Shell; internal to router/front. Units: milliseconds of loop_now_ms.
 */
#ifndef ROUTER_FRONT_CONN_H
#define ROUTER_FRONT_CONN_H

#include "common/map.h"
#include "router/front/front.h"
#include "common/httpparse.h"
#include "router/front/outq.h"
#include "router/front/stream.h"
#include "router/front/wsframe.h"

enum {
    CONN_READ_MAX = 65536,       /* Bytes read at a time. */
    CONN_WRITES_BYTES = 4 << 20, /* Written at a time, about. */
    CONN_TAKES_MAX = 64,         /* Requests or messages taken at a time. */
    CONN_LINGERING_MAX = 256,    /* More are closed at once. */
    CONN_LINGER_MS = 2000,
    CONN_KEEPALIVE_MS = 60000, /* An HTTP connection between two requests. */
    CONN_RATE_MIN = 10,        /* Bytes a millisecond: who is slower runs out of time. */
    CONN_STALL_MS = 60000      /* And that much longer, for answers. */
};

enum conn_state { CONN_HTTP, CONN_WEBSOCKET, CONN_ENDING, CONN_LINGERING, CONN_DEAD };

/* The request of an HTTP connection that is being taken or answered. */
struct conn_exchange {
    struct bytes body; /* Of the request. */
    enum format format;
    uint8_t id[16];
    bool has_id;
    bool is_running; /* The router has it. */
};

struct conn {
    struct conn *next, *previous; /* Of all that are not dead; of the dead, next alone. */
    struct conn *next_woken;
    bool is_woken;
    enum conn_state state;
    struct front *front;
    struct stream stream;
    bool is_watched;
    uint32_t watched; /* What epoll was asked for. */
    bool is_ended;    /* The client sends nothing more. */
    uint64_t client;  /* The router's; 0: none. */
    struct bytes pending;
    size_t held_bytes; /* Counted in front->held_bytes. */
    struct outq out;
    size_t counted_bytes; /* Of them in front->out_bytes. */
    /* Times */
    uint64_t heard_ms;    /* Bytes came or went. */
    uint64_t begun_ms;    /* The request under way began; 0: there is none. */
    uint64_t begun_bytes; /* Of it. */
    uint64_t out_ms;      /* Something began to wait. */
    uint64_t out_bytes;   /* Went out since. */
    uint64_t end_ms;      /* LINGERING: until then. */
    /* HTTP */
    struct httpparse parse;
    struct conn_exchange http;
    /* WebSocket */
    struct wsframe frame;
    uint32_t open_count; /* Requests without their last answer. */
    bool is_choked;      /* Not read from. */
    bool is_pinged;      /* Since it was heard. */
};

/* Takes the socket. Null: the system refuses it. */
struct conn *conn_new(struct front *front, int fd);
/* Of a dead one. */
void conn_free(struct conn **conn);

/* ---- events ---- */

/* What epoll says. */
void conn_event(struct conn *conn, uint32_t events);
/* The turn of one that was woken: writes what waits, takes what is pending, says what it wants from
 * epoll. */
void conn_advance(struct conn *conn);
/* Ends what takes too long. */
void conn_check_time(struct conn *conn);

/* ---- for http.c and websocket.c ---- */

/* It has its turn before the front sleeps. */
void conn_wake(struct conn *conn);
/* What waits goes out, then it is closed. The client's queries end now. */
void conn_end(struct conn *conn);
/* Closes at once. */
void conn_drop(struct conn *conn);
/* Asks the router for a client number, once. */
void conn_register(struct conn *conn);
/* Cancels what the client asked for. */
void conn_unregister(struct conn *conn);
struct conn *conn_find(const struct front *front, uint64_t client);
/* Of answers, here and in the router. */
size_t conn_waiting_bytes(const struct conn *conn);

#endif
