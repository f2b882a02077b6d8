/*
 * edgerun.h -- one packed run of an adjacency: edge halves of a vertex, direction and label.
 *
 *   head: far ids are integers | edge ids are | far labels differ | properties
 *         | count (4 bits; 0: a varint follows)
 *   far ids   far label (or a column of them)   edge ids   [columns of properties]
 *
 * At most EDGERUN_COUNT_MAX halves, ordered by edgerun_order: the only place that knows the order.
 * A hop reads the front of a run and nothing of edge ids and properties. A property is a column:
 * all integers packed (pack.h), or packed values one after another, with a bit map if some halves
 * have none.
 *
 * Pure. Decoded runs are in the arena and point into the blob.
 * Limits: EDGERUN_COUNT_LIMIT halves in a run that is read. Stored: never change the form.
 */
#ifndef SHARDD_STORE_EDGERUN_H
#define SHARDD_STORE_EDGERUN_H

#include "shardd/store/vids.h"

enum {
    EDGERUN_COUNT_MAX = 128, /* Halves in a run that is written. */
    EDGERUN_BYTES_MAX =
        920, /* So that the row stays inside a page of 4 KiB (SQLite spills from 1002). */
    EDGERUN_COUNT_LIMIT = 4096 /* Damaged, if there are more. */
};

struct edgerun_prop {
    uint32_t key;        /* Symbol. */
    struct slice packed; /* packed.h */
};

/* One edge half, when runs are edited. */
struct edgerun_half {
    struct vid far;
    struct vid edge;
    uint32_t far_label; /* Symbol. */
    uint32_t prop_count;
    const struct edgerun_prop *props;
};

struct edgerun_column {
    uint32_t key;
    const struct slice *values; /* One a half; data null: absent. */
};

enum edgerun_want {
    EDGERUN_FAR = 0,  /* Far ids and labels. */
    EDGERUN_EDGE = 1, /* Edge ids too. */
    EDGERUN_ALL = 2   /* And properties. */
};

struct edgerun {
    uint32_t count;
    struct vids far;
    struct vids edge;
    uint32_t far_label; /* When far_labels is null: all the same. */
    const int64_t *far_labels;
    uint32_t column_count;
    const struct edgerun_column *columns;
};

static inline uint32_t edgerun_far_label(const struct edgerun *run, uint32_t i)
{
    return run->far_labels == NULL ? run->far_label : (uint32_t)run->far_labels[i];
}

/* How halves are ordered within (vertex, direction, label). */
int edgerun_order(const struct vid *far_a, const struct vid *edge_a, const struct vid *far_b,
                  const struct vid *edge_b);
void edgerun_encode(struct bytes *out, struct arena *scratch, const struct edgerun_half *halves,
                    uint32_t count);
/* Returns E_OK or E_CORRUPT. */
int edgerun_decode(struct slice blob, enum edgerun_want want, struct arena *arena,
                   struct edgerun *run, struct error *err);
/* A run decoded with EDGERUN_ALL as halves, in the arena. */
struct edgerun_half *edgerun_halves(const struct edgerun *run, struct arena *arena);
/* The place of an edge of a run, or count. */
uint32_t edgerun_find(const struct edgerun *run, const struct vid *far, const struct vid *edge);

#endif
