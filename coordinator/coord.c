#include "coordinator/coord_inside.h"

#include "common/control.h"
#include "common/log.h"
#include "common/mem.h"
#include "common/mutation.h"
#include "coordinator/coord_map.h"
#include "coordinator/coord_shards.h"
#include "coordinator/coord_txn.h"
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
    REPLICAS_MAX = SHARDMAP_REPLICAS_MAX,
    SNAPSHOT_ENTRIES = 10000,
    SESSION_IDLE_MS = 3600000,
    SESSION_LOOK_MS = 60000,
    ANSWER_MS = 10000, /* Of a request without a deadline of its own. */
    ROUNDS_MAX = 4,    /* Commits of the Raft log in one turn. */
    PATH_ROOM = 4096
};

/* ---- open ---- */

static void set_defaults(struct coord_options *options)
{
    options->election_ms = options->election_ms == 0 ? ELECTION_MS : options->election_ms;
    options->heartbeat_ms = options->heartbeat_ms == 0 ? HEARTBEAT_MS : options->heartbeat_ms;
    options->txn_ms = options->txn_ms == 0 ? TXN_MS : options->txn_ms;
    options->silence_ms = options->silence_ms == 0 ? SILENCE_MS : options->silence_ms;
    options->replicas_max = options->replicas_max == 0 ? REPLICAS_MAX : options->replicas_max;
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
    failover_init(&opened->failover, &opened->state, &opened->member);
    map_init(&opened->heard, NULL);
    map_init(&opened->routers, NULL);
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
    failover_close(&c->failover);
    member_close(&c->member);
    state_close(&c->state);
    map_close(&c->heard);
    map_close(&c->routers);
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

/* Whether a command is dropped while the disk is full. What transactions need waits for room.
 * Requests are told at once; what is proposed by time is proposed again. */
static bool is_held_back(struct coord *coord, const struct state_command *command, uint64_t token)
{
    struct error err;

    if (!consensus_is_full(coord->consensus) || command->kind == STATE_DECIDE ||
        command->kind == STATE_FORGET || command->kind == STATE_FOUND) {
        return false;
    }
    error_set(&err, E_LIMIT,
              "the disk of coordinator %" PRIu32 " is full: nothing is changed until there is room",
              coord->options.node);
    coord_refuse(coord, token, &err);
    return true;
}

void coord_submit(struct coord *coord, const struct state_command *command, uint64_t token)
{
    struct bytes body;

    if (is_held_back(coord, command, token)) {
        return;
    }
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

static void add_floors(struct coord *coord, uint32_t node, struct roster_config *config)
{
    const struct state *state = &coord->state;
    struct roster_floor *floors;
    uint32_t count = 0;

    for (uint32_t i = 0; i < state->graph_count; i++) {
        count += state->graphs[i].shard_count;
    }
    floors = arena_array(&coord->arena, count, sizeof *floors);
    for (uint32_t i = 0; i < state->graph_count; i++) {
        for (uint32_t j = 0; j < state->graphs[i].shard_count; j++) {
            const struct state_shard *shard = &state->graphs[i].shards[j];
            bool is_counted = nodeset_has(&shard->isr, node) || nodeset_has(&shard->elr, node);
            if (is_counted && shard->applied > 0) {
                floors[config->floor_count++] =
                    (struct roster_floor){.shard = shard->shard, .applied = shard->applied};
            }
        }
    }
    config->floors = floors;
}

struct slice coord_config(struct coord *coord, uint32_t node, uint64_t known)
{
    struct roster_config config = {.term = consensus_term(coord->consensus),
                                   .incarnation = coord->state.incarnation,
                                   .map_version = coord->state.version,
                                   .shard_next = coord->state.shard_next};

    if (known < coord->state.version) {
        config.map = coord_map(coord);
        add_floors(coord, node, &config);
    }
    bytes_clear(&coord->body);
    roster_config_encode(&coord->body, &config);
    return bytes_slice(&coord->body);
}

/* ---- messages ---- */

/* Its files are of a history that this coordinator does not know: they are not to be touched. */
static void refuse_stranger(struct coord *coord, const struct message *message,
                            const struct roster_status *status)
{
    struct error err;

    error_set(&err, E_CONFIG,
              "node %u is of incarnation %016" PRIx64
              " of the cluster, the coordinators of %016" PRIx64
              ": was coordinator.db lost, or another put in its place?",
              status->node, status->incarnation, coord->state.incarnation);
    log_warn(coord->options.log, "coord", "msg=\"refused\" reason=\"%s\"", err.text);
    outbox_refuse(coord->out, message, &err);
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
    if (coord->state.incarnation == 0) {
        error_set(&err, E_UNAVAILABLE, "the cluster is being founded");
        outbox_refuse(coord->out, message, &err);
        return;
    }
    if (status.incarnation != 0 && status.incarnation != coord->state.incarnation) {
        refuse_stranger(coord, message, &status);
        return;
    }
    switch (member_hear(&coord->member, coord->now_ms, &status, is_register)) {
    case MEMBER_PROPOSE:
        coord_submit(coord,
                     &(struct state_command){.kind = STATE_NODE_UP,
                                             .node = status.node,
                                             .boot = status.boot,
                                             .name = status.address,
                                             .zone = status.zone,
                                             .weight = status.weight},
                     coord_take(coord, message));
        break;
    case MEMBER_CONFIG:
        outbox_reply(coord->out, message, MESSAGE_NODE_CONFIG,
                     coord_config(coord, status.node, status.map_version));
        break;
    case MEMBER_UNKNOWN:
        error_set(&err, E_NOT_FOUND, "node %u is not registered", status.node);
        outbox_refuse(coord->out, message, &err);
        break;
    case MEMBER_TAKEN:
        error_set(&err, E_EXISTS,
                  "node %u runs already, at %s: give this process another number, or end that one",
                  status.node, coord_address(coord, status.node));
        outbox_refuse(coord->out, message, &err);
        break;
    }
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

    if (coord_txn_message(coord, message) || coord_shards_message(coord, message)) {
        return;
    }
    if (message->type == MESSAGE_NODE_REGISTER || message->type == MESSAGE_NODE_STATUS) {
        on_status(coord, message);
    } else if (message->type == MESSAGE_ROUTER_REGISTER) {
        coord_map_heard(coord, message->peer);
        coord_submit(coord, &(struct state_command){.kind = STATE_SESSION_NEW},
                     coord_take(coord, message));
    } else if (message->type == MESSAGE_MAP_GET) {
        coord_map_get(coord, message);
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
        failover_lead(&coord->failover, coord->now_ms);
        map_clear(&coord->heard);
        map_clear(&coord->routers);
        coord_txn_feed(coord, &(struct decision_event){.kind = DECISION_LEAD, .term = term});
        if (coord->state.incarnation == 0) {
            /* The boot id is as random as any number, and never 0. */
            coord_submit(
                coord,
                &(struct state_command){.kind = STATE_FOUND, .incarnation = coord->options.boot},
                0);
        }
    }
}

void coord_message(struct coord *coord, uint64_t now_ms, const struct message *message,
                   struct outbox *out)
{
    assert(coord != NULL && message != NULL && out != NULL);
    coord->now_ms = now_ms;
    coord->out = out;
    follow_leadership(coord);
    coord->decision.is_full = consensus_is_full(coord->consensus);
    if (message->dst_boot != 0 && message->dst_boot != coord->options.boot) {
        coord->out = NULL;
        return; /* An answer to the process before this one. */
    }
    if (coord->lead_term != 0) {
        on_message(coord, message);
    } else if (message->type != MESSAGE_REFUSED) {
        not_leader(coord, coord_take(coord, message));
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
        coord_txn_feed(coord, &(struct decision_event){.kind = DECISION_APPLIED,
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
    if (coord_shards_applied(coord, waiting->token, command, result)) {
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
        coord_answer(coord, waiting->token, MESSAGE_NODE_CONFIG,
                     coord_config(coord, command->node, 0));
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

static void submit_applied(struct coord *coord, uint32_t number)
{
    const struct member_node *node = member_node(&coord->member, number);
    uint32_t *shards = arena_array(&coord->arena, node->replica_count, sizeof *shards);
    uint64_t *applied = arena_array(&coord->arena, node->replica_count, sizeof *applied);
    struct state_command command = {.kind = STATE_APPLIED,
                                    .node = number,
                                    .boot = node->boot,
                                    .shards = shards,
                                    .applied = applied};

    for (uint32_t i = 0; i < node->replica_count; i++) {
        if (member_is_ahead(&coord->member, node, &node->replicas[i])) {
            shards[command.shard_count] = node->replicas[i].shard;
            applied[command.shard_count++] = node->replicas[i].applied;
        }
    }
    coord_submit(coord, &command, 0);
}

static void carry_member(void *ctx, const struct member_effect *effect)
{
    struct coord *coord = ctx;
    struct message *message;

    switch (effect->kind) {
    case MEMBER_PUSH:
        message = outbox_send(coord->out, PEER_NODE(PEER_SHARDD, effect->node), MESSAGE_NODE_CONFIG,
                              coord_config(coord, effect->node, 0));
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
    case MEMBER_APPLIED:
        submit_applied(coord, effect->node);
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
            coord_shards_tick(coord);
            coord_map_tick(coord);
            expire_sessions(coord);
            if (now_ms >= decision_deadline(&coord->decision)) {
                coord_txn_feed(coord, &(struct decision_event){.kind = DECISION_TIMEOUT});
            }
            coord_txn_feed(coord, &(struct decision_event){.kind = DECISION_FLUSH});
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
