/*
 * bulk.h -- how many equal traversers stand together: sums and products that stop at BULK_MAX.
 *
 * A loop doubles a bulk with each round; after 64 of them a sum that wraps would be 0, and a
 * traverser that is there would be none. Counts in answers are signed, so the greatest is that
 * of a long.
 *
 * Pure.
 */
#ifndef COMMON_BULK_H
#define COMMON_BULK_H

#include <stdint.h>

#define BULK_MAX ((uint64_t)INT64_MAX)

/* Neither is above BULK_MAX. */
static inline uint64_t bulk_add(uint64_t a, uint64_t b)
{
    uint64_t sum = a + b;

    return sum < BULK_MAX ? sum : BULK_MAX;
}

static inline uint64_t bulk_mul(uint64_t a, uint64_t b)
{
    uint64_t product;

    if (__builtin_mul_overflow(a, b, &product) || product > BULK_MAX) {
        return BULK_MAX;
    }
    return product;
}

#endif
