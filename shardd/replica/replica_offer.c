#include "shardd/replica/replica_offer.h"

#include "common/log.h"

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
    event->check = store_items(replica->store, changes, add_lock, event->locks, err);
    if (event->check == E_OK) {
        event->check = store_check(replica->store, changes, err);
    }
    if (event->check != E_OK) {
        event->check_text = slice_text(err->text);
    }
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
    lock_set_close(&locks);
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
    lock_set_close(&locks);
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

static bool is_late(struct replica *replica, struct replica_request *request,
                    struct replica_turn *turn)
{
    struct error err;

    if (turn->now_ms < request->until_ms) {
        return false;
    }
    participant_forget(&replica->core, request->token);
    error_set(&err, E_TIMEOUT, "the request waited too long at shard %u", replica->shard);
    replica_refuse(request, turn->out, &err);
    return true;
}

void replica_offer_writes(struct replica *replica, struct replica_turn *turn)
{
    for (size_t i = 0; i < replica->request_count; i++) {
        struct replica_request *request = replica->requests[i];
        enum message_type type = request->message.type;
        if (request->state != REQUEST_QUEUED || type == MESSAGE_READ || type == MESSAGE_VALIDATE ||
            is_late(replica, request, turn)) {
            continue;
        }
        if (type == MESSAGE_COMMIT1) {
            offer_commit1(replica, request, turn);
        } else if (type == MESSAGE_PREPARE) {
            offer_prepare(replica, request, turn);
        } else {
            offer_decide(replica, request, turn);
        }
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

static void offer_read(struct replica *replica, struct replica_request *request,
                       struct replica_turn *turn)
{
    struct read_request read;
    struct error err = {0};
    struct store_budget budget = {.rows = turn->rows_left, .bytes = READ_REPLY_BYTES};
    uint64_t rows = store_counters(replica->store).rows;

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
    rows = store_counters(replica->store).rows - rows + 1;
    turn->rows_left -= rows < turn->rows_left ? rows : turn->rows_left;
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

void replica_offer_reads(struct replica *replica, struct replica_turn *turn)
{
    for (size_t i = 0; i < replica->request_count; i++) {
        struct replica_request *request = replica->requests[i];
        if (request->state == REQUEST_QUEUED && request->message.type == MESSAGE_VALIDATE) {
            offer_validate(replica, request, turn);
        }
    }
    for (size_t i = 0; i < replica->request_count && turn->rows_left > 0; i++) {
        struct replica_request *request = replica->requests[i];
        if (is_read_due(replica, request, turn->now_ms) && !is_late(replica, request, turn)) {
            offer_read(replica, request, turn);
            arena_reset(&replica->arena);
        }
    }
}
