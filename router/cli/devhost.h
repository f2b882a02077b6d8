/*
 * devhost.h -- the processes of a cluster in one: coordinator, shard nodes and a router, each a
 * facade with its end of the memory between them.
 *
 *   exchange: each end takes its messages, has its turn, and what it sends is delivered, until
 *   nothing is left
 *
 * A shard node may be killed (its files stay, as after kill -9), paused (it takes nothing and says
 * nothing, while time goes on) and started again (a new boot). So a fail-over can be watched.
 *
 * Folders: DIR/coordinator; DIR/shards, DIR/shards-2, DIR/shards-3 ... of the nodes.
 *
 * Shell. Limits: DEVHOST_NODES_MAX nodes; DEVHOST_STARTS_MAX starts of nodes in one process.
 */
#ifndef ROUTER_CLI_DEVHOST_H
#define ROUTER_CLI_DEVHOST_H

#include "common/host.h"
#include "common/memory.h"
#include "coordinator/coordinator_core.h"
#include "shardd/shardd_core.h"

enum { DEVHOST_NODES_MAX = 16, DEVHOST_STARTS_MAX = 1000 };

/* One facade and its end of the memory. */
struct devhost_end {
    struct host_core core;
    size_t place;
    struct outbox out;
    bool is_running;
    bool is_paused;
};

struct devhost_options {
    const char *data;
    uint32_t nodes;
    bool is_sync;
    struct log *log;
};

struct devhost {
    struct devhost_options options;
    uint64_t cluster_id;
    struct memory memory;
    struct arena arena; /* Names of folders. */
    struct coord *coord;
    struct node *nodes[DEVHOST_NODES_MAX];
    struct devhost_end coordinator, router;
    struct devhost_end shards[DEVHOST_NODES_MAX];
    uint32_t starts;
};

/* How many nodes the folder has; 0: it is new. */
uint32_t devhost_count(const char *data);
/* Keeps the texts of options. Opens the coordinator and all nodes. */
int devhost_open(struct devhost *host, const struct devhost_options *options, struct error *err);
void devhost_close(struct devhost *host);
/* The router's facade joins; what it sends goes into host->router.out. */
void devhost_router(struct devhost *host, const struct host_core *core, uint64_t boot);

/* Faults. E_NOT_FOUND: no such node; E_INVALID: it is not in the state for it. */
int devhost_kill(struct devhost *host, uint32_t node, struct error *err);
int devhost_pause(struct devhost *host, uint32_t node, struct error *err);
/* Goes on after a pause, or starts again after a kill. */
int devhost_restart(struct devhost *host, uint32_t node, struct error *err);

/* Messages go round until none is left, or others want to be served. */
int devhost_exchange(struct devhost *host, struct error *err);
bool devhost_has_input(const struct devhost *host);
uint64_t devhost_deadline(const struct devhost *host);

#endif
