#include "router/plan/formula.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef double (*function_fn)(double);

static double signum(double x)
{
    return x > 0.0 ? 1.0 : x < 0.0 ? -1.0 : x;
}

static double cotangent(double x)
{
    return 1.0 / tan(x);
}

static double secant(double x)
{
    return 1.0 / cos(x);
}

static double cosecant(double x)
{
    return 1.0 / sin(x);
}

static const struct {
    const char *name;
    function_fn one; /* Null: pow(a, b). */
} functions[] = {
    {"abs", fabs},    {"acos", acos},   {"asin", asin},   {"atan", atan},     {"cbrt", cbrt},
    {"ceil", ceil},   {"cos", cos},     {"cosh", cosh},   {"cot", cotangent}, {"csc", cosecant},
    {"exp", exp},     {"expm1", expm1}, {"floor", floor}, {"log", log},       {"log10", log10},
    {"log1p", log1p}, {"log2", log2},   {"pow", NULL},    {"sec", secant},    {"signum", signum},
    {"sin", sin},     {"sinh", sinh},   {"sqrt", sqrt},   {"tan", tan},       {"tanh", tanh},
};

enum { FUNCTION_COUNT = sizeof functions / sizeof functions[0] };

struct parser {
    struct arena *arena;
    struct slice text;
    size_t at;
    uint32_t room;
    uint32_t groups; /* Open ones. */
    uint32_t held;   /* Numbers on the stack here. */
    struct formula *formula;
    struct error *err;
};

static int parse_sum(struct parser *parser);

static int wrong(struct parser *parser, const char *what)
{
    return error_set(parser->err, E_INVALID, "math(): %s at column %zu of '%.*s'", what,
                     parser->at + 1, (int)(parser->text.size < 100 ? parser->text.size : 100),
                     (const char *)parser->text.data);
}

static char peek(struct parser *parser)
{
    while (parser->at < parser->text.size &&
           memchr(" \t\n\r", parser->text.data[parser->at], 4) != NULL) {
        parser->at++;
    }
    return parser->at < parser->text.size ? (char)parser->text.data[parser->at] : '\0';
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_name_start(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || (unsigned char)c >= 0x80;
}

static void emit(struct parser *parser, struct formula_item item)
{
    struct formula *formula = parser->formula;
    bool is_pair = (item.kind >= FORMULA_ADD && item.kind <= FORMULA_POW) ||
                   (item.kind == FORMULA_FUNCTION && functions[item.place].one == NULL);

    assert(formula->count < parser->room);
    formula->items[formula->count++] = item;
    if (item.kind == FORMULA_NUMBER || item.kind == FORMULA_NAME) {
        parser->held++;
    } else if (is_pair) {
        assert(parser->held >= 2);
        parser->held--;
    }
    formula->depth = parser->held > formula->depth ? parser->held : formula->depth;
}

static int parse_number(struct parser *parser)
{
    char digits[64];
    size_t size = 0;
    char *end;

    while (parser->at + size < parser->text.size && size + 1 < sizeof digits) {
        char c = (char)parser->text.data[parser->at + size];
        bool is_exponent =
            size > 0 && (c == 'e' || c == 'E') && parser->at + size + 1 < parser->text.size;
        char next = is_exponent ? (char)parser->text.data[parser->at + size + 1] : '\0';
        if (is_exponent && (is_digit(next) || next == '-' || next == '+')) {
            digits[size] = c;
            digits[size + 1] = next;
            size += 2;
        } else if (is_digit(c) || c == '.') {
            digits[size++] = c;
        } else {
            break;
        }
        if (size + 2 >= sizeof digits) {
            return wrong(parser, "a number that is too long");
        }
    }
    digits[size] = '\0';
    emit(parser, (struct formula_item){.kind = FORMULA_NUMBER, .number = strtod(digits, &end)});
    if (end != digits + size) {
        return wrong(parser, "a number out of form");
    }
    parser->at += size;
    return E_OK;
}

static int emit_name(struct parser *parser, struct slice name)
{
    struct formula *formula = parser->formula;
    uint32_t place = 0;

    if (slice_equal(name, SLICE("pi")) || slice_equal(name, SLICE("π"))) {
        emit(parser, (struct formula_item){.kind = FORMULA_NUMBER, .number = acos(-1.0)});
        return E_OK;
    }
    if (slice_equal(name, SLICE("e"))) {
        emit(parser, (struct formula_item){.kind = FORMULA_NUMBER, .number = exp(1.0)});
        return E_OK;
    }
    if (slice_equal(name, SLICE("φ"))) {
        emit(parser,
             (struct formula_item){.kind = FORMULA_NUMBER, .number = (1.0 + sqrt(5.0)) / 2.0});
        return E_OK;
    }
    while (place < formula->name_count && !slice_equal(formula->names[place], name)) {
        place++;
    }
    if (place == formula->name_count) {
        if (place == FORMULA_NAMES_MAX) {
            return error_set(parser->err, E_LIMIT, "math() has more than %d variables",
                             FORMULA_NAMES_MAX);
        }
        formula->names[formula->name_count++] = name;
    }
    emit(parser, (struct formula_item){.kind = FORMULA_NAME, .place = place});
    return E_OK;
}

/* '(' sum ')', or for two arguments '(' sum ',' sum ')'. */
static int parse_group(struct parser *parser, bool is_pair)
{
    int rc;

    parser->at++;
    rc = parse_sum(parser);
    if (rc == E_OK && is_pair) {
        if (peek(parser) != ',') {
            return wrong(parser, "expected a comma");
        }
        parser->at++;
        rc = parse_sum(parser);
    }
    if (rc == E_OK && peek(parser) != ')') {
        return wrong(parser, "expected )");
    }
    parser->at++;
    return rc;
}

static int parse_function(struct parser *parser, uint32_t place)
{
    bool is_pair = functions[place].one == NULL;
    int rc;

    if (peek(parser) == '(') {
        rc = parse_group(parser, is_pair);
    } else if (is_pair) {
        return wrong(parser, "expected (");
    } else {
        rc = parse_sum(parser);
    }
    if (rc == E_OK) {
        emit(parser, (struct formula_item){.kind = FORMULA_FUNCTION, .place = place});
    }
    return rc;
}

static int parse_word(struct parser *parser)
{
    size_t start = parser->at;
    struct slice name;

    while (parser->at < parser->text.size && (is_name_start((char)parser->text.data[parser->at]) ||
                                              is_digit((char)parser->text.data[parser->at]))) {
        parser->at++;
    }
    name = slice_of(parser->text.data + start, parser->at - start);
    for (uint32_t i = 0; i < FUNCTION_COUNT; i++) {
        if (slice_equal(name, slice_text(functions[i].name))) {
            return parse_function(parser, i);
        }
    }
    return emit_name(parser, name);
}

static int parse_atom(struct parser *parser)
{
    char c = peek(parser);

    if (c == '(') {
        return parse_group(parser, false);
    }
    if (is_digit(c) || c == '.') {
        return parse_number(parser);
    }
    if (is_name_start(c)) {
        return parse_word(parser);
    }
    return wrong(parser, c == '\0' ? "the formula ends too early" : "something that is no formula");
}

static int parse_sign(struct parser *parser)
{
    bool is_negative = false;
    int rc;

    for (char c = peek(parser); c == '-' || c == '+'; c = peek(parser)) {
        is_negative ^= c == '-';
        parser->at++;
    }
    rc = parse_atom(parser);
    if (rc == E_OK && peek(parser) == '^') {
        parser->at++;
        if (parser->groups >= FORMULA_DEPTH_MAX) {
            return error_set(parser->err, E_LIMIT, "math() is nested deeper than %d",
                             FORMULA_DEPTH_MAX);
        }
        parser->groups++;
        rc = parse_sign(parser); /* To the right. */
        parser->groups--;
        if (rc == E_OK) {
            emit(parser, (struct formula_item){.kind = FORMULA_POW});
        }
    }
    if (rc == E_OK && is_negative) {
        emit(parser, (struct formula_item){.kind = FORMULA_NEGATE});
    }
    return rc;
}

static int parse_product(struct parser *parser)
{
    int rc = parse_sign(parser);

    while (rc == E_OK) {
        char c = peek(parser);
        enum formula_kind kind = c == '/' ? FORMULA_DIV : c == '%' ? FORMULA_MOD : FORMULA_MUL;
        if (c == '*' || c == '/' || c == '%') {
            parser->at++;
        } else if (c != '(' && c != '.' && !is_digit(c) && !is_name_start(c)) {
            break;
        }
        rc = parse_sign(parser);
        if (rc == E_OK) {
            emit(parser, (struct formula_item){.kind = kind});
        }
    }
    return rc;
}

static int parse_sum(struct parser *parser)
{
    int rc;

    if (parser->groups >= FORMULA_DEPTH_MAX) {
        return error_set(parser->err, E_LIMIT, "math() is nested deeper than %d",
                         FORMULA_DEPTH_MAX);
    }
    parser->groups++;
    rc = parse_product(parser);
    while (rc == E_OK) {
        char c = peek(parser);
        if (c != '+' && c != '-') {
            break;
        }
        parser->at++;
        rc = parse_product(parser);
        if (rc == E_OK) {
            emit(parser, (struct formula_item){.kind = c == '+' ? FORMULA_ADD : FORMULA_SUB});
        }
    }
    parser->groups--;
    return rc;
}

int formula_parse(struct arena *arena, struct slice text, struct formula *formula,
                  struct error *err)
{
    struct parser parser = {.arena = arena, .text = text, .formula = formula, .err = err};
    int rc;

    *formula = (struct formula){0};
    if (text.size > FORMULA_TEXT_MAX) {
        return error_set(err, E_LIMIT, "math() takes a formula of at most %d bytes, not %zu",
                         FORMULA_TEXT_MAX, text.size);
    }
    /* At most an operand, an operator and a product that is not written for each byte. */
    parser.room = (uint32_t)text.size * 3 + 1;
    formula->items = arena_array(arena, parser.room, sizeof *formula->items);
    rc = parse_sum(&parser);
    if (rc == E_OK && peek(&parser) != '\0') {
        rc = wrong(&parser, "something behind the formula");
    }
    return rc;
}

static int divide(bool is_rest, double a, double b, double *out, struct error *err)
{
    if (fpclassify(b) == FP_ZERO) {
        return error_set(err, E_EVALUATION, "Division by zero!");
    }
    *out = is_rest ? fmod(a, b) : a / b;
    return E_OK;
}

static double pair(enum formula_kind kind, double a, double b)
{
    switch ((int)kind) {
    case FORMULA_ADD:
        return a + b;
    case FORMULA_SUB:
        return a - b;
    case FORMULA_MUL:
        return a * b;
    default:
        return pow(a, b);
    }
}

int formula_compute(const struct formula *formula, const double *values, double *stack, double *out,
                    struct error *err)
{
    uint32_t top = 0;
    int rc = E_OK;

    for (uint32_t i = 0; rc == E_OK && i < formula->count; i++) {
        const struct formula_item *item = &formula->items[i];
        if (item->kind == FORMULA_NUMBER || item->kind == FORMULA_NAME) {
            assert(top < formula->depth);
            stack[top++] = item->kind == FORMULA_NUMBER ? item->number : values[item->place];
        } else if (item->kind == FORMULA_NEGATE) {
            stack[top - 1] = -stack[top - 1];
        } else if (item->kind == FORMULA_FUNCTION && functions[item->place].one != NULL) {
            stack[top - 1] = functions[item->place].one(stack[top - 1]);
        } else {
            assert(top >= 2);
            top--;
            if (item->kind == FORMULA_DIV || item->kind == FORMULA_MOD) {
                rc = divide(item->kind == FORMULA_MOD, stack[top - 1], stack[top], &stack[top - 1],
                            err);
            } else {
                stack[top - 1] = pair(item->kind, stack[top - 1], stack[top]);
            }
        }
    }
    *out = rc == E_OK ? stack[0] : 0.0;
    return rc;
}
