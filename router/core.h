/*
 * core.h -- what router.c, query.c and session.c share: the insides of struct router.
 *
 * Not for others.
 */
#ifndef ROUTER_CORE_H
#define ROUTER_CORE_H

#include "common/map.h"
#include "common/prng.h"
#include "router/remote/remote.h"
#include "router/router.h"
#include "router/run/admission.h"
#include "router/run/plans.h"

struct admin_call;
struct query;
struct router_session;

struct core_client {
    uint64_t client;
    size_t backlog; /* Bytes of frames not yet taken. */
    struct admission_client admission;
};

struct router {
    struct router_options options;
    struct remote *remote;
    struct plans plans;
    struct prng prng;
    uint64_t now_ms;
    struct outbox idle_out; /* For what is dropped outside of calls that bring one. */
    struct map clients;     /* Number -> struct core_client. */
    struct admission admission;
    uint64_t next_client;
    struct query *queries, *queries_last; /* In order of arrival. */
    struct router_session *sessions;
    struct admin_call *admin_calls;
    uint64_t query_last; /* Number of the last one. */
    uint32_t query_count, session_count, admin_count;
    struct router_response *responses; /* Those from response_next on are not taken yet. */
    size_t response_next, response_count, response_room;
    uint64_t backlog_bytes; /* Of responses that are not taken yet. */
    uint64_t front_bytes;   /* router_front_holds. */
    struct router_counters counters;
    struct metrics_histogram times[ROUTER_KINDS];
    struct router_slow slow[ROUTER_SLOW_MAX]; /* The last ones, in a ring. */
    uint64_t slow_count, slow_told;
};

/* Queues a frame for the client, if it is still there. Takes the body. */
void router_respond(struct router *router, const struct request *request, uint64_t client,
                    int status, bool is_last, struct bytes *body);
/* Runs a request, which has its place. Takes the request. arrived_ms: its time counts from then. */
void router_begin(struct router *router, uint64_t client, struct request *request,
                  uint64_t arrived_ms);
/* Queues an error. attributes: a MAP, or null. */
void router_fail(struct router *router, const struct request *request, uint64_t client, int status,
                 const struct error *err, struct slice fail_message);

#endif
