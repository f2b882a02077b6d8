#include <assert.h>
#include <string.h>

#include "common/bytes.h"

struct slice slice_of(const void *data, size_t size)
{
    assert(data != NULL || size == 0);
    return (struct slice){(const uint8_t *)data, size};
}

struct slice slice_text(const char *text)
{
    assert(text != NULL);
    return (struct slice){(const uint8_t *)text, strlen(text)};
}

bool slice_equal(struct slice a, struct slice b)
{
    return a.size == b.size && (a.size == 0 || memcmp(a.data, b.data, a.size) == 0);
}

int slice_compare(struct slice a, struct slice b)
{
    size_t size = a.size < b.size ? a.size : b.size;
    int order = size == 0 ? 0 : memcmp(a.data, b.data, size);

    if (order != 0) {
        return order;
    }
    return (a.size > b.size) - (a.size < b.size);
}
