#include "shardd/replica/journal.h"

#include "common/log.h"
#include "common/mem.h"
#include "common/mutation.h"
#include "common/roster.h"
#include "shardd/replica/replica.h"

#include <assert.h>
#include <inttypes.h>
#include <string.h>

enum {
    MICROS = 1000, /* Of a millisecond. */
    SEND_ENTRIES_MAX = 4096
};

/* ---- start ---- */

struct runs {
    struct journal *journal;
    uint64_t last, epoch; /* Of the run before, which is not loaded yet. */
    uint64_t promised;
    bool is_bad;
};

static void load_run(struct runs *runs, uint64_t first)
{
    if (runs->epoch != 0 && first > runs->last) {
        replication_load(&runs->journal->core, first - runs->last, runs->epoch);
    }
}

static void on_run(void *ctx, uint64_t first, uint64_t epoch)
{
    struct runs *runs = ctx;

    if (epoch < runs->epoch || epoch == 0 || epoch > runs->promised) {
        runs->is_bad = true;
    }
    if (!runs->is_bad) {
        load_run(runs, first);
        runs->last = first;
        runs->epoch = epoch;
    }
}

int journal_start(struct replica *replica, uint64_t now_ms, struct error *err)
{
    struct journal *journal = &replica->journal;
    struct store_state state = store_state(replica->store);
    uint64_t base = state.first == 0 ? state.last : state.first - 1;
    struct runs runs = {.journal = journal, .promised = state.promised_epoch};

    if (base > state.applied || (base > 0 && state.base_epoch > state.promised_epoch)) {
        return error_set(err, E_CORRUPT,
                         "the journal begins at entry %" PRIu64 ", applied is %" PRIu64, base + 1,
                         state.applied);
    }
    replication_init(&journal->core,
                     &(struct replication_start){.node = replica->node,
                                                 .boot = replica->boot,
                                                 .now = now_ms * MICROS,
                                                 .promised = state.promised_epoch,
                                                 .base = base,
                                                 .base_epoch = state.base_epoch,
                                                 .applied = state.applied,
                                                 .has_granted = state.has_granted,
                                                 .timing = replication_timing_default()});
    int rc = store_each_epoch(replica->store, on_run, &runs, err);
    if (rc == E_OK && runs.is_bad) {
        rc = error_set(err, E_CORRUPT, "the journal's epochs are out of order");
    }
    if (rc == E_OK) {
        load_run(&runs, state.last + 1);
    }
    journal->commit = state.applied;
    journal->told = state.applied;
    return rc;
}

static void drop_letters(struct journal *journal)
{
    for (size_t i = 0; i < journal->letter_count; i++) {
        mem_free((void *)(uintptr_t)journal->letters[i].body.data);
    }
    journal->letter_count = 0;
}

void journal_close(struct journal *journal)
{
    drop_letters(journal);
    mem_free(journal->letters);
    mem_free(journal->batch);
    replication_effects_close(&journal->effects);
    replication_close(&journal->core);
    *journal = (struct journal){0};
}

/* ---- what comes in ---- */

void journal_configure(struct journal *journal, const struct replication_config *config)
{
    journal->config = *config;
    journal->is_config_due = true;
}

void journal_take(struct journal *journal, const struct message *message)
{
    if (journal->letter_count >= JOURNAL_LETTERS_MAX) {
        return;
    }
    if (journal->letter_count == journal->letter_room) {
        journal->letter_room = journal->letter_room == 0 ? 16 : journal->letter_room * 2;
        journal->letters =
            mem_resize(journal->letters, journal->letter_room * sizeof *journal->letters);
    }
    struct message *letter = &journal->letters[journal->letter_count++];
    *letter = *message;
    letter->body.data =
        message->body.size == 0 ? NULL : mem_copy(message->body.data, message->body.size);
}

uint64_t journal_next(const struct journal *journal)
{
    return journal->core.epochs.last + 1;
}

void journal_add(struct journal *journal, const struct store_entry *entry)
{
    if (journal->batch_count == journal->batch_room) {
        journal->batch_room = journal->batch_room == 0 ? 64 : journal->batch_room * 2;
        journal->batch = mem_resize(journal->batch, journal->batch_room * sizeof *journal->batch);
    }
    journal->batch[journal->batch_count++] = *entry;
    journal->batch_bytes += entry->body.size;
}

/* ---- effects ---- */

static void persist(struct journal *journal, const struct replication_effect *effect,
                    enum replication_event_kind kind)
{
    journal->persist_first = journal->persist_first == 0 ? effect->seq : journal->persist_first;
    journal->persist_last = effect->seq;
    journal->promise = effect->promise > journal->promise ? effect->promise : journal->promise;
    journal->has_granted = journal->has_granted || effect->has_granted;
    if (effect->truncate != 0) {
        while (journal->batch_count > 0 &&
               journal->batch[journal->batch_count - 1].index >= effect->truncate) {
            journal->batch_count--;
        }
        journal->cut =
            journal->cut == 0 || effect->truncate < journal->cut ? effect->truncate : journal->cut;
    }
    if (effect->from == 0) {
        return;
    }
    if (effect->is_noop) {
        journal_add(journal, &(struct store_entry){.index = effect->from,
                                                   .epoch = effect->epoch,
                                                   .kind = STORE_NOOP});
    } else if (kind == REPLICATION_LOCAL) {
        assert(journal->batch_count > 0 &&
               journal->batch[journal->batch_count - 1].index == effect->to);
    } else {
        for (uint64_t i = effect->from; i <= effect->to; i++) {
            journal_add(journal, &journal->arrived[i - journal->arrived_first]);
        }
    }
}

static void answer_primary(struct replica *replica, struct replica_turn *turn,
                           const struct replication_effect *effect, enum message_type type)
{
    bytes_clear(&replica->body);
    append_reply_encode(&replica->body,
                        &(struct append_reply){.epoch = effect->epoch,
                                               .index = effect->index,
                                               .ts = effect->ts,
                                               .is_leaving = replica->journal.is_leaving});
    replica_send(replica, turn, PEER_NODE(PEER_SHARDD, effect->node), type);
}

static void ask_alter(struct replica *replica, struct replica_turn *turn,
                      const struct replication_effect *effect)
{
    struct roster_alter alter = {.shard = replica->shard,
                                 .node = replica->node,
                                 .boot = replica->boot,
                                 .epoch = effect->epoch,
                                 .cfgver = effect->cfgver,
                                 .isr = effect->set};

    memcpy(alter.boots, effect->boots, sizeof alter.boots);
    bytes_clear(&replica->body);
    roster_alter_encode(&replica->body, &alter);
    replica_send(replica, turn, turn->coordinator, MESSAGE_SHARD_ALTER);
}

static void confirm_handover(struct replica *replica, struct replica_turn *turn,
                             const struct replication_effect *effect)
{
    bytes_clear(&replica->body);
    roster_handover_encode(&replica->body, &(struct roster_handover){.shard = replica->shard,
                                                                     .node = replica->node,
                                                                     .boot = replica->boot,
                                                                     .epoch = effect->epoch,
                                                                     .target = effect->node});
    replica_send(replica, turn, turn->coordinator, MESSAGE_SHARD_HANDOVER_DONE);
}

static void carry(struct replica *replica, struct replica_turn *turn,
                  enum replication_event_kind kind)
{
    struct journal *journal = &replica->journal;

    for (size_t i = 0; i < journal->effects.count; i++) {
        const struct replication_effect *effect = &journal->effects.items[i];
        switch (effect->kind) {
        case REPLICATION_DO_STOP:
            journal->lead_epoch = 0;
            replica_stop(replica);
            log_info(turn->log, "replica", "shard=%u epoch=%" PRIu64 " msg=\"leads no more\"",
                     replica->shard, effect->epoch);
            break;
        case REPLICATION_DO_PERSIST:
            persist(journal, effect, kind);
            break;
        case REPLICATION_DO_ACK:
            answer_primary(replica, turn, effect, MESSAGE_APPEND_ACK);
            break;
        case REPLICATION_DO_NACK:
            answer_primary(replica, turn, effect, MESSAGE_APPEND_NACK);
            break;
        case REPLICATION_DO_COMMIT:
            journal->commit = effect->index;
            break;
        case REPLICATION_DO_ALTER:
            ask_alter(replica, turn, effect);
            break;
        case REPLICATION_DO_SNAPSHOT:
            outgoing_want(&replica->outgoing, effect->node, turn->now_ms);
            break;
        case REPLICATION_DO_LEAD:
            journal->lead_epoch = effect->epoch;
            break;
        case REPLICATION_DO_HANDOVER:
            confirm_handover(replica, turn, effect);
            break;
        case REPLICATION_DO_RELEASE:
            answer_primary(replica, turn, effect, MESSAGE_RELEASE);
            break;
        case REPLICATION_DO_RELOAD:
            journal->must_reload = true;
            break;
        }
    }
}

static void feed(struct replica *replica, struct replica_turn *turn,
                 struct replication_event *event)
{
    event->now = turn->now_ms * MICROS;
    replication_advance(&replica->journal.core, event, &replica->journal.effects);
    carry(replica, turn, event->kind);
}

/* ---- letters ---- */

static void read_append(struct replica *replica, struct replica_turn *turn,
                        const struct message *letter)
{
    struct journal *journal = &replica->journal;
    struct append append;

    if (append_decode(letter->body, &replica->arena, &append, NULL) != E_OK) {
        return;
    }
    struct replication_append said = {.epoch = append.epoch,
                                      .prev_index = append.prev_index,
                                      .prev_epoch = append.prev_epoch,
                                      .epochs = append.epochs,
                                      .count = append.count,
                                      .commit = append.commit,
                                      .ts = append.ts};
    journal->arrived = append.entries;
    journal->arrived_first = append.prev_index + 1;
    feed(replica, turn,
         &(struct replication_event){
             .kind = REPLICATION_APPEND, .from = letter->src_node, .append = &said});
    journal->arrived = NULL;
}

static void read_reply(struct replica *replica, struct replica_turn *turn,
                       const struct message *letter, enum replication_event_kind kind)
{
    struct append_reply reply;

    if (append_reply_decode(letter->body, &reply, NULL) == E_OK) {
        feed(replica, turn,
             &(struct replication_event){.kind = kind,
                                         .from = letter->src_node,
                                         .boot = letter->src_boot,
                                         .epoch = reply.epoch,
                                         .index = reply.index,
                                         .ts = reply.ts,
                                         .is_leaving = reply.is_leaving});
    }
}

static void read_handover(struct replica *replica, struct replica_turn *turn,
                          const struct message *letter)
{
    struct roster_handover handover;

    if (roster_handover_decode(letter->body, &handover, NULL) == E_OK &&
        handover.boot == replica->boot && handover.epoch == replica->journal.core.config.epoch) {
        feed(replica, turn,
             &(struct replication_event){.kind = REPLICATION_HANDOVER,
                                         .from = handover.target,
                                         .within_us = (uint64_t)handover.within_ms * MICROS});
    }
}

/* Upkeep has taken entries away since the last turn. */
static void note_trimmed(struct replica *replica, struct replica_turn *turn)
{
    struct store_state state = store_state(replica->store);

    if (state.first > 0 && state.first - 1 > replica->journal.core.epochs.base) {
        feed(replica, turn,
             &(struct replication_event){.kind = REPLICATION_TRIMMED, .index = state.first - 1});
    }
}

void journal_listen(struct replica *replica, struct replica_turn *turn)
{
    struct journal *journal = &replica->journal;

    note_trimmed(replica, turn);
    if (journal->is_config_due) {
        journal->is_config_due = false;
        feed(replica, turn,
             &(struct replication_event){.kind = REPLICATION_CONFIG, .config = &journal->config});
    }
    for (size_t i = 0; i < journal->letter_count; i++) {
        const struct message *letter = &journal->letters[i];
        if (letter->type == MESSAGE_APPEND) {
            if (turn->now_ms >= replica->retry_ms) {
                read_append(replica, turn, letter); /* Else the disk is full: it comes again. */
            }
        } else if (letter->type == MESSAGE_APPEND_ACK) {
            read_reply(replica, turn, letter, REPLICATION_ACK);
        } else if (letter->type == MESSAGE_APPEND_NACK) {
            read_reply(replica, turn, letter, REPLICATION_NACK);
        } else if (letter->type == MESSAGE_RELEASE) {
            read_reply(replica, turn, letter, REPLICATION_RELEASE);
        } else if (letter->type == MESSAGE_SNAPSHOT_GET) {
            outgoing_get(replica, turn, letter);
        } else {
            read_handover(replica, turn, letter);
        }
    }
    if (turn->now_ms >= journal_deadline(journal) || turn->now_ms >= replica->retry_ms) {
        feed(replica, turn, &(struct replication_event){.kind = REPLICATION_TICK});
    }
}

/* ---- durable, committed, applied ---- */

static void clear_batch(struct journal *journal)
{
    journal->batch_count = 0;
    journal->batch_bytes = 0;
    journal->cut = 0;
    journal->promise = 0;
    journal->has_granted = false;
    journal->persist_first = 0;
    journal->persist_last = 0;
}

static void wait_for_room(struct replica *replica, struct replica_turn *turn, const char *what)
{
    replica->retry_ms = turn->now_ms + REPLICA_FULL_RETRY_MS;
    replica->full_ms = turn->now_ms + REPLICA_FULL_TOLD_MS;
    log_error(turn->log, "replica", "shard=%u msg=\"cannot %s: disk full\"", replica->shard, what);
}

static void lose_batch(struct replica *replica, struct replica_turn *turn, uint64_t first)
{
    wait_for_room(replica, turn, "append");
    feed(replica, turn, &(struct replication_event){.kind = REPLICATION_LOST, .seq = first});
    replica->told_schema = 0;
    if (replica->is_serving) {
        replica_feed(replica, turn,
                     &(struct participant_event){.kind = PARTICIPANT_LOST,
                                                 .index = store_state(replica->store).last,
                                                 .check = E_LIMIT,
                                                 .check_text = SLICE("the shard's disk is full")},
                     (struct slice){0});
    }
}

static int make_durable(struct replica *replica, struct replica_turn *turn, struct error *err)
{
    struct journal *journal = &replica->journal;
    struct store_append what = {.truncate = journal->cut,
                                .entries = journal->batch,
                                .count = journal->batch_count,
                                .promise = journal->promise,
                                .has_granted = journal->has_granted};
    uint64_t first = journal->persist_first;
    uint64_t last = journal->persist_last;
    struct error why = {0};

    if (last == 0) {
        return E_OK;
    }
    int rc = store_append(replica->store, &what, &why);
    clear_batch(journal);
    replica->is_tend_due = true;
    if (rc == E_LIMIT) {
        lose_batch(replica, turn, first);
        return E_OK;
    }
    if (rc != E_OK) {
        if (err != NULL) {
            *err = why;
        }
        return rc;
    }
    feed(replica, turn, &(struct replication_event){.kind = REPLICATION_DURABLE, .seq = last});
    if (mutation_is(MUTATION_VOTE_UNREPLICATED) && replica->is_serving) {
        replica_feed(replica, turn,
                     &(struct participant_event){.kind = PARTICIPANT_COMMITTED,
                                                 .index = journal->core.durable},
                     (struct slice){0});
    }
    return E_OK;
}

static int apply(struct replica *replica, struct replica_turn *turn, struct error *err)
{
    struct journal *journal = &replica->journal;

    if (journal->commit <= store_state(replica->store).applied) {
        return E_OK;
    }
    if (replica->is_serving && journal->told < journal->commit) {
        replica_feed(
            replica, turn,
            &(struct participant_event){.kind = PARTICIPANT_COMMITTED, .index = journal->commit},
            (struct slice){0});
    }
    journal->told = journal->commit;
    int rc = store_apply(replica->store, journal->commit, err);
    replica->is_behind = rc == E_LIMIT;
    if (rc == E_LIMIT) {
        wait_for_room(replica, turn, "apply");
        return E_OK;
    }
    if (rc != E_OK) {
        return rc;
    }
    replica->is_tend_due = true;
    if (replica->is_serving) {
        replica_feed(
            replica, turn,
            &(struct participant_event){.kind = PARTICIPANT_APPLIED, .index = journal->commit},
            (struct slice){0});
    }
    feed(replica, turn,
         &(struct replication_event){.kind = REPLICATION_APPLIED, .index = journal->commit});
    return E_OK;
}

/* What is in memory is not what is stored. This boot does not lead under what it has promised. */
static int reload(struct replica *replica, struct replica_turn *turn, struct error *err)
{
    struct journal *journal = &replica->journal;

    journal->must_reload = false;
    clear_batch(journal);
    replication_close(&journal->core);
    int rc = journal_start(replica, turn->now_ms, err);
    journal->is_config_due = journal->config.epoch != 0;
    return rc;
}

int journal_settle(struct replica *replica, struct replica_turn *turn, struct error *err)
{
    struct journal *journal = &replica->journal;
    size_t added = journal->batch_count;
    uint64_t before = journal->core.epochs.last;
    int rc = E_OK;

    if (added > 0 && journal->batch[added - 1].index > before) {
        assert(replica->is_serving);
        feed(replica, turn,
             &(struct replication_event){.kind = REPLICATION_LOCAL,
                                         .count =
                                             (uint32_t)(journal->batch[added - 1].index - before)});
    }
    do {
        rc = make_durable(replica, turn, err);
        if (rc == E_OK) {
            rc = apply(replica, turn, err);
        }
        if (rc == E_OK && journal->must_reload) {
            rc = reload(replica, turn, err);
        }
        if (rc == E_OK && journal->lead_epoch != 0 && !replica->is_serving) {
            rc = replica_serve(replica, turn, journal->lead_epoch, err);
            journal->lead_epoch = 0;
        }
    } while (rc == E_OK && journal->persist_last != 0);
    drop_letters(journal);
    return rc;
}

/* ---- sending ---- */

/* Entries from the store, as many as fit. */
static int write_entries(struct replica *replica, const struct replication_send *send,
                         struct bytes *entries, uint64_t *to, struct error *err)
{
    uint64_t last =
        send->to - send->from < SEND_ENTRIES_MAX ? send->to : send->from + SEND_ENTRIES_MAX - 1;

    for (uint64_t index = send->from; index <= last; index++) {
        struct store_entry entry;
        int rc = store_entry(replica->store, index, &replica->arena, &entry, err);
        if (rc != E_OK) {
            return rc;
        }
        if (index > send->from && entries->size + entry.body.size > send->bytes_max) {
            break;
        }
        append_entry_encode(entries, &entry);
        *to = index;
    }
    return E_OK;
}

static int send_one(struct replica *replica, struct replica_turn *turn,
                    const struct replication_send *send, struct error *err)
{
    struct journal *journal = &replica->journal;
    struct append append = {.epoch = send->epoch,
                            .cfgver = send->cfgver,
                            .prev_index = send->prev_index,
                            .prev_epoch = send->prev_epoch,
                            .commit = send->commit,
                            .ts = send->ts};
    uint64_t to = send->from - 1;
    struct bytes entries;
    int rc = E_OK;

    assert(journal->core.durable == journal->core.epochs.last);
    bytes_init(&entries, 0);
    if (send->from <= send->to) {
        rc = write_entries(replica, send, &entries, &to, err);
    }
    if (rc == E_OK) {
        append.count = (uint32_t)(to + 1 - send->from);
        bytes_clear(&replica->body);
        append_encode(&replica->body, &append, bytes_slice(&entries));
        replica_send(replica, turn, PEER_NODE(PEER_SHARDD, send->node), MESSAGE_APPEND);
        replication_sent(&journal->core, send, to, entries.size);
    }
    bytes_close(&entries);
    arena_reset(&replica->arena);
    return rc;
}

int journal_send(struct replica *replica, struct replica_turn *turn, struct error *err)
{
    struct replication_send send;
    int rc = E_OK;

    while (rc == E_OK && replication_send(&replica->journal.core, turn->now_ms * MICROS, &send)) {
        rc = send_one(replica, turn, &send, err);
    }
    return rc;
}

/* ---- upkeep ---- */

uint64_t journal_deadline(const struct journal *journal)
{
    uint64_t deadline = replication_deadline(&journal->core);

    return deadline == UINT64_MAX ? deadline : (deadline + MICROS - 1) / MICROS;
}
