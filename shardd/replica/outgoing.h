/*
 * outgoing.h -- a primary's snapshot for a replica that lacks entries which are trimmed.
 *
 *   wanted --> copying (some pages per turn) --> offered, again and again --> chunks as they are
 *   asked for --> dropped: its taker has caught up, or asked for nothing for OUTGOING_IDLE_MS
 *
 * One at a time per shard; who needs one meanwhile takes the same copy. While it is there the
 * journal is kept from where the copy ends.
 *
 * Shell of shardd/store/snapshot.h; a part of the replica (replica.h). Limits: OUTGOING_PAGES pages
 * of a turn, APPEND_CHUNKS_MAX chunks per request. A full disk ends the copy; it is begun again
 * when it is wanted again.
 */
#ifndef SHARDD_REPLICA_OUTGOING_H
#define SHARDD_REPLICA_OUTGOING_H

#include "common/message.h"
#include "common/nodeset.h"
#include "shardd/store/snapshot.h"

enum {
    OUTGOING_PAGES = 128,
    OUTGOING_CHUNK_BYTES = 256 << 10,
    OUTGOING_OFFER_MS = 300,
    OUTGOING_IDLE_MS = 30000
};

struct replica;
struct replica_turn;

struct outgoing {
    struct snapshot *copy; /* Null: none. */
    struct nodeset takers;
    bool is_copied;
    uint64_t id;
    uint64_t index, epoch; /* Once it is copied: of the last applied entry in it. */
    uint64_t offer_ms;     /* When it is offered next. */
    uint64_t asked_ms;     /* Last time that it was wanted, or asked for. */
    uint64_t sent_bytes;
};

/* The node needs one. */
void outgoing_want(struct outgoing *outgoing, uint32_t node, uint64_t now_ms);
/* Answers a SNAPSHOT_GET. */
void outgoing_get(struct replica *replica, struct replica_turn *turn,
                  const struct message *message);
/* Copies on, offers, drops. */
int outgoing_turn(struct replica *replica, struct replica_turn *turn, struct error *err);
uint64_t outgoing_deadline(const struct outgoing *outgoing);
/* Index from which the journal is to be kept for it; UINT64_MAX: any. */
uint64_t outgoing_keep(const struct outgoing *outgoing);
void outgoing_close(struct outgoing *outgoing);

#endif
