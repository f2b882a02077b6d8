/*
 * effect.h -- what aggregate('x'), group('x') and withSideEffect('x', ...) gather under a name.
 *
 * Operators with the same key share it. aggregate() gathers a bag, which effect_value turns into a
 * BULKSET when someone looks; with an Operator (withSideEffect(key, v, sum)) each value is applied
 * to what is there. group('x') computes its map itself and sets it.
 */
#ifndef ROUTER_OP_EFFECT_H
#define ROUTER_OP_EFFECT_H

#include "router/op/bag.h"
#include "router/op/exec.h"

enum effect_kind {
    EFFECT_PLAIN, /* A value, from withSideEffect() or none yet. */
    EFFECT_BAG,
    EFFECT_GROUP
};

struct effect_state {
    enum effect_kind kind;
    struct bag bag;  /* In the exec's arena. */
    bool is_changed; /* The bag is newer than the value. */
    void *group;     /* Of op/group.c, shared by the steps that fill it. */
};

/* Makes the side effect one of the kind. E_EVALUATION if another step uses the key otherwise. */
int effect_claim(struct exec *exec, struct side_effect *effect, enum effect_kind kind);
/* One value, bulk times. E_EVALUATION if the Operator cannot. */
int effect_add(struct exec *exec, struct side_effect *effect, const struct value *value,
               uint64_t bulk);
/* Several at once, as aggregate(global) gives them: assign takes the whole. */
int effect_add_all(struct exec *exec, struct side_effect *effect, const struct value *values,
                   const uint64_t *bulks, uint32_t count);
/* As cap() gives it, now. */
struct value effect_value(struct exec *exec, struct side_effect *effect);

#endif
