#include "router/op/child.h"
#include "router/op/exec.h"
#include "router/plan/params.h"

#include <assert.h>

struct properties {
    struct op op;
    struct batch in;
    struct op_gather gather;
    struct load_run load;
    bool is_loading;
    uint32_t at; /* Next of `in`. */
};

static int open(struct op *op, struct exec *exec)
{
    struct properties *self = (struct properties *)op;
    const struct plan_properties *plan = op->plan->params;

    (void)exec;
    self->load = (struct load_run){.want = plan->key_count == 0 ? LOAD_WHOLE : LOAD_SOME, .op = op};
    return E_OK;
}

static bool is_wanted(const struct plan_properties *plan, struct slice key)
{
    for (uint32_t i = 0; i < plan->key_count; i++) {
        if (slice_equal(plan->keys[i], key)) {
            return true;
        }
    }
    return plan->key_count == 0;
}

static void give(struct properties *self, struct exec *exec, const struct traverser *from,
                 struct value property, struct batch *out)
{
    const struct plan_properties *plan = self->op.plan->params;
    bool is_vertex = property.kind == VALUE_VPROPERTY;
    struct value value = property;

    if (!is_wanted(plan, is_vertex ? property.vproperty->key : property.property->key)) {
        return;
    }
    if (plan->to_values) {
        value = is_vertex ? property.vproperty->value : property.property->value;
    }
    struct traverser next = op_split(&self->op, exec, from, value);
    batch_push(out, &next);
}

static enum pull give_all(struct properties *self, struct exec *exec, const struct traverser *from,
                          struct batch *out)
{
    const struct property *props = NULL;
    uint32_t count = 0;

    switch ((int)from->value.kind) {
    case VALUE_VERTEX:
        for (uint32_t i = 0; i < from->value.vertex->prop_count; i++) {
            give(self, exec, from, value_vproperty(&from->value.vertex->props[i]), out);
        }
        return PULL_BATCH;
    case VALUE_EDGE:
        props = from->value.edge->props;
        count = from->value.edge->prop_count;
        break;
    case VALUE_VPROPERTY:
        props = from->value.vproperty->metas;
        count = from->value.vproperty->meta_count;
        break;
    default:
        return op_fail(exec, E_EVALUATION, "only elements have properties, not a %s",
                       value_kind_name((enum value_kind)from->value.kind));
    }
    for (uint32_t i = 0; i < count; i++) {
        give(self, exec, from, value_property(&props[i]), out);
    }
    return PULL_BATCH;
}

static enum pull fill(struct properties *self, struct exec *exec)
{
    enum pull rc = PULL_BATCH;

    if (!self->is_loading) {
        self->at = 0;
        rc = op_gather(&self->op, exec, &self->gather, &self->in);
    }
    if (rc == PULL_BATCH) {
        self->is_loading = true;
        rc = load_elements(&self->load, exec, self->in.items, self->in.count, false);
    }
    if (rc == PULL_BATCH) {
        self->is_loading = false;
    }
    return rc;
}

static enum pull pull(struct op *op, struct exec *exec, struct batch *out)
{
    struct properties *self = (struct properties *)op;

    while (out->count < OP_BATCH) {
        if (self->is_loading || self->gather.is_open || self->at == self->in.count) {
            if (out->count > 0) {
                break;
            }
            enum pull rc = fill(self, exec);
            if (rc != PULL_BATCH) {
                return rc;
            }
        }
        if (give_all(self, exec, &self->in.items[self->at++], out) != PULL_BATCH) {
            return PULL_ERROR;
        }
    }
    return PULL_BATCH;
}

static void reset(struct op *op, struct exec *exec)
{
    struct properties *self = (struct properties *)op;

    (void)exec;
    load_reset(&self->load);
    op_gather_reset(&self->gather);
    batch_clear(&self->in);
    self->is_loading = false;
    self->at = 0;
}

static void close(struct op *op)
{
    struct properties *self = (struct properties *)op;

    load_close(&self->load);
    batch_close(&self->in);
    op_gather_close(&self->gather);
}

extern const struct op_class properties_class;

const struct op_class properties_class = {
    .name = "properties",
    .holds = HOLDS_NOTHING,
    .size = sizeof(struct properties),
    .open = open,
    .pull = pull,
    .reset = reset,
    .close = close,
};
