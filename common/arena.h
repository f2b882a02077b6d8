/*
 * arena.h -- memory that is released all at once: a query's, a batch's, a message's.
 *
 * Blocks grow by doubling up to 1 MiB; larger requests get a block of their own. When more than
 * limit bytes are in use, `is_exceeded` is set and allocation goes on: whoever runs the query looks
 * at the flag after each batch and ends it with E_LIMIT. So no allocation needs a check.
 *
 * A mark remembers how far an arena has got; arena_release gives back all that came after it, so
 * that work in batches, each within the one before, holds no more than the batches under way.
 *
 * Ownership: the arena owns all it gave. An all-zero arena is a valid closed one.
 */
#ifndef COMMON_ARENA_H
#define COMMON_ARENA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct arena_block;

struct arena {
    struct arena_block *blocks; /* Newest first. */
    struct arena_block *spare;  /* Released, of BLOCK_MAX bytes; null: none. */
    uint64_t block_count;       /* Ever made: the number of the newest. */
    uint8_t *at;                /* Next free byte of the newest block. */
    size_t left_bytes;          /* Free in the newest block. */
    size_t used_bytes;          /* Given out since the last reset, with slack. */
    size_t limit_bytes;         /* 0: none. */
    bool is_exceeded;           /* used_bytes was above limit_bytes since the last release. */
};

/* All zero: the arena when it was empty. */
struct arena_mark {
    uint64_t block_count;
    uint8_t *at;
    size_t left_bytes;
    size_t used_bytes;
};

void arena_init(struct arena *arena, size_t limit_bytes);

/* Releases all; the arena is closed (all zero) afterwards. */
void arena_close(struct arena *arena);

/* Forgets all that was given but keeps one block for reuse. The limit stays, the flag goes. */
void arena_reset(struct arena *arena);

struct arena_mark arena_mark(const struct arena *arena);
/* Releases all that was given since the mark. Marks made since then are void. The flag says how it
 * is then. */
void arena_release(struct arena *arena, const struct arena_mark *mark);

/* Gives size bytes, not zeroed, aligned to 16. */
void *arena_alloc(struct arena *arena, size_t size);

/* Gives zeroed memory for count things of size bytes. */
void *arena_array(struct arena *arena, size_t count, size_t size);

/* Gives a copy of size bytes. */
void *arena_copy(struct arena *arena, const void *data, size_t size);

/* Gives a NUL terminated formatted text. */
char *arena_format(struct arena *arena, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#define ARENA_NEW(arena, type) ((type *)arena_array(arena, 1, sizeof(type)))

#endif
