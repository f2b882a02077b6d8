#include "coordinator/failover.h"

#include "common/mem.h"
#include "coordinator/placement.h"
#include "coordinator/replicaset.h"

#include <assert.h>

enum {
    SCAN_MS = 20,
    PROPOSE_MS = 1000, /* A proposal that came to nothing is made again. */
    REPEAT_MS = 200,   /* A hand-over that is not answered is sent again. */
    SETTLE_MS = 5000,  /* Primaries are evened out when nodes have not changed for so long, */
    AGAIN_MS = 30000   /* and so long after a hand-over that came to nothing. */
};

typedef void (*carry_fn)(void *ctx, const struct failover_effect *effect);

/* One look at all shards. */
struct scan {
    struct failover *failover;
    uint64_t now_ms;
    struct placement_nodes nodes;
    carry_fn carry;
    void *ctx;
    bool is_busy; /* Some shard is without a primary, or is being handed over. */
};

void failover_init(struct failover *failover, const struct state *state,
                   const struct member *member)
{
    assert(failover != NULL && state != NULL && member != NULL);
    *failover = (struct failover){.state = state, .member = member};
    arena_init(&failover->arena, 0);
}

void failover_close(struct failover *failover)
{
    assert(failover != NULL);
    mem_free(failover->shards);
    arena_close(&failover->arena);
    *failover = (struct failover){0};
}

void failover_lead(struct failover *failover, uint64_t now_ms)
{
    failover->count = 0;
    failover->scan_ms = 0;
    failover->usable = 0;
    failover->even_at_ms = now_ms + SETTLE_MS;
}

/* ---- what is going on ---- */

static struct failover_shard *find(const struct failover *failover, uint32_t shard)
{
    for (uint32_t i = 0; i < failover->count; i++) {
        if (failover->shards[i].shard == shard) {
            return &failover->shards[i];
        }
    }
    return NULL;
}

static struct failover_shard *find_or_new(struct failover *failover, uint32_t number)
{
    struct failover_shard *shard = find(failover, number);

    if (shard != NULL) {
        return shard;
    }
    if (failover->count == failover->room) {
        failover->room = failover->room == 0 ? 8 : failover->room * 2;
        failover->shards = mem_resize(failover->shards, failover->room * sizeof *failover->shards);
    }
    shard = &failover->shards[failover->count++];
    *shard = (struct failover_shard){.shard = number};
    return shard;
}

/* ---- nodes ---- */

static bool is_heard(const struct failover *failover, uint32_t number, uint64_t now_ms,
                     uint64_t within_ms)
{
    const struct state_node *known = state_node(failover->state, number);
    const struct member_node *node = member_node(failover->member, number);

    return known != NULL && known->is_up && node != NULL && node->boot == known->boot &&
           now_ms < node->heard_ms + within_ms;
}

static bool is_silent(const struct failover *failover, uint32_t number, uint64_t now_ms)
{
    uint64_t silence_ms = failover->member->silence_ms;

    /* "wait one full failure-detection period before any fail-over decision" */
    return now_ms >= failover->member->lead_ms + silence_ms &&
           !is_heard(failover, number, now_ms, silence_ms);
}

/* What a node heard lately says of its replica; null: nothing. */
static const struct roster_replica *reported(const struct failover *failover, uint32_t number,
                                             uint32_t shard, uint64_t now_ms)
{
    const struct member_node *node = member_node(failover->member, number);

    if (!is_heard(failover, number, now_ms, failover->member->silence_ms / 2)) {
        return NULL;
    }
    return member_replica(node, shard);
}

static bool is_leaving(const struct failover *failover, uint32_t number)
{
    const struct member_node *node = member_node(failover->member, number);

    return node != NULL && node->is_leaving;
}

/* All nodes with what they hold. */
static void count_nodes(struct failover *failover, struct placement_nodes *nodes)
{
    const struct state *state = failover->state;

    nodes->count = state->node_count;
    nodes->nodes = arena_array(&failover->arena, nodes->count, sizeof *nodes->nodes);
    for (uint32_t i = 0; i < nodes->count; i++) {
        const struct state_node *node = &state->nodes[i];
        nodes->nodes[i] =
            (struct placement_node){.node = node->node,
                                    .weight = node->weight,
                                    .zone = node->zone,
                                    .is_usable = node->is_up && !is_leaving(failover, node->node)};
    }
    for (uint32_t i = 0; i < state->graph_count; i++) {
        for (uint32_t j = 0; j < state->graphs[i].shard_count; j++) {
            const struct state_shard *shard = &state->graphs[i].shards[j];
            for (uint32_t k = 0; k < shard->replicas.count; k++) {
                struct placement_node *node = placement_node(nodes, shard->replicas.nodes[k]);
                if (node != NULL) {
                    node->replicas++;
                    node->primaries += node->node == shard->primary;
                }
            }
        }
    }
}

int failover_place(struct failover *failover, uint32_t count, uint32_t replica_count,
                   struct nodeset *replicas, uint32_t *primaries, struct error *err)
{
    struct placement_nodes nodes;
    uint32_t usable = 0;

    assert(failover != NULL && replica_count > 0);
    count_nodes(failover, &nodes);
    for (uint32_t i = 0; i < nodes.count; i++) {
        usable += nodes.nodes[i].is_usable;
    }
    for (uint32_t i = 0; i < count && usable >= replica_count; i++) {
        replicas[i] = (struct nodeset){0};
        placement_add(&nodes, replica_count, &replicas[i]);
        primaries[i] = placement_lead(&nodes, &replicas[i]);
    }
    arena_reset(&failover->arena);
    if (usable == 0) {
        return error_set(err, E_UNAVAILABLE, "no shard node is up");
    }
    if (usable < replica_count) {
        return error_set(err, E_UNAVAILABLE,
                         "%u replicas need as many shard nodes that are up: there are %u",
                         replica_count, usable);
    }
    return E_OK;
}

/* ---- elections ---- */

struct candidate {
    uint32_t node;
    uint64_t last_epoch;
    uint64_t last;
    uint64_t primaries;
    bool was_primary;
    bool is_full;
};

static bool is_better(const struct candidate *a, const struct candidate *b)
{
    if (b->node == 0) {
        return true;
    }
    if (a->is_full != b->is_full) {
        return b->is_full;
    }
    if (a->last_epoch != b->last_epoch) {
        return a->last_epoch > b->last_epoch;
    }
    if (a->last != b->last) {
        return a->last > b->last;
    }
    if (a->was_primary != b->was_primary) {
        return a->was_primary;
    }
    return a->primaries < b->primaries;
}

/* The process that is to lead in this epoch lives, and says that it will not. */
static bool has_resigned(const struct roster_replica *replica, const struct state_shard *shard)
{
    return replica->resigned != 0 && replica->resigned == shard->epoch;
}

/* The best of a set; heard: how many of it have been. node 0: none. */
static struct candidate best_of(const struct scan *scan, const struct state_shard *shard,
                                const struct nodeset *set, uint32_t *heard)
{
    struct candidate best = {0};

    *heard = 0;
    for (uint32_t i = 0; i < set->count; i++) {
        uint32_t node = set->nodes[i];
        bool was_primary = node == shard->primary;
        const struct roster_replica *replica =
            reported(scan->failover, node, shard->shard, scan->now_ms);
        *heard += replica != NULL;
        if (replica == NULL || replica->suspect != ROSTER_SOUND || replica->is_partial ||
            (was_primary && shard->primary_boot != 0 && !has_resigned(replica, shard))) {
            continue;
        }
        struct candidate candidate = {.node = node,
                                      .last_epoch = replica->last_epoch,
                                      .last = replica->last,
                                      .primaries = placement_node(&scan->nodes, node)->primaries,
                                      .was_primary = was_primary,
                                      .is_full = replica->is_full};
        if (is_better(&candidate, &best)) {
            best = candidate;
        }
    }
    return best;
}

static bool may_propose(const struct scan *scan, struct failover_shard *going,
                        const struct state_shard *shard)
{
    if (going->proposed_ms != 0 && going->cfgver == shard->cfgver &&
        scan->now_ms < going->proposed_ms + PROPOSE_MS) {
        return false;
    }
    going->proposed_ms = scan->now_ms;
    going->cfgver = shard->cfgver;
    return true;
}

static void elect(struct scan *scan, const struct state_graph *graph,
                  const struct state_shard *shard)
{
    struct failover_shard *going = find_or_new(scan->failover, shard->shard);
    uint32_t heard;

    going->since_ms = going->since_ms == 0 ? scan->now_ms : going->since_ms;
    struct candidate best = best_of(scan, shard, &shard->isr, &heard);
    if (shard->primary_boot == 0 && heard < shard->isr.count &&
        scan->now_ms < going->since_ms + FAILOVER_ELECT_MS) {
        scan->is_busy = true;
        return; /* One of the others may have more, or be the primary that was. */
    }
    if (best.node == 0 && shard->isr.count < graph->min_insync) {
        best = best_of(scan, shard, &shard->elr, &heard);
    }
    scan->is_busy = scan->is_busy || best.node != 0;
    if (best.node == 0 || !may_propose(scan, going, shard)) {
        return;
    }
    placement_node(&scan->nodes, best.node)->primaries++;
    scan->carry(scan->ctx, &(struct failover_effect){
                               .kind = FAILOVER_PROPOSE,
                               .shard = shard->shard,
                               .epoch = shard->epoch,
                               .cfgver = shard->cfgver,
                               .target = best.node,
                               .target_boot = state_node(scan->failover->state, best.node)->boot});
}

/* ---- hand-overs ---- */

/* Who of the isr could lead instead of its primary now. */
static struct nodeset ready_of(const struct scan *scan, const struct state_shard *shard)
{
    struct nodeset ready = {0};

    for (uint32_t i = 0; i < shard->isr.count; i++) {
        uint32_t node = shard->isr.nodes[i];
        const struct roster_replica *replica =
            reported(scan->failover, node, shard->shard, scan->now_ms);
        if (node != shard->primary && replica != NULL && replica->suspect == ROSTER_SOUND &&
            !replica->is_full && !replica->is_partial &&
            placement_node(&scan->nodes, node)->is_usable) {
            nodeset_add(&ready, node);
        }
    }
    return ready;
}

static void begin_handover(struct failover *failover, uint64_t now_ms,
                           const struct state_shard *shard, uint32_t target)
{
    struct failover_shard *going = find_or_new(failover, shard->shard);

    going->target = target;
    going->epoch = shard->epoch;
    going->until_ms = now_ms + FAILOVER_HANDOVER_MS;
    going->sent_ms = 0;
    failover->scan_ms = 0;
}

int failover_ask(struct failover *failover, uint64_t now_ms, const struct state_shard *shard,
                 uint32_t *target, struct error *err)
{
    struct scan scan = {.failover = failover, .now_ms = now_ms};

    assert(failover != NULL && shard != NULL && target != NULL);
    if (*target == shard->primary) {
        return error_set(err, E_INVALID, "node %u leads shard %u already", *target, shard->shard);
    }
    if (*target != 0 && !nodeset_has(&shard->isr, *target)) {
        return error_set(err, E_INVALID,
                         "node %u is not in sync for shard %u: 'cardeactl status' shows who is",
                         *target, shard->shard);
    }
    count_nodes(failover, &scan.nodes);
    struct nodeset ready = ready_of(&scan, shard);
    if (*target == 0) {
        *target = placement_lead(&scan.nodes, &ready);
    } else if (!nodeset_has(&ready, *target)) {
        *target = 0;
    }
    arena_reset(&failover->arena);
    if (*target == 0) {
        return error_set(err, E_UNAVAILABLE,
                         "shard %u has no other replica that is in sync and heard", shard->shard);
    }
    begin_handover(failover, now_ms, shard, *target);
    return E_OK;
}

/* Sends it (again), or gives it up. */
static void go_on(struct scan *scan, struct failover_shard *going, const struct state_shard *shard)
{
    if (going->target == 0) {
        return;
    }
    if (shard->epoch != going->epoch) {
        going->target = 0; /* It has come to something. */
        return;
    }
    scan->is_busy = true;
    if (scan->now_ms >= going->until_ms) {
        scan->failover->even_at_ms = scan->now_ms + AGAIN_MS;
        scan->carry(scan->ctx, &(struct failover_effect){.kind = FAILOVER_GIVEN_UP,
                                                         .shard = shard->shard,
                                                         .epoch = shard->epoch,
                                                         .target = going->target});
        going->target = 0;
    } else if (going->sent_ms == 0 || scan->now_ms >= going->sent_ms + REPEAT_MS) {
        going->sent_ms = scan->now_ms;
        scan->carry(scan->ctx, &(struct failover_effect){
                                   .kind = FAILOVER_HANDOVER,
                                   .shard = shard->shard,
                                   .epoch = shard->epoch,
                                   .cfgver = shard->cfgver,
                                   .node = shard->primary,
                                   .boot = shard->primary_boot,
                                   .target = going->target,
                                   .within_ms = (uint32_t)(going->until_ms - scan->now_ms)});
    }
}

static void leave(struct scan *scan, const struct state_shard *shard)
{
    const struct failover_shard *going = find(scan->failover, shard->shard);
    struct nodeset ready = ready_of(scan, shard);

    if (going == NULL || going->target == 0) {
        uint32_t target = placement_lead(&scan->nodes, &ready);
        if (target != 0) {
            begin_handover(scan->failover, scan->now_ms, shard, target);
        }
    }
}

/* ---- replicas ---- */

/* The replica that a shard with too many lets go now: one that is not needed first, never the
 * primary; 0: none yet. */
static uint32_t who_goes(const struct scan *scan, const struct state_graph *graph,
                         const struct state_shard *shard)
{
    struct nodeset holders = nodeset_union(&shard->isr, &shard->elr);
    struct nodeset primary = nodeset_of(shard->primary);
    uint32_t gone = placement_drop(&scan->nodes, &shard->replicas, &holders);

    if (gone != 0 || shard->isr.count <= graph->min_insync) {
        return gone; /* Until others are in sync. */
    }
    return placement_drop(&scan->nodes, &shard->isr, &primary);
}

static void set_replicas(struct scan *scan, const struct state_graph *graph,
                         const struct state_shard *shard)
{
    struct nodeset wanted = shard->replicas;

    if (wanted.count < graph->replica_count) {
        placement_add(&scan->nodes, graph->replica_count, &wanted);
    } else {
        uint32_t gone = who_goes(scan, graph, shard);
        if (gone != 0) {
            placement_node(&scan->nodes, gone)->replicas--;
            nodeset_remove(&wanted, gone);
        }
    }
    if (nodeset_equal(&wanted, &shard->replicas) ||
        !may_propose(scan, find_or_new(scan->failover, shard->shard), shard)) {
        return;
    }
    scan->carry(scan->ctx, &(struct failover_effect){.kind = FAILOVER_REPLICAS,
                                                     .shard = shard->shard,
                                                     .epoch = shard->epoch,
                                                     .cfgver = shard->cfgver,
                                                     .set = wanted});
}

/* ---- the scan ---- */

static void look_at(struct scan *scan, const struct state_graph *graph,
                    const struct state_shard *shard)
{
    struct failover *failover = scan->failover;
    const struct roster_replica *replica =
        reported(failover, shard->primary, shard->shard, scan->now_ms);
    bool is_resigned = replica != NULL && has_resigned(replica, shard);

    if (shard->replicas.count == 1 && graph->replica_count == 1 && !is_resigned) {
        return; /* There is no choice. */
    }
    bool is_lost = is_resigned || shard->primary_boot == 0 ||
                   is_silent(failover, shard->primary, scan->now_ms) ||
                   (replica != NULL && replica->suspect != ROSTER_SOUND);

    if (is_lost) {
        elect(scan, graph, shard);
        return;
    }
    bool is_full = replica != NULL && replica->is_full;
    if (is_leaving(failover, shard->primary) || (is_full && ready_of(scan, shard).count > 0)) {
        leave(scan, shard);
    } else if (shard->replicas.count != graph->replica_count && graph->is_ready) {
        set_replicas(scan, graph, shard);
    }
}

/* What is going on with shards that have a primary again, or are no more, ends. */
static void tidy_up(struct scan *scan)
{
    struct failover *failover = scan->failover;

    for (uint32_t i = failover->count; i > 0; i--) {
        struct failover_shard *going = &failover->shards[i - 1];
        const struct state_shard *shard = state_shard(failover->state, going->shard);
        if (shard != NULL) {
            go_on(scan, going, shard);
            if (shard->primary_boot != 0 &&
                is_heard(failover, shard->primary, scan->now_ms, failover->member->silence_ms)) {
                going->since_ms = 0;
            }
        }
        bool is_waiting =
            going->since_ms != 0 || going->target != 0 ||
            (going->proposed_ms != 0 && shard != NULL && going->cfgver == shard->cfgver);
        if (shard == NULL || !is_waiting) {
            *going = failover->shards[--failover->count];
        }
    }
}

static void even_out(struct scan *scan)
{
    const struct state *state = scan->failover->state;
    struct arena *arena = &scan->failover->arena;
    uint32_t count = 0;

    struct placement_shard *shards = arena_array(arena, state->places.count, sizeof *shards);
    const struct state_shard **origins = arena_array(arena, state->places.count, sizeof *origins);
    for (uint32_t i = 0; i < state->graph_count; i++) {
        for (uint32_t j = 0; j < state->graphs[i].shard_count; j++) {
            const struct state_shard *shard = &state->graphs[i].shards[j];
            if (shard->isr.count > 1 && state->graphs[i].is_ready) {
                origins[count] = shard;
                shards[count].primary = shard->primary;
                shards[count++].ready = ready_of(scan, shard);
            }
        }
    }
    struct placement_move move;
    if (count > 0 && placement_move(&scan->nodes, shards, count, arena, &move)) {
        begin_handover(scan->failover, scan->now_ms, origins[move.shard], move.target);
    }
}

static uint64_t sum_usable(const struct placement_nodes *nodes)
{
    uint64_t sum = 1;

    for (uint32_t i = 0; i < nodes->count; i++) {
        sum += nodes->nodes[i].is_usable ? hash_mix(nodes->nodes[i].node) : 0;
    }
    return sum;
}

void failover_tick(struct failover *failover, uint64_t now_ms,
                   void (*carry)(void *ctx, const struct failover_effect *effect), void *ctx)
{
    const struct state *state = failover->state;
    struct scan scan = {.failover = failover, .now_ms = now_ms, .carry = carry, .ctx = ctx};

    if (now_ms < failover->scan_ms && state->version == failover->version) {
        return;
    }
    failover->scan_ms = now_ms + SCAN_MS;
    failover->version = state->version;
    count_nodes(failover, &scan.nodes);
    uint64_t usable = sum_usable(&scan.nodes);
    if (usable != failover->usable) {
        failover->usable = usable;
        failover->even_at_ms = now_ms + SETTLE_MS;
    }
    for (uint32_t i = 0; i < state->graph_count; i++) {
        for (uint32_t j = 0; j < state->graphs[i].shard_count; j++) {
            look_at(&scan, &state->graphs[i], &state->graphs[i].shards[j]);
        }
    }
    tidy_up(&scan);
    if (!scan.is_busy && now_ms >= failover->even_at_ms) {
        even_out(&scan);
    }
    arena_reset(&failover->arena);
}
