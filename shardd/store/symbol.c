#include "shardd/store/symbol.h"

#include <assert.h>

int symbol_open(struct symbol_table *table, struct stmt *stmt, struct error *err)
{
    int rc;

    map_text_init(&table->names, NULL, false);
    map_text_put(&table->names, (struct slice){0}, 0);
    while ((rc = stmt_step(stmt, STMT_SYMBOL_ALL, err)) == 1) {
        sqlite3_stmt *s = stmt->list[STMT_SYMBOL_ALL];
        int64_t n = sqlite3_column_int64(s, 0);
        struct slice name = stmt_column_slice(s, 1);

        if (n != (int64_t)table->names.count ||
            !map_text_put(&table->names, name, table->names.count)) {
            stmt_reset(stmt, STMT_SYMBOL_ALL);
            return error_set(err, E_CORRUPT, "table symbol: row %lld", (long long)n);
        }
    }
    return rc;
}

void symbol_close(struct symbol_table *table)
{
    map_text_close(&table->names);
    *table = (struct symbol_table){0};
}

uint32_t symbol_find(const struct symbol_table *table, struct slice name)
{
    uint64_t *number = map_text_get(&table->names, name);

    return number == NULL ? SYMBOL_NONE : (uint32_t)*number;
}

int symbol_make(struct symbol_table *table, struct stmt *stmt, struct slice name, uint32_t *number,
                struct error *err)
{
    sqlite3_stmt *s;
    int rc;

    *number = symbol_find(table, name);
    if (*number != SYMBOL_NONE) {
        return E_OK;
    }
    if (table->names.count >= SYMBOL_MAX) {
        return error_set(err, E_LIMIT, "more than %d labels and property keys", SYMBOL_MAX);
    }
    s = stmt_get(stmt, STMT_SYMBOL_ADD);
    sqlite3_bind_int64(s, 1, (sqlite3_int64)table->names.count);
    stmt_bind_slice(s, 2, name);
    rc = stmt_run(stmt, STMT_SYMBOL_ADD, err);
    if (rc == E_OK) {
        *number = (uint32_t)table->names.count;
        map_text_put(&table->names, name, *number);
    }
    return rc;
}

void symbol_forget(struct symbol_table *table, uint32_t count)
{
    assert(count >= 1);
    while (table->names.count > count) {
        map_text_remove(&table->names, table->names.entries[table->names.count - 1].key);
    }
}
