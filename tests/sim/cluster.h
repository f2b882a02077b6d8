/*
 * cluster.h -- the third host of the cores: a coordinator, shard nodes and routers in one
 * thread, with a seeded clock, network (net.h) and disks (vfs.h).
 *
 *   event heap --message--> inbox of a process --turn--> X_message each, X_turn, outbox --net-->
 * event heap
 *
 * Messages are encoded when sent and decoded when they arrive. A process crashes at once, after
 * its messages and before its turn, after a turn with only the first of its messages sent, or in
 * the midst of a write or sync of its disk; by power cut or by kill. It comes back with a new
 * boot id.
 *
 * Deterministic: all from the seed. One cluster at a time (SQLite's list of VFS and its
 * randomness are the process's). Units: microseconds of simulated time; cores get milliseconds
 * of a clock of their own start.
 */
#ifndef TESTS_SIM_CLUSTER_H
#define TESTS_SIM_CLUSTER_H

#include "common/heap.h"
#include "common/map.h"
#include "common/outbox.h"
#include "router/router.h"
#include "tests/sim/net.h"
#include "tests/sim/vfs.h"

enum {
    CLUSTER_ID = 4711,
    CLUSTER_NODES_MAX = 3,
    CLUSTER_ROUTERS = 2,
    CLUSTER_COORDINATOR = 0, /* Numbers of processes. */
    CLUSTER_NODE = 1,        /* The first. */
    CLUSTER_ROUTER = 1 + CLUSTER_NODES_MAX,
    CLUSTER_TOOL = CLUSTER_ROUTER + CLUSTER_ROUTERS,
    CLUSTER_PROCS
};

enum cluster_doom { DOOM_NONE, DOOM_BEFORE_TURN, DOOM_AFTER_TURN, DOOM_DISK };

struct cluster_letter {
    struct bytes bytes; /* As on the wire. */
    peer_id peer;       /* Of the sender, for the receiver. */
};

struct cluster_proc {
    enum peer_role role;
    uint32_t node;
    bool is_there; /* Part of this cluster. */
    void *core;    /* Null: down. */
    uint64_t boot;
    uint32_t end;       /* This life's number: handles of callers. */
    uint64_t offset_ms; /* Of its clock. */
    int64_t rate_ppm;   /* Its clock goes so much faster than the world's. */
    uint64_t paused_us; /* Until then it takes no turn (SIGSTOP). */
    bool is_leaving;    /* It is to end, and gives away first what it leads. */
    uint64_t leave_us;  /* But not longer than until then. */
    uint64_t turn_us;   /* Next turn that is scheduled; UINT64_MAX: none. */
    uint64_t busy_us;   /* Until then it is in a turn. */
    enum cluster_doom doom;
    bool is_cut; /* The last crash was a power cut. */
    struct vfs *disk;
    char vfs_name[16], address[24];
    struct outbox out;
    struct cluster_letter *inbox;
    size_t inbox_count, inbox_room;
};

struct cluster_event;

/* What replicas did: sums of the counters of their cores. */
struct cluster_replication {
    uint64_t elections, shrinks, grows, truncations, snapshots, handovers, contradictions;
};

struct cluster_hooks {
    void *ctx;
    void (*on_answers)(void *ctx, uint32_t proc); /* A router may have responses. */
    void (*on_down)(void *ctx, uint32_t proc);
    void (*on_turn)(void *ctx, uint32_t proc); /* After a turn; not of routers. */
    void (*on_alarm)(void *ctx, uint32_t alarm);
};

struct cluster {
    uint64_t seed, now_us;
    uint64_t start_us; /* Mean time of a start until the first turn; messages wait meanwhile. */
    struct prng prng;
    struct net net;
    struct heap heap;
    struct cluster_event *events;
    uint32_t event_count, event_room, event_free;
    struct cluster_proc procs[CLUSTER_PROCS];
    uint32_t node_count;
    uint32_t *ends; /* Process of each end. */
    uint32_t end_count, end_room;
    struct cluster_hooks hooks;
    uint64_t link_seq;
    uint64_t fingerprint;
    uint64_t crashes, cuts, pauses, leaves, messages, turns;
    struct cluster_replication replication; /* Of all lives of all nodes. */
    struct map decided; /* gtids told as committed: transactions over several shards. */
    bool is_healed;
    uint64_t asked;  /* The tool's last request. */
    bool has_answer; /* The tool's. */
    int answer_code;
    struct error failure; /* A process could not open its files, or the like: a violation. */
    bool is_verbose;
};

void cluster_open(struct cluster *cluster, uint64_t seed, bool is_verbose);
void cluster_close(struct cluster *cluster);
/* Carries out the next event; false: none before the time given (then it is that time). */
bool cluster_step(struct cluster *cluster, uint64_t until_us);
void cluster_alarm(struct cluster *cluster, uint64_t at_us, uint32_t alarm);
/* kill -9 or power cut, at once or at the coming point of doom. */
void cluster_crash(struct cluster *cluster, uint32_t proc, enum cluster_doom doom, bool is_cut);
void cluster_start(struct cluster *cluster, uint32_t proc);
/* It takes no turn until then, and finds the world changed. */
void cluster_pause(struct cluster *cluster, uint32_t proc, uint64_t until_us);
/* SIGTERM: a shard node goes on until it is not needed any more. */
void cluster_leave(struct cluster *cluster, uint32_t proc);
/* All processes up, no faults any more. */
void cluster_heal(struct cluster *cluster);
/* Ends the processes in order; their disks stay. */
void cluster_stop(struct cluster *cluster);
bool cluster_is_ready(const struct cluster *cluster);
/* graph.create; the answer sets has_answer. */
void cluster_ask_graph(struct cluster *cluster, uint32_t shards, uint32_t replicas,
                       uint32_t min_insync);
/* index.create of vertices by label and property; the same. */
void cluster_ask_index(struct cluster *cluster, const char *label, const char *key);
/* The same for others: number of replicas, min_insync (0: by itself); another primary, to 0: any
 * that is in sync. */
void cluster_ask_replicas(struct cluster *cluster, uint32_t replicas, uint32_t min_insync);
void cluster_ask_failover(struct cluster *cluster, uint32_t shard, uint32_t to);
struct router *cluster_router(const struct cluster *cluster, uint32_t proc);
uint64_t cluster_ms(const struct cluster *cluster, uint32_t proc);
/* Sends what calls of the router's own functions have queued, and plans its turn. */
void cluster_send(struct cluster *cluster, uint32_t proc);
struct outbox *cluster_out(struct cluster *cluster, uint32_t proc);
/* Sends the first count of what a process has queued, and drops the rest. */
void cluster_send_some(struct cluster *cluster, uint32_t proc, size_t count);

#endif
