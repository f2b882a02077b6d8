/*
 * http.h -- one HTTP exchange: a query by POST or GET, or one of the router's own pages.
 *
 *   POST, GET /gremlin, /     a query: {"gremlin": ...} or ?gremlin=...; answered in one response
 *   OPTIONS                   CORS preflight
 *   GET /healthz, /readyz     for balancers
 *   GET /status, /metrics     JSON for people, Prometheus
 *
 * HTTP status: 200 for an answer, 400 a request at fault, 401, 403, 429, else 500; errors are JSON
 * with "message".
 * After: reference/gremlin.md section 4.7.
 *
 * Internal to router/front. Each returns what its libwebsockets callback returns: 0, or -1 to
 * close.
 */
#ifndef ROUTER_FRONT_HTTP_H
#define ROUTER_FRONT_HTTP_H

#include "router/front/conn.h"

struct http_exchange;

int http_begin(struct front *front, struct lws *wsi, struct conn_slot *slot);
int http_body(struct conn *conn, const void *data, size_t size);
int http_body_done(struct conn *conn);
/* slot->conn is null when the exchange is over. */
int http_writeable(struct lws *wsi, struct conn_slot *slot);
void http_closed(struct conn_slot *slot);
/* Answers with a response; takes its body. */
void http_answer(struct conn *conn, struct router_response *response);
void http_exchange_free(struct http_exchange **exchange);

#endif
