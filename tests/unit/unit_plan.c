/* Plans as explain() prints them, against the files in tests/golden/plan: lines "> query", then the plan.
 * UPDATE_GOLDEN=1 writes them anew. */
#include "router/plan/plan.h"

#include "router/gremlin/gremlin.h"
#include "tests/lib/runner.h"

#include <stdio.h>
#include <string.h>

static void print_query(struct bytes *out, const char *text, size_t size)
{
    struct arena arena = {0};
    struct error err = {0};
    struct gremlin_input input = {.text = slice_of(text, size)};
    struct gremlin_script script = {0};
    struct plan *plan = NULL;
    int rc;

    arena_init(&arena, 0);
    rc = gremlin_parse(&arena, &input, &script, &err);
    if (rc == E_OK) {
        rc = plan_build(script.queries[script.count - 1].bytecode, &plan, &err);
    }
    if (rc == E_OK) {
        plan_print(out, plan);
    } else {
        ck_assert_ptr_null(plan);
        bytes_format(out, "%s: %s\n", error_name(rc), err.text);
    }
    plan_free(&plan);
    arena_close(&arena);
}

/* The whole file again, with plans as they are now. */
static void redo(struct bytes *out, const char *text)
{
    while (*text != '\0') {
        const char *end = strchr(text, '\n');
        size_t size = end == NULL ? strlen(text) : (size_t)(end - text);
        if (size > 2 && text[0] == '>' && text[1] == ' ') {
            bytes_format(out, "%.*s\n", (int)size, text);
            print_query(out, text + 2, size - 2);
            bytes_u8(out, '\n');
        } else if (size > 0 && text[0] == '#') {
            bytes_format(out, "%.*s\n", (int)size, text);
        }
        text += size + (end != NULL);
    }
}

static char *read_file(const char *path)
{
    FILE *file = fopen(path, "rb");
    static char text[1 << 20];
    size_t size;

    ck_assert_msg(file != NULL, "cannot open %s", path);
    size = fread(text, 1, sizeof text - 1, file);
    text[size] = '\0';
    fclose(file);
    return text;
}

static void check_golden(const char *name)
{
    char path[512];
    struct bytes now = {0};
    const char *text;

    snprintf(path, sizeof path, "%s/tests/golden/plan/%s.txt", SOURCE_ROOT, name);
    text = read_file(path);
    bytes_init(&now, 0);
    redo(&now, text);
    bytes_u8(&now, '\0');
    if (getenv("UPDATE_GOLDEN") != NULL) {
        FILE *file = fopen(path, "wb");
        ck_assert_ptr_nonnull(file);
        ck_assert_uint_eq(fwrite(now.data, 1, now.size - 1, file), now.size - 1);
        fclose(file);
    } else {
        ck_assert_str_eq((const char *)now.data, text);
    }
    bytes_close(&now);
}

START_TEST(steps)
{
    check_golden("steps");
}
END_TEST

START_TEST(refused)
{
    check_golden("refused");
}
END_TEST

START_TEST(rules)
{
    check_golden("rules");
}
END_TEST

RUN_SUITE("plan", steps, refused, rules)
