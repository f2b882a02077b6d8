/*
 * traversals.h -- traversals that nobody would write: every kind of value in every place of every
 * step, and random ones.
 *
 * The places come from step.def: a new step is covered when it has a row there.
 */
#ifndef TESTS_LIB_TRAVERSALS_H
#define TESTS_LIB_TRAVERSALS_H

#include "common/prng.h"
#include "router/gremlin/bytecode.h"

enum { TRAVERSALS_ARGS_MAX = 3 };

/* One value of each kind, and of some kinds several. All in the arena. */
size_t traversals_values(struct arena *arena, const struct value **values);

/* A place: an argument of a step that is called with so many. */
struct traversals_place {
    enum step_id step;
    uint32_t arg_count;
    uint32_t arg;
};

/* The number-th place; false: there is none. */
bool traversals_place(size_t number, struct traversals_place *place);
/* g.V().step(.., value, ..), the other arguments filled with `filler`; a step of the source, or
 * one that may only start, follows g. */
const struct bytecode *traversals_at(struct arena *arena, const struct traversals_place *place,
                                     const struct value *value, const struct value *filler);
/* Some steps in a row, with children. */
const struct bytecode *traversals_random(struct arena *arena, struct prng *prng);

#endif
