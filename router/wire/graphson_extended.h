/*
 * graphson_extended.h -- the rare types of java.time in GraphSON: text to the body that EXTENDED
 * values keep.
 *
 * Pure. InetAddress: dotted IPv4 only.
 */
#ifndef ROUTER_WIRE_GRAPHSON_EXTENDED_H
#define ROUTER_WIRE_GRAPHSON_EXTENDED_H

#include "common/arena.h"
#include "common/value.h"

/* type: the name after "gx:". False if it is not one of these types or the text is not of its form.
 * */
bool graphson_extended_parse(struct arena *arena, struct slice type, struct slice text,
                             struct value *out);

#endif
