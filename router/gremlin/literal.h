/*
 * literal.h -- numbers, strings, dates, UUIDs and ranges as Gremlin text writes them, with exact
 * types.
 *
 *   1 int, or long, or BigInteger if it does not fit   1b 1s 1i 1l 1n   0x1F 017   1_000
 *   1.5 double   1.5f 1.5d 1.5m   NaN Infinity   'a\n\u0041'   1..5 'a'..'d'
 *
 * After: gremlin-core language/grammar/GenericLiteralVisitor.java.
 * Pure. Limits: LITERAL_RANGE_MAX items a range.
 */
#ifndef ROUTER_GREMLIN_LITERAL_H
#define ROUTER_GREMLIN_LITERAL_H

#include "common/error.h"
#include "common/value.h"

enum { LITERAL_RANGE_MAX = 1000000 };

/* All: E_OK or E_SYNTAX. Texts are as the lexer gave them. */
int literal_integer(struct arena *arena, struct slice text, struct value *out, struct error *err);
int literal_float(struct arena *arena, struct slice text, struct value *out, struct error *err);
/* Gives a copy without quotes and escapes. */
int literal_string(struct arena *arena, struct slice quoted, struct value *out, struct error *err);
int literal_date(struct arena *arena, struct slice text, struct value *out, struct error *err);
int literal_uuid(struct arena *arena, struct slice text, struct value *out, struct error *err);
/* Both ends included; downwards if the first is greater. */
int literal_range(struct arena *arena, const struct value *first, const struct value *last,
                  struct value *out, struct error *err);

#endif
