#include "shardd/read/scan_source.h"

#include <assert.h>
#include <stdlib.h>

#include "shardd/read/scan_emit.h"
#include "shardd/read/scan_filter.h"
#include "shardd/read/scan_hop.h"
#include "shardd/read/scan_path.h"

/* ---- one vertex ---- */

/* Reads what is needed and not there yet. 1; 0: no such vertex; or an error. */
static int fetch(struct scan *scan, struct scan_vertex *vertex)
{
    int rc = 1;

    if (scan->need == SCAN_NEED_NOTHING || vertex->has_row) {
        return 1;
    }
    rc = scan->need == SCAN_NEED_PROPS
             ? tables_vertex(scan->tables, &vertex->id, &scan->row, &vertex->row, scan->err)
             : tables_vertex_head(scan->tables, &vertex->id, &scan->row, &vertex->row, scan->err);
    vertex->has_row = rc == 1;
    return rc;
}

/* A vertex that is fetched: filters, then hop or row. */
static int follow(struct scan *scan, struct scan_vertex *vertex)
{
    int rc = E_OK;

    if (scan->at.passed == 0) {
        scan->at.each = 0;
    }
    if (scan_filter_vertex(scan, &vertex->id, &vertex->row)) {
        if (scan->request->hop.direction != 0) {
            rc = scan_hop_run(scan, vertex);
        } else {
            scan_emit_vertex(scan, vertex);
        }
        scan_emit_input_end(scan, vertex->ordinal);
    }
    arena_reset(&scan->run);
    return rc;
}

/* ---- by id ---- */

static void slots_of_id(struct scan *scan, const struct vid *id)
{
    if (scan->need != SCAN_NEED_NOTHING) {
        scan_slot_vertex(scan, ITEM_EXISTS, id, (struct slice){0});
    }
    if (scan->need == SCAN_NEED_PROPS) {
        scan_slot_vertex(scan, ITEM_PROPS, id, (struct slice){0});
    }
}

static int visit_id(struct scan *scan, uint32_t ordinal)
{
    const struct read_input *input = &scan->request->inputs[ordinal];
    struct scan_vertex vertex = {.ordinal = ordinal, .bulk = input->bulk, .id = input->id};
    int rc;

    slots_of_id(scan, &vertex.id);
    rc = fetch(scan, &vertex);
    if (rc == 1) {
        rc = follow(scan, &vertex);
    }
    scan_spend(scan, 1);
    arena_reset(&scan->row);
    return rc;
}

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

/* Memory is slower than merging: what the next inputs need is fetched ahead, in three stages. */
static void hint(const struct scan *scan, const struct input_place *places)
{
    static const uint32_t ahead[] = {12, 8, 4};

    for (int stage = 0; stage < 3; stage++) {
        uint64_t at = scan->at.position + ahead[stage];

        if (at < scan->request->input_count) {
            scan_hop_hint(scan, places[at].id, stage);
        }
    }
}

int scan_source_ids(struct scan *scan)
{
    const struct read_request *request = scan->request;
    struct input_place *places =
        arena_alloc(&scan->arena, (request->input_count + 1) * sizeof *places);
    bool is_ordered = true;
    int rc = E_OK;

    scan->access = SLICE("ids");
    for (uint32_t i = 0; i < request->input_count; i++) {
        places[i] = (struct input_place){&request->inputs[i].id, i};
        is_ordered = is_ordered && (i == 0 || order_inputs(&places[i - 1], &places[i]) < 0);
    }
    if (!is_ordered) {
        qsort(places, request->input_count, sizeof *places, order_inputs);
    }
    while (scan->at.position < request->input_count && rc == E_OK && !scan->is_full) {
        hint(scan, places);
        rc = visit_id(scan, places[scan->at.position].ordinal);
        if (scan->at.passed == 0) {
            scan->at.position++;
        }
    }
    if (scan->at.position >= request->input_count && scan->at.passed == 0) {
        scan->is_full = false;
    }
    return rc;
}

/* ---- counters ---- */

static bool is_label_count(const struct read_request *request)
{
    if ((request->emit != READ_COUNT && request->emit != READ_LABEL_COUNTS) ||
        request->hop.direction != 0) {
        return false;
    }
    for (uint32_t i = 0; i < request->filter_count; i++) {
        if (request->filters[i].on != READ_ON_LABEL) {
            return false;
        }
    }
    return true;
}

static void count_labels(struct scan *scan)
{
    const struct read_request *request = scan->request;
    const struct counter_table *counters = &scan->tables->counters;
    struct scan_vertex none = {.bulk = 1};

    scan->access = SLICE("counters");
    for (uint32_t label = 0; label < symbol_count(&scan->tables->symbols); label++) {
        uint64_t count = counter_get(counters, false, label);

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
}

/* ---- read set of a scan ---- */

static void slots_of_labels(struct scan *scan, const struct scan_path *path)
{
    for (uint32_t i = 0; i < path->label_count; i++) {
        scan_slot_name(scan, ITEM_VERTICES, path->labels[i]);
    }
    if (!path->has_labels) {
        scan_slot_name(scan, ITEM_VERTICES, (struct slice){0});
    }
}

static void slots_of_keys(struct scan *scan)
{
    const struct read_request *request = scan->request;

    for (uint32_t i = 0; i < request->filter_count; i++) {
        if (request->filters[i].on >= READ_ON_KEY) {
            scan_slot_name(scan, ITEM_KEY, request->filters[i].key);
        }
    }
    if (request->hop.direction != 0 || request->emit != READ_ROWS) {
        return;
    }
    if (request->project == READ_ALL) {
        scan_slot_name(scan, ITEM_KEY, (struct slice){0});
    }
    for (uint32_t i = 0; i < request->key_count && request->project == READ_KEYS; i++) {
        scan_slot_name(scan, ITEM_KEY, request->keys[i]);
    }
}

static void slots_of_path(struct scan *scan, const struct scan_path *path)
{
    const struct propindex *index = path->index;

    if (path->kind != SCAN_PATH_INDEX || !path->is_equality) {
        slots_of_labels(scan, path);
        slots_of_keys(scan);
        return;
    }
    for (uint32_t i = 0; i < path->range_count; i++) {
        scan_slot(scan, item_slot_value(index->key, path->ranges[i].value));
    }
}

/* ---- scans ---- */

struct candidate_walk {
    struct scan *scan;
    struct scan_path path;
    enum stmt_id id;
    uint32_t candidates; /* Of an equality: these have slots of their own. */
    struct bytes key;    /* Cursor: the index key at hand. */
};

static void slots_of_candidate(struct candidate_walk *walk, const struct vid *id)
{
    if (walk->path.kind != SCAN_PATH_INDEX || !walk->path.is_equality) {
        return;
    }
    if (walk->candidates < SCAN_SLOT_VERTICES) {
        slots_of_id(walk->scan, id);
    } else if (walk->candidates == SCAN_SLOT_VERTICES) {
        slots_of_labels(walk->scan, &walk->path);
        slots_of_keys(walk->scan);
    }
    walk->candidates++;
}

static int row_of_scan(struct candidate_walk *walk, struct scan_vertex *vertex)
{
    struct scan *scan = walk->scan;
    sqlite3_stmt *s = scan->tables->stmt.list[walk->id];
    bool has_props = walk->id == STMT_VERTEX_SCAN || walk->id == STMT_VERTEX_SCAN_FROM;
    struct reader reader;

    vertex->has_row = true;
    vertex->row.exists = true;
    vertex->row.label = (uint32_t)sqlite3_column_int64(s, 1);
    vrow_decode_degrees(stmt_column_slice(s, 2), &scan->row, &vertex->row, &reader);
    if (has_props && !reader.is_bad) {
        vrow_decode_props(stmt_column_slice(s, 3), &scan->row, &vertex->row, &reader);
    }
    if (reader.is_bad || vertex->row.label >= symbol_count(&scan->tables->symbols)) {
        return tables_blame_vertex(scan->err, error_set(scan->err, E_CORRUPT, "damaged row"),
                                   &vertex->id);
    }
    return E_OK;
}

/* A vertex with several values in the ranges comes up once for each: only the first counts. */
static bool is_first(struct candidate_walk *walk, const struct scan_vertex *vertex,
                     const struct indexkey *key)
{
    struct indexkey first;
    uint32_t range;

    return scan_path_first(walk->scan, &walk->path, &vertex->row, &range, &first) &&
           range == walk->scan->at.position && indexkey_equal(&first, key);
}

/* The vertex at the statement's row; key: of an index entry, else null. */
static int visit_row(struct candidate_walk *walk, const struct indexkey *key)
{
    struct scan *scan = walk->scan;
    struct scan_vertex vertex = {.bulk = 1};
    sqlite3_stmt *s = scan->tables->stmt.list[walk->id];
    int rc;

    if (!stmt_column_vid(s, key == NULL ? 0 : 1, &vertex.id)) {
        return error_set(scan->err, E_CORRUPT, "table vertex or index: no id");
    }
    arena_reset(&scan->row);
    vertex.id = vid_copy(&scan->row, &vertex.id);
    scan->at.has_vertex = true;
    scan->at.vertex = vertex.id;
    slots_of_candidate(walk, &vertex.id);
    rc = walk->path.kind == SCAN_PATH_ALL ? row_of_scan(walk, &vertex) : fetch(scan, &vertex);
    if (rc >= 0 && scan->need != SCAN_NEED_NOTHING && !vertex.has_row) {
        rc = error_set(scan->err, E_CORRUPT, "indexed vertex is not there");
        return tables_blame_vertex(scan->err, rc, &vertex.id);
    }
    if (rc < 0) {
        return rc;
    }
    rc = key == NULL || is_first(walk, &vertex, key) ? follow(scan, &vertex) : E_OK;
    scan_spend(scan, 1);
    return rc;
}

/* The vertex whose hop the reply before left off in the middle. */
static int visit_again(struct candidate_walk *walk)
{
    struct scan *scan = walk->scan;
    struct scan_vertex vertex = {.bulk = 1, .id = scan->at.vertex};
    int rc;

    if (!scan->at.has_vertex || scan->at.passed == 0) {
        return E_OK;
    }
    slots_of_candidate(walk, &vertex.id);
    rc = fetch(scan, &vertex);
    if (rc == 1) {
        rc = follow(scan, &vertex);
    } else if (rc == 0) {
        scan->at.passed = 0; /* Dropped meanwhile: validation will tell. */
    }
    scan_spend(scan, 1);
    arena_reset(&scan->run);
    return rc;
}

static struct indexkey column_key(sqlite3_stmt *s)
{
    struct indexkey key = {.kind = INDEXKEY_NONE};
    int type = sqlite3_column_type(s, 0);

    if (type == SQLITE_INTEGER) {
        key.kind = INDEXKEY_INTEGER;
        key.integer = sqlite3_column_int64(s, 0);
    } else if (type == SQLITE_FLOAT) {
        key.kind = INDEXKEY_REAL;
        key.real = sqlite3_column_double(s, 0);
    } else if (type == SQLITE_BLOB && sqlite3_column_bytes(s, 0) <= INDEXKEY_BYTES_MAX) {
        struct slice blob = stmt_column_slice(s, 0);
        key.kind = INDEXKEY_BLOB;
        key.size = (uint32_t)blob.size;
        for (uint32_t i = 0; i < key.size; i++) {
            key.bytes[i] = blob.data[i];
        }
    }
    return key;
}

static void encode_key(struct candidate_walk *walk, const struct indexkey *key)
{
    bytes_clear(&walk->key);
    bytes_u8(&walk->key, (uint8_t)key->kind);
    bytes_zigzag(&walk->key, key->integer);
    bytes_double(&walk->key, key->real);
    bytes_append(&walk->key, key->bytes, key->size);
    walk->scan->at.key = bytes_slice(&walk->key);
}

static int decode_key(struct scan *scan, struct indexkey *key)
{
    struct reader reader;

    reader_init(&reader, scan->at.key);
    *key = (struct indexkey){.kind = (enum indexkey_kind)reader_u8(&reader)};
    key->integer = reader_zigzag(&reader);
    key->real = reader_double(&reader);
    key->size = (uint32_t)reader_left(&reader);
    if (reader.is_bad || key->kind <= INDEXKEY_NONE || key->kind > INDEXKEY_BLOB ||
        key->size > INDEXKEY_BYTES_MAX) {
        return error_set(scan->err, E_MALFORMED, "cursor of an index");
    }
    for (uint32_t i = 0; i < key->size; i++) {
        key->bytes[i] = reader.at[i];
    }
    return E_OK;
}

/* Steps through the statement until it or the budget ends. */
static int drain(struct candidate_walk *walk)
{
    struct scan *scan = walk->scan;
    struct stmt *stmt = &scan->tables->stmt;
    bool is_index = walk->path.kind == SCAN_PATH_INDEX;
    int rc;

    while ((rc = stmt_step(stmt, walk->id, scan->err)) == 1) {
        struct indexkey key;

        if (is_index) {
            key = column_key(stmt->list[walk->id]);
            encode_key(walk, &key);
        }
        rc = visit_row(walk, is_index ? &key : NULL);
        if (rc != E_OK || scan->is_full) {
            stmt_reset(stmt, walk->id);
            return rc;
        }
    }
    return rc;
}

static int scan_all(struct candidate_walk *walk)
{
    struct scan *scan = walk->scan;
    bool has_from = scan->at.has_vertex;
    sqlite3_stmt *s;

    if (scan->need == SCAN_NEED_PROPS) {
        walk->id = has_from ? STMT_VERTEX_SCAN_FROM : STMT_VERTEX_SCAN;
    } else {
        walk->id = has_from ? STMT_VERTEX_HEADS_FROM : STMT_VERTEX_HEADS;
    }
    s = stmt_get(&scan->tables->stmt, walk->id);
    if (has_from) {
        scan->at.vertex = vid_copy(&scan->arena, &scan->at.vertex);
        stmt_bind_vid(s, 1, &scan->at.vertex);
    }
    return drain(walk);
}

static int scan_label(struct candidate_walk *walk, struct slice name)
{
    struct scan *scan = walk->scan;
    uint32_t label = symbol_find(&scan->tables->symbols, name);
    sqlite3_stmt *s;

    if (label == SYMBOL_NONE) {
        return E_OK;
    }
    walk->id = scan->at.has_vertex ? STMT_LABEL_SCAN_FROM : STMT_LABEL_SCAN;
    s = stmt_get(&scan->tables->stmt, walk->id);
    sqlite3_bind_int64(s, 1, label);
    if (scan->at.has_vertex) {
        scan->at.vertex = vid_copy(&scan->arena, &scan->at.vertex);
        stmt_bind_vid(s, 2, &scan->at.vertex);
    }
    return drain(walk);
}

static int scan_range(struct candidate_walk *walk, const struct scan_path_range *range)
{
    struct scan *scan = walk->scan;
    struct indexkey from = range->low;
    sqlite3_stmt *s;

    walk->id = scan->at.has_vertex ? STMT_INDEX_RANGE_FROM : STMT_INDEX_RANGE;
    if (scan->at.has_vertex) {
        int rc = decode_key(scan, &from);
        if (rc != E_OK) {
            return rc;
        }
    }
    s = stmt_get(&scan->tables->stmt, walk->id);
    sqlite3_bind_int64(s, 1, walk->path.index->n);
    propindex_bind(s, 2, &from);
    propindex_bind(s, 3, &range->high);
    if (scan->at.has_vertex) {
        scan->at.vertex = vid_copy(&scan->arena, &scan->at.vertex);
        stmt_bind_vid(s, 4, &scan->at.vertex);
    }
    return drain(walk);
}

/* Labels or ranges, one after another; scan->at.position is the one at hand. */
static int scan_parts(struct candidate_walk *walk)
{
    struct scan *scan = walk->scan;
    bool is_index = walk->path.kind == SCAN_PATH_INDEX;
    uint32_t count = is_index ? walk->path.range_count : walk->path.label_count;
    int rc = E_OK;

    while (scan->at.position < count && rc == E_OK) {
        uint64_t at = scan->at.position;

        rc = is_index ? scan_range(walk, &walk->path.ranges[at])
                      : scan_label(walk, walk->path.labels[at]);
        if (rc != E_OK || scan->is_full) {
            break;
        }
        scan->at.position++;
        scan->at.has_vertex = false;
    }
    return rc;
}

int scan_source_vertices(struct scan *scan)
{
    struct candidate_walk walk = {.scan = scan};
    int rc;

    scan_path_choose(scan, &walk.path);
    slots_of_path(scan, &walk.path);
    if (is_label_count(scan->request)) {
        count_labels(scan);
        return E_OK;
    }
    if (walk.path.kind == SCAN_PATH_INDEX) {
        scan->need = SCAN_NEED_PROPS;
    }
    rc = visit_again(&walk);
    if (rc == E_OK && !scan->is_full) {
        rc = walk.path.kind == SCAN_PATH_ALL ? scan_all(&walk) : scan_parts(&walk);
    }
    /* The cursor's parts are to outlive this. */
    scan->at.vertex = vid_copy(&scan->arena, &scan->at.vertex);
    scan->at.key =
        slice_of(arena_copy(&scan->arena, scan->at.key.data, scan->at.key.size), scan->at.key.size);
    bytes_close(&walk.key);
    return rc;
}
