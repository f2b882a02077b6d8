#include "router/op/mutate.h"

#include "router/op/elem.h"
#include "router/op/exec.h"
#include "router/op/quota.h"
#include "router/remote/transaction.h"

#include <assert.h>
#include <string.h>

/* ---- input ---- */

enum pull mutate_gather(struct mutate_input *input, struct op *op, struct exec *exec, bool is_start)
{
    if (is_start && !input->is_done) {
        struct traverser *nobody = batch_add(&input->all);
        nobody->sack = exec->plan->has_sack ? &exec->plan->sack : NULL;
        input->is_done = true;
    }
    while (!input->is_done) {
        enum pull rc = op_pull(op->input, exec, &input->pulled);
        if (rc == PULL_DONE) {
            input->is_done = true;
        } else if (rc != PULL_BATCH) {
            return rc;
        }
        for (uint32_t i = 0; i < input->pulled.count; i++) {
            batch_push(&input->all, &input->pulled.items[i]);
        }
        if (quota_check(exec, input->all.count, sizeof(struct traverser)) != PULL_BATCH) {
            return PULL_ERROR;
        }
    }
    return input->all.count > 0 ? PULL_BATCH : PULL_DONE;
}

void mutate_reset(struct mutate_input *input)
{
    batch_clear(&input->all);
    input->is_done = false;
}

void mutate_close(struct mutate_input *input)
{
    batch_close(&input->all);
    batch_close(&input->pulled);
}

/* ---- entries ---- */

uint32_t mutate_arg_count(const struct plan_set_property_entry *entries, uint32_t count)
{
    uint32_t args = 0;

    for (uint32_t i = 0; i < count; i++) {
        args += 2 + 2 * entries[i].meta_count;
    }
    return args;
}

int mutate_add_args(struct args *args, struct exec *exec,
                    const struct plan_set_property_entry *entries, uint32_t count,
                    struct plan_traversal *const *children)
{
    for (uint32_t i = 0; i < count; i++) {
        int rc = args_add(args, exec, &entries[i].key, children);
        if (rc == E_OK) {
            rc = args_add(args, exec, &entries[i].value, children);
        }
        for (uint32_t k = 0; rc == E_OK && k < 2 * entries[i].meta_count; k++) {
            rc = args_add(args, exec, &entries[i].metas[k], children);
        }
        if (rc != E_OK) {
            return rc;
        }
    }
    return E_OK;
}

void mutate_unwrap(struct value *value, enum enumerator *cardinality)
{
    const struct value *inner = bytecode_cardinality(value, cardinality);

    if (inner != NULL) {
        *value = *inner;
    }
}

static bool check_text(struct exec *exec, const struct value *text, const char *what)
{
    struct slice slice = {0};

    if (text->kind != VALUE_STRING) {
        op_fail(exec, E_INVALID, "%s has to be a string, not a %s", what,
                value_kind_name((enum value_kind)text->kind));
        return false;
    }
    slice = value_slice(text);
    if (slice.size == 0) {
        op_fail(exec, E_INVALID, "%s can not be empty", what);
        return false;
    }
    if (slice.data[0] == '~') {
        op_fail(exec, E_INVALID, "%s can not be a hidden key: %.*s", what, (int)slice.size,
                (const char *)slice.data);
        return false;
    }
    return true;
}

bool mutate_check_key(struct exec *exec, const struct value *key)
{
    return check_text(exec, key, "Property key");
}

bool mutate_check_label(struct exec *exec, const struct value *label)
{
    return check_text(exec, label, "Label");
}

static bool check_value(struct exec *exec, const struct value *value)
{
    switch ((int)value->kind) {
    case VALUE_VERTEX:
    case VALUE_EDGE:
    case VALUE_VPROPERTY:
    case VALUE_PROPERTY:
    case VALUE_PATH:
    case VALUE_TREE:
    case VALUE_PREDICATE:
    case VALUE_TRAVERSAL:
    case VALUE_TRAVERSER:
    case VALUE_STRATEGY:
    case VALUE_LAMBDA:
    case VALUE_METRICS:
    case VALUE_GRAPH:
        op_fail(exec, E_INVALID, "Property value is of type %s, which is not supported",
                value_kind_name((enum value_kind)value->kind));
        return false;
    default:
        return true;
    }
}

static bool read_metas(const struct args *args, struct exec *exec, uint32_t count, uint32_t row,
                       uint32_t *arg, struct mutate_property *out)
{
    struct property *metas = arena_array(&exec->arena, count + 1, sizeof *metas);

    for (uint32_t i = 0; i < count; i++) {
        const struct value *key = args_need(args, exec, (*arg)++, row);
        const struct value *value = key == NULL ? NULL : args_need(args, exec, (*arg)++, row);
        if (value == NULL || !mutate_check_key(exec, key) || !check_value(exec, value)) {
            return false;
        }
        if (value->kind != VALUE_NULL) {
            metas[out->meta_count].key = value_slice(key);
            metas[out->meta_count++].value = *value;
        }
    }
    out->metas = metas;
    return true;
}

bool mutate_read_entry(const struct args *args, struct exec *exec,
                       const struct plan_set_property_entry *entry, uint32_t row, uint32_t *arg,
                       struct mutate_property *out)
{
    const struct value *key = args_need(args, exec, (*arg)++, row);
    const struct value *value = key == NULL ? NULL : args_need(args, exec, (*arg)++, row);

    if (value == NULL) {
        return false;
    }
    *out =
        (struct mutate_property){.key = *key, .value = *value, .cardinality = entry->cardinality};
    mutate_unwrap(&out->value, &out->cardinality);
    bool is_token = key->kind == VALUE_ENUM && key->flag == ENUM_T;
    if ((!is_token && !mutate_check_key(exec, key)) || !check_value(exec, &out->value)) {
        return false;
    }
    return read_metas(args, exec, entry->meta_count, row, arg, out);
}

/* ---- changes ---- */

bool mutate_change(struct exec *exec, const struct change *change)
{
    int rc = transaction_change(exec->txn, exec, change, &exec->error);

    assert(rc == E_OK || exec->error.code != E_OK);
    return rc == E_OK;
}

bool mutate_edge_change(struct exec *exec, const struct edge *edge, struct change *out)
{
    *out = (struct change){
        .direction = DIRECTION_OUT, .label = edge->label, .far_label = edge->in_label};
    if (!elem_vid(exec, &edge->id, &out->edge) || !elem_vid(exec, &edge->out_id, &out->vertex) ||
        !elem_vid(exec, &edge->in_id, &out->far)) {
        op_fail(exec, E_INVALID, "an edge without usable ids");
        return false;
    }
    return true;
}

bool mutate_edge(struct exec *exec, const struct edge *edge, const struct change *out)
{
    int rc = transaction_edge(exec->txn, exec, out, edge->out_label, &exec->error);

    assert(rc == E_OK || exec->error.code != E_OK);
    return rc == E_OK;
}

static bool set_on_vertex(struct exec *exec, const struct vertex *vertex,
                          const struct mutate_property *property)
{
    bool is_single =
        property->cardinality == ENUMERATOR_COUNT || property->cardinality == CARDINALITY_SINGLE;
    struct change change = {
        .kind = CHANGE_VPROP_SET,
        .cardinality = is_single ? 0 : (uint8_t)(property->cardinality - CARDINALITY_SINGLE),
        .key = value_slice(&property->key),
        .value = property->value,
        .props = property->metas,
        .prop_count = property->meta_count,
    };

    if (!elem_vid(exec, &vertex->id, &change.vertex)) {
        op_fail(exec, E_INVALID, "a vertex without a usable id");
        return false;
    }
    if (property->value.kind == VALUE_NULL) {
        struct change drop = {
            .kind = CHANGE_VPROP_DROP, .vertex = change.vertex, .key = change.key};
        return !is_single || mutate_change(exec, &drop);
    }
    return mutate_change(exec, &change);
}

static bool set_on_edge(struct exec *exec, const struct edge *edge,
                        const struct mutate_property *property)
{
    struct change change;

    if (!mutate_edge_change(exec, edge, &change)) {
        return false;
    }
    change.kind = property->value.kind == VALUE_NULL ? CHANGE_EPROP_DROP : CHANGE_EPROP_SET;
    change.key = value_slice(&property->key);
    change.value = property->value;
    return mutate_edge(exec, edge, &change);
}

static bool set_on_vproperty(struct exec *exec, const struct vproperty *vproperty,
                             const struct mutate_property *property)
{
    struct change change = {
        .kind = property->value.kind == VALUE_NULL ? CHANGE_META_DROP : CHANGE_META_SET,
        .key = vproperty->key,
        .meta_key = value_slice(&property->key),
        .value = property->value,
        .prop_id = change_prop_id(&vproperty->id),
    };

    if (vproperty->owner == NULL || !elem_vid(exec, &vproperty->owner->id, &change.vertex)) {
        op_fail(exec, E_INVALID, "a property of no vertex cannot be changed");
        return false;
    }
    return mutate_change(exec, &change);
}

bool mutate_set(struct exec *exec, const struct value *element,
                const struct mutate_property *property)
{
    const char *kind = value_kind_name((enum value_kind)element->kind);

    if (property->key.kind != VALUE_STRING) {
        op_fail(exec, E_INVALID, "%s cannot be changed",
                value_enumerator_name((enum enumerator)property->key.integer));
        return false;
    }
    if (element->kind == VALUE_VERTEX) {
        return set_on_vertex(exec, element->vertex, property);
    }
    if (property->cardinality != ENUMERATOR_COUNT || property->meta_count > 0) {
        struct slice key = value_slice(&property->key);
        op_fail(
            exec, E_INVALID,
            "Property cardinality can only be set for a Vertex but the traversal encountered %s "
            "for key: %.*s",
            kind, (int)key.size, (const char *)key.data);
        return false;
    }
    if (element->kind == VALUE_EDGE) {
        return set_on_edge(exec, element->edge, property);
    }
    if (element->kind == VALUE_VPROPERTY) {
        return set_on_vproperty(exec, element->vproperty, property);
    }
    op_fail(exec, E_EVALUATION, "only elements have properties, not a %s", kind);
    return false;
}

/* ---- new elements ---- */

/* Without a cardinality and metas it is part of addVertex(), which keeps equal keys as a list. */
static bool is_replacing(const struct mutate_property *property)
{
    return property->cardinality == CARDINALITY_SINGLE ||
           (property->cardinality == ENUMERATOR_COUNT && property->meta_count > 0);
}

static uint32_t without_key(struct vproperty *props, uint32_t count, struct slice key,
                            const struct value *value)
{
    uint32_t kept = 0;

    for (uint32_t i = 0; i < count; i++) {
        bool is_same = slice_equal(props[i].key, key) &&
                       (value == NULL || value_equivalent(&props[i].value, value));
        if (!is_same) {
            props[kept++] = props[i];
        }
    }
    return kept;
}

static uint32_t collect_vprops(const struct mutate_property *properties, uint32_t count,
                               struct vproperty *props)
{
    uint32_t kept = 0;

    for (uint32_t i = 0; i < count; i++) {
        const struct mutate_property *property = &properties[i];
        if (property->key.kind != VALUE_STRING || property->value.kind == VALUE_NULL) {
            continue;
        }
        struct slice key = value_slice(&property->key);
        if (is_replacing(property)) {
            kept = without_key(props, kept, key, NULL);
        } else if (property->cardinality == CARDINALITY_SET) {
            kept = without_key(props, kept, key, &property->value);
        }
        uint8_t cardinality = property->cardinality == ENUMERATOR_COUNT
                                  ? 0
                                  : (uint8_t)(property->cardinality - CARDINALITY_SINGLE);
        for (uint32_t k = 0; k < kept; k++) {
            if (slice_equal(props[k].key, key) && cardinality == 0) {
                cardinality = CARDINALITY_LIST - CARDINALITY_SINGLE;
            }
            if (slice_equal(props[k].key, key) && props[k].cardinality == 0) {
                props[k].cardinality = cardinality;
            }
        }
        props[kept++] = (struct vproperty){.id = value_null(),
                                           .key = key,
                                           .value = property->value,
                                           .metas = property->metas,
                                           .meta_count = property->meta_count,
                                           .cardinality = cardinality};
    }
    return kept;
}

/* The vertex as a read would give it. */
static struct value new_vertex(struct exec *exec, const struct vid *id, const struct change *change)
{
    struct vertex *vertex = ARENA_NEW(&exec->arena, struct vertex);
    struct vproperty *props =
        arena_copy(&exec->arena, change->vprops, (change->vprop_count + 1) * sizeof *props);

    vertex->id = elem_id(exec, id);
    vertex->label = change->label;
    for (uint32_t i = 0; i < change->vprop_count; i++) {
        struct property *metas = arena_array(&exec->arena, props[i].meta_count + 1, sizeof *metas);
        struct value *owner = ARENA_NEW(&exec->arena, struct value);
        *owner = value_vproperty(&props[i]);
        for (uint32_t k = 0; k < props[i].meta_count; k++) {
            metas[k] = props[i].metas[k];
            metas[k].owner = owner;
        }
        props[i].id = value_long(vid_property(id, props[i].key, i));
        props[i].owner = vertex;
        props[i].metas = metas;
    }
    vertex->props = props;
    vertex->prop_count = change->vprop_count;
    vertex->has_props = true;
    vertex->seen = transaction_change_count(exec->txn);
    return value_vertex(vertex);
}

bool mutate_add_vertex(struct exec *exec, const struct vid *id, struct slice label,
                       const struct mutate_property *properties, uint32_t count, struct value *out)
{
    struct vproperty *props = arena_array(&exec->arena, count + 1, sizeof *props);
    struct change change = {
        .kind = CHANGE_VERTEX_ADD,
        .vertex = *id,
        .label = label,
        .vprops = props,
        .vprop_count = collect_vprops(properties, count, props),
    };

    if (!mutate_change(exec, &change)) {
        return false;
    }
    *out = new_vertex(exec, id, &change);
    return true;
}

void mutate_refresh(struct exec *exec, struct batch *made)
{
    uint32_t changes = transaction_change_count(exec->txn);

    for (uint32_t i = 0; i < made->count; i++) {
        const struct value *value = &made->items[i].value;
        if (value->kind == VALUE_VERTEX) {
            ((struct vertex *)(uintptr_t)value->vertex)->seen = changes;
        } else if (value->kind == VALUE_EDGE) {
            ((struct edge *)(uintptr_t)value->edge)->seen = changes;
        }
    }
}

bool mutate_add_edge(struct exec *exec, const struct edge *edge, struct value *out)
{
    struct edge *copy = arena_copy(&exec->arena, edge, sizeof *edge);
    struct property *props = arena_array(&exec->arena, edge->prop_count + 1, sizeof *props);
    struct value *owner = ARENA_NEW(&exec->arena, struct value);
    struct change change;

    if (!mutate_edge_change(exec, edge, &change)) {
        return false;
    }
    *owner = value_edge(copy);
    for (uint32_t i = 0; i < edge->prop_count; i++) {
        props[i] = edge->props[i];
        props[i].owner = owner;
    }
    copy->props = props;
    copy->has_props = true;
    change.kind = CHANGE_EDGE_ADD;
    change.props = props;
    change.prop_count = edge->prop_count;
    if (!mutate_edge(exec, edge, &change)) {
        return false;
    }
    copy->seen = transaction_change_count(exec->txn);
    *out = *owner;
    return true;
}
