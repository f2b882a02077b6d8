#include "tests/sim/replica_sim.h"

#include "common/hash.h"
#include "common/mem.h"
#include "tests/sim/replica_check.h"

#include <assert.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum {
    START_US = 1000000,
    HEAL_US = 6000000, /* After it, all must be well. */
    COORD_TICK_US = 20000,
    QUIET_US = 1500000, /* At the end: no new requests. */
    EVENT_ORDER_BITS = 22
};

/* ---- the world ---- */

void world_fault(struct world *world, const char *format, ...)
{
    va_list args;
    char text[200];

    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (world->why.size == 0) {
        bytes_format(&world->why, "%s (at %" PRIu64 " ms)", text, world->now / WORLD_MS);
    }
    world_say(world, "FAULT %s", text);
    for (uint32_t node = 1; node <= WORLD_NODES; node++) {
        host_say(world, &world->hosts[node]);
    }
}

bool world_is_good(const struct world *world)
{
    return world->why.size == 0;
}

void world_say(struct world *world, const char *format, ...)
{
    va_list args;

    if (!world->is_verbose) {
        return;
    }
    (void)printf("%9.3f ", (double)world->now / 1e6);
    va_start(args, format);
    (void)vprintf(format, args);
    va_end(args);
    (void)printf("\n");
}

bool world_chance(struct world *world, double probability)
{
    return prng_chance(&world->prng, probability);
}

uint64_t world_below(struct world *world, uint64_t bound)
{
    return bound == 0 ? 0 : prng_below(&world->prng, bound);
}

uint64_t world_hash(uint64_t hash, const struct world_entry *entry)
{
    return hash_join(hash_join(hash, entry->epoch), entry->value);
}

/* ---- events ---- */

struct world_event *world_event_new(enum world_kind kind, uint32_t from, uint32_t to)
{
    struct world_event *event = mem_alloc(sizeof *event);

    event->kind = kind;
    event->from = from;
    event->to = to;
    return event;
}

static void event_free(struct world_event *event)
{
    bytes_close(&event->body);
    mem_free(event);
}

void world_schedule(struct world *world, uint64_t at, struct world_event *event)
{
    assert(at >= world->now);
    world->order++;
    heap_push(&world->heap,
              at << EVENT_ORDER_BITS | (world->order & ((1U << EVENT_ORDER_BITS) - 1)),
              (uint64_t)(uintptr_t)event);
}

void world_send(struct world *world, struct world_event *event)
{
    const struct world_nature *nature = &world->nature;
    uint64_t delay = world->is_healed ? 3 * WORLD_MS : nature->delay_us;

    assert(event->from < WORLD_PLACES && event->to < WORLD_PLACES && event->to != event->from);
    world->counters.messages++;
    if (world->cut[event->from][event->to] ||
        (!world->is_healed && world_chance(world, nature->loss))) {
        event_free(event);
        return;
    }
    if (!world->is_healed && world_chance(world, nature->copies)) {
        struct world_event *copy = mem_copy(event, sizeof *event);
        copy->body = (struct bytes){0};
        bytes_append(&copy->body, event->body.data, event->body.size);
        world_schedule(world, world->now + 1 + world_below(world, nature->late_us), copy);
    }
    world_schedule(world, world->now + 50 + world_below(world, delay), event);
}

/* ---- clients ---- */

static void request(struct world *world, bool is_write, uint32_t node)
{
    struct world_event *event;

    if (world->op_count == world->op_room) {
        world->op_room = world->op_room == 0 ? 1024 : world->op_room * 2;
        world->ops = mem_resize(world->ops, world->op_room * sizeof *world->ops);
    }
    world->ops[world->op_count] = (struct world_op){.is_write = is_write, .invoked = world->now};
    event = world_event_new(is_write ? WORLD_WRITE : WORLD_READ, WORLD_CLIENTS, node);
    event->op = world->op_count++;
    world_send(world, event);
}

static uint32_t any_node(struct world *world)
{
    return 1 + (uint32_t)world_below(world, WORLD_NODES);
}

static void client_turn(struct world *world)
{
    bool is_write = world_chance(world, 0.5);

    request(world, is_write,
            world_chance(world, 0.67) ? world->coord.config.primary : any_node(world));
    if (!is_write && world_chance(world, 0.5)) {
        request(world, false, any_node(world)); /* Perhaps a primary that is none any more. */
    }
}

static void on_done(struct world *world, const struct world_event *event)
{
    struct world_op *op = &world->ops[event->op];

    if (op->is_done) {
        return;
    }
    op->is_done = true;
    op->returned = world->now;
    op->position = event->index;
    op->hash = event->hash;
    world->counters.writes += op->is_write;
    world->counters.reads += !op->is_write;
}

/* ---- the nemesis ---- */

static void isolate(struct world *world, uint32_t node)
{
    for (uint32_t other = 0; other <= WORLD_NODES; other++) {
        world->cut[node][other] = true;
        world->cut[other][node] = true;
    }
}

static void start_all(struct world *world)
{
    for (uint32_t node = 1; node <= WORLD_NODES; node++) {
        if (!world->hosts[node].is_up) {
            host_boot(world, &world->hosts[node]);
        }
    }
}

/* Only while another member holds all that is acknowledged. */
static void wipe(struct world *world, struct world_host *host)
{
    struct nodeset holders = nodeset_union(&world->coord.config.isr, &world->coord.elr);

    nodeset_remove(&holders, host->node);
    if (world->nature.min_insync > 1 && world->wiped == 0 && holders.count > 0) {
        host_wipe(world, host);
    }
}

static void cut_pair(struct world *world)
{
    uint32_t a = (uint32_t)world_below(world, WORLD_NODES + 1);
    uint32_t b = (uint32_t)world_below(world, WORLD_NODES + 1);

    if (a != b) {
        world->cut[a][b] = true;
        world->cut[b][a] = world->cut[b][a] || world_chance(world, 0.5);
    }
}

static void strike(struct world *world)
{
    struct world_host *host = &world->hosts[any_node(world)];

    switch (world_below(world, 16)) {
    case 0:
    case 1:
    case 2:
        if (host->is_up) {
            host_crash(world, host);
        }
        break;
    case 3:
    case 4:
    case 5:
        start_all(world);
        break;
    case 6:
    case 7:
        cut_pair(world);
        break;
    case 8:
    case 9:
        memset(world->cut, 0, sizeof world->cut);
        break;
    case 10:
        isolate(world, host->node);
        break;
    case 11:
        host->paused_until = world->now + world_below(world, 3000 * WORLD_MS);
        break;
    case 12:
        host->slow_until = world->now + world_below(world, 2000 * WORLD_MS);
        break;
    case 13:
        coord_handover(world);
        break;
    case 14:
        if (world_chance(world, world->nature.full_disk)) {
            host->full_until = world->now + world_below(world, 300 * WORLD_MS);
        } else {
            wipe(world, host);
        }
        break;
    default:
        coord_resize(world);
        break;
    }
}

static void heal(struct world *world)
{
    world_say(world, "healed");
    world->is_healed = true;
    memset(world->cut, 0, sizeof world->cut);
    start_all(world);
    world->nature.append_bytes = 1 << 20;
    world->nature.window_bytes = 4 << 20;
    world->nature.sync_us = 2 * WORLD_MS;
    for (uint32_t node = 1; node <= WORLD_NODES; node++) {
        world->hosts[node].core.timing.append_bytes = world->nature.append_bytes;
        world->hosts[node].core.timing.window_bytes = world->nature.window_bytes;
        world->hosts[node].paused_until = 0;
        world->hosts[node].slow_until = 0;
        world->hosts[node].full_until = 0;
    }
}

/* ---- a run ---- */

static void draw_nature(struct world *world)
{
    static const uint64_t appends[] = {1, 1, 30, 100, 1000, 1 << 20};
    static const uint64_t windows[] = {1, 60, 300, 4 << 20};
    static const uint64_t journals[] = {0, 0, 10, 60};
    struct world_nature *nature = &world->nature;

    nature->replicas = world_chance(world, 0.7) ? 3 : 1 + (uint32_t)world_below(world, 2);
    nature->min_insync = nature->replicas > 1 && world_chance(world, 0.75) ? 2 : 1;
    nature->delay_us = world_chance(world, 0.5) ? 30 * WORLD_MS : 1 * WORLD_MS;
    nature->late_us = world_chance(world, 0.5) ? 300 * WORLD_MS : 2000 * WORLD_MS;
    nature->loss = world_chance(world, 0.7) ? 0.05 : 0;
    nature->copies = world_chance(world, 0.7) ? 0.04 : 0;
    nature->sync_us = world_chance(world, 0.7) ? 15 * WORLD_MS : 1 * WORLD_MS;
    nature->fault_us = (100 + world_below(world, 900)) * WORLD_MS;
    nature->think_us = (5 + world_below(world, 25)) * WORLD_MS;
    nature->append_bytes = appends[world_below(world, sizeof appends / sizeof appends[0])];
    nature->window_bytes = windows[world_below(world, sizeof windows / sizeof windows[0])];
    nature->journal_max = journals[world_below(world, sizeof journals / sizeof journals[0])];
    nature->full_disk = world_chance(world, 0.5) ? 0.5 : 0;
    nature->load_us = (8000 + world_below(world, 8000)) * WORLD_MS;
}

static void world_init(struct world *world, uint64_t seed, bool is_verbose)
{
    prng_init(&world->prng, seed);
    world->seed = seed;
    world->is_verbose = is_verbose;
    world->now = START_US;
    draw_nature(world);
    for (uint32_t node = 1; node <= WORLD_NODES; node++) {
        struct world_host *host = &world->hosts[node];
        host->node = node;
        host->rate = 1 + ((double)world_below(world, 41) - 20) / 1000;
        host_boot(world, host);
    }
    coord_init(world);
    world_schedule(world, world->now, world_event_new(WORLD_TICK_COORD, 0, 0));
    world_schedule(world, world->now, world_event_new(WORLD_CLIENT_TURN, 0, 0));
    world_schedule(world, world->now + world->nature.fault_us,
                   world_event_new(WORLD_NEMESIS, 0, 0));
}

static void to_host(struct world *world, struct world_event **event)
{
    struct world_host *host = &world->hosts[(*event)->to];
    bool is_own = (*event)->kind >= WORLD_SYNC;

    if (!host->is_up || (is_own && (*event)->run != host->run)) {
        return;
    }
    if (world->now < host->paused_until) {
        world_schedule(world, host->paused_until, *event);
        *event = NULL;
        return;
    }
    world->fingerprint = hash_join(world->fingerprint, world->now);
    world->fingerprint =
        hash_join(world->fingerprint, (uint64_t)(*event)->kind << 8 | (*event)->to);
    host_handle(world, host, *event);
    world->fingerprint = hash_join(world->fingerprint, host->core.commit);
}

static void again(struct world *world, struct world_event **event, uint64_t after)
{
    world_schedule(world, world->now + after, *event);
    *event = NULL;
}

static void handle(struct world *world, struct world_event **event, uint64_t end)
{
    switch ((*event)->kind) {
    case WORLD_TICK_COORD:
        coord_tick(world);
        again(world, event, COORD_TICK_US);
        break;
    case WORLD_CLIENT_TURN:
        if (world->now + QUIET_US < end) {
            client_turn(world);
            again(world, event, 1 + world_below(world, world->nature.think_us));
        }
        break;
    case WORLD_NEMESIS:
        if (!world->is_healed) {
            strike(world);
            again(world, event, 20 * WORLD_MS + world_below(world, world->nature.fault_us));
        }
        break;
    case WORLD_BEAT:
    case WORLD_ALTER:
    case WORLD_HANDED:
        coord_handle(world, *event);
        break;
    case WORLD_DONE:
        on_done(world, *event);
        break;
    case WORLD_APPEND:
    case WORLD_ACK:
    case WORLD_NACK:
    case WORLD_RELEASE:
    case WORLD_SNAPSHOT:
    case WORLD_CONFIG:
    case WORLD_HANDOVER:
    case WORLD_WRITE:
    case WORLD_READ:
    case WORLD_SYNC:
    case WORLD_APPLY:
    case WORLD_TIMER:
        to_host(world, event);
        break;
    }
}

static void loop(struct world *world)
{
    uint64_t heal_at = world->now + world->nature.load_us;
    uint64_t end = heal_at + HEAL_US;
    struct heap_entry next;

    while (world_is_good(world) && heap_pop(&world->heap, &next)) {
        struct world_event *event = (struct world_event *)(uintptr_t)next.value;
        world->now = next.key >> EVENT_ORDER_BITS;
        if (world->now >= end) {
            event_free(event);
            break;
        }
        if (world->now >= heal_at && !world->is_healed) {
            heal(world);
        }
        handle(world, &event, end);
        if (event != NULL) {
            event_free(event);
        }
    }
}

void replica_sim_run(uint64_t seed, bool is_verbose, struct replica_result *result)
{
    struct world *world = mem_alloc(sizeof *world);
    struct heap_entry left;

    world_init(world, seed, is_verbose);
    loop(world);
    if (world_is_good(world)) {
        replica_check_history(world);
        replica_check_end(world);
    }
    for (uint32_t i = 0; i < world->op_count; i++) {
        world->fingerprint = hash_join(world->fingerprint, world->ops[i].returned);
    }
    *result = (struct replica_result){.is_good = world_is_good(world),
                                      .fingerprint = world->fingerprint,
                                      .counters = world->counters};
    (void)snprintf(result->why, sizeof result->why, "%.*s", (int)world->why.size,
                   (const char *)world->why.data);
    while (heap_pop(&world->heap, &left)) {
        event_free((struct world_event *)(uintptr_t)left.value);
    }
    heap_close(&world->heap);
    for (uint32_t node = 1; node <= WORLD_NODES; node++) {
        host_close(&world->hosts[node]);
    }
    mem_free(world->ops);
    bytes_close(&world->why);
    mem_free(world);
}
