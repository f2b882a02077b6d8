#include "router/remote/transaction.h"

#include "common/control.h"
#include "tests/lib/fake_shards.h"
#include "tests/lib/runner.h"

#include <string.h>

static void add_vertex(struct fake *fake, int64_t id)
{
    struct change change = {
        .kind = CHANGE_VERTEX_ADD, .vertex = vid_num(id), .label = SLICE("person")};

    ck_assert_int_eq(transaction_change(fake->exec.txn, &fake->exec, &change, NULL), E_OK);
}

/* Under RANGE the shards of the fake begin at 1000, 2000, ... */
static void note_read(struct fake *fake, uint32_t shard)
{
    struct read_head head = {.read_index = 100, .readset.first_index = 100};

    txn_readset_add(&head.readset, 7);
    ck_assert_int_eq(transaction_read(fake->exec.txn, shard, &head, NULL), E_OK);
    txn_readset_close(&head.readset);
}

static void commit(struct fake *fake)
{
    transaction_commit(fake->exec.txn, fake->now_ms + 5000);
}

static struct txn_request sent_request(struct fake *fake, const struct message *sent)
{
    struct txn_request request;

    ck_assert_int_eq(txn_request_decode(sent->body, &fake->arena, &request, NULL), E_OK);
    return request;
}

static struct message last_sent(const struct fake *fake)
{
    ck_assert_uint_gt(fake->out.count, 0);
    return fake->out.items[fake->out.count - 1];
}

START_TEST(nothing_read_and_nothing_written_commits_at_once)
{
    struct fake fake;

    fake_open(&fake, 2, PARTITION_RANGE);
    commit(&fake);
    ck_assert_int_eq(fake.exec.txn->state, TRANSACTION_COMMITTED);
    ck_assert_uint_eq(fake.out.count, 0);
    fake_close(&fake);
}
END_TEST

START_TEST(one_read_of_one_shard_needs_no_validation)
{
    struct fake fake;

    fake_open(&fake, 2, PARTITION_RANGE);
    note_read(&fake, FAKE_SHARD);
    commit(&fake);
    ck_assert_int_eq(fake.exec.txn->state, TRANSACTION_COMMITTED);
    ck_assert_uint_eq(fake.out.count, 0);
    fake_close(&fake);
}
END_TEST

START_TEST(reads_of_two_shards_are_validated_at_both)
{
    struct fake fake;

    fake_open(&fake, 3, PARTITION_RANGE);
    note_read(&fake, FAKE_SHARD);
    note_read(&fake, FAKE_SHARD + 1);
    commit(&fake);
    ck_assert_uint_eq(fake_count(&fake, MESSAGE_VALIDATE), 2);
    struct message first = fake.out.items[0];
    struct message second = fake.out.items[1];
    struct txn_prepare validate;
    ck_assert_int_eq(txn_prepare_decode(first.body, &validate, NULL), E_OK);
    ck_assert_uint_eq(validate.part.readset.first_index, 100);
    ck_assert(txn_readset_has(&validate.part.readset, 7));
    txn_readset_close(&validate.part.readset);
    fake_outcome(&fake, &first, MESSAGE_VALIDATE_REPLY, TXN_COMMITTED, 0, E_OK);
    ck_assert_int_eq(fake.exec.txn->state, TRANSACTION_COMMITTING);
    fake_outcome(&fake, &second, MESSAGE_VALIDATE_REPLY, TXN_COMMITTED, 0, E_OK);
    ck_assert_int_eq(fake.exec.txn->state, TRANSACTION_COMMITTED);
    ck_assert(fake.exec.txn->is_woken);
    fake_close(&fake);
}
END_TEST

START_TEST(two_reads_of_one_shard_are_validated)
{
    struct fake fake;

    fake_open(&fake, 2, PARTITION_RANGE);
    note_read(&fake, FAKE_SHARD);
    note_read(&fake, FAKE_SHARD);
    commit(&fake);
    ck_assert_uint_eq(fake_count(&fake, MESSAGE_VALIDATE), 1);
    fake_outcome(&fake, &fake.out.items[0], MESSAGE_VALIDATE_REPLY, TXN_ABORTED, 0, E_CONFLICT);
    ck_assert_int_eq(fake.exec.txn->state, TRANSACTION_ABORTED);
    ck_assert_int_eq(fake.exec.txn->error.code, E_CONFLICT);
    fake_close(&fake);
}
END_TEST

START_TEST(a_read_over_several_moments_is_validated)
{
    struct fake fake;
    struct read_head head = {.read_index = 105, .readset.first_index = 100};

    fake_open(&fake, 1, PARTITION_RANGE);
    ck_assert_int_eq(transaction_read(fake.exec.txn, FAKE_SHARD, &head, NULL), E_OK);
    commit(&fake);
    ck_assert_uint_eq(fake_count(&fake, MESSAGE_VALIDATE), 1);
    fake_close(&fake);
}
END_TEST

START_TEST(a_validation_refused_is_a_conflict)
{
    struct fake fake;

    fake_open(&fake, 2, PARTITION_RANGE);
    note_read(&fake, FAKE_SHARD);
    note_read(&fake, FAKE_SHARD + 1);
    commit(&fake);
    struct message second = fake.out.items[1];
    fake_refuse(&fake, &fake.out.items[0], E_WRONG_EPOCH);
    ck_assert_int_eq(fake.exec.txn->state, TRANSACTION_ABORTED);
    ck_assert_int_eq(fake.exec.txn->error.code, E_CONFLICT);
    fake_outcome(&fake, &second, MESSAGE_VALIDATE_REPLY, TXN_COMMITTED, 0, E_OK);
    ck_assert_int_eq(fake.exec.txn->state, TRANSACTION_ABORTED);
    fake_close(&fake);
}
END_TEST

START_TEST(all_on_one_shard_is_one_phase)
{
    struct fake fake;

    fake_open(&fake, 2, PARTITION_RANGE);
    add_vertex(&fake, 5);
    note_read(&fake, FAKE_SHARD);
    commit(&fake);
    struct message sent = last_sent(&fake);
    ck_assert_int_eq(sent.type, MESSAGE_COMMIT1);
    ck_assert(sent.peer == PEER_NODE(PEER_SHARDD, 1));
    ck_assert_uint_eq(sent.epoch, 3);
    struct txn_request request = sent_request(&fake, &sent);
    ck_assert_uint_eq(request.sid, FAKE_SID);
    ck_assert_uint_eq(request.seq, 1);
    ck_assert_uint_eq(request.low_seq, 1);
    ck_assert_uint_eq(request.part_count, 1);
    ck_assert_uint_eq(request.parts[0].shard, FAKE_SHARD);
    ck_assert_uint_eq(request.parts[0].epoch, 3);
    txn_request_close(&request);
    fake_outcome(&fake, &sent, MESSAGE_COMMIT1_REPLY, TXN_COMMITTED, 0, E_OK);
    ck_assert_int_eq(fake.exec.txn->state, TRANSACTION_COMMITTED);
    ck_assert_uint_eq(remote_low_seq(fake.remote), 2);
    fake_close(&fake);
}
END_TEST

START_TEST(a_write_here_and_a_read_there_is_two_phase)
{
    struct fake fake;

    fake_open(&fake, 2, PARTITION_RANGE);
    add_vertex(&fake, 5);
    note_read(&fake, FAKE_SHARD + 1);
    commit(&fake);
    struct message sent = last_sent(&fake);
    ck_assert_int_eq(sent.type, MESSAGE_TXN);
    ck_assert(sent.peer == PEER_NODE(PEER_COORDINATOR, 1));
    struct txn_request request = sent_request(&fake, &sent);
    ck_assert_uint_eq(request.term, FAKE_TERM);
    ck_assert_uint_eq(request.part_count, 2);
    ck_assert_uint_gt(request.parts[0].changes.size, 0);
    ck_assert_uint_eq(request.parts[1].changes.size, 0);
    txn_request_close(&request);
    fake_outcome(&fake, &sent, MESSAGE_TXN_REPLY, TXN_COMMITTED, FAKE_TERM, E_OK);
    ck_assert_int_eq(fake.exec.txn->state, TRANSACTION_COMMITTED);
    fake_close(&fake);
}
END_TEST

START_TEST(an_edge_between_shards_has_a_half_on_each)
{
    struct fake fake;
    struct change out = {.kind = CHANGE_EDGE_ADD,
                         .direction = DIRECTION_OUT,
                         .vertex = vid_num(5),
                         .far = vid_num(1005),
                         .edge = vid_num(77),
                         .label = SLICE("knows"),
                         .far_label = SLICE("dog")};

    fake_open(&fake, 2, PARTITION_RANGE);
    ck_assert_int_eq(transaction_edge(fake.exec.txn, &fake.exec, &out, SLICE("person"), NULL),
                     E_OK);
    commit(&fake);
    struct message sent = last_sent(&fake);
    ck_assert_int_eq(sent.type, MESSAGE_TXN);
    struct txn_request request = sent_request(&fake, &sent);
    ck_assert_uint_eq(request.part_count, 2);
    struct change half;
    struct reader reader;
    reader_init(&reader, request.parts[1].changes);
    ck_assert_uint_eq(reader_varint(&reader), 1);
    change_decode(&reader, &fake.arena, &half);
    ck_assert_int_eq(half.direction, DIRECTION_IN);
    ck_assert_int_eq(half.vertex.num, 1005);
    ck_assert_int_eq(half.far.num, 5);
    ck_assert_int_eq(half.edge.num, 77);
    ck_assert(slice_equal(half.far_label, SLICE("person")));
    txn_request_close(&request);
    fake_close(&fake);
}
END_TEST

START_TEST(a_refusal_of_the_shard_is_told_with_its_reason)
{
    struct fake fake;

    fake_open(&fake, 1, PARTITION_RANGE);
    add_vertex(&fake, 5);
    commit(&fake);
    struct message sent = last_sent(&fake);
    fake_outcome(&fake, &sent, MESSAGE_COMMIT1_REPLY, TXN_ABORTED, 0, E_EXISTS);
    ck_assert_int_eq(fake.exec.txn->state, TRANSACTION_ABORTED);
    ck_assert_int_eq(fake.exec.txn->error.code, E_EXISTS);
    fake_close(&fake);
}
END_TEST

static struct message last_of(const struct fake *fake, enum message_type type)
{
    size_t i = fake->out.count;

    while (i > 0 && fake->out.items[i - 1].type != type) {
        i--;
    }
    ck_assert_uint_gt(i, 0);
    return fake->out.items[i - 1];
}

/* The first copy was carried out, and the shard's next process does not trust its file. */
START_TEST(a_refusal_of_a_second_copy_does_not_fail_the_commit)
{
    struct fake fake;

    fake_open(&fake, 1, PARTITION_RANGE);
    add_vertex(&fake, 5);
    commit(&fake);
    fake_wait(&fake, 2000);
    ck_assert_uint_gt(fake_count(&fake, MESSAGE_COMMIT1), 1);
    struct message second = last_of(&fake, MESSAGE_COMMIT1);
    fake_refuse(&fake, &second, E_CORRUPT);
    ck_assert_int_eq(fake.exec.txn->state, TRANSACTION_COMMITTING);
    fake_wait(&fake, 100);
    struct message third = last_of(&fake, MESSAGE_COMMIT1);
    fake_outcome(&fake, &third, MESSAGE_COMMIT1_REPLY, TXN_COMMITTED, 0, E_OK);
    ck_assert_int_eq(fake.exec.txn->state, TRANSACTION_COMMITTED);
    fake_close(&fake);
}
END_TEST

START_TEST(a_commit_under_an_old_epoch_goes_on_under_the_new_one_with_the_same_number)
{
    struct fake fake;
    struct bytes map;

    fake_open(&fake, 1, PARTITION_RANGE);
    add_vertex(&fake, 5);
    commit(&fake);
    struct message first = last_sent(&fake);
    fake_refuse(&fake, &first, E_WRONG_EPOCH);
    struct message get = last_sent(&fake);
    ck_assert_int_eq(get.type, MESSAGE_MAP_GET);
    bytes_init(&map, 0);
    fake_map(&map, 2, 4, 1, PARTITION_RANGE);
    fake_answer(&fake, &get, MESSAGE_MAP, bytes_slice(&map));
    bytes_close(&map);
    struct message second = last_sent(&fake);
    ck_assert_int_eq(second.type, MESSAGE_COMMIT1);
    ck_assert_uint_eq(second.epoch, 4);
    struct txn_request request = sent_request(&fake, &second);
    ck_assert_uint_eq(request.seq, 1);
    ck_assert_uint_eq(request.parts[0].epoch, 4);
    txn_request_close(&request);
    /* The old epoch's refusal comes late: it does not bind the new one. */
    fake_outcome(&fake, &first, MESSAGE_COMMIT1_REPLY, TXN_ABORTED, 0, E_CONFLICT);
    ck_assert_int_eq(fake.exec.txn->state, TRANSACTION_COMMITTING);
    fake_wait(&fake, 100);
    struct message third = last_sent(&fake);
    fake_outcome(&fake, &third, MESSAGE_COMMIT1_REPLY, TXN_COMMITTED, 0, E_OK);
    ck_assert_int_eq(fake.exec.txn->state, TRANSACTION_COMMITTED);
    fake_close(&fake);
}
END_TEST

static void open_two_phase(struct fake *fake)
{
    fake_open(fake, 2, PARTITION_RANGE);
    add_vertex(fake, 5);
    add_vertex(fake, 1005);
    commit(fake);
}

START_TEST(a_new_term_is_learnt_and_the_transaction_sent_again)
{
    struct fake fake;

    open_two_phase(&fake);
    struct message first = last_sent(&fake);
    fake_outcome(&fake, &first, MESSAGE_TXN_REPLY, TXN_WRONG_TERM, 9, E_OK);
    struct message second = last_sent(&fake);
    ck_assert_uint_eq(second.req_id, first.req_id);
    struct txn_request request = sent_request(&fake, &second);
    ck_assert_uint_eq(request.term, 9);
    ck_assert_uint_eq(request.seq, 1);
    txn_request_close(&request);
    fake_close(&fake);
}
END_TEST

START_TEST(an_abort_of_an_older_term_does_not_count)
{
    struct fake fake;

    open_two_phase(&fake);
    struct message sent = last_sent(&fake);
    fake_outcome(&fake, &sent, MESSAGE_TXN_REPLY, TXN_WRONG_TERM, 9, E_OK);
    fake_outcome(&fake, &sent, MESSAGE_TXN_REPLY, TXN_ABORTED, FAKE_TERM, E_CONFLICT);
    ck_assert_int_eq(fake.exec.txn->state, TRANSACTION_COMMITTING);
    fake_wait(&fake, 100);
    sent = last_sent(&fake);
    fake_outcome(&fake, &sent, MESSAGE_TXN_REPLY, TXN_ABORTED, 9, E_CONFLICT);
    ck_assert_int_eq(fake.exec.txn->state, TRANSACTION_ABORTED);
    fake_close(&fake);
}
END_TEST

START_TEST(a_commit_of_any_term_counts)
{
    struct fake fake;

    open_two_phase(&fake);
    struct message sent = last_sent(&fake);
    fake_outcome(&fake, &sent, MESSAGE_TXN_REPLY, TXN_WRONG_TERM, 9, E_OK);
    fake_outcome(&fake, &sent, MESSAGE_TXN_REPLY, TXN_COMMITTED, FAKE_TERM, E_OK);
    ck_assert_int_eq(fake.exec.txn->state, TRANSACTION_COMMITTED);
    fake_close(&fake);
}
END_TEST

START_TEST(who_does_not_lead_tells_who_does)
{
    struct fake fake;
    struct error err = {0};
    struct bytes body;

    open_two_phase(&fake);
    struct message sent = last_sent(&fake);
    error_set(&err, E_NOT_LEADER, "not me; the leader is 2");
    bytes_init(&body, 0);
    message_refuse(&body, &err);
    fake_answer(&fake, &sent, MESSAGE_REFUSED, bytes_slice(&body));
    bytes_close(&body);
    struct message second = last_sent(&fake);
    ck_assert_int_eq(second.type, MESSAGE_TXN);
    ck_assert(second.peer == PEER_NODE(PEER_COORDINATOR, 2));
    ck_assert(slice_equal(second.body, sent.body));
    fake_close(&fake);
}
END_TEST

START_TEST(no_answer_until_the_deadline_is_unknown)
{
    struct fake fake;

    open_two_phase(&fake);
    fake_wait(&fake, 4999);
    ck_assert_int_eq(fake.exec.txn->state, TRANSACTION_COMMITTING);
    ck_assert_uint_gt(fake_count(&fake, MESSAGE_TXN), 1);
    fake_wait(&fake, 1);
    ck_assert_int_eq(fake.exec.txn->state, TRANSACTION_UNKNOWN);
    ck_assert_int_eq(fake.exec.txn->error.code, E_UNKNOWN_OUTCOME);
    ck_assert_ptr_nonnull(strstr(fake.exec.txn->error.text, "77:1"));
    /* It can be asked for a minute long. */
    ck_assert_uint_eq(remote_low_seq(fake.remote), 1);
    fake_wait(&fake, 60000);
    ck_assert_uint_eq(remote_low_seq(fake.remote), 2);
    fake_close(&fake);
}
END_TEST

START_TEST(an_expired_session_is_renewed_and_the_transaction_run_again)
{
    struct fake fake;

    open_two_phase(&fake);
    struct message sent = last_sent(&fake);
    fake_refuse(&fake, &sent, E_NOT_FOUND);
    ck_assert_int_eq(fake.exec.txn->state, TRANSACTION_ABORTED);
    ck_assert_int_eq(fake.exec.txn->error.code, E_CONFLICT);
    struct message again = last_sent(&fake);
    ck_assert_int_eq(again.type, MESSAGE_ROUTER_REGISTER);
    struct control_registered registered = {.sid = 99, .term = FAKE_TERM};
    struct bytes map, body;
    bytes_init(&map, 0);
    bytes_init(&body, 0);
    fake_map(&map, 1, 3, 2, PARTITION_RANGE);
    registered.map = bytes_slice(&map);
    control_registered_encode(&body, &registered);
    fake_answer(&fake, &again, MESSAGE_ROUTER_REGISTERED, bytes_slice(&body));
    bytes_close(&map);
    bytes_close(&body);
    ck_assert_uint_eq(remote_sid(fake.remote), 99);
    fake_close(&fake);
}
END_TEST

START_TEST(undone_changes_are_not_committed)
{
    struct fake fake;
    struct transaction_mark mark;

    fake_open(&fake, 2, PARTITION_RANGE);
    add_vertex(&fake, 5);
    transaction_mark(fake.exec.txn, &fake.arena, &mark);
    add_vertex(&fake, 6);
    add_vertex(&fake, 1005);
    transaction_undo(fake.exec.txn, &mark);
    ck_assert_uint_eq(transaction_change_count(fake.exec.txn), 1);
    commit(&fake);
    struct message sent = last_sent(&fake);
    ck_assert_int_eq(sent.type, MESSAGE_COMMIT1);
    struct txn_request request = sent_request(&fake, &sent);
    ck_assert_uint_eq(request.parts[0].changes.data[0], 1);
    txn_request_close(&request);
    fake_close(&fake);
}
END_TEST

START_TEST(ids_of_edges_fall_into_the_shard_of_their_source)
{
    struct fake fake;
    struct control_lease lease = {.graph = FAKE_GRAPH, .first = 5000, .count = 10000};
    struct bytes body;
    int64_t id;

    fake_open(&fake, 4, PARTITION_HASH);
    struct vid near = vid_num(123);
    ck_assert_int_eq(transaction_new_id(fake.exec.txn, &fake.exec, &near, &id), PULL_WAIT);
    struct message sent = last_sent(&fake);
    ck_assert_int_eq(sent.type, MESSAGE_IDS_LEASE);
    bytes_init(&body, 0);
    control_leased_encode(&body, &lease);
    fake_answer(&fake, &sent, MESSAGE_IDS_LEASED, bytes_slice(&body));
    bytes_close(&body);
    ck_assert(fake.exec.txn->is_woken);
    const struct shardmap *map = remote_map(fake.remote);
    struct map seen;
    map_init(&seen, NULL);
    for (int i = 0; i < 500; i++) {
        struct vid source = vid_num(i % 10);
        ck_assert_int_eq(transaction_new_id(fake.exec.txn, &fake.exec, &source, &id), PULL_BATCH);
        struct vid edge = vid_num(id);
        ck_assert_uint_eq(shardmap_lookup(map, map->graphs, &edge),
                          shardmap_lookup(map, map->graphs, &source));
        ck_assert(map_put(&seen, (uint64_t)id, 1));
    }
    map_close(&seen);
    fake_close(&fake);
}
END_TEST

START_TEST(too_many_changes_are_refused)
{
    struct fake fake;
    struct change change = {
        .kind = CHANGE_VERTEX_ADD, .vertex = vid_num(1), .label = SLICE("person")};

    fake_open(&fake, 1, PARTITION_HASH);
    for (int i = 0; i < CHANGE_COUNT_MAX; i++) {
        ck_assert_int_eq(transaction_change(fake.exec.txn, &fake.exec, &change, NULL), E_OK);
    }
    ck_assert_int_eq(transaction_change(fake.exec.txn, &fake.exec, &change, NULL), E_LIMIT);
    fake_close(&fake);
}
END_TEST

RUN_SUITE("transaction", nothing_read_and_nothing_written_commits_at_once,
          one_read_of_one_shard_needs_no_validation, reads_of_two_shards_are_validated_at_both,
          two_reads_of_one_shard_are_validated, a_read_over_several_moments_is_validated,
          a_validation_refused_is_a_conflict, all_on_one_shard_is_one_phase,
          a_write_here_and_a_read_there_is_two_phase, an_edge_between_shards_has_a_half_on_each,
          a_refusal_of_the_shard_is_told_with_its_reason,
          a_refusal_of_a_second_copy_does_not_fail_the_commit,
          a_commit_under_an_old_epoch_goes_on_under_the_new_one_with_the_same_number,
          a_new_term_is_learnt_and_the_transaction_sent_again,
          an_abort_of_an_older_term_does_not_count, a_commit_of_any_term_counts,
          who_does_not_lead_tells_who_does, no_answer_until_the_deadline_is_unknown,
          an_expired_session_is_renewed_and_the_transaction_run_again,
          undone_changes_are_not_committed, ids_of_edges_fall_into_the_shard_of_their_source,
          too_many_changes_are_refused)
