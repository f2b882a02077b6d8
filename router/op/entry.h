/*
 * entry.h -- the operator at the start of every child: gives the batch that child.h puts into it.
 */
#ifndef ROUTER_OP_ENTRY_H
#define ROUTER_OP_ENTRY_H

#include "router/op/op.h"

/* Keeps the items until the child is done. is_local: traverser i leaves with tag i and bulk 1. */
void entry_give(struct op *op, const struct traverser *items, uint32_t count, bool is_local);

#endif
