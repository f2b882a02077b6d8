#include "coordinator/pairs.h"

#include <assert.h>

void pairs_put(struct pairs *pairs, const char *key, struct value value)
{
    assert(pairs->count < PAIRS_MAX);
    pairs->items[2 * pairs->count] = value_cstring(key);
    pairs->items[2 * pairs->count + 1] = value;
    pairs->count++;
}

void pairs_number(struct pairs *pairs, const char *key, uint64_t number)
{
    pairs_put(pairs, key, value_long((int64_t)number));
}

struct value pairs_finish(struct arena *arena, const struct pairs *pairs)
{
    return value_items(arena, VALUE_MAP, pairs->items, pairs->count);
}
