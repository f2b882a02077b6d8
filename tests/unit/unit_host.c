#include "common/host.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tests/lib/runner.h"

/* A core that answers READ with its own text, and asks others when told to. */
struct echo {
    const char *text;
    uint64_t messages;
    uint64_t turns;
    uint64_t most; /* Messages before one turn. */
    uint64_t since;
    uint64_t asks; /* READs to send at the next turn. */
    uint64_t answers;
    bool is_ready;
    int rc; /* Of the next turn. */
    bool stops;
};

static char address[256];

static void on_message(void *core, uint64_t now_ms, const struct message *message,
                       struct outbox *out)
{
    struct echo *echo = core;

    (void)now_ms;
    echo->messages++;
    echo->since++;
    if (message->type == MESSAGE_READ) {
        outbox_reply(out, message, MESSAGE_READ_REPLY, slice_text(echo->text));
    } else {
        echo->answers += slice_equal(message->body, SLICE("served"));
    }
}

static int on_turn(void *core, uint64_t now_ms, struct outbox *out, struct error *err)
{
    struct echo *echo = core;

    (void)now_ms;
    echo->turns++;
    echo->most = echo->since > echo->most ? echo->since : echo->most;
    echo->since = 0;
    for (; echo->asks > 0; echo->asks--) {
        struct message *message =
            outbox_send(out, PEER_NODE(PEER_SHARDD, 1), MESSAGE_READ, SLICE("?"));
        message->req_id = echo->asks;
        message->deadline_ms = 20000;
    }
    if (echo->stops) {
        ck_assert_int_eq(kill(getpid(), SIGTERM), 0);
    }
    return echo->rc == E_OK ? E_OK : error_set(err, echo->rc, "broken");
}

static uint64_t deadline(const void *core)
{
    (void)core;
    return UINT64_MAX;
}

static bool is_ready(const void *core)
{
    return ((const struct echo *)core)->is_ready;
}

static const char *find_address(void *ctx, peer_id peer)
{
    ck_assert_ptr_eq(ctx, address);
    return peer == PEER_NODE(PEER_SHARDD, 1) ? address : NULL;
}

static struct host *open_host(struct echo *echo, enum peer_role role, bool is_server)
{
    struct transport_plane plane = {.bind = "tcp://127.0.0.1:*"};
    struct host_options options = {.program = "test",
                                   .role = role,
                                   .node = 1,
                                   .cluster = "unit",
                                   .plane_count = is_server ? 1 : 0,
                                   .planes = &plane,
                                   .log_level = LOG_LEVEL_ERROR};
    struct host *host = NULL;
    struct error err = {0};

    ck_assert_msg(host_new(&host, &options, &err) == E_OK, "%s", err.text);
    host->core = (struct host_core){.core = echo,
                                    .message = on_message,
                                    .turn = on_turn,
                                    .deadline = deadline,
                                    .is_ready = is_ready};
    host->address = find_address;
    host->address_ctx = address;
    if (is_server) {
        ck_assert_int_eq(transport_bound(host->transport, 0, address, sizeof address), E_OK);
    }
    return host;
}

START_TEST(two_hosts)
{
    struct echo serving = {.text = "served", .is_ready = true};
    struct echo asking = {.text = "", .asks = 2000};
    struct host *server = open_host(&serving, PEER_SHARDD, true);
    struct host *client = open_host(&asking, PEER_ROUTER, false);
    uint64_t start = loop_now_ms();

    while (asking.answers < 2000) {
        ck_assert_int_eq(host_turn(server, loop_now_ms(), NULL), E_OK);
        ck_assert_int_eq(host_turn(client, loop_now_ms(), NULL), E_OK);
        ck_assert_uint_lt(loop_now_ms() - start, 20000);
    }
    ck_assert_uint_eq(serving.messages, 2000);
    ck_assert_uint_le(serving.most, HOST_DRAIN);
    ck_assert_uint_le(asking.most, HOST_DRAIN);
    ck_assert(server->was_ready);
    ck_assert(!client->was_ready);
    ck_assert_uint_eq(server->stats.values[STATS_TURNS], serving.turns);
    ck_assert_uint_ne(server->boot, client->boot);
    ck_assert_uint_eq(server->cluster_id, host_cluster_id("unit"));
    host_free(&client);
    host_free(&server);
    host_free(&server);
}
END_TEST

START_TEST(a_signal_ends_it)
{
    struct echo echo = {.text = "", .stops = true};
    struct host *host = open_host(&echo, PEER_SHARDD, true);

    ck_assert_int_eq(host_run(host, NULL), E_OK);
    ck_assert_int_eq(host->loop.signal, SIGTERM);
    host_free(&host);
}
END_TEST

START_TEST(a_fatal_error_ends_it)
{
    struct echo echo = {.text = "", .rc = E_CORRUPT};
    struct host *host = open_host(&echo, PEER_SHARDD, true);
    struct error err = {0};

    ck_assert_int_eq(host_run(host, &err), E_CORRUPT);
    ck_assert_str_eq(err.text, "broken");
    ck_assert_uint_eq(echo.turns, 1);
    host_free(&host);
}
END_TEST

START_TEST(what_stops_the_start)
{
    struct echo echo = {.text = ""};
    struct host *first = open_host(&echo, PEER_SHARDD, true);
    struct transport_plane plane = {.bind = address};
    struct host_options options = {.program = "test",
                                   .role = PEER_SHARDD,
                                   .node = 1,
                                   .cluster = "unit",
                                   .plane_count = 1,
                                   .planes = &plane};
    struct host *second = NULL;
    struct error err = {0};

    ck_assert_int_eq(host_new(&second, &options, &err), E_IO);
    ck_assert_ptr_nonnull(strstr(err.text, "is in use by another program"));
    ck_assert_ptr_null(second);
    ck_assert_int_eq(host_status("test", &err), 1);
    (void)error_set(&err, E_CONFIG, "bad");
    ck_assert_int_eq(host_status("test", &err), 2);
    ck_assert_int_eq(host_status("test", &(struct error){0}), 0);
    options.data_dir = "/proc/nowhere";
    ck_assert_int_eq(host_new(&second, &options, &err), E_IO);
    host_free(&first);
}
END_TEST

START_TEST(coordinators)
{
    const char *items[] = {"tcp://a:1", "tcp://b:2"};
    struct conf_list list = {2, items};

    ck_assert_str_eq(host_coordinator(&list, PEER_NODE(PEER_COORDINATOR, 1)), "tcp://a:1");
    ck_assert_str_eq(host_coordinator(&list, PEER_NODE(PEER_COORDINATOR, 2)), "tcp://b:2");
    ck_assert_ptr_null(host_coordinator(&list, PEER_NODE(PEER_COORDINATOR, 3)));
    ck_assert_ptr_null(host_coordinator(&list, PEER_NODE(PEER_COORDINATOR, 0)));
    ck_assert_ptr_null(host_coordinator(&list, PEER_NODE(PEER_SHARDD, 1)));
    ck_assert_uint_eq(host_coordinator_numbers()[4], 5);
    ck_assert_uint_ne(host_cluster_id("a"), host_cluster_id("b"));
}
END_TEST

RUN_SUITE("host", two_hosts, a_signal_ends_it, a_fatal_error_ends_it, what_stops_the_start,
          coordinators)
