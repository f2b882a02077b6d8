#include "common/mutation.h"

#ifdef CARDEA_MUTATION

/* The only global with state, and only in test builds. */
static enum mutation chosen;

void mutation_set(enum mutation mutation)
{
    chosen = mutation;
}

bool mutation_is(enum mutation mutation)
{
    return chosen == mutation;
}

#endif
