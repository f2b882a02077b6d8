/*
 * step.h -- the table of steps: names, numbers of arguments, what is ready, a line of help.
 *
 * One table (step.def) for bytecode, text, completion and help.
 *
 * Pure.
 */
#ifndef ROUTER_GREMLIN_STEP_H
#define ROUTER_GREMLIN_STEP_H

#include "common/error.h"
#include "router/gremlin/bytecode.h"

struct step_info {
    const char *name; /* As in Gremlin and bytecode. */
    int least;        /* Arguments. */
    int most;         /* -1: any number. */
    bool is_source;   /* An instruction of the source: withSack() ... */
    bool is_ready;
    const char *what; /* One line of help. */
};

/* STEP_UNKNOWN if there is none of that name. */
enum step_id step_find(struct slice name);
const struct step_info *step_info(enum step_id step);
/* True for what may follow `g` and its source instructions: V(), inject() ... */
bool step_may_start(enum step_id step);
/* The known name that a mistyped one is probably meant to be; null if none is near. */
const char *step_guess(struct slice name);
/* Returns E_OK, or E_SYNTAX telling how many arguments the step takes. */
int step_check_count(enum step_id step, uint32_t count, struct error *err);

#endif
