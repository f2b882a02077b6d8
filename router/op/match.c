/* match(): names places of the path, goes back to them, and gives them as a map. */
#include "router/op/exec.h"
#include "router/op/scope.h"
#include "router/plan/params.h"

#include <assert.h>

struct match {
    struct op op;
    struct batch in;
};

static const struct plan_match *plan_of(const struct match *self)
{
    return self->op.plan->params;
}

/* Names what comes, unless the path has a place to begin with already. */
static void enter(struct match *self, struct exec *exec, const struct traverser *from,
                  struct batch *out)
{
    const struct plan_match *plan = plan_of(self);
    struct traverser next = *from;
    struct value unused;
    bool is_named = false;

    for (uint32_t i = 0; i < plan->label_count && !is_named; i++) {
        is_named = scope_path(exec, from->path, plan->labels[i], POP_LAST, &unused);
    }
    if (!is_named) {
        op_label(exec, &next, plan->labels, 1);
    }
    batch_push(out, &next);
}

static enum pull go_from(struct match *self, struct exec *exec, const struct traverser *from,
                         struct batch *out)
{
    struct slice label = plan_of(self)->labels[0];
    struct value value;
    struct traverser next;

    if (!scope_path(exec, from->path, label, POP_LAST, &value)) {
        return op_fail(exec, E_EVALUATION,
                       "The provided match pattern is unsolvable: %.*s has no value where a "
                       "pattern begins with it",
                       (int)label.size, (const char *)label.data);
    }
    next = op_split(&self->op, exec, from, value);
    batch_push(out, &next);
    return PULL_BATCH;
}

static void bind(struct match *self, struct exec *exec, const struct traverser *from,
                 struct batch *out)
{
    const struct plan_match *plan = plan_of(self);
    struct traverser next = *from;
    struct value value;

    if (!scope_path(exec, from->path, plan->labels[0], POP_LAST, &value)) {
        op_label(exec, &next, plan->labels, 1);
        batch_push(out, &next);
    } else if (value_equal(&value, &from->value)) {
        batch_push(out, &next);
    }
}

static void give(struct match *self, struct exec *exec, const struct traverser *from,
                 struct batch *out)
{
    const struct plan_match *plan = plan_of(self);
    struct value *pairs =
        arena_array(&exec->stream, 2 * (size_t)plan->label_count, sizeof *pairs);
    uint32_t count = 0;
    struct traverser next;

    for (uint32_t i = 0; i < plan->label_count; i++) {
        if (scope_path(exec, from->path, plan->labels[i], POP_LAST, &pairs[2 * count + 1])) {
            pairs[2 * count++] = value_string(plan->labels[i]);
        }
    }
    struct value map = {.kind = VALUE_MAP, .size = count, .items = pairs};
    next = op_split(&self->op, exec, from, map);
    batch_push(out, &next);
}

static enum pull apply(struct match *self, struct exec *exec, const struct traverser *from,
                       struct batch *out)
{
    switch (plan_of(self)->which) {
    case MATCH_ENTER:
        enter(self, exec, from, out);
        break;
    case MATCH_FROM:
        return go_from(self, exec, from, out);
    case MATCH_BIND:
        bind(self, exec, from, out);
        break;
    case MATCH_GIVE:
        give(self, exec, from, out);
        break;
    }
    return PULL_BATCH;
}

static enum pull pull(struct op *op, struct exec *exec, struct batch *out)
{
    struct match *self = (struct match *)op;

    assert(plan_of(self)->label_count > 0);
    while (out->count == 0) {
        enum pull rc = op_pull(op->input, exec, &self->in);
        for (uint32_t i = 0; rc == PULL_BATCH && i < self->in.count; i++) {
            rc = apply(self, exec, &self->in.items[i], out);
        }
        if (rc != PULL_BATCH) {
            return rc;
        }
    }
    return PULL_BATCH;
}

static void close(struct op *op)
{
    batch_close(&((struct match *)op)->in);
}

extern const struct op_class match_class;

const struct op_class match_class = {
    .name = "match",
    .holds = HOLDS_NOTHING,
    .size = sizeof(struct match),
    .pull = pull,
    .close = close,
};
