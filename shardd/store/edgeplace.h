/*
 * edgeplace.h -- edge id -> where its out half is: source, label, destination; packed by edge id.
 *
 *   low -> varint count, head (which columns are integers, one label), edge ids, sources,
 * destinations, label
 *
 * Only edges whose out half is in this file, and claims (change.h): ids of edges whose out half is
 * in another shard's, with the empty name as label (edgeplace_is_claim). The destination is there
 * so that the half is found at once among the many runs of a super-node.
 *
 * Shell: table `place`. Limits: EDGEPLACE_COUNT_MAX edges a run that is written.
 */
#ifndef SHARDD_STORE_EDGEPLACE_H
#define SHARDD_STORE_EDGEPLACE_H

#include "shardd/store/stmt.h"
#include "shardd/store/symbol.h"
#include "shardd/store/vids.h"

enum {
    EDGEPLACE_COUNT_MAX = 144,
    EDGEPLACE_COUNT_LIMIT = 4096, /* Damaged, if there are more. */
    EDGEPLACE_BYTES_MAX = 940
};

struct edgeplace {
    struct vid edge;
    struct vid source;
    struct vid far;
    uint32_t label;
};

struct edgeplace_op {
    bool is_add; /* Else drop. */
    struct edgeplace place;
    uint64_t sequence; /* Order in which they happened. */
};

/* A run, decoded: columns side by side. */
struct edgeplace_run {
    uint32_t count;
    struct vids edges;
    struct vids sources;
    struct vids fars;
    uint32_t label; /* Of all, if labels is null. */
    const int64_t *labels;
};

/* Remembers the last run read: lookups in order of edge ids read each run once. All zero at
 * first. */
struct edgeplace_finder {
    struct arena arena;
    struct edgeplace_run run;
    bool has_run; /* run is [low, high). */
    bool has_high;
    struct vid low;
    struct vid high;
};

/* Orders the ops, then carries them out. An add of what is there replaces it; a drop takes away
 * only what has the same source. */
int edgeplace_apply(struct stmt *stmt, struct edgeplace_op *ops, size_t op_count,
                    struct error *err);
/* 1: *out borrows from the finder until the next call; 0: not here; or an error. */
int edgeplace_find(struct stmt *stmt, struct edgeplace_finder *finder, const struct vid *edge,
                   struct edgeplace *out, struct error *err);
void edgeplace_finder_close(struct edgeplace_finder *finder);

void edgeplace_encode(struct bytes *out, struct arena *scratch, const struct edgeplace *list,
                      uint32_t count);
/* Returns E_OK or E_CORRUPT. The columns are in the arena. */
int edgeplace_decode(struct slice blob, struct arena *arena, struct edgeplace_run *run,
                     struct error *err);
bool edgeplace_is_claim(const struct symbol_table *symbols, uint32_t label);
struct edgeplace edgeplace_at(const struct edgeplace_run *run, uint32_t i);

#endif
