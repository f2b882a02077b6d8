/* Tokens of Gremlin. After: gremlin-language Gremlin.g4, the lexer rules. */
#include "router/gremlin/syntax.h"

#include "router/gremlin/parser.h"

#include <assert.h>

#pragma GCC diagnostic ignored "-Wimplicit-fallthrough"

/* Each byte is counted once. */
static uint32_t column_of(struct lexer *lexer, const uint8_t *at)
{
    for (; lexer->counted < at; lexer->counted++) {
        lexer->column += (*lexer->counted & 0xc0) != 0x80;
    }
    return lexer->column;
}

static void new_line(struct lexer *lexer, const uint8_t *start)
{
    lexer->line++;
    lexer->counted = start;
    lexer->column = 1;
}

static void count_lines(struct lexer *lexer, const uint8_t *from)
{
    for (const uint8_t *p = from; p < lexer->at; p++) {
        if (*p == '\n') {
            new_line(lexer, p + 1);
        }
    }
}

static int give(struct parse *parse, const uint8_t *start, int code, struct node **out)
{
    struct lexer *lexer = &parse->lexer;
    struct node *node = ARENA_NEW(parse->arena, struct node);

    if (parse->token != NULL) {
        parse->before = parse->token->text;
    }
    node->line = lexer->line;
    node->column = column_of(lexer, start);
    node->text = slice_of(start, (size_t)(lexer->at - start));
    switch (code) {
    case INTEGER:
        node->kind = NODE_INTEGER;
        break;
    case FLOAT:
        node->kind = NODE_FLOAT;
        break;
    case STRING:
        node->kind = NODE_STRING;
        count_lines(lexer, start);
        break;
    default:
        node->kind = NODE_LINK;
        break;
    }
    parse->token = node;
    *out = node;
    return code;
}

static int bracket(struct parse *parse, const uint8_t *start, int code, struct node **out)
{
    (void)give(parse, start, code, out);
    if (*start == '(' || *start == '[' || *start == '{') {
        parse->lexer.depth++;
        if (parse->lexer.depth > SYNTAX_DEPTH_MAX) {
            parse->rc = error_set(parse->err, E_LIMIT, "%u:%u: more than %d brackets are open",
                                  parse->token->line, parse->token->column, SYNTAX_DEPTH_MAX);
            return PARSER_error;
        }
    } else if (parse->lexer.depth > 0) {
        parse->lexer.depth--;
    }
    return code;
}

static int finish(struct parse *parse, const uint8_t *start, struct node **out)
{
    parse->lexer.at = parse->lexer.end;
    (void)give(parse, start, PARSER_EOF, out);
    return parse->is_completing ? CURSOR : PARSER_EOF;
}

/*!re2c
    re2c:api:style = free-form;
    re2c:define:YYCTYPE = "uint8_t";
    re2c:define:YYCURSOR = "lexer->at";
    re2c:define:YYMARKER = marker;
    re2c:define:YYLIMIT = "lexer->end";
    re2c:yyfill:enable = 0;
    re2c:eof = 0;

    blank = [ \t\r\f];
    name = [a-zA-Z_$\x80-\xff] [a-zA-Z0-9_$\x80-\xff]*;
    digits = [0-9] ([0-9_]* [0-9])?;
    decimal = "0" | [1-9] ([0-9_]* [0-9])?;
    hex = "0" [xX] [0-9a-fA-F] ([0-9a-fA-F_]* [0-9a-fA-F])?;
    octal = "0" "_"* [0-7] ([0-7_]* [0-7])?;
    integer = [+-]? (decimal | hex | octal) [bBsSnNiIlL]?;
    exponent = [eE] [+-]? digits;
    float = [+-]? (digits? "." digits exponent? | digits exponent) [fFdDmM]?
          | [+-]? digits [fFdDmM];
    escape = "\\" ([btnfr"'\\0-7] | "\r"? "\n" | "u"+ [0-9a-fA-F]{4});
    string = ["] ([^"\\\x00] | escape)* ["] | ['] ([^'\\\x00] | escape)* ['];
*/

int lexer_next(struct parse *parse, struct node **out)
{
    struct lexer *lexer = &parse->lexer;
    const uint8_t *marker;
    const uint8_t *start;

    assert(lexer->at <= lexer->end);
again:
    start = lexer->at;
    /*!re2c
        blank+ { goto again; }
        "\n" {
            new_line(lexer, lexer->at);
            goto again;
        }
        "//" [^\r\n\x00]* { goto again; }
        "new" { return give(parse, start, NEW, out); }
        name { return give(parse, start, IDENTIFIER, out); }
        integer { return give(parse, start, INTEGER, out); }
        float { return give(parse, start, FLOAT, out); }
        [+-] "Infinity" { return give(parse, start, FLOAT, out); }
        string { return give(parse, start, STRING, out); }
        ["'] { return give(parse, start, OPEN_QUOTE, out); }
        "." blank* "." { return give(parse, start, RANGE, out); }
        "->" { return give(parse, start, ARROW, out); }
        "=" { return give(parse, start, ASSIGN, out); }
        [()[\]{}] { return bracket(parse, start, *start, out); }
        [.,:;] { return give(parse, start, *start, out); }
        $ { return finish(parse, start, out); }
        * { return give(parse, start, BAD_CHARACTER, out); }
    */
}
