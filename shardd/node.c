#include "shardd/node.h"

#include "common/control.h"
#include "common/log.h"
#include "common/mem.h"
#include "common/roster.h"
#include "shardd/nodeadmin.h"
#include "shardd/nodeshards.h"
#include "shardd/store/storefile.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum {
    HEARTBEAT_MS = 100,
    RENEW_MS = 1000,
    LIFE_MS = 2000,    /* Starts again are not more frequent. */
    RESTART_MS = 3000, /* For others to take over before a start again. */
    SILENCE_MS = 500,  /* A coordinator that says nothing for so long is not asked again at once. */
    REPEAT_MS = 100,   /* Of the registration. */
    TAKEN_MS = 5000,   /* Between log lines that another process has this number. */
    COUNT_MS = 1000,   /* Between looks at counters for the heartbeat. */
    TEND_TURNS = 8,    /* Upkeep at least every so many busy turns. */
    PATH_ROOM = 4096
};

static const size_t CACHE_BYTES = 16 << 20;
static const uint64_t ROWS_A_TURN = 200000;
static const uint64_t TURN_US = 10000;
static const uint64_t JOURNAL_KEEP = 10000;

static void marker_of(const struct node *node, char *path)
{
    snprintf(path, PATH_ROOM, "%s/incarnation", node->options.data_dir);
}

int node_open(struct node **node, const struct node_options *options, struct error *err)
{
    assert(node != NULL && options != NULL);
    assert(options->node != 0 && options->boot != 0);
    if (options->coordinator_count == 0) {
        return error_set(err, E_CONFIG, "no coordinator is named");
    }
    struct node *opened = mem_alloc(sizeof *opened);
    opened->options = *options;
    opened->options.zone = options->zone == NULL ? "" : options->zone;
    opened->options.weight = options->weight == 0 ? ROSTER_WEIGHT : options->weight;
    opened->options.heartbeat_ms =
        options->heartbeat_ms == 0 ? HEARTBEAT_MS : options->heartbeat_ms;
    opened->options.cache_bytes = options->cache_bytes == 0 ? CACHE_BYTES : options->cache_bytes;
    opened->options.adjacency_cache_bytes =
        options->adjacency_cache_bytes == 0 ? CACHE_BYTES : options->adjacency_cache_bytes;
    opened->options.read_rows_turn =
        options->read_rows_turn == 0 ? ROWS_A_TURN : options->read_rows_turn;
    opened->options.turn_us = options->turn_us == 0 ? TURN_US : options->turn_us;
    opened->options.journal_keep =
        options->journal_keep == 0 ? JOURNAL_KEEP : options->journal_keep;
    map_init(&opened->places, NULL);
    map_init(&opened->suspects, NULL);
    map_init(&opened->opened, NULL);
    map_init(&opened->partial, NULL);
    arena_init(&opened->arena, 0);
    bytes_init(&opened->body, 0);
    if (options->vfs == NULL) {
        storefile_sweep(options->data_dir);
    }
    char path[PATH_ROOM];
    marker_of(opened, path);
    opened->incarnation = storefile_number_read(options->vfs, path);
    *node = opened;
    return E_OK;
}

void node_close(struct node **node)
{
    assert(node != NULL);
    if (*node == NULL) {
        return;
    }
    incoming_close(*node);
    for (size_t i = 0; i < (*node)->replica_count; i++) {
        replica_close(&(*node)->replicas[i]);
    }
    mem_free((*node)->replicas);
    nodeadmin_close(*node);
    map_close(&(*node)->places);
    map_close(&(*node)->suspects);
    map_close(&(*node)->opened);
    map_close(&(*node)->partial);
    shardmap_close(&(*node)->map);
    arena_close(&(*node)->arena);
    bytes_close(&(*node)->body);
    bytes_close(&(*node)->address);
    mem_free(*node);
    *node = NULL;
}

/* ---- replicas ---- */

struct replica *node_replica(const struct node *node, uint32_t shard)
{
    const uint64_t *place = map_get(&node->places, shard);

    return place == NULL ? NULL : node->replicas[*place];
}

static bool is_coordinator(const struct node *node, peer_id peer)
{
    for (uint32_t i = 0; i < node->options.coordinator_count; i++) {
        if (peer == PEER_NODE(PEER_COORDINATOR, node->options.coordinators[i])) {
            return true;
        }
    }
    return false;
}

/* Said once in a while, for it is said to each heartbeat. */
static void log_refused(struct node *node, uint64_t now_ms, const char *reason)
{
    if (node->taken_ms == 0 || now_ms >= node->taken_ms + TAKEN_MS) {
        node->taken_ms = now_ms;
        log_error(node->options.log, "node", "msg=\"refused\" reason=\"%s\"", reason);
    }
}

/* Whether these coordinators may configure this node: the first ones may. */
static bool is_of_cluster(struct node *node, uint64_t now_ms, uint64_t incarnation)
{
    struct error err = {0};
    char path[PATH_ROOM];

    if (node->incarnation == incarnation) {
        return true;
    }
    if (node->incarnation == 0 && incarnation != 0) {
        marker_of(node, path);
        if (storefile_number_write(node->options.vfs, path, incarnation, &err) == E_OK) {
            node->incarnation = incarnation;
            return true;
        }
        log_refused(node, now_ms, err.text);
        return false;
    }
    error_set(&err, E_CONFIG,
              "the coordinators are of incarnation %016" PRIx64 " of the cluster, this folder of "
              "%016" PRIx64 ": was coordinator.db lost, or another put in its place?",
              incarnation, node->incarnation);
    log_refused(node, now_ms, err.text);
    return false;
}

static void on_config(struct node *node, uint64_t now_ms, const struct message *message)
{
    struct roster_config config;

    if (message->dst_boot != 0 && message->dst_boot != node->options.boot) {
        return;
    }
    if (!is_coordinator(node, message->peer)) {
        /* Pushed over a link that somebody opened to this node: only a reason to ask. */
        node->is_status_due = true;
        return;
    }
    if (roster_config_decode(message->body, &node->arena, &config, NULL) != E_OK ||
        !is_of_cluster(node, now_ms, config.incarnation) || config.term < node->term) {
        arena_reset(&node->arena);
        return;
    }
    node->term = config.term;
    node->heard_ms = now_ms;
    node->refusals = 0;
    if (node->register_id != 0 && message->req_id >= node->register_id) {
        node->is_registered = true;
        node->register_id = 0;
    }
    if (config.map.size > 0 && node->failure.code == E_OK) {
        nodeshards_adopt(node, now_ms, &config, &node->failure);
    }
    arena_reset(&node->arena);
}

/* ---- the coordinators ---- */

static peer_id coordinator_of(const struct node *node)
{
    return PEER_NODE(PEER_COORDINATOR, node->options.coordinators[node->coordinator]);
}

static void ask_another(struct node *node, uint64_t now_ms, uint32_t leader)
{
    node->coordinator = (node->coordinator + 1) % node->options.coordinator_count;
    for (uint32_t i = 0; i < node->options.coordinator_count; i++) {
        if (node->options.coordinators[i] == leader) {
            node->coordinator = i;
        }
    }
    node->heard_ms = now_ms;
}

struct counts {
    uint64_t vertices;
    uint64_t edges;
};

static void count_elements(void *ctx, bool is_edge, struct slice label, uint64_t count)
{
    struct counts *counts = ctx;

    (void)label;
    *(is_edge ? &counts->edges : &counts->vertices) += count;
}

static void scan_at_counts(struct node *node, uint64_t now_ms)
{
    if (node->counted_ms != 0 && now_ms < node->counted_ms + COUNT_MS) {
        return;
    }
    node->counted_ms = now_ms;
    for (size_t i = 0; i < node->replica_count; i++) {
        struct replica *replica = node->replicas[i];
        struct counts counts = {0};
        if (store_each_count(replica->store, count_elements, &counts, NULL) == E_OK) {
            replica->vertices = counts.vertices;
            replica->edges = counts.edges;
        }
        replica->file_bytes = store_file_bytes(replica->store);
    }
}

static void send_status(struct node *node, uint64_t now_ms, struct outbox *out)
{
    struct roster_replica *replicas =
        arena_array(&node->arena, node->replica_count + node->suspects.count, sizeof *replicas);
    struct roster_status status = {.node = node->options.node,
                                   .boot = node->options.boot,
                                   .incarnation = node->incarnation,
                                   .map_version = node->map.version,
                                   .address = slice_text(node->options.address),
                                   .zone = slice_text(node->options.zone),
                                   .weight = node->options.weight,
                                   .is_leaving = node->is_leaving,
                                   .replica_count =
                                       (uint32_t)(node->replica_count + node->suspects.count),
                                   .replicas = replicas};

    scan_at_counts(node, now_ms);
    for (size_t i = 0; i < node->replica_count; i++) {
        const struct replica *replica = node->replicas[i];
        struct store_state state = store_state(replica->store);
        const struct replication *core = &replica->journal.core;
        replicas[i] = (struct roster_replica){
            .shard = replica->shard,
            .role = replica->is_serving                 ? SHARDMAP_PRIMARY
                    : core->role == REPLICATION_BACKUP  ? SHARDMAP_BACKUP
                    : core->role == REPLICATION_LEARNER ? SHARDMAP_LEARNER
                                                        : SHARDMAP_STRANGER,
            .epoch = replica->is_serving ? replica->epoch
                     : core->role == REPLICATION_PRIMARY || core->role == REPLICATION_NONE
                         ? 0
                         : core->promised,
            .applied = state.applied,
            .last = state.last,
            .last_epoch = state.last_epoch,
            .lag_entries = !replica->is_serving && core->leader_commit > core->durable
                               ? core->leader_commit - core->durable
                               : 0,
            .schema_version = state.schema_version,
            .file_bytes = replica->file_bytes,
            .vertices = replica->vertices,
            .edges = replica->edges,
            .resigned = replication_has_resigned(core) ? core->config.epoch : 0,
            .is_partial = map_has(&node->partial, replica->shard),
            .is_full = now_ms < replica->full_ms};
    }
    for (size_t i = 0; i < node->suspects.count; i++) {
        const struct map_entry *entry = &node->suspects.entries[i];
        replicas[node->replica_count + i] = (struct roster_replica){
            .shard = (uint32_t)entry->key,
            .applied = entry->value >> NODESHARDS_SUSPECT_BITS,
            .suspect = (enum roster_suspect)(entry->value & ((1 << NODESHARDS_SUSPECT_BITS) - 1))};
    }
    bytes_clear(&node->body);
    roster_status_encode(&node->body, &status);
    struct message *message =
        outbox_send(out, coordinator_of(node),
                    node->is_registered ? MESSAGE_NODE_STATUS : MESSAGE_NODE_REGISTER,
                    bytes_slice(&node->body));
    message->req_id = ++node->req_id;
    if (!node->is_registered && node->register_id == 0) {
        node->register_id = message->req_id;
    }
    arena_reset(&node->arena);
}

static void keep_in_touch(struct node *node, uint64_t now_ms, struct outbox *out)
{
    if (now_ms < node->status_ms && !node->is_status_due) {
        return;
    }
    if (node->heard_ms == 0) {
        node->heard_ms = now_ms;
    }
    if (now_ms >= node->heard_ms + SILENCE_MS) {
        ask_another(node, now_ms, 0);
    }
    send_status(node, now_ms, out);
    node->is_status_due = false;
    node->status_ms = now_ms + (node->is_registered ? node->options.heartbeat_ms : REPEAT_MS);
}

static void on_refused(struct node *node, uint64_t now_ms, const struct message *message)
{
    struct error err = {0};
    int code = message_refusal(message->body, &err);

    if (message->req_id != node->req_id) {
        return;
    }
    if (code == E_NOT_LEADER) {
        uint32_t leader = control_leader(&err);
        ask_another(node, now_ms, leader);
        /* To one that is named at once; else in the rhythm of repeats. */
        if (leader != 0 && node->refusals++ < node->options.coordinator_count) {
            node->is_status_due = true;
        }
    } else if (code == E_NOT_FOUND) {
        node->is_registered = false;
        node->is_status_due = true;
    } else if (code == E_EXISTS || code == E_CONFIG) {
        node->heard_ms = now_ms;
        log_refused(node, now_ms, err.text);
    }
}

/* ---- messages ---- */

/* Another may lead the shard instead: whoever asks has only to wait for that. */
static bool has_others(const struct node *node, uint32_t number)
{
    const struct shardmap_shard *shard = shardmap_shard(&node->map, number);
    struct nodeset others = {0};

    if (shard != NULL) {
        others = nodeset_union(&shard->isr, &shard->elr);
        nodeset_remove(&others, node->options.node);
    }
    return others.count > 0;
}

static void to_replica(struct node *node, uint64_t now_ms, const struct message *message,
                       struct outbox *out)
{
    struct replica *replica = node_replica(node, message->shard);
    struct error err;

    if (replica != NULL) {
        replica_take(replica, now_ms, message, out);
        return;
    }
    if (map_has(&node->suspects, message->shard) && !has_others(node, message->shard)) {
        error_set(&err, E_CORRUPT,
                  "shard %u is not served: node %u does not trust its file (cardeactl status)",
                  message->shard, node->options.node);
    } else {
        error_set(&err, E_WRONG_EPOCH, "shard %u is not served by node %u", message->shard,
                  node->options.node);
    }
    outbox_refuse(out, message, &err);
}

static void cancel(struct node *node, const struct message *message)
{
    for (size_t i = 0; i < node->replica_count; i++) {
        if (replica_cancel(node->replicas[i], message->peer, message->req_id)) {
            return;
        }
    }
}

void node_message(struct node *node, uint64_t now_ms, const struct message *message,
                  struct outbox *out)
{
    struct error err;

    assert(node != NULL && message != NULL && out != NULL);
    /* Only what a node is asked or told; the rest of the table is for others. */
    if (message->type == MESSAGE_READ || message->type == MESSAGE_VALIDATE ||
        message->type == MESSAGE_COMMIT1 || message->type == MESSAGE_PREPARE ||
        message->type == MESSAGE_DECIDE) {
        to_replica(node, now_ms, message, out);
    } else if (message->type == MESSAGE_INQUIRE_REPLY) {
        struct replica *replica = node_replica(node, message->shard);
        if (replica != NULL && replica->is_serving) {
            replica_take(replica, now_ms, message, out);
        }
    } else if (message->type == MESSAGE_APPEND || message->type == MESSAGE_APPEND_ACK ||
               message->type == MESSAGE_APPEND_NACK || message->type == MESSAGE_RELEASE ||
               message->type == MESSAGE_SNAPSHOT_GET || message->type == MESSAGE_SHARD_HANDOVER) {
        struct replica *replica = node_replica(node, message->shard);
        if (replica != NULL) {
            journal_take(&replica->journal, message);
        }
    } else if (message->type == MESSAGE_SNAPSHOT_OFFER || message->type == MESSAGE_SNAPSHOT_CHUNK) {
        incoming_message(node, now_ms, message, out);
    } else if (message->type == MESSAGE_CANCEL) {
        cancel(node, message);
    } else if (message->type == MESSAGE_NODE_CONFIG) {
        on_config(node, now_ms, message);
    } else if (message->type == MESSAGE_REFUSED) {
        on_refused(node, now_ms, message);
    } else if (message->type == MESSAGE_ADMIN) {
        nodeadmin_take(node, message, out);
    } else {
        error_set(&err, E_UNSUPPORTED, "a shard node does not answer %s",
                  message_name(message->type));
        outbox_refuse(out, message, &err);
    }
}

/* ---- the turn ---- */

static int tend_one(struct node *node, bool was_busy, struct error *err)
{
    node->busy_turns = was_busy ? node->busy_turns + 1 : TEND_TURNS;
    if (node->busy_turns < TEND_TURNS) {
        return E_OK;
    }
    node->busy_turns = 0;
    for (size_t i = 0; i < node->replica_count; i++) {
        size_t place = (node->tend_next + i) % node->replica_count;
        if (node->replicas[place]->is_tend_due) {
            node->tend_next = place + 1;
            int rc = replica_tend(node->replicas[place], node->options.journal_keep, err);
            rc = rc != E_OK ? rc : replica_end_sessions(node->replicas[place], node->turn_ms, err);
            return store_damage(node->replicas[place]->store, NULL) == E_OK ? rc : E_OK;
        }
    }
    return E_OK;
}

/* As for any end: others take over first. */
static int end_to_restart(struct node *node, uint64_t now_ms, struct error *err)
{
    if (node->started_ms == 0) {
        node->started_ms = now_ms;
    }
    if (!node->must_restart || now_ms < node->started_ms + LIFE_MS) {
        return E_OK;
    }
    if (node->restart_ms == 0) {
        node->restart_ms = now_ms + RESTART_MS;
        log_warn(node->options.log, "node",
                 "msg=\"starts again, to build replicas anew whose files are of no use\"");
    }
    if (!node_leave(node) && now_ms < node->restart_ms) {
        return E_OK;
    }
    return error_set(err, E_CORRUPT,
                     "files of replicas are of no use: this process ends, and is to "
                     "be started again");
}

int node_turn(struct node *node, uint64_t now_ms, struct outbox *out, struct error *err)
{
    node->turn_ms = now_ms;
    struct replica_turn turn = {.now_ms = now_ms,
                                .out = out,
                                .coordinator = coordinator_of(node),
                                .rows_left = node->options.read_rows_turn,
                                .micros = node->options.micros,
                                .log = node->options.log};
    bool was_busy = false;

    if (node->failure.code != E_OK) {
        if (err != NULL) {
            *err = node->failure;
        }
        return node->failure.code;
    }
    if (turn.micros != NULL) {
        turn.end_us = turn.micros() + node->options.turn_us;
    }
    /* Another replica is the first at each turn, so that none has the reads to itself; when the
     * time is up the next turn goes on with those that had none. */
    size_t first = ++node->turn_next;
    for (size_t i = 0; i < node->replica_count; i++) {
        struct replica *replica = node->replicas[(first + i) % node->replica_count];
        bool was_serving = replica->is_serving;
        if (i > 0 && replica_turn_is_over(&turn)) {
            node->turn_next = first + i - 1;
            break;
        }
        was_busy = was_busy || replica->request_count > 0;
        int rc = replica_turn(replica, &turn, err);
        if (rc != E_OK && store_damage(replica->store, NULL) == E_OK) {
            error_prefix(err, "shard %u", replica->shard);
            return rc;
        }
        node->is_status_due = node->is_status_due || was_serving != replica->is_serving;
    }
    incoming_turn(node, now_ms, out);
    nodeadmin_turn(node, out);
    int rc = tend_one(node, was_busy, err);
    bool is_due = node->suspects.count > 0 && now_ms >= node->renew_ms;
    if ((nodeshards_check(node, out) || is_due) && rc == E_OK) {
        node->renew_ms = now_ms + RENEW_MS;
        rc = nodeshards_renew(node, now_ms, err);
    }
    keep_in_touch(node, now_ms, out);
    return rc != E_OK ? rc : end_to_restart(node, now_ms, err);
}

bool node_must_restart(const struct node *node)
{
    return node != NULL && node->must_restart;
}

uint64_t node_deadline(const struct node *node)
{
    uint64_t deadline = node->is_status_due || nodeadmin_is_due(node) ? 0 : node->status_ms;

    uint64_t chunk = incoming_deadline(node);
    deadline = chunk < deadline ? chunk : deadline;
    for (size_t i = 0; i < node->replica_count; i++) {
        uint64_t at =
            node->replicas[i]->is_tend_due ? 0 : replica_deadline(node->replicas[i], node->turn_ms);
        deadline = at < deadline ? at : deadline;
    }
    return deadline;
}

bool node_is_ready(const struct node *node)
{
    if (!node->is_registered || node->map.version == 0) {
        return false;
    }
    for (uint32_t i = 0; i < node->map.shard_count; i++) {
        const struct shardmap_shard *shard = &node->map.shards[i];
        const struct replica *replica = node_replica(node, shard->shard);
        if (shard->primary == node->options.node && (replica == NULL || !replica->is_serving)) {
            return false;
        }
    }
    return true;
}

bool node_leave(struct node *node)
{
    assert(node != NULL);
    node->is_status_due = node->is_status_due || !node->is_leaving;
    node->is_leaving = true;
    bool is_needed = false;
    for (size_t i = 0; i < node->replica_count && node->is_registered; i++) {
        struct journal *journal = &node->replicas[i]->journal;
        const struct replication_config *config = &journal->config;
        uint32_t least = journal->core.role == REPLICATION_PRIMARY ? 1 : config->min_insync;
        journal->is_leaving = true;
        is_needed = is_needed ||
                    (nodeset_has(&config->isr, node->options.node) && config->isr.count > least);
    }
    return !is_needed;
}

const char *node_address(struct node *node, uint32_t other)
{
    const struct shardmap_node *found = shardmap_node(&node->map, other);

    if (found == NULL || found->address.size == 0) {
        return NULL;
    }
    bytes_clear(&node->address);
    bytes_append(&node->address, found->address.data, found->address.size);
    bytes_u8(&node->address, 0);
    return (const char *)node->address.data;
}

void node_dump(const struct node *node, struct bytes *out)
{
    bytes_format(out, "node %u boot %016" PRIx64 " %s map %" PRIu64 "\n", node->options.node,
                 node->options.boot, node->is_registered ? "registered" : "not registered",
                 node->map.version);
    for (size_t i = 0; i < node->replica_count; i++) {
        bytes_format(out, "shard %u requests %zu\n", node->replicas[i]->shard,
                     node->replicas[i]->request_count);
        if (node->replicas[i]->is_serving) {
            participant_dump(&node->replicas[i]->core, out);
        }
    }
}
