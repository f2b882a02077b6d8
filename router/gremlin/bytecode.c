#include "router/gremlin/bytecode.h"

#include "common/element.h"
#include "common/number.h"
#include "common/predicate.h"
#include "router/gremlin/place.h"
#include "router/gremlin/step.h"
#include "router/gremlin/token.h"

#include <assert.h>
#include <math.h>
#include <string.h>

/* misc-no-recursion: depth is bounded by VALUE_DEPTH_MAX when values are made, and again here. */

static void print_value(struct bytes *out, const struct value *value, int depth);
static void print_bytecode(struct bytes *out, const struct bytecode *bytecode, const char *root,
                           int depth);

static void put(struct bytes *out, const char *text)
{
    bytes_append(out, text, strlen(text));
}

static void print_string(struct bytes *out, struct slice text)
{
    static const char letters[] = "\b\t\n\f\r\"\\";
    static const char names[] = "btnfr\"\\";

    bytes_u8(out, '"');
    for (size_t i = 0; i < text.size; i++) {
        uint8_t c = text.data[i];
        const char *letter = c == 0 ? NULL : strchr(letters, c);
        if (letter != NULL) {
            bytes_u8(out, '\\');
            bytes_u8(out, (uint8_t)names[letter - letters]);
        } else if (c < 0x20) {
            bytes_format(out, "\\u%04x", c);
        } else {
            bytes_u8(out, c);
        }
    }
    bytes_u8(out, '"');
}

static void print_items(struct bytes *out, const struct value *items, uint32_t count, int depth)
{
    for (uint32_t i = 0; i < count; i++) {
        put(out, i == 0 ? "" : ",");
        print_value(out, &items[i], depth);
    }
}

static void print_map(struct bytes *out, const struct value *map, int depth)
{
    put(out, map->size == 0 ? "[:" : "[");
    for (size_t i = 0; i < map->size; i++) {
        bool is_name = map->items[2 * i].kind == VALUE_STRING;
        put(out, i == 0 ? "" : ",");
        put(out, is_name ? "" : "(");
        print_value(out, &map->items[2 * i], depth);
        put(out, is_name ? ":" : "):");
        print_value(out, &map->items[2 * i + 1], depth);
    }
    put(out, "]");
}

static void print_strategy(struct bytes *out, const struct value *strategy, int depth)
{
    const struct value *map = &strategy->items[1];
    struct slice name = value_slice(&strategy->items[0]);

    bytes_append(out, name.data, name.size);
    if (map->size == 0) {
        return;
    }
    put(out, "(");
    for (size_t i = 0; i < map->size; i++) {
        struct slice key = value_slice(&map->items[2 * i]);
        put(out, i == 0 ? "" : ",");
        bytes_append(out, key.data, key.size);
        put(out, ":");
        print_value(out, &map->items[2 * i + 1], depth);
    }
    put(out, ")");
}

static void print_predicate(struct bytes *out, const struct predicate *predicate, int depth)
{
    bool is_joined = predicate->test == PREDICATE_AND || predicate->test == PREDICATE_OR;

    if (depth > VALUE_DEPTH_MAX) {
        put(out, "...");
        return;
    }
    if (!is_joined) {
        put(out, predicate_is_text(predicate->test) ? "TextP." : "P.");
        put(out, predicate_name(predicate->test));
        put(out, "(");
        print_items(out, predicate->operands, predicate->operand_count, depth);
        if (predicate->test == PREDICATE_NOT) {
            print_predicate(out, predicate->children, depth + 1);
        }
        put(out, ")");
        return;
    }
    for (uint32_t i = 0; i < predicate->child_count; i++) {
        if (i > 0) {
            bytes_format(out, ".%s(", predicate_name(predicate->test));
        }
        print_predicate(out, &predicate->children[i], depth + 1);
        put(out, i > 0 ? ")" : "");
    }
}

static void print_real(struct bytes *out, const struct value *value)
{
    if (isnan(value->real)) {
        put(out, "NaN");
    } else if (isinf(value->real)) {
        put(out, value->real > 0 ? "Infinity" : "-Infinity");
    } else {
        number_print(out, value);
        put(out, value->kind == VALUE_FLOAT ? "f" : "");
    }
}

static void print_number(struct bytes *out, const struct value *value)
{
    static const char *const suffixes[VALUE_KIND_COUNT] = {
        [VALUE_BYTE] = "b", [VALUE_SHORT] = "s",  [VALUE_INT] = "",
        [VALUE_LONG] = "L", [VALUE_BIGINT] = "n", [VALUE_DECIMAL] = "m",
    };

    if (value->kind == VALUE_FLOAT || value->kind == VALUE_DOUBLE) {
        print_real(out, value);
        return;
    }
    number_print(out, value);
    put(out, suffixes[value->kind]);
}

static void print_quoted(struct bytes *out, const char *function, const struct value *value)
{
    bytes_format(out, "%s(\"", function);
    value_print(out, value);
    put(out, "\")");
}

static void print_traversal(struct bytes *out, const struct bytecode *bytecode, int depth)
{
    struct value traversal = {.kind = VALUE_TRAVERSAL, .traversal = bytecode};
    enum enumerator cardinality;
    const struct value *value = bytecode_cardinality(&traversal, &cardinality);

    if (value != NULL) {
        bytes_format(out, "%s.%s(", token_enum_name(ENUM_CARDINALITY),
                     value_enumerator_name(cardinality));
        print_value(out, value, depth);
        put(out, ")");
    } else {
        print_bytecode(out, bytecode, "__", depth);
    }
}

/* What Gremlin text can say; the rest as Java's toString(). */
static void print_other(struct bytes *out, const struct value *value)
{
    struct slice text;

    if (value->kind == VALUE_VERTEX) {
        put(out, "Vertex(");
        print_value(out, &value->vertex->id, VALUE_DEPTH_MAX);
        put(out, ",");
        print_string(out, value->vertex->label);
        put(out, ")");
    } else if (value->kind == VALUE_CLASS || value->kind == VALUE_LAMBDA) {
        text = value_slice(value);
        bytes_append(out, text.data, text.size);
    } else {
        value_print(out, value);
    }
}

static void print_container(struct bytes *out, const struct value *value, int depth)
{
    bool is_set = value->kind == VALUE_SET;

    if (value->kind == VALUE_MAP) {
        print_map(out, value, depth);
        return;
    }
    put(out, is_set ? "{" : "[");
    print_items(out, value->items, value->size, depth);
    put(out, is_set ? "}" : "]");
}

static void print_value(struct bytes *out, const struct value *value, int depth)
{
    if (depth > VALUE_DEPTH_MAX) {
        put(out, "...");
    } else if (value_is_number(value)) {
        print_number(out, value);
    } else if (value->kind == VALUE_STRING) {
        print_string(out, value_slice(value));
    } else if (value->kind == VALUE_DATETIME) {
        print_quoted(out, "datetime", value);
    } else if (value->kind == VALUE_UUID) {
        print_quoted(out, "UUID", value);
    } else if (value->kind == VALUE_LIST || value->kind == VALUE_SET || value->kind == VALUE_MAP) {
        print_container(out, value, depth + 1);
    } else if (value->kind == VALUE_ENUM) {
        bytes_format(out, "%s.%s", token_enum_name((enum value_enum)value->flag),
                     value_enumerator_name((enum enumerator)value->integer));
    } else if (value->kind == VALUE_PREDICATE) {
        print_predicate(out, value->predicate, depth + 1);
    } else if (value->kind == VALUE_TRAVERSAL) {
        print_traversal(out, value->traversal, depth + 1);
    } else if (value->kind == VALUE_STRATEGY) {
        print_strategy(out, value, depth + 1);
    } else {
        print_other(out, value);
    }
}

static void print_list(struct bytes *out, const struct instruction *instructions, uint32_t count,
                       int depth)
{
    for (uint32_t i = 0; i < count; i++) {
        put(out, ".");
        bytes_append(out, instructions[i].name.data, instructions[i].name.size);
        put(out, "(");
        print_items(out, instructions[i].args, instructions[i].arg_count, depth);
        put(out, ")");
    }
}

static void print_bytecode(struct bytes *out, const struct bytecode *bytecode, const char *root,
                           int depth)
{
    put(out, root);
    print_list(out, bytecode->sources, bytecode->source_count, depth);
    print_list(out, bytecode->steps, bytecode->step_count, depth);
}

void bytecode_print(struct bytes *out, const struct bytecode *bytecode, const char *root)
{
    assert(bytecode != NULL);
    assert(root != NULL);
    print_bytecode(out, bytecode, root, 0);
}

const struct value *bytecode_cardinality(const struct value *value, enum enumerator *cardinality)
{
    enum enumerator found = ENUMERATOR_COUNT;
    const struct instruction *source;

    if (value->kind != VALUE_TRAVERSAL || value->traversal->step_count != 0 ||
        value->traversal->source_count != 1) {
        return NULL;
    }
    source = &value->traversal->sources[0];
    if (source->step != STEP_CARDINALITY_VALUE || source->arg_count != 2) {
        return NULL;
    }
    if (source->args[0].kind == VALUE_STRING) {
        found = value_enumerator_find(ENUM_CARDINALITY, value_slice(&source->args[0]));
    } else if (source->args[0].kind == VALUE_ENUM && source->args[0].flag == ENUM_CARDINALITY) {
        found = (enum enumerator)source->args[0].integer;
    }
    if (found == ENUMERATOR_COUNT) {
        return NULL;
    }
    if (cardinality != NULL) {
        *cardinality = found;
    }
    return &source->args[1];
}

/* ---- checks ---- */

static int check_bytecode(const struct bytecode *bytecode, int depth, struct error *err);

static int check_value(const struct value *value, int depth, struct error *err)
{
    uint32_t count = 0;
    int rc = E_OK;

    if (depth > VALUE_DEPTH_MAX) {
        return error_set(err, E_LIMIT, "nested deeper than %d", VALUE_DEPTH_MAX);
    }
    if (value->kind == VALUE_TRAVERSAL) {
        return check_bytecode(value->traversal, depth + 1, err);
    }
    if (value->kind == VALUE_LAMBDA) {
        return error_set(err, E_UNSUPPORTED, "lambdas are not supported: use a traversal instead");
    }
    if (value->kind == VALUE_LIST || value->kind == VALUE_SET) {
        count = value->size;
    } else if (value->kind == VALUE_MAP) {
        count = 2 * value->size;
    } else if (value->kind == VALUE_STRATEGY) {
        count = 2;
    }
    for (uint32_t i = 0; rc == E_OK && i < count; i++) {
        rc = check_value(&value->items[i], depth + 1, err);
    }
    return rc;
}

static int check_place(const struct instruction *instruction, uint32_t arg, struct error *err)
{
    bool was_set = err != NULL && err->code != E_OK;
    unsigned kinds = place_of(instruction->step);
    int rc;

    if (instruction->step == STEP_HAS && arg + 1 < instruction->arg_count) {
        kinds = PLACE_PLAIN; /* Label and key. */
    }
    rc = place_check(kinds, &instruction->args[arg], err);
    if (rc != E_OK && !was_set && err != NULL) {
        error_prefix(err, "argument %u of %s()", arg + 1, step_info(instruction->step)->name);
    }
    return rc;
}

static int check_instruction(const struct instruction *instruction, bool is_source, int depth,
                             struct error *err)
{
    const struct step_info *info = step_info(instruction->step);
    int rc = E_OK;

    if (instruction->step == STEP_UNKNOWN) {
        return error_set(err, E_UNSUPPORTED, "there is no step %.*s()",
                         instruction->name.size > 60 ? 60 : (int)instruction->name.size,
                         (const char *)instruction->name.data);
    }
    if (is_source != info->is_source && instruction->step != STEP_WITH) {
        return error_set(err, E_SYNTAX, "%s() is out of place", info->name);
    }
    if (!info->is_ready) {
        return error_set(err, E_UNSUPPORTED, "the step %s() is not supported yet", info->name);
    }
    rc = step_check_count(instruction->step, instruction->arg_count, err);
    for (uint32_t i = 0; rc == E_OK && i < instruction->arg_count; i++) {
        rc = check_value(&instruction->args[i], depth, err);
        if (rc == E_OK) {
            rc = check_place(instruction, i, err);
        }
    }
    return rc;
}

static int check_list(const struct instruction *instructions, uint32_t count, bool is_source,
                      int depth, struct error *err)
{
    int rc = E_OK;

    for (uint32_t i = 0; rc == E_OK && i < count; i++) {
        bool was_set = err != NULL && err->code != E_OK;
        rc = check_instruction(&instructions[i], is_source, depth, err);
        if (rc != E_OK && !was_set && instructions[i].line != 0 && err != NULL &&
            (err->text[0] < '0' || err->text[0] > '9')) {
            error_prefix(err, "%u:%u", instructions[i].line, instructions[i].column);
        }
    }
    return rc;
}

static int check_bytecode(const struct bytecode *bytecode, int depth, struct error *err)
{
    int rc = check_list(bytecode->sources, bytecode->source_count, true, depth, err);

    return rc != E_OK ? rc : check_list(bytecode->steps, bytecode->step_count, false, depth, err);
}

int bytecode_check(const struct bytecode *bytecode, struct error *err)
{
    assert(bytecode != NULL);
    return check_bytecode(bytecode, 0, err);
}
