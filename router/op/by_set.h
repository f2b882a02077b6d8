/*
 * by_set.h -- several by()s over many values at once: each costs one request a shard for a batch.
 *
 *   by_set_add(lane, traverser, value) -> place     for all that are to be seen
 *   by_set_run -> BATCH | WAIT | ERROR              the same call again after a WAIT
 *   by_set_get(lane, place)                         what by() made of it; null: nothing
 *   by_set_clear
 *
 * A lane is one by(). Without any there is one lane that gives the value itself.
 *
 * Ownership: lanes are in the exec's arena, their arrays on the heap: by_set_close.
 */
#ifndef ROUTER_OP_BY_SET_H
#define ROUTER_OP_BY_SET_H

#include "router/op/child.h"
#include "router/plan/params.h"

struct by_lane {
    struct by_run run;
    struct batch items;
    struct value *values;
    bool *productive;
    uint32_t room;
    bool is_identity;
};

struct by_set {
    uint32_t lane_count;
    struct by_lane *lanes;
    uint32_t at; /* Lane that runs. */
};

int by_set_open(struct by_set *set, struct exec *exec, const struct plan_step *step,
                uint32_t by_count, const struct plan_by *bys);
uint32_t by_set_add(struct by_set *set, uint32_t lane, const struct traverser *traverser,
                    const struct value *value);
enum pull by_set_run(struct by_set *set, struct exec *exec);
const struct value *by_set_get(const struct by_set *set, uint32_t lane, uint32_t place);
/* Forgets values and a run that was not finished. */
void by_set_clear(struct by_set *set);
void by_set_close(struct by_set *set);

#endif
