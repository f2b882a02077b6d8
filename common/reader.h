/*
 * reader.h -- reads what bytes.h wrote, from bytes that nobody vouches for.
 *
 * Sticky error: the first read past the end or out of form sets `is_bad`, and every later read
 * gives zero. Callers check once (reader_finish), and use counts only after reader_count has
 * bounded them.
 *
 * Pure. Slices given point into the input: they live as long as it does.
 */
#ifndef COMMON_READER_H
#define COMMON_READER_H

#include "common/bytes.h"
#include "common/error.h"

struct reader {
    const uint8_t *start;
    const uint8_t *at;
    const uint8_t *end;
    bool is_bad;
};

void reader_init(struct reader *reader, struct slice input);
uint8_t reader_u8(struct reader *reader);
uint16_t reader_u16(struct reader *reader);
uint32_t reader_u32(struct reader *reader);
uint64_t reader_u64(struct reader *reader);
uint64_t reader_varint(struct reader *reader);
int64_t reader_zigzag(struct reader *reader);
double reader_double(struct reader *reader);
float reader_float(struct reader *reader);
/* The next size bytes. */
struct slice reader_take(struct reader *reader, size_t size);
/* varint size, then the bytes. */
struct slice reader_blob(struct reader *reader);
/* A varint count of things that take at least item_bytes each: bad if they cannot all be there. */
size_t reader_count(struct reader *reader, size_t item_bytes);
size_t reader_left(const struct reader *reader);
/* Marks the input as out of form; later reads give zero. */
void reader_spoil(struct reader *reader);

/* Returns E_OK if nothing was bad and all was read, else E_MALFORMED saying at which byte. */
int reader_finish(const struct reader *reader, const char *what, struct error *err);

#endif
