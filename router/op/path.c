#include "router/op/by_set.h"
#include "router/op/exec.h"
#include "router/op/trail.h"

struct path_op {
    struct op op;
    struct by_set bys;
    struct batch in;
    struct trail *trails; /* Of the batch. */
    uint32_t **places;
    bool is_seeing;
};

static int open(struct op *op, struct exec *exec)
{
    const struct plan_path *plan = op->plan->params;

    return by_set_open(&((struct path_op *)op)->bys, exec, op->plan, plan->by_count, plan->bys);
}

static int look_up(struct path_op *self, struct exec *exec)
{
    const struct plan_path *plan = self->op.plan->params;

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

/* False if a by() gives nothing for one of the places. */
static bool path_of(struct path_op *self, struct exec *exec, uint32_t row, struct value *out)
{
    const struct trail *trail = &self->trails[row];
    struct path *path = ARENA_NEW(&exec->stream, struct path);
    struct value *objects = arena_array(&exec->stream, trail->count + 1u, sizeof *objects);
    struct value *labels = arena_array(&exec->stream, trail->count + 1u, sizeof *labels);

    for (uint32_t j = 0; j < trail->count; j++) {
        const struct path_node *node = trail->nodes[j];
        const struct value *value =
            by_set_get(&self->bys, j % self->bys.lane_count, self->places[row][j]);
        struct value *names = arena_array(&exec->stream, node->label_count + 1u, sizeof *names);
        if (value == NULL) {
            return false;
        }
        for (uint32_t k = 0; k < node->label_count; k++) {
            names[k] = value_string(node->labels[k]);
        }
        objects[j] = *value;
        labels[j] = (struct value){.kind = VALUE_SET, .size = node->label_count, .items = names};
    }
    *path = (struct path){.size = trail->count, .objects = objects, .labels = labels};
    *out = (struct value){.kind = VALUE_PATH, .path = path};
    return true;
}

static enum pull pull(struct op *op, struct exec *exec, struct batch *out)
{
    struct path_op *self = (struct path_op *)op;

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
            struct value value;
            if (path_of(self, exec, i, &value)) {
                struct traverser next = op_split(op, exec, &self->in.items[i], value);
                batch_push(out, &next);
            }
        }
    }
    return PULL_BATCH;
}

static void reset(struct op *op, struct exec *exec)
{
    struct path_op *self = (struct path_op *)op;

    (void)exec;
    by_set_clear(&self->bys);
    self->is_seeing = false;
}

static void close(struct op *op)
{
    struct path_op *self = (struct path_op *)op;

    by_set_close(&self->bys);
    batch_close(&self->in);
}

extern const struct op_class path_class;

const struct op_class path_class = {
    .name = "path",
    .holds = HOLDS_NOTHING,
    .size = sizeof(struct path_op),
    .open = open,
    .pull = pull,
    .reset = reset,
    .close = close,
};
