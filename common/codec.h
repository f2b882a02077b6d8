/*
 * codec.h -- GraphBinary 1.0 for values: on the wire to clients, between processes, in rows.
 *
 * Fully qualified values: type code, value flag, body (big endian). What only requests can carry
 * (bytecode, P, lambdas, strategies) is read and written by router/wire through the hooks below.
 * PREDICATE inside values between our own processes uses predicate_encode.
 *
 * After: TinkerPop docs/src/dev/io/graphbinary.asciidoc (v1).
 * Pure. Limits: depth VALUE_DEPTH_MAX, counts bounded by the bytes left.
 */
#ifndef COMMON_CODEC_H
#define COMMON_CODEC_H

#include "common/reader.h"
#include "common/value.h"

/* Reads the body of a type code that is the caller's own business; spoils the reader if unknown. */
typedef void (*codec_read_fn)(void *ctx, struct reader *reader, struct arena *arena, uint8_t type,
                              int depth, struct value *out);
/* Writes a value of a kind that is the caller's own business; returns false if it does not know
 * it. */
typedef bool (*codec_write_fn)(void *ctx, struct bytes *out, const struct value *value);

struct codec {
    codec_read_fn read;   /* May be null. */
    codec_write_fn write; /* May be null. */
    void *ctx;
};

/* codec may be null: values only. */
void codec_encode(struct bytes *out, const struct codec *codec, const struct value *value);
/* Strings and binaries point into the reader's input; the rest is in the arena. */
void codec_decode(struct reader *reader, struct arena *arena, const struct codec *codec, int depth,
                  struct value *out);
/* The body after type code and flag were read. */
void codec_decode_body(struct reader *reader, struct arena *arena, const struct codec *codec,
                       uint8_t type, int depth, struct value *out);

#endif
