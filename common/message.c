#include "common/message.h"

#include <assert.h>
#include <string.h>

#include "common/crc.h"

enum { CRC_AT = 72, REFUSAL_TEXT_MAX = ERROR_TEXT_MAX - 1 };

struct row {
    unsigned number;
    const char *name;
    const char *from; /* Letters of the roles that may send it, or ANY. */
};

static const struct row rows[] = {
#define MESSAGE(name, number, from, to, what) {number, #name, #from},
#include "common/message.def"
#undef MESSAGE
};

static const struct row *find(unsigned number)
{
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (rows[i].number == number) {
            return &rows[i];
        }
    }
    return NULL;
}

const char *message_name(enum message_type type)
{
    const struct row *row = find((unsigned)type);

    return row == NULL ? "?" : row->name;
}

bool message_is_known(unsigned number)
{
    return find(number) != NULL;
}

static char role_letter(enum peer_role role)
{
    switch (role) {
    case PEER_ROUTER:
        return 'R';
    case PEER_SHARDD:
        return 'S';
    case PEER_COORDINATOR:
        return 'C';
    case PEER_TOOL:
        return 'T';
    }
    return '?';
}

bool message_allows(enum message_type type, enum peer_role from)
{
    const struct row *row = find((unsigned)type);

    if (row == NULL) {
        return false;
    }
    return strcmp(row->from, "ANY") == 0 || strchr(row->from, role_letter(from)) != NULL;
}

/* Header with crc 0. */
static void encode_header(struct bytes *out, const struct message *message)
{
    bytes_u32(out, MESSAGE_MAGIC);
    bytes_u8(out, MESSAGE_VERSION);
    bytes_u8(out, (uint8_t)message->type);
    bytes_u16(out, message->flags);
    bytes_u64(out, message->cluster_id);
    bytes_u32(out, message->src_node);
    bytes_u64(out, message->src_boot);
    bytes_u64(out, message->dst_boot);
    bytes_u64(out, message->req_id);
    bytes_u64(out, message->link_seq);
    bytes_u32(out, message->shard);
    bytes_u64(out, message->epoch);
    bytes_u32(out, message->deadline_ms);
    bytes_u32(out, (uint32_t)message->body.size);
    bytes_u32(out, 0);
    bytes_u32(out, 0);
}

void message_encode(struct bytes *out, const struct message *message)
{
    size_t start = out->size;
    uint32_t crc;

    assert(message_is_known((unsigned)message->type));
    assert(message->body.size <= MESSAGE_BODY_MAX);
    encode_header(out, message);
    bytes_append(out, message->body.data, message->body.size);
    if (out->is_overflown) {
        return;
    }
    assert(out->size == start + MESSAGE_HEADER_SIZE + message->body.size);
    crc = crc_extend(0, out->data + start, out->size - start);
    bytes_patch_u32(out, start + CRC_AT, crc);
}

static uint32_t crc_of(struct slice input)
{
    static const uint8_t zero[4] = {0};
    uint32_t crc = crc_extend(0, input.data, CRC_AT);

    crc = crc_extend(crc, zero, sizeof zero);
    return crc_extend(crc, input.data + CRC_AT + 4, input.size - CRC_AT - 4);
}

static void decode_fields(struct reader *reader, struct message *message)
{
    message->flags = reader_u16(reader);
    message->cluster_id = reader_u64(reader);
    message->src_node = reader_u32(reader);
    message->src_boot = reader_u64(reader);
    message->dst_boot = reader_u64(reader);
    message->req_id = reader_u64(reader);
    message->link_seq = reader_u64(reader);
    message->shard = reader_u32(reader);
    message->epoch = reader_u64(reader);
    message->deadline_ms = reader_u32(reader);
}

int message_decode(struct slice input, struct message *message, struct error *err)
{
    struct reader reader;
    unsigned version;
    unsigned type;
    uint32_t size;
    uint32_t crc;

    *message = (struct message){0};
    if (input.size < MESSAGE_HEADER_SIZE || input.size > MESSAGE_HEADER_SIZE + MESSAGE_BODY_MAX) {
        return error_set(err, E_MALFORMED, "message of %zu bytes, %u to %u are allowed", input.size,
                         MESSAGE_HEADER_SIZE, MESSAGE_HEADER_SIZE + MESSAGE_BODY_MAX);
    }
    reader_init(&reader, input);
    if (reader_u32(&reader) != MESSAGE_MAGIC) {
        return error_set(err, E_MALFORMED, "not a message of this protocol");
    }
    version = reader_u8(&reader);
    if (version != MESSAGE_VERSION) {
        return error_set(err, E_MALFORMED, "message of protocol version %u, this is version %u",
                         version, MESSAGE_VERSION);
    }
    type = reader_u8(&reader);
    decode_fields(&reader, message);
    size = reader_u32(&reader);
    crc = reader_u32(&reader);
    if (reader_u32(&reader) != 0 || size != reader_left(&reader)) {
        return error_set(err, E_MALFORMED, "message says %u bytes of body, %zu are there", size,
                         reader_left(&reader));
    }
    if (crc != crc_of(input)) {
        return error_set(err, E_MALFORMED, "message with a wrong checksum");
    }
    if (!message_is_known(type)) {
        return error_set(err, E_MALFORMED, "message of unknown type %u", type);
    }
    message->type = (enum message_type)type;
    message->body = reader_take(&reader, size);
    return E_OK;
}

void message_dump(struct bytes *out, const struct message *message)
{
    bytes_format(out, "%s", message_name(message->type));
    if (message->peer != 0) {
        bytes_format(out, " peer=%llx", (unsigned long long)message->peer);
    }
    if (message->req_id != 0) {
        bytes_format(out, " req=%llu", (unsigned long long)message->req_id);
    }
    if (message->shard != 0) {
        bytes_format(out, " shard=%u epoch=%llu", message->shard,
                     (unsigned long long)message->epoch);
    }
    if (message->deadline_ms != 0) {
        bytes_format(out, " deadline_ms=%u", message->deadline_ms);
    }
    bytes_format(out, "%s body=%zu", (message->flags & MESSAGE_LAST) != 0 ? " last" : "",
                 message->body.size);
}

void message_refuse(struct bytes *body, const struct error *err)
{
    size_t size = strnlen(err->text, REFUSAL_TEXT_MAX);

    assert(err->code < 0);
    bytes_varint(body, (uint64_t)-err->code);
    bytes_blob(body, slice_of(err->text, size));
}

int message_refusal(struct slice body, struct error *err)
{
    struct reader reader;
    uint64_t number;
    struct slice text;

    reader_init(&reader, body);
    number = reader_varint(&reader);
    text = reader_blob(&reader);
    if (reader_finish(&reader, "refusal", err) != E_OK) {
        return E_MALFORMED;
    }
    if (number == 0 || number > INT32_MAX || !error_is_known(-(int)number)) {
        return error_set(err, E_MALFORMED, "refusal with unknown code %llu",
                         (unsigned long long)number);
    }
    return error_set(err, -(int)number, "%.*s", (int)(text.size > INT32_MAX ? 0 : text.size),
                     text.data == NULL ? "" : (const char *)text.data);
}
