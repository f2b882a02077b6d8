/*
 * base64.h -- RFC 4648 section 4, padded.
 *
 * Pure.
 */
#ifndef ROUTER_WIRE_BASE64_H
#define ROUTER_WIRE_BASE64_H

#include "common/arena.h"
#include "common/bytes.h"

void base64_encode(struct bytes *out, struct slice bytes);
/* Padding may be missing. False on any other letter or size. */
bool base64_decode(struct arena *arena, struct slice text, struct slice *out);

#endif
