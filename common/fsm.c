#include "common/fsm.h"

#include <assert.h>
#include <stddef.h>

void fsm_init(struct fsm *fsm, const struct fsm_state *states, int count, int state)
{
    assert(states != NULL);
    assert(count > 0 && count <= FSM_STATE_MAX);
    assert(state >= 0 && state < count);
    *fsm = (struct fsm){states, (uint8_t)state, (uint8_t)count};
}

bool fsm_can_move(const struct fsm *fsm, int state)
{
    assert(state >= 0 && state < fsm->count);
    return (fsm->states[fsm->state].next & FSM_TO(state)) != 0;
}

void fsm_move(struct fsm *fsm, int state)
{
    assert(fsm_can_move(fsm, state));
    fsm->state = (uint8_t)state;
}

const char *fsm_name(const struct fsm *fsm)
{
    assert(fsm->state < fsm->count);
    return fsm->states[fsm->state].name;
}
