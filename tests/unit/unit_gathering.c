/* What generic operators keep their state in: bags, slots, items, sorting, Operators, labels,
 * paths. */
#include "common/bulk.h"
#include "router/op/bag.h"
#include "router/op/by_set.h"
#include "router/op/effect.h"
#include "router/op/items.h"
#include "router/op/operation.h"
#include "router/op/quota.h"
#include "router/op/scope.h"
#include "router/op/slots.h"
#include "router/op/sort.h"
#include "router/op/trail.h"
#include "tests/lib/runner.h"

static struct value list_of(struct arena *arena, int32_t a, int32_t b)
{
    struct value items[2] = {value_int(a), value_int(b)};

    return value_items(arena, VALUE_LIST, items, 2);
}

/* ---- bag ---- */

START_TEST(bag_counts_by_equivalence_and_tag)
{
    struct bag bag;
    struct value one = value_int(1), real = value_double(1.0), text = value_cstring("1");

    bag_init(&bag, NULL);
    bag_add(&bag, 0, &one, 2);
    bag_add(&bag, 0, &real, 1);
    bag_add(&bag, 0, &text, 1);
    bag_add(&bag, 1, &one, 5);
    bag_add(&bag, 0, &one, 3);
    ck_assert_uint_eq(bag.count, 4);
    ck_assert_uint_eq(bag.entries[0].bulk, 5);
    ck_assert_uint_eq(bag.entries[3].bulk, 5);
    ck_assert_uint_eq(bag.entries[3].tag, 1);
    bag_clear(&bag);
    ck_assert_uint_eq(bag.count, 0);
    bag_add(&bag, 0, &one, 1);
    ck_assert_uint_eq(bag.entries[0].bulk, 1);
    bag_close(&bag);
}
END_TEST

START_TEST(bag_grows)
{
    struct bag bag;
    struct arena arena = {0};
    bool is_new;

    arena_init(&arena, 0);
    for (int round = 0; round < 2; round++) {
        bag_init(&bag, round == 0 ? NULL : &arena);
        for (int32_t i = 0; i < 10000; i++) {
            struct value v = value_int(i);
            ck_assert_uint_eq(bag_at(&bag, 0, &v, &is_new), (uint32_t)i);
            ck_assert(is_new);
        }
        for (int32_t i = 0; i < 10000; i++) {
            struct value v = value_int(i);
            ck_assert_uint_eq(bag_at(&bag, 0, &v, &is_new), (uint32_t)i);
            ck_assert(!is_new);
        }
        bag_close(&bag);
    }
    arena_close(&arena);
}
END_TEST

START_TEST(bag_holds_what_is_not_a_number)
{
    struct bag bag;
    struct value nan = value_double(0.0 / 0.0), null = value_null();

    bag_init(&bag, NULL);
    bag_add(&bag, 0, &nan, 1);
    bag_add(&bag, 0, &nan, 1);
    bag_add(&bag, 0, &null, 1);
    bag_add(&bag, 0, &null, 1);
    ck_assert_uint_eq(bag.count, 2);
    bag_close(&bag);
}
END_TEST

/* ---- slots ---- */

START_TEST(slots_are_zero_until_written)
{
    struct slots slots = {0};
    uint64_t *item = slots_at(&slots, 3, sizeof *item);

    ck_assert_uint_eq(*item, 0);
    *item = 7;
    item = slots_at(&slots, 1000, sizeof *item);
    ck_assert_uint_eq(*item, 0);
    item = slots_at(&slots, 3, sizeof *item);
    ck_assert_uint_eq(*item, 7);
    slots_clear(&slots, sizeof *item);
    item = slots_at(&slots, 3, sizeof *item);
    ck_assert_uint_eq(*item, 0);
    slots_close(&slots);
    slots_close(&slots);
}
END_TEST

/* ---- items ---- */

START_TEST(items_of_each_kind)
{
    struct arena arena = {0};
    struct items items;
    struct value list = list_of(&arena, 1, 2), text = value_cstring("ab");
    struct value pairs[4] = {value_cstring("k"), value_int(1), value_cstring("l"), value_int(2)};
    struct value map = value_items(&arena, VALUE_MAP, pairs, 2);
    struct value counted[4] = {value_int(5), value_long(3), value_int(6), value_long(1)};
    struct value bulks = value_items(&arena, VALUE_BULKSET, counted, 2);
    uint32_t count;
    const struct value *flat;

    ck_assert(items_of(&arena, &list, &items));
    ck_assert_uint_eq(items_total(&items), 2);
    ck_assert(!items_of(&arena, &text, &items));
    ck_assert(items_of(&arena, &map, &items));
    ck_assert_uint_eq(items.count, 2);
    ck_assert_int_eq(items.values[1].kind, VALUE_ENTRY);
    ck_assert(value_is_text(&items.values[1].items[0], "l"));
    ck_assert(items_of(&arena, &bulks, &items));
    ck_assert_uint_eq(items_total(&items), 4);
    flat = items_flat(&arena, &items, &count);
    ck_assert_uint_eq(count, 4);
    ck_assert_int_eq(flat[2].integer, 5);
    ck_assert_int_eq(flat[3].integer, 6);
    arena_close(&arena);
}
END_TEST

START_TEST(items_collect_keeps_the_kind)
{
    struct arena arena = {0};
    struct items items;
    struct value pairs[4] = {value_cstring("k"), value_int(1), value_cstring("l"), value_int(2)};
    struct value map = value_items(&arena, VALUE_MAP, pairs, 2), part;

    ck_assert(items_of(&arena, &map, &items));
    part = items_collect(&arena, &map, items.values + 1, 1);
    ck_assert_int_eq(part.kind, VALUE_MAP);
    ck_assert_uint_eq(part.size, 1);
    ck_assert_int_eq(value_get_text(&part, "l")->integer, 2);
    arena_close(&arena);
}
END_TEST

/* ---- sort ---- */

START_TEST(sort_is_stable_and_by_tag)
{
    enum { ROWS = 1000 };
    static struct value keys[ROWS];
    static struct sort_row rows[ROWS], spare[ROWS];
    struct sort_column column = {.order = ORDER_ASC};

    for (uint32_t i = 0; i < ROWS; i++) {
        keys[i] = value_int((int32_t)(i * 7919 % 13));
        rows[i] = (struct sort_row){.keys = &keys[i], .tag = i % 3, .index = i};
    }
    sort_rows(rows, spare, ROWS, &column, 1, NULL);
    for (uint32_t i = 1; i < ROWS; i++) {
        const struct sort_row *a = &rows[i - 1], *b = &rows[i];
        ck_assert_uint_le(a->tag, b->tag);
        if (a->tag == b->tag) {
            ck_assert_int_le(a->keys->integer, b->keys->integer);
            if (a->keys->integer == b->keys->integer) {
                ck_assert_uint_lt(a->index, b->index);
            }
        }
    }
}
END_TEST

START_TEST(sort_by_several_columns_and_down)
{
    struct value keys[3][2] = {
        {value_int(1), value_int(1)}, {value_int(2), value_int(5)}, {value_int(1), value_int(2)}};
    struct sort_row rows[3], spare[3];
    struct sort_column columns[2] = {{ORDER_ASC}, {ORDER_DESC}};

    for (uint32_t i = 0; i < 3; i++) {
        rows[i] = (struct sort_row){.keys = keys[i], .index = i};
    }
    sort_rows(rows, spare, 3, columns, 2, NULL);
    ck_assert_uint_eq(rows[0].index, 2);
    ck_assert_uint_eq(rows[1].index, 0);
    ck_assert_uint_eq(rows[2].index, 1);
}
END_TEST

START_TEST(shuffle_keeps_every_row)
{
    struct value keys[64];
    struct sort_row rows[64], spare[64];
    struct sort_column column = {.order = ORDER_SHUFFLE};
    struct prng prng;
    uint64_t seen = 0;
    bool is_moved = false;

    prng_init(&prng, 7);
    for (uint32_t i = 0; i < 64; i++) {
        keys[i] = value_int(0);
        rows[i] = (struct sort_row){.keys = &keys[i], .index = i};
    }
    sort_rows(rows, spare, 64, &column, 1, &prng);
    for (uint32_t i = 0; i < 64; i++) {
        seen |= UINT64_C(1) << rows[i].index;
        is_moved |= rows[i].index != i;
    }
    ck_assert_uint_eq(seen, UINT64_MAX);
    ck_assert(is_moved);
}
END_TEST

/* ---- Operators ---- */

static struct value applied(struct arena *arena, enum enumerator id, struct value a, struct value b)
{
    struct value out;
    struct error err = {0};

    ck_assert_int_eq(operation_apply(arena, id, &a, &b, &out, &err), E_OK);
    return out;
}

START_TEST(operators_of_numbers)
{
    struct arena arena = {0};

    ck_assert_int_eq(applied(&arena, OPERATOR_SUM, value_int(2), value_int(3)).integer, 5);
    ck_assert_int_eq(applied(&arena, OPERATOR_MINUS, value_int(2), value_int(3)).integer, -1);
    ck_assert_int_eq(applied(&arena, OPERATOR_MULT, value_int(2), value_int(3)).integer, 6);
    ck_assert_int_eq(applied(&arena, OPERATOR_DIV, value_int(7), value_int(3)).integer, 2);
    ck_assert_int_eq(applied(&arena, OPERATOR_MIN, value_int(7), value_int(3)).integer, 3);
    ck_assert_int_eq(applied(&arena, OPERATOR_MAX, value_int(7), value_int(3)).integer, 7);
    ck_assert_int_eq(applied(&arena, OPERATOR_SUM, value_null(), value_int(3)).kind, VALUE_NULL);
    ck_assert_int_eq(applied(&arena, OPERATOR_ASSIGN, value_int(7), value_int(3)).integer, 3);
    arena_close(&arena);
}
END_TEST

START_TEST(operators_of_booleans_and_refusals)
{
    struct arena arena = {0};
    struct error err = {0};
    struct value out, yes = value_bool(true), one = value_int(1), text = value_cstring("x");

    ck_assert(applied(&arena, OPERATOR_OR, value_bool(false), yes).boolean);
    ck_assert(!applied(&arena, OPERATOR_AND, value_bool(false), yes).boolean);
    ck_assert_int_eq(operation_apply(&arena, OPERATOR_AND, &yes, &one, &out, &err), E_EVALUATION);
    ck_assert_int_eq(operation_apply(&arena, OPERATOR_SUM, &text, &one, &out, &err), E_EVALUATION);
    ck_assert_int_eq(operation_apply(&arena, OPERATOR_ADD_ALL, &one, &one, &out, &err),
                     E_EVALUATION);
    arena_close(&arena);
}
END_TEST

START_TEST(add_all_of_lists_sets_and_maps)
{
    struct arena arena = {0};
    struct value set = list_of(&arena, 1, 2), list = list_of(&arena, 2, 3), out;
    struct value a[2] = {value_cstring("k"), value_int(1)},
                 b[2] = {value_cstring("k"), value_int(2)};

    out = applied(&arena, OPERATOR_ADD_ALL, list, list);
    ck_assert_uint_eq(out.size, 4);
    set.kind = VALUE_SET;
    out = applied(&arena, OPERATOR_ADD_ALL, set, list);
    ck_assert_int_eq(out.kind, VALUE_SET);
    ck_assert_uint_eq(out.size, 3);
    out = applied(&arena, OPERATOR_ADD_ALL, value_items(&arena, VALUE_MAP, a, 1),
                  value_items(&arena, VALUE_MAP, b, 1));
    ck_assert_uint_eq(out.size, 1);
    ck_assert_int_eq(value_get_text(&out, "k")->integer, 2);
    arena_close(&arena);
}
END_TEST

/* ---- labels and paths ---- */

struct walk {
    struct exec exec;
    struct path_node nodes[3];
    struct slice names[2];
};

/* 1 as a -> 2 as b -> 3 as a */
static void walk_init(struct walk *walk)
{
    *walk = (struct walk){.names = {SLICE("a"), SLICE("b")}};
    arena_init(&walk->exec.arena, 0);
    for (uint32_t i = 0; i < 3; i++) {
        walk->nodes[i] = (struct path_node){.previous = i == 0 ? NULL : &walk->nodes[i - 1],
                                            .value = value_int((int32_t)i + 1),
                                            .label_count = 1,
                                            .labels = &walk->names[i % 2],
                                            .depth = i + 1};
    }
}

START_TEST(labels_by_pop)
{
    struct walk walk;
    struct value out;
    struct slice a = SLICE("a"), b = SLICE("b");
    const struct path_node *path = &walk.nodes[2];

    walk_init(&walk);
    ck_assert(scope_path(&walk.exec, path, a, ENUMERATOR_COUNT, &out));
    ck_assert_int_eq(out.integer, 3);
    ck_assert(scope_path(&walk.exec, path, a, POP_FIRST, &out));
    ck_assert_int_eq(out.integer, 1);
    ck_assert(scope_path(&walk.exec, path, a, POP_ALL, &out));
    ck_assert_uint_eq(out.size, 2);
    ck_assert_int_eq(out.items[0].integer, 1);
    ck_assert(scope_path(&walk.exec, path, b, POP_MIXED, &out));
    ck_assert_int_eq(out.integer, 2);
    ck_assert(scope_path(&walk.exec, path, b, POP_ALL, &out));
    ck_assert_int_eq(out.kind, VALUE_LIST);
    ck_assert(!scope_path(&walk.exec, path, SLICE("z"), POP_ALL, &out));
    ck_assert(!scope_path(&walk.exec, NULL, a, POP_LAST, &out));
    arena_close(&walk.exec.stream);
    arena_close(&walk.exec.arena);
}
END_TEST

START_TEST(maps_and_side_effects_come_before_the_path)
{
    struct walk walk;
    struct value pair[2] = {value_cstring("a"), value_int(9)}, out;
    struct traverser traverser = {.bulk = 1, .path = &walk.nodes[2]};
    struct side_effect *effect;
    uint64_t bulk = 2;

    walk_init(&walk);
    traverser.value = value_items(&walk.exec.arena, VALUE_MAP, pair, 1);
    ck_assert(scope_get(&walk.exec, &traverser, SLICE("a"), POP_LAST, &out));
    ck_assert_int_eq(out.integer, 9);
    effect = exec_side_effect_make(&walk.exec, SLICE("b"));
    ck_assert_int_eq(effect_claim(&walk.exec, effect, EFFECT_BAG), E_OK);
    ck_assert_int_eq(effect_add_all(&walk.exec, effect, &pair[1], &bulk, 1), E_OK);
    ck_assert(scope_get(&walk.exec, &traverser, SLICE("b"), POP_LAST, &out));
    ck_assert_int_eq(out.kind, VALUE_BULKSET);
    ck_assert_int_eq(out.items[1].integer, 2);
    ck_assert_int_eq(effect_claim(&walk.exec, effect, EFFECT_GROUP), E_EVALUATION);
    arena_close(&walk.exec.stream);
    arena_close(&walk.exec.arena);
}
END_TEST

START_TEST(parts_of_a_path)
{
    struct walk walk;
    struct trail trail;
    struct slice none = {0};
    const struct path_node *path = &walk.nodes[2];

    walk_init(&walk);
    ck_assert_int_eq(trail_of(&walk.exec, path, none, none, &trail), E_OK);
    ck_assert_uint_eq(trail.count, 3);
    ck_assert_int_eq(trail.nodes[0]->value.integer, 1);
    ck_assert_int_eq(trail_of(&walk.exec, path, SLICE("b"), none, &trail), E_OK);
    ck_assert_uint_eq(trail.count, 2);
    ck_assert_int_eq(trail_of(&walk.exec, path, none, SLICE("b"), &trail), E_OK);
    ck_assert_uint_eq(trail.count, 2);
    ck_assert_int_eq(trail_of(&walk.exec, path, SLICE("z"), none, &trail), E_EVALUATION);
    ck_assert_int_eq(trail_of(&walk.exec, NULL, none, none, &trail), E_OK);
    ck_assert_uint_eq(trail.count, 0);
    arena_close(&walk.exec.stream);
    arena_close(&walk.exec.arena);
}
END_TEST

/* ---- by() ---- */

START_TEST(lanes_without_by_give_the_value)
{
    struct exec exec = {0};
    struct by_set set = {0};
    struct traverser traverser = {.bulk = 1, .value = value_int(1)};
    struct value other = value_int(2);

    arena_init(&exec.arena, 0);
    ck_assert_int_eq(by_set_open(&set, &exec, NULL, 0, NULL), E_OK);
    ck_assert_uint_eq(set.lane_count, 1);
    ck_assert_uint_eq(by_set_add(&set, 0, &traverser, &traverser.value), 0);
    ck_assert_uint_eq(by_set_add(&set, 0, &traverser, &other), 1);
    ck_assert_int_eq(by_set_run(&set, &exec), PULL_BATCH);
    ck_assert_int_eq(by_set_get(&set, 0, 0)->integer, 1);
    ck_assert_int_eq(by_set_get(&set, 0, 1)->integer, 2);
    by_set_close(&set);
    arena_close(&exec.stream);
    arena_close(&exec.arena);
}
END_TEST

/* A loop that doubles a bulk in each of 64 rounds came to 0, and a shard stopped. */
START_TEST(bulks_stop_at_the_greatest)
{
    uint64_t bulk = 1;

    for (int round = 0; round < 100; round++) {
        bulk = bulk_add(bulk, bulk);
        ck_assert_uint_gt(bulk, 0);
    }
    ck_assert_uint_eq(bulk, BULK_MAX);
    ck_assert_uint_eq(bulk_mul(3, 4), 12);
    ck_assert_uint_eq(bulk_mul(UINT64_C(1) << 32, UINT64_C(1) << 32), BULK_MAX);
    ck_assert_uint_eq(bulk_mul(BULK_MAX, 0), 0);
}
END_TEST

START_TEST(what_is_held_counts_against_the_memory)
{
    struct exec exec = {0};

    arena_init(&exec.arena, 0);
    ck_assert_int_eq(quota_check(&exec, UINT64_MAX, 64), PULL_BATCH);
    arena_close(&exec.stream);
    arena_close(&exec.arena);
    arena_init(&exec.arena, 1 << 20);
    ck_assert_int_eq(quota_check(&exec, 1000, 64), PULL_BATCH);
    ck_assert_int_eq(quota_check(&exec, UINT64_MAX, 64), PULL_ERROR);
    ck_assert_int_eq(exec.error.code, E_LIMIT);
    arena_close(&exec.stream);
    arena_close(&exec.arena);
}
END_TEST

RUN_SUITE("gathering", bulks_stop_at_the_greatest, what_is_held_counts_against_the_memory,
          bag_counts_by_equivalence_and_tag, bag_grows, bag_holds_what_is_not_a_number,
          slots_are_zero_until_written, items_of_each_kind, items_collect_keeps_the_kind,
          sort_is_stable_and_by_tag, sort_by_several_columns_and_down, shuffle_keeps_every_row,
          operators_of_numbers, operators_of_booleans_and_refusals, add_all_of_lists_sets_and_maps,
          labels_by_pop, maps_and_side_effects_come_before_the_path, parts_of_a_path,
          lanes_without_by_give_the_value)
