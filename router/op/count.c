#include "common/bulk.h"
#include "router/op/exec.h"
#include "router/op/items.h"
#include "router/op/slots.h"
#include "router/plan/params.h"

struct count {
    struct op op;
    struct batch in;
    struct slots sums; /* uint64_t of each tag. */
    bool is_drained;
    uint32_t tag; /* Next to answer. */
};

static enum pull pull_local(struct count *self, struct exec *exec, struct batch *out)
{
    enum pull rc = op_pull(self->op.input, exec, &self->in);

    for (uint32_t i = 0; rc == PULL_BATCH && i < self->in.count; i++) {
        struct items items;
        bool has_items = items_of(&exec->stream, &self->in.items[i].value, &items);
        struct traverser next = op_split(&self->op, exec, &self->in.items[i],
                                         value_long(has_items ? (int64_t)items_total(&items) : 1));
        batch_push(out, &next);
    }
    return rc;
}

static enum pull drain(struct count *self, struct exec *exec)
{
    enum pull rc;

    while ((rc = op_pull(self->op.input, exec, &self->in)) == PULL_BATCH) {
        for (uint32_t i = 0; i < self->in.count; i++) {
            uint64_t *sum = slots_at(&self->sums, self->in.items[i].tag, sizeof *sum);
            *sum = bulk_add(*sum, self->in.items[i].bulk);
        }
    }
    return rc;
}

static enum pull pull(struct op *op, struct exec *exec, struct batch *out)
{
    struct count *self = (struct count *)op;

    if (((const struct plan_scope *)op->plan->params)->scope == SCOPE_LOCAL) {
        return pull_local(self, exec, out);
    }
    if (!self->is_drained) {
        enum pull rc = drain(self, exec);
        if (rc != PULL_DONE) {
            return rc;
        }
        self->is_drained = true;
    }
    while (self->tag < op->tags && out->count < OP_BATCH) {
        uint32_t tag = self->tag++;
        if (op_is_asked(op, tag)) {
            uint64_t *sum = slots_at(&self->sums, tag, sizeof *sum);
            if (*sum >= BULK_MAX) {
                return op_fail(exec, E_EVALUATION, "count(): long overflow");
            }
            struct traverser next = op_start(op, exec, tag, value_long((int64_t)*sum));
            batch_push(out, &next);
        }
    }
    return out->count > 0 ? PULL_BATCH : PULL_DONE;
}

static void reset(struct op *op, struct exec *exec)
{
    struct count *self = (struct count *)op;

    (void)exec;
    slots_clear(&self->sums, sizeof(uint64_t));
    self->is_drained = false;
    self->tag = 0;
}

static void close(struct op *op)
{
    struct count *self = (struct count *)op;

    batch_close(&self->in);
    slots_close(&self->sums);
}

extern const struct op_class count_class;

const struct op_class count_class = {
    .name = "count",
    .holds = HOLDS_SUMS,
    .size = sizeof(struct count),
    .pull = pull,
    .reset = reset,
    .close = close,
};
