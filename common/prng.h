/*
 * prng.h -- repeatable random numbers: the same seed gives the same sequence on every machine.
 *
 * Not for secrets.
 *
 * Pure. After: Blackman and Vigna, xoshiro256**; seeded by splitmix64.
 */
#ifndef COMMON_PRNG_H
#define COMMON_PRNG_H

#include <stdbool.h>
#include <stdint.h>

struct prng {
    uint64_t state[4]; /* Never all zero after prng_init. */
};

void prng_init(struct prng *prng, uint64_t seed);
uint64_t prng_next(struct prng *prng);
/* Uniform in [0, bound), bound > 0. */
uint64_t prng_below(struct prng *prng, uint64_t bound);
/* Uniform in [0, 1). */
double prng_real(struct prng *prng);
/* True with the given probability; 0 never, 1 always. */
bool prng_chance(struct prng *prng, double probability);

#endif
