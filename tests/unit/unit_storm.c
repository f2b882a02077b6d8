/*
 * A storm over two shards: pairs of vertices, one on each, written by several clients while
 * messages are lost, repeated, delayed and reordered and processes restart. After it each pair is
 * there whole or not at all, as its client was told, and nothing is locked.
 */
#include "common/change.h"
#include "common/mutation.h"
#include "common/read.h"
#include "shardd/node.h"
#include "tests/lib/lab.h"

#include "tests/lib/runner.h"

#include <stdio.h>

enum { CLIENTS = 6, PAIRS = 120, SEEDS = 12, RESEND_MS = 250, LIMIT_MS = 400000 };

enum pair_state { PAIR_NEW, PAIR_COMMITTED, PAIR_ABORTED };

struct pair {
    int64_t ids[2];
    enum pair_state state;
};

struct client {
    int pair; /* Index; -1: none. */
    uint64_t seq;
    uint64_t req_id;
    uint64_t resend_ms;
    uint64_t term;  /* Of the latest send. */
    bool is_single; /* One shard: COMMIT1. */
};

struct storm {
    struct lab lab;
    struct pair pairs[PAIRS];
    int pair_next;
    struct client clients[CLIENTS];
    struct prng prng;
    int committed, aborted;
};

static int64_t id_on(struct storm *storm, uint32_t place, int64_t from)
{
    for (;; from++) {
        struct vid vid = vid_num(from);
        if (shardmap_lookup(&storm->lab.map, &storm->lab.map.graphs[0], &vid) == place) {
            return from;
        }
    }
}

static void encode_vertex(struct bytes *out, int64_t id)
{
    struct change change = {
        .kind = CHANGE_VERTEX_ADD, .vertex = vid_num(id), .label = SLICE("person")};

    bytes_varint(out, 1);
    change_encode(out, &change);
}

static uint64_t low_seq(const struct storm *storm)
{
    uint64_t low = storm->lab.seq + 1;

    for (int i = 0; i < CLIENTS; i++) {
        if (storm->clients[i].pair >= 0 && storm->clients[i].seq < low) {
            low = storm->clients[i].seq;
        }
    }
    return low;
}

/* Shards 1 and 2 are on nodes 1 and 2. */
static void send(struct storm *storm, struct client *client)
{
    struct lab *lab = &storm->lab;
    const struct pair *pair = &storm->pairs[client->pair];
    struct bytes changes[2];
    struct bytes body;
    struct txn_part parts[2] = {0};
    struct txn_request request = {.sid = lab->sid,
                                  .seq = client->seq,
                                  .low_seq = low_seq(storm),
                                  .term = lab->term,
                                  .part_count = client->is_single ? 1 : 2,
                                  .parts = parts};

    for (uint32_t i = 0; i < 2; i++) {
        bytes_init(&changes[i], 0);
        encode_vertex(&changes[i], pair->ids[i]);
        parts[i].shard = lab->map.shards[i].shard;
        parts[i].epoch = lab->map.shards[i].epoch;
        parts[i].changes = bytes_slice(&changes[i]);
    }
    bytes_init(&body, 0);
    txn_request_encode(&body, &request);
    struct message message = {.type = client->is_single ? MESSAGE_COMMIT1 : MESSAGE_TXN,
                              .peer = client->is_single ? PEER_NODE(PEER_SHARDD, 1)
                                                        : PEER_NODE(PEER_COORDINATOR, 1),
                              .shard = parts[0].shard,
                              .epoch = parts[0].epoch,
                              .body = bytes_slice(&body)};
    client->term = lab->term;
    client->req_id = lab_send(lab, &message);
    client->resend_ms = lab->now_ms + RESEND_MS;
    bytes_close(&body);
    bytes_close(&changes[0]);
    bytes_close(&changes[1]);
}

static void end(struct storm *storm, struct client *client, enum pair_state state)
{
    storm->pairs[client->pair].state = state;
    client->pair = -1;
    *(state == PAIR_COMMITTED ? &storm->committed : &storm->aborted) += 1;
}

static void on_reply(struct storm *storm, struct client *client, const struct message *message)
{
    struct txn_reply reply;
    struct lab *lab = &storm->lab;

    if (message->type == MESSAGE_REFUSED) {
        return; /* Asked again. */
    }
    ck_assert_int_eq(txn_reply_decode(message->body, &reply, NULL), E_OK);
    if (reply.term > lab->term) {
        lab->term = reply.term;
    }
    if (reply.outcome == TXN_COMMITTED) {
        end(storm, client, PAIR_COMMITTED);
    } else if (reply.outcome == TXN_ABORTED && (client->is_single || reply.term == client->term)) {
        end(storm, client, PAIR_ABORTED);
    }
}

static void take_replies(struct storm *storm)
{
    struct outbox inbox = storm->lab.inbox[LAB_CLIENT];

    outbox_init(&storm->lab.inbox[LAB_CLIENT]);
    for (size_t i = 0; i < inbox.count; i++) {
        for (int j = 0; j < CLIENTS; j++) {
            struct client *client = &storm->clients[j];
            if (client->pair >= 0 && client->req_id == inbox.items[i].req_id) {
                on_reply(storm, client, &inbox.items[i]);
            }
        }
        if (inbox.items[i].type == MESSAGE_MAP && inbox.items[i].body.size > 0) {
            shardmap_close(&storm->lab.map);
            ck_assert_int_eq(shardmap_decode(inbox.items[i].body, &storm->lab.map, NULL), E_OK);
        }
    }
    outbox_close(&inbox);
}

static void ask_map(struct storm *storm)
{
    uint8_t zero = 0;
    struct message message = {.type = MESSAGE_MAP_GET,
                              .peer = PEER_NODE(PEER_COORDINATOR, 1),
                              .body = slice_of(&zero, 1)};

    lab_send(&storm->lab, &message);
}

static void drive_clients(struct storm *storm, bool is_open)
{
    for (int i = 0; i < CLIENTS; i++) {
        struct client *client = &storm->clients[i];
        if (client->pair < 0 && is_open && storm->pair_next < PAIRS) {
            client->pair = storm->pair_next++;
            client->seq = ++storm->lab.seq;
            client->is_single = prng_chance(&storm->prng, 0.3);
            send(storm, client);
        } else if (client->pair >= 0 && storm->lab.now_ms >= client->resend_ms) {
            ask_map(storm);
            send(storm, client);
        }
    }
}

static void disturb(struct storm *storm)
{
    struct lab *lab = &storm->lab;

    switch (prng_below(&storm->prng, 4)) {
    case 0:
        lab_stop_coord(lab);
        lab_start_coord(lab);
        break;
    case 1:
    case 2: {
        uint32_t node = 1 + (uint32_t)prng_below(&storm->prng, 2);
        lab_stop_node(lab, node);
        lab_start_node(lab, node);
        break;
    }
    default:
        break;
    }
}

static bool is_there(struct storm *storm, uint32_t place, int64_t id)
{
    const struct shardmap_shard *shard = &storm->lab.map.shards[place];
    struct read_input input = {.id = vid_num(id), .bulk = 1};
    struct read_request read = {
        .source = READ_IDS, .emit = READ_COUNT, .input_count = 1, .inputs = &input};
    struct read_reply opened;
    struct read_row row = {0};
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
    ck_assert_msg(lab_ask(&storm->lab, &message, &reply, &err) == MESSAGE_READ_REPLY, "%s",
                  err.text);
    ck_assert_int_eq(read_reply_open(bytes_slice(&reply), &arena, false, &opened, &err), E_OK);
    uint64_t count = 0;
    while (read_reply_next(&opened, &arena, &row, &err) == 1) {
        count += row.bulk;
    }
    read_reply_close(&opened);
    arena_close(&arena);
    bytes_close(&body);
    bytes_close(&reply);
    ck_assert_uint_le(count, 1);
    return count == 1;
}

static void check_all(struct storm *storm, const bool *is_single)
{
    for (int i = 0; i < storm->pair_next; i++) {
        const struct pair *pair = &storm->pairs[i];
        bool a = is_there(storm, 0, pair->ids[0]);
        bool b = is_there(storm, 1, pair->ids[1]);
        if (!is_single[i]) {
            ck_assert_msg(a == b, "half of pair %d is there", i);
        }
        ck_assert_msg(a == (pair->state == PAIR_COMMITTED), "pair %d was told %d, is %d", i,
                      pair->state, a);
    }
    for (uint32_t node = 1; node <= 2; node++) {
        for (size_t i = 0; i < storm->lab.nodes[node]->replica_count; i++) {
            const struct participant *core = &storm->lab.nodes[node]->replicas[i]->core;
            ck_assert_uint_eq(core->prepared_count, 0);
            ck_assert_uint_eq(core->counters.contradictions, 0);
        }
    }
}

static void run_one(uint64_t seed)
{
    static struct storm storm;
    bool is_single[PAIRS] = {false};
    uint64_t next_ms;

    storm = (struct storm){0};
    prng_init(&storm.prng, seed);
    lab_open(&storm.lab, 2);
    lab_boot(&storm.lab, "g", 2);
    ck_assert_uint_eq(storm.lab.map.shards[0].primary, 1);
    ck_assert_uint_eq(storm.lab.map.shards[1].primary, 2);
    int64_t ids[2] = {1, 1};
    for (int i = 0; i < PAIRS; i++) {
        for (uint32_t j = 0; j < 2; j++) {
            /* Every tenth is taken already: a transaction that has to be refused. */
            bool is_taken = i % 10 == 9 && j == 0;
            storm.pairs[i].ids[j] =
                is_taken ? storm.pairs[i - 1].ids[j] : id_on(&storm, j, ids[j] + 1);
            ids[j] = storm.pairs[i].ids[j];
        }
    }
    for (int i = 0; i < CLIENTS; i++) {
        storm.clients[i].pair = -1;
    }
    prng_init(&storm.lab.prng, seed + 1000);
    storm.lab.is_lossy = true;
    next_ms = storm.lab.now_ms + 500;
    bool is_open = true;
    while (storm.lab.now_ms < LIMIT_MS && is_open) {
        drive_clients(&storm, true);
        lab_step(&storm.lab, storm.lab.now_ms + 20);
        take_replies(&storm);
        if (storm.lab.now_ms >= next_ms) {
            disturb(&storm);
            next_ms = storm.lab.now_ms + 200 + prng_below(&storm.prng, 2500);
        }
        is_open = storm.pair_next < PAIRS;
        for (int i = 0; i < CLIENTS; i++) {
            is_open = is_open || storm.clients[i].pair >= 0;
            if (storm.clients[i].pair >= 0 && storm.clients[i].is_single) {
                is_single[storm.clients[i].pair] = true;
            }
        }
    }
    storm.lab.is_lossy = false;
    ck_assert_int_eq(storm.committed + storm.aborted, PAIRS);
    ck_assert_int_gt(storm.committed, PAIRS / 4);
    lab_run(&storm.lab, 8000);
    lab_refresh(&storm.lab);
    /* The pairs that shared an id with the one before: whichever was first. */
    for (int i = 9; i < PAIRS; i += 10) {
        if (storm.pairs[i].state == PAIR_COMMITTED || storm.pairs[i - 1].state == PAIR_COMMITTED) {
            ck_assert(is_there(&storm, 0, storm.pairs[i].ids[0]));
            ck_assert(storm.pairs[i].state != storm.pairs[i - 1].state);
        }
        storm.pairs[i].ids[0] = storm.pairs[i].state == PAIR_COMMITTED
                                    ? storm.pairs[i].ids[0]
                                    : id_on(&storm, 0, 1000000 + i * 100);
        if (storm.pairs[i].state == PAIR_COMMITTED) {
            storm.pairs[i - 1].ids[0] = id_on(&storm, 0, 2000000 + i * 100);
        }
    }
    check_all(&storm, is_single);
    lab_close(&storm.lab);
}

static uint64_t number(const char *name, uint64_t otherwise)
{
    const char *text = getenv(name);

    return text == NULL ? otherwise : strtoull(text, NULL, 10);
}

START_TEST(pairs_stay_whole)
{
    uint64_t first = number("STORM_SEED", 1);
    uint64_t count = number("STORM_SEEDS", SEEDS);

#ifdef CARDEA_MUTATION
    mutation_set((enum mutation)number("STORM_MUTATION", 0));
#endif
    for (uint64_t seed = first; seed < first + count; seed++) {
        fprintf(stderr, "seed %llu\n", (unsigned long long)seed);
        run_one(seed);
    }
}
END_TEST

RUN_SUITE("storm", pairs_stay_whole)
