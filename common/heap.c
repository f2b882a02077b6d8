#include "common/heap.h"

#include <assert.h>

#include "common/mem.h"

enum { ROOM_MIN = 16 };

void heap_close(struct heap *heap)
{
    mem_free(heap->entries);
    *heap = (struct heap){0};
}

static void rise(struct heap *heap, size_t at)
{
    struct heap_entry entry = heap->entries[at];

    while (at > 0 && heap->entries[(at - 1) / 2].key > entry.key) {
        heap->entries[at] = heap->entries[(at - 1) / 2];
        at = (at - 1) / 2;
    }
    heap->entries[at] = entry;
}

static void sink(struct heap *heap, size_t at)
{
    struct heap_entry entry = heap->entries[at];

    for (;;) {
        size_t child = 2 * at + 1;
        if (child + 1 < heap->count && heap->entries[child + 1].key < heap->entries[child].key) {
            child++;
        }
        if (child >= heap->count || heap->entries[child].key >= entry.key) {
            break;
        }
        heap->entries[at] = heap->entries[child];
        at = child;
    }
    heap->entries[at] = entry;
}

void heap_push(struct heap *heap, uint64_t key, uint64_t value)
{
    if (heap->count == heap->room) {
        heap->room = heap->room == 0 ? ROOM_MIN : heap->room * 2;
        heap->entries =
            (struct heap_entry *)mem_resize(heap->entries, heap->room * sizeof *heap->entries);
    }
    heap->entries[heap->count++] = (struct heap_entry){key, value};
    rise(heap, heap->count - 1);
}

const struct heap_entry *heap_top(const struct heap *heap)
{
    return heap->count == 0 ? NULL : heap->entries;
}

static void take_out(struct heap *heap, size_t at)
{
    assert(at < heap->count);
    heap->count--;
    if (at == heap->count) {
        return;
    }
    heap->entries[at] = heap->entries[heap->count];
    sink(heap, at);
    rise(heap, at);
}

bool heap_pop(struct heap *heap, struct heap_entry *out)
{
    if (heap->count == 0) {
        return false;
    }
    *out = heap->entries[0];
    take_out(heap, 0);
    return true;
}

bool heap_remove(struct heap *heap, uint64_t value)
{
    for (size_t i = 0; i < heap->count; i++) {
        if (heap->entries[i].value == value) {
            take_out(heap, i);
            return true;
        }
    }
    return false;
}
