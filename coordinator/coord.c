#include "coordinator/coord_inside.h"

#include "common/control.h"
#include "common/log.h"
#include "common/mem.h"
#include "common/mutation.h"
#include "coordinator/coordadmin.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum {
    ELECTION_MS = 300,
    HEARTBEAT_MS = 50,
    TXN_MS = 5000,
    SILENCE_MS = 1000,
    SNAPSHOT_ENTRIES = 10000,
    SESSION_IDLE_MS = 3600000,
    SESSION_LOOK_MS = 60000,
    ANSWER_MS = 10000, /* Of a request without a deadline of its own. */
    ROUNDS_MAX = 4,    /* Commits of the Raft log in one turn. */
    PATH_ROOM = 4096,
    ASK_SHIFT = 56 /* In req_id, above the transaction's counter: what was asked. */
};

/* What a req_id of ours stands for. */
enum ask { ASK_PREPARE = 1, ASK_VALIDATE, ASK_DECIDE };

/* ---- open ---- */

static void set_defaults(struct coord_options *options)
{
    options->election_ms = options->election_ms == 0 ? ELECTION_MS : options->election_ms;
    options->heartbeat_ms = options->heartbeat_ms == 0 ? HEARTBEAT_MS : options->heartbeat_ms;
    options->txn_ms = options->txn_ms == 0 ? TXN_MS : options->txn_ms;
    options->silence_ms = options->silence_ms == 0 ? SILENCE_MS : options->silence_ms;
    options->snapshot_entries =
        options->snapshot_entries == 0 ? SNAPSHOT_ENTRIES : options->snapshot_entries;
}

static int open_consensus(struct coord *coord, struct error *err)
{
    char path[PATH_ROOM];
    struct bytes snapshot;
    const struct coord_options *options = &coord->options;

    snprintf(path, sizeof path, "%s/coordinator.db", options->data_dir);
    struct consensus_options wanted = {.id = options->node,
                                       .voters = options->coordinators,
                                       .voter_count = options->coordinator_count,
                                       .cluster_id = options->cluster_id,
                                       .seed = options->seed,
                                       .path = path,
                                       .vfs = options->vfs,
                                       .is_sync = options->is_sync,
                                       .election_ms = options->election_ms,
                                       .heartbeat_ms = options->heartbeat_ms,
                                       .log = options->log};
    bytes_init(&snapshot, 0);
    int rc = consensus_open(&coord->consensus, &wanted, &snapshot, err);
    if (rc == E_OK && snapshot.size > 0) {
        state_close(&coord->state);
        rc = state_decode(bytes_slice(&snapshot), &coord->state, err);
    }
    bytes_close(&snapshot);
    return rc;
}

int coord_open(struct coord **coord, const struct coord_options *options, struct error *err)
{
    assert(coord != NULL && options != NULL);
    assert(options->node != 0 && options->boot != 0);
    if (options->coordinator_count != 1 || options->coordinators[0] != options->node) {
        return error_set(
            err, E_CONFIG,
            "a cluster has one coordinator in this version: the list must name this one");
    }
    struct coord *opened = mem_alloc(sizeof *opened);
    opened->options = *options;
    set_defaults(&opened->options);
    state_init(&opened->state, options->cluster_id);
    decision_init(&opened->decision, &opened->state, opened->options.txn_ms);
    member_init(&opened->member, &opened->state, opened->options.silence_ms);
    map_init(&opened->heard, NULL);
    arena_init(&opened->arena, 0);
    bytes_init(&opened->body, 0);
    bytes_init(&opened->map, 0);
    int rc = open_consensus(opened, err);
    if (rc != E_OK) {
        coord_close(&opened);
        return rc;
    }
    *coord = opened;
    return E_OK;
}

void coord_close(struct coord **coord)
{
    assert(coord != NULL);
    struct coord *c = *coord;
    if (c == NULL) {
        return;
    }
    consensus_close(&c->consensus);
    decision_close(&c->decision);
    decision_effects_close(&c->effects);
    member_close(&c->member);
    state_close(&c->state);
    map_close(&c->heard);
    mem_free(c->requests);
    mem_free(c->waiting);
    arena_close(&c->arena);
    bytes_close(&c->body);
    bytes_close(&c->map);
    mem_free(c);
    *coord = NULL;
}

/* ---- requests ---- */

struct coord_request *coord_request(struct coord *coord, uint64_t token)
{
    size_t low = 0;
    size_t high = coord->request_count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (coord->requests[middle].token < token) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low < coord->request_count && coord->requests[low].token == token ? &coord->requests[low]
                                                                             : NULL;
}

uint64_t coord_take(struct coord *coord, const struct message *message)
{
    if (coord->request_count == coord->request_room) {
        coord->request_room = coord->request_room == 0 ? 64 : coord->request_room * 2;
        coord->requests =
            mem_resize(coord->requests, coord->request_room * sizeof *coord->requests);
    }
    uint32_t wait_ms = message->deadline_ms == 0 ? ANSWER_MS : message->deadline_ms;
    struct coord_request *request = &coord->requests[coord->request_count++];
    *request = (struct coord_request){
        .token = ++coord->token_last, .until_ms = coord->now_ms + wait_ms, .message = *message};
    request->message.body = (struct slice){0};
    return request->token;
}

void coord_end(struct coord *coord, uint64_t token)
{
    struct coord_request *request = coord_request(coord, token);

    if (request != NULL) {
        size_t at = (size_t)(request - coord->requests);
        coord->request_count--;
        memmove(request, request + 1, (coord->request_count - at) * sizeof *request);
    }
}

void coord_answer(struct coord *coord, uint64_t token, enum message_type type, struct slice body)
{
    struct coord_request *request = coord_request(coord, token);

    if (request != NULL) {
        outbox_reply(coord->out, &request->message, type, body);
        coord_end(coord, token);
    }
}

void coord_refuse(struct coord *coord, uint64_t token, const struct error *err)
{
    struct coord_request *request = coord_request(coord, token);

    if (request != NULL) {
        outbox_refuse(coord->out, &request->message, err);
        coord_end(coord, token);
    }
}

/* ---- commands ---- */

static void not_leader(struct coord *coord, uint64_t token)
{
    struct error err;
    uint32_t leader = consensus_leader(coord->consensus);

    control_not_leader(&err, leader == coord->options.node ? 0 : leader);
    coord_refuse(coord, token, &err);
}

void coord_submit(struct coord *coord, const struct state_command *command, uint64_t token)
{
    struct bytes body;

    bytes_init(&body, 0);
    state_command_encode(&body, command);
    uint64_t index = consensus_submit(coord->consensus, bytes_slice(&body));
    bytes_close(&body);
    if (index == 0) {
        not_leader(coord, token);
        return;
    }
    if (coord->waiting_count == coord->waiting_room) {
        coord->waiting_room = coord->waiting_room == 0 ? 16 : coord->waiting_room * 2;
        coord->waiting = mem_resize(coord->waiting, coord->waiting_room * sizeof *coord->waiting);
    }
    coord->waiting[coord->waiting_count++] =
        (struct coord_waiting){.index = index,
                               .term = consensus_term(coord->consensus),
                               .token = token,
                               .kind = command->kind,
                               .gtid = command->gtid};
}

struct slice coord_map(struct coord *coord)
{
    if (coord->map_version != coord->state.version || coord->map.size == 0) {
        bytes_clear(&coord->map);
        state_map(&coord->state, &coord->map);
        coord->map_version = coord->state.version;
    }
    return bytes_slice(&coord->map);
}

/* known: the version that the node has. */
static struct slice config_body(struct coord *coord, uint64_t known)
{
    struct roster_config config = {.term = consensus_term(coord->consensus),
                                   .map_version = coord->state.version,
                                   .shard_next = coord->state.shard_next};

    if (known < coord->state.version) {
        config.map = coord_map(coord);
    }
    bytes_clear(&coord->body);
    roster_config_encode(&coord->body, &config);
    return bytes_slice(&coord->body);
}

/* ---- the decision core's effects ---- */

static struct message *send_to_shard(struct coord *coord, uint32_t number, enum message_type type,
                                     enum ask ask, uint64_t counter)
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
    message->req_id = (uint64_t)ask << ASK_SHIFT | counter;
    return message;
}

static void send_prepare(struct coord *coord, const struct decision_effect *effect)
{
    struct txn_prepare prepare = {.gtid = effect->gtid,
                                  .watermark = effect->watermark,
                                  .sid = effect->sid,
                                  .seq = effect->seq,
                                  .part = *effect->part};

    bytes_clear(&coord->body);
    txn_prepare_encode(&coord->body, &prepare);
    send_to_shard(coord, effect->part->shard, MESSAGE_PREPARE, ASK_PREPARE, effect->gtid.counter);
}

static void send_validate(struct coord *coord, const struct decision_effect *effect)
{
    struct txn_part part = *effect->part;
    struct txn_request request = {
        .sid = effect->sid, .seq = effect->seq, .part_count = 1, .parts = &part};

    bytes_clear(&coord->body);
    txn_request_encode(&coord->body, &request);
    send_to_shard(coord, part.shard, MESSAGE_VALIDATE, ASK_VALIDATE, effect->gtid.counter);
}

static void send_decide(struct coord *coord, const struct decision_effect *effect)
{
    struct txn_reply decision = {.gtid = effect->gtid,
                                 .term = consensus_term(coord->consensus),
                                 .outcome = effect->is_commit ? TXN_COMMITTED : TXN_ABORTED};

    bytes_clear(&coord->body);
    txn_reply_encode(&coord->body, &decision);
    send_to_shard(coord, effect->shard, MESSAGE_DECIDE, ASK_DECIDE, effect->gtid.counter);
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

static void feed(struct coord *coord, struct decision_event *event)
{
    event->now_ms = coord->now_ms;
    decision_advance(&coord->decision, event, &coord->effects);
    for (size_t i = 0; i < coord->effects.count; i++) {
        const struct decision_effect *effect = &coord->effects.items[i];
        switch (effect->kind) {
        case DECISION_SEND_PREPARE:
            send_prepare(coord, effect);
            break;
        case DECISION_SEND_VALIDATE:
            send_validate(coord, effect);
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
    feed(coord, &(struct decision_event){.kind = DECISION_TXN,
                                         .token = coord_take(coord, message),
                                         .body = message->body});
}

static void on_reply(struct coord *coord, const struct message *message)
{
    struct txn_reply reply;
    enum decision_event_kind kind = message->type == MESSAGE_PREPARED         ? DECISION_VOTE
                                    : message->type == MESSAGE_VALIDATE_REPLY ? DECISION_VALIDATED
                                                                              : DECISION_DONE;

    if (txn_reply_decode(message->body, &reply, NULL) != E_OK) {
        return;
    }
    if (kind == DECISION_VALIDATED) {
        reply.gtid = (struct txn_gtid){coord->decision.term,
                                       message->req_id & (((uint64_t)1 << ASK_SHIFT) - 1)};
    }
    feed(coord, &(struct decision_event){.kind = kind,
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

    if (code == E_UNAVAILABLE || code == E_TIMEOUT || (ask != ASK_PREPARE && ask != ASK_VALIDATE)) {
        return;
    }
    feed(coord,
         &(struct decision_event){
             .kind = ask == ASK_PREPARE ? DECISION_VOTE : DECISION_VALIDATED,
             .gtid = {coord->decision.term, message->req_id & (((uint64_t)1 << ASK_SHIFT) - 1)},
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
    feed(coord, &(struct decision_event){.kind = message->type == MESSAGE_INQUIRE ? DECISION_INQUIRE
                                                                                  : DECISION_STATUS,
                                         .token = coord_take(coord, message),
                                         .gtid = ask.gtid,
                                         .sid = ask.sid,
                                         .seq = ask.seq});
}

static void on_status(struct coord *coord, const struct message *message)
{
    struct roster_status status;
    struct error err;
    bool is_register = message->type == MESSAGE_NODE_REGISTER;

    if (roster_status_decode(message->body, &coord->arena, &status, &err) != E_OK) {
        outbox_refuse(coord->out, message, &err);
        return;
    }
    switch (member_hear(&coord->member, coord->now_ms, &status, is_register)) {
    case MEMBER_PROPOSE:
        coord_submit(coord,
                     &(struct state_command){.kind = STATE_NODE_UP,
                                             .node = status.node,
                                             .boot = status.boot,
                                             .name = status.address},
                     coord_take(coord, message));
        break;
    case MEMBER_CONFIG:
        outbox_reply(coord->out, message, MESSAGE_NODE_CONFIG,
                     config_body(coord, status.map_version));
        break;
    case MEMBER_UNKNOWN:
        error_set(&err, E_NOT_FOUND, "node %u is not registered", status.node);
        outbox_refuse(coord->out, message, &err);
        break;
    }
}

static void on_map_get(struct coord *coord, const struct message *message)
{
    uint64_t version;
    struct error err;

    if (control_map_get_decode(message->body, &version, &err) != E_OK) {
        outbox_refuse(coord->out, message, &err);
        return;
    }
    outbox_reply(coord->out, message, MESSAGE_MAP,
                 version < coord->state.version ? coord_map(coord) : (struct slice){0});
}

static void on_lease(struct coord *coord, const struct message *message)
{
    struct control_lease lease;
    struct error err;

    if (control_lease_decode(message->body, &lease, &err) != E_OK) {
        outbox_refuse(coord->out, message, &err);
        return;
    }
    coord_submit(
        coord,
        &(struct state_command){.kind = STATE_IDS, .graph = lease.graph, .count = lease.count},
        coord_take(coord, message));
}

static void on_message(struct coord *coord, const struct message *message)
{
    struct error err;

    if (message->type == MESSAGE_TXN) {
        on_txn(coord, message);
    } else if (message->type == MESSAGE_PREPARED || message->type == MESSAGE_VALIDATE_REPLY ||
               message->type == MESSAGE_DECIDED) {
        on_reply(coord, message);
    } else if (message->type == MESSAGE_INQUIRE || message->type == MESSAGE_TXN_STATUS) {
        on_question(coord, message);
    } else if (message->type == MESSAGE_NODE_REGISTER || message->type == MESSAGE_NODE_STATUS) {
        on_status(coord, message);
    } else if (message->type == MESSAGE_ROUTER_REGISTER) {
        coord_submit(coord, &(struct state_command){.kind = STATE_SESSION_NEW},
                     coord_take(coord, message));
    } else if (message->type == MESSAGE_MAP_GET) {
        on_map_get(coord, message);
    } else if (message->type == MESSAGE_IDS_LEASE) {
        on_lease(coord, message);
    } else if (message->type == MESSAGE_ADMIN) {
        coordadmin_request(coord, message);
    } else {
        error_set(&err, E_UNSUPPORTED, "a coordinator does not answer %s",
                  message_name(message->type));
        outbox_refuse(coord->out, message, &err);
    }
}

static bool may_answer(const struct coord *coord)
{
    if (mutation_is(MUTATION_LEADER_SKIPS_NOOP)) {
        return consensus_is_leader(coord->consensus);
    }
    return consensus_is_ready(coord->consensus);
}

/* The cores lead in the term that consensus leads in, once its first entry is applied. */
static void follow_leadership(struct coord *coord)
{
    uint64_t term = may_answer(coord) ? consensus_term(coord->consensus) : 0;

    if (term == coord->lead_term) {
        return;
    }
    coord->lead_term = term;
    if (term != 0) {
        log_info(coord->options.log, "coord", "term=%" PRIu64 " msg=\"leads\"", term);
        member_lead(&coord->member, coord->now_ms);
        map_clear(&coord->heard);
        feed(coord, &(struct decision_event){.kind = DECISION_LEAD, .term = term});
    }
}

void coord_message(struct coord *coord, uint64_t now_ms, const struct message *message,
                   struct outbox *out)
{
    assert(coord != NULL && message != NULL && out != NULL);
    coord->now_ms = now_ms;
    coord->out = out;
    follow_leadership(coord);
    if (message->dst_boot != 0 && message->dst_boot != coord->options.boot) {
        coord->out = NULL;
        return; /* An answer to the process before this one. */
    }
    if (message->type == MESSAGE_REFUSED) {
        if (coord->lead_term != 0) {
            on_refused(coord, message);
        }
    } else if (coord->lead_term == 0) {
        not_leader(coord, coord_take(coord, message));
    } else {
        on_message(coord, message);
    }
    arena_reset(&coord->arena);
    coord->out = NULL;
}

/* ---- what was applied ---- */

static void answer_registered(struct coord *coord, uint64_t token, uint64_t sid)
{
    struct control_registered registered = {
        .sid = sid, .term = consensus_term(coord->consensus), .map = coord_map(coord)};

    bytes_clear(&coord->body);
    control_registered_encode(&coord->body, &registered);
    coord_answer(coord, token, MESSAGE_ROUTER_REGISTERED, bytes_slice(&coord->body));
}

static void answer_lease(struct coord *coord, uint64_t token, uint32_t graph,
                         const struct state_result *result)
{
    struct control_lease lease = {.graph = graph, .first = result->number, .count = result->count};

    bytes_clear(&coord->body);
    control_leased_encode(&coord->body, &lease);
    coord_answer(coord, token, MESSAGE_IDS_LEASED, bytes_slice(&coord->body));
}

static void answer_applied(struct coord *coord, const struct coord_waiting *waiting,
                           const struct state_command *command, const struct state_result *result)
{
    const struct coord_request *request = coord_request(coord, waiting->token);

    if (waiting->kind == STATE_DECIDE) {
        feed(coord, &(struct decision_event){.kind = DECISION_APPLIED,
                                             .gtid = waiting->gtid,
                                             .code = result->code,
                                             .text = slice_text(result->text)});
        return;
    }
    if (request == NULL) {
        return;
    }
    if (request->message.type == MESSAGE_ADMIN) {
        coordadmin_applied(coord, waiting->token, command, result);
        return;
    }
    if (result->code != E_OK) {
        struct error err;
        error_set(&err, result->code, "%s", result->text);
        coord_refuse(coord, waiting->token, &err);
    } else if (waiting->kind == STATE_SESSION_NEW) {
        answer_registered(coord, waiting->token, result->number);
    } else if (waiting->kind == STATE_IDS) {
        answer_lease(coord, waiting->token, command->graph, result);
    } else {
        assert(waiting->kind == STATE_NODE_UP);
        coord_answer(coord, waiting->token, MESSAGE_NODE_CONFIG, config_body(coord, 0));
    }
}

static void apply_entry(struct coord *coord, const struct consensus_entry *entry)
{
    struct state_command command;
    struct state_result result;
    struct coord_waiting waiting = {0};

    int rc = state_command_decode(entry->data, &coord->arena, &command, &coord->failure);
    if (rc != E_OK) {
        error_prefix(&coord->failure, "entry %" PRIu64 " of the Raft log", entry->index);
        return;
    }
    while (coord->waiting_count > 0 && coord->waiting[0].index <= entry->index) {
        waiting = coord->waiting[0];
        coord->waiting_count--;
        memmove(coord->waiting, coord->waiting + 1, coord->waiting_count * sizeof *coord->waiting);
        if (waiting.index < entry->index || waiting.term != entry->term) {
            not_leader(coord, waiting.token); /* Another leader's entry took its place. */
            waiting = (struct coord_waiting){0};
        }
    }
    state_apply(&coord->state, &command, &result);
    if (waiting.index == entry->index) {
        answer_applied(coord, &waiting, &command, &result);
    }
    if (command.kind == STATE_GRAPH_READY || command.kind == STATE_GRAPH_DROP) {
        coordadmin_graph(coord, command.graph);
    }
}

/* ---- the turn ---- */

static void carry_member(void *ctx, const struct member_effect *effect)
{
    struct coord *coord = ctx;
    struct message *message;

    switch (effect->kind) {
    case MEMBER_PUSH:
        message = outbox_send(coord->out, PEER_NODE(PEER_SHARDD, effect->node), MESSAGE_NODE_CONFIG,
                              config_body(coord, 0));
        message->dst_boot = effect->boot;
        break;
    case MEMBER_NODE_DOWN:
        log_warn(coord->options.log, "coord", "node=%u msg=\"silent\"", effect->node);
        coord_submit(coord,
                     &(struct state_command){
                         .kind = STATE_NODE_DOWN, .node = effect->node, .boot = effect->boot},
                     0);
        break;
    case MEMBER_GRAPH_READY:
        coord_submit(coord,
                     &(struct state_command){.kind = STATE_GRAPH_READY, .graph = effect->graph}, 0);
        break;
    }
}

static void expire_sessions(struct coord *coord)
{
    uint64_t *sids;
    uint32_t count = 0;

    if (coord->now_ms < coord->expire_ms) {
        return;
    }
    coord->expire_ms = coord->now_ms + SESSION_LOOK_MS;
    sids = arena_array(&coord->arena, coord->state.session_count, sizeof *sids);
    for (uint32_t i = 0; i < coord->state.session_count; i++) {
        uint64_t sid = coord->state.sessions[i].sid;
        bool is_new;
        uint64_t *heard = map_at(&coord->heard, sid, &is_new);
        if (is_new) {
            *heard = coord->now_ms;
        } else if (coord->now_ms >= *heard + SESSION_IDLE_MS) {
            sids[count++] = sid;
            map_remove(&coord->heard, sid);
        }
    }
    if (count > 0) {
        coord_submit(
            coord,
            &(struct state_command){.kind = STATE_SESSION_EXPIRE, .sid_count = count, .sids = sids},
            0);
    }
}

static void refuse_late(struct coord *coord)
{
    struct error err;

    for (size_t i = coord->request_count; i > 0; i--) {
        struct coord_request *request = &coord->requests[i - 1];
        /* A transaction is answered when it is decided, however long that takes. */
        if (coord->now_ms >= request->until_ms && request->message.type != MESSAGE_TXN) {
            error_set(&err, E_TIMEOUT, "the coordinator did not get to it in time");
            coord_refuse(coord, request->token, &err);
        }
    }
}

static int take_snapshot(struct coord *coord, struct error *err)
{
    if (consensus_since_snapshot(coord->consensus) < coord->options.snapshot_entries) {
        return E_OK;
    }
    bytes_clear(&coord->body);
    state_encode(&coord->body, &coord->state);
    return consensus_snapshot(coord->consensus, coord->now_ms, bytes_slice(&coord->body), err);
}

static int round_of_raft(struct coord *coord, struct error *err)
{
    struct consensus_entry entry;
    int rc = consensus_turn(coord->consensus, coord->now_ms, err);

    while (rc == E_OK && consensus_next(coord->consensus, &entry)) {
        apply_entry(coord, &entry);
        arena_reset(&coord->arena);
        if (coord->failure.code != E_OK) {
            if (err != NULL) {
                *err = coord->failure;
            }
            return coord->failure.code;
        }
    }
    return rc;
}

int coord_turn(struct coord *coord, uint64_t now_ms, struct outbox *out, struct error *err)
{
    int rc = E_OK;

    assert(coord != NULL && out != NULL);
    coord->now_ms = now_ms;
    coord->out = out;
    for (int i = 0; i < ROUNDS_MAX && rc == E_OK; i++) {
        rc = round_of_raft(coord, err);
        if (rc != E_OK) {
            break;
        }
        follow_leadership(coord);
        if (coord->lead_term != 0) {
            member_tick(&coord->member, now_ms, carry_member, coord);
            expire_sessions(coord);
            if (now_ms >= decision_deadline(&coord->decision)) {
                feed(coord, &(struct decision_event){.kind = DECISION_TIMEOUT});
            }
            feed(coord, &(struct decision_event){.kind = DECISION_FLUSH});
        }
        if (consensus_deadline(coord->consensus) > 0) {
            break;
        }
    }
    rc = rc != E_OK ? rc : take_snapshot(coord, err);
    refuse_late(coord);
    arena_reset(&coord->arena);
    coord->out = NULL;
    return rc;
}

uint64_t coord_deadline(const struct coord *coord)
{
    uint64_t deadline = consensus_deadline(coord->consensus);
    uint64_t member = member_deadline(&coord->member);
    uint64_t decision = decision_deadline(&coord->decision);

    if (coord->lead_term != 0) {
        deadline = member < deadline ? member : deadline;
        deadline = decision < deadline ? decision : deadline;
    }
    for (size_t i = 0; i < coord->request_count; i++) {
        const struct coord_request *request = &coord->requests[i];
        if (request->message.type != MESSAGE_TXN && request->until_ms < deadline) {
            deadline = request->until_ms;
        }
    }
    return deadline;
}

bool coord_is_ready(const struct coord *coord)
{
    return coord->lead_term != 0;
}

const char *coord_address(const struct coord *coord, uint32_t node)
{
    const struct state_node *known = state_node(&coord->state, node);
    /* The caller's struct is const; the text it is given lives in it. */
    char *text = (char *)(uintptr_t)coord->address;

    if (known == NULL) {
        return NULL;
    }
    snprintf(text, sizeof coord->address, "%.*s", (int)known->address.size,
             (const char *)known->address.data);
    return text;
}

void coord_dump(const struct coord *coord, struct bytes *out)
{
    bytes_format(out, "coordinator %u term %" PRIu64 "%s\n", coord->options.node,
                 consensus_term(coord->consensus), coord->lead_term != 0 ? " leads" : "");
    state_dump(&coord->state, out);
    decision_dump(&coord->decision, out);
}
