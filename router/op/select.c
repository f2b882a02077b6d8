#include "router/op/by_set.h"
#include "router/op/exec.h"
#include "router/op/scope.h"

#include <assert.h>

enum { ABSENT = INT32_MAX };

struct select {
    struct op op;
    struct by_set bys;
    struct by_run key; /* select(traversal). */
    struct batch in;
    uint32_t *places;   /* Of the batch: one a label; ABSENT in the first: a label means nothing. */
    struct value *keys; /* select(traversal): of each traverser. */
    bool *has_key;
    bool is_asking; /* The keys are being found. */
    bool is_seeing; /* The by()s are being run. */
};

static int open(struct op *op, struct exec *exec)
{
    struct select *self = (struct select *)op;
    const struct plan_select *plan = op->plan->params;
    int rc = by_set_open(&self->bys, exec, op->plan, plan->by_count, plan->bys);

    if (rc == E_OK && plan->child != PLAN_NO_CHILD) {
        rc = by_open_child(&self->key, exec, op->plan->children[plan->child]);
    }
    return rc;
}

static uint32_t width_of(const struct plan_select *plan)
{
    return plan->child != PLAN_NO_CHILD ? 1 : plan->label_count;
}

static bool find(struct select *self, struct exec *exec, uint32_t row, uint32_t column,
                 struct value *out)
{
    const struct plan_select *plan = self->op.plan->params;
    const struct traverser *traverser = &self->in.items[row];
    const struct value *item;

    if (plan->child == PLAN_NO_CHILD) {
        return scope_get(exec, traverser, plan->labels[column], plan->pop, out);
    }
    if (!self->has_key[row]) {
        return false;
    }
    if (self->keys[row].kind == VALUE_STRING) {
        return scope_get(exec, traverser, value_slice(&self->keys[row]), plan->pop, out);
    }
    item =
        traverser->value.kind == VALUE_MAP ? value_get(&traverser->value, &self->keys[row]) : NULL;
    if (item != NULL) {
        *out = *item;
    }
    return item != NULL;
}

static void look_up(struct select *self, struct exec *exec)
{
    uint32_t width = width_of(self->op.plan->params);

    by_set_clear(&self->bys);
    self->places =
        arena_array(&exec->stream, (size_t)width * self->in.count + 1, sizeof *self->places);
    for (uint32_t i = 0; i < self->in.count; i++) {
        uint32_t *places = self->places + (size_t)i * width;
        for (uint32_t j = 0; j < width; j++) {
            struct value value;
            if (!find(self, exec, i, j, &value)) {
                places[0] = ABSENT;
                break;
            }
            places[j] =
                by_set_add(&self->bys, j % self->bys.lane_count, &self->in.items[i], &value);
        }
    }
}

/* A label that is named twice has one entry, the later. */
static struct value map_of(struct arena *arena, struct value *pairs, uint32_t count)
{
    uint32_t kept = 0;

    for (uint32_t i = 0; i < count; i++) {
        uint32_t at = 0;
        while (at < kept && !slice_equal(value_slice(&pairs[2 * at]), value_slice(&pairs[2 * i]))) {
            at++;
        }
        pairs[2 * at] = pairs[2 * i];
        pairs[2 * at + 1] = pairs[2 * i + 1];
        kept += at == kept;
    }
    return value_items(arena, VALUE_MAP, pairs, kept);
}

/* Only if every label means something and every by() gives something. */
static bool value_of(struct select *self, struct exec *exec, uint32_t row, struct value *out)
{
    const struct plan_select *plan = self->op.plan->params;
    uint32_t width = width_of(plan);
    const uint32_t *places = self->places + (size_t)row * width;
    struct value *pairs;

    if (width == 0 || places[0] == ABSENT) {
        return false;
    }
    pairs = arena_array(&exec->stream, 2 * (size_t)width, sizeof *pairs);
    for (uint32_t j = 0; j < width; j++) {
        const struct value *value = by_set_get(&self->bys, j % self->bys.lane_count, places[j]);
        if (value == NULL) {
            return false;
        }
        pairs[2 * j] = width > 1 ? value_string(plan->labels[j]) : value_null();
        pairs[2 * j + 1] = *value;
    }
    *out = width == 1 ? pairs[1] : map_of(&exec->stream, pairs, width);
    return true;
}

static enum pull pull_column(struct select *self, struct exec *exec, struct batch *out)
{
    const struct plan_select *plan = self->op.plan->params;
    enum pull rc = op_pull(self->op.input, exec, &self->in);

    for (uint32_t i = 0; rc == PULL_BATCH && i < self->in.count; i++) {
        const struct traverser *traverser = &self->in.items[i];
        struct value value;
        if (!by_column(&exec->stream, plan->column, &traverser->value, &value)) {
            return op_fail(exec, E_EVALUATION,
                           "The provided object does not have accessible %s: %s",
                           value_enumerator_name(plan->column),
                           value_kind_name((enum value_kind)traverser->value.kind));
        }
        struct traverser next = op_split(&self->op, exec, traverser, value);
        batch_push(out, &next);
    }
    return rc;
}

/* Brings `in` to where its by()s can run. */
static enum pull prepare(struct select *self, struct exec *exec)
{
    const struct plan_select *plan = self->op.plan->params;
    enum pull rc = PULL_BATCH;

    if (!self->is_asking) {
        rc = op_pull(self->op.input, exec, &self->in);
        if (rc == PULL_BATCH && plan->child != PLAN_NO_CHILD) {
            self->keys = arena_array(&exec->stream, self->in.count, sizeof *self->keys);
            self->has_key = arena_array(&exec->stream, self->in.count, sizeof *self->has_key);
            self->is_asking = true;
        }
    }
    if (rc == PULL_BATCH && self->is_asking) {
        rc = by_values(&self->key, exec, self->in.items, self->in.count, self->keys, self->has_key);
    }
    if (rc == PULL_BATCH) {
        self->is_asking = false;
        look_up(self, exec);
        self->is_seeing = true;
    }
    return rc;
}

static enum pull pull(struct op *op, struct exec *exec, struct batch *out)
{
    struct select *self = (struct select *)op;

    if (((const struct plan_select *)op->plan->params)->column != ENUMERATOR_COUNT) {
        return pull_column(self, exec, out);
    }
    while (out->count == 0) {
        enum pull rc = self->is_seeing ? PULL_BATCH : prepare(self, exec);
        if (rc == PULL_BATCH) {
            rc = by_set_run(&self->bys, exec);
        }
        if (rc != PULL_BATCH) {
            return rc;
        }
        self->is_seeing = false;
        for (uint32_t i = 0; i < self->in.count; i++) {
            struct value value;
            if (value_of(self, exec, i, &value)) {
                struct traverser next = op_split(op, exec, &self->in.items[i], value);
                batch_push(out, &next);
            }
        }
    }
    return PULL_BATCH;
}

static void reset(struct op *op, struct exec *exec)
{
    struct select *self = (struct select *)op;

    (void)exec;
    by_set_clear(&self->bys);
    if (self->key.plan != NULL) {
        by_reset(&self->key);
    }
    self->is_asking = false;
    self->is_seeing = false;
}

static void close(struct op *op)
{
    struct select *self = (struct select *)op;

    by_set_close(&self->bys);
    if (self->key.plan != NULL) {
        by_close(&self->key);
    }
    batch_close(&self->in);
}

extern const struct op_class select_class;

const struct op_class select_class = {
    .name = "select",
    .holds = HOLDS_NOTHING,
    .size = sizeof(struct select),
    .open = open,
    .pull = pull,
    .reset = reset,
    .close = close,
};
