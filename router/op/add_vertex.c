#include "router/op/elem.h"
#include "router/op/exec.h"
#include "router/op/mutate.h"
#include "router/remote/transaction.h"

#include <assert.h>

struct add_vertex {
    struct op op;
    struct mutate_input input;
    struct args args; /* Label, then properties. */
    bool is_ready;    /* args are those of the input. */
    uint32_t at;      /* Traverser; a bulk of n makes n vertices. */
    uint64_t made;    /* Of its bulk. */
};

static const struct plan_add_vertex *plan_of(const struct op *op)
{
    return op->plan->params;
}

static int open(struct op *op, struct exec *exec)
{
    struct add_vertex *self = (struct add_vertex *)op;
    const struct plan_add_vertex *plan = plan_of(op);

    args_init(&self->args, exec, 1 + mutate_arg_count(plan->properties, plan->property_count));
    int rc = args_add(&self->args, exec, &plan->label, op->plan->children);
    return rc != E_OK ? rc
                      : mutate_add_args(&self->args, exec, plan->properties, plan->property_count,
                                        op->plan->children);
}

static bool read_properties(struct add_vertex *self, struct exec *exec,
                            struct mutate_property *properties)
{
    const struct plan_add_vertex *plan = plan_of(&self->op);
    uint32_t arg = 1;

    for (uint32_t i = 0; i < plan->property_count; i++) {
        if (!mutate_read_entry(&self->args, exec, &plan->properties[i], self->at, &arg,
                               &properties[i])) {
            return false;
        }
    }
    return true;
}

/* T.id and T.label may be among the properties. */
static const struct value *find_token(const struct mutate_property *properties, uint32_t count,
                                      enum enumerator token)
{
    for (uint32_t i = count; i > 0; i--) {
        const struct value *key = &properties[i - 1].key;
        if (key->kind == VALUE_ENUM && key->integer == (int64_t)token) {
            return &properties[i - 1].value;
        }
    }
    return NULL;
}

static enum pull find_id(struct exec *exec, const struct value *given, struct vid *id)
{
    if (given != NULL && given->kind != VALUE_NULL) {
        return elem_vid(exec, given, id)
                   ? PULL_BATCH
                   : op_fail(exec, E_INVALID, "a %s cannot be the id of a vertex",
                             value_kind_name((enum value_kind)given->kind));
    }
    *id = vid_num(0);
    return transaction_new_id(exec->txn, exec, NULL, &id->num);
}

static enum pull make(struct add_vertex *self, struct exec *exec, struct batch *out)
{
    const struct plan_add_vertex *plan = plan_of(&self->op);
    struct mutate_property *properties =
        arena_array(&exec->arena, plan->property_count + 1, sizeof *properties);
    const struct traverser *from = &self->input.all.items[self->at];
    const struct value *label = args_need(&self->args, exec, 0, self->at);
    struct value vertex;
    struct vid id;

    if (label == NULL || !read_properties(self, exec, properties)) {
        return PULL_ERROR;
    }
    const struct value *token = find_token(properties, plan->property_count, T_LABEL);
    label = token != NULL ? token : label;
    if (!mutate_check_label(exec, label)) {
        return PULL_ERROR;
    }
    enum pull rc = find_id(exec, find_token(properties, plan->property_count, T_ID), &id);
    if (rc != PULL_BATCH) {
        return rc;
    }
    if (!mutate_add_vertex(exec, &id, value_slice(label), properties, plan->property_count,
                           &vertex)) {
        return PULL_ERROR;
    }
    struct traverser next = op_split(&self->op, exec, from, vertex);
    next.bulk = 1;
    batch_push(out, &next);
    return PULL_BATCH;
}

static enum pull pull(struct op *op, struct exec *exec, struct batch *out)
{
    struct add_vertex *self = (struct add_vertex *)op;
    const struct batch *all = &self->input.all;
    enum pull rc;

    if (!self->is_ready) {
        rc = mutate_gather(&self->input, op, exec, plan_of(op)->is_start);
        if (rc == PULL_BATCH) {
            rc = args_run(&self->args, exec, all->items, all->count);
        }
        if (rc != PULL_BATCH) {
            return rc;
        }
        self->is_ready = true;
    }
    while (self->at < all->count && out->count < OP_BATCH) {
        rc = make(self, exec, out);
        if (rc == PULL_WAIT && out->count > 0) {
            break;
        }
        if (rc != PULL_BATCH) {
            return rc;
        }
        if (++self->made == all->items[self->at].bulk) {
            self->made = 0;
            self->at++;
        }
    }
    mutate_refresh(exec, out);
    return out->count > 0 ? PULL_BATCH : PULL_DONE;
}

static void reset(struct op *op, struct exec *exec)
{
    struct add_vertex *self = (struct add_vertex *)op;

    (void)exec;
    mutate_reset(&self->input);
    args_reset(&self->args);
    self->is_ready = false;
    self->at = 0;
    self->made = 0;
}

static void close(struct op *op)
{
    struct add_vertex *self = (struct add_vertex *)op;

    mutate_close(&self->input);
    args_close(&self->args);
}

extern const struct op_class add_vertex_class;

const struct op_class add_vertex_class = {
    .name = "add vertex",
    .size = sizeof(struct add_vertex),
    .open = open,
    .pull = pull,
    .reset = reset,
    .close = close,
};
