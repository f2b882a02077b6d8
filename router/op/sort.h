/*
 * sort.h -- stable sorting of rows by several keys, as order() does it.
 *
 * Pure but for the chance of shuffle, which comes with it.
 */
#ifndef ROUTER_OP_SORT_H
#define ROUTER_OP_SORT_H

#include "common/prng.h"
#include "common/value.h"

struct sort_row {
    const struct value *keys; /* One a column. */
    uint32_t tag;             /* Rows of a tag stay together, lower tags first. */
    uint32_t index;           /* The caller's. */
};

struct sort_column {
    enum enumerator order; /* ORDER_*. */
};

/* Sorts in place; `spare` has room for as many. A shuffled column puts rows that are equal so far
 * in a random
 * order, so what follows it does not matter. */
void sort_rows(struct sort_row *rows, struct sort_row *spare, uint32_t count,
               const struct sort_column *columns, uint32_t column_count, struct prng *prng);

#endif
