/* addE(): gathers, finds the arguments and both ends of all traversers, reads the labels of ends
 * that are known by id only in one fetch, then buffers the edges. That the ends exist is checked
 * by their shards at commit. */
#include "common/mem.h"
#include "router/op/elem.h"
#include "router/op/exec.h"
#include "router/op/mutate.h"
#include "router/remote/transaction.h"

#include <assert.h>

enum state {
    GATHERING,
    ARGUING,
    ENDING, /* Labels of the ends. */
    MAKING
};

enum {
    ARG_LABEL,
    ARG_ENDS /* From, if it has one; to, if it has one; then properties. */
};

struct add_edge {
    struct op op;
    enum state state;
    struct mutate_input input;
    struct args args;
    struct value *ends; /* Out and in of each traverser; on the heap. */
    struct load_run load;
    uint32_t at;
    uint64_t made; /* Of its bulk. */
};

static const struct plan_add_edge *plan_of(const struct op *op)
{
    return op->plan->params;
}

static int open(struct op *op, struct exec *exec)
{
    struct add_edge *self = (struct add_edge *)op;
    const struct plan_add_edge *plan = plan_of(op);
    struct plan_traversal *const *children = op->plan->children;

    self->load = (struct load_run){.want = LOAD_LABEL, .op = op};
    args_init(&self->args, exec, 3 + mutate_arg_count(plan->properties, plan->property_count));
    int rc = args_add(&self->args, exec, &plan->label, children);
    if (rc == E_OK && plan->has_from) {
        rc = args_add(&self->args, exec, &plan->from, children);
    }
    if (rc == E_OK && plan->has_to) {
        rc = args_add(&self->args, exec, &plan->to, children);
    }
    return rc != E_OK ? rc
                      : mutate_add_args(&self->args, exec, plan->properties, plan->property_count,
                                        children);
}

/* ---- ends ---- */

/* What as(label) named last on the way here, or a side effect of that name. */
static const struct value *find_label(const struct traverser *from, struct exec *exec,
                                      struct slice label)
{
    for (const struct path_node *node = from->path; node != NULL; node = node->previous) {
        for (uint32_t i = 0; i < node->label_count; i++) {
            if (slice_equal(node->labels[i], label)) {
                return &node->value;
            }
        }
    }
    const struct side_effect *effect = exec_side_effect(exec, label);
    return effect == NULL ? NULL : &effect->value;
}

/* arg: number of the argument; UINT32_MAX: the traverser itself. */
static enum pull find_end(struct add_edge *self, struct exec *exec, uint32_t row, uint32_t arg,
                          const char *which, struct value *end)
{
    const struct traverser *from = &self->input.all.items[row];
    const struct plan_arg *plan = arg == UINT32_MAX ? NULL : self->args.items[arg].plan;
    const struct value *value = plan == NULL ? &from->value : args_get(&self->args, arg, row);
    bool is_given = plan != NULL && plan->child == PLAN_NO_CHILD;
    struct vid id;

    if (value != NULL && is_given && value->kind == VALUE_STRING) {
        value = find_label(from, exec, value_slice(value));
        /* Seen after a change: by this transaction, so its label is not a client's word. */
        is_given = value == NULL || value->kind != VALUE_VERTEX || value->vertex->seen == 0;
    }
    if (value == NULL || value->kind == VALUE_NULL) {
        return op_fail(
            exec, E_EVALUATION,
            "The value given to addE().%s() must resolve to a Vertex or the ID of a Vertex "
            "present in the graph, but null was specified instead",
            which);
    }
    if (value->kind == VALUE_VERTEX && !is_given) {
        *end = *value;
        return PULL_BATCH;
    }
    if (value->kind == VALUE_EDGE || value->kind == VALUE_VPROPERTY ||
        !elem_vid(exec, value, &id)) {
        return op_fail(
            exec, E_EVALUATION,
            "The value given to addE().%s() must resolve to a Vertex or the ID of a Vertex "
            "present in the graph, but a %s was specified instead",
            which, value_kind_name((enum value_kind)value->kind));
    }
    /* What a client gives as a vertex is a reference: its label is read. */
    struct value plain = elem_id(exec, &id);
    *end = elem_vertex(exec, &plain, (struct slice){0});
    return PULL_BATCH;
}

static enum pull find_ends(struct add_edge *self, struct exec *exec)
{
    const struct plan_add_edge *plan = plan_of(&self->op);
    uint32_t count = self->input.all.count;
    uint32_t from_arg = plan->has_from ? ARG_ENDS : UINT32_MAX;
    uint32_t to_arg = plan->has_to ? ARG_ENDS + (plan->has_from ? 1u : 0u) : UINT32_MAX;
    enum pull rc = PULL_BATCH;

    self->ends = mem_resize(self->ends, 2 * (size_t)count * sizeof *self->ends);
    for (uint32_t i = 0; rc == PULL_BATCH && i < count; i++) {
        rc = find_end(self, exec, i, from_arg, "from", &self->ends[2 * i]);
        if (rc == PULL_BATCH) {
            rc = find_end(self, exec, i, to_arg, "to", &self->ends[2 * i + 1]);
        }
    }
    return rc;
}

static enum pull check_ends(struct add_edge *self, struct exec *exec)
{
    for (uint32_t i = 0; i < 2 * self->input.all.count; i++) {
        if (self->ends[i].vertex->label.data == NULL) {
            return op_fail(exec, E_EVALUATION,
                           "The value given to addE().%s() must resolve to a Vertex or the ID of a "
                           "Vertex present in the graph. The provided value does not match any "
                           "vertices in the graph",
                           i % 2 == 0 ? "from" : "to");
        }
    }
    return PULL_BATCH;
}

/* ---- edges ---- */

static bool add_property(struct exec *exec, struct edge *edge, struct property *props,
                         const struct mutate_property *property, const struct value **id)
{
    if (property->key.kind == VALUE_ENUM) {
        if (property->key.integer == T_ID) {
            *id = &property->value;
        } else if (property->key.integer == T_LABEL && mutate_check_label(exec, &property->value)) {
            edge->label = value_slice(&property->value);
        }
        return exec->error.code == E_OK;
    }
    if (property->cardinality != ENUMERATOR_COUNT || property->meta_count > 0) {
        struct slice key = value_slice(&property->key);
        op_fail(
            exec, E_INVALID,
            "Property cardinality can only be set for a Vertex but the traversal encountered Edge "
            "for key: %.*s",
            (int)key.size, (const char *)key.data);
        return false;
    }
    struct slice key = value_slice(&property->key);
    uint32_t at = 0;
    while (at < edge->prop_count && !slice_equal(props[at].key, key)) {
        at++;
    }
    if (property->value.kind != VALUE_NULL) {
        props[at] = (struct property){.key = key, .value = property->value};
        edge->prop_count += at == edge->prop_count ? 1u : 0u;
    }
    return true;
}

static bool read_properties(struct add_edge *self, struct exec *exec, struct edge *edge,
                            struct mutate_property *entries, const struct value **id)
{
    const struct plan_add_edge *plan = plan_of(&self->op);
    struct property *props = arena_array(&exec->arena, plan->property_count + 1, sizeof *props);
    uint32_t arg = (uint32_t)ARG_ENDS + (plan->has_from ? 1u : 0u) + (plan->has_to ? 1u : 0u);

    for (uint32_t i = 0; i < plan->property_count; i++) {
        if (!mutate_read_entry(&self->args, exec, &plan->properties[i], self->at, &arg,
                               &entries[i]) ||
            !add_property(exec, edge, props, &entries[i], id)) {
            return false;
        }
    }
    edge->props = props;
    return true;
}

static enum pull make(struct add_edge *self, struct exec *exec, struct batch *out)
{
    const struct plan_add_edge *plan = plan_of(&self->op);
    const struct value *label = args_need(&self->args, exec, ARG_LABEL, self->at);
    struct mutate_property *entries =
        arena_array(&exec->arena, plan->property_count + 1, sizeof *entries);
    const struct vertex *ends[2] = {self->ends[2 * self->at].vertex,
                                    self->ends[2 * self->at + 1].vertex};
    const struct value *given = NULL;
    struct value value;
    struct vid near;
    struct vid id = vid_num(0);

    if (label == NULL || !mutate_check_label(exec, label)) {
        return PULL_ERROR;
    }
    struct edge edge = {.label = value_slice(label),
                        .out_id = ends[0]->id,
                        .in_id = ends[1]->id,
                        .out_label = ends[0]->label,
                        .in_label = ends[1]->label};
    if (!read_properties(self, exec, &edge, entries, &given) ||
        !elem_vid(exec, &edge.out_id, &near)) {
        return PULL_ERROR;
    }
    if (given == NULL || given->kind == VALUE_NULL) {
        enum pull rc = transaction_new_id(exec->txn, exec, &near, &id.num);
        if (rc != PULL_BATCH) {
            return rc;
        }
    } else if (!elem_vid(exec, given, &id)) {
        return op_fail(exec, E_INVALID, "a %s cannot be the id of an edge",
                       value_kind_name((enum value_kind)given->kind));
    }
    edge.id = elem_id(exec, &id);
    if (!mutate_add_edge(exec, &edge, &value)) {
        return PULL_ERROR;
    }
    struct traverser next = op_split(&self->op, exec, &self->input.all.items[self->at], value);
    next.bulk = 1;
    batch_push(out, &next);
    return PULL_BATCH;
}

static enum pull make_all(struct add_edge *self, struct exec *exec, struct batch *out)
{
    const struct batch *all = &self->input.all;

    while (self->at < all->count && out->count < OP_BATCH) {
        enum pull rc = make(self, exec, out);
        if (rc == PULL_WAIT && out->count > 0) {
            break;
        }
        if (rc != PULL_BATCH) {
            return rc;
        }
        if (++self->made == all->items[self->at].bulk) {
            self->made = 0;
            self->at++;
        }
    }
    mutate_refresh(exec, out);
    return out->count > 0 ? PULL_BATCH : PULL_DONE;
}

static enum pull pull(struct op *op, struct exec *exec, struct batch *out)
{
    struct add_edge *self = (struct add_edge *)op;
    struct batch *all = &self->input.all;

    for (;;) {
        enum pull rc = PULL_BATCH;
        switch (self->state) {
        case GATHERING:
            rc = mutate_gather(&self->input, op, exec, plan_of(op)->is_start);
            break;
        case ARGUING:
            rc = args_run(&self->args, exec, all->items, all->count);
            if (rc == PULL_BATCH) {
                rc = find_ends(self, exec);
            }
            break;
        case ENDING:
            rc = load_values(&self->load, exec, self->ends, 2 * all->count, false);
            if (rc == PULL_BATCH) {
                rc = check_ends(self, exec);
            }
            break;
        case MAKING:
            return make_all(self, exec, out);
        }
        if (rc != PULL_BATCH) {
            return rc;
        }
        self->state++;
    }
}

static void reset(struct op *op, struct exec *exec)
{
    struct add_edge *self = (struct add_edge *)op;

    (void)exec;
    mutate_reset(&self->input);
    args_reset(&self->args);
    load_reset(&self->load);
    self->state = GATHERING;
    self->at = 0;
    self->made = 0;
}

static void close(struct op *op)
{
    struct add_edge *self = (struct add_edge *)op;

    mutate_close(&self->input);
    args_close(&self->args);
    load_close(&self->load);
    mem_free(self->ends);
}

extern const struct op_class add_edge_class;

const struct op_class add_edge_class = {
    .name = "add edge",
    .size = sizeof(struct add_edge),
    .open = open,
    .pull = pull,
    .reset = reset,
    .close = close,
};
