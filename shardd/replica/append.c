#include "shardd/replica/append.h"

#include "common/crc.h"

#include <assert.h>

/* ---- APPEND ---- */

void append_entry_encode(struct bytes *out, const struct store_entry *entry)
{
    assert(out != NULL && entry != NULL);
    assert(entry->epoch != 0 && entry->kind != 0);
    bytes_varint(out, entry->epoch);
    bytes_u8(out, (uint8_t)entry->kind);
    bytes_blob(out, entry->body);
}

void append_encode(struct bytes *out, const struct append *append, struct slice entries)
{
    assert(out != NULL && append != NULL);
    assert(append->count <= APPEND_ENTRIES_MAX);
    assert((append->count == 0) == (entries.size == 0));
    bytes_varint(out, append->epoch);
    bytes_varint(out, append->cfgver);
    bytes_varint(out, append->prev_index);
    bytes_varint(out, append->prev_epoch);
    bytes_varint(out, append->commit);
    bytes_varint(out, append->ts);
    bytes_varint(out, append->count);
    bytes_append(out, entries.data, entries.size);
}

static void decode_entries(struct reader *reader, struct arena *arena, struct append *append)
{
    struct store_entry *entries = arena_array(arena, append->count, sizeof *entries);
    uint64_t *epochs = arena_array(arena, append->count, sizeof *epochs);
    uint64_t epoch = append->prev_epoch;

    for (uint32_t i = 0; i < append->count; i++) {
        entries[i].index = append->prev_index + 1 + i;
        entries[i].epoch = reader_varint(reader);
        entries[i].kind = (enum store_entry_kind)reader_u8(reader);
        entries[i].body = reader_blob(reader);
        epochs[i] = entries[i].epoch;
        if (epochs[i] == 0 || epochs[i] < epoch || entries[i].kind < STORE_NOOP ||
            entries[i].kind > STORE_SCHEMA) {
            reader_spoil(reader);
            return;
        }
        epoch = epochs[i];
    }
    if (epoch > append->epoch) {
        reader_spoil(reader);
    }
    append->entries = entries;
    append->epochs = epochs;
}

int append_decode(struct slice body, struct arena *arena, struct append *append, struct error *err)
{
    struct reader reader;
    size_t count;

    assert(arena != NULL && append != NULL);
    reader_init(&reader, body);
    *append = (struct append){.epoch = reader_varint(&reader),
                              .cfgver = reader_varint(&reader),
                              .prev_index = reader_varint(&reader),
                              .prev_epoch = reader_varint(&reader),
                              .commit = reader_varint(&reader),
                              .ts = reader_varint(&reader)};
    count = reader_count(&reader, APPEND_ENTRY_BYTES_MIN);
    if (append->epoch == 0 || append->prev_epoch > append->epoch || count > APPEND_ENTRIES_MAX ||
        append->prev_index > UINT64_MAX - APPEND_ENTRIES_MAX) {
        reader_spoil(&reader);
    } else {
        append->count = (uint32_t)count;
        decode_entries(&reader, arena, append);
    }
    return reader_finish(&reader, "APPEND", err);
}

/* ---- its answers ---- */

void append_reply_encode(struct bytes *out, const struct append_reply *reply)
{
    assert(out != NULL && reply != NULL);
    bytes_varint(out, reply->epoch);
    bytes_varint(out, reply->index);
    bytes_varint(out, reply->ts);
    bytes_u8(out, reply->is_leaving);
}

int append_reply_decode(struct slice body, struct append_reply *reply, struct error *err)
{
    struct reader reader;

    assert(reply != NULL);
    reader_init(&reader, body);
    reply->epoch = reader_varint(&reader);
    reply->index = reader_varint(&reader);
    reply->ts = reader_varint(&reader);
    uint8_t leaving = reader_u8(&reader);
    reply->is_leaving = leaving == 1;
    if (leaving > 1) {
        reader_spoil(&reader);
    }
    return reader_finish(&reader, "answer to APPEND", err);
}

/* ---- snapshots ---- */

void append_offer_encode(struct bytes *out, const struct append_offer *offer)
{
    assert(out != NULL && offer != NULL);
    assert(offer->chunk_bytes > 0 && offer->chunk_bytes <= APPEND_CHUNK_MAX);
    bytes_varint(out, offer->id);
    bytes_varint(out, offer->index);
    bytes_varint(out, offer->epoch);
    bytes_varint(out, offer->file_bytes);
    bytes_varint(out, offer->chunk_bytes);
}

int append_offer_decode(struct slice body, struct append_offer *offer, struct error *err)
{
    struct reader reader;
    uint64_t chunk_bytes;

    assert(offer != NULL);
    reader_init(&reader, body);
    offer->id = reader_varint(&reader);
    offer->index = reader_varint(&reader);
    offer->epoch = reader_varint(&reader);
    offer->file_bytes = reader_varint(&reader);
    chunk_bytes = reader_varint(&reader);
    if (chunk_bytes == 0 || chunk_bytes > APPEND_CHUNK_MAX || offer->index == 0 ||
        offer->epoch == 0) {
        reader_spoil(&reader);
    }
    offer->chunk_bytes = (uint32_t)chunk_bytes;
    return reader_finish(&reader, "offer of a snapshot", err);
}

void append_get_encode(struct bytes *out, const struct append_get *get)
{
    assert(out != NULL && get != NULL);
    assert(get->count > 0 && get->count <= APPEND_CHUNKS_MAX);
    bytes_varint(out, get->id);
    bytes_varint(out, get->first);
    bytes_varint(out, get->count);
}

int append_get_decode(struct slice body, struct append_get *get, struct error *err)
{
    struct reader reader;
    uint64_t count;

    assert(get != NULL);
    reader_init(&reader, body);
    get->id = reader_varint(&reader);
    get->first = reader_varint(&reader);
    count = reader_varint(&reader);
    if (count == 0 || count > APPEND_CHUNKS_MAX || get->first > UINT64_MAX - count) {
        reader_spoil(&reader);
    }
    get->count = (uint32_t)count;
    return reader_finish(&reader, "request of a snapshot", err);
}

void append_chunk_encode(struct bytes *out, const struct append_chunk *chunk)
{
    assert(out != NULL && chunk != NULL);
    assert(chunk->data.size <= APPEND_CHUNK_MAX);
    bytes_varint(out, chunk->id);
    bytes_varint(out, chunk->number);
    bytes_u32(out, crc_extend(0, chunk->data.data, chunk->data.size));
    bytes_blob(out, chunk->data);
}

int append_chunk_decode(struct slice body, struct append_chunk *chunk, struct error *err)
{
    struct reader reader;
    uint32_t crc;

    assert(chunk != NULL);
    reader_init(&reader, body);
    chunk->id = reader_varint(&reader);
    chunk->number = reader_varint(&reader);
    crc = reader_u32(&reader);
    chunk->data = reader_blob(&reader);
    if (chunk->data.size > APPEND_CHUNK_MAX ||
        crc != crc_extend(0, chunk->data.data, chunk->data.size)) {
        reader_spoil(&reader);
    }
    return reader_finish(&reader, "chunk of a snapshot", err);
}
