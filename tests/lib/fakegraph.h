/*
 * fakegraph.h -- a graph in memory under the operators: fetch.h and the operators' half of
 * transaction.h without shards, so that operators and plans are tested alone.
 *
 * Linked before the router's library: its fetch_* and transaction_* are used instead of the real
 * ones. Changes take effect at once (as the real reads carry what is staged); there is no commit.
 * A fetch gives WAIT `waits` times before its rows; fetches are counted.
 */
#ifndef TESTS_LIB_FAKEGRAPH_H
#define TESTS_LIB_FAKEGRAPH_H

#include "common/arena.h"
#include "common/shardmap.h"
#include "router/op/exec.h"
#include "router/remote/transaction.h"

struct fake_vertex {
    struct vid id;
    struct slice label;
    struct vproperty *props;
    uint32_t prop_count;
    bool is_gone;
};

struct fake_edge {
    struct vid id, out, in;
    struct slice label;
    struct property *props;
    uint32_t prop_count;
    bool is_gone;
};

struct fakegraph {
    struct transaction txn; /* First: exec->txn points here. */
    struct shardmap_graph graph;
    struct arena arena;
    struct fake_vertex *vertices;
    struct fake_edge *edges;
    uint32_t vertex_count, edge_count;
    int64_t next_id;
    uint32_t waits;   /* WAITs of each fetch and each new id. */
    uint32_t fetches; /* Begun so far. */
    uint32_t inputs;  /* Of all fetches so far. */
    uint32_t id_waits;
};

void fakegraph_init(struct fakegraph *graph);
/* TinkerPop's "modern": 6 vertices, 6 edges. */
void fakegraph_modern(struct fakegraph *graph);
void fakegraph_close(struct fakegraph *graph);
uint32_t fakegraph_live_vertices(const struct fakegraph *graph);
uint32_t fakegraph_live_edges(const struct fakegraph *graph);

/* Runs a plan. Appends each result as a line of text, "3 x v[1]" if its bulk is 3; or "error:
 * ...". */
void fakegraph_run(struct fakegraph *graph, const struct plan *plan, struct bytes *out);
/* Parses, plans and runs Gremlin text: fakegraph_run, or "error: ..." of the parser or the
 * planner. Lines are sorted unless keep_order. Static memory, valid until the next call. */
const char *fakegraph_query(struct fakegraph *graph, const char *text, bool keep_order);

/* The plan of a text: plan_free it. Null with the reason in err. */
struct plan *fakegraph_plan(const char *text, struct error *err);

#endif
