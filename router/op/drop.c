/* drop(): gathers, reads the edges of all vertices in one fetch, then buffers the changes. */
#include "common/mem.h"
#include "router/op/elem.h"
#include "router/op/exec.h"
#include "router/op/idset.h"
#include "router/op/mutate.h"
#include "router/op/rowset.h"

#include <assert.h>

enum {
    CHUNK = 65536 /* Vertices of one fetch. */
};

struct drop {
    struct op op;
    struct exec *exec;
    struct mutate_input input;
    struct idset vertices; /* To drop, each once. */
    struct idset edges;    /* Dropped already. */
    bool is_sorted;        /* Vertices are known. */
    struct read_input *inputs;
    uint32_t asked; /* Vertices whose edges were asked for. */
    struct read_request spec;
    struct fetch *fetch;
    struct rowset rows;
};

static int open(struct op *op, struct exec *exec)
{
    ((struct drop *)op)->exec = exec;
    return E_OK;
}

static bool drop_edge(struct drop *self, const struct edge *edge)
{
    struct change change;

    if (!mutate_edge_change(self->exec, edge, &change)) {
        return false;
    }
    uint32_t before = self->edges.count;
    idset_add(&self->edges, &change.edge);
    change.kind = CHANGE_EDGE_DROP;
    return self->edges.count == before || mutate_edge(self->exec, edge, &change);
}

static bool drop_vproperty(struct drop *self, const struct vproperty *vproperty)
{
    struct change change = {.kind = CHANGE_VPROP_DROP,
                            .key = vproperty->key,
                            .prop_id = change_prop_id(&vproperty->id)};

    if (vproperty->owner == NULL || !elem_vid(self->exec, &vproperty->owner->id, &change.vertex)) {
        op_fail(self->exec, E_INVALID, "a property of no vertex cannot be dropped");
        return false;
    }
    return mutate_change(self->exec, &change);
}

static bool drop_property(struct drop *self, const struct property *property)
{
    struct mutate_property gone = {
        .key = value_string(property->key), .value = value_null(), .cardinality = ENUMERATOR_COUNT};

    if (property->owner == NULL) {
        op_fail(self->exec, E_INVALID, "a property of no element cannot be dropped");
        return false;
    }
    return mutate_set(self->exec, property->owner, &gone);
}

/* All but vertices go at once; those are put together for the read of their edges. */
static bool drop_one(struct drop *self, const struct value *value)
{
    struct vid id;

    switch ((int)value->kind) {
    case VALUE_VERTEX:
        if (elem_vid(self->exec, &value->vertex->id, &id)) {
            idset_add(&self->vertices, &id);
        }
        return true;
    case VALUE_EDGE:
        return drop_edge(self, value->edge);
    case VALUE_VPROPERTY:
        return drop_vproperty(self, value->vproperty);
    case VALUE_PROPERTY:
        return drop_property(self, value->property);
    default:
        op_fail(self->exec, E_EVALUATION, "The incoming object is not removable: a %s",
                value_kind_name((enum value_kind)value->kind));
        return false;
    }
}

static bool start_chunk(struct drop *self)
{
    uint32_t left = self->vertices.count - self->asked;
    uint32_t count = left < CHUNK ? left : CHUNK;

    self->inputs = mem_resize(self->inputs, count * sizeof *self->inputs);
    for (uint32_t i = 0; i < count; i++) {
        self->inputs[i] = (struct read_input){.id = self->vertices.ids[self->asked + i], .bulk = 1};
    }
    self->asked += count;
    self->rows.count = 0;
    self->spec = (struct read_request){
        .source = READ_IDS,
        .emit = READ_ROWS,
        .project = READ_NOTHING,
        .input_count = count,
        .inputs = self->inputs,
        .hop = {.direction = DIRECTION_BOTH, .to_edges = true},
    };
    self->fetch = fetch_start(self->exec, &self->op, &self->spec);
    return self->fetch != NULL;
}

/* BATCH when the edges of all vertices are dropped. */
static enum pull drop_edges(struct drop *self)
{
    while (self->fetch != NULL || self->asked < self->vertices.count) {
        if (self->fetch == NULL && !start_chunk(self)) {
            return PULL_ERROR;
        }
        /* All rows first: the drops must not be among what the rest of this read sees. */
        enum pull rc = rowset_take(&self->rows, self->fetch, self->exec, UINT32_MAX);
        if (rc != PULL_DONE) {
            return rc;
        }
        fetch_close(&self->fetch, self->exec);
        for (uint32_t i = 0; i < self->rows.count; i++) {
            if (!drop_edge(self, self->rows.rows[i].element.edge)) {
                return PULL_ERROR;
            }
        }
    }
    return PULL_BATCH;
}

static enum pull pull(struct op *op, struct exec *exec, struct batch *out)
{
    struct drop *self = (struct drop *)op;
    enum pull rc;

    (void)out;
    if (!self->is_sorted) {
        rc = mutate_gather(&self->input, op, exec, false);
        if (rc != PULL_BATCH) {
            return rc;
        }
        for (uint32_t i = 0; i < self->input.all.count; i++) {
            if (!drop_one(self, &self->input.all.items[i].value)) {
                return PULL_ERROR;
            }
        }
        self->is_sorted = true;
    }
    rc = drop_edges(self);
    if (rc != PULL_BATCH) {
        return rc;
    }
    for (uint32_t i = 0; i < self->vertices.count; i++) {
        struct change change = {.kind = CHANGE_VERTEX_DROP, .vertex = self->vertices.ids[i]};
        if (!mutate_change(exec, &change)) {
            return PULL_ERROR;
        }
    }
    return PULL_DONE;
}

static void reset(struct op *op, struct exec *exec)
{
    struct drop *self = (struct drop *)op;

    fetch_close(&self->fetch, exec);
    mutate_reset(&self->input);
    idset_clear(&self->vertices);
    idset_clear(&self->edges);
    self->is_sorted = false;
    self->asked = 0;
}

static void close(struct op *op)
{
    struct drop *self = (struct drop *)op;

    if (self->exec != NULL) {
        fetch_close(&self->fetch, self->exec);
    }
    mutate_close(&self->input);
    idset_close(&self->vertices);
    idset_close(&self->edges);
    mem_free(self->inputs);
    rowset_close(&self->rows);
}

extern const struct op_class drop_class;

const struct op_class drop_class = {
    .name = "drop",
    .size = sizeof(struct drop),
    .open = open,
    .pull = pull,
    .reset = reset,
    .close = close,
};
