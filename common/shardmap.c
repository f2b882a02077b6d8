#include "common/shardmap.h"

#include "common/hash.h"

#include <assert.h>

enum {
    FORMAT = 2, /* 1: one replica of each shard. */
    GRAPH_BYTES_MIN = 10,
    INDEX_BYTES_MIN = 3,
    SHARD_BYTES_MIN = 19,
    NODE_BYTES_MIN = 12
};

void shardmap_close(struct shardmap *map)
{
    assert(map != NULL);
    arena_close(&map->arena);
    *map = (struct shardmap){0};
}

/* ---- encode ---- */

static void encode_shard(struct bytes *out, const struct shardmap_shard *shard)
{
    bytes_varint(out, shard->shard);
    bytes_varint(out, shard->epoch);
    bytes_varint(out, shard->cfgver);
    bytes_varint(out, shard->primary);
    bytes_u64(out, shard->primary_boot);
    nodeset_encode(out, &shard->replicas);
    nodeset_encode(out, &shard->isr);
    nodeset_encode(out, &shard->elr);
    bytes_blob(out, shard->lo);
    bytes_blob(out, shard->hi);
}

static void encode_graph(struct bytes *out, const struct shardmap *map,
                         const struct shardmap_graph *graph)
{
    bytes_varint(out, graph->graph);
    bytes_blob(out, graph->name);
    bytes_u8(out, (uint8_t)graph->partitioner);
    bytes_u8(out, (uint8_t)graph->ids);
    bytes_u8(out, graph->is_ready);
    bytes_varint(out, graph->schema_version);
    bytes_varint(out, graph->replica_count);
    bytes_varint(out, graph->min_insync);
    bytes_varint(out, graph->index_count);
    for (uint32_t i = 0; i < graph->index_count; i++) {
        bytes_blob(out, graph->indexes[i].name);
        bytes_blob(out, graph->indexes[i].label);
        bytes_blob(out, graph->indexes[i].key);
    }
    bytes_varint(out, graph->shard_count);
    for (uint32_t i = 0; i < graph->shard_count; i++) {
        encode_shard(out, &map->shards[graph->shard_first + i]);
    }
}

void shardmap_encode(struct bytes *out, const struct shardmap *map)
{
    assert(out != NULL && map != NULL);
    bytes_u8(out, FORMAT);
    bytes_varint(out, map->version);
    bytes_u64(out, map->cluster_id);
    bytes_varint(out, map->shard_count);
    bytes_varint(out, map->graph_count);
    for (uint32_t i = 0; i < map->graph_count; i++) {
        encode_graph(out, map, &map->graphs[i]);
    }
    bytes_varint(out, map->node_count);
    for (uint32_t i = 0; i < map->node_count; i++) {
        bytes_varint(out, map->nodes[i].node);
        bytes_u64(out, map->nodes[i].boot);
        bytes_blob(out, map->nodes[i].address);
        bytes_blob(out, map->nodes[i].zone);
        bytes_u8(out, map->nodes[i].is_up);
    }
}

/* ---- decode ---- */

static uint32_t decode_u32(struct reader *reader)
{
    uint64_t v = reader_varint(reader);

    if (v > UINT32_MAX) {
        reader_spoil(reader);
        return 0;
    }
    return (uint32_t)v;
}

static size_t decode_count(struct reader *reader, size_t item_bytes, size_t max)
{
    size_t count = reader_count(reader, item_bytes);

    if (count > max) {
        reader_spoil(reader);
        return 0;
    }
    return count;
}

/* Texts are copied: the map outlives the message. */
static struct slice decode_blob(struct reader *reader, struct arena *arena)
{
    struct slice blob = reader_blob(reader);

    return blob.size == 0 ? (struct slice){0}
                          : slice_of(arena_copy(arena, blob.data, blob.size), blob.size);
}

bool shardmap_is_fit(uint32_t primary, const struct nodeset *replicas, const struct nodeset *isr,
                     const struct nodeset *elr)
{
    assert(replicas != NULL && isr != NULL && elr != NULL);
    struct nodeset only = nodeset_minus(isr, elr);
    return nodeset_has(isr, primary) && nodeset_holds(replicas, isr) &&
           nodeset_holds(replicas, elr) && only.count == isr->count;
}

static void decode_shard(struct reader *reader, struct arena *arena, struct shardmap_shard *shard)
{
    shard->shard = decode_u32(reader);
    shard->epoch = reader_varint(reader);
    shard->cfgver = reader_varint(reader);
    shard->primary = decode_u32(reader);
    shard->primary_boot = reader_u64(reader);
    nodeset_decode(reader, &shard->replicas);
    nodeset_decode(reader, &shard->isr);
    nodeset_decode(reader, &shard->elr);
    shard->lo = decode_blob(reader, arena);
    shard->hi = decode_blob(reader, arena);
    if (!reader->is_bad &&
        !shardmap_is_fit(shard->primary, &shard->replicas, &shard->isr, &shard->elr)) {
        reader_spoil(reader);
    }
}

/* The shards of a graph cover the key space without gap or overlap. */
static bool is_cover(const struct shardmap_shard *shards, uint32_t count)
{
    if (count == 0 || shards[0].lo.size != 0 || shards[count - 1].hi.size != 0) {
        return false;
    }
    for (uint32_t i = 0; i + 1 < count; i++) {
        if (slice_compare(shards[i].lo, shards[i].hi) >= 0 ||
            !slice_equal(shards[i].hi, shards[i + 1].lo)) {
            return false;
        }
    }
    return true;
}

static void decode_indexes(struct reader *reader, struct arena *arena, struct shardmap_graph *graph)
{
    size_t count = decode_count(reader, INDEX_BYTES_MIN, SHARDMAP_INDEXES_MAX);
    struct shardmap_index *indexes = arena_array(arena, count, sizeof *indexes);

    for (size_t i = 0; i < count; i++) {
        indexes[i].name = decode_blob(reader, arena);
        indexes[i].label = decode_blob(reader, arena);
        indexes[i].key = decode_blob(reader, arena);
    }
    graph->indexes = indexes;
    graph->index_count = (uint32_t)count;
}

static void decode_graph(struct reader *reader, struct shardmap *map, struct shardmap_graph *graph,
                         uint32_t *shard_next)
{
    graph->graph = decode_u32(reader);
    graph->name = decode_blob(reader, &map->arena);
    uint8_t partitioner = reader_u8(reader);
    uint8_t ids = reader_u8(reader);
    uint8_t ready = reader_u8(reader);
    if (partitioner < PARTITION_HASH || partitioner > PARTITION_RANGE || ids < IDS_LONG ||
        ids > IDS_INT || ready > 1) {
        reader_spoil(reader);
        return;
    }
    graph->partitioner = (enum shardmap_partitioner)partitioner;
    graph->ids = (enum shardmap_ids)ids;
    graph->is_ready = ready == 1;
    graph->schema_version = reader_varint(reader);
    graph->replica_count = decode_u32(reader);
    graph->min_insync = decode_u32(reader);
    if (graph->min_insync < 1 || graph->min_insync > graph->replica_count ||
        graph->replica_count > SHARDMAP_REPLICAS_MAX) {
        reader_spoil(reader);
    }
    decode_indexes(reader, &map->arena, graph);
    size_t count = decode_count(reader, SHARD_BYTES_MIN, map->shard_count - *shard_next);
    graph->shard_first = *shard_next;
    for (size_t i = 0; i < count; i++) {
        struct shardmap_shard *shard = &map->shards[*shard_next];
        decode_shard(reader, &map->arena, shard);
        shard->graph = graph->graph;
        shard->min_insync = graph->min_insync;
        ++*shard_next;
    }
    graph->shard_count = (uint32_t)count;
    if (!reader->is_bad && !is_cover(map->shards + graph->shard_first, graph->shard_count)) {
        reader_spoil(reader);
    }
}

static void decode_nodes(struct reader *reader, struct shardmap *map)
{
    size_t count = decode_count(reader, NODE_BYTES_MIN, SHARDMAP_NODES_MAX);

    map->nodes = arena_array(&map->arena, count, sizeof *map->nodes);
    map->node_count = (uint32_t)count;
    for (size_t i = 0; i < count; i++) {
        map->nodes[i].node = decode_u32(reader);
        map->nodes[i].boot = reader_u64(reader);
        map->nodes[i].address = decode_blob(reader, &map->arena);
        map->nodes[i].zone = decode_blob(reader, &map->arena);
        map->nodes[i].is_up = reader_u8(reader) != 0;
    }
}

int shardmap_decode(struct slice input, struct shardmap *map, struct error *err)
{
    struct reader reader;
    uint32_t shard_next = 0;
    int rc;

    assert(map != NULL);
    *map = (struct shardmap){0};
    arena_init(&map->arena, 0);
    reader_init(&reader, input);
    uint8_t format = reader_u8(&reader);
    if (input.size > 0 && format != FORMAT) {
        return error_set(err, E_MALFORMED,
                         "shard map of format %u, this process reads %u: all processes of a "
                         "cluster must be of one version",
                         format, FORMAT);
    }
    map->version = reader_varint(&reader);
    map->cluster_id = reader_u64(&reader);
    map->shard_count = (uint32_t)decode_count(&reader, SHARD_BYTES_MIN, SHARDMAP_SHARDS_MAX);
    map->shards = arena_array(&map->arena, map->shard_count, sizeof *map->shards);
    map->graph_count = (uint32_t)decode_count(&reader, GRAPH_BYTES_MIN, SHARDMAP_GRAPHS_MAX);
    map->graphs = arena_array(&map->arena, map->graph_count, sizeof *map->graphs);
    for (uint32_t i = 0; i < map->graph_count && !reader.is_bad; i++) {
        decode_graph(&reader, map, &map->graphs[i], &shard_next);
    }
    if (shard_next != map->shard_count) {
        reader_spoil(&reader);
    }
    decode_nodes(&reader, map);
    rc = reader_finish(&reader, "shard map", err);
    if (rc != E_OK) {
        shardmap_close(map);
    }
    return rc;
}

/* ---- look-ups ---- */

const struct shardmap_graph *shardmap_graph(const struct shardmap *map, struct slice name)
{
    assert(map != NULL);
    for (uint32_t i = 0; i < map->graph_count; i++) {
        if (slice_equal(map->graphs[i].name, name)) {
            return &map->graphs[i];
        }
    }
    return NULL;
}

const struct shardmap_graph *shardmap_graph_by_id(const struct shardmap *map, uint32_t graph)
{
    assert(map != NULL);
    for (uint32_t i = 0; i < map->graph_count; i++) {
        if (map->graphs[i].graph == graph) {
            return &map->graphs[i];
        }
    }
    return NULL;
}

const struct shardmap_shard *shardmap_shard(const struct shardmap *map, uint32_t shard)
{
    assert(map != NULL);
    for (uint32_t i = 0; i < map->shard_count; i++) {
        if (map->shards[i].shard == shard) {
            return &map->shards[i];
        }
    }
    return NULL;
}

const struct shardmap_node *shardmap_node(const struct shardmap *map, uint32_t node)
{
    assert(map != NULL);
    for (uint32_t i = 0; i < map->node_count; i++) {
        if (map->nodes[i].node == node) {
            return &map->nodes[i];
        }
    }
    return NULL;
}

enum shardmap_role shardmap_role(const struct shardmap_shard *shard, uint32_t node, uint64_t boot)
{
    assert(shard != NULL && boot != 0);
    if (shard->primary == node && shard->primary_boot == boot) {
        return SHARDMAP_PRIMARY;
    }
    if (nodeset_has(&shard->isr, node)) {
        return SHARDMAP_BACKUP;
    }
    return nodeset_has(&shard->replicas, node) ? SHARDMAP_LEARNER : SHARDMAP_STRANGER;
}

struct nodeset shardmap_learners(const struct shardmap_shard *shard)
{
    assert(shard != NULL);
    return nodeset_minus(&shard->replicas, &shard->isr);
}

bool shardmap_is_claimed(enum shardmap_partitioner partitioner, const struct vid *edge)
{
    assert(edge != NULL);
    return partitioner == PARTITION_HASH || edge->text.data != NULL ||
           edge->num < SHARDMAP_MADE_FROM;
}

void shardmap_key(enum shardmap_partitioner partitioner, const struct vid *id, struct bytes *out)
{
    assert(id != NULL && out != NULL);
    if (partitioner == PARTITION_RANGE) {
        vid_key(out, id);
        return;
    }
    struct bytes key;
    bytes_init(&key, 0);
    vid_key(&key, id);
    bytes_u64(out, hash_bytes(key.data, key.size));
    bytes_close(&key);
}

bool shardmap_owns(const struct shardmap_shard *shard, struct slice key)
{
    assert(shard != NULL);
    return slice_compare(shard->lo, key) <= 0 &&
           (shard->hi.size == 0 || slice_compare(key, shard->hi) < 0);
}

uint32_t shardmap_lookup(const struct shardmap *map, const struct shardmap_graph *graph,
                         const struct vid *id)
{
    assert(map != NULL && graph != NULL && graph->shard_count > 0);
    struct bytes key;
    bytes_init(&key, 0);
    shardmap_key(graph->partitioner, id, &key);
    /* The last shard whose lo is not above the key. */
    uint32_t low = graph->shard_first;
    uint32_t high = graph->shard_first + graph->shard_count;
    while (high - low > 1) {
        uint32_t middle = low + (high - low) / 2;
        if (slice_compare(map->shards[middle].lo, bytes_slice(&key)) <= 0) {
            low = middle;
        } else {
            high = middle;
        }
    }
    assert(shardmap_owns(&map->shards[low], bytes_slice(&key)));
    bytes_close(&key);
    return low;
}

/* ---- for people ---- */

static void dump_hex(struct bytes *out, struct slice key)
{
    for (size_t i = 0; i < key.size; i++) {
        bytes_format(out, "%02x", key.data[i]);
    }
}

static void dump_shard(struct bytes *out, const struct shardmap_shard *shard)
{
    bytes_format(out, "  shard %u [", shard->shard);
    dump_hex(out, shard->lo);
    bytes_format(out, "..");
    dump_hex(out, shard->hi);
    bytes_format(out, ") epoch %llu config %llu on node %u%s", (unsigned long long)shard->epoch,
                 (unsigned long long)shard->cfgver, shard->primary,
                 shard->primary_boot == 0 ? ", not running" : "");
    if (shard->replicas.count > 1) {
        bytes_format(out, ", replicas ");
        nodeset_dump(out, &shard->replicas);
        bytes_format(out, ", in sync ");
        nodeset_dump(out, &shard->isr);
        bytes_format(out, ", eligible ");
        nodeset_dump(out, &shard->elr);
    }
    bytes_format(out, "\n");
}

static void dump_graph(struct bytes *out, const struct shardmap *map,
                       const struct shardmap_graph *graph)
{
    bytes_format(out, "graph %u \"", graph->graph);
    bytes_append(out, graph->name.data, graph->name.size);
    bytes_format(out, "\" %s ids %s schema %llu%s\n",
                 graph->partitioner == PARTITION_HASH ? "hash" : "range",
                 graph->ids == IDS_LONG ? "long" : "int", (unsigned long long)graph->schema_version,
                 graph->is_ready ? "" : " not ready");
    for (uint32_t i = 0; i < graph->index_count; i++) {
        bytes_format(out, "  index ");
        bytes_append(out, graph->indexes[i].name.data, graph->indexes[i].name.size);
        bytes_format(out, " on '");
        bytes_append(out, graph->indexes[i].label.data, graph->indexes[i].label.size);
        bytes_format(out, "' ");
        bytes_append(out, graph->indexes[i].key.data, graph->indexes[i].key.size);
        bytes_format(out, "\n");
    }
    for (uint32_t i = 0; i < graph->shard_count; i++) {
        dump_shard(out, &map->shards[graph->shard_first + i]);
    }
}

void shardmap_dump(struct bytes *out, const struct shardmap *map)
{
    assert(out != NULL && map != NULL);
    bytes_format(out, "version %llu cluster %016llx\n", (unsigned long long)map->version,
                 (unsigned long long)map->cluster_id);
    for (uint32_t i = 0; i < map->graph_count; i++) {
        dump_graph(out, map, &map->graphs[i]);
    }
    for (uint32_t i = 0; i < map->node_count; i++) {
        bytes_format(out, "node %u %s at ", map->nodes[i].node,
                     map->nodes[i].is_up ? "up" : "down");
        bytes_append(out, map->nodes[i].address.data, map->nodes[i].address.size);
        bytes_format(out, "\n");
    }
}
