#include "common/conf.h"
#include "coordinator/coordinator_conf.h"
#include "router/router_conf.h"
#include "shardd/shardd_conf.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tests/lib/runner.h"

struct values {
    int64_t count;
    bool is_on;
    const char *name;
    int color;
    struct conf_list places;
    int64_t big_number;
};

static const struct conf_option rows[] = {
    {"count", CONF_TYPE_INT, offsetof(struct values, count), 5, 1, 10, NULL, NULL, "ms", "Count."},
    {"is_on", CONF_TYPE_BOOL, offsetof(struct values, is_on), 1, 0, 1, NULL, NULL, "", "Switch."},
    {"name", CONF_TYPE_TEXT, offsetof(struct values, name), 0, 1, 8, "abc", NULL, "", "Name."},
    {"color", CONF_TYPE_CHOICE, offsetof(struct values, color), 0, 0, 0, "green", "red|green", "",
     "Colour."},
    {"places", CONF_TYPE_LIST, offsetof(struct values, places), 0, 1, 3, "a,b", NULL, "",
     "Places."},
    {"big_number", CONF_TYPE_INT, offsetof(struct values, big_number), 5000000000, 0, INT64_MAX,
     NULL, NULL, "", "Big."},
};

static const struct conf_table table = {"cardea-test", rows, sizeof rows / sizeof rows[0]};

static struct values values;
static struct conf conf;
static struct error err;
static char path[] = "/tmp/unit_conf.XXXXXX";

static void write_file(const char *text)
{
    FILE *file;

    (void)snprintf(path, sizeof path, "/tmp/unit_conf.XXXXXX");
    int fd = mkstemp(path);
    ck_assert_int_ge(fd, 0);
    file = fdopen(fd, "w");
    ck_assert_int_ge(fputs(text, file), 0);
    ck_assert_int_eq(fclose(file), 0);
}

/* Reads a file of this text; flags may be null. */
static int read_text(const char *text, char *flag)
{
    char *argv[] = {(char[]){"x"}, path, flag, NULL};
    int rc;

    write_file(text);
    err = (struct error){0};
    rc = conf_open(&conf, &table, &values, flag == NULL ? 2 : 3, argv, &err);
    (void)unlink(path);
    return rc;
}

static void check_refused(const char *text, const char *expected)
{
    char whole[600];

    ck_assert_int_eq(read_text(text, NULL), E_CONFIG);
    (void)snprintf(whole, sizeof whole, "%s:%s", path, expected);
    ck_assert_str_eq(err.text, whole);
}

START_TEST(defaults)
{
    ck_assert_int_eq(read_text("", NULL), E_OK);
    ck_assert_int_eq(values.count, 5);
    ck_assert(values.is_on);
    ck_assert_str_eq(values.name, "abc");
    ck_assert_int_eq(values.color, 1);
    ck_assert_uint_eq(values.places.count, 2);
    ck_assert_str_eq(values.places.items[1], "b");
    ck_assert_int_eq(values.big_number, 5000000000);
    ck_assert_int_eq(conf.action, CONF_RUN);
    conf_close(&conf);
    conf_close(&conf);
}
END_TEST

START_TEST(file_and_flag)
{
    char flag[] = "--big-number=0x10";

    ck_assert_int_eq(read_text("count = 7; is_on = false; name = \"xy\"; color = \"red\";\n"
                               "places = (\"p\", \"q\", \"r\"); big_number = 6000000000L;",
                               flag),
                     E_OK);
    ck_assert_int_eq(values.count, 7);
    ck_assert(!values.is_on);
    ck_assert_str_eq(values.name, "xy");
    ck_assert_int_eq(values.color, 0);
    ck_assert_uint_eq(values.places.count, 3);
    ck_assert_str_eq(values.places.items[2], "r");
    ck_assert_int_eq(values.big_number, 16);
    conf_close(&conf);
}
END_TEST

START_TEST(refused_with_file_and_line)
{
    check_refused("\ncuont = 7;", "2: unknown option \"cuont\"; did you mean \"count\"?");
    check_refused("speed = 7;", "1: unknown option \"speed\"; cardea-test --help lists all");
    check_refused("count = 11;",
                  "1: count = 11 is out of range: a whole number from 1 to 10 ms is allowed");
    check_refused("count = \"7\";",
                  "1: count is not a whole number: a whole number from 1 to 10 ms is allowed");
    check_refused("count = 7.0;",
                  "1: count is not a whole number: a whole number from 1 to 10 ms is allowed");
    check_refused("is_on = 1;", "1: is_on is not true or false: true or false is allowed");
    check_refused("name = 5;",
                  "1: name is not a text in quotes: a text of 1 to 8 bytes is allowed");
    check_refused("name = \"\";", "1: name is too short: a text of 1 to 8 bytes is allowed");
    check_refused("name = \"123456789\";",
                  "1: name is too long: a text of 1 to 8 bytes is allowed");
    check_refused("color = \"blue\";",
                  "1: color = \"blue\" is not known: one of red|green is allowed");
    check_refused("places = ();", "1: places has 0 items: a list of 1 to 3 texts is allowed");
    check_refused(
        "places = (\"a\", 5);",
        "1: places holds something that is not a text: a list of 1 to 3 texts is allowed");
    check_refused(
        "places = \"a\";",
        "1: places is not a list such as (\"a\", \"b\"): a list of 1 to 3 texts is allowed");
    check_refused("count = ;", "1: syntax error");
    check_refused("count = 1;\ncount = 2;", "2: duplicate setting name");
}
END_TEST

static int read_flags(int argc, char **argv)
{
    err = (struct error){0};
    return conf_open(&conf, &table, &values, argc, argv, &err);
}

START_TEST(flags)
{
    char *two[] = {(char[]){"x"}, (char[]){"--count"}, (char[]){"3"}, (char[]){"--name=n"}, NULL};
    char *none[] = {(char[]){"x"}, (char[]){"--count"}, NULL};
    char *bad[] = {(char[]){"x"}, (char[]){"--count=3x"}, NULL};
    char *unknown[] = {(char[]){"x"}, (char[]){"--naem=3"}, NULL};
    char *dash[] = {(char[]){"x"}, (char[]){"-v"}, NULL};
    char *files[] = {(char[]){"x"}, (char[]){"one"}, (char[]){"two"}, NULL};
    char *missing[] = {(char[]){"x"}, (char[]){"/nowhere/at.all"}, NULL};
    char *help[] = {(char[]){"x"}, (char[]){"--help"}, NULL};

    ck_assert_int_eq(read_flags(4, two), E_OK);
    ck_assert_int_eq(values.count, 3);
    ck_assert_str_eq(values.name, "n");
    conf_close(&conf);
    ck_assert_int_eq(read_flags(2, none), E_CONFIG);
    ck_assert_str_eq(err.text,
                     "command line: count has no value: a whole number from 1 to 10 ms is allowed");
    ck_assert_int_eq(read_flags(2, bad), E_CONFIG);
    ck_assert_int_eq(read_flags(2, unknown), E_CONFIG);
    ck_assert_str_eq(err.text, "command line: unknown option \"naem\"; did you mean \"name\"?");
    ck_assert_int_eq(read_flags(2, dash), E_CONFIG);
    ck_assert_int_eq(read_flags(3, files), E_CONFIG);
    ck_assert_str_eq(err.text, "two files are given: one and two");
    ck_assert_int_eq(read_flags(2, missing), E_CONFIG);
    ck_assert_str_eq(err.text, "/nowhere/at.all cannot be read");
    ck_assert_int_eq(read_flags(2, help), E_OK);
    ck_assert_int_eq(conf.action, CONF_HELP);
    conf_close(&conf);
}
END_TEST

START_TEST(environment)
{
    char flag[] = "--count=9";

    ck_assert_int_eq(setenv("CARDEA_COUNT", "8", 1), 0);
    ck_assert_int_eq(setenv("CARDEA_PLACES", "one,two,", 1), 0);
    ck_assert_int_eq(read_text("count = 7;", NULL), E_OK);
    ck_assert_int_eq(values.count, 8);
    ck_assert_uint_eq(values.places.count, 2);
    conf_close(&conf);
    ck_assert_int_eq(read_text("count = 7;", flag), E_OK);
    ck_assert_int_eq(values.count, 9);
    conf_close(&conf);
    ck_assert_int_eq(setenv("CARDEA_IS_ON", "yes", 1), 0);
    ck_assert_int_eq(read_text("", NULL), E_CONFIG);
    ck_assert_str_eq(err.text,
                     "CARDEA_IS_ON: is_on is not true or false: true or false is allowed");
    (void)unsetenv("CARDEA_COUNT");
    (void)unsetenv("CARDEA_PLACES");
    (void)unsetenv("CARDEA_IS_ON");
}
END_TEST

/* ---- the files that ship ---- */

static size_t read_shipped(const char *name, char *text, size_t size)
{
    char full[4096];
    FILE *file;
    size_t count;
    const char *root = getenv("SOURCE_ROOT");

    (void)snprintf(full, sizeof full, "%s/config/%s", root == NULL ? "." : root, name);
    file = fopen(full, "r");
    ck_assert_msg(file != NULL, "%s", full);
    count = fread(text, 1, size - 1, file);
    text[count] = '\0';
    ck_assert_int_eq(fclose(file), 0);
    return count;
}

static void check_sample(const struct conf_table *of, const char *name)
{
    static char text[65536];
    struct bytes sample = {0};
    size_t size = read_shipped(name, text, sizeof text);

    conf_sample(of, &sample);
    ck_assert_msg(size == sample.size && memcmp(text, sample.data, size) == 0,
                  "config/%s is not what %s --sample prints", name, of->program);
    bytes_close(&sample);
}

static void check_documented(const struct conf_table *of)
{
    static char text[65536];
    struct bytes rows_text = {0};

    (void)read_shipped("README.md", text, sizeof text);
    conf_markdown(of, &rows_text);
    bytes_u8(&rows_text, 0);
    ck_assert_msg(strstr(text, (const char *)rows_text.data) != NULL,
                  "config/README.md lacks this table:\n%s", (const char *)rows_text.data);
    bytes_close(&rows_text);
}

static void check_reads(const struct conf_table *of, void *into, const char *name)
{
    char full[4096];
    char *argv[] = {(char[]){"x"}, full, NULL};
    const char *root = getenv("SOURCE_ROOT");

    (void)snprintf(full, sizeof full, "%s/config/%s", root == NULL ? "." : root, name);
    err = (struct error){0};
    ck_assert_msg(conf_open(&conf, of, into, 2, argv, &err) == E_OK, "%s", err.text);
    conf_close(&conf);
}

START_TEST(shipped_samples)
{
    struct shardd_conf shardd;
    struct coordinator_conf coordinator;
    struct router_conf router;

    check_sample(&shardd_conf_table, "shardd.cfg");
    check_sample(&coordinator_conf_table, "coordinator.cfg");
    check_sample(&router_conf_table, "router.cfg");
    check_documented(&shardd_conf_table);
    check_documented(&coordinator_conf_table);
    check_documented(&router_conf_table);
    check_reads(&shardd_conf_table, &shardd, "shardd.cfg");
    check_reads(&coordinator_conf_table, &coordinator, "coordinator.cfg");
    check_reads(&router_conf_table, &router, "router.cfg");
    check_reads(&coordinator_conf_table, &coordinator, "cluster-3/coordinator.cfg");
    check_reads(&shardd_conf_table, &shardd, "cluster-3/shard-1.cfg");
    check_reads(&shardd_conf_table, &shardd, "cluster-3/shard-2.cfg");
    check_reads(&shardd_conf_table, &shardd, "cluster-3/shard-3.cfg");
    check_reads(&router_conf_table, &router, "cluster-3/router-1.cfg");
    check_reads(&router_conf_table, &router, "cluster-3/router-2.cfg");
}
END_TEST

START_TEST(at_most_forty_options)
{
    ck_assert_uint_le(shardd_conf_table.count, 40);
    ck_assert_uint_le(coordinator_conf_table.count, 40);
    ck_assert_uint_le(router_conf_table.count, 40);
}
END_TEST

RUN_SUITE("conf", defaults, file_and_flag, refused_with_file_and_line, flags, environment,
          shipped_samples, at_most_forty_options)
