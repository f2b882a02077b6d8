/*
 * scan_filter.h -- whether a vertex, an edge half or a far vertex passes a request's filters.
 */
#ifndef SHARDD_READ_SCAN_FILTER_H
#define SHARDD_READ_SCAN_FILTER_H

#include "shardd/read/scan.h"

/* An edge as far as filters need it. */
struct scan_filter_edge {
    struct vid id;
    uint32_t label;
    const struct edgerun_half *half; /* Properties; null if the filters have no keys. */
};

bool scan_filter_vertex(struct scan *scan, const struct vid *id, const struct vrow *row);
bool scan_filter_edge(struct scan *scan, const struct read_filter *filters, uint32_t count,
                      const struct scan_filter_edge *edge);
/* Id and label of a far vertex. */
bool scan_filter_far(struct scan *scan, const struct vid *id, uint32_t label);
bool scan_filter_label(const struct scan *scan, const struct read_filter *filters, uint32_t count,
                       uint32_t label);
/* What of an edge the filters look at. */
enum edgerun_want scan_filter_want(const struct read_filter *filters, uint32_t count);

#endif
