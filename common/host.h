/*
 * host.h -- drives one core as a process over ZeroMQ.
 *
 *   wait -> drain <= 256 messages into the core -> turn (durable, advance) -> send -> again
 *
 * The service manager is told READY=1 when the process listens and its files are open; that it
 * serves depends on others (a node needs the coordinator, a router a graph), and is told as STATUS.
 * With http_listen it answers GET on /healthz, /readyz, /metrics and /debug/...: hostpage.h.
 * Any facade of the shape X_message, X_turn, X_deadline fits. A fatal error of a turn ends the
 * process; restarting it is the service manager's business. At a signal to end, the core may give
 * away what it is needed for, for HOST_LEAVE_MS or until a second signal.
 *
 * Shell. Limits: HOST_DRAIN messages a turn; a turn of more than HOST_SLOW_MS is counted.
 */
#ifndef COMMON_HOST_H
#define COMMON_HOST_H

#include "common/conf.h"
#include "common/daemon.h"
#include "common/httpd.h"
#include "common/keys.h"
#include "common/log.h"
#include "common/loop.h"
#include "common/outbox.h"
#include "common/served.h"
#include "common/stats.h"
#include "common/transport.h"

enum { HOST_DRAIN = 256, HOST_SLOW_MS = 50, HOST_LEAVE_MS = 3000 };

struct host_core {
    void *core;
    void (*message)(void *core, uint64_t now_ms, const struct message *message, struct outbox *out);
    int (*turn)(void *core, uint64_t now_ms, struct outbox *out, struct error *err);
    uint64_t (*deadline)(const void *core);
    bool (*is_ready)(const void *core);
    /* A caller that will not be heard of again; may be null, as all that follow. */
    void (*gone)(void *core, uint64_t now_ms, peer_id peer, struct outbox *out);
    /* The process is to end: what others have to take over is given away, until it says true. Asked
     * after each turn; may be null. */
    bool (*leave)(void *core);
    /* Whether it does all that it is there for, with a line for each reason why or why not. */
    bool (*readiness)(const void *core, struct bytes *out);
    /* Families of its own (metrics.h). */
    void (*metrics)(void *core, struct bytes *out);
    /* Its inside, for people. */
    void (*dump)(const void *core, struct bytes *out);
};

/* Where a peer can be called now; null: not known. */
typedef const char *(*host_address_fn)(void *ctx, peer_id peer);

struct host_options {
    const char *program; /* "shardd": area of log lines. */
    enum peer_role role;
    uint32_t node;
    const char *cluster;     /* Its name; the id is a hash of it. */
    const char *data_dir;    /* Null: none. */
    const char *keys_dir;    /* Null or empty: no keys, all is plain text. */
    bool is_insecure;        /* Plain text is allowed beyond this machine. */
    const char *http_listen; /* "127.0.0.1:7180"; null or empty: no pages. */
    size_t plane_count;
    const struct transport_plane *planes;
    enum log_level log_level;
};

struct host {
    struct host_core core; /* Set before host_run, as the next two. */
    host_address_fn address;
    void *address_ctx;
    const char *program;
    uint64_t boot;
    uint64_t cluster_id;
    bool was_ready;
    struct loop loop;
    struct daemon_folder folder;
    struct transport *transport;
    struct keys keys;
    struct outbox out;
    struct httpd httpd;
    struct stats stats;
    struct served served;
    struct log log;
};

uint64_t host_cluster_id(const char *cluster);
/* The address of a coordinator: the first of the list is number 1. */
const char *host_coordinator(const struct conf_list *coordinators, peer_id peer);
/* 1, 2, 3 ...: the numbers of coordinators. */
const uint32_t *host_coordinator_numbers(void);
/* Keeps the texts of options. Returns E_OK, E_CONFIG (folder of another cluster), E_IO (address or
 * folder in use). */
int host_new(struct host **host, const struct host_options *options, struct error *err);
void host_free(struct host **host);
/* Sends what the core wants sent. */
void host_send(struct host *host, uint64_t now_ms);
/* Until a signal to end comes. Returns E_OK or the fatal error of the core. */
int host_run(struct host *host, struct error *err);
/* One turn without the waiting, for hosts with a loop of their own. Sends what the core wants. */
int host_turn(struct host *host, uint64_t now_ms, struct error *err);
/* Exit status of a process: 0, 1, or 2 if the configuration is at fault; says why on standard
 * error. */
int host_status(const char *program, const struct error *err);

#endif
