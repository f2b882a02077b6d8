/* The simulator: one seed, or many. */
#include "tests/sim/sim.h"

#include <argp.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { REPEAT_EVERY = 100 }; /* Of many seeds: run twice, for the fingerprint. */

struct options {
    uint64_t seed, count, until_ms, replicas;
    bool is_many, is_verbose;
    int args;
};

struct sums {
    uint64_t seeds, bad, decided;
    struct cluster_replication replication;
    struct nemesis_counters faults;
    uint64_t pauses, leaves;
    uint64_t commits, sessions, aborts, unknowns, crashes, cuts, sectors, messages, ms;
};

static const struct argp_option option_list[] = {
    {"seeds", 's', NULL, 0, "FROM COUNT: many seeds", 0},
    {"until", 'u', "MS", 0, "of load, in simulated time (default: by the seed)", 0},
    {"replicas", 'r', "N", 0, "of a shard (default: by the seed)", 0},
    {"verbose", 'v', NULL, 0, "tell what happens", 0},
    {0}};

static error_t parse_option(int key, char *arg, struct argp_state *state)
{
    struct options *options = state->input;

    switch (key) {
    case 's':
        options->is_many = true;
        return 0;
    case 'u':
        options->until_ms = strtoull(arg, NULL, 10);
        return 0;
    case 'r':
        options->replicas = strtoull(arg, NULL, 10);
        return 0;
    case 'v':
        options->is_verbose = true;
        return 0;
    case ARGP_KEY_ARG:
        if (options->args > 1) {
            argp_usage(state);
        }
        *(options->args++ == 0 ? &options->seed : &options->count) = strtoull(arg, NULL, 10);
        return 0;
    case ARGP_KEY_END:
        if (options->args != (options->is_many ? 2 : 1)) {
            argp_usage(state);
        }
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp parser = {option_list,
                                   parse_option,
                                   "SEED\n--seeds FROM COUNT",
                                   "A whole cluster in one thread, with a bad network, crashes and "
                                   "power cuts, and checkers. The same seed gives the same run."
                                   "\vExit codes: 0 all is well, 1 a violation, 2 wrong usage.",
                                   NULL,
                                   NULL,
                                   NULL};

/* Structs of counters. */
static void add_words(void *to, const void *from, size_t size)
{
    uint64_t *sums = to;
    const uint64_t *more = from;

    for (size_t i = 0; i < size / sizeof *sums; i++) {
        sums[i] += more[i];
    }
}

static void add(struct sums *sums, const struct sim_result *result)
{
    sums->seeds++;
    sums->bad += !result->is_good;
    sums->decided += result->decided;
    sums->commits += result->commits;
    sums->sessions += result->session_commits;
    sums->aborts += result->aborts;
    sums->unknowns += result->unknowns;
    sums->crashes += result->crashes;
    sums->cuts += result->cuts;
    sums->sectors += result->sectors_lost;
    sums->messages += result->messages;
    sums->ms += result->simulated_ms;
    sums->pauses += result->pauses;
    sums->leaves += result->leaves;
    add_words(&sums->replication, &result->replication, sizeof sums->replication);
    add_words(&sums->faults, &result->faults, sizeof sums->faults);
}

static void print_sums(const struct sums *sums)
{
    (void)printf(" commits %" PRIu64 " (over shards %" PRIu64 ", sessions %" PRIu64
                 ") aborts %" PRIu64 " unknown %" PRIu64 " crashes %" PRIu64 " (power cuts %" PRIu64
                 ", sectors lost %" PRIu64 ") messages %" PRIu64 " simulated_ms %" PRIu64 "\n",
                 sums->commits, sums->decided, sums->sessions, sums->aborts, sums->unknowns,
                 sums->crashes, sums->cuts, sums->sectors, sums->messages, sums->ms);
    (void)printf(
        "  replicas: elections %" PRIu64 " shrinks %" PRIu64 " grows %" PRIu64
        " truncations %" PRIu64 " snapshots %" PRIu64 " handovers %" PRIu64 "; pauses %" PRIu64
        " leaves %" PRIu64 " wiped %" PRIu64 " put back %" PRIu64 " flipped %" PRIu64
        " clogged %" PRIu64 " full disks %" PRIu64 " other R %" PRIu64 "\n",
        sums->replication.elections, sums->replication.shrinks, sums->replication.grows,
        sums->replication.truncations, sums->replication.snapshots, sums->replication.handovers,
        sums->pauses, sums->leaves, sums->faults.wipes, sums->faults.put_backs, sums->faults.flips,
        sums->faults.clogs, sums->faults.full_disks, sums->faults.resizes);
}

static void print_run(uint64_t seed, const struct sim_result *result)
{
    struct sums sums = {0};

    add(&sums, result);
    (void)printf("seed %" PRIu64 " %s fingerprint %016" PRIx64, seed,
                 result->is_good ? "ok" : "VIOLATION", result->fingerprint);
    print_sums(&sums);
    if (!result->is_good) {
        (void)printf("%.*s", (int)result->why.size, (const char *)result->why.data);
    }
    (void)fflush(stdout);
}

static void run_again(const struct sim_options *options, struct sim_result *first)
{
    struct sim_result second;

    sim_run(options, &second);
    if (second.fingerprint != first->fingerprint && first->is_good) {
        first->is_good = false;
        bytes_format(&first->why, "not deterministic: a second run gave %016" PRIx64 "\n",
                     second.fingerprint);
    }
    bytes_close(&second.why);
}

int main(int argc, char **argv)
{
    struct options options = {.count = 1};
    struct sums sums = {0};

    argp_err_exit_status = 2;
    (void)argp_parse(&parser, argc, argv, 0, NULL, &options);
    for (uint64_t i = 0; i < options.count; i++) {
        struct sim_options run = {.seed = options.seed + i,
                                  .until_ms = options.until_ms,
                                  .replicas = (uint32_t)options.replicas,
                                  .is_verbose = options.is_verbose};
        struct sim_result result;
        sim_run(&run, &result);
        if (options.is_many && i % REPEAT_EVERY == 0) {
            run_again(&run, &result);
        }
        if (!options.is_many || !result.is_good) {
            print_run(run.seed, &result);
        }
        add(&sums, &result);
        bytes_close(&result.why);
    }
    if (options.is_many) {
        (void)printf("%" PRIu64 " seeds, %" PRIu64 " violations:", sums.seeds, sums.bad);
        print_sums(&sums);
    }
    return sums.bad == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
