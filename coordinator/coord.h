/*
 * coord.h -- facade of a coordinator: Raft, the cluster's state, two-phase commit, without clock or
 * socket.
 *
 *   messages drained -> coord_message (up to 256) -> coord_turn: one commit of the Raft log for all
 *   that arrived, then what was applied is answered. The host sends the outbox after each call, in
 *   order.
 *
 * What the host calls: nodes as PEER_NODE(PEER_SHARDD, node), at the address that coord_address
 * gives; other coordinators as PEER_NODE(PEER_COORDINATOR, id). Replies go back to the caller's
 * peer.
 *
 * Crash: kill it at any point; coord_open on the same folder goes on from what was durable.
 * Shell: SQLite file `coordinator.db` in data_dir. One thread.
 * Units: now_ms is a monotonic clock of the host's.
 */
#ifndef COORDINATOR_COORD_H
#define COORDINATOR_COORD_H

#include "common/outbox.h"

struct log;

struct coord;

struct coord_options {
    uint32_t node;       /* Number of this coordinator, from 1. */
    uint64_t boot;       /* Random, not 0, another one at each start of the process. */
    uint64_t seed;       /* Of all randomness (election time-outs). */
    uint64_t cluster_id; /* A file of another cluster is refused. */
    const char *data_dir;
    const char *vfs;              /* SQLite VFS; null: the default. */
    const uint32_t *coordinators; /* All voters, this one included. */
    uint32_t coordinator_count;
    bool is_sync;              /* durability = "sync". */
    uint32_t election_ms;      /* Raft; 0: 300. */
    uint32_t heartbeat_ms;     /* Raft; 0: 50. */
    uint32_t txn_ms;           /* A transaction not prepared by then is aborted; 0: 5,000. */
    uint32_t silence_ms;       /* A node silent for longer counts as down; 0: 1,000. */
    uint32_t snapshot_entries; /* Raft log entries between snapshots; 0: 10,000. */
    uint32_t replicas_max;     /* Of a shard, that operators may ask for; 0: see coord.c. */
    struct log *log;           /* May be null. */
};

/* Keeps the texts and lists of options until coord_close.
 * Returns E_OK, E_CONFIG (a file of another cluster or format), E_CORRUPT, E_IO. */
int coord_open(struct coord **coord, const struct coord_options *options, struct error *err);
void coord_close(struct coord **coord);
/* The message is borrowed for the call. */
void coord_message(struct coord *coord, uint64_t now_ms, const struct message *message,
                   struct outbox *out);
/* Commits, applies, answers. An error (E_IO, E_CORRUPT) is fatal: the host ends the process. */
int coord_turn(struct coord *coord, uint64_t now_ms, struct outbox *out, struct error *err);
/* When coord_turn wants to be called next, if no message comes before. May be past: at once. */
uint64_t coord_deadline(const struct coord *coord);
/* Leads, and has applied its own term's no-op. */
bool coord_is_ready(const struct coord *coord);
/* Where a node said that it can be called; null: not known. Valid until the next call. */
const char *coord_address(const struct coord *coord, uint32_t node);
void coord_dump(const struct coord *coord, struct bytes *out);

#endif
