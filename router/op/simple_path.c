#include "router/op/bag.h"
#include "router/op/by_set.h"
#include "router/op/exec.h"
#include "router/op/trail.h"

struct simple_path {
    struct op op;
    struct by_set bys;
    struct batch in;
    struct trail *trails; /* Of the batch. */
    uint32_t **places;
    struct bag met; /* Of one path. */
    bool is_seeing;
};

static int open(struct op *op, struct exec *exec)
{
    struct simple_path *self = (struct simple_path *)op;
    const struct plan_simple_path *plan = op->plan->params;

    bag_init(&self->met, NULL);
    return by_set_open(&self->bys, exec, op->plan, plan->by_count, plan->bys);
}

static int look_up(struct simple_path *self, struct exec *exec)
{
    const struct plan_simple_path *plan = self->op.plan->params;

    by_set_clear(&self->bys);
    self->trails = arena_array(&exec->stream, self->in.count, sizeof *self->trails);
    self->places = arena_array(&exec->stream, self->in.count, sizeof *self->places);
    for (uint32_t i = 0; i < self->in.count; i++) {
        struct trail *trail = &self->trails[i];
        int rc = trail_of(exec, self->in.items[i].path, plan->from, plan->to, trail);
        if (rc != E_OK) {
            return rc;
        }
        self->places[i] = arena_array(&exec->stream, trail->count + 1u, sizeof(uint32_t));
        for (uint32_t j = 0; j < trail->count; j++) {
            self->places[i][j] = by_set_add(&self->bys, j % self->bys.lane_count,
                                            &self->in.items[i], &trail->nodes[j]->value);
        }
    }
    return E_OK;
}

/* False too if a by() gives nothing. */
static bool passes(struct simple_path *self, uint32_t row)
{
    const struct plan_simple_path *plan = self->op.plan->params;
    bool is_simple = true;

    bag_clear(&self->met);
    for (uint32_t j = 0; j < self->trails[row].count; j++) {
        const struct value *value =
            by_set_get(&self->bys, j % self->bys.lane_count, self->places[row][j]);
        bool is_new;
        if (value == NULL) {
            return false;
        }
        bag_at(&self->met, 0, value, &is_new);
        is_simple = is_simple && is_new;
    }
    return is_simple == plan->is_simple;
}

static enum pull pull(struct op *op, struct exec *exec, struct batch *out)
{
    struct simple_path *self = (struct simple_path *)op;

    while (out->count == 0) {
        enum pull rc;
        if (!self->is_seeing) {
            rc = op_pull(op->input, exec, &self->in);
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
            if (passes(self, i)) {
                batch_push(out, &self->in.items[i]);
            }
        }
    }
    return PULL_BATCH;
}

static void reset(struct op *op, struct exec *exec)
{
    struct simple_path *self = (struct simple_path *)op;

    (void)exec;
    by_set_clear(&self->bys);
    self->is_seeing = false;
}

static void close(struct op *op)
{
    struct simple_path *self = (struct simple_path *)op;

    bag_close(&self->met);
    by_set_close(&self->bys);
    batch_close(&self->in);
}

extern const struct op_class simple_path_class;

const struct op_class simple_path_class = {
    .name = "simple path",
    .holds = HOLDS_NOTHING,
    .size = sizeof(struct simple_path),
    .open = open,
    .pull = pull,
    .reset = reset,
    .close = close,
};
