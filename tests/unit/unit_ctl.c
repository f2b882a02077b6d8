#include "coordinator/ctl/ctl.h"

#include "tests/lib/runner.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* What the tool makes of replies: tables for people, JSON for scripts. */

static struct ctl ctl;

static struct value map2(const char *a, struct value x, const char *b, struct value y)
{
    struct value pairs[4] = {value_cstring(a), x, value_cstring(b), y};

    return value_items(&ctl.arena, VALUE_MAP, pairs, 2);
}

static struct value reply(void)
{
    struct value rows[2] = {map2("name", value_cstring("g"), "n", value_long(7)),
                            map2("name", value_cstring("longer"), "n", value_long(12))};

    return map2("leader", value_int(1), "graphs", value_items(&ctl.arena, VALUE_LIST, rows, 2));
}

/* Standard output of ctl_show. */
static const char *shown(const struct value *value)
{
    static char text[4096];
    FILE *file = tmpfile();
    int keep = dup(STDOUT_FILENO);
    size_t size;

    ck_assert(file != NULL && keep >= 0);
    fflush(stdout);
    ck_assert_int_ge(dup2(fileno(file), STDOUT_FILENO), 0);
    ctl_show(&ctl, value);
    fflush(stdout);
    ck_assert_int_ge(dup2(keep, STDOUT_FILENO), 0);
    close(keep);
    rewind(file);
    size = fread(text, 1, sizeof(text) - 1, file);
    text[size] = '\0';
    fclose(file);
    return text;
}

START_TEST(replies_are_tables)
{
    struct value value;

    arena_init(&ctl.arena, 0);
    value = reply();
    ck_assert_str_eq(shown(&value), "leader: 1\n\ngraphs\nname    n\ng       7\nlonger  12\n");
    arena_close(&ctl.arena);
}
END_TEST

START_TEST(replies_are_json)
{
    struct value value;

    arena_init(&ctl.arena, 0);
    ctl.is_json = true;
    value = reply();
    ck_assert_str_eq(
        shown(&value),
        "{\"leader\":1,\"graphs\":[{\"name\":\"g\",\"n\":7},{\"name\":\"longer\",\"n\":12}]}\n");
    ctl.is_json = false;
    arena_close(&ctl.arena);
}
END_TEST

START_TEST(fields_that_are_not_there_are_nothing)
{
    struct value value;

    arena_init(&ctl.arena, 0);
    value = reply();
    ck_assert_int_eq(ctl_number(&value, "leader"), 1);
    ck_assert_int_eq(ctl_number(&value, "graphs"), 0);
    ck_assert_int_eq(ctl_number(&value, "none"), 0);
    ck_assert_ptr_nonnull(ctl_list(&value, "graphs"));
    ck_assert_ptr_null(ctl_list(&value, "leader"));
    ck_assert_ptr_null(ctl_list(&value, "none"));
    arena_close(&ctl.arena);
}
END_TEST

RUN_SUITE("ctl", replies_are_tables, replies_are_json, fields_that_are_not_there_are_nothing)
