#include "common/packed.h"

#include "common/codec.h"

#include <assert.h>

enum {
    TAG_NULL = 0,
    TAG_TRUE = 1,
    TAG_FALSE = 2,
    TAG_INT = 3,
    TAG_LONG = 4,
    TAG_DOUBLE = 5,
    TAG_STRING = 6,
    TAG_OTHER = 7,
    TAG_SMALL = 0xc0,
    SMALL_COUNT = 64
};

static void encode_other(struct bytes *out, const struct value *value)
{
    struct bytes body;

    bytes_init(&body, 0);
    codec_encode(&body, NULL, value);
    bytes_u8(out, TAG_OTHER);
    bytes_blob(out, bytes_slice(&body));
    bytes_close(&body);
}

void packed_encode(struct bytes *out, const struct value *value)
{
    if (value->kind == VALUE_INT && value->integer >= 0 && value->integer < SMALL_COUNT) {
        bytes_u8(out, (uint8_t)(TAG_SMALL + value->integer));
    } else if (value->kind == VALUE_INT || value->kind == VALUE_LONG) {
        bytes_u8(out, value->kind == VALUE_INT ? TAG_INT : TAG_LONG);
        bytes_zigzag(out, value->integer);
    } else if (value->kind == VALUE_STRING) {
        bytes_u8(out, TAG_STRING);
        bytes_blob(out, value_slice(value));
    } else if (value->kind == VALUE_DOUBLE) {
        bytes_u8(out, TAG_DOUBLE);
        bytes_double(out, value->real);
    } else if (value->kind == VALUE_BOOL) {
        bytes_u8(out, value->boolean ? TAG_TRUE : TAG_FALSE);
    } else if (value->kind == VALUE_NULL) {
        bytes_u8(out, TAG_NULL);
    } else {
        encode_other(out, value);
    }
}

static void decode_other(struct reader *reader, struct arena *arena, struct value *out)
{
    struct slice body = reader_blob(reader);
    struct reader inner;

    reader_init(&inner, body);
    codec_decode(&inner, arena, NULL, 0, out);
    if (inner.is_bad || reader_left(&inner) > 0) {
        reader_spoil(reader);
    }
}

static struct value decode_int(struct reader *reader)
{
    int64_t v = reader_zigzag(reader);

    if (v < INT32_MIN || v > INT32_MAX) {
        reader_spoil(reader);
        return value_null();
    }
    return value_int((int32_t)v);
}

void packed_decode(struct reader *reader, struct arena *arena, struct value *out)
{
    uint8_t tag = reader_u8(reader);

    *out = value_null();
    switch (tag) {
    case TAG_NULL:
        break;
    case TAG_TRUE:
    case TAG_FALSE:
        *out = value_bool(tag == TAG_TRUE);
        break;
    case TAG_INT:
        *out = decode_int(reader);
        break;
    case TAG_LONG:
        *out = value_long(reader_zigzag(reader));
        break;
    case TAG_DOUBLE:
        *out = value_double(reader_double(reader));
        break;
    case TAG_STRING:
        *out = value_string(reader_blob(reader));
        break;
    case TAG_OTHER:
        decode_other(reader, arena, out);
        break;
    default:
        if (tag >= TAG_SMALL) {
            *out = value_int(tag - TAG_SMALL);
        } else {
            reader_spoil(reader);
        }
    }
    if (reader->is_bad) {
        *out = value_null();
    }
}

struct slice packed_skip(struct reader *reader)
{
    const uint8_t *start = reader->at;
    uint8_t tag = reader_u8(reader);

    if (tag == TAG_STRING || tag == TAG_OTHER) {
        (void)reader_blob(reader);
    } else if (tag == TAG_INT || tag == TAG_LONG) {
        (void)reader_varint(reader);
    } else if (tag == TAG_DOUBLE) {
        (void)reader_take(reader, 8);
    } else if (tag > TAG_OTHER && tag < TAG_SMALL) {
        reader_spoil(reader);
    }
    return reader->is_bad ? slice_of(NULL, 0) : slice_of(start, (size_t)(reader->at - start));
}

bool packed_is_integer(struct slice packed)
{
    uint8_t tag = packed.size == 0 ? TAG_NULL : packed.data[0];

    return tag == TAG_INT || tag == TAG_LONG || tag >= TAG_SMALL;
}
