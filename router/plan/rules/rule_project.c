#include "router/plan/rules/rules.h"

#include <string.h>

/* What the steps behind an element read of it. */
struct reads {
    enum read_project project;
    uint32_t key_count;
    struct slice keys[READ_KEYS_MAX];
    bool is_known; /* Every reader was seen: the element goes no further. */
};

static void add_key(struct reads *reads, struct slice key)
{
    for (uint32_t i = 0; i < reads->key_count; i++) {
        if (slice_equal(reads->keys[i], key)) {
            return;
        }
    }
    if (reads->key_count == READ_KEYS_MAX) {
        reads->project = READ_ALL;
    } else {
        reads->keys[reads->key_count++] = key;
        reads->project = reads->project == READ_ALL ? READ_ALL : READ_KEYS;
    }
}

static void add_keys(struct reads *reads, uint32_t count, const struct slice *keys)
{
    for (uint32_t i = 0; i < count; i++) {
        add_key(reads, keys[i]);
    }
    if (count == 0) {
        reads->project = READ_ALL;
    }
}

/* False: a by() that reads what cannot be told. */
static bool add_bys(struct reads *reads, uint32_t count, const struct plan_by *bys)
{
    for (uint32_t i = 0; i < count; i++) {
        if (bys[i].kind == BY_KEY) {
            add_key(reads, bys[i].key);
        } else if (bys[i].kind != BY_TOKEN) {
            return false;
        }
    }
    return count > 0;
}

static bool is_identity_by(const struct plan_by *by)
{
    return by->kind == BY_IDENTITY;
}

/* A step that lets elements pass. False: it may read anything. */
static bool read_passing(struct reads *reads, const struct plan_step *step)
{
    if (step->label_count > 0 || step->child_count > 0) {
        return false;
    }
    switch ((int)step->kind) {
    case PLAN_HAS: {
        const struct plan_has *has = step->params;
        for (uint32_t i = 0; i < has->filter_count; i++) {
            if (has->filters[i].on != READ_ON_ID && has->filters[i].on != READ_ON_LABEL) {
                add_key(reads, has->filters[i].key);
            }
        }
        return !has->on_property;
    }
    case PLAN_IDENTITY:
    case PLAN_BARRIER:
    case PLAN_RANGE:
    case PLAN_TAIL:
        return true;
    case PLAN_DEDUP: {
        const struct plan_dedup *dedup = step->params;
        return dedup->label_count == 0 &&
               (is_identity_by(&dedup->by) || add_bys(reads, 1, &dedup->by));
    }
    case PLAN_ORDER: {
        const struct plan_order *order = step->params;
        return add_bys(reads, order->by_count, order->bys);
    }
    default: /* No such step. */
        return false;
    }
}

/* The step at which the element ends. */
static bool read_last(struct reads *reads, const struct plan_step *step)
{
    switch ((int)step->kind) {
    case PLAN_PROPERTIES: {
        const struct plan_properties *properties = step->params;
        add_keys(reads, properties->key_count, properties->keys);
        if (!properties->to_values) {
            reads->project = READ_ALL;
        }
        return true;
    }
    case PLAN_PROPERTY_MAP: {
        const struct plan_property_map *map = step->params;
        add_keys(reads, map->key_count, map->keys);
        return step->child_count == 0;
    }
    case PLAN_PROJECT: {
        const struct plan_project *project = step->params;
        return add_bys(reads, project->by_count, project->bys);
    }
    case PLAN_GROUP: {
        const struct plan_group *group = step->params;
        return group->side_effect.data == NULL && add_bys(reads, 1, &group->key) &&
               (group->is_count || add_bys(reads, 1, &group->value));
    }
    case PLAN_LOAD:
        reads->project = READ_ALL;
        return true;
    case PLAN_TOKEN:
    case PLAN_COUNT:
    case PLAN_HOP:
    case PLAN_NONE:
        return true;
    default: /* It may keep the element, or read anything of it. */
        return false;
    }
}

static void find_reads(const struct plan_traversal *traversal, uint32_t at, struct reads *reads)
{
    *reads = (struct reads){.project = READ_NOTHING};
    for (uint32_t i = at + 1; i < traversal->step_count; i++) {
        if (read_last(reads, &traversal->steps[i])) {
            reads->is_known = true;
            return;
        }
        if (!read_passing(reads, &traversal->steps[i])) {
            return;
        }
    }
}

static void set_reads(struct plan *plan, struct plan_step *step, const struct reads *reads)
{
    struct slice *keys = arena_array(&plan->arena, reads->key_count + 1u, sizeof *keys);

    memcpy(keys, reads->keys, reads->key_count * sizeof *keys);
    if (step->kind == PLAN_HOP) {
        struct plan_hop *hop = rules_params(plan, step, sizeof *hop);
        hop->project = reads->project;
        hop->key_count = reads->project == READ_KEYS ? reads->key_count : 0;
        hop->keys = keys;
        return;
    }
    struct plan_elements *elements = rules_params(plan, step, sizeof *elements);
    elements->project = reads->project;
    elements->key_count = reads->project == READ_KEYS ? reads->key_count : 0;
    elements->keys = keys;
}

static bool is_reader(const struct plan_step *step)
{
    if (step->kind == PLAN_HOP) {
        return ((const struct plan_hop *)step->params)->emit < READ_COUNT;
    }
    return (step->kind == PLAN_VERTICES || step->kind == PLAN_EDGES) &&
           ((const struct plan_elements *)step->params)->emit < READ_COUNT;
}

/* Some of the properties only where nobody can ask for another: no path, no label leads back to
 * the element.
 * All of them do no harm but bytes, which far vertices cost too (their second request reads them
 * anyway). */
static void project_traversal(struct plan *plan, struct plan_traversal *traversal, void *context)
{
    struct reads *reads = context;

    for (uint32_t i = 0; i < traversal->step_count; i++) {
        struct plan_step *step = &traversal->steps[i];
        bool may_come_back = (plan->needs & PLAN_NEEDS_PATH) != 0 || step->label_count > 0;
        bool is_far = step->kind == PLAN_HOP && !((const struct plan_hop *)step->params)->to_edges;
        if (!is_reader(step)) {
            continue;
        }
        find_reads(traversal, i, reads);
        if (!reads->is_known || reads->project == READ_NOTHING ||
            (reads->project == READ_KEYS && may_come_back) ||
            (reads->project == READ_ALL && is_far)) {
            continue;
        }
        set_reads(plan, step, reads);
    }
}

void rule_project(struct plan *plan)
{
    struct reads *reads = ARENA_NEW(&plan->arena, struct reads);

    rules_walk(plan, plan->root, project_traversal, reads);
}
