/*
 * coord_txn.h -- messages to and from the decision core.
 *
 *   TXN, PREPARED, VALIDATE_REPLY, DECIDED, INQUIRE, TXN_STATUS, REFUSED --> event
 *   effect --> PREPARE, VALIDATE, DECIDE to a shard's primary; TXN_REPLY, INQUIRE_REPLY; a command
 *   for Raft
 *
 * A shard that cannot be reached (E_UNAVAILABLE, E_TIMEOUT) is asked again by the core's repeats;
 * one that refuses for another reason has voted no.
 *
 * Shell of coordinator/decision.h.
 */
#ifndef COORDINATOR_COORD_TXN_H
#define COORDINATOR_COORD_TXN_H

#include "coordinator/decision.h"

struct coord;
struct message;

/* Feeds the core and carries out its effects. */
void coord_txn_feed(struct coord *coord, struct decision_event *event);
/* False: the message is not about transactions. Only while the cores lead. */
bool coord_txn_message(struct coord *coord, const struct message *message);

#endif
