/* Leaves out one rule of the protocol after the other: the checkers must notice each in time. */
#include "common/mutation.h"
#include "tests/sim/sim.h"

#include <argp.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* Seeds. What needs hundreds of them is left to the long suite, which asks for it by name. */
enum { BUDGET = 1000, LONG_BUDGET = 5000, CAUGHT = 10 };

static const struct row {
    enum mutation mutation;
    const char *name;
    uint32_t budget;
} rows[] = {
    {MUTATION_READ_ONLY_UNVALIDATED, "read_only_unvalidated", BUDGET},
    {MUTATION_READS_IGNORE_LOCKS, "reads_ignore_locks", BUDGET},
    {MUTATION_PREPARE_LOCKS_NO_READS, "prepare_locks_no_reads", BUDGET},
    {MUTATION_LEADER_SKIPS_NOOP, "leader_skips_noop", BUDGET},
    {MUTATION_TXN_NOT_REMEMBERED, "txn_not_remembered", BUDGET},
    {MUTATION_NO_FINISHED, "no_finished", BUDGET},
    {MUTATION_VALIDATE_EARLY, "validate_early", BUDGET},
    {MUTATION_ANSWER_EARLY, "answer_early", BUDGET},
    {MUTATION_ABORT_ALONE, "abort_alone", BUDGET},
    {MUTATION_NO_TERM, "no_term", LONG_BUDGET},
    {MUTATION_NO_ABORT_MEMORY, "no_abort_memory", BUDGET},
    {MUTATION_READS_IGNORE_DECIDED, "reads_ignore_decided", BUDGET},
    {MUTATION_VOTE_UNREPLICATED, "vote_unreplicated", BUDGET},
    {MUTATION_PARTIAL_FORGOTTEN, "partial_forgotten", BUDGET},
    {MUTATION_TWO_LIVES, "two_lives", LONG_BUDGET},
};

/* Those of replication: replica_mutations.c. */
_Static_assert(sizeof rows / sizeof rows[0] == MUTATION_REPLICATION_FIRST - 1,
               "a row for each mutation");

struct options {
    uint64_t first;
    uint64_t budget;
    const char *only;
};

static const struct argp_option option_list[] = {
    {"only", 'o', "NAME", 0, "this one", 0},
    {"first", 'f', "SEED", 0, "start there (default: 1)", 0},
    {"budget", 'b', "SEEDS", 0, "instead of each row's own", 0},
    {0}};

static error_t parse_option(int key, char *arg, struct argp_state *state)
{
    struct options *options = state->input;

    switch (key) {
    case 'o':
        options->only = arg;
        return 0;
    case 'f':
        options->first = strtoull(arg, NULL, 10);
        return 0;
    case 'b':
        options->budget = strtoull(arg, NULL, 10);
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp parser = {
    option_list, parse_option,
    NULL,        "Proves that the simulator's checkers notice when a rule is left out.",
    NULL,        NULL,
    NULL};

static void print_first_line(const struct bytes *why)
{
    size_t size = 0;

    while (size < why->size && why->data[size] != '\n') {
        size++;
    }
    (void)printf("%.*s\n", (int)size, (const char *)why->data);
}

/* In a process of its own: an assertion that fails is a finding too. */
static int hunt(const struct row *row, uint64_t first, uint64_t budget)
{
    mutation_set(row->mutation);
    for (uint64_t i = 0; i < budget; i++) {
        struct sim_options options = {.seed = first + i};
        struct sim_result result;
        sim_run(&options, &result);
        if (!result.is_good) {
            (void)printf("%-24s caught after %" PRIu64 " seeds (seed %" PRIu64 "): ", row->name,
                         i + 1, first + i);
            print_first_line(&result.why);
            (void)fflush(stdout);
            bytes_close(&result.why);
            return CAUGHT;
        }
        bytes_close(&result.why);
    }
    return 0;
}

static bool is_caught(const struct row *row, uint64_t first, uint64_t budget)
{
    int status = 0;
    pid_t child;

    (void)fflush(stdout);
    child = fork();
    if (child == 0) {
        _exit(hunt(row, first, budget));
    }
    if (child < 0 || waitpid(child, &status, 0) != child) {
        return false;
    }
    if (WIFSIGNALED(status)) {
        (void)printf("%-24s caught by an assertion (signal %d)\n", row->name, WTERMSIG(status));
        return true;
    }
    if (WEXITSTATUS(status) != CAUGHT) {
        (void)printf("%-24s NOT CAUGHT in %" PRIu64 " seeds\n", row->name, budget);
        return false;
    }
    return true;
}

int main(int argc, char **argv)
{
    struct options options = {.first = 1};
    bool is_good = true;

    (void)argp_parse(&parser, argc, argv, 0, NULL, &options);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        bool is_wanted = options.only == NULL ? rows[i].budget == BUDGET
                                              : strcmp(options.only, rows[i].name) == 0;
        if (is_wanted) {
            uint64_t budget = options.budget != 0 ? options.budget : rows[i].budget;
            is_good = is_caught(&rows[i], options.first, budget) && is_good;
        }
    }
    return is_good ? EXIT_SUCCESS : EXIT_FAILURE;
}
