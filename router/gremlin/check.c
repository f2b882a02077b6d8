#include "router/gremlin/check.h"

#include "common/element.h"
#include "common/map.h"
#include "router/gremlin/literal.h"
#include "router/gremlin/report.h"
#include "router/gremlin/step.h"
#include "router/gremlin/token.h"

#include <assert.h>
#include <math.h>
#include <string.h>

/* misc-no-recursion: the tree's depth is bounded by SYNTAX_DEPTH_MAX and checked here again. */

static bool is_word(const struct node *link, const char *text)
{
    return slice_equal(link->text, slice_text(text));
}

static int name_size(struct slice name)
{
    return name.size > 60 ? 60 : (int)name.size;
}

#define NAME(link) name_size((link)->text), (const char *)(link)->text.data

/* Says where in the text an error is that was found without knowing. */
static int place_error(struct check *check, const struct node *node, int code)
{
    if (code != E_OK) {
        error_prefix(check->err, "%u:%u", node->line, node->column);
    }
    return code;
}

static int unknown_name(struct check *check, const struct node *link)
{
    const char *hint = report_groovy(link->text);

    if (hint != NULL) {
        return report_at(check->err, link, E_UNSUPPORTED, "%s", hint);
    }
    return report_at(
        check->err, link, E_SYNTAX,
        "the name '%.*s' is not known; strings stand in quotes, and a variable needs a "
        "binding",
        NAME(link));
}

static int unknown_step(struct check *check, const struct node *link)
{
    const char *hint = report_groovy(link->text);
    const char *guess = step_guess(link->text);

    if (hint != NULL) {
        return report_at(check->err, link, E_UNSUPPORTED, "%s", hint);
    }
    if (guess != NULL) {
        return report_at(check->err, link, E_SYNTAX, "there is no step %.*s(); did you mean %s()?",
                         NAME(link), guess);
    }
    return report_at(check->err, link, E_SYNTAX, "there is no step %.*s()", NAME(link));
}

/* ---- containers ---- */

int check_items(struct check *check, const struct node *node, int depth, enum check_place place,
                struct value **out)
{
    struct value *items = arena_array(check->arena, node->count, sizeof *items);
    size_t at = 0;

    for (const struct node *child = node->first; child != NULL; child = child->next) {
        int rc = check_value(check, child, depth, place, &items[at++]);
        if (rc != E_OK) {
            return rc;
        }
    }
    *out = items;
    return E_OK;
}

/* Keeps the first of equivalent keys; stride 2: pairs, the last value of a key wins. */
static uint32_t drop_duplicates(struct check *check, struct value *items, uint32_t count,
                                uint32_t stride)
{
    struct map_index index;
    uint32_t kept = 0;

    map_index_init(&index, check->arena);
    for (uint32_t i = 0; i < count; i++) {
        const struct value *item = &items[(size_t)i * stride];
        uint64_t hash = value_hash(item);
        struct map_probe probe = map_index_probe(&index, hash);
        uint32_t place;
        do {
            place = map_index_next(&index, &probe);
        } while (place != MAP_NONE && !value_equivalent(&items[(size_t)place * stride], item));
        if (place == MAP_NONE) {
            place = kept++;
            map_index_add(&index, hash, place, kept);
        }
        memmove(&items[(size_t)place * stride], item, stride * sizeof *item);
    }
    map_index_close(&index);
    return kept;
}

static int set_value(struct check *check, const struct node *node, int depth, struct value *out)
{
    struct value *items;
    int rc = check_items(check, node, depth, CHECK_ANY, &items);

    if (rc == E_OK) {
        uint32_t count = drop_duplicates(check, items, node->count, 1);
        *out = value_items(check->arena, VALUE_SET, items, count);
    }
    return rc;
}

/* A bare word as a key is a string; in parentheses it is what it means elsewhere. */
static int key_value(struct check *check, const struct node *node, int depth, struct value *out)
{
    if (node->kind == NODE_CHAIN && node->count == 1 && !node->first->has_args &&
        !is_word(node->first, "NaN") && !is_word(node->first, "Infinity")) {
        struct slice text = node->first->text;
        *out = value_string(slice_of(arena_copy(check->arena, text.data, text.size), text.size));
        return E_OK;
    }
    int rc =
        check_value(check, node->kind == NODE_PARENS ? node->first : node, depth, CHECK_ANY, out);
    if (rc != E_OK) {
        return rc;
    }
    bool is_allowed =
        value_is_number(out) || out->kind == VALUE_STRING || out->kind == VALUE_LIST ||
        out->kind == VALUE_SET || out->kind == VALUE_MAP || out->kind == VALUE_UUID ||
        (out->kind == VALUE_ENUM && (out->flag == ENUM_T || out->flag == ENUM_DIRECTION));
    return is_allowed ? E_OK
                      : report_at(check->err, node, E_SYNTAX,
                                  "this cannot be the key of a map: expected a word, a string, a "
                                  "number, T, Direction, a list, a set or a map");
}

static int map_value(struct check *check, const struct node *node, int depth, struct value *out)
{
    struct value *items = arena_array(check->arena, node->count, sizeof *items);
    size_t at = 0;

    for (const struct node *key = node->first; key != NULL; key = key->next->next) {
        int rc = key_value(check, key, depth, &items[at]);
        if (rc == E_OK) {
            rc = check_value(check, key->next, depth, CHECK_ANY, &items[at + 1]);
        }
        if (rc != E_OK) {
            return rc;
        }
        at += 2;
    }
    uint32_t count = drop_duplicates(check, items, node->count / 2, 2);
    *out = value_items(check->arena, VALUE_MAP, items, count);
    return E_OK;
}

static int range_value(struct check *check, const struct node *node, int depth, struct value *out)
{
    struct value *ends;
    int rc = check_items(check, node, depth, CHECK_ANY, &ends);

    return rc != E_OK
               ? rc
               : place_error(check, node,
                             literal_range(check->arena, &ends[0], &ends[1], out, check->err));
}

/* ---- names ---- */

static int enumerator_value(struct check *check, const struct node *link, enum enumerator id,
                            struct value *out)
{
    if (id == ENUMERATOR_COUNT) {
        return unknown_name(check, link);
    }
    *out = value_enumerator(id);
    return E_OK;
}

static bool word_literal(const struct node *link, struct value *out)
{
    if (is_word(link, "true") || is_word(link, "false")) {
        *out = value_bool(is_word(link, "true"));
    } else if (is_word(link, "null")) {
        *out = value_null();
    } else if (is_word(link, "NaN")) {
        *out = value_double((double)NAN);
    } else if (is_word(link, "Infinity")) {
        *out = value_double(HUGE_VAL);
    } else {
        return false;
    }
    return true;
}

static int name_value(struct check *check, const struct node *link, enum check_place place,
                      struct value *out)
{
    if (place == CHECK_GTYPE) {
        enum enumerator type = token_of_enum(ENUM_GTYPE, link->text);
        if (type != ENUMERATOR_COUNT) {
            return enumerator_value(check, link, type, out);
        }
    }
    if (word_literal(link, out)) {
        return E_OK;
    }
    /* Names of enumerators cannot be bound, but their second spellings (from, to) can. */
    struct value key = value_string(link->text);
    const struct value *bound =
        check->input->bindings == NULL ? NULL : value_get(check->input->bindings, &key);
    if (bound != NULL) {
        *out = value_copy(check->arena, bound);
        return E_OK;
    }
    enum enumerator id = token_short(link->text);
    if (id != ENUMERATOR_COUNT) {
        return enumerator_value(check, link, id, out);
    }
    if (is_word(link, "g") || is_word(link, "__")) {
        return report_at(check->err, link, E_SYNTAX,
                         "'%.*s' alone is not a value: write a traversal, such as __.out()",
                         NAME(link));
    }
    return unknown_name(check, link);
}

/* T.id, VertexProperty.Cardinality.set, WithOptions.tokens */
static int prefixed_value(struct check *check, const struct node *head, struct value *out)
{
    const struct node *link = head->next;
    enum value_enum type = token_enum(head->text);

    if (type != ENUM_COUNT) {
        return enumerator_value(check, link, token_of_enum(type, link->text), out);
    }
    return token_constant(head->text, link->text, out) ? E_OK : unknown_name(check, link);
}

/* ---- calls that make values ---- */

static int one_argument(struct check *check, const struct node *link, int depth, struct value *out)
{
    if (link->count != 1) {
        return report_at(check->err, link, E_SYNTAX, "%.*s() takes one argument, not %u",
                         NAME(link), link->count);
    }
    return check_value(check, link->first, depth, CHECK_ANY, out);
}

/* single(x): the drivers send it as bytecode of its own. */
static int cardinality_value(struct check *check, const struct node *link, int depth,
                             struct value *out)
{
    struct value *args = arena_array(check->arena, 2, sizeof *args);
    struct builder builder;

    args[0] = value_enumerator(token_of_enum(ENUM_CARDINALITY, link->text));
    int rc = one_argument(check, link, depth, &args[1]);
    if (rc != E_OK) {
        return rc;
    }
    builder_init(&builder, check->arena, 1, 0);
    (void)builder_source(&builder, SLICE("CardinalityValueTraversal"), args, 2);
    *out = value_null();
    out->kind = VALUE_TRAVERSAL;
    out->traversal = builder_finish(&builder);
    return E_OK;
}

static int date_value(struct check *check, const struct node *link, int depth, struct value *out)
{
    struct value text;

    if (link->count == 0) {
        struct value_time *now = ARENA_NEW(check->arena, struct value_time);
        check->is_volatile = true;
        now->seconds = (int64_t)(check->input->now_ms / 1000);
        now->nanos = (int32_t)(check->input->now_ms % 1000) * 1000000;
        *out = value_null();
        out->kind = VALUE_DATETIME;
        out->time = now;
        return E_OK;
    }
    int rc = one_argument(check, link, depth, &text);
    if (rc != E_OK) {
        return rc;
    }
    if (text.kind != VALUE_STRING) {
        return report_at(check->err, link, E_SYNTAX, "%.*s() takes a string", NAME(link));
    }
    return place_error(check, link,
                       literal_date(check->arena, value_slice(&text), out, check->err));
}

static int random_uuid(struct check *check, const struct node *link, struct value *out)
{
    struct prng *prng = check->input->prng;
    uint8_t *bytes = arena_alloc(check->arena, 16);

    if (prng == NULL) {
        return report_at(check->err, link, E_UNSUPPORTED, "a random UUID is not available here");
    }
    for (int i = 0; i < 16; i++) {
        bytes[i] = (uint8_t)prng_next(prng);
    }
    /* Version 4, RFC 4122 section 4.4. */
    bytes[6] = (uint8_t)((bytes[6] & 0x0f) | 0x40);
    bytes[8] = (uint8_t)((bytes[8] & 0x3f) | 0x80);
    check->is_volatile = true;
    *out = value_null();
    out->kind = VALUE_UUID;
    out->size = 16;
    out->bytes = bytes;
    return E_OK;
}

static int uuid_value(struct check *check, const struct node *link, int depth, struct value *out)
{
    struct value text;

    if (link->count == 0) {
        return random_uuid(check, link, out);
    }
    int rc = one_argument(check, link, depth, &text);
    if (rc != E_OK) {
        return rc;
    }
    if (text.kind != VALUE_STRING) {
        return report_at(check->err, link, E_SYNTAX, "UUID() takes a string");
    }
    return place_error(check, link,
                       literal_uuid(check->arena, value_slice(&text), out, check->err));
}

/* Vertex(id, label) */
static int vertex_value(struct check *check, const struct node *link, int depth, struct value *out)
{
    struct vertex *vertex = ARENA_NEW(check->arena, struct vertex);
    struct value *args;

    if (link->count != 2) {
        return report_at(check->err, link, E_SYNTAX, "%.*s() takes an id and a label", NAME(link));
    }
    int rc = check_items(check, link, depth, CHECK_ANY, &args);
    if (rc != E_OK) {
        return rc;
    }
    if (args[1].kind != VALUE_STRING) {
        return report_at(check->err, link, E_SYNTAX, "the label of %.*s() is a string", NAME(link));
    }
    vertex->id = args[0];
    vertex->label = value_slice(&args[1]);
    *out = value_vertex(vertex);
    return E_OK;
}

/* SubgraphStrategy(vertices: __.hasLabel('x')) */
static int strategy_value(struct check *check, const struct node *link, int depth,
                          struct value *out)
{
    struct value *pairs = arena_array(check->arena, 2 * (size_t)link->count, sizeof *pairs);
    size_t at = 0;

    for (const struct node *pair = link->first; pair != NULL; pair = pair->next) {
        if (pair->kind != NODE_PAIR) {
            return report_at(check->err, pair, E_SYNTAX,
                             "options of a strategy have names: %.*s(name: value)", NAME(link));
        }
        struct slice key = pair->first->text;
        pairs[at] = value_string(slice_of(arena_copy(check->arena, key.data, key.size), key.size));
        int rc = check_value(check, pair->last, depth, CHECK_ANY, &pairs[at + 1]);
        if (rc != E_OK) {
            return rc;
        }
        at += 2;
    }
    struct value map = value_items(check->arena, VALUE_MAP, pairs, link->count);
    struct slice name = link->text;
    name = slice_of(arena_copy(check->arena, name.data, name.size), name.size);
    *out = builder_strategy(check->arena, name, &map);
    return E_OK;
}

static int class_value(struct check *check, const struct node *link, struct value *out)
{
    if (link->has_args) {
        return report_at(check->err, link, E_SYNTAX, "expected the name of a strategy alone");
    }
    *out = value_string(
        slice_of(arena_copy(check->arena, link->text.data, link->text.size), link->text.size));
    out->kind = VALUE_CLASS;
    return E_OK;
}

/* ---- traversals ---- */

static int traversal_value(struct check *check, const struct node *links, int depth,
                           struct value *out)
{
    struct builder builder;
    uint32_t count = 0;

    for (const struct node *link = links; link != NULL; link = link->next) {
        count++;
    }
    builder_init(&builder, check->arena, 0, count);
    for (const struct node *link = links; link != NULL; link = link->next) {
        int rc = check_step(check, &builder, link, depth);
        if (rc != E_OK) {
            return rc;
        }
    }
    *out = value_null();
    out->kind = VALUE_TRAVERSAL;
    out->traversal = builder_finish(&builder);
    return E_OK;
}

static int count_instruction(struct check *check, const struct node *link)
{
    check->instruction_count++;
    return check->instruction_count <= BYTECODE_STEPS_MAX
               ? E_OK
               : report_at(check->err, link, E_LIMIT, "more than %d steps", BYTECODE_STEPS_MAX);
}

static bool is_terminal_word(const struct node *link)
{
    static const char *const words[] = {"next",    "toList",  "toSet",   "toBulkSet", "iterate",
                                        "hasNext", "tryNext", "explain", "toString"};

    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (is_word(link, words[i])) {
            return true;
        }
    }
    return false;
}

int check_step(struct check *check, struct builder *builder, const struct node *link, int depth)
{
    enum step_id step = step_find(link->text);
    struct value *args;
    bool is_step = step != STEP_UNKNOWN && (!step_info(step)->is_source || step == STEP_WITH);

    if (!link->has_args) {
        return step != STEP_UNKNOWN ? report_at(check->err, link, E_SYNTAX,
                                                "'%.*s' needs parentheses here", NAME(link))
                                    : unknown_name(check, link);
    }
    if (is_terminal_word(link)) {
        return report_at(check->err, link, E_SYNTAX,
                         "%.*s() ends a query: nothing may follow it, and nested traversals go "
                         "without it",
                         NAME(link));
    }
    if (!is_step && step != STEP_UNKNOWN) {
        return report_at(check->err, link, E_SYNTAX, "%.*s() belongs right after g", NAME(link));
    }
    if (!is_step) {
        return unknown_step(check, link);
    }
    int rc = count_instruction(check, link);
    if (rc == E_OK) {
        rc = place_error(check, link, step_check_count(step, link->count, check->err));
    }
    if (rc == E_OK) {
        rc = check_items(check, link, depth + 1, CHECK_ANY, &args);
    }
    if (rc != E_OK) {
        return rc;
    }
    struct instruction *instruction = builder_step(builder, link->text, args, link->count);
    instruction->line = link->line;
    instruction->column = link->column;
    return E_OK;
}

int check_source(struct check *check, struct builder *builder, const struct node *link, int depth)
{
    static const struct value yes = {.kind = VALUE_BOOL, .boolean = true};
    enum step_id step = step_find(link->text);
    enum check_place place = step == STEP_WITH_STRATEGIES      ? CHECK_STRATEGY
                             : step == STEP_WITHOUT_STRATEGIES ? CHECK_CLASS
                                                               : CHECK_ANY;
    struct value *args;

    assert(step != STEP_UNKNOWN);
    int rc = count_instruction(check, link);
    if (rc == E_OK) {
        rc = place_error(check, link, step_check_count(step, link->count, check->err));
    }
    if (rc == E_OK) {
        rc = check_items(check, link, depth + 1, place, &args);
    }
    if (rc != E_OK) {
        return rc;
    }
    struct instruction *source =
        step == STEP_WITH ? builder_option(builder, &args[0], link->count == 2 ? &args[1] : &yes)
                          : builder_source(builder, link->text, args, link->count);
    source->line = link->line;
    source->column = link->column;
    return E_OK;
}

/* ---- chains ---- */

/* A chain whose first name has no parentheses and is no literal. */
static int dotted_value(struct check *check, const struct node *chain, int depth, struct value *out)
{
    const struct node *head = chain->first;
    const struct node *second = head->next;

    assert(second != NULL);
    if (is_word(head, "__")) {
        return traversal_value(check, second, depth, out);
    }
    if (is_word(head, "g")) {
        return report_at(check->err, head, E_SYNTAX,
                         "a traversal from g cannot be an argument: start it with __, or leave g "
                         "and the finishing call away");
    }
    if (is_word(head, "P") || is_word(head, "TextP")) {
        return check_predicate(check, second, depth, out);
    }
    if (is_word(head, "VertexProperty") && is_word(second, "Cardinality") && second->next != NULL) {
        head = second;
        second = second->next;
    }
    if (second->next == NULL && second->has_args && token_enum(head->text) == ENUM_CARDINALITY &&
        token_of_enum(ENUM_CARDINALITY, second->text) != ENUMERATOR_COUNT) {
        return cardinality_value(check, second, depth, out);
    }
    if (second->next == NULL && !second->has_args &&
        (token_enum(head->text) != ENUM_COUNT || token_is_group(head->text))) {
        return prefixed_value(check, head, out);
    }
    return unknown_name(check, head);
}

static int call_value(struct check *check, const struct node *chain, int depth, struct value *out)
{
    const struct node *head = chain->first;
    bool is_single = chain->count == 1;

    if (check_predicate_is(chain)) {
        return check_predicate(check, head, depth, out);
    }
    if (is_single && (is_word(head, "datetime") || is_word(head, "DateTime"))) {
        return date_value(check, head, depth, out);
    }
    if (is_single && is_word(head, "UUID")) {
        return uuid_value(check, head, depth, out);
    }
    if (is_single && (is_word(head, "Vertex") || is_word(head, "ReferenceVertex"))) {
        return vertex_value(check, head, depth, out);
    }
    if (is_single && token_of_enum(ENUM_CARDINALITY, head->text) != ENUMERATOR_COUNT) {
        return cardinality_value(check, head, depth, out);
    }
    if (chain->is_new) {
        const char *hint = report_groovy(head->text);
        return report_at(check->err, head, E_UNSUPPORTED, "%s",
                         hint != NULL ? hint : "objects of Java classes are not supported");
    }
    return traversal_value(check, head, depth, out);
}

static int chain_value(struct check *check, const struct node *chain, int depth,
                       enum check_place place, struct value *out)
{
    const struct node *head = chain->first;

    if (place == CHECK_STRATEGY && chain->count == 1) {
        return strategy_value(check, head, depth, out);
    }
    if (place == CHECK_CLASS && chain->count == 1) {
        return class_value(check, head, out);
    }
    if (head->has_args) {
        return call_value(check, chain, depth, out);
    }
    return chain->count == 1 ? name_value(check, head, place, out)
                             : dotted_value(check, chain, depth, out);
}

int check_value(struct check *check, const struct node *node, int depth, enum check_place place,
                struct value *out)
{
    assert(check != NULL);
    assert(node != NULL);
    if (depth > VALUE_DEPTH_MAX) {
        return report_at(check->err, node, E_LIMIT, "nested deeper than %d", VALUE_DEPTH_MAX);
    }
    switch (node->kind) {
    case NODE_STRING:
        return place_error(check, node, literal_string(check->arena, node->text, out, check->err));
    case NODE_INTEGER:
        return place_error(check, node, literal_integer(check->arena, node->text, out, check->err));
    case NODE_FLOAT:
        return place_error(check, node, literal_float(check->arena, node->text, out, check->err));
    case NODE_CHAIN:
        return chain_value(check, node, depth + 1, place, out);
    case NODE_LIST: {
        struct value *items;
        int rc = check_items(check, node, depth + 1, CHECK_ANY, &items);
        if (rc == E_OK) {
            *out = value_items(check->arena, VALUE_LIST, items, node->count);
        }
        return rc;
    }
    case NODE_SET:
        return set_value(check, node, depth + 1, out);
    case NODE_MAP:
        return map_value(check, node, depth + 1, out);
    case NODE_RANGE:
        return range_value(check, node, depth + 1, out);
    case NODE_PAIR:
        return report_at(check->err, node, E_SYNTAX,
                         "'name: value' is for strategies; a map stands in [ ]");
    case NODE_LINK:
    case NODE_PARENS:
    case NODE_QUERIES:
        break;
    }
    return report_at(check->err, node, E_SYNTAX, "this is not a value");
}
