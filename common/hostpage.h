/*
 * hostpage.h -- a daemon's own pages, as its httpd (httpd.h) asks for them.
 *
 *   /healthz      "ok": the loop turns
 *   /readyz       200 or 503, and a line for each reason: what this process is there for is done
 *   /metrics      Prometheus' text format: counters, times by verb, the core's own families
 *   /debug/       a list of the following
 *   /debug/dump   the inside of the core
 *   /debug/log    the last lines of the log, of all levels
 *
 * Shell.
 */
#ifndef COMMON_HOSTPAGE_H
#define COMMON_HOSTPAGE_H

#include "common/httpd.h"

/* ctx: the struct host. */
void hostpage_write(void *ctx, struct slice path, struct httpd_page *page);

#endif
