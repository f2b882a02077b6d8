/* valueMap, propertyMap and elementMap: load -> a list of pairs for each element -> by() on the
 * values of all pairs of the batch at once -> maps. */
#include "common/mem.h"
#include "router/op/child.h"
#include "router/op/exec.h"
#include "router/plan/params.h"

#include <assert.h>
#include <string.h>

enum { TOKEN_IDS = 1, TOKEN_LABELS = 2, TOKEN_KEYS = 4, TOKEN_VALUES = 8 };

enum state { PULLING, LOADING, MAPPING };

struct property_map {
    struct op op;
    enum state state;
    struct batch in;
    struct op_gather gather;
    struct load_run load;
    struct by_run *bys;
    struct batch pairs; /* value: of a pair; mark: which of `in`. */
    struct value *keys; /* One a pair; on the heap, as the two below. */
    struct value *values;
    bool *is_productive;
    uint32_t key_room;
};

static const struct plan_property_map *plan_of(const struct property_map *self)
{
    return self->op.plan->params;
}

static int open(struct op *op, struct exec *exec)
{
    struct property_map *self = (struct property_map *)op;
    const struct plan_property_map *plan = plan_of(self);

    self->load = (struct load_run){.want = plan->key_count == 0 ? LOAD_WHOLE : LOAD_SOME, .op = op};
    if (plan->by_count > 1) {
        op_fail(exec, E_INVALID,
                "valueMap() and propertyMap() step can only have one by modulator");
        return E_INVALID;
    }
    self->bys = arena_array(&exec->arena, plan->by_count + 1, sizeof *self->bys);
    for (uint32_t i = 0; i < plan->by_count; i++) {
        int rc = by_open(&self->bys[i], exec, &plan->bys[i], op->plan->children);
        if (rc != E_OK) {
            return rc;
        }
    }
    return E_OK;
}

/* ---- pairs ---- */

static void add_pair(struct property_map *self, uint32_t from, struct value key, struct value value)
{
    struct traverser *pair = batch_add(&self->pairs);

    pair->value = value;
    pair->mark = from;
    if (self->pairs.count > self->key_room) {
        self->key_room = self->pairs.room;
        self->keys = mem_resize(self->keys, self->key_room * sizeof *self->keys);
        self->values = mem_resize(self->values, self->key_room * sizeof *self->values);
        self->is_productive = mem_resize(self->is_productive, self->key_room);
    }
    self->keys[self->pairs.count - 1] = key;
}

static bool is_wanted(const struct plan_property_map *plan, struct slice key)
{
    for (uint32_t i = 0; i < plan->key_count; i++) {
        if (slice_equal(plan->keys[i], key)) {
            return true;
        }
    }
    return plan->key_count == 0;
}

static struct value end_map(struct exec *exec, const struct value *id, struct slice label)
{
    struct value items[4] = {value_enumerator(T_ID), *id, value_enumerator(T_LABEL),
                             value_string(label)};

    return value_items(&exec->stream, VALUE_MAP, items, 2);
}

static void add_tokens(struct property_map *self, struct exec *exec, uint32_t from,
                       const struct value *element)
{
    const struct plan_property_map *plan = plan_of(self);
    bool is_whole = plan->which == MAP_ELEMENT;
    uint32_t tokens =
        is_whole ? TOKEN_IDS | TOKEN_LABELS | TOKEN_KEYS | TOKEN_VALUES : plan->tokens;
    bool is_vproperty = element->kind == VALUE_VPROPERTY;
    static const struct {
        uint32_t bit;
        enum enumerator token;
        bool on_vproperty, on_other;
    } rows[] = {{TOKEN_IDS, T_ID, true, true},
                {TOKEN_KEYS, T_KEY, true, false},
                {TOKEN_VALUES, T_VALUE, true, false},
                {TOKEN_LABELS, T_LABEL, false, true}};

    if (plan->which == MAP_PROPERTIES) {
        return;
    }
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct value value;
        bool is_on = is_vproperty ? rows[i].on_vproperty : rows[i].on_other;
        if ((tokens & rows[i].bit) != 0 && is_on && by_token(rows[i].token, element, &value)) {
            add_pair(self, from, value_enumerator(rows[i].token), value);
        }
    }
    if (is_whole && element->kind == VALUE_EDGE) {
        const struct edge *edge = element->edge;
        add_pair(self, from, value_enumerator(DIRECTION_IN),
                 end_map(exec, &edge->in_id, edge->in_label));
        add_pair(self, from, value_enumerator(DIRECTION_OUT),
                 end_map(exec, &edge->out_id, edge->out_label));
    }
}

/* All values of one key of a vertex: a list, or for elementMap the last one. */
static struct value values_of_key(struct property_map *self, struct exec *exec,
                                  const struct vertex *vertex, uint32_t first)
{
    const struct plan_property_map *plan = plan_of(self);
    struct value *items = arena_array(&exec->stream, vertex->prop_count, sizeof *items);
    uint32_t count = 0;

    for (uint32_t i = first; i < vertex->prop_count; i++) {
        const struct vproperty *prop = &vertex->props[i];
        if (slice_equal(prop->key, vertex->props[first].key)) {
            items[count++] = plan->which == MAP_PROPERTIES ? value_vproperty(prop) : prop->value;
        }
    }
    if (plan->which == MAP_ELEMENT) {
        return items[count - 1];
    }
    return (struct value){.kind = VALUE_LIST, .size = count, .items = items};
}

static bool is_first_of_key(const struct vertex *vertex, uint32_t at)
{
    for (uint32_t i = 0; i < at; i++) {
        if (slice_equal(vertex->props[i].key, vertex->props[at].key)) {
            return false;
        }
    }
    return true;
}

static void add_vertex_pairs(struct property_map *self, struct exec *exec, uint32_t from,
                             const struct vertex *vertex)
{
    for (uint32_t i = 0; i < vertex->prop_count; i++) {
        if (is_wanted(plan_of(self), vertex->props[i].key) && is_first_of_key(vertex, i)) {
            add_pair(self, from, value_string(vertex->props[i].key),
                     values_of_key(self, exec, vertex, i));
        }
    }
}

static void add_property_pairs(struct property_map *self, uint32_t from,
                               const struct property *props, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        if (is_wanted(plan_of(self), props[i].key)) {
            bool is_itself = plan_of(self)->which == MAP_PROPERTIES;
            add_pair(self, from, value_string(props[i].key),
                     is_itself ? value_property(&props[i]) : props[i].value);
        }
    }
}

static enum pull add_pairs(struct property_map *self, struct exec *exec, uint32_t from)
{
    const struct value *element = &self->in.items[from].value;

    switch ((int)element->kind) {
    case VALUE_VERTEX:
        add_tokens(self, exec, from, element);
        add_vertex_pairs(self, exec, from, element->vertex);
        return PULL_BATCH;
    case VALUE_EDGE:
        add_tokens(self, exec, from, element);
        add_property_pairs(self, from, element->edge->props, element->edge->prop_count);
        return PULL_BATCH;
    case VALUE_VPROPERTY:
        add_tokens(self, exec, from, element);
        add_property_pairs(self, from, element->vproperty->metas, element->vproperty->meta_count);
        return PULL_BATCH;
    default:
        return op_fail(exec, E_EVALUATION, "only elements have properties, not a %s",
                       value_kind_name((enum value_kind)element->kind));
    }
}

/* ---- maps ---- */

static void give_maps(struct property_map *self, struct exec *exec, struct batch *out)
{
    uint32_t at = 0;

    for (uint32_t from = 0; from < self->in.count; from++) {
        uint32_t first = at;
        while (at < self->pairs.count && self->pairs.items[at].mark == from) {
            at++;
        }
        struct value *items = arena_array(&exec->stream, 2 * (at - first) + 1, sizeof *items);
        uint32_t count = 0;
        for (uint32_t i = first; i < at; i++) {
            if (self->is_productive[i]) {
                items[2 * count] = self->keys[i];
                items[2 * count + 1] = self->values[i];
                count++;
            }
        }
        struct value map = {.kind = VALUE_MAP, .size = count, .items = items};
        struct traverser next = op_split(&self->op, exec, &self->in.items[from], map);
        batch_push(out, &next);
    }
}

static enum pull map_values(struct property_map *self, struct exec *exec)
{
    if (plan_of(self)->by_count > 0) {
        return by_values(&self->bys[0], exec, self->pairs.items, self->pairs.count, self->values,
                         self->is_productive);
    }
    for (uint32_t i = 0; i < self->pairs.count; i++) {
        self->values[i] = self->pairs.items[i].value;
        self->is_productive[i] = true;
    }
    return PULL_BATCH;
}

/* ---- states: each gives BATCH to go on with the next one ---- */

static enum pull on_loading(struct property_map *self, struct exec *exec)
{
    enum pull rc = load_elements(&self->load, exec, self->in.items, self->in.count, false);

    batch_clear(&self->pairs);
    for (uint32_t i = 0; rc == PULL_BATCH && i < self->in.count; i++) {
        rc = add_pairs(self, exec, i);
    }
    return rc;
}

static enum pull pull(struct op *op, struct exec *exec, struct batch *out)
{
    struct property_map *self = (struct property_map *)op;
    enum pull rc;

    if (self->state == PULLING) {
        rc = op_gather(op, exec, &self->gather, &self->in);
        if (rc != PULL_BATCH) {
            return rc;
        }
        self->state = LOADING;
    }
    if (self->state == LOADING) {
        rc = on_loading(self, exec);
        if (rc != PULL_BATCH) {
            return rc;
        }
        self->state = MAPPING;
    }
    rc = map_values(self, exec);
    if (rc == PULL_BATCH) {
        give_maps(self, exec, out);
        self->state = PULLING;
    }
    return rc;
}

static void reset(struct op *op, struct exec *exec)
{
    struct property_map *self = (struct property_map *)op;

    (void)exec;
    load_reset(&self->load);
    op_gather_reset(&self->gather);
    for (uint32_t i = 0; i < plan_of(self)->by_count; i++) {
        by_reset(&self->bys[i]);
    }
    self->state = PULLING;
}

static void close(struct op *op)
{
    struct property_map *self = (struct property_map *)op;

    load_close(&self->load);
    for (uint32_t i = 0; self->bys != NULL && i < plan_of(self)->by_count; i++) {
        by_close(&self->bys[i]);
    }
    batch_close(&self->in);
    op_gather_close(&self->gather);
    batch_close(&self->pairs);
    mem_free(self->keys);
    mem_free(self->values);
    mem_free(self->is_productive);
}

extern const struct op_class property_map_class;

const struct op_class property_map_class = {
    .name = "property map",
    .holds = HOLDS_NOTHING,
    .size = sizeof(struct property_map),
    .open = open,
    .pull = pull,
    .reset = reset,
    .close = close,
};
