/* Native clients with a router of our own in place of the real one. */
#include "router/front/native.h"
#include "router/wire/response.h"

#include <string.h>

#include "tests/lib/runner.h"

struct router {
    uint64_t clients;
    uint64_t asked; /* Of the last request. */
    uint64_t closed;
    size_t requests;
};

static struct router router;
static struct native native;
static struct outbox out;

uint64_t router_client_open(struct router *of)
{
    return ++of->clients;
}

void router_client_close(struct router *of, uint64_t now_ms, uint64_t client, struct outbox *to)
{
    (void)now_ms;
    (void)to;
    of->closed = client;
}

void router_request(struct router *of, uint64_t now_ms, uint64_t client, struct request *request,
                    struct outbox *to)
{
    (void)now_ms;
    (void)to;
    of->asked = client;
    of->requests++;
    request_close(request);
}

/* A request's id is its first byte, sixteen times. */
int request_decode(struct slice frame, bool is_text, struct request *request, struct error *err)
{
    ck_assert(!is_text);
    memset(request->id, frame.size == 0 ? 0 : frame.data[0], sizeof request->id);
    request->has_id = true;
    return frame.size == 0 ? error_set(err, E_MALFORMED, "empty") : E_OK;
}

void request_close(struct request *request)
{
    arena_close(&request->arena);
}

void response_encode(struct bytes *to, const struct response *response)
{
    bytes_format(to, "%d %s", response->status, response->message);
}

static void setup(void)
{
    router = (struct router){0};
    native_init(&native, &router);
    outbox_init(&out);
}

static void teardown(void)
{
    outbox_close(&out);
    native_close(&native);
}

static void query(peer_id peer, uint64_t req_id, const char *text)
{
    struct message message = {
        .type = MESSAGE_QUERY, .peer = peer, .req_id = req_id, .body = slice_text(text)};

    native_query(&native, 1, &message, &out);
}

static bool respond(uint64_t client, char id, const char *text, bool is_last)
{
    struct router_response response = {.client = client, .status = 200, .is_last = is_last};

    memset(response.request_id, id, sizeof response.request_id);
    bytes_append(&response.body, text, strlen(text));
    bool taken = native_response(&native, &response, &out);
    if (!taken) {
        bytes_close(&response.body);
    }
    return taken;
}

START_TEST(frames_go_back_to_who_asked)
{
    setup();
    query(PEER_CALLER_BIT | 1, 100, "a");
    ck_assert_uint_eq(router.asked, 1);
    query(PEER_CALLER_BIT | 2, 200, "a");
    ck_assert_uint_eq(router.asked, 2);
    query(PEER_CALLER_BIT | 1, 101, "b");
    ck_assert_uint_eq(router.asked, 1);
    ck_assert(respond(1, 'b', "b1", false));
    ck_assert(respond(1, 'a', "a1", true));
    ck_assert(respond(2, 'a', "a2", true));
    ck_assert(respond(1, 'b', "b2", true));
    ck_assert_uint_eq(out.count, 4);
    ck_assert_uint_eq(out.items[0].req_id, 101);
    ck_assert_uint_eq(out.items[0].flags, 0);
    ck_assert_uint_eq(out.items[0].peer, PEER_CALLER_BIT | 1);
    ck_assert_uint_eq(out.items[1].req_id, 100);
    ck_assert_uint_eq(out.items[1].flags, MESSAGE_LAST);
    ck_assert_uint_eq(out.items[2].req_id, 200);
    ck_assert_uint_eq(out.items[2].peer, PEER_CALLER_BIT | 2);
    ck_assert(slice_equal(out.items[3].body, SLICE("b2")));
    ck_assert_uint_eq(out.items[3].flags, MESSAGE_LAST);
    /* The request is over: a stray frame goes nowhere, but is ours. */
    ck_assert(respond(1, 'b', "b3", true));
    ck_assert_uint_eq(out.count, 4);
    ck_assert(!respond(9, 'a', "x", true));
    teardown();
}
END_TEST

START_TEST(bad_requests_are_answered)
{
    setup();
    query(PEER_CALLER_BIT | 1, 100, "");
    ck_assert_uint_eq(router.requests, 0);
    ck_assert_uint_eq(out.count, 1);
    ck_assert_int_eq(out.items[0].type, MESSAGE_QUERY_REPLY);
    ck_assert_uint_eq(out.items[0].flags, MESSAGE_LAST);
    ck_assert(slice_equal(out.items[0].body, SLICE("498 empty")));
    teardown();
}
END_TEST

START_TEST(too_many_open)
{
    setup();
    for (uint64_t i = 0; i < NATIVE_OPEN_MAX; i++) {
        query(PEER_CALLER_BIT | 1, i, "a");
    }
    ck_assert_uint_eq(out.count, 0);
    query(PEER_CALLER_BIT | 1, 5000, "a");
    ck_assert_uint_eq(out.count, 1);
    ck_assert_int_eq(out.items[0].type, MESSAGE_REFUSED);
    ck_assert(respond(1, 'a', "x", true));
    ck_assert_uint_eq(out.items[1].req_id, 0);
    query(PEER_CALLER_BIT | 1, 5001, "a");
    ck_assert_uint_eq(router.requests, NATIVE_OPEN_MAX + 1);
    teardown();
}
END_TEST

START_TEST(gone_peers_free_their_place)
{
    setup();
    query(PEER_CALLER_BIT | 1, 1, "a");
    query(PEER_CALLER_BIT | 2, 1, "a");
    native_gone(&native, 1, PEER_CALLER_BIT | 1, &out);
    ck_assert_uint_eq(router.closed, 1);
    native_gone(&native, 1, PEER_CALLER_BIT | 7, &out);
    ck_assert(!respond(1, 'a', "late", true));
    query(PEER_CALLER_BIT | 3, 1, "a");
    ck_assert_uint_eq(native.count, 2);
    ck_assert(respond(2, 'a', "x", true));
    ck_assert_uint_eq(out.items[0].peer, PEER_CALLER_BIT | 2);
    teardown();
}
END_TEST

RUN_SUITE("native", frames_go_back_to_who_asked, bad_requests_are_answered, too_many_open,
          gone_peers_free_their_place)
