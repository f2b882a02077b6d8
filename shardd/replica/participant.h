/*
 * participant.h -- one shard's side of transactions: who may commit, what is locked, what is in
 * doubt.
 *
 *                       conflict with an unapplied entry
 *                     +--> QUEUED (offered again after APPLIED)
 *   COMMIT1 offered --+--> refused (remembered for the epoch)
 *                     +--> TXN1 appended --COMMITTED--> --APPLIED--> answered
 *
 *                    +--> refused: a conflict with a prepared transaction is never waited for: no
 *                    deadlock
 *   PREPARE offered -+--> QUEUED
 *                    +--> PREPARING --COMMITTED--> PREPARED (voted yes) --DECIDE--> DECIDING
 *                    --APPLIED--> finished
 *                                                   | in doubt > 200 ms: INQUIRE, and again
 *
 * Locks and versions are by slot (common/txn.h): a transaction holds S on what it read and depends
 * on, U on what it updates commutatively, X on what it changes. S-S and U-U are compatible, all
 * else conflicts. A lock is held from append until its entry (TXN1) or its decision (PREPARE) is
 * applied. Versions are journal indexes of the last change, in memory; all slots count as changed
 * at a start.
 *
 * Reads are carried out first and asked about afterwards (READ): a read that saw a slot locked U or
 * X by a prepared transaction waits, at most PARTICIPANT_READ_WAIT_MS. One that has waited for half
 * of that claims the slots it waits for: prepares that would lock them are refused until it is
 * answered or its time is over. So a stream of overlapping prepares starves no reader for longer
 * than that, and a reader holds up prepares for at most the other half.
 *
 * event          effects, in order
 * SCHEMA         APPEND schema
 * COMMIT1        ANSWER | QUEUE | DROP (duplicate) | APPEND txn1
 * PREPARE        ANSWER (no, or yes again) | QUEUE | DROP | APPEND prepare
 * DECIDE         ANSWER (finished before; or no: a commit of what was never prepared) | DROP |
 *                APPEND commit or abort
 * VALIDATE       ANSWER | QUEUE
 * READ           ANSWER (go) | WAIT | ANSWER (conflict)
 * COMMITTED      ANSWER yes of each prepare
 * APPLIED        ANSWER of each commit and decision; queued ones may be offered again
 * LOST           ANSWER no of all that was appended and could not be made durable (disk full)
 * TIMEOUT        INQUIRE
 *
 * crash after               after the restart
 * APPEND, not durable       nothing happened; the sender repeats
 * durable, not answered     TXN1: the session table answers the repeat. PREPARE: the lock is
 * rebuilt, the
 *                           repeated PREPARE gets its yes. COMMIT, ABORT: applied by replay;
 *                           acknowledged
 *
 * Committed: no other journal can take the entry's place. With one replica that is: durable. The
 * core lives as long as the replica is the shard's primary under one epoch: it is rebuilt from the
 * tables when it leads again.
 *
 * Pure. Ownership: events are borrowed for the call; effects are valid until the next one.
 * Units: milliseconds; journal indexes. Limits: PARTICIPANT_PREPARED_MAX.
 * After: reference/replication.md 3.2, 3.3.
 */
#ifndef SHARDD_REPLICA_PARTICIPANT_H
#define SHARDD_REPLICA_PARTICIPANT_H

#include "common/map.h"
#include "common/outcome.h"
#include "shardd/replica/lock.h"
#include "shardd/store/store.h"

enum {
    PARTICIPANT_READ_WAIT_MS = 50,
    PARTICIPANT_CLAIM_MS = 25, /* A reader's wait after which prepares stand back. */
    PARTICIPANT_DOUBT_MS = 200,
    PARTICIPANT_PREPARED_MAX = 4096
};

enum participant_event_kind {
    PARTICIPANT_SCHEMA = 1,
    PARTICIPANT_COMMIT1,
    PARTICIPANT_PREPARE,
    PARTICIPANT_DECIDE,
    PARTICIPANT_VALIDATE,
    PARTICIPANT_READ,
    PARTICIPANT_COMMITTED,
    PARTICIPANT_APPLIED,
    PARTICIPANT_LOST,
    PARTICIPANT_TIMEOUT
};

struct participant_event {
    enum participant_event_kind kind;
    uint64_t now_ms;
    uint64_t token; /* The shell's handle of the request, not 0. */
    uint64_t epoch; /* COMMIT1, PREPARE, VALIDATE: what the sender believes. */
    uint64_t index; /* COMMITTED, APPLIED: up to here. */
    uint64_t sid;   /* COMMIT1, PREPARE. */
    uint64_t seq;
    uint64_t low_seq;
    struct txn_gtid gtid; /* PREPARE, DECIDE. */
    struct txn_gtid watermark;
    bool is_commit; /* DECIDE. */
    bool is_told; /* DECIDE: the answer to an INQUIRE. What is forgotten counts as aborted there. */
    uint64_t since_ms;                 /* READ: when it came. */
    const struct txn_readset *readset; /* COMMIT1, PREPARE, VALIDATE, READ. */
    struct lock_set *locks; /* COMMIT1, PREPARE: of the changes; takes them if it appends. */
    int check;              /* COMMIT1, PREPARE: what the store says about the changes. */
    struct slice check_text;
};

enum participant_effect_kind {
    PARTICIPANT_DO_APPEND = 1, /* Entry `index` of `entry` kind for `token`; DECIDE: of gtid. */
    PARTICIPANT_DO_ANSWER,     /* Answer the request with outcome, code, text, index. */
    PARTICIPANT_DO_QUEUE,      /* Offer again after APPLIED. */
    PARTICIPANT_DO_DROP,       /* A duplicate: forget the request without an answer. */
    PARTICIPANT_DO_WAIT,       /* Read again when no longer blocked, or give up at until_ms. */
    PARTICIPANT_DO_INQUIRE     /* Ask the coordinator about gtid. */
};

struct participant_effect {
    enum participant_effect_kind kind;
    enum store_entry_kind entry;
    uint64_t token; /* 0: entry without a request. */
    uint64_t index;
    uint64_t until_ms;
    struct txn_gtid gtid;
    enum txn_outcome outcome;
    int code;
    struct slice text;
};

struct participant_effects {
    struct participant_effect *items;
    size_t count;
    size_t room;
};

enum participant_state { PREPARED_NOT_COMMITTED, PREPARED_VOTED, PREPARED_DECIDING };

/* One transaction that is prepared here. */
struct participant_prepared {
    struct txn_gtid gtid;
    uint64_t token; /* Who is to get the vote; 0: after a restart. */
    uint64_t index; /* Of the PREPARE entry. */
    uint64_t since_ms;
    uint64_t asked_ms; /* Last INQUIRE. */
    enum participant_state state;
    bool is_commit; /* DECIDING. */
    struct lock_set locks;
};

/* An entry that is appended and not yet applied. */
struct participant_entry {
    uint64_t index;
    enum store_entry_kind kind;
    uint64_t token;
    uint64_t sid;
    uint64_t seq;
    struct txn_gtid gtid;
    struct lock_set locks; /* TXN1. */
};

struct participant_counters {
    uint64_t commits, prepares, committed, aborted, refused, conflicts, queued, waits, inquiries;
    uint64_t contradictions; /* A decision that disagrees with one carried out: never. */
    uint64_t alarms;         /* A commit of what was never prepared here: never. */
};

struct participant {
    uint64_t epoch;   /* That it serves: the epoch's NOOP is applied. */
    uint64_t next;    /* Index of the next entry. */
    uint64_t applied; /* All up to here took effect. */
    struct lock_table locks;
    struct outcome_table sessions;
    struct txn_gtid watermark;
    struct participant_prepared *prepared;
    size_t prepared_count, prepared_room;
    struct map by_gtid;                /* Hash -> place in prepared. */
    bool is_crowded;                   /* Two had the same hash: all are looked at. */
    struct participant_entry *entries; /* By index. */
    size_t entry_count, entry_room;
    struct participant_finished {
        struct txn_gtid gtid;
        bool is_commit;
    } * finished; /* By gtid. Also aborts of what was never prepared, so that it never will be. */
    size_t finished_count, finished_room;
    struct participant_counters counters;
    struct participant_effects *out; /* During an event. */
};

/* last: highest index in the journal, all applied, the NOOP of the epoch included. */
void participant_init(struct participant *p, uint64_t epoch, uint64_t last);
void participant_close(struct participant *p);

/* What was durable before the start; before the first event. Takes the locks. */
void participant_load_prepared(struct participant *p, uint64_t index, struct txn_gtid gtid,
                               struct lock_set *locks);
void participant_load_finished(struct participant *p, struct txn_gtid gtid, bool is_commit);
void participant_load_watermark(struct participant *p, struct txn_gtid watermark);
void participant_load_session(struct participant *p, uint64_t sid, uint64_t seq, uint64_t index);

/* Feeds one event; effects are cleared first. */
void participant_advance(struct participant *p, const struct participant_event *event,
                         struct participant_effects *effects);
/* When it wants a TIMEOUT; UINT64_MAX: never. */
uint64_t participant_deadline(const struct participant *p);
/* Some prepared transaction holds locks: reads have to be asked about. */
bool participant_has_prepared(const struct participant *p);
void participant_effects_close(struct participant_effects *effects);
/* READ, after WAIT: what it waits for is still locked, so reading again would not help. */
/* Such a write would queue: an entry that is not yet applied is in its way. */
/* A session whose router was not heard for so long, with nothing under way; then forgets it. */
bool participant_silent_session(struct participant *p, uint64_t now_ms, uint64_t silence_ms,
                                uint64_t *sid);
void participant_end_session(struct participant *p, uint64_t sid);
bool participant_is_pending(const struct participant *p, const struct lock_set *locks);
bool participant_is_blocked(const struct participant *p, uint64_t token);
/* A waiting read was cancelled. */
void participant_forget(struct participant *p, uint64_t token);
void participant_invariant(const struct participant *p);
void participant_dump(const struct participant *p, struct bytes *out);

#endif
