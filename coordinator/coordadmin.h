/*
 * coordadmin.h -- ADMIN at the coordinator: clusters, graphs and indexes for the operator's tool.
 *
 * request: a MAP (common/codec.h); reply: ADMIN_REPLY with a MAP, or REFUSED.
 *   {verb: "status"}                   {coordinator, leader, term, map, nodes: [...], graphs:
 *   [...], decisions} {verb: "graph.create", name, shards, partitioner: "hash"|"range", ids:
 *   "long"|"int",
 *      split: [id ...]}                {graph, name, shards, ready}; waits until the graph is ready
 *   {verb: "graph.list"}               {graphs: [{graph, name, partitioner, ids, ready, shards:
 *   [...]}]}
 *   {verb: "graph.drop", name}         {name}
 *   {verb: "index.create", graph, name, label, key}   {graph, name}
 *   {verb: "index.list", graph}        {indexes: [{graph, name, label, key}]}
 *   {verb: "index.drop", graph, name}  {graph, name}
 * Defaults: shards 4, hash, long, label empty (any). `split` are the ids at which the second and
 * further shards of a range graph begin; without it the integers from 0 to 2^53 are divided evenly.
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
/* A graph has become ready, or is gone: those who wait for it are answered. */
void coordadmin_graph(struct coord *coord, uint32_t graph);

#endif
