#include "router/op/attempt.h"

#include "common/bulk.h"
#include "common/mem.h"
#include "router/op/exec.h"
#include "router/op/quota.h"

#include <assert.h>
#include <string.h>

int attempt_open(struct op *op, struct exec *exec)
{
    struct attempt *self = (struct attempt *)op;

    self->children = arena_array(&exec->arena, op->plan->child_count + 1, sizeof *self->children);
    for (uint32_t i = 0; i < op->plan->child_count; i++) {
        int rc = child_open(&self->children[i], exec, op->plan->children[i]);
        if (rc != E_OK) {
            return rc;
        }
    }
    return E_OK;
}

static uint32_t slice_max(const struct attempt *self)
{
    uint32_t max = UINT32_MAX;

    for (uint32_t i = 0; i < self->op.plan->child_count; i++) {
        uint32_t child = child_batch_max(&self->children[i]);
        max = child < max ? child : max;
    }
    return max;
}

/* Takes a slice of the batch: all, or one if a child changes the graph and the next must see that.
 * */
static enum pull fill(struct attempt *self, struct exec *exec)
{
    enum pull rc = op_gather(&self->op, exec, &self->gather, &self->in);

    if (rc != PULL_BATCH) {
        return rc;
    }
    if (self->in.count > self->room) {
        self->room = self->in.room;
        self->has_result = mem_resize(self->has_result, self->room);
        self->starts = mem_resize(self->starts, (self->room + 1) * sizeof *self->starts);
    }
    memset(self->has_result, 0, self->in.count);
    batch_clear(&self->results);
    self->open_at = 0;
    self->child_at = 0;
    return PULL_BATCH;
}

static void gather_open(struct attempt *self, uint32_t first, uint32_t end)
{
    batch_clear(&self->open);
    for (uint32_t i = first; i < end; i++) {
        if (!self->has_result[i]) {
            batch_push(&self->open, &self->in.items[i]);
            self->open.items[self->open.count - 1].mark = i;
        }
    }
}

static void take_results(struct attempt *self, struct exec *exec, const struct attempt_rule *rule)
{
    for (uint32_t i = 0; i < self->pulled.count; i++) {
        const struct traverser *result = &self->pulled.items[i];
        uint32_t place = self->open.items[result->tag].mark;
        const struct traverser *from = &self->in.items[place];
        struct traverser next = rule->split(&self->op, exec, from, result);
        next.mark = place;
        next.tag = from->tag;
        next.bulk = bulk_mul(from->bulk, result->bulk);
        batch_push(&self->results, &next);
        self->has_result[place] = true;
    }
}

/* Runs the children for in[open_at .. end): DONE when all have run. */
static enum pull run_slice(struct attempt *self, struct exec *exec, const struct attempt_rule *rule,
                           uint32_t end)
{
    while (self->child_at < self->op.plan->child_count) {
        struct child *child = &self->children[self->child_at];
        if (!self->is_running) {
            gather_open(self, self->open_at, end);
            if (self->open.count == 0) {
                break;
            }
            child_start(child, exec, self->open.items, self->open.count);
            self->is_running = true;
        }
        enum pull rc = child_pull(child, exec, &self->pulled);
        if (rc == PULL_BATCH) {
            take_results(self, exec, rule);
            if (quota_check(exec, self->results.count, sizeof(struct traverser)) != PULL_BATCH) {
                return PULL_ERROR;
            }
        } else if (rc == PULL_DONE) {
            self->is_running = false;
            self->child_at++;
        } else {
            return rc;
        }
    }
    return PULL_DONE;
}

static enum pull run(struct attempt *self, struct exec *exec, const struct attempt_rule *rule)
{
    uint32_t max = slice_max(self);

    while (self->open_at < self->in.count) {
        uint32_t left = self->in.count - self->open_at;
        uint32_t end = self->open_at + (left < max ? left : max);
        enum pull rc = run_slice(self, exec, rule, end);
        if (rc != PULL_DONE) {
            return rc;
        }
        self->open_at = end;
        self->child_at = 0;
    }
    return PULL_DONE;
}

/* Puts the results in the order of the traversers they come from: by counting, stable. */
static void sort_results(struct attempt *self)
{
    uint32_t count = self->results.count;
    uint32_t *starts = self->starts;

    if (count > self->sorted_room) {
        self->sorted_room = self->results.room;
        self->sorted = mem_resize(self->sorted, self->sorted_room * sizeof *self->sorted);
    }
    memset(starts, 0, (self->in.count + 1) * sizeof *starts);
    for (uint32_t i = 0; i < count; i++) {
        starts[self->results.items[i].mark + 1]++;
    }
    for (uint32_t i = 0; i < self->in.count; i++) {
        starts[i + 1] += starts[i];
    }
    for (uint32_t i = 0; i < count; i++) {
        self->sorted[starts[self->results.items[i].mark]++] = self->results.items[i];
    }
    if (count > 0) {
        memcpy(self->results.items, self->sorted, count * sizeof *self->sorted);
    }
}

static void add_fruitless(struct attempt *self)
{
    for (uint32_t i = 0; i < self->in.count; i++) {
        if (!self->has_result[i]) {
            batch_push(&self->results, &self->in.items[i]);
            self->results.items[self->results.count - 1].mark = i;
        }
    }
}

static bool give(struct attempt *self, struct batch *out)
{
    while (self->give_at < self->results.count && out->count < OP_BATCH) {
        batch_push(out, &self->results.items[self->give_at++]);
    }
    if (self->give_at == self->results.count) {
        self->is_giving = false;
        batch_clear(&self->in);
    }
    return out->count > 0;
}

enum pull attempt_pull(struct attempt *self, struct exec *exec, const struct attempt_rule *rule,
                       struct batch *out)
{
    for (;;) {
        enum pull rc;
        if (self->is_giving) {
            if (give(self, out)) {
                return PULL_BATCH;
            }
            continue;
        }
        if (self->in.count == 0 || self->gather.is_open) {
            rc = fill(self, exec);
            if (rc != PULL_BATCH) {
                return rc;
            }
        }
        rc = run(self, exec, rule);
        if (rc != PULL_DONE) {
            return rc;
        }
        if (rule->keeps_fruitless) {
            add_fruitless(self);
        }
        sort_results(self);
        self->give_at = 0;
        self->is_giving = true;
    }
}

void attempt_reset(struct op *op, struct exec *exec)
{
    struct attempt *self = (struct attempt *)op;

    (void)exec;
    batch_clear(&self->in);
    op_gather_reset(&self->gather);
    self->is_running = false;
    self->is_giving = false;
}

void attempt_close(struct op *op)
{
    struct attempt *self = (struct attempt *)op;

    for (uint32_t i = 0; self->children != NULL && i < op->plan->child_count; i++) {
        child_close(&self->children[i]);
    }
    batch_close(&self->in);
    op_gather_close(&self->gather);
    batch_close(&self->open);
    batch_close(&self->pulled);
    batch_close(&self->results);
    mem_free(self->has_result);
    mem_free(self->starts);
    mem_free(self->sorted);
}
