/* What the tool asks of the coordinators. */
#include "tests/sim/cluster.h"

#include "common/codec.h"

static void ask_admin(struct cluster *cluster, struct value *items, uint32_t pairs)
{
    struct outbox *out = &cluster->procs[CLUSTER_TOOL].out;
    struct arena arena;
    struct bytes body;

    cluster->has_answer = false;
    arena_init(&arena, 0);
    bytes_init(&body, 0);
    struct value map = value_items(&arena, VALUE_MAP, items, pairs);
    codec_encode(&body, NULL, &map);
    outbox_send(out, PEER_NODE(PEER_COORDINATOR, 1), MESSAGE_ADMIN, bytes_slice(&body))->req_id =
        ++cluster->asked;
    cluster_send_some(cluster, CLUSTER_TOOL, SIZE_MAX);
    bytes_close(&body);
    arena_close(&arena);
}

void cluster_ask_graph(struct cluster *cluster, uint32_t shards, uint32_t replicas,
                       uint32_t min_insync)
{
    struct value items[] = {
        value_cstring("verb"),        value_cstring("graph.create"), value_cstring("name"),
        value_cstring("g"),           value_cstring("shards"),       value_long(shards),
        value_cstring("partitioner"), value_cstring("hash"),         value_cstring("ids"),
        value_cstring("long"),        value_cstring("replicas"),     value_long(replicas),
        value_cstring("min_insync"),  value_long(min_insync)};

    ask_admin(cluster, items, min_insync == 0 ? 6 : 7);
}

void cluster_ask_replicas(struct cluster *cluster, uint32_t replicas, uint32_t min_insync)
{
    struct value items[] = {value_cstring("verb"),       value_cstring("graph.set"),
                            value_cstring("name"),       value_cstring("g"),
                            value_cstring("replicas"),   value_long(replicas),
                            value_cstring("min_insync"), value_long(min_insync)};

    ask_admin(cluster, items, min_insync == 0 ? 3 : 4);
}

void cluster_ask_failover(struct cluster *cluster, uint32_t shard, uint32_t to)
{
    struct value items[] = {value_cstring("verb"),        value_cstring("shard.failover"),
                            value_cstring("graph"),       value_cstring("g"),
                            value_cstring("graph_shard"), value_long(shard),
                            value_cstring("to"),          value_long(to)};

    ask_admin(cluster, items, to == 0 ? 3 : 4);
}

void cluster_ask_index(struct cluster *cluster, const char *label, const char *key)
{
    struct value items[] = {value_cstring("verb"),  value_cstring("index.create"),
                            value_cstring("graph"), value_cstring("g"),
                            value_cstring("name"),  value_cstring("by"),
                            value_cstring("label"), value_cstring(label),
                            value_cstring("key"),   value_cstring(key)};

    ask_admin(cluster, items, 5);
}
