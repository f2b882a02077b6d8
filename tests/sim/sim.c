#include "tests/sim/sim.h"

#include "common/hash.h"
#include "common/mem.h"
#include "coordinator/state.h"
#include "shardd/node.h"
#include "tests/sim/check_list.h"
#include "tests/sim/check_store.h"
#include "tests/sim/check_work.h"
#include "tests/sim/nemesis.h"
#include "tests/sim/workload.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum {
    SHARDS = 4,
    SETUP_MS = 20000,
    FINISH_MS = 30000,
    SETTLE_MS = 10000,
    ANSWER_MS = 15000,
    ASK_AGAIN_MS = 200,
    TRIES = 20,
    PATIENCE_US = 20000,
    COMMITS_MIN = 40, /* Minimum progress of a run. */
    DECIDED_MIN = 10,
    FAULT_RARE_US = 4000000,
    SYNC_MS = 30000,  /* Of healing: until all replicas are in sync. */
    LONGER = 25,      /* Times the load is prolonged at most, until there is progress. */
    ALARM_INDEX = 500 /* Alarms: clients first; then the nemesis. */
};

struct sim {
    const struct sim_options *options;
    struct sim_result *result;
    struct cluster cluster;
    struct workload workload;
    struct prng prng;
    struct nemesis nemesis;
    uint32_t replicas; /* Of a shard. */
    uint32_t min_insync;
    bool has_asked_index;
};

static bool bad(struct sim *sim, const char *what)
{
    if (sim->result->is_good) {
        sim->result->is_good = false;
        bytes_format(&sim->result->why, "%s\n", what);
        if (sim->workload.why.size > 0) {
            bytes_append(&sim->result->why, sim->workload.why.data, sim->workload.why.size);
        }
    }
    return false;
}

/* ---- alarms ---- */

/* An index is made while clients read and write what it is of. */
static void want_index(struct sim *sim)
{
    if (sim->has_asked_index && sim->cluster.has_answer) {
        return;
    }
    sim->has_asked_index = true;
    cluster_ask_index(&sim->cluster, "m", "p");
    cluster_alarm(&sim->cluster, sim->cluster.now_us + ASK_AGAIN_MS * 1000, ALARM_INDEX);
}

static void on_alarm(void *ctx, uint32_t alarm)
{
    struct sim *sim = ctx;

    if (alarm < ALARM_INDEX) {
        workload_next(&sim->workload, alarm);
    } else if (alarm == ALARM_INDEX) {
        want_index(sim);
    } else if (nemesis_alarm(&sim->nemesis, alarm)) {
        workload_hang_up(&sim->workload, sim->cluster.now_us - PATIENCE_US);
    }
}

static void on_down(void *ctx, uint32_t proc)
{
    struct sim *sim = ctx;

    workload_down(&sim->workload, proc);
    nemesis_down(&sim->nemesis, proc);
}

static void on_turn(void *ctx, uint32_t proc)
{
    struct sim *sim = ctx;

    nemesis_watch(&sim->nemesis, proc);
}

static void on_answers(void *ctx, uint32_t proc)
{
    struct sim *sim = ctx;

    workload_answers(&sim->workload, proc);
}

/* ---- phases ---- */

static bool is_broken(const struct sim *sim)
{
    return sim->cluster.failure.code != E_OK || sim->workload.why.size > 0;
}

static void run_until(struct sim *sim, uint64_t until_us)
{
    while (!is_broken(sim) && cluster_step(&sim->cluster, until_us)) {
    }
}

/* Asks until there is an answer that starts with `wanted`; the answer is in the workload. */
static bool ask(struct sim *sim, const char *text, const char *wanted)
{
    struct workload *workload = &sim->workload;

    for (int i = 0; i < TRIES && !is_broken(sim); i++) {
        uint64_t until_us = sim->cluster.now_us + ANSWER_MS * 1000;
        if (workload_ask(workload, text)) {
            while (!workload->has_answer && workload->is_asking && !is_broken(sim) &&
                   cluster_step(&sim->cluster, until_us)) {
            }
            if (workload->is_asking) {
                return bad(sim, "liveness: no answer at all to a question");
            }
            if (workload->has_answer && (strncmp(workload->answer, wanted, strlen(wanted)) == 0 ||
                                         strstr(workload->answer, "exists") != NULL)) {
                return true;
            }
        }
        run_until(sim, sim->cluster.now_us + ASK_AGAIN_MS * 1000);
    }
    bytes_format(&sim->result->why, "%s: %s\n", text, workload->answer);
    return bad(sim, "liveness: a question is not answered as it should be");
}

static bool make_graph(struct sim *sim)
{
    uint64_t end_us = sim->cluster.now_us + SETUP_MS * 1000;
    struct cluster *cluster = &sim->cluster;

    while (cluster->now_us < end_us && !is_broken(sim)) {
        cluster_ask_graph(cluster, SHARDS, sim->replicas, sim->min_insync);
        run_until(sim, cluster->now_us + ASK_AGAIN_MS * 1000);
        if (cluster->has_answer &&
            (cluster->answer_code == E_OK || cluster->answer_code == E_EXISTS)) {
            return true;
        }
    }
    return bad(sim, "liveness: the graph is not made");
}

static bool add_vertex(struct sim *sim, uint32_t id)
{
    char text[WORKLOAD_TEXT_MAX];

    snprintf(text, sizeof text, "g.addV('n').property(id,%u).iterate()", id);
    return ask(sim, text, "204");
}

static bool set_up(struct sim *sim)
{
    char text[WORKLOAD_TEXT_MAX];
    bool is_good;

    for (uint32_t i = 0; i < CLUSTER_TOOL; i++) {
        if (sim->cluster.procs[i].is_there) {
            cluster_start(&sim->cluster, i);
        }
    }
    is_good = make_graph(sim);
    for (uint32_t i = 0; i < WORKLOAD_LISTS && is_good; i++) {
        is_good = add_vertex(sim, i + 1);
    }
    for (uint32_t i = 0; i < 3 && is_good; i++) {
        is_good = add_vertex(sim, WORKLOAD_HUB_ID + i);
    }
    for (uint32_t i = 0; i < WORKLOAD_COUNTERS && is_good; i++) {
        snprintf(text, sizeof text, "g.addV('n').property(id,%u).property('n',0).iterate()",
                 WORKLOAD_COUNTER_ID + i);
        is_good = ask(sim, text, "204");
    }
    for (uint32_t i = 0; i < WORKLOAD_ENDS && is_good; i++) {
        is_good = add_vertex(sim, WORKLOAD_END_ID + i);
    }
    return is_good;
}

/* A run in which little happens proves little. */
static bool has_progress(const struct sim *sim)
{
    return sim->workload.commits >= COMMITS_MIN && sim->cluster.decided.count >= DECIDED_MIN &&
           sim->cluster.crashes >= 1;
}

static bool load(struct sim *sim)
{
    uint64_t until_ms = sim->options->until_ms;

    if (until_ms == 0) {
        until_ms = 2000 + prng_below(&sim->prng, 3000);
    }
    sim->workload.is_over = false;
    for (uint32_t i = 0; i < WORKLOAD_CLIENTS; i++) {
        cluster_alarm(&sim->cluster, sim->cluster.now_us + prng_below(&sim->prng, 50000), i);
    }
    nemesis_next(&sim->nemesis);
    if (prng_chance(&sim->prng, 0.5)) {
        cluster_alarm(&sim->cluster, sim->cluster.now_us + prng_below(&sim->prng, until_ms * 1000),
                      ALARM_INDEX);
    }
    for (int i = 0; i < LONGER && !is_broken(sim) && (i == 0 || !has_progress(sim)); i++) {
        run_until(sim, sim->cluster.now_us + until_ms * 1000);
        if (sim->nemesis.fault_us < FAULT_RARE_US) {
            sim->nemesis.fault_us += sim->nemesis.fault_us / 2;
        }
    }
    sim->workload.is_over = true;
    sim->nemesis.is_calm = true;
    if (!has_progress(sim) && !is_broken(sim)) {
        nemesis_tell(&sim->nemesis, &sim->result->why);
        return bad(sim, "too little progress");
    }
    return true;
}

/* Each shard has its replicas, all in sync, and is served under the configuration in force; the
 * routers know it. */
static bool is_in_sync(const struct sim *sim)
{
    const struct state *state = nemesis_state(&sim->nemesis);
    const struct cluster *cluster = &sim->cluster;

    if (state == NULL || !cluster_is_ready(cluster) ||
        state->graphs[0].replica_count != sim->replicas) {
        return false;
    }
    for (uint32_t i = 0; i < state->graphs[0].shard_count; i++) {
        const struct state_shard *shard = &state->graphs[0].shards[i];
        if (shard->replicas.count != sim->replicas || shard->isr.count != sim->replicas) {
            return false;
        }
        for (uint32_t k = 0; k < shard->isr.count; k++) {
            const struct node *node = cluster->procs[CLUSTER_NODE + shard->isr.nodes[k] - 1].core;
            const struct replica *replica = node == NULL ? NULL : node_replica(node, shard->shard);
            if (replica == NULL || (replica->node == shard->primary && !replica->is_serving)) {
                return false;
            }
        }
    }
    for (uint32_t i = 0; i < CLUSTER_ROUTERS; i++) {
        const struct shardmap *map = router_map(cluster_router(cluster, CLUSTER_ROUTER + i));
        if (map == NULL || map->version != state->version) {
            return false;
        }
    }
    return true;
}

/* Asks for as many replicas as the run began with, and waits for them. */
static bool come_in_sync(struct sim *sim)
{
    uint64_t end_us = sim->cluster.now_us + SYNC_MS * 1000;

    while (!is_broken(sim) && sim->cluster.now_us < end_us) {
        const struct state *state = nemesis_state(&sim->nemesis);
        /* A late copy of the nemesis' last wish may still come. */
        if (state != NULL && state->graphs[0].replica_count != sim->replicas) {
            cluster_ask_replicas(&sim->cluster, sim->replicas, 0);
        }
        run_until(sim, sim->cluster.now_us + ASK_AGAIN_MS * 1000);
        if (is_in_sync(sim)) {
            return true;
        }
    }
    nemesis_tell(&sim->nemesis, &sim->result->why);
    return bad(sim, "liveness: replicas are not in sync after healing");
}

static bool heal(struct sim *sim)
{
    uint64_t end_us;

    if (is_broken(sim)) {
        return false;
    }
    cluster_heal(&sim->cluster);
    end_us = sim->cluster.now_us + FINISH_MS * 1000;
    while (!workload_is_idle(&sim->workload) && !is_broken(sim) &&
           cluster_step(&sim->cluster, end_us)) {
    }
    if (is_broken(sim)) {
        return false;
    }
    if (!workload_is_idle(&sim->workload)) {
        return bad(sim, "liveness: a request has no answer after healing");
    }
    /* What nobody waits for any more may still commit: not in the midst of the final reads. */
    if (!come_in_sync(sim)) {
        return false;
    }
    nemesis_scrub(&sim->nemesis); /* A flipped bit that nobody has read. */
    run_until(sim, sim->cluster.now_us + SETTLE_MS * 1000);
    return !is_broken(sim) && come_in_sync(sim);
}

/* A read of every item, which the checkers take as the last word. */
static bool read_all(struct sim *sim)
{
    static uint32_t list[4096];
    struct history *history = &sim->workload.history;
    char text[WORKLOAD_TEXT_MAX] = "g.";

    for (uint32_t i = 0; i < WORKLOAD_ITEMS; i++) {
        uint32_t txn = history_begin(history, sim->cluster.now_us);
        uint32_t count = 0;
        workload_item_text(i, text + 2, sizeof text - 2);
        if (!ask(sim, text, "200")) {
            return false;
        }
        (void)workload_next_list(sim->workload.answer, list, 4096, &count);
        for (uint32_t k = 0; i >= WORKLOAD_LISTS && k < count; k++) {
            list[k] -= WORKLOAD_SET_ID;
        }
        history_read(history, txn, i, list, count);
        history_end(history, txn, HISTORY_OK, sim->cluster.now_us);
    }
    for (uint32_t i = 0; i < WORKLOAD_COUNTERS; i++) {
        uint32_t value = 0;
        snprintf(text, sizeof text, "g.V(%u).values('n')", WORKLOAD_COUNTER_ID + i);
        if (!ask(sim, text, "200")) {
            return false;
        }
        (void)workload_numbers(sim->workload.answer, "[", &value, 1);
        if (!check_work_counter(&sim->workload, i, value, &sim->result->why)) {
            return bad(sim, "counter");
        }
    }
    return !is_broken(sim);
}

static bool check_files(struct sim *sim)
{
    struct check_store store;
    const struct shardmap *map = NULL;
    bool is_good;

    for (uint32_t i = 0; i < CLUSTER_ROUTERS && map == NULL; i++) {
        map = router_map(cluster_router(&sim->cluster, CLUSTER_ROUTER + i));
    }
    check_store_init(&store, map);
    cluster_stop(&sim->cluster);
    is_good = check_store_files(&store, &sim->cluster, &sim->result->why);
    is_good = is_good && check_store_edges(&store, &sim->result->why);
    is_good = is_good && check_work_edges(&sim->workload, &store, &sim->result->why);
    sim->result->edges = store.out_count;
    check_store_close(&store);
    return is_good;
}

static void fill_result(struct sim *sim)
{
    struct sim_result *result = sim->result;

    result->fingerprint = hash_join(sim->cluster.fingerprint, sim->workload.history.count);
    result->simulated_ms = sim->cluster.now_us / 1000;
    result->messages = sim->cluster.messages;
    result->turns = sim->cluster.turns;
    result->crashes = sim->cluster.crashes;
    result->cuts = sim->cluster.cuts;
    result->pauses = sim->cluster.pauses;
    result->leaves = sim->cluster.leaves;
    result->replication = sim->cluster.replication;
    result->faults = sim->nemesis.counters;
    result->commits = sim->workload.commits;
    result->decided = sim->cluster.decided.count;
    result->aborts = sim->workload.aborts;
    result->unknowns = sim->workload.unknowns;
    result->session_commits = sim->workload.session_commits;
    for (uint32_t i = 0; i < CLUSTER_TOOL; i++) {
        if (sim->cluster.procs[i].disk != NULL) {
            result->sectors_lost += vfs_counters(sim->cluster.procs[i].disk).lost;
        }
    }
}

void sim_run(const struct sim_options *options, struct sim_result *result)
{
    static const uint64_t downs_us[] = {5000, 50000, 150000, 400000};
    struct sim *sim = mem_alloc(sizeof *sim);

    sim->options = options;
    sim->result = result;
    *result = (struct sim_result){.is_good = true};
    bytes_init(&result->why, 0);
    prng_init(&sim->prng, options->seed + 77777);
    sim->replicas = options->replicas;
    if (sim->replicas == 0) {
        static const uint32_t by_seed[] = {1, 2, 2, 1, 3};
        sim->replicas = by_seed[options->seed % 5];
    }
    cluster_open(&sim->cluster, options->seed, options->is_verbose);
    if (sim->replicas > sim->cluster.node_count) {
        sim->replicas = sim->cluster.node_count;
    }
    if (sim->replicas > 1 && prng_chance(&sim->prng, 0.3)) {
        sim->min_insync = 1 + (uint32_t)prng_below(&sim->prng, sim->replicas);
    }
    nemesis_init(&sim->nemesis, &sim->cluster, &sim->prng);
    sim->nemesis.fault_us = 60000 + prng_below(&sim->prng, 500000);
    sim->nemesis.down_us = downs_us[prng_below(&sim->prng, 4)];
    if (sim->replicas > 1 && sim->nemesis.down_us == downs_us[3]) {
        sim->nemesis.down_us = 2000000; /* Long enough for another to lead. */
    }
    workload_init(&sim->workload, &sim->cluster);
    if (prng_chance(&sim->prng, 0.15)) {
        sim->nemesis.is_storm = true;
        sim->nemesis.fault_us = 60000;
        sim->nemesis.down_us = downs_us[0];
        sim->cluster.net.copies = 0.4;
        sim->cluster.net.late_us = 300000;
    }
    sim->cluster.hooks = (struct cluster_hooks){.ctx = sim,
                                                .on_answers = on_answers,
                                                .on_down = on_down,
                                                .on_turn = on_turn,
                                                .on_alarm = on_alarm};
    if (set_up(sim)) {
        if (load(sim) && heal(sim) && read_all(sim)) {
            if (!check_list(&sim->workload.history, &result->why) || !check_files(sim)) {
                result->is_good = false;
            }
        }
    }
    if (sim->cluster.failure.code != E_OK) {
        bad(sim, sim->cluster.failure.text);
    } else if (sim->workload.why.size > 0) {
        bad(sim, "a wrong answer");
    }
    fill_result(sim);
    workload_close(&sim->workload);
    nemesis_close(&sim->nemesis);
    cluster_close(&sim->cluster);
    mem_free(sim);
}
