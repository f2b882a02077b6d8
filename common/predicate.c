#include "common/predicate.h"

#include <assert.h>
#include <string.h>

#include "common/codec.h"

enum {
    ROOM_MIN = 4 /* Operands and children that are expected. */
};

struct form {
    const char *name;
    int8_t operands; /* -1: any number. */
    int8_t children; /* -1: one or more. */
    uint8_t opposite;
    bool is_text;
};

static const struct form forms[] = {
    [PREDICATE_EQ] = {"eq", 1, 0, PREDICATE_NEQ, false},
    [PREDICATE_NEQ] = {"neq", 1, 0, PREDICATE_EQ, false},
    [PREDICATE_LT] = {"lt", 1, 0, PREDICATE_NOT, false},
    [PREDICATE_LTE] = {"lte", 1, 0, PREDICATE_NOT, false},
    [PREDICATE_GT] = {"gt", 1, 0, PREDICATE_NOT, false},
    [PREDICATE_GTE] = {"gte", 1, 0, PREDICATE_NOT, false},
    [PREDICATE_INSIDE] = {"inside", 2, 0, PREDICATE_NOT, false},
    [PREDICATE_OUTSIDE] = {"outside", 2, 0, PREDICATE_NOT, false},
    [PREDICATE_BETWEEN] = {"between", 2, 0, PREDICATE_NOT, false},
    [PREDICATE_WITHIN] = {"within", -1, 0, PREDICATE_WITHOUT, false},
    [PREDICATE_WITHOUT] = {"without", -1, 0, PREDICATE_WITHIN, false},
    [PREDICATE_TYPE_OF] = {"typeOf", 1, 0, PREDICATE_NOT, false},
    [PREDICATE_CONTAINING] = {"containing", 1, 0, PREDICATE_NOT_CONTAINING, true},
    [PREDICATE_NOT_CONTAINING] = {"notContaining", 1, 0, PREDICATE_CONTAINING, true},
    [PREDICATE_STARTING_WITH] = {"startingWith", 1, 0, PREDICATE_NOT_STARTING_WITH, true},
    [PREDICATE_NOT_STARTING_WITH] = {"notStartingWith", 1, 0, PREDICATE_STARTING_WITH, true},
    [PREDICATE_ENDING_WITH] = {"endingWith", 1, 0, PREDICATE_NOT_ENDING_WITH, true},
    [PREDICATE_NOT_ENDING_WITH] = {"notEndingWith", 1, 0, PREDICATE_ENDING_WITH, true},
    [PREDICATE_REGEX] = {"regex", 1, 0, PREDICATE_NOT_REGEX, true},
    [PREDICATE_NOT_REGEX] = {"notRegex", 1, 0, PREDICATE_REGEX, true},
    [PREDICATE_AND] = {"and", 0, -1, PREDICATE_OR, false},
    [PREDICATE_OR] = {"or", 0, -1, PREDICATE_AND, false},
    [PREDICATE_NOT] = {"not", 0, 1, PREDICATE_NOT, false},
};

_Static_assert(sizeof forms / sizeof forms[0] == PREDICATE_TEST_COUNT, "every test has a form");

const char *predicate_name(enum predicate_test test)
{
    assert(test < PREDICATE_TEST_COUNT);
    return forms[test].name;
}

enum predicate_test predicate_find(struct slice name)
{
    int test = 0;

    while (test < PREDICATE_TEST_COUNT && !slice_equal(slice_text(forms[test].name), name)) {
        test++;
    }
    return (enum predicate_test)test;
}

bool predicate_is_text(enum predicate_test test)
{
    assert(test < PREDICATE_TEST_COUNT);
    return forms[test].is_text;
}

static bool has_form(const struct predicate *predicate)
{
    const struct form *form = &forms[predicate->test];

    return (form->operands < 0 || predicate->operand_count == (uint32_t)form->operands) &&
           (form->children < 0 ? predicate->child_count > 0
                               : predicate->child_count == (uint32_t)form->children);
}

/* ---- trees ---- */

struct predicate *predicate_copy(struct arena *arena, const struct predicate *predicate)
{
    struct predicate *copy = ARENA_NEW(arena, struct predicate);
    struct value *operands =
        (struct value *)arena_array(arena, predicate->operand_count, sizeof *operands);
    struct predicate *children =
        (struct predicate *)arena_array(arena, predicate->child_count, sizeof *children);

    *copy = *predicate;
    copy->regex = NULL; /* Not shared: who compiles the copy releases it. */
    for (uint32_t i = 0; i < predicate->operand_count; i++) {
        operands[i] = value_copy(arena, &predicate->operands[i]);
    }
    for (uint32_t i = 0; i < predicate->child_count; i++) {
        children[i] = *predicate_copy(arena, &predicate->children[i]);
    }
    copy->operands = operands;
    copy->children = children;
    return copy;
}

static const struct predicate *negate_children(struct arena *arena,
                                               const struct predicate *predicate)
{
    struct predicate *negated = ARENA_NEW(arena, struct predicate);
    struct predicate *children =
        (struct predicate *)arena_array(arena, predicate->child_count, sizeof *children);

    for (uint32_t i = 0; i < predicate->child_count; i++) {
        children[i] = *predicate_negate(arena, &predicate->children[i]);
    }
    negated->test = (enum predicate_test)forms[predicate->test].opposite;
    negated->child_count = predicate->child_count;
    negated->children = children;
    return negated;
}

/* The opposite of an order is no order: what cannot be compared is neither above nor below, and so
 * passes not(gt(1)) alone. */
const struct predicate *predicate_negate(struct arena *arena, const struct predicate *predicate)
{
    struct predicate *negated;

    switch (predicate->test) {
    case PREDICATE_AND:
    case PREDICATE_OR:
        return negate_children(arena, predicate);
    case PREDICATE_NOT:
        return &predicate->children[0];
    case PREDICATE_LT:
    case PREDICATE_LTE:
    case PREDICATE_GT:
    case PREDICATE_GTE:
    case PREDICATE_INSIDE:
    case PREDICATE_OUTSIDE:
    case PREDICATE_BETWEEN:
    case PREDICATE_TYPE_OF:
        negated = ARENA_NEW(arena, struct predicate);
        *negated =
            (struct predicate){.test = PREDICATE_NOT, .child_count = 1, .children = predicate};
        return negated;
    case PREDICATE_EQ:
    case PREDICATE_NEQ:
    case PREDICATE_WITHIN:
    case PREDICATE_WITHOUT:
    case PREDICATE_CONTAINING:
    case PREDICATE_NOT_CONTAINING:
    case PREDICATE_STARTING_WITH:
    case PREDICATE_NOT_STARTING_WITH:
    case PREDICATE_ENDING_WITH:
    case PREDICATE_NOT_ENDING_WITH:
    case PREDICATE_REGEX:
    case PREDICATE_NOT_REGEX:
    case PREDICATE_TEST_COUNT:
        break;
    }
    negated = (struct predicate *)arena_copy(arena, predicate, sizeof *predicate);
    negated->test = (enum predicate_test)forms[predicate->test].opposite;
    negated->regex = NULL;
    return negated;
}

/* ---- bytes and text ---- */

void predicate_encode(struct bytes *out, const struct predicate *predicate)
{
    assert(has_form(predicate));
    bytes_u8(out, (uint8_t)predicate->test);
    bytes_varint(out, predicate->operand_count);
    for (uint32_t i = 0; i < predicate->operand_count; i++) {
        codec_encode(out, NULL, &predicate->operands[i]);
    }
    bytes_varint(out, predicate->child_count);
    for (uint32_t i = 0; i < predicate->child_count; i++) {
        predicate_encode(out, &predicate->children[i]);
    }
}

/* Gives twice the room, with what is there: a count is only a promise of the input. */
static void *grow(struct arena *arena, const void *old, uint32_t count, size_t size)
{
    void *items = arena_alloc(arena, (size_t)count * 2 * size);

    memcpy(items, old, count * size);
    return items;
}

static const struct value *decode_operands(struct reader *reader, struct arena *arena, int depth,
                                           uint32_t count)
{
    uint32_t room = ROOM_MIN;
    struct value *operands = (struct value *)arena_alloc(arena, room * sizeof *operands);

    for (uint32_t i = 0; i < count && !reader->is_bad; i++) {
        if (i == room) {
            operands = (struct value *)grow(arena, operands, room, sizeof *operands);
            room *= 2;
        }
        codec_decode(reader, arena, NULL, depth + 1, &operands[i]);
    }
    return operands;
}

static const struct predicate *decode_children(struct reader *reader, struct arena *arena,
                                               int depth, uint32_t count)
{
    uint32_t room = ROOM_MIN;
    struct predicate *children = (struct predicate *)arena_alloc(arena, room * sizeof *children);

    for (uint32_t i = 0; i < count && !reader->is_bad; i++) {
        if (i == room) {
            children = (struct predicate *)grow(arena, children, room, sizeof *children);
            room *= 2;
        }
        children[i] = *predicate_decode_deep(reader, arena, depth + 1);
    }
    return children;
}

const struct predicate *predicate_decode_deep(struct reader *reader, struct arena *arena, int depth)
{
    struct predicate *predicate = ARENA_NEW(arena, struct predicate);
    uint8_t test = reader_u8(reader);

    if (depth > VALUE_DEPTH_MAX || test >= PREDICATE_TEST_COUNT) {
        reader_spoil(reader);
        return predicate;
    }
    predicate->test = (enum predicate_test)test;
    predicate->operand_count = (uint32_t)reader_count(reader, 2);
    if (predicate->operand_count > 0) {
        predicate->operands = decode_operands(reader, arena, depth, predicate->operand_count);
    }
    predicate->child_count = (uint32_t)reader_count(reader, 3);
    if (predicate->child_count > 0) {
        predicate->children = decode_children(reader, arena, depth, predicate->child_count);
    }
    if (!has_form(predicate) || arena->is_exceeded) {
        reader_spoil(reader);
    }
    return predicate;
}

const struct predicate *predicate_decode(struct reader *reader, struct arena *arena)
{
    return predicate_decode_deep(reader, arena, 0);
}

static void print_name(struct bytes *out, enum predicate_test test, const char *more)
{
    bytes_format(out, "%s%s", forms[test].name, more);
}

static void print_operands(struct bytes *out, const struct predicate *predicate)
{
    for (uint32_t i = 0; i < predicate->operand_count; i++) {
        bytes_append(out, ", ", i == 0 ? 0 : 2);
        value_print(out, &predicate->operands[i]);
    }
}

/* TinkerPop keeps ranges as the two comparisons they are made of. */
static void print_range(struct bytes *out, const struct predicate *predicate)
{
    bool is_between = predicate->test == PREDICATE_BETWEEN;
    bool is_outside = predicate->test == PREDICATE_OUTSIDE;

    print_name(out, is_outside ? PREDICATE_OR : PREDICATE_AND, "(");
    print_name(out, is_outside ? PREDICATE_LT : is_between ? PREDICATE_GTE : PREDICATE_GT, "(");
    value_print(out, &predicate->operands[0]);
    bytes_append(out, "), ", 3);
    print_name(out, is_outside ? PREDICATE_GT : PREDICATE_LT, "(");
    value_print(out, &predicate->operands[1]);
    bytes_append(out, "))", 2);
}

void predicate_print(struct bytes *out, const struct predicate *predicate)
{
    bool is_list = predicate->test == PREDICATE_WITHIN || predicate->test == PREDICATE_WITHOUT;

    if (predicate->test == PREDICATE_INSIDE || predicate->test == PREDICATE_OUTSIDE ||
        predicate->test == PREDICATE_BETWEEN) {
        print_range(out, predicate);
        return;
    }
    print_name(out, predicate->test, is_list ? "([" : "(");
    print_operands(out, predicate);
    for (uint32_t i = 0; i < predicate->child_count; i++) {
        bytes_append(out, ", ", i == 0 ? 0 : 2);
        predicate_print(out, &predicate->children[i]);
    }
    bytes_append(out, is_list ? "])" : ")", is_list ? 2 : 1);
}
