#include "tests/sim/check_store.h"

#include "common/hash.h"
#include "common/mem.h"
#include "common/value.h"
#include "shardd/store/store_inner.h"
#include "tests/sim/cluster.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FAULTS_TOLD = 5 };

struct reading {
    struct check_store *check;
    struct bytes *why;
    uint32_t shard;
    uint32_t faults;
    bool is_out, is_backup;
    uint64_t sum; /* Of the contents. */
};

void check_store_init(struct check_store *check, const struct shardmap *map)
{
    *check = (struct check_store){.shards = mem_array(map->shard_count, sizeof *check->shards),
                                  .shard_count = map->shard_count};
    for (uint32_t i = 0; i < map->shard_count; i++) {
        const struct shardmap_shard *from = &map->shards[i];
        const struct shardmap_graph *graph = shardmap_graph_by_id(map, from->graph);
        struct check_store_shard *to = &check->shards[i];
        *to = (struct check_store_shard){.shard = from->shard,
                                         .graph = from->graph,
                                         .node = from->primary,
                                         .isr = from->isr,
                                         .partitioner = graph->partitioner,
                                         .ids = graph->ids};
        bytes_init(&to->lo, 0);
        bytes_init(&to->hi, 0);
        bytes_append(&to->lo, from->lo.data, from->lo.size);
        bytes_append(&to->hi, from->hi.data, from->hi.size);
    }
}

void check_store_close(struct check_store *check)
{
    for (uint32_t i = 0; i < check->shard_count; i++) {
        bytes_close(&check->shards[i].lo);
        bytes_close(&check->shards[i].hi);
    }
    mem_free(check->shards);
    mem_free(check->out);
    mem_free(check->in);
    *check = (struct check_store){0};
}

void check_store_add(struct check_store *check, bool is_out, const struct check_store_half *half)
{
    struct check_store_half **list = is_out ? &check->out : &check->in;
    uint32_t *count = is_out ? &check->out_count : &check->in_count;
    uint32_t *room = is_out ? &check->out_room : &check->in_room;

    if (*count == *room) {
        *room = *room == 0 ? 256 : *room * 2;
        *list = mem_resize(*list, *room * sizeof **list);
    }
    (*list)[(*count)++] = *half;
}

/* ---- files ---- */

static void on_fault(void *ctx, const char *what)
{
    struct reading *reading = ctx;

    if (reading->faults++ < FAULTS_TOLD) {
        bytes_format(reading->why, "shard %" PRIu32 ": %s\n", reading->shard, what);
    }
}

static void on_prepared(void *ctx, uint64_t index, const struct txn_prepare *prepare)
{
    struct reading *reading = ctx;

    reading->faults++;
    bytes_format(reading->why,
                 "in doubt after healing: shard %" PRIu32 ", entry %" PRIu64 ", gtid %" PRIu64
                 ".%" PRIu64 "\n",
                 reading->shard, index, prepare->gtid.term, prepare->gtid.counter);
}

static void on_half(void *ctx, const struct vid *edge, uint64_t hash, const struct vid *vertex,
                    const struct vid *far)
{
    struct reading *reading = ctx;
    struct check_store_half half = {
        .edge = edge->num, .hash = hash, .vertex = vertex->num, .far = far->num};

    reading->sum += hash_join(hash, reading->is_out);
    if (!reading->is_backup) {
        check_store_add(reading->check, reading->is_out, &half);
    }
}

/* Adds up what is alike in all replicas; runs of edges may be cut elsewhere. */
static int sum_row(void *ctx, int count, char **values, char **names)
{
    struct reading *reading = ctx;

    (void)names;
    for (int i = 0; i < count; i++) {
        const char *text = values[i] == NULL ? "" : values[i];
        reading->sum = hash_join(reading->sum, hash_bytes(text, strlen(text)));
    }
    return 0;
}

static int sum_tables(struct store *store, struct reading *reading, struct error *err)
{
    static const char sql[] =
        "SELECT id, label, hex(degrees), hex(props) FROM vertex ORDER BY id;"
        "SELECT label, id FROM vertex_label ORDER BY label, id;"
        "SELECT is_edge, label, n FROM counter WHERE n <> 0 ORDER BY is_edge, label;"
        "SELECT n, hex(k), id FROM idx_value ORDER BY n, k, id;"
        "SELECT n, hex(name) FROM symbol ORDER BY n;"
        "SELECT sid, seq, idx FROM session ORDER BY sid, seq;";

    return sqlite3_exec(store->tables.stmt.db, sql, sum_row, reading, NULL) == SQLITE_OK
               ? E_OK
               : error_set(err, E_CORRUPT, "%s", sqlite3_errmsg(store->tables.stmt.db));
}

static int read_store(struct store *store, struct reading *reading, struct error *err)
{
    int rc = store_verify(store, on_fault, reading, err);

    rc = rc != E_OK ? rc : store_each_prepared(store, on_prepared, reading, err);
    rc = rc != E_OK ? rc : sum_tables(store, reading, err);
    reading->is_out = true;
    rc = rc != E_OK ? rc : store_each_half(store, DIRECTION_OUT, on_half, reading, err);
    reading->is_out = false;
    return rc != E_OK ? rc : store_each_half(store, DIRECTION_IN, on_half, reading, err);
}

static bool read_file(struct check_store *check, const struct cluster *cluster,
                      const struct check_store_shard *shard, uint32_t node, uint64_t *sum,
                      struct bytes *why)
{
    char path[64];
    struct reading reading = {
        .check = check, .why = why, .shard = shard->shard, .is_backup = node != shard->node};
    struct store_options options = {.path = path,
                                    .vfs = cluster->procs[CLUSTER_NODE + node - 1].vfs_name,
                                    .cluster_id = CLUSTER_ID,
                                    .shard = shard->shard,
                                    .graph = shard->graph,
                                    .partitioner = shard->partitioner,
                                    .ids = shard->ids,
                                    .lo = bytes_slice(&shard->lo),
                                    .hi = bytes_slice(&shard->hi),
                                    .cache_bytes = 1 << 20,
                                    .adjacency_cache_bytes = 1 << 20,
                                    .is_sync = true};
    struct store *store = NULL;
    struct error err = {0};

    snprintf(path, sizeof path, "disk/shard-%" PRIu32 ".db", shard->shard);
    int rc = store_open(&store, &options, &err);
    if (rc == E_OK) {
        rc = store_apply(store, store_state(store).last, &err);
    }
    if (rc == E_OK) {
        rc = read_store(store, &reading, &err);
    }
    store_close(&store);
    *sum = reading.sum;
    if (rc != E_OK) {
        bytes_format(why, "shard %" PRIu32 " on node %" PRIu32 ": %s\n", shard->shard, node,
                     err.text);
    }
    return rc == E_OK && reading.faults == 0;
}

static bool read_replicas(struct check_store *check, const struct cluster *cluster,
                          const struct check_store_shard *shard, struct bytes *why)
{
    uint64_t sum = 0;
    uint64_t other = 0;
    bool is_good = read_file(check, cluster, shard, shard->node, &sum, why);

    for (uint32_t i = 0; i < shard->isr.count; i++) {
        uint32_t node = shard->isr.nodes[i];
        if (node == shard->node) {
            continue;
        }
        is_good = read_file(check, cluster, shard, node, &other, why) && is_good;
        if (other != sum) {
            bytes_format(why,
                         "shard %" PRIu32 ": node %" PRIu32
                         " holds other contents than node %" PRIu32 "\n",
                         shard->shard, node, shard->node);
            is_good = false;
        }
    }
    return is_good;
}

bool check_store_files(struct check_store *check, const struct cluster *cluster, struct bytes *why)
{
    bool is_good = true;

    for (uint32_t i = 0; i < check->shard_count; i++) {
        is_good = read_replicas(check, cluster, &check->shards[i], why) && is_good;
    }
    return is_good;
}

/* ---- edges ---- */

static int by_edge(const void *a, const void *b)
{
    const struct check_store_half *x = a;
    const struct check_store_half *y = b;

    return (x->edge > y->edge) - (x->edge < y->edge);
}

static void tell_half(struct bytes *why, const char *what, const struct check_store_half *half)
{
    bytes_format(why, "%s: edge %" PRId64 " at vertex %" PRId64 ", far %" PRId64 "\n", what,
                 half->edge, half->vertex, half->far);
}

bool check_store_edges(struct check_store *check, struct bytes *why)
{
    uint32_t i = 0;
    uint32_t k = 0;
    bool is_good = true;

    if (check->out_count > 0) {
        qsort(check->out, check->out_count, sizeof *check->out, by_edge);
    }
    if (check->in_count > 0) {
        qsort(check->in, check->in_count, sizeof *check->in, by_edge);
    }
    while (i < check->out_count || k < check->in_count) {
        const struct check_store_half *out = i < check->out_count ? &check->out[i] : NULL;
        const struct check_store_half *in = k < check->in_count ? &check->in[k] : NULL;
        if (in == NULL || (out != NULL && out->edge < in->edge)) {
            tell_half(why, "half edge, only the out half is there", out);
            is_good = false;
            i++;
        } else if (out == NULL || in->edge < out->edge) {
            tell_half(why, "half edge, only the in half is there", in);
            is_good = false;
            k++;
        } else {
            if (out->hash != in->hash || out->vertex != in->far || out->far != in->vertex) {
                tell_half(why, "half edge, the halves differ", out);
                is_good = false;
            }
            i++;
            k++;
        }
    }
    return is_good;
}

bool check_store_has(const struct check_store *check, int64_t edge)
{
    struct check_store_half key = {.edge = edge};

    return check->out_count > 0 &&
           bsearch(&key, check->out, check->out_count, sizeof key, by_edge) != NULL;
}
