#include "coordinator/coord_txn.h"

#include "common/log.h"
#include "coordinator/coord_inside.h"

#include <assert.h>
#include <inttypes.h>

/* A req_id of ours: what was asked, the low bits of the term, the transaction's counter. */
enum {
    ASK_SHIFT = 60,
    TERM_SHIFT = 40 /* 10^12 transactions of a term. */
};

enum ask { ASK_PREPARE = 1, ASK_VALIDATE, ASK_DECIDE };

static const uint64_t COUNTER_MASK = ((uint64_t)1 << TERM_SHIFT) - 1;
static const uint64_t TERM_MASK = ((uint64_t)1 << (ASK_SHIFT - TERM_SHIFT)) - 1;

static uint64_t ask_id(enum ask ask, struct txn_gtid gtid)
{
    assert(gtid.counter <= COUNTER_MASK);
    return (uint64_t)ask << ASK_SHIFT | (gtid.term & TERM_MASK) << TERM_SHIFT | gtid.counter;
}

/* ---- effects ---- */

static struct message *send_to_shard(struct coord *coord, uint32_t number, enum message_type type,
                                     enum ask ask, struct txn_gtid gtid)
{
    const struct state_shard *shard = state_shard(&coord->state, number);

    if (shard == NULL || shard->primary_boot == 0) {
        return NULL; /* Repeated later, or gone with its graph. */
    }
    struct message *message = outbox_send(coord->out, PEER_NODE(PEER_SHARDD, shard->primary), type,
                                          bytes_slice(&coord->body));
    message->shard = number;
    message->epoch = shard->epoch;
    message->dst_boot = shard->primary_boot;
    message->req_id = ask_id(ask, gtid);
    return message;
}

/* A PREPARE, or a VALIDATE: the same body, without changes. */
static void send_part(struct coord *coord, const struct decision_effect *effect,
                      enum message_type type, enum ask ask)
{
    struct txn_prepare prepare = {.gtid = effect->gtid,
                                  .watermark = effect->watermark,
                                  .sid = effect->sid,
                                  .seq = effect->seq,
                                  .part = *effect->part};

    bytes_clear(&coord->body);
    txn_prepare_encode(&coord->body, &prepare);
    send_to_shard(coord, effect->part->shard, type, ask, effect->gtid);
}

static void send_decide(struct coord *coord, const struct decision_effect *effect)
{
    struct txn_reply decision = {.gtid = effect->gtid,
                                 .term = consensus_term(coord->consensus),
                                 .outcome = effect->is_commit ? TXN_COMMITTED : TXN_ABORTED};

    bytes_clear(&coord->body);
    txn_reply_encode(&coord->body, &decision);
    send_to_shard(coord, effect->shard, MESSAGE_DECIDE, ASK_DECIDE, effect->gtid);
}

static void answer_txn(struct coord *coord, const struct decision_effect *effect)
{
    const struct coord_request *request = coord_request(coord, effect->token);
    struct txn_reply reply = {.gtid = effect->gtid,
                              .sid = effect->sid,
                              .seq = effect->seq,
                              .term = consensus_term(coord->consensus),
                              .outcome = effect->outcome,
                              .code = effect->code,
                              .text = effect->text};

    if (request == NULL) {
        return;
    }
    bytes_clear(&coord->body);
    txn_reply_encode(&coord->body, &reply);
    coord_answer(coord, effect->token,
                 request->message.type == MESSAGE_INQUIRE ? MESSAGE_INQUIRE_REPLY
                                                          : MESSAGE_TXN_REPLY,
                 bytes_slice(&coord->body));
}

static void refuse_txn(struct coord *coord, const struct decision_effect *effect)
{
    struct error err;

    error_set(&err, effect->code, "%.*s", (int)effect->text.size, (const char *)effect->text.data);
    coord_refuse(coord, effect->token, &err);
}

static void submit_decision(struct coord *coord, const struct decision_effect *effect)
{
    coord_submit(coord,
                 &(struct state_command){.kind = STATE_DECIDE,
                                         .gtid = effect->gtid,
                                         .sid = effect->sid,
                                         .seq = effect->seq,
                                         .low_seq = effect->low_seq,
                                         .shard_count = effect->count,
                                         .shards = effect->shards},
                 0);
}

static void submit_forget(struct coord *coord, const struct decision_effect *effect)
{
    coord_submit(coord,
                 &(struct state_command){
                     .kind = STATE_FORGET, .gtid_count = effect->count, .gtids = effect->gtids},
                 0);
}

void coord_txn_feed(struct coord *coord, struct decision_event *event)
{
    event->now_ms = coord->now_ms;
    decision_advance(&coord->decision, event, &coord->effects);
    for (size_t i = 0; i < coord->effects.count; i++) {
        const struct decision_effect *effect = &coord->effects.items[i];
        switch (effect->kind) {
        case DECISION_SEND_PREPARE:
            send_part(coord, effect, MESSAGE_PREPARE, ASK_PREPARE);
            break;
        case DECISION_SEND_VALIDATE:
            send_part(coord, effect, MESSAGE_VALIDATE, ASK_VALIDATE);
            break;
        case DECISION_SEND_DECIDE:
            send_decide(coord, effect);
            break;
        case DECISION_ANSWER:
            answer_txn(coord, effect);
            break;
        case DECISION_REFUSE:
            refuse_txn(coord, effect);
            break;
        case DECISION_DROP:
            coord_end(coord, effect->token);
            break;
        case DECISION_SUBMIT:
            submit_decision(coord, effect);
            break;
        case DECISION_FORGET:
            submit_forget(coord, effect);
            break;
        }
    }
}

/* ---- messages ---- */

static void on_txn(struct coord *coord, const struct message *message)
{
    struct reader reader;

    reader_init(&reader, message->body);
    uint64_t sid = reader_varint(&reader);
    map_put(&coord->heard, sid, coord->now_ms);
    coord_txn_feed(coord, &(struct decision_event){.kind = DECISION_TXN,
                                                   .token = coord_take(coord, message),
                                                   .body = message->body});
}

/* A shard that was told to commit and cannot is the one thing that must never be: it is logged, and
 * the decision stays open and is told again. */
static void on_decided(struct coord *coord, const struct message *message,
                       const struct txn_reply *reply)
{
    if (reply->outcome == TXN_COMMITTED) {
        coord_txn_feed(coord, &(struct decision_event){.kind = DECISION_DONE,
                                                       .gtid = reply->gtid,
                                                       .shard = message->shard});
        return;
    }
    log_error(coord->options.log, "txn",
              "txn=%" PRIu64 ".%" PRIu64 " shard=%" PRIu32 " msg=\"a committed transaction cannot "
              "be carried out: has the shard lost its journal?\" reason=\"%.*s\"",
              reply->gtid.term, reply->gtid.counter, message->shard, (int)reply->text.size,
              (const char *)reply->text.data);
}

static void on_reply(struct coord *coord, const struct message *message)
{
    struct txn_reply reply;

    if (txn_reply_decode(message->body, &reply, NULL) != E_OK) {
        return;
    }
    if (message->type == MESSAGE_DECIDED) {
        on_decided(coord, message, &reply);
        return;
    }
    coord_txn_feed(
        coord, &(struct decision_event){
                   .kind = message->type == MESSAGE_PREPARED ? DECISION_VOTE : DECISION_VALIDATED,
                   .gtid = reply.gtid,
                   .shard = message->shard,
                   .is_yes = reply.outcome == TXN_COMMITTED,
                   .code = reply.code == E_OK ? E_CONFLICT : reply.code,
                   .text = reply.text});
}

/* A shard that cannot be reached is asked again; one that will not is a no. */
static void on_refused(struct coord *coord, const struct message *message)
{
    struct error err = {0};
    int code = message_refusal(message->body, &err);
    uint64_t ask = message->req_id >> ASK_SHIFT;
    uint64_t term = message->req_id >> TERM_SHIFT & TERM_MASK;

    if (code == E_UNAVAILABLE || code == E_TIMEOUT || (ask != ASK_PREPARE && ask != ASK_VALIDATE) ||
        term != (coord->decision.term & TERM_MASK)) {
        return;
    }
    coord_txn_feed(coord, &(struct decision_event){
                              .kind = ask == ASK_PREPARE ? DECISION_VOTE : DECISION_VALIDATED,
                              .gtid = {coord->decision.term, message->req_id & COUNTER_MASK},
                              .shard = message->shard,
                              .code = code == E_OK ? E_UNAVAILABLE : code,
                              .text = slice_text(err.text)});
}

static void on_question(struct coord *coord, const struct message *message)
{
    struct txn_reply ask;
    struct error err;

    if (txn_reply_decode(message->body, &ask, &err) != E_OK) {
        outbox_refuse(coord->out, message, &err);
        return;
    }
    coord_txn_feed(coord, &(struct decision_event){.kind = message->type == MESSAGE_INQUIRE
                                                               ? DECISION_INQUIRE
                                                               : DECISION_STATUS,
                                                   .token = coord_take(coord, message),
                                                   .gtid = ask.gtid,
                                                   .sid = ask.sid,
                                                   .seq = ask.seq});
}

bool coord_txn_message(struct coord *coord, const struct message *message)
{
    assert(coord->lead_term != 0);
    if (message->type == MESSAGE_TXN) {
        on_txn(coord, message);
    } else if (message->type == MESSAGE_PREPARED || message->type == MESSAGE_VALIDATE_REPLY ||
               message->type == MESSAGE_DECIDED) {
        on_reply(coord, message);
    } else if (message->type == MESSAGE_INQUIRE || message->type == MESSAGE_TXN_STATUS) {
        on_question(coord, message);
    } else if (message->type == MESSAGE_REFUSED) {
        on_refused(coord, message);
    } else {
        return false;
    }
    return true;
}
