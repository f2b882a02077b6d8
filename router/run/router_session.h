/*
 * router_session.h -- sessions: several requests of one client in one transaction.
 *
 *   request with a new session id -> session, bound to the client's connection
 *     requests run one after the other; reads see the session's own changes
 *     g.tx().commit() -> commit; the next request begins a new transaction
 *   close, end of the connection, idle for too long -> rollback, gone
 *
 * Pure. Limits: sessions_max, session_idle_ms.
 */
#ifndef ROUTER_RUN_ROUTER_SESSION_H
#define ROUTER_RUN_ROUTER_SESSION_H

#include "router/core.h"
#include "router/remote/transaction.h"

struct router_session {
    struct router *router;
    struct router_session *next;
    struct slice name; /* On the heap. */
    uint64_t client;
    uint32_t graph;          /* Of the transaction. */
    struct transaction *txn; /* Null: none begun. */
    struct query *running;   /* The one whose turn it is. */
    uint32_t waiting;        /* Queries that name it, the running one included. */
    uint64_t used_ms;
    bool is_closed; /* Freed when no query names it any more. */
};

/* The session of a request, made if it is new. Null with err: of another client, too many. */
struct router_session *router_session_of(struct router *router, uint64_t client, struct slice name,
                                         struct error *err);
/* Rolls back. It stays for the queries that name it. */
void router_session_end(struct router_session *session);
/* Frees those that are closed and not named, ends idle ones. */
void router_session_sweep(struct router *router);
/* When the next one has been idle for too long; UINT64_MAX: none. */
uint64_t router_session_deadline(const struct router *router);
void router_session_end_client(struct router *router, uint64_t client);

#endif
