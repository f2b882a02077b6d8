#include "common/predicate.h"
#include "router/gremlin/gremlin.h"
#include "router/gremlin/parser.h"
#include "router/gremlin/step.h"
#include "router/gremlin/syntax.h"
#include "router/gremlin/token.h"

#include <assert.h>
#include <string.h>

/* What the cursor stands behind. */
enum place {
    PLACE_NONE,      /* No name: a dot, a bracket, the end. */
    PLACE_QUERY,     /* A query starts. */
    PLACE_VALUE,     /* An argument. */
    PLACE_SOURCE,    /* g. */
    PLACE_STEP,      /* After a step. */
    PLACE_ANONYMOUS, /* __. */
    PLACE_PREDICATE, /* P. and TextP. */
    PLACE_JOIN,      /* After a predicate. */
    PLACE_MEMBER     /* T., WithOptions. */
};

struct tokens {
    struct node **nodes;
    size_t count;
};

struct words {
    struct gremlin_word *words;
    size_t count, max;
    struct slice begun;
};

static void offer(struct words *words, const char *text, const char *what)
{
    struct slice name = slice_text(text);

    if (words->count == words->max || name.size < words->begun.size ||
        memcmp(name.data, words->begun.data, words->begun.size) != 0) {
        return;
    }
    for (size_t i = 0; i < words->count; i++) {
        if (strcmp(words->words[i].text, text) == 0) {
            return;
        }
    }
    words->words[words->count++] = (struct gremlin_word){text, what};
}

/* ---- where ---- */

static bool is_word(const struct node *token, const char *text)
{
    return slice_equal(token->text, slice_text(text));
}

static void read_tokens(struct parse *parse, size_t most, struct tokens *out)
{
    struct node *node = NULL;
    int code;

    out->nodes = arena_array(parse->arena, most + 1, sizeof *out->nodes);
    out->count = 0;
    do {
        code = lexer_next(parse, &node);
        if (code != CURSOR) {
            assert(out->count <= most);
            out->nodes[out->count++] = node;
        }
    } while (code != CURSOR && code != PARSER_EOF && code != PARSER_error);
}

/* The token before the bracket that closes at `at`; or `at` itself if none closes there. */
static size_t before_brackets(const struct tokens *tokens, size_t at)
{
    int depth = 0;

    for (;; at--) {
        if (is_word(tokens->nodes[at], ")")) {
            depth++;
        } else if (is_word(tokens->nodes[at], "(")) {
            depth--;
        }
        if (depth == 0 || at == 0) {
            break;
        }
    }
    return is_word(tokens->nodes[at], "(") && at > 0 ? at - 1 : at;
}

/* The first name of the chain that ends at `end`, which is a name or a closing bracket. */
static size_t chain_head(const struct tokens *tokens, size_t end)
{
    size_t at = before_brackets(tokens, end);

    while (at >= 2 && is_word(tokens->nodes[at - 1], ".")) {
        at = before_brackets(tokens, at - 2);
    }
    return at;
}

static bool is_source_step(const struct node *token)
{
    enum step_id step = step_find(token->text);

    return step != STEP_UNKNOWN && step_info(step)->is_source;
}

/* After a dot, which is the last token. */
static enum place place_after_dot(const struct tokens *tokens)
{
    size_t last = tokens->count - 2;
    size_t head = chain_head(tokens, last);
    const struct node *first = tokens->nodes[head];

    if (is_word(first, "P") || is_word(first, "TextP")) {
        return head == last ? PLACE_PREDICATE : PLACE_JOIN;
    }
    if (is_word(first, "g")) {
        bool is_source =
            head == last || is_source_step(tokens->nodes[before_brackets(tokens, last)]);
        return is_source ? PLACE_SOURCE : PLACE_STEP;
    }
    if (token_enum(first->text) != ENUM_COUNT || token_is_group(first->text)) {
        return PLACE_MEMBER;
    }
    if (head != last && predicate_find(first->text) != PREDICATE_TEST_COUNT &&
        step_find(first->text) == STEP_UNKNOWN) {
        return PLACE_JOIN;
    }
    return PLACE_ANONYMOUS;
}

static enum place place_of(const struct tokens *tokens)
{
    static const char *const openers[] = {"(", ",", "[", "{", ":"};

    if (tokens->count == 0 || is_word(tokens->nodes[tokens->count - 1], ";")) {
        return PLACE_QUERY;
    }
    if (tokens->count >= 2 && is_word(tokens->nodes[tokens->count - 1], ".")) {
        return place_after_dot(tokens);
    }
    for (size_t i = 0; i < sizeof openers / sizeof openers[0]; i++) {
        if (is_word(tokens->nodes[tokens->count - 1], openers[i])) {
            return PLACE_VALUE;
        }
    }
    return PLACE_NONE;
}

/* ---- what ---- */

static void offer_steps(struct words *words, enum place place)
{
    for (size_t i = STEP_UNKNOWN + 1; i < STEP_ID_COUNT; i++) {
        const struct step_info *info = step_info((enum step_id)i);
        bool fits = place == PLACE_SOURCE ? info->is_source || step_may_start((enum step_id)i)
                                          : !info->is_source || i == STEP_WITH;
        if (fits && info->is_ready && i != STEP_CARDINALITY_VALUE && i != STEP_TX) {
            offer(words, info->name, info->what);
        }
    }
    if (place == PLACE_SOURCE) {
        offer(words, "tx", "Begins, commits or rolls back a transaction.");
    }
}

static void offer_terminals(struct words *words)
{
    offer(words, "explain", "Shows the plan.");
    offer(words, "hasNext", "Whether there is a result.");
    offer(words, "iterate", "Runs without giving results.");
    offer(words, "next", "The first result, or the first n.");
    offer(words, "toList", "All results.");
    offer(words, "toSet", "All results without duplicates.");
}

static void offer_predicates(struct words *words)
{
    for (int test = 0; test < PREDICATE_TEST_COUNT; test++) {
        if (test != PREDICATE_AND && test != PREDICATE_OR) {
            offer(words, predicate_name((enum predicate_test)test), "A predicate.");
        }
    }
}

static void offer_enumerators(struct words *words, enum value_enum type)
{
    for (int id = 0; id < ENUMERATOR_COUNT; id++) {
        if (value_enum_of((enum enumerator)id) == type) {
            offer(words, value_enumerator_name((enum enumerator)id), NULL);
        }
    }
}

static void offer_members(struct words *words, struct slice owner)
{
    enum value_enum type = token_enum(owner);

    if (type != ENUM_COUNT) {
        offer_enumerators(words, type);
        return;
    }
    for (size_t i = 0; token_constant_name(owner, i) != NULL; i++) {
        offer(words, token_constant_name(owner, i), NULL);
    }
}

static void offer_values(struct words *words)
{
    static const char *const literals[] = {"true", "false", "null", "datetime", "UUID",       "__",
                                           "P",    "TextP", "T",    "Order",    "WithOptions"};

    offer_predicates(words);
    offer_steps(words, PLACE_ANONYMOUS);
    for (int type = 0; type < ENUM_COUNT; type++) {
        if (type != ENUM_GTYPE) {
            offer_enumerators(words, (enum value_enum)type);
        }
    }
    for (size_t i = 0; i < sizeof literals / sizeof literals[0]; i++) {
        offer(words, literals[i], NULL);
    }
}

static void offer_all(struct words *words, const struct tokens *tokens)
{
    enum place place = place_of(tokens);

    switch (place) {
    case PLACE_NONE:
        break;
    case PLACE_QUERY:
        offer(words, "g", "The graph: every query starts with it.");
        break;
    case PLACE_VALUE:
        offer_values(words);
        break;
    case PLACE_SOURCE:
    case PLACE_ANONYMOUS:
        offer_steps(words, place);
        break;
    case PLACE_STEP:
        offer_steps(words, place);
        offer_terminals(words);
        break;
    case PLACE_PREDICATE:
        offer_predicates(words);
        break;
    case PLACE_JOIN:
        offer(words, "and", "Both predicates.");
        offer(words, "or", "One of the predicates.");
        offer(words, "negate", "The opposite.");
        break;
    case PLACE_MEMBER:
        offer_members(words, tokens->nodes[tokens->count - 2]->text);
        break;
    }
}

/* ---- the text ---- */

static bool is_name_byte(uint8_t c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '$' || c >= 0x80;
}

static struct parse start(struct arena *arena, struct slice text)
{
    char *copy = arena_alloc(arena, text.size + 1);
    struct parse parse = {.arena = arena, .is_completing = true};

    if (text.size > 0) {
        memcpy(copy, text.data, text.size);
    }
    copy[text.size] = 0;
    parse.lexer = (struct lexer){.at = (const uint8_t *)copy,
                                 .end = (const uint8_t *)copy + text.size,
                                 .counted = (const uint8_t *)copy,
                                 .line = 1,
                                 .column = 1};
    return parse;
}

size_t gremlin_expected(struct slice text, struct gremlin_word *words, size_t words_max,
                        size_t *begun)
{
    struct words out = {.words = words, .max = words_max};
    struct arena arena = {0};
    struct tokens tokens;
    size_t size = 0;

    assert(words != NULL || words_max == 0);
    while (size < text.size && is_name_byte(text.data[text.size - 1 - size])) {
        size++;
    }
    out.begun = slice_of(text.data + text.size - size, size);
    *begun = size;
    arena_init(&arena, 0);
    struct parse parse = start(&arena, slice_of(text.data, text.size - size));
    (void)parser_parse(&parse);
    bool is_start = size == text.size;
    if (parse.is_name_expected || is_start) {
        parse = start(&arena, slice_of(text.data, text.size - size));
        read_tokens(&parse, text.size, &tokens);
        offer_all(&out, &tokens);
    }
    arena_close(&arena);
    return out.count;
}
