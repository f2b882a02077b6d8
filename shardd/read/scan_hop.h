/*
 * scan_hop.h -- from a vertex to its edges or far vertices.
 *
 * What is asked decides what is read: degrees for plain counts; decoded arrays of the cache or the
 * front of runs for far vertices; whole runs for edges with properties.
 */
#ifndef SHARDD_READ_SCAN_HOP_H
#define SHARDD_READ_SCAN_HOP_H

#include "shardd/read/scan.h"

/* Goes on after scan->at.passed halves, and counts there what it passes; sets it to 0 when all are
 * done. */
int scan_hop_run(struct scan *scan, struct scan_vertex *vertex);

/* What hops to come will want of the cache: the ids of inputs ahead. */
void scan_hop_hint(const struct scan *scan, const struct vid *id, int stage);

#endif
