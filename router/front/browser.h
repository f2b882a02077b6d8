/*
 * browser.h -- whether a page of another site is behind a request.
 *
 * Pure. Internal to router/front.
 */
#ifndef ROUTER_FRONT_BROWSER_H
#define ROUTER_FRONT_BROWSER_H

#include "router/front/front.h"
#include "common/httpparse.h"

/* Whether pages of this origin may call: cors_origins. */
bool browser_allows(const struct front_options *options, struct slice origin);
/* Whether a browser may be at work for another page: an Origin that is not allowed, or, on a
 * loopback address, a Host that only foreign name servers can have led here. */
bool browser_is_foreign(const struct front_options *options, const struct httpparse *parse);

#endif
