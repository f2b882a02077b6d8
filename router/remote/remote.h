/*
 * remote.h -- the router's view of the cluster: map, session with the coordinator, requests under
 * way.
 *
 * fetch.h scatters a read over shards and gathers rows; transaction.h buffers changes, collects
 * read sets and commits. Both send through here: requests are repeated after silence, held while a
 * newer map is on its way, and fail at their deadline; those to a shard that nobody leads, as the
 * map says, after REMOTE_DEAD_MS: a fail-over takes a second.
 *
 *   remote_send --> outbox        reply, REFUSED, deadline --> request->on_reply
 *   remote_hold (map or time) --> request->on_again, which sends it anew
 *
 * A repeat has the request id and the body of the first: shards and coordinators tell repeats by
 * the sender and that id, transactions also by (sid, seq).
 *
 * Pure: messages in, outbox out. Ownership: the router owns one remote. Requests are embedded in
 * their owners, who call remote_drop before they go.
 */
#ifndef ROUTER_REMOTE_REMOTE_H
#define ROUTER_REMOTE_REMOTE_H

#include "common/map.h"
#include "common/outbox.h"
#include "common/shardmap.h"

enum { REMOTE_DEAD_MS = 5000 };

struct remote;
struct remote_request;
struct transaction;

/* The answer, or null with err: E_TIMEOUT at the deadline, or what a REFUSED told. The request is
 * over when it is called, but keeps its fields and may be held or sent again. */
typedef void (*remote_reply_fn)(struct remote *remote, struct remote_request *request,
                                const struct message *reply, const struct error *err);
typedef void (*remote_again_fn)(struct remote *remote, struct remote_request *request);

struct remote_request {
    uint64_t req_id; /* 0: not under way. */
    enum message_type type;
    peer_id peer;
    uint32_t shard;
    uint64_t epoch;
    struct bytes body;    /* Kept for repeats. */
    uint64_t deadline_ms; /* 0: none. */
    uint64_t again_ms;    /* When to repeat it, or to end the hold. */
    uint64_t dead_ms;     /* Nobody leads its shard since; 0: somebody does. */
    uint32_t silence_ms;
    uint32_t sends;       /* Copies sent; whoever fills it anew sets 0. */
    uint64_t map_version; /* Held until the map is newer than this, or again_ms. */
    bool is_held;
    bool is_to_leader; /* To whoever is thought to lead the coordinators. */
    bool is_once;      /* Not repeated after silence: it is not idempotent. */
    void *owner;
    remote_reply_fn on_reply;
    remote_again_fn on_again;
};

struct remote_options {
    uint32_t coordinator_count;
    const uint32_t *coordinators; /* Copied. */
    uint64_t seed;
};

struct remote_counters {
    uint64_t requests; /* Sent, repeats not counted. */
    uint64_t repeats;
    uint64_t late; /* Replies that nobody waited for. */
    uint64_t map_updates;
};

struct remote *remote_new(const struct remote_options *options);
void remote_free(struct remote **remote);

/* Time and outbox for all that is done until the next call. */
void remote_enter(struct remote *remote, uint64_t now_ms, struct outbox *out);
void remote_message(struct remote *remote, const struct message *message);
/* Repeats, deadlines, registration. */
void remote_turn(struct remote *remote);
uint64_t remote_deadline(const struct remote *remote);

/* The session sid has expired: asks for a new one, unless that has come already. */
void remote_register(struct remote *remote, uint64_t sid);
/* Asks for a newer map. */
void remote_refresh(struct remote *remote);

uint64_t remote_now(const struct remote *remote);
const struct shardmap *remote_map(const struct remote *remote); /* Null before the first. */
uint64_t remote_sid(const struct remote *remote);               /* 0 before the registration. */
uint64_t remote_term(const struct remote *remote);
const struct remote_counters *remote_counters(const struct remote *remote);

/* ---- requests ---- */

/* Sends with a new request id unless it has one. silence_ms is that of the first repeat. */
void remote_send(struct remote *remote, struct remote_request *request);
/* Calls on_again when the map is newer than now, or after wait_ms at the latest (with_map: asks for
 * it). */
void remote_hold(struct remote *remote, struct remote_request *request, uint64_t wait_ms,
                 bool with_map);
/* Forgets it, sends CANCEL for a READ under way, frees the body. */
void remote_drop(struct remote *remote, struct remote_request *request);
/* The primary of a shard, with its epoch; false: the map has no such shard. */
bool remote_target(const struct remote *remote, uint32_t shard, struct remote_request *request);
/* False if nobody leads the shard, as the map says: err says which node is missed. */
bool remote_is_led(const struct remote *remote, uint32_t shard, struct error *err);
/* A term told by a coordinator. */
void remote_learn_term(struct remote *remote, uint64_t term);
/* Another coordinator shall be asked: `leader` (0: the next of the list). */
void remote_learn_leader(struct remote *remote, uint32_t leader);

/* ---- transactions ---- */

/* Open ones keep the maps that they may point into. */
void remote_join(struct remote *remote, struct transaction *txn);
void remote_leave(struct remote *remote, struct transaction *txn);
/* A new sequence number, unanswered until remote_answered. */
uint64_t remote_seq(struct remote *remote);
void remote_answered(struct remote *remote, uint64_t seq);
/* The outcome stays open: its number counts as unanswered for a minute more, so that it can be
 * asked for. */
void remote_unknown(struct remote *remote, uint64_t seq);
uint64_t remote_low_seq(const struct remote *remote);

/* ---- ids ---- */

/* A new id of the graph; near (may be null): its shard shall own the id too, where the graph is
 * hashed.
 * False: a block is on its way, and the transaction is woken when it is there. */
bool remote_new_id(struct remote *remote, struct transaction *txn, const struct vid *near,
                   int64_t *id);
/* Gives up the block in use: ids of it are taken. */
void remote_skip_ids(struct remote *remote, uint32_t graph);

#endif
