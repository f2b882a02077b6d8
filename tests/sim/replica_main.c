/* The simulated replicas: one seed, or many. */
#include "tests/sim/replica_sim.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    REPEAT_EVERY = 100,  /* Seeds that are run twice, for the fingerprint. */
    PROGRESS_SEEDS = 100 /* From so many on, each kind of event must have come. */
};

struct field {
    const char *name;
    size_t offset;
};

#define FIELD(name)                                  \
    {                                                \
#name, offsetof(struct world_counters, name) \
    }

static const struct field fields[] = {
    FIELD(writes),    FIELD(reads),          FIELD(failovers),        FIELD(elr_elections),
    FIELD(shrinks),   FIELD(grows),          FIELD(truncations),      FIELD(snapshots),
    FIELD(handovers), FIELD(reloads),        FIELD(crashes),          FIELD(wipes),
    FIELD(messages),  FIELD(replicas_added), FIELD(replicas_removed), FIELD(boots_refused)};

enum { FIELDS = sizeof fields / sizeof fields[0] };

static uint64_t value_of(const struct world_counters *counters, size_t field)
{
    uint64_t value;

    memcpy(&value, (const char *)counters + fields[field].offset, sizeof value);
    return value;
}

static bool is_repeated(uint64_t seed, const struct replica_result *first)
{
    struct replica_result second;

    replica_sim_run(seed, false, &second);
    return first->fingerprint == second.fingerprint;
}

static int run_many(uint64_t first, uint64_t count)
{
    uint64_t sums[FIELDS] = {0};
    uint64_t bad = 0;

    for (uint64_t seed = first; seed < first + count; seed++) {
        struct replica_result result;
        replica_sim_run(seed, false, &result);
        if (!result.is_good) {
            (void)printf("seed %" PRIu64 ": %s\n", seed, result.why);
            bad++;
        } else if ((seed - first) % REPEAT_EVERY == 0 && !is_repeated(seed, &result)) {
            (void)printf("seed %" PRIu64 ": another fingerprint at a repeat\n", seed);
            bad++;
        }
        for (size_t i = 0; i < FIELDS; i++) {
            sums[i] += value_of(&result.counters, i);
        }
    }
    (void)printf("%" PRIu64 " seeds, %" PRIu64 " bad:", count, bad);
    for (size_t i = 0; i < FIELDS; i++) {
        (void)printf(" %s %" PRIu64, fields[i].name, sums[i]);
        if (count >= PROGRESS_SEEDS && sums[i] < count / 20) {
            (void)printf(" (too few)");
            bad++;
        }
    }
    (void)printf("\n");
    return bad == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

int main(int argc, char **argv)
{
    struct replica_result result;

    if (argc == 4 && strcmp(argv[1], "--seeds") == 0) {
        return run_many(strtoull(argv[2], NULL, 10), strtoull(argv[3], NULL, 10));
    }
    if (argc != 2) {
        (void)fprintf(stderr, "usage: sim_replicas SEED | --seeds FROM COUNT\n");
        return 2;
    }
    replica_sim_run(strtoull(argv[1], NULL, 10), true, &result);
    (void)printf("seed %s: %s, fingerprint %016" PRIx64 "\n", argv[1],
                 result.is_good ? "good" : result.why, result.fingerprint);
    return result.is_good ? EXIT_SUCCESS : EXIT_FAILURE;
}
