#include "router/run/plans.h"

#include "tests/lib/runner.h"

#include <stdio.h>
#include <string.h>

static struct plans plans;
static struct prng prng;

static struct plans_entry *get(const char *text, struct error *err)
{
    struct request request = {.op = REQUEST_EVAL, .gremlin = slice_text(text)};

    return plans_get(&plans, &request, 0, &prng, err);
}

static struct plans_entry *got(const char *text)
{
    struct error err = {0};
    struct plans_entry *entry = get(text, &err);

    ck_assert_msg(entry != NULL, "%s: %s", text, err.text);
    return entry;
}

START_TEST(the_same_text_is_planned_once)
{
    plans_init(&plans);
    struct plans_entry *first = got("g.V().count()");
    struct plans_entry *second = got("g.V().count()");
    struct plans_entry *other = got("g.E().count()");
    ck_assert_ptr_eq(first, second);
    ck_assert_ptr_ne(first, other);
    ck_assert_uint_eq(plans.hits, 1);
    plans_release(&plans, &first);
    plans_release(&plans, &second);
    plans_release(&plans, &other);
    ck_assert_ptr_null(first);
    plans_close(&plans);
}
END_TEST

START_TEST(bindings_and_their_types_tell_texts_apart)
{
    struct value items[2] = {value_cstring("x"), value_int(1)};
    struct request request = {.op = REQUEST_EVAL, .gremlin = SLICE("g.V(x)")};
    struct plans_entry *entries[3];

    plans_init(&plans);
    request.bindings = (struct value){.kind = VALUE_MAP, .size = 1, .items = items};
    entries[0] = plans_get(&plans, &request, 0, &prng, NULL);
    items[1] = value_long(1);
    entries[1] = plans_get(&plans, &request, 0, &prng, NULL);
    items[1] = value_int(1);
    entries[2] = plans_get(&plans, &request, 0, &prng, NULL);
    ck_assert_ptr_ne(entries[0], entries[1]);
    ck_assert_ptr_eq(entries[0], entries[2]);
    for (int i = 0; i < 3; i++) {
        plans_release(&plans, &entries[i]);
    }
    plans_close(&plans);
}
END_TEST

START_TEST(the_one_used_longest_ago_goes_first)
{
    char text[64];

    plans_init(&plans);
    struct plans_entry *held = got("g.V(0)");
    for (int i = 1; i <= PLANS_MAX; i++) {
        snprintf(text, sizeof text, "g.V(%d)", i);
        struct plans_entry *entry = got(text);
        plans_release(&plans, &entry);
    }
    ck_assert_uint_eq(plans.by_key.count, PLANS_MAX);
    ck_assert(!held->is_kept);
    ck_assert_uint_eq(held->statement_count, 1); /* In use: still there. */
    plans_release(&plans, &held);
    uint64_t misses = plans.misses;
    held = got("g.V(2)");
    ck_assert_uint_eq(plans.misses, misses);
    plans_release(&plans, &held);
    plans_close(&plans);
}
END_TEST

START_TEST(options_of_the_text_are_found)
{
    plans_init(&plans);
    struct plans_entry *entry =
        got("g.with('evaluationTimeout', 500).with('batchSize', 7).V().count()");
    ck_assert(entry->options.has_timeout);
    ck_assert_uint_eq(entry->options.timeout_ms, 500);
    ck_assert_uint_eq(entry->options.batch_size, 7);
    plans_release(&plans, &entry);
    entry = got("g.V()");
    ck_assert(!entry->options.has_timeout);
    plans_release(&plans, &entry);
    plans_close(&plans);
}
END_TEST

START_TEST(transactions_and_endings_are_found)
{
    plans_init(&plans);
    struct plans_entry *entry = got("g.tx().commit()");
    ck_assert_int_eq(entry->statements[0].tx, REQUEST_TX_COMMIT);
    plans_release(&plans, &entry);
    entry = got("g.addV('a').iterate(); g.V().next(3)");
    ck_assert_uint_eq(entry->statement_count, 2);
    ck_assert_int_eq(entry->statements[0].terminal, GREMLIN_ITERATE);
    ck_assert_int_eq(entry->statements[1].terminal, GREMLIN_NEXT);
    ck_assert_uint_eq(entry->statements[1].count, 3);
    plans_release(&plans, &entry);
    plans_close(&plans);
}
END_TEST

START_TEST(bad_texts_are_not_kept)
{
    struct error err = {0};

    plans_init(&plans);
    ck_assert_ptr_null(get("g.V(", &err));
    ck_assert_int_eq(err.code, E_SYNTAX);
    ck_assert_ptr_null(get("g.V().shortestPath()", &err));
    ck_assert_int_eq(err.code, E_UNSUPPORTED);
    ck_assert_uint_eq(plans.by_key.count, 0);
    plans_close(&plans);
}
END_TEST

START_TEST(texts_that_draw_chance_are_not_kept)
{
    plans_init(&plans);
    prng_init(&prng, 1);
    struct plans_entry *entry = got("g.inject(UUID())");
    ck_assert_uint_eq(plans.by_key.count, 0);
    plans_release(&plans, &entry);
    plans_close(&plans);
}
END_TEST

RUN_SUITE("plans", the_same_text_is_planned_once, bindings_and_their_types_tell_texts_apart,
          the_one_used_longest_ago_goes_first, options_of_the_text_are_found,
          transactions_and_endings_are_found, bad_texts_are_not_kept,
          texts_that_draw_chance_are_not_kept)
