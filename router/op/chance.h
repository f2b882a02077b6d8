/*
 * chance.h -- random numbers of one step: with SeedStrategy those of the Java platform's
 * java.util.Random, so that a seed gives what it gives in the reference; else the query's own.
 *
 * An all-zero struct is one that has not been opened. Nothing to close.
 */
#ifndef ROUTER_OP_CHANCE_H
#define ROUTER_OP_CHANCE_H

#include "router/op/exec.h"

struct chance {
    bool is_seeded;
    uint64_t state; /* With a seed: of the linear congruential generator. */
};

void chance_open(struct chance *chance, const struct exec *exec);
/* Uniform in [0, 1). */
double chance_real(struct chance *chance, struct exec *exec);
/* Uniform in [0, bound); bound from 1 to INT32_MAX. */
uint32_t chance_below(struct chance *chance, struct exec *exec, uint32_t bound);

#endif
