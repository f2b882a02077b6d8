#include "router/cli/devhost.h"

#include <assert.h>
#include <stdio.h>
#include <unistd.h>

#include "common/daemon.h"

enum {
    ROUNDS_MAX = 64, /* Exchanges of messages before clients are looked at again. */
    PATH_ROOM = 4096
};

/* ---- starting ---- */

static const char *folder_of(struct devhost *host, uint32_t node)
{
    if (node == 1) {
        return arena_format(&host->arena, "%s/shards", host->options.data);
    }
    return arena_format(&host->arena, "%s/shards-%u", host->options.data, node);
}

uint32_t devhost_count(const char *data)
{
    char path[PATH_ROOM];
    uint32_t count = 0;

    (void)snprintf(path, sizeof path, "%s/shards", data);
    if (access(path, F_OK) != 0) {
        return 0;
    }
    do {
        count++;
        (void)snprintf(path, sizeof path, "%s/shards-%u", data, count + 1);
    } while (access(path, F_OK) == 0);
    return count;
}

static int open_coordinator(struct devhost *host, struct error *err)
{
    struct coord_options options = {
        .node = 1,
        .boot = loop_random(),
        .seed = loop_random(),
        .cluster_id = host->cluster_id,
        .data_dir = arena_format(&host->arena, "%s/coordinator", host->options.data),
        .coordinators = host_coordinator_numbers(),
        .coordinator_count = 1,
        .is_sync = host->options.is_sync,
        .log = host->options.log};
    int rc = daemon_folder_make(options.data_dir, err);

    if (rc == E_OK) {
        rc = coord_open(&host->coord, &options, err);
    }
    if (rc == E_OK) {
        host->coordinator.core = coordinator_core(host->coord);
        host->coordinator.place = memory_join(&host->memory, PEER_COORDINATOR, 1, options.boot);
        host->coordinator.is_running = true;
    }
    return rc;
}

static int start_node(struct devhost *host, uint32_t node, struct error *err)
{
    struct devhost_end *end = &host->shards[node - 1];
    struct node_options options = {.node = node,
                                   .boot = loop_random(),
                                   .seed = loop_random(),
                                   .cluster_id = host->cluster_id,
                                   .data_dir = folder_of(host, node),
                                   .address = "memory",
                                   .coordinators = host_coordinator_numbers(),
                                   .coordinator_count = 1,
                                   .is_sync = host->options.is_sync,
                                   .is_old_accepted = !host->options.is_sync,
                                   .micros = loop_micros,
                                   .log = host->options.log};

    if (host->starts == DEVHOST_STARTS_MAX) {
        return error_set(err, E_LIMIT, "nodes were started %d times: start cardea dev again",
                         DEVHOST_STARTS_MAX);
    }
    int rc = daemon_folder_make(options.data_dir, err);
    if (rc == E_OK) {
        rc = node_open(&host->nodes[node - 1], &options, err);
    }
    if (rc == E_OK) {
        host->starts++;
        end->core = shardd_core(host->nodes[node - 1]);
        end->place = memory_join(&host->memory, PEER_SHARDD, node, options.boot);
        end->is_running = true;
    }
    return rc;
}

int devhost_open(struct devhost *host, const struct devhost_options *options, struct error *err)
{
    assert(options->nodes > 0 && options->nodes <= DEVHOST_NODES_MAX);
    *host = (struct devhost){.options = *options, .cluster_id = host_cluster_id("dev")};
    arena_init(&host->arena, 0);
    memory_init(&host->memory, host->cluster_id);
    outbox_init(&host->coordinator.out);
    outbox_init(&host->router.out);
    for (size_t i = 0; i < DEVHOST_NODES_MAX; i++) {
        outbox_init(&host->shards[i].out);
    }
    int rc = open_coordinator(host, err);
    for (uint32_t node = 1; rc == E_OK && node <= options->nodes; node++) {
        rc = start_node(host, node, err);
    }
    return rc;
}

void devhost_close(struct devhost *host)
{
    for (size_t i = 0; i < DEVHOST_NODES_MAX; i++) {
        node_close(&host->nodes[i]);
        outbox_close(&host->shards[i].out);
    }
    coord_close(&host->coord);
    memory_close(&host->memory);
    outbox_close(&host->coordinator.out);
    outbox_close(&host->router.out);
    arena_close(&host->arena);
}

void devhost_router(struct devhost *host, const struct host_core *core, uint64_t boot)
{
    host->router.core = *core;
    host->router.place = memory_join(&host->memory, PEER_ROUTER, 1, boot);
    host->router.is_running = true;
}

/* ---- faults ---- */

static struct devhost_end *find(struct devhost *host, uint32_t node, struct error *err)
{
    if (node == 0 || node > host->options.nodes) {
        error_set(err, E_NOT_FOUND, "there is no node %u: 1 to %u are", node, host->options.nodes);
        return NULL;
    }
    return &host->shards[node - 1];
}

int devhost_kill(struct devhost *host, uint32_t node, struct error *err)
{
    struct devhost_end *end = find(host, node, err);

    if (end == NULL) {
        return E_NOT_FOUND;
    }
    if (!end->is_running) {
        return error_set(err, E_INVALID, "node %u does not run: cardeactl node restart %u", node,
                         node);
    }
    end->is_running = false;
    end->is_paused = false;
    memory_leave(&host->memory, end->place);
    outbox_clear(&end->out);
    node_close(&host->nodes[node - 1]);
    return E_OK;
}

int devhost_pause(struct devhost *host, uint32_t node, struct error *err)
{
    struct devhost_end *end = find(host, node, err);

    if (end == NULL) {
        return E_NOT_FOUND;
    }
    if (!end->is_running || end->is_paused) {
        return error_set(err, E_INVALID, "node %u %s: cardeactl node restart %u", node,
                         end->is_paused ? "is paused" : "does not run", node);
    }
    end->is_paused = true;
    return E_OK;
}

int devhost_restart(struct devhost *host, uint32_t node, struct error *err)
{
    struct devhost_end *end = find(host, node, err);

    if (end == NULL) {
        return E_NOT_FOUND;
    }
    if (end->is_paused) {
        end->is_paused = false;
        return E_OK;
    }
    if (end->is_running) {
        (void)devhost_kill(host, node, NULL);
    }
    return start_node(host, node, err);
}

/* ---- running ---- */

static bool is_awake(const struct devhost_end *end)
{
    return end->is_running && !end->is_paused;
}

static int advance(struct devhost *host, struct devhost_end *end, bool is_forced, struct error *err)
{
    uint64_t now_ms = loop_now_ms();
    struct message message;
    int count = 0;

    if (!is_awake(end)) {
        return E_OK;
    }
    while (count < HOST_DRAIN && memory_recv(&host->memory, end->place, &message)) {
        end->core.message(end->core.core, now_ms, &message, &end->out);
        count++;
    }
    if (count == 0 && !is_forced && end->core.deadline(end->core.core) > now_ms) {
        return E_OK;
    }
    int rc = end->core.turn(end->core.core, now_ms, &end->out, err);
    memory_send(&host->memory, end->place, &end->out);
    if (rc != E_OK && end >= host->shards && end < host->shards + host->options.nodes) {
        uint32_t node = (uint32_t)(end - host->shards) + 1;
        if (node_must_restart(host->nodes[node - 1])) {
            *err = (struct error){0};
            return devhost_restart(host, node, err);
        }
    }
    return rc;
}

static bool has_input(const struct devhost *host, const struct devhost_end *end)
{
    return is_awake(end) && memory_has_input(&host->memory, end->place);
}

bool devhost_has_input(const struct devhost *host)
{
    bool any = has_input(host, &host->coordinator) || has_input(host, &host->router);

    for (size_t i = 0; i < host->options.nodes; i++) {
        any = any || has_input(host, &host->shards[i]);
    }
    return any;
}

int devhost_exchange(struct devhost *host, struct error *err)
{
    int rc = E_OK;

    for (int round = 0; rc == E_OK && round < ROUNDS_MAX; round++) {
        rc = advance(host, &host->coordinator, false, err);
        for (size_t i = 0; rc == E_OK && i < host->options.nodes; i++) {
            rc = advance(host, &host->shards[i], false, err);
        }
        if (rc == E_OK) {
            rc = advance(host, &host->router, round == 0, err);
        }
        if (!devhost_has_input(host)) {
            break;
        }
    }
    return rc;
}

static uint64_t sooner(const struct devhost_end *end, uint64_t at)
{
    uint64_t deadline = is_awake(end) ? end->core.deadline(end->core.core) : UINT64_MAX;

    return deadline < at ? deadline : at;
}

uint64_t devhost_deadline(const struct devhost *host)
{
    uint64_t at = sooner(&host->router, sooner(&host->coordinator, UINT64_MAX));

    for (size_t i = 0; i < host->options.nodes; i++) {
        at = sooner(&host->shards[i], at);
    }
    return at;
}
