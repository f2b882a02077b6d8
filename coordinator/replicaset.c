#include "coordinator/replicaset.h"

#include "common/mutation.h"

#include <assert.h>

bool replicaset_is_sound(const struct state_shard *shard, uint32_t min_insync)
{
    return shardmap_is_fit(shard->primary, &shard->replicas, &shard->isr, &shard->elr) &&
           (shard->isr.count < min_insync || shard->elr.count == 0);
}

static void changed(struct state_shard *shard, uint32_t min_insync)
{
    shard->cfgver++;
    assert(replicaset_is_sound(shard, min_insync));
}

static void lead(struct state_shard *shard, uint32_t node, uint64_t boot)
{
    shard->primary = node;
    shard->primary_boot = boot;
    if (!mutation_is(MUTATION_CONTRACT_SAME_EPOCH)) {
        shard->epoch++;
    }
}

/* From section 2.4: "If the new ISR is below min_insync the removed members go to ELR; ELR is
 * emptied as soon as |ISR| >= min_insync." */
static void set_isr(struct state_shard *shard, uint32_t min_insync, const struct nodeset *isr)
{
    struct nodeset removed = nodeset_minus(&shard->isr, isr);

    if (isr->count >= min_insync) {
        if (!mutation_is(MUTATION_CONTRACT_ELR_KEPT)) {
            shard->elr = (struct nodeset){0};
        }
    } else if (!mutation_is(MUTATION_CONTRACT_NO_ELR)) {
        shard->elr = nodeset_union(&shard->elr, &removed);
    }
    shard->elr = nodeset_minus(&shard->elr, isr);
    shard->isr = *isr;
}

static int not_in_force(const struct state_shard *shard, struct error *err)
{
    return error_set(err, E_WRONG_EPOCH,
                     "shard %u has another configuration: epoch %llu, version %llu", shard->shard,
                     (unsigned long long)shard->epoch, (unsigned long long)shard->cfgver);
}

static bool is_primary(const struct state_shard *shard, const struct replicaset_ask *ask)
{
    bool is_boot =
        shard->primary_boot == ask->boot || mutation_is(MUTATION_CONTRACT_ALTER_ANY_BOOT);

    return shard->primary == ask->node && is_boot && ask->boot != 0 && shard->epoch == ask->epoch;
}

int replicaset_alter(struct state_shard *shard, uint32_t min_insync,
                     const struct replicaset_ask *ask, struct error *err)
{
    assert(shard != NULL && ask != NULL);
    if (!is_primary(shard, ask) ||
        (shard->cfgver != ask->cfgver && !mutation_is(MUTATION_CONTRACT_ALTER_ANY_CFGVER))) {
        return not_in_force(shard, err);
    }
    if (!nodeset_has(&ask->set, shard->primary) || !nodeset_holds(&shard->replicas, &ask->set)) {
        return error_set(err, E_INVALID,
                         "shard %u: those in sync are its primary and other replicas of it",
                         shard->shard);
    }
    if (!ask->is_other_boot || mutation_is(MUTATION_REPLICATION_ANY_BOOT)) {
        set_isr(shard, min_insync, &ask->set);
    }
    changed(shard, min_insync);
    return E_OK;
}

bool replicaset_may_lead(const struct state_shard *shard, uint32_t min_insync, uint32_t node)
{
    if (mutation_is(MUTATION_CONTRACT_ANYONE_LEADS)) {
        return nodeset_has(&shard->replicas, node);
    }
    return nodeset_has(&shard->isr, node) ||
           (shard->isr.count < min_insync && nodeset_has(&shard->elr, node));
}

int replicaset_failover(struct state_shard *shard, uint32_t min_insync,
                        const struct replicaset_ask *ask, struct error *err)
{
    assert(shard != NULL && ask != NULL && ask->target_boot != 0);
    if (shard->epoch != ask->epoch || shard->cfgver != ask->cfgver) {
        return not_in_force(shard, err);
    }
    if (nodeset_has(&shard->isr, ask->target)) {
        struct nodeset isr = shard->isr;
        if (ask->target != shard->primary) {
            nodeset_remove(&isr, shard->primary);
        }
        lead(shard, ask->target, ask->target_boot);
        set_isr(shard, min_insync, &isr);
    } else if (replicaset_may_lead(shard, min_insync, ask->target)) {
        /* "choose from ELR (then ELR gains the old ISR)" */
        struct nodeset isr = nodeset_of(ask->target);
        lead(shard, ask->target, ask->target_boot);
        set_isr(shard, min_insync, &isr);
    } else if (ask->is_forced && nodeset_has(&shard->replicas, ask->target)) {
        /* What the others hold may be more: they are not asked any more, and lose it. */
        lead(shard, ask->target, ask->target_boot);
        shard->isr = nodeset_of(ask->target);
        shard->elr = (struct nodeset){0};
    } else {
        return error_set(err, E_INVALID,
                         "node %u is not in sync for shard %u: entries that were acknowledged may "
                         "be missing there",
                         ask->target, shard->shard);
    }
    changed(shard, min_insync);
    return E_OK;
}

int replicaset_handover(struct state_shard *shard, uint32_t min_insync,
                        const struct replicaset_ask *ask, struct error *err)
{
    assert(shard != NULL && ask != NULL && ask->target_boot != 0);
    if (!is_primary(shard, ask)) {
        return not_in_force(shard, err);
    }
    if (ask->target == shard->primary || !nodeset_has(&shard->isr, ask->target)) {
        return error_set(err, E_INVALID, "node %u is not another one in sync for shard %u",
                         ask->target, shard->shard);
    }
    lead(shard, ask->target, ask->target_boot);
    changed(shard, min_insync);
    return E_OK;
}

int replicaset_change(struct state_shard *shard, uint32_t min_insync, uint64_t cfgver,
                      const struct nodeset *replicas, struct error *err)
{
    assert(shard != NULL && replicas != NULL);
    struct nodeset gone = nodeset_minus(&shard->replicas, replicas);
    struct nodeset isr = nodeset_minus(&shard->isr, &gone);
    struct nodeset elr = nodeset_minus(&shard->elr, &gone);
    bool is_holder_gone = isr.count + elr.count < shard->isr.count + shard->elr.count;

    if (shard->cfgver != cfgver) {
        return not_in_force(shard, err);
    }
    if (nodeset_has(&gone, shard->primary)) {
        return error_set(err, E_INVALID, "node %u leads shard %u: hand it over first",
                         shard->primary, shard->shard);
    }
    if (is_holder_gone && isr.count < min_insync &&
        !mutation_is(MUTATION_CONTRACT_CHANGE_BELOW_MIN)) {
        return error_set(err, E_INVALID, "shard %u needs %u replicas in sync, %u would be left",
                         shard->shard, min_insync, isr.count);
    }
    shard->replicas = *replicas;
    shard->isr = isr;
    shard->elr = elr;
    changed(shard, min_insync);
    return E_OK;
}

bool replicaset_restart(struct state_shard *shard, uint32_t min_insync, uint32_t node,
                        uint64_t boot)
{
    if (shard->primary != node || shard->primary_boot == boot) {
        return false;
    }
    if (mutation_is(MUTATION_CONTRACT_RESTART_LEADS)) {
        shard->primary_boot = boot;
        changed(shard, min_insync);
        return true;
    }
    /* Who has the longest journal is not known here: with more in sync than this one, whoever
     * leads the coordinators compares and proposes a FAILOVER. */
    lead(shard, node, shard->isr.count == 1 ? boot : 0);
    changed(shard, min_insync);
    return true;
}

void replicaset_min_insync(struct state_shard *shard, uint32_t min_insync)
{
    struct nodeset isr = shard->isr;

    set_isr(shard, min_insync, &isr);
    changed(shard, min_insync);
}
