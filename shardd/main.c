/* cardea-shardd FILE: a shard node as a process. */
#include "common/host.h"
#include "shardd/shardd_conf.h"
#include "shardd/shardd_core.h"

struct process {
    struct shardd_conf values;
    struct node *node;
    bool must_restart; /* As another boot, in this same process. */
};

static const char *address(void *ctx, peer_id peer)
{
    const struct process *process = ctx;

    if (peer >> 32 == PEER_SHARDD) {
        return node_address(process->node, (uint32_t)peer);
    }
    return host_coordinator(&process->values.coordinators, peer);
}

static int open_node(struct process *process, struct host *host, struct error *err)
{
    const struct shardd_conf *values = &process->values;
    struct node_options options = {
        .node = (uint32_t)values->node,
        .boot = host->boot,
        .seed = loop_random(),
        .cluster_id = host->cluster_id,
        .data_dir = values->data_dir,
        .address = values->advertise[0] == '\0' ? values->bind : values->advertise,
        .coordinators = host_coordinator_numbers(),
        .coordinator_count = (uint32_t)values->coordinators.count,
        .zone = values->zone,
        .weight = (uint32_t)values->weight,
        .is_sync = values->durability == 0,
        .is_old_accepted = values->accept_old_files,
        .heartbeat_ms = (uint64_t)values->heartbeat_ms,
        .cache_bytes = (size_t)values->cache_bytes,
        .adjacency_cache_bytes = (size_t)values->adjacency_cache_bytes,
        .read_rows_turn = (uint64_t)values->read_rows_turn,
        .micros = loop_micros,
        .journal_keep = (uint64_t)values->journal_keep,
        .log = &host->log,
    };

    return node_open(&process->node, &options, err);
}

static int run(struct process *process, struct error *err)
{
    struct transport_plane plane = {.bind = process->values.bind};
    struct host_options options = {.program = "shardd",
                                   .role = PEER_SHARDD,
                                   .node = (uint32_t)process->values.node,
                                   .cluster = process->values.cluster,
                                   .data_dir = process->values.data_dir,
                                   .keys_dir = process->values.keys_dir,
                                   .is_insecure = process->values.insecure,
                                   .http_listen = process->values.http_listen,
                                   .plane_count = 1,
                                   .planes = &plane,
                                   .log_level = (enum log_level)process->values.log_level};
    struct host *host = NULL;
    int rc = host_new(&host, &options, err);

    if (rc == E_OK) {
        rc = open_node(process, host, err);
    }
    if (rc == E_OK) {
        host->core = shardd_core(process->node);
        host->address = address;
        host->address_ctx = process;
        rc = host_run(host, err);
        process->must_restart =
            rc != E_OK && !host->loop.is_stopping && node_must_restart(process->node);
    }
    node_close(&process->node);
    host_free(&host);
    return rc;
}

int main(int argc, char **argv)
{
    struct process process = {0};
    struct conf conf = {0};
    struct error err = {0};

    if (conf_open(&conf, &shardd_conf_table, &process.values, argc, argv, &err) == E_OK &&
        !conf_answer(&conf)) {
        do {
            err = (struct error){0};
            process.must_restart = false;
            (void)run(&process, &err);
        } while (process.must_restart);
    }
    conf_close(&conf);
    return host_status("cardea-shardd", &err);
}
