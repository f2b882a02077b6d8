/*
 * shardmap.h -- all graphs and shards with their ranges, replicas and epochs; how an id finds its
 * shard.
 *
 * key of a vertex = HASH: 8 bytes big endian of hash_bytes(vid_key(id)); RANGE: vid_key(id) itself.
 * A graph's shards cover the key space without gap or overlap: [lo, hi), an empty hi is the end.
 *
 *   version 7
 *   graph 1 "g" hash   shard 1 ["", 4000..) epoch 3 on node 11, replicas 11 12, in sync 11 12
 *                      shard 2 [4000.., 8000..) epoch 2 on node 12, replicas 11 12, in sync 12 ...
 *
 * A shard's configuration is what the coordinators decided about its replicas:
 *   primary   the node and the boot of the one process that may serve under this epoch
 *   replicas  the nodes that are to hold it
 *   isr       those in sync: each holds every committed entry; the primary is one of them
 *   elr       those out of sync that still hold every committed entry: when the isr falls below
 *             min_insync nothing is committed, so who leaves it then has missed nothing
 *   learners  the replicas that are not in sync (shardmap_learners)
 * The epoch grows with each change of the primary or of its boot, cfgver with each change of
 * anything.
 *
 * Pure. The map owns all it holds (one arena); a new version is a new struct.
 * Limits: SHARDMAP_GRAPHS_MAX graphs, SHARDMAP_SHARDS_MAX shards in all.
 * After: reference/replication.md 2.2, 2.4.
 */
#ifndef COMMON_SHARDMAP_H
#define COMMON_SHARDMAP_H

#include "common/arena.h"
#include "common/nodeset.h"
#include "common/reader.h"
#include "common/vid.h"

enum {
    SHARDMAP_GRAPHS_MAX = 1024,
    SHARDMAP_SHARDS_MAX = 65536,
    SHARDMAP_REPLICAS_MAX = NODESET_MAX, /* Of a shard. */
    SHARDMAP_NODES_MAX = 1024,
    SHARDMAP_INDEXES_MAX = 256,  /* A graph. */
    SHARDMAP_ZONE_MAX = 64,      /* Bytes of a zone's name. */
    SHARDMAP_MADE_FROM = 1 << 30 /* Ids made by coordinators: users' own are mostly smaller. */
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
    struct slice zone;    /* What fails together, "rack-1"; empty: a zone of its own. */
    bool is_up;
};

struct shardmap_shard {
    uint32_t shard; /* Unique in the cluster, never reused, from 1. */
    uint32_t graph;
    uint64_t epoch;
    uint64_t cfgver;
    uint32_t primary;      /* Node. */
    uint64_t primary_boot; /* 0: its process has ended, and another primary is not chosen yet. */
    struct nodeset replicas;
    struct nodeset isr;
    struct nodeset elr;
    uint32_t min_insync; /* Of its graph; filled by shardmap_decode. */
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
    uint32_t replica_count; /* Wanted of each shard. */
    uint32_t min_insync;    /* Fewer in sync than this: nothing is committed or served. */
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

/* What a process is to a shard. */
enum shardmap_role {
    SHARDMAP_STRANGER, /* It holds no replica, or should not. */
    SHARDMAP_PRIMARY,
    SHARDMAP_BACKUP, /* In sync. Also the primary's node under another boot: it does not lead. */
    SHARDMAP_LEARNER /* A replica that is not in sync. */
};

void shardmap_close(struct shardmap *map);
void shardmap_encode(struct bytes *out, const struct shardmap *map);
/* Returns E_OK, E_MALFORMED (also for another format, ranges with gaps, sets that do not fit). */
int shardmap_decode(struct slice input, struct shardmap *map, struct error *err);
const struct shardmap_graph *shardmap_graph(const struct shardmap *map, struct slice name);
const struct shardmap_graph *shardmap_graph_by_id(const struct shardmap *map, uint32_t graph);
const struct shardmap_shard *shardmap_shard(const struct shardmap *map, uint32_t shard);
/* The node's address and so on; null: not known. */
const struct shardmap_node *shardmap_node(const struct shardmap *map, uint32_t node);
enum shardmap_role shardmap_role(const struct shardmap_shard *shard, uint32_t node, uint64_t boot);
struct nodeset shardmap_learners(const struct shardmap_shard *shard);
/* The sets of a configuration fit each other: primary in isr, isr and elr in replicas, no node in
 * both of them. */
bool shardmap_is_fit(uint32_t primary, const struct nodeset *replicas, const struct nodeset *isr,
                     const struct nodeset *elr);
/* The placement key of an id. */
void shardmap_key(enum shardmap_partitioner partitioner, const struct vid *id, struct bytes *out);
/* Whether an edge's id is claimed at the shard that shardmap_lookup gives for it, if that is not
 * the shard of its out half (change.h). All are, but for ids as coordinators make them in a graph
 * of ranges: those fall anywhere, and are not given twice. */
bool shardmap_is_claimed(enum shardmap_partitioner partitioner, const struct vid *edge);
/* Index into map.shards of the owner of an id: binary search. */
uint32_t shardmap_lookup(const struct shardmap *map, const struct shardmap_graph *graph,
                         const struct vid *id);
bool shardmap_owns(const struct shardmap_shard *shard, struct slice key);
void shardmap_dump(struct bytes *out, const struct shardmap *map);

#endif
