/*
 * show.h -- results for people and for programs: ==>value, table, JSON, GraphSON 3.
 */
#ifndef ROUTER_CLI_SHOW_H
#define ROUTER_CLI_SHOW_H

#include <stdio.h>

#include "common/arena.h"
#include "common/value.h"
#include "router/cli/cli.h"

/* Prints the items of a LIST. Tables have a column for each key when all results are maps, else
   one. */
void show_results(FILE *out, enum cli_output output, const struct value *results,
                  struct arena *arena);

#endif
