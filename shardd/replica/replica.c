#include "shardd/replica/replica.h"

#include "common/log.h"
#include "common/mem.h"
#include "shardd/replica/replica_offer.h"

#include <assert.h>
#include <inttypes.h>
#include <string.h>

enum { FULL_RETRY_MS = 100, READ_LEAST_US = 2500 };

/* ---- open ---- */

struct load {
    struct replica *replica;
    struct error *err;
    int rc;
};

static void add_lock(void *ctx, uint16_t slot, enum item_mode mode)
{
    lock_set_add(ctx, slot, mode);
}

static void add_read_lock(void *ctx, uint16_t slot)
{
    lock_set_add(ctx, slot, ITEM_S);
}

static void load_prepared(void *ctx, uint64_t index, const struct txn_prepare *prepare)
{
    struct load *load = ctx;
    struct lock_set locks = {0};

    if (load->rc != E_OK) {
        return;
    }
    /* The rows are as they were when it was prepared: the locks saw to that. */
    load->rc =
        store_items(load->replica->store, prepare->part.changes, add_lock, &locks, load->err);
    if (load->rc == E_OK) {
        txn_readset_each(&prepare->part.readset, add_read_lock, &locks);
        participant_load_prepared(&load->replica->core, index, prepare->gtid, &locks);
    }
    lock_set_close(&locks);
}

static void load_finished(void *ctx, struct txn_gtid gtid, bool is_committed)
{
    participant_load_finished(&((struct load *)ctx)->replica->core, gtid, is_committed);
}

static void load_session(void *ctx, uint64_t sid, uint64_t seq, uint64_t index)
{
    participant_load_session(&((struct load *)ctx)->replica->core, sid, seq, index);
}

static int load_core(struct replica *replica, struct error *err)
{
    struct load load = {.replica = replica, .err = err};
    struct store_state state = store_state(replica->store);
    int rc;

    assert(state.applied == replica->noop && state.applied == state.last);
    participant_init(&replica->core, replica->epoch, state.last);
    participant_load_watermark(&replica->core, state.watermark);
    rc = store_each_prepared(replica->store, load_prepared, &load, err);
    if (rc != E_OK || load.rc != E_OK) {
        return rc != E_OK ? rc : load.rc;
    }
    rc = store_each_finished(replica->store, load_finished, &load, err);
    if (rc != E_OK) {
        return rc;
    }
    return store_each_session(replica->store, load_session, &load, err);
}

int replica_open(struct replica **replica, const struct store_options *options, uint64_t boot,
                 struct error *err)
{
    struct replica *opened = mem_alloc(sizeof *opened);
    int rc;

    assert(replica != NULL && options != NULL && boot != 0);
    opened->shard = options->shard;
    opened->graph = options->graph;
    opened->boot = boot;
    opened->is_fenced = true;
    arena_init(&opened->arena, 0);
    bytes_init(&opened->body, 0);
    bytes_init(&opened->schema_body, 0);
    rc = store_open(&opened->store, options, err);
    if (rc != E_OK) {
        replica_close(&opened);
        return rc;
    }
    *replica = opened;
    return E_OK;
}

static void request_free(struct replica_request *request)
{
    mem_free((void *)(uintptr_t)request->message.body.data);
    lock_set_close(&request->locks);
    mem_free(request);
}

static void release(struct replica *replica)
{
    for (size_t i = 0; i < replica->request_count; i++) {
        request_free(replica->requests[i]);
    }
    mem_free(replica->requests);
    mem_free(replica->batch);
    mem_free(replica->lanes);
    participant_close(&replica->core);
    participant_effects_close(&replica->effects);
    arena_close(&replica->arena);
    bytes_close(&replica->body);
    bytes_close(&replica->schema_body);
    mem_free(replica);
}

void replica_close(struct replica **replica)
{
    assert(replica != NULL);
    if (*replica == NULL) {
        return;
    }
    if ((*replica)->store != NULL) {
        store_close(&(*replica)->store);
    }
    release(*replica);
    *replica = NULL;
}

int replica_destroy(struct replica **replica, struct error *err)
{
    int rc = store_destroy(&(*replica)->store, err);

    release(*replica);
    *replica = NULL;
    return rc;
}

/* ---- configuration ---- */

void replica_lead(struct replica *replica, uint64_t epoch)
{
    struct store_state state = store_state(replica->store);

    /* An epoch that was promised before the start belonged to another boot of this process. */
    if (epoch > replica->epoch && epoch > state.promised_epoch) {
        replica->want_epoch = epoch;
        replica->is_fenced = false;
    }
}

void replica_fence(struct replica *replica)
{
    replica->is_fenced = true;
}

void replica_schema(struct replica *replica, uint64_t version, struct slice body)
{
    replica->want_schema = version;
    bytes_clear(&replica->schema_body);
    bytes_append(&replica->schema_body, body.data, body.size);
}

/* ---- requests ---- */

void replica_take(struct replica *replica, uint64_t now_ms, const struct message *message,
                  struct outbox *out)
{
    struct error err;

    if (message->dst_boot != 0 && message->dst_boot != replica->boot) {
        return; /* Meant for a process that is no more. */
    }
    if (replica->is_fenced) {
        error_set(&err, E_WRONG_EPOCH, "shard %u is not served here now", replica->shard);
        outbox_refuse(out, message, &err);
        return;
    }
    if (replica->request_count >= REPLICA_REQUESTS_MAX) {
        error_set(&err, E_UNAVAILABLE, "shard %u has %u requests waiting", replica->shard,
                  REPLICA_REQUESTS_MAX);
        outbox_refuse(out, message, &err);
        return;
    }
    if (replica->request_count == replica->request_room) {
        replica->request_room = replica->request_room == 0 ? 64 : replica->request_room * 2;
        replica->requests =
            mem_resize(replica->requests, replica->request_room * sizeof *replica->requests);
    }
    struct replica_request *request = mem_alloc(sizeof *request);
    request->token = ++replica->token_last;
    request->arrived_ms = now_ms;
    request->until_ms = message->deadline_ms == 0 ? UINT64_MAX : now_ms + message->deadline_ms;
    request->message = *message;
    request->message.body.data =
        message->body.size == 0 ? NULL : mem_copy(message->body.data, message->body.size);
    replica->requests[replica->request_count++] = request;
}

bool replica_cancel(struct replica *replica, peer_id peer, uint64_t req_id)
{
    for (size_t i = 0; i < replica->request_count; i++) {
        struct replica_request *request = replica->requests[i];
        if (request->message.peer == peer && request->message.req_id == req_id &&
            request->message.type == MESSAGE_READ) {
            if (replica->is_serving) {
                participant_forget(&replica->core, request->token);
            }
            request->state = REQUEST_DONE;
            return true;
        }
    }
    return false;
}

/* Tokens ascend. */
static struct replica_request *request_of(const struct replica *replica, uint64_t token)
{
    size_t low = 0;
    size_t high = replica->request_count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (replica->requests[middle]->token < token) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low < replica->request_count && replica->requests[low]->token == token
               ? replica->requests[low]
               : NULL;
}

static void remove_done(struct replica *replica)
{
    size_t kept = 0;

    for (size_t i = 0; i < replica->request_count; i++) {
        if (replica->requests[i]->state == REQUEST_DONE) {
            request_free(replica->requests[i]);
        } else {
            replica->requests[kept++] = replica->requests[i];
        }
    }
    replica->request_count = kept;
}

void replica_refuse(struct replica_request *request, struct outbox *out, const struct error *err)
{
    outbox_refuse(out, &request->message, err);
    request->state = REQUEST_DONE;
}

/* ---- effects ---- */

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
    if (replica->batch_count == replica->batch_room) {
        replica->batch_room = replica->batch_room == 0 ? 64 : replica->batch_room * 2;
        replica->batch = mem_resize(replica->batch, replica->batch_room * sizeof *replica->batch);
    }
    if (request != NULL) {
        request->state = REQUEST_APPENDED;
    }
    replica->batch_bytes += body.size;
    replica->batch[replica->batch_count++] = (struct store_entry){
        .index = effect->index, .epoch = replica->epoch, .kind = effect->entry, .body = body};
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
            effect->token == 0 ? NULL : request_of(replica, effect->token);
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

/* ---- commit ---- */

static void wait_for_room(struct replica *replica, struct replica_turn *turn, const char *what)
{
    replica->retry_ms = turn->now_ms + FULL_RETRY_MS;
    log_error(turn->log, "replica", "shard=%u msg=\"cannot %s: disk full\"", replica->shard, what);
}

/* Applies what is committed. */
static int apply(struct replica *replica, struct replica_turn *turn, struct error *err)
{
    int rc = store_apply(replica->store, replica->committed, err);

    replica->is_behind = rc == E_LIMIT;
    if (rc == E_LIMIT) {
        wait_for_room(replica, turn, "apply");
        return E_OK;
    }
    if (rc == E_OK && replica->is_serving) {
        replica_feed(
            replica, turn,
            &(struct participant_event){.kind = PARTICIPANT_APPLIED, .index = replica->committed},
            (struct slice){0});
    }
    return rc;
}

static void lose_batch(struct replica *replica, struct replica_turn *turn)
{
    wait_for_room(replica, turn, "append");
    replica_feed(replica, turn,
                 &(struct participant_event){.kind = PARTICIPANT_LOST,
                                             .index = store_state(replica->store).last,
                                             .check = E_LIMIT,
                                             .check_text = SLICE("the shard's disk is full")},
                 (struct slice){0});
}

static int commit(struct replica *replica, struct replica_turn *turn, struct error *err)
{
    struct error why = {0};

    if (replica->batch_count == 0) {
        return E_OK;
    }
    int rc = store_append(replica->store,
                          &(struct store_append){.entries = replica->batch,
                                                 .count = replica->batch_count,
                                                 .promise = replica->epoch},
                          &why);
    replica->batch_count = 0;
    replica->batch_bytes = 0;
    replica->is_tend_due = true;
    if (rc == E_LIMIT) {
        lose_batch(replica, turn);
        return E_OK;
    }
    if (rc != E_OK) {
        if (err != NULL) {
            *err = why;
        }
        return rc;
    }
    replica->committed = store_state(replica->store).last;
    replica_feed(
        replica, turn,
        &(struct participant_event){.kind = PARTICIPANT_COMMITTED, .index = replica->committed},
        (struct slice){0});
    return apply(replica, turn, err);
}

/* ---- epochs ---- */

/* What was appended and is not answered is left to the next primary: who asked asks again. */
static void step_down(struct replica *replica)
{
    if (!replica->is_serving) {
        return;
    }
    for (size_t i = 0; i < replica->request_count; i++) {
        if (replica->requests[i]->state == REQUEST_APPENDED) {
            replica->requests[i]->state = REQUEST_DONE;
        } else if (replica->requests[i]->state == REQUEST_WAITING) {
            replica->requests[i]->state = REQUEST_QUEUED;
        }
    }
    participant_close(&replica->core);
    replica->is_serving = false;
}

/* Appends the epoch's NOOP. */
static int begin_epoch(struct replica *replica, struct replica_turn *turn, struct error *err)
{
    struct store_entry noop = {.index = store_state(replica->store).last + 1,
                               .epoch = replica->want_epoch,
                               .kind = STORE_NOOP};
    struct error why = {0};

    step_down(replica);
    int rc = store_append(
        replica->store,
        &(struct store_append){.entries = &noop, .count = 1, .promise = replica->want_epoch}, &why);
    if (rc == E_LIMIT) {
        wait_for_room(replica, turn, "lead");
        return E_OK;
    }
    if (rc != E_OK) {
        if (err != NULL) {
            *err = why;
        }
        return rc;
    }
    replica->epoch = replica->want_epoch;
    replica->noop = noop.index;
    replica->committed = noop.index;
    return apply(replica, turn, err);
}

static int serve(struct replica *replica, struct replica_turn *turn, struct error *err)
{
    int rc = load_core(replica, err);

    if (rc == E_OK) {
        replica->is_serving = true;
        log_info(turn->log, "replica", "shard=%u epoch=%" PRIu64 " msg=\"leads\"", replica->shard,
                 replica->epoch);
    }
    return rc;
}

/* Leads under the epoch that is wanted, as far as it can be brought now. */
static int adopt(struct replica *replica, struct replica_turn *turn, struct error *err)
{
    int rc = E_OK;

    if (replica->is_behind) {
        rc = apply(replica, turn, err);
    }
    if (rc == E_OK && !replica->is_behind && replica->want_epoch > replica->epoch) {
        rc = begin_epoch(replica, turn, err);
    }
    if (rc == E_OK && !replica->is_serving && replica->epoch != 0 && !replica->is_behind &&
        replica->epoch == replica->want_epoch) {
        rc = serve(replica, turn, err);
    }
    if (rc != E_OK || !replica->is_serving || replica->is_behind ||
        replica->want_schema <= store_state(replica->store).schema_version) {
        return rc;
    }
    replica_feed(replica, turn, &(struct participant_event){.kind = PARTICIPANT_SCHEMA},
                 (struct slice){0});
    return commit(replica, turn, err);
}

/* ---- the turn ---- */

bool replica_turn_is_over(const struct replica_turn *turn)
{
    return turn->micros != NULL && turn->micros() >= turn->end_us;
}

static void refuse_all(struct replica *replica, struct replica_turn *turn)
{
    struct error err;

    step_down(replica);
    error_set(&err, E_WRONG_EPOCH, "shard %u is not served here now", replica->shard);
    for (size_t i = 0; i < replica->request_count; i++) {
        if (replica->requests[i]->state != REQUEST_DONE) {
            replica_refuse(replica->requests[i], turn->out, &err);
        }
    }
    remove_done(replica);
}

void replica_abandon(struct replica *replica, struct outbox *out, const struct error *err)
{
    for (size_t i = 0; i < replica->request_count; i++) {
        struct replica_request *request = replica->requests[i];
        if (request->state == REQUEST_QUEUED || request->state == REQUEST_WAITING) {
            replica_refuse(request, out, err);
        }
    }
}

/* However long the disk took for the writes, reads have a part of the turn. */
static void leave_room(struct replica_turn *turn)
{
    if (turn->micros != NULL) {
        uint64_t least_us = turn->micros() + READ_LEAST_US;
        turn->reads_end_us = turn->end_us > least_us ? turn->end_us : least_us;
    }
}

int replica_turn(struct replica *replica, struct replica_turn *turn, struct error *err)
{
    arena_reset(&replica->arena);
    assert(replica->batch_count == 0);
    if (replica->is_fenced) {
        refuse_all(replica, turn);
        return E_OK;
    }
    if ((replica->is_behind || !replica->is_serving) && turn->now_ms < replica->retry_ms) {
        return E_OK; /* Nothing else until what is durable is also visible. */
    }
    int rc = adopt(replica, turn, err);
    if (rc != E_OK || replica->is_behind || !replica->is_serving) {
        return rc;
    }
    replica_offer_writes(replica, turn);
    if (turn->now_ms >= participant_deadline(&replica->core)) {
        replica_feed(replica, turn, &(struct participant_event){.kind = PARTICIPANT_TIMEOUT},
                     (struct slice){0});
    }
    rc = commit(replica, turn, err);
    if (rc == E_OK && !replica->is_behind) {
        leave_room(turn);
        replica_offer_reads(replica, turn);
    }
    remove_done(replica);
    return rc;
}

uint64_t replica_deadline(const struct replica *replica)
{
    if (replica->is_fenced) {
        return replica->request_count > 0 ? 0 : UINT64_MAX;
    }
    if (replica->is_behind || !replica->is_serving) {
        return replica->want_epoch == 0 ? UINT64_MAX : replica->retry_ms;
    }
    if (replica->want_epoch > replica->epoch) {
        return 0;
    }
    uint64_t deadline = participant_deadline(&replica->core);
    for (size_t i = 0; i < replica->request_count; i++) {
        const struct replica_request *request = replica->requests[i];
        if (request->state != REQUEST_WAITING) {
            return 0;
        }
        uint64_t at = request->arrived_ms + PARTICIPANT_READ_WAIT_MS;
        deadline = at < deadline ? at : deadline;
    }
    return deadline;
}

int replica_tend(struct replica *replica, uint64_t keep, struct error *err)
{
    struct error problem = {0};

    replica->is_tend_due = store_tend(replica->store, keep, &problem);
    if (problem.code != E_OK && problem.code != E_LIMIT) {
        if (err != NULL) {
            *err = problem;
        }
        return problem.code;
    }
    return E_OK;
}
