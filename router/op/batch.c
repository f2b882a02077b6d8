#include "router/op/op.h"

#include "common/mem.h"

#include <assert.h>
#include <string.h>

enum { FIRST_ROOM = 64 };

void batch_clear(struct batch *batch)
{
    batch->count = 0;
}

void batch_close(struct batch *batch)
{
    mem_free(batch->items);
    *batch = (struct batch){0};
}

struct traverser *batch_add(struct batch *batch)
{
    if (batch->count == batch->room) {
        assert(batch->room <= UINT32_MAX / 2);
        batch->room = batch->room == 0 ? FIRST_ROOM : 2 * batch->room;
        batch->items = mem_resize(batch->items, batch->room * sizeof *batch->items);
    }
    struct traverser *slot = &batch->items[batch->count++];
    *slot = (struct traverser){.bulk = 1};
    return slot;
}

void batch_push(struct batch *batch, const struct traverser *traverser)
{
    struct traverser copy = *traverser; /* It may lie in the batch itself. */

    assert(copy.bulk > 0);
    *batch_add(batch) = copy;
}
