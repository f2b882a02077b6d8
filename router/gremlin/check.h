/*
 * check.h -- gives the names in a syntax tree their meaning: values, predicates, traversals.
 *
 * Bindings may stand wherever a literal may (TinkerPop allows them in fewer places).
 *
 * Pure. Ownership: results are in the arena.
 * Limits: VALUE_DEPTH_MAX, BYTECODE_STEPS_MAX instructions in all.
 */
#ifndef ROUTER_GREMLIN_CHECK_H
#define ROUTER_GREMLIN_CHECK_H

#include "router/gremlin/builder.h"
#include "router/gremlin/gremlin.h"
#include "router/gremlin/syntax.h"

struct check {
    struct arena *arena;
    const struct gremlin_input *input;
    struct error *err;
    uint32_t instruction_count;
    bool is_volatile;
};

/* Where a value stands decides what a bare name means. */
enum check_place {
    CHECK_ANY,
    CHECK_STRATEGY, /* withStrategies(ReadOnlyStrategy) */
    CHECK_CLASS,    /* withoutStrategies(ReadOnlyStrategy) */
    CHECK_GTYPE     /* typeOf(int) */
};

int check_value(struct check *check, const struct node *node, int depth, enum check_place place,
                struct value *out);
/* The items of a node, one after another, as values. */
int check_items(struct check *check, const struct node *node, int depth, enum check_place place,
                struct value **out);
/* Appends a step, called as in link. */
int check_step(struct check *check, struct builder *builder, const struct node *link, int depth);
int check_source(struct check *check, struct builder *builder, const struct node *link, int depth);

/* In check_predicate.c's place: P and TextP. */
bool check_predicate_is(const struct node *chain);
/* link: the call of the test itself, after P or TextP. */
int check_predicate(struct check *check, const struct node *link, int depth, struct value *out);

#endif
