/*
 * sim.h -- one run: a cluster, clients and a nemesis from a seed, then healing, then the checkers.
 *
 *   set up -> faults and load until until_ms -> heal: all that was asked must be answered ->
 * final reads
 *   -> stop -> files compared -> histories checked
 *
 * Units: milliseconds of simulated time.
 */
#ifndef TESTS_SIM_SIM_H
#define TESTS_SIM_SIM_H

#include "common/bytes.h"
#include "tests/sim/nemesis.h"

struct sim_options {
    uint64_t seed;
    uint64_t until_ms; /* Of load; 0: drawn from the seed. */
    uint32_t replicas; /* Of a shard; 0: drawn from the seed. */
    bool is_verbose;
};

struct sim_result {
    bool is_good;
    struct bytes why; /* If not: what is wrong, first line short. Close it. */
    uint64_t fingerprint;
    uint64_t simulated_ms;
    uint64_t messages, turns, crashes, cuts, sectors_lost, pauses, leaves;
    struct cluster_replication replication;
    struct nemesis_counters faults;
    uint32_t commits, aborts, unknowns, session_commits;
    uint64_t decided; /* Commits over several shards. */
    uint32_t edges;   /* In the end. */
};

void sim_run(const struct sim_options *options, struct sim_result *result);

#endif
