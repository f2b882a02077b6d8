/*
 * tables.h -- the data of a shard's file as one thing: what apply writes and reads look at.
 *
 * Shell: SQLite.
 */
#ifndef SHARDD_STORE_TABLES_H
#define SHARDD_STORE_TABLES_H

#include "shardd/store/adjcache.h"
#include "shardd/store/counter.h"
#include "shardd/store/propindex.h"

struct tables {
    struct stmt stmt;
    struct symbol_table symbols;
    struct counter_table counters;
    struct propindex_table indexes;
    struct adjcache cache;
};

int tables_open(struct tables *tables, const char *path, const char *vfs, size_t cache_bytes,
                struct error *err);
void tables_close(struct tables *tables);
/* Reads again what is kept in memory: after a rollback. */
int tables_reload(struct tables *tables, struct error *err);

/* The row of a vertex in the arena. 1; 0: not there (row is empty then); or an error. */
int tables_vertex(struct tables *tables, const struct vid *vertex, struct arena *arena,
                  struct vrow *row, struct error *err);
/* Label and degrees only. */
int tables_vertex_head(struct tables *tables, const struct vid *vertex, struct arena *arena,
                       struct vrow *row, struct error *err);
/* Prefixes "table vertex, id ...". Returns code. */
int tables_blame_vertex(struct error *err, int code, const struct vid *vertex);

#endif
