#include "router/op/child.h"
#include "router/op/exec.h"
#include "router/plan/params.h"

#include <assert.h>
#include <string.h>

/* ---- parts of values ---- */

bool by_property(const struct value *element, struct slice key, struct value *out)
{
    const struct property *props = NULL;
    uint32_t count = 0;

    switch ((int)element->kind) {
    case VALUE_VERTEX:
        for (uint32_t i = 0; i < element->vertex->prop_count; i++) {
            if (slice_equal(element->vertex->props[i].key, key)) {
                *out = element->vertex->props[i].value;
                return true;
            }
        }
        return false;
    case VALUE_EDGE:
        props = element->edge->props;
        count = element->edge->prop_count;
        break;
    case VALUE_VPROPERTY:
        props = element->vproperty->metas;
        count = element->vproperty->meta_count;
        break;
    default:
        return false;
    }
    for (uint32_t i = 0; i < count; i++) {
        if (slice_equal(props[i].key, key)) {
            *out = props[i].value;
            return true;
        }
    }
    return false;
}

static bool token_of_property(enum enumerator token, struct slice key, struct value value,
                              struct value *out)
{
    if (token == T_KEY) {
        *out = value_string(key);
    } else if (token == T_VALUE) {
        *out = value;
    } else {
        return false;
    }
    return true;
}

bool by_token(enum enumerator token, const struct value *of, struct value *out)
{
    bool is_id = token == T_ID;

    switch ((int)of->kind) {
    case VALUE_VERTEX:
        *out = is_id ? of->vertex->id : value_string(of->vertex->label);
        return is_id || token == T_LABEL;
    case VALUE_EDGE:
        *out = is_id ? of->edge->id : value_string(of->edge->label);
        return is_id || token == T_LABEL;
    case VALUE_VPROPERTY:
        if (is_id || token == T_LABEL) {
            *out = is_id ? of->vproperty->id : value_string(of->vproperty->key);
            return true;
        }
        return token_of_property(token, of->vproperty->key, of->vproperty->value, out);
    case VALUE_PROPERTY:
        return token_of_property(token, of->property->key, of->property->value, out);
    default:
        return false;
    }
}

static struct value column_of_map(struct arena *arena, bool is_keys, const struct value *map)
{
    struct value *items = arena_array(arena, map->size + 1, sizeof *items);

    for (uint32_t i = 0; i < map->size; i++) {
        items[i] = map->items[2 * i + (is_keys ? 0 : 1)];
    }
    return (struct value){
        .kind = is_keys ? VALUE_SET : VALUE_LIST, .size = map->size, .items = items};
}

bool by_column(struct arena *arena, enum enumerator column, const struct value *of,
               struct value *out)
{
    bool is_keys = column == COLUMN_KEYS;

    switch ((int)of->kind) {
    case VALUE_MAP:
        *out = column_of_map(arena, is_keys, of);
        return true;
    case VALUE_ENTRY:
        *out = of->items[is_keys ? 0 : 1];
        return true;
    case VALUE_PATH:
        *out = value_items(arena, VALUE_LIST, is_keys ? of->path->labels : of->path->objects,
                           of->path->size);
        return true;
    default:
        return false;
    }
}

/* ---- the run ---- */

int by_open(struct by_run *by, struct exec *exec, const struct plan_by *plan,
            struct plan_traversal *const *children)
{
    *by = (struct by_run){.plan = plan};
    if (plan->kind == BY_CHILD) {
        assert(plan->child != PLAN_NO_CHILD);
        return child_open(&by->child, exec, children[plan->child]);
    }
    if (plan->kind == BY_TOKEN) {
        by->load.want = LOAD_LABEL;
    }
    return E_OK;
}

int by_open_child(struct by_run *by, struct exec *exec, const struct plan_traversal *traversal)
{
    struct plan_by *plan = ARENA_NEW(&exec->arena, struct plan_by);

    *plan = (struct plan_by){.kind = BY_CHILD};
    *by = (struct by_run){.plan = plan};
    return child_open(&by->child, exec, traversal);
}

void by_reset(struct by_run *by)
{
    load_reset(&by->load);
    by->is_running = false;
}

void by_close(struct by_run *by)
{
    child_close(&by->child);
    batch_close(&by->results);
    load_close(&by->load);
    *by = (struct by_run){0};
}

static enum pull run_child(struct by_run *by, struct exec *exec, const struct traverser *items,
                           uint32_t count, struct value *values, bool *productive)
{
    enum pull rc;

    if (!by->is_running) {
        memset(productive, 0, count * sizeof *productive);
        child_start(&by->child, exec, items, count);
        by->is_running = true;
    }
    while ((rc = child_pull(&by->child, exec, &by->results)) == PULL_BATCH) {
        for (uint32_t i = 0; i < by->results.count; i++) {
            const struct traverser *result = &by->results.items[i];
            if (!productive[result->tag]) {
                productive[result->tag] = true;
                values[result->tag] = result->value;
            }
        }
    }
    if (rc != PULL_DONE) {
        return rc;
    }
    by->is_running = false;
    return PULL_BATCH;
}

static enum pull fail_on(struct exec *exec, const char *what, struct slice key,
                         const struct value *value)
{
    struct slice text = value_text(&exec->stream, value);

    return op_fail(
        exec, E_EVALUATION,
        "The by(%s%.*s%s) modulator can only be applied to a traverser that is an Element or "
        "a Map - it is being applied to [%.*s] a %s class instead",
        what, (int)key.size, (const char *)key.data, *what == '\0' ? "" : "\"",
        (int)(text.size < 100 ? text.size : 100), (const char *)text.data,
        value_kind_name((enum value_kind)value->kind));
}

static enum pull evaluate(struct by_run *by, struct exec *exec, struct value *value,
                          bool *productive)
{
    const struct plan_by *plan = by->plan;
    struct value out = value_null();
    bool is_found = false;

    switch (plan->kind) {
    case BY_IDENTITY:
    case BY_CHILD:
        return PULL_BATCH;
    case BY_KEY:
        if (value->kind == VALUE_MAP) {
            struct value key = value_string(plan->key);
            const struct value *item = value_get(value, &key);
            out = item == NULL ? value_null() : *item;
            is_found = true;
        } else if (value->kind == VALUE_VERTEX || value->kind == VALUE_EDGE ||
                   value->kind == VALUE_VPROPERTY) {
            is_found = by_property(value, plan->key, &out);
        } else {
            return fail_on(exec, "\"", plan->key, value);
        }
        break;
    case BY_TOKEN:
        is_found = by_token(plan->token, value, &out);
        break;
    case BY_COLUMN:
        is_found = by_column(&exec->stream, plan->token, value, &out);
        break;
    }
    if (!is_found && (plan->kind == BY_TOKEN || plan->kind == BY_COLUMN)) {
        return fail_on(exec, "", slice_text(value_enumerator_name(plan->token)), value);
    }
    *value = out;
    *productive = is_found;
    return PULL_BATCH;
}

static enum pull run_plain(struct by_run *by, struct exec *exec, const struct traverser *items,
                           uint32_t count, struct value *values, bool *productive)
{
    enum pull rc = PULL_BATCH;

    if (!by->is_running) {
        for (uint32_t i = 0; i < count; i++) {
            values[i] = items[i].value;
            productive[i] = true;
        }
        by->is_running = true;
    }
    bool is_loading =
        by->plan->kind == BY_KEY || (by->plan->kind == BY_TOKEN && by->plan->token == T_LABEL);
    if (is_loading) {
        rc = load_values(&by->load, exec, values, count, false);
    }
    for (uint32_t i = 0; rc == PULL_BATCH && i < count; i++) {
        rc = evaluate(by, exec, &values[i], &productive[i]);
    }
    if (rc == PULL_BATCH) {
        by->is_running = false;
    }
    return rc;
}

enum pull by_values(struct by_run *by, struct exec *exec, const struct traverser *items,
                    uint32_t count, struct value *values, bool *productive)
{
    enum pull rc;

    if (count == 0) {
        return PULL_BATCH;
    }
    if (by->plan->kind == BY_CHILD) {
        rc = run_child(by, exec, items, count, values, productive);
    } else {
        rc = run_plain(by, exec, items, count, values, productive);
    }
    if (rc == PULL_BATCH && by->plan->gives_null) {
        for (uint32_t i = 0; i < count; i++) {
            if (!productive[i]) {
                values[i] = value_null();
                productive[i] = true;
            }
        }
    }
    return rc;
}
