#include "tests/sim/nemesis.h"

#include "coordinator/coord_inside.h"
#include "shardd/node.h"
#include "tests/sim/net.h"

#include <inttypes.h>
#include <stdio.h>

enum {
    PAUSE_MAX_US = 3000000,
    CLOG_MAX_US = 1000000,
    FULL_MAX_US = 800000,
    DISK_CALLS = 40,
    QUIET_US = 2500000,
    START_US = 20000,
    RESIZE_US = 4000000 /* Until then a request for another R may still come to something. */
};

void nemesis_init(struct nemesis *nemesis, struct cluster *cluster, struct prng *prng)
{
    *nemesis = (struct nemesis){.cluster = cluster, .prng = prng};
}

void nemesis_close(struct nemesis *nemesis)
{
    for (uint32_t i = 0; i < CLUSTER_NODES_MAX; i++) {
        vfs_image_close(&nemesis->copies[i].image);
    }
}

void nemesis_next(struct nemesis *nemesis)
{
    cluster_alarm(nemesis->cluster,
                  nemesis->cluster->now_us + net_exponential(nemesis->prng, nemesis->fault_us),
                  NEMESIS_ALARM);
}

static uint64_t later(struct nemesis *nemesis, uint64_t mean_us)
{
    return nemesis->cluster->now_us + 1000 + net_exponential(nemesis->prng, mean_us);
}

void nemesis_down(struct nemesis *nemesis, uint32_t proc)
{
    cluster_alarm(nemesis->cluster, later(nemesis, nemesis->down_us), NEMESIS_START + proc);
}

static uint32_t any_node(struct nemesis *nemesis)
{
    return CLUSTER_NODE + (uint32_t)prng_below(nemesis->prng, nemesis->cluster->node_count);
}

/* ---- what the coordinators know ---- */

const struct state *nemesis_state(const struct nemesis *nemesis)
{
    const struct coord *coord = nemesis->cluster->procs[CLUSTER_COORDINATOR].core;

    return coord != NULL && coord_is_ready(coord) && coord->waiting_count == 0 ? &coord->state
                                                                               : NULL;
}

static struct nodeset members(const struct state_shard *shard)
{
    return nodeset_union(&shard->isr, &shard->elr);
}

/* Nodes that are not in sync have nothing to lose, and are whole when they are in sync again. */
static void look_at_hollow(struct nemesis *nemesis)
{
    const struct state *state = nemesis->is_hollow ? nemesis_state(nemesis) : NULL;

    if (state == NULL) {
        return;
    }
    nemesis->is_hollow = false;
    for (uint32_t i = 0; i < NEMESIS_SHARDS; i++) {
        const struct state_shard *shard = state_shard(state, i + 1);
        struct nodeset *hollow = &nemesis->hollow[i];
        struct nodeset in = shard == NULL ? (struct nodeset){0} : members(shard);
        for (uint32_t k = hollow->count; k > 0; k--) {
            if (!nodeset_has(&in, hollow->nodes[k - 1])) {
                nodeset_remove(hollow, hollow->nodes[k - 1]);
            }
        }
        nemesis->is_hollow = nemesis->is_hollow || hollow->count > 0;
    }
}

/* No shard is about to let go of replicas. */
static bool has_settled(const struct state *state)
{
    for (uint32_t i = 0; i < NEMESIS_SHARDS; i++) {
        const struct state_shard *shard = state_shard(state, i + 1);
        if (shard != NULL &&
            shard->replicas.count > state_shard_graph(state, i + 1)->replica_count) {
            return false;
        }
    }
    return true;
}

/* All that the node holds is whole elsewhere. With a copy: and the coordinators can tell that it is
 * old, for each shard that the node counts for. */
static bool may_spoil(const struct nemesis *nemesis, uint32_t node, const struct nemesis_copy *copy)
{
    const struct state *state = nemesis_state(nemesis);

    bool is_resizing =
        nemesis->resized_us != 0 && nemesis->cluster->now_us < nemesis->resized_us + RESIZE_US;

    if (state == NULL || is_resizing || !has_settled(state)) {
        return false;
    }
    for (uint32_t i = 0; i < NEMESIS_SHARDS; i++) {
        const struct state_shard *shard = state_shard(state, i + 1);
        struct nodeset in = shard == NULL ? (struct nodeset){0} : members(shard);
        if (!nodeset_has(&in, node)) {
            continue;
        }
        struct nodeset others = nodeset_minus(&in, &nemesis->hollow[i]);
        nodeset_remove(&others, node);
        if (others.count == 0 || (copy != NULL && copy->last[i] >= shard->applied)) {
            return false;
        }
    }
    return true;
}

static void note_spoilt(struct nemesis *nemesis, uint32_t node)
{
    const struct state *state = nemesis_state(nemesis);

    for (uint32_t i = 0; i < NEMESIS_SHARDS; i++) {
        const struct state_shard *shard = state_shard(state, i + 1);
        struct nodeset in = shard == NULL ? (struct nodeset){0} : members(shard);
        if (nodeset_has(&in, node)) {
            nodeset_add(&nemesis->hollow[i], node);
            nemesis->is_hollow = true;
        }
    }
}

/* ---- files ---- */

static void copy_folder(struct nemesis *nemesis, uint32_t proc)
{
    struct nemesis_copy *copy = &nemesis->copies[proc - CLUSTER_NODE];
    const struct node *node = nemesis->cluster->procs[proc].core;

    if (node == NULL || nemesis->cluster->procs[proc].doom != DOOM_NONE) {
        return;
    }
    for (uint32_t i = 0; i < NEMESIS_SHARDS; i++) {
        const struct replica *replica = node_replica(node, i + 1);
        copy->last[i] = replica == NULL ? 0 : store_state(replica->store).last;
    }
    cluster_crash(nemesis->cluster, proc, DOOM_NONE, false);
    vfs_image_close(&copy->image);
    copy->image = vfs_copy(nemesis->cluster->procs[proc].disk);
}

enum spoil { SPOIL_WIPE, SPOIL_FLIP, SPOIL_PUT_BACK };

/* Below two, whoever goes on alone is the only one that holds what it then commits: the primary may
 * have asked for it, or be silent so that this node is elected before anybody knows of its disk. So
 * nothing else may go wrong around it. A flipped bit is found when it is read, much later
 * perhaps. */
static bool may_go_on_alone(const struct nemesis *nemesis)
{
    const struct state *state = nemesis_state(nemesis);

    return state == NULL || state->graph_count == 0 || state->graphs[0].min_insync < 2;
}

static bool is_all_well(const struct nemesis *nemesis)
{
    const struct cluster *cluster = nemesis->cluster;

    for (uint32_t i = 0; i < CLUSTER_TOOL; i++) {
        const struct cluster_proc *proc = &cluster->procs[i];
        if (proc->is_there && (proc->core == NULL || proc->doom != DOOM_NONE || proc->is_leaving ||
                               proc->paused_us > cluster->now_us)) {
            return false;
        }
    }
    return net_is_whole(&cluster->net);
}

/* Ends the process, if it must be ended, and spoils its files before it is started again. */
static void spoil_folder(struct nemesis *nemesis, uint32_t proc, enum spoil spoil)
{
    struct cluster_proc *of = &nemesis->cluster->procs[proc];
    const struct nemesis_copy *copy =
        spoil == SPOIL_PUT_BACK ? &nemesis->copies[proc - CLUSTER_NODE] : NULL;

    if ((copy != NULL && copy->image == NULL) || of->doom != DOOM_NONE ||
        (may_go_on_alone(nemesis) && (spoil == SPOIL_FLIP || !is_all_well(nemesis))) ||
        !may_spoil(nemesis, of->node, copy)) {
        return;
    }
    cluster_crash(nemesis->cluster, proc, DOOM_NONE, prng_chance(nemesis->prng, 0.5));
    vfs_revive(of->disk, of->is_cut);
    of->is_cut = false;
    vfs_kill(of->disk);
    note_spoilt(nemesis, of->node);
    if (may_go_on_alone(nemesis)) {
        nemesis->quiet_us = nemesis->cluster->now_us + QUIET_US;
        cluster_alarm(nemesis->cluster, nemesis->cluster->now_us + START_US, NEMESIS_START + proc);
    }
    if (nemesis->cluster->is_verbose) {
        (void)fprintf(stderr, "%8.3f ms  spoil %d of node %" PRIu32 "\n",
                      (double)nemesis->cluster->now_us / 1000.0, (int)spoil, of->node);
    }
    if (spoil == SPOIL_WIPE) {
        vfs_wipe(of->disk);
        nemesis->counters.wipes++;
    } else if (spoil == SPOIL_FLIP) {
        nemesis->counters.flips += vfs_flip(of->disk, "disk/shard-");
    } else {
        vfs_put_back(of->disk, copy->image);
        nemesis->counters.put_backs++;
    }
}

static void fill_disk(struct nemesis *nemesis)
{
    uint32_t proc = any_node(nemesis);

    vfs_set_full(nemesis->cluster->procs[proc].disk, true);
    cluster_alarm(nemesis->cluster,
                  nemesis->cluster->now_us + prng_below(nemesis->prng, FULL_MAX_US),
                  NEMESIS_UNFULL + proc);
    nemesis->counters.full_disks++;
}

static void fail_disk(struct nemesis *nemesis)
{
    uint32_t proc =
        (uint32_t)prng_below(nemesis->prng, CLUSTER_NODE + nemesis->cluster->node_count);

    vfs_fail(nemesis->cluster->procs[proc].disk, 1 + prng_below(nemesis->prng, DISK_CALLS),
             prng_chance(nemesis->prng, 0.5) ? VFS_FULL : VFS_IOERR);
}

/* ---- the network ---- */

static void join_later(struct nemesis *nemesis, uint32_t a, uint32_t b, uint64_t at_us)
{
    cluster_alarm(nemesis->cluster, at_us, NEMESIS_JOIN + a * NET_PLACES_MAX + b);
}

static void cut_pair(struct nemesis *nemesis)
{
    uint32_t a = (uint32_t)prng_below(nemesis->prng, CLUSTER_TOOL);
    uint32_t b = (uint32_t)prng_below(nemesis->prng, CLUSTER_TOOL);

    net_cut(&nemesis->cluster->net, a, b, prng_chance(nemesis->prng, 0.4));
    join_later(nemesis, a, b, later(nemesis, nemesis->down_us));
}

/* One process from all others; now and then only what it says, or only what it is told. */
static void isolate(struct nemesis *nemesis)
{
    uint32_t one = prng_chance(nemesis->prng, 0.7)
                       ? any_node(nemesis)
                       : (uint32_t)prng_below(nemesis->prng, CLUSTER_TOOL);
    uint64_t way = prng_below(nemesis->prng, 4);
    uint64_t at_us = later(nemesis, nemesis->down_us);

    for (uint32_t other = 0; other < CLUSTER_TOOL; other++) {
        if (other != one) {
            net_cut(&nemesis->cluster->net, way == 1 ? other : one, way == 1 ? one : other,
                    way <= 1);
            join_later(nemesis, one, other, at_us);
        }
    }
}

static void clog_pair(struct nemesis *nemesis)
{
    uint32_t a = (uint32_t)prng_below(nemesis->prng, CLUSTER_TOOL);
    uint32_t b = (uint32_t)prng_below(nemesis->prng, CLUSTER_TOOL);

    net_clog(&nemesis->cluster->net, a, b, 1 + prng_below(nemesis->prng, CLOG_MAX_US));
    join_later(nemesis, a, b, later(nemesis, nemesis->down_us));
    nemesis->counters.clogs++;
}

/* ---- processes and operators ---- */

static void crash_one(struct nemesis *nemesis)
{
    /* The coordinator as often as all nodes together. */
    uint64_t draw = prng_below(nemesis->prng, 8);
    uint32_t proc = draw < 3 ? CLUSTER_COORDINATOR
                    : draw < 6
                        ? any_node(nemesis)
                        : CLUSTER_ROUTER + (uint32_t)prng_below(nemesis->prng, CLUSTER_ROUTERS);
    if (nemesis->is_storm) {
        proc = CLUSTER_COORDINATOR;
    }
    enum cluster_doom doom = (enum cluster_doom)prng_below(nemesis->prng, DOOM_DISK + 1);

    cluster_crash(nemesis->cluster, proc, doom, prng_chance(nemesis->prng, 0.5));
}

static void pause_one(struct nemesis *nemesis)
{
    uint32_t proc = prng_chance(nemesis->prng, 0.7)
                        ? any_node(nemesis)
                        : (uint32_t)prng_below(nemesis->prng, CLUSTER_TOOL);
    uint64_t max_us = prng_chance(nemesis->prng, 0.5) ? PAUSE_MAX_US : PAUSE_MAX_US / 10;

    cluster_pause(nemesis->cluster, proc,
                  nemesis->cluster->now_us + prng_below(nemesis->prng, max_us));
}

static void resize(struct nemesis *nemesis)
{
    uint32_t replicas = 1 + (uint32_t)prng_below(nemesis->prng, nemesis->cluster->node_count);
    uint32_t min_insync = (uint32_t)prng_below(nemesis->prng, replicas + 1);

    if (nemesis->is_hollow || nemesis->cluster->seed % 2 == 0) {
        return;
    }
    nemesis->resized_us = nemesis->cluster->now_us;
    cluster_ask_replicas(nemesis->cluster, replicas, min_insync);
    nemesis->counters.resizes++;
}

static void hand_over(struct nemesis *nemesis)
{
    const struct state *state = nemesis_state(nemesis);

    if (state == NULL || state->graph_count == 0) {
        return;
    }
    const struct state_graph *graph = &state->graphs[0];
    cluster_ask_failover(nemesis->cluster,
                         graph->shards[prng_below(nemesis->prng, graph->shard_count)].shard, 0);
    nemesis->counters.handovers_asked++;
}

/* Returns true if clients are to lose patience. */
static bool strike(struct nemesis *nemesis)
{
    uint64_t draw = prng_below(nemesis->prng, 24);
    uint32_t node = any_node(nemesis);

    if (nemesis->cluster->now_us < nemesis->quiet_us) {
        return false;
    }

    if (draw < 7) {
        crash_one(nemesis);
    } else if (draw < 9) {
        cut_pair(nemesis);
    } else if (draw < 11) {
        isolate(nemesis);
    } else if (draw < 12) {
        clog_pair(nemesis);
    } else if (draw < 14) {
        pause_one(nemesis);
    } else if (draw < 16) {
        cluster_leave(nemesis->cluster, node);
    } else if (draw < 17) {
        hand_over(nemesis);
    } else if (draw < 18) {
        resize(nemesis);
    } else if (draw < 19) {
        fail_disk(nemesis);
    } else if (draw < 20) {
        fill_disk(nemesis);
    } else if (draw < 21) {
        spoil_folder(nemesis, node, SPOIL_WIPE);
    } else if (draw < 22) {
        if (nemesis->copies[node - CLUSTER_NODE].image == NULL) {
            copy_folder(nemesis, node);
        } else {
            spoil_folder(nemesis, node, SPOIL_PUT_BACK);
        }
    } else if (draw < 23) {
        spoil_folder(nemesis, node, SPOIL_FLIP);
    } else {
        return true;
    }
    return false;
}

bool nemesis_alarm(struct nemesis *nemesis, uint32_t alarm)
{
    struct cluster *cluster = nemesis->cluster;
    bool is_impatient = false;

    if (alarm == NEMESIS_ALARM && !nemesis->is_calm) {
        look_at_hollow(nemesis);
        is_impatient = strike(nemesis);
        nemesis_next(nemesis);
    } else if (alarm >= NEMESIS_JOIN) {
        net_join(&cluster->net, (alarm - NEMESIS_JOIN) / NET_PLACES_MAX,
                 (alarm - NEMESIS_JOIN) % NET_PLACES_MAX);
    } else if (alarm >= NEMESIS_UNFULL) {
        vfs_set_full(cluster->procs[alarm - NEMESIS_UNFULL].disk, false);
    } else if (alarm >= NEMESIS_START && cluster->procs[alarm - NEMESIS_START].core == NULL) {
        cluster_start(cluster, alarm - NEMESIS_START);
    }
    return is_impatient;
}

/* ---- for people ---- */

static void tell_shard(const struct state_shard *shard, struct bytes *out)
{
    bytes_format(out,
                 "shard %" PRIu32 " epoch %" PRIu64 " cfgver %" PRIu64 " primary %" PRIu32
                 "/%016" PRIx64 " floor %" PRIu64 " isr ",
                 shard->shard, shard->epoch, shard->cfgver, shard->primary, shard->primary_boot,
                 shard->applied);
    nodeset_dump(out, &shard->isr);
    bytes_format(out, " elr ");
    nodeset_dump(out, &shard->elr);
    bytes_format(out, " of ");
    nodeset_dump(out, &shard->replicas);
    bytes_format(out, "\n");
}

static void tell_replica(const struct node *node, uint32_t shard, struct bytes *out)
{
    const struct replica *replica = node_replica(node, shard);
    const uint64_t *suspect = map_get(&node->suspects, shard);

    bytes_format(out, "  node %" PRIu32 ":", node->options.node);
    if (suspect != NULL) {
        bytes_format(out, " suspect %" PRIu64, *suspect & 7);
    }
    if (map_has(&node->partial, shard)) {
        bytes_format(out, " partial");
    }
    if (node->incoming.shard == shard) {
        bytes_format(out, " takes a snapshot");
    }
    if (replica != NULL) {
        const struct replication *core = &replica->journal.core;
        bytes_format(out,
                     " role %d serving %d of epoch %" PRIu64 " promised %" PRIu64 " base %" PRIu64
                     " applied %" PRIu64 " commit %" PRIu64 " last %" PRIu64 " resigned %d",
                     (int)core->role, replica->is_serving, core->config.epoch, core->promised,
                     core->epochs.base, core->applied, core->commit, core->epochs.last,
                     replication_has_resigned(core));
    }
    bytes_format(out, "\n");
}

void nemesis_tell(const struct nemesis *nemesis, struct bytes *out)
{
    const struct state *state = nemesis_state(nemesis);

    for (uint32_t i = 0; state != NULL && i < NEMESIS_SHARDS; i++) {
        const struct state_shard *shard = state_shard(state, i + 1);
        if (shard == NULL) {
            continue;
        }
        tell_shard(shard, out);
        for (uint32_t k = 0; k < nemesis->cluster->node_count; k++) {
            const struct node *node = nemesis->cluster->procs[CLUSTER_NODE + k].core;
            if (node != NULL) {
                tell_replica(node, shard->shard, out);
            }
        }
    }
}

/* When verbose: each change of a configuration. */
static void follow(struct nemesis *nemesis)
{
    const struct state *state = nemesis->cluster->is_verbose ? nemesis_state(nemesis) : NULL;
    struct bytes text;

    for (uint32_t i = 0; state != NULL && i < NEMESIS_SHARDS; i++) {
        const struct state_shard *shard = state_shard(state, i + 1);
        if (shard != NULL && shard->cfgver != nemesis->told[i]) {
            nemesis->told[i] = shard->cfgver;
            bytes_init(&text, 0);
            tell_shard(shard, &text);
            (void)fprintf(stderr, "%8.3f ms  %.*s", (double)nemesis->cluster->now_us / 1000.0,
                          (int)text.size, (const char *)text.data);
            bytes_close(&text);
        }
    }
}

/* ---- watching ---- */

static bool may_read(const struct cluster *cluster, uint32_t proc, uint32_t shard)
{
    const struct node *node = cluster->procs[proc].core;
    const struct replica *replica = node == NULL ? NULL : node_replica(node, shard);

    return replica != NULL && replica->is_serving &&
           replication_may_read(&replica->journal.core, cluster_ms(cluster, proc) * 1000);
}

void nemesis_watch(struct nemesis *nemesis, uint32_t proc)
{
    struct cluster *cluster = nemesis->cluster;
    const struct node *node = cluster->procs[proc].core;

    look_at_hollow(nemesis);
    follow(nemesis);
    if (cluster->procs[proc].role != PEER_SHARDD) {
        return;
    }
    for (size_t i = 0; i < node->replica_count; i++) {
        uint32_t shard = node->replicas[i]->shard;
        if (!may_read(cluster, proc, shard)) {
            continue;
        }
        for (uint32_t k = 0; k < cluster->node_count; k++) {
            if (CLUSTER_NODE + k != proc && may_read(cluster, CLUSTER_NODE + k, shard)) {
                error_set(&cluster->failure, E_CORRUPT,
                          "two primaries of shard %" PRIu32 " answer reads: nodes %" PRIu32
                          " and %" PRIu32,
                          shard, cluster->procs[proc].node, k + 1);
            }
        }
    }
}

static void ignore(void *ctx, const char *what)
{
    (void)ctx, (void)what;
}

void nemesis_scrub(struct nemesis *nemesis)
{
    struct cluster *cluster = nemesis->cluster;

    for (uint32_t i = 0; i < cluster->node_count; i++) {
        const struct node *node = cluster->procs[CLUSTER_NODE + i].core;
        for (size_t k = 0; node != NULL && k < node->replica_count; k++) {
            (void)store_verify(node->replicas[k]->store, ignore, NULL, NULL);
        }
    }
}
