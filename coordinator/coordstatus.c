#include "coordinator/coordstatus.h"

#include "coordinator/pairs.h"

enum { PROBLEMS_MAX = 20 };

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

/* What a node that is up says of its replica; null: nothing. */
const struct roster_replica *coordstatus_replica(const struct coord *coord, uint32_t number,
                                                 const struct state_shard *shard)
{
    const struct member_node *node = member_node(&coord->member, number);

    return node == NULL ? NULL : member_replica(node, shard->shard);
}

struct value coordstatus_set(struct arena *arena, const struct nodeset *set)
{
    struct bytes text;

    bytes_init(&text, 0);
    if (set->count > 0) {
        nodeset_dump(&text, set);
    }
    struct value value = value_string(slice_of(arena_copy(arena, text.data, text.size), text.size));
    bytes_close(&text);
    return value;
}

/* Of the replicas that are not in sync: those that are there and catch up; the others. */
static struct nodeset learning(const struct coord *coord, const struct state_shard *shard)
{
    struct nodeset set = nodeset_minus(&shard->replicas, &shard->isr);

    for (uint32_t i = set.count; i > 0; i--) {
        const struct state_node *node = state_node(&coord->state, set.nodes[i - 1]);
        const struct roster_replica *replica = coordstatus_replica(coord, set.nodes[i - 1], shard);
        if (node == NULL || !node->is_up || replica == NULL || replica->suspect != ROSTER_SOUND) {
            nodeset_remove(&set, set.nodes[i - 1]);
        }
    }
    return set;
}

static bool is_down(const struct coord *coord, uint32_t number)
{
    const struct state_node *node = state_node(&coord->state, number);

    return node == NULL || !node->is_up;
}

/* What is wrong with a shard; empty: nothing. */
static const char *health(struct coord *coord, const struct state_graph *graph,
                          const struct state_shard *shard)
{
    const struct roster_replica *replica = coordstatus_replica(coord, shard->primary, shard);

    if (is_down(coord, shard->primary)) {
        return arena_format(&coord->arena, "NOT SERVED: node %u is down", shard->primary);
    }
    if (shard->primary_boot == 0) {
        return "NOT SERVED: no primary";
    }
    if (replica != NULL && replica->suspect != ROSTER_SOUND) {
        return "NOT SERVED: its file is suspect";
    }
    if (shard->isr.count < graph->min_insync) {
        return "NOT SERVED: too few in sync";
    }
    return shard->isr.count < graph->replica_count ? "replicas missing" : "";
}

static void put_replicas(struct coord *coord, struct pairs *pairs, const struct state_graph *graph,
                         const struct state_shard *shard)
{
    struct nodeset learners = learning(coord, shard);
    struct nodeset missing = nodeset_minus(&shard->replicas, &shard->isr);
    uint64_t lag_entries = 0;
    uint64_t lag_bytes = 0;

    missing = nodeset_minus(&missing, &learners);
    for (uint32_t i = 0; i < shard->replicas.count; i++) {
        const struct roster_replica *replica =
            coordstatus_replica(coord, shard->replicas.nodes[i], shard);
        if (replica != NULL && replica->lag_entries >= lag_entries) {
            lag_entries = replica->lag_entries;
            lag_bytes = replica->lag_bytes;
        }
    }
    pairs_put(pairs, "insync", coordstatus_set(&coord->arena, &shard->isr));
    pairs_put(pairs, "learning", coordstatus_set(&coord->arena, &learners));
    pairs_put(pairs, "missing", coordstatus_set(&coord->arena, &missing));
    pairs_number(pairs, "lag", lag_entries);
    pairs_number(pairs, "lag_bytes", lag_bytes);
    pairs_put(pairs, "health", value_cstring(health(coord, graph, shard)));
}

static struct value suspect_value(struct arena *arena, const struct roster_replica *replica,
                                  uint64_t floor)
{
    switch (replica == NULL ? ROSTER_SOUND : replica->suspect) {
    case ROSTER_SOUND:
        return value_cstring(replica != NULL && replica->is_full ? "its disk is full" : "");
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

static struct value shard_value(struct coord *coord, const struct state_graph *graph,
                                const struct state_shard *shard)
{
    struct pairs pairs = {.count = 0};
    const struct roster_replica *replica = coordstatus_replica(coord, shard->primary, shard);

    pairs_number(&pairs, "shard", shard->shard);
    pairs_number(&pairs, "node", shard->primary);
    pairs_number(&pairs, "epoch", shard->epoch);
    pairs_put(&pairs, "serving",
              value_bool(replica != NULL && replica->epoch == shard->epoch &&
                         !is_down(coord, shard->primary)));
    put_replicas(coord, &pairs, graph, shard);
    pairs_put(&pairs, "suspect", suspect_value(&coord->arena, replica, shard->applied));
    pairs_put(&pairs, "lo", hex_key(&coord->arena, shard->lo));
    pairs_put(&pairs, "hi", hex_key(&coord->arena, shard->hi));
    pairs_number(&pairs, "applied", replica == NULL ? 0 : replica->applied);
    pairs_number(&pairs, "schema", replica == NULL ? 0 : replica->schema_version);
    pairs_number(&pairs, "vertices", replica == NULL ? 0 : replica->vertices);
    pairs_number(&pairs, "edges", replica == NULL ? 0 : replica->edges);
    pairs_number(&pairs, "bytes", replica == NULL ? 0 : replica->file_bytes);
    return pairs_finish(&coord->arena, &pairs);
}

static struct value graph_value(struct coord *coord, const struct state_graph *graph)
{
    struct pairs pairs = {.count = 0};
    struct value *shards = arena_array(&coord->arena, graph->shard_count, sizeof *shards);

    for (uint32_t i = 0; i < graph->shard_count; i++) {
        shards[i] = shard_value(coord, graph, &graph->shards[i]);
    }
    pairs_number(&pairs, "graph", graph->graph);
    pairs_put(&pairs, "name", value_string(graph->name));
    pairs_put(&pairs, "partitioner",
              value_cstring(graph->partitioner == PARTITION_HASH ? "hash" : "range"));
    pairs_put(&pairs, "ids", value_cstring(graph->ids == IDS_LONG ? "long" : "int"));
    pairs_put(&pairs, "ready", value_bool(graph->is_ready));
    pairs_number(&pairs, "replicas", graph->replica_count);
    pairs_number(&pairs, "min_insync", graph->min_insync);
    pairs_number(&pairs, "schema", graph->schema_version);
    pairs_number(&pairs, "indexes", graph->index_count);
    pairs_put(&pairs, "shards", value_items(&coord->arena, VALUE_LIST, shards, graph->shard_count));
    return pairs_finish(&coord->arena, &pairs);
}

struct value coordstatus_graphs(struct coord *coord)
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

    pairs_number(&pairs, "node", node->node);
    pairs_put(&pairs, "boot", hex_number(&coord->arena, node->boot));
    pairs_put(&pairs, "address", value_string(node->address));
    pairs_put(&pairs, "zone", value_string(node->zone));
    pairs_put(&pairs, "up", value_bool(node->is_up));
    pairs_number(&pairs, "map", heard == NULL ? 0 : heard->map_version);
    pairs_number(&pairs, "silent_ms", heard == NULL ? 0 : coord->now_ms - heard->heard_ms);
    pairs_number(&pairs, "shards", heard == NULL ? 0 : heard->replica_count);
    return pairs_finish(&coord->arena, &pairs);
}

/* ---- what is wrong ---- */

struct problems {
    struct value items[PROBLEMS_MAX];
    uint32_t count;
    uint32_t more; /* Not told. */
};

static void add_problem(struct problems *problems, struct arena *arena, const char *text)
{
    struct pairs pairs = {.count = 0};

    if (problems->count == PROBLEMS_MAX) {
        problems->more++;
        return;
    }
    pairs_put(&pairs, "problem", value_cstring(text));
    problems->items[problems->count++] = pairs_finish(arena, &pairs);
}

static void find_problems(struct coord *coord, struct problems *problems)
{
    struct arena *arena = &coord->arena;

    for (uint32_t i = 0; i < coord->state.node_count; i++) {
        const struct state_node *node = &coord->state.nodes[i];
        if (!node->is_up) {
            add_problem(problems, arena,
                        arena_format(arena, "node %u at %.*s is down", node->node,
                                     (int)node->address.size, (const char *)node->address.data));
        }
    }
    for (uint32_t i = 0; i < coord->state.graph_count; i++) {
        const struct state_graph *graph = &coord->state.graphs[i];
        for (uint32_t j = 0; j < graph->shard_count; j++) {
            const char *text = health(coord, graph, &graph->shards[j]);
            if (text[0] != '\0') {
                add_problem(problems, arena,
                            arena_format(arena, "shard %.*s/%u: %s", (int)graph->name.size,
                                         (const char *)graph->name.data, graph->shards[j].shard,
                                         text));
            }
        }
    }
}

struct value coordstatus(struct coord *coord)
{
    struct pairs pairs = {.count = 0};
    uint32_t count = coord->state.node_count;
    struct value *nodes = arena_array(&coord->arena, count, sizeof *nodes);
    struct problems problems = {.count = 0};

    find_problems(coord, &problems);
    for (uint32_t i = 0; i < count; i++) {
        nodes[i] = node_value(coord, &coord->state.nodes[i]);
    }
    pairs_put(&pairs, "health", value_cstring(problems.count == 0 ? "ok" : "see problems"));
    if (problems.more > 0) {
        pairs_number(&pairs, "problems_not_shown", problems.more);
    }
    if (problems.count > 0) {
        pairs_put(&pairs, "problems",
                  value_items(&coord->arena, VALUE_LIST, problems.items, problems.count));
    }
    pairs_put(&pairs, "cluster", hex_number(&coord->arena, coord->options.cluster_id));
    pairs_put(&pairs, "incarnation", hex_number(&coord->arena, coord->state.incarnation));
    pairs_number(&pairs, "coordinator", coord->options.node);
    pairs_number(&pairs, "leader", consensus_leader(coord->consensus));
    pairs_number(&pairs, "term", consensus_term(coord->consensus));
    pairs_number(&pairs, "map", coord->state.version);
    pairs_number(&pairs, "decisions", coord->state.decision_count);
    pairs_number(&pairs, "running", coord->decision.running_count);
    pairs_number(&pairs, "committed", coord->decision.counters.committed);
    pairs_number(&pairs, "aborted", coord->decision.counters.aborted);
    pairs_number(&pairs, "sessions", coord->state.session_count);
    pairs_put(&pairs, "nodes", value_items(&coord->arena, VALUE_LIST, nodes, count));
    pairs_put(&pairs, "graphs", coordstatus_graphs(coord));
    return pairs_finish(&coord->arena, &pairs);
}
