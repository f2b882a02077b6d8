#include "common/bytes.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "common/mem.h"

enum { ROOM_MIN = 64 };

void bytes_init(struct bytes *bytes, size_t max)
{
    *bytes = (struct bytes){.max = max};
}

void bytes_close(struct bytes *bytes)
{
    mem_free(bytes->data);
    *bytes = (struct bytes){0};
}

void bytes_clear(struct bytes *bytes)
{
    bytes->size = 0;
    bytes->is_overflown = false;
}

struct slice bytes_slice(const struct bytes *bytes)
{
    return (struct slice){bytes->data, bytes->size};
}

static void grow(struct bytes *bytes, size_t size)
{
    size_t room = bytes->room < ROOM_MIN ? ROOM_MIN : bytes->room;

    while (room - bytes->size < size) {
        room *= 2;
    }
    bytes->data = (uint8_t *)mem_resize(bytes->data, room);
    bytes->room = room;
}

uint8_t *bytes_extend(struct bytes *bytes, size_t size)
{
    uint8_t *at;

    assert(size <= SIZE_MAX / 4);
    if (bytes->is_overflown || (bytes->max != 0 && size > bytes->max - bytes->size)) {
        bytes->is_overflown = true;
        return NULL;
    }
    if (bytes->data == NULL || bytes->room - bytes->size < size) {
        grow(bytes, size);
    }
    at = bytes->data + bytes->size;
    bytes->size += size;
    return at;
}

void bytes_append(struct bytes *bytes, const void *data, size_t size)
{
    uint8_t *at;

    assert(data != NULL || size == 0);
    at = bytes_extend(bytes, size);
    if (at != NULL && size > 0) {
        memcpy(at, data, size);
    }
}

void bytes_u8(struct bytes *bytes, uint8_t v)
{
    uint8_t *at = bytes_extend(bytes, 1);

    if (at != NULL) {
        *at = v;
    }
}

static void put(uint8_t *at, uint64_t v, size_t size)
{
    for (size_t i = size; i-- > 0;) {
        at[i] = (uint8_t)v;
        v >>= 8;
    }
}

void bytes_u16(struct bytes *bytes, uint16_t v)
{
    uint8_t *at = bytes_extend(bytes, 2);

    if (at != NULL) {
        put(at, v, 2);
    }
}

void bytes_u32(struct bytes *bytes, uint32_t v)
{
    uint8_t *at = bytes_extend(bytes, 4);

    if (at != NULL) {
        put(at, v, 4);
    }
}

void bytes_u64(struct bytes *bytes, uint64_t v)
{
    uint8_t *at = bytes_extend(bytes, 8);

    if (at != NULL) {
        put(at, v, 8);
    }
}

void bytes_varint(struct bytes *bytes, uint64_t v)
{
    uint8_t text[10];
    size_t size = 0;

    while (v >= 0x80) {
        text[size++] = (uint8_t)(v | 0x80);
        v >>= 7;
    }
    text[size++] = (uint8_t)v;
    bytes_append(bytes, text, size);
}

void bytes_zigzag(struct bytes *bytes, int64_t v)
{
    bytes_varint(bytes, ((uint64_t)v << 1) ^ (v < 0 ? UINT64_MAX : 0));
}

void bytes_double(struct bytes *bytes, double v)
{
    uint64_t bits;

    memcpy(&bits, &v, sizeof bits);
    bytes_u64(bytes, bits);
}

void bytes_float(struct bytes *bytes, float v)
{
    uint32_t bits;

    memcpy(&bits, &v, sizeof bits);
    bytes_u32(bytes, bits);
}

void bytes_blob(struct bytes *bytes, struct slice v)
{
    bytes_varint(bytes, v.size);
    bytes_append(bytes, v.data, v.size);
}

void bytes_format(struct bytes *bytes, const char *format, ...)
{
    char small[256];
    va_list args;
    int size;

    va_start(args, format);
    size = vsnprintf(small, sizeof small, format, args);
    va_end(args);
    assert(size >= 0);
    if ((size_t)size < sizeof small) {
        bytes_append(bytes, small, (size_t)size);
        return;
    }
    char *large = (char *)mem_alloc((size_t)size + 1);
    va_start(args, format);
    (void)vsnprintf(large, (size_t)size + 1, format, args);
    va_end(args);
    bytes_append(bytes, large, (size_t)size);
    mem_free(large);
}

void bytes_patch_u32(struct bytes *bytes, size_t at, uint32_t v)
{
    if (bytes->is_overflown) {
        return;
    }
    assert(at <= bytes->size && bytes->size - at >= 4);
    put(bytes->data + at, v, 4);
}
