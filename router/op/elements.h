/*
 * elements.h -- what V() and E() have in common: elements by id, or all that pass the filters.
 *
 * As a start step the rows stream through. In the middle of a traversal every traverser meets the
 * same elements: they are read once, kept, and read again only after the transaction has changed
 * something. With READ_COUNT it is a reducing operator (a sum of bulks a tag), with
 * READ_LABEL_COUNTS a map.
 */
#ifndef ROUTER_OP_ELEMENTS_H
#define ROUTER_OP_ELEMENTS_H

#include "router/op/rowset.h"

struct elements {
    struct op op;
    bool is_edges;
    struct exec *exec;
    struct read_request spec;
    struct arena_mark mark; /* Behind what is given from, for op_release. */
    struct fetch *fetch;
    struct rowset rows;
    bool is_read;    /* All rows are in `rows`. */
    uint32_t seen;   /* Changes of the transaction when they were read. */
    struct batch in; /* Mid-traversal: those who meet the elements. */
    uint32_t in_at;
    uint32_t row_at;
    bool is_input_done;
    uint64_t *totals; /* READ_COUNT: one a tag; on the heap. */
    uint32_t tag_at;  /* Next result to give. */
};

int elements_open(struct op *op, struct exec *exec, bool is_edges);
enum pull elements_pull(struct op *op, struct exec *exec, struct batch *out);
void elements_reset(struct op *op, struct exec *exec);
void elements_close(struct op *op);

#endif
