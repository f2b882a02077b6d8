#include "tests/lib/traversals.h"

#include "common/element.h"
#include "common/predicate.h"
#include "router/gremlin/builder.h"
#include "router/gremlin/step.h"

#include <assert.h>
#include <math.h>

enum { VALUES_ROOM = 160, CHILD_DEPTH_MAX = 3, STEPS_A_CHAIN = 6 };

struct pool {
    struct arena *arena;
    struct value *values;
    size_t count;
};

static void add(struct pool *pool, struct value value)
{
    assert(pool->count < VALUES_ROOM);
    pool->values[pool->count++] = value;
}

static struct value *own(struct pool *pool, struct value value)
{
    struct value *copy = ARENA_NEW(pool->arena, struct value);

    *copy = value;
    return copy;
}

static struct value traversal_of(struct arena *arena, const char *name, const struct value *args,
                                 uint32_t count)
{
    struct value value = {.kind = VALUE_TRAVERSAL};
    struct builder builder;

    builder_init(&builder, arena, 0, 1);
    if (name != NULL) {
        (void)builder_step(&builder, slice_text(name), args, count);
    }
    value.traversal = builder_finish(&builder);
    return value;
}

static struct value cardinality_of(struct pool *pool, struct value name, struct value inner)
{
    struct value *args = arena_array(pool->arena, 2, sizeof *args);
    struct value value = {.kind = VALUE_TRAVERSAL};
    struct builder builder;

    args[0] = name;
    args[1] = inner;
    builder_init(&builder, pool->arena, 1, 0);
    (void)builder_source(&builder, SLICE("CardinalityValueTraversal"), args, 2);
    value.traversal = builder_finish(&builder);
    return value;
}

static struct value pair_map(struct pool *pool, struct value key, struct value value)
{
    struct value items[] = {key, value};

    return value_items(pool->arena, VALUE_MAP, items, 1);
}

static void add_numbers(struct pool *pool)
{
    static const uint8_t big_bytes[] = {1, 0, 0, 0, 0, 0, 0, 0, 0, 0};
    struct value_big *big = ARENA_NEW(pool->arena, struct value_big);
    struct value_big *decimal = ARENA_NEW(pool->arena, struct value_big);

    *big = (struct value_big){.size = sizeof big_bytes, .bytes = big_bytes};
    *decimal = (struct value_big){.scale = 3, .size = sizeof big_bytes, .bytes = big_bytes};
    add(pool, value_null());
    add(pool, value_bool(true));
    add(pool, value_integer(VALUE_BYTE, -1));
    add(pool, value_integer(VALUE_SHORT, 300));
    add(pool, value_int(1));
    add(pool, value_int(-1));
    add(pool, value_long(INT64_MAX));
    add(pool, value_long(INT64_MIN));
    add(pool, (struct value){.kind = VALUE_BIGINT, .big = big});
    add(pool, value_float(0.5f));
    add(pool, value_double((double)NAN));
    add(pool, value_double(HUGE_VAL));
    add(pool, (struct value){.kind = VALUE_DECIMAL, .big = decimal});
}

static void add_texts(struct pool *pool)
{
    static const uint8_t bytes[16] = {1, 2, 3};
    static const struct value_time time = {.seconds = 1000000, .nanos = 5, .offset = 3600};
    static const struct value_time span = {.seconds = 10, .nanos = 5};

    add(pool, value_cstring(""));
    add(pool, value_cstring("name"));
    add(pool, value_cstring("x"));
    add(pool, value_cstring("~label"));
    add(pool, value_integer(VALUE_CHAR, 'c'));
    add(pool, (struct value){.kind = VALUE_UUID, .size = 16, .bytes = bytes});
    add(pool, value_integer(VALUE_DATE, 1000));
    add(pool, value_integer(VALUE_TIMESTAMP, 1000));
    add(pool, (struct value){.kind = VALUE_DATETIME, .time = &time});
    add(pool, (struct value){.kind = VALUE_DURATION, .time = &span});
    add(pool, (struct value){.kind = VALUE_BINARY, .size = 3, .bytes = bytes});
    add(pool, (struct value){.kind = VALUE_CLASS, .size = 16, .text = "ReadOnlyStrategy"});
    add(pool, (struct value){.kind = VALUE_LAMBDA, .size = 2, .text = "it"});
    for (int i = 0; i < ENUMERATOR_COUNT; i++) {
        add(pool, value_enumerator((enum enumerator)i));
    }
}

static void add_elements(struct pool *pool)
{
    struct vertex *vertex = ARENA_NEW(pool->arena, struct vertex);
    struct edge *edge = ARENA_NEW(pool->arena, struct edge);
    struct vproperty *vproperty = ARENA_NEW(pool->arena, struct vproperty);
    struct property *property = ARENA_NEW(pool->arena, struct property);

    *vertex = (struct vertex){.id = value_int(1), .label = SLICE("person")};
    edge->id = value_int(7);
    edge->label = SLICE("knows");
    edge->in_id = value_int(2);
    edge->out_id = value_int(1);
    edge->in_label = edge->out_label = SLICE("person");
    vproperty->id = value_int(3);
    vproperty->key = SLICE("name");
    vproperty->value = value_cstring("marko");
    property->key = SLICE("weight");
    property->value = value_double(0.5);
    add(pool, value_vertex(vertex));
    add(pool, value_edge(edge));
    add(pool, value_vproperty(vproperty));
    add(pool, value_property(property));
    *vertex =
        (struct vertex){.id = traversal_of(pool->arena, "out", NULL, 0), .label = SLICE("person")};
}

static void add_traversals(struct pool *pool)
{
    struct value empty = traversal_of(pool->arena, NULL, NULL, 0);
    struct value out = traversal_of(pool->arena, "out", NULL, 0);
    struct value single =
        cardinality_of(pool, value_enumerator(CARDINALITY_SINGLE), value_cstring("y"));

    add(pool, empty);
    add(pool, out);
    add(pool, traversal_of(pool->arena, "fold", NULL, 0));
    add(pool, traversal_of(pool->arena, "count", NULL, 0));
    add(pool, traversal_of(pool->arena, "values", own(pool, value_cstring("name")), 1));
    add(pool, traversal_of(pool->arena, "drop", NULL, 0));
    add(pool, single);
    add(pool, cardinality_of(pool, value_cstring("set"), value_int(1)));
    add(pool, cardinality_of(pool, value_cstring("nonsense"), value_int(1)));
    add(pool, cardinality_of(pool, value_enumerator(T_ID), out));
    add(pool, cardinality_of(pool, value_enumerator(CARDINALITY_LIST), out));
    add(pool, cardinality_of(pool, value_int(99999), value_null()));
}

static void add_predicates(struct pool *pool)
{
    struct value out = traversal_of(pool->arena, "out", NULL, 0);
    struct value one = value_int(1);
    struct value name = value_cstring("name");
    struct value pattern = value_cstring("(a+)+$");
    struct value eq = builder_predicate(pool->arena, PREDICATE_EQ, own(pool, one), 1);
    struct value both[2];

    add(pool, eq);
    add(pool, builder_predicate(pool->arena, PREDICATE_EQ, own(pool, out), 1));
    add(pool, builder_predicate(pool->arena, PREDICATE_WITHIN, own(pool, out), 1));
    add(pool, builder_predicate(pool->arena, PREDICATE_GT, own(pool, name), 1));
    add(pool, builder_predicate(pool->arena, PREDICATE_WITHIN, NULL, 0));
    add(pool, builder_predicate(pool->arena, PREDICATE_REGEX, own(pool, pattern), 1));
    both[0] = eq;
    both[1] = builder_predicate(pool->arena, PREDICATE_NEQ, own(pool, eq), 1);
    add(pool, builder_connective(pool->arena, PREDICATE_AND, both, 2));
    add(pool, builder_connective(pool->arena, PREDICATE_NOT, both, 1));
}

static void add_collections(struct pool *pool)
{
    struct value name = value_cstring("name");
    struct value out = traversal_of(pool->arena, "out", NULL, 0);
    struct value single =
        cardinality_of(pool, value_enumerator(CARDINALITY_SET), value_cstring("y"));
    struct value some[] = {value_int(1), name, value_null(), value_cstring("marko")};
    struct value list = value_items(pool->arena, VALUE_LIST, some, 4);
    struct value bulks[] = {name, value_long(3)};
    struct value traverser = {.kind = VALUE_TRAVERSER, .size = 1, .items = own(pool, name)};
    struct value *strategy = arena_array(pool->arena, 2, sizeof *strategy);

    strategy[0] = name;
    strategy[1] = value_long(2);
    traverser.items = strategy;
    add(pool, value_items(pool->arena, VALUE_LIST, NULL, 0));
    add(pool, list);
    add(pool, value_items(pool->arena, VALUE_SET, some, 2));
    add(pool, value_items(pool->arena, VALUE_LIST, &list, 1));
    add(pool, value_items(pool->arena, VALUE_LIST, &out, 1));
    add(pool, value_items(pool->arena, VALUE_SET, &single, 1));
    add(pool, value_items(pool->arena, VALUE_MAP, NULL, 0));
    add(pool, pair_map(pool, name, value_cstring("z")));
    add(pool, pair_map(pool, value_enumerator(T_ID), value_int(1)));
    add(pool, pair_map(pool, value_enumerator(DIRECTION_OUT), value_int(1)));
    add(pool, pair_map(pool, name, single));
    add(pool, pair_map(pool, name, out));
    add(pool, pair_map(pool, out, name));
    add(pool, value_items(pool->arena, VALUE_BULKSET, bulks, 1));
    add(pool, traverser);
    struct value map = pair_map(pool, value_cstring("vertices"), out);
    add(pool, builder_strategy(pool->arena, SLICE("SubgraphStrategy"), &map));
    add(pool, builder_strategy(pool->arena, SLICE("NoSuchStrategy"), &map));
    add(pool, builder_strategy(pool->arena, SLICE("OptionsStrategy"), &map));
}

size_t traversals_values(struct arena *arena, const struct value **values)
{
    struct pool pool = {.arena = arena};

    pool.values = arena_array(arena, VALUES_ROOM, sizeof *pool.values);
    add_numbers(&pool);
    add_texts(&pool);
    add_elements(&pool);
    add_traversals(&pool);
    add_predicates(&pool);
    add_collections(&pool);
    *values = pool.values;
    return pool.count;
}

bool traversals_place(size_t number, struct traversals_place *place)
{
    size_t at = 0;

    for (int step = STEP_UNKNOWN + 1; step < STEP_ID_COUNT; step++) {
        const struct step_info *info = step_info((enum step_id)step);
        uint32_t most = info->most < 0 || info->most > TRAVERSALS_ARGS_MAX ? TRAVERSALS_ARGS_MAX
                                                                           : (uint32_t)info->most;
        for (uint32_t count = (uint32_t)info->least; count <= most; count++) {
            if (number < at + count) {
                *place =
                    (struct traversals_place){(enum step_id)step, count, (uint32_t)(number - at)};
                return true;
            }
            at += count;
        }
    }
    return false;
}

const struct bytecode *traversals_at(struct arena *arena, const struct traversals_place *place,
                                     const struct value *value, const struct value *filler)
{
    const struct step_info *info = step_info(place->step);
    struct value *args = arena_array(arena, place->arg_count, sizeof *args);
    struct builder builder;

    for (uint32_t i = 0; i < place->arg_count; i++) {
        args[i] = i == place->arg ? *value : *filler;
    }
    builder_init(&builder, arena, 1, 2);
    if (info->is_source) {
        (void)builder_source(&builder, slice_text(info->name), args, place->arg_count);
    }
    if (info->is_source || !step_may_start(place->step)) {
        (void)builder_step(&builder, SLICE("V"), NULL, 0);
    }
    if (!info->is_source) {
        (void)builder_step(&builder, slice_text(info->name), args, place->arg_count);
    }
    return builder_finish(&builder);
}

/* ---- random ---- */

struct random {
    struct arena *arena;
    struct prng *prng;
    const struct value *values;
    size_t value_count;
};

static const struct bytecode *random_chain(const struct random *random, int depth);

static struct value random_value(const struct random *random, int depth)
{
    uint64_t draw = prng_below(random->prng, 10);

    if (draw < 4 && depth < CHILD_DEPTH_MAX) {
        struct value child = {.kind = VALUE_TRAVERSAL};
        child.traversal = random_chain(random, depth + 1);
        return child;
    }
    return draw < 6 ? value_cstring(draw == 4 ? "name" : "x")
                    : random->values[prng_below(random->prng, random->value_count)];
}

/* Of ten steps half are among those that take part in most queries. */
static enum step_id random_step(const struct random *random)
{
    static const enum step_id usual[] = {STEP_OUT,   STEP_IN,     STEP_BOTH_E, STEP_VALUES,
                                         STEP_HAS,   STEP_FOLD,   STEP_UNFOLD, STEP_BY,
                                         STEP_GROUP, STEP_ORDER,  STEP_REPEAT, STEP_TIMES,
                                         STEP_AS,    STEP_SELECT, STEP_SACK,   STEP_AGGREGATE};

    return prng_below(random->prng, 2) == 0
               ? usual[prng_below(random->prng, sizeof usual / sizeof usual[0])]
               : (enum step_id)(1 + prng_below(random->prng, STEP_ID_COUNT - 1));
}

static uint32_t random_count(const struct random *random, const struct step_info *info)
{
    uint32_t least = (uint32_t)info->least;
    uint32_t most = info->most < 0 ? least + 2 : (uint32_t)info->most;

    return least + (uint32_t)prng_below(random->prng, most - least + 1);
}

static void random_steps(const struct random *random, struct builder *builder, int depth)
{
    uint64_t count = prng_below(random->prng, STEPS_A_CHAIN);

    for (uint64_t i = 0; i < count; i++) {
        const struct step_info *info = step_info(random_step(random));
        uint32_t args = random_count(random, info);
        struct value *values = arena_array(random->arena, args + 1, sizeof *values);
        if (info->is_source || !info->is_ready) {
            continue;
        }
        for (uint32_t k = 0; k < args; k++) {
            values[k] = random_value(random, depth);
        }
        if (step_find(slice_text(info->name)) == STEP_TIMES) {
            values[0] = value_int((int32_t)prng_below(random->prng, 4));
        }
        (void)builder_step(builder, slice_text(info->name), values, args);
    }
}

static const struct bytecode *random_chain(const struct random *random, int depth)
{
    struct builder builder;

    builder_init(&builder, random->arena, 0, STEPS_A_CHAIN);
    random_steps(random, &builder, depth);
    return builder_finish(&builder);
}

const struct bytecode *traversals_random(struct arena *arena, struct prng *prng)
{
    struct random random = {.arena = arena, .prng = prng};
    struct builder builder;
    struct value *args = arena_array(arena, 2, sizeof *args);

    random.value_count = traversals_values(arena, &random.values);
    builder_init(&builder, arena, 2, STEPS_A_CHAIN + 2);
    if (prng_below(prng, 4) == 0) {
        args[0] = random_value(&random, CHILD_DEPTH_MAX);
        (void)builder_source(&builder, SLICE("withSack"), args, 1);
    }
    if (prng_below(prng, 6) == 0) {
        args[0] = value_cstring("x");
        args[1] = random_value(&random, CHILD_DEPTH_MAX);
        (void)builder_source(&builder, SLICE("withSideEffect"), args, 2);
    }
    if (prng_below(prng, 8) == 0) {
        struct value *injected = arena_array(arena, 1, sizeof *injected);
        *injected = random_value(&random, CHILD_DEPTH_MAX);
        (void)builder_step(&builder, SLICE("inject"), injected, 1);
    } else {
        (void)builder_step(&builder, prng_below(prng, 6) == 0 ? SLICE("E") : SLICE("V"), NULL, 0);
    }
    random_steps(&random, &builder, 0);
    return builder_finish(&builder);
}
