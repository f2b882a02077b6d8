/*
 * build.h -- how instructions become plan steps: what the build_*.c files share.
 *
 *   bytecode --build_traversal--> for each step: build_row(step) -> function(frame, call) ->
 *   build_push
 *
 * A call is a step with the modulators that follow it (by, option, from, to, with, as): the row
 * says which of them it takes. as() labels the last plan step that the call made.
 *
 * Private to router/plan. Pure. All made lives in the plan's arena, and nothing there points into
 * the bytecode. Limits: nesting VALUE_DEPTH_MAX, PLAN_STEPS_MAX steps.
 */
#ifndef ROUTER_PLAN_BUILD_H
#define ROUTER_PLAN_BUILD_H

#include "router/plan/params.h"

/* What a step may be followed by. */
enum build_modulators {
    BUILD_BY = 1,
    BUILD_OPTION = 2,
    BUILD_FROM_TO = 4,
    BUILD_WITH = 8,
    BUILD_LOOP = 16 /* times, until, emit. */
};

enum build_flags {
    BUILD_SOURCE = 1, /* The first step has no input: root, or a branch of g.union(). */
    BUILD_WHERE = 2,  /* Child of where(): leading as() selects, trailing as() compares. */
    BUILD_GLOBAL = 4, /* Body of repeat(), branch of union() or choose(). */
    BUILD_REPEAT = 8  /* Body of repeat(). */
};

/* The part of the graph that SubgraphStrategy and PartitionStrategy leave in view. */
struct build_part {
    const struct bytecode *vertices, *edges; /* Tests; null: none. */
    const struct bytecode *properties;       /* Test of vertex properties; null: none. */
    bool ignores_ends;                       /* checkAdjacentVertices is false. */
    bool is_testing;                         /* A test is being built: it sees all. */
    struct slice key;                        /* Of partitions. */
    struct value write;                      /* NULL: none. */
    const struct predicate *read;            /* Null: no partitions. */
};

struct frame;

struct build {
    struct plan *plan;
    struct arena *arena; /* The plan's. */
    struct error *err;
    uint32_t depth;
    uint32_t step_total;
    bool is_read_only;            /* ReadOnlyStrategy. */
    bool is_unconnected;          /* withoutStrategies(ConnectiveStrategy). */
    bool is_productive;           /* ProductiveByStrategy. */
    bool checks_reserved;         /* ReservedKeysVerificationStrategy, throwing. */
    struct slice id_key;          /* ElementIdStrategy: the property that stands for the id. */
    bool has_computer;            /* VertexProgramStrategy. */
    bool forbids_computer;        /* VertexProgramRestrictionStrategy. */
    bool checks_edge_labels;      /* EdgeLabelVerificationStrategy, throwing. */
    struct value productive_keys; /* A list or set; NULL: none. */
    struct value reserved_keys;   /* NULL: id, label. */
    struct build_part part;
    const struct frame *frame; /* Being built, innermost. */
};

struct frame {
    struct build *build;
    const struct bytecode *bytecode;
    uint32_t flags;
    struct plan_traversal *traversal;
    const struct frame *outer; /* Of the traversal that this one is a child of; null: the root. */
};

struct call {
    const struct instruction *step;
    const struct instruction *modulators;
    uint32_t modulator_count; /* as() among them too. */
    bool is_start;            /* Has no input. */
};

typedef int (*build_fn)(struct frame *frame, const struct call *call);

struct build_row {
    build_fn build;
    uint32_t modulators; /* Of build_modulators. */
};

/* ---- build.c ---- */

int build_traversal(struct build *build, const struct bytecode *bytecode, uint32_t flags,
                    struct plan_traversal **out);
/* as(): names what the last step gives. */
void build_label(struct frame *frame, const struct instruction *as, const struct slice *labels,
                 uint32_t count);
/* The steps of the frame's bytecode at the end of its traversal. */
int build_steps(struct frame *frame);
/* Builds a child and adds it to the step; gives its index. */
int build_child(struct build *build, struct plan_step *step, const struct value *traversal,
                uint32_t flags, uint32_t *index);
uint32_t build_adopt(struct build *build, struct plan_step *step, struct plan_traversal *child);
struct plan_step build_step(const struct call *call, enum plan_kind kind, const void *params);
void build_push(struct frame *frame, const struct plan_step *step);
void build_append(struct build *build, struct plan_traversal *traversal,
                  const struct plan_step *step);
struct plan_traversal *build_empty(struct build *build);
/* An array with room for `added` more, which only grew through here: rooms are powers of two, so
 * that ten
 * thousand small additions do not copy ten thousand times. */
void *build_grow(struct build *build, const void *items, uint32_t count, uint32_t added,
                 size_t size);
/* Makes known a side effect's key. Gives its entry. */
struct plan_side_effect *build_side_effect(struct build *build, struct slice key);

/* ---- build_arg.c: arguments ---- */

bool build_arg_is_enum(const struct value *value, enum value_enum type);
/* The scope if argument 0 is one; *next is the first argument behind it. */
enum enumerator build_arg_scope(const struct call *call, uint32_t *next);
int build_arg_text(struct build *build, const struct call *call, uint32_t index, struct slice *out);
/* All arguments from `from` on, strings; lists are flattened, nulls are left out. */
int build_arg_texts(struct build *build, const struct call *call, uint32_t from, uint32_t *count,
                    const struct slice **out);
int build_arg_number(struct build *build, const struct call *call, uint32_t index, int64_t *out);
struct slice build_arg_slice(struct build *build, struct slice text);
struct value build_arg_value(struct build *build, const struct value *value);
/* A predicate of the plan's own, compiled: P as it is, a value as eq(value). */
int build_arg_predicate(struct build *build, const struct value *value,
                        const struct predicate **out);
/* within(values). */
const struct predicate *build_arg_within(struct build *build, const struct value *values,
                                         uint32_t count);
/* A constant or a child traversal. */
int build_arg_either(struct build *build, struct plan_step *step, const struct value *value,
                     uint32_t flags, struct plan_arg *out);
/* E_INVALID: "out() cannot take ...". */
int build_arg_wrong(struct build *build, const struct call *call, uint32_t index,
                    const char *wanted);
/* Number of modulators of a kind, and the nth. */
uint32_t build_arg_modulators(const struct call *call, enum step_id id);
const struct instruction *build_arg_modulator(const struct call *call, enum step_id id,
                                              uint32_t nth);
int build_arg_by(struct build *build, struct plan_step *step, const struct instruction *by,
                 struct plan_by *out);
int build_arg_bys(struct build *build, struct plan_step *step, const struct call *call,
                  uint32_t *count, const struct plan_by **out);
/* At most one by(): "Dedup step can only have one by modulator". */
int build_arg_one_by(struct build *build, struct plan_step *step, const struct call *call,
                     const char *name, struct plan_by *out);
/* from('a') and to('b') as labels. */
int build_arg_from_to(struct build *build, const struct call *call, struct slice *from,
                      struct slice *to);

/* ---- build_effect.c ---- */

/* Something in it (not in its local children) sees several traversers before it gives one. */
bool build_effect_has_barrier(const struct plan_traversal *traversal, uint32_t depth);

/* ---- build_source.c ---- */

int build_source(struct build *build, const struct bytecode *bytecode);
/* What strategies forbid, when the tree is whole. */
int build_source_verify(struct build *build);

/* ---- build_connective.c: infix and(), or() ---- */

/* True if the steps from `from` on have an and() or or() without arguments; *left is where its
 * left side
 * starts. */
bool build_connective_find(const struct bytecode *bytecode, uint32_t from, uint32_t *left);
int build_connective(struct frame *frame, uint32_t left);

/* ---- build_subgraph.c: a part of the graph ---- */

int build_subgraph(struct build *build, const struct value *options);
int build_subgraph_partition(struct build *build, const struct value *options);
/* Push the tests of what the step before gives. */
int build_subgraph_vertices(struct frame *frame, const struct call *call);
int build_subgraph_edges(struct frame *frame, const struct call *call);
/* Push the test of vertex properties behind a step that gives properties. */
int build_subgraph_properties(struct frame *frame, const struct call *call);
/* Vertex properties are tested: maps of properties are refused. */
bool build_subgraph_tests_properties(const struct frame *frame);
/* A hop to vertices has to go over edges, which are tested. */
bool build_subgraph_tests_edges(const struct frame *frame);
/* The property of new elements; null: none. */
const struct plan_set_property_entry *build_subgraph_entry(struct build *build, uint32_t *count);
/* Adds it to the map of a merge step. */
int build_subgraph_merge(struct build *build, struct plan_arg *map);

/* ---- one function a step kind ---- */

int build_graph_elements(struct frame *frame, const struct call *call); /* V, E */
int build_graph_hop(struct frame *frame, const struct call *call);      /* out in both, outE ... */
int build_graph_to(struct frame *frame, const struct call *call); /* to(direction, labels), toE */
int build_graph_edge_vertex(struct frame *frame,
                            const struct call *call); /* outV inV bothV otherV toV */
int build_graph_properties(struct frame *frame, const struct call *call);   /* values, properties */
int build_graph_property_map(struct frame *frame, const struct call *call); /* valueMap ... */
int build_graph_token(struct frame *frame, const struct call *call);        /* id label key value */
int build_graph_element(struct frame *frame, const struct call *call);

int build_has(struct frame *frame, const struct call *call);
int build_has_id(struct frame *frame, const struct call *call);
int build_has_label(struct frame *frame, const struct call *call);
int build_has_key(struct frame *frame, const struct call *call); /* hasKey, hasValue */
int build_has_not(struct frame *frame, const struct call *call);

int build_filter_is(struct frame *frame, const struct call *call);
int build_filter_where(struct frame *frame, const struct call *call);
int build_filter_traversal(struct frame *frame, const struct call *call); /* filter, not, and, or */
int build_filter_dedup(struct frame *frame, const struct call *call);
int build_filter_range(struct frame *frame, const struct call *call); /* limit, skip, range */
int build_filter_tail(struct frame *frame, const struct call *call);
int build_filter_simple_path(struct frame *frame, const struct call *call);
int build_filter_coin(struct frame *frame, const struct call *call);
int build_filter_time_limit(struct frame *frame, const struct call *call);
int build_filter_sample(struct frame *frame, const struct call *call);
int build_filter_list(struct frame *frame, const struct call *call); /* any, all, none(P) */
int build_filter_discard(struct frame *frame, const struct call *call);

int build_map_inject(struct frame *frame, const struct call *call);
int build_map_constant(struct frame *frame, const struct call *call);
int build_map_plain(struct frame *frame, const struct call *call); /* identity, unfold */
int build_map_count(struct frame *frame, const struct call *call);
int build_map_reduce(struct frame *frame, const struct call *call); /* sum min max mean */
int build_map_fold(struct frame *frame, const struct call *call);
int build_map_order(struct frame *frame, const struct call *call);
int build_map_select(struct frame *frame, const struct call *call);
int build_map_project(struct frame *frame, const struct call *call);
int build_formula(struct frame *frame, const struct call *call);  /* math, format */
int build_function(struct frame *frame, const struct call *call); /* op/function.def */
int build_map_path(struct frame *frame, const struct call *call);
int build_map_traversal(struct frame *frame, const struct call *call); /* map, flatMap, local */

int build_effect_group(struct frame *frame, const struct call *call);     /* group, groupCount */
int build_effect_aggregate(struct frame *frame, const struct call *call); /* and store */
int build_effect_tree(struct frame *frame, const struct call *call);
int build_effect_subgraph(struct frame *frame, const struct call *call);
int build_effect_cap(struct frame *frame, const struct call *call);
int build_effect_traversal(struct frame *frame, const struct call *call); /* sideEffect */
int build_effect_sack(struct frame *frame, const struct call *call);
int build_effect_barrier(struct frame *frame, const struct call *call);
int build_effect_fail(struct frame *frame, const struct call *call);
int build_effect_profile(struct frame *frame, const struct call *call);

int build_branch_children(struct frame *frame,
                          const struct call *call); /* union, coalesce, optional */
int build_branch_choose(struct frame *frame, const struct call *call);
int build_branch_repeat(struct frame *frame, const struct call *call);
int build_call(struct frame *frame, const struct call *call);
int build_match(struct frame *frame, const struct call *call);
int build_branch_loops(struct frame *frame, const struct call *call);

int build_change_add_vertex(struct frame *frame, const struct call *call);
int build_change_add_edge(struct frame *frame, const struct call *call);
/* from() and to() behind addE().property(). */
int build_change_end(struct frame *frame, const struct call *call);
int build_change_property(struct frame *frame, const struct call *call);
int build_change_drop(struct frame *frame, const struct call *call);
int build_change_merge(struct frame *frame, const struct call *call);

#endif
