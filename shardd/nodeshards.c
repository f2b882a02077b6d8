#include "shardd/nodeshards.h"

#include "common/log.h"
#include "common/mem.h"
#include "common/mutation.h"
#include "shardd/store/storefile.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>

enum { PATH_ROOM = 4096 };

static void add_replica(struct node *node, struct replica *replica)
{
    if (node->replica_count == node->replica_room) {
        node->replica_room = node->replica_room == 0 ? 16 : node->replica_room * 2;
        node->replicas = mem_resize(node->replicas, node->replica_room * sizeof(struct replica *));
    }
    map_put(&node->places, replica->shard, node->replica_count);
    map_put(&node->opened, replica->shard, 1);
    node->replicas[node->replica_count++] = replica;
}

void nodeshards_path(const struct node *node, uint32_t shard, char *path, size_t room)
{
    snprintf(path, room, "%s/shard-%u.db", node->options.data_dir, shard);
}

static struct replica *take_out(struct node *node, size_t place)
{
    struct replica *replica = node->replicas[place];
    struct replica *last = node->replicas[--node->replica_count];

    map_remove(&node->places, replica->shard);
    node->replicas[place] = last;
    if (place < node->replica_count) {
        map_put(&node->places, last->shard, place);
    }
    return replica;
}

static int drop_replica(struct node *node, size_t place, struct error *err)
{
    struct replica *replica = take_out(node, place);

    log_info(node->options.log, "node",
             "shard=%u msg=\"dropped: its file is in dropped/ for a day\"", replica->shard);
    return replica_destroy(&replica, err);
}

/* One word of the map: enum roster_suspect in the low bits, above them what was applied. */
static void put_suspect(struct node *node, uint32_t shard, enum roster_suspect suspect,
                        uint64_t applied)
{
    static_assert(ROSTER_FOREIGN < 1 << NODESHARDS_SUSPECT_BITS, "fits");
    map_put(&node->suspects, shard, applied << NODESHARDS_SUSPECT_BITS | (uint64_t)suspect);
}

bool nodeshards_check(struct node *node, struct outbox *out)
{
    bool is_found = false;

    for (size_t i = node->replica_count; i > 0; i--) {
        struct replica *replica = node->replicas[i - 1];
        struct error why;
        if (store_damage(replica->store, &why) == E_OK) {
            continue;
        }
        (void)take_out(node, i - 1);
        log_error(node->options.log, "node", "shard=%u msg=\"not served any more\" reason=\"%s\"",
                  replica->shard, why.text);
        put_suspect(node, replica->shard, ROSTER_DAMAGED, store_state(replica->store).applied);
        replica_abandon(replica, out, &why);
        replica_close(&replica);
        node->is_status_due = true;
        is_found = true;
    }
    return is_found;
}

/* ---- replicas built anew ---- */

static void partial_path(const struct node *node, uint32_t shard, char *path, size_t room)
{
    snprintf(path, room, "%s/shard-%u.partial", node->options.data_dir, shard);
}

/* Durable before anything of the file is taken away. */
static int note_partial(struct node *node, uint32_t shard, struct error *err)
{
    char path[PATH_ROOM];

    if (map_has(&node->partial, shard) || mutation_is(MUTATION_PARTIAL_FORGOTTEN)) {
        return E_OK;
    }
    partial_path(node, shard, path, sizeof path);
    int rc = storefile_number_write(node->options.vfs, path, 1, err);
    if (rc == E_OK) {
        map_put(&node->partial, shard, 1);
    }
    return rc;
}

/* In sync, so whole; or no replica any more. */
static int forget_partial(struct node *node, uint32_t shard, struct error *err)
{
    char path[PATH_ROOM];

    partial_path(node, shard, path, sizeof path);
    if (!map_has(&node->partial, shard) &&
        (node->is_swept || !storefile_exists(node->options.vfs, path))) {
        return E_OK;
    }
    map_remove(&node->partial, shard);
    return storefile_delete(node->options.vfs, path, err);
}

/* What was noted before the start. */
static void recall_partial(struct node *node, uint32_t shard)
{
    char path[PATH_ROOM];

    partial_path(node, shard, path, sizeof path);
    if (storefile_exists(node->options.vfs, path)) {
        map_put(&node->partial, shard, 1);
    }
}

static uint64_t floor_of(const struct roster_config *config, uint32_t shard)
{
    for (uint32_t i = 0; i < config->floor_count; i++) {
        if (config->floors[i].shard == shard) {
            return config->floors[i].applied;
        }
    }
    return 0;
}

/* A boot that is to lead is given an epoch above all that were led before it, and no replica has
 * promised one that was not given: a file that has was led in a history that these coordinators do
 * not know. */
static bool is_ahead(struct node *node, const struct replica *replica,
                     const struct shardmap_shard *shard, const char *path)
{
    uint64_t promised = store_state(replica->store).promised_epoch;
    enum shardmap_role role = shardmap_role(shard, node->options.node, node->options.boot);

    if (promised < shard->epoch || (promised == shard->epoch && role != SHARDMAP_PRIMARY)) {
        return false;
    }
    log_error(node->options.log, "node",
              "shard=%u file=%s msg=\"it has promised epoch %" PRIu64
              ", the coordinators give epoch %" PRIu64
              ": not served; was coordinator.db lost, or an older copy put back? stop the "
              "coordinators and put the newest one back\"",
              replica->shard, path, promised, shard->epoch);
    return true;
}

/* Takes the replica. */
static void admit(struct node *node, struct replica *replica, const struct shardmap_shard *shard,
                  uint64_t floor, const char *path)
{
    /* What was applied is in the journal, if not in the tables after a power cut. */
    uint64_t applied = store_state(replica->store).last;

    if (is_ahead(node, replica, shard, path)) {
        put_suspect(node, replica->shard, ROSTER_AHEAD, applied);
        replica_close(&replica);
        return;
    }
    if (map_has(&node->partial, replica->shard) && !nodeset_has(&shard->isr, node->options.node)) {
        floor = 0; /* It is built anew, and need not have what it had before. */
    }
    if (applied < floor && node->options.is_old_accepted) {
        log_warn(node->options.log, "node",
                 "shard=%u file=%s msg=\"an old copy is accepted: entries %" PRIu64 " to %" PRIu64
                 " are lost\"",
                 replica->shard, path, applied + 1, floor);
    }
    if (applied >= floor || node->options.is_old_accepted) {
        add_replica(node, replica);
        return;
    }
    log_error(node->options.log, "node",
              "shard=%u file=%s msg=\"an old copy: it ends at entry %" PRIu64 ", entry %" PRIu64
              " was there: not served; stop this node and put the newest file (with its -wal) "
              "back, or give up what came after it (accept_old_files)\"",
              replica->shard, path, applied, floor);
    put_suspect(node, replica->shard, ROSTER_STALE, applied);
    replica_close(&replica);
}

/* What a crash left of transfers. */
static int clean_up(struct node *node, const char *path, struct error *err)
{
    char copy[PATH_ROOM + 8];
    int rc = E_OK;

    (void)snprintf(copy, sizeof copy, "%s.copy", path);
    if (storefile_exists(node->options.vfs, copy)) {
        rc = storefile_delete(node->options.vfs, copy, err);
    }
    if (rc == E_OK && snapshot_is_half(node->options.vfs, path)) {
        rc = snapshot_discard(node->options.vfs, path, err);
    }
    return rc;
}

static int open_replica(struct node *node, uint64_t now_ms, const struct roster_config *config,
                        const struct shardmap_shard *shard, bool is_received, struct error *err)
{
    const struct shardmap_graph *graph = shardmap_graph_by_id(&node->map, shard->graph);
    enum shardmap_role role = shardmap_role(shard, node->options.node, node->options.boot);
    struct error why = {0};
    char path[PATH_ROOM];
    struct replica *replica = NULL;
    struct replica_options options = {
        .node = node->options.node,
        .boot = node->options.boot,
        .now_ms = now_ms,
        .is_received = is_received,
        .store = {.path = path,
                  .vfs = node->options.vfs,
                  .cluster_id = node->options.cluster_id,
                  .incarnation = node->incarnation,
                  .shard = shard->shard,
                  .graph = graph->graph,
                  .partitioner = graph->partitioner,
                  .ids = graph->ids,
                  .lo = shard->lo,
                  .hi = shard->hi,
                  .cache_bytes = node->options.cache_bytes,
                  .adjacency_cache_bytes = node->options.adjacency_cache_bytes,
                  .is_sync = node->options.is_sync}};

    nodeshards_path(node, shard->shard, path, sizeof path);
    int rc = clean_up(node, path, err);
    if (rc != E_OK) {
        return rc;
    }
    if (graph->is_ready && role != SHARDMAP_LEARNER && !storefile_exists(node->options.vfs, path)) {
        /* It held data once. An empty one in its place would pass for the truth. */
        log_error(node->options.log, "node",
                  "shard=%u file=%s msg=\"its file is gone: not served; stop this node and put it "
                  "back\"",
                  shard->shard, path);
        put_suspect(node, shard->shard, ROSTER_MISSING, 0);
        return E_OK;
    }
    if (role == SHARDMAP_LEARNER && !storefile_exists(node->options.vfs, path) && !is_received) {
        rc = note_partial(node, shard->shard, &why);
        if (rc == E_LIMIT) {
            log_error(node->options.log, "node", "shard=%u msg=\"cannot begin: disk full\"",
                      shard->shard);
            put_suspect(node, shard->shard, ROSTER_MISSING, 0);
            return E_OK; /* Tried again. */
        }
        if (rc != E_OK) {
            if (err != NULL) {
                *err = why;
            }
            return rc;
        }
    }
    rc = replica_open(&replica, &options, &why);
    if (rc == E_OK) {
        admit(node, replica, shard, floor_of(config, shard->shard), path);
        return E_OK;
    }
    if (rc == E_CORRUPT || rc == E_CONFIG) {
        log_error(node->options.log, "node", "shard=%u file=%s msg=\"not served\" reason=\"%s\"",
                  shard->shard, path, why.text);
        put_suspect(node, shard->shard, rc == E_CONFIG ? ROSTER_FOREIGN : ROSTER_DAMAGED, 0);
        return E_OK;
    }
    if (err != NULL) {
        *err = why;
    }
    return rc;
}

/* ---- configuration ---- */

static void tell_schema(struct node *node, struct replica *replica,
                        const struct shardmap_graph *graph)
{
    if (graph->schema_version <= store_state(replica->store).schema_version) {
        return;
    }
    bytes_clear(&node->body);
    bytes_varint(&node->body, graph->schema_version);
    bytes_varint(&node->body, graph->index_count);
    for (uint32_t i = 0; i < graph->index_count; i++) {
        bytes_blob(&node->body, graph->indexes[i].name);
        bytes_blob(&node->body, graph->indexes[i].label);
        bytes_blob(&node->body, graph->indexes[i].key);
    }
    replica_schema(replica, graph->schema_version, bytes_slice(&node->body));
}

static void tell_config(struct replica *replica, const struct shardmap_shard *shard)
{
    struct replication_config config = {.epoch = shard->epoch,
                                        .cfgver = shard->cfgver,
                                        .primary = shard->primary,
                                        .primary_boot = shard->primary_boot,
                                        .isr = shard->isr,
                                        .replicas = shard->replicas,
                                        .min_insync = shard->min_insync};

    if (replica->journal.config.epoch != config.epoch ||
        replica->journal.config.cfgver != config.cfgver ||
        replica->journal.config.primary_boot != config.primary_boot) {
        replica_configure(replica, &config);
    }
}

/* A replica that is to learn its contents anew: what its file held is out of the way for a day. */
static int begin_anew(struct node *node, uint32_t shard, struct error *err)
{
    char path[PATH_ROOM];

    nodeshards_path(node, shard, path, sizeof path);
    log_warn(node->options.log, "node",
             "shard=%u file=%s msg=\"rebuilt from another replica; what is left of the file is in "
             "dropped/ for a day\"",
             shard, path);
    int rc = note_partial(node, shard, err);
    if (rc != E_OK) {
        return rc;
    }
    map_remove(&node->suspects, shard);
    return storefile_exists(node->options.vfs, path) ? storefile_drop(node->options.vfs, path, err)
                                                     : E_OK;
}

/* A replica that this node is no longer to hold. */
static int drop_strange(struct node *node, uint32_t shard, struct error *err)
{
    const uint64_t *place = map_get(&node->places, shard);
    char path[PATH_ROOM];

    map_remove(&node->suspects, shard);
    int rc = forget_partial(node, shard, err);
    if (rc != E_OK) {
        return rc;
    }
    if (place != NULL) {
        return drop_replica(node, *place, err);
    }
    nodeshards_path(node, shard, path, sizeof path);
    return !node->is_swept && storefile_exists(node->options.vfs, path)
               ? storefile_drop(node->options.vfs, path, err)
               : E_OK;
}

/* A learner whose file is of no use; not one that the coordinators know less of than it does. */
static bool may_begin_anew(const struct node *node, uint32_t shard, enum shardmap_role role)
{
    const uint64_t *suspect = map_get(&node->suspects, shard);

    return suspect != NULL && role == SHARDMAP_LEARNER &&
           (*suspect & ((1 << NODESHARDS_SUSPECT_BITS) - 1)) != ROSTER_AHEAD;
}

/* Its file went in this boot: it was damaged, or this node was let go, or it made room for a
 * snapshot that did not come. The primary counts on what this boot has acknowledged. */
static bool is_other_life(struct node *node, uint32_t shard, enum shardmap_role role)
{
    char path[PATH_ROOM];

    nodeshards_path(node, shard, path, sizeof path);
    if (role != SHARDMAP_LEARNER || !map_has(&node->opened, shard) ||
        storefile_exists(node->options.vfs, path) || mutation_is(MUTATION_TWO_LIVES)) {
        return false;
    }
    node->must_restart = true;
    return true;
}

/* It was elected for what it held before: the news that it is built anew came too late. In sync by
 * an ALTER it would be partial no more before it is elected, and an operator who accepts the loss
 * leaves nobody in the elr. */
static void refuse_to_lead(struct node *node, uint32_t shard)
{
    const uint64_t *place = map_get(&node->places, shard);

    log_error(node->options.log, "node",
              "shard=%u msg=\"it is to lead, but is built anew and not in sync: not served\"",
              shard);
    if (place != NULL) {
        struct replica *replica = take_out(node, *place);
        replica_close(&replica);
    }
    put_suspect(node, shard, ROSTER_MISSING, 0);
}

static int adopt_shard(struct node *node, uint64_t now_ms, const struct roster_config *config,
                       const struct shardmap_shard *shard, bool is_received, struct error *err)
{
    const struct shardmap_graph *graph = shardmap_graph_by_id(&node->map, shard->graph);
    enum shardmap_role role = shardmap_role(shard, node->options.node, node->options.boot);
    int rc = E_OK;

    if (node->incoming.shard == shard->shard) {
        return E_OK; /* Opened when all of it is there. */
    }
    if (role == SHARDMAP_STRANGER) {
        return drop_strange(node, shard->shard, err);
    }
    if (node_replica(node, shard->shard) == NULL) {
        recall_partial(node, shard->shard);
    }
    if (role == SHARDMAP_PRIMARY && map_has(&node->partial, shard->shard) && shard->elr.count > 0) {
        refuse_to_lead(node, shard->shard);
        return E_OK;
    }
    if (map_has(&node->suspects, shard->shard)) {
        if (!may_begin_anew(node, shard->shard, role)) {
            return E_OK; /* Looked at again at the next start. */
        }
        rc = begin_anew(node, shard->shard, err);
        if (rc == E_LIMIT) {
            return E_OK; /* The disk is full: tried again. */
        }
    }
    if (rc == E_OK && node_replica(node, shard->shard) == NULL &&
        !is_other_life(node, shard->shard, role)) {
        rc = open_replica(node, now_ms, config, shard, is_received, err);
        if (rc == E_OK && may_begin_anew(node, shard->shard, role)) {
            rc = begin_anew(node, shard->shard, err);
            if (rc == E_LIMIT) {
                return E_OK;
            }
            rc = rc != E_OK ? rc : open_replica(node, now_ms, config, shard, false, err);
        }
    }
    struct replica *replica = node_replica(node, shard->shard);
    if (rc == E_OK && replica != NULL && nodeset_has(&shard->isr, node->options.node)) {
        rc = forget_partial(node, shard->shard, err);
    }
    if (rc == E_OK && replica != NULL) {
        tell_config(replica, shard);
        tell_schema(node, replica, graph);
    }
    return rc;
}

int nodeshards_open(struct node *node, uint64_t now_ms, uint32_t shard, bool is_received,
                    struct error *err)
{
    const struct shardmap_shard *found = shardmap_shard(&node->map, shard);
    struct roster_config none = {0};

    return found == NULL ? E_OK : adopt_shard(node, now_ms, &none, found, is_received, err);
}

int nodeshards_renew(struct node *node, uint64_t now_ms, struct error *err)
{
    int rc = E_OK;

    for (uint32_t i = 0; i < node->map.shard_count && rc == E_OK; i++) {
        const struct shardmap_shard *shard = &node->map.shards[i];
        if (may_begin_anew(node, shard->shard,
                           shardmap_role(shard, node->options.node, node->options.boot))) {
            rc = nodeshards_open(node, now_ms, shard->shard, false, err);
        }
    }
    return rc;
}

int nodeshards_clear(struct node *node, uint32_t shard, struct error *err)
{
    const uint64_t *place = map_get(&node->places, shard);
    char path[PATH_ROOM];
    int rc = note_partial(node, shard, err);

    if (rc != E_OK) {
        return rc;
    }
    if (place != NULL) {
        struct replica *replica = take_out(node, *place);
        replica_close(&replica);
    }
    nodeshards_path(node, shard, path, sizeof path);
    return storefile_delete(node->options.vfs, path, err);
}

/* Shards that were created and are in the map no more were dropped with their graph. */
static int drop_shards(struct node *node, uint32_t shard_next, struct error *err)
{
    char path[PATH_ROOM];
    int rc = E_OK;

    for (size_t i = node->replica_count; i > 0 && rc == E_OK; i--) {
        uint32_t shard = node->replicas[i - 1]->shard;
        if (shard < shard_next && shardmap_shard(&node->map, shard) == NULL) {
            rc = drop_replica(node, i - 1, err);
        }
    }
    for (size_t i = node->suspects.count; i > 0; i--) {
        uint32_t shard = (uint32_t)node->suspects.entries[i - 1].key;
        if (shard < shard_next && shardmap_shard(&node->map, shard) == NULL) {
            map_remove(&node->suspects, shard); /* Its file goes at the next start. */
        }
    }
    /* Those dropped while this process was not running. */
    for (uint32_t shard = 1; shard < shard_next && !node->is_swept && rc == E_OK; shard++) {
        nodeshards_path(node, shard, path, sizeof path);
        if (shardmap_shard(&node->map, shard) == NULL &&
            storefile_exists(node->options.vfs, path)) {
            log_info(node->options.log, "node",
                     "shard=%u file=%s msg=\"its graph was dropped: moved to dropped/, kept for a "
                     "day\"",
                     shard, path);
            rc = storefile_drop(node->options.vfs, path, err);
        }
    }
    node->is_swept = true;
    return rc;
}

int nodeshards_adopt(struct node *node, uint64_t now_ms, const struct roster_config *config,
                     struct error *err)
{
    struct shardmap map;
    int rc = shardmap_decode(config->map, &map, err);

    if (rc != E_OK) {
        return E_OK; /* Not ours to die of. */
    }
    if (map.version <= node->map.version) {
        shardmap_close(&map);
        return E_OK;
    }
    shardmap_close(&node->map);
    node->map = map;
    for (uint32_t i = 0; i < node->map.shard_count && rc == E_OK; i++) {
        rc = adopt_shard(node, now_ms, config, &node->map.shards[i], false, err);
    }
    if (rc == E_OK) {
        rc = drop_shards(node, config->shard_next, err);
    }
    node->is_status_due = true;
    return rc;
}
