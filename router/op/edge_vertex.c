#include "router/op/elem.h"
#include "router/op/exec.h"
#include "router/plan/params.h"

#include <assert.h>

struct edge_vertex {
    struct op op;
    struct batch in;
};

/* The vertex of the path before the edge. */
static const struct value *vertex_before(const struct traverser *from)
{
    const struct path_node *node = from->path;

    if (node != NULL && from->is_placed) {
        node = node->previous;
    }
    while (node != NULL && node->value.kind != VALUE_VERTEX) {
        node = node->previous;
    }
    return node == NULL ? NULL : &node->value;
}

static void give(struct edge_vertex *self, struct exec *exec, const struct traverser *from,
                 bool is_out, struct batch *out)
{
    const struct edge *edge = from->value.edge;
    struct value vertex = elem_vertex(exec, is_out ? &edge->out_id : &edge->in_id,
                                      is_out ? edge->out_label : edge->in_label);
    struct traverser next = op_split(&self->op, exec, from, vertex);

    batch_push(out, &next);
}

static enum pull give_other(struct edge_vertex *self, struct exec *exec,
                            const struct traverser *from, struct batch *out)
{
    const struct value *before = vertex_before(from);

    if (before == NULL) {
        return op_fail(exec, E_EVALUATION,
                       "The path history of the traverser does not contain a previous vertex");
    }
    bool is_from_out = value_equal(&before->vertex->id, &from->value.edge->out_id);
    give(self, exec, from, !is_from_out, out);
    return PULL_BATCH;
}

static enum pull give_ends(struct edge_vertex *self, struct exec *exec,
                           const struct traverser *from, struct batch *out)
{
    const struct plan_edge_vertex *plan = self->op.plan->params;

    if (from->value.kind != VALUE_EDGE) {
        return op_fail(exec, E_EVALUATION, "only edges have an out and an in vertex, not a %s",
                       value_kind_name((enum value_kind)from->value.kind));
    }
    switch (plan->which) {
    case EDGE_VERTEX_OUT:
        give(self, exec, from, true, out);
        break;
    case EDGE_VERTEX_IN:
        give(self, exec, from, false, out);
        break;
    case EDGE_VERTEX_BOTH:
        give(self, exec, from, true, out);
        give(self, exec, from, false, out);
        break;
    case EDGE_VERTEX_OTHER:
        return give_other(self, exec, from, out);
    }
    return PULL_BATCH;
}

static enum pull pull(struct op *op, struct exec *exec, struct batch *out)
{
    struct edge_vertex *self = (struct edge_vertex *)op;
    enum pull rc = op_pull(op->input, exec, &self->in);

    for (uint32_t i = 0; rc == PULL_BATCH && i < self->in.count; i++) {
        rc = give_ends(self, exec, &self->in.items[i], out);
    }
    return rc;
}

static void close(struct op *op)
{
    batch_close(&((struct edge_vertex *)op)->in);
}

extern const struct op_class edge_vertex_class;

const struct op_class edge_vertex_class = {
    .name = "edge vertex",
    .holds = HOLDS_NOTHING,
    .size = sizeof(struct edge_vertex),
    .pull = pull,
    .close = close,
};
