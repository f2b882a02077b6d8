/* Any traversal becomes a plan that prints, or is refused; one that needs no shard runs to its
 * end. */
#include "router/gremlin/gremlin.h"
#include "router/op/exec.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum {
    MEMORY_MAX = 32 << 20,
    TURNS_MAX = 4 /* Of 100,000 rows. */
};

static bool needs_shards(const struct plan_traversal *traversal)
{
    for (uint32_t i = 0; i < traversal->step_count; i++) {
        const struct plan_step *step = &traversal->steps[i];
        if (step->kind == PLAN_VERTICES || step->kind == PLAN_EDGES) {
            return true;
        }
        for (uint32_t j = 0; j < step->child_count; j++) {
            if (needs_shards(step->children[j])) {
                return true;
            }
        }
    }
    return false;
}

static void run(const struct plan *plan)
{
    struct exec exec = {0};
    struct error err = {0};
    struct batch batch = {0};
    uint64_t now_ms = 1;
    enum pull rc;

    if (exec_open(&exec, plan, NULL, NULL, &err) != E_OK) {
        assert(err.code != E_OK);
        return;
    }
    prng_init(&exec.prng, 1);
    exec.arena.limit_bytes = MEMORY_MAX;
    exec.deadline_ms = TURNS_MAX;
    do {
        rc = exec_pull(&exec, now_ms, &batch);
        now_ms += rc == PULL_WAIT;
        assert(rc != PULL_WAIT || exec.is_yielding);
    } while (rc == PULL_BATCH || rc == PULL_WAIT);
    batch_close(&batch);
    exec_close(&exec);
}

static void plan_query(const struct bytecode *bytecode)
{
    struct plan *plan = NULL;
    struct error err = {0};
    struct bytes text;
    int rc = plan_build(bytecode, &plan, &err);

    assert((rc == E_OK) == (plan != NULL));
    if (rc != E_OK) {
        assert(err.text[0] != '\0');
        return;
    }
    bytes_init(&text, 0);
    plan_print(&text, plan);
    bytes_close(&text);
    if (!plan->is_write && !needs_shards(plan->root)) {
        run(plan);
    }
    plan_free(&plan);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct gremlin_input input = {.text = slice_of(data, size)};
    struct gremlin_script script;
    struct arena arena = {0};
    struct error err = {0};

    arena_init(&arena, 0);
    if (gremlin_parse(&arena, &input, &script, &err) == E_OK) {
        for (uint32_t i = 0; i < script.count; i++) {
            if (script.queries[i].bytecode != NULL) {
                plan_query(script.queries[i].bytecode);
            }
        }
    }
    arena_close(&arena);
    return 0;
}
