/*
 * roster.h -- bodies of the messages between shard nodes and coordinators: who is there, who holds
 * what.
 *
 * NODE_REGISTER   struct roster_status: at each start of a node, until it is answered by a
 * NODE_CONFIG
 * NODE_STATUS     the same: the heartbeat. Answered by a NODE_CONFIG, or REFUSED: E_NOT_LEADER (ask
 *                 another coordinator), E_NOT_FOUND (register first), E_EXISTS (another process
 *                 has this node's number and lives)
 * NODE_CONFIG     struct roster_config: the map if it is newer than the one told; also pushed on
 * change
 *
 * Pure. Decoded texts borrow from the input; lists are in the arena. Limits: SHARDMAP_SHARDS_MAX
 * replicas.
 */
#ifndef COMMON_ROSTER_H
#define COMMON_ROSTER_H

#include "common/arena.h"
#include "common/reader.h"

/* Why a replica is not served: its node found the file so when it opened it. */
enum roster_suspect {
    ROSTER_SOUND = 0,
    ROSTER_MISSING = 1, /* There was a file once. */
    ROSTER_DAMAGED = 2, /* SQLite or the store refused it. */
    ROSTER_STALE = 3,   /* It is behind what this replica had applied before: an old copy. */
    ROSTER_AHEAD = 4    /* It has promised this epoch already: the coordinators have lost theirs. */
};

struct roster_replica {
    uint32_t shard;
    uint64_t epoch; /* In force; 0: not serving. */
    uint64_t applied;
    uint64_t schema_version;
    uint64_t file_bytes;
    uint64_t vertices;
    uint64_t edges; /* Counted at their out halves. */
    enum roster_suspect suspect;
};

/* What the coordinators know that a replica had applied; a file with less is an old copy. */
struct roster_floor {
    uint32_t shard;
    uint64_t applied;
};

struct roster_status {
    uint32_t node;
    uint64_t boot;
    uint64_t map_version; /* In force; 0: none. */
    struct slice address;
    uint32_t replica_count;
    const struct roster_replica *replicas;
};

struct roster_config {
    uint64_t term;        /* Of the coordinator that says so. */
    uint64_t map_version; /* The newest. */
    uint32_t shard_next;  /* Shards below were created: one that is not in the map was dropped. */
    struct slice map;     /* Empty: what was told is the newest. */
    uint32_t floor_count; /* With a map: of the shards that the node leads. */
    const struct roster_floor *floors;
};

void roster_status_encode(struct bytes *out, const struct roster_status *status);
int roster_status_decode(struct slice body, struct arena *arena, struct roster_status *status,
                         struct error *err);
void roster_config_encode(struct bytes *out, const struct roster_config *config);
int roster_config_decode(struct slice body, struct arena *arena, struct roster_config *config,
                         struct error *err);

#endif
