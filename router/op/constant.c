#include "router/op/exec.h"
#include "router/plan/params.h"

struct constant {
    struct op op;
    struct batch in;
};

static enum pull pull(struct op *op, struct exec *exec, struct batch *out)
{
    struct constant *self = (struct constant *)op;
    const struct plan_constant *plan = op->plan->params;
    enum pull rc = op_pull(op->input, exec, &self->in);

    for (uint32_t i = 0; rc == PULL_BATCH && i < self->in.count; i++) {
        struct traverser next = op_split(op, exec, &self->in.items[i], plan->value);
        batch_push(out, &next);
    }
    return rc;
}

static void close(struct op *op)
{
    batch_close(&((struct constant *)op)->in);
}

extern const struct op_class constant_class;

const struct op_class constant_class = {
    .name = "constant",
    .holds = HOLDS_NOTHING,
    .size = sizeof(struct constant),
    .pull = pull,
    .close = close,
};
