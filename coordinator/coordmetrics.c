#include "coordinator/coordmetrics.h"

#include "common/metrics.h"
#include "coordinator/coord_inside.h"

bool coordmetrics_readiness(const struct coord *coord, struct bytes *out)
{
    uint32_t leader = consensus_leader(coord->consensus);
    unsigned long long term = consensus_term(coord->consensus);

    if (consensus_is_full(coord->consensus)) {
        bytes_format(out, "the disk is full\n");
        return false;
    }
    if (leader == 0) {
        bytes_format(out, "no leader is known in term %llu\n", term);
        return false;
    }
    bytes_format(out, "coordinator %u leads in term %llu\n", leader, term);
    if (leader == coord->options.node && !coord_is_ready(coord)) {
        bytes_format(out, "this one does not answer yet: its term has just begun\n");
        return false;
    }
    return true;
}

static void count_shards(const struct coord *coord, uint64_t *all, uint64_t *led, uint64_t *thin)
{
    for (uint32_t i = 0; i < coord->state.graph_count; i++) {
        const struct state_graph *graph = &coord->state.graphs[i];
        for (uint32_t j = 0; j < graph->shard_count; j++) {
            const struct state_shard *shard = &graph->shards[j];
            *all += 1;
            *led += shard->primary_boot != 0;
            *thin += shard->isr.count < graph->replica_count;
        }
    }
}

void coordmetrics_write(struct coord *coord, struct bytes *out)
{
    const struct state *state = &coord->state;
    const struct decision_counters *decided = &coord->decision.counters;
    uint64_t up = 0;
    uint64_t shards = 0;
    uint64_t led = 0;
    uint64_t thin = 0;

    for (uint32_t i = 0; i < state->node_count; i++) {
        up += state->nodes[i].is_up;
    }
    count_shards(coord, &shards, &led, &thin);
    const struct {
        const char *kind;
        const char *name;
        const char *help;
        uint64_t value;
    } rows[] = {
        {"gauge", "cardea_leads", "1 if this coordinator leads and answers", coord_is_ready(coord)},
        {"gauge", "cardea_leader", "Number of the leader, 0 if none is known",
         consensus_leader(coord->consensus)},
        {"gauge", "cardea_term", "Raft term", consensus_term(coord->consensus)},
        {"gauge", "cardea_disk_full", "1 if the log cannot be written",
         consensus_is_full(coord->consensus)},
        {"gauge", "cardea_entries_since_snapshot", "Raft entries since the last snapshot",
         consensus_since_snapshot(coord->consensus)},
        {"gauge", "cardea_map_version", "Version of the map", state->version},
        {"gauge", "cardea_graphs", "Graphs", state->graph_count},
        {"gauge", "cardea_shards", "Shards", shards},
        {"gauge", "cardea_shards_led", "Shards with a primary", led},
        {"gauge", "cardea_shards_thin", "Shards with fewer replicas in sync than wanted", thin},
        {"gauge", "cardea_nodes", "Shard nodes ever registered", state->node_count},
        {"gauge", "cardea_nodes_up", "Those that are up", up},
        {"gauge", "cardea_router_sessions", "Sessions of routers", state->session_count},
        {"gauge", "cardea_coordinator_requests", "Requests not answered yet", coord->request_count},
        {"gauge", "cardea_coordinator_entries_waiting", "Raft entries submitted and not applied",
         coord->waiting_count},
        {"gauge", "cardea_transactions_running", "Transactions over several shards under way",
         coord->decision.running_count},
        {"gauge", "cardea_transactions_open", "Decisions that not all shards have carried out",
         coord->decision.open_count},
        {"counter", "cardea_transactions_started_total", "Transactions over several shards begun",
         decided->started},
        {"counter", "cardea_transactions_committed_total", "Those committed", decided->committed},
        {"counter", "cardea_transactions_aborted_total", "Those aborted", decided->aborted},
        {"counter", "cardea_transactions_timed_out_total", "Those not prepared in time",
         decided->timeouts},
        {"counter", "cardea_transactions_repeats_total", "Messages to shards sent again",
         decided->repeats},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        metrics_single(out, rows[i].kind, rows[i].name, rows[i].help, rows[i].value);
    }
}
