/*
 * txn.h -- bodies of the messages of transactions (reference: reference/replication.md section 3).
 *
 * What a transaction read is told by the shards themselves: each reply to a READ carries the
 * journal index at which it was read and the *slots* it depends on. A slot is a 16-bit hash of an
 * item (a vertex's existence, its properties, its adjacency of a label, a label's extent, an index
 * range ...). A shard keeps, in memory, the journal index of the last change of each slot, and
 * locks by slot. So a read set is a small set of slots and the index of the first read; validation
 * is "no slot changed since, none is locked". Collisions and restarts (all slots count as changed
 * at start) cause a retry, never a wrong answer. After: Dice, Shalev, Shavit, Transactional Locking
 * II (2006), section 2.1 (striped version locks); Kung, Robinson (1981) for the validation.
 *
 * Pure.
 */
#ifndef COMMON_TXN_H
#define COMMON_TXN_H

#include "common/change.h"

enum {
    TXN_SLOTS = 65536,
    TXN_SLOT_LIST_MAX = 4096, /* More slots than this travel as a bit map of 8 KiB. */
    TXN_SHARDS_MAX = 1024
};

/* What one transaction read from one shard. */
struct txn_readset {
    uint64_t first_index; /* Journal index of the earliest read; 0: nothing was read. */
    uint64_t *bits;       /* TXN_SLOTS bits, or null while the list is enough. */
    uint16_t *slots;      /* Sorted, distinct. */
    uint32_t slot_count;
    uint32_t slot_room;
};

void txn_readset_close(struct txn_readset *set);
void txn_readset_add(struct txn_readset *set, uint16_t slot);
void txn_readset_merge(struct txn_readset *set, const struct txn_readset *other);
bool txn_readset_has(const struct txn_readset *set, uint16_t slot);
/* Calls visit for each slot, ascending. */
void txn_readset_each(const struct txn_readset *set, void (*visit)(void *ctx, uint16_t slot),
                      void *ctx);
void txn_readset_encode(struct bytes *out, const struct txn_readset *set);
void txn_readset_decode(struct reader *reader, struct txn_readset *set);

/* Global transaction id: who leads the coordinators, and a count of that leader. */
struct txn_gtid {
    uint64_t term;
    uint64_t counter;
};

/* Returns <0, 0, >0. */
int txn_gtid_order(struct txn_gtid a, struct txn_gtid b);

enum txn_outcome {
    TXN_COMMITTED = 1,
    TXN_ABORTED = 2,    /* With an error code and text: E_CONFLICT, E_EXISTS, E_NOT_FOUND, ... */
    TXN_WRONG_TERM = 3, /* TXN: `term` is the current one. */
    TXN_WAIT = 4        /* INQUIRE, TXN_STATUS: still running. */
};

/* One shard's part of a transaction. */
struct txn_part {
    uint32_t shard;
    uint64_t epoch;
    struct txn_readset readset;
    struct slice changes; /* varint count, then change_encode each. */
};

/* COMMIT1: sid, seq, low (all below were answered), part. TXN adds term and several parts. */
struct txn_request {
    uint64_t sid;
    uint64_t seq;
    uint64_t
        low_seq;   /* The router's lowest seq without an answer: older outcomes may be forgotten. */
    uint64_t term; /* TXN only: the coordinator term known to the router. */
    uint32_t part_count;
    struct txn_part *parts;
};

/* PREPARE: gtid, watermark, the part. VALIDATE: the same without changes, to any number of shards,
 * each asked by itself; gtid is 0 from a router that only reads. After a decode:
 * txn_readset_close of the part's read set. */
struct txn_prepare {
    struct txn_gtid gtid;
    struct txn_gtid watermark; /* All below are finished and forgotten. */
    uint64_t sid;
    uint64_t seq;
    struct txn_part part;
};

/* COMMIT1_REPLY, TXN_REPLY, PREPARED and VALIDATE_REPLY (outcome COMMITTED = yes), DECIDE,
 * DECIDED (gtid),
 * INQUIRE (gtid), INQUIRE_REPLY, TXN_STATUS (sid, seq). */
struct txn_reply {
    struct txn_gtid gtid;
    uint64_t sid;
    uint64_t seq;
    uint64_t term;
    uint64_t index; /* Journal index of the commit on the shard, for COMMIT1. */
    enum txn_outcome outcome;
    int code;          /* ABORTED: E_CONFLICT, ... */
    struct slice text; /* ABORTED: for people. */
};

void txn_request_encode(struct bytes *out, const struct txn_request *request);
/* Parts are in the arena, change lists point into the input. */
int txn_request_decode(struct slice body, struct arena *arena, struct txn_request *request,
                       struct error *err);
void txn_request_close(struct txn_request *request);
void txn_prepare_encode(struct bytes *out, const struct txn_prepare *prepare);
int txn_prepare_decode(struct slice body, struct txn_prepare *prepare, struct error *err);
void txn_reply_encode(struct bytes *out, const struct txn_reply *reply);
int txn_reply_decode(struct slice body, struct txn_reply *reply, struct error *err);

#endif
