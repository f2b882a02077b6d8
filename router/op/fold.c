#include "router/op/exec.h"
#include "router/op/operation.h"
#include "router/op/slots.h"
#include "router/plan/params.h"

#include <assert.h>

/* Of one tag: a list that grows, or what the operator has made of the seed. */
struct folded {
    struct value *items;
    uint32_t count, room;
    bool is_seeded;
    struct value value;
};

struct fold {
    struct op op;
    struct batch in;
    struct slots folds;
    bool is_drained;
    uint32_t tag;
};

static void append(struct exec *exec, struct folded *to, const struct value *value)
{
    if (to->count == to->room) {
        uint32_t room = to->room == 0 ? 4 : to->room * 2;
        struct value *items = arena_array(&exec->stream, room, sizeof *items);
        for (uint32_t i = 0; i < to->count; i++) {
            items[i] = to->items[i];
        }
        to->items = items;
        to->room = room;
    }
    to->items[to->count++] = *value;
}

/* fold([], addAll): what is no collection is added as it is. */
static struct value addend(const struct plan_fold *plan, const struct value *value)
{
    bool is_wrapped = plan->operation == OPERATOR_ADD_ALL && plan->seed.kind != VALUE_MAP &&
                      value->kind != VALUE_NULL && value->kind != VALUE_LIST &&
                      value->kind != VALUE_SET && value->kind != VALUE_PATH &&
                      value->kind != VALUE_BULKSET;

    return is_wrapped ? (struct value){.kind = VALUE_LIST, .size = 1, .items = value} : *value;
}

static int add(struct fold *self, struct exec *exec, const struct traverser *traverser)
{
    const struct plan_fold *plan = self->op.plan->params;
    struct folded *to = slots_at(&self->folds, traverser->tag, sizeof *to);
    int rc = E_OK;

    if (plan->has_seed && !to->is_seeded) {
        to->is_seeded = true;
        to->value = plan->seed;
    }
    op_charge(exec, traverser->bulk);
    for (uint64_t i = 0; rc == E_OK && i < traverser->bulk && !exec->stream.is_exceeded; i++) {
        if (plan->has_seed) {
            struct value other = addend(plan, &traverser->value);
            rc = operation_apply(&exec->stream, plan->operation, &to->value, &other, &to->value,
                                 &exec->error);
        } else {
            append(exec, to, &traverser->value);
        }
    }
    return rc;
}

static enum pull drain(struct fold *self, struct exec *exec)
{
    enum pull rc;

    while ((rc = op_pull(self->op.input, exec, &self->in)) == PULL_BATCH) {
        for (uint32_t i = 0; i < self->in.count; i++) {
            if (add(self, exec, &self->in.items[i]) != E_OK) {
                return PULL_ERROR;
            }
        }
    }
    return rc;
}

static enum pull pull(struct op *op, struct exec *exec, struct batch *out)
{
    struct fold *self = (struct fold *)op;
    const struct plan_fold *plan = op->plan->params;

    if (!self->is_drained) {
        enum pull rc = drain(self, exec);
        if (rc != PULL_DONE) {
            return rc;
        }
        self->is_drained = true;
    }
    for (; self->tag < op->tags && out->count < OP_BATCH; self->tag++) {
        struct folded *of = slots_at(&self->folds, self->tag, sizeof *of);
        struct value value =
            (struct value){.kind = VALUE_LIST, .size = of->count, .items = of->items};
        if (!op_is_asked(op, self->tag)) {
            continue;
        }
        if (plan->has_seed) {
            value = of->is_seeded ? of->value : plan->seed;
        }
        struct traverser next = op_start(op, exec, self->tag, value);
        batch_push(out, &next);
    }
    return out->count > 0 ? PULL_BATCH : PULL_DONE;
}

static void reset(struct op *op, struct exec *exec)
{
    struct fold *self = (struct fold *)op;

    (void)exec;
    slots_clear(&self->folds, sizeof(struct folded));
    self->is_drained = false;
    self->tag = 0;
}

static void close(struct op *op)
{
    struct fold *self = (struct fold *)op;

    batch_close(&self->in);
    slots_close(&self->folds);
}

extern const struct op_class fold_class;

const struct op_class fold_class = {
    .name = "fold",
    .holds = HOLDS_RUN,
    .size = sizeof(struct fold),
    .pull = pull,
    .reset = reset,
    .close = close,
};
