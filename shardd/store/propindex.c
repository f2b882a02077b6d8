#include "shardd/store/propindex.h"

#include <assert.h>

#include "common/packed.h"

static struct slice keep(struct arena *arena, struct slice slice)
{
    return slice_of(arena_copy(arena, slice.data, slice.size), slice.size);
}

int propindex_load(struct propindex_table *table, struct stmt *stmt, struct error *err)
{
    enum stmt_id id = STMT_INDEX_ALL;
    int rc;

    propindex_close(table);
    arena_init(&table->arena, 0);
    table->list = arena_array(&table->arena, SHARDMAP_INDEXES_MAX * 2, sizeof *table->list);
    stmt_get(stmt, id);
    while ((rc = stmt_step(stmt, id, err)) == 1) {
        sqlite3_stmt *s = stmt->list[id];
        struct propindex *index = &table->list[table->count];
        int state = sqlite3_column_int(s, 4);

        if (table->count == SHARDMAP_INDEXES_MAX * 2 || state < PROPINDEX_BUILDING ||
            state > PROPINDEX_DROPPING) {
            stmt_reset(stmt, id);
            return error_set(err, E_CORRUPT, "table idx_def: row %u", table->count);
        }
        index->n = sqlite3_column_int64(s, 0);
        index->name = keep(&table->arena, stmt_column_slice(s, 1));
        index->label = keep(&table->arena, stmt_column_slice(s, 2));
        index->key = keep(&table->arena, stmt_column_slice(s, 3));
        index->state = (enum propindex_state)state;
        index->has_at = stmt_column_vid(s, 5, &index->at);
        if (index->has_at) {
            index->at = vid_copy(&table->arena, &index->at);
        }
        table->count++;
    }
    return rc;
}

void propindex_close(struct propindex_table *table)
{
    arena_close(&table->arena);
    *table = (struct propindex_table){0};
}

/* ---- definitions ---- */

static int write_definition(struct stmt *stmt, const struct propindex *index, struct error *err)
{
    sqlite3_stmt *s = stmt_get(stmt, STMT_INDEX_DEFINE);

    sqlite3_bind_int64(s, 1, index->n);
    stmt_bind_slice(s, 2, index->name);
    stmt_bind_slice(s, 3, index->label);
    stmt_bind_slice(s, 4, index->key);
    sqlite3_bind_int(s, 5, (int)index->state);
    if (index->has_at) {
        stmt_bind_vid(s, 6, &index->at);
    } else {
        sqlite3_bind_null(s, 6);
    }
    return stmt_run(stmt, STMT_INDEX_DEFINE, err);
}

static bool is_same(const struct propindex *index, const struct shardmap_index *wanted)
{
    return index->state != PROPINDEX_DROPPING && slice_equal(index->name, wanted->name) &&
           slice_equal(index->label, wanted->label) && slice_equal(index->key, wanted->key);
}

static int drop_missing(struct propindex_table *table, struct stmt *stmt,
                        const struct shardmap_index *wanted, uint32_t count, struct error *err)
{
    for (uint32_t i = 0; i < table->count; i++) {
        bool is_wanted = false;
        int rc = E_OK;

        for (uint32_t w = 0; w < count; w++) {
            is_wanted |= is_same(&table->list[i], &wanted[w]);
        }
        if (!is_wanted && table->list[i].state != PROPINDEX_DROPPING) {
            table->list[i].state = PROPINDEX_DROPPING;
            rc = write_definition(stmt, &table->list[i], err);
        }
        if (rc != E_OK) {
            return rc;
        }
    }
    return E_OK;
}

int propindex_define(struct propindex_table *table, struct stmt *stmt,
                     const struct shardmap_index *wanted, uint32_t count, struct error *err)
{
    int64_t n = table->count == 0 ? 0 : table->list[table->count - 1].n;
    int rc;

    if (count > SHARDMAP_INDEXES_MAX) {
        return error_set(err, E_LIMIT, "%u indexes, at most %d", count, SHARDMAP_INDEXES_MAX);
    }
    rc = drop_missing(table, stmt, wanted, count, err);
    for (uint32_t w = 0; w < count && rc == E_OK; w++) {
        struct propindex fresh = {.n = n + 1,
                                  .state = PROPINDEX_BUILDING,
                                  .name = wanted[w].name,
                                  .label = wanted[w].label,
                                  .key = wanted[w].key};
        bool is_there = false;

        for (uint32_t i = 0; i < table->count; i++) {
            is_there |= is_same(&table->list[i], &wanted[w]);
        }
        if (!is_there) {
            rc = write_definition(stmt, &fresh, err);
            n++;
        }
    }
    return rc == E_OK ? propindex_load(table, stmt, err) : rc;
}

const struct propindex *propindex_find(const struct propindex_table *table, struct slice key,
                                       struct slice label)
{
    const struct propindex *found = NULL;

    for (uint32_t i = 0; i < table->count; i++) {
        const struct propindex *index = &table->list[i];

        if (index->state != PROPINDEX_READY || !slice_equal(index->key, key)) {
            continue;
        }
        if (index->label.size > 0 && slice_equal(index->label, label)) {
            return index;
        }
        if (index->label.size == 0) {
            found = index;
        }
    }
    return found;
}

/* ---- entries ---- */

void propindex_bind(sqlite3_stmt *s, int at, const struct indexkey *key)
{
    assert(key->kind != INDEXKEY_NONE);
    if (key->kind == INDEXKEY_INTEGER) {
        sqlite3_bind_int64(s, at, key->integer);
    } else if (key->kind == INDEXKEY_REAL) {
        sqlite3_bind_double(s, at, key->real);
    } else {
        sqlite3_bind_blob(s, at, key->bytes, (int)key->size, SQLITE_STATIC);
    }
}

bool propindex_is_column(sqlite3_stmt *s, int at, const struct indexkey *key)
{
    int type = sqlite3_column_type(s, at);
    double real;

    if (key->kind == INDEXKEY_INTEGER) {
        return type == SQLITE_INTEGER && sqlite3_column_int64(s, at) == key->integer;
    }
    if (key->kind == INDEXKEY_REAL) {
        real = sqlite3_column_double(s, at);
        return type == SQLITE_FLOAT && !(real < key->real) && !(real > key->real);
    }
    return key->kind == INDEXKEY_BLOB && type == SQLITE_BLOB &&
           slice_equal(stmt_column_slice(s, at), slice_of(key->bytes, key->size));
}

static bool has_key(const struct indexkey *keys, uint32_t count, const struct indexkey *key)
{
    for (uint32_t i = 0; i < count; i++) {
        if (indexkey_equal(&keys[i], key)) {
            return true;
        }
    }
    return false;
}

uint32_t propindex_keys(const struct propindex *index, const struct symbol_table *symbols,
                        const struct vrow *row, struct arena *arena, struct indexkey **keys)
{
    uint32_t symbol = symbol_find(symbols, index->key);
    uint32_t n = 0;

    *keys = NULL;
    if (!row->exists || symbol == SYMBOL_NONE ||
        (index->label.size > 0 && !slice_equal(symbol_name(symbols, row->label), index->label))) {
        return 0;
    }
    for (uint32_t i = 0; i < row->prop_count; i++) {
        struct reader reader;
        struct value value;

        if (row->props[i].key != symbol) {
            continue;
        }
        if (*keys == NULL) {
            *keys = arena_alloc(arena, (row->prop_count - i) * sizeof **keys);
        }
        reader_init(&reader, row->props[i].packed);
        packed_decode(&reader, arena, &value);
        indexkey_make(&value, &(*keys)[n]);
        if ((*keys)[n].kind != INDEXKEY_NONE && !has_key(*keys, n, &(*keys)[n])) {
            n++;
        }
    }
    return n;
}

static int write_entry(struct stmt *stmt, enum stmt_id id, int64_t n, const struct indexkey *key,
                       const struct vid *vertex, struct error *err)
{
    sqlite3_stmt *s = stmt_get(stmt, id);

    sqlite3_bind_int64(s, 1, n);
    propindex_bind(s, 2, key);
    stmt_bind_vid(s, 3, vertex);
    return stmt_run(stmt, id, err);
}

static int update_one(const struct propindex *index, struct vrow_names *names,
                      const struct vid *vertex, const struct vrow *before, const struct vrow *after,
                      struct error *err)
{
    struct arena arena = {0};
    struct indexkey *old_keys, *new_keys;
    uint32_t old_count = propindex_keys(index, names->table, before, &arena, &old_keys);
    uint32_t new_count = propindex_keys(index, names->table, after, &arena, &new_keys);
    int rc = E_OK;

    for (uint32_t i = 0; i < old_count && rc == E_OK; i++) {
        if (!has_key(new_keys, new_count, &old_keys[i])) {
            rc = write_entry(names->stmt, STMT_INDEX_DELETE, index->n, &old_keys[i], vertex, err);
        }
    }
    for (uint32_t i = 0; i < new_count && rc == E_OK; i++) {
        if (!has_key(old_keys, old_count, &new_keys[i])) {
            rc = write_entry(names->stmt, STMT_INDEX_ADD, index->n, &new_keys[i], vertex, err);
        }
    }
    arena_close(&arena);
    return rc;
}

int propindex_update(const struct propindex_table *table, struct vrow_names *names,
                     const struct vid *vertex, const struct vrow *before, const struct vrow *after,
                     struct error *err)
{
    int rc = E_OK;

    for (uint32_t i = 0; i < table->count && rc == E_OK; i++) {
        if (table->list[i].state != PROPINDEX_DROPPING) {
            rc = update_one(&table->list[i], names, vertex, before, after, err);
        }
    }
    return rc;
}

/* ---- building ---- */

/* Adds the entries of the vertex at the statement's row. */
static int build_row(struct propindex_table *table, struct propindex *index,
                     struct vrow_names *names, sqlite3_stmt *s, struct error *err)
{
    struct arena arena = {0};
    struct reader reader;
    struct vrow row = {.exists = true};
    struct indexkey *keys;
    uint32_t count;
    struct vid vertex;
    int rc = E_OK;

    if (!stmt_column_vid(s, 0, &vertex)) {
        return error_set(err, E_CORRUPT, "table vertex: a row without id");
    }
    row.label = (uint32_t)sqlite3_column_int64(s, 1);
    vrow_decode_props(stmt_column_slice(s, 3), &arena, &row, &reader);
    if (reader.is_bad) {
        arena_close(&arena);
        return error_set(err, E_CORRUPT, "table vertex: damaged properties");
    }
    count = propindex_keys(index, names->table, &row, &arena, &keys);
    for (uint32_t i = 0; i < count && rc == E_OK; i++) {
        rc = write_entry(names->stmt, STMT_INDEX_ADD, index->n, &keys[i], &vertex, err);
    }
    index->at = vid_copy(&table->arena, &vertex);
    index->has_at = true;
    arena_close(&arena);
    return rc;
}

static int build(struct propindex_table *table, struct propindex *index, struct vrow_names *names,
                 uint32_t rows, struct error *err)
{
    enum stmt_id id = index->has_at ? STMT_VERTEX_SCAN_FROM : STMT_VERTEX_SCAN;
    sqlite3_stmt *s = stmt_get(names->stmt, id);
    struct vid from = index->at;
    uint32_t n = 0;
    int rc = E_OK;

    if (index->has_at) {
        stmt_bind_vid(s, 1, &from);
    }
    while (n < rows && (rc = stmt_step(names->stmt, id, err)) == 1) {
        rc = build_row(table, index, names, s, err);
        if (rc != E_OK) {
            break;
        }
        n++;
    }
    if (rc != E_OK || n == rows) {
        stmt_reset(names->stmt, id);
    }
    if (rc < 0) {
        return rc;
    }
    if (n < rows) {
        index->state = PROPINDEX_READY;
        index->has_at = false;
    }
    return write_definition(names->stmt, index, err);
}

static int drop(struct propindex *index, struct stmt *stmt, uint32_t rows, struct error *err)
{
    sqlite3_stmt *s = stmt_get(stmt, STMT_INDEX_TRIM);
    int rc;

    sqlite3_bind_int64(s, 1, index->n);
    sqlite3_bind_int64(s, 2, rows);
    rc = stmt_run(stmt, STMT_INDEX_TRIM, err);
    if (rc != E_OK || sqlite3_changes(stmt->db) == (int)rows) {
        return rc;
    }
    sqlite3_bind_int64(stmt_get(stmt, STMT_INDEX_FORGET), 1, index->n);
    return stmt_run(stmt, STMT_INDEX_FORGET, err);
}

int propindex_tend(struct propindex_table *table, struct vrow_names *names, uint32_t rows,
                   bool *more, struct error *err)
{
    *more = false;
    for (uint32_t i = 0; i < table->count; i++) {
        struct propindex *index = &table->list[i];
        int rc;

        if (index->state == PROPINDEX_READY) {
            continue;
        }
        rc = index->state == PROPINDEX_BUILDING ? build(table, index, names, rows, err)
                                                : drop(index, names->stmt, rows, err);
        *more = true;
        return rc == E_OK ? propindex_load(table, names->stmt, err) : rc;
    }
    return E_OK;
}
