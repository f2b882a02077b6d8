#include "coordinator/ctl/ctl.h"

#include <argp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    const char *name;
    int (*run)(struct ctl *ctl, int argc, char **argv);
    const char *what;
    bool is_local; /* Asks no router. */
} commands[] = {
    {"status", ctl_status, "nodes, graphs and shards", false},
    {"graph", ctl_graph, "list, create NAME, set NAME, drop NAME", false},
    {"node", ctl_node, "kill N, pause N, restart N (in cardea dev)", false},
    {"shard", ctl_shard, "failover GRAPH/SHARD, force-primary GRAPH/SHARD", false},
    {"index", ctl_index, "list GRAPH, create GRAPH KEY, drop GRAPH NAME", false},
    {"check", ctl_check, "compare halves, degrees, counters and indexes of a graph", false},
    {"queries", ctl_queries, "the queries that run on the router asked", false},
    {"kill", ctl_kill, "ID: end one of them", false},
    {"keys", ctl_keys, "init DIR: keys for the encryption between processes", true},
};

enum { COMMAND_COUNT = sizeof(commands) / sizeof(commands[0]) };

static void usage(FILE *out)
{
    fputs("Usage: cardeactl [--router HOST:PORT] [--output table|json] COMMAND [OPTION...]\n\n",
          out);
    for (size_t i = 0; i < COMMAND_COUNT; i++) {
        fprintf(out, "  %-7s %s\n", commands[i].name, commands[i].what);
    }
    fputs("\n--router: any router of the cluster (default: $CARDEA_ROUTER, else 127.0.0.1:8182)\n"
          "'cardeactl COMMAND --help' tells more of each.\n"
          "Exit codes: 0 ok, 1 the cluster or a check said no, 2 wrong usage, 3 no connection.\n",
          out);
}

/* Options before or after the command, so that both orders work. Returns the words that are
   left. */
static int take_options(int argc, char **argv, const char **router, const char **output)
{
    int left = 1;

    for (int i = 1; i < argc; i++) {
        const char **target = NULL;
        if (strcmp(argv[i], "--router") == 0 || strcmp(argv[i], "-r") == 0) {
            target = router;
        } else if (strcmp(argv[i], "--output") == 0 || strcmp(argv[i], "-o") == 0) {
            target = output;
        } else if (strncmp(argv[i], "--router=", 9) == 0) {
            *router = argv[i] + 9;
            continue;
        } else if (strncmp(argv[i], "--output=", 9) == 0) {
            *output = argv[i] + 9;
            continue;
        }
        if (target == NULL) {
            argv[left++] = argv[i];
        } else if (i + 1 < argc) {
            *target = argv[++i];
        } else {
            return -1;
        }
    }
    argv[left] = NULL;
    return left;
}

static bool wants_help(int argc, char **argv)
{
    for (int i = 0; i < argc; i++) {
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "--usage") == 0) {
            return true;
        }
    }
    return false;
}

static int run(size_t command, const char *router, bool is_json, int argc, char **argv)
{
    struct ctl ctl = {.is_json = is_json};
    struct error err = {0};
    char host[256], port[256], name[64];
    int code = CTL_OK;

    snprintf(name, sizeof(name), "cardeactl %s", argv[0]);
    argv[0] = name;
    arena_init(&ctl.arena, 0);
    if (client_address(router, host, port, &err) != E_OK) {
        ctl_error("--router 127.0.0.1:8182", "%s", err.text);
        code = CTL_USAGE;
    } else if (!commands[command].is_local && !wants_help(argc, argv) &&
               client_open(&ctl.client, host, port, &err) != E_OK) {
        ctl_error("is a router running there?", "%s", err.text);
        code = CTL_NO_SERVER;
    } else {
        code = commands[command].run(&ctl, argc, argv);
    }
    client_close(&ctl.client);
    arena_close(&ctl.arena);
    return fflush(stdout) == 0 ? code : CTL_FAILED;
}

int main(int argc, char **argv)
{
    const char *router = NULL, *output = "table";
    int left = take_options(argc, argv, &router, &output);

    argp_err_exit_status = CTL_USAGE;
    if (left > 1 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "help") == 0)) {
        usage(stdout);
        return CTL_OK;
    }
    if (left > 1 && strcmp(argv[1], "--version") == 0) {
        puts("cardeactl " CARDEA_VERSION);
        return CTL_OK;
    }
    if (left < 2 || (strcmp(output, "table") != 0 && strcmp(output, "json") != 0)) {
        usage(stderr);
        return CTL_USAGE;
    }
    for (size_t i = 0; i < COMMAND_COUNT; i++) {
        if (strcmp(argv[1], commands[i].name) == 0) {
            return run(i, router, strcmp(output, "json") == 0, left - 1, argv + 1);
        }
    }
    ctl_error("'cardeactl --help' lists the commands", "there is no command '%s'", argv[1]);
    return CTL_USAGE;
}
