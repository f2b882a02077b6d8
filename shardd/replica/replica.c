#include "shardd/replica/replica.h"

#include "common/log.h"
#include "common/mem.h"
#include "shardd/replica/replica_offer.h"

#include <assert.h>
#include <inttypes.h>
#include <string.h>

enum { READ_LEAST_US = 2500, SESSIONS_LOOK_MS = 60000, SESSION_MS = 3600000 };

/* ---- open ---- */

int replica_open(struct replica **replica, const struct replica_options *options, struct error *err)
{
    struct replica *opened = mem_alloc(sizeof *opened);
    int rc;

    assert(replica != NULL && options != NULL && options->boot != 0 && options->node != 0);
    opened->node = options->node;
    opened->shard = options->store.shard;
    opened->graph = options->store.graph;
    opened->boot = options->boot;
    opened->session_ms = SESSION_MS;
    arena_init(&opened->arena, 0);
    bytes_init(&opened->body, 0);
    bytes_init(&opened->schema_body, 0);
    opened->path = mem_text(options->store.path);
    rc = store_open(&opened->store, &options->store, err);
    if (rc == E_OK && options->is_received) {
        /* A lease may be out that was granted before the file came. */
        rc = store_append(opened->store, &(struct store_append){.has_granted = true}, err);
    }
    if (rc == E_OK) {
        rc = journal_start(opened, options->now_ms, err);
    }
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
    mem_free(replica->lanes);
    mem_free(replica->path);
    journal_close(&replica->journal);
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
    outgoing_close(&(*replica)->outgoing);
    if ((*replica)->store != NULL) {
        store_close(&(*replica)->store);
    }
    release(*replica);
    *replica = NULL;
}

int replica_destroy(struct replica **replica, struct error *err)
{
    outgoing_close(&(*replica)->outgoing);
    int rc = store_destroy(&(*replica)->store, err);

    release(*replica);
    *replica = NULL;
    return rc;
}

/* ---- configuration ---- */

void replica_configure(struct replica *replica, const struct replication_config *config)
{
    journal_configure(&replica->journal, config);
}

bool replica_is_primary(const struct replica *replica)
{
    const struct replication_config *config = &replica->journal.config;

    return config->epoch != 0 && config->primary == replica->node &&
           config->primary_boot == replica->boot;
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
    if (!replica_is_primary(replica)) {
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
struct replica_request *replica_request(const struct replica *replica, uint64_t token)
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

/* ---- serving ---- */

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

    assert(state.applied == state.last);
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

int replica_serve(struct replica *replica, struct replica_turn *turn, uint64_t epoch,
                  struct error *err)
{
    assert(!replica->is_serving);
    replica->epoch = epoch;
    replica->told_schema = 0;
    int rc = load_core(replica, err);
    if (rc == E_OK) {
        replica->is_serving = true;
        log_info(turn->log, "replica", "shard=%u epoch=%" PRIu64 " msg=\"leads\"", replica->shard,
                 epoch);
    }
    return rc;
}

void replica_stop(struct replica *replica)
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

/* ---- the turn ---- */

bool replica_turn_is_over(const struct replica_turn *turn)
{
    return turn->micros != NULL && turn->micros() >= turn->end_us;
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

static void refuse_all(struct replica *replica, struct replica_turn *turn)
{
    struct error err;

    error_set(&err, E_WRONG_EPOCH, "shard %u is not served here now", replica->shard);
    replica_abandon(replica, turn->out, &err);
}

/* However long the disk took for the writes, reads have a part of the turn. */
static void leave_room(struct replica_turn *turn)
{
    if (turn->micros != NULL) {
        uint64_t least_us = turn->micros() + READ_LEAST_US;
        turn->reads_end_us = turn->end_us > least_us ? turn->end_us : least_us;
    }
}

static void offer_writes(struct replica *replica, struct replica_turn *turn)
{
    if (!replica->is_serving || replica->is_behind || turn->now_ms < replica->retry_ms) {
        return; /* What is durable is to be visible first, and the disk may be full still. */
    }
    if (replication_may_write(&replica->journal.core, turn->now_ms * 1000)) {
        if (replica->want_schema > store_state(replica->store).schema_version &&
            replica->want_schema > replica->told_schema) {
            replica->told_schema = replica->want_schema;
            replica_feed(replica, turn, &(struct participant_event){.kind = PARTICIPANT_SCHEMA},
                         (struct slice){0});
        }
        replica_offer_writes(replica, turn);
    }
    if (turn->now_ms >= participant_deadline(&replica->core)) {
        replica_feed(replica, turn, &(struct participant_event){.kind = PARTICIPANT_TIMEOUT},
                     (struct slice){0});
    }
}

static bool may_read(const struct replica *replica, uint64_t now_ms)
{
    return replica->is_serving && !replica->is_behind &&
           replication_may_read(&replica->journal.core, now_ms * 1000);
}

int replica_turn(struct replica *replica, struct replica_turn *turn, struct error *err)
{
    int rc;

    arena_reset(&replica->arena);
    journal_listen(replica, turn);
    if (!replica_is_primary(replica)) {
        refuse_all(replica, turn);
    }
    replica_refuse_late(replica, turn);
    offer_writes(replica, turn);
    rc = journal_settle(replica, turn, err);
    if (rc == E_OK && may_read(replica, turn->now_ms)) {
        leave_room(turn);
        replica_offer_reads(replica, turn);
    }
    if (rc == E_OK) {
        rc = outgoing_turn(replica, turn, err);
    }
    if (rc == E_OK) {
        rc = journal_send(replica, turn, err);
    }
    remove_done(replica);
    return rc;
}

/* It can be offered now. What was queued by the core can when more is applied. */
static bool is_due(const struct replica *replica, const struct replica_request *request,
                   uint64_t now_ms)
{
    enum message_type type = request->message.type;

    if (request->state != REQUEST_QUEUED ||
        (request->queued_at != 0 && request->queued_at == replica->core.applied)) {
        return false;
    }
    return type == MESSAGE_READ || type == MESSAGE_VALIDATE
               ? may_read(replica, now_ms)
               : replication_may_write(&replica->journal.core, now_ms * 1000);
}

/* When a request can be looked at again that is not answered. */
static uint64_t requests_deadline(const struct replica *replica, uint64_t now_ms)
{
    uint64_t deadline = participant_deadline(&replica->core);

    for (size_t i = 0; i < replica->request_count; i++) {
        const struct replica_request *request = replica->requests[i];
        if (is_due(replica, request, now_ms)) {
            return 0;
        }
        uint64_t at = request->state == REQUEST_WAITING
                          ? request->arrived_ms + PARTICIPANT_READ_WAIT_MS
                          : request->until_ms;
        deadline = at < deadline ? at : deadline;
    }
    return deadline;
}

uint64_t replica_deadline(const struct replica *replica, uint64_t now_ms)
{
    const struct journal *journal = &replica->journal;
    uint64_t deadline = journal_deadline(journal);
    uint64_t copy = outgoing_deadline(&replica->outgoing);

    deadline = copy < deadline ? copy : deadline;
    if (journal->is_config_due || journal->letter_count > 0) {
        return 0;
    }
    if (replica->retry_ms > now_ms) {
        return replica->retry_ms < deadline ? replica->retry_ms : deadline;
    }
    if (!replica_is_primary(replica)) {
        return replica->request_count > 0 ? 0 : deadline;
    }
    uint64_t at = UINT64_MAX;
    if (replica->is_serving && !replica->is_behind) {
        at = requests_deadline(replica, now_ms);
    }
    return at < deadline ? at : deadline;
}

void replica_send(struct replica *replica, struct replica_turn *turn, peer_id peer,
                  enum message_type type)
{
    struct message *message = outbox_send(turn->out, peer, type, bytes_slice(&replica->body));

    message->shard = replica->shard;
    message->epoch = replica->journal.core.config.epoch;
}

/* A router repeats what it waits for every few seconds: of one that was not heard for an hour no
 * copy of a commit is under way, so its outcomes need not be remembered. */
int replica_end_sessions(struct replica *replica, uint64_t now_ms, struct error *err)
{
    struct error problem = {0};
    uint64_t sid;

    if (!replica->is_serving || now_ms < replica->sessions_ms) {
        return E_OK;
    }
    replica->sessions_ms = now_ms + SESSIONS_LOOK_MS;
    while (participant_silent_session(&replica->core, now_ms, replica->session_ms, &sid)) {
        int rc = store_end_session(replica->store, sid, &problem);
        if (rc != E_OK) {
            if (rc != E_LIMIT && err != NULL) {
                *err = problem;
            }
            return rc == E_LIMIT ? E_OK : rc;
        }
        participant_end_session(&replica->core, sid);
    }
    return E_OK;
}

int replica_tend(struct replica *replica, uint64_t keep, struct error *err)
{
    struct error problem = {0};
    uint64_t copy = outgoing_keep(&replica->outgoing);
    uint64_t hold = replication_keep(&replica->journal.core);

    store_hold(replica->store, copy < hold ? copy : hold);

    replica->is_tend_due = store_tend(replica->store, keep, &problem);
    if (problem.code != E_OK && problem.code != E_LIMIT) {
        if (err != NULL) {
            *err = problem;
        }
        return problem.code;
    }
    return E_OK;
}
