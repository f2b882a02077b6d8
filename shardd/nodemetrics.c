#include "shardd/nodemetrics.h"

#include <stdio.h>
#include <string.h>

#include "common/mem.h"
#include "common/metrics.h"
#include "shardd/node.h"

/* ---- readiness ---- */

static bool check_replica(const struct node *node, const struct shardmap_shard *shard,
                          struct bytes *out)
{
    const struct replica *replica = node_replica(node, shard->shard);

    if (map_has(&node->suspects, shard->shard)) {
        bytes_format(out, "shard %u: its file is not trusted (cardeactl status)\n", shard->shard);
    } else if (replica == NULL) {
        bytes_format(out, "shard %u: its replica is not open\n", shard->shard);
    } else if (shard->primary == node->options.node && !replica->is_serving) {
        bytes_format(out, "shard %u: does not serve yet\n", shard->shard);
    } else if (!nodeset_has(&shard->isr, node->options.node)) {
        bytes_format(out, "shard %u: its replica here is not in sync\n", shard->shard);
    } else {
        return true;
    }
    return false;
}

bool nodemetrics_readiness(const struct node *node, struct bytes *out)
{
    bool is_ready = node->is_registered && node->map.version != 0;
    uint32_t count = 0;

    if (!is_ready) {
        bytes_format(out, "no coordinator knows this process yet\n");
    }
    for (uint32_t i = 0; i < node->map.shard_count; i++) {
        const struct shardmap_shard *shard = &node->map.shards[i];
        if (nodeset_has(&shard->replicas, node->options.node)) {
            count++;
            is_ready = check_replica(node, shard, out) && is_ready;
        }
    }
    bytes_format(out, "map %llu: %u replicas here\n", (unsigned long long)node->map.version, count);
    return is_ready;
}

/* ---- families ---- */

enum { COUNT, GAUGE, LARGEST, SECONDS };

/* One row a family; the order is that of values_of. */
static const struct {
    int form;
    const char *name;
    const char *help;
} rows[] = {
    {GAUGE, "cardea_shard_serving", "1 if this process serves the shard as its primary"},
    {GAUGE, "cardea_shard_in_sync", "1 if the replica here counts as in sync"},
    {GAUGE, "cardea_shard_requests", "Requests that wait for a turn or for locks"},
    {GAUGE, "cardea_shard_prepared", "Transactions prepared and not decided"},
    {GAUGE, "cardea_shard_vertices", "Vertices"},
    {GAUGE, "cardea_shard_edges", "Edges, counted where they begin"},
    {GAUGE, "cardea_shard_file_bytes", "Size of the file with its -wal"},
    {GAUGE, "cardea_shard_journal_entries", "Entries of the journal that are kept"},
    {LARGEST, "cardea_shard_lag_entries",
     "Entries that the slowest replica lacks: of all as the primary knows, of this one elsewhere"},
    {LARGEST, "cardea_shard_unapplied_entries", "Entries that are durable here and not applied"},
    {COUNT, "cardea_shard_commits_total", "Transactions of one shard offered"},
    {COUNT, "cardea_shard_prepares_total", "Transactions of several shards offered"},
    {COUNT, "cardea_shard_conflicts_total", "Transactions refused because of a conflict"},
    {COUNT, "cardea_shard_inquiries_total", "Questions to the coordinator about a decision"},
    {COUNT, "cardea_shard_alarms_total", "Decisions that contradict what is known: never"},
    {COUNT, "cardea_shard_statements_total", "SQL statements run"},
    {COUNT, "cardea_shard_rows_total", "Rows read by SQL statements"},
    {COUNT, "cardea_shard_scanned_total", "Rows and edges looked at by reads"},
    {COUNT, "cardea_shard_fsyncs_total", "Commits of the journal that waited for the disk"},
    {COUNT, "cardea_shard_journal_bytes_total", "Bytes appended to the journal"},
    {COUNT, "cardea_shard_pages_written_total", "Pages written by SQLite"},
    {COUNT, "cardea_shard_checkpoints_total", "Checkpoints of the -wal into the file"},
    {SECONDS, "cardea_shard_checkpoint_seconds_total", "Time spent in them"},
    {COUNT, "cardea_shard_page_cache_hits_total", "Pages found in SQLite's cache"},
    {COUNT, "cardea_shard_page_cache_misses_total", "Pages read from the file"},
    {COUNT, "cardea_shard_adjacency_cache_hits_total", "Adjacencies found decoded"},
    {COUNT, "cardea_shard_adjacency_cache_misses_total", "Adjacencies read and decoded"},
};

enum { ROWS = sizeof rows / sizeof rows[0], LABELS_ROOM = 2048 };

struct one {
    char labels[LABELS_ROOM];
    uint64_t values[ROWS];
};

/* Of the slowest replica in sync or to be. */
static uint64_t lag_of(const struct replica *replica)
{
    const struct replication *core = &replica->journal.core;
    uint64_t last = store_state(replica->store).last;
    uint64_t lag = 0;

    if (!replica->is_serving) {
        return core->leader_commit > core->durable ? core->leader_commit - core->durable : 0;
    }
    for (uint32_t i = 0; i < core->peer_count; i++) {
        uint64_t match = core->peers[i].match;
        lag = last > match && last - match > lag ? last - match : lag;
    }
    return lag;
}

static bool is_in_sync(const struct node *node, const struct replica *replica)
{
    for (uint32_t i = 0; i < node->map.shard_count; i++) {
        if (node->map.shards[i].shard == replica->shard) {
            return nodeset_has(&node->map.shards[i].isr, node->options.node);
        }
    }
    return false;
}

static void values_of(const struct node *node, const struct replica *replica, uint64_t *values)
{
    struct store_state state = store_state(replica->store);
    struct store_counters store = store_counters(replica->store);
    const struct participant_counters *core = &replica->core.counters;
    const uint64_t all[] = {
        replica->is_serving,
        is_in_sync(node, replica),
        replica->request_count,
        replica->core.prepared_count,
        replica->vertices,
        replica->edges,
        replica->file_bytes,
        state.first == 0 ? 0 : state.last - state.first + 1,
        lag_of(replica),
        state.last > state.applied ? state.last - state.applied : 0,
        core->commits,
        core->prepares,
        core->conflicts,
        core->inquiries,
        core->alarms + core->contradictions,
        store.statements,
        store.rows,
        store.scanned,
        store.syncs,
        store.journal_bytes,
        store.pages_written,
        store.checkpoints,
        store.checkpoint_us,
        store.pages_hit,
        store.pages_missed,
        store.adjacency_hit,
        store.adjacency_missed,
    };

    _Static_assert(sizeof all / sizeof all[0] == ROWS, "a value for each row");
    for (size_t i = 0; i < ROWS; i++) {
        bool is_largest = rows[i].form == LARGEST;
        values[i] = is_largest ? (all[i] > values[i] ? all[i] : values[i]) : values[i] + all[i];
    }
}

static void label(const struct node *node, const struct replica *replica, struct one *one)
{
    const struct shardmap_graph *graph = shardmap_graph_by_id(&node->map, replica->graph);
    struct bytes labels = {.max = LABELS_ROOM - 1};

    metrics_label(&labels, "graph", graph == NULL ? SLICE("") : graph->name);
    bytes_format(&labels, ",shard=\"%u\"", replica->shard);
    if (!labels.is_overflown) {
        memcpy(one->labels, labels.data, labels.size);
    }
    bytes_close(&labels);
}

void nodemetrics_write(struct node *node, struct bytes *out)
{
    size_t shown =
        node->replica_count < NODEMETRICS_SHARDS ? node->replica_count : NODEMETRICS_SHARDS;
    size_t count = shown + (node->replica_count > shown);
    struct one *all = mem_alloc((count + 1) * sizeof *all);

    for (size_t i = 0; i < node->replica_count; i++) {
        struct one *one = &all[i < shown ? i : shown];
        values_of(node, node->replicas[i], one->values);
        if (i < shown) {
            label(node, node->replicas[i], one);
        } else {
            (void)snprintf(one->labels, sizeof one->labels, "graph=\"\",shard=\"others\"");
        }
    }
    for (size_t row = 0; row < ROWS; row++) {
        bool is_counter = rows[row].form == COUNT || rows[row].form == SECONDS;
        metrics_family(out, is_counter ? "counter" : "gauge", rows[row].name, rows[row].help);
        for (size_t i = 0; i < count; i++) {
            if (rows[row].form == SECONDS) {
                metrics_seconds(out, rows[row].name, all[i].labels, all[i].values[row]);
            } else {
                metrics_sample(out, rows[row].name, all[i].labels, all[i].values[row]);
            }
        }
    }
    mem_free(all);
    metrics_single(out, "gauge", "cardea_replicas", "Replicas held here", node->replica_count);
    metrics_single(out, "gauge", "cardea_replicas_suspect", "Files here that are not trusted",
                   node->suspects.count);
    metrics_single(out, "gauge", "cardea_registered", "1 if a coordinator knows this process",
                   node->is_registered);
    metrics_single(out, "gauge", "cardea_map_version", "Version of the map in force",
                   node->map.version);
}
