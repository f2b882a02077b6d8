#include "coordinator/member.h"

#include "common/mem.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum {
    PROPOSE_MS = 1000, /* A proposal that came to nothing is made again. */
    APPLIED_MS = 1000  /* Between two APPLIED of a node: each is an entry of the Raft log. */
};

void member_init(struct member *member, const struct state *state, uint32_t silence_ms)
{
    assert(member != NULL && state != NULL);
    *member = (struct member){.state = state, .silence_ms = silence_ms};
}

static void forget(struct member *member)
{
    for (uint32_t i = 0; i < member->count; i++) {
        mem_free(member->nodes[i].replicas);
    }
    member->count = 0;
}

void member_close(struct member *member)
{
    assert(member != NULL);
    forget(member);
    mem_free(member->nodes);
    *member = (struct member){0};
}

void member_lead(struct member *member, uint64_t now_ms)
{
    forget(member);
    member->lead_ms = now_ms;
    member->pushed_version = 0;
    member->ready_graph = 0;
}

static struct member_node *node_of(const struct member *member, uint32_t node)
{
    for (uint32_t i = 0; i < member->count; i++) {
        if (member->nodes[i].node == node) {
            return &member->nodes[i];
        }
    }
    return NULL;
}

const struct member_node *member_node(const struct member *member, uint32_t node)
{
    return node_of(member, node);
}

static struct member_node *node_new(struct member *member, uint32_t number)
{
    struct member_node *node = node_of(member, number);

    if (node != NULL) {
        return node;
    }
    if (member->count == member->room) {
        member->room = member->room == 0 ? 8 : member->room * 2;
        member->nodes = mem_resize(member->nodes, member->room * sizeof *member->nodes);
    }
    node = &member->nodes[member->count++];
    *node = (struct member_node){.node = number};
    return node;
}

static bool is_taken(const struct member *member, uint64_t now_ms, const struct state_node *known,
                     const struct roster_status *status)
{
    const struct member_node *first = node_of(member, status->node);
    uint64_t heard_ms = member->lead_ms;

    if (known == NULL || !known->is_up || known->boot == status->boot ||
        slice_equal(known->address, status->address)) {
        return false;
    }
    if (first != NULL && first->boot == known->boot) {
        heard_ms = first->heard_ms;
    }
    return now_ms < heard_ms + member->silence_ms;
}

static int order_replicas(const void *a, const void *b)
{
    const struct roster_replica *left = a;
    const struct roster_replica *right = b;

    return left->shard < right->shard ? -1 : left->shard > right->shard;
}

const struct roster_replica *member_replica(const struct member_node *node, uint32_t shard)
{
    uint32_t low = 0;
    uint32_t high = node->replica_count;

    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (node->replicas[middle].shard < shard) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low < node->replica_count && node->replicas[low].shard == shard ? &node->replicas[low]
                                                                           : NULL;
}

enum member_answer member_hear(struct member *member, uint64_t now_ms,
                               const struct roster_status *status, bool is_register)
{
    const struct state_node *known = state_node(member->state, status->node);
    bool is_known = known != NULL && known->boot == status->boot;

    if (!is_known && !is_register) {
        return MEMBER_UNKNOWN;
    }
    if (is_taken(member, now_ms, known, status)) {
        return MEMBER_TAKEN;
    }
    struct member_node *node = node_new(member, status->node);
    node->boot = status->boot;
    node->heard_ms = now_ms;
    node->map_version = status->map_version;
    node->is_fresh = true;
    node->is_leaving = status->is_leaving;
    mem_free(node->replicas);
    node->replicas =
        status->replica_count == 0
            ? NULL
            : mem_copy(status->replicas, status->replica_count * sizeof *status->replicas);
    node->replica_count = status->replica_count;
    if (node->replica_count > 1) {
        qsort(node->replicas, node->replica_count, sizeof *node->replicas, order_replicas);
    }
    if (is_known && known->is_up && slice_equal(known->address, status->address) &&
        slice_equal(known->zone, status->zone) && known->weight == status->weight) {
        return MEMBER_CONFIG;
    }
    node->proposed_ms = now_ms;
    return MEMBER_PROPOSE;
}

/* ---- tick ---- */

/* Each that is in sync has confirmed the configuration: it has a file, and promised the epoch. */
static bool is_held(const struct member *member, const struct state_shard *shard)
{
    for (uint32_t i = 0; i < shard->isr.count; i++) {
        const struct member_node *node = node_of(member, shard->isr.nodes[i]);
        const struct roster_replica *replica =
            node == NULL ? NULL : member_replica(node, shard->shard);
        bool is_primary = shard->isr.nodes[i] == shard->primary;
        if (replica == NULL || replica->epoch != shard->epoch ||
            (is_primary && node->boot != shard->primary_boot)) {
            return false;
        }
    }
    return true;
}

static bool is_confirmed(const struct member *member, const struct state_graph *graph)
{
    for (uint32_t i = 0; i < graph->shard_count; i++) {
        if (!is_held(member, &graph->shards[i])) {
            return false;
        }
    }
    return true;
}

typedef void (*carry_fn)(void *ctx, const struct member_effect *effect);

static void tick_nodes(struct member *member, uint64_t now_ms, carry_fn carry, void *ctx)
{
    /* Whoever was up when this leader began has had no chance to be heard before. */
    if (now_ms < member->lead_ms + member->silence_ms) {
        return;
    }
    for (uint32_t i = 0; i < member->state->node_count; i++) {
        const struct state_node *known = &member->state->nodes[i];
        struct member_node *node = node_of(member, known->node);
        bool is_silent = node == NULL || node->boot != known->boot ||
                         now_ms >= node->heard_ms + member->silence_ms;
        if (!known->is_up || !is_silent) {
            continue;
        }
        node = node_new(member, known->node);
        if (node->proposed_ms == 0 || now_ms >= node->proposed_ms + PROPOSE_MS) {
            node->proposed_ms = now_ms;
            carry(ctx, &(struct member_effect){
                           .kind = MEMBER_NODE_DOWN, .node = known->node, .boot = known->boot});
        }
    }
}

static void tick_graphs(struct member *member, uint64_t now_ms, carry_fn carry, void *ctx)
{
    for (uint32_t i = 0; i < member->state->graph_count; i++) {
        const struct state_graph *graph = &member->state->graphs[i];
        bool is_proposed =
            member->ready_graph == graph->graph && now_ms < member->ready_ms + PROPOSE_MS;
        if (graph->is_ready || is_proposed || !is_confirmed(member, graph)) {
            continue;
        }
        member->ready_graph = graph->graph;
        member->ready_ms = now_ms;
        carry(ctx, &(struct member_effect){.kind = MEMBER_GRAPH_READY, .graph = graph->graph});
    }
}

bool member_is_ahead(const struct member *member, const struct member_node *node,
                     const struct roster_replica *replica)
{
    const struct state_shard *shard = state_shard(member->state, replica->shard);

    return shard != NULL && shard->primary == node->node && shard->primary_boot == node->boot &&
           replica->epoch == shard->epoch && replica->applied != shard->applied;
}

static void tick_applied(struct member *member, uint64_t now_ms, carry_fn carry, void *ctx)
{
    for (uint32_t i = 0; i < member->count; i++) {
        struct member_node *node = &member->nodes[i];
        if (!node->is_fresh || now_ms < node->noted_ms + APPLIED_MS) {
            continue;
        }
        node->is_fresh = false;
        for (uint32_t j = 0; j < node->replica_count; j++) {
            if (member_is_ahead(member, node, &node->replicas[j])) {
                node->noted_ms = now_ms;
                carry(ctx, &(struct member_effect){
                               .kind = MEMBER_APPLIED, .node = node->node, .boot = node->boot});
                break;
            }
        }
    }
}

void member_tick(struct member *member, uint64_t now_ms,
                 void (*carry)(void *ctx, const struct member_effect *effect), void *ctx)
{
    if (member->pushed_version != member->state->version) {
        member->pushed_version = member->state->version;
        for (uint32_t i = 0; i < member->state->node_count; i++) {
            const struct state_node *node = &member->state->nodes[i];
            if (node->is_up) {
                carry(ctx, &(struct member_effect){
                               .kind = MEMBER_PUSH, .node = node->node, .boot = node->boot});
            }
        }
    }
    tick_nodes(member, now_ms, carry, ctx);
    tick_graphs(member, now_ms, carry, ctx);
    tick_applied(member, now_ms, carry, ctx);
}

uint64_t member_deadline(const struct member *member)
{
    uint64_t deadline = UINT64_MAX;

    for (uint32_t i = 0; i < member->state->node_count; i++) {
        const struct state_node *known = &member->state->nodes[i];
        const struct member_node *node = node_of(member, known->node);
        uint64_t from =
            node == NULL || node->heard_ms < member->lead_ms ? member->lead_ms : node->heard_ms;
        uint64_t at = from + member->silence_ms;
        if (node != NULL && node->proposed_ms >= from && at < node->proposed_ms + PROPOSE_MS) {
            at = node->proposed_ms + PROPOSE_MS;
        }
        if (known->is_up && at < deadline) {
            deadline = at;
        }
    }
    return deadline;
}
