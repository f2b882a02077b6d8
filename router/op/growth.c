#include "router/op/growth.h"

#include <assert.h>

void growth_init(struct growth *growth, struct arena *arena, uint32_t roots)
{
    bag_init(&growth->nodes, arena);
    growth->roots = roots;
}

void growth_close(struct growth *growth)
{
    bag_close(&growth->nodes);
    *growth = (struct growth){0};
}

void growth_clear(struct growth *growth, uint32_t roots)
{
    bag_clear(&growth->nodes);
    growth->roots = roots;
}

uint32_t growth_add(struct growth *growth, uint32_t parent, const struct value *value)
{
    bool is_new;

    assert(parent < growth->roots + growth->nodes.count);
    return growth->roots + bag_at(&growth->nodes, parent, value, &is_new);
}

/* A node stands behind its parent, so from the last to the first all below a node is done before
 * it: no recursion. */
struct value *growth_trees(const struct growth *growth, struct arena *arena)
{
    size_t count = (size_t)growth->roots + growth->nodes.count;
    struct value *trees = arena_array(arena, count + 1, sizeof *trees);
    struct value **items = arena_array(arena, count + 1, sizeof(struct value *));
    uint32_t *left = arena_array(arena, count + 1, sizeof *left);

    for (uint32_t i = 0; i < growth->nodes.count; i++) {
        left[growth->nodes.entries[i].tag]++;
    }
    for (size_t i = 0; i < count; i++) {
        items[i] = left[i] == 0 ? NULL : arena_array(arena, 2 * (size_t)left[i], sizeof **items);
        trees[i] = (struct value){.kind = VALUE_TREE, .size = left[i], .items = items[i]};
    }
    for (uint32_t i = growth->nodes.count; i > 0; i--) {
        const struct bag_entry *entry = &growth->nodes.entries[i - 1];
        struct value *pair = &items[entry->tag][2 * (size_t)--left[entry->tag]];
        pair[0] = entry->value;
        pair[1] = trees[growth->roots + i - 1];
    }
    return trees;
}
