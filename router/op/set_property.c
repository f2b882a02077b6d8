#include "router/op/exec.h"
#include "router/op/mutate.h"

#include <assert.h>
#include <string.h>

struct set_property {
    struct op op;
    struct mutate_input input;
    struct args args; /* Of the entries; or the map. */
    bool is_ready;
    uint32_t at;
};

static const struct plan_set_property *plan_of(const struct op *op)
{
    return op->plan->params;
}

static int open(struct op *op, struct exec *exec)
{
    struct set_property *self = (struct set_property *)op;
    const struct plan_set_property *plan = plan_of(op);

    args_init(&self->args, exec, 1 + mutate_arg_count(plan->entries, plan->entry_count));
    return plan->has_map ? args_add(&self->args, exec, &plan->map, op->plan->children)
                         : mutate_add_args(&self->args, exec, plan->entries, plan->entry_count,
                                           op->plan->children);
}

static bool set_map(struct set_property *self, struct exec *exec, const struct value *element)
{
    const struct value *map = args_need(&self->args, exec, 0, self->at);

    if (map == NULL) {
        return false;
    }
    if (map->kind != VALUE_MAP) {
        op_fail(exec, E_EVALUATION, "property(traversal) takes a map, not a %s",
                value_kind_name((enum value_kind)map->kind));
        return false;
    }
    for (uint32_t i = 0; i < map->size; i++) {
        struct mutate_property property = {.key = map->items[2 * i],
                                           .value = map->items[2 * i + 1],
                                           .cardinality = ENUMERATOR_COUNT};
        mutate_unwrap(&property.value, &property.cardinality);
        if (!mutate_check_key(exec, &property.key) || !mutate_set(exec, element, &property)) {
            return false;
        }
    }
    return true;
}

/* A vertex property is not read again: its metas are kept up to date here. */
static struct value with_meta(struct exec *exec, const struct value *element,
                              const struct mutate_property *property)
{
    const struct vproperty *old = element->vproperty;
    struct vproperty *next = arena_copy(&exec->arena, old, sizeof *old);
    struct property *metas = arena_array(&exec->arena, old->meta_count + 1, sizeof *metas);
    struct slice key = value_slice(&property->key);
    struct value *owner = ARENA_NEW(&exec->arena, struct value);
    uint32_t count = 0;

    *owner = value_vproperty(next);
    for (uint32_t i = 0; i < old->meta_count; i++) {
        if (!slice_equal(old->metas[i].key, key)) {
            metas[count++] = old->metas[i];
        }
    }
    if (property->value.kind != VALUE_NULL) {
        metas[count++] = (struct property){.key = key, .value = property->value};
    }
    for (uint32_t i = 0; i < count; i++) {
        metas[i].owner = owner;
    }
    next->metas = metas;
    next->meta_count = count;
    return *owner;
}

static bool set_all(struct set_property *self, struct exec *exec, struct traverser *traverser)
{
    const struct plan_set_property *plan = plan_of(&self->op);
    uint32_t arg = 0;

    if (plan->has_map) {
        return set_map(self, exec, &traverser->value);
    }
    for (uint32_t i = 0; i < plan->entry_count; i++) {
        struct mutate_property property;
        if (!mutate_read_entry(&self->args, exec, &plan->entries[i], self->at, &arg, &property) ||
            !mutate_set(exec, &traverser->value, &property)) {
            return false;
        }
        if (traverser->value.kind == VALUE_VPROPERTY) {
            traverser->value = with_meta(exec, &traverser->value, &property);
        }
    }
    return true;
}

static enum pull pull(struct op *op, struct exec *exec, struct batch *out)
{
    struct set_property *self = (struct set_property *)op;
    struct batch *all = &self->input.all;

    if (!self->is_ready) {
        enum pull rc = mutate_gather(&self->input, op, exec, false);
        if (rc == PULL_BATCH) {
            rc = args_run(&self->args, exec, all->items, all->count);
        }
        if (rc != PULL_BATCH) {
            return rc;
        }
        self->is_ready = true;
    }
    while (self->at < all->count && out->count < OP_BATCH) {
        struct traverser next = all->items[self->at];
        if (!set_all(self, exec, &next)) {
            return PULL_ERROR;
        }
        batch_push(out, &next);
        self->at++;
    }
    return out->count > 0 ? PULL_BATCH : PULL_DONE;
}

static void reset(struct op *op, struct exec *exec)
{
    struct set_property *self = (struct set_property *)op;

    (void)exec;
    mutate_reset(&self->input);
    args_reset(&self->args);
    self->is_ready = false;
    self->at = 0;
}

static void close(struct op *op)
{
    struct set_property *self = (struct set_property *)op;

    mutate_close(&self->input);
    args_close(&self->args);
}

extern const struct op_class set_property_class;

const struct op_class set_property_class = {
    .name = "set property",
    .size = sizeof(struct set_property),
    .open = open,
    .pull = pull,
    .reset = reset,
    .close = close,
};
