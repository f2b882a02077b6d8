#include "router/run/admin.h"

#include "common/codec.h"
#include "common/mem.h"
#include "router/run/running.h"
#include "router/wire/response.h"

#include <assert.h>

static void unlink_call(struct admin_call *call)
{
    struct admin_call **at = &call->router->admin_calls;

    while (*at != call) {
        at = &(*at)->next;
    }
    *at = call->next;
    call->router->admin_count--;
    remote_drop(call->router->remote, &call->sent);
    request_close(&call->request);
    mem_free(call);
}

static void fail(struct admin_call *call, const struct error *err)
{
    router_fail(call->router, &call->request, call->client, error_status(err->code), err,
                (struct slice){0});
    unlink_call(call);
}

static void answer(struct admin_call *call, const struct value *result)
{
    struct response response = {.format = call->request.format,
                                .request_id = call->request.id,
                                .status = 200,
                                .message = "",
                                .data = result,
                                .data_count = 1,
                                .has_data = true};
    struct bytes body;

    bytes_init(&body, 0);
    response_encode(&body, &response);
    router_respond(call->router, &call->request, call->client, 200, true, &body);
    unlink_call(call);
}

/* A fault that the host plays: true if it was one, and is answered. */
static bool play_fault(struct admin_call *call)
{
    const struct router_options *options = &call->router->options;
    const struct value *verb = value_get_text(&call->request.args, "verb");
    const struct value *node = value_get_text(&call->request.args, "node");
    struct error err = {0};

    if (verb == NULL || (!value_is_text(verb, "node.kill") && !value_is_text(verb, "node.pause") &&
                         !value_is_text(verb, "node.restart"))) {
        return false;
    }
    if (node == NULL || node->kind != VALUE_LONG || node->integer < 1 ||
        node->integer > UINT32_MAX) {
        error_set(&err, E_INVALID, "'node' is the number of a node");
    } else if (options->play == NULL) {
        error_set(&err, E_UNSUPPORTED,
                  "faults are played in 'cardea dev' only: here a node is stopped by what started "
                  "it");
    } else {
        (void)options->play(options->play_ctx, slice_of(verb->text, verb->size),
                            (uint32_t)node->integer, &err);
    }
    if (err.code != E_OK) {
        fail(call, &err);
        return true;
    }
    struct value done[2] = {value_cstring("done"), *verb};
    struct value result = value_items(&call->request.arena, VALUE_MAP, done, 1);
    answer(call, &result);
    return true;
}

/* Queries of this router: true if that was asked for, and is answered. */
static bool tell_queries(struct admin_call *call)
{
    const struct value *verb = value_get_text(&call->request.args, "verb");
    const struct value *id = value_get_text(&call->request.args, "id");
    struct error err = {0};

    if (verb != NULL && value_is_text(verb, "query.list")) {
        struct value list = running_list(call->router, &call->request.arena);
        answer(call, &list);
        return true;
    }
    if (verb == NULL || !value_is_text(verb, "query.kill")) {
        return false;
    }
    if (id == NULL || id->kind != VALUE_STRING) {
        error_set(&err, E_INVALID, "the request needs a text 'id': that of a query");
    } else {
        (void)running_kill(call->router, value_slice(id), &err);
    }
    if (err.code != E_OK) {
        fail(call, &err);
        return true;
    }
    struct value done[2] = {value_cstring("ended"), *id};
    struct value result = value_items(&call->request.arena, VALUE_MAP, done, 1);
    answer(call, &result);
    return true;
}

/* Finds where the request goes now: nodes and leaders change. */
static int aim(struct admin_call *call, struct error *err)
{
    const struct value *node = value_get_text(&call->request.args, "node");
    const struct value *shard = value_get_text(&call->request.args, "shard");
    int64_t number = 0;

    if (node == NULL && shard == NULL) {
        call->sent.is_to_leader = true;
        return E_OK;
    }
    number = node ? node->integer : shard->integer;
    if ((node ? node : shard)->kind != VALUE_LONG && (node ? node : shard)->kind != VALUE_INT) {
        return error_set(err, E_INVALID, "'node' and 'shard' are numbers");
    }
    if (node != NULL) {
        call->sent.peer = PEER_NODE(PEER_SHARDD, (uint32_t)number);
        return E_OK;
    }
    if (!remote_target(call->router->remote, (uint32_t)number, &call->sent)) {
        return error_set(err, E_NOT_FOUND, "there is no shard %lld", (long long)number);
    }
    return E_OK;
}

static void on_reply(struct remote *remote, struct remote_request *sent,
                     const struct message *reply, const struct error *told)
{
    struct admin_call *call = sent->owner;
    struct error err = {0};
    struct reader reader;
    struct value result;

    if (reply == NULL) {
        if (told->code == E_NOT_LEADER) {
            remote_learn_leader(remote, 0);
            remote_hold(remote, sent, 100, false);
            return;
        }
        /* It was not sent: this router is young and has not learned where that process is. */
        if (told->code == E_UNAVAILABLE && call->router->now_ms < call->patience_ms) {
            remote_hold(remote, sent, 50, false);
            return;
        }
        fail(call, told);
        return;
    }
    reader_init(&reader, reply->body);
    codec_decode(&reader, &call->request.arena, NULL, 0, &result);
    if (reply->type != MESSAGE_ADMIN_REPLY || reader_finish(&reader, "admin reply", &err) != E_OK) {
        error_set(&err, E_MALFORMED, "the answer was not understood");
        fail(call, &err);
        return;
    }
    answer(call, &result);
}

static void on_again(struct remote *remote, struct remote_request *sent)
{
    struct admin_call *call = sent->owner;
    struct error err = {0};

    if (aim(call, &err) != E_OK) {
        fail(call, &err);
        return;
    }
    remote_send(remote, sent);
}

/* What changes something is not repeated: a graph that is being made would be said to exist. */
static void set_patience(struct admin_call *call)
{
    const struct value *args = &call->request.args;
    const struct value *verb = value_get_text(args, "verb");
    bool is_status = verb != NULL && value_is_text(verb, "status");
    uint32_t wait_ms = is_status ? ADMIN_STATUS_DEADLINE_MS : ADMIN_LEADER_DEADLINE_MS;

    if (value_get_text(args, "node") != NULL || value_get_text(args, "shard") != NULL) {
        wait_ms = ADMIN_DEADLINE_MS;
        is_status = false;
    }
    call->sent.deadline_ms = call->router->now_ms + wait_ms;
    call->sent.is_once = !is_status;
}

void admin_start(struct router *router, uint64_t client, struct request *request)
{
    struct admin_call *call = mem_alloc(sizeof(*call));
    struct error err = {0};

    call->router = router;
    call->client = client;
    call->request = *request;
    *request = (struct request){0};
    call->next = router->admin_calls;
    router->admin_calls = call;
    router->admin_count++;
    call->sent.type = MESSAGE_ADMIN;
    call->sent.owner = call;
    call->sent.on_reply = on_reply;
    call->sent.on_again = on_again;
    call->patience_ms = router->now_ms + ADMIN_PATIENCE_MS;
    set_patience(call);
    if (router->admin_count > ADMIN_CALLS_MAX) {
        error_set(&err, E_LIMIT, "%d admin requests are under way", ADMIN_CALLS_MAX);
    } else if (play_fault(call) || tell_queries(call)) {
        return;
    } else {
        aim(call, &err);
    }
    if (err.code != E_OK) {
        fail(call, &err);
        return;
    }
    bytes_init(&call->sent.body, 0);
    codec_encode(&call->sent.body, NULL, &call->request.args);
    remote_send(router->remote, &call->sent);
}

void admin_end_client(struct router *router, uint64_t client)
{
    struct admin_call *next;

    for (struct admin_call *call = router->admin_calls; call != NULL; call = next) {
        next = call->next;
        if (call->client == client) {
            unlink_call(call);
        }
    }
}

void admin_close(struct router *router)
{
    while (router->admin_calls != NULL) {
        unlink_call(router->admin_calls);
    }
}
