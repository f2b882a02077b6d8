#include "router/op/by_set.h"
#include "router/op/effect.h"
#include "router/op/exec.h"
#include "router/op/items.h"
#include "router/op/scope.h"

#include <assert.h>

enum { ABSENT = INT32_MAX };

/* where('a', P('b')): compares what labels stand for. Of each traverser 1 + operands values are
 * looked up, the
 * start first; by()s take turns over them. */
struct where {
    struct op op;
    uint32_t label_count;
    struct slice *labels;          /* Operands in the order of the tree. */
    struct side_effect **gathered; /* Of each operand: within('x') of a side effect x; or null. */
    struct value *values; /* Of the traverser that is tested: the start, then the operands. */
    struct by_set bys;
    struct batch in;
    uint32_t
        *places; /* Of the batch: label_count + 1 each; ABSENT in the first: a label means nothing.
                 * */
    struct value taken; /* What `members` are of; null: nothing yet. */
    struct items members;
    bool is_seeing;
};

static uint32_t count_operands(const struct predicate *predicate)
{
    uint32_t count = predicate->operand_count;

    for (uint32_t i = 0; i < predicate->child_count; i++) {
        count += count_operands(&predicate->children[i]);
    }
    return count;
}

static bool is_membership(const struct predicate *predicate)
{
    return (predicate->test == PREDICATE_WITHIN || predicate->test == PREDICATE_WITHOUT) &&
           predicate->operand_count == 1;
}

static void collect_labels(struct where *self, struct exec *exec, const struct predicate *predicate)
{
    for (uint32_t i = 0; i < predicate->operand_count; i++) {
        const struct value *operand = &predicate->operands[i];
        if (is_membership(predicate) && operand->kind == VALUE_STRING) {
            self->gathered[self->label_count] = exec_side_effect(exec, value_slice(operand));
        }
        self->labels[self->label_count++] =
            operand->kind == VALUE_STRING ? value_slice(operand) : SLICE("");
    }
    for (uint32_t i = 0; i < predicate->child_count; i++) {
        collect_labels(self, exec, &predicate->children[i]);
    }
}

static int open(struct op *op, struct exec *exec)
{
    struct where *self = (struct where *)op;
    const struct plan_where *plan = op->plan->params;
    uint32_t count = count_operands(plan->predicate);

    self->labels = arena_array(&exec->arena, count + 1u, sizeof *self->labels);
    self->values = arena_array(&exec->arena, count + 1u, sizeof *self->values);
    self->gathered = arena_array(&exec->arena, count + 1u, sizeof(struct side_effect *));
    collect_labels(self, exec, plan->predicate);
    assert(self->label_count == count);
    return by_set_open(&self->bys, exec, op->plan, plan->by_count, plan->bys);
}

/* The bag to look into, if the operand stands for one and equality can be told by hash: not of
 * numbers, which
 * equal others of another type. */
static const struct bag *bag_of(const struct where *self, uint32_t operand,
                                const struct value *subject)
{
    const struct plan_where *plan = self->op.plan->params;
    const struct side_effect *effect = self->gathered[operand];
    const struct effect_state *state = effect == NULL ? NULL : effect->state;
    bool is_exact = subject->kind == VALUE_VERTEX || subject->kind == VALUE_EDGE ||
                    subject->kind == VALUE_STRING || subject->kind == VALUE_UUID;

    if (plan->by_count > 0 || plan->start.data != NULL || !is_exact || state == NULL ||
        state->kind != EFFECT_BAG) {
        return NULL;
    }
    return &state->bag;
}

static void look_up(struct where *self, struct exec *exec)
{
    const struct plan_where *plan = self->op.plan->params;
    uint32_t width = self->label_count + 1;

    by_set_clear(&self->bys);
    self->taken = value_null();
    self->places = arena_array(&exec->stream, (size_t)width * self->in.count, sizeof *self->places);
    for (uint32_t i = 0; i < self->in.count; i++) {
        const struct traverser *traverser = &self->in.items[i];
        uint32_t *places = self->places + (size_t)i * width;
        for (uint32_t j = 0; j < width; j++) {
            struct value value = traverser->value;
            struct slice label = j == 0 ? plan->start : self->labels[j - 1];
            bool is_bag = j > 0 && bag_of(self, j - 1, &traverser->value) != NULL;
            if (label.data != NULL && !is_bag &&
                !scope_get(exec, traverser, label, POP_LAST, &value)) {
                places[0] = ABSENT;
                break;
            }
            places[j] = by_set_add(&self->bys, j % self->bys.lane_count, traverser, &value);
        }
    }
}

/* The items of what within('x') looks into, taken apart once for all that look into the same. */
static const struct items *members_of(struct where *self, struct exec *exec, const struct value *of)
{
    if (of->kind == VALUE_NULL || self->taken.kind != of->kind || self->taken.items != of->items ||
        self->taken.size != of->size) {
        if (!items_of(&exec->stream, of, &self->members)) {
            return NULL;
        }
        self->taken = *of;
    }
    return &self->members;
}

/* The predicate with what its labels stand for. within('x') looks into the collection x. */
static bool matches(struct where *self, struct exec *exec, const struct predicate *predicate,
                    const struct value **operands)
{
    struct predicate test = *predicate;
    const struct items *items;
    const struct value *subject = &self->values[0];
    const struct bag *bag;
    bool all = true, any = false;

    for (uint32_t i = 0; i < predicate->child_count; i++) {
        bool is_true = matches(self, exec, &predicate->children[i], operands);
        all = all && is_true;
        any = any || is_true;
    }
    if (predicate->child_count > 0) {
        return predicate->test == PREDICATE_AND  ? all
               : predicate->test == PREDICATE_OR ? any
                                                 : !any;
    }
    test.operands = *operands;
    bag = is_membership(predicate) ? bag_of(self, (uint32_t)(*operands - subject) - 1, subject)
                                   : NULL;
    *operands += predicate->operand_count;
    if (bag != NULL) {
        return bag_has(bag, 0, subject) == (test.test == PREDICATE_WITHIN);
    }
    items = is_membership(predicate) ? members_of(self, exec, &test.operands[0]) : NULL;
    if (items != NULL) {
        test.operands = items->values;
        test.operand_count = items->count;
    }
    return predicate_matches(&test, subject);
}

static bool passes(struct where *self, struct exec *exec, uint32_t row)
{
    const struct plan_where *plan = self->op.plan->params;
    uint32_t width = self->label_count + 1;
    const uint32_t *places = self->places + (size_t)row * width;
    const struct value *operands = self->values + 1;

    for (uint32_t j = 0; j < width; j++) {
        const struct value *value =
            places[0] == ABSENT ? NULL
                                : by_set_get(&self->bys, j % self->bys.lane_count, places[j]);
        if (value == NULL) {
            return false;
        }
        self->values[j] = *value;
    }
    return matches(self, exec, plan->predicate, &operands);
}

static enum pull pull(struct op *op, struct exec *exec, struct batch *out)
{
    struct where *self = (struct where *)op;

    while (out->count == 0) {
        enum pull rc;
        if (!self->is_seeing) {
            rc = op_pull(op->input, exec, &self->in);
            if (rc != PULL_BATCH) {
                return rc;
            }
            look_up(self, exec);
            self->is_seeing = true;
        }
        rc = by_set_run(&self->bys, exec);
        if (rc != PULL_BATCH) {
            return rc;
        }
        self->is_seeing = false;
        for (uint32_t i = 0; i < self->in.count; i++) {
            if (passes(self, exec, i)) {
                batch_push(out, &self->in.items[i]);
            }
        }
    }
    return PULL_BATCH;
}

static void reset(struct op *op, struct exec *exec)
{
    struct where *self = (struct where *)op;

    (void)exec;
    by_set_clear(&self->bys);
    self->is_seeing = false;
}

static void close(struct op *op)
{
    struct where *self = (struct where *)op;

    by_set_close(&self->bys);
    batch_close(&self->in);
}

extern const struct op_class where_class;

const struct op_class where_class = {
    .name = "where",
    .holds = HOLDS_NOTHING,
    .size = sizeof(struct where),
    .open = open,
    .pull = pull,
    .reset = reset,
    .close = close,
};
