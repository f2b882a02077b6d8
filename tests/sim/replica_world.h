/*
 * replica_world.h -- three replicas of one shard, a coordinator that is an atomic register, and
 * clients, on one seeded network: a host for shardd/replica/replication.h without SQLite, items or
 * locks.
 *
 *   clients --> hosts: core, journal in memory, disk that syncs later
 *                 ^ |
 *        APPEND.. | | BEAT, ALTER, HANDED         loss, copies, delay, one-way cuts
 *                 | v
 *              coordinator
 *
 * A host does what the shell does: carries out effects in order, fills APPENDs with entries as they
 * were encoded once, applies what is committed, answers clients. A crash keeps some of what was not
 * synced. What may never happen is checked where it would happen (world_fault), histories at the
 * end (replica_check.h).
 *
 * Units: microseconds. Nodes are 1 to 3.
 */
#ifndef TESTS_SIM_REPLICA_WORLD_H
#define TESTS_SIM_REPLICA_WORLD_H

#include "common/bytes.h"
#include "common/heap.h"
#include "common/prng.h"
#include "shardd/replica/append.h"
#include "shardd/replica/replication.h"

enum {
    WORLD_COORD = 0,
    WORLD_NODES = 3,
    WORLD_CLIENTS = WORLD_NODES + 1,
    WORLD_PLACES,
    WORLD_ENTRIES_MAX = 4096,
    WORLD_EPOCHS_MAX = 1024,
    WORLD_MS = 1000
};

enum world_kind {
    /* Over the network. */
    WORLD_APPEND,
    WORLD_ACK,
    WORLD_NACK,
    WORLD_RELEASE,
    WORLD_SNAPSHOT,
    WORLD_CONFIG,
    WORLD_BEAT,
    WORLD_ALTER,
    WORLD_HANDOVER,
    WORLD_HANDED,
    WORLD_WRITE,
    WORLD_READ,
    WORLD_DONE,
    /* Of a host, or the world. */
    WORLD_SYNC,
    WORLD_APPLY,
    WORLD_TIMER,
    WORLD_TICK_COORD,
    WORLD_CLIENT_TURN,
    WORLD_NEMESIS
};

struct world_event {
    enum world_kind kind;
    uint32_t from, to;
    uint64_t run; /* Of the host that it is for: SYNC, APPLY, TIMER. */
    uint64_t boot;
    uint64_t epoch, cfgver, index, seq, hash;
    uint32_t op;
    uint32_t node;
    bool is_suspect;
    struct nodeset set;
    uint64_t boots[NODESET_MAX];
    struct replication_config config;
    struct bytes body;
};

struct world_entry {
    uint64_t epoch;
    uint64_t value; /* 0: a NOOP. */
};

/* A PERSIST that is not on disk. */
struct world_persist {
    uint64_t seq, truncate, from, to, promise;
    bool has_granted;
    struct world_entry *entries;
};

struct world_disk {
    uint64_t base, base_epoch, last;
    uint64_t applied, hash;
    uint64_t promised;
    bool has_granted;
    struct world_entry entries[WORLD_ENTRIES_MAX]; /* By index. */
};

struct world_wait {
    uint32_t op;
    uint64_t index;
};

struct world_host {
    uint32_t node;
    bool is_up;
    bool is_suspect; /* Its disk was lost; in sync it is so no more. A start does not forget it. */
    uint64_t run;
    uint64_t boot;
    double rate;
    uint64_t paused_until, slow_until, full_until;
    struct replication core;
    struct replication_effects effects;
    struct world_disk disk;
    struct world_entry journal[WORLD_ENTRIES_MAX]; /* In memory. */
    uint64_t applied, hash;
    struct world_persist *persists;
    size_t persist_count, persist_room;
    bool is_syncing;
    uint64_t sync_run;
    bool is_applying;
    uint64_t beat_at;
    uint64_t promised_told; /* The highest promise that it has answered under. */
    struct world_wait *waits;
    size_t wait_count, wait_room;
};

struct world_coord {
    struct replication_config config;
    struct nodeset elr;
    uint64_t boots[WORLD_NODES + 1]; /* As registered. */
    uint64_t heard[WORLD_NODES + 1];
    uint64_t durable[WORLD_NODES + 1];
    uint64_t told_at;
    uint64_t said; /* Configuration version, when verbose. */
};

struct world_op {
    bool is_write, is_done;
    uint64_t value;
    uint64_t invoked, returned;
    uint64_t position, hash;
};

struct world_counters {
    uint64_t writes, reads, failovers, elr_elections, shrinks, grows, truncations, snapshots;
    uint64_t handovers, reloads, crashes, wipes, replicas_added, replicas_removed, messages;
    uint64_t boots_refused;
};

/* What a seed decides. */
struct world_nature {
    uint32_t replicas, min_insync;
    uint64_t delay_us, late_us; /* Of messages; of second copies. */
    double loss, copies;
    uint64_t sync_us, fault_us, think_us;
    uint64_t append_bytes, window_bytes;
    uint64_t
        journal_max;  /* Entries kept after applying; 0: as long as somebody may ask for them. */
    double full_disk; /* That a sync fails. */
    uint64_t load_us;
};

struct world {
    uint64_t seed, now, order;
    struct prng prng;
    struct world_nature nature;
    struct heap heap;
    bool is_healed, is_verbose;
    bool cut[WORLD_PLACES][WORLD_PLACES];
    struct world_host hosts[WORLD_NODES + 1]; /* [0] is not used. */
    struct world_coord coord;
    struct world_op *ops;
    uint32_t op_count, op_room;
    uint64_t value_last;
    /* What is committed, for all time. */
    struct world_entry final[WORLD_ENTRIES_MAX];
    uint64_t final_hash[WORLD_ENTRIES_MAX];
    uint64_t final_last;
    struct {
        uint32_t node;
        uint64_t boot;
    } leaders[WORLD_EPOCHS_MAX];
    uint32_t wiped; /* Node that is not in sync again; 0: none. */
    uint64_t fingerprint;
    struct world_counters counters;
    struct bytes why; /* The first fault; empty: none. */
};

/* ---- the world ---- */

/* Notes a violation; the run ends. */
void world_fault(struct world *world, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
bool world_is_good(const struct world *world);
void world_say(struct world *world, const char *format, ...) __attribute__((format(printf, 2, 3)));
struct world_event *world_event_new(enum world_kind kind, uint32_t from, uint32_t to);
/* Takes the event. */
void world_schedule(struct world *world, uint64_t at, struct world_event *event);
/* Over the network; takes the event. */
void world_send(struct world *world, struct world_event *event);
bool world_chance(struct world *world, double probability);
uint64_t world_below(struct world *world, uint64_t bound);
uint64_t world_hash(uint64_t hash, const struct world_entry *entry);

/* ---- hosts (replica_host.c) ---- */

void host_boot(struct world *world, struct world_host *host);
void host_crash(struct world *world, struct world_host *host);
void host_wipe(struct world *world, struct world_host *host);
void host_handle(struct world *world, struct world_host *host, struct world_event *event);
void host_close(struct world_host *host);
/* When verbose. */
void host_say(struct world *world, const struct world_host *host);

/* ---- the coordinator (replica_coord.c) ---- */

void coord_init(struct world *world);
void coord_handle(struct world *world, struct world_event *event);
void coord_tick(struct world *world);
void coord_handover(struct world *world);
/* Adds or removes a replica. */
void coord_resize(struct world *world);

#endif
