#include "router/plan/build.h"

#include "router/gremlin/place.h"

#include <assert.h>
#include <string.h>

static struct plan_step *last_step(struct frame *frame)
{
    return frame->traversal->step_count == 0
               ? NULL
               : &frame->traversal->steps[frame->traversal->step_count - 1];
}

static int check_hidden(struct build *build, const struct value *name, const char *what)
{
    struct slice text;

    if (name->kind != VALUE_STRING) {
        return E_OK;
    }
    text = value_slice(name);
    if (text.size == 0) {
        return error_set(build->err, E_INVALID, "%s can not be empty", what);
    }
    if (text.data[0] == '~') {
        return error_set(build->err, E_INVALID, "%s can not be a hidden key: %.*s", what,
                         (int)text.size, (const char *)text.data);
    }
    return E_OK;
}

/* ---- addV, addE ---- */

int build_change_add_vertex(struct frame *frame, const struct call *call)
{
    const struct instruction *in = call->step;
    struct build *build = frame->build;
    struct plan_add_vertex *add = ARENA_NEW(build->arena, struct plan_add_vertex);
    struct plan_step step = build_step(call, PLAN_ADD_VERTEX, add);
    int rc = E_OK;

    build->plan->is_write = true;
    add->is_start = call->is_start;
    add->label.child = PLAN_NO_CHILD;
    add->properties = build_subgraph_entry(build, &add->property_count);
    add->label.value = value_string(SLICE("vertex"));
    if (in->arg_count > 0 && in->args[0].kind != VALUE_NULL) {
        if (in->args[0].kind != VALUE_STRING && in->args[0].kind != VALUE_TRAVERSAL) {
            return build_arg_wrong(build, call, 0, "a label");
        }
        rc = check_hidden(build, &in->args[0], "Label");
        add->has_label = true;
        if (rc == E_OK) {
            rc = build_arg_either(build, &step, &in->args[0], 0, &add->label);
        }
    }
    if (rc == E_OK) {
        build_push(frame, &step);
    }
    return rc;
}

static int edge_end(struct build *build, struct plan_step *step, const struct call *call,
                    enum step_id id, bool *has, struct plan_arg *out)
{
    const struct instruction *end = build_arg_modulator(call, id, 0);

    out->child = PLAN_NO_CHILD;
    *has = end != NULL;
    if (end == NULL) {
        return E_OK;
    }
    if (end->arg_count != 1) {
        return error_set(build->err, E_INVALID, "%.*s() takes a vertex, a label or a traversal",
                         (int)end->name.size, (const char *)end->name.data);
    }
    return build_arg_either(build, step, &end->args[0], 0, out);
}

int build_change_add_edge(struct frame *frame, const struct call *call)
{
    const struct instruction *in = call->step;
    struct build *build = frame->build;
    struct plan_add_edge *add = ARENA_NEW(build->arena, struct plan_add_edge);
    struct plan_step step = build_step(call, PLAN_ADD_EDGE, add);
    int rc;

    if (in->arg_count != 1 ||
        (in->args[0].kind != VALUE_STRING && in->args[0].kind != VALUE_TRAVERSAL)) {
        return build_arg_wrong(build, call, 0, "a label");
    }
    build->plan->is_write = true;
    add->is_start = call->is_start;
    add->properties = build_subgraph_entry(build, &add->property_count);
    rc = check_hidden(build, &in->args[0], "Label");
    if (rc == E_OK) {
        rc = build_arg_either(build, &step, &in->args[0], 0, &add->label);
    }
    if (rc == E_OK) {
        rc = edge_end(build, &step, call, STEP_FROM, &add->has_from, &add->from);
    }
    if (rc == E_OK) {
        rc = edge_end(build, &step, call, STEP_TO, &add->has_to, &add->to);
    }
    if (rc == E_OK) {
        build_push(frame, &step);
    }
    return rc;
}

int build_change_end(struct frame *frame, const struct call *call)
{
    const struct instruction *in = call->step;
    struct build *build = frame->build;
    struct plan_step *last = last_step(frame);
    bool is_from = in->step == STEP_FROM;
    struct plan_add_edge *add;

    if (last == NULL || last->kind != PLAN_ADD_EDGE || in->arg_count != 1) {
        return error_set(build->err, E_INVALID, "%.*s() belongs behind addE() or path()",
                         (int)in->name.size, (const char *)in->name.data);
    }
    add = arena_copy(build->arena, last->params, sizeof *add);
    last->params = add;
    *(is_from ? &add->has_from : &add->has_to) = true;
    return build_arg_either(build, last, &in->args[0], 0, is_from ? &add->from : &add->to);
}

/* ---- property ---- */

static int check_reserved(struct build *build, const struct value *key)
{
    static const char *const DEFAULTS[] = {"id", "label"};
    bool is_reserved = false;

    if (!build->checks_reserved || key->kind != VALUE_STRING) {
        return E_OK;
    }
    if (build->reserved_keys.kind == VALUE_NULL) {
        is_reserved = value_is_text(key, DEFAULTS[0]) || value_is_text(key, DEFAULTS[1]);
    } else {
        for (uint32_t i = 0; i < build->reserved_keys.size; i++) {
            is_reserved |= value_equal(&build->reserved_keys.items[i], key);
        }
    }
    if (is_reserved) {
        struct slice text = value_slice(key);
        return error_set(
            build->err, E_INVALID,
            "The provided traversal contains a step that is setting a property key to a "
            "reserved word: %.*s",
            (int)text.size, (const char *)text.data);
    }
    return E_OK;
}

static int entry_of(struct build *build, struct plan_step *step, const struct value *key,
                    const struct value *value, struct plan_set_property_entry *entry)
{
    enum enumerator cardinality;
    const struct value *carried = bytecode_cardinality(value, &cardinality);
    int rc = check_hidden(build, key, "Property key");

    if (rc == E_OK && key->kind != VALUE_STRING && key->kind != VALUE_TRAVERSAL &&
        !build_arg_is_enum(key, ENUM_T)) {
        rc = error_set(build->err, E_INVALID, "A property's key is a string or T, not a %s",
                       value_kind_name((enum value_kind)key->kind));
    }
    if (rc == E_OK) {
        rc = check_reserved(build, key);
    }
    if (carried != NULL) {
        entry->cardinality = cardinality;
        value = carried;
    }
    /* A map is a map of properties only as the argument itself: here it is one value, stored. */
    if (rc == E_OK) {
        rc = place_check(PLACE_TRAVERSAL, key, build->err);
    }
    if (rc == E_OK) {
        rc = place_check(PLACE_TRAVERSAL, value, build->err);
    }
    if (rc == E_OK) {
        rc = build_arg_either(build, step, key, 0, &entry->key);
    }
    return rc != E_OK ? rc : build_arg_either(build, step, value, 0, &entry->value);
}

/* property([single|list|set,] key, value, metas...) */
static int plain_entry(struct build *build, struct plan_step *step, const struct call *call,
                       uint32_t from, struct plan_set_property_entry *entry)
{
    const struct instruction *in = call->step;
    uint32_t metas = in->arg_count - from - 2;
    struct plan_arg *args = arena_array(build->arena, metas == 0 ? 1 : metas, sizeof *args);
    int rc;

    if (metas % 2 != 0) {
        return error_set(build->err, E_INVALID,
                         "The provided key/value array length must be a multiple of two");
    }
    rc = entry_of(build, step, &in->args[from], &in->args[from + 1], entry);
    for (uint32_t i = 0; rc == E_OK && i < metas; i++) {
        if (i % 2 == 0) {
            rc = check_hidden(build, &in->args[from + 2 + i], "Property key");
        }
        if (rc == E_OK) {
            rc = place_check(PLACE_TRAVERSAL, &in->args[from + 2 + i], build->err);
        }
        if (rc == E_OK) {
            rc = build_arg_either(build, step, &in->args[from + 2 + i], 0, &args[i]);
        }
    }
    entry->meta_count = metas / 2;
    entry->metas = args;
    return rc;
}

static int map_entries(struct build *build, struct plan_step *step, const struct value *map,
                       enum enumerator cardinality, struct plan_set_property_entry *entries)
{
    for (uint32_t i = 0; i < map->size; i++) {
        int rc;
        entries[i].cardinality = cardinality;
        rc = entry_of(build, step, &map->items[2 * i], &map->items[2 * i + 1], &entries[i]);
        if (rc != E_OK) {
            return rc;
        }
    }
    return E_OK;
}

/* The entries of one call, in a fresh array behind `old` ones. */
static int make_entries(struct frame *frame, struct plan_step *step, const struct call *call,
                        uint32_t *count, const struct plan_set_property_entry **all)
{
    const struct instruction *in = call->step;
    struct build *build = frame->build;
    bool has_cardinality = build_arg_is_enum(&in->args[0], ENUM_CARDINALITY);
    uint32_t from = has_cardinality ? 1 : 0;
    enum enumerator cardinality =
        has_cardinality ? (enum enumerator)in->args[0].integer : ENUMERATOR_COUNT;
    bool is_map = in->arg_count == from + 1 && in->args[from].kind == VALUE_MAP;
    uint32_t added = is_map ? in->args[from].size : 1;
    struct plan_set_property_entry *entries;
    int rc;

    entries = build_grow(build, *all, *count, added + 1, sizeof *entries);
    memset(entries + *count, 0, added * sizeof *entries);
    if (is_map) {
        rc = map_entries(build, step, &in->args[from], cardinality, entries + *count);
    } else if (in->arg_count < from + 2) {
        return build_arg_wrong(build, call, from + 1, "a value");
    } else {
        entries[*count].cardinality = cardinality;
        rc = plain_entry(build, step, call, from, &entries[*count]);
    }
    *count += added;
    *all = entries;
    return rc;
}

/* An element has one id and one label. */
static int check_tokens(struct build *build, uint32_t count,
                        const struct plan_set_property_entry *entries, bool has_label)
{
    bool has_id = false;

    for (uint32_t i = 0; i < count; i++) {
        const struct plan_arg *key = &entries[i].key;
        bool *is_given;
        if (key->child != PLAN_NO_CHILD || key->value.kind != VALUE_ENUM ||
            (key->value.integer != T_ID && key->value.integer != T_LABEL)) {
            continue;
        }
        is_given = key->value.integer == T_ID ? &has_id : &has_label;
        if (*is_given) {
            return error_set(build->err, E_INVALID, "The %s of a new element is given twice",
                             value_enumerator_name((enum enumerator)key->value.integer));
        }
        *is_given = true;
    }
    return E_OK;
}

static int fold_into_vertex(struct frame *frame, struct plan_step *last, const struct call *call)
{
    struct plan_add_vertex *add = arena_copy(frame->build->arena, last->params, sizeof *add);
    int rc = make_entries(frame, last, call, &add->property_count, &add->properties);

    last->params = add;
    return rc != E_OK
               ? rc
               : check_tokens(frame->build, add->property_count, add->properties, add->has_label);
}

static int fold_into_edge(struct frame *frame, struct plan_step *last, const struct call *call)
{
    struct plan_add_edge *add = arena_copy(frame->build->arena, last->params, sizeof *add);
    int rc = make_entries(frame, last, call, &add->property_count, &add->properties);

    last->params = add;
    return rc != E_OK ? rc : check_tokens(frame->build, add->property_count, add->properties, true);
}

/* Behind addV() and addE() a property is part of the new element; the traverser cannot tell the
 * difference. */
int build_change_property(struct frame *frame, const struct call *call)
{
    const struct instruction *in = call->step;
    struct build *build = frame->build;
    struct plan_step *last = last_step(frame);
    struct plan_set_property *set;
    struct plan_step step;
    bool is_dynamic;
    int rc;

    if (in->arg_count == 0) {
        return build_arg_wrong(build, call, 0, "a key");
    }
    if (in->args[in->arg_count - 1].kind == VALUE_NULL &&
        (in->arg_count == 1 ||
         (in->arg_count == 2 && build_arg_is_enum(&in->args[0], ENUM_CARDINALITY)))) {
        struct plan_step identity = build_step(call, PLAN_IDENTITY, NULL);
        build_push(frame, &identity);
        return E_OK;
    }
    build->plan->is_write = true;
    is_dynamic = in->arg_count == 1 && in->args[0].kind == VALUE_TRAVERSAL;
    if (last != NULL && last->kind == PLAN_ADD_VERTEX && !is_dynamic) {
        return fold_into_vertex(frame, last, call);
    }
    if (last != NULL && last->kind == PLAN_ADD_EDGE && !is_dynamic) {
        return fold_into_edge(frame, last, call);
    }
    set = ARENA_NEW(build->arena, struct plan_set_property);
    step = build_step(call, PLAN_SET_PROPERTY, set);
    set->map.child = PLAN_NO_CHILD;
    if (is_dynamic) {
        set->has_map = true;
        rc = build_arg_either(build, &step, &in->args[0], 0, &set->map);
    } else {
        rc = make_entries(frame, &step, call, &set->entry_count, &set->entries);
    }
    if (rc == E_OK) {
        build_push(frame, &step);
    }
    return rc;
}

int build_change_drop(struct frame *frame, const struct call *call)
{
    struct plan_step step = build_step(call, PLAN_DROP, NULL);

    frame->build->plan->is_write = true;
    build_push(frame, &step);
    return E_OK;
}

/* ---- mergeV, mergeE ---- */

static int merge_map(struct build *build, struct plan_step *step, const struct value *map,
                     struct plan_arg *out)
{
    if (map->kind != VALUE_MAP && map->kind != VALUE_NULL && map->kind != VALUE_TRAVERSAL &&
        !value_is_element(map)) {
        return error_set(build->err, E_INVALID,
                         "merge steps and their options take a map or a traversal, not a %s",
                         value_kind_name((enum value_kind)map->kind));
    }
    return build_arg_either(build, step, map, 0, out);
}

static int merge_option(struct build *build, struct plan_step *step, const struct instruction *in,
                        struct plan_merge *merge)
{
    struct plan_arg *slot;
    bool *has;

    if (in->arg_count < 2 || !build_arg_is_enum(&in->args[0], ENUM_MERGE)) {
        return error_set(build->err, E_INVALID, "option() of a merge step takes a Merge and a map");
    }
    if (in->arg_count > 2 && !build_arg_is_enum(&in->args[2], ENUM_CARDINALITY)) {
        return error_set(build->err, E_INVALID, "option() takes a Merge, a map and a Cardinality");
    }
    if (in->arg_count > 2 && in->args[0].integer == MERGE_ON_CREATE) {
        merge->create_cardinality = (enum enumerator)in->args[2].integer;
    } else if (in->arg_count > 2) {
        merge->match_cardinality = (enum enumerator)in->args[2].integer;
    }
    switch (in->args[0].integer) {
    case MERGE_ON_CREATE:
        slot = &merge->on_create;
        has = &merge->has_on_create;
        break;
    case MERGE_ON_MATCH:
        slot = &merge->on_match;
        has = &merge->has_on_match;
        break;
    case MERGE_OUT_V:
        slot = &merge->out_v;
        has = &merge->has_out_v;
        break;
    default:
        slot = &merge->in_v;
        has = &merge->has_in_v;
        break;
    }
    *has = true;
    return merge_map(build, step, &in->args[1], slot);
}

int build_change_merge(struct frame *frame, const struct call *call)
{
    const struct instruction *in = call->step;
    struct build *build = frame->build;
    struct plan_merge *merge = ARENA_NEW(build->arena, struct plan_merge);
    struct plan_step step =
        build_step(call, in->step == STEP_MERGE_V ? PLAN_MERGE_VERTEX : PLAN_MERGE_EDGE, merge);
    int rc = E_OK;

    build->plan->is_write = true;
    merge->is_start = call->is_start;
    merge->from_traverser = in->arg_count == 0;
    merge->map.child = merge->on_create.child = merge->on_match.child = PLAN_NO_CHILD;
    merge->out_v.child = merge->in_v.child = PLAN_NO_CHILD;
    merge->create_cardinality = merge->match_cardinality = ENUMERATOR_COUNT;
    if (in->arg_count > 0) {
        rc = merge_map(build, &step, &in->args[0], &merge->map);
    }
    if (rc == E_OK) {
        rc = build_subgraph_merge(build, &merge->map);
    }
    for (uint32_t i = 0; rc == E_OK && i < build_arg_modulators(call, STEP_OPTION); i++) {
        rc = merge_option(build, &step, build_arg_modulator(call, STEP_OPTION, i), merge);
    }
    if (rc == E_OK) {
        build_push(frame, &step);
    }
    return rc;
}
