/*
 * text.h -- numbers, sizes and spans out of text, strictly; UTF-8; and the name somebody meant.
 *
 * Strictly: the whole text, no blanks, no overflow; false otherwise, and *out is untouched.
 * LC_NUMERIC is "C" in every program (nobody calls setlocale for it).
 *
 * Pure.
 */
#ifndef COMMON_TEXT_H
#define COMMON_TEXT_H

#include "common/bytes.h"

enum {
    TEXT_NAME_MAX = 64 /* text_nearest looks at no longer names. */
};

bool text_to_i64(struct slice text, int64_t *out);
bool text_to_u64(struct slice text, uint64_t *out);
/* Decimal or exponent form, and NaN, Infinity, -Infinity, +Infinity as Gremlin writes them. */
bool text_to_double(struct slice text, double *out);
/* Bytes: a whole number with B, KB, MB, GB, TB (powers of 1000), KiB ... TiB (of 1024), or
 * nothing. */
bool text_to_size(struct slice text, uint64_t *out);
/* Milliseconds: whole numbers with ms, s, m, h, d, largest first ("1h30m"); a bare 0 is zero. */
bool text_to_duration(struct slice text, uint64_t *out_ms);
/* "true" or "false". */
bool text_to_bool(struct slice text, bool *out);

/* Well formed UTF-8: no surrogates, shortest forms, at most U+10FFFF. */
bool text_is_utf8(struct slice text);
/* The code point at *at (in a well formed text), which is moved behind it. */
uint32_t text_utf8_next(struct slice text, size_t *at);
/* Appends a code point; one that is not a scalar value as U+FFFD. */
void text_utf8_put(struct bytes *out, uint32_t point);
/* Code units in UTF-16: what Java calls the length. */
size_t text_utf16_length(struct slice text);
/* Where UTF-16 code unit index is, in bytes; text.size if that is past the end. Never inside a
 * pair. */
size_t text_utf16_offset(struct slice text, size_t index);

bool text_equal_nocase(struct slice a, struct slice b);
/* The candidate that `name` may have been meant as: at most a third of its letters differ, case
 * aside. Null if none is near. */
const char *text_nearest(struct slice name, const char *const *candidates, size_t count);

#endif
