/*
 * coordmetrics.h -- what a coordinator tells of itself: families for Prometheus, and why it is
 * ready or not.
 */
#ifndef COORDINATOR_COORDMETRICS_H
#define COORDINATOR_COORDMETRICS_H

#include "common/bytes.h"

struct coord;

/* True: a leader is known; if it is this one, it answers. A follower is as ready as that. */
bool coordmetrics_readiness(const struct coord *coord, struct bytes *out);
void coordmetrics_write(struct coord *coord, struct bytes *out);

#endif
