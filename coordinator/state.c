#include "coordinator/state.h"

#include "common/control.h"
#include "common/mem.h"
#include "coordinator/replicaset.h"
#include "coordinator/state_configure.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* ---- memory ---- */

static struct slice keep(struct slice text)
{
    return text.size == 0 ? (struct slice){0} : slice_of(mem_copy(text.data, text.size), text.size);
}

static void discard(struct slice *text)
{
    mem_free((void *)(uintptr_t)text->data);
    *text = (struct slice){0};
}

/* Makes room for one more at place at, and gives it zeroed. */
static void *insert(void *items, uint32_t *count, uint32_t *room, size_t size, uint32_t at)
{
    uint8_t *bytes = items;

    if (*count == *room) {
        *room = *room == 0 ? 8 : *room * 2;
        bytes = mem_resize(bytes, *room * size);
    }
    memmove(bytes + (at + 1) * size, bytes + at * size, (*count - at) * size);
    memset(bytes + at * size, 0, size);
    ++*count;
    return bytes;
}

static void erase(void *items, uint32_t *count, size_t size, uint32_t at)
{
    uint8_t *bytes = items;

    --*count;
    memmove(bytes + at * size, bytes + (at + 1) * size, (*count - at) * size);
}

void state_init(struct state *state, uint64_t cluster_id)
{
    assert(state != NULL);
    *state =
        (struct state){.cluster_id = cluster_id, .graph_next = 1, .shard_next = 1, .sid_next = 1};
    map_init(&state->places, NULL);
}

static void index_close(struct shardmap_index *index)
{
    discard(&index->name);
    discard(&index->label);
    discard(&index->key);
}

static void graph_close(struct state_graph *graph)
{
    for (uint32_t i = 0; i < graph->shard_count; i++) {
        discard(&graph->shards[i].lo);
        discard(&graph->shards[i].hi);
    }
    for (uint32_t i = 0; i < graph->index_count; i++) {
        index_close(&graph->indexes[i]);
    }
    discard(&graph->name);
    mem_free(graph->shards);
    mem_free(graph->indexes);
}

void state_close(struct state *state)
{
    assert(state != NULL);
    for (uint32_t i = 0; i < state->graph_count; i++) {
        graph_close(&state->graphs[i]);
    }
    for (uint32_t i = 0; i < state->node_count; i++) {
        discard(&state->nodes[i].address);
        discard(&state->nodes[i].zone);
    }
    for (uint32_t i = 0; i < state->session_count; i++) {
        mem_free(state->sessions[i].committed);
    }
    for (uint32_t i = 0; i < state->decision_count; i++) {
        mem_free(state->decisions[i].shards);
    }
    map_close(&state->places);
    mem_free(state->nodes);
    mem_free(state->graphs);
    mem_free(state->sessions);
    mem_free(state->decisions);
    *state = (struct state){0};
}

/* ---- look-ups ---- */

struct state_node *state_node(const struct state *state, uint32_t node)
{
    for (uint32_t i = 0; i < state->node_count; i++) {
        if (state->nodes[i].node == node) {
            return &state->nodes[i];
        }
    }
    return NULL;
}

struct state_graph *state_graph(const struct state *state, struct slice name)
{
    for (uint32_t i = 0; i < state->graph_count; i++) {
        if (slice_equal(state->graphs[i].name, name)) {
            return &state->graphs[i];
        }
    }
    return NULL;
}

struct state_graph *state_graph_by_id(const struct state *state, uint32_t graph)
{
    for (uint32_t i = 0; i < state->graph_count; i++) {
        if (state->graphs[i].graph == graph) {
            return &state->graphs[i];
        }
    }
    return NULL;
}

void state_index(struct state *state)
{
    map_clear(&state->places);
    for (uint32_t i = 0; i < state->graph_count; i++) {
        for (uint32_t j = 0; j < state->graphs[i].shard_count; j++) {
            map_put(&state->places, state->graphs[i].shards[j].shard, (uint64_t)i << 32 | j);
        }
    }
}

struct state_graph *state_shard_graph(const struct state *state, uint32_t shard)
{
    const uint64_t *place = map_get(&state->places, shard);

    return place == NULL ? NULL : &state->graphs[*place >> 32];
}

struct state_shard *state_shard(const struct state *state, uint32_t shard)
{
    const uint64_t *place = map_get(&state->places, shard);

    return place == NULL ? NULL : &state->graphs[*place >> 32].shards[(uint32_t)*place];
}

/* Place of the first session that is not below sid. */
static uint32_t session_place(const struct state *state, uint64_t sid)
{
    uint32_t low = 0;
    uint32_t high = state->session_count;

    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (state->sessions[middle].sid < sid) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

struct state_session *state_session(const struct state *state, uint64_t sid)
{
    uint32_t at = session_place(state, sid);

    return at < state->session_count && state->sessions[at].sid == sid ? &state->sessions[at]
                                                                       : NULL;
}

static uint32_t decision_place(const struct state *state, struct txn_gtid gtid)
{
    uint32_t low = 0;
    uint32_t high = state->decision_count;

    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (txn_gtid_order(state->decisions[middle].gtid, gtid) < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

struct state_decision *state_decision(const struct state *state, struct txn_gtid gtid)
{
    uint32_t at = decision_place(state, gtid);

    return at < state->decision_count && txn_gtid_order(state->decisions[at].gtid, gtid) == 0
               ? &state->decisions[at]
               : NULL;
}

static uint32_t seq_place(const struct state_session *session, uint64_t seq)
{
    uint32_t at = session->count;

    while (at > 0 && session->committed[at - 1] >= seq) {
        at--;
    }
    return at;
}

bool state_is_committed(const struct state_session *session, uint64_t seq)
{
    uint32_t at = seq_place(session, seq);

    return at < session->count && session->committed[at] == seq;
}

/* ---- apply ---- */

__attribute__((format(printf, 3, 4))) static void refuse(struct state_result *result, int code,
                                                         const char *format, ...)
{
    va_list args;

    result->code = code;
    va_start(args, format);
    vsnprintf(result->text, sizeof result->text, format, args);
    va_end(args);
}

static void set_text(struct slice *text, struct slice wanted)
{
    discard(text);
    *text = keep(wanted);
}

static void node_up(struct state *state, const struct state_command *command,
                    struct state_result *result)
{
    struct state_node *node = state_node(state, command->node);

    if (node == NULL && state->node_count == SHARDMAP_NODES_MAX) {
        refuse(result, E_LIMIT, "at most %u nodes", SHARDMAP_NODES_MAX);
        return;
    }
    if (node != NULL && node->boot == command->boot && node->is_up &&
        slice_equal(node->address, command->name) && slice_equal(node->zone, command->zone) &&
        node->weight == command->weight) {
        return;
    }
    if (node == NULL) {
        uint32_t at = 0;
        while (at < state->node_count && state->nodes[at].node < command->node) {
            at++;
        }
        state->nodes =
            insert(state->nodes, &state->node_count, &state->node_room, sizeof *state->nodes, at);
        node = &state->nodes[at];
        node->node = command->node;
    }
    bool is_new_boot = node->boot != command->boot;
    node->boot = command->boot;
    node->is_up = true;
    node->weight = command->weight;
    set_text(&node->address, command->name);
    set_text(&node->zone, command->zone);
    state->version++;
    for (uint32_t i = 0; i < state->graph_count && is_new_boot; i++) {
        for (uint32_t j = 0; j < state->graphs[i].shard_count; j++) {
            replicaset_restart(&state->graphs[i].shards[j], state->graphs[i].min_insync, node->node,
                               node->boot);
        }
    }
}

static void node_down(struct state *state, const struct state_command *command)
{
    struct state_node *node = state_node(state, command->node);

    if (node != NULL && node->boot == command->boot && node->is_up) {
        node->is_up = false;
        state->version++;
    }
}

static void note_applied(struct state *state, const struct state_command *command)
{
    for (uint32_t i = 0; i < command->shard_count; i++) {
        struct state_shard *shard = state_shard(state, command->shards[i]);
        if (shard != NULL && shard->primary == command->node &&
            shard->primary_boot == command->boot) {
            shard->applied = command->applied[i];
        }
    }
}

static bool is_name(struct slice name)
{
    if (name.size == 0 || name.size > STATE_NAME_MAX) {
        return false;
    }
    for (size_t i = 0; i < name.size; i++) {
        uint8_t c = name.data[i];
        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
              c == '_' || c == '-' || c == '.')) {
            return false;
        }
    }
    return true;
}

static bool is_graph_possible(const struct state *state, const struct state_command *command,
                              struct state_result *result)
{
    uint32_t shards = 0;

    for (uint32_t i = 0; i < state->graph_count; i++) {
        shards += state->graphs[i].shard_count;
    }
    if (!is_name(command->name)) {
        refuse(result, E_INVALID, "a graph's name has 1 to %u letters, digits, '_', '-', '.'",
               STATE_NAME_MAX);
    } else if (state_graph(state, command->name) != NULL) {
        refuse(result, E_EXISTS, "graph %.*s exists already", (int)command->name.size,
               (const char *)command->name.data);
    } else if (command->shard_count == 0 || command->shard_count > STATE_SHARDS_MAX) {
        refuse(result, E_INVALID, "a graph has 1 to %u shards", STATE_SHARDS_MAX);
    } else if (state->graph_count == SHARDMAP_GRAPHS_MAX ||
               shards + command->shard_count > SHARDMAP_SHARDS_MAX) {
        refuse(result, E_LIMIT, "at most %u graphs and %u shards", SHARDMAP_GRAPHS_MAX,
               SHARDMAP_SHARDS_MAX);
    }
    if (result->code == E_OK) {
        state_configure_are_counts(command, result);
    }
    for (uint32_t i = 0; i < command->shard_count && result->code == E_OK; i++) {
        const struct nodeset *replicas = &command->replicas[i];
        if (replicas->count != command->replica_count ||
            !nodeset_has(replicas, command->shards[i])) {
            refuse(result, E_INVALID, "a shard is given %u nodes, its primary among them",
                   command->replica_count);
        }
        for (uint32_t j = 0; j < replicas->count && result->code == E_OK; j++) {
            if (state_node(state, replicas->nodes[j]) == NULL) {
                refuse(result, E_UNAVAILABLE, "node %u is not known", replicas->nodes[j]);
            }
        }
        if (result->code == E_OK && i > 0 &&
            slice_compare(i == 1 ? (struct slice){0} : command->splits[i - 2],
                          command->splits[i - 1]) >= 0) {
            refuse(result, E_INVALID, "split keys must ascend");
        }
    }
    return result->code == E_OK;
}

static void graph_create(struct state *state, const struct state_command *command,
                         struct state_result *result)
{
    if (!is_graph_possible(state, command, result)) {
        return;
    }
    uint32_t at = state->graph_count;
    state->graphs =
        insert(state->graphs, &state->graph_count, &state->graph_room, sizeof *state->graphs, at);
    struct state_graph *graph = &state->graphs[at];
    graph->graph = state->graph_next++;
    graph->name = keep(command->name);
    graph->partitioner = command->partitioner;
    graph->ids = command->ids;
    graph->schema_version = 1;
    graph->id_next = SHARDMAP_MADE_FROM;
    graph->replica_count = command->replica_count;
    graph->min_insync = command->min_insync;
    graph->shard_count = command->shard_count;
    graph->shards = mem_array(graph->shard_count, sizeof *graph->shards);
    for (uint32_t i = 0; i < graph->shard_count; i++) {
        struct state_shard *shard = &graph->shards[i];
        shard->shard = state->shard_next++;
        shard->epoch = 1;
        shard->cfgver = 1;
        shard->primary = command->shards[i];
        shard->primary_boot = state_node(state, shard->primary)->boot;
        /* All are empty: nobody has missed anything. */
        shard->replicas = command->replicas[i];
        shard->isr = command->replicas[i];
        shard->lo = i == 0 ? (struct slice){0} : keep(command->splits[i - 1]);
        shard->hi = i + 1 == graph->shard_count ? (struct slice){0} : keep(command->splits[i]);
    }
    state_index(state);
    state->version++;
    result->number = graph->graph;
}

static void graph_ready(struct state *state, const struct state_command *command)
{
    struct state_graph *graph = state_graph_by_id(state, command->graph);

    if (graph != NULL && !graph->is_ready) {
        graph->is_ready = true;
        state->version++;
    }
}

/* A shard that is no more takes part in nothing. */
static void leave_decisions(struct state *state, const struct state_graph *graph)
{
    for (uint32_t i = state->decision_count; i > 0; i--) {
        struct state_decision *decision = &state->decisions[i - 1];
        for (uint32_t j = decision->shard_count; j > 0; j--) {
            if (state_shard_graph(state, decision->shards[j - 1]) == graph) {
                erase(decision->shards, &decision->shard_count, sizeof *decision->shards, j - 1);
            }
        }
        if (decision->shard_count == 0) {
            mem_free(decision->shards);
            erase(state->decisions, &state->decision_count, sizeof *state->decisions, i - 1);
        }
    }
}

static struct state_graph *graph_named(struct state *state, const struct state_command *command,
                                       struct state_result *result)
{
    struct state_graph *graph = state_graph(state, command->name);

    if (graph == NULL) {
        refuse(result, E_NOT_FOUND, "no graph %.*s", (int)command->name.size,
               (const char *)command->name.data);
    }
    return graph;
}

static void graph_drop(struct state *state, const struct state_command *command,
                       struct state_result *result)
{
    struct state_graph *graph = graph_named(state, command, result);

    if (graph == NULL) {
        return;
    }
    leave_decisions(state, graph);
    result->number = graph->graph;
    uint32_t at = (uint32_t)(graph - state->graphs);
    graph_close(graph);
    erase(state->graphs, &state->graph_count, sizeof *state->graphs, at);
    state_index(state);
    state->version++;
}

static void schema_changed(struct state *state, struct state_graph *graph)
{
    graph->schema_version++;
    for (uint32_t i = 0; i < graph->shard_count; i++) {
        graph->shards[i].cfgver++;
    }
    state->version++;
}

static struct shardmap_index *index_named(const struct state_graph *graph, struct slice name)
{
    for (uint32_t i = 0; i < graph->index_count; i++) {
        if (slice_equal(graph->indexes[i].name, name)) {
            return &graph->indexes[i];
        }
    }
    return NULL;
}

static void index_create(struct state *state, const struct state_command *command,
                         struct state_result *result)
{
    struct state_graph *graph = graph_named(state, command, result);
    const struct shardmap_index *wanted = &command->index;

    if (graph == NULL) {
        return;
    }
    if (!is_name(wanted->name) || wanted->key.size == 0) {
        refuse(result, E_INVALID, "an index needs a name and a key");
        return;
    }
    if (index_named(graph, wanted->name) != NULL) {
        refuse(result, E_EXISTS, "index %.*s exists already", (int)wanted->name.size,
               (const char *)wanted->name.data);
        return;
    }
    if (graph->index_count == SHARDMAP_INDEXES_MAX) {
        refuse(result, E_LIMIT, "at most %u indexes a graph", SHARDMAP_INDEXES_MAX);
        return;
    }
    graph->indexes = mem_resize(graph->indexes, (graph->index_count + 1) * sizeof *graph->indexes);
    graph->indexes[graph->index_count++] = (struct shardmap_index){
        .name = keep(wanted->name), .label = keep(wanted->label), .key = keep(wanted->key)};
    schema_changed(state, graph);
}

static void index_drop(struct state *state, const struct state_command *command,
                       struct state_result *result)
{
    struct state_graph *graph = graph_named(state, command, result);

    if (graph == NULL) {
        return;
    }
    struct shardmap_index *index = index_named(graph, command->index.name);
    if (index == NULL) {
        refuse(result, E_NOT_FOUND, "no index %.*s", (int)command->index.name.size,
               (const char *)command->index.name.data);
        return;
    }
    index_close(index);
    erase(graph->indexes, &graph->index_count, sizeof *graph->indexes,
          (uint32_t)(index - graph->indexes));
    schema_changed(state, graph);
}

static void session_new(struct state *state, struct state_result *result)
{
    if (state->session_count == STATE_SESSIONS_MAX) {
        refuse(result, E_LIMIT, "at most %u sessions of routers", STATE_SESSIONS_MAX);
        return;
    }
    uint32_t at = state->session_count;
    state->sessions = insert(state->sessions, &state->session_count, &state->session_room,
                             sizeof *state->sessions, at);
    state->sessions[at].sid = state->sid_next++;
    result->number = state->sessions[at].sid;
}

static void session_expire(struct state *state, const struct state_command *command)
{
    for (uint32_t i = 0; i < command->sid_count; i++) {
        struct state_session *session = state_session(state, command->sids[i]);
        if (session != NULL) {
            mem_free(session->committed);
            erase(state->sessions, &state->session_count, sizeof *state->sessions,
                  (uint32_t)(session - state->sessions));
        }
    }
}

static void lease_ids(struct state *state, const struct state_command *command,
                      struct state_result *result)
{
    struct state_graph *graph = state_graph_by_id(state, command->graph);

    if (graph == NULL) {
        refuse(result, E_NOT_FOUND, "no graph %u", command->graph);
        return;
    }
    uint64_t left = CONTROL_ID_MAX - graph->id_next;
    result->count = command->count < left ? command->count : left;
    if (result->count == 0) {
        refuse(result, E_LIMIT, "graph %u has used all ids below 2^53", command->graph);
        return;
    }
    result->number = graph->id_next;
    graph->id_next += result->count;
}

static void remember_commit(struct state_session *session, uint64_t seq, uint64_t low_seq)
{
    if (low_seq > session->low_seq && session->count > 0) {
        uint32_t gone = seq_place(session, low_seq);
        session->count -= gone;
        memmove(session->committed, session->committed + gone,
                session->count * sizeof *session->committed);
    }
    session->low_seq = low_seq > session->low_seq ? low_seq : session->low_seq;
    uint32_t at = seq_place(session, seq);
    session->committed =
        insert(session->committed, &session->count, &session->room, sizeof *session->committed, at);
    session->committed[at] = seq;
}

static void decide(struct state *state, const struct state_command *command,
                   struct state_result *result)
{
    struct state_session *session = state_session(state, command->sid);

    if (session == NULL) {
        refuse(result, E_NOT_FOUND, "the router's session has expired");
        return;
    }
    if (state_is_committed(session, command->seq) || state_decision(state, command->gtid) != NULL) {
        refuse(result, E_EXISTS, "committed already");
        return;
    }
    remember_commit(session, command->seq, command->low_seq);
    uint32_t at = decision_place(state, command->gtid);
    state->decisions = insert(state->decisions, &state->decision_count, &state->decision_room,
                              sizeof *state->decisions, at);
    struct state_decision *decision = &state->decisions[at];
    decision->gtid = command->gtid;
    decision->sid = command->sid;
    decision->seq = command->seq;
    decision->shard_count = command->shard_count;
    decision->shards = mem_copy(command->shards, command->shard_count * sizeof *command->shards);
}

static void forget(struct state *state, const struct state_command *command)
{
    for (uint32_t i = 0; i < command->gtid_count; i++) {
        struct state_decision *decision = state_decision(state, command->gtids[i]);
        if (decision != NULL) {
            mem_free(decision->shards);
            erase(state->decisions, &state->decision_count, sizeof *state->decisions,
                  (uint32_t)(decision - state->decisions));
        }
    }
}

void state_apply(struct state *state, const struct state_command *command,
                 struct state_result *result)
{
    assert(state != NULL && command != NULL && result != NULL);
    *result = (struct state_result){.code = E_OK};
    switch (command->kind) {
    case STATE_NODE_UP:
        node_up(state, command, result);
        break;
    case STATE_NODE_DOWN:
        node_down(state, command);
        break;
    case STATE_GRAPH_CREATE:
        graph_create(state, command, result);
        break;
    case STATE_GRAPH_READY:
        graph_ready(state, command);
        break;
    case STATE_GRAPH_DROP:
        graph_drop(state, command, result);
        break;
    case STATE_INDEX_CREATE:
        index_create(state, command, result);
        break;
    case STATE_INDEX_DROP:
        index_drop(state, command, result);
        break;
    case STATE_SESSION_NEW:
        session_new(state, result);
        break;
    case STATE_SESSION_EXPIRE:
        session_expire(state, command);
        break;
    case STATE_IDS:
        lease_ids(state, command, result);
        break;
    case STATE_DECIDE:
        decide(state, command, result);
        break;
    case STATE_FORGET:
        forget(state, command);
        break;
    case STATE_APPLIED:
        note_applied(state, command);
        break;
    case STATE_FOUND:
        state->incarnation = state->incarnation == 0 ? command->incarnation : state->incarnation;
        break;
    case STATE_ALTER:
    case STATE_FAILOVER:
    case STATE_HANDOVER:
    case STATE_REPLICAS:
    case STATE_GRAPH_SET:
        state_configure(state, command, result);
        break;
    }
}
