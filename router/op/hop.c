/* One hop of a frontier: gather -> one fetch (a request a shard) -> maybe a second one, for the
 * far vertices' properties -> give. Equal vertices of the frontier are asked for once; their rows
 * fan out again here. */
#include "common/bulk.h"
#include "common/mem.h"
#include "router/op/elem.h"
#include "router/op/exec.h"
#include "router/op/idset.h"
#include "router/op/rowset.h"
#include "router/plan/params.h"

#include <assert.h>
#include <string.h>

enum {
    ROWS_MAX = 65536 /* Rows held before they are given, in or out of order. */
};

enum state {
    GATHER,
    ROWS, /* Of the hop. */
    FAR,  /* Of the far vertices. */
    GIVE,
    TOTAL /* Counting: results. */
};

struct hop {
    struct op op;
    struct exec *exec;
    enum state state;
    const struct read_filter *edge_filters, *far_filters; /* Of the plan; elem.h. */
    struct batch in;
    struct batch gathered; /* mark: place of the vertex in `ids`. */
    bool is_input_done;
    bool is_alike; /* All that was gathered differs by value and bulk only. */
    struct idset ids;
    struct read_input *inputs; /* One an id; on the heap. */
    struct read_request spec;
    struct fetch *fetch;
    bool is_fetch_done;
    struct rowset rows;
    struct read_request far_spec;
    struct fetch *far_fetch;
    struct idset far_ids;
    struct read_input *far_inputs;
    struct rowset far_rows;
    uint32_t from_at; /* Next traverser to give rows of. */
    uint32_t row_at;
    uint64_t given;
    uint64_t *totals; /* Counting: one a tag; on the heap. */
    size_t gathered_from;        /* Bytes of the stream when gathering began. */
    struct arena_mark rows_mark; /* Behind what was gathered, before its rows. */
    struct arena_mark give_mark; /* Behind the rows at hand. */
    uint32_t tag_at;
};

static const struct plan_hop *plan_of(const struct hop *self)
{
    return self->op.plan->params;
}

static bool is_counting(const struct hop *self)
{
    return plan_of(self)->emit == READ_COUNT || plan_of(self)->emit == READ_COUNT_EACH;
}

static int open(struct op *op, struct exec *exec)
{
    struct hop *self = (struct hop *)op;
    const struct plan_hop *plan = plan_of(self);

    self->exec = exec;
    self->is_alike = true;
    self->edge_filters = elem_filters(exec, plan->edge_filters, plan->edge_filter_count);
    self->far_filters = elem_filters(exec, plan->far_filters, plan->far_filter_count);
    return E_OK;
}

/* ---- the frontier ---- */

static bool is_like(const struct traverser *a, const struct traverser *b)
{
    return a->path == b->path && a->loops == b->loops && a->sack == b->sack && a->tag == b->tag;
}

static enum pull add_input(struct hop *self, const struct traverser *from)
{
    struct vid id;

    if (from->value.kind != VALUE_VERTEX) {
        return op_fail(self->exec, E_EVALUATION, "%s() takes a vertex, not a %s",
                       self->op.class->name, value_kind_name((enum value_kind)from->value.kind));
    }
    if (!elem_vid(self->exec, &from->value, &id)) {
        return op_fail(self->exec, E_EVALUATION, "a vertex without a usable id");
    }
    if (self->gathered.count > 0 && !is_like(&self->gathered.items[0], from)) {
        self->is_alike = false;
    }
    uint32_t place = idset_add(&self->ids, &id);
    batch_push(&self->gathered, from);
    self->gathered.items[self->gathered.count - 1].mark = place;
    return PULL_BATCH;
}

static bool has_enough(const struct hop *self)
{
    if (self->gathered.count == 0) {
        return false;
    }
    return self->gathered.count >= OP_GATHER || self->op.plan->row_bound != 0 ||
           op_has_gathered(self->exec, self->gathered_from);
}

/* BATCH: there is a frontier to ask for. */
static enum pull gather(struct hop *self)
{
    while (!self->is_input_done && !has_enough(self)) {
        bool has_some = self->gathered.count > 0;
        enum pull rc = op_pull_more(&self->op, self->exec, &self->in, has_some);
        if (!has_some) {
            self->gathered_from = self->exec->stream.used_bytes;
        }
        if (rc == PULL_DONE) {
            self->is_input_done = true;
        } else if (rc != PULL_BATCH) {
            return rc;
        }
        for (uint32_t i = 0; i < self->in.count; i++) {
            if (add_input(self, &self->in.items[i]) != PULL_BATCH) {
                return PULL_ERROR;
            }
        }
    }
    return self->gathered.count > 0 ? PULL_BATCH : PULL_DONE;
}

/* Bulks travel with the inputs only where rows are sums of them. */
static void set_inputs(struct hop *self, bool is_summed)
{
    self->inputs = mem_resize(self->inputs, self->ids.count * sizeof *self->inputs);
    for (uint32_t i = 0; i < self->ids.count; i++) {
        self->inputs[i] = (struct read_input){.id = self->ids.ids[i], .bulk = is_summed ? 0 : 1};
    }
    for (uint32_t i = 0; is_summed && i < self->gathered.count; i++) {
        struct read_input *input = &self->inputs[self->gathered.items[i].mark];
        input->bulk = bulk_add(input->bulk, self->gathered.items[i].bulk);
    }
}

static enum read_emit emit_of(const struct hop *self)
{
    enum read_emit emit = plan_of(self)->emit;

    if (emit == READ_MERGED && !self->is_alike) {
        return READ_ROWS;
    }
    if (is_counting(self)) {
        return self->op.tags == 1 ? READ_COUNT : READ_COUNT_EACH;
    }
    return emit;
}

static bool has_second(const struct hop *self)
{
    const struct plan_hop *plan = plan_of(self);

    return plan->vertex_filter_count > 0 || (!plan->to_edges && plan->project != READ_NOTHING);
}

static uint64_t limit_of(const struct hop *self)
{
    uint64_t bound = self->op.plan->row_bound;

    if (bound == 0 || is_counting(self) || has_second(self) || self->op.tags > 1) {
        return 0;
    }
    return bound > self->given ? bound - self->given : 1;
}

static bool start(struct hop *self)
{
    const struct plan_hop *plan = plan_of(self);
    enum read_emit emit = emit_of(self);

    set_inputs(self, emit == READ_MERGED || emit == READ_COUNT);
    self->spec = (struct read_request){
        .source = READ_IDS,
        .emit = emit,
        .project = plan->to_edges ? plan->project : READ_NOTHING,
        .input_count = self->ids.count,
        .inputs = self->inputs,
        .hop = {.direction = plan->direction,
                .to_edges = plan->to_edges,
                .label_count = plan->label_count,
                .labels = plan->labels,
                .edge_filter_count = plan->edge_filter_count,
                .edge_filters = self->edge_filters,
                .far_filter_count = plan->far_filter_count,
                .far_filters = self->far_filters},
        .key_count = plan->to_edges ? plan->key_count : 0,
        .keys = plan->keys,
        .limit = limit_of(self),
        .limit_each = plan->limit_each,
    };
    self->fetch = fetch_stream(self->exec, &self->op, &self->spec);
    self->is_fetch_done = false;
    self->rows.count = 0;
    return self->fetch != NULL;
}

static void end_frontier(struct hop *self)
{
    fetch_close(&self->fetch, self->exec);
    fetch_close(&self->far_fetch, self->exec);
    batch_clear(&self->gathered);
    idset_clear(&self->ids);
    idset_clear(&self->far_ids);
    self->rows.count = 0;
    self->is_alike = true;
    self->is_fetch_done = false;
}

/* ---- far vertices ---- */

static bool start_far(struct hop *self)
{
    const struct plan_hop *plan = plan_of(self);

    idset_clear(&self->far_ids);
    for (uint32_t i = 0; i < self->rows.count; i++) {
        struct vid id;
        if (elem_vid(self->exec, &self->rows.rows[i].element, &id)) {
            idset_add(&self->far_ids, &id);
        }
    }
    self->far_inputs =
        mem_resize(self->far_inputs, (self->far_ids.count + 1) * sizeof *self->far_inputs);
    for (uint32_t i = 0; i < self->far_ids.count; i++) {
        self->far_inputs[i] = (struct read_input){.id = self->far_ids.ids[i], .bulk = 1};
    }
    self->far_spec = (struct read_request){
        .source = READ_IDS,
        .emit = READ_ROWS,
        .project = plan->project,
        .input_count = self->far_ids.count,
        .inputs = self->far_inputs,
        .filter_count = plan->vertex_filter_count,
        .filters = plan->vertex_filters,
        .key_count = plan->key_count,
        .keys = plan->keys,
    };
    self->far_rows.count = 0;
    self->far_fetch = fetch_stream(self->exec, &self->op, &self->far_spec);
    return self->far_fetch != NULL;
}

/* Puts what was read in the place of the far ends; rows whose far end is not among them go. */
static void join_far(struct hop *self)
{
    uint32_t kept = 0;

    rowset_sort(&self->far_rows, self->far_ids.count);
    for (uint32_t i = 0; i < self->rows.count; i++) {
        struct read_row *row = &self->rows.rows[i];
        struct vid id;
        if (!elem_vid(self->exec, &row->element, &id)) {
            continue;
        }
        uint32_t place = idset_find(&self->far_ids, &id);
        assert(place != MAP_NONE);
        uint32_t at = self->far_rows.starts[place];
        if (at == self->far_rows.starts[place + 1]) {
            continue;
        }
        row->element = self->far_rows.rows[at].element;
        self->rows.rows[kept++] = *row;
    }
    self->rows.count = kept;
}

static enum pull read_far(struct hop *self)
{
    if (self->rows.count == 0) {
        return PULL_BATCH;
    }
    if (self->far_fetch == NULL && !start_far(self)) {
        return PULL_ERROR;
    }
    enum pull rc = rowset_take(&self->far_rows, self->far_fetch, self->exec, UINT32_MAX);
    if (rc != PULL_DONE) {
        return rc;
    }
    fetch_close(&self->far_fetch, self->exec);
    join_far(self);
    return PULL_BATCH;
}

/* ---- results ---- */

static void give_row(struct hop *self, const struct traverser *from, const struct read_row *row,
                     uint64_t bulk, struct batch *out)
{
    struct traverser next = op_split(&self->op, self->exec, from, row->element);

    next.bulk = bulk;
    batch_push(out, &next);
}

/* False when all rows at hand are given. */
static bool give(struct hop *self, struct batch *out)
{
    bool is_merged = self->spec.emit == READ_MERGED;
    uint32_t froms = is_merged ? 1 : self->gathered.count;

    while (self->from_at < froms && out->count < OP_BATCH) {
        const struct traverser *from = &self->gathered.items[self->from_at];
        uint32_t first = is_merged ? 0 : self->rows.starts[from->mark];
        uint32_t end = is_merged ? self->rows.count : self->rows.starts[from->mark + 1];
        while (first + self->row_at < end && out->count < OP_BATCH) {
            const struct read_row *row = &self->rows.rows[first + self->row_at++];
            give_row(self, from, row, is_merged ? row->bulk : bulk_mul(from->bulk, row->bulk), out);
        }
        if (first + self->row_at >= end) {
            self->row_at = 0;
            self->from_at++;
        }
    }
    self->given += out->count;
    return self->from_at < froms;
}

static void add_totals(struct hop *self)
{
    if (self->totals == NULL) {
        self->totals = mem_array(self->op.tags, sizeof *self->totals);
    }
    if (self->spec.emit == READ_COUNT) {
        for (uint32_t i = 0; i < self->rows.count; i++) {
            self->totals[0] = bulk_add(self->totals[0], self->rows.rows[i].bulk);
        }
        return;
    }
    rowset_sort(&self->rows, self->ids.count);
    for (uint32_t i = 0; i < self->gathered.count; i++) {
        const struct traverser *from = &self->gathered.items[i];
        for (uint32_t k = self->rows.starts[from->mark]; k < self->rows.starts[from->mark + 1];
             k++) {
            self->totals[from->tag] =
                bulk_add(self->totals[from->tag], bulk_mul(from->bulk, self->rows.rows[k].bulk));
        }
    }
}

static enum pull give_totals(struct hop *self, struct batch *out)
{
    for (; self->tag_at < self->op.tags && out->count < OP_BATCH; self->tag_at++) {
        if (op_is_asked(&self->op, self->tag_at)) {
            uint64_t total = self->totals == NULL ? 0 : self->totals[self->tag_at];
            struct traverser result =
                op_start(&self->op, self->exec, self->tag_at, value_long((int64_t)total));
            batch_push(out, &result);
        }
    }
    return out->count > 0 ? PULL_BATCH : PULL_DONE;
}

/* ---- states: each gives BATCH to go on with the next one ---- */

static enum pull on_gather(struct hop *self)
{
    enum pull rc = gather(self);

    if (rc == PULL_DONE && is_counting(self)) {
        self->state = TOTAL;
        return PULL_BATCH;
    }
    if (rc != PULL_BATCH) {
        return rc;
    }
    self->state = ROWS;
    if (!start(self)) {
        return PULL_ERROR;
    }
    self->rows_mark = op_mark(self->exec);
    return PULL_BATCH;
}

/* As many as are wanted, or as have room in a part of the query's memory. */
static enum pull take_rows(struct hop *self, uint32_t max)
{
    const struct exec *exec = self->exec;
    size_t bytes_max = self->rows_mark.used_bytes + op_stream_max(exec);
    enum pull rc;

    do {
        uint32_t left = max - self->rows.count;
        uint32_t some = self->rows.count + (left < OP_BATCH ? left : OP_BATCH);
        rc = rowset_take(&self->rows, self->fetch, self->exec, some);
    } while (rc == PULL_BATCH && self->rows.count < max && exec->stream.used_bytes < bytes_max);
    return rc;
}

static enum pull on_rows(struct hop *self)
{
    uint32_t max = is_counting(self) ? UINT32_MAX : ROWS_MAX;

    if (self->rows.count == 0) {
        op_release(&self->op, self->exec, &self->rows_mark);
    }
    if (self->is_fetch_done) {
        end_frontier(self);
        self->state = GATHER;
        return PULL_BATCH;
    }
    /* With a row bound what has come is given at once: more may not be wanted. */
    max = self->op.plan->row_bound != 0 && !fetch_is_complete(self->fetch) ? 1 : max;
    enum pull rc = take_rows(self, max);
    if (rc == PULL_DONE) {
        self->is_fetch_done = true;
    } else if (rc != PULL_BATCH) {
        return rc;
    }
    if (is_counting(self)) {
        add_totals(self);
        self->rows.count = 0;
        return PULL_BATCH;
    }
    self->state = has_second(self) ? FAR : GIVE;
    self->give_mark = op_mark(self->exec);
    self->from_at = 0;
    self->row_at = 0;
    if (self->state == GIVE && self->spec.emit != READ_MERGED) {
        rowset_sort(&self->rows, self->ids.count);
    }
    return PULL_BATCH;
}

static enum pull on_far(struct hop *self)
{
    enum pull rc = read_far(self);

    if (rc == PULL_BATCH) {
        self->state = GIVE;
        self->give_mark = op_mark(self->exec);
        if (self->spec.emit != READ_MERGED) {
            rowset_sort(&self->rows, self->ids.count);
        }
    }
    return rc;
}

static enum pull pull(struct op *op, struct exec *exec, struct batch *out)
{
    struct hop *self = (struct hop *)op;
    enum pull rc = PULL_BATCH;

    while (rc == PULL_BATCH) {
        switch (self->state) {
        case GATHER:
            rc = on_gather(self);
            break;
        case ROWS:
            rc = on_rows(self);
            break;
        case FAR:
            rc = on_far(self);
            break;
        case GIVE:
            op_release(op, exec, &self->give_mark);
            if (!give(self, out)) {
                self->rows.count = 0;
                self->state = ROWS;
            }
            if (out->count > 0) {
                return PULL_BATCH;
            }
            break;
        case TOTAL:
            return give_totals(self, out);
        }
    }
    return rc;
}

static void reset(struct op *op, struct exec *exec)
{
    struct hop *self = (struct hop *)op;

    (void)exec;
    end_frontier(self);
    batch_clear(&self->in);
    self->state = GATHER;
    self->is_input_done = false;
    self->given = 0;
    self->tag_at = 0;
    mem_free(self->totals);
    self->totals = NULL;
}

static void close(struct op *op)
{
    struct hop *self = (struct hop *)op;

    if (self->exec == NULL) {
        return;
    }
    end_frontier(self);
    batch_close(&self->in);
    batch_close(&self->gathered);
    idset_close(&self->ids);
    idset_close(&self->far_ids);
    rowset_close(&self->rows);
    rowset_close(&self->far_rows);
    mem_free(self->inputs);
    mem_free(self->far_inputs);
    mem_free(self->totals);
}

extern const struct op_class hop_class;

const struct op_class hop_class = {
    .name = "hop",
    .holds = HOLDS_NOTHING,
    .size = sizeof(struct hop),
    .open = open,
    .pull = pull,
    .reset = reset,
    .close = close,
};
