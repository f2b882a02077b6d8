#include "common/arena.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Under AddressSanitizer what was not given out cannot be touched: use after a reset is found. */
#ifdef __has_feature
#if __has_feature(address_sanitizer)
#define ARENA_POISON
#endif
#elif defined(__SANITIZE_ADDRESS__)
#define ARENA_POISON
#endif

#ifdef ARENA_POISON
#include <sanitizer/asan_interface.h>
#else
#define ASAN_POISON_MEMORY_REGION(at, size)   ((void)(at), (void)(size))
#define ASAN_UNPOISON_MEMORY_REGION(at, size) ((void)(at), (void)(size))
#endif

enum { ALIGN = 16, BLOCK_MIN = 4096, BLOCK_MAX = 1 << 20 };

struct arena_block {
    struct arena_block *next;
    size_t size;     /* Bytes after this header. */
    uint64_t number; /* Of the arena's blocks, in the order they were made. */
    uint64_t unused;
};

_Static_assert(sizeof(struct arena_block) % ALIGN == 0, "what follows the header is aligned");

static struct arena_block *block_new(struct arena *arena, size_t size)
{
    struct arena_block *block = arena->spare;

    if (block != NULL && block->size == size) {
        arena->spare = NULL;
    } else {
        block = (struct arena_block *)malloc(sizeof *block + size);
    }
    if (block == NULL) {
        (void)fprintf(stderr, "out of memory: %zu bytes\n", size);
        abort();
    }
    block->size = size;
    block->number = ++arena->block_count;
    ASAN_POISON_MEMORY_REGION(block + 1, size);
    return block;
}

static void block_free(struct arena_block *block)
{
    if (block != NULL) {
        ASAN_UNPOISON_MEMORY_REGION(block + 1, block->size);
        free(block);
    }
}

static uint8_t *block_start(struct arena_block *block)
{
    return (uint8_t *)(block + 1);
}

void arena_init(struct arena *arena, size_t limit_bytes)
{
    *arena = (struct arena){.limit_bytes = limit_bytes};
}

void arena_close(struct arena *arena)
{
    struct arena_block *block = arena->blocks;

    while (block != NULL) {
        struct arena_block *next = block->next;
        block_free(block);
        block = next;
    }
    block_free(arena->spare);
    *arena = (struct arena){0};
}

struct arena_mark arena_mark(const struct arena *arena)
{
    return (struct arena_mark){arena->blocks == NULL ? 0 : arena->block_count, arena->at,
                               arena->left_bytes, arena->used_bytes};
}

/* One that may be needed again at once is kept. */
static void retire(struct arena *arena, struct arena_block *block)
{
    if (block->size == BLOCK_MAX && arena->spare == NULL) {
        ASAN_POISON_MEMORY_REGION(block + 1, block->size);
        arena->spare = block;
    } else {
        block_free(block);
    }
}

void arena_release(struct arena *arena, const struct arena_mark *mark)
{
    struct arena_block **at = &arena->blocks;

    assert(mark->used_bytes <= arena->used_bytes);
    /* Behind those that are newer there is the newest of then, and behind it large ones that came
     * since; the rest is older. */
    for (bool is_first = true; *at != NULL; is_first = false) {
        while (*at != NULL && (*at)->number > mark->block_count) {
            struct arena_block *block = *at;
            *at = block->next;
            retire(arena, block);
        }
        if (*at == NULL || !is_first) {
            break;
        }
        at = &(*at)->next;
    }
    arena->at = mark->at;
    arena->left_bytes = mark->left_bytes;
    arena->used_bytes = mark->used_bytes;
    arena->is_exceeded = arena->limit_bytes != 0 && arena->used_bytes > arena->limit_bytes;
    if (arena->left_bytes > 0) {
        ASAN_POISON_MEMORY_REGION(arena->at, arena->left_bytes);
    }
}

void arena_reset(struct arena *arena)
{
    struct arena_block *keep = NULL;
    struct arena_block *block = arena->blocks;

    while (block != NULL) {
        struct arena_block *next = block->next;
        /* A huge block is not kept: one large batch would pin its memory for good. */
        if (block->size <= BLOCK_MAX && (keep == NULL || block->size > keep->size)) {
            block_free(keep);
            keep = block;
        } else {
            block_free(block);
        }
        block = next;
    }
    *arena = (struct arena){.blocks = keep,
                            .spare = arena->spare,
                            .block_count = arena->block_count,
                            .limit_bytes = arena->limit_bytes};
    if (keep != NULL) {
        keep->next = NULL;
        arena->at = block_start(keep);
        arena->left_bytes = keep->size;
        ASAN_POISON_MEMORY_REGION(arena->at, keep->size);
    }
}

/* A request too large to share a block gets its own, put behind the newest one, so that what is
 * left there is still used. */
static void *alloc_own(struct arena *arena, size_t size)
{
    struct arena_block *block = block_new(arena, size);

    ASAN_UNPOISON_MEMORY_REGION(block + 1, size);
    if (arena->blocks == NULL) {
        block->next = NULL;
        arena->blocks = block;
        arena->at = block_start(block) + size;
        arena->left_bytes = 0;
    } else {
        block->next = arena->blocks->next;
        arena->blocks->next = block;
    }
    return block_start(block);
}

static void grow(struct arena *arena, size_t least)
{
    size_t size = arena->blocks == NULL ? BLOCK_MIN : arena->blocks->size * 2;
    struct arena_block *block;

    assert(least <= BLOCK_MAX);
    while (size < least || size < BLOCK_MIN) {
        size = size < BLOCK_MIN ? BLOCK_MIN : size * 2;
    }
    if (size > BLOCK_MAX) {
        size = BLOCK_MAX;
    }
    block = block_new(arena, size);
    block->next = arena->blocks;
    arena->blocks = block;
    arena->at = block_start(block);
    arena->left_bytes = size;
}

void *arena_alloc(struct arena *arena, size_t size)
{
    size_t asked = size;
    void *memory;

    assert(size <= SIZE_MAX / 2);
    size = size == 0 ? ALIGN : (size + ALIGN - 1) & ~(size_t)(ALIGN - 1);
    arena->used_bytes += size;
    if (arena->limit_bytes != 0 && arena->used_bytes > arena->limit_bytes) {
        arena->is_exceeded = true;
    }
    if (arena->left_bytes < size) {
        if (size > BLOCK_MAX / 4) {
            return alloc_own(arena, size);
        }
        grow(arena, size);
    }
    memory = arena->at;
    ASAN_UNPOISON_MEMORY_REGION(memory, asked);
    arena->at += size;
    arena->left_bytes -= size;
    return memory;
}

void *arena_array(struct arena *arena, size_t count, size_t size)
{
    void *memory;

    assert(size == 0 || count <= SIZE_MAX / 2 / size);
    memory = arena_alloc(arena, count * size);
    memset(memory, 0, count * size);
    return memory;
}

void *arena_copy(struct arena *arena, const void *data, size_t size)
{
    void *memory = arena_alloc(arena, size);

    if (size > 0) {
        assert(data != NULL);
        memcpy(memory, data, size);
    }
    return memory;
}

char *arena_format(struct arena *arena, const char *format, ...)
{
    va_list args;
    char *text;
    int size;

    va_start(args, format);
    size = vsnprintf(NULL, 0, format, args);
    va_end(args);
    assert(size >= 0);
    text = (char *)arena_alloc(arena, (size_t)size + 1);
    va_start(args, format);
    (void)vsnprintf(text, (size_t)size + 1, format, args);
    va_end(args);
    return text;
}
