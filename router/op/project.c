#include "router/op/by_set.h"
#include "router/op/exec.h"

struct project {
    struct op op;
    struct by_set bys;
    struct batch in;
    bool is_seeing;
};

static int open(struct op *op, struct exec *exec)
{
    const struct plan_project *plan = op->plan->params;

    return by_set_open(&((struct project *)op)->bys, exec, op->plan, plan->by_count, plan->bys);
}

/* A key whose by() gives nothing is left out. Place of row i in each lane is i: a lane sees each
 * row once. */
static struct value map_of(struct project *self, struct exec *exec, uint32_t row)
{
    const struct plan_project *plan = self->op.plan->params;
    struct value *pairs =
        arena_array(&exec->stream, 2 * (size_t)plan->key_count + 1, sizeof *pairs);
    uint32_t count = 0;

    for (uint32_t j = 0; j < plan->key_count; j++) {
        const struct value *value = by_set_get(&self->bys, j % self->bys.lane_count, row);
        if (value != NULL) {
            pairs[2 * count] = value_string(plan->keys[j]);
            pairs[2 * count++ + 1] = *value;
        }
    }
    return value_items(&exec->stream, VALUE_MAP, pairs, count);
}

static enum pull pull(struct op *op, struct exec *exec, struct batch *out)
{
    struct project *self = (struct project *)op;
    enum pull rc;

    if (!self->is_seeing) {
        rc = op_pull(op->input, exec, &self->in);
        if (rc != PULL_BATCH) {
            return rc;
        }
        by_set_clear(&self->bys);
        for (uint32_t i = 0; i < self->in.count; i++) {
            for (uint32_t j = 0; j < self->bys.lane_count; j++) {
                by_set_add(&self->bys, j, &self->in.items[i], &self->in.items[i].value);
            }
        }
        self->is_seeing = true;
    }
    rc = by_set_run(&self->bys, exec);
    if (rc != PULL_BATCH) {
        return rc;
    }
    self->is_seeing = false;
    for (uint32_t i = 0; i < self->in.count; i++) {
        struct traverser next = op_split(op, exec, &self->in.items[i], map_of(self, exec, i));
        batch_push(out, &next);
    }
    return PULL_BATCH;
}

static void reset(struct op *op, struct exec *exec)
{
    struct project *self = (struct project *)op;

    (void)exec;
    by_set_clear(&self->bys);
    self->is_seeing = false;
}

static void close(struct op *op)
{
    struct project *self = (struct project *)op;

    by_set_close(&self->bys);
    batch_close(&self->in);
}

extern const struct op_class project_class;

const struct op_class project_class = {
    .name = "project",
    .holds = HOLDS_NOTHING,
    .size = sizeof(struct project),
    .open = open,
    .pull = pull,
    .reset = reset,
    .close = close,
};
