/* map(t), flatMap(t), local(t): the child runs for a slice of the batch at a time; results stream
 * through. */
#include "common/bulk.h"
#include "common/mem.h"
#include "router/op/child.h"
#include "router/op/exec.h"
#include "router/plan/params.h"

#include <assert.h>
#include <string.h>

struct map_op {
    struct op op;
    struct child child;
    struct batch in;
    struct op_gather gather;
    struct batch slice; /* What the child runs for. */
    struct batch results;
    bool is_splitting; /* local() with side effects inside: a run for each of a bulk. */
    bool is_single;    /* One traverser at a time. */
    bool is_running;
    uint32_t at;     /* Next of `in` to run for. */
    uint64_t copies; /* Of its bulk, when splitting. */
    bool *is_seen;   /* MAP_FIRST: of the slice; on the heap. */
    uint32_t seen_room;
};

static const struct plan_map *plan_of(const struct map_op *self)
{
    return self->op.plan->params;
}

static int open(struct op *op, struct exec *exec)
{
    struct map_op *self = (struct map_op *)op;

    assert(op->plan->child_count == 1);
    self->is_splitting =
        plan_of(self)->which == MAP_LOCAL && child_is_collecting(op->plan->children[0]);
    self->is_single = plan_of(self)->is_single || child_is_reading(op->plan->children[0]);
    return child_open(&self->child, exec, op->plan->children[0]);
}

static enum pull next_slice(struct map_op *self, struct exec *exec)
{
    uint32_t max = self->is_single ? 1 : child_batch_max(&self->child);

    max = max < OP_GATHER ? max : OP_GATHER;

    if (self->at == self->in.count || self->gather.is_open) {
        self->at = 0;
        enum pull rc = op_gather(&self->op, exec, &self->gather, &self->in);
        if (rc != PULL_BATCH) {
            return rc;
        }
    }
    batch_clear(&self->slice);
    while (self->at < self->in.count && self->slice.count < max) {
        const struct traverser *from = &self->in.items[self->at];
        batch_push(&self->slice, from);
        if (self->is_splitting) {
            self->slice.items[self->slice.count - 1].bulk = 1;
        }
        if (!self->is_splitting || ++self->copies == from->bulk) {
            self->copies = 0;
            self->at++;
        }
    }
    if (self->slice.count > self->seen_room) {
        self->seen_room = self->slice.room;
        self->is_seen = mem_resize(self->is_seen, self->seen_room);
    }
    memset(self->is_seen, 0, self->slice.count);
    child_start(&self->child, exec, self->slice.items, self->slice.count);
    self->is_running = true;
    return PULL_BATCH;
}

static void give(struct map_op *self, struct exec *exec, const struct traverser *result,
                 struct batch *out)
{
    const struct traverser *from = &self->slice.items[result->tag];
    struct traverser next;

    switch (plan_of(self)->which) {
    case MAP_FIRST:
        if (self->is_seen[result->tag]) {
            return;
        }
        self->is_seen[result->tag] = true;
        next = op_split(&self->op, exec, from, result->value);
        break;
    case MAP_FLAT:
        next = op_split(&self->op, exec, from, result->value);
        next.bulk = bulk_mul(from->bulk, result->bulk);
        break;
    case MAP_LOCAL:
        next = *result;
        next.tag = from->tag;
        next.loops = from->loops;
        next.bulk = bulk_mul(from->bulk, result->bulk);
        break;
    }
    batch_push(out, &next);
}

static enum pull pull(struct op *op, struct exec *exec, struct batch *out)
{
    struct map_op *self = (struct map_op *)op;

    while (out->count == 0) {
        enum pull rc = self->is_running ? PULL_BATCH : next_slice(self, exec);
        if (rc != PULL_BATCH) {
            return rc;
        }
        rc = child_pull(&self->child, exec, &self->results);
        if (rc == PULL_DONE) {
            self->is_running = false;
            continue;
        }
        if (rc != PULL_BATCH) {
            return rc;
        }
        for (uint32_t i = 0; i < self->results.count; i++) {
            give(self, exec, &self->results.items[i], out);
        }
    }
    return PULL_BATCH;
}

static void reset(struct op *op, struct exec *exec)
{
    struct map_op *self = (struct map_op *)op;

    (void)exec;
    batch_clear(&self->in);
    op_gather_reset(&self->gather);
    self->at = 0;
    self->copies = 0;
    self->is_running = false;
}

static void close(struct op *op)
{
    struct map_op *self = (struct map_op *)op;

    child_close(&self->child);
    batch_close(&self->in);
    op_gather_close(&self->gather);
    batch_close(&self->slice);
    batch_close(&self->results);
    mem_free(self->is_seen);
}

extern const struct op_class map_class;

const struct op_class map_class = {
    .name = "map",
    .holds = HOLDS_NOTHING,
    .size = sizeof(struct map_op),
    .open = open,
    .pull = pull,
    .reset = reset,
    .close = close,
};
