/*
 * effect.h -- what aggregate('x'), group('x') and withSideEffect('x', ...) gather under a name.
 *
 * Operators with the same key share it. aggregate() gathers a bag, which effect_value turns into a
 * BULKSET when someone looks, or adds to the List or Set that withSideEffect() gave; with an
 * Operator (withSideEffect(key, v, sum)) each value is applied to what is there, and assign takes a
 * BULKSET of what comes at once. group('x') computes its map itself and sets it; it goes on from a
 * map that withSideEffect() gave.
 *
 * Limits: a list of EFFECT_LIST_MAX items (E_LIMIT).
 */
#ifndef ROUTER_OP_EFFECT_H
#define ROUTER_OP_EFFECT_H

#include "router/op/bag.h"
#include "router/op/exec.h"

enum { EFFECT_LIST_MAX = 1 << 26 };

enum effect_kind {
    EFFECT_PLAIN, /* A value, from withSideEffect() or none yet. */
    EFFECT_BAG,
    EFFECT_GROUP,
    EFFECT_TREE, /* Computed by the operator that fills it: effect_claim_own. */
    EFFECT_GRAPH
};

/* What the operators gathered in `own` so far, as cap() gives it. */
typedef struct value (*effect_render_fn)(struct exec *exec, void *own);

struct effect_state {
    enum effect_kind kind;
    struct bag bag;     /* In the exec's arena. */
    bool is_changed;    /* The bag is newer than the value. */
    bool is_set;        /* The value is a SET. */
    bool is_list;       /* The value is a LIST: `list` has the items as they came. */
    struct value *list; /* In the exec's arena; what is there is not written to again. */
    uint32_t list_count, list_room;
    void *group; /* Of op/group.c, shared by the steps that fill it. */
    void *own;   /* EFFECT_TREE, EFFECT_GRAPH: shared by the steps that fill it; they make it. */
    effect_render_fn render; /* Of `own`. */
};

/* Makes the side effect one of the kind. E_EVALUATION if another step uses the key otherwise. */
int effect_claim(struct exec *exec, struct side_effect *effect, enum effect_kind kind);
/* The same for a kind that renders itself. E_EVALUATION if it was given a value or an Operator. */
int effect_claim_own(struct exec *exec, struct side_effect *effect, enum effect_kind kind,
                     effect_render_fn render);
/* `own` has grown. */
void effect_touch(struct side_effect *effect);
/* What comes at once, all of an aggregate(global): equal values come together, assign takes the
 * whole. E_EVALUATION if the Operator cannot, E_LIMIT. */
int effect_add_all(struct exec *exec, struct side_effect *effect, const struct value *values,
                   const uint64_t *bulks, uint32_t count);
/* As cap() gives it, now. */
struct value effect_value(struct exec *exec, struct side_effect *effect);

#endif
