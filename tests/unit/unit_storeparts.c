#include <stdlib.h>
#include <string.h>

#include "common/prng.h"
#include "shardd/read/bulkset.h"
#include "shardd/read/scan.h"
#include "shardd/read/scan_walk.h"
#include "shardd/replica/item.h"
#include "shardd/store/adjacency.h"
#include "shardd/store/adjcache.h"
#include "shardd/store/changeset.h"
#include "shardd/store/counter.h"
#include "shardd/store/propindex.h"
#include "shardd/store/stmt.h"
#include "shardd/store/symbol.h"
#include "shardd/store/tables.h"
#include "shardd/store/vrow.h"
#include "tests/lib/runner.h"

/* The parts of a store, each by itself; tables in a file in memory. */

static void open_tables(struct tables *tables)
{
    struct error err = {0};

    ck_assert_msg(tables_open(tables, ":memory:", NULL, 1 << 20, &err) == E_OK, "%s", err.text);
}

/* ---- bulkset ---- */

static void check_sum(struct bulkset *sum, const uint64_t *bulks, int64_t base, size_t room)
{
    size_t count;
    size_t at = 0;
    const struct bulkset_entry *list = bulkset_sorted(sum, &count);

    for (size_t i = 0; i < room; i++) {
        if (bulks[i] > 0) {
            ck_assert_uint_lt(at, count);
            ck_assert_int_eq(list[at].id, base + (int64_t)i);
            ck_assert_uint_eq(list[at].bulk, bulks[i]);
            at++;
        }
    }
    ck_assert_uint_eq(at, count);
}

START_TEST(test_farsum)
{
    enum { ROOM = 20000 };
    static uint64_t bulks[ROOM];
    struct prng prng;

    prng_init(&prng, 3);
    for (int round = 0; round < 40; round++) {
        int64_t base = round % 3 == 0 ? 0 : round % 3 == 1 ? -10000 : INT64_MAX - ROOM;
        uint64_t spread = 1 + prng_below(&prng, ROOM);
        struct bulkset sum;

        memset(bulks, 0, sizeof bulks);
        bulkset_init(&sum);
        for (int i = 0; i < 3000; i++) {
            /* Mostly within a part, now and then outside it. */
            uint64_t at = prng_below(&prng, prng_chance(&prng, 0.95) ? spread : ROOM);
            int64_t id = base + (int64_t)at;

            bulks[at] += 1 + (uint64_t)i % 3;
            bulkset_add(&sum, &id, 1, 1 + (uint64_t)i % 3, 7);
        }
        check_sum(&sum, bulks, base, ROOM);
        bulkset_close(&sum);
    }
}
END_TEST

START_TEST(test_farsum_apart)
{
    const int64_t ids[] = {INT64_MIN, INT64_MAX, 0, INT64_MIN};
    const struct vid text = vid_text(SLICE("a"));
    struct bulkset sum;
    const struct bulkset_entry *list;
    size_t count;

    bulkset_init(&sum);
    bulkset_add(&sum, ids, 4, 2, 1);
    bulkset_add_one(&sum, &text, 3, 5);
    bulkset_add_one(&sum, &text, 4, 5);
    ck_assert_uint_eq(bulkset_count(&sum), 4);
    list = bulkset_sorted(&sum, &count);
    ck_assert_uint_eq(count, 3);
    ck_assert_int_eq(list[0].id, INT64_MIN);
    ck_assert_uint_eq(list[0].bulk, 4);
    ck_assert_int_eq(list[2].id, INT64_MAX);
    ck_assert_uint_eq(sum.text_list[0].bulk, 7);
    bulkset_close(&sum);
}
END_TEST

/* ---- cache ---- */

START_TEST(test_adjcache)
{
    int64_t far[100];
    struct adjcache cache;
    struct adjcache_entry entry = {.label = 3, .count = 100, .far_label = 9, .far = far};
    const struct adjcache_entry *found;
    const struct vid seven = vid_num(7);

    for (int i = 0; i < 100; i++) {
        far[i] = i;
    }
    adjcache_init(&cache, 64 << 10);
    for (int64_t v = 0; v < 1000; v++) {
        entry.vertex = v;
        adjcache_add(&cache, &entry);
        ck_assert_uint_le(cache.bytes, 64 << 10);
    }
    found = adjcache_find(&cache, 999, 0, 3);
    ck_assert_ptr_nonnull(found);
    ck_assert_int_eq(found->far[99], 99);
    ck_assert_ptr_null(adjcache_find(&cache, 999, 1, 3));
    ck_assert_ptr_null(adjcache_find(&cache, 999, 0, 4));
    ck_assert_ptr_null(adjcache_find(&cache, 0, 0, 3));
    entry.vertex = 7;
    entry.count = 0;
    adjcache_add(&cache, &entry);
    entry.direction = 1;
    adjcache_add(&cache, &entry);
    ck_assert_ptr_nonnull(adjcache_find(&cache, 7, 0, 3));
    adjcache_drop(&cache, &seven);
    ck_assert_ptr_null(adjcache_find(&cache, 7, 0, 3));
    ck_assert_ptr_null(adjcache_find(&cache, 7, 1, 3));
    adjcache_clear(&cache);
    ck_assert_uint_eq(cache.bytes, 0);
    adjcache_close(&cache);
    /* Nothing but an empty adjacency: a change has to drop it all the same. */
    adjcache_init(&cache, 64 << 10);
    adjcache_add(&cache, &entry);
    ck_assert_ptr_nonnull(adjcache_find(&cache, 7, 1, 3));
    adjcache_drop(&cache, &seven);
    ck_assert_ptr_null(adjcache_find(&cache, 7, 1, 3));
    adjcache_add(&cache, &entry);
    adjcache_clear(&cache);
    ck_assert_ptr_null(adjcache_find(&cache, 7, 1, 3));
    adjcache_close(&cache);
    adjcache_init(&cache, 0);
    adjcache_add(&cache, &entry);
    ck_assert_ptr_null(adjcache_find(&cache, 7, 1, 3));
    adjcache_close(&cache);
}
END_TEST

/* ---- names and counters ---- */

START_TEST(test_symbols)
{
    struct tables tables;
    struct error err = {0};
    uint32_t a, b;

    open_tables(&tables);
    ck_assert_uint_eq(symbol_find(&tables.symbols, (struct slice){0}), 0);
    ck_assert_int_eq(symbol_make(&tables.symbols, &tables.stmt, SLICE("a"), &a, &err), E_OK);
    ck_assert_int_eq(symbol_make(&tables.symbols, &tables.stmt, SLICE("b"), &b, &err), E_OK);
    ck_assert_uint_eq(a, 1);
    ck_assert_uint_eq(b, 2);
    ck_assert_int_eq(tables_reload(&tables, &err), E_OK);
    ck_assert_uint_eq(symbol_find(&tables.symbols, SLICE("b")), 2);
    ck_assert(slice_equal(symbol_name(&tables.symbols, 1), SLICE("a")));
    ck_assert_uint_eq(symbol_name(&tables.symbols, 99).size, 0);
    symbol_forget(&tables.symbols, 2);
    ck_assert_uint_eq(symbol_find(&tables.symbols, SLICE("b")), SYMBOL_NONE);
    ck_assert_uint_eq(symbol_find(&tables.symbols, SLICE("a")), 1);
    tables_close(&tables);
}
END_TEST

START_TEST(test_counters)
{
    struct tables tables;
    struct error err = {0};

    open_tables(&tables);
    ck_assert(counter_add(&tables.counters, true, 500, 3));
    ck_assert(!counter_add(&tables.counters, true, 500, -4));
    ck_assert(counter_add(&tables.counters, false, 1, 2));
    ck_assert_int_eq(counter_flush(&tables.counters, &tables.stmt, &err), E_OK);
    ck_assert(counter_add(&tables.counters, false, 1, 40));
    ck_assert_int_eq(counter_load(&tables.counters, &tables.stmt, &err), E_OK);
    ck_assert_uint_eq(counter_get(&tables.counters, true, 500), 3);
    ck_assert_uint_eq(counter_get(&tables.counters, false, 1), 2);
    ck_assert_uint_eq(counter_get(&tables.counters, false, 70000), 0);
    ck_assert_uint_eq(counter_sum(&tables.counters, true), 3);
    tables_close(&tables);
}
END_TEST

/* ---- rows ---- */

START_TEST(test_degrees)
{
    struct arena arena = {0};
    struct vrow row = {0};
    struct vrow back = {0};
    struct reader reader;
    struct bytes out;

    ck_assert(vrow_degree_add(&row, &arena, VROW_OUT, 3, 5));
    ck_assert(vrow_degree_add(&row, &arena, VROW_IN, 3, 2));
    ck_assert(vrow_degree_add(&row, &arena, VROW_OUT, 4, 1));
    ck_assert(vrow_degree_add(&row, &arena, VROW_OUT, 4, -1));
    ck_assert(!vrow_degree_add(&row, &arena, VROW_IN, 3, -3));
    bytes_init(&out, 0);
    vrow_encode_degrees(&out, &row);
    ck_assert_uint_eq(out.size, 4);
    vrow_decode_degrees(bytes_slice(&out), &arena, &back, &reader);
    ck_assert(!reader.is_bad);
    ck_assert_uint_eq(vrow_degree(&back, VROW_OUT, 3), 5);
    ck_assert_uint_eq(vrow_degree(&back, VROW_OUT, SYMBOL_NONE), 5);
    ck_assert_uint_eq(vrow_degree_total(&back), 7);
    ck_assert_uint_eq(vrow_degree_of(bytes_slice(&out), VROW_IN, 3, &reader), 2);
    bytes_close(&out);
    arena_close(&arena);
}
END_TEST

/* A property's id depends on vertex, key and number, and on nothing else. */
START_TEST(test_prop_ids)
{
    const struct vid one = vid_num(1), two = vid_num(2), text = vid_text(SLICE("1"));
    struct vrow_prop prop = {.id = 4};
    int64_t id = vrow_prop_id(&one, SLICE("name"), &prop);

    ck_assert_int_gt(id, 0);
    ck_assert_int_lt(id, 1LL << 53);
    prop.key = 77;
    ck_assert_int_eq(vrow_prop_id(&one, SLICE("name"), &prop), id);
    ck_assert_int_ne(vrow_prop_id(&two, SLICE("name"), &prop), id);
    ck_assert_int_ne(vrow_prop_id(&text, SLICE("name"), &prop), id);
    ck_assert_int_ne(vrow_prop_id(&one, SLICE("age"), &prop), id);
    prop.id = 5;
    ck_assert_int_ne(vrow_prop_id(&one, SLICE("name"), &prop), id);
    prop.has_id = true;
    ck_assert_int_eq(vrow_prop_id(&one, SLICE("name"), &prop), 5);
}
END_TEST

/* ---- items: compared between replicas, so pinned ---- */

START_TEST(test_slots)
{
    const struct vid one = vid_num(1);
    const struct value five = value_int(5), also = value_double(5.0), six = value_int(6);

    ck_assert_uint_eq(item_slot_vertex(ITEM_EXISTS, &one, (struct slice){0}), 14216);
    ck_assert_uint_eq(item_slot_vertex(ITEM_OUT, &one, SLICE("knows")), 40863);
    ck_assert_uint_eq(item_slot_name(ITEM_KEY, SLICE("age")), 64548);
    ck_assert_uint_eq(item_slot_value(SLICE("age"), &five), 38108);
    ck_assert_uint_eq(item_slot_value(SLICE("age"), &five), item_slot_value(SLICE("age"), &also));
    ck_assert_uint_ne(item_slot_value(SLICE("age"), &five), item_slot_value(SLICE("age"), &six));
}
END_TEST

/* ---- walks ---- */

static void put_run(struct tables *tables, int64_t vertex, uint32_t label)
{
    const struct adjacency_key key = {VROW_OUT, vid_num(vertex), label};
    const struct adjacency_op op = {ADJACENCY_ADD,
                                    {.far = vid_num(vertex + 1), .edge = vid_num(vertex)}};
    struct error err = {0};
    uint64_t degree = 0;

    ck_assert_int_eq(adjacency_apply(&tables->stmt, &key, &op, 1, &degree, &err), E_OK);
    ck_assert_uint_eq(degree, 1);
}

static int runs_of(struct scan_walk *walk, int64_t vertex)
{
    const struct vid id = vid_num(vertex);
    struct error err = {0};
    int count = 0;
    int rc = scan_walk_to(walk, &id, &err);

    while (rc == 1) {
        count++;
        rc = scan_walk_next(walk, &id, &err);
    }
    ck_assert_int_eq(rc, E_OK);
    return count;
}

START_TEST(test_walk)
{
    struct tables tables;
    struct scan_walk walk;

    open_tables(&tables);
    for (int64_t v = 0; v < 300; v += 3) {
        put_run(&tables, v, 1);
        put_run(&tables, v, 2);
    }
    scan_walk_init(&walk, &tables.stmt, VROW_OUT);
    for (int64_t v = 0; v < 310; v++) {
        ck_assert_int_eq(runs_of(&walk, v), v % 3 == 0 && v < 300 ? 2 : 0);
    }
    ck_assert_int_eq(runs_of(&walk, 6), 2);   /* Backwards. */
    ck_assert_int_eq(runs_of(&walk, 6), 2);   /* The same again. */
    ck_assert_int_eq(runs_of(&walk, 150), 2); /* Far ahead. */
    ck_assert_int_eq(runs_of(&walk, 151), 0);
    scan_walk_close(&walk);
    tables_close(&tables);
}
END_TEST

/* ---- an adjacency that splits ---- */

START_TEST(test_adjacency)
{
    enum { COUNT = 1000 };
    struct adjacency_op *ops = calloc(COUNT, sizeof *ops);
    const struct adjacency_key key = {VROW_IN, vid_text(SLICE("hub")), 4};
    struct edgerun_half half = {.far = vid_num(5), .edge = vid_num(500)};
    struct arena arena = {0};
    struct tables tables;
    struct error err = {0};
    uint64_t degree = 0;

    open_tables(&tables);
    for (int i = 0; i < COUNT; i++) { /* All to far vertex 5: runs begin amid it. */
        ops[i].half.far = vid_num(5);
        ops[i].half.edge = vid_num(i);
    }
    ck_assert_int_eq(adjacency_apply(&tables.stmt, &key, ops, COUNT, &degree, &err), E_OK);
    ck_assert_uint_eq(degree, COUNT);
    ck_assert_int_eq(adjacency_find(&tables.stmt, &key, &arena, &half, &err), 1);
    half.edge = vid_num(COUNT);
    ck_assert_int_eq(adjacency_find(&tables.stmt, &key, &arena, &half, &err), 0);
    for (int i = 0; i < COUNT; i++) {
        ops[i].act = i % 10 == 0 ? ADJACENCY_ADD : ADJACENCY_DROP;
    }
    ck_assert_int_eq(adjacency_apply(&tables.stmt, &key, ops, COUNT, &degree, &err), E_OK);
    ck_assert_uint_eq(degree, COUNT / 10);
    for (int i = 0; i < COUNT; i++) {
        ops[i].act = ADJACENCY_DROP;
    }
    ck_assert_int_eq(adjacency_apply(&tables.stmt, &key, ops, COUNT, &degree, &err), E_OK);
    ck_assert_uint_eq(degree, 0);
    tables_close(&tables);
    arena_close(&arena);
    free(ops);
}
END_TEST

/* ---- cursors ---- */

START_TEST(test_cursor)
{
    const struct scan_cursor cursor = {.emitted = 5,
                                       .each = 6,
                                       .position = 7,
                                       .passed = 8,
                                       .has_vertex = true,
                                       .vertex = vid_text(SLICE("v")),
                                       .key = SLICE("k")};
    struct scan_cursor back;
    struct bytes out;

    bytes_init(&out, 0);
    scan_cursor_encode(&out, &cursor);
    ck_assert_int_eq(scan_cursor_decode(bytes_slice(&out), &back, NULL), E_OK);
    ck_assert_uint_eq(back.passed, 8);
    ck_assert(vid_equal(&back.vertex, &cursor.vertex));
    ck_assert(slice_equal(back.key, cursor.key));
    ck_assert_int_eq(scan_cursor_decode(SLICE("\x01"), &back, NULL), E_MALFORMED);
    bytes_close(&out);
}
END_TEST

RUN_SUITE("storeparts", test_farsum, test_farsum_apart, test_adjcache, test_symbols, test_counters,
          test_degrees, test_prop_ids, test_slots, test_walk, test_adjacency, test_cursor)
