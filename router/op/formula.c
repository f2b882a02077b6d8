/* math() and format(): the values of several variables, found for a whole batch at once, become one
 * number or one text. A traverser for which one of them is missing is dropped. */
#include "router/plan/formula.h"

#include <assert.h>

#include "common/number.h"
#include "router/op/by_set.h"
#include "router/op/exec.h"
#include "router/op/function.h"
#include "router/op/scope.h"

/* Where the value of a variable is found for one row. */
struct source {
    uint32_t lane; /* PLAN_NO_CHILD: nothing has that name here. */
    uint32_t place;
};

struct formula_op {
    struct op op;
    struct by_set bys;
    struct batch in;
    struct source *sources; /* Rows x variables; fallbacks of format() behind them. */
    uint32_t source_room;
    double *stack;
    bool is_seeing; /* `in` waits for the values. */
    bool is_giving; /* They are there; rows before `at` are done. */
    uint32_t at;
};

static const struct plan_formula *plan_of(const struct formula_op *self)
{
    return self->op.plan->params;
}

static int open(struct op *op, struct exec *exec)
{
    struct formula_op *self = (struct formula_op *)op;
    const struct plan_formula *plan = plan_of(self);

    if (plan->formula != NULL) {
        self->stack = arena_array(&exec->arena, plan->formula->depth + 1, sizeof(double));
    }
    return by_set_open(&self->bys, exec, op->plan, plan->by_count, plan->bys);
}

/* The row's source of a variable, and the one to look at if that gives nothing. */
static struct source *source_of(struct formula_op *self, uint32_t row, uint32_t variable)
{
    return &self->sources[2 * ((size_t)row * plan_of(self)->variable_count + variable)];
}

static void look_up(struct formula_op *self, struct exec *exec, uint32_t row, uint32_t variable)
{
    const struct plan_variable *plan = &plan_of(self)->variables[variable];
    const struct traverser *traverser = &self->in.items[row];
    struct source *source = source_of(self, row, variable);
    struct value named = traverser->value;
    bool is_found = plan->name.size == 0;

    source[0] = source[1] = (struct source){PLAN_NO_CHILD, 0};
    if (!is_found) {
        is_found = scope_get(exec, traverser, plan->name, POP_LAST, &named);
    }
    if (plan->key_by != PLAN_NO_CHILD && value_is_element(&traverser->value)) {
        source[0].lane = plan->key_by;
        source[0].place = by_set_add(&self->bys, plan->key_by, traverser, &traverser->value);
    }
    if (is_found) {
        /* A named value of format() is taken as it is: by() is for %{_}. */
        source[1].lane = plan->by;
        source[1].place = plan->key_by == PLAN_NO_CHILD
                              ? by_set_add(&self->bys, plan->by, traverser, &named)
                              : PLAN_NO_CHILD;
    }
}

static const struct value *value_of(struct formula_op *self, struct exec *exec, uint32_t row,
                                    uint32_t variable, struct value *room)
{
    const struct plan_variable *plan = &plan_of(self)->variables[variable];
    const struct source *source = source_of(self, row, variable);
    const struct value *found = NULL;

    if (source[0].lane != PLAN_NO_CHILD) {
        found = by_set_get(&self->bys, source[0].lane, source[0].place);
    }
    if (found != NULL || source[1].lane == PLAN_NO_CHILD) {
        return found;
    }
    if (source[1].place == PLAN_NO_CHILD) {
        return scope_get(exec, &self->in.items[row], plan->name, POP_LAST, room) ? room : NULL;
    }
    return by_set_get(&self->bys, source[1].lane, source[1].place);
}

/* 1: *out is there; 0: a variable has no value; or an error. */
static int compute(struct formula_op *self, struct exec *exec, uint32_t row, struct value *out)
{
    const struct plan_formula *plan = plan_of(self);
    double values[FORMULA_NAMES_MAX];
    double result;
    int rc;

    for (uint32_t i = 0; i < plan->variable_count; i++) {
        struct value room;
        const struct value *value = value_of(self, exec, row, i, &room);
        if (value == NULL) {
            return 0;
        }
        if (!value_is_number(value)) {
            return error_set(&exec->error, E_EVALUATION, "math() takes numbers, not a %s",
                             value_kind_name((enum value_kind)value->kind));
        }
        values[i] = number_double(value);
    }
    rc = formula_compute(plan->formula, values, self->stack, &result, &exec->error);
    *out = value_double(result);
    return rc == E_OK ? 1 : rc;
}

static int fill(struct formula_op *self, struct exec *exec, uint32_t row, struct value *out)
{
    const struct plan_formula *plan = plan_of(self);
    struct bytes text;
    struct slice made;

    bytes_init(&text, function_text_room(&exec->stream));
    for (uint32_t i = 0; i <= plan->variable_count; i++) {
        struct value room;
        const struct value *value;
        bytes_append(&text, plan->texts[i].data, plan->texts[i].size);
        if (i == plan->variable_count) {
            break;
        }
        value = value_of(self, exec, row, i, &room);
        if (value == NULL) {
            bytes_close(&text);
            return 0;
        }
        value_print(&text, value);
    }
    if (text.is_overflown || exec->stream.is_exceeded) {
        bytes_close(&text);
        return error_set(&exec->error, E_LIMIT, "format() would make a text of more than %zu bytes",
                         function_text_room(&exec->stream));
    }
    made = bytes_slice(&text);
    *out = value_string(slice_of(arena_copy(&exec->stream, made.data, made.size), made.size));
    bytes_close(&text);
    return 1;
}

static void look_up_all(struct formula_op *self, struct exec *exec)
{
    uint32_t count = plan_of(self)->variable_count;

    if (self->in.count > self->source_room) {
        self->source_room = self->in.room;
        self->sources = arena_array(&exec->arena, 2 * (size_t)self->source_room * count + 1,
                                    sizeof *self->sources);
    }
    by_set_clear(&self->bys);
    for (uint32_t row = 0; row < self->in.count; row++) {
        for (uint32_t i = 0; i < count; i++) {
            look_up(self, exec, row, i);
        }
    }
}

/* The next batch with the values of its variables. */
static enum pull prepare(struct formula_op *self, struct exec *exec)
{
    enum pull rc;

    if (!self->is_seeing) {
        rc = op_pull(self->op.input, exec, &self->in);
        if (rc != PULL_BATCH) {
            return rc;
        }
        look_up_all(self, exec);
        self->is_seeing = true;
    }
    rc = by_set_run(&self->bys, exec);
    if (rc == PULL_BATCH) {
        self->is_seeing = false;
        self->is_giving = true;
        self->at = 0;
    }
    return rc;
}

/* The rest of the batch, as far as the turn allows: texts may be large. */
static enum pull give(struct formula_op *self, struct exec *exec, struct batch *out)
{
    while (self->at < self->in.count && (out->count == 0 || exec->budget > 0)) {
        uint32_t row = self->at++;
        struct value value;
        int done = plan_of(self)->formula != NULL ? compute(self, exec, row, &value)
                                                  : fill(self, exec, row, &value);
        if (done < 0) {
            return PULL_ERROR;
        }
        if (done == 1) {
            op_charge(exec, function_weight(&value));
            struct traverser next = op_split(&self->op, exec, &self->in.items[row], value);
            batch_push(out, &next);
        }
    }
    self->is_giving = self->at < self->in.count;
    return PULL_BATCH;
}

static enum pull pull(struct op *op, struct exec *exec, struct batch *out)
{
    struct formula_op *self = (struct formula_op *)op;

    while (out->count == 0) {
        enum pull rc = self->is_giving ? PULL_BATCH : prepare(self, exec);
        if (rc == PULL_BATCH) {
            rc = give(self, exec, out);
        }
        if (rc != PULL_BATCH) {
            return rc;
        }
    }
    return PULL_BATCH;
}

static void reset(struct op *op, struct exec *exec)
{
    struct formula_op *self = (struct formula_op *)op;

    (void)exec;
    by_set_clear(&self->bys);
    self->is_seeing = false;
    self->is_giving = false;
    self->at = 0;
}

static void close(struct op *op)
{
    struct formula_op *self = (struct formula_op *)op;

    by_set_close(&self->bys);
    batch_close(&self->in);
}

extern const struct op_class formula_class;

const struct op_class formula_class = {
    .name = "formula",
    .holds = HOLDS_NOTHING,
    .size = sizeof(struct formula_op),
    .open = open,
    .pull = pull,
    .reset = reset,
    .close = close,
};
