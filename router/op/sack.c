#include "router/op/by_set.h"
#include "router/op/exec.h"
#include "router/op/operation.h"

/* sack() gives what the traverser carries; sack(operator) changes it by what by() gives. */
struct sack {
    struct op op;
    struct by_set bys;
    struct batch in;
    bool is_seeing;
};

static int open(struct op *op, struct exec *exec)
{
    const struct plan_sack *plan = op->plan->params;

    return by_set_open(&((struct sack *)op)->bys, exec, op->plan, plan->is_change ? 1 : 0,
                       &plan->by);
}

static struct value carried(const struct traverser *traverser)
{
    return traverser->sack == NULL ? value_null() : *traverser->sack;
}

static enum pull pull_value(struct sack *self, struct exec *exec, struct batch *out)
{
    enum pull rc = op_pull(self->op.input, exec, &self->in);

    for (uint32_t i = 0; rc == PULL_BATCH && i < self->in.count; i++) {
        struct traverser next =
            op_split(&self->op, exec, &self->in.items[i], carried(&self->in.items[i]));
        batch_push(out, &next);
    }
    return rc;
}

/* Those whose by() gives nothing go. */
static int change(struct sack *self, struct exec *exec, uint32_t row, struct batch *out)
{
    const struct plan_sack *plan = self->op.plan->params;
    struct traverser *traverser = &self->in.items[row];
    const struct value *value = by_set_get(&self->bys, 0, row);
    struct value *sack;
    struct value old = carried(traverser);
    int rc;

    if (value == NULL) {
        return E_OK;
    }
    sack = ARENA_NEW(&exec->stream, struct value);
    rc = operation_apply(&exec->stream, plan->operation, &old, value, sack, &exec->error);
    if (rc == E_OK) {
        traverser->sack = sack;
        batch_push(out, traverser);
    }
    return rc;
}

static enum pull pull(struct op *op, struct exec *exec, struct batch *out)
{
    struct sack *self = (struct sack *)op;

    if (!((const struct plan_sack *)op->plan->params)->is_change) {
        return pull_value(self, exec, out);
    }
    while (out->count == 0) {
        enum pull rc;
        if (!self->is_seeing) {
            rc = op_pull(op->input, exec, &self->in);
            if (rc != PULL_BATCH) {
                return rc;
            }
            by_set_clear(&self->bys);
            for (uint32_t i = 0; i < self->in.count; i++) {
                by_set_add(&self->bys, 0, &self->in.items[i], &self->in.items[i].value);
            }
            self->is_seeing = true;
        }
        rc = by_set_run(&self->bys, exec);
        if (rc != PULL_BATCH) {
            return rc;
        }
        self->is_seeing = false;
        for (uint32_t i = 0; i < self->in.count; i++) {
            if (change(self, exec, i, out) != E_OK) {
                batch_clear(out);
                return PULL_ERROR;
            }
        }
    }
    return PULL_BATCH;
}

static void reset(struct op *op, struct exec *exec)
{
    struct sack *self = (struct sack *)op;

    (void)exec;
    by_set_clear(&self->bys);
    self->is_seeing = false;
}

static void close(struct op *op)
{
    struct sack *self = (struct sack *)op;

    by_set_close(&self->bys);
    batch_close(&self->in);
}

extern const struct op_class sack_class;

const struct op_class sack_class = {
    .name = "sack",
    .holds = HOLDS_NOTHING,
    .size = sizeof(struct sack),
    .open = open,
    .pull = pull,
    .reset = reset,
    .close = close,
};
