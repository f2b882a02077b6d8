#include "router/op/exec.h"
#include "router/plan/params.h"

static enum pull pull(struct op *op, struct exec *exec, struct batch *out)
{
    const struct plan_is *plan = op->plan->params;
    enum pull rc;

    while ((rc = op_pull(op->input, exec, out)) == PULL_BATCH) {
        uint32_t kept = 0;
        for (uint32_t i = 0; i < out->count; i++) {
            if (predicate_matches(plan->predicate, &out->items[i].value)) {
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

extern const struct op_class is_class;

const struct op_class is_class = {
    .name = "is",
    .holds = HOLDS_NOTHING,
    .size = sizeof(struct op),
    .pull = pull,
};
