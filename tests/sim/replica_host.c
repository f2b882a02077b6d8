/* One replica's shell in the simulation: carries out what the core says. */
#include "common/arena.h"
#include "common/hash.h"
#include "common/mem.h"
#include "common/mutation.h"
#include "tests/sim/replica_world.h"

#include <assert.h>
#include <inttypes.h>
#include <string.h>

enum { BEAT_US = 50000, TIMER_US = 5000, APPLY_US = 3000, VALUE_BYTES = 8 };

static void feed(struct world *world, struct world_host *host, struct replication_event *event,
                 const struct append *append);

static uint64_t clock_of(const struct world *world, const struct world_host *host)
{
    return (uint64_t)((double)world->now * host->rate);
}

/* ---- the disk ---- */

static void persist_close(struct world_persist *persist)
{
    mem_free(persist->entries);
    *persist = (struct world_persist){0};
}

static void persists_drop(struct world_host *host, size_t from)
{
    for (size_t i = from; i < host->persist_count; i++) {
        persist_close(&host->persists[i]);
    }
    host->persist_count = from;
}

static void write_disk(struct world *world, struct world_host *host,
                       const struct world_persist *persist)
{
    struct world_disk *disk = &host->disk;

    if (persist->truncate != 0) {
        if (persist->truncate <= disk->applied) {
            world_fault(world, "node %u truncates %" PRIu64 ", applied %" PRIu64, host->node,
                        persist->truncate, disk->applied); /* I10 */
        }
        disk->last = persist->truncate - 1;
    }
    for (uint64_t index = persist->from; persist->from != 0 && index <= persist->to; index++) {
        if (index != disk->last + 1) {
            world_fault(world, "node %u writes entry %" PRIu64 " after %" PRIu64, host->node, index,
                        disk->last);
            return;
        }
        disk->entries[index] = persist->entries[index - persist->from];
        disk->last = index;
    }
    if (persist->promise != 0) {
        if (persist->promise < disk->promised) {
            world_fault(world, "node %u promises less", host->node); /* I5 */
        }
        disk->promised = persist->promise;
    }
    disk->has_granted = disk->has_granted || persist->has_granted;
}

static void sync_start(struct world *world, struct world_host *host)
{
    struct world_event *event;
    uint64_t delay = 100 + world_below(world, world->nature.sync_us);

    if (host->is_syncing || host->persist_count == 0) {
        return;
    }
    host->is_syncing = true;
    if (world->now < host->slow_until) {
        delay += world_below(world, 900 * WORLD_MS);
    }
    event = world_event_new(WORLD_SYNC, host->node, host->node);
    event->run = host->run;
    event->seq = host->persists[host->persist_count - 1].seq;
    event->index = host->sync_run;
    world_schedule(world, world->now + delay, event);
}

static void on_sync(struct world *world, struct world_host *host, const struct world_event *event)
{
    size_t done = 0;
    bool is_full = world->now < host->full_until;

    if (event->index != host->sync_run) {
        return;
    }
    host->is_syncing = false;
    if (is_full) {
        struct replication_event lost = {.kind = REPLICATION_LOST, .seq = host->persists[0].seq};
        persists_drop(host, 0);
        feed(world, host, &lost, NULL);
        while (host->wait_count > 0 &&
               host->waits[host->wait_count - 1].index > host->core.epochs.last) {
            host->wait_count--; /* Taken back. */
        }
        return;
    }
    while (done < host->persist_count && host->persists[done].seq <= event->seq) {
        write_disk(world, host, &host->persists[done]);
        persist_close(&host->persists[done++]);
    }
    host->persist_count -= done;
    if (host->persist_count > 0) {
        memmove(host->persists, host->persists + done,
                host->persist_count * sizeof *host->persists);
    }
    struct replication_event durable = {.kind = REPLICATION_DURABLE, .seq = event->seq};
    feed(world, host, &durable, NULL);
    sync_start(world, host);
}

static void persist(struct world *world, struct world_host *host,
                    const struct replication_effect *effect, const struct append *append)
{
    struct world_persist *persist;

    if (host->persist_count == host->persist_room) {
        host->persist_room = host->persist_room == 0 ? 16 : host->persist_room * 2;
        host->persists = mem_resize(host->persists, host->persist_room * sizeof *host->persists);
    }
    persist = &host->persists[host->persist_count++];
    *persist = (struct world_persist){.seq = effect->seq,
                                      .truncate = effect->truncate,
                                      .from = effect->from,
                                      .to = effect->to,
                                      .promise = effect->promise,
                                      .has_granted = effect->has_granted};
    if (effect->from != 0) {
        persist->entries = mem_array(effect->to + 1 - effect->from, sizeof *persist->entries);
    }
    world->counters.truncations += effect->truncate != 0;
    for (uint64_t index = effect->from; effect->from != 0 && index <= effect->to; index++) {
        struct world_entry *entry = &host->journal[index];
        if (append != NULL) {
            const struct store_entry *sent = &append->entries[index - append->prev_index - 1];
            struct reader reader;
            reader_init(&reader, sent->body);
            *entry = (struct world_entry){sent->epoch, reader_u64(&reader)};
        } else {
            uint64_t value = effect->is_noop ? 0 : ++world->value_last;
            *entry = (struct world_entry){effect->epoch, value};
        }
        persist->entries[index - effect->from] = *entry;
    }
    sync_start(world, host);
}

/* ---- applying ---- */

static void note_committed(struct world *world, struct world_host *host, uint64_t index)
{
    const struct world_entry *entry = &host->journal[index];

    if (index <= world->final_last) {
        if (memcmp(entry, &world->final[index], sizeof *entry) != 0) {
            world_fault(world, "two entries committed at index %" PRIu64, index); /* I2 */
        }
        return;
    }
    world->final[index] = *entry;
    world->final_hash[index] = world_hash(world->final_hash[index - 1], entry);
    world->final_last = index;
}

/* I3, I4: whoever may lead next has it on disk. */
static void check_holders(struct world *world, uint64_t index)
{
    struct nodeset holders = nodeset_union(&world->coord.config.isr, &world->coord.elr);

    for (uint32_t i = 0; i < holders.count; i++) {
        const struct world_host *host = &world->hosts[holders.nodes[i]];
        const struct world_disk *disk = &host->disk;
        if (host->node == world->wiped || index <= disk->base) {
            continue;
        }
        if (index > disk->last ||
            memcmp(&disk->entries[index], &world->final[index], sizeof disk->entries[index]) != 0) {
            world_fault(world, "committed entry %" PRIu64 " is not on node %u, which may lead",
                        index, host->node);
        }
    }
}

static void on_commit(struct world *world, struct world_host *host, uint64_t index)
{
    uint64_t known = world->final_last;

    for (uint64_t i = host->applied + 1; i <= index; i++) {
        note_committed(world, host, i);
    }
    if (index > known) {
        check_holders(world, index);
    }
    if (!host->is_applying) {
        struct world_event *event = world_event_new(WORLD_APPLY, host->node, host->node);
        event->run = host->run;
        host->is_applying = true;
        world_schedule(world, world->now + world_below(world, APPLY_US), event);
    }
}

static void done(struct world *world, struct world_host *host, uint32_t op, uint64_t index)
{
    struct world_event *event = world_event_new(WORLD_DONE, host->node, WORLD_CLIENTS);

    event->op = op;
    event->index = index;
    event->hash = host->hash;
    world_send(world, event);
}

static void answer_writes(struct world *world, struct world_host *host)
{
    size_t kept = 0;

    for (size_t i = 0; i < host->wait_count; i++) {
        struct world_wait *wait = &host->waits[i];
        if (wait->index > host->applied) {
            host->waits[kept++] = *wait;
        } else if (host->journal[wait->index].value != world->ops[wait->op].value) {
            world_fault(world, "another entry is at the index of a write that is answered");
        } else {
            done(world, host, wait->op, wait->index);
        }
    }
    host->wait_count = kept;
}

static void on_apply(struct world *world, struct world_host *host)
{
    host->is_applying = false;
    if (world_chance(world, 0.5)) {
        host->disk.applied = host->applied; /* A power cut takes back what comes now. */
        host->disk.hash = host->hash;
    }
    while (host->applied < host->core.commit) {
        host->applied++;
        host->hash = world_hash(host->hash, &host->journal[host->applied]);
    }
    struct replication_event event = {.kind = REPLICATION_APPLIED, .index = host->applied};
    feed(world, host, &event, NULL);
    answer_writes(world, host);
}

/* ---- snapshots ---- */

static void offer(struct world *world, struct world_host *host, uint32_t node)
{
    struct world_event *event = world_event_new(WORLD_SNAPSHOT, host->node, node);

    event->index = host->applied;
    event->epoch = epochs_at(&host->core.epochs, host->applied);
    event->hash = host->hash;
    world_send(world, event);
}

static void on_snapshot(struct world *world, struct world_host *host,
                        const struct world_event *event)
{
    struct world_disk *disk = &host->disk;

    if (host->core.role == REPLICATION_PRIMARY || event->index <= host->core.commit) {
        return;
    }
    world->counters.snapshots++;
    persists_drop(host, 0);
    host->sync_run++;
    host->is_syncing = false;
    disk->base = event->index;
    disk->base_epoch = event->epoch;
    disk->last = event->index;
    disk->applied = event->index;
    disk->hash = event->hash;
    host->applied = event->index;
    host->hash = event->hash;
    struct replication_event installed = {
        .kind = REPLICATION_INSTALLED, .index = event->index, .epoch = event->epoch};
    feed(world, host, &installed, NULL);
}

static void trim(struct world *world, struct world_host *host)
{
    uint64_t keep = replication_keep(&host->core);
    uint64_t most = world->nature.journal_max;
    uint64_t index = host->disk.applied < keep - 1 ? host->disk.applied : keep - 1;

    if (most != 0 && host->disk.applied > most && host->disk.applied - most > index) {
        index = host->disk.applied - most;
    }
    if (index <= host->disk.base) {
        return;
    }
    host->disk.base_epoch = epochs_at(&host->core.epochs, index);
    host->disk.base = index;
    struct replication_event event = {.kind = REPLICATION_TRIMMED, .index = index};
    feed(world, host, &event, NULL);
}

/* ---- effects ---- */

static void reply(struct world *world, struct world_host *host,
                  const struct replication_effect *effect, enum world_kind kind)
{
    struct world_event *event = world_event_new(kind, host->node, effect->node);
    struct append_reply reply = {.epoch = effect->epoch, .index = effect->index, .ts = effect->ts};

    if (kind != WORLD_RELEASE) {
        if (host->disk.promised < effect->epoch) {
            world_fault(world, "node %u answers before its promise is durable", host->node);
        }
        host->promised_told = host->disk.promised;
    }
    event->boot = host->boot;
    append_reply_encode(&event->body, &reply);
    world_send(world, event);
}

static void to_coordinator(struct world *world, struct world_host *host,
                           const struct replication_effect *effect, enum world_kind kind)
{
    struct world_event *event = world_event_new(kind, host->node, WORLD_COORD);

    event->boot = host->boot;
    event->epoch = effect->epoch;
    event->cfgver = effect->cfgver;
    event->node = effect->node;
    event->set = effect->set;
    memcpy(event->boots, effect->boots, sizeof event->boots);
    world_send(world, event);
}

static void load(struct world *world, struct world_host *host)
{
    const struct world_disk *disk = &host->disk;
    struct replication_start start = {.node = host->node,
                                      .boot = host->boot,
                                      .now = clock_of(world, host),
                                      .promised = disk->promised,
                                      .base = disk->base,
                                      .base_epoch = disk->base_epoch,
                                      .applied = disk->applied,
                                      .has_granted = disk->has_granted,
                                      .timing = replication_timing_default()};

    start.timing.append_bytes = world->nature.append_bytes;
    start.timing.window_bytes = world->nature.window_bytes;
    replication_close(&host->core);
    replication_init(&host->core, &start);
    for (uint64_t index = disk->base + 1; index <= disk->last; index++) {
        host->journal[index] = disk->entries[index];
        replication_load(&host->core, 1, disk->entries[index].epoch);
    }
    host->applied = disk->applied;
    host->hash = disk->hash;
    host->is_applying = false;
    host->is_syncing = false;
    host->sync_run++;
    host->wait_count = 0;
    persists_drop(host, 0);
}

static void lead(struct world *world, struct world_host *host)
{
    world_say(world, "node %u leads epoch %" PRIu64, host->node, host->core.config.epoch);
    if (host->applied != host->core.epochs.last) {
        world_fault(world, "node %u leads before all is applied", host->node);
    }
}

static void carry(struct world *world, struct world_host *host,
                  const struct replication_effect *effect, const struct append *append)
{
    switch (effect->kind) {
    case REPLICATION_DO_STOP:
        host->wait_count = 0; /* Their outcome is not known. */
        break;
    case REPLICATION_DO_PERSIST:
        persist(world, host, effect, append);
        break;
    case REPLICATION_DO_ACK:
        reply(world, host, effect, WORLD_ACK);
        break;
    case REPLICATION_DO_NACK:
        reply(world, host, effect, WORLD_NACK);
        break;
    case REPLICATION_DO_COMMIT:
        on_commit(world, host, effect->index);
        break;
    case REPLICATION_DO_ALTER:
        to_coordinator(world, host, effect, WORLD_ALTER);
        break;
    case REPLICATION_DO_SNAPSHOT:
        offer(world, host, effect->node);
        break;
    case REPLICATION_DO_LEAD:
        lead(world, host);
        break;
    case REPLICATION_DO_HANDOVER:
        to_coordinator(world, host, effect, WORLD_HANDED);
        break;
    case REPLICATION_DO_RELEASE:
        reply(world, host, effect, WORLD_RELEASE);
        break;
    case REPLICATION_DO_RELOAD:
        world->counters.reloads++;
        break;
    }
}

/* ---- APPENDs ---- */

static void send_due(struct world *world, struct world_host *host)
{
    struct replication_send send;
    uint64_t now = clock_of(world, host);

    while (replication_send(&host->core, now, &send)) {
        struct world_event *event = world_event_new(WORLD_APPEND, host->node, send.node);
        struct append append = {.epoch = send.epoch,
                                .cfgver = send.cfgver,
                                .prev_index = send.prev_index,
                                .prev_epoch = send.prev_epoch,
                                .commit = send.commit,
                                .ts = send.ts};
        struct bytes entries = {0};
        for (uint64_t index = send.from; index <= send.to; index++) {
            uint8_t value[VALUE_BYTES];
            size_t before = entries.size;
            for (size_t i = 0; i < sizeof value; i++) {
                value[i] = (uint8_t)(host->journal[index].value >> (56 - 8 * i));
            }
            struct store_entry entry = {.epoch = host->journal[index].epoch,
                                        .kind = STORE_TXN1,
                                        .body = slice_of(value, sizeof value)};
            append_entry_encode(&entries, &entry);
            if (append.count > 0 && entries.size > send.bytes_max) {
                entries.size = before;
                break;
            }
            append.count++;
        }
        append_encode(&event->body, &append, bytes_slice(&entries));
        replication_sent(&host->core, &send, send.prev_index + append.count, entries.size);
        bytes_close(&entries);
        event->boot = host->boot;
        world_send(world, event);
    }
}

/* I1 */
static void check_leader(struct world *world, const struct world_host *host)
{
    uint64_t epoch = host->core.config.epoch;

    if (host->core.role != REPLICATION_PRIMARY || epoch >= WORLD_EPOCHS_MAX) {
        return;
    }
    if (world->leaders[epoch].node == 0) {
        world->leaders[epoch].node = host->node;
        world->leaders[epoch].boot = host->boot;
    }
    if (world->leaders[epoch].node != host->node || world->leaders[epoch].boot != host->boot) {
        world_fault(world, "two primaries in epoch %" PRIu64, epoch);
    }
}

static void feed(struct world *world, struct world_host *host, struct replication_event *event,
                 const struct append *append)
{
    event->now = clock_of(world, host);
    replication_advance(&host->core, event, &host->effects);
    for (size_t i = 0; i < host->effects.count; i++) {
        carry(world, host, &host->effects.items[i], append);
    }
    if (host->core.must_reload) {
        load(world, host);
    }
    if (host->core.counters.contradictions != 0) {
        world_fault(world, "node %u met a contradiction", host->node);
    }
    check_leader(world, host);
    send_due(world, host);
}

/* ---- what comes ---- */

static void on_append(struct world *world, struct world_host *host,
                      const struct world_event *message)
{
    struct arena arena;
    struct append append;
    struct error err;

    arena_init(&arena, 0);
    if (append_decode(bytes_slice(&message->body), &arena, &append, &err) != E_OK) {
        world_fault(world, "APPEND: %s", err.text);
    } else {
        struct replication_append told = {.epoch = append.epoch,
                                          .prev_index = append.prev_index,
                                          .prev_epoch = append.prev_epoch,
                                          .epochs = append.epochs,
                                          .count = append.count,
                                          .commit = append.commit,
                                          .ts = append.ts};
        struct replication_event event = {
            .kind = REPLICATION_APPEND, .from = message->from, .append = &told};
        feed(world, host, &event, &append);
    }
    arena_close(&arena);
}

static void on_reply(struct world *world, struct world_host *host,
                     const struct world_event *message)
{
    struct append_reply reply;
    struct error err;

    if (append_reply_decode(bytes_slice(&message->body), &reply, &err) != E_OK) {
        world_fault(world, "answer: %s", err.text);
        return;
    }
    struct replication_event event = {.kind = message->kind == WORLD_ACK    ? REPLICATION_ACK
                                              : message->kind == WORLD_NACK ? REPLICATION_NACK
                                                                            : REPLICATION_RELEASE,
                                      .from = message->from,
                                      .boot = message->boot,
                                      .epoch = reply.epoch,
                                      .index = reply.index,
                                      .ts = reply.ts};
    feed(world, host, &event, NULL);
}

static void on_write(struct world *world, struct world_host *host, uint32_t op)
{
    if (world->ops[op].value != 0 || /* A second copy of the request. */
        !replication_may_write(&host->core, clock_of(world, host)) ||
        host->core.epochs.last + 100 > WORLD_ENTRIES_MAX) {
        return;
    }
    if (host->wait_count == host->wait_room) {
        host->wait_room = host->wait_room == 0 ? 16 : host->wait_room * 2;
        host->waits = mem_resize(host->waits, host->wait_room * sizeof *host->waits);
    }
    host->waits[host->wait_count++] = (struct world_wait){op, host->core.epochs.last + 1};
    world->ops[op].value = world->value_last + 1;
    struct replication_event event = {.kind = REPLICATION_LOCAL, .count = 1};
    feed(world, host, &event, NULL);
}

static void beat(struct world *world, struct world_host *host)
{
    struct world_event *event = world_event_new(WORLD_BEAT, host->node, WORLD_COORD);

    host->beat_at = world->now;
    event->boot = host->boot;
    event->index = host->core.durable;
    event->is_suspect = host->is_suspect;
    event->epoch = replication_has_resigned(&host->core) ? host->core.config.epoch : 0;
    world_send(world, event);
}

static void on_timer(struct world *world, struct world_host *host)
{
    struct world_event *next = world_event_new(WORLD_TIMER, host->node, host->node);

    next->run = host->run;
    world_schedule(world, world->now + TIMER_US, next);
    if (clock_of(world, host) >= replication_deadline(&host->core)) {
        struct replication_event event = {.kind = REPLICATION_TICK};
        feed(world, host, &event, NULL);
    }
    if (world->now - host->beat_at >= BEAT_US) {
        beat(world, host);
    }
    if (world_chance(world, 0.01)) {
        trim(world, host);
    }
}

void host_handle(struct world *world, struct world_host *host, struct world_event *message)
{
    struct replication_event event = {.from = message->from, .within_us = 1000 * WORLD_MS};

    switch (message->kind) {
    case WORLD_APPEND:
        on_append(world, host, message);
        break;
    case WORLD_ACK:
    case WORLD_NACK:
    case WORLD_RELEASE:
        on_reply(world, host, message);
        break;
    case WORLD_SNAPSHOT:
        on_snapshot(world, host, message);
        break;
    case WORLD_CONFIG:
        event.kind = REPLICATION_CONFIG;
        event.config = &message->config;
        feed(world, host, &event, NULL);
        break;
    case WORLD_HANDOVER:
        event.kind = REPLICATION_HANDOVER;
        event.from = message->node;
        feed(world, host, &event, NULL);
        break;
    case WORLD_WRITE:
        on_write(world, host, message->op);
        break;
    case WORLD_READ:
        if (replication_may_read(&host->core, clock_of(world, host))) {
            done(world, host, message->op, host->applied);
        }
        break;
    case WORLD_SYNC:
        on_sync(world, host, message);
        break;
    case WORLD_APPLY:
        on_apply(world, host);
        break;
    case WORLD_TIMER:
        on_timer(world, host);
        break;
    case WORLD_BEAT:
    case WORLD_ALTER:
    case WORLD_HANDED:
    case WORLD_DONE:
    case WORLD_TICK_COORD:
    case WORLD_CLIENT_TURN:
    case WORLD_NEMESIS:
        assert(false);
        break;
    }
}

/* ---- life ---- */

void host_boot(struct world *world, struct world_host *host)
{
    struct world_event *timer = world_event_new(WORLD_TIMER, host->node, host->node);

    assert(!host->is_up);
    host->is_up = true;
    host->run++;
    host->boot = host->run << 8 | host->node;
    host->paused_until = 0;
    if (host->disk.promised < host->promised_told) {
        world_fault(world, "node %u forgot a promise", host->node); /* I5 */
    }
    load(world, host);
    timer->run = host->run;
    world_schedule(world, world->now + world_below(world, TIMER_US), timer);
}

void host_crash(struct world *world, struct world_host *host)
{
    size_t kept = world_below(world, host->persist_count + 1);

    assert(host->is_up);
    world->counters.crashes++;
    world_say(world, "node %u crashes", host->node);
    for (size_t i = 0; i < kept; i++) {
        write_disk(world, host, &host->persists[i]);
    }
    persists_drop(host, 0);
    replication_close(&host->core);
    host->is_up = false;
}

void host_wipe(struct world *world, struct world_host *host)
{
    if (host->is_up) {
        host_crash(world, host);
    }
    world_say(world, "node %u loses its disk", host->node);
    world->counters.wipes++;
    world->wiped = host->node;
    host->disk.base = 0;
    host->disk.base_epoch = 0;
    host->disk.last = 0;
    host->disk.applied = 0;
    host->disk.hash = 0;
    host->disk.promised = 0;
    host->disk.has_granted = false;
    host->promised_told = 0;
    host_boot(world, host);
    host->is_suspect = true;
}

void host_say(struct world *world, const struct world_host *host)
{
    const struct replication *core = &host->core;

    world_say(world,
              "node %u up %d role %d epoch %" PRIu64 "/%" PRIu64 " cfgver %" PRIu64 " base %" PRIu64
              " applied %" PRIu64 " commit %" PRIu64 " durable %" PRIu64 " verified %" PRIu64
              " last %" PRIu64 " noop %" PRIu64 " leading %d pending %d",
              host->node, host->is_up, core->role, core->promised, core->config.epoch,
              core->config.cfgver, core->epochs.base, core->applied, core->commit, core->durable,
              core->verified, core->epochs.last, core->noop, core->is_leading, core->has_pending);
    for (uint32_t i = 0; i < core->peer_count; i++) {
        const struct replication_peer *peer = &core->peers[i];
        world_say(world, "  peer %u match %" PRIu64 " next %" PRIu64 " probing %d snapshot %d",
                  peer->node, peer->match, peer->next, peer->is_probing, peer->needs_snapshot);
    }
}

void host_close(struct world_host *host)
{
    persists_drop(host, 0);
    mem_free(host->persists);
    mem_free(host->waits);
    replication_close(&host->core);
    replication_effects_close(&host->effects);
}
