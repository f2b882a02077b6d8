#include "tests/lib/router_rig.h"

#include "common/codec.h"
#include "common/control.h"
#include "tests/lib/fake_shards.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { RIG_ROUNDS = 5000 };

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
    fake_map(&map, 1, 3, RIG_SHARDS, PARTITION_HASH);
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

static void answer_admin(struct rig *rig, const struct message *sent)
{
    struct value nothing = value_null();
    struct error err = {0};
    struct bytes body;

    bytes_init(&body, 0);
    if (rig->unsent > 0) {
        rig->unsent--;
        error_set(&err, E_UNAVAILABLE, "address of node 1 is not known");
        message_refuse(&body, &err);
        rig_answer(rig, sent, MESSAGE_REFUSED, &body);
    } else {
        codec_encode(&body, NULL, &nothing);
        rig_answer(rig, sent, MESSAGE_ADMIN_REPLY, &body);
    }
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
    } else if (sent->type == MESSAGE_ADMIN && rig->answers_admin) {
        answer_admin(rig, sent);
    } else if (sent->type == MESSAGE_CANCEL) {
        rig->cancels++;
    }
}

void rig_deliver(struct rig *rig)
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

void rig_run(struct rig *rig, uint64_t span_ms)
{
    uint64_t end_ms = rig->now_ms + span_ms;

    for (int i = 0; i < RIG_ROUNDS && rig->now_ms <= end_ms; i++) {
        router_turn(rig->router, rig->now_ms, &rig->out, NULL);
        bool is_idle = rig->out.count == 0;
        rig_deliver(rig);
        uint64_t due = router_deadline(rig->router);
        if (is_idle && due > rig->now_ms) {
            rig->now_ms = due < end_ms + 1 ? due : end_ms + 1;
        }
    }
}

void rig_open(struct rig *rig)
{
    rig_open_with(rig, 0);
}

void rig_open_with(struct rig *rig, uint64_t memory_max)
{
    const uint32_t coordinators[] = {1};
    struct router_options options = {
        .node = 1, .boot = 1, .seed = 7, .coordinator_count = 1, .coordinators = coordinators,
        .memory_max = memory_max};

    *rig = (struct rig){.now_ms = 1000, .fan = 2};
    outbox_init(&rig->out);
    arena_init(&rig->arena, 0);
    bytes_init(&rig->answers, 0);
    if (router_open(&rig->router, &options, NULL) != E_OK) {
        abort();
    }
    assert(!router_is_ready(rig->router));
    rig->client = router_client_open(rig->router);
    rig_run(rig, 10);
    assert(router_is_ready(rig->router));
}

void rig_close(struct rig *rig)
{
    router_close(&rig->router);
    outbox_close(&rig->out);
    arena_close(&rig->arena);
    bytes_close(&rig->answers);
}

struct request rig_request(uint8_t id, const char *text)
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

void rig_ask(struct rig *rig, struct request request)
{
    router_request(rig->router, rig->now_ms, rig->client, &request, &rig->out);
}

struct request rig_session(struct request request, const char *session)
{
    request.processor = SLICE("session");
    request.session = slice_text(session);
    return request;
}

const char *rig_answers(struct rig *rig)
{
    static char text[4096];

    snprintf(text, sizeof text, "%.*s", (int)rig->answers.size, (const char *)rig->answers.data);
    bytes_clear(&rig->answers);
    return text;
}

/* The one-step bytecode that drivers send for g.V().id() and the like. */
struct request rig_bytecode(uint8_t id, const struct bytecode *bytecode)
{
    struct request request = {.has_id = true,
                              .op = REQUEST_BYTECODE,
                              .op_name = SLICE("bytecode"),
                              .processor = SLICE("traversal"),
                              .source = SLICE("g"),
                              .bytecode = bytecode};

    request.id[15] = id;
    arena_init(&request.arena, 0);
    return request;
}
