/*
 * admin.h -- requests of the tools for the cluster itself: passed on to who can answer them.
 *
 * op "admin", processor "cardea", args: a verb and its arguments. With "node" they go to that node,
 * with "shard" to the shard's primary, else to the coordinators' leader. The answer is one result,
 * a MAP.
 * Answered by this router: {verb: "query.list"}, {verb: "query.kill", id}: running.h.
 * Other verbs: coordinator/README.md, shardd/README.md.
 *
 * Pure. Limits: ADMIN_CALLS_MAX under way, ADMIN_DEADLINE_MS.
 */
#ifndef ROUTER_RUN_ADMIN_H
#define ROUTER_RUN_ADMIN_H

#include "router/core.h"

enum {
    ADMIN_CALLS_MAX = 64,
    ADMIN_DEADLINE_MS = 60000,        /* Of a shard node. */
    ADMIN_LEADER_DEADLINE_MS = 12000, /* A coordinator gives up after 10 s. */
    ADMIN_STATUS_DEADLINE_MS = 5000,  /* Of status: asked again, of whoever may lead. */
    ADMIN_PATIENCE_MS = 3000 /* For a process whose address is not known yet. */
};

struct admin_call {
    struct remote_request sent;
    struct router *router;
    struct admin_call *next;
    uint64_t client;
    uint64_t patience_ms; /* Until then it is sent again if it could not be sent. */
    struct request request;
};

/* Takes the request. */
void admin_start(struct router *router, uint64_t client, struct request *request);
/* The client has gone. */
void admin_end_client(struct router *router, uint64_t client);
void admin_close(struct router *router);

#endif
