#include "shardd/store/snapshot.h"

#include "common/crc.h"
#include "shardd/store/storefile.h"
#include "tests/lib/runner.h"
#include "tests/lib/storefix.h"

#include <stdio.h>

/* A shard's file that goes to another node while it is written to. */

enum { CHUNK = 64 << 10 };

struct copying {
    struct storefix fix;
    struct snapshot *snapshot;
    struct snapshot_target *incoming;
    char copy[128], target[128];
    struct bytes chunk;
};

static void add_vertices(struct storefix *fix, int64_t from, int64_t to)
{
    for (int64_t v = from; v < to; v++) {
        storefix_vertex(fix, v, "v");
        if (v > 0) {
            storefix_edge(fix, 100000 + v, v - 1, v, "e");
        }
        if (v % 50 == 49) {
            storefix_commit(fix);
        }
    }
    storefix_commit(fix);
}

static void start(struct copying *c)
{
    *c = (struct copying){0};
    storefix_open(&c->fix);
    bytes_init(&c->chunk, 0);
    snprintf(c->copy, sizeof c->copy, "%s.copy", c->fix.path);
    snprintf(c->target, sizeof c->target, "%s-2", c->fix.path);
    add_vertices(&c->fix, 0, 3000);
    ck_assert_int_eq(snapshot_open(&c->snapshot, c->fix.store, c->copy, &c->fix.err), E_OK);
}

static void finish_copy(struct copying *c)
{
    bool is_done = false;

    while (!is_done) {
        int rc = snapshot_step(c->snapshot, 8, &is_done, &c->fix.err);
        ck_assert_msg(rc == E_OK, "%s", c->fix.err.text);
    }
}

static void send(struct copying *c, uint64_t upto)
{
    for (uint64_t at = snapshot_target_offset(c->incoming); at < upto; at += CHUNK) {
        bytes_clear(&c->chunk);
        ck_assert_int_eq(snapshot_read(c->snapshot, at, CHUNK, &c->chunk, &c->fix.err), E_OK);
        uint32_t crc = crc_extend(0, c->chunk.data, c->chunk.size);
        ck_assert_int_eq(
            snapshot_target_write(c->incoming, bytes_slice(&c->chunk), crc, &c->fix.err), E_OK);
    }
}

static void receive(struct copying *c)
{
    int rc = snapshot_target_open(&c->incoming, NULL, c->target, snapshot_size(c->snapshot),
                                  &c->fix.err);

    ck_assert_msg(rc == E_OK, "%s", c->fix.err.text);
    ck_assert(snapshot_is_half(NULL, c->target));
}

static void on_fault(void *ctx, const char *what)
{
    (void)ctx;
    ck_abort_msg("%s", what);
}

static void stop(struct copying *c)
{
    snapshot_close(&c->snapshot);
    snapshot_target_close(&c->incoming);
    ck_assert(!storefile_exists(NULL, c->copy));
    ck_assert_int_eq(storefile_delete(NULL, c->target, NULL), E_OK);
    bytes_close(&c->chunk);
    storefix_close(&c->fix);
}

/* What is written between the steps is in the copy, though its pages had been copied before. */
START_TEST(a_copy_made_while_writing_is_of_one_moment)
{
    struct read_request request = {.source = READ_VERTICES};
    struct store_options options;
    struct store_state before;
    struct store *other = NULL;
    struct copying c;
    uint64_t left, all, count;
    bool is_done = false;
    int64_t next = 3000;

    start(&c);
    while (!is_done) {
        ck_assert_int_eq(snapshot_step(c.snapshot, 8, &is_done, &c.fix.err), E_OK);
        if (!is_done) {
            add_vertices(&c.fix, next, next + 10);
            next += 10;
        }
    }
    ck_assert_int_gt(next, 3050);
    snapshot_progress(c.snapshot, &left, &all);
    ck_assert_uint_eq(left, 0);
    ck_assert_uint_eq(all * 4096, snapshot_size(c.snapshot));
    before = store_state(c.fix.store);
    count = storefix_count(&c.fix, &request);
    add_vertices(&c.fix, next, next + 10); /* Too late for it. */
    receive(&c);
    send(&c, snapshot_size(c.snapshot));
    ck_assert_int_eq(snapshot_target_finish(&c.incoming, &c.fix.err), E_OK);
    ck_assert(!snapshot_is_half(NULL, c.target));
    options = c.fix.options;
    options.path = c.target;
    ck_assert_msg(store_open(&other, &options, &c.fix.err) == E_OK, "%s", c.fix.err.text);
    ck_assert_uint_eq(store_state(other).applied, before.applied);
    ck_assert_uint_eq(store_state(other).last, before.last);
    ck_assert_int_eq(store_verify(other, on_fault, NULL, &c.fix.err), E_OK);
    struct store *mine = c.fix.store;
    c.fix.store = other;
    ck_assert_uint_eq(storefix_count(&c.fix, &request), count);
    c.fix.store = mine;
    store_close(&other);
    stop(&c);
}
END_TEST

START_TEST(half_a_snapshot_is_never_a_file)
{
    struct copying c;

    start(&c);
    finish_copy(&c);
    receive(&c);
    send(&c, snapshot_size(c.snapshot) / 2);
    ck_assert_int_eq(snapshot_target_finish(&c.incoming, &c.fix.err), E_CORRUPT);
    ck_assert(snapshot_is_half(NULL, c.target));
    /* A damaged chunk is not taken; the right one is, after it. */
    uint64_t at = snapshot_target_offset(c.incoming);
    bytes_clear(&c.chunk);
    ck_assert_int_eq(snapshot_read(c.snapshot, at, CHUNK, &c.chunk, &c.fix.err), E_OK);
    uint32_t crc = crc_extend(0, c.chunk.data, c.chunk.size);
    c.chunk.data[17] ^= 4;
    ck_assert_int_eq(snapshot_target_write(c.incoming, bytes_slice(&c.chunk), crc, &c.fix.err),
                     E_CORRUPT);
    ck_assert_uint_eq(snapshot_target_offset(c.incoming), at);
    snapshot_target_close(&c.incoming);
    ck_assert(!snapshot_is_half(NULL, c.target));
    ck_assert(!storefile_exists(NULL, c.target));
    stop(&c);
}
END_TEST

/* The machine's VFS took 0 bytes of 1 MiB, and said that the disk was full. */
START_TEST(chunks_are_as_large_as_they_may_be)
{
    struct copying c;

    start(&c);
    bytes_clear(&c.chunk);
    for (uint32_t i = 0; i < SNAPSHOT_CHUNK_MAX; i++) {
        bytes_u8(&c.chunk, (uint8_t)(i >> 9));
    }
    int rc = snapshot_target_open(&c.incoming, NULL, c.target, 2 * SNAPSHOT_CHUNK_MAX, &c.fix.err);
    ck_assert_int_eq(rc, E_OK);
    uint32_t crc = crc_extend(0, c.chunk.data, c.chunk.size);
    rc = snapshot_target_write(c.incoming, bytes_slice(&c.chunk), crc, &c.fix.err);
    ck_assert_msg(rc == E_OK, "%s", c.fix.err.text);
    ck_assert_uint_eq(snapshot_target_offset(c.incoming), SNAPSHOT_CHUNK_MAX);
    FILE *file = fopen(c.target, "rb");
    ck_assert_ptr_nonnull(file);
    for (uint32_t i = 0; i < SNAPSHOT_CHUNK_MAX; i++) {
        ck_assert_int_eq(fgetc(file), (uint8_t)(i >> 9));
    }
    ck_assert_int_eq(fclose(file), 0);
    snapshot_target_close(&c.incoming);
    stop(&c);
}
END_TEST

START_TEST(what_a_crash_left_is_begun_anew)
{
    struct copying c;

    start(&c);
    finish_copy(&c);
    receive(&c);
    send(&c, CHUNK);
    struct snapshot_target *lost = c.incoming; /* As if the process had ended here. */
    receive(&c);
    ck_assert_uint_eq(snapshot_target_offset(c.incoming), 0);
    send(&c, snapshot_size(c.snapshot));
    ck_assert_int_eq(snapshot_target_finish(&c.incoming, &c.fix.err), E_OK);
    ck_assert(storefile_exists(NULL, c.target));
    snapshot_target_close(&lost);
    stop(&c);
}
END_TEST

RUN_SUITE("snapshot", a_copy_made_while_writing_is_of_one_moment, half_a_snapshot_is_never_a_file,
          chunks_are_as_large_as_they_may_be, what_a_crash_left_is_begun_anew)
