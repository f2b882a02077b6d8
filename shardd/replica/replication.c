#include "shardd/replica/replication.h"

#include "common/mem.h"
#include "common/mutation.h"
#include "shardd/replica/replication_private.h"

#include <assert.h>
#include <inttypes.h>

struct replication_timing replication_timing_default(void)
{
    return (struct replication_timing){.lease_us = 400000,
                                       .drift_ppm = 50000,
                                       .heartbeat_us = 50000,
                                       .silence_us = 500000,
                                       .fresh_us = 150000,
                                       .repeat_us = 200000,
                                       .window_bytes = 4 << 20,
                                       .append_bytes = 1 << 20};
}

/* ---- effects ---- */

struct replication_effect *replication_do(struct replication *r, enum replication_effect_kind kind)
{
    struct replication_effects *out = r->out;

    assert(out != NULL);
    if (out->count == out->room) {
        out->room = out->room == 0 ? 16 : out->room * 2;
        out->items = mem_resize(out->items, out->room * sizeof *out->items);
    }
    struct replication_effect *effect = &out->items[out->count++];
    *effect = (struct replication_effect){.kind = kind};
    return effect;
}

void replication_effects_close(struct replication_effects *effects)
{
    assert(effects != NULL);
    mem_free(effects->items);
    *effects = (struct replication_effects){0};
}

struct replication_effect *replication_persist(struct replication *r, uint64_t truncate,
                                               uint64_t from, uint64_t to)
{
    struct replication_effect *effect = replication_do(r, REPLICATION_DO_PERSIST);

    assert(from <= to && (truncate == 0 || truncate == from));
    if (r->persist_count == r->persist_room) {
        r->persist_room = r->persist_room == 0 ? 16 : r->persist_room * 2;
        r->persists = mem_resize(r->persists, r->persist_room * sizeof *r->persists);
    }
    r->seq++;
    r->persists[r->persist_count++] = (struct replication_persist){
        .seq = r->seq, .last = r->epochs.last, .is_truncating = truncate != 0};
    effect->seq = r->seq;
    effect->truncate = truncate;
    effect->from = from;
    effect->to = to;
    if (r->promised > r->promised_stored) {
        effect->promise = r->promised;
        r->promised_stored = r->promised;
        r->seq_gate = r->seq;
    }
    if (r->has_granted && !r->has_granted_stored) {
        effect->has_granted = true;
        r->has_granted_stored = true;
        r->seq_gate = r->seq;
    }
    return effect;
}

bool replication_is_gated(const struct replication *r)
{
    return r->seq_durable < r->seq_gate || r->promised > r->promised_stored ||
           (r->has_granted && !r->has_granted_stored);
}

void replication_promise(struct replication *r, uint64_t epoch)
{
    assert(r->role != REPLICATION_PRIMARY);
    assert(epoch > r->promised); /* I5 */
    trace_note(r->trace, "epoch %" PRIu64 " is new -> promise", epoch);
    r->promised = epoch;
    /* What was verified, was so against the journal of an earlier primary. */
    r->verified = 0;
    r->leader = 0;
    r->leader_ts = 0;
    r->leader_commit = 0;
    r->owes_ack = false;
    r->owes_nack = false;
}

void replication_commit(struct replication *r, uint64_t index)
{
    assert(index > r->commit && index <= r->epochs.last);
    r->commit = index;
    replication_do(r, REPLICATION_DO_COMMIT)->index = index;
}

/* ---- configuration ---- */

/* A process that was started again does not lead on: entries that it had sent and lost would be
 * written a second time with the same index and epoch. */
static bool is_mine(const struct replication *r, const struct replication_config *config)
{
    if (config->primary != r->node || !nodeset_has(&config->isr, r->node)) {
        return false;
    }
    return mutation_is(MUTATION_REPLICATION_NO_BOOT_RULE) ||
           (config->primary_boot == r->boot && config->epoch > r->promised_before);
}

static enum replication_role role_of(const struct replication *r)
{
    if (r->config.primary == r->node) {
        return REPLICATION_NONE; /* An earlier boot of it; the coordinator will raise the epoch. */
    }
    return nodeset_has(&r->config.isr, r->node)        ? REPLICATION_BACKUP
           : nodeset_has(&r->config.replicas, r->node) ? REPLICATION_LEARNER
                                                       : REPLICATION_NONE;
}

static void adopt_epoch(struct replication *r, const struct replication_event *event)
{
    const struct replication_config *config = event->config;
    uint64_t led = 0;

    if (r->role == REPLICATION_PRIMARY) {
        led = r->config.epoch;
        replication_primary_end(r);
    }
    if (config->epoch > r->promised) {
        replication_promise(r, config->epoch);
    }
    r->config = *config;
    if (is_mine(r, config)) {
        replication_primary_begin(r, event->now);
        return;
    }
    r->role = role_of(r);
    if (led != 0 && config->primary != r->node) {
        struct replication_effect *effect = replication_do(r, REPLICATION_DO_RELEASE);
        effect->node = config->primary;
        effect->epoch = led;
    }
}

static void on_config(struct replication *r, const struct replication_event *event)
{
    const struct replication_config *config = event->config;

    assert(config != NULL && config->epoch != 0 && config->min_insync != 0);
    if (config->epoch < r->promised || config->epoch < r->config.epoch ||
        (config->epoch == r->config.epoch && config->cfgver <= r->config.cfgver)) {
        return;
    }
    if (config->epoch > r->config.epoch) {
        adopt_epoch(r, event);
        return;
    }
    if (r->config.primary != config->primary ||
        (r->role == REPLICATION_PRIMARY && !nodeset_has(&config->isr, r->node))) {
        r->counters.contradictions++;
        return;
    }
    r->config = *config;
    if (r->role == REPLICATION_PRIMARY) {
        replication_primary_adopt(r, event->now);
    } else {
        r->role = role_of(r);
    }
}

bool replication_has_resigned(const struct replication *r)
{
    assert(r != NULL);
    return r->config.cfgver != 0 && r->config.primary == r->node &&
           r->config.primary_boot == r->boot && r->role != REPLICATION_PRIMARY;
}

/* ---- the journal ---- */

static void on_durable(struct replication *r, const struct replication_event *event)
{
    size_t gone = 0;

    assert(event->seq <= r->seq);
    if (event->seq <= r->seq_durable) {
        return;
    }
    r->seq_durable = event->seq;
    while (gone < r->persist_count && r->persists[gone].seq <= event->seq) {
        assert(r->persists[gone].last >= r->durable);
        r->durable = r->persists[gone].last;
        gone++;
    }
    r->persist_count -= gone;
    for (size_t i = 0; i < r->persist_count; i++) {
        r->persists[i] = r->persists[gone + i];
    }
    if (r->role == REPLICATION_PRIMARY) {
        replication_primary_proceed(r, event->now);
    } else {
        replication_backup_durable(r);
    }
}

static void on_lost(struct replication *r, const struct replication_event *event)
{
    bool is_lost = false;

    assert(event->seq > r->seq_durable);
    while (r->persist_count > 0 && r->persists[r->persist_count - 1].seq >= event->seq) {
        r->persist_count--;
        is_lost = is_lost || r->persists[r->persist_count].is_truncating;
    }
    uint64_t last = r->persist_count > 0 ? r->persists[r->persist_count - 1].last : r->durable;
    r->seq_durable = r->persist_count > 0 ? r->seq_durable : r->seq;
    r->promised_stored = 0;
    r->has_granted_stored = false;
    if (is_lost || r->role != REPLICATION_PRIMARY ||
        !replication_primary_lost(r, last, event->now)) {
        if (r->role == REPLICATION_PRIMARY) {
            replication_primary_end(r);
        }
        r->must_reload = true;
        replication_do(r, REPLICATION_DO_RELOAD);
    }
}

static void on_applied(struct replication *r, const struct replication_event *event)
{
    assert(event->index <= r->commit);
    if (event->index > r->applied) {
        r->applied = event->index;
    }
    if (r->role == REPLICATION_PRIMARY) {
        replication_primary_proceed(r, event->now);
    }
}

static void on_trimmed(struct replication *r, const struct replication_event *event)
{
    assert(event->index <= r->applied);
    if (event->index <= r->epochs.base) {
        return;
    }
    epochs_trim(&r->epochs, event->index);
    for (uint32_t i = 0; i < r->peer_count; i++) {
        struct replication_peer *peer = &r->peers[i];
        if (peer->next <= r->epochs.base) {
            peer->next = r->epochs.base + 1;
            peer->is_probing = true;
            peer->sent_at = 0;
        }
    }
}

static void on_installed(struct replication *r, const struct replication_event *event)
{
    assert(r->role != REPLICATION_PRIMARY);
    assert(event->index > r->commit);
    if (event->epoch > r->promised) {
        replication_promise(r, event->epoch);
    }
    epochs_close(&r->epochs);
    epochs_init(&r->epochs, event->index, event->epoch);
    r->durable = event->index;
    r->commit = event->index;
    r->applied = event->index;
    r->persist_count = 0;
    r->seq_durable = r->seq;
    /* The promise may have been in the file that is gone. */
    r->promised_stored = 0;
    r->has_granted_stored = false;
}

/* ---- events ---- */

static void dispatch(struct replication *r, const struct replication_event *event)
{
    switch (event->kind) {
    case REPLICATION_CONFIG:
        on_config(r, event);
        break;
    case REPLICATION_LOCAL:
        replication_primary_local(r, event);
        break;
    case REPLICATION_APPEND:
        replication_backup_append(r, event);
        break;
    case REPLICATION_ACK:
        replication_primary_ack(r, event);
        break;
    case REPLICATION_NACK:
        replication_primary_nack(r, event);
        break;
    case REPLICATION_DURABLE:
        on_durable(r, event);
        break;
    case REPLICATION_APPLIED:
        on_applied(r, event);
        break;
    case REPLICATION_LOST:
        on_lost(r, event);
        break;
    case REPLICATION_TICK:
        replication_primary_tick(r, event->now);
        break;
    case REPLICATION_HANDOVER:
        replication_primary_handover(r, event);
        break;
    case REPLICATION_RELEASE:
        replication_backup_release(r, event);
        break;
    case REPLICATION_TRIMMED:
        on_trimmed(r, event);
        break;
    case REPLICATION_INSTALLED:
        on_installed(r, event);
        break;
    }
}

void replication_advance(struct replication *r, const struct replication_event *event,
                         struct replication_effects *effects)
{
    assert(r != NULL && event != NULL && effects != NULL);
    effects->count = 0;
    if (r->must_reload) {
        return;
    }
    r->out = effects;
    dispatch(r, event);
    if (!r->must_reload && event->kind != REPLICATION_LOST &&
        (r->promised > r->promised_stored || (r->has_granted && !r->has_granted_stored))) {
        (void)replication_persist(r, 0, 0, 0);
    }
    r->out = NULL;
    replication_invariant(r);
}

void replication_init(struct replication *r, const struct replication_start *start)
{
    assert(r != NULL && start != NULL);
    assert(start->node != 0 && start->boot != 0);
    assert(start->base <= start->applied);
    *r = (struct replication){.node = start->node,
                              .boot = start->boot,
                              .timing = start->timing,
                              .trace = start->trace,
                              .promised = start->promised,
                              .promised_stored = start->promised,
                              .promised_before = start->promised,
                              .durable = start->base,
                              .commit = start->applied,
                              .applied = start->applied,
                              .has_granted = start->has_granted,
                              .has_granted_stored = start->has_granted};
    epochs_init(&r->epochs, start->base, start->base_epoch);
    if (start->has_granted) {
        /* Perhaps just before it ended. */
        r->grant_before = start->now + replication_granted_us(&start->timing);
    }
}

void replication_load(struct replication *r, uint64_t count, uint64_t epoch)
{
    assert(r != NULL && r->seq == 0);
    assert(epoch <= r->promised);
    epochs_append(&r->epochs, count, epoch);
    r->durable = r->epochs.last;
}

void replication_close(struct replication *r)
{
    assert(r != NULL);
    epochs_close(&r->epochs);
    mem_free(r->persists);
    *r = (struct replication){0};
}

void replication_invariant(const struct replication *r)
{
    assert(r->must_reload || r->applied <= r->commit); /* I6 */
    assert(r->must_reload || r->commit <= r->epochs.last);
    assert(mutation_is(MUTATION_REPLICATION_ACK_EARLY) || r->must_reload ||
           r->commit <= r->durable);
    assert(r->durable <= r->epochs.last || r->must_reload);
    assert(r->epochs.base <= r->commit);
    assert(r->seq_durable <= r->seq && r->seq_gate <= r->seq);
    if (r->role == REPLICATION_PRIMARY) {
        assert(r->promised == r->config.epoch);
        assert(r->noop <= r->epochs.base || epochs_at(&r->epochs, r->noop) == r->config.epoch);
        assert(!r->is_leading || (r->noop != 0 && r->applied >= r->noop));
        assert(nodeset_has(&r->config.isr, r->node));
    } else {
        assert(!r->is_leading && !r->has_pending && r->peer_count == 0);
    }
}
