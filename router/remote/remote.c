#include "router/remote/remote.h"

#include "common/control.h"
#include "common/mem.h"
#include "common/prng.h"
#include "router/remote/ids.h"
#include "router/remote/transaction.h"

#include <assert.h>

enum {
    SILENCE_MS = 500, /* Until the first repeat; doubles up to SILENCE_MAX_MS. */
    SILENCE_MAX_MS = 4000,
    ELECTION_WAIT_MS = 50, /* Before a coordinator without a leader is asked again. */
    MAP_PERIOD_MS = 5000,  /* The map is asked for even if nobody misses it. */
    MAP_CHANGING_MS = 10,  /* The same while it shows that something is being made or started. */
    UNKNOWN_KEPT_MS = 60000
};

struct held_map {
    struct shardmap map;
    struct held_map *next;
    uint64_t retired; /* Generation in which a newer one came. */
};

struct seq {
    uint64_t seq;
    uint64_t until_ms; /* 0: running. */
};

struct remote {
    uint64_t now_ms;
    struct outbox *out;
    uint32_t *coordinators;
    uint32_t coordinator_count;
    uint32_t leader; /* Index of who is asked. */
    uint64_t sid, term;
    uint64_t next_req_id;
    uint64_t due_ms; /* No request is due before. */
    struct map requests;
    struct held_map *map, *old_maps;
    uint64_t generation;
    uint64_t map_again_ms;
    struct remote_request registration, map_get;
    struct transaction *transactions;
    struct seq *seqs;
    size_t seq_count, seq_room;
    uint64_t next_seq;
    struct ids **ids;
    struct remote_request **leases; /* Of ids of the same place. */
    size_t ids_count;
    struct prng prng;
    struct remote_counters counters;
};

static void on_registered(struct remote *remote, struct remote_request *request,
                          const struct message *reply, const struct error *err);
static void on_map(struct remote *remote, struct remote_request *request,
                   const struct message *reply, const struct error *err);

/* ---- life ---- */

static void init_request(struct remote_request *request, enum message_type type,
                         remote_reply_fn on_reply)
{
    *request = (struct remote_request){.type = type, .is_to_leader = true, .on_reply = on_reply};
    bytes_init(&request->body, 0);
}

struct remote *remote_new(const struct remote_options *options)
{
    struct remote *remote = mem_alloc(sizeof *remote);

    assert(options->coordinator_count > 0);
    remote->coordinator_count = options->coordinator_count;
    remote->coordinators =
        mem_copy(options->coordinators, options->coordinator_count * sizeof *options->coordinators);
    remote->next_req_id = 1;
    remote->next_seq = 1;
    map_init(&remote->requests, NULL);
    prng_init(&remote->prng, options->seed);
    init_request(&remote->registration, MESSAGE_ROUTER_REGISTER, on_registered);
    init_request(&remote->map_get, MESSAGE_MAP_GET, on_map);
    return remote;
}

static void free_maps(struct held_map **list)
{
    while (*list != NULL) {
        struct held_map *first = *list;
        *list = first->next;
        shardmap_close(&first->map);
        mem_free(first);
    }
}

void remote_free(struct remote **at)
{
    struct remote *remote = *at;

    if (remote == NULL) {
        return;
    }
    assert(remote->transactions == NULL);
    bytes_close(&remote->registration.body);
    bytes_close(&remote->map_get.body);
    for (size_t i = 0; i < remote->ids_count; i++) {
        ids_close(remote->ids[i]);
        mem_free(remote->ids[i]);
        bytes_close(&remote->leases[i]->body);
        mem_free(remote->leases[i]);
    }
    mem_free(remote->ids);
    mem_free(remote->leases);
    mem_free(remote->seqs);
    mem_free(remote->coordinators);
    map_close(&remote->requests);
    free_maps(&remote->map);
    free_maps(&remote->old_maps);
    mem_free(remote);
    *at = NULL;
}

void remote_enter(struct remote *remote, uint64_t now_ms, struct outbox *out)
{
    assert(out != NULL);
    remote->now_ms = now_ms;
    remote->out = out;
}

uint64_t remote_now(const struct remote *remote)
{
    return remote->now_ms;
}

const struct shardmap *remote_map(const struct remote *remote)
{
    return remote->map == NULL ? NULL : &remote->map->map;
}

uint64_t remote_sid(const struct remote *remote)
{
    return remote->sid;
}

uint64_t remote_term(const struct remote *remote)
{
    return remote->term;
}

const struct remote_counters *remote_counters(const struct remote *remote)
{
    return &remote->counters;
}

/* ---- requests ---- */

static void set_due(struct remote *remote, struct remote_request *request, uint64_t again_ms)
{
    request->again_ms = again_ms;
    if (request->deadline_ms != 0 && request->deadline_ms < again_ms) {
        again_ms = request->deadline_ms;
    }
    if (request->dead_ms != 0 && request->dead_ms + REMOTE_DEAD_MS < again_ms) {
        again_ms = request->dead_ms + REMOTE_DEAD_MS;
    }
    if (again_ms < remote->due_ms) {
        remote->due_ms = again_ms;
    }
}

bool remote_is_led(const struct remote *remote, uint32_t number, struct error *err)
{
    const struct shardmap_shard *shard = shardmap_shard(&remote->map->map, number);
    const struct shardmap_node *node =
        shard == NULL ? NULL : shardmap_node(&remote->map->map, shard->primary);

    if (shard == NULL || (shard->primary_boot != 0 && node != NULL && node->is_up)) {
        return true;
    }
    error_set(
        err, E_TIMEOUT,
        "shard %u is not served: node %u at %.*s is down, and no other replica could take over",
        number, shard->primary, node == NULL ? 1 : (int)node->address.size,
        node == NULL ? "?" : (const char *)node->address.data);
    return false;
}

static void note_led(struct remote *remote, struct remote_request *request)
{
    if (request->is_to_leader || request->shard == 0 ||
        remote_is_led(remote, request->shard, NULL)) {
        request->dead_ms = 0;
    } else if (request->dead_ms == 0) {
        request->dead_ms = remote->now_ms;
        set_due(remote, request, request->again_ms);
    }
}

static void transmit(struct remote *remote, struct remote_request *request)
{
    note_led(remote, request);
    if (request->is_to_leader) {
        request->peer = PEER_NODE(PEER_COORDINATOR, remote->coordinators[remote->leader]);
    }
    struct message *message =
        outbox_send(remote->out, request->peer, request->type, bytes_slice(&request->body));
    request->sends++;
    message->req_id = request->req_id;
    message->shard = request->shard;
    message->epoch = request->epoch;
    if (request->deadline_ms > remote->now_ms) {
        uint64_t left = request->deadline_ms - remote->now_ms;
        message->deadline_ms = left < UINT32_MAX ? (uint32_t)left : UINT32_MAX;
    }
    set_due(remote, request, remote->now_ms + request->silence_ms);
}

static void enlist(struct remote *remote, struct remote_request *request)
{
    if (request->req_id == 0) {
        request->req_id = remote->next_req_id++;
    }
    map_put(&remote->requests, request->req_id, (uint64_t)(uintptr_t)request);
}

void remote_send(struct remote *remote, struct remote_request *request)
{
    assert(remote->out != NULL);
    assert(request->on_reply != NULL);
    enlist(remote, request);
    request->is_held = false;
    request->silence_ms = request->is_once ? UINT32_MAX : SILENCE_MS;
    remote->counters.requests++;
    transmit(remote, request);
}

/* A graph that is not ready, or a shard without a process, will be in a moment. */
static bool map_is_changing(const struct shardmap *map)
{
    bool is_changing = map == NULL || map->graph_count == 0;

    for (uint32_t i = 0; !is_changing && i < map->graph_count; i++) {
        is_changing = !map->graphs[i].is_ready;
    }
    for (uint32_t i = 0; !is_changing && i < map->shard_count; i++) {
        is_changing = map->shards[i].primary_boot == 0;
    }
    return is_changing;
}

/* Somebody waits for a newer one: the coordinator may hear of a restart a moment after us. */
static bool map_is_missed(const struct remote *remote)
{
    for (size_t i = 0; i < remote->requests.count; i++) {
        const struct remote_request *request =
            (const struct remote_request *)(uintptr_t)remote->requests.entries[i].value;
        if (request->is_held && request->map_version != UINT64_MAX) {
            return true;
        }
    }
    return false;
}

static uint64_t map_again(const struct remote *remote)
{
    bool is_soon = map_is_changing(remote_map(remote)) || map_is_missed(remote);

    return remote->now_ms + (is_soon ? MAP_CHANGING_MS : MAP_PERIOD_MS);
}

void remote_refresh(struct remote *remote)
{
    struct remote_request *request = &remote->map_get;

    remote->map_again_ms = map_again(remote);
    if (remote->sid == 0 || map_has(&remote->requests, request->req_id)) {
        return;
    }
    request->req_id = 0;
    bytes_clear(&request->body);
    control_map_get_encode(&request->body, remote->map->map.version);
    remote_send(remote, request);
}

void remote_hold(struct remote *remote, struct remote_request *request, uint64_t wait_ms,
                 bool with_map)
{
    assert(request->on_again != NULL);
    enlist(remote, request);
    request->is_held = true;
    request->map_version = UINT64_MAX;
    if (with_map) {
        request->map_version = remote->map->map.version;
        remote_refresh(remote);
    }
    set_due(remote, request, remote->now_ms + wait_ms);
}

static void delist(struct remote *remote, struct remote_request *request)
{
    if (request->req_id != 0) {
        map_remove(&remote->requests, request->req_id);
    }
    request->is_held = false;
}

/* The shard may stop working on it. */
static void cancel(struct remote *remote, const struct remote_request *request)
{
    if (request->type != MESSAGE_READ || request->is_held) {
        return;
    }
    struct message *message =
        outbox_send(remote->out, request->peer, MESSAGE_CANCEL, (struct slice){0});
    message->req_id = request->req_id;
    message->shard = request->shard;
    message->epoch = request->epoch;
}

void remote_drop(struct remote *remote, struct remote_request *request)
{
    if (request->req_id != 0 && map_has(&remote->requests, request->req_id)) {
        cancel(remote, request);
        delist(remote, request);
    }
    request->req_id = 0;
    bytes_close(&request->body);
}

bool remote_target(const struct remote *remote, uint32_t shard, struct remote_request *request)
{
    const struct shardmap_shard *found = shardmap_shard(&remote->map->map, shard);

    if (found == NULL) {
        return false;
    }
    request->shard = shard;
    request->epoch = found->epoch;
    request->peer = PEER_NODE(PEER_SHARDD, found->primary);
    return true;
}

static struct remote_request *find(const struct remote *remote, uint64_t req_id)
{
    const uint64_t *at = req_id == 0 ? NULL : map_get(&remote->requests, req_id);

    return at == NULL ? NULL : (struct remote_request *)(uintptr_t)*at;
}

static void finish(struct remote *remote, struct remote_request *request,
                   const struct message *reply, const struct error *err)
{
    delist(remote, request);
    request->on_reply(remote, request, reply, err);
}

/* A coordinator that does not lead, or not yet, is no answer: the leader is asked. */
static bool is_election(struct remote *remote, struct remote_request *request,
                        const struct error *err)
{
    if (!request->is_to_leader || (err->code != E_NOT_LEADER && err->code != E_UNAVAILABLE)) {
        return false;
    }
    uint32_t leader = control_leader(err);
    if (err->code == E_NOT_LEADER) {
        remote_learn_leader(remote, leader);
    }
    if (leader != 0) {
        transmit(remote, request);
    } else {
        set_due(remote, request, remote->now_ms + ELECTION_WAIT_MS);
    }
    return true;
}

static void on_refused(struct remote *remote, struct remote_request *request,
                       const struct message *message)
{
    struct error err = {0};

    message_refusal(message->body, &err);
    if (!is_election(remote, request, &err)) {
        finish(remote, request, NULL, &err);
    }
}

static bool take_map(struct remote *remote, struct slice body);

void remote_message(struct remote *remote, const struct message *message)
{
    struct remote_request *request = find(remote, message->req_id);

    if (message->type == MESSAGE_MAP) {
        take_map(remote, message->body);
        request = find(remote, message->req_id);
    }
    if (request == NULL || request->is_held) {
        if (message->req_id != 0) {
            remote->counters.late++;
        }
        return;
    }
    if (message->type == MESSAGE_REFUSED) {
        on_refused(remote, request, message);
    } else {
        finish(remote, request, message, NULL);
    }
}

/* ---- time ---- */

static void repeat(struct remote *remote, struct remote_request *request)
{
    remote->counters.repeats++;
    if (request->silence_ms < SILENCE_MAX_MS) {
        request->silence_ms *= 2;
    }
    if (request->is_to_leader &&
        request->peer == PEER_NODE(PEER_COORDINATOR, remote->coordinators[remote->leader])) {
        remote_learn_leader(remote, 0);
    }
    if (!request->is_to_leader) {
        remote_refresh(remote); /* Another may lead the shard. */
    }
    transmit(remote, request);
}

/* Why there was no answer. */
static void tell_silence(const struct remote *remote, const struct remote_request *request,
                         struct error *err)
{
    if (request->is_to_leader) {
        error_set(err, E_TIMEOUT, "no answer from the coordinators: coordinator %u was asked last",
                  (uint32_t)request->peer);
    } else if (request->dead_ms == 0 || remote_is_led(remote, request->shard, err)) {
        error_set(err, E_TIMEOUT, "no answer from shard %u on node %u", request->shard,
                  (uint32_t)request->peer);
    }
}

static void on_due(struct remote *remote, struct remote_request *request)
{
    bool is_dead = request->dead_ms != 0 && remote->now_ms >= request->dead_ms + REMOTE_DEAD_MS;

    if (is_dead && (request->deadline_ms == 0 || request->deadline_ms > remote->now_ms)) {
        request->deadline_ms = remote->now_ms;
    }
    if (request->deadline_ms != 0 && remote->now_ms >= request->deadline_ms) {
        struct error err = {0};
        tell_silence(remote, request, &err);
        cancel(remote, request);
        finish(remote, request, NULL, &err);
    } else if (remote->now_ms < request->again_ms) {
        set_due(remote, request, request->again_ms);
    } else if (request->is_held) {
        delist(remote, request);
        request->on_again(remote, request);
    } else {
        repeat(remote, request);
    }
}

/* Callbacks change the table, so those to be looked at are listed first. */
static uint64_t *list_requests(const struct remote *remote, size_t *count)
{
    uint64_t *list = mem_array(remote->requests.count, sizeof *list);

    *count = remote->requests.count;
    for (size_t i = 0; i < *count; i++) {
        list[i] = remote->requests.entries[i].key;
    }
    return list;
}

static void end_unknown(struct remote *remote)
{
    for (size_t i = 0; i < remote->seq_count;) {
        struct seq *seq = &remote->seqs[i];
        if (seq->until_ms != 0 && seq->until_ms <= remote->now_ms) {
            *seq = remote->seqs[--remote->seq_count];
        } else {
            i++;
        }
    }
}

static void prune_maps(struct remote *remote)
{
    uint64_t oldest = remote->generation;
    struct held_map **at = &remote->old_maps;

    for (const struct transaction *txn = remote->transactions; txn != NULL; txn = txn->next) {
        oldest = txn->generation < oldest ? txn->generation : oldest;
    }
    while (*at != NULL) {
        if ((*at)->retired <= oldest) {
            struct held_map *gone = *at;
            *at = gone->next;
            shardmap_close(&gone->map);
            mem_free(gone);
        } else {
            at = &(*at)->next;
        }
    }
}

void remote_register(struct remote *remote, uint64_t sid)
{
    if (sid != remote->sid || map_has(&remote->requests, remote->registration.req_id)) {
        return;
    }
    remote->registration.req_id = 0;
    remote_send(remote, &remote->registration);
}

void remote_turn(struct remote *remote)
{
    size_t count;

    if (remote->sid == 0) {
        remote_register(remote, 0);
    }
    if (remote->sid != 0 && remote->now_ms >= remote->map_again_ms) {
        remote_refresh(remote);
    }
    if (remote->old_maps != NULL) {
        prune_maps(remote);
    }
    end_unknown(remote);
    if (remote->now_ms < remote->due_ms) {
        return;
    }
    remote->due_ms = UINT64_MAX;
    uint64_t *list = list_requests(remote, &count);
    for (size_t i = 0; i < count; i++) {
        struct remote_request *request = find(remote, list[i]);
        if (request != NULL) {
            on_due(remote, request);
        }
    }
    mem_free(list);
}

uint64_t remote_deadline(const struct remote *remote)
{
    if (remote->sid == 0 && remote->requests.count == 0) {
        return 0;
    }
    return remote->sid != 0 && remote->map_again_ms < remote->due_ms ? remote->map_again_ms
                                                                     : remote->due_ms;
}

/* ---- coordinators and map ---- */

void remote_learn_term(struct remote *remote, uint64_t term)
{
    remote->term = term > remote->term ? term : remote->term;
}

void remote_learn_leader(struct remote *remote, uint32_t leader)
{
    for (uint32_t i = 0; i < remote->coordinator_count; i++) {
        if (remote->coordinators[i] == leader) {
            remote->leader = i;
            return;
        }
    }
    remote->leader = (remote->leader + 1) % remote->coordinator_count;
}

/* Held for this, or sent to a primary that is no more. */
static bool is_overtaken(const struct remote *remote, const struct remote_request *request)
{
    struct remote_request target = {0};

    if (request->is_held) {
        return request->map_version < remote->map->map.version;
    }
    return request->on_again != NULL && !request->is_to_leader &&
           remote_target(remote, request->shard, &target) && target.epoch > request->epoch;
}

static void follow_map(struct remote *remote)
{
    size_t count;
    uint64_t *list = list_requests(remote, &count);

    for (size_t i = 0; i < count; i++) {
        struct remote_request *request = find(remote, list[i]);
        if (request == NULL) {
            continue;
        }
        note_led(remote, request);
        if (is_overtaken(remote, request)) {
            delist(remote, request);
            request->on_again(remote, request);
        }
    }
    mem_free(list);
}

/* True if the map was newer. One that is out of form is left alone: the old one goes on. */
static bool take_map(struct remote *remote, struct slice body)
{
    struct held_map *held;

    if (body.size == 0) {
        return false;
    }
    held = mem_alloc(sizeof *held);
    if (shardmap_decode(body, &held->map, NULL) != E_OK ||
        (remote->map != NULL && held->map.version <= remote->map->map.version)) {
        shardmap_close(&held->map);
        mem_free(held);
        return false;
    }
    if (remote->map != NULL) {
        remote->map->retired = ++remote->generation;
        remote->map->next = remote->old_maps;
        remote->old_maps = remote->map;
    }
    remote->map = held;
    remote->counters.map_updates++;
    for (struct transaction *txn = remote->transactions; txn != NULL; txn = txn->next) {
        txn->is_woken = true;
    }
    follow_map(remote);
    return true;
}

/* After an answer that is none. */
static void ask_later(struct remote *remote, struct remote_request *request)
{
    enlist(remote, request);
    set_due(remote, request, remote->now_ms + SILENCE_MS);
}

static void on_registered(struct remote *remote, struct remote_request *request,
                          const struct message *reply, const struct error *err)
{
    struct control_registered registered;

    (void)err;
    if (reply == NULL || reply->type != MESSAGE_ROUTER_REGISTERED ||
        control_registered_decode(reply->body, &registered, NULL) != E_OK) {
        ask_later(remote, request);
        return;
    }
    take_map(remote, registered.map);
    if (remote->map == NULL) {
        ask_later(remote, request);
        return;
    }
    remote->sid = registered.sid;
    remote->map_again_ms = map_again(remote);
    remote_learn_term(remote, registered.term);
}

static void on_map(struct remote *remote, struct remote_request *request,
                   const struct message *reply, const struct error *err)
{
    (void)remote, (void)request, (void)reply, (void)err; /* take_map has seen it. */
}

/* ---- transactions ---- */

void remote_join(struct remote *remote, struct transaction *txn)
{
    txn->generation = remote->generation;
    txn->next = remote->transactions;
    remote->transactions = txn;
}

void remote_leave(struct remote *remote, struct transaction *txn)
{
    struct transaction **at = &remote->transactions;

    while (*at != txn) {
        assert(*at != NULL);
        at = &(*at)->next;
    }
    *at = txn->next;
}

uint64_t remote_seq(struct remote *remote)
{
    if (remote->seq_count == remote->seq_room) {
        remote->seq_room = remote->seq_room == 0 ? 16 : remote->seq_room * 2;
        remote->seqs = mem_resize(remote->seqs, remote->seq_room * sizeof *remote->seqs);
    }
    remote->seqs[remote->seq_count++] = (struct seq){.seq = remote->next_seq};
    return remote->next_seq++;
}

static struct seq *find_seq(struct remote *remote, uint64_t seq)
{
    for (size_t i = 0; i < remote->seq_count; i++) {
        if (remote->seqs[i].seq == seq) {
            return &remote->seqs[i];
        }
    }
    return NULL;
}

void remote_answered(struct remote *remote, uint64_t seq)
{
    struct seq *found = find_seq(remote, seq);

    assert(found != NULL);
    *found = remote->seqs[--remote->seq_count];
}

void remote_unknown(struct remote *remote, uint64_t seq)
{
    struct seq *found = find_seq(remote, seq);

    assert(found != NULL);
    found->until_ms = remote->now_ms + UNKNOWN_KEPT_MS;
}

uint64_t remote_low_seq(const struct remote *remote)
{
    uint64_t low = remote->next_seq;

    for (size_t i = 0; i < remote->seq_count; i++) {
        low = remote->seqs[i].seq < low ? remote->seqs[i].seq : low;
    }
    return low;
}

/* ---- ids ---- */

static void on_leased(struct remote *remote, struct remote_request *request,
                      const struct message *reply, const struct error *err)
{
    struct ids *ids = request->owner;
    struct control_lease lease;

    (void)err;
    if (reply == NULL || reply->type != MESSAGE_IDS_LEASED ||
        control_leased_decode(reply->body, &lease, NULL) != E_OK || lease.graph != ids->graph) {
        ask_later(remote, request);
        return;
    }
    ids_add(ids, lease.first, lease.count);
    for (struct transaction *txn = remote->transactions; txn != NULL; txn = txn->next) {
        txn->is_woken |= txn->graph == ids->graph;
    }
}

static size_t ids_place(struct remote *remote, uint32_t graph)
{
    size_t at = 0;

    while (at < remote->ids_count && remote->ids[at]->graph != graph) {
        at++;
    }
    if (at == remote->ids_count) {
        remote->ids = mem_resize(remote->ids, (at + 1) * sizeof(struct ids *));
        remote->leases = mem_resize(remote->leases, (at + 1) * sizeof(struct remote_request *));
        remote->ids[at] = mem_alloc(sizeof(struct ids));
        remote->ids[at]->graph = graph;
        remote->leases[at] = mem_alloc(sizeof(struct remote_request));
        init_request(remote->leases[at], MESSAGE_IDS_LEASE, on_leased);
        remote->leases[at]->owner = remote->ids[at];
        remote->ids_count++;
    }
    return at;
}

bool remote_new_id(struct remote *remote, struct transaction *txn, const struct vid *near,
                   int64_t *id)
{
    size_t at = ids_place(remote, txn->graph);
    struct ids *ids = remote->ids[at];
    struct remote_request *lease = remote->leases[at];
    bool is_found;

    is_found = near == NULL ? ids_next(ids, id) : ids_next_near(ids, &remote->map->map, near, id);
    if ((ids_is_low(ids) || !is_found) && !map_has(&remote->requests, lease->req_id)) {
        lease->req_id = 0;
        bytes_clear(&lease->body);
        control_lease_encode(&lease->body, txn->graph, IDS_BLOCK);
        remote_send(remote, lease);
    }
    return is_found;
}

void remote_skip_ids(struct remote *remote, uint32_t graph)
{
    ids_skip(remote->ids[ids_place(remote, graph)]);
}
