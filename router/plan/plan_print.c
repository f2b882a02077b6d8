#include "router/gremlin/step.h"
#include "router/plan/params.h"

#include <assert.h>

/*
 * One line a step, children below with their role:
 *
 *   vertices [label eq(person)] as a
 *   hop out knows [vertex name eq(x)] merged
 *   filter any of
 *     | hop out created
 */

enum { INDENT = 2 };

static void print_slices(struct bytes *out, uint32_t count, const struct slice *items)
{
    for (uint32_t i = 0; i < count; i++) {
        bytes_format(out, "%s%.*s", i == 0 ? " " : ",", (int)items[i].size,
                     (const char *)items[i].data);
    }
}

static void print_named(struct bytes *out, const char *name, struct slice text)
{
    if (text.data != NULL) {
        bytes_format(out, " %s %.*s", name, (int)text.size, (const char *)text.data);
    }
}

static void print_enum(struct bytes *out, enum enumerator id)
{
    if (id != ENUMERATOR_COUNT) {
        bytes_format(out, " %s", value_enumerator_name(id));
    }
}

static void print_value(struct bytes *out, const struct value *value)
{
    bytes_u8(out, ' ');
    value_print(out, value);
}

static void print_arg(struct bytes *out, const char *name, const struct plan_arg *arg)
{
    bytes_format(out, " %s", name);
    if (arg->child != PLAN_NO_CHILD) {
        bytes_format(out, " #%u", arg->child);
    } else {
        print_value(out, &arg->value);
    }
}

static void print_filters(struct bytes *out, const char *name, uint32_t count,
                          const struct read_filter *filters)
{
    for (uint32_t i = 0; i < count; i++) {
        const struct read_filter *filter = &filters[i];
        bytes_format(out, "%s%s%s", i == 0 ? " [" : ", ", i == 0 ? name : "",
                     i == 0 && name[0] != 0 ? " " : "");
        bytes_format(out, "%s",
                     filter->on == READ_ON_ID       ? "id"
                     : filter->on == READ_ON_LABEL  ? "label"
                     : filter->on == READ_ON_ABSENT ? "no "
                                                    : "");
        bytes_append(out, filter->key.data, filter->key.size);
        if (filter->predicate != NULL) {
            bytes_u8(out, ' ');
            predicate_print(out, filter->predicate);
        }
    }
    bytes_format(out, "%s", count > 0 ? "]" : "");
}

static void print_reads(struct bytes *out, enum read_emit emit, enum read_project project,
                        uint32_t key_count, const struct slice *keys)
{
    static const char *const EMITS[] = {
        "", "", " merged", " [count]", " [count each]", " [label counts]"};

    assert((size_t)emit < sizeof EMITS / sizeof EMITS[0]);
    bytes_format(out, "%s", EMITS[emit]);
    if (project == READ_ALL) {
        bytes_format(out, " [all properties]");
    } else if (project == READ_KEYS) {
        bytes_format(out, " [properties");
        print_slices(out, key_count, keys);
        bytes_format(out, "]");
    }
}

static void print_bys(struct bytes *out, uint32_t count, const struct plan_by *bys)
{
    for (uint32_t i = 0; i < count; i++) {
        const struct plan_by *by = &bys[i];
        bytes_format(out, " by");
        if (by->kind == BY_KEY) {
            bytes_format(out, " '%.*s'", (int)by->key.size, (const char *)by->key.data);
        } else if (by->kind == BY_CHILD) {
            bytes_format(out, " #%u", by->child);
        } else if (by->kind != BY_IDENTITY) {
            print_enum(out, by->token);
        }
        if (by->order != ORDER_ASC) {
            print_enum(out, by->order);
        }
        bytes_format(out, "%s", by->gives_null ? " or null" : "");
    }
}

static void print_scope(struct bytes *out, enum enumerator scope)
{
    if (scope == SCOPE_LOCAL) {
        bytes_format(out, " local");
    }
}

static void print_predicate(struct bytes *out, const char *name, const struct predicate *predicate)
{
    if (predicate != NULL) {
        bytes_format(out, "%s ", name);
        predicate_print(out, predicate);
    }
}

/* ---- params of each kind ---- */

static void print_elements(struct bytes *out, const struct plan_elements *params)
{
    if (params->has_ids) {
        bytes_format(out, " ids");
        for (uint32_t i = 0; i < params->id_count; i++) {
            print_value(out, &params->ids[i]);
        }
    }
    bytes_format(out, "%s", params->is_start ? "" : " for each");
    print_filters(out, "", params->filter_count, params->filters);
    print_reads(out, params->emit, params->project, params->key_count, params->keys);
    if (params->limit > 0) {
        bytes_format(out, " [limit %llu]", (unsigned long long)params->limit);
    }
}

static void print_hop(struct bytes *out, const struct plan_hop *params)
{
    bytes_format(out, " %s%s",
                 params->direction == DIRECTION_OUT  ? "out"
                 : params->direction == DIRECTION_IN ? "in"
                                                     : "both",
                 params->to_edges ? " edges" : "");
    print_slices(out, params->label_count, params->labels);
    print_filters(out, "edge", params->edge_filter_count, params->edge_filters);
    print_filters(out, "far", params->far_filter_count, params->far_filters);
    print_filters(out, "vertex", params->vertex_filter_count, params->vertex_filters);
    print_reads(out, params->emit, params->project, params->key_count, params->keys);
    if (params->limit_each > 0) {
        bytes_format(out, " [limit each %llu]", (unsigned long long)params->limit_each);
    }
}

static void print_properties(struct bytes *out, uint32_t count,
                             const struct plan_set_property_entry *entries)
{
    for (uint32_t i = 0; i < count; i++) {
        bytes_format(out, " {");
        print_enum(out, entries[i].cardinality);
        print_arg(out, "", &entries[i].key);
        print_arg(out, "=", &entries[i].value);
        for (uint32_t j = 0; j < 2 * entries[i].meta_count; j++) {
            print_arg(out, j % 2 == 0 ? "," : "=", &entries[i].metas[j]);
        }
        bytes_format(out, "}");
    }
}

static void print_add_edge(struct bytes *out, const struct plan_add_edge *params)
{
    print_arg(out, "label", &params->label);
    if (params->has_from) {
        print_arg(out, "from", &params->from);
    }
    if (params->has_to) {
        print_arg(out, "to", &params->to);
    }
    print_properties(out, params->property_count, params->properties);
}

static void print_merge(struct bytes *out, const struct plan_merge *params)
{
    if (params->from_traverser) {
        bytes_format(out, " traverser");
    } else {
        print_arg(out, "map", &params->map);
    }
    if (params->has_on_create) {
        print_arg(out, "create", &params->on_create);
    }
    if (params->has_on_match) {
        print_arg(out, "match", &params->on_match);
    }
    if (params->has_out_v) {
        print_arg(out, "out", &params->out_v);
    }
    if (params->has_in_v) {
        print_arg(out, "in", &params->in_v);
    }
}

static void print_choose(struct bytes *out, const struct plan_choose *params)
{
    bytes_format(out, "%s", params->is_branch ? " all" : "");
    if (params->chooser != PLAN_NO_CHILD) {
        bytes_format(out, " on #%u", params->chooser);
    }
    print_predicate(out, " on", params->predicate);
    print_enum(out, params->token);
    for (uint32_t i = 0; i < params->option_count; i++) {
        const struct plan_choose_option *option = &params->options[i];
        bytes_format(out, ";");
        if (option->which == CHOOSE_VALUE) {
            print_value(out, &option->value);
        } else if (option->which == CHOOSE_PREDICATE) {
            print_predicate(out, "", option->predicate);
        } else {
            bytes_format(out, " %s",
                         option->which == CHOOSE_NONE  ? "none"
                         : option->which == CHOOSE_ANY ? "any"
                                                       : "unproductive");
        }
        if (option->child != PLAN_NO_CHILD) {
            bytes_format(out, " -> #%u", option->child);
        }
    }
}

static void print_repeat(struct bytes *out, const struct plan_repeat *params)
{
    print_named(out, "name", params->name);
    bytes_format(out, " body #%u", params->body);
    if (params->has_until) {
        bytes_format(out, "%s", params->until_first ? " while not" : " until");
        if (params->times != UINT64_MAX) {
            bytes_format(out, " %llu times", (unsigned long long)params->times);
        } else if (params->until != PLAN_NO_CHILD) {
            bytes_format(out, " #%u", params->until);
        }
        print_predicate(out, "", params->until_predicate);
    }
    if (params->has_emit) {
        bytes_format(out, "%s", params->emit_first ? " emit first" : " emit");
        if (params->emit != PLAN_NO_CHILD) {
            bytes_format(out, " #%u", params->emit);
        }
        print_predicate(out, "", params->emit_predicate);
    }
}

static void print_group(struct bytes *out, const struct plan_group *params)
{
    bytes_format(out, "%s", params->is_count ? " count" : "");
    print_named(out, "into", params->side_effect);
    print_bys(out, 1, &params->key);
    if (params->is_count) {
        return;
    }
    if (params->value.kind != BY_CHILD) {
        print_bys(out, 1, &params->value);
        return;
    }
    if (params->before != PLAN_NO_CHILD) {
        bytes_format(out, " each #%u", params->before);
    }
    if (params->after != PLAN_NO_CHILD) {
        bytes_format(out, " then #%u", params->after);
    }
    bytes_format(out, "%s", params->is_only ? " last" : "");
}

static void print_select(struct bytes *out, const struct plan_select *params)
{
    print_enum(out, params->pop);
    print_enum(out, params->column);
    print_slices(out, params->label_count, params->labels);
    if (params->child != PLAN_NO_CHILD) {
        bytes_format(out, " #%u", params->child);
    }
    print_bys(out, params->by_count, params->bys);
}

static void print_map(struct bytes *out, const struct plan_property_map *params)
{
    bytes_format(out, " %s",
                 params->which == MAP_VALUES       ? "values"
                 : params->which == MAP_PROPERTIES ? "properties"
                                                   : "element");
    print_slices(out, params->key_count, params->keys);
    if (params->tokens != 0) {
        bytes_format(out, " tokens %u", params->tokens);
    }
    print_bys(out, params->by_count, params->bys);
}

static void print_range(struct bytes *out, const struct plan_range *params)
{
    print_scope(out, params->scope);
    bytes_format(out, " %llu..", (unsigned long long)params->low);
    if (params->high != UINT64_MAX) {
        bytes_format(out, "%llu", (unsigned long long)params->high);
    }
}

static void print_edge_vertex(struct bytes *out, const struct plan_edge_vertex *params)
{
    static const char *const ENDS[] = {" out", " in", " both", " other"};

    bytes_format(out, "%s", ENDS[params->which]);
}

static void print_has(struct bytes *out, const struct plan_has *params)
{
    print_filters(out, params->on_property ? "property" : "", params->filter_count,
                  params->filters);
}

static void print_filter(struct bytes *out, const struct plan_filter *params)
{
    static const char *const TESTS[] = {" any of", " all of", " none of"};

    bytes_format(out, "%s", TESTS[params->which]);
}

static void print_list_test(struct bytes *out, const struct plan_list_test *params)
{
    static const char *const TESTS[] = {" any", " all", " none"};

    print_predicate(out, TESTS[params->which], params->predicate);
}

static void print_where(struct bytes *out, const struct plan_where *params)
{
    print_named(out, "of", params->start);
    print_predicate(out, "", params->predicate);
    print_bys(out, params->by_count, params->bys);
}

static void print_dedup(struct bytes *out, const struct plan_dedup *params)
{
    print_scope(out, params->scope);
    print_slices(out, params->label_count, params->labels);
    print_bys(out, params->by.kind == BY_IDENTITY ? 0 : 1, &params->by);
}

static void print_order(struct bytes *out, const struct plan_order *params)
{
    print_scope(out, params->scope);
    print_bys(out, params->by_count, params->bys);
    if (params->top > 0) {
        bytes_format(out, " [top %llu]", (unsigned long long)params->top);
    }
}

static void print_simple_path(struct bytes *out, const struct plan_simple_path *params)
{
    bytes_format(out, "%s", params->is_simple ? "" : " cyclic");
    print_named(out, "from", params->from);
    print_named(out, "to", params->to);
    print_bys(out, params->by_count, params->bys);
}

static void print_path(struct bytes *out, const struct plan_path *params)
{
    print_named(out, "from", params->from);
    print_named(out, "to", params->to);
    print_bys(out, params->by_count, params->bys);
}

static void print_reduce(struct bytes *out, const struct plan_reduce *params)
{
    static const char *const REDUCES[] = {" sum", " min", " max", " mean"};

    bytes_format(out, "%s", REDUCES[params->which]);
    print_scope(out, params->scope);
}

static void print_fold(struct bytes *out, const struct plan_fold *params)
{
    if (params->has_seed) {
        print_value(out, &params->seed);
        print_enum(out, params->operation);
    }
}

static void print_project(struct bytes *out, const struct plan_project *params)
{
    print_slices(out, params->key_count, params->keys);
    print_bys(out, params->by_count, params->bys);
}

static void print_function(struct bytes *out, const struct plan_function *params)
{
    bytes_format(out, " %s", step_info(params->step)->name);
    print_scope(out, params->scope);
    for (uint32_t i = 0; i < params->arg_count; i++) {
        print_arg(out, "", &params->args[i]);
    }
    bytes_format(out, "%s", params->is_map ? " as map" : "");
}

static void print_formula(struct bytes *out, const struct plan_formula *params)
{
    bytes_format(out, "%s", params->formula != NULL ? " math" : " format");
    for (uint32_t i = 0; i < params->variable_count; i++) {
        struct slice name = params->variables[i].name;
        bytes_format(out, " %.*s", (int)(name.size > 0 ? name.size : 1),
                     name.size > 0 ? (const char *)name.data : "_");
    }
    print_bys(out, params->by_count, params->bys);
}

static void print_child(struct bytes *out, const struct plan_map *params)
{
    static const char *const MAPS[] = {" first", " flat", " local"};

    bytes_format(out, "%s", MAPS[params->which]);
}

static void print_aggregate(struct bytes *out, const struct plan_aggregate *params)
{
    print_scope(out, params->scope);
    print_named(out, "into", params->key);
    print_bys(out, params->by.kind == BY_IDENTITY ? 0 : 1, &params->by);
}

static void print_match(struct bytes *out, const struct plan_match *match)
{
    static const char *const WHICH[] = {" begins", " from", " binds", " gives"};

    bytes_format(out, "%s", WHICH[match->which]);
    print_slices(out, match->label_count, match->labels);
}

static void print_sack(struct bytes *out, const struct plan_sack *params)
{
    if (params->is_change) {
        print_enum(out, params->operation);
        print_bys(out, 1, &params->by);
    }
}

static void print_inject(struct bytes *out, const struct plan_inject *params)
{
    for (uint32_t i = 0; i < params->value_count; i++) {
        print_value(out, &params->values[i]);
    }
}

static void print_add_vertex(struct bytes *out, const struct plan_add_vertex *params)
{
    print_arg(out, "label", &params->label);
    print_properties(out, params->property_count, params->properties);
}

/* Graph steps; the rest follows in the next two. */
static bool print_graph(struct bytes *out, const struct plan_step *step)
{
    switch ((int)step->kind) {
    case PLAN_VERTICES:
    case PLAN_EDGES:
        print_elements(out, step->params);
        return true;
    case PLAN_HOP:
        print_hop(out, step->params);
        return true;
    case PLAN_EDGE_VERTEX:
        print_edge_vertex(out, step->params);
        return true;
    case PLAN_HAS:
        print_has(out, step->params);
        return true;
    case PLAN_PROPERTIES: {
        const struct plan_properties *properties = step->params;
        bytes_format(out, "%s", properties->to_values ? " values" : "");
        print_slices(out, properties->key_count, properties->keys);
        return true;
    }
    case PLAN_PROPERTY_MAP:
        print_map(out, step->params);
        return true;
    case PLAN_TOKEN:
        print_enum(out, ((const struct plan_token *)step->params)->token);
        return true;
    case PLAN_LOAD:
        bytes_format(out, "%s", ((const struct plan_load *)step->params)->is_deep ? " deep" : "");
        return true;
    case PLAN_ADD_VERTEX:
        print_add_vertex(out, step->params);
        return true;
    case PLAN_ADD_EDGE:
        print_add_edge(out, step->params);
        return true;
    case PLAN_SET_PROPERTY: {
        const struct plan_set_property *set = step->params;
        print_properties(out, set->entry_count, set->entries);
        return true;
    }
    case PLAN_MERGE_VERTEX:
    case PLAN_MERGE_EDGE:
        print_merge(out, step->params);
        return true;
    default: /* No step of the graph. */
        return false;
    }
}

static bool print_filtering(struct bytes *out, const struct plan_step *step)
{
    switch ((int)step->kind) {
    case PLAN_FILTER:
        print_filter(out, step->params);
        return true;
    case PLAN_SAMPLE: {
        const struct plan_sample *sample = step->params;
        print_scope(out, sample->scope);
        bytes_format(out, " %llu", (unsigned long long)sample->amount);
        print_bys(out, sample->by.kind == BY_IDENTITY ? 0 : 1, &sample->by);
        return true;
    }
    case PLAN_COIN:
        bytes_format(out, " %g", ((const struct plan_coin *)step->params)->probability);
        return true;
    case PLAN_LIST_TEST:
        print_list_test(out, step->params);
        return true;
    case PLAN_IS:
        print_predicate(out, "", ((const struct plan_is *)step->params)->predicate);
        return true;
    case PLAN_WHERE:
        print_where(out, step->params);
        return true;
    case PLAN_DEDUP:
        print_dedup(out, step->params);
        return true;
    case PLAN_RANGE:
        print_range(out, step->params);
        return true;
    case PLAN_TAIL: {
        const struct plan_tail *tail = step->params;
        print_scope(out, tail->scope);
        bytes_format(out, " %llu", (unsigned long long)tail->count);
        return true;
    }
    case PLAN_ORDER:
        print_order(out, step->params);
        return true;
    case PLAN_SIMPLE_PATH:
        print_simple_path(out, step->params);
        return true;
    case PLAN_CHOOSE:
        print_choose(out, step->params);
        return true;
    case PLAN_REPEAT:
        print_repeat(out, step->params);
        return true;
    default: /* No filter or branch. */
        return false;
    }
}

static void print_mapping(struct bytes *out, const struct plan_step *step)
{
    switch ((int)step->kind) {
    case PLAN_INJECT:
        print_inject(out, step->params);
        break;
    case PLAN_COUNT:
        print_scope(out, ((const struct plan_scope *)step->params)->scope);
        break;
    case PLAN_REDUCE:
        print_reduce(out, step->params);
        break;
    case PLAN_FOLD:
        print_fold(out, step->params);
        break;
    case PLAN_GROUP:
        print_group(out, step->params);
        break;
    case PLAN_SELECT:
        print_select(out, step->params);
        break;
    case PLAN_PROJECT:
        print_project(out, step->params);
        break;
    case PLAN_FORMULA:
        print_formula(out, step->params);
        break;
    case PLAN_FUNCTION:
        print_function(out, step->params);
        break;
    case PLAN_PATH:
        print_path(out, step->params);
        break;
    case PLAN_CONSTANT:
        print_value(out, &((const struct plan_constant *)step->params)->value);
        break;
    case PLAN_MAP:
        print_child(out, step->params);
        break;
    case PLAN_AGGREGATE:
        print_aggregate(out, step->params);
        break;
    case PLAN_MATCH:
        print_match(out, step->params);
        break;
    case PLAN_SACK:
        print_sack(out, step->params);
        break;
    case PLAN_TREE: {
        const struct plan_tree *tree = step->params;
        print_named(out, "in", tree->side_effect);
        print_bys(out, tree->by_count, tree->bys);
        break;
    }
    case PLAN_SUBGRAPH:
        print_named(out, "in", ((const struct plan_subgraph *)step->params)->side_effect);
        break;
    case PLAN_TIME_LIMIT:
        bytes_format(out, " %llu ms",
                     (unsigned long long)((const struct plan_time_limit *)step->params)->limit_ms);
        break;
    case PLAN_CAP: {
        const struct plan_cap *cap = step->params;
        print_slices(out, cap->key_count, cap->keys);
        break;
    }
    default: /* Nothing to tell. */
        break;
    }
}

static void print_params(struct bytes *out, const struct plan_step *step)
{
    if (!print_graph(out, step) && !print_filtering(out, step)) {
        print_mapping(out, step);
    }
}

/* ---- the tree ---- */

static const char *const NAMES[PLAN_KIND_COUNT] = {
    "none",
#define OP(kind, class, name) name,
#include "router/op/ops.def"
#undef OP
};

static void print_traversal(struct bytes *out, const struct plan_traversal *traversal,
                            uint32_t depth)
{
    assert(depth <= VALUE_DEPTH_MAX);
    for (uint32_t i = 0; i < traversal->step_count; i++) {
        const struct plan_step *step = &traversal->steps[i];
        assert(step->kind > PLAN_NO_KIND && step->kind < PLAN_KIND_COUNT);
        bytes_format(out, "%*s%s", (int)(depth * INDENT), "", NAMES[step->kind]);
        print_params(out, step);
        if (step->label_count > 0) {
            bytes_format(out, " as");
            print_slices(out, step->label_count, step->labels);
        }
        if (step->row_bound > 0) {
            bytes_format(out, " [rows %llu]", (unsigned long long)step->row_bound);
        }
        bytes_u8(out, '\n');
        for (uint32_t j = 0; j < step->child_count; j++) {
            bytes_format(out, "%*s#%u\n", (int)(depth * INDENT + 1), "", j);
            print_traversal(out, step->children[j], depth + 1);
        }
    }
}

void plan_print(struct bytes *out, const struct plan *plan)
{
    print_traversal(out, plan->root, 0);
    if (plan->needs != 0) {
        bytes_format(out, "carried:%s%s%s\n", plan->needs & PLAN_NEEDS_PATH ? " path" : "",
                     plan->needs & PLAN_NEEDS_LABELS ? " labels" : "",
                     plan->needs & PLAN_NEEDS_LOOPS ? " loops" : "");
    }
}
