/*
 * loader.h -- elements of files on their way into a graph: batches, progress, resuming.
 *
 *   file reader --loader_vertex, loader_edge--> window, sorted by vertex --> batch
 *       --"load" request--> router (router/run/bulk.h)
 *
 * A window of elements is sorted by their (out) vertex before it is cut into batches, so that a
 * shard writes the edges of a vertex together, however they lie in the file. What a window holds
 * depends on the files alone.
 *
 * Vertices of all files come first, then edges (the readers make two passes where a file mixes
 * them). Batches are all or nothing. After each, the number of elements done is written to a
 * state file, so that a load that was killed goes on: elements done are skipped; of the one
 * batch whose fate is not known, the first element is asked for. An edge without an id is known by
 * its ends and label: how many such edges there are is written down before its batch is sent.
 *
 * Shell.
 */
#ifndef ROUTER_CLI_LOADER_H
#define ROUTER_CLI_LOADER_H

#include <stdio.h>

#include "common/change.h"
#include "common/client.h"
#include "common/map.h"

enum {
    LOADER_BATCH_ELEMENTS = 50000,
    LOADER_BATCH_BYTES = 4 << 20,
    LOADER_WINDOW_ELEMENTS = 1 << 20,
    LOADER_WINDOW_BYTES = 64 << 20,
    LOADER_LABELS_MAX = 1024,
    LOADER_FAULTS_SHOWN = 20 /* Bad rows told one by one; the rest is counted. */
};

/* An element of the window. */
struct loader_record {
    uint64_t key; /* Of its vertex: equal for equal ids, in order for numbers. */
    uint32_t at;  /* In the window's bytes. */
    uint32_t size;
};

struct loader {
    struct client *client;
    const char *graph;
    const char *state_path; /* Empty: no state is kept. */
    bool skip_bad;          /* --on-error skip. */
    bool is_quiet;
    bool is_terminal;     /* stderr shows a bar. */
    bool is_edges;        /* The pass: false vertices, true edges. */
    const char *file;     /* Being read, for messages. */
    uint64_t bytes_total; /* Of all passes, for the bar. */
    uint64_t bytes_done;
    uint64_t started_ms, shown_ms;
    uint64_t vertices, edges; /* Given by readers. */
    uint64_t bad;
    uint64_t resume_after; /* Elements to skip: a run before has loaded them. */
    bool is_settled;       /* Nothing was sent yet, or it was refused: no batch is in doubt. */
    bool is_doubtful;      /* The next batch may have been loaded by the run before. */
    int64_t twins_before;  /* Of the batch whose fate is not known; -1: it was not sent. */
    struct bytes window;
    struct loader_record *records;
    uint32_t record_count;
    struct bytes batch;
    uint32_t batch_count;
    struct slice first; /* Record of the batch's first element, in the batch. */
    bool is_waiting;    /* A batch is with the server. */
    uint64_t waiting_count;
    uint64_t sent;         /* Elements acknowledged, skipped ones included. */
    struct map numbers;    /* Vertex id -> label number, of the vertices in these files. */
    struct map_text texts; /* The same for ids that are text. */
    struct bytes label_names[LOADER_LABELS_MAX];
    uint32_t label_count;
};

int loader_open(struct loader *loader, struct error *err);
void loader_close(struct loader *loader);

/* Elements in the form of changes: VERTEX_ADD; EDGE_ADD of the OUT half (labels of the ends are
   filled in). Borrowed for the call. Give an error when the load must stop. */
int loader_vertex(struct loader *loader, const struct change *vertex, struct error *err);
int loader_edge(struct loader *loader, const struct change *edge, bool has_id, struct error *err);

/* A row that cannot be loaded. E_OK: go on; else stop with err. */
int loader_bad(struct loader *loader, uint64_t line, struct error *err, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* Bytes of the current file consumed since the last call: moves the bar. */
void loader_progress(struct loader *loader, uint64_t bytes);

/* Sends all that there is; the answer is waited for by the next batch, or by loader_finish. */
int loader_flush(struct loader *loader, struct error *err);
int loader_finish(struct loader *loader, struct error *err);

/* ---- readers: one pass over one file (loader->is_edges says which) ---- */

/* A CSV file holds vertices or edges: it is read in the pass for which it is. */
int csv_load(struct loader *loader, const char *path, struct error *err);
int graphml_load(struct loader *loader, const char *path, struct error *err);
int graphson_load(struct loader *loader, const char *path, struct error *err);
/* Whether a CSV file holds edges or vertices, by its header. */
int csv_kind(const char *path, bool *is_edges, struct error *err);

/* Ids: text that is a whole number in its shortest form is a number, all else a string. */
struct vid loader_id(struct slice text);
/* Whether loader_id takes it: UTF-8, neither empty nor longer than VID_TEXT_MAX. */
bool loader_is_id(struct slice text);
/* Types by name, any case: string, boolean, byte, short, int, long, float, double, date,
   datetime, uuid, char, bigint, bigdecimal and their usual other names (Neptune's, GraphML's,
   Neo4j's). */
bool loader_type_is_known(struct slice type);
/* False if the text is no value of the type. */
bool loader_value(struct arena *arena, struct slice type, struct slice text, struct value *out);

#endif
