#include "router/cli/cli.h"

#include <argp.h>
#include <stdio.h>
#include <string.h>

static const struct {
    const char *name;
    int (*run)(int argc, char **argv);
    const char *what;
} commands[] = {
    {"dev", cli_dev, "a whole cluster in this process, its data in one folder"},
    {"query", cli_query, "run one query, from the command line or stdin"},
    {"console", cli_console, "ask by hand, with history and completion"},
    {"load", cli_load, "load CSV (Neptune headers), GraphML or GraphSON 3 files"},
    {"export", cli_export, "write a graph as CSV, GraphML or GraphSON 3"},
};

enum { COMMAND_COUNT = sizeof(commands) / sizeof(commands[0]) };

static void usage(FILE *out)
{
    fputs("Usage: cardea COMMAND [OPTION...]\n\n", out);
    for (size_t i = 0; i < COMMAND_COUNT; i++) {
        fprintf(out, "  %-9s %s\n", commands[i].name, commands[i].what);
    }
    fputs("\n'cardea COMMAND --help' tells more of each; 'cardea --version' the version.\n"
          "Exit codes: 0 ok, 1 the server or a check said no, 2 wrong usage, 3 no connection.\n",
          out);
}

int main(int argc, char **argv)
{
    char name[64];

    argp_err_exit_status = CLI_USAGE;
    if (argc < 2) {
        usage(stderr);
        return CLI_USAGE;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "help") == 0) {
        usage(stdout);
        return CLI_OK;
    }
    if (strcmp(argv[1], "--version") == 0) {
        puts("cardea " CARDEA_VERSION);
        return CLI_OK;
    }
    for (size_t i = 0; i < COMMAND_COUNT; i++) {
        if (strcmp(argv[1], commands[i].name) == 0) {
            snprintf(name, sizeof(name), "cardea %s", commands[i].name);
            argv[1] = name;
            return commands[i].run(argc - 1, argv + 1);
        }
    }
    cli_error("'cardea --help' lists the commands", "there is no command '%s'", argv[1]);
    return CLI_USAGE;
}
