#include "router/op/bag.h"
#include "router/op/exec.h"
#include "router/op/quota.h"
#include "router/plan/params.h"

/* Gathers (all, or so many) and merges traversers that nothing tells apart. */
struct barrier {
    struct op op;
    struct batch in;
    struct batch held;
    struct bag index; /* Entry i is for held item i where they were merged. */
    bool is_drained;
    bool is_giving;
    uint32_t at;
};

static int open(struct op *op, struct exec *exec)
{
    (void)exec;
    bag_init(&((struct barrier *)op)->index, NULL);
    return E_OK;
}

static void take(struct barrier *self, const struct traverser *traverser, bool merges)
{
    bool is_new = true;
    uint32_t place;

    if (!merges) {
        batch_push(&self->held, traverser);
        return;
    }
    place = bag_at(&self->index, traverser->tag, &traverser->value, &is_new);
    if (is_new) {
        self->index.entries[place].bulk = self->held.count;
        batch_push(&self->held, traverser);
        return;
    }
    struct traverser *first = &self->held.items[self->index.entries[place].bulk];
    if (first->path == traverser->path && first->loops == traverser->loops &&
        first->sack == traverser->sack) {
        first->bulk += traverser->bulk;
    } else {
        batch_push(&self->held, traverser);
    }
}

static enum pull gather(struct barrier *self, struct exec *exec)
{
    const struct plan_barrier *plan = self->op.plan->params;
    enum pull rc;

    while (plan->max == 0 || self->held.count < plan->max) {
        rc = op_pull(self->op.input, exec, &self->in);
        if (rc != PULL_BATCH) {
            self->is_drained = rc == PULL_DONE;
            return rc;
        }
        for (uint32_t i = 0; i < self->in.count; i++) {
            take(self, &self->in.items[i], exec->plan->is_bulked);
        }
        if (quota_check(exec, self->held.count, sizeof(struct traverser)) != PULL_BATCH) {
            return PULL_ERROR;
        }
    }
    return PULL_DONE;
}

static enum pull pull(struct op *op, struct exec *exec, struct batch *out)
{
    struct barrier *self = (struct barrier *)op;

    for (;;) {
        while (self->is_giving && self->at < self->held.count && out->count < OP_BATCH) {
            batch_push(out, &self->held.items[self->at++]);
        }
        if (out->count > 0) {
            return PULL_BATCH;
        }
        if (self->is_giving) {
            self->is_giving = false;
            batch_clear(&self->held);
            bag_clear(&self->index);
        }
        if (self->is_drained) {
            return PULL_DONE;
        }
        enum pull rc = gather(self, exec);
        if (rc != PULL_DONE) {
            return rc;
        }
        self->is_giving = true;
        self->at = 0;
    }
}

static void reset(struct op *op, struct exec *exec)
{
    struct barrier *self = (struct barrier *)op;

    (void)exec;
    batch_clear(&self->held);
    bag_clear(&self->index);
    self->is_drained = false;
    self->is_giving = false;
    self->at = 0;
}

static void close(struct op *op)
{
    struct barrier *self = (struct barrier *)op;

    batch_close(&self->in);
    batch_close(&self->held);
    bag_close(&self->index);
}

extern const struct op_class barrier_class;

const struct op_class barrier_class = {
    .name = "barrier",
    .size = sizeof(struct barrier),
    .open = open,
    .pull = pull,
    .reset = reset,
    .close = close,
};
