/*
 * request_args.h -- the arguments of a request message, whatever format they came in, checked.
 *
 * Texts of errors are Gremlin Server's where it has one.
 *
 * Pure.
 */
#ifndef ROUTER_WIRE_REQUEST_ARGS_H
#define ROUTER_WIRE_REQUEST_ARGS_H

#include "router/wire/request.h"

/* op_name and processor are set. Returns E_OK or E_INVALID; an op that is not
 * known is REQUEST_UNKNOWN. */
int request_args_take(struct request *request, const struct value *args, struct error *err);

#endif
