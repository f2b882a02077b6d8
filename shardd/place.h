/*
 * place.h -- edge id -> where its out half is: source, label, destination; in packed runs by edge
 * id.
 *
 *   low -> varint count, head (which columns are integers, one label), edge ids, sources,
 * destinations, label
 *
 * Only edges whose out half is in this file. The destination is there so that the half is found at
 * once among the many runs of a super-node.
 *
 * Shell: table `place`. Limits: PLACE_COUNT_MAX edges a run that is written.
 */
#ifndef SHARDD_PLACE_H
#define SHARDD_PLACE_H

#include "shardd/stmt.h"
#include "shardd/vids.h"

enum {
    PLACE_COUNT_MAX = 144,
    PLACE_COUNT_LIMIT = 4096, /* Damaged, if there are more. */
    PLACE_BYTES_MAX = 940
};

struct place {
    struct vid edge;
    struct vid source;
    struct vid far;
    uint32_t label;
};

struct place_op {
    bool is_add; /* Else drop. */
    struct place place;
    uint64_t sequence; /* Order in which they happened. */
};

/* A run, decoded: columns side by side. */
struct place_run {
    uint32_t count;
    struct vids edges;
    struct vids sources;
    struct vids fars;
    uint32_t label; /* Of all, if labels is null. */
    const int64_t *labels;
};

/* Remembers the last run read: lookups in order of edge ids read each run once. All zero at
 * first. */
struct place_finder {
    struct arena arena;
    struct place_run run;
    bool has_run; /* run is [low, high). */
    bool has_high;
    struct vid low;
    struct vid high;
};

/* Orders the ops, then carries them out. An add of what is there replaces it. */
int place_apply(struct stmt *stmt, struct place_op *ops, size_t op_count, struct error *err);
/* 1: *out borrows from the finder until the next call; 0: not here; or an error. */
int place_find(struct stmt *stmt, struct place_finder *finder, const struct vid *edge,
               struct place *out, struct error *err);
void place_finder_close(struct place_finder *finder);

void place_encode(struct bytes *out, struct arena *scratch, const struct place *list,
                  uint32_t count);
/* Returns E_OK or E_CORRUPT. The columns are in the arena. */
int place_decode(struct slice blob, struct arena *arena, struct place_run *run, struct error *err);
struct place place_at(const struct place_run *run, uint32_t i);

#endif
