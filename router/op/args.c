#include "router/op/args.h"

#include "common/mem.h"
#include "router/op/exec.h"

#include <assert.h>

void args_init(struct args *args, struct exec *exec, uint32_t room)
{
    *args = (struct args){.room = room};
    args->items = arena_array(&exec->arena, room + 1, sizeof *args->items);
}

int args_add(struct args *args, struct exec *exec, const struct plan_arg *plan,
             struct plan_traversal *const *children)
{
    assert(args->count < args->room);
    struct arg *arg = &args->items[args->count++];

    arg->plan = plan;
    return plan->child == PLAN_NO_CHILD ? E_OK
                                        : by_open_child(&arg->by, exec, children[plan->child]);
}

static void make_room(struct args *args, uint32_t rows)
{
    if (rows <= args->row_room) {
        return;
    }
    args->row_room = rows;
    for (uint32_t i = 0; i < args->count; i++) {
        struct arg *arg = &args->items[i];
        if (arg->plan->child != PLAN_NO_CHILD) {
            arg->values = mem_resize(arg->values, rows * sizeof *arg->values);
            arg->is_productive = mem_resize(arg->is_productive, rows);
        }
    }
}

enum pull args_run(struct args *args, struct exec *exec, const struct traverser *items,
                   uint32_t rows)
{
    make_room(args, rows);
    args->rows = rows;
    for (; args->at < args->count; args->at++) {
        struct arg *arg = &args->items[args->at];
        if (arg->plan->child == PLAN_NO_CHILD) {
            continue;
        }
        enum pull rc = by_values(&arg->by, exec, items, rows, arg->values, arg->is_productive);
        if (rc != PULL_BATCH) {
            return rc;
        }
    }
    args->at = 0;
    return PULL_BATCH;
}

const struct value *args_get(const struct args *args, uint32_t arg, uint32_t row)
{
    assert(arg < args->count && row < args->rows);
    const struct arg *item = &args->items[arg];

    if (item->plan->child == PLAN_NO_CHILD) {
        return &item->plan->value;
    }
    return item->is_productive[row] ? &item->values[row] : NULL;
}

const struct value *args_need(const struct args *args, struct exec *exec, uint32_t arg,
                              uint32_t row)
{
    const struct value *value = args_get(args, arg, row);

    if (value == NULL) {
        op_fail(exec, E_EVALUATION, "The provided traverser does not map to a value");
    }
    return value;
}

void args_reset(struct args *args)
{
    args->at = 0;
    for (uint32_t i = 0; i < args->count; i++) {
        by_reset(&args->items[i].by);
    }
}

void args_close(struct args *args)
{
    for (uint32_t i = 0; i < args->count; i++) {
        struct arg *arg = &args->items[i];
        if (arg->plan->child != PLAN_NO_CHILD) {
            by_close(&arg->by);
        }
        mem_free(arg->values);
        mem_free(arg->is_productive);
    }
    *args = (struct args){0};
}
