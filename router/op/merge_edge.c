#include "router/op/elem.h"
#include "router/op/exec.h"
#include "router/op/upsert.h"
#include "router/remote/transaction.h"

#include <assert.h>

static bool set_input(struct upsert *self, struct exec *exec, const struct value *id)
{
    struct read_input *input = ARENA_NEW(&exec->arena, struct read_input);

    input->bulk = 1;
    if (!elem_vid(exec, id, &input->id)) {
        op_fail(exec, E_INVALID, "a %s cannot be an id",
                value_kind_name((enum value_kind)id->kind));
        return false;
    }
    self->spec.inputs = input;
    self->spec.input_count = 1;
    return true;
}

/* From the end that is given: one request to its shard. Else by id, or all edges. */
static bool search(struct upsert *self, struct exec *exec)
{
    struct read_request *spec = &self->spec;
    const struct value *id = upsert_get(&self->map, T_ID);
    const struct value *label = upsert_get(&self->map, T_LABEL);
    bool has_out = self->ends[0].kind == VALUE_VERTEX;
    bool has_in = self->ends[1].kind == VALUE_VERTEX;

    if (id != NULL) {
        spec->source = READ_EDGE_IDS;
        spec->filters = upsert_filters(exec, &self->map, true, &spec->filter_count);
        return set_input(self, exec, id);
    }
    if (!has_out && !has_in) {
        spec->source = READ_EDGES;
        spec->filters = upsert_filters(exec, &self->map, true, &spec->filter_count);
        return true;
    }
    spec->source = READ_IDS;
    spec->hop.direction = has_out ? DIRECTION_OUT : DIRECTION_IN;
    spec->hop.to_edges = true;
    spec->hop.edge_filters = upsert_filters(exec, &self->map, false, &spec->hop.edge_filter_count);
    if (label != NULL) {
        struct slice *labels = ARENA_NEW(&exec->arena, struct slice);
        *labels = value_slice(label);
        spec->hop.labels = labels;
        spec->hop.label_count = 1;
    }
    if (has_out && has_in) {
        struct read_filter *far = ARENA_NEW(&exec->arena, struct read_filter);
        far->on = READ_ON_ID;
        far->predicate = upsert_equals(exec, &self->ends[1].vertex->id);
        spec->hop.far_filters = far;
        spec->hop.far_filter_count = 1;
    }
    return set_input(self, exec, &self->ends[has_out ? 0 : 1].vertex->id);
}

static bool fits(struct upsert *self, struct exec *exec, const struct value *element)
{
    const struct edge *edge = element->edge;

    (void)exec;
    return (self->ends[0].kind == VALUE_NULL ||
            value_equal(&self->ends[0].vertex->id, &edge->out_id)) &&
           (self->ends[1].kind == VALUE_NULL ||
            value_equal(&self->ends[1].vertex->id, &edge->in_id));
}

enum { STEP_ENDS, STEP_MAKE };

/* Both ends have to be given and there. */
static enum pull load_ends(struct upsert *self, struct exec *exec)
{
    for (int i = 0; i < 2; i++) {
        if (self->ends[i].kind == VALUE_NULL) {
            return op_fail(exec, E_INVALID, "%s Vertex not specified - edge cannot be created",
                           i == 0 ? "Out" : "In");
        }
    }
    enum pull rc = load_values(&self->load, exec, self->ends, 2, false);
    for (int i = 0; rc == PULL_BATCH && i < 2; i++) {
        if (self->ends[i].vertex->label.data == NULL) {
            struct slice id = value_text(&exec->arena, &self->ends[i].vertex->id);
            return op_fail(exec, E_INVALID, "Vertex id could not be resolved from mergeE: %.*s",
                           (int)id.size, (const char *)id.data);
        }
    }
    return rc;
}

static const struct property *collect(struct exec *exec, const struct value *map, uint32_t *count)
{
    struct property *props = arena_array(&exec->arena, map->size + 1, sizeof *props);

    *count = 0;
    for (uint32_t i = 0; i < map->size; i++) {
        const struct value *key = &map->items[2 * i];
        if (key->kind == VALUE_STRING && map->items[2 * i + 1].kind != VALUE_NULL) {
            props[(*count)++] =
                (struct property){.key = value_slice(key), .value = map->items[2 * i + 1]};
        }
    }
    return props;
}

static enum pull create(struct upsert *self, struct exec *exec, struct value *out)
{
    const struct value *map = &self->created;
    const struct value *id = upsert_get(map, T_ID);
    const struct value *label = upsert_get(map, T_LABEL);
    struct vid vid = vid_num(0);
    struct vid near;
    enum pull rc;

    if (self->step == STEP_ENDS) {
        rc = load_ends(self, exec);
        if (rc != PULL_BATCH) {
            return rc;
        }
        self->step = STEP_MAKE;
    }
    if (id != NULL && !elem_vid(exec, id, &vid)) {
        return op_fail(exec, E_INVALID, "a %s cannot be the id of an edge",
                       value_kind_name((enum value_kind)id->kind));
    }
    if (!elem_vid(exec, &self->ends[0], &near)) {
        return op_fail(exec, E_INVALID, "a vertex without a usable id");
    }
    rc = id != NULL ? PULL_BATCH : transaction_new_id(exec->txn, exec, &near, &vid.num);
    if (rc != PULL_BATCH) {
        return rc;
    }
    struct edge edge = {.id = elem_id(exec, &vid),
                        .label = label == NULL ? SLICE("edge") : value_slice(label),
                        .out_id = self->ends[0].vertex->id,
                        .in_id = self->ends[1].vertex->id,
                        .out_label = self->ends[0].vertex->label,
                        .in_label = self->ends[1].vertex->label};
    edge.props = collect(exec, map, &edge.prop_count);
    return mutate_add_edge(exec, &edge, out) ? PULL_BATCH : PULL_ERROR;
}

static int open(struct op *op, struct exec *exec)
{
    static const struct upsert_rule rule = {
        .name = "mergeE", .is_edge = true, .search = search, .fits = fits, .create = create};

    return upsert_open(op, exec, &rule);
}

extern const struct op_class merge_edge_class;

const struct op_class merge_edge_class = {
    .name = "merge edge",
    .size = sizeof(struct upsert),
    .open = open,
    .pull = upsert_pull,
    .reset = upsert_reset,
    .close = upsert_close,
};
