#include "router/op/elements.h"

extern const struct op_class vertices_class;

static int open(struct op *op, struct exec *exec)
{
    return elements_open(op, exec, false);
}

const struct op_class vertices_class = {
    .name = "vertices",
    .holds = HOLDS_NOTHING,
    .size = sizeof(struct elements),
    .open = open,
    .pull = elements_pull,
    .reset = elements_reset,
    .close = elements_close,
};
