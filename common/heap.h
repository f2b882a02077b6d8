/*
 * heap.h -- a binary heap: the smallest key first. Timers, top-k, merging.
 *
 * Among equal keys the order is not said. Pure. Ownership: close it. An all-zero heap is an empty
 * one.
 */
#ifndef COMMON_HEAP_H
#define COMMON_HEAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct heap_entry {
    uint64_t key;
    uint64_t value;
};

struct heap {
    struct heap_entry *entries; /* entries[0] is the smallest. */
    size_t count;
    size_t room;
};

void heap_close(struct heap *heap);
void heap_push(struct heap *heap, uint64_t key, uint64_t value);
/* The smallest, or null. Valid until the next change. */
const struct heap_entry *heap_top(const struct heap *heap);
/* Takes the smallest out; false if there is none. */
bool heap_pop(struct heap *heap, struct heap_entry *out);
/* Takes out the first entry with that value, whatever its key; looks at all. False if there is
 * none. */
bool heap_remove(struct heap *heap, uint64_t value);

#endif
