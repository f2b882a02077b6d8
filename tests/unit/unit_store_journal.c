#include "tests/lib/runner.h"
#include "tests/lib/storefix.h"

/* What is durable and not committed; epochs of entries. */

static void on_epoch(void *ctx, uint64_t first, uint64_t epoch)
{
    bytes_format(ctx, "%llu@%llu ", (unsigned long long)epoch, (unsigned long long)first);
}

static void check_epochs(struct storefix *fix, const char *expected)
{
    struct bytes text;

    bytes_init(&text, 0);
    ck_assert_int_eq(store_each_epoch(fix->store, on_epoch, &text, &fix->err), E_OK);
    bytes_u8(&text, 0);
    ck_assert_str_eq((const char *)text.data, expected);
    bytes_close(&text);
}

/* What is durable and not committed goes, when another journal takes its place. */
START_TEST(test_truncate)
{
    static struct store_entry entries[600];
    struct storefix fix;

    storefix_open(&fix);
    for (uint64_t i = 0; i < 600; i++) {
        entries[i] =
            (struct store_entry){.index = i + 1, .epoch = i < 590 ? 2 : 5, .kind = STORE_NOOP};
    }
    ck_assert_int_eq(
        store_append(fix.store,
                     &(struct store_append){.entries = entries, .count = 600, .promise = 5},
                     &fix.err),
        E_OK);
    check_epochs(&fix, "2@1 5@591 ");
    ck_assert_int_eq(store_apply(fix.store, 595, &fix.err), E_OK);
    ck_assert_int_eq(store_append(fix.store, &(struct store_append){.truncate = 601}, &fix.err),
                     E_OK);
    ck_assert_uint_eq(store_state(fix.store).last, 600);
    ck_assert_int_eq(store_append(fix.store, &(struct store_append){.truncate = 596}, &fix.err),
                     E_OK);
    ck_assert_uint_eq(store_state(fix.store).last, 595);
    ck_assert_uint_eq(store_state(fix.store).last_epoch, 5);
    /* A promise without entries. */
    ck_assert_int_eq(store_append(fix.store, &(struct store_append){.promise = 7}, &fix.err), E_OK);
    entries[0] = (struct store_entry){.index = 596, .epoch = 7, .kind = STORE_NOOP};
    ck_assert_int_eq(
        store_append(fix.store,
                     &(struct store_append){.entries = entries, .count = 1, .promise = 7},
                     &fix.err),
        E_OK);
    check_epochs(&fix, "2@1 5@591 7@596 ");
    while (store_tend(fix.store, 1, &fix.err)) {
    }
    store_close(&fix.store);
    ck_assert_int_eq(store_open(&fix.store, &fix.options, &fix.err), E_OK);
    ck_assert_uint_eq(store_state(fix.store).promised_epoch, 7);
    ck_assert_uint_eq(store_state(fix.store).first, 595);
    ck_assert_uint_eq(store_state(fix.store).base_epoch, 5); /* Of entry 594, which is gone. */
    check_epochs(&fix, "5@595 7@596 ");
    ck_assert_int_eq(store_append(fix.store, &(struct store_append){.truncate = 596}, &fix.err),
                     E_OK);
    ck_assert_uint_eq(store_state(fix.store).last, 595);
    storefix_close(&fix);
}
END_TEST

RUN_SUITE("store_journal", test_truncate)
