/*
 * counter.h -- how many vertices and edges (out halves) of each label: exact, in memory and in a
 * table.
 *
 * Shell: table `counter`. Written by counter_flush at the end of each apply.
 */
#ifndef SHARDD_STORE_COUNTER_H
#define SHARDD_STORE_COUNTER_H

#include "shardd/store/stmt.h"

struct counter {
    uint64_t count;
    bool is_dirty;
};

struct counter_table {
    struct counter *list[2]; /* Of vertices, of edges: by label symbol. */
    uint32_t room;
    uint64_t digest; /* Sum over the vertices of vrow_digest: of what no counter tells. */
    bool has_digest; /* Files of before have none until they are checked. */
    bool is_digest_dirty;
};

/* Reads the table; also to undo what was not flushed or was rolled back. */
int counter_load(struct counter_table *table, struct stmt *stmt, struct error *err);
void counter_close(struct counter_table *table);
/* Returns false if the counter would fall below 0. */
bool counter_add(struct counter_table *table, bool is_edge, uint32_t label, int64_t delta);
uint64_t counter_get(const struct counter_table *table, bool is_edge, uint32_t label);
uint64_t counter_sum(const struct counter_table *table, bool is_edge);
/* A row was replaced: one that is not there has the digest 0. */
void counter_digest(struct counter_table *table, uint64_t before, uint64_t after);
/* Sets it, for a file that is new or has none. */
void counter_begin_digest(struct counter_table *table, uint64_t digest);
int counter_flush(struct counter_table *table, struct stmt *stmt, struct error *err);

#endif
