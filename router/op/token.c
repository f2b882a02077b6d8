#include "router/op/child.h"
#include "router/op/exec.h"
#include "router/plan/params.h"

struct token {
    struct op op;
    struct batch in;
    struct load_run load;
    bool is_loading;
};

static int open(struct op *op, struct exec *exec)
{
    struct token *self = (struct token *)op;

    (void)exec;
    self->load = (struct load_run){.want = LOAD_LABEL, .op = op};
    return E_OK;
}

static enum pull pull(struct op *op, struct exec *exec, struct batch *out)
{
    struct token *self = (struct token *)op;
    const struct plan_token *plan = op->plan->params;
    enum pull rc = PULL_BATCH;

    if (!self->is_loading) {
        rc = op_pull(op->input, exec, &self->in);
    }
    if (rc == PULL_BATCH && plan->token == T_LABEL) {
        self->is_loading = true;
        rc = load_elements(&self->load, exec, self->in.items, self->in.count, false);
    }
    if (rc != PULL_BATCH) {
        return rc;
    }
    self->is_loading = false;
    for (uint32_t i = 0; i < self->in.count; i++) {
        struct value value;
        if (!by_token(plan->token, &self->in.items[i].value, &value)) {
            return op_fail(exec, E_EVALUATION, "%s() takes an element or a property, not a %s",
                           value_enumerator_name(plan->token),
                           value_kind_name((enum value_kind)self->in.items[i].value.kind));
        }
        struct traverser next = op_split(op, exec, &self->in.items[i], value);
        batch_push(out, &next);
    }
    return PULL_BATCH;
}

static void reset(struct op *op, struct exec *exec)
{
    struct token *self = (struct token *)op;

    (void)exec;
    load_reset(&self->load);
    self->is_loading = false;
}

static void close(struct op *op)
{
    struct token *self = (struct token *)op;

    load_close(&self->load);
    batch_close(&self->in);
}

extern const struct op_class token_class;

const struct op_class token_class = {
    .name = "token",
    .holds = HOLDS_NOTHING,
    .size = sizeof(struct token),
    .open = open,
    .pull = pull,
    .reset = reset,
    .close = close,
};
