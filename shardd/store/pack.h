/*
 * pack.h -- columns of integers in few bits: all of one width, around a base.
 *
 *   head byte: width (0..56 or 64), bit 7: differences    zigzag first or least
 *   [zigzag least difference]                             bits, low ones first
 *
 * Either the values themselves, less the least one, or the differences of neighbours, less the
 * least one: whichever is shorter. So consecutive ids take no bits at all, and nothing is read with
 * a branch a value.
 *
 * Pure. The count is kept by the caller. Stored: never change the form.
 * After: Zukowski et al., Super-Scalar RAM-CPU Cache Compression (2006), section 3: frame of
 * reference.
 */
#ifndef SHARDD_STORE_PACK_H
#define SHARDD_STORE_PACK_H

#include "common/reader.h"

void pack_encode(struct bytes *out, const int64_t *values, size_t count);
/* Reads count values. Spoils the reader on bad form: then the values are not set. */
void pack_decode(struct reader *reader, int64_t *values, size_t count);
/* Steps over a column without reading it. */
void pack_skip(struct reader *reader, size_t count);

#endif
