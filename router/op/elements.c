#include "router/op/elements.h"

#include "common/bulk.h"
#include "common/mem.h"
#include "router/op/elem.h"
#include "router/op/exec.h"
#include "router/plan/params.h"
#include "router/remote/transaction.h"

#include <assert.h>
#include <string.h>

static const struct plan_elements *plan_of(const struct op *op)
{
    return op->plan->params;
}

static bool is_reducing(const struct op *op)
{
    return plan_of(op)->emit >= READ_COUNT;
}

/* Gives each row once, as it comes. */
static bool is_streaming(const struct op *op)
{
    return plan_of(op)->is_start && !plan_of(op)->has_ids && !is_reducing(op);
}

int elements_open(struct op *op, struct exec *exec, bool is_edges)
{
    struct elements *self = (struct elements *)op;

    self->is_edges = is_edges;
    self->exec = exec;
    if (plan_of(op)->id_count > READ_IDS_MAX) {
        op_fail(exec, E_LIMIT, "%u ids, at most %u", plan_of(op)->id_count, READ_IDS_MAX);
        return E_LIMIT;
    }
    return E_OK;
}

/* ---- reading ---- */

static uint64_t limit_of(const struct op *op)
{
    const struct plan_elements *plan = plan_of(op);
    uint64_t bound = is_reducing(op) ? 0 : op->plan->row_bound;

    if (plan->limit != 0 && (bound == 0 || plan->limit < bound)) {
        return plan->limit;
    }
    return bound;
}

static bool start(struct elements *self, struct exec *exec)
{
    const struct plan_elements *plan = plan_of(&self->op);
    struct read_request *spec = &self->spec;

    *spec = (struct read_request){
        .source = self->is_edges ? READ_EDGES : READ_VERTICES,
        .emit = plan->emit,
        .project = plan->project,
        .filter_count = plan->filter_count,
        .filters = elem_filters(exec, plan->filters, plan->filter_count),
        .key_count = plan->key_count,
        .keys = plan->keys,
        .limit = limit_of(&self->op),
    };
    if (plan->has_ids) {
        struct read_input *inputs = arena_array(&exec->arena, plan->id_count + 1, sizeof *inputs);
        spec->source = self->is_edges ? READ_EDGE_IDS : READ_IDS;
        for (uint32_t i = 0; i < plan->id_count; i++) {
            inputs[spec->input_count].bulk = 1;
            if (elem_vid(exec, &plan->ids[i], &inputs[spec->input_count].id)) {
                spec->input_count++;
            }
        }
        spec->inputs = inputs;
        if (spec->input_count == 0) {
            self->is_read = true; /* No id that could be one: nothing to ask for. */
            return true;
        }
    }
    self->fetch = is_streaming(&self->op) ? fetch_stream(exec, &self->op, spec)
                                          : fetch_start(exec, &self->op, spec);
    return self->fetch != NULL;
}

/* Reads all into self->rows. BATCH when they are there. */
static enum pull read_all(struct elements *self, struct exec *exec)
{
    uint32_t changes = transaction_change_count(exec->txn);

    if (self->is_read && self->seen == changes) {
        return PULL_BATCH;
    }
    if (self->fetch == NULL) {
        self->rows.count = 0;
        self->is_read = false;
        self->seen = changes;
        if (!start(self, exec)) {
            return PULL_ERROR;
        }
    }
    if (!self->is_read) {
        enum pull rc = rowset_take(&self->rows, self->fetch, exec, UINT32_MAX);
        if (rc != PULL_DONE) {
            return rc;
        }
        fetch_close(&self->fetch, exec);
        self->is_read = true;
    }
    rowset_sort(&self->rows, self->spec.input_count > 0 ? self->spec.input_count : 1);
    return PULL_BATCH;
}

/* ---- giving ---- */

static void give_start(struct elements *self, struct exec *exec, const struct read_row *row,
                       struct batch *out)
{
    for (uint32_t tag = 0; tag < self->op.tags; tag++) {
        if (op_is_asked(&self->op, tag)) {
            struct traverser first = op_start(&self->op, exec, tag, row->element);
            batch_push(out, &first);
        }
    }
}

/* Rows as they come, but in the order of ids if there are ids. */
static enum pull pull_start(struct elements *self, struct exec *exec, struct batch *out)
{
    if (plan_of(&self->op)->has_ids) {
        enum pull rc = self->row_at > 0 ? PULL_BATCH : read_all(self, exec);
        if (rc != PULL_BATCH) {
            return rc;
        }
    } else {
        if (self->fetch == NULL) {
            if (!start(self, exec)) {
                return PULL_ERROR;
            }
            self->mark = op_mark(exec);
        }
        if (self->row_at == self->rows.count) {
            self->rows.count = 0;
            self->row_at = 0;
            op_release(&self->op, exec, &self->mark);
            enum pull rc = rowset_take(&self->rows, self->fetch, exec, 1);
            if (rc != PULL_BATCH) {
                return rc;
            }
        }
    }
    while (self->row_at < self->rows.count && out->count < OP_BATCH) {
        give_start(self, exec, &self->rows.rows[self->row_at++], out);
    }
    return out->count > 0 ? PULL_BATCH : PULL_DONE;
}

static enum pull pull_middle(struct elements *self, struct exec *exec, struct batch *out)
{
    if (self->in_at < self->in.count && (self->in_at > 0 || self->row_at > 0)) {
        op_release(&self->op, exec, &self->mark);
    }
    while (out->count < OP_BATCH) {
        if (self->in_at == self->in.count) {
            if (out->count > 0) {
                break;
            }
            self->in_at = 0;
            self->row_at = 0;
            enum pull rc = op_pull(self->op.input, exec, &self->in);
            if (rc != PULL_BATCH) {
                return rc;
            }
        }
        if (self->row_at == 0) {
            enum pull rc = read_all(self, exec);
            if (rc != PULL_BATCH) {
                return rc;
            }
            self->mark = self->in_at == 0 ? op_mark(exec) : self->mark;
        }
        const struct traverser *from = &self->in.items[self->in_at];
        while (self->row_at < self->rows.count && out->count < OP_BATCH) {
            struct value element = self->rows.rows[self->row_at++].element;
            struct traverser next = op_split(&self->op, exec, from, element);
            batch_push(out, &next);
        }
        if (self->row_at == self->rows.count) {
            self->row_at = 0;
            self->in_at++;
        }
    }
    return PULL_BATCH;
}

/* ---- counting ---- */

static uint64_t row_total(const struct elements *self)
{
    uint64_t total = 0;

    for (uint32_t i = 0; i < self->rows.count; i++) {
        total = bulk_add(total, self->rows.rows[i].bulk);
    }
    return total;
}

/* All input first: it may change what is counted. */
static enum pull add_inputs(struct elements *self, struct exec *exec)
{
    if (self->totals == NULL) {
        self->totals = mem_array(self->op.tags, sizeof *self->totals);
    }
    while (!self->is_input_done) {
        enum pull rc = op_pull(self->op.input, exec, &self->in);
        if (rc == PULL_DONE) {
            self->is_input_done = true;
        } else if (rc != PULL_BATCH) {
            return rc;
        }
        for (uint32_t i = 0; i < self->in.count; i++) {
            uint64_t *sum = &self->totals[self->in.items[i].tag];
            *sum = bulk_add(*sum, self->in.items[i].bulk);
        }
    }
    return PULL_BATCH;
}

static struct value label_map(const struct elements *self, struct exec *exec)
{
    struct value *items =
        arena_array(&exec->arena, 2 * (size_t)self->rows.count + 1, sizeof *items);
    uint32_t count = 0;

    for (uint32_t i = 0; i < self->rows.count; i++) {
        if (self->rows.rows[i].bulk > 0) {
            items[2 * count] = value_string(self->rows.rows[i].label);
            items[2 * count + 1] = value_long((int64_t)self->rows.rows[i].bulk);
            count++;
        }
    }
    return (struct value){.kind = VALUE_MAP, .size = count, .items = items};
}

static enum pull pull_counts(struct elements *self, struct exec *exec, struct batch *out)
{
    const struct plan_elements *plan = plan_of(&self->op);
    enum pull rc = plan->is_start ? PULL_BATCH : add_inputs(self, exec);

    if (rc == PULL_BATCH) {
        rc = read_all(self, exec);
    }
    if (rc != PULL_BATCH) {
        return rc;
    }
    for (; self->tag_at < self->op.tags; self->tag_at++) {
        if (!op_is_asked(&self->op, self->tag_at)) {
            continue;
        }
        uint64_t total = bulk_mul(row_total(self), plan->is_start ? 1 : self->totals[self->tag_at]);
        struct value value =
            plan->emit == READ_LABEL_COUNTS ? label_map(self, exec) : value_long((int64_t)total);
        struct traverser result = op_start(&self->op, exec, self->tag_at, value);
        batch_push(out, &result);
    }
    return out->count > 0 ? PULL_BATCH : PULL_DONE;
}

enum pull elements_pull(struct op *op, struct exec *exec, struct batch *out)
{
    struct elements *self = (struct elements *)op;

    if (is_reducing(op)) {
        return pull_counts(self, exec, out);
    }
    return plan_of(op)->is_start ? pull_start(self, exec, out) : pull_middle(self, exec, out);
}

void elements_reset(struct op *op, struct exec *exec)
{
    struct elements *self = (struct elements *)op;

    fetch_close(&self->fetch, exec);
    if (!self->is_read) {
        self->rows.count = 0;
    }
    batch_clear(&self->in);
    self->in_at = 0;
    self->row_at = 0;
    self->is_input_done = false;
    self->tag_at = 0;
    mem_free(self->totals);
    self->totals = NULL;
}

void elements_close(struct op *op)
{
    struct elements *self = (struct elements *)op;

    if (self->exec != NULL) {
        fetch_close(&self->fetch, self->exec);
    }
    rowset_close(&self->rows);
    batch_close(&self->in);
    mem_free(self->totals);
    self->totals = NULL;
}
