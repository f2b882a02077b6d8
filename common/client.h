/*
 * client.h -- a blocking Gremlin client over WebSocket and GraphBinary, for the command line.
 *
 * One request at a time. Shell: sockets.
 * Limits: an answer's frame is at most CLIENT_FRAME_MAX bytes.
 */
#ifndef COMMON_CLIENT_H
#define COMMON_CLIENT_H

#include <signal.h>

#include "common/arena.h"
#include "common/error.h"
#include "common/value.h"

enum { CLIENT_FRAME_MAX = 256 << 20 };

struct client {
    int fd; /* -1: closed. */
    bool is_open;
    struct bytes input;          /* Read, not yet used. */
    size_t used;                 /* Of input. */
    uint64_t requests;           /* Makes request ids. */
    volatile sig_atomic_t *stop; /* Not null: a non-zero value ends waiting with E_CANCELLED. */
};

struct client_answer {
    int status;           /* Gremlin status code of the last frame. */
    struct value results; /* A LIST of all results, in the arena given. */
    struct slice message; /* Of an error. */
};

/* The router: flag, else CARDEA_ROUTER, else 127.0.0.1:8182. Accepts HOST:PORT and
   ws://HOST:PORT/gremlin. Fills host and port (each at least 256 bytes); E_INVALID for a bad
   form. */
int client_address(const char *flag, char *host, char *port, struct error *err);

/* E_UNAVAILABLE when nobody listens, E_TIMEOUT, E_MALFORMED when it is not a Gremlin server. */
int client_open(struct client *client, const char *host, const char *port, struct error *err);
void client_close(struct client *client);

/* Sends a request and gathers all frames of the answer. Returns E_OK also for
 * an answer that tells an error (see status); E_UNAVAILABLE when the connection broke. */
struct client_call {
    const char *op;
    const char *processor;
    struct value arguments; /* A MAP. */
};

/* The same in two halves: other work may be done while the server works. */
int client_send(struct client *client, const struct client_call *call, struct error *err);
int client_receive(struct client *client, struct arena *arena, struct client_answer *answer,
                   struct error *err);
int client_request(struct client *client, const struct client_call *call, struct arena *arena,
                   struct client_answer *answer, struct error *err);

/* A text to evaluate. */
struct client_query {
    struct slice text;
    const char *source;  /* Traversal source: a graph. */
    const char *session; /* Null: none. */
    uint32_t timeout_ms; /* 0: the server's. */
};

int client_eval(struct client *client, const struct client_query *query, struct arena *arena,
                struct client_answer *answer, struct error *err);

#endif
