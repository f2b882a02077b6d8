/*
 * cli.h -- what the subcommands of `cardea` share: exit codes, errors, the address of a router.
 *
 * Data goes to stdout, everything else to stderr. An error is one line, then a hint.
 */
#ifndef ROUTER_CLI_CLI_H
#define ROUTER_CLI_CLI_H

#include <stdbool.h>

#include "common/error.h"

/* Exit codes, in every help text. */
enum {
    CLI_OK = 0,
    CLI_FAILED = 1, /* The server or a check said no. */
    CLI_USAGE = 2,
    CLI_NO_SERVER = 3, /* Cannot connect, or no answer in time. */
    CLI_INTERRUPTED = 130
};

enum cli_output {
    CLI_OUTPUT_AUTO, /* Gremlin on a terminal and in pipes: ==>value. */
    CLI_OUTPUT_GREMLIN,
    CLI_OUTPUT_TABLE,
    CLI_OUTPUT_JSON,    /* One plain JSON value a line. */
    CLI_OUTPUT_GRAPHSON /* One typed GraphSON 3 value a line. */
};

/* False for a name that is none of gremlin, table, json, graphson. */
bool cli_output_parse(const char *name, enum cli_output *out);

/* "cardea: error: ..." and "hint: ..." (may be null) on stderr. */
void cli_error(const char *hint, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Subcommands: argv[0] is "cardea NAME". Each gives an exit code. */
int cli_dev(int argc, char **argv);
int cli_query(int argc, char **argv);
int cli_console(int argc, char **argv);
int cli_load(int argc, char **argv);
int cli_export(int argc, char **argv);

#endif
