#include "tests/lib/memory_cluster.h"

#include "common/codec.h"
#include "common/map.h"

#include <assert.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { CLUSTER_ID = 4711, STEPS_MAX = 200000 };

static const uint32_t coordinators[] = {1};

static void require(int rc, const struct error *err)
{
    if (rc != E_OK) {
        fprintf(stderr, "%s\n", err->text);
        abort();
    }
}

/* ---- rounds ---- */

static bool step_coord(struct memory_cluster *cluster)
{
    struct message message;
    struct error err = {0};
    bool is_moving = false;

    while (memory_recv(&cluster->memory, cluster->coord_end, &message)) {
        coord_message(cluster->coord, cluster->now_ms, &message, &cluster->out);
        is_moving = true;
    }
    require(coord_turn(cluster->coord, cluster->now_ms, &cluster->out, &err), &err);
    is_moving |= cluster->out.count > 0;
    memory_send(&cluster->memory, cluster->coord_end, &cluster->out);
    return is_moving;
}

static bool step_node(struct memory_cluster *cluster, uint32_t i)
{
    struct message message;
    struct error err = {0};
    bool is_moving = false;

    while (memory_recv(&cluster->memory, cluster->node_ends[i], &message)) {
        node_message(cluster->nodes[i], cluster->now_ms, &message, &cluster->out);
        is_moving = true;
    }
    require(node_turn(cluster->nodes[i], cluster->now_ms, &cluster->out, &err), &err);
    is_moving |= cluster->out.count > 0;
    memory_send(&cluster->memory, cluster->node_ends[i], &cluster->out);
    return is_moving;
}

static bool step_router(struct memory_cluster *cluster)
{
    struct message message;
    bool is_moving = false;

    while (memory_recv(&cluster->memory, cluster->router_end, &message)) {
        router_message(cluster->router, cluster->now_ms, &message, &cluster->out);
        is_moving = true;
    }
    router_turn(cluster->router, cluster->now_ms, &cluster->out, NULL);
    is_moving |= cluster->out.count > 0;
    memory_send(&cluster->memory, cluster->router_end, &cluster->out);
    return is_moving || router_deadline(cluster->router) <= cluster->now_ms;
}

bool memory_cluster_step(struct memory_cluster *cluster)
{
    bool is_moving = step_coord(cluster);

    for (uint32_t i = 0; i < MEMORY_CLUSTER_NODES; i++) {
        is_moving |= step_node(cluster, i);
    }
    is_moving |= step_router(cluster);
    if (!is_moving) {
        cluster->now_ms++;
    }
    return is_moving;
}

/* ---- life ---- */

static void open_coord(struct memory_cluster *cluster)
{
    struct coord_options options = {.node = 1,
                                    .boot = ++cluster->boots,
                                    .seed = 1,
                                    .cluster_id = CLUSTER_ID,
                                    .data_dir = cluster->dirs[MEMORY_CLUSTER_NODES],
                                    .coordinators = coordinators,
                                    .coordinator_count = 1};
    struct error err = {0};

    require(coord_open(&cluster->coord, &options, &err), &err);
    cluster->coord_end = memory_join(&cluster->memory, PEER_COORDINATOR, 1, cluster->boots);
}

static void open_node(struct memory_cluster *cluster, uint32_t i)
{
    struct node_options options = {.node = i + 1,
                                   .boot = ++cluster->boots,
                                   .seed = i,
                                   .cluster_id = CLUSTER_ID,
                                   .data_dir = cluster->dirs[i],
                                   .address = cluster->addresses[i],
                                   .coordinators = coordinators,
                                   .coordinator_count = 1};
    struct error err = {0};

    require(node_open(&cluster->nodes[i], &options, &err), &err);
    cluster->node_ends[i] = memory_join(&cluster->memory, PEER_SHARDD, i + 1, cluster->boots);
}

static void open_router(struct memory_cluster *cluster)
{
    struct router_options options = {.node = 1,
                                     .boot = ++cluster->boots,
                                     .cluster_id = CLUSTER_ID,
                                     .seed = 3,
                                     .coordinators = coordinators,
                                     .coordinator_count = 1};
    struct error err = {0};

    require(router_open(&cluster->router, &options, &err), &err);
    cluster->router_end = memory_join(&cluster->memory, PEER_ROUTER, 1, cluster->boots);
    cluster->client = router_client_open(cluster->router);
}

static const char *tmp_dir(void)
{
    const char *dir = getenv("TMPDIR");

    return dir == NULL ? "/tmp" : dir;
}

static void make_dirs(struct memory_cluster *cluster)
{
    snprintf(cluster->dir, sizeof cluster->dir, "%s/cardea-test-XXXXXX", tmp_dir());
    assert(mkdtemp(cluster->dir) != NULL);
    for (uint32_t i = 0; i <= MEMORY_CLUSTER_NODES; i++) {
        snprintf(cluster->dirs[i], sizeof cluster->dirs[i], "%s/%u", cluster->dir, i);
        assert(mkdir(cluster->dirs[i], 0700) == 0);
    }
}

void memory_cluster_open(struct memory_cluster *cluster, uint32_t shards, const char *partitioner)
{
    memset(cluster, 0, sizeof *cluster);
    cluster->now_ms = 1000;
    memory_init(&cluster->memory, CLUSTER_ID);
    outbox_init(&cluster->out);
    make_dirs(cluster);
    open_coord(cluster);
    for (uint32_t i = 0; i < MEMORY_CLUSTER_NODES; i++) {
        snprintf(cluster->addresses[i], sizeof cluster->addresses[i], "inproc://node-%u", i + 1);
        open_node(cluster, i);
    }
    open_router(cluster);
    cluster->tool_end = memory_join(&cluster->memory, PEER_TOOL, 1, ++cluster->boots);
    for (int i = 0; i < STEPS_MAX; i++) {
        bool is_ready = coord_is_ready(cluster->coord);
        for (uint32_t n = 0; n < MEMORY_CLUSTER_NODES; n++) {
            is_ready = is_ready && node_is_ready(cluster->nodes[n]);
        }
        if (is_ready) {
            break;
        }
        memory_cluster_step(cluster);
    }
    memory_cluster_graph(cluster, "g", shards, partitioner);
    for (int i = 0; i < STEPS_MAX && !router_is_ready(cluster->router); i++) {
        memory_cluster_step(cluster);
    }
    assert(router_is_ready(cluster->router));
}

static int remove_one(const char *path, const struct stat *status, int kind, struct FTW *walk)
{
    (void)status, (void)kind, (void)walk;
    return remove(path);
}

void memory_cluster_close(struct memory_cluster *cluster)
{
    router_close(&cluster->router);
    for (uint32_t i = 0; i < MEMORY_CLUSTER_NODES; i++) {
        node_close(&cluster->nodes[i]);
    }
    coord_close(&cluster->coord);
    outbox_close(&cluster->out);
    memory_close(&cluster->memory);
    nftw(cluster->dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

void memory_cluster_restart_node(struct memory_cluster *cluster, uint32_t node)
{
    node_close(&cluster->nodes[node]);
    memory_leave(&cluster->memory, cluster->node_ends[node]);
    open_node(cluster, node);
}

/* ---- administration ---- */

static void send_create(struct memory_cluster *cluster, const char *name, uint32_t shards,
                        const char *partitioner)
{
    struct value items[] = {value_cstring("verb"),        value_cstring("graph.create"),
                            value_cstring("name"),        value_cstring(name),
                            value_cstring("shards"),      value_long(shards),
                            value_cstring("partitioner"), value_cstring(partitioner),
                            value_cstring("ids"),         value_cstring("long")};
    struct arena arena;
    struct bytes body;

    arena_init(&arena, 0);
    bytes_init(&body, 0);
    struct value map = value_items(&arena, VALUE_MAP, items, 5);
    codec_encode(&body, NULL, &map);
    struct message *message = outbox_send(&cluster->out, PEER_NODE(PEER_COORDINATOR, 1),
                                          MESSAGE_ADMIN, bytes_slice(&body));
    message->req_id = 1;
    memory_send(&cluster->memory, cluster->tool_end, &cluster->out);
    bytes_close(&body);
    arena_close(&arena);
}

void memory_cluster_graph(struct memory_cluster *cluster, const char *name, uint32_t shards,
                          const char *partitioner)
{
    struct message reply;
    struct error err = {0};

    send_create(cluster, name, shards, partitioner);
    for (int i = 0; i < STEPS_MAX; i++) {
        if (memory_recv(&cluster->memory, cluster->tool_end, &reply)) {
            if (reply.type == MESSAGE_REFUSED) {
                message_refusal(reply.body, &err);
            }
            require(reply.type == MESSAGE_ADMIN_REPLY ? E_OK : E_INVALID, &err);
            return;
        }
        memory_cluster_step(cluster);
    }
    assert(false && "no answer to graph.create");
}

/* ---- queries ---- */

uint8_t memory_cluster_request(struct memory_cluster *cluster, struct request *request)
{
    request->has_id = true;
    request->id[15] = ++cluster->next_id;
    request->source = SLICE("g");
    router_request(cluster->router, cluster->now_ms, cluster->client, request, &cluster->out);
    memory_send(&cluster->memory, cluster->router_end, &cluster->out);
    return cluster->next_id;
}

uint8_t memory_cluster_ask(struct memory_cluster *cluster, const char *session, const char *text)
{
    struct request request = {.op = REQUEST_EVAL, .op_name = SLICE("eval")};

    arena_init(&request.arena, 0);
    request.gremlin = slice_of(arena_copy(&request.arena, text, strlen(text)), strlen(text));
    if (session != NULL) {
        request.processor = SLICE("session");
        request.session = slice_text(session);
    }
    return memory_cluster_request(cluster, &request);
}

const char *memory_cluster_load(struct memory_cluster *cluster, struct slice batch)
{
    struct request request = {
        .op = REQUEST_UNKNOWN, .op_name = SLICE("load"), .processor = SLICE("cardea")};
    struct value items[2] = {value_cstring("batch"),
                             {.kind = VALUE_BINARY, .size = (uint32_t)batch.size}};

    arena_init(&request.arena, 0);
    items[1].bytes = arena_copy(&request.arena, batch.data, batch.size);
    request.args = value_items(&request.arena, VALUE_MAP, items, 1);
    return memory_cluster_wait(cluster, memory_cluster_request(cluster, &request));
}

const char *memory_cluster_wait(struct memory_cluster *cluster, uint8_t id)
{
    struct router_response response;
    size_t used = 0;

    cluster->text[0] = '\0';
    for (int i = 0; i < STEPS_MAX; i++) {
        while (router_next_response(cluster->router, &response)) {
            bool is_mine = response.request_id[15] == id;
            size_t left = sizeof cluster->text - used - 1;
            size_t size = response.body.size < left ? response.body.size : left;
            if (is_mine) {
                memcpy(cluster->text + used, response.body.data, size);
                used += size;
                cluster->text[used] = '\0';
            }
            bytes_close(&response.body);
            if (is_mine && response.is_last) {
                return cluster->text;
            }
        }
        memory_cluster_step(cluster);
    }
    return "no answer";
}

const char *memory_cluster_query(struct memory_cluster *cluster, const char *text)
{
    return memory_cluster_wait(cluster, memory_cluster_ask(cluster, NULL, text));
}

const char *memory_cluster_session(struct memory_cluster *cluster, const char *session,
                                   const char *text)
{
    return memory_cluster_wait(cluster, memory_cluster_ask(cluster, session, text));
}
