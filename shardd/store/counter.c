#include "shardd/store/counter.h"

#include <assert.h>
#include <string.h>

#include "common/mem.h"
#include "shardd/store/symbol.h"

enum { KIND_DIGEST = 2 }; /* Beside 0 and 1: vertices and edges. */

static void grow(struct counter_table *table, uint32_t label)
{
    uint32_t room = table->room == 0 ? 16 : table->room;

    while (room <= label) {
        room *= 2;
    }
    if (room == table->room) {
        return;
    }
    for (int i = 0; i < 2; i++) {
        table->list[i] = mem_resize(table->list[i], room * sizeof *table->list[i]);
        memset(table->list[i] + table->room, 0, (room - table->room) * sizeof *table->list[i]);
    }
    table->room = room;
}

int counter_load(struct counter_table *table, struct stmt *stmt, struct error *err)
{
    int rc;

    counter_close(table);
    stmt_get(stmt, STMT_COUNTER_ALL);
    while ((rc = stmt_step(stmt, STMT_COUNTER_ALL, err)) == 1) {
        sqlite3_stmt *s = stmt->list[STMT_COUNTER_ALL];
        int64_t kind = sqlite3_column_int64(s, 0);
        int64_t label = sqlite3_column_int64(s, 1);

        if (kind == KIND_DIGEST && label == 0) {
            table->digest = (uint64_t)sqlite3_column_int64(s, 2);
            table->has_digest = true;
            continue;
        }
        if (kind < 0 || kind > 1 || label < 0 || label >= SYMBOL_MAX) {
            stmt_reset(stmt, STMT_COUNTER_ALL);
            return error_set(err, E_CORRUPT, "table counter: label %lld", (long long)label);
        }
        grow(table, (uint32_t)label);
        table->list[kind][label].count = (uint64_t)sqlite3_column_int64(s, 2);
    }
    return rc;
}

void counter_close(struct counter_table *table)
{
    mem_free(table->list[0]);
    mem_free(table->list[1]);
    *table = (struct counter_table){0};
}

bool counter_add(struct counter_table *table, bool is_edge, uint32_t label, int64_t delta)
{
    struct counter *counter;

    grow(table, label);
    counter = &table->list[is_edge][label];
    if (delta < 0 && counter->count < (uint64_t)-delta) {
        return false;
    }
    counter->count += (uint64_t)delta;
    counter->is_dirty |= delta != 0;
    return true;
}

uint64_t counter_get(const struct counter_table *table, bool is_edge, uint32_t label)
{
    return label < table->room ? table->list[is_edge][label].count : 0;
}

uint64_t counter_sum(const struct counter_table *table, bool is_edge)
{
    uint64_t sum = 0;

    for (uint32_t i = 0; i < table->room; i++) {
        sum += table->list[is_edge][i].count;
    }
    return sum;
}

void counter_digest(struct counter_table *table, uint64_t before, uint64_t after)
{
    if (table->has_digest && before != after) {
        table->digest += after - before;
        table->is_digest_dirty = true;
    }
}

void counter_begin_digest(struct counter_table *table, uint64_t digest)
{
    table->digest = digest;
    table->has_digest = true;
    table->is_digest_dirty = true;
}

static int put_row(struct stmt *stmt, int kind, uint32_t label, uint64_t n, struct error *err)
{
    sqlite3_stmt *s = stmt_get(stmt, STMT_COUNTER_PUT);

    sqlite3_bind_int(s, 1, kind);
    sqlite3_bind_int64(s, 2, label);
    sqlite3_bind_int64(s, 3, (sqlite3_int64)n);
    return stmt_run(stmt, STMT_COUNTER_PUT, err);
}

int counter_flush(struct counter_table *table, struct stmt *stmt, struct error *err)
{
    if (table->is_digest_dirty) {
        int rc = put_row(stmt, KIND_DIGEST, 0, table->digest, err);
        if (rc != E_OK) {
            return rc;
        }
        table->is_digest_dirty = false;
    }
    for (uint32_t i = 0; i < table->room * 2; i++) {
        struct counter *counter = &table->list[i & 1][i >> 1];
        if (!counter->is_dirty) {
            continue;
        }
        int rc = put_row(stmt, (int)(i & 1), i >> 1, counter->count, err);
        if (rc != E_OK) {
            return rc;
        }
        counter->is_dirty = false;
    }
    return E_OK;
}
