/*
 * coordadmin.h -- ADMIN at the coordinator: clusters, graphs and indexes for the operator's tool.
 *
 * request: a MAP (common/codec.h); reply: ADMIN_REPLY with a MAP, or REFUSED.
 *   {verb: "status"}
 *       {health: "ok", or problems: [{problem}], coordinator, leader, term, map, nodes: [...],
 *        graphs: [...], decisions}
 *   {verb: "graph.create", name, shards, partitioner: "hash"|"range", ids: "long"|"int",
 *    split: [id ...], replicas, min_insync}
 *       {graph, name, shards, replicas, min_insync, ready}; waits until the graph is ready
 *   {verb: "graph.list"}
 *       {graphs: [{graph, name, partitioner, ids, ready, replicas, min_insync, shards: [...]}]}
 *   {verb: "graph.drop", name}         {name}
 *   {verb: "graph.set", name, replicas, min_insync}
 *       as graph.create; at once: replicas come and go afterwards
 *   {verb: "shard.failover", graph, graph_shard, to}
 *       {shard, node, epoch, insync}; waits until another replica leads; to: any in sync
 *   {verb: "shard.force-primary", graph, graph_shard, to, accept_data_loss: true}
 *       the same; without accept_data_loss it is refused with what may be lost
 *   {verb: "index.create", graph, name, label, key}   {graph, name}
 *   {verb: "index.list", graph}        {indexes: [{graph, name, label, key}]}
 *   {verb: "index.drop", graph, name}  {graph, name}
 * Defaults: shards 4, hash, long, label empty (any), 2 replicas where two nodes are up (and may be,
 * coord_options.replicas_max), else 1; min_insync 2 of 3 or more replicas, else 1. `split` are the
 * ids at which the second and further shards of a range graph begin; without it the integers from 0
 * to 2^53 are divided evenly.
 */
#ifndef COORDINATOR_COORDADMIN_H
#define COORDINATOR_COORDADMIN_H

#include "common/message.h"
#include "coordinator/state.h"

struct coord;

void coordadmin_request(struct coord *coord, const struct message *message);
/* The command of a request was applied. */
void coordadmin_applied(struct coord *coord, uint64_t token, const struct state_command *command,
                        const struct state_result *result);
/* A shard has another configuration, or (failure) a hand-over came to nothing: who waits for it is
 * answered. */
void coordadmin_shard(struct coord *coord, uint32_t shard, const struct error *failure);
/* A graph has become ready, or is gone: those who wait for it are answered. */
void coordadmin_graph(struct coord *coord, uint32_t graph);

#endif
