#include "router/gremlin/report.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum {
    SHOWN_MAX = 40 /* Bytes of a token that a message shows. */
};

#define LAMBDA_HINT "lambdas are not supported: use a traversal, such as __.values('x').is(gt(1))"
#define SCRIPT_HINT                                                                      \
    "Groovy scripts are not supported: send one traversal that starts with g, and pass " \
    "variables as bindings"

static const struct {
    const char *name;
    const char *hint;
} groovy_names[] = {
    {"it", LAMBDA_HINT},
    {"def", SCRIPT_HINT},
    {"var", SCRIPT_HINT},
    {"import", SCRIPT_HINT},
    {"return", SCRIPT_HINT},
    {"if", SCRIPT_HINT},
    {"for", SCRIPT_HINT},
    {"while", SCRIPT_HINT},
    {"graph",
     "the graph object is not reachable from Gremlin text: start with g; schema and indexes "
     "are managed with cardeactl"},
    {"mgmt", "schema management is not part of Gremlin text: use cardeactl"},
    {"java", SCRIPT_HINT},
    {"Date", "Java classes are not supported: use datetime('2024-01-31')"},
    {"Lambda", LAMBDA_HINT},
    {"textContains", "textContains() is JanusGraph's: use containing()"},
    {"textPrefix", "textPrefix() is JanusGraph's: use startingWith()"},
    {"textRegex", "textRegex() is JanusGraph's: use regex()"},
    {"withComputer", "graph computers (OLAP) are not supported"},
};

const char *report_groovy(struct slice name)
{
    for (size_t i = 0; i < sizeof groovy_names / sizeof groovy_names[0]; i++) {
        if (slice_equal(name, slice_text(groovy_names[i].name))) {
            return groovy_names[i].hint;
        }
    }
    return NULL;
}

int report_at(struct error *err, const struct node *at, int code, const char *format, ...)
{
    char text[ERROR_TEXT_MAX];
    va_list args;

    assert(at != NULL);
    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    return error_set(err, code, "%u:%u: %s", at->line, at->column, text);
}

static bool is_token(const struct node *token, const char *text)
{
    return slice_equal(token->text, slice_text(text));
}

static const char *hint_of(const struct parse *parse)
{
    const struct node *token = parse->token;

    if (is_token(token, "->") || is_token(token, "{")) {
        return LAMBDA_HINT;
    }
    if (is_token(token, "=")) {
        return SCRIPT_HINT;
    }
    if (report_groovy(parse->before) != NULL) {
        return report_groovy(parse->before);
    }
    return report_groovy(token->text);
}

static void describe_token(const struct parse *parse, char *out, size_t out_size)
{
    const struct node *token = parse->token;
    int shown = token->text.size > SHOWN_MAX ? SHOWN_MAX : (int)token->text.size;

    if (token->text.size == 0) {
        (void)snprintf(out, out_size, "unexpected end of the text");
    } else if (is_token(token, "\"") || is_token(token, "'")) {
        (void)snprintf(out, out_size, "the string that starts here has no end, or a wrong escape");
    } else {
        (void)snprintf(out, out_size, "unexpected %s%.*s%s", token->kind == NODE_STRING ? "" : "'",
                       shown, (const char *)token->text.data,
                       token->kind == NODE_STRING ? "" : "'");
    }
}

int report_unexpected(struct parse *parse, const char *const *names, size_t count)
{
    char list[ERROR_TEXT_MAX / 2] = "";
    char what[ERROR_TEXT_MAX / 4];
    size_t size = 0;
    const char *hint = hint_of(parse);

    if (hint != NULL) {
        return report_at(parse->err, parse->token, E_UNSUPPORTED, "%s", hint);
    }
    describe_token(parse, what, sizeof what);
    for (size_t i = 0; i < count && size < sizeof list; i++) {
        const char *before = i == 0 ? ", expected " : i + 1 == count ? " or " : ", ";
        size += (size_t)snprintf(list + size, sizeof list - size, "%s%s", before, names[i]);
    }
    return report_at(parse->err, parse->token, E_SYNTAX, "%s%s", what, list);
}
