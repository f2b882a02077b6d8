#include <assert.h>

#include "common/mem.h"
#include "common/packed.h"
#include "shardd/store/adjacency.h"
#include "shardd/store/edgeplace.h"
#include "shardd/store/pagesum.h"
#include "shardd/store/store_inner.h"

enum { PAGES_AT_ONCE = 1024 };

/* Recomputes all that is derived. Base data: runs of out and in halves, vertices' labels and
 * properties. */
struct verify {
    struct store *store;
    struct arena arena;
    struct bytes text;
    store_fault_fn fault;
    void *ctx;
    uint64_t *vertex_counts; /* By label. */
    uint64_t *edge_counts;
    uint64_t digest; /* Of the vertices. */
    uint32_t symbols;
    uint64_t places_wanted; /* Out halves seen. */
    struct edgeplace_finder finder;
    struct error *err;
};

static void print_vid(struct bytes *out, const struct vid *id)
{
    if (id->text.data == NULL) {
        bytes_format(out, "%lld", (long long)id->num);
    } else {
        bytes_format(out, "\"%.*s\"", (int)id->text.size, (const char *)id->text.data);
    }
}

/* "<what> <id>: <text>" */
static void say(struct verify *verify, const char *what, const struct vid *id, const char *text)
{
    bytes_clear(&verify->text);
    bytes_format(&verify->text, "%s ", what);
    print_vid(&verify->text, id);
    bytes_format(&verify->text, ": %s", text);
    bytes_u8(&verify->text, 0);
    verify->fault(verify->ctx, (const char *)verify->text.data);
}

/* ---- vertices: labels, degrees, indexes ---- */

/* Counts the halves of a vertex by label and direction into degrees of `found`. */
static int count_halves(struct verify *verify, const struct vid *vertex, uint8_t direction,
                        struct vrow *found)
{
    struct stmt *stmt = &verify->store->tables.stmt;
    sqlite3_stmt *s = stmt_get(stmt, STMT_RUN_EVERY);
    int rc;

    sqlite3_bind_int(s, 1, direction);
    stmt_bind_vid(s, 2, vertex);
    while ((rc = stmt_step(stmt, STMT_RUN_EVERY, verify->err)) == 1) {
        struct edgerun run;

        rc =
            edgerun_decode(stmt_column_slice(s, 3), EDGERUN_FAR, &verify->arena, &run, verify->err);
        if (rc != E_OK) {
            stmt_reset(stmt, STMT_RUN_EVERY);
            return rc;
        }
        vrow_degree_add(found, &verify->arena, direction, (uint32_t)sqlite3_column_int64(s, 0),
                        run.count);
    }
    return rc;
}

static bool is_same_degrees(const struct vrow *a, const struct vrow *b)
{
    for (uint32_t i = 0; i < a->degree_count; i++) {
        const struct vrow_degree *degree = &a->degrees[i];

        if (vrow_degree(b, degree->direction, degree->label) != degree->count) {
            return false;
        }
    }
    return vrow_degree_total(a) == vrow_degree_total(b);
}

static int verify_degrees(struct verify *verify, const struct vid *vertex, const struct vrow *row)
{
    struct vrow found = {0};
    int rc = count_halves(verify, vertex, VROW_OUT, &found);

    if (rc == E_OK) {
        rc = count_halves(verify, vertex, VROW_IN, &found);
    }
    if (rc == E_OK && !is_same_degrees(row, &found)) {
        say(verify, "vertex", vertex, "degrees differ from its edges");
    }
    return rc;
}

/* A row (label, id) or (n, id, k) has to be there. */
static int verify_entry(struct verify *verify, const struct vid *vertex, enum stmt_id id, int64_t n,
                        const struct indexkey *key)
{
    struct stmt *stmt = &verify->store->tables.stmt;
    sqlite3_stmt *s = stmt_get(stmt, id);
    int rc;

    sqlite3_bind_int64(s, 1, n);
    stmt_bind_vid(s, 2, vertex);
    if (key != NULL) {
        propindex_bind(s, 3, key);
    }
    rc = stmt_step(stmt, id, verify->err);
    if (rc == 1) {
        stmt_reset(stmt, id);
        return E_OK;
    }
    if (rc == E_OK) {
        say(verify, "vertex", vertex, key == NULL ? "not in the label index" : "not in an index");
    }
    return rc;
}

static int verify_indexes(struct verify *verify, const struct vid *vertex, const struct vrow *row)
{
    const struct propindex_table *table = &verify->store->tables.indexes;
    int rc = verify_entry(verify, vertex, STMT_LABEL_HAS, row->label, NULL);

    for (uint32_t i = 0; i < table->count && rc == E_OK; i++) {
        struct indexkey *keys;
        uint32_t count;

        if (table->list[i].state != PROPINDEX_READY) {
            continue;
        }
        count = propindex_keys(&table->list[i], &verify->store->tables.symbols, row, &verify->arena,
                               &keys);
        for (uint32_t k = 0; k < count && rc == E_OK; k++) {
            rc = verify_entry(verify, vertex, STMT_INDEX_HAS, table->list[i].n, &keys[k]);
        }
    }
    return rc;
}

static int verify_vertex(struct verify *verify, const struct vid *vertex)
{
    struct vrow row;
    int rc = tables_vertex(&verify->store->tables, vertex, &verify->arena, &row, verify->err);

    if (rc != 1) {
        return rc;
    }
    verify->vertex_counts[row.label]++;
    verify->digest += row.digest;
    if (!store_inner_owns(verify->store, vertex)) {
        say(verify, "vertex", vertex, "is not of this shard's range");
    }
    rc = verify_degrees(verify, vertex, &row);
    return rc == E_OK ? verify_indexes(verify, vertex, &row) : rc;
}

/* ---- halves: order, ends, places ---- */

static int verify_place(struct verify *verify, const struct vid *vertex, uint32_t label,
                        const struct edgerun_half *half)
{
    struct edgeplace place;
    int rc = edgeplace_find(&verify->store->tables.stmt, &verify->finder, &half->edge, &place,
                            verify->err);

    if (rc < 0) {
        return rc;
    }
    if (rc == 0 || !vid_equal(&place.source, vertex) || !vid_equal(&place.far, &half->far) ||
        place.label != label) {
        say(verify, "edge", &half->edge, "its place is missing or wrong");
    }
    return E_OK;
}

/* Halves ascend within a run and start at or after its beginning. */
static void verify_order(struct verify *verify, const struct edgerun_half *halves, uint32_t count,
                         const struct vid *low)
{
    if (vid_order(low, &halves[0].far) > 0) {
        say(verify, "edge", &halves[0].edge, "is before its run begins");
    }
    for (uint32_t i = 1; i < count; i++) {
        if (edgerun_order(&halves[i - 1].far, &halves[i - 1].edge, &halves[i].far,
                          &halves[i].edge) >= 0) {
            say(verify, "edge", &halves[i].edge, "is out of order in its run");
        }
    }
}

static int verify_run(struct verify *verify, sqlite3_stmt *s, uint8_t direction)
{
    uint32_t label = (uint32_t)sqlite3_column_int64(s, 1);
    struct edgerun_half *halves;
    struct vid vertex, low;
    struct vrow row;
    struct edgerun run;
    int rc;

    if (!stmt_column_vid(s, 0, &vertex) || !stmt_column_vid(s, 2, &low) ||
        label >= verify->symbols) {
        return error_set(verify->err, E_CORRUPT, "table adjacency: damaged key");
    }
    rc = edgerun_decode(stmt_column_slice(s, 4), EDGERUN_ALL, &verify->arena, &run, verify->err);
    if (rc != E_OK) {
        const struct adjacency_key key = {direction, vertex, label};
        return adjacency_blame(verify->err, rc, &key);
    }
    halves = edgerun_halves(&run, &verify->arena);
    verify_order(verify, halves, run.count, &low);
    rc = tables_vertex_head(&verify->store->tables, &vertex, &verify->arena, &row, verify->err);
    if (rc == 0) {
        say(verify, "vertex", &vertex, "has edges but is not there");
    }
    if (direction == VROW_OUT) {
        verify->edge_counts[label] += run.count;
        verify->places_wanted += run.count;
        for (uint32_t i = 0; i < run.count && rc >= 0; i++) {
            rc = verify_place(verify, &vertex, label, &halves[i]);
        }
    }
    return rc < 0 ? rc : E_OK;
}

/* ---- pages ---- */

/* Those that no read meets, too, and past SQLite's cache. Behind a checkpoint the file is whole by
 * itself, and stays so: pages are written by checkpoints only. */
static int walk_pages(struct verify *verify)
{
    struct stmt *stmt = &verify->store->tables.stmt;
    int rc = sqlite3_wal_checkpoint_v2(stmt->db, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
    bool found = false;

    if (rc != SQLITE_OK) {
        return stmt_error(stmt, rc, "checkpoint", verify->err);
    }
    for (uint32_t page = 1; page != 0;) {
        uint32_t bad = pagesum_scan(stmt->db, &page, PAGES_AT_ONCE);
        if (bad != 0) {
            found = true;
            verify->fault(verify->ctx,
                          arena_format(&verify->arena, "page %u of %s does not match its checksum",
                                       bad, verify->store->path));
        }
    }
    return found ? stmt_error(stmt, SQLITE_IOERR_DATA, "pages", verify->err) : E_OK;
}

/* ---- walks ---- */

static int walk_vertices(struct verify *verify)
{
    struct stmt *stmt = &verify->store->tables.stmt;
    int rc;

    stmt_get(stmt, STMT_VERTEX_HEADS);
    while ((rc = stmt_step(stmt, STMT_VERTEX_HEADS, verify->err)) == 1) {
        struct vid vertex;

        arena_reset(&verify->arena);
        if (!stmt_column_vid(stmt->list[STMT_VERTEX_HEADS], 0, &vertex)) {
            rc = error_set(verify->err, E_CORRUPT, "table vertex: a row without id");
        } else {
            rc = verify_vertex(verify, &vertex);
        }
        if (rc != E_OK) {
            stmt_reset(stmt, STMT_VERTEX_HEADS);
            break;
        }
    }
    return rc;
}

static int walk_runs(struct verify *verify, uint8_t direction)
{
    struct stmt *stmt = &verify->store->tables.stmt;
    sqlite3_stmt *s = stmt_get(stmt, STMT_RUN_SCAN);
    int rc;

    sqlite3_bind_int(s, 1, direction);
    while ((rc = stmt_step(stmt, STMT_RUN_SCAN, verify->err)) == 1) {
        arena_reset(&verify->arena);
        rc = verify_run(verify, s, direction);
        if (rc != E_OK) {
            stmt_reset(stmt, STMT_RUN_SCAN);
            break;
        }
    }
    return rc;
}

/* Rows that nothing asks for: more entries than there should be. */
static int walk_places(struct verify *verify)
{
    struct stmt *stmt = &verify->store->tables.stmt;
    uint64_t found = 0;
    int rc;

    stmt_get(stmt, STMT_PLACE_SCAN);
    while ((rc = stmt_step(stmt, STMT_PLACE_SCAN, verify->err)) == 1) {
        struct edgeplace_run run;

        arena_reset(&verify->arena);
        rc = edgeplace_decode(stmt_column_slice(stmt->list[STMT_PLACE_SCAN], 1), &verify->arena,
                              &run, verify->err);
        if (rc != E_OK) {
            stmt_reset(stmt, STMT_PLACE_SCAN);
            return rc;
        }
        for (uint32_t i = 0; i < run.count; i++) {
            struct edgeplace place = edgeplace_at(&run, i);
            bool is_claim = edgeplace_is_claim(&verify->store->tables.symbols, place.label);
            found += !is_claim;
            if (is_claim && !store_inner_owns(verify->store, &place.edge)) {
                say(verify, "edge", &place.edge, "its id is not to be claimed in this shard");
            }
        }
    }
    if (rc == E_OK && found != verify->places_wanted) {
        verify->fault(verify->ctx, "table place: more edges than there are out halves");
    }
    return rc;
}

static int walk_labels(struct verify *verify)
{
    struct stmt *stmt = &verify->store->tables.stmt;
    uint64_t found = 0;
    int rc;

    stmt_get(stmt, STMT_LABEL_EVERY);
    while ((rc = stmt_step(stmt, STMT_LABEL_EVERY, verify->err)) == 1) {
        found++;
    }
    for (uint32_t i = 0; i < verify->symbols; i++) {
        found -= verify->vertex_counts[i];
    }
    if (rc == E_OK && found != 0) {
        verify->fault(verify->ctx, "table vertex_label: other entries than vertices");
    }
    return rc;
}

/* Each entry's vertex has that value. */
static int walk_index(struct verify *verify, const struct propindex *index)
{
    struct stmt *stmt = &verify->store->tables.stmt;
    sqlite3_stmt *s = stmt->list[STMT_INDEX_EVERY];
    int rc;

    stmt_get(stmt, STMT_INDEX_EVERY);
    while ((rc = stmt_step(stmt, STMT_INDEX_EVERY, verify->err)) == 1) {
        struct indexkey *keys;
        struct vid vertex;
        struct vrow row;
        uint32_t count = 0;
        bool found = false;

        if (sqlite3_column_int64(s, 0) != index->n || !stmt_column_vid(s, 2, &vertex)) {
            continue;
        }
        arena_reset(&verify->arena);
        rc = tables_vertex(&verify->store->tables, &vertex, &verify->arena, &row, verify->err);
        if (rc < 0) {
            stmt_reset(stmt, STMT_INDEX_EVERY);
            return rc;
        }
        count = propindex_keys(index, &verify->store->tables.symbols, &row, &verify->arena, &keys);
        for (uint32_t i = 0; i < count; i++) {
            found |= propindex_is_column(s, 1, &keys[i]);
        }
        if (!found) {
            say(verify, "vertex", &vertex, "an index entry has a value that it has not");
        }
    }
    return rc;
}

static int walk_indexes(struct verify *verify)
{
    const struct propindex_table *table = &verify->store->tables.indexes;
    int rc = walk_labels(verify);

    for (uint32_t i = 0; i < table->count && rc == E_OK; i++) {
        if (table->list[i].state == PROPINDEX_READY) {
            rc = walk_index(verify, &table->list[i]);
        }
    }
    return rc;
}

static void verify_counters(struct verify *verify)
{
    const struct counter_table *counters = &verify->store->tables.counters;

    for (uint32_t i = 0; i < verify->symbols; i++) {
        if (counter_get(counters, false, i) != verify->vertex_counts[i] ||
            counter_get(counters, true, i) != verify->edge_counts[i]) {
            struct slice name = symbol_name(&verify->store->tables.symbols, i);
            verify->fault(verify->ctx, arena_format(&verify->arena, "counters of label %.*s differ",
                                                    (int)name.size, (const char *)name.data));
        }
    }
}

/* A vertex or a property that was lost, or changed, together with its counters and index entries.
 */
static int verify_digest(struct verify *verify)
{
    struct tables *tables = &verify->store->tables;

    if (tables->counters.has_digest) {
        if (tables->counters.digest != verify->digest) {
            verify->fault(verify->ctx,
                          "vertices or properties were lost, or changed otherwise than "
                          "by a transaction: their digest differs");
        }
        return E_OK;
    }
    int rc = store_inner_begin(verify->store, 1, verify->err);
    if (rc == E_OK) {
        counter_begin_digest(&tables->counters, verify->digest);
        rc = counter_flush(&tables->counters, &tables->stmt, verify->err);
    }
    return rc == E_OK ? store_inner_commit(verify->store, verify->err) : rc;
}

int store_verify(struct store *store, store_fault_fn fault, void *ctx, struct error *err)
{
    struct verify verify = {.store = store,
                            .fault = fault,
                            .ctx = ctx,
                            .symbols = symbol_count(&store->tables.symbols),
                            .err = err};
    int rc;

    verify.vertex_counts = mem_array(verify.symbols, sizeof *verify.vertex_counts);
    verify.edge_counts = mem_array(verify.symbols, sizeof *verify.edge_counts);
    arena_init(&verify.arena, 0);
    bytes_init(&verify.text, 0);
    rc = walk_pages(&verify);
    if (rc == E_OK) {
        rc = walk_vertices(&verify);
    }
    if (rc == E_OK) {
        rc = walk_runs(&verify, VROW_OUT);
    }
    if (rc == E_OK) {
        rc = walk_runs(&verify, VROW_IN);
    }
    if (rc == E_OK) {
        rc = walk_places(&verify);
    }
    if (rc == E_OK) {
        rc = walk_indexes(&verify);
    }
    if (rc == E_OK) {
        verify_counters(&verify);
        rc = verify_digest(&verify);
    }
    edgeplace_finder_close(&verify.finder);
    bytes_close(&verify.text);
    arena_close(&verify.arena);
    mem_free(verify.vertex_counts);
    mem_free(verify.edge_counts);
    return rc;
}
