/*
 * memory_cluster.h -- a coordinator, shard nodes and a router in one process, joined in memory,
 * with files in a temporary folder. Time passes only when nothing else moves.
 *
 * Answers are text (fake_wire.c): "200 [4]", "204 ", "596 ...", frames one after the other.
 */
#ifndef TESTS_LIB_MEMORY_CLUSTER_H
#define TESTS_LIB_MEMORY_CLUSTER_H

#include "common/memory.h"
#include "coordinator/coord.h"
#include "router/router.h"
#include "shardd/shard.h"

enum { MEMORY_CLUSTER_NODES = 2, MEMORY_CLUSTER_TEXT = 1 << 16 };

struct memory_cluster {
    struct memory memory;
    struct outbox out;
    uint64_t now_ms;
    char dir[64];
    struct coord *coord;
    struct node *nodes[MEMORY_CLUSTER_NODES];
    struct router *router;
    size_t coord_end, router_end, tool_end;
    size_t node_ends[MEMORY_CLUSTER_NODES];
    char addresses[MEMORY_CLUSTER_NODES][32];
    char dirs[MEMORY_CLUSTER_NODES + 1][96];
    uint64_t client;
    uint64_t boots; /* Drawn so far. */
    uint8_t next_id;
    char text[MEMORY_CLUSTER_TEXT]; /* Of the latest answer. */
};

/* With a graph "g" of that many shards. */
void memory_cluster_open(struct memory_cluster *cluster, uint32_t shards, const char *partitioner);
void memory_cluster_close(struct memory_cluster *cluster);
/* One round: everybody's messages, everybody's turn. False: nothing moved, and time went on. */
bool memory_cluster_step(struct memory_cluster *cluster);
/* Makes another graph. */
void memory_cluster_graph(struct memory_cluster *cluster, const char *name, uint32_t shards,
                          const char *partitioner);
/* The answer to a text, valid until the next call. */
const char *memory_cluster_query(struct memory_cluster *cluster, const char *text);
const char *memory_cluster_session(struct memory_cluster *cluster, const char *session,
                                   const char *text);
/* Begins it; the answer comes by memory_cluster_wait. Gives the request's number. */
uint8_t memory_cluster_ask(struct memory_cluster *cluster, const char *session, const char *text);
const char *memory_cluster_wait(struct memory_cluster *cluster, uint8_t id);
/* Any request; takes it, gives its number. */
uint8_t memory_cluster_request(struct memory_cluster *cluster, struct request *request);
/* A batch of a bulk load (router/run/bulk.h). */
const char *memory_cluster_load(struct memory_cluster *cluster, struct slice batch);
/* As kill -9 and start. */
void memory_cluster_restart_node(struct memory_cluster *cluster, uint32_t node);

#endif
