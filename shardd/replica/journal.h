/*
 * journal.h -- a replica's journal: what the replication core wants is carried out on its store and
 * sent to the other replicas.
 *
 *   configuration, letters, what the participant appended, the clock --> replication core
 *     --> one durable commit of the store (cut, entries, promise) --> core
 *     --> committed: votes --> applied: answers --> core
 *     --> leads: the participant core is rebuilt from the tables and the replica serves
 *     --> APPENDs to the other replicas, answers to the primary, ALTER to the coordinator
 *
 * A full disk takes back what was appended in the turn and is tried again; with it nothing is lost,
 * since entries are sent only when they are durable here. Any other error of the store is fatal.
 *
 * Shell of shardd/replica/replication.h; a part of the replica (replica.h).
 * Limits: JOURNAL_LETTERS_MAX letters wait for a turn; what is more is dropped and sent again.
 */
#ifndef SHARDD_REPLICA_JOURNAL_H
#define SHARDD_REPLICA_JOURNAL_H

#include "common/message.h"
#include "shardd/replica/append.h"
#include "shardd/replica/replication.h"

enum { JOURNAL_LETTERS_MAX = 1024 };

struct replica;
struct replica_turn;

struct journal {
    struct replication core;
    struct replication_effects effects;
    struct replication_config config; /* Told last; epoch 0: none yet. */
    bool is_config_due;
    struct message *letters; /* Of journal_listen's kinds, with bodies of our own. */
    size_t letter_count, letter_room;
    const struct store_entry *arrived; /* Of the APPEND that is being fed. */
    uint64_t arrived_first;

    /* What is to be durable at the end of the turn. */
    struct store_entry *batch;
    size_t batch_count, batch_room;
    uint64_t batch_bytes;
    uint64_t cut;
    uint64_t promise;
    bool has_granted;
    uint64_t persist_first, persist_last; /* 0: nothing. */

    uint64_t commit;     /* All up to here may be applied. */
    uint64_t told;       /* Of that the participant knows. */
    uint64_t lead_epoch; /* Not 0: to lead under it as soon as the turn allows. */
    bool must_reload;
    bool is_leaving; /* The process is about to end: told to the primary. */
};

/* From what the store holds. E_CORRUPT if its journal is out of form. */
int journal_start(struct replica *replica, uint64_t now_ms, struct error *err);
void journal_close(struct journal *journal);
/* A configuration; what is not newer is nothing new. */
void journal_configure(struct journal *journal, const struct replication_config *config);
/* Copies a letter of another replica: APPEND, APPEND_ACK, APPEND_NACK, RELEASE, SNAPSHOT_GET; or
 * the coordinator's SHARD_HANDOVER. */
void journal_take(struct journal *journal, const struct message *message);
/* The index that the next entry of the participant has to have. */
uint64_t journal_next(const struct journal *journal);
void journal_add(struct journal *journal, const struct store_entry *entry);

/* The parts of a turn, in this order. */
void journal_listen(struct replica *replica, struct replica_turn *turn);
int journal_settle(struct replica *replica, struct replica_turn *turn, struct error *err);
int journal_send(struct replica *replica, struct replica_turn *turn, struct error *err);

/* Milliseconds; UINT64_MAX: never. */
uint64_t journal_deadline(const struct journal *journal);
#endif
