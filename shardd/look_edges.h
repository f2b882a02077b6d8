/*
 * look_edges.h -- edges as the source of a read: all whose out half is here, or by id.
 */
#ifndef SHARDD_LOOK_EDGES_H
#define SHARDD_LOOK_EDGES_H

#include "shardd/look.h"

int look_edges_scan(struct look *look);
int look_edges_ids(struct look *look);

#endif
