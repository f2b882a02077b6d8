/*
 * lock.h -- which slots of a shard are locked, by whom, and when each was last changed.
 *
 *   held      prepared transactions: until their decision. Others are refused.
 *   pending   entries that will be applied without fail: until then. Others queue.
 *   decided   of those, what was prepared and is decided: who reads waits, since others may have
 *             been told of the decision before it is applied here.
 *   changed   journal index of the last change; all slots count as changed at the start.
 *   claims    slots that readers wait for (participant.h).
 *
 * Modes: S (must stay), U (commutative update), X (exclusive): S-S and U-U are compatible, all else
 * conflicts. Several locks of one transaction on one slot become one: S and U give X.
 *
 * Pure. Ownership: sets and the table own their memory; an all-zero set is an empty one.
 * Limits: TXN_SLOTS slots, LOCK_CLAIM_SLOTS a claim.
 */
#ifndef SHARDD_REPLICA_LOCK_H
#define SHARDD_REPLICA_LOCK_H

#include "common/txn.h"
#include "shardd/replica/item.h"

enum { LOCK_CLAIM_SLOTS = 16 };

struct lock {
    uint16_t slot;
    uint16_t mode; /* enum item_mode. */
};

struct lock_set {
    struct lock *items;
    uint32_t count;
    uint32_t room;
    uint8_t *modes; /* By slot, while a large set is built; 0: not in. */
};

void lock_set_add(struct lock_set *set, uint16_t slot, enum item_mode mode);
/* Sorts and merges: after the last add, before any other use. */
void lock_set_finish(struct lock_set *set);
void lock_set_close(struct lock_set *set);

struct lock_claim {
    uint64_t token;
    uint64_t from_ms;  /* Prepares are refused from here ... */
    uint64_t until_ms; /* ... to here. */
    uint32_t slot_count;
    uint16_t slots[LOCK_CLAIM_SLOTS];
};

/* How many hold each slot. Memory is touched only where it is used. */
struct lock_counts {
    uint64_t *counts;    /* By slot: of S, U, X. */
    uint64_t *changing;  /* A bit a slot: somebody has U or X. */
    uint32_t slot_count; /* Slots with a count. */
};

struct lock_table {
    uint64_t base;
    uint32_t *changed; /* By slot: index of the last change - base. */
    struct lock_counts held;
    struct lock_counts pending;
    struct lock_counts decided;
    struct lock_claim *claims;
    size_t claim_count;
    size_t claim_room;
};

void lock_init(struct lock_table *table, uint64_t last);
void lock_close(struct lock_table *table);

void lock_hold(struct lock_table *table, const struct lock_set *set);
void lock_release(struct lock_table *table, const struct lock_set *set);
void lock_pend(struct lock_table *table, const struct lock_set *set);
void lock_settle(struct lock_table *table, const struct lock_set *set);
/* What is held is decided: pending and decided; and back; and done with. */
void lock_decide(struct lock_table *table, const struct lock_set *set);
void lock_undecide(struct lock_table *table, const struct lock_set *set);
void lock_settle_decided(struct lock_table *table, const struct lock_set *set);
/* What the set changes (U, X) was changed at index. */
void lock_change(struct lock_table *table, const struct lock_set *set, uint64_t index);

enum lock_verdict {
    LOCK_FREE,
    LOCK_CHANGED, /* Something read was changed since. */
    LOCK_HELD,    /* A prepared transaction is in the way. */
    LOCK_PENDING  /* An entry that is about to be applied is in the way. */
};

/* May what was read be relied upon? */
enum lock_verdict lock_judge_reads(const struct lock_table *table,
                                   const struct txn_readset *readset);
/* May these be locked? */
enum lock_verdict lock_judge(const struct lock_table *table, const struct lock_set *set);

/* A prepared or decided transaction changes what was read: then the reader claims those slots. */
bool lock_claim(struct lock_table *table, const struct txn_readset *readset, uint64_t token,
                uint64_t from_ms, uint64_t until_ms);
/* What the claim's reader waits for is still locked. False without a claim. */
bool lock_is_blocked(const struct lock_table *table, uint64_t token);
void lock_unclaim(struct lock_table *table, uint64_t token);
/* Some reader has claimed what the set would change. Claims that are over are forgotten. */
bool lock_is_claimed(struct lock_table *table, const struct lock_set *set, uint64_t now_ms);
/* Some slot is held, or decided. */
bool lock_has_held(const struct lock_table *table);

#endif
