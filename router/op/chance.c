#include "router/op/chance.h"

#include <assert.h>

/* Knuth's linear congruential generator as java.util.Random's documentation states it. */
static const uint64_t LCG_FACTOR = 0x5DEECE66Du;
static const uint64_t LCG_ADD = 0xBu;
static const uint64_t LCG_MASK = (UINT64_C(1) << 48) - 1;

void chance_open(struct chance *chance, const struct exec *exec)
{
    const struct value *seed = &exec->plan->seed;

    chance->is_seeded = seed->kind == VALUE_INT || seed->kind == VALUE_LONG;
    if (chance->is_seeded) {
        chance->state = ((uint64_t)seed->integer ^ LCG_FACTOR) & LCG_MASK;
    }
}

static uint64_t next_bits(struct chance *chance, uint32_t bits)
{
    chance->state = (chance->state * LCG_FACTOR + LCG_ADD) & LCG_MASK;
    return chance->state >> (48 - bits);
}

double chance_real(struct chance *chance, struct exec *exec)
{
    uint64_t high;

    if (!chance->is_seeded) {
        return prng_real(&exec->prng);
    }
    high = next_bits(chance, 26) << 27;
    return (double)(high + next_bits(chance, 27)) * 0x1p-53;
}

uint32_t chance_below(struct chance *chance, struct exec *exec, uint32_t bound)
{
    uint64_t bits, rest;

    assert(bound > 0 && bound <= INT32_MAX);
    if (!chance->is_seeded) {
        return (uint32_t)prng_below(&exec->prng, bound);
    }
    if ((bound & (bound - 1)) == 0) {
        return (uint32_t)((bound * next_bits(chance, 31)) >> 31);
    }
    do {
        bits = next_bits(chance, 31);
        rest = bits % bound;
    } while (bits - rest + (bound - 1) > INT32_MAX);
    return (uint32_t)rest;
}
