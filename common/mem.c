#include "common/mem.h"

#include <assert.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *checked(void *memory, size_t size)
{
    if (memory == NULL) {
        (void)fprintf(stderr, "out of memory: %zu bytes\n", size);
        abort();
    }
    return memory;
}

void *mem_alloc(size_t size)
{
    return size == 0 ? NULL : checked(calloc(1, size), size);
}

void *mem_array(size_t count, size_t size)
{
    assert(size == 0 || count <= SIZE_MAX / size);
    return mem_alloc(count * size);
}

void *mem_resize(void *old, size_t size)
{
    if (size == 0) {
        free(old);
        return NULL;
    }
    return checked(realloc(old, size), size);
}

void *mem_copy(const void *data, size_t size)
{
    void *copy;

    if (size == 0) {
        return NULL;
    }
    assert(data != NULL);
    copy = checked(malloc(size), size);
    memcpy(copy, data, size);
    return copy;
}

char *mem_text(const char *text)
{
    assert(text != NULL);
    return (char *)mem_copy(text, strlen(text) + 1);
}

void mem_free(void *memory)
{
    free(memory);
}
