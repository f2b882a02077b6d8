#include "common/roster.h"

#include "common/shardmap.h"

#include <assert.h>

enum { REPLICA_BYTES_MIN = 8, FLOOR_BYTES_MIN = 2 };

void roster_status_encode(struct bytes *out, const struct roster_status *status)
{
    assert(out != NULL && status != NULL);
    bytes_varint(out, status->node);
    bytes_u64(out, status->boot);
    bytes_varint(out, status->map_version);
    bytes_blob(out, status->address);
    bytes_varint(out, status->replica_count);
    for (uint32_t i = 0; i < status->replica_count; i++) {
        const struct roster_replica *replica = &status->replicas[i];
        bytes_varint(out, replica->shard);
        bytes_varint(out, replica->epoch);
        bytes_varint(out, replica->applied);
        bytes_varint(out, replica->schema_version);
        bytes_varint(out, replica->file_bytes);
        bytes_varint(out, replica->vertices);
        bytes_varint(out, replica->edges);
        bytes_u8(out, (uint8_t)replica->suspect);
    }
}

static enum roster_suspect decode_suspect(struct reader *reader)
{
    uint8_t suspect = reader_u8(reader);

    if (suspect > ROSTER_AHEAD) {
        reader_spoil(reader);
        return ROSTER_SOUND;
    }
    return (enum roster_suspect)suspect;
}

static uint32_t decode_number(struct reader *reader)
{
    uint64_t v = reader_varint(reader);

    if (v > UINT32_MAX) {
        reader_spoil(reader);
    }
    return (uint32_t)v;
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
    status->map_version = reader_varint(&reader);
    status->address = reader_blob(&reader);
    size_t count = reader_count(&reader, REPLICA_BYTES_MIN);
    if (count > SHARDMAP_SHARDS_MAX) {
        reader_spoil(&reader);
        count = 0;
    }
    struct roster_replica *replicas = arena_array(arena, count, sizeof *replicas);
    for (size_t i = 0; i < count; i++) {
        replicas[i].shard = decode_number(&reader);
        replicas[i].epoch = reader_varint(&reader);
        replicas[i].applied = reader_varint(&reader);
        replicas[i].schema_version = reader_varint(&reader);
        replicas[i].file_bytes = reader_varint(&reader);
        replicas[i].vertices = reader_varint(&reader);
        replicas[i].edges = reader_varint(&reader);
        replicas[i].suspect = decode_suspect(&reader);
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
