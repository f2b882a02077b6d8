/* Operators that need no shard, run over injected values: tests/golden/op holds lines "> query",
 * then the results, one a line. UPDATE_GOLDEN=1 writes them anew. */
#include "common/prng.h"
#include "router/gremlin/gremlin.h"
#include "router/op/exec.h"
#include "router/op/function.h"
#include "router/plan/formula.h"
#include "tests/lib/runner.h"

#include <stdio.h>
#include <string.h>

static void print_results(struct bytes *out, struct exec *exec)
{
    struct batch batch = {0};
    enum pull rc;

    while ((rc = exec_pull(exec, 0, &batch)) == PULL_BATCH) {
        for (uint32_t i = 0; i < batch.count; i++) {
            const struct traverser *traverser = &batch.items[i];
            bytes_format(out, "%s ", value_kind_name((enum value_kind)traverser->value.kind));
            value_print(out, &traverser->value);
            if (traverser->bulk > 1) {
                bytes_format(out, " x%llu", (unsigned long long)traverser->bulk);
            }
            bytes_u8(out, '\n');
        }
    }
    ck_assert_int_ne(rc, PULL_WAIT);
    if (rc == PULL_ERROR) {
        bytes_format(out, "%s: %s\n", error_name(exec->error.code), exec->error.text);
    }
    batch_close(&batch);
}

static void run_query(struct bytes *out, const char *text, size_t size)
{
    struct arena arena = {0};
    struct error err = {0};
    struct gremlin_input input = {.text = slice_of(text, size)};
    struct gremlin_script script = {0};
    struct plan *plan = NULL;
    struct exec exec = {0};
    int rc;

    arena_init(&arena, 0);
    rc = gremlin_parse(&arena, &input, &script, &err);
    if (rc == E_OK) {
        rc = plan_build(script.queries[script.count - 1].bytecode, &plan, &err);
    }
    /* Nothing of the request is needed after the plan. */
    arena_close(&arena);
    if (rc == E_OK) {
        rc = exec_open(&exec, plan, NULL, NULL, &err);
        prng_init(&exec.prng, 1);
    }
    if (rc == E_OK) {
        print_results(out, &exec);
        exec_close(&exec);
    } else {
        bytes_format(out, "%s: %s\n", error_name(rc), err.text);
    }
    plan_free(&plan);
}

static void redo(struct bytes *out, const char *text)
{
    while (*text != '\0') {
        const char *end = strchr(text, '\n');
        size_t size = end == NULL ? strlen(text) : (size_t)(end - text);
        if (size > 2 && text[0] == '>' && text[1] == ' ') {
            bytes_format(out, "%.*s\n", (int)size, text);
            run_query(out, text + 2, size - 2);
            bytes_u8(out, '\n');
        } else if (size > 0 && text[0] == '#') {
            bytes_format(out, "%.*s\n", (int)size, text);
        }
        text += size + (end != NULL);
    }
}

static void check_golden(const char *name)
{
    static char text[1 << 20];
    char path[512];
    struct bytes now = {0};
    FILE *file;
    size_t size;

    snprintf(path, sizeof path, "%s/tests/golden/op/%s.txt", SOURCE_ROOT, name);
    file = fopen(path, "rb");
    ck_assert_msg(file != NULL, "cannot open %s", path);
    size = fread(text, 1, sizeof text - 1, file);
    text[size] = '\0';
    fclose(file);
    bytes_init(&now, 0);
    redo(&now, text);
    bytes_u8(&now, '\0');
    if (getenv("UPDATE_GOLDEN") != NULL) {
        file = fopen(path, "wb");
        ck_assert_ptr_nonnull(file);
        ck_assert_uint_eq(fwrite(now.data, 1, now.size - 1, file), now.size - 1);
        fclose(file);
    } else {
        ck_assert_str_eq((const char *)now.data, text);
    }
    bytes_close(&now);
}

START_TEST(filters)
{
    check_golden("filters");
}
END_TEST

START_TEST(maps)
{
    check_golden("maps");
}
END_TEST

START_TEST(functions)
{
    check_golden("functions");
}
END_TEST

START_TEST(groups)
{
    check_golden("groups");
}
END_TEST

START_TEST(children)
{
    check_golden("children");
}
END_TEST

/* Every kind has a name for messages, so that none of them prints null. */
START_TEST(classes_of_all_kinds_have_a_name)
{
    for (int kind = 0; kind < VALUE_KIND_COUNT; kind++) {
        struct value value = {.kind = (uint8_t)kind};
        ck_assert_ptr_nonnull(function_class_name(&value));
    }
    ck_assert_str_eq(function_class_name(&(struct value){.kind = VALUE_INT}), "Integer");
}
END_TEST

/* Whatever is accepted computes within the depth that it tells. */
START_TEST(formulas_of_random_text)
{
    static const char letters[] = "ab_+-*/%^()., 12.5esinpow";
    struct prng prng;
    uint32_t accepted = 0;

    prng_init(&prng, 7);
    for (int i = 0; i < 50000; i++) {
        char text[24];
        size_t size = 1 + prng_next(&prng) % (sizeof text - 1);
        struct arena arena;
        struct formula formula;
        arena_init(&arena, 0);
        for (size_t j = 0; j < size; j++) {
            text[j] = letters[prng_next(&prng) % (sizeof letters - 1)];
        }
        if (formula_parse(&arena, slice_of(text, size), &formula, NULL) == E_OK) {
            double values[FORMULA_NAMES_MAX] = {1.5, 2.5}, out;
            double *stack = arena_array(&arena, formula.depth, sizeof *stack);
            (void)formula_compute(&formula, values, stack, &out, NULL);
            accepted++;
        }
        arena_close(&arena);
    }
    ck_assert_uint_gt(accepted, 100);
}
END_TEST

RUN_SUITE("generic", formulas_of_random_text, classes_of_all_kinds_have_a_name, filters, maps,
          functions, groups, children)
