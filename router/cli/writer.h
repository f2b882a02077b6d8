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

/* What a format cannot keep of this graph, counted. */
struct writer_loss {
    uint64_t metas;  /* Meta-properties. */
    uint64_t values; /* Further values of a key. */
    uint64_t ids;    /* Texts that come back as numbers: '7' as 7. */
};

/* format: "csv", "graphml", "graphson". */
struct writer_loss writer_loss(const struct writer *writer, const char *format);

/* Errors of the file are left for ferror(). */
typedef void (*writer_fn)(const struct writer *writer, FILE *file);

void writer_csv_nodes(const struct writer *writer, FILE *file);
void writer_csv_edges(const struct writer *writer, FILE *file);
void writer_graphml(const struct writer *writer, FILE *file);
void writer_graphson(const struct writer *writer, FILE *file);

#endif
