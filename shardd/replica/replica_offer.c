#include "shardd/replica/replica_offer.h"

#include "common/log.h"
#include "common/mem.h"

#include <assert.h>
#include <inttypes.h>

static void add_lock(void *ctx, uint16_t slot, enum item_mode mode)
{
    lock_set_add(ctx, slot, mode);
}

/* ---- writes ---- */

/* What the changes touch and whether they can be applied, as the event wants it. */
static void examine(struct replica *replica, struct slice changes, struct participant_event *event,
                    struct error *err)
{
    replica->examined++;
    event->check = store_items(replica->store, changes, add_lock, event->locks, err);
    if (event->check == E_OK) {
        event->check = store_check(replica->store, changes, err);
    }
    if (event->check != E_OK) {
        event->check_text = slice_text(err->text);
    }
}

/* A write that queues is not examined again before what is in its way has gone. */
static void keep_locks(struct replica_request *request, struct lock_set *locks)
{
    lock_set_close(&request->locks);
    if (request->state == REQUEST_QUEUED) {
        request->locks = *locks;
    } else {
        lock_set_close(locks);
    }
    *locks = (struct lock_set){0};
}

static void offer_commit1(struct replica *replica, struct replica_request *request,
                          struct replica_turn *turn)
{
    struct txn_request txn;
    struct lock_set locks = {0};
    struct error err = {0};
    struct bytes body;

    int rc = txn_request_decode(request->message.body, &replica->arena, &txn, &err);
    if (rc == E_OK && (txn.part_count != 1 || txn.parts[0].shard != replica->shard)) {
        txn_request_close(&txn);
        rc = error_set(&err, E_MALFORMED, "one part for shard %u expected", replica->shard);
    }
    if (rc != E_OK) {
        replica_refuse(request, turn->out, &err);
        return;
    }
    request->sid = txn.sid;
    request->seq = txn.seq;
    struct participant_event event = {.kind = PARTICIPANT_COMMIT1,
                                      .token = request->token,
                                      .epoch = txn.parts[0].epoch,
                                      .sid = txn.sid,
                                      .seq = txn.seq,
                                      .low_seq = txn.low_seq,
                                      .readset = &txn.parts[0].readset,
                                      .locks = &locks};
    examine(replica, txn.parts[0].changes, &event, &err);
    bytes_init(&body, 0);
    bytes_varint(&body, txn.sid);
    bytes_varint(&body, txn.seq);
    bytes_varint(&body, txn.low_seq);
    bytes_append(&body, txn.parts[0].changes.data, txn.parts[0].changes.size);
    replica_feed(replica, turn, &event,
                 slice_of(arena_copy(&replica->arena, body.data, body.size), body.size));
    bytes_close(&body);
    keep_locks(request, &locks);
    txn_request_close(&txn);
}

/* The body of a PREPARE or VALIDATE. The read set is to be closed. */
static int decode_part(struct replica *replica, struct replica_request *request,
                       struct txn_prepare *prepare, struct error *err)
{
    int rc = txn_prepare_decode(request->message.body, prepare, err);

    if (rc == E_OK && prepare->part.shard != replica->shard) {
        txn_readset_close(&prepare->part.readset);
        rc = error_set(err, E_MALFORMED, "part for shard %u expected", replica->shard);
    }
    request->gtid = prepare->gtid;
    request->sid = prepare->sid;
    request->seq = prepare->seq;
    return rc;
}

static void offer_prepare(struct replica *replica, struct replica_request *request,
                          struct replica_turn *turn)
{
    struct txn_prepare prepare;
    struct lock_set locks = {0};
    struct error err = {0};

    if (decode_part(replica, request, &prepare, &err) != E_OK) {
        replica_refuse(request, turn->out, &err);
        return;
    }
    struct participant_event event = {.kind = PARTICIPANT_PREPARE,
                                      .token = request->token,
                                      .epoch = prepare.part.epoch,
                                      .sid = prepare.sid,
                                      .seq = prepare.seq,
                                      .gtid = prepare.gtid,
                                      .watermark = prepare.watermark,
                                      .readset = &prepare.part.readset,
                                      .locks = &locks};
    examine(replica, prepare.part.changes, &event, &err);
    replica_feed(replica, turn, &event, (struct slice){0});
    keep_locks(request, &locks);
    txn_readset_close(&prepare.part.readset);
}

static void offer_decide(struct replica *replica, struct replica_request *request,
                         struct replica_turn *turn)
{
    struct txn_reply decision;
    struct error err = {0};

    if (txn_reply_decode(request->message.body, &decision, &err) != E_OK) {
        replica_refuse(request, turn->out, &err);
        return;
    }
    if (decision.outcome != TXN_COMMITTED && decision.outcome != TXN_ABORTED) {
        request->state = REQUEST_DONE; /* WAIT: asked again later. */
        return;
    }
    uint64_t alarms = replica->core.counters.alarms;
    request->gtid = decision.gtid;
    replica_feed(
        replica, turn,
        &(struct participant_event){.kind = PARTICIPANT_DECIDE,
                                    .token = request->token,
                                    .gtid = decision.gtid,
                                    .is_commit = decision.outcome == TXN_COMMITTED,
                                    .is_told = request->message.type == MESSAGE_INQUIRE_REPLY},
        (struct slice){0});
    if (replica->core.counters.alarms > alarms) {
        log_error(turn->log, "replica",
                  "shard=%" PRIu32 " txn=%" PRIu64 ".%" PRIu64
                  " msg=\"told to commit what was never prepared here: has this shard lost its "
                  "journal?\"",
                  replica->shard, decision.gtid.term, decision.gtid.counter);
    }
}

void replica_refuse_late(struct replica *replica, struct replica_turn *turn)
{
    struct error err;

    for (size_t i = 0; i < replica->request_count; i++) {
        struct replica_request *request = replica->requests[i];
        if (turn->now_ms < request->until_ms ||
            (request->state != REQUEST_QUEUED && request->state != REQUEST_WAITING)) {
            continue;
        }
        if (replica->is_serving) {
            participant_forget(&replica->core, request->token);
        }
        error_set(&err, E_TIMEOUT, "the request waited too long at shard %u", replica->shard);
        replica_refuse(request, turn->out, &err);
    }
}

/* What is appended in a turn is bounded; the first one always fits. */
static bool is_batch_full(const struct replica *replica, const struct replica_turn *turn,
                          uint64_t end_us)
{
    return replica->journal.batch_count >= REPLICA_BATCH_ENTRIES ||
           replica->journal.batch_bytes >= REPLICA_BATCH_BYTES ||
           (turn->micros != NULL && turn->micros() >= end_us);
}

void replica_offer_writes(struct replica *replica, struct replica_turn *turn)
{
    uint64_t end_us = turn->micros == NULL ? 0 : turn->micros() + REPLICA_BATCH_US;
    bool is_full = false;

    for (size_t i = 0; i < replica->request_count && !is_full; i++) {
        struct replica_request *request = replica->requests[i];
        enum message_type type = request->message.type;
        if (request->state != REQUEST_QUEUED || type == MESSAGE_READ || type == MESSAGE_VALIDATE ||
            participant_is_pending(&replica->core, &request->locks)) {
            continue;
        }
        if (type == MESSAGE_COMMIT1) {
            offer_commit1(replica, request, turn);
        } else if (type == MESSAGE_PREPARE) {
            offer_prepare(replica, request, turn);
        } else {
            offer_decide(replica, request, turn);
        }
        is_full = is_batch_full(replica, turn, end_us);
    }
}

/* ---- reads ---- */

static void offer_validate(struct replica *replica, struct replica_request *request,
                           struct replica_turn *turn)
{
    struct txn_prepare validate;
    struct error err = {0};

    if (decode_part(replica, request, &validate, &err) != E_OK) {
        replica_refuse(request, turn->out, &err);
        return;
    }
    replica_feed(replica, turn,
                 &(struct participant_event){.kind = PARTICIPANT_VALIDATE,
                                             .token = request->token,
                                             .epoch = validate.part.epoch,
                                             .readset = &validate.part.readset},
                 (struct slice){0});
    txn_readset_close(&validate.part.readset);
}

/* The answer is written; may it be given? Only prepared transactions can be in the way. */
static void ask_to_answer(struct replica *replica, struct replica_request *request,
                          const struct read_request *read, struct replica_turn *turn)
{
    struct read_reply reply = {0};
    struct txn_readset none = {0};
    bool is_asking = participant_has_prepared(&replica->core);

    if (is_asking) {
        struct error err = {0};
        int rc = read_reply_open(bytes_slice(&replica->body), &replica->arena, read->id_int, &reply,
                                 &err);
        assert(rc == E_OK);
    }
    replica_feed(replica, turn,
                 &(struct participant_event){.kind = PARTICIPANT_READ,
                                             .token = request->token,
                                             .since_ms = request->arrived_ms,
                                             .readset = is_asking ? &reply.head.readset : &none},
                 (struct slice){0});
    if (is_asking) {
        read_reply_close(&reply);
    }
}

/* Rows of SQLite's, and what was looked at in the cache or in a run. */
static uint64_t work_of(const struct replica *replica)
{
    struct store_counters counters = store_counters(replica->store);

    return counters.rows + counters.scanned;
}

static void offer_read(struct replica *replica, struct replica_request *request,
                       struct replica_turn *turn)
{
    struct read_request read;
    struct error err = {0};
    struct store_budget budget = {.rows = turn->rows_left,
                                  .bytes = READ_REPLY_BYTES,
                                  .micros = turn->micros,
                                  .end_us = turn->reads_end_us};
    uint64_t before = work_of(replica);

    if (request->message.epoch != replica->epoch) {
        error_set(&err, E_WRONG_EPOCH, "shard %u has another epoch", replica->shard);
        replica_refuse(request, turn->out, &err);
        return;
    }
    int rc = read_request_decode(request->message.body, &replica->arena, &read, &err);
    if (rc == E_OK) {
        if (participant_has_prepared(&replica->core)) {
            read.skip_readset = false;
        }
        bytes_clear(&replica->body);
        rc = store_read(replica->store, &read, &budget, &replica->body, &err);
    }
    uint64_t work = work_of(replica) - before + 1;
    turn->rows_left -= work < turn->rows_left ? work : turn->rows_left;
    if (rc != E_OK) {
        replica_refuse(request, turn->out, &err);
    } else {
        ask_to_answer(replica, request, &read, turn);
    }
    read_request_close(&read);
}

/* Reading again helps only when the locks have gone; when the time is up, none of it does. */
static bool is_read_due(const struct replica *replica, const struct replica_request *request,
                        uint64_t now_ms)
{
    if (request->message.type != MESSAGE_READ) {
        return false;
    }
    if (request->state == REQUEST_QUEUED) {
        return true;
    }
    return request->state == REQUEST_WAITING &&
           (!participant_is_blocked(&replica->core, request->token) ||
            now_ms >= request->arrived_ms + PARTICIPANT_READ_WAIT_MS);
}

static struct replica_lane *lane_of(struct replica *replica, peer_id peer)
{
    for (size_t i = 0; i < replica->lane_count; i++) {
        if (replica->lanes[i].peer == peer) {
            return &replica->lanes[i];
        }
    }
    return NULL;
}

/* Who has reads that are due, in order of arrival. */
static void find_lanes(struct replica *replica, uint64_t now_ms)
{
    peer_id last = 0;

    replica->lane_count = 0;
    for (size_t i = 0; i < replica->request_count; i++) {
        peer_id peer = replica->requests[i]->message.peer;
        if (peer == last || !is_read_due(replica, replica->requests[i], now_ms)) {
            continue;
        }
        last = peer;
        if (lane_of(replica, peer) != NULL) {
            continue;
        }
        if (replica->lane_count == replica->lane_room) {
            replica->lane_room = replica->lane_room * 2 + 8;
            replica->lanes =
                mem_resize(replica->lanes, replica->lane_room * sizeof *replica->lanes);
        }
        replica->lanes[replica->lane_count++] = (struct replica_lane){peer, i};
    }
}

/* Offers the next read of the lane. Returns false if there is none. */
static bool offer_next(struct replica *replica, struct replica_lane *lane,
                       struct replica_turn *turn)
{
    while (lane->at < replica->request_count) {
        struct replica_request *request = replica->requests[lane->at++];
        if (request->message.peer == lane->peer && is_read_due(replica, request, turn->now_ms)) {
            replica->read_peer = lane->peer;
            offer_read(replica, request, turn);
            arena_reset(&replica->arena);
            return true;
        }
    }
    return false;
}

/* One read of each who asks, and again, beginning with the one after the last of the turn before.
 */
static void offer_in_turns(struct replica *replica, struct replica_turn *turn)
{
    struct replica_lane *last = lane_of(replica, replica->read_peer);
    size_t at = last == NULL ? 0 : (size_t)(last - replica->lanes) + 1;
    size_t idle = 0; /* Lanes in a row without a read. */

    while (idle < replica->lane_count) {
        struct replica_lane *lane = &replica->lanes[at++ % replica->lane_count];
        idle = offer_next(replica, lane, turn) ? 0 : idle + 1;
        if (idle == 0 && (turn->rows_left == 0 ||
                          (turn->micros != NULL && turn->micros() >= turn->reads_end_us))) {
            return;
        }
    }
}

void replica_offer_reads(struct replica *replica, struct replica_turn *turn)
{
    for (size_t i = 0; i < replica->request_count; i++) {
        struct replica_request *request = replica->requests[i];
        enum message_type type = request->message.type;
        if (request->state == REQUEST_QUEUED && type == MESSAGE_VALIDATE) {
            offer_validate(replica, request, turn);
        }
    }
    if (turn->rows_left > 0) {
        find_lanes(replica, turn->now_ms);
        offer_in_turns(replica, turn);
    }
}
