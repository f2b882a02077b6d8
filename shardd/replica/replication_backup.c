/* A replica that follows: APPENDs, the leases it grants, what it tells the primary. */
#include "common/mutation.h"
#include "shardd/replica/replication_private.h"

#include <assert.h>
#include <inttypes.h>

enum { MILLION = 1000000 };

/* ---- leases ---- */

uint64_t replication_granted_us(const struct replication_timing *timing)
{
    return timing->lease_us + timing->lease_us * timing->drift_ppm / MILLION;
}

uint64_t replication_held_us(const struct replication_timing *timing)
{
    return timing->lease_us - timing->lease_us * timing->drift_ppm / MILLION;
}

static void grant(struct replication *r, const struct replication_event *event)
{
    uint64_t epoch = event->append->epoch;
    uint64_t until = event->now + replication_granted_us(&r->timing);

    if (epoch <= r->released) {
        return;
    }
    if (epoch > r->grant_epoch) {
        r->grant_before = r->grant_until > r->grant_before ? r->grant_until : r->grant_before;
        r->grant_epoch = epoch;
        r->grant_node = event->from;
        r->grant_until = 0;
    }
    r->grant_until = until > r->grant_until ? until : r->grant_until;
    r->has_granted = true;
}

uint64_t replication_backup_wait(const struct replication *r)
{
    return r->grant_until > r->grant_before ? r->grant_until : r->grant_before;
}

void replication_backup_release(struct replication *r, const struct replication_event *event)
{
    if (event->epoch != r->grant_epoch || event->from != r->grant_node) {
        return;
    }
    r->released = event->epoch; /* A late APPEND of that epoch grants nothing. */
    r->grant_until = 0;
    if (r->role == REPLICATION_PRIMARY) {
        replication_primary_proceed(r, event->now);
    }
}

/* ---- answers ---- */

static uint64_t match_of(const struct replication *r)
{
    uint64_t durable = mutation_is(MUTATION_REPLICATION_ACK_EARLY) ? r->epochs.last : r->durable;

    if (mutation_is(MUTATION_REPLICATION_ACK_UNVERIFIED)) {
        return durable;
    }
    return durable < r->verified ? durable : r->verified;
}

/* Nothing is said before the promise is durable. */
static void answer(struct replication *r)
{
    struct replication_effect *effect;

    if (replication_is_gated(r) || (!r->owes_nack && !r->owes_ack)) {
        return;
    }
    effect = replication_do(r, r->owes_nack ? REPLICATION_DO_NACK : REPLICATION_DO_ACK);
    effect->node = r->leader;
    effect->epoch = r->promised;
    effect->index = r->owes_nack ? r->nack_hint : match_of(r);
    effect->ts = r->leader_ts;
    r->owes_nack = false;
    r->owes_ack = false;
}

static void follow_commit(struct replication *r)
{
    uint64_t commit = r->durable < r->verified ? r->durable : r->verified;

    commit = commit < r->leader_commit ? commit : r->leader_commit;
    if (commit > r->commit) {
        replication_commit(r, commit);
    }
}

void replication_backup_durable(struct replication *r)
{
    if (r->leader == 0) {
        return;
    }
    r->owes_ack = !r->owes_nack;
    answer(r);
    follow_commit(r);
}

/* ---- APPEND ---- */

static bool is_in_form(const struct replication_append *append)
{
    uint64_t epoch = append->prev_epoch;

    if (append->epoch == 0 || append->prev_index > UINT64_MAX - append->count) {
        return false;
    }
    for (uint32_t i = 0; i < append->count; i++) {
        if (append->epochs[i] < epoch || append->epochs[i] == 0) {
            return false;
        }
        epoch = append->epochs[i];
    }
    return epoch <= append->epoch;
}

/* Who speaks for an epoch is told by its first word; returns false if that was another one. */
static bool follow(struct replication *r, const struct replication_event *event)
{
    uint64_t epoch = event->append->epoch;

    if (epoch > r->promised) {
        if (r->role == REPLICATION_PRIMARY) {
            replication_primary_end(r);
        }
        replication_promise(r, epoch);
    }
    if (epoch > r->config.epoch) {
        r->config = (struct replication_config){
            .epoch = epoch, .primary = event->from, .min_insync = r->config.min_insync};
    }
    if (r->role == REPLICATION_PRIMARY ||
        (epoch == r->config.epoch && r->config.primary != event->from)) {
        r->counters.contradictions++; /* I1 */
        return false;
    }
    return true;
}

/* The first entry of the message that is not here yet; index past the last one: all are. */
static uint64_t skip_known(struct replication *r, const struct replication_append *append)
{
    uint64_t index = append->prev_index + 1;

    for (uint32_t i = 0; i < append->count; i++, index++) {
        if (index <= r->epochs.base) {
            continue;
        }
        if (index > r->epochs.last || epochs_at(&r->epochs, index) != append->epochs[i]) {
            break;
        }
    }
    return index;
}

static void truncate(struct replication *r, uint64_t index)
{
    assert(index > r->commit);   /* I10: applied entries are below. */
    assert(index > r->verified); /* I2: the primary of an epoch does not change its mind. */
    trace_note(r->trace, "entry %" PRIu64 " is of another epoch -> truncate", index);
    r->counters.truncations++;
    epochs_truncate(&r->epochs, index);
    r->durable = r->durable < index ? r->durable : index - 1;
    for (size_t i = 0; i < r->persist_count; i++) {
        r->persists[i].last = r->persists[i].last < index ? r->persists[i].last : index - 1;
    }
}

/* Returns true if something is to be made durable. */
static bool take_entries(struct replication *r, const struct replication_append *append)
{
    uint64_t end = append->prev_index + append->count;
    uint64_t from = skip_known(r, append);
    uint64_t cut = 0;

    if (from <= end) {
        if (from <= r->epochs.last) {
            cut = from;
            truncate(r, from);
        }
        for (uint64_t index = from; index <= end; index++) {
            epochs_append(&r->epochs, 1, append->epochs[index - append->prev_index - 1]);
        }
        (void)replication_persist(r, cut, from, end);
    }
    r->verified = end > r->verified ? end : r->verified;
    /* What is committed is in the journal of every later primary. */
    r->verified = r->commit > r->verified ? r->commit : r->verified;
    return from <= end;
}

static bool has_prev(const struct replication *r, const struct replication_append *append)
{
    return append->prev_index <= r->commit ||
           (append->prev_index <= r->epochs.last &&
            epochs_at(&r->epochs, append->prev_index) == append->prev_epoch);
}

/* Where to look for agreement next: all of the epoch that differs is passed over at once. */
static uint64_t hint_of(const struct replication *r, uint64_t prev)
{
    uint64_t hint = prev > r->epochs.last ? r->epochs.last : epochs_first(&r->epochs, prev) - 1;

    return hint > r->commit ? hint : r->commit;
}

static void refuse_stale(struct replication *r, const struct replication_event *event)
{
    struct replication_effect *effect;

    if (replication_is_gated(r)) {
        return;
    }
    effect = replication_do(r, REPLICATION_DO_NACK);
    effect->node = event->from;
    effect->epoch = r->promised;
    effect->ts = event->append->ts;
}

void replication_backup_append(struct replication *r, const struct replication_event *event)
{
    const struct replication_append *append = event->append;

    assert(append != NULL && (append->count == 0 || append->epochs != NULL));
    if (!is_in_form(append) || event->from == r->node) {
        r->counters.contradictions++;
        return;
    }
    if (append->epoch < r->promised && !mutation_is(MUTATION_REPLICATION_NO_EPOCH_CHECK)) {
        refuse_stale(r, event);
        return;
    }
    if (!follow(r, event)) {
        return;
    }
    grant(r, event);
    r->leader = event->from;
    r->leader_ts = append->ts > r->leader_ts ? append->ts : r->leader_ts;
    r->leader_commit = append->commit > r->leader_commit ? append->commit : r->leader_commit;
    r->owes_nack = !has_prev(r, append);
    if (r->owes_nack) {
        r->nack_hint = hint_of(r, append->prev_index);
    } else if (!take_entries(r, append) || mutation_is(MUTATION_REPLICATION_ACK_EARLY)) {
        r->owes_ack = true; /* Else when they are durable. */
    }
    answer(r);
    follow_commit(r);
}
