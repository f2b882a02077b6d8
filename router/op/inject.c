#include "router/op/exec.h"
#include "router/plan/params.h"

/* Its values come first, for every tag that entered; then what comes in passes through. In front of
 * a child it is the other way round, as its start is what enters (TinkerPop's StartStep). */
struct inject {
    struct op op;
    uint32_t tag; /* Next to give. */
    uint32_t at;
    bool is_drained;
};

static bool give(struct inject *self, struct exec *exec, struct batch *out)
{
    const struct plan_inject *plan = self->op.plan->params;
    uint32_t tags = plan->is_start ? 1 : self->op.tags;

    while (self->tag < tags && out->count < OP_BATCH) {
        if (self->at == plan->value_count || !op_is_asked(&self->op, self->tag)) {
            self->at = 0;
            self->tag++;
            continue;
        }
        struct traverser next = op_start(&self->op, exec, self->tag, plan->values[self->at++]);
        batch_push(out, &next);
    }
    return out->count > 0;
}

static enum pull pull(struct op *op, struct exec *exec, struct batch *out)
{
    struct inject *self = (struct inject *)op;
    const struct plan_inject *plan = op->plan->params;

    if (plan->is_behind) {
        enum pull rc = self->is_drained ? PULL_DONE : op_pull(op->input, exec, out);
        self->is_drained = rc == PULL_DONE;
        return rc != PULL_DONE ? rc : give(self, exec, out) ? PULL_BATCH : PULL_DONE;
    }
    if (give(self, exec, out)) {
        return PULL_BATCH;
    }
    return plan->is_start || op->input == NULL ? PULL_DONE : op_pull(op->input, exec, out);
}

static void reset(struct op *op, struct exec *exec)
{
    struct inject *self = (struct inject *)op;

    (void)exec;
    self->tag = 0;
    self->at = 0;
    self->is_drained = false;
}

extern const struct op_class inject_class;

const struct op_class inject_class = {
    .name = "inject",
    .holds = HOLDS_NOTHING,
    .size = sizeof(struct inject),
    .pull = pull,
    .reset = reset,
};
