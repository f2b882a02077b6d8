/*
 * vid.h -- ids of vertices and edges: a 64-bit integer or a UTF-8 string.
 *
 * Encoded form (messages, rows): one varint head. Even: integer, zigzag(num) in 65 bits as
 * (zigzag << 1) with an escape; odd: text of (head >> 1) bytes. Its key form orders as the ids do
 * (integers before strings): 0x01 + 8 bytes big endian with the sign flipped, or 0x02 + the bytes.
 *
 * Pure. A vid borrows its text. Limits: VID_TEXT_MAX bytes of text.
 */
#ifndef COMMON_VID_H
#define COMMON_VID_H

#include "common/reader.h"
#include "common/value.h"

enum { VID_TEXT_MAX = 1024, VID_KEY_MAX = VID_TEXT_MAX + 1 };

struct vid {
    int64_t num;       /* When text.data is null. */
    struct slice text; /* data is never null for a text id, even an empty one. */
};

struct vid vid_num(int64_t num);
struct vid vid_text(struct slice text);
/* False for a value that cannot be an id (null, a double with a fraction, too long a text...).
 * UUIDs become their canonical text; numbers match by value. */
bool vid_from_value(struct arena *arena, const struct value *value, struct vid *out);
bool vid_equal(const struct vid *a, const struct vid *b);
int vid_order(const struct vid *a, const struct vid *b);
/* In-memory tables only; not the placement hash. */
uint64_t vid_hash(const struct vid *vid);
void vid_encode(struct bytes *out, const struct vid *vid);
/* Text points into the input. */
struct vid vid_decode(struct reader *reader);
void vid_key(struct bytes *out, const struct vid *vid);
/* Key form back to id; false on bad form. */
bool vid_from_key(struct slice key, struct vid *out);
struct vid vid_copy(struct arena *arena, const struct vid *vid);
/* The id of a vertex's property that was not given one: from its number among those of the vertex.
 * 53 bits, never 0. Routers and shards agree on it, so a new vertex need not be read back. */
int64_t vid_property(const struct vid *vertex, struct slice key, uint64_t sequence);

#endif
