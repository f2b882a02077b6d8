#include "router/remote/transaction.h"

#include "common/mem.h"
#include "common/mutation.h"
#include "router/op/exec.h"

#include <assert.h>
#include <inttypes.h>

enum {
    EPOCH_WAIT_MS = 20, /* For a newer map; then the old one is tried again. */
    BUSY_WAIT_MS = 50   /* Before a shard that is not available is asked again. */
};

/* ---- life ---- */

struct transaction *transaction_new(struct remote *remote, uint32_t graph)
{
    struct transaction *txn = mem_alloc(sizeof *txn);

    assert(remote != NULL && graph != 0);
    txn->remote = remote;
    txn->graph = graph;
    remote_join(remote, txn);
    return txn;
}

void transaction_free(struct transaction **at)
{
    struct transaction *txn = *at;

    if (txn == NULL) {
        return;
    }
    for (uint32_t i = 0; i < txn->part_count; i++) {
        struct transaction_part *part = txn->parts[i];
        remote_drop(txn->remote, &part->validate);
        txn_readset_close(&part->readset);
        staging_close(&part->staging);
        mem_free(part);
    }
    if (txn->state == TRANSACTION_COMMITTING && txn->seq != 0) {
        remote_unknown(txn->remote, txn->seq);
    }
    remote_drop(txn->remote, &txn->commit);
    remote_leave(txn->remote, txn);
    mem_free(txn->parts);
    mem_free(txn);
    *at = NULL;
}

static struct transaction_part *find_part(const struct transaction *txn, uint32_t shard)
{
    for (uint32_t i = 0; i < txn->part_count; i++) {
        if (txn->parts[i]->shard == shard) {
            return txn->parts[i];
        }
    }
    return NULL;
}

/* Null with err: too many shards. */
static struct transaction_part *part_of(struct transaction *txn, uint32_t shard, struct error *err)
{
    struct transaction_part *part = find_part(txn, shard);

    if (part != NULL) {
        return part;
    }
    if (txn->part_count == TXN_SHARDS_MAX) {
        error_set(err, E_LIMIT, "a transaction touches more than %d shards", TXN_SHARDS_MAX);
        return NULL;
    }
    if (txn->part_count == txn->part_room) {
        txn->part_room = txn->part_room == 0 ? 8 : txn->part_room * 2;
        txn->parts = mem_resize(txn->parts, txn->part_room * sizeof(struct transaction_part *));
    }
    part = mem_alloc(sizeof *part);
    part->txn = txn;
    part->shard = shard;
    txn->parts[txn->part_count++] = part;
    return part;
}

/* ---- changes ---- */

void transaction_mark(const struct transaction *txn, struct arena *arena,
                      struct transaction_mark *mark)
{
    *mark = (struct transaction_mark){
        .part_count = txn->part_count,
        .change_count = txn->change_count,
        .change_bytes = txn->change_bytes,
        .counts = arena_array(arena, txn->part_count, sizeof *mark->counts),
    };
    for (uint32_t i = 0; i < txn->part_count; i++) {
        mark->counts[i] = txn->parts[i]->staging.count;
    }
}

void transaction_undo(struct transaction *txn, const struct transaction_mark *mark)
{
    assert(txn->state == TRANSACTION_OPEN && mark->part_count <= txn->part_count);
    for (uint32_t i = 0; i < txn->part_count; i++) {
        staging_cut(&txn->parts[i]->staging, i < mark->part_count ? mark->counts[i] : 0);
    }
    txn->change_count = mark->change_count;
    txn->change_bytes = mark->change_bytes;
}

void transaction_staged(const struct transaction *txn, uint32_t shard,
                        const struct read_request *read, struct bytes *out)
{
    const struct transaction_part *part = find_part(txn, shard);

    if (part != NULL) {
        staging_write_for(&part->staging, read, out);
    }
}

const struct shardmap_graph *transaction_graph(const struct transaction *txn,
                                               const struct exec *exec)
{
    (void)exec;
    return shardmap_graph_by_id(remote_map(txn->remote), txn->graph);
}

int transaction_change_at(struct transaction *txn, uint32_t shard, const struct change *change,
                          struct error *err)
{
    assert(txn->state == TRANSACTION_OPEN);
    if (txn->change_count == CHANGE_COUNT_MAX) {
        return error_set(err, E_LIMIT, "a transaction makes more than %d changes",
                         CHANGE_COUNT_MAX);
    }
    struct transaction_part *part = part_of(txn, shard, err);
    if (part == NULL) {
        return E_LIMIT;
    }
    uint32_t before = part->staging.count;
    size_t added = staging_add(&part->staging, change);
    if (txn->change_bytes + added > MESSAGE_BODY_MAX / 2) {
        staging_cut(&part->staging, before);
        return error_set(err, E_LIMIT, "the changes of a transaction take more than %d bytes",
                         MESSAGE_BODY_MAX / 2);
    }
    txn->change_count++;
    txn->change_bytes += added;
    return E_OK;
}

int transaction_change(struct transaction *txn, struct exec *exec, const struct change *change,
                       struct error *err)
{
    const struct shardmap *map = remote_map(txn->remote);
    const struct shardmap_graph *graph = transaction_graph(txn, exec);

    if (graph == NULL) {
        return error_set(err, E_NOT_FOUND, "the graph was dropped");
    }
    uint32_t shard = map->shards[shardmap_lookup(map, graph, &change->vertex)].shard;
    return transaction_change_at(txn, shard, change, err);
}

/* An edge comes or goes: its id is claimed or given up where it falls, unless that is where the
 * edge is. */
static int claim_id(struct transaction *txn, struct exec *exec, const struct change *out,
                    struct error *err)
{
    const struct shardmap *map = remote_map(txn->remote);
    const struct shardmap_graph *graph = transaction_graph(txn, exec);
    struct change claim;
    uint32_t shard;

    if ((out->kind != CHANGE_EDGE_ADD && out->kind != CHANGE_EDGE_DROP) || graph == NULL ||
        !transaction_claim(map, graph, out, &claim, &shard)) {
        return E_OK;
    }
    return transaction_change_at(txn, map->shards[shard].shard, &claim, err);
}

bool transaction_claim(const struct shardmap *map, const struct shardmap_graph *graph,
                       const struct change *out, struct change *claim, uint32_t *shard)
{
    assert(out->direction == DIRECTION_OUT);
    if (!shardmap_is_claimed(graph->partitioner, &out->edge)) {
        return false;
    }
    *shard = shardmap_lookup(map, graph, &out->edge);
    *claim = (struct change){.kind = out->kind,
                             .direction = DIRECTION_OUT,
                             .vertex = out->vertex,
                             .far = out->far,
                             .edge = out->edge};
    return *shard != shardmap_lookup(map, graph, &out->vertex);
}

int transaction_edge(struct transaction *txn, struct exec *exec, const struct change *out,
                     struct slice out_label, struct error *err)
{
    struct change in = *out;
    int rc;

    assert(out->direction == DIRECTION_OUT);
    rc = transaction_change(txn, exec, out, err);
    if (rc != E_OK) {
        return rc;
    }
    in.direction = DIRECTION_IN;
    in.vertex = out->far;
    in.far = out->vertex;
    in.far_label = out_label;
    rc = transaction_change(txn, exec, &in, err);
    return rc == E_OK ? claim_id(txn, exec, out, err) : rc;
}

uint32_t transaction_change_count(const struct transaction *txn)
{
    return txn->change_count;
}

enum pull transaction_new_id(struct transaction *txn, struct exec *exec, const struct vid *near,
                             int64_t *id)
{
    (void)exec;
    txn->has_new_ids = true;
    return remote_new_id(txn->remote, txn, near, id) ? PULL_BATCH : PULL_WAIT;
}

/* ---- reads ---- */

int transaction_read(struct transaction *txn, uint32_t shard, const struct read_head *head,
                     struct error *err)
{
    if (head->readset.first_index == 0) {
        return E_OK;
    }
    struct transaction_part *part = part_of(txn, shard, err);
    if (part == NULL) {
        return E_LIMIT;
    }
    txn->replies++;
    /* A reply that was made over several turns of the shard has seen more than one moment. */
    if (txn->replies > 1 || head->read_index != head->readset.first_index) {
        txn->is_spread = true;
    }
    txn_readset_merge(&part->readset, &head->readset);
    return E_OK;
}

/* ---- commit ---- */

static void settle(struct transaction *txn, enum transaction_state state)
{
    assert(txn->state == TRANSACTION_COMMITTING);
    txn->state = state;
    txn->is_woken = true;
    if (txn->seq != 0) {
        if (state == TRANSACTION_UNKNOWN) {
            remote_unknown(txn->remote, txn->seq);
        } else {
            remote_answered(txn->remote, txn->seq);
        }
    }
}

static void abort_with(struct transaction *txn, int code, const char *text)
{
    error_set(&txn->error, code, "%s", text);
    settle(txn, TRANSACTION_ABORTED);
}

/* At the deadline: what was sent may still take effect. */
static void give_up(struct transaction *txn, const struct error *why)
{
    error_set(&txn->error, E_UNKNOWN_OUTCOME,
              "the outcome of the commit is not known (%s); ask for transaction %" PRIu64
              ":%" PRIu64,
              why->text, txn->sid, txn->seq);
    settle(txn, TRANSACTION_UNKNOWN);
}

static bool is_in(const struct transaction_part *part)
{
    return part->staging.count > 0 || part->readset.first_index != 0;
}

static bool is_late(const struct remote_request *request, const struct remote *remote)
{
    return request->deadline_ms != 0 && remote_now(remote) >= request->deadline_ms;
}

/* Read-only: every shard that was read says whether it is all still current. */

static void on_validated(struct remote *remote, struct remote_request *request,
                         const struct message *message, const struct error *err)
{
    struct transaction_part *part = request->owner;
    struct transaction *txn = part->txn;
    struct txn_reply reply;

    if (txn->state != TRANSACTION_COMMITTING) {
        return;
    }
    if (message == NULL) {
        abort_with(txn, is_late(request, remote) ? E_TIMEOUT : E_CONFLICT, err->text);
        return;
    }
    if (message->type != MESSAGE_VALIDATE_REPLY ||
        txn_reply_decode(message->body, &reply, NULL) != E_OK) {
        abort_with(txn, E_MALFORMED, "the answer to VALIDATE is out of form");
        return;
    }
    if (reply.outcome != TXN_COMMITTED) {
        abort_with(txn, E_CONFLICT, "what was read has changed meanwhile");
        return;
    }
    if (--txn->validating == 0) {
        settle(txn, TRANSACTION_COMMITTED);
    }
}

static void send_validate(struct transaction_part *part, uint64_t deadline_ms)
{
    struct transaction *txn = part->txn;
    struct remote_request *request = &part->validate;
    struct txn_prepare body = {.sid = remote_sid(txn->remote),
                               .part = {.shard = part->shard, .readset = part->readset}};

    if (!remote_target(txn->remote, part->shard, request)) {
        abort_with(txn, E_CONFLICT, "a shard that was read is gone");
        return;
    }
    body.part.epoch = request->epoch;
    bytes_init(&request->body, 0);
    txn_prepare_encode(&request->body, &body);
    request->type = MESSAGE_VALIDATE;
    request->owner = part;
    request->on_reply = on_validated;
    request->deadline_ms = deadline_ms;
    txn->validating++;
    remote_send(txn->remote, request);
}

static void validate(struct transaction *txn, uint64_t deadline_ms)
{
    bool is_needed = txn->is_spread && !mutation_is(MUTATION_READ_ONLY_UNVALIDATED);

    for (uint32_t i = 0; is_needed && i < txn->part_count; i++) {
        if (is_in(txn->parts[i]) && txn->state == TRANSACTION_COMMITTING) {
            send_validate(txn->parts[i], deadline_ms);
        }
    }
    if (txn->validating == 0 && txn->state == TRANSACTION_COMMITTING) {
        settle(txn, TRANSACTION_COMMITTED);
    }
}

/* Writes. The body is made anew at each attempt under another epoch or term, with the same (sid,
 * seq). */

static void encode_commit(struct transaction *txn, uint64_t term)
{
    struct arena arena;
    struct bytes changes;
    struct remote_request target = {0};
    struct txn_request body = {
        .sid = txn->sid, .seq = txn->seq, .low_seq = remote_low_seq(txn->remote), .term = term};

    arena_init(&arena, 0);
    body.parts = arena_array(&arena, txn->part_count, sizeof *body.parts);
    for (uint32_t i = 0; i < txn->part_count; i++) {
        const struct transaction_part *part = txn->parts[i];
        if (!is_in(part)) {
            continue;
        }
        struct txn_part *to = &body.parts[body.part_count++];
        bytes_init(&changes, 0);
        staging_write(&part->staging, &changes);
        to->shard = part->shard;
        to->epoch = remote_target(txn->remote, part->shard, &target) ? target.epoch : 0;
        to->readset = part->readset;
        to->changes = slice_of(arena_copy(&arena, changes.data, changes.size), changes.size);
        bytes_close(&changes);
    }
    bytes_clear(&txn->commit.body);
    txn_request_encode(&txn->commit.body, &body);
    arena_close(&arena);
}

static void send_commit1(struct remote *remote, struct remote_request *request)
{
    struct transaction *txn = request->owner;

    if (!remote_target(remote, request->shard, request)) {
        abort_with(txn, E_CONFLICT, "the shard to be written is gone");
        return;
    }
    encode_commit(txn, 0);
    remote_send(remote, request);
}

static void send_txn(struct remote *remote, struct remote_request *request)
{
    struct transaction *txn = request->owner;

    txn->sent_term = remote_term(remote);
    encode_commit(txn, txn->sent_term);
    remote_send(remote, request);
}

/* One of its shards is led by nobody: running it again would end in the same way. */
static bool is_of_dead_shard(struct transaction *txn)
{
    for (uint32_t i = 0; i < txn->part_count; i++) {
        if (is_in(txn->parts[i]) &&
            !remote_is_led(txn->remote, txn->parts[i]->shard, &txn->error)) {
            return true;
        }
    }
    return false;
}

static void take_abort(struct transaction *txn, const struct txn_reply *reply)
{
    if (reply->code == E_UNAVAILABLE && is_of_dead_shard(txn)) {
        settle(txn, TRANSACTION_ABORTED);
        return;
    }
    int code =
        reply->code == E_OK || error_retry(reply->code) != ERROR_NEVER ? E_CONFLICT : reply->code;

    if (error_retry(reply->code) == ERROR_REFRESH) {
        remote_refresh(txn->remote);
    }
    if (reply->text.size == 0) {
        abort_with(txn, code, error_text(code));
        return;
    }
    error_set(&txn->error, code, "%.*s", (int)reply->text.size, (const char *)reply->text.data);
    settle(txn, TRANSACTION_ABORTED);
}

/* A refusal says that the request was not carried out this time; an earlier copy of it may have
 * been. So only an answer out of the table of sessions counts: it is sent again, under the new
 * epoch if there is one. A reason that will not go away ends it if this was the only copy. */
static void on_refused(struct transaction *txn, struct remote_request *request,
                       const struct error *err)
{
    if (is_late(request, txn->remote)) {
        give_up(txn, err);
    } else if (error_retry(err->code) == ERROR_REFRESH) {
        remote_hold(txn->remote, request, EPOCH_WAIT_MS, true);
    } else if (error_retry(err->code) == ERROR_RETRY || err->code == E_TIMEOUT ||
               request->sends > 1) {
        remote_hold(txn->remote, request, BUSY_WAIT_MS, false);
    } else {
        abort_with(txn, err->code, err->text);
    }
}

static void on_commit1(struct remote *remote, struct remote_request *request,
                       const struct message *message, const struct error *err)
{
    struct transaction *txn = request->owner;
    struct txn_reply reply;

    if (message == NULL) {
        on_refused(txn, request, err);
        return;
    }
    if (message->type != MESSAGE_COMMIT1_REPLY ||
        txn_reply_decode(message->body, &reply, NULL) != E_OK) {
        remote_hold(remote, request, BUSY_WAIT_MS, false);
        return;
    }
    if (reply.outcome == TXN_COMMITTED) {
        settle(txn, TRANSACTION_COMMITTED);
    } else if (reply.outcome == TXN_ABORTED && message->epoch == request->epoch) {
        /* A refusal is remembered for its epoch only; one of an older epoch does not bind the new
         * one. */
        take_abort(txn, &reply);
    } else {
        remote_hold(remote, request, BUSY_WAIT_MS, false);
    }
}

/* From section 3.3: COMMITTED from any term is final; ABORTED counts only if it carries the term of
 * the latest resend. */
static void on_txn(struct remote *remote, struct remote_request *request,
                   const struct message *message, const struct error *err)
{
    struct transaction *txn = request->owner;
    struct txn_reply reply;

    if (message == NULL && err->code == E_NOT_FOUND) {
        /* Idle for so long that its session was given up: nothing of it was carried out. */
        remote_register(remote, txn->sid);
        abort_with(txn, E_CONFLICT, err->text);
        return;
    }
    if (message == NULL) {
        on_refused(txn, request, err);
        return;
    }
    if (message->type != MESSAGE_TXN_REPLY ||
        txn_reply_decode(message->body, &reply, NULL) != E_OK) {
        remote_hold(remote, request, BUSY_WAIT_MS, false);
        return;
    }
    switch (reply.outcome) {
    case TXN_COMMITTED:
        settle(txn, TRANSACTION_COMMITTED);
        break;
    case TXN_ABORTED:
        if (reply.term == txn->sent_term) {
            take_abort(txn, &reply);
        } else {
            remote_hold(remote, request, BUSY_WAIT_MS, false);
        }
        break;
    case TXN_WRONG_TERM:
        remote_learn_term(remote, reply.term);
        if (remote_term(remote) > txn->sent_term) {
            send_txn(remote, request);
        } else {
            remote_hold(remote, request, BUSY_WAIT_MS, false);
        }
        break;
    case TXN_WAIT:
        remote_hold(remote, request, BUSY_WAIT_MS, false);
        break;
    }
}

static void commit_writes(struct transaction *txn, uint64_t deadline_ms)
{
    struct remote_request *request = &txn->commit;
    uint32_t shards = 0;

    for (uint32_t i = 0; i < txn->part_count; i++) {
        if (is_in(txn->parts[i])) {
            shards++;
            request->shard = txn->parts[i]->shard;
        }
    }
    txn->sid = remote_sid(txn->remote);
    txn->seq = remote_seq(txn->remote);
    request->sends = 0;
    request->owner = txn;
    request->deadline_ms = deadline_ms;
    bytes_init(&request->body, 0);
    if (shards == 1) {
        request->type = MESSAGE_COMMIT1;
        request->on_reply = on_commit1;
        request->on_again = send_commit1;
        send_commit1(txn->remote, request);
    } else {
        request->type = MESSAGE_TXN;
        request->shard = 0;
        request->is_to_leader = true;
        request->on_reply = on_txn;
        request->on_again = send_txn;
        send_txn(txn->remote, request);
    }
}

void transaction_commit(struct transaction *txn, uint64_t deadline_ms)
{
    assert(txn->state == TRANSACTION_OPEN);
    txn->state = TRANSACTION_COMMITTING;
    if (txn->change_count == 0) {
        validate(txn, deadline_ms);
    } else {
        commit_writes(txn, deadline_ms);
    }
}
