#include "coordinator/coord_shards.h"

#include "common/log.h"
#include "coordinator/coordadmin.h"

#include <inttypes.h>
#include <string.h>

/* ---- from primaries ---- */

static void on_alter(struct coord *coord, const struct message *message)
{
    struct roster_alter alter;
    struct error err;

    if (roster_alter_decode(message->body, &alter, &err) != E_OK) {
        outbox_refuse(coord->out, message, &err);
        return;
    }
    struct state_command command = {.kind = STATE_ALTER,
                                    .shard = alter.shard,
                                    .node = alter.node,
                                    .boot = alter.boot,
                                    .epoch = alter.epoch,
                                    .cfgver = alter.cfgver,
                                    .set = alter.isr};

    memcpy(command.boots, alter.boots, sizeof command.boots);
    coord_submit(coord, &command, coord_take(coord, message));
}

static void on_handover_done(struct coord *coord, const struct message *message)
{
    struct roster_handover handover;
    struct error err;

    if (roster_handover_decode(message->body, &handover, &err) != E_OK) {
        outbox_refuse(coord->out, message, &err);
        return;
    }
    coord_submit(coord,
                 &(struct state_command){.kind = STATE_HANDOVER,
                                         .shard = handover.shard,
                                         .node = handover.node,
                                         .boot = handover.boot,
                                         .epoch = handover.epoch,
                                         .target = handover.target},
                 coord_take(coord, message));
}

bool coord_shards_message(struct coord *coord, const struct message *message)
{
    if (message->type == MESSAGE_SHARD_ALTER) {
        on_alter(coord, message);
    } else if (message->type == MESSAGE_SHARD_HANDOVER_DONE) {
        on_handover_done(coord, message);
    } else {
        return false;
    }
    return true;
}

bool coord_shards_applied(struct coord *coord, uint64_t token, const struct state_command *command,
                          const struct state_result *result)
{
    const struct member_node *node = member_node(&coord->member, command->node);
    struct error err;

    if (command->kind != STATE_ALTER && command->kind != STATE_HANDOVER) {
        return false;
    }
    if (command->kind == STATE_ALTER && result->code == E_INVALID) {
        error_set(&err, result->code, "%s", result->text);
        coord_refuse(coord, token, &err);
        return true;
    }
    /* Whatever came of it: the primary compares the map with what it asked for. */
    coord_answer(coord, token, MESSAGE_NODE_CONFIG,
                 coord_config(coord, command->node, node == NULL ? 0 : node->map_version));
    return true;
}

/* ---- from failover ---- */

static void send_handover(struct coord *coord, const struct failover_effect *effect)
{
    struct roster_handover handover = {.shard = effect->shard,
                                       .node = effect->node,
                                       .boot = effect->boot,
                                       .epoch = effect->epoch,
                                       .target = effect->target,
                                       .within_ms = effect->within_ms};

    bytes_clear(&coord->body);
    roster_handover_encode(&coord->body, &handover);
    struct message *message = outbox_send(coord->out, PEER_NODE(PEER_SHARDD, effect->node),
                                          MESSAGE_SHARD_HANDOVER, bytes_slice(&coord->body));
    message->dst_boot = effect->boot;
    message->shard = effect->shard;
    message->epoch = effect->epoch;
}

static void carry(void *ctx, const struct failover_effect *effect)
{
    struct coord *coord = ctx;
    struct log *log = coord->options.log;
    struct error err;

    switch (effect->kind) {
    case FAILOVER_PROPOSE:
        log_warn(log, "coord", "shard=%u epoch=%" PRIu64 " node=%u msg=\"is to lead\"",
                 effect->shard, effect->epoch + 1, effect->target);
        coord_submit(coord,
                     &(struct state_command){.kind = STATE_FAILOVER,
                                             .shard = effect->shard,
                                             .epoch = effect->epoch,
                                             .cfgver = effect->cfgver,
                                             .target = effect->target,
                                             .target_boot = effect->target_boot},
                     0);
        break;
    case FAILOVER_REPLICAS:
        coord_submit(coord,
                     &(struct state_command){.kind = STATE_REPLICAS,
                                             .shard = effect->shard,
                                             .epoch = effect->epoch,
                                             .cfgver = effect->cfgver,
                                             .set = effect->set},
                     0);
        break;
    case FAILOVER_HANDOVER:
        send_handover(coord, effect);
        break;
    case FAILOVER_GIVEN_UP:
        log_warn(log, "coord",
                 "shard=%u node=%u msg=\"its primary was not idle in time: it leads on\"",
                 effect->shard, effect->target);
        error_set(&err, E_TIMEOUT,
                  "the primary of shard %u did not hand over in %u ms: it leads on", effect->shard,
                  FAILOVER_HANDOVER_MS);
        coordadmin_shard(coord, effect->shard, &err);
        break;
    }
}

void coord_shards_tick(struct coord *coord)
{
    failover_tick(&coord->failover, coord->now_ms, carry, coord);
    for (size_t i = coord->request_count; i > 0; i--) {
        /* Several may wait for one shard: those behind may be gone by now. */
        if (i <= coord->request_count && coord->requests[i - 1].shard != 0) {
            coordadmin_shard(coord, coord->requests[i - 1].shard, NULL);
        }
    }
}
