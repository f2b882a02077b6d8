/*
 * mem.h -- the heap. Failure aborts: what a user can grow has a limit long before this one.
 *
 * Only mem.c and arena.c call malloc.
 */
#ifndef COMMON_MEM_H
#define COMMON_MEM_H

#include <stddef.h>

/* Gives zeroed memory; size may be 0 (null). */
void *mem_alloc(size_t size);

/* Gives zeroed memory for count things of size bytes; asserts that the product fits. */
void *mem_array(size_t count, size_t size);

/* As realloc(); new bytes are not zeroed. */
void *mem_resize(void *old, size_t size);

/* Gives a copy of size bytes. */
void *mem_copy(const void *data, size_t size);

/* Gives a NUL terminated copy. */
char *mem_text(const char *text);

/* Accepts null. */
void mem_free(void *memory);

#endif
