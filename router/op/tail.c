#include "common/bulk.h"
#include "router/op/exec.h"
#include "router/op/items.h"
#include "router/op/quota.h"
#include "router/op/slots.h"
#include "router/plan/params.h"

#include <assert.h>
#include <string.h>

struct tail {
    struct op op;
    struct batch in;
    struct batch held;
    struct slots totals; /* uint64_t of each tag: bulk held. */
    bool is_drained;
    uint32_t at;
};

static struct value cut(struct arena *arena, const struct plan_tail *plan,
                        const struct value *value)
{
    struct items items;
    const struct value *flat;
    uint32_t count, low;

    if (!items_of(arena, value, &items)) {
        return *value;
    }
    flat = items_flat(arena, &items, &count);
    low = plan->count >= count ? 0 : count - (uint32_t)plan->count;
    return items_collect(arena, value, flat + low, count - low);
}

static enum pull pull_local(struct tail *self, struct exec *exec, struct batch *out)
{
    const struct plan_tail *plan = self->op.plan->params;
    enum pull rc = op_pull(self->op.input, exec, &self->in);

    for (uint32_t i = 0; rc == PULL_BATCH && i < self->in.count; i++) {
        struct traverser next = op_split(&self->op, exec, &self->in.items[i],
                                         cut(&exec->stream, plan, &self->in.items[i].value));
        batch_push(out, &next);
    }
    return rc;
}

/* Drops what cannot be among the last any more. */
static void trim(struct tail *self, const struct plan_tail *plan)
{
    uint32_t kept = 0;

    for (uint32_t i = 0; i < self->held.count; i++) {
        struct traverser *traverser = &self->held.items[i];
        uint64_t *total = slots_at(&self->totals, traverser->tag, sizeof *total);
        uint64_t surplus = *total > plan->count ? *total - plan->count : 0;
        uint64_t cut_off = surplus < traverser->bulk ? surplus : traverser->bulk;
        *total -= cut_off;
        traverser->bulk -= cut_off;
        if (traverser->bulk > 0) {
            self->held.items[kept++] = *traverser;
        }
    }
    self->held.count = kept;
}

static enum pull drain(struct tail *self, struct exec *exec)
{
    const struct plan_tail *plan = self->op.plan->params;
    uint32_t bound = OP_GATHER;
    enum pull rc;

    while ((rc = op_pull(self->op.input, exec, &self->in)) == PULL_BATCH) {
        for (uint32_t i = 0; i < self->in.count; i++) {
            uint64_t *total = slots_at(&self->totals, self->in.items[i].tag, sizeof *total);
            *total = bulk_add(*total, self->in.items[i].bulk);
            batch_push(&self->held, &self->in.items[i]);
        }
        if (self->held.count >= bound) {
            trim(self, plan);
            bound = 2 * self->held.count + OP_GATHER;
        }
        if (quota_check(exec, self->held.count, sizeof(struct traverser)) != PULL_BATCH) {
            return PULL_ERROR;
        }
    }
    if (rc == PULL_DONE) {
        trim(self, plan);
    }
    return rc;
}

static enum pull pull(struct op *op, struct exec *exec, struct batch *out)
{
    struct tail *self = (struct tail *)op;

    if (((const struct plan_tail *)op->plan->params)->scope == SCOPE_LOCAL) {
        return pull_local(self, exec, out);
    }
    if (!self->is_drained) {
        enum pull rc = drain(self, exec);
        if (rc != PULL_DONE) {
            return rc;
        }
        self->is_drained = true;
    }
    while (self->at < self->held.count && out->count < OP_BATCH) {
        batch_push(out, &self->held.items[self->at++]);
    }
    return out->count > 0 ? PULL_BATCH : PULL_DONE;
}

static void reset(struct op *op, struct exec *exec)
{
    struct tail *self = (struct tail *)op;

    (void)exec;
    batch_clear(&self->held);
    slots_clear(&self->totals, sizeof(uint64_t));
    self->is_drained = false;
    self->at = 0;
}

static void close(struct op *op)
{
    struct tail *self = (struct tail *)op;

    batch_close(&self->in);
    batch_close(&self->held);
    slots_close(&self->totals);
}

extern const struct op_class tail_class;

const struct op_class tail_class = {
    .name = "tail",
    .holds = HOLDS_RUN,
    .size = sizeof(struct tail),
    .pull = pull,
    .reset = reset,
    .close = close,
};
