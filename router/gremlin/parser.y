/*
 * The shape of Gremlin: chains of calls, literals, and nothing else. What the names mean is check.c's.
 *
 * After: gremlin-language Gremlin.g4, whose 236 overloads are one rule here.
 */
%define api.pure full
%define api.prefix {parser_}
%define api.token.prefix {}
%define api.value.type {struct node *}
%define parse.error custom
%define parse.lac full
%param {struct parse *parse}

%code requires {
#include "router/gremlin/syntax.h"
}

%code {
#include "common/mem.h"
#include "router/gremlin/report.h"

#define YYMALLOC mem_alloc
#define YYFREE mem_free
#define YYINITDEPTH 700
#define YYMAXDEPTH 700

#define parser_lex(value, parse) lexer_next(parse, value)

static void parser_error(struct parse *parse, const char *message);
}

%token PARSER_EOF 0 "the end"
%token IDENTIFIER "a name"
%token INTEGER "a whole number"
%token FLOAT "a number"
%token STRING "a string"
%token NEW "new"
%token RANGE ".."
%token ARROW "->"
%token ASSIGN "="
%token OPEN_QUOTE "an open quote"
%token BAD_CHARACTER "a character"
%token CURSOR "the cursor"

%%

script: queries { parse->queries = $1; }
    | queries ';' { parse->queries = $1; }
    ;

queries: query { $$ = syntax_add(syntax_node(parse, NODE_QUERIES, $1), $1); }
    | queries query { $$ = syntax_add($1, $2); }
    | queries ';' query { $$ = syntax_add($1, $3); }
    ;

query: chain
    | STRING
    ;

chain: links
    | NEW links {
        $2->is_new = true;
        $$ = $2;
    }
    ;

links: link { $$ = syntax_add(syntax_node(parse, NODE_CHAIN, $1), $1); }
    | links '.' link { $$ = syntax_add($1, $3); }
    ;

link: word
    | word '(' ')' {
        $1->has_args = true;
        $$ = $1;
    }
    | word '(' args ')' {
        $1->has_args = true;
        $1->first = $3->first;
        $1->last = $3->last;
        $1->count = $3->count;
        $$ = $1;
    }
    ;

word: IDENTIFIER
    ;

args: arg { $$ = syntax_add(syntax_node(parse, NODE_LIST, $1), $1); }
    | args ',' arg { $$ = syntax_add($1, $3); }
    ;

arg: value
    | IDENTIFIER ':' value {
        $$ = syntax_add(syntax_add(syntax_node(parse, NODE_PAIR, $1), $1), $3);
    }
    ;

value: literal
    | INTEGER RANGE INTEGER {
        $$ = syntax_add(syntax_add(syntax_node(parse, NODE_RANGE, $1), $1), $3);
    }
    | STRING RANGE STRING {
        $$ = syntax_add(syntax_add(syntax_node(parse, NODE_RANGE, $1), $1), $3);
    }
    | list
    | set
    | chain
    ;

literal: INTEGER
    | FLOAT
    | STRING
    ;

set: '{' '}' { $$ = syntax_node(parse, NODE_SET, $1); }
    | '{' values '}' {
        $2->kind = NODE_SET;
        $$ = $2;
    }
    ;

values: value { $$ = syntax_add(syntax_node(parse, NODE_LIST, $1), $1); }
    | values ',' value { $$ = syntax_add($1, $3); }
    ;

list: '[' ']' { $$ = syntax_node(parse, NODE_LIST, $1); }
    | '[' ':' ']' { $$ = syntax_node(parse, NODE_MAP, $1); }
    | '[' values ']' { $$ = $2; }
    | '[' entries ']' { $$ = $2; }
    ;

entries: key ':' value {
        $$ = syntax_add(syntax_add(syntax_node(parse, NODE_MAP, $1), $1), $3);
    }
    | entries ',' key ':' value { $$ = syntax_add(syntax_add($1, $3), $5); }
    ;

key: value
    | NEW {
        $1->kind = NODE_LINK;
        $$ = syntax_add(syntax_node(parse, NODE_CHAIN, $1), $1);
    }
    | '(' value ')' { $$ = syntax_add(syntax_node(parse, NODE_PARENS, $1), $2); }
    ;

%%

static void parser_error(struct parse *parse, const char *message)
{
    if (parse->rc == E_OK) {
        parse->rc = error_set(parse->err, E_LIMIT, "%s", message);
    }
}

static int yyreport_syntax_error(const yypcontext_t *context, struct parse *parse)
{
    yysymbol_kind_t kinds[SYNTAX_EXPECTED_MAX];
    const char *names[SYNTAX_EXPECTED_MAX];
    int count = yypcontext_expected_tokens(context, kinds, SYNTAX_EXPECTED_MAX);

    for (int i = 0; i < count; i++) {
        names[i] = yysymbol_name(kinds[i]);
    }
    for (int i = 0; i < count; i++) {
        if (kinds[i] == YYSYMBOL_IDENTIFIER && yypcontext_token(context) == YYSYMBOL_CURSOR) {
            parse->is_name_expected = true;
        }
    }
    if (parse->rc == E_OK) {
        parse->rc = report_unexpected(parse, names, count > 0 ? (size_t)count : 0);
    }
    return 0;
}
