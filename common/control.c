#include "common/control.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

static const char leader_text[] = "the leader is ";

void control_registered_encode(struct bytes *out, const struct control_registered *registered)
{
    assert(out != NULL && registered != NULL && registered->sid != 0);
    bytes_varint(out, registered->sid);
    bytes_varint(out, registered->term);
    bytes_blob(out, registered->map);
}

int control_registered_decode(struct slice body, struct control_registered *registered,
                              struct error *err)
{
    struct reader reader;

    assert(registered != NULL);
    reader_init(&reader, body);
    registered->sid = reader_varint(&reader);
    registered->term = reader_varint(&reader);
    registered->map = reader_blob(&reader);
    if (registered->sid == 0) {
        reader_spoil(&reader);
    }
    return reader_finish(&reader, "registration", err);
}

void control_map_get_encode(struct bytes *out, uint64_t version)
{
    assert(out != NULL);
    bytes_varint(out, version);
}

int control_map_get_decode(struct slice body, uint64_t *version, struct error *err)
{
    struct reader reader;

    assert(version != NULL);
    reader_init(&reader, body);
    *version = reader_varint(&reader);
    return reader_finish(&reader, "request for the map", err);
}

static void decode_graph(struct reader *reader, struct control_lease *lease)
{
    uint64_t graph = reader_varint(reader);

    if (graph == 0 || graph > UINT32_MAX) {
        reader_spoil(reader);
    }
    lease->graph = (uint32_t)graph;
}

void control_lease_encode(struct bytes *out, uint32_t graph, uint64_t count)
{
    assert(out != NULL && graph != 0);
    assert(count > 0 && count <= CONTROL_IDS_MAX);
    bytes_varint(out, graph);
    bytes_varint(out, count);
}

int control_lease_decode(struct slice body, struct control_lease *lease, struct error *err)
{
    struct reader reader;

    assert(lease != NULL);
    *lease = (struct control_lease){0};
    reader_init(&reader, body);
    decode_graph(&reader, lease);
    lease->count = reader_varint(&reader);
    if (lease->count == 0 || lease->count > CONTROL_IDS_MAX) {
        reader_spoil(&reader);
    }
    return reader_finish(&reader, "request for ids", err);
}

void control_leased_encode(struct bytes *out, const struct control_lease *lease)
{
    assert(out != NULL && lease != NULL && lease->graph != 0);
    bytes_varint(out, lease->graph);
    bytes_varint(out, lease->first);
    bytes_varint(out, lease->count);
}

int control_leased_decode(struct slice body, struct control_lease *lease, struct error *err)
{
    struct reader reader;

    assert(lease != NULL);
    *lease = (struct control_lease){0};
    reader_init(&reader, body);
    decode_graph(&reader, lease);
    lease->first = reader_varint(&reader);
    lease->count = reader_varint(&reader);
    if (lease->count == 0 || lease->count > CONTROL_IDS_MAX || lease->first >= CONTROL_ID_MAX ||
        lease->first + lease->count > CONTROL_ID_MAX) {
        reader_spoil(&reader);
    }
    return reader_finish(&reader, "block of ids", err);
}

int control_not_leader(struct error *err, uint32_t leader)
{
    if (leader == 0) {
        return error_set(err, E_NOT_LEADER, "this coordinator does not lead");
    }
    return error_set(err, E_NOT_LEADER, "this coordinator does not lead; %s%u", leader_text,
                     leader);
}

uint32_t control_leader(const struct error *err)
{
    assert(err != NULL);
    const char *at = strstr(err->text, leader_text);
    unsigned long number = at == NULL ? 0 : strtoul(at + strlen(leader_text), NULL, 10);

    return number <= UINT32_MAX ? (uint32_t)number : 0;
}
