#include "common/vid.h"

#include <assert.h>
#include <string.h>

#include "common/hash.h"
#include "common/number.h"

enum { KEY_NUM = 1, KEY_TEXT = 2 };

/* An odd head that no text can have: the zigzag form follows in eight bytes. */
#define HEAD_ESCAPE UINT64_MAX

struct vid vid_num(int64_t num)
{
    return (struct vid){.num = num};
}

struct vid vid_text(struct slice text)
{
    assert(text.size <= VID_TEXT_MAX);
    if (text.size == 0) {
        text.data = (const uint8_t *)"";
    }
    return (struct vid){.text = text};
}

static bool from_uuid(struct arena *arena, const uint8_t *b, struct vid *out)
{
    const char *text = arena_format(
        arena, "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", b[0], b[1],
        b[2], b[3], b[4], b[5], b[6], b[7], b[8], b[9], b[10], b[11], b[12], b[13], b[14], b[15]);

    *out = vid_text(slice_text(text));
    return true;
}

bool vid_from_value(struct arena *arena, const struct value *value, struct vid *out)
{
    int64_t num;

    if (value_is_number(value)) {
        if (!number_int64(value, &num)) {
            return false;
        }
        *out = vid_num(num);
        return true;
    }
    if (value->kind == VALUE_UUID) {
        return from_uuid(arena, value->bytes, out);
    }
    if (value->kind != VALUE_STRING || value->size > VID_TEXT_MAX) {
        return false;
    }
    *out = vid_text(value_slice(value));
    return true;
}

bool vid_equal(const struct vid *a, const struct vid *b)
{
    if (a->text.data == NULL || b->text.data == NULL) {
        return a->text.data == b->text.data && a->num == b->num;
    }
    return slice_equal(a->text, b->text);
}

int vid_order(const struct vid *a, const struct vid *b)
{
    bool a_is_text = a->text.data != NULL;
    bool b_is_text = b->text.data != NULL;

    if (a_is_text != b_is_text) {
        return a_is_text ? 1 : -1;
    }
    if (a_is_text) {
        return slice_compare(a->text, b->text);
    }
    return (a->num > b->num) - (a->num < b->num);
}

uint64_t vid_hash(const struct vid *vid)
{
    return vid->text.data == NULL ? hash_mix((uint64_t)vid->num)
                                  : hash_bytes(vid->text.data, vid->text.size);
}

void vid_encode(struct bytes *out, const struct vid *vid)
{
    if (vid->text.data != NULL) {
        assert(vid->text.size <= VID_TEXT_MAX);
        bytes_varint(out, (uint64_t)vid->text.size << 1 | 1);
        bytes_append(out, vid->text.data, vid->text.size);
        return;
    }
    uint64_t zigzag = (uint64_t)vid->num << 1 ^ (vid->num < 0 ? UINT64_MAX : 0);
    if (zigzag >> 63 == 0) {
        bytes_varint(out, zigzag << 1);
    } else {
        bytes_varint(out, HEAD_ESCAPE);
        bytes_u64(out, zigzag);
    }
}

static struct vid from_zigzag(uint64_t zigzag)
{
    return vid_num((int64_t)(zigzag >> 1 ^ (0 - (zigzag & 1))));
}

struct vid vid_decode(struct reader *reader)
{
    uint64_t head = reader_varint(reader);

    if ((head & 1) == 0) {
        return from_zigzag(head >> 1);
    }
    if (head == HEAD_ESCAPE) {
        uint64_t zigzag = reader_u64(reader);
        if (zigzag >> 63 == 0) {
            reader_spoil(reader); /* One id has one form. */
            return vid_num(0);
        }
        return from_zigzag(zigzag);
    }
    if (head >> 1 > VID_TEXT_MAX) {
        reader_spoil(reader);
        return vid_num(0);
    }
    return vid_text(reader_take(reader, head >> 1));
}

void vid_key(struct bytes *out, const struct vid *vid)
{
    if (vid->text.data == NULL) {
        bytes_u8(out, KEY_NUM);
        bytes_u64(out, (uint64_t)vid->num ^ 1ULL << 63);
    } else {
        bytes_u8(out, KEY_TEXT);
        bytes_append(out, vid->text.data, vid->text.size);
    }
}

bool vid_from_key(struct slice key, struct vid *out)
{
    struct reader reader;

    reader_init(&reader, key);
    switch (reader_u8(&reader)) {
    case KEY_NUM:
        *out = vid_num((int64_t)(reader_u64(&reader) ^ 1ULL << 63));
        return !reader.is_bad && reader_left(&reader) == 0;
    case KEY_TEXT:
        if (reader_left(&reader) > VID_TEXT_MAX) {
            return false;
        }
        *out = vid_text(reader_take(&reader, reader_left(&reader)));
        return true;
    default:
        return false;
    }
}

struct vid vid_copy(struct arena *arena, const struct vid *vid)
{
    if (vid->text.data == NULL) {
        return *vid;
    }
    return vid_text(slice_of(arena_copy(arena, vid->text.data, vid->text.size), vid->text.size));
}

int64_t vid_property(const struct vid *vertex, struct slice key, uint64_t sequence)
{
    uint64_t hash = vertex->text.data == NULL ? hash_u64((uint64_t)vertex->num)
                                              : hash_bytes(vertex->text.data, vertex->text.size);

    hash = hash_u64(hash ^ hash_bytes(key.data, key.size));
    hash = hash_u64(hash + sequence) >> 11;
    return hash == 0 ? 1 : (int64_t)hash;
}
