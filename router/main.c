/* cardea-router FILE: a router as a process. */
#include "common/caller.h"
#include "common/host.h"
#include "router/front/serve.h"
#include "router/router_conf.h"

struct process {
    struct router_conf values;
    struct serve serve;
};

/* Shard nodes by the map, coordinators by the configuration. */
static const char *address(void *ctx, peer_id peer)
{
    struct process *process = ctx;

    if (peer >> 32 == PEER_SHARDD) {
        return serve_node_address(&process->serve, (uint32_t)peer);
    }
    return host_coordinator(&process->values.coordinators, peer);
}

static int run(struct process *process, struct error *err)
{
    struct transport_plane plane = {.bind = process->values.bind, .roles = CALLER_ROLE(PEER_TOOL)};
    struct host_options options = {.program = "router",
                                   .role = PEER_ROUTER,
                                   .node = (uint32_t)process->values.node,
                                   .cluster = process->values.cluster,
                                   .keys_dir = process->values.keys_dir,
                                   .is_insecure = process->values.insecure,
                                   .http_listen = process->values.http_listen,
                                   .plane_count = 1,
                                   .planes = &plane,
                                   .log_level = (enum log_level)process->values.log_level};
    struct host *host = NULL;
    int rc = host_new(&host, &options, err);

    if (rc == E_OK) {
        host->address = address;
        host->address_ctx = process;
        rc = serve_open(&process->serve, &process->values, host, err);
    }
    if (rc == E_OK) {
        rc = serve_run(&process->serve, host, err);
    }
    serve_close(&process->serve);
    host_free(&host);
    return rc;
}

int main(int argc, char **argv)
{
    struct process process = {0};
    struct conf conf = {0};
    struct error err = {0};

    if (conf_open(&conf, &router_conf_table, &process.values, argc, argv, &err) == E_OK &&
        !conf_answer(&conf)) {
        (void)run(&process, &err);
    }
    conf_close(&conf);
    return host_status("cardea-router", &err);
}
