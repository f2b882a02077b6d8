/*
 * bytes.h -- slices of memory, and a buffer that grows, for writing messages and rows.
 *
 * Integers are big endian (as GraphBinary) unless named varint (LEB128, at most 10 bytes; signed
 * ones zigzag first). The writer has a sticky error: past max_bytes nothing more is written and
 * `is_overflown` says so; it is checked once at the end.
 *
 * Pure. Ownership: a slice owns nothing. A buffer owns its memory: close it.
 */
#ifndef COMMON_BYTES_H
#define COMMON_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct slice {
    const uint8_t *data; /* May be null if size is 0. */
    size_t size;         /* Bytes. */
};

struct bytes {
    uint8_t *data;
    size_t size;       /* Bytes written. */
    size_t room;       /* Bytes allocated. */
    size_t max;        /* 0: no limit. */
    bool is_overflown; /* A write went past max: the content is not whole. */
};

#define SLICE(literal) ((struct slice){(const uint8_t *)(literal), sizeof(literal) - 1})

struct slice slice_of(const void *data, size_t size);
struct slice slice_text(const char *text);
bool slice_equal(struct slice a, struct slice b);
/* memcmp order, shorter first on a tie. Returns <0, 0, >0. */
int slice_compare(struct slice a, struct slice b);

/* max 0: no limit. */
void bytes_init(struct bytes *bytes, size_t max);
void bytes_close(struct bytes *bytes);
/* Forgets the content, keeps the memory. */
void bytes_clear(struct bytes *bytes);
struct slice bytes_slice(const struct bytes *bytes);

/* Appends size bytes and gives where to write them, or null when overflown. Valid until the next
 * call. */
uint8_t *bytes_extend(struct bytes *bytes, size_t size);
void bytes_append(struct bytes *bytes, const void *data, size_t size);
void bytes_u8(struct bytes *bytes, uint8_t v);
void bytes_u16(struct bytes *bytes, uint16_t v);
void bytes_u32(struct bytes *bytes, uint32_t v);
void bytes_u64(struct bytes *bytes, uint64_t v);
void bytes_varint(struct bytes *bytes, uint64_t v);
void bytes_zigzag(struct bytes *bytes, int64_t v);
void bytes_double(struct bytes *bytes, double v);
void bytes_float(struct bytes *bytes, float v);
/* varint size, then the bytes. */
void bytes_blob(struct bytes *bytes, struct slice v);
/* Formatted text, no terminator. */
void bytes_format(struct bytes *bytes, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* Overwrites four bytes written earlier, for lengths known late. */
void bytes_patch_u32(struct bytes *bytes, size_t at, uint32_t v);

#endif
