#include "common/txn.h"

#include "common/mem.h"
#include "common/message.h"

#include <assert.h>
#include <string.h>

enum {
    WORDS = TXN_SLOTS / 64,
    FORM_LIST = 0,
    FORM_BITS = 1,
    PART_BYTES_MIN = 6 /* Shard, epoch, first index, form, slot count, size of changes. */
};

/* ---- read sets ---- */

void txn_readset_close(struct txn_readset *set)
{
    assert(set != NULL);
    mem_free(set->bits);
    mem_free(set->slots);
    *set = (struct txn_readset){0};
}

static bool bit_has(const uint64_t *bits, uint16_t slot)
{
    return (bits[slot >> 6] >> (slot & 63) & 1) != 0;
}

static void bit_add(struct txn_readset *set, uint16_t slot)
{
    if (!bit_has(set->bits, slot)) {
        set->bits[slot >> 6] |= (uint64_t)1 << (slot & 63);
        set->slot_count++;
    }
}

static void become_bits(struct txn_readset *set)
{
    uint32_t count = set->slot_count;

    assert(set->bits == NULL);
    set->bits = mem_array(WORDS, sizeof *set->bits);
    set->slot_count = 0;
    for (uint32_t i = 0; i < count; i++) {
        bit_add(set, set->slots[i]);
    }
    mem_free(set->slots);
    set->slots = NULL;
    set->slot_room = 0;
}

/* The first place whose slot is not below the one given. */
static uint32_t place_of(const struct txn_readset *set, uint16_t slot)
{
    uint32_t low = 0;
    uint32_t high = set->slot_count;

    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (set->slots[middle] < slot) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

void txn_readset_add(struct txn_readset *set, uint16_t slot)
{
    assert(set != NULL);
    if (set->bits != NULL) {
        bit_add(set, slot);
        return;
    }
    uint32_t at = place_of(set, slot);
    if (at < set->slot_count && set->slots[at] == slot) {
        return;
    }
    if (set->slot_count == TXN_SLOT_LIST_MAX) {
        become_bits(set);
        bit_add(set, slot);
        return;
    }
    if (set->slot_count == set->slot_room) {
        set->slot_room = set->slot_room == 0 ? 16 : set->slot_room * 2;
        set->slots = mem_resize(set->slots, set->slot_room * sizeof *set->slots);
    }
    memmove(set->slots + at + 1, set->slots + at, (set->slot_count - at) * sizeof *set->slots);
    set->slots[at] = slot;
    set->slot_count++;
}

static void add_to(void *ctx, uint16_t slot)
{
    txn_readset_add(ctx, slot);
}

void txn_readset_merge(struct txn_readset *set, const struct txn_readset *other)
{
    assert(set != NULL && other != NULL && set != other);
    if (other->first_index != 0 &&
        (set->first_index == 0 || other->first_index < set->first_index)) {
        set->first_index = other->first_index;
    }
    txn_readset_each(other, add_to, set);
}

bool txn_readset_has(const struct txn_readset *set, uint16_t slot)
{
    assert(set != NULL);
    if (set->bits != NULL) {
        return bit_has(set->bits, slot);
    }
    uint32_t at = place_of(set, slot);
    return at < set->slot_count && set->slots[at] == slot;
}

void txn_readset_each(const struct txn_readset *set, void (*visit)(void *ctx, uint16_t slot),
                      void *ctx)
{
    assert(set != NULL && visit != NULL);
    if (set->bits == NULL) {
        for (uint32_t i = 0; i < set->slot_count; i++) {
            visit(ctx, set->slots[i]);
        }
        return;
    }
    for (uint32_t word = 0; word < WORDS; word++) {
        for (uint64_t left = set->bits[word]; left != 0; left &= left - 1) {
            visit(ctx, (uint16_t)(word * 64 + (uint32_t)__builtin_ctzll(left)));
        }
    }
}

/* varint first index; u8 form; LIST: varint count, the first slot, differences; BITS: the words. */
void txn_readset_encode(struct bytes *out, const struct txn_readset *set)
{
    assert(out != NULL && set != NULL);
    bytes_varint(out, set->first_index);
    if (set->bits != NULL) {
        bytes_u8(out, FORM_BITS);
        for (uint32_t word = 0; word < WORDS; word++) {
            bytes_u64(out, set->bits[word]);
        }
        return;
    }
    bytes_u8(out, FORM_LIST);
    bytes_varint(out, set->slot_count);
    uint16_t before = 0;
    for (uint32_t i = 0; i < set->slot_count; i++) {
        bytes_varint(out, (uint64_t)(set->slots[i] - before));
        before = set->slots[i];
    }
}

static void decode_list(struct reader *reader, struct txn_readset *set)
{
    size_t count = reader_count(reader, 1);
    uint64_t slot = 0;

    if (count > TXN_SLOT_LIST_MAX) {
        reader_spoil(reader);
        return;
    }
    if (count > 0) {
        set->slots = mem_array(count, sizeof *set->slots);
        set->slot_room = (uint32_t)count;
    }
    for (size_t i = 0; i < count; i++) {
        uint64_t step = reader_varint(reader);
        if (step >= TXN_SLOTS || slot + step >= TXN_SLOTS || (i > 0 && step == 0)) {
            reader_spoil(reader);
            return;
        }
        slot += step;
        set->slots[i] = (uint16_t)slot;
        set->slot_count++;
    }
}

void txn_readset_decode(struct reader *reader, struct txn_readset *set)
{
    assert(reader != NULL && set != NULL);
    *set = (struct txn_readset){0};
    set->first_index = reader_varint(reader);
    uint8_t form = reader_u8(reader);
    if (form == FORM_LIST) {
        decode_list(reader, set);
    } else if (form == FORM_BITS && reader_left(reader) >= WORDS * sizeof *set->bits) {
        set->bits = mem_array(WORDS, sizeof *set->bits);
        for (uint32_t word = 0; word < WORDS; word++) {
            set->bits[word] = reader_u64(reader);
            set->slot_count += (uint32_t)__builtin_popcountll(set->bits[word]);
        }
    } else {
        reader_spoil(reader);
    }
    if (reader->is_bad) {
        txn_readset_close(set);
    }
}

/* ---- parts of bodies ---- */

int txn_gtid_order(struct txn_gtid a, struct txn_gtid b)
{
    if (a.term != b.term) {
        return a.term < b.term ? -1 : 1;
    }
    if (a.counter != b.counter) {
        return a.counter < b.counter ? -1 : 1;
    }
    return 0;
}

static void gtid_encode(struct bytes *out, struct txn_gtid gtid)
{
    bytes_varint(out, gtid.term);
    bytes_varint(out, gtid.counter);
}

static struct txn_gtid gtid_decode(struct reader *reader)
{
    struct txn_gtid gtid = {0};

    gtid.term = reader_varint(reader);
    gtid.counter = reader_varint(reader);
    return gtid;
}

static void part_encode(struct bytes *out, const struct txn_part *part)
{
    bytes_varint(out, part->shard);
    bytes_varint(out, part->epoch);
    txn_readset_encode(out, &part->readset);
    bytes_blob(out, part->changes);
}

static void part_decode(struct reader *reader, struct txn_part *part)
{
    uint64_t shard = reader_varint(reader);

    if (shard > UINT32_MAX) {
        reader_spoil(reader);
    }
    part->shard = (uint32_t)shard;
    part->epoch = reader_varint(reader);
    txn_readset_decode(reader, &part->readset);
    part->changes = reader_blob(reader);
}

/* ---- bodies ---- */

void txn_request_encode(struct bytes *out, const struct txn_request *request)
{
    assert(out != NULL && request != NULL);
    bytes_varint(out, request->sid);
    bytes_varint(out, request->seq);
    bytes_varint(out, request->low_seq);
    bytes_varint(out, request->term);
    bytes_varint(out, request->part_count);
    for (uint32_t i = 0; i < request->part_count; i++) {
        part_encode(out, &request->parts[i]);
    }
}

int txn_request_decode(struct slice body, struct arena *arena, struct txn_request *request,
                       struct error *err)
{
    struct reader reader;
    int rc;

    assert(arena != NULL && request != NULL);
    *request = (struct txn_request){0};
    reader_init(&reader, body);
    request->sid = reader_varint(&reader);
    request->seq = reader_varint(&reader);
    request->low_seq = reader_varint(&reader);
    request->term = reader_varint(&reader);
    size_t count = reader_count(&reader, PART_BYTES_MIN);
    if (count > TXN_SHARDS_MAX) {
        reader_spoil(&reader);
        count = 0;
    }
    request->parts = arena_array(arena, count, sizeof *request->parts);
    for (size_t i = 0; i < count && !reader.is_bad; i++) {
        request->part_count++;
        part_decode(&reader, &request->parts[i]);
    }
    rc = reader_finish(&reader, "transaction", err);
    if (rc != E_OK) {
        txn_request_close(request);
    }
    return rc;
}

void txn_request_close(struct txn_request *request)
{
    assert(request != NULL);
    for (uint32_t i = 0; i < request->part_count; i++) {
        txn_readset_close(&request->parts[i].readset);
    }
    *request = (struct txn_request){0};
}

void txn_prepare_encode(struct bytes *out, const struct txn_prepare *prepare)
{
    assert(out != NULL && prepare != NULL);
    gtid_encode(out, prepare->gtid);
    gtid_encode(out, prepare->watermark);
    bytes_varint(out, prepare->sid);
    bytes_varint(out, prepare->seq);
    part_encode(out, &prepare->part);
}

int txn_prepare_decode(struct slice body, struct txn_prepare *prepare, struct error *err)
{
    struct reader reader;
    int rc;

    assert(prepare != NULL);
    *prepare = (struct txn_prepare){0};
    reader_init(&reader, body);
    prepare->gtid = gtid_decode(&reader);
    prepare->watermark = gtid_decode(&reader);
    prepare->sid = reader_varint(&reader);
    prepare->seq = reader_varint(&reader);
    part_decode(&reader, &prepare->part);
    rc = reader_finish(&reader, "prepare", err);
    if (rc != E_OK) {
        txn_readset_close(&prepare->part.readset);
        *prepare = (struct txn_prepare){0};
    }
    return rc;
}

void txn_reply_encode(struct bytes *out, const struct txn_reply *reply)
{
    assert(out != NULL && reply != NULL && reply->code <= 0);
    gtid_encode(out, reply->gtid);
    bytes_varint(out, reply->sid);
    bytes_varint(out, reply->seq);
    bytes_varint(out, reply->term);
    bytes_varint(out, reply->index);
    bytes_u8(out, (uint8_t)reply->outcome);
    bytes_varint(out, (uint64_t)-reply->code);
    bytes_blob(out, reply->text);
}

int txn_reply_decode(struct slice body, struct txn_reply *reply, struct error *err)
{
    struct reader reader;

    assert(reply != NULL);
    *reply = (struct txn_reply){0};
    reader_init(&reader, body);
    reply->gtid = gtid_decode(&reader);
    reply->sid = reader_varint(&reader);
    reply->seq = reader_varint(&reader);
    reply->term = reader_varint(&reader);
    reply->index = reader_varint(&reader);
    uint8_t outcome = reader_u8(&reader);
    uint64_t code = reader_varint(&reader);
    reply->text = reader_blob(&reader);
    if (outcome > TXN_WAIT || code > INT16_MAX || (code != 0 && !error_is_known(-(int)code))) {
        reader_spoil(&reader);
    } else {
        reply->outcome = (enum txn_outcome)outcome;
        reply->code = -(int)code;
    }
    return reader_finish(&reader, "outcome", err);
}
