#include "router/op/attempt.h"

/* The traversers of the child come out, with their paths. */
static struct traverser split(struct op *op, struct exec *exec, const struct traverser *from,
                              const struct traverser *result)
{
    struct traverser next = *result;

    (void)op;
    (void)exec;
    next.loops = from->loops;
    return next;
}

static enum pull pull(struct op *op, struct exec *exec, struct batch *out)
{
    static const struct attempt_rule rule = {.split = split, .keeps_fruitless = true};

    return attempt_pull((struct attempt *)op, exec, &rule, out);
}

extern const struct op_class optional_class;

const struct op_class optional_class = {
    .name = "optional",
    .holds = HOLDS_NOTHING,
    .size = sizeof(struct attempt),
    .open = attempt_open,
    .pull = pull,
    .reset = attempt_reset,
    .close = attempt_close,
};
