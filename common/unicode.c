#include "common/unicode.h"

#include <assert.h>
#include <stdlib.h>
#include <unicase.h>
#include <unictype.h>

#include "common/text.h"

typedef uint8_t *(*map_fn)(const uint8_t *s, size_t n, const char *language, uninorm_t nf,
                           uint8_t *buffer, size_t *length);

static bool is_ascii(struct slice text)
{
    for (size_t i = 0; i < text.size; i++) {
        if (text.data[i] >= 0x80) {
            return false;
        }
    }
    return true;
}

static struct slice map_ascii(struct arena *arena, struct slice text, char first, int shift)
{
    uint8_t *out = (uint8_t *)arena_copy(arena, text.data, text.size);

    for (size_t i = 0; i < text.size; i++) {
        if (out[i] >= (uint8_t)first && out[i] < (uint8_t)first + 26) {
            out[i] = (uint8_t)(out[i] + shift);
        }
    }
    return slice_of(out, text.size);
}

static struct slice map(struct arena *arena, struct slice text, map_fn function)
{
    size_t size = text.size * 3; /* No mapping grows more than threefold in UTF-8. */
    uint8_t *buffer = (uint8_t *)arena_alloc(arena, size);
    uint8_t *mapped = function(text.data, text.size, "", NULL, buffer, &size);

    if (mapped == NULL) {
        return text; /* Not well formed: left as it is. */
    }
    if (mapped != buffer) {
        struct slice copy = slice_of(arena_copy(arena, mapped, size), size);
        free(mapped);
        return copy;
    }
    return slice_of(mapped, size);
}

struct slice unicode_upper(struct arena *arena, struct slice text)
{
    return is_ascii(text) ? map_ascii(arena, text, 'a', 'A' - 'a') : map(arena, text, u8_toupper);
}

struct slice unicode_lower(struct arena *arena, struct slice text)
{
    return is_ascii(text) ? map_ascii(arena, text, 'A', 'a' - 'A') : map(arena, text, u8_tolower);
}

/* Character.isWhitespace: blanks that allow a break, and the separators U+001C to U+001F. */
static bool is_white(uint32_t point)
{
    return (point >= 0x1c && point <= 0x1f) || uc_is_space(point);
}

struct slice unicode_trim_left(struct slice text)
{
    size_t start = 0;

    while (start < text.size) {
        size_t at = start;
        if (!is_white(text_utf8_next(text, &at))) {
            break;
        }
        start = at;
    }
    return slice_of(text.size == 0 ? text.data : text.data + start, text.size - start);
}

struct slice unicode_trim_right(struct slice text)
{
    while (text.size > 0) {
        size_t at = text.size - 1;
        while (at > 0 && (text.data[at] & 0xc0) == 0x80) {
            at--;
        }
        size_t next = at;
        if (!is_white(text_utf8_next(text, &next))) {
            break;
        }
        text.size = at;
    }
    return text;
}

struct slice unicode_reverse(struct arena *arena, struct slice text)
{
    uint8_t *out = (uint8_t *)arena_alloc(arena, text.size);
    size_t at = 0;

    while (at < text.size) {
        size_t start = at;
        (void)text_utf8_next(text, &at);
        for (size_t i = start; i < at; i++) {
            out[text.size - at + (i - start)] = text.data[i];
        }
    }
    return slice_of(out, text.size);
}

struct slice unicode_substring(struct slice text, size_t from, size_t to)
{
    size_t start = text_utf16_offset(text, from);
    size_t end = text_utf16_offset(text, to);

    if (end <= start) {
        return slice_of(text.data, 0);
    }
    return slice_of(text.data + start, end - start);
}
