#include "router/cli/local.h"

#include "tests/lib/runner.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* local.c runs this very program as "cardea dev --data DIR ...": the folder's name tells what it
 * does then. */

static struct local local;
static char host[256], port[256];
static struct error err;

static int dev(const char *data)
{
    if (strcmp(data, "ready") == 0) {
        puts("cardea dev: ready at ws://127.0.0.1:4711/gremlin, data in ready");
        fflush(stdout);
        pause(); /* Until SIGTERM. */
    } else if (strcmp(data, "odd") == 0) {
        puts("something else");
    }
    return 1;
}

START_TEST(the_address_is_in_the_first_line)
{
    ck_assert_int_eq(local_open(&local, "ready", host, port, &err), E_OK);
    ck_assert_str_eq(host, "127.0.0.1");
    ck_assert_str_eq(port, "4711");
    ck_assert_int_gt(local.process, 0);
    local_close(&local);
    ck_assert_int_eq(local.process, 0);
    local_close(&local);
}
END_TEST

START_TEST(a_cluster_that_does_not_start_is_told)
{
    ck_assert_int_eq(local_open(&local, "broken", host, port, &err), E_UNAVAILABLE);
    ck_assert_ptr_nonnull(strstr(err.text, "did not start"));
    ck_assert_int_eq(local.process, 0);
}
END_TEST

START_TEST(a_line_without_an_address_is_told)
{
    ck_assert_int_eq(local_open(&local, "odd", host, port, &err), E_UNAVAILABLE);
    ck_assert_ptr_nonnull(strstr(err.text, "something else"));
    ck_assert_int_eq(local.process, 0);
}
END_TEST

int main(int argc, char **argv)
{
    Suite *suite;
    TCase *tcase;
    SRunner *runner;
    int failed;

    if (argc > 3 && strcmp(argv[1], "dev") == 0) {
        return dev(argv[3]);
    }
    suite = suite_create("local");
    tcase = tcase_create("local");
    runner = srunner_create(suite);
    tcase_add_test(tcase, the_address_is_in_the_first_line);
    tcase_add_test(tcase, a_cluster_that_does_not_start_is_told);
    tcase_add_test(tcase, a_line_without_an_address_is_told);
    suite_add_tcase(suite, tcase);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
