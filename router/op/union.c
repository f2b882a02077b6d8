#include "router/op/branches.h"
#include "router/op/exec.h"
#include "router/plan/params.h"

struct union_op {
    struct op op;
    struct branches branches;
    bool is_running;
    bool has_started; /* As a start step. */
};

static int open(struct op *op, struct exec *exec)
{
    struct union_op *self = (struct union_op *)op;

    return branches_open(&self->branches, exec, op->plan->children, op->plan->child_count);
}

/* As a start step each branch, which is a source, is entered once. */
static enum pull gather(struct union_op *self, struct exec *exec)
{
    const struct plan_union *plan = self->op.plan->params;

    if (!plan->is_start) {
        return branches_gather(&self->branches, exec, &self->op);
    }
    if (self->has_started) {
        return PULL_DONE;
    }
    self->has_started = true;
    struct traverser *nobody = batch_add(&self->branches.in);
    nobody->sack = exec->plan->has_sack ? &exec->plan->sack : NULL;
    return PULL_BATCH;
}

static enum pull pull(struct op *op, struct exec *exec, struct batch *out)
{
    struct union_op *self = (struct union_op *)op;

    for (;;) {
        enum pull rc;
        if (!self->is_running) {
            rc = gather(self, exec);
            if (rc != PULL_BATCH) {
                return rc;
            }
            for (uint32_t i = 0; i < self->branches.count; i++) {
                for (uint32_t k = 0; k < self->branches.in.count; k++) {
                    branches_share(&self->branches, i, k);
                }
            }
            branches_begin(&self->branches);
            self->is_running = true;
        }
        rc = branches_pull(&self->branches, exec, op->tags, out);
        if (rc != PULL_DONE) {
            return rc;
        }
        self->is_running = false;
    }
}

static void reset(struct op *op, struct exec *exec)
{
    struct union_op *self = (struct union_op *)op;

    (void)exec;
    branches_reset(&self->branches, false);
    self->is_running = false;
    self->has_started = false;
}

static void next_round(struct op *op, struct exec *exec)
{
    struct union_op *self = (struct union_op *)op;

    (void)exec;
    branches_reset(&self->branches, true);
    self->is_running = false;
}

static void close(struct op *op)
{
    branches_close(&((struct union_op *)op)->branches);
}

extern const struct op_class union_class;

const struct op_class union_class = {
    .name = "union",
    .holds = HOLDS_NOTHING,
    .size = sizeof(struct union_op),
    .open = open,
    .pull = pull,
    .reset = reset,
    .round = next_round,
    .close = close,
};
