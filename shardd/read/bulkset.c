#include "shardd/read/bulkset.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "common/bulk.h"
#include "common/hash.h"
#include "common/mem.h"

enum { ROOM_FIRST = 256 };

void bulkset_init(struct bulkset *sum)
{
    *sum = (struct bulkset){.low = INT64_MAX, .high = INT64_MIN};
    map_text_init(&sum->texts, NULL, false);
}

void bulkset_close(struct bulkset *sum)
{
    mem_free(sum->table);
    mem_free(sum->dense);
    mem_free(sum->text_list);
    map_text_close(&sum->texts);
    *sum = (struct bulkset){0};
}

/* ---- hash table ---- */

/* Fibonacci hashing: middle bits of a product. */
static size_t place_of(const struct bulkset *sum, int64_t id)
{
    return (size_t)(((uint64_t)id * 0x9e3779b97f4a7c15ULL) >> 20) & (sum->room - 1);
}

static struct bulkset_entry *find(struct bulkset *sum, int64_t id)
{
    size_t at = place_of(sum, id);

    while (sum->table[at].bulk > 0 && sum->table[at].id != id) {
        at = (at + 1) & (sum->room - 1);
    }
    return &sum->table[at];
}

static void grow(struct bulkset *sum)
{
    struct bulkset_entry *old = sum->table;
    size_t old_room = sum->room;

    sum->room = old_room == 0 ? ROOM_FIRST : old_room * 4;
    sum->table = mem_array(sum->room, sizeof *sum->table);
    for (size_t i = 0; i < old_room; i++) {
        if (old[i].bulk > 0) {
            *find(sum, old[i].id) = old[i];
        }
    }
    mem_free(old);
}

static void add_sparse(struct bulkset *sum, int64_t id, uint64_t bulk, uint32_t label)
{
    struct bulkset_entry *entry;

    if ((sum->count + 1) * 2 > sum->room) {
        grow(sum);
    }
    entry = find(sum, id);
    if (entry->bulk == 0) {
        *entry = (struct bulkset_entry){.id = id, .label = label};
        sum->count++;
    }
    entry->bulk = bulk_add(entry->bulk, bulk);
}

/* ---- dense ---- */

/* Goes over to one place an id, if the ids that came are close by. */
static void try_dense(struct bulkset *sum)
{
    uint64_t span = (uint64_t)sum->high - (uint64_t)sum->low;
    uint64_t slack;

    if (sum->offered < BULKSET_DENSE_MIN || span > BULKSET_SPAN_MAX ||
        span >= sum->offered * BULKSET_DENSE_SPARE) {
        return;
    }
    /* Room on both sides for those still to come; no id wraps around. */
    slack = span / 2;
    sum->base = sum->low;
    if (sum->low >= 0) {
        sum->base = (uint64_t)sum->low > slack ? sum->low - (int64_t)slack : 0;
    }
    sum->span = (uint64_t)sum->high - (uint64_t)sum->base + 1 + slack;
    sum->dense = mem_array(sum->span, sizeof *sum->dense);
    for (size_t i = 0; i < sum->room; i++) {
        const struct bulkset_entry *entry = &sum->table[i];
        if (entry->bulk > 0) {
            sum->dense[(uint64_t)entry->id - (uint64_t)sum->base] =
                (struct bulkset_sum){entry->bulk, entry->label};
        }
    }
    sum->dense_count = sum->count;
    sum->count = 0;
    if (sum->room > 0) {
        memset(sum->table, 0, sum->room * sizeof *sum->table);
    }
}

static void add_dense(struct bulkset *sum, const int64_t *ids, size_t count, uint64_t bulk,
                      uint32_t label)
{
    struct bulkset_sum *dense = sum->dense;
    uint64_t base = (uint64_t)sum->base;
    size_t fresh = 0;

    for (size_t i = 0; i < count; i++) {
        uint64_t at = (uint64_t)ids[i] - base;

        if (at >= sum->span) {
            add_sparse(sum, ids[i], bulk, label);
            continue;
        }
        fresh += dense[at].bulk == 0;
        dense[at].bulk = bulk_add(dense[at].bulk, bulk);
        dense[at].label = label;
    }
    sum->dense_count += fresh;
}

static void note_span(struct bulkset *sum, const int64_t *ids, size_t count)
{
    int64_t low = sum->low;
    int64_t high = sum->high;

    for (size_t i = 0; i < count; i++) {
        low = ids[i] < low ? ids[i] : low;
        high = ids[i] > high ? ids[i] : high;
    }
    sum->low = low;
    sum->high = high;
    sum->offered += count;
}

void bulkset_add(struct bulkset *sum, const int64_t *ids, size_t count, uint64_t bulk,
                 uint32_t label)
{
    assert(bulk > 0);
    if (count == 0) {
        return;
    }
    if (sum->dense == NULL) {
        note_span(sum, ids, count);
        try_dense(sum);
    }
    if (sum->dense != NULL) {
        add_dense(sum, ids, count, bulk, label);
        return;
    }
    for (size_t i = 0; i < count; i++) {
        add_sparse(sum, ids[i], bulk, label);
    }
}

/* ---- texts, and the result ---- */

void bulkset_add_one(struct bulkset *sum, const struct vid *id, uint64_t bulk, uint32_t label)
{
    uint64_t *place;
    bool is_new;

    if (id->text.data == NULL) {
        bulkset_add(sum, &id->num, 1, bulk, label);
        return;
    }
    assert(bulk > 0);
    place = map_text_at(&sum->texts, id->text, &is_new);
    if (is_new) {
        *place = sum->texts.count - 1;
        if (*place == sum->text_room) {
            sum->text_room = sum->text_room * 2 + 64;
            sum->text_list = mem_resize(sum->text_list, sum->text_room * sizeof *sum->text_list);
        }
        sum->text_list[*place] = (struct bulkset_sum){.label = label};
    }
    sum->text_list[*place].bulk = bulk_add(sum->text_list[*place].bulk, bulk);
}

static int order_entries(const void *a, const void *b)
{
    const struct bulkset_entry *x = a;
    const struct bulkset_entry *y = b;

    return (x->id > y->id) - (x->id < y->id);
}

const struct bulkset_entry *bulkset_sorted(struct bulkset *sum, size_t *count)
{
    size_t total = sum->count + sum->dense_count;
    struct bulkset_entry *list = mem_array(total, sizeof *list);
    size_t n = 0;

    for (uint64_t i = 0; i < sum->span; i++) {
        if (sum->dense[i].bulk > 0) {
            list[n++] = (struct bulkset_entry){(int64_t)((uint64_t)sum->base + i),
                                               sum->dense[i].bulk, sum->dense[i].label};
        }
    }
    for (size_t i = 0; i < sum->room; i++) {
        if (sum->table[i].bulk > 0) {
            list[n++] = sum->table[i];
        }
    }
    assert(n == total);
    if (sum->count > 1 || (sum->count > 0 && sum->dense_count > 0)) {
        qsort(list, n, sizeof *list, order_entries);
    }
    mem_free(sum->table);
    sum->table = list;
    sum->room = 0;
    *count = n;
    return list;
}
