#include "router/op/op.h"

#include "router/op/child.h"
#include "router/op/exec.h"
#include "router/plan/params.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum {
    STREAM_MAX = 16 << 20, /* Gathered bytes; and this share of the query's memory, at most. */
    STREAM_SHARE = 16
};

#define OP(kind, class, name) extern const struct op_class class##_class;
#include "router/op/ops.def"
#undef OP

static const struct op_class *const classes[] = {
    NULL,
#define OP(kind, class, name) &class##_class,
#include "router/op/ops.def"
#undef OP
};

_Static_assert(sizeof classes / sizeof classes[0] == PLAN_KIND_COUNT, "one class a kind");

/* ---- pipelines ---- */

static bool may_hold(const struct plan_traversal *traversal, int depth)
{
    assert(depth < 2 * VALUE_DEPTH_MAX);
    for (uint32_t i = 0; i < traversal->step_count; i++) {
        const struct plan_step *step = &traversal->steps[i];
        if (classes[step->kind]->holds == HOLDS_ALL) {
            return true;
        }
        for (uint32_t k = 0; k < step->child_count; k++) {
            if (step->children[k] != NULL && may_hold(step->children[k], depth + 1)) {
                return true;
            }
        }
    }
    return false;
}

static enum op_holds holds_of(const struct plan_step *step)
{
    for (uint32_t k = 0; k < step->child_count; k++) {
        if (step->children[k] != NULL && may_hold(step->children[k], 0)) {
            return HOLDS_ALL;
        }
    }
    switch ((int)step->kind) {
    case PLAN_COUNT:
    case PLAN_REDUCE:
    case PLAN_RANGE:
    case PLAN_TAIL:
    case PLAN_ORDER:
    case PLAN_DEDUP:
        return child_sees_all(step) ? classes[step->kind]->holds : HOLDS_NOTHING;
    case PLAN_HOP:
        return ((const struct plan_hop *)step->params)->emit >= READ_COUNT ? HOLDS_SUMS
                                                                            : HOLDS_NOTHING;
    case PLAN_VERTICES:
    case PLAN_EDGES:
        return ((const struct plan_elements *)step->params)->emit >= READ_COUNT ? HOLDS_SUMS
                                                                                 : HOLDS_NOTHING;
    default:
        return classes[step->kind]->holds;
    }
}

int op_build(struct exec *exec, const struct plan_traversal *traversal, struct op *input,
             struct pipeline *out)
{
    *out = (struct pipeline){.first = input, .last = input, .count = input == NULL ? 0 : 1};
    for (uint32_t i = 0; i < traversal->step_count; i++) {
        const struct plan_step *step = &traversal->steps[i];
        assert(step->kind > PLAN_NO_KIND && step->kind < PLAN_KIND_COUNT);
        const struct op_class *class = classes[step->kind];
        struct op *op = arena_array(&exec->arena, 1, class->size);
        op->class = class;
        op->plan = step;
        op->input = out->last;
        op->tags = 1;
        op->depth = exec->depth;
        op->holds = exec->depth == 0 ? holds_of(step) : HOLDS_ALL;
        op->older = exec->ops;
        exec->ops = op;
        out->last = op;
        out->count++;
        if (out->first == NULL) {
            out->first = op;
        }
        int rc = class->open == NULL ? E_OK : class->open(op, exec);
        if (rc != E_OK) {
            assert(exec->error.code != E_OK);
            op_close_all(out);
            return rc;
        }
    }
    return E_OK;
}

void op_reset_all(struct pipeline *pipeline, struct exec *exec)
{
    for (struct op *op = pipeline->last; op != NULL; op = op->input) {
        op->is_done = false;
        op->stats.wait_since_us = 0;
        if (op->class->reset != NULL) {
            op->class->reset(op, exec);
        }
    }
}

void op_round_all(struct pipeline *pipeline, struct exec *exec)
{
    for (struct op *op = pipeline->last; op != NULL; op = op->input) {
        op->is_done = false;
        op->stats.wait_since_us = 0;
        if (op->class->round != NULL) {
            op->class->round(op, exec);
        } else if (op->class->reset != NULL) {
            op->class->reset(op, exec);
        }
    }
}

void op_set_tags(struct pipeline *pipeline, uint32_t tags, const uint8_t *asked)
{
    for (struct op *op = pipeline->last; op != NULL; op = op->input) {
        op->tags = tags;
        op->asked = asked;
    }
}

void op_close_all(struct pipeline *pipeline)
{
    for (struct op *op = pipeline->last; op != NULL; op = op->input) {
        if (op->class->close != NULL) {
            op->class->close(op);
        }
    }
    *pipeline = (struct pipeline){0};
}

/* ---- pulling ---- */

enum pull op_fail(struct exec *exec, int code, const char *format, ...)
{
    va_list args;
    char text[ERROR_TEXT_MAX];

    assert(code != E_OK);
    if (exec->error.code == E_OK) {
        va_start(args, format);
        vsnprintf(text, sizeof text, format, args);
        va_end(args);
        (void)error_set(&exec->error, code, "%s", text);
    }
    return PULL_ERROR;
}

static bool may_go_on(struct exec *exec)
{
    if (exec->error.code != E_OK) {
        return false;
    }
    if (exec->is_cancelled) {
        op_fail(exec, E_CANCELLED, "the query was cancelled");
    } else if (exec->deadline_ms != 0 && exec->now_ms >= exec->deadline_ms) {
        op_fail(exec, E_TIMEOUT, "the query did not end before its deadline");
    } else if (exec->arena.limit_bytes != 0 && exec_memory(exec) > exec->arena.limit_bytes) {
        op_fail(exec, E_LIMIT, "the query needs more memory than query_memory_max, %zu bytes",
                exec->arena.limit_bytes);
    }
    return exec->error.code == E_OK;
}

static bool is_labelling(const struct exec *exec)
{
    return (exec->plan->needs & (PLAN_NEEDS_PATH | PLAN_NEEDS_LABELS)) != 0;
}

/* repeat(fold()) wraps as often as it likes, repeat(path()) doubles each time: comparing, printing
 * and sending walk down all of it. Counted where a value comes to be, one level each time. */
static bool is_too_large(struct exec *exec, const struct op *op, struct value *value)
{
    if (value->kind < VALUE_LIST) {
        return false;
    }
    if (value->extent == 0) {
        value->extent = value_extent(value);
    }
    if (value_extent_depth(value->extent) > VALUE_DEPTH_MAX) {
        op_fail(exec, E_LIMIT, "%s() makes values that nest deeper than %d", op->class->name,
                VALUE_DEPTH_MAX);
        return true;
    }
    if (value_extent_items(value->extent) > (double)VALUE_ITEMS_MAX) {
        op_fail(exec, E_LIMIT, "%s() makes a value of more than %d items", op->class->name,
                VALUE_ITEMS_MAX);
        return true;
    }
    return false;
}

void op_charge(struct exec *exec, uint64_t rows)
{
    exec->budget -= rows < exec->budget ? (uint32_t)rows : exec->budget;
}

static bool is_turn_over(const struct exec *exec)
{
    return exec->budget == 0 ||
           (exec->has_moved && exec->turn_end_us != 0 && exec->micros() >= exec->turn_end_us);
}

static bool on_batch(struct op *op, struct exec *exec, struct batch *out)
{
    const struct plan_step *plan = op->plan;

    bool is_refused = false;

    assert(out->count > 0);
    for (uint32_t i = 0; i < out->count; i++) {
        assert(out->items[i].bulk > 0);
        assert(out->items[i].tag < op->tags);
        op->stats.bulk_out += out->items[i].bulk;
        is_refused = is_refused || is_too_large(exec, op, &out->items[i].value);
        if (plan->label_count > 0 && is_labelling(exec)) {
            op_label(exec, &out->items[i], plan->labels, plan->label_count);
        }
    }
    op->stats.rows_out += out->count;
    op_charge(exec, out->count);
    exec->has_moved = true;
    return !is_refused;
}

static uint64_t micros(const struct exec *exec)
{
    bool is_timed = exec->is_timed || exec->plan->is_profile;

    return exec->micros != NULL && is_timed ? exec->micros() : 0;
}

static void note_time(struct op *op, const struct exec *exec, uint64_t start_us, enum pull rc)
{
    uint64_t now_us = micros(exec);

    if (now_us == 0) {
        return;
    }
    op->stats.busy_us += now_us - start_us;
    if (rc == PULL_WAIT && op->stats.wait_since_us == 0) {
        op->stats.wait_since_us = now_us;
    } else if (rc != PULL_WAIT && op->stats.wait_since_us != 0) {
        op->stats.wait_us += start_us - op->stats.wait_since_us;
        op->stats.wait_since_us = 0;
    }
}

enum pull op_pull(struct op *op, struct exec *exec, struct batch *out)
{
    batch_clear(out);
    if (!may_go_on(exec)) {
        return PULL_ERROR;
    }
    if (op->is_done) {
        return PULL_DONE;
    }
    if (is_turn_over(exec)) {
        exec->is_yielding = true;
        return PULL_WAIT;
    }
    op_charge(exec, 1);
    op->stats.pulls++;
    uint64_t start_us = micros(exec);
    bool was_free = exec->is_free;
    exec->is_free = op->holds == HOLDS_SUMS || (op->holds == HOLDS_NOTHING && was_free);
    enum pull rc = op->class->pull(op, exec, out);
    exec->is_free = was_free;
    note_time(op, exec, start_us, rc);
    switch (rc) {
    case PULL_BATCH:
        if (!on_batch(op, exec, out)) {
            batch_clear(out);
            return PULL_ERROR;
        }
        break;
    case PULL_DONE:
        assert(out->count == 0);
        op->is_done = true;
        break;
    case PULL_WAIT:
        assert(out->count == 0);
        break;
    case PULL_ERROR:
        assert(exec->error.code != E_OK);
        break;
    }
    return rc;
}

/* ---- holding ---- */

enum pull op_pull_more(struct op *op, struct exec *exec, struct batch *out, bool has_some)
{
    bool was_free = exec->is_free;

    exec->is_free = was_free && !has_some;
    enum pull rc = op_pull(op->input, exec, out);
    exec->is_free = was_free;
    return rc;
}

struct arena_mark op_mark(const struct exec *exec)
{
    return arena_mark(&exec->stream);
}

void op_release(const struct op *op, struct exec *exec, const struct arena_mark *mark)
{
    if (op->depth == 0 && exec->is_free && op->holds >= HOLDS_NOTHING) {
        arena_release(&exec->stream, mark);
    }
}

void op_forget(const struct op *op, struct exec *exec, const struct arena_mark *mark)
{
    if (op->depth == 0 && op->holds != HOLDS_ALL) {
        arena_release(&exec->stream, mark);
    }
}

size_t op_stream_max(const struct exec *exec)
{
    size_t limit = exec->arena.limit_bytes;

    return limit == 0 || limit / STREAM_SHARE > STREAM_MAX ? STREAM_MAX : limit / STREAM_SHARE;
}

bool op_has_gathered(const struct exec *exec, size_t since)
{
    size_t used = exec->stream.used_bytes;

    return used > since && used - since > op_stream_max(exec);
}

/* ---- gathering ---- */

static void take(struct op_gather *gather, struct batch *in)
{
    if (in->count == 0) {
        struct batch swap = *in;
        *in = gather->pulled;
        gather->pulled = swap;
        return;
    }
    for (uint32_t i = 0; i < gather->pulled.count; i++) {
        batch_push(in, &gather->pulled.items[i]);
    }
}

enum pull op_gather(struct op *op, struct exec *exec, struct op_gather *gather, struct batch *in)
{
    if (!gather->is_open) {
        batch_clear(in);
        gather->is_open = true;
        gather->goal = gather->goal == 0 ? OP_BATCH : gather->goal;
    }
    uint32_t goal = op->plan->row_bound != 0 ? 1 : gather->goal;
    while (in->count < goal && (in->count == 0 || !op_has_gathered(exec, gather->since))) {
        bool has_some = in->count > 0;
        enum pull rc = op_pull_more(op, exec, &gather->pulled, has_some);
        gather->since = has_some ? gather->since : exec->stream.used_bytes;
        if (rc == PULL_DONE) {
            break;
        }
        if (rc != PULL_BATCH) {
            return rc;
        }
        take(gather, in);
    }
    gather->is_open = false;
    gather->goal = gather->goal < OP_WIDE ? 2 * gather->goal : OP_WIDE;
    return in->count > 0 ? PULL_BATCH : PULL_DONE;
}

void op_gather_reset(struct op_gather *gather)
{
    gather->is_open = false;
    gather->goal = 0;
}

void op_gather_close(struct op_gather *gather)
{
    batch_close(&gather->pulled);
}

/* ---- traversers ---- */

static const struct path_node *place(struct exec *exec, const struct path_node *previous,
                                     struct value value)
{
    struct path_node *node = ARENA_NEW(&exec->stream, struct path_node);

    node->previous = previous;
    node->value = value;
    node->depth = previous == NULL ? 1 : previous->depth + 1;
    return node;
}

struct traverser op_split(struct op *op, struct exec *exec, const struct traverser *from,
                          struct value value)
{
    struct traverser to = *from;

    assert(op->plan != NULL);
    to.value = value;
    to.mark = 0;
    to.is_placed = false;
    if ((exec->plan->needs & PLAN_NEEDS_PATH) != 0) {
        to.path = place(exec, from->path, value);
        to.is_placed = true;
    }
    return to;
}

struct traverser op_start(struct op *op, struct exec *exec, uint32_t tag, struct value value)
{
    struct traverser empty = {.bulk = 1, .tag = tag};

    assert(tag < op->tags);
    if (exec->plan->has_sack) {
        empty.sack = &exec->plan->sack;
    }
    return op_split(op, exec, &empty, value);
}

static bool has_label(const struct path_node *node, struct slice label)
{
    for (uint32_t i = 0; i < node->label_count; i++) {
        if (slice_equal(node->labels[i], label)) {
            return true;
        }
    }
    return false;
}

void op_label(struct exec *exec, struct traverser *traverser, const struct slice *labels,
              uint32_t label_count)
{
    const struct path_node *head = traverser->is_placed ? traverser->path : NULL;
    const struct path_node *previous = head == NULL ? traverser->path : head->previous;
    uint32_t missing = 0;

    assert(label_count > 0);
    for (uint32_t i = 0; i < label_count; i++) {
        missing += head == NULL || !has_label(head, labels[i]);
    }
    if (missing == 0) {
        return;
    }
    struct path_node *node = ARENA_NEW(&exec->stream, struct path_node);
    *node = (struct path_node){.previous = previous, .value = traverser->value};
    node->depth = previous == NULL ? 1 : previous->depth + 1;
    if (head == NULL || head->label_count == 0) {
        node->labels = labels;
        node->label_count = label_count;
    } else {
        struct slice *all =
            arena_array(&exec->stream, head->label_count + missing, sizeof(struct slice));
        memcpy(all, head->labels, head->label_count * sizeof *all);
        node->label_count = head->label_count;
        for (uint32_t i = 0; i < label_count; i++) {
            if (!has_label(head, labels[i])) {
                all[node->label_count++] = labels[i];
            }
        }
        node->labels = all;
    }
    traverser->path = node;
    traverser->is_placed = true;
}
