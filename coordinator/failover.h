/*
 * failover.h -- the leader's proposals about who holds and who leads shards.
 *
 *   heartbeats (member) + configurations (state)
 *     --> tick --> FAILOVER   the primary is silent, its file is not served, its process ended, or
 *                             it says that it will not lead in its epoch (it may in the next)
 *                  HANDOVER   to the primary: an operator asks, its node is about to end, its disk
 *                             is full, or primaries are uneven
 *                  REPLICAS   a shard has not as many as its graph is to have
 *                  GIVEN_UP   a hand-over that came to nothing
 *
 * Who is elected: of the isr without a silent primary, those heard lately under the boot that the
 * state knows, whose file is sound and not built anew; of these one whose disk is not full, then
 * the one with the best (last epoch, last index), then the primary that was, then the one that
 * leads least. None, and the isr below min_insync: the same of the elr. None there: it waits. A
 * primary whose process started again is no primary; it is elected like the others, as soon as all
 * of the isr have been heard or ELECT_MS have passed.
 *
 * These are proposals only: replicaset.h decides when they are applied. What was proposed is
 * proposed again after a second, if the configuration is still the same.
 *
 * Pure; volatile: a new leader judges silence only after a full silence of its own.
 * Units: milliseconds of the caller's clock. After: reference/replication.md 2.4, 4.4.
 */
#ifndef COORDINATOR_FAILOVER_H
#define COORDINATOR_FAILOVER_H

#include "coordinator/member.h"

enum {
    FAILOVER_ELECT_MS = 300,    /* For the rest of the isr to be heard, after a restart. */
    FAILOVER_HANDOVER_MS = 1000 /* A hand-over that takes longer is given up. */
};

/* A shard with which something is going on. */
struct failover_shard {
    uint32_t shard;
    uint64_t since_ms;    /* Without a primary since; 0: it has one. */
    uint64_t proposed_ms; /* FAILOVER or REPLICAS is under way since; 0: no. */
    uint64_t cfgver;      /* ... to be applied to this configuration. */
    uint32_t target;      /* A hand-over to it is under way; 0: no. */
    uint64_t epoch;       /* ... from the primary of this epoch. */
    uint64_t until_ms;
    uint64_t sent_ms;
};

struct failover {
    const struct state *state;
    const struct member *member;
    struct failover_shard *shards;
    uint32_t count, room;
    uint64_t scan_ms;    /* When shards are looked at next, */
    uint64_t version;    /* or when the map is not this one any more. */
    uint64_t usable;     /* Which nodes were usable: a sum of hashes. */
    uint64_t even_at_ms; /* Primaries are evened out from then on. */
    struct arena arena;
};

enum failover_effect_kind {
    FAILOVER_PROPOSE,  /* STATE_FAILOVER. */
    FAILOVER_HANDOVER, /* Send it to node. */
    FAILOVER_REPLICAS, /* Propose: STATE_REPLICAS. */
    FAILOVER_GIVEN_UP
};

struct failover_effect {
    enum failover_effect_kind kind;
    uint32_t shard;
    uint64_t epoch;
    uint64_t cfgver;
    uint32_t node; /* HANDOVER: the primary, and its boot. */
    uint64_t boot;
    uint32_t target; /* PROPOSE, HANDOVER, GIVEN_UP; PROPOSE: its boot. */
    uint64_t target_boot;
    uint32_t within_ms; /* HANDOVER. */
    struct nodeset set; /* REPLICAS. */
};

/* Keeps both. */
void failover_init(struct failover *failover, const struct state *state,
                   const struct member *member);
void failover_close(struct failover *failover);
void failover_lead(struct failover *failover, uint64_t now_ms);
/* Calls carry for each thing to do. */
void failover_tick(struct failover *failover, uint64_t now_ms,
                   void (*carry)(void *ctx, const struct failover_effect *effect), void *ctx);
/* An operator asks for another primary; target 0: any that is in sync. Begins a hand-over, which
 * the next tick sends. Gives the target. Returns E_OK, E_INVALID, E_UNAVAILABLE. */
int failover_ask(struct failover *failover, uint64_t now_ms, const struct state_shard *shard,
                 uint32_t *target, struct error *err);
/* Nodes for count new shards with replica_count replicas each: on nodes that are up and not about
 * to end. Returns E_OK or E_UNAVAILABLE: there are fewer of them than replica_count. */
int failover_place(struct failover *failover, uint32_t count, uint32_t replica_count,
                   struct nodeset *replicas, uint32_t *primaries, struct error *err);

#endif
