/*
 * rowset.h -- rows of a fetch, gathered and put in the order of the inputs they belong to.
 *
 * Pure. Ownership: on the heap, close it; elements are in the exec's arena.
 */
#ifndef ROUTER_OP_ROWSET_H
#define ROUTER_OP_ROWSET_H

#include "router/remote/fetch.h"

struct rowset {
    struct read_row *rows;
    uint32_t count;
    uint32_t room;
    uint32_t *starts; /* After rowset_sort: rows of input i are starts[i] .. starts[i + 1]. */
    uint32_t start_room;
};

void rowset_close(struct rowset *set);
/* Takes rows until there are max: BATCH; or all: DONE; or WAIT, ERROR. */
enum pull rowset_take(struct rowset *set, struct fetch *fetch, struct exec *exec, uint32_t max);
/* Stable. Sets starts[0 .. inputs]. */
void rowset_sort(struct rowset *set, uint32_t inputs);

#endif
