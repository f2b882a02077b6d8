#include "shardd/replica/replica.h"

#include <assert.h>

/* What the participant core wants done. */

static enum message_type reply_type(enum message_type type)
{
    return type == MESSAGE_COMMIT1   ? MESSAGE_COMMIT1_REPLY
           : type == MESSAGE_PREPARE ? MESSAGE_PREPARED
           : type == MESSAGE_DECIDE  ? MESSAGE_DECIDED
                                     : MESSAGE_VALIDATE_REPLY;
}

static void answer_read(struct replica *replica, struct replica_request *request,
                        const struct participant_effect *effect, struct outbox *out)
{
    if (effect->outcome == TXN_COMMITTED) {
        outbox_reply(out, &request->message, MESSAGE_READ_REPLY, bytes_slice(&replica->body));
    } else {
        struct error err;
        error_set(&err, effect->code, "%.*s", (int)effect->text.size,
                  (const char *)effect->text.data);
        outbox_refuse(out, &request->message, &err);
    }
}

static void answer(struct replica *replica, struct replica_request *request,
                   const struct participant_effect *effect, struct outbox *out)
{
    request->state = REQUEST_DONE;
    if (request->message.type == MESSAGE_INQUIRE_REPLY) {
        return;
    }
    if (request->message.type == MESSAGE_READ) {
        answer_read(replica, request, effect, out);
        return;
    }
    struct txn_reply reply = {.gtid = request->gtid,
                              .sid = request->sid,
                              .seq = request->seq,
                              .index = effect->index,
                              .outcome = effect->outcome,
                              .code = effect->code,
                              .text = effect->text};
    bytes_clear(&replica->body);
    txn_reply_encode(&replica->body, &reply);
    outbox_reply(out, &request->message, reply_type(request->message.type),
                 bytes_slice(&replica->body));
}

/* Bodies of entries live until the batch is durable: in the turn's arena, or in the request. */
static struct slice entry_body(struct replica *replica, const struct participant_effect *effect,
                               const struct replica_request *request)
{
    struct bytes body;
    struct slice kept;

    if (effect->entry == STORE_PREPARE) {
        return request->message.body;
    }
    if (effect->entry == STORE_SCHEMA) {
        return bytes_slice(&replica->schema_body);
    }
    bytes_init(&body, 0);
    if (effect->entry == STORE_COMMIT || effect->entry == STORE_ABORT) {
        bytes_varint(&body, effect->gtid.term);
        bytes_varint(&body, effect->gtid.counter);
        bytes_varint(&body, replica->core.watermark.term);
        bytes_varint(&body, replica->core.watermark.counter);
    }
    kept = slice_of(arena_copy(&replica->arena, body.data, body.size), body.size);
    bytes_close(&body);
    return kept;
}

static void append(struct replica *replica, const struct participant_effect *effect,
                   struct replica_request *request, struct slice body)
{
    if (request != NULL) {
        request->state = REQUEST_APPENDED;
    }
    journal_add(&replica->journal, &(struct store_entry){.index = effect->index,
                                                         .epoch = replica->epoch,
                                                         .kind = effect->entry,
                                                         .body = body});
}

static void inquire(struct replica *replica, const struct participant_effect *effect,
                    struct replica_turn *turn)
{
    struct txn_reply ask = {.gtid = effect->gtid};

    bytes_clear(&replica->body);
    txn_reply_encode(&replica->body, &ask);
    struct message *message =
        outbox_send(turn->out, turn->coordinator, MESSAGE_INQUIRE, bytes_slice(&replica->body));
    message->shard = replica->shard;
    message->epoch = replica->epoch;
}

/* txn1: body of a TXN1 entry, if that is what comes of the event. */
static void carry(struct replica *replica, struct replica_turn *turn, struct slice txn1)
{
    for (size_t i = 0; i < replica->effects.count; i++) {
        const struct participant_effect *effect = &replica->effects.items[i];
        struct replica_request *request =
            effect->token == 0 ? NULL : replica_request(replica, effect->token);
        switch (effect->kind) {
        case PARTICIPANT_DO_APPEND:
            append(replica, effect, request,
                   effect->entry == STORE_TXN1 ? txn1 : entry_body(replica, effect, request));
            break;
        case PARTICIPANT_DO_ANSWER:
            if (request != NULL) {
                answer(replica, request, effect, turn->out);
            }
            break;
        case PARTICIPANT_DO_DROP:
            if (request != NULL) {
                request->state = REQUEST_DONE;
            }
            break;
        case PARTICIPANT_DO_QUEUE:
            if (request != NULL) {
                request->queued_at = replica->core.applied;
            }
            break;
        case PARTICIPANT_DO_WAIT:
            assert(request != NULL);
            request->state = REQUEST_WAITING;
            break;
        case PARTICIPANT_DO_INQUIRE:
            inquire(replica, effect, turn);
            break;
        }
    }
}

void replica_feed(struct replica *replica, struct replica_turn *turn,
                  struct participant_event *event, struct slice txn1)
{
    event->now_ms = turn->now_ms;
    participant_advance(&replica->core, event, &replica->effects);
    carry(replica, turn, txn1);
}
