#include "router/plan/build.h"

#include <assert.h>

/* ---- V(), E() ---- */

/* ElementIdStrategy: ids are values of a property. */
static void push_id_test(struct frame *frame, const struct call *call,
                         struct plan_elements *elements)
{
    struct build *build = frame->build;
    struct plan_has *has = ARENA_NEW(build->arena, struct plan_has);
    struct read_filter *filter = ARENA_NEW(build->arena, struct read_filter);
    struct plan_step step = build_step(call, PLAN_HAS, has);

    *filter = (struct read_filter){.on = READ_ON_KEY,
                                   .key = build->id_key,
                                   .predicate =
                                       build_arg_within(build, elements->ids, elements->id_count)};
    has->filter_count = 1;
    has->filters = filter;
    elements->id_count = 0;
    build_push(frame, &step);
}

int build_graph_elements(struct frame *frame, const struct call *call)
{
    const struct instruction *in = call->step;
    struct build *build = frame->build;
    struct plan_elements *elements = ARENA_NEW(build->arena, struct plan_elements);
    struct plan_step step =
        build_step(call, in->step == STEP_V ? PLAN_VERTICES : PLAN_EDGES, elements);
    struct value *ids;
    uint32_t count = 0;

    for (uint32_t i = 0; i < in->arg_count; i++) {
        count +=
            in->args[i].kind == VALUE_LIST || in->args[i].kind == VALUE_SET ? in->args[i].size : 1;
        if (in->args[i].kind == VALUE_TRAVERSAL || in->args[i].kind == VALUE_LAMBDA) {
            return build_arg_wrong(build, call, i, "an id");
        }
        if (in->arg_count > 1 &&
            (in->args[i].kind == VALUE_LIST || in->args[i].kind == VALUE_SET)) {
            return error_set(build->err, E_INVALID,
                             "Argument %u of %.*s() is a list beside other ids, and no id is a "
                             "list: give all in one list",
                             i + 1, (int)in->name.size, (const char *)in->name.data);
        }
    }
    ids = arena_array(build->arena, count == 0 ? 1 : count, sizeof *ids);
    for (uint32_t i = 0; i < in->arg_count; i++) {
        const struct value *arg = &in->args[i];
        bool is_list = arg->kind == VALUE_LIST || arg->kind == VALUE_SET;
        for (uint32_t j = 0; j < (is_list ? arg->size : 1); j++) {
            const struct value *id = is_list ? &arg->items[j] : arg;
            if (id->kind != VALUE_NULL) {
                ids[elements->id_count++] = build_arg_value(build, id);
            }
        }
    }
    elements->is_start = call->is_start;
    elements->has_ids = in->arg_count > 0 && build->id_key.data == NULL;
    elements->ids = ids;
    elements->emit = READ_ROWS;
    build_push(frame, &step);
    if (in->arg_count > 0 && build->id_key.data != NULL) {
        push_id_test(frame, call, elements);
    }
    return in->step == STEP_V ? build_subgraph_vertices(frame, call)
                              : build_subgraph_edges(frame, call);
}

/* ---- hops ---- */

static void push_end(struct frame *frame, const struct call *call, enum plan_end which)
{
    struct plan_edge_vertex *params = ARENA_NEW(frame->build->arena, struct plan_edge_vertex);
    struct plan_step step = build_step(call, PLAN_EDGE_VERTEX, params);

    params->which = which;
    build_push(frame, &step);
}

static int push_hop(struct frame *frame, const struct call *call, enum enumerator direction,
                    bool to_edges, uint32_t from)
{
    struct plan_hop *hop = ARENA_NEW(frame->build->arena, struct plan_hop);
    struct plan_step step = build_step(call, PLAN_HOP, hop);
    uint32_t given = call->step->arg_count - from;
    int rc = build_arg_texts(frame->build, call, from, &hop->label_count, &hop->labels);

    if (rc != E_OK) {
        return rc;
    }
    if (given == 0 && frame->build->checks_edge_labels) {
        return error_set(frame->build->err, E_INVALID,
                         "The provided traversal contains a vertex step without any specified edge "
                         "label: %.*s()",
                         (int)call->step->name.size, (const char *)call->step->name.data);
    }
    if (given > 0 && hop->label_count == 0) {
        /* out(null): no edge has a null label. */
        struct slice *none = ARENA_NEW(frame->build->arena, struct slice);
        *none = SLICE("");
        hop->labels = none;
        hop->label_count = 1;
    }
    hop->direction = (uint8_t)direction;
    hop->to_edges = to_edges || build_subgraph_tests_edges(frame);
    hop->emit = READ_ROWS;
    build_push(frame, &step);
    if (hop->to_edges) {
        rc = build_subgraph_edges(frame, call);
    }
    if (rc == E_OK && hop->to_edges != to_edges) {
        push_end(frame, call,
                 direction == DIRECTION_OUT  ? EDGE_VERTEX_IN
                 : direction == DIRECTION_IN ? EDGE_VERTEX_OUT
                                             : EDGE_VERTEX_OTHER);
    }
    return rc != E_OK || to_edges ? rc : build_subgraph_vertices(frame, call);
}

int build_graph_hop(struct frame *frame, const struct call *call)
{
    enum step_id id = call->step->step;
    bool to_edges = id == STEP_OUT_E || id == STEP_IN_E || id == STEP_BOTH_E;
    enum enumerator direction = id == STEP_OUT || id == STEP_OUT_E ? DIRECTION_OUT
                                : id == STEP_IN || id == STEP_IN_E ? DIRECTION_IN
                                                                   : DIRECTION_BOTH;

    return push_hop(frame, call, direction, to_edges, 0);
}

int build_graph_to(struct frame *frame, const struct call *call)
{
    const struct instruction *in = call->step;

    if (in->arg_count == 0 || !build_arg_is_enum(&in->args[0], ENUM_DIRECTION)) {
        if (in->step == STEP_TO) {
            return build_change_end(frame, call);
        }
        return build_arg_wrong(frame->build, call, 0, "a Direction");
    }
    return push_hop(frame, call, (enum enumerator)in->args[0].integer, in->step == STEP_TO_E, 1);
}

int build_graph_edge_vertex(struct frame *frame, const struct call *call)
{
    const struct instruction *in = call->step;
    enum step_id id = in->step;

    if (id == STEP_TO_V) {
        enum enumerator direction;
        if (in->arg_count == 0 || !build_arg_is_enum(&in->args[0], ENUM_DIRECTION)) {
            return build_arg_wrong(frame->build, call, 0, "a Direction");
        }
        direction = (enum enumerator)in->args[0].integer;
        id = direction == DIRECTION_OUT  ? STEP_OUT_V
             : direction == DIRECTION_IN ? STEP_IN_V
                                         : STEP_BOTH_V;
    }
    push_end(frame, call,
             id == STEP_OUT_V    ? EDGE_VERTEX_OUT
             : id == STEP_IN_V   ? EDGE_VERTEX_IN
             : id == STEP_BOTH_V ? EDGE_VERTEX_BOTH
                                 : EDGE_VERTEX_OTHER);
    return build_subgraph_vertices(frame, call);
}

/* ---- properties ---- */

int build_graph_properties(struct frame *frame, const struct call *call)
{
    struct plan_properties *params = ARENA_NEW(frame->build->arena, struct plan_properties);
    struct plan_step step = build_step(call, PLAN_PROPERTIES, params);
    int rc = build_arg_texts(frame->build, call, 0, &params->key_count, &params->keys);

    if (rc != E_OK) {
        return rc;
    }
    if (call->step->arg_count > 0 && params->key_count == 0) {
        /* values(null): no property has a null key. */
        struct slice *none = ARENA_NEW(frame->build->arena, struct slice);
        *none = SLICE("");
        params->keys = none;
        params->key_count = 1;
    }
    params->to_values = call->step->step == STEP_VALUES;
    if (!build_subgraph_tests_properties(frame)) {
        build_push(frame, &step);
        return E_OK;
    }
    params->to_values = false;
    build_push(frame, &step);
    rc = build_subgraph_properties(frame, call);
    if (rc == E_OK && call->step->step == STEP_VALUES) {
        struct plan_token *value = ARENA_NEW(frame->build->arena, struct plan_token);
        struct plan_step last = build_step(call, PLAN_TOKEN, value);
        value->token = T_VALUE;
        build_push(frame, &last);
    }
    return rc;
}

static const struct {
    const char *name;
    uint32_t bit;
} TOKENS[] = {
    {"~tinkerpop.valueMap.tokens", 0},
};

/* with(WithOptions.tokens[, which]): in bytecode the option is the text above, which is a number
 * of bits. */
static int map_option(struct build *build, const struct instruction *with,
                      struct plan_property_map *params)
{
    const struct value *key = &with->args[0];

    if (!value_is_text(key, TOKENS[0].name) && !value_is_text(key, "tokens")) {
        struct slice text = value_slice(key);
        return error_set(build->err, E_UNSUPPORTED,
                         "The option %.*s of valueMap() is not supported", (int)text.size,
                         (const char *)text.data);
    }
    if (with->arg_count == 1 || with->args[1].kind == VALUE_BOOL) {
        params->tokens = with->arg_count == 1 || with->args[1].boolean ? 15 : 0;
        return E_OK;
    }
    if (with->args[1].kind != VALUE_INT && with->args[1].kind != VALUE_LONG) {
        return error_set(build->err, E_INVALID, "with(tokens, ...) takes WithOptions, not a %s",
                         value_kind_name((enum value_kind)with->args[1].kind));
    }
    params->tokens = (uint32_t)with->args[1].integer & 15;
    return E_OK;
}

int build_graph_property_map(struct frame *frame, const struct call *call)
{
    const struct instruction *in = call->step;
    struct build *build = frame->build;
    struct plan_property_map *params = ARENA_NEW(build->arena, struct plan_property_map);
    struct plan_step step = build_step(call, PLAN_PROPERTY_MAP, params);
    uint32_t from = in->arg_count > 0 && in->args[0].kind == VALUE_BOOL ? 1 : 0;
    int rc = build_arg_texts(build, call, from, &params->key_count, &params->keys);

    if (build_subgraph_tests_properties(frame)) {
        return error_set(build->err, E_UNSUPPORTED,
                         "%.*s() under SubgraphStrategy's vertexProperties is not supported: use "
                         "properties() or values()",
                         (int)in->name.size, (const char *)in->name.data);
    }
    params->which = in->step == STEP_VALUE_MAP      ? MAP_VALUES
                    : in->step == STEP_PROPERTY_MAP ? MAP_PROPERTIES
                                                    : MAP_ELEMENT;
    if (from == 1 && in->args[0].boolean) {
        params->tokens = 15;
    }
    for (uint32_t i = 0; rc == E_OK && i < build_arg_modulators(call, STEP_WITH); i++) {
        rc = map_option(build, build_arg_modulator(call, STEP_WITH, i), params);
    }
    if (rc == E_OK) {
        rc = build_arg_bys(build, &step, call, &params->by_count, &params->bys);
    }
    if (rc == E_OK && params->by_count > 1) {
        rc = error_set(build->err, E_INVALID,
                       "valueMap()/propertyMap() step can only have one by modulator");
    }
    if (rc == E_OK) {
        build_push(frame, &step);
    }
    return rc;
}

int build_graph_token(struct frame *frame, const struct call *call)
{
    struct plan_token *params = ARENA_NEW(frame->build->arena, struct plan_token);
    struct plan_step step = build_step(call, PLAN_TOKEN, params);
    enum step_id id = call->step->step;

    if (id == STEP_ID && frame->build->id_key.data != NULL) {
        struct plan_properties *values = ARENA_NEW(frame->build->arena, struct plan_properties);
        step = build_step(call, PLAN_PROPERTIES, values);
        values->to_values = true;
        values->key_count = 1;
        values->keys = arena_copy(frame->build->arena, &frame->build->id_key, sizeof *values->keys);
        build_push(frame, &step);
        return E_OK;
    }
    params->token = id == STEP_ID      ? T_ID
                    : id == STEP_LABEL ? T_LABEL
                    : id == STEP_KEY   ? T_KEY
                                       : T_VALUE;
    build_push(frame, &step);
    return E_OK;
}

int build_graph_element(struct frame *frame, const struct call *call)
{
    struct plan_step step = build_step(call, PLAN_ELEMENT, NULL);

    build_push(frame, &step);
    return E_OK;
}
