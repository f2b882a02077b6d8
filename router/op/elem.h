/*
 * elem.h -- small things that several operators do to ids and elements.
 *
 * Pure. What is made is in the exec's arena.
 */
#ifndef ROUTER_OP_ELEM_H
#define ROUTER_OP_ELEM_H

#include "common/element.h"
#include "common/read.h"
#include "common/vid.h"

struct exec;

/* The id that a value means: of an element, or the value itself, read as the graph reads ids.
 * False: none. */
bool elem_vid(struct exec *exec, const struct value *value, struct vid *out);
/* An id as the graph gives it back. */
struct value elem_id(struct exec *exec, const struct vid *vid);
/* Tests with the operands of those on ids read as the graph reads ids. V("1"), hasId("1") and
 * has(T.id, "1") find 1 where ids are INT, and "1" alone elsewhere: this and elem_vid decide it,
 * nothing else does. */
const struct read_filter *elem_filters(struct exec *exec, const struct read_filter *filters,
                                       uint32_t count);
/* A vertex of which only id and label are known. */
struct value elem_vertex(struct exec *exec, const struct value *id, struct slice label);

#endif
