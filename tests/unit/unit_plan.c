/* Plans as explain() prints them, against the files in tests/golden/plan: lines "> query", then
 * the plan. UPDATE_GOLDEN=1 writes them anew. */
#include "router/plan/plan.h"

#include "router/gremlin/gremlin.h"
#include "router/plan/build.h"
#include "router/plan/rules/rules.h"
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

START_TEST(golden_steps)
{
    check_golden("steps");
}
END_TEST

START_TEST(golden_refused)
{
    check_golden("refused");
}
END_TEST

START_TEST(golden_rules)
{
    check_golden("rules");
}
END_TEST

/* ---- what rules share ---- */

static void push_kind(struct plan *plan, struct plan_traversal *traversal, uint32_t at,
                      enum plan_kind kind)
{
    struct plan_step step = {.kind = kind};

    rules_insert(plan, traversal, at, &step);
}

START_TEST(steps_go_in_and_out)
{
    struct plan plan = {0};
    struct plan_traversal traversal = {0};

    arena_init(&plan.arena, 0);
    for (int i = 0; i < 9; i++) {
        push_kind(&plan, &traversal, 0, PLAN_IDENTITY);
    }
    push_kind(&plan, &traversal, 0, PLAN_VERTICES);
    push_kind(&plan, &traversal, 10, PLAN_COUNT);
    ck_assert_uint_eq(traversal.step_count, 11);
    ck_assert_int_eq(traversal.steps[0].kind, PLAN_VERTICES);
    ck_assert_int_eq(traversal.steps[10].kind, PLAN_COUNT);
    rules_remove(&traversal, 1, 9);
    ck_assert_uint_eq(traversal.step_count, 2);
    ck_assert_int_eq(traversal.steps[1].kind, PLAN_COUNT);
    rules_remove(&traversal, 1, 1);
    ck_assert_uint_eq(traversal.step_count, 1);
    arena_close(&plan.arena);
}
END_TEST

START_TEST(params_are_replaced_not_changed)
{
    static const struct plan_scope global = {.scope = SCOPE_GLOBAL};
    struct plan plan = {0};
    struct plan_step step = {.kind = PLAN_COUNT, .params = &global};
    struct plan_scope *changed;

    arena_init(&plan.arena, 0);
    changed = rules_params(&plan, &step, sizeof *changed);
    changed->scope = SCOPE_LOCAL;
    ck_assert_ptr_eq(step.params, changed);
    ck_assert_int_eq(global.scope, SCOPE_GLOBAL);
    arena_close(&plan.arena);
}
END_TEST

START_TEST(passing_steps_are_known)
{
    static const struct plan_range local = {.scope = SCOPE_LOCAL}, global = {.scope = SCOPE_GLOBAL};
    struct plan_step step = {.kind = PLAN_RANGE, .params = &local};

    ck_assert(!rules_keeps_values(&step));
    step.params = &global;
    ck_assert(rules_keeps_values(&step));
    step.kind = PLAN_HOP;
    ck_assert(!rules_keeps_values(&step));
    ck_assert(rules_is_plain(&step));
    step.label_count = 1;
    ck_assert(!rules_is_plain(&step));
}
END_TEST

/* ---- arguments ---- */

START_TEST(scopes_and_modulators)
{
    struct value args[2] = {value_enumerator(SCOPE_LOCAL), value_int(2)};
    struct instruction steps[3] = {
        {.step = STEP_LIMIT, .arg_count = 2, .args = args}, {.step = STEP_BY}, {.step = STEP_AS}};
    struct call call = {.step = &steps[0], .modulators = &steps[1], .modulator_count = 2};
    uint32_t next;

    ck_assert_int_eq(build_arg_scope(&call, &next), SCOPE_LOCAL);
    ck_assert_uint_eq(next, 1);
    steps[0].args = &args[1];
    steps[0].arg_count = 1;
    ck_assert_int_eq(build_arg_scope(&call, &next), SCOPE_GLOBAL);
    ck_assert_uint_eq(next, 0);
    ck_assert_uint_eq(build_arg_modulators(&call, STEP_BY), 1);
    ck_assert_ptr_eq(build_arg_modulator(&call, STEP_AS, 0), &steps[2]);
    ck_assert_ptr_null(build_arg_modulator(&call, STEP_BY, 1));
}
END_TEST

START_TEST(deep_nesting_is_refused)
{
    enum { DEPTH = 2 * VALUE_DEPTH_MAX };
    static struct instruction steps[DEPTH];
    static struct bytecode levels[DEPTH];
    static struct value args[DEPTH];
    struct plan *plan = NULL;
    struct error err = {0};

    for (int i = 0; i < DEPTH; i++) {
        bool is_last = i == DEPTH - 1;
        args[i] =
            (struct value){.kind = VALUE_TRAVERSAL, .traversal = is_last ? NULL : &levels[i + 1]};
        steps[i] = (struct instruction){.step = is_last ? STEP_V : STEP_UNION,
                                        .name = SLICE("union"),
                                        .arg_count = is_last ? 0 : 1,
                                        .args = &args[i]};
        levels[i] = (struct bytecode){.step_count = 1, .steps = &steps[i]};
    }
    ck_assert_int_eq(plan_build(&levels[0], &plan, &err), E_LIMIT);
    ck_assert_ptr_null(plan);
}
END_TEST

/* Thousands of small parts in one step: memory in proportion, not its square. */
static size_t plan_bytes(const char *head, const char *part, int count)
{
    struct arena arena = {0};
    struct error err = {0};
    struct gremlin_script script = {0};
    struct gremlin_input input;
    struct plan *plan = NULL;
    struct bytes text;
    size_t used;

    bytes_init(&text, 0);
    bytes_format(&text, "%s", head);
    for (int i = 0; i < count; i++) {
        bytes_format(&text, ".%s('k%d', %d)", part, i, i);
    }
    arena_init(&arena, 0);
    input = (struct gremlin_input){.text = bytes_slice(&text)};
    ck_assert_int_eq(gremlin_parse(&arena, &input, &script, &err), E_OK);
    ck_assert_int_eq(plan_build(script.queries[0].bytecode, &plan, &err), E_OK);
    used = plan->arena.used_bytes;
    plan_free(&plan);
    arena_close(&arena);
    bytes_close(&text);
    return used;
}

START_TEST(plans_grow_with_their_text)
{
    ck_assert_uint_lt(plan_bytes("g.addV('x')", "property", 5000), 16 << 20);
    ck_assert_uint_lt(plan_bytes("g.V()", "has", 5000), 16 << 20);
}
END_TEST

RUN_SUITE("plan", plans_grow_with_their_text, golden_steps, golden_refused, golden_rules,
          steps_go_in_and_out, params_are_replaced_not_changed, passing_steps_are_known,
          scopes_and_modulators, deep_nesting_is_refused)
