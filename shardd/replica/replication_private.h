/*
 * replication_private.h -- what the parts of replication.h share.
 *
 * Pure.
 */
#ifndef SHARDD_REPLICA_REPLICATION_PRIVATE_H
#define SHARDD_REPLICA_REPLICATION_PRIVATE_H

#include "shardd/replica/replication.h"

/* An effect to be filled in. */
struct replication_effect *replication_do(struct replication *r, enum replication_effect_kind kind);
/* A PERSIST whose journal changes are in r->epochs already. */
struct replication_effect *replication_persist(struct replication *r, uint64_t truncate,
                                               uint64_t from, uint64_t to);
/* Raises the promised epoch in memory, and whatever was said under a lower one is void. The next
 * PERSIST carries it. */
void replication_promise(struct replication *r, uint64_t epoch);
/* Raises commit; the journal is durable that far. */
void replication_commit(struct replication *r, uint64_t index);
/* Nobody may be answered or sent to before a PERSIST that is under way. */
bool replication_is_gated(const struct replication *r);

/* How long a lease lasts for who grants it, and for who holds it. */
uint64_t replication_granted_us(const struct replication_timing *timing);
uint64_t replication_held_us(const struct replication_timing *timing);

/* ---- replication_primary.c ---- */

void replication_primary_begin(struct replication *r, uint64_t now);
void replication_primary_end(struct replication *r);
/* The configuration changed within the epoch. */
void replication_primary_adopt(struct replication *r, uint64_t now);
/* Commits, leads, hands over: whatever has become possible. */
void replication_primary_proceed(struct replication *r, uint64_t now);
void replication_primary_local(struct replication *r, const struct replication_event *event);
void replication_primary_ack(struct replication *r, const struct replication_event *event);
void replication_primary_nack(struct replication *r, const struct replication_event *event);
void replication_primary_tick(struct replication *r, uint64_t now);
void replication_primary_handover(struct replication *r, const struct replication_event *event);
/* The last entries were not made durable. Returns false if that cannot be taken back. */
bool replication_primary_lost(struct replication *r, uint64_t last, uint64_t now);

/* ---- replication_backup.c ---- */

void replication_backup_append(struct replication *r, const struct replication_event *event);
/* More is durable: answers that waited, and commit. */
void replication_backup_durable(struct replication *r);
void replication_backup_release(struct replication *r, const struct replication_event *event);
/* When every lease that this replica granted is over. */
uint64_t replication_backup_wait(const struct replication *r);

#endif
