/*
 * builder.h -- makes instruction lists, for text and for both wire formats alike.
 *
 * What the drivers write differently becomes the same here: names of strategies and classes lose
 * their packages, g.with() becomes an OptionsStrategy.
 *
 * Pure. Ownership: all in the arena; arguments are kept, not copied deeply.
 */
#ifndef ROUTER_GREMLIN_BUILDER_H
#define ROUTER_GREMLIN_BUILDER_H

#include "router/gremlin/bytecode.h"

struct builder {
    struct arena *arena;
    struct instruction *sources, *steps;
    uint32_t source_count, step_count;
    uint32_t source_max, step_max;
};

/* At most source_max and step_max instructions will be added. */
void builder_init(struct builder *builder, struct arena *arena, uint32_t source_max,
                  uint32_t step_max);
/* Keeps args. The caller may set line and column of what is given. */
struct instruction *builder_source(struct builder *builder, struct slice name,
                                   const struct value *args, uint32_t arg_count);
struct instruction *builder_step(struct builder *builder, struct slice name,
                                 const struct value *args, uint32_t arg_count);
/* An option of the request: all of one bytecode are gathered in one OptionsStrategy. */
struct instruction *builder_option(struct builder *builder, const struct value *key,
                                   const struct value *option);
const struct bytecode *builder_finish(const struct builder *builder);

/* A STRATEGY of that name (with or without package) and a MAP. */
struct value builder_strategy(struct arena *arena, struct slice name, const struct value *map);
/* A predicate; a single list or set given to within() and without() stands for its items. */
struct value builder_predicate(struct arena *arena, uint8_t test, const struct value *operands,
                               uint32_t count);
/* AND, OR, NOT of VALUE_PREDICATEs. */
struct value builder_connective(struct arena *arena, uint8_t test, const struct value *children,
                                uint32_t count);
/* A P or TextP as the wire formats give it: a name and values. False if there is none of that name
 * or the values do not suit it. */
bool builder_named_predicate(struct arena *arena, struct slice name, const struct value *values,
                             uint32_t count, struct value *out);
/* "a.b.C$D" -> "C$D". */
struct slice builder_class_name(struct slice name);

#endif
