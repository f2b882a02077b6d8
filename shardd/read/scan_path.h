/*
 * scan_path.h -- which way a scan of vertices goes: the best that its filters allow.
 *
 *   index, equality   >   index, range or prefix   >   label index   >   all vertices
 */
#ifndef SHARDD_READ_SCAN_PATH_H
#define SHARDD_READ_SCAN_PATH_H

#include "shardd/read/scan.h"

enum scan_path_kind { SCAN_PATH_ALL, SCAN_PATH_LABEL, SCAN_PATH_INDEX };

/* Keys from low to high, both included. */
struct scan_path_range {
    struct indexkey low;
    struct indexkey high;
    const struct value *value; /* Equality: the operand; else null. */
};

struct scan_path {
    enum scan_path_kind kind;
    const struct propindex *index;
    bool is_equality; /* All ranges are single values. */
    uint32_t range_count;
    struct scan_path_range *ranges;
    bool has_labels; /* Only vertices of these labels can pass. */
    uint32_t label_count;
    const struct slice *labels;
};

void scan_path_choose(struct scan *scan, struct scan_path *path);
/* The place of a row among the ranges, first in their order: false if it is in none. */
bool scan_path_first(struct scan *scan, const struct scan_path *path, const struct vrow *row,
                     uint32_t *range, struct indexkey *key);
/* For labels only (edges too): the labels that ON_LABEL filters allow. */
void scan_path_labels(struct scan *scan, struct scan_path *path);

#endif
