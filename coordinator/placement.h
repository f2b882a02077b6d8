/*
 * placement.h -- on which nodes the replicas of shards go, and which of them lead.
 *
 *   placement_add    gives a shard replicas: one node and one zone each where that is possible
 *   placement_drop   says which replica a shard with too many lets go
 *   placement_lead   says who of them leads a new shard
 *   placement_move   gives the next hand-over that evens out primaries
 *
 * Zones come first: a shard's replicas are spread over as many of them as there are. Then the zone
 * with the least load for its weight is chosen, in it the node with the least load for its weight;
 * with equal ones the larger zone, then the lower number. A node without a zone is one by itself.
 *
 * placement_move looks for a chain of hand-overs from a node that leads more than its share to one
 * that leads less (an augmenting path), and gives its last step: applied again and again, the
 * number of primaries at the node with most becomes the least possible. It never goes back and
 * forth: each chain makes the sum of squares smaller.
 *
 * Pure; the same input gives the same result.
 * After: reference/replication.md 4.4 (greedy with quotas; primaries by leadership only).
 */
#ifndef COORDINATOR_PLACEMENT_H
#define COORDINATOR_PLACEMENT_H

#include "common/arena.h"
#include "common/nodeset.h"

struct placement_node {
    uint32_t node;
    uint32_t weight; /* Not 0. */
    struct slice zone;
    uint32_t replicas; /* It holds. */
    uint32_t primaries;
    bool is_usable; /* It may be given more. */
};

/* By number. */
struct placement_nodes {
    struct placement_node *nodes;
    uint32_t count;
};

struct placement_shard {
    uint32_t primary;
    struct nodeset ready; /* Who may lead, the primary among them. */
};

struct placement_move {
    uint32_t shard; /* Place in the list given. */
    uint32_t target;
};

/* Adds nodes to a shard's replicas until there are replica_count or no usable node is left, and
 * counts them at the nodes. */
void placement_add(const struct placement_nodes *nodes, uint32_t replica_count,
                   struct nodeset *replicas);
/* The replica to let go: one that is not usable first, then one in the zone with most of them, then
 * one at the node with most for its weight. None of keep; 0: there is no other. */
uint32_t placement_drop(const struct placement_nodes *nodes, const struct nodeset *replicas,
                        const struct nodeset *keep);
/* Who is to lead of these: the node that leads least for its weight; counts it. 0: none usable. */
uint32_t placement_lead(const struct placement_nodes *nodes, const struct nodeset *ready);
/* Returns false if primaries are as even as they can be. Targets are usable. */
bool placement_move(const struct placement_nodes *nodes, const struct placement_shard *shards,
                    uint32_t shard_count, struct arena *arena, struct placement_move *move);

/* Null: not there. */
struct placement_node *placement_node(const struct placement_nodes *nodes, uint32_t node);

#endif
