/* The router's facade against a coordinator and shards that answer by a script. Frames are text
 * (fake_wire.c). */
#include "router/router.h"

#include "common/control.h"
#include "tests/lib/fake_shards.h"
#include "tests/lib/runner.h"

#include <stdio.h>
#include <string.h>

enum { SHARDS = 2, ROUNDS = 5000 };

struct rig {
    struct router *router;
    struct outbox out;
    struct arena arena;
    uint64_t now_ms;
    uint64_t client;
    uint32_t fan;        /* Rows of each input or scan. */
    uint32_t conflicts;  /* So many commits and validations are refused. */
    uint32_t busy_reads; /* So many reads meet a lock. */
    bool is_mute;        /* Commits get no answer. */
    int abort_code;      /* Commits are refused with this; E_OK: they are not. */
    uint32_t reads, validates, commits, txns, cancels;
    struct bytes answers; /* "<last byte of the request id>: frame", a line each. */
};

static void rig_answer(struct rig *rig, const struct message *sent, enum message_type type,
                       const struct bytes *body)
{
    struct message reply = *sent;
    struct outbox out;

    outbox_init(&out);
    reply.type = type;
    reply.body = bytes_slice(body);
    router_message(rig->router, rig->now_ms, &reply, &rig->out);
    outbox_close(&out);
}

static void answer_register(struct rig *rig, const struct message *sent)
{
    struct control_registered registered = {.sid = FAKE_SID, .term = FAKE_TERM};
    struct bytes map, body;

    bytes_init(&map, 0);
    bytes_init(&body, 0);
    fake_map(&map, 1, 3, SHARDS, PARTITION_HASH);
    registered.map = bytes_slice(&map);
    control_registered_encode(&body, &registered);
    rig_answer(rig, sent, MESSAGE_ROUTER_REGISTERED, &body);
    bytes_close(&map);
    bytes_close(&body);
}

static void answer_outcome(struct rig *rig, const struct message *sent, enum message_type type)
{
    struct txn_reply reply = {.sid = FAKE_SID, .outcome = TXN_COMMITTED, .term = FAKE_TERM};
    struct bytes body;

    if (rig->is_mute) {
        return;
    }
    if (rig->conflicts > 0 || rig->abort_code != E_OK) {
        reply.outcome = TXN_ABORTED;
        reply.code = rig->conflicts > 0 ? E_CONFLICT : rig->abort_code;
        rig->conflicts -= rig->conflicts > 0;
    }
    bytes_init(&body, 0);
    txn_reply_encode(&body, &reply);
    rig_answer(rig, sent, type, &body);
    bytes_close(&body);
}

static void answer_read(struct rig *rig, const struct message *sent)
{
    struct error err = {0};
    struct bytes body;

    bytes_init(&body, 0);
    if (rig->busy_reads > 0) {
        rig->busy_reads--;
        error_set(&err, E_CONFLICT, "locked");
        message_refuse(&body, &err);
        rig_answer(rig, sent, MESSAGE_REFUSED, &body);
    } else {
        fake_read_reply(&rig->arena, sent, rig->fan, (struct slice){0}, &body);
        rig_answer(rig, sent, MESSAGE_READ_REPLY, &body);
    }
    bytes_close(&body);
}

static void answer_lease(struct rig *rig, const struct message *sent)
{
    struct control_lease lease = {.graph = FAKE_GRAPH, .first = 5000, .count = 1000};
    struct bytes body;

    bytes_init(&body, 0);
    control_leased_encode(&body, &lease);
    rig_answer(rig, sent, MESSAGE_IDS_LEASED, &body);
    bytes_close(&body);
}

static void answer(struct rig *rig, const struct message *sent)
{
    if (sent->type == MESSAGE_ROUTER_REGISTER) {
        answer_register(rig, sent);
    } else if (sent->type == MESSAGE_READ) {
        rig->reads++;
        answer_read(rig, sent);
    } else if (sent->type == MESSAGE_VALIDATE) {
        rig->validates++;
        answer_outcome(rig, sent, MESSAGE_VALIDATE_REPLY);
    } else if (sent->type == MESSAGE_COMMIT1) {
        rig->commits++;
        answer_outcome(rig, sent, MESSAGE_COMMIT1_REPLY);
    } else if (sent->type == MESSAGE_TXN) {
        rig->txns++;
        answer_outcome(rig, sent, MESSAGE_TXN_REPLY);
    } else if (sent->type == MESSAGE_IDS_LEASE) {
        answer_lease(rig, sent);
    } else if (sent->type == MESSAGE_CANCEL) {
        rig->cancels++;
    }
}

static void deliver(struct rig *rig)
{
    struct outbox sent = rig->out;
    struct router_response response;

    outbox_init(&rig->out);
    for (size_t i = 0; i < sent.count; i++) {
        answer(rig, &sent.items[i]);
    }
    outbox_close(&sent);
    while (router_next_response(rig->router, &response)) {
        bytes_format(&rig->answers, "%u: ", response.request_id[15]);
        bytes_append(&rig->answers, response.body.data, response.body.size);
        bytes_format(&rig->answers, "\n");
        bytes_close(&response.body);
    }
}

/* Until nothing moves but time, or for so many milliseconds. */
static void rig_run(struct rig *rig, uint64_t span_ms)
{
    uint64_t end_ms = rig->now_ms + span_ms;

    for (int i = 0; i < ROUNDS && rig->now_ms <= end_ms; i++) {
        router_turn(rig->router, rig->now_ms, &rig->out, NULL);
        bool is_idle = rig->out.count == 0;
        deliver(rig);
        uint64_t due = router_deadline(rig->router);
        if (is_idle && due > rig->now_ms) {
            rig->now_ms = due < end_ms + 1 ? due : end_ms + 1;
        }
    }
}

static void rig_open(struct rig *rig)
{
    const uint32_t coordinators[] = {1};
    struct router_options options = {
        .node = 1, .boot = 1, .seed = 7, .coordinator_count = 1, .coordinators = coordinators};

    *rig = (struct rig){.now_ms = 1000, .fan = 2};
    outbox_init(&rig->out);
    arena_init(&rig->arena, 0);
    bytes_init(&rig->answers, 0);
    ck_assert_int_eq(router_open(&rig->router, &options, NULL), E_OK);
    ck_assert(!router_is_ready(rig->router));
    rig->client = router_client_open(rig->router);
    rig_run(rig, 10);
    ck_assert(router_is_ready(rig->router));
}

static void rig_close(struct rig *rig)
{
    router_close(&rig->router);
    outbox_close(&rig->out);
    arena_close(&rig->arena);
    bytes_close(&rig->answers);
}

static struct request request_of(uint8_t id, const char *text)
{
    struct request request = {.has_id = true,
                              .op = REQUEST_EVAL,
                              .op_name = SLICE("eval"),
                              .source = SLICE("g"),
                              .gremlin = slice_text(text)};

    request.id[15] = id;
    arena_init(&request.arena, 0);
    return request;
}

static void ask(struct rig *rig, struct request request)
{
    router_request(rig->router, rig->now_ms, rig->client, &request, &rig->out);
}

static struct request in_session(struct request request, const char *session)
{
    request.processor = SLICE("session");
    request.session = slice_text(session);
    return request;
}

/* All answers so far, as text. */
static const char *answers(struct rig *rig)
{
    static char text[4096];

    snprintf(text, sizeof text, "%.*s", (int)rig->answers.size, (const char *)rig->answers.data);
    bytes_clear(&rig->answers);
    return text;
}

START_TEST(a_count_is_answered)
{
    struct rig rig;

    rig_open(&rig);
    ask(&rig, request_of(1, "g.V().count()"));
    rig_run(&rig, 100);
    ck_assert_str_eq(answers(&rig), "1: 200 [4]\n");
    ck_assert_uint_eq(rig.reads, SHARDS);
    ck_assert_uint_eq(rig.validates, SHARDS);
    rig_close(&rig);
}
END_TEST

START_TEST(nothing_found_is_no_content)
{
    struct rig rig;

    rig_open(&rig);
    rig.fan = 0;
    ask(&rig, request_of(1, "g.V()"));
    rig_run(&rig, 100);
    ck_assert_str_eq(answers(&rig), "1: 204 \n");
    rig_close(&rig);
}
END_TEST

START_TEST(results_come_in_frames_and_the_last_says_so)
{
    struct rig rig;
    struct request request = request_of(1, "g.V().id()");

    rig_open(&rig);
    request.batch_size = 3;
    rig.fan = 2;
    ask(&rig, request);
    rig_run(&rig, 100);
    ck_assert_str_eq(answers(&rig), "1: 206 [1100, 1101, 1200]\n1: 200 [1201]\n");
    rig_close(&rig);
}
END_TEST

START_TEST(a_read_that_met_a_change_is_run_again)
{
    struct rig rig;

    rig_open(&rig);
    rig.conflicts = 3;
    ask(&rig, request_of(1, "g.V().count()"));
    rig_run(&rig, 2000);
    ck_assert_str_eq(answers(&rig), "1: 200 [4]\n");
    ck_assert_uint_ge(rig.reads, 2 * SHARDS);
    rig_close(&rig);
}
END_TEST

START_TEST(a_read_that_met_a_lock_is_run_again)
{
    struct rig rig;

    rig_open(&rig);
    rig.busy_reads = 1;
    ask(&rig, request_of(1, "g.V().count()"));
    rig_run(&rig, 2000);
    ck_assert_str_eq(answers(&rig), "1: 200 [4]\n");
    rig_close(&rig);
}
END_TEST

START_TEST(conflict_after_conflict_is_596)
{
    struct rig rig;

    rig_open(&rig);
    rig.conflicts = 1000;
    ask(&rig, request_of(1, "g.V().count()"));
    rig_run(&rig, 5000);
    ck_assert(strncmp(answers(&rig), "1: 596 ", 7) == 0);
    ck_assert_uint_le(rig.validates, 6 * SHARDS);
    rig_close(&rig);
}
END_TEST

START_TEST(a_write_is_committed_before_it_is_answered)
{
    struct rig rig;

    rig_open(&rig);
    rig.is_mute = true;
    ask(&rig, request_of(1, "g.addV('person').property('name','x').id()"));
    rig_run(&rig, 400);
    ck_assert_str_eq(answers(&rig), "");
    ck_assert_uint_ge(rig.commits, 1);
    rig.is_mute = false;
    rig_run(&rig, 1000);
    ck_assert_str_eq(answers(&rig), "1: 200 [5000]\n");
    rig_close(&rig);
}
END_TEST

START_TEST(a_commit_without_an_answer_is_unknown_not_failed)
{
    struct rig rig;
    struct request request = request_of(1, "g.addV('person').iterate()");

    rig_open(&rig);
    rig.is_mute = true;
    request.has_timeout = true;
    request.timeout_ms = 1000;
    ask(&rig, request);
    rig_run(&rig, 20000);
    const char *text = answers(&rig);
    ck_assert_msg(strstr(text, "500 the outcome of the commit is not known") != NULL, "%s", text);
    ck_assert_ptr_nonnull(strstr(text, "77:1"));
    rig_close(&rig);
}
END_TEST

START_TEST(a_refused_commit_is_told)
{
    struct rig rig;

    rig_open(&rig);
    rig.abort_code = E_EXISTS;
    ask(&rig, request_of(1, "g.addV('person').property(id, 1)"));
    rig_run(&rig, 1000);
    ck_assert(strncmp(answers(&rig), "1: 500 ", 7) == 0);
    ck_assert_uint_eq(rig.commits, 1);
    rig_close(&rig);
}
END_TEST

START_TEST(bad_text_and_unknown_sources_are_refused)
{
    struct rig rig;
    struct request request = request_of(2, "g.V()");

    rig_open(&rig);
    ask(&rig, request_of(1, "g.V("));
    rig_run(&rig, 10);
    ck_assert(strncmp(answers(&rig), "1: 597 ", 7) == 0);
    request.source = SLICE("nowhere");
    ask(&rig, request);
    rig_run(&rig, 1000);
    ck_assert_str_eq(answers(&rig),
                     "2: 499 The traversal source [nowhere] for alias [g] is not configured on the "
                     "server.\n");
    rig_close(&rig);
}
END_TEST

START_TEST(unknown_operations_are_malformed)
{
    struct rig rig;
    struct request request = request_of(1, "");

    rig_open(&rig);
    request.op = REQUEST_OTHER;
    request.op_name = SLICE("gather");
    ask(&rig, request);
    rig_run(&rig, 10);
    ck_assert_str_eq(answers(&rig), "1: 498 Message with op code [gather] is not recognized.\n");
    request = request_of(2, "g.V()");
    request.processor = SLICE("session");
    ask(&rig, request);
    rig_run(&rig, 10);
    ck_assert(strncmp(answers(&rig), "2: 499 ", 7) == 0);
    rig_close(&rig);
}
END_TEST

START_TEST(a_query_ends_at_its_deadline_and_shards_are_told)
{
    struct rig rig;
    struct request request = request_of(1, "g.V().count()");

    rig_open(&rig);
    request.has_timeout = true;
    request.timeout_ms = 50;
    ask(&rig, request);
    router_turn(rig.router, rig.now_ms, &rig.out, NULL);
    outbox_clear(&rig.out); /* Lost. */
    rig.now_ms += 50;
    router_turn(rig.router, rig.now_ms, &rig.out, NULL);
    deliver(&rig);
    ck_assert_str_eq(
        answers(&rig),
        "1: 598 Evaluation exceeded the configured 'evaluationTimeout' threshold of 50 "
        "ms or evaluation was otherwise cancelled directly for request "
        "[g.V().count()]\n");
    ck_assert_uint_eq(rig.cancels, SHARDS);
    rig_close(&rig);
}
END_TEST

START_TEST(a_client_that_goes_cancels_its_queries)
{
    struct rig rig;

    rig_open(&rig);
    ask(&rig, request_of(1, "g.V().count()"));
    router_turn(rig.router, rig.now_ms, &rig.out, NULL);
    outbox_clear(&rig.out);
    router_client_close(rig.router, rig.now_ms, rig.client, &rig.out);
    rig_run(&rig, 100);
    ck_assert_uint_eq(rig.cancels, SHARDS);
    ck_assert_str_eq(answers(&rig), "");
    struct router_counters counters;
    router_counters(rig.router, &counters);
    ck_assert_uint_eq(counters.queries, 0);
    rig_close(&rig);
}
END_TEST

START_TEST(a_session_commits_when_told)
{
    struct rig rig;

    rig_open(&rig);
    ask(&rig, in_session(request_of(1, "g.addV('a').property(id, 1).id()"), "s"));
    rig_run(&rig, 100);
    ck_assert_str_eq(answers(&rig), "1: 200 [1]\n");
    ck_assert_uint_eq(rig.commits + rig.txns, 0);
    ask(&rig, in_session(request_of(2, "g.tx().commit()"), "s"));
    rig_run(&rig, 100);
    ck_assert_str_eq(answers(&rig), "2: 204 \n");
    ck_assert_uint_eq(rig.commits + rig.txns, 1);
    rig_close(&rig);
}
END_TEST

START_TEST(a_session_rolled_back_commits_nothing)
{
    struct rig rig;
    struct request close = request_of(3, "");

    rig_open(&rig);
    ask(&rig, in_session(request_of(1, "g.addV('a').property(id, 1).id()"), "s"));
    ask(&rig, in_session(request_of(2, "g.tx().rollback()"), "s"));
    close.op = REQUEST_CLOSE;
    ask(&rig, in_session(close, "s"));
    rig_run(&rig, 100);
    ck_assert_str_eq(answers(&rig), "1: 200 [1]\n2: 204 \n3: 204 \n");
    ck_assert_uint_eq(rig.commits + rig.txns, 0);
    struct router_counters counters;
    router_counters(rig.router, &counters);
    ck_assert_uint_eq(counters.sessions, 0);
    rig_close(&rig);
}
END_TEST

START_TEST(a_conflict_of_a_session_is_told)
{
    struct rig rig;

    rig_open(&rig);
    rig.conflicts = 1;
    ask(&rig, in_session(request_of(1, "g.addV('a').property(id, 1).id()"), "s"));
    ask(&rig, in_session(request_of(2, "g.tx().commit()"), "s"));
    rig_run(&rig, 1000);
    const char *text = answers(&rig);
    ck_assert_msg(strncmp(text, "1: 200 [1]\n2: 596 ", 18) == 0, "%s", text);
    rig_close(&rig);
}
END_TEST

START_TEST(a_session_belongs_to_its_connection_and_ends_with_it)
{
    struct rig rig;
    struct router_counters counters;

    rig_open(&rig);
    ask(&rig, in_session(request_of(1, "g.addV('a').property(id, 1).id()"), "s"));
    rig_run(&rig, 100);
    answers(&rig);
    uint64_t first = rig.client;
    rig.client = router_client_open(rig.router);
    ask(&rig, in_session(request_of(2, "g.V().count()"), "s"));
    rig_run(&rig, 100);
    ck_assert_str_eq(answers(&rig), "2: 500 the session belongs to another connection\n");
    router_client_close(rig.router, rig.now_ms, first, &rig.out);
    rig_run(&rig, 100);
    router_counters(rig.router, &counters);
    ck_assert_uint_eq(counters.sessions, 0);
    ck_assert_uint_eq(rig.commits + rig.txns, 0);
    rig_close(&rig);
}
END_TEST

START_TEST(texts_are_planned_once)
{
    struct rig rig;
    struct router_counters counters;

    rig_open(&rig);
    for (uint8_t i = 0; i < 3; i++) {
        ask(&rig, request_of(i, "g.V().count()"));
    }
    ask(&rig, request_of(9, "g.V().count() "));
    rig_run(&rig, 100);
    router_counters(rig.router, &counters);
    ck_assert_uint_eq(counters.plans_made, 2);
    ck_assert_uint_eq(counters.plans_reused, 2);
    ck_assert_uint_eq(counters.answers, 4);
    rig_close(&rig);
}
END_TEST

START_TEST(endings_of_texts_are_carried_out)
{
    struct rig rig;

    rig_open(&rig);
    ask(&rig, request_of(1, "g.V().hasNext()"));
    ask(&rig, request_of(2, "g.V().id().next()"));
    ask(&rig, request_of(3, "g.V().id().next(3)"));
    ask(&rig, request_of(4, "g.V().iterate()"));
    ask(&rig, request_of(5, "g.V().constant(1).toSet()"));
    rig_run(&rig, 1000);
    const char *text = answers(&rig);
    ck_assert_ptr_nonnull(strstr(text, "1: 200 [true]\n"));
    ck_assert_ptr_nonnull(strstr(text, "2: 200 [1100]\n"));
    ck_assert_ptr_nonnull(strstr(text, "3: 200 [1100, 1101, 1200]\n"));
    ck_assert_ptr_nonnull(strstr(text, "4: 204 \n"));
    ck_assert_ptr_nonnull(strstr(text, "5: 200 [[1]]\n"));
    rig_close(&rig);
}
END_TEST

RUN_SUITE("router", a_count_is_answered, nothing_found_is_no_content,
          results_come_in_frames_and_the_last_says_so, a_read_that_met_a_change_is_run_again,
          a_read_that_met_a_lock_is_run_again, conflict_after_conflict_is_596,
          a_write_is_committed_before_it_is_answered,
          a_commit_without_an_answer_is_unknown_not_failed, a_refused_commit_is_told,
          bad_text_and_unknown_sources_are_refused, unknown_operations_are_malformed,
          a_query_ends_at_its_deadline_and_shards_are_told, a_client_that_goes_cancels_its_queries,
          a_session_commits_when_told, a_session_rolled_back_commits_nothing,
          a_conflict_of_a_session_is_told, a_session_belongs_to_its_connection_and_ends_with_it,
          texts_are_planned_once, endings_of_texts_are_carried_out)
