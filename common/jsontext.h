/*
 * jsontext.h -- values as plain JSON for people's scripts: numbers bare, elements as objects.
 *
 * Types get lost on purpose; GraphSON (router/wire) keeps them. Map keys become text; NaN and
 * infinities become text; vertices are {id, label, properties}, edges {id, label, outV, inV,
 * properties}.
 *
 * Pure.
 */
#ifndef COMMON_JSONTEXT_H
#define COMMON_JSONTEXT_H

#include "common/value.h"

void jsontext_write(struct bytes *out, const struct value *value);

#endif
