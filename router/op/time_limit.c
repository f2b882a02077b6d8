/* timeLimit(ms): nothing more comes when that time has passed since the first traverser was asked
 * for. Traversers that are there in time go on together, as a batch. */
#include "router/op/exec.h"
#include "router/plan/params.h"

struct time_limit {
    struct op op;
    bool has_begun;
    uint64_t began_us;
};

static uint64_t clock_us(const struct exec *exec)
{
    return exec->micros != NULL ? exec->micros() : exec->now_ms * 1000;
}

static enum pull pull(struct op *op, struct exec *exec, struct batch *out)
{
    struct time_limit *self = (struct time_limit *)op;
    const struct plan_time_limit *plan = op->plan->params;
    uint64_t now_us = clock_us(exec);

    if (!self->has_begun) {
        self->has_begun = true;
        self->began_us = now_us;
    }
    if ((now_us - self->began_us) / 1000 >= plan->limit_ms) {
        return PULL_DONE;
    }
    return op_pull(op->input, exec, out);
}

static void reset(struct op *op, struct exec *exec)
{
    (void)exec;
    ((struct time_limit *)op)->has_begun = false;
}

extern const struct op_class time_limit_class;

const struct op_class time_limit_class = {
    .name = "time limit",
    .holds = HOLDS_NOTHING,
    .size = sizeof(struct time_limit),
    .pull = pull,
    .reset = reset,
};
