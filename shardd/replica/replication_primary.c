/* The primary: sends the journal, counts what is durable elsewhere, keeps the in-sync set. */
#include "common/mutation.h"
#include "shardd/replica/replication_private.h"

#include <assert.h>
#include <inttypes.h>
#include <string.h>

enum {
    PROBE_ENTRIES = 64, /* Sent while it is not known where the journals agree. */
    PROBE_BYTES = 64 << 10,
    NOOP_RETRY_US = 100000 /* After a full disk. */
};

static struct replication_peer *peer_of(struct replication *r, uint32_t node)
{
    for (uint32_t i = 0; i < r->peer_count; i++) {
        if (r->peers[i].node == node) {
            return &r->peers[i];
        }
    }
    return NULL;
}

/* ---- who counts ---- */

/* Of the maximal ISR: an ISR that was asked for may be in force already, or never be. */
static bool counts(const struct replication *r, uint32_t node)
{
    if (r->has_pending && mutation_is(MUTATION_REPLICATION_SHRINK_EARLY)) {
        return nodeset_has(&r->pending, node);
    }
    return nodeset_has(&r->config.isr, node) ||
           (r->has_pending && !mutation_is(MUTATION_REPLICATION_NO_MAX_ISR) &&
            nodeset_has(&r->pending, node));
}

static bool is_enough(const struct replication *r)
{
    return mutation_is(MUTATION_REPLICATION_SERVE_BELOW_MIN) ||
           (r->config.isr.count >= r->config.min_insync &&
            (!r->has_pending || r->pending.count >= r->config.min_insync));
}

bool replication_may_write(const struct replication *r, uint64_t now)
{
    assert(r != NULL);
    (void)now; /* A write is fenced by the epoch, not by time. */
    return r->is_leading && r->handover == 0 && is_enough(r);
}

bool replication_may_read(const struct replication *r, uint64_t now)
{
    assert(r != NULL);
    if (!r->is_leading || !is_enough(r)) {
        return false;
    }
    for (uint32_t i = 0; i < r->peer_count; i++) {
        const struct replication_peer *peer = &r->peers[i];
        /* Who was asked for counts, too: it may be in the ISR, and may be elected out of it. */
        bool is_member = nodeset_has(&r->config.isr, peer->node) ||
                         (r->has_pending && nodeset_has(&r->pending, peer->node) &&
                          !mutation_is(MUTATION_REPLICATION_LEASE_OF_ISR_ONLY));
        if (is_member && peer->lease_until <= now &&
            !mutation_is(MUTATION_REPLICATION_READ_NO_LEASE)) {
            return false;
        }
    }
    return true;
}

/* ---- proceeding ---- */

static void commit(struct replication *r)
{
    uint64_t index = mutation_is(MUTATION_REPLICATION_ACK_EARLY) ? r->epochs.last : r->durable;

    if (r->config.isr.count < r->config.min_insync &&
        !mutation_is(MUTATION_REPLICATION_COMMIT_BELOW_MIN)) {
        return;
    }
    for (uint32_t i = 0; i < r->peer_count; i++) {
        const struct replication_peer *peer = &r->peers[i];
        if (counts(r, peer->node) && peer->match < index) {
            index = peer->match;
        }
    }
    /* Entries of earlier epochs are committed along with one of this epoch. */
    if (index >= r->noop && index > r->commit) {
        replication_commit(r, index);
    }
}

static void lead(struct replication *r, uint64_t now)
{
    uint64_t wait =
        mutation_is(MUTATION_REPLICATION_NO_LEASE_WAIT) ? 0 : replication_backup_wait(r);

    if (r->is_leading || r->applied < r->noop || now < wait || !is_enough(r)) {
        return;
    }
    assert(r->epochs.last == r->noop && r->commit == r->noop);
    trace_note(r->trace, "epoch %" PRIu64 ": noop applied, no lease out -> lead", r->config.epoch);
    r->is_leading = true;
    r->counters.elections++;
    replication_do(r, REPLICATION_DO_LEAD)->epoch = r->config.epoch;
}

static bool is_drained(const struct replication *r)
{
    if (r->applied < r->epochs.last) {
        return false;
    }
    for (uint32_t i = 0; i < r->peer_count; i++) {
        if (counts(r, r->peers[i].node) && r->peers[i].match < r->epochs.last) {
            return false;
        }
    }
    return true;
}

static void hand_over(struct replication *r, uint64_t now)
{
    if (r->handover == 0) {
        return;
    }
    if (now >= r->handover_until || !nodeset_has(&r->config.isr, r->handover)) {
        r->handover = 0;
        return;
    }
    if (is_drained(r) && (r->handover_at == 0 || now >= r->handover_at + r->timing.repeat_us)) {
        struct replication_effect *effect = replication_do(r, REPLICATION_DO_HANDOVER);
        effect->node = r->handover;
        effect->epoch = r->config.epoch;
        effect->cfgver = r->config.cfgver;
        r->handover_at = now;
    }
}

void replication_primary_proceed(struct replication *r, uint64_t now)
{
    assert(r->role == REPLICATION_PRIMARY);
    if (r->noop == 0) {
        return;
    }
    commit(r);
    lead(r, now);
    hand_over(r, now);
}

/* ---- an epoch ---- */

static void append_noop(struct replication *r)
{
    struct replication_effect *effect;

    assert(r->noop == 0);
    epochs_append(&r->epochs, 1, r->config.epoch);
    r->noop = r->epochs.last;
    effect = replication_persist(r, 0, r->noop, r->noop);
    effect->is_noop = true;
    effect->epoch = r->config.epoch;
}

/* Peers are the other replicas of the configuration; what is known of one that stays is kept. */
static void set_peers(struct replication *r, uint64_t now)
{
    struct nodeset all = nodeset_union(&r->config.isr, &r->config.replicas);
    uint64_t next = r->noop == 0 ? r->epochs.last + 1 : r->noop;
    uint32_t kept = 0;

    nodeset_remove(&all, r->node);
    for (uint32_t i = 0; i < r->peer_count; i++) {
        if (nodeset_has(&all, r->peers[i].node)) {
            nodeset_remove(&all, r->peers[i].node);
            r->peers[kept++] = r->peers[i];
        }
    }
    r->peer_count = kept;
    next = next > r->epochs.base ? next : r->epochs.base + 1;
    for (uint32_t i = 0; i < all.count; i++) {
        r->peers[r->peer_count++] = (struct replication_peer){.node = all.nodes[i],
                                                              .is_probing = true,
                                                              .next = next,
                                                              .acked_at = now,
                                                              .advanced_at = now};
    }
}

void replication_primary_begin(struct replication *r, uint64_t now)
{
    assert(r->role != REPLICATION_PRIMARY && r->peer_count == 0 && !r->is_leading);
    trace_note(r->trace, "epoch %" PRIu64 " names this process -> noop", r->config.epoch);
    r->role = REPLICATION_PRIMARY;
    r->noop = 0;
    r->sent_max = 0;
    r->tick_at = now;
    append_noop(r);
    set_peers(r, now);
    replication_primary_proceed(r, now);
}

void replication_primary_end(struct replication *r)
{
    assert(r->role == REPLICATION_PRIMARY);
    r->role = REPLICATION_BACKUP;
    r->is_leading = false;
    r->has_pending = false;
    r->handover = 0;
    r->peer_count = 0;
    r->noop = 0;
    replication_do(r, REPLICATION_DO_STOP)->epoch = r->config.epoch;
}

void replication_primary_adopt(struct replication *r, uint64_t now)
{
    /* A higher version: what was asked for under the one before is in force, or never will be. */
    r->has_pending = false;
    set_peers(r, now);
    replication_primary_proceed(r, now);
}

void replication_primary_local(struct replication *r, const struct replication_event *event)
{
    uint64_t before = r->epochs.last;

    assert(r->role == REPLICATION_PRIMARY && r->is_leading);
    assert(event->count > 0);
    epochs_append(&r->epochs, event->count, r->config.epoch);
    for (uint32_t i = 0; i < r->peer_count; i++) {
        if (r->peers[i].match == before) {
            r->peers[i].advanced_at = event->now; /* From now on it has something to do. */
        }
    }
    replication_persist(r, 0, before + 1, r->epochs.last)->epoch = r->config.epoch;
}

bool replication_primary_lost(struct replication *r, uint64_t last, uint64_t now)
{
    if (r->sent_max > last) {
        return false; /* It may be durable there, also where no replica is any more. */
    }
    assert(last >= r->commit);
    if (last < r->epochs.last) {
        epochs_truncate(&r->epochs, last + 1);
    }
    if (r->noop > last) {
        assert(!r->is_leading);
        r->noop = 0;
        r->noop_at = now + NOOP_RETRY_US;
    }
    for (uint32_t i = 0; i < r->peer_count; i++) {
        r->peers[i].next = r->peers[i].next <= last ? r->peers[i].next : last + 1;
    }
    return true;
}

/* ---- the in-sync set ---- */

static void alter(struct replication *r, uint64_t now)
{
    struct replication_effect *effect = replication_do(r, REPLICATION_DO_ALTER);

    effect->epoch = r->config.epoch;
    effect->cfgver = r->config.cfgver;
    effect->set = r->pending;
    memcpy(effect->boots, r->pending_boots, sizeof effect->boots);
    r->pending_at = now;
}

static void propose(struct replication *r, const struct nodeset *set, uint64_t now)
{
    assert(!r->has_pending && set->count > 0);
    r->has_pending = true;
    r->pending = *set;
    for (uint32_t i = 0; i < set->count; i++) {
        const struct replication_peer *peer = peer_of(r, set->nodes[i]);
        /* Those whose match it is that speaks for them: a repeat says the same, although another
         * boot may have been heard since. */
        r->pending_boots[i] = peer == NULL ? r->boot : peer->boot;
    }
    if (set->count < r->config.isr.count) {
        r->counters.shrinks++;
    } else {
        r->counters.grows++;
    }
    alter(r, now);
}

static void consider_grow(struct replication *r, uint64_t now)
{
    struct nodeset set = r->config.isr;

    if (r->has_pending || r->noop == 0 || r->config.cfgver == 0) {
        return;
    }
    for (uint32_t i = 0; i < r->peer_count; i++) {
        const struct replication_peer *peer = &r->peers[i];
        if (!peer->is_leaving && peer->match >= r->commit && peer->match >= r->noop &&
            now - peer->acked_at < r->timing.fresh_us) {
            (void)nodeset_add(&set, peer->node);
        }
    }
    if (set.count > r->config.isr.count) {
        propose(r, &set, now);
    }
}

static void consider_shrink(struct replication *r, uint64_t now)
{
    struct nodeset set = r->config.isr;

    for (uint32_t i = 0; i < r->peer_count; i++) {
        const struct replication_peer *peer = &r->peers[i];
        if (now - peer->acked_at > r->timing.silence_us ||
            (peer->match < r->epochs.last && now - peer->advanced_at > r->timing.silence_us)) {
            nodeset_remove(&set, peer->node);
        } else if (peer->is_leaving && set.count > r->config.min_insync) {
            nodeset_remove(&set, peer->node); /* Writes need not wait for its silence. */
        }
    }
    if (set.count < r->config.isr.count) {
        propose(r, &set, now);
    }
}

void replication_primary_tick(struct replication *r, uint64_t now)
{
    if (r->role != REPLICATION_PRIMARY) {
        return;
    }
    if (now - r->tick_at > r->timing.silence_us / 2) {
        /* This process slept; that nobody was heard says nothing of the others. */
        for (uint32_t i = 0; i < r->peer_count; i++) {
            r->peers[i].acked_at = now;
            r->peers[i].advanced_at = now;
        }
    }
    r->tick_at = now;
    if (r->noop == 0 && now >= r->noop_at) {
        append_noop(r);
    }
    if (!r->has_pending) {
        consider_shrink(r, now);
    } else if (now - r->pending_at >= r->timing.repeat_us) {
        alter(r, now);
    }
    consider_grow(r, now);
    replication_primary_proceed(r, now);
}

void replication_primary_handover(struct replication *r, const struct replication_event *event)
{
    if (!r->is_leading || event->from == r->node || !nodeset_has(&r->config.isr, event->from) ||
        r->handover == event->from) {
        return;
    }
    r->handover = event->from;
    r->handover_until = event->now + event->within_us;
    r->handover_at = 0;
    r->counters.handovers++;
    hand_over(r, event->now);
}

/* ---- answers ---- */

static void look_again(struct replication_peer *peer, uint64_t next, uint64_t now)
{
    peer->looked_at = now;
    peer->next = next;
    peer->is_probing = true;
    peer->sent_at = 0;
    peer->flight_count = 0;
    peer->flight_bytes = 0;
}

/* A replica that was started again may have lost what it said before, and what it said may still be
 * under way. Whoever is alive now cannot have answered an APPEND that was sent after this moment
 * under an earlier boot. */
static bool is_trusted(struct replication *r, struct replication_peer *peer,
                       const struct replication_event *event)
{
    if (event->ts < peer->trust_ts || event->ts > event->now) {
        return false;
    }
    if (peer->boot == 0) {
        peer->boot = event->boot;
    }
    if (peer->boot == event->boot) {
        return true;
    }
    trace_note(r->trace, "node %u has another boot id -> forget its match", peer->node);
    r->counters.restarts_seen++;
    peer->boot = event->boot;
    peer->is_leaving = false;
    peer->trust_ts = event->now;
    peer->match = 0;
    look_again(peer, r->epochs.last + 1, event->now);
    return false;
}

static void acknowledge(struct replication *r, struct replication_peer *peer, uint64_t match,
                        uint64_t now)
{
    uint32_t gone = 0;

    if (match > peer->match) {
        peer->match = match;
        peer->advanced_at = now;
    }
    if (peer->match == r->epochs.last) {
        peer->advanced_at = now;
    }
    while (gone < peer->flight_count && peer->flight[gone].to <= peer->match) {
        peer->flight_bytes -= peer->flight[gone++].bytes;
    }
    peer->flight_count -= gone;
    for (uint32_t i = 0; i < peer->flight_count; i++) {
        peer->flight[i] = peer->flight[gone + i];
    }
    peer->is_probing = false;
    peer->needs_snapshot = false;
    peer->next = peer->next > peer->match ? peer->next : peer->match + 1;
    peer->next = peer->next > r->epochs.base ? peer->next : r->epochs.base + 1;
}

void replication_primary_ack(struct replication *r, const struct replication_event *event)
{
    struct replication_peer *peer = peer_of(r, event->from);
    uint64_t lease = event->ts + replication_held_us(&r->timing);

    if (r->role != REPLICATION_PRIMARY || event->epoch != r->config.epoch || peer == NULL ||
        r->noop == 0) {
        return;
    }
    if (event->index > r->epochs.last) {
        r->counters.contradictions++;
        return;
    }
    if (!is_trusted(r, peer, event)) {
        return;
    }
    peer->acked_at = event->now;
    peer->lease_until = lease > peer->lease_until ? lease : peer->lease_until;
    peer->is_leaving = event->is_leaving;
    acknowledge(r, peer, event->index, event->now);
    replication_primary_proceed(r, event->now);
    if (peer->is_leaving && !r->has_pending) {
        consider_shrink(r, event->now);
    }
    consider_grow(r, event->now);
}

static void retreat(struct replication *r, struct replication_peer *peer, uint64_t hint,
                    uint64_t now)
{
    uint64_t base = r->epochs.base;

    hint = hint > peer->match ? hint : peer->match;
    if (hint >= base) {
        look_again(peer, hint + 1, now);
    } else if (peer->sent_prev == base && peer->sent_at != 0) {
        /* It has not even the last entry that was trimmed. */
        peer->needs_snapshot = true;
        r->counters.snapshots++;
        replication_do(r, REPLICATION_DO_SNAPSHOT)->node = peer->node;
    } else {
        /* A member of the ISR has it, although it may not know that it is committed. */
        look_again(peer, base + 1, now);
    }
}

void replication_primary_nack(struct replication *r, const struct replication_event *event)
{
    struct replication_peer *peer = peer_of(r, event->from);

    if (r->role != REPLICATION_PRIMARY) {
        return;
    }
    if (event->epoch > r->config.epoch) {
        trace_note(r->trace, "node %u is in epoch %" PRIu64 " -> stop", event->from, event->epoch);
        replication_primary_end(r);
        replication_promise(r, event->epoch);
        return;
    }
    if (event->epoch < r->config.epoch || peer == NULL || r->noop == 0 ||
        !is_trusted(r, peer, event)) {
        return;
    }
    if (event->ts >= peer->looked_at && event->index + 1 < peer->next) {
        retreat(r, peer, event->index, event->now);
    }
}

/* ---- sending ---- */

static bool is_due(const struct replication *r, const struct replication_peer *peer, uint64_t now)
{
    bool is_beat = peer->sent_at == 0 || now - peer->sent_at >= r->timing.heartbeat_us;

    if (peer->is_probing || peer->needs_snapshot) {
        return is_beat;
    }
    return is_beat ||
           (peer->next <= r->epochs.last && peer->flight_count < REPLICATION_IN_FLIGHT_MAX &&
            peer->flight_bytes < r->timing.window_bytes);
}

/* Entries that may go with it: up to *to, *bytes_max bytes. */
static void portion(const struct replication *r, const struct replication_peer *peer, uint64_t *to,
                    uint64_t *bytes_max)
{
    uint64_t last = r->epochs.last;

    *to = last;
    *bytes_max = r->timing.append_bytes;
    if (peer->needs_snapshot) {
        *to = r->epochs.base;
    } else if (peer->is_probing) {
        *to = last < peer->next + PROBE_ENTRIES - 1 ? last : peer->next + PROBE_ENTRIES - 1;
        *bytes_max = *bytes_max < PROBE_BYTES ? *bytes_max : PROBE_BYTES;
    } else if (peer->flight_count == REPLICATION_IN_FLIGHT_MAX ||
               peer->flight_bytes >= r->timing.window_bytes) {
        *to = peer->next - 1;
    } else if (*bytes_max > r->timing.window_bytes - peer->flight_bytes) {
        *bytes_max = r->timing.window_bytes - peer->flight_bytes;
    }
}

bool replication_send(const struct replication *r, uint64_t now, struct replication_send *send)
{
    assert(r != NULL && send != NULL);
    if (r->role != REPLICATION_PRIMARY || r->noop == 0 || replication_is_gated(r)) {
        return false;
    }
    for (uint32_t i = 0; i < r->peer_count; i++) {
        const struct replication_peer *peer = &r->peers[i];
        if (!is_due(r, peer, now)) {
            continue;
        }
        *send = (struct replication_send){.node = peer->node,
                                          .epoch = r->config.epoch,
                                          .cfgver = r->config.cfgver,
                                          .commit = r->commit,
                                          .ts = now};
        send->prev_index = peer->needs_snapshot ? r->epochs.base : peer->next - 1;
        send->prev_epoch = epochs_at(&r->epochs, send->prev_index);
        send->from = send->prev_index + 1;
        portion(r, peer, &send->to, &send->bytes_max);
        return true;
    }
    return false;
}

void replication_sent(struct replication *r, const struct replication_send *send, uint64_t to,
                      uint64_t bytes)
{
    struct replication_peer *peer;

    assert(r != NULL && send != NULL);
    assert(to + 1 >= send->from && to <= send->to);
    assert(to >= send->from || send->to < send->from);
    peer = peer_of(r, send->node);
    assert(peer != NULL && r->role == REPLICATION_PRIMARY);
    peer->sent_at = send->ts;
    peer->sent_prev = send->prev_index;
    if (to < send->from) {
        return;
    }
    if (peer->is_probing) {
        peer->flight_count = 0;
        peer->flight_bytes = 0;
    }
    assert(peer->flight_count < REPLICATION_IN_FLIGHT_MAX);
    peer->flight[peer->flight_count].to = to;
    peer->flight[peer->flight_count].bytes = bytes;
    peer->flight_count++;
    peer->flight_bytes += bytes;
    peer->next = to + 1;
    r->sent_max = to > r->sent_max ? to : r->sent_max;
}

/* ---- upkeep ---- */

uint64_t replication_keep(const struct replication *r)
{
    uint64_t keep = r->applied;

    assert(r != NULL);
    for (uint32_t i = 0; i < r->peer_count; i++) {
        const struct replication_peer *peer = &r->peers[i];
        if (!peer->needs_snapshot && peer->match < keep) {
            keep = peer->match;
        }
    }
    return (keep > r->epochs.base ? keep : r->epochs.base) + 1;
}

uint64_t replication_deadline(const struct replication *r)
{
    uint64_t deadline = UINT64_MAX;

    assert(r != NULL);
    if (r->role != REPLICATION_PRIMARY || r->must_reload) {
        return UINT64_MAX;
    }
    if (r->noop == 0) {
        deadline = r->noop_at;
    } else if (!r->is_leading && r->applied >= r->noop && is_enough(r)) {
        deadline = replication_backup_wait(r);
    }
    if (r->peer_count > 0 || r->handover != 0) {
        uint64_t tick = r->tick_at + r->timing.heartbeat_us;
        deadline = tick < deadline ? tick : deadline;
    }
    for (uint32_t i = 0; i < r->peer_count && !replication_is_gated(r); i++) {
        uint64_t beat = r->peers[i].sent_at + r->timing.heartbeat_us;
        deadline = beat < deadline ? beat : deadline;
    }
    return deadline;
}
