/* Keys of a cluster: the files, who is let in, and what somebody without a key learns. */
#include "common/keys.h"
#include "common/loop.h"
#include "common/stats.h"
#include "common/transport.h"
#include "common/zap.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zmq.h>

#include "tests/lib/runner.h"

enum { PATIENCE_MS = 20000, REFUSED_MS = 1500 };

struct fixture {
    char dir[64];
    char address[256];
    struct keys server_keys;
    struct keys client_keys;
    struct transport *server;
    struct transport *client;
    struct stats stats;
    struct outbox out;
    size_t answers;
    size_t refusals;
    size_t requests;
};

static struct fixture f;

static void remove_keys(const char *dir)
{
    char command[128];

    (void)snprintf(command, sizeof command, "rm -rf '%s'", dir);
    ck_assert_int_eq(system(command), 0);
}

static void setup(void)
{
    f = (struct fixture){.dir = "/tmp/cardea-keys-XXXXXX"};
    ck_assert_ptr_nonnull(mkdtemp(f.dir));
    ck_assert_int_eq(keys_make(f.dir, NULL), E_OK);
    outbox_init(&f.out);
}

static void teardown(void)
{
    transport_close(&f.client);
    transport_close(&f.server);
    outbox_close(&f.out);
    remove_keys(f.dir);
}

static const char *path_of(const char *name)
{
    static char path[128];

    (void)snprintf(path, sizeof path, "%s/%s", f.dir, name);
    return path;
}

static const char *address_of(void *ctx, peer_id peer)
{
    (void)ctx;
    return peer == PEER_NODE(PEER_SHARDD, 1) ? f.address : NULL;
}

static void open_server(void)
{
    struct transport_plane plane = {.bind = "tcp://127.0.0.1:*"};
    struct transport_options options = {.role = PEER_SHARDD,
                                        .node = 1,
                                        .boot = 1,
                                        .cluster_id = 7,
                                        .plane_count = 1,
                                        .planes = &plane,
                                        .keys = &f.server_keys,
                                        .stats = &f.stats};
    struct error err = {0};

    ck_assert_int_eq(keys_read(&f.server_keys, f.dir, PEER_SHARDD, &err), E_OK);
    ck_assert_msg(transport_open(&f.server, &options, &err) == E_OK, "%s", err.text);
    ck_assert_int_eq(transport_bound(f.server, 0, f.address, sizeof f.address), E_OK);
}

/* Says that it is a router, whatever its keys are of. */
static void open_client(const struct keys *keys)
{
    struct transport_options options = {.role = PEER_ROUTER,
                                        .node = 2,
                                        .boot = 2,
                                        .cluster_id = 7,
                                        .address = address_of,
                                        .keys = keys};

    ck_assert_int_eq(transport_open(&f.client, &options, NULL), E_OK);
}

static void turn(struct transport *end)
{
    struct message message;
    uint64_t now = loop_now_ms();

    transport_tick(end, now);
    while (transport_recv(end, now, &message)) {
        f.requests += message.type == MESSAGE_READ;
        f.answers += message.type == MESSAGE_READ_REPLY;
        f.refusals += message.type == MESSAGE_REFUSED;
        if (message.type == MESSAGE_READ) {
            outbox_reply(&f.out, &message, MESSAGE_READ_REPLY, message.body);
        }
    }
    transport_send(end, now, &f.out);
}

/* Sends one READ, which may wait for so long, and turns until it is answered or refused. */
static void ask(uint32_t deadline_ms)
{
    uint64_t start = loop_now_ms();

    struct message *message = outbox_send(&f.out, PEER_NODE(PEER_SHARDD, 1), MESSAGE_READ,
                                          SLICE("a secret of the graph"));
    message->req_id = 5;
    message->deadline_ms = deadline_ms;
    transport_send(f.client, loop_now_ms(), &f.out);
    while (f.answers + f.refusals == 0) {
        struct pollfd fds[] = {{.fd = transport_fd(f.server), .events = POLLIN},
                               {.fd = transport_fd(f.client), .events = POLLIN}};
        turn(f.server);
        turn(f.client);
        if (!transport_has_input(f.server) && !transport_has_input(f.client)) {
            (void)poll(fds, 2, 20);
        }
        ck_assert_msg(loop_now_ms() - start < PATIENCE_MS, "neither answer nor refusal");
    }
}

START_TEST(made_keys_are_read_by_each_role)
{
    struct keys keys;
    uint8_t raw[32];

    setup();
    for (int role = PEER_ROUTER; role <= PEER_TOOL; role++) {
        struct error err = {0};
        ck_assert_msg(keys_read(&keys, f.dir, (enum peer_role)role, &err) == E_OK, "%s", err.text);
        ck_assert_str_eq(keys_of_role(&keys, (enum peer_role)role), keys.public_text);
        ck_assert_ptr_nonnull(zmq_z85_decode(raw, keys.public_text));
        ck_assert_int_eq(keys_role(&keys, raw), role);
        raw[0] ^= 1;
        ck_assert_int_eq(keys_role(&keys, raw), 0);
        keys_close(&keys);
        ck_assert_int_eq(keys.secret_text[0], 0);
    }
    teardown();
}
END_TEST

START_TEST(keys_are_never_replaced)
{
    struct keys before, after;

    setup();
    ck_assert_int_eq(keys_read(&before, f.dir, PEER_TOOL, NULL), E_OK);
    ck_assert_int_eq(keys_make(f.dir, NULL), E_EXISTS);
    ck_assert_int_eq(keys_read(&after, f.dir, PEER_TOOL, NULL), E_OK);
    ck_assert_str_eq(before.secret_text, after.secret_text);
    keys_close(&before);
    keys_close(&after);
    teardown();
}
END_TEST

START_TEST(a_secret_that_others_can_read_is_refused)
{
    struct keys keys;
    struct error err = {0};

    setup();
    ck_assert_int_eq(chmod(path_of("router.key"), 0644), 0);
    ck_assert_int_eq(keys_read(&keys, f.dir, PEER_ROUTER, &err), E_CONFIG);
    ck_assert_ptr_nonnull(strstr(err.text, "chmod 600"));
    teardown();
}
END_TEST

/* cluster.pub or a key file of this content is refused, with a text that says where. */
static void refuse(const char *name, const char *content, const char *said)
{
    struct keys keys;
    struct error err = {0};
    FILE *file = fopen(path_of(name), "w");

    ck_assert_ptr_nonnull(file);
    (void)fputs(content, file);
    ck_assert_int_eq(fclose(file), 0);
    ck_assert_int_eq(keys_read(&keys, f.dir, PEER_ROUTER, &err), E_CONFIG);
    ck_assert_msg(strstr(err.text, said) != NULL, "%s", err.text);
}

START_TEST(damaged_files_are_refused_with_their_place)
{
    struct keys keys;
    char text[512];

    setup();
    ck_assert_int_eq(keys_read(&keys, f.dir, PEER_SHARDD, NULL), E_OK);
    (void)snprintf(text, sizeof text, "router %s %s\n", keys.public_text, keys.public_text);
    refuse("router.key", text, "router.key is not a pair");
    refuse("router.key", "", "router.key is not a pair");
    (void)snprintf(text, sizeof text, "shardd %s\nrouter abc\n", keys.public_text);
    refuse("cluster.pub", text, "cluster.pub:2");
    refuse("cluster.pub", "king abc\n", "cluster.pub:1");
    ck_assert_int_eq(unlink(path_of("cluster.pub")), 0);
    ck_assert_int_eq(keys_read(&keys, f.dir, PEER_ROUTER, NULL), E_CONFIG);
    teardown();
}
END_TEST

START_TEST(a_key_that_is_not_of_the_list_is_refused)
{
    struct keys keys;
    char line[128];

    setup();
    ck_assert_int_eq(keys_read(&keys, f.dir, PEER_SHARDD, NULL), E_OK);
    (void)snprintf(line, sizeof line, "shardd %s\n", keys.public_text);
    refuse("cluster.pub", line, "is not among");
    teardown();
}
END_TEST

START_TEST(local_addresses)
{
    ck_assert(keys_is_local("tcp://127.0.0.1:7200"));
    ck_assert(keys_is_local("tcp://[::1]:7200"));
    ck_assert(keys_is_local("ipc:///run/cardea"));
    ck_assert(!keys_is_local("tcp://0.0.0.0:7200"));
    ck_assert(!keys_is_local("tcp://*:7200"));
    ck_assert(!keys_is_local("tcp://10.0.0.1:7200"));
}
END_TEST

START_TEST(a_router_with_its_key_is_answered)
{
    setup();
    ck_assert_int_eq(keys_read(&f.client_keys, f.dir, PEER_ROUTER, NULL), E_OK);
    open_server();
    open_client(&f.client_keys);
    ask(PATIENCE_MS);
    ck_assert_uint_eq(f.answers, 1);
    teardown();
}
END_TEST

START_TEST(without_a_key_there_is_no_answer)
{
    setup();
    open_server();
    open_client(NULL);
    ask(REFUSED_MS);
    ck_assert_uint_eq(f.answers, 0);
    ck_assert_uint_eq(f.requests, 0);
    /* Not even a refusal of HELLO came from the server: it never saw one. */
    ck_assert_uint_eq(f.stats.values[STATS_MESSAGES_REFUSED], 0);
    ck_assert_uint_eq(f.stats.values[STATS_MESSAGES_OUT], 0);
    teardown();
}
END_TEST

START_TEST(a_key_of_another_cluster_gets_no_answer)
{
    char other[] = "/tmp/cardea-keys-XXXXXX";
    struct keys foreign;

    setup();
    ck_assert_ptr_nonnull(mkdtemp(other));
    ck_assert_int_eq(keys_make(other, NULL), E_OK);
    ck_assert_int_eq(keys_read(&foreign, other, PEER_ROUTER, NULL), E_OK);
    /* It knows the public keys of this cluster: they are no secret. */
    ck_assert_int_eq(keys_read(&f.client_keys, f.dir, PEER_ROUTER, NULL), E_OK);
    memcpy(f.client_keys.public_text, foreign.public_text, KEYS_TEXT);
    memcpy(f.client_keys.secret_text, foreign.secret_text, KEYS_TEXT);
    open_server();
    open_client(&f.client_keys);
    ask(REFUSED_MS);
    ck_assert_uint_eq(f.requests, 0);
    ck_assert_uint_eq(f.stats.values[STATS_MESSAGES_OUT], 0);
    remove_keys(other);
    teardown();
}
END_TEST

START_TEST(a_tools_key_does_not_make_a_router)
{
    setup();
    ck_assert_int_eq(keys_read(&f.client_keys, f.dir, PEER_TOOL, NULL), E_OK);
    open_server();
    open_client(&f.client_keys);
    ask(REFUSED_MS);
    ck_assert_uint_eq(f.requests, 0);
    ck_assert_uint_ge(f.refusals, 1);
    ck_assert_uint_ge(f.stats.values[STATS_MESSAGES_REFUSED], 1);
    teardown();
}
END_TEST

RUN_SUITE("keys", made_keys_are_read_by_each_role, keys_are_never_replaced,
          a_secret_that_others_can_read_is_refused, damaged_files_are_refused_with_their_place,
          a_key_that_is_not_of_the_list_is_refused, local_addresses,
          a_router_with_its_key_is_answered, without_a_key_there_is_no_answer,
          a_key_of_another_cluster_gets_no_answer, a_tools_key_does_not_make_a_router)
