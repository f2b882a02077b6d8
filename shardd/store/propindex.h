/*
 * propindex.h -- indexes on a property key of vertices, optionally of one label: equality, range,
 * prefix.
 *
 *   idx_def    n, name, label, key, state, at           which indexes there are
 *   idx_value  (n, indexkey of the value, vertex id)    their entries, written with the vertex row
 *
 * An index that is BUILDING is kept up to date from its definition on; propindex_build adds the
 * vertices that were there before, some at a time in order of id, `at` being the last one done.
 * Only a READY one is read.
 *
 * Shell: tables idx_def and idx_value. Limits: SHARDMAP_INDEXES_MAX.
 */
#ifndef SHARDD_STORE_PROPINDEX_H
#define SHARDD_STORE_PROPINDEX_H

#include "common/shardmap.h"
#include "shardd/store/indexkey.h"
#include "shardd/store/vrow.h"

enum propindex_state {
    PROPINDEX_BUILDING = 1,
    PROPINDEX_READY = 2,
    PROPINDEX_DROPPING = 3 /* Entries are being deleted. */
};

struct propindex {
    int64_t n;
    enum propindex_state state;
    struct slice name;  /* In the table's arena, like all of these. */
    struct slice label; /* Empty: any. */
    struct slice key;
    bool has_at;
    struct vid at; /* BUILDING: the last vertex done. */
};

struct propindex_table {
    struct propindex *list;
    uint32_t count;
    struct arena arena;
};

int propindex_load(struct propindex_table *table, struct stmt *stmt, struct error *err);
void propindex_close(struct propindex_table *table);
/* Makes the definitions be those: new ones BUILDING, missing ones DROPPING. Reloads the table. */
int propindex_define(struct propindex_table *table, struct stmt *stmt,
                     const struct shardmap_index *wanted, uint32_t count, struct error *err);
/* The entries of a vertex that was `before` and is `after` (either may not exist). */
int propindex_update(const struct propindex_table *table, struct vrow_names *names,
                     const struct vid *vertex, const struct vrow *before, const struct vrow *after,
                     struct error *err);
/* One step of building or dropping, of about `rows` rows, in the open SQLite transaction. *more:
 * not done. */
int propindex_tend(struct propindex_table *table, struct vrow_names *names, uint32_t rows,
                   bool *more, struct error *err);
/* READY and usable for vertices of label (empty: any), or null. */
const struct propindex *propindex_find(const struct propindex_table *table, struct slice key,
                                       struct slice label);
/* Binds a key. */
void propindex_bind(sqlite3_stmt *s, int at, const struct indexkey *key);
/* The column holds that key. */
bool propindex_is_column(sqlite3_stmt *s, int at, const struct indexkey *key);
/* The keys of all values that the row has for the index, sorted out to be distinct; in the arena.
 * */
uint32_t propindex_keys(const struct propindex *index, const struct symbol_table *symbols,
                        const struct vrow *row, struct arena *arena, struct indexkey **keys);

#endif
