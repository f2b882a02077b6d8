#include "coordinator/consensus.h"
#include "coordinator/consensus_log.h"

#include "tests/lib/runner.h"
#include "tests/sim/vfs.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const uint32_t voters[] = {1};

struct fixture {
    char folder[64];
    char path[96];
    const char *vfs; /* Null: the default. */
    struct consensus *core;
    struct bytes snapshot;
    struct bytes applied; /* All commands, one after the other. */
    uint64_t now_ms;
};

static void open_again(struct fixture *f)
{
    struct error err = {0};
    struct consensus_options options = {.id = 1,
                                        .voters = voters,
                                        .voter_count = 1,
                                        .cluster_id = 7,
                                        .seed = 1,
                                        .path = f->path,
                                        .vfs = f->vfs,
                                        .is_sync = true,
                                        .election_ms = 300,
                                        .heartbeat_ms = 50};

    bytes_clear(&f->snapshot);
    bytes_clear(&f->applied);
    ck_assert_msg(consensus_open(&f->core, &options, &f->snapshot, &err) == E_OK, "%s", err.text);
    bytes_append(&f->applied, f->snapshot.data, f->snapshot.size);
}

static void start(struct fixture *f)
{
    *f = (struct fixture){.folder = "/tmp/cardea-consensus-XXXXXX", .now_ms = 1000};
    ck_assert_ptr_nonnull(mkdtemp(f->folder));
    snprintf(f->path, sizeof f->path, "%s/coordinator.db", f->folder);
    bytes_init(&f->snapshot, 0);
    bytes_init(&f->applied, 0);
    open_again(f);
}

static void stop(struct fixture *f)
{
    char name[128];

    consensus_close(&f->core);
    bytes_close(&f->snapshot);
    bytes_close(&f->applied);
    unlink(f->path);
    snprintf(name, sizeof name, "%s-wal", f->path);
    unlink(name);
    rmdir(f->folder);
}

static void turn(struct fixture *f)
{
    struct consensus_entry entry;
    struct error err = {0};

    f->now_ms += 10;
    ck_assert_msg(consensus_turn(f->core, f->now_ms, &err) == E_OK, "%s", err.text);
    while (consensus_next(f->core, &entry)) {
        bytes_append(&f->applied, entry.data.data, entry.data.size);
    }
}

static void lead(struct fixture *f)
{
    for (int i = 0; i < 200 && !consensus_is_ready(f->core); i++) {
        turn(f);
    }
    ck_assert(consensus_is_ready(f->core));
    ck_assert_uint_eq(consensus_leader(f->core), 1);
}

START_TEST(leads_and_applies_in_order)
{
    struct fixture f;

    start(&f);
    lead(&f);
    uint64_t first = consensus_submit(f.core, SLICE("a"));
    ck_assert_uint_eq(consensus_submit(f.core, SLICE("bc")), first + 1);
    ck_assert_uint_eq(consensus_deadline(f.core), 0);
    turn(&f);
    ck_assert(slice_equal(bytes_slice(&f.applied), SLICE("abc")));
    consensus_submit(f.core, SLICE("d"));
    turn(&f);
    ck_assert(slice_equal(bytes_slice(&f.applied), SLICE("abcd")));
    ck_assert_uint_gt(consensus_deadline(f.core), f.now_ms);
    stop(&f);
}
END_TEST

START_TEST(restart_gives_all_again_in_a_higher_term)
{
    struct fixture f;

    start(&f);
    lead(&f);
    consensus_submit(f.core, SLICE("abc"));
    turn(&f);
    uint64_t term = consensus_term(f.core);
    consensus_submit(f.core, SLICE("lost: never stepped"));
    consensus_close(&f.core);
    open_again(&f);
    lead(&f);
    ck_assert_uint_gt(consensus_term(f.core), term);
    ck_assert(slice_equal(bytes_slice(&f.applied), SLICE("abc")));
    stop(&f);
}
END_TEST

START_TEST(snapshot_and_log_give_the_same)
{
    struct fixture f;
    struct bytes all;
    struct error err = {0};

    start(&f);
    lead(&f);
    for (int i = 0; i < 3000; i++) {
        char text[16];
        snprintf(text, sizeof text, "%d,", i);
        consensus_submit(f.core, slice_text(text));
        if (i % 7 == 0) {
            turn(&f);
        }
        if (i % 500 == 499) {
            turn(&f);
            ck_assert_int_eq(consensus_snapshot(f.core, f.now_ms, bytes_slice(&f.applied), &err),
                             E_OK);
            ck_assert_uint_eq(consensus_since_snapshot(f.core), 0);
        }
        if (i % 900 == 899) {
            turn(&f);
            consensus_close(&f.core);
            open_again(&f);
            lead(&f);
        }
    }
    turn(&f);
    bytes_init(&all, 0);
    bytes_append(&all, f.applied.data, f.applied.size);
    consensus_close(&f.core);
    open_again(&f);
    ck_assert_uint_gt(f.snapshot.size, 0);
    lead(&f);
    ck_assert(slice_equal(bytes_slice(&all), bytes_slice(&f.applied)));
    bytes_close(&all);
    stop(&f);
}
END_TEST

START_TEST(file_of_another_cluster_is_refused)
{
    struct fixture f;
    struct consensus *other = NULL;
    struct error err = {0};

    start(&f);
    consensus_close(&f.core);
    struct consensus_options options = {.id = 1,
                                        .voters = voters,
                                        .voter_count = 1,
                                        .cluster_id = 8,
                                        .path = f.path,
                                        .election_ms = 300,
                                        .heartbeat_ms = 50};
    ck_assert_int_eq(consensus_open(&other, &options, &f.snapshot, &err), E_CONFIG);
    ck_assert_ptr_null(other);
    stop(&f);
}
END_TEST

static void add_size(void *ctx, uint64_t index, uint64_t term, int type, struct slice data)
{
    (void)term;
    (void)type;
    *(uint64_t *)ctx += index * 100 + data.size;
}

START_TEST(log_keeps_what_was_committed)
{
    struct fixture f;
    struct consensus_log log;
    struct consensus_log_start from;
    struct error err = {0};
    uint64_t sum = 0;

    start(&f);
    consensus_close(&f.core);
    unlink(f.path);
    ck_assert_int_eq(consensus_log_open(&log, f.path, NULL, 7, true, &err), E_OK);
    ck_assert_int_eq(consensus_log_vote(&log, 4, 1, &err), E_OK);
    for (uint64_t i = 1; i <= 6; i++) {
        ck_assert_int_eq(consensus_log_append(&log, i, 4, 1, SLICE("abc"), &err), E_OK);
    }
    ck_assert_int_eq(consensus_log_truncate(&log, 6, &err), E_OK);
    ck_assert_int_eq(consensus_log_save(&log, 4, 4, SLICE("state"), 2, &err), E_OK);
    ck_assert_int_eq(consensus_log_commit(&log, &err), E_OK);
    ck_assert_int_eq(consensus_log_append(&log, 6, 4, 1, SLICE("gone"), &err), E_OK);
    consensus_log_close(&log); /* Without a commit. */
    ck_assert_int_eq(consensus_log_open(&log, f.path, NULL, 7, true, &err), E_OK);
    ck_assert_int_eq(consensus_log_start(&log, &from, &err), E_OK);
    ck_assert_uint_eq(from.term, 4);
    ck_assert_uint_eq(from.vote, 1);
    ck_assert_uint_eq(from.snapshot_index, 4);
    ck_assert_uint_eq(from.entry_count, 3);
    ck_assert_int_eq(consensus_log_each(&log, add_size, &sum, &err), E_OK);
    ck_assert_uint_eq(sum, (3 + 4 + 5) * 100 + 9);
    bytes_clear(&f.snapshot);
    ck_assert_int_eq(consensus_log_snapshot(&log, &f.snapshot, &err), E_OK);
    ck_assert(slice_equal(bytes_slice(&f.snapshot), SLICE("state")));
    consensus_log_close(&log);
    stop(&f);
}
END_TEST

/* Submits twenty numbers, in the middle of which the disk finds no room once, at its n-th call from
 * now on. False: that was in a sync, of which nobody knows what it has written: fatal. */
static bool fill_up(struct fixture *f, struct vfs *vfs, uint64_t n, bool *was_full)
{
    struct consensus_entry entry;
    struct error err = {0};
    int rc = E_OK;

    vfs_fail(vfs, n, VFS_FULL);
    for (int i = 0; i < 20 && rc == E_OK; i++) {
        char text[16];
        snprintf(text, sizeof text, "%d,", i);
        ck_assert_uint_ne(consensus_submit(f->core, slice_text(text)), 0);
        f->now_ms += i < 19 ? 10 : 1000;
        rc = consensus_turn(f->core, f->now_ms, &err);
        *was_full |= consensus_is_full(f->core);
        while (rc == E_OK && consensus_next(f->core, &entry)) {
            bytes_append(&f->applied, entry.data.data, entry.data.size);
        }
        if (rc == E_OK && i == 12) {
            rc = consensus_snapshot(f->core, f->now_ms, bytes_slice(&f->applied), &err);
        }
    }
    ck_assert_msg(rc == E_OK || rc == E_IO, "%s", err.text);
    return rc == E_OK;
}

/* A full disk ended the coordinator. Whichever write it is that finds no room: what was submitted
 * is committed once, in order, when there is room; the file is whole at the next start. */
START_TEST(full_disk_is_waited_for)
{
    struct slice all = SLICE("0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,");
    bool was_full = false;
    int gone_on = 0;

    for (uint64_t n = 1; n < 60; n++) {
        struct fixture f = {.path = "coordinator.db", .vfs = "full", .now_ms = 1000};
        struct vfs *vfs = vfs_open("full", n, false);

        open_again(&f);
        lead(&f);
        bool has_gone_on = fill_up(&f, vfs, n, &was_full);
        gone_on += has_gone_on;
        ck_assert(!has_gone_on || slice_equal(bytes_slice(&f.applied), all));
        size_t least = f.applied.size;
        consensus_close(&f.core);
        open_again(&f);
        lead(&f);
        ck_assert_uint_ge(f.applied.size, least);
        ck_assert(slice_equal(bytes_slice(&f.applied), slice_of(all.data, f.applied.size)));
        consensus_close(&f.core);
        bytes_close(&f.snapshot);
        bytes_close(&f.applied);
        vfs_close(&vfs);
    }
    ck_assert(was_full);
    ck_assert_int_gt(gone_on, 20);
}
END_TEST

RUN_SUITE("consensus", log_keeps_what_was_committed, leads_and_applies_in_order,
          full_disk_is_waited_for, restart_gives_all_again_in_a_higher_term,
          snapshot_and_log_give_the_same, file_of_another_cluster_is_refused)
