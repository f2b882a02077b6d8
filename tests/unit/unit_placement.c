#include "coordinator/placement.h"

#include "common/prng.h"
#include "tests/lib/runner.h"

#include <stdio.h>
#include <string.h>

enum { NODES = 5, SHARDS = 4 };

struct fixture {
    struct placement_node items[NODES];
    struct placement_nodes nodes;
    struct placement_shard shards[SHARDS];
    uint32_t shard_count;
    uint32_t replica_count;
};

static void start(struct fixture *f, uint32_t node_count)
{
    *f = (struct fixture){.nodes = {.count = node_count}};
    f->nodes.nodes = f->items;
    for (uint32_t i = 0; i < node_count; i++) {
        f->items[i] = (struct placement_node){.node = i + 1, .weight = 100, .is_usable = true};
    }
}

/* Zones by letters, one for each node; '-': none. */
static void set_zones(struct fixture *f, const char *zones)
{
    for (uint32_t i = 0; i < f->nodes.count; i++) {
        f->items[i].zone =
            zones[i] == '-' ? (struct slice){0} : slice_of((const uint8_t *)zones + i, 1);
    }
}

static uint32_t zones_of(const struct fixture *f, const struct nodeset *set)
{
    uint32_t count = 0;

    for (uint32_t i = 0; i < set->count; i++) {
        const struct placement_node *a = placement_node(&f->nodes, set->nodes[i]);
        bool is_new = true;
        for (uint32_t j = 0; j < i; j++) {
            const struct placement_node *b = placement_node(&f->nodes, set->nodes[j]);
            is_new = is_new && (a->zone.size == 0 || !slice_equal(a->zone, b->zone));
        }
        count += is_new;
    }
    return count;
}

static uint32_t most(const struct fixture *f, bool is_primaries)
{
    uint32_t max = 0;

    for (uint32_t i = 0; i < f->nodes.count; i++) {
        uint32_t load = is_primaries ? f->items[i].primaries : f->items[i].replicas;
        max = load > max ? load : max;
    }
    return max;
}

static void even_out(struct fixture *f)
{
    struct placement_move move;
    struct arena arena = {0};
    int moves = 0;

    while (placement_move(&f->nodes, f->shards, f->shard_count, &arena, &move)) {
        ck_assert(nodeset_has(&f->shards[move.shard].ready, move.target));
        ck_assert_int_lt(moves++, 100);
        placement_node(&f->nodes, f->shards[move.shard].primary)->primaries--;
        f->shards[move.shard].primary = move.target;
        placement_node(&f->nodes, move.target)->primaries++;
    }
    arena_close(&arena);
}

static void place(struct fixture *f)
{
    for (uint32_t i = 0; i < f->shard_count; i++) {
        placement_add(&f->nodes, f->replica_count, &f->shards[i].ready);
        f->shards[i].primary = placement_lead(&f->nodes, &f->shards[i].ready);
    }
    even_out(f);
}

/* ---- the best there is, by trying all ---- */

struct best {
    uint32_t zones;    /* The most zones that a shard can have. */
    uint32_t replicas; /* With that: least at the node with most. */
};

static void try_replicas(struct fixture *f, uint32_t shard, struct best *best)
{
    if (shard >= f->shard_count || shard >= SHARDS) {
        uint32_t max = most(f, false);
        best->replicas = max < best->replicas ? max : best->replicas;
        return;
    }
    for (uint32_t mask = 0; mask < 1U << f->nodes.count; mask++) {
        struct nodeset set = {0};
        for (uint32_t i = 0;
             i < f->nodes.count && (uint32_t)__builtin_popcount(mask) == f->replica_count; i++) {
            if ((mask >> i & 1) != 0) {
                nodeset_add(&set, i + 1);
            }
        }
        if (set.count != f->replica_count || zones_of(f, &set) != best->zones) {
            continue;
        }
        for (uint32_t i = 0; i < set.count; i++) {
            placement_node(&f->nodes, set.nodes[i])->replicas++;
        }
        if (most(f, false) < best->replicas) {
            try_replicas(f, shard + 1, best);
        }
        for (uint32_t i = 0; i < set.count; i++) {
            placement_node(&f->nodes, set.nodes[i])->replicas--;
        }
    }
}

static uint32_t try_primaries(struct fixture *f, uint32_t shard)
{
    uint32_t least = UINT32_MAX;

    if (shard >= f->shard_count || shard >= SHARDS) {
        return most(f, true);
    }
    for (uint32_t i = 0; i < f->shards[shard].ready.count; i++) {
        struct placement_node *node = placement_node(&f->nodes, f->shards[shard].ready.nodes[i]);
        node->primaries++;
        uint32_t found = try_primaries(f, shard + 1);
        node->primaries--;
        least = found < least ? found : least;
    }
    return least;
}

static uint32_t most_zones(struct fixture *f)
{
    struct nodeset all = {0};

    for (uint32_t i = 1; i <= f->nodes.count; i++) {
        nodeset_add(&all, i);
    }
    uint32_t zones = zones_of(f, &all);
    return zones < f->replica_count ? zones : f->replica_count;
}

static void check_best(struct fixture *f, const char *zones)
{
    struct fixture other = *f;
    struct best best = {.zones = most_zones(f), .replicas = UINT32_MAX};

    other.nodes.nodes = other.items;
    try_replicas(&other, 0, &best);
    place(f);
    for (uint32_t i = 0; i < f->shard_count; i++) {
        ck_assert_uint_eq(f->shards[i].ready.count, f->replica_count);
        ck_assert(nodeset_has(&f->shards[i].ready, f->shards[i].primary));
        ck_assert_uint_eq(zones_of(f, &f->shards[i].ready), best.zones);
        other.shards[i] = f->shards[i];
    }
    ck_assert_msg(most(f, false) == best.replicas, "zones %s, %u shards, R %u: %u, best %u", zones,
                  f->shard_count, f->replica_count, most(f, false), best.replicas);
    uint32_t least = try_primaries(&other, 0);
    ck_assert_msg(most(f, true) == least, "zones %s, %u shards, R %u: %u primaries, best %u", zones,
                  f->shard_count, f->replica_count, most(f, true), least);
}

/* All ways to give up to five nodes zones, all small graphs: nothing better can be found. */
START_TEST(as_good_as_trying_all)
{
    for (uint32_t nodes = 1; nodes <= NODES; nodes++) {
        for (uint32_t code = 0; code < 1U << (2 * nodes); code++) {
            char zones[NODES + 1] = {0};
            for (uint32_t i = 0; i < nodes; i++) {
                zones[i] = "-abc"[code >> (2 * i) & 3];
            }
            for (uint32_t r = 1; r <= nodes && r <= 3; r++) {
                for (uint32_t shards = 1; shards <= (nodes < 5 ? SHARDS : 3); shards++) {
                    struct fixture f;
                    start(&f, nodes);
                    set_zones(&f, zones);
                    f.replica_count = r;
                    f.shard_count = shards;
                    check_best(&f, zones);
                }
            }
        }
    }
}
END_TEST

START_TEST(a_node_that_comes_back_leads_its_share_again)
{
    struct fixture f;

    start(&f, 3);
    f.shard_count = 4;
    /* All are led by 1 and 2; 3 is in sync again for two of them, of which 1 leads none. */
    f.shards[0] = (struct placement_shard){1, {2, {1, 2}}};
    f.shards[1] = (struct placement_shard){1, {2, {1, 2}}};
    f.shards[2] = (struct placement_shard){2, {2, {2, 3}}};
    f.shards[3] = (struct placement_shard){1, {2, {1, 2}}};
    f.items[0].primaries = 3;
    f.items[1].primaries = 1;
    even_out(&f);
    ck_assert_uint_eq(f.items[0].primaries, 2);
    ck_assert_uint_eq(f.items[1].primaries, 1);
    ck_assert_uint_eq(f.items[2].primaries, 1); /* By a chain: 2 hands one to 3, 1 one to 2. */
    f.items[2].is_usable = false;               /* It is about to end. */
    f.shards[2].primary = 2;
    f.items[1].primaries = 2;
    f.items[2].primaries = 0;
    even_out(&f);
    ck_assert_uint_eq(f.items[2].primaries, 0);
}
END_TEST

START_TEST(weights_are_shares)
{
    struct fixture f;
    struct nodeset sets[60] = {{0}};
    struct placement_shard shards[60];
    struct placement_move move;
    struct arena arena = {0};

    start(&f, 3);
    f.items[2].weight = 300;
    for (uint32_t i = 0; i < 60; i++) {
        placement_add(&f.nodes, 1, &sets[i]);
        shards[i] = (struct placement_shard){placement_lead(&f.nodes, &sets[i]), sets[i]};
    }
    ck_assert_uint_eq(f.items[0].replicas, 12);
    ck_assert_uint_eq(f.items[1].replicas, 12);
    ck_assert_uint_eq(f.items[2].replicas, 36);
    ck_assert(!placement_move(&f.nodes, shards, 60, &arena, &move));
    f.items[1].is_usable = false;
    placement_add(&f.nodes, 3, &sets[0]);
    ck_assert_uint_eq(sets[0].count, 2); /* There are no more. */
    arena_close(&arena);
}
END_TEST

START_TEST(which_replica_goes)
{
    struct nodeset three = {3, {1, 2, 3}};
    struct nodeset keep = nodeset_of(1);
    struct fixture f;

    start(&f, 4);
    f.items[1].replicas = 5;
    f.items[2].replicas = 4;
    ck_assert_uint_eq(placement_drop(&f.nodes, &three, &keep), 2); /* It holds most. */
    set_zones(&f, "aab-");
    f.items[2].replicas = 9;
    ck_assert_uint_eq(placement_drop(&f.nodes, &three, &keep), 2); /* In the zone of 1. */
    f.items[2].is_usable = false;
    ck_assert_uint_eq(placement_drop(&f.nodes, &three, &keep), 3); /* It is down. */
    ck_assert_uint_eq(placement_drop(&f.nodes, &three, &three), 0);
}
END_TEST

/* Many shards whose replicas are anywhere: it ends, at the least possible. */
START_TEST(evening_out_ends)
{
    for (uint64_t seed = 1; seed <= 200; seed++) {
        struct fixture f;
        struct prng prng;
        prng_init(&prng, seed);
        start(&f, NODES);
        f.shard_count = SHARDS;
        for (uint32_t i = 0; i < SHARDS; i++) {
            f.shards[i].primary = 1 + (uint32_t)prng_below(&prng, 2);
            f.shards[i].ready = nodeset_of(f.shards[i].primary);
            nodeset_add(&f.shards[i].ready, 1 + (uint32_t)prng_below(&prng, NODES));
            nodeset_add(&f.shards[i].ready, 1 + (uint32_t)prng_below(&prng, NODES));
            f.items[f.shards[i].primary - 1].primaries++;
        }
        struct fixture other = f;
        other.nodes.nodes = other.items;
        for (uint32_t i = 0; i < NODES; i++) {
            other.items[i].primaries = 0;
        }
        even_out(&f);
        ck_assert_uint_eq(most(&f, true), try_primaries(&other, 0));
    }
}
END_TEST

RUN_SUITE("placement", as_good_as_trying_all, a_node_that_comes_back_leads_its_share_again,
          weights_are_shares, which_replica_goes, evening_out_ends)
