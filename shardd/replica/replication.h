/*
 * replication.h -- one replica's part in keeping the copies of a shard alike.
 *
 *   coordinator --CONFIG--> role: NONE | BACKUP | LEARNER | PRIMARY
 *
 *   PRIMARY   noop appended --> committed, applied, lease it granted is over --> DO_LEAD: serves
 *             any message or configuration of a higher epoch --> DO_STOP
 *
 *   journal   [ base .... applied <= commit <= durable <= last ]
 *             trimmed        visible    lost by no failure    in memory or being made durable
 *
 * The primary sends its journal to all replicas; an entry is committed when all of the maximal
 * in-sync set (ISR and the ISR that was asked for) have it durable, and only committed entries are
 * applied. A replica that answers an APPEND promises not to lead for a while (a lease); the primary
 * answers strong reads only while it holds the lease of every other member, and a new primary waits
 * out what it granted.
 *
 * event          effects, in order
 * CONFIG         STOP | PERSIST (promise; a new primary's noop) | RELEASE | COMMIT
 * LOCAL          PERSIST (primary: entries of the shard's own)
 * APPEND         STOP | PERSIST (truncate, entries, promise) | ACK or NACK | COMMIT
 * ACK, NACK      COMMIT | ALTER (grow) | SNAPSHOT | STOP (a higher epoch) | HANDOVER
 * DURABLE        ACK or NACK that waited | COMMIT
 * APPLIED        LEAD | HANDOVER
 * LOST           PERSIST (noop again) | RELOAD
 * TICK           ALTER (shrink, grow, repeated) | LEAD | HANDOVER
 * HANDOVER       HANDOVER when nothing is under way any more
 * RELEASE        LEAD, sooner
 * TRIMMED        none: entries up to index are gone from the journal
 * INSTALLED      none: the store was replaced by a snapshot
 *
 * After each event, when the effects are carried out, the shell asks replication_send until it says
 * no. Each APPEND is filled by the shell with entries as they were encoded once.
 *
 * crash after                  after the restart
 * PERSIST, not durable         nothing happened; nobody was told
 * durable, ACK not sent        the primary asks again; the answer is the same
 * a primary crashes            its boot id is another one, so it does not lead; the coordinator
 *                              raises the epoch, and elects it again or another member
 * a lease was granted          has_granted is durable: a start waits for a whole lease before it
 *                              leads
 *
 * The coordinator takes an ALTER if epoch, cfgver and the primary's boot are those in force and
 * each member that joins has the boot that the ALTER names; if only the last is not so, it raises
 * cfgver without a change, so that the primary may ask anew. A node whose disk was lost says so at
 * each start until it is in sync again.
 *
 * Invariants, asserted: applied <= commit <= durable <= last; what is committed is never truncated;
 * promised never falls; a primary's entries are of its epoch.
 *
 * Pure: no clock, no I/O. Ownership: events are borrowed for the call; effects are valid until the
 * next one.
 * Units: microseconds of this process' own monotonic clock; journal indexes; bytes.
 * Limits: NODESET_MAX replicas of a shard, REPLICATION_IN_FLIGHT_MAX APPENDs with
 * entries under way to each.
 * After: reference/replication.md 2.2 to 2.8; Lin, Yang, Zhang, Zhou, PacificA (2008); Kafka's
 * KIP-101 (truncation by epoch), KIP-497 (ALTER), KIP-966 (eligible leaders).
 */
#ifndef SHARDD_REPLICA_REPLICATION_H
#define SHARDD_REPLICA_REPLICATION_H

#include "common/nodeset.h"
#include "common/trace.h"
#include "shardd/replica/epochs.h"

enum { REPLICATION_IN_FLIGHT_MAX = 8 };

/* ---- what the coordinator decides ---- */

struct replication_config {
    uint64_t epoch;  /* Grows with the primary, or its boot id. */
    uint64_t cfgver; /* Grows with any change. */
    uint32_t primary;
    uint64_t primary_boot;
    struct nodeset isr;
    struct nodeset replicas; /* All; those outside the isr are learners. */
    uint32_t min_insync;
};

struct replication_timing {
    uint64_t lease_us;
    uint64_t drift_ppm;    /* Margin of a lease for clocks of different rates, on each side. */
    uint64_t heartbeat_us; /* An APPEND at least so often. */
    uint64_t silence_us;   /* A member that is silent or stuck for so long leaves the ISR. */
    uint64_t fresh_us;     /* A learner that was heard within this may join it. */
    uint64_t repeat_us;    /* ALTER and HANDOVER are said again after it. */
    uint64_t window_bytes; /* Of entries under way to one peer. */
    uint64_t append_bytes; /* Of entries in one APPEND; one entry may be larger. */
};

struct replication_timing replication_timing_default(void);

/* ---- events ---- */

enum replication_event_kind {
    REPLICATION_CONFIG = 1, /* config. */
    REPLICATION_LOCAL,      /* count entries; only while replication_may_write. */
    REPLICATION_APPEND,     /* from, append. */
    REPLICATION_ACK,        /* from, boot, epoch, index: match, ts. */
    REPLICATION_NACK,       /* from, boot, epoch: promised there, index: hint, ts. */
    REPLICATION_DURABLE,    /* seq: of the last PERSIST that is durable, and all before. */
    REPLICATION_APPLIED,    /* index. */
    REPLICATION_LOST,       /* seq: this PERSIST and all later ones were not carried out. */
    REPLICATION_TICK,
    REPLICATION_HANDOVER, /* from: the node that is to lead; within_us: then it is given up. */
    REPLICATION_RELEASE,  /* from: a primary of epoch that has stopped. */
    REPLICATION_TRIMMED,  /* index: all entries up to it; not above applied. */
    REPLICATION_INSTALLED /* index, epoch: of the last entry that the snapshot has applied. */
};

/* What an APPEND says; entries are prev_index + 1 and on. */
struct replication_append {
    uint64_t epoch;
    uint64_t prev_index;
    uint64_t prev_epoch;
    const uint64_t *epochs; /* Of each entry. */
    uint32_t count;
    uint64_t commit;
    uint64_t ts; /* The primary's clock at the sending. */
};

struct replication_event {
    enum replication_event_kind kind;
    uint64_t now;
    uint32_t from;
    uint32_t count;
    uint64_t boot;
    uint64_t epoch;
    uint64_t index;
    uint64_t ts;
    uint64_t seq;
    uint64_t within_us;
    bool is_leaving; /* ACK: its process is about to end. */
    const struct replication_config *config;
    const struct replication_append *append;
};

/* ---- effects ---- */

enum replication_effect_kind {
    REPLICATION_DO_STOP = 1, /* No longer primary: writes under way have an unknown outcome. */
    REPLICATION_DO_PERSIST,  /* In one durable transaction; then DURABLE with its seq. */
    REPLICATION_DO_ACK,      /* To node: epoch, index: match, ts. */
    REPLICATION_DO_NACK,     /* To node: epoch: promised, index: hint, ts. */
    REPLICATION_DO_COMMIT,   /* Entries up to index are committed: apply, then APPLIED. */
    REPLICATION_DO_ALTER,    /* To the coordinator: epoch, cfgver, set: the ISR wished, boots. */
    REPLICATION_DO_SNAPSHOT, /* Node needs a snapshot: the entries it lacks are trimmed. */
    REPLICATION_DO_LEAD,     /* Serves from now on, in epoch; all up to last is applied. */
    REPLICATION_DO_HANDOVER, /* To the coordinator: node has everything, let it lead. */
    REPLICATION_DO_RELEASE,  /* To node, the new primary: the one of epoch has stopped. */
    REPLICATION_DO_RELOAD    /* What is in memory is not what is stored: close, init again. */
};

struct replication_effect {
    enum replication_effect_kind kind;
    uint32_t node;
    uint64_t epoch;
    uint64_t index;
    uint64_t ts;
    uint64_t cfgver;
    struct nodeset set;
    uint64_t boots[NODESET_MAX]; /* ALTER: of each; the coordinator compares those who join. */
    /* PERSIST. */
    uint64_t seq;
    uint64_t truncate; /* First, delete the entries from this index on; 0: none. */
    uint64_t from, to; /* Then append these, of the event; or is_noop: a NOOP of epoch. 0: none. */
    bool is_noop;
    uint64_t promise; /* And set the promised epoch; 0: as it was. */
    bool has_granted; /* And remember, for replication_start, that a lease may be out. */
};

struct replication_effects {
    struct replication_effect *items;
    size_t count, room;
};

void replication_effects_close(struct replication_effects *effects);

/* ---- state ---- */

enum replication_role {
    REPLICATION_NONE, /* No replica of the shard, or not told yet. */
    REPLICATION_BACKUP,
    REPLICATION_LEARNER,
    REPLICATION_PRIMARY
};

/* What a primary knows of another replica. */
struct replication_peer {
    uint32_t node;
    bool is_probing;       /* Where its journal agrees is not known: one APPEND at a time. */
    bool needs_snapshot;   /* The entries it lacks are trimmed. */
    bool is_leaving;       /* It said so; its next boot says otherwise. */
    uint64_t boot;         /* 0: not heard yet. */
    uint64_t trust_ts;     /* What it says about APPENDs before this is of an earlier boot. */
    uint64_t match;        /* Durable there and as here, up to this index. */
    uint64_t next;         /* Index of the next entry to send. */
    uint64_t acked_at;     /* Last ACK. */
    uint64_t advanced_at;  /* Last time that match rose, or had nothing to rise to. */
    uint64_t sent_at;      /* Last APPEND; 0: none yet. */
    uint64_t lease_until;  /* It does not lead before. */
    uint64_t sent_prev;    /* The predecessor named by the last APPEND. */
    uint64_t looked_at;    /* NACKs of APPENDs before it say nothing new. */
    uint64_t flight_bytes; /* Sum of the next. */
    uint32_t flight_count; /* APPENDs with entries that are not acknowledged. */
    struct {
        uint64_t to, bytes;
    } flight[REPLICATION_IN_FLIGHT_MAX];
};

/* A PERSIST that is not durable yet, and the last index after it. */
struct replication_persist {
    uint64_t seq, last;
    bool is_truncating;
};

struct replication_counters {
    uint64_t elections, shrinks, grows, truncations, snapshots, handovers, restarts_seen;
    uint64_t contradictions; /* Two primaries of one epoch, or a message out of form: never. */
};

struct replication {
    uint32_t node;
    uint64_t boot;
    struct replication_timing timing;
    struct trace *trace; /* Keeps; may be null. */

    /* Of the journal. */
    struct epochs epochs; /* base, last. */
    uint64_t durable, verified, commit, applied;
    uint64_t promised;
    uint64_t promised_stored; /* As the last PERSIST said. */
    uint64_t promised_before; /* At the start: those epochs were another boot's. */
    bool has_granted;         /* A lease, ever. */
    bool has_granted_stored;
    uint64_t seq;         /* Of the last PERSIST. */
    uint64_t seq_durable; /* Up to here they are. */
    uint64_t seq_gate;    /* Until this one is, nobody is answered or sent to. */
    struct replication_persist *persists;
    size_t persist_count, persist_room;

    struct replication_config config;
    enum replication_role role;
    bool must_reload;

    /* As a backup or learner. */
    uint32_t leader;        /* Who sent an APPEND of the promised epoch; 0: nobody yet. */
    uint64_t leader_ts;     /* The newest of its ts. */
    uint64_t leader_commit; /* The highest it told. */
    bool owes_nack;         /* Waits for seq_gate. */
    uint64_t nack_hint;
    bool owes_ack;
    uint64_t grant_epoch; /* The highest that a lease was granted to. */
    uint32_t grant_node;  /* Its primary. */
    uint64_t grant_until;
    uint64_t grant_before; /* The same, of earlier epochs. */
    uint64_t released;     /* Highest epoch whose primary said that it stopped. */

    /* As a primary. */
    struct replication_peer peers[NODESET_MAX];
    uint32_t peer_count;
    uint64_t sent_max; /* Highest index sent in this epoch, to whomever: it stands. */
    uint64_t noop;     /* Index of the epoch's first entry; 0: to be appended. */
    uint64_t noop_at;  /* When to try again. */
    bool is_leading;
    bool has_pending;
    struct nodeset pending; /* The ISR asked for; counts from the sending on. */
    uint64_t pending_boots[NODESET_MAX];
    uint64_t pending_at;
    uint32_t handover; /* To whom; 0: none. */
    uint64_t handover_until, handover_at;
    uint64_t tick_at;

    struct replication_counters counters;
    struct replication_effects *out; /* During an event. */
};

/* What was durable when the process started. */
struct replication_start {
    uint32_t node;
    uint64_t boot;
    uint64_t now;
    uint64_t promised;
    uint64_t base, base_epoch; /* The last trimmed entry; 0, 0 if none is. */
    uint64_t applied;
    bool has_granted;
    struct replication_timing timing;
    struct trace *trace;
};

void replication_init(struct replication *r, const struct replication_start *start);
/* The entries of the journal, in order, before the first event: count more of epoch. */
void replication_load(struct replication *r, uint64_t count, uint64_t epoch);
void replication_close(struct replication *r);

/* Feeds one event; effects are cleared first. */
void replication_advance(struct replication *r, const struct replication_event *event,
                         struct replication_effects *effects);

/* An APPEND that is due. */
struct replication_send {
    uint32_t node;
    uint64_t epoch, cfgver;
    uint64_t prev_index, prev_epoch;
    uint64_t from, to; /* Entries, as many as fit: at least one if from <= to. */
    uint64_t bytes_max;
    uint64_t commit;
    uint64_t ts;
};

/* The next one, to any peer. Returns false if none is due. */
bool replication_send(const struct replication *r, uint64_t now, struct replication_send *send);
/* It was sent, with entries send->from to `to` (from - 1: none) of so many bytes. */
void replication_sent(struct replication *r, const struct replication_send *send, uint64_t to,
                      uint64_t bytes);

/* New writes are taken. */
bool replication_may_write(const struct replication *r, uint64_t now);
/* Strong reads are answered, of what is applied. */
bool replication_may_read(const struct replication *r, uint64_t now);
/* The configuration names this process primary, and it is not, and will not be in this epoch: the
 * coordinator is to be told. */
bool replication_has_resigned(const struct replication *r);
/* Lowest index that some replica may still ask for: the journal is kept from there if it can be. */
uint64_t replication_keep(const struct replication *r);
/* When it wants a TICK, or has something to send; UINT64_MAX: never. */
uint64_t replication_deadline(const struct replication *r);
void replication_invariant(const struct replication *r);

#endif
