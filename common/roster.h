/*
 * roster.h -- bodies of the messages between shard nodes and coordinators: who is there, who holds
 * what, who is in sync, who is to lead.
 *
 * NODE_REGISTER        struct roster_status: at each start of a node, until it is answered by a
 *                      NODE_CONFIG
 * NODE_STATUS          the same: the heartbeat. Answered by a NODE_CONFIG, or REFUSED: E_NOT_LEADER
 *                      (ask another coordinator), E_NOT_FOUND (register first), E_EXISTS (another
 *                      process has this node's number and lives), E_CONFIG (its folder is of
 *                      another incarnation of the cluster)
 * NODE_CONFIG          struct roster_config: the map if it is newer than the one told; also pushed
 *                      on change. The map has the whole configuration of each replica (shardmap.h)
 *                      and the addresses of its peers
 * SHARD_ALTER          struct roster_alter, from a primary: another isr. Repeated unchanged until a
 *                      configuration with a higher cfgver is in force. Answered by a NODE_CONFIG
 *                      (accepted, or too late: the map says which), or REFUSED: E_INVALID (it never
 *                      will be), E_NOT_LEADER
 * SHARD_HANDOVER       struct roster_handover, to a primary: let the target lead. It takes no new
 *                      work, waits until all of the isr have all of its journal, then confirms.
 *                      When within_ms have passed under the same epoch it goes on as before,
 *                      confirmed or not: a switch that comes later is like any fail-over
 * SHARD_HANDOVER_DONE  the same body, back: it is idle. Answered by a NODE_CONFIG: with a higher
 *                      epoch the target leads, with the same one it goes on as before
 *
 * Pure. Decoded texts borrow from the input; lists are in the arena. Limits: SHARDMAP_SHARDS_MAX
 * replicas.
 * After: reference/replication.md 2.4.
 */
#ifndef COMMON_ROSTER_H
#define COMMON_ROSTER_H

#include "common/arena.h"
#include "common/nodeset.h"
#include "common/reader.h"
#include "common/shardmap.h"

/* Why a replica is not served: its node found the file so when it opened it. */
enum roster_suspect {
    ROSTER_SOUND = 0,
    ROSTER_MISSING = 1, /* There was a file once. */
    ROSTER_DAMAGED = 2, /* SQLite or the store refused it. */
    ROSTER_STALE = 3,   /* It is behind what this replica had applied before: an old copy. */
    ROSTER_AHEAD = 4,   /* It has promised this epoch already: the coordinators have lost theirs. */
    ROSTER_FOREIGN = 5  /* It is of another cluster, incarnation, shard or format. */
};

enum { ROSTER_WEIGHT = 100 /* Of a node that says nothing else. */ };

struct roster_replica {
    uint32_t shard;
    enum shardmap_role role;
    uint64_t epoch; /* Primary: served under; others: promised. 0: not in force. */
    uint64_t applied;
    uint64_t last;        /* Index of the last durable entry of the journal. */
    uint64_t last_epoch;  /* Its epoch. */
    uint64_t lag_entries; /* Behind the primary, as far as it was told; 0 at the primary. */
    uint64_t lag_bytes;
    uint64_t schema_version;
    uint64_t file_bytes;
    uint64_t vertices;
    uint64_t edges; /* Counted at their out halves. */
    enum roster_suspect suspect;
    uint64_t resigned; /* Epoch that it was to lead under and will not; 0: none. */
    bool is_partial;   /* Built anew, and not in sync since: it may lack what it once held. */
    bool is_full;      /* Its disk was full a moment ago: what is to be appended is refused. */
};

/* What the coordinators know that a replica had durable: its primary had applied it while it was in
 * sync. A file with less is an old copy. */
struct roster_floor {
    uint32_t shard;
    uint64_t applied;
};

struct roster_status {
    uint32_t node;
    uint64_t boot;
    uint64_t incarnation; /* Of the cluster that the node's folder belongs to; 0: none yet. */
    uint64_t map_version; /* In force; 0: none. */
    struct slice address;
    struct slice zone; /* At most SHARDMAP_ZONE_MAX bytes; empty: none. */
    uint32_t weight;   /* Share of the replicas that it is given, relative to other nodes. */
    bool is_leaving;   /* It is about to end: its primaries are to be handed over. */
    uint32_t replica_count;
    const struct roster_replica *replicas;
};

struct roster_config {
    uint64_t term;        /* Of the coordinator that says so. */
    uint64_t incarnation; /* Of the cluster: never 0. */
    uint64_t map_version; /* The newest. */
    uint32_t shard_next;  /* Shards below were created: one that is not in the map was dropped. */
    struct slice map;     /* Empty: what was told is the newest. */
    uint32_t floor_count; /* With a map: of the shards that the node is in sync for. */
    const struct roster_floor *floors;
};

/* Refers to the configuration (epoch, cfgver) that its sender has in force. */
struct roster_alter {
    uint32_t shard;
    uint32_t node; /* The primary, and its boot. */
    uint64_t boot;
    uint64_t epoch;
    uint64_t cfgver;
    struct nodeset isr;          /* Wanted; the primary is in it. */
    uint64_t boots[NODESET_MAX]; /* Of each of them, whose journal is known to be complete. */
};

struct roster_handover {
    uint32_t shard;
    uint32_t node; /* The primary, and its boot. */
    uint64_t boot;
    uint64_t epoch;
    uint32_t target;    /* Who is to lead: of the isr. */
    uint32_t within_ms; /* Since it came; 0 in SHARD_HANDOVER_DONE. */
};

void roster_status_encode(struct bytes *out, const struct roster_status *status);
int roster_status_decode(struct slice body, struct arena *arena, struct roster_status *status,
                         struct error *err);
void roster_config_encode(struct bytes *out, const struct roster_config *config);
int roster_config_decode(struct slice body, struct arena *arena, struct roster_config *config,
                         struct error *err);
void roster_alter_encode(struct bytes *out, const struct roster_alter *alter);
int roster_alter_decode(struct slice body, struct roster_alter *alter, struct error *err);
void roster_handover_encode(struct bytes *out, const struct roster_handover *handover);
int roster_handover_decode(struct slice body, struct roster_handover *handover, struct error *err);

#endif
