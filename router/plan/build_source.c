#include "router/plan/build.h"

#include <assert.h>
#include <string.h>

typedef int (*strategy_fn)(struct build *build, const struct value *options);

/* ---- strategies that mean something ---- */

static int strategy_none(struct build *build, const struct value *options)
{
    (void)build;
    (void)options;
    return E_OK;
}

static int strategy_read_only(struct build *build, const struct value *options)
{
    (void)options;
    build->is_read_only = true;
    return E_OK;
}

static int strategy_options(struct build *build, const struct value *options)
{
    const struct value *materialize = value_get_text(options, "materializeProperties");

    if (materialize != NULL && value_is_text(materialize, "tokens")) {
        build->plan->tokens_only = true;
    }
    return E_OK;
}

static int strategy_seed(struct build *build, const struct value *options)
{
    const struct value *seed = value_get_text(options, "seed");

    if (seed != NULL) {
        build->plan->seed = build_arg_value(build, seed);
    }
    return E_OK;
}

static int strategy_productive_by(struct build *build, const struct value *options)
{
    const struct value *keys = value_get_text(options, "productiveKeys");

    build->is_productive = true;
    if (keys != NULL && (keys->kind == VALUE_LIST || keys->kind == VALUE_SET)) {
        build->productive_keys = build_arg_value(build, keys);
    }
    return E_OK;
}

static bool throws(const struct value *options)
{
    const struct value *flag = value_get_text(options, "throwException");

    return flag != NULL && flag->kind == VALUE_BOOL && flag->boolean;
}

static int strategy_reserved_keys(struct build *build, const struct value *options)
{
    const struct value *keys = value_get_text(options, "keys");

    build->checks_reserved = throws(options);
    if (keys != NULL && (keys->kind == VALUE_LIST || keys->kind == VALUE_SET)) {
        build->reserved_keys = build_arg_value(build, keys);
    }
    return E_OK;
}

static int strategy_edge_labels(struct build *build, const struct value *options)
{
    build->checks_edge_labels = throws(options);
    return E_OK;
}

/* Ids are a property: what looks for an id, or gives one, looks at that. */
static int strategy_element_id(struct build *build, const struct value *options)
{
    const struct value *key = value_get_text(options, "idPropertyKey");

    build->id_key = SLICE("__id");
    if (key != NULL && key->kind == VALUE_STRING) {
        build->id_key = build_arg_slice(build, value_slice(key));
    }
    return E_OK;
}

static int strategy_no_computer(struct build *build, const struct value *options)
{
    (void)options;
    build->forbids_computer = true;
    return E_OK;
}

/* g.withComputer(): what is here to be run runs the same way. */
static int strategy_computer(struct build *build, const struct value *options)
{
    static const char *const FILTERS[] = {"vertices", "edges", "vertexProperties"};

    for (size_t i = 0; i < sizeof FILTERS / sizeof FILTERS[0]; i++) {
        const struct value *filter = value_get_text(options, FILTERS[i]);
        if (filter != NULL && filter->kind != VALUE_NULL) {
            return error_set(build->err, E_UNSUPPORTED,
                             "VertexProgramStrategy: %s is not supported; use SubgraphStrategy",
                             FILTERS[i]);
        }
    }
    build->has_computer = true;
    return E_OK;
}

/* Null function: refused by name. */
static const struct {
    const char *name;
    strategy_fn apply;
} STRATEGIES[] = {
    {"AdjacentToIncidentStrategy", strategy_none},
    {"ByModulatorOptimizationStrategy", strategy_none},
    {"ComputerFinalizationStrategy", strategy_none},
    {"ComputerVerificationStrategy", strategy_none},
    {"ConnectiveStrategy", strategy_none},
    {"CountStrategy", strategy_none},
    {"EarlyLimitStrategy", strategy_none},
    {"EdgeLabelVerificationStrategy", strategy_edge_labels},
    {"ElementIdStrategy", strategy_element_id},
    {"EventStrategy", NULL},
    {"FilterRankingStrategy", strategy_none},
    {"GraphFilterStrategy", strategy_none},
    {"HaltedTraverserStrategy", strategy_none},
    {"IdentityRemovalStrategy", strategy_none},
    {"IncidentToAdjacentStrategy", strategy_none},
    {"InlineFilterStrategy", strategy_none},
    {"LambdaRestrictionStrategy", strategy_none},
    {"LazyBarrierStrategy", strategy_none},
    {"MatchAlgorithmStrategy", strategy_none},
    {"MatchPredicateStrategy", strategy_none},
    {"MessagePassingReductionStrategy", strategy_none},
    {"OptionsStrategy", strategy_options},
    {"OrderLimitStrategy", strategy_none},
    {"PartitionStrategy", build_subgraph_partition},
    {"PathProcessorStrategy", strategy_none},
    {"PathRetractionStrategy", strategy_none},
    {"ProductiveByStrategy", strategy_productive_by},
    {"ProfileStrategy", strategy_none},
    {"ReadOnlyStrategy", strategy_read_only},
    {"ReferenceElementStrategy", strategy_none},
    {"RepeatUnrollStrategy", strategy_none},
    {"ReservedKeysVerificationStrategy", strategy_reserved_keys},
    {"SeedStrategy", strategy_seed},
    {"StandardVerificationStrategy", strategy_none},
    {"SubgraphStrategy", build_subgraph},
    {"VertexProgramRestrictionStrategy", strategy_no_computer},
    {"VertexProgramStrategy", strategy_computer},
};

/* The last part of a class name. */
static struct slice short_name(struct slice name)
{
    for (size_t i = name.size; i > 0; i--) {
        if (name.data[i - 1] == '.' || name.data[i - 1] == '$') {
            return slice_of(name.data + i, name.size - i);
        }
    }
    return name;
}

static int find_strategy(struct build *build, struct slice name, strategy_fn *apply)
{
    for (size_t i = 0; i < sizeof STRATEGIES / sizeof STRATEGIES[0]; i++) {
        if (slice_equal(slice_text(STRATEGIES[i].name), name)) {
            *apply = STRATEGIES[i].apply;
            return E_OK;
        }
    }
    return error_set(build->err, E_INVALID, "TraversalStrategy not recognized - %.*s",
                     (int)name.size, (const char *)name.data);
}

static struct slice name_of(const struct value *strategy)
{
    if (strategy->kind == VALUE_STRATEGY) {
        return short_name(value_slice(&strategy->items[0]));
    }
    return strategy->kind == VALUE_CLASS || strategy->kind == VALUE_STRING
               ? short_name(value_slice(strategy))
               : SLICE("?");
}

static int with_strategies(struct build *build, const struct instruction *in)
{
    static const struct value empty = {.kind = VALUE_MAP};

    for (uint32_t i = 0; i < in->arg_count; i++) {
        struct slice name = name_of(&in->args[i]);
        strategy_fn apply = NULL;
        int rc = find_strategy(build, name, &apply);
        if (rc == E_OK && apply == NULL) {
            rc = error_set(build->err, E_UNSUPPORTED, "The strategy %.*s is not supported yet",
                           (int)name.size, (const char *)name.data);
        }
        if (rc == E_OK) {
            bool has_map =
                in->args[i].kind == VALUE_STRATEGY && in->args[i].items[1].kind == VALUE_MAP;
            rc = apply(build, has_map ? &in->args[i].items[1] : &empty);
        }
        if (rc != E_OK) {
            return rc;
        }
    }
    return E_OK;
}

static int without_strategies(struct build *build, const struct instruction *in)
{
    for (uint32_t i = 0; i < in->arg_count; i++) {
        struct slice name = name_of(&in->args[i]);
        strategy_fn apply = NULL;
        int rc = find_strategy(build, name, &apply);
        if (rc != E_OK) {
            return rc;
        }
        if (slice_equal(name, SLICE("ConnectiveStrategy"))) {
            build->is_unconnected = true;
        } else if (apply == strategy_read_only) {
            build->is_read_only = false;
        } else if (apply == strategy_productive_by) {
            build->is_productive = false;
        } else if (apply == strategy_reserved_keys) {
            build->checks_reserved = false;
        } else if (apply == strategy_edge_labels) {
            build->checks_edge_labels = false;
        } else if (apply == strategy_element_id) {
            build->id_key = (struct slice){0};
        } else if (apply == strategy_computer) {
            build->has_computer = false;
        } else if (apply == strategy_no_computer) {
            build->forbids_computer = false;
        }
    }
    return E_OK;
}

/* ---- the other source instructions ---- */

static int with_side_effect(struct build *build, const struct instruction *in)
{
    struct plan_side_effect *effect;

    if (in->arg_count < 2 || in->args[0].kind != VALUE_STRING) {
        return error_set(build->err, E_INVALID, "withSideEffect() takes a key and a value");
    }
    if (in->args[1].kind == VALUE_LAMBDA ||
        (in->arg_count > 2 && !build_arg_is_enum(&in->args[2], ENUM_OPERATOR))) {
        return error_set(build->err, E_UNSUPPORTED,
                         "Lambdas are not supported: give a value and an Operator");
    }
    effect = build_side_effect(build, value_slice(&in->args[0]));
    effect->has_initial = true;
    effect->initial = build_arg_value(build, &in->args[1]);
    if (in->arg_count > 2) {
        effect->reducer = (enum enumerator)in->args[2].integer;
    }
    return E_OK;
}

/* withSack(value[, merge]): traversers that a barrier makes one merge their sacks. */
static int with_sack(struct build *build, const struct instruction *in)
{
    struct plan *plan = build->plan;

    if (in->arg_count == 0 || in->args[0].kind == VALUE_LAMBDA || in->arg_count > 2 ||
        (in->arg_count == 2 && !build_arg_is_enum(&in->args[1], ENUM_OPERATOR))) {
        return error_set(build->err, E_UNSUPPORTED,
                         "withSack() takes a value and an Operator; lambdas are not supported");
    }
    plan->has_sack = true;
    plan->sack = build_arg_value(build, &in->args[0]);
    if (in->arg_count == 2) {
        plan->sack_merge = (enum enumerator)in->args[1].integer;
    }
    return E_OK;
}

static int with_option(struct build *build, const struct instruction *in)
{
    if (in->arg_count == 2 && value_is_text(&in->args[0], "materializeProperties") &&
        value_is_text(&in->args[1], "tokens")) {
        build->plan->tokens_only = true;
    }
    return E_OK;
}

static int source_one(struct build *build, const struct instruction *in)
{
    switch ((int)in->step) {
    case STEP_WITH_STRATEGIES:
        return with_strategies(build, in);
    case STEP_WITHOUT_STRATEGIES:
        return without_strategies(build, in);
    case STEP_WITH_SIDE_EFFECT:
        return with_side_effect(build, in);
    case STEP_WITH_SACK:
        return with_sack(build, in);
    case STEP_WITH:
        return with_option(build, in);
    case STEP_WITH_BULK:
        if (in->arg_count == 1 && in->args[0].kind == VALUE_BOOL) {
            build->plan->is_bulked = in->args[0].boolean;
        }
        return E_OK;
    case STEP_WITH_PATH:
        build->plan->needs |= PLAN_NEEDS_PATH;
        return E_OK;
    default: /* Steps are no source instructions; the rest is not done yet. */
        return error_set(build->err, E_UNSUPPORTED,
                         "The source instruction %.*s() is not supported yet", (int)in->name.size,
                         (const char *)in->name.data);
    }
}

int build_source(struct build *build, const struct bytecode *bytecode)
{
    for (uint32_t i = 0; i < bytecode->source_count; i++) {
        int rc = source_one(build, &bytecode->sources[i]);
        if (rc != E_OK) {
            return rc;
        }
    }
    return E_OK;
}

int build_source_verify(struct build *build)
{
    if (build->id_key.data != NULL && build->plan->is_write) {
        return error_set(
            build->err, E_UNSUPPORTED,
            "Changes under ElementIdStrategy are not supported: leave the strategy out "
            "and set the property %.*s",
            (int)build->id_key.size, (const char *)build->id_key.data);
    }
    if (build->has_computer && build->forbids_computer) {
        return error_set(build->err, E_INVALID,
                         "The TraversalSource does not allow the use of a GraphComputer");
    }
    if (build->is_read_only && build->plan->is_write) {
        return error_set(build->err, E_INVALID,
                         "The provided traversal has a mutating step and thus is not read only");
    }
    return E_OK;
}
