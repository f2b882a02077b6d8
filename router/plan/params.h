/*
 * params.h -- what each kind of plan step is told: one struct a kind that needs one.
 *
 * Child traversals are given as indexes into plan_step.children; PLAN_NO_CHILD: none.
 * Filled by plan/build*.c, changed by plan/rules, read by the operator of the same kind.
 */
#ifndef ROUTER_PLAN_PARAMS_H
#define ROUTER_PLAN_PARAMS_H

#include "common/predicate.h"
#include "common/read.h"
#include "router/plan/plan.h"

struct formula;

enum { PLAN_NO_CHILD = 0x7fffffff };

/* ---- by() ---- */

enum plan_by_kind {
    BY_IDENTITY,
    BY_KEY,    /* by('name'): an element's property, a map's entry. */
    BY_TOKEN,  /* by(T.id). */
    BY_COLUMN, /* by(Column.keys). */
    BY_CHILD   /* by(traversal). */
};

struct plan_by {
    enum plan_by_kind kind;
    struct slice key;
    enum enumerator token; /* T_* or COLUMN_*. */
    enum enumerator order; /* ORDER_*; order() only. */
    uint32_t child;
    bool gives_null; /* ProductiveByStrategy: null, productively, where there is nothing. */
};

/* ---- an argument that may be a constant or a traversal ---- */

struct plan_arg {
    struct value value; /* When child is PLAN_NO_CHILD. */
    uint32_t child;
};

/* ---- graph ---- */

/* PLAN_VERTICES, PLAN_EDGES. With ids: by id; elements among the ids count by their id. Else all,
 * filtered. */
struct plan_elements {
    bool is_start; /* Spawns once for each tag; else once for each traverser that comes
                   * (mid-traversal V()). */
    bool has_ids;  /* V(ids...): also when the list is empty of usable ids. */
    uint32_t id_count;
    const struct value *ids;
    uint32_t filter_count; /* Pushed down: conjunction. */
    const struct read_filter *filters;
    enum read_emit emit; /* READ_ROWS, or READ_COUNT when rules/count made a trailing count() of it,
                              or READ_LABEL_COUNTS for groupCount().by(label). */
    enum read_project project; /* What the steps behind it need. */
    uint32_t key_count;
    const struct slice *keys;
    uint64_t limit; /* Pushed down limit; 0: none. */
};

/* PLAN_HOP. */
struct plan_hop {
    uint8_t direction; /* enum enumerator DIRECTION_*. */
    bool to_edges;
    uint32_t label_count;
    const struct slice *labels;
    uint32_t edge_filter_count; /* Pushed down: on the edges. */
    const struct read_filter *edge_filters;
    uint32_t far_filter_count; /* Pushed down: on far id and label. */
    const struct read_filter *far_filters;
    uint32_t
        vertex_filter_count; /* On the far vertex's properties: a second request to its owner. */
    const struct read_filter *vertex_filters;
    enum read_project
        project; /* Properties of edges (to_edges), or of far vertices (second request). */
    uint32_t key_count;
    const struct slice *keys;
    enum read_emit emit; /* READ_ROWS; READ_MERGED when paths, tags apart and order do not matter;
                                   READ_COUNT, READ_COUNT_EACH for a trailing count(). */
    uint64_t limit_each; /* local(out().limit(n)) and the like; 0: none. */
};

struct plan_edge_vertex {
    enum plan_end { EDGE_VERTEX_OUT, EDGE_VERTEX_IN, EDGE_VERTEX_BOTH, EDGE_VERTEX_OTHER } which;
};

/* PLAN_HAS: conjunction of tests on an element (or property: key and value for hasKey/hasValue). */
struct plan_has {
    uint32_t filter_count;
    const struct read_filter *filters;
    bool on_property; /* hasKey() -> READ_ON_LABEL is the key; hasValue() -> READ_ON_KEY is the
                      * value. */
};

struct plan_properties {
    bool to_values;     /* values(): values; properties(): properties. */
    uint32_t key_count; /* 0: all. */
    const struct slice *keys;
};

struct plan_property_map {
    enum {
        MAP_VALUES,     /* valueMap */
        MAP_PROPERTIES, /* propertyMap */
        MAP_ELEMENT     /* elementMap */
    } which;
    uint32_t tokens; /* with(WithOptions.tokens, x): bits ids 1, labels 2, keys 4, values 8. */
    uint32_t key_count;
    const struct slice *keys;
    uint32_t by_count; /* by() on the values. */
    const struct plan_by *bys;
};

struct plan_token {
    enum enumerator token; /* T_ID, T_LABEL, T_KEY, T_VALUE. */
};

struct plan_load {
    bool is_deep; /* Also inside collections: what clients get. */
    enum read_project project;
    uint32_t key_count;
    const struct slice *keys;
};

/* ---- mutations ---- */

struct plan_set_property_entry {
    enum enumerator cardinality; /* ENUMERATOR_COUNT: the default (single). */
    struct plan_arg key;         /* A string, or a T for addV().property(T.id, x). */
    struct plan_arg value;
    uint32_t meta_count; /* Pairs. */
    const struct plan_arg *metas;
};

/* addV(): property() steps that follow directly are part of it (rules/fold_property). */
struct plan_add_vertex {
    bool is_start;
    bool has_label; /* addV(label). */
    struct plan_arg label;
    uint32_t property_count;
    const struct plan_set_property_entry *properties;
};

struct plan_add_edge {
    bool is_start;
    struct plan_arg label;
    bool has_from, has_to;
    struct plan_arg
        from; /* A label of the path (string), a vertex or id, or a traversal; absent: the
               * traverser. */
    struct plan_arg to;
    uint32_t property_count;
    const struct plan_set_property_entry *properties;
};

struct plan_set_property {
    uint32_t entry_count; /* property(map) has several. */
    const struct plan_set_property_entry *entries;
    struct plan_arg map; /* property(traversal giving a map): child set; else unused. */
    bool has_map;
};

struct plan_merge {
    bool is_start;
    bool from_traverser; /* mergeV() without argument: the traverser's map. */
    struct plan_arg map;
    bool has_on_create, has_on_match;
    struct plan_arg on_create, on_match;
    /* option(Merge.onMatch, map, Cardinality): ENUMERATOR_COUNT: none. */
    enum enumerator create_cardinality, match_cardinality;
    bool has_out_v, has_in_v; /* mergeE: option(Merge.outV, ...). */
    struct plan_arg out_v, in_v;
};

/* ---- filters ---- */

struct plan_inject {
    bool is_behind; /* First of a child: what enters it goes before. */
    bool is_start;
    uint32_t value_count;
    const struct value *values;
};

struct plan_is {
    const struct predicate *predicate; /* is(v) is eq(v). */
};

struct plan_filter {
    enum {
        FILTER_ANY_OF, /* or; where(t), filter(t) with one child */
        FILTER_ALL_OF, /* and */
        FILTER_NONE_OF /* not */
    } which;
};

/* where('a', P('b')): operands of the predicate are path labels (or side-effect keys). */
struct plan_where {
    struct slice start; /* Empty: the traverser itself. */
    const struct predicate *predicate;
    uint32_t by_count; /* Cyclic over start and operands. */
    const struct plan_by *bys;
};

struct plan_coin {
    double probability; /* 0 to 1. */
};

struct plan_sample {
    enum enumerator scope;
    uint64_t amount;
    struct plan_by by; /* The weight; identity: all weigh the same. */
};

/* PLAN_LIST_TEST: keeps lists; null and what is no list go. */
struct plan_list_test {
    enum { LIST_ANY, LIST_ALL, LIST_NONE } which;
    const struct predicate *predicate;
};

struct plan_dedup {
    enum enumerator scope;
    uint32_t label_count; /* dedup('a', 'b'). */
    const struct slice *labels;
    struct plan_by by;
};

struct plan_range {
    enum enumerator scope;
    uint64_t low;
    uint64_t high; /* UINT64_MAX: to the end. */
};

struct plan_tail {
    enum enumerator scope;
    uint64_t count;
};

struct plan_order {
    enum enumerator scope;
    uint32_t by_count;
    const struct plan_by *bys;
    uint64_t top; /* A limit() behind it: only the first so many; 0: all. */
};

struct plan_simple_path {
    bool is_simple;        /* Else cyclicPath. */
    struct slice from, to; /* Labels; empty: none. */
    uint32_t by_count;
    const struct plan_by *bys;
};

/* ---- maps ---- */

struct plan_scope {
    enum enumerator scope; /* PLAN_COUNT, local or global. */
};

struct plan_reduce {
    enum enumerator scope;
    enum { REDUCE_SUM, REDUCE_MIN, REDUCE_MAX, REDUCE_MEAN } which;
};

struct plan_fold {
    bool has_seed; /* fold(seed, operator). */
    struct value seed;
    enum enumerator operation;
};

struct plan_group {
    bool is_count; /* groupCount. */
    bool is_only;  /* The value traversal has no barrier: the last traverser's first value stays. */
    struct slice
        side_effect; /* data null: a result; else the key it collects under, passing traversers on.
                      * */
    struct plan_by key;
    struct plan_by
        value; /* Not BY_CHILD: what is folded into the group's list. BY_CHILD: see below. */
    /* group().by(k).by(traversal): the traversal in two parts, as TinkerPop splits it at its first
     * barrier:
     * `before` runs for each traverser, `after` (the barrier and what follows) with one tag a
     * group. */
    uint32_t before; /* Child; PLAN_NO_CHILD: the traverser itself. */
    uint32_t after;  /* Child; PLAN_NO_CHILD with is_only alone. */
};

struct plan_select {
    uint32_t label_count; /* 1: the value itself; more: a map. */
    const struct slice *labels;
    enum enumerator pop;    /* ENUMERATOR_COUNT: last. */
    enum enumerator column; /* select(keys), select(values); else ENUMERATOR_COUNT. */
    uint32_t child;         /* select(traversal). */
    uint32_t by_count;
    const struct plan_by *bys;
};

struct plan_project {
    uint32_t key_count;
    const struct slice *keys;
    uint32_t by_count;
    const struct plan_by *bys;
};

struct plan_path {
    struct slice from, to;
    uint32_t by_count;
    const struct plan_by *bys;
};

struct plan_constant {
    struct value value;
};

/* A variable of math() or format(): the traverser itself through a by(), or something named. */
struct plan_variable {
    struct slice name; /* Empty: the traverser. */
    uint32_t by;       /* Which of the by()s sees it. */
    uint32_t key_by;   /* format(): the by() of the property of that key; else PLAN_NO_CHILD. */
};

/* PLAN_FORMULA */
struct plan_formula {
    const struct formula *formula; /* math(); null: format(). */
    uint32_t variable_count;
    const struct plan_variable *variables;
    const struct slice *texts; /* format(): variable_count + 1, around and between the variables. */
    uint32_t by_count;
    const struct plan_by *bys;
};

enum { PLAN_ARGS_MAX = 64 };

/* PLAN_FUNCTION: at most PLAN_ARGS_MAX arguments; one value of one value (op/function.def). */
struct plan_function {
    enum step_id step;
    enum enumerator scope;
    bool is_map; /* index() with WithOptions.map. */
    uint32_t arg_count;
    const struct plan_arg *args;
};

/* PLAN_MAP: children[0]. */
struct plan_map {
    bool is_single; /* One traverser at a time: the child reads side effects that it fills. */
    enum {
        MAP_FIRST, /* map(t): the first result; none: filtered. */
        MAP_FLAT,  /* flatMap(t). */
        MAP_LOCAL  /* local(t): as flatMap, bulk split to ones. */
    } which;
};

/* PLAN_MATCH: places of the path, as the patterns of match() see them. */
struct plan_match {
    enum plan_match_kind {
        MATCH_ENTER, /* The first label for what comes, unless its path has one of them. */
        MATCH_FROM,  /* Goes on from what the label stands for. */
        MATCH_BIND,  /* Names it; if the label stands for something, keeps what equals that. */
        MATCH_GIVE   /* A map of the labels that stand for something. */
    } which;
    uint32_t label_count;
    const struct slice *labels;
};

/* ---- side effects ---- */

struct plan_aggregate {
    enum enumerator scope; /* global: a barrier; local: as they pass. */
    struct slice key;
    struct plan_by by;
};

/* PLAN_SACK: sack() gives what the traverser carries, sack(operator) changes it. */
struct plan_sack {
    bool is_change;
    enum enumerator operation;
    struct plan_by by;
};

struct plan_barrier {
    bool is_norm; /* barrier(normSack): sacks become parts of their sum. */
    uint64_t max; /* barrier(n): merges at most so many at a time; 0: all. */
};

struct plan_tree {
    struct slice side_effect; /* data null: a result. */
    uint32_t by_count;
    const struct plan_by *bys;
};

struct plan_subgraph {
    struct slice side_effect;
};

struct plan_time_limit {
    uint64_t limit_ms;
};

struct plan_cap {
    uint32_t key_count;
    const struct slice *keys;
};

/* ---- branches ---- */

/* PLAN_UNION: all children, for each traverser. As a start step: each child once, which is a
 * source then.
 * The branches of union() and choose() are global (plan_traversal.is_global): traversers enter
 * with the tags they have, and a reducing step in a branch gives one result over all that entered
 * it, none if none did. */
struct plan_union {
    bool is_start;
};

/* PLAN_CHOOSE: choose(predicate or traversal) with options. */
struct plan_choose_option {
    enum {
        CHOOSE_VALUE,     /* Equals a value. */
        CHOOSE_PREDICATE, /* Matches a P. */
        CHOOSE_NONE,      /* Pick.none: nothing matched. */
        CHOOSE_UNPRODUCTIVE,
        CHOOSE_ANY,      /* Pick.any, of branch(). */
        CHOOSE_TRAVERSAL /* branch()-like: option(traversal, ...): refused by build. */
    } which;
    struct value value;
    const struct predicate *predicate;
    uint32_t child; /* Body; PLAN_NO_CHILD: identity. */
};

struct plan_choose {
    bool is_branch;   /* branch(): every option that matches, and Pick.any; else nothing. */
    bool is_test;     /* choose(test, then, else): first option value true, second false. */
    uint32_t chooser; /* Child. */
    const struct predicate *predicate; /* choose(P, ...): chooser is PLAN_NO_CHILD. */
    enum enumerator token;             /* choose(T.label): ENUMERATOR_COUNT: none. */
    uint32_t option_count;
    const struct plan_choose_option *options;
};

struct plan_repeat {
    struct slice name;
    uint32_t body;
    bool has_until, has_emit, until_first, emit_first; /* Modulators before repeat() test first. */
    bool emit_all;                                     /* emit() without argument. */
    uint32_t until;                                    /* Child, or PLAN_NO_CHILD with times. */
    uint32_t emit;
    uint64_t times; /* UINT64_MAX: not given. */
    const struct predicate *until_predicate, *emit_predicate;
};

struct plan_loops {
    struct slice name;
};

struct plan_fail {
    struct slice message; /* data null: none given. */
    uint32_t child;
};

#endif
