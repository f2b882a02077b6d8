/*
 * status.h -- the router's own pages as JSON.
 *
 * Internal to router/front.
 */
#ifndef ROUTER_FRONT_STATUS_H
#define ROUTER_FRONT_STATUS_H

#include "router/front/front.h"

/* A JSON string, with its quotes. */
void status_json_text(struct bytes *out, struct slice text);
/* Families of the router's own (common/metrics.h). */
void status_router(struct bytes *out, const struct router *router);
/* GET /metrics: Prometheus. */
void status_metrics(struct bytes *out, const struct front *front);
/* GET and POST /gremlin/status, in the form that tools of Neptune know. parameters: as in a query
 * string. Returns the HTTP status. */
int status_queries(struct bytes *out, struct router *router, struct slice parameters);
/* GET /status. */
void status_page(struct bytes *out, const struct front *front);

#endif
