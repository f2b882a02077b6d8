#include "common/roster.h"

#include <assert.h>

enum { REPLICA_BYTES_MIN = 15, FLOOR_BYTES_MIN = 2 };

void roster_status_encode(struct bytes *out, const struct roster_status *status)
{
    assert(out != NULL && status != NULL);
    bytes_varint(out, status->node);
    bytes_u64(out, status->boot);
    bytes_u64(out, status->incarnation);
    bytes_varint(out, status->map_version);
    bytes_blob(out, status->address);
    bytes_blob(out, status->zone);
    bytes_varint(out, status->weight);
    bytes_u8(out, status->is_leaving);
    bytes_varint(out, status->replica_count);
    for (uint32_t i = 0; i < status->replica_count; i++) {
        const struct roster_replica *replica = &status->replicas[i];
        bytes_varint(out, replica->shard);
        bytes_u8(out, (uint8_t)replica->role);
        bytes_varint(out, replica->epoch);
        bytes_varint(out, replica->applied);
        bytes_varint(out, replica->last);
        bytes_varint(out, replica->last_epoch);
        bytes_varint(out, replica->lag_entries);
        bytes_varint(out, replica->lag_bytes);
        bytes_varint(out, replica->schema_version);
        bytes_varint(out, replica->file_bytes);
        bytes_varint(out, replica->vertices);
        bytes_varint(out, replica->edges);
        bytes_u8(out, (uint8_t)replica->suspect);
        bytes_varint(out, replica->resigned);
        bytes_u8(out, (uint8_t)(replica->is_full | replica->is_partial << 1));
    }
}

static enum roster_suspect decode_suspect(struct reader *reader)
{
    uint8_t suspect = reader_u8(reader);

    if (suspect > ROSTER_FOREIGN) {
        reader_spoil(reader);
        return ROSTER_SOUND;
    }
    return (enum roster_suspect)suspect;
}

static enum shardmap_role decode_role(struct reader *reader)
{
    uint8_t role = reader_u8(reader);

    if (role > SHARDMAP_LEARNER) {
        reader_spoil(reader);
        return SHARDMAP_STRANGER;
    }
    return (enum shardmap_role)role;
}

static uint32_t decode_number(struct reader *reader)
{
    uint64_t v = reader_varint(reader);

    if (v > UINT32_MAX) {
        reader_spoil(reader);
        return 0;
    }
    return (uint32_t)v;
}

static void decode_replica(struct reader *reader, struct roster_replica *replica)
{
    replica->shard = decode_number(reader);
    replica->role = decode_role(reader);
    replica->epoch = reader_varint(reader);
    replica->applied = reader_varint(reader);
    replica->last = reader_varint(reader);
    replica->last_epoch = reader_varint(reader);
    replica->lag_entries = reader_varint(reader);
    replica->lag_bytes = reader_varint(reader);
    replica->schema_version = reader_varint(reader);
    replica->file_bytes = reader_varint(reader);
    replica->vertices = reader_varint(reader);
    replica->edges = reader_varint(reader);
    replica->suspect = decode_suspect(reader);
    replica->resigned = reader_varint(reader);
    uint8_t flags = reader_u8(reader);
    replica->is_full = (flags & 1) != 0;
    replica->is_partial = (flags & 2) != 0;
    if (flags > 3) {
        reader_spoil(reader);
    }
}

int roster_status_decode(struct slice body, struct arena *arena, struct roster_status *status,
                         struct error *err)
{
    struct reader reader;

    assert(arena != NULL && status != NULL);
    *status = (struct roster_status){0};
    reader_init(&reader, body);
    status->node = decode_number(&reader);
    status->boot = reader_u64(&reader);
    status->incarnation = reader_u64(&reader);
    status->map_version = reader_varint(&reader);
    status->address = reader_blob(&reader);
    status->zone = reader_blob(&reader);
    status->weight = decode_number(&reader);
    uint8_t leaving = reader_u8(&reader);
    status->is_leaving = leaving == 1;
    if (status->zone.size > SHARDMAP_ZONE_MAX || status->weight == 0 || leaving > 1) {
        reader_spoil(&reader);
    }
    size_t count = reader_count(&reader, REPLICA_BYTES_MIN);
    if (count > SHARDMAP_SHARDS_MAX) {
        reader_spoil(&reader);
        count = 0;
    }
    struct roster_replica *replicas = arena_array(arena, count, sizeof *replicas);
    for (size_t i = 0; i < count; i++) {
        decode_replica(&reader, &replicas[i]);
    }
    status->replicas = replicas;
    status->replica_count = (uint32_t)count;
    if (status->node == 0 || status->boot == 0) {
        reader_spoil(&reader);
    }
    return reader_finish(&reader, "status of a node", err);
}

void roster_config_encode(struct bytes *out, const struct roster_config *config)
{
    assert(out != NULL && config != NULL);
    bytes_varint(out, config->term);
    bytes_u64(out, config->incarnation);
    bytes_varint(out, config->map_version);
    bytes_varint(out, config->shard_next);
    bytes_blob(out, config->map);
    bytes_varint(out, config->floor_count);
    for (uint32_t i = 0; i < config->floor_count; i++) {
        bytes_varint(out, config->floors[i].shard);
        bytes_varint(out, config->floors[i].applied);
    }
}

int roster_config_decode(struct slice body, struct arena *arena, struct roster_config *config,
                         struct error *err)
{
    struct reader reader;

    assert(arena != NULL && config != NULL);
    *config = (struct roster_config){0};
    reader_init(&reader, body);
    config->term = reader_varint(&reader);
    config->incarnation = reader_u64(&reader);
    config->map_version = reader_varint(&reader);
    config->shard_next = decode_number(&reader);
    config->map = reader_blob(&reader);
    size_t count = reader_count(&reader, FLOOR_BYTES_MIN);
    if (count > SHARDMAP_SHARDS_MAX) {
        reader_spoil(&reader);
        count = 0;
    }
    struct roster_floor *floors = arena_array(arena, count, sizeof *floors);
    for (size_t i = 0; i < count; i++) {
        floors[i].shard = decode_number(&reader);
        floors[i].applied = reader_varint(&reader);
    }
    config->floors = floors;
    config->floor_count = (uint32_t)count;
    return reader_finish(&reader, "configuration of a node", err);
}

/* The configuration that it refers to is one that was in force. */
static void check_primary(struct reader *reader, uint32_t shard, uint32_t node, uint64_t boot)
{
    if (shard == 0 || node == 0 || boot == 0) {
        reader_spoil(reader);
    }
}

void roster_alter_encode(struct bytes *out, const struct roster_alter *alter)
{
    assert(out != NULL && alter != NULL);
    bytes_varint(out, alter->shard);
    bytes_varint(out, alter->node);
    bytes_u64(out, alter->boot);
    bytes_varint(out, alter->epoch);
    bytes_varint(out, alter->cfgver);
    nodeset_encode(out, &alter->isr);
    for (uint32_t i = 0; i < alter->isr.count; i++) {
        bytes_u64(out, alter->boots[i]);
    }
}

int roster_alter_decode(struct slice body, struct roster_alter *alter, struct error *err)
{
    struct reader reader;

    assert(alter != NULL);
    *alter = (struct roster_alter){0};
    reader_init(&reader, body);
    alter->shard = decode_number(&reader);
    alter->node = decode_number(&reader);
    alter->boot = reader_u64(&reader);
    alter->epoch = reader_varint(&reader);
    alter->cfgver = reader_varint(&reader);
    nodeset_decode(&reader, &alter->isr);
    for (uint32_t i = 0; i < alter->isr.count; i++) {
        alter->boots[i] = reader_u64(&reader);
    }
    check_primary(&reader, alter->shard, alter->node, alter->boot);
    return reader_finish(&reader, "change of who is in sync", err);
}

void roster_handover_encode(struct bytes *out, const struct roster_handover *handover)
{
    assert(out != NULL && handover != NULL);
    bytes_varint(out, handover->shard);
    bytes_varint(out, handover->node);
    bytes_u64(out, handover->boot);
    bytes_varint(out, handover->epoch);
    bytes_varint(out, handover->target);
    bytes_varint(out, handover->within_ms);
}

int roster_handover_decode(struct slice body, struct roster_handover *handover, struct error *err)
{
    struct reader reader;

    assert(handover != NULL);
    *handover = (struct roster_handover){0};
    reader_init(&reader, body);
    handover->shard = decode_number(&reader);
    handover->node = decode_number(&reader);
    handover->boot = reader_u64(&reader);
    handover->epoch = reader_varint(&reader);
    handover->target = decode_number(&reader);
    handover->within_ms = decode_number(&reader);
    check_primary(&reader, handover->shard, handover->node, handover->boot);
    if (handover->target == 0 || handover->target == handover->node) {
        reader_spoil(&reader);
    }
    return reader_finish(&reader, "hand-over of a shard", err);
}
