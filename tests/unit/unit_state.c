#include "coordinator/member.h"
#include "coordinator/state.h"

#include "common/mem.h"
#include "common/prng.h"
#include "tests/lib/runner.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void run(struct state *state, const struct state_command *command,
                struct state_result *result)
{
    struct arena arena = {0};
    struct bytes body;
    struct state_command back;

    /* As through Raft: encoded and decoded. */
    bytes_init(&body, 0);
    state_command_encode(&body, command);
    ck_assert_int_eq(state_command_decode(bytes_slice(&body), &arena, &back, NULL), E_OK);
    for (size_t size = 0; size < body.size; size++) {
        struct state_command cut;
        ck_assert_int_eq(state_command_decode(slice_of(body.data, size), &arena, &cut, NULL),
                         E_MALFORMED);
    }
    ck_assert_int_eq(state_command_decode(bytes_slice(&body), &arena, &back, NULL), E_OK);
    state_apply(state, &back, result);
    bytes_close(&body);
    arena_close(&arena);
}

static void node_up(struct state *state, uint32_t node, uint64_t boot)
{
    struct state_result result;

    run(state,
        &(struct state_command){.kind = STATE_NODE_UP,
                                .node = node,
                                .boot = boot,
                                .name = SLICE("tcp://h:1"),
                                .weight = ROSTER_WEIGHT},
        &result);
    ck_assert_int_eq(result.code, E_OK);
}

static int graph_create(struct state *state, const char *name, uint32_t count, uint32_t node)
{
    struct state_result result;
    uint32_t nodes[8];
    struct slice splits[8];
    struct nodeset replicas[8];
    char keys[8][4];

    for (uint32_t i = 0; i < count; i++) {
        nodes[i] = node;
        replicas[i] = nodeset_of(node);
        snprintf(keys[i], sizeof keys[i], "k%u", i);
        splits[i] = slice_text(keys[i]);
    }
    run(state,
        &(struct state_command){.kind = STATE_GRAPH_CREATE,
                                .name = slice_text(name),
                                .partitioner = PARTITION_HASH,
                                .ids = IDS_LONG,
                                .shard_count = count,
                                .shards = nodes,
                                .replicas = replicas,
                                .replica_count = 1,
                                .min_insync = 1,
                                .splits = splits},
        &result);
    return result.code;
}

START_TEST(new_boot_means_new_epoch)
{
    struct state state;

    state_init(&state, 7);
    node_up(&state, 1, 100);
    node_up(&state, 2, 200);
    ck_assert_int_eq(graph_create(&state, "g", 4, 1), E_OK);
    ck_assert_int_eq(graph_create(&state, "h", 2, 2), E_OK);
    uint64_t version = state.version;
    node_up(&state, 1, 100); /* Nothing new. */
    ck_assert_uint_eq(state.version, version);
    node_up(&state, 1, 101);
    for (uint32_t shard = 1; shard <= 4; shard++) {
        ck_assert_uint_eq(state_shard(&state, shard)->epoch, 2);
        ck_assert_uint_eq(state_shard(&state, shard)->primary_boot, 101);
    }
    ck_assert_uint_eq(state_shard(&state, 5)->epoch, 1);
    ck_assert_ptr_null(state_shard(&state, 7));
    state_close(&state);
}
END_TEST

START_TEST(graphs)
{
    struct state state;
    struct state_result result;

    state_init(&state, 7);
    node_up(&state, 1, 100);
    ck_assert_int_eq(graph_create(&state, "g", 2, 9), E_UNAVAILABLE);
    ck_assert_int_eq(graph_create(&state, "a b", 2, 1), E_INVALID);
    ck_assert_int_eq(graph_create(&state, "", 2, 1), E_INVALID);
    ck_assert_int_eq(graph_create(&state, "g", 0, 1), E_INVALID);
    ck_assert_int_eq(graph_create(&state, "g", 2, 1), E_OK);
    ck_assert_int_eq(graph_create(&state, "g", 2, 1), E_EXISTS);
    run(&state, &(struct state_command){.kind = STATE_GRAPH_READY, .graph = 1}, &result);
    ck_assert(state.graphs[0].is_ready);
    run(&state, &(struct state_command){.kind = STATE_GRAPH_DROP, .name = SLICE("g")}, &result);
    ck_assert_int_eq(result.code, E_OK);
    run(&state, &(struct state_command){.kind = STATE_GRAPH_DROP, .name = SLICE("g")}, &result);
    ck_assert_int_eq(result.code, E_NOT_FOUND);
    /* Numbers are never used again. */
    ck_assert_int_eq(graph_create(&state, "g", 2, 1), E_OK);
    ck_assert_uint_eq(state.graphs[0].graph, 2);
    ck_assert_uint_eq(state.graphs[0].shards[0].shard, 3);
    state_close(&state);
}
END_TEST

START_TEST(indexes_and_ids)
{
    struct state state;
    struct state_result result;
    struct shardmap_index index = {SLICE("byCode"), SLICE("airport"), SLICE("code")};

    state_init(&state, 7);
    node_up(&state, 1, 100);
    ck_assert_int_eq(graph_create(&state, "g", 2, 1), E_OK);
    run(&state,
        &(struct state_command){.kind = STATE_INDEX_CREATE, .name = SLICE("g"), .index = index},
        &result);
    ck_assert_int_eq(result.code, E_OK);
    ck_assert_uint_eq(state.graphs[0].schema_version, 2);
    run(&state,
        &(struct state_command){.kind = STATE_INDEX_CREATE, .name = SLICE("g"), .index = index},
        &result);
    ck_assert_int_eq(result.code, E_EXISTS);
    run(&state,
        &(struct state_command){.kind = STATE_INDEX_DROP, .name = SLICE("g"), .index = index},
        &result);
    ck_assert_uint_eq(state.graphs[0].index_count, 0);
    ck_assert_uint_eq(state.graphs[0].schema_version, 3);
    run(&state, &(struct state_command){.kind = STATE_IDS, .graph = 1, .count = 1000}, &result);
    uint64_t first = result.number;
    run(&state, &(struct state_command){.kind = STATE_IDS, .graph = 1, .count = 5}, &result);
    ck_assert_uint_eq(result.number, first + 1000);
    state.graphs[0].id_next = ((uint64_t)1 << 53) - 3;
    run(&state, &(struct state_command){.kind = STATE_IDS, .graph = 1, .count = 5}, &result);
    ck_assert_uint_eq(result.count, 3);
    run(&state, &(struct state_command){.kind = STATE_IDS, .graph = 1, .count = 5}, &result);
    ck_assert_int_eq(result.code, E_LIMIT);
    state_close(&state);
}
END_TEST

START_TEST(decisions_once)
{
    static const uint32_t shards[] = {1, 2};
    struct state state;
    struct state_result result;
    struct state_command decide = {.kind = STATE_DECIDE,
                                   .gtid = {1, 5},
                                   .sid = 1,
                                   .seq = 3,
                                   .low_seq = 2,
                                   .shard_count = 2,
                                   .shards = shards};

    state_init(&state, 7);
    run(&state, &decide, &result);
    ck_assert_int_eq(result.code, E_NOT_FOUND);
    run(&state, &(struct state_command){.kind = STATE_SESSION_NEW}, &result);
    ck_assert_uint_eq(result.number, 1);
    run(&state, &decide, &result);
    ck_assert_int_eq(result.code, E_OK);
    run(&state, &decide, &result);
    ck_assert_int_eq(result.code, E_EXISTS);
    decide.gtid.counter = 6; /* The same request under another number. */
    run(&state, &decide, &result);
    ck_assert_int_eq(result.code, E_EXISTS);
    ck_assert(state_is_committed(&state.sessions[0], 3));
    run(&state,
        &(struct state_command){
            .kind = STATE_FORGET, .gtid_count = 1, .gtids = &(struct txn_gtid){1, 5}},
        &result);
    ck_assert_uint_eq(state.decision_count, 0);
    ck_assert(state_is_committed(&state.sessions[0], 3));
    decide.seq = 9;
    decide.low_seq = 9; /* All below were answered. */
    run(&state, &decide, &result);
    ck_assert(!state_is_committed(&state.sessions[0], 3));
    ck_assert_uint_eq(state.sessions[0].count, 1);
    state_close(&state);
}
END_TEST

/* One random command; names and numbers collide on purpose. */
static void random_command(struct prng *prng, struct state *state)
{
    static const char *const names[] = {"a", "b", "c"};
    struct state_result result;
    struct state_command command = {
        .kind = (enum state_command_kind)(1 + prng_below(prng, STATE_GRAPH_SET))};
    uint32_t nodes[4];
    struct slice splits[4];
    struct nodeset replicas[4];
    char keys[4][4];
    uint64_t sid = 1 + prng_below(prng, 4);
    uint64_t applied[4];
    struct txn_gtid gtid = {1, prng_below(prng, 20)};

    for (uint32_t i = 0; i < 4; i++) {
        nodes[i] = 1 + (uint32_t)prng_below(prng, 4);
        snprintf(keys[i], sizeof keys[i], "%u", i);
        splits[i] = slice_text(keys[i]);
        applied[i] = prng_below(prng, 1000);
        replicas[i] = nodeset_of(nodes[i]);
        nodeset_add(&replicas[i], 1 + (uint32_t)prng_below(prng, 4));
    }
    command.zone = prng_below(prng, 4) == 0 ? SLICE("z") : (struct slice){0};
    command.weight = 1 + (uint32_t)prng_below(prng, 2);
    command.replicas = replicas;
    command.replica_count = 1 + (uint32_t)prng_below(prng, 2);
    command.min_insync = 1;
    command.node = nodes[0];
    command.boot = 1 + prng_below(prng, 3);
    command.name = slice_text(names[prng_below(prng, 3)]);
    command.partitioner = PARTITION_RANGE;
    command.ids = IDS_INT;
    command.shard_count = (uint32_t)prng_below(prng, 5);
    command.shards = nodes;
    command.applied = applied;
    command.splits = splits;
    command.graph = 1 + (uint32_t)prng_below(prng, 6);
    command.index = (struct shardmap_index){slice_text(names[prng_below(prng, 3)]),
                                            (struct slice){0}, SLICE("key")};
    command.count = prng_below(prng, 100);
    command.sid_count = 1;
    command.sids = &sid;
    command.gtid = gtid;
    command.sid = sid;
    command.seq = prng_below(prng, 50);
    command.low_seq = prng_below(prng, 10);
    command.incarnation = 1 + prng_below(prng, 3);
    command.gtid_count = 1;
    command.gtids = &gtid;
    command.shard = 1 + (uint32_t)prng_below(prng, 8);
    const struct state_shard *shard = state_shard(state, command.shard);
    if (shard != NULL) {
        command.epoch = shard->epoch;
        command.cfgver = shard->cfgver;
        command.set = shard->isr;
    }
    nodeset_add(&command.set, 1 + (uint32_t)prng_below(prng, 4));
    command.target = 1 + (uint32_t)prng_below(prng, 4);
    command.target_boot = 1 + prng_below(prng, 3);
    command.is_forced = prng_below(prng, 2) == 0;
    run(state, &command, &result);
}

static struct slice of_hex(const char *hex, struct bytes *out)
{
    bytes_clear(out);
    for (; hex[0] != '\0'; hex += 2) {
        char pair[3] = {hex[0], hex[1], '\0'};
        bytes_u8(out, (uint8_t)strtoul(pair, NULL, 16));
    }
    return bytes_slice(out);
}

static void check_older(const struct state *state)
{
    const struct state_shard *shard = state_shard(state, 2);
    struct nodeset want = nodeset_of(2);

    ck_assert_uint_eq(state->node_count, 2);
    ck_assert_uint_eq(state->nodes[1].weight, ROSTER_WEIGHT);
    ck_assert_uint_eq(state->nodes[1].zone.size, 0);
    ck_assert_uint_eq(state->graphs[0].replica_count, 1);
    ck_assert_uint_eq(state->graphs[0].min_insync, 1);
    ck_assert_uint_eq(state->graphs[0].index_count, 1);
    ck_assert_uint_eq(shard->primary_boot, 200);
    ck_assert(nodeset_equal(&shard->replicas, &want));
    ck_assert(nodeset_equal(&shard->isr, &want));
    ck_assert_uint_eq(shard->elr.count, 0);
    ck_assert_uint_eq(state_shard(state, 1)->applied, 120);
    ck_assert_uint_eq(state->decision_count, 1);
    ck_assert_uint_eq(state->incarnation, 0);
}

/* Written by the version before there were replicas: each shard has the one that it had. */
START_TEST(older_formats_are_read)
{
    static const char *const commands[] = {"01010000000000000064097463703a2f2f683a31",
                                           "010200000000000000c8097463703a2f2f683a32",
                                           "0301670101020102016b",
                                           "0401",
                                           "0601670169016c016b",
                                           "08",
                                           "0d010000000000000064010178",
                                           "0b0105010302020102"};
    static const char snapshot[] =
        "0200000000000000070502030202010000000000000064097463703a2f2f683a31010200000000000000c80974"
        "63703a2f2f683a320101010167010101028080808004010169016c016b02010102010000000000000064780001"
        "6b0201020200000000000000c800016b0001010201030101050103020102";
    struct state state;
    struct state_command command;
    struct state_result result;
    struct arena arena = {0};
    struct bytes body = {0};
    struct error err;

    ck_assert_int_eq(state_decode(of_hex(snapshot, &body), &state, NULL), E_OK);
    check_older(&state);
    state_close(&state);
    state_init(&state, 7);
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++) {
        ck_assert_int_eq(state_command_decode(of_hex(commands[i], &body), &arena, &command, NULL),
                         E_OK);
        state_apply(&state, &command, &result);
        ck_assert_int_eq(result.code, E_OK);
    }
    check_older(&state);
    state_close(&state);
    /* A newer one is not read as if it were this one. */
    ck_assert_int_eq(state_decode(SLICE("\x09"), &state, &err), E_MALFORMED);
    ck_assert_ptr_nonnull(strstr(err.text, "format 9, this version reads 1 to 4"));
    bytes_close(&body);
    arena_close(&arena);
}
END_TEST

START_TEST(a_cluster_is_founded_once)
{
    struct state state;
    struct state_result result;
    struct bytes body;

    state_init(&state, 7);
    run(&state, &(struct state_command){.kind = STATE_FOUND, .incarnation = 0x1122334455667788},
        &result);
    run(&state, &(struct state_command){.kind = STATE_FOUND, .incarnation = 9}, &result);
    bytes_init(&body, 0);
    state_encode(&body, &state);
    state_close(&state);
    ck_assert_int_eq(state_decode(bytes_slice(&body), &state, NULL), E_OK);
    ck_assert_uint_eq(state.incarnation, 0x1122334455667788);
    state_close(&state);
    bytes_close(&body);
}
END_TEST

START_TEST(same_commands_same_bytes)
{
    for (uint64_t seed = 1; seed <= 20; seed++) {
        struct state a;
        struct state b;
        struct prng pa;
        struct prng pb;
        struct bytes bytes_a;
        struct bytes bytes_b;

        prng_init(&pa, seed);
        prng_init(&pb, seed);
        state_init(&a, 7);
        state_init(&b, 7);
        bytes_init(&bytes_a, 0);
        bytes_init(&bytes_b, 0);
        for (int i = 0; i < 400; i++) {
            random_command(&pa, &a);
            random_command(&pb, &b);
            if (i % 37 == 0) {
                /* b lives on from its snapshot. */
                bytes_clear(&bytes_b);
                state_encode(&bytes_b, &b);
                state_close(&b);
                ck_assert_int_eq(state_decode(bytes_slice(&bytes_b), &b, NULL), E_OK);
            }
        }
        bytes_clear(&bytes_b);
        state_encode(&bytes_a, &a);
        state_encode(&bytes_b, &b);
        ck_assert(slice_equal(bytes_slice(&bytes_a), bytes_slice(&bytes_b)));
        for (size_t size = 0; size < bytes_a.size; size += 13) {
            struct state cut;
            ck_assert_int_eq(state_decode(slice_of(bytes_a.data, size), &cut, NULL), E_MALFORMED);
        }
        struct shardmap map;
        bytes_clear(&bytes_a);
        state_map(&a, &bytes_a);
        ck_assert_int_eq(shardmap_decode(bytes_slice(&bytes_a), &map, NULL), E_OK);
        ck_assert_uint_eq(map.graph_count, a.graph_count);
        shardmap_close(&map);
        state_close(&a);
        state_close(&b);
        bytes_close(&bytes_a);
        bytes_close(&bytes_b);
    }
}
END_TEST

/* ---- members ---- */

struct seen {
    uint32_t pushes, downs, readies, applied;
    uint32_t graph, node;
};

static void see(void *ctx, const struct member_effect *effect)
{
    struct seen *seen = ctx;

    switch (effect->kind) {
    case MEMBER_PUSH:
        seen->pushes++;
        break;
    case MEMBER_NODE_DOWN:
        seen->downs++;
        seen->node = effect->node;
        break;
    case MEMBER_GRAPH_READY:
        seen->readies++;
        seen->graph = effect->graph;
        break;
    case MEMBER_APPLIED:
        seen->applied++;
        seen->node = effect->node;
        break;
    }
}

static struct seen tick(struct member *member, uint64_t now_ms)
{
    struct seen seen = {0};

    member_tick(member, now_ms, see, &seen);
    return seen;
}

static enum member_answer hear(struct member *member, uint64_t now_ms, uint32_t node, uint64_t boot,
                               uint64_t epoch)
{
    struct roster_replica replicas[] = {{.shard = 1, .epoch = epoch}, {.shard = 2, .epoch = epoch}};
    struct roster_status status = {.node = node,
                                   .boot = boot,
                                   .weight = ROSTER_WEIGHT,
                                   .address = SLICE("tcp://h:1"),
                                   .replica_count = epoch == 0 ? 0 : 2,
                                   .replicas = replicas};

    return member_hear(member, now_ms, &status, epoch == 0);
}

START_TEST(members_come_and_go)
{
    struct state state;
    struct member member;

    state_init(&state, 7);
    member_init(&member, &state, 1000);
    member_lead(&member, 5000);
    ck_assert_int_eq(hear(&member, 5000, 1, 100, 1), MEMBER_UNKNOWN);
    ck_assert_int_eq(hear(&member, 5000, 1, 100, 0), MEMBER_PROPOSE);
    node_up(&state, 1, 100);
    ck_assert_int_eq(hear(&member, 5010, 1, 100, 1), MEMBER_CONFIG);
    ck_assert_uint_eq(tick(&member, 5010).pushes, 1);
    ck_assert_uint_eq(tick(&member, 5020).pushes, 0);
    ck_assert_int_eq(graph_create(&state, "g", 2, 1), E_OK);
    hear(&member, 5030, 1, 100, 7); /* Another epoch than wanted. */
    struct seen seen = tick(&member, 5030);
    ck_assert_uint_eq(seen.pushes, 1);
    ck_assert_uint_eq(seen.readies, 0);
    hear(&member, 5040, 1, 100, 1);
    ck_assert_uint_eq(tick(&member, 5040).graph, 1);
    ck_assert_uint_eq(tick(&member, 5041).readies, 0); /* It is under way. */
    ck_assert_uint_eq(tick(&member, 6039).downs, 0);
    ck_assert_uint_eq(member_deadline(&member), 6040);
    ck_assert_uint_eq(tick(&member, 6040).downs, 1);
    ck_assert_int_eq(hear(&member, 6050, 1, 101, 1), MEMBER_UNKNOWN);
    ck_assert_int_eq(hear(&member, 6050, 1, 101, 0), MEMBER_PROPOSE);
    /* A new leader has heard nobody, and gives them time. */
    member_lead(&member, 9000);
    ck_assert_uint_eq(tick(&member, 9999).downs, 0);
    ck_assert_uint_eq(tick(&member, 10000).downs, 1);
    member_close(&member);
    state_close(&state);
}
END_TEST

static enum member_answer register_at(struct member *member, uint64_t now_ms, uint64_t boot,
                                      const char *address)
{
    struct roster_status status = {
        .node = 1, .boot = boot, .address = slice_text(address), .weight = ROSTER_WEIGHT};

    return member_hear(member, now_ms, &status, true);
}

/* They took the shards from each other, 27 epochs in 1.5 s. */
START_TEST(two_processes_with_one_number)
{
    struct state state;
    struct member member;

    state_init(&state, 7);
    member_init(&member, &state, 1000);
    member_lead(&member, 5000);
    node_up(&state, 1, 100);
    struct slice known = state_node(&state, 1)->address;
    char home[64];
    snprintf(home, sizeof home, "%.*s", (int)known.size, (const char *)known.data);
    /* Nobody was heard yet: the first may live. */
    ck_assert_int_eq(register_at(&member, 5900, 101, "tcp://other:1"), MEMBER_TAKEN);
    ck_assert_int_eq(register_at(&member, 5950, 100, home), MEMBER_CONFIG);
    ck_assert_int_eq(register_at(&member, 6949, 101, "tcp://other:1"), MEMBER_TAKEN);
    ck_assert_uint_eq(member_node(&member, 1)->boot, 100);
    /* At its own address it is the next start of the same one. */
    ck_assert_int_eq(register_at(&member, 6000, 102, home), MEMBER_PROPOSE);
    ck_assert_int_eq(register_at(&member, 6010, 100, home), MEMBER_CONFIG);
    ck_assert_int_eq(register_at(&member, 7010, 101, "tcp://other:1"), MEMBER_PROPOSE);
    member_close(&member);
    state_close(&state);
}
END_TEST

START_TEST(what_was_applied_is_remembered)
{
    uint32_t shard = 1;
    uint64_t applied = 120;
    struct roster_replica replica = {.shard = 1, .epoch = 1, .applied = applied};
    struct roster_status status = {.node = 1,
                                   .boot = 100,
                                   .weight = ROSTER_WEIGHT,
                                   .address = SLICE("tcp://h:1"),
                                   .replica_count = 1,
                                   .replicas = &replica};
    struct state_command command = {.kind = STATE_APPLIED,
                                    .node = 1,
                                    .boot = 99,
                                    .shard_count = 1,
                                    .shards = &shard,
                                    .applied = &applied};
    struct state_result result;
    struct state state;
    struct member member;

    state_init(&state, 7);
    member_init(&member, &state, 1000);
    member_lead(&member, 5000);
    node_up(&state, 1, 100);
    ck_assert_int_eq(graph_create(&state, "g", 1, 1), E_OK);
    member_hear(&member, 5000, &status, false);
    ck_assert_uint_eq(tick(&member, 5001).applied, 1);
    member_hear(&member, 5100, &status, false);
    ck_assert_uint_eq(tick(&member, 5101).applied, 0); /* Once per second. */
    run(&state, &command, &result);
    ck_assert_uint_eq(state_shard(&state, 1)->applied, 0); /* Of a boot that is no more. */
    command.boot = 100;
    run(&state, &command, &result);
    ck_assert_uint_eq(state_shard(&state, 1)->applied, 120);
    member_hear(&member, 7000, &status, false);
    ck_assert_uint_eq(tick(&member, 7001).applied, 0); /* Nothing new. */
    /* A file that is behind is not served, and its number is no news. */
    replica.epoch = 0;
    replica.applied = 105;
    member_hear(&member, 8500, &status, false);
    ck_assert_uint_eq(tick(&member, 8501).applied, 0);
    member_close(&member);
    state_close(&state);
}
END_TEST

RUN_SUITE("state", new_boot_means_new_epoch, graphs, indexes_and_ids, decisions_once,
          older_formats_are_read, a_cluster_is_founded_once, same_commands_same_bytes,
          members_come_and_go, two_processes_with_one_number, what_was_applied_is_remembered)
