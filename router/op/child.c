#include "router/op/child.h"

#include "common/mem.h"
#include "router/op/entry.h"
#include "router/op/exec.h"
#include "router/plan/params.h"

#include <assert.h>
#include <string.h>

/* ---- what is inside ---- */

static bool is_change(enum plan_kind kind)
{
    return kind == PLAN_ADD_VERTEX || kind == PLAN_ADD_EDGE || kind == PLAN_SET_PROPERTY ||
           kind == PLAN_DROP || kind == PLAN_MERGE_VERTEX || kind == PLAN_MERGE_EDGE;
}

static bool is_collecting(const struct plan_step *step)
{
    if (step->kind == PLAN_GROUP) {
        return ((const struct plan_group *)step->params)->side_effect.data != NULL;
    }
    if (step->kind == PLAN_TREE) {
        return ((const struct plan_tree *)step->params)->side_effect.data != NULL;
    }
    return step->kind == PLAN_AGGREGATE || step->kind == PLAN_SUBGRAPH;
}

static bool any_inside(const struct plan_traversal *traversal, child_test_fn test, int depth)
{
    assert(depth < 2 * VALUE_DEPTH_MAX);
    for (uint32_t i = 0; i < traversal->step_count; i++) {
        const struct plan_step *step = &traversal->steps[i];
        if (test(step)) {
            return true;
        }
        for (uint32_t k = 0; k < step->child_count; k++) {
            if (any_inside(step->children[k], test, depth + 1)) {
                return true;
            }
        }
    }
    return false;
}

bool child_any(const struct plan_traversal *traversal, child_test_fn test)
{
    return any_inside(traversal, test, 0);
}

static bool is_write_step(const struct plan_step *step)
{
    return is_change(step->kind);
}

bool child_is_write(const struct plan_traversal *traversal)
{
    return any_inside(traversal, is_write_step, 0);
}

bool child_is_collecting(const struct plan_traversal *traversal)
{
    return any_inside(traversal, is_collecting, 0);
}

static bool is_reading(const struct plan_step *step)
{
    return step->kind == PLAN_SELECT || step->kind == PLAN_CAP || step->kind == PLAN_WHERE;
}

bool child_is_reading(const struct plan_traversal *traversal)
{
    return any_inside(traversal, is_collecting, 0) && any_inside(traversal, is_reading, 0);
}

bool child_sees_all(const struct plan_step *step)
{
    switch ((int)step->kind) {
    case PLAN_DEDUP:
        return ((const struct plan_dedup *)step->params)->scope == SCOPE_GLOBAL;
    case PLAN_RANGE:
        return ((const struct plan_range *)step->params)->scope == SCOPE_GLOBAL;
    case PLAN_SAMPLE:
        return ((const struct plan_sample *)step->params)->scope == SCOPE_GLOBAL;
    case PLAN_TAIL:
        return ((const struct plan_tail *)step->params)->scope == SCOPE_GLOBAL;
    case PLAN_ORDER:
        return ((const struct plan_order *)step->params)->scope == SCOPE_GLOBAL;
    case PLAN_COUNT:
        return ((const struct plan_scope *)step->params)->scope == SCOPE_GLOBAL;
    case PLAN_REDUCE:
        return ((const struct plan_reduce *)step->params)->scope == SCOPE_GLOBAL;
    case PLAN_AGGREGATE:
        return ((const struct plan_aggregate *)step->params)->scope == SCOPE_GLOBAL;
    default:
        return false;
    }
}

static bool keeps_state(const struct plan_step *step)
{
    switch ((int)step->kind) {
    case PLAN_FOLD:
    case PLAN_CAP:
    case PLAN_BARRIER:
    case PLAN_GROUP:
    case PLAN_TREE:
        return true;
    case PLAN_HOP:
        return ((const struct plan_hop *)step->params)->emit >= READ_COUNT;
    case PLAN_VERTICES:
    case PLAN_EDGES:
        return ((const struct plan_elements *)step->params)->emit >= READ_COUNT;
    default:
        return child_sees_all(step);
    }
}

static bool is_stateful(const struct plan_traversal *traversal, int depth)
{
    assert(depth < 2 * VALUE_DEPTH_MAX);
    for (uint32_t i = 0; i < traversal->step_count; i++) {
        const struct plan_step *step = &traversal->steps[i];
        if (keeps_state(step)) {
            return true;
        }
        for (uint32_t k = 0; k < step->child_count; k++) {
            if (step->children[k]->is_global && is_stateful(step->children[k], depth + 1)) {
                return true;
            }
        }
    }
    return false;
}

/* ---- running ---- */

static const struct plan_step entry_step = {.kind = PLAN_ENTRY};

int child_open(struct child *child, struct exec *exec, const struct plan_traversal *traversal)
{
    struct plan_step step = entry_step;
    struct plan_traversal *entry = ARENA_NEW(&exec->arena, struct plan_traversal);
    struct pipeline first;

    if (exec->depth >= VALUE_DEPTH_MAX) {
        op_fail(exec, E_LIMIT, "traversals are nested deeper than %d", VALUE_DEPTH_MAX);
        return E_LIMIT;
    }
    *child = (struct child){.plan = traversal};
    child->is_write = child_is_write(traversal);
    child->is_stateful = is_stateful(traversal, 0);
    entry->steps = arena_copy(&exec->arena, &step, sizeof step);
    entry->step_count = 1;
    exec->depth++;
    int rc = op_build(exec, entry, NULL, &first);
    assert(rc == E_OK);
    child->entry = first.last;
    rc = op_build(exec, traversal, child->entry, &child->pipeline);
    exec->depth--;
    return rc;
}

uint32_t child_batch_max(const struct child *child)
{
    return child->is_write ? 1 : UINT32_MAX;
}

void child_start(struct child *child, struct exec *exec, const struct traverser *items,
                 uint32_t count)
{
    op_set_tags(&child->pipeline, count, NULL);
    op_reset_all(&child->pipeline, exec);
    entry_give(child->entry, items, count, true);
}

static void ask(struct child *child, const struct traverser *items, uint32_t count, uint32_t tags)
{
    child->asked = mem_resize(child->asked, tags);
    memset(child->asked, 0, tags);
    for (uint32_t i = 0; i < count; i++) {
        assert(items[i].tag < tags);
        child->asked[items[i].tag] = 1;
    }
    op_set_tags(&child->pipeline, tags, child->asked);
}

void child_enter(struct child *child, struct exec *exec, const struct traverser *items,
                 uint32_t count, uint32_t tags)
{
    ask(child, items, count, tags);
    op_reset_all(&child->pipeline, exec);
    entry_give(child->entry, items, count, false);
}

void child_round(struct child *child, struct exec *exec, const struct traverser *items,
                 uint32_t count, uint32_t tags)
{
    ask(child, items, count, tags);
    op_round_all(&child->pipeline, exec);
    entry_give(child->entry, items, count, false);
}

enum pull child_pull(struct child *child, struct exec *exec, struct batch *out)
{
    assert(child->pipeline.last != NULL);
    return op_pull(child->pipeline.last, exec, out);
}

void child_close(struct child *child)
{
    op_close_all(&child->pipeline);
    mem_free(child->asked);
    *child = (struct child){0};
}
