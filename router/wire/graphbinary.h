/*
 * graphbinary.h -- what only requests carry in GraphBinary 1: bytecode, predicates, strategies,
 * lambdas.
 *
 * Values themselves are common/codec.h's; these are its hooks. A Binding gives its value.
 *
 * After: TinkerPop docs/src/dev/io/graphbinary.asciidoc (v1).
 * Pure. Limits: BYTECODE_STEPS_MAX instructions and BYTECODE_ARGS_MAX arguments over all that one
 * struct graphbinary reads.
 */
#ifndef ROUTER_WIRE_GRAPHBINARY_H
#define ROUTER_WIRE_GRAPHBINARY_H

#include "common/codec.h"

enum { GRAPHBINARY_VERSION = 0x81 };

struct graphbinary {
    struct codec codec; /* For codec_decode and codec_encode. */
    uint32_t instruction_count;
    uint32_t arg_count;
};

void graphbinary_init(struct graphbinary *graphbinary);
/* A text without type code: four bytes of length. */
void graphbinary_put_text(struct bytes *out, struct slice text);
struct slice graphbinary_take_text(struct reader *reader);

#endif
