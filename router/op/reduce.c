#include "common/bulk.h"
#include "common/number.h"
#include "router/op/exec.h"
#include "router/op/items.h"
#include "router/op/slots.h"
#include "router/plan/params.h"

#include <assert.h>

/* What a sum, least, greatest or mean has come to. Nulls are seen, but not counted. */
struct amount {
    bool is_seen;
    uint64_t count;
    struct value value;
};

struct reduce {
    struct op op;
    struct batch in;
    struct slots amounts;
    bool is_drained;
    uint32_t tag;
};

static int add_number(struct exec *exec, struct amount *amount, const struct value *value,
                      uint64_t bulk)
{
    struct value times = value_long((int64_t)bulk), product = *value;
    int rc = E_OK;

    if (!value_is_number(value)) {
        return error_set(&exec->error, E_EVALUATION, "sum() and mean() need numbers, not a %s",
                         value_kind_name((enum value_kind)value->kind));
    }
    if (bulk > 1) {
        /* The bulk is of no wider class than the value. */
        struct value narrow;
        if (number_convert(&exec->arena, (enum value_kind)value->kind, &times, &narrow, NULL) ==
            E_OK) {
            times = narrow;
        }
        rc = number_apply(&exec->arena, NUMBER_MUL, value, &times, &product, &exec->error);
    }
    if (rc == E_OK && amount->count > 0) {
        rc = number_apply(&exec->arena, NUMBER_ADD, &amount->value, &product, &product,
                          &exec->error);
    }
    amount->value = product;
    return rc;
}

static int add_extreme(struct exec *exec, struct amount *amount, const struct value *value,
                       bool is_min)
{
    bool is_less;

    if (amount->count == 0) {
        amount->value = *value;
        return E_OK;
    }
    if (value_is_number(value) && value_is_number(&amount->value)) {
        return number_apply(&exec->arena, is_min ? NUMBER_MIN : NUMBER_MAX, &amount->value, value,
                            &amount->value, &exec->error);
    }
    is_less = value_order(value, &amount->value) < 0;
    if (is_less == is_min) {
        amount->value = *value;
    }
    return E_OK;
}

static int add(struct reduce *self, struct exec *exec, struct amount *amount,
               const struct value *value, uint64_t bulk)
{
    const struct plan_reduce *plan = self->op.plan->params;
    int rc;

    amount->is_seen = true;
    if (value->kind == VALUE_NULL) {
        return E_OK;
    }
    if (plan->which == REDUCE_SUM || plan->which == REDUCE_MEAN) {
        rc = add_number(exec, amount, value, bulk);
    } else {
        rc = add_extreme(exec, amount, value, plan->which == REDUCE_MIN);
    }
    amount->count = bulk_add(amount->count, bulk);
    return rc;
}

/* Only nulls: null. */
static int result_of(struct reduce *self, struct exec *exec, const struct amount *amount,
                     struct value *out)
{
    const struct plan_reduce *plan = self->op.plan->params;

    *out = amount->count == 0 ? value_null() : amount->value;
    if (amount->count == 0 || plan->which != REDUCE_MEAN) {
        return E_OK;
    }
    if (amount->value.kind == VALUE_BIGINT || amount->value.kind == VALUE_DECIMAL) {
        struct value count = value_long((int64_t)amount->count), sum;
        int rc = number_convert(&exec->arena, VALUE_DECIMAL, &amount->value, &sum, &exec->error);
        return rc != E_OK ? rc
                          : number_apply(&exec->arena, NUMBER_DIV, &sum, &count, out, &exec->error);
    }
    *out = value_double(number_double(&amount->value) / (double)amount->count);
    return E_OK;
}

/* ---- local ---- */

static int reduce_items(struct reduce *self, struct exec *exec, const struct value *value,
                        struct amount *amount)
{
    struct items items;
    int rc = E_OK;

    if (!items_of(&exec->arena, value, &items)) {
        return add(self, exec, amount, value, 1);
    }
    for (uint32_t i = 0; rc == E_OK && i < items.count; i++) {
        rc = add(self, exec, amount, &items.values[i], items.bulks == NULL ? 1 : items.bulks[i]);
    }
    return rc;
}

static enum pull pull_local(struct reduce *self, struct exec *exec, struct batch *out)
{
    while (out->count == 0) {
        enum pull rc = op_pull(self->op.input, exec, &self->in);
        if (rc != PULL_BATCH) {
            return rc;
        }
        for (uint32_t i = 0; i < self->in.count; i++) {
            struct amount amount = {0};
            struct value value;
            if (reduce_items(self, exec, &self->in.items[i].value, &amount) != E_OK) {
                return PULL_ERROR;
            }
            if (!amount.is_seen) {
                continue;
            }
            if (result_of(self, exec, &amount, &value) != E_OK) {
                return PULL_ERROR;
            }
            struct traverser next = op_split(&self->op, exec, &self->in.items[i], value);
            batch_push(out, &next);
        }
    }
    return PULL_BATCH;
}

/* ---- global ---- */

/* The amount outlives the traverser it came from. */
static int add_kept(struct reduce *self, struct exec *exec, struct amount *amount,
                    const struct traverser *traverser)
{
    struct value before = amount->value;
    int rc = add(self, exec, amount, &traverser->value, traverser->bulk);

    if (rc == E_OK &&
        (before.kind != amount->value.kind || before.bytes != amount->value.bytes)) {
        amount->value = value_copy(&exec->arena, &amount->value);
    }
    return rc;
}

static enum pull drain(struct reduce *self, struct exec *exec)
{
    enum pull rc;

    while ((rc = op_pull(self->op.input, exec, &self->in)) == PULL_BATCH) {
        for (uint32_t i = 0; i < self->in.count; i++) {
            const struct traverser *traverser = &self->in.items[i];
            struct amount *amount = slots_at(&self->amounts, traverser->tag, sizeof *amount);
            if (add_kept(self, exec, amount, traverser) != E_OK) {
                return PULL_ERROR;
            }
        }
    }
    return rc;
}

static enum pull pull(struct op *op, struct exec *exec, struct batch *out)
{
    struct reduce *self = (struct reduce *)op;

    if (((const struct plan_reduce *)op->plan->params)->scope == SCOPE_LOCAL) {
        return pull_local(self, exec, out);
    }
    if (!self->is_drained) {
        enum pull rc = drain(self, exec);
        if (rc != PULL_DONE) {
            return rc;
        }
        self->is_drained = true;
    }
    for (; self->tag < op->tags && out->count < OP_BATCH; self->tag++) {
        const struct amount *amount = slots_at(&self->amounts, self->tag, sizeof *amount);
        struct value value;
        if (!amount->is_seen) {
            continue;
        }
        if (result_of(self, exec, amount, &value) != E_OK) {
            return PULL_ERROR;
        }
        struct traverser next = op_start(op, exec, self->tag, value);
        batch_push(out, &next);
    }
    return out->count > 0 ? PULL_BATCH : PULL_DONE;
}

static void reset(struct op *op, struct exec *exec)
{
    struct reduce *self = (struct reduce *)op;

    (void)exec;
    slots_clear(&self->amounts, sizeof(struct amount));
    self->is_drained = false;
    self->tag = 0;
}

static void close(struct op *op)
{
    struct reduce *self = (struct reduce *)op;

    batch_close(&self->in);
    slots_close(&self->amounts);
}

extern const struct op_class reduce_class;

const struct op_class reduce_class = {
    .name = "reduce",
    .holds = HOLDS_SUMS,
    .size = sizeof(struct reduce),
    .pull = pull,
    .reset = reset,
    .close = close,
};
