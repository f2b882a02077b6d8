#include "router/front/serve.h"

#include "router/front/status.h"

#include <stdio.h>
#include <string.h>

static void on_message(void *core, uint64_t now_ms, const struct message *message,
                       struct outbox *out)
{
    struct serve *serve = core;

    if ((message->peer & PEER_CALLER_BIT) == 0) {
        router_message(serve->router, now_ms, message, out);
    } else if (message->type == MESSAGE_QUERY) {
        native_query(&serve->native, now_ms, message, out);
    } else {
        struct error err = {0};
        (void)error_set(&err, E_UNSUPPORTED, "a router takes QUERY only, not %s",
                        message_name(message->type));
        outbox_refuse(out, message, &err);
    }
}

static void on_gone(void *core, uint64_t now_ms, peer_id peer, struct outbox *out)
{
    native_gone(&((struct serve *)core)->native, now_ms, peer, out);
}

/* Text of ours or a client's as one quoted value. */
static const char *quoted(char *room, size_t size, const struct bytes *text)
{
    char whole[LOG_LINE_MAX];

    (void)snprintf(whole, sizeof whole, "%.*s", (int)text->size,
                   text->size == 0 ? "" : (const char *)text->data);
    return log_text(room, size, whole);
}

static void log_slow(struct serve *serve)
{
    const struct router_slow *slow;
    char room[LOG_LINE_MAX];
    char head[256];

    while ((slow = router_next_slow(serve->router)) != NULL) {
        (void)snprintf(head, sizeof head, "%.*s", (int)slow->head.size,
                       (const char *)slow->head.data);
        log_warn(serve->log, "query", "%s msg=\"slow query\" text=\"%s\"", head,
                 quoted(room, sizeof room, &slow->text));
        head[strcspn(head, " ")] = '\0';
        log_warn(serve->log, "query", "%s plan=\"%s\"", head,
                 quoted(room, sizeof room, &slow->plan));
        log_warn(serve->log, "query", "%s operators=\"%s\"", head,
                 quoted(room, sizeof room, &slow->ops));
    }
}

static int on_turn(void *core, uint64_t now_ms, struct outbox *out, struct error *err)
{
    struct serve *serve = core;
    int rc = router_turn(serve->router, now_ms, out, err);

    log_slow(serve);
    return rc;
}

static uint64_t deadline(const void *core)
{
    return router_deadline(((const struct serve *)core)->router);
}

static bool is_ready(const void *core)
{
    return router_is_ready(((const struct serve *)core)->router);
}

/* A router serves as soon as some graph can be asked for; that shards have no primary just now is
 * told and no reason to take it from a load balancer: the other routers would have no other. */
static bool readiness(const void *core, struct bytes *out)
{
    const struct router *router = ((const struct serve *)core)->router;
    const struct shardmap *map = router_map(router);
    uint32_t silent = 0;

    if (map == NULL) {
        bytes_format(out, "no coordinator has given a map\n");
        return false;
    }
    for (uint32_t i = 0; i < map->shard_count; i++) {
        const struct shardmap_node *node = shardmap_node(map, map->shards[i].primary);
        silent += map->shards[i].primary_boot == 0 || node == NULL || !node->is_up;
    }
    bytes_format(out, "map %llu: %u graphs, %u shards, %u of them without a primary\n",
                 (unsigned long long)map->version, map->graph_count, map->shard_count, silent);
    return router_is_ready(router);
}

static void metrics(void *core, struct bytes *out)
{
    status_router(out, ((struct serve *)core)->router);
}

static void dump(const void *core, struct bytes *out)
{
    router_dump(((const struct serve *)core)->router, out);
}

struct host_core serve_core(struct serve *serve)
{
    return (struct host_core){.core = serve,
                              .message = on_message,
                              .turn = on_turn,
                              .deadline = deadline,
                              .is_ready = is_ready,
                              .gone = on_gone,
                              .readiness = readiness,
                              .metrics = metrics,
                              .dump = dump};
}

struct router_options serve_router_options(const struct router_conf *values)
{
    return (struct router_options){
        .node = (uint32_t)values->node,
        .seed = loop_random(),
        .coordinator_count = (uint32_t)values->coordinators.count,
        .coordinators = host_coordinator_numbers(),
        .deadline_ms = (uint32_t)values->deadline_ms,
        .query_memory_max = (uint64_t)values->query_memory_max,
        .memory_max = (uint64_t)values->memory_max,
        .turn_budget_us = (uint64_t)values->turn_budget_us,
        .result_max = (uint64_t)values->result_max,
        .batch_size = (uint32_t)values->batch_size,
        .sessions_max = (uint32_t)values->sessions_max,
        .queries_max = (uint32_t)values->queries_max,
        .client_queries_max = (uint32_t)values->client_queries_max,
        .retry_max = (uint32_t)values->retry_max,
        .slow_ms = (uint64_t)values->slow_ms,
        .session_idle_ms = (uint64_t)values->session_idle_ms,
        .wall_ms = loop_wall_ms() - loop_now_ms(),
        .micros = loop_micros,
    };
}

struct front_options serve_front_options(const struct router_conf *values)
{
    return (struct front_options){
        .address = values->address,
        .port = (int)values->port,
        .connections_max = (uint32_t)values->connections_max,
        .backlog_bytes = (size_t)values->backlog_bytes,
        .held_bytes_max = (size_t)values->held_bytes_max,
        .answers_bytes_max = (size_t)values->answers_bytes_max,
        .request_timeout_ms = (uint64_t)values->request_timeout_ms,
        .idle_timeout_ms = (uint64_t)values->idle_timeout_ms,
        .cors_count = values->cors_origins.count,
        .cors_origins = values->cors_origins.items,
    };
}

int serve_open(struct serve *serve, const struct router_conf *values, struct host *host,
               struct error *err)
{
    struct router_options router = serve_router_options(values);
    struct front_options front = serve_front_options(values);
    int rc;

    router.boot = host->boot;
    router.cluster_id = host->cluster_id;
    rc = router_open(&serve->router, &router, err);
    if (rc != E_OK) {
        return rc;
    }
    native_init(&serve->native, serve->router);
    serve->log = &host->log;
    host->core = serve_core(serve);
    front.router = serve->router;
    front.out = &host->out;
    front.native = &serve->native;
    front.log = &host->log;
    front.stats = &host->stats;
    rc = front_open(&serve->front, &front, err);
    if (rc == E_OK) {
        rc = front_watch(serve->front, transport_fd(host->transport), err);
    }
    if (rc == E_OK) {
        rc = front_watch(serve->front, loop_fd(&host->loop), err);
    }
    if (rc == E_OK && httpd_fd(&host->httpd) >= 0) {
        rc = front_watch(serve->front, httpd_fd(&host->httpd), err);
    }
    return rc;
}

const char *serve_node_address(struct serve *serve, uint32_t node)
{
    const struct shardmap *map = router_map(serve->router);

    for (size_t i = 0; map != NULL && i < map->node_count; i++) {
        if (map->nodes[i].node == node && map->nodes[i].address.size > 0) {
            (void)snprintf(serve->address, sizeof serve->address, "%.*s",
                           (int)map->nodes[i].address.size,
                           (const char *)map->nodes[i].address.data);
            return serve->address;
        }
    }
    return NULL;
}

void serve_close(struct serve *serve)
{
    front_close(&serve->front);
    native_close(&serve->native);
    router_close(&serve->router);
}

int serve_run(struct serve *serve, struct host *host, struct error *err)
{
    int rc = E_OK;

    log_info(&host->log, host->program, "port=%d http=%d msg=\"started\"", front_port(serve->front),
             httpd_port(&host->httpd));
    daemon_notify("READY=1");
    while (!host->loop.is_stopping) {
        uint64_t now_ms = loop_now_ms();
        uint64_t router;
        uint64_t transport;

        rc = host_turn(host, now_ms, err);
        if (rc != E_OK) {
            break;
        }
        front_deliver(serve->front, now_ms);
        host_send(host, now_ms);
        router = router_deadline(serve->router);
        transport = transport_deadline(host->transport, now_ms);
        if (transport_has_input(host->transport)) {
            router = 0;
        }
        front_wait(serve->front, router < transport ? router : transport);
        loop_signal(&host->loop);
    }
    daemon_notify("STOPPING=1");
    log_info(&host->log, host->program, "signal=%d msg=\"stopped\"", host->loop.signal);
    return rc;
}
