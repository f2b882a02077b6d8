#include "coordinator/state.h"

#include "common/mem.h"
#include "common/roster.h"
#include "coordinator/replicaset.h"

#include <assert.h>
#include <string.h>

enum {
    FORMAT_NO_FLOORS = 1,
    FORMAT_NO_REPLICAS = 2, /* One replica of each shard; no zones. */
    FORMAT_NO_INCARNATION = 3,
    FORMAT = 4,
    SECOND = 0x80, /* Of a command's first byte: its second form. The first one is still read. */
    ITEM_BYTES_MIN = 1
};

/* ---- commands ---- */

static void encode_index(struct bytes *out, const struct shardmap_index *index)
{
    bytes_blob(out, index->name);
    bytes_blob(out, index->label);
    bytes_blob(out, index->key);
}

static void encode_graph_create(struct bytes *out, const struct state_command *command)
{
    bytes_blob(out, command->name);
    bytes_u8(out, (uint8_t)command->partitioner);
    bytes_u8(out, (uint8_t)command->ids);
    bytes_varint(out, command->replica_count);
    bytes_varint(out, command->min_insync);
    bytes_varint(out, command->shard_count);
    for (uint32_t i = 0; i < command->shard_count; i++) {
        bytes_varint(out, command->shards[i]);
        nodeset_encode(out, &command->replicas[i]);
        if (i > 0) {
            bytes_blob(out, command->splits[i - 1]);
        }
    }
}

static void encode_decide(struct bytes *out, const struct state_command *command)
{
    bytes_varint(out, command->gtid.term);
    bytes_varint(out, command->gtid.counter);
    bytes_varint(out, command->sid);
    bytes_varint(out, command->seq);
    bytes_varint(out, command->low_seq);
    bytes_varint(out, command->shard_count);
    for (uint32_t i = 0; i < command->shard_count; i++) {
        bytes_varint(out, command->shards[i]);
    }
}

static void encode_applied(struct bytes *out, const struct state_command *command)
{
    bytes_varint(out, command->node);
    bytes_u64(out, command->boot);
    bytes_varint(out, command->shard_count);
    for (uint32_t i = 0; i < command->shard_count; i++) {
        bytes_varint(out, command->shards[i]);
        bytes_varint(out, command->applied[i]);
    }
}

static void encode_node(struct bytes *out, const struct state_command *command)
{
    bytes_varint(out, command->node);
    bytes_u64(out, command->boot);
    bytes_blob(out, command->name);
    if (command->kind == STATE_NODE_UP) {
        bytes_blob(out, command->zone);
        bytes_varint(out, command->weight);
    }
}

static bool is_by_primary(const struct state_command *command)
{
    return command->kind == STATE_ALTER || command->kind == STATE_HANDOVER;
}

static bool is_with_target(const struct state_command *command)
{
    return command->kind == STATE_FAILOVER || command->kind == STATE_HANDOVER;
}

static void encode_configure(struct bytes *out, const struct state_command *command)
{
    bytes_varint(out, command->shard);
    bytes_varint(out, command->epoch);
    bytes_varint(out, command->cfgver);
    if (is_by_primary(command)) {
        bytes_varint(out, command->node);
        bytes_u64(out, command->boot);
    }
    if (is_with_target(command)) {
        bytes_varint(out, command->target);
    } else {
        nodeset_encode(out, &command->set);
    }
    for (uint32_t i = 0; command->kind == STATE_ALTER && i < command->set.count; i++) {
        bytes_u64(out, command->boots[i]);
    }
    if (command->kind == STATE_FAILOVER) {
        bytes_u64(out, command->target_boot);
        bytes_u8(out, command->is_forced);
    }
}

void state_command_encode(struct bytes *out, const struct state_command *command)
{
    bool is_second = command->kind == STATE_NODE_UP || command->kind == STATE_GRAPH_CREATE;

    assert(out != NULL && command != NULL);
    bytes_u8(out, (uint8_t)(command->kind | (is_second ? SECOND : 0)));
    switch (command->kind) {
    case STATE_NODE_UP:
    case STATE_NODE_DOWN:
        encode_node(out, command);
        break;
    case STATE_GRAPH_CREATE:
        encode_graph_create(out, command);
        break;
    case STATE_GRAPH_READY:
        bytes_varint(out, command->graph);
        break;
    case STATE_GRAPH_DROP:
        bytes_blob(out, command->name);
        break;
    case STATE_INDEX_CREATE:
    case STATE_INDEX_DROP:
        bytes_blob(out, command->name);
        encode_index(out, &command->index);
        break;
    case STATE_SESSION_NEW:
        break;
    case STATE_SESSION_EXPIRE:
        bytes_varint(out, command->sid_count);
        for (uint32_t i = 0; i < command->sid_count; i++) {
            bytes_varint(out, command->sids[i]);
        }
        break;
    case STATE_IDS:
        bytes_varint(out, command->graph);
        bytes_varint(out, command->count);
        break;
    case STATE_DECIDE:
        encode_decide(out, command);
        break;
    case STATE_FORGET:
        bytes_varint(out, command->gtid_count);
        for (uint32_t i = 0; i < command->gtid_count; i++) {
            bytes_varint(out, command->gtids[i].term);
            bytes_varint(out, command->gtids[i].counter);
        }
        break;
    case STATE_APPLIED:
        encode_applied(out, command);
        break;
    case STATE_FOUND:
        bytes_u64(out, command->incarnation);
        break;
    case STATE_ALTER:
    case STATE_FAILOVER:
    case STATE_HANDOVER:
    case STATE_REPLICAS:
        encode_configure(out, command);
        break;
    case STATE_GRAPH_SET:
        bytes_blob(out, command->name);
        bytes_varint(out, command->replica_count);
        bytes_varint(out, command->min_insync);
        break;
    }
}

static uint32_t decode_u32(struct reader *reader)
{
    uint64_t v = reader_varint(reader);

    if (v > UINT32_MAX) {
        reader_spoil(reader);
        return 0;
    }
    return (uint32_t)v;
}

static size_t decode_count(struct reader *reader, size_t max)
{
    size_t count = reader_count(reader, ITEM_BYTES_MIN);

    if (count > max) {
        reader_spoil(reader);
        return 0;
    }
    return count;
}

static void decode_index(struct reader *reader, struct shardmap_index *index)
{
    index->name = reader_blob(reader);
    index->label = reader_blob(reader);
    index->key = reader_blob(reader);
}

static void decode_kinds(struct reader *reader, enum shardmap_partitioner *partitioner,
                         enum shardmap_ids *ids)
{
    uint8_t p = reader_u8(reader);
    uint8_t i = reader_u8(reader);

    if (p < PARTITION_HASH || p > PARTITION_RANGE || i < IDS_LONG || i > IDS_INT) {
        reader_spoil(reader);
        p = PARTITION_HASH;
        i = IDS_LONG;
    }
    *partitioner = (enum shardmap_partitioner)p;
    *ids = (enum shardmap_ids)i;
}

/* The only replica of each shard, as it was before there could be more. */
static struct nodeset only_replica(struct reader *reader, uint32_t node)
{
    if (node == 0) {
        reader_spoil(reader);
        return (struct nodeset){0};
    }
    return nodeset_of(node);
}

static void decode_node(struct reader *reader, bool is_second, struct state_command *command)
{
    command->node = decode_u32(reader);
    command->boot = reader_u64(reader);
    command->name = reader_blob(reader);
    command->weight = ROSTER_WEIGHT;
    if (is_second) {
        command->zone = reader_blob(reader);
        command->weight = decode_u32(reader);
    }
    if (command->zone.size > SHARDMAP_ZONE_MAX || command->weight == 0) {
        reader_spoil(reader);
    }
}

static void decode_graph_create(struct reader *reader, struct arena *arena, bool is_second,
                                struct state_command *command)
{
    command->name = reader_blob(reader);
    decode_kinds(reader, &command->partitioner, &command->ids);
    command->replica_count = is_second ? decode_u32(reader) : 1;
    command->min_insync = is_second ? decode_u32(reader) : 1;
    size_t count = decode_count(reader, STATE_SHARDS_MAX);
    uint32_t *shards = arena_array(arena, count, sizeof *shards);
    struct slice *splits = arena_array(arena, count, sizeof *splits);
    struct nodeset *replicas = arena_array(arena, count, sizeof *replicas);
    command->replicas = replicas;
    for (size_t i = 0; i < count; i++) {
        shards[i] = decode_u32(reader);
        if (is_second) {
            nodeset_decode(reader, &replicas[i]);
        } else {
            replicas[i] = only_replica(reader, shards[i]);
        }
        if (i > 0) {
            splits[i - 1] = reader_blob(reader);
        }
    }
    command->shard_count = (uint32_t)count;
    command->shards = shards;
    command->splits = splits;
}

static void decode_decide(struct reader *reader, struct arena *arena, struct state_command *command)
{
    command->gtid.term = reader_varint(reader);
    command->gtid.counter = reader_varint(reader);
    command->sid = reader_varint(reader);
    command->seq = reader_varint(reader);
    command->low_seq = reader_varint(reader);
    size_t count = decode_count(reader, TXN_SHARDS_MAX);
    uint32_t *shards = arena_array(arena, count, sizeof *shards);
    for (size_t i = 0; i < count; i++) {
        shards[i] = decode_u32(reader);
    }
    command->shard_count = (uint32_t)count;
    command->shards = shards;
}

static void decode_sids(struct reader *reader, struct arena *arena, struct state_command *command)
{
    size_t count = decode_count(reader, STATE_SESSIONS_MAX);
    uint64_t *sids = arena_array(arena, count, sizeof *sids);

    for (size_t i = 0; i < count; i++) {
        sids[i] = reader_varint(reader);
    }
    command->sid_count = (uint32_t)count;
    command->sids = sids;
}

static void decode_gtids(struct reader *reader, struct arena *arena, struct state_command *command)
{
    size_t count = decode_count(reader, UINT32_MAX);
    struct txn_gtid *gtids = arena_array(arena, count, sizeof *gtids);

    for (size_t i = 0; i < count; i++) {
        gtids[i].term = reader_varint(reader);
        gtids[i].counter = reader_varint(reader);
    }
    command->gtid_count = (uint32_t)count;
    command->gtids = gtids;
}

static void decode_applied(struct reader *reader, struct arena *arena,
                           struct state_command *command)
{
    command->node = decode_u32(reader);
    command->boot = reader_u64(reader);
    size_t count = decode_count(reader, SHARDMAP_SHARDS_MAX);
    uint32_t *shards = arena_array(arena, count, sizeof *shards);
    uint64_t *applied = arena_array(arena, count, sizeof *applied);
    for (size_t i = 0; i < count; i++) {
        shards[i] = decode_u32(reader);
        applied[i] = reader_varint(reader);
    }
    command->shard_count = (uint32_t)count;
    command->shards = shards;
    command->applied = applied;
}

static void decode_configure(struct reader *reader, struct state_command *command)
{
    command->shard = decode_u32(reader);
    command->epoch = reader_varint(reader);
    command->cfgver = reader_varint(reader);
    if (is_by_primary(command)) {
        command->node = decode_u32(reader);
        command->boot = reader_u64(reader);
    }
    if (is_with_target(command)) {
        command->target = decode_u32(reader);
    } else {
        nodeset_decode(reader, &command->set);
    }
    for (uint32_t i = 0; command->kind == STATE_ALTER && i < command->set.count; i++) {
        command->boots[i] = reader_u64(reader);
    }
    if (command->kind == STATE_FAILOVER) {
        command->target_boot = reader_u64(reader);
        command->is_forced = reader_u8(reader) != 0;
    }
}

static void decode_fields(struct reader *reader, struct arena *arena, bool is_second,
                          struct state_command *command)
{
    switch (command->kind) {
    case STATE_NODE_UP:
    case STATE_NODE_DOWN:
        decode_node(reader, is_second, command);
        break;
    case STATE_GRAPH_CREATE:
        decode_graph_create(reader, arena, is_second, command);
        break;
    case STATE_GRAPH_READY:
        command->graph = decode_u32(reader);
        break;
    case STATE_GRAPH_DROP:
        command->name = reader_blob(reader);
        break;
    case STATE_INDEX_CREATE:
    case STATE_INDEX_DROP:
        command->name = reader_blob(reader);
        decode_index(reader, &command->index);
        break;
    case STATE_SESSION_NEW:
        break;
    case STATE_SESSION_EXPIRE:
        decode_sids(reader, arena, command);
        break;
    case STATE_IDS:
        command->graph = decode_u32(reader);
        command->count = reader_varint(reader);
        break;
    case STATE_DECIDE:
        decode_decide(reader, arena, command);
        break;
    case STATE_FORGET:
        decode_gtids(reader, arena, command);
        break;
    case STATE_APPLIED:
        decode_applied(reader, arena, command);
        break;
    case STATE_FOUND:
        command->incarnation = reader_u64(reader);
        break;
    case STATE_ALTER:
    case STATE_FAILOVER:
    case STATE_HANDOVER:
    case STATE_REPLICAS:
        decode_configure(reader, command);
        break;
    case STATE_GRAPH_SET:
        command->name = reader_blob(reader);
        command->replica_count = decode_u32(reader);
        command->min_insync = decode_u32(reader);
        break;
    }
}

int state_command_decode(struct slice body, struct arena *arena, struct state_command *command,
                         struct error *err)
{
    struct reader reader;

    assert(arena != NULL && command != NULL);
    *command = (struct state_command){0};
    reader_init(&reader, body);
    uint8_t first = reader_u8(&reader);
    uint8_t kind = first & (SECOND - 1);
    bool is_second = (first & SECOND) != 0;
    if (kind < STATE_NODE_UP || kind > STATE_GRAPH_SET ||
        (is_second && kind != STATE_NODE_UP && kind != STATE_GRAPH_CREATE)) {
        reader_spoil(&reader);
        kind = STATE_SESSION_NEW;
    }
    command->kind = (enum state_command_kind)kind;
    decode_fields(&reader, arena, is_second, command);
    return reader_finish(&reader, "command", err);
}

/* ---- snapshot ---- */

static void encode_graph(struct bytes *out, const struct state_graph *graph)
{
    bytes_varint(out, graph->graph);
    bytes_blob(out, graph->name);
    bytes_u8(out, (uint8_t)graph->partitioner);
    bytes_u8(out, (uint8_t)graph->ids);
    bytes_u8(out, graph->is_ready);
    bytes_varint(out, graph->schema_version);
    bytes_varint(out, graph->id_next);
    bytes_varint(out, graph->replica_count);
    bytes_varint(out, graph->min_insync);
    bytes_varint(out, graph->index_count);
    for (uint32_t i = 0; i < graph->index_count; i++) {
        encode_index(out, &graph->indexes[i]);
    }
    bytes_varint(out, graph->shard_count);
    for (uint32_t i = 0; i < graph->shard_count; i++) {
        const struct state_shard *shard = &graph->shards[i];
        bytes_varint(out, shard->shard);
        bytes_varint(out, shard->epoch);
        bytes_varint(out, shard->cfgver);
        bytes_varint(out, shard->primary);
        bytes_u64(out, shard->primary_boot);
        bytes_varint(out, shard->applied);
        nodeset_encode(out, &shard->replicas);
        nodeset_encode(out, &shard->isr);
        nodeset_encode(out, &shard->elr);
        bytes_blob(out, shard->lo);
        bytes_blob(out, shard->hi);
    }
}

static void encode_transactions(struct bytes *out, const struct state *state)
{
    bytes_varint(out, state->session_count);
    for (uint32_t i = 0; i < state->session_count; i++) {
        const struct state_session *session = &state->sessions[i];
        bytes_varint(out, session->sid);
        bytes_varint(out, session->low_seq);
        bytes_varint(out, session->count);
        for (uint32_t j = 0; j < session->count; j++) {
            bytes_varint(out, session->committed[j]);
        }
    }
    bytes_varint(out, state->decision_count);
    for (uint32_t i = 0; i < state->decision_count; i++) {
        const struct state_decision *decision = &state->decisions[i];
        bytes_varint(out, decision->gtid.term);
        bytes_varint(out, decision->gtid.counter);
        bytes_varint(out, decision->sid);
        bytes_varint(out, decision->seq);
        bytes_varint(out, decision->shard_count);
        for (uint32_t j = 0; j < decision->shard_count; j++) {
            bytes_varint(out, decision->shards[j]);
        }
    }
}

void state_encode(struct bytes *out, const struct state *state)
{
    assert(out != NULL && state != NULL);
    bytes_u8(out, FORMAT);
    bytes_u64(out, state->cluster_id);
    bytes_u64(out, state->incarnation);
    bytes_varint(out, state->version);
    bytes_varint(out, state->graph_next);
    bytes_varint(out, state->shard_next);
    bytes_varint(out, state->sid_next);
    bytes_varint(out, state->node_count);
    for (uint32_t i = 0; i < state->node_count; i++) {
        bytes_varint(out, state->nodes[i].node);
        bytes_u64(out, state->nodes[i].boot);
        bytes_blob(out, state->nodes[i].address);
        bytes_blob(out, state->nodes[i].zone);
        bytes_varint(out, state->nodes[i].weight);
        bytes_u8(out, state->nodes[i].is_up);
    }
    bytes_varint(out, state->graph_count);
    for (uint32_t i = 0; i < state->graph_count; i++) {
        encode_graph(out, &state->graphs[i]);
    }
    encode_transactions(out, state);
}

static struct slice keep(struct slice text)
{
    return text.size == 0 ? (struct slice){0} : slice_of(mem_copy(text.data, text.size), text.size);
}

static void decode_replicas(struct reader *reader, uint8_t format, struct state_shard *shard)
{
    if (format <= FORMAT_NO_REPLICAS) {
        shard->replicas = only_replica(reader, shard->primary);
        shard->isr = shard->replicas;
        return;
    }
    nodeset_decode(reader, &shard->replicas);
    nodeset_decode(reader, &shard->isr);
    nodeset_decode(reader, &shard->elr);
}

static void decode_shards(struct reader *reader, uint8_t format, struct state_graph *graph)
{
    size_t count = decode_count(reader, STATE_SHARDS_MAX);

    graph->shards = mem_array(count, sizeof *graph->shards);
    for (size_t i = 0; i < count && !reader->is_bad; i++) {
        struct state_shard *shard = &graph->shards[graph->shard_count++];
        shard->shard = decode_u32(reader);
        shard->epoch = reader_varint(reader);
        shard->cfgver = reader_varint(reader);
        shard->primary = decode_u32(reader);
        shard->primary_boot = reader_u64(reader);
        shard->applied = format == FORMAT_NO_FLOORS ? 0 : reader_varint(reader);
        decode_replicas(reader, format, shard);
        shard->lo = keep(reader_blob(reader));
        shard->hi = keep(reader_blob(reader));
    }
}

static void decode_graph(struct reader *reader, uint8_t format, struct state_graph *graph)
{
    graph->graph = decode_u32(reader);
    graph->name = keep(reader_blob(reader));
    decode_kinds(reader, &graph->partitioner, &graph->ids);
    graph->is_ready = reader_u8(reader) != 0;
    graph->schema_version = reader_varint(reader);
    graph->id_next = reader_varint(reader);
    graph->replica_count = format <= FORMAT_NO_REPLICAS ? 1 : decode_u32(reader);
    graph->min_insync = format <= FORMAT_NO_REPLICAS ? 1 : decode_u32(reader);
    if (graph->min_insync < 1 || graph->min_insync > graph->replica_count ||
        graph->replica_count > SHARDMAP_REPLICAS_MAX) {
        reader_spoil(reader);
    }
    size_t count = decode_count(reader, SHARDMAP_INDEXES_MAX);
    graph->indexes = mem_array(count, sizeof *graph->indexes);
    for (size_t i = 0; i < count && !reader->is_bad; i++) {
        struct shardmap_index index;
        decode_index(reader, &index);
        graph->indexes[graph->index_count++] = (struct shardmap_index){
            .name = keep(index.name), .label = keep(index.label), .key = keep(index.key)};
    }
    decode_shards(reader, format, graph);
    for (uint32_t i = 0; i < graph->shard_count && !reader->is_bad; i++) {
        if (!replicaset_is_sound(&graph->shards[i], graph->min_insync)) {
            reader_spoil(reader);
        }
    }
}

static void decode_nodes(struct reader *reader, uint8_t format, struct state *state)
{
    size_t count = decode_count(reader, SHARDMAP_NODES_MAX);

    state->nodes = mem_array(count, sizeof *state->nodes);
    state->node_room = (uint32_t)count;
    for (size_t i = 0; i < count && !reader->is_bad; i++) {
        struct state_node *node = &state->nodes[state->node_count++];
        node->node = decode_u32(reader);
        node->boot = reader_u64(reader);
        node->address = keep(reader_blob(reader));
        node->weight = ROSTER_WEIGHT;
        if (format > FORMAT_NO_REPLICAS) {
            node->zone = keep(reader_blob(reader));
            node->weight = decode_u32(reader);
        }
        node->is_up = reader_u8(reader) != 0;
    }
}

static void decode_sessions(struct reader *reader, struct state *state)
{
    size_t count = decode_count(reader, STATE_SESSIONS_MAX);

    state->sessions = mem_array(count, sizeof *state->sessions);
    state->session_room = (uint32_t)count;
    for (size_t i = 0; i < count && !reader->is_bad; i++) {
        struct state_session *session = &state->sessions[state->session_count++];
        session->sid = reader_varint(reader);
        session->low_seq = reader_varint(reader);
        session->room = (uint32_t)decode_count(reader, UINT32_MAX);
        session->committed = mem_array(session->room, sizeof *session->committed);
        for (uint32_t j = 0; j < session->room; j++) {
            session->committed[session->count++] = reader_varint(reader);
        }
    }
}

static void decode_decisions(struct reader *reader, struct state *state)
{
    size_t count = decode_count(reader, UINT32_MAX);

    state->decisions = mem_array(count, sizeof *state->decisions);
    state->decision_room = (uint32_t)count;
    for (size_t i = 0; i < count && !reader->is_bad; i++) {
        struct state_decision *decision = &state->decisions[state->decision_count++];
        decision->gtid.term = reader_varint(reader);
        decision->gtid.counter = reader_varint(reader);
        decision->sid = reader_varint(reader);
        decision->seq = reader_varint(reader);
        decision->shard_count = (uint32_t)decode_count(reader, TXN_SHARDS_MAX);
        decision->shards = mem_array(decision->shard_count, sizeof *decision->shards);
        for (uint32_t j = 0; j < decision->shard_count; j++) {
            decision->shards[j] = decode_u32(reader);
        }
    }
}

int state_decode(struct slice input, struct state *state, struct error *err)
{
    struct reader reader;
    int rc;

    assert(state != NULL);
    *state = (struct state){0};
    reader_init(&reader, input);
    uint8_t format = reader_u8(&reader);
    if (input.size > 0 && (format < FORMAT_NO_FLOORS || format > FORMAT)) {
        return error_set(err, E_MALFORMED,
                         "state of the coordinators of format %u, this version reads 1 to %u: "
                         "start the version that wrote it, or a newer one",
                         format, FORMAT);
    }
    map_init(&state->places, NULL);
    state->cluster_id = reader_u64(&reader);
    state->incarnation = format > FORMAT_NO_INCARNATION ? reader_u64(&reader) : 0;
    state->version = reader_varint(&reader);
    state->graph_next = decode_u32(&reader);
    state->shard_next = decode_u32(&reader);
    state->sid_next = reader_varint(&reader);
    decode_nodes(&reader, format, state);
    size_t count = decode_count(&reader, SHARDMAP_GRAPHS_MAX);
    state->graphs = mem_array(count, sizeof *state->graphs);
    state->graph_room = (uint32_t)count;
    for (size_t i = 0; i < count && !reader.is_bad; i++) {
        decode_graph(&reader, format, &state->graphs[state->graph_count++]);
    }
    decode_sessions(&reader, state);
    decode_decisions(&reader, state);
    rc = reader_finish(&reader, "state of the coordinators", err);
    if (rc != E_OK) {
        state_close(state);
    } else {
        state_index(state);
    }
    return rc;
}

/* ---- the map ---- */

static void map_graph(const struct state_graph *graph, struct shardmap *map, uint32_t place)
{
    map->graphs[place] = (struct shardmap_graph){.graph = graph->graph,
                                                 .name = graph->name,
                                                 .partitioner = graph->partitioner,
                                                 .ids = graph->ids,
                                                 .is_ready = graph->is_ready,
                                                 .schema_version = graph->schema_version,
                                                 .replica_count = graph->replica_count,
                                                 .min_insync = graph->min_insync,
                                                 .index_count = graph->index_count,
                                                 .indexes = graph->indexes,
                                                 .shard_first = map->shard_count,
                                                 .shard_count = graph->shard_count};
    for (uint32_t i = 0; i < graph->shard_count; i++) {
        const struct state_shard *shard = &graph->shards[i];
        map->shards[map->shard_count++] =
            (struct shardmap_shard){.shard = shard->shard,
                                    .graph = graph->graph,
                                    .epoch = shard->epoch,
                                    .cfgver = shard->cfgver,
                                    .primary = shard->primary,
                                    .primary_boot = shard->primary_boot,
                                    .replicas = shard->replicas,
                                    .isr = shard->isr,
                                    .elr = shard->elr,
                                    .min_insync = graph->min_insync,
                                    .lo = shard->lo,
                                    .hi = shard->hi};
    }
}

void state_map(const struct state *state, struct bytes *out)
{
    struct shardmap map = {.version = state->version, .cluster_id = state->cluster_id};
    size_t shards = 0;

    arena_init(&map.arena, 0);
    for (uint32_t i = 0; i < state->graph_count; i++) {
        shards += state->graphs[i].shard_count;
    }
    map.graph_count = state->graph_count;
    map.node_count = state->node_count;
    map.graphs = arena_array(&map.arena, map.graph_count, sizeof *map.graphs);
    map.shards = arena_array(&map.arena, shards, sizeof *map.shards);
    map.nodes = arena_array(&map.arena, map.node_count, sizeof *map.nodes);
    for (uint32_t i = 0; i < state->graph_count; i++) {
        map_graph(&state->graphs[i], &map, i);
    }
    for (uint32_t i = 0; i < state->node_count; i++) {
        map.nodes[i] = (struct shardmap_node){.node = state->nodes[i].node,
                                              .boot = state->nodes[i].boot,
                                              .address = state->nodes[i].address,
                                              .zone = state->nodes[i].zone,
                                              .is_up = state->nodes[i].is_up};
    }
    shardmap_encode(out, &map);
    shardmap_close(&map);
}

void state_dump(const struct state *state, struct bytes *out)
{
    struct shardmap map;
    struct bytes body;

    bytes_init(&body, 0);
    state_map(state, &body);
    if (shardmap_decode(bytes_slice(&body), &map, NULL) == E_OK) {
        shardmap_dump(out, &map);
        shardmap_close(&map);
    }
    bytes_close(&body);
    for (uint32_t i = 0; i < state->decision_count; i++) {
        const struct state_decision *decision = &state->decisions[i];
        bytes_format(out, "decision %llu.%llu for %llu/%llu, %u shards\n",
                     (unsigned long long)decision->gtid.term,
                     (unsigned long long)decision->gtid.counter, (unsigned long long)decision->sid,
                     (unsigned long long)decision->seq, decision->shard_count);
    }
    bytes_format(out, "sessions %u, next %llu\n", state->session_count,
                 (unsigned long long)state->sid_next);
}
