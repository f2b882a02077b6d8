#include "router/op/sort.h"

#include <assert.h>
#include <string.h>

struct columns {
    const struct sort_column *items;
    uint32_t count;
};

static int compare(const struct sort_row *a, const struct sort_row *b,
                   const struct columns *columns)
{
    if (a->tag != b->tag) {
        return a->tag < b->tag ? -1 : 1;
    }
    for (uint32_t i = 0; i < columns->count; i++) {
        int order;
        if (columns->items[i].order == ORDER_SHUFFLE) {
            return 0;
        }
        order = value_order(&a->keys[i], &b->keys[i]);
        if (order != 0) {
            return columns->items[i].order == ORDER_DESC ? -order : order;
        }
    }
    return 0;
}

/* Bottom up, so that no deep recursion comes from a large input. */
static void merge_sort(struct sort_row *rows, struct sort_row *spare, uint32_t count,
                       const struct columns *columns)
{
    struct sort_row *from = rows, *to = spare;

    for (uint64_t width = 1; width < count; width *= 2) {
        for (uint64_t start = 0; start < count; start += 2 * width) {
            uint64_t middle = start + width < count ? start + width : count;
            uint64_t end = start + 2 * width < count ? start + 2 * width : count;
            uint64_t left = start, right = middle;
            for (uint64_t at = start; at < end; at++) {
                bool takes_left =
                    left < middle &&
                    (right == end || compare(&from[left], &from[right], columns) <= 0);
                to[at] = takes_left ? from[left++] : from[right++];
            }
        }
        struct sort_row *swap = from;
        from = to;
        to = swap;
    }
    if (from != rows) {
        memcpy(rows, from, count * sizeof *rows);
    }
}

static void shuffle(struct sort_row *rows, uint32_t count, struct prng *prng)
{
    for (uint32_t i = count; i > 1; i--) {
        uint32_t j = (uint32_t)prng_below(prng, i);
        struct sort_row swap = rows[i - 1];
        rows[i - 1] = rows[j];
        rows[j] = swap;
    }
}

void sort_rows(struct sort_row *rows, struct sort_row *spare, uint32_t count,
               const struct sort_column *columns, uint32_t column_count, struct prng *prng)
{
    struct columns all = {.items = columns, .count = column_count};

    for (uint32_t i = 0; i < column_count; i++) {
        if (columns[i].order == ORDER_SHUFFLE) {
            assert(prng != NULL);
            shuffle(rows, count, prng);
            break;
        }
    }
    if (count > 1) {
        merge_sort(rows, spare, count, &all);
    }
}
