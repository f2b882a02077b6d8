/*
 * router.h -- the router daemon's facade: client requests in, response frames out, messages to
 * shards between.
 *
 * No sockets and no clock inside: fronts (router/front: WebSocket, HTTP, ZeroMQ), `cardea dev` and
 * the simulator call it. Same shape as shardd/shard.h and coordinator/coord.h, plus the clients.
 *
 *   front --request--> router_request --> bytecode --> plan --> operators --> outbox (READ ...)
 * --> shards
 *   front <--router_next_response-- frames <-- results <-- operators <-- router_message
 * (READ_REPLY ...)
 *
 * One thread. Long work yields: router_turn runs each ready query for a bounded slice, so that the
 * front's loop hears pings.
 */
#ifndef ROUTER_ROUTER_H
#define ROUTER_ROUTER_H

#include "common/metrics.h"
#include "common/outbox.h"
#include "common/shardmap.h"
#include "router/wire/request.h"

struct router;

struct router_options {
    uint32_t node;
    uint64_t boot;
    uint64_t cluster_id;
    uint64_t seed;
    uint32_t coordinator_count;
    const uint32_t *coordinators; /* Node numbers. */
    uint32_t deadline_ms;         /* Of a query without one of its own; 30,000. */
    uint64_t query_memory_max;    /* Bytes a query may hold; 256 MiB. */
    uint64_t memory_max;          /* Bytes of all: run/footprint.h; 2,000,000,000. */
    uint64_t turn_budget_us;      /* Of router_turn, by `micros`; 10,000. */
    uint64_t result_max;          /* Results of one request; 10,000,000. */
    uint32_t batch_size;          /* Results a response frame; 64. */
    uint32_t sessions_max;        /* 1,024. */
    uint32_t queries_max;         /* Running at once; 256. */
    uint32_t client_queries_max;  /* Of them for one client; 64, at most queries_max. */
    uint32_t retry_max;           /* Attempts after a conflict; 5. */
    uint64_t slow_ms;             /* From so long on a query is told as slow; 0: none. */
    uint64_t session_idle_ms;     /* A session unused for longer is rolled back; 600,000. */
    uint64_t wall_ms;             /* Wall clock (since 1970) less now_ms: for datetime(). */
    uint64_t (*micros)(void);     /* The host's clock, for profile(); null: it tells no times. */
    /* Plays a fault: node.kill, node.pause, node.restart of the admin door; null: nobody does. */
    int (*play)(void *ctx, struct slice verb, uint32_t node, struct error *err);
    void *play_ctx;
};

int router_open(struct router **router, const struct router_options *options, struct error *err);
void router_close(struct router **router);
void router_message(struct router *router, uint64_t now_ms, const struct message *message,
                    struct outbox *out);
int router_turn(struct router *router, uint64_t now_ms, struct outbox *out, struct error *err);
uint64_t router_deadline(const struct router *router);
/* Has a session id and a map with at least one graph ready. */
bool router_is_ready(const struct router *router);

/* ---- clients ---- */

/* A connection (WebSocket, native) or one exchange (HTTP). */
uint64_t router_client_open(struct router *router);
/* Cancels its queries, rolls back and frees its sessions. */
void router_client_close(struct router *router, uint64_t now_ms, uint64_t client,
                         struct outbox *out);
/* Takes a decoded request (its arena moves into the router). Answers come by router_next_response,
 * errors too. */
void router_request(struct router *router, uint64_t now_ms, uint64_t client,
                    struct request *request, struct outbox *out);

/* Answers a request that could not be decoded (err: of request_decode). Takes the request. */
void router_refuse(struct router *router, uint64_t client, struct request *request,
                   const struct error *err);

struct router_response {
    uint64_t client;
    uint8_t request_id[16];
    int status; /* Gremlin status code: 200, 204, 206, 4xx, 5xx. */
    bool is_last;
    bool is_text; /* A text frame. */
    /* Taken by the caller: bytes_close it. For a request that is_single (HTTP) with an error
     * status: the error's plain text, which the front puts in the form that HTTP clients expect. */
    struct bytes body;
};

/* Gives the next finished response frame; false if there is none now. */
bool router_next_response(struct router *router, struct router_response *response);
/* Bytes of responses of this client not yet taken: the front stops reading from a slow client. */
size_t router_backlog(const struct router *router, uint64_t client);

enum { ROUTER_SLOW_MAX = 16 };

/* A query that took slow_ms or longer: texts for people. */
struct router_slow {
    struct bytes head; /* "query=1-7 request=... ms=1500 attempts=1 kind=read" */
    struct bytes text; /* Of the query. */
    struct bytes plan; /* As explain() tells; empty: it had none. */
    struct bytes ops;  /* "hop out: 12 rows, 3.250 ms, 4 requests (1:2 2:2)", a line each. */
};

/* The next that was not given yet; null: none. Valid until the next call of the router. */
const struct router_slow *router_next_slow(struct router *router);

/* What the front holds of requests and answers: it counts to memory_max. */
void router_front_holds(struct router *router, uint64_t bytes);

struct router_counters {
    uint64_t requests;  /* Taken. */
    uint64_t answers;   /* Last frames with 200 or 204. */
    uint64_t failures;  /* Last frames with another status. */
    uint64_t conflicts; /* Runs that met a conflict. */
    uint64_t unknown;   /* Commits whose outcome is not known. */
    uint64_t ended_for_memory; /* Queries, by memory_max. */
    uint64_t memory;           /* Bytes that memory_max counts, now. */
    uint64_t plans_reused, plans_made;
    uint64_t remote_requests, remote_repeats;
    uint32_t queries; /* Now. */
    uint32_t waiting; /* Requests without a place. */
    uint32_t sessions;
    uint32_t clients;
};

void router_counters(const struct router *router, struct router_counters *counters);

/* What a request was, for its time. */
enum router_kind { ROUTER_READ, ROUTER_WRITE, ROUTER_LOAD, ROUTER_FAILED, ROUTER_KINDS };

const struct metrics_histogram *router_times(const struct router *router, enum router_kind kind);
/* run/running.h: the queries that run; ends one. */
struct value router_queries(const struct router *router, struct arena *arena);
int router_kill(struct router *router, struct slice id, struct error *err);
/* Queries and sessions, for people. */
void router_dump(const struct router *router, struct bytes *out);

/* Current map, for the front's status pages; null before the first. */
const struct shardmap *router_map(const struct router *router);

#endif
