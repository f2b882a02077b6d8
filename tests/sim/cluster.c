#include "tests/sim/cluster.h"

#include "common/hash.h"
#include "common/mem.h"
#include "common/txn.h"
#include "coordinator/coord.h"
#include "shardd/node.h"
#include "shardd/shard.h"

#include <assert.h>
#include <inttypes.h>
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>

enum {
    DRAIN = 256,
    TURN_NODE_US = 300, /* Means. */
    TURN_ROUTER_US = 40,
    DEADLINE_MS = 4000, /* Of a query. */
    DOOM_CALLS = 30,
    LEAVE_US = 3000000, /* As HOST_LEAVE_MS. */
    MILLION = 1000000
};

enum event_kind { EVENT_MESSAGE, EVENT_TURN, EVENT_ALARM };

struct cluster_event {
    enum event_kind kind;
    uint32_t to;  /* Process or alarm. */
    uint32_t end; /* Of the receiver of a reply, or of a turn. */
    bool is_reply;
    uint32_t next_free;
    struct cluster_letter letter;
};

static const uint32_t coordinators[] = {1};

#define SAY(cluster, ...)                                                            \
    do {                                                                             \
        if ((cluster)->is_verbose) {                                                 \
            (void)fprintf(stderr, "%8.3f ms  ", (double)(cluster)->now_us / 1000.0); \
            (void)fprintf(stderr, __VA_ARGS__);                                      \
            (void)fprintf(stderr, "\n");                                             \
        }                                                                            \
    } while (0)

/* ---- events ---- */

static struct cluster_event *add_event(struct cluster *cluster, uint64_t at_us,
                                       enum event_kind kind, uint32_t to)
{
    uint32_t place = cluster->event_free;

    if (place == UINT32_MAX) {
        if (cluster->event_count == cluster->event_room) {
            cluster->event_room = cluster->event_room == 0 ? 1024 : cluster->event_room * 2;
            cluster->events =
                mem_resize(cluster->events, cluster->event_room * sizeof *cluster->events);
        }
        place = cluster->event_count++;
    } else {
        cluster->event_free = cluster->events[place].next_free;
    }
    cluster->events[place] = (struct cluster_event){.kind = kind, .to = to};
    heap_push(&cluster->heap, at_us, place);
    return &cluster->events[place];
}

void cluster_alarm(struct cluster *cluster, uint64_t at_us, uint32_t alarm)
{
    add_event(cluster, at_us < cluster->now_us ? cluster->now_us : at_us, EVENT_ALARM, alarm);
}

static void want_turn(struct cluster *cluster, uint32_t number, uint64_t at_us)
{
    struct cluster_proc *proc = &cluster->procs[number];
    uint64_t earliest = proc->busy_us > cluster->now_us ? proc->busy_us : cluster->now_us;

    earliest = proc->paused_us > earliest ? proc->paused_us : earliest;
    at_us = at_us < earliest ? earliest : at_us;
    if (proc->turn_us > at_us) {
        proc->turn_us = at_us;
        add_event(cluster, at_us, EVENT_TURN, number)->end = proc->end;
    }
}

/* ---- messages ---- */

static uint32_t proc_of(const struct cluster *cluster, peer_id peer)
{
    for (uint32_t i = 0; i < CLUSTER_PROCS; i++) {
        const struct cluster_proc *proc = &cluster->procs[i];
        if (proc->is_there && PEER_NODE(proc->role, proc->node) == peer) {
            return i;
        }
    }
    return UINT32_MAX;
}

static void note_decided(struct cluster *cluster, const struct message *message)
{
    struct txn_reply reply;

    if (message->type == MESSAGE_TXN_REPLY &&
        txn_reply_decode(message->body, &reply, NULL) == E_OK && reply.outcome == TXN_COMMITTED) {
        map_put(&cluster->decided, hash_join(reply.sid, reply.seq), 0);
    }
}

/* A shard that cannot carry out a decision to commit has lost what it voted yes for. */
static void note_alarm(struct cluster *cluster, const struct message *message)
{
    struct txn_reply reply;

    if (message->type == MESSAGE_DECIDED && txn_reply_decode(message->body, &reply, NULL) == E_OK &&
        reply.outcome == TXN_ABORTED) {
        error_set(&cluster->failure, E_CORRUPT,
                  "shard %u was told to commit what it had not prepared", message->shard);
    }
}

static void send_one(struct cluster *cluster, uint32_t from, const struct message *message)
{
    struct cluster_proc *sender = &cluster->procs[from];
    bool is_reply = (message->peer & PEER_CALLER_BIT) != 0;
    uint32_t end = (uint32_t)(message->peer & ~PEER_CALLER_BIT);
    uint32_t to = is_reply ? cluster->ends[end] : proc_of(cluster, message->peer);
    uint64_t delays_us[NET_COPIES_MAX];
    struct message sent = *message;

    if (to == UINT32_MAX) {
        return;
    }
    note_decided(cluster, message);
    note_alarm(cluster, message);
    sent.cluster_id = CLUSTER_ID;
    sent.src_node = sender->node;
    sent.src_boot = sender->boot;
    sent.link_seq = ++cluster->link_seq;
    uint64_t sent_us = sender->busy_us > cluster->now_us ? sender->busy_us : cluster->now_us;
    uint32_t copies = net_send(&cluster->net, from, to, delays_us);
    for (uint32_t i = 0; i < copies; i++) {
        struct cluster_event *event = add_event(cluster, sent_us + delays_us[i], EVENT_MESSAGE, to);
        event->is_reply = is_reply;
        event->end = end;
        event->letter.peer =
            is_reply ? PEER_NODE(sender->role, sender->node) : PEER_CALLER_BIT | sender->end;
        bytes_init(&event->letter.bytes, 0);
        message_encode(&event->letter.bytes, &sent);
    }
}

struct outbox *cluster_out(struct cluster *cluster, uint32_t proc)
{
    return &cluster->procs[proc].out;
}

void cluster_send(struct cluster *cluster, uint32_t proc)
{
    struct outbox *out = &cluster->procs[proc].out;

    for (size_t i = 0; i < out->count; i++) {
        send_one(cluster, proc, &out->items[i]);
    }
    outbox_clear(out);
    want_turn(cluster, proc, cluster->now_us);
}

/* ---- life of a process ---- */

uint64_t cluster_ms(const struct cluster *cluster, uint32_t proc)
{
    const struct cluster_proc *of = &cluster->procs[proc];
    int64_t gained_us = (int64_t)cluster->now_us / 1000 * of->rate_ppm / 1000;

    return (uint64_t)((int64_t)cluster->now_us + gained_us) / 1000 + of->offset_ms;
}

static int open_coord(const struct cluster *cluster, struct cluster_proc *proc, struct error *err)
{
    static const uint32_t txn_ms[] = {1000, 300, 0, 0, 0}; /* 0: the default. */
    struct coord_options options = {.node = proc->node,
                                    .boot = proc->boot,
                                    .seed = proc->boot,
                                    .cluster_id = CLUSTER_ID,
                                    .data_dir = "disk",
                                    .vfs = proc->vfs_name,
                                    .coordinators = coordinators,
                                    .coordinator_count = 1,
                                    .is_sync = true,
                                    .replicas_max = CLUSTER_NODES_MAX,
                                    .silence_ms = cluster->seed % 7 < 4 ? 300 : 0,
                                    .snapshot_entries = cluster->seed % 3 == 0 ? 40 : 0,
                                    .txn_ms = txn_ms[cluster->seed % 5]};
    struct coord *coord = NULL;
    int rc = coord_open(&coord, &options, err);

    proc->core = coord;
    return rc;
}

/* Each look takes time, so that turns end in the midst of their work; the same at each repeat. */
static uint64_t slow_micros(void)
{
    static uint64_t now_us;

    return now_us += 700;
}

static int open_node(const struct cluster *cluster, struct cluster_proc *proc, struct error *err)
{
    static const uint64_t keeps[] = {20, 0, 5, 0}; /* 0: the default. */
    struct node_options options = {.node = proc->node,
                                   .boot = proc->boot,
                                   .seed = proc->boot,
                                   .cluster_id = CLUSTER_ID,
                                   .data_dir = "disk",
                                   .vfs = proc->vfs_name,
                                   .address = proc->address,
                                   .coordinators = coordinators,
                                   .coordinator_count = 1,
                                   .is_sync = true,
                                   .cache_bytes = 1 << 20,
                                   .adjacency_cache_bytes = cluster->seed % 7 == 0 ? 1 : 1 << 18,
                                   .micros = cluster->seed % 5 == 2 ? slow_micros : NULL,
                                   .read_rows_turn = cluster->seed % 3 == 1 ? 3 : 0,
                                   .journal_keep = keeps[cluster->seed % 4]};
    struct node *node = NULL;
    int rc = node_open(&node, &options, err);

    proc->core = node;
    return rc;
}

static int open_router(struct cluster_proc *proc, struct error *err)
{
    struct router_options options = {.node = proc->node,
                                     .boot = proc->boot,
                                     .cluster_id = CLUSTER_ID,
                                     .seed = proc->boot,
                                     .coordinators = coordinators,
                                     .coordinator_count = 1,
                                     .deadline_ms = DEADLINE_MS};
    struct router *router = NULL;
    int rc = router_open(&router, &options, err);

    proc->core = router;
    return rc;
}

static void new_end(struct cluster *cluster, uint32_t number)
{
    if (cluster->end_count == cluster->end_room) {
        cluster->end_room = cluster->end_room == 0 ? 64 : cluster->end_room * 2;
        cluster->ends = mem_resize(cluster->ends, cluster->end_room * sizeof *cluster->ends);
    }
    cluster->procs[number].end = cluster->end_count;
    cluster->ends[cluster->end_count++] = number;
}

void cluster_start(struct cluster *cluster, uint32_t number)
{
    struct cluster_proc *proc = &cluster->procs[number];
    struct error err = {0};
    int rc;

    assert(proc->core == NULL);
    if (proc->disk != NULL) {
        vfs_revive(proc->disk, proc->is_cut);
    }
    proc->boot = prng_next(&cluster->prng) | 1;
    proc->offset_ms = 1 + prng_below(&cluster->prng, 1000000);
    proc->doom = DOOM_NONE;
    proc->is_cut = proc->is_leaving = false;
    proc->paused_us = 0;
    new_end(cluster, number);
    rc = proc->role == PEER_COORDINATOR ? open_coord(cluster, proc, &err)
         : proc->role == PEER_SHARDD    ? open_node(cluster, proc, &err)
                                        : open_router(proc, &err);
    SAY(cluster, "start %u:%u boot %016" PRIx64 " %s", proc->role, proc->node, proc->boot,
        rc == E_OK ? "" : err.text);
    if (rc != E_OK) {
        error_prefix(&err, "process %u cannot start", number);
        cluster->failure = err;
        return;
    }
    proc->turn_us = UINT64_MAX;
    proc->busy_us = cluster->now_us + net_exponential(&cluster->prng, cluster->start_us);
    want_turn(cluster, number, cluster->now_us);
}

static void count_replicas(struct cluster *cluster, const struct node *node)
{
    struct cluster_replication *sums = &cluster->replication;

    for (size_t i = 0; i < node->replica_count; i++) {
        const struct replication_counters *counters = &node->replicas[i]->journal.core.counters;
        sums->elections += counters->elections;
        sums->shrinks += counters->shrinks;
        sums->grows += counters->grows;
        sums->truncations += counters->truncations;
        sums->snapshots += counters->snapshots;
        sums->handovers += counters->handovers;
        sums->contradictions += counters->contradictions;
    }
}

static void close_core(struct cluster *cluster, struct cluster_proc *proc)
{
    if (proc->role == PEER_COORDINATOR) {
        struct coord *coord = proc->core;
        coord_close(&coord);
    } else if (proc->role == PEER_SHARDD) {
        struct node *node = proc->core;
        count_replicas(cluster, node);
        node_close(&node);
    } else {
        struct router *router = proc->core;
        router_close(&router);
    }
    proc->core = NULL;
    outbox_clear(&proc->out);
    for (size_t i = 0; i < proc->inbox_count; i++) {
        bytes_close(&proc->inbox[i].bytes);
    }
    proc->inbox_count = 0;
}

static void go_down(struct cluster *cluster, uint32_t number)
{
    struct cluster_proc *proc = &cluster->procs[number];

    SAY(cluster, "crash %u:%u %s", proc->role, proc->node, proc->is_cut ? "power cut" : "kill");
    if (proc->disk != NULL) {
        vfs_kill(proc->disk); /* So that closing writes nothing. */
    }
    cluster->crashes++;
    cluster->cuts += proc->is_cut;
    close_core(cluster, proc);
    proc->turn_us = UINT64_MAX;
    cluster->hooks.on_down(cluster->hooks.ctx, number);
}

void cluster_crash(struct cluster *cluster, uint32_t number, enum cluster_doom doom, bool is_cut)
{
    struct cluster_proc *proc = &cluster->procs[number];

    if (proc->core == NULL || proc->doom != DOOM_NONE) {
        return;
    }
    proc->is_cut = is_cut && proc->disk != NULL;
    if (doom == DOOM_DISK && proc->disk != NULL) {
        vfs_doom(proc->disk, 1 + prng_below(&cluster->prng, DOOM_CALLS));
    }
    proc->doom = doom;
    if (doom == DOOM_NONE) {
        go_down(cluster, number);
    }
}

void cluster_pause(struct cluster *cluster, uint32_t number, uint64_t until_us)
{
    struct cluster_proc *proc = &cluster->procs[number];

    if (proc->core == NULL || until_us <= proc->paused_us) {
        return;
    }
    SAY(cluster, "pause %u:%u until %.3f ms", proc->role, proc->node, (double)until_us / 1000.0);
    cluster->pauses++;
    proc->paused_us = until_us;
    proc->turn_us = UINT64_MAX; /* The turn that was planned comes later. */
    want_turn(cluster, number, until_us);
}

void cluster_leave(struct cluster *cluster, uint32_t number)
{
    struct cluster_proc *proc = &cluster->procs[number];

    if (proc->core == NULL || proc->is_leaving || proc->role != PEER_SHARDD) {
        return;
    }
    SAY(cluster, "leave %u:%u", proc->role, proc->node);
    proc->is_leaving = true;
    proc->leave_us = cluster->now_us + LEAVE_US;
    want_turn(cluster, number, cluster->now_us);
}

/* Returns whether the process has ended: it was to, and nobody needs it or its time is up. */
static bool has_left(struct cluster *cluster, uint32_t number)
{
    struct cluster_proc *proc = &cluster->procs[number];

    if (!proc->is_leaving || (!node_leave(proc->core) && cluster->now_us < proc->leave_us)) {
        return false;
    }
    SAY(cluster, "left %u:%u", proc->role, proc->node);
    cluster->leaves++;
    close_core(cluster, proc);
    proc->turn_us = UINT64_MAX;
    cluster->hooks.on_down(cluster->hooks.ctx, number);
    return true;
}

/* ---- turns ---- */

static void hand_over(struct cluster *cluster, uint32_t number, const struct message *message)
{
    struct cluster_proc *proc = &cluster->procs[number];
    uint64_t now_ms = cluster_ms(cluster, number);

    if (proc->role == PEER_COORDINATOR) {
        coord_message(proc->core, now_ms, message, &proc->out);
    } else if (proc->role == PEER_SHARDD) {
        node_message(proc->core, now_ms, message, &proc->out);
    } else {
        router_message(proc->core, now_ms, message, &proc->out);
    }
}

static void drain(struct cluster *cluster, uint32_t number)
{
    struct cluster_proc *proc = &cluster->procs[number];
    size_t count = proc->inbox_count < DRAIN ? proc->inbox_count : DRAIN;

    for (size_t i = 0; i < count; i++) {
        struct message message;
        struct error err;
        int rc = message_decode(bytes_slice(&proc->inbox[i].bytes), &message, &err);
        assert(rc == E_OK);
        message.peer = proc->inbox[i].peer;
        if (rc == E_OK && (message.dst_boot == 0 || message.dst_boot == proc->boot)) {
            hand_over(cluster, number, &message);
        }
        bytes_close(&proc->inbox[i].bytes);
    }
    proc->inbox_count -= count;
    if (proc->inbox_count > 0) {
        memmove(proc->inbox, proc->inbox + count, proc->inbox_count * sizeof *proc->inbox);
    }
}

static int turn_core(struct cluster *cluster, uint32_t number, struct error *err)
{
    struct cluster_proc *proc = &cluster->procs[number];
    uint64_t now_ms = cluster_ms(cluster, number);

    if (proc->role == PEER_COORDINATOR) {
        return coord_turn(proc->core, now_ms, &proc->out, err);
    }
    return proc->role == PEER_SHARDD ? node_turn(proc->core, now_ms, &proc->out, err)
                                     : router_turn(proc->core, now_ms, &proc->out, err);
}

static uint64_t deadline_of(const struct cluster_proc *proc)
{
    return proc->role == PEER_COORDINATOR ? coord_deadline(proc->core)
           : proc->role == PEER_SHARDD    ? node_deadline(proc->core)
                                          : router_deadline(proc->core);
}

void cluster_send_some(struct cluster *cluster, uint32_t number, size_t count)
{
    struct outbox *out = &cluster->procs[number].out;

    for (size_t i = 0; i < out->count && i < count; i++) {
        send_one(cluster, number, &out->items[i]);
    }
    outbox_clear(out);
}

/* What a process does whose disk fails: as host.c, it sends what it has and ends. */
static void die_of_disk(struct cluster *cluster, uint32_t number, const struct error *err)
{
    struct cluster_proc *proc = &cluster->procs[number];

    SAY(cluster, "turn of %u:%u failed: %s", proc->role, proc->node, err->text);
    if (!vfs_is_dead(proc->disk)) {
        cluster_send_some(cluster, number, SIZE_MAX);
    }
    go_down(cluster, number);
}

static void plan_next(struct cluster *cluster, uint32_t number)
{
    struct cluster_proc *proc = &cluster->procs[number];
    uint64_t deadline_ms = deadline_of(proc);
    uint64_t now_ms = cluster_ms(cluster, number);

    if (proc->inbox_count > 0 || deadline_ms <= now_ms) {
        want_turn(cluster, number, cluster->now_us);
    } else if (deadline_ms != UINT64_MAX) {
        int64_t own_us = (int64_t)(deadline_ms - now_ms) * 1000;
        want_turn(cluster, number,
                  cluster->now_us + (uint64_t)(own_us - own_us * proc->rate_ppm / MILLION));
    }
}

static void take_turn(struct cluster *cluster, uint32_t number)
{
    struct cluster_proc *proc = &cluster->procs[number];
    bool has_mail = proc->inbox_count > 0;
    uint64_t mean_us = proc->role == PEER_ROUTER ? TURN_ROUTER_US : TURN_NODE_US;
    struct error err = {0};

    cluster->turns++;
    proc->turn_us = UINT64_MAX;
    proc->busy_us = cluster->now_us + 10 + net_exponential(&cluster->prng, mean_us);
    drain(cluster, number);
    if (has_mail && proc->doom == DOOM_BEFORE_TURN) {
        go_down(cluster, number);
        return;
    }
    int rc = turn_core(cluster, number, &err);
    if (proc->disk != NULL && (rc != E_OK || vfs_is_dead(proc->disk))) {
        die_of_disk(cluster, number, &err);
        return;
    }
    if (has_mail && proc->doom == DOOM_AFTER_TURN) {
        cluster_send_some(cluster, number, prng_below(&cluster->prng, proc->out.count + 1));
        go_down(cluster, number);
        return;
    }
    cluster_send_some(cluster, number, SIZE_MAX);
    if (has_left(cluster, number)) {
        return;
    }
    plan_next(cluster, number);
    if (proc->role != PEER_ROUTER) {
        cluster->hooks.on_turn(cluster->hooks.ctx, number);
    }
    if (proc->role == PEER_ROUTER) {
        cluster->hooks.on_answers(cluster->hooks.ctx, number);
    }
}

/* ---- steps ---- */

static void tool_takes(struct cluster *cluster, const struct cluster_letter *letter)
{
    struct message message;
    struct error err;

    if (message_decode(bytes_slice(&letter->bytes), &message, &err) == E_OK) {
        if (message.req_id != cluster->asked) {
            return;
        }
        cluster->has_answer = true;
        cluster->answer_code =
            message.type == MESSAGE_REFUSED ? message_refusal(message.body, &err) : E_OK;
    }
}

static void note(struct cluster *cluster, uint64_t what)
{
    cluster->fingerprint = hash_join(cluster->fingerprint, what);
}

/* A READ_REPLY tells how long the read took by the real clock: only its header counts. */
static void note_letter(struct cluster *cluster, const struct bytes *bytes)
{
    struct message message;

    if (message_decode(bytes_slice(bytes), &message, NULL) == E_OK &&
        message.type == MESSAGE_READ_REPLY) {
        note(cluster, message.src_boot);
        note(cluster, message.req_id);
        note(cluster, message.link_seq);
        return;
    }
    note(cluster, hash_bytes(bytes->data, bytes->size));
}

static void arrive(struct cluster *cluster, struct cluster_event *event)
{
    struct cluster_proc *proc = &cluster->procs[event->to];

    note_letter(cluster, &event->letter.bytes);
    cluster->messages++;
    if (event->to == CLUSTER_TOOL) {
        tool_takes(cluster, &event->letter);
        bytes_close(&event->letter.bytes);
        return;
    }
    if (proc->core == NULL || (event->is_reply && event->end != proc->end)) {
        bytes_close(&event->letter.bytes);
        return;
    }
    if (proc->inbox_count == proc->inbox_room) {
        proc->inbox_room = proc->inbox_room == 0 ? 64 : proc->inbox_room * 2;
        proc->inbox = mem_resize(proc->inbox, proc->inbox_room * sizeof *proc->inbox);
    }
    proc->inbox[proc->inbox_count++] = event->letter;
    want_turn(cluster, event->to, cluster->now_us);
}

bool cluster_step(struct cluster *cluster, uint64_t until_us)
{
    const struct heap_entry *top = heap_top(&cluster->heap);
    struct heap_entry entry;

    if (top == NULL || top->key > until_us || cluster->failure.code != E_OK) {
        cluster->now_us = until_us;
        return false;
    }
    heap_pop(&cluster->heap, &entry);
    struct cluster_event event = cluster->events[entry.value];
    cluster->events[entry.value].next_free = cluster->event_free;
    cluster->event_free = (uint32_t)entry.value;
    assert(entry.key >= cluster->now_us);
    cluster->now_us = entry.key;
    note(cluster, entry.key * CLUSTER_PROCS + event.to);
    if (event.kind == EVENT_MESSAGE) {
        arrive(cluster, &event);
    } else if (event.kind == EVENT_ALARM) {
        cluster->hooks.on_alarm(cluster->hooks.ctx, event.to);
    } else {
        struct cluster_proc *proc = &cluster->procs[event.to];
        if (proc->core != NULL && proc->end == event.end && proc->turn_us == entry.key) {
            take_turn(cluster, event.to);
        }
    }
    return true;
}

/* ---- the whole ---- */

static void add_proc(struct cluster *cluster, uint32_t number, enum peer_role role, uint32_t node)
{
    struct cluster_proc *proc = &cluster->procs[number];

    proc->is_there = true;
    proc->role = role;
    proc->node = node;
    proc->turn_us = UINT64_MAX;
    outbox_init(&proc->out);
    snprintf(proc->vfs_name, sizeof proc->vfs_name, "sim-%u", number);
    snprintf(proc->address, sizeof proc->address, "sim://node-%u", node);
    if (role == PEER_COORDINATOR || role == PEER_SHARDD) {
        proc->disk = vfs_open(proc->vfs_name, cluster->seed * 64 + number, number == 0);
    }
}

void cluster_open(struct cluster *cluster, uint64_t seed, bool is_verbose)
{
    static const uint64_t starts_us[] = {1000, 4000, 50000, 150000};

    *cluster = (struct cluster){.seed = seed,
                                .now_us = 1000000,
                                .event_free = UINT32_MAX,
                                .is_verbose = is_verbose,
                                .node_count = 2 + (uint32_t)(seed % 2)};
    prng_init(&cluster->prng, seed);
    cluster->start_us = starts_us[prng_below(&cluster->prng, 4)];
    net_init(&cluster->net, seed);
    map_init(&cluster->decided, NULL);
    add_proc(cluster, CLUSTER_COORDINATOR, PEER_COORDINATOR, 1);
    /* SQLite draws its randomness once, from the default disk: anew for each run. */
    sqlite3_randomness(0, NULL);
    for (uint32_t i = 0; i < cluster->node_count; i++) {
        add_proc(cluster, CLUSTER_NODE + i, PEER_SHARDD, i + 1);
    }
    for (uint32_t i = 0; i < CLUSTER_TOOL; i++) {
        cluster->procs[i].rate_ppm = (int64_t)prng_below(&cluster->prng, 40001) - 20000;
    }
    for (uint32_t i = 0; i < CLUSTER_ROUTERS; i++) {
        add_proc(cluster, CLUSTER_ROUTER + i, PEER_ROUTER, i + 1);
    }
    add_proc(cluster, CLUSTER_TOOL, PEER_TOOL, 1);
    new_end(cluster, CLUSTER_TOOL);
}

void cluster_stop(struct cluster *cluster)
{
    for (uint32_t i = 0; i < CLUSTER_TOOL; i++) {
        if (cluster->procs[i].core != NULL) {
            close_core(cluster, &cluster->procs[i]);
        }
    }
}

void cluster_close(struct cluster *cluster)
{
    cluster_stop(cluster);
    for (uint32_t i = 0; i < CLUSTER_PROCS; i++) {
        outbox_close(&cluster->procs[i].out);
        mem_free(cluster->procs[i].inbox);
    }
    for (uint32_t i = CLUSTER_TOOL; i > 0; i--) {
        vfs_close(&cluster->procs[i - 1].disk);
    }
    while (cluster->heap.count > 0) {
        struct heap_entry entry;
        heap_pop(&cluster->heap, &entry);
        bytes_close(&cluster->events[entry.value].letter.bytes);
    }
    heap_close(&cluster->heap);
    map_close(&cluster->decided);
    mem_free(cluster->events);
    mem_free(cluster->ends);
}

void cluster_heal(struct cluster *cluster)
{
    net_heal(&cluster->net);
    cluster->is_healed = true;
    for (uint32_t i = 0; i < CLUSTER_TOOL; i++) {
        struct cluster_proc *proc = &cluster->procs[i];
        if (!proc->is_there) {
            continue;
        }
        if (proc->core == NULL) {
            cluster_start(cluster, i);
        } else if (proc->disk != NULL) {
            vfs_revive(proc->disk, false);
        }
        if (proc->disk != NULL) {
            vfs_set_full(proc->disk, false);
        }
        proc->doom = DOOM_NONE;
        proc->paused_us = 0;
        want_turn(cluster, i, cluster->now_us);
    }
}

bool cluster_is_ready(const struct cluster *cluster)
{
    for (uint32_t i = 0; i < CLUSTER_TOOL; i++) {
        const struct cluster_proc *proc = &cluster->procs[i];
        bool is_ready =
            proc->core != NULL && (proc->role == PEER_COORDINATOR ? coord_is_ready(proc->core)
                                   : proc->role == PEER_SHARDD    ? node_is_ready(proc->core)
                                                                  : true);
        if (proc->is_there && !is_ready) {
            return false;
        }
    }
    return true;
}

struct router *cluster_router(const struct cluster *cluster, uint32_t proc)
{
    return cluster->procs[proc].core;
}
