/*
 * replicaset.h -- the rules of one shard's configuration: who is in sync, who may lead.
 *
 *   ALTER from the primary ------> another isr, cfgver + 1; if who joins has another boot than the
 *                                  one that is vouched for, the same isr, so that it may ask anew
 *   the primary is silent -------> FAILOVER: another of the isr leads, epoch + 1
 *   it will not lead in its epoch  FAILOVER: another, or the same process again, epoch + 1
 *   it is asked to step aside ---> HANDOVER: the target leads, epoch + 1, nobody leaves the isr
 *   its process starts again ----> epoch + 1; alone in the isr it leads on, else nobody does until
 *                                  a FAILOVER
 *   R changes -------------------> other replicas, cfgver + 1
 *
 * Each rule compares what its sender knew (epoch, cfgver, boot) with what is in force and then
 * changes all or nothing. What a rule refuses with E_INVALID it would refuse for as long as this
 * cfgver is in force; E_WRONG_EPOCH says that another configuration is.
 *
 * Invariants, asserted after each change: the primary is in sync; isr and elr are disjoint and
 * replicas; the elr is empty while the isr has min_insync; epoch and cfgver only grow, and the
 * epoch grows whenever the primary or its boot change (I1: one primary per epoch). Each of isr and
 * elr holds all committed entries (I4): below min_insync nothing is committed, so those who leave
 * the isr then have missed nothing when they come back to it.
 *
 * Pure.
 * After: reference/replication.md 2.4 (ISR change, fail-over, restart rule, planned switch), 2.6.
 */
#ifndef COORDINATOR_REPLICASET_H
#define COORDINATOR_REPLICASET_H

#include "common/error.h"
#include "coordinator/state.h"

/* What the sender of a rule takes to be in force, and what it wants. */
struct replicaset_ask {
    uint32_t node; /* ALTER, HANDOVER: the primary, and its boot. */
    uint64_t boot;
    uint64_t epoch;
    uint64_t cfgver;
    struct nodeset set;   /* ALTER: the isr. */
    bool is_other_boot;   /* ALTER: one that joins has started again since it was found complete. */
    uint32_t target;      /* FAILOVER, HANDOVER: who is to lead, and its boot. */
    uint64_t target_boot; /* Not 0. */
    bool is_forced;       /* FAILOVER: by an operator who accepts the loss of data. */
};

/* Each returns E_OK, or why nothing was changed: E_WRONG_EPOCH or E_INVALID. */
int replicaset_alter(struct state_shard *shard, uint32_t min_insync,
                     const struct replicaset_ask *ask, struct error *err);
int replicaset_failover(struct state_shard *shard, uint32_t min_insync,
                        const struct replicaset_ask *ask, struct error *err);
int replicaset_handover(struct state_shard *shard, uint32_t min_insync,
                        const struct replicaset_ask *ask, struct error *err);
/* The replicas are to be these: new ones are learners, others are let go, but neither the primary
 * nor one of the isr or elr if fewer than min_insync in sync would be left. */
int replicaset_change(struct state_shard *shard, uint32_t min_insync, uint64_t cfgver,
                      const struct nodeset *replicas, struct error *err);

/* The node has another boot. Returns whether that changed the configuration. */
bool replicaset_restart(struct state_shard *shard, uint32_t min_insync, uint32_t node,
                        uint64_t boot);
/* Another min_insync is in force. */
void replicaset_min_insync(struct state_shard *shard, uint32_t min_insync);
/* Whether node may be made primary by a fail-over that is not forced. */
bool replicaset_may_lead(const struct state_shard *shard, uint32_t min_insync, uint32_t node);
/* The invariants above, as far as they are seen in one configuration. */
bool replicaset_is_sound(const struct state_shard *shard, uint32_t min_insync);

#endif
