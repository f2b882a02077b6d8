/*
 * fsm.h -- state machines whose states and moves stand in a table.
 *
 *     static const struct fsm_state states[] = {
 *         [IDLE] = {"idle", FSM_TO(BUSY) | FSM_TO(CLOSED)},
 *         [BUSY] = {"busy", FSM_TO(IDLE) | FSM_TO(CLOSED)},
 *         [CLOSED] = {"closed", 0},
 *     };
 *
 * Pure. Limits: 32 states.
 */
#ifndef COMMON_FSM_H
#define COMMON_FSM_H

#include <stdbool.h>
#include <stdint.h>

enum { FSM_STATE_MAX = 32 };

#define FSM_TO(state) (1U << (state))

struct fsm_state {
    const char *name;
    uint32_t next; /* FSM_TO of each state that may follow. */
};

struct fsm {
    const struct fsm_state *states; /* Keeps. */
    uint8_t state;
    uint8_t count; /* States in the table. */
};

void fsm_init(struct fsm *fsm, const struct fsm_state *states, int count, int state);
/* Asserts that the table allows it. */
void fsm_move(struct fsm *fsm, int state);
bool fsm_can_move(const struct fsm *fsm, int state);
const char *fsm_name(const struct fsm *fsm);

#endif
