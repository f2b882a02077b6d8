#include "router/front/status.h"

#include <string.h>

#include "router/front/front_private.h"

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

void status_router(struct bytes *out, const struct router *router)
{
    struct router_counters counters = {0};
    const struct {
        const char *kind;
        const char *name;
        const char *help;
        const uint64_t *value;
    } rows[] = {
        {"counter", "cardea_requests_total", "Requests of clients", &counters.requests},
        {"counter", "cardea_answers_total", "Requests answered", &counters.answers},
        {"counter", "cardea_failures_total", "Requests that failed", &counters.failures},
        {"counter", "cardea_conflicts_total", "Runs that met a conflict", &counters.conflicts},
        {"counter", "cardea_unknown_total", "Commits of unknown outcome", &counters.unknown},
        {"counter", "cardea_queries_ended_for_memory_total", "Queries ended by memory_max",
         &counters.ended_for_memory},
        {"counter", "cardea_plans_reused_total", "Plans from the cache", &counters.plans_reused},
        {"counter", "cardea_plans_made_total", "Plans made", &counters.plans_made},
        {"counter", "cardea_remote_requests_total", "Requests to shards and coordinators",
         &counters.remote_requests},
        {"counter", "cardea_remote_repeats_total", "Those sent again", &counters.remote_repeats},
    };

    router_counters(router, &counters);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        metrics_single(out, rows[i].kind, rows[i].name, rows[i].help, *rows[i].value);
    }
    metrics_single(out, "gauge", "cardea_queries", "Queries that run", counters.queries);
    metrics_single(out, "gauge", "cardea_memory_bytes",
                   "Memory that queries, requests and answers hold", counters.memory);
    metrics_single(out, "gauge", "cardea_queries_waiting", "Requests that wait for a place",
                   counters.waiting);
    metrics_single(out, "gauge", "cardea_sessions", "Open sessions", counters.sessions);
    metrics_family(out, "histogram", "cardea_query_seconds",
                   "Requests of clients, from their arrival to the last frame of the answer");
    for (int kind = 0; kind < ROUTER_KINDS; kind++) {
        static const char *const labels[ROUTER_KINDS] = {"kind=\"read\"", "kind=\"write\"",
                                                         "kind=\"load\"", "kind=\"failed\""};
        metrics_times(out, "cardea_query_seconds", labels[kind],
                      router_times(router, (enum router_kind)kind));
    }
}

void status_metrics(struct bytes *out, const struct front *front)
{
    if (front->options.stats != NULL) {
        stats_encode(out, front->options.stats);
    }
    status_router(out, front->options.router);
}

/* The text after "name=", up to "&"; data null: it is not there. Ids need no decoding. */
static struct slice parameter(struct slice text, const char *name)
{
    size_t size = strlen(name);

    for (size_t at = 0; at < text.size;) {
        size_t end = at;
        while (end < text.size && text.data[end] != '&') {
            end++;
        }
        if (end - at >= size && memcmp(text.data + at, name, size) == 0 &&
            (end - at == size || text.data[at + size] == '=')) {
            size_t from = at + size + (end - at > size);
            return slice_of(text.data + from, end - from);
        }
        at = end + 1;
    }
    return (struct slice){0};
}

static void write_query(struct bytes *out, const struct value *query, bool is_first)
{
    const struct value *state = value_get_text(query, "state");

    bytes_format(out, "%s{\"queryId\":", is_first ? "" : ",");
    status_json_text(out, value_slice(value_get_text(query, "request")));
    bytes_format(out, ",\"queryString\":");
    status_json_text(out, value_slice(value_get_text(query, "text")));
    bytes_format(out, ",\"queryEvalStats\":{\"waited\":0,\"elapsed\":%lld,\"cancelled\":%s}}",
                 (long long)value_get_text(query, "ms")->integer,
                 value_is_text(state, "ending") ? "true" : "false");
}

static int write_cancelled(struct bytes *out, struct router *router, struct slice id)
{
    struct error err = {0};
    bool is_ended = router_kill(router, id, &err) == E_OK;

    if (is_ended) {
        bytes_format(out, "{\"status\":\"200 OK\",\"payload\":true}\n");
        return 200;
    }
    bytes_format(out, "{\"code\":\"BadRequestException\",\"message\":");
    status_json_text(out, slice_text(err.text));
    bytes_format(out, "}\n");
    return 400;
}

int status_queries(struct bytes *out, struct router *router, struct slice parameters)
{
    struct slice id = parameter(parameters, "queryId");
    struct slice cancel = parameter(parameters, "cancelQuery");
    struct router_counters counters = {0};
    struct arena arena = {0};
    size_t shown = 0;

    if (cancel.data != NULL && !slice_equal(cancel, SLICE("false")) &&
        !slice_equal(cancel, SLICE("False"))) {
        return write_cancelled(out, router, id);
    }
    router_counters(router, &counters);
    struct value all = router_queries(router, &arena);
    const struct value *list = value_get_text(&all, "queries");
    bytes_format(out, "{\"acceptedQueryCount\":%u,\"runningQueryCount\":%u,\"queries\":[",
                 counters.queries + counters.waiting, counters.queries);
    for (uint32_t i = 0; i < list->size; i++) {
        const struct value *query = &list->items[i];
        if (id.size == 0 || slice_equal(value_slice(value_get_text(query, "request")), id)) {
            write_query(out, query, shown++ == 0);
        }
    }
    bytes_format(out, "]}\n");
    arena_close(&arena);
    return 200;
}

void status_page(struct bytes *out, const struct front *front)
{
    const struct shardmap *map = router_map(front->options.router);
    struct router_counters counters = {0};

    router_counters(front->options.router, &counters);
    bytes_format(out, "{\"version\":\"%s\",\"ready\":%s,\"clients\":%u", CARDEA_VERSION,
                 router_is_ready(front->options.router) ? "true" : "false", front->websocket_count);
    bytes_format(out, ",\"queries\":%u,\"sessions\":%u", counters.queries, counters.sessions);
    if (map != NULL) {
        bytes_format(out, ",\"map\":%llu,\"graphs\":[", (unsigned long long)map->version);
        write_graphs(out, map);
        bytes_format(out, "],\"nodes\":[");
        write_nodes(out, map);
        bytes_format(out, "]");
    }
    bytes_format(out, "}\n");
}
