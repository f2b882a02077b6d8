#include "router/op/exec.h"
#include "router/op/items.h"
#include "router/plan/params.h"

static bool passes(const struct plan_list_test *plan, struct arena *arena,
                   const struct value *value)
{
    struct items items;
    bool is_wanted = plan->which != LIST_ALL;

    if (value->kind == VALUE_MAP || !items_of(arena, value, &items)) {
        return false;
    }
    for (uint32_t i = 0; i < items.count; i++) {
        if (predicate_matches(plan->predicate, &items.values[i]) == is_wanted) {
            return plan->which == LIST_ANY;
        }
    }
    return plan->which != LIST_ANY;
}

static enum pull pull(struct op *op, struct exec *exec, struct batch *out)
{
    enum pull rc;

    while ((rc = op_pull(op->input, exec, out)) == PULL_BATCH) {
        uint32_t kept = 0;
        for (uint32_t i = 0; i < out->count; i++) {
            if (passes(op->plan->params, &exec->stream, &out->items[i].value)) {
                out->items[kept++] = out->items[i];
            }
        }
        out->count = kept;
        if (kept > 0) {
            break;
        }
    }
    return rc;
}

extern const struct op_class list_test_class;

const struct op_class list_test_class = {
    .name = "list test",
    .holds = HOLDS_NOTHING,
    .size = sizeof(struct op),
    .pull = pull,
};
