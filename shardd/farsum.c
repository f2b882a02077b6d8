#include "shardd/farsum.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "common/hash.h"
#include "common/mem.h"

enum { ROOM_FIRST = 1024 };

void farsum_init(struct farsum *merge)
{
    *merge = (struct farsum){0};
    map_text_init(&merge->texts, NULL, false);
}

void farsum_close(struct farsum *merge)
{
    mem_free(merge->table);
    mem_free(merge->text_list);
    map_text_close(&merge->texts);
    *merge = (struct farsum){0};
}

/* Fibonacci hashing: middle bits of a product. */
static size_t place_of(const struct farsum *merge, int64_t id)
{
    return (size_t)(((uint64_t)id * 0x9e3779b97f4a7c15ULL) >> 20) & (merge->room - 1);
}

static void grow(struct farsum *merge, size_t room)
{
    struct merge_entry *old = merge->table;
    size_t old_room = merge->room;

    merge->table = mem_array(room, sizeof *merge->table);
    merge->room = room;
    for (size_t i = 0; i < old_room; i++) {
        if (old[i].bulk > 0) {
            size_t at = place_of(merge, old[i].id);
            while (merge->table[at].bulk > 0) {
                at = (at + 1) & (room - 1);
            }
            merge->table[at] = old[i];
        }
    }
    mem_free(old);
}

static void reserve(struct farsum *merge, size_t more)
{
    size_t room = merge->room == 0 ? ROOM_FIRST : merge->room;

    while ((merge->count + more) * 2 > room) {
        room *= 2;
    }
    if (room != merge->room) {
        grow(merge, room);
    }
}

void farsum_add(struct farsum *merge, const int64_t *ids, size_t count, uint64_t bulk,
                uint32_t label)
{
    size_t mask;

    assert(bulk > 0);
    reserve(merge, count);
    mask = merge->room - 1;
    for (size_t i = 0; i < count; i++) {
        size_t at = place_of(merge, ids[i]);

        while (merge->table[at].bulk > 0 && merge->table[at].id != ids[i]) {
            at = (at + 1) & mask;
        }
        if (merge->table[at].bulk == 0) {
            merge->table[at] = (struct merge_entry){.id = ids[i], .label = label};
            merge->count++;
        }
        merge->table[at].bulk += bulk;
    }
}

void farsum_add_one(struct farsum *merge, const struct vid *id, uint64_t bulk, uint32_t label)
{
    uint64_t *place;
    bool is_new;

    if (id->text.data == NULL) {
        farsum_add(merge, &id->num, 1, bulk, label);
        return;
    }
    place = map_text_at(&merge->texts, id->text, &is_new);
    if (is_new) {
        *place = merge->texts.count - 1;
        if (*place == merge->text_room) {
            merge->text_room = merge->text_room * 2 + 64;
            merge->text_list =
                mem_resize(merge->text_list, merge->text_room * sizeof *merge->text_list);
        }
        merge->text_list[*place] = (struct merge_text){.label = label};
    }
    merge->text_list[*place].bulk += bulk;
}

static int order_entries(const void *a, const void *b)
{
    const struct merge_entry *x = a;
    const struct merge_entry *y = b;

    return (x->id > y->id) - (x->id < y->id);
}

const struct merge_entry *farsum_sorted(struct farsum *merge, size_t *count)
{
    size_t n = 0;

    for (size_t i = 0; i < merge->room; i++) {
        if (merge->table[i].bulk > 0) {
            merge->table[n++] = merge->table[i];
        }
    }
    assert(n == merge->count);
    if (n > 1) {
        qsort(merge->table, n, sizeof *merge->table, order_entries);
    }
    *count = n;
    return merge->table;
}
