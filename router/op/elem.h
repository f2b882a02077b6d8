/*
 * elem.h -- small things that several operators do to ids and elements.
 *
 * Pure. What is made is in the exec's arena.
 */
#ifndef ROUTER_OP_ELEM_H
#define ROUTER_OP_ELEM_H

#include "common/element.h"
#include "common/predicate.h"
#include "common/vid.h"

struct exec;

/* The id that a value means: of an element, or the value itself, read as the graph reads ids.
 * False: none. */
bool elem_vid(struct exec *exec, const struct value *value, struct vid *out);
/* An id as the graph gives it back. */
struct value elem_id(struct exec *exec, const struct vid *vid);
/* A predicate on ids with its operands read as the graph reads ids: hasId("1") finds 1 where ids
 * are INT. */
const struct predicate *elem_id_predicate(struct exec *exec, const struct predicate *predicate);
/* A vertex of which only id and label are known. */
struct value elem_vertex(struct exec *exec, const struct value *id, struct slice label);

#endif
