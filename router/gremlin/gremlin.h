/*
 * gremlin.h -- Gremlin text to instructions: the same list that the drivers' bytecode gives.
 *
 *   text -> lexer.re -> parser.y -> syntax tree -> check.c (what names mean) -> bytecode
 *
 * A script is one or more queries; the last one's result is the answer. Those before it run too,
 * if they end in a terminal method. Language: Gremlin.g4 of TinkerPop 3.8, without Groovy and
 * lambdas.
 *
 * Pure: the time of datetime() and the chance of UUID() come with the input.
 * Limits: SYNTAX_DEPTH_MAX open brackets, BYTECODE_STEPS_MAX instructions.
 */
#ifndef ROUTER_GREMLIN_GREMLIN_H
#define ROUTER_GREMLIN_GREMLIN_H

#include "common/prng.h"
#include "router/gremlin/bytecode.h"
#include "router/wire/request.h"

struct gremlin_input {
    struct slice text;
    const struct value *bindings; /* A MAP of string keys; may be null. */
    uint64_t now_ms;              /* datetime() without an argument. */
    struct prng *prng;            /* UUID() without an argument; null: refused. */
};

/* How a query ends, which bytecode cannot say. */
enum gremlin_terminal {
    GREMLIN_RESULTS,  /* Nothing or toList(): all results. */
    GREMLIN_NEXT,     /* next(), next(n): the first `count` results. */
    GREMLIN_TRY_NEXT, /* The first result or nothing. */
    GREMLIN_HAS_NEXT, /* A boolean. */
    GREMLIN_ITERATE,  /* Runs, gives nothing; the step discard() has been appended. */
    GREMLIN_SET,      /* toSet(): results without duplicates, as one SET. */
    GREMLIN_BULK_SET, /* toBulkSet(): as one BULKSET. */
    GREMLIN_EXPLAIN   /* The plan; nothing runs. */
};

struct gremlin_query {
    const struct bytecode *bytecode; /* Null for g.tx() and for the empty query '' (no results). */
    enum gremlin_terminal terminal;
    bool is_text;   /* toString() follows: the answer is the text of the traversal. */
    uint64_t count; /* NEXT. */
    enum request_tx tx;
};

struct gremlin_script {
    uint32_t count; /* At least 1. */
    const struct gremlin_query *queries;
    bool is_volatile; /* datetime() or UUID() was used: the text alone does not tell the result. */
};

/* Everything in *out is in the arena and keeps nothing of the text. Returns E_OK; E_SYNTAX,
 * E_UNSUPPORTED (lambdas, Groovy) or E_LIMIT, with "line:column: what was wrong, what was
 * expected". */
int gremlin_parse(struct arena *arena, const struct gremlin_input *input,
                  struct gremlin_script *out, struct error *err);

/* A word that may stand at the cursor. */
struct gremlin_word {
    const char *text; /* Static. */
    const char *what; /* One line of help, or null. */
};

/* Completion: what may stand at the end of a text that breaks off there, fitting the word begun.
 * Returns how many were put to words; *begun is the size of the word begun, in bytes. */
size_t gremlin_expected(struct slice text, struct gremlin_word *words, size_t words_max,
                        size_t *begun);

#endif
