#include "router/op/child.h"
#include "router/op/elem.h"
#include "router/op/exec.h"
#include "router/plan/params.h"

#include <assert.h>

struct has {
    struct op op;
    struct batch in;
    struct op_gather gather;
    struct load_run load;
    bool needs_load;
    bool is_loading;
    const struct read_filter *filters; /* Those of the plan, ids read as the graph reads them. */
};

static int open(struct op *op, struct exec *exec)
{
    struct has *self = (struct has *)op;
    const struct plan_has *plan = op->plan->params;

    self->load = (struct load_run){.want = LOAD_LABEL, .op = op};
    self->filters = elem_filters(exec, plan->filters, plan->filter_count);
    for (uint32_t i = 0; i < plan->filter_count; i++) {
        const struct read_filter *filter = &self->filters[i];
        if (filter->on == READ_ON_ID) {
            continue;
        }
        if (filter->on != READ_ON_LABEL && !plan->on_property) {
            self->load.want = LOAD_SOME;
        }
        self->needs_load = !plan->on_property;
    }
    return E_OK;
}

/* ---- tests ---- */

static bool test_properties(const struct read_filter *filter, const struct property *props,
                            uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        if (slice_equal(props[i].key, filter->key)) {
            return filter->on == READ_ON_EXISTS ||
                   (filter->on == READ_ON_KEY &&
                    predicate_matches(filter->predicate, &props[i].value));
        }
    }
    return filter->on == READ_ON_ABSENT;
}

static bool test_vertex(const struct read_filter *filter, const struct vertex *vertex)
{
    bool is_there = false;

    for (uint32_t i = 0; i < vertex->prop_count; i++) {
        if (!slice_equal(vertex->props[i].key, filter->key)) {
            continue;
        }
        is_there = true;
        if (filter->on == READ_ON_KEY &&
            predicate_matches(filter->predicate, &vertex->props[i].value)) {
            return true;
        }
    }
    return filter->on == READ_ON_EXISTS ? is_there : filter->on == READ_ON_ABSENT && !is_there;
}

static bool test_element(const struct read_filter *filter, const struct value *element)
{
    struct value part;

    if (filter->on == READ_ON_ID || filter->on == READ_ON_LABEL) {
        return by_token(filter->on == READ_ON_ID ? T_ID : T_LABEL, element, &part) &&
               predicate_matches(filter->predicate, &part);
    }
    switch ((int)element->kind) {
    case VALUE_VERTEX:
        return test_vertex(filter, element->vertex);
    case VALUE_EDGE:
        return test_properties(filter, element->edge->props, element->edge->prop_count);
    case VALUE_VPROPERTY:
        return test_properties(filter, element->vproperty->metas, element->vproperty->meta_count);
    default:
        return filter->on == READ_ON_ABSENT;
    }
}

static bool test_property(const struct read_filter *filter, const struct value *property)
{
    struct value part;

    return by_token(filter->on == READ_ON_LABEL ? T_KEY : T_VALUE, property, &part) &&
           predicate_matches(filter->predicate, &part);
}

static bool test_all(const struct has *self, const struct value *value)
{
    const struct plan_has *plan = self->op.plan->params;

    for (uint32_t i = 0; i < plan->filter_count; i++) {
        bool is_in = plan->on_property ? test_property(&self->filters[i], value)
                                       : test_element(&self->filters[i], value);
        if (!is_in) {
            return false;
        }
    }
    return true;
}

static bool is_testable(const struct value *value, bool on_property)
{
    return value->kind == VALUE_VPROPERTY || value->kind == VALUE_PROPERTY ||
           (!on_property && (value->kind == VALUE_VERTEX || value->kind == VALUE_EDGE));
}

/* ---- the operator ---- */

static enum pull test_batch(struct has *self, struct exec *exec, struct batch *out)
{
    const struct plan_has *plan = self->op.plan->params;

    for (uint32_t i = 0; i < self->in.count; i++) {
        const struct value *value = &self->in.items[i].value;
        if (!is_testable(value, plan->on_property)) {
            return op_fail(exec, E_EVALUATION, "%s takes %s, not a %s",
                           plan->on_property ? "hasKey() and hasValue()" : "has()",
                           plan->on_property ? "properties" : "elements",
                           value_kind_name((enum value_kind)value->kind));
        }
        if (test_all(self, value)) {
            batch_push(out, &self->in.items[i]);
        }
    }
    return PULL_BATCH;
}

static enum pull pull(struct op *op, struct exec *exec, struct batch *out)
{
    struct has *self = (struct has *)op;
    enum pull rc = PULL_BATCH;

    while (rc == PULL_BATCH && out->count == 0) {
        if (!self->is_loading) {
            rc = self->needs_load ? op_gather(op, exec, &self->gather, &self->in)
                                  : op_pull(op->input, exec, &self->in);
        }
        if (rc == PULL_BATCH && self->needs_load) {
            self->is_loading = true;
            rc = load_elements(&self->load, exec, self->in.items, self->in.count, false);
        }
        if (rc == PULL_BATCH) {
            self->is_loading = false;
            rc = test_batch(self, exec, out);
        }
    }
    return rc;
}

static void reset(struct op *op, struct exec *exec)
{
    struct has *self = (struct has *)op;

    (void)exec;
    load_reset(&self->load);
    op_gather_reset(&self->gather);
    self->is_loading = false;
}

static void close(struct op *op)
{
    struct has *self = (struct has *)op;

    load_close(&self->load);
    batch_close(&self->in);
    op_gather_close(&self->gather);
}

extern const struct op_class has_class;

const struct op_class has_class = {
    .name = "has",
    .holds = HOLDS_NOTHING,
    .size = sizeof(struct has),
    .open = open,
    .pull = pull,
    .reset = reset,
    .close = close,
};
