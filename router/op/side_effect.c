#include "router/op/child.h"
#include "router/op/exec.h"

#include <assert.h>

struct side_effect_op {
    struct op op;
    struct child child;
    struct batch in;
    struct op_gather gather;
    struct batch results; /* Thrown away. */
    bool is_running;
    uint32_t at; /* First of `in` that the child has not run for. */
};

static int open(struct op *op, struct exec *exec)
{
    struct side_effect_op *self = (struct side_effect_op *)op;

    assert(op->plan->child_count == 1);
    return child_open(&self->child, exec, op->plan->children[0]);
}

/* DONE when the child has run for the whole batch. */
static enum pull run(struct side_effect_op *self, struct exec *exec)
{
    uint32_t max = child_batch_max(&self->child);

    while (self->at < self->in.count) {
        uint32_t left = self->in.count - self->at;
        uint32_t count = left < max ? left : max;
        if (!self->is_running) {
            child_start(&self->child, exec, self->in.items + self->at, count);
            self->is_running = true;
        }
        enum pull rc = child_pull(&self->child, exec, &self->results);
        if (rc == PULL_DONE) {
            self->is_running = false;
            self->at += count;
        } else if (rc != PULL_BATCH) {
            return rc;
        }
    }
    return PULL_DONE;
}

static enum pull pull(struct op *op, struct exec *exec, struct batch *out)
{
    struct side_effect_op *self = (struct side_effect_op *)op;
    enum pull rc;

    if (self->in.count == 0 || self->gather.is_open) {
        rc = op_gather(op, exec, &self->gather, &self->in);
        if (rc != PULL_BATCH) {
            return rc;
        }
        self->at = 0;
    }
    rc = run(self, exec);
    if (rc != PULL_DONE) {
        return rc;
    }
    for (uint32_t i = 0; i < self->in.count; i++) {
        batch_push(out, &self->in.items[i]);
    }
    batch_clear(&self->in);
    return PULL_BATCH;
}

static void reset(struct op *op, struct exec *exec)
{
    struct side_effect_op *self = (struct side_effect_op *)op;

    (void)exec;
    batch_clear(&self->in);
    op_gather_reset(&self->gather);
    self->is_running = false;
}

static void close(struct op *op)
{
    struct side_effect_op *self = (struct side_effect_op *)op;

    child_close(&self->child);
    batch_close(&self->in);
    op_gather_close(&self->gather);
    batch_close(&self->results);
}

extern const struct op_class side_effect_class;

const struct op_class side_effect_class = {
    .name = "side effect",
    .size = sizeof(struct side_effect_op),
    .open = open,
    .pull = pull,
    .reset = reset,
    .close = close,
};
