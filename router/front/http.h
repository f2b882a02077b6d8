/*
 * http.h -- one HTTP exchange: a query by POST or GET, or one of the router's own pages.
 *
 *   POST, GET /gremlin, /     a query: {"gremlin": ...} or ?gremlin=...; answered in one response
 *   OPTIONS                   CORS preflight
 *   GET /healthz, /readyz     for balancers
 *   GET /status, /metrics     JSON for people, Prometheus
 *
 * HTTP status: 200 for an answer, 400 a request at fault, 401, 403, 429, else 500; errors are JSON
 * with "message". Requests of one connection are answered one after the other, in order.
 * After: RFC 9110, RFC 9112; reference/gremlin.md section 4.7.
 *
 * Internal to router/front.
 */
#ifndef ROUTER_FRONT_HTTP_H
#define ROUTER_FRONT_HTTP_H

#include "router/front/conn.h"

/* Takes bytes off the front of *in: up to the end of one request. *in is invalid once the
 * connection has ended. */
void http_take(struct conn *conn, struct slice *in);
/* Answers with a response of the router; takes its body. */
void http_answer(struct conn *conn, struct router_response *response);
/* Answers what was not read to its end; the connection ends. */
void http_refuse(struct conn *conn, int status, const char *why);

#endif
