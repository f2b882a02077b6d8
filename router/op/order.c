#include "router/op/by_set.h"
#include "router/op/exec.h"
#include "router/op/items.h"
#include "router/op/quota.h"
#include "router/op/sort.h"

#include "common/mem.h"

#include <assert.h>

/* Global: gathers all, sees each batch's by()s, sorts, gives. Local: sorts the items of
 * collections. */
struct order {
    struct op op;
    struct by_set bys;
    struct sort_column *columns;
    uint32_t column_count;
    struct batch in;
    bool is_seeing;
    bool is_sorted;
    uint32_t at;
    struct batch held; /* Global: what is sorted. */
    struct sort_row *rows;
    uint32_t row_count, row_room;
    struct items *items; /* Local: of each traverser in `in`. */
    bool *has_items;
};

static int open(struct op *op, struct exec *exec)
{
    struct order *self = (struct order *)op;
    const struct plan_order *plan = op->plan->params;

    self->column_count = plan->by_count == 0 ? 1 : plan->by_count;
    self->columns = arena_array(&exec->arena, self->column_count, sizeof *self->columns);
    self->columns[0].order = ORDER_ASC;
    for (uint32_t i = 0; i < plan->by_count; i++) {
        self->columns[i].order = plan->bys[i].order;
    }
    return by_set_open(&self->bys, exec, op->plan, plan->by_count, plan->bys);
}

/* A row if every by() gave something: without, the object is left out. */
static void add_row(struct order *self, struct exec *exec, uint32_t place, uint32_t tag,
                    uint32_t index)
{
    struct value *keys = arena_array(&exec->arena, self->column_count, sizeof *keys);

    for (uint32_t i = 0; i < self->column_count; i++) {
        const struct value *key = by_set_get(&self->bys, i, place);
        if (key == NULL) {
            return;
        }
        keys[i] = *key;
    }
    if (self->row_count == self->row_room) {
        self->row_room = self->row_room == 0 ? OP_BATCH : 2 * self->row_room;
        self->rows = mem_resize(self->rows, self->row_room * sizeof *self->rows);
    }
    self->rows[self->row_count++] = (struct sort_row){.keys = keys, .tag = tag, .index = index};
}

static void sort(struct order *self, struct exec *exec)
{
    struct sort_row *spare = mem_alloc(self->row_count * sizeof *spare);

    sort_rows(self->rows, spare, self->row_count, self->columns, self->column_count, &exec->prng);
    mem_free(spare);
}

/* ---- global ---- */

static void see_batch(struct order *self)
{
    by_set_clear(&self->bys);
    for (uint32_t i = 0; i < self->in.count; i++) {
        for (uint32_t j = 0; j < self->column_count; j++) {
            by_set_add(&self->bys, j, &self->in.items[i], &self->in.items[i].value);
        }
    }
}

/* Only the first so many rows are wanted: the rest goes when there is twice as much. */
static void keep_top(struct order *self, struct exec *exec, uint64_t top)
{
    struct batch kept = {0};

    sort(self, exec);
    if (self->row_count > top) {
        self->row_count = (uint32_t)top;
    }
    for (uint32_t i = 0; i < self->row_count; i++) {
        batch_push(&kept, &self->held.items[self->rows[i].index]);
        self->rows[i].index = i;
    }
    batch_close(&self->held);
    self->held = kept;
}

static void take_batch(struct order *self, struct exec *exec)
{
    const struct plan_order *plan = self->op.plan->params;
    bool is_bounded = plan->top > 0 && self->op.tags == 1;

    for (uint32_t i = 0; i < self->in.count; i++) {
        uint32_t before = self->row_count;
        add_row(self, exec, i, self->in.items[i].tag, self->held.count);
        if (self->row_count > before) {
            batch_push(&self->held, &self->in.items[i]);
        }
    }
    if (is_bounded && self->row_count > 2 * plan->top + OP_BATCH) {
        keep_top(self, exec, plan->top);
    }
}

static enum pull drain(struct order *self, struct exec *exec)
{
    enum pull rc;

    for (;;) {
        if (!self->is_seeing) {
            rc = op_pull(self->op.input, exec, &self->in);
            if (rc != PULL_BATCH) {
                return rc;
            }
            see_batch(self);
            self->is_seeing = true;
        }
        rc = by_set_run(&self->bys, exec);
        if (rc != PULL_BATCH) {
            return rc;
        }
        self->is_seeing = false;
        take_batch(self, exec);
        rc = quota_check(exec, self->held.count, sizeof(struct traverser) + sizeof *self->rows);
        if (rc != PULL_BATCH) {
            return rc;
        }
    }
}

/* ---- local ---- */

static void see_items(struct order *self, struct exec *exec)
{
    by_set_clear(&self->bys);
    self->items = arena_array(&exec->arena, self->in.count, sizeof *self->items);
    self->has_items = arena_array(&exec->arena, self->in.count, sizeof *self->has_items);
    for (uint32_t i = 0; i < self->in.count; i++) {
        const struct traverser *traverser = &self->in.items[i];
        struct items *items = &self->items[i];
        self->has_items[i] = items_of(&exec->arena, &traverser->value, items);
        if (self->has_items[i]) {
            items->values = items_flat(&exec->arena, items, &items->count);
        }
        for (uint32_t j = 0; self->has_items[i] && j < items->count * self->column_count; j++) {
            by_set_add(&self->bys, j % self->column_count, traverser,
                       &items->values[j / self->column_count]);
        }
    }
}

static void give_sorted(struct order *self, struct exec *exec, struct batch *out)
{
    uint32_t place = 0;

    for (uint32_t i = 0; i < self->in.count; i++) {
        const struct traverser *traverser = &self->in.items[i];
        struct value result = traverser->value;
        if (self->has_items[i]) {
            const struct items *items = &self->items[i];
            struct value *sorted = arena_array(&exec->arena, items->count + 1u, sizeof *sorted);
            self->row_count = 0;
            for (uint32_t j = 0; j < items->count; j++) {
                add_row(self, exec, place++, 0, j);
            }
            sort(self, exec);
            for (uint32_t j = 0; j < self->row_count; j++) {
                sorted[j] = items->values[self->rows[j].index];
            }
            result = items_collect(&exec->arena, &traverser->value, sorted, self->row_count);
            if (result.kind == VALUE_SET) {
                result.kind = VALUE_LIST;
            }
        }
        struct traverser next = op_split(&self->op, exec, traverser, result);
        batch_push(out, &next);
    }
}

static enum pull pull_local(struct order *self, struct exec *exec, struct batch *out)
{
    enum pull rc;

    if (!self->is_seeing) {
        rc = op_pull(self->op.input, exec, &self->in);
        if (rc != PULL_BATCH) {
            return rc;
        }
        see_items(self, exec);
        self->is_seeing = true;
    }
    rc = by_set_run(&self->bys, exec);
    if (rc == PULL_BATCH) {
        self->is_seeing = false;
        give_sorted(self, exec, out);
    }
    return rc;
}

/* ---- the class ---- */

static enum pull pull(struct op *op, struct exec *exec, struct batch *out)
{
    struct order *self = (struct order *)op;

    if (((const struct plan_order *)op->plan->params)->scope == SCOPE_LOCAL) {
        return pull_local(self, exec, out);
    }
    if (!self->is_sorted) {
        enum pull rc = drain(self, exec);
        if (rc != PULL_DONE) {
            return rc;
        }
        sort(self, exec);
        self->is_sorted = true;
    }
    while (self->at < self->row_count && out->count < OP_BATCH) {
        batch_push(out, &self->held.items[self->rows[self->at++].index]);
    }
    return out->count > 0 ? PULL_BATCH : PULL_DONE;
}

static void reset(struct op *op, struct exec *exec)
{
    struct order *self = (struct order *)op;

    (void)exec;
    by_set_clear(&self->bys);
    batch_clear(&self->held);
    self->row_count = 0;
    self->at = 0;
    self->is_seeing = false;
    self->is_sorted = false;
}

static void close(struct op *op)
{
    struct order *self = (struct order *)op;

    by_set_close(&self->bys);
    batch_close(&self->in);
    batch_close(&self->held);
    mem_free(self->rows);
    self->rows = NULL;
}

extern const struct op_class order_class;

const struct op_class order_class = {
    .name = "order",
    .holds = HOLDS_RUN,
    .size = sizeof(struct order),
    .open = open,
    .pull = pull,
    .reset = reset,
    .close = close,
};
