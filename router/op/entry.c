#include "router/op/entry.h"

#include <assert.h>

struct entry {
    struct op op;
    const struct traverser *items;
    uint32_t count;
    uint32_t at; /* Next to give. */
    bool is_local;
};

extern const struct op_class entry_class;

void entry_give(struct op *op, const struct traverser *items, uint32_t count, bool is_local)
{
    struct entry *self = (struct entry *)op;

    assert(op->class == &entry_class);
    self->items = items;
    self->count = count;
    self->at = 0;
    self->is_local = is_local;
}

static enum pull pull(struct op *op, struct exec *exec, struct batch *out)
{
    struct entry *self = (struct entry *)op;

    (void)exec;
    while (self->at < self->count && out->count < OP_BATCH) {
        batch_push(out, &self->items[self->at]);
        if (self->is_local) {
            struct traverser *last = &out->items[out->count - 1];
            last->tag = self->at;
            last->bulk = 1;
        }
        self->at++;
    }
    return out->count > 0 ? PULL_BATCH : PULL_DONE;
}

const struct op_class entry_class = {
    .name = "entry",
    .holds = HOLDS_NOTHING,
    .size = sizeof(struct entry),
    .pull = pull,
};
