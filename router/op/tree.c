/* tree(): paths, each place seen through a by(), grow into a tree for each tag; tree('x') into a
 * side effect, and traversers pass. A place of which a by() makes nothing is left out. */
#include "router/op/by_set.h"
#include "router/op/effect.h"
#include "router/op/exec.h"
#include "router/op/growth.h"
#include "router/op/quota.h"
#include "router/op/trail.h"

#include <assert.h>

struct tree {
    struct op op;
    struct side_effect *effect; /* Null: a result. */
    struct growth own;
    struct growth *growth; /* Own, or the side effect's. */
    struct by_set bys;
    struct batch in;
    struct trail *trails; /* Of the batch. */
    uint32_t **places;
    bool is_seeing;
    bool is_drained;
    struct value *trees; /* One a tag, when drained. */
    uint32_t tag;
};

static const struct plan_tree *plan_of(const struct tree *self)
{
    return self->op.plan->params;
}

static struct value render(struct exec *exec, void *own)
{
    return growth_trees(own, &exec->arena)[0];
}

static int open(struct op *op, struct exec *exec)
{
    struct tree *self = (struct tree *)op;
    const struct plan_tree *plan = plan_of(self);

    if (plan->side_effect.data != NULL) {
        self->effect = exec_side_effect_make(exec, plan->side_effect);
        int rc = effect_claim_own(exec, self->effect, EFFECT_TREE, render);
        if (rc != E_OK) {
            return rc;
        }
        struct effect_state *state = self->effect->state;
        if (state->own == NULL) {
            struct growth *growth = ARENA_NEW(&exec->arena, struct growth);
            growth_init(growth, &exec->arena, 1);
            state->own = growth;
        }
        self->growth = state->own;
    } else {
        growth_init(&self->own, NULL, 1);
        self->growth = &self->own;
    }
    return by_set_open(&self->bys, exec, op->plan, plan->by_count, plan->bys);
}

static int look_up(struct tree *self, struct exec *exec)
{
    by_set_clear(&self->bys);
    self->trails = arena_array(&exec->arena, self->in.count, sizeof *self->trails);
    self->places = arena_array(&exec->arena, self->in.count, sizeof(uint32_t *));
    for (uint32_t i = 0; i < self->in.count; i++) {
        struct trail *trail = &self->trails[i];
        struct slice all = {0};
        int rc = trail_of(exec, self->in.items[i].path, all, all, trail);
        if (rc != E_OK) {
            return rc;
        }
        op_charge(exec, trail->count);
        self->places[i] = arena_array(&exec->arena, trail->count + 1u, sizeof(uint32_t));
        for (uint32_t k = 0; k < trail->count; k++) {
            self->places[i][k] = by_set_add(&self->bys, k % self->bys.lane_count,
                                            &self->in.items[i], &trail->nodes[k]->value);
        }
    }
    return E_OK;
}

static void grow(struct tree *self, uint32_t row)
{
    const struct trail *trail = &self->trails[row];
    uint32_t node = self->effect != NULL ? 0 : self->in.items[row].tag;

    for (uint32_t k = 0; k < trail->count; k++) {
        const struct value *value =
            by_set_get(&self->bys, k % self->bys.lane_count, self->places[row][k]);
        if (value != NULL) {
            node = growth_add(self->growth, node, value);
        }
    }
}

/* Grows the next batch, which stays in `in`. */
static enum pull grow_batch(struct tree *self, struct exec *exec)
{
    enum pull rc;

    if (!self->is_seeing) {
        rc = op_pull(self->op.input, exec, &self->in);
        if (rc != PULL_BATCH) {
            return rc;
        }
        if (look_up(self, exec) != E_OK) {
            return PULL_ERROR;
        }
        self->is_seeing = true;
    }
    rc = by_set_run(&self->bys, exec);
    if (rc != PULL_BATCH) {
        return rc;
    }
    self->is_seeing = false;
    for (uint32_t i = 0; i < self->in.count; i++) {
        grow(self, i);
    }
    return quota_check(exec, self->growth->nodes.room, sizeof(struct bag_entry));
}

static enum pull pass(struct tree *self, struct exec *exec, struct batch *out)
{
    enum pull rc = grow_batch(self, exec);

    if (rc == PULL_BATCH) {
        effect_touch(self->effect);
    }
    for (uint32_t i = 0; rc == PULL_BATCH && i < self->in.count; i++) {
        batch_push(out, &self->in.items[i]);
    }
    return rc;
}

static enum pull pull(struct op *op, struct exec *exec, struct batch *out)
{
    struct tree *self = (struct tree *)op;

    if (self->effect != NULL) {
        return pass(self, exec, out);
    }
    if (!self->is_drained) {
        enum pull rc;
        self->own.roots = self->own.nodes.count == 0 ? op->tags : self->own.roots;
        do {
            rc = grow_batch(self, exec);
        } while (rc == PULL_BATCH);
        if (rc != PULL_DONE) {
            return rc;
        }
        self->is_drained = true;
        self->trees = growth_trees(&self->own, &exec->arena);
        self->tag = 0;
    }
    for (; self->tag < op->tags && out->count < OP_BATCH; self->tag++) {
        if (op_is_asked(op, self->tag)) {
            struct traverser next = op_start(op, exec, self->tag, self->trees[self->tag]);
            batch_push(out, &next);
        }
    }
    return out->count > 0 ? PULL_BATCH : PULL_DONE;
}

static void reset(struct op *op, struct exec *exec)
{
    struct tree *self = (struct tree *)op;

    (void)exec;
    by_set_clear(&self->bys);
    self->is_seeing = false;
    self->is_drained = false;
    if (self->effect == NULL) {
        growth_clear(&self->own, op->tags);
    }
}

static void close(struct op *op)
{
    struct tree *self = (struct tree *)op;

    by_set_close(&self->bys);
    batch_close(&self->in);
    growth_close(&self->own);
}

extern const struct op_class tree_class;

const struct op_class tree_class = {
    .name = "tree",
    .size = sizeof(struct tree),
    .open = open,
    .pull = pull,
    .reset = reset,
    .close = close,
};
