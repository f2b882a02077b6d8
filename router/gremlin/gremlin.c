#include "router/gremlin/gremlin.h"

#include "router/gremlin/check.h"
#include "router/gremlin/report.h"
#include "router/gremlin/step.h"
#include "router/gremlin/syntax.h"

#include "router/gremlin/parser.h"

#include <assert.h>
#include <string.h>
#include <unistr.h>

static bool is_word(const struct node *link, const char *text)
{
    return slice_equal(link->text, slice_text(text));
}

/* ---- the tree ---- */

static int parse_text(struct parse *parse, struct slice text)
{
    char *copy = arena_alloc(parse->arena, text.size + 1);

    if (text.size > 0) {
        memcpy(copy, text.data, text.size);
    }
    copy[text.size] = 0;
    parse->lexer.at = (const uint8_t *)copy;
    parse->lexer.counted = parse->lexer.at;
    parse->lexer.end = parse->lexer.at + text.size;
    parse->lexer.line = 1;
    parse->lexer.column = 1;
    if (u8_check(parse->lexer.at, text.size) != NULL) {
        return error_set(parse->err, E_SYNTAX, "1:1: the text is not UTF-8");
    }
    if (parser_parse(parse) != 0 && parse->rc == E_OK) {
        parse->rc = error_set(parse->err, E_LIMIT, "1:1: the text is nested too deeply");
    }
    return parse->rc;
}

/* ---- one query ---- */

static const struct {
    const char *name;
    enum gremlin_terminal terminal;
} terminals[] = {
    {"toList", GREMLIN_RESULTS},     {"next", GREMLIN_NEXT},       {"tryNext", GREMLIN_TRY_NEXT},
    {"hasNext", GREMLIN_HAS_NEXT},   {"iterate", GREMLIN_ITERATE}, {"toSet", GREMLIN_SET},
    {"toBulkSet", GREMLIN_BULK_SET}, {"explain", GREMLIN_EXPLAIN},
};

static bool find_terminal(const struct node *link, enum gremlin_terminal *out)
{
    for (size_t i = 0; i < sizeof terminals / sizeof terminals[0]; i++) {
        if (is_word(link, terminals[i].name)) {
            *out = terminals[i].terminal;
            return true;
        }
    }
    return false;
}

static int next_count(struct check *check, const struct node *link, uint64_t *count)
{
    struct value value;

    *count = 1;
    if (link->count == 0) {
        return E_OK;
    }
    int rc = check_value(check, link->first, 0, CHECK_ANY, &value);
    if (rc != E_OK) {
        return rc;
    }
    if ((value.kind != VALUE_INT && value.kind != VALUE_LONG) || value.integer < 0) {
        return report_at(check->err, link, E_SYNTAX, "next() takes a whole number");
    }
    *count = (uint64_t)value.integer;
    return E_OK;
}

/* The terminal method and toString(), with which a query may end. */
static int query_end(struct check *check, struct builder *builder, const struct node *link,
                     struct gremlin_query *query)
{
    bool has_terminal = !is_word(link, "toString") && find_terminal(link, &query->terminal);

    if (has_terminal) {
        uint32_t most = query->terminal == GREMLIN_NEXT ? 1 : 0;
        if (link->count > most) {
            return report_at(check->err, link, E_SYNTAX, "%.*s() takes %s", (int)link->text.size,
                             (const char *)link->text.data,
                             most == 1 ? "one number at most" : "no arguments");
        }
        int rc = next_count(check, link, &query->count);
        if (rc != E_OK) {
            return rc;
        }
        if (query->terminal == GREMLIN_ITERATE) {
            (void)builder_step(builder, SLICE("discard"), NULL, 0);
        }
        link = link->next;
    }
    while (link != NULL && is_word(link, "toString") && link->has_args && link->count == 0) {
        query->is_text = true;
        link = link->next;
    }
    return link == NULL ? E_OK
                        : report_at(check->err, link, E_SYNTAX,
                                    "nothing may follow the call that ends a query");
}

static bool is_source_link(const struct node *link)
{
    enum step_id step = step_find(link->text);

    return link->has_args && step != STEP_UNKNOWN && step_info(step)->is_source &&
           step != STEP_CARDINALITY_VALUE && step != STEP_TX;
}

/* The first step: only some may follow g. */
static int check_start(struct check *check, const struct node *link)
{
    enum step_id step = step_find(link->text);
    enum gremlin_terminal terminal;

    if (step == STEP_UNKNOWN && find_terminal(link, &terminal)) {
        return report_at(check->err, link, E_SYNTAX,
                         "%.*s() needs a traversal before it, such as g.V()", (int)link->text.size,
                         (const char *)link->text.data);
    }
    if (step != STEP_UNKNOWN && !step_may_start(step) && link->has_args) {
        return report_at(check->err, link, E_SYNTAX,
                         "%s() cannot follow g: a traversal starts with V(), E(), addV(), addE(), "
                         "mergeV(), mergeE(), inject(), union(), call() or io()",
                         step_info(step)->name);
    }
    return E_OK;
}

static int query_steps(struct check *check, const struct node *chain, struct gremlin_query *query)
{
    const struct node *link = chain->first->next;
    enum gremlin_terminal terminal;
    struct builder builder;
    int rc = E_OK;

    builder_init(&builder, check->arena, chain->count, chain->count + 1);
    for (; rc == E_OK && link != NULL && is_source_link(link); link = link->next) {
        rc = check_source(check, &builder, link, 0);
    }
    if (rc == E_OK && link != NULL && !is_word(link, "toString")) {
        rc = check_start(check, link);
    }
    while (rc == E_OK && link != NULL && !is_word(link, "toString") &&
           !(link->has_args && find_terminal(link, &terminal))) {
        rc = check_step(check, &builder, link, 0);
        link = link->next;
    }
    if (rc == E_OK && link != NULL) {
        rc = query_end(check, &builder, link, query);
    }
    query->bytecode = builder_finish(&builder);
    return rc;
}

static bool is_empty_call(const struct node *link)
{
    return link != NULL && link->has_args && link->count == 0;
}

/* g.tx().commit() */
static int query_tx(struct check *check, const struct node *chain, struct gremlin_query *query)
{
    static const struct {
        const char *name;
        enum request_tx tx;
    } commands[] = {{"begin", REQUEST_TX_BEGIN},
                    {"commit", REQUEST_TX_COMMIT},
                    {"rollback", REQUEST_TX_ROLLBACK}};
    const struct node *tx = chain->first->next;
    const struct node *command = tx->next;

    for (size_t i = 0; i < sizeof commands / sizeof commands[0] && is_empty_call(tx) &&
                       is_empty_call(command) && command->next == NULL;
         i++) {
        if (is_word(command, commands[i].name)) {
            query->tx = commands[i].tx;
            return E_OK;
        }
    }
    return report_at(check->err, command != NULL ? command : tx, E_SYNTAX,
                     "expected g.tx().begin(), g.tx().commit() or g.tx().rollback()");
}

static int check_query(struct check *check, const struct node *node, struct gremlin_query *query)
{
    if (node->kind == NODE_STRING) {
        return node->text.size == 2
                   ? E_OK
                   : report_at(check->err, node, E_SYNTAX, "a string is not a query");
    }
    assert(node->kind == NODE_CHAIN);
    const struct node *head = node->first;
    if (!is_word(head, "g") || head->has_args || node->is_new) {
        const char *hint = report_groovy(head->text);
        return report_at(check->err, head, hint != NULL ? E_UNSUPPORTED : E_SYNTAX, "%s",
                         hint != NULL ? hint : "a query starts with g, such as g.V()");
    }
    if (head->next != NULL && is_word(head->next, "tx")) {
        return query_tx(check, node, query);
    }
    return query_steps(check, node, query);
}

int gremlin_parse(struct arena *arena, const struct gremlin_input *input,
                  struct gremlin_script *out, struct error *err)
{
    struct parse parse = {.arena = arena, .err = err};
    struct check check = {.arena = arena, .input = input, .err = err};

    assert(arena != NULL);
    assert(input != NULL);
    *out = (struct gremlin_script){0};
    int rc = parse_text(&parse, input->text);
    if (rc != E_OK) {
        return rc;
    }
    struct gremlin_query *queries =
        arena_array(arena, parse.queries->count, sizeof(struct gremlin_query));
    for (const struct node *node = parse.queries->first; rc == E_OK && node != NULL;
         node = node->next) {
        rc = check_query(&check, node, &queries[out->count++]);
    }
    out->queries = queries;
    out->is_volatile = check.is_volatile;
    return rc;
}
