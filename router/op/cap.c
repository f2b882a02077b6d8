#include "router/op/effect.h"
#include "router/op/exec.h"
#include "router/plan/params.h"

struct cap {
    struct op op;
    struct batch in;
    bool is_drained;
    uint32_t tag;
};

/* One key: its value. Several: a map. */
static struct value value_of(struct exec *exec, const struct plan_cap *plan)
{
    struct value *pairs = arena_array(&exec->arena, 2 * (size_t)plan->key_count, sizeof *pairs);

    for (uint32_t i = 0; i < plan->key_count; i++) {
        pairs[2 * i] = value_string(plan->keys[i]);
        pairs[2 * i + 1] = effect_value(exec, exec_side_effect(exec, plan->keys[i]));
    }
    return plan->key_count == 1 ? pairs[1]
                                : value_items(&exec->arena, VALUE_MAP, pairs, plan->key_count);
}

static int open(struct op *op, struct exec *exec)
{
    const struct plan_cap *plan = op->plan->params;

    for (uint32_t i = 0; i < plan->key_count; i++) {
        if (exec_side_effect(exec, plan->keys[i]) == NULL) {
            return error_set(&exec->error, E_INVALID,
                             "The side-effect key does not exist in the side-effects: %.*s",
                             (int)plan->keys[i].size, (const char *)plan->keys[i].data);
        }
    }
    return E_OK;
}

static enum pull pull(struct op *op, struct exec *exec, struct batch *out)
{
    struct cap *self = (struct cap *)op;

    while (!self->is_drained) {
        enum pull rc = op_pull(op->input, exec, &self->in);
        if (rc == PULL_DONE) {
            self->is_drained = true;
        } else if (rc != PULL_BATCH) {
            return rc;
        }
    }
    for (; self->tag < op->tags && out->count < OP_BATCH; self->tag++) {
        if (op_is_asked(op, self->tag)) {
            struct traverser next = op_start(op, exec, self->tag, value_of(exec, op->plan->params));
            batch_push(out, &next);
        }
    }
    return out->count > 0 ? PULL_BATCH : PULL_DONE;
}

static void reset(struct op *op, struct exec *exec)
{
    struct cap *self = (struct cap *)op;

    (void)exec;
    self->is_drained = false;
    self->tag = 0;
}

static void close(struct op *op)
{
    batch_close(&((struct cap *)op)->in);
}

extern const struct op_class cap_class;

const struct op_class cap_class = {
    .name = "cap",
    .size = sizeof(struct cap),
    .open = open,
    .pull = pull,
    .reset = reset,
    .close = close,
};
