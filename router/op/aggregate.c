#include "router/op/by_set.h"
#include "router/op/effect.h"
#include "router/op/exec.h"
#include "router/op/quota.h"

/* Global: gathers all, then lets them go. Local: batch by batch. */
struct aggregate {
    struct op op;
    struct side_effect *effect;
    struct by_set bys;
    struct batch in;
    struct batch held;
    bool is_seeing; /* The by() of the batch in `in` is being run. */
    bool is_drained;
    uint32_t at;
};

static int open(struct op *op, struct exec *exec)
{
    struct aggregate *self = (struct aggregate *)op;
    const struct plan_aggregate *plan = op->plan->params;
    int rc;

    self->effect = exec_side_effect_make(exec, plan->key);
    rc = effect_claim(exec, self->effect, EFFECT_BAG);
    return rc != E_OK ? rc : by_set_open(&self->bys, exec, op->plan, 1, &plan->by);
}

/* Puts what the by() made of `in` into the side effect: local one by one, global all that one
 * traverser of the enclosing step gave, at once. */
static int collect(struct aggregate *self, struct exec *exec, bool is_global)
{
    struct value *values = arena_array(&exec->arena, self->in.count, sizeof *values);
    uint64_t *bulks = arena_array(&exec->arena, self->in.count, sizeof *bulks);
    uint32_t count = 0;
    int rc = E_OK;

    for (uint32_t i = 0; rc == E_OK && i < self->in.count; i++) {
        const struct value *value = by_set_get(&self->bys, 0, i);
        bool is_last = !is_global || i + 1 == self->in.count ||
                       self->in.items[i + 1].tag != self->in.items[i].tag;
        if (value != NULL) {
            values[count] = *value;
            bulks[count++] = self->in.items[i].bulk;
        }
        if (is_last) {
            rc = effect_add_all(exec, self->effect, values, bulks, count);
            count = 0;
        }
    }
    return rc;
}

/* Runs by() over `in`, then collects. BATCH when that is done. */
static enum pull see(struct aggregate *self, struct exec *exec, bool is_global)
{
    enum pull rc;

    if (!self->is_seeing) {
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
    return collect(self, exec, is_global) == E_OK ? PULL_BATCH : PULL_ERROR;
}

static enum pull pull_local(struct aggregate *self, struct exec *exec, struct batch *out)
{
    enum pull rc = PULL_BATCH;

    if (!self->is_seeing) {
        rc = op_pull(self->op.input, exec, &self->in);
    }
    if (rc == PULL_BATCH) {
        rc = see(self, exec, false);
    }
    for (uint32_t i = 0; rc == PULL_BATCH && i < self->in.count; i++) {
        batch_push(out, &self->in.items[i]);
    }
    return rc;
}

/* All of the input in `in`. */
static enum pull drain(struct aggregate *self, struct exec *exec)
{
    enum pull rc;

    while ((rc = op_pull(self->op.input, exec, &self->held)) == PULL_BATCH) {
        for (uint32_t i = 0; i < self->held.count; i++) {
            batch_push(&self->in, &self->held.items[i]);
        }
        if (quota_check(exec, self->in.count, sizeof(struct traverser)) != PULL_BATCH) {
            return PULL_ERROR;
        }
    }
    return rc;
}

static enum pull pull(struct op *op, struct exec *exec, struct batch *out)
{
    struct aggregate *self = (struct aggregate *)op;
    enum pull rc;

    if (((const struct plan_aggregate *)op->plan->params)->scope == SCOPE_LOCAL) {
        return pull_local(self, exec, out);
    }
    if (!self->is_drained) {
        rc = self->is_seeing ? PULL_DONE : drain(self, exec);
        if (rc == PULL_DONE) {
            rc = see(self, exec, true);
        }
        if (rc != PULL_BATCH) {
            return rc;
        }
        self->is_drained = true;
    }
    while (self->at < self->in.count && out->count < OP_BATCH) {
        batch_push(out, &self->in.items[self->at++]);
    }
    return out->count > 0 ? PULL_BATCH : PULL_DONE;
}

static void reset(struct op *op, struct exec *exec)
{
    struct aggregate *self = (struct aggregate *)op;

    (void)exec;
    by_set_clear(&self->bys);
    batch_clear(&self->in);
    self->is_seeing = false;
    self->is_drained = false;
    self->at = 0;
}

static void close(struct op *op)
{
    struct aggregate *self = (struct aggregate *)op;

    by_set_close(&self->bys);
    batch_close(&self->in);
    batch_close(&self->held);
}

extern const struct op_class aggregate_class;

const struct op_class aggregate_class = {
    .name = "aggregate",
    .size = sizeof(struct aggregate),
    .open = open,
    .pull = pull,
    .reset = reset,
    .close = close,
};
