/* Leaves out one rule of replication after the other: a seed must notice each in time. */
#include "common/mutation.h"
#include "tests/sim/replica_sim.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* Seeds. What needs hundreds of them is left to the long suite, which asks for all. */
enum { BUDGET = 1000, LONG_BUDGET = 10000, CAUGHT = 10 };

static const struct row {
    enum mutation mutation;
    const char *name;
    uint64_t budget;
} rows[] = {
    {MUTATION_REPLICATION_NO_LEASE_WAIT, "no_lease_wait", LONG_BUDGET},
    {MUTATION_REPLICATION_NO_MAX_ISR, "no_max_isr", BUDGET},
    {MUTATION_REPLICATION_NO_EPOCH_CHECK, "no_epoch_check", BUDGET},
    {MUTATION_REPLICATION_ANY_LEADER, "any_leader", BUDGET},
    {MUTATION_REPLICATION_NO_BOOT_RULE, "no_boot_rule", BUDGET},
    {MUTATION_REPLICATION_ACK_UNVERIFIED, "ack_unverified", BUDGET},
    {MUTATION_REPLICATION_COMMIT_BELOW_MIN, "commit_below_min", BUDGET},
    {MUTATION_REPLICATION_READ_NO_LEASE, "read_no_lease", BUDGET},
    {MUTATION_REPLICATION_ACK_EARLY, "ack_early", BUDGET},
    {MUTATION_REPLICATION_SHRINK_EARLY, "shrink_early", BUDGET},
    {MUTATION_REPLICATION_SERVE_BELOW_MIN, "serve_below_min", LONG_BUDGET},
    {MUTATION_REPLICATION_LEASE_OF_ISR_ONLY, "lease_of_isr_only", LONG_BUDGET},
    {MUTATION_REPLICATION_ANY_BOOT, "any_boot", BUDGET},
};

_Static_assert(sizeof rows / sizeof rows[0] ==
                   MUTATION_REPLICATION_LAST - MUTATION_REPLICATION_FIRST + 1,
               "a row for each mutation");

/* In a process of its own: an assertion that fails is a finding too. */
static int hunt(const struct row *row, int pipe_end, uint64_t budget)
{
    mutation_set(row->mutation);
    for (uint64_t seed = 1; seed <= budget; seed++) {
        struct replica_result result;
        (void)!write(pipe_end, &seed, sizeof seed);
        replica_sim_run(seed, false, &result);
        if (!result.is_good) {
            (void)printf("%-20s caught after %" PRIu64 " seeds: %s\n", row->name, seed, result.why);
            (void)fflush(stdout);
            return CAUGHT;
        }
    }
    return 0;
}

static bool is_caught(const struct row *row, uint64_t budget)
{
    int ends[2];
    int status = 0;
    uint64_t seed = 0;
    pid_t child;

    (void)fflush(stdout);
    if (pipe(ends) != 0 || (child = fork()) < 0) {
        return false;
    }
    if (child == 0) {
        (void)close(ends[0]);
        if (freopen("/dev/null", "w", stderr) == NULL) {
            _exit(1);
        }
        _exit(hunt(row, ends[1], budget));
    }
    (void)close(ends[1]);
    while (read(ends[0], &seed, sizeof seed) == (ssize_t)sizeof seed) {
    }
    (void)close(ends[0]);
    if (waitpid(child, &status, 0) != child) {
        return false;
    }
    if (WIFSIGNALED(status)) {
        (void)printf("%-20s caught after %" PRIu64 " seeds: assertion (signal %d)\n", row->name,
                     seed, WTERMSIG(status));
        return true;
    }
    if (WEXITSTATUS(status) != CAUGHT) {
        (void)printf("%-20s NOT CAUGHT in %" PRIu64 " seeds\n", row->name, budget);
        return false;
    }
    return true;
}

int main(int argc, char **argv)
{
    const char *only = argc == 3 && strcmp(argv[1], "--only") == 0 ? argv[2] : NULL;
    bool is_all = argc == 2 && strcmp(argv[1], "--all") == 0;
    bool is_good = true;

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (only == NULL ? is_all || rows[i].budget == BUDGET : strcmp(only, rows[i].name) == 0) {
            is_good = is_caught(&rows[i], rows[i].budget) && is_good;
        }
    }
    return is_good ? EXIT_SUCCESS : EXIT_FAILURE;
}
