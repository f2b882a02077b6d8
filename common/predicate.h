/*
 * predicate.h -- P and TextP: what has(), is(), where() test, in routers and, pushed down, in
 * shards.
 *
 * A tree: AND and OR have children, NOT has one; the rest compares with operands. Deep trees come
 * from outside, so depth is bounded by VALUE_DEPTH_MAX when decoding.
 *
 * Pure (regular expressions: PCRE2 with match limits, compiled by predicate_compile).
 */
#ifndef COMMON_PREDICATE_H
#define COMMON_PREDICATE_H

#include "common/reader.h"
#include "common/value.h"

enum predicate_test {
    PREDICATE_EQ,
    PREDICATE_NEQ,
    PREDICATE_LT,
    PREDICATE_LTE,
    PREDICATE_GT,
    PREDICATE_GTE,
    PREDICATE_INSIDE,  /* operands low, high: gt and lt. */
    PREDICATE_OUTSIDE, /* lt or gt. */
    PREDICATE_BETWEEN, /* gte and lt. */
    PREDICATE_WITHIN,
    PREDICATE_WITHOUT,
    PREDICATE_TYPE_OF, /* operand: a GType enumerator, or a string. */
    PREDICATE_CONTAINING,
    PREDICATE_NOT_CONTAINING,
    PREDICATE_STARTING_WITH,
    PREDICATE_NOT_STARTING_WITH,
    PREDICATE_ENDING_WITH,
    PREDICATE_NOT_ENDING_WITH,
    PREDICATE_REGEX,
    PREDICATE_NOT_REGEX,
    PREDICATE_AND,
    PREDICATE_OR,
    PREDICATE_NOT,
    PREDICATE_TEST_COUNT
};

struct predicate {
    enum predicate_test test;
    uint32_t operand_count; /* Values, for tests that compare. */
    uint32_t child_count;   /* Predicates, for AND, OR, NOT. */
    const struct value *operands;
    const struct predicate *children;
    void *regex; /* Compiled by predicate_compile for REGEX; released with predicate_release. */
};

/* Gremlin name, such as "startingWith". */
const char *predicate_name(enum predicate_test test);
/* PREDICATE_TEST_COUNT if there is none of that name. */
enum predicate_test predicate_find(struct slice name);
bool predicate_is_text(enum predicate_test test); /* TextP. */

/* Returns E_OK, or E_INVALID for a bad pattern or a wrong operand (message as TinkerPop words it).
 * */
int predicate_compile(struct predicate *predicate, struct error *err);
void predicate_release(struct predicate *predicate);

bool predicate_matches(const struct predicate *predicate, const struct value *value);

/* The opposite, in the arena (P.negate()): it matches all that the predicate does not. eq -> neq,
 * gt -> not(gt), and -> or of opposites; of a text, the opposite among texts. */
const struct predicate *predicate_negate(struct arena *arena, const struct predicate *predicate);

struct predicate *predicate_copy(struct arena *arena, const struct predicate *predicate);
void predicate_encode(struct bytes *out, const struct predicate *predicate);
/* Gives a tree in the arena; spoils the reader on bad form. Not yet compiled. */
const struct predicate *predicate_decode(struct reader *reader, struct arena *arena);
/* As part of a value that is already this deep. */
const struct predicate *predicate_decode_deep(struct reader *reader, struct arena *arena,
                                              int depth);
/* As TinkerPop prints it: eq(1), and(gt(1), lt(3)). */
void predicate_print(struct bytes *out, const struct predicate *predicate);

#endif
