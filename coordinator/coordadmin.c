#include "coordinator/coordadmin.h"

#include "common/codec.h"
#include "common/control.h"
#include "common/mem.h"
#include "coordinator/coord_inside.h"
#include "coordinator/coordstatus.h"
#include "coordinator/pairs.h"

#include <assert.h>
#include <string.h>

enum { SHARDS_DEFAULT = 4, MIN_INSYNC_OF_MANY = 2 };

static void reply_value(struct coord *coord, uint64_t token, const struct value *value)
{
    bytes_clear(&coord->body);
    codec_encode(&coord->body, NULL, value);
    coord_answer(coord, token, MESSAGE_ADMIN_REPLY, bytes_slice(&coord->body));
}

static void reply(struct coord *coord, uint64_t token, const struct pairs *pairs)
{
    struct value value = pairs_finish(&coord->arena, pairs);

    reply_value(coord, token, &value);
}

static void graph_list(struct coord *coord, uint64_t token)
{
    struct pairs pairs = {.count = 0};

    pairs_put(&pairs, "graphs", coordstatus_graphs(coord));
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

/* A number from 1 to max; 0 if it is not given. */
static int number_of(const struct value *request, const char *key, uint32_t max, uint32_t *number,
                     struct error *err)
{
    const struct value *value = value_get_text(request, key);

    *number = 0;
    if (value == NULL || value->kind == VALUE_NULL) {
        return E_OK;
    }
    if ((value->kind != VALUE_INT && value->kind != VALUE_LONG) || value->integer < 1 ||
        value->integer > max) {
        return error_set(err, E_INVALID, "'%s' is a number from 1 to %u", key, max);
    }
    *number = (uint32_t)value->integer;
    return E_OK;
}

/* ---- how many replicas ---- */

static uint32_t nodes_up(const struct coord *coord)
{
    uint32_t count = 0;

    for (uint32_t i = 0; i < coord->state.node_count; i++) {
        count += coord->state.nodes[i].is_up;
    }
    return count;
}

/* Replicas and min_insync as asked for, or as they are best. */
static int replicas_of(const struct coord *coord, const struct value *request,
                       struct state_command *command, struct error *err)
{
    uint32_t max = coord->options.replicas_max;
    int rc = number_of(request, "replicas", SHARDMAP_REPLICAS_MAX, &command->replica_count, err);

    rc = rc != E_OK
             ? rc
             : number_of(request, "min_insync", SHARDMAP_REPLICAS_MAX, &command->min_insync, err);
    if (rc != E_OK) {
        return rc;
    }
    if (command->replica_count > max) {
        return error_set(err, E_UNSUPPORTED,
                         "%u replicas: in this version a shard has at most %u (--replicas %u)",
                         command->replica_count, max, max);
    }
    if (command->replica_count == 0) {
        command->replica_count = nodes_up(coord) >= 2 && max >= 2 ? 2 : 1;
    }
    if (command->min_insync == 0) {
        command->min_insync = command->replica_count > 2 ? MIN_INSYNC_OF_MANY : 1;
    }
    if (command->min_insync > command->replica_count) {
        return error_set(err, E_INVALID, "of %u replicas not %u can be in sync",
                         command->replica_count, command->min_insync);
    }
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
    rc = rc != E_OK ? rc
                    : number_of(request, "shards", STATE_SHARDS_MAX, &command->shard_count, err);
    rc = rc != E_OK ? rc : replicas_of(coord, request, command, err);
    rc = rc != E_OK ? rc : choice_of(request, "partitioner", partitioners, &partitioner, err);
    rc = rc != E_OK ? rc : choice_of(request, "ids", ids, &id, err);
    if (rc != E_OK) {
        return rc;
    }
    command->kind = STATE_GRAPH_CREATE;
    command->shard_count = command->shard_count == 0 ? SHARDS_DEFAULT : command->shard_count;
    command->partitioner = partitioner == 0 ? PARTITION_HASH : PARTITION_RANGE;
    command->ids = id == 0 ? IDS_LONG : IDS_INT;
    rc = splits_of(&coord->arena, request, command, err);
    if (rc != E_OK) {
        return rc;
    }
    uint32_t *nodes = arena_array(&coord->arena, command->shard_count, sizeof *nodes);
    struct nodeset *replicas = arena_array(&coord->arena, command->shard_count, sizeof *replicas);
    command->shards = nodes;
    command->replicas = replicas;
    return failover_place(&coord->failover, command->shard_count, command->replica_count, replicas,
                          nodes, err);
}

static int graph_set(struct coord *coord, const struct value *request,
                     struct state_command *command, struct error *err)
{
    const struct value *replicas = value_get_text(request, "replicas");
    int rc = text_of(request, "name", true, &command->name, err);

    rc = rc != E_OK ? rc : replicas_of(coord, request, command, err);
    if (rc != E_OK) {
        return rc;
    }
    if (replicas == NULL || replicas->kind == VALUE_NULL) {
        return error_set(err, E_INVALID, "the request needs a number 'replicas'");
    }
    if (command->replica_count > nodes_up(coord)) {
        return error_set(err, E_UNAVAILABLE,
                         "%u replicas need as many shard nodes that are up: there are %u",
                         command->replica_count, nodes_up(coord));
    }
    command->kind = STATE_GRAPH_SET;
    return E_OK;
}

/* ---- who leads ---- */

static int shard_of(const struct coord *coord, const struct value *request,
                    struct state_shard **shard, uint32_t *target, struct error *err)
{
    struct slice name;
    uint32_t number = 0;
    int rc = text_of(request, "graph", true, &name, err);

    rc = rc != E_OK ? rc : number_of(request, "graph_shard", UINT32_MAX, &number, err);
    rc = rc != E_OK ? rc : number_of(request, "to", UINT32_MAX, target, err);
    if (rc != E_OK) {
        return rc;
    }
    const struct state_graph *graph = state_shard_graph(&coord->state, number);
    *shard = state_shard(&coord->state, number);
    if (*shard == NULL || !slice_equal(graph->name, name)) {
        return error_set(err, E_NOT_FOUND,
                         "graph %.*s has no shard %u: 'cardeactl graph list' shows their numbers",
                         (int)name.size, (const char *)name.data, number);
    }
    return E_OK;
}

static int shard_failover(struct coord *coord, const struct value *request, uint64_t token,
                          struct error *err)
{
    struct state_shard *shard;
    uint32_t target;
    int rc = shard_of(coord, request, &shard, &target, err);

    rc = rc != E_OK ? rc : failover_ask(&coord->failover, coord->now_ms, shard, &target, err);
    if (rc == E_OK) {
        coord_request(coord, token)->shard = shard->shard;
        coord_request(coord, token)->epoch = shard->epoch;
    }
    return rc;
}

/* Says what is known to be lost if the target leads. */
static int refuse_loss(const struct coord *coord, const struct state_shard *shard, uint32_t target,
                       struct error *err)
{
    const struct roster_replica *replica = coordstatus_replica(coord, target, shard);

    if (replica == NULL) {
        return error_set(err, E_INVALID,
                         "what node %u holds of shard %u is not known; entry %llu was applied: all "
                         "that it lacks is lost (--accept-data-loss)",
                         target, shard->shard, (unsigned long long)shard->applied);
    }
    return error_set(
        err, E_INVALID,
        "node %u holds shard %u up to entry %llu of epoch %llu; its primary had applied "
        "at least %llu: acknowledged writes after the first are lost "
        "(--accept-data-loss)",
        target, shard->shard, (unsigned long long)replica->last,
        (unsigned long long)replica->last_epoch, (unsigned long long)shard->applied);
}

static int force_primary(struct coord *coord, const struct value *request,
                         struct state_command *command, struct error *err)
{
    const struct value *accepted = value_get_text(request, "accept_data_loss");
    struct state_shard *shard;
    uint32_t target;
    int rc = shard_of(coord, request, &shard, &target, err);

    if (rc != E_OK) {
        return rc;
    }
    const struct state_node *node = state_node(&coord->state, target);
    if (target == shard->primary && shard->primary_boot != 0) {
        return error_set(err, E_INVALID, "node %u leads shard %u already", target, shard->shard);
    }
    if (!nodeset_has(&shard->replicas, target) || node == NULL) {
        return error_set(err, E_INVALID, "node %u holds no replica of shard %u ('to')", target,
                         shard->shard);
    }
    if (accepted == NULL || accepted->kind != VALUE_BOOL || !accepted->boolean) {
        return refuse_loss(coord, shard, target, err);
    }
    *command = (struct state_command){.kind = STATE_FAILOVER,
                                      .shard = shard->shard,
                                      .epoch = shard->epoch,
                                      .cfgver = shard->cfgver,
                                      .target = target,
                                      .target_boot = node->boot,
                                      .is_forced = true};
    return E_OK;
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

    pairs_put(&pairs, "graph", value_string(graph->name));
    pairs_put(&pairs, "name", value_string(index->name));
    pairs_put(&pairs, "label", value_string(index->label));
    pairs_put(&pairs, "key", value_string(index->key));
    return pairs_finish(&coord->arena, &pairs);
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
    pairs_put(&pairs, "indexes", value_items(&coord->arena, VALUE_LIST, items, count));
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
        struct value value = coordstatus(coord);
        reply_value(coord, token, &value);
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
    if (value_is_text(verb, "graph.set")) {
        return graph_set(coord, request, command, err);
    }
    if (value_is_text(verb, "shard.failover")) {
        return shard_failover(coord, request, token, err);
    }
    if (value_is_text(verb, "shard.force-primary")) {
        return force_primary(coord, request, command, err);
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

    pairs_number(&pairs, "graph", graph->graph);
    pairs_put(&pairs, "name", value_string(graph->name));
    pairs_number(&pairs, "shards", graph->shard_count);
    pairs_number(&pairs, "replicas", graph->replica_count);
    pairs_number(&pairs, "min_insync", graph->min_insync);
    pairs_put(&pairs, "ready", value_bool(graph->is_ready));
    reply(coord, token, &pairs);
}

static void answer_shard(struct coord *coord, uint64_t token, const struct state_shard *shard)
{
    struct pairs pairs = {.count = 0};

    pairs_number(&pairs, "shard", shard->shard);
    pairs_number(&pairs, "node", shard->primary);
    pairs_number(&pairs, "epoch", shard->epoch);
    pairs_put(&pairs, "insync", coordstatus_set(&coord->arena, &shard->isr));
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
    if (command->kind == STATE_FAILOVER) {
        answer_shard(coord, token, state_shard(&coord->state, command->shard));
        return;
    }
    if (command->kind == STATE_GRAPH_SET) {
        answer_graph(coord, token, state_graph(&coord->state, command->name));
        return;
    }
    if (command->kind == STATE_GRAPH_DROP) {
        pairs_put(&pairs, "name", value_string(command->name));
        coordadmin_graph(coord, (uint32_t)result->number);
    } else {
        pairs_put(&pairs, "graph", value_string(command->name));
        pairs_put(&pairs, "name", value_string(command->index.name));
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

void coordadmin_shard(struct coord *coord, uint32_t number, const struct error *failure)
{
    const struct state_shard *shard = state_shard(&coord->state, number);

    for (size_t i = coord->request_count; number != 0 && i > 0; i--) {
        struct coord_request *request = &coord->requests[i - 1];
        if (request->shard != number) {
            continue;
        }
        if (failure != NULL) {
            coord_refuse(coord, request->token, failure);
        } else if (shard == NULL) {
            struct error err;
            error_set(&err, E_NOT_FOUND, "the graph was dropped meanwhile");
            coord_refuse(coord, request->token, &err);
        } else if (shard->epoch != request->epoch) {
            answer_shard(coord, request->token, shard);
        }
    }
}
