#include "coordinator/replicaset.h"
#include "coordinator/state_configure.h"

#include "tests/lib/runner.h"

#include <stdio.h>
#include <string.h>

/* Nodes 1, 2, 3 hold it and are in sync; node n runs as boot n * 100, 1 leads. */
static struct state_shard three(void)
{
    return (struct state_shard){.shard = 5,
                                .epoch = 3,
                                .cfgver = 7,
                                .primary = 1,
                                .primary_boot = 100,
                                .replicas = {3, {1, 2, 3}},
                                .isr = {3, {1, 2, 3}}};
}

static struct nodeset set_of(const char *text)
{
    struct nodeset set = {0};

    for (; *text != '\0'; text++) {
        nodeset_add(&set, (uint32_t)(*text - '0'));
    }
    return set;
}

static void check(const struct state_shard *shard, const char *want)
{
    struct bytes text = {0};

    bytes_format(&text, "epoch %llu config %llu primary %u/%llu isr ",
                 (unsigned long long)shard->epoch, (unsigned long long)shard->cfgver,
                 shard->primary, (unsigned long long)shard->primary_boot);
    nodeset_dump(&text, &shard->isr);
    bytes_format(&text, " elr ");
    nodeset_dump(&text, &shard->elr);
    bytes_format(&text, " of ");
    nodeset_dump(&text, &shard->replicas);
    bytes_u8(&text, 0);
    ck_assert_str_eq((const char *)text.data, want);
    bytes_close(&text);
}

static int alter(struct state_shard *shard, uint32_t min_insync, const char *isr)
{
    return replicaset_alter(shard, min_insync,
                            &(struct replicaset_ask){.node = shard->primary,
                                                     .boot = shard->primary_boot,
                                                     .epoch = shard->epoch,
                                                     .cfgver = shard->cfgver,
                                                     .set = set_of(isr)},
                            NULL);
}

static int fail_over(struct state_shard *shard, uint32_t min_insync, uint32_t target)
{
    return replicaset_failover(shard, min_insync,
                               &(struct replicaset_ask){.epoch = shard->epoch,
                                                        .cfgver = shard->cfgver,
                                                        .target = target,
                                                        .target_boot = target * 100},
                               NULL);
}

START_TEST(the_primary_says_who_is_in_sync)
{
    struct state_shard shard = three();
    struct replicaset_ask ask = {
        .node = 1, .boot = 100, .epoch = 3, .cfgver = 7, .set = set_of("12")};
    struct replicaset_ask wrong = ask;

    wrong.boot = 99; /* The process before it. */
    ck_assert_int_eq(replicaset_alter(&shard, 2, &wrong, NULL), E_WRONG_EPOCH);
    wrong = ask;
    wrong.node = 2;
    ck_assert_int_eq(replicaset_alter(&shard, 2, &wrong, NULL), E_WRONG_EPOCH);
    wrong = ask;
    wrong.epoch = 2;
    ck_assert_int_eq(replicaset_alter(&shard, 2, &wrong, NULL), E_WRONG_EPOCH);
    wrong = ask;
    wrong.cfgver = 6;
    ck_assert_int_eq(replicaset_alter(&shard, 2, &wrong, NULL), E_WRONG_EPOCH);
    wrong = ask;
    wrong.set = set_of("23"); /* Without itself. */
    ck_assert_int_eq(replicaset_alter(&shard, 2, &wrong, NULL), E_INVALID);
    wrong.set = set_of("14"); /* No replica. */
    ck_assert_int_eq(replicaset_alter(&shard, 2, &wrong, NULL), E_INVALID);
    check(&shard, "epoch 3 config 7 primary 1/100 isr 1 2 3 elr - of 1 2 3");
    ck_assert_int_eq(replicaset_alter(&shard, 2, &ask, NULL), E_OK);
    check(&shard, "epoch 3 config 8 primary 1/100 isr 1 2 elr - of 1 2 3");
    ck_assert_int_eq(replicaset_alter(&shard, 2, &ask, NULL), E_WRONG_EPOCH); /* Came twice. */
}
END_TEST

START_TEST(below_min_insync_those_who_left_are_eligible)
{
    struct state_shard shard = three();

    ck_assert_int_eq(alter(&shard, 2, "12"), E_OK);
    check(&shard, "epoch 3 config 8 primary 1/100 isr 1 2 elr - of 1 2 3");
    ck_assert_int_eq(alter(&shard, 2, "1"), E_OK);
    check(&shard, "epoch 3 config 9 primary 1/100 isr 1 elr 2 of 1 2 3");
    /* 3 left when there were enough: it may have missed something. */
    ck_assert_int_eq(fail_over(&shard, 2, 3), E_INVALID);
    struct state_shard again = shard;
    ck_assert_int_eq(fail_over(&again, 2, 2), E_OK);
    check(&again, "epoch 4 config 10 primary 2/200 isr 2 elr 1 of 1 2 3");
    ck_assert_int_eq(alter(&again, 2, "23"), E_OK);
    check(&again, "epoch 4 config 11 primary 2/200 isr 2 3 elr - of 1 2 3");
    /* Without an elr only the isr may lead, however few it has. */
    ck_assert_int_eq(alter(&shard, 2, "13"), E_OK);
    check(&shard, "epoch 3 config 10 primary 1/100 isr 1 3 elr - of 1 2 3");
    ck_assert_int_eq(fail_over(&shard, 2, 2), E_INVALID);
}
END_TEST

START_TEST(a_silent_primary_is_replaced)
{
    struct state_shard shard = three();
    struct replicaset_ask ask = {.epoch = 2, .cfgver = 7, .target = 2, .target_boot = 200};

    ck_assert_int_eq(replicaset_failover(&shard, 2, &ask, NULL), E_WRONG_EPOCH);
    ask.epoch = 3;
    ask.cfgver = 6;
    ck_assert_int_eq(replicaset_failover(&shard, 2, &ask, NULL), E_WRONG_EPOCH);
    ck_assert_int_eq(fail_over(&shard, 2, 4), E_INVALID);
    ck_assert_int_eq(fail_over(&shard, 2, 2), E_OK);
    check(&shard, "epoch 4 config 8 primary 2/200 isr 2 3 elr - of 1 2 3");
    ck_assert_int_eq(fail_over(&shard, 2, 3), E_OK);
    check(&shard, "epoch 5 config 9 primary 3/300 isr 3 elr 2 of 1 2 3");
    ck_assert_int_eq(fail_over(&shard, 2, 2), E_OK);
    check(&shard, "epoch 6 config 10 primary 2/200 isr 2 elr 3 of 1 2 3");
    ck_assert_int_eq(fail_over(&shard, 2, 1), E_INVALID);
    ask = (struct replicaset_ask){
        .epoch = 6, .cfgver = 10, .target = 1, .target_boot = 100, .is_forced = true};
    ck_assert_int_eq(replicaset_failover(&shard, 2, &ask, NULL), E_OK);
    check(&shard, "epoch 7 config 11 primary 1/100 isr 1 elr - of 1 2 3");
    ask = (struct replicaset_ask){
        .epoch = 7, .cfgver = 11, .target = 4, .target_boot = 400, .is_forced = true};
    ck_assert_int_eq(replicaset_failover(&shard, 2, &ask, NULL), E_INVALID); /* No replica. */
}
END_TEST

START_TEST(a_primary_that_will_not_lead_gets_another_epoch)
{
    struct state_shard shard = three();

    ck_assert_int_eq(fail_over(&shard, 2, 1), E_OK);
    check(&shard, "epoch 4 config 8 primary 1/100 isr 1 2 3 elr - of 1 2 3");
}
END_TEST

START_TEST(a_planned_switch_loses_nobody)
{
    struct state_shard shard = three();
    struct replicaset_ask ask = {
        .node = 1, .boot = 100, .epoch = 3, .target = 3, .target_boot = 300};

    ck_assert_int_eq(alter(&shard, 2, "13"), E_OK); /* Meanwhile: no matter. */
    ask.boot = 99;
    ck_assert_int_eq(replicaset_handover(&shard, 2, &ask, NULL), E_WRONG_EPOCH);
    ask.boot = 100;
    ask.target = 2;
    ck_assert_int_eq(replicaset_handover(&shard, 2, &ask, NULL), E_INVALID);
    ask.target = 1;
    ck_assert_int_eq(replicaset_handover(&shard, 2, &ask, NULL), E_INVALID);
    ask.target = 3;
    ck_assert_int_eq(replicaset_handover(&shard, 2, &ask, NULL), E_OK);
    check(&shard, "epoch 4 config 9 primary 3/300 isr 1 3 elr - of 1 2 3");
    ck_assert_int_eq(replicaset_handover(&shard, 2, &ask, NULL), E_WRONG_EPOCH); /* Twice. */
}
END_TEST

START_TEST(a_process_that_starts_again_does_not_lead)
{
    struct state_shard shard = three();

    ck_assert(!replicaset_restart(&shard, 2, 2, 201)); /* It did not lead. */
    ck_assert(!replicaset_restart(&shard, 2, 1, 100));
    ck_assert(replicaset_restart(&shard, 2, 1, 101));
    check(&shard, "epoch 4 config 8 primary 1/0 isr 1 2 3 elr - of 1 2 3");
    ck_assert_int_eq(alter(&shard, 2, "12"), E_WRONG_EPOCH); /* Nobody leads. */
    struct state_shard again = shard;
    ck_assert_int_eq(fail_over(&again, 2, 1), E_OK); /* It itself, elected. */
    check(&again, "epoch 5 config 9 primary 1/100 isr 1 2 3 elr - of 1 2 3");
    ck_assert_int_eq(fail_over(&shard, 2, 3), E_OK);
    check(&shard, "epoch 5 config 9 primary 3/300 isr 2 3 elr - of 1 2 3");
    /* Alone in sync: there is nobody to compare with. */
    ck_assert_int_eq(alter(&shard, 2, "3"), E_OK);
    ck_assert(replicaset_restart(&shard, 2, 3, 301));
    check(&shard, "epoch 6 config 11 primary 3/301 isr 3 elr 2 of 1 2 3");
}
END_TEST

static int change(struct state_shard *shard, uint32_t min_insync, const char *replicas)
{
    struct nodeset set = set_of(replicas);

    return replicaset_change(shard, min_insync, shard->cfgver, &set, NULL);
}

START_TEST(replicas_come_and_go)
{
    struct state_shard shard = three();
    struct nodeset set = set_of("123");

    ck_assert_int_eq(replicaset_change(&shard, 2, 6, &set, NULL), E_WRONG_EPOCH);
    ck_assert_int_eq(change(&shard, 2, "23"), E_INVALID); /* 1 leads. */
    ck_assert_int_eq(change(&shard, 2, "1"), E_INVALID);  /* Below 2. */
    ck_assert_int_eq(change(&shard, 2, "1234"), E_OK);
    check(&shard, "epoch 3 config 8 primary 1/100 isr 1 2 3 elr - of 1 2 3 4");
    ck_assert_int_eq(change(&shard, 2, "124"), E_OK);
    check(&shard, "epoch 3 config 9 primary 1/100 isr 1 2 elr - of 1 2 4");
    ck_assert_int_eq(change(&shard, 2, "14"), E_INVALID); /* 4 is not in sync yet. */
    ck_assert_int_eq(alter(&shard, 2, "1"), E_OK);
    ck_assert_int_eq(change(&shard, 2, "14"), E_INVALID); /* 2 may be needed. */
    ck_assert_int_eq(change(&shard, 2, "12"), E_OK);      /* 4 holds nothing. */
    check(&shard, "epoch 3 config 11 primary 1/100 isr 1 elr 2 of 1 2");
    replicaset_min_insync(&shard, 1);
    check(&shard, "epoch 3 config 12 primary 1/100 isr 1 elr - of 1 2");
    ck_assert_int_eq(change(&shard, 1, "1"), E_OK);
    check(&shard, "epoch 3 config 13 primary 1/100 isr 1 elr - of 1");
    replicaset_min_insync(&shard, 2);
    ck_assert(replicaset_is_sound(&shard, 2));
}
END_TEST

/* ---- as commands ---- */

static struct state_result apply(struct state *state, const struct state_command *command)
{
    struct state_result result;

    state_apply(state, command, &result);
    return result;
}

static void start(struct state *state)
{
    static const uint32_t primaries[] = {1};
    static const struct nodeset replicas[] = {{2, {1, 2}}};

    state_init(state, 7);
    for (uint32_t node = 1; node <= 3; node++) {
        apply(state, &(struct state_command){
                         .kind = STATE_NODE_UP, .node = node, .boot = node * 100, .weight = 1});
    }
    struct state_command create = {.kind = STATE_GRAPH_CREATE,
                                   .name = SLICE("g"),
                                   .partitioner = PARTITION_HASH,
                                   .ids = IDS_LONG,
                                   .shard_count = 1,
                                   .shards = primaries,
                                   .replicas = replicas,
                                   .replica_count = 2,
                                   .min_insync = 3};
    ck_assert_int_eq(apply(state, &create).code, E_INVALID);
    create.min_insync = 1;
    create.replica_count = 3;
    ck_assert_int_eq(apply(state, &create).code, E_INVALID); /* Two nodes are given. */
    create.replica_count = 2;
    ck_assert_int_eq(apply(state, &create).code, E_OK);
}

START_TEST(commands_reach_the_rules)
{
    struct state state;
    struct state_command command = {
        .kind = STATE_FAILOVER, .shard = 1, .epoch = 1, .cfgver = 1, .target = 2};

    start(&state);
    uint64_t version = state.version;
    command.target_boot = 199; /* Heard before it started again. */
    ck_assert_int_eq(apply(&state, &command).code, E_UNAVAILABLE);
    command.target_boot = 200;
    apply(&state, &(struct state_command){.kind = STATE_NODE_DOWN, .node = 2, .boot = 200});
    ck_assert_int_eq(apply(&state, &command).code, E_UNAVAILABLE);
    apply(&state,
          &(struct state_command){.kind = STATE_NODE_UP, .node = 2, .boot = 200, .weight = 1});
    ck_assert_int_eq(apply(&state, &command).code, E_OK);
    ck_assert_uint_eq(state.version, version + 3);
    check(state_shard(&state, 1), "epoch 2 config 2 primary 2/200 isr 2 elr - of 1 2");
    command = (struct state_command){.kind = STATE_ALTER,
                                     .shard = 1,
                                     .node = 2,
                                     .boot = 200,
                                     .epoch = 2,
                                     .cfgver = 2,
                                     .set = {2, {1, 2}},
                                     .boots = {99, 200}};
    /* Node 1 has started again since it was found complete: nothing but the version changes. */
    ck_assert_int_eq(apply(&state, &command).code, E_OK);
    check(state_shard(&state, 1), "epoch 2 config 3 primary 2/200 isr 2 elr - of 1 2");
    command.cfgver = 3;
    command.boots[0] = 100;
    ck_assert_int_eq(apply(&state, &command).code, E_OK);
    ck_assert_int_eq(apply(&state, &command).code, E_WRONG_EPOCH);
    command = (struct state_command){
        .kind = STATE_REPLICAS, .shard = 1, .cfgver = 4, .set = {3, {1, 2, 4}}};
    ck_assert_int_eq(apply(&state, &command).code, E_UNAVAILABLE); /* No node 4. */
    command.set.nodes[2] = 3;
    ck_assert_int_eq(apply(&state, &command).code, E_OK);
    command = (struct state_command){
        .kind = STATE_HANDOVER, .shard = 1, .node = 2, .boot = 200, .epoch = 2, .target = 1};
    ck_assert_int_eq(apply(&state, &command).code, E_OK);
    check(state_shard(&state, 1), "epoch 3 config 6 primary 1/100 isr 1 2 elr - of 1 2 3");
    command = (struct state_command){
        .kind = STATE_GRAPH_SET, .name = SLICE("g"), .replica_count = 3, .min_insync = 2};
    ck_assert_int_eq(apply(&state, &command).code, E_OK);
    ck_assert_uint_eq(state_shard(&state, 1)->cfgver, 7);
    version = state.version;
    ck_assert_int_eq(apply(&state, &command).code, E_OK); /* Nothing new. */
    ck_assert_uint_eq(state.version, version);
    command.min_insync = 4;
    ck_assert_int_eq(apply(&state, &command).code, E_INVALID);
    command.name = SLICE("h");
    ck_assert_int_eq(apply(&state, &command).code, E_NOT_FOUND);
    command = (struct state_command){.kind = STATE_ALTER, .shard = 2};
    ck_assert_int_eq(apply(&state, &command).code, E_NOT_FOUND);
    state_close(&state);
}
END_TEST

RUN_SUITE("replicaset", the_primary_says_who_is_in_sync,
          below_min_insync_those_who_left_are_eligible, a_silent_primary_is_replaced,
          a_primary_that_will_not_lead_gets_another_epoch, a_planned_switch_loses_nobody,
          a_process_that_starts_again_does_not_lead, replicas_come_and_go, commands_reach_the_rules)
