/*
 * bytecode.h -- the one instruction list that text, GraphBinary and GraphSON requests all become.
 *
 *   g.withSack(1).V().has('name', 'x').out('knows')
 *   sources: withSack(1)     steps: V()  has("name", eq... as given: "x")  out("knows")
 *
 * Arguments are values; a nested traversal is a VALUE_TRAVERSAL, P a VALUE_PREDICATE, tokens
 * VALUE_ENUM. Text gives exactly the list that the drivers' bytecode gives: names are the Java
 * ones (in, from, as). Names are checked against step.def before a plan is made; a name that is
 * not there is E_UNSUPPORTED with the name told.
 *
 * Pure, immutable, in the request's arena.
 * Limits: BYTECODE_STEPS_MAX instructions in all, nesting VALUE_DEPTH_MAX.
 */
#ifndef ROUTER_GREMLIN_BYTECODE_H
#define ROUTER_GREMLIN_BYTECODE_H

#include "common/error.h"
#include "common/value.h"

enum { BYTECODE_STEPS_MAX = 10000, BYTECODE_ARGS_MAX = 100000 };

/* Every step and source instruction known by name; BYTECODE_UNKNOWN is refused. */
enum step_id {
    STEP_UNKNOWN,
#define STEP(id, name, least, most, is_source, is_ready, what) STEP_##id,
#include "router/gremlin/step.def"
#undef STEP
    STEP_ID_COUNT
};

struct instruction {
    enum step_id step;
    struct slice name;
    uint32_t arg_count;
    const struct value *args;
    uint32_t line, column; /* In the text, from 1; 0 for bytecode. */
};

struct bytecode {
    uint32_t source_count;
    uint32_t step_count;
    const struct instruction *sources;
    const struct instruction *steps;
};

/* Prints the traversal as Gremlin text: g.V().has("name","x"); for explain, logs, golden tests. */
void bytecode_print(struct bytes *out, const struct bytecode *bytecode, const char *root);

/* single(x), list(x), set(x), which drivers send as a traversal with a cardinality (Java: its
 * name): gives x; null if the value is none of these. cardinality may be null. */
const struct value *bytecode_cardinality(const struct value *value, enum enumerator *cardinality);

/* Before a plan is made: every step known, ready, in its place, with as many arguments as it
 * takes, each of a kind that may stand there (place.h); no lambdas. Returns E_OK, E_UNSUPPORTED,
 * E_SYNTAX, E_INVALID or E_LIMIT. */
int bytecode_check(const struct bytecode *bytecode, struct error *err);

#endif
