/*
 * shardmap.h -- all graphs and shards with their ranges, primaries and epochs; how an id finds its
 * shard.
 *
 * key of a vertex = HASH: 8 bytes big endian of hash_bytes(vid_key(id)); RANGE: vid_key(id) itself.
 * A graph's shards cover the key space without gap or overlap: [lo, hi), an empty hi is the end.
 *
 *   version 7
 *   graph 1 "g" hash   shard 1 ["", 4000..) epoch 3 on node 11
 *                      shard 2 [4000.., 8000..) epoch 2 on node 12 ...
 *
 * Pure. The map owns all it holds (one arena); a new version is a new struct.
 * Limits: SHARDMAP_GRAPHS_MAX graphs, SHARDMAP_SHARDS_MAX shards in all.
 */
#ifndef COMMON_SHARDMAP_H
#define COMMON_SHARDMAP_H

#include "common/arena.h"
#include "common/reader.h"
#include "common/vid.h"

enum {
    SHARDMAP_GRAPHS_MAX = 1024,
    SHARDMAP_SHARDS_MAX = 65536,
    SHARDMAP_REPLICAS_MAX = 7,
    SHARDMAP_NODES_MAX = 1024,
    SHARDMAP_INDEXES_MAX = 256 /* A graph. */
};

enum shardmap_partitioner { PARTITION_HASH = 1, PARTITION_RANGE = 2 };

/* How ids are given back to clients; a numeric id is always matched by value. */
enum shardmap_ids {
    IDS_LONG = 1, /* Numbers as LONG; strings stay strings. */
    IDS_INT =
        2, /* As TinkerGraph's INTEGER id manager: numeric strings become numbers, given as INT. */
};

struct shardmap_index {
    struct slice name;
    struct slice label; /* Empty: any label. */
    struct slice key;   /* A property key of vertices. */
};

struct shardmap_node {
    uint32_t node;
    uint64_t boot;
    struct slice address; /* Where it can be called, "tcp://127.0.0.1:7201". */
    bool is_up;
};

struct shardmap_shard {
    uint32_t shard; /* Unique in the cluster, never reused, from 1. */
    uint32_t graph;
    uint64_t epoch;
    uint64_t cfgver;
    uint32_t primary;      /* Node. */
    uint64_t primary_boot; /* 0: not running now. */
    struct slice lo;
    struct slice hi; /* Empty: to the end. */
};

struct shardmap_graph {
    uint32_t graph; /* Never reused, from 1. */
    struct slice name;
    enum shardmap_partitioner partitioner;
    enum shardmap_ids ids;
    bool is_ready; /* All its shards have confirmed their config. */
    uint64_t schema_version;
    uint32_t index_count;
    const struct shardmap_index *indexes;
    uint32_t shard_first; /* In map.shards, ordered by lo. */
    uint32_t shard_count;
};

struct shardmap {
    uint64_t version;
    uint64_t cluster_id;
    uint32_t graph_count;
    uint32_t shard_count;
    uint32_t node_count;
    struct shardmap_graph *graphs;
    struct shardmap_shard *shards;
    struct shardmap_node *nodes;
    struct arena arena;
};

void shardmap_close(struct shardmap *map);
void shardmap_encode(struct bytes *out, const struct shardmap *map);
/* Returns E_OK, E_MALFORMED (also for ranges with gaps). */
int shardmap_decode(struct slice input, struct shardmap *map, struct error *err);
const struct shardmap_graph *shardmap_graph(const struct shardmap *map, struct slice name);
const struct shardmap_graph *shardmap_graph_by_id(const struct shardmap *map, uint32_t graph);
const struct shardmap_shard *shardmap_shard(const struct shardmap *map, uint32_t shard);
/* The placement key of an id. */
void shardmap_key(enum shardmap_partitioner partitioner, const struct vid *id, struct bytes *out);
/* Index into map.shards of the owner of an id: binary search. */
uint32_t shardmap_lookup(const struct shardmap *map, const struct shardmap_graph *graph,
                         const struct vid *id);
bool shardmap_owns(const struct shardmap_shard *shard, struct slice key);
void shardmap_dump(struct bytes *out, const struct shardmap *map);

#endif
