#include "common/mem.h"
#include "router/op/child.h"
#include "router/op/exec.h"
#include "router/op/idset.h"
#include "router/plan/params.h"
#include "router/remote/fetch.h"
#include "router/remote/transaction.h"

#include <assert.h>
#include <string.h>

enum {
    CHUNK = 65536,      /* Ids of one fetch. */
    ROWS = 256,         /* Rows taken from a fetch at a time. */
    LOADED_MAX = 65536, /* Vertices that a query remembers. */
    GATHER = 8192       /* Traversers of one fetch of the operator, as long as more are at hand. */
};

/* Vertices, or edges, that are to be read. */
struct half {
    struct idset ids;
    struct value *found; /* In the exec's arena; one an id, NULL: gone. */
    uint32_t asked;      /* Ids whose fetch has begun or ended. */
};

struct load_state {
    struct exec *exec;
    bool is_running;
    struct half halves[2]; /* Vertices, edges. */
    struct fetch *fetch;
    struct read_request spec;
    struct read_input *inputs; /* On the heap. */
    uint32_t base;             /* Place of the fetch's first input. */
    int at;                    /* Which half. */
    uint32_t hits;             /* Values that were remembered. */
};

/* Values that lie in an array of something larger. */
struct span {
    struct value *first;
    size_t stride;
    uint32_t count;
};

enum { VERTICES, EDGES };

/* ---- what is missing ---- */

static bool is_enough(enum load_want want, const void *props, bool has_props)
{
    return has_props || (want == LOAD_SOME && props != NULL);
}

static bool is_missing(const struct load_run *load, const struct value *value)
{
    uint32_t changes = transaction_change_count(load->state->exec->txn);

    if (value->kind == VALUE_VERTEX) {
        const struct vertex *vertex = value->vertex;
        if (load->want == LOAD_LABEL) {
            return vertex->label.data == NULL;
        }
        return !is_enough(load->want, vertex->props, vertex->has_props) || vertex->seen < changes;
    }
    if (value->kind == VALUE_EDGE && load->want != LOAD_LABEL) {
        const struct edge *edge = value->edge;
        return !is_enough(load->want, edge->props, edge->has_props) || edge->seen < changes;
    }
    return false;
}

static bool has_items(const struct value *value)
{
    return value->kind == VALUE_LIST || value->kind == VALUE_SET || value->kind == VALUE_MAP ||
           value->kind == VALUE_BULKSET || value->kind == VALUE_ENTRY ||
           value->kind == VALUE_TREE || value->kind == VALUE_GRAPH;
}

static uint32_t item_count(const struct value *value)
{
    bool is_pairs = value->kind == VALUE_MAP || value->kind == VALUE_BULKSET ||
                    value->kind == VALUE_TREE || value->kind == VALUE_ENTRY;

    if (value->kind == VALUE_ENTRY || value->kind == VALUE_GRAPH) {
        return 2;
    }
    return is_pairs ? 2 * value->size : value->size;
}

static bool is_graph_element(const struct value *value)
{
    return value->kind == VALUE_VERTEX || value->kind == VALUE_EDGE;
}

static struct value *value_at(const struct span *span, uint32_t i)
{
    return (struct value *)(void *)((char *)span->first + i * span->stride);
}

static bool id_of(const struct value *value, struct arena *arena, struct vid *id)
{
    return vid_from_value(arena,
                          value->kind == VALUE_VERTEX ? &value->vertex->id : &value->edge->id, id);
}

/* A vertex that was loaded before, whole and not older than the last change; else null. */
static const struct value *remembered(struct exec *exec, const struct value *value,
                                      const struct vid *id)
{
    uint32_t place = value->kind == VALUE_VERTEX ? idset_find(&exec->loaded, id) : MAP_NONE;

    if (place == MAP_NONE ||
        exec->loaded_values[place].vertex->seen < transaction_change_count(exec->txn)) {
        return NULL;
    }
    return &exec->loaded_values[place];
}

static void remember(struct exec *exec, const struct vid *id, const struct value *value)
{
    if (exec->loaded.count == LOADED_MAX && idset_find(&exec->loaded, id) == MAP_NONE) {
        return;
    }
    struct vid copy = vid_copy(&exec->arena, id);
    uint32_t place = idset_add(&exec->loaded, &copy);
    if (place >= exec->loaded_room) {
        exec->loaded_room = exec->loaded.room;
        exec->loaded_values =
            mem_resize(exec->loaded_values, exec->loaded_room * sizeof *exec->loaded_values);
    }
    exec->loaded_values[place] = *value;
}

static void collect(struct load_run *load, const struct value *value, bool deep, int depth)
{
    struct load_state *state = load->state;
    struct vid id;

    if (is_graph_element(value)) {
        if (!is_missing(load, value) || !id_of(value, &state->exec->arena, &id)) {
            return;
        }
        if (remembered(state->exec, value, &id) != NULL) {
            state->hits++;
        } else {
            idset_add(&state->halves[value->kind == VALUE_VERTEX ? VERTICES : EDGES].ids, &id);
        }
        return;
    }
    if (!deep || depth == VALUE_DEPTH_MAX) {
        return;
    }
    if (has_items(value)) {
        for (uint32_t i = 0; i < item_count(value); i++) {
            collect(load, &value->items[i], deep, depth + 1);
        }
    } else if (value->kind == VALUE_PATH) {
        for (uint32_t i = 0; i < value->path->size; i++) {
            collect(load, &value->path->objects[i], deep, depth + 1);
        }
    }
}

/* ---- reading ---- */

static bool start_chunk(struct load_run *load, struct half *half)
{
    struct load_state *state = load->state;
    uint32_t count = half->ids.count - half->asked;

    count = count < CHUNK ? count : CHUNK;
    state->inputs = mem_resize(state->inputs, count * sizeof *state->inputs);
    for (uint32_t i = 0; i < count; i++) {
        state->inputs[i] = (struct read_input){.id = half->ids.ids[half->asked + i], .bulk = 1};
    }
    state->spec = (struct read_request){
        .source = state->at == VERTICES ? READ_IDS : READ_EDGE_IDS,
        .emit = READ_ROWS,
        .project = load->want == LOAD_LABEL ? READ_NOTHING : READ_ALL,
        .input_count = count,
        .inputs = state->inputs,
    };
    state->base = half->asked;
    half->asked += count;
    state->fetch = fetch_start(state->exec, load->op, &state->spec);
    return state->fetch != NULL;
}

static enum pull take_rows(struct load_state *state, struct half *half)
{
    struct read_row rows[ROWS];
    uint32_t count;
    enum pull rc;

    do {
        count = 0;
        rc = fetch_next(state->fetch, state->exec, rows, ROWS, &count);
        for (uint32_t i = 0; rc == PULL_BATCH && i < count; i++) {
            assert(state->base + rows[i].ordinal < half->ids.count);
            uint32_t place = state->base + rows[i].ordinal;
            half->found[place] = rows[i].element;
            if (state->at == VERTICES && state->spec.project == READ_ALL) {
                remember(state->exec, &half->ids.ids[place], &rows[i].element);
            }
        }
    } while (rc == PULL_BATCH);
    if (rc == PULL_DONE) {
        fetch_close(&state->fetch, state->exec);
    }
    return rc;
}

static enum pull read_all(struct load_run *load)
{
    struct load_state *state = load->state;

    for (; state->at <= EDGES; state->at++) {
        struct half *half = &state->halves[state->at];
        while (state->fetch != NULL || half->asked < half->ids.count) {
            if (state->fetch == NULL && !start_chunk(load, half)) {
                return PULL_ERROR;
            }
            enum pull rc = take_rows(state, half);
            if (rc != PULL_DONE) {
                return rc;
            }
        }
    }
    return PULL_BATCH;
}

/* ---- putting in place ---- */

static struct value replace(struct load_run *load, const struct value *value, bool deep, int depth);

/* Gives null if nothing changes. */
static struct value *replace_items(struct load_run *load, const struct value *items, uint32_t count,
                                   int depth)
{
    struct value *copy = NULL;

    for (uint32_t i = 0; i < count; i++) {
        struct value item = replace(load, &items[i], true, depth + 1);
        if (copy == NULL && memcmp(&item, &items[i], sizeof item) != 0) {
            copy = arena_copy(&load->state->exec->stream, items, count * sizeof *items);
        }
        if (copy != NULL) {
            copy[i] = item;
        }
    }
    return copy;
}

static struct value replace_element(struct load_run *load, const struct value *value)
{
    struct load_state *state = load->state;
    const struct half *half = &state->halves[value->kind == VALUE_VERTEX ? VERTICES : EDGES];
    struct vid id;

    if (!is_missing(load, value) || !id_of(value, &state->exec->arena, &id)) {
        return *value;
    }
    uint32_t place = half->ids.count == 0 ? MAP_NONE : idset_find(&half->ids, &id);
    if (place != MAP_NONE) {
        return half->found[place].kind == VALUE_NULL ? *value : half->found[place];
    }
    const struct value *loaded = remembered(state->exec, value, &id);
    return loaded == NULL ? *value : *loaded;
}

static struct value replace(struct load_run *load, const struct value *value, bool deep, int depth)
{
    struct value result = *value;
    struct arena *arena = &load->state->exec->stream;

    if (is_graph_element(value)) {
        return replace_element(load, value);
    }
    if (!deep || depth == VALUE_DEPTH_MAX) {
        return result;
    }
    if (has_items(value) && item_count(value) > 0) {
        struct value *items = replace_items(load, value->items, item_count(value), depth);
        result.items = items == NULL ? value->items : items;
    } else if (value->kind == VALUE_PATH) {
        struct value *objects = replace_items(load, value->path->objects, value->path->size, depth);
        if (objects != NULL) {
            struct path *path = arena_copy(arena, value->path, sizeof *path);
            path->objects = objects;
            result.path = path;
        }
    }
    return result;
}

/* ---- the run ---- */

static struct load_state *state_of(struct load_run *load, struct exec *exec)
{
    if (load->state == NULL) {
        load->state = ARENA_NEW(&exec->arena, struct load_state);
        load->state->exec = exec;
    }
    return load->state;
}

static void begin(struct load_run *load, const struct span *span, bool deep)
{
    struct load_state *state = load->state;

    state->hits = 0;
    for (uint32_t i = 0; i < span->count; i++) {
        collect(load, value_at(span, i), deep, 0);
    }
    for (int i = VERTICES; i <= EDGES; i++) {
        struct half *half = &state->halves[i];
        half->asked = 0;
        half->found = half->ids.count == 0
                          ? NULL
                          : arena_array(&state->exec->stream, half->ids.count, sizeof *half->found);
    }
    state->at = VERTICES;
    state->is_running = true;
}

static enum pull load_span(struct load_run *load, struct exec *exec, const struct span *span,
                           bool deep)
{
    struct load_state *state = state_of(load, exec);

    if (deep && load->want == LOAD_SOME) {
        load->want = LOAD_WHOLE;
    }
    if (!state->is_running) {
        begin(load, span, deep);
    }
    enum pull rc = read_all(load);
    if (rc != PULL_BATCH) {
        return rc;
    }
    if (state->hits + state->halves[VERTICES].ids.count + state->halves[EDGES].ids.count > 0) {
        for (uint32_t i = 0; i < span->count; i++) {
            struct value *value = value_at(span, i);
            *value = replace(load, value, deep, 0);
        }
    }
    idset_clear(&state->halves[VERTICES].ids);
    idset_clear(&state->halves[EDGES].ids);
    state->is_running = false;
    return PULL_BATCH;
}

enum pull load_values(struct load_run *load, struct exec *exec, struct value *values,
                      uint32_t count, bool deep)
{
    struct span span = {values, sizeof *values, count};

    return load_span(load, exec, &span, deep);
}

enum pull load_elements(struct load_run *load, struct exec *exec, struct traverser *items,
                        uint32_t count, bool deep)
{
    struct span span = {count == 0 ? NULL : &items->value, sizeof *items, count};

    return load_span(load, exec, &span, deep);
}

void load_reset(struct load_run *load)
{
    struct load_state *state = load->state;

    if (state != NULL) {
        fetch_close(&state->fetch, state->exec);
        idset_clear(&state->halves[VERTICES].ids);
        idset_clear(&state->halves[EDGES].ids);
        state->is_running = false;
    }
}

void load_close(struct load_run *load)
{
    struct load_state *state = load->state;

    if (state == NULL) {
        return;
    }
    fetch_close(&state->fetch, state->exec);
    mem_free(state->inputs);
    idset_close(&state->halves[VERTICES].ids);
    idset_close(&state->halves[EDGES].ids);
    load->state = NULL;
}

/* ---- the operator ---- */

struct load {
    struct op op;
    struct load_run run;
    struct batch in; /* Pulled; not in `held` yet. */
    struct batch held;
    uint32_t at;  /* Next of `held` to give. */
    size_t since; /* Bytes of the stream when nothing was held. */
    bool is_loading;
};

static int open(struct op *op, struct exec *exec)
{
    struct load *self = (struct load *)op;
    const struct plan_load *plan = op->plan->params;

    (void)exec;
    self->run.op = op;
    self->run.want = plan->project == READ_ALL ? LOAD_WHOLE : LOAD_SOME;
    if (plan->project == READ_NOTHING) {
        self->run.want = LOAD_LABEL;
    }
    return E_OK;
}

/* Takes what the input has at hand, but waits for it only if there is nothing yet. */
static enum pull gather(struct load *self, struct exec *exec)
{
    uint32_t max = self->op.plan->row_bound != 0 ? 1 : GATHER;

    self->at = 0;
    batch_clear(&self->held);
    do {
        bool has_some = self->held.count > 0;
        enum pull rc = op_pull_more(&self->op, exec, &self->in, has_some);
        self->since = has_some ? self->since : exec->stream.used_bytes;
        if (rc == PULL_ERROR || (rc != PULL_BATCH && self->held.count == 0)) {
            return rc;
        }
        if (rc != PULL_BATCH) {
            break;
        }
        for (uint32_t i = 0; i < self->in.count; i++) {
            batch_push(&self->held, &self->in.items[i]);
        }
    } while (self->held.count < max && !op_has_gathered(exec, self->since));
    return PULL_BATCH;
}

static enum pull pull(struct op *op, struct exec *exec, struct batch *out)
{
    struct load *self = (struct load *)op;
    const struct plan_load *plan = op->plan->params;
    enum pull rc = PULL_BATCH;

    if (self->at == self->held.count) {
        rc = gather(self, exec);
        self->is_loading = rc == PULL_BATCH;
    }
    if (self->is_loading) {
        rc = load_elements(&self->run, exec, self->held.items, self->held.count, plan->is_deep);
    }
    if (rc != PULL_BATCH) {
        return rc;
    }
    self->is_loading = false;
    while (self->at < self->held.count && out->count < OP_BATCH) {
        batch_push(out, &self->held.items[self->at++]);
    }
    return PULL_BATCH;
}

static void reset(struct op *op, struct exec *exec)
{
    struct load *self = (struct load *)op;

    (void)exec;
    load_reset(&self->run);
    batch_clear(&self->held);
    self->at = 0;
    self->is_loading = false;
}

static void close(struct op *op)
{
    struct load *self = (struct load *)op;

    load_close(&self->run);
    batch_close(&self->in);
    batch_close(&self->held);
}

extern const struct op_class load_class;

const struct op_class load_class = {
    .name = "load",
    .holds = HOLDS_NOTHING,
    .size = sizeof(struct load),
    .open = open,
    .pull = pull,
    .reset = reset,
    .close = close,
};
