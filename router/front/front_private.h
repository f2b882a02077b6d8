/*
 * front_private.h -- the insides of struct front, for the files of this folder.
 */
#ifndef ROUTER_FRONT_FRONT_PRIVATE_H
#define ROUTER_FRONT_FRONT_PRIVATE_H

#include "router/front/conn.h"

struct front {
    struct front_options options;
    int epoll; /* Descriptors plus 1, so that all zero is closed. */
    int listener;
    bool is_listening;    /* It is in the epoll set. */
    uint64_t listen_ms;   /* Else: again from then on. */
    uint64_t sweep_ms;    /* Times of connections are checked next. */
    uint64_t now_ms;      /* Of this turn. */
    uint64_t refused_ms;  /* A refusal was logged. */
    struct map by_client; /* client -> struct conn *, as a number. */
    struct conn *conns;   /* All that are not dead. */
    struct conn *woken, *woken_last; /* Those that have their turn before we sleep, in order. */
    struct conn *dead;    /* Freed at the end of the turn. */
    uint32_t count;       /* Of conns, without those that linger. */
    uint32_t lingering_count;
    uint32_t websocket_count;
    int takes_left;    /* Requests and messages that this turn may still take. */
    size_t held_bytes; /* Of requests that are not whole. */
    size_t out_bytes;  /* Of answers that wait. */
    uint8_t room[CONN_READ_MAX];
};

#endif
