/*
 * symbol.h -- labels and property keys as small numbers, per file.
 *
 * Numbers are given in the order in which names are first applied, so all replicas agree. 0 is the
 * empty name. Names are never forgotten, but for those that staged changes made (symbol_forget).
 *
 * Shell: table `symbol`. Limits: SYMBOL_MAX names.
 */
#ifndef SHARDD_STORE_SYMBOL_H
#define SHARDD_STORE_SYMBOL_H

#include "common/map.h"
#include "shardd/store/stmt.h"

enum { SYMBOL_MAX = 1 << 20, SYMBOL_NONE = INT32_MAX };

struct symbol_table {
    struct map_text names; /* entries[n].key is name n. */
};

int symbol_open(struct symbol_table *table, struct stmt *stmt, struct error *err);
void symbol_close(struct symbol_table *table);
/* SYMBOL_NONE if there is none. */
uint32_t symbol_find(const struct symbol_table *table, struct slice name);
/* Makes it, within the open SQLite transaction. E_LIMIT. */
int symbol_make(struct symbol_table *table, struct stmt *stmt, struct slice name, uint32_t *number,
                struct error *err);
static inline uint32_t symbol_count(const struct symbol_table *table)
{
    return (uint32_t)table->names.count;
}
/* Back to the first count names: their rows were rolled back. */
void symbol_forget(struct symbol_table *table, uint32_t count);
/* The empty name for a number that is out of range: rows are outside bytes. */
static inline struct slice symbol_name(const struct symbol_table *table, uint32_t number)
{
    return number < table->names.count ? table->names.entries[number].key : (struct slice){0};
}

#endif
