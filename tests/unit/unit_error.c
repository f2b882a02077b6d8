#include "common/error.h"

#include <string.h>

#include "tests/lib/runner.h"

static int failing(struct error *err)
{
    return error_set(err, E_CONFLICT, "row %d", 7);
}

START_TEST(set_and_prefix)
{
    struct error err = {0};

    ck_assert_int_eq(failing(NULL), E_CONFLICT);
    ck_assert_int_eq(failing(&err), E_CONFLICT);
    ck_assert_str_eq(err.text, "row 7");
    ck_assert_ptr_nonnull(strstr(err.file, "unit_error.c"));
    ck_assert_int_gt(err.line, 0);
    error_prefix(&err, "loading %s", "x.csv");
    ck_assert_str_eq(err.text, "loading x.csv: row 7");
    error_prefix(NULL, "nothing");
}
END_TEST

START_TEST(long_texts_are_cut)
{
    struct error err = {0};

    error_set(&err, E_IO, "%0*d", 2000, 1);
    ck_assert_uint_eq(strlen(err.text), ERROR_TEXT_MAX - 1);
    error_prefix(&err, "%0*d", 2000, 1);
    ck_assert_uint_eq(strlen(err.text), ERROR_TEXT_MAX - 1);
}
END_TEST

START_TEST(table)
{
    ck_assert_int_eq(error_status(E_CONFLICT), 596);
    ck_assert_int_eq(error_retry(E_CONFLICT), ERROR_RETRY);
    ck_assert_int_eq(error_retry(E_WRONG_EPOCH), ERROR_REFRESH);
    ck_assert_int_eq(error_retry(E_OK), ERROR_NEVER);
    ck_assert_str_eq(error_name(E_TIMEOUT), "E_TIMEOUT");
    ck_assert_str_eq(error_name(E_OK), "E_OK");
    ck_assert_str_eq(error_text(E_OK), "ok");
    ck_assert_str_eq(error_text(-9999), "unknown error");
    ck_assert_str_eq(error_name(-9999), "E_UNKNOWN");
    ck_assert_int_eq(error_status(-9999), 500);
    ck_assert_int_eq(error_status(E_OK), 200);
    ck_assert(error_is_known(E_OK) && error_is_known(E_FORBIDDEN) && !error_is_known(-9999));
}
END_TEST

/* Wire numbers are never reused or changed. */
START_TEST(numbers_are_pinned)
{
    ck_assert_int_eq(E_MALFORMED, -1);
    ck_assert_int_eq(E_CONFLICT, -10);
    ck_assert_int_eq(E_UNKNOWN_OUTCOME, -14);
    ck_assert_int_eq(E_FORBIDDEN, -21);
}
END_TEST

RUN_SUITE("error", set_and_prefix, long_texts_are_cut, table, numbers_are_pinned)
