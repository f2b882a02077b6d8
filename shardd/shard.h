/*
 * shard.h -- facade of a shard node: the replicas of many shards in one process, without a clock or
 * socket.
 *
 *   messages drained -> node_message (up to 256) -> node_turn: one journal commit a shard for all
 *   that arrived, then answers. The host sends the outbox after each call, in order.
 *
 * What the host calls: coordinators as PEER_NODE(PEER_COORDINATOR, id); replies go back to the
 * caller's peer. The node never calls routers or other nodes.
 *
 * Crash: kill it at any point; node_open on the same folder goes on from what was durable.
 * Shell: SQLite files in data_dir, `shard-<number>.db`. One thread.
 * Units: now_ms is a monotonic clock of the host's.
 */
#ifndef SHARDD_SHARD_H
#define SHARDD_SHARD_H

#include "common/outbox.h"

struct log;

struct node;

struct node_options {
    uint32_t node;       /* Number of this node in the cluster, from 1. */
    uint64_t boot;       /* Random, not 0, another one at each start of the process. */
    uint64_t seed;       /* Of all randomness (jitter of repeats). */
    uint64_t cluster_id; /* Files of another cluster are refused. */
    const char *data_dir;
    const char *vfs;     /* SQLite VFS; null: the default. */
    const char *address; /* Where others call this node, "tcp://127.0.0.1:7201"; told to the map. */
    const char *zone;    /* What fails together with it; null or empty: nothing. */
    uint32_t weight;     /* Share of the replicas it is given; 0: ROSTER_WEIGHT. */
    const uint32_t *coordinators; /* Their numbers. */
    uint32_t coordinator_count;
    bool is_sync;                 /* durability = "sync": fsync before each acknowledgement. */
    bool is_old_accepted;         /* A file that is behind what it had applied is served. */
    uint64_t heartbeat_ms;        /* NODE_STATUS; 0: 100. */
    size_t cache_bytes;           /* SQLite's pages, a shard; 0: 16 MiB. */
    size_t adjacency_cache_bytes; /* Decoded runs, a shard; 0: 16 MiB. */
    uint64_t read_rows_turn;      /* Rows that reads may look at in one turn; 0: 200,000. */
    uint64_t turn_us;             /* A turn ends by `micros` after so long; 0: 10,000. */
    uint64_t (*micros)(void);     /* The host's clock; null: turns end by counts alone. */
    uint64_t journal_keep;        /* Journal entries kept behind what is applied; 0: 10,000. */
    struct log *log;              /* May be null. */
};

/* Opens the shards found in data_dir. Keeps the texts and lists of options until node_close.
 * Returns E_OK, E_CONFIG (a file of another cluster or format), E_CORRUPT, E_IO. */
int node_open(struct node **node, const struct node_options *options, struct error *err);
void node_close(struct node **node);
/* The message is borrowed for the call. */
void node_message(struct node *node, uint64_t now_ms, const struct message *message,
                  struct outbox *out);
/* Commits, applies, answers. An error (E_IO, E_CORRUPT) is fatal: the host ends the process. */
int node_turn(struct node *node, uint64_t now_ms, struct outbox *out, struct error *err);
/* When node_turn wants to be called next, if no message comes before. May be past: at once. */
uint64_t node_deadline(const struct node *node);
/* The coordinator knows this process and all its shards are in force. */
bool node_is_ready(const struct node *node);
/* The last node_turn failed for this reason: a replica that was open has to be built anew, and the
 * other replicas tell its answers of before from those after by the boot. The caller closes the
 * node and opens it under another one. */
bool node_must_restart(const struct node *node);
/* The process is about to end: others are to lead its shards, and to go on without it. Returns true
 * if nobody waits for this node any more; until then turns go on. */
bool node_leave(struct node *node);
/* Where another shard node can be called; null: not known. Valid until the next call. */
const char *node_address(struct node *node, uint32_t other);
void node_dump(const struct node *node, struct bytes *out);

#endif
