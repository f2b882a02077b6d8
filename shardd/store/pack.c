#include "shardd/store/pack.h"

#include <assert.h>
#include <string.h>

enum {
    WIDTH_FAST = 56, /* With the at most 7 bits before it, still in one load of eight bytes. */
    WIDTH_WHOLE = 64,
    DIFFERENCES = 0x80
};

static uint32_t width_of(uint64_t range)
{
    uint32_t width = range == 0 ? 0 : 64 - (uint32_t)__builtin_clzll(range);

    return width > WIDTH_FAST ? WIDTH_WHOLE : width;
}

static uint64_t load(const uint8_t *at)
{
    uint64_t v;

    memcpy(&v, at, sizeof v);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    v = __builtin_bswap64(v);
#endif
    return v;
}

/* ---- encode ---- */

struct shape {
    uint64_t least;      /* Of the values. */
    uint64_t least_step; /* Of the differences. */
    uint32_t width;
    uint32_t step_width;
};

static struct shape measure(const int64_t *values, size_t count)
{
    int64_t low = values[0];
    int64_t high = values[0];
    int64_t low_step = INT64_MAX;
    int64_t high_step = INT64_MIN;

    for (size_t i = 1; i < count; i++) {
        int64_t step = (int64_t)((uint64_t)values[i] - (uint64_t)values[i - 1]);

        low = values[i] < low ? values[i] : low;
        high = values[i] > high ? values[i] : high;
        low_step = step < low_step ? step : low_step;
        high_step = step > high_step ? step : high_step;
    }
    return (struct shape){
        .least = (uint64_t)low,
        .least_step = (uint64_t)low_step,
        .width = width_of((uint64_t)high - (uint64_t)low),
        .step_width = count < 2 ? WIDTH_WHOLE : width_of((uint64_t)high_step - (uint64_t)low_step),
    };
}

struct bits {
    struct bytes *out;
    uint64_t held;
    uint32_t count; /* Of bits held, below 8 between calls. */
};

static void put_bits(struct bits *bits, uint64_t v, uint32_t width)
{
    if (width == WIDTH_WHOLE) {
        for (uint32_t shift = 0; shift < 64; shift += 8) {
            bytes_u8(bits->out, (uint8_t)(v >> shift));
        }
        return;
    }
    bits->held |= v << bits->count;
    bits->count += width;
    while (bits->count >= 8) {
        bytes_u8(bits->out, (uint8_t)bits->held);
        bits->held >>= 8;
        bits->count -= 8;
    }
}

void pack_encode(struct bytes *out, const int64_t *values, size_t count)
{
    struct bits bits = {.out = out};
    struct shape shape;

    if (count == 0) {
        return;
    }
    shape = measure(values, count);
    if (shape.step_width < shape.width) {
        bytes_u8(out, (uint8_t)(DIFFERENCES | shape.step_width));
        bytes_zigzag(out, values[0]);
        bytes_zigzag(out, (int64_t)shape.least_step);
        for (size_t i = 1; i < count; i++) {
            uint64_t step = (uint64_t)values[i] - (uint64_t)values[i - 1];
            put_bits(&bits, step - shape.least_step, shape.step_width);
        }
    } else {
        bytes_u8(out, (uint8_t)shape.width);
        bytes_zigzag(out, (int64_t)shape.least);
        for (size_t i = 0; i < count; i++) {
            put_bits(&bits, (uint64_t)values[i] - shape.least, shape.width);
        }
    }
    if (bits.count > 0) {
        bytes_u8(out, (uint8_t)bits.held);
    }
}

/* ---- decode ---- */

struct column {
    uint32_t width;
    bool is_steps;
    uint64_t first; /* Of steps; else the least value. */
    uint64_t least_step;
    struct slice bits;
};

static bool open_column(struct reader *reader, size_t count, struct column *column)
{
    uint8_t head = reader_u8(reader);
    size_t coded = count;

    *column = (struct column){.width = head & 0x7f, .is_steps = (head & DIFFERENCES) != 0};
    column->first = (uint64_t)reader_zigzag(reader);
    if (column->is_steps) {
        column->least_step = (uint64_t)reader_zigzag(reader);
        coded = count - 1;
    }
    if (column->width > WIDTH_FAST && column->width != WIDTH_WHOLE) {
        reader_spoil(reader);
    }
    column->bits = reader_take(reader, (coded * column->width + 7) / 8);
    return !reader->is_bad;
}

/* The last bytes of the column, so that loads of eight do not pass its end. */
struct tail {
    size_t from;
    uint8_t bytes[16];
};

static struct tail tail_of(struct slice bits)
{
    struct tail tail = {.from = bits.size < 8 ? 0 : bits.size - 8};

    memcpy(tail.bytes, bits.data + tail.from, bits.size - tail.from);
    return tail;
}

static void unpack(const struct column *column, uint64_t base, uint64_t *values, size_t count)
{
    uint32_t width = column->width;
    uint64_t mask = width == WIDTH_WHOLE ? UINT64_MAX : (1ULL << width) - 1;
    const uint8_t *data = column->bits.data;
    size_t fast = 0;
    size_t bit = 0;

    if (width == 0) {
        for (size_t i = 0; i < count; i++) {
            values[i] = base;
        }
        return;
    }
    if (column->bits.size >= 8) {
        fast = ((column->bits.size - 8) * 8 + 7) / width + 1;
        fast = fast > count ? count : fast;
    }
    for (size_t i = 0; i < fast; i++, bit += width) {
        values[i] = base + (load(data + (bit >> 3)) >> (bit & 7) & mask);
    }
    if (fast < count) {
        struct tail tail = tail_of(column->bits);
        for (size_t i = fast; i < count; i++, bit += width) {
            values[i] = base + (load(tail.bytes + ((bit >> 3) - tail.from)) >> (bit & 7) & mask);
        }
    }
}

void pack_decode(struct reader *reader, int64_t *values, size_t count)
{
    uint64_t *out = (uint64_t *)values;
    struct column column;
    uint64_t sum;

    if (count == 0 || !open_column(reader, count, &column)) {
        return;
    }
    if (!column.is_steps) {
        unpack(&column, column.first, out, count);
        return;
    }
    sum = column.first;
    out[0] = sum;
    unpack(&column, column.least_step, out + 1, count - 1);
    for (size_t i = 1; i < count; i++) {
        sum += out[i];
        out[i] = sum;
    }
}

void pack_skip(struct reader *reader, size_t count)
{
    struct column column;

    if (count > 0) {
        (void)open_column(reader, count, &column);
    }
}
