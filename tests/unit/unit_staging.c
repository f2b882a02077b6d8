#include "router/remote/staging.h"

#include "common/prng.h"
#include "tests/lib/storefix.h"

#include "tests/lib/runner.h"

#include <stdio.h>
#include <string.h>

enum { VERTICES = 6, EDGES = 12, CHANGES = 40, ROUNDS = 40 };

/* A transaction on one shard, and what it has made of the graph so far. */
struct world {
    struct storefix fix;
    struct staging staging;
    struct prng prng;
    bool has_vertex[VERTICES];
    int from[EDGES], to[EDGES]; /* from < 0: not there. */
    bool is_again;              /* Dropped edges may be added again. */
    bool was_dropped[EDGES];
};

static void note(struct world *world, struct change change)
{
    storefix_add(&world->fix, &change);
    (void)staging_add(&world->staging, &change);
}

static struct change half(const struct world *world, enum change_kind kind, int edge, bool is_out)
{
    int from = world->from[edge], to = world->to[edge];

    return (struct change){.kind = kind,
                           .direction = is_out ? DIRECTION_OUT : DIRECTION_IN,
                           .vertex = vid_num(is_out ? from : to),
                           .far = vid_num(is_out ? to : from),
                           .edge = vid_num(100 + edge),
                           .label = edge % 2 == 0 ? SLICE("x") : SLICE("y"),
                           .far_label = SLICE("p")};
}

static void both(struct world *world, enum change_kind kind, int edge, int64_t weight)
{
    for (int is_out = 1; is_out >= 0; is_out--) {
        struct change change = half(world, kind, edge, is_out == 1);
        if (kind == CHANGE_EPROP_SET) {
            change.key = SLICE("w");
            change.value = value_long(weight);
        }
        note(world, change);
    }
}

static void drop_edge(struct world *world, int edge)
{
    both(world, CHANGE_EDGE_DROP, edge, 0);
    world->from[edge] = -1;
    world->was_dropped[edge] = true;
}

static void change_edge(struct world *world, int edge)
{
    int from = (int)prng_below(&world->prng, VERTICES),
        to = (int)prng_below(&world->prng, VERTICES);

    if (world->from[edge] >= 0 && prng_below(&world->prng, 3) == 0) {
        drop_edge(world, edge);
    } else if (world->from[edge] >= 0) {
        both(world, CHANGE_EPROP_SET, edge, (int64_t)prng_below(&world->prng, 100));
    } else if (world->has_vertex[from] && world->has_vertex[to] &&
               (world->is_again || !world->was_dropped[edge])) {
        world->from[edge] = from;
        world->to[edge] = to;
        both(world, CHANGE_EDGE_ADD, edge, 0);
    }
}

static void change_vertex(struct world *world, int vertex)
{
    struct change change = {.vertex = vid_num(vertex)};

    if (!world->has_vertex[vertex]) {
        change.kind = CHANGE_VERTEX_ADD;
        change.label = SLICE("p");
        world->has_vertex[vertex] = true;
    } else if (prng_below(&world->prng, 4) == 0) {
        for (int edge = 0; edge < EDGES; edge++) {
            if (world->from[edge] >= 0 &&
                (world->from[edge] == vertex || world->to[edge] == vertex)) {
                drop_edge(world, edge);
            }
        }
        change.kind = CHANGE_VERTEX_DROP;
        world->has_vertex[vertex] = false;
    } else {
        change.kind = CHANGE_VPROP_SET;
        change.key = SLICE("k");
        change.value = value_long((int64_t)prng_below(&world->prng, 100));
    }
    note(world, change);
}

static void some_changes(struct world *world, uint64_t count)
{
    for (uint64_t i = 0; i < count; i++) {
        if (prng_below(&world->prng, 3) == 0) {
            change_vertex(world, (int)prng_below(&world->prng, VERTICES));
        } else {
            change_edge(world, (int)prng_below(&world->prng, EDGES));
        }
    }
}

static void open_world(struct world *world, uint64_t seed)
{
    *world = (struct world){.is_again = seed % 4 == 0};
    prng_init(&world->prng, seed);
    storefix_open(&world->fix);
    for (int i = 0; i < EDGES; i++) {
        world->from[i] = -1;
    }
    some_changes(world, CHANGES);
    storefix_commit(&world->fix);
    staging_close(&world->staging);
    memset(world->was_dropped, 0, sizeof world->was_dropped);
}

static void close_world(struct world *world)
{
    staging_close(&world->staging);
    storefix_close(&world->fix);
}

/* The read with all changes and with those that it can see. */
static void compare(struct world *world, struct read_request *read)
{
    struct bytes seen = {0};
    char all[4096];

    read->staged = world->staging.count == 0 ? (struct slice){0} : storefix_list(&world->fix);
    (void)snprintf(all, sizeof all, "%s", storefix_text(&world->fix, read));
    staging_write_for(&world->staging, read, &seen);
    ck_assert_uint_le(seen.size, read->staged.size);
    read->staged = bytes_slice(&seen);
    ck_assert_str_eq(storefix_text(&world->fix, read), all);
    bytes_close(&seen);
}

static void compare_reads(struct world *world)
{
    static const uint8_t directions[] = {0, DIRECTION_OUT, DIRECTION_IN, DIRECTION_BOTH};
    int64_t ids[3];

    for (uint32_t i = 0; i < 8; i++) {
        struct read_request read = {.source = READ_IDS,
                                    .emit = READ_ROWS,
                                    .project = READ_ALL,
                                    .input_count = 1 + i % 3,
                                    .hop = {.direction = directions[i % 4], .to_edges = i >= 4}};
        for (uint32_t k = 0; k < 3; k++) {
            ids[k] = (int64_t)prng_below(&world->prng, VERTICES);
        }
        read.hop.to_edges = read.hop.to_edges && read.hop.direction != 0;
        read.inputs = storefix_ids(&world->fix, read.input_count, ids);
        compare(world, &read);
        for (uint32_t k = 0; k < 3; k++) {
            ids[k] = 100 + (int64_t)prng_below(&world->prng, EDGES);
        }
        read.source = READ_EDGE_IDS;
        read.hop = (struct read_hop){0};
        read.inputs = storefix_ids(&world->fix, read.input_count, ids);
        compare(world, &read);
    }
}

START_TEST(a_read_with_what_it_can_see_gives_what_it_gives_with_all)
{
    for (uint64_t seed = 1; seed <= ROUNDS; seed++) {
        struct world world;

        open_world(&world, seed);
        for (int i = 0; i < 4; i++) {
            some_changes(&world, prng_below(&world.prng, CHANGES / 2));
            compare_reads(&world);
        }
        close_world(&world);
    }
}
END_TEST

/* g.addV().as('a').V(1).addE('x').to('a'), chained 2,000 times, took 5 s: each read of vertex 1
 * carried, and applied, all that was before it. */
START_TEST(a_vertex_that_gets_many_edges_is_read_without_them)
{
    struct staging staging = {0};
    struct bytes out = {0};
    struct read_input input = {.id = vid_num(1), .bulk = 1};
    struct read_request read = {.source = READ_IDS, .input_count = 1, .inputs = &input};

    for (int i = 0; i < 1000; i++) {
        struct change add = {
            .kind = CHANGE_VERTEX_ADD, .vertex = vid_num(10 + i), .label = SLICE("p")};
        struct change edge = {.kind = CHANGE_EDGE_ADD,
                              .direction = DIRECTION_OUT,
                              .vertex = vid_num(1),
                              .far = vid_num(10 + i),
                              .edge = vid_num(5000 + i),
                              .label = SLICE("x"),
                              .far_label = SLICE("p")};
        (void)staging_add(&staging, &add);
        (void)staging_add(&staging, &edge);
        staging_write_for(&staging, &read, &out);
        ck_assert_uint_eq(out.size, 0);
    }
    read.hop.direction = DIRECTION_IN;
    staging_write_for(&staging, &read, &out);
    ck_assert_uint_eq(out.size, 0);
    input.id = vid_num(10);
    staging_write_for(&staging, &read, &out);
    ck_assert_uint_eq(out.data[0], 1);
    bytes_close(&out);
    staging_close(&staging);
}
END_TEST

START_TEST(changes_that_were_undone_are_seen_by_no_read)
{
    struct staging staging = {0};
    struct bytes before = {0}, after = {0};
    struct read_input inputs[] = {{.id = vid_num(1), .bulk = 1}, {.id = vid_num(2), .bulk = 1}};
    struct read_request read = {.source = READ_IDS, .input_count = 2, .inputs = inputs};
    struct change change = {
        .kind = CHANGE_VPROP_SET, .vertex = vid_num(1), .key = SLICE("k"), .value = value_long(1)};

    (void)staging_add(&staging, &change);
    staging_write_for(&staging, &read, &before);
    change.value = value_long(2);
    (void)staging_add(&staging, &change);
    change.vertex = vid_num(2);
    (void)staging_add(&staging, &change);
    staging_cut(&staging, 1);
    staging_write_for(&staging, &read, &after);
    ck_assert(slice_equal(bytes_slice(&before), bytes_slice(&after)));
    staging_cut(&staging, 0);
    bytes_clear(&after);
    staging_write_for(&staging, &read, &after);
    staging_write(&staging, &after);
    ck_assert_uint_eq(after.size, 0);
    bytes_close(&before);
    bytes_close(&after);
    staging_close(&staging);
}
END_TEST

RUN_SUITE("staging", a_read_with_what_it_can_see_gives_what_it_gives_with_all,
          a_vertex_that_gets_many_edges_is_read_without_them,
          changes_that_were_undone_are_seen_by_no_read)
