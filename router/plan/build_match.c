#include "router/plan/build.h"

#include <assert.h>
#include <string.h>

/*
 * match(): a join of patterns, each of which leads from a named place to another.
 *
 *   match(as('a').out('x').as('b'), as('b').has('k', 1), not(as('b').out().as('a')))
 *      ->  [as a]  out x  bind b  [has k]  filter none of ...  give {a, b}
 *
 * The patterns become ordinary steps one behind the other, so that rules push their tests down and
 * hops go over all that is being matched at once. Which one comes next is decided here: of those
 * whose places are named by then the one that makes the fewest of one (see `cost`); tests come as
 * early as they can, and patterns between two named places, which close a cycle, early too. Where a
 * pattern ends at a place that has a value already, what differs from it goes.
 *
 * and() is its patterns, or() a union of lists of patterns, not() and where() are tests. A pattern
 * that counts, sorts or limits does so for each traverser.
 */

/* misc-no-recursion: traversals are bounded by VALUE_DEPTH_MAX where they come from, parts of
 * infix and(), or() by their level. */

enum { PARTS_DEPTH_MAX = VALUE_DEPTH_MAX };

struct names {
    struct slice *items;
    uint32_t count;
};

struct patterns {
    struct pattern *items;
    uint32_t count;
};

struct pattern {
    enum { PATTERN_STEPS, PATTERN_TEST, PATTERN_ANY } which;
    struct bytecode body; /* Without the as() at its ends. */
    struct slice start;   /* data null: none. */
    struct slice end;
    struct names reads;        /* Other places that it looks at. */
    struct patterns *branches; /* PATTERN_ANY. */
    uint32_t branch_count;
    bool is_done;
};

/* ---- names ---- */

static bool has_name(const struct names *names, struct slice name)
{
    for (uint32_t i = 0; i < names->count; i++) {
        if (slice_equal(names->items[i], name)) {
            return true;
        }
    }
    return false;
}

static void add_name(struct build *build, struct names *names, struct slice name)
{
    if (name.data == NULL || has_name(names, name)) {
        return;
    }
    names->items = build_grow(build, names->items, names->count, 1, sizeof *names->items);
    names->items[names->count++] = name;
}

static struct names copy_names(struct build *build, const struct names *names)
{
    struct names copy = {0};

    for (uint32_t i = 0; i < names->count; i++) {
        add_name(build, &copy, names->items[i]);
    }
    return copy;
}

static void collect(struct build *build, const struct patterns *list, struct names *starts,
                    struct names *all)
{
    for (uint32_t i = 0; i < list->count; i++) {
        const struct pattern *pattern = &list->items[i];
        add_name(build, starts, pattern->start);
        add_name(build, all, pattern->start);
        add_name(build, all, pattern->end);
        for (uint32_t k = 0; k < pattern->branch_count; k++) {
            collect(build, &pattern->branches[k], starts, all);
        }
    }
}

/* ---- from instructions to patterns ---- */

static int parse(struct build *build, const struct bytecode *part, uint32_t depth,
                 struct patterns *list);

static struct pattern *add_pattern(struct build *build, struct patterns *list)
{
    list->items = build_grow(build, list->items, list->count, 1, sizeof *list->items);
    list->items[list->count] = (struct pattern){0};
    return &list->items[list->count++];
}

static bool is_infix(const struct instruction *step, enum step_id id)
{
    return step->step == id && step->arg_count == 0;
}

static bool has_infix(const struct bytecode *part, enum step_id id)
{
    for (uint32_t i = 0; i < part->step_count; i++) {
        if (is_infix(&part->steps[i], id)) {
            return true;
        }
    }
    return false;
}

/* A branch of or(): of an argument, or of a part of an infix one. */
static int parse_branch(struct build *build, const struct bytecode *part, uint32_t depth,
                        struct pattern *any)
{
    any->branches = build_grow(build, any->branches, any->branch_count, 1, sizeof *any->branches);
    any->branches[any->branch_count] = (struct patterns){0};
    return parse(build, part, depth + 1, &any->branches[any->branch_count++]);
}

static int parse_infix(struct build *build, const struct bytecode *part, uint32_t depth,
                       struct patterns *list)
{
    enum step_id id = has_infix(part, STEP_OR) ? STEP_OR : STEP_AND;
    struct pattern any = {.which = PATTERN_ANY};
    uint32_t start = 0;
    int rc = E_OK;

    for (uint32_t i = 0; rc == E_OK && i <= part->step_count; i++) {
        if (i < part->step_count && !is_infix(&part->steps[i], id)) {
            continue;
        }
        struct bytecode piece = {.steps = part->steps + start, .step_count = i - start};
        rc = id == STEP_OR ? parse_branch(build, &piece, depth, &any)
                           : parse(build, &piece, depth + 1, list);
        start = i + 1;
    }
    if (id == STEP_OR) {
        *add_pattern(build, list) = any;
    }
    return rc;
}

static int parse_arguments(struct build *build, const struct bytecode *part, uint32_t depth,
                           struct patterns *list)
{
    const struct instruction *in = &part->steps[0];
    struct pattern any = {.which = PATTERN_ANY};
    int rc = E_OK;

    if (part->step_count > 1) {
        return error_set(build->err, E_INVALID,
                         "%.*s() of patterns is the only step of its pattern in match()",
                         (int)in->name.size, (const char *)in->name.data);
    }
    for (uint32_t i = 0; rc == E_OK && i < in->arg_count; i++) {
        if (in->args[i].kind != VALUE_TRAVERSAL) {
            return error_set(build->err, E_INVALID, "%.*s() takes traversals", (int)in->name.size,
                             (const char *)in->name.data);
        }
        rc = in->step == STEP_OR ? parse_branch(build, in->args[i].traversal, depth, &any)
                                 : parse(build, in->args[i].traversal, depth + 1, list);
    }
    if (in->step == STEP_OR) {
        *add_pattern(build, list) = any;
    }
    return rc;
}

static bool is_one_name(const struct instruction *as)
{
    return as->arg_count == 1 && as->args[0].kind == VALUE_STRING;
}

/* as() at the end. */
static int parse_end(struct build *build, struct pattern *pattern)
{
    struct bytecode *body = &pattern->body;
    const struct instruction *last = body->steps + body->step_count - 1;

    if (body->step_count == 0 || last->step != STEP_AS) {
        return E_OK;
    }
    if (!is_one_name(last) || (body->step_count > 1 && last[-1].step == STEP_AS)) {
        return error_set(build->err, E_INVALID,
                         "The end step of a match()-traversal can have at most one label");
    }
    pattern->end = build_arg_slice(build, value_slice(&last->args[0]));
    body->step_count--;
    return E_OK;
}

static int parse_steps(struct build *build, const struct bytecode *part, struct patterns *list)
{
    struct pattern *pattern = add_pattern(build, list);
    const struct instruction *first = &part->steps[0];

    pattern->body = (struct bytecode){.steps = part->steps, .step_count = part->step_count};
    if (first->step == STEP_NOT || first->step == STEP_WHERE) {
        pattern->which = PATTERN_TEST;
        if (first->step == STEP_WHERE && first->arg_count == 2 &&
            first->args[0].kind == VALUE_STRING) {
            pattern->start = build_arg_slice(build, value_slice(&first->args[0]));
        }
        return parse_end(build, pattern);
    }
    if (first->step != STEP_AS) {
        return error_set(build->err, E_INVALID,
                         "A pattern of match() begins with as(), where(), not(), and() or or(), "
                         "not with %.*s()",
                         (int)first->name.size, (const char *)first->name.data);
    }
    if (!is_one_name(first) || (part->step_count > 1 && first[1].step == STEP_AS)) {
        return error_set(build->err, E_INVALID,
                         "The start step of a match()-traversal can only have one label");
    }
    pattern->start = build_arg_slice(build, value_slice(&first->args[0]));
    pattern->body.steps++;
    pattern->body.step_count--;
    return parse_end(build, pattern);
}

static int parse(struct build *build, const struct bytecode *part, uint32_t depth,
                 struct patterns *list)
{
    if (depth > PARTS_DEPTH_MAX) {
        return error_set(build->err, E_LIMIT, "patterns are nested deeper than %d",
                         PARTS_DEPTH_MAX);
    }
    if (part->step_count == 0) {
        return error_set(build->err, E_INVALID, "A pattern of match() has no step");
    }
    if (has_infix(part, STEP_OR) || has_infix(part, STEP_AND)) {
        return parse_infix(build, part, depth, list);
    }
    if (part->steps[0].step == STEP_AND || part->steps[0].step == STEP_OR) {
        return parse_arguments(build, part, depth, list);
    }
    return parse_steps(build, part, list);
}

/* ---- what a pattern looks at beside its ends ---- */

static void read_predicate(struct build *build, const struct predicate *predicate,
                           const struct names *all, struct names *reads)
{
    for (uint32_t i = 0; i < predicate->operand_count; i++) {
        if (predicate->operands[i].kind == VALUE_STRING &&
            has_name(all, value_slice(&predicate->operands[i]))) {
            add_name(build, reads, value_slice(&predicate->operands[i]));
        }
    }
    for (uint32_t i = 0; i < predicate->child_count; i++) {
        read_predicate(build, &predicate->children[i], all, reads);
    }
}

/* is_test: below where() and not(), whose as() name what is there. */
static void read_steps(struct build *build, const struct bytecode *body, bool is_test,
                       const struct names *all, struct names *reads)
{
    for (uint32_t i = 0; i < body->step_count; i++) {
        const struct instruction *in = &body->steps[i];
        bool is_where = in->step == STEP_WHERE;
        bool looks = is_where || in->step == STEP_SELECT || (is_test && in->step == STEP_AS);
        bool tests =
            is_where ||
            (is_test && (in->step == STEP_NOT || in->step == STEP_AND || in->step == STEP_OR));
        for (uint32_t k = 0; in->step != STEP_MATCH && k < in->arg_count; k++) {
            const struct value *arg = &in->args[k];
            if (arg->kind == VALUE_TRAVERSAL) {
                read_steps(build, arg->traversal, tests, all, reads);
            } else if (looks && arg->kind == VALUE_STRING && has_name(all, value_slice(arg))) {
                add_name(build, reads, value_slice(arg));
            } else if (is_where && arg->kind == VALUE_PREDICATE) {
                read_predicate(build, arg->predicate, all, reads);
            }
        }
    }
}

static void find_reads(struct build *build, struct patterns *list, const struct names *all)
{
    for (uint32_t i = 0; i < list->count; i++) {
        struct pattern *pattern = &list->items[i];
        read_steps(build, &pattern->body, pattern->which == PATTERN_TEST, all, &pattern->reads);
        for (uint32_t k = 0; k < pattern->branch_count; k++) {
            find_reads(build, &pattern->branches[k], all);
        }
    }
}

/* ---- in which order ---- */

static double cost_of_step(const struct instruction *in)
{
    static const double HOP = 8, LABELLED = 4, LOOP = 64, TEST = 0.5, EQUALITY = 0.1, ID = 0.01;

    switch ((int)in->step) {
    case STEP_OUT:
    case STEP_IN:
    case STEP_OUT_E:
    case STEP_IN_E:
        return in->arg_count > 0 ? LABELLED : HOP;
    case STEP_BOTH:
    case STEP_BOTH_E:
        return 2 * (in->arg_count > 0 ? LABELLED : HOP);
    case STEP_V:
    case STEP_E:
    case STEP_REPEAT:
        return LOOP;
    case STEP_HAS_ID:
        return ID;
    case STEP_HAS:
        return in->arg_count > 1 && in->args[in->arg_count - 1].kind != VALUE_PREDICATE ? EQUALITY
                                                                                        : TEST;
    case STEP_HAS_LABEL:
    case STEP_HAS_NOT:
    case STEP_WHERE:
    case STEP_FILTER:
    case STEP_NOT:
    case STEP_IS:
    case STEP_AND:
    case STEP_OR:
        return TEST;
    default: /* About one for each. */
        return 1;
    }
}

/* How many come of one, about. */
static double cost(const struct pattern *pattern, const struct names *bound)
{
    static const double CLOSING = 0.1, ANY = 2;
    double made = pattern->which == PATTERN_ANY ? ANY : 1;

    if (pattern->which == PATTERN_TEST) {
        return 0;
    }
    for (uint32_t i = 0; i < pattern->body.step_count; i++) {
        enum step_id id = pattern->body.steps[i].step;
        made = id == STEP_COUNT || id == STEP_FOLD || id == STEP_SUM || id == STEP_LIMIT
                   ? 1
                   : made * cost_of_step(&pattern->body.steps[i]);
    }
    return pattern->end.data != NULL && has_name(bound, pattern->end) ? made * CLOSING : made;
}

static bool can_run(struct build *build, const struct patterns *list, const struct names *bound);

static bool is_ready(struct build *build, const struct pattern *pattern, const struct names *bound)
{
    if (pattern->start.data != NULL && !has_name(bound, pattern->start)) {
        return false;
    }
    for (uint32_t i = 0; i < pattern->reads.count; i++) {
        struct slice name = pattern->reads.items[i];
        bool is_own = pattern->end.data != NULL && slice_equal(pattern->end, name);
        if (!is_own && !has_name(bound, name)) {
            return false;
        }
    }
    for (uint32_t i = 0; i < pattern->branch_count; i++) {
        if (!can_run(build, &pattern->branches[i], bound)) {
            return false;
        }
    }
    return true;
}

/* The next of the list; null: none of the rest is ready. */
static struct pattern *choose_next(struct build *build, struct patterns *list,
                                   const struct names *bound)
{
    struct pattern *best = NULL;
    double least = 0;

    for (uint32_t i = 0; i < list->count; i++) {
        struct pattern *pattern = &list->items[i];
        if (pattern->is_done || !is_ready(build, pattern, bound)) {
            continue;
        }
        double made = cost(pattern, bound);
        if (best == NULL || made < least) {
            best = pattern;
            least = made;
        }
    }
    return best;
}

static void bind_names(struct build *build, const struct pattern *pattern, struct names *bound)
{
    struct names starts = {0};

    add_name(build, bound, pattern->end);
    for (uint32_t i = 0; i < pattern->branch_count; i++) {
        collect(build, &pattern->branches[i], &starts, bound);
    }
}

static bool can_run(struct build *build, const struct patterns *list, const struct names *bound)
{
    struct names named = copy_names(build, bound);
    struct patterns rest = {0};
    struct pattern *next;
    uint32_t left = list->count;

    for (uint32_t i = 0; i < list->count; i++) {
        *add_pattern(build, &rest) = list->items[i];
    }
    while (left > 0 && (next = choose_next(build, &rest, &named)) != NULL) {
        next->is_done = true;
        bind_names(build, next, &named);
        left--;
    }
    return left == 0;
}

/* ---- patterns as steps ---- */

struct matching {
    struct frame *frame; /* Where the steps go. */
    const struct call *call;
    struct names bound;
    struct slice current; /* The place that the traverser stands at; data null: none. */
};

static void push_place(struct matching *m, enum plan_match_kind which, const struct names *labels)
{
    struct plan_match *params = ARENA_NEW(m->frame->build->arena, struct plan_match);
    struct plan_step step = build_step(m->call, PLAN_MATCH, params);

    params->which = which;
    params->label_count = labels->count;
    params->labels = labels->items;
    build_push(m->frame, &step);
}

static void push_one_place(struct matching *m, enum plan_match_kind which, struct slice label)
{
    struct names one = {0};

    add_name(m->frame->build, &one, label);
    push_place(m, which, &one);
}

static bool is_test_only(const struct plan_traversal *body)
{
    for (uint32_t i = 0; i < body->step_count; i++) {
        if (body->steps[i].kind != PLAN_HAS && body->steps[i].kind != PLAN_FILTER &&
            body->steps[i].kind != PLAN_IS && body->steps[i].kind != PLAN_WHERE) {
            return false;
        }
    }
    return true;
}

/* What keeps state over traversers does so for each of them. */
static void push_body(struct matching *m, struct plan_traversal *body)
{
    struct build *build = m->frame->build;

    if (build_effect_has_barrier(body, 0)) {
        struct plan_map *map = ARENA_NEW(build->arena, struct plan_map);
        struct plan_step step = build_step(m->call, PLAN_MAP, map);
        map->which = MAP_FLAT;
        build_adopt(build, &step, body);
        build_push(m->frame, &step);
        return;
    }
    for (uint32_t i = 0; i < body->step_count; i++) {
        build_append(build, m->frame->traversal, &body->steps[i]);
    }
}

static int push_steps(struct matching *m, const struct pattern *pattern)
{
    struct frame inner = *m->frame;
    bool is_test = pattern->which == PATTERN_TEST;
    int rc;

    if (pattern->start.data != NULL && !is_test &&
        (m->current.data == NULL || !slice_equal(m->current, pattern->start))) {
        push_one_place(m, MATCH_FROM, pattern->start);
    }
    if (pattern->start.data != NULL && !is_test) {
        m->current = pattern->start;
    }
    inner.bytecode = &pattern->body;
    inner.flags = is_test && pattern->body.steps[0].step == STEP_NOT ? BUILD_WHERE : 0;
    inner.traversal = build_empty(m->frame->build);
    inner.outer = m->frame;
    m->frame->build->frame = &inner;
    rc = build_steps(&inner);
    m->frame->build->frame = m->frame;
    if (rc != E_OK) {
        return rc;
    }
    if (!is_test_only(inner.traversal)) {
        m->current = (struct slice){0};
    }
    push_body(m, inner.traversal);
    if (pattern->end.data != NULL) {
        push_one_place(m, MATCH_BIND, pattern->end);
        m->current = pattern->end;
    }
    return E_OK;
}

static int push_patterns(struct matching *m, struct patterns *list);

static int push_any(struct matching *m, const struct pattern *pattern)
{
    struct build *build = m->frame->build;
    struct plan_union *params = ARENA_NEW(build->arena, struct plan_union);
    struct plan_step step = build_step(m->call, PLAN_UNION, params);
    int rc = E_OK;

    for (uint32_t i = 0; rc == E_OK && i < pattern->branch_count; i++) {
        struct frame inner = *m->frame;
        struct matching branch = *m;
        inner.traversal = build_empty(build);
        inner.traversal->is_global = true;
        inner.outer = m->frame;
        branch.frame = &inner;
        branch.bound = copy_names(build, &m->bound);
        rc = push_patterns(&branch, &pattern->branches[i]);
        build_adopt(build, &step, inner.traversal);
    }
    build_push(m->frame, &step);
    m->current = (struct slice){0};
    return rc;
}

static int push_patterns(struct matching *m, struct patterns *list)
{
    struct build *build = m->frame->build;
    struct pattern *next;
    uint32_t left = list->count;
    int rc = E_OK;

    while (rc == E_OK && left > 0 && (next = choose_next(build, list, &m->bound)) != NULL) {
        next->is_done = true;
        left--;
        rc = next->which == PATTERN_ANY ? push_any(m, next) : push_steps(m, next);
        bind_names(build, next, &m->bound);
    }
    if (rc == E_OK && left > 0) {
        return error_set(build->err, E_INVALID,
                         "The provided match pattern is unsolvable: no pattern leads to a place "
                         "that others begin with or look at");
    }
    return rc;
}

/* ---- the beginning ---- */

static bool is_end_of_other(const struct patterns *list, struct slice label)
{
    for (uint32_t i = 0; i < list->count; i++) {
        const struct pattern *pattern = &list->items[i];
        if (pattern->end.data != NULL && slice_equal(pattern->end, label) &&
            (pattern->start.data == NULL || !slice_equal(pattern->start, label))) {
            return true;
        }
        for (uint32_t k = 0; k < pattern->branch_count; k++) {
            if (is_end_of_other(&pattern->branches[k], label)) {
                return true;
            }
        }
    }
    return false;
}

/* Of what comes: a place where patterns begin and none ends, else the first. */
static struct slice first_place(const struct patterns *list, const struct names *starts,
                                const struct names *all)
{
    for (uint32_t i = 0; i < starts->count; i++) {
        if (!is_end_of_other(list, starts->items[i])) {
            return starts->items[i];
        }
    }
    return starts->count > 0 ? starts->items[0] : all->items[0];
}

static bool is_given(const struct plan_traversal *traversal, struct slice label, uint32_t depth)
{
    assert(depth <= VALUE_DEPTH_MAX);
    for (uint32_t i = 0; i < traversal->step_count; i++) {
        const struct plan_step *step = &traversal->steps[i];
        for (uint32_t k = 0; k < step->label_count; k++) {
            if (slice_equal(step->labels[k], label)) {
                return true;
            }
        }
        if (step->kind == PLAN_MATCH) {
            const struct plan_match *match = step->params;
            struct names names = {(struct slice *)(uintptr_t)match->labels, match->label_count};
            if (has_name(&names, label)) {
                return true;
            }
        }
        for (uint32_t k = 0; k < step->child_count; k++) {
            if (is_given(step->children[k], label, depth + 1)) {
                return true;
            }
        }
    }
    return false;
}

/* Whether the label may be on the path of what comes. */
static bool may_be_named(const struct frame *frame, struct slice label)
{
    for (; frame != NULL; frame = frame->outer) {
        if ((frame->flags & BUILD_REPEAT) != 0 || is_given(frame->traversal, label, 0)) {
            return true;
        }
    }
    return false;
}

static void begin(struct matching *m, const struct patterns *list, const struct names *starts,
                  const struct names *all)
{
    struct build *build = m->frame->build;
    struct slice first = first_place(list, starts, all);
    struct names candidates = {0};
    bool is_named = false;

    add_name(build, &candidates, first);
    for (uint32_t i = 0; i < starts->count; i++) {
        add_name(build, &candidates, starts->items[i]);
        is_named |= may_be_named(m->frame, starts->items[i]);
    }
    for (uint32_t i = 0; i < all->count; i++) {
        if (may_be_named(m->frame, all->items[i])) {
            add_name(build, &m->bound, all->items[i]);
        }
    }
    if (is_named) {
        push_place(m, MATCH_ENTER, &candidates);
        if (!can_run(build, list, &m->bound)) {
            add_name(build, &m->bound, first);
        }
        return;
    }
    build_label(m->frame, m->call->step, &first, 1);
    add_name(build, &m->bound, first);
    m->current = first;
}

int build_match(struct frame *frame, const struct call *call)
{
    const struct instruction *in = call->step;
    struct build *build = frame->build;
    struct matching m = {.frame = frame, .call = call};
    struct patterns list = {0};
    struct names starts = {0}, all = {0};
    int rc = E_OK;

    for (uint32_t i = 0; rc == E_OK && i < in->arg_count; i++) {
        if (in->args[i].kind != VALUE_TRAVERSAL) {
            return build_arg_wrong(build, call, i, "a traversal");
        }
        rc = parse(build, in->args[i].traversal, 0, &list);
    }
    if (rc != E_OK) {
        return rc;
    }
    collect(build, &list, &starts, &all);
    if (all.count == 0) {
        return error_set(build->err, E_INVALID,
                         "match() needs a pattern that begins with as('name')");
    }
    find_reads(build, &list, &all);
    begin(&m, &list, &starts, &all);
    rc = push_patterns(&m, &list);
    if (rc == E_OK) {
        push_place(&m, MATCH_GIVE, &all);
    }
    return rc;
}
