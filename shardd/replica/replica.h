/*
 * replica.h -- one replica of a shard at work: its store, its participant core, the requests that
 * wait.
 *
 *   replica_take: queued --> replica_turn:
 *     1. configuration, letters of other replicas, the clock (journal.h)
 *     2. while it serves: each queued COMMIT1, PREPARE, DECIDE is offered to the core; what it
 *        appends forms one batch
 *     3. the batch is made durable in one commit, with what came from a primary; what is committed:
 *        votes are sent; then applied: commits are answered
 *     4. VALIDATEs and READs, on what is applied
 *     5. APPENDs to the other replicas
 *   Requests that conflict with the batch stay queued for the next turn; reads that meet a prepared
 *   transaction wait, at most 50 ms.
 *
 * The participant core is there while the replica serves: from the moment that the journal leads
 * under an epoch until it stops. Until then a primary's requests wait.
 *
 * Shell of shardd/replica/participant.h. Ownership: copies requests.
 * Limits: REPLICA_REQUESTS_MAX waiting requests, then E_LIMIT. A turn takes at most
 * REPLICA_BATCH_ENTRIES, REPLICA_BATCH_BYTES and REPLICA_BATCH_US of writes, and what the turn's
 * budget allows of reads, by turns of those who ask; the rest stays queued, in order.
 */
#ifndef SHARDD_REPLICA_REPLICA_H
#define SHARDD_REPLICA_REPLICA_H

#include "common/outbox.h"
#include "shardd/replica/journal.h"
#include "shardd/replica/outgoing.h"
#include "shardd/replica/participant.h"
#include "shardd/store/store.h"

enum {
    REPLICA_REQUESTS_MAX = 10000,
    REPLICA_BATCH_ENTRIES = 512,
    REPLICA_BATCH_BYTES = 1 << 20,
    REPLICA_BATCH_US = 2000,
    REPLICA_FULL_RETRY_MS = 100, /* After a full disk. */
    REPLICA_FULL_TOLD_MS = 3000  /* For so long after it the coordinators are told of it. */
};

struct log;

enum replica_state {
    REQUEST_QUEUED,
    REQUEST_APPENDED,
    REQUEST_WAITING, /* A read, for locks. */
    REQUEST_DONE
};

struct replica_request {
    uint64_t token;
    uint64_t arrived_ms;
    uint64_t until_ms; /* Its deadline; UINT64_MAX: none. */
    enum replica_state state;
    uint64_t queued_at; /* What was applied when the core queued it; 0: it was not. */
    uint64_t sid;       /* As decoded, for the answer. */
    uint64_t seq;
    struct txn_gtid gtid;
    struct lock_set locks;  /* Of a write that queues for an entry that is not yet applied. */
    struct message message; /* With a body of our own. */
};

/* A peer with reads that are due. */
struct replica_lane {
    peer_id peer;
    size_t at; /* Its next read is here or later. */
};

/* What a turn is given, and gives back. */
struct replica_turn {
    uint64_t now_ms;
    struct outbox *out;
    peer_id coordinator;      /* Whom to ask in doubt. */
    uint64_t rows_left;       /* That reads may look at. */
    uint64_t (*micros)(void); /* The host's clock; null: none. */
    uint64_t end_us;          /* By `micros`: when the turn ends. */
    uint64_t reads_end_us;    /* When its reads end: set by replica_turn. */
    struct log *log;
};

struct replica_options {
    struct store_options store;
    uint32_t node;
    uint64_t boot;
    uint64_t now_ms;
    bool is_received; /* The file has just come as a snapshot. */
};

struct replica {
    uint32_t node;
    uint32_t shard;
    uint32_t graph;
    uint64_t boot;
    struct store *store;
    char *path; /* Of its file. */
    struct journal journal;
    struct outgoing outgoing;
    bool is_serving; /* It leads under epoch, and core is there. */
    uint64_t epoch;
    struct participant core;
    struct participant_effects effects;
    struct replica_request **requests; /* In order of arrival. */
    size_t request_count, request_room;
    uint64_t token_last;
    struct replica_lane *lanes; /* Of a turn. */
    size_t lane_count, lane_room;
    peer_id read_peer;    /* Whose read was the last one. */
    uint64_t examined;    /* Writes decoded and checked against the tables, for tests and stats. */
    uint64_t told_schema; /* Version that was appended under this epoch. */
    uint64_t want_schema; /* Version; its entry's body: */
    struct bytes schema_body;
    bool is_behind; /* Committed entries could not be applied: the disk is full. */
    bool is_tend_due;
    uint64_t retry_ms;                    /* After a full disk: not before. */
    uint64_t full_ms;                     /* Until then the disk counts as full. */
    uint64_t session_ms;                  /* A router that is silent for so long is gone. */
    uint64_t sessions_ms;                 /* When its sessions are looked at next. */
    uint64_t vertices, edges, file_bytes; /* When last looked at, for the heartbeat. */
    struct arena arena;                   /* Of a turn. */
    struct bytes body;                    /* Of an answer. */
};

/* Opens or creates the file. Returns E_OK or what store_open says. */
int replica_open(struct replica **replica, const struct replica_options *options,
                 struct error *err);
void replica_close(struct replica **replica);
/* Before it is closed for good while requests wait: those that changed nothing are refused. What is
 * in the journal may have taken effect: its senders find out that this shard does not answer. */
void replica_abandon(struct replica *replica, struct outbox *out, const struct error *err);
/* Closes it and drops its file (store/storefile.h). */
int replica_destroy(struct replica **replica, struct error *err);

/* The coordinator's word. Epoch 0: this node holds no replica of the shard now. */
void replica_configure(struct replica *replica, const struct replication_config *config);
/* Whether this process is to serve the shard, if perhaps not yet. */
bool replica_is_primary(const struct replica *replica);
/* body: of the SCHEMA entry. */
void replica_schema(struct replica *replica, uint64_t version, struct slice body);

/* Queues a READ, VALIDATE, COMMIT1, PREPARE or DECIDE, or refuses it. INQUIRE_REPLY is one, too. */
void replica_take(struct replica *replica, uint64_t now_ms, const struct message *message,
                  struct outbox *out);
/* Returns true if there was such a request. */
bool replica_cancel(struct replica *replica, peer_id peer, uint64_t req_id);
/* Errors are fatal. */
int replica_turn(struct replica *replica, struct replica_turn *turn, struct error *err);
/* For journal.c: begins to serve; serves no more. What was appended and is not answered is left to
 * the next primary: who asked asks again. */
int replica_serve(struct replica *replica, struct replica_turn *turn, uint64_t epoch,
                  struct error *err);
void replica_stop(struct replica *replica);
/* To another process, about this shard: what is in replica->body. */
void replica_send(struct replica *replica, struct replica_turn *turn, peer_id peer,
                  enum message_type type);
/* Null if it is no more. */
struct replica_request *replica_request(const struct replica *replica, uint64_t token);
/* For replica_offer.c and journal.c: feeds the core and carries out its effects. txn1: body of a
 * TXN1 entry, if that is what comes of it. */
void replica_feed(struct replica *replica, struct replica_turn *turn,
                  struct participant_event *event, struct slice txn1);
/* The time of the turn is up. */
bool replica_turn_is_over(const struct replica_turn *turn);
void replica_refuse(struct replica_request *request, struct outbox *out, const struct error *err);
uint64_t replica_deadline(const struct replica *replica, uint64_t now_ms);
/* Now and then: forgets the sessions of routers that are gone. */
int replica_end_sessions(struct replica *replica, uint64_t now_ms, struct error *err);
/* Upkeep of the file; keep: entries of journal. */
int replica_tend(struct replica *replica, uint64_t keep, struct error *err);

#endif
