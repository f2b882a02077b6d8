/*
 * coord_map.h -- the map for routers: answered when it is asked for, pushed when it has changed.
 *
 *   ROUTER_REGISTER, MAP_GET --> heard --+
 *   the state has another version -------+--> MAP to all routers heard lately
 *
 * A lost push costs a router what it did before there were any: it asks again when a request meets
 * another epoch or silence, and every few seconds.
 *
 * Shell. Part of coord.c's turn. Limits: a router is pushed to for COORD_MAP_KEPT_MS after it asked
 * last.
 */
#ifndef COORDINATOR_COORD_MAP_H
#define COORDINATOR_COORD_MAP_H

#include "coordinator/coord_inside.h"

enum { COORD_MAP_KEPT_MS = 20000 };

/* A router that may ask for the map is there. */
void coord_map_heard(struct coord *coord, peer_id router);
void coord_map_get(struct coord *coord, const struct message *message);
void coord_map_tick(struct coord *coord);

#endif
