/*
 * Apache TinkerPop's own texts: the values and traversals of its grammar's tests, and every
 * traversal of its feature files. They stand in a folder beside the sources (TCK); without it
 * there is nothing to do.
 */
#include "common/mem.h"
#include "router/gremlin/gremlin.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>

#include "tests/lib/runner.h"

enum { BINDINGS_MAX = 64 };

static const char *folder(void)
{
    return getenv("TCK");
}

static bool read_file(const char *path, struct bytes *out)
{
    FILE *file = fopen(path, "rb");
    char buffer[2048];
    size_t size;

    bytes_init(out, 0);
    if (file == NULL) {
        return false;
    }
    while ((size = fread(buffer, 1, sizeof buffer, file)) > 0) {
        bytes_append(out, buffer, size);
    }
    bytes_u8(out, 0);
    (void)fclose(file);
    return true;
}

static bool read_tck(const char *name, struct bytes *out)
{
    char path[1024];

    if (folder() == NULL) {
        printf("# skipped: TCK is not set\n");
        return false;
    }
    (void)snprintf(path, sizeof path, "%s/%s", folder(), name);
    if (!read_file(path, out)) {
        printf("# skipped: %s is not there\n", path);
        return false;
    }
    return true;
}

static int parse(struct arena *arena, const char *text, const struct value *bindings,
                 struct error *err)
{
    struct gremlin_script script;
    struct prng prng;
    struct gremlin_input input = {.text = slice_text(text), .bindings = bindings, .prng = &prng};

    prng_init(&prng, 1);
    return gremlin_parse(arena, &input, &script, err);
}

/* ---- grammar ---- */

START_TEST(values)
{
    struct bytes file;
    char query[4096];
    bool is_date = false;
    int count = 0;

    if (!read_tck("grammar/gremlin-values.txt", &file)) {
        return;
    }
    for (char *line = strtok((char *)file.data, "\n"); line != NULL; line = strtok(NULL, "\n")) {
        struct arena arena = {0};
        struct error err = {0};
        if (line[0] == '#') {
            is_date = strstr(line, "dateLiteral") != NULL;
            continue;
        }
        (void)snprintf(query, sizeof query, "g.inject(%s)", line);
        int rc = parse(&arena, query, NULL, &err);
        /* Some are right in form only: "2023-W15-3", -789b. */
        bool is_form = (is_date && strstr(err.text, "is not a date") != NULL) ||
                       strstr(err.text, "does not fit the type byte") != NULL;
        ck_assert_msg(rc == E_OK || is_form, "%s: %s", line, err.text);
        arena_close(&arena);
        count++;
    }
    ck_assert_int_gt(count, 300);
    bytes_close(&file);
}
END_TEST

static void all_fail(const char *name, const char *before, const char *after)
{
    struct bytes file;
    char query[4096];

    if (!read_tck(name, &file)) {
        return;
    }
    for (char *line = strtok((char *)file.data, "\n"); line != NULL; line = strtok(NULL, "\n")) {
        struct arena arena = {0};
        struct error err = {0};
        if (line[0] == '#') {
            continue;
        }
        (void)snprintf(query, sizeof query, "%s%s%s", before, line, after);
        ck_assert_msg(parse(&arena, query, NULL, &err) != E_OK, "accepted: %s", query);
        ck_assert_msg(err.text[0] >= '1' && err.text[0] <= '9', "no place: %s", err.text);
        arena_close(&arena);
    }
    bytes_close(&file);
}

START_TEST(wrong_values)
{
    all_fail("grammar/incorrect-gremlin-values.txt", "g.inject(", ")");
}
END_TEST

START_TEST(wrong_traversals)
{
    all_fail("grammar/incorrect-traversals.txt", "", "");
}
END_TEST

/* ---- features ---- */

struct scenario {
    struct arena arena;
    struct value pairs[2 * BINDINGS_MAX];
    size_t count;
};

static struct value stand_in(const char *notation)
{
    static const struct value empty = {0};
    struct value out = value_cstring("text");

    if (strncmp(notation, "d[", 2) == 0) {
        out = value_int(1);
    } else if (strncmp(notation, "m[", 2) == 0) {
        out = empty;
        out.kind = VALUE_MAP;
    } else if (strncmp(notation, "l[", 2) == 0) {
        out = empty;
        out.kind = VALUE_LIST;
    }
    return out;
}

/* And using the parameter xx1 defined as "m[...]" */
static void take_parameter(struct scenario *scenario, const char *line)
{
    const char *name = strstr(line, "using the parameter ");
    const char *value = strstr(line, " defined as \"");

    if (name == NULL || value == NULL || scenario->count == BINDINGS_MAX) {
        return;
    }
    name += strlen("using the parameter ");
    size_t size = (size_t)(value - name);
    scenario->pairs[2 * scenario->count] =
        value_string(slice_of(arena_copy(&scenario->arena, name, size), size));
    scenario->pairs[2 * scenario->count + 1] = stand_in(value + strlen(" defined as \""));
    scenario->count++;
}

static void check_query(struct scenario *scenario, const char *path, const char *text)
{
    struct value bindings =
        value_items(&scenario->arena, VALUE_MAP, scenario->pairs, scenario->count);
    struct error err = {0};
    int rc = parse(&scenario->arena, text, &bindings, &err);

    ck_assert_msg(rc == E_OK, "%s: %s: %s", path, text, err.text);
}

/* the graph should return 6 for count of "g.V().has(\"age\",21)" */
static bool count_query(const char *line, char *out, size_t out_size)
{
    const char *at = strstr(line, "for count of \"");
    size_t size = 0;

    if (at == NULL) {
        return false;
    }
    for (at += strlen("for count of \""); *at != 0 && *at != '"' && size + 1 < out_size; at++) {
        at += *at == '\\' && at[1] != 0;
        out[size++] = *at;
    }
    out[size] = 0;
    return true;
}

static int check_feature(const char *path)
{
    struct scenario scenario = {0};
    struct bytes file;
    char query[8192] = "";
    bool is_inside = false;
    int count = 0;

    ck_assert(read_file(path, &file));
    for (char *line = strtok((char *)file.data, "\n"); line != NULL; line = strtok(NULL, "\n")) {
        if (line[strspn(line, " ")] == '#') {
            continue;
        }
        if (strstr(line, "Scenario: ") != NULL) {
            arena_close(&scenario.arena);
            scenario = (struct scenario){0};
        } else if (strstr(line, "\"\"\"") != NULL && !is_inside) {
            is_inside = true;
            query[0] = 0;
        } else if (strstr(line, "\"\"\"") != NULL) {
            is_inside = false;
            if (strncmp(query + strspn(query, " "), "g.", 2) == 0) {
                check_query(&scenario, path, query);
                count++;
            }
        } else if (is_inside) {
            size_t size = strlen(query);
            (void)snprintf(query + size, sizeof query - size, "%s\n", line);
        } else if (count_query(line, query, sizeof query)) {
            check_query(&scenario, path, query);
            count++;
        } else {
            take_parameter(&scenario, line);
        }
    }
    arena_close(&scenario.arena);
    bytes_close(&file);
    return count;
}

START_TEST(features)
{
    static const char *const parts[] = {"branch", "data",      "filter",    "integrated",
                                        "map",    "semantics", "sideEffect"};
    char path[1024];
    int count = 0;
    int folders = 0;

    for (size_t i = 0; folder() != NULL && i < sizeof parts / sizeof parts[0]; i++) {
        (void)snprintf(path, sizeof path, "%s/features/%s", folder(), parts[i]);
        DIR *dir = opendir(path);
        if (dir == NULL) {
            continue;
        }
        folders++;
        for (struct dirent *entry = readdir(dir); entry != NULL; entry = readdir(dir)) {
            if (strstr(entry->d_name, ".feature") != NULL) {
                (void)snprintf(path, sizeof path, "%s/features/%s/%s", folder(), parts[i],
                               entry->d_name);
                count += check_feature(path);
            }
        }
        (void)closedir(dir);
    }
    if (folders == 0) {
        printf("# skipped: no feature files\n");
        return;
    }
    printf("# %d traversals\n", count);
    ck_assert_int_gt(count, 1000);
}
END_TEST

RUN_SUITE("gremlin_tck", values, wrong_values, wrong_traversals, features)
