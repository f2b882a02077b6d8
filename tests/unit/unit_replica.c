#include "shardd/replica/replica.h"

#include "common/change.h"
#include "common/codec.h"
#include "common/read.h"
#include "coordinator/coord_inside.h"
#include "coordinator/coord_txn.h"
#include "coordinator/coordadmin.h"
#include "shardd/incoming.h"
#include "shardd/node.h"
#include "shardd/nodeadmin.h"
#include "shardd/nodeshards.h"
#include "shardd/replica/journal.h"
#include "shardd/replica/lock.h"
#include "shardd/replica/outgoing.h"
#include "shardd/replica/replica_offer.h"
#include "shardd/store/storefile.h"
#include "tests/lib/lab.h"

#include "tests/lib/runner.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { NODE = 1, BOOT = 9, ROWS = 100000 };

/* One shard on a file of its own, no coordinator. */
struct fixture {
    char folder[64];
    char path[96];
    struct replica *replica;
    struct outbox out;
    uint64_t now_ms;
    uint64_t req_id;
    uint64_t epoch;
    peer_id peer;       /* Who asks; 0: one. */
    uint64_t sid;       /* Of its commits; 0: 1. */
    uint64_t rows_left; /* Of a turn; 0: ROWS. */
    uint64_t (*micros)(void);
    uint64_t end_us;
};

static void turn(struct fixture *f)
{
    struct error err = {0};
    struct replica_turn turn = {.now_ms = f->now_ms,
                                .out = &f->out,
                                .coordinator = PEER_NODE(PEER_COORDINATOR, 1),
                                .rows_left = f->rows_left == 0 ? ROWS : f->rows_left,
                                .micros = f->micros,
                                .end_us = f->end_us};

    ck_assert_msg(replica_turn(f->replica, &turn, &err) == E_OK, "%s", err.text);
}

/* The shard's only replica leads, under another epoch; or another node's does. */
static void configure(struct fixture *f, uint32_t primary)
{
    struct replication_config config = {.epoch = ++f->epoch,
                                        .cfgver = f->epoch,
                                        .primary = primary,
                                        .primary_boot = BOOT,
                                        .min_insync = 1};

    config.isr = nodeset_of(primary);
    config.replicas = nodeset_of(primary);
    (void)nodeset_add(&config.replicas, NODE);
    replica_configure(f->replica, &config);
}

static void open_again(struct fixture *f)
{
    struct error err = {0};
    struct replica_options options = {.node = NODE,
                                      .boot = BOOT,
                                      .now_ms = f->now_ms,
                                      .store = {.path = f->path,
                                                .cluster_id = 7,
                                                .shard = 3,
                                                .graph = 1,
                                                .partitioner = PARTITION_HASH,
                                                .ids = IDS_LONG,
                                                .cache_bytes = 1 << 20,
                                                .adjacency_cache_bytes = 1 << 20}};

    ck_assert_msg(replica_open(&f->replica, &options, &err) == E_OK, "%s", err.text);
    configure(f, NODE);
    turn(f);
    ck_assert(f->replica->is_serving);
}

static void start(struct fixture *f)
{
    *f = (struct fixture){.folder = "/tmp/cardea-replica-XXXXXX", .now_ms = 1000};
    ck_assert_ptr_nonnull(mkdtemp(f->folder));
    snprintf(f->path, sizeof f->path, "%s/shard-3.db", f->folder);
    outbox_init(&f->out);
    ck_assert(!storefile_exists(NULL, f->path));
    open_again(f);
    ck_assert(storefile_exists(NULL, f->path));
}

static void stop(struct fixture *f)
{
    replica_close(&f->replica);
    outbox_close(&f->out);
    ck_assert_int_eq(storefile_delete(NULL, f->path, NULL), E_OK);
    ck_assert(!storefile_exists(NULL, f->path));
    ck_assert_int_eq(rmdir(f->folder), 0);
}

static uint64_t take(struct fixture *f, enum message_type type, const struct bytes *body)
{
    struct message message = {.type = type,
                              .peer = PEER_CALLER_BIT | (f->peer == 0 ? 1 : f->peer),
                              .req_id = ++f->req_id,
                              .shard = 3,
                              .epoch = f->epoch,
                              .body = bytes_slice(body)};

    replica_take(f->replica, f->now_ms, &message, &f->out);
    return f->req_id;
}

static void add_vertex(struct bytes *out, int64_t id)
{
    struct change change = {
        .kind = CHANGE_VERTEX_ADD, .vertex = vid_num(id), .label = SLICE("person")};

    bytes_varint(out, 1);
    change_encode(out, &change);
}

static uint64_t commit1_of(struct fixture *f, uint64_t seq, const struct bytes *changes)
{
    struct bytes body = {0};
    struct txn_part part = {.shard = 3, .epoch = f->epoch, .changes = bytes_slice(changes)};
    struct txn_request request = {
        .sid = f->sid == 0 ? 1 : f->sid, .seq = seq, .part_count = 1, .parts = &part};

    txn_request_encode(&body, &request);
    uint64_t req_id = take(f, MESSAGE_COMMIT1, &body);
    bytes_close(&body);
    return req_id;
}

static uint64_t commit1(struct fixture *f, uint64_t seq, int64_t id)
{
    struct bytes changes = {0};

    add_vertex(&changes, id);
    uint64_t req_id = commit1_of(f, seq, &changes);
    bytes_close(&changes);
    return req_id;
}

static uint64_t set_name(struct fixture *f, uint64_t seq, int64_t id)
{
    struct bytes changes = {0};
    struct change change = {.kind = CHANGE_VPROP_SET,
                            .vertex = vid_num(id),
                            .key = SLICE("name"),
                            .value = value_long((int64_t)seq)};

    bytes_varint(&changes, 1);
    change_encode(&changes, &change);
    uint64_t req_id = commit1_of(f, seq, &changes);
    bytes_close(&changes);
    return req_id;
}

static uint64_t prepare(struct fixture *f, uint64_t counter, int64_t id)
{
    struct bytes changes = {0};
    struct bytes body = {0};
    struct txn_prepare request = {.gtid = {1, counter}, .part = {.shard = 3, .epoch = f->epoch}};

    add_vertex(&changes, id);
    request.part.changes = bytes_slice(&changes);
    txn_prepare_encode(&body, &request);
    uint64_t req_id = take(f, MESSAGE_PREPARE, &body);
    bytes_close(&changes);
    bytes_close(&body);
    return req_id;
}

static uint64_t decide(struct fixture *f, enum message_type type, uint64_t counter,
                       enum txn_outcome outcome)
{
    struct bytes body = {0};
    struct txn_reply decision = {.gtid = {1, counter}, .outcome = outcome};

    txn_reply_encode(&body, &decision);
    uint64_t req_id = take(f, type, &body);
    bytes_close(&body);
    return req_id;
}

static uint64_t read_vertex(struct fixture *f, int64_t id)
{
    struct bytes body = {0};
    struct read_input input = {.id = vid_num(id), .bulk = 1};
    struct read_request request = {
        .source = READ_IDS, .emit = READ_COUNT, .input_count = 1, .inputs = &input};

    read_request_encode(&body, &request);
    uint64_t req_id = take(f, MESSAGE_READ, &body);
    bytes_close(&body);
    return req_id;
}

/* The answer to a request, taken out of the outbox; null: none. */
static const struct message *answer(struct fixture *f, uint64_t req_id)
{
    for (size_t i = 0; i < f->out.count; i++) {
        if (f->out.items[i].req_id == req_id) {
            return &f->out.items[i];
        }
    }
    return NULL;
}

static void check_outcome(struct fixture *f, uint64_t req_id, enum message_type type, int code)
{
    const struct message *message = answer(f, req_id);
    struct txn_reply reply;

    ck_assert_ptr_nonnull(message);
    ck_assert_int_eq(message->type, type);
    ck_assert_int_eq(message->flags, MESSAGE_LAST);
    ck_assert_int_eq(txn_reply_decode(message->body, &reply, NULL), E_OK);
    ck_assert_int_eq(reply.code, code);
    ck_assert_int_eq(reply.outcome, code == E_OK ? TXN_COMMITTED : TXN_ABORTED);
}

static void check_refused(struct fixture *f, uint64_t req_id, int code)
{
    const struct message *message = answer(f, req_id);
    struct error err;

    ck_assert_ptr_nonnull(message);
    ck_assert_int_eq(message->type, MESSAGE_REFUSED);
    ck_assert_int_eq(message_refusal(message->body, &err), code);
}

static uint64_t count_in(struct fixture *f, uint64_t req_id)
{
    const struct message *message = answer(f, req_id);
    struct read_reply reply;
    struct read_row row = {0};
    struct arena arena = {0};
    uint64_t count = 0;

    ck_assert_ptr_nonnull(message);
    ck_assert_int_eq(message->type, MESSAGE_READ_REPLY);
    ck_assert_int_eq(read_reply_open(message->body, &arena, false, &reply, NULL), E_OK);
    while (read_reply_next(&reply, &arena, &row, NULL) == 1) {
        count += row.bulk;
    }
    read_reply_close(&reply);
    arena_close(&arena);
    return count;
}

static void check_outcome_none(struct fixture *f, uint64_t req_id)
{
    ck_assert_ptr_null(answer(f, req_id));
}

/* ---- tests ---- */

START_TEST(one_commit_a_turn)
{
    struct fixture f;
    uint64_t ids[50];

    start(&f);
    uint64_t syncs = store_counters(f.replica->store).syncs;
    for (uint64_t i = 0; i < 50; i++) {
        ids[i] = commit1(&f, i + 1, (int64_t)i);
    }
    uint64_t again = commit1(&f, 7, 6);
    turn(&f);
    for (uint64_t i = 0; i < 50; i++) {
        check_outcome(&f, ids[i], MESSAGE_COMMIT1_REPLY, E_OK);
    }
    ck_assert_ptr_null(answer(&f, again)); /* The first copy is answered. */
    ck_assert_uint_le(store_counters(f.replica->store).syncs, syncs + 1);
    ck_assert_uint_eq(replica_deadline(f.replica, f.now_ms), UINT64_MAX);
    uint64_t read = read_vertex(&f, 49);
    turn(&f);
    ck_assert_uint_eq(count_in(&f, read), 1);
    stop(&f);
}
END_TEST

START_TEST(conflicting_commits_take_turns)
{
    struct fixture f;

    start(&f);
    uint64_t first = commit1(&f, 1, 5);
    uint64_t second = commit1(&f, 2, 5);
    turn(&f);
    check_outcome(&f, first, MESSAGE_COMMIT1_REPLY, E_OK);
    ck_assert_ptr_null(answer(&f, second));
    ck_assert_uint_eq(replica_deadline(f.replica, f.now_ms), 0);
    turn(&f);
    check_outcome(&f, second, MESSAGE_COMMIT1_REPLY, E_EXISTS);
    stop(&f);
}
END_TEST

/* Each turn all writers of the vertex were decoded and checked again: 50 made 1,275 checks. */
START_TEST(queued_writers_of_one_vertex_are_examined_once_a_turn)
{
    enum { WRITERS = 50 };
    struct fixture f;
    uint64_t ids[WRITERS];

    start(&f);
    commit1(&f, 1, 5);
    turn(&f);
    uint64_t before = f.replica->examined;
    for (uint64_t i = 0; i < WRITERS; i++) {
        ids[i] = set_name(&f, i + 2, 5);
    }
    for (int i = 0; i < WRITERS; i++) {
        check_outcome_none(&f, ids[i]);
        turn(&f);
        check_outcome(&f, ids[i], MESSAGE_COMMIT1_REPLY, E_OK);
    }
    ck_assert_uint_le(f.replica->examined - before, 2 * WRITERS);
    stop(&f);
}
END_TEST

START_TEST(a_batch_of_writes_is_capped_and_goes_on_in_order)
{
    enum { WRITERS = REPLICA_BATCH_ENTRIES + 90 };
    static uint64_t ids[WRITERS];
    struct fixture f;

    start(&f);
    for (uint64_t i = 0; i < WRITERS; i++) {
        ids[i] = commit1(&f, i + 1, (int64_t)i);
    }
    turn(&f);
    ck_assert_uint_eq(f.out.count, REPLICA_BATCH_ENTRIES);
    check_outcome(&f, ids[0], MESSAGE_COMMIT1_REPLY, E_OK);
    check_outcome_none(&f, ids[WRITERS - 1]);
    ck_assert_uint_eq(replica_deadline(f.replica, f.now_ms), 0);
    for (int i = 0; i < 3; i++) { /* Two of a slot take another turn. */
        turn(&f);
    }
    for (int i = 0; i < WRITERS; i++) {
        check_outcome(&f, ids[i], MESSAGE_COMMIT1_REPLY, E_OK);
    }
    stop(&f);
}
END_TEST

static uint64_t slow_us;

static uint64_t slow_clock(void)
{
    return slow_us += 600;
}

START_TEST(writes_and_reads_end_with_the_time_of_the_turn)
{
    struct fixture f;
    uint64_t writes[20], reads[20];

    start(&f);
    f.micros = slow_clock;
    f.end_us = slow_us + 4000;
    for (uint64_t i = 0; i < 20; i++) {
        writes[i] = commit1(&f, i + 1, (int64_t)i);
        reads[i] = read_vertex(&f, (int64_t)i);
    }
    turn(&f);
    check_outcome(&f, writes[0], MESSAGE_COMMIT1_REPLY, E_OK);
    check_outcome_none(&f, writes[19]); /* 2 ms. */
    ck_assert_uint_eq(count_in(&f, reads[0]), 1);
    /* However late it is, a part of the turn is for reads. */
    f.end_us = 0;
    turn(&f);
    ck_assert_ptr_null(answer(&f, reads[19]));
    for (int i = 0; i < 40 && f.replica->request_count > 0; i++) {
        turn(&f);
    }
    ck_assert_uint_eq(f.replica->request_count, 0);
    stop(&f);
}
END_TEST

/* A hundred reads of one router took a turn of 0.2 s, and whoever came later waited for all. */
START_TEST(reads_are_charged_across_the_queue_and_shared_between_routers)
{
    struct fixture f;
    uint64_t many[6];

    start(&f);
    commit1(&f, 1, 5);
    turn(&f);
    for (int i = 0; i < 6; i++) {
        many[i] = read_vertex(&f, 5);
    }
    f.peer = 2;
    uint64_t other = read_vertex(&f, 5);
    f.rows_left = 1; /* One read uses it up. */
    turn(&f);
    ck_assert_uint_eq(count_in(&f, many[0]), 1);
    ck_assert_ptr_null(answer(&f, many[1]));
    ck_assert_ptr_null(answer(&f, other));
    turn(&f);
    ck_assert_uint_eq(count_in(&f, other), 1);
    ck_assert_ptr_null(answer(&f, many[1]));
    for (int i = 1; i < 6; i++) {
        turn(&f);
        ck_assert_uint_eq(count_in(&f, many[i]), 1);
    }
    ck_assert_uint_eq(f.replica->request_count, 0);
    stop(&f);
}
END_TEST

START_TEST(reads_wait_for_the_decision)
{
    struct fixture f;

    start(&f);
    uint64_t vote = prepare(&f, 1, 5);
    turn(&f);
    check_outcome(&f, vote, MESSAGE_PREPARED, E_OK);
    uint64_t waits = read_vertex(&f, 5);
    uint64_t other = read_vertex(&f, 6);
    turn(&f);
    ck_assert_ptr_null(answer(&f, waits));
    ck_assert_uint_eq(count_in(&f, other), 0);
    ck_assert_uint_eq(replica_deadline(f.replica, f.now_ms), f.now_ms + PARTICIPANT_READ_WAIT_MS);
    f.now_ms += 10;
    decide(&f, MESSAGE_DECIDE, 1, TXN_COMMITTED);
    turn(&f);
    ck_assert_uint_eq(count_in(&f, waits), 1);
    prepare(&f, 2, 8);
    turn(&f);
    uint64_t late = read_vertex(&f, 8);
    uint64_t cancelled = read_vertex(&f, 8);
    turn(&f);
    ck_assert(replica_cancel(f.replica, PEER_CALLER_BIT | 1, cancelled));
    ck_assert(!replica_cancel(f.replica, PEER_CALLER_BIT | 2, late));
    f.now_ms += PARTICIPANT_READ_WAIT_MS;
    turn(&f);
    check_refused(&f, late, E_CONFLICT);
    ck_assert_ptr_null(answer(&f, cancelled));
    ck_assert_uint_eq(f.replica->request_count, 0);
    stop(&f);
}
END_TEST

static void count_session(void *ctx, uint64_t sid, uint64_t seq, uint64_t index)
{
    (void)sid;
    (void)seq;
    (void)index;
    ++*(int *)ctx;
}

static int sessions_of(struct fixture *f)
{
    int count = 0;

    ck_assert_int_eq(store_each_session(f->replica->store, count_session, &count, NULL), E_OK);
    return count;
}

/* 13 starts of a router left 13 rows for ever. One that was not heard for an hour is forgotten, in
 * memory and in the file; one that is heard is not, nor one of before a restart until its hour is
 * over. */
START_TEST(sessions_of_routers_that_are_gone_are_forgotten)
{
    struct fixture f;

    start(&f);
    for (f.sid = 1; f.sid <= 13; f.sid++) {
        commit1(&f, 1, (int64_t)f.sid);
        turn(&f);
    }
    ck_assert_int_eq(sessions_of(&f), 13);
    f.now_ms += 3000000;
    f.sid = 7;
    commit1(&f, 2, 100);
    turn(&f);
    ck_assert_int_eq(replica_end_sessions(f.replica, f.now_ms, NULL), E_OK);
    ck_assert_int_eq(sessions_of(&f), 14);
    f.now_ms += 700000;
    ck_assert_int_eq(replica_end_sessions(f.replica, f.now_ms, NULL), E_OK);
    ck_assert_int_eq(sessions_of(&f), 2);
    ck_assert_uint_eq(f.replica->core.sessions.count, 1);
    uint64_t again = commit1(&f, 2, 100);
    turn(&f);
    check_outcome(&f, again, MESSAGE_COMMIT1_REPLY, E_OK);

    replica_close(&f.replica);
    outbox_clear(&f.out);
    open_again(&f);
    turn(&f);
    f.now_ms += 60000;
    ck_assert_int_eq(replica_end_sessions(f.replica, f.now_ms, NULL), E_OK);
    f.now_ms += 3500000;
    ck_assert_int_eq(replica_end_sessions(f.replica, f.now_ms, NULL), E_OK);
    ck_assert_int_eq(sessions_of(&f), 2);
    f.now_ms += 200000;
    ck_assert_int_eq(replica_end_sessions(f.replica, f.now_ms, NULL), E_OK);
    ck_assert_int_eq(sessions_of(&f), 0);
    stop(&f);
}
END_TEST

START_TEST(restart_keeps_what_is_prepared)
{
    struct fixture f;

    start(&f);
    commit1(&f, 1, 1);
    prepare(&f, 1, 5);
    turn(&f);
    replica_close(&f.replica);
    outbox_clear(&f.out);
    f.now_ms += 1000;
    open_again(&f);
    ck_assert_uint_eq(f.replica->core.prepared_count, 1);
    turn(&f);
    ck_assert_uint_eq(f.out.count, 1);
    ck_assert_int_eq(f.out.items[0].type, MESSAGE_INQUIRE);
    uint64_t blocked = commit1(&f, 2, 5);
    uint64_t again = commit1(&f, 1, 1);
    turn(&f);
    check_outcome(&f, blocked, MESSAGE_COMMIT1_REPLY, E_CONFLICT);
    check_outcome(&f, again, MESSAGE_COMMIT1_REPLY, E_OK);
    decide(&f, MESSAGE_INQUIRE_REPLY, 1, TXN_WAIT);
    turn(&f);
    ck_assert_uint_eq(f.replica->core.prepared_count, 1);
    decide(&f, MESSAGE_INQUIRE_REPLY, 1, TXN_COMMITTED);
    turn(&f);
    ck_assert_uint_eq(f.replica->core.prepared_count, 0);
    uint64_t read = read_vertex(&f, 5);
    turn(&f);
    ck_assert_uint_eq(count_in(&f, read), 1);
    /* A copy of the PREPARE after the end, in the old epoch and in the new one. */
    uint64_t copy = prepare(&f, 1, 5);
    turn(&f);
    ck_assert_ptr_null(answer(&f, copy));
    stop(&f);
}
END_TEST

START_TEST(fences)
{
    struct fixture f;
    struct bytes body = {0};

    start(&f);
    struct message old = {.type = MESSAGE_READ, .dst_boot = BOOT + 1, .peer = PEER_CALLER_BIT | 1};
    replica_take(f.replica, f.now_ms, &old, &f.out);
    ck_assert_uint_eq(f.replica->request_count, 0);
    f.epoch--;
    uint64_t stale = read_vertex(&f, 5);
    uint64_t stale_commit = commit1(&f, 1, 5);
    f.epoch++;
    turn(&f);
    check_refused(&f, stale, E_WRONG_EPOCH);
    check_outcome(&f, stale_commit, MESSAGE_COMMIT1_REPLY, E_WRONG_EPOCH);
    bytes_append(&body, "?", 1);
    uint64_t bad[] = {take(&f, MESSAGE_READ, &body), take(&f, MESSAGE_COMMIT1, &body),
                      take(&f, MESSAGE_PREPARE, &body), take(&f, MESSAGE_DECIDE, &body),
                      take(&f, MESSAGE_VALIDATE, &body)};
    turn(&f);
    for (size_t i = 0; i < 5; i++) {
        check_refused(&f, bad[i], E_MALFORMED);
    }
    uint64_t waiting = read_vertex(&f, 5);
    configure(&f, NODE + 1);
    ck_assert_uint_eq(replica_deadline(f.replica, f.now_ms), 0);
    turn(&f);
    check_refused(&f, waiting, E_WRONG_EPOCH);
    uint64_t refused = read_vertex(&f, 5);
    check_refused(&f, refused, E_WRONG_EPOCH);
    ck_assert_uint_eq(replica_deadline(f.replica, f.now_ms), UINT64_MAX);
    bytes_close(&body);
    stop(&f);
}
END_TEST

START_TEST(requests_have_deadlines)
{
    struct fixture f;

    start(&f);
    prepare(&f, 1, 5);
    turn(&f);
    uint64_t read = read_vertex(&f, 5);
    f.replica->requests[f.replica->request_count - 1]->until_ms = f.now_ms + 20;
    turn(&f);
    ck_assert_ptr_null(answer(&f, read));
    f.now_ms += 20;
    decide(&f, MESSAGE_DECIDE, 1, TXN_ABORTED);
    turn(&f);
    check_refused(&f, read, E_TIMEOUT);
    stop(&f);
}
END_TEST

/* What the tool asks of the files, through a whole cluster. */
START_TEST(administration_of_a_node)
{
    struct lab lab;
    struct bytes reply = {0};
    struct error err = {0};
    struct arena arena = {0};
    struct reader reader;
    struct value map;
    peer_id node = PEER_NODE(PEER_SHARDD, 1);

    lab_open(&lab, 1);
    lab_boot(&lab, "g", 2);
    const char *halves[] = {"verb", "halves", "shard", "1", "far", "2", "direction", "out", NULL};
    ck_assert_msg(lab_admin(&lab, node, &reply, &err, halves) == MESSAGE_ADMIN_REPLY, "%s",
                  err.text);
    reader_init(&reader, bytes_slice(&reply));
    codec_decode(&reader, &arena, NULL, 0, &map);
    ck_assert_int_eq(reader_finish(&reader, "reply", &err), E_OK);
    ck_assert(!value_get_text(&map, "more")->boolean);
    ck_assert_uint_eq(value_get_text(&map, "halves")->size, 0);
    const char *bad[] = {"verb", "dance", NULL};
    ck_assert_int_eq(lab_admin(&lab, node, &reply, &err, bad), MESSAGE_REFUSED);
    ck_assert_int_eq(err.code, E_UNSUPPORTED);
    const char *nowhere[] = {"verb", "verify", "shard", "99", NULL};
    ck_assert_int_eq(lab_admin(&lab, node, &reply, &err, nowhere), MESSAGE_REFUSED);
    ck_assert_int_eq(err.code, E_NOT_FOUND);
    ck_assert(!nodeadmin_is_due(lab.nodes[1]));
    ck_assert_uint_eq(lab.coord->waiting_count, 0);
    ck_assert_uint_eq(lab.coord->request_count, 0);
    ck_assert_uint_ne(lab.coord->lead_term, 0);
    arena_close(&arena);
    bytes_close(&reply);
    lab_close(&lab);
}
END_TEST

static void put_file(const char *folder, const char *name, const char *text)
{
    char path[300];
    FILE *file;

    snprintf(path, sizeof path, "%s/%s", folder, name);
    file = fopen(path, "w");
    ck_assert_ptr_nonnull(file);
    (void)fputs(text, file);
    ck_assert_int_eq(fclose(file), 0);
}

static void expect_file(const char *folder, const char *name, const char *text)
{
    char path[300], got[16] = "";
    FILE *file;

    snprintf(path, sizeof path, "%s/%s", folder, name);
    file = fopen(path, "r");
    ck_assert_msg(file != NULL, "%s is not there", path);
    ck_assert_ptr_nonnull(fgets(got, sizeof got, file));
    ck_assert_int_eq(fclose(file), 0);
    ck_assert_str_eq(got, text);
    ck_assert_int_eq(remove(path), 0);
}

/* Files were deleted by their number, also good ones after the coordinators' folder was lost. */
START_TEST(a_dropped_file_is_kept_for_a_day)
{
    char folder[] = "/tmp/cardea-dropped-XXXXXX", path[300];

    ck_assert_ptr_nonnull(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/shard-5.db", folder);
    put_file(folder, "shard-5.db", "first");
    put_file(folder, "shard-5.db-wal", "log");
    ck_assert_int_eq(storefile_drop(NULL, path, NULL), E_OK);
    ck_assert(!storefile_exists(NULL, path));
    put_file(folder, "shard-5.db", "second");
    ck_assert_int_eq(storefile_drop(NULL, path, NULL), E_OK);
    storefile_sweep(folder);
    expect_file(folder, "dropped/shard-5.db", "first");
    expect_file(folder, "dropped/shard-5.db-wal", "log");
    expect_file(folder, "dropped/shard-5.db.1", "second");
    snprintf(path, sizeof path, "%s/dropped", folder);
    ck_assert_int_eq(rmdir(path), 0);
    ck_assert_int_eq(rmdir(folder), 0);
}
END_TEST

RUN_SUITE("replica", a_dropped_file_is_kept_for_a_day, one_commit_a_turn,
          conflicting_commits_take_turns, queued_writers_of_one_vertex_are_examined_once_a_turn,
          a_batch_of_writes_is_capped_and_goes_on_in_order,
          writes_and_reads_end_with_the_time_of_the_turn,
          reads_are_charged_across_the_queue_and_shared_between_routers,
          reads_wait_for_the_decision, sessions_of_routers_that_are_gone_are_forgotten,
          restart_keeps_what_is_prepared, fences, requests_have_deadlines, administration_of_a_node)
