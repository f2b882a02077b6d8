#include "router/op/bag.h"
#include "router/op/by_set.h"
#include "router/op/exec.h"
#include "router/op/items.h"
#include "router/op/quota.h"
#include "router/op/scope.h"

enum { ABSENT = INT32_MAX };

struct dedup {
    struct op op;
    struct bag seen; /* On the heap. */
    struct by_set bys;
    struct batch in;
    uint32_t *places; /* Of the batch: one a label, or one. */
    bool is_seeing;
};

static int open(struct op *op, struct exec *exec)
{
    struct dedup *self = (struct dedup *)op;
    const struct plan_dedup *plan = op->plan->params;

    bag_init(&self->seen, NULL);
    return by_set_open(&self->bys, exec, op->plan, plan->by.kind == BY_IDENTITY ? 0 : 1, &plan->by);
}

/* ---- local: the items of a collection ---- */

static struct value distinct(struct dedup *self, struct arena *arena, const struct value *value)
{
    struct items items;
    struct value *kept;
    uint32_t count = 0;

    if (!items_of(arena, value, &items)) {
        return *value;
    }
    bag_clear(&self->seen);
    kept = arena_array(arena, items.count + 1u, sizeof *kept);
    for (uint32_t i = 0; i < items.count; i++) {
        bool is_new;
        bag_at(&self->seen, 0, &items.values[i], &is_new);
        if (is_new) {
            kept[count++] = items.values[i];
        }
    }
    return value_items(arena, VALUE_SET, kept, count);
}

static enum pull pull_local(struct dedup *self, struct exec *exec, struct batch *out)
{
    enum pull rc = op_pull(self->op.input, exec, &self->in);

    for (uint32_t i = 0; rc == PULL_BATCH && i < self->in.count; i++) {
        struct traverser next = op_split(&self->op, exec, &self->in.items[i],
                                         distinct(self, &exec->arena, &self->in.items[i].value));
        batch_push(out, &next);
    }
    return rc;
}

/* ---- global ---- */

static void look_up(struct dedup *self, struct exec *exec)
{
    const struct plan_dedup *plan = self->op.plan->params;
    uint32_t width = plan->label_count == 0 ? 1 : plan->label_count;

    by_set_clear(&self->bys);
    self->places = arena_array(&exec->arena, (size_t)width * self->in.count, sizeof *self->places);
    for (uint32_t i = 0; i < self->in.count; i++) {
        const struct traverser *traverser = &self->in.items[i];
        uint32_t *places = self->places + (size_t)i * width;
        for (uint32_t j = 0; j < width; j++) {
            struct value value = traverser->value;
            if (plan->label_count > 0 &&
                !scope_get(exec, traverser, plan->labels[j], POP_LAST, &value)) {
                places[0] = ABSENT;
                break;
            }
            places[j] = by_set_add(&self->bys, 0, traverser, &value);
        }
    }
}

/* What has to be new. False: there is nothing to compare. */
static bool key_of(struct dedup *self, struct exec *exec, uint32_t row, struct value *out)
{
    const struct plan_dedup *plan = self->op.plan->params;
    uint32_t width = plan->label_count == 0 ? 1 : plan->label_count;
    const uint32_t *places = self->places + (size_t)row * width;
    struct value *parts;

    if (places[0] == ABSENT) {
        return false;
    }
    parts = width == 1 ? out : arena_array(&exec->arena, width, sizeof *parts);
    for (uint32_t j = 0; j < width; j++) {
        const struct value *value = by_set_get(&self->bys, 0, places[j]);
        if (value == NULL) {
            return false;
        }
        parts[j] = *value;
    }
    if (width > 1) {
        *out = value_items(&exec->arena, VALUE_LIST, parts, width);
    }
    return true;
}

static void keep_new(struct dedup *self, struct exec *exec, bool is_plain, struct batch *out)
{
    for (uint32_t i = 0; i < self->in.count; i++) {
        struct traverser *traverser = &self->in.items[i];
        struct value key = traverser->value;
        bool is_new = false;
        if (is_plain || key_of(self, exec, i, &key)) {
            bag_at(&self->seen, traverser->tag, &key, &is_new);
        }
        if (is_new) {
            traverser->bulk = 1;
            batch_push(out, traverser);
        }
    }
}

static enum pull pull(struct op *op, struct exec *exec, struct batch *out)
{
    struct dedup *self = (struct dedup *)op;
    const struct plan_dedup *plan = op->plan->params;
    bool is_plain = plan->label_count == 0 && plan->by.kind == BY_IDENTITY;

    if (plan->scope == SCOPE_LOCAL) {
        return pull_local(self, exec, out);
    }
    while (out->count == 0) {
        enum pull rc = PULL_BATCH;
        if (!self->is_seeing) {
            rc = op_pull(op->input, exec, &self->in);
            if (rc == PULL_BATCH && !is_plain) {
                look_up(self, exec);
                self->is_seeing = true;
            }
        }
        if (rc == PULL_BATCH && !is_plain) {
            rc = by_set_run(&self->bys, exec);
        }
        if (rc != PULL_BATCH) {
            return rc;
        }
        self->is_seeing = false;
        keep_new(self, exec, is_plain, out);
        rc = quota_check(exec, self->seen.count, sizeof(struct bag_entry));
        if (rc != PULL_BATCH) {
            batch_clear(out);
            return rc;
        }
    }
    return PULL_BATCH;
}

/* In repeat() what an earlier round has seen stays seen. */
static void next_round(struct op *op, struct exec *exec)
{
    struct dedup *self = (struct dedup *)op;

    (void)exec;
    by_set_clear(&self->bys);
    self->is_seeing = false;
}

static void reset(struct op *op, struct exec *exec)
{
    next_round(op, exec);
    bag_clear(&((struct dedup *)op)->seen);
}

static void close(struct op *op)
{
    struct dedup *self = (struct dedup *)op;

    bag_close(&self->seen);
    by_set_close(&self->bys);
    batch_close(&self->in);
}

extern const struct op_class dedup_class;

const struct op_class dedup_class = {
    .name = "dedup",
    .holds = HOLDS_RUN,
    .size = sizeof(struct dedup),
    .open = open,
    .pull = pull,
    .reset = reset,
    .round = next_round,
    .close = close,
};
