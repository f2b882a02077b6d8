#include "shardd/store/walmark.h"

#include <assert.h>
#include <string.h>

#include "common/crc.h"
#include "common/mem.h"

enum {
    SEQUENCE_AT = 12,
    SALT_AT = 16,
    HEAD_SUM_AT = 24, /* Of the head, over what is before it. */
    FRAME_SALT_AT = 8,
    FRAME_SUM_AT = 16,
    SUMMED = 8, /* Bytes of a frame's head that its sum is over; then the page. */
    CRC_AT = 20
};

static const uint32_t MAGIC_BIG = 0x377f0683; /* Sums over big-endian words; one less: little. */

static uint32_t get(const uint8_t *at)
{
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

static void put(uint8_t *at, uint32_t value)
{
    for (int i = 0; i < 4; i++) {
        at[i] = (uint8_t)(value >> (24 - 8 * i));
    }
}

void walmark_encode(const struct walmark *mark, uint8_t out[WALMARK_SIZE])
{
    put(out, mark->sequence);
    put(out + 4, mark->salts[0]);
    put(out + 8, mark->salts[1]);
    put(out + 12, (uint32_t)(mark->size >> 32));
    put(out + 16, (uint32_t)mark->size);
    put(out + CRC_AT, crc_extend(0, out, CRC_AT));
}

struct walmark walmark_decode(const uint8_t in[WALMARK_SIZE])
{
    if (get(in + CRC_AT) != crc_extend(0, in, CRC_AT)) {
        return (struct walmark){0};
    }
    return (struct walmark){.sequence = get(in),
                            .salts = {get(in + 4), get(in + 8)},
                            .size = (uint64_t)get(in + 12) << 32 | get(in + 16)};
}

void walmark_begin(struct walmark *mark, const uint8_t head[WALMARK_HEAD])
{
    *mark = (struct walmark){.sequence = get(head + SEQUENCE_AT),
                             .salts = {get(head + SALT_AT), get(head + SALT_AT + 4)}};
}

/* SQLite's sum, over pairs of words. */
static void extend(uint32_t sum[2], const uint8_t *data, size_t size, bool is_big)
{
    assert(size % 8 == 0);
    for (size_t i = 0; i < size; i += 4) {
        uint32_t word = is_big ? get(data + i)
                               : (uint32_t)data[i + 3] << 24 | (uint32_t)data[i + 2] << 16 |
                                     (uint32_t)data[i + 1] << 8 | data[i];
        sum[i / 4 % 2] += word + sum[1 - i / 4 % 2];
    }
}

static bool is_sum(const uint8_t *at, const uint32_t sum[2])
{
    return get(at) == sum[0] && get(at + 4) == sum[1];
}

/* A head that does not match its sum: torn when the -wal began anew, its old frames all in the
 * database; or damaged. New parts come first, and the sequence number has gone up by one. */
static bool is_torn(const struct walmark *mark, const struct walmark *found)
{
    return found->sequence == mark->sequence + 1;
}

static bool check_frames(const struct walmark *mark, sqlite3_file *wal, int page_size,
                         uint32_t sum[2], bool is_big, uint32_t *number)
{
    size_t size = (size_t)page_size + WALMARK_FRAME_HEAD;
    uint8_t *frame = mem_alloc(size);
    bool is_whole = true;
    sqlite3_int64 at = WALMARK_HEAD;

    for (; is_whole && (uint64_t)at + size <= mark->size; at += (sqlite3_int64)size) {
        is_whole = wal->pMethods->xRead(wal, frame, (int)size, at) == SQLITE_OK;
        extend(sum, frame, SUMMED, is_big);
        extend(sum, frame + WALMARK_FRAME_HEAD, (size_t)page_size, is_big);
        is_whole = is_whole && is_sum(frame + FRAME_SUM_AT, sum) &&
                   get(frame + FRAME_SALT_AT) == mark->salts[0] &&
                   get(frame + FRAME_SALT_AT + 4) == mark->salts[1];
        ++*number;
    }
    mem_free(frame);
    return is_whole;
}

bool walmark_holds(const struct walmark *mark, sqlite3_file *wal, int page_size, uint32_t *frame)
{
    uint8_t head[WALMARK_HEAD];
    struct walmark found;
    uint32_t sum[2] = {0, 0};

    *frame = 0;
    if (mark->size == 0 || wal->pMethods->xRead(wal, head, WALMARK_HEAD, 0) != SQLITE_OK) {
        return true; /* Nothing is known, or all of it is gone: floors tell that (node.h). */
    }
    walmark_begin(&found, head);
    bool is_big = get(head) == MAGIC_BIG;
    extend(sum, head, HEAD_SUM_AT, is_big);
    if (!is_sum(head + HEAD_SUM_AT, sum)) {
        return is_torn(mark, &found);
    }
    if (found.salts[0] != mark->salts[0] || found.salts[1] != mark->salts[1]) {
        return true;
    }
    return check_frames(mark, wal, page_size, sum, is_big, frame);
}
