#include "shardd/look_edges.h"

#include <assert.h>
#include <stdlib.h>

#include "shardd/adjacency.h"
#include "shardd/look_emit.h"
#include "shardd/look_filter.h"
#include "shardd/look_path.h"
#include "shardd/place.h"

/* ---- read set ---- */

static void slots_of_scan(struct look *look)
{
    const struct read_request *request = look->request;
    struct look_path path = {0};

    look_path_labels(look, &path);
    for (uint32_t i = 0; i < path.label_count; i++) {
        look_slot_name(look, ITEM_EDGES, path.labels[i]);
    }
    if (!path.has_labels) {
        look_slot_name(look, ITEM_EDGES, (struct slice){0});
    }
    for (uint32_t i = 0; i < request->filter_count; i++) {
        if (request->filters[i].on >= READ_ON_KEY) {
            look_slot_name(look, ITEM_EDGE_KEY, request->filters[i].key);
        }
    }
    if (request->project == READ_ALL && request->emit == READ_ROWS) {
        look_slot_name(look, ITEM_EDGE_KEY, (struct slice){0});
    }
    for (uint32_t i = 0; i < request->key_count && request->project == READ_KEYS; i++) {
        look_slot_name(look, ITEM_EDGE_KEY, request->keys[i]);
    }
}

/* ---- counters ---- */

static bool count_labels(struct look *look)
{
    const struct read_request *request = look->request;
    struct look_vertex none = {.bulk = 1};

    if (request->emit != READ_COUNT && request->emit != READ_LABEL_COUNTS) {
        return false;
    }
    for (uint32_t i = 0; i < request->filter_count; i++) {
        if (request->filters[i].on != READ_ON_LABEL) {
            return false;
        }
    }
    look->access = SLICE("counters");
    for (uint32_t label = 0; label < symbol_count(&look->tables->symbols); label++) {
        uint64_t count = counter_get(&look->tables->counters, true, label);

        if (count == 0 ||
            !look_filter_label(look, request->filters, request->filter_count, label)) {
            continue;
        }
        if (request->emit == READ_LABEL_COUNTS) {
            look->label_counts[label] = count;
        } else {
            (void)look_emit_number(look, &none, count);
        }
    }
    look->is_full = false;
    return true;
}

/* ---- one edge ---- */

static int find_near_label(struct look *look, const struct vid *near, uint32_t *label)
{
    struct vrow row;
    int rc;

    if (look->has_near && vid_equal(&look->near, near)) {
        *label = look->near_label;
        return E_OK;
    }
    arena_reset(&look->row);
    rc = tables_vertex_head(look->tables, near, &look->row, &row, look->err);
    if (rc < 0) {
        return rc;
    }
    look->near = vid_copy(&look->row, near);
    look->has_near = true;
    look->near_label = rc == 1 ? row.label : 0;
    *label = look->near_label;
    return E_OK;
}

static int offer_edge(struct look *look, const struct look_vertex *input,
                      struct look_emit_edge *edge)
{
    const struct read_request *request = look->request;
    struct look_filter_edge test = {edge->half->edge, edge->label, edge->half};
    int rc = E_OK;

    if (!look_filter_edge(look, request->filters, request->filter_count, &test)) {
        return E_OK;
    }
    if (request->emit == READ_ROWS) {
        rc = find_near_label(look, &edge->near, &edge->near_label);
    }
    if (rc == E_OK) {
        look->at.each = 0;
        (void)look_emit_edge(look, input, edge);
        look_emit_input_end(look, input->ordinal);
    }
    return rc;
}

/* ---- scan ---- */

struct scan {
    struct look *look;
    enum stmt_id id;
    enum run_want want;
    uint64_t seen; /* Halves of the vertex at hand before the run at hand. */
};

static enum run_want want_of(const struct read_request *request)
{
    if (request->project != READ_NOTHING && request->emit == READ_ROWS) {
        return RUN_ALL;
    }
    return look_filter_want(request->filters, request->filter_count) == RUN_ALL ? RUN_ALL
                                                                                : RUN_EDGE;
}

static int offer_run(struct scan *scan, uint32_t label, const struct run *run)
{
    static const struct look_vertex input = {.bulk = 1};
    struct look *look = scan->look;
    struct run_half *halves = run_halves(run, &look->run);
    uint32_t from = 0;
    int rc = E_OK;

    scan->seen += run->count;
    if (look->at.passed >= scan->seen) {
        return E_OK;
    }
    if (look->at.passed > scan->seen - run->count) {
        from = (uint32_t)(look->at.passed - (scan->seen - run->count));
    }
    for (uint32_t i = from; i < run->count && rc == E_OK && !look->is_full; i++) {
        struct look_emit_edge edge = {
            .label = label, .direction = VROW_OUT, .near = look->at.vertex, .half = &halves[i]};

        look->at.passed++;
        rc = offer_edge(look, &input, &edge);
    }
    look_spend(look, run->count - from);
    return rc;
}

static int visit_run(struct scan *scan)
{
    struct look *look = scan->look;
    sqlite3_stmt *s = look->tables->stmt.list[scan->id];
    uint32_t label = (uint32_t)sqlite3_column_int64(s, 1);
    struct vid vertex;
    struct run run;
    int rc;

    if (!stmt_column_vid(s, 0, &vertex) || label >= symbol_count(&look->tables->symbols)) {
        return error_set(look->err, E_CORRUPT, "table adjacency: damaged key");
    }
    if (!look->at.has_vertex || !vid_equal(&vertex, &look->at.vertex)) {
        look->at.vertex = vid_copy(&look->arena, &vertex);
        look->at.has_vertex = true;
        look->at.passed = 0;
        scan->seen = 0;
    }
    arena_reset(&look->run);
    rc = run_decode(stmt_column_slice(s, 4), scan->want, &look->run, &run, look->err);
    if (rc == E_OK &&
        !look_filter_label(look, look->request->filters, look->request->filter_count, label)) {
        scan->seen += run.count;
        look->at.passed = look->at.passed > scan->seen ? look->at.passed : scan->seen;
        look_spend(look, 1);
        return E_OK;
    }
    if (rc == E_OK) {
        return offer_run(scan, label, &run);
    }
    const struct adjacency_key key = {VROW_OUT, vertex, label};
    return adjacency_blame(look->err, rc, &key);
}

int look_edges_scan(struct look *look)
{
    struct scan scan = {.look = look, .want = want_of(look->request)};
    struct stmt *stmt = &look->tables->stmt;
    sqlite3_stmt *s;
    int rc;

    look->access = SLICE("edge scan");
    slots_of_scan(look);
    if (count_labels(look)) {
        return E_OK;
    }
    scan.id = look->at.has_vertex ? STMT_RUN_SCAN_FROM : STMT_RUN_SCAN;
    s = stmt_get(stmt, scan.id);
    sqlite3_bind_int(s, 1, VROW_OUT);
    if (look->at.has_vertex) {
        look->at.vertex = vid_copy(&look->arena, &look->at.vertex);
        stmt_bind_vid(s, 2, &look->at.vertex);
    }
    while ((rc = stmt_step(stmt, scan.id, look->err)) == 1) {
        rc = visit_run(&scan);
        if (rc != E_OK || look->is_full) {
            stmt_reset(stmt, scan.id);
            break;
        }
    }
    return rc;
}

/* ---- by id ---- */

struct input_place {
    const struct vid *id;
    uint32_t ordinal;
};

static int order_inputs(const void *a, const void *b)
{
    const struct input_place *x = a;
    const struct input_place *y = b;
    int order = vid_order(x->id, y->id);

    return order != 0 ? order : (x->ordinal > y->ordinal) - (x->ordinal < y->ordinal);
}

static int visit_id(struct look *look, struct place_finder *finder, uint32_t ordinal)
{
    const struct read_input *input = &look->request->inputs[ordinal];
    const struct look_vertex result = {.ordinal = ordinal, .bulk = input->bulk};
    struct place place;
    struct look_emit_edge edge = {.direction = VROW_OUT};
    struct adjacency_key key = {.direction = VROW_OUT};
    struct run_half half = {0};
    int rc;

    look_slot(look, item_slot_edge(&input->id));
    rc = place_find(&look->tables->stmt, finder, &input->id, &place, look->err);
    if (rc != 1) {
        return rc;
    }
    key.vertex = place.source;
    key.label = place.label;
    half.far = place.far;
    half.edge = input->id;
    rc = adjacency_find(&look->tables->stmt, &key, &look->run, &half, look->err);
    if (rc == 0) {
        return adjacency_blame(look->err, error_set(look->err, E_CORRUPT, "edge is not there"),
                               &key);
    }
    if (rc < 0) {
        return rc;
    }
    edge.label = place.label;
    edge.near = place.source;
    edge.half = &half;
    return offer_edge(look, &result, &edge);
}

int look_edges_ids(struct look *look)
{
    const struct read_request *request = look->request;
    struct place_finder finder = {0};
    struct input_place *places =
        arena_alloc(&look->arena, (request->input_count + 1) * sizeof *places);
    int rc = E_OK;

    look->access = SLICE("edge ids");
    for (uint32_t i = 0; i < request->input_count; i++) {
        places[i] = (struct input_place){&request->inputs[i].id, i};
    }
    qsort(places, request->input_count, sizeof *places, order_inputs);
    while (look->at.position < request->input_count && rc == E_OK && !look->is_full) {
        arena_reset(&look->run);
        rc = visit_id(look, &finder, places[look->at.position].ordinal);
        look->at.position++;
        look_spend(look, 1);
    }
    if (look->at.position >= request->input_count) {
        look->is_full = false;
    }
    place_finder_close(&finder);
    return rc;
}
