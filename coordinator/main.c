/* cardea-coordinator FILE: a coordinator as a process. */
#include "common/host.h"
#include "coordinator/coordinator_conf.h"
#include "coordinator/coordinator_core.h"

struct process {
    struct coordinator_conf values;
    struct coord *coord;
};

static const char *address(void *ctx, peer_id peer)
{
    const struct process *process = ctx;

    if (peer >> 32 == PEER_SHARDD) {
        return coord_address(process->coord, (uint32_t)peer);
    }
    return host_coordinator(&process->values.coordinators, peer);
}

static int open_coord(struct process *process, struct host *host, struct error *err)
{
    const struct coordinator_conf *values = &process->values;
    struct coord_options options = {
        .node = (uint32_t)values->node,
        .boot = host->boot,
        .seed = loop_random(),
        .cluster_id = host->cluster_id,
        .data_dir = values->data_dir,
        .coordinators = host_coordinator_numbers(),
        .coordinator_count = (uint32_t)values->coordinators.count,
        .is_sync = values->durability == 0,
        .election_ms = (uint32_t)values->election_ms,
        .heartbeat_ms = (uint32_t)values->heartbeat_ms,
        .txn_ms = (uint32_t)values->txn_ms,
        .silence_ms = (uint32_t)values->silence_ms,
        .snapshot_entries = (uint32_t)values->snapshot_entries,
        .log = &host->log,
    };

    if (options.node > options.coordinator_count) {
        return error_set(err, E_CONFIG, "node = %u, but coordinators lists %u", options.node,
                         options.coordinator_count);
    }
    return coord_open(&process->coord, &options, err);
}

static int run(struct process *process, struct error *err)
{
    struct transport_plane plane = {.bind = process->values.bind};
    struct host_options options = {.program = "coordinator",
                                   .role = PEER_COORDINATOR,
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
        rc = open_coord(process, host, err);
    }
    if (rc == E_OK) {
        host->core = coordinator_core(process->coord);
        host->address = address;
        host->address_ctx = process;
        rc = host_run(host, err);
    }
    coord_close(&process->coord);
    host_free(&host);
    return rc;
}

int main(int argc, char **argv)
{
    struct process process = {0};
    struct conf conf = {0};
    struct error err = {0};

    if (conf_open(&conf, &coordinator_conf_table, &process.values, argc, argv, &err) == E_OK &&
        !conf_answer(&conf)) {
        (void)run(&process, &err);
    }
    conf_close(&conf);
    return host_status("cardea-coordinator", &err);
}
