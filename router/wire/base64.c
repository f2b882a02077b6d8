#include "router/wire/base64.h"

#include <assert.h>

static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void base64_encode(struct bytes *out, struct slice bytes)
{
    for (size_t i = 0; i < bytes.size; i += 3) {
        size_t left = bytes.size - i;
        uint32_t group = (uint32_t)bytes.data[i] << 16;
        group |= left > 1 ? (uint32_t)bytes.data[i + 1] << 8 : 0;
        group |= left > 2 ? (uint32_t)bytes.data[i + 2] : 0;
        bytes_u8(out, (uint8_t)letters[group >> 18]);
        bytes_u8(out, (uint8_t)letters[group >> 12 & 63]);
        bytes_u8(out, left > 1 ? (uint8_t)letters[group >> 6 & 63] : '=');
        bytes_u8(out, left > 2 ? (uint8_t)letters[group & 63] : '=');
    }
}

/* 64 for what is no letter. */
static uint32_t value_of(uint8_t letter)
{
    uint32_t value = 0;

    while (value < 64 && (uint8_t)letters[value] != letter) {
        value++;
    }
    return value;
}

bool base64_decode(struct arena *arena, struct slice text, struct slice *out)
{
    assert(out != NULL);
    while (text.size > 0 && text.data[text.size - 1] == '=') {
        text.size--;
    }
    if (text.size % 4 == 1) {
        return false;
    }
    uint8_t *bytes = arena_alloc(arena, text.size);
    size_t size = 0;
    uint32_t group = 0;
    for (size_t i = 0; i < text.size; i++) {
        uint32_t value = value_of(text.data[i]);
        if (value == 64) {
            return false;
        }
        group = group << 6 | value;
        if (i % 4 != 0) {
            bytes[size++] = (uint8_t)(group >> (6 - 2 * (i % 4)));
        }
    }
    *out = slice_of(bytes, size);
    return true;
}
