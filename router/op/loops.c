#include "router/op/exec.h"
#include "router/plan/params.h"

struct loops {
    struct op op;
    struct batch in;
};

static const struct loop_node *find(const struct loop_node *node, struct slice name)
{
    while (node != NULL && name.data != NULL && !slice_equal(node->name, name)) {
        node = node->outer;
    }
    return node;
}

static enum pull pull(struct op *op, struct exec *exec, struct batch *out)
{
    struct loops *self = (struct loops *)op;
    const struct plan_loops *plan = op->plan->params;
    enum pull rc = op_pull(op->input, exec, &self->in);

    for (uint32_t i = 0; rc == PULL_BATCH && i < self->in.count; i++) {
        const struct loop_node *node = find(self->in.items[i].loops, plan->name);
        if (node == NULL && plan->name.data != NULL) {
            return op_fail(exec, E_EVALUATION, "Loop name not defined: %.*s", (int)plan->name.size,
                           (const char *)plan->name.data);
        }
        struct traverser next = op_split(op, exec, &self->in.items[i],
                                         value_int(node == NULL ? 0 : (int32_t)node->loops));
        batch_push(out, &next);
    }
    return rc;
}

static void close(struct op *op)
{
    batch_close(&((struct loops *)op)->in);
}

extern const struct op_class loops_class;

const struct op_class loops_class = {
    .name = "loops",
    .holds = HOLDS_NOTHING,
    .size = sizeof(struct loops),
    .pull = pull,
    .close = close,
};
