/* call('cardea.index'): the indexes of the graph, a map for each. */
#include "router/op/exec.h"
#include "router/remote/transaction.h"

struct indexes {
    struct op op;
    uint32_t at;
};

static struct value describe(struct exec *exec, const struct shardmap_index *index)
{
    struct value label = index->label.size == 0 ? value_null() : value_string(index->label);
    struct value pairs[] = {value_cstring("name"),  value_string(index->name),
                            value_cstring("label"), label,
                            value_cstring("key"),   value_string(index->key)};
    struct value map = {.kind = VALUE_MAP, .size = 3, .items = pairs};

    return value_copy(&exec->arena, &map); /* The map of the cluster may change. */
}

static enum pull pull(struct op *op, struct exec *exec, struct batch *out)
{
    struct indexes *self = (struct indexes *)op;
    const struct shardmap_graph *graph = transaction_graph(exec->txn, exec);

    while (graph != NULL && self->at < graph->index_count && out->count < OP_BATCH) {
        struct traverser next = op_start(op, exec, 0, describe(exec, &graph->indexes[self->at++]));
        batch_push(out, &next);
    }
    return out->count > 0 ? PULL_BATCH : PULL_DONE;
}

static void reset(struct op *op, struct exec *exec)
{
    (void)exec;
    ((struct indexes *)op)->at = 0;
}

extern const struct op_class indexes_class;

const struct op_class indexes_class = {
    .name = "indexes",
    .size = sizeof(struct indexes),
    .pull = pull,
    .reset = reset,
};
