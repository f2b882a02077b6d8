/*
 * token.h -- names with a fixed meaning in Gremlin text: enumerators and named constants.
 *
 *   T.id  id  Order.desc  desc  Direction.from  WithOptions.tokens  IO.reader  PageRank.times
 *
 * Pure.
 */
#ifndef ROUTER_GREMLIN_TOKEN_H
#define ROUTER_GREMLIN_TOKEN_H

#include "common/value.h"

/* ENUM_COUNT if it is not the name of an enumeration, such as "T". */
enum value_enum token_enum(struct slice name);
const char *token_enum_name(enum value_enum type);
/* An enumerator of a known enumeration, in the spellings that text allows; ENUMERATOR_COUNT if
 * none. */
enum enumerator token_of_enum(enum value_enum type, struct slice name);
/* An enumerator by its short name, GType's excepted: they collide with others. */
enum enumerator token_short(struct slice name);
/* True if `owner` names a group of constants (WithOptions, IO, ...). */
bool token_is_group(struct slice owner);
/* The constants of a group one after another; null past the last. */
const char *token_constant_name(struct slice owner, size_t index);
/* Fills *out with the constant; false if there is none. */
bool token_constant(struct slice owner, struct slice name, struct value *out);

#endif
