/*
 * footprint.h -- the memory that all clients together have a router hold, and its limit.
 *
 *   queries that run + requests that wait + answers not taken yet + what the front holds
 *
 * Beyond memory_max the client whose queries hold most loses the largest of them, until the rest
 * has room: so one client's queries end before those of others do. Small queries are never ended.
 *
 * Pure. Units: bytes, as far as they are counted: arenas, results, rows held to be sorted or
 * grouped.
 */
#ifndef ROUTER_RUN_FOOTPRINT_H
#define ROUTER_RUN_FOOTPRINT_H

#include "router/core.h"

enum { FOOTPRINT_SMALL_BYTES = 65536 /* A query that holds less is not ended for others. */ };

uint64_t footprint_query(const struct query *query);
uint64_t footprint_total(const struct router *router);
/* Ends queries with E_LIMIT until the total is within memory_max, or only small ones are left. */
void footprint_bound(struct router *router);

#endif
