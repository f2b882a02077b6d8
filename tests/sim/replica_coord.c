/* The coordinator as one atomic register: replication.md 2.4, without Raft. */
#include "common/mutation.h"
#include "tests/sim/replica_world.h"

#include <inttypes.h>

enum { SILENCE_US = 900000, FRESH_US = 300000, TELL_US = 50000 };

static void tell(struct world *world, uint32_t node)
{
    struct world_event *event = world_event_new(WORLD_CONFIG, WORLD_COORD, node);

    event->config = world->coord.config;
    world_send(world, event);
}

static void tell_all(struct world *world)
{
    const struct replication_config *config = &world->coord.config;

    world->coord.told_at = world->now;
    if (config->cfgver != world->coord.said) {
        world->coord.said = config->cfgver;
        world_say(world,
                  "coordinator: epoch %" PRIu64 " cfgver %" PRIu64 " primary %u isr %u elr %u",
                  config->epoch, config->cfgver, config->primary, config->isr.count,
                  world->coord.elr.count);
    }
    for (uint32_t node = 1; node <= WORLD_NODES; node++) {
        tell(world, node);
    }
}

static void set_isr(struct world *world, struct nodeset isr)
{
    struct world_coord *coord = &world->coord;
    struct nodeset out = nodeset_minus(&coord->config.isr, &isr);

    coord->config.isr = isr;
    if (isr.count >= coord->config.min_insync) {
        coord->elr = (struct nodeset){0};
    } else {
        coord->elr = nodeset_union(&coord->elr, &out);
    }
    coord->elr = nodeset_minus(&coord->elr, &isr);
    coord->config.cfgver++;
}

/* A replica whose disk was lost is as good as any once it is in sync. */
static void absolve(struct world *world)
{
    const struct world_coord *coord = &world->coord;

    if (world->wiped != 0 && nodeset_has(&coord->config.isr, world->wiped) &&
        coord->boots[world->wiped] == world->hosts[world->wiped].boot) {
        world->hosts[world->wiped].is_suspect = false;
        world->wiped = 0;
    }
}

static void lead(struct world *world, uint32_t node)
{
    struct replication_config *config = &world->coord.config;

    config->primary = node;
    config->primary_boot = world->coord.boots[node];
    config->epoch++;
    config->cfgver++;
    world->coord.heard[node] = world->now;
    world->counters.failovers++;
}

/* The best of a set that was heard lately; 0: none. */
static uint32_t best_of(const struct world *world, const struct nodeset *set, uint32_t but)
{
    uint32_t best = 0;

    for (uint32_t i = 0; i < set->count; i++) {
        uint32_t node = set->nodes[i];
        if (node != but && world->now - world->coord.heard[node] < FRESH_US &&
            (best == 0 || world->coord.durable[node] > world->coord.durable[best])) {
            best = node;
        }
    }
    return best;
}

/* is_gone: the primary is silent, or lost its disk; else it may be elected again. */
static bool elect(struct world *world, bool is_gone)
{
    struct world_coord *coord = &world->coord;
    struct nodeset isr = coord->config.isr;
    struct nodeset all = coord->config.replicas;
    uint32_t old = coord->config.primary;
    uint32_t node = best_of(world, &isr, is_gone ? old : 0);

    if (node != 0) {
        if (is_gone) {
            nodeset_remove(&isr, old);
            set_isr(world, isr);
        }
        lead(world, node);
        return true;
    }
    if (mutation_is(MUTATION_REPLICATION_ANY_LEADER)) {
        node = best_of(world, &all, 0);
    } else if (isr.count < coord->config.min_insync) {
        node = best_of(world, &coord->elr, 0);
    }
    if (node == 0) {
        return false;
    }
    world->counters.elr_elections++;
    coord->elr = nodeset_union(&coord->elr, &isr);
    coord->config.isr = nodeset_of(node);
    nodeset_remove(&coord->elr, node);
    lead(world, node);
    return true;
}

/* Its disk is empty: what it had said is void. */
static void forget(struct world *world, uint32_t node)
{
    struct world_coord *coord = &world->coord;

    if (nodeset_has(&coord->config.isr, node)) {
        struct nodeset isr = coord->config.isr;
        nodeset_remove(&isr, node);
        set_isr(world, isr);
    }
    nodeset_remove(&coord->elr, node);
}

static void on_beat(struct world *world, const struct world_event *event)
{
    struct world_coord *coord = &world->coord;
    uint32_t node = event->from;
    bool is_new = event->boot > coord->boots[node];

    if (event->boot < coord->boots[node]) {
        return;
    }
    coord->boots[node] = event->boot;
    coord->heard[node] = world->now;
    coord->durable[node] = event->index;
    if (is_new && event->is_suspect) {
        forget(world, node);
        tell_all(world);
    }
    if (node == coord->config.primary && !mutation_is(MUTATION_REPLICATION_NO_BOOT_RULE) &&
        (event->boot != coord->config.primary_boot || event->epoch == coord->config.epoch)) {
        coord->config.primary_boot = 0;
        (void)elect(world, !nodeset_has(&coord->config.isr, node));
        tell_all(world);
    }
}

static bool is_current(const struct world *world, const struct world_event *event)
{
    const struct replication_config *config = &world->coord.config;

    return event->epoch == config->epoch && event->cfgver == config->cfgver &&
           event->from == config->primary && event->boot == config->primary_boot;
}

/* What a boot that ended had acknowledged, the next one may not have. */
static bool is_of_boots(const struct world *world, const struct world_event *event)
{
    for (uint32_t i = 0; i < event->set.count; i++) {
        uint32_t node = event->set.nodes[i];
        if (!nodeset_has(&world->coord.config.isr, node) &&
            event->boots[i] != world->coord.boots[node]) {
            return mutation_is(MUTATION_REPLICATION_ANY_BOOT);
        }
    }
    return true;
}

static void on_alter(struct world *world, const struct world_event *event)
{
    struct replication_config *config = &world->coord.config;

    if (!is_current(world, event) || !nodeset_has(&event->set, event->from) ||
        !nodeset_holds(&config->replicas, &event->set)) {
        tell(world, event->from);
        return;
    }
    if (is_of_boots(world, event)) {
        world->counters.shrinks += event->set.count < config->isr.count;
        world->counters.grows += event->set.count > config->isr.count;
        set_isr(world, event->set);
        absolve(world);
    } else {
        config->cfgver++; /* It was repeated for ever. */
        world->counters.boots_refused++;
    }
    tell_all(world);
}

static void on_handed(struct world *world, const struct world_event *event)
{
    if (is_current(world, event) && nodeset_has(&world->coord.config.isr, event->node)) {
        world->counters.handovers++;
        lead(world, event->node);
        tell_all(world);
    }
}

void coord_handle(struct world *world, struct world_event *event)
{
    if (event->kind == WORLD_BEAT) {
        on_beat(world, event);
    } else if (event->kind == WORLD_ALTER) {
        on_alter(world, event);
    } else if (event->kind == WORLD_HANDED) {
        on_handed(world, event);
    }
}

void coord_tick(struct world *world)
{
    struct world_coord *coord = &world->coord;

    if (world->now - coord->heard[coord->config.primary] > SILENCE_US ||
        coord->config.primary_boot == 0) {
        if (elect(world, coord->config.primary_boot != 0 ||
                             !nodeset_has(&coord->config.isr, coord->config.primary))) {
            tell_all(world);
        }
    }
    if (world->now - coord->told_at >= TELL_US) {
        tell_all(world);
    }
}

void coord_handover(struct world *world)
{
    const struct replication_config *config = &world->coord.config;
    uint32_t target = best_of(world, &config->isr, config->primary);
    struct world_event *event;

    if (target == 0) {
        return;
    }
    event = world_event_new(WORLD_HANDOVER, WORLD_COORD, config->primary);
    event->node = target;
    world_send(world, event);
}

void coord_resize(struct world *world)
{
    struct world_coord *coord = &world->coord;
    uint32_t node = 1 + (uint32_t)world_below(world, WORLD_NODES);

    if (!nodeset_has(&coord->config.replicas, node)) {
        (void)nodeset_add(&coord->config.replicas, node);
        world->counters.replicas_added++;
    } else if (node != coord->config.primary && !nodeset_has(&coord->config.isr, node) &&
               !nodeset_has(&coord->elr, node) && node != world->wiped &&
               coord->config.replicas.count > coord->config.min_insync) {
        nodeset_remove(&coord->config.replicas, node);
        world->counters.replicas_removed++;
    } else {
        return;
    }
    coord->config.cfgver++;
    tell_all(world);
}

void coord_init(struct world *world)
{
    struct world_coord *coord = &world->coord;

    *coord = (struct world_coord){.config = {.epoch = 1,
                                             .cfgver = 1,
                                             .primary = 1,
                                             .primary_boot = world->hosts[1].boot,
                                             .min_insync = world->nature.min_insync}};
    for (uint32_t node = 1; node <= WORLD_NODES; node++) {
        coord->boots[node] = world->hosts[node].boot;
        coord->heard[node] = world->now;
        if (node <= world->nature.replicas) {
            (void)nodeset_add(&coord->config.isr, node);
        }
    }
    coord->config.replicas = coord->config.isr;
}
