#include "router/gremlin/builder.h"

#include "common/predicate.h"
#include "router/gremlin/step.h"

#include <assert.h>

void builder_init(struct builder *builder, struct arena *arena, uint32_t source_max,
                  uint32_t step_max)
{
    *builder = (struct builder){.arena = arena, .source_max = source_max, .step_max = step_max};
    builder->sources = arena_array(arena, source_max, sizeof *builder->sources);
    builder->steps = arena_array(arena, step_max, sizeof *builder->steps);
}

struct slice builder_class_name(struct slice name)
{
    for (size_t i = name.size; i > 0; i--) {
        if (name.data[i - 1] == '.') {
            return slice_of(name.data + i, name.size - i);
        }
    }
    return name;
}

static void fill(struct instruction *instruction, struct slice name, const struct value *args,
                 uint32_t arg_count)
{
    *instruction = (struct instruction){.step = step_find(name), .name = name};
    if (instruction->step != STEP_UNKNOWN) {
        instruction->name = slice_text(step_info(instruction->step)->name);
    }
    instruction->args = args;
    instruction->arg_count = arg_count;
}

static void shorten_classes(struct arena *arena, struct instruction *instruction)
{
    struct value *args = arena_array(arena, instruction->arg_count, sizeof *args);

    for (uint32_t i = 0; i < instruction->arg_count; i++) {
        args[i] = instruction->args[i];
        if (args[i].kind == VALUE_CLASS) {
            struct slice name = builder_class_name(value_slice(&args[i]));
            args[i].text = (const char *)name.data;
            args[i].size = (uint32_t)name.size;
        }
    }
    instruction->args = args;
}

struct instruction *builder_source(struct builder *builder, struct slice name,
                                   const struct value *args, uint32_t arg_count)
{
    assert(builder->source_count < builder->source_max);
    struct instruction *instruction = &builder->sources[builder->source_count++];

    fill(instruction, name, args, arg_count);
    if (instruction->step == STEP_WITHOUT_STRATEGIES) {
        shorten_classes(builder->arena, instruction);
    }
    return instruction;
}

struct instruction *builder_step(struct builder *builder, struct slice name,
                                 const struct value *args, uint32_t arg_count)
{
    assert(builder->step_count < builder->step_max);
    struct instruction *instruction = &builder->steps[builder->step_count++];

    fill(instruction, name, args, arg_count);
    return instruction;
}

static struct instruction *find_options(struct builder *builder)
{
    for (uint32_t i = 0; i < builder->source_count; i++) {
        struct instruction *source = &builder->sources[i];
        if (source->step == STEP_WITH_STRATEGIES && source->arg_count == 1 &&
            source->args[0].kind == VALUE_STRATEGY &&
            value_is_text(&source->args[0].items[0], "OptionsStrategy")) {
            return source;
        }
    }
    return NULL;
}

struct instruction *builder_option(struct builder *builder, const struct value *key,
                                   const struct value *option)
{
    struct instruction *source = find_options(builder);
    uint32_t old = source == NULL ? 0 : source->args[0].items[1].size;
    struct value *pairs = arena_array(builder->arena, 2 * (size_t)(old + 1), sizeof *pairs);
    struct value *strategy = ARENA_NEW(builder->arena, struct value);
    uint32_t at = 0;

    for (uint32_t i = 0; i < old; i++) {
        const struct value *pair = &source->args[0].items[1].items[2 * (size_t)i];
        if (!value_equivalent(pair, key)) {
            pairs[at++] = pair[0];
            pairs[at++] = pair[1];
        }
    }
    pairs[at++] = *key;
    pairs[at++] = *option;
    struct value map = value_items(builder->arena, VALUE_MAP, pairs, at / 2);
    *strategy = builder_strategy(builder->arena, SLICE("OptionsStrategy"), &map);
    if (source == NULL) {
        return builder_source(builder, SLICE("withStrategies"), strategy, 1);
    }
    source->args = strategy;
    return source;
}

const struct bytecode *builder_finish(const struct builder *builder)
{
    struct bytecode *bytecode = ARENA_NEW(builder->arena, struct bytecode);

    bytecode->source_count = builder->source_count;
    bytecode->step_count = builder->step_count;
    bytecode->sources = builder->sources;
    bytecode->steps = builder->steps;
    return bytecode;
}

struct value builder_strategy(struct arena *arena, struct slice name, const struct value *map)
{
    struct value *items = arena_array(arena, 2, sizeof *items);
    struct value out = value_null();

    assert(map->kind == VALUE_MAP);
    items[0] = value_string(builder_class_name(name));
    items[1] = *map;
    out.kind = VALUE_STRATEGY;
    out.items = items;
    return out;
}

static struct value predicate_value(const struct predicate *predicate)
{
    struct value out = value_null();

    out.kind = VALUE_PREDICATE;
    out.predicate = predicate;
    return out;
}

struct value builder_predicate(struct arena *arena, uint8_t test, const struct value *operands,
                               uint32_t count)
{
    struct predicate *predicate = ARENA_NEW(arena, struct predicate);
    bool is_set_test = test == PREDICATE_WITHIN || test == PREDICATE_WITHOUT;

    assert(test < PREDICATE_AND);
    predicate->test = (enum predicate_test)test;
    predicate->operands = operands;
    predicate->operand_count = count;
    if (is_set_test && count == 1 &&
        (operands[0].kind == VALUE_LIST || operands[0].kind == VALUE_SET)) {
        predicate->operands = operands[0].items;
        predicate->operand_count = operands[0].size;
    }
    return predicate_value(predicate);
}

struct value builder_connective(struct arena *arena, uint8_t test, const struct value *children,
                                uint32_t count)
{
    struct predicate *predicate = ARENA_NEW(arena, struct predicate);
    struct predicate *copies = arena_array(arena, count, sizeof *copies);

    assert(test == PREDICATE_AND || test == PREDICATE_OR || test == PREDICATE_NOT);
    for (uint32_t i = 0; i < count; i++) {
        assert(children[i].kind == VALUE_PREDICATE);
        copies[i] = *children[i].predicate;
    }
    predicate->test = (enum predicate_test)test;
    predicate->children = copies;
    predicate->child_count = count;
    return predicate_value(predicate);
}

static bool are_predicates(const struct value *values, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        if (values[i].kind != VALUE_PREDICATE) {
            return false;
        }
    }
    return count > 0;
}

/* between() and the like may come with their two values in a list. */
static void spread(const struct value **values, uint32_t *count)
{
    if (*count == 1 && (*values)->kind == VALUE_LIST) {
        *count = (*values)->size;
        *values = (*values)->items;
    }
}

bool builder_named_predicate(struct arena *arena, struct slice name, const struct value *values,
                             uint32_t count, struct value *out)
{
    enum predicate_test test = predicate_find(name);
    struct value list;

    switch (test) {
    case PREDICATE_AND:
    case PREDICATE_OR:
    case PREDICATE_NOT:
        spread(&values, &count);
        if (!are_predicates(values, count) || (test == PREDICATE_NOT && count != 1)) {
            return false;
        }
        *out = builder_connective(arena, (uint8_t)test, values, count);
        return true;
    case PREDICATE_WITHIN:
    case PREDICATE_WITHOUT:
        break;
    case PREDICATE_INSIDE:
    case PREDICATE_OUTSIDE:
    case PREDICATE_BETWEEN:
        spread(&values, &count);
        if (count != 2) {
            return false;
        }
        break;
    case PREDICATE_TEST_COUNT:
        return false;
    case PREDICATE_EQ:
    case PREDICATE_NEQ:
    case PREDICATE_LT:
    case PREDICATE_LTE:
    case PREDICATE_GT:
    case PREDICATE_GTE:
    case PREDICATE_TYPE_OF:
    case PREDICATE_CONTAINING:
    case PREDICATE_NOT_CONTAINING:
    case PREDICATE_STARTING_WITH:
    case PREDICATE_NOT_STARTING_WITH:
    case PREDICATE_ENDING_WITH:
    case PREDICATE_NOT_ENDING_WITH:
    case PREDICATE_REGEX:
    case PREDICATE_NOT_REGEX:
        /* The JavaScript driver takes a list for several values. */
        if (count != 1) {
            list = value_items(arena, VALUE_LIST, values, count);
            values = arena_copy(arena, &list, sizeof list);
            count = 1;
        }
        break;
    }
    *out = builder_predicate(arena, (uint8_t)test, values, count);
    return true;
}
