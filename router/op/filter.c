/* where(t), filter(t), not, and, or: each child runs once for those of the batch that are not
 * decided yet. */
#include "common/mem.h"
#include "router/op/child.h"
#include "router/op/exec.h"
#include "router/plan/params.h"

#include <assert.h>

struct filter {
    struct op op;
    struct batch in;
    struct op_gather gather;
    struct by_run *children;
    bool *is_decided; /* Of `in`; on the heap, as the arrays below. */
    bool *is_kept;
    struct batch open; /* The undecided; mark: place in `in`. */
    struct value *values;
    bool *is_productive;
    uint32_t room;
    uint32_t child_at; /* Child that runs. */
    uint32_t open_at;  /* First of `open` that it runs for. */
    bool is_running;
    struct arena_mark mark; /* Behind `in`. */
};

static const struct plan_filter *plan_of(const struct filter *self)
{
    return self->op.plan->params;
}

static int open(struct op *op, struct exec *exec)
{
    struct filter *self = (struct filter *)op;

    self->children = arena_array(&exec->arena, op->plan->child_count + 1, sizeof *self->children);
    for (uint32_t i = 0; i < op->plan->child_count; i++) {
        int rc = by_open_child(&self->children[i], exec, op->plan->children[i]);
        if (rc != E_OK) {
            return rc;
        }
    }
    return E_OK;
}

static void begin(struct filter *self)
{
    uint32_t count = self->in.count;

    if (count > self->room) {
        self->room = self->in.room;
        self->is_decided = mem_resize(self->is_decided, self->room);
        self->is_kept = mem_resize(self->is_kept, self->room);
        self->values = mem_resize(self->values, self->room * sizeof *self->values);
        self->is_productive = mem_resize(self->is_productive, self->room);
    }
    for (uint32_t i = 0; i < count; i++) {
        self->is_decided[i] = false;
        self->is_kept[i] = plan_of(self)->which != FILTER_ANY_OF;
    }
    self->child_at = 0;
    self->is_running = false;
}

static void gather_open(struct filter *self)
{
    batch_clear(&self->open);
    for (uint32_t i = 0; i < self->in.count; i++) {
        if (!self->is_decided[i]) {
            batch_push(&self->open, &self->in.items[i]);
            self->open.items[self->open.count - 1].mark = i;
        }
    }
    self->open_at = 0;
    self->is_running = true;
}

static void decide(struct filter *self, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        uint32_t at = self->open.items[self->open_at + i].mark;
        bool is_in = self->is_productive[i];
        if (is_in == (plan_of(self)->which == FILTER_ALL_OF)) {
            continue; /* Says nothing yet. */
        }
        self->is_decided[at] = true;
        self->is_kept[at] = plan_of(self)->which == FILTER_ANY_OF;
    }
    self->open_at += count;
}

/* BATCH when all children have run. */
static enum pull run(struct filter *self, struct exec *exec)
{
    for (; self->child_at < self->op.plan->child_count; self->child_at++) {
        struct by_run *by = &self->children[self->child_at];
        if (!self->is_running) {
            gather_open(self);
        }
        while (self->open_at < self->open.count) {
            uint32_t left = self->open.count - self->open_at;
            uint32_t max = child_batch_max(&by->child);
            uint32_t count = left < max ? left : max;
            enum pull rc = by_values(by, exec, self->open.items + self->open_at, count,
                                     self->values, self->is_productive);
            if (rc != PULL_BATCH) {
                return rc;
            }
            decide(self, count);
        }
        self->is_running = false;
    }
    return PULL_BATCH;
}

static enum pull pull(struct op *op, struct exec *exec, struct batch *out)
{
    struct filter *self = (struct filter *)op;
    enum pull rc = PULL_BATCH;

    while (rc == PULL_BATCH && out->count == 0) {
        if (self->in.count == 0 || self->gather.is_open) {
            rc = op_gather(op, exec, &self->gather, &self->in);
            if (rc != PULL_BATCH) {
                return rc;
            }
            begin(self);
            self->mark = op_mark(exec);
        }
        rc = run(self, exec);
        if (rc != PULL_BATCH) {
            return rc;
        }
        op_forget(op, exec, &self->mark);
        for (uint32_t i = 0; i < self->in.count; i++) {
            if (self->is_kept[i]) {
                batch_push(out, &self->in.items[i]);
            }
        }
        batch_clear(&self->in);
    }
    return rc;
}

static void reset(struct op *op, struct exec *exec)
{
    struct filter *self = (struct filter *)op;

    (void)exec;
    for (uint32_t i = 0; i < op->plan->child_count; i++) {
        by_reset(&self->children[i]);
    }
    batch_clear(&self->in);
    op_gather_reset(&self->gather);
    self->is_running = false;
}

static void close(struct op *op)
{
    struct filter *self = (struct filter *)op;

    for (uint32_t i = 0; self->children != NULL && i < op->plan->child_count; i++) {
        by_close(&self->children[i]);
    }
    batch_close(&self->in);
    op_gather_close(&self->gather);
    batch_close(&self->open);
    mem_free(self->is_decided);
    mem_free(self->is_kept);
    mem_free(self->values);
    mem_free(self->is_productive);
}

extern const struct op_class filter_class;

const struct op_class filter_class = {
    .name = "filter",
    .holds = HOLDS_NOTHING,
    .size = sizeof(struct filter),
    .open = open,
    .pull = pull,
    .reset = reset,
    .close = close,
};
