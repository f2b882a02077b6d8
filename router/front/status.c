#include "router/front/status.h"

void status_json_text(struct bytes *out, struct slice text)
{
    bytes_u8(out, '"');
    for (size_t i = 0; i < text.size; i++) {
        uint8_t c = text.data[i];
        if (c == '"' || c == '\\') {
            bytes_u8(out, '\\');
            bytes_u8(out, c);
        } else if (c < 0x20) {
            bytes_format(out, "\\u%04x", c);
        } else {
            bytes_u8(out, c);
        }
    }
    bytes_u8(out, '"');
}

static void write_graphs(struct bytes *out, const struct shardmap *map)
{
    for (size_t i = 0; i < map->graph_count; i++) {
        const struct shardmap_graph *graph = &map->graphs[i];
        bytes_format(out, "%s{\"name\":", i == 0 ? "" : ",");
        status_json_text(out, graph->name);
        bytes_format(out, ",\"partitioner\":\"%s\",\"shards\":%u,\"ready\":%s}",
                     graph->partitioner == PARTITION_RANGE ? "range" : "hash", graph->shard_count,
                     graph->is_ready ? "true" : "false");
    }
}

static void write_nodes(struct bytes *out, const struct shardmap *map)
{
    for (size_t i = 0; i < map->node_count; i++) {
        bytes_format(out, "%s{\"node\":%u,\"address\":", i == 0 ? "" : ",", map->nodes[i].node);
        status_json_text(out, map->nodes[i].address);
        bytes_format(out, ",\"up\":%s}", map->nodes[i].is_up ? "true" : "false");
    }
}

void status_page(struct bytes *out, const struct front *front)
{
    const struct shardmap *map = router_map(front->options.router);

    bytes_format(out, "{\"version\":\"%s\",\"ready\":%s,\"clients\":%u", CARDEA_VERSION,
                 router_is_ready(front->options.router) ? "true" : "false", front->websocket_count);
    if (map != NULL) {
        bytes_format(out, ",\"map\":%llu,\"graphs\":[", (unsigned long long)map->version);
        write_graphs(out, map);
        bytes_format(out, "],\"nodes\":[");
        write_nodes(out, map);
        bytes_format(out, "]");
    }
    bytes_format(out, "}\n");
}
