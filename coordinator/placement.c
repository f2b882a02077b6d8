#include "coordinator/placement.h"

#include <assert.h>

struct placement_node *placement_node(const struct placement_nodes *nodes, uint32_t node)
{
    uint32_t low = 0;
    uint32_t high = nodes->count;

    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (nodes->nodes[middle].node < node) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low < nodes->count && nodes->nodes[low].node == node ? &nodes->nodes[low] : NULL;
}

/* ---- replicas ---- */

/* Negative: a has less load for its weight than b. */
static int compare_shares(uint64_t load_a, uint64_t weight_a, uint64_t load_b, uint64_t weight_b)
{
    uint64_t a = load_a * weight_b;
    uint64_t b = load_b * weight_a;

    return a < b ? -1 : a > b;
}

static bool is_one_zone(const struct placement_node *a, const struct placement_node *b)
{
    return a == b || (a->zone.size > 0 && slice_equal(a->zone, b->zone));
}

struct zone {
    uint32_t held;   /* Replicas of the shard in it. */
    uint64_t load;   /* Replicas of all. */
    uint64_t weight; /* Of its usable nodes. */
};

static struct zone zone_of(const struct placement_nodes *nodes, const struct placement_node *node,
                           const struct nodeset *replicas)
{
    struct zone zone = {0};

    for (uint32_t i = 0; i < nodes->count; i++) {
        const struct placement_node *other = &nodes->nodes[i];
        if (is_one_zone(node, other)) {
            zone.held += nodeset_has(replicas, other->node);
            zone.load += other->is_usable ? other->replicas : 0;
            zone.weight += other->is_usable ? other->weight : 0;
        }
    }
    return zone;
}

/* Whether a is the better place for one more replica. */
static bool is_better(const struct placement_node *a, const struct zone *zone_a,
                      const struct placement_node *b, const struct zone *zone_b)
{
    int order = compare_shares(zone_a->load, zone_a->weight, zone_b->load, zone_b->weight);

    if (zone_a->held != zone_b->held) {
        return zone_a->held < zone_b->held;
    }
    if (order != 0) {
        return order < 0;
    }
    if (zone_a->weight != zone_b->weight) {
        return zone_a->weight > zone_b->weight;
    }
    order = compare_shares(a->replicas, a->weight, b->replicas, b->weight);
    return order != 0 ? order < 0 : a->node < b->node;
}

void placement_add(const struct placement_nodes *nodes, uint32_t replica_count,
                   struct nodeset *replicas)
{
    assert(nodes != NULL && replicas != NULL && replica_count <= NODESET_MAX);
    while (replicas->count < replica_count) {
        struct placement_node *best = NULL;
        struct zone best_zone = {0};
        for (uint32_t i = 0; i < nodes->count; i++) {
            struct placement_node *node = &nodes->nodes[i];
            if (!node->is_usable || nodeset_has(replicas, node->node)) {
                continue;
            }
            struct zone zone = zone_of(nodes, node, replicas);
            if (best == NULL || is_better(node, &zone, best, &best_zone)) {
                best = node;
                best_zone = zone;
            }
        }
        if (best == NULL) {
            return;
        }
        best->replicas++;
        nodeset_add(replicas, best->node);
    }
}

/* Whether a is the better one to let go. */
static bool is_worse(const struct placement_nodes *nodes, const struct nodeset *replicas,
                     const struct placement_node *a, const struct placement_node *b)
{
    struct zone zone_a = zone_of(nodes, a, replicas);
    struct zone zone_b = zone_of(nodes, b, replicas);

    if (a->is_usable != b->is_usable) {
        return !a->is_usable;
    }
    if (zone_a.held != zone_b.held) {
        return zone_a.held > zone_b.held;
    }
    return compare_shares(a->replicas, a->weight, b->replicas, b->weight) > 0;
}

uint32_t placement_drop(const struct placement_nodes *nodes, const struct nodeset *replicas,
                        const struct nodeset *keep)
{
    struct placement_node *worst = NULL;

    for (uint32_t i = 0; i < replicas->count; i++) {
        struct placement_node *node = placement_node(nodes, replicas->nodes[i]);
        if (node == NULL || nodeset_has(keep, node->node)) {
            continue;
        }
        if (worst == NULL || is_worse(nodes, replicas, node, worst)) {
            worst = node;
        }
    }
    return worst == NULL ? 0 : worst->node;
}

/* ---- primaries ---- */

uint32_t placement_lead(const struct placement_nodes *nodes, const struct nodeset *ready)
{
    struct placement_node *best = NULL;

    for (uint32_t i = 0; i < ready->count; i++) {
        struct placement_node *node = placement_node(nodes, ready->nodes[i]);
        if (node == NULL || !node->is_usable) {
            continue;
        }
        if (best == NULL || compare_shares(node->primaries + 1ULL, node->weight,
                                           best->primaries + 1ULL, best->weight) < 0) {
            best = node;
        }
    }
    if (best == NULL) {
        return 0;
    }
    best->primaries++;
    return best->node;
}

/* The search for a chain of hand-overs: nodes by place. */
struct search {
    const struct placement_nodes *nodes;
    const struct placement_shard *shards;
    uint32_t *first; /* Of a node: the first shard that it leads; then next of each. */
    uint32_t *next;
    uint32_t *came_by; /* The shard whose hand-over reaches a node; NONE: not reached. */
    uint32_t *queue;
};

#define NONE UINT32_MAX

static uint32_t place_of(const struct search *search, uint32_t node)
{
    const struct placement_node *found = placement_node(search->nodes, node);

    return found == NULL ? NONE : (uint32_t)(found - search->nodes->nodes);
}

/* A chain from one node to the other makes the first better off than it leaves the second. */
static bool is_gain(const struct placement_node *from, const struct placement_node *to)
{
    return to->is_usable &&
           compare_shares(to->primaries + 1ULL, to->weight, from->primaries, from->weight) < 0;
}

/* The place of a node that should lead one more instead of from, the nearest by hand-overs. */
static uint32_t reach(struct search *search, uint32_t from)
{
    const struct placement_node *nodes = search->nodes->nodes;
    uint32_t head = 0;
    uint32_t tail = 0;

    for (uint32_t i = 0; i < search->nodes->count; i++) {
        search->came_by[i] = NONE;
    }
    search->queue[tail++] = from;
    while (head < tail) {
        uint32_t at = search->queue[head++];
        for (uint32_t i = search->first[at]; i != NONE; i = search->next[i]) {
            const struct nodeset *ready = &search->shards[i].ready;
            for (uint32_t j = 0; j < ready->count; j++) {
                uint32_t to = place_of(search, ready->nodes[j]);
                if (to == NONE || to == from || search->came_by[to] != NONE ||
                    !nodes[to].is_usable) {
                    continue;
                }
                search->came_by[to] = i;
                if (is_gain(&nodes[from], &nodes[to])) {
                    return to;
                }
                search->queue[tail++] = to;
            }
        }
    }
    return NONE;
}

static void search_init(struct search *search, uint32_t shard_count, struct arena *arena)
{
    uint32_t count = search->nodes->count;

    search->first = arena_array(arena, count, sizeof *search->first);
    search->next = arena_array(arena, shard_count, sizeof *search->next);
    search->came_by = arena_array(arena, count, sizeof *search->came_by);
    search->queue = arena_array(arena, count + 1U, sizeof *search->queue);
    for (uint32_t i = 0; i < count; i++) {
        search->first[i] = NONE;
    }
    for (uint32_t i = shard_count; i > 0; i--) {
        uint32_t at = place_of(search, search->shards[i - 1].primary);
        if (at != NONE) {
            search->next[i - 1] = search->first[at];
            search->first[at] = i - 1;
        }
    }
}

bool placement_move(const struct placement_nodes *nodes, const struct placement_shard *shards,
                    uint32_t shard_count, struct arena *arena, struct placement_move *move)
{
    struct search search = {.nodes = nodes, .shards = shards};

    assert(nodes != NULL && arena != NULL && move != NULL);
    search_init(&search, shard_count, arena);
    for (uint32_t i = 0; i < nodes->count; i++) {
        if (nodes->nodes[i].primaries == 0) {
            continue;
        }
        uint32_t to = reach(&search, i);
        if (to != NONE) {
            *move = (struct placement_move){.shard = search.came_by[to],
                                            .target = nodes->nodes[to].node};
            return true;
        }
    }
    return false;
}
