/*
 * running.h -- the queries that run, seen from outside: how long they take, what they are.
 *
 * Pure. Units: microseconds by options.micros; without it those of now_ms.
 */
#ifndef ROUTER_RUN_RUNNING_H
#define ROUTER_RUN_RUNNING_H

#include "common/bytes.h"

struct query;
struct router;

/* The query has its place; its time counts from its arrival. */
void running_begin(struct query *query);
/* It is over: its time is counted. */
void running_end(struct query *query);
/* For people. */
void running_dump(const struct router *router, struct bytes *out);

#endif
