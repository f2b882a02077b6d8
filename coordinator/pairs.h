/*
 * pairs.h -- a MAP with texts as keys, for answers to operators, while it is put together.
 *
 * Pure. Texts and values are borrowed. Limits: PAIRS_MAX pairs.
 */
#ifndef COORDINATOR_PAIRS_H
#define COORDINATOR_PAIRS_H

#include "common/value.h"

enum { PAIRS_MAX = 24 };

struct pairs {
    struct value items[2 * PAIRS_MAX];
    size_t count;
};

void pairs_put(struct pairs *pairs, const char *key, struct value value);
void pairs_number(struct pairs *pairs, const char *key, uint64_t number);
struct value pairs_finish(struct arena *arena, const struct pairs *pairs);

#endif
