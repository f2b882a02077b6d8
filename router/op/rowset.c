#include "router/op/rowset.h"

#include "common/mem.h"

#include <assert.h>
#include <string.h>

enum { STEP = 1024 };

void rowset_close(struct rowset *set)
{
    mem_free(set->rows);
    mem_free(set->starts);
    *set = (struct rowset){0};
}

enum pull rowset_take(struct rowset *set, struct fetch *fetch, struct exec *exec, uint32_t max)
{
    enum pull rc = PULL_BATCH;

    while (set->count < max) {
        if (set->room - set->count < STEP) {
            set->room = set->room == 0 ? STEP : 2 * set->room;
            set->rows = mem_resize(set->rows, set->room * sizeof *set->rows);
        }
        uint32_t count = 0;
        rc = fetch_next(fetch, exec, set->rows + set->count, set->room - set->count, &count);
        if (rc != PULL_BATCH) {
            break;
        }
        assert(count > 0);
        set->count += count;
    }
    return rc;
}

void rowset_sort(struct rowset *set, uint32_t inputs)
{
    bool is_sorted = true;

    if (set->start_room < inputs + 1) {
        set->start_room = inputs + 1;
        set->starts = mem_resize(set->starts, set->start_room * sizeof *set->starts);
    }
    memset(set->starts, 0, (inputs + 1) * sizeof *set->starts);
    for (uint32_t i = 0; i < set->count; i++) {
        assert(set->rows[i].ordinal < inputs);
        set->starts[set->rows[i].ordinal + 1]++;
        is_sorted = is_sorted && (i == 0 || set->rows[i - 1].ordinal <= set->rows[i].ordinal);
    }
    for (uint32_t i = 0; i < inputs; i++) {
        set->starts[i + 1] += set->starts[i];
    }
    if (is_sorted) {
        return;
    }
    struct read_row *sorted = mem_array(set->room, sizeof *sorted);
    for (uint32_t i = 0; i < set->count; i++) {
        sorted[set->starts[set->rows[i].ordinal]++] = set->rows[i];
    }
    memmove(set->starts + 1, set->starts, inputs * sizeof *set->starts);
    set->starts[0] = 0;
    mem_free(set->rows);
    set->rows = sorted;
}
