#include "router/op/by_set.h"

#include "common/mem.h"
#include "router/op/exec.h"

#include <assert.h>

int by_set_open(struct by_set *set, struct exec *exec, const struct plan_step *step,
                uint32_t by_count, const struct plan_by *bys)
{
    set->lane_count = by_count == 0 ? 1 : by_count;
    set->lanes = arena_array(&exec->arena, set->lane_count, sizeof *set->lanes);
    if (by_count == 0) {
        set->lanes[0].is_identity = true;
        return E_OK;
    }
    for (uint32_t i = 0; i < by_count; i++) {
        int rc = E_OK;
        set->lanes[i].is_identity = bys[i].kind == BY_IDENTITY;
        if (!set->lanes[i].is_identity) {
            rc = by_open(&set->lanes[i].run, exec, &bys[i], step->children);
        }
        if (rc != E_OK) {
            return rc;
        }
    }
    return E_OK;
}

uint32_t by_set_add(struct by_set *set, uint32_t lane, const struct traverser *traverser,
                    const struct value *value)
{
    struct by_lane *to;
    struct traverser copy = *traverser;

    assert(lane < set->lane_count);
    to = &set->lanes[lane];
    copy.value = *value;
    batch_push(&to->items, &copy);
    return to->items.count - 1;
}

static void reserve(struct by_lane *lane)
{
    if (lane->room < lane->items.count) {
        lane->room = lane->items.room;
        lane->values = mem_resize(lane->values, lane->room * sizeof *lane->values);
        lane->productive = mem_resize(lane->productive, lane->room * sizeof *lane->productive);
    }
}

enum pull by_set_run(struct by_set *set, struct exec *exec)
{
    while (set->at < set->lane_count) {
        struct by_lane *lane = &set->lanes[set->at];
        if (lane->items.count > 0 && !lane->is_identity) {
            reserve(lane);
            enum pull rc = by_values(&lane->run, exec, lane->items.items, lane->items.count,
                                     lane->values, lane->productive);
            if (rc != PULL_BATCH) {
                return rc;
            }
        }
        set->at++;
    }
    return PULL_BATCH;
}

const struct value *by_set_get(const struct by_set *set, uint32_t lane, uint32_t place)
{
    const struct by_lane *from = &set->lanes[lane];

    assert(lane < set->lane_count);
    assert(place < from->items.count);
    assert(set->at > lane);
    if (from->is_identity) {
        return &from->items.items[place].value;
    }
    return from->productive[place] ? &from->values[place] : NULL;
}

void by_set_clear(struct by_set *set)
{
    for (uint32_t i = 0; i < set->lane_count; i++) {
        batch_clear(&set->lanes[i].items);
        if (!set->lanes[i].is_identity) {
            by_reset(&set->lanes[i].run);
        }
    }
    set->at = 0;
}

void by_set_close(struct by_set *set)
{
    for (uint32_t i = 0; i < set->lane_count; i++) {
        struct by_lane *lane = &set->lanes[i];
        if (lane->run.plan != NULL) {
            by_close(&lane->run);
        }
        batch_close(&lane->items);
        mem_free(lane->values);
        mem_free(lane->productive);
    }
    *set = (struct by_set){0};
}
