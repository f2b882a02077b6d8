#define PCRE2_CODE_UNIT_WIDTH 8

#include <assert.h>
#include <pcre2.h>
#include <string.h>

#include "common/mem.h"
#include "common/predicate.h"

enum {
    MATCH_LIMIT = 1000000, /* Steps; a pattern that needs more does not match. */
    HEAP_LIMIT_KIB = 20000,
    PATTERN_MAX = 65536
};

struct regex {
    pcre2_code *code;
    pcre2_match_data *match;
    pcre2_match_context *limits;
};

/* ---- regular expressions ---- */

static void *allocate(size_t size, void *ctx)
{
    (void)ctx;
    return mem_alloc(size);
}

static void release(void *memory, void *ctx)
{
    (void)ctx;
    mem_free(memory);
}

static void regex_close(struct regex *regex)
{
    pcre2_match_context_free(regex->limits);
    pcre2_match_data_free(regex->match);
    pcre2_code_free(regex->code);
    mem_free(regex);
}

static int regex_open(struct regex **out, struct slice pattern, struct error *err)
{
    pcre2_general_context *memory = pcre2_general_context_create(allocate, release, NULL);
    pcre2_compile_context *context = pcre2_compile_context_create(memory);
    struct regex *regex = (struct regex *)mem_alloc(sizeof *regex);
    PCRE2_SIZE at;
    int number;

    (void)pcre2_set_max_pattern_length(context, PATTERN_MAX);
    regex->code = pcre2_compile(pattern.data, pattern.size, PCRE2_UTF, &number, &at, context);
    if (regex->code != NULL) {
        regex->match = pcre2_match_data_create_from_pattern(regex->code, memory);
        regex->limits = pcre2_match_context_create(memory);
        (void)pcre2_set_match_limit(regex->limits, MATCH_LIMIT);
        (void)pcre2_set_heap_limit(regex->limits, HEAP_LIMIT_KIB);
    }
    pcre2_compile_context_free(context);
    pcre2_general_context_free(memory);
    if (regex->code == NULL) {
        PCRE2_UCHAR text[120] = "";
        (void)pcre2_get_error_message(number, text, sizeof text);
        regex_close(regex);
        return error_set(err, E_INVALID, "bad regular expression at %zu: %s", at, (char *)text);
    }
    *out = regex;
    return E_OK;
}

/* Somewhere in the text, as Java's find(). */
static bool regex_finds(const struct regex *regex, struct slice text)
{
    const uint8_t *data = text.size == 0 ? (const uint8_t *)"" : text.data;

    return pcre2_match(regex->code, data, text.size, 0, 0, regex->match, regex->limits) >= 0;
}

/* ---- types ---- */

#define KIND(kind) (1ULL << VALUE_##kind)

static const struct type {
    enum enumerator id;
    const char *java; /* Simple class name; null: only the enumerator names it. */
    uint64_t kinds;
} types[] = {
    {GTYPE_BIGDECIMAL, "BigDecimal", KIND(DECIMAL)},
    {GTYPE_BIGINT, "BigInteger", KIND(BIGINT)},
    {GTYPE_BINARY, "ByteBuffer", KIND(BINARY)},
    {GTYPE_BOOLEAN, "Boolean", KIND(BOOL)},
    {GTYPE_BYTE, "Byte", KIND(BYTE)},
    {GTYPE_CHAR, "Character", KIND(CHAR)},
    {GTYPE_DATETIME, "OffsetDateTime", KIND(DATETIME)},
    {GTYPE_DATETIME, "Date", KIND(DATE) | KIND(TIMESTAMP)},
    {GTYPE_DATETIME, "Timestamp", KIND(TIMESTAMP)},
    {GTYPE_DOUBLE, "Double", KIND(DOUBLE)},
    {GTYPE_DURATION, "Duration", KIND(DURATION)},
    {GTYPE_EDGE, "Edge", KIND(EDGE)},
    {GTYPE_FLOAT, "Float", KIND(FLOAT)},
    {GTYPE_GRAPH, "Graph", KIND(GRAPH)},
    {GTYPE_INT, "Integer", KIND(INT)},
    {GTYPE_LIST, "List", KIND(LIST)},
    {GTYPE_LONG, "Long", KIND(LONG)},
    {GTYPE_MAP, "Map", KIND(MAP) | KIND(TREE)},
    {GTYPE_NULL, NULL, KIND(NULL)},
    {GTYPE_NUMBER, "Number",
     KIND(BYTE) | KIND(SHORT) | KIND(INT) | KIND(LONG) | KIND(BIGINT) | KIND(FLOAT) | KIND(DOUBLE) |
         KIND(DECIMAL)},
    {GTYPE_PATH, "Path", KIND(PATH)},
    {GTYPE_PROPERTY, "Property", KIND(PROPERTY) | KIND(VPROPERTY)},
    {GTYPE_SET, "Set", KIND(SET) | KIND(BULKSET)},
    {GTYPE_SHORT, "Short", KIND(SHORT)},
    {GTYPE_STRING, "String", KIND(STRING)},
    {GTYPE_TREE, "Tree", KIND(TREE)},
    {GTYPE_UUID, "UUID", KIND(UUID)},
    {GTYPE_VERTEX, "Vertex", KIND(VERTEX)},
    {GTYPE_VPROPERTY, "VertexProperty", KIND(VPROPERTY)},
};

_Static_assert(VALUE_KIND_COUNT <= 64, "kinds fit a set");

/* Kinds that an operand of typeOf() names; false if it names none. */
static bool kinds_of(const struct value *operand, uint64_t *kinds)
{
    bool is_known = false;

    *kinds = 0;
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        bool is_this = operand->kind == VALUE_ENUM
                           ? operand->integer == (int64_t)types[i].id
                           : types[i].java != NULL && value_is_text(operand, types[i].java);
        if (is_this) {
            *kinds |= types[i].kinds;
            is_known = true;
        }
    }
    return is_known;
}

/* ---- compiling ---- */

static int compile_one(struct predicate *predicate, struct error *err)
{
    const struct value *operand = predicate->operands;
    uint64_t kinds;

    if (predicate->test == PREDICATE_TYPE_OF) {
        if (kinds_of(operand, &kinds)) {
            return E_OK;
        }
        if (operand->kind == VALUE_STRING) {
            return error_set(err, E_INVALID, "%.*s is not a registered type",
                             (int)(operand->size < 80 ? operand->size : 80), operand->text);
        }
        return error_set(err, E_INVALID, "typeOf() takes a GType or the name of a type");
    }
    if (!predicate_is_text(predicate->test)) {
        return E_OK;
    }
    if (operand->kind != VALUE_STRING) {
        return error_set(err, E_INVALID, "%s() takes a string, not %s",
                         predicate_name(predicate->test),
                         value_kind_name((enum value_kind)operand->kind));
    }
    if (predicate->test == PREDICATE_REGEX || predicate->test == PREDICATE_NOT_REGEX) {
        struct regex *regex = NULL;
        int rc = regex_open(&regex, value_slice(operand), err);
        predicate->regex = regex;
        return rc;
    }
    return E_OK;
}

/* The tree is ours to complete: read-only is what it is for those who match with it. */
static struct predicate *child_of(const struct predicate *predicate, uint32_t i)
{
    return (struct predicate *)(uintptr_t)&predicate->children[i];
}

int predicate_compile(struct predicate *predicate, struct error *err)
{
    int rc = predicate->regex == NULL ? compile_one(predicate, err) : E_OK;

    for (uint32_t i = 0; rc == E_OK && i < predicate->child_count; i++) {
        rc = predicate_compile(child_of(predicate, i), err);
    }
    if (rc != E_OK) {
        predicate_release(predicate);
    }
    return rc;
}

void predicate_release(struct predicate *predicate)
{
    if (predicate->regex != NULL) {
        regex_close((struct regex *)predicate->regex);
        predicate->regex = NULL;
    }
    for (uint32_t i = 0; i < predicate->child_count; i++) {
        predicate_release(child_of(predicate, i));
    }
}

/* ---- matching ---- */

/* Comparisons are false where there is no order (NaN, null, other types). */
static bool compares(enum predicate_test test, const struct value *value,
                     const struct value *operand)
{
    int order;

    if (!value_compare(value, operand, &order)) {
        return false;
    }
    return test == PREDICATE_LT    ? order < 0
           : test == PREDICATE_LTE ? order <= 0
           : test == PREDICATE_GT  ? order > 0
                                   : order >= 0;
}

static bool is_within(const struct predicate *predicate, const struct value *value)
{
    for (uint32_t i = 0; i < predicate->operand_count; i++) {
        if (value_equal(value, &predicate->operands[i])) {
            return true;
        }
    }
    return false;
}

static bool is_type(const struct predicate *predicate, const struct value *value)
{
    uint64_t kinds;

    return kinds_of(predicate->operands, &kinds) && (kinds >> value->kind & 1) != 0;
}

static bool contains(struct slice text, struct slice part)
{
    const uint8_t *at = text.data;
    size_t left = text.size;

    if (part.size == 0) {
        return true;
    }
    while (left >= part.size) {
        const uint8_t *hit = (const uint8_t *)memchr(at, part.data[0], left - part.size + 1);
        if (hit == NULL) {
            return false;
        }
        if (memcmp(hit, part.data, part.size) == 0) {
            return true;
        }
        left -= (size_t)(hit - at) + 1;
        at = hit + 1;
    }
    return false;
}

/* What is no string has no text: neither a test nor its opposite matches. */
static bool matches_text(const struct predicate *predicate, const struct value *value)
{
    struct slice text;
    struct slice part;

    if (value->kind != VALUE_STRING || predicate->operands[0].kind != VALUE_STRING) {
        return false;
    }
    text = value_slice(value);
    part = value_slice(&predicate->operands[0]);
    bool fits = part.size <= text.size;
    switch ((unsigned)predicate->test) {
    case PREDICATE_CONTAINING:
        return contains(text, part);
    case PREDICATE_NOT_CONTAINING:
        return !contains(text, part);
    case PREDICATE_STARTING_WITH:
        return fits && slice_equal(slice_of(text.data, part.size), part);
    case PREDICATE_NOT_STARTING_WITH:
        return !(fits && slice_equal(slice_of(text.data, part.size), part));
    case PREDICATE_ENDING_WITH:
        return fits && slice_equal(slice_of(text.data + text.size - part.size, part.size), part);
    case PREDICATE_NOT_ENDING_WITH:
        return !(fits && slice_equal(slice_of(text.data + text.size - part.size, part.size), part));
    default:
        assert(predicate->regex != NULL);
        return regex_finds((const struct regex *)predicate->regex, text) ==
               (predicate->test == PREDICATE_REGEX);
    }
}

static bool matches_children(const struct predicate *predicate, const struct value *value)
{
    bool is_or = predicate->test == PREDICATE_OR;

    for (uint32_t i = 0; i < predicate->child_count; i++) {
        if (predicate_matches(&predicate->children[i], value) == is_or) {
            return is_or;
        }
    }
    return !is_or;
}

bool predicate_matches(const struct predicate *predicate, const struct value *value)
{
    const struct value *operands = predicate->operands;

    switch (predicate->test) {
    case PREDICATE_EQ:
        return value_equal(value, &operands[0]);
    case PREDICATE_NEQ:
        return !value_equal(value, &operands[0]);
    case PREDICATE_LT:
    case PREDICATE_LTE:
    case PREDICATE_GT:
    case PREDICATE_GTE:
        return compares(predicate->test, value, &operands[0]);
    case PREDICATE_INSIDE:
        return compares(PREDICATE_GT, value, &operands[0]) &&
               compares(PREDICATE_LT, value, &operands[1]);
    case PREDICATE_OUTSIDE:
        return compares(PREDICATE_LT, value, &operands[0]) ||
               compares(PREDICATE_GT, value, &operands[1]);
    case PREDICATE_BETWEEN:
        return compares(PREDICATE_GTE, value, &operands[0]) &&
               compares(PREDICATE_LT, value, &operands[1]);
    case PREDICATE_WITHIN:
        return is_within(predicate, value);
    case PREDICATE_WITHOUT:
        return !is_within(predicate, value);
    case PREDICATE_TYPE_OF:
        return is_type(predicate, value);
    case PREDICATE_CONTAINING:
    case PREDICATE_NOT_CONTAINING:
    case PREDICATE_STARTING_WITH:
    case PREDICATE_NOT_STARTING_WITH:
    case PREDICATE_ENDING_WITH:
    case PREDICATE_NOT_ENDING_WITH:
    case PREDICATE_REGEX:
    case PREDICATE_NOT_REGEX:
        return matches_text(predicate, value);
    case PREDICATE_AND:
    case PREDICATE_OR:
        return matches_children(predicate, value);
    case PREDICATE_NOT:
        return !predicate_matches(&predicate->children[0], value);
    case PREDICATE_TEST_COUNT:
        break;
    }
    assert(0);
    return false;
}
