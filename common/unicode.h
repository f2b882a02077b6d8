/*
 * unicode.h -- what Java does to text: toUpperCase, toLowerCase, trim, by full Unicode rules.
 *
 * Full case mapping, independent of language (Locale.ROOT): one letter may become several, a sigma
 * at the end of a word has its own form. Results are in the arena.
 *
 * Pure. After: the Unicode Standard 3.13, java.lang.String.
 */
#ifndef COMMON_UNICODE_H
#define COMMON_UNICODE_H

#include "common/arena.h"
#include "common/bytes.h"

struct slice unicode_upper(struct arena *arena, struct slice text);
struct slice unicode_lower(struct arena *arena, struct slice text);
/* White space at the start, at the end: Character.isWhitespace, as strip() sees it. Points into
 * text. */
struct slice unicode_trim_left(struct slice text);
struct slice unicode_trim_right(struct slice text);
/* Code points back to front, as StringBuilder.reverse(). */
struct slice unicode_reverse(struct arena *arena, struct slice text);
/* From UTF-16 unit `from` up to `to`, both cut to the text; a pair is never cut in two. */
struct slice unicode_substring(struct slice text, size_t from, size_t to);

#endif
