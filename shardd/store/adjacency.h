/*
 * adjacency.h -- the runs of one (vertex, direction, label): finding, merging, splitting.
 *
 *   key (direction, vertex, label, low, lowe) -> run      a run holds [its low, the next one's low)
 *
 * low and lowe are the far id and edge id where a run begins; for compactness the first run begins
 * at 0, 0 if it can (integers not below 0, or texts), and lowe is 0 unless a run begins amid edges
 * to one far vertex. A run splits when it has more than EDGERUN_COUNT_MAX halves or
 * EDGERUN_BYTES_MAX
 * bytes.
 *
 * Shell: table `adjacency`.
 */
#ifndef SHARDD_STORE_ADJACENCY_H
#define SHARDD_STORE_ADJACENCY_H

#include "shardd/store/edgerun.h"
#include "shardd/store/stmt.h"

struct adjacency_key {
    uint8_t direction; /* VROW_OUT or VROW_IN. */
    struct vid vertex;
    uint32_t label;
};

enum adjacency_act {
    ADJACENCY_ADD,  /* half: all of it. */
    ADJACENCY_DROP, /* half: far, edge. */
    ADJACENCY_SET,  /* half: far, edge, props[0]. */
    ADJACENCY_UNSET /* half: far, edge, props[0].key. */
};

struct adjacency_op {
    enum adjacency_act act;
    struct edgerun_half half;
};

/* Carries out ops, sorted by edgerun_order (those of one edge in the order in which they happened).
 * degree is the count of halves before and, on return, after. Adding what is there replaces it;
 * dropping or setting what is not there does nothing: so that redoing is harmless. */
int adjacency_apply(struct stmt *stmt, const struct adjacency_key *key,
                    const struct adjacency_op *ops, uint32_t op_count, uint64_t *degree,
                    struct error *err);
/* The half whose far and edge ids are given, with its properties in the arena. Returns 1, 0 if it
 * is not there, or an error. */
int adjacency_find(struct stmt *stmt, const struct adjacency_key *key, struct arena *arena,
                   struct edgerun_half *half, struct error *err);
/* Says which row: prefixes the error with table and key. Returns code. */
int adjacency_blame(struct error *err, int code, const struct adjacency_key *key);

#endif
