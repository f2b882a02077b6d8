#include "shardd/store/tables.h"

#include <assert.h>

int tables_open(struct tables *tables, const char *path, const char *vfs, size_t cache_bytes,
                struct error *err)
{
    int rc;

    *tables = (struct tables){0};
    rc = stmt_open(&tables->stmt, path, vfs, cache_bytes, err);
    if (rc == E_OK) {
        rc = tables_reload(tables, err);
    }
    if (rc != E_OK) {
        tables_close(tables);
    }
    return rc;
}

void tables_close(struct tables *tables)
{
    adjcache_close(&tables->cache);
    propindex_close(&tables->indexes);
    counter_close(&tables->counters);
    symbol_close(&tables->symbols);
    stmt_close(&tables->stmt);
}

int tables_reload(struct tables *tables, struct error *err)
{
    int rc;

    adjcache_clear(&tables->cache);
    symbol_close(&tables->symbols);
    rc = symbol_open(&tables->symbols, &tables->stmt, err);
    if (rc == E_OK) {
        rc = counter_load(&tables->counters, &tables->stmt, err);
    }
    return rc == E_OK ? propindex_load(&tables->indexes, &tables->stmt, err) : rc;
}

int tables_blame_vertex(struct error *err, int code, const struct vid *vertex)
{
    if (code == E_OK || err == NULL) {
        return code;
    }
    if (vertex->text.data == NULL) {
        error_prefix(err, "table vertex, id %lld", (long long)vertex->num);
    } else {
        error_prefix(err, "table vertex, id \"%.*s\"", (int)vertex->text.size,
                     (const char *)vertex->text.data);
    }
    return code;
}

static int read_row(struct tables *tables, enum stmt_id id, const struct vid *vertex,
                    struct arena *arena, struct vrow *row, struct error *err)
{
    sqlite3_stmt *s = stmt_get(&tables->stmt, id);
    struct reader reader;
    struct slice blob;
    int rc;

    *row = (struct vrow){0};
    stmt_bind_vid(s, 1, vertex);
    rc = stmt_step(&tables->stmt, id, err);
    if (rc != 1) {
        return rc;
    }
    row->exists = true;
    row->label = (uint32_t)sqlite3_column_int64(s, 0);
    vrow_decode_degrees(stmt_column_slice(s, 1), arena, row, &reader);
    if (!reader.is_bad && id == STMT_VERTEX_GET) {
        blob = stmt_column_slice(s, 2);
        blob.data = arena_copy(arena, blob.data, blob.size);
        row->digest = vrow_digest(vertex, row->label, blob);
        vrow_decode_props(blob, arena, row, &reader);
    }
    stmt_reset(&tables->stmt, id);
    if (reader.is_bad || row->label >= symbol_count(&tables->symbols)) {
        rc = error_set(err, E_CORRUPT, "damaged row");
        return tables_blame_vertex(err, rc, vertex);
    }
    return 1;
}

int tables_vertex(struct tables *tables, const struct vid *vertex, struct arena *arena,
                  struct vrow *row, struct error *err)
{
    return read_row(tables, STMT_VERTEX_GET, vertex, arena, row, err);
}

int tables_vertex_head(struct tables *tables, const struct vid *vertex, struct arena *arena,
                       struct vrow *row, struct error *err)
{
    return read_row(tables, STMT_VERTEX_HEAD, vertex, arena, row, err);
}
