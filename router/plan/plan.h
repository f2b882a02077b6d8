/*
 * plan.h -- what a query is to do: a read-only tree, made once, printed by explain(), cached by
 * text.
 *
 *   struct plan
 *     root: struct plan_traversal = steps in order
 *       struct plan_step: kind (a row of op/ops.def), labels of as(), params (plan/params.h),
 *       children
 *         children: plan_traversals: of by(), where(), repeat(), union() ...
 *
 * instructions --plan_build--> plan --rules (one file each, rules.def)--> plan --op_new-->
 * operators
 *
 * Local children (by, where, filter, local, map, flatMap, optional, coalesce, the test of
 * choose...) run once for a whole batch: each traverser gets its position in the batch as its tag,
 * and barriers, limits and counts inside keep their state per tag. The body of repeat() and the
 * branches of union() and choose() are global children: they keep the tags that they are given.
 *
 * Pure. The plan owns all in one arena.
 * Limits: nesting VALUE_DEPTH_MAX, PLAN_STEPS_MAX steps.
 */
#ifndef ROUTER_PLAN_PLAN_H
#define ROUTER_PLAN_PLAN_H

#include "common/arena.h"
#include "common/error.h"
#include "router/gremlin/bytecode.h"

enum { PLAN_STEPS_MAX = 10000 };

/* One row an operator: OP(KIND, class, "explain name"). */
enum plan_kind {
    PLAN_NO_KIND,
#define OP(kind, class, name) PLAN_##kind,
#include "router/op/ops.def"
#undef OP
    PLAN_KIND_COUNT
};

struct plan_traversal;

struct plan_step {
    enum plan_kind kind;
    uint32_t label_count; /* as() labels, put on the path after the step. */
    const struct slice *labels;
    const void *params; /* The struct of params.h that belongs to the kind; null if it has none. */
    uint32_t child_count;
    struct plan_traversal **children; /* In the order that the params say. */
    uint64_t row_bound;  /* No more rows than this are needed from it; 0: all (rules/limit). */
    enum step_id origin; /* The Gremlin step it was made for. */
};

/* What the traversers of a traversal must carry, found by rules/needs. */
enum plan_needs {
    PLAN_NEEDS_PATH = 1,   /* All objects of the path. */
    PLAN_NEEDS_LABELS = 2, /* Only objects with as() labels. */
    PLAN_NEEDS_BULK = 4,   /* Equal traversers may be merged only if this is all that differs. */
    PLAN_NEEDS_LOOPS = 8,
    PLAN_NEEDS_SACK = 16
};

struct plan_traversal {
    struct plan_step *steps;
    uint32_t step_count;
    uint32_t step_room;
    bool is_global; /* Body of repeat(), branch of union() or choose(): keeps tags. */
};

struct plan_side_effect {
    struct slice key;
    bool has_initial;
    struct value initial;    /* withSideEffect(). */
    enum enumerator reducer; /* ENUMERATOR_COUNT: none. */
};

struct plan {
    struct arena arena;
    struct plan_traversal *root;
    uint32_t needs; /* Of plan_needs, over the whole plan. */
    bool is_write;
    bool is_bulked; /* withBulk(false) clears it. */
    bool has_sack;
    struct value sack;                      /* withSack(). */
    enum enumerator sack_split, sack_merge; /* ENUMERATOR_COUNT: none. */
    uint32_t side_effect_count;
    struct plan_side_effect *side_effects;
    bool is_explain; /* explain(): print the plan, run nothing. */
    bool is_profile; /* profile(): run, then give the metrics. */
    bool is_discard; /* iterate(): results are not wanted. */
    bool tokens_only;
    struct value seed;        /* SeedStrategy; NULL. */
    uint32_t predicate_count; /* Compiled ones, for plan_free. */
    struct predicate **predicates;
    uint32_t predicate_room;
};

/* Plan of an instruction list, rules applied. Returns E_OK, E_UNSUPPORTED, E_INVALID (texts as
 * TinkerPop's
 * where the conformance suite looks at them), E_LIMIT. */
int plan_build(const struct bytecode *bytecode, struct plan **plan, struct error *err);
void plan_free(struct plan **plan);
/* For explain(), golden files and logs: one line a step, children indented, pushed work in
 * brackets. */
void plan_print(struct bytes *out, const struct plan *plan);

#endif
