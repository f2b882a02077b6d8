/*
 * scan_edges.h -- edges as the source of a read: all whose out half is here, or by id.
 */
#ifndef SHARDD_READ_SCAN_EDGES_H
#define SHARDD_READ_SCAN_EDGES_H

#include "shardd/read/scan.h"

int scan_edges_scan(struct scan *scan);
int scan_edges_ids(struct scan *scan);

#endif
