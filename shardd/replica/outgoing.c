#include "shardd/replica/outgoing.h"

#include "common/log.h"
#include "shardd/replica/append.h"
#include "shardd/replica/replica.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>

enum { NAME_ROOM = 4096 };

void outgoing_want(struct outgoing *outgoing, uint32_t node, uint64_t now_ms)
{
    (void)nodeset_add(&outgoing->takers, node);
    outgoing->asked_ms = now_ms;
}

void outgoing_close(struct outgoing *outgoing)
{
    uint64_t id = outgoing->id;

    snapshot_close(&outgoing->copy);
    *outgoing = (struct outgoing){.id = id};
}

static int begin(struct replica *replica, struct replica_turn *turn, struct error *err)
{
    struct outgoing *outgoing = &replica->outgoing;
    char path[NAME_ROOM];

    if (snprintf(path, sizeof path, "%s.copy", replica->path) >= (int)sizeof path) {
        return error_set(err, E_IO, "%s: path too long", replica->path);
    }
    outgoing->id++;
    outgoing->is_copied = false;
    log_info(turn->log, "replica", "shard=%u msg=\"makes a snapshot for another replica\"",
             replica->shard);
    return snapshot_open(&outgoing->copy, replica->store, path, err);
}

static int copy_on(struct replica *replica, struct replica_turn *turn, struct error *err)
{
    struct outgoing *outgoing = &replica->outgoing;
    const struct epochs *epochs = &replica->journal.core.epochs;
    int rc = snapshot_step(outgoing->copy, OUTGOING_PAGES, &outgoing->is_copied, err);

    if (rc == E_OK && outgoing->is_copied) {
        outgoing->index = store_state(replica->store).applied;
        outgoing->epoch = epochs_at(epochs, outgoing->index);
        outgoing->offer_ms = turn->now_ms;
    }
    return rc;
}

static void offer(struct replica *replica, struct replica_turn *turn)
{
    struct outgoing *outgoing = &replica->outgoing;

    outgoing->offer_ms = turn->now_ms + OUTGOING_OFFER_MS;
    for (uint32_t i = 0; i < outgoing->takers.count; i++) {
        bytes_clear(&replica->body);
        append_offer_encode(&replica->body,
                            &(struct append_offer){.id = outgoing->id,
                                                   .index = outgoing->index,
                                                   .epoch = outgoing->epoch,
                                                   .file_bytes = snapshot_size(outgoing->copy),
                                                   .chunk_bytes = OUTGOING_CHUNK_BYTES});
        replica_send(replica, turn, PEER_NODE(PEER_SHARDD, outgoing->takers.nodes[i]),
                     MESSAGE_SNAPSHOT_OFFER);
    }
}

/* Takers that have caught up, or are replicas no more, need it no more. */
static void forget_done(struct replica *replica)
{
    struct outgoing *outgoing = &replica->outgoing;
    const struct replication *core = &replica->journal.core;

    for (uint32_t i = outgoing->takers.count; i > 0; i--) {
        uint32_t node = outgoing->takers.nodes[i - 1];
        bool is_wanted = false;
        for (uint32_t j = 0; j < core->peer_count; j++) {
            is_wanted = is_wanted ||
                        (core->peers[j].node == node && core->peers[j].match < outgoing->index);
        }
        if (outgoing->is_copied && !is_wanted) {
            nodeset_remove(&outgoing->takers, node);
        }
    }
}

int outgoing_turn(struct replica *replica, struct replica_turn *turn, struct error *err)
{
    struct outgoing *outgoing = &replica->outgoing;
    struct error why = {0};
    int rc = E_OK;

    if (outgoing->takers.count == 0) {
        return E_OK;
    }
    forget_done(replica);
    /* Below min_insync it does not serve, and only the taker can end that. */
    if (replica->journal.core.role != REPLICATION_PRIMARY || outgoing->takers.count == 0 ||
        turn->now_ms >= outgoing->asked_ms + OUTGOING_IDLE_MS) {
        outgoing_close(outgoing);
        return E_OK;
    }
    if (outgoing->copy == NULL) {
        rc = begin(replica, turn, &why);
    } else if (!outgoing->is_copied) {
        rc = copy_on(replica, turn, &why);
    } else if (turn->now_ms >= outgoing->offer_ms) {
        offer(replica, turn);
    }
    if (rc == E_LIMIT) {
        log_error(turn->log, "replica", "shard=%u msg=\"no snapshot: disk full\"", replica->shard);
        outgoing_close(outgoing);
        return E_OK;
    }
    if (rc != E_OK && err != NULL) {
        *err = why;
    }
    return rc;
}

void outgoing_get(struct replica *replica, struct replica_turn *turn, const struct message *message)
{
    struct outgoing *outgoing = &replica->outgoing;
    struct append_get get;
    struct bytes data;

    if (append_get_decode(message->body, &get, NULL) != E_OK || !outgoing->is_copied ||
        get.id != outgoing->id) {
        return;
    }
    outgoing->asked_ms = turn->now_ms;
    outgoing->offer_ms = turn->now_ms + OUTGOING_IDLE_MS; /* It is under way. */
    bytes_init(&data, 0);
    for (uint32_t i = 0; i < get.count; i++) {
        struct append_chunk chunk = {.id = get.id, .number = get.first + i};
        bytes_clear(&data);
        if (chunk.number > UINT64_MAX / OUTGOING_CHUNK_BYTES ||
            snapshot_read(outgoing->copy, chunk.number * OUTGOING_CHUNK_BYTES, OUTGOING_CHUNK_BYTES,
                          &data, NULL) != E_OK ||
            data.size == 0) {
            break;
        }
        chunk.data = bytes_slice(&data);
        bytes_clear(&replica->body);
        append_chunk_encode(&replica->body, &chunk);
        replica_send(replica, turn, PEER_NODE(PEER_SHARDD, message->src_node),
                     MESSAGE_SNAPSHOT_CHUNK);
        outgoing->sent_bytes += data.size;
    }
    bytes_close(&data);
}

uint64_t outgoing_deadline(const struct outgoing *outgoing)
{
    if (outgoing->takers.count == 0) {
        return UINT64_MAX;
    }
    if (!outgoing->is_copied) {
        return 0;
    }
    uint64_t idle = outgoing->asked_ms + OUTGOING_IDLE_MS;
    return outgoing->offer_ms < idle ? outgoing->offer_ms : idle;
}

uint64_t outgoing_keep(const struct outgoing *outgoing)
{
    return outgoing->takers.count > 0 && outgoing->is_copied ? outgoing->index + 1
           : outgoing->copy != NULL                          ? 1
                                                             : UINT64_MAX;
}
