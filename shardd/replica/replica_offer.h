/*
 * replica_offer.h -- requests of a replica as events of its core.
 *
 * A write is examined first: which items its changes touch and whether the store could apply them,
 * against what is applied. The core judges both with the locks; whoever is in its way has not been
 * applied yet or holds a lock, so what the store said is still true when the entry's turn comes.
 * A read is carried out first: what it depends on is known only then. The core says whether it may
 * be given.
 *
 * Shell.
 */
#ifndef SHARDD_REPLICA_REPLICA_OFFER_H
#define SHARDD_REPLICA_REPLICA_OFFER_H

#include "shardd/replica/replica.h"

/* COMMIT1, PREPARE, DECIDE and INQUIRE_REPLY that are queued. */
void replica_offer_writes(struct replica *replica, struct replica_turn *turn);
/* Those whose time is up. */
void replica_refuse_late(struct replica *replica, struct replica_turn *turn);
/* VALIDATE and READ, until turn->rows_left is used up. */
void replica_offer_reads(struct replica *replica, struct replica_turn *turn);

#endif
