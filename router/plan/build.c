#include "router/plan/build.h"

#include "common/mem.h"
#include "router/gremlin/step.h"
#include "router/plan/rules/rules.h"

#include <assert.h>
#include <string.h>

enum { STEPS_FIRST = 4, GROW_FIRST = 4 };

static const struct build_row ROWS[STEP_ID_COUNT] = {
    [STEP_V] = {build_graph_elements, 0},
    [STEP_E] = {build_graph_elements, 0},
    [STEP_OUT] = {build_graph_hop, 0},
    [STEP_IN] = {build_graph_hop, 0},
    [STEP_BOTH] = {build_graph_hop, 0},
    [STEP_OUT_E] = {build_graph_hop, 0},
    [STEP_IN_E] = {build_graph_hop, 0},
    [STEP_BOTH_E] = {build_graph_hop, 0},
    [STEP_TO] = {build_graph_to, 0},
    [STEP_TO_E] = {build_graph_to, 0},
    [STEP_OUT_V] = {build_graph_edge_vertex, 0},
    [STEP_IN_V] = {build_graph_edge_vertex, 0},
    [STEP_BOTH_V] = {build_graph_edge_vertex, 0},
    [STEP_OTHER_V] = {build_graph_edge_vertex, 0},
    [STEP_TO_V] = {build_graph_edge_vertex, 0},
    [STEP_VALUES] = {build_graph_properties, 0},
    [STEP_PROPERTIES] = {build_graph_properties, 0},
    [STEP_VALUE_MAP] = {build_graph_property_map, BUILD_BY | BUILD_WITH},
    [STEP_PROPERTY_MAP] = {build_graph_property_map, BUILD_BY | BUILD_WITH},
    [STEP_ELEMENT_MAP] = {build_graph_property_map, BUILD_BY | BUILD_WITH},
    [STEP_ID] = {build_graph_token, 0},
    [STEP_LABEL] = {build_graph_token, 0},
    [STEP_KEY] = {build_graph_token, 0},
    [STEP_VALUE] = {build_graph_token, 0},
    [STEP_ELEMENT] = {build_graph_element, 0},
    [STEP_HAS] = {build_has, 0},
    [STEP_HAS_ID] = {build_has_id, 0},
    [STEP_HAS_LABEL] = {build_has_label, 0},
    [STEP_HAS_KEY] = {build_has_key, 0},
    [STEP_HAS_VALUE] = {build_has_key, 0},
    [STEP_HAS_NOT] = {build_has_not, 0},
    [STEP_IS] = {build_filter_is, 0},
    [STEP_WHERE] = {build_filter_where, BUILD_BY},
    [STEP_FILTER] = {build_filter_traversal, 0},
    [STEP_NOT] = {build_filter_traversal, 0},
    [STEP_AND] = {build_filter_traversal, 0},
    [STEP_OR] = {build_filter_traversal, 0},
    [STEP_DEDUP] = {build_filter_dedup, BUILD_BY},
    [STEP_LIMIT] = {build_filter_range, 0},
    [STEP_SKIP] = {build_filter_range, 0},
    [STEP_RANGE] = {build_filter_range, 0},
    [STEP_TAIL] = {build_filter_tail, 0},
    [STEP_SIMPLE_PATH] = {build_filter_simple_path, BUILD_BY | BUILD_FROM_TO},
    [STEP_CYCLIC_PATH] = {build_filter_simple_path, BUILD_BY | BUILD_FROM_TO},
    [STEP_COIN] = {build_filter_coin, 0},
    [STEP_SAMPLE] = {build_filter_sample, BUILD_BY},
    [STEP_ANY] = {build_filter_list, 0},
    [STEP_ALL] = {build_filter_list, 0},
    [STEP_DISCARD] = {build_filter_discard, 0},
    [STEP_NONE] = {build_filter_discard, 0},
    [STEP_INJECT] = {build_map_inject, 0},
    [STEP_CONSTANT] = {build_map_constant, 0},
    [STEP_IDENTITY] = {build_map_plain, 0},
    [STEP_UNFOLD] = {build_map_plain, 0},
    [STEP_COUNT] = {build_map_count, 0},
    [STEP_SUM] = {build_map_reduce, 0},
    [STEP_MIN] = {build_map_reduce, 0},
    [STEP_MAX] = {build_map_reduce, 0},
    [STEP_MEAN] = {build_map_reduce, 0},
    [STEP_FOLD] = {build_map_fold, 0},
    [STEP_ORDER] = {build_map_order, BUILD_BY},
    [STEP_SELECT] = {build_map_select, BUILD_BY},
    [STEP_PROJECT] = {build_map_project, BUILD_BY},
    [STEP_PATH] = {build_map_path, BUILD_BY | BUILD_FROM_TO},
    [STEP_MATH] = {build_formula, BUILD_BY},
    [STEP_FORMAT] = {build_formula, BUILD_BY},
#define FUNCTION(id, fn) [STEP_##id] = {build_function, STEP_##id == STEP_INDEX ? BUILD_WITH : 0},
#include "router/op/function.def"
#undef FUNCTION
    [STEP_CALL] = {build_call, BUILD_WITH},
    [STEP_MATCH] = {build_match, 0},
    [STEP_MAP] = {build_map_traversal, 0},
    [STEP_FLAT_MAP] = {build_map_traversal, 0},
    [STEP_LOCAL] = {build_map_traversal, 0},
    [STEP_GROUP] = {build_effect_group, BUILD_BY},
    [STEP_GROUP_COUNT] = {build_effect_group, BUILD_BY},
    [STEP_AGGREGATE] = {build_effect_aggregate, BUILD_BY},
    [STEP_STORE] = {build_effect_aggregate, BUILD_BY},
    [STEP_TREE] = {build_effect_tree, BUILD_BY},
    [STEP_SUBGRAPH] = {build_effect_subgraph, 0},
    [STEP_TIME_LIMIT] = {build_filter_time_limit, 0},
    [STEP_CAP] = {build_effect_cap, 0},
    [STEP_SIDE_EFFECT] = {build_effect_traversal, 0},
    [STEP_SACK] = {build_effect_sack, BUILD_BY},
    [STEP_BARRIER] = {build_effect_barrier, 0},
    [STEP_FAIL] = {build_effect_fail, 0},
    [STEP_PROFILE] = {build_effect_profile, 0},
    [STEP_UNION] = {build_branch_children, 0},
    [STEP_COALESCE] = {build_branch_children, 0},
    [STEP_OPTIONAL] = {build_branch_children, 0},
    [STEP_BRANCH] = {build_branch_choose, BUILD_OPTION},
    [STEP_CHOOSE] = {build_branch_choose, BUILD_OPTION},
    [STEP_REPEAT] = {build_branch_repeat, BUILD_LOOP},
    [STEP_TIMES] = {build_branch_repeat, BUILD_LOOP},
    [STEP_UNTIL] = {build_branch_repeat, BUILD_LOOP},
    [STEP_EMIT] = {build_branch_repeat, BUILD_LOOP},
    [STEP_LOOPS] = {build_branch_loops, 0},
    [STEP_ADD_V] = {build_change_add_vertex, BUILD_WITH},
    [STEP_ADD_E] = {build_change_add_edge, BUILD_FROM_TO | BUILD_WITH},
    [STEP_PROPERTY] = {build_change_property, BUILD_WITH},
    [STEP_FROM] = {build_change_end, 0},
    [STEP_DROP] = {build_change_drop, 0},
    [STEP_MERGE_V] = {build_change_merge, BUILD_OPTION},
    [STEP_MERGE_E] = {build_change_merge, BUILD_OPTION},
};

static bool is_modulator(const struct instruction *step, uint32_t taken)
{
    enum step_id id = step->step;

    if (id == STEP_AS) {
        return true;
    }
    if (id == STEP_BY) {
        return (taken & BUILD_BY) != 0;
    }
    if (id == STEP_OPTION) {
        return (taken & BUILD_OPTION) != 0;
    }
    if (id == STEP_FROM) {
        return (taken & BUILD_FROM_TO) != 0;
    }
    if (id == STEP_TO) {
        return (taken & BUILD_FROM_TO) != 0 && step->arg_count == 1 &&
               !build_arg_is_enum(&step->args[0], ENUM_DIRECTION);
    }
    if (id == STEP_WITH) {
        return (taken & BUILD_WITH) != 0;
    }
    return (taken & BUILD_LOOP) != 0 &&
           (id == STEP_REPEAT || id == STEP_TIMES || id == STEP_UNTIL || id == STEP_EMIT);
}

/* A second repeat() is a step of its own. */
static uint32_t count_modulators(const struct bytecode *bytecode, uint32_t at, uint32_t taken)
{
    bool has_repeat = bytecode->steps[at].step == STEP_REPEAT;
    uint32_t next = at + 1;

    while (next < bytecode->step_count && is_modulator(&bytecode->steps[next], taken)) {
        bool is_repeat = bytecode->steps[next].step == STEP_REPEAT;
        if (is_repeat && has_repeat) {
            break;
        }
        has_repeat |= is_repeat;
        next++;
    }
    return next - at - 1;
}

static bool is_modulator_only(enum step_id id)
{
    return id == STEP_BY || id == STEP_OPTION || id == STEP_FROM || id == STEP_WITH ||
           id == STEP_READ || id == STEP_WRITE;
}

static int refuse(struct build *build, const struct instruction *step,
                  const struct instruction *before)
{
    if (is_modulator_only(step->step) && before != NULL) {
        return error_set(build->err, E_INVALID, "%.*s() cannot follow %.*s()", (int)step->name.size,
                         (const char *)step->name.data, (int)before->name.size,
                         (const char *)before->name.data);
    }
    return error_set(build->err, E_UNSUPPORTED, "The step %.*s() is not supported yet",
                     (int)step->name.size, (const char *)step->name.data);
}

static uint32_t room_of(uint32_t count)
{
    uint32_t room = count == 0 ? 0 : GROW_FIRST;

    while (room < count) {
        room *= 2;
    }
    return room;
}

void *build_grow(struct build *build, const void *items, uint32_t count, uint32_t added,
                 size_t size)
{
    void *grown;

    assert(added > 0);
    assert(count < UINT32_MAX / 4 && added < UINT32_MAX / 4);
    if (count + added <= room_of(count)) {
        return (void *)(uintptr_t)items; /* Of the plan's arena, and of this build. */
    }
    grown = arena_array(build->arena, room_of(count + added), size);
    if (count > 0) {
        memcpy(grown, items, count * size);
    }
    return grown;
}

struct plan_traversal *build_empty(struct build *build)
{
    return ARENA_NEW(build->arena, struct plan_traversal);
}

void build_append(struct build *build, struct plan_traversal *traversal,
                  const struct plan_step *step)
{
    assert(step->kind != PLAN_NO_KIND);
    if (traversal->step_count == traversal->step_room) {
        uint32_t room = traversal->step_room == 0 ? STEPS_FIRST : traversal->step_room * 2;
        struct plan_step *steps = arena_array(build->arena, room, sizeof *steps);
        if (traversal->step_count > 0) {
            memcpy(steps, traversal->steps, traversal->step_count * sizeof *steps);
        }
        traversal->steps = steps;
        traversal->step_room = room;
    }
    traversal->steps[traversal->step_count++] = *step;
    build->step_total++;
}

void build_push(struct frame *frame, const struct plan_step *step)
{
    build_append(frame->build, frame->traversal, step);
}

struct plan_step build_step(const struct call *call, enum plan_kind kind, const void *params)
{
    struct plan_step step = {.kind = kind, .params = params, .origin = call->step->step};

    return step;
}

uint32_t build_adopt(struct build *build, struct plan_step *step, struct plan_traversal *child)
{
    struct plan_traversal **children =
        build_grow(build, step->children, step->child_count, 1, sizeof(struct plan_traversal *));

    children[step->child_count] = child;
    step->children = children;
    return step->child_count++;
}

int build_child(struct build *build, struct plan_step *step, const struct value *traversal,
                uint32_t flags, uint32_t *index)
{
    struct plan_traversal *child = NULL;
    int rc;

    assert(traversal->kind == VALUE_TRAVERSAL);
    rc = build_traversal(build, traversal->traversal, flags, &child);
    if (rc == E_OK) {
        *index = build_adopt(build, step, child);
    }
    return rc;
}

struct plan_side_effect *build_side_effect(struct build *build, struct slice key)
{
    struct plan *plan = build->plan;
    struct plan_side_effect *grown;

    for (uint32_t i = 0; i < plan->side_effect_count; i++) {
        if (slice_equal(plan->side_effects[i].key, key)) {
            return &plan->side_effects[i];
        }
    }
    grown = build_grow(build, plan->side_effects, plan->side_effect_count, 1, sizeof *grown);
    plan->side_effects = grown;
    grown += plan->side_effect_count++;
    *grown = (struct plan_side_effect){0};
    grown->key = build_arg_slice(build, key);
    grown->reducer = ENUMERATOR_COUNT;
    return grown;
}

/* ---- as() ---- */

void build_label(struct frame *frame, const struct instruction *as, const struct slice *labels,
                 uint32_t count)
{
    struct call call = {.step = as};
    struct plan_step *last;
    struct slice *all;

    if (frame->traversal->step_count == 0) {
        struct plan_step identity = build_step(&call, PLAN_IDENTITY, NULL);
        build_push(frame, &identity);
    }
    last = &frame->traversal->steps[frame->traversal->step_count - 1];
    if (count == 0) {
        return;
    }
    all = build_grow(frame->build, last->labels, last->label_count, count, sizeof *all);
    memcpy(all + last->label_count, labels, count * sizeof *all);
    last->labels = all;
    last->label_count += count;
}

static int attach_labels(struct frame *frame, const struct instruction *as)
{
    const struct slice *labels;
    uint32_t count;
    struct call call = {.step = as};
    int rc = build_arg_texts(frame->build, &call, 0, &count, &labels);

    if (rc == E_OK) {
        build_label(frame, as, labels, count);
    }
    return rc;
}

/* From TinkerPop's WhereTraversalStep: a leading as('a') fetches a, a trailing as('b') compares
 * with b. */
static int where_start(struct frame *frame, const struct instruction *as)
{
    struct call call = {.step = as};
    struct plan_select *select = ARENA_NEW(frame->build->arena, struct plan_select);
    struct plan_step step = build_step(&call, PLAN_SELECT, select);
    int rc;

    if (as->arg_count != 1) {
        return error_set(frame->build->err, E_INVALID,
                         "The start step of a where()-traversal predicate can only have one label");
    }
    rc = build_arg_texts(frame->build, &call, 0, &select->label_count, &select->labels);
    select->pop = POP_LAST;
    select->column = ENUMERATOR_COUNT;
    select->child = PLAN_NO_CHILD;
    if (rc == E_OK) {
        build_push(frame, &step);
    }
    return rc;
}

static int where_end(struct frame *frame, const struct instruction *as)
{
    struct build *build = frame->build;
    struct call call = {.step = as};
    struct plan_where *where = ARENA_NEW(build->arena, struct plan_where);
    struct plan_step step = build_step(&call, PLAN_WHERE, where);
    int rc;

    if (as->arg_count != 1) {
        return error_set(build->err, E_INVALID,
                         "The end step of a where()-traversal predicate can only have one label");
    }
    rc = build_arg_predicate(build, &as->args[0], &where->predicate);
    if (rc == E_OK) {
        build_push(frame, &step);
    }
    return rc;
}

/* ---- a traversal ---- */

static int build_one(struct frame *frame, uint32_t at, uint32_t *next)
{
    struct build *build = frame->build;
    const struct bytecode *bytecode = frame->bytecode;
    const struct instruction *step = &bytecode->steps[at];
    const struct build_row *row;
    struct call call = {.step = step};
    bool is_last_where;
    int rc = E_OK;

    if (step->step == STEP_AS) {
        *next = at + 1;
        return at == 0 && (frame->flags & BUILD_WHERE) != 0 ? where_start(frame, step)
                                                            : attach_labels(frame, step);
    }
    assert((int)step->step >= 0 && step->step < STEP_ID_COUNT);
    row = &ROWS[step->step];
    if (row->build == NULL) {
        return refuse(build, step, at > 0 ? step - 1 : NULL);
    }
    call.modulators = step + 1;
    call.is_start = at == 0 && (frame->flags & BUILD_SOURCE) != 0;
    call.modulator_count = count_modulators(bytecode, at, row->modulators);
    rc = row->build(frame, &call);
    *next = at + 1 + call.modulator_count;
    is_last_where = (frame->flags & BUILD_WHERE) != 0 && *next == bytecode->step_count;
    for (uint32_t i = 0; rc == E_OK && i < call.modulator_count; i++) {
        if (call.modulators[i].step == STEP_AS) {
            rc = is_last_where && i + 1 == call.modulator_count
                     ? where_end(frame, &call.modulators[i])
                     : attach_labels(frame, &call.modulators[i]);
        }
    }
    return rc;
}

/* A source has nothing before it that could give traversers. */
static int check_start(struct build *build, const struct bytecode *bytecode)
{
    const struct instruction *first = bytecode->steps;

    if (bytecode->step_count == 0) {
        return error_set(build->err, E_INVALID, "The traversal has no step");
    }
    if (!step_may_start(first->step)) {
        return error_set(build->err, E_INVALID, "%.*s() cannot be the first step",
                         (int)first->name.size, (const char *)first->name.data);
    }
    return E_OK;
}

int build_steps(struct frame *frame)
{
    struct build *build = frame->build;
    const struct bytecode *bytecode = frame->bytecode;
    uint32_t at = 0, left;
    uint32_t first = (frame->flags & BUILD_SOURCE) != 0 ? 1 : 0;
    bool is_connective = !build->is_unconnected && build_connective_find(bytecode, first, &left);
    int rc = E_OK;

    while (rc == E_OK && at < bytecode->step_count) {
        if (is_connective && at >= left) {
            return build_connective(frame, left);
        }
        rc = build_one(frame, at, &at);
        if (rc == E_OK && build->step_total > PLAN_STEPS_MAX) {
            rc = error_set(build->err, E_LIMIT, "the traversal has more than %d steps",
                           PLAN_STEPS_MAX);
        }
    }
    return rc;
}

int build_traversal(struct build *build, const struct bytecode *bytecode, uint32_t flags,
                    struct plan_traversal **out)
{
    struct frame frame = {
        .build = build, .bytecode = bytecode, .flags = flags, .outer = build->frame};
    int rc = E_OK;

    assert(bytecode != NULL);
    if (build->depth >= VALUE_DEPTH_MAX) {
        return error_set(build->err, E_LIMIT, "traversals are nested deeper than %d",
                         VALUE_DEPTH_MAX);
    }
    if ((flags & BUILD_SOURCE) != 0) {
        rc = check_start(build, bytecode);
        if (rc != E_OK) {
            return rc;
        }
    }
    build->depth++;
    build->frame = &frame;
    frame.traversal = build_empty(build);
    frame.traversal->is_global = (flags & BUILD_GLOBAL) != 0;
    rc = build_steps(&frame);
    build->frame = frame.outer;
    build->depth--;
    *out = frame.traversal;
    return rc;
}

int plan_build(const struct bytecode *bytecode, struct plan **plan, struct error *err)
{
    struct build build = {.err = err};
    int rc;

    assert(bytecode != NULL);
    assert(plan != NULL);
    *plan = mem_alloc(sizeof **plan);
    arena_init(&(*plan)->arena, 0);
    (*plan)->is_bulked = true;
    (*plan)->sack_split = (*plan)->sack_merge = ENUMERATOR_COUNT;
    build.plan = *plan;
    build.arena = &(*plan)->arena;
    rc = bytecode_check(bytecode, err);
    if (rc == E_OK) {
        rc = build_source(&build, bytecode);
    }
    if (rc == E_OK) {
        rc = build_traversal(&build, bytecode, BUILD_SOURCE, &(*plan)->root);
    }
    if (rc == E_OK) {
        rc = build_source_verify(&build);
    }
    if (rc == E_OK) {
        rules_apply(*plan);
    } else {
        plan_free(plan);
    }
    return rc;
}

void plan_free(struct plan **plan)
{
    struct arena arena;

    assert(plan != NULL);
    if (*plan == NULL) {
        return;
    }
    for (uint32_t i = 0; i < (*plan)->predicate_count; i++) {
        predicate_release((*plan)->predicates[i]);
    }
    arena = (*plan)->arena;
    arena_close(&arena);
    mem_free(*plan);
    *plan = NULL;
}
