#include "shardd/incoming.h"

#include "common/crc.h"
#include "common/log.h"
#include "shardd/node.h"
#include "shardd/nodeshards.h"
#include "shardd/replica/append.h"

#include <assert.h>
#include <inttypes.h>

enum { PATH_ROOM = 4096 };

static void ask(struct node *node, uint64_t now_ms, struct outbox *out)
{
    struct incoming *incoming = &node->incoming;
    uint64_t chunks = (incoming->file_bytes + incoming->chunk_bytes - 1) / incoming->chunk_bytes;
    uint64_t first = snapshot_target_offset(incoming->target) / incoming->chunk_bytes;
    uint64_t count = chunks - first < APPEND_CHUNKS_MAX ? chunks - first : APPEND_CHUNKS_MAX;

    assert(count > 0);
    bytes_clear(&node->body);
    append_get_encode(
        &node->body,
        &(struct append_get){.id = incoming->id, .first = first, .count = (uint32_t)count});
    struct message *message = outbox_send(out, PEER_NODE(PEER_SHARDD, incoming->from),
                                          MESSAGE_SNAPSHOT_GET, bytes_slice(&node->body));
    message->shard = incoming->shard;
    message->epoch = incoming->epoch;
    message->dst_boot = incoming->from_boot;
    incoming->asked = first + count;
    incoming->asked_ms = now_ms;
}

/* The transfer is over, one way or the other: the replica is opened, or begins empty. */
static void reopen(struct node *node, uint64_t now_ms, bool is_received)
{
    uint32_t shard = node->incoming.shard;

    incoming_close(node);
    node->is_status_due = true;
    if (node->failure.code == E_OK) {
        (void)nodeshards_open(node, now_ms, shard, is_received, &node->failure);
    }
}

static void fail(struct node *node, uint64_t now_ms, const struct error *why)
{
    log_error(node->options.log, "node", "shard=%u msg=\"the snapshot is given up\" reason=\"%s\"",
              node->incoming.shard, why->text);
    reopen(node, now_ms, false);
}

/* ---- offers ---- */

static bool is_wanted(const struct node *node, const struct message *message,
                      const struct append_offer *offer)
{
    const struct shardmap_shard *shard = shardmap_shard(&node->map, message->shard);
    const struct replica *replica = node_replica(node, message->shard);

    return shard != NULL && replica != NULL && node->incoming.shard == 0 &&
           shard->primary == message->src_node && shard->primary_boot == message->src_boot &&
           shard->epoch == message->epoch && message->epoch >= replica->journal.core.promised &&
           shardmap_role(shard, node->options.node, node->options.boot) == SHARDMAP_LEARNER &&
           /* Counted on as whole, it lacks nothing that is committed. */
           (!nodeset_has(&shard->elr, node->options.node) ||
            map_has(&node->partial, message->shard)) &&
           offer->index > replica->journal.core.commit &&
           offer->index > replica->journal.core.verified && offer->file_bytes > 0;
}

static void on_offer(struct node *node, uint64_t now_ms, const struct message *message,
                     struct outbox *out)
{
    struct incoming *incoming = &node->incoming;
    struct append_offer offer;
    struct error err = {0};
    char path[PATH_ROOM];

    if (append_offer_decode(message->body, &offer, NULL) != E_OK ||
        !is_wanted(node, message, &offer)) {
        return;
    }
    log_info(node->options.log, "node",
             "shard=%u from=%u bytes=%" PRIu64 " msg=\"takes a snapshot\"", message->shard,
             message->src_node, offer.file_bytes);
    nodeshards_path(node, message->shard, path, sizeof path);
    *incoming = (struct incoming){.shard = message->shard,
                                  .from = message->src_node,
                                  .from_boot = message->src_boot,
                                  .id = offer.id,
                                  .epoch = message->epoch,
                                  .file_bytes = offer.file_bytes,
                                  .chunk_bytes = offer.chunk_bytes,
                                  .heard_ms = now_ms,
                                  .began_ms = now_ms};
    int rc = nodeshards_clear(node, message->shard, &err);
    if (rc == E_OK) {
        rc = snapshot_target_open(&incoming->target, node->options.vfs, path, offer.file_bytes,
                                  &err);
    }
    if (rc != E_OK) {
        fail(node, now_ms, &err);
        return;
    }
    ask(node, now_ms, out);
}

/* ---- chunks ---- */

static void finish(struct node *node, uint64_t now_ms)
{
    struct incoming *incoming = &node->incoming;
    struct error err = {0};
    uint64_t took_ms = now_ms - incoming->began_ms + 1;

    if (snapshot_target_finish(&incoming->target, &err) != E_OK) {
        fail(node, now_ms, &err);
        return;
    }
    log_info(node->options.log, "node",
             "shard=%u bytes=%" PRIu64 " ms=%" PRIu64 " msg=\"the snapshot is there\"",
             incoming->shard, incoming->file_bytes, took_ms);
    reopen(node, now_ms, true);
}

static void on_chunk(struct node *node, uint64_t now_ms, const struct message *message,
                     struct outbox *out)
{
    struct incoming *incoming = &node->incoming;
    struct append_chunk chunk;
    struct error err = {0};

    if (incoming->shard != message->shard || incoming->from_boot != message->src_boot ||
        append_chunk_decode(message->body, &chunk, NULL) != E_OK || chunk.id != incoming->id ||
        chunk.number >= UINT64_MAX / incoming->chunk_bytes ||
        chunk.number * incoming->chunk_bytes != snapshot_target_offset(incoming->target)) {
        return; /* Late, or twice. What is missing is asked for again. */
    }
    uint32_t crc = crc_extend(0, chunk.data.data, chunk.data.size);
    if (snapshot_target_write(incoming->target, chunk.data, crc, &err) != E_OK) {
        fail(node, now_ms, &err);
        return;
    }
    incoming->heard_ms = now_ms;
    if (snapshot_target_offset(incoming->target) == incoming->file_bytes) {
        finish(node, now_ms);
    } else if (chunk.number + 1 == incoming->asked) {
        ask(node, now_ms, out);
    }
}

void incoming_message(struct node *node, uint64_t now_ms, const struct message *message,
                      struct outbox *out)
{
    if (message->dst_boot != 0 && message->dst_boot != node->options.boot) {
        return;
    }
    if (message->type == MESSAGE_SNAPSHOT_OFFER) {
        on_offer(node, now_ms, message, out);
    } else {
        on_chunk(node, now_ms, message, out);
    }
}

/* ---- time ---- */

void incoming_turn(struct node *node, uint64_t now_ms, struct outbox *out)
{
    struct incoming *incoming = &node->incoming;
    struct error err = {0};

    if (incoming->shard == 0) {
        return;
    }
    const struct shardmap_shard *shard = shardmap_shard(&node->map, incoming->shard);
    if (shard == NULL || shard->epoch != incoming->epoch ||
        now_ms >= incoming->heard_ms + INCOMING_IDLE_MS) {
        error_set(&err, E_TIMEOUT, "%s",
                  shard == NULL || shard->epoch != incoming->epoch ? "another primary leads"
                                                                   : "nothing comes any more");
        fail(node, now_ms, &err);
    } else if (now_ms >= incoming->heard_ms + INCOMING_REPEAT_MS &&
               now_ms >= incoming->asked_ms + INCOMING_REPEAT_MS) {
        ask(node, now_ms, out);
    }
}

uint64_t incoming_deadline(const struct node *node)
{
    const struct incoming *incoming = &node->incoming;
    uint64_t last =
        incoming->heard_ms > incoming->asked_ms ? incoming->heard_ms : incoming->asked_ms;

    return incoming->shard == 0 ? UINT64_MAX : last + INCOMING_REPEAT_MS;
}

void incoming_close(struct node *node)
{
    snapshot_target_close(&node->incoming.target);
    node->incoming = (struct incoming){0};
}
