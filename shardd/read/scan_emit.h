/*
 * scan_emit.h -- results of a read: rows, sums, merged far vertices.
 *
 * Each emitter returns how many of the results offered were taken; fewer than offered means that a
 * limit was reached, for this input (limit_each) or for all (scan->is_full).
 */
#ifndef SHARDD_READ_SCAN_EMIT_H
#define SHARDD_READ_SCAN_EMIT_H

#include "shardd/read/scan.h"

/* Far vertices of one input, side by side: ids, and one label or labels. */
struct scan_emit_block {
    const struct vids *ids;
    uint32_t from;
    uint32_t to;
    uint32_t label; /* If labels and wide_labels are null. */
    const uint32_t *labels;
    const int64_t *wide_labels;
};

struct scan_emit_edge {
    uint32_t label;
    uint8_t direction; /* Of the half: VROW_OUT or IN. */
    struct vid near;
    uint32_t near_label;
    const struct edgerun_half *half;
};

static inline uint32_t scan_emit_label(const struct scan_emit_block *block, uint32_t i)
{
    return block->labels != NULL        ? block->labels[i]
           : block->wide_labels != NULL ? (uint32_t)block->wide_labels[i]
                                        : block->label;
}

/* How many more results this input may give. */
uint64_t scan_emit_room(const struct scan *scan);
void scan_emit_vertex(struct scan *scan, const struct scan_vertex *vertex);
/* Far vertices; filters are the caller's. */
uint32_t scan_emit_far(struct scan *scan, const struct scan_vertex *vertex,
                       const struct scan_emit_block *block);
uint32_t scan_emit_edge(struct scan *scan, const struct scan_vertex *vertex,
                        const struct scan_emit_edge *edge);
/* Results that are only counted. */
uint64_t scan_emit_number(struct scan *scan, const struct scan_vertex *vertex, uint64_t count);
/* After each input: its sum, for READ_COUNT_EACH. */
void scan_emit_input_end(struct scan *scan, uint32_t ordinal);
/* At the end: sums and merged rows. */
void scan_emit_finish(struct scan *scan);

#endif
