#include "shardd/look_source.h"

#include <assert.h>
#include <stdlib.h>

#include "shardd/look_emit.h"
#include "shardd/look_filter.h"
#include "shardd/look_hop.h"
#include "shardd/look_path.h"

/* ---- one vertex ---- */

/* Reads what is needed and not there yet. 1; 0: no such vertex; or an error. */
static int fetch(struct look *look, struct look_vertex *vertex)
{
    int rc = 1;

    if (look->need == LOOK_NEED_NOTHING || vertex->has_row) {
        return 1;
    }
    rc = look->need == LOOK_NEED_PROPS
             ? tables_vertex(look->tables, &vertex->id, &look->row, &vertex->row, look->err)
             : tables_vertex_head(look->tables, &vertex->id, &look->row, &vertex->row, look->err);
    vertex->has_row = rc == 1;
    return rc;
}

/* A vertex that is fetched: filters, then hop or row. */
static int follow(struct look *look, struct look_vertex *vertex)
{
    int rc = E_OK;

    if (look->at.passed == 0) {
        look->at.each = 0;
    }
    if (look_filter_vertex(look, &vertex->id, &vertex->row)) {
        if (look->request->hop.direction != 0) {
            rc = look_hop_run(look, vertex);
        } else {
            look_emit_vertex(look, vertex);
        }
        look_emit_input_end(look, vertex->ordinal);
    }
    arena_reset(&look->run);
    return rc;
}

/* ---- by id ---- */

static void slots_of_id(struct look *look, const struct vid *id)
{
    if (look->need != LOOK_NEED_NOTHING) {
        look_slot_vertex(look, ITEM_EXISTS, id, (struct slice){0});
    }
    if (look->need == LOOK_NEED_PROPS) {
        look_slot_vertex(look, ITEM_PROPS, id, (struct slice){0});
    }
}

static int visit_id(struct look *look, uint32_t ordinal)
{
    const struct read_input *input = &look->request->inputs[ordinal];
    struct look_vertex vertex = {.ordinal = ordinal, .bulk = input->bulk, .id = input->id};
    int rc;

    slots_of_id(look, &vertex.id);
    rc = fetch(look, &vertex);
    if (rc == 1) {
        rc = follow(look, &vertex);
    }
    look_spend(look, 1);
    arena_reset(&look->row);
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
static void hint(const struct look *look, const struct input_place *places)
{
    static const uint32_t ahead[] = {12, 8, 4};

    for (int stage = 0; stage < 3; stage++) {
        uint64_t at = look->at.position + ahead[stage];

        if (at < look->request->input_count) {
            look_hop_hint(look, places[at].id, stage);
        }
    }
}

int look_source_ids(struct look *look)
{
    const struct read_request *request = look->request;
    struct input_place *places =
        arena_alloc(&look->arena, (request->input_count + 1) * sizeof *places);
    bool is_ordered = true;
    int rc = E_OK;

    look->access = SLICE("ids");
    for (uint32_t i = 0; i < request->input_count; i++) {
        places[i] = (struct input_place){&request->inputs[i].id, i};
        is_ordered = is_ordered && (i == 0 || order_inputs(&places[i - 1], &places[i]) < 0);
    }
    if (!is_ordered) {
        qsort(places, request->input_count, sizeof *places, order_inputs);
    }
    while (look->at.position < request->input_count && rc == E_OK && !look->is_full) {
        hint(look, places);
        rc = visit_id(look, places[look->at.position].ordinal);
        if (look->at.passed == 0) {
            look->at.position++;
        }
    }
    if (look->at.position >= request->input_count && look->at.passed == 0) {
        look->is_full = false;
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

static void count_labels(struct look *look)
{
    const struct read_request *request = look->request;
    const struct counter_table *counters = &look->tables->counters;
    struct look_vertex none = {.bulk = 1};

    look->access = SLICE("counters");
    for (uint32_t label = 0; label < symbol_count(&look->tables->symbols); label++) {
        uint64_t count = counter_get(counters, false, label);

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
}

/* ---- read set of a scan ---- */

static void slots_of_labels(struct look *look, const struct look_path *path)
{
    for (uint32_t i = 0; i < path->label_count; i++) {
        look_slot_name(look, ITEM_VERTICES, path->labels[i]);
    }
    if (!path->has_labels) {
        look_slot_name(look, ITEM_VERTICES, (struct slice){0});
    }
}

static void slots_of_keys(struct look *look)
{
    const struct read_request *request = look->request;

    for (uint32_t i = 0; i < request->filter_count; i++) {
        if (request->filters[i].on >= READ_ON_KEY) {
            look_slot_name(look, ITEM_KEY, request->filters[i].key);
        }
    }
    if (request->hop.direction != 0 || request->emit != READ_ROWS) {
        return;
    }
    if (request->project == READ_ALL) {
        look_slot_name(look, ITEM_KEY, (struct slice){0});
    }
    for (uint32_t i = 0; i < request->key_count && request->project == READ_KEYS; i++) {
        look_slot_name(look, ITEM_KEY, request->keys[i]);
    }
}

static void slots_of_path(struct look *look, const struct look_path *path)
{
    const struct propindex *index = path->index;

    if (path->kind != LOOK_PATH_INDEX || !path->is_equality) {
        slots_of_labels(look, path);
        slots_of_keys(look);
        return;
    }
    for (uint32_t i = 0; i < path->range_count; i++) {
        look_slot(look, item_slot_value(index->key, path->ranges[i].value));
    }
}

/* ---- scans ---- */

struct scan {
    struct look *look;
    struct look_path path;
    enum stmt_id id;
    uint32_t candidates; /* Of an equality: these have slots of their own. */
    struct bytes key;    /* Cursor: the index key at hand. */
};

static void slots_of_candidate(struct scan *scan, const struct vid *id)
{
    if (scan->path.kind != LOOK_PATH_INDEX || !scan->path.is_equality) {
        return;
    }
    if (scan->candidates < LOOK_SLOT_VERTICES) {
        slots_of_id(scan->look, id);
    } else if (scan->candidates == LOOK_SLOT_VERTICES) {
        slots_of_labels(scan->look, &scan->path);
        slots_of_keys(scan->look);
    }
    scan->candidates++;
}

static int row_of_scan(struct scan *scan, struct look_vertex *vertex)
{
    struct look *look = scan->look;
    sqlite3_stmt *s = look->tables->stmt.list[scan->id];
    bool has_props = scan->id == STMT_VERTEX_SCAN || scan->id == STMT_VERTEX_SCAN_FROM;
    struct reader reader;

    vertex->has_row = true;
    vertex->row.exists = true;
    vertex->row.label = (uint32_t)sqlite3_column_int64(s, 1);
    vrow_decode_degrees(stmt_column_slice(s, 2), &look->row, &vertex->row, &reader);
    if (has_props && !reader.is_bad) {
        vrow_decode_props(stmt_column_slice(s, 3), &look->row, &vertex->row, &reader);
    }
    if (reader.is_bad || vertex->row.label >= symbol_count(&look->tables->symbols)) {
        return tables_blame_vertex(look->err, error_set(look->err, E_CORRUPT, "damaged row"),
                                   &vertex->id);
    }
    return E_OK;
}

/* A vertex with several values in the ranges comes up once for each: only the first counts. */
static bool is_first(struct scan *scan, const struct look_vertex *vertex,
                     const struct indexkey *key)
{
    struct indexkey first;
    uint32_t range;

    return look_path_first(scan->look, &scan->path, &vertex->row, &range, &first) &&
           range == scan->look->at.position && indexkey_equal(&first, key);
}

/* The vertex at the statement's row; key: of an index entry, else null. */
static int visit_row(struct scan *scan, const struct indexkey *key)
{
    struct look *look = scan->look;
    struct look_vertex vertex = {.bulk = 1};
    sqlite3_stmt *s = look->tables->stmt.list[scan->id];
    int rc;

    if (!stmt_column_vid(s, key == NULL ? 0 : 1, &vertex.id)) {
        return error_set(look->err, E_CORRUPT, "table vertex or index: no id");
    }
    arena_reset(&look->row);
    vertex.id = vid_copy(&look->row, &vertex.id);
    look->at.has_vertex = true;
    look->at.vertex = vertex.id;
    slots_of_candidate(scan, &vertex.id);
    rc = scan->path.kind == LOOK_PATH_SCAN ? row_of_scan(scan, &vertex) : fetch(look, &vertex);
    if (rc >= 0 && look->need != LOOK_NEED_NOTHING && !vertex.has_row) {
        rc = error_set(look->err, E_CORRUPT, "indexed vertex is not there");
        return tables_blame_vertex(look->err, rc, &vertex.id);
    }
    if (rc < 0) {
        return rc;
    }
    rc = key == NULL || is_first(scan, &vertex, key) ? follow(look, &vertex) : E_OK;
    look_spend(look, 1);
    return rc;
}

/* The vertex whose hop the reply before left off in the middle. */
static int visit_again(struct scan *scan)
{
    struct look *look = scan->look;
    struct look_vertex vertex = {.bulk = 1, .id = look->at.vertex};
    int rc;

    if (!look->at.has_vertex || look->at.passed == 0) {
        return E_OK;
    }
    slots_of_candidate(scan, &vertex.id);
    rc = fetch(look, &vertex);
    if (rc == 1) {
        rc = follow(look, &vertex);
    } else if (rc == 0) {
        look->at.passed = 0; /* Dropped meanwhile: validation will tell. */
    }
    look_spend(look, 1);
    arena_reset(&look->run);
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

static void encode_key(struct scan *scan, const struct indexkey *key)
{
    bytes_clear(&scan->key);
    bytes_u8(&scan->key, (uint8_t)key->kind);
    bytes_zigzag(&scan->key, key->integer);
    bytes_double(&scan->key, key->real);
    bytes_append(&scan->key, key->bytes, key->size);
    scan->look->at.key = bytes_slice(&scan->key);
}

static int decode_key(struct look *look, struct indexkey *key)
{
    struct reader reader;

    reader_init(&reader, look->at.key);
    *key = (struct indexkey){.kind = (enum indexkey_kind)reader_u8(&reader)};
    key->integer = reader_zigzag(&reader);
    key->real = reader_double(&reader);
    key->size = (uint32_t)reader_left(&reader);
    if (reader.is_bad || key->kind <= INDEXKEY_NONE || key->kind > INDEXKEY_BLOB ||
        key->size > INDEXKEY_BYTES_MAX) {
        return error_set(look->err, E_MALFORMED, "cursor of an index");
    }
    for (uint32_t i = 0; i < key->size; i++) {
        key->bytes[i] = reader.at[i];
    }
    return E_OK;
}

/* Steps through the statement until it or the budget ends. */
static int drain(struct scan *scan)
{
    struct look *look = scan->look;
    struct stmt *stmt = &look->tables->stmt;
    bool is_index = scan->path.kind == LOOK_PATH_INDEX;
    int rc;

    while ((rc = stmt_step(stmt, scan->id, look->err)) == 1) {
        struct indexkey key;

        if (is_index) {
            key = column_key(stmt->list[scan->id]);
            encode_key(scan, &key);
        }
        rc = visit_row(scan, is_index ? &key : NULL);
        if (rc != E_OK || look->is_full) {
            stmt_reset(stmt, scan->id);
            return rc;
        }
    }
    return rc;
}

static int scan_all(struct scan *scan)
{
    struct look *look = scan->look;
    bool has_from = look->at.has_vertex;
    sqlite3_stmt *s;

    if (look->need == LOOK_NEED_PROPS) {
        scan->id = has_from ? STMT_VERTEX_SCAN_FROM : STMT_VERTEX_SCAN;
    } else {
        scan->id = has_from ? STMT_VERTEX_HEADS_FROM : STMT_VERTEX_HEADS;
    }
    s = stmt_get(&look->tables->stmt, scan->id);
    if (has_from) {
        look->at.vertex = vid_copy(&look->arena, &look->at.vertex);
        stmt_bind_vid(s, 1, &look->at.vertex);
    }
    return drain(scan);
}

static int scan_label(struct scan *scan, struct slice name)
{
    struct look *look = scan->look;
    uint32_t label = symbol_find(&look->tables->symbols, name);
    sqlite3_stmt *s;

    if (label == SYMBOL_NONE) {
        return E_OK;
    }
    scan->id = look->at.has_vertex ? STMT_LABEL_SCAN_FROM : STMT_LABEL_SCAN;
    s = stmt_get(&look->tables->stmt, scan->id);
    sqlite3_bind_int64(s, 1, label);
    if (look->at.has_vertex) {
        look->at.vertex = vid_copy(&look->arena, &look->at.vertex);
        stmt_bind_vid(s, 2, &look->at.vertex);
    }
    return drain(scan);
}

static int scan_range(struct scan *scan, const struct look_path_range *range)
{
    struct look *look = scan->look;
    struct indexkey from = range->low;
    sqlite3_stmt *s;

    scan->id = look->at.has_vertex ? STMT_INDEX_RANGE_FROM : STMT_INDEX_RANGE;
    if (look->at.has_vertex) {
        int rc = decode_key(look, &from);
        if (rc != E_OK) {
            return rc;
        }
    }
    s = stmt_get(&look->tables->stmt, scan->id);
    sqlite3_bind_int64(s, 1, scan->path.index->n);
    propindex_bind(s, 2, &from);
    propindex_bind(s, 3, &range->high);
    if (look->at.has_vertex) {
        look->at.vertex = vid_copy(&look->arena, &look->at.vertex);
        stmt_bind_vid(s, 4, &look->at.vertex);
    }
    return drain(scan);
}

/* Labels or ranges, one after another; look->at.position is the one at hand. */
static int scan_parts(struct scan *scan)
{
    struct look *look = scan->look;
    bool is_index = scan->path.kind == LOOK_PATH_INDEX;
    uint32_t count = is_index ? scan->path.range_count : scan->path.label_count;
    int rc = E_OK;

    while (look->at.position < count && rc == E_OK) {
        uint64_t at = look->at.position;

        rc = is_index ? scan_range(scan, &scan->path.ranges[at])
                      : scan_label(scan, scan->path.labels[at]);
        if (rc != E_OK || look->is_full) {
            break;
        }
        look->at.position++;
        look->at.has_vertex = false;
    }
    return rc;
}

int look_source_vertices(struct look *look)
{
    struct scan scan = {.look = look};
    int rc;

    look_path_choose(look, &scan.path);
    slots_of_path(look, &scan.path);
    if (is_label_count(look->request)) {
        count_labels(look);
        return E_OK;
    }
    if (scan.path.kind == LOOK_PATH_INDEX) {
        look->need = LOOK_NEED_PROPS;
    }
    rc = visit_again(&scan);
    if (rc == E_OK && !look->is_full) {
        rc = scan.path.kind == LOOK_PATH_SCAN ? scan_all(&scan) : scan_parts(&scan);
    }
    /* The cursor's parts are to outlive this. */
    look->at.vertex = vid_copy(&look->arena, &look->at.vertex);
    look->at.key =
        slice_of(arena_copy(&look->arena, look->at.key.data, look->at.key.size), look->at.key.size);
    bytes_close(&scan.key);
    return rc;
}
