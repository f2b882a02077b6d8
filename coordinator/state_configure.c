#include "coordinator/state_configure.h"

#include "coordinator/replicaset.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>

__attribute__((format(printf, 3, 4))) static void refuse(struct state_result *result, int code,
                                                         const char *format, ...)
{
    va_list args;

    result->code = code;
    va_start(args, format);
    vsnprintf(result->text, sizeof result->text, format, args);
    va_end(args);
}

bool state_configure_are_counts(const struct state_command *command, struct state_result *result)
{
    if (command->min_insync < 1 || command->min_insync > command->replica_count ||
        command->replica_count > SHARDMAP_REPLICAS_MAX) {
        refuse(result, E_INVALID,
               "a shard has 1 to %u replicas, and from 1 to all of them must be in sync",
               SHARDMAP_REPLICAS_MAX);
        return false;
    }
    return true;
}

/* The boot under which a node may be made primary now; 0: it is not there. */
static uint64_t boot_of(const struct state *state, uint32_t number)
{
    const struct state_node *node = state_node(state, number);

    return node != NULL && node->is_up ? node->boot : 0;
}

static int set_replicas(const struct state *state, uint32_t min_insync, struct state_shard *shard,
                        const struct state_command *command, struct error *err)
{
    for (uint32_t i = 0; i < command->set.count; i++) {
        if (state_node(state, command->set.nodes[i]) == NULL) {
            return error_set(err, E_UNAVAILABLE, "node %u is not known", command->set.nodes[i]);
        }
    }
    return replicaset_change(shard, min_insync, command->cfgver, &command->set, err);
}

static int set_primary(const struct state *state, uint32_t min_insync, struct state_shard *shard,
                       const struct state_command *command, struct error *err)
{
    struct replicaset_ask ask = {.node = command->node,
                                 .boot = command->boot,
                                 .epoch = command->epoch,
                                 .cfgver = command->cfgver,
                                 .target = command->target,
                                 .target_boot = boot_of(state, command->target),
                                 .is_forced = command->is_forced};
    bool is_failover = command->kind == STATE_FAILOVER;

    if (ask.target_boot == 0 || (is_failover && ask.target_boot != command->target_boot)) {
        return error_set(err, E_UNAVAILABLE, "node %u is down, or has started again", ask.target);
    }
    return is_failover ? replicaset_failover(shard, min_insync, &ask, err)
                       : replicaset_handover(shard, min_insync, &ask, err);
}

/* Whether one that is to join the isr has started again since its journal was found complete: its
 * disk may be another one. */
static bool is_other_boot(const struct state *state, const struct state_shard *shard,
                          const struct state_command *command)
{
    for (uint32_t i = 0; i < command->set.count; i++) {
        const struct state_node *node = state_node(state, command->set.nodes[i]);
        if (!nodeset_has(&shard->isr, command->set.nodes[i]) &&
            (node == NULL || node->boot != command->boots[i])) {
            return true;
        }
    }
    return false;
}

static void configure_shard(struct state *state, const struct state_command *command,
                            struct state_result *result)
{
    const struct state_graph *graph = state_shard_graph(state, command->shard);
    struct state_shard *shard = state_shard(state, command->shard);
    struct error err;
    int rc;

    if (shard == NULL) {
        refuse(result, E_NOT_FOUND, "no shard %u", command->shard);
        return;
    }
    if (command->kind == STATE_ALTER) {
        struct replicaset_ask ask = {.node = command->node,
                                     .boot = command->boot,
                                     .epoch = command->epoch,
                                     .cfgver = command->cfgver,
                                     .set = command->set,
                                     .is_other_boot = is_other_boot(state, shard, command)};
        rc = replicaset_alter(shard, graph->min_insync, &ask, &err);
    } else if (command->kind == STATE_REPLICAS) {
        rc = set_replicas(state, graph->min_insync, shard, command, &err);
    } else {
        rc = set_primary(state, graph->min_insync, shard, command, &err);
    }
    if (rc != E_OK) {
        refuse(result, rc, "%s", err.text);
        return;
    }
    state->version++;
}

static void graph_set(struct state *state, const struct state_command *command,
                      struct state_result *result)
{
    struct state_graph *graph = state_graph(state, command->name);

    if (graph == NULL) {
        refuse(result, E_NOT_FOUND, "no graph %.*s", (int)command->name.size,
               (const char *)command->name.data);
        return;
    }
    if (!state_configure_are_counts(command, result) ||
        (graph->replica_count == command->replica_count &&
         graph->min_insync == command->min_insync)) {
        return;
    }
    if (graph->min_insync != command->min_insync) {
        graph->min_insync = command->min_insync;
        for (uint32_t i = 0; i < graph->shard_count; i++) {
            replicaset_min_insync(&graph->shards[i], graph->min_insync);
        }
    }
    graph->replica_count = command->replica_count;
    state->version++;
}

void state_configure(struct state *state, const struct state_command *command,
                     struct state_result *result)
{
    assert(state != NULL && command != NULL && result != NULL);
    if (command->kind == STATE_GRAPH_SET) {
        graph_set(state, command, result);
    } else {
        configure_shard(state, command, result);
    }
}
