#include "common/bulk.h"
#include "common/number.h"
#include "router/op/by_set.h"
#include "router/op/effect.h"
#include "router/op/exec.h"
#include "router/op/items.h"
#include "router/op/quota.h"

#include <assert.h>

/*
 * group() and groupCount(), as a result (a map for each tag) or into a side effect (one map, tag
 * 0).
 *
 *   input -> key by() --------------------> groups: entries of a bag, by (tag, key)
 *         -> value by() or child `before` -> values of the group, held until the end
 *   end:  child `after` over all that is held, a tag a group -> the group's value
 *
 * Counts and lists need no second run. Steps that fill one side effect share its groups.
 */

struct group_list {
    struct value *items;
    uint32_t count, room;
    uint64_t from; /* Of an only value: batch and place in it of the traverser that gave it. */
};

struct groups {
    struct bag bag;           /* In the exec's arena. Bulk: the count. */
    struct group_list *lists; /* Of each entry: its values, or its only value. */
    uint32_t list_room;
    struct batch held; /* For `after`: tag is the entry. */
    uint64_t batches;  /* Of input so far, of all steps that fill it. */
};

enum group_phase {
    GROUP_READING, /* A batch of input. */
    GROUP_SEEING,  /* The by()s of the batch. */
    GROUP_BEFORE,  /* The child over the batch. */
    GROUP_AFTER,   /* The child over all. */
    GROUP_GIVING
};

struct group {
    struct op op;
    struct by_set bys;   /* Lane 0: the key, lane 1: the value. */
    struct child before; /* If has_before. */
    struct child after;
    bool has_before, has_after;
    struct side_effect *effect; /* Null: a result. */
    struct groups own;
    struct groups *groups; /* Own, or the side effect's. */
    enum group_phase phase;
    struct batch in;
    struct batch results;
    struct batch passing; /* Side effect: what goes on. */
    bool is_after_open;
    uint32_t at;
    uint32_t
        *starts; /* Giving: entries of tag t are order[starts[t]] to before order[starts[t + 1]]. */
    uint32_t *order;
};

/* ---- groups ---- */

static uint32_t entry_of(struct groups *groups, struct exec *exec, uint32_t tag,
                         const struct value *key)
{
    bool is_new;
    uint32_t entry = bag_at(&groups->bag, tag, key, &is_new);

    if (entry >= groups->list_room) {
        uint32_t room = groups->list_room == 0 ? 16 : 2 * groups->list_room;
        struct group_list *lists = arena_array(&exec->arena, room, sizeof *lists);
        for (uint32_t i = 0; i < entry; i++) {
            lists[i] = groups->lists[i];
        }
        groups->lists = lists;
        groups->list_room = room;
    }
    return entry;
}

static void append(struct exec *exec, struct group_list *list, const struct value *value)
{
    if (list->count == list->room) {
        uint32_t room = list->room == 0 ? 4 : 2 * list->room;
        struct value *items = arena_array(&exec->arena, room, sizeof *items);
        for (uint32_t i = 0; i < list->count; i++) {
            items[i] = list->items[i];
        }
        list->items = items;
        list->room = room;
    }
    list->items[list->count++] = *value;
}

/* withSideEffect('x', ['a': 1]): counts and lists go on from what is there. */
static void take_initial(struct groups *groups, struct exec *exec, const struct value *map)
{
    for (uint32_t i = 0; map->kind == VALUE_MAP && i < map->size; i++) {
        const struct value *value = &map->items[2 * i + 1];
        uint32_t entry = entry_of(groups, exec, 0, &map->items[2 * i]);
        struct items items;
        if (value_is_number(value)) {
            double count = number_double(value);
            groups->bag.entries[entry].bulk = count > 0 ? (uint64_t)count : 0;
        }
        if (value->kind == VALUE_MAP || !items_of(&exec->arena, value, &items)) {
            items = (struct items){.count = 1, .values = value};
        }
        for (uint32_t k = 0; k < items.count; k++) {
            append(exec, &groups->lists[entry], &items.values[k]);
        }
    }
}

static struct groups *shared_groups(struct exec *exec, struct side_effect *effect,
                                    const struct plan_group *plan)
{
    struct effect_state *state = effect->state;

    if (state->group == NULL) {
        struct groups *groups = ARENA_NEW(&exec->arena, struct groups);
        bag_init(&groups->bag, &exec->arena);
        if (plan->is_count || plan->value.kind != BY_CHILD) {
            take_initial(groups, exec, &effect->value);
        }
        state->group = groups;
    }
    return state->group;
}

static int open_children(struct group *self, struct exec *exec)
{
    const struct plan_group *plan = self->op.plan->params;
    struct plan_traversal *const *children = self->op.plan->children;
    int rc = E_OK;

    self->has_before = plan->before != PLAN_NO_CHILD;
    self->has_after = plan->after != PLAN_NO_CHILD;
    if (self->has_before) {
        rc = child_open(&self->before, exec, children[plan->before]);
    }
    if (rc == E_OK && self->has_after) {
        rc = child_open(&self->after, exec, children[plan->after]);
    }
    return rc;
}

static int open(struct op *op, struct exec *exec)
{
    struct group *self = (struct group *)op;
    const struct plan_group *plan = op->plan->params;
    struct plan_by *bys = arena_array(&exec->arena, 2, sizeof *bys);
    int rc;

    self->groups = &self->own;
    bag_init(&self->own.bag, &exec->arena);
    if (plan->side_effect.data != NULL) {
        self->effect = exec_side_effect_make(exec, plan->side_effect);
        rc = effect_claim(exec, self->effect, EFFECT_GROUP);
        if (rc != E_OK) {
            return rc;
        }
        self->groups = shared_groups(exec, self->effect, plan);
    }
    bys[0] = plan->key;
    bys[1] = plan->value;
    if (plan->is_count || plan->value.kind == BY_CHILD) {
        bys[1] = (struct plan_by){.kind = BY_IDENTITY};
    }
    rc = by_set_open(&self->bys, exec, op->plan, 2, bys);
    return rc != E_OK || plan->is_count || plan->value.kind != BY_CHILD ? rc
                                                                        : open_children(self, exec);
}

/* ---- one batch ---- */

static void see_batch(struct group *self)
{
    by_set_clear(&self->bys);
    for (uint32_t i = 0; i < self->in.count; i++) {
        by_set_add(&self->bys, 0, &self->in.items[i], &self->in.items[i].value);
        by_set_add(&self->bys, 1, &self->in.items[i], &self->in.items[i].value);
    }
}

/* Marks each traverser with its group; those without a key are in none. */
static void place_batch(struct group *self, struct exec *exec)
{
    for (uint32_t i = 0; i < self->in.count; i++) {
        struct traverser *traverser = &self->in.items[i];
        const struct value *key = by_set_get(&self->bys, 0, i);
        uint32_t tag = self->effect == NULL ? traverser->tag : 0;
        if (self->effect != NULL) {
            batch_push(&self->passing, traverser);
        }
        traverser->mark = key == NULL ? MAP_NONE : entry_of(self->groups, exec, tag, key);
    }
}

static void take_values(struct group *self, struct exec *exec)
{
    const struct plan_group *plan = self->op.plan->params;

    for (uint32_t i = 0; i < self->in.count; i++) {
        const struct traverser *traverser = &self->in.items[i];
        const struct value *value = by_set_get(&self->bys, 1, i);
        if (traverser->mark == MAP_NONE) {
            continue;
        }
        struct bag_entry *entry = &self->groups->bag.entries[traverser->mark];
        entry->bulk = bulk_add(entry->bulk, traverser->bulk);
        for (uint64_t n = 0; !plan->is_count && value != NULL && n < traverser->bulk; n++) {
            append(exec, &self->groups->lists[traverser->mark], value);
        }
    }
}

/* For `after`: kept until all are there. */
static void hold(struct group *self, const struct traverser *result, const struct traverser *from)
{
    struct traverser held = *result;

    held.bulk = result == from ? from->bulk : bulk_mul(result->bulk, from->bulk);
    held.tag = from->mark;
    batch_push(&self->groups->held, &held);
}

/* Only those that have a group go in: MAP_NONE is no tag. */
static void drop_placeless(struct group *self)
{
    uint32_t kept = 0;

    for (uint32_t i = 0; i < self->in.count; i++) {
        if (self->in.items[i].mark != MAP_NONE) {
            self->in.items[kept++] = self->in.items[i];
        }
    }
    self->in.count = kept;
}

/* Without a barrier in by() each traverser's first result replaces what the group has, as a Map's
 * put() does in GroupStep. */
static void set_only(struct group *self, struct exec *exec, const struct traverser *result,
                     const struct traverser *from)
{
    struct group_list *list = &self->groups->lists[from->mark];
    uint64_t place = self->groups->batches << 32 | result->tag;

    if (list->count == 0) {
        append(exec, list, &result->value);
        list->from = place;
    } else if (place > list->from) {
        list->items[0] = result->value;
        list->from = place;
    }
}

static enum pull run_before(struct group *self, struct exec *exec)
{
    const struct plan_group *plan = self->op.plan->params;
    enum pull rc;

    while ((rc = child_pull(&self->before, exec, &self->results)) == PULL_BATCH) {
        for (uint32_t i = 0; i < self->results.count; i++) {
            const struct traverser *result = &self->results.items[i];
            const struct traverser *from = &self->in.items[result->tag];
            if (!plan->is_only) {
                hold(self, result, from);
            } else {
                set_only(self, exec, result, from);
            }
        }
    }
    return rc;
}

/* Behind GROUP_SEEING: where the batch goes. */
static enum group_phase sort_batch(struct group *self, struct exec *exec)
{
    const struct plan_group *plan = self->op.plan->params;

    self->groups->batches++;
    place_batch(self, exec);
    if (plan->is_count || plan->value.kind != BY_CHILD) {
        take_values(self, exec);
        return GROUP_READING;
    }
    drop_placeless(self);
    if (!self->has_before) {
        for (uint32_t i = 0; i < self->in.count; i++) {
            hold(self, &self->in.items[i], &self->in.items[i]);
        }
        return GROUP_READING;
    }
    if (self->in.count == 0) {
        return GROUP_READING;
    }
    child_start(&self->before, exec, self->in.items, self->in.count);
    return GROUP_BEFORE;
}

/* ---- the end ---- */

static enum pull run_after(struct group *self, struct exec *exec)
{
    struct groups *groups = self->groups;
    enum pull rc = PULL_DONE;

    if (groups->bag.count == 0) {
        return PULL_DONE;
    }
    if (!self->is_after_open) {
        for (uint32_t i = 0; i < groups->bag.count; i++) {
            groups->lists[i].count = 0;
        }
        child_enter(&self->after, exec, groups->held.items, groups->held.count, groups->bag.count);
        /* Every group has a value, also one that nothing came of. */
        op_set_tags(&self->after.pipeline, groups->bag.count, NULL);
        self->is_after_open = true;
    }
    while ((rc = child_pull(&self->after, exec, &self->results)) == PULL_BATCH) {
        for (uint32_t i = 0; i < self->results.count; i++) {
            struct group_list *list = &groups->lists[self->results.items[i].tag];
            if (list->count == 0) {
                append(exec, list, &self->results.items[i].value);
            }
        }
    }
    if (rc == PULL_DONE) {
        self->is_after_open = false;
    }
    return rc;
}

static bool value_of(const struct group *self, uint32_t entry, struct value *out)
{
    const struct plan_group *plan = self->op.plan->params;
    const struct group_list *list = &self->groups->lists[entry];

    if (plan->is_count) {
        *out = value_long((int64_t)self->groups->bag.entries[entry].bulk);
        return true;
    }
    if (plan->value.kind != BY_CHILD) {
        *out = (struct value){.kind = VALUE_LIST, .size = list->count, .items = list->items};
        return true;
    }
    if (list->count > 0) {
        *out = list->items[0];
    }
    return list->count > 0;
}

/* Entries tag by tag, as they came within each. */
static void order_entries(struct group *self, struct exec *exec)
{
    const struct bag *bag = &self->groups->bag;
    uint32_t tags = self->effect == NULL ? self->op.tags : 1;
    uint32_t *next = arena_array(&exec->arena, (size_t)tags + 1, sizeof *next);

    self->starts = arena_array(&exec->arena, (size_t)tags + 1, sizeof *self->starts);
    self->order = arena_array(&exec->arena, (size_t)bag->count + 1, sizeof *self->order);
    for (uint32_t i = 0; i < bag->count; i++) {
        assert(bag->entries[i].tag < tags);
        self->starts[bag->entries[i].tag + 1]++;
    }
    for (uint32_t tag = 0; tag < tags; tag++) {
        self->starts[tag + 1] += self->starts[tag];
        next[tag] = self->starts[tag];
    }
    for (uint32_t i = 0; i < bag->count; i++) {
        self->order[next[bag->entries[i].tag]++] = i;
    }
}

static struct value map_of(const struct group *self, struct exec *exec, uint32_t tag)
{
    const struct bag *bag = &self->groups->bag;
    uint32_t first = self->starts[tag], end = self->starts[tag + 1], count = 0;
    struct value *pairs = arena_array(&exec->arena, 2 * (size_t)(end - first) + 1, sizeof *pairs);

    for (uint32_t i = first; i < end; i++) {
        struct value value;
        if (value_of(self, self->order[i], &value)) {
            pairs[2 * count] = bag->entries[self->order[i]].value;
            pairs[2 * count++ + 1] = value;
        }
    }
    return (struct value){.kind = VALUE_MAP, .size = count, .items = pairs};
}

static enum pull give(struct group *self, struct exec *exec, struct batch *out)
{
    if (self->effect != NULL) {
        while (self->at < self->passing.count && out->count < OP_BATCH) {
            batch_push(out, &self->passing.items[self->at++]);
        }
        return out->count > 0 ? PULL_BATCH : PULL_DONE;
    }
    for (; self->at < self->op.tags && out->count < OP_BATCH; self->at++) {
        if (op_is_asked(&self->op, self->at)) {
            struct traverser next =
                op_start(&self->op, exec, self->at, map_of(self, exec, self->at));
            batch_push(out, &next);
        }
    }
    return out->count > 0 ? PULL_BATCH : PULL_DONE;
}

/* ---- the class ---- */

/* One step of the work; DONE when the phase is over. */
static enum pull advance(struct group *self, struct exec *exec)
{
    enum pull rc = PULL_DONE;

    switch (self->phase) {
    case GROUP_READING:
        if (quota_check(exec, (uint64_t)self->groups->held.count + self->passing.count,
                        sizeof(struct traverser)) != PULL_BATCH) {
            return PULL_ERROR;
        }
        rc = op_pull(self->op.input, exec, &self->in);
        if (rc == PULL_BATCH) {
            see_batch(self);
            self->phase = GROUP_SEEING;
            return PULL_DONE;
        }
        if (rc == PULL_DONE) {
            self->phase = self->has_after ? GROUP_AFTER : GROUP_GIVING;
        }
        break;
    case GROUP_SEEING:
        rc = by_set_run(&self->bys, exec);
        if (rc == PULL_BATCH) {
            self->phase = sort_batch(self, exec);
            return PULL_DONE;
        }
        break;
    case GROUP_BEFORE:
        rc = run_before(self, exec);
        if (rc == PULL_DONE) {
            self->phase = GROUP_READING;
        }
        break;
    case GROUP_AFTER:
        rc = run_after(self, exec);
        if (rc == PULL_DONE) {
            self->phase = GROUP_GIVING;
        }
        break;
    case GROUP_GIVING:
        break;
    }
    if (rc == PULL_DONE && self->phase == GROUP_GIVING) {
        order_entries(self, exec);
        if (self->effect != NULL) {
            self->effect->value = map_of(self, exec, 0);
        }
    }
    return rc;
}

static enum pull pull(struct op *op, struct exec *exec, struct batch *out)
{
    struct group *self = (struct group *)op;

    while (self->phase != GROUP_GIVING) {
        enum pull rc = advance(self, exec);
        if (rc != PULL_DONE) {
            return rc;
        }
    }
    return give(self, exec, out);
}

static void reset(struct op *op, struct exec *exec)
{
    struct group *self = (struct group *)op;

    by_set_clear(&self->bys);
    if (self->effect == NULL) {
        bag_init(&self->own.bag, &exec->arena);
        self->own.lists = NULL;
        self->own.list_room = 0;
        batch_clear(&self->own.held);
    }
    batch_clear(&self->passing);
    self->phase = GROUP_READING;
    self->is_after_open = false;
    self->at = 0;
}

static void close(struct op *op)
{
    struct group *self = (struct group *)op;

    by_set_close(&self->bys);
    if (self->has_before) {
        child_close(&self->before);
    }
    if (self->has_after) {
        child_close(&self->after);
    }
    batch_close(&self->in);
    batch_close(&self->results);
    batch_close(&self->passing);
    if (self->groups != NULL) {
        batch_close(&self->groups->held);
    }
}

extern const struct op_class group_class;

const struct op_class group_class = {
    .name = "group",
    .size = sizeof(struct group),
    .open = open,
    .pull = pull,
    .reset = reset,
    .close = close,
};
