#include "shardd/read/scan_edges.h"

#include <assert.h>
#include <stdlib.h>

#include "shardd/read/scan_emit.h"
#include "shardd/read/scan_filter.h"
#include "shardd/read/scan_path.h"
#include "shardd/store/adjacency.h"
#include "shardd/store/edgeplace.h"

/* ---- read set ---- */

static void slots_of_scan(struct scan *scan)
{
    const struct read_request *request = scan->request;
    struct scan_path path = {0};

    scan_path_labels(scan, &path);
    for (uint32_t i = 0; i < path.label_count; i++) {
        scan_slot_name(scan, ITEM_EDGES, path.labels[i]);
    }
    if (!path.has_labels) {
        scan_slot_name(scan, ITEM_EDGES, (struct slice){0});
    }
    for (uint32_t i = 0; i < request->filter_count; i++) {
        if (request->filters[i].on >= READ_ON_KEY) {
            scan_slot_name(scan, ITEM_EDGE_KEY, request->filters[i].key);
        }
    }
    if (request->project == READ_ALL && request->emit == READ_ROWS) {
        scan_slot_name(scan, ITEM_EDGE_KEY, (struct slice){0});
    }
    for (uint32_t i = 0; i < request->key_count && request->project == READ_KEYS; i++) {
        scan_slot_name(scan, ITEM_EDGE_KEY, request->keys[i]);
    }
}

/* ---- counters ---- */

static bool count_labels(struct scan *scan)
{
    const struct read_request *request = scan->request;
    struct scan_vertex none = {.bulk = 1};

    if (request->emit != READ_COUNT && request->emit != READ_LABEL_COUNTS) {
        return false;
    }
    for (uint32_t i = 0; i < request->filter_count; i++) {
        if (request->filters[i].on != READ_ON_LABEL) {
            return false;
        }
    }
    scan->access = SLICE("counters");
    for (uint32_t label = 0; label < symbol_count(&scan->tables->symbols); label++) {
        uint64_t count = counter_get(&scan->tables->counters, true, label);

        if (count == 0 ||
            !scan_filter_label(scan, request->filters, request->filter_count, label)) {
            continue;
        }
        if (request->emit == READ_LABEL_COUNTS) {
            scan->label_counts[label] = count;
        } else {
            (void)scan_emit_number(scan, &none, count);
        }
    }
    scan->is_full = false;
    return true;
}

/* ---- one edge ---- */

static int find_near_label(struct scan *scan, const struct vid *near, uint32_t *label)
{
    struct vrow row;
    int rc;

    if (scan->has_near && vid_equal(&scan->near, near)) {
        *label = scan->near_label;
        return E_OK;
    }
    arena_reset(&scan->row);
    rc = tables_vertex_head(scan->tables, near, &scan->row, &row, scan->err);
    if (rc < 0) {
        return rc;
    }
    scan->near = vid_copy(&scan->row, near);
    scan->has_near = true;
    scan->near_label = rc == 1 ? row.label : 0;
    *label = scan->near_label;
    return E_OK;
}

static int offer_edge(struct scan *scan, const struct scan_vertex *input,
                      struct scan_emit_edge *edge)
{
    const struct read_request *request = scan->request;
    struct scan_filter_edge test = {edge->half->edge, edge->label, edge->half};
    int rc = E_OK;

    if (!scan_filter_edge(scan, request->filters, request->filter_count, &test)) {
        return E_OK;
    }
    if (request->emit == READ_ROWS) {
        rc = find_near_label(scan, &edge->near, &edge->near_label);
    }
    if (rc == E_OK) {
        scan->at.each = 0;
        (void)scan_emit_edge(scan, input, edge);
        scan_emit_input_end(scan, input->ordinal);
    }
    return rc;
}

/* ---- scan ---- */

struct edge_walk {
    struct scan *scan;
    enum stmt_id id;
    enum edgerun_want want;
    uint64_t seen; /* Halves of the vertex at hand before the run at hand. */
};

static enum edgerun_want want_of(const struct read_request *request)
{
    if (request->project != READ_NOTHING && request->emit == READ_ROWS) {
        return EDGERUN_ALL;
    }
    return scan_filter_want(request->filters, request->filter_count) == EDGERUN_ALL ? EDGERUN_ALL
                                                                                    : EDGERUN_EDGE;
}

static int offer_run(struct edge_walk *walk, uint32_t label, const struct edgerun *run)
{
    static const struct scan_vertex input = {.bulk = 1};
    struct scan *scan = walk->scan;
    struct edgerun_half *halves = edgerun_halves(run, &scan->run);
    uint32_t from = 0;
    int rc = E_OK;

    walk->seen += run->count;
    if (scan->at.passed >= walk->seen) {
        return E_OK;
    }
    if (scan->at.passed > walk->seen - run->count) {
        from = (uint32_t)(scan->at.passed - (walk->seen - run->count));
    }
    for (uint32_t i = from; i < run->count && rc == E_OK && !scan->is_full; i++) {
        struct scan_emit_edge edge = {
            .label = label, .direction = VROW_OUT, .near = scan->at.vertex, .half = &halves[i]};

        scan->at.passed++;
        rc = offer_edge(scan, &input, &edge);
    }
    scan_spend(scan, run->count - from);
    return rc;
}

static int visit_run(struct edge_walk *walk)
{
    struct scan *scan = walk->scan;
    sqlite3_stmt *s = scan->tables->stmt.list[walk->id];
    uint32_t label = (uint32_t)sqlite3_column_int64(s, 1);
    struct vid vertex;
    struct edgerun run;
    int rc;

    if (!stmt_column_vid(s, 0, &vertex) || label >= symbol_count(&scan->tables->symbols)) {
        return error_set(scan->err, E_CORRUPT, "table adjacency: damaged key");
    }
    if (!scan->at.has_vertex || !vid_equal(&vertex, &scan->at.vertex)) {
        scan->at.vertex = vid_copy(&scan->arena, &vertex);
        scan->at.has_vertex = true;
        scan->at.passed = 0;
        walk->seen = 0;
    }
    arena_reset(&scan->run);
    rc = edgerun_decode(stmt_column_slice(s, 4), walk->want, &scan->run, &run, scan->err);
    if (rc == E_OK &&
        !scan_filter_label(scan, scan->request->filters, scan->request->filter_count, label)) {
        walk->seen += run.count;
        scan->at.passed = scan->at.passed > walk->seen ? scan->at.passed : walk->seen;
        scan_spend(scan, 1);
        return E_OK;
    }
    if (rc == E_OK) {
        return offer_run(walk, label, &run);
    }
    const struct adjacency_key key = {VROW_OUT, vertex, label};
    return adjacency_blame(scan->err, rc, &key);
}

int scan_edges_scan(struct scan *scan)
{
    struct edge_walk walk = {.scan = scan, .want = want_of(scan->request)};
    struct stmt *stmt = &scan->tables->stmt;
    sqlite3_stmt *s;
    int rc;

    scan->access = SLICE("edge scan");
    slots_of_scan(scan);
    if (count_labels(scan)) {
        return E_OK;
    }
    walk.id = scan->at.has_vertex ? STMT_RUN_SCAN_FROM : STMT_RUN_SCAN;
    s = stmt_get(stmt, walk.id);
    sqlite3_bind_int(s, 1, VROW_OUT);
    if (scan->at.has_vertex) {
        scan->at.vertex = vid_copy(&scan->arena, &scan->at.vertex);
        stmt_bind_vid(s, 2, &scan->at.vertex);
    }
    while ((rc = stmt_step(stmt, walk.id, scan->err)) == 1) {
        rc = visit_run(&walk);
        if (rc != E_OK || scan->is_full) {
            stmt_reset(stmt, walk.id);
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

static int visit_id(struct scan *scan, struct edgeplace_finder *finder, uint32_t ordinal)
{
    const struct read_input *input = &scan->request->inputs[ordinal];
    const struct scan_vertex result = {.ordinal = ordinal, .bulk = input->bulk};
    struct edgeplace place;
    struct scan_emit_edge edge = {.direction = VROW_OUT};
    struct adjacency_key key = {.direction = VROW_OUT};
    struct edgerun_half half = {0};
    int rc;

    scan_slot(scan, item_slot_edge(&input->id));
    rc = edgeplace_find(&scan->tables->stmt, finder, &input->id, &place, scan->err);
    if (rc != 1 || edgeplace_is_claim(&scan->tables->symbols, place.label)) {
        return rc < 0 ? rc : E_OK;
    }
    key.vertex = place.source;
    key.label = place.label;
    half.far = place.far;
    half.edge = input->id;
    rc = adjacency_find(&scan->tables->stmt, &key, &scan->run, &half, scan->err);
    if (rc == 0) {
        return adjacency_blame(scan->err, error_set(scan->err, E_CORRUPT, "edge is not there"),
                               &key);
    }
    if (rc < 0) {
        return rc;
    }
    edge.label = place.label;
    edge.near = place.source;
    edge.half = &half;
    return offer_edge(scan, &result, &edge);
}

int scan_edges_ids(struct scan *scan)
{
    const struct read_request *request = scan->request;
    struct edgeplace_finder finder = {0};
    struct input_place *places =
        arena_alloc(&scan->arena, (request->input_count + 1) * sizeof *places);
    int rc = E_OK;

    scan->access = SLICE("edge ids");
    for (uint32_t i = 0; i < request->input_count; i++) {
        places[i] = (struct input_place){&request->inputs[i].id, i};
    }
    qsort(places, request->input_count, sizeof *places, order_inputs);
    while (scan->at.position < request->input_count && rc == E_OK && !scan->is_full) {
        arena_reset(&scan->run);
        rc = visit_id(scan, &finder, places[scan->at.position].ordinal);
        scan->at.position++;
        scan_spend(scan, 1);
    }
    if (scan->at.position >= request->input_count) {
        scan->is_full = false;
    }
    edgeplace_finder_close(&finder);
    return rc;
}
