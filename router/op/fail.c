#include "router/op/child.h"
#include "router/op/exec.h"
#include "router/plan/params.h"

struct fail_op {
    struct op op;
    struct batch in;
    struct by_run by; /* fail(traversal). */
    bool is_asking;
};

static int open(struct op *op, struct exec *exec)
{
    struct fail_op *self = (struct fail_op *)op;
    const struct plan_fail *plan = op->plan->params;

    if (plan->child == PLAN_NO_CHILD) {
        return E_OK;
    }
    return by_open_child(&self->by, exec, op->plan->children[plan->child]);
}

static enum pull pull(struct op *op, struct exec *exec, struct batch *out)
{
    struct fail_op *self = (struct fail_op *)op;
    const struct plan_fail *plan = op->plan->params;
    struct slice message =
        plan->message.data == NULL ? SLICE("fail() step triggered") : plan->message;
    struct value value;
    bool is_productive;
    enum pull rc = PULL_BATCH;

    (void)out;
    if (!self->is_asking) {
        rc = op_pull(op->input, exec, &self->in);
    }
    if (rc == PULL_BATCH && plan->child != PLAN_NO_CHILD) {
        self->is_asking = true;
        rc = by_values(&self->by, exec, self->in.items, 1, &value, &is_productive);
        if (rc == PULL_BATCH && is_productive) {
            message = value_text(&exec->arena, &value);
        }
    }
    if (rc != PULL_BATCH) {
        return rc;
    }
    exec->fail_message = message;
    return op_fail(exec, E_FAIL_STEP, "%.*s", (int)message.size, (const char *)message.data);
}

static void close(struct op *op)
{
    struct fail_op *self = (struct fail_op *)op;

    batch_close(&self->in);
    if (self->by.plan != NULL) {
        by_close(&self->by);
    }
}

extern const struct op_class fail_class;

const struct op_class fail_class = {
    .name = "fail",
    .holds = HOLDS_NOTHING,
    .size = sizeof(struct fail_op),
    .open = open,
    .pull = pull,
    .close = close,
};
