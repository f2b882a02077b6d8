#include "shardd/nodeadmin.h"

#include "common/codec.h"
#include "common/mem.h"
#include "shardd/node.h"

#include <assert.h>
#include <string.h>

enum { PAIRS_MAX = 24 };

/* A MAP that grows. */
struct pairs {
    struct value items[2 * PAIRS_MAX];
    size_t count;
};

/* A LIST that grows. */
struct list {
    struct value *items;
    size_t count;
    size_t room;
};

static void put(struct pairs *pairs, const char *key, struct value value)
{
    assert(pairs->count < PAIRS_MAX);
    pairs->items[2 * pairs->count] = value_cstring(key);
    pairs->items[2 * pairs->count + 1] = value;
    pairs->count++;
}

static void put_number(struct pairs *pairs, const char *key, uint64_t number)
{
    put(pairs, key, value_long((int64_t)number));
}

static struct value finish(struct arena *arena, const struct pairs *pairs)
{
    return value_items(arena, VALUE_MAP, pairs->items, pairs->count);
}

static void push(struct list *list, struct value value)
{
    if (list->count == list->room) {
        list->room = list->room == 0 ? 64 : list->room * 2;
        list->items = mem_resize(list->items, list->room * sizeof *list->items);
    }
    list->items[list->count++] = value;
}

static struct value list_finish(struct arena *arena, struct list *list)
{
    struct value value = value_items(arena, VALUE_LIST, list->items, list->count);

    mem_free(list->items);
    *list = (struct list){0};
    return value;
}

/* ---- stats ---- */

static struct value replica_stats(struct node *node, const struct replica *replica)
{
    struct pairs pairs = {.count = 0};
    struct store_state state = store_state(replica->store);
    struct store_counters counters = store_counters(replica->store);

    put_number(&pairs, "shard", replica->shard);
    put_number(&pairs, "graph", replica->graph);
    put_number(&pairs, "epoch", replica->epoch);
    put(&pairs, "serving", value_bool(replica->is_serving));
    put_number(&pairs, "last", state.last);
    put_number(&pairs, "applied", state.applied);
    put_number(&pairs, "schema", state.schema_version);
    put_number(&pairs, "vertices", replica->vertices);
    put_number(&pairs, "edges", replica->edges);
    put_number(&pairs, "bytes", store_file_bytes(replica->store));
    put_number(&pairs, "prepared", replica->core.prepared_count);
    put_number(&pairs, "commits", replica->core.counters.commits);
    put_number(&pairs, "prepares", replica->core.counters.prepares);
    put_number(&pairs, "conflicts", replica->core.counters.conflicts);
    put_number(&pairs, "inquiries", replica->core.counters.inquiries);
    put_number(&pairs, "contradictions", replica->core.counters.contradictions);
    put_number(&pairs, "alarms", replica->core.counters.alarms);
    put_number(&pairs, "statements", counters.statements);
    put_number(&pairs, "rows", counters.rows);
    put_number(&pairs, "pages_written", counters.pages_written);
    put_number(&pairs, "syncs", counters.syncs);
    put_number(&pairs, "journal_bytes", counters.journal_bytes);
    put_number(&pairs, "checkpoints", counters.checkpoints);
    return finish(&node->arena, &pairs);
}

static int stats(struct node *node, struct pairs *reply)
{
    struct list list = {0};

    put_number(reply, "node", node->options.node);
    put_number(reply, "boot", node->options.boot);
    put_number(reply, "map", node->map.version);
    for (size_t i = 0; i < node->replica_count; i++) {
        push(&list, replica_stats(node, node->replicas[i]));
    }
    put(reply, "shards", list_finish(&node->arena, &list));
    return E_OK;
}

/* ---- fsck ---- */

static int replica_of(struct node *node, const struct value *request, struct replica **replica,
                      struct error *err)
{
    const struct value *shard = value_get_text(request, "shard");

    if (shard == NULL || (shard->kind != VALUE_INT && shard->kind != VALUE_LONG)) {
        return error_set(err, E_INVALID, "the request needs a number 'shard'");
    }
    *replica = shard->integer < 0 || shard->integer > UINT32_MAX
                   ? NULL
                   : node_replica(node, (uint32_t)shard->integer);
    if (*replica == NULL) {
        return error_set(err, E_NOT_FOUND, "shard %lld is not on node %u",
                         (long long)shard->integer, node->options.node);
    }
    return E_OK;
}

struct faults {
    struct arena *arena;
    struct list list;
    uint64_t count;
};

static void add_fault(void *ctx, const char *what)
{
    struct faults *faults = ctx;

    if (faults->count++ < NODEADMIN_FAULTS) {
        push(&faults->list, value_cstring(arena_format(faults->arena, "%s", what)));
    }
}

static int verify(struct node *node, const struct value *request, struct pairs *reply,
                  struct error *err)
{
    struct faults faults = {.arena = &node->arena};
    struct replica *replica;

    int rc = replica_of(node, request, &replica, err);
    if (rc == E_OK) {
        rc = store_verify(replica->store, add_fault, &faults, err);
        rc = rc == E_CORRUPT && faults.count > 0 ? E_OK : rc; /* The list says it. */
    }
    struct value list = list_finish(&node->arena, &faults.list);
    if (rc == E_OK) {
        put_number(reply, "shard", replica->shard);
        put_number(reply, "fault_count", faults.count);
        put(reply, "faults", list);
    }
    return rc;
}

struct far {
    const struct shardmap *map;
    const struct shardmap_graph *graph;
};

static uint32_t far_shard(void *ctx, const struct vid *vertex)
{
    const struct far *far = ctx;

    return shardmap_lookup(far->map, far->graph, vertex) - far->graph->shard_first;
}

static int graph_of(struct node *node, const struct replica *replica, struct far *far,
                    struct error *err)
{
    far->map = &node->map;
    far->graph = shardmap_graph_by_id(&node->map, replica->graph);
    return far->graph != NULL
               ? E_OK
               : error_set(err, E_NOT_FOUND, "the graph of shard %u is gone", replica->shard);
}

static struct value sum_of(struct arena *arena, const uint64_t sum[2])
{
    return value_cstring(arena_format(arena, "%016llx%016llx", (unsigned long long)sum[0],
                                      (unsigned long long)sum[1]));
}

static int symmetry(struct node *node, const struct value *request, struct pairs *reply,
                    struct error *err)
{
    struct replica *replica;
    struct far far;
    struct list list = {0};

    int rc = replica_of(node, request, &replica, err);
    rc = rc != E_OK ? rc : graph_of(node, replica, &far, err);
    if (rc != E_OK) {
        return rc;
    }
    uint32_t count = far.graph->shard_count;
    struct store_symmetry *sums = arena_array(&node->arena, count, sizeof *sums);
    rc = store_symmetry(replica->store, far_shard, &far, sums, count, err);
    if (rc != E_OK) {
        return rc;
    }
    for (uint32_t i = 0; i < count; i++) {
        struct pairs pairs = {.count = 0};
        put_number(&pairs, "shard", node->map.shards[far.graph->shard_first + i].shard);
        put_number(&pairs, "out_count", sums[i].out_count);
        put_number(&pairs, "in_count", sums[i].in_count);
        put(&pairs, "out_sum", sum_of(&node->arena, sums[i].out_sum));
        put(&pairs, "in_sum", sum_of(&node->arena, sums[i].in_sum));
        put_number(&pairs, "needed_count", sums[i].needed_count);
        put_number(&pairs, "claim_count", sums[i].claim_count);
        put(&pairs, "needed_sum", sum_of(&node->arena, sums[i].needed_sum));
        put(&pairs, "claim_sum", sum_of(&node->arena, sums[i].claim_sum));
        push(&list, finish(&node->arena, &pairs));
    }
    put_number(reply, "shard", replica->shard);
    put_number(reply, "applied", store_state(replica->store).applied);
    put_number(reply, "prepared", replica->core.prepared_count);
    put(reply, "far", list_finish(&node->arena, &list));
    return E_OK;
}

struct halves {
    struct arena *arena;
    struct far far;
    uint32_t place; /* Of the far shard in its graph. */
    uint64_t skip;
    uint64_t seen;
    struct list list;
};

static struct value id_value(struct arena *arena, const struct vid *id)
{
    struct vid copy = vid_copy(arena, id);

    return copy.text.data == NULL ? value_long(copy.num) : value_string(copy.text);
}

static void push_half(struct halves *halves, const struct vid *edge, uint64_t hash,
                      const struct vid *vertex, const struct vid *far)
{
    uint64_t place = halves->seen++;
    if (place < halves->skip || place >= halves->skip + NODEADMIN_HALVES) {
        return;
    }
    push(&halves->list, id_value(halves->arena, edge));
    push(&halves->list, value_long((int64_t)hash));
    push(&halves->list, id_value(halves->arena, vertex));
    push(&halves->list, id_value(halves->arena, far));
}

static void add_half(void *ctx, const struct vid *edge, uint64_t hash, const struct vid *vertex,
                     const struct vid *far)
{
    struct halves *halves = ctx;

    if (far_shard(&halves->far, far) == halves->place) {
        push_half(halves, edge, hash, vertex, far);
    }
}

/* An out half whose id is to be claimed in that shard. */
static void add_needed(void *ctx, const struct vid *edge, uint64_t hash, const struct vid *vertex,
                       const struct vid *far)
{
    struct halves *halves = ctx;

    (void)hash;
    if (shardmap_is_claimed(halves->far.graph->partitioner, edge) &&
        far_shard(&halves->far, edge) == halves->place &&
        far_shard(&halves->far, vertex) != halves->place) {
        push_half(halves, edge, store_claim_hash(edge, vertex, far), vertex, far);
    }
}

/* A claim here of an edge in that shard. */
static void add_claim(void *ctx, const struct vid *edge, uint64_t hash, const struct vid *vertex,
                      const struct vid *far)
{
    struct halves *halves = ctx;

    if (far_shard(&halves->far, vertex) == halves->place) {
        push_half(halves, edge, hash, vertex, far);
    }
}

/* direction: out, in; needed, claims: in place of halves, the claims of ids. */
static int list_halves(struct replica *replica, const struct value *direction, struct halves *found,
                       struct error *err)
{
    if (value_is_text(direction, "claims")) {
        return store_each_claim(replica->store, add_claim, found, err);
    }
    if (value_is_text(direction, "needed")) {
        return store_each_half(replica->store, (uint8_t)DIRECTION_OUT, add_needed, found, err);
    }
    bool is_out = value_is_text(direction, "out");
    return store_each_half(replica->store, (uint8_t)(is_out ? DIRECTION_OUT : DIRECTION_IN),
                           add_half, found, err);
}

static int halves(struct node *node, const struct value *request, struct pairs *reply,
                  struct error *err)
{
    const struct value *far = value_get_text(request, "far");
    const struct value *direction = value_get_text(request, "direction");
    const struct value *skip = value_get_text(request, "skip");
    struct halves found = {.arena = &node->arena};
    struct replica *replica;

    int rc = replica_of(node, request, &replica, err);
    rc = rc != E_OK ? rc : graph_of(node, replica, &found.far, err);
    if (rc != E_OK) {
        return rc;
    }
    if (far == NULL || !value_is_number(far) || direction == NULL ||
        (skip != NULL && !value_is_number(skip))) {
        return error_set(err, E_INVALID, "the request needs 'far' and 'direction'");
    }
    const struct shardmap_shard *shard = shardmap_shard(&node->map, (uint32_t)far->integer);
    if (shard == NULL || shard->graph != replica->graph) {
        return error_set(err, E_INVALID, "'far' is not a shard of the same graph");
    }
    found.place = (uint32_t)(shard - node->map.shards) - found.far.graph->shard_first;
    found.skip = skip == NULL ? 0 : (uint64_t)skip->integer;
    rc = list_halves(replica, direction, &found, err);
    struct value list = list_finish(&node->arena, &found.list);
    if (rc == E_OK) {
        put(reply, "halves", list);
        put(reply, "more", value_bool(found.seen > found.skip + NODEADMIN_HALVES));
    }
    return rc;
}

/* ---- requests ---- */

static int carry_out(struct node *node, const struct value *request, struct pairs *reply,
                     struct error *err)
{
    const struct value *verb = request->kind == VALUE_MAP ? value_get_text(request, "verb") : NULL;

    if (verb == NULL || verb->kind != VALUE_STRING) {
        return error_set(err, E_INVALID, "the request needs a text 'verb'");
    }
    if (value_is_text(verb, "stats")) {
        return stats(node, reply);
    }
    if (value_is_text(verb, "verify")) {
        return verify(node, request, reply, err);
    }
    if (value_is_text(verb, "symmetry")) {
        return symmetry(node, request, reply, err);
    }
    if (value_is_text(verb, "halves")) {
        return halves(node, request, reply, err);
    }
    struct slice name = value_slice(verb);
    return error_set(err, E_UNSUPPORTED,
                     "a shard node knows stats, verify, symmetry and halves, not %.*s",
                     (int)name.size, (const char *)name.data);
}

static void answer(struct node *node, const struct message *message, struct outbox *out)
{
    struct pairs reply = {.count = 0};
    struct error err = {0};
    struct reader reader;
    struct value request;

    reader_init(&reader, message->body);
    codec_decode(&reader, &node->arena, NULL, 0, &request);
    int rc = reader_finish(&reader, "administration", &err);
    if (rc == E_OK) {
        rc = carry_out(node, &request, &reply, &err);
    }
    if (rc != E_OK) {
        outbox_refuse(out, message, &err);
    } else {
        struct value value = finish(&node->arena, &reply);
        bytes_clear(&node->body);
        codec_encode(&node->body, NULL, &value);
        outbox_reply(out, message, MESSAGE_ADMIN_REPLY, bytes_slice(&node->body));
    }
    arena_reset(&node->arena);
}

void nodeadmin_take(struct node *node, const struct message *message, struct outbox *out)
{
    struct error err;

    if (node->admin_count >= NODEADMIN_WAITING_MAX) {
        error_set(&err, E_UNAVAILABLE, "too many requests of administration");
        outbox_refuse(out, message, &err);
        return;
    }
    if (node->admin_count == node->admin_room) {
        node->admin_room = node->admin_room == 0 ? 4 : node->admin_room * 2;
        node->admin = mem_resize(node->admin, node->admin_room * sizeof *node->admin);
    }
    struct message *kept = &node->admin[node->admin_count++];
    *kept = *message;
    kept->body.data = mem_copy(message->body.data, message->body.size);
}

bool nodeadmin_is_due(const struct node *node)
{
    return node->admin_count > 0;
}

void nodeadmin_turn(struct node *node, struct outbox *out)
{
    if (node->admin_count == 0) {
        return;
    }
    struct message first = node->admin[0];
    node->admin_count--;
    memmove(node->admin, node->admin + 1, node->admin_count * sizeof *node->admin);
    answer(node, &first, out);
    mem_free((void *)(uintptr_t)first.body.data);
}

void nodeadmin_close(struct node *node)
{
    for (size_t i = 0; i < node->admin_count; i++) {
        mem_free((void *)(uintptr_t)node->admin[i].body.data);
    }
    mem_free(node->admin);
    node->admin = NULL;
    node->admin_count = 0;
}
