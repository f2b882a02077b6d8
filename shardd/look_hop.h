/*
 * look_hop.h -- from a vertex to its edges or far vertices.
 *
 * What is asked decides what is read: degrees for plain counts; decoded arrays of the cache or the
 * front of runs for far vertices; whole runs for edges with properties.
 */
#ifndef SHARDD_LOOK_HOP_H
#define SHARDD_LOOK_HOP_H

#include "shardd/look.h"

/* Goes on after look->at.passed halves, and counts there what it passes; sets it to 0 when all are
 * done. */
int look_hop_run(struct look *look, struct look_vertex *vertex);

/* What hops to come will want of the cache: the ids of inputs ahead. */
void look_hop_hint(const struct look *look, const struct vid *id, int stage);

#endif
