#include "tests/lib/fakegraph.h"

#include "common/mem.h"
#include "router/gremlin/gremlin.h"
#include "router/remote/fetch.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { VERTEX_ROOM = 4096, EDGE_ROOM = 65536 };

struct fetch {
    struct fakegraph *graph;
    const struct read_request *spec;
    struct read_row *rows;
    uint32_t count, room, at;
    uint32_t waits;
    bool is_counted;
};

/* ---- the graph ---- */

void fakegraph_init(struct fakegraph *graph)
{
    *graph = (struct fakegraph){.next_id = 1000};
    arena_init(&graph->arena, 0);
    graph->graph.ids = IDS_INT;
    graph->vertices = arena_array(&graph->arena, VERTEX_ROOM, sizeof *graph->vertices);
    graph->edges = arena_array(&graph->arena, EDGE_ROOM, sizeof *graph->edges);
}

void fakegraph_close(struct fakegraph *graph)
{
    arena_close(&graph->arena);
    *graph = (struct fakegraph){0};
}

uint32_t fakegraph_live_vertices(const struct fakegraph *graph)
{
    uint32_t count = 0;

    for (uint32_t i = 0; i < graph->vertex_count; i++) {
        count += !graph->vertices[i].is_gone;
    }
    return count;
}

uint32_t fakegraph_live_edges(const struct fakegraph *graph)
{
    uint32_t count = 0;

    for (uint32_t i = 0; i < graph->edge_count; i++) {
        count += !graph->edges[i].is_gone;
    }
    return count;
}

static struct fake_vertex *find_vertex(struct fakegraph *graph, const struct vid *id)
{
    for (uint32_t i = 0; i < graph->vertex_count; i++) {
        if (!graph->vertices[i].is_gone && vid_equal(&graph->vertices[i].id, id)) {
            return &graph->vertices[i];
        }
    }
    return NULL;
}

static struct fake_edge *find_edge(struct fakegraph *graph, const struct vid *id)
{
    for (uint32_t i = 0; i < graph->edge_count; i++) {
        if (!graph->edges[i].is_gone && vid_equal(&graph->edges[i].id, id)) {
            return &graph->edges[i];
        }
    }
    return NULL;
}

static struct value id_value(const struct vid *id)
{
    return id->text.data != NULL ? value_string(id->text) : value_int((int32_t)id->num);
}

static void set_vprop(struct fakegraph *graph, struct fake_vertex *vertex,
                      const struct change *change)
{
    struct vproperty *props = arena_array(&graph->arena, vertex->prop_count + 1, sizeof *props);
    uint32_t count = 0;
    uint8_t cardinality = change->cardinality;

    for (uint32_t i = 0; i < vertex->prop_count; i++) {
        const struct vproperty *old = &vertex->props[i];
        bool is_key = slice_equal(old->key, change->key);
        bool is_replaced =
            cardinality == 0 || (cardinality == CARDINALITY_SET - CARDINALITY_SINGLE &&
                                 value_equal(&old->value, &change->value));
        if (!is_key || !is_replaced) {
            props[count++] = *old;
        }
    }
    props[count++] = (struct vproperty){
        .id = change->prop_id != 0 ? change_prop_value(change->prop_id)
                                   : value_long(graph->next_id++),
        .key = change->key,
        .value = change->value,
        .metas = change->props,
        .meta_count = change->prop_count,
        .cardinality = cardinality,
    };
    vertex->props = props;
    vertex->prop_count = count;
}

static void drop_vprop(struct fake_vertex *vertex, const struct change *change)
{
    uint32_t count = 0;

    for (uint32_t i = 0; i < vertex->prop_count; i++) {
        const struct vproperty *old = &vertex->props[i];
        bool is_gone = (change->key.size == 0 || slice_equal(old->key, change->key)) &&
                       (change->prop_id == 0 || change_prop_id(&old->id) == change->prop_id);
        if (!is_gone) {
            vertex->props[count++] = *old;
        }
    }
    vertex->prop_count = count;
}

static const struct property *with_property(struct fakegraph *graph, const struct property *props,
                                            uint32_t *count, struct slice key,
                                            const struct value *value)
{
    struct property *next = arena_array(&graph->arena, *count + 1, sizeof *next);
    uint32_t kept = 0;

    for (uint32_t i = 0; i < *count; i++) {
        if (!slice_equal(props[i].key, key)) {
            next[kept++] = props[i];
        }
    }
    if (value != NULL) {
        next[kept++] = (struct property){.key = key, .value = *value};
    }
    *count = kept;
    return next;
}

static void change_meta(struct fakegraph *graph, struct fake_vertex *vertex,
                        const struct change *change)
{
    for (uint32_t i = 0; i < vertex->prop_count; i++) {
        struct vproperty *prop = &vertex->props[i];
        if (slice_equal(prop->key, change->key) && change_prop_id(&prop->id) == change->prop_id) {
            prop->metas = with_property(graph, prop->metas, &prop->meta_count, change->meta_key,
                                        change->kind == CHANGE_META_SET ? &change->value : NULL);
        }
    }
}

static int apply_vertex(struct fakegraph *graph, const struct change *change, struct error *err)
{
    struct fake_vertex *vertex = find_vertex(graph, &change->vertex);

    if (change->kind == CHANGE_VERTEX_ADD) {
        if (vertex != NULL) {
            return error_set(err, E_EXISTS, "vertex exists");
        }
        assert(graph->vertex_count < VERTEX_ROOM);
        vertex = &graph->vertices[graph->vertex_count++];
        *vertex = (struct fake_vertex){.id = change->vertex, .label = change->label};
        for (uint32_t i = 0; i < change->vprop_count; i++) {
            const struct vproperty *prop = &change->vprops[i];
            struct change set = {.kind = CHANGE_VPROP_SET,
                                 .cardinality = prop->cardinality,
                                 .key = prop->key,
                                 .value = prop->value,
                                 .prop_id = change_prop_id(&prop->id),
                                 .props = prop->metas,
                                 .prop_count = prop->meta_count};
            set_vprop(graph, vertex, &set);
        }
        return E_OK;
    }
    if (vertex == NULL) {
        return error_set(err, E_NOT_FOUND, "no such vertex");
    }
    switch ((int)change->kind) {
    case CHANGE_VERTEX_DROP:
        vertex->is_gone = true;
        break;
    case CHANGE_VPROP_SET:
        set_vprop(graph, vertex, change);
        break;
    case CHANGE_VPROP_DROP:
        drop_vprop(vertex, change);
        break;
    default:
        change_meta(graph, vertex, change);
        break;
    }
    return E_OK;
}

static int apply_edge(struct fakegraph *graph, const struct change *change, struct error *err)
{
    struct fake_edge *edge = find_edge(graph, &change->edge);

    if (change->direction == DIRECTION_IN) {
        return E_OK; /* Here an edge is one thing. */
    }
    if (change->kind == CHANGE_EDGE_ADD) {
        if (edge != NULL) {
            return error_set(err, E_EXISTS, "edge exists");
        }
        if (find_vertex(graph, &change->vertex) == NULL ||
            find_vertex(graph, &change->far) == NULL) {
            return error_set(err, E_NOT_FOUND, "no such vertex");
        }
        assert(graph->edge_count < EDGE_ROOM);
        edge = &graph->edges[graph->edge_count++];
        *edge = (struct fake_edge){.id = change->edge,
                                   .out = change->vertex,
                                   .in = change->far,
                                   .label = change->label,
                                   .prop_count = change->prop_count};
        edge->props = arena_array(&graph->arena, change->prop_count + 1, sizeof *edge->props);
        if (change->prop_count > 0) {
            memcpy(edge->props, change->props, change->prop_count * sizeof *edge->props);
        }
        return E_OK;
    }
    if (edge == NULL) {
        return error_set(err, E_NOT_FOUND, "no such edge");
    }
    if (change->kind == CHANGE_EDGE_DROP) {
        edge->is_gone = true;
    } else {
        const struct property *props =
            with_property(graph, edge->props, &edge->prop_count, change->key,
                          change->kind == CHANGE_EPROP_SET ? &change->value : NULL);
        edge->props = arena_copy(&graph->arena, props, (edge->prop_count + 1) * sizeof *props);
    }
    return E_OK;
}

/* ---- transaction.h ---- */

const struct shardmap_graph *transaction_graph(const struct transaction *txn,
                                               const struct exec *exec)
{
    (void)exec;
    return &((const struct fakegraph *)(const void *)txn)->graph;
}

uint32_t transaction_change_count(const struct transaction *txn)
{
    return txn->change_count;
}

int transaction_change(struct transaction *txn, struct exec *exec, const struct change *change,
                       struct error *err)
{
    struct fakegraph *graph = (struct fakegraph *)(void *)txn;
    struct change copy = change_copy(&graph->arena, change);

    (void)exec;
    txn->change_count++;
    return change->kind >= CHANGE_EDGE_ADD ? apply_edge(graph, &copy, err)
                                           : apply_vertex(graph, &copy, err);
}

int transaction_edge(struct transaction *txn, struct exec *exec, const struct change *out,
                     struct slice out_label, struct error *err)
{
    (void)out_label;
    assert(out->direction == DIRECTION_OUT);
    return transaction_change(txn, exec, out, err);
}

enum pull transaction_new_id(struct transaction *txn, struct exec *exec, const struct vid *near,
                             int64_t *id)
{
    struct fakegraph *graph = (struct fakegraph *)(void *)txn;

    (void)exec;
    (void)near;
    if (graph->id_waits < graph->waits) {
        graph->id_waits++;
        return PULL_WAIT;
    }
    graph->id_waits = 0;
    *id = graph->next_id++;
    return PULL_BATCH;
}

/* ---- reading ---- */

static struct value vertex_value(struct fetch *fetch, struct arena *arena,
                                 const struct fake_vertex *from, enum read_project project)
{
    struct vertex *vertex = ARENA_NEW(arena, struct vertex);

    vertex->id = id_value(&from->id);
    vertex->label = from->label;
    vertex->seen = fetch->graph->txn.change_count;
    if (project == READ_NOTHING) {
        return value_vertex(vertex);
    }
    struct vproperty *props = arena_array(arena, from->prop_count + 1, sizeof *props);
    for (uint32_t i = 0; i < from->prop_count; i++) {
        bool is_in = project == READ_ALL;
        for (uint32_t k = 0; k < fetch->spec->key_count; k++) {
            is_in = is_in || slice_equal(fetch->spec->keys[k], from->props[i].key);
        }
        if (is_in) {
            struct vproperty *prop = &props[vertex->prop_count++];
            struct value *owner = ARENA_NEW(arena, struct value);
            struct property *metas =
                arena_array(arena, from->props[i].meta_count + 1, sizeof *metas);
            *prop = from->props[i];
            prop->owner = vertex;
            *owner = value_vproperty(prop);
            for (uint32_t k = 0; k < prop->meta_count; k++) {
                metas[k] = prop->metas[k];
                metas[k].owner = owner;
            }
            prop->metas = metas;
        }
    }
    vertex->props = props;
    vertex->has_props = project == READ_ALL;
    return value_vertex(vertex);
}

static struct slice label_of(struct fakegraph *graph, const struct vid *id)
{
    const struct fake_vertex *vertex = find_vertex(graph, id);

    return vertex == NULL ? (struct slice){0} : vertex->label;
}

static struct value edge_value(struct fetch *fetch, struct arena *arena,
                               const struct fake_edge *from)
{
    struct edge *edge = ARENA_NEW(arena, struct edge);
    struct value *owner = ARENA_NEW(arena, struct value);

    *edge = (struct edge){.id = id_value(&from->id),
                          .label = from->label,
                          .out_id = id_value(&from->out),
                          .in_id = id_value(&from->in),
                          .out_label = label_of(fetch->graph, &from->out),
                          .in_label = label_of(fetch->graph, &from->in),
                          .seen = fetch->graph->txn.change_count};
    *owner = value_edge(edge);
    if (fetch->spec->project != READ_NOTHING) {
        struct property *props = arena_array(arena, from->prop_count + 1, sizeof *props);
        for (uint32_t i = 0; i < from->prop_count; i++) {
            props[i] = from->props[i];
            props[i].owner = owner;
        }
        edge->props = props;
        edge->prop_count = from->prop_count;
        edge->has_props = true;
    }
    return *owner;
}

/* Vertices are tested by their vproperties, edges by their properties. */
static bool passes(const struct read_filter *filter, const struct value *id, struct slice label,
                   const struct value *values, const struct slice *keys, uint32_t count)
{
    struct value text = value_string(label);
    bool is_there = false;
    bool is_match = false;

    if (filter->on == READ_ON_ID) {
        return predicate_matches(filter->predicate, id);
    }
    if (filter->on == READ_ON_LABEL) {
        return predicate_matches(filter->predicate, &text);
    }
    for (uint32_t i = 0; i < count; i++) {
        if (slice_equal(keys[i], filter->key)) {
            is_there = true;
            is_match = is_match || (filter->on == READ_ON_KEY &&
                                    predicate_matches(filter->predicate, &values[i]));
        }
    }
    return filter->on == READ_ON_KEY ? is_match : is_there == (filter->on == READ_ON_EXISTS);
}

static bool vertex_passes(const struct fake_vertex *vertex, const struct read_filter *filters,
                          uint32_t count)
{
    struct value values[64];
    struct slice keys[64];
    struct value id = id_value(&vertex->id);

    assert(vertex->prop_count <= 64);
    for (uint32_t i = 0; i < vertex->prop_count; i++) {
        values[i] = vertex->props[i].value;
        keys[i] = vertex->props[i].key;
    }
    for (uint32_t i = 0; i < count; i++) {
        if (!passes(&filters[i], &id, vertex->label, values, keys, vertex->prop_count)) {
            return false;
        }
    }
    return true;
}

static bool edge_passes(const struct fake_edge *edge, const struct read_filter *filters,
                        uint32_t count)
{
    struct value values[64];
    struct slice keys[64];
    struct value id = id_value(&edge->id);

    assert(edge->prop_count <= 64);
    for (uint32_t i = 0; i < edge->prop_count; i++) {
        values[i] = edge->props[i].value;
        keys[i] = edge->props[i].key;
    }
    for (uint32_t i = 0; i < count; i++) {
        if (!passes(&filters[i], &id, edge->label, values, keys, edge->prop_count)) {
            return false;
        }
    }
    return true;
}

static struct read_row *add_row(struct fetch *fetch, uint32_t ordinal, uint64_t bulk)
{
    if (fetch->count == fetch->room) {
        fetch->room = fetch->room == 0 ? 64 : 2 * fetch->room;
        fetch->rows = mem_resize(fetch->rows, fetch->room * sizeof *fetch->rows);
    }
    struct read_row *row = &fetch->rows[fetch->count++];
    *row = (struct read_row){.ordinal = ordinal, .bulk = bulk};
    return row;
}

static void add_merged(struct fetch *fetch, struct arena *arena, const struct fake_vertex *far,
                       uint64_t bulk)
{
    struct value id = id_value(&far->id);

    for (uint32_t i = 0; i < fetch->count; i++) {
        if (value_equal(&fetch->rows[i].element.vertex->id, &id)) {
            fetch->rows[i].bulk += bulk;
            return;
        }
    }
    add_row(fetch, 0, bulk)->element = vertex_value(fetch, arena, far, READ_NOTHING);
}

static void add_number(struct fetch *fetch, uint32_t ordinal, uint64_t bulk)
{
    for (uint32_t i = 0; i < fetch->count; i++) {
        if (fetch->rows[i].ordinal == ordinal) {
            fetch->rows[i].bulk += bulk;
            return;
        }
    }
    add_row(fetch, ordinal, bulk);
}

/* One result; false when the input has had enough. */
static void emit(struct fetch *fetch, struct arena *arena, uint32_t ordinal, uint64_t bulk,
                 const struct fake_vertex *vertex, const struct fake_edge *edge)
{
    const struct read_request *spec = fetch->spec;
    bool is_far = spec->hop.direction != 0;

    switch (spec->emit) {
    case READ_ROWS:
        if (spec->limit == 0 || fetch->count < spec->limit) {
            add_row(fetch, ordinal, bulk)->element =
                edge != NULL
                    ? edge_value(fetch, arena, edge)
                    : vertex_value(fetch, arena, vertex, is_far ? READ_NOTHING : spec->project);
        }
        break;
    case READ_MERGED:
        add_merged(fetch, arena, vertex, bulk);
        break;
    case READ_COUNT:
        add_number(fetch, 0, bulk);
        break;
    case READ_COUNT_EACH:
        add_number(fetch, ordinal, bulk);
        break;
    case READ_LABEL_COUNTS: {
        struct slice label = edge != NULL ? edge->label : vertex->label;
        for (uint32_t i = 0; i < fetch->count; i++) {
            if (slice_equal(fetch->rows[i].label, label)) {
                fetch->rows[i].bulk += bulk;
                return;
            }
        }
        add_row(fetch, 0, bulk)->label = label;
        break;
    }
    }
}

static void hop_edge(struct fetch *fetch, struct arena *arena, uint32_t ordinal,
                     const struct fake_edge *edge, const struct vid *far_id, uint32_t *given)
{
    const struct read_hop *hop = &fetch->spec->hop;
    const struct fake_vertex *far = find_vertex(fetch->graph, far_id);
    bool is_label = hop->label_count == 0;

    for (uint32_t i = 0; i < hop->label_count; i++) {
        is_label = is_label || slice_equal(hop->labels[i], edge->label);
    }
    if (!is_label || edge->is_gone || far == NULL ||
        !edge_passes(edge, hop->edge_filters, hop->edge_filter_count) ||
        !vertex_passes(far, hop->far_filters, hop->far_filter_count)) {
        return;
    }
    if (fetch->spec->limit_each != 0 && *given == fetch->spec->limit_each) {
        return;
    }
    ++*given;
    emit(fetch, arena, ordinal, fetch->spec->inputs[ordinal].bulk, far,
         hop->to_edges ? edge : NULL);
}

static void hop_from(struct fetch *fetch, struct arena *arena, uint32_t ordinal,
                     const struct vid *id)
{
    uint8_t direction = fetch->spec->hop.direction;
    uint32_t given = 0;

    for (uint32_t i = 0; direction != DIRECTION_IN && i < fetch->graph->edge_count; i++) {
        const struct fake_edge *edge = &fetch->graph->edges[i];
        if (vid_equal(&edge->out, id)) {
            hop_edge(fetch, arena, ordinal, edge, &edge->in, &given);
        }
    }
    for (uint32_t i = 0; direction != DIRECTION_OUT && i < fetch->graph->edge_count; i++) {
        const struct fake_edge *edge = &fetch->graph->edges[i];
        if (vid_equal(&edge->in, id)) {
            hop_edge(fetch, arena, ordinal, edge, &edge->out, &given);
        }
    }
}

static void read_vertex(struct fetch *fetch, struct arena *arena, uint32_t ordinal, uint64_t bulk,
                        const struct fake_vertex *vertex)
{
    const struct read_request *spec = fetch->spec;

    if (vertex == NULL || vertex->is_gone ||
        !vertex_passes(vertex, spec->filters, spec->filter_count)) {
        return;
    }
    if (spec->hop.direction != 0) {
        hop_from(fetch, arena, ordinal, &vertex->id);
    } else {
        emit(fetch, arena, ordinal, bulk, vertex, NULL);
    }
}

static void read_edge(struct fetch *fetch, struct arena *arena, uint32_t ordinal,
                      const struct fake_edge *edge)
{
    const struct read_request *spec = fetch->spec;

    if (edge != NULL && !edge->is_gone && edge_passes(edge, spec->filters, spec->filter_count)) {
        emit(fetch, arena, ordinal, 1, NULL, edge);
    }
}

static void read_all(struct fetch *fetch, struct arena *arena)
{
    struct fakegraph *graph = fetch->graph;
    const struct read_request *spec = fetch->spec;

    switch (spec->source) {
    case READ_IDS:
        for (uint32_t i = 0; i < spec->input_count; i++) {
            assert(spec->inputs[i].bulk > 0);
            read_vertex(fetch, arena, i, spec->inputs[i].bulk,
                        find_vertex(graph, &spec->inputs[i].id));
        }
        break;
    case READ_EDGE_IDS:
        for (uint32_t i = 0; i < spec->input_count; i++) {
            read_edge(fetch, arena, i, find_edge(graph, &spec->inputs[i].id));
        }
        break;
    case READ_VERTICES:
        for (uint32_t i = 0; i < graph->vertex_count; i++) {
            read_vertex(fetch, arena, 0, 1, &graph->vertices[i]);
        }
        break;
    case READ_EDGES:
        for (uint32_t i = 0; i < graph->edge_count; i++) {
            read_edge(fetch, arena, 0, &graph->edges[i]);
        }
        break;
    }
    if (spec->emit == READ_COUNT && fetch->count == 0) {
        add_row(fetch, 0, 0);
    }
}

/* ---- fetch.h ---- */

static struct fetch *start(struct exec *exec, struct op *op, const struct read_request *spec,
                           struct arena *arena)
{
    struct fetch *fetch = mem_array(1, sizeof *fetch);

    fetch->graph = (struct fakegraph *)(void *)exec->txn;
    fetch->spec = spec;
    fetch->waits = fetch->graph->waits;
    fetch->graph->fetches++;
    fetch->graph->inputs += spec->input_count;
    if (op != NULL) {
        op->stats.requests++;
    }
    read_all(fetch, arena);
    return fetch;
}

struct fetch *fetch_start(struct exec *exec, struct op *op, const struct read_request *spec)
{
    return start(exec, op, spec, &exec->arena);
}

struct fetch *fetch_stream(struct exec *exec, struct op *op, const struct read_request *spec)
{
    return start(exec, op, spec, &exec->stream);
}

enum pull fetch_next(struct fetch *fetch, struct exec *exec, struct read_row *rows, uint32_t max,
                     uint32_t *count)
{
    (void)exec;
    *count = 0;
    if (fetch->waits > 0) {
        fetch->waits--;
        return PULL_WAIT;
    }
    while (fetch->at < fetch->count && *count < max) {
        rows[(*count)++] = fetch->rows[fetch->at++];
    }
    return *count > 0 ? PULL_BATCH : PULL_DONE;
}

bool fetch_is_complete(const struct fetch *fetch)
{
    return fetch->waits == 0;
}

void fetch_close(struct fetch **fetch, struct exec *exec)
{
    (void)exec;
    if (*fetch != NULL) {
        mem_free((*fetch)->rows);
        mem_free(*fetch);
        *fetch = NULL;
    }
}

/* ---- "modern" ---- */

static void add_vertex(struct fakegraph *graph, int64_t id, const char *label, const char *name,
                       const char *key, struct value value)
{
    struct vproperty props[2] = {
        {.id = value_long(2 * id - 2), .key = slice_text("name"), .value = value_cstring(name)},
        {.id = value_long(2 * id - 1), .key = slice_text(key), .value = value}};
    struct change change = {.kind = CHANGE_VERTEX_ADD,
                            .vertex = vid_num(id),
                            .label = slice_text(label),
                            .vprops = props,
                            .vprop_count = 2};
    int rc = transaction_change(&graph->txn, NULL, &change, NULL);

    assert(rc == E_OK);
}

static void add_edge(struct fakegraph *graph, int64_t id, int64_t out, const char *label,
                     int64_t in, double weight)
{
    struct property prop = {.key = slice_text("weight"), .value = value_double(weight)};
    struct change change = {.kind = CHANGE_EDGE_ADD,
                            .direction = DIRECTION_OUT,
                            .vertex = vid_num(out),
                            .far = vid_num(in),
                            .edge = vid_num(id),
                            .label = slice_text(label),
                            .props = &prop,
                            .prop_count = 1};
    int rc = transaction_change(&graph->txn, NULL, &change, NULL);

    assert(rc == E_OK);
}

void fakegraph_modern(struct fakegraph *graph)
{
    add_vertex(graph, 1, "person", "marko", "age", value_int(29));
    add_vertex(graph, 2, "person", "vadas", "age", value_int(27));
    add_vertex(graph, 3, "software", "lop", "lang", value_cstring("java"));
    add_vertex(graph, 4, "person", "josh", "age", value_int(32));
    add_vertex(graph, 5, "software", "ripple", "lang", value_cstring("java"));
    add_vertex(graph, 6, "person", "peter", "age", value_int(35));
    add_edge(graph, 9, 1, "created", 3, 0.4);
    add_edge(graph, 7, 1, "knows", 2, 0.5);
    add_edge(graph, 8, 1, "knows", 4, 1.0);
    add_edge(graph, 10, 4, "created", 5, 1.0);
    add_edge(graph, 11, 4, "created", 3, 0.4);
    add_edge(graph, 12, 6, "created", 3, 0.2);
    graph->txn.change_count = 0;
    graph->next_id = 1000;
}

/* ---- running ---- */

void fakegraph_run(struct fakegraph *graph, const struct plan *plan, struct bytes *out)
{
    struct exec exec;
    struct error err = {0};
    struct batch batch = {0};
    enum pull rc;

    if (exec_open(&exec, plan, &graph->txn, NULL, &err) != E_OK) {
        bytes_format(out, "error: %s\n", err.text);
        return;
    }
    prng_init(&exec.prng, 1);
    exec.arena.limit_bytes = (size_t)256 << 20;
    for (uint64_t turn = 1; (rc = exec_pull(&exec, turn, &batch)) == PULL_BATCH || rc == PULL_WAIT;
         turn++) {
        for (uint32_t i = 0; i < batch.count; i++) {
            if (batch.items[i].bulk != 1) {
                bytes_format(out, "%lu x ", (unsigned long)batch.items[i].bulk);
            }
            value_print(out, &batch.items[i].value);
            bytes_u8(out, '\n');
        }
        assert(turn < 1000000);
    }
    if (rc == PULL_ERROR) {
        bytes_format(out, "error: %s\n", exec.error.text);
    }
    batch_close(&batch);
    exec_close(&exec);
}
