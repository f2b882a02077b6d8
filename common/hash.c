#include "common/hash.h"

#include <assert.h>
#include <xxhash.h>

uint64_t hash_bytes(const void *data, size_t size)
{
    assert(data != NULL || size == 0);
    return XXH64(data, size, 0);
}

uint64_t hash_u64(uint64_t v)
{
    uint8_t text[8];

    for (int i = 7; i >= 0; i--) {
        text[i] = (uint8_t)v;
        v >>= 8;
    }
    return hash_bytes(text, sizeof text);
}
