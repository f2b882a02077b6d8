/*
 * incoming.h -- a replica that comes as a snapshot from its shard's primary: in the place of the
 * replica while it comes.
 *
 *   SNAPSHOT_OFFER --> the replica is closed, its file deleted --> SNAPSHOT_GET, SNAPSHOT_CHUNK ...
 *     --> all is there and synced --> opened like a file that was found at a start
 *
 * Only a replica that is behind the offer and out of sync takes it, from the primary under whose
 * epoch it is. When nothing comes for INCOMING_IDLE_MS it is given up, and the replica begins
 * empty. What a crash leaves is half a file, which is deleted at the next start.
 *
 * Shell; a part of the node (node.h). Limits: one transfer at a time per node.
 */
#ifndef SHARDD_INCOMING_H
#define SHARDD_INCOMING_H

#include "common/outbox.h"
#include "shardd/store/snapshot.h"

enum { INCOMING_IDLE_MS = 10000, INCOMING_REPEAT_MS = 500 };

struct node;

struct incoming {
    uint32_t shard; /* 0: none. */
    uint32_t from;  /* The primary's node, and its boot. */
    uint64_t from_boot;
    uint64_t id;
    uint64_t epoch; /* Under which it was offered. */
    uint64_t file_bytes;
    uint32_t chunk_bytes;
    uint64_t asked; /* Chunks below have been asked for. */
    uint64_t heard_ms, asked_ms;
    uint64_t began_ms;
    struct snapshot_target *target;
};

/* A SNAPSHOT_OFFER or SNAPSHOT_CHUNK. */
void incoming_message(struct node *node, uint64_t now_ms, const struct message *message,
                      struct outbox *out);
/* Asks again, or gives up. */
void incoming_turn(struct node *node, uint64_t now_ms, struct outbox *out);
uint64_t incoming_deadline(const struct node *node);
void incoming_close(struct node *node);

#endif
