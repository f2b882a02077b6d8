#include "shardd/replica/participant.h"

#include "tests/lib/runner.h"

#include <stdarg.h>
#include <string.h>

/* A participant with a trace of its effects as text, one line an effect. */
struct fixture {
    struct participant core;
    struct participant_effects effects;
    struct bytes trace;
    uint64_t now_ms;
    uint64_t token;
};

static const char *const entry_names[] = {"",       "noop",  "txn1",  "prepare",
                                          "commit", "abort", "schema"};

static void note_effect(struct fixture *f, const struct participant_effect *effect)
{
    unsigned long long token = effect->token;

    switch (effect->kind) {
    case PARTICIPANT_DO_APPEND:
        bytes_format(&f->trace, "append %s %llu for %llu\n", entry_names[effect->entry],
                     (unsigned long long)effect->index, token);
        break;
    case PARTICIPANT_DO_ANSWER:
        bytes_format(&f->trace, "answer %llu %s", token,
                     effect->outcome == TXN_COMMITTED ? "yes" : error_name(effect->code));
        if (effect->index != 0) {
            bytes_format(&f->trace, " at %llu", (unsigned long long)effect->index);
        }
        bytes_format(&f->trace, "\n");
        break;
    case PARTICIPANT_DO_QUEUE:
        bytes_format(&f->trace, "queue %llu\n", token);
        break;
    case PARTICIPANT_DO_DROP:
        bytes_format(&f->trace, "drop %llu\n", token);
        break;
    case PARTICIPANT_DO_WAIT:
        bytes_format(&f->trace, "wait %llu until %llu\n", token,
                     (unsigned long long)effect->until_ms);
        break;
    case PARTICIPANT_DO_INQUIRE:
        bytes_format(&f->trace, "inquire %llu.%llu\n", (unsigned long long)effect->gtid.term,
                     (unsigned long long)effect->gtid.counter);
        break;
    }
}

static void feed(struct fixture *f, struct participant_event *event)
{
    event->now_ms = f->now_ms;
    participant_advance(&f->core, event, &f->effects);
    for (size_t i = 0; i < f->effects.count; i++) {
        note_effect(f, &f->effects.items[i]);
    }
}

/* Compares what happened since the last call. */
static void expect(struct fixture *f, const char *trace)
{
    bytes_u8(&f->trace, 0);
    ck_assert_str_eq((const char *)f->trace.data, trace);
    bytes_clear(&f->trace);
}

static void committed(struct fixture *f)
{
    feed(f, &(struct participant_event){.kind = PARTICIPANT_COMMITTED, .index = f->core.next - 1});
}

static void applied(struct fixture *f)
{
    feed(f, &(struct participant_event){.kind = PARTICIPANT_APPLIED, .index = f->core.next - 1});
}

static void start(struct fixture *f)
{
    *f = (struct fixture){.now_ms = 1000, .token = 1};
    bytes_init(&f->trace, 0);
    participant_init(&f->core, 1, 1);
}

static void stop(struct fixture *f)
{
    participant_close(&f->core);
    participant_effects_close(&f->effects);
    bytes_close(&f->trace);
}

/* "S5 U6 X7": locks; "r5": a read slot, as of read_index. */
struct work {
    struct lock_set locks;
    struct txn_readset readset;
};

static struct work work_of(uint64_t read_index, const char *text)
{
    struct work work = {.readset = {.first_index = read_index}};

    for (const char *at = text; *at != '\0'; at += strcspn(at, " "), at += *at == ' ') {
        uint16_t slot = (uint16_t)strtoul(at + 1, NULL, 10);
        if (*at == 'r') {
            txn_readset_add(&work.readset, slot);
        } else {
            lock_set_add(&work.locks, slot, *at == 'S' ? ITEM_S : *at == 'U' ? ITEM_U : ITEM_X);
        }
    }
    return work;
}

static void work_close(struct work *work)
{
    lock_set_close(&work->locks);
    txn_readset_close(&work->readset);
}

static uint64_t commit1(struct fixture *f, uint64_t seq, uint64_t read_index, const char *text)
{
    struct work work = work_of(read_index, text);

    feed(f, &(struct participant_event){.kind = PARTICIPANT_COMMIT1,
                                        .token = f->token++,
                                        .epoch = f->core.epoch,
                                        .sid = 1,
                                        .seq = seq,
                                        .readset = &work.readset,
                                        .locks = &work.locks});
    work_close(&work);
    return f->token - 1;
}

static void prepare(struct fixture *f, uint64_t counter, uint64_t read_index, const char *text)
{
    struct work work = work_of(read_index, text);

    feed(f, &(struct participant_event){.kind = PARTICIPANT_PREPARE,
                                        .token = f->token++,
                                        .epoch = f->core.epoch,
                                        .gtid = {1, counter},
                                        .readset = &work.readset,
                                        .locks = &work.locks});
    work_close(&work);
}

static void decide(struct fixture *f, uint64_t counter, bool is_commit)
{
    feed(f, &(struct participant_event){.kind = PARTICIPANT_DECIDE,
                                        .token = f->token++,
                                        .gtid = {1, counter},
                                        .is_commit = is_commit});
}

static void validate(struct fixture *f, uint64_t read_index, const char *text)
{
    struct work work = work_of(read_index, text);

    feed(f, &(struct participant_event){.kind = PARTICIPANT_VALIDATE,
                                        .token = f->token++,
                                        .epoch = f->core.epoch,
                                        .readset = &work.readset});
    work_close(&work);
}

static void read_at(struct fixture *f, uint64_t token, uint64_t since_ms, const char *text)
{
    struct work work = work_of(f->core.applied, text);

    feed(f, &(struct participant_event){.kind = PARTICIPANT_READ,
                                        .token = token,
                                        .since_ms = since_ms,
                                        .readset = &work.readset});
    work_close(&work);
}

START_TEST(one_phase_commit)
{
    struct fixture f;

    start(&f);
    commit1(&f, 1, 1, "r5 X5 U6");
    expect(&f, "append txn1 2 for 1\n");
    committed(&f);
    expect(&f, "");
    applied(&f);
    expect(&f, "answer 1 yes at 2\n");
    commit1(&f, 2, 1, "r5 X9");
    expect(&f, "answer 2 E_CONFLICT\n");
    commit1(&f, 3, 2, "r5 r6 X9");
    expect(&f, "append txn1 3 for 3\n");
    stop(&f);
}
END_TEST

START_TEST(conflict_with_unapplied_queues)
{
    struct fixture f;

    start(&f);
    commit1(&f, 1, 0, "X5");
    commit1(&f, 2, 0, "X5");
    commit1(&f, 3, 0, "U7");
    commit1(&f, 4, 0, "U7");
    commit1(&f, 5, 0, "S7");
    prepare(&f, 1, 1, "r5 X8");
    validate(&f, 1, "r7");
    expect(&f, "append txn1 2 for 1\nqueue 2\nappend txn1 3 for 3\nappend txn1 4 for 4\nqueue 5\n"
               "queue 6\nqueue 7\n");
    committed(&f);
    applied(&f);
    expect(&f, "answer 1 yes at 2\nanswer 3 yes at 3\nanswer 4 yes at 4\n");
    commit1(&f, 2, 0, "X5");
    prepare(&f, 1, 1, "r5 X8");
    expect(&f, "append txn1 5 for 8\nanswer 9 E_CONFLICT\n");
    stop(&f);
}
END_TEST

START_TEST(conflict_with_prepared_is_refused)
{
    struct fixture f;

    start(&f);
    prepare(&f, 1, 1, "r4 X5 U6");
    committed(&f);
    applied(&f);
    expect(&f, "append prepare 2 for 1\nanswer 1 yes at 2\n");
    commit1(&f, 1, 0, "S5");
    commit1(&f, 2, 0, "X4");
    commit1(&f, 3, 0, "U6");
    commit1(&f, 4, 1, "r6 X9");
    prepare(&f, 2, 0, "X6");
    prepare(&f, 3, 0, "U6");
    validate(&f, 1, "r5");
    validate(&f, 1, "r4");
    expect(&f, "answer 2 E_CONFLICT\nanswer 3 E_CONFLICT\nappend txn1 3 for 4\n"
               "answer 5 E_CONFLICT\nanswer 6 E_CONFLICT\nappend prepare 4 for 7\n"
               "answer 8 E_CONFLICT\nanswer 9 yes at 2\n");
    stop(&f);
}
END_TEST

START_TEST(two_phases)
{
    struct fixture f;

    start(&f);
    prepare(&f, 7, 0, "X5");
    committed(&f);
    applied(&f);
    prepare(&f, 7, 0, "X5"); /* Repeated: the same yes. */
    expect(&f, "append prepare 2 for 1\nanswer 1 yes at 2\nanswer 2 yes at 2\n");
    decide(&f, 7, true);
    decide(&f, 7, true);
    commit1(&f, 1, 0, "X5"); /* The lock is going away by itself. */
    expect(&f, "append commit 3 for 3\ndrop 4\nqueue 5\n");
    committed(&f);
    applied(&f);
    expect(&f, "answer 3 yes at 3\n");
    decide(&f, 7, true);
    prepare(&f, 7, 0, "X5");
    expect(&f, "answer 6 yes\ndrop 7\n");
    validate(&f, 2, "r5");
    validate(&f, 3, "r5");
    expect(&f, "answer 8 E_CONFLICT\nanswer 9 yes at 3\n");
    ck_assert_uint_eq(f.core.counters.contradictions, 0);
    decide(&f, 7, false);
    ck_assert_uint_eq(f.core.counters.contradictions, 1);
    stop(&f);
}
END_TEST

START_TEST(a_commit_of_what_was_never_prepared_was_answered_yes)
{
    struct fixture f;

    start(&f);
    decide(&f, 7, true);
    expect(&f, "answer 1 E_CORRUPT\n");
    ck_assert_uint_eq(f.core.counters.alarms, 1);
    /* An abort of it is fine, and one that comes after all others have heard, too. */
    decide(&f, 8, false);
    participant_load_watermark(&f.core, (struct txn_gtid){1, 7});
    decide(&f, 6, true);
    expect(&f, "answer 2 yes\nanswer 3 yes\n");
    ck_assert_uint_eq(f.core.counters.alarms, 1);
    stop(&f);
}
END_TEST

START_TEST(abort_leaves_no_trace)
{
    struct fixture f;

    start(&f);
    prepare(&f, 1, 0, "X5");
    decide(&f, 1, false); /* In the same batch: the yes is no longer wanted. */
    committed(&f);
    applied(&f);
    expect(&f, "append prepare 2 for 1\nappend abort 3 for 2\ndrop 1\nanswer 2 yes at 3\n");
    validate(&f, 1, "r5");
    expect(&f, "answer 3 yes at 3\n");
    /* An abort that overtakes its prepare keeps it out. */
    decide(&f, 2, false);
    prepare(&f, 2, 0, "X5");
    expect(&f, "answer 4 yes\ndrop 5\n");
    stop(&f);
}
END_TEST

START_TEST(watermark_forgets)
{
    struct fixture f;
    struct work work = work_of(0, "X5");

    start(&f);
    prepare(&f, 1, 0, "X5");
    decide(&f, 1, true);
    committed(&f);
    applied(&f);
    ck_assert_uint_eq(f.core.finished_count, 1);
    feed(&f, &(struct participant_event){.kind = PARTICIPANT_PREPARE,
                                         .token = 90,
                                         .epoch = 1,
                                         .gtid = {1, 9},
                                         .watermark = {1, 5},
                                         .readset = &work.readset,
                                         .locks = &work.locks});
    ck_assert_uint_eq(f.core.finished_count, 0);
    bytes_clear(&f.trace);
    prepare(&f, 1, 0, "X8");
    prepare(&f, 4, 0, "X8");
    expect(&f, "drop 3\ndrop 4\n");
    work_close(&work);
    stop(&f);
}
END_TEST

START_TEST(exactly_once)
{
    struct fixture f;
    struct work work = work_of(0, "X5");

    start(&f);
    commit1(&f, 1, 0, "X5");
    commit1(&f, 1, 0, "X5");
    expect(&f, "append txn1 2 for 1\ndrop 2\n");
    committed(&f);
    applied(&f);
    commit1(&f, 1, 0, "X5");
    expect(&f, "answer 1 yes at 2\nanswer 3 yes at 2\n");
    /* Refused, and still refused when the reason has gone. */
    prepare(&f, 1, 0, "X5");
    commit1(&f, 2, 0, "X5");
    decide(&f, 1, false);
    committed(&f);
    applied(&f);
    commit1(&f, 2, 0, "X5");
    expect(&f, "append prepare 3 for 4\nanswer 5 E_CONFLICT\nappend abort 4 for 6\ndrop 4\n"
               "answer 6 yes at 4\nanswer 7 E_CONFLICT\n");
    /* What the router has its answer for is forgotten, and a late copy dropped. */
    feed(&f, &(struct participant_event){.kind = PARTICIPANT_COMMIT1,
                                         .token = 80,
                                         .epoch = 1,
                                         .sid = 1,
                                         .seq = 3,
                                         .low_seq = 3,
                                         .readset = &work.readset,
                                         .locks = &work.locks});
    commit1(&f, 2, 0, "X5");
    expect(&f, "append txn1 5 for 80\ndrop 8\n");
    work_close(&work);
    stop(&f);
}
END_TEST

START_TEST(epochs_fence)
{
    struct fixture f;
    struct work work = work_of(0, "X5");
    struct participant_event event = {.kind = PARTICIPANT_COMMIT1,
                                      .token = 50,
                                      .epoch = 1,
                                      .sid = 1,
                                      .seq = 1,
                                      .readset = &work.readset,
                                      .locks = &work.locks};

    start(&f);
    f.core.epoch = 2;
    feed(&f, &event);
    expect(&f, "answer 50 E_WRONG_EPOCH\n");
    event.epoch = 3;
    event.seq = 2;
    feed(&f, &event);
    expect(&f, "drop 50\n");
    event.kind = PARTICIPANT_PREPARE;
    event.epoch = 1;
    event.gtid = (struct txn_gtid){1, 1};
    feed(&f, &event);
    expect(&f, "answer 50 E_WRONG_EPOCH\n");
    work_close(&work);
    stop(&f);
}
END_TEST

START_TEST(store_has_the_last_word)
{
    struct fixture f;
    struct work work = work_of(0, "X5");

    start(&f);
    feed(&f, &(struct participant_event){.kind = PARTICIPANT_COMMIT1,
                                         .token = 50,
                                         .epoch = 1,
                                         .sid = 1,
                                         .seq = 1,
                                         .readset = &work.readset,
                                         .locks = &work.locks,
                                         .check = E_EXISTS,
                                         .check_text = SLICE("vertex 1 exists")});
    expect(&f, "answer 50 E_EXISTS\n");
    work_close(&work);
    stop(&f);
}
END_TEST

START_TEST(disk_full_takes_everything_back)
{
    struct fixture f;

    start(&f);
    prepare(&f, 1, 0, "X3");
    committed(&f);
    applied(&f);
    commit1(&f, 1, 0, "X5");
    prepare(&f, 2, 0, "X6");
    decide(&f, 2, false);
    decide(&f, 1, true);
    bytes_clear(&f.trace);
    feed(&f, &(struct participant_event){.kind = PARTICIPANT_LOST, .index = 2, .check = E_LIMIT});
    expect(&f, "drop 5\ndrop 4\nanswer 3 E_LIMIT\nanswer 2 E_LIMIT\n");
    commit1(&f, 2, 0, "X5 X6");
    commit1(&f, 3, 0, "X3");
    decide(&f, 1, true);
    committed(&f);
    applied(&f);
    expect(&f, "append txn1 3 for 6\nanswer 7 E_CONFLICT\nappend commit 4 for 8\n"
               "answer 6 yes at 3\nanswer 8 yes at 4\n");
    stop(&f);
}
END_TEST

START_TEST(doubt_is_asked_about_and_never_decided_alone)
{
    struct fixture f;

    start(&f);
    prepare(&f, 1, 0, "X3");
    ck_assert_uint_eq(participant_deadline(&f.core), UINT64_MAX);
    committed(&f);
    applied(&f);
    bytes_clear(&f.trace);
    ck_assert_uint_eq(participant_deadline(&f.core), 1200);
    for (f.now_ms = 1100; f.now_ms <= 100000; f.now_ms += 100) {
        feed(&f, &(struct participant_event){.kind = PARTICIPANT_TIMEOUT});
        ck_assert_uint_eq(f.core.prepared_count, 1);
    }
    ck_assert_uint_eq(f.core.counters.inquiries, 495);
    stop(&f);
}
END_TEST

START_TEST(readers_wait_for_prepared)
{
    struct fixture f;

    start(&f);
    prepare(&f, 1, 0, "X3 S4");
    committed(&f);
    applied(&f);
    bytes_clear(&f.trace);
    read_at(&f, 70, 1000, "r4 r5");
    read_at(&f, 71, 1000, "r3");
    expect(&f, "answer 70 yes at 2\nwait 71 until 1050\n");
    ck_assert(participant_is_blocked(&f.core, 71));
    decide(&f, 1, true);
    committed(&f);
    applied(&f);
    bytes_clear(&f.trace);
    ck_assert(!participant_is_blocked(&f.core, 71));
    read_at(&f, 71, 1000, "r3");
    expect(&f, "answer 71 yes at 3\n");
    ck_assert_uint_eq(f.core.locks.claim_count, 0);
    prepare(&f, 2, 0, "X3");
    bytes_clear(&f.trace);
    f.now_ms = 1060;
    read_at(&f, 72, 1000, "r3");
    expect(&f, "answer 72 E_CONFLICT\n");
    stop(&f);
}
END_TEST

/* Prepares that overlap each other without end would starve a reader of the same slot. */
START_TEST(readers_are_not_starved)
{
    struct fixture f;

    start(&f);
    prepare(&f, 1, 0, "U3");
    read_at(&f, 70, 1000, "r3");
    prepare(&f, 2, 0, "U3");
    expect(&f, "append prepare 2 for 1\nwait 70 until 1050\nappend prepare 3 for 2\n");
    f.now_ms = 1025;
    prepare(&f, 3, 0, "U3");
    prepare(&f, 4, 0, "U4 S3");
    expect(&f, "answer 3 E_CONFLICT\nanswer 4 E_CONFLICT\n");
    f.now_ms = 1050; /* The claim is over. */
    prepare(&f, 5, 0, "U3");
    expect(&f, "append prepare 4 for 5\n");
    stop(&f);
}
END_TEST

START_TEST(restart_rebuilds_locks)
{
    struct fixture f = {.now_ms = 5000, .token = 1};
    struct lock_set locks = {0};

    bytes_init(&f.trace, 0);
    participant_init(&f.core, 4, 41);
    lock_set_add(&locks, 3, ITEM_X);
    participant_load_prepared(&f.core, 38, (struct txn_gtid){1, 7}, &locks);
    participant_load_finished(&f.core, (struct txn_gtid){1, 5}, true);
    participant_load_session(&f.core, 1, 9, 35);
    feed(&f, &(struct participant_event){.kind = PARTICIPANT_TIMEOUT});
    commit1(&f, 9, 0, "X1");
    commit1(&f, 10, 0, "X3");
    prepare(&f, 5, 0, "X1");
    prepare(&f, 7, 0, "X3");
    validate(&f, 40, "r20");
    validate(&f, 41, "r20");
    decide(&f, 7, true);
    committed(&f);
    applied(&f);
    expect(&f, "inquire 1.7\nanswer 1 yes at 35\nanswer 2 E_CONFLICT\n"
               "drop 3\nanswer 4 yes at 38\nanswer 5 E_CONFLICT\nanswer 6 yes at 41\n"
               "append commit 42 for 7\nanswer 7 yes at 42\n");
    stop(&f);
}
END_TEST

START_TEST(locks_merge)
{
    struct lock_set set = {0};

    for (uint32_t i = 0; i < 200000; i++) {
        lock_set_add(&set, (uint16_t)(i % 3000 * 7), i % 2 == 0 ? ITEM_U : ITEM_S);
    }
    lock_set_finish(&set);
    ck_assert_uint_eq(set.count, 3000);
    ck_assert_uint_le(set.room, 16384);
    lock_set_close(&set);
    lock_set_add(&set, 9, ITEM_S);
    lock_set_add(&set, 2, ITEM_U);
    lock_set_add(&set, 9, ITEM_U);
    lock_set_add(&set, 2, ITEM_U);
    lock_set_finish(&set);
    ck_assert_uint_eq(set.count, 2);
    ck_assert_uint_eq(set.items[0].slot, 2);
    ck_assert_uint_eq(set.items[0].mode, ITEM_U);
    ck_assert_uint_eq(set.items[1].mode, ITEM_X);
    lock_set_close(&set);
}
END_TEST

RUN_SUITE("participant", one_phase_commit, conflict_with_unapplied_queues,
          a_commit_of_what_was_never_prepared_was_answered_yes, conflict_with_prepared_is_refused,
          two_phases, abort_leaves_no_trace, watermark_forgets, exactly_once, epochs_fence,
          store_has_the_last_word, disk_full_takes_everything_back,
          doubt_is_asked_about_and_never_decided_alone, readers_wait_for_prepared,
          readers_are_not_starved, restart_rebuilds_locks, locks_merge)
