/*
 * look_emit.h -- results of a read: rows, sums, merged far vertices.
 *
 * Each emitter returns how many of the results offered were taken; fewer than offered means that a
 * limit was reached, for this input (limit_each) or for all (look->is_full).
 */
#ifndef SHARDD_LOOK_EMIT_H
#define SHARDD_LOOK_EMIT_H

#include "shardd/look.h"

/* Far vertices of one input, side by side: ids, and one label or labels. */
struct look_emit_block {
    const struct vids *ids;
    uint32_t from;
    uint32_t to;
    uint32_t label; /* If labels and wide_labels are null. */
    const uint32_t *labels;
    const int64_t *wide_labels;
};

struct look_emit_edge {
    uint32_t label;
    uint8_t direction; /* Of the half: VROW_OUT or IN. */
    struct vid near;
    uint32_t near_label;
    const struct run_half *half;
};

static inline uint32_t look_emit_label(const struct look_emit_block *block, uint32_t i)
{
    return block->labels != NULL        ? block->labels[i]
           : block->wide_labels != NULL ? (uint32_t)block->wide_labels[i]
                                        : block->label;
}

/* How many more results this input may give. */
uint64_t look_emit_room(const struct look *look);
void look_emit_vertex(struct look *look, const struct look_vertex *vertex);
/* Far vertices; filters are the caller's. */
uint32_t look_emit_far(struct look *look, const struct look_vertex *vertex,
                       const struct look_emit_block *block);
uint32_t look_emit_edge(struct look *look, const struct look_vertex *vertex,
                        const struct look_emit_edge *edge);
/* Results that are only counted. */
uint64_t look_emit_number(struct look *look, const struct look_vertex *vertex, uint64_t count);
/* After each input: its sum, for READ_COUNT_EACH. */
void look_emit_input_end(struct look *look, uint32_t ordinal);
/* At the end: sums and merged rows. */
void look_emit_finish(struct look *look);

#endif
