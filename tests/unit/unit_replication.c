/* One replica's part in replication: what it does on each event, without a network. */
#include "shardd/replica/epochs.h"
#include "shardd/replica/replication.h"

#include "tests/lib/runner.h"

#include <stdlib.h>
#include <string.h>

enum { HOSTS = 3, SECOND = 1000000 };

/* Replicas on nodes 1, 2, 3, whose messages arrive at once and whose disk is instant, unless said
 * otherwise. */
struct host {
    struct replication core;
    bool is_down;      /* Neither hears nor speaks. */
    bool is_disk_slow; /* PERSISTs wait for disk_catches_up. */
    bool must_reload;
    uint64_t seq; /* Of the last PERSIST. */
    uint64_t led; /* Epochs of LEAD, STOP. */
    uint64_t stopped;
    uint32_t alters, snapshots, handovers;
    struct nodeset wished;
    uint64_t boots[NODESET_MAX]; /* Of the last ALTER. */
};

struct rig {
    struct host hosts[HOSTS];
    struct replication_config config;
    uint64_t now;
};

static void feed(struct rig *rig, uint32_t node, struct replication_event event);

static struct host *host_of(struct rig *rig, uint32_t node)
{
    ck_assert(node >= 1 && node <= HOSTS);
    return &rig->hosts[node - 1];
}

static void answer(struct rig *rig, uint32_t node, const struct replication_effect *effect)
{
    feed(rig, effect->node,
         (struct replication_event){.kind = effect->kind == REPLICATION_DO_ACK ? REPLICATION_ACK
                                                                               : REPLICATION_NACK,
                                    .from = node,
                                    .boot = host_of(rig, node)->core.boot,
                                    .epoch = effect->epoch,
                                    .index = effect->index,
                                    .ts = effect->ts});
}

static void carry(struct rig *rig, uint32_t node, const struct replication_effect *effect)
{
    struct host *host = host_of(rig, node);

    switch (effect->kind) {
    case REPLICATION_DO_STOP:
        host->stopped = effect->epoch;
        break;
    case REPLICATION_DO_PERSIST:
        host->seq = effect->seq;
        if (!host->is_disk_slow) {
            feed(rig, node,
                 (struct replication_event){.kind = REPLICATION_DURABLE, .seq = effect->seq});
        }
        break;
    case REPLICATION_DO_ACK:
    case REPLICATION_DO_NACK:
        answer(rig, node, effect);
        break;
    case REPLICATION_DO_COMMIT:
        feed(rig, node,
             (struct replication_event){.kind = REPLICATION_APPLIED, .index = effect->index});
        break;
    case REPLICATION_DO_ALTER:
        host->alters++;
        host->wished = effect->set;
        memcpy(host->boots, effect->boots, sizeof host->boots);
        break;
    case REPLICATION_DO_SNAPSHOT:
        host->snapshots++;
        break;
    case REPLICATION_DO_LEAD:
        host->led = effect->epoch;
        break;
    case REPLICATION_DO_HANDOVER:
        host->handovers++;
        break;
    case REPLICATION_DO_RELEASE:
        feed(rig, effect->node,
             (struct replication_event){
                 .kind = REPLICATION_RELEASE, .from = node, .epoch = effect->epoch});
        break;
    case REPLICATION_DO_RELOAD:
        host->must_reload = true;
        break;
    }
}

static void deliver(struct rig *rig, uint32_t from, const struct replication_send *send,
                    uint64_t to)
{
    const struct epochs *epochs = &host_of(rig, from)->core.epochs;
    uint64_t list[64];
    struct replication_append append = {.epoch = send->epoch,
                                        .prev_index = send->prev_index,
                                        .prev_epoch = send->prev_epoch,
                                        .epochs = list,
                                        .commit = send->commit,
                                        .ts = send->ts};

    for (uint64_t index = send->from; index <= to; index++) {
        list[append.count++] = epochs_at(epochs, index);
    }
    feed(rig, send->node,
         (struct replication_event){.kind = REPLICATION_APPEND, .from = from, .append = &append});
}

static void feed(struct rig *rig, uint32_t node, struct replication_event event)
{
    struct host *host = host_of(rig, node);
    struct replication_effects effects = {0};
    struct replication_send send;

    if (host->is_down || host->core.boot == 0) {
        return;
    }
    event.now = rig->now;
    replication_advance(&host->core, &event, &effects);
    for (size_t i = 0; i < effects.count; i++) {
        carry(rig, node, &effects.items[i]);
    }
    replication_effects_close(&effects);
    while (replication_send(&host->core, rig->now, &send)) {
        uint64_t to = send.to < send.from + 15 ? send.to : send.from + 15;
        replication_sent(&host->core, &send, to, (to + 1 - send.from) * 100);
        deliver(rig, node, &send, to);
    }
}

static void tick(struct rig *rig, uint64_t us)
{
    for (uint64_t passed = 0; passed < us; passed += 10000) {
        rig->now += 10000;
        for (uint32_t node = 1; node <= HOSTS; node++) {
            feed(rig, node, (struct replication_event){.kind = REPLICATION_TICK});
        }
    }
}

static void start(struct rig *rig, uint32_t node, uint64_t boot)
{
    struct replication_start begin = {
        .node = node, .boot = boot, .now = rig->now, .timing = replication_timing_default()};

    replication_init(&host_of(rig, node)->core, &begin);
}

/* Ends a process and starts it again, with what it had made durable. */
static void restart(struct rig *rig, uint32_t node, uint64_t boot)
{
    struct host *host = host_of(rig, node);
    struct replication old = host->core;
    struct replication_start begin = {.node = node,
                                      .boot = boot,
                                      .now = rig->now,
                                      .promised = old.promised,
                                      .base = old.epochs.base,
                                      .base_epoch = epochs_at(&old.epochs, old.epochs.base),
                                      .applied = old.applied,
                                      .has_granted = old.has_granted,
                                      .timing = old.timing};

    replication_init(&host->core, &begin);
    for (uint64_t i = old.epochs.base + 1; i <= old.durable; i++) {
        replication_load(&host->core, 1, epochs_at(&old.epochs, i));
    }
    replication_close(&old);
}

static void tell(struct rig *rig)
{
    for (uint32_t node = 1; node <= HOSTS; node++) {
        feed(rig, node,
             (struct replication_event){.kind = REPLICATION_CONFIG, .config = &rig->config});
    }
}

static struct rig *rig_new(uint32_t isr, uint32_t min_insync)
{
    struct rig *rig = calloc(1, sizeof *rig);

    ck_assert_ptr_nonnull(rig);
    rig->now = SECOND;
    for (uint32_t node = 1; node <= isr; node++) {
        start(rig, node, 100 + node);
        (void)nodeset_add(&rig->config.isr, node);
    }
    rig->config.replicas = rig->config.isr;
    rig->config.epoch = 1;
    rig->config.cfgver = 1;
    rig->config.primary = 1;
    rig->config.primary_boot = 101;
    rig->config.min_insync = min_insync;
    return rig;
}

static void rig_free(struct rig *rig)
{
    for (uint32_t node = 1; node <= HOSTS; node++) {
        replication_close(&host_of(rig, node)->core);
    }
    free(rig);
}

static void local(struct rig *rig, uint32_t node, uint32_t count)
{
    ck_assert(replication_may_write(&host_of(rig, node)->core, rig->now));
    feed(rig, node, (struct replication_event){.kind = REPLICATION_LOCAL, .count = count});
}

static void elect(struct rig *rig, uint32_t node)
{
    rig->config.epoch++;
    rig->config.cfgver++;
    rig->config.primary = node;
    rig->config.primary_boot = host_of(rig, node)->core.boot;
}

START_TEST(epochs_survive_truncation_and_trimming)
{
    struct epochs epochs;

    epochs_init(&epochs, 0, 0);
    ck_assert_uint_eq(epochs_at(&epochs, 0), 0);
    epochs_append(&epochs, 3, 5);
    epochs_append(&epochs, 2, 7);
    epochs_append(&epochs, 1, 9);
    ck_assert_uint_eq(epochs.last, 6);
    ck_assert_uint_eq(epochs_at(&epochs, 3), 5);
    ck_assert_uint_eq(epochs_at(&epochs, 4), 7);
    ck_assert_uint_eq(epochs_first(&epochs, 5), 4);
    epochs_trim(&epochs, 4);
    ck_assert_uint_eq(epochs_at(&epochs, 4), 7);
    ck_assert_uint_eq(epochs_first(&epochs, 5), 4);
    epochs_truncate(&epochs, 6);
    ck_assert_uint_eq(epochs.last, 5);
    epochs_truncate(&epochs, 5);
    epochs_append(&epochs, 2, 8);
    ck_assert_uint_eq(epochs_at(&epochs, 4), 7);
    ck_assert_uint_eq(epochs_at(&epochs, 6), 8);
    epochs_trim(&epochs, 6);
    ck_assert_uint_eq(epochs_at(&epochs, 6), 8);
    ck_assert_uint_eq(epochs.count, 1);
    epochs_close(&epochs);
}
END_TEST

START_TEST(one_replica_commits_what_is_durable)
{
    struct rig *rig = rig_new(1, 1);
    struct host *host = host_of(rig, 1);

    tell(rig);
    ck_assert_uint_eq(host->led, 1);
    ck_assert(replication_may_read(&host->core, rig->now));
    local(rig, 1, 3);
    ck_assert_uint_eq(host->core.commit, 4);
    host->is_disk_slow = true;
    local(rig, 1, 2);
    ck_assert_uint_eq(host->core.commit, 4);
    feed(rig, 1, (struct replication_event){.kind = REPLICATION_DURABLE, .seq = host->seq});
    ck_assert_uint_eq(host->core.commit, 6);
    ck_assert_uint_eq(replication_deadline(&host->core), UINT64_MAX);
    rig_free(rig);
}
END_TEST

START_TEST(two_replicas_commit_what_both_have)
{
    struct rig *rig = rig_new(2, 2);
    struct host *primary = host_of(rig, 1);
    struct host *backup = host_of(rig, 2);

    tell(rig);
    tick(rig, 60000);
    ck_assert_uint_eq(primary->led, 1);
    backup->is_disk_slow = true;
    local(rig, 1, 40);
    ck_assert_uint_eq(backup->core.epochs.last, 41);
    ck_assert_uint_eq(primary->core.commit, 1);
    feed(rig, 2, (struct replication_event){.kind = REPLICATION_DURABLE, .seq = backup->seq});
    ck_assert_uint_eq(primary->core.commit, 41);
    backup->is_disk_slow = false;
    tick(rig, 60000);
    ck_assert_uint_eq(backup->core.applied, 41);
    rig_free(rig);
}
END_TEST

START_TEST(a_silent_member_is_asked_out_and_still_counts)
{
    struct rig *rig = rig_new(2, 1);
    struct host *primary = host_of(rig, 1);

    tell(rig);
    tick(rig, 60000);
    host_of(rig, 2)->is_down = true;
    local(rig, 1, 1);
    tick(rig, 600000);
    ck_assert_uint_ge(primary->alters, 1);
    ck_assert_uint_eq(primary->wished.count, 1);
    ck_assert_uint_eq(primary->core.commit, 1);
    ck_assert(!replication_may_read(&primary->core, rig->now));
    uint32_t asked = primary->alters;
    tick(rig, SECOND);
    ck_assert_uint_gt(primary->alters, asked);
    rig->config.cfgver++;
    nodeset_remove(&rig->config.isr, 2);
    tell(rig);
    ck_assert_uint_eq(primary->core.commit, 2);
    ck_assert(replication_may_read(&primary->core, rig->now));
    host_of(rig, 2)->is_down = false;
    tick(rig, 200000);
    ck_assert_uint_eq(primary->wished.count, 2);
    rig_free(rig);
}
END_TEST

START_TEST(a_stuck_disk_is_not_in_sync)
{
    struct rig *rig = rig_new(2, 1);
    struct host *primary = host_of(rig, 1);

    tell(rig);
    tick(rig, 60000);
    host_of(rig, 2)->is_disk_slow = true;
    local(rig, 1, 1);
    tick(rig, 400000);
    ck_assert_uint_eq(primary->alters, 0);
    ck_assert(replication_may_read(&primary->core, rig->now));
    tick(rig, 200000);
    ck_assert_uint_ge(primary->alters, 1);
    ck_assert_uint_eq(primary->wished.count, 1);
    rig_free(rig);
}
END_TEST

START_TEST(the_new_primary_waits_out_the_lease_it_granted)
{
    struct rig *rig = rig_new(2, 1);

    tell(rig);
    tick(rig, 60000);
    local(rig, 1, 5);
    host_of(rig, 1)->is_down = true;
    elect(rig, 2);
    nodeset_remove(&rig->config.isr, 1);
    tell(rig);
    ck_assert_uint_eq(host_of(rig, 2)->core.commit, 7);
    ck_assert_uint_eq(host_of(rig, 2)->led, 0);
    tick(rig, 300000);
    ck_assert_uint_eq(host_of(rig, 2)->led, 0);
    tick(rig, 200000);
    ck_assert_uint_eq(host_of(rig, 2)->led, 2);
    rig_free(rig);
}
END_TEST

START_TEST(what_only_the_old_primary_had_is_truncated)
{
    struct rig *rig = rig_new(2, 1);
    struct host *old = host_of(rig, 1);

    tell(rig);
    tick(rig, 60000);
    host_of(rig, 2)->is_down = true;
    local(rig, 1, 30);
    host_of(rig, 2)->is_down = false;
    old->is_down = true;
    elect(rig, 2);
    nodeset_remove(&rig->config.isr, 1);
    tell(rig);
    tick(rig, SECOND);
    local(rig, 2, 3);
    old->is_down = false;
    tick(rig, 200000);
    ck_assert_uint_eq(old->stopped, 1);
    ck_assert_uint_eq(old->core.counters.truncations, 1);
    ck_assert_uint_eq(old->core.epochs.last, 5);
    ck_assert_uint_eq(old->core.commit, 5);
    ck_assert_uint_eq(host_of(rig, 2)->wished.count, 2);
    rig_free(rig);
}
END_TEST

START_TEST(a_process_started_again_does_not_lead_on)
{
    struct rig *rig = rig_new(2, 1);

    tell(rig);
    tick(rig, 60000);
    restart(rig, 1, 201);
    tell(rig);
    tick(rig, SECOND);
    ck_assert_int_eq(host_of(rig, 1)->core.role, REPLICATION_NONE);
    /* Nor does a caller that gives it the same boot id. */
    restart(rig, 1, 101);
    tell(rig);
    ck_assert_int_eq(host_of(rig, 1)->core.role, REPLICATION_NONE);
    elect(rig, 1);
    tell(rig);
    tick(rig, SECOND);
    ck_assert_uint_eq(host_of(rig, 1)->led, 2);
    rig_free(rig);
}
END_TEST

START_TEST(a_trimmed_tail_needs_a_snapshot)
{
    struct rig *rig = rig_new(2, 1);
    struct host *learner = host_of(rig, 3);

    tell(rig);
    tick(rig, 60000);
    local(rig, 1, 50);
    feed(rig, 1, (struct replication_event){.kind = REPLICATION_TRIMMED, .index = 40});
    start(rig, 3, 103);
    rig->config.cfgver++;
    (void)nodeset_add(&rig->config.replicas, 3);
    tell(rig);
    tick(rig, 200000);
    ck_assert_uint_ge(host_of(rig, 1)->snapshots, 1);
    ck_assert_uint_eq(learner->core.epochs.last, 0);
    feed(rig, 3,
         (struct replication_event){.kind = REPLICATION_INSTALLED, .index = 45, .epoch = 1});
    tick(rig, 200000);
    ck_assert_uint_eq(learner->core.commit, 51);
    ck_assert(nodeset_has(&host_of(rig, 1)->wished, 3));
    rig_free(rig);
}
END_TEST

START_TEST(a_member_that_knows_of_fewer_commits_than_were_trimmed_needs_none)
{
    struct rig *rig = rig_new(2, 1);

    tell(rig);
    tick(rig, 60000);
    local(rig, 1, 10);
    /* It has all of them, and was told of one commit. */
    ck_assert_uint_eq(host_of(rig, 2)->core.commit, 1);
    feed(rig, 1, (struct replication_event){.kind = REPLICATION_TRIMMED, .index = 8});
    host_of(rig, 2)->core.verified = 0;
    elect(rig, 1);
    tell(rig);
    tick(rig, 200000);
    ck_assert_uint_eq(host_of(rig, 1)->snapshots, 0);
    ck_assert_uint_eq(host_of(rig, 1)->led, 2);
    rig_free(rig);
}
END_TEST

START_TEST(a_handover_takes_no_lease_time)
{
    struct rig *rig = rig_new(2, 2);

    tell(rig);
    tick(rig, 60000);
    local(rig, 1, 5);
    feed(rig, 1,
         (struct replication_event){.kind = REPLICATION_HANDOVER, .from = 2, .within_us = SECOND});
    ck_assert(!replication_may_write(&host_of(rig, 1)->core, rig->now));
    ck_assert_uint_eq(host_of(rig, 1)->handovers, 1);
    elect(rig, 2);
    tell(rig);
    tick(rig, 20000);
    ck_assert_uint_eq(host_of(rig, 1)->stopped, 1);
    ck_assert_uint_eq(host_of(rig, 2)->led, 2);
    rig_free(rig);
}
END_TEST

START_TEST(a_handover_that_is_not_decided_is_given_up)
{
    struct rig *rig = rig_new(2, 2);

    tell(rig);
    tick(rig, 60000);
    feed(rig, 1,
         (struct replication_event){.kind = REPLICATION_HANDOVER, .from = 2, .within_us = SECOND});
    tick(rig, 900000);
    ck_assert_uint_ge(host_of(rig, 1)->handovers, 4);
    ck_assert(!replication_may_write(&host_of(rig, 1)->core, rig->now));
    tick(rig, 200000);
    ck_assert(replication_may_write(&host_of(rig, 1)->core, rig->now));
    rig_free(rig);
}
END_TEST

START_TEST(a_full_disk_takes_back_what_was_not_sent)
{
    struct rig *rig = rig_new(1, 1);
    struct host *host = host_of(rig, 1);

    tell(rig);
    host->is_disk_slow = true;
    local(rig, 1, 3);
    feed(rig, 1, (struct replication_event){.kind = REPLICATION_LOST, .seq = host->seq});
    ck_assert_uint_eq(host->core.epochs.last, 1);
    ck_assert(!host->must_reload);
    host->is_disk_slow = false;
    local(rig, 1, 2);
    ck_assert_uint_eq(host->core.commit, 3);
    rig_free(rig);
}
END_TEST

START_TEST(a_full_disk_ends_a_primary_that_has_sent)
{
    struct rig *rig = rig_new(2, 1);
    struct host *host = host_of(rig, 1);

    tell(rig);
    tick(rig, 60000);
    host->is_disk_slow = true;
    local(rig, 1, 3);
    feed(rig, 1, (struct replication_event){.kind = REPLICATION_LOST, .seq = host->seq});
    ck_assert(host->must_reload);
    ck_assert_uint_eq(host->stopped, 1);
    rig_free(rig);
}
END_TEST

/* The simulator's seed 25611: a replica that was taken out came back with what it had been sent. */
START_TEST(what_was_sent_to_a_replica_that_left_is_not_taken_back)
{
    struct rig *rig = rig_new(2, 1);
    struct host *host = host_of(rig, 1);

    start(rig, 3, 103);
    (void)nodeset_add(&rig->config.replicas, 3);
    tell(rig);
    tick(rig, 60000);
    host_of(rig, 2)->is_down = true;
    host->is_disk_slow = true;
    local(rig, 1, 3);
    ck_assert_uint_eq(host_of(rig, 3)->core.epochs.last, 4);
    rig->config.cfgver++;
    nodeset_remove(&rig->config.isr, 2);
    nodeset_remove(&rig->config.isr, 3);
    rig->config.replicas = nodeset_of(1);
    tell(rig);
    feed(rig, 1, (struct replication_event){.kind = REPLICATION_LOST, .seq = host->seq});
    ck_assert(host->must_reload);
    rig_free(rig);
}
END_TEST

START_TEST(an_answer_of_an_earlier_boot_says_nothing)
{
    struct rig *rig = rig_new(2, 1);
    struct host *primary = host_of(rig, 1);
    uint64_t before;

    tell(rig);
    tick(rig, 60000);
    local(rig, 1, 5);
    before = rig->now;
    /* Its disk was lost, and it starts anew. */
    replication_close(&host_of(rig, 2)->core);
    start(rig, 2, 202);
    host_of(rig, 2)->is_down = true;
    tick(rig, 10000);
    feed(rig, 1,
         (struct replication_event){.kind = REPLICATION_ACK,
                                    .from = 2,
                                    .boot = 202,
                                    .epoch = 1,
                                    .index = 0,
                                    .ts = rig->now});
    ck_assert_uint_eq(primary->core.counters.restarts_seen, 1);
    ck_assert_uint_eq(primary->core.peers[0].match, 0);
    feed(
        rig, 1,
        (struct replication_event){
            .kind = REPLICATION_ACK, .from = 2, .boot = 102, .epoch = 1, .index = 6, .ts = before});
    ck_assert_uint_eq(primary->core.peers[0].match, 0);
    host_of(rig, 2)->is_down = false;
    tick(rig, 200000);
    ck_assert_uint_eq(host_of(rig, 2)->core.commit, 6);
    rig_free(rig);
}
END_TEST

/* The simulator's seed 12547: a disk was lost after the ALTER that its answers had led to. */
START_TEST(a_repeated_alter_names_the_boots_it_was_made_for)
{
    struct rig *rig = rig_new(2, 1);
    struct host *primary = host_of(rig, 1);

    nodeset_remove(&rig->config.isr, 2);
    tell(rig);
    tick(rig, 100000);
    ck_assert(nodeset_has(&primary->wished, 2));
    ck_assert_uint_eq(primary->boots[1], 102);
    replication_close(&host_of(rig, 2)->core);
    start(rig, 2, 202);
    host_of(rig, 2)->is_down = true;
    feed(rig, 1,
         (struct replication_event){
             .kind = REPLICATION_ACK, .from = 2, .boot = 202, .epoch = 1, .ts = rig->now});
    ck_assert_uint_eq(primary->core.peers[0].boot, 202);
    uint32_t asked = primary->alters;
    tick(rig, 300000);
    ck_assert_uint_gt(primary->alters, asked);
    ck_assert_uint_eq(primary->boots[1], 102);
    rig->config.cfgver++;
    tell(rig);
    ck_assert(!primary->core.has_pending);
    rig_free(rig);
}
END_TEST

START_TEST(who_says_that_it_ends_is_not_waited_for)
{
    struct rig *rig = rig_new(2, 1);
    struct host *primary = host_of(rig, 1);
    struct replication_event ack = {
        .kind = REPLICATION_ACK, .from = 2, .boot = 102, .epoch = 1, .is_leaving = true};

    tell(rig);
    tick(rig, 100000);
    ack.index = primary->core.epochs.last;
    ack.ts = rig->now;
    feed(rig, 1, ack);
    ck_assert(primary->core.has_pending);
    ck_assert_uint_eq(primary->wished.count, 1);
    rig->config.cfgver++;
    nodeset_remove(&rig->config.isr, 2);
    tell(rig);
    /* It is up to date and heard, and is not asked in again until its next boot. */
    ack.ts = rig->now;
    feed(rig, 1, ack);
    ck_assert(!primary->core.has_pending);
    rig_free(rig);
}
END_TEST

/* Below min_insync nothing would be written: rather wait for it. */
START_TEST(who_ends_stays_where_min_insync_needs_it)
{
    struct rig *rig = rig_new(2, 2);

    tell(rig);
    tick(rig, 100000);
    feed(rig, 1,
         (struct replication_event){.kind = REPLICATION_ACK,
                                    .from = 2,
                                    .boot = 102,
                                    .epoch = 1,
                                    .index = host_of(rig, 1)->core.epochs.last,
                                    .ts = rig->now,
                                    .is_leaving = true});
    ck_assert(!host_of(rig, 1)->core.has_pending);
    rig_free(rig);
}
END_TEST

RUN_SUITE("replication", who_says_that_it_ends_is_not_waited_for,
          who_ends_stays_where_min_insync_needs_it,
          what_was_sent_to_a_replica_that_left_is_not_taken_back,
          a_repeated_alter_names_the_boots_it_was_made_for, epochs_survive_truncation_and_trimming,
          one_replica_commits_what_is_durable, two_replicas_commit_what_both_have,
          a_silent_member_is_asked_out_and_still_counts, a_stuck_disk_is_not_in_sync,
          the_new_primary_waits_out_the_lease_it_granted,
          what_only_the_old_primary_had_is_truncated, a_process_started_again_does_not_lead_on,
          a_trimmed_tail_needs_a_snapshot,
          a_member_that_knows_of_fewer_commits_than_were_trimmed_needs_none,
          a_handover_takes_no_lease_time, a_handover_that_is_not_decided_is_given_up,
          a_full_disk_takes_back_what_was_not_sent, a_full_disk_ends_a_primary_that_has_sent,
          an_answer_of_an_earlier_boot_says_nothing)
