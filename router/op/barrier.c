#include "common/bulk.h"
#include "common/number.h"
#include "router/op/bag.h"
#include "router/op/exec.h"
#include "router/op/operation.h"
#include "router/op/quota.h"
#include "router/op/slots.h"
#include "router/plan/params.h"

/* Gathers (all, or so many) and merges traversers that nothing tells apart. */
struct barrier {
    struct op op;
    struct batch in;
    struct batch held;
    struct bag index; /* Entry i is for held item i where they were merged. */
    bool is_drained;
    bool is_giving;
    uint32_t at;
};

static int open(struct op *op, struct exec *exec)
{
    (void)exec;
    bag_init(&((struct barrier *)op)->index, NULL);
    return E_OK;
}

static bool is_same_sack(const struct traverser *a, const struct traverser *b)
{
    return a->sack == b->sack ||
           (a->sack != NULL && b->sack != NULL && value_equivalent(a->sack, b->sack));
}

/* Makes the two one, if they may be. */
static int merge(struct exec *exec, struct traverser *first, const struct traverser *second,
                 bool *is_merged)
{
    const struct plan *plan = exec->plan;

    *is_merged = first->path == second->path && first->loops == second->loops;
    if (*is_merged && plan->sack_merge != ENUMERATOR_COUNT && first->sack != NULL &&
        second->sack != NULL) {
        struct value *sack = ARENA_NEW(&exec->arena, struct value);
        int rc = operation_apply(&exec->arena, plan->sack_merge, first->sack, second->sack, sack,
                                 &exec->error);
        if (rc != E_OK) {
            return rc;
        }
        first->sack = sack;
    } else if (!is_same_sack(first, second)) {
        *is_merged = false;
    }
    if (*is_merged && plan->is_bulked) {
        first->bulk = bulk_add(first->bulk, second->bulk);
    }
    return E_OK;
}

static int take(struct barrier *self, struct exec *exec, const struct traverser *traverser)
{
    bool merges = exec->plan->is_bulked || exec->plan->sack_merge != ENUMERATOR_COUNT;
    bool is_new = true, is_merged = false;
    int rc = E_OK;

    if (merges) {
        uint32_t place = bag_at(&self->index, traverser->tag, &traverser->value, &is_new);
        if (is_new) {
            self->index.entries[place].bulk = self->held.count;
        } else {
            uint64_t at = self->index.entries[place].bulk;
            rc = merge(exec, &self->held.items[at], traverser, &is_merged);
        }
    }
    if (!is_merged) {
        batch_push(&self->held, traverser);
    }
    return rc;
}

/* As a number that is divided with a fraction: exactly where the sack is exact and big, else as a
 * double. */
static int with_fraction(struct exec *exec, const struct value *sack, struct value *out)
{
    if (sack == NULL || !value_is_number(sack)) {
        return error_set(&exec->error, E_EVALUATION, "barrier(normSack) needs sacks of numbers");
    }
    if (sack->kind == VALUE_BIGINT || sack->kind == VALUE_DECIMAL) {
        return number_convert(&exec->arena, VALUE_DECIMAL, sack, out, &exec->error);
    }
    *out = value_double(number_double(sack));
    return E_OK;
}

static int add_sack(struct exec *exec, struct value *sum, const struct traverser *traverser)
{
    struct value sack, bulk = value_long((int64_t)traverser->bulk);
    int rc = with_fraction(exec, traverser->sack, &sack);

    if (rc == E_OK) {
        rc = number_apply(&exec->arena, NUMBER_MUL, &sack, &bulk, &sack, &exec->error);
    }
    if (rc == E_OK && sum->kind == VALUE_NULL) {
        *sum = sack;
    } else if (rc == E_OK) {
        rc = number_apply(&exec->arena, NUMBER_ADD, sum, &sack, sum, &exec->error);
    }
    return rc;
}

/* barrier(normSack): of each tag. */
static int normalise(struct barrier *self, struct exec *exec)
{
    const struct value zero = value_int(0);
    struct slots sums = {0};
    int rc = E_OK;

    for (uint32_t i = 0; rc == E_OK && i < self->held.count; i++) {
        const struct traverser *traverser = &self->held.items[i];
        rc = add_sack(exec, slots_at(&sums, traverser->tag, sizeof(struct value)), traverser);
    }
    for (uint32_t i = 0; rc == E_OK && i < self->held.count; i++) {
        struct traverser *traverser = &self->held.items[i];
        const struct value *sum = slots_at(&sums, traverser->tag, sizeof *sum);
        struct value *sack = ARENA_NEW(&exec->arena, struct value);
        rc = with_fraction(exec, traverser->sack, sack);
        if (sum->kind == VALUE_DECIMAL && number_order(sum, &zero) == 0) {
            *sack = value_int(0); /* As NumberHelper. */
        } else if (rc == E_OK) {
            rc = number_apply(&exec->arena, NUMBER_DIV, sack, sum, sack, &exec->error);
        }
        traverser->sack = sack;
    }
    slots_close(&sums);
    return rc;
}

static enum pull gather(struct barrier *self, struct exec *exec)
{
    const struct plan_barrier *plan = self->op.plan->params;
    enum pull rc;

    while (plan->max == 0 || self->held.count < plan->max) {
        rc = op_pull(self->op.input, exec, &self->in);
        if (rc != PULL_BATCH) {
            self->is_drained = rc == PULL_DONE;
            return rc;
        }
        for (uint32_t i = 0; i < self->in.count; i++) {
            if (take(self, exec, &self->in.items[i]) != E_OK) {
                return PULL_ERROR;
            }
        }
        if (quota_check(exec, self->held.count, sizeof(struct traverser)) != PULL_BATCH) {
            return PULL_ERROR;
        }
    }
    return PULL_DONE;
}

static enum pull pull(struct op *op, struct exec *exec, struct batch *out)
{
    struct barrier *self = (struct barrier *)op;

    for (;;) {
        while (self->is_giving && self->at < self->held.count && out->count < OP_BATCH) {
            batch_push(out, &self->held.items[self->at++]);
        }
        if (out->count > 0) {
            return PULL_BATCH;
        }
        if (self->is_giving) {
            self->is_giving = false;
            batch_clear(&self->held);
            bag_clear(&self->index);
        }
        if (self->is_drained) {
            return PULL_DONE;
        }
        enum pull rc = gather(self, exec);
        if (rc != PULL_DONE) {
            return rc;
        }
        if (((const struct plan_barrier *)op->plan->params)->is_norm &&
            normalise(self, exec) != E_OK) {
            return PULL_ERROR;
        }
        self->is_giving = true;
        self->at = 0;
    }
}

static void reset(struct op *op, struct exec *exec)
{
    struct barrier *self = (struct barrier *)op;

    (void)exec;
    batch_clear(&self->held);
    bag_clear(&self->index);
    self->is_drained = false;
    self->is_giving = false;
    self->at = 0;
}

static void close(struct op *op)
{
    struct barrier *self = (struct barrier *)op;

    batch_close(&self->in);
    batch_close(&self->held);
    bag_close(&self->index);
}

extern const struct op_class barrier_class;

const struct op_class barrier_class = {
    .name = "barrier",
    .holds = HOLDS_RUN,
    .size = sizeof(struct barrier),
    .open = open,
    .pull = pull,
    .reset = reset,
    .close = close,
};
