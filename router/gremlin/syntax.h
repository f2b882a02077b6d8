/*
 * syntax.h -- the tree that the parser makes of a text, before names get a meaning.
 *
 *   g.V().has('x', gt(1))
 *   CHAIN [ LINK g, LINK V(), LINK has( STRING, CHAIN [ LINK gt( INTEGER ) ] ) ]
 *
 * Children hang on first .. next. A MAP's children are key, value, key, value; a RANGE has two.
 *
 * Pure. Ownership: all in the arena given to the parser.
 * Limits: SYNTAX_DEPTH_MAX open brackets; every node takes at least a byte of text.
 */
#ifndef ROUTER_GREMLIN_SYNTAX_H
#define ROUTER_GREMLIN_SYNTAX_H

#include "common/arena.h"
#include "common/bytes.h"
#include "common/error.h"

enum { SYNTAX_DEPTH_MAX = 64, SYNTAX_EXPECTED_MAX = 32 };

enum node_kind {
    NODE_STRING,  /* Text with its quotes. */
    NODE_INTEGER, /* Text as written. */
    NODE_FLOAT,
    NODE_CHAIN, /* Children: links. */
    NODE_LINK,  /* A name; children: arguments. */
    NODE_LIST,
    NODE_SET,
    NODE_MAP,
    NODE_RANGE,
    NODE_PAIR,   /* In brackets: key, value. In arguments: a name and its value. */
    NODE_PARENS, /* A key in parentheses. */
    NODE_QUERIES
};

struct node {
    enum node_kind kind;
    uint32_t line, column; /* From 1; columns are code points. */
    uint32_t count;        /* Children. */
    bool has_args;         /* LINK: with parentheses. */
    bool is_new;           /* CHAIN: after the word `new`. */
    struct slice text;
    struct node *first, *last; /* Children. */
    struct node *next;         /* Sibling. */
};

struct lexer {
    const uint8_t *at; /* Next byte; the text ends with a 0 at `end`. */
    const uint8_t *end;
    const uint8_t *counted; /* Up to here columns are counted. */
    uint32_t line;
    uint32_t column; /* Of `counted`. */
    uint32_t depth;  /* Open brackets. */
};

struct parse {
    struct arena *arena;
    struct error *err;
    struct lexer lexer;
    struct node *queries; /* The result. */
    struct node *token;   /* The last one read, for messages. */
    struct slice before;  /* The text of the one before that. */
    int rc;
    bool is_completing;    /* The text breaks off where the user types. */
    bool is_name_expected; /* Completing: a name may stand there. */
};

/* The next token's code; *out gets a node for those with a text. */
int lexer_next(struct parse *parse, struct node **out);
/* parser_parse(parse) (parser.y) fills parse->queries; if it fails, parse->rc and err tell why. */

struct node *syntax_node(struct parse *parse, enum node_kind kind, const struct node *where);
/* Appends a child and returns the parent. */
struct node *syntax_add(struct node *parent, struct node *child);

#endif
