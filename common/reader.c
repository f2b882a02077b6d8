#include "common/reader.h"

#include <assert.h>
#include <string.h>

void reader_init(struct reader *reader, struct slice input)
{
    *reader = (struct reader){.start = input.data, .at = input.data};
    reader->end = input.size == 0 ? input.data : input.data + input.size;
}

size_t reader_left(const struct reader *reader)
{
    return (size_t)(reader->end - reader->at);
}

void reader_spoil(struct reader *reader)
{
    reader->is_bad = true;
}

/* The next size bytes, or null. */
static const uint8_t *advance(struct reader *reader, size_t size)
{
    const uint8_t *at = reader->at;

    if (reader->is_bad || reader_left(reader) < size) {
        reader->is_bad = true;
        return NULL;
    }
    reader->at += size;
    return at;
}

static uint64_t read_integer(struct reader *reader, size_t size)
{
    const uint8_t *at = advance(reader, size);
    uint64_t v = 0;

    if (at == NULL) {
        return 0;
    }
    for (size_t i = 0; i < size; i++) {
        v = v << 8 | at[i];
    }
    return v;
}

uint8_t reader_u8(struct reader *reader)
{
    return (uint8_t)read_integer(reader, 1);
}

uint16_t reader_u16(struct reader *reader)
{
    return (uint16_t)read_integer(reader, 2);
}

uint32_t reader_u32(struct reader *reader)
{
    return (uint32_t)read_integer(reader, 4);
}

uint64_t reader_u64(struct reader *reader)
{
    return read_integer(reader, 8);
}

uint64_t reader_varint(struct reader *reader)
{
    uint64_t v = 0;

    for (unsigned shift = 0; shift < 70; shift += 7) {
        const uint8_t *at = advance(reader, 1);
        if (at == NULL) {
            return 0;
        }
        uint64_t part = *at & 0x7fU;
        if ((shift == 63 && part > 1) || (*at == 0 && shift > 0)) {
            break; /* Too large, or not the shortest form: one value has one form. */
        }
        v |= part << shift;
        if (*at < 0x80) {
            return v;
        }
    }
    reader_spoil(reader);
    return 0;
}

int64_t reader_zigzag(struct reader *reader)
{
    uint64_t v = reader_varint(reader);

    return (int64_t)(v >> 1 ^ (0 - (v & 1)));
}

double reader_double(struct reader *reader)
{
    uint64_t bits = reader_u64(reader);
    double v;

    memcpy(&v, &bits, sizeof v);
    return v;
}

float reader_float(struct reader *reader)
{
    uint32_t bits = reader_u32(reader);
    float v;

    memcpy(&v, &bits, sizeof v);
    return v;
}

struct slice reader_take(struct reader *reader, size_t size)
{
    const uint8_t *at = advance(reader, size);

    return at == NULL ? (struct slice){0} : (struct slice){at, size};
}

struct slice reader_blob(struct reader *reader)
{
    uint64_t size = reader_varint(reader);

    return reader_take(reader, (size_t)size);
}

size_t reader_count(struct reader *reader, size_t item_bytes)
{
    uint64_t count = reader_varint(reader);

    assert(item_bytes > 0);
    if (count > reader_left(reader) / item_bytes) {
        reader_spoil(reader);
    }
    return reader->is_bad ? 0 : (size_t)count;
}

int reader_finish(const struct reader *reader, const char *what, struct error *err)
{
    assert(what != NULL);
    if (reader->is_bad) {
        return error_set(err, E_MALFORMED, "%s: bad or cut short at byte %zu", what,
                         (size_t)(reader->at - reader->start));
    }
    if (reader->at != reader->end) {
        return error_set(err, E_MALFORMED, "%s: %zu bytes too many at byte %zu", what,
                         reader_left(reader), (size_t)(reader->at - reader->start));
    }
    return E_OK;
}
