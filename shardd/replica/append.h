/*
 * append.h -- bodies of the messages between the replicas of a shard.
 *
 * APPEND          primary -> all: varint epoch, cfgver, prev_index, prev_epoch, commit, ts, count;
 *                 then the entries prev_index + 1 and on, each as it was encoded once, for the
 *                 journal and for every replica: varint epoch, u8 kind, blob body
 * APPEND_ACK      varint epoch, match, ts: all up to match is durable here, and as there; a lease
 * APPEND_NACK     varint epoch promised here, hint, ts: look for agreement at hint
 * RELEASE         varint epoch, 0, 0: its primary has stopped, its leases are over
 * SNAPSHOT_OFFER  primary -> learner: varint id, index, epoch of the last applied entry, file
 *                 bytes, bytes of a chunk
 * SNAPSHOT_GET    learner -> primary: varint id, first chunk, count of chunks
 * SNAPSHOT_CHUNK  the answer, one per chunk: varint id, number, u32 crc32c of the data, blob data
 *
 * A learner asks for the next chunks when those before have come, so the transfer is throttled by
 * who receives it, and goes on after a break where it stopped.
 *
 * Pure. Decoded entries and data point into the input.
 * Limits: APPEND_ENTRIES_MAX entries, APPEND_CHUNK_MAX bytes of a chunk, APPEND_CHUNKS_MAX chunks
 * asked for at once.
 */
#ifndef SHARDD_REPLICA_APPEND_H
#define SHARDD_REPLICA_APPEND_H

#include "common/arena.h"
#include "shardd/store/store.h"

enum {
    APPEND_ENTRIES_MAX = 65536,
    APPEND_CHUNK_MAX = 1 << 20,
    APPEND_CHUNKS_MAX = 4,
    APPEND_ENTRY_BYTES_MIN = 3
};

struct append {
    uint64_t epoch;
    uint64_t cfgver;
    uint64_t prev_index;
    uint64_t prev_epoch;
    uint64_t commit;
    uint64_t ts; /* The sender's clock, microseconds. */
    uint32_t count;
    const struct store_entry *entries; /* Decoded. */
    const uint64_t *epochs;            /* Of each; for replication.h. */
};

/* One entry, without its index: it follows from its place. */
void append_entry_encode(struct bytes *out, const struct store_entry *entry);
/* entries: count times append_entry_encode. append->entries is not looked at. */
void append_encode(struct bytes *out, const struct append *append, struct slice entries);
/* E_MALFORMED; epochs that fall, an epoch or kind 0, and indexes that overflow are. */
int append_decode(struct slice body, struct arena *arena, struct append *append, struct error *err);

struct append_reply {
    uint64_t epoch;
    uint64_t index;  /* Match or hint. */
    uint64_t ts;     /* Of the APPEND. */
    bool is_leaving; /* Its process is about to end. */
};

void append_reply_encode(struct bytes *out, const struct append_reply *reply);
int append_reply_decode(struct slice body, struct append_reply *reply, struct error *err);

struct append_offer {
    uint64_t id; /* Of the copy; unique at the sender. */
    uint64_t index;
    uint64_t epoch;
    uint64_t file_bytes;
    uint32_t chunk_bytes; /* All chunks but the last one. */
};

void append_offer_encode(struct bytes *out, const struct append_offer *offer);
int append_offer_decode(struct slice body, struct append_offer *offer, struct error *err);

struct append_get {
    uint64_t id;
    uint64_t first;
    uint32_t count;
};

void append_get_encode(struct bytes *out, const struct append_get *get);
int append_get_decode(struct slice body, struct append_get *get, struct error *err);

struct append_chunk {
    uint64_t id;
    uint64_t number;
    struct slice data;
};

/* Computes the checksum. */
void append_chunk_encode(struct bytes *out, const struct append_chunk *chunk);
/* E_MALFORMED, also if the checksum is another one. */
int append_chunk_decode(struct slice body, struct append_chunk *chunk, struct error *err);

#endif
