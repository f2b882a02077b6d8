#include "coordinator/coordadmin.h"

#include "common/codec.h"
#include "common/control.h"
#include "common/mem.h"
#include "coordinator/coord_inside.h"

#include <assert.h>
#include <string.h>

enum { PAIRS_MAX = 16, SHARDS_DEFAULT = 4 };

struct pairs {
    struct value items[2 * PAIRS_MAX];
    size_t count;
};

static void put(struct pairs *pairs, const char *key, struct value value)
{
    assert(pairs->count < PAIRS_MAX);
    pairs->items[2 * pairs->count] = value_cstring(key);
    pairs->items[2 * pairs->count + 1] = value;
    pairs->count++;
}

static void put_number(struct pairs *pairs, const char *key, uint64_t number)
{
    put(pairs, key, value_long((int64_t)number));
}

static struct value finish(struct arena *arena, const struct pairs *pairs)
{
    return value_items(arena, VALUE_MAP, pairs->items, pairs->count);
}

static void reply(struct coord *coord, uint64_t token, const struct pairs *pairs)
{
    struct value value = finish(&coord->arena, pairs);

    bytes_clear(&coord->body);
    codec_encode(&coord->body, NULL, &value);
    coord_answer(coord, token, MESSAGE_ADMIN_REPLY, bytes_slice(&coord->body));
}

/* ---- what is ---- */

static struct value hex_number(struct arena *arena, uint64_t number)
{
    return value_cstring(arena_format(arena, "%016llx", (unsigned long long)number));
}

static struct value hex_key(struct arena *arena, struct slice key)
{
    char *text = arena_alloc(arena, 2 * key.size + 1);

    for (size_t i = 0; i < key.size; i++) {
        static const char digits[] = "0123456789abcdef";
        text[2 * i] = digits[key.data[i] >> 4];
        text[2 * i + 1] = digits[key.data[i] & 15];
    }
    text[2 * key.size] = '\0';
    return value_cstring(text);
}

static const struct roster_replica *reported(const struct coord *coord,
                                             const struct state_shard *shard)
{
    const struct member_node *node = member_node(&coord->member, shard->primary);

    for (uint32_t i = 0; node != NULL && i < node->replica_count; i++) {
        if (node->replicas[i].shard == shard->shard) {
            return &node->replicas[i];
        }
    }
    return NULL;
}

static struct value suspect_value(struct arena *arena, const struct roster_replica *replica,
                                  uint64_t floor)
{
    switch (replica == NULL ? ROSTER_SOUND : replica->suspect) {
    case ROSTER_SOUND:
        return value_cstring("");
    case ROSTER_MISSING:
        return value_cstring("its file is gone");
    case ROSTER_FOREIGN:
        return value_cstring("its file is of another cluster, incarnation or format");
    case ROSTER_DAMAGED:
        return value_cstring("its file is damaged");
    case ROSTER_STALE:
        return value_cstring(arena_format(arena, "old copy: entry %llu, was %llu",
                                          (unsigned long long)replica->applied,
                                          (unsigned long long)floor));
    case ROSTER_AHEAD:
        return value_cstring("newer than the coordinators: was coordinator.db lost or put back?");
    }
    return value_cstring("");
}

static struct value shard_value(struct coord *coord, const struct state_shard *shard)
{
    struct pairs pairs = {.count = 0};
    const struct roster_replica *replica = reported(coord, shard);

    put_number(&pairs, "shard", shard->shard);
    put_number(&pairs, "node", shard->primary);
    put_number(&pairs, "epoch", shard->epoch);
    put(&pairs, "serving", value_bool(replica != NULL && replica->epoch == shard->epoch));
    put(&pairs, "suspect", suspect_value(&coord->arena, replica, shard->applied));
    put(&pairs, "lo", hex_key(&coord->arena, shard->lo));
    put(&pairs, "hi", hex_key(&coord->arena, shard->hi));
    put_number(&pairs, "applied", replica == NULL ? 0 : replica->applied);
    put_number(&pairs, "schema", replica == NULL ? 0 : replica->schema_version);
    put_number(&pairs, "vertices", replica == NULL ? 0 : replica->vertices);
    put_number(&pairs, "edges", replica == NULL ? 0 : replica->edges);
    put_number(&pairs, "bytes", replica == NULL ? 0 : replica->file_bytes);
    return finish(&coord->arena, &pairs);
}

static struct value graph_value(struct coord *coord, const struct state_graph *graph)
{
    struct pairs pairs = {.count = 0};
    struct value *shards = arena_array(&coord->arena, graph->shard_count, sizeof *shards);

    for (uint32_t i = 0; i < graph->shard_count; i++) {
        shards[i] = shard_value(coord, &graph->shards[i]);
    }
    put_number(&pairs, "graph", graph->graph);
    put(&pairs, "name", value_string(graph->name));
    put(&pairs, "partitioner",
        value_cstring(graph->partitioner == PARTITION_HASH ? "hash" : "range"));
    put(&pairs, "ids", value_cstring(graph->ids == IDS_LONG ? "long" : "int"));
    put(&pairs, "ready", value_bool(graph->is_ready));
    put_number(&pairs, "schema", graph->schema_version);
    put_number(&pairs, "indexes", graph->index_count);
    put(&pairs, "shards", value_items(&coord->arena, VALUE_LIST, shards, graph->shard_count));
    return finish(&coord->arena, &pairs);
}

static struct value graphs_value(struct coord *coord)
{
    uint32_t count = coord->state.graph_count;
    struct value *graphs = arena_array(&coord->arena, count, sizeof *graphs);

    for (uint32_t i = 0; i < count; i++) {
        graphs[i] = graph_value(coord, &coord->state.graphs[i]);
    }
    return value_items(&coord->arena, VALUE_LIST, graphs, count);
}

static struct value node_value(struct coord *coord, const struct state_node *node)
{
    struct pairs pairs = {.count = 0};
    const struct member_node *heard = member_node(&coord->member, node->node);

    put_number(&pairs, "node", node->node);
    put(&pairs, "boot", hex_number(&coord->arena, node->boot));
    put(&pairs, "address", value_string(node->address));
    put(&pairs, "up", value_bool(node->is_up));
    put_number(&pairs, "map", heard == NULL ? 0 : heard->map_version);
    put_number(&pairs, "silent_ms", heard == NULL ? 0 : coord->now_ms - heard->heard_ms);
    put_number(&pairs, "shards", heard == NULL ? 0 : heard->replica_count);
    return finish(&coord->arena, &pairs);
}

static void status(struct coord *coord, uint64_t token)
{
    struct pairs pairs = {.count = 0};
    uint32_t count = coord->state.node_count;
    struct value *nodes = arena_array(&coord->arena, count, sizeof *nodes);

    for (uint32_t i = 0; i < count; i++) {
        nodes[i] = node_value(coord, &coord->state.nodes[i]);
    }
    put(&pairs, "cluster", hex_number(&coord->arena, coord->options.cluster_id));
    put(&pairs, "incarnation", hex_number(&coord->arena, coord->state.incarnation));
    put_number(&pairs, "coordinator", coord->options.node);
    put_number(&pairs, "leader", consensus_leader(coord->consensus));
    put_number(&pairs, "term", consensus_term(coord->consensus));
    put_number(&pairs, "map", coord->state.version);
    put_number(&pairs, "decisions", coord->state.decision_count);
    put_number(&pairs, "running", coord->decision.running_count);
    put_number(&pairs, "committed", coord->decision.counters.committed);
    put_number(&pairs, "aborted", coord->decision.counters.aborted);
    put_number(&pairs, "sessions", coord->state.session_count);
    put(&pairs, "nodes", value_items(&coord->arena, VALUE_LIST, nodes, count));
    put(&pairs, "graphs", graphs_value(coord));
    reply(coord, token, &pairs);
}

static void graph_list(struct coord *coord, uint64_t token)
{
    struct pairs pairs = {.count = 0};

    put(&pairs, "graphs", graphs_value(coord));
    reply(coord, token, &pairs);
}

/* ---- arguments ---- */

static int text_of(const struct value *request, const char *key, bool is_needed, struct slice *text,
                   struct error *err)
{
    const struct value *value = value_get_text(request, key);

    *text = (struct slice){0};
    if (value == NULL || value->kind == VALUE_NULL) {
        return is_needed ? error_set(err, E_INVALID, "the request needs a text '%s'", key) : E_OK;
    }
    if (value->kind != VALUE_STRING) {
        return error_set(err, E_INVALID, "'%s' is a text", key);
    }
    *text = value_slice(value);
    return E_OK;
}

static int choice_of(const struct value *request, const char *key, const char *const names[2],
                     int *choice, struct error *err)
{
    struct slice text;
    int rc = text_of(request, key, false, &text, err);

    *choice = 0;
    if (rc != E_OK || text.size == 0 || slice_equal(text, slice_text(names[0]))) {
        return rc;
    }
    *choice = 1;
    return slice_equal(text, slice_text(names[1]))
               ? E_OK
               : error_set(err, E_INVALID, "'%s' is %s or %s", key, names[0], names[1]);
}

static int shards_of(const struct value *request, uint32_t *count, struct error *err)
{
    const struct value *value = value_get_text(request, "shards");

    *count = SHARDS_DEFAULT;
    if (value == NULL || value->kind == VALUE_NULL) {
        return E_OK;
    }
    if ((value->kind != VALUE_INT && value->kind != VALUE_LONG) || value->integer < 1 ||
        value->integer > STATE_SHARDS_MAX) {
        return error_set(err, E_INVALID, "'shards' is a number from 1 to %u", STATE_SHARDS_MAX);
    }
    *count = (uint32_t)value->integer;
    return E_OK;
}

/* ---- where shards begin ---- */

static struct slice kept_key(struct arena *arena, enum shardmap_partitioner partitioner,
                             const struct vid *id, uint64_t hash)
{
    struct bytes key;

    bytes_init(&key, 0);
    if (partitioner == PARTITION_HASH) {
        bytes_u64(&key, hash);
    } else {
        shardmap_key(partitioner, id, &key);
    }
    struct slice kept = slice_of(arena_copy(arena, key.data, key.size), key.size);
    bytes_close(&key);
    return kept;
}

/* Hashes are divided evenly; so are the integers below 2^53, when no ids are given. */
static void split_evenly(struct arena *arena, enum shardmap_partitioner partitioner,
                         struct slice *splits, uint32_t count)
{
    for (uint32_t i = 1; i < count; i++) {
        uint64_t hash = UINT64_MAX / count * i;
        struct vid id = vid_num((int64_t)(CONTROL_ID_MAX / count * i));
        splits[i - 1] = kept_key(arena, partitioner, &id, hash);
    }
}

static int split_at(struct arena *arena, const struct value *list, struct slice *splits,
                    uint32_t count, struct error *err)
{
    if (list->size + 1 != count) {
        return error_set(err, E_INVALID, "%u shards are divided by %u ids, not %u", count,
                         count - 1, list->size);
    }
    for (uint32_t i = 0; i < list->size; i++) {
        struct vid id;
        if (!vid_from_value(arena, &list->items[i], &id)) {
            return error_set(err, E_INVALID, "'split' has something that is not an id");
        }
        splits[i] = kept_key(arena, PARTITION_RANGE, &id, 0);
    }
    return E_OK;
}

static int splits_of(struct arena *arena, const struct value *request,
                     struct state_command *command, struct error *err)
{
    const struct value *list = value_get_text(request, "split");
    struct slice *splits = arena_array(arena, command->shard_count, sizeof *splits);

    command->splits = splits;
    if (list == NULL || list->kind == VALUE_NULL) {
        split_evenly(arena, command->partitioner, splits, command->shard_count);
        return E_OK;
    }
    if (list->kind != VALUE_LIST || command->partitioner != PARTITION_RANGE) {
        return error_set(err, E_INVALID, "'split' is a list of ids, for a range graph");
    }
    return split_at(arena, list, splits, command->shard_count, err);
}

/* ---- what is to be ---- */

static int graph_create(struct coord *coord, const struct value *request,
                        struct state_command *command, struct error *err)
{
    static const char *const partitioners[2] = {"hash", "range"};
    static const char *const ids[2] = {"long", "int"};
    int partitioner;
    int id;

    int rc = text_of(request, "name", true, &command->name, err);
    rc = rc != E_OK ? rc : shards_of(request, &command->shard_count, err);
    rc = rc != E_OK ? rc : choice_of(request, "partitioner", partitioners, &partitioner, err);
    rc = rc != E_OK ? rc : choice_of(request, "ids", ids, &id, err);
    if (rc != E_OK) {
        return rc;
    }
    command->kind = STATE_GRAPH_CREATE;
    command->partitioner = partitioner == 0 ? PARTITION_HASH : PARTITION_RANGE;
    command->ids = id == 0 ? IDS_LONG : IDS_INT;
    rc = splits_of(&coord->arena, request, command, err);
    if (rc != E_OK) {
        return rc;
    }
    uint32_t *nodes = arena_array(&coord->arena, command->shard_count, sizeof *nodes);
    command->shards = nodes;
    rc = member_assign(&coord->member, command->shard_count, nodes, err);
    struct nodeset *replicas = arena_array(&coord->arena, command->shard_count, sizeof *replicas);
    for (uint32_t i = 0; i < command->shard_count && rc == E_OK; i++) {
        replicas[i] = nodeset_of(nodes[i]);
    }
    command->replicas = replicas;
    command->replica_count = 1;
    command->min_insync = 1;
    return rc;
}

static int index_change(const struct value *request, bool is_create, struct state_command *command,
                        struct error *err)
{
    int rc = text_of(request, "graph", true, &command->name, err);

    rc = rc != E_OK ? rc : text_of(request, "name", true, &command->index.name, err);
    if (rc == E_OK && is_create) {
        rc = text_of(request, "label", false, &command->index.label, err);
        rc = rc != E_OK ? rc : text_of(request, "key", true, &command->index.key, err);
    }
    command->kind = is_create ? STATE_INDEX_CREATE : STATE_INDEX_DROP;
    return rc;
}

static struct value index_value(struct coord *coord, const struct state_graph *graph,
                                const struct shardmap_index *index)
{
    struct pairs pairs = {.count = 0};

    put(&pairs, "graph", value_string(graph->name));
    put(&pairs, "name", value_string(index->name));
    put(&pairs, "label", value_string(index->label));
    put(&pairs, "key", value_string(index->key));
    return finish(&coord->arena, &pairs);
}

static int index_list(struct coord *coord, const struct value *request, uint64_t token,
                      struct error *err)
{
    struct pairs pairs = {.count = 0};
    struct slice name;
    size_t count = 0;

    int rc = text_of(request, "graph", false, &name, err);
    if (rc != E_OK) {
        return rc;
    }
    if (name.size > 0 && state_graph(&coord->state, name) == NULL) {
        return error_set(err, E_NOT_FOUND, "no graph %.*s", (int)name.size,
                         (const char *)name.data);
    }
    struct value *items = arena_array(
        &coord->arena, SHARDMAP_INDEXES_MAX * (size_t)coord->state.graph_count, sizeof *items);
    for (uint32_t i = 0; i < coord->state.graph_count; i++) {
        const struct state_graph *graph = &coord->state.graphs[i];
        for (uint32_t j = 0; j < graph->index_count; j++) {
            if (name.size == 0 || slice_equal(name, graph->name)) {
                items[count++] = index_value(coord, graph, &graph->indexes[j]);
            }
        }
    }
    put(&pairs, "indexes", value_items(&coord->arena, VALUE_LIST, items, count));
    reply(coord, token, &pairs);
    return E_OK;
}

/* Fills a command, or answers at once: then its kind stays 0. */
static int carry_out(struct coord *coord, const struct value *request, uint64_t token,
                     struct state_command *command, struct error *err)
{
    const struct value *verb = request->kind == VALUE_MAP ? value_get_text(request, "verb") : NULL;

    if (verb == NULL || verb->kind != VALUE_STRING) {
        return error_set(err, E_INVALID, "the request needs a text 'verb'");
    }
    if (value_is_text(verb, "status")) {
        status(coord, token);
        return E_OK;
    }
    if (value_is_text(verb, "graph.list")) {
        graph_list(coord, token);
        return E_OK;
    }
    if (value_is_text(verb, "graph.create")) {
        return graph_create(coord, request, command, err);
    }
    if (value_is_text(verb, "graph.drop")) {
        command->kind = STATE_GRAPH_DROP;
        return text_of(request, "name", true, &command->name, err);
    }
    if (value_is_text(verb, "index.list")) {
        return index_list(coord, request, token, err);
    }
    if (value_is_text(verb, "index.create") || value_is_text(verb, "index.drop")) {
        return index_change(request, value_is_text(verb, "index.create"), command, err);
    }
    struct slice name = value_slice(verb);
    return error_set(err, E_UNSUPPORTED, "a coordinator does not know the verb %.*s",
                     (int)name.size, (const char *)name.data);
}

void coordadmin_request(struct coord *coord, const struct message *message)
{
    struct state_command command;
    struct error err = {0};
    struct reader reader;
    struct value request;
    uint64_t token = coord_take(coord, message);

    memset(&command, 0, sizeof command);
    reader_init(&reader, message->body);
    codec_decode(&reader, &coord->arena, NULL, 0, &request);
    int rc = reader_finish(&reader, "administration", &err);
    if (rc == E_OK) {
        rc = carry_out(coord, &request, token, &command, &err);
    }
    if (rc != E_OK) {
        coord_refuse(coord, token, &err);
    } else if (command.kind != 0) {
        coord_submit(coord, &command, token);
    }
}

/* ---- answers ---- */

static void answer_graph(struct coord *coord, uint64_t token, const struct state_graph *graph)
{
    struct pairs pairs = {.count = 0};

    put_number(&pairs, "graph", graph->graph);
    put(&pairs, "name", value_string(graph->name));
    put_number(&pairs, "shards", graph->shard_count);
    put(&pairs, "ready", value_bool(graph->is_ready));
    reply(coord, token, &pairs);
}

void coordadmin_applied(struct coord *coord, uint64_t token, const struct state_command *command,
                        const struct state_result *result)
{
    struct pairs pairs = {.count = 0};

    if (result->code != E_OK) {
        struct error err;
        error_set(&err, result->code, "%s", result->text);
        coord_refuse(coord, token, &err);
        return;
    }
    if (command->kind == STATE_GRAPH_CREATE) {
        coord_request(coord, token)->graph = (uint32_t)result->number;
        return; /* Answered when it is ready. */
    }
    if (command->kind == STATE_GRAPH_DROP) {
        put(&pairs, "name", value_string(command->name));
        coordadmin_graph(coord, (uint32_t)result->number);
    } else {
        put(&pairs, "graph", value_string(command->name));
        put(&pairs, "name", value_string(command->index.name));
    }
    reply(coord, token, &pairs);
}

void coordadmin_graph(struct coord *coord, uint32_t number)
{
    const struct state_graph *graph = state_graph_by_id(&coord->state, number);

    for (size_t i = coord->request_count; number != 0 && i > 0; i--) {
        struct coord_request *request = &coord->requests[i - 1];
        if (request->graph != number) {
            continue;
        }
        if (graph != NULL) {
            answer_graph(coord, request->token, graph);
        } else {
            struct error err;
            error_set(&err, E_NOT_FOUND, "the graph was dropped meanwhile");
            coord_refuse(coord, request->token, &err);
        }
    }
}
