#include "coordinator/decision.h"

#include "tests/lib/runner.h"

#include <string.h>

/* The core over a real state, with a trace of its effects, one line an effect. What it submits is
 * applied when the test says so. */
struct fixture {
    struct state state;
    struct decision core;
    struct decision_effects effects;
    struct bytes trace;
    struct bytes submitted; /* The last DECIDE or FORGET, encoded. */
    uint64_t now_ms;
    uint64_t token;
};

static unsigned long long num(uint64_t v)
{
    return (unsigned long long)v;
}

static void submit(struct fixture *f, const struct state_command *command)
{
    bytes_clear(&f->submitted);
    state_command_encode(&f->submitted, command);
}

static void note_answer(struct fixture *f, const struct decision_effect *effect)
{
    static const char *const outcomes[] = {"", "committed", "aborted", "wrong term", "wait"};

    bytes_format(&f->trace, "answer %llu %s", num(effect->token), outcomes[effect->outcome]);
    bytes_format(&f->trace, "%s%s\n", effect->code == E_OK ? "" : " ",
                 effect->code == E_OK ? "" : error_name(effect->code));
}

static void note(struct fixture *f, const struct decision_effect *effect)
{
    switch (effect->kind) {
    case DECISION_SEND_PREPARE:
        bytes_format(&f->trace, "prepare %llu at %u, low %llu\n", num(effect->gtid.counter),
                     effect->part->shard, num(effect->watermark.counter));
        break;
    case DECISION_SEND_VALIDATE:
        bytes_format(&f->trace, "validate %llu at %u\n", num(effect->gtid.counter),
                     effect->part->shard);
        break;
    case DECISION_SEND_DECIDE:
        bytes_format(&f->trace, "%s %llu at %u\n", effect->is_commit ? "commit" : "abort",
                     num(effect->gtid.counter), effect->shard);
        break;
    case DECISION_ANSWER:
        note_answer(f, effect);
        break;
    case DECISION_REFUSE:
        bytes_format(&f->trace, "refuse %llu %s\n", num(effect->token), error_name(effect->code));
        break;
    case DECISION_DROP:
        bytes_format(&f->trace, "drop %llu\n", num(effect->token));
        break;
    case DECISION_SUBMIT:
        bytes_format(&f->trace, "submit %llu\n", num(effect->gtid.counter));
        submit(f, &(struct state_command){.kind = STATE_DECIDE,
                                          .gtid = effect->gtid,
                                          .sid = effect->sid,
                                          .seq = effect->seq,
                                          .low_seq = effect->low_seq,
                                          .shard_count = effect->count,
                                          .shards = effect->shards});
        break;
    case DECISION_FORGET:
        bytes_format(&f->trace, "forget %u\n", effect->count);
        submit(f, &(struct state_command){
                      .kind = STATE_FORGET, .gtid_count = effect->count, .gtids = effect->gtids});
        break;
    }
}

static void feed(struct fixture *f, struct decision_event *event)
{
    event->now_ms = f->now_ms;
    decision_advance(&f->core, event, &f->effects);
    for (size_t i = 0; i < f->effects.count; i++) {
        note(f, &f->effects.items[i]);
    }
}

static void expect(struct fixture *f, const char *trace)
{
    bytes_u8(&f->trace, 0);
    ck_assert_str_eq((const char *)f->trace.data, trace);
    bytes_clear(&f->trace);
}

static void apply(struct fixture *f, const struct state_command *command)
{
    struct state_result result;

    state_apply(&f->state, command, &result);
    ck_assert_int_eq(result.code, E_OK);
}

/* Applies what was submitted last, and tells the core. */
static void applied(struct fixture *f)
{
    struct arena arena = {0};
    struct state_command command;
    struct state_result result;

    ck_assert_int_eq(state_command_decode(bytes_slice(&f->submitted), &arena, &command, NULL),
                     E_OK);
    state_apply(&f->state, &command, &result);
    if (command.kind == STATE_DECIDE) {
        feed(f, &(struct decision_event){
                    .kind = DECISION_APPLIED, .gtid = command.gtid, .code = result.code});
    }
    arena_close(&arena);
}

static void start(struct fixture *f)
{
    static const uint32_t nodes[] = {1, 1, 1, 1};
    static const struct nodeset replicas[] = {{1, {1}}, {1, {1}}, {1, {1}}, {1, {1}}};
    static struct slice splits[3];

    splits[0] = SLICE("4");
    splits[1] = SLICE("8");
    splits[2] = SLICE("c");
    *f = (struct fixture){.now_ms = 1000};
    bytes_init(&f->trace, 0);
    bytes_init(&f->submitted, 0);
    state_init(&f->state, 7);
    decision_init(&f->core, &f->state, 5000);
    apply(f, &(struct state_command){.kind = STATE_NODE_UP, .node = 1, .boot = 9, .weight = 1});
    apply(f, &(struct state_command){.kind = STATE_GRAPH_CREATE,
                                     .name = SLICE("g"),
                                     .partitioner = PARTITION_HASH,
                                     .ids = IDS_LONG,
                                     .shard_count = 4,
                                     .shards = nodes,
                                     .replicas = replicas,
                                     .replica_count = 1,
                                     .min_insync = 1,
                                     .splits = splits});
    apply(f, &(struct state_command){.kind = STATE_SESSION_NEW});
    feed(f, &(struct decision_event){.kind = DECISION_LEAD, .term = 3});
    expect(f, "");
}

static void stop(struct fixture *f)
{
    decision_close(&f->core);
    decision_effects_close(&f->effects);
    state_close(&f->state);
    bytes_close(&f->trace);
    bytes_close(&f->submitted);
}

/* writes, reads: digits, a shard each. */
static void txn_in(struct fixture *f, uint64_t term, uint64_t seq, const char *writes,
                   const char *reads)
{
    struct txn_part parts[8] = {0};
    struct txn_request request = {.sid = 1, .seq = seq, .term = term, .parts = parts};
    struct bytes body;

    for (const char *at = writes; *at != '\0'; at++) {
        parts[request.part_count].changes = SLICE("\x01x");
        parts[request.part_count++].shard = (uint32_t)(*at - '0');
    }
    for (const char *at = reads; *at != '\0'; at++) {
        parts[request.part_count].changes = SLICE("\x00");
        parts[request.part_count++].shard = (uint32_t)(*at - '0');
    }
    bytes_init(&body, 0);
    txn_request_encode(&body, &request);
    feed(f, &(struct decision_event){
                .kind = DECISION_TXN, .token = ++f->token, .body = bytes_slice(&body)});
    bytes_close(&body);
}

static void txn(struct fixture *f, uint64_t seq, const char *writes, const char *reads)
{
    txn_in(f, f->core.term, seq, writes, reads);
}

static void tell(struct fixture *f, enum decision_event_kind kind, uint64_t counter, uint32_t shard,
                 int code)
{
    feed(f, &(struct decision_event){.kind = kind,
                                     .gtid = {f->core.term, counter},
                                     .shard = shard,
                                     .is_yes = code == E_OK,
                                     .code = code});
}

static void inquire(struct fixture *f, uint64_t term, uint64_t counter)
{
    feed(f, &(struct decision_event){
                .kind = DECISION_INQUIRE, .token = ++f->token, .gtid = {term, counter}});
}

START_TEST(commit)
{
    struct fixture f;

    start(&f);
    txn(&f, 1, "12", "");
    expect(&f, "prepare 1 at 1, low 1\nprepare 1 at 2, low 1\n");
    tell(&f, DECISION_VOTE, 1, 1, E_OK);
    tell(&f, DECISION_VOTE, 1, 1, E_OK);
    expect(&f, "");
    tell(&f, DECISION_VOTE, 1, 2, E_OK);
    expect(&f, "submit 1\n"); /* Nothing is told before it is durable. */
    inquire(&f, 3, 1);
    expect(&f, "answer 2 wait\n");
    applied(&f);
    expect(&f, "answer 1 committed\ncommit 1 at 1\ncommit 1 at 2\n");
    inquire(&f, 3, 1);
    tell(&f, DECISION_DONE, 1, 2, E_OK);
    feed(&f, &(struct decision_event){.kind = DECISION_FLUSH});
    expect(&f, "answer 3 committed\n");
    ck_assert_uint_eq(decision_watermark(&f.core).counter, 1);
    tell(&f, DECISION_DONE, 1, 1, E_OK);
    feed(&f, &(struct decision_event){.kind = DECISION_FLUSH});
    expect(&f, ""); /* Others may join. */
    f.now_ms = decision_deadline(&f.core);
    ck_assert_uint_eq(f.now_ms, 1000 + DECISION_FORGET_MS);
    feed(&f, &(struct decision_event){.kind = DECISION_FLUSH});
    expect(&f, "forget 1\n");
    applied(&f);
    ck_assert_uint_eq(decision_watermark(&f.core).counter, 2);
    feed(&f, &(struct decision_event){.kind = DECISION_FLUSH});
    expect(&f, "");
    txn(&f, 1, "12", ""); /* The router did not hear. */
    expect(&f, "answer 4 committed\n");
    stop(&f);
}
END_TEST

START_TEST(read_only_parts_are_asked_after_the_last_yes)
{
    struct fixture f;

    start(&f);
    txn(&f, 1, "1", "23");
    tell(&f, DECISION_VALIDATED, 1, 2, E_OK); /* Out of the blue: does not count. */
    expect(&f, "prepare 1 at 1, low 1\n");
    tell(&f, DECISION_VOTE, 1, 1, E_OK);
    expect(&f, "validate 1 at 2\nvalidate 1 at 3\n");
    tell(&f, DECISION_VALIDATED, 1, 2, E_OK);
    expect(&f, "");
    tell(&f, DECISION_VALIDATED, 1, 3, E_OK);
    expect(&f, "submit 1\n");
    txn(&f, 2, "1", "2");
    tell(&f, DECISION_VOTE, 2, 1, E_OK);
    tell(&f, DECISION_VALIDATED, 2, 2, E_CONFLICT);
    expect(&f, "prepare 2 at 1, low 1\nvalidate 2 at 2\nabort 2 at 1\n"
               "answer 2 aborted E_CONFLICT\n");
    txn(&f, 3, "", "23"); /* Nothing to write: nothing to decide. */
    tell(&f, DECISION_VALIDATED, 3, 2, E_OK);
    tell(&f, DECISION_VALIDATED, 3, 3, E_OK);
    expect(&f, "validate 3 at 2\nvalidate 3 at 3\nanswer 3 committed\n");
    stop(&f);
}
END_TEST

START_TEST(a_late_validation_of_an_older_term_counted)
{
    struct fixture f;

    start(&f);
    txn(&f, 1, "1", "2");
    tell(&f, DECISION_VOTE, 1, 1, E_OK);
    expect(&f, "prepare 1 at 1, low 1\nvalidate 1 at 2\n");
    feed(&f,
         &(struct decision_event){
             .kind = DECISION_VALIDATED, .gtid = {f.core.term - 1, 1}, .shard = 2, .is_yes = true});
    expect(&f, "");
    tell(&f, DECISION_VALIDATED, 1, 2, E_OK);
    expect(&f, "submit 1\n");
    stop(&f);
}
END_TEST

START_TEST(abort_is_remembered_in_the_term)
{
    struct fixture f;

    start(&f);
    txn(&f, 1, "12", "");
    tell(&f, DECISION_VOTE, 1, 2, E_EXISTS);
    expect(&f, "prepare 1 at 1, low 1\nprepare 1 at 2, low 1\nabort 1 at 1\nabort 1 at 2\n"
               "answer 1 aborted E_EXISTS\n");
    tell(&f, DECISION_VOTE, 1, 1, E_OK);
    txn(&f, 1, "12", "");
    inquire(&f, 3, 1);
    expect(&f, "answer 2 aborted E_EXISTS\nanswer 3 aborted\n");
    stop(&f);
}
END_TEST

START_TEST(other_terms)
{
    struct fixture f;

    start(&f);
    txn_in(&f, 2, 1, "12", "");
    expect(&f, "answer 1 wrong term\n");
    inquire(&f, 2, 99); /* No decision in the log: it was never committed. */
    inquire(&f, 4, 1);  /* Not ours to say. */
    expect(&f, "answer 2 aborted\ndrop 3\n");
    stop(&f);
}
END_TEST

START_TEST(one_transaction_runs_once)
{
    struct fixture f;

    start(&f);
    txn(&f, 1, "12", "");
    txn(&f, 1, "12", "");
    expect(&f, "prepare 1 at 1, low 1\nprepare 1 at 2, low 1\ndrop 1\n");
    tell(&f, DECISION_VOTE, 1, 1, E_OK);
    tell(&f, DECISION_VOTE, 1, 2, E_OK);
    txn(&f, 1, "12", "");
    applied(&f);
    expect(&f, "submit 1\ndrop 2\nanswer 3 committed\ncommit 1 at 1\ncommit 1 at 2\n");
    stop(&f);
}
END_TEST

/* 76 us a message at 10,000 open: found by hash and by halving now, the trace pins that each is the
 * right one. Copies are dropped, votes and ends come in an order that jumps about. */
START_TEST(ten_thousand_are_open)
{
    enum { COUNT = 9973, STEP = 4001 }; /* A prime, so that steps visit all. */
    struct fixture f;

    start(&f);
    for (uint64_t i = 1; i <= COUNT; i++) {
        txn(&f, i, "12", "");
    }
    ck_assert_uint_eq(f.core.running_count, COUNT);
    bytes_clear(&f.trace);
    for (uint64_t i = 0, at = 0; i < COUNT; i++, at = (at + STEP) % COUNT) {
        txn(&f, at + 1, "12", "");
        bytes_clear(&f.trace);
        tell(&f, DECISION_VOTE, at + 1, 1, E_OK);
        tell(&f, DECISION_VOTE, at + 1, 2, E_OK);
        applied(&f);
        ck_assert_ptr_nonnull(memchr(f.trace.data, 'w', f.trace.size)); /* answer */
        ck_assert_uint_lt(decision_deadline(&f.core), UINT64_MAX);
        bytes_clear(&f.trace);
    }
    ck_assert_uint_eq(f.core.running_count, 0);
    ck_assert_uint_eq(f.core.open_count, COUNT);
    for (uint64_t i = 0, at = 7; i < COUNT; i++, at = (at + STEP) % COUNT) {
        tell(&f, DECISION_DONE, at + 1, 1, E_OK);
        tell(&f, DECISION_DONE, at + 1, 2, E_OK);
    }
    ck_assert_uint_eq(f.core.open_count, 0);
    ck_assert_uint_eq(f.core.by_seq.count + f.core.by_gtid.count, 0);
    ck_assert(!f.core.is_crowded);
    ck_assert_uint_eq(f.core.done_count, COUNT);
    stop(&f);
}
END_TEST

START_TEST(repeats_and_time_out)
{
    struct fixture f;

    start(&f);
    txn(&f, 1, "12", "");
    tell(&f, DECISION_VOTE, 1, 1, E_OK);
    bytes_clear(&f.trace);
    ck_assert_uint_eq(decision_deadline(&f.core), 1200);
    f.now_ms = 1199;
    feed(&f, &(struct decision_event){.kind = DECISION_TIMEOUT});
    expect(&f, "");
    f.now_ms = 1200;
    feed(&f, &(struct decision_event){.kind = DECISION_TIMEOUT});
    expect(&f, "prepare 1 at 2, low 1\n");
    f.now_ms = 6000;
    feed(&f, &(struct decision_event){.kind = DECISION_TIMEOUT});
    expect(&f, "abort 1 at 1\nabort 1 at 2\nanswer 1 aborted E_UNAVAILABLE\n");
    ck_assert_uint_eq(decision_deadline(&f.core), UINT64_MAX);
    txn(&f, 2, "12", "");
    tell(&f, DECISION_VOTE, 2, 1, E_OK);
    tell(&f, DECISION_VOTE, 2, 2, E_OK);
    f.now_ms = 20000; /* Once submitted it is Raft's: no time-out. */
    feed(&f, &(struct decision_event){.kind = DECISION_TIMEOUT});
    applied(&f);
    tell(&f, DECISION_DONE, 2, 1, E_OK);
    bytes_clear(&f.trace);
    f.now_ms += DECISION_REPEAT_MS;
    feed(&f, &(struct decision_event){.kind = DECISION_TIMEOUT});
    expect(&f, "commit 2 at 2\n");
    stop(&f);
}
END_TEST

START_TEST(new_leader_carries_on)
{
    struct fixture f;

    start(&f);
    txn(&f, 1, "12", "");
    tell(&f, DECISION_VOTE, 1, 1, E_OK);
    tell(&f, DECISION_VOTE, 1, 2, E_OK);
    applied(&f);
    txn(&f, 2, "34", "");
    bytes_clear(&f.trace);
    feed(&f, &(struct decision_event){.kind = DECISION_LEAD, .term = 4});
    expect(&f, "commit 1 at 1\ncommit 1 at 2\n");
    inquire(&f, 3, 2); /* Was under way when the leader before ended. */
    inquire(&f, 3, 1);
    txn(&f, 1, "12", "");
    expect(&f, "answer 3 aborted\nanswer 4 committed\nanswer 5 committed\n");
    txn(&f, 2, "34", ""); /* Starts afresh, under a new number. */
    expect(&f, "prepare 1 at 3, low 1\nprepare 1 at 4, low 1\n");
    ck_assert_uint_eq(f.core.running[0]->gtid.term, 4);
    stop(&f);
}
END_TEST

START_TEST(expired_sessions_and_unsound_requests)
{
    static const uint64_t sids[] = {1};
    struct fixture f;

    start(&f);
    txn(&f, 1, "11", "");
    txn(&f, 2, "9", "");
    txn(&f, 3, "", "");
    expect(&f, "answer 1 aborted E_WRONG_EPOCH\nanswer 2 aborted E_WRONG_EPOCH\n"
               "answer 3 aborted E_WRONG_EPOCH\n");
    txn(&f, 4, "12", "");
    tell(&f, DECISION_VOTE, 1, 1, E_OK);
    tell(&f, DECISION_VOTE, 1, 2, E_OK);
    bytes_clear(&f.trace);
    apply(&f, &(struct state_command){.kind = STATE_SESSION_EXPIRE, .sid_count = 1, .sids = sids});
    applied(&f);
    txn(&f, 5, "12", "");
    expect(&f, "abort 1 at 1\nabort 1 at 2\nanswer 4 aborted E_NOT_FOUND\nrefuse 5 E_NOT_FOUND\n");
    feed(&f, &(struct decision_event){.kind = DECISION_TXN, .token = 6, .body = SLICE("?")});
    expect(&f, "refuse 6 E_MALFORMED\n");
    stop(&f);
}
END_TEST

START_TEST(dropped_graph_ends_its_decisions)
{
    struct fixture f;

    start(&f);
    txn(&f, 1, "12", "");
    tell(&f, DECISION_VOTE, 1, 1, E_OK);
    tell(&f, DECISION_VOTE, 1, 2, E_OK);
    applied(&f);
    apply(&f, &(struct state_command){.kind = STATE_GRAPH_DROP, .name = SLICE("g")});
    ck_assert_uint_eq(f.state.decision_count, 0);
    bytes_clear(&f.trace);
    f.now_ms += DECISION_REPEAT_MS;
    feed(&f, &(struct decision_event){.kind = DECISION_TIMEOUT});
    ck_assert_uint_eq(f.core.open_count, 0);
    stop(&f);
}
END_TEST

START_TEST(status_of_a_transaction)
{
    struct fixture f;

    start(&f);
    txn(&f, 1, "12", "");
    for (uint64_t seq = 1; seq <= 2; seq++) {
        feed(&f, &(struct decision_event){
                     .kind = DECISION_STATUS, .token = ++f.token, .sid = 1, .seq = seq});
    }
    tell(&f, DECISION_VOTE, 1, 1, E_CONFLICT);
    bytes_clear(&f.trace);
    feed(&f, &(struct decision_event){.kind = DECISION_STATUS, .token = 9, .sid = 1, .seq = 1});
    expect(&f, "answer 9 aborted E_CONFLICT\n");
    stop(&f);
}
END_TEST

RUN_SUITE("decision", commit, read_only_parts_are_asked_after_the_last_yes,
          a_late_validation_of_an_older_term_counted, abort_is_remembered_in_the_term, other_terms,
          one_transaction_runs_once, ten_thousand_are_open, repeats_and_time_out,
          new_leader_carries_on, expired_sessions_and_unsound_requests,
          dropped_graph_ends_its_decisions, status_of_a_transaction)
