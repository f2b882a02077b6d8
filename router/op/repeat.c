/*
 * repeat(): rounds over a wave of traversers, each round one batch through the body, or, when it is
 * large, some slices.
 *
 *   fill -> [until] -> [emit] -> body -> [until] -> [emit] -> next slice, next round -> fill
 *            before repeat()             after repeat()
 *
 * What ends or is emitted is given before the loop goes on, so that a limit() behind can stop it. A
 * wave is up to OP_GATHER traversers; all of the input if the body keeps state over traversers, one
 * if it changes the graph. Slices are as large as keeps their results, going by what came of those
 * before, at RESULTS_GOAL. After: RepeatStep.java of TinkerPop 3.8.
 */
#include "common/bulk.h"
#include "common/mem.h"
#include "router/op/child.h"
#include "router/op/exec.h"
#include "router/op/idset.h"
#include "router/op/quota.h"
#include "router/plan/params.h"

#include <assert.h>

enum state {
    FILL,
    UNTIL_FIRST,
    EMIT_FIRST,
    BODY,
    UNTIL,
    EMIT,
    NEXT /* Slice, round, or wave if nobody is left. */
};

enum {
    SLICE_MIN = 1024,
    RESULTS_GOAL = 262144 /* Traversers that come of a slice, about. */
};

struct repeat {
    struct op op;
    enum state state;
    struct child body;
    struct by_run until;
    struct by_run emit;
    bool has_until_child;
    bool has_emit_child;
    struct batch in;
    uint32_t in_at;
    bool is_input_done;
    struct batch current; /* Of this round. */
    size_t since;         /* Bytes of the stream when it was empty. */
    uint32_t slice_at;    /* First of the slice that runs. */
    uint32_t slice_count;
    struct batch fresh; /* What came of the slice. */
    struct batch next;  /* Of the next round. */
    uint64_t sliced;    /* In all slices so far, and what came of them. */
    uint64_t resulted;
    struct batch pulled;
    struct batch ready; /* To give. */
    uint32_t ready_at;
    bool is_entered;      /* The body runs. */
    bool has_run;         /* The body has run since the last reset. */
    struct value *values; /* Of the tests of `current`; on the heap. */
    bool *is_true;
    uint32_t room;
    const struct loop_node *last_node; /* For sharing: the node made last, for that outer one. */
    const struct loop_node *last_outer;
    struct idset ids; /* For merging equal vertices. */
};

static const struct plan_repeat *plan_of(const struct repeat *self)
{
    return self->op.plan->params;
}

static int open(struct op *op, struct exec *exec)
{
    struct repeat *self = (struct repeat *)op;
    const struct plan_repeat *plan = plan_of(self);
    int rc = child_open(&self->body, exec, op->plan->children[plan->body]);

    if (rc == E_OK && plan->has_until && plan->until != PLAN_NO_CHILD) {
        self->has_until_child = true;
        rc = by_open_child(&self->until, exec, op->plan->children[plan->until]);
    }
    if (rc == E_OK && plan->has_emit && plan->emit != PLAN_NO_CHILD) {
        self->has_emit_child = true;
        rc = by_open_child(&self->emit, exec, op->plan->children[plan->emit]);
    }
    return rc;
}

/* ---- loop counters ---- */

static const struct loop_node *node_of(struct repeat *self, struct exec *exec,
                                       const struct loop_node *outer, uint32_t loops)
{
    if (self->last_node != NULL && self->last_outer == outer && self->last_node->loops == loops) {
        return self->last_node;
    }
    struct loop_node *node = ARENA_NEW(&exec->arena, struct loop_node);
    node->outer = outer;
    node->loops = loops;
    node->name = plan_of(self)->name;
    self->last_node = node;
    self->last_outer = outer;
    return node;
}

static uint32_t depth_of(const struct loop_node *node)
{
    uint32_t depth = 0;

    for (; node != NULL; node = node->outer) {
        depth++;
    }
    return depth;
}

/* ---- filling ---- */

static uint32_t wave_max(const struct repeat *self)
{
    if (self->body.is_write) {
        return 1;
    }
    return self->body.is_stateful ? UINT32_MAX : OP_GATHER;
}

static bool is_full(const struct repeat *self, const struct exec *exec)
{
    return self->current.count > 0 && self->in_at == self->in.count && !self->body.is_stateful &&
           op_has_gathered(exec, self->since);
}

static enum pull fill(struct repeat *self, struct exec *exec)
{
    uint32_t max = wave_max(self);
    bool is_bounded = self->op.plan->row_bound != 0 && !self->body.is_stateful;

    while (self->current.count < max && !is_full(self, exec)) {
        if (self->in_at < self->in.count) {
            const struct traverser *from = &self->in.items[self->in_at++];
            if (depth_of(from->loops) >= OP_LOOPS_MAX) {
                return op_fail(exec, E_LIMIT, "repeat() is nested deeper than %d", OP_LOOPS_MAX);
            }
            batch_push(&self->current, from);
            self->current.items[self->current.count - 1].loops =
                node_of(self, exec, from->loops, 0);
            continue;
        }
        if (self->is_input_done || (is_bounded && self->current.count > 0)) {
            break;
        }
        bool has_some = self->current.count > 0;
        enum pull rc = op_pull_more(&self->op, exec, &self->in, has_some);
        self->since = has_some ? self->since : exec->stream.used_bytes;
        self->in_at = 0;
        if (rc == PULL_DONE) {
            self->is_input_done = true;
        } else if (rc != PULL_BATCH) {
            return rc;
        }
    }
    return self->current.count > 0 ? PULL_BATCH : PULL_DONE;
}

/* ---- tests ---- */

static bool is_certain(const struct plan_repeat *plan, bool is_until,
                       const struct traverser *traverser)
{
    if (is_until && plan->times != UINT64_MAX) {
        return traverser->loops->loops >= plan->times;
    }
    const struct predicate *predicate = is_until ? plan->until_predicate : plan->emit_predicate;
    if (predicate != NULL) {
        return predicate_matches(predicate, &traverser->value);
    }
    return !is_until && plan->emit_all;
}

/* Fills is_true for the traversers. */
static enum pull test(struct repeat *self, struct exec *exec, const struct batch *batch,
                      bool is_until)
{
    if (batch->count > self->room) {
        self->room = batch->room;
        self->values = mem_resize(self->values, self->room * sizeof *self->values);
        self->is_true = mem_resize(self->is_true, self->room);
    }
    if (is_until ? self->has_until_child : self->has_emit_child) {
        return by_values(is_until ? &self->until : &self->emit, exec, batch->items, batch->count,
                         self->values, self->is_true);
    }
    for (uint32_t i = 0; i < batch->count; i++) {
        self->is_true[i] = is_certain(plan_of(self), is_until, &batch->items[i]);
    }
    return PULL_BATCH;
}

static void make_ready(struct repeat *self, const struct traverser *traverser)
{
    batch_push(&self->ready, traverser);
    self->ready.items[self->ready.count - 1].loops = traverser->loops->outer;
}

/* Those for whom it is true leave the loop. */
static enum pull apply_until(struct repeat *self, struct exec *exec, struct batch *batch)
{
    uint32_t kept = 0;
    enum pull rc = test(self, exec, batch, true);

    for (uint32_t i = 0; rc == PULL_BATCH && i < batch->count; i++) {
        if (self->is_true[i]) {
            make_ready(self, &batch->items[i]);
        } else {
            batch->items[kept++] = batch->items[i];
        }
    }
    if (rc == PULL_BATCH) {
        batch->count = kept;
    }
    return rc;
}

static enum pull apply_emit(struct repeat *self, struct exec *exec, const struct batch *batch)
{
    enum pull rc = test(self, exec, batch, false);

    for (uint32_t i = 0; rc == PULL_BATCH && i < batch->count; i++) {
        if (self->is_true[i]) {
            make_ready(self, &batch->items[i]);
        }
    }
    return rc;
}

/* ---- the body ---- */

static bool is_merging(const struct repeat *self, const struct exec *exec)
{
    uint32_t kept = PLAN_NEEDS_PATH | PLAN_NEEDS_LABELS | PLAN_NEEDS_SACK;

    return (exec->plan->needs & kept) == 0 && exec->plan->is_bulked && self->op.tags == 1;
}

/* A vertex that is in `next` already only adds its bulk. */
static bool merge(struct repeat *self, struct exec *exec, const struct traverser *result)
{
    struct vid id;

    if (result->value.kind != VALUE_VERTEX ||
        !vid_from_value(&exec->arena, &result->value.vertex->id, &id)) {
        return false;
    }
    uint32_t before = self->ids.count;
    uint32_t place = idset_add(&self->ids, &id);
    if (place == before) {
        return false;
    }
    /* Places in `next` are those in `ids` only as long as nothing else is there. */
    if (self->ids.count != self->next.count || self->next.items[place].loops != result->loops) {
        return false;
    }
    struct traverser *same = &self->next.items[place];
    same->bulk = bulk_add(same->bulk, result->bulk);
    return true;
}

static void take_results(struct repeat *self, struct exec *exec, uint32_t loops)
{
    for (uint32_t i = 0; i < self->pulled.count; i++) {
        struct traverser *result = &self->pulled.items[i];
        /* A reducing operator in the body gives traversers without a past. */
        const struct loop_node *outer = result->loops == NULL ? NULL : result->loops->outer;
        result->loops = node_of(self, exec, outer, loops);
        batch_push(&self->fresh, result);
    }
    self->resulted += self->pulled.count;
}

static uint32_t slice_max(const struct repeat *self)
{
    if (self->body.is_stateful || self->sliced == 0) {
        return self->body.is_stateful ? UINT32_MAX : OP_GATHER;
    }
    uint64_t each = self->resulted / self->sliced + 1;
    uint64_t max = RESULTS_GOAL / each;
    max = max < SLICE_MIN ? SLICE_MIN : max;
    return max > OP_GATHER ? OP_GATHER : (uint32_t)max;
}

static void enter(struct repeat *self, struct exec *exec)
{
    uint32_t left = self->current.count - self->slice_at;
    uint32_t max = slice_max(self);
    const struct traverser *items = self->current.items + self->slice_at;

    self->slice_count = left < max ? left : max;
    if (self->has_run) {
        child_round(&self->body, exec, items, self->slice_count, self->op.tags);
    } else {
        child_enter(&self->body, exec, items, self->slice_count, self->op.tags);
    }
    batch_clear(&self->fresh);
    self->sliced += self->slice_count;
    self->is_entered = true;
    self->has_run = true;
}

static enum pull run_body(struct repeat *self, struct exec *exec)
{
    uint32_t loops = self->current.items[self->slice_at].loops->loops + 1;

    if (!self->is_entered) {
        enter(self, exec);
    }
    for (;;) {
        enum pull rc = child_pull(&self->body, exec, &self->pulled);
        if (rc == PULL_BATCH) {
            take_results(self, exec, loops);
            if (quota_check(exec, (uint64_t)self->fresh.count + self->next.count,
                            sizeof(struct traverser)) != PULL_BATCH) {
                return PULL_ERROR;
            }
        } else if (rc == PULL_DONE) {
            break;
        } else {
            return rc;
        }
    }
    self->slice_at += self->slice_count;
    self->is_entered = false;
    return PULL_BATCH;
}

/* The fresh ones wait for the next round; if the slice was the last, it begins. */
static enum state end_slice(struct repeat *self, struct exec *exec)
{
    bool merges = is_merging(self, exec);

    for (uint32_t i = 0; i < self->fresh.count; i++) {
        if (!merges || !merge(self, exec, &self->fresh.items[i])) {
            batch_push(&self->next, &self->fresh.items[i]);
        }
    }
    batch_clear(&self->fresh);
    if (self->slice_at < self->current.count) {
        return BODY;
    }
    struct batch swap = self->current;
    self->current = self->next;
    self->next = swap;
    batch_clear(&self->next);
    idset_clear(&self->ids);
    self->slice_at = 0;
    return self->current.count == 0 ? FILL : UNTIL_FIRST;
}

/* ---- states: each gives BATCH to go on with the next one ---- */

static enum pull advance(struct repeat *self, struct exec *exec)
{
    const struct plan_repeat *plan = plan_of(self);
    enum pull rc = PULL_BATCH;

    switch (self->state) {
    case FILL:
        rc = fill(self, exec);
        break;
    case UNTIL_FIRST:
        if (plan->has_until && plan->until_first) {
            rc = apply_until(self, exec, &self->current);
        }
        break;
    case EMIT_FIRST:
        if (plan->has_emit && plan->emit_first) {
            rc = apply_emit(self, exec, &self->current);
        }
        break;
    case BODY:
        rc = self->current.count == 0 ? PULL_BATCH : run_body(self, exec);
        break;
    case UNTIL:
        if (plan->has_until && !plan->until_first) {
            rc = apply_until(self, exec, &self->fresh);
        }
        break;
    case EMIT:
        if (plan->has_emit && !plan->emit_first) {
            rc = apply_emit(self, exec, &self->fresh);
        }
        break;
    case NEXT:
        self->state = end_slice(self, exec);
        return PULL_BATCH;
    }
    if (rc == PULL_BATCH) {
        self->state++;
    }
    return rc;
}

static bool give(struct repeat *self, struct batch *out)
{
    while (self->ready_at < self->ready.count && out->count < OP_BATCH) {
        batch_push(out, &self->ready.items[self->ready_at++]);
    }
    if (self->ready_at == self->ready.count) {
        batch_clear(&self->ready);
        self->ready_at = 0;
    }
    return out->count > 0;
}

static enum pull pull(struct op *op, struct exec *exec, struct batch *out)
{
    struct repeat *self = (struct repeat *)op;

    while (!give(self, out)) {
        enum pull rc = advance(self, exec);
        if (rc != PULL_BATCH) {
            return rc;
        }
    }
    return PULL_BATCH;
}

static void restart(struct repeat *self)
{
    self->state = FILL;
    batch_clear(&self->in);
    batch_clear(&self->current);
    batch_clear(&self->fresh);
    batch_clear(&self->next);
    batch_clear(&self->ready);
    idset_clear(&self->ids);
    self->slice_at = 0;
    self->in_at = 0;
    self->ready_at = 0;
    self->is_input_done = false;
    self->is_entered = false;
    by_reset(&self->until);
    by_reset(&self->emit);
}

static void reset(struct op *op, struct exec *exec)
{
    struct repeat *self = (struct repeat *)op;

    (void)exec;
    restart(self);
    self->has_run = false;
}

static void next_round(struct op *op, struct exec *exec)
{
    (void)exec;
    restart((struct repeat *)op);
}

static void close(struct op *op)
{
    struct repeat *self = (struct repeat *)op;

    child_close(&self->body);
    by_close(&self->until);
    by_close(&self->emit);
    batch_close(&self->in);
    batch_close(&self->current);
    batch_close(&self->fresh);
    batch_close(&self->next);
    batch_close(&self->pulled);
    batch_close(&self->ready);
    mem_free(self->values);
    mem_free(self->is_true);
    idset_close(&self->ids);
}

extern const struct op_class repeat_class;

const struct op_class repeat_class = {
    .name = "repeat",
    .holds = HOLDS_NOTHING,
    .size = sizeof(struct repeat),
    .open = open,
    .pull = pull,
    .reset = reset,
    .round = next_round,
    .close = close,
};
