/*
 * writer.h -- a graph in memory to files that `cardea load` and others read.
 *
 * What a format cannot say is said in the nearest way: CSV and GraphML have no meta-properties,
 * GraphML one value a key; collections become text there.
 */
#ifndef ROUTER_CLI_WRITER_H
#define ROUTER_CLI_WRITER_H

#include <stdio.h>

#include "common/arena.h"
#include "common/element.h"

struct writer {
    struct arena arena;
    struct value vertices; /* LISTs, with properties. */
    struct value edges;
};

/* Errors of the file are left for ferror(). */
typedef void (*writer_fn)(const struct writer *writer, FILE *file);

void writer_csv_nodes(const struct writer *writer, FILE *file);
void writer_csv_edges(const struct writer *writer, FILE *file);
void writer_graphml(const struct writer *writer, FILE *file);
void writer_graphson(const struct writer *writer, FILE *file);

#endif
