/*
 * packed.h -- property values in rows, changes and read replies: short for what is common.
 *
 *   tag               body
 *   NULL, TRUE, FALSE -
 *   INT, LONG         zigzag varint
 *   DOUBLE            8 bytes
 *   STRING            varint size, bytes
 *   OTHER             varint size, the value as in codec.h
 *   SMALL + n         INT n, 0 <= n < 64
 *
 * So a value is skipped without looking into it.
 * Pure. Tags are stored: never renumber.
 */
#ifndef COMMON_PACKED_H
#define COMMON_PACKED_H

#include "common/reader.h"
#include "common/value.h"

void packed_encode(struct bytes *out, const struct value *value);
/* Text points into the input, the rest is in the arena. Spoils the reader on bad form. */
void packed_decode(struct reader *reader, struct arena *arena, struct value *out);
/* Gives the packed form itself. */
struct slice packed_skip(struct reader *reader);
/* It is an INT or a LONG: decoding needs no arena. */
bool packed_is_integer(struct slice packed);

#endif
