/*
 * look_filter.h -- whether a vertex, an edge half or a far vertex passes a request's filters.
 */
#ifndef SHARDD_LOOK_FILTER_H
#define SHARDD_LOOK_FILTER_H

#include "shardd/look.h"

/* An edge as far as filters need it. */
struct look_filter_edge {
    struct vid id;
    uint32_t label;
    const struct run_half *half; /* Properties; null if the filters have no keys. */
};

bool look_filter_vertex(struct look *look, const struct vid *id, const struct vrow *row);
bool look_filter_edge(struct look *look, const struct read_filter *filters, uint32_t count,
                      const struct look_filter_edge *edge);
/* Id and label of a far vertex. */
bool look_filter_far(struct look *look, const struct vid *id, uint32_t label);
bool look_filter_label(const struct look *look, const struct read_filter *filters, uint32_t count,
                       uint32_t label);
/* What of an edge the filters look at. */
enum run_want look_filter_want(const struct read_filter *filters, uint32_t count);

#endif
