/*
 * admission.h -- which request has the next place for a query.
 *
 *   request --> a place is free and its client has fewer than its share --> runs
 *          \--> waits behind others of its client --> clients in turn, one request each --> runs
 *
 * So one client that asks for much keeps others waiting for one of its queries at most, and cannot
 * hold all places. A client is a connection (WebSocket, native) or one HTTP exchange.
 *
 * Pure. Limits: queries_max places, client_queries_max of them for one client;
 * ADMISSION_WAITING_MAX requests of one client wait, and query_memory_max bytes of all: then
 * E_LIMIT. A request that has no place by its deadline has timed out.
 */
#ifndef ROUTER_RUN_ADMISSION_H
#define ROUTER_RUN_ADMISSION_H

#include "common/error.h"

#include <stdbool.h>
#include <stdint.h>

struct admission_entry;
struct core_client;
struct request;
struct router;

enum { ADMISSION_WAITING_MAX = 1024 };

/* A client's part; all zero at first. */
struct admission_client {
    struct admission_entry *first, *last; /* Its requests that wait. */
    uint32_t waiting;
    uint32_t running;
    bool is_in_ring;
    struct core_client *next; /* In the ring. */
};

/* The router's; all zero at first. */
struct admission {
    struct core_client *first,
        *last; /* The ring: clients that wait and have less than their share. */
    uint32_t waiting;
    uint64_t bytes;  /* Of requests that wait. */
    uint64_t due_ms; /* None of them is late before; 0: none waits. */
};

/* Takes the request, if E_OK: it runs or waits. Else E_LIMIT. */
int admission_request(struct router *router, struct core_client *client, struct request *request,
                      struct error *err);
/* Gives free places away, and ends what has waited too long. */
void admission_turn(struct router *router);
/* When it wants admission_turn, if no query ends before. */
uint64_t admission_deadline(const struct router *router);
/* A query of the client has its place; gives it back. The client may have gone. */
void admission_began(struct router *router, uint64_t client);
void admission_ended(struct router *router, uint64_t client);
/* Drops what waits. */
void admission_client_close(struct router *router, struct core_client *client);

#endif
