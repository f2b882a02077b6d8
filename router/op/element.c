/* element(): what a property belongs to. A meta-property's is its vertex property. */
#include "router/op/exec.h"

/* False for what is no property; `out` is NULL for a property without its element. */
static bool owner_of(const struct value *value, struct value *out)
{
    *out = value_null();
    if (value->kind == VALUE_VPROPERTY) {
        if (value->vproperty->owner != NULL) {
            *out = value_vertex(value->vproperty->owner);
        }
        return true;
    }
    if (value->kind == VALUE_PROPERTY) {
        if (value->property->owner != NULL) {
            *out = *value->property->owner;
        }
        return true;
    }
    return false;
}

static enum pull pull(struct op *op, struct exec *exec, struct batch *out)
{
    enum pull rc = op_pull(op->input, exec, out);

    for (uint32_t i = 0; rc == PULL_BATCH && i < out->count; i++) {
        struct traverser *at = &out->items[i];
        struct value owner;
        if (!owner_of(&at->value, &owner)) {
            return op_fail(exec, E_EVALUATION, "element() takes a property, not a %s",
                           value_kind_name((enum value_kind)at->value.kind));
        }
        if (owner.kind == VALUE_NULL) {
            return op_fail(exec, E_EVALUATION,
                           "element(): the property came without the element it belongs to");
        }
        *at = op_split(op, exec, at, owner);
    }
    return rc;
}

extern const struct op_class element_class;

const struct op_class element_class = {
    .name = "element",
    .holds = HOLDS_NOTHING,
    .size = sizeof(struct op),
    .pull = pull,
};
