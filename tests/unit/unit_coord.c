#include "common/change.h"
#include "common/control.h"
#include "common/mem.h"
#include "common/read.h"
#include "coordinator/coord_inside.h"
#include "coordinator/coord_map.h"
#include "coordinator/coord_shards.h"
#include "coordinator/coordstatus.h"
#include "coordinator/pairs.h"
#include "shardd/node.h"
#include "shardd/store/pagesum.h"
#include "shardd/store/store_inner.h"
#include "tests/lib/lab.h"

#include "tests/lib/runner.h"

#include <errno.h>
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* ---- a router in small ---- */

static struct slice add_vertex(struct arena *arena, int64_t id)
{
    struct change change = {
        .kind = CHANGE_VERTEX_ADD, .vertex = vid_num(id), .label = SLICE("person")};
    struct bytes bytes;

    bytes_init(&bytes, 0);
    bytes_varint(&bytes, 1);
    change_encode(&bytes, &change);
    struct slice kept = slice_of(arena_copy(arena, bytes.data, bytes.size), bytes.size);
    bytes_close(&bytes);
    return kept;
}

static const struct shardmap_shard *owner(struct lab *lab, int64_t id)
{
    struct vid vid = vid_num(id);

    return &lab->map.shards[shardmap_lookup(&lab->map, &lab->map.graphs[0], &vid)];
}

/* The first id from `from` on that lives on the given shard of the graph. */
static int64_t id_on(struct lab *lab, uint32_t place, int64_t from)
{
    while (owner(lab, from) != &lab->map.shards[place]) {
        from++;
    }
    return from;
}

struct outcome {
    enum message_type type;
    struct txn_reply reply;
    struct error err;
};

static struct outcome ask(struct lab *lab, enum message_type type, peer_id peer,
                          const struct txn_request *request)
{
    struct outcome outcome = {0};
    struct bytes body;
    struct bytes reply;

    bytes_init(&body, 0);
    bytes_init(&reply, 0);
    txn_request_encode(&body, request);
    struct message message = {.type = type,
                              .peer = peer,
                              .shard = request->parts[0].shard,
                              .epoch = request->parts[0].epoch,
                              .body = bytes_slice(&body)};
    outcome.type = lab_ask(lab, &message, &reply, &outcome.err);
    if (outcome.type != MESSAGE_REFUSED && outcome.type != 0) {
        ck_assert_int_eq(txn_reply_decode(bytes_slice(&reply), &outcome.reply, NULL), E_OK);
    }
    outcome.reply.text = (struct slice){0};
    bytes_close(&body);
    bytes_close(&reply);
    return outcome;
}

static struct outcome commit1(struct lab *lab, uint64_t seq, int64_t id)
{
    struct arena arena = {0};
    const struct shardmap_shard *shard = owner(lab, id);
    struct txn_part part = {
        .shard = shard->shard, .epoch = shard->epoch, .changes = add_vertex(&arena, id)};
    struct txn_request request = {.sid = lab->sid, .seq = seq, .part_count = 1, .parts = &part};
    struct outcome outcome =
        ask(lab, MESSAGE_COMMIT1, PEER_NODE(PEER_SHARDD, shard->primary), &request);

    arena_close(&arena);
    return outcome;
}

static struct outcome commit2(struct lab *lab, uint64_t seq, int64_t a, int64_t b)
{
    struct arena arena = {0};
    const struct shardmap_shard *shards[] = {owner(lab, a), owner(lab, b)};
    struct txn_part parts[] = {
        {.shard = shards[0]->shard, .epoch = shards[0]->epoch, .changes = add_vertex(&arena, a)},
        {.shard = shards[1]->shard, .epoch = shards[1]->epoch, .changes = add_vertex(&arena, b)}};
    struct txn_request request = {
        .sid = lab->sid, .seq = seq, .term = lab->term, .part_count = 2, .parts = parts};
    struct outcome outcome = ask(lab, MESSAGE_TXN, PEER_NODE(PEER_COORDINATOR, 1), &request);

    arena_close(&arena);
    return outcome;
}

static uint64_t count_vertices(struct lab *lab)
{
    uint64_t total = 0;

    for (uint32_t i = 0; i < lab->map.shard_count; i++) {
        const struct shardmap_shard *shard = &lab->map.shards[i];
        struct read_request read = {.source = READ_VERTICES, .emit = READ_COUNT};
        struct read_reply opened;
        struct read_row row;
        struct arena arena = {0};
        struct bytes body;
        struct bytes reply;
        struct error err = {0};

        bytes_init(&body, 0);
        bytes_init(&reply, 0);
        read_request_encode(&body, &read);
        struct message message = {.type = MESSAGE_READ,
                                  .peer = PEER_NODE(PEER_SHARDD, shard->primary),
                                  .shard = shard->shard,
                                  .epoch = shard->epoch,
                                  .body = bytes_slice(&body)};
        ck_assert_msg(lab_ask(lab, &message, &reply, &err) == MESSAGE_READ_REPLY, "%s", err.text);
        ck_assert_int_eq(read_reply_open(bytes_slice(&reply), &arena, false, &opened, &err), E_OK);
        while (read_reply_next(&opened, &arena, &row, &err) == 1) {
            total += row.bulk;
        }
        read_reply_close(&opened);
        arena_close(&arena);
        bytes_close(&body);
        bytes_close(&reply);
    }
    return total;
}

static void check_committed(struct outcome outcome)
{
    ck_assert_msg(outcome.type != MESSAGE_REFUSED, "%s", outcome.err.text);
    ck_assert_msg(outcome.reply.outcome == TXN_COMMITTED, "type %s outcome %d code %s",
                  message_name(outcome.type), outcome.reply.outcome,
                  error_name(outcome.reply.code));
}

/* ---- tests ---- */

START_TEST(boots_and_commits)
{
    struct lab lab;

    lab_open(&lab, 3);
    lab_boot(&lab, "g", 4);
    ck_assert_uint_eq(lab.map.shard_count, 4);
    ck_assert(lab.map.graphs[0].is_ready);
    for (int64_t id = 1; id <= 20; id++) {
        check_committed(commit1(&lab, (uint64_t)id, id));
    }
    ck_assert_uint_eq(count_vertices(&lab), 20);
    /* The same again: the same answer, no second effect. */
    check_committed(commit1(&lab, 20, 20));
    struct outcome outcome = commit1(&lab, 21, 20);
    ck_assert_int_eq(outcome.reply.outcome, TXN_ABORTED);
    ck_assert_int_eq(outcome.reply.code, E_EXISTS);
    lab_close(&lab);
}
END_TEST

START_TEST(two_shards_commit_together)
{
    struct lab lab;

    lab_open(&lab, 2);
    lab_boot(&lab, "g", 2);
    int64_t a = id_on(&lab, 0, 1);
    int64_t b = id_on(&lab, 1, 1);
    check_committed(commit2(&lab, 1, a, b));
    check_committed(commit2(&lab, 1, a, b));
    ck_assert_uint_eq(count_vertices(&lab), 2);
    /* One half exists: none of it is done. */
    struct outcome outcome = commit2(&lab, 2, a, id_on(&lab, 1, b + 1));
    ck_assert_int_eq(outcome.reply.outcome, TXN_ABORTED);
    ck_assert_int_eq(outcome.reply.code, E_EXISTS);
    outcome = commit2(&lab, 2, a, id_on(&lab, 1, b + 1));
    ck_assert_int_eq(outcome.reply.code, E_EXISTS);
    lab_run(&lab, 2000);
    ck_assert_uint_eq(count_vertices(&lab), 2);
    lab_close(&lab);
}
END_TEST

START_TEST(restarts_lose_nothing)
{
    struct lab lab;

    lab_open(&lab, 2);
    lab_boot(&lab, "g", 4);
    for (int64_t id = 1; id <= 30; id++) {
        check_committed(commit1(&lab, (uint64_t)id, id));
    }
    check_committed(commit2(&lab, 31, id_on(&lab, 0, 100), id_on(&lab, 1, 100)));
    uint64_t epoch = lab.map.shards[0].epoch;
    lab_stop_node(&lab, 1);
    lab_run(&lab, 100);
    lab_start_node(&lab, 1);
    lab_run(&lab, 1000);
    /* What the router knows is old. */
    struct outcome outcome = commit1(&lab, 32, id_on(&lab, 0, 200));
    if (outcome.type != MESSAGE_REFUSED) {
        ck_assert_int_eq(outcome.reply.code, E_WRONG_EPOCH);
    }
    lab_refresh(&lab);
    ck_assert_uint_gt(lab.map.shards[0].epoch, epoch);
    ck_assert_uint_eq(count_vertices(&lab), 32);
    check_committed(commit1(&lab, 30, 30));
    lab_stop_coord(&lab);
    check_committed(commit1(&lab, 33, id_on(&lab, 0, 300)));
    lab_start_coord(&lab);
    lab_run(&lab, 2000);
    outcome = commit2(&lab, 31, id_on(&lab, 0, 100), id_on(&lab, 1, 100));
    ck_assert_int_eq(outcome.reply.outcome, TXN_WRONG_TERM);
    lab.term = outcome.reply.term;
    check_committed(commit2(&lab, 31, id_on(&lab, 0, 100), id_on(&lab, 1, 100)));
    ck_assert_uint_eq(count_vertices(&lab), 33);
    lab_close(&lab);
}
END_TEST

/* A message type that is dropped, for a while. */
struct drop {
    enum message_type type;
    int left;
    int seen;
};

static bool drop_some(struct lab *lab, size_t from, size_t to, const struct message *message)
{
    struct drop *drop = lab->ctx;

    (void)from;
    (void)to;
    if (message->type != drop->type) {
        return true;
    }
    drop->seen++;
    return drop->left-- <= 0;
}

START_TEST(every_lost_message_is_made_good)
{
    static const enum message_type types[] = {MESSAGE_PREPARE, MESSAGE_PREPARED, MESSAGE_DECIDE,
                                              MESSAGE_DECIDED};
    struct lab lab;

    lab_open(&lab, 2);
    lab_boot(&lab, "g", 2);
    int64_t a = 1;
    int64_t b = 1;
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        struct drop drop = {.type = types[i], .left = 3};
        lab.filter = drop_some;
        lab.ctx = &drop;
        a = id_on(&lab, 0, a + 1);
        b = id_on(&lab, 1, b + 1);
        check_committed(commit2(&lab, i + 1, a, b));
        lab_run(&lab, 2000);
        ck_assert_int_ge(drop.seen, 4);
        lab.filter = NULL;
        ck_assert_uint_eq(count_vertices(&lab), 2 * (i + 1));
    }
    lab_close(&lab);
}
END_TEST

/* The coordinator dies between votes and decision: the participants ask, and are told to abort. */
START_TEST(doubt_ends_in_abort)
{
    struct lab lab;
    struct drop drop = {.type = MESSAGE_PREPARED, .left = 1000000};

    lab_open(&lab, 2);
    lab_boot(&lab, "g", 2);
    lab.filter = drop_some;
    lab.ctx = &drop;
    int64_t a = id_on(&lab, 0, 1);
    int64_t b = id_on(&lab, 1, 1);
    struct arena arena = {0};
    struct bytes body;
    struct txn_part parts[] = {
        {.shard = lab.map.shards[0].shard, .epoch = 1, .changes = add_vertex(&arena, a)},
        {.shard = lab.map.shards[1].shard, .epoch = 1, .changes = add_vertex(&arena, b)}};
    struct txn_request request = {
        .sid = lab.sid, .seq = 1, .term = lab.term, .part_count = 2, .parts = parts};
    bytes_init(&body, 0);
    txn_request_encode(&body, &request);
    struct message message = {
        .type = MESSAGE_TXN, .peer = PEER_CALLER_BIT | LAB_CLIENT, .body = bytes_slice(&body)};
    coord_message(lab.coord, lab.now_ms, &message, &lab.out);
    /* Carried to the nodes by hand: the lab delivers what is in its outbox at the next turn. */
    lab_run(&lab, 150);
    lab_stop_coord(&lab);
    lab_run(&lab, 500);
    lab.filter = NULL;
    lab_start_coord(&lab);
    lab_run(&lab, 3000);
    ck_assert_uint_eq(count_vertices(&lab), 0);
    struct outcome outcome = commit2(&lab, 1, a, b);
    ck_assert_int_eq(outcome.reply.outcome, TXN_WRONG_TERM);
    lab.term = outcome.reply.term;
    check_committed(commit2(&lab, 1, a, b));
    ck_assert_uint_eq(count_vertices(&lab), 2);
    bytes_close(&body);
    arena_close(&arena);
    lab_close(&lab);
}
END_TEST

START_TEST(administration)
{
    struct lab lab;
    struct bytes reply;
    struct error err = {0};
    peer_id coord = PEER_NODE(PEER_COORDINATOR, 1);

    lab_open(&lab, 1);
    lab_boot(&lab, "g", 2);
    bytes_init(&reply, 0);
    const char *again[] = {"verb", "graph.create", "name", "g", NULL};
    ck_assert_int_eq(lab_admin(&lab, coord, &reply, &err, again), MESSAGE_REFUSED);
    ck_assert_int_eq(err.code, E_EXISTS);
    const char *range[] = {"verb", "graph.create", "name",  "r", "shards",
                           "3",    "partitioner",  "range", NULL};
    ck_assert_int_eq(lab_admin(&lab, coord, &reply, &err, range), MESSAGE_ADMIN_REPLY);
    const char *index[] = {"verb",   "index.create", "graph", "g", "name",
                           "byName", "key",          "name",  NULL};
    ck_assert_int_eq(lab_admin(&lab, coord, &reply, &err, index), MESSAGE_ADMIN_REPLY);
    lab_run(&lab, 500);
    lab_refresh(&lab);
    ck_assert_uint_eq(lab.map.shard_count, 5);
    ck_assert_uint_eq(lab.map.graphs[0].index_count, 1);
    static const char *const verbs[] = {"status", "graph.list", "index.list"};
    for (size_t i = 0; i < 3; i++) {
        const char *pairs[] = {"verb", verbs[i], NULL};
        ck_assert_int_eq(lab_admin(&lab, coord, &reply, &err, pairs), MESSAGE_ADMIN_REPLY);
    }
    const char *stats[] = {"verb", "stats", NULL};
    ck_assert_int_eq(lab_admin(&lab, PEER_NODE(PEER_SHARDD, 1), &reply, &err, stats),
                     MESSAGE_ADMIN_REPLY);
    const char *verify[] = {"verb", "verify", "shard", "1", NULL};
    ck_assert_msg(lab_admin(&lab, PEER_NODE(PEER_SHARDD, 1), &reply, &err, verify) ==
                      MESSAGE_ADMIN_REPLY,
                  "%s", err.text);
    const char *symmetry[] = {"verb", "symmetry", "shard", "1", NULL};
    ck_assert_int_eq(lab_admin(&lab, PEER_NODE(PEER_SHARDD, 1), &reply, &err, symmetry),
                     MESSAGE_ADMIN_REPLY);
    const char *drop[] = {"verb", "graph.drop", "name", "g", NULL};
    ck_assert_int_eq(lab_admin(&lab, coord, &reply, &err, drop), MESSAGE_ADMIN_REPLY);
    lab_run(&lab, 500);
    ck_assert_int_eq(lab_admin(&lab, PEER_NODE(PEER_SHARDD, 1), &reply, &err, verify),
                     MESSAGE_REFUSED);
    ck_assert_int_eq(err.code, E_NOT_FOUND);
    bytes_close(&reply);
    lab_close(&lab);
}
END_TEST

static void move(const struct lab *lab, const char *from, const char *to)
{
    static const char *const suffixes[] = {"", "-wal"};
    char a[256], b[256];

    for (int i = 0; i < 2; i++) {
        snprintf(a, sizeof a, "%s/%s%s", lab->folder, from, suffixes[i]);
        snprintf(b, sizeof b, "%s/%s%s", lab->folder, to, suffixes[i]);
        ck_assert(rename(a, b) == 0 || errno == ENOENT);
    }
}

static bool is_there(const struct lab *lab, const char *name)
{
    char path[256];

    snprintf(path, sizeof path, "%s/%s", lab->folder, name);
    return access(path, F_OK) == 0;
}

/* coordinator.db was lost: a new one configures no node of the old cluster, not even one that has
 * just been started, and so drops and makes no file there. Put back, the old one does. */
START_TEST(coordinators_of_another_incarnation_configure_nothing)
{
    struct lab lab;
    uint64_t first;

    lab_open(&lab, 1);
    lab_boot(&lab, "g", 2);
    first = lab.nodes[1]->incarnation;
    ck_assert_uint_ne(first, 0);
    ck_assert_uint_eq(lab.coord->state.incarnation, first);
    lab_stop_coord(&lab);
    move(&lab, "coordinator.db", "kept.db");
    lab_start_coord(&lab);
    lab_run(&lab, 3000);
    ck_assert_uint_ne(lab.coord->state.incarnation, first);
    ck_assert_uint_eq(lab.coord->state.node_count, 0);
    lab_stop_node(&lab, 1);
    lab_start_node(&lab, 1);
    lab_run(&lab, 3000);
    ck_assert_uint_eq(lab.nodes[1]->incarnation, first);
    ck_assert_uint_eq(lab.coord->state.node_count, 0);
    ck_assert_uint_eq(lab.nodes[1]->map.version, 0);
    ck_assert(is_there(&lab, "node-1/shard-1.db") && is_there(&lab, "node-1/shard-2.db"));

    lab_stop_coord(&lab);
    move(&lab, "kept.db", "coordinator.db");
    lab_start_coord(&lab);
    lab_run(&lab, 3000);
    ck_assert_uint_eq(lab.coord->state.incarnation, first);
    ck_assert_uint_eq(lab.nodes[1]->replica_count, 2);
    ck_assert(lab.nodes[1]->replicas[0]->is_serving);
    lab_close(&lab);
}
END_TEST

/* A file from another cluster of the same name, put in this one's place. */
START_TEST(a_file_of_another_incarnation_is_suspect)
{
    struct lab lab;
    char path[256];

    lab_open(&lab, 1);
    lab_boot(&lab, "g", 2);
    lab_stop_node(&lab, 1);
    snprintf(path, sizeof path, "%s/node-1/shard-1.db", lab.folder);
    sqlite3 *db;
    ck_assert_int_eq(sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE, pagesum_vfs(NULL)),
                     SQLITE_OK);
    ck_assert_int_eq(sqlite3_exec(db,
                                  "PRAGMA locking_mode=EXCLUSIVE;"
                                  "UPDATE meta SET v = 77 WHERE k = 'incarnation'",
                                  NULL, NULL, NULL),
                     SQLITE_OK);
    sqlite3_close(db);
    lab_start_node(&lab, 1);
    lab_run(&lab, 3000);
    ck_assert_uint_eq(lab.nodes[1]->replica_count, 1);
    ck_assert_uint_eq(lab.nodes[1]->suspects.count, 1);
    const struct member_node *node = member_node(&lab.coord->member, 1);
    ck_assert_uint_eq(member_replica(node, 1)->suspect, ROSTER_FOREIGN);
    lab_close(&lab);
}
END_TEST

/* What is wrong comes first, and names who is at fault. */
START_TEST(status_says_what_is_wrong)
{
    struct lab lab;

    lab_open(&lab, 2);
    lab_boot(&lab, "g", 2);
    lab_run(&lab, 500);
    struct value status = coordstatus(lab.coord);
    struct bytes text = {0};
    value_print(&text, &status);
    ck_assert_msg(value_is_text(value_get_text(&status, "health"), "ok"), "%.*s", (int)text.size,
                  (const char *)text.data);
    bytes_close(&text);
    ck_assert_ptr_null(value_get_text(&status, "problems"));
    lab_stop_node(&lab, 1);
    lab_run(&lab, 2000);
    status = coordstatus(lab.coord);
    ck_assert(value_is_text(value_get_text(&status, "health"), "see problems"));
    const struct value *problems = value_get_text(&status, "problems");
    ck_assert_uint_ge(problems->size, 2);
    struct pairs pairs = {.count = 0};
    pairs_put(&pairs, "problem", value_cstring("shard g/1: NOT SERVED: node 1 is down"));
    bool is_told = false;
    for (uint32_t i = 0; i < problems->size; i++) {
        is_told =
            is_told || value_equal(value_get_text(&problems->items[i], "problem"), &pairs.items[1]);
    }
    ck_assert(is_told);
    arena_reset(&lab.coord->arena);
    lab_close(&lab);
}
END_TEST

/* A router that waits for a shard's next primary need not ask again and again. */
START_TEST(routers_are_told_of_each_change)
{
    struct lab lab;
    bool is_told = false;

    lab_open(&lab, 2);
    lab_boot(&lab, "g", 2);
    uint64_t version = lab.map.version;
    lab_stop_node(&lab, 1);
    lab_run(&lab, 2000);
    for (size_t i = 0; i < lab.inbox[LAB_CLIENT].count; i++) {
        const struct message *message = &lab.inbox[LAB_CLIENT].items[i];
        struct shardmap map;
        if (message->type == MESSAGE_MAP && message->req_id == 0) {
            ck_assert_int_eq(shardmap_decode(message->body, &map, NULL), E_OK);
            ck_assert_uint_gt(map.version, version);
            shardmap_close(&map);
            is_told = true;
        }
    }
    ck_assert(is_told);
    lab_run(&lab, COORD_MAP_KEPT_MS);
    lab_start_node(&lab, 1);
    size_t before = lab.inbox[LAB_CLIENT].count;
    lab_run(&lab, 2000);
    ck_assert_uint_eq(lab.inbox[LAB_CLIENT].count, before); /* It may be gone. */
    lab_close(&lab);
}
END_TEST

START_TEST(ids_are_leased_once)
{
    struct lab lab;
    struct bytes body;
    struct bytes reply;
    struct error err = {0};
    uint64_t next = 1 << 30;

    lab_open(&lab, 1);
    lab_boot(&lab, "g", 1);
    bytes_init(&body, 0);
    bytes_init(&reply, 0);
    control_lease_encode(&body, 1, 1000);
    for (int i = 0; i < 6; i++) {
        struct message message = {.type = MESSAGE_IDS_LEASE,
                                  .peer = PEER_NODE(PEER_COORDINATOR, 1),
                                  .body = bytes_slice(&body)};
        struct control_lease lease;
        if (i == 3) {
            lab_stop_coord(&lab);
            lab_start_coord(&lab);
            lab_run(&lab, 1000);
        }
        ck_assert_int_eq(lab_ask(&lab, &message, &reply, &err), MESSAGE_IDS_LEASED);
        ck_assert_int_eq(control_leased_decode(bytes_slice(&reply), &lease, &err), E_OK);
        ck_assert_uint_eq(lease.first, next);
        next += lease.count;
    }
    bytes_close(&body);
    bytes_close(&reply);
    lab_close(&lab);
}
END_TEST

static bool no_appends(struct lab *lab, size_t from, size_t to, const struct message *message)
{
    (void)lab, (void)from, (void)to;
    return message->type != MESSAGE_APPEND;
}

/* Below min_insync, the replica that left counts as whole. It loses its file and begins anew, and
 * before it has caught up the primary dies: it must not lead with the little that it has. */
START_TEST(an_emptied_replica_does_not_lead_although_it_was_eligible)
{
    static const char *const two[] = {"verb", "graph.set",  "name", "g", "replicas",
                                      "2",    "min_insync", "2",    NULL};
    struct lab lab;
    struct error err;
    struct bytes reply;
    char path[128];

    bytes_init(&reply, 0);
    lab_open(&lab, 2);
    lab.replicas = 2;
    lab_boot(&lab, "g", 1);
    ck_assert_int_eq(lab_admin(&lab, PEER_NODE(PEER_COORDINATOR, 1), &reply, &err, two),
                     MESSAGE_ADMIN_REPLY);
    lab_run(&lab, 1000);
    ck_assert_int_eq(commit1(&lab, 1, 1).reply.outcome, TXN_COMMITTED);
    lab_refresh(&lab);
    uint32_t first = lab.map.shards[0].primary;
    uint32_t other = 3 - first;
    lab_stop_node(&lab, other);
    lab_run(&lab, 3000);
    lab_refresh(&lab);
    ck_assert(nodeset_has(&lab.map.shards[0].elr, other));
    (void)snprintf(path, sizeof path, "%s/node-%u/shard-1.db", lab.folder, other);
    ck_assert_int_eq(unlink(path), 0);
    lab.filter = no_appends;
    lab_start_node(&lab, other);
    lab_run(&lab, 1000);
    ck_assert(map_has(&lab.nodes[other]->partial, 1));
    lab_stop_node(&lab, first);
    lab_run(&lab, 5000);
    lab_refresh(&lab);
    ck_assert_uint_eq(lab.map.shards[0].primary, first);
    lab_stop_node(&lab, other); /* It is remembered. */
    lab_start_node(&lab, other);
    lab_run(&lab, 3000);
    lab_refresh(&lab);
    ck_assert_uint_eq(lab.map.shards[0].primary, first);
    lab.filter = NULL;
    lab_start_node(&lab, first);
    lab_run(&lab, 5000);
    lab_refresh(&lab);
    ck_assert_uint_eq(lab.map.shards[0].isr.count, 2);
    ck_assert(!map_has(&lab.nodes[other]->partial, 1));
    ck_assert_int_eq(commit1(&lab, 1, 1).reply.outcome, TXN_COMMITTED);
    bytes_close(&reply);
    lab_close(&lab);
}
END_TEST

/* A replica is let go and taken on again: late answers of its life before are told apart by the
 * boot. */
START_TEST(a_replica_that_comes_back_does_so_under_another_boot)
{
    struct lab lab;
    struct error err;
    struct bytes reply;

    bytes_init(&reply, 0);
    lab_open(&lab, 2);
    lab.replicas = 2;
    lab_boot(&lab, "g", 1);
    uint32_t other = 3 - lab.map.shards[0].primary;
    uint64_t boot = lab.boot_of[other];
    for (uint32_t replicas = 1; replicas <= 2; replicas++) {
        const char *const set[] = {
            "verb", "graph.set", "name", "g", "replicas", replicas == 1 ? "1" : "2", NULL};
        ck_assert_int_eq(lab_admin(&lab, PEER_NODE(PEER_COORDINATOR, 1), &reply, &err, set),
                         MESSAGE_ADMIN_REPLY);
        lab_run(&lab, 5000);
        lab_refresh(&lab);
        ck_assert_uint_eq(lab.map.shards[0].isr.count, replicas);
    }
    ck_assert(lab.boot_of[other] != boot);
    bytes_close(&reply);
    lab_close(&lab);
}
END_TEST

/* Two replicas: what the one that leads has no room for, the other writes. */
START_TEST(a_primary_whose_disk_is_full_is_replaced)
{
    struct lab lab;
    uint64_t seq = 1;
    struct outcome outcome;

    lab_open(&lab, 2);
    lab.replicas = 2;
    lab_boot(&lab, "g", 1);
    ck_assert_uint_eq(lab.map.shards[0].replicas.count, 2);
    uint32_t full = lab.map.shards[0].primary;
    ck_assert_uint_eq(lab.nodes[full]->replica_count, 1);
    sqlite3 *db = lab.nodes[full]->replicas[0]->store->tables.stmt.db;
    ck_assert_int_eq(sqlite3_exec(db, "PRAGMA max_page_count = 1", NULL, NULL, NULL), SQLITE_OK);
    do {
        outcome = commit1(&lab, seq, (int64_t)seq);
        seq++;
    } while (outcome.reply.outcome == TXN_COMMITTED && seq < 500);
    ck_assert_int_eq(outcome.reply.outcome, TXN_ABORTED);
    ck_assert_int_eq(outcome.reply.code, E_LIMIT);
    lab_run(&lab, 1000);
    lab_refresh(&lab);
    ck_assert_uint_ne(lab.map.shards[0].primary, full);
    outcome = commit1(&lab, seq, (int64_t)seq);
    ck_assert_int_eq(outcome.reply.outcome, TXN_COMMITTED);
    lab_close(&lab);
}
END_TEST

RUN_SUITE("coord", boots_and_commits, two_shards_commit_together, restarts_lose_nothing,
          every_lost_message_is_made_good, doubt_ends_in_abort, administration,
          coordinators_of_another_incarnation_configure_nothing,
          a_file_of_another_incarnation_is_suspect, status_says_what_is_wrong,
          routers_are_told_of_each_change, ids_are_leased_once,
          a_primary_whose_disk_is_full_is_replaced,
          a_replica_that_comes_back_does_so_under_another_boot,
          an_emptied_replica_does_not_lead_although_it_was_eligible)
