/*
 * decision.h -- the leader's side of two-phase commit: asks, decides once, tells until all have
 * heard.
 *
 *   TXN --> PREPARING --all yes--> VALIDATING --all yes--> DECIDING --applied--> told, COMMIT sent
 *   --all done--> FORGET
 *              |                   (read-only parts,          |
 *              |                    after the last yes)       +-- the session expired meanwhile --+
 *              +--- any no, or 5 s ----> ABORTED <------------------------------------------------+
 *
 * Presumed abort: nothing is logged before the decision to commit, so what has no decision in the
 * log was aborted. A decision is one Raft entry; from its application on the transaction is
 * committed, and the router is told. What was aborted is remembered for the term: a TXN that is
 * repeated in the same term gets the same answer; one of another term is sent back with WRONG_TERM,
 * so none runs twice.
 *
 * event      effects, in order
 * LEAD       DECIDE commit to all participants of each decision in the log
 * TXN        PREPARE to each that writes | ANSWER (decided, aborted, wrong term) | REFUSE | DROP
 * VOTE       nothing | VALIDATE | SUBMIT | DECIDE abort, ANSWER
 * VALIDATED  nothing | SUBMIT | DECIDE abort, ANSWER
 * APPLIED    ANSWER committed, DECIDE commit | DECIDE abort, ANSWER
 * DONE       nothing; when all are done: FORGET at a FLUSH, some time later
 * INQUIRE    ANSWER commit | abort | wait | nothing (the asker knows a later term)
 * STATUS     ANSWER
 * TIMEOUT    repeats of PREPARE, VALIDATE, DECIDE; ABORT after txn_ms
 * FLUSH      FORGET
 *
 * crash of the leader      consequence
 * before SUBMIT            the next leader knows nothing: participants ask, and are told to abort
 * after SUBMIT             Raft decides: in the log before the next leader's first entry, or gone
 * after APPLIED            the next leader has the decision and tells all again
 *
 * Pure. It looks at the state and never changes it. Ownership: copies a TXN. Effects are valid
 * until the next event. Limits: DECISION_RUNNING_MAX transactions at a time, TXN_SHARDS_MAX parts.
 * After: reference/replication.md 3.3, 3.5; Mohan, Lindsay, Obermarck (1986), presumed abort.
 */
#ifndef COORDINATOR_DECISION_H
#define COORDINATOR_DECISION_H

#include "common/map.h"
#include "common/outcome.h"
#include "coordinator/state.h"

enum {
    DECISION_RUNNING_MAX = 10000,
    DECISION_REPEAT_MS = 200,
    DECISION_FORGET_MS = 100,   /* Decisions are forgotten together: it is a commit of the log. */
    DECISION_FORGET_SOON = 256, /* So many do not wait. */
    DECISION_FORGET_MAX = 1024  /* Of one FORGET. */
};

enum decision_event_kind {
    DECISION_LEAD = 1,
    DECISION_TXN,
    DECISION_VOTE,
    DECISION_VALIDATED,
    DECISION_APPLIED,
    DECISION_DONE,
    DECISION_INQUIRE,
    DECISION_STATUS,
    DECISION_TIMEOUT,
    DECISION_FLUSH
};

struct decision_event {
    enum decision_event_kind kind;
    uint64_t now_ms;
    uint64_t token;       /* TXN, INQUIRE, STATUS: the shell's handle of the request, not 0. */
    uint64_t term;        /* LEAD. */
    struct slice body;    /* TXN: of the message. */
    struct txn_gtid gtid; /* VOTE, VALIDATED, APPLIED, DONE, INQUIRE. */
    uint32_t shard;       /* VOTE, VALIDATED, DONE. */
    bool is_yes;          /* VOTE, VALIDATED. */
    int code;             /* If not: why. APPLIED: what the command came to. */
    struct slice text;
    uint64_t sid; /* STATUS. */
    uint64_t seq;
};

enum decision_effect_kind {
    DECISION_SEND_PREPARE = 1, /* `part`, gtid, watermark. */
    DECISION_SEND_VALIDATE,    /* `part`, gtid. */
    DECISION_SEND_DECIDE,      /* shard, gtid, is_commit. */
    DECISION_ANSWER,           /* token: outcome, code, text. */
    DECISION_REFUSE,           /* token: code, text; nothing was done. */
    DECISION_DROP,             /* token: forget the request. */
    DECISION_SUBMIT,           /* gtid, sid, seq, low_seq, shards. */
    DECISION_FORGET            /* gtids. */
};

struct decision_effect {
    enum decision_effect_kind kind;
    uint64_t token;
    struct txn_gtid gtid;
    struct txn_gtid watermark;
    const struct txn_part *part;
    uint32_t shard;
    bool is_commit;
    enum txn_outcome outcome;
    int code;
    struct slice text;
    uint64_t sid;
    uint64_t seq;
    uint64_t low_seq;
    uint32_t count; /* Of shards, or gtids. */
    const uint32_t *shards;
    const struct txn_gtid *gtids;
};

struct decision_effects {
    struct decision_effect *items;
    size_t count;
    size_t room;
};

enum decision_phase { DECISION_PREPARING, DECISION_VALIDATING, DECISION_DECIDING };

/* A transaction under way. */
struct decision_running {
    struct txn_gtid gtid;
    uint64_t token;
    enum decision_phase phase;
    uint64_t since_ms;
    uint64_t repeat_ms;
    struct txn_request txn; /* In the arena and the body. */
    uint8_t *body;
    struct arena arena;
    bool *is_yes;     /* By part. */
    uint32_t *shards; /* Those that write. */
    uint32_t shard_count;
};

/* A decision that not all participants have carried out. */
struct decision_open {
    struct txn_gtid gtid;
    uint64_t repeat_ms;
    uint32_t *shards; /* That have not. */
    uint32_t shard_count;
};

struct decision_counters {
    uint64_t started, committed, aborted, timeouts, inquiries, repeats, forgotten;
};

struct decision {
    const struct state *state;
    uint64_t term;
    uint64_t counter; /* Last one given. */
    uint32_t txn_ms;
    bool is_full; /* Told by the shell: nothing can be decided, so nothing new begins. */
    struct decision_running **running; /* By counter. */
    size_t running_count, running_room;
    struct map by_seq; /* Hash of sid and seq -> counter of the one that runs. */
    struct decision_open *open;
    size_t open_count, open_room;
    struct map by_gtid;           /* Hash -> place in open. */
    bool is_crowded;              /* Two had the same hash: all are looked at, in this term. */
    uint64_t wake_ms;             /* No repeat and no end of one's time is before. */
    struct outcome_table aborted; /* In this term. */
    struct txn_gtid *done;        /* To be forgotten. */
    size_t done_count, done_room;
    uint64_t forget_ms;             /* When they are. */
    struct decision_running *ended; /* Its memory is referred to by the effects of this event. */
    struct decision_counters counters;
    struct decision_effects *out;
};

/* Keeps the state. */
void decision_init(struct decision *d, const struct state *state, uint32_t txn_ms);
void decision_close(struct decision *d);
void decision_advance(struct decision *d, const struct decision_event *event,
                      struct decision_effects *effects);
/* When it wants a TIMEOUT; UINT64_MAX: never. */
uint64_t decision_deadline(const struct decision *d);
/* All below is finished and forgotten. */
struct txn_gtid decision_watermark(const struct decision *d);
void decision_effects_close(struct decision_effects *effects);
void decision_dump(const struct decision *d, struct bytes *out);

#endif
