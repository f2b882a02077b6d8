/*
 * replica_sim.h -- one run of the simulated replicas: a function of its seed.
 */
#ifndef TESTS_SIM_REPLICA_SIM_H
#define TESTS_SIM_REPLICA_SIM_H

#include "tests/sim/replica_world.h"

struct replica_result {
    bool is_good;
    char why[240];
    uint64_t fingerprint;
    struct world_counters counters;
};

void replica_sim_run(uint64_t seed, bool is_verbose, struct replica_result *result);

#endif
