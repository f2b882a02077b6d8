/* cardea dev: a whole cluster in one process, with messages in memory. */
#include "router/cli/cli.h"

#include <argp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/codec.h"
#include "common/mem.h"
#include "router/cli/devhost.h"
#include "router/front/serve.h"

enum {
    RETRY_MS = 10, /* The graph is asked for again so often, until the nodes are known. */
    START_MS = 30000,
    REPLICAS_DEFAULT = 2, /* Where there are as many nodes. */
    KEY_NODES = 0x100,
    KEY_REPLICAS
};

struct options {
    const char *data;
    const char *address;
    const char *partitioner;
    long shards;
    long nodes; /* 0: as many as the folder has, else one. */
    long replicas;
    long port;
    bool is_sync;
    bool is_verbose;
};

struct dev {
    const struct options *options;
    struct loop loop;
    struct daemon_folder folder;
    struct devhost host;
    size_t tool; /* Our own end: asks for the graph. */
    struct outbox tool_out;
    uint64_t asked_ms; /* 0: the graph is there. */
    bool was_ready;
    struct serve serve;
    struct router_conf values;
    struct conf conf;
    struct stats stats;
    struct log log;
};

/* ---- options ---- */

static const struct argp_option option_list[] = {
    {"data", 'd', "DIR", 0, "folder of all data; made if need be", 0},
    {"shards", 's', "N", 0, "shards of the graph g, when it is made (default: 4)", 0},
    {"nodes", KEY_NODES, "N", 0, "shard nodes, when the folder is made (default: 1)", 0},
    {"replicas", KEY_REPLICAS, "R", 0,
     "of each shard on different nodes, when the graph g is made (default: 2 with two nodes or "
     "more)",
     0},
    {"partitioner", 'P', "KIND", 0, "hash or range, when the graph g is made (default: hash)", 0},
    {"port", 'p', "PORT", 0, "of WebSocket and HTTP; 0 takes any free one (default: 8182)", 0},
    {"address", 'a', "ADDRESS", 0, "to listen on (default: 127.0.0.1)", 0},
    {"no-sync", 'n', NULL, 0, "do not wait for the disk: a power cut may lose the last writes", 0},
    {"verbose", 'v', NULL, 0, "log what happens inside", 0},
    {0}};

static long parse_number(const char *text, long low, long high, const char *what,
                         struct argp_state *state)
{
    char *end;
    long number = strtol(text, &end, 10);

    if (*text == '\0' || *end != '\0' || number < low || number > high) {
        argp_error(state, "%s is a number from %ld to %ld, not '%s'", what, low, high, text);
    }
    return number;
}

static error_t parse_option(int key, char *arg, struct argp_state *state)
{
    struct options *options = state->input;

    switch (key) {
    case 'd':
        options->data = arg;
        return 0;
    case 's':
        options->shards = parse_number(arg, 1, 1024, "--shards", state);
        return 0;
    case KEY_NODES:
        options->nodes = parse_number(arg, 1, DEVHOST_NODES_MAX, "--nodes", state);
        return 0;
    case KEY_REPLICAS:
        options->replicas = parse_number(arg, 1, SHARDMAP_REPLICAS_MAX, "--replicas", state);
        return 0;
    case 'P':
        if (strcmp(arg, "hash") != 0 && strcmp(arg, "range") != 0) {
            argp_error(state, "--partitioner is hash or range, not '%s'", arg);
        }
        options->partitioner = arg;
        return 0;
    case 'p':
        options->port = parse_number(arg, 0, 65535, "--port", state);
        return 0;
    case 'a':
        options->address = arg;
        return 0;
    case 'n':
        options->is_sync = false;
        return 0;
    case 'v':
        options->is_verbose = true;
        return 0;
    case ARGP_KEY_END:
        if (options->data == NULL) {
            argp_error(state, "--data DIR is needed: the folder of the cluster's files");
        }
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp parser = {
    option_list,
    parse_option,
    NULL,
    "Runs a whole cluster in one process: coordinator, shards and router, for any Gremlin driver."
    "\vPrints one line when it is ready. SIGTERM or Ctrl-C ends it; a crash loses nothing that "
    "was acknowledged.\n\n"
    "Examples:\n"
    "  cardea dev --data ./data\n"
    "  cardea dev --data /srv/graph --shards 8 --port 8183\n"
    "  cardea dev --data ./three --nodes 3     'cardeactl node kill 1' plays a fault\n\n"
    "Exit codes: 0 ended, 1 it could not start or go on, 2 wrong usage.",
    NULL,
    NULL,
    NULL};

/* ---- starting ---- */

/* A folder keeps its number of nodes. */
static int open_host(struct dev *dev, struct error *err)
{
    uint32_t there = devhost_count(dev->options->data);
    uint32_t nodes = (uint32_t)dev->options->nodes;

    nodes = nodes != 0 ? nodes : there != 0 ? there : 1;
    if (there > nodes) {
        return error_set(err, E_CONFIG, "%s has data of %u nodes: --nodes %u or more",
                         dev->options->data, there, there);
    }
    if (dev->options->replicas > (long)nodes) {
        return error_set(err, E_CONFIG, "%ld replicas need as many nodes: --nodes %ld",
                         dev->options->replicas, dev->options->replicas);
    }
    return devhost_open(&dev->host,
                        &(struct devhost_options){.data = dev->options->data,
                                                  .nodes = nodes,
                                                  .is_sync = dev->options->is_sync,
                                                  .log = &dev->log},
                        err);
}

static int play(void *ctx, struct slice verb, uint32_t node, struct error *err)
{
    struct dev *dev = ctx;

    if (slice_equal(verb, SLICE("node.kill"))) {
        return devhost_kill(&dev->host, node, err);
    }
    if (slice_equal(verb, SLICE("node.pause"))) {
        return devhost_pause(&dev->host, node, err);
    }
    return devhost_restart(&dev->host, node, err);
}

static int open_router(struct dev *dev, struct error *err)
{
    struct router_options options = serve_router_options(&dev->values);
    struct front_options front = serve_front_options(&dev->values);
    int rc;

    options.boot = loop_random();
    options.cluster_id = dev->host.cluster_id;
    options.play = play;
    options.play_ctx = dev;
    rc = router_open(&dev->serve.router, &options, err);
    if (rc != E_OK) {
        return rc;
    }
    native_init(&dev->serve.native, dev->serve.router);
    struct host_core core = serve_core(&dev->serve);
    devhost_router(&dev->host, &core, options.boot);
    front.address = dev->options->address;
    front.port = (int)dev->options->port;
    dev->serve.log = &dev->log;
    front.router = dev->serve.router;
    front.out = &dev->host.router.out;
    front.native = &dev->serve.native;
    front.log = &dev->log;
    front.stats = &dev->stats;
    rc = front_open(&dev->serve.front, &front, err);
    return rc == E_OK ? front_watch(dev->serve.front, loop_fd(&dev->loop), err) : rc;
}

static int open_all(struct dev *dev, struct error *err)
{
    char *argv[] = {(char[]){"cardea"}, NULL};
    int rc;

    log_init(&dev->log, STDERR_FILENO, dev->options->is_verbose ? LOG_LEVEL_DEBUG : LOG_LEVEL_WARN);
    outbox_init(&dev->tool_out);
    daemon_raise_limits();
    daemon_last_words(&dev->log);
    rc = loop_open(&dev->loop, err);
    if (rc == E_OK) {
        rc = conf_open(&dev->conf, &router_conf_table, &dev->values, 1, argv, err);
    }
    if (rc == E_OK) {
        rc = daemon_folder_open(&dev->folder, dev->options->data, "cluster \"dev\"\n", err);
    }
    if (rc == E_OK) {
        rc = open_host(dev, err);
    }
    if (rc == E_OK) {
        rc = open_router(dev, err);
    }
    if (rc == E_OK) {
        dev->tool = memory_join(&dev->host.memory, PEER_TOOL, 1, 1);
        dev->asked_ms = 1;
    }
    return rc;
}

static void close_all(struct dev *dev)
{
    serve_close(&dev->serve);
    devhost_close(&dev->host);
    outbox_close(&dev->tool_out);
    daemon_folder_close(&dev->folder);
    conf_close(&dev->conf);
    loop_close(&dev->loop);
    daemon_last_words(NULL);
}

/* ---- the graph g ---- */

static void ask_for_graph(struct dev *dev)
{
    struct bytes body = {0};
    long replicas = dev->options->replicas;
    if (replicas == 0) {
        replicas = dev->host.options.nodes < REPLICAS_DEFAULT ? 1 : REPLICAS_DEFAULT;
    }
    struct value items[12] = {
        value_cstring("verb"),        value_cstring("graph.create"),
        value_cstring("name"),        value_cstring("g"),
        value_cstring("shards"),      value_long(dev->options->shards),
        value_cstring("partitioner"), value_cstring(dev->options->partitioner),
        value_cstring("ids"),         value_cstring("long"),
        value_cstring("replicas"),    value_long(replicas),
    };
    struct arena arena = {0};
    struct value request = value_items(&arena, VALUE_MAP, items, 6);

    codec_encode(&body, NULL, &request);
    outbox_send(&dev->tool_out, PEER_NODE(PEER_COORDINATOR, 1), MESSAGE_ADMIN, bytes_slice(&body))
        ->req_id = 1;
    memory_send(&dev->host.memory, dev->tool, &dev->tool_out);
    bytes_close(&body);
    arena_close(&arena);
}

/* Until the coordinator says that the graph has been made, or was there. */
static int want_graph(struct dev *dev, uint64_t now_ms, struct error *err)
{
    struct message message;
    struct error refusal = {0};

    while (memory_recv(&dev->host.memory, dev->tool, &message)) {
        if (message.type == MESSAGE_ADMIN_REPLY) {
            dev->asked_ms = 0;
        } else if (message.type == MESSAGE_REFUSED) {
            int rc = message_refusal(message.body, &refusal);
            if (rc == E_EXISTS) {
                dev->asked_ms = 0;
            } else if (error_retry(rc) == ERROR_NEVER) {
                *err = refusal;
                return rc;
            }
        }
    }
    if (dev->asked_ms != 0 && now_ms >= dev->asked_ms + RETRY_MS) {
        dev->asked_ms = now_ms;
        ask_for_graph(dev);
    }
    return E_OK;
}

static void tell_ready(struct dev *dev)
{
    bool is_ready = dev->asked_ms == 0 && router_is_ready(dev->serve.router);

    if (is_ready && !dev->was_ready) {
        bool is_ipv6 = strchr(dev->options->address, ':') != NULL;
        (void)printf("cardea dev: ready at ws://%s%s%s:%d/gremlin, data in %s\n",
                     is_ipv6 ? "[" : "", dev->options->address, is_ipv6 ? "]" : "",
                     front_port(dev->serve.front), dev->options->data);
        (void)fflush(stdout);
        daemon_notify("READY=1");
        dev->was_ready = true;
    }
}

/* ---- running ---- */

static uint64_t next_deadline(const struct dev *dev)
{
    uint64_t at = dev->asked_ms == 0 ? UINT64_MAX : dev->asked_ms + RETRY_MS;

    if (devhost_has_input(&dev->host)) {
        return 0;
    }
    uint64_t deadline = devhost_deadline(&dev->host);
    return deadline < at ? deadline : at;
}

static int run(struct dev *dev, struct error *err)
{
    uint64_t start_ms = loop_now_ms();
    int rc = E_OK;

    while (rc == E_OK && !dev->loop.is_stopping) {
        uint64_t now_ms = loop_now_ms();
        rc = devhost_exchange(&dev->host, err);
        front_deliver(dev->serve.front, now_ms);
        if (rc == E_OK && dev->asked_ms != 0) {
            rc = want_graph(dev, now_ms, err);
        }
        tell_ready(dev);
        if (rc == E_OK && !dev->was_ready && now_ms - start_ms > START_MS) {
            rc = error_set(err, E_TIMEOUT, "not ready after %d s", START_MS / 1000);
        }
        if (rc == E_OK) {
            front_wait(dev->serve.front, next_deadline(dev));
            loop_signal(&dev->loop);
        }
    }
    return rc;
}

int cli_dev(int argc, char **argv)
{
    struct options options = {
        .address = "127.0.0.1", .partitioner = "hash", .shards = 4, .port = 8182, .is_sync = true};
    struct dev *dev;
    struct error err = {0};
    int rc;

    argp_err_exit_status = CLI_USAGE;
    (void)argp_parse(&parser, argc, argv, 0, NULL, &options);
    dev = mem_alloc(sizeof *dev);
    dev->options = &options;
    rc = open_all(dev, &err);
    if (rc == E_OK) {
        rc = run(dev, &err);
    }
    close_all(dev);
    mem_free(dev);
    if (rc != E_OK) {
        cli_error(NULL, "%s", err.text);
    }
    return rc == E_OK ? CLI_OK : CLI_FAILED;
}
