/*
 * check_store.h -- the shards' files after healing: each sound, no transaction in doubt, and
 * every out half of an edge with its equal in half.
 *
 * The processes must have ended; files are read with the disks of the cluster.
 */
#ifndef TESTS_SIM_CHECK_STORE_H
#define TESTS_SIM_CHECK_STORE_H

#include "common/bytes.h"
#include "common/shardmap.h"

struct cluster;

struct check_store_half {
    int64_t edge;
    uint64_t hash; /* Of ends, label, properties. */
    int64_t vertex, far;
};

struct check_store_shard {
    uint32_t shard, graph, node;
    struct nodeset isr;
    enum shardmap_partitioner partitioner;
    enum shardmap_ids ids;
    struct bytes lo, hi;
};

struct check_store {
    struct check_store_shard *shards;
    uint32_t shard_count;
    struct check_store_half *out, *in; /* By edge, after check_store_edges. */
    uint32_t out_count, out_room, in_count, in_room;
};

/* Copies what it needs of the map. */
void check_store_init(struct check_store *check, const struct shardmap *map);
void check_store_close(struct check_store *check);
void check_store_add(struct check_store *check, bool is_out, const struct check_store_half *half);
/* Reads the files: verifies each, gathers the halves; replicas in sync must hold the same. */
bool check_store_files(struct check_store *check, const struct cluster *cluster, struct bytes *why);
/* Compares the halves. */
bool check_store_edges(struct check_store *check, struct bytes *why);
bool check_store_has(const struct check_store *check, int64_t edge);

#endif
