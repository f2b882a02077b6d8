#include "common/bulk.h"
#include "router/op/exec.h"
#include "router/op/items.h"

struct unfold {
    struct op op;
    struct batch in;
    uint32_t at; /* Traverser of `in` that is being taken apart. */
    uint32_t item;
    struct items items;
    bool has_items;
    struct arena_mark in_mark;   /* Behind `in`. */
    struct arena_mark item_mark; /* Behind the items taken apart. */
};

/* Some of one traverser's items. */
static void give(struct unfold *self, struct exec *exec, struct batch *out)
{
    const struct traverser *from = &self->in.items[self->at];

    if (!self->has_items) {
        self->item = 0;
        self->has_items = items_of(&exec->stream, &from->value, &self->items);
        if (!self->has_items) {
            struct traverser same = op_split(&self->op, exec, from, from->value);
            batch_push(out, &same);
            self->at++;
            return;
        }
        self->item_mark = op_mark(exec);
    }
    while (self->item < self->items.count && out->count < OP_BATCH) {
        uint32_t i = self->item++;
        struct traverser next = op_split(&self->op, exec, from, self->items.values[i]);
        next.bulk = bulk_mul(next.bulk, self->items.bulks == NULL ? 1 : self->items.bulks[i]);
        batch_push(out, &next);
    }
    if (self->item == self->items.count) {
        self->has_items = false;
        self->at++;
    }
}

static enum pull pull(struct op *op, struct exec *exec, struct batch *out)
{
    struct unfold *self = (struct unfold *)op;

    if (self->at < self->in.count) {
        op_release(op, exec, self->has_items ? &self->item_mark : &self->in_mark);
    }
    while (out->count < OP_BATCH) {
        if (self->at == self->in.count) {
            if (out->count > 0) {
                break;
            }
            enum pull rc = op_pull(op->input, exec, &self->in);
            self->at = 0;
            if (rc != PULL_BATCH) {
                batch_clear(&self->in);
                return rc;
            }
            self->in_mark = op_mark(exec);
        }
        give(self, exec, out);
    }
    return PULL_BATCH;
}

static void reset(struct op *op, struct exec *exec)
{
    struct unfold *self = (struct unfold *)op;

    (void)exec;
    batch_clear(&self->in);
    self->at = 0;
    self->has_items = false;
}

static void close(struct op *op)
{
    batch_close(&((struct unfold *)op)->in);
}

extern const struct op_class unfold_class;

const struct op_class unfold_class = {
    .name = "unfold",
    .holds = HOLDS_NOTHING,
    .size = sizeof(struct unfold),
    .pull = pull,
    .reset = reset,
    .close = close,
};
