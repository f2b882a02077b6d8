#include "common/bulk.h"
#include "router/op/exec.h"
#include "router/op/items.h"
#include "router/op/slots.h"
#include "router/plan/params.h"

struct range {
    struct op op;
    struct slots seen; /* uint64_t of each tag: traversers so far. */
    uint32_t filled;   /* Tags that have had all they may get. */
    struct batch in;   /* Local; what an empty range looks at. */
    bool has_looked;
};

/* The part of a value's items that lies in the range; a value without items stays. */
static struct value cut(struct arena *arena, const struct plan_range *plan,
                        const struct value *value)
{
    struct items items;
    const struct value *flat;
    uint32_t count, low, high;

    if (!items_of(arena, value, &items)) {
        return *value;
    }
    flat = items_flat(arena, &items, &count);
    low = plan->low > count ? count : (uint32_t)plan->low;
    high = plan->high > count ? count : (uint32_t)plan->high;
    return items_collect(arena, value, flat + low, high > low ? high - low : 0);
}

static enum pull pull_local(struct range *self, struct exec *exec, struct batch *out)
{
    const struct plan_range *plan = self->op.plan->params;
    enum pull rc = op_pull(self->op.input, exec, &self->in);

    for (uint32_t i = 0; rc == PULL_BATCH && i < self->in.count; i++) {
        struct traverser next = op_split(&self->op, exec, &self->in.items[i],
                                         cut(&exec->stream, plan, &self->in.items[i].value));
        batch_push(out, &next);
    }
    return rc;
}

/* A bulk that lies across a border is cut. */
static bool take(struct range *self, const struct plan_range *plan, struct traverser *traverser)
{
    uint64_t *seen = slots_at(&self->seen, traverser->tag, sizeof *seen);
    uint64_t first = *seen, last = bulk_add(first, traverser->bulk); /* [first, last) */

    if (first >= plan->high) {
        return false;
    }
    *seen = last;
    if (last >= plan->high) {
        last = plan->high;
        self->filled++;
    }
    if (last <= plan->low) {
        return false;
    }
    traverser->bulk = last - (first > plan->low ? first : plan->low);
    return true;
}

/* limit(0) ends at the first traverser that comes, not before: what stands in front of it, such as
 * aggregate(), has done its work by then. */
static enum pull look_once(struct range *self, struct exec *exec)
{
    if (!self->has_looked) {
        enum pull rc = op_pull(self->op.input, exec, &self->in);
        if (rc == PULL_WAIT || rc == PULL_ERROR) {
            return rc;
        }
        self->has_looked = true;
    }
    return PULL_DONE;
}

static enum pull pull(struct op *op, struct exec *exec, struct batch *out)
{
    struct range *self = (struct range *)op;
    const struct plan_range *plan = op->plan->params;
    enum pull rc;

    if (plan->scope == SCOPE_LOCAL) {
        return pull_local(self, exec, out);
    }
    if (plan->high <= plan->low) {
        return look_once(self, exec);
    }
    if (self->filled == op->tags) {
        return PULL_DONE;
    }
    while ((rc = op_pull(op->input, exec, out)) == PULL_BATCH) {
        uint32_t kept = 0;
        for (uint32_t i = 0; i < out->count; i++) {
            if (take(self, plan, &out->items[i])) {
                out->items[kept++] = out->items[i];
            }
        }
        out->count = kept;
        if (kept > 0) {
            break;
        }
        if (self->filled == op->tags) {
            return PULL_DONE;
        }
    }
    return rc;
}

static void reset(struct op *op, struct exec *exec)
{
    struct range *self = (struct range *)op;

    (void)exec;
    slots_clear(&self->seen, sizeof(uint64_t));
    self->filled = 0;
    self->has_looked = false;
}

static void close(struct op *op)
{
    struct range *self = (struct range *)op;

    slots_close(&self->seen);
    batch_close(&self->in);
}

extern const struct op_class range_class;

const struct op_class range_class = {
    .name = "range",
    .holds = HOLDS_NOTHING,
    .size = sizeof(struct range),
    .pull = pull,
    .reset = reset,
    .close = close,
};
