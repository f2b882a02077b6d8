/* The three facades as cores, joined in memory; a native client asks the router. */
#include "common/codec.h"
#include "common/memory.h"
#include "coordinator/coordinator_core.h"
#include "coordinator/coordmetrics.h"
#include "router/front/serve.h"
#include "router/run/running.h"
#include "shardd/nodemetrics.h"
#include "shardd/shardd_core.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/lib/runner.h"

enum { COORDINATOR, SHARDD, ROUTER, CORES, TOOL = CORES, STEPS_MAX = 100000 };

static struct {
    char dir[64];
    struct memory memory;
    struct host_core cores[CORES];
    struct outbox out;
    struct coord *coord;
    struct node *node;
    struct serve serve;
    struct router_conf values;
    struct conf conf;
    struct message got; /* What the tool has received last. */
    char text[4096];
    uint64_t now_ms;
} f;

static void open_cores(void)
{
    struct coord_options coord = {.node = 1,
                                  .boot = 1,
                                  .seed = 1,
                                  .cluster_id = 5,
                                  .data_dir = f.dir,
                                  .coordinators = host_coordinator_numbers(),
                                  .coordinator_count = 1};
    struct node_options node = {.node = 1,
                                .boot = 2,
                                .seed = 2,
                                .cluster_id = 5,
                                .data_dir = f.dir,
                                .address = "tcp://here:1",
                                .coordinators = host_coordinator_numbers(),
                                .coordinator_count = 1};
    struct router_options router = serve_router_options(&f.values);

    router.boot = 3;
    router.cluster_id = 5;
    ck_assert_int_eq(coord_open(&f.coord, &coord, NULL), E_OK);
    ck_assert_int_eq(node_open(&f.node, &node, NULL), E_OK);
    ck_assert_int_eq(router_open(&f.serve.router, &router, NULL), E_OK);
    native_init(&f.serve.native, f.serve.router);
    f.cores[COORDINATOR] = coordinator_core(f.coord);
    f.cores[SHARDD] = shardd_core(f.node);
    f.cores[ROUTER] = serve_core(&f.serve);
}

static void setup(void)
{
    static const enum peer_role roles[] = {PEER_COORDINATOR, PEER_SHARDD, PEER_ROUTER, PEER_TOOL};
    char *argv[] = {(char[]){"x"}, NULL};

    memset(&f, 0, sizeof f);
    (void)snprintf(f.dir, sizeof f.dir, "/tmp/unit_cores.XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(f.dir));
    ck_assert_int_eq(conf_open(&f.conf, &router_conf_table, &f.values, 1, argv, NULL), E_OK);
    memory_init(&f.memory, 5);
    outbox_init(&f.out);
    open_cores();
    for (size_t i = 0; i <= TOOL; i++) {
        ck_assert_uint_eq(memory_join(&f.memory, roles[i], 1, i + 1), i);
    }
    f.now_ms = 1000;
}

static void teardown(void)
{
    static const char *const names[] = {
        "coordinator.db", "coordinator.db-wal", "coordinator.db-shm",
        "shard-1.db",     "shard-1.db-wal",     "shard-1.db-shm",
        "shard-2.db",     "shard-2.db-wal",     "shard-2.db-shm"};
    char path[128];

    serve_close(&f.serve);
    node_close(&f.node);
    coord_close(&f.coord);
    memory_close(&f.memory);
    outbox_close(&f.out);
    conf_close(&f.conf);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        (void)snprintf(path, sizeof path, "%s/%s", f.dir, names[i]);
        (void)unlink(path);
    }
    (void)rmdir(f.dir);
}

/* What the front does in a process. */
static void deliver(void)
{
    struct router_response response;

    while (router_next_response(f.serve.router, &response)) {
        ck_assert(native_response(&f.serve.native, &response, &f.out));
    }
    memory_send(&f.memory, ROUTER, &f.out);
}

/* One round of all; time goes on by a millisecond. */
static void step(void)
{
    struct message message;

    for (size_t i = 0; i < CORES; i++) {
        while (memory_recv(&f.memory, i, &message)) {
            f.cores[i].message(f.cores[i].core, f.now_ms, &message, &f.out);
        }
        ck_assert_int_eq(f.cores[i].turn(f.cores[i].core, f.now_ms, &f.out, NULL), E_OK);
        memory_send(&f.memory, i, &f.out);
    }
    deliver();
    f.now_ms++;
}

static void wait_for_all(void)
{
    for (int i = 0;; i++) {
        bool is_ready = true;
        for (size_t k = 0; k < CORES; k++) {
            is_ready &= f.cores[k].is_ready(f.cores[k].core);
        }
        if (is_ready) {
            return;
        }
        ck_assert_int_lt(i, STEPS_MAX);
        step();
    }
}

/* The tool's request, and what comes back. */
static void call(peer_id to, enum message_type type, struct slice body)
{
    struct message message;

    outbox_send(&f.out, to, type, body)->req_id = 77;
    memory_send(&f.memory, TOOL, &f.out);
    for (int i = 0; !memory_recv(&f.memory, TOOL, &message); i++) {
        ck_assert_int_lt(i, STEPS_MAX);
        step();
    }
    f.got = message;
    ck_assert_uint_lt(message.body.size, sizeof f.text);
    memcpy(f.text, message.body.data, message.body.size);
    f.text[message.body.size] = '\0';
}

static void make_graph(void)
{
    struct value items[] = {value_cstring("verb"),   value_cstring("graph.create"),
                            value_cstring("name"),   value_cstring("g"),
                            value_cstring("shards"), value_long(2)};
    struct arena arena = {0};
    struct bytes body = {0};
    struct value request = value_items(&arena, VALUE_MAP, items, 3);

    codec_encode(&body, NULL, &request);
    call(PEER_NODE(PEER_COORDINATOR, 1), MESSAGE_ADMIN, bytes_slice(&body));
    ck_assert_int_eq(f.got.type, MESSAGE_ADMIN_REPLY);
    bytes_close(&body);
    arena_close(&arena);
}

static void ask(const char *gremlin)
{
    struct bytes body = {0};

    bytes_format(&body,
                 "\x10"
                 "application/json{\"requestId\":\"00000000-0000-0000-0000-000000000001\","
                 "\"op\":\"eval\",\"processor\":\"\",\"args\":{\"gremlin\":\"%s\","
                 "\"aliases\":{\"g\":\"g\"}}}",
                 gremlin);
    call(PEER_NODE(PEER_ROUTER, 1), MESSAGE_QUERY, bytes_slice(&body));
    ck_assert_int_eq(f.got.type, MESSAGE_QUERY_REPLY);
    ck_assert_uint_eq(f.got.req_id, 77);
    ck_assert_uint_eq(f.got.flags, MESSAGE_LAST);
    bytes_close(&body);
}

START_TEST(a_native_client_asks)
{
    setup();
    ck_assert_ptr_null(serve_node_address(&f.serve, 1));
    for (int i = 0; !f.cores[COORDINATOR].is_ready(f.coord); i++) {
        ck_assert_int_lt(i, STEPS_MAX);
        step();
    }
    for (int i = 0; i < 500; i++) {
        step();
    }
    make_graph();
    wait_for_all();
    ck_assert_str_eq(serve_node_address(&f.serve, 1), "tcp://here:1");
    ck_assert_ptr_null(serve_node_address(&f.serve, 2));
    ask("g.addV('p').property('n', 5).values('n')");
    ck_assert_ptr_nonnull(strstr(f.text, "\"code\":200"));
    ask("g.V().values('n')");
    ck_assert_ptr_nonnull(strstr(f.text, "{\"@type\":\"g:Int32\",\"@value\":5}"));
    ask("g.V(");
    ck_assert_ptr_nonnull(strstr(f.text, "\"code\":597"));
    for (size_t i = 0; i < CORES; i++) {
        ck_assert_uint_gt(f.cores[i].deadline(f.cores[i].core), 0);
    }
    teardown();
}
END_TEST

START_TEST(options_of_the_table)
{
    struct router_options router;
    struct front_options front;

    setup();
    router = serve_router_options(&f.values);
    front = serve_front_options(&f.values);
    ck_assert_uint_eq(router.deadline_ms, 30000);
    ck_assert_uint_eq(router.batch_size, 64);
    ck_assert_uint_eq(router.coordinator_count, 1);
    ck_assert_uint_ne(router.seed, 0);
    ck_assert_int_eq(front.port, 8182);
    ck_assert_str_eq(front.address, "127.0.0.1");
    ck_assert_uint_eq(front.cors_count, 0);
    teardown();
}
END_TEST

static const char *told(size_t core, bool is_metrics)
{
    static char text[65536];
    struct bytes out = {0};

    if (is_metrics) {
        f.cores[core].metrics(f.cores[core].core, &out);
    } else {
        f.cores[core].dump(f.cores[core].core, &out);
    }
    ck_assert_uint_lt(out.size, sizeof text);
    memcpy(text, out.data, out.size);
    text[out.size] = '\0';
    bytes_close(&out);
    return text;
}

static bool says(bool (*readiness)(const void *core, struct bytes *out), void *core,
                 const char *reason)
{
    struct bytes out = {0};
    bool is_ready = readiness(core, &out);

    bytes_u8(&out, 0);
    ck_assert_msg(strstr((const char *)out.data, reason) != NULL, "%s", (const char *)out.data);
    bytes_close(&out);
    return is_ready;
}

START_TEST(what_they_tell_of_themselves)
{
    setup();
    ck_assert(!says(f.cores[COORDINATOR].readiness, f.coord, "this one does not answer yet"));
    ck_assert(!says(f.cores[SHARDD].readiness, f.node, "no coordinator knows this process"));
    ck_assert(!says(f.cores[ROUTER].readiness, &f.serve, "no coordinator has given a map"));
    for (int i = 0; i < 1000; i++) {
        step();
    }
    make_graph();
    wait_for_all();
    ck_assert(says(f.cores[COORDINATOR].readiness, f.coord, "coordinator 1 leads in term"));
    ck_assert(says(f.cores[SHARDD].readiness, f.node, ": 2 replicas here"));
    ck_assert(says(f.cores[ROUTER].readiness, &f.serve, "2 shards, 0 of them without a primary"));
    ask("g.addV('p')");
    ask("g.V().count()");
    ask("g.V(");
    const char *router = told(ROUTER, true);
    ck_assert_ptr_nonnull(strstr(router, "cardea_query_seconds_count{kind=\"write\"} 1\n"));
    ck_assert_ptr_nonnull(strstr(router, "cardea_query_seconds_count{kind=\"read\"} 1\n"));
    ck_assert_ptr_nonnull(strstr(router, "cardea_query_seconds_count{kind=\"failed\"} 1\n"));
    ck_assert_ptr_nonnull(
        strstr(told(SHARDD, true), "cardea_shard_serving{graph=\"g\",shard=\"2\"} 1\n"));
    ck_assert_ptr_nonnull(strstr(told(COORDINATOR, true), "\ncardea_shards_led 2\n"));
    ck_assert_ptr_nonnull(strstr(told(ROUTER, false), "0 queries"));
    ck_assert_ptr_nonnull(strstr(told(SHARDD, false), "node 1"));
    ck_assert_ptr_nonnull(strstr(told(COORDINATOR, false), "coordinator 1"));
    teardown();
}
END_TEST

RUN_SUITE("cores", a_native_client_asks, options_of_the_table, what_they_tell_of_themselves)
