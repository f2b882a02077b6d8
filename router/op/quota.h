/*
 * quota.h -- what an operator holds on the heap counts against the query's memory too.
 *
 * Limits: the exec's query_memory_max, together with its arena.
 */
#ifndef ROUTER_OP_QUOTA_H
#define ROUTER_OP_QUOTA_H

#include "router/op/exec.h"

/* BATCH: there is room for so many items; else ERROR with E_LIMIT. */
enum pull quota_check(struct exec *exec, uint64_t count, size_t item_size);

#endif
