/*
 * httpd.h -- a small HTTP server for a daemon's own pages: health, metrics, dumps.
 *
 *   httpd_fd readable --> httpd_turn: accept, read one request, ask the page function, write, close
 *
 * One request a connection, GET and HEAD only. Pages of other sites get nothing (an Origin, or a
 * Host that a foreign name server could give, while it listens on loopback): a browser on the
 * machine may not be made to read them. All of it is one descriptor (epoll) for the host's loop.
 *
 * Shell, one thread. Units: milliseconds of loop_now_ms.
 * Limits: HTTPD_CONNS_MAX connections, then the oldest is closed; HTTPD_REQUEST_MS a request.
 */
#ifndef COMMON_HTTPD_H
#define COMMON_HTTPD_H

#include "common/bytes.h"
#include "common/error.h"

enum { HTTPD_CONNS_MAX = 32, HTTPD_REQUEST_MS = 10000, HTTPD_LISTEN_MAX = 256 };

struct httpd_page {
    int status;       /* 200 unless the function says otherwise. */
    const char *mime; /* Static; text/plain unless the function says otherwise. */
    struct bytes body;
};

/* Writes the page of a path. An unknown path: status 404. */
typedef void (*httpd_page_fn)(void *ctx, struct slice path, struct httpd_page *page);

struct httpd_conn;

struct httpd {
    int epoll; /* Descriptors plus 1, so that all zero is closed. */
    int listener;
    bool is_local;                   /* Listens on loopback. */
    struct httpd_conn *conns, *dead; /* The newest first. */
    size_t count;
    uint64_t requests;
    httpd_page_fn page;
    void *ctx;
};

/* listen: "127.0.0.1:7180", "[::1]:0"; port 0: any free one. Returns E_OK, E_CONFIG (not such a
 * text), E_IO (in use). */
int httpd_open(struct httpd *httpd, const char *listen, httpd_page_fn page, void *ctx,
               struct error *err);
void httpd_close(struct httpd *httpd);
/* Readable when it wants a turn; -1 if it is closed. */
int httpd_fd(const struct httpd *httpd);
/* The port listened on; 0 if it is closed. */
int httpd_port(const struct httpd *httpd);
/* Does what can be done without waiting. */
void httpd_turn(struct httpd *httpd, uint64_t now_ms);
/* Whether only this machine can reach an address of that form. */
bool httpd_is_local(const char *listen);

#endif
