/*
 * mutation.h -- protocol rules that a test build can leave out, to prove that the checkers notice.
 *
 * Each use reads `if (!mutation_is(MUTATION_X)) { the rule }`. In a normal build mutation_is is
 * constantly false and costs nothing. With -Dmutation=1 (Meson) it compares with a choice that the
 * test sets.
 *
 * After: reference/replication.md 2.5, 3.4 (mutation tests).
 */
#ifndef COMMON_MUTATION_H
#define COMMON_MUTATION_H

#include <stdbool.h>

enum mutation {
    MUTATION_NONE,
    MUTATION_READ_ONLY_UNVALIDATED,  /* Routers do not validate read-only transactions. */
    MUTATION_READS_IGNORE_LOCKS,     /* Reads do not wait for prepared transactions. */
    MUTATION_PREPARE_LOCKS_NO_READS, /* PREPARE does not lock what was read. */
    MUTATION_LEADER_SKIPS_NOOP,      /* A new leader answers before its own entry is applied. */
    MUTATION_TXN_NOT_REMEMBERED,     /* The coordinator runs a resent TXN again. */
    MUTATION_NO_FINISHED,            /* A shard prepares a transaction that it has finished. */
    MUTATION_VALIDATE_EARLY,         /* Read-only participants are asked along with the prepares. */
    MUTATION_ANSWER_EARLY,           /* The router is told before the decision is durable. */
    MUTATION_ABORT_ALONE,            /* A prepared participant gives up by itself. */
    MUTATION_NO_TERM,                /* TXN of another term is accepted. */
    MUTATION_NO_ABORT_MEMORY,        /* The coordinator forgets what it aborted in its term. */
    MUTATION_READS_IGNORE_DECIDED,   /* Reads do not wait for decisions that are not applied. */
    MUTATION_VOTE_UNREPLICATED,      /* A shard votes yes before its replicas have the PREPARE. */
    MUTATION_PARTIAL_FORGOTTEN,      /* A replica built anew passes for a whole one. */
    MUTATION_TWO_LIVES,              /* A replica begins anew under the boot it had. */
    MUTATION_REPLICATION_FIRST,      /* From here on: tests/sim/replica_mutations.c. */
    MUTATION_REPLICATION_NO_LEASE_WAIT =
        MUTATION_REPLICATION_FIRST,         /* A new primary serves while a lease is out. */
    MUTATION_REPLICATION_NO_MAX_ISR,        /* Who was asked into the ISR does not count yet. */
    MUTATION_REPLICATION_NO_EPOCH_CHECK,    /* A backup follows a primary of an older epoch. */
    MUTATION_REPLICATION_ANY_LEADER,        /* A replica outside ISR and ELR is elected. */
    MUTATION_REPLICATION_NO_BOOT_RULE,      /* A primary that was started again leads on. */
    MUTATION_REPLICATION_ACK_UNVERIFIED,    /* ACK says what is durable, not what is as there. */
    MUTATION_REPLICATION_COMMIT_BELOW_MIN,  /* An ISR below min_insync commits. */
    MUTATION_REPLICATION_READ_NO_LEASE,     /* Strong reads ask for no lease. */
    MUTATION_REPLICATION_ACK_EARLY,         /* Entries count before they are durable. */
    MUTATION_REPLICATION_SHRINK_EARLY,      /* An ISR counts from the asking, not the deciding. */
    MUTATION_REPLICATION_SERVE_BELOW_MIN,   /* An ISR below min_insync serves. */
    MUTATION_REPLICATION_LEASE_OF_ISR_ONLY, /* Who was asked into the ISR need not grant. */
    MUTATION_REPLICATION_ANY_BOOT,          /* ALTER is not compared with the boots it names. */
    MUTATION_REPLICATION_LAST = MUTATION_REPLICATION_ANY_BOOT,
    MUTATION_CONTRACT_FIRST, /* From here on: tests/sim/contract_mutations.c. */
    MUTATION_CONTRACT_ALTER_ANY_CFGVER =
        MUTATION_CONTRACT_FIRST,        /* ALTER of an older configuration is accepted. */
    MUTATION_CONTRACT_ALTER_ANY_BOOT,   /* ALTER of the process before the primary is, too. */
    MUTATION_CONTRACT_NO_ELR,           /* Who leaves the isr below min_insync is not noted. */
    MUTATION_CONTRACT_ELR_KEPT,         /* ... and is noted still when enough are in sync. */
    MUTATION_CONTRACT_SAME_EPOCH,       /* Another primary gets no new epoch. */
    MUTATION_CONTRACT_ANYONE_LEADS,     /* A replica that is not in sync is made primary. */
    MUTATION_CONTRACT_RESTART_LEADS,    /* A process that starts again leads on in its epoch. */
    MUTATION_CONTRACT_CHANGE_BELOW_MIN, /* Replicas are let go below min_insync. */
    MUTATION_COUNT
};

#ifdef CARDEA_MUTATION
void mutation_set(enum mutation mutation);
bool mutation_is(enum mutation mutation);
#else
static inline bool mutation_is(enum mutation mutation)
{
    (void)mutation;
    return false;
}
#endif

#endif
