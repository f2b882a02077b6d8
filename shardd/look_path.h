/*
 * look_path.h -- which way a scan of vertices goes: the best that its filters allow.
 *
 *   index, equality   >   index, range or prefix   >   label index   >   all vertices
 */
#ifndef SHARDD_LOOK_PATH_H
#define SHARDD_LOOK_PATH_H

#include "shardd/look.h"

enum look_path_kind { LOOK_PATH_SCAN, LOOK_PATH_LABEL, LOOK_PATH_INDEX };

/* Keys from low to high, both included. */
struct look_path_range {
    struct indexkey low;
    struct indexkey high;
    const struct value *value; /* Equality: the operand; else null. */
};

struct look_path {
    enum look_path_kind kind;
    const struct propindex *index;
    bool is_equality; /* All ranges are single values. */
    uint32_t range_count;
    struct look_path_range *ranges;
    bool has_labels; /* Only vertices of these labels can pass. */
    uint32_t label_count;
    const struct slice *labels;
};

void look_path_choose(struct look *look, struct look_path *path);
/* The place of a row among the ranges, first in their order: false if it is in none. */
bool look_path_first(struct look *look, const struct look_path *path, const struct vrow *row,
                     uint32_t *range, struct indexkey *key);
/* For labels only (edges too): the labels that ON_LABEL filters allow. */
void look_path_labels(struct look *look, struct look_path *path);

#endif
