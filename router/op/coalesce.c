#include "router/op/attempt.h"

/* As flatMap: only the value comes out of the child. */
static struct traverser split(struct op *op, struct exec *exec, const struct traverser *from,
                              const struct traverser *result)
{
    return op_split(op, exec, from, result->value);
}

static enum pull pull(struct op *op, struct exec *exec, struct batch *out)
{
    static const struct attempt_rule rule = {.split = split};

    return attempt_pull((struct attempt *)op, exec, &rule, out);
}

extern const struct op_class coalesce_class;

const struct op_class coalesce_class = {
    .name = "coalesce",
    .holds = HOLDS_NOTHING,
    .size = sizeof(struct attempt),
    .open = attempt_open,
    .pull = pull,
    .reset = attempt_reset,
    .close = attempt_close,
};
