/*
 * running.h -- the queries that run, seen from outside: how long they take, what they are.
 *
 * One that took slow_ms or longer is kept with its plan and its operators (rows, time, requests by
 * shard), the last ROUTER_SLOW_MAX of them, for the host's log and the dump. Operators are timed
 * from RUNNING_TIMED_MS on only, so that short queries pay nothing.
 *
 * Pure. Units: microseconds by options.micros; without it those of now_ms.
 */
#ifndef ROUTER_RUN_RUNNING_H
#define ROUTER_RUN_RUNNING_H

#include "common/error.h"
#include "common/value.h"

enum { RUNNING_LISTED_MAX = 1000, RUNNING_TEXT_MAX = 1024, RUNNING_TIMED_MS = 20 };

struct query;
struct router;
struct router_slow;

/* The query has its place; its time counts from its arrival. */
void running_begin(struct query *query);
/* Before it goes on: what may become a slow query is timed from RUNNING_TIMED_MS on. */
void running_watch(struct query *query);
/* Before a run is closed: remembers the operators of a slow one. */
void running_note(struct query *query);
/* It is over: its time is counted, and it is noted if it was slow. */
void running_end(struct query *query);
void running_slow_close(struct router_slow *slow);
/* {router, queries: [{id, request, state, ms, attempts, client, text}], waiting}: a MAP in the
 * arena. The first RUNNING_LISTED_MAX, in order of arrival; texts are cut at RUNNING_TEXT_MAX. */
struct value running_list(const struct router *router, struct arena *arena);
/* Ends one, given by its id (router-number) or the requestId of its client. Returns E_OK (it ends
 * in this turn or the next), E_NOT_FOUND, E_INVALID (it is committing: that is soon over). */
int running_kill(struct router *router, struct slice id, struct error *err);
/* For people. */
void running_dump(const struct router *router, struct bytes *out);

#endif
