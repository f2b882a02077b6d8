/* subgraph('x'): the edges that pass, with both their ends, make a graph of their own. */
#include "router/op/effect.h"
#include "router/op/elem.h"
#include "router/op/exec.h"
#include "router/op/idset.h"
#include "router/op/quota.h"
#include "router/plan/params.h"

#include <assert.h>
#include <string.h>

/* Elements of one kind, each once. */
struct part {
    struct idset ids;
    struct value *items; /* In the exec's arena. */
    uint32_t room;
};

struct gathered {
    struct part vertices, edges;
};

struct subgraph {
    struct op op;
    struct side_effect *effect;
    struct gathered *graph; /* Of the side effect. */
    bool is_closing;        /* It was the first to fill the side effect. */
};

static struct value list_of(const struct part *part)
{
    return (struct value){.kind = VALUE_LIST, .size = part->ids.count, .items = part->items};
}

/* What is added later goes behind what the lists show. */
static struct value render(struct exec *exec, void *own)
{
    const struct gathered *graph = own;
    struct value vertices = list_of(&graph->vertices), edges = list_of(&graph->edges);

    return value_graph(&exec->arena, &vertices, &edges);
}

static int open(struct op *op, struct exec *exec)
{
    struct subgraph *self = (struct subgraph *)op;
    const struct plan_subgraph *plan = op->plan->params;
    struct effect_state *state;
    int rc;

    self->effect = exec_side_effect_make(exec, plan->side_effect);
    rc = effect_claim_own(exec, self->effect, EFFECT_GRAPH, render);
    if (rc != E_OK) {
        return rc;
    }
    state = self->effect->state;
    if (state->own == NULL) {
        state->own = ARENA_NEW(&exec->arena, struct gathered);
        self->is_closing = true;
    }
    self->graph = state->own;
    return E_OK;
}

static void add(struct part *part, struct exec *exec, const struct value *element,
                const struct value *id)
{
    struct vid key;

    if (!vid_from_value(&exec->arena, id, &key)) {
        return;
    }
    uint32_t place = part->ids.count;
    if (idset_find(&part->ids, &key) != MAP_NONE) {
        return;
    }
    key = vid_copy(&exec->arena, &key);
    (void)idset_add(&part->ids, &key);
    if (place == part->room) {
        uint32_t room = part->room == 0 ? OP_BATCH : 2 * part->room;
        struct value *items = arena_array(&exec->arena, room, sizeof *items);
        if (place > 0) {
            memcpy(items, part->items, place * sizeof *items);
        }
        part->items = items;
        part->room = room;
    }
    part->items[place] = *element;
}

static void add_edge(struct subgraph *self, struct exec *exec, const struct value *value)
{
    const struct edge *edge = value->edge;
    struct value ends[2] = {elem_vertex(exec, &edge->out_id, edge->out_label),
                            elem_vertex(exec, &edge->in_id, edge->in_label)};

    for (int i = 0; i < 2; i++) {
        add(&self->graph->vertices, exec, &ends[i], &ends[i].vertex->id);
    }
    add(&self->graph->edges, exec, value, &edge->id);
}

static enum pull pull(struct op *op, struct exec *exec, struct batch *out)
{
    struct subgraph *self = (struct subgraph *)op;
    enum pull rc = op_pull(op->input, exec, out);

    for (uint32_t i = 0; rc == PULL_BATCH && i < out->count; i++) {
        const struct value *value = &out->items[i].value;
        if (value->kind != VALUE_EDGE) {
            rc = op_fail(exec, E_EVALUATION, "subgraph() takes edges, not a %s",
                         value_kind_name((enum value_kind)value->kind));
            break;
        }
        add_edge(self, exec, value);
    }
    if (rc == PULL_BATCH) {
        effect_touch(self->effect);
        rc = quota_check(exec, self->graph->vertices.ids.room + self->graph->edges.ids.room,
                         sizeof(struct vid));
    }
    if (rc == PULL_ERROR) {
        batch_clear(out);
    }
    return rc;
}

static void close(struct op *op)
{
    struct subgraph *self = (struct subgraph *)op;

    if (self->is_closing) {
        idset_close(&self->graph->vertices.ids);
        idset_close(&self->graph->edges.ids);
    }
}

extern const struct op_class subgraph_class;

const struct op_class subgraph_class = {
    .name = "subgraph",
    .size = sizeof(struct subgraph),
    .open = open,
    .pull = pull,
    .close = close,
};
