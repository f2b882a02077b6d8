/* choose(): what each traverser of the batch chooses by is found at once; then each option runs
 * for its share. Only the first option that matches counts. What matches none passes as it is. */
#include "common/mem.h"
#include "router/op/branches.h"
#include "router/op/exec.h"
#include "router/plan/params.h"

#include <assert.h>

enum state { GATHERING, CHOOSING, RUNNING };

struct choose {
    struct op op;
    struct branches branches; /* One an option, and the last: identity. */
    struct by_run chooser;
    struct plan_by by; /* For a token. */
    bool has_chooser;
    enum state state;
    struct value *values; /* Of branches.in; on the heap. */
    bool *is_productive;
    uint32_t room;
};

static const struct plan_choose *plan_of(const struct choose *self)
{
    return self->op.plan->params;
}

static int open(struct op *op, struct exec *exec)
{
    struct choose *self = (struct choose *)op;
    const struct plan_choose *plan = plan_of(self);
    struct plan_traversal **bodies =
        arena_array(&exec->arena, plan->option_count + 1, sizeof *bodies);
    int rc = E_OK;

    for (uint32_t i = 0; i < plan->option_count; i++) {
        uint32_t child = plan->options[i].child;
        bodies[i] = child == PLAN_NO_CHILD ? NULL : op->plan->children[child];
    }
    self->has_chooser = true;
    if (plan->chooser != PLAN_NO_CHILD) {
        rc = by_open_child(&self->chooser, exec, op->plan->children[plan->chooser]);
    } else if (plan->token != ENUMERATOR_COUNT) {
        self->by = (struct plan_by){.kind = BY_TOKEN, .token = plan->token, .child = PLAN_NO_CHILD};
        rc = by_open(&self->chooser, exec, &self->by, op->plan->children);
    } else {
        self->has_chooser = false;
    }
    return rc == E_OK ? branches_open(&self->branches, exec, bodies, plan->option_count + 1) : rc;
}

static enum pull find_values(struct choose *self, struct exec *exec)
{
    const struct plan_choose *plan = plan_of(self);
    const struct batch *in = &self->branches.in;

    if (in->count > self->room) {
        self->room = in->room;
        self->values = mem_resize(self->values, self->room * sizeof *self->values);
        self->is_productive = mem_resize(self->is_productive, self->room);
    }
    if (self->has_chooser) {
        enum pull rc = by_values(&self->chooser, exec, in->items, in->count, self->values,
                                 self->is_productive);
        if (rc != PULL_BATCH) {
            return rc;
        }
    }
    for (uint32_t i = 0; i < in->count; i++) {
        if (!self->has_chooser) {
            self->is_productive[i] = true;
            self->values[i] = in->items[i].value;
        }
        if (plan->predicate != NULL) {
            self->values[i] = value_bool(predicate_matches(plan->predicate, &self->values[i]));
        } else if (plan->is_test) {
            self->values[i] = value_bool(self->is_productive[i]);
            self->is_productive[i] = true;
        }
    }
    return PULL_BATCH;
}

static bool matches(const struct plan_choose_option *option, const struct value *value)
{
    switch (option->which) {
    case CHOOSE_VALUE:
        return value_equal(&option->value, value);
    case CHOOSE_PREDICATE:
        return predicate_matches(option->predicate, value);
    case CHOOSE_NONE:
    case CHOOSE_UNPRODUCTIVE:
    case CHOOSE_ANY:
    case CHOOSE_TRAVERSAL:
        return false;
    }
    return false;
}

/* option_count stands for identity. */
static uint32_t option_of(const struct plan_choose *plan, const struct value *value,
                          bool is_productive)
{
    uint32_t i;

    for (i = 0; is_productive && i < plan->option_count; i++) {
        if (matches(&plan->options[i], value)) {
            return i;
        }
    }
    for (i = 0; i < plan->option_count; i++) {
        if ((int)plan->options[i].which == (is_productive ? CHOOSE_NONE : CHOOSE_UNPRODUCTIVE)) {
            break;
        }
    }
    return i;
}

/* branch(): all options that match, else those of Pick.none; those of Pick.any always. Where the
 * traversal gives nothing, none matches. */
static void share_branches(struct choose *self, uint32_t row)
{
    const struct plan_choose *plan = plan_of(self);
    bool is_matched = false;

    for (uint32_t i = 0; self->is_productive[row] && i < plan->option_count; i++) {
        if (matches(&plan->options[i], &self->values[row])) {
            branches_share(&self->branches, i, row);
            is_matched = true;
        }
    }
    for (uint32_t i = 0; i < plan->option_count; i++) {
        int which = (int)plan->options[i].which;
        if (which == CHOOSE_ANY || (which == CHOOSE_NONE && !is_matched) ||
            (which == CHOOSE_UNPRODUCTIVE && !self->is_productive[row])) {
            branches_share(&self->branches, i, row);
        }
    }
}

static void share(struct choose *self)
{
    for (uint32_t i = 0; i < self->branches.in.count; i++) {
        if (plan_of(self)->is_branch) {
            share_branches(self, i);
        } else {
            branches_share(&self->branches,
                           option_of(plan_of(self), &self->values[i], self->is_productive[i]), i);
        }
    }
}

static enum pull pull(struct op *op, struct exec *exec, struct batch *out)
{
    struct choose *self = (struct choose *)op;

    for (;;) {
        enum pull rc = PULL_BATCH;
        switch (self->state) {
        case GATHERING:
            rc = branches_gather(&self->branches, exec, op);
            self->state = rc == PULL_BATCH ? CHOOSING : GATHERING;
            break;
        case CHOOSING:
            rc = find_values(self, exec);
            if (rc != PULL_BATCH) {
                break;
            }
            share(self);
            branches_begin(&self->branches);
            self->state = RUNNING;
            break;
        case RUNNING:
            rc = branches_pull(&self->branches, exec, op->tags, out);
            if (rc != PULL_DONE) {
                return rc;
            }
            self->state = GATHERING;
            rc = PULL_BATCH;
            break;
        }
        if (rc != PULL_BATCH) {
            return rc;
        }
    }
}

static void restart(struct choose *self, bool is_round)
{
    branches_reset(&self->branches, is_round);
    by_reset(&self->chooser);
    self->state = GATHERING;
}

static void reset(struct op *op, struct exec *exec)
{
    (void)exec;
    restart((struct choose *)op, false);
}

static void next_round(struct op *op, struct exec *exec)
{
    (void)exec;
    restart((struct choose *)op, true);
}

static void close(struct op *op)
{
    struct choose *self = (struct choose *)op;

    branches_close(&self->branches);
    by_close(&self->chooser);
    mem_free(self->values);
    mem_free(self->is_productive);
}

extern const struct op_class choose_class;

const struct op_class choose_class = {
    .name = "choose",
    .holds = HOLDS_NOTHING,
    .size = sizeof(struct choose),
    .open = open,
    .pull = pull,
    .reset = reset,
    .round = next_round,
    .close = close,
};
