/*
 * report.h -- what people are told about a text that is not Gremlin.
 *
 * Pure.
 */
#ifndef ROUTER_GREMLIN_REPORT_H
#define ROUTER_GREMLIN_REPORT_H

#include "router/gremlin/syntax.h"

/* Sets parse->err to "line:column: unexpected 'x', expected ..." or, for what looks like Groovy,
 * to what may be used instead. names: of the tokens that would have been right. Returns the
 * error's code. */
int report_unexpected(struct parse *parse, const char *const *names, size_t count);
/* Sets err to "line:column: text". Returns code. */
int report_at(struct error *err, const struct node *at, int code, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
/* A sentence for a name that is Groovy or Java and not Gremlin; null if there is none. */
const char *report_groovy(struct slice name);

#endif
