#include "router/op/branches.h"

#include "common/mem.h"
#include "router/op/exec.h"
#include "router/op/quota.h"
#include "router/plan/params.h"

#include <assert.h>

static bool merges(const struct plan_step *step)
{
    return step->kind == PLAN_HOP && ((const struct plan_hop *)step->params)->emit == READ_MERGED;
}

int branches_open(struct branches *branches, struct exec *exec,
                  struct plan_traversal *const *traversals, uint32_t count)
{
    branches->items = arena_array(&exec->arena, count + 1, sizeof *branches->items);
    branches->count = count;
    branches->is_ordered = count > 1;
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
        branches->is_ordered = branches->is_ordered && !child_is_collecting(traversals[i]) &&
                               !child_any(traversals[i], merges);
    }
    branches->is_ordered = branches->is_ordered && !branches->is_write && !branches->is_stateful;
    return E_OK;
}

static bool is_full(const struct branches *branches, const struct exec *exec)
{
    return branches->in.count > 0 && !branches->is_stateful &&
           op_has_gathered(exec, branches->since);
}

enum pull branches_gather(struct branches *branches, struct exec *exec, struct op *op)
{
    uint32_t goal = branches->goal == 0 ? OP_BATCH : branches->goal;

    goal = branches->is_stateful ? UINT32_MAX : goal;
    while (branches->in.count < goal && !is_full(branches, exec)) {
        if (quota_check(exec, branches->in.count, sizeof(struct traverser)) != PULL_BATCH) {
            return PULL_ERROR;
        }
        if (branches->pulled_at == branches->pulled.count) {
            bool has_some = branches->in.count > 0;
            enum pull rc = branches->is_input_done
                               ? PULL_DONE
                               : op_pull_more(op, exec, &branches->pulled, has_some);
            branches->since = has_some ? branches->since : exec->stream.used_bytes;
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

void branches_share(struct branches *branches, uint32_t at, uint32_t place)
{
    struct batch *share = &branches->items[at].share;

    assert(at < branches->count && place < branches->in.count);
    batch_push(share, &branches->in.items[place]);
    if (branches->is_ordered) {
        share->items[share->count - 1].tag = place;
    }
}

static void keep_tags(struct branches *branches)
{
    branches->tag_count = branches->in.count;
    if (branches->tag_count > branches->tag_room) {
        branches->tag_room = branches->in.room;
        branches->tags =
            mem_resize(branches->tags, (size_t)branches->tag_room * sizeof *branches->tags);
    }
    for (uint32_t i = 0; i < branches->in.count; i++) {
        branches->tags[i] = branches->in.items[i].tag;
    }
}

void branches_begin(struct branches *branches)
{
    if (branches->is_ordered) {
        keep_tags(branches);
    }
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

/* ---- in order ---- */

static enum pull refill(struct branches *branches, struct branch *branch, struct exec *exec)
{
    if (branch->ready_at < branch->ready.count) {
        return PULL_BATCH;
    }
    branch->ready_at = 0;
    batch_clear(&branch->ready);
    if (branch->is_done || branch->share.count == 0) {
        return PULL_DONE;
    }
    if (branch->is_identity) {
        struct batch empty = branch->ready;
        branch->ready = branch->share;
        branch->share = empty;
        return PULL_BATCH;
    }
    if (!branch->is_entered) {
        enter(branch, exec, branches->tag_count);
        branch->is_entered = true;
    }
    enum pull rc = child_pull(&branch->child, exec, &branch->ready);
    branch->is_done = rc == PULL_DONE;
    return rc;
}

/* The branch whose next result comes from the first traverser; `count` if there is none. */
static uint32_t first_ready(const struct branches *branches)
{
    uint32_t first = branches->count;
    uint32_t lowest = 0;

    for (uint32_t i = 0; i < branches->count; i++) {
        const struct branch *branch = &branches->items[i];
        if (branch->ready_at < branch->ready.count &&
            (first == branches->count || branch->ready.items[branch->ready_at].tag < lowest)) {
            first = i;
            lowest = branch->ready.items[branch->ready_at].tag;
        }
    }
    return first;
}

/* Gives until a branch has nothing ready: what it has next may come first. */
static void merge(struct branches *branches, struct batch *out)
{
    for (;;) {
        uint32_t at = first_ready(branches);
        assert(at < branches->count);
        struct branch *branch = &branches->items[at];
        uint32_t tag = branch->ready.items[branch->ready_at].tag;
        while (branch->ready_at < branch->ready.count &&
               branch->ready.items[branch->ready_at].tag == tag) {
            struct traverser *next = &branch->ready.items[branch->ready_at++];
            next->tag = branches->tags[tag];
            batch_push(out, next);
        }
        if (branch->ready_at == branch->ready.count) {
            return;
        }
    }
}

static void end_shares(struct branches *branches)
{
    for (uint32_t i = 0; i < branches->count; i++) {
        struct branch *branch = &branches->items[i];
        branch->is_entered = false;
        branch->is_done = false;
        branch->ready_at = 0;
        batch_clear(&branch->ready);
        batch_clear(&branch->share);
    }
}

static enum pull pull_in_order(struct branches *branches, struct exec *exec, struct batch *out)
{
    for (uint32_t i = 0; i < branches->count; i++) {
        enum pull rc = refill(branches, &branches->items[i], exec);
        if (rc != PULL_BATCH && rc != PULL_DONE) {
            return rc;
        }
    }
    if (first_ready(branches) == branches->count) {
        end_shares(branches);
        return PULL_DONE;
    }
    merge(branches, out);
    return PULL_BATCH;
}

enum pull branches_pull(struct branches *branches, struct exec *exec, uint32_t tags,
                        struct batch *out)
{
    if (branches->is_ordered) {
        return pull_in_order(branches, exec, out);
    }
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
    end_shares(branches);
    for (uint32_t i = 0; i < branches->count; i++) {
        branches->items[i].has_run = branches->items[i].has_run && is_round;
    }
}

void branches_close(struct branches *branches)
{
    for (uint32_t i = 0; branches->items != NULL && i < branches->count; i++) {
        child_close(&branches->items[i].child);
        batch_close(&branches->items[i].share);
        batch_close(&branches->items[i].ready);
    }
    mem_free(branches->tags);
    batch_close(&branches->in);
    batch_close(&branches->pulled);
    *branches = (struct branches){0};
}
