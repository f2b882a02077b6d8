#include "tests/lib/lab.h"

#include "common/codec.h"
#include "common/control.h"
#include "common/mem.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const uint32_t coordinators[] = {1};

enum { CLUSTER = 77, ASK_MS = 20000, STEPS_MAX = 200000 };

void lab_start_coord(struct lab *lab)
{
    struct error err = {0};
    struct coord_options options = {.node = 1,
                                    .boot = ++lab->boots,
                                    .seed = lab->boots,
                                    .cluster_id = CLUSTER,
                                    .data_dir = lab->folder,
                                    .coordinators = coordinators,
                                    .coordinator_count = 1,
                                    .is_sync = false,
                                    .snapshot_entries = 50};

    lab->boot_of[LAB_COORD] = options.boot;
    int rc = coord_open(&lab->coord, &options, &err);
    if (rc != E_OK) {
        fprintf(stderr, "coordinator: %s\n", err.text);
        abort();
    }
}

void lab_stop_coord(struct lab *lab)
{
    coord_close(&lab->coord);
    outbox_clear(&lab->inbox[LAB_COORD]);
}

void lab_start_node(struct lab *lab, uint32_t node)
{
    static const char *const addresses[] = {"", "mem://1", "mem://2", "mem://3", "mem://4"};
    static char folders[LAB_NODES_MAX + 1][96];
    struct error err = {0};
    struct node_options options = {.node = node,
                                   .boot = ++lab->boots,
                                   .seed = lab->boots,
                                   .cluster_id = CLUSTER,
                                   .data_dir = folders[node],
                                   .address = addresses[node],
                                   .coordinators = coordinators,
                                   .coordinator_count = 1};

    snprintf(folders[node], sizeof folders[node], "%s/node-%u", lab->folder, node);
    if (mkdir(folders[node], 0700) != 0 && errno != EEXIST) {
        abort();
    }
    lab->boot_of[node] = options.boot;
    int rc = node_open(&lab->nodes[node], &options, &err);
    if (rc != E_OK) {
        fprintf(stderr, "node %u: %s\n", node, err.text);
        abort();
    }
}

void lab_stop_node(struct lab *lab, uint32_t node)
{
    node_close(&lab->nodes[node]);
    outbox_clear(&lab->inbox[node]);
}

void lab_open(struct lab *lab, uint32_t node_count)
{
    *lab =
        (struct lab){.folder = "/tmp/cardea-lab-XXXXXX", .now_ms = 1000, .node_count = node_count};
    char *made = mkdtemp(lab->folder);
    assert(made != NULL && node_count <= LAB_NODES_MAX);
    for (size_t i = 0; i < LAB_PLACES; i++) {
        outbox_init(&lab->inbox[i]);
    }
    outbox_init(&lab->out);
    lab->boot_of[LAB_CLIENT] = ++lab->boots;
    lab_start_coord(lab);
    for (uint32_t i = 1; i <= node_count; i++) {
        lab_start_node(lab, i);
    }
}

static void remove_folder(const char *folder)
{
    char path[512];
    DIR *dir = opendir(folder);
    struct dirent *entry;

    while (dir != NULL && (entry = readdir(dir)) != NULL) {
        snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        if (unlink(path) != 0 && errno == EISDIR && entry->d_name[0] != '.') {
            remove_folder(path);
        }
    }
    closedir(dir);
    rmdir(folder);
}

void lab_close(struct lab *lab)
{
    coord_close(&lab->coord);
    for (uint32_t i = 1; i <= LAB_NODES_MAX; i++) {
        node_close(&lab->nodes[i]);
    }
    for (size_t i = 0; i < LAB_PLACES; i++) {
        outbox_close(&lab->inbox[i]);
    }
    outbox_close(&lab->out);
    for (size_t i = 0; i < lab->delayed_count; i++) {
        mem_free((void *)(uintptr_t)lab->delayed[i].message.body.data);
    }
    mem_free(lab->delayed);
    shardmap_close(&lab->map);
    remove_folder(lab->folder);
}

/* ---- messages ---- */

static size_t place_of(peer_id peer)
{
    if ((peer & PEER_CALLER_BIT) != 0) {
        return (size_t)(peer & ~PEER_CALLER_BIT);
    }
    return (peer >> 32) == PEER_COORDINATOR ? LAB_COORD : (size_t)(uint32_t)peer;
}

static peer_id name_of(size_t place)
{
    return place == LAB_COORD ? PEER_NODE(PEER_COORDINATOR, 1)
                              : PEER_NODE(PEER_SHARDD, (uint32_t)place);
}

static bool is_running(const struct lab *lab, size_t place)
{
    return place == LAB_CLIENT ||
           (place == LAB_COORD ? lab->coord != NULL : lab->nodes[place] != NULL);
}

static void put(struct lab *lab, size_t to, const struct message *message)
{
    struct message *copy =
        outbox_send(&lab->inbox[to], message->peer, message->type, message->body);
    struct slice body = copy->body;

    *copy = *message;
    copy->body = body;
}

static void delay(struct lab *lab, size_t to, const struct message *message, uint64_t ms)
{
    if (lab->delayed_count == lab->delayed_room) {
        lab->delayed_room = lab->delayed_room == 0 ? 64 : lab->delayed_room * 2;
        lab->delayed = mem_resize(lab->delayed, lab->delayed_room * sizeof *lab->delayed);
    }
    struct lab_delayed *delayed = &lab->delayed[lab->delayed_count++];
    *delayed = (struct lab_delayed){.at_ms = lab->now_ms + ms, .to = to, .message = *message};
    delayed->message.body.data =
        message->body.size == 0 ? NULL : mem_copy(message->body.data, message->body.size);
}

static void arrive(struct lab *lab)
{
    for (size_t i = lab->delayed_count; i > 0; i--) {
        struct lab_delayed delayed = lab->delayed[i - 1];
        if (delayed.at_ms > lab->now_ms) {
            continue;
        }
        lab->delayed[i - 1] = lab->delayed[--lab->delayed_count];
        if (is_running(lab, delayed.to)) {
            put(lab, delayed.to, &delayed.message);
        }
        mem_free((void *)(uintptr_t)delayed.message.body.data);
    }
}

static uint64_t next_arrival(const struct lab *lab)
{
    uint64_t next = UINT64_MAX;

    for (size_t i = 0; i < lab->delayed_count; i++) {
        next = lab->delayed[i].at_ms < next ? lab->delayed[i].at_ms : next;
    }
    return next;
}

static void carry(struct lab *lab, size_t to, const struct message *message)
{
    if (!lab->is_lossy) {
        if (is_running(lab, to)) {
            put(lab, to, message);
        }
        return;
    }
    if (!prng_chance(&lab->prng, 0.06)) {
        delay(lab, to, message, prng_below(&lab->prng, 30));
    }
    if (prng_chance(&lab->prng, 0.06)) {
        delay(lab, to, message, prng_below(&lab->prng, 900));
    }
}

static void deliver(struct lab *lab, size_t from)
{
    for (size_t i = 0; i < lab->out.count; i++) {
        struct message message = lab->out.items[i];
        size_t to = place_of(message.peer);
        bool is_reply = (message.peer & PEER_CALLER_BIT) != 0;
        if (lab->filter != NULL && !lab->filter(lab, from, to, &message)) {
            continue;
        }
        message.peer = is_reply ? name_of(from) : PEER_CALLER_BIT | from;
        message.src_node = (uint32_t)name_of(from);
        message.src_boot = lab->boot_of[from];
        carry(lab, to, &message);
    }
    outbox_clear(&lab->out);
}

static bool drain(struct lab *lab, size_t place)
{
    struct outbox inbox = lab->inbox[place];
    bool is_some = inbox.count > 0;

    outbox_init(&lab->inbox[place]);
    for (size_t i = 0; i < inbox.count; i++) {
        if (place == LAB_COORD) {
            coord_message(lab->coord, lab->now_ms, &inbox.items[i], &lab->out);
        } else {
            node_message(lab->nodes[place], lab->now_ms, &inbox.items[i], &lab->out);
        }
    }
    outbox_close(&inbox);
    return is_some;
}

static void fail_turn(size_t place, const struct error *err)
{
    fprintf(stderr, "place %zu: %s\n", place, err->text);
    abort();
}

/* Returns the next deadline; 0 if something happened now. */
static uint64_t step_place(struct lab *lab, size_t place)
{
    struct error err = {0};
    bool is_coord = place == LAB_COORD;

    if (is_coord ? lab->coord == NULL : lab->nodes[place] == NULL) {
        return UINT64_MAX;
    }
    uint64_t deadline = is_coord ? coord_deadline(lab->coord) : node_deadline(lab->nodes[place]);
    if (!drain(lab, place) && deadline > lab->now_ms) {
        return deadline;
    }
    int rc = is_coord ? coord_turn(lab->coord, lab->now_ms, &lab->out, &err)
                      : node_turn(lab->nodes[place], lab->now_ms, &lab->out, &err);
    if (rc != E_OK && !is_coord && node_must_restart(lab->nodes[place])) {
        outbox_clear(&lab->out);
        lab_stop_node(lab, (uint32_t)place);
        lab_start_node(lab, (uint32_t)place);
    } else if (rc != E_OK) {
        fail_turn(place, &err);
    }
    deliver(lab, place);
    return 0;
}

void lab_step(struct lab *lab, uint64_t end_ms)
{
    uint64_t next = end_ms;
    bool is_busy = false;

    arrive(lab);
    next = next_arrival(lab) < next ? next_arrival(lab) : next;
    for (size_t place = 0; place <= LAB_NODES_MAX; place++) {
        uint64_t deadline = step_place(lab, place);
        is_busy = is_busy || deadline == 0;
        next = deadline != 0 && deadline < next ? deadline : next;
    }
    if (!is_busy) {
        lab->now_ms = next > lab->now_ms ? next : lab->now_ms + 1;
    }
}

void lab_run(struct lab *lab, uint64_t ms)
{
    uint64_t end_ms = lab->now_ms + ms;

    for (int i = 0; lab->now_ms < end_ms; i++) {
        assert(i < STEPS_MAX);
        lab_step(lab, end_ms);
    }
}

uint64_t lab_send(struct lab *lab, const struct message *request)
{
    struct message *sent = outbox_send(&lab->out, request->peer, request->type, request->body);
    struct slice body = sent->body;

    *sent = *request;
    sent->body = body;
    sent->req_id = ++lab->req_id;
    deliver(lab, LAB_CLIENT);
    return lab->req_id;
}

enum message_type lab_ask(struct lab *lab, struct message *request, struct bytes *reply,
                          struct error *err)
{
    uint64_t end_ms = lab->now_ms + ASK_MS;
    struct outbox *inbox = &lab->inbox[LAB_CLIENT];

    request->req_id = lab_send(lab, request);
    bytes_clear(reply);
    for (int i = 0; lab->now_ms < end_ms && i < STEPS_MAX; i++) {
        for (size_t j = 0; j < inbox->count; j++) {
            const struct message *message = &inbox->items[j];
            if (message->req_id == request->req_id) {
                enum message_type type = message->type;
                if (type == MESSAGE_REFUSED) {
                    message_refusal(message->body, err);
                }
                bytes_append(reply, message->body.data, message->body.size);
                outbox_clear(inbox);
                return type;
            }
        }
        outbox_clear(inbox);
        lab_step(lab, end_ms);
    }
    return 0;
}

/* ---- a client ---- */

enum message_type lab_admin(struct lab *lab, peer_id peer, struct bytes *reply, struct error *err,
                            const char *const *pairs)
{
    struct value items[32];
    size_t count = 0;
    struct arena arena = {0};
    struct bytes body;

    for (; pairs[count] != NULL; count++) {
        bool is_number = count % 2 == 1 && pairs[count][0] >= '0' && pairs[count][0] <= '9';
        items[count] =
            is_number ? value_long(strtol(pairs[count], NULL, 10)) : value_cstring(pairs[count]);
    }
    struct value map = value_items(&arena, VALUE_MAP, items, count / 2);
    bytes_init(&body, 0);
    codec_encode(&body, NULL, &map);
    struct message request = {.type = MESSAGE_ADMIN, .peer = peer, .body = bytes_slice(&body)};
    enum message_type type = lab_ask(lab, &request, reply, err);
    bytes_close(&body);
    arena_close(&arena);
    return type;
}

void lab_refresh(struct lab *lab)
{
    struct bytes body;
    struct bytes reply;
    struct error err;

    bytes_init(&body, 0);
    bytes_init(&reply, 0);
    control_map_get_encode(&body, 0);
    struct message ask = {.type = MESSAGE_MAP_GET,
                          .peer = PEER_NODE(PEER_COORDINATOR, 1),
                          .body = bytes_slice(&body)};
    enum message_type type = lab_ask(lab, &ask, &reply, &err);
    assert(type == MESSAGE_MAP);
    shardmap_close(&lab->map);
    int rc = shardmap_decode(bytes_slice(&reply), &lab->map, NULL);
    assert(rc == E_OK);
    bytes_close(&body);
    bytes_close(&reply);
}

void lab_boot(struct lab *lab, const char *graph, int shards)
{
    char number[16];
    char replicas[16];
    struct bytes reply;
    struct error err = {0};
    struct control_registered registered;
    struct message ask = {.type = MESSAGE_ROUTER_REGISTER, .peer = PEER_NODE(PEER_COORDINATOR, 1)};

    bytes_init(&reply, 0);
    snprintf(number, sizeof number, "%d", shards);
    snprintf(replicas, sizeof replicas, "%u", lab->replicas == 0 ? 1 : lab->replicas);
    lab_run(lab, 1000);
    const char *pairs[] = {"verb", "graph.create", "name",   graph, "shards",
                           number, "replicas",     replicas, NULL};
    enum message_type type = lab_admin(lab, PEER_NODE(PEER_COORDINATOR, 1), &reply, &err, pairs);
    if (type != MESSAGE_ADMIN_REPLY) {
        fprintf(stderr, "graph.create: %s\n", err.text);
        abort();
    }
    type = lab_ask(lab, &ask, &reply, &err);
    assert(type == MESSAGE_ROUTER_REGISTERED);
    int rc = control_registered_decode(bytes_slice(&reply), &registered, NULL);
    assert(rc == E_OK);
    lab->sid = registered.sid;
    lab->term = registered.term;
    bytes_close(&reply);
    lab_refresh(lab);
}
