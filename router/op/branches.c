#include "router/op/branches.h"

#include "router/op/exec.h"
#include "router/op/quota.h"

#include <assert.h>

int branches_open(struct branches *branches, struct exec *exec,
                  struct plan_traversal *const *traversals, uint32_t count)
{
    branches->items = arena_array(&exec->arena, count + 1, sizeof *branches->items);
    branches->count = count;
    for (uint32_t i = 0; i < count; i++) {
        struct branch *branch = &branches->items[i];
        branch->is_identity = traversals[i] == NULL;
        if (branch->is_identity) {
            continue;
        }
        int rc = child_open(&branch->child, exec, traversals[i]);
        if (rc != E_OK) {
            return rc;
        }
        branches->is_write = branches->is_write || branch->child.is_write;
        branches->is_stateful = branches->is_stateful || branch->child.is_stateful;
    }
    return E_OK;
}

enum pull branches_gather(struct branches *branches, struct exec *exec, struct op *input)
{
    uint32_t goal = branches->goal == 0 ? OP_BATCH : branches->goal;

    goal = branches->is_stateful ? UINT32_MAX : goal;
    while (branches->in.count < goal) {
        if (quota_check(exec, branches->in.count, sizeof(struct traverser)) != PULL_BATCH) {
            return PULL_ERROR;
        }
        if (branches->pulled_at == branches->pulled.count) {
            enum pull rc =
                branches->is_input_done ? PULL_DONE : op_pull(input, exec, &branches->pulled);
            if (rc == PULL_DONE) {
                branches->is_input_done = true;
                batch_clear(&branches->pulled);
                branches->pulled_at = 0;
                break;
            }
            if (rc != PULL_BATCH) {
                branches->pulled_at = branches->pulled.count;
                return rc;
            }
            branches->pulled_at = 0;
        }
        while (branches->pulled_at < branches->pulled.count) {
            batch_push(&branches->in, &branches->pulled.items[branches->pulled_at++]);
            if (branches->is_write && !branches->is_stateful) {
                return PULL_BATCH;
            }
        }
    }
    return branches->in.count > 0 ? PULL_BATCH : PULL_DONE;
}

void branches_begin(struct branches *branches)
{
    branches->goal = branches->goal == 0 ? OP_BATCH : branches->goal;
    branches->goal = branches->goal < OP_WIDE ? 2 * branches->goal : OP_WIDE;
    batch_clear(&branches->in);
    branches->at = 0;
    branches->is_entered = false;
}

static void enter(struct branch *branch, struct exec *exec, uint32_t tags)
{
    const struct batch *share = &branch->share;

    if (branch->has_run) {
        child_round(&branch->child, exec, share->items, share->count, tags);
    } else {
        child_enter(&branch->child, exec, share->items, share->count, tags);
    }
}

enum pull branches_pull(struct branches *branches, struct exec *exec, uint32_t tags,
                        struct batch *out)
{
    for (; branches->at < branches->count; branches->at++) {
        struct branch *branch = &branches->items[branches->at];
        if (branch->share.count == 0) {
            continue;
        }
        if (branch->is_identity) {
            for (uint32_t i = 0; i < branch->share.count; i++) {
                batch_push(out, &branch->share.items[i]);
            }
            batch_clear(&branch->share);
            return PULL_BATCH;
        }
        if (!branches->is_entered) {
            enter(branch, exec, tags);
            branches->is_entered = true;
        }
        enum pull rc = child_pull(&branch->child, exec, out);
        if (rc != PULL_DONE) {
            return rc;
        }
        branches->is_entered = false;
        branch->has_run = branches->is_stateful;
        batch_clear(&branch->share);
    }
    return PULL_DONE;
}

void branches_reset(struct branches *branches, bool is_round)
{
    batch_clear(&branches->in);
    batch_clear(&branches->pulled);
    branches->pulled_at = 0;
    branches->goal = 0;
    branches->is_input_done = false;
    branches->is_entered = false;
    branches->at = 0;
    for (uint32_t i = 0; i < branches->count; i++) {
        batch_clear(&branches->items[i].share);
        branches->items[i].has_run = branches->items[i].has_run && is_round;
    }
}

void branches_close(struct branches *branches)
{
    for (uint32_t i = 0; branches->items != NULL && i < branches->count; i++) {
        child_close(&branches->items[i].child);
        batch_close(&branches->items[i].share);
    }
    batch_close(&branches->in);
    batch_close(&branches->pulled);
    *branches = (struct branches){0};
}
