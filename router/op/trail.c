#include "router/op/trail.h"

#include "router/op/exec.h"
#include "router/op/scope.h"

#include <assert.h>

enum { NOWHERE = INT32_MAX };

/* The last place of the label. */
static uint32_t place_of(const struct path_node *const *nodes, uint32_t count, struct slice label)
{
    for (uint32_t i = count; i > 0; i--) {
        if (scope_has_label(nodes[i - 1], label)) {
            return i - 1;
        }
    }
    return NOWHERE;
}

int trail_of(struct exec *exec, const struct path_node *path, struct slice from, struct slice to,
             struct trail *out)
{
    uint32_t count = path == NULL ? 0 : path->depth;
    const struct path_node **nodes = arena_array(&exec->stream, count + 1u, sizeof *nodes);
    uint32_t at = count, first = 0, last = count;

    for (const struct path_node *node = path; node != NULL; node = node->previous) {
        assert(at > 0);
        nodes[--at] = node;
    }
    if (from.data != NULL) {
        first = place_of(nodes, count, from);
    }
    if (to.data != NULL) {
        uint32_t place = place_of(nodes, count, to);
        last = place == NOWHERE ? NOWHERE : place + 1;
    }
    if (first == NOWHERE || last == NOWHERE) {
        struct slice label = first == NOWHERE ? from : to;
        return error_set(&exec->error, E_EVALUATION, "Could not locate %s-label in the path: %.*s",
                         first == NOWHERE ? "from" : "to", (int)label.size,
                         (const char *)label.data);
    }
    out->nodes = nodes + first;
    out->count = last > first ? last - first : 0;
    return E_OK;
}
