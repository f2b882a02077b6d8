#include "router/op/scope.h"

#include "router/op/effect.h"
#include "router/op/exec.h"

bool scope_has_label(const struct path_node *node, struct slice label)
{
    for (uint32_t i = 0; i < node->label_count; i++) {
        if (slice_equal(node->labels[i], label)) {
            return true;
        }
    }
    return false;
}

/* All places of the label, oldest first. */
static struct value all_of(struct exec *exec, const struct path_node *path, struct slice label,
                           uint32_t count)
{
    struct value *values = arena_array(&exec->stream, count, sizeof *values);
    uint32_t at = count;

    for (const struct path_node *node = path; node != NULL; node = node->previous) {
        if (scope_has_label(node, label)) {
            values[--at] = node->value;
        }
    }
    return value_items(&exec->stream, VALUE_LIST, values, count);
}

bool scope_path(struct exec *exec, const struct path_node *path, struct slice label,
                enum enumerator pop, struct value *out)
{
    uint32_t count = 0;

    for (const struct path_node *node = path; node != NULL; node = node->previous) {
        if (!scope_has_label(node, label)) {
            continue;
        }
        if (pop == POP_FIRST || count == 0) {
            *out = node->value;
        }
        count++;
        if (pop == POP_LAST || pop == ENUMERATOR_COUNT) {
            return true;
        }
    }
    if (pop == POP_ALL || (pop == POP_MIXED && count > 1)) {
        if (count > 0) {
            *out = all_of(exec, path, label, count);
        }
    }
    return count > 0;
}

bool scope_get(struct exec *exec, const struct traverser *traverser, struct slice label,
               enum enumerator pop, struct value *out)
{
    struct value key = value_string(label);
    struct side_effect *effect;

    if (traverser->value.kind == VALUE_MAP) {
        const struct value *item = value_get(&traverser->value, &key);
        if (item != NULL) {
            *out = *item;
            return true;
        }
    }
    effect = exec_side_effect(exec, label);
    if (effect != NULL) {
        *out = effect_value(exec, effect);
        return true;
    }
    return scope_path(exec, traverser->path, label, pop, out);
}
