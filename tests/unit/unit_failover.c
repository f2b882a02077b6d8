#include "coordinator/failover.h"

#include "tests/lib/runner.h"

#include <stdio.h>
#include <string.h>

enum { NODES = 4 };

/* Four nodes, n as boot 100 n; one graph, R replicas of each shard; what the core does as text. */
struct fixture {
    struct state state;
    struct member member;
    struct failover failover;
    struct roster_replica replicas[NODES + 1][4];
    bool is_leaving[NODES + 1];
    uint64_t now_ms;
    struct bytes trace;
    bool is_applied; /* Proposals come true at once. */
};

static void apply(struct fixture *f, const struct state_command *command)
{
    struct state_result result;

    state_apply(&f->state, command, &result);
    ck_assert_msg(result.code == E_OK, "%s", result.text);
}

static void node_up(struct fixture *f, uint32_t node, uint64_t boot)
{
    apply(f, &(struct state_command){
                 .kind = STATE_NODE_UP, .node = node, .boot = boot, .weight = 100});
}

static void start(struct fixture *f, uint32_t replica_count, uint32_t min_insync, uint32_t shards)
{
    static const struct slice splits[] = {
        {(const uint8_t *)"4", 1}, {(const uint8_t *)"8", 1}, {(const uint8_t *)"c", 1}};
    struct nodeset replicas[4];
    uint32_t primaries[4];

    *f = (struct fixture){.now_ms = 10000};
    state_init(&f->state, 7);
    member_init(&f->member, &f->state, 1000);
    failover_init(&f->failover, &f->state, &f->member);
    bytes_init(&f->trace, 0);
    member_lead(&f->member, f->now_ms - 5000);
    failover_lead(&f->failover, f->now_ms - 5000);
    for (uint32_t node = 1; node <= NODES; node++) {
        node_up(f, node, node * 100);
    }
    ck_assert_int_eq(failover_place(&f->failover, shards, replica_count, replicas, primaries, NULL),
                     E_OK);
    apply(f, &(struct state_command){.kind = STATE_GRAPH_CREATE,
                                     .name = SLICE("g"),
                                     .partitioner = PARTITION_HASH,
                                     .ids = IDS_LONG,
                                     .shard_count = shards,
                                     .shards = primaries,
                                     .replicas = replicas,
                                     .replica_count = replica_count,
                                     .min_insync = min_insync,
                                     .splits = splits});
    apply(f, &(struct state_command){.kind = STATE_GRAPH_READY, .graph = 1});
    for (uint32_t node = 1; node <= NODES; node++) {
        for (uint32_t i = 0; i < 4; i++) {
            f->replicas[node][i] =
                (struct roster_replica){.shard = i + 1, .epoch = 1, .last = 50, .last_epoch = 1};
        }
    }
}

static void stop(struct fixture *f)
{
    failover_close(&f->failover);
    member_close(&f->member);
    state_close(&f->state);
    bytes_close(&f->trace);
}

/* The node tells of the replicas that it is to hold. */
static void hear(struct fixture *f, uint32_t node)
{
    struct roster_replica replicas[4];
    struct roster_status status = {.node = node,
                                   .boot = state_node(&f->state, node)->boot,
                                   .weight = 100,
                                   .is_leaving = f->is_leaving[node],
                                   .replicas = replicas};

    for (uint32_t i = 0; i < f->state.graphs[0].shard_count; i++) {
        if (nodeset_has(&f->state.graphs[0].shards[i].replicas, node)) {
            replicas[status.replica_count++] = f->replicas[node][i];
        }
    }
    member_hear(&f->member, f->now_ms, &status, false);
}

static void carry(void *ctx, const struct failover_effect *effect)
{
    struct fixture *f = ctx;
    struct state_command command = {.shard = effect->shard,
                                    .epoch = effect->epoch,
                                    .cfgver = effect->cfgver,
                                    .node = effect->node,
                                    .boot = effect->boot,
                                    .target = effect->target,
                                    .target_boot = effect->target_boot,
                                    .set = effect->set};

    switch (effect->kind) {
    case FAILOVER_PROPOSE:
        bytes_format(&f->trace, "elect %u/%u; ", effect->shard, effect->target);
        command.kind = STATE_FAILOVER;
        break;
    case FAILOVER_HANDOVER:
        bytes_format(&f->trace, "hand over %u %u->%u; ", effect->shard, effect->node,
                     effect->target);
        command.kind = STATE_HANDOVER;
        break;
    case FAILOVER_REPLICAS:
        bytes_format(&f->trace, "replicas %u: ", effect->shard);
        nodeset_dump(&f->trace, &effect->set);
        bytes_format(&f->trace, "; ");
        command.kind = STATE_REPLICAS;
        break;
    case FAILOVER_GIVEN_UP:
        bytes_format(&f->trace, "given up %u/%u; ", effect->shard, effect->target);
        return;
    }
    if (f->is_applied) {
        apply(f, &command);
    }
}

/* Goes on for some time; the nodes of the text are heard. Gives what was done. */
static void run(struct fixture *f, const char *heard, uint64_t ms, const char *want)
{
    bytes_clear(&f->trace);
    for (uint64_t i = 0; i <= ms; i += 50) {
        for (const char *at = heard; *at != '\0'; at++) {
            hear(f, (uint32_t)(*at - '0'));
        }
        failover_tick(&f->failover, f->now_ms, carry, f);
        f->now_ms += 50;
    }
    bytes_u8(&f->trace, 0);
    ck_assert_str_eq((const char *)f->trace.data, want);
}

static struct state_shard *shard_of(struct fixture *f, uint32_t shard)
{
    return state_shard(&f->state, shard);
}

static void set_shard(struct fixture *f, uint32_t shard, struct nodeset replicas,
                      struct nodeset isr, struct nodeset elr)
{
    struct state_shard *to = shard_of(f, shard);

    to->replicas = replicas;
    to->isr = isr;
    to->elr = elr;
    to->primary = isr.nodes[0];
    to->primary_boot = to->primary * 100;
}

START_TEST(a_silent_primary_is_replaced_by_who_has_most)
{
    struct fixture f;

    start(&f, 3, 2, 1);
    set_shard(&f, 1, (struct nodeset){3, {1, 2, 3}}, (struct nodeset){3, {1, 2, 3}},
              (struct nodeset){0});
    run(&f, "1234", 1000, "");
    f.replicas[2][0].last = 60;
    f.replicas[3][0].last_epoch = 2; /* Of a later epoch: more than a longer journal of an old. */
    run(&f, "234", 850, "");
    f.is_applied = true;
    run(&f, "234", 200, "elect 1/3; ");
    ck_assert_uint_eq(shard_of(&f, 1)->isr.count, 2);
    /* It goes too: 2 is alone, below min_insync, and 3 stays eligible. */
    run(&f, "24", 1200, "elect 1/2; ");
    run(&f, "34", 1200, "elect 1/3; ");
    /* 1 was put out when there were enough. */
    run(&f, "14", 2000, "");
    stop(&f);
}
END_TEST

START_TEST(a_new_leader_waits_for_a_full_silence)
{
    struct fixture f;

    start(&f, 2, 1, 1);
    set_shard(&f, 1, (struct nodeset){2, {1, 2}}, (struct nodeset){2, {1, 2}}, (struct nodeset){0});
    member_lead(&f.member, f.now_ms);
    failover_lead(&f.failover, f.now_ms);
    run(&f, "2", 950, "");
    run(&f, "2", 100, "elect 1/2; ");
    run(&f, "2", 800, ""); /* It is under way. */
    run(&f, "2", 100, "elect 1/2; ");
    stop(&f);
}
END_TEST

START_TEST(a_process_that_starts_again_is_compared_with_the_others)
{
    struct fixture f;

    start(&f, 3, 2, 1);
    set_shard(&f, 1, (struct nodeset){3, {1, 2, 3}}, (struct nodeset){3, {1, 2, 3}},
              (struct nodeset){0});
    run(&f, "1234", 1000, "");
    node_up(&f, 1, 101);
    f.is_applied = true;
    /* Heard at once, with as much as the others: it leads on. */
    run(&f, "1234", 100, "elect 1/1; ");
    ck_assert_uint_eq(shard_of(&f, 1)->isr.count, 3);
    ck_assert_uint_eq(shard_of(&f, 1)->primary_boot, 101);
    node_up(&f, 1, 102); /* Not heard: the others do not wait for long. */
    run(&f, "234", 250, "");
    run(&f, "234", 100, "elect 1/2; ");
    ck_assert_uint_eq(shard_of(&f, 1)->epoch, 5);
    stop(&f);
}
END_TEST

START_TEST(a_file_that_is_not_served_does_not_lead)
{
    struct fixture f;

    start(&f, 3, 2, 1);
    set_shard(&f, 1, (struct nodeset){3, {1, 2, 3}}, (struct nodeset){3, {1, 2, 3}},
              (struct nodeset){0});
    f.is_applied = true;
    f.replicas[1][0].suspect = ROSTER_STALE;
    f.replicas[2][0].suspect = ROSTER_MISSING;
    f.replicas[2][0].last = 1000;
    run(&f, "1234", 0, "elect 1/3; ");
    run(&f, "124", 2000, ""); /* Nobody who is sound. */
    stop(&f);
}
END_TEST

/* A PERSIST failed while it took over: the process lives and will not lead in its epoch. */
START_TEST(a_primary_that_resigned_is_elected_again_or_replaced)
{
    struct fixture f;

    start(&f, 2, 1, 1);
    set_shard(&f, 1, (struct nodeset){2, {1, 2}}, (struct nodeset){2, {1, 2}}, (struct nodeset){0});
    f.is_applied = true;
    f.replicas[1][0].resigned = shard_of(&f, 1)->epoch - 1;
    run(&f, "1234", 100, ""); /* Of an epoch that is over. */
    f.replicas[1][0].resigned = shard_of(&f, 1)->epoch;
    run(&f, "1234", 100, "elect 1/1; ");
    ck_assert_uint_eq(shard_of(&f, 1)->epoch, 2);
    ck_assert_uint_eq(shard_of(&f, 1)->primary_boot, 100);
    ck_assert_uint_eq(shard_of(&f, 1)->isr.count, 2);
    f.replicas[1][0].resigned = 2;
    f.replicas[1][0].is_full = true;
    run(&f, "1234", 100, "elect 1/2; ");
    ck_assert_uint_eq(shard_of(&f, 1)->epoch, 3);
    stop(&f);
}
END_TEST

/* It was in sync, left below min_insync, lost its disk and begins anew: what the configuration says
 * that it holds it does not hold. */
START_TEST(who_is_built_anew_is_not_eligible)
{
    struct fixture f;

    start(&f, 2, 2, 1);
    set_shard(&f, 1, (struct nodeset){2, {1, 2}}, (struct nodeset){1, {1}},
              (struct nodeset){1, {2}});
    f.is_applied = true;
    f.replicas[2][0].is_partial = true;
    run(&f, "234", 3000, "");
    f.replicas[2][0].is_partial = false;
    run(&f, "234", 100, "elect 1/2; ");
    stop(&f);
}
END_TEST

START_TEST(one_replica_that_resigned_is_elected_again)
{
    struct fixture f;

    start(&f, 1, 1, 1);
    set_shard(&f, 1, (struct nodeset){1, {1}}, (struct nodeset){1, {1}}, (struct nodeset){0});
    f.is_applied = true;
    f.replicas[1][0].resigned = shard_of(&f, 1)->epoch;
    run(&f, "1234", 100, "elect 1/1; ");
    stop(&f);
}
END_TEST

START_TEST(a_primary_whose_disk_is_full_hands_over)
{
    struct fixture f;

    start(&f, 2, 1, 1);
    set_shard(&f, 1, (struct nodeset){2, {1, 2}}, (struct nodeset){2, {1, 2}}, (struct nodeset){0});
    f.is_applied = true;
    f.replicas[1][0].is_full = true;
    f.replicas[2][0].is_full = true;
    run(&f, "1234", 100, ""); /* To nobody who could not write either. */
    f.replicas[2][0].is_full = false;
    run(&f, "1234", 100, "hand over 1 1->2; ");
    stop(&f);
}
END_TEST

START_TEST(operators_and_nodes_that_end_hand_over)
{
    struct fixture f;
    struct error err;
    uint32_t target = 3;

    start(&f, 2, 1, 2);
    set_shard(&f, 1, (struct nodeset){2, {1, 2}}, (struct nodeset){2, {1, 2}}, (struct nodeset){0});
    set_shard(&f, 2, (struct nodeset){3, {1, 3, 4}}, (struct nodeset){2, {1, 3}},
              (struct nodeset){0});
    f.state.graphs[0].replica_count = 2;
    run(&f, "1234", 0, "replicas 2: 1 3; ");
    ck_assert_int_eq(failover_ask(&f.failover, f.now_ms, shard_of(&f, 1), &target, &err),
                     E_INVALID);
    target = 1;
    ck_assert_int_eq(failover_ask(&f.failover, f.now_ms, shard_of(&f, 1), &target, &err),
                     E_INVALID);
    target = 0;
    ck_assert_int_eq(failover_ask(&f.failover, f.now_ms, shard_of(&f, 1), &target, &err), E_OK);
    ck_assert_uint_eq(target, 2);
    f.state.graphs[0].replica_count = 3; /* So that nothing else happens to shard 2. */
    set_shard(&f, 1, (struct nodeset){3, {1, 2, 4}}, (struct nodeset){2, {1, 2}},
              (struct nodeset){0});
    /* Told again while it is not answered, then given up. */
    run(&f, "1234", 1000,
        "hand over 1 1->2; hand over 1 1->2; hand over 1 1->2; hand over 1 1->2; "
        "hand over 1 1->2; given up 1/2; ");
    f.is_applied = true;
    f.is_leaving[1] = true;
    run(&f, "1234", 50, "hand over 1 1->2; hand over 2 1->3; ");
    ck_assert_uint_eq(shard_of(&f, 1)->primary, 2);
    ck_assert_uint_eq(shard_of(&f, 2)->primary, 3);
    /* It is in sync still, but nothing is handed to it. */
    target = 0;
    ck_assert_int_eq(failover_ask(&f.failover, f.now_ms, shard_of(&f, 1), &target, &err),
                     E_UNAVAILABLE);
    stop(&f);
}
END_TEST

START_TEST(primaries_are_evened_out_when_a_node_is_back)
{
    struct fixture f;

    start(&f, 2, 1, 4);
    for (uint32_t i = 1; i <= 4; i++) {
        set_shard(&f, i, (struct nodeset){2, {1, 2}}, (struct nodeset){2, {1, 2}},
                  (struct nodeset){0});
    }
    f.is_applied = true;
    apply(&f, &(struct state_command){.kind = STATE_NODE_DOWN, .node = 2, .boot = 200});
    run(&f, "134", 6000, "");
    node_up(&f, 2, 201);
    run(&f, "1234", 4900, ""); /* Not at once: it may go again. */
    run(&f, "1234", 1000, "hand over 1 1->2; hand over 2 1->2; ");
    run(&f, "1234", 5000, "");
    stop(&f);
}
END_TEST

START_TEST(the_number_of_replicas_is_brought_about)
{
    struct fixture f;

    start(&f, 2, 1, 1);
    set_shard(&f, 1, (struct nodeset){2, {1, 2}}, (struct nodeset){2, {1, 2}}, (struct nodeset){0});
    f.is_applied = true;
    apply(&f,
          &(struct state_command){
              .kind = STATE_GRAPH_SET, .name = SLICE("g"), .replica_count = 3, .min_insync = 2});
    run(&f, "1234", 200, "replicas 1: 1 2 3; ");
    /* Back to one: first who is not in sync, then who is, never the primary. */
    apply(&f,
          &(struct state_command){
              .kind = STATE_GRAPH_SET, .name = SLICE("g"), .replica_count = 2, .min_insync = 2});
    run(&f, "1234", 200, "replicas 1: 1 2; ");
    apply(&f,
          &(struct state_command){
              .kind = STATE_GRAPH_SET, .name = SLICE("g"), .replica_count = 1, .min_insync = 1});
    run(&f, "1234", 200, "replicas 1: 1; ");
    ck_assert_uint_eq(shard_of(&f, 1)->primary, 1);
    stop(&f);
}
END_TEST

START_TEST(new_shards_are_spread)
{
    struct fixture f;
    struct nodeset sets[10];
    uint32_t primaries[10];
    uint32_t count[NODES + 1] = {0};
    struct error err;

    start(&f, 1, 1, 1);
    apply(&f, &(struct state_command){.kind = STATE_NODE_DOWN, .node = 4, .boot = 400});
    ck_assert_int_eq(failover_place(&f.failover, 8, 1, sets, primaries, NULL), E_OK);
    count[state_shard(&f.state, 1)->primary]++;
    for (int i = 0; i < 8; i++) {
        count[primaries[i]]++;
    }
    ck_assert(count[1] == 3 && count[2] == 3 && count[3] == 3 && count[4] == 0);
    ck_assert_int_eq(failover_place(&f.failover, 8, 4, sets, primaries, &err), E_UNAVAILABLE);
    ck_assert_ptr_nonnull(strstr(err.text, "there are 3"));
    for (uint32_t node = 1; node <= 3; node++) {
        apply(&f,
              &(struct state_command){.kind = STATE_NODE_DOWN, .node = node, .boot = node * 100});
    }
    ck_assert_int_eq(failover_place(&f.failover, 8, 1, sets, primaries, NULL), E_UNAVAILABLE);
    stop(&f);
}
END_TEST

RUN_SUITE("failover", a_silent_primary_is_replaced_by_who_has_most,
          a_new_leader_waits_for_a_full_silence,
          a_process_that_starts_again_is_compared_with_the_others,
          a_file_that_is_not_served_does_not_lead,
          a_primary_that_resigned_is_elected_again_or_replaced, who_is_built_anew_is_not_eligible,
          one_replica_that_resigned_is_elected_again, a_primary_whose_disk_is_full_hands_over,
          operators_and_nodes_that_end_hand_over, primaries_are_evened_out_when_a_node_is_back,
          the_number_of_replicas_is_brought_about, new_shards_are_spread)
